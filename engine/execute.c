/* Guards and legs.
 *
 * The guards keep, of every account, posted - held_out and posted + held_in within a signed 64-bit
 * number and held_out within its upper half. So a hold can always be captured or released, whatever
 * happened since it was made, and all differences below are exact. */
#include "execute.h"

#include <assert.h>

__extension__ typedef __int128 wide;

/* An account as a leg leaves it, in numbers wide enough for anything. */
struct outcome {
    wide posted;
    wide held_out;
    wide held_in;
    wide lifetime_debits;
};

static struct outcome outcome_of(const struct hf_leg *leg)
{
    const struct hf_account *account = leg->account;
    struct outcome after = {
        .posted = (wide)account->posted + leg->posted,
        .held_out = (wide)account->held_out + leg->held_out,
        .held_in = (wide)account->held_in + leg->held_in,
        .lifetime_debits = (wide)account->lifetime_debits + leg->lifetime_debits,
    };

    /* No plan gives back more than was promised. */
    assert(after.held_out >= 0);
    assert(after.held_in >= 0);
    return after;
}

static bool passes_floor(const struct hf_account *account, const struct outcome *after)
{
    return account->floor == HF_FLOOR_NONE || after->posted - after->held_out >= account->floor;
}

static bool fits(const struct outcome *after)
{
    return after->posted - after->held_out >= INT64_MIN &&
           after->posted + after->held_in <= INT64_MAX && after->held_out <= INT64_MAX &&
           after->lifetime_debits <= UINT64_MAX;
}

struct hf_verdict hf_execute_check(const struct hf_plan *plan)
{
    assert(plan->leg_count >= 1);
    assert(plan->leg_count <= HF_PLAN_LEGS_MAX);
    for (uint32_t i = 0; i < plan->leg_count; i++) {
        const struct hf_leg *leg = &plan->legs[i];
        struct outcome after = outcome_of(leg);
        if (leg->is_debit && !passes_floor(leg->account, &after))
            return (struct hf_verdict){HF_CODE_INSUFFICIENT, leg->rule};
        if (!fits(&after))
            return (struct hf_verdict){HF_CODE_OVERFLOW, leg->rule};
    }
    return (struct hf_verdict){HF_CODE_OK, HF_RULE_NONE};
}

void hf_execute_preview(const struct hf_leg *leg, struct hf_answer *answer)
{
    struct outcome after = outcome_of(leg);

    assert(fits(&after));
    answer->posted = (int64_t)after.posted;
    answer->available =
        hf_account_available((int64_t)(after.posted - after.held_out), leg->account->floor);
}

void hf_execute_apply(const struct hf_plan *plan)
{
    for (uint32_t i = 0; i < plan->leg_count; i++) {
        const struct hf_leg *leg = &plan->legs[i];
        struct hf_account *account = leg->account;
        struct outcome after = outcome_of(leg);
        assert(fits(&after));
        account->posted = (int64_t)after.posted;
        account->held_out = (uint64_t)after.held_out;
        account->held_in = (uint64_t)after.held_in;
        account->lifetime_debits = (uint64_t)after.lifetime_debits;
    }
}

/* Which of a MOVE's guards said no: the general path finds the words. */
static __attribute__((noinline)) void refuse_move(struct hf_account *payer,
                                                  struct hf_account *payee, uint64_t amount,
                                                  struct hf_answer *answer)
{
    const struct hf_plan plan = {
        .leg_count = 2,
        .legs = {{.account = payer,
                  .rule = HF_RULE_PAYER,
                  .is_debit = true,
                  .posted = -(int64_t)amount,
                  .lifetime_debits = amount},
                 {.account = payee, .rule = HF_RULE_PAYEE, .posted = (int64_t)amount}},
    };
    struct hf_verdict verdict = hf_execute_check(&plan);

    assert(verdict.code != HF_CODE_OK);
    hf_account_refuse(payer, verdict.code, verdict.rule, answer);
}

void hf_execute_move(struct hf_account *payer, struct hf_account *payee, uint64_t amount,
                     bool is_dry, struct hf_answer *answer)
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
        refuse_move(payer, payee, amount, answer);
        return;
    }
    answer->approved = amount;
    answer->posted = payer->posted - (int64_t)amount;
    answer->available = hf_account_available(left, payer->floor);
    if (is_dry)
        return;
    payer->posted = answer->posted;
    payer->lifetime_debits = lifetime_debits;
    payee->posted += (int64_t)amount;
}
