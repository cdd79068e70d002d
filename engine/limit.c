/* Windows, what is used in them, and the limits of a scope. */
#include "limit.h"

#include "state.h"

#include <assert.h>
#include <string.h>

#define NS_PER_SECOND   UINT64_C(1000000000)
#define SECONDS_PER_DAY 86400

void hf_limits_create(struct hf_limit_list *limits, struct hf_arena *arena, uint64_t capacity,
                      uint64_t rolling_capacity)
{
    limits->list = hf_arena_take(arena, capacity, sizeof(*limits->list));
    limits->since = hf_arena_take(arena, capacity, sizeof(*limits->since));
    limits->count = 0;
    limits->capacity = (uint32_t)capacity;
    hf_pool_create(&limits->rolling_pool, arena, rolling_capacity);
    limits->rollings = hf_arena_take(arena, rolling_capacity, sizeof(*limits->rollings));
}

/* ---- windows ---- */

static int64_t floor_divide(int64_t number, int64_t divisor)
{
    int64_t quotient = number / divisor;

    assert(divisor > 0);
    return quotient - (number % divisor < 0);
}

/* The month of a day, both counted from 1 March of the year 0: a year that begins in March has its
 * leap day at its end. After Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
 * civil_from_days; `day` counts from 1970-01-01. */
static int64_t month_of(int64_t day)
{
    const int64_t days_per_era = 146097; /* 400 years */
    int64_t since = day + 719468;
    int64_t era = floor_divide(since, days_per_era);
    int64_t day_of_era = since - era * days_per_era;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);

    assert(day_of_year >= 0);
    assert(day_of_year <= 365);
    return (era * 400 + year_of_era) * 12 + (5 * day_of_year + 2) / 153;
}

/* How long a bucket is. One is always there only in part, so that 63 whole ones cover the window.
 */
static uint64_t step_ns(uint64_t length_ns)
{
    return (length_ns + HF_LIMIT_BUCKETS - 2) / (HF_LIMIT_BUCKETS - 1);
}

int64_t hf_limit_period(const struct hf_limit *limit, uint64_t timestamp_ns)
{
    if (limit->window == HF_LIMIT_OPERATION || limit->window == HF_LIMIT_LIFETIME)
        return 0;
    if (limit->window == HF_LIMIT_ROLLING)
        return (int64_t)(timestamp_ns / step_ns(limit->length_ns));
    int64_t seconds = (int64_t)(timestamp_ns / NS_PER_SECOND) + limit->zone_minutes * 60;
    int64_t day = floor_divide(seconds, SECONDS_PER_DAY);
    switch (limit->window) {
    case HF_LIMIT_DAY:
        return day;
    case HF_LIMIT_WEEK: /* day 0 was a Thursday: three days after a Monday */
        return floor_divide(day + 3 - (limit->start - 1), 7);
    default:
        assert(limit->window == HF_LIMIT_MONTH);
        return month_of(day - (limit->start - 1));
    }
}

struct hf_usage hf_limit_used_of_rolling(const struct hf_limit_list *limits,
                                         const struct hf_limit *limit, int64_t period)
{
    const struct hf_rolling *rolling = &limits->rollings[limit->rolling];
    struct hf_usage used = {0};

    assert(period >= limit->period);
    for (int64_t i = period < HF_LIMIT_BUCKETS ? 0 : period - (HF_LIMIT_BUCKETS - 1);
         i <= limit->period; i++) {
        const struct hf_usage *bucket = &rolling->buckets[i % HF_LIMIT_BUCKETS];
        used.amount = hf_limit_add_up(used.amount, bucket->amount);
        used.count += bucket->count;
    }
    return used;
}

/* ---- the limits of a scope ---- */

uint32_t *hf_limit_first(const struct hf_ledger *ledger, uint8_t scope, struct hf_id scope_id)
{
    if (scope == HF_LIMIT_INSTRUMENT) {
        uint32_t slot = hf_table_find(&ledger->instruments, scope_id, hf_id_hash(scope_id));
        return slot == HF_TABLE_NONE ? NULL
                                     : &hf_instrument_at(&ledger->instruments, slot)->first_limit;
    }
    assert(scope == HF_LIMIT_ACCOUNT);
    const struct hf_account *account = hf_ledger_find_account(ledger, scope_id);
    struct hf_terms *terms = account == NULL ? NULL : hf_terms_of(&ledger->terms, account);
    return terms == NULL ? NULL : &terms->first_limit;
}

