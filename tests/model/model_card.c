/* What becomes of authorisations in the model: they are raised, reversed, cleared; and what is
 * given back to limits then. */
#include "model_inside.h"

#include <assert.h>
#include <string.h>

static struct model_account *payer_of(struct model_books *books, const struct model_hold *hold)
{
    return find_account(books, hold->parts[0].account);
}

/* The authorisation that an operation is about: OK, or why not. Unknown is for the caller to say.
 */
static struct outcome find_original(const struct turn *turn, struct hf_id id, uint64_t acquirer,
                                    struct model_hold **hold)
{
    *hold = find_hold(turn->model->books, id);
    if (*hold == NULL)
        return refuse(HF_CODE_UNKNOWN_HOLD, HF_RULE_ORIGINAL, 0, NULL);
    const struct model_account *payer = payer_of(turn->model->books, *hold);
    if (!(*hold)->record.is_there)
        return refuse(HF_CODE_NOT_PERMITTED, HF_RULE_ORIGINAL, 0, payer);
    if ((*hold)->origin != turn->origin)
        return refuse(HF_CODE_NOT_PERMITTED, HF_RULE_ORIGIN, 0, payer);
    if ((*hold)->record.acquirer != acquirer)
        return refuse(HF_CODE_NOT_PERMITTED, HF_RULE_ACQUIRER, 0, payer);
    return approve(0, payer);
}

/* Giving back ----------------------------------------------------------------------------- */

/* A share of an amount: of what was drawn since, then of what was drawn first, and no more. */
struct share {
    wide further;
    wide first;
};

static struct share take_share(struct share *whole, wide amount)
{
    struct share share = {.further = amount < whole->further ? amount : whole->further};
    amount -= share.further;
    share.first = amount < whole->first ? amount : whole->first;
    whole->further -= share.further;
    whole->first -= share.first;
    return share;
}

static void restore_counter(const struct turn *turn, struct model_instrument *card,
                            const struct model_hold *hold)
{
    if ((hold->record.flags & HF_AUTHORISATION_DREW) == 0 || card->put_place > hold->record.place)
        return;
    if (card->remaining >= HF_INSTRUMENT_UNLIMITED - 1)
        return;
    card->remaining++;
    add_event(turn, HF_EVENT_DRAWN, card->token, (wide)card->remaining, 0, 0);
}

/* Gives `amount` back to the limits, `back` of it to each payer, and with `counts` the one of the
 * counts and of the counter. */
static void give_back(const struct turn *turn, struct model_hold *hold, wide amount,
                      const wide back[MODEL_PARTS_MAX], bool counts)
{
    struct model_books *books = turn->model->books;
    struct model_record *record = &hold->record;
    struct model_instrument *card = find_instrument(books, record->token);
    struct share there = {.further = (wide)record->further, .first = (wide)record->first};
    struct share whole = take_share(&there, amount);
    record->further = (uint64_t)there.further;
    record->first = (uint64_t)there.first;

    bool counted = counts && (record->flags & HF_AUTHORISATION_COUNTED) != 0;
    struct bearing bearing;
    begin_bearing(&bearing);
    bear_instrument(books, card, &record->attributes, whole.first, whole.further, &bearing);
    if (hold->part_count == 1)
        bear_account(books, hold->parts[0].account, &record->attributes, whole.first, whole.further,
                     &bearing);
    for (uint32_t i = 0; hold->part_count > 1 && back != NULL && i < hold->part_count; i++) {
        struct share share = take_share(&whole, back[i]);
        bear_account(books, hold->parts[i].account, &record->attributes, share.first, share.further,
                     &bearing);
    }
    restore_bearing(turn, &bearing, hold, counted);
    if (!counted)
        return;
    restore_counter(turn, card, hold);
    record->flags &= (uint8_t) ~(HF_AUTHORISATION_COUNTED | HF_AUTHORISATION_DREW);
}

/* What an operation after the AUTH draws of the limits, counts apart. */
static void draw_further(const struct turn *turn, struct model_hold *hold, wide amount)
{
    struct model_books *books = turn->model->books;
    struct model_record *record = &hold->record;
    struct bearing bearing;
    begin_bearing(&bearing);
    bear_instrument(books, find_instrument(books, record->token), &record->attributes, amount, 0,
                    &bearing);
    bear_account(books, hold->parts[0].account, &record->attributes, amount, 0, &bearing);
    draw_bearing(turn, &bearing, hold->asset, false);
    if (record->further == 0)
        record->further_ns = turn->now_ns;
    wide further = (wide)record->further + amount;
    record->further = further > UINT64_MAX ? UINT64_MAX : (uint64_t)further;
}

