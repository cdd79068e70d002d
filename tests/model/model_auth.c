/* The model's authorisations: an AUTH, a verification, one that is forced, or a clearing that is
 * posted without any, of instruments with one account or several; and the record each leaves. */
#include "model_inside.h"

#include <assert.h>
#include <string.h>

/* What comes of a request: who takes how much. */
struct charge {
    struct model_instrument *card;
    uint32_t count; /* of the instrument's payers */
    struct model_account *payers[HF_INSTRUMENT_ACCOUNTS_MAX];
    uint16_t passed_over[HF_INSTRUMENT_ACCOUNTS_MAX]; /* the code; OK: it takes part */
    uint64_t takes[HF_INSTRUMENT_ACCOUNTS_MAX];
    uint64_t amount;
    struct plan *plan;
};

static bool is_forced(const struct request *request)
{
    return (request->flags & HF_AUTHORISATION_FORCED) != 0;
}

/* A refusal that binds only what is not forced. */
static struct outcome settle_refusal(const struct request *request, struct outcome refusal,
                                     struct outcome *forgiven)
{
    if (refusal.code == HF_CODE_OK || !is_forced(request))
        return refusal;
    forgive(forgiven, refusal);
    return approve(0, refusal.account);
}

uint32_t model_payers_of(const struct model_instrument *instrument,
                         struct hf_id payers[HF_INSTRUMENT_ACCOUNTS_MAX])
{
    payers[0] = instrument->account;
    for (uint32_t i = 0; i < instrument->further_count; i++)
        payers[1 + i] = instrument->further[i];
    return 1u + instrument->further_count;
}

/* Checking -------------------------------------------------------------------------------- */

struct outcome check_card(const struct turn *turn, const struct model_instrument *card,
                          uint64_t amount, bool looks_at_counter)
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
    if (looks_at_counter && card->remaining == 0)
        return refuse(HF_CODE_COUNT_LIMIT, HF_RULE_INSTRUMENT_COUNT, 0, NULL);
    return approve(0, NULL);
}

static uint8_t payer_entry(const struct charge *charge, uint32_t i)
{
    return charge->count > 1 ? (uint8_t)(i + 1) : 0;
}

/* A closed account is closed for what is forced as well. */
static uint16_t check_rest(const struct turn *turn, const struct request *request,
                           const struct model_account *account, bool pays, uint8_t entry,
                           struct outcome *forgiven)
{
    uint16_t code = standing_rest(turn, account, pays ? &request->attributes : NULL);
    if (code == HF_CODE_OK || code == HF_CODE_CLOSED || !is_forced(request))
        return code;
    forgive(forgiven, refuse(code, pays ? HF_RULE_PAYER : HF_RULE_PAYEE, entry, NULL));
    return HF_CODE_OK;
}

/* Who pays and who is paid. */
static struct outcome check_payers(const struct turn *turn, const struct request *request,
                                   struct charge *charge, struct outcome *forgiven)
{
    struct model_books *books = turn->model->books;
    struct hf_id ids[HF_INSTRUMENT_ACCOUNTS_MAX];
    charge->count = model_payers_of(charge->card, ids);
    for (uint32_t i = 0; i < charge->count; i++)
        if (same_id(ids[i], request->payee))
            return refuse(HF_CODE_SAME_ACCOUNT, HF_RULE_PAYER, payer_entry(charge, i), NULL);
    for (uint32_t i = 0; i < charge->count; i++)
        charge->payers[i] = find_account(books, ids[i]);
    const struct model_account *first = charge->payers[0];
    const struct model_account *payee = find_account(books, request->payee);
    if (payee == NULL)
        return refuse(HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_PAYEE, 0, first);
    uint16_t code;
    for (uint32_t i = 0; i < charge->count; i++)
        if ((code = standing_kind(charge->payers[i], request->asset)) != HF_CODE_OK)
            return refuse(code, HF_RULE_PAYER, payer_entry(charge, i), first);
    if ((code = standing_kind(payee, request->asset)) != HF_CODE_OK)
        return refuse(code, HF_RULE_PAYEE, 0, first);
    for (uint32_t i = 0; i < charge->count; i++) {
        code = check_rest(turn, request, charge->payers[i], true, payer_entry(charge, i), forgiven);
        if (code != HF_CODE_OK && charge->count == 1)
            return refuse(code, HF_RULE_PAYER, 0, first);
        charge->passed_over[i] = code;
    }
    code = check_rest(turn, request, payee, false, 0, forgiven);
    if (code != HF_CODE_OK)
        return refuse(code, HF_RULE_PAYEE, 0, first);
    return approve(0, first);
}

