/* Opening accounts, changing them, letting them take part, and closing them. */
#include "account.h"

#include "execute.h"
#include "state.h"

#include <assert.h>

void hf_account_refuse(const struct hf_account *payer, uint16_t code, uint8_t rule,
                       struct hf_answer *answer)
{
    assert(code != HF_CODE_OK);
    hf_answer_refuse(answer, code, rule);
    answer->approved = 0;
    hf_account_show(payer, answer);
}

/* The first two points of a standing, which are looked at of both before the rest of either. */
static bool is_of_kind(uint16_t code)
{
    return code == HF_CODE_IS_TOTAL || code == HF_CODE_ASSET_MISMATCH;
}

bool hf_account_admit_others(const struct hf_ledger *ledger, const struct hf_account *payer,
                             const struct hf_account *payee, uint16_t asset,
                             const struct hf_attributes *attributes, struct hf_answer *answer)
{
    uint16_t payer_code = hf_terms_standing(ledger, payer, asset, attributes);
    uint16_t payee_code = hf_terms_standing(ledger, payee, asset, NULL);

    if (payer_code == HF_CODE_OK && payee_code == HF_CODE_OK)
        return true;
    if (payer_code != HF_CODE_OK && (is_of_kind(payer_code) || !is_of_kind(payee_code)))
        hf_account_refuse(payer, payer_code, HF_RULE_PAYER, answer);
    else
        hf_account_refuse(payer, payee_code, HF_RULE_PAYEE, answer);
    return false;
}

/* A new account: all amounts zero, as its line already is. */
static struct hf_account *open_account(struct hf_ledger *ledger,
                                       const struct hf_op_account_put *put, uint64_t hash)
{
    uint32_t slot = hf_undo_insert(&ledger->undo, &ledger->accounts, put->account, hash);
    assert(slot != HF_TABLE_NONE);
    struct hf_account *account = hf_account_at(&ledger->accounts, slot);

    account->asset = put->asset;
    return account;
}

/* What a known account itself has against being changed. */
static struct hf_verdict check_known(const struct hf_account *account,
                                     const struct hf_op_account_put *put)
{
    if (account->asset != put->asset)
        return (struct hf_verdict){HF_CODE_ASSET_MISMATCH, HF_RULE_ACCOUNT, 0};
    if (account->status == HF_ACCOUNT_CLOSED)
        return (struct hf_verdict){HF_CODE_CLOSED, HF_RULE_ACCOUNT, 0};
    return (struct hf_verdict){HF_CODE_OK, HF_RULE_NONE, 0};
}

void hf_account_put(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_answer *answer)
{
    const struct hf_op_account_put *put = &turn->operation->account_put;
    struct hf_verdict verdict = {HF_CODE_OK, HF_RULE_NONE, 0};

    if (hf_asset_find(&ledger->assets, put->asset) == NULL) {
        hf_answer_refuse(answer, HF_CODE_UNKNOWN_ASSET, HF_RULE_ASSET);
        return;
    }
    struct hf_account *account = hf_turn_find_account(ledger, turn, 0, put->account);
    bool is_new = account == NULL;
    if (!is_new) {
        hf_account_show(account, answer);
        verdict = check_known(account, put);
    }
    if (verdict.code == HF_CODE_OK)
        verdict = hf_terms_check(ledger, put, account);
    if (verdict.code != HF_CODE_OK) {
        hf_answer_refuse(answer, verdict.code, verdict.rule);
        return;
    }
    answer->available =
        hf_account_available(is_new ? 0 : hf_account_spendable(account), put->floor);
    if (hf_turn_is_dry(turn))
        return;
    if (is_new)
        account = open_account(ledger, put, turn->keys[0].hash);
    hf_undo_keep(&ledger->undo, account, sizeof(*account));
    account->floor = put->floor;
    account->status = put->status;
    hf_terms_set(ledger, account, put, is_new);
    hf_event_add(ledger, answer, is_new ? HF_EVENT_OPENED : HF_EVENT_CHANGED, account->id, 0, 0, 0);
}

