/* Instructions a transfer: a small deterministic run for callgrind, which counts only what happens
 * inside hf_bench_instructions_measured (--toggle-collect). Prints how many transfers that were.
 *
 *   valgrind --tool=callgrind --toggle-collect=hf_bench_instructions_measured holdfast-instructions
 *
 * Accounts are few, so that setting up does not take long under valgrind; the path is the same. */
#include "bench/ledger_fixture.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 4

void hf_bench_instructions_measured(struct hf_bench_pool *pool, struct hf_bench_ledger *fixture);

/* The engine alone: no look at the answers, which is the benchmark's business. */
__attribute__((noinline)) void hf_bench_instructions_measured(struct hf_bench_pool *pool,
                                                              struct hf_bench_ledger *fixture)
{
    static struct hf_reply replies[HF_BUNDLE_OPERATIONS_MAX];
    for (uint32_t begin = 0; begin < pool->count; begin += HF_BUNDLE_OPERATIONS_MAX) {
        hf_ledger_apply(fixture->ledger, pool->timestamp_ns, &pool->operations[begin],
                        HF_BUNDLE_OPERATIONS_MAX, replies);
    }
}

int main(void)
{
    const struct hf_bench_scale scale = {
        .accounts_large = 1 << 14,
        .remembered = 1 << 14,
        .holds_open = 1 << 10,
    };
    struct hf_bench_ledger *fixture = hf_bench_ledger_get(&scale, scale.accounts_large);
    struct hf_bench_pool *pool =
        aligned_alloc(_Alignof(struct hf_bench_pool), sizeof(struct hf_bench_pool));
    if (fixture == NULL || pool == NULL) {
        fputs("holdfast-instructions: not enough memory\n", stderr);
        return 1;
    }
    pool->refused = 0;
    for (int round = 0; round < ROUNDS; round++) {
        hf_bench_pool_fill_moves(pool, fixture);
        hf_bench_instructions_measured(pool, fixture);
    }
    printf("%d transfers\n", ROUNDS * HF_BENCH_POOL);
    free(pool);
    hf_bench_ledger_release_all();
    return 0;
}
