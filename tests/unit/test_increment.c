/* INCREMENT: an estimate is raised, asked again of instrument, parties, limits and funds. */
#include "card_fixture.h"

#define DAY_NS (86400 * SECOND_NS)

static void open_card(struct fixture *f)
{
    union hf_operation op = make_instrument(f, CARD, 2);

    op.instrument_put.remaining = 1;
    op.instrument_put.amount_limit = 600;
    assert_ok(f, op);
    assert_ok(f, make_max(f, HF_LIMIT_INSTRUMENT, CARD, 1, HF_LIMIT_DAY, 500, 1));
    assert_ok(f, make_max(f, HF_LIMIT_INSTRUMENT, CARD, 2, HF_LIMIT_OPERATION, 450, 1));
}

static union hf_operation make_estimate(struct fixture *f, uint64_t amount)
{
    union hf_operation op = make_auth(f, CARD, SHOP, amount);

    op.auth.auth_flags = HF_AUTH_ESTIMATED;
    op.auth.acquirer = 7;
    op.auth.class_number = 2;
    return op;
}

static union hf_operation raise_by(struct fixture *f, struct hf_id id, uint64_t amount)
{
    union hf_operation op = make_increment(f, id, amount);

    op.increment.acquirer = 7;
    return op;
}

static struct hf_id estimate(struct fixture *f, uint64_t amount)
{
    union hf_operation op = make_estimate(f, amount);

    check_answer(f, op, HF_CODE_OK, HF_RULE_NONE, 0);
    return op.header.id;
}

/* Counter and counts are used up, and are not asked again. */
static void test_raises(void **state)
{
    struct fixture *f = *state;

    open_card(f);
    struct hf_id id = estimate(f, 100);
    assert_int_equal(remaining_of(f, CARD), 0);
    check_answer(f, raise_by(f, id, 350), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_money(f, 350, 550, 1000);
    assert_balances(f, 2, 1000, 450, 0);
    assert_balances(f, SHOP, 0, 0, 450);
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 1, 450, 1);
    struct hf_authorisation_view view = view_record(f, id);
    assert_int_equal(view.amount, 450);
    assert_int_equal(view.remaining, 450);
    assert_int_equal(view.flags,
                     HF_AUTHORISATION_ESTIMATED | HF_AUTHORISATION_COUNTED | HF_AUTHORISATION_DREW);
    /* An OPERATION counts what is held already. */
    check_answer(f, raise_by(f, id, 1), HF_CODE_AMOUNT_LIMIT, HF_RULE_INSTRUMENT_LIMIT, 2);
    assert_money(f, 0, 550, 1000);
}

