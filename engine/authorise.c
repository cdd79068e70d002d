/* AUTH compiled: an instrument's checks, then a hold on its account. */
#include "authorise.h"

#include "hold.h"
#include "instrument.h"
#include "state.h"

void hf_authorise(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_answer *answer)
{
    const struct hf_op_auth *auth = &turn->operation->auth;
    const struct hf_key *key = &turn->keys[0];
    struct hf_instrument *instrument =
        hf_table_find_at(&ledger->instruments, auth->token, key->hash, key->guess);

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
    if (!hf_account_admit(payer, payee, auth->asset, answer))
        return;
    if (!hf_hold_promise(ledger, turn, payer, payee, auth->amount, answer))
        return;
    if (!hf_turn_is_dry(turn) && auth->amount > 0)
        hf_instrument_draw(instrument);
}
