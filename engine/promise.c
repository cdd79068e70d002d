/* A hold is made: for one payer at once, for several by a plan. */
#include "promise.h"

#include "hold_add.h"

#include <assert.h>

/* The id is known: it was made in a chain, or is named in one, or was reversed before it came.
 * Whoever else made a hold is answered before an operation comes this far, or refused as too old.
 */
static void refuse_known(const struct hf_ledger *ledger, const struct hf_turn *turn, uint32_t slot,
                         struct hf_answer *answer)
{
    if (hf_hold_at(&ledger->holds, slot)->status == HF_HOLD_REVERSED &&
        (turn->type == HF_OP_AUTH || turn->type == HF_OP_CLEAR))
        hf_answer_refuse(answer, HF_CODE_REVERSED, HF_RULE_ORIGINAL);
    else
        hf_answer_refuse(answer, HF_CODE_DUPLICATE_DIFFERENT, HF_RULE_ID);
}

bool hf_promise_begin_known(const struct hf_ledger *ledger, const struct hf_turn *turn,
                            struct hf_answer *answer)
{
    uint32_t slot =
        hf_hold_find_known(&ledger->holds, answer->id, turn->id_hash, ledger->bundle_ns);

    if (slot == HF_TABLE_NONE)
        return true;
    refuse_known(ledger, turn, slot, answer);
    return false;
}

uint32_t hf_promise_add(struct hf_ledger *ledger, const struct hf_turn *turn,
                        const struct hf_hold_more *more, const struct hf_account *payer,
                        const struct hf_account *payee, const struct hf_answer *answer)
{
    struct hf_holds *holds = &ledger->holds;
    uint32_t slot = hf_hold_add(ledger, answer->id, turn->id_hash);
    struct hf_hold *hold = hf_hold_at(holds, slot);

    assert(answer->approved > 0);
    hold->amount = answer->approved;
    hold->remaining = answer->approved;
    hold->payer = hf_table_slot(&ledger->accounts, payer);
    hold->payee = payee == NULL ? HF_TABLE_NONE : hf_table_slot(&ledger->accounts, payee);
    hold->asset = payer->asset;
    holds->answers[slot] = *answer;
    if (more != &hf_hold_plain)
        hf_hold_set_more(ledger, slot, more);
    hf_event_add(ledger, answer, HF_EVENT_HELD, answer->id, (int64_t)answer->approved, payer->asset,
                 0);
    return slot;
}

bool hf_promise_by_plan(struct hf_ledger *ledger, bool is_dry, struct hf_account *payer,
                        struct hf_account *payee, uint64_t amount, struct hf_answer *answer)
{
    const struct hf_change out = {.held_out = (int64_t)amount};
    const struct hf_change in = {.held_in = (int64_t)amount};
    struct hf_plan *plan = &ledger->plan;

    hf_plan_begin(plan);
    hf_plan_add(ledger, plan, payer, &out, HF_RULE_PAYER, 0, true);
    hf_plan_add(ledger, plan, payee, &in, HF_RULE_PAYEE, 0, false);
    struct hf_verdict verdict = hf_execute_check(ledger, plan);
    if (verdict.code == HF_CODE_OK && hf_hold_are_all_open(&ledger->holds))
        verdict = (struct hf_verdict){HF_CODE_CAPACITY, HF_RULE_TABLE, 0};
    if (verdict.code != HF_CODE_OK) {
        hf_account_refuse(payer, verdict.code, verdict.rule, answer);
        answer->entry = verdict.entry;
        return false;
    }
    hf_execute_preview(&plan->named[0], answer);
    if (!is_dry)
        hf_execute_apply(ledger, plan, answer);
    return true;
}

