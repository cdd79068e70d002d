/* Making holds. */
#ifndef HF_ENGINE_PROMISE_H
#define HF_ENGINE_PROMISE_H

#include "hold.h"

/* What HOLD, HOLD_PLAN and AUTH begin with: the id is no hold's yet, and the expiry (0: none) has
 * not come. False when that was refused. */
bool hf_promise_begin(const struct hf_ledger *ledger, const struct hf_turn *turn,
                      uint64_t expires_ns, struct hf_answer *answer);

/* What HOLD and AUTH share once the parties are admitted: guards, room, the hold. An amount of 0
 * passes the same guards and holds nothing. Fills the answer; true when it is OK. */
bool hf_promise_make(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_account *payer,
                     struct hf_account *payee, uint64_t amount, uint64_t expires_ns,
                     struct hf_answer *answer);

/* HOLD and HOLD_PLAN. */
void hf_promise_hold(struct hf_ledger *ledger, const struct hf_turn *turn,
                     struct hf_answer *answer);
void hf_promise_plan(struct hf_ledger *ledger, const struct hf_turn *turn,
                     struct hf_answer *answer);

#endif
