/* Limits, and authorisations that come to their edges: amounts around what is left, and the moments
 * just before and at the end of a window. Limits are never taken away, so few are made, and what is
 * used up is mostly raised, reset or widened again. */
#include "draw_inside.h"

#define NS_PER_S     UINT64_C(1000000000)
#define S_PER_DAY    86400
#define NUMBERS_USED 20

/* Making ---------------------------------------------------------------------------------- */

static const struct model_limit *draw_limit_record(struct draw *draw)
{
    const struct model_books *books = draw->model->books;
    if (books->limit_count == 0)
        return NULL;
    return &books->limits[draw_below(draw, books->limit_count)];
}

/* Rather one more for whom there are limits already, so that many bear at once. */
static void draw_scope(struct draw *draw, struct hf_op_limit_put *put)
{
    const struct model_books *books = draw->model->books;
    const struct model_limit *there = draw_limit_record(draw);
    bool is_full = books->limit_count == draw->model->limits.limits;
    if (there != NULL && chance(draw, is_full ? 85 : 55)) {
        put->scope = there->scope;
        put->scope_id = there->scope_id;
        return;
    }
    const struct model_instrument *card = NULL;
    if (books->instrument_count > 0)
        card = &books->instruments[draw_below(draw, books->instrument_count)];
    const struct model_account *account = NULL;
    if (card != NULL && chance(draw, 85))
        account = model_account_of(draw->model, card->account);
    if (account != NULL && (account->parent.lo != 0 || account->parent.hi != 0) && chance(draw, 60))
        account = model_account_of(draw->model, account->parent);
    if (account != NULL && (account->parent.lo != 0 || account->parent.hi != 0) && chance(draw, 40))
        account = model_account_of(draw->model, account->parent);
    if (chance(draw, 40)) {
        put->scope = HF_LIMIT_INSTRUMENT;
        put->scope_id = card == NULL || chance(draw, 3) ? draw_token(draw) : card->token;
        return;
    }
    put->scope = HF_LIMIT_ACCOUNT;
    put->scope_id = account == NULL || chance(draw, 10) ? draw_account_id(draw) : account->id;
}

static uint64_t draw_length_ns(struct draw *draw)
{
    switch (draw_below(draw, 8)) {
    case 0:
        return 64 + draw_below(draw, 130);
    case 1:
        return 1 + draw_below(draw, HF_LIMIT_LENGTH_NS_MAX - 64) + 63;
    case 2:
        return PICK(draw, 64, HF_LIMIT_LENGTH_NS_MAX, S_PER_DAY * NS_PER_S, 4 * 3600 * NS_PER_S,
                    63000, 63001, 64 * DRAW_NS_PER_MS);
    default:
        return 64 + draw_below(draw, 120 * DRAW_NS_PER_MS);
    }
}

static void draw_window(struct draw *draw, struct hf_op_limit_put *put)
{
    put->window = (uint8_t)PICK(draw, HF_LIMIT_OPERATION, HF_LIMIT_DAY, HF_LIMIT_DAY, HF_LIMIT_WEEK,
                                HF_LIMIT_WEEK, HF_LIMIT_MONTH, HF_LIMIT_MONTH, HF_LIMIT_LIFETIME,
                                HF_LIMIT_ROLLING, HF_LIMIT_ROLLING, HF_LIMIT_ROLLING);
    if (put->window == HF_LIMIT_ROLLING)
        put->length_ns = draw_length_ns(draw);
    if (put->window >= HF_LIMIT_DAY && put->window <= HF_LIMIT_MONTH)
        put->zone_minutes =
            (int16_t)((int)PICK(draw, 840, 900, 540, 1170, 0, 1680, 841, 839) - 840);
    if (put->window >= HF_LIMIT_DAY && put->window <= HF_LIMIT_MONTH && chance(draw, 20))
        put->zone_minutes = (int16_t)((int)draw_below(draw, 1681) - 840);
    if (put->window == HF_LIMIT_WEEK)
        put->start = (uint8_t)(1 + draw_below(draw, 7));
    if (put->window == HF_LIMIT_MONTH)
        put->start = (uint8_t)(chance(draw, 40) ? 1 : 1 + draw_below(draw, 28));
}

/* What is there, with other maxima: what it has used stays. */
static void keep_window(const struct model_limit *limit, struct hf_op_limit_put *put)
{
    put->window = limit->window;
    put->length_ns = limit->length_ns;
    put->zone_minutes = limit->zone_minutes;
    put->start = limit->start;
}

