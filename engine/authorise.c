/* AUTH compiled: an instrument's checks, the limits that bear on it, then a hold on its account.
 * What is forced, and what several accounts pay, takes the long way (select.h). */
#include "authorise.h"

#include "instrument.h"
#include "promise.h"
#include "select.h"
#include "state.h"

#include <assert.h>

/* Who takes part. */
struct parties {
    struct hf_instrument *instrument;
    struct hf_account *payer; /* the account behind the instrument */
    struct hf_account *payee; /* the acquirer's */
};

/* What filters look at: only where there is something that may have one. */
static struct hf_attributes attributes_of(const struct hf_op_auth *auth)
{
    return (struct hf_attributes){
        .mcc = auth->mcc,
        .country = auth->country,
        .channel = auth->channel,
        .merchant = auth->merchant,
    };
}

/* May they take part in this, one or the other not being plain? */
static bool admit_others(const struct hf_ledger *ledger, const struct parties *parties,
                         const struct hf_op_auth *auth, struct hf_answer *answer)
{
    const struct hf_attributes attributes = attributes_of(auth);

    return hf_account_admit_others(ledger, parties->payer, parties->payee, auth->asset, &attributes,
                                   answer);
}

/* The instrument's own checks, and the parties' standing. A refusal goes into the answer. */
static bool admit(struct hf_ledger *ledger, const struct hf_turn *turn, struct parties *parties,
                  struct hf_answer *answer)
{
    const struct hf_op_auth *auth = &turn->operation->auth;
    const struct hf_instrument *instrument = parties->instrument;

    if (!hf_instrument_is_ready(instrument, auth->amount, ledger->bundle_ns)) {
        struct hf_verdict verdict =
            hf_instrument_check(instrument, auth->amount, ledger->bundle_ns, false);
        if (verdict.code != HF_CODE_OK) {
            hf_answer_refuse(answer, verdict.code, verdict.rule);
            return false;
        }
    }
    parties->payer = hf_account_at(&ledger->accounts, instrument->account);
    if (hf_id_equal(parties->payer->id, auth->payee)) {
        hf_answer_refuse(answer, HF_CODE_SAME_ACCOUNT, HF_RULE_PAYER);
        return false;
    }
    parties->payee = hf_turn_find_account(ledger, turn, 1, auth->payee);
    if (parties->payee == NULL) {
        hf_account_refuse(parties->payer, HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_PAYEE, answer);
        return false;
    }
    return hf_account_are_plain(parties->payer, parties->payee, auth->asset) ||
           admit_others(ledger, parties, auth, answer);
}

/* What the limits allow of the amount, when that will do. A refusal goes into the answer. */
static bool fit_limits(struct hf_ledger *ledger, const struct parties *parties,
                       const struct hf_op_auth *auth, uint64_t *amount, struct hf_answer *answer)
{
    ledger->bearing.count = 0;
    if (parties->instrument->limit_count == 0 &&
        (parties->payer->flags & HF_ACCOUNT_HAS_TERMS) == 0)
        return true;
    const struct hf_attributes attributes = attributes_of(auth);
    struct hf_verdict verdict = hf_draw_ask(ledger, parties->instrument, parties->payer,
                                            &attributes, auth->minimum, amount);
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
    uint8_t flags = HF_AUTHORISATION_COUNTED;

    if (ledger->bearing.count != 0)
        hf_draw(ledger, answer->approved, auth->asset, answer);
    hf_undo_keep(&ledger->undo, instrument, sizeof(*instrument));
    if (hf_instrument_draw(instrument)) {
        flags |= HF_AUTHORISATION_DREW;
        hf_event_add(ledger, answer, HF_EVENT_DRAWN, instrument->token,
                     (int64_t)instrument->remaining, 0, 0);
    }
    hf_record_approve(ledger, auth, slot, instrument, flags);
}

/* The way of nearly all: one account pays, and may say no. */
static void authorise_plainly(struct hf_ledger *ledger, const struct hf_turn *turn,
                              struct hf_instrument *instrument, struct hf_answer *answer)
{
    const struct hf_op_auth *auth = &turn->operation->auth;
    uint64_t amount = auth->amount;
    struct parties parties = {.instrument = instrument};
    uint32_t slot;

    if (!admit(ledger, turn, &parties, answer) ||
        !fit_limits(ledger, &parties, auth, &amount, answer))
        return;
    amount = fit_funds(ledger, parties.payer, auth->minimum, amount);
    assert(amount <= auth->amount);
    assert(amount >= auth->minimum);
    /* The hold keeps the answer: it must be all there when the hold is made. */
    if (amount < auth->amount)
        answer->code = HF_CODE_OK_PARTIAL;
    const struct hf_hold_more more = {
        .expires_ns = hf_promise_class_expiry(ledger, auth->class_number),
        .origin = turn->origin,
        .first_part = HF_TABLE_NONE,
        .first_condition = HF_TABLE_NONE,
        .tolerance = auth->tolerance,
        .class_number = auth->class_number,
        .policy = HF_HOLD_SOFT,
        .payer_count = 1,
    };
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
