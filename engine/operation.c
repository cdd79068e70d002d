/* The shape of operations: all that can be told from the bytes alone.
 *
 * Each type has one function that looks at its fields from the first to the last, so that of
 * several bad fields the first in the layout decides (OPERATIONS.md, step 1.6). */
#include "operation.h"

#include <assert.h>
#include <stdbool.h>

struct type_entry {
    const char *name;
    uint16_t length; /* 0: the type has a name but no body in this version */
};

static const struct type_entry types[HF_OP_TYPE_MAX + 1] = {
    [HF_OP_ACCOUNT_PUT] = {"ACCOUNT_PUT", sizeof(struct hf_op_account_put)},
    [HF_OP_ACCOUNT_CLOSE] = {"ACCOUNT_CLOSE", 0},
    [HF_OP_MOVE] = {"MOVE", sizeof(struct hf_op_move)},
    [HF_OP_CHAIN] = {"CHAIN", 0},
    [HF_OP_HOLD] = {"HOLD", sizeof(struct hf_op_hold)},
    [HF_OP_ADJUST] = {"ADJUST", 0},
    [HF_OP_CAPTURE] = {"CAPTURE", sizeof(struct hf_op_capture)},
    [HF_OP_RELEASE] = {"RELEASE", sizeof(struct hf_op_release)},
    [HF_OP_ATTEST] = {"ATTEST", 0},
    [HF_OP_INSTRUMENT_PUT] = {"INSTRUMENT_PUT", sizeof(struct hf_op_instrument_put)},
    [HF_OP_LIMIT_PUT] = {"LIMIT_PUT", 0},
    [HF_OP_AUTH] = {"AUTH", sizeof(struct hf_op_auth)},
    [HF_OP_REVERSE] = {"REVERSE", 0},
    [HF_OP_CLEAR] = {"CLEAR", 0},
    [HF_OP_CLAIM] = {"CLAIM", 0},
    [HF_OP_RULE_PUT] = {"RULE_PUT", 0},
    [HF_OP_QUOTE_PUT] = {"QUOTE_PUT", 0},
    [HF_OP_REDEEM] = {"REDEEM", 0},
    [HF_OP_WINDOW_CLOSE] = {"WINDOW_CLOSE", 0},
    [HF_OP_QUERY] = {"QUERY", sizeof(struct hf_op_query)},
    [HF_OP_ASSET_PUT] = {"ASSET_PUT", sizeof(struct hf_op_asset_put)},
};

#define FLAGS_KNOWN (HF_OP_DRY_RUN | HF_OP_RETURN_BALANCES)

static const struct hf_verdict good = {HF_CODE_OK, HF_RULE_NONE};