/* Increments ------------------------------------------------------------------------------ */

static struct outcome check_increment(const struct turn *turn, const struct model_hold *hold)
{
    const struct hf_op_increment *increment = &turn->operation->increment;
    if (hold->status == HF_HOLD_REVERSED)
        return refuse(HF_CODE_REVERSED, HF_RULE_ORIGINAL, 0, NULL);
    if (hold->status == HF_HOLD_REFUSED || hold->status == HF_HOLD_RESOLVED)
        return refuse(HF_CODE_HOLD_RESOLVED, HF_RULE_ORIGINAL, 0, NULL);
    if (hold->asset != increment->asset)
        return refuse(HF_CODE_ASSET_MISMATCH, HF_RULE_ORIGINAL, 0, NULL);
    if (hold->status == HF_HOLD_LAPSED || hold_has_expired(hold, turn->now_ns))
        return refuse(HF_CODE_HOLD_EXPIRED, HF_RULE_ORIGINAL, 0, NULL);
    if ((hold->record.flags & HF_AUTHORISATION_ESTIMATED) == 0)
        return refuse(HF_CODE_NOT_PERMITTED, HF_RULE_ORIGINAL, 0, NULL);
    if (hold->part_count > 1)
        return refuse(HF_CODE_NOT_PERMITTED, HF_RULE_PAYER, 0, NULL);
    if ((wide)hold->amount + (wide)increment->amount > INT64_MAX)
        return refuse(HF_CODE_OVERFLOW, HF_RULE_HOLD, 0, NULL);
    return approve(0, NULL);
}

/* Card, parties and limits, as of an authorisation, with what is held already. */
static struct outcome check_raised(const struct turn *turn, const struct model_hold *hold)
{
    const struct hf_op_increment *increment = &turn->operation->increment;
    struct model_books *books = turn->model->books;
    const struct model_attributes *attributes = &hold->record.attributes;
    const struct model_instrument *card = find_instrument(books, hold->record.token);
    struct outcome outcome = check_card(turn, card, hold->amount + increment->amount, false);
    if (outcome.code != HF_CODE_OK)
        return outcome;
    uint16_t code = standing(turn, payer_of(books, hold), hold->asset, attributes);
    if (code != HF_CODE_OK)
        return refuse(code, HF_RULE_PAYER, 0, NULL);
    code = standing(turn, find_account(books, hold->payee), hold->asset, NULL);
    if (code != HF_CODE_OK)
        return refuse(code, HF_RULE_PAYEE, 0, NULL);
    struct bearing bearing;
    begin_bearing(&bearing);
    bear_instrument(books, card, attributes, 0, 0, &bearing);
    bear_account(books, hold->parts[0].account, attributes, 0, 0, &bearing);
    struct strictest strictest = find_strictest(turn, &bearing, hold, NULL);
    if (strictest.is_any && strictest.allows < increment->amount)
        return strictest.refusal;
    return approve(0, NULL);
}

static void extend(const struct turn *turn, struct model_hold *hold, uint8_t class_number)
{
    if (class_number == 0 || hold->expires_ns == 0)
        return;
    uint64_t expires_ns = class_expiry_of(turn, class_number);
    if (expires_ns == 0 || expires_ns > hold->expires_ns)
        hold->expires_ns = expires_ns;
}

struct outcome do_increment(const struct turn *turn)
{
    const struct hf_op_increment *increment = &turn->operation->increment;
    struct model_books *books = turn->model->books;
    struct model_hold *hold;
    struct outcome outcome = find_original(turn, increment->original, increment->acquirer, &hold);
    const struct model_account *shown = outcome.account;
    if (outcome.code == HF_CODE_OK)
        outcome = check_increment(turn, hold);
    if (outcome.code == HF_CODE_OK)
        outcome = check_raised(turn, hold);
    outcome.account = shown;
    if (outcome.code != HF_CODE_OK)
        return outcome;
    wide amount = (wide)increment->amount;
    struct plan plan;
    begin_plan(&plan);
    add_leg(&plan, payer_of(books, hold), (struct model_balance){.held_out = amount}, HF_RULE_PAYER,
            0, true);
    add_leg(&plan, find_account(books, hold->payee), (struct model_balance){.held_in = amount},
            HF_RULE_PAYEE, 0, false);
    struct outcome passed = pass_guards(books, &plan, NULL);
    if (passed.code != HF_CODE_OK)
        return refuse(passed.code, passed.rule, passed.entry, shown);
    apply_plan(turn, &plan);
    hold->amount += increment->amount;
    hold->remaining += increment->amount;
    hold->parts[0].remaining += increment->amount;
    extend(turn, hold, increment->class_number);
    add_event(turn, HF_EVENT_ADJUSTED, hold->id, (wide)hold->remaining, hold->asset, 0);
    draw_further(turn, hold, amount);
    return approve(increment->amount, shown);
}

