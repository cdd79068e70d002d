/* The shape of operations: all that can be told from the bytes alone.
 *
 * Each type has one function that looks at its fields from the first to the last, so that of
 * several bad fields the first in the layout decides (OPERATIONS.md, step 1.6). */
#include "operation.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

struct type_entry {
    const char *name;
    uint16_t length; /* the shortest; 0: the type has a name but no body in this version */
    uint16_t longer; /* the other of two, or HF_OPERATION_LENGTH_MAX with a list; 0: there is one */
};

#define LISTED HF_OPERATION_LENGTH_MAX

static const struct type_entry types[HF_OP_TYPE_MAX + 1] = {
    [HF_OP_ACCOUNT_PUT] = {"ACCOUNT_PUT", HF_ACCOUNT_PUT_SHORT, sizeof(struct hf_op_account_put)},
    [HF_OP_ACCOUNT_CLOSE] = {"ACCOUNT_CLOSE", sizeof(struct hf_op_account_close), 0},
    [HF_OP_MOVE] = {"MOVE", sizeof(struct hf_op_move), 0},
    [HF_OP_CHAIN] = {"CHAIN", sizeof(struct hf_op_chain), LISTED},
    [HF_OP_HOLD] = {"HOLD", sizeof(struct hf_op_hold), 0},
    [HF_OP_ADJUST] = {"ADJUST", sizeof(struct hf_op_adjust), 0},
    [HF_OP_CAPTURE] = {"CAPTURE", HF_CAPTURE_SHORT, sizeof(struct hf_op_capture)},
    [HF_OP_RELEASE] = {"RELEASE", sizeof(struct hf_op_release), 0},
    [HF_OP_ATTEST] = {"ATTEST", sizeof(struct hf_op_attest), 0},
    [HF_OP_INSTRUMENT_PUT] = {"INSTRUMENT_PUT", sizeof(struct hf_op_instrument_put), 0},
    [HF_OP_LIMIT_PUT] = {"LIMIT_PUT", sizeof(struct hf_op_limit_put), 0},
    [HF_OP_AUTH] = {"AUTH", sizeof(struct hf_op_auth), 0},
    [HF_OP_REVERSE] = {"REVERSE", 0, 0},
    [HF_OP_CLEAR] = {"CLEAR", 0, 0},
    [HF_OP_CLAIM] = {"CLAIM", 0, 0},
    [HF_OP_RULE_PUT] = {"RULE_PUT", 0, 0},
    [HF_OP_QUOTE_PUT] = {"QUOTE_PUT", 0, 0},
    [HF_OP_REDEEM] = {"REDEEM", 0, 0},
    [HF_OP_WINDOW_CLOSE] = {"WINDOW_CLOSE", 0, 0},
    [HF_OP_QUERY] = {"QUERY", sizeof(struct hf_op_query), 0},
    [HF_OP_ASSET_PUT] = {"ASSET_PUT", sizeof(struct hf_op_asset_put), 0},
    [HF_OP_MOVE_PLAN] = {"MOVE_PLAN", sizeof(struct hf_op_move_plan), LISTED},
    [HF_OP_HOLD_PLAN] = {"HOLD_PLAN", sizeof(struct hf_op_hold_plan), LISTED},
    [HF_OP_EXPIRE] = {"EXPIRE", sizeof(struct hf_op_expire), LISTED},
    [HF_OP_CLASS_PUT] = {"CLASS_PUT", sizeof(struct hf_op_class_put), 0},
};

#define FLAGS_KNOWN (HF_OP_DRY_RUN | HF_OP_RETURN_BALANCES)

static const struct hf_verdict good = {HF_CODE_OK, HF_RULE_NONE, 0};

static struct hf_verdict bad(uint16_t code, uint8_t rule)
{
    assert(code != HF_CODE_OK);
    assert(rule != HF_RULE_NONE);
    return (struct hf_verdict){code, rule, 0};
}

