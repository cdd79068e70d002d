/* The shape of operations: all that can be told from the bytes alone.
 *
 * Each type has one function that looks at its fields from the first to the last, so that of
 * several bad fields the first in the layout decides (OPERATIONS.md, step 1.6). Plans are in
 * shape_plan.c. */
#include "shape.h"

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
    [HF_OP_INSTRUMENT_PUT] = {"INSTRUMENT_PUT", sizeof(struct hf_op_instrument_put), LISTED},
    [HF_OP_LIMIT_PUT] = {"LIMIT_PUT", sizeof(struct hf_op_limit_put), 0},
    [HF_OP_AUTH] = {"AUTH", sizeof(struct hf_op_auth), 0},
    [HF_OP_REVERSE] = {"REVERSE", sizeof(struct hf_op_reverse), 0},
    [HF_OP_CLEAR] = {"CLEAR", sizeof(struct hf_op_clear), 0},
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
    [HF_OP_INCREMENT] = {"INCREMENT", sizeof(struct hf_op_increment), 0},
};

#define FLAGS_KNOWN (HF_OP_DRY_RUN | HF_OP_RETURN_BALANCES)

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

/* The parts that have entries, as bits of enum hf_filter_part. */
static uint32_t used_parts(const struct hf_filter *filter)
{
    uint32_t parts = 0;

    for (uint32_t i = 0; i < HF_FILTER_MCCS_MAX; i++)
        parts |= filter->mccs[i] != 0 ? HF_FILTER_BY_MCC : 0u;
    for (uint32_t i = 0; i < HF_FILTER_COUNTRIES_MAX; i++)
        parts |= filter->countries[i] != 0 ? HF_FILTER_BY_COUNTRY : 0u;
    parts |= filter->channels != 0 ? HF_FILTER_BY_CHANNEL : 0u;
    parts |= is_zero(filter->merchant, sizeof(filter->merchant)) ? 0u : HF_FILTER_BY_MERCHANT;
    return parts;
}

#define FILTER_PARTS_KNOWN \
    (HF_FILTER_BY_MCC | HF_FILTER_BY_COUNTRY | HF_FILTER_BY_CHANNEL | HF_FILTER_BY_MERCHANT)

/* A part without entries lets everything pass: not what somebody wants who says that he filters by
 * it. */
static struct hf_verdict check_filter(const struct hf_filter *filter)
{
    if ((filter->parts & ~(uint32_t)FILTER_PARTS_KNOWN) != 0)
        return bad(HF_CODE_MALFORMED, HF_RULE_RESERVED);
    if ((filter->parts & ~used_parts(filter)) != 0)
        return bad(HF_CODE_MALFORMED, HF_RULE_FILTER);
    return good;
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
    return check_filter(&put->filter);
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
    return check_filter(&put->filter);
}

/* What has been decided elsewhere is neither partial nor nothing: found at the flags. */
static struct hf_verdict check_auth(const struct hf_op_auth *auth)
{
    bool is_forced = (auth->auth_flags & HF_AUTH_FORCED) != 0;

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
    if ((auth->auth_flags & ~(HF_AUTH_FORCED | HF_AUTH_ESTIMATED)) != 0)
        return bad(HF_CODE_MALFORMED, HF_RULE_STATUS);
    if (is_forced && (auth->minimum != 0 || auth->amount == 0))
        return bad(HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT);
    if (!is_zero(auth->reserved, sizeof(auth->reserved)))
        return bad(HF_CODE_MALFORMED, HF_RULE_RESERVED);
    if (auth->tolerance > HF_TOLERANCE_MAX)
        return bad(HF_CODE_MALFORMED, HF_RULE_HOLD);
    return good;
}

/* The authorisation that an operation is about: no operation is about itself. */
static bool is_original(const struct hf_op_header *header, struct hf_id original)
{
    return !hf_id_is_reserved(original) && !hf_id_equal(original, header->id);
}

static struct hf_verdict check_increment(const struct hf_op_increment *increment)
{
    if (!is_original(&increment->header, increment->original))
        return bad(HF_CODE_BAD_ID, HF_RULE_ORIGINAL);
    if (!is_amount(increment->amount))
        return bad(HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT);
    if (increment->asset == 0)
        return bad(HF_CODE_MALFORMED, HF_RULE_ASSET);
    if (increment->class_number >= HF_CLASSES)
        return bad(HF_CODE_MALFORMED, HF_RULE_CLASS);
    if (!is_zero(increment->reserved, sizeof(increment->reserved)))
        return bad(HF_CODE_MALFORMED, HF_RULE_RESERVED);
    return good;
}

static struct hf_verdict check_reverse(const struct hf_op_reverse *reverse)
{
    if (!is_original(&reverse->header, reverse->original))
        return bad(HF_CODE_BAD_ID, HF_RULE_ORIGINAL);
    if (!is_amount(reverse->amount) && reverse->amount != HF_AMOUNT_ALL)
        return bad(HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT);
    if (reverse->asset == 0)
        return bad(HF_CODE_MALFORMED, HF_RULE_ASSET);
    if (reverse->captured > 1)
        return bad(HF_CODE_MALFORMED, HF_RULE_STATUS);
    if (!is_zero(reverse->reserved, sizeof(reverse->reserved)))
        return bad(HF_CODE_MALFORMED, HF_RULE_RESERVED);
    return good;
}

/* That there is no original is judged at the flags: only there does it show whether it may be. */
static struct hf_verdict check_clear(const struct hf_op_clear *clear)
{
    bool has_original = (clear->original.lo | clear->original.hi) != 0;

