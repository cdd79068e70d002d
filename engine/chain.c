/* CHAIN: each operation as it would be by itself, seeing what those before did; and when one says
 * no, none of them happened. */
#include "chain.h"

#include "expire.h"
#include "once.h"

#include <assert.h>

/* Carries out one operation of a chain. Its answer is for the chain, and for the hold it makes. */
static void carry_out_one(struct hf_ledger *ledger, const struct hf_turn *chain, uint64_t place,
                          const union hf_operation *operation, struct hf_answer *answer)
{
    struct hf_turn turn;

    assert(operation->header.type != HF_OP_CHAIN);
    hf_turn_look_up(ledger, operation, &turn);
    /* Never dry: what comes after sees it. A dry chain is rolled back as a whole. */
    turn.flags = 0;
    turn.origin = chain->origin;
    hf_answer_begin(answer, &turn, place, ledger->bundle_ns);
    hf_turn_carry_out(ledger, &turn, answer);
}

/* Timers are not part of the state and are not undone. One that is too early does no harm, but an
 * account's may have been set to the later expiry that is now gone: sets them anew. */
static void watch_again(struct hf_ledger *ledger, const struct hf_op_chain *chain)
{
    size_t offset = 0;

    for (uint32_t i = 0; i < chain->count; i++) {
        const union hf_operation *operation = hf_chain_operation(chain, offset);
        offset += operation->header.length;
        if (operation->header.type != HF_OP_ACCOUNT_PUT)
            continue;
        const struct hf_account *account =
            hf_ledger_find_account(ledger, operation->account_put.account);
        if (account != NULL)
            hf_expire_watch(ledger, account);
    }
}

void hf_chain_carry_out(struct hf_ledger *ledger, const struct hf_turn *turn,
                        struct hf_answer *answer)
{
    const struct hf_op_chain *chain = &turn->operation->chain;
    uint32_t events_before = ledger->events == NULL ? 0 : ledger->events->count;
    /* A dry chain has no place, but what it makes needs one: that which the chain would get. */
    uint64_t place = hf_turn_is_dry(turn) ? ledger->dry_place : answer->place;
    size_t offset = 0;
    bool stands = true;

    assert(chain->count >= 1);
    assert(chain->count <= HF_CHAIN_OPERATIONS_MAX);
    hf_undo_begin(&ledger->undo);
    for (uint32_t i = 0; i < chain->count && stands; i++) {
        const union hf_operation *operation = hf_chain_operation(chain, offset);
        struct hf_answer inner;
        ledger->chain_number = (uint8_t)(i + 1);
        carry_out_one(ledger, turn, place, operation, &inner);
        offset += operation->header.length;
        stands = inner.code == HF_CODE_OK || inner.code == HF_CODE_OK_PARTIAL;
        if (!stands) {
            hf_answer_refuse(answer, inner.code, inner.rule);
            answer->entry = (uint8_t)(i + 1);
        }
    }
    ledger->chain_number = 0;
    if (stands)
        answer->approved = chain->count;
    if (stands && !hf_turn_is_dry(turn)) {
        hf_undo_commit(&ledger->undo);
        return;
    }
    hf_undo_roll_back(&ledger->undo);
    watch_again(ledger, chain);
    if (ledger->events != NULL)
        ledger->events->count = events_before;
}
