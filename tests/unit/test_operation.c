/* The shape of operations, as a truth table: every field of every type, at its limits and one
 * beyond. */
#include "fixture.h"

#define FIELD(type, member) offsetof(struct type, member), sizeof(((struct type *)0)->member)
#define ALL_ONES            UINT64_MAX

/* One change to a good operation, and what the check says then. An id (16 bytes) is set to `value`
 * in both halves, any other field to its low bytes. */
struct row {
    uint8_t type;
    size_t offset;
    size_t size;
    uint64_t value;
    uint16_t code;
    uint8_t rule;
};

#define OK_ROW HF_CODE_OK, HF_RULE_NONE

/* In each type: from the first field to the last. */
static const struct row rows[] = {
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, asset), 0, HF_CODE_MALFORMED, HF_RULE_ASSET},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, asset), 1, OK_ROW},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, asset), 65535, OK_ROW},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, scale), 0, OK_ROW},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, scale), 18, OK_ROW},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, scale), 19, HF_CODE_MALFORMED, HF_RULE_ASSET},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, reserved[0]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, reserved[4]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, code[0]), 0, HF_CODE_MALFORMED, HF_RULE_ASSET},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, code[0]), 'A' - 1, HF_CODE_MALFORMED, HF_RULE_ASSET},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, code[0]), 'Z' + 1, HF_CODE_MALFORMED, HF_RULE_ASSET},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, code[0]), '0' - 1, HF_CODE_MALFORMED, HF_RULE_ASSET},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, code[0]), '9' + 1, HF_CODE_MALFORMED, HF_RULE_ASSET},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, code[0]), 'u', HF_CODE_MALFORMED, HF_RULE_ASSET},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, code[0]), 'Z', OK_ROW},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, code[1]), '0', OK_ROW},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, code[1]), '9', OK_ROW},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, code[1]), 0, HF_CODE_MALFORMED, HF_RULE_ASSET},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, code[7]), 'A', HF_CODE_MALFORMED, HF_RULE_ASSET},

    {HF_OP_ACCOUNT_PUT, FIELD(hf_op_account_put, account), 0, HF_CODE_BAD_ID, HF_RULE_ACCOUNT},
    {HF_OP_ACCOUNT_PUT, FIELD(hf_op_account_put, account), ALL_ONES, HF_CODE_BAD_ID,
     HF_RULE_ACCOUNT},
    {HF_OP_ACCOUNT_PUT, FIELD(hf_op_account_put, account), 1, OK_ROW},
    {HF_OP_ACCOUNT_PUT, FIELD(hf_op_account_put, floor), UINT64_C(1) << 63, OK_ROW},
    {HF_OP_ACCOUNT_PUT, FIELD(hf_op_account_put, floor), INT64_MAX, OK_ROW},
    {HF_OP_ACCOUNT_PUT, FIELD(hf_op_account_put, asset), 0, HF_CODE_MALFORMED, HF_RULE_ASSET},
    {HF_OP_ACCOUNT_PUT, FIELD(hf_op_account_put, status), 1, OK_ROW},
    {HF_OP_ACCOUNT_PUT, FIELD(hf_op_account_put, status), 2, HF_CODE_MALFORMED, HF_RULE_STATUS},
    {HF_OP_ACCOUNT_PUT, FIELD(hf_op_account_put, status), 255, HF_CODE_MALFORMED, HF_RULE_STATUS},
    {HF_OP_ACCOUNT_PUT, FIELD(hf_op_account_put, reserved[0]), 1, HF_CODE_MALFORMED,
     HF_RULE_RESERVED},
    {HF_OP_ACCOUNT_PUT, FIELD(hf_op_account_put, reserved[4]), 128, HF_CODE_MALFORMED,
     HF_RULE_RESERVED},

    {HF_OP_MOVE, FIELD(hf_op_move, payer), 0, HF_CODE_BAD_ID, HF_RULE_PAYER},
    {HF_OP_MOVE, FIELD(hf_op_move, payer), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_PAYER},
    {HF_OP_MOVE, FIELD(hf_op_move, payee), 0, HF_CODE_BAD_ID, HF_RULE_PAYEE},
    {HF_OP_MOVE, FIELD(hf_op_move, payee), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_PAYEE},
    {HF_OP_MOVE, FIELD(hf_op_move, amount), 0, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT},
    {HF_OP_MOVE, FIELD(hf_op_move, amount), 1, OK_ROW},
    {HF_OP_MOVE, FIELD(hf_op_move, amount), HF_AMOUNT_MAX, OK_ROW},
    {HF_OP_MOVE, FIELD(hf_op_move, amount), HF_AMOUNT_MAX + 1, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT},
    {HF_OP_MOVE, FIELD(hf_op_move, amount), HF_AMOUNT_ALL, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT},
    {HF_OP_MOVE, FIELD(hf_op_move, asset), 0, HF_CODE_MALFORMED, HF_RULE_ASSET},
    {HF_OP_MOVE, FIELD(hf_op_move, reserved), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED},
    {HF_OP_MOVE, FIELD(hf_op_move, reserved), 256, HF_CODE_MALFORMED, HF_RULE_RESERVED},
    {HF_OP_MOVE, FIELD(hf_op_move, reference), ALL_ONES, OK_ROW},

    {HF_OP_HOLD, FIELD(hf_op_hold, payer), 0, HF_CODE_BAD_ID, HF_RULE_PAYER},
    {HF_OP_HOLD, FIELD(hf_op_hold, payer), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_PAYER},
    {HF_OP_HOLD, FIELD(hf_op_hold, payee), 0, HF_CODE_BAD_ID, HF_RULE_PAYEE},
    {HF_OP_HOLD, FIELD(hf_op_hold, payee), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_PAYEE},
    {HF_OP_HOLD, FIELD(hf_op_hold, amount), 0, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT},
    {HF_OP_HOLD, FIELD(hf_op_hold, amount), HF_AMOUNT_MAX, OK_ROW},
    {HF_OP_HOLD, FIELD(hf_op_hold, amount), HF_AMOUNT_MAX + 1, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT},
    {HF_OP_HOLD, FIELD(hf_op_hold, amount), HF_AMOUNT_ALL, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT},
    {HF_OP_HOLD, FIELD(hf_op_hold, asset), 0, HF_CODE_MALFORMED, HF_RULE_ASSET},
    {HF_OP_HOLD, FIELD(hf_op_hold, reserved), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED},
    {HF_OP_HOLD, FIELD(hf_op_hold, reference), ALL_ONES, OK_ROW},
    {HF_OP_HOLD, FIELD(hf_op_hold, expires_ns), 1, HF_CODE_UNSUPPORTED, HF_RULE_EXPIRY},
    {HF_OP_HOLD, FIELD(hf_op_hold, expires_ns), ALL_ONES, HF_CODE_UNSUPPORTED, HF_RULE_EXPIRY},

    {HF_OP_CAPTURE, FIELD(hf_op_capture, hold), 0, HF_CODE_BAD_ID, HF_RULE_HOLD},
    {HF_OP_CAPTURE, FIELD(hf_op_capture, hold), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_HOLD},
    {HF_OP_CAPTURE, FIELD(hf_op_capture, amount), 0, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT},
    {HF_OP_CAPTURE, FIELD(hf_op_capture, amount), HF_AMOUNT_MAX, OK_ROW},
    {HF_OP_CAPTURE, FIELD(hf_op_capture, amount), HF_AMOUNT_MAX + 1, HF_CODE_BAD_AMOUNT,
     HF_RULE_AMOUNT},
    {HF_OP_CAPTURE, FIELD(hf_op_capture, amount), HF_AMOUNT_ALL - 1, HF_CODE_BAD_AMOUNT,
     HF_RULE_AMOUNT},
    {HF_OP_CAPTURE, FIELD(hf_op_capture, amount), HF_AMOUNT_ALL, OK_ROW},
    {HF_OP_CAPTURE, FIELD(hf_op_capture, final), 1, OK_ROW},
    {HF_OP_CAPTURE, FIELD(hf_op_capture, final), 2, HF_CODE_MALFORMED, HF_RULE_STATUS},
    {HF_OP_CAPTURE, FIELD(hf_op_capture, reserved[0]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED},
    {HF_OP_CAPTURE, FIELD(hf_op_capture, reserved[6]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED},

    {HF_OP_RELEASE, FIELD(hf_op_release, hold), 0, HF_CODE_BAD_ID, HF_RULE_HOLD},
    {HF_OP_RELEASE, FIELD(hf_op_release, hold), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_HOLD},
    {HF_OP_RELEASE, FIELD(hf_op_release, amount), 0, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT},
    {HF_OP_RELEASE, FIELD(hf_op_release, amount), HF_AMOUNT_MAX + 1, HF_CODE_BAD_AMOUNT,
     HF_RULE_AMOUNT},
    {HF_OP_RELEASE, FIELD(hf_op_release, amount), HF_AMOUNT_ALL, OK_ROW},

    {HF_OP_INSTRUMENT_PUT, FIELD(hf_op_instrument_put, token), 0, HF_CODE_BAD_ID,
     HF_RULE_INSTRUMENT},
    {HF_OP_INSTRUMENT_PUT, FIELD(hf_op_instrument_put, token), ALL_ONES, HF_CODE_BAD_ID,
     HF_RULE_INSTRUMENT},
    {HF_OP_INSTRUMENT_PUT, FIELD(hf_op_instrument_put, account), 0, HF_CODE_BAD_ID,
     HF_RULE_ACCOUNT},
    {HF_OP_INSTRUMENT_PUT, FIELD(hf_op_instrument_put, account), ALL_ONES, HF_CODE_BAD_ID,
     HF_RULE_ACCOUNT},
    {HF_OP_INSTRUMENT_PUT, FIELD(hf_op_instrument_put, expires_ns), ALL_ONES, OK_ROW},
    {HF_OP_INSTRUMENT_PUT, FIELD(hf_op_instrument_put, amount_limit), 0, OK_ROW},
    {HF_OP_INSTRUMENT_PUT, FIELD(hf_op_instrument_put, amount_limit), ALL_ONES, OK_ROW},
    {HF_OP_INSTRUMENT_PUT, FIELD(hf_op_instrument_put, remaining), 0, OK_ROW},
    {HF_OP_INSTRUMENT_PUT, FIELD(hf_op_instrument_put, remaining), ALL_ONES, OK_ROW},
    {HF_OP_INSTRUMENT_PUT, FIELD(hf_op_instrument_put, status), 3, OK_ROW},
    {HF_OP_INSTRUMENT_PUT, FIELD(hf_op_instrument_put, status), 4, HF_CODE_MALFORMED,
     HF_RULE_STATUS},
    {HF_OP_INSTRUMENT_PUT, FIELD(hf_op_instrument_put, flags), 1, OK_ROW},
    {HF_OP_INSTRUMENT_PUT, FIELD(hf_op_instrument_put, flags), 2, HF_CODE_MALFORMED,
     HF_RULE_STATUS},
    {HF_OP_INSTRUMENT_PUT, FIELD(hf_op_instrument_put, flags), 129, HF_CODE_MALFORMED,
     HF_RULE_STATUS},
    {HF_OP_INSTRUMENT_PUT, FIELD(hf_op_instrument_put, reserved[0]), 1, HF_CODE_MALFORMED,
     HF_RULE_RESERVED},
    {HF_OP_INSTRUMENT_PUT, FIELD(hf_op_instrument_put, reserved[5]), 1, HF_CODE_MALFORMED,
     HF_RULE_RESERVED},

    {HF_OP_AUTH, FIELD(hf_op_auth, token), 0, HF_CODE_BAD_ID, HF_RULE_INSTRUMENT},
    {HF_OP_AUTH, FIELD(hf_op_auth, token), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_INSTRUMENT},
    {HF_OP_AUTH, FIELD(hf_op_auth, payee), 0, HF_CODE_BAD_ID, HF_RULE_PAYEE},
    {HF_OP_AUTH, FIELD(hf_op_auth, payee), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_PAYEE},
    {HF_OP_AUTH, FIELD(hf_op_auth, amount), 0, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, amount), HF_AMOUNT_MAX, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, amount), HF_AMOUNT_MAX + 1, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT},
    {HF_OP_AUTH, FIELD(hf_op_auth, minimum), 1, HF_CODE_UNSUPPORTED, HF_RULE_AMOUNT},
    {HF_OP_AUTH, FIELD(hf_op_auth, billing_amount), 1, HF_CODE_UNSUPPORTED, HF_RULE_AMOUNT},
    {HF_OP_AUTH, FIELD(hf_op_auth, acquirer), ALL_ONES, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, forwarder), ALL_ONES, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, terminal[7]), 255, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, merchant[15]), 255, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, network_id[15]), 255, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, rrn[11]), 255, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, stan), ALL_ONES, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, transmitted), ALL_ONES, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, local_time), ALL_ONES, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, asset), 0, HF_CODE_MALFORMED, HF_RULE_ASSET},
    {HF_OP_AUTH, FIELD(hf_op_auth, billing_asset), 1, HF_CODE_UNSUPPORTED, HF_RULE_ASSET},
    {HF_OP_AUTH, FIELD(hf_op_auth, card_expiry), ALL_ONES, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, mcc), ALL_ONES, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, country), ALL_ONES, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, entry_mode), ALL_ONES, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, conditions), ALL_ONES, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, region), ALL_ONES, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, transaction_type), 255, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, channel), 255, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, reserved[0]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED},
    {HF_OP_AUTH, FIELD(hf_op_auth, reserved[5]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED},

    {HF_OP_QUERY, FIELD(hf_op_query, subject_id), 0, HF_CODE_BAD_ID, HF_RULE_SUBJECT},
    {HF_OP_QUERY, FIELD(hf_op_query, subject_id), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_SUBJECT},
    {HF_OP_QUERY, FIELD(hf_op_query, subject), 0, HF_CODE_MALFORMED, HF_RULE_SUBJECT},
    {HF_OP_QUERY, FIELD(hf_op_query, subject), 1, OK_ROW},
    {HF_OP_QUERY, FIELD(hf_op_query, subject), 4, OK_ROW},
    {HF_OP_QUERY, FIELD(hf_op_query, subject), 5, HF_CODE_MALFORMED, HF_RULE_SUBJECT},
    {HF_OP_QUERY, FIELD(hf_op_query, reserved[0]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED},
    {HF_OP_QUERY, FIELD(hf_op_query, reserved[6]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED},
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static const uint8_t body_types[] = {
    HF_OP_ASSET_PUT, HF_OP_ACCOUNT_PUT,    HF_OP_MOVE, HF_OP_HOLD,  HF_OP_CAPTURE,
    HF_OP_RELEASE,   HF_OP_INSTRUMENT_PUT, HF_OP_AUTH, HF_OP_QUERY,
};
#define BODY_TYPE_COUNT (sizeof(body_types) / sizeof(body_types[0]))

static union hf_operation good_operation(uint8_t type)
{
    struct fixture f = {.now_ns = START_NS};
    union hf_operation op = {.bytes = {0}};

    switch (type) {
    case HF_OP_ASSET_PUT:
        return make_asset(&f, USD, "USD");
    case HF_OP_ACCOUNT_PUT:
        return make_account(&f, 1, 0);
    case HF_OP_MOVE:
        return make_move(&f, 1, 2, 3);
    case HF_OP_HOLD:
        return make_hold(&f, 1, 2, 3);
    case HF_OP_CAPTURE:
        return make_capture(&f, account_id(9), 3, false);
    case HF_OP_RELEASE:
        return make_release(&f, account_id(9), 3);
    case HF_OP_INSTRUMENT_PUT:
        return make_instrument(&f, 5, 1);
    case HF_OP_AUTH:
        return make_auth(&f, 5, 2, 3);
    default:
        assert_int_equal(type, HF_OP_QUERY);
        op.query.header = header_of(&f, HF_OP_QUERY);
        op.query.subject_id = account_id(1);
        op.query.subject = HF_QUERY_ACCOUNT;
        return op;
    }
}

static void change(union hf_operation *op, const struct row *row)
{
    for (size_t i = 0; i < row->size; i += sizeof(row->value)) {
        size_t part = row->size - i < sizeof(row->value) ? row->size - i : sizeof(row->value);
        memcpy(op->bytes + row->offset + i, &row->value, part);
    }
}

#define assert_verdict(op, available, expected_code, expected_rule)                    \
    do {                                                                               \
        struct hf_verdict verdict_ = hf_operation_check((op), (available));            \
        assert_string_equal(hf_code_name(verdict_.code), hf_code_name(expected_code)); \
        assert_string_equal(hf_rule_name(verdict_.rule), hf_rule_name(expected_rule)); \
    } while (0)

static void test_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        union hf_operation op = good_operation(rows[i].type);
        assert_verdict(&op, sizeof(op), HF_CODE_OK, HF_RULE_NONE);
        change(&op, &rows[i]);
        struct hf_verdict verdict = hf_operation_check(&op, sizeof(op));
        if (verdict.code != rows[i].code || verdict.rule != rows[i].rule) {
            fail_msg("row %zu, %s at %zu = %llu: %s/%s", i, hf_operation_name(rows[i].type),
                     rows[i].offset, (unsigned long long)rows[i].value, hf_code_name(verdict.code),
                     hf_rule_name(verdict.rule));
        }
    }
}

/* Of any two bad fields the first in the layout decides. */
static void test_first_bad_field_decides(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        for (size_t j = i + 1; j < ROW_COUNT; j++) {
            if (rows[i].type != rows[j].type || rows[i].offset == rows[j].offset ||
                rows[i].code == HF_CODE_OK || rows[j].code == HF_CODE_OK)
                continue;
            assert_true(rows[i].offset < rows[j].offset);
            union hf_operation op = good_operation(rows[i].type);
            change(&op, &rows[i]);
            change(&op, &rows[j]);
            assert_verdict(&op, sizeof(op), rows[i].code, rows[i].rule);
        }
    }
}

