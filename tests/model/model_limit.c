/* The model's limits on what may be authorised.
 *
 * A limit keeps every draw since it began, and all that was given back, as a list. Each entry says
 * what its window came to by it; what is used is what the newest entry of the moment's window says,
 * or the sum over the windows that a rolling one spans. Nothing is ever set back when a window
 * ends, it only stops to count.
 */
#include "model_inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS_PER_S      UINT64_C(1000000000)
#define S_PER_DAY     86400
#define DRAWS_AT_ONCE 65536

/* Windows --------------------------------------------------------------------------------- */

/* Days since 1970-01-01 in the limit's zone, rounded down. */
static int64_t day_of(const struct model_limit *limit, uint64_t timestamp_ns)
{
    int64_t seconds = (int64_t)(timestamp_ns / NS_PER_S) + (int64_t)limit->zone_minutes * 60;
    int64_t day = seconds / S_PER_DAY;
    return seconds % S_PER_DAY < 0 ? day - 1 : day;
}

static struct tm date_of(int64_t day)
{
    struct tm date;
    time_t seconds = (time_t)(day * S_PER_DAY);
    struct tm *got = gmtime_r(&seconds, &date);
    assert(got != NULL);
    return date;
}

int64_t model_window_of(const struct model_limit *limit, uint64_t timestamp_ns)
{
    int64_t day = day_of(limit, timestamp_ns);
    struct tm date;
    switch (limit->window) {
    case HF_LIMIT_DAY:
        return day;
    case HF_LIMIT_WEEK:
        while (date = date_of(day), (date.tm_wday + 6) % 7 + 1 != limit->start)
            day--;
        return day;
    case HF_LIMIT_MONTH:
        date = date_of(day - (limit->start - 1));
        return (int64_t)date.tm_year * 12 + date.tm_mon;
    case HF_LIMIT_ROLLING:
        return (int64_t)(timestamp_ns / ((limit->length_ns + 62) / 63));
    default:
        return 0;
    }
}

static uint64_t add_up(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* What the list says of one window. */
static struct model_used used_in(const struct model *model, const struct model_limit *limit,
                                 int64_t window)
{
    for (uint32_t at = limit->newest; at != 0; at = model->draws[at - 1].before) {
        const struct model_draw *draw = &model->draws[at - 1];
        assert(at <= model->books->draw_count);
        if (draw->window == window)
            return draw->used;
        if (draw->last < window)
            break;
    }
    return (struct model_used){0, 0};
}

struct model_used model_used_of(const struct model *model, const struct model_limit *limit,
                                uint64_t timestamp_ns)
{
    struct model_used used = {0, 0};
    if (limit->window == HF_LIMIT_OPERATION)
        return used;
    int64_t last = model_window_of(limit, timestamp_ns);
    if (limit->window != HF_LIMIT_ROLLING)
        return used_in(model, limit, last);
    bool seen[HF_LIMIT_BUCKETS] = {false};
    for (uint32_t at = limit->newest; at != 0; at = model->draws[at - 1].before) {
        const struct model_draw *draw = &model->draws[at - 1];
        assert(at <= model->books->draw_count);
        if (draw->last <= last - HF_LIMIT_BUCKETS)
            break;
        if (draw->window <= last - HF_LIMIT_BUCKETS || draw->window > last)
            continue;
        if (seen[last - draw->window])
            continue;
        seen[last - draw->window] = true;
        used.amount = add_up(used.amount, draw->used.amount);
        used.count += draw->used.count;
    }
    return used;
}

/* Limits ---------------------------------------------------------------------------------- */

static struct model_limit *find_limit(struct model_books *books, uint8_t scope, struct hf_id id,
                                      uint8_t number)
{
    for (uint32_t i = 0; i < books->limit_count; i++) {
        struct model_limit *limit = &books->limits[i];
        if (limit->scope == scope && same_id(limit->scope_id, id) && limit->number == number)
            return limit;
    }
    return NULL;
}

/* Of each number there may be in turn. */
static uint32_t list_limits(struct model_books *books, uint8_t scope, struct hf_id id,
                            struct model_limit *limits[HF_LIMITS_A_SCOPE])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < books->limit_count; i++) {
        struct model_limit *limit = &books->limits[i];
        if (limit->scope != scope || !same_id(limit->scope_id, id))
            continue;
        assert(count < HF_LIMITS_A_SCOPE);
        uint32_t at = count++;
        for (; at > 0 && limits[at - 1]->number > limit->number; at--)
            limits[at] = limits[at - 1];
        limits[at] = limit;
    }
    return count;
}

