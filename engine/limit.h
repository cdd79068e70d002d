/* Limits on authorisations: how much and how often an instrument, or all instruments on an account
 * and on the accounts below a total, may draw in a window of time.
 *
 * A limit is two lines, at the same place of two lists: what a draw changes; and what it counts and
 * whose it is, which few look at. The limits of a scope lie side by side, in the order of their
 * numbers (shelf.h). Its line says where and how many: an instrument's own, of an account that of
 * its terms. They are never taken away, but those of a scope move when it gets another, and then
 * others may move as well: nobody else remembers where a limit lies.
 *
 * A window is told by its number: the day, week or month, counted from a fixed one. What is used
 * belongs to the window of the last draw, and in any other nothing is used. A rolling window
 * besides has buckets, in a pool: of the one numbered by the last draw and of the 63 before it,
 * each at its number modulo 64; those that were passed over are zero.
 *
 * Where limits begin is said as a number and 1: a line that is all zero has none. */
#ifndef HF_ENGINE_LIMIT_H
#define HF_ENGINE_LIMIT_H

#include "instrument.h"
#include "pool.h"
#include "shelf.h"
#include "terms.h"

#include <assert.h>

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
    uint32_t rolling; /* its buckets in the pool, or HF_TABLE_NONE */
    int16_t zone_minutes;
    uint8_t scope;  /* enum hf_limit_scope */
    uint8_t number; /* 0: here is no limit */
    uint8_t window; /* enum hf_limit_window */
    uint8_t start;
    uint8_t has_filter;
    uint8_t reserved[5];
};
HF_STATIC_ASSERT(sizeof(struct hf_limit) == 64, "one line");

struct hf_limit_more {
    struct hf_filter filter;
    struct hf_id scope_id;
};
HF_STATIC_ASSERT(sizeof(struct hf_limit_more) == 64, "and one line");
HF_STATIC_ASSERT(HF_LIMITS_A_SCOPE == HF_SHELF_RUN_MAX, "a scope's limits are a run");

struct hf_rolling {
    struct hf_usage buckets[HF_LIMIT_BUCKETS];
};

#define HF_LIMIT_WINDOWS (HF_LIMIT_LIFETIME + 1) /* their numbers are below it */

struct hf_limit_list {
    struct hf_shelves shelves; /* says which lines of the next three are in use */
    struct hf_limit *list;
    struct hf_limit_more *more;
    uint64_t *since; /* the place from which on it counts as it does */
    uint32_t count;
    uint32_t capacity;
    struct hf_pool rolling_pool;
    struct hf_rolling *rollings;
};

void hf_limits_create(struct hf_limit_list *limits, struct hf_arena *arena, uint64_t capacity,
                      uint64_t rolling_capacity);

/* LIMIT_PUT. */
void hf_limit_put(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_answer *answer);

/* The limits of a scope: what its line says of them. */
struct hf_limit_run {
    uint32_t first; /* the line of the first, and 1 */
    uint32_t count;
};

static inline struct hf_limit_run hf_limit_run_of(const struct hf_instrument *instrument)
{
    return (struct hf_limit_run){instrument->first_limit, instrument->limit_count};
}

static inline struct hf_limit_run hf_limit_run_of_terms(const struct hf_terms *terms)
{
    return (struct hf_limit_run){terms->first_limit, terms->limit_count};
}

/* One of them, by its index (below the count, asserted). */
static inline struct hf_limit *hf_limit_in(const struct hf_limit_list *limits,
                                           struct hf_limit_run run, uint32_t index)
{
    assert(index < run.count);
    return &limits->list[run.first - 1 + index];
}

static inline struct hf_limit_more *hf_limit_more_of(const struct hf_limit_list *limits,
                                                     const struct hf_limit *limit)
{
    return &limits->more[limit - limits->list];
}

/* The one of this number, or NULL. */
struct hf_limit *hf_limit_find(const struct hf_limit_list *limits, struct hf_limit_run run,
                               uint8_t number);

/* The first line at or after `line` that has a limit, or HF_TABLE_NONE: to walk all of them. */
uint32_t hf_limit_next(const struct hf_limit_list *limits, uint32_t line);

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

/* Where the line of a scope says what limits it has. NULLs: its id is unknown, or that of an
 * account without terms. */
struct hf_limit_owner {
    uint32_t *first;
    uint8_t *count;
};
struct hf_limit_owner hf_limit_owner_of(const struct hf_ledger *ledger, uint8_t scope,
                                        struct hf_id scope_id);

/* Makes a limit with the settings of a SET, nothing used, of this owner; it counts so since that
 * place. There must be room (asserted), and no other of its number. A rolling one has no buckets
 * yet. Other limits may move. */
struct hf_limit *hf_limit_add(struct hf_ledger *ledger, struct hf_limit_owner owner,
                              const struct hf_op_limit_put *put, uint64_t since);

/* Gives a limit with a rolling window its buckets, all empty. There must be room (asserted). */
struct hf_rolling *hf_limit_add_rolling(struct hf_ledger *ledger, struct hf_limit *limit);

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