/* Every byte of the body that is not named free below matters: some value of it is refused, or it
 * is part of an id, where only the whole counts. */
static bool is_free_byte(uint8_t type, size_t at)
{
    switch (type) {
    case HF_OP_ACCOUNT_PUT:
        return at >= offsetof(struct hf_op_account_put, floor) &&
               at < offsetof(struct hf_op_account_put, asset);
    case HF_OP_MOVE:
        return at >= offsetof(struct hf_op_move, reference);
    case HF_OP_HOLD:
        return at >= offsetof(struct hf_op_hold, reference) &&
               at < offsetof(struct hf_op_hold, expires_ns);
    case HF_OP_INSTRUMENT_PUT:
        return at >= offsetof(struct hf_op_instrument_put, expires_ns) &&
               at < offsetof(struct hf_op_instrument_put, status);
    case HF_OP_AUTH:
        return (at >= offsetof(struct hf_op_auth, acquirer) &&
                at < offsetof(struct hf_op_auth, asset)) ||
               (at >= offsetof(struct hf_op_auth, card_expiry) &&
                at < offsetof(struct hf_op_auth, reserved));
    default:
        return false;
    }
}

/* Ids, amounts and assets are judged as a whole: their single bytes may have any value. */
static bool is_part_of_a_whole(uint8_t type, size_t at)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (rows[i].type == type && at >= rows[i].offset && at < rows[i].offset + rows[i].size &&
            rows[i].size > 1 && rows[i].code != HF_CODE_OK)
            return true;
    }
    return false;
}

