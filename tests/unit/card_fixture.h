/* What tests of authorisations and what becomes of them share. */
#ifndef HF_TESTS_UNIT_CARD_FIXTURE_H
#define HF_TESTS_UNIT_CARD_FIXTURE_H

#include "limit_fixture.h"

static inline union hf_operation make_reverse(struct fixture *f, struct hf_id original,
                                              uint64_t amount)
{
    union hf_operation op = {.bytes = {0}};

    op.reverse.header = header_of(f, HF_OP_REVERSE);
    op.reverse.original = original;
    op.reverse.amount = amount;
    op.reverse.asset = USD;
    return op;
}

/* What has been captured goes back as well. */
static inline union hf_operation make_reverse_all(struct fixture *f, struct hf_id original,
                                                  uint64_t amount)
{
    union hf_operation op = make_reverse(f, original, amount);

    op.reverse.captured = 1;
    return op;
}

static inline union hf_operation make_clear(struct fixture *f, struct hf_id original,
                                            uint64_t amount)
{
    union hf_operation op = {.bytes = {0}};

    op.clear.header = header_of(f, HF_OP_CLEAR);
    op.clear.original = original;
    op.clear.amount = amount;
    op.clear.asset = USD;
    return op;
}

static inline union hf_operation make_clear_flagged(struct fixture *f, struct hf_id original,
                                                    uint64_t amount, uint8_t flags)
{
    union hf_operation op = make_clear(f, original, amount);

    op.clear.clear_flags = flags;
    return op;
}

/* A force-post with a card, of no authorisation. */
static inline union hf_operation make_post(struct fixture *f, uint64_t token, uint64_t payee,
                                           uint64_t amount)
{
    union hf_operation op = make_clear_flagged(f, (struct hf_id){0}, amount, HF_CLEAR_FORCED);

    op.clear.token = account_id(token);
    op.clear.payee = account_id(payee);
    return op;
}

static inline union hf_operation make_increment(struct fixture *f, struct hf_id original,
                                                uint64_t amount)
{
    union hf_operation op = {.bytes = {0}};

    op.increment.header = header_of(f, HF_OP_INCREMENT);
    op.increment.original = original;
    op.increment.amount = amount;
    op.increment.asset = USD;
    return op;
}

static inline union hf_operation make_advice(struct fixture *f, uint64_t token, uint64_t payee,
                                             uint64_t amount)
{
    union hf_operation op = make_auth(f, token, payee, amount);

    op.auth.auth_flags = HF_AUTH_FORCED;
    return op;
}

/* An approved authorisation's id. */
static inline struct hf_id authorise(struct fixture *f, uint64_t token, uint64_t amount)
{
    union hf_operation op = make_auth(f, token, SHOP, amount);

    check_answer(f, op, HF_CODE_OK, HF_RULE_NONE, 0);
    return op.header.id;
}

static inline struct hf_authorisation_view view_record(const struct fixture *f, struct hf_id id)
{
    struct hf_query_reply reply;

    query(f, HF_QUERY_AUTHORISATION, id, &reply);
    assert_int_equal(reply.reply.code, HF_CODE_OK);
    assert_int_equal(reply.reply.length,
                     sizeof(struct hf_reply) + sizeof(struct hf_authorisation_view));
    assert_true(hf_id_equal(reply.view.authorisation.id, id));
    return reply.view.authorisation;
}

static inline uint16_t query_code(const struct fixture *f, uint8_t subject, struct hf_id id)
{
    struct hf_query_reply reply;

    query(f, subject, id, &reply);
    return reply.reply.code;
}

/* A page of a card's authorisations. */
static inline struct hf_authorisations_view view_records(const struct fixture *f, uint64_t token,
                                                         uint32_t cursor)
{
    struct hf_op_query query = {
        .header = {.length = sizeof(query), .type = HF_OP_QUERY, .id = {1, 1}},
        .subject_id = account_id(token),
        .subject = HF_QUERY_INSTRUMENT_AUTHORISATIONS,
        .cursor = cursor,
    };
    struct hf_query_reply reply;

    hf_ledger_query(f->ledger, &query, &reply);
    assert_int_equal(reply.reply.code, HF_CODE_OK);
    assert_int_equal(reply.reply.length,
                     sizeof(struct hf_reply) + offsetof(struct hf_authorisations_view, lines) +
                         reply.view.authorisations.count * sizeof(struct hf_authorisation_view));
    return reply.view.authorisations;
}

static inline uint64_t remaining_of(const struct fixture *f, uint64_t token)
{
    struct hf_query_reply reply;

    query(f, HF_QUERY_INSTRUMENT, account_id(token), &reply);
    assert_int_equal(reply.reply.code, HF_CODE_OK);
    return reply.view.instrument.remaining;
}

#endif
