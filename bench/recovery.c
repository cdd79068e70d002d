/* holdfast-recovery: how long a start takes, in one run on one device (W5).
 *
 *   live     transfers as they are served: applied in bundles of 64, put into records, written and
 *            flushed, several records in flight; after it the log holds what a start has to replay
 *   apply    the same transfers by the engine alone, into a second ledger
 *   replay   the log read back, every record checked and its seals too, and applied
 *   raw      a file as long as the checkpoint read in pieces of 1 MiB, O_DIRECT, nothing done with
 * it load     the checkpoint read, checked and loaded into an empty ledger
 *
 * Prints one JSON object. The log and the checkpoint lie in a private directory, removed at the
 * end. */
#include "bench/directory.h"
#include "bench/memory.h"
#include "bench/workload.h"
#include "engine/image.h"
#include "engine/ledger.h"
#include "tools/holdfastd/ahead_disk.h"
#include "wal/disk_uring.h"
#include "wal/replay.h"
#include "wal/segment.h"
#include "wal/writer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BLOCK_SIZE    512
#define BUNDLE        HF_BUNDLE_OPERATIONS_MAX
#define DEPTH         4
#define BATCHES       5
#define PIECE         ((size_t)1 << 20)
#define READ_ATTEMPTS 3
#define REMEMBERED    (UINT64_C(1) << 22)

struct recovery {
    uint64_t accounts;
    uint64_t records;
    uint64_t per_record;
    char directory[512];
    struct hf_ledger_limits limits;
    void *memory;
    size_t memory_size;
    struct hf_ledger *ledger;
    uint8_t secret_key[HF_CHAIN_SECRET_SIZE];
    struct hf_disk *disk;
    struct hf_log_state state;
    struct hf_log_writer *writer;
    struct hf_log_batch *free_batches[BATCHES];
    uint32_t free_count;
    struct hf_bench_workload workload;
    uint64_t operations;
    struct hf_op_move *moves; /* one bundle's, cache-aligned by being whole records */
    struct hf_image_reader *image;
    uint64_t image_begun_ns;
    uint64_t image_ended_ns;
    uint64_t image_begun_cpu_ns; /* the same by this thread's own time */
    uint64_t image_ended_cpu_ns;
    uint64_t image_length;
};

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static struct recovery recovery = {.accounts = 1000000, .records = 100000, .per_record = 20};

static void remove_directory(void)
{
    hf_bench_remove_directory(recovery.directory);
}

/* Processor time of this thread: what a neighbour takes is not in it. */
static uint64_t cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* There is no figure without it. */
static void must(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "holdfast-recovery: %s\n", what);
    exit(1);
}

static void must_be_ok(enum hf_status status, const struct hf_fault *fault)
{
    must(status == HF_STATUS_OK, fault->line);
}

/* ---- ledgers ---- */

static void open_ledger(struct recovery *run)
{
    run->memory = hf_bench_memory_map(run->memory_size);
    must(run->memory != NULL, "no memory for a ledger");
    run->ledger = hf_ledger_create(&run->limits, run->memory, run->memory_size);
    must(run->ledger != NULL, "a ledger cannot be made");
}

static void close_ledger(struct recovery *run)
{
    hf_bench_memory_unmap(run->memory, run->memory_size);
    run->memory = NULL;
    run->ledger = NULL;
}

static void apply(struct recovery *run, const union hf_operation *const operations[],
                  uint32_t count, uint64_t timestamp_ns)
{
    struct hf_reply replies[BUNDLE];
    uint64_t placed = hf_ledger_apply(run->ledger, timestamp_ns, operations, count, replies);

    must(placed == UINT64_MAX >> (BUNDLE - count), "an operation took no place");
}

static uint64_t timestamp_of(const struct recovery *run)
{
    return hf_bench_workload_now_ns(&run->workload);
}

