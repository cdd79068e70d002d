/* The engine: operations a second on one core, in the steady state.
 *
 * Operations lie ready in a pool of 16,384 before the clock starts; the timed part is
 * hf_ledger_apply alone, in bundles, and a look at each answer's code. Every operation is new (its
 * id was never seen) and pushes an old id out of the memory of ids. */
#include "bench/harness.h"
#include "bench/ledger_fixture.h"
#include "bench/memory.h"
#include "bench/sample.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum kind { MOVE, HOT, PLAN, HOLD, CAPTURE, AUTH, AUTH_ONE, AUTH_FOUR, AUTH_SIXTEEN, AUTH_ROLLING };
enum size { LARGE, SMALL, CACHE };

struct setting {
    enum kind kind;
    enum size size;
    uint32_t bundle; /* operations given to the engine at once */
    bool is_timed;   /* each bundle's time is kept, for percentiles */
    struct hf_bench_plan_shape plan;
};

struct run {
    struct setting setting;
    struct hf_bench_ledger *fixture;
    struct hf_bench_pool *pool;
    struct hf_bench_pool *other; /* what keeps the number of open holds level, untimed */
    struct hf_bench_samples *samples;
    uint64_t allocated_bytes; /* by this thread, inside the timed part */
};

static uint64_t accounts_of(const struct hf_bench_scale *scale, enum size size)
{
    switch (size) {
    case LARGE:
        return scale->accounts_large;
    case SMALL:
        return scale->accounts_small;
    case CACHE:
        return scale->accounts_cache;
    }
    assert(false);
    return 0;
}

static struct hf_bench_pool *create_pool(void)
{
    struct hf_bench_pool *pool =
        aligned_alloc(_Alignof(struct hf_bench_pool), sizeof(struct hf_bench_pool));
    if (pool != NULL) {
        pool->refused = 0;
        hf_bench_pool_clear(pool);
    }
    return pool;
}

static void teardown(void *state)
{
    struct run *run = state;
    hf_bench_ledger_release_all();
    if (run->samples != NULL) {
        hf_bench_samples_destroy(run->samples);
    }
    free(run->pool);
    free(run->other);
    free(run);
}

static void *setup(const struct hf_bench_scale *scale, const void *argument)
{
    const struct setting *setting = argument;
    struct run *run = calloc(1, sizeof(*run));
    if (run == NULL) {
        return NULL;
    }
    run->setting = *setting;
    run->pool = create_pool();
    run->other = create_pool();
    run->samples = setting->is_timed ? hf_bench_samples_create() : NULL;
    run->fixture = hf_bench_ledger_get(scale, accounts_of(scale, setting->size));
    if (run->pool == NULL || run->other == NULL || run->fixture == NULL) {
        free(run->pool);
        free(run->other);
        free(run);
        return NULL;
    }
    return run;
}

/* Captures as many holds as the timed part will open. */
static void make_room(struct run *run)
{
    hf_bench_pool_fill_captures(run->other, run->fixture);
    hf_bench_pool_apply(run->other, run->fixture, HF_BUNDLE_OPERATIONS_MAX);
}

static void prepare_auths(struct run *run, enum hf_bench_cards cards)
{
    /* Those of the last time, and not plain holds: what is open when holds are measured is plain.
     */
    hf_bench_pool_fill_captures_of(run->other, run->fixture, run->pool);
    hf_bench_pool_apply(run->other, run->fixture, HF_BUNDLE_OPERATIONS_MAX);
    hf_bench_pool_fill_auths(run->pool, run->fixture, cards);
}

static void prepare(void *state)
{
    struct run *run = state;
    switch (run->setting.kind) {
    case MOVE:
        hf_bench_pool_fill_moves(run->pool, run->fixture);
        break;
    case HOT:
        hf_bench_pool_fill_hot(run->pool, run->fixture);
        break;
    case PLAN:
        hf_bench_pool_fill_plans(run->pool, run->fixture, &run->setting.plan);
        break;
    case HOLD:
        make_room(run);
        hf_bench_pool_fill_holds(run->pool, run->fixture);
        break;
    case AUTH:
        prepare_auths(run, HF_BENCH_CARDS_PLAIN);
        break;
    case AUTH_ONE:
        prepare_auths(run, HF_BENCH_CARDS_ONE);
        break;
    case AUTH_FOUR:
        prepare_auths(run, HF_BENCH_CARDS_FOUR);
        break;
    case AUTH_SIXTEEN:
        prepare_auths(run, HF_BENCH_CARDS_SIXTEEN);
        break;
    case AUTH_ROLLING:
        prepare_auths(run, HF_BENCH_CARDS_ROLLING);
        break;
    case CAPTURE:
        hf_bench_pool_fill_holds(run->other, run->fixture);
        hf_bench_pool_apply(run->other, run->fixture, HF_BUNDLE_OPERATIONS_MAX);
        hf_bench_pool_fill_captures(run->pool, run->fixture);
        break;
    }
}

