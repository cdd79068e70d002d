/* Instruments, authorisations and what happens to them: increments, reversals, clearings, and
 * advices of what others have decided, at amounts around what there is to take, and of originals
 * that are there, that were refused, reversed or forgotten, or that have not come yet. */
#include "draw_inside.h"

#include <string.h>

/* Instruments and authorisations ---------------------------------------------------------- */

static bool is_named(const struct hf_op_instrument_put *put, struct hf_id id)
{
    bool named = hf_id_equal(put->account, id);
    for (uint32_t i = 0; i < put->further_count; i++)
        named = named || hf_id_equal(put->further[i], id);
    return named;
}

/* Of the asset: rather a neighbour of the account below the same total, now and then one that is
 * closed. */
static const struct model_account *draw_neighbour(struct draw *draw,
                                                  const struct model_account *account)
{
    const struct model_books *books = draw->model->books;
    uint64_t first = draw_below(draw, MODEL_ACCOUNTS_MAX);
    bool closed = chance(draw, 15);
    for (uint32_t i = 0; i < books->account_count && chance(draw, 97); i++) {
        const struct model_account *other = &books->accounts[(first + i) % books->account_count];
        if (other->is_total || other->asset != account->asset || other == account)
            continue;
        if (closed ? other->status == HF_ACCOUNT_CLOSED
                   : account->parent.hi != 0 && hf_id_equal(other->parent, account->parent))
            return other;
    }
    return draw_account(draw, is_whale(account));
}

/* Further accounts, rather of one asset and with something in common above them. */
static void draw_further(struct draw *draw, const struct model_account *account,
                         struct hf_op_instrument_put *put)
{
    uint64_t wanted = chance(draw, 8) ? HF_INSTRUMENT_FURTHER_MAX : 1 + draw_below(draw, 3);
    for (int tries = 0; put->further_count < wanted && tries < 30; tries++) {
        const struct model_account *other = draw_neighbour(draw, account);
        if (other == NULL || is_named(put, other->id))
            continue;
        bool fits = other->asset == account->asset && !other->is_total;
        if (!fits && !chance(draw, 1))
            continue;
        put->further[put->further_count++] = other->id;
    }
    if (put->further_count > 0 && chance(draw, 1)) {
        struct hf_id any = draw_account_id(draw);
        if (!is_named(put, any))
            put->further[put->further_count - 1u] = any;
    }
    if (put->further_count > 0 && chance(draw, 20)) {
        struct hf_id last = put->further[put->further_count - 1u];
        put->further[put->further_count - 1u] = put->account;
        put->account = last;
    }
    put->header.length = (uint16_t)(sizeof(*put) + put->further_count * sizeof(put->further[0]));
}

void draw_instrument_put(struct draw *draw, struct hf_op_instrument_put *put)
{
    const struct model_account *account = draw_account(draw, chance(draw, 8));
    for (int tries = 0; tries < 6 && account != NULL && !is_whale(account); tries++) {
        if (!account->is_total && (account->parent.lo != 0 || account->parent.hi != 0))
            break;
        account = draw_account(draw, false);
    }
    put->header.length = sizeof(*put);
    put->token = draw_token(draw);
    put->account = account == NULL || chance(draw, 3) ? draw_account_id(draw) : account->id;
    put->expires_ns =
        chance(draw, 92) ? 0 : draw->timestamp_ns + draw_below(draw, 20 * DRAW_NS_PER_MS);
    if (chance(draw, 10))
        put->expires_ns = draw->timestamp_ns + draw_below(draw, 2);
    put->amount_limit =
        chance(draw, 70) ? HF_INSTRUMENT_UNLIMITED : draw_below(draw, chance(draw, 10) ? 2 : 600);
    put->remaining = chance(draw, 70) ? HF_INSTRUMENT_UNLIMITED : draw_below(draw, 8);
    uint64_t kind = draw_below(draw, 1000);
    put->status = kind < 1     ? HF_INSTRUMENT_CLOSED
                  : kind < 60  ? HF_INSTRUMENT_FROZEN
                  : kind < 300 ? HF_INSTRUMENT_INACTIVE
                               : HF_INSTRUMENT_ACTIVE;
    put->flags = chance(draw, 60) ? HF_INSTRUMENT_FIRST_USE : 0;
    account = model_account_of(draw->model, put->account);
    if (account != NULL && chance(draw, 45))
        draw_further(draw, account, put);
}

