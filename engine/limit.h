/* Limits on authorisations: how much and how often an instrument, or all instruments on an account
 * and on the accounts below a total, may draw in a window of time.
 *
 * A limit is two lines in a list: what a draw changes, then what it counts and whose it is. The
 * limits of a scope are chained by their numbers from its line: an instrument's own, of an account
 * that of its terms. They are never taken away, so the list has no holes.
 *
 * A window is told by its number: the day, week or month, counted from a fixed one. What is used
 * belongs to the window of the last draw, and in any other nothing is used. A rolling window
 * besides has buckets, in a pool: of the one numbered by the last draw and of the 63 before it,
 * each at its number modulo 64; those that were passed over are zero.
 *
 * Chains of numbers begin at 1 and end with 0: a line that is all zero has no limits. */
#ifndef HF_ENGINE_LIMIT_H
#define HF_ENGINE_LIMIT_H

#include "instrument.h"
#include "pool.h"
#include "terms.h"

struct hf_usage {
    uint64_t amount;
    uint64_t count;
};

struct hf_limit {
    uint64_t max_amount; /* HF_LIMIT_UNLIMITED: any */
    uint64_t max_count;
    struct hf_usage used; /* in the window of the last draw; of ROLLING and OPERATION nothing */
    int64_t period; /* number of the window, of ROLLING the bucket, of the last draw; else 0 */
    uint64_t length_ns;
    uint32_t next;    /* of the same scope: its place in the list and 1, or 0 */
    uint32_t rolling; /* its buckets in the pool, or HF_TABLE_NONE */
    int16_t zone_minutes;
    uint8_t scope; /* enum hf_limit_scope */
    uint8_t number;
    uint8_t window; /* enum hf_limit_window */
    uint8_t start;
    uint8_t has_filter;
    uint8_t reserved;
    struct hf_filter filter;
    struct hf_id scope_id;
};
HF_STATIC_ASSERT(sizeof(struct hf_limit) == 128, "two lines");
HF_STATIC_ASSERT(offsetof(struct hf_limit, filter) == 64, "a draw changes the first line alone");

struct hf_rolling {
    struct hf_usage buckets[HF_LIMIT_BUCKETS];
};

#define HF_LIMIT_WINDOWS (HF_LIMIT_LIFETIME + 1) /* their numbers are below it */

struct hf_limit_list {
    struct hf_limit *list;
    uint64_t *since; /* of each: the place from which on it counts as it does */
    uint32_t count;
    uint32_t capacity;
    struct hf_pool rolling_pool;
    struct hf_rolling *rollings;
};

void hf_limits_create(struct hf_limit_list *limits, struct hf_arena *arena, uint64_t capacity,
                      uint64_t rolling_capacity);

/* LIMIT_PUT. */
void hf_limit_put(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_answer *answer);

/* The scope's limit of this number, or NULL; `first` is what the scope's line says. */
struct hf_limit *hf_limit_find(const struct hf_limit_list *limits, uint32_t first, uint8_t number);

/* The number of the window, of a ROLLING of the bucket, that a time lies in. */
int64_t hf_limit_period(const struct hf_limit *limit, uint64_t timestamp_ns);

/* The number of one window at one time, worked out once for all limits that count alike. What is
 * all zero is right: that of a day in Greenwich at time 0. */
struct hf_limit_clock {
    uint64_t timestamp_ns;
    uint64_t length_ns;
    int64_t period;
    int16_t zone_minutes;
    uint8_t start;
};

/* The same as hf_limit_period, from the clock of the limit's window, which is set when it shows
 * another time or counts otherwise. */
static inline int64_t hf_limit_period_by(struct hf_limit_clock clocks[HF_LIMIT_WINDOWS],
                                         const struct hf_limit *limit, uint64_t timestamp_ns)
{
    struct hf_limit_clock *clock = &clocks[limit->window];

    if (__builtin_expect(
            clock->timestamp_ns == timestamp_ns && clock->length_ns == limit->length_ns &&
                clock->zone_minutes == limit->zone_minutes && clock->start == limit->start,
            1))
        return clock->period;
    *clock = (struct hf_limit_clock){
        .timestamp_ns = timestamp_ns,
        .length_ns = limit->length_ns,
        .period = hf_limit_period(limit, timestamp_ns),
        .zone_minutes = limit->zone_minutes,
        .start = limit->start,
    };
    return clock->period;
}

/* hf_limit_used of one that is rolling. */
struct hf_usage hf_limit_used_of_rolling(const struct hf_limit_list *limits,
                                         const struct hf_limit *limit, int64_t period);

/* What is used in the window of this number, which is none before that of the last draw (asserted
 * of a ROLLING). */
static inline struct hf_usage hf_limit_used(const struct hf_limit_list *limits,
                                            const struct hf_limit *limit, int64_t period)
{
    if (limit->window == HF_LIMIT_ROLLING)
        return hf_limit_used_of_rolling(limits, limit, period);
    if (limit->period != period)
        return (struct hf_usage){0};
    return limit->used;
}

/* Makes a limit with the settings of a SET, nothing used, and chains it into the scope that begins
 * at `*first`; it counts so since that place. There must be room (asserted), and no other of its
 * number. A rolling one has no buckets yet. */
struct hf_limit *hf_limit_add(struct hf_ledger *ledger, uint32_t *first,
                              const struct hf_op_limit_put *put, uint64_t since);

/* Gives a limit with a rolling window its buckets, all empty. There must be room (asserted). */
struct hf_rolling *hf_limit_add_rolling(struct hf_ledger *ledger, struct hf_limit *limit);

/* Where the chain of a scope begins: NULL when its id is unknown, or that of an account without
 * terms. */
uint32_t *hf_limit_first(const struct hf_ledger *ledger, uint8_t scope, struct hf_id scope_id);

/* Tells how much of a limit is used now, as far as an event can say; when somebody looks on. */
void hf_limit_tell(struct hf_ledger *ledger, const struct hf_limit *limit, uint16_t asset,
                   const struct hf_answer *answer);

/* Sums of what is used stop at the largest number. */
static inline uint64_t hf_limit_add_up(uint64_t a, uint64_t b)
{
    uint64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

#endif
