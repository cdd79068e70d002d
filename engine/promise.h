/* Making holds. */
#ifndef HF_ENGINE_PROMISE_H
#define HF_ENGINE_PROMISE_H

#include "execute.h"
#include "state.h"

/* hf_promise_begin where the id may be a hold's or record's: false when that was refused. */
bool hf_promise_begin_known(const struct hf_ledger *ledger, const struct hf_turn *turn,
                            struct hf_answer *answer);

/* What HOLD, HOLD_PLAN and AUTH begin with, and a CLEAR that posts by itself: the id is no hold's
 * or record's yet, and the expiry (0: none) has not come. False when that was refused. */
static inline bool hf_promise_begin(const struct hf_ledger *ledger, const struct hf_turn *turn,
                                    uint64_t expires_ns, struct hf_answer *answer)
{
    if (__builtin_expect(ledger->undo.is_open || hf_hold_may_be_unseen(&ledger->holds, answer->id),
                         0)) {
        if (!hf_promise_begin_known(ledger, turn, answer))
            return false;
    }
    if (expires_ns != 0 && expires_ns <= ledger->bundle_ns) {
        hf_answer_refuse(answer, HF_CODE_EXPIRED, HF_RULE_EXPIRY);
        return false;
    }
    return true;
}

/* The hold of an operation whose plan has just been applied, over what it approved. `payee` is NULL
 * when it is open. Returns its slot. Parts and conditions are still to be added. */
uint32_t hf_promise_add(struct hf_ledger *ledger, const struct hf_turn *turn,
                        const struct hf_hold_more *more, const struct hf_account *payer,
                        const struct hf_account *payee, const struct hf_answer *answer);

/* The plan of one payer and one payee: worked out, checked, and unless `is_dry` applied. False when
 * a guard or the table refused. */
bool hf_promise_by_plan(struct hf_ledger *ledger, bool is_dry, struct hf_account *payer,
                        struct hf_account *payee, uint64_t amount, struct hf_answer *answer);

/* What HOLD and AUTH share once the parties are admitted: guards, room, the hold. An amount of 0
 * passes the same guards and holds nothing. `more` of the hold has one payer and no conditions; it
 * is hf_hold_plain itself, or different. Fills the answer but for the code of an OK, which the hold
 * keeps; true when nothing refused. `*slot` becomes the hold's, HF_TABLE_NONE when nothing is held.
 */
static inline bool hf_promise_make(struct hf_ledger *ledger, const struct hf_turn *turn,
                                   struct hf_account *payer, struct hf_account *payee,
                                   uint64_t amount, const struct hf_hold_more *more,
                                   struct hf_answer *answer, uint32_t *slot)
{
    bool is_dry = hf_turn_is_dry(turn) || amount == 0;
    bool is_short = amount != 0 && hf_ledger_is_alone(ledger) &&
                    !hf_hold_are_all_open(&ledger->holds) &&
                    hf_account_are_plain(payer, payee, payer->asset);

    assert(amount <= HF_AMOUNT_MAX);
    if (!(is_short && hf_execute_hold(payer, payee, amount, is_dry, answer)) &&
        !hf_promise_by_plan(ledger, is_dry, payer, payee, amount, answer))
        return false;
    answer->approved = amount;
    *slot = is_dry ? HF_TABLE_NONE : hf_promise_add(ledger, turn, more, payer, payee, answer);
    return true;
}

/* Is there room for one more hold, with so many payers and conditions? */
bool hf_promise_is_room(const struct hf_holds *holds, uint32_t payer_count,
                        uint32_t condition_count);

/* When a hold of this class made now expires; 0: never. */
static inline uint64_t hf_promise_class_expiry(const struct hf_ledger *ledger, uint8_t class_number)
{
    assert(class_number < HF_CLASSES);
    uint64_t lifetime_ns = ledger->holds.lifetimes_ns[class_number];
    uint64_t expires_ns;

    /* The largest number is no time but a word for never. */
    if (lifetime_ns == 0 || __builtin_add_overflow(ledger->bundle_ns, lifetime_ns, &expires_ns) ||
        expires_ns == HF_EXPIRES_NEVER)
        return 0;
    return expires_ns;
}

/* HOLD and HOLD_PLAN. */
void hf_promise_hold(struct hf_ledger *ledger, const struct hf_turn *turn,
                     struct hf_answer *answer);
void hf_promise_plan(struct hf_ledger *ledger, const struct hf_turn *turn,
                     struct hf_answer *answer);

#endif
