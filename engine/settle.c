/* The life of a hold, once it is made. */
#include "settle.h"

#include "condition.h"
#include "execute.h"
#include "settlement.h"
#include "state.h"

#include <assert.h>
#include <string.h>

/* Finds the hold that CAPTURE, RELEASE or ADJUST names, and that this origin may work on. False
 * when that was refused. */
static bool find(const struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_id id,
                 struct hf_settlement *s, struct hf_answer *answer)
{
    struct hf_hold *hold = hf_turn_find_hold(ledger, turn, id);

    if (hold == NULL || hf_hold_is_record_alone(hold)) {
        hf_answer_refuse(answer, HF_CODE_UNKNOWN_HOLD, HF_RULE_HOLD);
        return false;
    }
    hf_settlement_begin(ledger, s, hold);
    if (s->more->origin != turn->origin) {
        hf_settlement_refuse(s, HF_CODE_NOT_PERMITTED, HF_RULE_ORIGIN, 0, answer);
        return false;
    }
    if (hold->status == HF_HOLD_RESOLVED) {
        hf_settlement_refuse(s, HF_CODE_HOLD_RESOLVED, HF_RULE_HOLD, 0, answer);
        return false;
    }
    assert((hold->remaining > 0) == (hold->status == HF_HOLD_OPEN));
    return true;
}

/* ---- the short path ---- */

/* The short path of a plain hold between plain accounts, for no more than remains. False when it is
 * not one, or a guard says no: nothing was done then. */
static bool settle_short(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_hold *hold,
                         uint64_t captured, uint64_t released, struct hf_answer *answer)
{
    bool is_dry = hf_turn_is_dry(turn);

    if (hold->has_more || hold->payee == HF_TABLE_NONE || hold->status != HF_HOLD_OPEN ||
        turn->origin != 0 || !hf_ledger_is_alone(ledger) || captured + released > hold->remaining ||
        captured + released == 0)
        return false;
    struct hf_account *payer = hf_account_at(&ledger->accounts, hold->payer);
    struct hf_account *payee = hf_account_at(&ledger->accounts, hold->payee);
    if (!hf_account_are_plain(payer, payee, hold->asset) ||
        !hf_execute_settle(payer, payee, captured, released, is_dry, answer))
        return false;
    answer->approved = captured != 0 ? captured : released;
    if (is_dry)
        return true;
    hold->remaining -= captured + released;
    hold->captured += captured;
    if (hold->remaining == 0)
        hf_hold_end(ledger, hf_hold_slot(&ledger->holds, hold), HF_HOLD_RESOLVED,
                    ledger->bundle_ns);
    return true;
}

/* CAPTURE or RELEASE by the short path, when it may. `amount` is captured, or with `is_release`
 * goes back; `is_final`: the rest goes back as well. */
static bool settle_plain(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_id id,
                         uint64_t amount, bool is_release, bool is_final, struct hf_answer *answer)
{
    struct hf_hold *hold = hf_turn_find_hold(ledger, turn, id);

    if (hold == NULL)
        return false;
    if (amount == HF_AMOUNT_ALL)
        amount = hold->remaining;
    if (amount > hold->remaining)
        return false;
    if (is_release)
        return settle_short(ledger, turn, hold, 0, amount, answer);
    uint64_t released = is_final ? hold->remaining - amount : 0;
    return settle_short(ledger, turn, hold, amount, released, answer);
}

/* ---- CAPTURE ---- */

/* Who gets it: NULL when that was refused. */
static struct hf_account *find_payee(const struct hf_ledger *ledger,
                                     const struct hf_op_capture *capture,
                                     const struct hf_settlement *s, struct hf_answer *answer)
{
    static const struct hf_id none = {0, 0};
    struct hf_id named = capture->header.length == HF_CAPTURE_SHORT ? none : capture->payee;
    bool is_named = !hf_id_equal(named, none);
    struct hf_account *payee = hf_settlement_payee(ledger, s->hold);
    uint16_t code = HF_CODE_OK;

    if (payee != NULL) {
        /* Terms do not stop it: the money was promised. */
        if (is_named && !hf_id_equal(named, payee->id))
            code = HF_CODE_NOT_PERMITTED;
        else if (payee->status == HF_ACCOUNT_CLOSED)
            code = HF_CODE_CLOSED;
        else if (payee->status == HF_ACCOUNT_FROZEN)
            code = HF_CODE_RESTRICTED;
    } else {
        payee = is_named ? hf_ledger_find_account(ledger, named) : NULL;
        if (payee == NULL)
            code = HF_CODE_UNKNOWN_ACCOUNT;
        for (uint32_t i = 0; i < s->share_count && code == HF_CODE_OK; i++) {
            if (s->shares[i].account == payee)
                code = HF_CODE_SAME_ACCOUNT;
        }
        if (code == HF_CODE_OK)
            code = hf_terms_standing(ledger, payee, s->hold->asset, NULL);
    }
    if (code == HF_CODE_OK)
        return payee;
    hf_settlement_refuse(s, code, HF_RULE_PAYEE, 0, answer);
    return NULL;
}

