/* AUTH compiled: an instrument's checks, then a hold on its account. */
#include "authorise.h"

#include "instrument.h"
#include "promise.h"
#include "state.h"

void hf_authorise(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_answer *answer)
{
    const struct hf_op_auth *auth = &turn->operation->auth;
    const struct hf_key *key = &turn->keys[0];
    struct hf_instrument *instrument =
        hf_table_find_at(&ledger->instruments, auth->token, key->hash, key->guess);

    if (!hf_promise_begin(ledger, turn, 0, answer))
        return;
    if (instrument == NULL) {
        hf_answer_refuse(answer, HF_CODE_UNKNOWN_INSTRUMENT, HF_RULE_INSTRUMENT);
        return;
    }
    struct hf_verdict verdict = hf_instrument_check(instrument, auth->amount, ledger->bundle_ns);
    if (verdict.code != HF_CODE_OK) {
        hf_answer_refuse(answer, verdict.code, verdict.rule);
        return;
    }
    /* The account behind the instrument pays; the payee is the acquirer's. */
    struct hf_account *payer = hf_account_at(&ledger->accounts, instrument->account);
    if (hf_id_equal(payer->id, auth->payee)) {
        hf_answer_refuse(answer, HF_CODE_SAME_ACCOUNT, HF_RULE_PAYER);
        return;
    }
    struct hf_account *payee = hf_turn_find_account(ledger, turn, 1, auth->payee);
    if (payee == NULL) {
        hf_account_refuse(payer, HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_PAYEE, answer);
        return;
    }
    const struct hf_attributes attributes = {
        .mcc = auth->mcc,
        .country = auth->country,
        .channel = auth->channel,
        .merchant = auth->merchant,
    };
    if (!hf_account_admit(ledger, payer, payee, auth->asset, &attributes, answer))
        return;
    if (!hf_promise_make(ledger, turn, payer, payee, auth->amount, 0, answer))
        return;
    if (hf_turn_is_dry(turn) || auth->amount == 0)
        return;
    hf_undo_keep(&ledger->undo, instrument, sizeof(*instrument));
    hf_instrument_draw(instrument);
    if (instrument->remaining != HF_INSTRUMENT_UNLIMITED)
        hf_event_add(ledger, answer, HF_EVENT_DRAWN, instrument->token,
                     (int64_t)instrument->remaining, 0, 0);
}