static struct hf_limit *limit_at(const struct hf_limit_list *limits, uint32_t link)
{
    assert(link >= 1);
    assert(link <= limits->count);
    return &limits->list[link - 1];
}

struct hf_limit *hf_limit_find(const struct hf_limit_list *limits, uint32_t first, uint8_t number)
{
    for (uint32_t link = first; link != 0; link = limit_at(limits, link)->next) {
        struct hf_limit *limit = limit_at(limits, link);
        if (limit->number == number)
            return limit;
    }
    return NULL;
}

static uint32_t count_limits(const struct hf_limit_list *limits, uint32_t first)
{
    uint32_t count = 0;

    for (uint32_t link = first; link != 0; link = limit_at(limits, link)->next)
        count++;
    assert(count <= HF_LIMITS_A_SCOPE);
    return count;
}

static void set_settings(struct hf_limit *limit, const struct hf_op_limit_put *put)
{
    static const struct hf_filter empty;

    limit->max_amount = put->max_amount;
    limit->max_count = put->max_count;
    limit->length_ns = put->length_ns;
    limit->zone_minutes = put->zone_minutes;
    limit->window = put->window;
    limit->start = put->start;
    limit->filter = put->filter;
    limit->has_filter = memcmp(&put->filter, &empty, sizeof(empty)) != 0;
}

struct hf_limit *hf_limit_add(struct hf_ledger *ledger, uint32_t *first,
                              const struct hf_op_limit_put *put, uint64_t since)
{
    struct hf_limit_list *limits = &ledger->limit_list;
    uint32_t *link = first;

    assert(limits->count < limits->capacity);
    assert(count_limits(limits, *first) < HF_LIMITS_A_SCOPE);
    while (*link != 0 && limit_at(limits, *link)->number < put->number)
        link = &limit_at(limits, *link)->next;
    hf_undo_keep(&ledger->undo, &limits->count, sizeof(limits->count));
    hf_undo_keep(&ledger->undo, link, sizeof(*link));
    struct hf_limit *limit = &limits->list[limits->count];
    *limit = (struct hf_limit){
        .next = *link,
        .rolling = HF_TABLE_NONE,
        .scope = put->scope,
        .number = put->number,
        .scope_id = put->scope_id,
    };
    set_settings(limit, put);
    limits->since[limits->count] = since;
    *link = ++limits->count;
    return limit;
}

struct hf_rolling *hf_limit_add_rolling(struct hf_ledger *ledger, struct hf_limit *limit)
{
    struct hf_limit_list *limits = &ledger->limit_list;

    assert(limit->window == HF_LIMIT_ROLLING);
    assert(limit->rolling == HF_TABLE_NONE);
    limit->rolling = hf_pool_take(&limits->rolling_pool, &ledger->undo);
    struct hf_rolling *rolling = &limits->rollings[limit->rolling];
    hf_undo_keep(&ledger->undo, rolling, sizeof(*rolling));
    memset(rolling, 0, sizeof(*rolling));
    return rolling;
}

/* From this place on a limit counts anew, or something else: what was drawn before is not given
 * back to it. */
static void count_since(struct hf_ledger *ledger, const struct hf_limit *limit, uint64_t place)
{
    uint64_t *since = &ledger->limit_list.since[limit - ledger->limit_list.list];

    hf_undo_keep(&ledger->undo, since, sizeof(*since));
    *since = place;
}

/* Begins with nothing used. The limit's line has been kept. */
static void forget_used(struct hf_ledger *ledger, struct hf_limit *limit, uint64_t place)
{
    count_since(ledger, limit, place);
    limit->used = (struct hf_usage){0};
    limit->period = 0;
    if (limit->rolling == HF_TABLE_NONE)
        return;
    struct hf_rolling *rolling = &ledger->limit_list.rollings[limit->rolling];
    hf_undo_keep(&ledger->undo, rolling, sizeof(*rolling));
    memset(rolling, 0, sizeof(*rolling));
}

