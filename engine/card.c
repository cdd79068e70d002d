/* Each finds its original, and does to the hold what others do to any hold; and to limits what has
 * to be done for that. */
#include "card.h"

#include "execute.h"
#include "expire.h"
#include "promise.h"
#include "refund.h"
#include "select.h"
#include "state.h"

#include <assert.h>

/* An authorisation at work. */
struct original {
    struct hf_settlement s;
    struct hf_record *record;
    uint64_t freed; /* by a REVERSE, of what was not captured: of a lapsed one it is held no more */
};

static const struct hf_verdict fine = {HF_CODE_OK, HF_RULE_NONE, 0};

static struct hf_verdict verdict_of(uint16_t code, uint8_t rule)
{
    return (struct hf_verdict){code, rule, 0};
}

static void refuse(const struct original *o, struct hf_verdict verdict, struct hf_answer *answer)
{
    hf_settlement_refuse(&o->s, verdict.code, verdict.rule, verdict.entry, answer);
}

enum finding { UNKNOWN, REFUSED, FOUND };

/* Looks for the authorisation of this id (zero: none). A refusal goes into the answer; that it is
 * not known is none yet. */
static enum finding find(const struct hf_ledger *ledger, const struct hf_turn *turn,
                         struct hf_id id, uint64_t acquirer, struct original *o,
                         struct hf_answer *answer)
{
    struct hf_hold *hold = hf_id_is_zero(id) ? NULL : hf_turn_find_hold(ledger, turn, id);
    struct hf_verdict verdict = fine;

    if (hold == NULL)
        return UNKNOWN;
    hf_settlement_begin(ledger, &o->s, hold);
    o->record = &ledger->holds.records[o->s.slot];
    if (!hold->has_record)
        verdict = verdict_of(HF_CODE_NOT_PERMITTED, HF_RULE_ORIGINAL);
    else if (o->s.more->origin != turn->origin)
        verdict = verdict_of(HF_CODE_NOT_PERMITTED, HF_RULE_ORIGIN);
    else if (o->record->acquirer != acquirer)
        verdict = verdict_of(HF_CODE_NOT_PERMITTED, HF_RULE_ACQUIRER);
    if (verdict.code == HF_CODE_OK)
        return FOUND;
    refuse(o, verdict, answer);
    return REFUSED;
}

static struct hf_instrument *instrument_of(const struct hf_ledger *ledger, const struct original *o)
{
    assert(o->record->instrument != HF_TABLE_NONE);
    return hf_instrument_at(&ledger->instruments, o->record->instrument);
}

/* Draws this much more on the limits gathered. */
static void draw_later(struct hf_ledger *ledger, const struct original *o, uint64_t amount,
                       const struct hf_answer *answer)
{
    struct hf_record_later *later = &ledger->holds.later[o->s.slot];

    hf_undo_keep(&ledger->undo, o->record, sizeof(*o->record));
    hf_undo_keep(&ledger->undo, later, sizeof(*later));
    if (o->record->later_draws == 0)
        later->draws_ns = ledger->bundle_ns;
    o->record->later_draws = hf_limit_add_up(o->record->later_draws, amount);
    hf_draw_more(ledger, amount, o->s.hold->asset, answer);
}

/* ---- INCREMENT ---- */

/* What the authorisation itself has against it. */
static struct hf_verdict check_raise(const struct hf_ledger *ledger, const struct original *o,
                                     const struct hf_op_increment *increment)
{
    const struct hf_hold *hold = o->s.hold;
    uint64_t whole;

    if (hold->status == HF_HOLD_REVERSED)
        return verdict_of(HF_CODE_REVERSED, HF_RULE_ORIGINAL);
    if (hold->status == HF_HOLD_REFUSED || hold->status == HF_HOLD_RESOLVED)
        return verdict_of(HF_CODE_HOLD_RESOLVED, HF_RULE_ORIGINAL);
    if (hold->asset != increment->asset)
        return verdict_of(HF_CODE_ASSET_MISMATCH, HF_RULE_ORIGINAL);
    if (hold->status == HF_HOLD_LAPSED || hf_hold_is_due(o->s.more, ledger->bundle_ns))
        return verdict_of(HF_CODE_HOLD_EXPIRED, HF_RULE_ORIGINAL);
    if ((o->record->flags & HF_AUTHORISATION_ESTIMATED) == 0)
        return verdict_of(HF_CODE_NOT_PERMITTED, HF_RULE_ORIGINAL);
    if (o->s.more->payer_count > 1)
        return verdict_of(HF_CODE_NOT_PERMITTED, HF_RULE_PAYER);
    if (!hf_amount_add(hold->amount, increment->amount, &whole) || whole > HF_AMOUNT_MAX)
        return verdict_of(HF_CODE_OVERFLOW, HF_RULE_HOLD);
    return fine;
}

