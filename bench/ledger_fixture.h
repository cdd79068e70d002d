/* A ledger in its steady state, for benchmarks: every account open, every card made, as many holds
 * open and resolved as it keeps, and its memory of operation ids full, so that each new operation
 * pushes an old one out. */
#ifndef HF_BENCH_LEDGER_FIXTURE_H
#define HF_BENCH_LEDGER_FIXTURE_H

#include "bench/harness.h"
#include "bench/workload.h"
#include "engine/ledger.h"

/* Groups of cards, by their limits. */
enum hf_bench_cards {
    HF_BENCH_CARDS_PLAIN,
    HF_BENCH_CARDS_ONE,
    HF_BENCH_CARDS_FOUR,
    HF_BENCH_CARDS_SIXTEEN,
    HF_BENCH_CARDS_ROLLING,
    HF_BENCH_CARDS_COUNT,
};

struct hf_bench_ledger {
    struct hf_ledger *ledger;
    void *memory;
    size_t memory_size;
    struct hf_bench_workload workload;
    /* Cards: the first ones without limits, then a group with one each, with four, with sixteen,
     * and with one that is rolling. */
    uint64_t cards;
    uint64_t card_group_begin[HF_BENCH_CARDS_COUNT + 1];
    /* Ids of the open holds, oldest first: a ring. */
    struct hf_id *holds;
    uint64_t holds_size;
    uint64_t holds_head;
    uint64_t holds_tail;
};

/* The ledger with `accounts` accounts, made at the first call for that number (it takes seconds)
 * and shared by all after. NULL without memory. It stays until hf_bench_ledger_release_all. */
struct hf_bench_ledger *hf_bench_ledger_get(const struct hf_bench_scale *scale, uint64_t accounts);
/* Checks that each ledger still balances, and gives the memory back. May be called again. */
void hf_bench_ledger_release_all(void);

/* Operations waiting to be applied, back to back at their own lengths, as in a datagram. */
struct hf_bench_pool {
    uint32_t count;
    size_t length;
    uint64_t timestamp_ns;
    uint64_t refused;
    const union hf_operation *operations[HF_BENCH_POOL];
    _Alignas(64) uint8_t bytes[HF_BENCH_POOL * HF_BENCH_PLAN_LENGTH_MAX];
};

void hf_bench_pool_clear(struct hf_bench_pool *pool);
/* Room for one more operation of `length` bytes, 8-byte aligned. Asserts that there is some. */
void *hf_bench_pool_add(struct hf_bench_pool *pool, size_t length);
/* Fills the pool: all of one kind. What HOLDs hold goes into the ring of open holds; captures take
 * the oldest out of it. What authorisations hold does not: it is no plain hold. */
void hf_bench_pool_fill_moves(struct hf_bench_pool *pool, struct hf_bench_ledger *fixture);
void hf_bench_pool_fill_hot(struct hf_bench_pool *pool, struct hf_bench_ledger *fixture);
void hf_bench_pool_fill_plans(struct hf_bench_pool *pool, struct hf_bench_ledger *fixture,
                              const struct hf_bench_plan_shape *shape);
void hf_bench_pool_fill_holds(struct hf_bench_pool *pool, struct hf_bench_ledger *fixture);
/* By cards of one group, which must not be empty, for a thousand or so acquirers: the last
 * accounts, which no card draws on. */
void hf_bench_pool_fill_auths(struct hf_bench_pool *pool, struct hf_bench_ledger *fixture,
                              enum hf_bench_cards cards);
void hf_bench_pool_fill_captures(struct hf_bench_pool *pool, struct hf_bench_ledger *fixture);
/* Captures of all that the operations of another pool have held. */
void hf_bench_pool_fill_captures_of(struct hf_bench_pool *pool, struct hf_bench_ledger *fixture,
                                    const struct hf_bench_pool *made);
/* Applies all of it in bundles of `bundle` operations; answers that are not OK count as refused. */
void hf_bench_pool_apply(struct hf_bench_pool *pool, struct hf_bench_ledger *fixture,
                         uint32_t bundle);

#endif
