/* The executor: guards first, then legs. Here and in execute.c, and nowhere else, balances change.
 */
#ifndef HF_ENGINE_EXECUTE_H
#define HF_ENGINE_EXECUTE_H

#include "plan.h"

#include <assert.h>

/* Would every leg of the plan keep its account's bounds? Legs in order, the guards of each as
 * OPERATIONS.md has them under "Guards". Changes nothing. */
struct hf_verdict hf_execute_check(const struct hf_ledger *ledger, const struct hf_plan *plan);

/* The same for what has been decided elsewhere: no leg is a debit, and ceilings do not bind. */
struct hf_verdict hf_execute_check_forced(const struct hf_plan *plan);

/* Shows in the answer the balances that an account has once the plan is applied, named in it or
 * not; likewise. */
void hf_execute_show(const struct hf_plan *plan, const struct hf_account *account,
                     struct hf_answer *answer);

/* Shows in the answer the balances that a leg's account has once the plan is applied. Before
 * hf_execute_apply, after a check that said OK. */
void hf_execute_preview(const struct hf_leg *leg, struct hf_answer *answer);

/* Applies a plan that hf_execute_check has just passed (asserted for each number), and tells of
 * every posted balance that changed. `answer` is that of the operation at work. */
void hf_execute_apply(struct hf_ledger *ledger, const struct hf_plan *plan,
                      const struct hf_answer *answer);

/* The long path of MOVE, for parties that have been admitted: through a plan, undone and told of as
 * such. Fills the answer; changes nothing when it is a refusal or `is_dry`. */
void hf_execute_move_by_plan(struct hf_ledger *ledger, struct hf_account *payer,
                             struct hf_account *payee, uint64_t amount, bool is_dry,
                             struct hf_answer *answer);

/* Says which guard of a plain MOVE said no: the general path finds the words. */
void hf_execute_refuse_move(struct hf_account *payer, struct hf_account *payee, uint64_t amount,
                            struct hf_answer *answer);

/* The short path of MOVE between plain accounts, while nobody looks on: the plan {payer: posted
 * -amount, lifetime +amount; payee: posted +amount}, with the same guards, without compiling it.
 * `amount` is 1 to HF_AMOUNT_MAX (asserted). Fills the answer; changes nothing when it is a refusal
 * or `is_dry`. */
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

/* The short paths of plain holds, under the same conditions: the plans {payer: held out +amount;
 * payee: held in +amount} and {payer: posted -captured, held out -(captured + released), lifetime
 * +captured; payee: posted +captured, held in -(captured + released)}. They fill the answer's
 * balances, and change nothing when `is_dry`. False when a guard says no: then nothing was done,
 * and the general path finds the words. */
static inline bool hf_execute_hold(struct hf_account *payer, struct hf_account *payee,
                                   uint64_t amount, bool is_dry, struct hf_answer *answer)
{
    int64_t left;
    int64_t held_out;
    int64_t incoming;

    assert(amount - 1 < HF_AMOUNT_MAX);
    assert(payer != payee);
    if (__builtin_sub_overflow(hf_account_spendable(payer), (int64_t)amount, &left) ||
        left < payer->floor ||
        __builtin_add_overflow((int64_t)payer->held_out, (int64_t)amount, &held_out) ||
        __builtin_add_overflow(hf_account_incoming(payee), (int64_t)amount, &incoming))
        return false;
    answer->posted = payer->posted;
    answer->available = hf_account_available(left, payer->floor);
    if (__builtin_expect(is_dry, 0))
        return true;
    payer->held_out = (uint64_t)held_out;
    payee->held_in += amount;
    return true;
}

static inline bool hf_execute_settle(struct hf_account *payer, struct hf_account *payee,
                                     uint64_t captured, uint64_t released, bool is_dry,
                                     struct hf_answer *answer)
{
    uint64_t freed = captured + released;
    uint64_t lifetime_debits;

    assert(freed - 1 < HF_AMOUNT_MAX);
    assert(payer != payee);
    assert(payer->held_out >= freed);
    assert(payee->held_in >= freed);
    /* What was promised passed the other guards when it was. */
    if (__builtin_add_overflow(payer->lifetime_debits, captured, &lifetime_debits))
        return false;
    answer->posted = payer->posted - (int64_t)captured;
    answer->available =
        hf_account_available(hf_account_spendable(payer) + (int64_t)released, payer->floor);
    if (__builtin_expect(is_dry, 0))
        return true;
    payer->posted = answer->posted;
    payer->held_out -= freed;
    payer->lifetime_debits = lifetime_debits;
    payee->posted += (int64_t)captured;
    payee->held_in -= freed;
    return true;
}

#endif