/* The next transfers, the same in every pass that begins at the same workload. */
static void make_moves(struct recovery *run, const union hf_operation *operations[], uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t payer = hf_bench_workload_account(&run->workload);
        uint64_t payee = hf_bench_workload_account_but(&run->workload, payer);
        hf_bench_make_move(&run->workload, &run->moves[i], payer, payee);
        operations[i] = (const union hf_operation *)(const void *)&run->moves[i];
    }
}

/* ---- the log ---- */

static enum hf_status take_image_begin(void *context, const struct hf_checkpoint_header *header,
                                       struct hf_fault *fault)
{
    struct recovery *run = context;

    (void)fault;
    must(header != NULL, "the checkpoint does not verify");
    run->image_begun_ns = now_ns();
    run->image_begun_cpu_ns = cpu_ns();
    run->image_length = header->image_length;
    hf_image_read_begin(run->image, run->ledger);
    return HF_STATUS_OK;
}

static enum hf_status take_image(void *context, const void *bytes, size_t length,
                                 struct hf_fault *fault)
{
    struct recovery *run = context;

    (void)fault;
    return hf_image_read(run->image, bytes, length);
}

static enum hf_status take_image_end(void *context, const struct hf_checkpoint_header *header,
                                     struct hf_fault *fault)
{
    struct recovery *run = context;
    enum hf_status status = hf_image_read_end(run->image);

    (void)header;
    (void)fault;
    run->image_ended_ns = now_ns();
    run->image_ended_cpu_ns = cpu_ns();
    return status;
}

static enum hf_status take_record(void *context, const struct hf_record_header *record,
                                  struct hf_fault *fault)
{
    struct recovery *run = context;

    return hf_replay_record(run->ledger, record, NULL, NULL, fault);
}

static void open_log(struct recovery *run)
{
    struct hf_fault fault = {{0}};
    struct hf_log_options options = {
        .cluster = {.lo = 1, .hi = 1},
        .node = 1,
        .create = true,
        .segment_size = HF_SEGMENT_SIZE_DEFAULT,
    };
    const struct hf_log_replay replay = {
        .context = run,
        .image_begin = take_image_begin,
        .image = take_image,
        .image_end = take_image_end,
        .record = take_record,
    };
    memcpy(options.public_key, hf_chain_key_public(run->secret_key), sizeof options.public_key);
    must_be_ok(hf_disk_uring_open(run->directory, false, true, BLOCK_SIZE, &run->disk, &fault),
               &fault);
    struct ahead_disk ahead; /* as a node starts */
    ahead_disk_init(&ahead, run->disk, run->directory);
    must_be_ok(hf_log_open(&ahead.disk, &options, &replay, &run->state, &fault), &fault);
    ahead_disk_finish(&ahead);
}

static void close_log(struct recovery *run)
{
    hf_log_writer_destroy(run->writer);
    run->writer = NULL;
    run->free_count = 0;
    run->disk->maker->destroy(run->disk);
    run->disk = NULL;
}

static void start_writer(struct recovery *run)
{
    struct hf_fault fault = {{0}};
    struct hf_log_writer_options options;

    hf_log_writer_defaults(&options);
    options.secret_key = run->secret_key;
    options.depth = DEPTH;
    options.segments_ahead = 2;
    options.batch_count = BATCHES;
    must_be_ok(hf_log_writer_create(run->disk, &run->state, &options, &run->writer, &fault),
               &fault);
    must_be_ok(hf_log_writer_attach(run->writer, &fault), &fault);
    for (uint32_t i = 0; i < BATCHES; i++)
        run->free_batches[run->free_count++] = hf_log_writer_batch(run->writer, i);
}

static void collect(struct recovery *run)
{
    struct hf_log_batch *done[BATCHES];
    uint32_t count = hf_log_writer_poll(run->writer, done, BATCHES);

    must(!hf_log_writer_is_poisoned(run->writer), hf_log_writer_fault(run->writer)->line);
    for (uint32_t i = 0; i < count; i++)
        run->free_batches[run->free_count++] = done[i];
}