/* Makes the amount what the strictest limit allows, where the minimum lets that do. */
static struct outcome check_limits(const struct turn *turn, const struct request *request,
                                   const struct bearing *bearing, struct charge *charge,
                                   struct outcome *forgiven)
{
    struct strictest strictest = find_strictest(turn, bearing, NULL, NULL);
    strictest.refusal.account = charge->payers[0];
    bool allowed = strictest.allows >= charge->amount && !strictest.is_used_up;
    if (!strictest.is_any || allowed)
        return approve(0, charge->payers[0]);
    if (strictest.allows > 0 && request->minimum != 0 && strictest.allows >= request->minimum) {
        charge->amount = strictest.allows;
        return approve(0, charge->payers[0]);
    }
    return settle_refusal(request, strictest.refusal, forgiven);
}

static struct outcome charge_one(const struct turn *turn, const struct request *request,
                                 struct charge *charge, struct outcome *forgiven)
{
    struct model_books *books = turn->model->books;
    struct bearing bearing;
    begin_bearing(&bearing);
    bear_instrument(books, charge->card, &request->attributes, 0, 0, &bearing);
    bear_account(books, charge->payers[0]->id, &request->attributes, 0, 0, &bearing);
    struct outcome outcome = check_limits(turn, request, &bearing, charge, forgiven);
    if (outcome.code != HF_CODE_OK)
        return outcome;
    begin_plan(charge->plan);
    wide funds = can_pay(books, charge->plan, charge->payers[0]);
    if (request->minimum != 0 && funds < (wide)charge->amount && funds >= (wide)request->minimum)
        charge->amount = (uint64_t)funds;
    charge->takes[0] = charge->amount;
    return outcome;
}

/* Several payers -------------------------------------------------------------------------- */

static struct model_balance taking(const struct request *request, wide amount)
{
    if (request->is_posted)
        return (struct model_balance){.posted = -amount, .lifetime_debits = amount};
    return (struct model_balance){.held_out = amount};
}

/* Each takes what it can and may. Returns what is left, and in `stop` the limit that stopped the
 * first whom one stopped; of nothing at all, the one that has used up the first one's count. */
static wide take_in_turn(const struct turn *turn, const struct request *request,
                         struct charge *charge, struct outcome *stop)
{
    struct model_books *books = turn->model->books;
    struct bearing taken;
    begin_bearing(&taken);
    wide left = (wide)charge->amount;
    bool is_first = true;
    begin_plan(charge->plan);
    for (uint32_t i = 0; i < charge->count; i++) {
        if (charge->passed_over[i] != HF_CODE_OK)
            continue;
        struct bearing own;
        begin_bearing(&own);
        bear_account(books, charge->payers[i]->id, &request->attributes, 0, 0, &own);
        struct strictest strictest = find_strictest(turn, &own, NULL, &taken);
        wide allows = (wide)strictest.allows;
        wide funds = can_pay(books, charge->plan, charge->payers[i]);
        wide take = left;
        if (take > funds)
            take = funds;
        if (take > allows)
            take = allows;
        bool stopped = strictest.is_any && allows < funds && allows < left;
        if (charge->amount == 0)
            stopped = is_first && strictest.is_used_up;
        if (stopped)
            forgive(stop, strictest.refusal);
        is_first = false;
        left -= take;
        charge->takes[i] = (uint64_t)take;
        if (take == 0)
            continue;
        add_leg(charge->plan, charge->payers[i], taking(request, take), HF_RULE_PAYER, 0, true);
        bear_account(books, charge->payers[i]->id, &request->attributes, take, 0, &taken);
    }
    return left;
}

static struct outcome charge_several(const struct turn *turn, const struct request *request,
                                     struct charge *charge, struct outcome *forgiven)
{
    struct model_books *books = turn->model->books;
    const struct model_account *first = charge->payers[0];
    struct bearing bearing;
    begin_bearing(&bearing);
    bear_instrument(books, charge->card, &request->attributes, 0, 0, &bearing);
    struct outcome outcome = check_limits(turn, request, &bearing, charge, forgiven);
    if (outcome.code != HF_CODE_OK)
        return outcome;
    struct outcome stop = {.code = HF_CODE_OK};
    wide left = take_in_turn(turn, request, charge, &stop);
    wide taken = (wide)charge->amount - left;
    uint32_t willing = 0;
    while (willing < charge->count && charge->passed_over[willing] != HF_CODE_OK)
        willing++;
    bool lacks = left > 0 || charge->amount == 0;
    if (lacks && willing == charge->count)
        return refuse(charge->passed_over[0], HF_RULE_PAYER, 1, first);
    if (charge->amount == 0 && stop.code != HF_CODE_OK)
        return refuse(stop.code, stop.rule, stop.entry, first);
    if (left == 0)
        return outcome;
    if (request->minimum != 0 && taken >= (wide)request->minimum) {
        charge->amount = (uint64_t)taken;
        return outcome;
    }
    if (stop.code == HF_CODE_OK)
        stop = refuse(HF_CODE_INSUFFICIENT, HF_RULE_PAYER, 0, NULL);
    stop.account = first;
    charge->takes[willing] += (uint64_t)left;
    return settle_refusal(request, stop, forgiven);
}