/* The same, of the list's entry number `index` from 0. */
static struct hf_verdict bad_entry(uint16_t code, uint8_t rule, uint32_t index)
{
    struct hf_verdict verdict = bad(code, rule);

    assert(index < UINT8_MAX);
    verdict.entry = (uint8_t)(index + 1);
    return verdict;
}

uint16_t hf_operation_length(uint8_t type)
{
    return type > HF_OP_TYPE_MAX ? 0 : types[type].length;
}

const char *hf_operation_name(uint8_t type)
{
    if (type > HF_OP_TYPE_MAX || types[type].name == NULL)
        return "UNKNOWN";
    return types[type].name;
}

static bool is_zero(const uint8_t *bytes, size_t count)
{
    uint8_t seen = 0;

    for (size_t i = 0; i < count; i++)
        seen |= bytes[i];
    return seen == 0;
}

static bool is_amount(uint64_t amount)
{
    return amount >= 1 && amount <= HF_AMOUNT_MAX;
}

/* 1 to 8 capital letters and digits, then NULs to the end. */
static bool is_asset_code(const char code[8])
{
    size_t length = 0;

    while (length < 8 && code[length] != '\0') {
        char c = code[length];
        if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9'))
            return false;
        length++;
    }
    for (size_t i = length; i < 8; i++) {
        if (code[i] != '\0')
            return false;
    }
    return length >= 1;
}

static struct hf_verdict check_asset_put(const struct hf_op_asset_put *put)
{
    if (put->asset == 0)
        return bad(HF_CODE_MALFORMED, HF_RULE_ASSET);
    if (put->scale > HF_ASSET_SCALE_MAX)
        return bad(HF_CODE_MALFORMED, HF_RULE_ASSET);
    if (!is_zero(put->reserved, sizeof(put->reserved)))
        return bad(HF_CODE_MALFORMED, HF_RULE_RESERVED);
    if (!is_asset_code(put->code))
        return bad(HF_CODE_MALFORMED, HF_RULE_ASSET);
    return good;
}

static bool is_all_ones(struct hf_id id)
{
    return (id.lo & id.hi) == UINT64_MAX;
}

/* What only the long form says. */
static struct hf_verdict check_account_terms(const struct hf_op_account_put *put)
{
    if (is_all_ones(put->parent))
        return bad(HF_CODE_BAD_ID, HF_RULE_PARENT);
    if (hf_id_equal(put->parent, put->account))
        return bad(HF_CODE_SAME_ACCOUNT, HF_RULE_PARENT);
    if (is_all_ones(put->sink))
        return bad(HF_CODE_BAD_ID, HF_RULE_SINK);
    if (hf_id_equal(put->sink, put->account))
        return bad(HF_CODE_SAME_ACCOUNT, HF_RULE_SINK);
    if (put->filter.reserved != 0)
        return bad(HF_CODE_MALFORMED, HF_RULE_RESERVED);
    return good;
}

static struct hf_verdict check_account_put(const struct hf_op_account_put *put)
{
    bool is_short = put->header.length == HF_ACCOUNT_PUT_SHORT;

    if (hf_id_is_reserved(put->account))
        return bad(HF_CODE_BAD_ID, HF_RULE_ACCOUNT);
    if (put->asset == 0)
        return bad(HF_CODE_MALFORMED, HF_RULE_ASSET);
    if (put->status != HF_ACCOUNT_OPEN && put->status != HF_ACCOUNT_FROZEN)
        return bad(HF_CODE_MALFORMED, HF_RULE_STATUS);
    if ((put->flags & ~HF_ACCOUNT_TOTAL) != 0 || (is_short && put->flags != 0))
        return bad(HF_CODE_MALFORMED, HF_RULE_STATUS);
    if (!is_zero(put->reserved, sizeof(put->reserved)))
        return bad(HF_CODE_MALFORMED, HF_RULE_RESERVED);
    return is_short ? good : check_account_terms(put);
}

