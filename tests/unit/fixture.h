/* What unit tests of the engine share: a ledger in memory of its own, and short ways to say an
 * operation. Every test program has its own copy (static inline: unused ones cost nothing). */
#ifndef HF_TESTS_UNIT_FIXTURE_H
#define HF_TESTS_UNIT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/ledger.h"

#include <stdlib.h>
#include <string.h>

#define START_NS UINT64_C(1700000000000000000)
#define NS_IN_MS UINT64_C(1000000)
#define USD      840
#define EUR      978

/* splitmix64: a test's whole randomness comes from its printed seed. */
static inline uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

/* A ledger, the time, and a counter that makes ids. */
struct fixture {
    struct hf_ledger *ledger;
    void *memory;
    uint64_t now_ns;
    uint64_t id_count;
    struct hf_reply reply; /* to the operation applied last */
};

static const struct hf_ledger_limits small_limits = {
    .accounts = 40,
    .instruments = 4,
    .holds = 4,
    .terms = 24,
    .parts = 64,
    .selectors = 2,
    .limits = 64,
    .rolling = 8,
    .remembered = 64,
    .remember_ns = 3600 * UINT64_C(1000000000),
    .record_ns = 45 * 86400 * UINT64_C(1000000000),
    .id_ahead_ns = 60 * UINT64_C(1000000000),
};

static inline void open_fixture(struct fixture *f, const struct hf_ledger_limits *limits)
{
    size_t size = hf_ledger_memory_size(limits);

    memset(f, 0, sizeof(*f));
    assert_true(size > 0);
    f->memory = aligned_alloc(64, size);
    assert_non_null(f->memory);
    memset(f->memory, 0, size);
    f->ledger = hf_ledger_create(limits, f->memory, size);
    assert_non_null(f->ledger);
    f->now_ns = START_NS;
}

static inline void close_fixture(struct fixture *f)
{
    free(f->memory);
    f->ledger = NULL;
}

static inline struct hf_id account_id(uint64_t number)
{
    return (struct hf_id){number, 0};
}

/* A new operation id of the present time. */
static inline struct hf_id new_id(struct fixture *f)
{
    return hf_id_make_operation(f->now_ns / NS_IN_MS, 7, ++f->id_count);
}

static inline struct hf_op_header header_of(struct fixture *f, uint8_t type)
{
    return (struct hf_op_header){
        .length = hf_operation_length(type),
        .type = type,
        .flags = HF_OP_RETURN_BALANCES,
        .id = new_id(f),
    };
}

static inline union hf_operation make_asset(struct fixture *f, uint16_t asset, const char *code)
{
    union hf_operation op = {.bytes = {0}};
    op.asset_put.header = header_of(f, HF_OP_ASSET_PUT);
    op.asset_put.asset = asset;
    op.asset_put.scale = 2;
    memcpy(op.asset_put.code, code, strlen(code));
    return op;
}

static inline union hf_operation make_account(struct fixture *f, uint64_t number, int64_t floor)
{
    union hf_operation op = {.bytes = {0}};
    op.account_put.header = header_of(f, HF_OP_ACCOUNT_PUT);
    op.account_put.account = account_id(number);
    op.account_put.floor = floor;
    op.account_put.asset = USD;
    return op;
}

static inline union hf_operation make_move(struct fixture *f, uint64_t payer, uint64_t payee,
                                           uint64_t amount)
{
    union hf_operation op = {.bytes = {0}};
    op.move.header = header_of(f, HF_OP_MOVE);
    op.move.payer = account_id(payer);
    op.move.payee = account_id(payee);
    op.move.amount = amount;
    op.move.asset = USD;
    return op;
}

static inline union hf_operation make_hold(struct fixture *f, uint64_t payer, uint64_t payee,
                                           uint64_t amount)
{
    union hf_operation op = {.bytes = {0}};
    op.hold.header = header_of(f, HF_OP_HOLD);
    op.hold.payer = account_id(payer);
    op.hold.payee = account_id(payee);
    op.hold.amount = amount;
    op.hold.asset = USD;
    return op;
}

static inline union hf_operation make_capture(struct fixture *f, struct hf_id hold, uint64_t amount,
                                              bool final)
{
    union hf_operation op = {.bytes = {0}};
    op.capture.header = header_of(f, HF_OP_CAPTURE);
    op.capture.hold = hold;
    op.capture.amount = amount;
    op.capture.final = final;
    return op;
}

static inline union hf_operation make_release(struct fixture *f, struct hf_id hold, uint64_t amount)
{
    union hf_operation op = {.bytes = {0}};
    op.release.header = header_of(f, HF_OP_RELEASE);
    op.release.hold = hold;
    op.release.amount = amount;
    return op;
}

static inline union hf_operation make_instrument(struct fixture *f, uint64_t token,
                                                 uint64_t account)
{
    union hf_operation op = {.bytes = {0}};
    op.instrument_put.header = header_of(f, HF_OP_INSTRUMENT_PUT);
    op.instrument_put.token = account_id(token);
    op.instrument_put.account = account_id(account);
    op.instrument_put.amount_limit = HF_INSTRUMENT_UNLIMITED;
    op.instrument_put.remaining = HF_INSTRUMENT_UNLIMITED;
    op.instrument_put.status = HF_INSTRUMENT_ACTIVE;
    return op;
}