void hf_promise_hold(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_answer *answer)
{
    const struct hf_op_hold *hold = &turn->operation->hold;
    struct hf_account *payer;
    struct hf_account *payee;
    uint32_t slot;

    uint64_t expires_ns = hold->expires_ns == HF_EXPIRES_NEVER ? 0 : hold->expires_ns;
    if (!hf_promise_begin(ledger, turn, expires_ns, answer))
        return;
    if (!hf_turn_find_parties(ledger, turn, hold->payer, hold->payee, &payer, &payee, answer))
        return;
    if (!hf_account_admit(ledger, payer, payee, hold->asset, &hf_attributes_none, answer))
        return;
    struct hf_hold_more own;
    const struct hf_hold_more *more = &hf_hold_plain;
    if (expires_ns != 0 || turn->origin != 0) {
        own = hf_hold_plain;
        own.expires_ns = expires_ns;
        own.origin = turn->origin;
        more = &own;
    }
    hf_promise_make(ledger, turn, payer, payee, hold->amount, more, answer, &slot);
}

/* When the hold will expire, 0: never. */
static uint64_t expiry_of(const struct hf_ledger *ledger, const struct hf_op_terms *terms)
{
    if (terms->expires_ns == HF_EXPIRES_NEVER)
        return 0;
    if (terms->expires_ns != 0)
        return terms->expires_ns;
    return hf_promise_class_expiry(ledger, terms->class_number);
}

/* The sources that take something: how many, and the first of them. */
static uint32_t count_payers(const struct hf_takes *takes, uint32_t source_count, uint32_t *first)
{
    uint32_t count = 0;

    for (uint32_t i = source_count; i-- > 0;) {
        if (takes->amounts[i] == 0)
            continue;
        *first = i;
        count++;
    }
    assert(count >= 1);
    assert(count <= HF_HOLD_PARTS_MAX);
    return count;
}

bool hf_promise_is_room(const struct hf_holds *holds, uint32_t payer_count,
                        uint32_t condition_count)
{
    uint32_t part_count = payer_count > 1 ? payer_count : 0;

    return !hf_hold_are_all_open(holds) && part_count <= hf_pool_room(&holds->part_pool) &&
           condition_count <= hf_pool_room(&holds->condition_pool);
}

void hf_promise_plan(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_answer *answer)
{
    const struct hf_op_hold_plan *hold = &turn->operation->hold_plan;
    const struct hf_op_terms *terms = &hold->terms;
    const struct hf_takes *takes = &ledger->takes;
    uint32_t source_count = hold->plan.source_count;
    uint32_t first = 0;
    struct hf_hold_more more = {
        .expires_ns = expiry_of(ledger, terms),
        .origin = turn->origin,
        .first_part = HF_TABLE_NONE,
        .first_condition = HF_TABLE_NONE,
        .tolerance = terms->tolerance,
        .class_number = terms->class_number,
        .policy = terms->policy,
        .condition_count = terms->condition_count,
        .required = terms->required,
    };

    if (!hf_promise_begin(ledger, turn, more.expires_ns, answer))
        return;
    if (!hf_plan_compile(ledger, &hold->plan, hold->entries, HF_PLAN_HOLDS, answer))
        return;
    more.payer_count = (uint8_t)count_payers(takes, source_count, &first);
    if (!hf_promise_is_room(&ledger->holds, more.payer_count, more.condition_count)) {
        answer->approved = 0;
        hf_account_refuse(takes->accounts[0], HF_CODE_CAPACITY, HF_RULE_TABLE, answer);
        return;
    }
    if (hf_turn_is_dry(turn))
        return;
    hf_execute_apply(ledger, &ledger->plan, answer);
    uint32_t slot = hf_promise_add(
        ledger, turn, hf_hold_more_is_plain(&more) ? &hf_hold_plain : &more, takes->accounts[first],
        hold->plan.destination_count == 0 ? NULL : takes->accounts[source_count], answer);
    for (uint32_t i = 0; i < source_count && more.payer_count > 1; i++) {
        if (takes->amounts[i] != 0)
            hf_hold_add_part(ledger, slot, hf_table_slot(&ledger->accounts, takes->accounts[i]),
                             takes->amounts[i]);
    }
    for (uint32_t i = 0; i < more.condition_count; i++)
        hf_hold_add_condition(ledger, slot, &hf_hold_plan_conditions(hold)[i]);
}
