/* Shares, plans and what becomes of a hold. */
#include "settlement.h"

#include "execute.h"
#include "expire.h"
#include "state.h"

#include <assert.h>

void hf_settlement_begin(const struct hf_ledger *ledger, struct hf_settlement *s,
                         struct hf_hold *hold)
{
    s->hold = hold;
    s->more = hf_hold_more_of(&ledger->holds, hold);
    s->payer = hold->payer == HF_TABLE_NONE ? NULL : hf_account_at(&ledger->accounts, hold->payer);
    s->beyond = 0;
    s->captured = 0;
    s->released = 0;
    s->raised = 0;
    s->returned = 0;
    s->slot = hf_hold_slot(&ledger->holds, hold);
    s->share_count = 0;
}

void hf_settlement_refuse(const struct hf_settlement *s, uint16_t code, uint8_t rule, uint8_t entry,
                          struct hf_answer *answer)
{
    answer->approved = 0;
    answer->entry = entry;
    if (s->payer == NULL)
        hf_answer_refuse(answer, code, rule);
    else
        hf_account_refuse(s->payer, code, rule, answer);
}

struct hf_account *hf_settlement_payee(const struct hf_ledger *ledger, const struct hf_hold *hold)
{
    return hold->payee == HF_TABLE_NONE ? NULL : hf_account_at(&ledger->accounts, hold->payee);
}

void hf_settlement_load(const struct hf_ledger *ledger, struct hf_settlement *s)
{
    const struct hf_holds *holds = &ledger->holds;
    uint32_t index = s->more->first_part;

    if (index == HF_TABLE_NONE) {
        s->shares[0] =
            (struct hf_share){.account = s->payer, .part = index, .remaining = s->hold->remaining};
        s->share_count = 1;
        return;
    }
    s->share_count = 0;
    for (; index != HF_TABLE_NONE; index = holds->part_pool.next[index]) {
        const struct hf_part *part = &holds->parts[index];
        assert(s->share_count < HF_HOLD_PARTS_MAX);
        s->shares[s->share_count++] = (struct hf_share){
            .account = hf_account_at(&ledger->accounts, part->account),
            .part = index,
            .remaining = part->remaining,
        };
    }
    assert(s->share_count == s->more->payer_count);
}

uint8_t hf_settlement_entry(const struct hf_settlement *s, uint32_t index)
{
    return s->more->payer_count > 1 ? (uint8_t)(index + 1) : 0;
}

void hf_settlement_plan(struct hf_ledger *ledger, const struct hf_settlement *s,
                        struct hf_account *payee)
{
    struct hf_plan *plan = &ledger->plan;

    hf_plan_begin(plan);
    for (uint32_t i = 0; i < s->share_count; i++) {
        const struct hf_share *share = &s->shares[i];
        uint64_t beyond = i == 0 ? s->beyond : 0;
        uint64_t returned = i == 0 ? s->returned : 0;
        uint64_t posted = share->captured + beyond;
        assert(posted <= HF_AMOUNT_MAX);
        assert(returned <= HF_AMOUNT_MAX);
        assert(share->captured + share->released <= share->remaining);
        if (posted + returned + share->released + share->raised == 0)
            continue;
        const struct hf_change change = {
            .posted = (int64_t)returned - (int64_t)posted,
            .held_out = (int64_t)share->raised - (int64_t)(share->captured + share->released),
            .lifetime_debits = posted,
        };
        hf_plan_add(ledger, plan, share->account, &change, HF_RULE_PAYER, hf_settlement_entry(s, i),
                    beyond + share->raised > 0);
    }
    if (payee == NULL)
        return;
    struct hf_change change = {
        .posted = (int64_t)(s->captured + s->beyond) - (int64_t)s->returned,
        .lifetime_debits = s->returned,
    };
    if (s->hold->payee != HF_TABLE_NONE)
        change.held_in = (int64_t)s->raised - (int64_t)(s->captured + s->released);
    hf_plan_add(ledger, plan, payee, &change, HF_RULE_PAYEE, 0, s->returned > 0);
}

bool hf_settlement_pass(const struct hf_ledger *ledger, const struct hf_settlement *s,
                        struct hf_answer *answer)
{
    const struct hf_plan *plan = &ledger->plan;

