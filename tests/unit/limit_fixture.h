/* What tests of limits share. */
#ifndef HF_TESTS_UNIT_LIMIT_FIXTURE_H
#define HF_TESTS_UNIT_LIMIT_FIXTURE_H

#include "hold_fixture.h"

#define CARD 70
#define SHOP 4

/* The operation's shape is right, and it answers so. */
static inline void check_answer(struct fixture *f, union hf_operation op, uint16_t code,
                                uint8_t rule, uint8_t entry)
{
    assert_int_equal(hf_operation_check(&op, sizeof(op)).code, HF_CODE_OK);
    assert_answer(f, op, code, rule);
    assert_int_equal(f->reply.entry, entry);
}

static inline union hf_operation make_max(struct fixture *f, uint8_t scope, uint64_t scope_id,
                                          uint8_t number, uint8_t window, uint64_t max_amount,
                                          uint64_t max_count)
{
    union hf_operation op = make_limit(f, scope, scope_id, number, window);

    op.limit_put.max_amount = max_amount;
    op.limit_put.max_count = max_count;
    return op;
}

/* The scope's limits behind the cursor. */
static inline struct hf_query_reply view_page(const struct fixture *f, uint8_t scope,
                                              uint64_t scope_id, uint32_t cursor)
{
    struct hf_op_query query = {
        .header = {.length = sizeof(query), .type = HF_OP_QUERY, .id = {1, 1}},
        .subject_id = account_id(scope_id),
        .subject = scope == HF_LIMIT_ACCOUNT ? HF_QUERY_ACCOUNT_LIMITS : HF_QUERY_INSTRUMENT_LIMITS,
        .cursor = cursor,
    };
    struct hf_query_reply reply;

    hf_ledger_query(f->ledger, &query, &reply);
    assert_int_equal(reply.reply.code, HF_CODE_OK);
    return reply;
}

/* The scope's limit of this number. */
static inline struct hf_limit_line view_limit(const struct fixture *f, uint8_t scope,
                                              uint64_t scope_id, uint8_t number)
{
    struct hf_query_reply reply = view_page(f, scope, scope_id, (uint32_t)number - 1);

    assert_true(reply.view.limits.count >= 1);
    assert_int_equal(reply.view.limits.lines[0].number, number);
    return reply.view.limits.lines[0];
}

#define assert_used(f, scope, scope_id, number, amount, count)                       \
    do {                                                                             \
        struct hf_limit_line line_ = view_limit((f), (scope), (scope_id), (number)); \
        assert_int_equal(line_.used_amount, (amount));                               \
        assert_int_equal(line_.used_count, (count));                                 \
    } while (0)

#endif
