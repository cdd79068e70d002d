/* Guards and legs.
 *
 * The guards keep, of every account, posted - held_out and posted + held_in within a signed 64-bit
 * number and held_out within its upper half. So a hold can always be captured or released, whatever
 * happened since it was made, and all differences below are exact. */
#include "execute.h"

#include "state.h"

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
        .posted = (wide)account->posted + leg->change.posted,
        .held_out = (wide)account->held_out + leg->change.held_out,
        .held_in = (wide)account->held_in + leg->change.held_in,
        .lifetime_debits = (wide)account->lifetime_debits + leg->change.lifetime_debits,
    };

    /* No plan gives back more than was promised. */
    assert(after.held_out >= 0);
    assert(after.held_in >= 0);
    return after;
}

/* A total is debited by whatever lowers what it could spend, whoever below it does. */
static bool is_debit(const struct hf_leg *leg)
{
    if (leg->rule == HF_RULE_PARENT)
        return leg->change.posted < leg->change.held_out;
    return leg->is_debit;
}

static bool passes_floor(const struct hf_account *account, const struct outcome *after)
{
    return account->floor == HF_FLOOR_NONE || after->posted - after->held_out >= account->floor;
}

static bool fits_out(const struct outcome *after)
{
    return after->posted - after->held_out >= INT64_MIN && after->held_out <= INT64_MAX &&
           after->lifetime_debits <= UINT64_MAX;
}

static bool fits_in(const struct outcome *after)
{
    return after->posted + after->held_in <= INT64_MAX;
}

/* Without a ceiling the ceiling is the largest number, and above it lies only overflow. */
static uint16_t check_leg(const struct hf_leg *leg, int64_t ceiling)
{
    struct outcome after = outcome_of(leg);
    bool is_raised = (wide)leg->change.posted + leg->change.held_in > 0;

    if (is_debit(leg) && !passes_floor(leg->account, &after))
        return HF_CODE_INSUFFICIENT;
    if (!fits_out(&after))
        return HF_CODE_OVERFLOW;
    if (is_raised && ceiling != HF_CEILING_NONE && after.posted + after.held_in > ceiling)
        return HF_CODE_CEILING;
    if (!fits_in(&after))
        return HF_CODE_OVERFLOW;
    return HF_CODE_OK;
}

/* The same guards in 64 bits, which nearly every leg passes. False where something does not fit as
 * well as where something is refused: check_leg knows the difference. */
static bool passes_at_a_glance(const struct hf_leg *leg, int64_t ceiling)
{
    const struct hf_account *account = leg->account;
    const struct hf_change *change = &leg->change;
    int64_t spent;
    int64_t raised;
    int64_t left;
    int64_t incoming;
    int64_t held_out;
    int64_t held_in;
    uint64_t lifetime_debits;

    if (__builtin_sub_overflow(change->posted, change->held_out, &spent) ||
        __builtin_add_overflow(change->posted, change->held_in, &raised) ||
        __builtin_add_overflow(hf_account_spendable(account), spent, &left) ||
        __builtin_add_overflow(hf_account_incoming(account), raised, &incoming) ||
        __builtin_add_overflow(account->held_out, change->held_out, &held_out) ||
        __builtin_add_overflow(account->held_in, change->held_in, &held_in) ||
        __builtin_add_overflow(account->lifetime_debits, change->lifetime_debits, &lifetime_debits))
        return false;
    assert(held_out >= 0); /* no plan gives back more than was promised */
    assert(held_in >= 0);
    return (!is_debit(leg) || left >= account->floor) && (raised <= 0 || incoming <= ceiling);
}

struct hf_verdict hf_execute_check(const struct hf_ledger *ledger, const struct hf_plan *plan)
{
    assert(plan->named_count >= 1);
    assert(plan->named_count <= HF_PLAN_NAMED_MAX);
    for (uint32_t i = 0; i < hf_plan_leg_count(plan); i++) {
        const struct hf_leg *leg = hf_plan_leg(plan, i);
        const struct hf_terms *terms = hf_terms_of(&ledger->terms, leg->account);
        int64_t ceiling = terms == NULL ? HF_CEILING_NONE : terms->ceiling;
        if (__builtin_expect(passes_at_a_glance(leg, ceiling), 1))
            continue;
        uint16_t code = check_leg(leg, ceiling);
        if (code != HF_CODE_OK)
            return (struct hf_verdict){code, leg->rule, leg->entry};
    }
    return (struct hf_verdict){HF_CODE_OK, HF_RULE_NONE, 0};
}