/* The plan, once it is known who takes how much, and room for what it makes. */
static struct outcome check_plan(const struct turn *turn, const struct request *request,
                                 struct charge *charge, struct outcome *forgiven)
{
    struct model_books *books = turn->model->books;
    wide amount = (wide)charge->amount;
    uint32_t parts = 0;
    begin_plan(charge->plan);
    for (uint32_t i = 0; i < charge->count; i++) {
        parts += charge->takes[i] > 0;
        if (charge->takes[i] > 0 || charge->count == 1)
            add_leg(charge->plan, charge->payers[i], taking(request, (wide)charge->takes[i]),
                    HF_RULE_PAYER, payer_entry(charge, i), true);
    }
    struct model_balance given = {.held_in = amount};
    if (request->is_posted)
        given = (struct model_balance){.posted = amount};
    add_leg(charge->plan, find_account(books, request->payee), given, HF_RULE_PAYEE, 0, false);
    struct outcome outcome = pass_guards(books, charge->plan, is_forced(request) ? forgiven : NULL);
    outcome.account = charge->payers[0];
    if (outcome.code == HF_CODE_OK && !request->is_posted && !has_room(turn->model, parts, 0))
        return refuse(HF_CODE_CAPACITY, HF_RULE_TABLE, 0, charge->payers[0]);
    return outcome;
}

/* Records --------------------------------------------------------------------------------- */

/* A place for a record by itself, or NULL when all places are open holds'. */
static struct model_hold *make_record(const struct turn *turn)
{
    if (model_holds_open(turn->model) >= turn->model->limits.holds)
        return NULL;
    struct model_hold *hold = make_hold(turn);
    hold->ended = ++turn->model->books->ended_count;
    hold->ended_ns = turn->now_ns;
    return hold;
}

/* All that does not depend on what came of it. */
static void fill_record(const struct turn *turn, const struct request *request,
                        struct model_hold *hold)
{
    struct model_books *books = turn->model->books;
    struct model_instrument *card = find_instrument(books, request->token);
    hold->amount = request->amount;
    hold->asset = request->asset;
    hold->tolerance = request->tolerance;
    hold->class_number = request->class_number;
    hold->policy = HF_HOLD_SOFT;
    hold->part_count = 1;
    if (find_account(books, request->payee) != NULL)
        hold->payee = request->payee;
    hold->record = (struct model_record){
        .is_there = true,
        .place = turn->place,
        .attributes = request->attributes,
        .acquirer = request->acquirer,
        .flags = request->flags,
    };
    if (card == NULL)
        return;
    hold->parts[0].account = card->account;
    hold->record.token = card->token;
    hold->record.number = ++card->listed;
}

static struct request request_of(const struct hf_op_auth *auth)
{
    struct request request = {
        .token = auth->token,
        .payee = auth->payee,
        .amount = auth->amount,
        .minimum = auth->minimum,
        .asset = auth->asset,
        .class_number = auth->class_number,
        .tolerance = auth->tolerance,
        .acquirer = auth->acquirer,
        .attributes = {.mcc = auth->mcc, .country = auth->country, .channel = auth->channel},
    };
    memcpy(request.attributes.merchant, auth->merchant, 16);
    if ((auth->auth_flags & HF_AUTH_FORCED) != 0)
        request.flags |= HF_AUTHORISATION_FORCED;
    if ((auth->auth_flags & HF_AUTH_ESTIMATED) != 0)
        request.flags |= HF_AUTHORISATION_ESTIMATED;
    return request;
}

void record_refusal(const struct turn *turn)
{
    struct request request = request_of(&turn->operation->auth);
    struct model_hold *hold = find_hold(turn->model->books, turn->operation->header.id);
    if (hold != NULL && hold->status != HF_HOLD_REVERSED)
        return;
    if (hold == NULL)
        hold = make_record(turn);
    if (hold == NULL)
        return;
    hold->status = HF_HOLD_REFUSED;
    hold->origin = turn->origin;
    hold->memory.operation = turn->operation;
    fill_record(turn, &request, hold);
}

/* Carrying out ---------------------------------------------------------------------------- */