static void submit(struct recovery *run, struct hf_log_batch *batch)
{
    enum hf_status status;

    while ((status = hf_log_writer_submit(run->writer, batch)) != HF_STATUS_OK) {
        must(status == HF_STATUS_AGAIN || status == HF_STATUS_FULL, "the log takes no record");
        collect(run);
    }
}

static struct hf_log_batch *next_batch(struct recovery *run)
{
    while (run->free_count == 0)
        collect(run);
    struct hf_log_batch *batch = run->free_batches[--run->free_count];
    hf_log_batch_begin(batch, timestamp_of(run), hf_ledger_place(run->ledger) + 1);
    return batch;
}

/* Applies operations, and logs them when there is a log. */
static void serve(struct recovery *run, struct hf_log_batch **batch,
                  const union hf_operation *const operations[], uint32_t count)
{
    if (run->writer == NULL) {
        apply(run, operations, count, timestamp_of(run));
        return;
    }
    if (*batch != NULL && hf_log_batch_room(*batch) < BUNDLE * sizeof(union hf_operation)) {
        submit(run, *batch);
        *batch = NULL;
    }
    if (*batch == NULL)
        *batch = next_batch(run);
    apply(run, operations, count, (*batch)->timestamp_ns);
    for (uint32_t i = 0; i < count; i++)
        must(hf_log_batch_add(*batch, operations[i]), "a record is too long");
}

/* The asset and every account. */
static void populate(struct recovery *run)
{
    union hf_operation *made = calloc(BUNDLE, sizeof *made);
    const union hf_operation *operations[BUNDLE];
    struct hf_log_batch *batch = NULL;

    must(made != NULL, "no memory for operations");
    hf_bench_workload_begin(&run->workload, run->accounts);
    hf_bench_make_asset(&run->workload, &made[0].asset_put);
    operations[0] = &made[0];
    serve(run, &batch, operations, 1);
    for (uint64_t index = 0; index < run->accounts;) {
        uint32_t count = 0;
        for (; count < BUNDLE && index < run->accounts; count++, index++) {
            hf_bench_make_account(&run->workload, &made[count].account_put, index);
            operations[count] = &made[count];
        }
        serve(run, &batch, operations, count);
    }
    if (batch != NULL)
        submit(run, batch);
    while (run->writer != NULL && run->free_count < BATCHES)
        collect(run);
    free(made);
}

/* Applied and logged: `records` records of `per_record` transfers. Returns what it took. */
static uint64_t serve_live(struct recovery *run)
{
    const union hf_operation *operations[BUNDLE];
    uint64_t began_ns = now_ns();

    for (uint64_t r = 0; r < run->records; r++) {
        struct hf_log_batch *batch = next_batch(run);
        for (uint64_t left = run->per_record; left != 0;) {
            uint32_t count = left < BUNDLE ? (uint32_t)left : BUNDLE;
            make_moves(run, operations, count);
            apply(run, operations, count, batch->timestamp_ns);
            for (uint32_t i = 0; i < count; i++)
                must(hf_log_batch_add(batch, operations[i]), "a record is too long");
            left -= count;
        }
        submit(run, batch);
    }
    while (run->free_count < BATCHES)
        collect(run);
    return now_ns() - began_ns;
}

/* The same by the engine alone. */
static uint64_t apply_alone(struct recovery *run)
{
    const union hf_operation *operations[BUNDLE];
    uint64_t began_ns = now_ns();

    for (uint64_t r = 0; r < run->records; r++) {
        uint64_t timestamp_ns = timestamp_of(run);
        for (uint64_t left = run->per_record; left != 0;) {
            uint32_t count = left < BUNDLE ? (uint32_t)left : BUNDLE;
            make_moves(run, operations, count);
            apply(run, operations, count, timestamp_ns);
            left -= count;
        }
    }
    return now_ns() - began_ns;
}

/* ---- the checkpoint ---- */