/* ---- closing ---- */

/* What stands against closing it, sink and money aside. */
static struct hf_verdict check_close(const struct hf_ledger *ledger,
                                     const struct hf_account *account)
{
    const struct hf_terms *terms = hf_terms_of(&ledger->terms, account);

    if (account->status == HF_ACCOUNT_CLOSED)
        return (struct hf_verdict){HF_CODE_CLOSED, HF_RULE_ACCOUNT, 0};
    if (terms != NULL && terms->children != 0)
        return (struct hf_verdict){HF_CODE_IS_TOTAL, HF_RULE_CHILDREN, 0};
    if (account->held_out != 0 || account->held_in != 0)
        return (struct hf_verdict){HF_CODE_HELD, HF_RULE_ACCOUNT, 0};
    if (account->posted < 0)
        return (struct hf_verdict){HF_CODE_INSUFFICIENT, HF_RULE_ACCOUNT, 0};
    return (struct hf_verdict){HF_CODE_OK, HF_RULE_NONE, 0};
}

/* Plans to move all that a closing account has to its sink. */
static struct hf_verdict plan_sweep(struct hf_ledger *ledger, struct hf_account *account,
                                    struct hf_id sink_id)
{
    const struct hf_change out = {
        .posted = -account->posted,
        .lifetime_debits = (uint64_t)account->posted,
    };
    const struct hf_change in = {.posted = account->posted};
    struct hf_plan *plan = &ledger->plan;

    if (hf_id_is_zero(sink_id))
        return (struct hf_verdict){HF_CODE_NOT_EMPTY, HF_RULE_SINK, 0};
    struct hf_account *sink = hf_ledger_find_account(ledger, sink_id);
    if (sink == NULL)
        return (struct hf_verdict){HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_SINK, 0};
    uint16_t code = hf_terms_standing(ledger, sink, account->asset, NULL);
    if (code != HF_CODE_OK)
        return (struct hf_verdict){code, HF_RULE_SINK, 0};
    assert(sink != account);
    hf_plan_add(ledger, plan, account, &out, HF_RULE_ACCOUNT, 0, false);
    hf_plan_add(ledger, plan, sink, &in, HF_RULE_SINK, 0, false);
    return hf_execute_check(ledger, plan);
}

static void shut(struct hf_ledger *ledger, struct hf_account *account)
{
    struct hf_account *parent = hf_terms_parent(ledger, account);

    hf_undo_keep(&ledger->undo, account, sizeof(*account));
    account->status = HF_ACCOUNT_CLOSED;
    if (parent == NULL)
        return;
    struct hf_terms *above = hf_terms_of(&ledger->terms, parent);
    assert(above->children > 0);
    hf_undo_keep(&ledger->undo, above, sizeof(*above));
    above->children--;
}

void hf_account_close(struct hf_ledger *ledger, const struct hf_turn *turn,
                      struct hf_answer *answer)
{
    const struct hf_op_account_close *close = &turn->operation->account_close;
    struct hf_account *account = hf_turn_find_account(ledger, turn, 0, close->account);

    if (account == NULL) {
        hf_answer_refuse(answer, HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_ACCOUNT);
        return;
    }
    hf_plan_begin(&ledger->plan);
    struct hf_verdict verdict = check_close(ledger, account);
    if (verdict.code == HF_CODE_OK && account->posted > 0)
        verdict = plan_sweep(ledger, account, close->sink);
    if (verdict.code != HF_CODE_OK) {
        hf_account_refuse(account, verdict.code, verdict.rule, answer);
        return;
    }
    answer->approved = (uint64_t)account->posted;
    answer->posted = 0;
    answer->available = hf_account_available(0, account->floor);
    if (hf_turn_is_dry(turn))
        return;
    hf_execute_apply(ledger, &ledger->plan, answer);
    shut(ledger, account);
    hf_event_add(ledger, answer, HF_EVENT_CLOSED, account->id, (int64_t)answer->approved,
                 account->asset, 0);
}