/* Whales move what any other maximum would stop at once. */
static uint64_t draw_max_amount(struct draw *draw, const struct hf_op_limit_put *put)
{
    const struct model_instrument *card = model_instrument_of(draw->model, put->scope_id);
    const struct model_account account = {.id = card == NULL ? put->scope_id : card->account};
    if (chance(draw, is_whale(&account) ? 80 : 25))
        return HF_LIMIT_UNLIMITED;
    if (chance(draw, 2))
        return PICK(draw, 0, 1, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX - 1);
    return draw_below(draw, PICK(draw, 600, 4000, 4000, 40000, 200000));
}

static uint64_t draw_max_count(struct draw *draw)
{
    if (chance(draw, 55))
        return HF_LIMIT_UNLIMITED;
    if (chance(draw, 2))
        return PICK(draw, 0, UINT64_MAX - 1);
    return draw_below(draw, PICK(draw, 4, 20, 60));
}

static void draw_raise(struct draw *draw, struct hf_op_limit_put *put)
{
    put->mode = HF_LIMIT_RAISE;
    put->max_amount = chance(draw, 25) ? 0 : draw_max_amount(draw, put);
    put->max_count = chance(draw, 25) ? 0 : draw_max_count(draw);
    const struct model_limit *limit =
        model_limit_of(draw->model, put->scope, put->scope_id, put->number);
    if (limit != NULL && chance(draw, 10))
        put->max_amount = UINT64_MAX - 1 - limit->max_amount + draw_below(draw, 2);
    if (limit != NULL && chance(draw, 10))
        put->max_count = UINT64_MAX - 1 - limit->max_count + draw_below(draw, 2);
}

void draw_limit_put(struct draw *draw, struct hf_op_limit_put *put)
{
    put->header.length = sizeof(*put);
    draw_scope(draw, put);
    const struct model_books *books = draw->model->books;
    bool is_full = books->limit_count == draw->model->limits.limits;
    const struct model_limit *limits[HF_LIMITS_A_SCOPE];
    uint32_t count = model_limits_of(draw->model, put->scope, put->scope_id, limits);
    const struct model_limit *limit = count == 0 ? NULL : limits[draw_below(draw, count)];
    put->number = (uint8_t)(1 + draw_below(draw, chance(draw, 90) ? NUMBERS_USED : 255));
    if (limit != NULL && chance(draw, is_full ? 90 : 50))
        put->number = limit->number;
    else
        limit = model_limit_of(draw->model, put->scope, put->scope_id, put->number);
    if (chance(draw, limit == NULL ? 6 : 50)) {
        if (chance(draw, 50))
            draw_raise(draw, put);
        else
            put->mode = HF_LIMIT_RESET;
        return;
    }
    if (limit != NULL && chance(draw, 60)) {
        keep_window(limit, put);
        if (put->window == HF_LIMIT_WEEK && chance(draw, 15))
            put->start = (uint8_t)(1 + put->start % 7);
    } else {
        draw_window(draw, put);
    }
    put->max_amount = draw_max_amount(draw, put);
    put->max_count = draw_max_count(draw);
    if (chance(draw, 50))
        draw_filter(draw, &put->filter);
}

/* Authorising ----------------------------------------------------------------------------- */

const struct model_limit *draw_limit_on(struct draw *draw, const struct model_instrument *card)
{
    const struct model_limit *limits[HF_LIMITS_A_SCOPE];
    uint32_t count = model_limits_of(draw->model, HF_LIMIT_INSTRUMENT, card->token, limits);
    const struct model_limit *limit = count == 0 ? NULL : limits[draw_below(draw, count)];
    struct hf_id payers[HF_INSTRUMENT_ACCOUNTS_MAX];
    uint32_t payer_count = model_payers_of(card, payers);
    const struct model_account *account =
        model_account_of(draw->model, payers[draw_below(draw, payer_count)]);
    for (; account != NULL; account = model_account_of(draw->model, account->parent)) {
        count = model_limits_of(draw->model, HF_LIMIT_ACCOUNT, account->id, limits);
        if (count != 0 && (limit == NULL || chance(draw, 50)))
            limit = limits[draw_below(draw, count)];
    }
    return limit;
}

