/* Legs, and the plans that operations spell out entry by entry. */
#include "plan.h"

#include "execute.h"
#include "residual.h"
#include "state.h"

#include <assert.h>

__extension__ typedef __int128 wide;

/* ---- legs ---- */

/* The leg of an account in one of the two lists, or NULL. */
static const struct hf_leg *find_leg(const struct hf_leg legs[], uint32_t count,
                                     const struct hf_account *account)
{
    for (uint32_t i = 0; i < count; i++) {
        if (legs[i].account == account)
            return &legs[i];
    }
    return NULL;
}

static const struct hf_leg *leg_of(const struct hf_plan *plan, const struct hf_account *account)
{
    if ((account->flags & HF_ACCOUNT_IS_TOTAL) != 0)
        return find_leg(plan->totals, plan->total_count, account);
    return find_leg(plan->named, plan->named_count, account);
}

static void add_change(struct hf_change *sum, const struct hf_change *change)
{
    bool overflows = __builtin_add_overflow(sum->posted, change->posted, &sum->posted);

    overflows |= __builtin_add_overflow(sum->held_out, change->held_out, &sum->held_out);
    overflows |= __builtin_add_overflow(sum->held_in, change->held_in, &sum->held_in);
    overflows |= __builtin_add_overflow(sum->lifetime_debits, change->lifetime_debits,
                                        &sum->lifetime_debits);
    assert(!overflows);
}

static void add_to_list(struct hf_leg legs[], uint32_t *count, uint32_t count_max,
                        const struct hf_leg *addition)
{
    struct hf_leg *leg = (struct hf_leg *)find_leg(legs, *count, addition->account);

    if (leg == NULL) {
        assert(*count < count_max);
        legs[(*count)++] = *addition;
        return;
    }
    add_change(&leg->change, &addition->change);
    leg->is_debit |= addition->is_debit;
}

void hf_plan_add(const struct hf_ledger *ledger, struct hf_plan *plan, struct hf_account *account,
                 const struct hf_change *change, uint8_t rule, uint8_t entry, bool is_debit)
{
    struct hf_leg leg = {
        .account = account,
        .change = *change,
        .rule = rule,
        .entry = entry,
        .is_debit = is_debit,
    };

    assert((account->flags & HF_ACCOUNT_IS_TOTAL) == 0);
    add_to_list(plan->named, &plan->named_count, HF_PLAN_NAMED_MAX, &leg);
    leg.rule = HF_RULE_PARENT;
    leg.is_debit = false;
    while ((leg.account = hf_terms_parent(ledger, leg.account)) != NULL)
        add_to_list(plan->totals, &plan->total_count, HF_PLAN_TOTALS_MAX, &leg);
}

static uint64_t cut_to_amount(wide number)
{
    if (number < 0)
        return 0;
    return number > (wide)HF_AMOUNT_MAX ? HF_AMOUNT_MAX : (uint64_t)number;
}

uint64_t hf_plan_can_pay(const struct hf_ledger *ledger, const struct hf_plan *plan,
                         const struct hf_account *account)
{
    uint64_t least = HF_AMOUNT_MAX;

    for (; account != NULL; account = hf_terms_parent(ledger, account)) {
        if (account->floor == HF_FLOOR_NONE)
            continue;
        const struct hf_leg *leg = leg_of(plan, account);
        wide available = (wide)hf_account_spendable(account) - account->floor;
        if (leg != NULL)
            available += (wide)leg->change.posted - leg->change.held_out;
        uint64_t can = cut_to_amount(available);
        least = can < least ? can : least;
    }
    return least;
}

uint64_t hf_plan_room(const struct hf_ledger *ledger, const struct hf_plan *plan,
                      const struct hf_account *account)
{
    uint64_t least = HF_AMOUNT_MAX;

    for (; account != NULL; account = hf_terms_parent(ledger, account)) {
        const struct hf_terms *terms = hf_terms_of(&ledger->terms, account);
        if (terms == NULL || terms->ceiling == HF_CEILING_NONE)
            continue;
        const struct hf_leg *leg = leg_of(plan, account);
        wide room = (wide)terms->ceiling - hf_account_incoming(account);
        if (leg != NULL)
            room -= (wide)leg->change.posted + leg->change.held_in;
        uint64_t can = cut_to_amount(room);
        least = can < least ? can : least;
    }
    return least;
}

/* ---- entries ---- */