const struct model_instrument *draw_card(struct draw *draw)
{
    const struct model_books *books = draw->model->books;
    const struct model_instrument *card = NULL;
    for (int tries = 0; tries < 4 && books->instrument_count > 0; tries++) {
        card = &books->instruments[draw_below(draw, books->instrument_count)];
        bool expired = card->expires_ns != 0 && card->expires_ns <= draw->timestamp_ns;
        if (card->status == HF_INSTRUMENT_ACTIVE && card->remaining != 0 && !expired)
            break;
    }
    return card;
}

/* About what the first few of its accounts can pay together. */
static void draw_shared_amount(struct draw *draw, const struct model_instrument *card,
                               struct hf_op_auth *auth)
{
    struct hf_id payers[HF_INSTRUMENT_ACCOUNTS_MAX];
    uint32_t count = model_payers_of(card, payers);
    __int128 sum = 0;
    for (uint64_t i = draw_below(draw, count) + 1; i-- > 0;) {
        int64_t available = model_available(draw->model, model_account_of(draw->model, payers[i]));
        sum += available > 0 ? available : 0;
    }
    if (sum < 100000)
        auth->amount = as_amount(sum + (__int128)draw_below(draw, 40) - 20);
}

void draw_auth(struct draw *draw, struct hf_op_auth *auth)
{
    const struct model_instrument *card = chance(draw, 3) ? NULL : draw_card(draw);
    const struct model_account *payer =
        card == NULL ? NULL : model_account_of(draw->model, card->account);
    struct parties parties;
    draw_parties(draw, payer, &parties);
    auth->header.length = sizeof(*auth);
    auth->token = card == NULL ? draw_token(draw) : card->token;
    auth->payee = parties.payee_id;
    auth->asset = payer == NULL || chance(draw, 2) ? parties.asset : payer->asset;
    parties.payer = payer;
    auth->amount = chance(draw, 8) ? 0 : draw_amount(draw, &parties);
    if (card != NULL && card->amount_limit < 1000 && chance(draw, 30))
        auth->amount = card->amount_limit + draw_below(draw, 2);
    draw_attributes(draw, &auth->mcc, &auth->country, &auth->channel, auth->merchant);
    if (chance(draw, 2))
        auth->channel = (uint8_t)draw_bits(draw);
    auth->class_number = (uint8_t)(chance(draw, 50) ? 0 : draw_below(draw, HF_CLASSES));
    auth->tolerance = (uint16_t)PICK(draw, 0, 0, 15, 200, HF_TOLERANCE_MAX);
    if (card != NULL && payer != NULL)
        draw_limited_amount(draw, card, auth);
    if (card != NULL && card->further_count > 0 && payer != NULL && chance(draw, 50))
        draw_shared_amount(draw, card, auth);
    draw_minimum(draw, payer, auth);
    auth->stan = (uint32_t)draw_bits(draw);
    auth->acquirer = draw_acquirer(draw);
    auth->auth_flags |= chance(draw, 35) ? HF_AUTH_ESTIMATED : 0;
    if (chance(draw, 12)) {
        auth->auth_flags |= HF_AUTH_FORCED;
        auth->minimum = 0;
        auth->amount = auth->amount == 0 ? 1 : auth->amount;
    }
}

/* Originals ------------------------------------------------------------------------------- */

static bool draw_interest(struct draw *draw, const struct model_hold *hold)
{
    if (!hold->record.is_there)
        return false;
    if (hold->status == HF_HOLD_OPEN || hold->status == HF_HOLD_LAPSED)
        return true;
    bool posted = hold->status == HF_HOLD_RESOLVED && hold->captured > 0;
    return chance(draw, posted ? 60 : 12);
}

/* Worth a visit of its own: what has lapsed, and what belongs to somebody who is gone. */
static bool is_lapsed(const struct draw *draw, const struct model_hold *hold)
{
    return draw != NULL && hold->status == HF_HOLD_LAPSED;
}

