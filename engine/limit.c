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
    uint64_t lines = hf_shelves_create(&limits->shelves, arena, capacity);

    limits->list = hf_arena_take(arena, lines, sizeof(*limits->list));
    limits->more = hf_arena_take(arena, lines, sizeof(*limits->more));
    limits->since = hf_arena_take(arena, lines, sizeof(*limits->since));
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

static struct hf_limit_owner scope_of_instrument(struct hf_instrument *instrument)
{
    return (struct hf_limit_owner){&instrument->first_limit, &instrument->limit_count};
}

static struct hf_limit_owner scope_of_terms(struct hf_terms *terms)
{
    return (struct hf_limit_owner){&terms->first_limit, &terms->limit_count};
}

struct hf_limit_owner hf_limit_owner_of(const struct hf_ledger *ledger, uint8_t scope,
                                        struct hf_id scope_id)
{
    if (scope == HF_LIMIT_INSTRUMENT) {
        uint32_t slot = hf_table_find(&ledger->instruments, scope_id, hf_id_hash(scope_id));
        return slot == HF_TABLE_NONE
                   ? (struct hf_limit_owner){0}
                   : scope_of_instrument(hf_instrument_at(&ledger->instruments, slot));
    }
    assert(scope == HF_LIMIT_ACCOUNT);
    const struct hf_account *account = hf_ledger_find_account(ledger, scope_id);
    struct hf_terms *terms = account == NULL ? NULL : hf_terms_of(&ledger->terms, account);
    return terms == NULL ? (struct hf_limit_owner){0} : scope_of_terms(terms);
}

struct hf_limit *hf_limit_find(const struct hf_limit_list *limits, struct hf_limit_run run,
                               uint8_t number)
{
    for (uint32_t i = 0; i < run.count; i++) {
        struct hf_limit *limit = hf_limit_in(limits, run, i);
        if (limit->number == number)
            return limit;
    }
    return NULL;
}

uint32_t hf_limit_next(const struct hf_limit_list *limits, uint32_t line)
{
    for (; line < hf_shelves_used_lines(&limits->shelves); line++) {
        if (limits->list[line].number != 0)
            return line;
    }
    return HF_TABLE_NONE;
}

static void set_settings(const struct hf_limit_list *limits, struct hf_limit *limit,
                         const struct hf_op_limit_put *put)
{
    static const struct hf_filter empty;
    const struct hf_filter kept = hf_filter_kept(&put->filter);

    limit->max_amount = put->max_amount;
    limit->max_count = put->max_count;
    limit->length_ns = put->length_ns;
    limit->zone_minutes = put->zone_minutes;
    limit->window = put->window;
    limit->start = put->start;
    limit->has_filter = memcmp(&kept, &empty, sizeof(empty)) != 0;
    hf_limit_more_of(limits, limit)->filter = kept;
}

static void keep_lines(struct hf_ledger *ledger, uint32_t line, uint32_t count)
{
    struct hf_limit_list *limits = &ledger->limit_list;

    hf_undo_keep(&ledger->undo, &limits->list[line], count * sizeof(limits->list[0]));
    hf_undo_keep(&ledger->undo, &limits->more[line], count * sizeof(limits->more[0]));
    hf_undo_keep(&ledger->undo, &limits->since[line], count * sizeof(limits->since[0]));
}

/* The lines that are overwritten have been kept. */
static void copy_lines(struct hf_limit_list *limits, uint32_t from, uint32_t to, uint32_t count)
{
    memcpy(&limits->list[to], &limits->list[from], count * sizeof(limits->list[0]));
    memcpy(&limits->more[to], &limits->more[from], count * sizeof(limits->more[0]));
    memcpy(&limits->since[to], &limits->since[from], count * sizeof(limits->since[0]));
}

/* Nothing is at these lines any more: the last run of its shelf goes there, and its own become
 * free. */
static void close_gap(struct hf_ledger *ledger, uint32_t gap, uint32_t count)
{
    struct hf_limit_list *limits = &ledger->limit_list;
    uint32_t last = hf_shelf_last(&limits->shelves, count);

    if (last != gap) {
        struct hf_limit_owner owner =
            hf_limit_owner_of(ledger, limits->list[last].scope, limits->more[last].scope_id);
        assert(*owner.first == last + 1);
        keep_lines(ledger, gap, count);
        copy_lines(limits, last, gap, count);
        hf_undo_keep(&ledger->undo, owner.first, sizeof(*owner.first));
        *owner.first = gap + 1;
    }
    keep_lines(ledger, last, count);
    memset(&limits->list[last], 0, count * sizeof(limits->list[0]));
    hf_shelf_take_away(&limits->shelves, &ledger->undo, count);
}