/* Reversals ------------------------------------------------------------------------------- */

/* Nobody knows the original: it will be refused when it comes. */
static struct outcome reverse_unknown(const struct turn *turn)
{
    const struct hf_op_reverse *reverse = &turn->operation->reverse;
    struct model_books *books = turn->model->books;
    if (model_holds_open(turn->model) >= turn->model->limits.holds)
        return refuse(HF_CODE_CAPACITY, HF_RULE_TABLE, 0, NULL);
    struct model_hold *hold = make_hold(turn);
    hold->id = reverse->original;
    hold->memory.operation = NULL;
    hold->status = HF_HOLD_REVERSED;
    hold->asset = reverse->asset;
    hold->ended = ++books->ended_count;
    hold->ended_ns = turn->now_ns;
    hold->record = (struct model_record){.is_there = true, .acquirer = reverse->acquirer};
    add_event(turn, HF_EVENT_REVERSED, hold->id, 0, reverse->asset, 0);
    return approve(0, NULL);
}

static uint64_t uncaptured_of(const struct model_hold *hold)
{
    if (hold->status == HF_HOLD_LAPSED)
        return hold->amount - hold->captured;
    return hold->remaining;
}

/* How much is reversed; 0: nothing, and the answer is given. */
static struct outcome check_reverse(const struct turn *turn, const struct model_hold *hold,
                                    uint64_t *amount)
{
    const struct hf_op_reverse *reverse = &turn->operation->reverse;
    const struct model_record *record = &hold->record;
    *amount = 0;
    if (hold->status == HF_HOLD_REVERSED)
        return approve(0, NULL);
    if (hold->asset != reverse->asset)
        return refuse(HF_CODE_ASSET_MISMATCH, HF_RULE_ORIGINAL, 0, NULL);
    if (hold->status == HF_HOLD_REFUSED)
        return refuse(HF_CODE_NOTHING_TO_REVERSE, HF_RULE_ORIGINAL, 0, NULL);
    wide reversible = (wide)uncaptured_of(hold);
    if (reverse->captured == 1)
        reversible += (wide)hold->captured;
    bool all = reverse->amount == UINT64_MAX;
    if (reversible == 0) {
        bool again = all || reverse->amount == record->reversed;
        if ((record->flags & HF_AUTHORISATION_REVERSED) != 0 && again)
            return approve(record->reversed, NULL);
        return refuse(HF_CODE_NOTHING_TO_REVERSE, HF_RULE_ORIGINAL, 0, NULL);
    }
    if (!all && (wide)reverse->amount > reversible)
        return refuse(HF_CODE_OVER_CAPTURE, HF_RULE_ORIGINAL, 0, NULL);
    *amount = all ? (uint64_t)reversible : reverse->amount;
    return approve(*amount, NULL);
}

/* The plan of it: what is not captured goes first. */
static struct outcome plan_reverse(const struct turn *turn, const struct model_hold *hold,
                                   wide freed, wide returned, struct plan *plan, wide remaining[])
{
    struct model_books *books = turn->model->books;
    struct model_account *payer = payer_of(books, hold);
    struct model_account *payee = find_account(books, hold->payee);
    begin_plan(plan);
    if (hold->status == HF_HOLD_OPEN)
        plan_release(books, hold, freed, plan, remaining);
    if (returned > 0) {
        if (hold->part_count > 1)
            return refuse(HF_CODE_NOT_PERMITTED, HF_RULE_PAYER, 0, NULL);
        if (payer->status == HF_ACCOUNT_CLOSED)
            return refuse(HF_CODE_CLOSED, HF_RULE_PAYER, 0, NULL);
        if (payee->status == HF_ACCOUNT_CLOSED)
            return refuse(HF_CODE_CLOSED, HF_RULE_PAYEE, 0, NULL);
        if (freed + returned > INT64_MAX)
            return refuse(HF_CODE_OVERFLOW, HF_RULE_ORIGINAL, 0, NULL);
        add_leg(plan, payer, (struct model_balance){.posted = returned}, HF_RULE_PAYER, 0, false);
        add_leg(plan, payee,
                (struct model_balance){.posted = -returned, .lifetime_debits = returned},
                HF_RULE_PAYEE, 0, true);
    }
    return pass_guards(books, plan, NULL);
}