static bool is_orphaned(const struct draw *draw, const struct model_hold *hold)
{
    const struct model_account *payer = model_account_of(draw->model, hold->parts[0].account);
    const struct model_account *payee = model_account_of(draw->model, hold->payee);
    if (hold->captured == 0 || payer == NULL || payee == NULL)
        return false;
    return payer->status == HF_ACCOUNT_CLOSED || payee->status == HF_ACCOUNT_CLOSED;
}

static const struct model_hold *
draw_record(struct draw *draw, bool (*is_wanted)(const struct draw *, const struct model_hold *))
{
    const struct model_books *books = draw->model->books;
    uint64_t first = draw_below(draw, MODEL_HOLDS_MAX);
    for (uint32_t i = 0; i < books->hold_count; i++) {
        const struct model_hold *hold = &books->holds[(first + i) % books->hold_count];
        if (hold->record.is_there && is_wanted(draw, hold))
            return hold;
    }
    return NULL;
}

/* Mostly one that something can be done with; NULL with an id of something else. */
static const struct model_hold *draw_authorisation(struct draw *draw, struct hf_id *id)
{
    const struct model_books *books = draw->model->books;
    const struct model_hold *wanted = chance(draw, 20) ? draw_record(draw, is_lapsed) : NULL;
    if (wanted != NULL) {
        *id = wanted->id;
        return wanted;
    }
    if (books->hold_count > 0 && !chance(draw, 4)) {
        uint64_t first = draw_below(draw, books->hold_count);
        const struct model_hold *any = NULL;
        for (uint32_t i = 0; i < books->hold_count; i++) {
            const struct model_hold *hold = &books->holds[(first + i) % books->hold_count];
            if (hold->record.is_there)
                any = hold;
            if (draw_interest(draw, hold)) {
                *id = hold->id;
                return hold;
            }
        }
        if (any != NULL) {
            *id = any->id;
            return any;
        }
    }
    draw_hold_record(draw, id);
    return NULL;
}

uint64_t draw_acquirer(struct draw *draw)
{
    return chance(draw, 90) ? 7 : draw_below(draw, 3);
}

/* Nearly always who sent the original. */
static void set_sender(struct draw *draw, const struct model_hold *hold,
                       struct hf_op_header *header, uint64_t *acquirer, uint16_t *asset)
{
    *acquirer = draw_acquirer(draw);
    *asset = (uint16_t)(1 + draw_below(draw, DRAW_ASSETS_USED));
    if (hold == NULL)
        return;
    if (!chance(draw, 3))
        header->origin = hold->origin;
    if (!chance(draw, 3))
        *acquirer = hold->record.acquirer;
    if (!chance(draw, 3))
        *asset = hold->asset;
}

static uint64_t uncaptured_of(const struct model_hold *hold)
{
    return hold->status == HF_HOLD_LAPSED ? hold->amount - hold->captured : hold->remaining;
}

static const struct model_account *payer_of(const struct draw *draw, const struct model_hold *hold)
{
    return model_account_of(draw->model, hold->parts[0].account);
}

/* Increments ------------------------------------------------------------------------------ */

static const struct model_hold *draw_estimated(struct draw *draw, struct hf_id *id)
{
    const struct model_books *books = draw->model->books;
    uint64_t first = draw_below(draw, MODEL_HOLDS_MAX);
    for (uint32_t i = 0; i < books->hold_count && !chance(draw, 1); i++) {
        const struct model_hold *hold = &books->holds[(first + i) % books->hold_count];
        bool estimated = (hold->record.flags & HF_AUTHORISATION_ESTIMATED) != 0;
        if (!estimated || hold->status != HF_HOLD_OPEN)
            continue;
        *id = hold->id;
        return hold;
    }
    return draw_authorisation(draw, id);
}

