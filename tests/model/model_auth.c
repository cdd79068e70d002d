/* The model's cards: limits on what may be authorised, and authorisations.
 *
 * A limit keeps every draw since it began, as a list. What is used is the sum over the draws whose
 * window is that of the moment: nothing is ever set back when a window ends, it only stops to
 * count.
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

struct model_used model_used_of(const struct model *model, const struct model_limit *limit,
                                uint64_t timestamp_ns)
{
    struct model_used used = {0, 0};
    if (limit->window == HF_LIMIT_OPERATION)
        return used;
    int64_t last = model_window_of(limit, timestamp_ns);
    int64_t first = limit->window == HF_LIMIT_ROLLING ? last - 63 : last;
    wide amount = 0;
    for (uint32_t at = limit->newest; at != 0; at = model->draws[at - 1].before) {
        const struct model_draw *draw = &model->draws[at - 1];
        assert(at <= model->books->draw_count);
        if (draw->window < first || draw->window > last)
            continue;
        amount += (wide)draw->amount;
        used.count++;
    }
    used.amount = amount > UINT64_MAX ? UINT64_MAX : (uint64_t)amount;
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

/* Money is counted in the asset of the account. */
static void tell_limit(const struct turn *turn, const struct model_limit *limit)
{
    struct model_books *books = turn->model->books;
    struct hf_id account = limit->scope_id;
    if (limit->scope == HF_LIMIT_INSTRUMENT)
        account = find_instrument(books, limit->scope_id)->account;
    struct model_used used = model_used_of(turn->model, limit, turn->now_ns);
    wide amount = used.amount > INT64_MAX ? INT64_MAX : (wide)used.amount;
    add_event(turn, HF_EVENT_LIMIT, limit->scope_id, amount, find_account(books, account)->asset,
              limit->number);
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
        *limit = (struct model_limit){
            .scope = put->scope, .scope_id = put->scope_id, .number = put->number};
        if (account != NULL)
            account->has_terms = true;
    }
    if (limit->window != put->window || limit->length_ns != put->length_ns ||
        limit->zone_minutes != put->zone_minutes || limit->start != put->start)
        limit->newest = 0;
    limit->window = put->window;
    limit->length_ns = put->length_ns;
    limit->zone_minutes = put->zone_minutes;
    limit->start = put->start;
    limit->max_amount = put->max_amount;
    limit->max_count = put->max_count;
    limit->filter = put->filter;
    tell_limit(turn, limit);
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
    } else {
        struct model_limit raised = *limit;
        if (!raise_maximum(&raised.max_amount, put->max_amount) ||
            !raise_maximum(&raised.max_count, put->max_count))
            return refuse(HF_CODE_OVERFLOW, HF_RULE_LIMIT, 0, NULL);
        *limit = raised;
    }
    tell_limit(turn, limit);
    return approve(0, NULL);
}

/* Limits on an authorisation -------------------------------------------------------------- */

#define BEARING_MAX ((2 + HF_PARENT_DEPTH_MAX) * HF_LIMITS_A_SCOPE)

/* Those whose filter lets the payment pass, in their order. */
struct bearing {
    uint32_t count;
    struct model_limit *limits[BEARING_MAX];
    uint8_t rules[BEARING_MAX];
};

static void add_bearing(struct model_books *books, uint8_t scope, struct hf_id id, uint8_t rule,
                        const struct attributes *attributes, struct bearing *bearing)
{
    struct model_limit *there[HF_LIMITS_A_SCOPE];
    uint32_t count = list_limits(books, scope, id, there);
    for (uint32_t i = 0; i < count; i++) {
        if (!filter_passes(&there[i]->filter, attributes))
            continue;
        assert(bearing->count < BEARING_MAX);
        bearing->limits[bearing->count] = there[i];
        bearing->rules[bearing->count++] = rule;
    }
}

