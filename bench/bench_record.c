/* The record codec: what sealing and checking a record cost, a byte and a transfer, without a disk.
 * Records of one transfer (the least a group commit writes) and of a full batch. */
#include "bench/harness.h"
#include "bench/workload.h"
#include "wal/batch.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK_SIZE 512
#define CAPACITY   262144
#define MOVES      4096

struct setting {
    uint32_t transfers; /* a record; UINT32_MAX: as many as fit */
    uint32_t records;   /* an iteration */
    bool is_check;
};

struct run {
    struct setting setting;
    struct hf_log_batch batch;
    struct hf_op_move moves[MOVES];
    _Alignas(HF_LOG_BATCH_ALIGNMENT) uint8_t bytes[CAPACITY];
};

static const struct hf_id cluster = {.lo = 1, .hi = 1};

static void fill(struct run *run)
{
    hf_log_batch_begin(&run->batch, 1, 1);
    while (run->batch.count < run->setting.transfers) {
        const void *move = &run->moves[run->batch.count % MOVES];
        if (!hf_log_batch_add(&run->batch, move)) {
            break;
        }
    }
}

static void seal(struct run *run)
{
    struct hf_record_header *header = (struct hf_record_header *)(void *)run->bytes;
    *header = (struct hf_record_header){
        .magic = HF_RECORD_MAGIC,
        .format = HF_RECORD_FORMAT,
        .kind = HF_RECORD_OPERATIONS,
        .length = run->batch.length,
        .count = run->batch.count,
        .cluster = cluster,
        .epoch = 1,
        .index = 1,
        .first_place = 1,
        .timestamp_ns = 1,
    };
    hf_record_seal(header);
}

static void *setup(const struct hf_bench_scale *scale, const void *argument)
{
    struct run *run = aligned_alloc(_Alignof(struct run), sizeof(struct run));
    if (run == NULL) {
        return NULL;
    }
    *run = (struct run){.setting = *(const struct setting *)argument};
    run->batch = (struct hf_log_batch){.bytes = run->bytes, .capacity = CAPACITY};
    struct hf_bench_workload workload;
    hf_bench_workload_begin(&workload, scale->accounts_small);
    for (uint32_t i = 0; i < MOVES; i++) {
        hf_bench_make_move(&workload, &run->moves[i], i, i + 1);
    }
    fill(run);
    seal(run);
    return run;
}

static void measure(void *state)
{
    struct run *run = state;
    uint32_t bad = 0;
    for (uint32_t i = 0; i < run->setting.records; i++) {
        if (run->setting.is_check) {
            bad +=
                hf_record_check(run->bytes, CAPACITY, BLOCK_SIZE, cluster, NULL) != HF_RECORD_GOOD
                    ? 1
                    : 0;
        } else {
            fill(run);
            seal(run);
        }
    }
    assert(bad == 0);
    (void)bad;
}

static void report(void *state, struct hf_bench_figures *figures)
{
    struct run *run = state;
    hf_bench_figure_add(figures, "transfers_per_record", (double)run->batch.count);
    hf_bench_figure_add(figures, "record_bytes", (double)run->batch.length);
}

void hf_bench_register_record(void)
{
    static const struct {
        const char *name;
        struct setting setting;
    } kinds[] = {
        {"record/seal/one", {1, 16384, false}},
        {"record/seal/full", {UINT32_MAX, 32, false}},
        {"record/check/one", {1, 16384, true}},
        {"record/check/full", {UINT32_MAX, 32, true}},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct hf_bench bench = {
            .clock = HF_BENCH_CORE,
            .items = kinds[i].setting.records,
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
