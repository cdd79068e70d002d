/* What tests of plans, account terms and chains share: operations with lists, built up entry by
 * entry, and eyes for events. */
#ifndef HF_TEST_PLAN_FIXTURE_H
#define HF_TEST_PLAN_FIXTURE_H

#include "fixture.h"

/* An operation of any length. */
struct long_operation {
    _Alignas(64) uint8_t bytes[HF_OPERATION_LENGTH_MAX];
};

static inline union hf_operation *operation_of(struct long_operation *op)
{
    return (union hf_operation *)(void *)op->bytes;
}

/* A MOVE_PLAN without entries yet. */
static inline struct hf_op_move_plan *begin_plan(struct fixture *f, struct long_operation *op,
                                                 uint64_t amount)
{
    memset(op, 0, sizeof(*op));
    struct hf_op_move_plan *move = &operation_of(op)->move_plan;

    move->header = header_of(f, HF_OP_MOVE_PLAN);
    move->header.length = sizeof(*move);
    move->plan.amount = amount;
    move->plan.asset = USD;
    return move;
}

static inline void add_entry(struct hf_op_move_plan *move, uint64_t account, uint8_t rule,
                             uint64_t amount)
{
    uint32_t index = (uint32_t)move->plan.source_count + move->plan.destination_count;

    move->entries[index] =
        (struct hf_op_entry){.account = account_id(account), .amount = amount, .rule = rule};
    move->header.length = (uint16_t)(move->header.length + sizeof(struct hf_op_entry));
}

/* All sources come before all destinations. */
static inline void add_source(struct hf_op_move_plan *move, uint64_t account, uint8_t rule,
                              uint64_t amount)
{
    assert_int_equal(move->plan.destination_count, 0);
    add_entry(move, account, rule, amount);
    move->plan.source_count++;
}

static inline void add_destination(struct hf_op_move_plan *move, uint64_t account, uint8_t rule,
                                   uint64_t amount)
{
    add_entry(move, account, rule, amount);
    move->plan.destination_count++;
}

/* The shape is right, and it answers so, with this entry. */
static inline void check_long_answer(struct fixture *f, const union hf_operation *op, uint16_t code,
                                     uint8_t rule, uint8_t entry)
{
    struct hf_verdict verdict = hf_operation_check(op, op->header.length);

    assert_string_equal(hf_code_name(verdict.code), "OK");
    assert_true(apply(f, op));
    assert_string_equal(hf_code_name(f->reply.code), hf_code_name(code));
    assert_string_equal(hf_rule_name(f->reply.rule), hf_rule_name(rule));
    assert_int_equal(f->reply.entry, entry);
}

#define assert_plan(f, op, code, rule, entry) \
    check_long_answer(f, operation_of(op), code, rule, entry)
#define assert_plan_ok(f, op) assert_plan(f, op, HF_CODE_OK, HF_RULE_NONE, 0)

/* A long ACCOUNT_PUT with nothing but defaults. */
static inline union hf_operation make_terms(struct fixture *f, uint64_t number, int64_t floor)
{
    union hf_operation op = make_account(f, number, floor);

    op.header.length = sizeof(op.account_put);
    op.account_put.ceiling = HF_CEILING_NONE;
    return op;
}

static inline union hf_operation make_total(struct fixture *f, uint64_t number, int64_t floor)
{
    union hf_operation op = make_terms(f, number, floor);

    op.account_put.flags = HF_ACCOUNT_TOTAL;
    return op;
}

static inline union hf_operation make_child(struct fixture *f, uint64_t number, int64_t floor,
                                            uint64_t parent)
{
    union hf_operation op = make_terms(f, number, floor);

    op.account_put.parent = account_id(parent);
    return op;
}

static inline union hf_operation make_close(struct fixture *f, uint64_t number, uint64_t sink)
{
    union hf_operation op = {.bytes = {0}};

    op.account_close.header = header_of(f, HF_OP_ACCOUNT_CLOSE);
    op.account_close.account = account_id(number);
    op.account_close.sink = account_id(sink);
    return op;
}

/* ---- chains ---- */

static inline struct hf_op_chain *begin_chain(struct fixture *f, struct long_operation *op)
{
    memset(op, 0, sizeof(*op));
    struct hf_op_chain *chain = &operation_of(op)->chain;

    chain->header = header_of(f, HF_OP_CHAIN);
    chain->header.length = sizeof(*chain);
    return chain;
}

static inline void add_link(struct hf_op_chain *chain, const union hf_operation *link)
{
    uint8_t *at = (uint8_t *)chain + chain->header.length;

    assert_true((size_t)chain->header.length + link->header.length <= HF_OPERATION_LENGTH_MAX);
    memcpy(at, link, link->header.length);
    ((struct hf_op_header *)(void *)at)->flags = 0;
    chain->header.length = (uint16_t)(chain->header.length + link->header.length);
    chain->count++;
}

/* ---- events ---- */

struct eyes {
    struct hf_events events;
    struct hf_event list[2 * HF_EVENTS_MAX];
};

/* Looks on from now on; what was seen before is forgotten. */
static inline void watch(struct fixture *f, struct eyes *eyes)
{
    eyes->events = (struct hf_events){.list = eyes->list, .capacity = 2 * HF_EVENTS_MAX};
    hf_ledger_watch(f->ledger, &eyes->events);
}

#define assert_event(eyes, index, expected_kind, number, expected_amount) \
    do {                                                                  \
        const struct hf_event *event_ = &(eyes)->list[index];             \
        assert_true((eyes)->events.count > (index));                      \
        assert_int_equal(event_->kind, (expected_kind));                  \
        assert_true(hf_id_equal(event_->subject, account_id(number)));    \
        assert_int_equal(event_->amount, (expected_amount));              \
    } while (0)

#endif