uint32_t model_limits_of(const struct model *model, uint8_t scope, struct hf_id id,
                         const struct model_limit *limits[HF_LIMITS_A_SCOPE])
{
    return list_limits(model->books, scope, id, (struct model_limit **)limits);
}

const struct model_limit *model_limit_of(const struct model *model, uint8_t scope, struct hf_id id,
                                         uint8_t number)
{
    return find_limit(model->books, scope, id, number);
}

uint64_t model_rolling_used(const struct model *model)
{
    uint64_t used = 0;
    for (uint32_t i = 0; i < model->books->limit_count; i++)
        used += model->books->limits[i].window == HF_LIMIT_ROLLING;
    return used;
}

static void tell_limit(const struct turn *turn, const struct model_limit *limit, uint16_t asset)
{
    struct model_used used = model_used_of(turn->model, limit, turn->now_ns);
    wide amount = used.amount > INT64_MAX ? INT64_MAX : (wide)used.amount;
    add_event(turn, HF_EVENT_LIMIT, limit->scope_id, amount, asset, limit->number);
}

/* The asset of the account, or of the instrument's account. */
static void tell_put(const struct turn *turn, const struct model_limit *limit)
{
    struct model_books *books = turn->model->books;
    struct hf_id account = limit->scope_id;
    if (limit->scope == HF_LIMIT_INSTRUMENT)
        account = find_instrument(books, limit->scope_id)->account;
    tell_limit(turn, limit, find_account(books, account)->asset);
}

static struct outcome check_scope(const struct turn *turn)
{
    const struct hf_op_limit_put *put = &turn->operation->limit_put;
    struct model_books *books = turn->model->books;
    if (put->scope == HF_LIMIT_INSTRUMENT) {
        const struct model_instrument *card = find_instrument(books, put->scope_id);
        if (card == NULL)
            return refuse(HF_CODE_UNKNOWN_INSTRUMENT, HF_RULE_INSTRUMENT, 0, NULL);
        if (card->status == HF_INSTRUMENT_CLOSED)
            return refuse(HF_CODE_CLOSED, HF_RULE_INSTRUMENT, 0, NULL);
        return approve(0, NULL);
    }
    const struct model_account *account = find_account(books, put->scope_id);
    if (account == NULL)
        return refuse(HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_ACCOUNT, 0, NULL);
    if (account->status == HF_ACCOUNT_CLOSED)
        return refuse(HF_CODE_CLOSED, HF_RULE_ACCOUNT, 0, NULL);
    return approve(0, NULL);
}

static struct outcome set_limit(const struct turn *turn, struct model_limit *limit)
{
    const struct hf_op_limit_put *put = &turn->operation->limit_put;
    struct model *model = turn->model;
    struct model_books *books = model->books;
    struct model_account *account = NULL;
    if (put->scope == HF_LIMIT_ACCOUNT)
        account = find_account(books, put->scope_id);
    if (limit == NULL) {
        struct model_limit *there[HF_LIMITS_A_SCOPE];
        if (list_limits(books, put->scope, put->scope_id, there) == HF_LIMITS_A_SCOPE)
            return refuse(HF_CODE_CAPACITY, HF_RULE_LIMIT, 0, NULL);
        if (books->limit_count == model->limits.limits)
            return refuse(HF_CODE_CAPACITY, HF_RULE_TABLE, 0, NULL);
        if (account != NULL && !account->has_terms &&
            model_terms_used(model) == model->limits.terms)
            return refuse(HF_CODE_CAPACITY, HF_RULE_TABLE, 0, NULL);
    }
    bool was_rolling = limit != NULL && limit->window == HF_LIMIT_ROLLING;
    if (put->window == HF_LIMIT_ROLLING && !was_rolling &&
        model_rolling_used(model) == model->limits.rolling)
        return refuse(HF_CODE_CAPACITY, HF_RULE_TABLE, 0, NULL);

    if (limit == NULL) {
        limit = &books->limits[books->limit_count++];
        *limit = (struct model_limit){.scope = put->scope,
                                      .scope_id = put->scope_id,
                                      .number = put->number,
                                      .since_place = turn->place};
        if (account != NULL)
            account->has_terms = true;
    }
    if (limit->window != put->window || limit->length_ns != put->length_ns ||
        limit->zone_minutes != put->zone_minutes || limit->start != put->start) {
        limit->newest = 0;
        limit->since_place = turn->place;
    }
    struct hf_filter filter = put->filter;
    filter.parts = 0; /* asks for nothing by itself */
    if (memcmp(&limit->filter, &filter, sizeof(filter)) != 0)
        limit->since_place = turn->place;
    limit->window = put->window;
    limit->length_ns = put->length_ns;
    limit->zone_minutes = put->zone_minutes;
    limit->start = put->start;
    limit->max_amount = put->max_amount;
    limit->max_count = put->max_count;
    limit->filter = filter;
    tell_put(turn, limit);
    return approve(0, NULL);
}