/* One of the two lists of a plan at work. */
struct side {
    struct hf_ledger *ledger;
    const struct hf_op_plan *terms;
    const struct hf_op_entry *entries; /* of the whole plan */
    uint32_t first;                    /* where the list begins and ends in it */
    uint32_t end;
    uint32_t denominator;
    enum hf_plan_kind kind;
    bool is_source;
    uint64_t total; /* HF_AMOUNT_ALL: whatever there is */
    uint64_t left;  /* of the total; of HF_AMOUNT_ALL: what was taken */
};

static struct hf_verdict refusal(uint16_t code, uint8_t rule, uint32_t index)
{
    return (struct hf_verdict){code, rule, (uint8_t)(index + 1)};
}

static struct hf_verdict refusal_of_plan(uint16_t code, uint8_t rule)
{
    return (struct hf_verdict){code, rule, 0};
}

static const struct hf_verdict fine = {HF_CODE_OK, HF_RULE_NONE, 0};

/* Takes an amount from a source or gives it to a destination. Nothing makes no leg. */
static void take(const struct side *side, uint32_t index, uint64_t amount)
{
    struct hf_ledger *ledger = side->ledger;
    struct hf_account *account = ledger->takes.accounts[index];
    struct hf_change change = {0};

    assert(amount <= HF_AMOUNT_MAX);
    ledger->takes.amounts[index] = amount;
    if (amount == 0)
        return;
    if (side->kind == HF_PLAN_HOLDS && side->is_source)
        change.held_out = (int64_t)amount;
    else if (side->kind == HF_PLAN_HOLDS)
        change.held_in = (int64_t)amount;
    else
        change.posted = side->is_source ? -(int64_t)amount : (int64_t)amount;
    if (side->kind == HF_PLAN_MOVES && side->is_source)
        change.lifetime_debits = amount;
    hf_plan_add(ledger, &ledger->plan, account, &change,
                side->is_source ? HF_RULE_PAYER : HF_RULE_PAYEE, (uint8_t)(index + 1),
                side->is_source);
}

/* What an entry can give or take by its account's bounds. */
static uint64_t limit_of(const struct side *side, uint32_t index)
{
    const struct hf_ledger *ledger = side->ledger;
    const struct hf_account *account = ledger->takes.accounts[index];

    return side->is_source ? hf_plan_can_pay(ledger, &ledger->plan, account)
                           : hf_plan_room(ledger, &ledger->plan, account);
}

/* total x amount / denominator, rounded down. No more than the denominator, which has 32 bits, is
 * asked for: so whole denominators and the rest of the total by themselves fit 64 bits. */
static uint64_t share_of(const struct side *side, uint64_t amount)
{
    uint64_t whole = side->total / side->denominator;
    uint64_t rest = side->total % side->denominator;

    assert(amount <= side->denominator);
    return whole * amount + rest * amount / side->denominator;
}

/* How many units the list's shares leave over by rounding: when they are meant to be all of the
 * total, the first ones get one more each. */
static uint64_t spare_units(const struct side *side)
{
    uint64_t parts = 0;
    uint64_t shares = 0;

    for (uint32_t i = side->first; i < side->end; i++) {
        if (side->entries[i].rule != HF_ENTRY_RATIO)
            continue;
        parts += side->entries[i].amount;
        shares += share_of(side, side->entries[i].amount);
    }
    return parts != 0 && parts == side->denominator ? side->total - shares : 0;
}

