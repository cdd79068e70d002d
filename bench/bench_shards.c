/* Shards: plain transfers a second through a ledger that is divided, uniform over its accounts, so
 * that half of them are between two shards when there are two.
 *
 * Two cores. The gate runs on the first, and so do some of the shards, the others on the second:
 * `N/on-M` are N shards of which M are on the first, beside the gate. Shards of one core take turns
 * in one thread, as in the node.
 * Time is the wall's: what counts is what all of them do together. The rings are as in the node,
 * one producer and one consumer each.
 *
 * Where the time goes is told as well, in nanoseconds a transfer: `gate_ns` giving places and
 * making works; of the first and the second core `work_ns`, beginning works and the first look at
 * each, which does all that can be done at once, and `wait_ns`, the looks after that, for words.
 */
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
#include <time.h>
#include <unistd.h>

#include <x86intrin.h>

#define SHARDS_MAX 8
#define CORES      2
#define RING_SLOTS 128 /* more than there are works */
#define PARK_US    200
#define AHEAD      8 /* works that the gate is ahead of the shards: then it lets shard 0 work */
_Static_assert(RING_SLOTS > HF_WORKS_MAX, "the ring has room for every work");

struct setting {
    uint32_t shards;
    uint32_t on_first; /* beside the gate; the others are on the second core */
    bool is_large;
};

/* One producer, one consumer; entries of three numbers, of which works use the first. */
struct ring {
    _Alignas(64) _Atomic uint64_t head; /* the consumer's */
    _Alignas(64) _Atomic uint64_t tail; /* the producer's */
    struct hf_shard_word entries[RING_SLOTS];
};

/* A shard. */
struct worker {
    _Alignas(64) struct hf_shard *shard;
    struct hf_work *work;
    struct ring works;
    struct ring finished;
};

