/* Making holds. */
#ifndef HF_ENGINE_PROMISE_H
#define HF_ENGINE_PROMISE_H

#include "hold.h"

/* What HOLD, HOLD_PLAN and AUTH begin with, and a CLEAR that posts by itself: the id is no hold's
 * or record's yet, and the expiry (0: none) has not come. False when that was refused. */
bool hf_promise_begin(const struct hf_ledger *ledger, const struct hf_turn *turn,
                      uint64_t expires_ns, struct hf_answer *answer);

/* What HOLD and AUTH share once the parties are admitted: guards, room, the hold. An amount of 0
 * passes the same guards and holds nothing. `more` of the hold has one payer and no conditions.
 * Fills the answer but for the code of an OK, which the hold keeps; true when nothing refused.
 * `*slot` becomes the hold's, HF_TABLE_NONE when nothing is held. */
bool hf_promise_make(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_account *payer,
                     struct hf_account *payee, uint64_t amount, const struct hf_hold_more *more,
                     struct hf_answer *answer, uint32_t *slot);

/* The hold of an operation whose plan has just been applied, over what it approved. `payee` is NULL
 * when it is open. Returns its slot. Parts and conditions are still to be added. */
uint32_t hf_promise_add(struct hf_ledger *ledger, const struct hf_turn *turn,
                        const struct hf_hold_more *more, const struct hf_account *payer,
                        const struct hf_account *payee, const struct hf_answer *answer);

/* Is there room for one more hold, with so many payers and conditions? */
bool hf_promise_is_room(const struct hf_holds *holds, uint32_t payer_count,
                        uint32_t condition_count);

/* When a hold of this class made now expires; 0: never. */
uint64_t hf_promise_class_expiry(const struct hf_ledger *ledger, uint8_t class_number);

/* HOLD and HOLD_PLAN. */
void hf_promise_hold(struct hf_ledger *ledger, const struct hf_turn *turn,
                     struct hf_answer *answer);
void hf_promise_plan(struct hf_ledger *ledger, const struct hf_turn *turn,
                     struct hf_answer *answer);

#endif