/* ---- LIMIT_PUT ---- */

/* Whose limit it is: one of the two. */
struct owner {
    struct hf_instrument *instrument;
    struct hf_account *account;
    uint16_t asset;
};

static struct hf_verdict refusal(uint16_t code, uint8_t rule)
{
    return (struct hf_verdict){code, rule, 0};
}

static const struct hf_verdict fine = {HF_CODE_OK, HF_RULE_NONE, 0};

static struct hf_verdict find_owner(const struct hf_ledger *ledger,
                                    const struct hf_op_limit_put *put, struct owner *owner)
{
    *owner = (struct owner){0};
    if (put->scope == HF_LIMIT_ACCOUNT) {
        owner->account = hf_ledger_find_account(ledger, put->scope_id);
        if (owner->account == NULL)
            return refusal(HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_ACCOUNT);
        if (owner->account->status == HF_ACCOUNT_CLOSED)
            return refusal(HF_CODE_CLOSED, HF_RULE_ACCOUNT);
        owner->asset = owner->account->asset;
        return fine;
    }
    assert(put->scope == HF_LIMIT_INSTRUMENT);
    uint32_t slot = hf_table_find(&ledger->instruments, put->scope_id, hf_id_hash(put->scope_id));
    if (slot == HF_TABLE_NONE)
        return refusal(HF_CODE_UNKNOWN_INSTRUMENT, HF_RULE_INSTRUMENT);
    owner->instrument = hf_instrument_at(&ledger->instruments, slot);
    if (owner->instrument->status == HF_INSTRUMENT_CLOSED)
        return refusal(HF_CODE_CLOSED, HF_RULE_INSTRUMENT);
    owner->asset = hf_account_at(&ledger->accounts, owner->instrument->account)->asset;
    return fine;
}

static uint32_t first_of(const struct hf_ledger *ledger, const struct owner *owner)
{
    if (owner->instrument != NULL)
        return owner->instrument->first_limit;
    const struct hf_terms *terms = hf_terms_of(&ledger->terms, owner->account);
    return terms == NULL ? 0 : terms->first_limit;
}

/* What a maximum becomes when `more` is added. False beyond the largest that is one. */
static bool raise_maximum(uint64_t maximum, uint64_t more, uint64_t *raised)
{
    *raised = HF_LIMIT_UNLIMITED;
    if (maximum == HF_LIMIT_UNLIMITED || more == HF_LIMIT_UNLIMITED)
        return true;
    return !__builtin_add_overflow(maximum, more, raised) && *raised != HF_LIMIT_UNLIMITED;
}

/* May it be set? `limit` is NULL when it will be a new one. */
static struct hf_verdict check_set(const struct hf_ledger *ledger, const struct owner *owner,
                                   const struct hf_op_limit_put *put, const struct hf_limit *limit)
{
    const struct hf_limit_list *limits = &ledger->limit_list;
    bool has_rolling = limit != NULL && limit->window == HF_LIMIT_ROLLING;
    bool needs_terms =
        owner->account != NULL && (owner->account->flags & HF_ACCOUNT_HAS_TERMS) == 0;

    if (limit == NULL && count_limits(limits, first_of(ledger, owner)) == HF_LIMITS_A_SCOPE)
        return refusal(HF_CODE_CAPACITY, HF_RULE_LIMIT);
    if (limit == NULL && limits->count == limits->capacity)
        return refusal(HF_CODE_CAPACITY, HF_RULE_TABLE);
    if (needs_terms && ledger->terms.count == ledger->terms.capacity)
        return refusal(HF_CODE_CAPACITY, HF_RULE_TABLE);
    if (put->window == HF_LIMIT_ROLLING && !has_rolling && hf_pool_room(&limits->rolling_pool) == 0)
        return refusal(HF_CODE_CAPACITY, HF_RULE_TABLE);
    return fine;
}