static uint64_t draw_raise(struct draw *draw, const struct model_hold *hold)
{
    const struct model_account *payer = hold == NULL ? NULL : payer_of(draw, hold);
    if (payer == NULL || chance(draw, 45))
        return 1 + draw_below(draw, 200);
    const struct model_instrument *card = model_instrument_of(draw->model, hold->record.token);
    const struct model_limit *limit = card == NULL ? NULL : draw_limit_on(draw, card);
    switch (draw_below(draw, 4)) {
    case 0:
        return as_amount((__int128)INT64_MAX - (__int128)hold->amount +
                         (__int128)draw_below(draw, 2));
    case 1:
        if (limit != NULL)
            return as_amount((__int128)model_left_of(draw->model, limit, draw->timestamp_ns) -
                             (__int128)(limit->window == HF_LIMIT_OPERATION ? hold->amount : 0) +
                             (__int128)draw_below(draw, 2));
        return 1;
    case 2:
        if (card != NULL && card->amount_limit < 100000)
            return as_amount((__int128)card->amount_limit - (__int128)hold->amount +
                             (__int128)draw_below(draw, 2));
        return 2;
    default:
        return as_amount((__int128)model_available(draw->model, payer) +
                         (__int128)draw_below(draw, 2));
    }
}

void draw_increment(struct draw *draw, struct hf_op_increment *increment)
{
    const struct model_hold *hold = draw_estimated(draw, &increment->original);
    increment->header.length = sizeof(*increment);
    set_sender(draw, hold, &increment->header, &increment->acquirer, &increment->asset);
    increment->amount = draw_raise(draw, hold);
    if (chance(draw, 50))
        increment->class_number = (uint8_t)draw_below(draw, HF_CLASSES);
}

/* Reversals ------------------------------------------------------------------------------- */

/* An authorisation or a forced clearing that is sent after its reversal, some time. */
static const struct hf_op_header *draw_late(struct draw *draw)
{
    union model_operation *late =
        &draw->late[draw->late_count < DRAW_LATE_MAX ? draw->late_count++
                                                     : draw_below(draw, DRAW_LATE_MAX)];
    do {
        draw_fresh(draw, chance(draw, 80) ? HF_OP_AUTH : HF_OP_CLEAR, late);
        late->operation.header.flags &= (uint8_t)~HF_OP_DRY_RUN;
    } while (model_check(&late->operation, sizeof(*late)).code != HF_CODE_OK);
    return &late->operation.header;
}

static uint64_t draw_reversible(struct draw *draw, const struct model_hold *hold, bool captured)
{
    if (hold == NULL || chance(draw, 45))
        return UINT64_MAX;
    __int128 whole = (__int128)uncaptured_of(hold) + (captured ? (__int128)hold->captured : 0);
    bool is_over = (hold->record.flags & HF_AUTHORISATION_REVERSED) != 0;
    if (is_over && chance(draw, 60))
        return as_amount((__int128)hold->record.reversed + (__int128)draw_below(draw, 2));
    switch (draw_below(draw, 5)) {
    case 0:
        return as_amount(whole + (__int128)draw_below(draw, 2));
    case 1:
        return as_amount((__int128)uncaptured_of(hold) + (__int128)draw_below(draw, 3) - 1);
    default:
        return 1 + (whole > 1 ? draw_below(draw, (uint64_t)whole) : 0);
    }
}

void draw_reverse(struct draw *draw, struct hf_op_reverse *reverse)
{
    reverse->header.length = sizeof(*reverse);
    if (chance(draw, 20)) {
        const struct hf_op_header *late = draw_late(draw);
        bool is_auth = late->type == HF_OP_AUTH;
        const struct hf_op_auth *auth = (const void *)late;
        const struct hf_op_clear *clear = (const void *)late;
        reverse->original = late->id;
        reverse->header.origin = late->origin;
        reverse->acquirer = is_auth ? auth->acquirer : clear->acquirer;
        reverse->asset = is_auth ? auth->asset : clear->asset;
        reverse->amount = chance(draw, 50) ? UINT64_MAX : is_auth ? auth->amount : clear->amount;
        if (reverse->amount == 0)
            reverse->amount = 1;
        return;
    }
    const struct model_hold *hold = chance(draw, 8) ? draw_record(draw, is_orphaned) : NULL;
    if (hold == NULL)
        hold = draw_authorisation(draw, &reverse->original);
    else
        reverse->original = hold->id;
    set_sender(draw, hold, &reverse->header, &reverse->acquirer, &reverse->asset);
    bool posted = hold != NULL && hold->captured > 0;
    reverse->captured = chance(draw, posted ? 65 : 10);
    reverse->amount = draw_reversible(draw, hold, reverse->captured == 1);
}