/* What instrument, parties and limits have against it. */
static struct hf_verdict check_more(struct hf_ledger *ledger, const struct original *o,
                                    const struct hf_account *payee, uint64_t amount)
{
    const struct hf_hold *hold = o->s.hold;
    const struct hf_attributes attributes = hf_record_attributes(o->record);
    const struct hf_instrument *instrument = instrument_of(ledger, o);

    struct hf_verdict verdict =
        hf_instrument_check(instrument, hold->amount + amount, ledger->bundle_ns, true);
    if (verdict.code != HF_CODE_OK)
        return verdict;
    uint16_t code = hf_terms_standing(ledger, o->s.payer, hold->asset, &attributes);
    if (code != HF_CODE_OK)
        return verdict_of(code, HF_RULE_PAYER);
    code = hf_terms_standing(ledger, payee, hold->asset, NULL);
    if (code != HF_CODE_OK)
        return verdict_of(code, HF_RULE_PAYEE);
    hf_draw_gather(ledger, instrument, o->s.payer, &attributes);
    return hf_draw_check_more(ledger, hold->amount, amount);
}

/* Good for its class's lifetime from now, if that is longer. The timer stays where it is: when it
 * ripens it will be found too early. */
static void extend(struct hf_ledger *ledger, const struct original *o, uint8_t class_number)
{
    uint64_t expires_ns = hf_promise_class_expiry(ledger, class_number);
    struct hf_hold_more *more = &ledger->holds.more[o->s.slot];

    assert(o->s.hold->has_more); /* it is SOFT */
    if (class_number == 0 || more->expires_ns == 0 ||
        (expires_ns != 0 && expires_ns <= more->expires_ns))
        return;
    hf_undo_keep(&ledger->undo, more, sizeof(*more));
    more->expires_ns = expires_ns;
}

void hf_card_increment(struct hf_ledger *ledger, const struct hf_turn *turn,
                       struct hf_answer *answer)
{
    const struct hf_op_increment *increment = &turn->operation->increment;
    uint64_t amount = increment->amount;
    struct original o;

    enum finding finding = find(ledger, turn, increment->original, increment->acquirer, &o, answer);
    if (finding == UNKNOWN)
        hf_answer_refuse(answer, HF_CODE_UNKNOWN_HOLD, HF_RULE_ORIGINAL);
    if (finding != FOUND)
        return;
    struct hf_verdict verdict = check_raise(ledger, &o, increment);
    struct hf_account *payee = hf_settlement_payee(ledger, o.s.hold);
    if (verdict.code == HF_CODE_OK)
        verdict = check_more(ledger, &o, payee, amount);
    if (verdict.code != HF_CODE_OK) {
        refuse(&o, verdict, answer);
        return;
    }
    hf_settlement_load(ledger, &o.s);
    o.s.raised = amount;
    o.s.shares[0].raised = amount;
    hf_settlement_plan(ledger, &o.s, payee);
    if (!hf_settlement_pass(ledger, &o.s, answer))
        return;
    answer->approved = amount;
    if (hf_turn_is_dry(turn))
        return;
    hf_settlement_apply(ledger, &o.s, answer);
    o.s.hold->amount += amount;
    extend(ledger, &o, increment->class_number);
    hf_event_add(ledger, answer, HF_EVENT_ADJUSTED, o.s.hold->id, (int64_t)o.s.hold->remaining,
                 o.s.hold->asset, 0);
    draw_later(ledger, &o, amount, answer);
}

/* ---- REVERSE ---- */

/* It has not come yet: it will be refused when it does. */
static void bury(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_answer *answer)
{
    const struct hf_op_reverse *reverse = &turn->operation->reverse;

    if (hf_hold_are_all_open(&ledger->holds)) {
        hf_answer_refuse(answer, HF_CODE_CAPACITY, HF_RULE_TABLE);
        return;
    }
    if (hf_turn_is_dry(turn))
        return;
    hf_record_bury(ledger, reverse->original, turn->keys[0].hash, reverse, turn->origin);
    hf_event_add(ledger, answer, HF_EVENT_REVERSED, reverse->original, 0, reverse->asset, 0);
}