static void test_no_byte_is_forgotten(void **state)
{
    (void)state;
    for (size_t t = 0; t < BODY_TYPE_COUNT; t++) {
        uint8_t type = body_types[t];
        for (size_t at = sizeof(struct hf_op_header); at < hf_operation_length(type); at++) {
            bool is_refused = false;
            for (uint32_t value = 0; value < 256; value++) {
                union hf_operation op = good_operation(type);
                op.bytes[at] = (uint8_t)value;
                is_refused |= hf_operation_check(&op, sizeof(op)).code != HF_CODE_OK;
            }
            if (is_free_byte(type, at))
                assert_false(is_refused);
            else if (!is_part_of_a_whole(type, at))
                assert_true(is_refused);
        }
    }
}

static void test_lengths(void **state)
{
    (void)state;
    for (size_t t = 0; t < BODY_TYPE_COUNT; t++) {
        uint16_t right = hf_operation_length(body_types[t]);
        assert_true(right >= HF_OPERATION_LENGTH_MIN);
        assert_true(right <= HF_OPERATION_LENGTH_MAX);
        for (uint32_t length = 0; length <= 300; length++) {
            union hf_operation op = good_operation(body_types[t]);
            op.header.length = (uint16_t)length;
            bool is_right = length == right;
            assert_verdict(&op, sizeof(op), is_right ? HF_CODE_OK : HF_CODE_MALFORMED,
                           is_right ? HF_RULE_NONE : HF_RULE_LENGTH);
        }
    }
}