/* Are enough conditions met? Else `*first_open` is the number of the first that is not. */
static bool are_conditions_met(const struct hf_ledger *ledger, const struct hf_settlement *s,
                               uint8_t *first_open)
{
    const struct hf_holds *holds = &ledger->holds;
    uint32_t index = s->more->first_condition;
    uint32_t met_count = 0;

    *first_open = 0;
    for (uint8_t number = 1; index != HF_TABLE_NONE; number++) {
        const struct hf_op_condition *condition = &holds->conditions[index];
        bool is_met = hf_condition_is_time(condition)
                          ? hf_condition_is_met_at(condition, ledger->bundle_ns)
                          : (s->more->met >> (number - 1) & 1) != 0;
        met_count += is_met;
        if (!is_met && *first_open == 0)
            *first_open = number;
        index = holds->condition_pool.next[index];
    }
    return met_count >= s->more->required;
}

void hf_settle_capture(struct hf_ledger *ledger, const struct hf_turn *turn,
                       struct hf_answer *answer)
{
    const struct hf_op_capture *capture = &turn->operation->capture;
    struct hf_settlement s;
    uint8_t first_open;

    if (capture->header.length == HF_CAPTURE_SHORT &&
        settle_plain(ledger, turn, capture->hold, capture->amount, false, capture->final != 0,
                     answer))
        return;
    if (!find(ledger, turn, capture->hold, &s, answer))
        return;
    bool is_lapsed = s.hold->status == HF_HOLD_LAPSED;
    bool is_final = capture->final != 0 || (s.more->policy & HF_HOLD_SINGLE) != 0;
    if ((s.more->policy & HF_HOLD_SOFT) == 0 &&
        (is_lapsed || hf_hold_is_due(s.more, ledger->bundle_ns))) {
        hf_settlement_refuse(&s, HF_CODE_HOLD_EXPIRED, HF_RULE_HOLD, 0, answer);
        return;
    }
    hf_settlement_load(ledger, &s);
    struct hf_account *payee = find_payee(ledger, capture, &s, answer);
    if (payee == NULL)
        return;
    if (!are_conditions_met(ledger, &s, &first_open)) {
        hf_settlement_refuse(&s, HF_CODE_CONDITION_NOT_MET, HF_RULE_CONDITION, first_open, answer);
        return;
    }
    if (!hf_settlement_divide(&s, capture->amount, is_final)) {
        hf_settlement_refuse(&s, HF_CODE_OVER_CAPTURE, HF_RULE_HOLD, 0, answer);
        return;
    }
    /* Nothing is held for it any more, so nothing kept its account from being closed. */
    if (s.beyond > 0 && s.payer->status == HF_ACCOUNT_CLOSED) {
        hf_settlement_refuse(&s, HF_CODE_CLOSED, HF_RULE_PAYER, 0, answer);
        return;
    }
    hf_settlement_spread_capture(&s);
    hf_settlement_plan(ledger, &s, payee);
    if (!hf_settlement_pass(ledger, &s, answer))
        return;
    answer->approved = s.captured + s.beyond;
    if (hf_turn_is_dry(turn))
        return;
    hf_settlement_apply(ledger, &s, answer);
    hf_settlement_end_capture(ledger, &s, is_final, answer);
}

/* ---- giving back ---- */

void hf_settle_release(struct hf_ledger *ledger, const struct hf_turn *turn,
                       struct hf_answer *answer)
{
    const struct hf_op_release *release = &turn->operation->release;
    uint64_t amount = release->amount;
    struct hf_settlement s;