/* What is not captured. */
static uint64_t uncaptured_of(const struct hf_hold *hold)
{
    if (hold->status == HF_HOLD_LAPSED)
        return hold->amount - hold->captured;
    return hold->remaining; /* of a resolved one nothing */
}

/* How much of what is not captured is taken back, and how much of what is. */
static struct hf_verdict divide(const struct hf_ledger *ledger, struct original *o,
                                const struct hf_op_reverse *reverse)
{
    const struct hf_hold *hold = o->s.hold;
    uint64_t uncaptured = uncaptured_of(hold);
    uint64_t reversible = uncaptured + (reverse->captured != 0 ? hold->captured : 0);
    uint64_t amount = reverse->amount == HF_AMOUNT_ALL ? reversible : reverse->amount;

    if (reversible == 0)
        return verdict_of(HF_CODE_NOTHING_TO_REVERSE, HF_RULE_ORIGINAL);
    if (amount > reversible)
        return verdict_of(HF_CODE_OVER_CAPTURE, HF_RULE_ORIGINAL);
    o->freed = amount < uncaptured ? amount : uncaptured;
    o->s.released = hold->status == HF_HOLD_OPEN ? o->freed : 0;
    o->s.returned = amount - o->freed;
    if (o->s.returned == 0)
        return fine;
    if (o->s.more->payer_count > 1)
        return verdict_of(HF_CODE_NOT_PERMITTED, HF_RULE_PAYER);
    if (o->s.payer->status == HF_ACCOUNT_CLOSED)
        return verdict_of(HF_CODE_CLOSED, HF_RULE_PAYER);
    if (hf_settlement_payee(ledger, hold)->status == HF_ACCOUNT_CLOSED)
        return verdict_of(HF_CODE_CLOSED, HF_RULE_PAYEE);
    /* In many years more may have been captured of it than one operation can move. */
    return amount > HF_AMOUNT_MAX ? verdict_of(HF_CODE_OVERFLOW, HF_RULE_ORIGINAL) : fine;
}

/* Was it ended by a REVERSE of so much? Then this one asks for what has been done. */
static bool is_done(const struct original *o, uint64_t amount)
{
    return (o->record->flags & HF_AUTHORISATION_REVERSED) != 0 &&
           (amount == HF_AMOUNT_ALL || amount == o->record->reversed);
}

/* Plans it. Nothing moves when all of it lapsed before. */
static bool plan(struct hf_ledger *ledger, struct original *o, struct hf_answer *answer)
{
    hf_settlement_load(ledger, &o->s);
    hf_spread_release_in_order(o->s.shares, o->s.share_count, o->s.released);
    hf_plan_begin(&ledger->plan);
    if (o->s.released + o->s.returned == 0) {
        hf_account_show(o->s.payer, answer);
        return true;
    }
    hf_settlement_plan(ledger, &o->s, hf_settlement_payee(ledger, o->s.hold));
    return hf_settlement_pass(ledger, &o->s, answer);
}

/* Carries it out. */
static void take_back(struct hf_ledger *ledger, const struct original *o,
                      const struct hf_answer *answer)
{
    struct hf_hold *hold = o->s.hold;
    uint64_t amount = o->freed + o->s.returned;
    uint64_t left = uncaptured_of(hold) - o->freed;
    bool is_resolved = hold->status == HF_HOLD_RESOLVED;

    hf_settlement_apply(ledger, &o->s, answer);
    hold->amount -= amount < hold->amount ? amount : hold->amount;
    hf_undo_keep(&ledger->undo, o->record, sizeof(*o->record));
    o->record->reversed += amount;
    if (left == 0 && (!is_resolved || hold->captured == 0))
        o->record->flags |= HF_AUTHORISATION_REVERSED;
    if (left == 0 && hold->status == HF_HOLD_OPEN)
        hf_hold_end(ledger, o->s.slot, HF_HOLD_RESOLVED, ledger->bundle_ns);
    else if (left == 0)
        hold->status = HF_HOLD_RESOLVED; /* a lapsed one keeps its turn */
    hf_event_add(ledger, answer, HF_EVENT_REVERSED, hold->id, (int64_t)amount, hold->asset, 0);
    hf_refund(ledger, &o->s, amount, left == 0 && hold->captured == 0, answer);
}