/* Clearings ------------------------------------------------------------------------------- */

static uint64_t draw_cleared(struct draw *draw, const struct model_hold *hold)
{
    if (hold == NULL || hold->amount == 0 || chance(draw, 5))
        return 1 + draw_below(draw, 400);
    __int128 left = uncaptured_of(hold);
    __int128 most = left + (__int128)hold->amount * hold->tolerance / 1000;
    switch (draw_below(draw, 8)) {
    case 0:
    case 1:
        return as_amount(left);
    case 2:
        return as_amount(left + (__int128)draw_below(draw, 3) - 1);
    case 3:
        return as_amount(most + (__int128)draw_below(draw, 2));
    case 4:
        return as_amount(most + (__int128)draw_below(draw, 300));
    default:
        return 1 + (left > 1 ? draw_below(draw, (uint64_t)left) : 0);
    }
}

/* Whom a clearing is charged to that has no authorisation. */
static void draw_charged(struct draw *draw, struct hf_op_clear *clear)
{
    const struct model_instrument *card = draw_card(draw);
    const struct model_account *payer =
        card == NULL ? NULL : model_account_of(draw->model, card->account);
    const struct model_account *payee = draw_account(draw, payer != NULL && is_whale(payer));
    clear->token = card == NULL || chance(draw, 3) ? draw_token(draw) : card->token;
    clear->payee = payee == NULL ? draw_account_id(draw) : payee->id;
    for (int tries = 0; tries < 8 && payer != NULL && payee != NULL; tries++) {
        if (payee != payer && payee->asset == payer->asset && !payee->is_total)
            break;
        payee = draw_account(draw, is_whale(payer));
        clear->payee = payee == NULL ? draw_account_id(draw) : payee->id;
    }
    for (int tries = 0; tries < 20 && chance(draw, 30); tries++) {
        payee = draw_account(draw, false);
        if (payee != NULL && payee->expires_ns != 0 && payee->expires_ns <= draw->timestamp_ns)
            clear->payee = payee->id;
    }
    if (payer != NULL && !chance(draw, 3))
        clear->asset = payer->asset;
    if (chance(draw, 3))
        clear->payee = draw_account_id(draw);
    if (payer != NULL && chance(draw, 2))
        clear->payee = payer->id;
    if (payer != NULL && is_whale(payer) && chance(draw, 50))
        clear->amount = as_amount((__int128)(draw_bits(draw) >> 1));
}

void draw_clear(struct draw *draw, struct hf_op_clear *clear)
{
    struct hf_id other;
    const struct model_hold *hold = draw_authorisation(draw, &clear->original);
    clear->header.length = sizeof(*clear);
    set_sender(draw, hold, &clear->header, &clear->acquirer, &clear->asset);
    clear->amount = draw_cleared(draw, hold);
    clear->clear_flags |= chance(draw, 35) ? HF_CLEAR_FINAL : 0;
    clear->clear_flags |= chance(draw, 35) ? HF_CLEAR_FORCED : 0;
    draw_attributes(draw, &clear->mcc, &clear->country, &clear->channel, clear->merchant);
    clear->reference = (uint32_t)draw_bits(draw);
    if (hold != NULL && chance(draw, 20))
        clear->token = hold->record.token;
    if (hold != NULL && chance(draw, 20))
        clear->payee = hold->payee;
    bool ended = hold == NULL || hold->status == HF_HOLD_RESOLVED ||
                 hold->status == HF_HOLD_REFUSED || hold->status == HF_HOLD_REVERSED;
    if ((clear->clear_flags & HF_CLEAR_FORCED) == 0) {
        if (chance(draw, 3))
            clear->token = draw_token(draw);
        if (chance(draw, 3))
            clear->payee = draw_account_id(draw);
        return;
    }
    if (chance(draw, 15))
        clear->original = chance(draw, 70) ? (struct hf_id){0, 0} : clear->original;
    bool none = clear->original.lo == 0 && clear->original.hi == 0;
    if (!none && chance(draw, 10)) {
        draw_hold_record(draw, &other);
        clear->original = other;
        clear->original.lo ^= UINT64_C(1) << 50;
        none = true;
    }
    if (none || (ended && chance(draw, 50)))
        draw_charged(draw, clear);
}
