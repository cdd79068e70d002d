#include "etcd_answer.h"

#include <sodium.h>
#include <string.h>

static bool is_sane(const struct hf_config *config)
{
    return config->epoch != 0 && config->epoch != UINT64_MAX && config->primary != 0 &&
           config->durability >= HF_DURABILITY_SOLO &&
           config->durability <= HF_DURABILITY_PAIR_SAFE &&
           config->insync[0].node == config->primary && config->insync[0].incarnation != 0 &&
           config->insync[1].node != config->primary;
}

/* The value in a range answer; epoch 0 when there is no such key. False: not to be understood. */
static bool read_value(const json_t *range, struct hf_config *config)
{
    const json_t *kvs = json_object_get(range, "kvs");
    const char *text;
    size_t length = 0;

    memset(config, 0, sizeof *config);
    if (!json_is_object(range))
        return false;
    if (json_array_size(kvs) == 0)
        return true;
    text = json_string_value(json_object_get(json_array_get(kvs, 0), "value"));
    if (text == NULL ||
        sodium_base642bin((unsigned char *)config, sizeof *config, text, strlen(text), NULL,
                          &length, NULL, sodium_base64_VARIANT_ORIGINAL) != 0 ||
        length != sizeof *config || !is_sane(config)) {
        memset(config, 0, sizeof *config);
        return false;
    }
    return true;
}

enum hf_answer_kind etcd_answer_to_range(const json_t *answer, struct hf_config *config)
{
    return read_value(answer, config) ? HF_ANSWER_VALUE : HF_ANSWER_UNKNOWN;
}

enum hf_answer_kind etcd_answer_to_txn(const json_t *answer, struct hf_config *config)
{
    const json_t *responses = json_object_get(answer, "responses");

    memset(config, 0, sizeof *config);
    if (json_is_true(json_object_get(answer, "succeeded")))
        return HF_ANSWER_DONE;
    return etcd_answer_to_range(json_object_get(json_array_get(responses, 0), "response_range"),
                                config);
}
