/* The shape of plans, and of holds that are made of one: fixed part, entries, terms, conditions. */
#include "shape.h"

static struct hf_verdict check_plan(const struct hf_op_plan *plan, uint32_t destinations_least,
                                    uint32_t destinations_most)
{
    bool is_residual = plan->method == HF_PLAN_SMALLEST_RESIDUAL;
    uint32_t sources_most = is_residual ? HF_PLAN_CANDIDATES_MAX : HF_PLAN_SOURCES_MAX;

    if (!is_amount(plan->amount) && plan->amount != HF_AMOUNT_ALL)
        return bad(HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT);
    if (plan->minimum > plan->amount)
        return bad(HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT);
    if (plan->minimum != 0 && plan->amount == HF_AMOUNT_ALL)
        return bad(HF_CODE_MALFORMED, HF_RULE_PLAN);
    if (plan->asset == 0)
        return bad(HF_CODE_MALFORMED, HF_RULE_ASSET);
    if (plan->channel > 31)
        return bad(HF_CODE_MALFORMED, HF_RULE_PLAN);
    if (plan->method > HF_PLAN_SMALLEST_RESIDUAL)
        return bad(HF_CODE_MALFORMED, HF_RULE_PLAN);
    if (plan->minimum != 0 && plan->method != HF_PLAN_IN_ORDER)
        return bad(HF_CODE_MALFORMED, HF_RULE_PLAN);
    if (plan->source_count < 1 || plan->source_count > sources_most)
        return bad(HF_CODE_MALFORMED, HF_RULE_PLAN);
    if (plan->destination_count < destinations_least || plan->destination_count > destinations_most)
        return bad(HF_CODE_MALFORMED, HF_RULE_PLAN);
    if (is_residual != (plan->choose_max != 0) || plan->choose_max > HF_PLAN_CHOOSE_MAX)
        return bad(HF_CODE_MALFORMED, HF_RULE_PLAN);
    if (plan->reserved != 0)
        return bad(HF_CODE_MALFORMED, HF_RULE_RESERVED);
    return good;
}

/* One of a plan's two lists, while it is looked through. */
struct entry_list {
    const struct hf_op_plan *plan;
    const struct hf_op_entry *entries; /* the plan's: sources, then destinations */
    uint32_t begin, end;               /* this list among them */
    uint32_t denominator;
    bool is_of_hold;
};

static bool is_of_sources(const struct entry_list *list)
{
    return list->begin == 0;
}

/* Whether this amount can stand with this rule. */
static bool entry_amount_fits(const struct entry_list *list, const struct hf_op_entry *entry)
{
    switch (entry->rule) {
    case HF_ENTRY_FIXED:
        return is_amount(entry->amount);
    case HF_ENTRY_UP_TO:
        return is_amount(entry->amount) || entry->amount == HF_AMOUNT_ALL;
    case HF_ENTRY_RATIO:
        return entry->amount >= 1 && entry->amount <= list->denominator;
    default:
        return entry->amount == 0;
    }
}

/* Whether this rule can stand at this place of this list. */
static bool entry_rule_fits(const struct entry_list *list, uint32_t index)
{
    uint8_t rule = list->entries[index].rule;

    if (rule < HF_ENTRY_FIXED || rule > HF_ENTRY_EVERYTHING)
        return false;
    if (rule == HF_ENTRY_REMAINING && index + 1 != list->end)
        return false;
    if (!is_of_sources(list))
        return rule != HF_ENTRY_EVERYTHING && (!list->is_of_hold || rule == HF_ENTRY_REMAINING);
    if (list->plan->method == HF_PLAN_SMALLEST_RESIDUAL && rule != HF_ENTRY_UP_TO)
        return false;
    return list->plan->amount != HF_AMOUNT_ALL || rule == HF_ENTRY_FIXED ||
           rule == HF_ENTRY_EVERYTHING;
}

static struct hf_verdict check_entry(const struct entry_list *list, uint32_t index)
{
    const struct hf_op_entry *entry = &list->entries[index];
    uint8_t side = is_of_sources(list) ? HF_RULE_PAYER : HF_RULE_PAYEE;

    if (hf_id_is_reserved(entry->account))
        return bad_entry(HF_CODE_BAD_ID, side, index);
    for (uint32_t i = 0; i < index; i++) {
        if (hf_id_equal(list->entries[i].account, entry->account))
            return bad_entry(HF_CODE_SAME_ACCOUNT, side, index);
    }
    if (!entry_amount_fits(list, entry))
        return bad_entry(HF_CODE_BAD_AMOUNT, side, index);
    if (!entry_rule_fits(list, index))
        return bad_entry(HF_CODE_MALFORMED, HF_RULE_PLAN, index);
    if (!is_zero(entry->reserved, sizeof(entry->reserved)))
        return bad_entry(HF_CODE_MALFORMED, HF_RULE_RESERVED, index);
    return good;
}

static struct hf_verdict check_entry_list(const struct entry_list *list)
{
    uint64_t ratios = 0; /* at most 64 x the largest denominator: fits */
    bool has_up_to = false;

