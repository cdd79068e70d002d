/* ATTEST: which condition, and is the proof right? */
#include "attest.h"

#include "condition.h"
#include "state.h"

#include <assert.h>

/* The condition of that number, from 1, or NULL. */
static const struct hf_op_condition *find_condition(const struct hf_holds *holds,
                                                    const struct hf_hold_more *more, uint8_t number)
{
    uint32_t index = more->first_condition;

    assert(number >= 1);
    for (uint8_t i = 1; i < number && index != HF_TABLE_NONE; i++)
        index = holds->condition_pool.next[index];
    return index == HF_TABLE_NONE ? NULL : &holds->conditions[index];
}

/* The open hold that it names, or NULL when that was refused. Anybody may prove: it is the proof
 * that counts. */
static struct hf_hold *find_open(const struct hf_ledger *ledger, const struct hf_turn *turn,
                                 struct hf_answer *answer)
{
    struct hf_hold *hold = hf_turn_find_hold(ledger, turn, turn->operation->attest.hold);

    if (hold == NULL || hf_hold_is_record_alone(hold)) {
        hf_answer_refuse(answer, HF_CODE_UNKNOWN_HOLD, HF_RULE_HOLD);
        return NULL;
    }
    if (hold->status == HF_HOLD_RESOLVED) {
        hf_answer_refuse(answer, HF_CODE_HOLD_RESOLVED, HF_RULE_HOLD);
        return NULL;
    }
    if (hold->status == HF_HOLD_LAPSED ||
        hf_hold_is_due(hf_hold_more_of(&ledger->holds, hold), ledger->bundle_ns)) {
        hf_answer_refuse(answer, HF_CODE_HOLD_EXPIRED, HF_RULE_HOLD);
        return NULL;
    }
    return hold;
}

void hf_attest(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_answer *answer)
{
    const struct hf_op_attest *attest = &turn->operation->attest;
    struct hf_holds *holds = &ledger->holds;
    struct hf_hold *hold = find_open(ledger, turn, answer);

    if (hold == NULL)
        return;
    const struct hf_op_condition *condition =
        find_condition(holds, hf_hold_more_of(holds, hold), attest->condition);
    if (condition == NULL) {
        hf_answer_refuse(answer, HF_CODE_UNKNOWN_CONDITION, HF_RULE_CONDITION);
        return;
    }
    struct hf_verdict verdict = hf_condition_prove(condition, attest, turn->origin);
    if (verdict.code != HF_CODE_OK) {
        hf_answer_refuse(answer, verdict.code, verdict.rule);
        answer->entry = verdict.entry;
        return;
    }
    if (hf_turn_is_dry(turn))
        return;
    assert(hold->has_more);
    struct hf_hold_more *more = &holds->more[hf_hold_slot(holds, hold)];
    hf_undo_keep(&ledger->undo, more, sizeof(*more));
    more->met |= (uint8_t)(1u << (attest->condition - 1));
    hf_event_add(ledger, answer, HF_EVENT_ATTESTED, hold->id, 0, 0, attest->condition);
}
