/* Fuzz target: what the arbiter answers.
 *
 * An input is eight bytes, of which the second says what was asked (0: a read; else a swap), and
 * the answer's text. It is understood or it is not; what is understood is a configuration that a
 * pair can have, and a read never says that something was done. */
#include "target.h"

#include "tools/holdfastd/etcd_answer.h"

#include <string.h>

#define TEXT_MAX 65536

static void check_value(const struct hf_config *config)
{
    static const struct hf_config none;

    if (config->epoch == 0) {
        FUZZ_CHECK(memcmp(config, &none, sizeof none) == 0);
        return;
    }
    FUZZ_CHECK(config->epoch != UINT64_MAX);
    FUZZ_CHECK(config->primary != 0);
    FUZZ_CHECK(config->insync[0].node == config->primary);
    FUZZ_CHECK(config->insync[0].incarnation != 0);
    FUZZ_CHECK(config->insync[1].node != config->primary);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_config config;
    enum hf_answer_kind kind;
    json_t *answer;
    bool is_swap;

    if (size < FUZZ_HEAD || size > TEXT_MAX)
        return 0;
    is_swap = data[1] != 0;
    memset(&config, 0x5a, sizeof config);
    answer = json_loadb((const char *)data + FUZZ_HEAD, size - FUZZ_HEAD, 0, NULL);
    kind = is_swap ? etcd_answer_to_txn(answer, &config) : etcd_answer_to_range(answer, &config);
    json_decref(answer);
    FUZZ_CHECK(kind == HF_ANSWER_UNKNOWN || kind == HF_ANSWER_VALUE ||
               (is_swap && kind == HF_ANSWER_DONE));
    if (kind == HF_ANSWER_VALUE)
        check_value(&config);
    return 0;
}
