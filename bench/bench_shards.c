/* Shards: plain transfers a second through a ledger that is divided, uniform over its accounts, so
 * that half of them are between two shards when there are two.
 *
 * The gate runs on the measuring thread, and so does shard 0, unless it is `apart`; every other
 * shard has a thread and a core of its own. Time is the wall's: what counts is what all of them do
 * together. The rings are as in the node, one producer and one consumer each. */
#include "bench/harness.h"
#include "bench/ledger_fixture.h"
#include "bench/memory.h"
#include "engine/shard.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHARDS_MAX 4
#define RING_SLOTS 128 /* more than there are works */
#define PARK_US    200
#define AHEAD      8 /* works that the gate is ahead of the shards: then it lets shard 0 work */
_Static_assert(RING_SLOTS > HF_WORKS_MAX, "the ring has room for every work");

struct setting {
    uint32_t shards;
    bool is_apart; /* shard 0 has a core of its own, too */
    bool is_large;
};

/* One producer, one consumer; entries of three numbers, of which works use the first. */
struct ring {
    _Alignas(64) _Atomic uint64_t head; /* the consumer's */
    _Alignas(64) _Atomic uint64_t tail; /* the producer's */
    struct hf_shard_word entries[RING_SLOTS];
};

struct worker {
    _Alignas(64) struct run *run;
    pthread_t thread;
    uint32_t number;
    struct hf_work *work;
    _Atomic bool runs;
    struct ring works;
    struct ring finished;
};

struct run {
    struct setting setting;
    struct hf_bench_ledger *fixture;
    struct hf_bench_pool *pool;
    struct hf_shards *shards;
    void *memory;
    uint8_t *works;
    struct hf_reply *replies; /* of the whole pool */
    _Atomic bool is_on;
    _Atomic bool is_over;
    struct worker workers[SHARDS_MAX];
    struct ring words[SHARDS_MAX][SHARDS_MAX];
};

static bool put(struct ring *ring, const struct hf_shard_word *entry)
{
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

    if (tail - atomic_load_explicit(&ring->head, memory_order_acquire) == RING_SLOTS)
        return false;
    ring->entries[tail % RING_SLOTS] = *entry;
    atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
    return true;
}

static bool get(struct ring *ring, struct hf_shard_word *entry)
{
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);

    if (atomic_load_explicit(&ring->tail, memory_order_acquire) == head)
        return false;
    *entry = ring->entries[head % RING_SLOTS];
    atomic_store_explicit(&ring->head, head + 1, memory_order_release);
    return true;
}

static void put_work(struct ring *ring, const struct hf_work *work)
{
    const struct hf_shard_word entry = {.work = (uintptr_t)work};

    if (!put(ring, &entry))
        assert(!"the ring has room for every work");
}

static struct hf_work *get_work(struct ring *ring)
{
    struct hf_shard_word entry;

    return get(ring, &entry) ? (struct hf_work *)(uintptr_t)entry.work : NULL;
}

static bool send_word(void *context, uint32_t from, uint32_t to, const struct hf_shard_word *word)
{
    struct run *run = context;

    return put(&run->words[from][to], word);
}

static bool receive_word(void *context, uint32_t from, uint32_t to, struct hf_shard_word *word)
{
    struct run *run = context;

    return get(&run->words[from][to], word);
}

static void poll_shard(struct worker *worker)
{
    struct hf_shard *shard = hf_shards_at(worker->run->shards, worker->number);

    if (worker->work == NULL) {
        worker->work = get_work(&worker->works);
        if (worker->work == NULL)
            return;
        hf_shard_begin(shard, worker->work);
    }
    if (!hf_shard_step(shard))
        return;
    put_work(&worker->finished, worker->work);
    worker->work = NULL;
}

static void *work(void *context)
{
    struct worker *worker = context;
    struct run *run = worker->run;

    while (!atomic_load(&run->is_over)) {
        if (!atomic_load_explicit(&run->is_on, memory_order_relaxed)) {
            atomic_store(&worker->runs, false);
            usleep(PARK_US);
            continue;
        }
        atomic_store_explicit(&worker->runs, true, memory_order_relaxed);
        for (uint32_t i = 0; i < 1024; i++)
            poll_shard(worker);
    }
    return NULL;
}

static bool has_thread(const struct run *run, uint32_t shard)
{
    return shard != 0 || run->setting.is_apart;
}

static void start_worker(struct run *run, uint32_t number)
{
    struct worker *worker = &run->workers[number];
    cpu_set_t set;

    worker->run = run;
    worker->number = number;
    if (!has_thread(run, number))
        return;
    CPU_ZERO(&set);
    CPU_SET((number + (run->setting.is_apart ? 1 : 0)) % (uint32_t)sysconf(_SC_NPROCESSORS_ONLN),
            &set);
    if (pthread_create(&worker->thread, NULL, work, worker) != 0)
        assert(!"no thread");
    pthread_setaffinity_np(worker->thread, sizeof(set), &set);
}