void draw_limited_amount(struct draw *draw, const struct model_instrument *card,
                         struct hf_op_auth *auth)
{
    const struct model_limit *limit = draw_limit_on(draw, card);
    if (limit == NULL || auth->amount == 0)
        return;
    uint64_t left = model_left_of(draw->model, limit, draw->timestamp_ns);
    if (left < 2 || left > 100000 || !chance(draw, 35))
        return;
    auth->amount = as_amount((__int128)left + (__int128)draw_below(draw, 3) - 1);
    if (chance(draw, 50))
        auth->amount = 1 + draw_below(draw, left);
}

/* None, all, what the payer has, one more or less than that, or something in between. */
void draw_minimum(struct draw *draw, const struct model_account *payer, struct hf_op_auth *auth)
{
    if (auth->amount == 0 || chance(draw, 50))
        return;
    auth->minimum = 1 + draw_below(draw, auth->amount);
    if (chance(draw, 40))
        auth->minimum = PICK(draw, 1, 1, auth->amount, (auth->amount + 1) / 2);
    if (payer == NULL || !chance(draw, 30))
        return;
    int64_t available = model_available(draw->model, payer);
    if (available > 0 && available < 200000 && chance(draw, 20))
        available += (int64_t)draw_below(draw, 400);
    if (available < 1 || available > 200000)
        return;
    auth->amount = (uint64_t)available + draw_below(draw, 3);
    auth->minimum = as_amount((__int128)available + (__int128)draw_below(draw, 3) - 1);
    if (auth->minimum > auth->amount)
        auth->minimum = auth->amount;
}

/* Time ------------------------------------------------------------------------------------ */

/* The first moment of the next window of a calendar limit: midnight after midnight in its zone. */
static uint64_t next_window_ns(const struct model_limit *limit, uint64_t now_ns)
{
    int64_t ahead_s = (int64_t)limit->zone_minutes * 60;
    int64_t local_s = (int64_t)(now_ns / NS_PER_S) + ahead_s;
    /* Rounding is done above 0: no zone is a day from Greenwich. */
    int64_t midnight_s = (local_s + S_PER_DAY) / S_PER_DAY * S_PER_DAY - ahead_s;
    int64_t now = model_window_of(limit, now_ns);
    while (model_window_of(limit, (uint64_t)midnight_s * NS_PER_S) == now)
        midnight_s += S_PER_DAY;
    return (uint64_t)midnight_s * NS_PER_S;
}

/* When one of the rolling limit's draws is forgotten; 0: nothing is there to be. */
static uint64_t next_leaving_ns(struct draw *draw, const struct model_limit *limit)
{
    uint64_t bucket_ns = (limit->length_ns + 62) / 63;
    uint32_t at = limit->newest;
    uint64_t left_ns = 0;
    while (at != 0) {
        const struct model_draw *drawn = &draw->model->draws[at - 1];
        uint64_t leaves_ns = ((uint64_t)drawn->window + 64) * bucket_ns;
        if (leaves_ns <= draw->timestamp_ns)
            break;
        left_ns = leaves_ns;
        if (chance(draw, 30))
            break;
        at = drawn->before;
    }
    return left_ns;
}

uint64_t draw_limit_edge_ns(struct draw *draw)
{
    uint64_t edge_ns = draw->edge_ns;
    draw->edge_ns = 0;
    if (edge_ns != 0 && chance(draw, 85))
        return edge_ns;
    const struct model_limit *limit = draw_limit_record(draw);
    if (limit == NULL || limit->newest == 0)
        return 0;
    uint32_t percent = 0;
    edge_ns = 0;
    if (limit->window == HF_LIMIT_ROLLING) {
        edge_ns = next_leaving_ns(draw, limit);
        percent = edge_ns < draw->timestamp_ns + 200 * DRAW_NS_PER_MS ? 25 : 1;
    } else if (limit->window >= HF_LIMIT_DAY && limit->window <= HF_LIMIT_MONTH) {
        edge_ns = next_window_ns(limit, draw->timestamp_ns);
        percent = 6;
    }
    if (edge_ns <= draw->timestamp_ns + 1 || !chance(draw, percent))
        return 0;
    /* First the last moment of the old window, then perhaps the first of the new one. */
    draw->edge_ns = edge_ns;
    draw->edge_limit = (uint32_t)(limit - draw->model->books->limits);
    return edge_ns - 1;
}