struct hf_verdict hf_execute_check_forced(const struct hf_plan *plan)
{
    for (uint32_t i = 0; i < hf_plan_leg_count(plan); i++) {
        const struct hf_leg *leg = hf_plan_leg(plan, i);
        struct outcome after = outcome_of(leg);
        if (!fits_out(&after) || !fits_in(&after))
            return (struct hf_verdict){HF_CODE_OVERFLOW, leg->rule, leg->entry};
    }
    return (struct hf_verdict){HF_CODE_OK, HF_RULE_NONE, 0};
}

void hf_execute_preview(const struct hf_leg *leg, struct hf_answer *answer)
{
    struct outcome after = outcome_of(leg);

    assert(fits_out(&after));
    assert(fits_in(&after));
    answer->posted = (int64_t)after.posted;
    answer->available =
        hf_account_available((int64_t)(after.posted - after.held_out), leg->account->floor);
}

void hf_execute_show(const struct hf_plan *plan, const struct hf_account *account,
                     struct hf_answer *answer)
{
    for (uint32_t i = 0; i < plan->named_count; i++) {
        if (plan->named[i].account == account) {
            hf_execute_preview(&plan->named[i], answer);
            return;
        }
    }
    hf_account_show(account, answer);
}

static void apply_leg(struct hf_account *account, const struct hf_change *change)
{
    bool overflows = __builtin_add_overflow(account->posted, change->posted, &account->posted);

    overflows |= __builtin_add_overflow(account->held_out, change->held_out, &account->held_out);
    overflows |= __builtin_add_overflow(account->held_in, change->held_in, &account->held_in);
    overflows |= __builtin_add_overflow(account->lifetime_debits, change->lifetime_debits,
                                        &account->lifetime_debits);
    assert(!overflows);
    assert(account->held_out <= INT64_MAX);
}

void hf_execute_apply(struct hf_ledger *ledger, const struct hf_plan *plan,
                      const struct hf_answer *answer)
{
    for (uint32_t i = 0; i < hf_plan_leg_count(plan); i++) {
        const struct hf_leg *leg = hf_plan_leg(plan, i);
        struct hf_account *account = leg->account;
        hf_undo_keep(&ledger->undo, account, sizeof(*account));
        apply_leg(account, &leg->change);
        if (leg->change.posted != 0)
            hf_event_add(ledger, answer, HF_EVENT_POSTED, account->id, leg->change.posted,
                         account->asset, 0);
    }
}

void hf_execute_move_by_plan(struct hf_ledger *ledger, struct hf_account *payer,
                             struct hf_account *payee, uint64_t amount, bool is_dry,
                             struct hf_answer *answer)
{
    const struct hf_change out = {.posted = -(int64_t)amount, .lifetime_debits = amount};
    const struct hf_change in = {.posted = (int64_t)amount};
    struct hf_plan *plan = &ledger->plan;

    assert(amount - 1 < HF_AMOUNT_MAX);
    hf_plan_begin(plan);
    hf_plan_add(ledger, plan, payer, &out, HF_RULE_PAYER, 0, true);
    hf_plan_add(ledger, plan, payee, &in, HF_RULE_PAYEE, 0, false);
    struct hf_verdict verdict = hf_execute_check(ledger, plan);
    if (verdict.code != HF_CODE_OK) {
        hf_account_refuse(payer, verdict.code, verdict.rule, answer);
        return;
    }
    answer->approved = amount;
    hf_execute_preview(&plan->named[0], answer);
    if (!is_dry)
        hf_execute_apply(ledger, plan, answer);
}

void hf_execute_refuse_move(struct hf_account *payer, struct hf_account *payee, uint64_t amount,
                            struct hf_answer *answer)
{
    const struct hf_leg legs[] = {
        {.account = payer,
         .change = {.posted = -(int64_t)amount, .lifetime_debits = amount},
         .rule = HF_RULE_PAYER,
         .is_debit = true},
        {.account = payee, .change = {.posted = (int64_t)amount}, .rule = HF_RULE_PAYEE},
    };

    for (uint32_t i = 0; i < 2; i++) {
        uint16_t code = check_leg(&legs[i], HF_CEILING_NONE);
        if (code != HF_CODE_OK) {
            hf_account_refuse(payer, code, legs[i].rule, answer);
            return;
        }
    }
    assert(false && "the short path saw a guard that the long one does not know");
}