static void find_bearing(struct model_books *books, const struct model_instrument *card,
                         const struct attributes *attributes, struct bearing *bearing)
{
    const struct model_account *account = find_account(books, card->account);
    bearing->count = 0;
    add_bearing(books, HF_LIMIT_INSTRUMENT, card->token, HF_RULE_INSTRUMENT_LIMIT, attributes,
                bearing);
    add_bearing(books, HF_LIMIT_ACCOUNT, account->id, HF_RULE_ACCOUNT_LIMIT, attributes, bearing);
    while (!no_id(account->parent)) {
        account = find_account(books, account->parent);
        add_bearing(books, HF_LIMIT_ACCOUNT, account->id, HF_RULE_PARENT_LIMIT, attributes,
                    bearing);
    }
}

static bool is_used_up(const struct model *model, const struct model_limit *limit,
                       uint64_t timestamp_ns)
{
    return limit->max_count != HF_LIMIT_UNLIMITED &&
           model_used_of(model, limit, timestamp_ns).count >= limit->max_count;
}

uint64_t model_left_of(const struct model *model, const struct model_limit *limit,
                       uint64_t timestamp_ns)
{
    if (is_used_up(model, limit, timestamp_ns))
        return 0;
    if (limit->max_amount == HF_LIMIT_UNLIMITED)
        return UINT64_MAX;
    uint64_t used = model_used_of(model, limit, timestamp_ns).amount;
    return used < limit->max_amount ? limit->max_amount - used : 0;
}

/* Makes the amount what the strictest limit allows, where the minimum lets that do. */
static struct outcome check_limits(const struct turn *turn, const struct bearing *bearing,
                                   uint64_t minimum, uint64_t *amount,
                                   const struct model_account *payer)
{
    const struct model *model = turn->model;
    uint32_t strictest = UINT32_MAX;
    uint64_t least = UINT64_MAX;
    bool used_up = false;
    for (uint32_t i = 0; i < bearing->count; i++) {
        uint64_t left = model_left_of(model, bearing->limits[i], turn->now_ns);
        bool gone = is_used_up(model, bearing->limits[i], turn->now_ns);
        if (strictest != UINT32_MAX && left >= least && (used_up || !gone))
            continue;
        strictest = i;
        least = left;
        used_up = gone;
    }
    if (strictest == UINT32_MAX || (least >= *amount && !used_up))
        return approve(0, payer);
    if (least > 0 && minimum != 0 && least >= minimum) {
        *amount = least;
        return approve(0, payer);
    }
    return refuse(used_up ? HF_CODE_COUNT_LIMIT : HF_CODE_AMOUNT_LIMIT, bearing->rules[strictest],
                  bearing->limits[strictest]->number, payer);
}

static void draw_limit(const struct turn *turn, struct model_limit *limit, uint64_t amount)
{
    struct model *model = turn->model;
    uint32_t number = ++model->books->draw_count;
    if (number > model->draws_room) {
        model->draws_room += DRAWS_AT_ONCE;
        model->draws = realloc(model->draws, model->draws_room * sizeof(model->draws[0]));
        assert(model->draws != NULL);
    }
    model->draws[number - 1] = (struct model_draw){
        .amount = amount,
        .window = model_window_of(limit, turn->now_ns),
        .before = limit->newest,
    };
    limit->newest = number;
    struct model_used used = model_used_of(model, limit, turn->now_ns);
    assert(used.amount <= limit->max_amount);
    assert(used.count <= limit->max_count);
    tell_limit(turn, limit);
}

/* Authorisations -------------------------------------------------------------------------- */