static inline union hf_operation make_auth(struct fixture *f, uint64_t token, uint64_t payee,
                                           uint64_t amount)
{
    union hf_operation op = {.bytes = {0}};
    op.auth.header = header_of(f, HF_OP_AUTH);
    op.auth.token = account_id(token);
    op.auth.payee = account_id(payee);
    op.auth.amount = amount;
    op.auth.asset = USD;
    return op;
}

/* A limit that nothing comes near: both maxima are unlimited. */
static inline union hf_operation make_limit(struct fixture *f, uint8_t scope, uint64_t scope_id,
                                            uint8_t number, uint8_t window)
{
    union hf_operation op = {.bytes = {0}};
    op.limit_put.header = header_of(f, HF_OP_LIMIT_PUT);
    op.limit_put.scope_id = account_id(scope_id);
    op.limit_put.max_amount = HF_LIMIT_UNLIMITED;
    op.limit_put.max_count = HF_LIMIT_UNLIMITED;
    op.limit_put.scope = scope;
    op.limit_put.number = number;
    op.limit_put.window = window;
    return op;
}

/* Applies one operation at the present time; true when it took a place. The reply is in f->reply.
 */
static inline bool apply(struct fixture *f, const union hf_operation *op)
{
    const union hf_operation *bundle[1] = {op};

    memset(&f->reply, 0xee, sizeof(f->reply));
    uint64_t placed = hf_ledger_apply(f->ledger, f->now_ns, bundle, 1, &f->reply);
    assert_true(placed <= 1);
    return placed == 1;
}

static inline struct hf_account_view view_account(const struct fixture *f, uint64_t number)
{
    struct hf_op_query query = {
        .header = {.length = sizeof(query), .type = HF_OP_QUERY, .id = {1, 1}},
        .subject_id = account_id(number),
        .subject = HF_QUERY_ACCOUNT,
    };
    struct hf_query_reply reply;

    hf_ledger_query(f->ledger, &query, &reply);
    assert_int_equal(reply.reply.code, HF_CODE_OK);
    return reply.view.account;
}

/* Answers with this code and rule, and takes a place. */
#define assert_answer(f, op, expected_code, expected_rule)                               \
    do {                                                                                 \
        union hf_operation answered_op_ = (op);                                          \
        assert_true(apply((f), &answered_op_));                                          \
        assert_string_equal(hf_code_name((f)->reply.code), hf_code_name(expected_code)); \
        assert_string_equal(hf_rule_name((f)->reply.rule), hf_rule_name(expected_rule)); \
    } while (0)

#define assert_ok(f, op) assert_answer(f, op, HF_CODE_OK, HF_RULE_NONE)

/* USD; account 1 without a floor, 2 and 3 with 1,000 each, 4 with nothing. */
static inline void open_accounts(struct fixture *f)
{
    assert_ok(f, make_asset(f, USD, "USD"));
    assert_ok(f, make_account(f, 1, HF_FLOOR_NONE));
    for (uint64_t number = 2; number <= 4; number++)
        assert_ok(f, make_account(f, number, 0));
    assert_ok(f, make_move(f, 1, 2, 1000));
    assert_ok(f, make_move(f, 1, 3, 1000));
}

/* One fixture a test, with accounts opened; the sums checked at its end. */
static inline int open_each(void **state)
{
    struct fixture *f = malloc(sizeof(*f));

    assert_non_null(f);
    open_fixture(f, &small_limits);
    open_accounts(f);
    *state = f;
    return 0;
}

static inline int close_each(void **state)
{
    struct fixture *f = *state;

    assert_true(hf_ledger_is_balanced(f->ledger));
    close_fixture(f);
    free(f);
    return 0;
}

#define assert_balances(f, number, expected_posted, expected_out, expected_in) \
    do {                                                                       \
        struct hf_account_view view_ = view_account((f), (number));            \
        assert_int_equal(view_.posted, (expected_posted));                     \
        assert_int_equal(view_.held_out, (expected_out));                      \
        assert_int_equal(view_.held_in, (expected_in));                        \
    } while (0)

#define assert_money(f, expected_approved, expected_available, expected_posted) \
    do {                                                                        \
        assert_int_equal((f)->reply.approved, (expected_approved));             \
        assert_int_equal((f)->reply.available, (expected_available));           \
        assert_int_equal((f)->reply.posted, (expected_posted));                 \
    } while (0)

static inline struct hf_ledger_counts counts_of(const struct fixture *f)
{
    struct hf_ledger_counts counts;
    hf_ledger_count(f->ledger, &counts);
    return counts;
}

static inline void query(const struct fixture *f, uint8_t subject, struct hf_id id,
                         struct hf_query_reply *reply)
{
    struct hf_op_query query = {
        .header = {.length = sizeof(query), .type = HF_OP_QUERY, .id = {44, 55}},
        .subject_id = id,
        .subject = subject,
    };

    memset(reply, 0xee, sizeof(*reply));
    hf_ledger_query(f->ledger, &query, reply);
    assert_int_equal(reply->reply.type, HF_OP_QUERY | HF_REPLY_TYPE_BIT);
    assert_true(hf_id_equal(reply->reply.id, query.header.id));
    assert_int_equal(reply->reply.place, hf_ledger_place(f->ledger));
    assert_int_equal(reply->reply.timestamp_ns, hf_ledger_timestamp_ns(f->ledger));
    assert_int_equal(reply->reply.approved, 0);
}

#define each(test) cmocka_unit_test_setup_teardown(test, open_each, close_each)

#endif