    struct hf_verdict verdict = hf_execute_check(ledger, plan);
    if (verdict.code != HF_CODE_OK) {
        hf_settlement_refuse(s, verdict.code, verdict.rule, verdict.entry, answer);
        return false;
    }
    hf_execute_show(plan, s->payer, answer);
    return true;
}

void hf_settlement_apply(struct hf_ledger *ledger, const struct hf_settlement *s,
                         const struct hf_answer *answer)
{
    struct hf_holds *holds = &ledger->holds;
    const struct hf_plan *plan = &ledger->plan;
    struct hf_hold *hold = s->hold;

    hf_execute_apply(ledger, plan, answer);
    for (uint32_t i = 0; i < plan->named_count; i++)
        hf_expire_watch(ledger, plan->named[i].account);
    for (uint32_t i = 0; i < s->share_count; i++) {
        const struct hf_share *share = &s->shares[i];
        if (share->part == HF_TABLE_NONE)
            continue;
        struct hf_part *part = &holds->parts[share->part];
        hf_undo_keep(&ledger->undo, part, sizeof(*part));
        part->remaining = share->remaining + share->raised - share->captured - share->released;
    }
    hf_undo_keep(&ledger->undo, hold, sizeof(*hold));
    hold->remaining = hold->remaining + s->raised - s->captured - s->released;
    hold->captured = hold->captured + s->captured + s->beyond - s->returned;
}

bool hf_settlement_divide(struct hf_settlement *s, uint64_t amount, bool is_final)
{
    const struct hf_hold *hold = s->hold;
    bool is_lapsed = hold->status == HF_HOLD_LAPSED;
    uint64_t left = is_lapsed ? hold->amount - hold->captured : hold->remaining;
    __extension__ unsigned __int128 product = hold->amount;

    product *= s->more->tolerance;
    uint64_t tolerated = (uint64_t)(product / HF_TOLERANCE_MAX);
    if (amount == HF_AMOUNT_ALL)
        amount = left;
    s->captured = amount < hold->remaining ? amount : hold->remaining;
    s->beyond = amount - s->captured;
    s->released = is_final ? hold->remaining - s->captured : 0;
    return amount != 0 && amount <= left + tolerated;
}

void hf_settlement_spread_capture(struct hf_settlement *s)
{
    if (hf_settlement_is_by_ratio(s))
        hf_spread_capture_by_ratio(s->shares, s->share_count, s->captured);
    else
        hf_spread_capture_in_order(s->shares, s->share_count, s->captured);
    for (uint32_t i = 0; i < s->share_count && s->released > 0; i++)
        s->shares[i].released = s->shares[i].remaining - s->shares[i].captured;
}

void hf_settlement_end_capture(struct hf_ledger *ledger, const struct hf_settlement *s,
                               bool is_final, const struct hf_answer *answer)
{
    struct hf_hold *hold = s->hold;

    hf_event_add(ledger, answer, HF_EVENT_CAPTURED, hold->id, (int64_t)answer->approved,
                 hold->asset, 0);
    if (s->released > 0)
        hf_event_add(ledger, answer, HF_EVENT_RELEASED, hold->id, (int64_t)s->released, hold->asset,
                     0);
    if (hold->status == HF_HOLD_OPEN && hold->remaining == 0)
        hf_hold_end(ledger, s->slot, HF_HOLD_RESOLVED, ledger->bundle_ns);
    else if (hold->status == HF_HOLD_LAPSED && (is_final || hold->captured >= hold->amount))
        hold->status = HF_HOLD_RESOLVED; /* its line was kept when the plan was applied */
}

void hf_settlement_plan_release(struct hf_ledger *ledger, struct hf_settlement *s, uint64_t amount)
{
    assert(amount > 0);
    assert(amount <= s->hold->remaining);
    hf_settlement_load(ledger, s);
    s->released = amount;
    if (hf_settlement_is_by_ratio(s))
        hf_spread_release_by_ratio(s->shares, s->share_count, amount);
    else
        hf_spread_release_in_order(s->shares, s->share_count, amount);
    hf_settlement_plan(ledger, s, hf_settlement_payee(ledger, s->hold));
}