static struct outcome check_card(const struct turn *turn, const struct model_instrument *card,
                                 uint64_t amount)
{
    if (card == NULL)
        return refuse(HF_CODE_UNKNOWN_INSTRUMENT, HF_RULE_INSTRUMENT, 0, NULL);
    if (card->status == HF_INSTRUMENT_CLOSED)
        return refuse(HF_CODE_CLOSED, HF_RULE_INSTRUMENT, 0, NULL);
    if (card->status == HF_INSTRUMENT_FROZEN)
        return refuse(HF_CODE_RESTRICTED, HF_RULE_INSTRUMENT, 0, NULL);
    if (card->status == HF_INSTRUMENT_INACTIVE && (card->flags & HF_INSTRUMENT_FIRST_USE) == 0)
        return refuse(HF_CODE_INACTIVE, HF_RULE_INSTRUMENT, 0, NULL);
    if (card->expires_ns != 0 && turn->now_ns >= card->expires_ns)
        return refuse(HF_CODE_EXPIRED, HF_RULE_INSTRUMENT, 0, NULL);
    if (amount > card->amount_limit)
        return refuse(HF_CODE_AMOUNT_LIMIT, HF_RULE_INSTRUMENT_AMOUNT, 0, NULL);
    if (card->remaining == 0)
        return refuse(HF_CODE_COUNT_LIMIT, HF_RULE_INSTRUMENT_COUNT, 0, NULL);
    return approve(0, NULL);
}

/* What is held at last: less than was asked for where limits or funds ask for it and the minimum
 * lets it do. */
static struct outcome settle_amount(const struct turn *turn, const struct model_instrument *card,
                                    const struct bearing *bearing, uint64_t *amount,
                                    struct plan *plan)
{
    const struct hf_op_auth *auth = &turn->operation->auth;
    const struct model_account *payer = find_account(turn->model->books, card->account);
    struct outcome outcome = check_limits(turn, bearing, auth->minimum, amount, payer);
    if (outcome.code != HF_CODE_OK)
        return outcome;
    begin_plan(plan);
    wide funds = can_pay(turn->model->books, plan, payer);
    if (auth->minimum != 0 && funds < (wide)*amount && funds >= (wide)auth->minimum)
        *amount = (uint64_t)funds;
    return check_amount(turn, card->account, auth->payee, *amount, true, plan);
}

struct outcome do_auth(const struct turn *turn)
{
    const struct hf_op_auth *auth = &turn->operation->auth;
    struct model_books *books = turn->model->books;
    struct model_instrument *card = find_instrument(books, auth->token);
    struct attributes attributes = {
        .mcc = auth->mcc, .country = auth->country, .channel = auth->channel};
    memcpy(attributes.merchant, auth->merchant, 16);

    struct plan plan;
    struct bearing bearing;
    uint64_t amount = auth->amount;
    uint64_t expires_ns = class_expiry_of(turn, auth->class_number);
    struct outcome outcome = begin_hold(turn, expires_ns);
    if (outcome.code == HF_CODE_OK)
        outcome = check_card(turn, card, amount);
    if (outcome.code == HF_CODE_OK)
        outcome = check_parties(turn, card->account, auth->payee, auth->asset, &attributes);
    if (outcome.code != HF_CODE_OK)
        return outcome;
    find_bearing(books, card, &attributes, &bearing);
    outcome = settle_amount(turn, card, &bearing, &amount, &plan);
    if (outcome.code != HF_CODE_OK || amount == 0)
        return outcome;

    apply_plan(turn, &plan);
    struct model_hold *hold =
        make_plain_hold(turn, card->account, auth->payee, auth->asset, amount, expires_ns);
    hold->policy = HF_HOLD_SOFT;
    hold->tolerance = auth->tolerance;
    hold->class_number = auth->class_number;
    for (uint32_t i = 0; i < bearing.count; i++)
        draw_limit(turn, bearing.limits[i], amount);
    card->status = HF_INSTRUMENT_ACTIVE;
    if (card->remaining != HF_INSTRUMENT_UNLIMITED) {
        card->remaining--;
        add_event(turn, HF_EVENT_DRAWN, card->token, (wide)card->remaining, 0, 0);
    }
    if (amount < auth->amount)
        outcome.code = HF_CODE_OK_PARTIAL;
    return outcome;
}
