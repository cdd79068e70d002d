/* The shape of operations: a truth table of all fields, and what concerns more than one of them. */
#include "operation_rows.h"

static const uint8_t body_types[] = {
    HF_OP_ASSET_PUT, HF_OP_ACCOUNT_PUT, LONG_ACCOUNT_PUT,     HF_OP_ACCOUNT_CLOSE, HF_OP_MOVE,
    HF_OP_HOLD,      HF_OP_CAPTURE,     LONG_CAPTURE,         HF_OP_RELEASE,       HF_OP_ADJUST,
    HF_OP_ATTEST,    HF_OP_CLASS_PUT,   HF_OP_INSTRUMENT_PUT, HF_OP_AUTH,          HF_OP_QUERY,
    HF_OP_MOVE_PLAN, HF_OP_HOLD_PLAN,   HF_OP_EXPIRE,         HF_OP_CHAIN,         HF_OP_LIMIT_PUT,
    HF_OP_INCREMENT, HF_OP_REVERSE,     HF_OP_CLEAR,          LONG_INSTRUMENT,
};
#define BODY_TYPE_COUNT (sizeof(body_types) / sizeof(body_types[0]))

static void change(union any *any, const struct row *row)
{
    for (size_t i = 0; i < row->size; i += sizeof(row->value)) {
        size_t part = row->size - i < sizeof(row->value) ? row->size - i : sizeof(row->value);
        memcpy(any->bytes + row->offset + i, &row->value, part);
    }
}

static bool is_verdict_of(const struct row *row, struct hf_verdict verdict)
{
    return verdict.code == row->code && verdict.rule == row->rule && verdict.entry == row->entry;
}

static void test_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        union any *any = good_operation(rows[i].type);
        assert_entry(any, HF_CODE_OK, HF_RULE_NONE, 0);
        change(any, &rows[i]);
        struct hf_verdict verdict = hf_operation_check(&any->op, sizeof(*any));
        if (!is_verdict_of(&rows[i], verdict)) {
            fail_msg("row %zu, %s at %zu = %llu: %s/%s:%u", i,
                     hf_operation_name((uint8_t)(rows[i].type & ~LONG)), rows[i].offset,
                     (unsigned long long)rows[i].value, hf_code_name(verdict.code),
                     hf_rule_name(verdict.rule), verdict.entry);
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
            union any *any = good_operation(rows[i].type);
            change(any, &rows[i]);
            change(any, &rows[j]);
            struct hf_verdict verdict = hf_operation_check(&any->op, sizeof(*any));
            if (!is_verdict_of(&rows[i], verdict))
                fail_msg("rows %zu and %zu: %s/%s:%u", i, j, hf_code_name(verdict.code),
                         hf_rule_name(verdict.rule), verdict.entry);
        }
    }
}

#define IS_WITHIN(at, type, first, end) \
    ((at) >= offsetof(struct type, first) && (at) < offsetof(struct type, end))

/* Every byte of the body that is not named free below matters: some value of it is refused, or it
 * is part of an id, where only the whole counts. */