static enum hf_status give_image(void *context, void *buffer, size_t size, size_t *length)
{
    *length = hf_image_write(context, buffer, size);
    return HF_STATUS_OK;
}

/* Of the ledger as it is, after the newest record. */
static void write_checkpoint(struct recovery *run)
{
    static struct hf_image_writer image;
    const struct hf_checkpoint_stream stream = {.context = &image, .source = give_image};
    struct hf_checkpoint_header header;
    struct hf_fault fault = {{0}};

    hf_log_writer_describe(run->writer, &header);
    must(header.index != 0, "no record to make a checkpoint after");
    header.digest = hf_ledger_digest(run->ledger);
    hf_image_write_begin(&image, run->ledger);
    must_be_ok(hf_checkpoint_write(run->disk, &header, &stream, &fault), &fault);
}

/* The fastest of a few readings of the newest checkpoint's file, in bytes a second. */
static double read_raw(const struct recovery *run)
{
    struct hf_disk *disk = NULL;
    struct hf_fault fault = {{0}};
    char name[HF_DISK_NAME_SIZE];
    uint64_t index = 0;
    double best = 0;
    uint8_t *buffer = aligned_alloc(HF_CHECKPOINT_HEADER_SIZE, PIECE);

    must(buffer != NULL, "no memory for a piece");
    must_be_ok(hf_disk_uring_open(run->directory, true, false, BLOCK_SIZE, &disk, &fault), &fault);
    must_be_ok(hf_checkpoint_newest(disk, UINT64_MAX, &index, &fault), &fault);
    hf_checkpoint_format_name(index, name);
    for (int attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
        int file = -1;
        uint64_t size = 0;
        uint64_t offset = 0;
        size_t done = PIECE;
        must_be_ok(disk->maker->open(disk, name, HF_DISK_READ | HF_DISK_DIRECT, &file),
                   &disk->fault);
        must_be_ok(disk->maker->size(disk, file, &size), &disk->fault);
        uint64_t began_ns = now_ns();
        for (; offset < size && done != 0; offset += done)
            must_be_ok(disk->maker->read(disk, file, offset, buffer, PIECE, &done), &disk->fault);
        double rate = (double)size * 1e9 / (double)(now_ns() - began_ns);
        best = rate > best ? rate : best;
        must_be_ok(disk->maker->close(disk, file), &disk->fault);
    }
    free(buffer);
    disk->maker->destroy(disk);
    return best;
}

/* ---- all of it ---- */

static bool take_options(struct recovery *run, int argc, char **argv, const char **parent)
{
    *parent = ".";
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--directory") == 0)
            *parent = argv[i + 1];
        else if (strcmp(argv[i], "--accounts") == 0)
            run->accounts = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--records") == 0)
            run->records = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--per-record") == 0)
            run->per_record = strtoull(argv[i + 1], NULL, 10);
        else
            return false;
    }
    return argc % 2 == 1 && run->accounts >= 2 && run->accounts <= UINT64_C(1) << 31 &&
           run->records >= 1 && run->per_record >= 1 && run->per_record <= 2048;
}

static void prepare(struct recovery *run)
{
    run->limits = (struct hf_ledger_limits){
        .accounts = run->accounts,
        .instruments = 1,
        .holds = 1,
        .terms = 1,
        .parts = 1,
        .selectors = 1,
        .limits = 1,
        .rolling = 1,
        .remembered = REMEMBERED,
        .remember_ns = UINT64_C(3600) * 1000000000,
        .record_ns = UINT64_C(45) * 86400 * 1000000000,
        .id_ahead_ns = UINT64_C(60) * 1000000000,
    };
    run->memory_size = hf_ledger_memory_size(&run->limits);
    run->moves = calloc(BUNDLE, sizeof *run->moves);
    run->image = calloc(1, sizeof *run->image);
    must(run->memory_size != 0, "a limit is outside its range");
    must(run->moves != NULL && run->image != NULL, "no memory");
    hf_chain_key_make(run->secret_key);
}