static struct hf_verdict bad(uint16_t code, uint8_t rule)
{
    assert(code != HF_CODE_OK);
    assert(rule != HF_RULE_NONE);
    return (struct hf_verdict){code, rule};
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

static struct hf_verdict check_account_put(const struct hf_op_account_put *put)
{
    if (hf_id_is_reserved(put->account))
        return bad(HF_CODE_BAD_ID, HF_RULE_ACCOUNT);
    if (put->asset == 0)
        return bad(HF_CODE_MALFORMED, HF_RULE_ASSET);
    if (put->status != HF_ACCOUNT_OPEN && put->status != HF_ACCOUNT_FROZEN)
        return bad(HF_CODE_MALFORMED, HF_RULE_STATUS);
    if (!is_zero(put->reserved, sizeof(put->reserved)))
        return bad(HF_CODE_MALFORMED, HF_RULE_RESERVED);
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
    if (hold->expires_ns != 0)
        return bad(HF_CODE_UNSUPPORTED, HF_RULE_EXPIRY);
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

static struct hf_verdict check_auth(const struct hf_op_auth *auth)
{
    if (hf_id_is_reserved(auth->token))
        return bad(HF_CODE_BAD_ID, HF_RULE_INSTRUMENT);
    if (hf_id_is_reserved(auth->payee))
        return bad(HF_CODE_BAD_ID, HF_RULE_PAYEE);
    if (auth->amount > HF_AMOUNT_MAX)
        return bad(HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT);
    if (auth->minimum != 0)
        return bad(HF_CODE_UNSUPPORTED, HF_RULE_AMOUNT);
    if (auth->billing_amount != 0)
        return bad(HF_CODE_UNSUPPORTED, HF_RULE_AMOUNT);
    if (auth->asset == 0)
        return bad(HF_CODE_MALFORMED, HF_RULE_ASSET);
    if (auth->billing_asset != 0)
        return bad(HF_CODE_UNSUPPORTED, HF_RULE_ASSET);
    if (!is_zero(auth->reserved, sizeof(auth->reserved)))
        return bad(HF_CODE_MALFORMED, HF_RULE_RESERVED);
    return good;
}

static struct hf_verdict check_query(const struct hf_op_query *query)
{
    if (hf_id_is_reserved(query->subject_id))
        return bad(HF_CODE_BAD_ID, HF_RULE_SUBJECT);
    if (query->subject < HF_QUERY_ACCOUNT || query->subject > HF_QUERY_HOLD)
        return bad(HF_CODE_MALFORMED, HF_RULE_SUBJECT);
    if (!is_zero(query->reserved, sizeof(query->reserved)))
        return bad(HF_CODE_MALFORMED, HF_RULE_RESERVED);
    return good;
}

static struct hf_verdict check_body(const union hf_operation *operation)
{
    switch (operation->header.type) {
    case HF_OP_ASSET_PUT:
        return check_asset_put(&operation->asset_put);
    case HF_OP_ACCOUNT_PUT:
        return check_account_put(&operation->account_put);
    case HF_OP_MOVE:
        return check_move(&operation->move);
    case HF_OP_HOLD:
        return check_hold(&operation->hold);
    case HF_OP_CAPTURE:
        return check_capture(&operation->capture);
    case HF_OP_RELEASE:
        return check_release(&operation->release);
    case HF_OP_INSTRUMENT_PUT:
        return check_instrument_put(&operation->instrument_put);
    case HF_OP_AUTH:
        return check_auth(&operation->auth);
    case HF_OP_QUERY:
        return check_query(&operation->query);
    default:
        assert(false && "a type with a length has a body");
        return bad(HF_CODE_UNKNOWN_TYPE, HF_RULE_TYPE);
    }
}

struct hf_verdict hf_operation_check(const union hf_operation *operation, size_t available)
{
    assert(operation != NULL);
    if (available < sizeof(struct hf_op_header))
        return bad(HF_CODE_MALFORMED, HF_RULE_LENGTH);

    const struct hf_op_header *header = &operation->header;
    if (header->length % 8 != 0 || header->length < sizeof(*header) || header->length > available)
        return bad(HF_CODE_MALFORMED, HF_RULE_LENGTH);
    if (header->type > HF_OP_TYPE_MAX || types[header->type].name == NULL)
        return bad(HF_CODE_UNKNOWN_TYPE, HF_RULE_TYPE);
    if (types[header->type].length == 0)
        return bad(HF_CODE_UNSUPPORTED, HF_RULE_TYPE);
    if (header->length != types[header->type].length)
        return bad(HF_CODE_MALFORMED, HF_RULE_LENGTH);
    if ((header->flags & ~FLAGS_KNOWN) != 0)
        return bad(HF_CODE_UNSUPPORTED, HF_RULE_FLAGS);
    if (header->type == HF_OP_QUERY && (header->flags & HF_OP_DRY_RUN) != 0)
        return bad(HF_CODE_UNSUPPORTED, HF_RULE_FLAGS);
    if (hf_id_is_reserved(header->id))
        return bad(HF_CODE_BAD_ID, HF_RULE_ID);
    return check_body(operation);
}