static bool is_free_byte(uint8_t type, size_t at)
{
    switch (type) {
    case HF_OP_ACCOUNT_PUT:
        return IS_WITHIN(at, hf_op_account_put, floor, asset);
    case LONG_ACCOUNT_PUT:
        return IS_WITHIN(at, hf_op_account_put, floor, asset) ||
               IS_WITHIN(at, hf_op_account_put, ceiling, parent) ||
               IS_WITHIN(at, hf_op_account_put, filter, filter.parts) ||
               at >= offsetof(struct hf_op_account_put, filter.merchant);
    case HF_OP_MOVE:
        return at >= offsetof(struct hf_op_move, reference);
    case HF_OP_HOLD:
        return at >= offsetof(struct hf_op_hold, reference);
    case HF_OP_ADJUST:
        return IS_WITHIN(at, hf_op_adjust, expires_ns, mode);
    case HF_OP_ATTEST:
        return IS_WITHIN(at, hf_op_attest, code, proof) ||
               IS_WITHIN(at, hf_op_attest, proof, proof[5]);
    case HF_OP_CLASS_PUT:
        return at >= offsetof(struct hf_op_class_put, lifetime_ns);
    case HF_OP_MOVE_PLAN:
    case HF_OP_HOLD_PLAN:
        return IS_WITHIN(at, hf_op_move_plan, plan.mcc, plan.channel) ||
               IS_WITHIN(at, hf_op_hold_plan, plan.reference, terms.tolerance);
    case HF_OP_INCREMENT:
        return IS_WITHIN(at, hf_op_increment, acquirer, asset);
    case HF_OP_REVERSE:
        return IS_WITHIN(at, hf_op_reverse, acquirer, asset);
    case HF_OP_CLEAR:
        return IS_WITHIN(at, hf_op_clear, acquirer, asset) ||
               IS_WITHIN(at, hf_op_clear, mcc, clear_flags) ||
               IS_WITHIN(at, hf_op_clear, reference, reserved);
    case HF_OP_INSTRUMENT_PUT:
    case LONG_INSTRUMENT:
        return IS_WITHIN(at, hf_op_instrument_put, expires_ns, status);
    case HF_OP_AUTH:
        return IS_WITHIN(at, hf_op_auth, acquirer, asset) ||
               IS_WITHIN(at, hf_op_auth, card_expiry, class_number);
    case HF_OP_LIMIT_PUT:
        return IS_WITHIN(at, hf_op_limit_put, max_amount, length_ns) ||
               IS_WITHIN(at, hf_op_limit_put, filter, filter.parts) ||
               at >= offsetof(struct hf_op_limit_put, filter.merchant);
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
        size_t end = type == HF_OP_CHAIN ? sizeof(struct hf_op_chain) /* its parts are of others */
                                         : good_operation(type)->op.header.length;
        for (size_t at = sizeof(struct hf_op_header); at < end; at++) {
            /* The first entry of a MOVE_PLAN begins where a HOLD_PLAN's terms do. */
            bool is_entry = type == HF_OP_MOVE_PLAN && at >= sizeof(struct hf_op_move_plan);
            bool is_refused = false;
            for (uint32_t value = 0; value < 256; value++) {
                union any *any = good_operation(type);
                any->bytes[at] = (uint8_t)value;
                is_refused |= hf_operation_check(&any->op, sizeof(*any)).code != HF_CODE_OK;
            }
            if (!is_entry && is_free_byte(type, at)) {
                assert_false(is_refused);
            } else if (!is_refused && !is_part_of_a_whole(type, at)) {
                fail_msg("%s, byte %zu", hf_operation_name((uint8_t)(type & ~LONG)), at);
            }
        }
    }
}

static bool is_other_length(uint8_t type, uint32_t length)
{
    return (type == HF_OP_ACCOUNT_PUT && length == 160) ||
           (type == LONG_ACCOUNT_PUT && length == 64) || (type == HF_OP_CAPTURE && length == 80) ||
           (type == LONG_CAPTURE && length == 64);
}

static void test_lengths(void **state)
{
    (void)state;
    for (size_t t = 0; t < BODY_TYPE_COUNT; t++) {
        uint8_t type = body_types[t];
        uint16_t right = good_operation(type)->op.header.length;
        assert_true(right >= HF_OPERATION_LENGTH_MIN);
        assert_true(right <= HF_OPERATION_LENGTH_MAX);
        assert_true(right >= hf_operation_length((uint8_t)(type & ~LONG)));
        for (uint32_t length = 0; length <= 400; length++) {
            union any *any = good_operation(type);
            any->op.header.length = (uint16_t)length;
            bool is_right = length == right || is_other_length(type, length);
            assert_verdict(&any->op, sizeof(*any), is_right ? HF_CODE_OK : HF_CODE_MALFORMED,
                           is_right ? HF_RULE_NONE : HF_RULE_LENGTH);
        }
        assert_verdict(&good_operation(type)->op, right - 1u, HF_CODE_MALFORMED, HF_RULE_LENGTH);
    }
}