static void test_refusals_in_order(void **state)
{
    struct fixture *f = *state;
    struct long_operation room = {.bytes = {0}};
    union hf_operation op;
    union hf_operation card;

    open_card(f);
    check_answer(f, raise_by(f, (struct hf_id){9, 9}, 1), HF_CODE_UNKNOWN_HOLD, HF_RULE_ORIGINAL,
                 0);
    struct hf_id id = estimate(f, 100);
    check_answer(f, make_increment(f, id, 1), HF_CODE_NOT_PERMITTED, HF_RULE_ACQUIRER, 0);
    op = raise_by(f, id, 1);
    op.increment.asset = EUR;
    check_answer(f, op, HF_CODE_ASSET_MISMATCH, HF_RULE_ORIGINAL, 0);
    check_answer(f, raise_by(f, id, HF_AMOUNT_MAX), HF_CODE_OVERFLOW, HF_RULE_HOLD, 0);
    check_answer(f, raise_by(f, id, 501), HF_CODE_AMOUNT_LIMIT, HF_RULE_INSTRUMENT_AMOUNT, 0);
    assert_money(f, 0, 900, 1000);
    check_answer(f, raise_by(f, id, 500), HF_CODE_AMOUNT_LIMIT, HF_RULE_INSTRUMENT_LIMIT, 2);
    assert_ok(f,
              make_max(f, HF_LIMIT_INSTRUMENT, CARD, 2, HF_LIMIT_OPERATION, HF_LIMIT_UNLIMITED, 1));
    check_answer(f, raise_by(f, id, 401), HF_CODE_AMOUNT_LIMIT, HF_RULE_INSTRUMENT_LIMIT, 1);
    assert_ok(f, make_move(f, 2, 3, 600));
    check_answer(f, raise_by(f, id, 301), HF_CODE_INSUFFICIENT, HF_RULE_PAYER, 0);
    op = make_account(f, 2, 0);
    op.account_put.status = HF_ACCOUNT_FROZEN;
    assert_ok(f, op);
    check_answer(f, raise_by(f, id, 401), HF_CODE_RESTRICTED, HF_RULE_PAYER, 0);
    assert_ok(f, make_account(f, 2, 0));
    op = make_account(f, SHOP, 0);
    op.account_put.status = HF_ACCOUNT_FROZEN;
    assert_ok(f, op);
    check_answer(f, raise_by(f, id, 401), HF_CODE_RESTRICTED, HF_RULE_PAYEE, 0);
    card = make_instrument(f, CARD, 2);
    card.instrument_put.status = HF_INSTRUMENT_FROZEN;
    assert_ok(f, card);
    check_answer(f, raise_by(f, id, 1), HF_CODE_RESTRICTED, HF_RULE_INSTRUMENT, 0);
    assert_ok(f, make_reverse(f, (struct hf_id){6, 6}, 1));
    check_answer(f, make_increment(f, (struct hf_id){6, 6}, 1), HF_CODE_REVERSED, HF_RULE_ORIGINAL,
                 0);
    assert_ok(f, make_account(f, SHOP, 0));
    assert_ok(f, make_instrument(f, CARD, 2));
    op = make_clear_flagged(f, id, 1, HF_CLEAR_FINAL);
    op.clear.acquirer = 7;
    assert_ok(f, op);
    op = raise_by(f, id, 1);
    op.increment.asset = EUR;
    check_answer(f, op, HF_CODE_HOLD_RESOLVED, HF_RULE_ORIGINAL, 0);
    /* What is no estimate, and what several pay. */
    assert_ok(f, make_max(f, HF_LIMIT_INSTRUMENT, CARD, 1, HF_LIMIT_DAY, 5000, 99));
    struct hf_id fixed = authorise(f, CARD, 10);
    check_answer(f, make_increment(f, fixed, 1), HF_CODE_NOT_PERMITTED, HF_RULE_ORIGINAL, 0);
    card = make_instrument(f, CARD, 2);
    memcpy(&room, &card, sizeof(card));
    operation_of(&room)->instrument_put.further[0] = account_id(3);
    operation_of(&room)->instrument_put.further_count = 1;
    operation_of(&room)->header.length += sizeof(struct hf_id);
    assert_true(apply(f, operation_of(&room)));
    op = make_estimate(f, 1000);
    op.auth.acquirer = 7;
    assert_ok(f, op);
    check_answer(f, raise_by(f, op.header.id, 1), HF_CODE_NOT_PERMITTED, HF_RULE_PAYER, 0);
}