struct hf_limit *hf_limit_add(struct hf_ledger *ledger, struct hf_limit_owner owner,
                              const struct hf_op_limit_put *put, uint64_t since)
{
    struct hf_limit_list *limits = &ledger->limit_list;
    struct hf_undo *undo = &ledger->undo;
    const struct hf_limit_run run = {*owner.first, *owner.count};
    uint32_t before = 0; /* how many have a smaller number */

    assert(limits->count < limits->capacity);
    assert(run.count < HF_LIMITS_A_SCOPE);
    while (before < run.count && hf_limit_in(limits, run, before)->number < put->number)
        before++;
    uint32_t line = hf_shelf_add(&limits->shelves, undo, run.count + 1);
    keep_lines(ledger, line, run.count + 1);
    hf_undo_keep(undo, owner.first, sizeof(*owner.first));
    hf_undo_keep(undo, owner.count, sizeof(*owner.count));
    hf_undo_keep(undo, &limits->count, sizeof(limits->count));
    if (run.count != 0) {
        uint32_t old = run.first - 1;
        copy_lines(limits, old, line, before);
        copy_lines(limits, old + before, line + before + 1, run.count - before);
        close_gap(ledger, old, run.count);
    }
    *owner.first = line + 1;
    *owner.count = (uint8_t)(run.count + 1);
    limits->count++;
    struct hf_limit *limit = &limits->list[line + before];
    *limit = (struct hf_limit){
        .rolling = HF_TABLE_NONE,
        .scope = put->scope,
        .number = put->number,
    };
    hf_limit_more_of(limits, limit)->scope_id = put->scope_id;
    set_settings(limits, limit, put);
    limits->since[line + before] = since;
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

/* The limits it has. */
static struct hf_limit_run run_of(const struct hf_ledger *ledger, const struct owner *owner)
{
    if (owner->instrument != NULL)
        return hf_limit_run_of(owner->instrument);
    const struct hf_terms *terms = hf_terms_of(&ledger->terms, owner->account);
    return terms == NULL ? (struct hf_limit_run){0} : hf_limit_run_of_terms(terms);
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

    if (limit == NULL && run_of(ledger, owner).count == HF_LIMITS_A_SCOPE)
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
    struct hf_limit_more *more = hf_limit_more_of(&ledger->limit_list, limit);
    const struct hf_filter kept = hf_filter_kept(&put->filter);
    bool is_same_window = limit->window == put->window && limit->length_ns == put->length_ns &&
                          limit->zone_minutes == put->zone_minutes && limit->start == put->start;

    hf_undo_keep(&ledger->undo, more, sizeof(*more));
    if (!is_same_window)
        forget_used(ledger, limit, place);
    if (memcmp(&more->filter, &kept, sizeof(kept)) != 0)
        count_since(ledger, limit, place);
    if (limit->window == HF_LIMIT_ROLLING && put->window != HF_LIMIT_ROLLING) {
        hf_pool_give_back(&ledger->limit_list.rolling_pool, &ledger->undo, limit->rolling);
        limit->rolling = HF_TABLE_NONE;
    }
    set_settings(&ledger->limit_list, limit, put);
}

static struct hf_limit *set(struct hf_ledger *ledger, const struct owner *owner,
                            const struct hf_op_limit_put *put, struct hf_limit *limit,
                            uint64_t place)
{
    if (limit != NULL) {
        set_again(ledger, limit, put, place);
    } else if (owner->instrument != NULL) {
        limit = hf_limit_add(ledger, scope_of_instrument(owner->instrument), put, place);
    } else {
        struct hf_terms *terms = hf_terms_of(&ledger->terms, owner->account);
        if (terms == NULL)
            terms = hf_terms_add(ledger, owner->account);
        limit = hf_limit_add(ledger, scope_of_terms(terms), put, place);
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
    hf_event_add(ledger, answer, HF_EVENT_LIMIT,
                 hf_limit_more_of(&ledger->limit_list, limit)->scope_id,
                 amount > INT64_MAX ? INT64_MAX : (int64_t)amount, asset, limit->number);
}

void hf_limit_put(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_answer *answer)
{
    const struct hf_op_limit_put *put = &turn->operation->limit_put;
    struct hf_limit *limit = NULL;
    struct owner owner;

    struct hf_verdict verdict = find_owner(ledger, put, &owner);
    if (verdict.code == HF_CODE_OK) {
        limit = hf_limit_find(&ledger->limit_list, run_of(ledger, &owner), put->number);
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