/* Whatever part of the bytes is there: nothing beyond it is read (the sanitizers watch). */
static void test_bytes_at_hand(void **state)
{
    (void)state;
    for (size_t t = 0; t < BODY_TYPE_COUNT; t++) {
        const union hf_operation *op = &good_operation(body_types[t])->op;
        for (size_t available = 0; available <= op->header.length; available++) {
            uint8_t *bytes = malloc(available + 1);
            assert_non_null(bytes);
            uint8_t *part = available == 0 ? bytes : realloc(bytes, available);
            assert_non_null(part);
            memcpy(part, op, available);
            bool is_whole = available == op->header.length;
            assert_verdict((const union hf_operation *)(void *)part, available,
                           is_whole ? HF_CODE_OK : HF_CODE_MALFORMED,
                           is_whole ? HF_RULE_NONE : HF_RULE_LENGTH);
            free(part);
        }
    }
}

/* Random damage to lists and chains, with every byte behind the operation out of bounds: the
 * sanitizers watch, and counts that lie lead nowhere. */
static void test_damaged_lists(void **state)
{
    static const uint8_t listed[] = {HF_OP_MOVE_PLAN, HF_OP_HOLD_PLAN, HF_OP_EXPIRE, HF_OP_CHAIN,
                                     LONG_INSTRUMENT};
    uint64_t seed = UINT64_C(20261122);
    uint32_t good = 0;

    (void)state;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (uint32_t round = 0; round < 40000; round++) {
        union any *any = good_operation(listed[round % 5]);
        size_t length = any->op.header.length;
        for (uint32_t i = 0; i <= round % 3; i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
            size_t at = (size_t)(seed >> 33) % length;
            any->bytes[at] = (uint8_t)(seed >> 25);
        }
        uint8_t *part = malloc(length);
        assert_non_null(part);
        memcpy(part, any, length);
        struct hf_verdict verdict =
            hf_operation_check((const union hf_operation *)(void *)part, length);
        good += verdict.code == HF_CODE_OK;
        assert_true(verdict.entry <= HF_PLAN_CANDIDATES_MAX + HF_PLAN_DESTINATIONS_MAX);
        assert_true((verdict.code == HF_CODE_OK) == (verdict.rule == HF_RULE_NONE));
        free(part);
    }
    assert_in_range(good, 1, 39999);
}

static void test_types(void **state)
{
    static const uint8_t bodiless[] = {
        HF_OP_CLAIM, HF_OP_RULE_PUT, HF_OP_QUOTE_PUT, HF_OP_REDEEM, HF_OP_WINDOW_CLOSE,
    };
    /* Those that 80 bytes may be, as far as their length goes. */
    static const uint8_t of_80_bytes[] = {HF_OP_MOVE, HF_OP_CAPTURE, HF_OP_CHAIN, HF_OP_EXPIRE};

    (void)state;
    for (uint32_t type = 0; type < 256; type++) {
        union hf_operation op = good_short(HF_OP_MOVE);
        op.header.type = (uint8_t)type;
        if (memchr(bodiless, (int)type, sizeof(bodiless)) != NULL) {
            assert_verdict(&op, sizeof(op), HF_CODE_UNSUPPORTED, HF_RULE_TYPE);
            assert_int_equal(hf_operation_length((uint8_t)type), 0);
            assert_string_not_equal(hf_operation_name((uint8_t)type), "UNKNOWN");
        } else if (type == 0 || type > HF_OP_TYPE_MAX) {
            assert_verdict(&op, sizeof(op), HF_CODE_UNKNOWN_TYPE, HF_RULE_TYPE);
            assert_int_equal(hf_operation_length((uint8_t)type), 0);
            assert_string_equal(hf_operation_name((uint8_t)type), "UNKNOWN");
        } else if (memchr(of_80_bytes, (int)type, sizeof(of_80_bytes)) == NULL) {
            assert_verdict(&op, sizeof(op), HF_CODE_MALFORMED, HF_RULE_LENGTH);
        }
    }
    assert_string_equal(hf_operation_name(HF_OP_MOVE), "MOVE");
    assert_string_equal(hf_operation_name(HF_OP_INSTRUMENT_PUT), "INSTRUMENT_PUT");
    assert_string_equal(hf_operation_name(HF_OP_CLASS_PUT), "CLASS_PUT");
    assert_string_equal(hf_operation_name(HF_OP_REVERSE), "REVERSE");
    assert_string_equal(hf_operation_name(HF_OP_CLEAR), "CLEAR");
    assert_string_equal(hf_operation_name(HF_OP_INCREMENT), "INCREMENT");
}

