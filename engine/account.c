/* Opening accounts, changing them, and letting them take part. */
#include "account.h"

#include "state.h"

#include <assert.h>

void hf_account_refuse(const struct hf_account *payer, uint16_t code, uint8_t rule,
                       struct hf_answer *answer)
{
    assert(code != HF_CODE_OK);
    hf_answer_refuse(answer, code, rule);
    hf_account_show(payer, answer);
}

void hf_account_turn_away(const struct hf_account *payer, const struct hf_account *payee,
                          uint16_t asset, struct hf_answer *answer)
{
    struct hf_verdict verdict;

    if (payer->asset != asset)
        verdict = (struct hf_verdict){HF_CODE_ASSET_MISMATCH, HF_RULE_PAYER};
    else if (payee->asset != asset)
        verdict = (struct hf_verdict){HF_CODE_ASSET_MISMATCH, HF_RULE_PAYEE};
    else if (payer->status == HF_ACCOUNT_CLOSED)
        verdict = (struct hf_verdict){HF_CODE_CLOSED, HF_RULE_PAYER};
    else if (payer->status == HF_ACCOUNT_FROZEN)
        verdict = (struct hf_verdict){HF_CODE_RESTRICTED, HF_RULE_PAYER};
    else if (payee->status == HF_ACCOUNT_CLOSED)
        verdict = (struct hf_verdict){HF_CODE_CLOSED, HF_RULE_PAYEE};
    else
        verdict = (struct hf_verdict){HF_CODE_RESTRICTED, HF_RULE_PAYEE};
    assert(verdict.rule == HF_RULE_PAYER || payee->asset != asset ||
           payee->status != HF_ACCOUNT_OPEN);
    hf_account_refuse(payer, verdict.code, verdict.rule, answer);
}

/* A new account: all amounts zero, as its line already is. */
static void open_account(struct hf_table *accounts, const struct hf_turn *turn,
                         struct hf_answer *answer)
{
    const struct hf_op_account_put *put = &turn->operation->account_put;

    if (accounts->count == accounts->capacity) {
        hf_answer_refuse(answer, HF_CODE_CAPACITY, HF_RULE_TABLE);
        return;
    }
    answer->available = hf_account_available(0, put->floor);
    if (hf_turn_is_dry(turn))
        return;
    uint32_t slot = hf_table_insert(accounts, put->account, turn->keys[0].hash);
    assert(slot != HF_TABLE_NONE);
    struct hf_account *account = hf_account_at(accounts, slot);
    account->floor = put->floor;
    account->asset = put->asset;
    account->status = put->status;
}

void hf_account_put(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_answer *answer)
{
    const struct hf_op_account_put *put = &turn->operation->account_put;

    if (hf_asset_find(&ledger->assets, put->asset) == NULL) {
        hf_answer_refuse(answer, HF_CODE_UNKNOWN_ASSET, HF_RULE_ASSET);
        return;
    }
    struct hf_account *account = hf_turn_find_account(ledger, turn, 0, put->account);
    if (account == NULL) {
        open_account(&ledger->accounts, turn, answer);
        return;
    }
    hf_account_show(account, answer);
    if (account->asset != put->asset) {
        hf_answer_refuse(answer, HF_CODE_ASSET_MISMATCH, HF_RULE_ACCOUNT);
        return;
    }
    if (account->status == HF_ACCOUNT_CLOSED) {
        hf_answer_refuse(answer, HF_CODE_CLOSED, HF_RULE_ACCOUNT);
        return;
    }
    answer->available = hf_account_available(hf_account_spendable(account), put->floor);
    if (hf_turn_is_dry(turn))
        return;
    account->floor = put->floor;
    account->status = put->status;
}
