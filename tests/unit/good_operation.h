/* A good operation of every type, for tests to change, and what the check says to the changed one.
 */
#ifndef HF_TESTS_GOOD_OPERATION_H
#define HF_TESTS_GOOD_OPERATION_H

#include "fixture.h"

/* The long forms of the types that have two. */
#define LONG             0x80u
#define LONG_ACCOUNT_PUT (HF_OP_ACCOUNT_PUT | LONG)
#define LONG_CAPTURE     (HF_OP_CAPTURE | LONG)
#define LONG_INSTRUMENT  (HF_OP_INSTRUMENT_PUT | LONG) /* with further accounts */

/* Room for any operation. */
union any {
    union hf_operation op;
    uint8_t bytes[HF_OPERATION_LENGTH_MAX];
};

static struct fixture pen = {.now_ns = START_NS}; /* whoever writes these operations */

static inline void begin(union any *any, uint8_t type, size_t length)
{
    any->op.header = header_of(&pen, type);
    any->op.header.length = (uint16_t)length;
    any->op.header.flags = 0;
}

static inline struct hf_op_entry entry_of(uint64_t number, uint8_t rule, uint64_t amount)
{
    return (struct hf_op_entry){.account = account_id(number), .amount = amount, .rule = rule};
}

static const struct hf_op_plan good_plan = {
    .amount = 20, .asset = USD, .source_count = 3, .destination_count = 1};

static inline void make_move_plan(union any *any)
{
    begin(any, HF_OP_MOVE_PLAN, sizeof any->op.move_plan + 5 * sizeof(struct hf_op_entry));
    any->op.move_plan.plan = good_plan;
    any->op.move_plan.plan.destination_count = 2;
    any->op.move_plan.entries[0] = entry_of(11, HF_ENTRY_FIXED, 5);
    any->op.move_plan.entries[1] = entry_of(12, HF_ENTRY_UP_TO, 7);
    any->op.move_plan.entries[2] = entry_of(13, HF_ENTRY_REMAINING, 0);
    any->op.move_plan.entries[3] = entry_of(14, HF_ENTRY_UP_TO, 9);
    any->op.move_plan.entries[4] = entry_of(15, HF_ENTRY_REMAINING, 0);
}

static inline void make_hold_plan(union any *any)
{
    struct hf_op_hold_plan *hold = &any->op.hold_plan;

    begin(any, HF_OP_HOLD_PLAN,
          sizeof *hold + 4 * sizeof(struct hf_op_entry) + 2 * sizeof(struct hf_op_condition));
    hold->plan = good_plan;
    hold->terms = (struct hf_op_terms){.condition_count = 2, .required = 2};
    hold->entries[0] = entry_of(11, HF_ENTRY_FIXED, 5);
    hold->entries[1] = entry_of(12, HF_ENTRY_UP_TO, 7);
    hold->entries[2] = entry_of(13, HF_ENTRY_REMAINING, 0);
    hold->entries[3] = entry_of(14, HF_ENTRY_REMAINING, 0);
    const struct hf_op_condition conditions[] = {
        {.kind = HF_CONDITION_BLAKE2B, .bytes = {1}},
        {.kind = HF_CONDITION_NOT_AFTER, .time_ns = 5},
    };
    memcpy(hold->entries + 4, conditions, sizeof conditions);
}

static inline void make_expire(union any *any)
{
    begin(any, HF_OP_EXPIRE, sizeof any->op.expire + 2 * sizeof(struct hf_op_expiry));
    any->op.expire.count = 2;
    for (uint32_t i = 0; i < 2; i++)
        any->op.expire.expiries[i] =
            (struct hf_op_expiry){.id = account_id(5 + i), .kind = HF_EXPIRY_HOLD};
}

/* Adds to a chain; where the operation's copy begins is returned. */
static inline union hf_operation *chain_add(union any *chain, const union hf_operation *inner)
{
    uint8_t *end = chain->bytes + chain->op.header.length;

    memcpy(end, inner, inner->header.length);
    chain->op.header.length = (uint16_t)(chain->op.header.length + inner->header.length);
    chain->op.chain.count++;
    return (union hf_operation *)(void *)end;
}

static inline void make_chain(union any *any)
{
    union hf_operation move = make_move(&pen, 1, 2, 3);
    union hf_operation hold = make_hold(&pen, 1, 2, 3);

    begin(any, HF_OP_CHAIN, sizeof any->op.chain);
    move.header.flags = 0;
    hold.header.flags = 0;
    chain_add(any, &move);
    chain_add(any, &hold);
}

static inline union hf_operation good_short(uint8_t type)
{
    union hf_operation op = {.bytes = {0}};

    switch (type) {
    case HF_OP_ASSET_PUT:
        return make_asset(&pen, USD, "USD");
    case HF_OP_ACCOUNT_PUT:
        return make_account(&pen, 1, 0);
    case HF_OP_MOVE:
        return make_move(&pen, 1, 2, 3);
    case HF_OP_HOLD:
        return make_hold(&pen, 1, 2, 3);
    case HF_OP_CAPTURE:
        return make_capture(&pen, account_id(9), 3, false);
    case HF_OP_RELEASE:
        return make_release(&pen, account_id(9), 3);
    case HF_OP_INSTRUMENT_PUT:
        return make_instrument(&pen, 5, 1);
    case HF_OP_AUTH:
        return make_auth(&pen, 5, 2, 3);
    default:
        assert_int_equal(type, HF_OP_QUERY);
        op.query.header = header_of(&pen, HF_OP_QUERY);
        op.query.subject_id = account_id(1);
        op.query.subject = HF_QUERY_ACCOUNT;
        return op;
    }
}