/* It lives longer when the class named says so, and never shorter. */
static void test_extends(void **state)
{
    struct fixture *f = *state;

    open_card(f);
    uint64_t begin_ns = f->now_ns;
    struct hf_id id = estimate(f, 100);
    assert_int_equal(view_record(f, id).expires_ns, begin_ns + 5 * DAY_NS);
    f->now_ns += DAY_NS;
    assert_ok(f, raise_by(f, id, 1));
    assert_int_equal(view_record(f, id).expires_ns, begin_ns + 5 * DAY_NS);
    union hf_operation op = raise_by(f, id, 1);
    op.increment.class_number = 2;
    assert_ok(f, op);
    assert_int_equal(view_record(f, id).expires_ns, begin_ns + 6 * DAY_NS);
    assert_int_equal(view_record(f, id).class_number, 2);
    assert_ok(f, make_class(f, 6, SECOND_NS));
    op = raise_by(f, id, 1);
    op.increment.class_number = 6;
    assert_ok(f, op);
    assert_int_equal(view_record(f, id).expires_ns, begin_ns + 6 * DAY_NS);
    f->now_ns = begin_ns + 6 * DAY_NS - 1;
    assert_int_equal(expire(f), 0);
    assert_ok(f, raise_by(f, id, 1));
    f->now_ns++;
    check_answer(f, raise_by(f, id, 1), HF_CODE_HOLD_EXPIRED, HF_RULE_ORIGINAL, 0);
    assert_int_equal(expire(f), 1);
    check_answer(f, raise_by(f, id, 1), HF_CODE_HOLD_EXPIRED, HF_RULE_ORIGINAL, 0);
    /* Never is the latest. */
    assert_ok(f, make_max(f, HF_LIMIT_INSTRUMENT, CARD, 1, HF_LIMIT_DAY, 5000, 99));
    assert_ok(f, make_instrument(f, CARD, 2));
    id = estimate(f, 1);
    op = raise_by(f, id, 1);
    op.increment.class_number = 9;
    assert_ok(f, op);
    assert_int_equal(view_record(f, id).expires_ns, 0);
    op = raise_by(f, id, 1);
    op.increment.class_number = 2;
    assert_ok(f, op);
    assert_int_equal(view_record(f, id).expires_ns, 0);
}

/* What was drawn later goes back first, into the window of the first raise. */
static void test_gives_back(void **state)
{
    struct fixture *f = *state;

    assert_ok(f, make_instrument(f, CARD, 2));
    assert_ok(f, make_max(f, HF_LIMIT_INSTRUMENT, CARD, 1, HF_LIMIT_LIFETIME, 500, 5));
    assert_ok(f, make_max(f, HF_LIMIT_INSTRUMENT, CARD, 2, HF_LIMIT_DAY, 500, 5));
    struct hf_id id = estimate(f, 100);
    f->now_ns += DAY_NS;
    assert_ok(f, raise_by(f, id, 50));
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 2, 50, 0);
    union hf_operation op = make_reverse(f, id, 60);
    op.reverse.acquirer = 7;
    assert_ok(f, op);
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 1, 90, 1);
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 2, 0, 0);
    f->now_ns += DAY_NS;
    assert_ok(f, raise_by(f, id, 30)); /* the sum was 0: its time is today */
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 2, 30, 0);
    op = make_reverse(f, id, HF_AMOUNT_ALL);
    op.reverse.acquirer = 7;
    assert_ok(f, op);
    assert_int_equal(f->reply.approved, 120);
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 1, 0, 0);
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 2, 0, 0);
}

static void test_events(void **state)
{
    struct fixture *f = *state;
    struct hf_event list[8];
    struct hf_events events = {.list = list, .capacity = 8};

    open_card(f);
    struct hf_id id = estimate(f, 100);
    hf_ledger_watch(f->ledger, &events);
    assert_ok(f, raise_by(f, id, 20));
    hf_ledger_watch(f->ledger, NULL);
    assert_int_equal(events.count, 3);
    assert_int_equal(list[0].kind, HF_EVENT_ADJUSTED);
    assert_true(hf_id_equal(list[0].subject, id));
    assert_int_equal(list[0].amount, 120);
    assert_int_equal(list[1].kind, HF_EVENT_LIMIT);
    assert_int_equal(list[1].entry, 1);
    assert_int_equal(list[1].amount, 120);
    assert_int_equal(list[2].kind, HF_EVENT_LIMIT);
    assert_int_equal(list[2].amount, 0); /* of an OPERATION nothing is ever used */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        each(test_raises), each(test_refusals_in_order), each(test_extends), each(test_gives_back),
        each(test_events),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