/* False when it grows beyond what can be said. */
static bool raise_maximum(uint64_t *maximum, uint64_t more)
{
    if (*maximum == HF_LIMIT_UNLIMITED || more == HF_LIMIT_UNLIMITED) {
        *maximum = HF_LIMIT_UNLIMITED;
        return true;
    }
    wide sum = (wide)*maximum + (wide)more;
    if (sum >= (wide)HF_LIMIT_UNLIMITED)
        return false;
    *maximum = (uint64_t)sum;
    return true;
}

struct outcome do_limit_put(const struct turn *turn)
{
    const struct hf_op_limit_put *put = &turn->operation->limit_put;
    struct outcome outcome = check_scope(turn);
    if (outcome.code != HF_CODE_OK)
        return outcome;
    struct model_limit *limit =
        find_limit(turn->model->books, put->scope, put->scope_id, put->number);
    if (put->mode == HF_LIMIT_SET)
        return set_limit(turn, limit);
    if (limit == NULL)
        return refuse(HF_CODE_UNKNOWN_LIMIT, HF_RULE_LIMIT, 0, NULL);
    if (put->mode == HF_LIMIT_RESET) {
        limit->newest = 0;
        limit->since_place = turn->place;
    } else {
        struct model_limit raised = *limit;
        if (!raise_maximum(&raised.max_amount, put->max_amount) ||
            !raise_maximum(&raised.max_count, put->max_count))
            return refuse(HF_CODE_OVERFLOW, HF_RULE_LIMIT, 0, NULL);
        *limit = raised;
    }
    tell_put(turn, limit);
    return approve(0, NULL);
}

/* Limits on an authorisation -------------------------------------------------------------- */

static void bear(struct bearing *bearing, struct model_limit *limit, uint8_t rule, wide amount,
                 wide further)
{
    uint32_t at = 0;
    while (at < bearing->count && bearing->lines[at].limit != limit)
        at++;
    assert(at < BEARING_MAX);
    if (at == bearing->count)
        bearing->lines[bearing->count++] = (struct bearing_line){.limit = limit, .rule = rule};
    bearing->lines[at].amount += amount;
    bearing->lines[at].further += further;
}

static void bear_scope(struct model_books *books, uint8_t scope, struct hf_id id, uint8_t rule,
                       const struct model_attributes *attributes, wide amount, wide further,
                       struct bearing *bearing)
{
    struct model_limit *there[HF_LIMITS_A_SCOPE];
    uint32_t count = list_limits(books, scope, id, there);
    for (uint32_t i = 0; i < count; i++)
        if (model_filter_passes(&there[i]->filter, attributes))
            bear(bearing, there[i], rule, amount, further);
}

void bear_instrument(struct model_books *books, const struct model_instrument *card,
                     const struct model_attributes *attributes, wide amount, wide further,
                     struct bearing *bearing)
{
    bear_scope(books, HF_LIMIT_INSTRUMENT, card->token, HF_RULE_INSTRUMENT_LIMIT, attributes,
               amount, further, bearing);
}

void bear_account(struct model_books *books, struct hf_id id,
                  const struct model_attributes *attributes, wide amount, wide further,
                  struct bearing *bearing)
{
    uint8_t rule = HF_RULE_ACCOUNT_LIMIT;
    for (; !no_id(id); id = find_account(books, id)->parent) {
        bear_scope(books, HF_LIMIT_ACCOUNT, id, rule, attributes, amount, further, bearing);
        rule = HF_RULE_PARENT_LIMIT;
    }
}

static bool is_used_up(const struct model *model, const struct model_limit *limit,
                       uint64_t timestamp_ns)
{
    return limit->max_count != HF_LIMIT_UNLIMITED &&
           model_used_of(model, limit, timestamp_ns).count >= limit->max_count;
}

/* Of its amount alone. */
static uint64_t amount_left_of(const struct model *model, const struct model_limit *limit,
                               uint64_t timestamp_ns, wide besides)
{
    if (limit->max_amount == HF_LIMIT_UNLIMITED)
        return UINT64_MAX;
    wide used = (wide)model_used_of(model, limit, timestamp_ns).amount + besides;
    return used < (wide)limit->max_amount ? (uint64_t)((wide)limit->max_amount - used) : 0;
}