static struct hf_verdict check_account_close(const struct hf_op_account_close *close)
{
    if (hf_id_is_reserved(close->account))
        return bad(HF_CODE_BAD_ID, HF_RULE_ACCOUNT);
    if (is_all_ones(close->sink))
        return bad(HF_CODE_BAD_ID, HF_RULE_SINK);
    if (hf_id_equal(close->sink, close->account))
        return bad(HF_CODE_SAME_ACCOUNT, HF_RULE_SINK);
    return good;
}

static struct hf_verdict check_move(const struct hf_op_move *move)
{
    if (hf_id_is_reserved(move->payer))
        return bad(HF_CODE_BAD_ID, HF_RULE_PAYER);
    if (hf_id_is_reserved(move->payee))
        return bad(HF_CODE_BAD_ID, HF_RULE_PAYEE);
    if (!is_amount(move->amount))
        return bad(HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT);
    if (move->asset == 0)
        return bad(HF_CODE_MALFORMED, HF_RULE_ASSET);
    if (move->reserved != 0)
        return bad(HF_CODE_MALFORMED, HF_RULE_RESERVED);
    return good;
}

static struct hf_verdict check_hold(const struct hf_op_hold *hold)
{
    if (hf_id_is_reserved(hold->payer))
        return bad(HF_CODE_BAD_ID, HF_RULE_PAYER);
    if (hf_id_is_reserved(hold->payee))
        return bad(HF_CODE_BAD_ID, HF_RULE_PAYEE);
    if (!is_amount(hold->amount))
        return bad(HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT);
    if (hold->asset == 0)
        return bad(HF_CODE_MALFORMED, HF_RULE_ASSET);
    if (hold->reserved != 0)
        return bad(HF_CODE_MALFORMED, HF_RULE_RESERVED);
    return good;
}

/* An amount that the mode does not want is found at the mode: until then it may be one. */
static struct hf_verdict check_adjust(const struct hf_op_adjust *adjust)
{
    if (hf_id_is_reserved(adjust->hold))
        return bad(HF_CODE_BAD_ID, HF_RULE_HOLD);
    if (adjust->amount > HF_AMOUNT_MAX)
        return bad(HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT);
    if (adjust->mode > HF_ADJUST_SET)
        return bad(HF_CODE_MALFORMED, HF_RULE_STATUS);
    if ((adjust->mode == HF_ADJUST_KEEP) != (adjust->amount == 0))
        return bad(HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT);
    if (adjust->mode == HF_ADJUST_KEEP && adjust->expires_ns == 0)
        return bad(HF_CODE_MALFORMED, HF_RULE_EXPIRY);
    if (!is_zero(adjust->reserved, sizeof(adjust->reserved)))
        return bad(HF_CODE_MALFORMED, HF_RULE_RESERVED);
    return good;
}

static struct hf_verdict check_capture(const struct hf_op_capture *capture)
{
    if (hf_id_is_reserved(capture->hold))
        return bad(HF_CODE_BAD_ID, HF_RULE_HOLD);
    if (!is_amount(capture->amount) && capture->amount != HF_AMOUNT_ALL)
        return bad(HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT);
    if (capture->final > 1)
        return bad(HF_CODE_MALFORMED, HF_RULE_STATUS);
    if (!is_zero(capture->reserved, sizeof(capture->reserved)))
        return bad(HF_CODE_MALFORMED, HF_RULE_RESERVED);
    if (capture->header.length > HF_CAPTURE_SHORT && is_all_ones(capture->payee))
        return bad(HF_CODE_BAD_ID, HF_RULE_PAYEE);
    return good;
}

static struct hf_verdict check_release(const struct hf_op_release *release)
{
    if (hf_id_is_reserved(release->hold))
        return bad(HF_CODE_BAD_ID, HF_RULE_HOLD);
    if (!is_amount(release->amount) && release->amount != HF_AMOUNT_ALL)
        return bad(HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT);
    return good;
}