static void *setup(const struct hf_bench_scale *scale, const void *argument)
{
    const struct setting *setting = argument;
    struct run *run = aligned_alloc(64, sizeof(*run));
    cpu_set_t first;

    assert(run != NULL);
    memset(run, 0, sizeof(*run));
    run->setting = *setting;
    run->pool = aligned_alloc(_Alignof(struct hf_bench_pool), sizeof(struct hf_bench_pool));
    run->replies = calloc(HF_BENCH_POOL, sizeof(struct hf_reply));
    run->works = aligned_alloc(64, HF_WORKS_MAX * hf_work_size());
    run->fixture = hf_bench_ledger_get(scale, setting->is_large ? scale->accounts_large
                                                                : scale->accounts_small);
    if (run->fixture == NULL)
        return NULL;
    assert(run->pool != NULL && run->replies != NULL && run->works != NULL);
    run->pool->refused = 0;
    memset(run->works, 0, HF_WORKS_MAX * hf_work_size());
    const struct hf_shard_mail mail = {run, send_word, receive_word};
    size_t size = hf_shards_memory_size(hf_ledger_limits_of(run->fixture->ledger), setting->shards);
    run->memory = aligned_alloc(64, (size + 63) / 64 * 64);
    assert(run->memory != NULL);
    memset(run->memory, 0, size);
    run->shards = hf_shards_create(run->fixture->ledger, setting->shards, &mail, run->memory, size);
    assert(run->shards != NULL);
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    pthread_setaffinity_np(pthread_self(), sizeof(first), &first);
    for (uint32_t i = 0; i < setting->shards; i++)
        start_worker(run, i);
    return run;
}

static void prepare(void *state)
{
    struct run *run = state;

    hf_bench_pool_fill_moves(run->pool, run->fixture);
    atomic_store(&run->is_on, true);
    for (uint32_t i = 0; i < run->setting.shards; i++) {
        while (has_thread(run, i) && !atomic_load(&run->workers[i].runs))
            sched_yield();
    }
}

static void collect(struct run *run)
{
    for (uint32_t i = 0; i < run->setting.shards; i++) {
        struct hf_work *work;
        while ((work = get_work(&run->workers[i].finished)) != NULL)
            hf_work_finished(work);
    }
    while (hf_shards_collect(run->shards) != NULL)
        ;
}

static void help(struct run *run)
{
    if (!has_thread(run, 0))
        poll_shard(&run->workers[0]);
    collect(run);
}

static void measure(void *state)
{
    struct run *run = state;
    struct hf_bench_pool *pool = run->pool;
    uint64_t placed;

    for (uint32_t begin = 0; begin < HF_BENCH_POOL; begin += HF_BUNDLE_OPERATIONS_MAX) {
        uint32_t number = begin / HF_BUNDLE_OPERATIONS_MAX % HF_WORKS_MAX;
        struct hf_work *work = (struct hf_work *)(void *)(run->works + number * hf_work_size());
        while (hf_shards_under_way(run->shards) >= AHEAD ||
               !hf_shards_submit(run->shards, pool->timestamp_ns, &pool->operations[begin],
                                 HF_BUNDLE_OPERATIONS_MAX, &run->replies[begin], work, &placed))
            help(run);
        for (uint64_t left = hf_work_shards(work); left != 0; left &= left - 1)
            put_work(&run->workers[__builtin_ctzll(left)].works, work);
        help(run);
    }
    while (hf_shards_under_way(run->shards) != 0)
        help(run);
    atomic_store(&run->is_on, false);
    for (uint32_t i = 0; i < HF_BENCH_POOL; i++)
        pool->refused += run->replies[i].code != HF_CODE_OK;
}

static void report(void *state, struct hf_bench_figures *figures)
{
    struct run *run = state;
    uint64_t operations = 0;
    uint64_t borrowed = 0;

    for (uint32_t i = 0; i < run->setting.shards; i++) {
        const struct hf_shard_counts *counts = hf_shard_count(hf_shards_at(run->shards, i));
        operations += counts->operations;
        borrowed += counts->borrowed;
    }
    assert(run->pool->refused == 0);
    hf_bench_figure_add(figures, "between_shards_ratio", (double)borrowed / (double)operations);
}

static void teardown(void *state)
{
    struct run *run = state;

    atomic_store(&run->is_over, true);
    for (uint32_t i = 0; i < run->setting.shards; i++) {
        if (has_thread(run, i))
            pthread_join(run->workers[i].thread, NULL);
    }
    hf_bench_ledger_release_all();
    free(run->memory);
    free(run->works);
    free(run->replies);
    free(run->pool);
    free(run);
}

void hf_bench_register_shards(void)
{
    static const struct {
        const char *name;
        struct setting setting;
    } kinds[] = {
        {"shards/move/1/large", {1, false, true}},
        {"shards/move/1-apart/large", {1, true, true}},
        {"shards/move/2/large", {2, false, true}},
        {"shards/move/1/small", {1, false, false}},
        {"shards/move/1-apart/small", {1, true, false}},
        {"shards/move/2/small", {2, false, false}},
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct hf_bench bench = {
            .clock = HF_BENCH_WALL,
            .items = HF_BENCH_POOL,
            .argument = &kinds[i].setting,
            .setup = setup,
            .prepare = prepare,
            .run = measure,
            .report = report,
            .teardown = teardown,
        };
        snprintf(bench.name, sizeof(bench.name), "%s", kinds[i].name);
        hf_bench_register(&bench);
    }
}