uint64_t model_left_of(const struct model *model, const struct model_limit *limit,
                       uint64_t timestamp_ns)
{
    if (is_used_up(model, limit, timestamp_ns))
        return 0;
    return amount_left_of(model, limit, timestamp_ns, 0);
}

static wide taken_under(const struct bearing *taken, const struct model_limit *limit)
{
    for (uint32_t i = 0; taken != NULL && i < taken->count; i++)
        if (taken->lines[i].limit == limit)
            return taken->lines[i].amount;
    return 0;
}

struct strictest find_strictest(const struct turn *turn, const struct bearing *bearing,
                                const struct model_hold *raised, const struct bearing *taken)
{
    const struct model *model = turn->model;
    struct strictest strictest = {.allows = UINT64_MAX};
    for (uint32_t i = 0; i < bearing->count; i++) {
        const struct bearing_line *line = &bearing->lines[i];
        wide besides = taken_under(taken, line->limit);
        if (raised != NULL && line->limit->window == HF_LIMIT_OPERATION)
            besides += (wide)raised->amount;
        bool gone = raised == NULL && is_used_up(model, line->limit, turn->now_ns);
        uint64_t left = gone ? 0 : amount_left_of(model, line->limit, turn->now_ns, besides);
        if (strictest.is_any && left >= strictest.allows && (strictest.is_used_up || !gone))
            continue;
        strictest = (struct strictest){
            .is_any = true,
            .allows = left,
            .is_used_up = gone,
            .refusal = refuse(gone ? HF_CODE_COUNT_LIMIT : HF_CODE_AMOUNT_LIMIT, line->rule,
                              line->limit->number, NULL),
        };
    }
    return strictest;
}

/* Drawing and giving back ----------------------------------------------------------------- */

static void note_used(struct model *model, struct model_limit *limit, int64_t window,
                      struct model_used used)
{
    uint32_t number = ++model->books->draw_count;
    if (number > model->draws_room) {
        model->draws_room += DRAWS_AT_ONCE;
        model->draws = realloc(model->draws, model->draws_room * sizeof(model->draws[0]));
        assert(model->draws != NULL);
    }
    model->draws[number - 1] = (struct model_draw){
        .used = used, .window = window, .last = limit->last_window, .before = limit->newest};
    limit->newest = number;
}

void draw_bearing(const struct turn *turn, const struct bearing *bearing, uint16_t asset,
                  bool counts)
{
    for (uint32_t i = 0; i < bearing->count; i++) {
        const struct bearing_line *line = &bearing->lines[i];
        int64_t window = model_window_of(line->limit, turn->now_ns);
        struct model_used used = used_in(turn->model, line->limit, window);
        used.amount = add_up(used.amount, (uint64_t)line->amount);
        used.count += counts;
        if (used.amount == UINT64_MAX)
            line->limit->is_blurred = true;
        line->limit->last_window = window;
        note_used(turn->model, line->limit, window, used);
        tell_limit(turn, line->limit, asset);
    }
}

/* True when something was there to be taken back. */
static bool take_back(const struct turn *turn, struct model_limit *limit, uint64_t drawn_ns,
                      wide amount, bool counts)
{
    if (limit->window == HF_LIMIT_OPERATION || limit->newest == 0)
        return false;
    int64_t window = model_window_of(limit, drawn_ns);
    int64_t first = limit->last_window;
    if (limit->window == HF_LIMIT_ROLLING)
        first -= HF_LIMIT_BUCKETS - 1;
    if (window < first || window > limit->last_window)
        return false;
    struct model_used used = used_in(turn->model, limit, window);
    wide taken = amount < (wide)used.amount ? amount : (wide)used.amount;
    bool counted = counts && used.count > 0;
    if (taken == 0 && !counted)
        return false;
    used.amount -= (uint64_t)taken;
    used.count -= counted;
    note_used(turn->model, limit, window, used);
    return true;
}

void restore_bearing(const struct turn *turn, const struct bearing *bearing,
                     const struct model_hold *hold, bool counts)
{
    const struct model_record *record = &hold->record;
    for (uint32_t i = 0; i < bearing->count; i++) {
        const struct bearing_line *line = &bearing->lines[i];
        struct model_limit *limit = line->limit;
        if (limit->since_place > record->place)
            continue;
        if (limit->since_place == record->place || (record->is_adjusted && hold->part_count > 1))
            limit->is_blurred = true;
        bool further = take_back(turn, limit, record->further_ns, line->further, false);
        bool first = take_back(turn, limit, record->drawn_ns, line->amount, counts);
        if (further || first)
            tell_limit(turn, limit, hold->asset);
    }
}