static struct hf_verdict check_put(const struct hf_ledger *ledger, const struct owner *owner,
                                   const struct hf_op_limit_put *put, const struct hf_limit *limit)
{
    uint64_t raised;

    if (put->mode == HF_LIMIT_SET)
        return check_set(ledger, owner, put, limit);
    if (limit == NULL)
        return refusal(HF_CODE_UNKNOWN_LIMIT, HF_RULE_LIMIT);
    if (put->mode == HF_LIMIT_RAISE &&
        (!raise_maximum(limit->max_amount, put->max_amount, &raised) ||
         !raise_maximum(limit->max_count, put->max_count, &raised)))
        return refusal(HF_CODE_OVERFLOW, HF_RULE_LIMIT);
    return fine;
}

/* Gives a known limit other settings. */
static void set_again(struct hf_ledger *ledger, struct hf_limit *limit,
                      const struct hf_op_limit_put *put, uint64_t place)
{
    bool is_same_window = limit->window == put->window && limit->length_ns == put->length_ns &&
                          limit->zone_minutes == put->zone_minutes && limit->start == put->start;

    if (!is_same_window)
        forget_used(ledger, limit, place);
    if (memcmp(&limit->filter, &put->filter, sizeof(put->filter)) != 0)
        count_since(ledger, limit, place);
    if (limit->window == HF_LIMIT_ROLLING && put->window != HF_LIMIT_ROLLING) {
        hf_pool_give_back(&ledger->limit_list.rolling_pool, &ledger->undo, limit->rolling);
        limit->rolling = HF_TABLE_NONE;
    }
    set_settings(limit, put);
}

static struct hf_limit *set(struct hf_ledger *ledger, const struct owner *owner,
                            const struct hf_op_limit_put *put, struct hf_limit *limit,
                            uint64_t place)
{
    if (limit != NULL) {
        set_again(ledger, limit, put, place);
    } else if (owner->instrument != NULL) {
        limit = hf_limit_add(ledger, &owner->instrument->first_limit, put, place);
    } else {
        struct hf_terms *terms = hf_terms_of(&ledger->terms, owner->account);
        if (terms == NULL)
            terms = hf_terms_add(ledger, owner->account);
        limit = hf_limit_add(ledger, &terms->first_limit, put, place);
    }
    if (put->window == HF_LIMIT_ROLLING && limit->rolling == HF_TABLE_NONE)
        hf_limit_add_rolling(ledger, limit);
    return limit;
}

void hf_limit_tell(struct hf_ledger *ledger, const struct hf_limit *limit, uint16_t asset,
                   const struct hf_answer *answer)
{
    if (ledger->events == NULL)
        return;
    int64_t period = hf_limit_period(limit, ledger->bundle_ns);
    uint64_t amount = hf_limit_used(&ledger->limit_list, limit, period).amount;
    hf_event_add(ledger, answer, HF_EVENT_LIMIT, limit->scope_id,
                 amount > INT64_MAX ? INT64_MAX : (int64_t)amount, asset, limit->number);
}

void hf_limit_put(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_answer *answer)
{
    const struct hf_op_limit_put *put = &turn->operation->limit_put;
    struct hf_limit *limit = NULL;
    struct owner owner;

    struct hf_verdict verdict = find_owner(ledger, put, &owner);
    if (verdict.code == HF_CODE_OK) {
        limit = hf_limit_find(&ledger->limit_list, first_of(ledger, &owner), put->number);
        verdict = check_put(ledger, &owner, put, limit);
    }
    if (verdict.code != HF_CODE_OK) {
        hf_answer_refuse(answer, verdict.code, verdict.rule);
        return;
    }
    if (hf_turn_is_dry(turn))
        return;
    if (limit != NULL)
        hf_undo_keep(&ledger->undo, limit, sizeof(*limit));
    if (put->mode == HF_LIMIT_SET) {
        limit = set(ledger, &owner, put, limit, answer->place);
    } else if (put->mode == HF_LIMIT_RAISE) {
        raise_maximum(limit->max_amount, put->max_amount, &limit->max_amount);
        raise_maximum(limit->max_count, put->max_count, &limit->max_count);
    } else {
        assert(put->mode == HF_LIMIT_RESET);
        forget_used(ledger, limit, answer->place);
    }
    hf_limit_tell(ledger, limit, owner.asset, answer);
}
