/* The life of a hold. */
#include "hold.h"

#include "execute.h"
#include "state.h"

#include <assert.h>

void hf_holds_create(struct hf_holds *holds, struct hf_arena *arena, uint64_t capacity)
{
    hf_table_create(&holds->table, arena, capacity);
    holds->answers = hf_arena_take(arena, (size_t)holds->table.group_count * HF_TABLE_GROUP_LINES,
                                   sizeof(struct hf_answer));
    holds->open_count = 0;
    holds->resolved_count = 0;
    holds->resolved_first = HF_TABLE_NONE;
    holds->resolved_last = HF_TABLE_NONE;
}

const struct hf_answer *hf_hold_answer(const struct hf_holds *holds, struct hf_id id, uint64_t hash)
{
    uint32_t slot = hf_table_find(&holds->table, id, hash);

    return slot == HF_TABLE_NONE ? NULL : &holds->answers[slot];
}

static void forget_first_resolved(struct hf_holds *holds)
{
    uint32_t slot = holds->resolved_first;
    assert(slot != HF_TABLE_NONE);
    const struct hf_hold *hold = hf_hold_at(holds, slot);

    assert(hold->status == HF_HOLD_RESOLVED);
    holds->resolved_first = hold->next;
    holds->resolved_count--;
    if (hold->next == HF_TABLE_NONE)
        holds->resolved_last = HF_TABLE_NONE;
    else
        __builtin_prefetch(hf_hold_at(holds, hold->next), 1); /* it is the next to go */
    hf_table_delete(&holds->table, slot);
}

uint32_t hf_hold_add(struct hf_holds *holds, struct hf_id id, uint64_t hash)
{
    assert(holds->open_count < holds->table.capacity);
    if (holds->table.count == holds->table.capacity)
        forget_first_resolved(holds);
    uint32_t slot = hf_table_insert(&holds->table, id, hash);
    assert(slot != HF_TABLE_NONE);
    holds->open_count++;
    struct hf_hold *hold = hf_hold_at(holds, slot);
    hold->next = HF_TABLE_NONE;
    hold->status = HF_HOLD_OPEN;
    return slot;
}

void hf_hold_resolve(struct hf_holds *holds, uint32_t slot, uint64_t place)
{
    struct hf_hold *hold = hf_hold_at(holds, slot);

    assert(hold->status == HF_HOLD_OPEN);
    assert(hold->remaining == 0);
    hold->status = HF_HOLD_RESOLVED;
    hold->resolved_place = place;
    holds->open_count--;
    holds->resolved_count++;
    if (holds->resolved_last == HF_TABLE_NONE)
        holds->resolved_first = slot;
    else
        hf_hold_at(holds, holds->resolved_last)->next = slot;
    holds->resolved_last = slot;
}

bool hf_hold_promise(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_account *payer,
                     struct hf_account *payee, uint64_t amount, struct hf_answer *answer)
{
    const struct hf_plan plan = {
        .leg_count = 2,
        .legs = {{.account = payer,
                  .rule = HF_RULE_PAYER,
                  .is_debit = true,
                  .held_out = (int64_t)amount},
                 {.account = payee, .rule = HF_RULE_PAYEE, .held_in = (int64_t)amount}},
    };
    struct hf_holds *holds = &ledger->holds;

    assert(amount <= HF_AMOUNT_MAX);
    struct hf_verdict verdict = hf_execute_check(&plan);
    if (verdict.code == HF_CODE_OK && holds->open_count == holds->table.capacity)
        verdict = (struct hf_verdict){HF_CODE_CAPACITY, HF_RULE_TABLE};
    if (verdict.code != HF_CODE_OK) {
        hf_account_refuse(payer, verdict.code, verdict.rule, answer);
        return false;
    }
    answer->approved = amount;
    hf_execute_preview(&plan.legs[0], answer);
    if (hf_turn_is_dry(turn) || amount == 0)
        return true;

    hf_execute_apply(&plan);
    uint32_t slot = hf_hold_add(holds, answer->id, turn->id_hash);
    struct hf_hold *hold = hf_hold_at(holds, slot);
    hold->amount = amount;
    hold->remaining = amount;
    hold->payer = hf_table_slot(&ledger->accounts, payer);
    hold->payee = hf_table_slot(&ledger->accounts, payee);
    hold->asset = payer->asset;
    holds->answers[slot] = *answer;
    return true;
}