    if (settle_plain(ledger, turn, release->hold, amount, true, false, answer))
        return;
    if (!find(ledger, turn, release->hold, &s, answer))
        return;
    if (s.hold->status == HF_HOLD_LAPSED) {
        hf_settlement_refuse(&s, HF_CODE_HOLD_EXPIRED, HF_RULE_HOLD, 0, answer);
        return;
    }
    if (amount == HF_AMOUNT_ALL)
        amount = s.hold->remaining;
    if (amount > s.hold->remaining) {
        hf_settlement_refuse(&s, HF_CODE_OVER_CAPTURE, HF_RULE_HOLD, 0, answer);
        return;
    }
    hf_settlement_plan_release(ledger, &s, amount);
    if (!hf_settlement_pass(ledger, &s, answer))
        return;
    answer->approved = amount;
    if (hf_turn_is_dry(turn))
        return;
    hf_settlement_apply(ledger, &s, answer);
    hf_event_add(ledger, answer, HF_EVENT_RELEASED, s.hold->id, (int64_t)amount, s.hold->asset, 0);
    if (s.hold->remaining == 0)
        hf_hold_end(ledger, s.slot, HF_HOLD_RESOLVED, ledger->bundle_ns);
}

bool hf_settle_lapse(struct hf_ledger *ledger, uint32_t slot, const struct hf_answer *answer)
{
    struct hf_hold *hold = hf_hold_at(&ledger->holds, slot);
    struct hf_settlement s;

    hf_settlement_begin(ledger, &s, hold);
    if (hold->status != HF_HOLD_OPEN || !hf_hold_is_due(s.more, ledger->bundle_ns))
        return false;
    hf_settlement_plan_release(ledger, &s, hold->remaining);
    struct hf_verdict verdict = hf_execute_check(ledger, &ledger->plan);
    assert(verdict.code == HF_CODE_OK);
    hf_settlement_apply(ledger, &s, answer);
    hf_event_add(ledger, answer, HF_EVENT_EXPIRED, hold->id, (int64_t)s.released, hold->asset, 0);
    hf_hold_end(ledger, slot, HF_HOLD_LAPSED, ledger->bundle_ns);
    return true;
}

/* ---- ADJUST ---- */

/* May these still be parties to more? False when that was refused. */
static bool are_parties_standing(const struct hf_ledger *ledger, const struct hf_settlement *s,
                                 struct hf_answer *answer)
{
    const struct hf_account *payee = hf_settlement_payee(ledger, s->hold);

    for (uint32_t i = 0; i < s->share_count; i++) {
        uint16_t code = hf_terms_standing(ledger, s->shares[i].account, s->hold->asset, NULL);
        if (code != HF_CODE_OK) {
            hf_settlement_refuse(s, code, HF_RULE_PAYER, hf_settlement_entry(s, i), answer);
            return false;
        }
    }
    uint16_t code =
        payee == NULL ? HF_CODE_OK : hf_terms_standing(ledger, payee, s->hold->asset, NULL);
    if (code != HF_CODE_OK) {
        hf_settlement_refuse(s, code, HF_RULE_PAYEE, 0, answer);
        return false;
    }
    return true;
}

/* Each part's account holds what it can pay, until it is enough. What one takes counts for the
 * others, where they have a total in common. */
static bool spread_raise_in_order(struct hf_ledger *ledger, struct hf_settlement *s,
                                  uint64_t amount)
{
    uint64_t left = amount;

    hf_plan_begin(&ledger->plan);
    for (uint32_t i = 0; i < s->share_count && left > 0; i++) {
        struct hf_share *share = &s->shares[i];
        uint64_t can_pay = hf_plan_can_pay(ledger, &ledger->plan, share->account);
        share->raised = can_pay < left ? can_pay : left;
        if (share->raised == 0)
            continue;
        const struct hf_change change = {.held_out = (int64_t)share->raised};
        hf_plan_add(ledger, &ledger->plan, share->account, &change, HF_RULE_PAYER,
                    hf_settlement_entry(s, i), true);
        left -= share->raised;
    }
    return left == 0;
}

/* Plans that `amount` more is held. False when that was refused. */
static bool plan_raise(struct hf_ledger *ledger, struct hf_settlement *s, uint64_t amount,
                       struct hf_answer *answer)
{
    uint64_t whole;

