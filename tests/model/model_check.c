/* What can be told from an operation's bytes alone, field after field as the layout lists them. */
#include "model.h"

#include <string.h>

#define VERDICT(code_name, rule_name) \
    ((struct hf_verdict){.code = HF_CODE_##code_name, .rule = HF_RULE_##rule_name})
#define REFUSE_IF(condition, code_name, rule_name) \
    do {                                           \
        if (condition)                             \
            return VERDICT(code_name, rule_name);  \
    } while (0)

static bool is_reserved(struct hf_id id)
{
    if (id.hi == 0)
        return id.lo == 0;
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

static struct hf_verdict check_account_put(const struct hf_op_account_put *put)
{
    REFUSE_IF(is_reserved(put->account), BAD_ID, ACCOUNT);
    REFUSE_IF(put->asset == 0, MALFORMED, ASSET);
    REFUSE_IF(put->status != HF_ACCOUNT_OPEN && put->status != HF_ACCOUNT_FROZEN, MALFORMED,
              STATUS);
    REFUSE_IF(any_set(put->reserved, sizeof(put->reserved)), MALFORMED, RESERVED);
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
    REFUSE_IF(hold->expires_ns != 0, UNSUPPORTED, EXPIRY);
    return VERDICT(OK, NONE);
}

static struct hf_verdict check_capture(const struct hf_op_capture *capture)
{
    REFUSE_IF(is_reserved(capture->hold), BAD_ID, HOLD);
    REFUSE_IF(!is_amount(capture->amount) && capture->amount != UINT64_MAX, BAD_AMOUNT, AMOUNT);
    REFUSE_IF(capture->final > 1, MALFORMED, STATUS);
    REFUSE_IF(any_set(capture->reserved, sizeof(capture->reserved)), MALFORMED, RESERVED);
    return VERDICT(OK, NONE);
}

static struct hf_verdict check_release(const struct hf_op_release *release)
{
    REFUSE_IF(is_reserved(release->hold), BAD_ID, HOLD);
    REFUSE_IF(!is_amount(release->amount) && release->amount != UINT64_MAX, BAD_AMOUNT, AMOUNT);
    return VERDICT(OK, NONE);
}

static struct hf_verdict check_instrument_put(const struct hf_op_instrument_put *put)
{
    REFUSE_IF(is_reserved(put->token), BAD_ID, INSTRUMENT);
    REFUSE_IF(is_reserved(put->account), BAD_ID, ACCOUNT);
    REFUSE_IF(put->status > HF_INSTRUMENT_CLOSED, MALFORMED, STATUS);
    REFUSE_IF((put->flags & ~HF_INSTRUMENT_FIRST_USE) != 0, MALFORMED, STATUS);
    REFUSE_IF(any_set(put->reserved, sizeof(put->reserved)), MALFORMED, RESERVED);
    return VERDICT(OK, NONE);
}

static struct hf_verdict check_auth(const struct hf_op_auth *auth)
{
    REFUSE_IF(is_reserved(auth->token), BAD_ID, INSTRUMENT);
    REFUSE_IF(is_reserved(auth->payee), BAD_ID, PAYEE);
    REFUSE_IF(auth->amount > (uint64_t)INT64_MAX, BAD_AMOUNT, AMOUNT);
    REFUSE_IF(auth->minimum != 0, UNSUPPORTED, AMOUNT);
    REFUSE_IF(auth->billing_amount != 0, UNSUPPORTED, AMOUNT);
    REFUSE_IF(auth->asset == 0, MALFORMED, ASSET);
    REFUSE_IF(auth->billing_asset != 0, UNSUPPORTED, ASSET);
    REFUSE_IF(any_set(auth->reserved, sizeof(auth->reserved)), MALFORMED, RESERVED);
    return VERDICT(OK, NONE);
}

static struct hf_verdict check_query(const struct hf_op_query *query)
{
    REFUSE_IF(is_reserved(query->subject_id), BAD_ID, SUBJECT);
    REFUSE_IF(query->subject < HF_QUERY_ACCOUNT || query->subject > HF_QUERY_HOLD, MALFORMED,
              SUBJECT);
    REFUSE_IF(any_set(query->reserved, sizeof(query->reserved)), MALFORMED, RESERVED);
    return VERDICT(OK, NONE);
}

static size_t length_of(uint8_t type)
{
    switch (type) {
    case HF_OP_ASSET_PUT:
        return sizeof(struct hf_op_asset_put);
    case HF_OP_ACCOUNT_PUT:
        return sizeof(struct hf_op_account_put);
    case HF_OP_MOVE:
        return sizeof(struct hf_op_move);
    case HF_OP_HOLD:
        return sizeof(struct hf_op_hold);
    case HF_OP_CAPTURE:
        return sizeof(struct hf_op_capture);
    case HF_OP_RELEASE:
        return sizeof(struct hf_op_release);
    case HF_OP_INSTRUMENT_PUT:
        return sizeof(struct hf_op_instrument_put);
    case HF_OP_AUTH:
        return sizeof(struct hf_op_auth);
    case HF_OP_QUERY:
        return sizeof(struct hf_op_query);
    default:
        return 0;
    }
}

struct hf_verdict model_check(const union hf_operation *operation, size_t available)
{
    const struct hf_op_header *header = &operation->header;
    const uint8_t known_flags = HF_OP_DRY_RUN | HF_OP_RETURN_BALANCES;

    REFUSE_IF(available < 32, MALFORMED, LENGTH);
    REFUSE_IF(header->length % 8 != 0, MALFORMED, LENGTH);
    REFUSE_IF(header->length < 32, MALFORMED, LENGTH);
    REFUSE_IF(header->length > available, MALFORMED, LENGTH);
    REFUSE_IF(header->type == 0 || header->type > HF_OP_TYPE_MAX, UNKNOWN_TYPE, TYPE);
    REFUSE_IF(length_of(header->type) == 0, UNSUPPORTED, TYPE);
    REFUSE_IF(header->length != length_of(header->type), MALFORMED, LENGTH);
    REFUSE_IF((header->flags & ~known_flags) != 0, UNSUPPORTED, FLAGS);
    REFUSE_IF(header->type == HF_OP_QUERY && (header->flags & HF_OP_DRY_RUN) != 0, UNSUPPORTED,
              FLAGS);
    REFUSE_IF(is_reserved(header->id), BAD_ID, ID);

    switch (header->type) {
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
    default:
        return check_query(&operation->query);
    }
}