static struct outcome reverse_amount(const struct turn *turn, struct model_hold *hold,
                                     uint64_t amount)
{
    uint64_t uncaptured = uncaptured_of(hold);
    uint64_t freed = amount < uncaptured ? amount : uncaptured;
    uint64_t returned = amount - freed;
    wide before[MODEL_PARTS_MAX] = {0};
    wide after[MODEL_PARTS_MAX] = {0};
    wide back[MODEL_PARTS_MAX];
    struct plan plan;
    list_remaining(hold, before);
    list_remaining(hold, after);
    struct outcome outcome = plan_reverse(turn, hold, (wide)freed, (wide)returned, &plan, after);
    if (outcome.code != HF_CODE_OK)
        return outcome;
    apply_plan(turn, &plan);
    for (uint32_t i = 0; i < hold->part_count; i++)
        back[i] = before[i] - after[i];
    set_remaining(hold, after);
    bool was_open = hold->status == HF_HOLD_OPEN;
    hold->amount -= amount < hold->amount ? amount : hold->amount;
    hold->captured -= returned;
    hold->record.reversed += amount;
    bool is_resolved = hold->status == HF_HOLD_RESOLVED;
    bool is_over = is_resolved ? hold->captured == 0 : freed == uncaptured;
    if (is_over) {
        hold->record.flags |= HF_AUTHORISATION_REVERSED;
        end_hold(turn, hold, HF_HOLD_RESOLVED);
    }
    add_event(turn, HF_EVENT_REVERSED, hold->id, (wide)amount, hold->asset, 0);
    bool counts = uncaptured_of(hold) == 0 && hold->captured == 0;
    give_back(turn, hold, (wide)amount, was_open ? back : NULL, counts);
    return approve(amount, NULL);
}

struct outcome do_reverse(const struct turn *turn)
{
    const struct hf_op_reverse *reverse = &turn->operation->reverse;
    struct model_hold *hold;
    uint64_t amount;
    struct outcome outcome = find_original(turn, reverse->original, reverse->acquirer, &hold);
    if (hold == NULL)
        return reverse_unknown(turn);
    const struct model_account *shown = outcome.account;
    if (outcome.code == HF_CODE_OK)
        outcome = check_reverse(turn, hold, &amount);
    else
        amount = 0;
    if (amount > 0)
        outcome = reverse_amount(turn, hold, amount);
    outcome.account = shown;
    return outcome;
}

/* Clearings ------------------------------------------------------------------------------- */

static bool is_forced(const struct hf_op_clear *clear)
{
    return (clear->clear_flags & HF_CLEAR_FORCED) != 0;
}

/* Posts without an authorisation that would do, as if a forced one had been made and captured. */
static struct outcome force_post(const struct turn *turn, const struct model_hold *hold,
                                 struct outcome refusal)
{
    const struct hf_op_clear *clear = &turn->operation->clear;
    struct request request = {
        .token = clear->token,
        .payee = clear->payee,
        .amount = clear->amount,
        .asset = clear->asset,
        .acquirer = clear->acquirer,
        .flags = HF_AUTHORISATION_FORCED,
        .is_posted = true,
        .attributes = {.mcc = clear->mcc, .country = clear->country, .channel = clear->channel},
    };
    memcpy(request.attributes.merchant, clear->merchant, 16);
    if (hold != NULL && no_id(request.token))
        request.token = hold->record.token;
    if (hold != NULL && no_id(request.payee))
        request.payee = hold->payee;
    struct outcome outcome = begin_hold(turn, 0);
    return outcome.code == HF_CODE_OK ? authorise(turn, &request, &refusal) : outcome;
}

/* What only force-posting gets around: OK, or why there is no authorisation to clear. */
static struct outcome check_cleared(const struct turn *turn, const struct model_hold *hold,
                                    bool *by_posting)
{
    const struct hf_op_clear *clear = &turn->operation->clear;
    *by_posting = is_forced(clear);
    if (hold->status == HF_HOLD_REVERSED)
        return refuse(HF_CODE_REVERSED, HF_RULE_ORIGINAL, 0, NULL);
    if (hold->status == HF_HOLD_REFUSED)
        return refuse(HF_CODE_HOLD_RESOLVED, HF_RULE_ORIGINAL, 0, NULL);
    *by_posting = false;
    if (hold->asset != clear->asset)
        return refuse(HF_CODE_ASSET_MISMATCH, HF_RULE_ORIGINAL, 0, NULL);
    if (!no_id(clear->token) && !same_id(clear->token, hold->record.token))
        return refuse(HF_CODE_NOT_PERMITTED, HF_RULE_INSTRUMENT, 0, NULL);
    if (!no_id(clear->payee) && !same_id(clear->payee, hold->payee))
        return refuse(HF_CODE_NOT_PERMITTED, HF_RULE_PAYEE, 0, NULL);
    *by_posting = is_forced(clear);
    if (hold->status == HF_HOLD_RESOLVED)
        return refuse(HF_CODE_HOLD_RESOLVED, HF_RULE_ORIGINAL, 0, NULL);
    return approve(0, NULL);
}

