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

void hf_execute_refuse_move(struct hf_account *payer, struct hf_account *payee, uint64_t amount,
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
