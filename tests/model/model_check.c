/* What can be told from an operation's bytes alone, field after field as the layout lists them. */
#include "model.h"

#include <string.h>

#define VERDICT(code_name, rule_name) \
    ((struct hf_verdict){.code = HF_CODE_##code_name, .rule = HF_RULE_##rule_name, 0})
#define REFUSE_IF(condition, code_name, rule_name) \
    do {                                           \
        if (condition)                             \
            return VERDICT(code_name, rule_name);  \
    } while (0)

static struct hf_verdict refuse_entry(uint16_t code, uint8_t rule, uint32_t entry)
{
    return (struct hf_verdict){.code = code, .rule = rule, .entry = (uint8_t)entry};
}
#define REFUSE_ENTRY_IF(condition, code_name, rule_number, entry)                    \
    do {                                                                             \
        if (condition)                                                               \
            return refuse_entry(HF_CODE_##code_name, (uint8_t)(rule_number), entry); \
    } while (0)

static bool is_reserved(struct hf_id id)
{
    if (id.hi == 0)
        return id.lo == 0;
    return id.hi == UINT64_MAX && id.lo == UINT64_MAX;
}

/* Zero means none. */
static bool is_all_ones(struct hf_id id)
{
    return id.hi == UINT64_MAX && id.lo == UINT64_MAX;
}

static bool is_amount(uint64_t amount)
{
    return amount >= 1 && amount <= (uint64_t)INT64_MAX;
}

static bool any_set(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != 0)
            return true;
    return false;
}

/* 1 to 8 of A-Z and 0-9, then NULs to the end. */
static bool is_asset_code(const char code[8])
{
    size_t length = 0;
    while (length < 8 && ((code[length] >= 'A' && code[length] <= 'Z') ||
                          (code[length] >= '0' && code[length] <= '9')))
        length++;
    return length > 0 && !any_set((const uint8_t *)code + length, 8 - length);
}

static struct hf_verdict check_asset_put(const struct hf_op_asset_put *put)
{
    REFUSE_IF(put->asset == 0, MALFORMED, ASSET);
    REFUSE_IF(put->scale > 18, MALFORMED, ASSET);
    REFUSE_IF(any_set(put->reserved, sizeof(put->reserved)), MALFORMED, RESERVED);
    REFUSE_IF(!is_asset_code(put->code), MALFORMED, ASSET);
    return VERDICT(OK, NONE);
}

/* A part that the sender filters by has something in it. */
static struct hf_verdict check_filter(const struct hf_filter *filter)
{
    bool mccs = any_set((const uint8_t *)filter->mccs, sizeof(filter->mccs));
    bool countries = any_set((const uint8_t *)filter->countries, sizeof(filter->countries));
    bool merchant = any_set(filter->merchant, sizeof(filter->merchant));
    REFUSE_IF(filter->parts > 15, MALFORMED, RESERVED);
    REFUSE_IF((filter->parts & 1) != 0 && !mccs, MALFORMED, FILTER);
    REFUSE_IF((filter->parts & 2) != 0 && !countries, MALFORMED, FILTER);
    REFUSE_IF((filter->parts & 4) != 0 && filter->channels == 0, MALFORMED, FILTER);
    REFUSE_IF((filter->parts & 8) != 0 && !merchant, MALFORMED, FILTER);
    return VERDICT(OK, NONE);
}

static struct hf_verdict check_account_put(const struct hf_op_account_put *put)
{
    bool is_long = put->header.length == sizeof(*put);
    REFUSE_IF(is_reserved(put->account), BAD_ID, ACCOUNT);
    REFUSE_IF(put->asset == 0, MALFORMED, ASSET);
    REFUSE_IF(put->status != HF_ACCOUNT_OPEN && put->status != HF_ACCOUNT_FROZEN, MALFORMED,
              STATUS);
    REFUSE_IF((put->flags & ~(is_long ? HF_ACCOUNT_TOTAL : 0)) != 0, MALFORMED, STATUS);
    REFUSE_IF(any_set(put->reserved, sizeof(put->reserved)), MALFORMED, RESERVED);
    if (!is_long)
        return VERDICT(OK, NONE);
    REFUSE_IF(is_all_ones(put->parent), BAD_ID, PARENT);
    REFUSE_IF(hf_id_equal(put->parent, put->account), SAME_ACCOUNT, PARENT);
    REFUSE_IF(is_all_ones(put->sink), BAD_ID, SINK);
    REFUSE_IF(hf_id_equal(put->sink, put->account), SAME_ACCOUNT, SINK);
    return check_filter(&put->filter);
}

static struct hf_verdict check_account_close(const struct hf_op_account_close *close)
{
    REFUSE_IF(is_reserved(close->account), BAD_ID, ACCOUNT);
    REFUSE_IF(is_all_ones(close->sink), BAD_ID, SINK);
    REFUSE_IF(hf_id_equal(close->sink, close->account), SAME_ACCOUNT, SINK);
    return VERDICT(OK, NONE);
}

static struct hf_verdict check_move(const struct hf_op_move *move)
{
    REFUSE_IF(is_reserved(move->payer), BAD_ID, PAYER);
    REFUSE_IF(is_reserved(move->payee), BAD_ID, PAYEE);
    REFUSE_IF(!is_amount(move->amount), BAD_AMOUNT, AMOUNT);
    REFUSE_IF(move->asset == 0, MALFORMED, ASSET);
    REFUSE_IF(move->reserved != 0, MALFORMED, RESERVED);
    return VERDICT(OK, NONE);
}

static struct hf_verdict check_hold(const struct hf_op_hold *hold)
{
    REFUSE_IF(is_reserved(hold->payer), BAD_ID, PAYER);
    REFUSE_IF(is_reserved(hold->payee), BAD_ID, PAYEE);
    REFUSE_IF(!is_amount(hold->amount), BAD_AMOUNT, AMOUNT);
    REFUSE_IF(hold->asset == 0, MALFORMED, ASSET);
    REFUSE_IF(hold->reserved != 0, MALFORMED, RESERVED);
    return VERDICT(OK, NONE);
}

/* Plans ----------------------------------------------------------------------------------- */

static struct hf_verdict check_plan(const struct hf_op_plan *plan, bool holds)
{
    bool all = plan->amount == UINT64_MAX;
    bool residual = plan->method == HF_PLAN_SMALLEST_RESIDUAL;
    REFUSE_IF(!is_amount(plan->amount) && !all, BAD_AMOUNT, AMOUNT);
    REFUSE_IF(!all && plan->minimum > plan->amount, BAD_AMOUNT, AMOUNT);
    REFUSE_IF(all && plan->minimum != 0, MALFORMED, PLAN);
    REFUSE_IF(plan->asset == 0, MALFORMED, ASSET);
    REFUSE_IF(plan->channel > 31, MALFORMED, PLAN);
    REFUSE_IF(plan->method > HF_PLAN_SMALLEST_RESIDUAL, MALFORMED, PLAN);
    REFUSE_IF(residual && plan->minimum != 0, MALFORMED, PLAN);
    REFUSE_IF(plan->source_count == 0, MALFORMED, PLAN);
    REFUSE_IF(plan->source_count > (residual ? 64 : 32), MALFORMED, PLAN);
    REFUSE_IF(!holds && plan->destination_count == 0, MALFORMED, PLAN);
    REFUSE_IF(plan->destination_count > (holds ? 1 : 32), MALFORMED, PLAN);
    REFUSE_IF(residual ? plan->choose_max < 1 || plan->choose_max > 4 : plan->choose_max != 0,
              MALFORMED, PLAN);
    REFUSE_IF(plan->reserved != 0, MALFORMED, RESERVED);
    return VERDICT(OK, NONE);
}

static bool is_entry_amount(const struct hf_op_entry *entry, uint32_t denominator)
{
    if (entry->rule == HF_ENTRY_FIXED)
        return is_amount(entry->amount);
    if (entry->rule == HF_ENTRY_UP_TO)
        return is_amount(entry->amount) || entry->amount == UINT64_MAX;
    if (entry->rule == HF_ENTRY_RATIO)
        return entry->amount >= 1 && entry->amount <= denominator;
    return entry->amount == 0;
}

static bool is_source_rule(const struct hf_op_plan *plan, uint8_t rule, bool is_last)
{
    if (plan->method == HF_PLAN_SMALLEST_RESIDUAL && rule != HF_ENTRY_UP_TO)
        return false;
    if (plan->amount == UINT64_MAX && rule != HF_ENTRY_FIXED && rule != HF_ENTRY_EVERYTHING)
        return false;
    return rule != HF_ENTRY_REMAINING || is_last;
}

static bool is_destination_rule(uint8_t rule, bool is_last, bool holds)
{
    if (rule == HF_ENTRY_EVERYTHING || (holds && rule != HF_ENTRY_REMAINING))
        return false;
    return rule != HF_ENTRY_REMAINING || is_last;
}

/* The entries from `first` to before `end`, counted from 0 through both lists. */
static struct hf_verdict check_entries(const struct hf_op_plan *plan,
                                       const struct hf_op_entry *entries, uint32_t first,
                                       uint32_t end, bool holds)
{
    bool sources = first == 0;
    uint8_t rule = sources ? HF_RULE_PAYER : HF_RULE_PAYEE;
    uint32_t denominator = sources ? plan->source_denominator : plan->destination_denominator;
    uint64_t parts = 0;
    bool up_to = false;
    for (uint32_t i = first; i < end; i++) {
        const struct hf_op_entry *entry = &entries[i];
        bool is_last = i + 1 == end;
        REFUSE_ENTRY_IF(is_reserved(entry->account), BAD_ID, rule, i + 1);
        for (uint32_t before = 0; before < i; before++)
            REFUSE_ENTRY_IF(hf_id_equal(entries[before].account, entry->account), SAME_ACCOUNT,
                            rule, i + 1);
        REFUSE_ENTRY_IF(!is_entry_amount(entry, denominator), BAD_AMOUNT, rule, i + 1);
        REFUSE_ENTRY_IF(entry->rule < HF_ENTRY_FIXED || entry->rule > HF_ENTRY_EVERYTHING,
                        MALFORMED, HF_RULE_PLAN, i + 1);
        REFUSE_ENTRY_IF(sources ? !is_source_rule(plan, entry->rule, is_last)
                                : !is_destination_rule(entry->rule, is_last, holds),
                        MALFORMED, HF_RULE_PLAN, i + 1);
        REFUSE_ENTRY_IF(any_set(entry->reserved, sizeof(entry->reserved)), MALFORMED,
                        HF_RULE_RESERVED, i + 1);
        if (entry->rule == HF_ENTRY_RATIO)
            parts += entry->amount;
        up_to = up_to || entry->rule == HF_ENTRY_UP_TO;
    }
    REFUSE_IF(parts > denominator, UNBALANCED, PLAN);
    REFUSE_IF(parts == 0 && denominator != 0, UNBALANCED, PLAN);
    REFUSE_IF(sources && plan->minimum != 0 && !up_to, MALFORMED, PLAN);
    return VERDICT(OK, NONE);
}

static struct hf_verdict check_lists(const struct hf_op_plan *plan,
                                     const struct hf_op_entry *entries, bool holds)
{
    uint32_t sources = plan->source_count;
    struct hf_verdict verdict = check_entries(plan, entries, 0, sources, holds);
    if (verdict.code != HF_CODE_OK)
        return verdict;
    return check_entries(plan, entries, sources, sources + plan->destination_count, holds);
}

static struct hf_verdict check_move_plan(const struct hf_op_move_plan *move)
{
    struct hf_verdict verdict = check_plan(&move->plan, false);
    if (verdict.code != HF_CODE_OK)
        return verdict;
    size_t entries = (size_t)move->plan.source_count + move->plan.destination_count;
    REFUSE_IF(move->header.length != 88 + 32 * entries, MALFORMED, LENGTH);
    return check_lists(&move->plan, move->entries, false);
}

static struct hf_verdict check_terms(const struct hf_op_terms *terms)
{
    bool soft = (terms->policy & HF_HOLD_SOFT) != 0;
    REFUSE_IF(terms->tolerance > 1000, MALFORMED, HOLD);
    REFUSE_IF(terms->class_number > 15, MALFORMED, CLASS);
    REFUSE_IF(terms->policy > 7, MALFORMED, STATUS);
    REFUSE_IF(terms->condition_count > 8, MALFORMED, CONDITION);
    REFUSE_IF(soft && terms->condition_count != 0, MALFORMED, CONDITION);
    REFUSE_IF(terms->required > terms->condition_count, MALFORMED, CONDITION);
    REFUSE_IF(terms->condition_count != 0 && terms->required == 0, MALFORMED, CONDITION);
    REFUSE_IF(any_set(terms->reserved, sizeof(terms->reserved)), MALFORMED, RESERVED);
    return VERDICT(OK, NONE);
}

static struct hf_verdict check_condition(const struct hf_op_condition *condition, uint32_t number)
{
    uint8_t kind = condition->kind;
    bool coded = kind == HF_CONDITION_REGION || kind == HF_CONDITION_ORIGIN;
    bool timed = kind == HF_CONDITION_NOT_BEFORE || kind == HF_CONDITION_NOT_AFTER;
    bool keyed = kind >= HF_CONDITION_BLAKE2B && kind <= HF_CONDITION_REGION;
    REFUSE_ENTRY_IF(kind < 1 || kind > 7, MALFORMED, HF_RULE_CONDITION, number);
    REFUSE_ENTRY_IF(any_set(condition->reserved, 3), MALFORMED, HF_RULE_RESERVED, number);
    REFUSE_ENTRY_IF(condition->code != 0 && !coded, MALFORMED, HF_RULE_CONDITION, number);
    REFUSE_ENTRY_IF((condition->time_ns != 0) != timed, MALFORMED, HF_RULE_CONDITION, number);
    REFUSE_ENTRY_IF(any_set(condition->bytes, 32) != keyed, MALFORMED, HF_RULE_CONDITION, number);
    return VERDICT(OK, NONE);
}

static struct hf_verdict check_hold_plan(const struct hf_op_hold_plan *hold)
{
    struct hf_verdict verdict = check_plan(&hold->plan, true);
    if (verdict.code == HF_CODE_OK)
        verdict = check_terms(&hold->terms);
    if (verdict.code != HF_CODE_OK)
        return verdict;
    size_t entries = (size_t)hold->plan.source_count + hold->plan.destination_count;
    REFUSE_IF(hold->header.length != 104 + 32 * entries + 48u * hold->terms.condition_count,
              MALFORMED, LENGTH);
    verdict = check_lists(&hold->plan, hold->entries, true);
    for (uint32_t i = 0; i < hold->terms.condition_count && verdict.code == HF_CODE_OK; i++)
        verdict = check_condition(&hf_hold_plan_conditions(hold)[i], i + 1);
    return verdict;
}

/* Holds ----------------------------------------------------------------------------------- */

static struct hf_verdict check_adjust(const struct hf_op_adjust *adjust)
{
    bool keeps = adjust->mode == HF_ADJUST_KEEP;
    REFUSE_IF(is_reserved(adjust->hold), BAD_ID, HOLD);
    REFUSE_IF(adjust->amount > (uint64_t)INT64_MAX, BAD_AMOUNT, AMOUNT);
    REFUSE_IF(adjust->mode > HF_ADJUST_SET, MALFORMED, STATUS);
    REFUSE_IF(keeps != (adjust->amount == 0), BAD_AMOUNT, AMOUNT);
    REFUSE_IF(keeps && adjust->expires_ns == 0, MALFORMED, EXPIRY);
    REFUSE_IF(any_set(adjust->reserved, sizeof(adjust->reserved)), MALFORMED, RESERVED);
    return VERDICT(OK, NONE);
}

static struct hf_verdict check_capture(const struct hf_op_capture *capture)
{
    bool is_long = capture->header.length == sizeof(*capture);
    REFUSE_IF(is_reserved(capture->hold), BAD_ID, HOLD);
    REFUSE_IF(!is_amount(capture->amount) && capture->amount != UINT64_MAX, BAD_AMOUNT, AMOUNT);
    REFUSE_IF(capture->final > 1, MALFORMED, STATUS);
    REFUSE_IF(any_set(capture->reserved, sizeof(capture->reserved)), MALFORMED, RESERVED);
    REFUSE_IF(is_long && is_all_ones(capture->payee), BAD_ID, PAYEE);
    return VERDICT(OK, NONE);
}

static struct hf_verdict check_release(const struct hf_op_release *release)
{
    REFUSE_IF(is_reserved(release->hold), BAD_ID, HOLD);
    REFUSE_IF(!is_amount(release->amount) && release->amount != UINT64_MAX, BAD_AMOUNT, AMOUNT);
    return VERDICT(OK, NONE);
}

static struct hf_verdict check_attest(const struct hf_op_attest *attest)
{
    REFUSE_IF(is_reserved(attest->hold), BAD_ID, HOLD);
    REFUSE_IF(attest->condition < 1 || attest->condition > 8, MALFORMED, CONDITION);
    REFUSE_IF(attest->proof_length > 64, MALFORMED, CONDITION);
    REFUSE_IF(any_set(attest->reserved, sizeof(attest->reserved)), MALFORMED, RESERVED);
    REFUSE_IF(any_set(attest->proof + attest->proof_length, 64u - attest->proof_length), MALFORMED,
              RESERVED);
    return VERDICT(OK, NONE);
}

static struct hf_verdict check_class_put(const struct hf_op_class_put *put)
{
    REFUSE_IF(put->class_number < 1 || put->class_number > 15, MALFORMED, CLASS);
    REFUSE_IF(any_set(put->reserved, sizeof(put->reserved)), MALFORMED, RESERVED);
    return VERDICT(OK, NONE);
}

static struct hf_verdict check_expire(const struct hf_op_expire *expire)
{
    REFUSE_IF(expire->count < 1 || expire->count > 64, MALFORMED, EXPIRY);
    REFUSE_IF(any_set(expire->reserved, sizeof(expire->reserved)), MALFORMED, RESERVED);
    REFUSE_IF(expire->header.length != 40 + 24u * expire->count, MALFORMED, LENGTH);
    for (uint32_t i = 0; i < expire->count; i++) {
        const struct hf_op_expiry *expiry = &expire->expiries[i];
        REFUSE_ENTRY_IF(is_reserved(expiry->id), BAD_ID, HF_RULE_EXPIRY, i + 1);
        REFUSE_ENTRY_IF(expiry->kind != HF_EXPIRY_HOLD && expiry->kind != HF_EXPIRY_ACCOUNT,
                        MALFORMED, HF_RULE_EXPIRY, i + 1);
        REFUSE_ENTRY_IF(any_set(expiry->reserved, sizeof(expiry->reserved)), MALFORMED,
                        HF_RULE_RESERVED, i + 1);
    }
    return VERDICT(OK, NONE);
}

/* Cards and questions --------------------------------------------------------------------- */

static struct hf_verdict check_instrument_put(const struct hf_op_instrument_put *put)
{
    REFUSE_IF(is_reserved(put->token), BAD_ID, INSTRUMENT);
    REFUSE_IF(is_reserved(put->account), BAD_ID, ACCOUNT);
    REFUSE_IF(put->status > HF_INSTRUMENT_CLOSED, MALFORMED, STATUS);
    REFUSE_IF((put->flags & ~HF_INSTRUMENT_FIRST_USE) != 0, MALFORMED, STATUS);
    REFUSE_IF(put->further_count > 7, MALFORMED, INSTRUMENT);
    REFUSE_IF(any_set(put->reserved, sizeof(put->reserved)), MALFORMED, RESERVED);
    REFUSE_IF(put->header.length != 96 + 16u * put->further_count, MALFORMED, LENGTH);
    for (uint32_t i = 0; i < put->further_count; i++) {
        REFUSE_ENTRY_IF(is_reserved(put->further[i]), BAD_ID, HF_RULE_ACCOUNT, i + 1);
        REFUSE_ENTRY_IF(hf_id_equal(put->further[i], put->account), SAME_ACCOUNT, HF_RULE_ACCOUNT,
                        i + 1);
        for (uint32_t before = 0; before < i; before++)
            REFUSE_ENTRY_IF(hf_id_equal(put->further[before], put->further[i]), SAME_ACCOUNT,
                            HF_RULE_ACCOUNT, i + 1);
    }
    return VERDICT(OK, NONE);
}

static bool is_start(uint8_t window, uint8_t start)
{
    if (window == HF_LIMIT_WEEK)
        return start >= 1 && start <= 7;
    if (window == HF_LIMIT_MONTH)
        return start >= 1 && start <= 28;
    return start == 0;
}

/* What window and mode say about the fields before them. */
static struct hf_verdict check_limit_maxima(const struct hf_op_limit_put *put)
{
    bool rolls = put->mode == HF_LIMIT_SET && put->window == HF_LIMIT_ROLLING;
    bool resets = put->mode == HF_LIMIT_RESET;
    REFUSE_IF(resets && (put->max_amount != 0 || put->max_count != 0), MALFORMED, LIMIT);
    REFUSE_IF(!rolls && put->length_ns != 0, MALFORMED, LIMIT);
    REFUSE_IF(rolls && (put->length_ns < 64 || put->length_ns > UINT64_C(34560000000000000)),
              MALFORMED, LIMIT);
    return VERDICT(OK, NONE);
}

static struct hf_verdict check_limit_put(const struct hf_op_limit_put *put)
{
    bool sets = put->mode == HF_LIMIT_SET;
    bool calendar = put->window >= HF_LIMIT_DAY && put->window <= HF_LIMIT_MONTH;
    if (is_reserved(put->scope_id))
        return refuse_entry(
            HF_CODE_BAD_ID,
            put->scope == HF_LIMIT_INSTRUMENT ? HF_RULE_INSTRUMENT : HF_RULE_ACCOUNT, 0);
    REFUSE_IF(put->scope != HF_LIMIT_INSTRUMENT && put->scope != HF_LIMIT_ACCOUNT, MALFORMED,
              LIMIT);
    REFUSE_IF(put->number == 0, MALFORMED, LIMIT);
    REFUSE_IF(put->window > HF_LIMIT_LIFETIME, MALFORMED, LIMIT);
    REFUSE_IF(put->mode > HF_LIMIT_RESET, MALFORMED, LIMIT);
    REFUSE_IF(sets != (put->window != 0), MALFORMED, LIMIT);
    struct hf_verdict verdict = check_limit_maxima(put);
    if (verdict.code != HF_CODE_OK)
        return verdict;
    REFUSE_IF(put->zone_minutes < -840 || put->zone_minutes > 840, MALFORMED, LIMIT);
    REFUSE_IF(!calendar && put->zone_minutes != 0, MALFORMED, LIMIT);
    REFUSE_IF(!is_start(put->window, put->start), MALFORMED, LIMIT);
    REFUSE_IF(put->reserved != 0, MALFORMED, RESERVED);
    REFUSE_IF(!sets && any_set((const uint8_t *)&put->filter, sizeof(put->filter)), MALFORMED,
              LIMIT);
    return check_filter(&put->filter);
}

static struct hf_verdict check_auth(const struct hf_op_auth *auth)
{
    REFUSE_IF(is_reserved(auth->token), BAD_ID, INSTRUMENT);
    REFUSE_IF(is_reserved(auth->payee), BAD_ID, PAYEE);
    REFUSE_IF(auth->amount > (uint64_t)INT64_MAX, BAD_AMOUNT, AMOUNT);
    REFUSE_IF(auth->minimum > auth->amount, BAD_AMOUNT, AMOUNT);
    REFUSE_IF(auth->billing_amount != 0, UNSUPPORTED, AMOUNT);
    REFUSE_IF(auth->asset == 0, MALFORMED, ASSET);
    REFUSE_IF(auth->billing_asset != 0, UNSUPPORTED, ASSET);
    bool forced = (auth->auth_flags & HF_AUTH_FORCED) != 0;
    REFUSE_IF(auth->class_number > 15, MALFORMED, CLASS);
    REFUSE_IF(auth->auth_flags > 3, MALFORMED, STATUS);
    REFUSE_IF(forced && (auth->minimum != 0 || auth->amount == 0), BAD_AMOUNT, AMOUNT);
    REFUSE_IF(any_set(auth->reserved, sizeof(auth->reserved)), MALFORMED, RESERVED);
    REFUSE_IF(auth->tolerance > 1000, MALFORMED, HOLD);
    return VERDICT(OK, NONE);
}

/* What operations on an authorisation begin with. */
static struct hf_verdict check_original(const struct hf_op_header *header, struct hf_id original)
{
    REFUSE_IF(is_reserved(original), BAD_ID, ORIGINAL);
    REFUSE_IF(hf_id_equal(original, header->id), BAD_ID, ORIGINAL);
    return VERDICT(OK, NONE);
}

static struct hf_verdict check_increment(const struct hf_op_increment *increment)
{
    struct hf_verdict verdict = check_original(&increment->header, increment->original);
    if (verdict.code != HF_CODE_OK)
        return verdict;
    REFUSE_IF(!is_amount(increment->amount), BAD_AMOUNT, AMOUNT);
    REFUSE_IF(increment->asset == 0, MALFORMED, ASSET);
    REFUSE_IF(increment->class_number > 15, MALFORMED, CLASS);
    REFUSE_IF(any_set(increment->reserved, sizeof(increment->reserved)), MALFORMED, RESERVED);
    return VERDICT(OK, NONE);
}

static struct hf_verdict check_reverse(const struct hf_op_reverse *reverse)
{
    struct hf_verdict verdict = check_original(&reverse->header, reverse->original);
    if (verdict.code != HF_CODE_OK)
        return verdict;
    REFUSE_IF(!is_amount(reverse->amount) && reverse->amount != UINT64_MAX, BAD_AMOUNT, AMOUNT);
    REFUSE_IF(reverse->asset == 0, MALFORMED, ASSET);
    REFUSE_IF(reverse->captured > 1, MALFORMED, STATUS);
    REFUSE_IF(any_set(reverse->reserved, sizeof(reverse->reserved)), MALFORMED, RESERVED);
    return VERDICT(OK, NONE);
}

static struct hf_verdict check_clear(const struct hf_op_clear *clear)
{
    bool none = clear->original.lo == 0 && clear->original.hi == 0;
    bool forced = (clear->clear_flags & HF_CLEAR_FORCED) != 0;
    REFUSE_IF(is_all_ones(clear->original), BAD_ID, ORIGINAL);
    REFUSE_IF(hf_id_equal(clear->original, clear->header.id), BAD_ID, ORIGINAL);
    REFUSE_IF(is_all_ones(clear->token), BAD_ID, INSTRUMENT);
    REFUSE_IF(is_all_ones(clear->payee), BAD_ID, PAYEE);
    REFUSE_IF(!is_amount(clear->amount), BAD_AMOUNT, AMOUNT);
    REFUSE_IF(clear->asset == 0, MALFORMED, ASSET);
    REFUSE_IF(clear->clear_flags > 3, MALFORMED, STATUS);
    REFUSE_IF(none && !forced, BAD_ID, ORIGINAL);
    REFUSE_IF(any_set(clear->reserved, sizeof(clear->reserved)), MALFORMED, RESERVED);
    return VERDICT(OK, NONE);
}

static struct hf_verdict check_query(const struct hf_op_query *query)
{
    REFUSE_IF(is_reserved(query->subject_id), BAD_ID, SUBJECT);
    REFUSE_IF(query->subject < HF_QUERY_ACCOUNT || query->subject > 9, MALFORMED, SUBJECT);
    REFUSE_IF(any_set(query->reserved, sizeof(query->reserved)), MALFORMED, RESERVED);
    uint32_t cursor_max = 0;
    if (query->subject == HF_QUERY_ACCOUNT_HOLDS)
        cursor_max = UINT32_MAX;
    if (query->subject == HF_QUERY_INSTRUMENT_LIMITS || query->subject == HF_QUERY_ACCOUNT_LIMITS)
        cursor_max = 255;
    if (query->subject == HF_QUERY_INSTRUMENT_AUTHORISATIONS)
        cursor_max = 1024;
    REFUSE_IF(query->cursor > cursor_max, MALFORMED, SUBJECT);
    return VERDICT(OK, NONE);
}

/* Operations ------------------------------------------------------------------------------ */

/* The lengths that a type may have. */
struct lengths {
    uint16_t shortest;
    uint16_t other;   /* 0: no other */
    uint16_t longest; /* of a type with a list, else 0 */
};

static struct lengths lengths_of(uint8_t type)
{
    static const struct lengths lengths[HF_OP_TYPE_MAX + 1] = {
        [HF_OP_ASSET_PUT] = {48, 0, 0},
        [HF_OP_ACCOUNT_PUT] = {64, 160, 0},
        [HF_OP_ACCOUNT_CLOSE] = {64, 0, 0},
        [HF_OP_MOVE] = {80, 0, 0},
        [HF_OP_MOVE_PLAN] = {88, 0, 8960},
        [HF_OP_CHAIN] = {40, 0, 8960},
        [HF_OP_HOLD] = {88, 0, 0},
        [HF_OP_HOLD_PLAN] = {104, 0, 8960},
        [HF_OP_ADJUST] = {72, 0, 0},
        [HF_OP_CAPTURE] = {64, 80, 0},
        [HF_OP_RELEASE] = {56, 0, 0},
        [HF_OP_ATTEST] = {120, 0, 0},
        [HF_OP_EXPIRE] = {40, 0, 8960},
        [HF_OP_CLASS_PUT] = {48, 0, 0},
        [HF_OP_INSTRUMENT_PUT] = {96, 0, 8960},
        [HF_OP_LIMIT_PUT] = {128, 0, 0},
        [HF_OP_AUTH] = {192, 0, 0},
        [HF_OP_QUERY] = {56, 0, 0},
        [HF_OP_INCREMENT] = {72, 0, 0},
        [HF_OP_REVERSE] = {72, 0, 0},
        [HF_OP_CLEAR] = {128, 0, 0},
    };
    return lengths[type];
}

static bool is_length(struct lengths lengths, uint16_t length)
{
    if (lengths.longest != 0)
        return length >= lengths.shortest && length <= lengths.longest;
    return length == lengths.shortest || (lengths.other != 0 && length == lengths.other);
}

static struct hf_verdict check_chain(const struct hf_op_chain *chain);

static struct hf_verdict check_body(const union hf_operation *operation)
{
    switch (operation->header.type) {
    case HF_OP_ASSET_PUT:
        return check_asset_put(&operation->asset_put);
    case HF_OP_ACCOUNT_PUT:
        return check_account_put(&operation->account_put);
    case HF_OP_ACCOUNT_CLOSE:
        return check_account_close(&operation->account_close);
    case HF_OP_MOVE:
        return check_move(&operation->move);
    case HF_OP_MOVE_PLAN:
        return check_move_plan(&operation->move_plan);
    case HF_OP_CHAIN:
        return check_chain(&operation->chain);
    case HF_OP_HOLD:
        return check_hold(&operation->hold);
    case HF_OP_HOLD_PLAN:
        return check_hold_plan(&operation->hold_plan);
    case HF_OP_ADJUST:
        return check_adjust(&operation->adjust);
    case HF_OP_CAPTURE:
        return check_capture(&operation->capture);
    case HF_OP_RELEASE:
        return check_release(&operation->release);
    case HF_OP_ATTEST:
        return check_attest(&operation->attest);
    case HF_OP_EXPIRE:
        return check_expire(&operation->expire);
    case HF_OP_CLASS_PUT:
        return check_class_put(&operation->class_put);
    case HF_OP_INSTRUMENT_PUT:
        return check_instrument_put(&operation->instrument_put);
    case HF_OP_LIMIT_PUT:
        return check_limit_put(&operation->limit_put);
    case HF_OP_AUTH:
        return check_auth(&operation->auth);
    case HF_OP_INCREMENT:
        return check_increment(&operation->increment);
    case HF_OP_REVERSE:
        return check_reverse(&operation->reverse);
    case HF_OP_CLEAR:
        return check_clear(&operation->clear);
    default:
        return check_query(&operation->query);
    }
}

static struct hf_verdict check_length(const struct hf_op_header *header, size_t available)
{
    REFUSE_IF(available < 32, MALFORMED, LENGTH);
    REFUSE_IF(header->length % 8 != 0, MALFORMED, LENGTH);
    REFUSE_IF(header->length < 32, MALFORMED, LENGTH);
    REFUSE_IF(header->length > available, MALFORMED, LENGTH);
    return VERDICT(OK, NONE);
}

/* Where an operation was found. */
enum place { SENT, LOGGED, IN_CHAIN };

static struct hf_verdict check_header(const struct hf_op_header *header, size_t available,
                                      enum place place)
{
    struct hf_verdict verdict = check_length(header, available);
    if (verdict.code != HF_CODE_OK)
        return verdict;
    uint8_t type = header->type;
    uint8_t flags = header->flags;
    bool unrepeatable = type == HF_OP_QUERY || type == HF_OP_EXPIRE;
    bool in_chain = place == IN_CHAIN;
    uint8_t known = HF_OP_DRY_RUN | HF_OP_RETURN_BALANCES | (place == LOGGED ? HF_OP_FORBIDDEN : 0);
    REFUSE_IF(type == 0 || type > HF_OP_TYPE_MAX, UNKNOWN_TYPE, TYPE);
    REFUSE_IF(lengths_of(type).shortest == 0, UNSUPPORTED, TYPE);
    REFUSE_IF(in_chain && type == HF_OP_CHAIN, NESTED_CHAIN, CHAIN);
    REFUSE_IF(in_chain && unrepeatable, UNSUPPORTED, TYPE);
    REFUSE_IF(!is_length(lengths_of(type), header->length), MALFORMED, LENGTH);
    REFUSE_IF(in_chain && flags != 0, UNSUPPORTED, FLAGS);
    REFUSE_IF((flags & ~known) != 0, UNSUPPORTED, FLAGS);
    REFUSE_IF(unrepeatable && (flags & (HF_OP_DRY_RUN | HF_OP_FORBIDDEN)) != 0, UNSUPPORTED, FLAGS);
    REFUSE_IF(is_reserved(header->id), BAD_ID, ID);
    return VERDICT(OK, NONE);
}

/* Chains ---------------------------------------------------------------------------------- */

static struct hf_verdict check_link(const struct hf_op_chain *chain,
                                    const union hf_operation *operation, size_t available,
                                    const struct hf_id ids[], uint32_t id_count)
{
    const struct hf_op_header *header = &operation->header;
    struct hf_verdict verdict = check_header(header, available, IN_CHAIN);
    if (verdict.code != HF_CODE_OK)
        return verdict;
    REFUSE_IF(header->origin != 0, MALFORMED, CHAIN);
    REFUSE_IF(header->deadline_ns != 0, MALFORMED, CHAIN);
    REFUSE_IF(hf_id_equal(header->id, chain->header.id), BAD_ID, CHAIN);
    for (uint32_t i = 0; i < id_count; i++)
        REFUSE_IF(hf_id_equal(header->id, ids[i]), BAD_ID, CHAIN);
    return check_body(operation);
}

static struct hf_verdict check_chain(const struct hf_op_chain *chain)
{
    struct hf_id ids[HF_CHAIN_OPERATIONS_MAX];
    REFUSE_IF(chain->count < 1 || chain->count > 32, MALFORMED, CHAIN);
    REFUSE_IF(any_set(chain->reserved, sizeof(chain->reserved)), MALFORMED, RESERVED);
    const uint8_t *at = chain->operations;
    size_t left = chain->header.length - sizeof(*chain);
    for (uint32_t i = 0; i < chain->count; i++) {
        const union hf_operation *operation = (const union hf_operation *)(const void *)at;
        struct hf_verdict verdict = check_link(chain, operation, left, ids, i);
        if (verdict.code != HF_CODE_OK)
            return refuse_entry(verdict.code, verdict.rule, i + 1);
        ids[i] = operation->header.id;
        at += operation->header.length;
        left -= operation->header.length;
    }
    REFUSE_IF(left != 0, MALFORMED, LENGTH);
    return VERDICT(OK, NONE);
}

static struct hf_verdict check(const union hf_operation *operation, size_t available,
                               enum place place)
{
    struct hf_verdict verdict = check_header(&operation->header, available, place);
    return verdict.code == HF_CODE_OK ? check_body(operation) : verdict;
}

struct hf_verdict model_check(const union hf_operation *operation, size_t available)
{
    return check(operation, available, SENT);
}

struct hf_verdict model_check_logged(const union hf_operation *operation, size_t available)
{
    return check(operation, available, LOGGED);
}