static void test_flags_and_id(void **state)
{
    (void)state;
    for (size_t t = 0; t < BODY_TYPE_COUNT; t++) {
        uint8_t type = body_types[t];
        bool dry = type != HF_OP_QUERY && type != HF_OP_EXPIRE;
        for (uint32_t flags = 0; flags < 256; flags++) {
            union any *any = good_operation(type);
            any->op.header.flags = (uint8_t)flags;
            bool is_good = (flags & ~6u) == 0 && (dry || (flags & 2) == 0);
            assert_verdict(&any->op, sizeof(*any), is_good ? HF_CODE_OK : HF_CODE_UNSUPPORTED,
                           is_good ? HF_RULE_NONE : HF_RULE_FLAGS);
        }
        union any *any = good_operation(type);
        union hf_operation *op = &any->op;
        op->header.origin = UINT32_MAX; /* the node's business, and so is the deadline */
        op->header.deadline_ns = UINT64_MAX;
        assert_verdict(op, sizeof(*any), HF_CODE_OK, HF_RULE_NONE);
        op->header.id = (struct hf_id){0, 0};
        assert_verdict(op, sizeof(*any), HF_CODE_BAD_ID, HF_RULE_ID);
        op->header.id = (struct hf_id){UINT64_MAX, UINT64_MAX};
        assert_verdict(op, sizeof(*any), HF_CODE_BAD_ID, HF_RULE_ID);
        op->header.id = (struct hf_id){UINT64_MAX, 0};
        assert_verdict(op, sizeof(*any), HF_CODE_OK, HF_RULE_NONE);
    }
}

/* Steps 1.1 to 1.6: spoil all of them, then mend one after the other. */
static void test_order_of_steps(void **state)
{
    union any *any = good_operation(HF_OP_MOVE);
    union hf_operation *op = &any->op;

    (void)state;
    op->header = (struct hf_op_header){.length = 81, .type = 99, .flags = 0xff};
    op->move.payer = (struct hf_id){0, 0};
    assert_verdict(op, sizeof(*any), HF_CODE_MALFORMED, HF_RULE_LENGTH);
    op->header.length = 88;
    assert_verdict(op, sizeof(*any), HF_CODE_UNKNOWN_TYPE, HF_RULE_TYPE);
    op->header.type = HF_OP_CLAIM;
    assert_verdict(op, sizeof(*any), HF_CODE_UNSUPPORTED, HF_RULE_TYPE);
    op->header.type = HF_OP_MOVE;
    assert_verdict(op, sizeof(*any), HF_CODE_MALFORMED, HF_RULE_LENGTH);
    op->header.length = 80;
    assert_verdict(op, sizeof(*any), HF_CODE_UNSUPPORTED, HF_RULE_FLAGS);
    op->header.flags = 0;
    assert_verdict(op, sizeof(*any), HF_CODE_BAD_ID, HF_RULE_ID);
    op->header.id = (struct hf_id){1, 1};
    assert_verdict(op, sizeof(*any), HF_CODE_BAD_ID, HF_RULE_PAYER);
    op->move.payer = account_id(1);
    assert_verdict(op, sizeof(*any), HF_CODE_OK, HF_RULE_NONE);
}

static void test_whole_asset_code(void **state)
{
    union any *any = good_operation(HF_OP_ASSET_PUT);

    (void)state;
    memcpy(any->op.asset_put.code, "A1B2C3D4", 8);
    assert_verdict(&any->op, sizeof(*any), HF_CODE_OK, HF_RULE_NONE);
}

static void test_relatives(void **state)
{
    union any *any = good_operation(LONG_ACCOUNT_PUT);

    (void)state;
    any->op.account_put.parent = any->op.account_put.account;
    any->op.account_put.sink = any->op.account_put.account;
    assert_entry(any, HF_CODE_SAME_ACCOUNT, HF_RULE_PARENT, 0);
    any->op.account_put.parent = account_id(0);
    assert_entry(any, HF_CODE_SAME_ACCOUNT, HF_RULE_SINK, 0);
    any = good_operation(HF_OP_ACCOUNT_CLOSE);
    any->op.account_close.sink = any->op.account_close.account;
    assert_entry(any, HF_CODE_SAME_ACCOUNT, HF_RULE_SINK, 0);
}

