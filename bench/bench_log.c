/* The log on a real file, and beside it, in the same program on the same device, raw writes of the
 * same size and depth.
 *
 *   log/load/...       the writer's bytes a second in full batches, several in flight, each one
 *                      flushed before it counts; filling, sealing and chaining are inside
 *   log/sustained/...  the same while the writer also prewrites its segments: every byte twice
 *   log/commit         one transfer at a time, from submission to durable
 *   log/raw_...        what the device does without a log
 *
 * For load and commit, segments are prewritten outside the timed part. */
#include "bench/bench_disk.h"
#include "bench/directory.h"
#include "bench/harness.h"
#include "bench/sample.h"
#include "bench/workload.h"
#include "wal/disk_uring.h"
#include "wal/writer.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The node's default: what a record is padded to. */
#define BLOCK_SIZE     512
#define DEPTH          4
#define BATCH_COUNT    8
#define LOAD_BATCHES   64 /* per iteration */
#define COMMIT_BATCHES 64
#define MOVES          4096 /* a stock of operations to fill batches from */

struct setting {
    uint32_t batch_bytes;
    uint32_t batches;   /* per iteration */
    bool is_single;     /* one operation a batch, one batch at a time */
    bool is_prewritten; /* segments are made ready outside the timed part */
};

struct run {
    struct setting setting;
    char directory[512];
    uint64_t segment_size;
    struct hf_disk *disk;
    struct hf_log_writer *writer;
    struct hf_log_batch *free_batches[BATCH_COUNT];
    uint32_t free_count;
    uint64_t next_place;
    uint64_t timestamp_ns;
    uint32_t next_move;
    struct hf_bench_samples *samples;
    struct hf_op_move moves[MOVES];
};

/* The measured log must not go wrong: there is no figure without it. */
static void must(bool condition, const struct hf_fault *fault)
{
    if (!condition) {
        fprintf(stderr, "log benchmark: %s\n", fault->line);
        exit(1);
    }
}

static enum hf_status replay_nothing(void *context, const struct hf_record_header *record,
                                     struct hf_fault *fault)
{
    (void)context;
    (void)record;
    (void)fault;
    return HF_STATUS_OK;
}

static void open_log(struct run *run)
{
    struct hf_fault fault = {{0}};
    enum hf_status status =
        hf_disk_uring_open(run->directory, false, true, BLOCK_SIZE, &run->disk, &fault);
    must(status == HF_STATUS_OK, &fault);
    uint8_t secret_key[HF_CHAIN_SECRET_SIZE];
    hf_chain_key_make(secret_key);
    struct hf_log_options options = {
        .cluster = {.lo = 1, .hi = 1},
        .node = 1,
        .create = true,
        .from_start = true,
        .segment_size = run->segment_size,
    };
    memcpy(options.public_key, hf_chain_key_public(secret_key), sizeof options.public_key);
    const struct hf_log_replay replay = {.record = replay_nothing};
    struct hf_log_state state;
    status = hf_log_open(run->disk, &options, &replay, &state, &fault);
    must(status == HF_STATUS_OK, &fault);
    struct hf_log_writer_options writer_options;
    hf_log_writer_defaults(&writer_options);
    writer_options.secret_key = secret_key;
    writer_options.depth = DEPTH;
    writer_options.batch_count = BATCH_COUNT;
    writer_options.batch_capacity = run->setting.batch_bytes;
    status = hf_log_writer_create(run->disk, &state, &writer_options, &run->writer, &fault);
    must(status == HF_STATUS_OK, &fault);
    status = hf_log_writer_attach(run->writer, &fault);
    must(status == HF_STATUS_OK, &fault);
    run->next_place = state.next_place;
    for (uint32_t i = 0; i < BATCH_COUNT; i++) {
        run->free_batches[run->free_count++] = hf_log_writer_batch(run->writer, i);
    }
}