void hf_hold_open(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_answer *answer)
{
    const struct hf_op_hold *hold = &turn->operation->hold;
    struct hf_account *payer;
    struct hf_account *payee;

    if (!hf_turn_find_parties(ledger, turn, hold->payer, hold->payee, &payer, &payee, answer))
        return;
    if (!hf_account_admit(payer, payee, hold->asset, answer))
        return;
    hf_hold_promise(ledger, turn, payer, payee, hold->amount, answer);
}

static struct hf_account *payer_of(const struct hf_ledger *ledger, const struct hf_hold *hold)
{
    return hf_account_at(&ledger->accounts, hold->payer);
}

static struct hf_account *payee_of(const struct hf_ledger *ledger, const struct hf_hold *hold)
{
    return hf_account_at(&ledger->accounts, hold->payee);
}

/* Finds the open hold that CAPTURE or RELEASE names, and the amount meant. NULL when that was
 * refused. */
static struct hf_hold *find_open(const struct hf_ledger *ledger, const struct hf_turn *turn,
                                 struct hf_id id, uint64_t *amount, struct hf_answer *answer)
{
    const struct hf_key *key = &turn->keys[0];
    struct hf_hold *hold = hf_table_find_at(&ledger->holds.table, id, key->hash, key->guess);

    assert(!hf_id_is_reserved(id)); /* a freed line's key is zero */
    if (hold == NULL) {
        hf_answer_refuse(answer, HF_CODE_UNKNOWN_HOLD, HF_RULE_HOLD);
        return NULL;
    }
    if (hold->status == HF_HOLD_RESOLVED) {
        hf_account_refuse(payer_of(ledger, hold), HF_CODE_HOLD_RESOLVED, HF_RULE_HOLD, answer);
        return NULL;
    }
    assert(hold->remaining > 0);
    if (*amount == HF_AMOUNT_ALL)
        *amount = hold->remaining;
    if (*amount > hold->remaining) {
        hf_account_refuse(payer_of(ledger, hold), HF_CODE_OVER_CAPTURE, HF_RULE_HOLD, answer);
        return NULL;
    }
    return hold;
}

/* Takes `captured` for the payee and gives `released` back to the payer: both parts of one plan. */
static void settle(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_hold *hold,
                   uint64_t captured, uint64_t released, struct hf_answer *answer)
{
    uint64_t freed = captured + released;
    const struct hf_plan plan = {
        .leg_count = 2,
        .legs = {{.account = payer_of(ledger, hold),
                  .rule = HF_RULE_PAYER,
                  .posted = -(int64_t)captured,
                  .held_out = -(int64_t)freed,
                  .lifetime_debits = captured},
                 {.account = payee_of(ledger, hold),
                  .rule = HF_RULE_PAYEE,
                  .posted = (int64_t)captured,
                  .held_in = -(int64_t)freed}},
    };

    assert(freed > 0);
    assert(freed <= hold->remaining);
    struct hf_verdict verdict = hf_execute_check(&plan);
    if (verdict.code != HF_CODE_OK) {
        hf_account_refuse(payer_of(ledger, hold), verdict.code, verdict.rule, answer);
        return;
    }
    hf_execute_preview(&plan.legs[0], answer);
    answer->approved = captured > 0 ? captured : released;
    if (hf_turn_is_dry(turn))
        return;
    hf_execute_apply(&plan);
    hold->remaining -= freed;
    hold->captured += captured;
    if (hold->remaining == 0)
        hf_hold_resolve(&ledger->holds, hf_table_slot(&ledger->holds.table, hold), answer->place);
}

void hf_hold_capture(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_answer *answer)
{
    const struct hf_op_capture *capture = &turn->operation->capture;
    uint64_t amount = capture->amount;
    struct hf_hold *hold = find_open(ledger, turn, capture->hold, &amount, answer);

    if (hold == NULL)
        return;
    if (payee_of(ledger, hold)->status == HF_ACCOUNT_FROZEN) {
        hf_account_refuse(payer_of(ledger, hold), HF_CODE_RESTRICTED, HF_RULE_PAYEE, answer);
        return;
    }
    settle(ledger, turn, hold, amount, capture->final != 0 ? hold->remaining - amount : 0, answer);
}

void hf_hold_release(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_answer *answer)
{
    const struct hf_op_release *release = &turn->operation->release;
    uint64_t amount = release->amount;
    struct hf_hold *hold = find_open(ledger, turn, release->hold, &amount, answer);

    if (hold != NULL)
        settle(ledger, turn, hold, 0, amount, answer);
}
