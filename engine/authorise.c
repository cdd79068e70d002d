/* AUTH compiled: an instrument's checks, the limits that bear on it, then a hold on its account.
 * What is forced, and what several accounts pay, takes the long way (select.h). */
#include "authorise.h"

#include "instrument.h"
#include "promise.h"
#include "select.h"
#include "state.h"

#include <assert.h>

/* Who takes part, and how. */
struct parties {
    struct hf_instrument *instrument;
    struct hf_account *payer; /* the account behind the instrument */
    struct hf_account *payee; /* the acquirer's */
    struct hf_attributes attributes;
};

/* The instrument's own checks, and the parties' standing. A refusal goes into the answer. */
static bool admit(struct hf_ledger *ledger, const struct hf_turn *turn, struct parties *parties,
                  struct hf_answer *answer)
{
    const struct hf_op_auth *auth = &turn->operation->auth;
    struct hf_verdict verdict =
        hf_instrument_check(parties->instrument, auth->amount, ledger->bundle_ns, false);

    if (verdict.code != HF_CODE_OK) {
        hf_answer_refuse(answer, verdict.code, verdict.rule);
        return false;
    }
    parties->payer = hf_account_at(&ledger->accounts, parties->instrument->account);
    if (hf_id_equal(parties->payer->id, auth->payee)) {
        hf_answer_refuse(answer, HF_CODE_SAME_ACCOUNT, HF_RULE_PAYER);
        return false;
    }
    parties->payee = hf_turn_find_account(ledger, turn, 1, auth->payee);
    if (parties->payee == NULL) {
        hf_account_refuse(parties->payer, HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_PAYEE, answer);
        return false;
    }
    parties->attributes = (struct hf_attributes){
        .mcc = auth->mcc,
        .country = auth->country,
        .channel = auth->channel,
        .merchant = auth->merchant,
    };
    return hf_account_admit(ledger, parties->payer, parties->payee, auth->asset,
                            &parties->attributes, answer);
}

/* What the limits allow of the amount, when that will do. A refusal goes into the answer. */
static bool fit_limits(struct hf_ledger *ledger, const struct parties *parties, uint64_t minimum,
                       uint64_t *amount, struct hf_answer *answer)
{
    const uint32_t *first = &parties->instrument->first_limit;

    ledger->bearing.count = 0;
    if (*first == 0 && (parties->payer->flags & HF_ACCOUNT_HAS_TERMS) == 0)
        return true;
    hf_draw_gather(ledger, parties->instrument, parties->payer, &parties->attributes);
    struct hf_verdict verdict = hf_draw_check(ledger, minimum, amount);
    if (verdict.code == HF_CODE_OK)
        return true;
    hf_account_refuse(parties->payer, verdict.code, verdict.rule, answer);
    answer->entry = verdict.entry;
    return false;
}

/* What the payer has of the amount, when that will do; else all of it, which the guards refuse. */
static uint64_t fit_funds(struct hf_ledger *ledger, const struct hf_account *payer,
                          uint64_t minimum, uint64_t amount)
{
    if (minimum == 0)
        return amount;
    hf_plan_begin(&ledger->plan);
    uint64_t can = hf_plan_can_pay(ledger, &ledger->plan, payer);
    return can < amount && can >= minimum ? can : amount;
}

/* It holds: draws limits and counter, and leaves the record. */
static void draw(struct hf_ledger *ledger, const struct hf_op_auth *auth, uint32_t slot,
                 struct hf_instrument *instrument, const struct hf_answer *answer)
{
    struct hf_record record = hf_record_of_auth(auth);

    record.first_draw = answer->approved;
    record.flags |= HF_AUTHORISATION_COUNTED;
    hf_draw(ledger, answer->approved, auth->asset, answer);
    hf_undo_keep(&ledger->undo, instrument, sizeof(*instrument));
    if (hf_instrument_draw(instrument)) {
        record.flags |= HF_AUTHORISATION_DREW;
        hf_event_add(ledger, answer, HF_EVENT_DRAWN, instrument->token,
                     (int64_t)instrument->remaining, 0, 0);
    }
    hf_record_write(ledger, slot, instrument, &record);
}

/* The way of nearly all: one account pays, and may say no. */
static void authorise_plainly(struct hf_ledger *ledger, const struct hf_turn *turn,
                              struct hf_instrument *instrument, struct hf_answer *answer)
{
    const struct hf_op_auth *auth = &turn->operation->auth;
    uint64_t amount = auth->amount;
    struct parties parties = {.instrument = instrument};
    struct hf_hold_more more = hf_hold_plain;
    uint32_t slot;

    if (!admit(ledger, turn, &parties, answer) ||
        !fit_limits(ledger, &parties, auth->minimum, &amount, answer))
        return;
    amount = fit_funds(ledger, parties.payer, auth->minimum, amount);
    assert(amount <= auth->amount);
    assert(amount >= auth->minimum);
    /* The hold keeps the answer: it must be all there when the hold is made. */
    if (amount < auth->amount)
        answer->code = HF_CODE_OK_PARTIAL;
    more.expires_ns = hf_promise_class_expiry(ledger, auth->class_number);
    more.origin = turn->origin;
    more.policy = HF_HOLD_SOFT;
    more.class_number = auth->class_number;
    more.tolerance = auth->tolerance;
    if (!hf_promise_make(ledger, turn, parties.payer, parties.payee, amount, &more, answer, &slot))
        return;
    if (slot != HF_TABLE_NONE)
        draw(ledger, auth, slot, instrument, answer);
    else if (!hf_turn_is_dry(turn))
        hf_record_verify(ledger, turn, answer);
}

static void authorise(struct hf_ledger *ledger, const struct hf_turn *turn,
                      struct hf_answer *answer)
{
    const struct hf_op_auth *auth = &turn->operation->auth;
    const struct hf_key *key = &turn->keys[0];

    if (!hf_promise_begin(ledger, turn, 0, answer))
        return;
    struct hf_instrument *instrument =
        hf_table_find_at(&ledger->instruments, auth->token, key->hash, key->guess);
    if (instrument == NULL)
        hf_answer_refuse(answer, HF_CODE_UNKNOWN_INSTRUMENT, HF_RULE_INSTRUMENT);
    else if (__builtin_expect((instrument->selector | (auth->auth_flags & HF_AUTH_FORCED)) != 0, 0))
        hf_select_authorise(ledger, turn, instrument, answer);
    else
        authorise_plainly(ledger, turn, instrument, answer);
}

void hf_authorise(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_answer *answer)
{
    authorise(ledger, turn, answer);
    if (__builtin_expect(answer->code > HF_CODE_OK_PARTIAL, 0))
        hf_record_refuse(ledger, turn, answer);
}