/* What an ADJUST wants of amount and expiry depends on its mode. */
static void test_adjust(void **state)
{
    static const struct {
        uint8_t mode;
        uint64_t amount;
        uint64_t expires_ns;
        uint16_t code;
        uint8_t rule;
    } cases[] = {
        {HF_ADJUST_KEEP, 0, 5, HF_CODE_OK, HF_RULE_NONE},
        {HF_ADJUST_KEEP, 0, 0, HF_CODE_MALFORMED, HF_RULE_EXPIRY},
        {HF_ADJUST_KEEP, 1, 5, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT},
        {HF_ADJUST_KEEP, 1, 0, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT},
        {HF_ADJUST_RAISE, 1, 0, HF_CODE_OK, HF_RULE_NONE},
        {HF_ADJUST_RAISE, 0, 5, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT},
        {HF_ADJUST_LOWER, 0, 5, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT},
        {HF_ADJUST_SET, 0, 5, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT},
        {4, 0, 0, HF_CODE_MALFORMED, HF_RULE_STATUS},
        {4, HF_AMOUNT_ALL, 0, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        union any *any = good_operation(HF_OP_ADJUST);
        any->op.adjust.mode = cases[i].mode;
        any->op.adjust.amount = cases[i].amount;
        any->op.adjust.expires_ns = cases[i].expires_ns;
        assert_entry(any, cases[i].code, cases[i].rule, 0);
    }
}

/* What a LIMIT_PUT wants of its fields depends on its mode, and of a SET on its window. */
static const struct hf_op_limit_put limit_cases[] = {
    {.window = HF_LIMIT_OPERATION},
    {.window = HF_LIMIT_DAY},
    {.window = HF_LIMIT_DAY, .zone_minutes = -840},
    {.window = HF_LIMIT_WEEK, .start = 1, .zone_minutes = 840},
    {.window = HF_LIMIT_MONTH, .start = 1, .zone_minutes = -1},
    {.window = HF_LIMIT_MONTH, .start = 28},
    {.window = HF_LIMIT_ROLLING, .length_ns = 64},
    {.window = HF_LIMIT_ROLLING, .length_ns = HF_LIMIT_LENGTH_NS_MAX},
    {.window = HF_LIMIT_LIFETIME, .max_amount = UINT64_MAX, .max_count = UINT64_MAX},
    {.window = HF_LIMIT_LIFETIME, .filter = {.mccs = {5411}, .merchant = "A"}},
    {.mode = HF_LIMIT_RAISE},
    {.mode = HF_LIMIT_RAISE, .max_amount = UINT64_MAX, .max_count = UINT64_MAX},
    {.mode = HF_LIMIT_RESET},
};
static const struct hf_op_limit_put bad_limit_cases[] = {
    {.window = HF_LIMIT_OPERATION, .zone_minutes = 1},
    {.window = HF_LIMIT_OPERATION, .start = 1},
    {.window = HF_LIMIT_OPERATION, .length_ns = 64},
    {.window = HF_LIMIT_DAY, .start = 1},
    {.window = HF_LIMIT_DAY, .length_ns = 64},
    {.window = HF_LIMIT_WEEK},
    {.window = HF_LIMIT_WEEK, .start = 8},
    {.window = HF_LIMIT_MONTH},
    {.window = HF_LIMIT_MONTH, .start = 29},
    {.window = HF_LIMIT_ROLLING},
    {.window = HF_LIMIT_ROLLING, .length_ns = 63},
    {.window = HF_LIMIT_ROLLING, .length_ns = HF_LIMIT_LENGTH_NS_MAX + 1},
    {.window = HF_LIMIT_ROLLING, .length_ns = 64, .zone_minutes = 1},
    {.window = HF_LIMIT_ROLLING, .length_ns = 64, .start = 1},
    {.window = HF_LIMIT_LIFETIME, .zone_minutes = -1},
    {.window = HF_LIMIT_LIFETIME, .start = 1},
    {.mode = HF_LIMIT_RAISE, .window = HF_LIMIT_DAY},
    {.mode = HF_LIMIT_RAISE, .window = HF_LIMIT_ROLLING, .length_ns = 64},
    {.mode = HF_LIMIT_RAISE, .length_ns = 64},
    {.mode = HF_LIMIT_RAISE, .zone_minutes = 1},
    {.mode = HF_LIMIT_RAISE, .start = 1},
    {.mode = HF_LIMIT_RAISE, .filter = {.countries = {[3] = 1}}},
    {.mode = HF_LIMIT_RAISE, .filter = {.parts = HF_FILTER_BY_MCC}},
    {.mode = HF_LIMIT_RAISE, .filter = {.mccs = {5411}, .parts = HF_FILTER_BY_MCC}},
    {.mode = HF_LIMIT_RESET, .window = HF_LIMIT_DAY},
    {.mode = HF_LIMIT_RESET, .max_amount = 1},
    {.mode = HF_LIMIT_RESET, .max_count = 1},
    {.mode = HF_LIMIT_RESET, .filter = {.merchant = {[15] = 1}}},
    {.mode = HF_LIMIT_RESET, .filter = {.parts = HF_FILTER_BY_MERCHANT}},
};

/* The check's verdict on a case, as a limit of this scope. */
static struct hf_verdict check_limit_case(const struct hf_op_limit_put *limit, uint8_t scope)
{
    static union any any;

    memset(&any, 0, sizeof any);
    any.op.limit_put = *limit;
    begin(&any, HF_OP_LIMIT_PUT, sizeof any.op.limit_put);
    any.op.limit_put.scope = scope;
    any.op.limit_put.scope_id = account_id(5);
    any.op.limit_put.number = 1;
    return hf_operation_check(&any.op, sizeof any);
}

static void test_limits(void **state)
{
    (void)state;
    for (uint8_t scope = HF_LIMIT_INSTRUMENT; scope <= HF_LIMIT_ACCOUNT; scope++) {
        for (size_t i = 0; i < sizeof limit_cases / sizeof limit_cases[0]; i++) {
            struct hf_verdict verdict = check_limit_case(&limit_cases[i], scope);
            if (verdict.code != HF_CODE_OK)
                fail_msg("good limit %zu: %s/%s", i, hf_code_name(verdict.code),
                         hf_rule_name(verdict.rule));
        }
        for (size_t i = 0; i < sizeof bad_limit_cases / sizeof bad_limit_cases[0]; i++) {
            struct hf_verdict verdict = check_limit_case(&bad_limit_cases[i], scope);
            if (verdict.code != HF_CODE_MALFORMED || verdict.rule != HF_RULE_LIMIT)
                fail_msg("bad limit %zu: %s/%s", i, hf_code_name(verdict.code),
                         hf_rule_name(verdict.rule));
        }
    }

    /* Whose id is bad, the scope says: an account's, where it says nothing. */
    union any *any = good_operation(HF_OP_LIMIT_PUT);
    any->op.limit_put.scope_id = account_id(0);
    any->op.limit_put.reserved = 1;
    assert_entry(any, HF_CODE_BAD_ID, HF_RULE_INSTRUMENT, 0);
    any->op.limit_put.scope = HF_LIMIT_ACCOUNT;
    assert_entry(any, HF_CODE_BAD_ID, HF_RULE_ACCOUNT, 0);
    any->op.limit_put.scope = 3;
    assert_entry(any, HF_CODE_BAD_ID, HF_RULE_ACCOUNT, 0);
    any->op.limit_put.scope_id = account_id(1);
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_LIMIT, 0);
    any->op.limit_put.scope = 0;
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_LIMIT, 0);
    any->op.limit_put.scope = HF_LIMIT_ACCOUNT;
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_RESERVED, 0);
}