static struct hf_verdict check_attest(const struct hf_op_attest *attest)
{
    if (hf_id_is_reserved(attest->hold))
        return bad(HF_CODE_BAD_ID, HF_RULE_HOLD);
    if (attest->condition < 1 || attest->condition > HF_CONDITIONS_MAX)
        return bad(HF_CODE_MALFORMED, HF_RULE_CONDITION);
    if (attest->proof_length > HF_PROOF_MAX)
        return bad(HF_CODE_MALFORMED, HF_RULE_CONDITION);
    if (!is_zero(attest->reserved, sizeof(attest->reserved)))
        return bad(HF_CODE_MALFORMED, HF_RULE_RESERVED);
    if (!is_zero(attest->proof + attest->proof_length, HF_PROOF_MAX - attest->proof_length))
        return bad(HF_CODE_MALFORMED, HF_RULE_RESERVED);
    return good;
}

static struct hf_verdict check_class_put(const struct hf_op_class_put *put)
{
    if (put->class_number == 0 || put->class_number >= HF_CLASSES)
        return bad(HF_CODE_MALFORMED, HF_RULE_CLASS);
    if (!is_zero(put->reserved, sizeof(put->reserved)))
        return bad(HF_CODE_MALFORMED, HF_RULE_RESERVED);
    return good;
}

static struct hf_verdict check_instrument_put(const struct hf_op_instrument_put *put)
{
    if (hf_id_is_reserved(put->token))
        return bad(HF_CODE_BAD_ID, HF_RULE_INSTRUMENT);
    if (hf_id_is_reserved(put->account))
        return bad(HF_CODE_BAD_ID, HF_RULE_ACCOUNT);
    if (put->status > HF_INSTRUMENT_CLOSED)
        return bad(HF_CODE_MALFORMED, HF_RULE_STATUS);
    if ((put->flags & ~HF_INSTRUMENT_FIRST_USE) != 0)
        return bad(HF_CODE_MALFORMED, HF_RULE_STATUS);
    if (!is_zero(put->reserved, sizeof(put->reserved)))
        return bad(HF_CODE_MALFORMED, HF_RULE_RESERVED);
    return good;
}

static bool is_limit_window(const struct hf_op_limit_put *put)
{
    if (put->mode != HF_LIMIT_SET)
        return put->window == 0;
    return put->window >= HF_LIMIT_OPERATION && put->window <= HF_LIMIT_LIFETIME;
}

static bool is_limit_length(const struct hf_op_limit_put *put)
{
    if (put->mode != HF_LIMIT_SET || put->window != HF_LIMIT_ROLLING)
        return put->length_ns == 0;
    return put->length_ns >= HF_LIMIT_BUCKETS && put->length_ns <= HF_LIMIT_LENGTH_NS_MAX;
}

static bool is_limit_zone(const struct hf_op_limit_put *put)
{
    if (put->window < HF_LIMIT_DAY || put->window > HF_LIMIT_MONTH)
        return put->zone_minutes == 0;
    return put->zone_minutes >= -HF_LIMIT_ZONE_MAX && put->zone_minutes <= HF_LIMIT_ZONE_MAX;
}

static bool is_limit_start(const struct hf_op_limit_put *put)
{
    if (put->window == HF_LIMIT_WEEK)
        return put->start >= 1 && put->start <= 7;
    if (put->window == HF_LIMIT_MONTH)
        return put->start >= 1 && put->start <= 28;
    return put->start == 0;
}

/* Scope, window and mode say what the fields before them may be. Between those all refusals are
 * the same, so that their order does not show. */
static struct hf_verdict check_limit_put(const struct hf_op_limit_put *put)
{
    static const struct hf_filter empty;
    bool is_set = put->mode == HF_LIMIT_SET;