/* Whatever part of the bytes is there: nothing beyond it is read (the sanitizers watch). */
static void test_bytes_at_hand(void **state)
{
    (void)state;
    for (size_t t = 0; t < BODY_TYPE_COUNT; t++) {
        union hf_operation op = good_operation(body_types[t]);
        for (size_t available = 0; available <= op.header.length; available++) {
            uint8_t *bytes = malloc(available + 1);
            assert_non_null(bytes);
            uint8_t *part = available == 0 ? bytes : realloc(bytes, available);
            assert_non_null(part);
            memcpy(part, &op, available);
            bool is_whole = available == op.header.length;
            assert_verdict((const union hf_operation *)(void *)part, available,
                           is_whole ? HF_CODE_OK : HF_CODE_MALFORMED,
                           is_whole ? HF_RULE_NONE : HF_RULE_LENGTH);
            free(part);
        }
    }
}

static void test_types(void **state)
{
    static const uint8_t bodiless[] = {
        HF_OP_ACCOUNT_CLOSE, HF_OP_CHAIN,     HF_OP_ADJUST, HF_OP_ATTEST,
        HF_OP_LIMIT_PUT,     HF_OP_REVERSE,   HF_OP_CLEAR,  HF_OP_CLAIM,
        HF_OP_RULE_PUT,      HF_OP_QUOTE_PUT, HF_OP_REDEEM, HF_OP_WINDOW_CLOSE,
    };

    (void)state;
    for (uint32_t type = 0; type < 256; type++) {
        union hf_operation op = good_operation(HF_OP_MOVE);
        op.header.type = (uint8_t)type;
        if (memchr(bodiless, (int)type, sizeof(bodiless)) != NULL) {
            assert_verdict(&op, sizeof(op), HF_CODE_UNSUPPORTED, HF_RULE_TYPE);
            assert_int_equal(hf_operation_length((uint8_t)type), 0);
            assert_string_not_equal(hf_operation_name((uint8_t)type), "UNKNOWN");
        } else if (type == 0 || type > 21) {
            assert_verdict(&op, sizeof(op), HF_CODE_UNKNOWN_TYPE, HF_RULE_TYPE);
            assert_int_equal(hf_operation_length((uint8_t)type), 0);
            assert_string_equal(hf_operation_name((uint8_t)type), "UNKNOWN");
        } else if (type != HF_OP_MOVE) {
            assert_verdict(&op, sizeof(op), HF_CODE_MALFORMED, HF_RULE_LENGTH);
        }
    }
    assert_string_equal(hf_operation_name(HF_OP_MOVE), "MOVE");
    assert_string_equal(hf_operation_name(HF_OP_INSTRUMENT_PUT), "INSTRUMENT_PUT");
}