static inline union any *good_operation(uint8_t type)
{
    static union any any;

    memset(&any, 0, sizeof any);
    switch (type) {
    case LONG_ACCOUNT_PUT:
        any.op = make_account(&pen, 1, 0);
        any.op.header.length = sizeof(struct hf_op_account_put);
        any.op.account_put.parent = account_id(2);
        any.op.account_put.sink = account_id(3);
        break;
    case HF_OP_ACCOUNT_CLOSE:
        begin(&any, type, sizeof any.op.account_close);
        any.op.account_close.account = account_id(1);
        any.op.account_close.sink = account_id(2);
        break;
    case LONG_CAPTURE:
        any.op = make_capture(&pen, account_id(9), 3, false);
        any.op.header.length = sizeof(struct hf_op_capture);
        any.op.capture.payee = account_id(4);
        break;
    case HF_OP_INCREMENT:
        begin(&any, type, sizeof any.op.increment);
        any.op.increment.original = account_id(9);
        any.op.increment.amount = 3;
        any.op.increment.asset = USD;
        break;
    case HF_OP_REVERSE:
        begin(&any, type, sizeof any.op.reverse);
        any.op.reverse.original = account_id(9);
        any.op.reverse.amount = HF_AMOUNT_ALL;
        any.op.reverse.asset = USD;
        break;
    case HF_OP_CLEAR:
        begin(&any, type, sizeof any.op.clear);
        any.op.clear.original = account_id(9);
        any.op.clear.token = account_id(5);
        any.op.clear.payee = account_id(2);
        any.op.clear.amount = 3;
        any.op.clear.asset = USD;
        break;
    case LONG_INSTRUMENT:
        any.op = make_instrument(&pen, 5, 1);
        any.op.instrument_put.further_count = HF_INSTRUMENT_FURTHER_MAX;
        any.op.header.length =
            sizeof(struct hf_op_instrument_put) + HF_INSTRUMENT_FURTHER_MAX * sizeof(struct hf_id);
        for (uint64_t i = 0; i < HF_INSTRUMENT_FURTHER_MAX; i++)
            any.op.instrument_put.further[i] = account_id(11 + i);
        break;
    case HF_OP_LIMIT_PUT: /* a week of an instrument's */
        begin(&any, type, sizeof any.op.limit_put);
        any.op.limit_put.scope_id = account_id(5);
        any.op.limit_put.max_amount = 900;
        any.op.limit_put.max_count = HF_LIMIT_UNLIMITED;
        any.op.limit_put.scope = HF_LIMIT_INSTRUMENT;
        any.op.limit_put.number = 3;
        any.op.limit_put.window = HF_LIMIT_WEEK;
        any.op.limit_put.zone_minutes = 120;
        any.op.limit_put.start = 5;
        break;
    case HF_OP_ADJUST:
        begin(&any, type, sizeof any.op.adjust);
        any.op.adjust.hold = account_id(9);
        any.op.adjust.amount = 3;
        any.op.adjust.mode = HF_ADJUST_RAISE;
        break;
    case HF_OP_ATTEST:
        begin(&any, type, sizeof any.op.attest);
        any.op.attest.hold = account_id(9);
        any.op.attest.condition = 1;
        any.op.attest.proof_length = 5;
        memcpy(any.op.attest.proof, "proof", 5);
        break;
    case HF_OP_CLASS_PUT:
        begin(&any, type, sizeof any.op.class_put);
        any.op.class_put.class_number = 1;
        break;
    case HF_OP_MOVE_PLAN:
        make_move_plan(&any);
        break;
    case HF_OP_HOLD_PLAN:
        make_hold_plan(&any);
        break;
    case HF_OP_EXPIRE:
        make_expire(&any);
        break;
    case HF_OP_CHAIN:
        make_chain(&any);
        break;
    default:
        any.op = good_short(type);
    }
    return &any;
}

/* The last three of a case in a table. */
#define OK_ROW HF_CODE_OK, HF_RULE_NONE, 0

#define assert_verdict(op, available, expected_code, expected_rule)                    \
    do {                                                                               \
        struct hf_verdict verdict_ = hf_operation_check((op), (available));            \
        assert_string_equal(hf_code_name(verdict_.code), hf_code_name(expected_code)); \
        assert_string_equal(hf_rule_name(verdict_.rule), hf_rule_name(expected_rule)); \
    } while (0)

#define assert_entry(any, expected_code, expected_rule, expected_entry)                \
    do {                                                                               \
        struct hf_verdict verdict_ = hf_operation_check(&(any)->op, sizeof *(any));    \
        assert_string_equal(hf_code_name(verdict_.code), hf_code_name(expected_code)); \
        assert_string_equal(hf_rule_name(verdict_.rule), hf_rule_name(expected_rule)); \
        assert_int_equal(verdict_.entry, (expected_entry));                            \
    } while (0)

#endif