/* What a core's thread has spent, in ticks. */
struct spent {
    _Alignas(64) uint64_t gate;
    uint64_t work;
    uint64_t wait;
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
    _Atomic bool runs; /* the second core's thread */
    pthread_t thread;
    bool has_thread;
    struct spent spent[CORES];
    uint64_t transfers;
    uint64_t measured_ticks, measured_ns;
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

static void poll_shard(struct worker *worker, struct spent *spent)
{
    uint64_t began;
    bool is_new = worker->work == NULL;
    bool is_finished;

    if (is_new) {
        worker->work = get_work(&worker->works);
        if (worker->work == NULL)
            return;
    }
    began = __rdtsc();
    if (is_new)
        hf_shard_begin(worker->shard, worker->work);
    is_finished = hf_shard_step(worker->shard);
    *(is_new ? &spent->work : &spent->wait) += __rdtsc() - began;
    if (!is_finished)
        return;
    put_work(&worker->finished, worker->work);
    worker->work = NULL;
}

static uint32_t core_of(const struct run *run, uint32_t shard)
{
    return shard < run->setting.on_first ? 0 : 1;
}

static void poll_core(struct run *run, uint32_t core)
{
    for (uint32_t i = 0; i < run->setting.shards; i++) {
        if (core_of(run, i) == core)
            poll_shard(&run->workers[i], &run->spent[core]);
    }
}

static void run_on(uint32_t core)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(core % (uint32_t)sysconf(_SC_NPROCESSORS_ONLN), &set);
    pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

static void *work(void *context)
{
    struct run *run = context;

    run_on(1);
    while (!atomic_load(&run->is_over)) {
        if (!atomic_load_explicit(&run->is_on, memory_order_relaxed)) {
            atomic_store(&run->runs, false);
            usleep(PARK_US);
            continue;
        }
        atomic_store_explicit(&run->runs, true, memory_order_relaxed);
        for (uint32_t i = 0; i < 1024; i++)
            poll_core(run, 1);
    }
    return NULL;
}

static void *setup(const struct hf_bench_scale *scale, const void *argument)
{
    const struct setting *setting = argument;
    struct run *run = aligned_alloc(64, sizeof(*run));

    assert(run != NULL);
    memset(run, 0, sizeof(*run));
    run->setting = *setting;
    run->pool = aligned_alloc(_Alignof(struct hf_bench_pool), sizeof(struct hf_bench_pool));
    run->replies = aligned_alloc(64, HF_BENCH_POOL * sizeof(struct hf_reply)); /* as in bundles */
    run->works = aligned_alloc(64, HF_WORKS_MAX * hf_work_size());
    run->fixture = hf_bench_ledger_get(scale, setting->is_large ? scale->accounts_large
                                                                : scale->accounts_small);
    if (run->fixture == NULL)
        return NULL;
    assert(run->pool != NULL && run->replies != NULL && run->works != NULL);
    memset(run->replies, 0, HF_BENCH_POOL * sizeof(struct hf_reply));
    run->pool->refused = 0;
    memset(run->works, 0, HF_WORKS_MAX * hf_work_size());
    const struct hf_shard_mail mail = {run, send_word, receive_word};
    size_t size = hf_shards_memory_size(hf_ledger_limits_of(run->fixture->ledger), setting->shards);
    run->memory = aligned_alloc(64, (size + 63) / 64 * 64);
    assert(run->memory != NULL);
    memset(run->memory, 0, size);
    run->shards = hf_shards_create(run->fixture->ledger, setting->shards, &mail, run->memory, size);
    assert(run->shards != NULL);
    run_on(0);
    for (uint32_t i = 0; i < setting->shards; i++)
        run->workers[i].shard = hf_shards_at(run->shards, i);
    run->has_thread = setting->on_first < setting->shards;
    if (run->has_thread && pthread_create(&run->thread, NULL, work, run) != 0)
        assert(!"no thread");
    return run;
}

static void prepare(void *state)
{
    struct run *run = state;

    hf_bench_pool_fill_moves(run->pool, run->fixture);
    atomic_store(&run->is_on, true);
    while (run->has_thread && !atomic_load(&run->runs))
        sched_yield();
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
    poll_core(run, 0);
    collect(run);
}

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Hands a bundle to the shards. False: too much is under way. */
static bool submit(struct run *run, uint32_t begin)
{
    struct hf_bench_pool *pool = run->pool;
    uint32_t number = begin / HF_BUNDLE_OPERATIONS_MAX % HF_WORKS_MAX;
    struct hf_work *work = (struct hf_work *)(void *)(run->works + number * hf_work_size());
    uint64_t began = __rdtsc();
    uint64_t placed;

    if (hf_shards_under_way(run->shards) >= AHEAD ||
        !hf_shards_submit(run->shards, pool->timestamp_ns, &pool->operations[begin],
                          HF_BUNDLE_OPERATIONS_MAX, &run->replies[begin], work, &placed))
        return false;
    for (uint64_t left = hf_work_shards(work); left != 0; left &= left - 1)
        put_work(&run->workers[__builtin_ctzll(left)].works, work);
    run->spent[0].gate += __rdtsc() - began;
    return true;
}

static void measure(void *state)
{
    struct run *run = state;
    uint64_t began_ns = now_ns();
    uint64_t began = __rdtsc();

    for (uint32_t begin = 0; begin < HF_BENCH_POOL; begin += HF_BUNDLE_OPERATIONS_MAX) {
        while (!submit(run, begin))
            help(run);
        help(run);
    }
    while (hf_shards_under_way(run->shards) != 0)
        help(run);
    run->measured_ticks += __rdtsc() - began;
    run->measured_ns += now_ns() - began_ns;
    run->transfers += HF_BENCH_POOL;
    atomic_store(&run->is_on, false);
    for (uint32_t i = 0; i < HF_BENCH_POOL; i++)
        run->pool->refused += run->replies[i].code != HF_CODE_OK;
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
    double ns = (double)run->measured_ns / (double)run->measured_ticks /
                (double)run->transfers; /* a tick */
    hf_bench_figure_add(figures, "gate_ns", (double)run->spent[0].gate * ns);
    hf_bench_figure_add(figures, "first_work_ns", (double)run->spent[0].work * ns);
    hf_bench_figure_add(figures, "first_wait_ns", (double)run->spent[0].wait * ns);
    hf_bench_figure_add(figures, "second_work_ns", (double)run->spent[1].work * ns);
    hf_bench_figure_add(figures, "second_wait_ns", (double)run->spent[1].wait * ns);
}

static void teardown(void *state)
{
    struct run *run = state;

    atomic_store(&run->is_over, true);
    if (run->has_thread)
        pthread_join(run->thread, NULL);
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
        {"shards/move/1/on-1/large", {1, 1, true}},  {"shards/move/1/on-0/large", {1, 0, true}},
        {"shards/move/2/on-1/large", {2, 1, true}},  {"shards/move/2/on-0/large", {2, 0, true}},
        {"shards/move/3/on-1/large", {3, 1, true}},  {"shards/move/4/on-1/large", {4, 1, true}},
        {"shards/move/4/on-2/large", {4, 2, true}},  {"shards/move/8/on-2/large", {8, 2, true}},
        {"shards/move/8/on-4/large", {8, 4, true}},  {"shards/move/1/on-1/small", {1, 1, false}},
        {"shards/move/1/on-0/small", {1, 0, false}}, {"shards/move/2/on-1/small", {2, 1, false}},
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