    if (hf_id_is_reserved(put->scope_id))
        return bad(HF_CODE_BAD_ID,
                   put->scope == HF_LIMIT_INSTRUMENT ? HF_RULE_INSTRUMENT : HF_RULE_ACCOUNT);
    if (put->scope != HF_LIMIT_INSTRUMENT && put->scope != HF_LIMIT_ACCOUNT)
        return bad(HF_CODE_MALFORMED, HF_RULE_LIMIT);
    if (put->number == 0 || put->mode > HF_LIMIT_RESET)
        return bad(HF_CODE_MALFORMED, HF_RULE_LIMIT);
    if (!is_limit_window(put) || !is_limit_length(put) || !is_limit_zone(put) ||
        !is_limit_start(put))
        return bad(HF_CODE_MALFORMED, HF_RULE_LIMIT);
    if (put->mode == HF_LIMIT_RESET && (put->max_amount | put->max_count) != 0)
        return bad(HF_CODE_MALFORMED, HF_RULE_LIMIT);
    if (put->reserved != 0)
        return bad(HF_CODE_MALFORMED, HF_RULE_RESERVED);
    if (!is_set && memcmp(&put->filter, &empty, sizeof(empty)) != 0)
        return bad(HF_CODE_MALFORMED, HF_RULE_LIMIT);
    if (put->filter.reserved != 0)
        return bad(HF_CODE_MALFORMED, HF_RULE_RESERVED);
    return good;
}

static struct hf_verdict check_auth(const struct hf_op_auth *auth)
{
    if (hf_id_is_reserved(auth->token))
        return bad(HF_CODE_BAD_ID, HF_RULE_INSTRUMENT);
    if (hf_id_is_reserved(auth->payee))
        return bad(HF_CODE_BAD_ID, HF_RULE_PAYEE);
    if (auth->amount > HF_AMOUNT_MAX)
        return bad(HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT);
    if (auth->minimum > auth->amount)
        return bad(HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT);
    if (auth->billing_amount != 0)
        return bad(HF_CODE_UNSUPPORTED, HF_RULE_AMOUNT);
    if (auth->asset == 0)
        return bad(HF_CODE_MALFORMED, HF_RULE_ASSET);
    if (auth->billing_asset != 0)
        return bad(HF_CODE_UNSUPPORTED, HF_RULE_ASSET);
    if (auth->class_number >= HF_CLASSES)
        return bad(HF_CODE_MALFORMED, HF_RULE_CLASS);
    if (!is_zero(auth->reserved, sizeof(auth->reserved)))
        return bad(HF_CODE_MALFORMED, HF_RULE_RESERVED);
    if (auth->tolerance > HF_TOLERANCE_MAX)
        return bad(HF_CODE_MALFORMED, HF_RULE_HOLD);
    return good;
}

/* Of subjects that come in pages, how far the cursor can go. */
static uint32_t last_cursor(uint8_t subject)
{
    switch (subject) {
    case HF_QUERY_ACCOUNT_HOLDS:
        return UINT32_MAX;
    case HF_QUERY_INSTRUMENT_LIMITS:
    case HF_QUERY_ACCOUNT_LIMITS:
        return UINT8_MAX;
    default:
        return 0;
    }
}

static struct hf_verdict check_query(const struct hf_op_query *query)
{
    if (hf_id_is_reserved(query->subject_id))
        return bad(HF_CODE_BAD_ID, HF_RULE_SUBJECT);
    if (query->subject < HF_QUERY_ACCOUNT || query->subject > HF_QUERY_ACCOUNT_LIMITS)
        return bad(HF_CODE_MALFORMED, HF_RULE_SUBJECT);
    if (!is_zero(query->reserved, sizeof(query->reserved)))
        return bad(HF_CODE_MALFORMED, HF_RULE_RESERVED);
    if (query->cursor > last_cursor(query->subject))
        return bad(HF_CODE_MALFORMED, HF_RULE_SUBJECT);
    return good;
}

/* ---- lists ---- */

/* What stands before the list says how long the whole is. */
static struct hf_verdict check_length(const struct hf_op_header *header, size_t explained)
{
    return header->length == explained ? good : bad(HF_CODE_MALFORMED, HF_RULE_LENGTH);
}

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

static struct hf_verdict check_move_plan(const struct hf_op_move_plan *move)
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