    hf_settlement_load(ledger, s);
    if (!are_parties_standing(ledger, s, answer))
        return false;
    s->raised = amount;
    if (s->share_count == 1) {
        s->shares[0].raised = amount;
    } else if (hf_settlement_is_by_ratio(s)) {
        hf_spread_raise_by_ratio(s->shares, s->share_count, amount);
    } else if (!spread_raise_in_order(ledger, s, amount)) {
        hf_settlement_refuse(s, HF_CODE_INSUFFICIENT, HF_RULE_PAYER, 0, answer);
        return false;
    }
    if (!hf_amount_add(s->hold->amount, amount, &whole) || whole > HF_AMOUNT_MAX) {
        hf_settlement_refuse(s, HF_CODE_OVERFLOW, HF_RULE_HOLD, 0, answer);
        return false;
    }
    hf_settlement_plan(ledger, s, hf_settlement_payee(ledger, s->hold));
    return true;
}

/* A later expiry, from a time that has not come. The largest number is never. */
static bool is_extension(const struct hf_hold_more *more, uint64_t expires_ns,
                         uint64_t timestamp_ns)
{
    uint64_t present_ns = more->expires_ns == 0 ? HF_EXPIRES_NEVER : more->expires_ns;

    return expires_ns > present_ns && expires_ns > timestamp_ns;
}

/* By how much the hold is raised or lowered, at most one of the two not 0. */
static void measure(const struct hf_op_adjust *adjust, uint64_t remaining, uint64_t *raise,
                    uint64_t *lower)
{
    *raise = 0;
    *lower = 0;
    if (adjust->mode == HF_ADJUST_RAISE)
        *raise = adjust->amount;
    else if (adjust->mode == HF_ADJUST_LOWER)
        *lower = adjust->amount;
    else if (adjust->mode == HF_ADJUST_SET && adjust->amount > remaining)
        *raise = adjust->amount - remaining;
    else if (adjust->mode == HF_ADJUST_SET)
        *lower = remaining - adjust->amount;
}

/* Applies what was planned, if anything, and the new expiry. */
static void end_adjust(struct hf_ledger *ledger, struct hf_settlement *s, uint64_t expires_ns,
                       const struct hf_answer *answer)
{
    struct hf_hold *hold = s->hold;

    if (s->raised + s->released > 0) {
        hf_settlement_apply(ledger, s, answer);
        hold->amount = hold->amount + s->raised - s->released;
    }
    if (expires_ns != 0) {
        struct hf_hold_more *more = &ledger->holds.more[s->slot];
        assert(hold->has_more); /* for a plain hold no expiry is a later one */
        hf_undo_keep(&ledger->undo, more, sizeof(*more));
        /* The timer stays where it is: when it ripens it will be found too early. */
        more->expires_ns = expires_ns == HF_EXPIRES_NEVER ? 0 : expires_ns;
    }
    hf_event_add(ledger, answer, HF_EVENT_ADJUSTED, hold->id, (int64_t)answer->approved,
                 hold->asset, 0);
    if (hold->remaining == 0)
        hf_hold_end(ledger, s->slot, HF_HOLD_RESOLVED, ledger->bundle_ns);
}

void hf_settle_adjust(struct hf_ledger *ledger, const struct hf_turn *turn,
                      struct hf_answer *answer)
{
    const struct hf_op_adjust *adjust = &turn->operation->adjust;
    struct hf_settlement s;
    uint64_t raise;
    uint64_t lower;

    if (!find(ledger, turn, adjust->hold, &s, answer))
        return;
    if (s.hold->status == HF_HOLD_LAPSED || hf_hold_is_due(s.more, ledger->bundle_ns)) {
        hf_settlement_refuse(&s, HF_CODE_HOLD_EXPIRED, HF_RULE_HOLD, 0, answer);
        return;
    }
    if (adjust->expires_ns != 0 && !is_extension(s.more, adjust->expires_ns, ledger->bundle_ns)) {
        hf_settlement_refuse(&s, HF_CODE_EXPIRED, HF_RULE_EXPIRY, 0, answer);
        return;
    }
    measure(adjust, s.hold->remaining, &raise, &lower);
    if (lower > s.hold->remaining) {
        hf_settlement_refuse(&s, HF_CODE_OVER_CAPTURE, HF_RULE_HOLD, 0, answer);
        return;
    }
    if (raise > 0 && !plan_raise(ledger, &s, raise, answer))
        return;
    if (lower > 0)
        hf_settlement_plan_release(ledger, &s, lower);
    if (raise + lower == 0)
        hf_account_show(s.payer, answer);
    else if (!hf_settlement_pass(ledger, &s, answer))
        return;
    answer->approved = s.hold->remaining + raise - lower;
    if (!hf_turn_is_dry(turn))
        end_adjust(ledger, &s, adjust->expires_ns, answer);
}
