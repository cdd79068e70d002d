/* The executor: guards first, then legs. The only place where a balance changes. */
#ifndef HF_ENGINE_EXECUTE_H
#define HF_ENGINE_EXECUTE_H

#include "plan.h"

/* Would every leg of the plan keep its account's bounds? Legs in order, and in each: the floor
 * (INSUFFICIENT), then the 64 bits of every number (OVERFLOW), naming the leg's rule. Changes
 * nothing. */
struct hf_verdict hf_execute_check(const struct hf_plan *plan);

/* Shows in the answer the balances that a leg's account has once the plan is applied. Before
 * hf_execute_apply, after a check that said OK. */
void hf_execute_preview(const struct hf_leg *leg, struct hf_answer *answer);

/* Applies a plan that hf_execute_check has just passed (asserted for each number). */
void hf_execute_apply(const struct hf_plan *plan);

/* The short path of the plain MOVE: the plan {payer: posted -amount, lifetime +amount; payee:
 * posted +amount}, with the same guards, without compiling it. `amount` is 1 to HF_AMOUNT_MAX
 * (asserted). Fills the answer; changes nothing when it is a refusal or `is_dry`. */
void hf_execute_move(struct hf_account *payer, struct hf_account *payee, uint64_t amount,
                     bool is_dry, struct hf_answer *answer);

#endif