    for (uint32_t i = list->begin; i < list->end; i++) {
        struct hf_verdict verdict = check_entry(list, i);
        if (verdict.code != HF_CODE_OK)
            return verdict;
        ratios += list->entries[i].rule == HF_ENTRY_RATIO ? list->entries[i].amount : 0;
        has_up_to |= list->entries[i].rule == HF_ENTRY_UP_TO;
    }
    if (ratios > list->denominator || (ratios == 0 && list->denominator != 0))
        return bad(HF_CODE_UNBALANCED, HF_RULE_PLAN);
    if (is_of_sources(list) && list->plan->minimum != 0 && !has_up_to)
        return bad(HF_CODE_MALFORMED, HF_RULE_PLAN);
    return good;
}

static struct hf_verdict check_entries(const struct hf_op_plan *plan,
                                       const struct hf_op_entry *entries, bool is_of_hold)
{
    uint32_t count = (uint32_t)plan->source_count + plan->destination_count;
    struct entry_list sources = {
        plan, entries, 0, plan->source_count, plan->source_denominator, is_of_hold};
    struct entry_list destinations = {
        plan, entries, plan->source_count, count, plan->destination_denominator, is_of_hold};
    struct hf_verdict verdict = check_entry_list(&sources);

    assert(plan->source_count > 0);
    return verdict.code != HF_CODE_OK ? verdict : check_entry_list(&destinations);
}

struct hf_verdict hf_shape_check_move_plan(const struct hf_op_move_plan *move)
{
    const struct hf_op_plan *plan = &move->plan;
    size_t count = (size_t)plan->source_count + plan->destination_count;
    struct hf_verdict verdict = check_plan(plan, 1, HF_PLAN_DESTINATIONS_MAX);

    if (verdict.code == HF_CODE_OK)
        verdict = check_length(&move->header, sizeof(*move) + count * sizeof(*move->entries));
    return verdict.code != HF_CODE_OK ? verdict : check_entries(plan, move->entries, false);
}

static struct hf_verdict check_terms(const struct hf_op_terms *terms)
{
    const uint8_t policies = HF_HOLD_SOFT | HF_HOLD_RATIO | HF_HOLD_SINGLE;
    bool is_soft = (terms->policy & HF_HOLD_SOFT) != 0;

    if (terms->tolerance > HF_TOLERANCE_MAX)
        return bad(HF_CODE_MALFORMED, HF_RULE_HOLD);
    if (terms->class_number >= HF_CLASSES)
        return bad(HF_CODE_MALFORMED, HF_RULE_CLASS);
    if ((terms->policy & ~policies) != 0)
        return bad(HF_CODE_MALFORMED, HF_RULE_STATUS);
    if (terms->condition_count > HF_CONDITIONS_MAX || (terms->condition_count != 0 && is_soft))
        return bad(HF_CODE_MALFORMED, HF_RULE_CONDITION);
    if (terms->required > terms->condition_count ||
        (terms->required == 0 && terms->condition_count != 0))
        return bad(HF_CODE_MALFORMED, HF_RULE_CONDITION);
    if (!is_zero(terms->reserved, sizeof(terms->reserved)))
        return bad(HF_CODE_MALFORMED, HF_RULE_RESERVED);
    return good;
}

static struct hf_verdict check_condition(const struct hf_op_condition *condition, uint32_t index)
{
    uint8_t kind = condition->kind;
    bool has_code = kind == HF_CONDITION_REGION || kind == HF_CONDITION_ORIGIN;
    bool has_time = kind == HF_CONDITION_NOT_BEFORE || kind == HF_CONDITION_NOT_AFTER;
    bool has_bytes = !has_time && kind != HF_CONDITION_ORIGIN;

    if (kind < HF_CONDITION_BLAKE2B || kind > HF_CONDITION_NOT_AFTER)
        return bad_entry(HF_CODE_MALFORMED, HF_RULE_CONDITION, index);
    if (!is_zero(condition->reserved, sizeof(condition->reserved)))
        return bad_entry(HF_CODE_MALFORMED, HF_RULE_RESERVED, index);
    if (condition->code != 0 && !has_code)
        return bad_entry(HF_CODE_MALFORMED, HF_RULE_CONDITION, index);
    if ((condition->time_ns != 0) != has_time)
        return bad_entry(HF_CODE_MALFORMED, HF_RULE_CONDITION, index);
    if (is_zero(condition->bytes, sizeof(condition->bytes)) == has_bytes)
        return bad_entry(HF_CODE_MALFORMED, HF_RULE_CONDITION, index);
    return good;
}

struct hf_verdict hf_shape_check_hold_plan(const struct hf_op_hold_plan *hold)
{
    const struct hf_op_plan *plan = &hold->plan;
    size_t count = (size_t)plan->source_count + plan->destination_count;
    size_t length = sizeof(*hold) + count * sizeof(*hold->entries) +
                    hold->terms.condition_count * sizeof(struct hf_op_condition);
    struct hf_verdict verdict = check_plan(plan, 0, 1);

    if (verdict.code == HF_CODE_OK)
        verdict = check_terms(&hold->terms);
    if (verdict.code == HF_CODE_OK)
        verdict = check_length(&hold->header, length);
    if (verdict.code == HF_CODE_OK)
        verdict = check_entries(plan, hold->entries, true);
    for (uint32_t i = 0; verdict.code == HF_CODE_OK && i < hold->terms.condition_count; i++)
        verdict = check_condition(&hf_hold_plan_conditions(hold)[i], i);
    return verdict;
}