static void test_flags_and_id(void **state)
{
    (void)state;
    for (size_t t = 0; t < BODY_TYPE_COUNT; t++) {
        uint8_t type = body_types[t];
        for (uint32_t flags = 0; flags < 256; flags++) {
            union hf_operation op = good_operation(type);
            op.header.flags = (uint8_t)flags;
            bool is_good = (flags & ~6u) == 0 && !(type == HF_OP_QUERY && (flags & 2) != 0);
            assert_verdict(&op, sizeof(op), is_good ? HF_CODE_OK : HF_CODE_UNSUPPORTED,
                           is_good ? HF_RULE_NONE : HF_RULE_FLAGS);
        }
        union hf_operation op = good_operation(type);
        op.header.origin = UINT32_MAX; /* the node's business, and so is the deadline */
        op.header.deadline_ns = UINT64_MAX;
        assert_verdict(&op, sizeof(op), HF_CODE_OK, HF_RULE_NONE);
        op.header.id = (struct hf_id){0, 0};
        assert_verdict(&op, sizeof(op), HF_CODE_BAD_ID, HF_RULE_ID);
        op.header.id = (struct hf_id){UINT64_MAX, UINT64_MAX};
        assert_verdict(&op, sizeof(op), HF_CODE_BAD_ID, HF_RULE_ID);
        op.header.id = (struct hf_id){UINT64_MAX, 0};
        assert_verdict(&op, sizeof(op), HF_CODE_OK, HF_RULE_NONE);
    }
}