/* The hold, or the record of what was posted at once; NULL when there is no place for that. */
static struct model_hold *make_charged(const struct turn *turn, const struct request *request,
                                       const struct charge *charge)
{
    struct model_hold *hold = request->is_posted ? make_record(turn) : make_hold(turn);
    if (hold == NULL)
        return NULL;
    fill_record(turn, request, hold);
    hold->amount = charge->amount;
    hold->part_count = 0;
    for (uint32_t i = 0; i < charge->count; i++) {
        if (charge->takes[i] == 0)
            continue;
        struct model_part *part = &hold->parts[hold->part_count++];
        part->account = charge->payers[i]->id;
        part->remaining = request->is_posted ? 0 : charge->takes[i];
    }
    if (request->is_posted) {
        hold->status = HF_HOLD_RESOLVED;
        hold->captured = charge->amount;
    } else {
        hold->remaining = charge->amount;
        hold->expires_ns = class_expiry_of(turn, request->class_number);
    }
    hold->record.first = charge->amount;
    hold->record.drawn_ns = turn->now_ns;
    hold->record.flags |= HF_AUTHORISATION_COUNTED;
    return hold;
}

static void draw_charge(const struct turn *turn, const struct request *request,
                        const struct charge *charge)
{
    struct model_books *books = turn->model->books;
    struct bearing bearing;
    begin_bearing(&bearing);
    bear_instrument(books, charge->card, &request->attributes, (wide)charge->amount, 0, &bearing);
    for (uint32_t i = 0; i < charge->count; i++)
        if (charge->takes[i] > 0)
            bear_account(books, charge->payers[i]->id, &request->attributes, (wide)charge->takes[i],
                         0, &bearing);
    draw_bearing(turn, &bearing, request->asset, true);
}

/* True when the counter was drawn. */
static bool draw_counter(const struct turn *turn, struct model_instrument *card)
{
    if (card->status == HF_INSTRUMENT_INACTIVE && (card->flags & HF_INSTRUMENT_FIRST_USE) != 0)
        card->status = HF_INSTRUMENT_ACTIVE;
    if (card->remaining == HF_INSTRUMENT_UNLIMITED || card->remaining == 0)
        return false;
    card->remaining--;
    add_event(turn, HF_EVENT_DRAWN, card->token, (wide)card->remaining, 0, 0);
    return true;
}

static void carry_out_charge(const struct turn *turn, const struct request *request,
                             const struct charge *charge, const struct outcome *forgiven)
{
    struct hf_id id = turn->operation->header.id;
    wide amount = (wide)charge->amount;
    apply_plan(turn, charge->plan);
    if (is_forced(request))
        loosen_bounds(charge->plan);
    struct model_hold *hold = make_charged(turn, request, charge);
    add_event(turn, request->is_posted ? HF_EVENT_CAPTURED : HF_EVENT_HELD, id, amount,
              request->asset, 0);
    draw_charge(turn, request, charge);
    bool drew = draw_counter(turn, charge->card);
    if (hold != NULL && drew)
        hold->record.flags |= HF_AUTHORISATION_DREW;
    if (hold != NULL)
        hold->record.exception = forgiven->code;
    tell_exception(turn, id, charge->amount, request->asset, forgiven);
}

struct outcome authorise(const struct turn *turn, const struct request *request,
                         struct outcome *forgiven)
{
    struct plan plan;
    struct charge charge = {.card = find_instrument(turn->model->books, request->token),
                            .amount = request->amount,
                            .plan = &plan};
    struct outcome outcome = check_card(turn, charge.card, request->amount, true);
    if (charge.card != NULL)
        outcome = settle_refusal(request, outcome, forgiven);
    if (outcome.code == HF_CODE_OK)
        outcome = check_payers(turn, request, &charge, forgiven);
    if (outcome.code != HF_CODE_OK)
        return outcome;
    outcome = charge.count == 1 ? charge_one(turn, request, &charge, forgiven)
                                : charge_several(turn, request, &charge, forgiven);
    if (outcome.code == HF_CODE_OK)
        outcome = check_plan(turn, request, &charge, forgiven);
    if (outcome.code != HF_CODE_OK)
        return outcome;
    if (charge.amount > 0) {
        carry_out_charge(turn, request, &charge, forgiven);
    } else {
        struct model_hold *verified = make_record(turn);
        assert(verified != NULL);
        verified->status = HF_HOLD_RESOLVED;
        fill_record(turn, request, verified);
    }
    outcome = approve(charge.amount, charge.payers[0]);
    if (charge.amount < request->amount)
        outcome.code = HF_CODE_OK_PARTIAL;
    return outcome;
}

struct outcome do_auth(const struct turn *turn)
{
    struct request request = request_of(&turn->operation->auth);
    struct outcome forgiven = {.code = HF_CODE_OK};
    struct outcome outcome = begin_hold(turn, class_expiry_of(turn, request.class_number));
    return outcome.code == HF_CODE_OK ? authorise(turn, &request, &forgiven) : outcome;
}