static struct hf_verdict check_hold_plan(const struct hf_op_hold_plan *hold)
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

static struct hf_verdict check_expire(const struct hf_op_expire *expire)
{
    size_t length = sizeof(*expire) + expire->count * sizeof(*expire->expiries);

    if (expire->count < 1 || expire->count > HF_EXPIRIES_MAX)
        return bad(HF_CODE_MALFORMED, HF_RULE_EXPIRY);
    if (!is_zero(expire->reserved, sizeof(expire->reserved)))
        return bad(HF_CODE_MALFORMED, HF_RULE_RESERVED);
    if (expire->header.length != length)
        return bad(HF_CODE_MALFORMED, HF_RULE_LENGTH);
    for (uint32_t i = 0; i < expire->count; i++) {
        const struct hf_op_expiry *expiry = &expire->expiries[i];
        if (hf_id_is_reserved(expiry->id))
            return bad_entry(HF_CODE_BAD_ID, HF_RULE_EXPIRY, i);
        if (expiry->kind != HF_EXPIRY_HOLD && expiry->kind != HF_EXPIRY_ACCOUNT)
            return bad_entry(HF_CODE_MALFORMED, HF_RULE_EXPIRY, i);
        if (!is_zero(expiry->reserved, sizeof(expiry->reserved)))
            return bad_entry(HF_CODE_MALFORMED, HF_RULE_RESERVED, i);
    }
    return good;
}

/* ---- chains, and what is common to all ---- */

static struct hf_verdict check_body(const union hf_operation *operation);

/* Steps 1.1 and 1.2. */
static struct hf_verdict check_type(const struct hf_op_header *header, size_t available)
{
    if (available < sizeof(*header))
        return bad(HF_CODE_MALFORMED, HF_RULE_LENGTH);
    if (header->length % 8 != 0 || header->length < sizeof(*header) || header->length > available)
        return bad(HF_CODE_MALFORMED, HF_RULE_LENGTH);
    if (header->type > HF_OP_TYPE_MAX || types[header->type].name == NULL)
        return bad(HF_CODE_UNKNOWN_TYPE, HF_RULE_TYPE);
    if (types[header->type].length == 0)
        return bad(HF_CODE_UNSUPPORTED, HF_RULE_TYPE);
    return good;
}

static bool length_fits_type(const struct hf_op_header *header)
{
    const struct type_entry *type = &types[header->type];

    if (type->longer == LISTED)
        return header->length >= type->length && header->length <= HF_OPERATION_LENGTH_MAX;
    return header->length == type->length || (type->longer != 0 && header->length == type->longer);
}

/* Steps 1.3 to 1.5. */
static struct hf_verdict check_header(const struct hf_op_header *header, uint8_t flags_allowed)
{
    if (!length_fits_type(header))
        return bad(HF_CODE_MALFORMED, HF_RULE_LENGTH);
    if ((header->flags & ~flags_allowed) != 0)
        return bad(HF_CODE_UNSUPPORTED, HF_RULE_FLAGS);
    if (hf_id_is_reserved(header->id))
        return bad(HF_CODE_BAD_ID, HF_RULE_ID);
    return good;
}

/* One operation of a chain; `before` are the ids that it may not have. */
static struct hf_verdict check_inner(const union hf_operation *inner, size_t available,
                                     const struct hf_id before[], uint32_t before_count)
{
    const struct hf_op_header *header = &inner->header;
    struct hf_verdict verdict = check_type(header, available);

    if (verdict.code != HF_CODE_OK)
        return verdict;
    if (header->type == HF_OP_CHAIN)
        return bad(HF_CODE_NESTED_CHAIN, HF_RULE_CHAIN);
    if (header->type == HF_OP_QUERY || header->type == HF_OP_EXPIRE)
        return bad(HF_CODE_UNSUPPORTED, HF_RULE_TYPE);
    verdict = check_header(header, 0);
    if (verdict.code != HF_CODE_OK)
        return verdict;
    if (header->origin != 0 || header->deadline_ns != 0)
        return bad(HF_CODE_MALFORMED, HF_RULE_CHAIN);
    for (uint32_t i = 0; i < before_count; i++) {
        if (hf_id_equal(header->id, before[i]))
            return bad(HF_CODE_BAD_ID, HF_RULE_CHAIN);
    }
    return check_body(inner);
}