/* What each part has in it at the least. */
static const struct hf_filter part_cases[] = {
    {.mccs = {[0] = 1}, .parts = HF_FILTER_BY_MCC},
    {.mccs = {[7] = 0x100}, .parts = HF_FILTER_BY_MCC},
    {.countries = {[0] = 0x100}, .parts = HF_FILTER_BY_COUNTRY},
    {.countries = {[3] = 1}, .parts = HF_FILTER_BY_COUNTRY},
    {.channels = 1, .parts = HF_FILTER_BY_CHANNEL},
    {.channels = UINT32_C(1) << 31, .parts = HF_FILTER_BY_CHANNEL},
    {.merchant = {[0] = 1}, .parts = HF_FILTER_BY_MERCHANT},
    {.merchant = {[15] = 1}, .parts = HF_FILTER_BY_MERCHANT},
};
#define FILTER_PARTS_ALL 15u

static void assert_filter(const struct hf_filter *filter, uint16_t code, uint8_t rule)
{
    union any *any = good_operation(HF_OP_LIMIT_PUT);
    any->op.limit_put.filter = *filter;
    assert_entry(any, code, rule, 0);
    any = good_operation(LONG_ACCOUNT_PUT);
    any->op.account_put.filter = *filter;
    assert_entry(any, code, rule, 0);
}

