/* Operations for benchmarks: made ahead, outside the timed part, in a pool that an iteration goes
 * through once.
 *
 * Ids are as a client makes them: UUIDv7-shaped, each unique, their time going forward with the
 * log's (ten thousand operations a millisecond, which is about what a core does). Accounts are
 * drawn uniformly; their ids are random 128-bit numbers, so that nothing profits from neighbours.
 */
#ifndef HF_BENCH_WORKLOAD_H
#define HF_BENCH_WORKLOAD_H

#include "bench/random.h"
#include "engine/operation.h"

#include <stdbool.h>

#define HF_BENCH_ASSET             840
#define HF_BENCH_POOL              16384 /* operations in one iteration, whole bundles of 64 */
#define HF_BENCH_OPERATIONS_PER_MS 10000

/* A source of operations: the next id and the next random account. */
struct hf_bench_workload {
    uint64_t accounts; /* 2 to 2^32 */
    uint64_t made;     /* operations so far */
    struct hf_bench_random random;
};

/* What a plan looks like: a waterfall of `sources` accounts, each giving at most its share and the
 * last one the rest, to one payee; or, with `choose_max`, the smallest residual over `sources`. */
struct hf_bench_plan_shape {
    uint8_t sources;
    uint8_t choose_max;
    bool is_late; /* of a residual: only the last ones reach the sum, which takes longest to find */
};
#define HF_BENCH_PLAN_LENGTH_MAX \
    (sizeof(struct hf_op_move_plan) + (HF_PLAN_CANDIDATES_MAX + 1) * sizeof(struct hf_op_entry))

/* Starts at operation 0, at 2024-01-01 by the ids' time. */
void hf_bench_workload_begin(struct hf_bench_workload *workload, uint64_t accounts);

/* Log time that belongs to the newest operation made, in Unix nanoseconds. */
uint64_t hf_bench_workload_now_ns(const struct hf_bench_workload *workload);

/* A fresh operation id. */
struct hf_id hf_bench_workload_id(struct hf_bench_workload *workload);

/* Index of a random account; and one that is not `other`. */
uint64_t hf_bench_workload_account(struct hf_bench_workload *workload);
uint64_t hf_bench_workload_account_but(struct hf_bench_workload *workload, uint64_t other);

/* The account's id, and the token of the instrument that stands on it. */
static inline struct hf_id hf_bench_account_id(uint64_t index)
{
    struct hf_id id = {.lo = hf_bench_mix(index), .hi = hf_bench_mix(~index) | 1};
    return id;
}

static inline struct hf_id hf_bench_token_id(uint64_t index)
{
    struct hf_id id = {.lo = hf_bench_mix(index ^ 0x70cEull << 40), .hi = hf_bench_mix(~index) | 2};
    return id;
}

/* Fill one operation in, whole. */
void hf_bench_make_asset(struct hf_bench_workload *workload, struct hf_op_asset_put *put);
void hf_bench_make_account(struct hf_bench_workload *workload, struct hf_op_account_put *put,
                           uint64_t index);
void hf_bench_make_instrument(struct hf_bench_workload *workload, struct hf_op_instrument_put *put,
                              uint64_t index);
/* Limit `number` (from 1) of a card, far above what any run reaches; rolling over an hour, or of
 * one of the calendar's windows and of a lifetime in turn. */
void hf_bench_make_limit(struct hf_bench_workload *workload, struct hf_op_limit_put *put,
                         uint64_t card, uint8_t number, bool is_rolling);
void hf_bench_make_move(struct hf_bench_workload *workload, struct hf_op_move *move, uint64_t payer,
                        uint64_t payee);
/* `accounts` names the sources, then the payee: all different. */
void hf_bench_make_plan(struct hf_bench_workload *workload, struct hf_op_move_plan *move,
                        const struct hf_bench_plan_shape *shape, const uint64_t accounts[]);
void hf_bench_make_hold(struct hf_bench_workload *workload, struct hf_op_hold *hold, uint64_t payer,
                        uint64_t payee);
void hf_bench_make_capture(struct hf_bench_workload *workload, struct hf_op_capture *capture,
                           struct hf_id hold);
void hf_bench_make_auth(struct hf_bench_workload *workload, struct hf_op_auth *auth, uint64_t card,
                        uint64_t payee);

#endif