static void *setup(const struct hf_bench_scale *scale, const void *argument)
{
    struct run *run = calloc(1, sizeof(*run));
    if (run == NULL) {
        return NULL;
    }
    run->setting = *(const struct setting *)argument;
    run->segment_size = scale->log_segment_size;
    run->samples = hf_bench_samples_create();
    int length =
        snprintf(run->directory, sizeof(run->directory), "%s/log-XXXXXX", scale->directory);
    assert(length > 0);
    assert((size_t)length < sizeof(run->directory));
    if (run->samples == NULL || mkdtemp(run->directory) == NULL) {
        hf_bench_samples_destroy(run->samples);
        free(run);
        return NULL;
    }
    struct hf_bench_workload workload;
    hf_bench_workload_begin(&workload, scale->accounts_small);
    for (uint32_t i = 0; i < MOVES; i++) {
        uint64_t payer = hf_bench_workload_account(&workload);
        hf_bench_make_move(&workload, &run->moves[i], payer,
                           hf_bench_workload_account_but(&workload, payer));
    }
    run->timestamp_ns = hf_bench_workload_now_ns(&workload);
    open_log(run);
    return run;
}

static uint32_t collect(struct run *run)
{
    struct hf_log_batch *done[BATCH_COUNT];
    uint32_t count = hf_log_writer_poll(run->writer, done, BATCH_COUNT);
    must(!hf_log_writer_is_poisoned(run->writer), hf_log_writer_fault(run->writer));
    for (uint32_t i = 0; i < count; i++) {
        run->free_batches[run->free_count++] = done[i];
    }
    return count;
}

/* Fills a free batch with `most` transfers or until it is full, and submits it as soon as the
 * writer takes it. */
static void write_batch(struct run *run, uint32_t most)
{
    while (run->free_count == 0) {
        collect(run);
    }
    struct hf_log_batch *batch = run->free_batches[--run->free_count];
    run->timestamp_ns++;
    hf_log_batch_begin(batch, run->timestamp_ns, run->next_place);
    while (batch->count < most) {
        const void *move = &run->moves[run->next_move % MOVES];
        if (!hf_log_batch_add(batch, move)) {
            break;
        }
        run->next_move++;
    }
    run->next_place += batch->count;
    enum hf_status status = hf_log_writer_submit(run->writer, batch);
    while (status == HF_STATUS_AGAIN || status == HF_STATUS_FULL) {
        collect(run);
        status = hf_log_writer_submit(run->writer, batch);
    }
    must(status == HF_STATUS_OK, hf_log_writer_fault(run->writer));
}

static void drain(struct run *run)
{
    while (run->free_count < BATCH_COUNT) {
        collect(run);
    }
}

/* Goes into a new segment when this one has no room for an iteration, and waits until the one after
 * it is ready. */
static void prepare(void *state)
{
    struct run *run = state;
    if (!run->setting.is_prewritten) {
        return;
    }
    struct hf_log_writer_counts counts;
    hf_log_writer_count(run->writer, &counts);
    uint64_t needed = (uint64_t)run->setting.batches * run->setting.batch_bytes;
    uint64_t segment = counts.segment;
    if (run->segment_size - counts.offset < needed) {
        while (counts.segment == segment) {
            write_batch(run, UINT32_MAX);
            hf_log_writer_count(run->writer, &counts);
        }
    }
    drain(run);
    while (counts.segments_ready < HF_LOG_AHEAD_DEFAULT) {
        collect(run);
        hf_log_writer_count(run->writer, &counts);
    }
}

static void run_load(struct run *run)
{
    for (uint32_t i = 0; i < run->setting.batches; i++) {
        write_batch(run, UINT32_MAX);
    }
    drain(run);
}

static void run_single(struct run *run)
{
    for (uint32_t i = 0; i < run->setting.batches; i++) {
        uint64_t begin_ns = hf_bench_now_ns();
        write_batch(run, 1);
        drain(run);
        hf_bench_samples_add(run->samples, hf_bench_now_ns() - begin_ns);
    }
}