/* One start on what lies there. Returns the whole of it, and the thread's own time of the replay.
 */
static uint64_t start(struct recovery *run, uint64_t *replay_cpu_ns)
{
    uint64_t began_ns;

    open_ledger(run);
    began_ns = now_ns();
    *replay_cpu_ns = cpu_ns();
    open_log(run);
    *replay_cpu_ns =
        cpu_ns() - *replay_cpu_ns - (run->image_ended_cpu_ns - run->image_begun_cpu_ns);
    return now_ns() - began_ns;
}

static void measure(struct recovery *run)
{
    uint64_t transfers = run->records * run->per_record;

    open_ledger(run);
    populate(run);
    uint64_t apply_ns = apply_alone(run);
    close_ledger(run);

    open_ledger(run);
    open_log(run);
    start_writer(run);
    populate(run);
    write_checkpoint(run);
    uint64_t live_ns = serve_live(run);
    struct hf_id digest = hf_ledger_digest(run->ledger);
    close_log(run);
    close_ledger(run);

    uint64_t replay_cpu_ns;
    uint64_t start_ns = start(run, &replay_cpu_ns);
    uint64_t replay_ns = start_ns - (run->image_ended_ns - run->image_begun_ns);
    uint64_t replayed = run->state.operations_replayed;
    uint64_t log_bytes = run->state.bytes_replayed;
    must(replayed == transfers, "the replay lacks transfers");
    must(hf_id_equal(hf_ledger_digest(run->ledger), digest), "the replay came to another state");
    double load =
        (double)run->image_length * 1e9 / (double)(run->image_ended_ns - run->image_begun_ns);
    close_log(run);
    close_ledger(run);
    double raw = read_raw(run);

    double live = (double)transfers * 1e9 / (double)live_ns;
    double replay = (double)replayed * 1e9 / (double)replay_ns;
    double alone = (double)transfers * 1e9 / (double)apply_ns;
    printf("{\"accounts\": %" PRIu64 ", \"records\": %" PRIu64 ", \"transfers\": %" PRIu64
           ", \"log_bytes\": %" PRIu64 ", \"image_bytes\": %" PRIu64 ", \"start_s\": %.4f"
           ", \"load_s\": %.4f, \"replay_s\": %.4f, \"load_cpu_s\": %.4f, \"replay_cpu_s\": %.4f"
           ", \"live_per_s\": %.0f, \"apply_per_s\": %.0f"
           ", \"replay_per_s\": %.0f, \"load_bytes_s\": %.0f, \"raw_bytes_s\": %.0f"
           ", \"replay_over_live\": %.4f, \"replay_over_apply\": %.4f, \"load_over_raw\": %.4f}\n",
           run->accounts, run->records, transfers, log_bytes, run->image_length,
           (double)start_ns / 1e9, (double)(run->image_ended_ns - run->image_begun_ns) / 1e9,
           (double)replay_ns / 1e9,
           (double)(run->image_ended_cpu_ns - run->image_begun_cpu_ns) / 1e9,
           (double)replay_cpu_ns / 1e9, live, alone, replay, load, raw, replay / live,
           replay / alone, load / raw);
}

int main(int argc, char **argv)
{
    struct recovery *run = &recovery;
    const char *parent;

    if (!take_options(run, argc, argv, &parent)) {
        fputs("usage: holdfast-recovery [--directory DIR] [--accounts N] [--records N] "
              "[--per-record N]\n",
              stderr);
        return 2;
    }
    int length = snprintf(run->directory, sizeof run->directory, "%s/recovery-XXXXXX", parent);
    if (length < 0 || (size_t)length >= sizeof run->directory || mkdtemp(run->directory) == NULL) {
        perror(parent);
        return 2;
    }
    must(atexit(remove_directory) == 0, "no memory");
    prepare(run);
    measure(run);
    free(run->moves);
    free(run->image);
    return 0;
}