/* Whoever says that he filters by a part gives it an entry, in both operations that have filters;
 * what a part has in it counts for no other, and need not be announced. */
static void test_parts_of_filters(void **state)
{
    const struct hf_filter whole = {.mccs = {5411},
                                    .countries = {840},
                                    .channels = 1,
                                    .parts = FILTER_PARTS_ALL,
                                    .merchant = "SHOP"};

    (void)state;
    for (size_t i = 0; i < sizeof part_cases / sizeof part_cases[0]; i++) {
        for (uint32_t parts = 0; parts <= FILTER_PARTS_ALL + 1; parts++) {
            struct hf_filter filter = part_cases[i];
            filter.parts = parts;
            if (parts > FILTER_PARTS_ALL)
                assert_filter(&filter, HF_CODE_MALFORMED, HF_RULE_RESERVED);
            else if ((parts & ~part_cases[i].parts) != 0)
                assert_filter(&filter, HF_CODE_MALFORMED, HF_RULE_FILTER);
            else
                assert_filter(&filter, HF_CODE_OK, HF_RULE_NONE);
        }
    }
    assert_filter(&whole, HF_CODE_OK, HF_RULE_NONE);
    for (uint32_t parts = 0; parts <= FILTER_PARTS_ALL; parts++) {
        const struct hf_filter nothing = {.parts = parts};
        assert_filter(&nothing, parts == 0 ? HF_CODE_OK : HF_CODE_MALFORMED,
                      parts == 0 ? HF_RULE_NONE : HF_RULE_FILTER);
        struct hf_filter some = whole;
        some.parts = parts;
        assert_filter(&some, HF_CODE_OK, HF_RULE_NONE);
    }
    for (uint32_t bit = 4; bit < 32; bit++) {
        struct hf_filter unknown = whole;
        unknown.parts |= UINT32_C(1) << bit;
        assert_filter(&unknown, HF_CODE_MALFORMED, HF_RULE_RESERVED);
        unknown = (struct hf_filter){.parts = UINT32_C(1) << bit | FILTER_PARTS_ALL};
        assert_filter(&unknown, HF_CODE_MALFORMED, HF_RULE_RESERVED);
    }
}

/* A page of limits begins behind a number, and numbers end at 255. */
static void test_cursors(void **state)
{
    static const uint32_t most[] = {
        [HF_QUERY_ACCOUNT_HOLDS] = UINT32_MAX,
        [HF_QUERY_INSTRUMENT_LIMITS] = 255,
        [HF_QUERY_ACCOUNT_LIMITS] = 255,
        [HF_QUERY_INSTRUMENT_AUTHORISATIONS] = 1024,
    };

    (void)state;
    for (uint8_t subject = HF_QUERY_ACCOUNT; subject < sizeof most / sizeof most[0]; subject++) {
        union any *any = good_operation(HF_OP_QUERY);
        any->op.query.subject = subject;
        assert_entry(any, HF_CODE_OK, HF_RULE_NONE, 0);
        any->op.query.cursor = most[subject];
        assert_entry(any, HF_CODE_OK, HF_RULE_NONE, 0);
        any->op.query.cursor++;
        if (most[subject] != UINT32_MAX)
            assert_entry(any, HF_CODE_MALFORMED, HF_RULE_SUBJECT, 0);
    }
}

/* What is forced is neither partial nor nothing. All is found at the flags: fields between amount
 * and flags come first, those behind them later. */
