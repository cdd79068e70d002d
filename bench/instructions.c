/* Instructions an operation: a small deterministic run for callgrind, which counts only what
 * happens inside hf_bench_instructions_measured (--toggle-collect). Prints how many operations that
 * were.
 *
 *   valgrind --tool=callgrind --toggle-collect=hf_bench_instructions_measured \
 *       holdfast-instructions [move|hold|capture|auth|auth-1|auth-4|auth-16|auth-rolling|shards-N]
 *
 * shards-N: the same transfers through a ledger divided among N shards, 1 to 8, in one thread.
 *
 * Accounts are few, so that setting up does not take long under valgrind; the path is the same. */
#include "bench/instructions_shards.h"
#include "bench/ledger_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 4

void hf_bench_instructions_measured(struct hf_ledger *ledger, uint64_t timestamp_ns,
                                    const union hf_operation *const operations[],
                                    struct hf_reply replies[]);

/* One bundle, and the engine alone: no look at the answers. */
__attribute__((noinline)) void
hf_bench_instructions_measured(struct hf_ledger *ledger, uint64_t timestamp_ns,
                               const union hf_operation *const operations[],
                               struct hf_reply replies[])
{
    if (ledger != NULL)
        hf_ledger_apply(ledger, timestamp_ns, operations, HF_BUNDLE_OPERATIONS_MAX, replies);
    else
        hf_bench_divided_apply(timestamp_ns, operations, replies);
}

/* Applies the whole pool; without a ledger, to the divided one. False when anything in it was
 * refused. */
static bool apply_pool(const struct hf_bench_pool *pool, struct hf_ledger *ledger)
{
    static struct hf_reply replies[HF_BUNDLE_OPERATIONS_MAX];

    for (uint32_t begin = 0; begin < pool->count; begin += HF_BUNDLE_OPERATIONS_MAX) {
        hf_bench_instructions_measured(ledger, pool->timestamp_ns, &pool->operations[begin],
                                       replies);
        for (uint32_t i = 0; i < HF_BUNDLE_OPERATIONS_MAX; i++) {
            if (replies[i].code != HF_CODE_OK)
                return false;
        }
    }
    return true;
}

static const struct kind {
    const char *name;
    void (*fill)(struct hf_bench_pool *pool, struct hf_bench_ledger *fixture);
    enum hf_bench_cards cards; /* of those without `fill` */
} kinds[] = {
    {"move", hf_bench_pool_fill_moves, 0},       {"hold", hf_bench_pool_fill_holds, 0},
    {"capture", hf_bench_pool_fill_captures, 0}, {"auth", NULL, HF_BENCH_CARDS_PLAIN},
    {"auth-1", NULL, HF_BENCH_CARDS_ONE},        {"auth-4", NULL, HF_BENCH_CARDS_FOUR},
    {"auth-16", NULL, HF_BENCH_CARDS_SIXTEEN},   {"auth-rolling", NULL, HF_BENCH_CARDS_ROLLING},
};
#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

static const struct kind *find_kind(const char *name)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    }
    return NULL;
}

/* Captures need holds, which are made outside the count; and holds are captured outside it, so that
 * the ring of open ones does not overflow. */
static void fill(const struct kind *kind, struct hf_bench_pool *pool,
                 struct hf_bench_ledger *fixture)
{
    if (kind->fill == hf_bench_pool_fill_captures)
        hf_bench_pool_fill_holds(pool, fixture);
    else if (kind->fill == hf_bench_pool_fill_holds)
        hf_bench_pool_fill_captures(pool, fixture);
    else
        hf_bench_pool_clear(pool);
    hf_bench_pool_apply(pool, fixture, HF_BUNDLE_OPERATIONS_MAX);
    if (kind->fill != NULL)
        kind->fill(pool, fixture);
    else
        hf_bench_pool_fill_auths(pool, fixture, kind->cards);
}

int main(int argc, char **argv)
{
    const struct hf_bench_scale scale = {
        .accounts_large = 1 << 14,
        .remembered = 1 << 14,
        .holds_open = 1 << 15,
    };
    unsigned shards = 0;
    bool is_divided = argc == 2 && sscanf(argv[1], "shards-%1u", &shards) == 1;
    const struct kind *kind = find_kind(argc > 1 && !is_divided ? argv[1] : "move");
    if (kind == NULL || argc > 2 ||
        (is_divided && (shards == 0 || shards > HF_BENCH_DIVIDED_MAX))) {
        fputs("holdfast-instructions: no such kind of operation\n", stderr);
        return 2;
    }
    struct hf_bench_ledger *fixture = hf_bench_ledger_get(&scale, scale.accounts_large);
    struct hf_bench_pool *pool =
        aligned_alloc(_Alignof(struct hf_bench_pool), sizeof(struct hf_bench_pool));
    if (fixture == NULL || pool == NULL || (is_divided && !hf_bench_divide(fixture, shards))) {
        fputs("holdfast-instructions: not enough memory\n", stderr);
        return 1;
    }
    pool->refused = 0;
    for (int round = 0; round < ROUNDS; round++) {
        fill(kind, pool, fixture);
        if (!apply_pool(pool, is_divided ? NULL : fixture->ledger) || pool->refused != 0) {
            fputs("holdfast-instructions: something was refused\n", stderr);
            return 1;
        }
    }
    printf("%d operations\n", ROUNDS * HF_BENCH_POOL);
    free(pool);
    hf_bench_ledger_release_all();
    return 0;
}
