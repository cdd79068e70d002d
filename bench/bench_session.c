/* Sealing and opening: datagrams of 16 transfers, as a client seals them and a node opens and
 * decodes them, on one core without a port. Beside it the same without sessions: their ratio is
 * what sealing costs, once a datagram. */
#include "bench/harness.h"
#include "bench/workload.h"
#include "net/channel.h"
#include "net/wire.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATAGRAMS   256
#define MESSAGES    16
#define PAYLOAD_MAX 1472

enum step { SEAL, OPEN, BOTH };

struct setting {
    unsigned suite; /* HF_CIPHER_NONE: without sessions */
    enum step step;
};

struct run {
    struct setting setting;
    struct hf_channel client, node;
    uint64_t now_ns, failed;
    uint32_t plain_length;
    uint32_t lengths[DATAGRAMS];
    uint8_t plain[DATAGRAMS][PAYLOAD_MAX];
    uint8_t datagrams[DATAGRAMS][PAYLOAD_MAX];
};

static void encode(struct run *run, struct hf_bench_workload *workload, uint32_t number)
{
    struct hf_wire_writer writer;
    union hf_operation operation;
    hf_wire_begin(&writer, run->plain[number], PAYLOAD_MAX - HF_CIPHER_TAG_SIZE);
    for (uint32_t i = 0; i < MESSAGES; i++) {
        hf_bench_make_move(workload, &operation.move, i, i + 1);
        bool is_added = hf_wire_add(&writer, &operation, operation.header.length);
        assert(is_added);
        (void)is_added;
    }
    run->plain_length = hf_wire_finish(&writer, 0, 1, number);
}

static void begin_session(struct run *run)
{
    struct hf_channel_limits limits = hf_channel_limits_default;
    struct hf_cipher there, back;
    const uint8_t keys[2][HF_CIPHER_KEY_SIZE] = {{1}, {2}};
    limits.epoch_datagrams = UINT64_C(1) << 46; /* no answers come that a new key would need */
    hf_cipher_set(&there, run->setting.suite, keys[0]);
    hf_cipher_set(&back, run->setting.suite, keys[1]);
    hf_channel_begin(&run->client, &limits, true, 1, 2, &there, &back, run->now_ns);
    hf_channel_begin(&run->node, &limits, false, 2, 1, &back, &there, run->now_ns);
}

static void *setup(const struct hf_bench_scale *scale, const void *argument)
{
    const struct setting *setting = argument;
    if (sodium_init() < 0 ||
        (setting->suite != HF_CIPHER_NONE && !hf_cipher_is_available(setting->suite))) {
        return NULL;
    }
    struct run *run = calloc(1, sizeof(*run));
    if (run == NULL) {
        return NULL;
    }
    run->setting = *setting;
    run->now_ns = 1;
    struct hf_bench_workload workload;
    hf_bench_workload_begin(&workload, scale->accounts_small);
    for (uint32_t i = 0; i < DATAGRAMS; i++) {
        encode(run, &workload, i);
    }
    if (setting->suite != HF_CIPHER_NONE) {
        begin_session(run);
    }
    return run;
}

/* What the client does when its messages are in place: the copy stands for its encoder. */
static void seal(struct run *run)
{
    for (uint32_t i = 0; i < DATAGRAMS; i++) {
        memcpy(run->datagrams[i], run->plain[i], run->plain_length);
        run->lengths[i] = run->plain_length;
        if (run->setting.suite != HF_CIPHER_NONE) {
            run->lengths[i] = hf_channel_seal(&run->client, run->datagrams[i], run->plain_length,
                                              PAYLOAD_MAX, run->now_ns);
            run->failed += run->lengths[i] == 0 ? 1 : 0;
        }
    }
}

/* What the node does before the order poller sees a message. */
static void open_and_decode(struct run *run)
{
    union hf_operation operation;
    struct hf_verdict verdict;
    uint8_t buffer[PAYLOAD_MAX];
    uint64_t read = 0;
    for (uint32_t i = 0; i < DATAGRAMS; i++) {
        const uint8_t *plain = run->datagrams[i];
        uint32_t length = run->lengths[i];
        if (run->setting.suite != HF_CIPHER_NONE) {
            enum hf_fate fate = hf_channel_open(&run->node, run->datagrams[i], run->lengths[i],
                                                run->now_ns, buffer, &length);
            run->failed += fate != HF_FATE_OPENED ? 1 : 0;
            plain = buffer;
        }
        struct hf_wire_reader reader;
        verdict = hf_wire_open(&reader, plain, length);
        run->failed += verdict.code != HF_CODE_OK ? 1 : 0;
        while (hf_wire_next_operation(&reader, &operation, sizeof operation, &verdict) ==
               HF_WIRE_MESSAGE) {
            read++;
        }
    }
    run->failed += read != (uint64_t)DATAGRAMS * MESSAGES ? 1 : 0;
}

/* A datagram is opened once: what is to be opened is sealed anew each time. */
static void prepare(void *state)
{
    struct run *run = state;
    if (run->setting.step == OPEN) {
        seal(run);
    }
}

static void measure(void *state)
{
    struct run *run = state;
    if (run->setting.step != OPEN) {
        seal(run);
    }
    if (run->setting.step != SEAL) {
        open_and_decode(run);
    }
}

static void report(void *state, struct hf_bench_figures *figures)
{
    struct run *run = state;
    assert(run->failed == 0);
    hf_bench_figure_add(figures, "messages_per_datagram", MESSAGES);
    hf_bench_figure_add(figures, "datagram_bytes", (double)run->lengths[0]);
}

void hf_bench_register_session(void)
{
    static const struct {
        const char *name;
        struct setting setting;
    } kinds[] = {
        {"session/seal/plain/16", {HF_CIPHER_NONE, SEAL}},
        {"session/seal/aesgcm/16", {HF_CIPHER_AESGCM, SEAL}},
        {"session/seal/chachapoly/16", {HF_CIPHER_CHACHAPOLY, SEAL}},
        {"session/open/plain/16", {HF_CIPHER_NONE, OPEN}},
        {"session/open/aesgcm/16", {HF_CIPHER_AESGCM, OPEN}},
        {"session/open/chachapoly/16", {HF_CIPHER_CHACHAPOLY, OPEN}},
        {"session/both/plain/16", {HF_CIPHER_NONE, BOTH}},
        {"session/both/aesgcm/16", {HF_CIPHER_AESGCM, BOTH}},
        {"session/both/chachapoly/16", {HF_CIPHER_CHACHAPOLY, BOTH}},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct hf_bench bench = {
            .clock = HF_BENCH_CORE,
            .items = (uint64_t)DATAGRAMS * MESSAGES,
            .argument = &kinds[i].setting,
            .setup = setup,
            .prepare = prepare,
            .run = measure,
            .report = report,
            .teardown = free,
        };
        snprintf(bench.name, sizeof(bench.name), "%s", kinds[i].name);
        hf_bench_register(&bench);
    }
}