static void test_forced(void **state)
{
    union any *any = good_operation(HF_OP_AUTH);
    struct hf_op_auth *auth = &any->op.auth;

    (void)state;
    auth->auth_flags = HF_AUTH_FORCED | HF_AUTH_ESTIMATED;
    auth->minimum = 1;
    assert_entry(any, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT, 0);
    auth->class_number = HF_CLASSES;
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_CLASS, 0);
    auth->class_number = 0;
    auth->auth_flags |= 0x80;
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_STATUS, 0);
    auth->auth_flags = HF_AUTH_FORCED;
    auth->tolerance = HF_TOLERANCE_MAX + 1;
    auth->minimum = auth->amount;
    assert_entry(any, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT, 0);
    auth->minimum = 0;
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_HOLD, 0);
    auth->tolerance = 0;
    assert_entry(any, HF_CODE_OK, HF_RULE_NONE, 0);
    auth->amount = 0;
    assert_entry(any, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT, 0);
    auth->auth_flags = HF_AUTH_ESTIMATED;
    assert_entry(any, HF_CODE_OK, HF_RULE_NONE, 0);
}

/* Nothing is about itself, nor about nothing: only a forced CLEAR may have no original. */
static void test_originals(void **state)
{
    static const struct {
        uint8_t type;
        size_t offset;
    } originals[] = {
        {HF_OP_INCREMENT, offsetof(struct hf_op_increment, original)},
        {HF_OP_REVERSE, offsetof(struct hf_op_reverse, original)},
        {HF_OP_CLEAR, offsetof(struct hf_op_clear, original)},
    };
    union any *any;

    (void)state;
    for (size_t i = 0; i < sizeof originals / sizeof originals[0]; i++) {
        any = good_operation(originals[i].type);
        memcpy(any->bytes + originals[i].offset, &any->op.header.id, sizeof any->op.header.id);
        assert_entry(any, HF_CODE_BAD_ID, HF_RULE_ORIGINAL, 0);
        any->op.header.id.lo++;
        assert_entry(any, HF_CODE_OK, HF_RULE_NONE, 0);
    }
    any = good_operation(HF_OP_CLEAR);
    any->op.clear.original = account_id(0);
    assert_entry(any, HF_CODE_BAD_ID, HF_RULE_ORIGINAL, 0);
    any->op.clear.clear_flags = HF_CLEAR_FINAL;
    assert_entry(any, HF_CODE_BAD_ID, HF_RULE_ORIGINAL, 0);
    any->op.clear.asset = 0; /* stands before the flags, which say that there must be one */
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_ASSET, 0);
    any->op.clear.asset = USD;
    any->op.clear.clear_flags = HF_CLEAR_FORCED;
    assert_entry(any, HF_CODE_OK, HF_RULE_NONE, 0);
    any->op.clear.token = account_id(0);
    any->op.clear.payee = account_id(0);
    assert_entry(any, HF_CODE_OK, HF_RULE_NONE, 0);
}

static void test_further_accounts(void **state)
{
    union any *any = good_operation(LONG_INSTRUMENT);
    struct hf_op_instrument_put *put = &any->op.instrument_put;

    (void)state;
    put->further[4] = put->account;
    assert_entry(any, HF_CODE_SAME_ACCOUNT, HF_RULE_ACCOUNT, 5);
    put->further[2] = put->further[1];
    assert_entry(any, HF_CODE_SAME_ACCOUNT, HF_RULE_ACCOUNT, 3);
    put->further[0] = account_id(0);
    assert_entry(any, HF_CODE_BAD_ID, HF_RULE_ACCOUNT, 1);
    put->further_count = 6; /* the count says how long it is, before any entry is looked at */
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_LENGTH, 0);
    put->further_count = 0;
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_LENGTH, 0);
    put->header.length = sizeof *put;
    assert_entry(any, HF_CODE_OK, HF_RULE_NONE, 0);
    put->further_count = 1;
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_LENGTH, 0);
    put->reserved[4] = 1;
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_RESERVED, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_first_bad_field_decides),
        cmocka_unit_test(test_no_byte_is_forgotten),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_bytes_at_hand),
        cmocka_unit_test(test_damaged_lists),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_flags_and_id),
        cmocka_unit_test(test_order_of_steps),
        cmocka_unit_test(test_whole_asset_code),
        cmocka_unit_test(test_relatives),
        cmocka_unit_test(test_adjust),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_parts_of_filters),
        cmocka_unit_test(test_cursors),
        cmocka_unit_test(test_forced),
        cmocka_unit_test(test_originals),
        cmocka_unit_test(test_further_accounts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
