/* Opening accounts, changing them, and letting them take part. */
#include "account.h"

#include "state.h"

#include <assert.h>

void hf_account_refuse(const struct hf_table *accounts, uint32_t payer, uint16_t code, uint8_t rule,
                       struct hf_answer *answer)
{
    assert(code != HF_CODE_OK);
    hf_answer_refuse(answer, code, rule);
    hf_account_show(hf_account_at(accounts, payer), answer);
}

static struct hf_verdict judge_status(uint8_t status, uint8_t rule)
{
    if (status == HF_ACCOUNT_CLOSED)
        return (struct hf_verdict){HF_CODE_CLOSED, rule};
    if (status == HF_ACCOUNT_FROZEN)
        return (struct hf_verdict){HF_CODE_RESTRICTED, rule};
    assert(status == HF_ACCOUNT_OPEN);
    return (struct hf_verdict){HF_CODE_OK, HF_RULE_NONE};
}

bool hf_account_admit(const struct hf_table *accounts, const struct hf_parties *parties,
                      uint16_t asset, struct hf_answer *answer)
{
    const struct hf_account *payer = hf_account_at(accounts, parties->payer);
    const struct hf_account *payee = hf_account_at(accounts, parties->payee);
    struct hf_verdict verdict;

    assert(parties->payer != parties->payee);
    if (payer->asset != asset) {
        verdict = (struct hf_verdict){HF_CODE_ASSET_MISMATCH, HF_RULE_PAYER};
    } else if (payee->asset != asset) {
        verdict = (struct hf_verdict){HF_CODE_ASSET_MISMATCH, HF_RULE_PAYEE};
    } else {
        verdict = judge_status(payer->status, HF_RULE_PAYER);
        if (verdict.code == HF_CODE_OK)
            verdict = judge_status(payee->status, HF_RULE_PAYEE);
    }
    if (verdict.code == HF_CODE_OK)
        return true;
    hf_account_refuse(accounts, parties->payer, verdict.code, verdict.rule, answer);
    return false;
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
    if (turn->is_dry)
        return;
    uint32_t slot = hf_table_insert(accounts, put->account, turn->step->keys[0].hash);
    assert(slot != HF_TABLE_NONE);
    struct hf_account *account = hf_account_at(accounts, slot);
    account->floor = put->floor;
    account->asset = put->asset;
    account->status = put->status;
}

void hf_account_put(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_answer *answer)
{
    const struct hf_op_account_put *put = &turn->operation->account_put;
    const struct hf_key *key = &turn->step->keys[0];

    if (hf_asset_find(&ledger->assets, put->asset) == NULL) {
        hf_answer_refuse(answer, HF_CODE_UNKNOWN_ASSET, HF_RULE_ASSET);
        return;
    }
    uint32_t slot = hf_table_find_at(&ledger->accounts, put->account, key->hash, key->guess);
    if (slot == HF_TABLE_NONE) {
        open_account(&ledger->accounts, turn, answer);
        return;
    }
    struct hf_account *account = hf_account_at(&ledger->accounts, slot);
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
    if (turn->is_dry)
        return;
    account->floor = put->floor;
    account->status = put->status;
}