void hf_card_reverse(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_answer *answer)
{
    const struct hf_op_reverse *reverse = &turn->operation->reverse;
    struct original o;

    enum finding finding = find(ledger, turn, reverse->original, reverse->acquirer, &o, answer);
    if (finding == UNKNOWN)
        bury(ledger, turn, answer);
    if (finding != FOUND || o.s.hold->status == HF_HOLD_REVERSED)
        return;
    struct hf_verdict verdict = fine;
    if (o.s.hold->asset != reverse->asset)
        verdict = verdict_of(HF_CODE_ASSET_MISMATCH, HF_RULE_ORIGINAL);
    else if (o.s.hold->status == HF_HOLD_REFUSED)
        verdict = verdict_of(HF_CODE_NOTHING_TO_REVERSE, HF_RULE_ORIGINAL);
    else
        verdict = divide(ledger, &o, reverse);
    if (verdict.code == HF_CODE_NOTHING_TO_REVERSE && is_done(&o, reverse->amount)) {
        answer->approved = o.record->reversed;
        hf_account_show(o.s.payer, answer);
        return;
    }
    if (verdict.code != HF_CODE_OK) {
        refuse(&o, verdict, answer);
        return;
    }
    if (!plan(ledger, &o, answer))
        return;
    answer->approved = o.freed + o.s.returned;
    if (!hf_turn_is_dry(turn))
        take_back(ledger, &o, answer);
}

/* ---- CLEAR ---- */

/* There is nothing that it clears: refused, or posted nevertheless. `o` is NULL when nothing is
 * known. */
static void post_without(struct hf_ledger *ledger, const struct hf_turn *turn,
                         const struct original *o, struct hf_verdict verdict,
                         struct hf_answer *answer)
{
    const struct hf_op_clear *clear = &turn->operation->clear;
    struct hf_id token = clear->token;
    struct hf_id payee = clear->payee;

    if ((clear->clear_flags & HF_CLEAR_FORCED) == 0) {
        if (o == NULL)
            hf_answer_refuse(answer, verdict.code, verdict.rule);
        else
            refuse(o, verdict, answer);
        return;
    }
    if (o != NULL && hf_id_is_zero(token) && o->record->instrument != HF_TABLE_NONE)
        token = instrument_of(ledger, o)->token;
    if (o != NULL && hf_id_is_zero(payee) && o->s.hold->payee != HF_TABLE_NONE)
        payee = hf_settlement_payee(ledger, o->s.hold)->id;
    if (hf_promise_begin(ledger, turn, 0, answer))
        hf_select_post(ledger, turn, token, payee, &verdict, answer);
}

/* Does it name whom the authorisation names, as far as it names anybody? */
static struct hf_verdict check_names(const struct hf_ledger *ledger, const struct original *o,
                                     const struct hf_op_clear *clear)
{
    const struct hf_hold *hold = o->s.hold;

    if (hold->asset != clear->asset)
        return verdict_of(HF_CODE_ASSET_MISMATCH, HF_RULE_ORIGINAL);
    if (!hf_id_is_zero(clear->token) && !hf_id_equal(clear->token, instrument_of(ledger, o)->token))
        return verdict_of(HF_CODE_NOT_PERMITTED, HF_RULE_INSTRUMENT);
    if (!hf_id_is_zero(clear->payee) &&
        !hf_id_equal(clear->payee, hf_settlement_payee(ledger, hold)->id))
        return verdict_of(HF_CODE_NOT_PERMITTED, HF_RULE_PAYEE);
    return fine;
}

/* Forgives what is forced, and notes the first thing forgiven. */
static bool forgive(const struct hf_op_clear *clear, struct hf_verdict verdict,
                    struct hf_verdict *exception)
{
    if ((clear->clear_flags & HF_CLEAR_FORCED) == 0)
        return false;
    if (exception->code == HF_CODE_OK)
        *exception = verdict;
    return true;
}