/* Steps 1.1 to 1.6: spoil all of them, then mend one after the other. */
static void test_order_of_steps(void **state)
{
    union hf_operation op = good_operation(HF_OP_MOVE);

    (void)state;
    op.header = (struct hf_op_header){.length = 81, .type = 99, .flags = 0xff};
    op.move.payer = (struct hf_id){0, 0};
    assert_verdict(&op, sizeof(op), HF_CODE_MALFORMED, HF_RULE_LENGTH);
    op.header.length = 88;
    assert_verdict(&op, sizeof(op), HF_CODE_UNKNOWN_TYPE, HF_RULE_TYPE);
    op.header.type = HF_OP_CHAIN;
    assert_verdict(&op, sizeof(op), HF_CODE_UNSUPPORTED, HF_RULE_TYPE);
    op.header.type = HF_OP_MOVE;
    assert_verdict(&op, sizeof(op), HF_CODE_MALFORMED, HF_RULE_LENGTH);
    op.header.length = 80;
    assert_verdict(&op, sizeof(op), HF_CODE_UNSUPPORTED, HF_RULE_FLAGS);
    op.header.flags = 0;
    assert_verdict(&op, sizeof(op), HF_CODE_BAD_ID, HF_RULE_ID);
    op.header.id = (struct hf_id){1, 1};
    assert_verdict(&op, sizeof(op), HF_CODE_BAD_ID, HF_RULE_PAYER);
    op.move.payer = account_id(1);
    assert_verdict(&op, sizeof(op), HF_CODE_OK, HF_RULE_NONE);
}

static void test_whole_asset_code(void **state)
{
    union hf_operation op = good_operation(HF_OP_ASSET_PUT);

    (void)state;
    memcpy(op.asset_put.code, "A1B2C3D4", 8);
    assert_verdict(&op, sizeof(op), HF_CODE_OK, HF_RULE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_first_bad_field_decides),
        cmocka_unit_test(test_no_byte_is_forgotten),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_bytes_at_hand),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_flags_and_id),
        cmocka_unit_test(test_order_of_steps),
        cmocka_unit_test(test_whole_asset_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