/* One bundle after the other, each with its own time. */
static void apply_timed(struct run *run)
{
    struct hf_reply replies[HF_BUNDLE_OPERATIONS_MAX];
    uint64_t begin_ns = hf_bench_now_ns();
    for (uint32_t begin = 0; begin < HF_BENCH_POOL; begin += run->setting.bundle) {
        hf_ledger_apply(run->fixture->ledger, run->pool->timestamp_ns,
                        &run->pool->operations[begin], run->setting.bundle, replies);
        uint64_t end_ns = hf_bench_now_ns();
        hf_bench_samples_add(run->samples, end_ns - begin_ns);
        begin_ns = end_ns;
    }
}

static void measure(void *state)
{
    struct run *run = state;
    uint64_t allocated = hf_bench_memory_allocated();
    if (run->setting.is_timed) {
        apply_timed(run);
    } else {
        hf_bench_pool_apply(run->pool, run->fixture, run->setting.bundle);
    }
    run->allocated_bytes += hf_bench_memory_allocated() - allocated;
}

static void report(void *state, struct hf_bench_figures *figures)
{
    struct run *run = state;
    struct hf_ledger_counts counts;
    hf_ledger_count(run->fixture->ledger, &counts);
    assert(run->pool->refused == 0);
    assert(run->other->refused == 0);
    hf_bench_figure_add(figures, "accounts", (double)counts.accounts);
    hf_bench_figure_add(figures, "account_bytes",
                        (double)counts.memory_account_bytes / (double)counts.accounts);
    if (hf_bench_memory_is_counted()) {
        hf_bench_figure_add(figures, "allocated_bytes", (double)run->allocated_bytes);
    }
    if (run->samples != NULL) {
        hf_bench_figure_add(figures, "p50_ns",
                            (double)hf_bench_samples_percentile(run->samples, 50, 100));
        hf_bench_figure_add(figures, "p999_ns",
                            (double)hf_bench_samples_percentile(run->samples, 999, 1000));
        hf_bench_samples_clear(run->samples);
    }
    run->allocated_bytes = 0;
}

void hf_bench_register_engine(void)
{
    static const struct {
        const char *name;
        struct setting setting;
    } kinds[] = {
        {"engine/move/batch/large", {MOVE, LARGE, 64, false, {0}}},
        {"engine/move/single/large", {MOVE, LARGE, 1, false, {0}}},
        {"engine/move/timed/large", {MOVE, LARGE, 64, true, {0}}},
        {"engine/plan/1/large", {PLAN, LARGE, 64, false, {1, 0, false}}},
        {"engine/plan/2/large", {PLAN, LARGE, 64, false, {2, 0, false}}},
        {"engine/plan/3/large", {PLAN, LARGE, 64, false, {3, 0, false}}},
        {"engine/plan/7/large", {PLAN, LARGE, 64, false, {7, 0, false}}},
        {"engine/plan/15/large", {PLAN, LARGE, 64, false, {15, 0, false}}},
        {"engine/plan/32/large", {PLAN, LARGE, 64, false, {32, 0, false}}},
        {"engine/residual/8/large", {PLAN, LARGE, 64, false, {8, 4, false}}},
        {"engine/residual/64/large", {PLAN, LARGE, 64, false, {64, 4, false}}},
        {"engine/residual/64/late", {PLAN, LARGE, 64, false, {64, 4, true}}},
        {"engine/hold/batch/large", {HOLD, LARGE, 64, false, {0}}},
        {"engine/capture/batch/large", {CAPTURE, LARGE, 64, false, {0}}},
        {"engine/auth/batch/large", {AUTH, LARGE, 64, false, {0}}},
        {"engine/auth/limits/1/large", {AUTH_ONE, LARGE, 64, false, {0}}},
        {"engine/auth/limits/4/large", {AUTH_FOUR, LARGE, 64, false, {0}}},
        {"engine/auth/limits/16/large", {AUTH_SIXTEEN, LARGE, 64, false, {0}}},
        {"engine/auth/rolling/large", {AUTH_ROLLING, LARGE, 64, false, {0}}},
        {"engine/move/batch/small", {MOVE, SMALL, 64, false, {0}}},
        {"engine/move/single/small", {MOVE, SMALL, 1, false, {0}}},
        {"engine/move/batch/cache", {MOVE, CACHE, 64, false, {0}}},
        {"engine/move/hot/cache", {HOT, CACHE, 64, false, {0}}},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct hf_bench bench = {
            .clock = HF_BENCH_CORE,
            .items = HF_BENCH_POOL,
            .argument = &kinds[i].setting,
            .setup = setup,
            .prepare = prepare,
            .run = measure,
            .report = report,
            .teardown = teardown,
        };
        /* Names are short by construction; the copy is checked. */
        int length = snprintf(bench.name, sizeof(bench.name), "%s", kinds[i].name);
        assert(length > 0);
        assert((size_t)length < sizeof(bench.name));
        hf_bench_register(&bench);
    }
}