    if (has_original && !is_original(&clear->header, clear->original))
        return bad(HF_CODE_BAD_ID, HF_RULE_ORIGINAL);
    if (is_all_ones(clear->token))
        return bad(HF_CODE_BAD_ID, HF_RULE_INSTRUMENT);
    if (is_all_ones(clear->payee))
        return bad(HF_CODE_BAD_ID, HF_RULE_PAYEE);
    if (!is_amount(clear->amount))
        return bad(HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT);
    if (clear->asset == 0)
        return bad(HF_CODE_MALFORMED, HF_RULE_ASSET);
    if ((clear->clear_flags & ~(HF_CLEAR_FINAL | HF_CLEAR_FORCED)) != 0)
        return bad(HF_CODE_MALFORMED, HF_RULE_STATUS);
    if (!has_original && (clear->clear_flags & HF_CLEAR_FORCED) == 0)
        return bad(HF_CODE_BAD_ID, HF_RULE_ORIGINAL);
    if (!is_zero(clear->reserved, sizeof(clear->reserved)))
        return bad(HF_CODE_MALFORMED, HF_RULE_RESERVED);
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
    case HF_QUERY_INSTRUMENT_AUTHORISATIONS:
        return HF_AUTHORISATIONS_SKIP_MAX;
    default:
        return 0;
    }
}

static struct hf_verdict check_query(const struct hf_op_query *query)
{
    if (hf_id_is_reserved(query->subject_id))
        return bad(HF_CODE_BAD_ID, HF_RULE_SUBJECT);
    if (query->subject < HF_QUERY_ACCOUNT || query->subject > HF_QUERY_INSTRUMENT_AUTHORISATIONS)
        return bad(HF_CODE_MALFORMED, HF_RULE_SUBJECT);
    if (!is_zero(query->reserved, sizeof(query->reserved)))
        return bad(HF_CODE_MALFORMED, HF_RULE_RESERVED);
    if (query->cursor > last_cursor(query->subject))
        return bad(HF_CODE_MALFORMED, HF_RULE_SUBJECT);
    return good;
}

/* ---- lists ---- */

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

static struct hf_verdict check_further(const struct hf_op_instrument_put *put, uint32_t index)
{
    struct hf_id account = put->further[index];

    if (hf_id_is_reserved(account))
        return bad_entry(HF_CODE_BAD_ID, HF_RULE_ACCOUNT, index);
    if (hf_id_equal(account, put->account))
        return bad_entry(HF_CODE_SAME_ACCOUNT, HF_RULE_ACCOUNT, index);
    for (uint32_t i = 0; i < index; i++) {
        if (hf_id_equal(account, put->further[i]))
            return bad_entry(HF_CODE_SAME_ACCOUNT, HF_RULE_ACCOUNT, index);
    }
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
    if (put->further_count > HF_INSTRUMENT_FURTHER_MAX)
        return bad(HF_CODE_MALFORMED, HF_RULE_INSTRUMENT);
    if (!is_zero(put->reserved, sizeof(put->reserved)))
        return bad(HF_CODE_MALFORMED, HF_RULE_RESERVED);

    struct hf_verdict verdict =
        check_length(&put->header, sizeof(*put) + put->further_count * sizeof(*put->further));
    for (uint32_t i = 0; verdict.code == HF_CODE_OK && i < put->further_count; i++)
        verdict = check_further(put, i);
    return verdict;
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
    case HF_OP_INCREMENT:
        return check_increment(&operation->increment);
    case HF_OP_REVERSE:
        return check_reverse(&operation->reverse);
    case HF_OP_CLEAR:
        return check_clear(&operation->clear);
    case HF_OP_QUERY:
        return check_query(&operation->query);
    case HF_OP_ASSET_PUT:
        return check_asset_put(&operation->asset_put);
    case HF_OP_MOVE_PLAN:
        return hf_shape_check_move_plan(&operation->move_plan);
    case HF_OP_HOLD_PLAN:
        return hf_shape_check_hold_plan(&operation->hold_plan);
    case HF_OP_EXPIRE:
        return check_expire(&operation->expire);
    case HF_OP_CLASS_PUT:
        return check_class_put(&operation->class_put);
    default:
        assert(false && "a type with a length has a body");
        return bad(HF_CODE_UNKNOWN_TYPE, HF_RULE_TYPE);
    }
}

/* Steps 1.1 to 1.6; `flags_more` are known besides. */
static struct hf_verdict check(const union hf_operation *operation, size_t available,
                               uint8_t flags_more)
{
    assert(operation != NULL);
    const struct hf_op_header *header = &operation->header;
    uint8_t flags = (uint8_t)(FLAGS_KNOWN | flags_more);
    struct hf_verdict verdict = check_type(header, available);

    if (verdict.code != HF_CODE_OK)
        return verdict;
    /* Neither takes part in the order of the client's choice: there is nothing to try. */
    if (header->type == HF_OP_QUERY || header->type == HF_OP_EXPIRE)
        flags = HF_OP_RETURN_BALANCES;
    verdict = check_header(header, flags);
    return verdict.code != HF_CODE_OK ? verdict : check_body(operation);
}

struct hf_verdict hf_operation_check(const union hf_operation *operation, size_t available)
{
    return check(operation, available, 0);
}

struct hf_verdict hf_operation_check_logged(const union hf_operation *operation, size_t available)
{
    return check(operation, available, HF_OP_FORBIDDEN);
}