/* The rest that may refuse before the guards. */
static struct outcome check_clear(const struct turn *turn, const struct model_hold *hold,
                                  struct outcome *forgiven)
{
    const struct hf_op_clear *clear = &turn->operation->clear;
    struct model_books *books = turn->model->books;
    const struct model_account *payee = find_account(books, hold->payee);
    const struct model_account *payer = payer_of(books, hold);
    if (payee->status == HF_ACCOUNT_CLOSED)
        return refuse(HF_CODE_CLOSED, HF_RULE_PAYEE, 0, NULL);
    if (payee->status == HF_ACCOUNT_FROZEN) {
        struct outcome refusal = refuse(HF_CODE_RESTRICTED, HF_RULE_PAYEE, 0, NULL);
        if (!is_forced(clear))
            return refusal;
        forgive(forgiven, refusal);
    }
    wide most = (wide)uncaptured_of(hold) + (wide)hold->amount * hold->tolerance / 1000;
    if ((wide)clear->amount > most) {
        struct outcome refusal = refuse(HF_CODE_OVER_CAPTURE, HF_RULE_ORIGINAL, 0, NULL);
        if (!is_forced(clear))
            return refusal;
        forgive(forgiven, refusal);
    }
    if (clear->amount > hold->remaining && payer->status == HF_ACCOUNT_CLOSED)
        return refuse(HF_CODE_CLOSED, HF_RULE_PAYER, 0, NULL);
    return approve(0, NULL);
}

static struct outcome clear_hold(const struct turn *turn, struct model_hold *hold,
                                 struct outcome *forgiven)
{
    const struct hf_op_clear *clear = &turn->operation->clear;
    struct outcome outcome = check_clear(turn, hold, forgiven);
    if (outcome.code != HF_CODE_OK)
        return outcome;
    bool final = (clear->clear_flags & HF_CLEAR_FINAL) != 0;
    bool was_lapsed = hold->status == HF_HOLD_LAPSED;
    uint64_t before = hold->captured;
    wide back[MODEL_PARTS_MAX] = {0};
    struct model_account *payee = find_account(turn->model->books, hold->payee);
    outcome = capture_amount(turn, hold, payee, clear->amount, final,
                             is_forced(clear) ? forgiven : NULL, back);
    if (outcome.code != HF_CODE_OK)
        return outcome;
    uint64_t inside = before > hold->amount ? before : hold->amount;
    if (hold->captured > inside)
        draw_further(turn, hold, (wide)(hold->captured - inside));
    wide returned = 0;
    for (uint32_t i = 0; final && i < hold->part_count; i++)
        returned += back[i];
    if (final && was_lapsed && hold->amount > hold->captured)
        returned = (wide)(hold->amount - hold->captured);
    if (returned > 0)
        give_back(turn, hold, returned, was_lapsed ? NULL : back, false);
    tell_exception(turn, hold->id, clear->amount, hold->asset, forgiven);
    return approve(clear->amount, NULL);
}

struct outcome do_clear(const struct turn *turn)
{
    const struct hf_op_clear *clear = &turn->operation->clear;
    struct model_hold *hold = NULL;
    struct outcome forgiven = {.code = HF_CODE_OK};
    struct outcome outcome = refuse(HF_CODE_UNKNOWN_HOLD, HF_RULE_ORIGINAL, 0, NULL);
    if (!no_id(clear->original))
        outcome = find_original(turn, clear->original, clear->acquirer, &hold);
    const struct model_account *shown = outcome.account;
    if (hold == NULL)
        return is_forced(clear) ? force_post(turn, NULL, outcome) : outcome;
    bool by_posting = false;
    if (outcome.code == HF_CODE_OK)
        outcome = check_cleared(turn, hold, &by_posting);
    if (outcome.code != HF_CODE_OK && by_posting)
        return force_post(turn, hold, outcome);
    if (outcome.code == HF_CODE_OK)
        outcome = clear_hold(turn, hold, &forgiven);
    outcome.account = shown;
    return outcome;
}
