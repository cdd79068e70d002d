/* What tests of holds share: plans of holds built up entry by entry, proofs, and EXPIREs as the
 * node makes them. */
#ifndef HF_TESTS_UNIT_HOLD_FIXTURE_H
#define HF_TESTS_UNIT_HOLD_FIXTURE_H

#include "plan_fixture.h"

#define SECOND_NS UINT64_C(1000000000)

/* A HOLD_PLAN without entries yet: for ever, of class 0, all in order. */
static inline struct hf_op_hold_plan *begin_hold_plan(struct fixture *f, struct long_operation *op,
                                                      uint64_t amount)
{
    memset(op, 0, sizeof(*op));
    struct hf_op_hold_plan *hold = &operation_of(op)->hold_plan;

    hold->header = header_of(f, HF_OP_HOLD_PLAN);
    hold->header.length = sizeof(*hold);
    hold->plan.amount = amount;
    hold->plan.asset = USD;
    return hold;
}

static inline void hold_of(struct hf_op_hold_plan *hold, uint64_t account, uint8_t rule,
                           uint64_t amount)
{
    hold->entries[hold->plan.source_count++] =
        (struct hf_op_entry){.account = account_id(account), .amount = amount, .rule = rule};
    hold->header.length = (uint16_t)(hold->header.length + sizeof(struct hf_op_entry));
}

/* The payee comes behind all sources. */
static inline void hold_for(struct hf_op_hold_plan *hold, uint64_t account)
{
    hold->entries[hold->plan.source_count] =
        (struct hf_op_entry){.account = account_id(account), .rule = HF_ENTRY_REMAINING};
    hold->plan.destination_count = 1;
    hold->header.length = (uint16_t)(hold->header.length + sizeof(struct hf_op_entry));
}

/* Conditions come behind the payee. */
static inline void hold_until(struct hf_op_hold_plan *hold, const struct hf_op_condition *condition)
{
    memcpy((uint8_t *)hold + hold->header.length, condition, sizeof(*condition));
    hold->terms.condition_count++;
    hold->header.length = (uint16_t)(hold->header.length + sizeof(*condition));
}

static inline union hf_operation make_adjust(struct fixture *f, struct hf_id hold, uint8_t mode,
                                             uint64_t amount, uint64_t expires_ns)
{
    union hf_operation op = {.bytes = {0}};

    op.adjust.header = header_of(f, HF_OP_ADJUST);
    op.adjust.hold = hold;
    op.adjust.mode = mode;
    op.adjust.amount = amount;
    op.adjust.expires_ns = expires_ns;
    return op;
}

/* A CAPTURE of an open hold for whoever is named. */
static inline union hf_operation make_claim(struct fixture *f, struct hf_id hold, uint64_t amount,
                                            uint64_t payee)
{
    union hf_operation op = make_capture(f, hold, amount, false);

    op.header.length = sizeof(op.capture);
    op.capture.payee = account_id(payee);
    return op;
}

static inline union hf_operation make_attest(struct fixture *f, struct hf_id hold, uint8_t number,
                                             const void *proof, uint8_t length)
{
    union hf_operation op = {.bytes = {0}};

    op.attest.header = header_of(f, HF_OP_ATTEST);
    op.attest.hold = hold;
    op.attest.condition = number;
    op.attest.proof_length = length;
    memcpy(op.attest.proof, proof, length);
    return op;
}

static inline union hf_operation make_class(struct fixture *f, uint8_t number, uint64_t lifetime_ns)
{
    union hf_operation op = {.bytes = {0}};

    op.class_put.header = header_of(f, HF_OP_CLASS_PUT);
    op.class_put.class_number = number;
    op.class_put.lifetime_ns = lifetime_ns;
    return op;
}

/* Makes an EXPIRE for the present time, as the node does, and applies it. How many it ended; 0 when
 * there was none to make. */
static inline uint64_t expire(struct fixture *f)
{
    struct long_operation op;
    struct hf_op_expire *made = &operation_of(&op)->expire;

    memset(&op, 0, sizeof(op));
    if (!hf_ledger_make_expire(f->ledger, f->now_ns, made))
        return 0;
    assert_in_range(made->count, 1, HF_EXPIRIES_MAX);
    made->header.id = new_id(f);
    check_long_answer(f, operation_of(&op), HF_CODE_OK, HF_RULE_NONE, 0);
    return f->reply.approved;
}

static inline struct hf_hold_view view_hold(const struct fixture *f, struct hf_id id)
{
    struct hf_query_reply reply;

    query(f, HF_QUERY_HOLD, id, &reply);
    assert_int_equal(reply.reply.code, HF_CODE_OK);
    return reply.view.hold;
}

#define assert_hold(f, id, expected_status, expected_remaining, expected_captured) \
    do {                                                                           \
        struct hf_hold_view view_ = view_hold((f), (id));                          \
        assert_int_equal(view_.status, (expected_status));                         \
        assert_int_equal(view_.remaining, (expected_remaining));                   \
        assert_int_equal(view_.captured, (expected_captured));                     \
    } while (0)

/* As assert_answer, with the entry. */
#define assert_entry(f, op, expected_code, expected_rule, expected_entry) \
    do {                                                                  \
        assert_answer(f, op, expected_code, expected_rule);               \
        assert_int_equal((f)->reply.entry, (expected_entry));             \
    } while (0)

#endif
