/* A crowd of holds that expire within one second, all of them due: how long one slice takes (the
 * EXPIRE that names what is due next, and carrying it out), which is what another operation may
 * have to wait for, and how many holds a second end in slices. */
#include "bench/harness.h"
#include "bench/memory.h"
#include "bench/random.h"
#include "bench/sample.h"
#include "bench/workload.h"
#include "engine/id.h"
#include "engine/ledger.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SECOND_NS UINT64_C(1000000000)
#define BEGIN_NS  (UINT64_C(1704067200) * SECOND_NS) /* 2024-01-01 */
#define ACCOUNTS  1024

struct run {
    struct hf_ledger *ledger;
    void *memory;
    size_t memory_size;
    uint64_t crowd;
    uint64_t now_ns;
    uint64_t made; /* operations */
    struct hf_bench_samples *slices;
};

static void apply(struct run *run, const union hf_operation *operations[], uint32_t count)
{
    struct hf_reply replies[HF_BUNDLE_OPERATIONS_MAX];

    hf_ledger_apply(run->ledger, run->now_ns, operations, count, replies);
    for (uint32_t i = 0; i < count; i++)
        assert(replies[i].code == HF_CODE_OK);
}

static struct hf_id next_id(struct run *run)
{
    return hf_id_make_operation(run->now_ns / 1000000, 0x7000, hf_bench_mix(++run->made));
}

static void open_accounts(struct run *run)
{
    struct hf_bench_workload workload;
    union hf_operation operation;
    const union hf_operation *one = &operation;

    hf_bench_workload_begin(&workload, ACCOUNTS);
    hf_bench_make_asset(&workload, &operation.asset_put);
    operation.header.id = next_id(run);
    apply(run, &one, 1);
    for (uint64_t i = 0; i < ACCOUNTS; i++) {
        hf_bench_make_account(&workload, &operation.account_put, i);
        operation.header.id = next_id(run);
        apply(run, &one, 1);
    }
}

static void teardown(void *state)
{
    struct run *run = state;

    if (run->memory != NULL)
        hf_bench_memory_unmap(run->memory, run->memory_size);
    if (run->slices != NULL)
        hf_bench_samples_destroy(run->slices);
    free(run);
}

static void *setup(const struct hf_bench_scale *scale, const void *argument)
{
    (void)argument;
    const struct hf_ledger_limits limits = {
        .accounts = ACCOUNTS,
        .instruments = 1,
        .holds = scale->holds_open,
        .terms = 1,
        .parts = 2,
        .selectors = 1,
        .limits = 1,
        .rolling = 1,
        .remembered = 2 * scale->holds_open,
        .remember_ns = 3600 * SECOND_NS,
        .record_ns = 45 * 86400 * SECOND_NS,
        .id_ahead_ns = 60 * SECOND_NS,
    };
    struct run *run = calloc(1, sizeof(*run));
    if (run == NULL)
        return NULL;
    run->crowd = limits.holds;
    run->now_ns = BEGIN_NS;
    run->slices = hf_bench_samples_create();
    run->memory_size = hf_ledger_memory_size(&limits);
    assert(run->memory_size > 0);
    run->memory = hf_bench_memory_map(run->memory_size);
    if (run->slices == NULL || run->memory == NULL) {
        teardown(run);
        return NULL;
    }
    run->ledger = hf_ledger_create(&limits, run->memory, run->memory_size);
    assert(run->ledger != NULL);
    open_accounts(run);
    return run;
}

/* The crowd: their times spread over the second after the next one. */
static void prepare(void *state)
{
    struct run *run = state;
    struct hf_op_hold holds[HF_BUNDLE_OPERATIONS_MAX];
    const union hf_operation *operations[HF_BUNDLE_OPERATIONS_MAX];
    struct hf_bench_workload workload;

    hf_bench_workload_begin(&workload, ACCOUNTS);
    for (uint64_t i = 0; i < run->crowd;) {
        uint32_t count = 0;
        for (; count < HF_BUNDLE_OPERATIONS_MAX && i < run->crowd; i++, count++) {
            struct hf_op_hold *hold = &holds[count];
            uint64_t payer = hf_bench_workload_account(&workload);
            hf_bench_make_hold(&workload, hold, payer,
                               hf_bench_workload_account_but(&workload, payer));
            hold->header.id = next_id(run);
            hold->expires_ns = run->now_ns + SECOND_NS + i * SECOND_NS / run->crowd;
            operations[count] = (const union hf_operation *)(const void *)hold;
        }
        apply(run, operations, count);
    }
    run->now_ns += 2 * SECOND_NS;
}

/* Of this thread: a slice that another process interrupts is no longer one. */
static uint64_t core_ns(void)
{
    struct timespec now;
    int failed = clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);

    assert(failed == 0);
    (void)failed;
    return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

static void measure(void *state)
{
    struct run *run = state;
    union hf_expire_room made;
    const union hf_operation *operation = &made.operation;
    uint64_t begin_ns = core_ns();

    for (uint64_t ended = 0; ended < run->crowd;) {
        if (hf_ledger_make_expire(run->ledger, run->now_ns, &made.expire)) {
            made.expire.header.id = next_id(run);
            apply(run, &operation, 1);
            ended += made.expire.count;
        }
        uint64_t end_ns = core_ns();
        hf_bench_samples_add(run->slices, end_ns - begin_ns);
        begin_ns = end_ns;
    }
}

static void report(void *state, struct hf_bench_figures *figures)
{
    struct run *run = state;
    struct hf_ledger_counts counts;

    hf_ledger_count(run->ledger, &counts);
    assert(counts.holds_open == 0);
    assert(hf_ledger_is_balanced(run->ledger));
    hf_bench_figure_add(figures, "holds", (double)run->crowd);
    hf_bench_figure_add(figures, "slice_p50_ns",
                        (double)hf_bench_samples_percentile(run->slices, 50, 100));
    hf_bench_figure_add(figures, "slice_p999_ns",
                        (double)hf_bench_samples_percentile(run->slices, 999, 1000));
    hf_bench_figure_add(figures, "slice_max_ns",
                        (double)hf_bench_samples_percentile(run->slices, 1, 1));
    hf_bench_samples_clear(run->slices);
}

void hf_bench_register_expire(const struct hf_bench_scale *scale)
{
    const struct hf_bench bench = {
        .name = "engine/expire/crowd",
        .clock = HF_BENCH_CORE,
        .items = scale->holds_open,
        .setup = setup,
        .prepare = prepare,
        .run = measure,
        .report = report,
        .teardown = teardown,
    };

    hf_bench_register(&bench);
}
