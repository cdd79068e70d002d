/* The wire codec: messages a second on one core, out of and into datagrams, without a port.
 * Datagrams of one message, and of as many as an Ethernet frame takes. */
#include "bench/harness.h"
#include "bench/workload.h"
#include "net/wire.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATAGRAMS   256
#define PAYLOAD_MAX 1472

enum kind { DECODE_MOVES, DECODE_AUTHS, ENCODE_REPLIES };

struct setting {
    enum kind kind;
    uint32_t messages; /* a datagram */
};

struct run {
    struct setting setting;
    uint64_t failed;
    uint32_t lengths[DATAGRAMS];
    struct hf_reply replies[64];
    uint8_t datagrams[DATAGRAMS][PAYLOAD_MAX];
};

static void encode_operations(struct run *run, struct hf_bench_workload *workload, uint32_t number)
{
    struct hf_wire_writer writer;
    union hf_operation operation;
    hf_wire_begin(&writer, run->datagrams[number], PAYLOAD_MAX);
    for (uint32_t i = 0; i < run->setting.messages; i++) {
        if (run->setting.kind == DECODE_AUTHS) {
            hf_bench_make_auth(workload, &operation.auth, i, i + 1);
        } else {
            hf_bench_make_move(workload, &operation.move, i, i + 1);
        }
        bool is_added = hf_wire_add(&writer, &operation, operation.header.length);
        assert(is_added);
        (void)is_added;
    }
    run->lengths[number] = hf_wire_finish(&writer, 0, 1, number);
}

static void *setup(const struct hf_bench_scale *scale, const void *argument)
{
    const struct setting *setting = argument;
    struct run *run = calloc(1, sizeof(*run));
    if (run == NULL) {
        return NULL;
    }
    run->setting = *setting;
    struct hf_bench_workload workload;
    hf_bench_workload_begin(&workload, scale->accounts_small);
    for (uint32_t i = 0; i < DATAGRAMS && setting->kind != ENCODE_REPLIES; i++) {
        encode_operations(run, &workload, i);
    }
    for (uint32_t i = 0; i < 64; i++) {
        run->replies[i].length = sizeof(run->replies[i]);
        run->replies[i].type = HF_OP_MOVE | HF_REPLY_TYPE_BIT;
        run->replies[i].id = hf_bench_workload_id(&workload);
    }
    return run;
}

static void decode(struct run *run)
{
    union hf_operation operation;
    struct hf_verdict verdict;
    uint64_t read = 0;
    for (uint32_t i = 0; i < DATAGRAMS; i++) {
        struct hf_wire_reader reader;
        verdict = hf_wire_open(&reader, run->datagrams[i], run->lengths[i]);
        run->failed += verdict.code != HF_CODE_OK ? 1 : 0;
        while (hf_wire_next_operation(&reader, &operation, sizeof operation, &verdict) ==
               HF_WIRE_MESSAGE) {
            read++;
        }
    }
    run->failed += read != (uint64_t)DATAGRAMS * run->setting.messages ? 1 : 0;
}

static void encode(struct run *run)
{
    for (uint32_t i = 0; i < DATAGRAMS; i++) {
        struct hf_wire_writer writer;
        hf_wire_begin(&writer, run->datagrams[i], PAYLOAD_MAX);
        for (uint32_t k = 0; k < run->setting.messages; k++) {
            bool is_added = hf_wire_add(&writer, &run->replies[k % 64], sizeof(struct hf_reply));
            run->failed += is_added ? 0 : 1;
        }
        run->lengths[i] = hf_wire_finish(&writer, HF_WIRE_REPLIES, 1, i);
    }
}

static void measure(void *state)
{
    struct run *run = state;
    if (run->setting.kind == ENCODE_REPLIES) {
        encode(run);
    } else {
        decode(run);
    }
}

static void report(void *state, struct hf_bench_figures *figures)
{
    struct run *run = state;
    assert(run->failed == 0);
    hf_bench_figure_add(figures, "messages_per_datagram", (double)run->setting.messages);
    hf_bench_figure_add(figures, "datagram_bytes", (double)run->lengths[0]);
}

void hf_bench_register_wire(void)
{
    static const struct {
        const char *name;
        struct setting setting;
    } kinds[] = {
        {"wire/decode/move/one", {DECODE_MOVES, 1}},
        {"wire/decode/move/full", {DECODE_MOVES, 18}},
        {"wire/decode/auth/one", {DECODE_AUTHS, 1}},
        {"wire/decode/auth/full", {DECODE_AUTHS, 7}},
        {"wire/encode/reply/one", {ENCODE_REPLIES, 1}},
        {"wire/encode/reply/full", {ENCODE_REPLIES, 22}},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct hf_bench bench = {
            .clock = HF_BENCH_CORE,
            .items = (uint64_t)DATAGRAMS * kinds[i].setting.messages,
            .argument = &kinds[i].setting,
            .setup = setup,
            .run = measure,
            .report = report,
            .teardown = free,
        };
        snprintf(bench.name, sizeof(bench.name), "%s", kinds[i].name);
        hf_bench_register(&bench);
    }
}