static uint64_t least_of(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* What an entry takes by its rule, before it is looked at whether it may. */
static uint64_t wanted(const struct side *side, uint32_t index, uint64_t *spare)
{
    const struct hf_op_entry *entry = &side->entries[index];
    uint64_t share;

    switch (entry->rule) {
    case HF_ENTRY_FIXED:
        return entry->amount;
    case HF_ENTRY_RATIO:
        share = share_of(side, entry->amount);
        if (*spare == 0)
            return share;
        --*spare;
        return share + 1;
    case HF_ENTRY_UP_TO:
        if (side->ledger->takes.refusals[index] != HF_CODE_OK)
            return 0;
        return least_of(least_of(entry->amount, limit_of(side, index)), side->left);
    case HF_ENTRY_EVERYTHING:
        return limit_of(side, index);
    default:
        assert(entry->rule == HF_ENTRY_REMAINING);
        return side->left;
    }
}

/* Does the rule itself ask for no more than there is? */
static bool is_limited(uint8_t rule)
{
    return rule == HF_ENTRY_UP_TO || rule == HF_ENTRY_EVERYTHING;
}

/* Lets the entries of a list take, in order. A source must be able to pay; a destination's bounds
 * are the guards' business. */
static struct hf_verdict take_in_order(struct side *side)
{
    bool takes_all = side->total == HF_AMOUNT_ALL;
    uint64_t spare = takes_all ? 0 : spare_units(side);

    for (uint32_t i = side->first; i < side->end; i++) {
        uint64_t amount = wanted(side, i, &spare);
        if (!takes_all && amount > side->left)
            return refusal(HF_CODE_UNBALANCED, HF_RULE_PLAN, i);
        if (side->is_source && !is_limited(side->entries[i].rule) && amount > limit_of(side, i))
            return refusal(HF_CODE_INSUFFICIENT, HF_RULE_PAYER, i);
        side->left = takes_all ? side->left + amount : side->left - amount;
        if (takes_all && side->left > HF_AMOUNT_MAX)
            return refusal_of_plan(HF_CODE_OVERFLOW, HF_RULE_PLAN);
        take(side, i, amount);
    }
    return fine;
}

/* The sources that go furthest towards the total with the least left behind. Without such a set
 * nothing is taken. */
static void take_smallest_residual(struct side *side)
{
    uint64_t values[HF_PLAN_CANDIDATES_MAX] = {0};
    const uint8_t *refusals = side->ledger->takes.refusals;

    for (uint32_t i = 0; i < side->end; i++) {
        if (refusals[i] == HF_CODE_OK)
            values[i] = least_of(side->entries[i].amount, limit_of(side, i));
    }
    struct hf_residual_choice choice =
        hf_residual_choose(values, side->end, side->terms->choose_max, side->total);
    for (uint32_t i = 0; i < choice.count; i++) {
        uint32_t index = choice.indices[i];
        uint64_t amount = least_of(values[index], side->left);
        side->left -= amount;
        take(side, index, amount);
    }
    assert(choice.count == 0 || side->left == 0);
}

/* ---- the whole plan ---- */

static struct hf_verdict find_accounts(struct hf_ledger *ledger, const struct hf_op_plan *terms,
                                       const struct hf_op_entry *entries)
{
    struct hf_takes *takes = &ledger->takes;

    for (uint32_t i = 0; i < takes->count; i++) {
        takes->accounts[i] = hf_ledger_find_account(ledger, entries[i].account);
        if (takes->accounts[i] == NULL)
            return refusal(HF_CODE_UNKNOWN_ACCOUNT,
                           i < terms->source_count ? HF_RULE_PAYER : HF_RULE_PAYEE, i);
    }
    return fine;
}

static struct hf_verdict look_at_standings(struct hf_ledger *ledger, const struct hf_op_plan *terms,
                                           const struct hf_op_entry *entries)
{
    struct hf_takes *takes = &ledger->takes;
    const struct hf_attributes attributes = {
        .mcc = terms->mcc,
        .country = terms->country,
        .channel = terms->channel,
        .merchant = terms->merchant,
    };

    for (uint32_t i = 0; i < takes->count; i++) {
        bool is_source = i < terms->source_count;
        uint16_t code = hf_terms_standing(ledger, takes->accounts[i], terms->asset,
                                          is_source ? &attributes : NULL);
        bool may_pass_over = entries[i].rule == HF_ENTRY_UP_TO && code != HF_CODE_IS_TOTAL &&
                             code != HF_CODE_ASSET_MISMATCH;
        takes->amounts[i] = 0;
        takes->refusals[i] = (uint8_t)code;
        if (code != HF_CODE_OK && !may_pass_over)
            return refusal(code, is_source ? HF_RULE_PAYER : HF_RULE_PAYEE, i);
    }
    return fine;
}

/* The first entry of a list with this rule, or its end. */
static uint32_t first_of_rule(const struct side *side, uint8_t rule)
{
    uint32_t i = side->first;

    while (i < side->end && side->entries[i].rule != rule)
        i++;
    return i;
}

/* Something is left that no source gives. */
static struct hf_verdict settle_for_less(const struct side *side)
{
    struct hf_takes *takes = &side->ledger->takes;
    uint32_t first_up_to = first_of_rule(side, HF_ENTRY_UP_TO);
    uint64_t taken = side->total - side->left;

    if (first_up_to == side->end)
        return refusal_of_plan(HF_CODE_UNBALANCED, HF_RULE_PLAN);
    if (side->terms->minimum != 0 && taken >= side->terms->minimum) {
        takes->is_partial = true;
        return fine;
    }
    if (taken == 0) {
        uint32_t i = side->first;
        while (i < side->end &&
               (side->entries[i].rule != HF_ENTRY_UP_TO || takes->refusals[i] != HF_CODE_OK))
            i++;
        if (i == side->end)
            return refusal(takes->refusals[first_up_to], HF_RULE_PAYER, first_up_to);
    }
    return refusal_of_plan(HF_CODE_INSUFFICIENT, HF_RULE_PAYER);
}

static struct hf_verdict work_out_sources(struct side *side)
{
    struct hf_takes *takes = &side->ledger->takes;
    struct hf_verdict verdict = fine;

    side->left = side->total == HF_AMOUNT_ALL ? 0 : side->total;
    if (side->terms->method == HF_PLAN_SMALLEST_RESIDUAL)
        take_smallest_residual(side);
    else
        verdict = take_in_order(side);
    if (verdict.code != HF_CODE_OK)
        return verdict;
    if (side->total == HF_AMOUNT_ALL) {
        if (side->left == 0)
            return refusal(HF_CODE_INSUFFICIENT, HF_RULE_PAYER, 0);
        takes->total = side->left;
        return fine;
    }
    takes->total = side->total - side->left;
    return side->left == 0 ? fine : settle_for_less(side);
}

static struct hf_verdict work_out_destinations(struct side *side)
{
    side->left = side->total;
    if (side->first == side->end)
        return fine;
    struct hf_verdict verdict = take_in_order(side);
    if (verdict.code != HF_CODE_OK || side->left == 0)
        return verdict;
    if (first_of_rule(side, HF_ENTRY_UP_TO) != side->end)
        return refusal_of_plan(HF_CODE_CEILING, HF_RULE_PAYEE);
    return refusal_of_plan(HF_CODE_UNBALANCED, HF_RULE_PLAN);
}

/* Steps 1 to 5. */
static struct hf_verdict work_out(struct hf_ledger *ledger, const struct hf_op_plan *terms,
                                  const struct hf_op_entry *entries, enum hf_plan_kind kind)
{
    struct hf_verdict verdict = find_accounts(ledger, terms, entries);

    if (verdict.code == HF_CODE_OK)
        verdict = look_at_standings(ledger, terms, entries);
    if (verdict.code != HF_CODE_OK)
        return verdict;
    struct side sources = {
        .ledger = ledger,
        .terms = terms,
        .entries = entries,
        .end = terms->source_count,
        .denominator = terms->source_denominator,
        .kind = kind,
        .is_source = true,
        .total = terms->amount,
    };
    verdict = work_out_sources(&sources);
    if (verdict.code != HF_CODE_OK)
        return verdict;
    struct side destinations = {
        .ledger = ledger,
        .terms = terms,
        .entries = entries,
        .first = terms->source_count,
        .end = ledger->takes.count,
        .denominator = terms->destination_denominator,
        .kind = kind,
        .total = ledger->takes.total,
    };
    verdict = work_out_destinations(&destinations);
    return verdict.code == HF_CODE_OK ? hf_execute_check(ledger, &ledger->plan) : verdict;
}

bool hf_plan_compile(struct hf_ledger *ledger, const struct hf_op_plan *terms,
                     const struct hf_op_entry *entries, enum hf_plan_kind kind,
                     struct hf_answer *answer)
{
    struct hf_takes *takes = &ledger->takes;

    takes->count = (uint32_t)terms->source_count + terms->destination_count;
    takes->total = 0;
    takes->is_partial = false;
    assert(terms->source_count >= 1);
    assert(takes->count <= HF_PLAN_NAMED_MAX);
    hf_plan_begin(&ledger->plan);
    struct hf_verdict verdict = work_out(ledger, terms, entries, kind);
    const struct hf_account *first = takes->accounts[0];
    if (first != NULL)
        hf_account_show(first, answer);
    if (verdict.code != HF_CODE_OK) {
        hf_answer_refuse(answer, verdict.code, verdict.rule);
        answer->entry = verdict.entry;
        return false;
    }
    const struct hf_leg *leg = leg_of(&ledger->plan, first);
    if (leg != NULL)
        hf_execute_preview(leg, answer);
    answer->approved = takes->total;
    answer->code = takes->is_partial ? HF_CODE_OK_PARTIAL : HF_CODE_OK;
    return true;
}

void hf_plan_move(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_answer *answer)
{
    const struct hf_op_move_plan *move = &turn->operation->move_plan;

    if (hf_plan_compile(ledger, &move->plan, move->entries, HF_PLAN_MOVES, answer) &&
        !hf_turn_is_dry(turn))
        hf_execute_apply(ledger, &ledger->plan, answer);
}
