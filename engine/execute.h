/* The executor: guards first, then legs. Here and in execute.c, and nowhere else, balances change.
 */
#ifndef HF_ENGINE_EXECUTE_H
#define HF_ENGINE_EXECUTE_H

#include "plan.h"

#include <assert.h>

/* Would every leg of the plan keep its account's bounds? Legs in order, and in each: the floor
 * (INSUFFICIENT), then the 64 bits of every number (OVERFLOW), naming the leg's rule. Changes
 * nothing. */
struct hf_verdict hf_execute_check(const struct hf_plan *plan);

/* Shows in the answer the balances that a leg's account has once the plan is applied. Before
 * hf_execute_apply, after a check that said OK. */
void hf_execute_preview(const struct hf_leg *leg, struct hf_answer *answer);

/* Applies a plan that hf_execute_check has just passed (asserted for each number). */
void hf_execute_apply(const struct hf_plan *plan);

/* Says which guard of a MOVE said no: the general path finds the words. */
void hf_execute_refuse_move(struct hf_account *payer, struct hf_account *payee, uint64_t amount,
                            struct hf_answer *answer);

/* The short path of the plain MOVE: the plan {payer: posted -amount, lifetime +amount; payee:
 * posted +amount}, with the same guards, without compiling it. `amount` is 1 to HF_AMOUNT_MAX
 * (asserted). Fills the answer; changes nothing when it is a refusal or `is_dry`. */
static inline void hf_execute_move(struct hf_account *payer, struct hf_account *payee,
                                   uint64_t amount, bool is_dry, struct hf_answer *answer)
{
    int64_t left;
    int64_t incoming;
    uint64_t lifetime_debits;

    assert(amount - 1 < HF_AMOUNT_MAX);
    assert(payer != payee);
    /* Without a floor the floor is the smallest number, and below it lies only overflow. */
    if (__builtin_sub_overflow(hf_account_spendable(payer), (int64_t)amount, &left) ||
        left < payer->floor ||
        __builtin_add_overflow(payer->lifetime_debits, amount, &lifetime_debits) ||
        __builtin_add_overflow(hf_account_incoming(payee), (int64_t)amount, &incoming)) {
        hf_execute_refuse_move(payer, payee, amount, answer);
        return;
    }
    answer->approved = amount;
    answer->posted = payer->posted - (int64_t)amount;
    answer->available = hf_account_available(left, payer->floor);
    if (__builtin_expect(is_dry, 0))
        return;
    payer->posted = answer->posted;
    payer->lifetime_debits = lifetime_debits;
    payee->posted += (int64_t)amount;
}

#endif