static void measure(void *state)
{
    struct run *run = state;
    if (run->setting.is_single) {
        run_single(run);
    } else {
        run_load(run);
    }
}

static void report(void *state, struct hf_bench_figures *figures)
{
    struct run *run = state;
    struct hf_log_writer_counts counts;
    hf_log_writer_count(run->writer, &counts);
    if (run->setting.is_single) {
        hf_bench_figure_add(figures, "p50_us",
                            (double)hf_bench_samples_percentile(run->samples, 50, 100) / 1e3);
        hf_bench_figure_add(figures, "p99_us",
                            (double)hf_bench_samples_percentile(run->samples, 99, 100) / 1e3);
        hf_bench_samples_clear(run->samples);
        return;
    }
    assert(counts.operations > 0);
    hf_bench_figure_add(figures, "device_per_logical_byte",
                        (double)counts.bytes_device / (double)counts.bytes_logical);
    hf_bench_figure_add(figures, "device_bytes_per_transfer",
                        (double)counts.bytes_device / (double)counts.operations);
    hf_bench_figure_add(figures, "transfers_per_batch",
                        (double)counts.operations / (double)counts.records);
}

static void teardown(void *state)
{
    struct run *run = state;
    hf_log_writer_destroy(run->writer);
    run->disk->maker->destroy(run->disk);
    hf_bench_remove_directory(run->directory);
    hf_bench_samples_destroy(run->samples);
    free(run);
}

static void register_log(const char *name, const struct setting *setting)
{
    struct hf_bench bench = {
        .clock = HF_BENCH_WALL,
        .items = setting->batches,
        .bytes = setting->is_single ? 0 : (uint64_t)setting->batches * setting->batch_bytes,
        .argument = setting,
        .setup = setup,
        .prepare = prepare,
        .run = measure,
        .report = report,
        .teardown = teardown,
    };
    snprintf(bench.name, sizeof(bench.name), "log/%s", name);
    hf_bench_register(&bench);
}

void hf_bench_register_log(void)
{
    static const struct {
        const char *name;
        struct setting setting;
    } kinds[] = {
        {"load/64KiB", {65536, LOAD_BATCHES * 4, false, true}},
        {"load/256KiB", {262144, LOAD_BATCHES, false, true}},
        {"load/1MiB", {1048576, LOAD_BATCHES / 4, false, true}},
        {"sustained/256KiB", {262144, LOAD_BATCHES, false, false}},
        {"commit", {65536, COMMIT_BATCHES, true, true}},
    };
    static const struct {
        const char *name;
        struct hf_bench_disk_setting setting;
    } raw_kinds[] = {
        {"log/raw_write/64KiB", {65536, DEPTH, LOAD_BATCHES * 4, false, true}},
        {"log/raw_write/256KiB", {262144, DEPTH, LOAD_BATCHES, false, true}},
        {"log/raw_write/1MiB", {1048576, DEPTH, LOAD_BATCHES / 4, false, true}},
        {"log/raw_flush/64KiB", {65536, DEPTH, LOAD_BATCHES * 4, true, true}},
        {"log/raw_flush/256KiB", {262144, DEPTH, LOAD_BATCHES, true, true}},
        {"log/raw_flush/1MiB", {1048576, DEPTH, LOAD_BATCHES / 4, true, true}},
        {"log/raw_commit/512", {512, 1, COMMIT_BATCHES, true, true}},
        {"log/raw_commit/4KiB", {4096, 1, COMMIT_BATCHES, true, true}},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        register_log(kinds[i].name, &kinds[i].setting);
    }
    for (size_t i = 0; i < sizeof(raw_kinds) / sizeof(raw_kinds[0]); i++) {
        hf_bench_register_disk(raw_kinds[i].name, &raw_kinds[i].setting);
    }
}