static struct hf_verdict check_chain(const struct hf_op_chain *chain)
{
    struct hf_id ids[HF_CHAIN_OPERATIONS_MAX + 1];
    size_t left = chain->header.length - sizeof(*chain);
    const uint8_t *next = chain->operations;

    if (chain->count < 1 || chain->count > HF_CHAIN_OPERATIONS_MAX)
        return bad(HF_CODE_MALFORMED, HF_RULE_CHAIN);
    if (!is_zero(chain->reserved, sizeof(chain->reserved)))
        return bad(HF_CODE_MALFORMED, HF_RULE_RESERVED);
    ids[0] = chain->header.id;
    for (uint32_t i = 0; i < chain->count; i++) {
        const union hf_operation *inner = (const union hf_operation *)(const void *)next;
        struct hf_verdict verdict = check_inner(inner, left, ids, i + 1);
        if (verdict.code != HF_CODE_OK)
            return bad_entry(verdict.code, verdict.rule, i);
        ids[i + 1] = inner->header.id;
        next += inner->header.length;
        left -= inner->header.length;
    }
    return left == 0 ? good : bad(HF_CODE_MALFORMED, HF_RULE_LENGTH);
}

static struct hf_verdict check_body(const union hf_operation *operation)
{
    switch (operation->header.type) {
    case HF_OP_ACCOUNT_PUT:
        return check_account_put(&operation->account_put);
    case HF_OP_ACCOUNT_CLOSE:
        return check_account_close(&operation->account_close);
    case HF_OP_MOVE:
        return check_move(&operation->move);
    case HF_OP_CHAIN:
        return check_chain(&operation->chain);
    case HF_OP_HOLD:
        return check_hold(&operation->hold);
    case HF_OP_ADJUST:
        return check_adjust(&operation->adjust);
    case HF_OP_CAPTURE:
        return check_capture(&operation->capture);
    case HF_OP_RELEASE:
        return check_release(&operation->release);
    case HF_OP_ATTEST:
        return check_attest(&operation->attest);
    case HF_OP_INSTRUMENT_PUT:
        return check_instrument_put(&operation->instrument_put);
    case HF_OP_LIMIT_PUT:
        return check_limit_put(&operation->limit_put);
    case HF_OP_AUTH:
        return check_auth(&operation->auth);
    case HF_OP_QUERY:
        return check_query(&operation->query);
    case HF_OP_ASSET_PUT:
        return check_asset_put(&operation->asset_put);
    case HF_OP_MOVE_PLAN:
        return check_move_plan(&operation->move_plan);
    case HF_OP_HOLD_PLAN:
        return check_hold_plan(&operation->hold_plan);
    case HF_OP_EXPIRE:
        return check_expire(&operation->expire);
    case HF_OP_CLASS_PUT:
        return check_class_put(&operation->class_put);
    default:
        assert(false && "a type with a length has a body");
        return bad(HF_CODE_UNKNOWN_TYPE, HF_RULE_TYPE);
    }
}

struct hf_verdict hf_operation_check(const union hf_operation *operation, size_t available)
{
    assert(operation != NULL);
    const struct hf_op_header *header = &operation->header;
    uint8_t flags = FLAGS_KNOWN;
    struct hf_verdict verdict = check_type(header, available);

    if (verdict.code != HF_CODE_OK)
        return verdict;
    /* Neither takes part in the order of the client's choice: there is nothing to try. */
    if (header->type == HF_OP_QUERY || header->type == HF_OP_EXPIRE)
        flags = HF_OP_RETURN_BALANCES;
    verdict = check_header(header, flags);
    return verdict.code != HF_CODE_OK ? verdict : check_body(operation);
}