/* Works the clearing out and plans it: what refuses, or OK. */
static struct hf_verdict plan_capture(struct hf_ledger *ledger, struct original *o,
                                      const struct hf_op_clear *clear, struct hf_verdict *exception)
{
    struct hf_account *payee = hf_settlement_payee(ledger, o->s.hold);
    bool is_final = (clear->clear_flags & HF_CLEAR_FINAL) != 0;
    struct hf_verdict verdict = fine;

    if (payee->status == HF_ACCOUNT_CLOSED)
        return verdict_of(HF_CODE_CLOSED, HF_RULE_PAYEE);
    if (payee->status == HF_ACCOUNT_FROZEN)
        verdict = verdict_of(HF_CODE_RESTRICTED, HF_RULE_PAYEE);
    if (verdict.code != HF_CODE_OK && !forgive(clear, verdict, exception))
        return verdict;
    hf_settlement_load(ledger, &o->s);
    verdict = verdict_of(HF_CODE_OVER_CAPTURE, HF_RULE_ORIGINAL);
    if (!hf_settlement_divide(&o->s, clear->amount, is_final) &&
        !forgive(clear, verdict, exception))
        return verdict;
    if (o->s.beyond > 0 && o->s.payer->status == HF_ACCOUNT_CLOSED)
        return verdict_of(HF_CODE_CLOSED, HF_RULE_PAYER);
    hf_settlement_spread_capture(&o->s);
    hf_settlement_plan(ledger, &o->s, payee);
    verdict = hf_execute_check(ledger, &ledger->plan);
    if ((verdict.code == HF_CODE_INSUFFICIENT || verdict.code == HF_CODE_CEILING) &&
        forgive(clear, verdict, exception))
        return hf_execute_check_forced(&ledger->plan);
    return verdict;
}

static uint64_t over_of(const struct hf_hold *hold)
{
    return hold->captured > hold->amount ? hold->captured - hold->amount : 0;
}

/* What it means for limits: what was captured above the authorisation is drawn, `back` (which went
 * back for good) is given back. */
static void settle_limits(struct hf_ledger *ledger, const struct original *o, uint64_t over_before,
                          uint64_t back, const struct hf_answer *answer)
{
    uint64_t over = over_of(o->s.hold);

    if (over > over_before) {
        const struct hf_attributes attributes = hf_record_attributes(o->record);
        hf_draw_gather(ledger, instrument_of(ledger, o), o->s.payer, &attributes);
        draw_later(ledger, o, over - over_before, answer);
    }
    if (back > 0)
        hf_refund(ledger, &o->s, back, false, answer);
}

/* Carries the clearing out. */
static void capture(struct hf_ledger *ledger, const struct original *o, bool is_final,
                    const struct hf_answer *answer)
{
    struct hf_hold *hold = o->s.hold;
    uint64_t over_before = over_of(hold);
    uint64_t back = o->s.released;
    bool was_lapsed = hold->status == HF_HOLD_LAPSED;

    hf_settlement_apply(ledger, &o->s, answer);
    hf_settlement_end_capture(ledger, &o->s, is_final, answer);
    /* Of a lapsed one nothing was held any more, but its draws are still there. */
    if (was_lapsed && is_final && hold->captured < hold->amount)
        back = hold->amount - hold->captured;
    settle_limits(ledger, o, over_before, back, answer);
}

void hf_card_clear(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_answer *answer)
{
    const struct hf_op_clear *clear = &turn->operation->clear;
    bool is_final = (clear->clear_flags & HF_CLEAR_FINAL) != 0;
    struct hf_verdict exception = fine;
    struct original o;

    enum finding finding = find(ledger, turn, clear->original, clear->acquirer, &o, answer);
    if (finding == UNKNOWN)
        post_without(ledger, turn, NULL, verdict_of(HF_CODE_UNKNOWN_HOLD, HF_RULE_ORIGINAL),
                     answer);
    if (finding != FOUND)
        return;
    struct hf_hold *hold = o.s.hold;
    if (hf_hold_is_record_alone(hold)) {
        uint16_t code = hold->status == HF_HOLD_REVERSED ? HF_CODE_REVERSED : HF_CODE_HOLD_RESOLVED;
        post_without(ledger, turn, &o, verdict_of(code, HF_RULE_ORIGINAL), answer);
        return;
    }
    struct hf_verdict verdict = check_names(ledger, &o, clear);
    if (verdict.code == HF_CODE_OK && hold->status == HF_HOLD_RESOLVED) {
        post_without(ledger, turn, &o, verdict_of(HF_CODE_HOLD_RESOLVED, HF_RULE_ORIGINAL), answer);
        return;
    }
    if (verdict.code == HF_CODE_OK)
        verdict = plan_capture(ledger, &o, clear, &exception);
    if (verdict.code != HF_CODE_OK) {
        refuse(&o, verdict, answer);
        return;
    }
    answer->approved = clear->amount;
    hf_execute_show(&ledger->plan, o.s.payer, answer);
    if (hf_turn_is_dry(turn))
        return;
    capture(ledger, &o, is_final, answer);
    hf_event_add_exception(ledger, answer, hold->id, hold->asset, &exception);
}
