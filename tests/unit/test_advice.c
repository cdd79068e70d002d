/* FORCED authorisations: what has been decided elsewhere stands, and what would have refused it is
 * told. */
#include "card_fixture.h"

/* The advice stands, and its record says what would have refused it. */
static void check_advice(struct fixture *f, union hf_operation op, uint16_t exception)
{
    op.auth.auth_flags |= HF_AUTH_FORCED;
    check_answer(f, op, HF_CODE_OK, HF_RULE_NONE, 0);
    struct hf_authorisation_view view = view_record(f, op.header.id);
    assert_string_equal(hf_code_name(view.exception), hf_code_name(exception));
    assert_true((view.flags & HF_AUTHORISATION_FORCED) != 0);
    assert_int_equal(view.remaining, op.auth.amount);
    assert_ok(f, make_release(f, op.header.id, HF_AMOUNT_ALL));
}

static void put_card(struct fixture *f, uint8_t status, uint8_t flags, uint64_t remaining)
{
    union hf_operation op = make_instrument(f, CARD, 2);

    op.instrument_put.status = status;
    op.instrument_put.flags = flags;
    op.instrument_put.remaining = remaining;
    assert_ok(f, op);
}

static uint8_t status_of(const struct fixture *f)
{
    struct hf_query_reply reply;

    query(f, HF_QUERY_INSTRUMENT, account_id(CARD), &reply);
    return reply.view.instrument.status;
}

static void test_instrument(void **state)
{
    struct fixture *f = *state;
    union hf_operation op;

    put_card(f, HF_INSTRUMENT_ACTIVE, 0, 5);
    check_advice(f, make_auth(f, CARD, SHOP, 10), HF_CODE_OK);
    assert_int_equal(remaining_of(f, CARD), 4);
    put_card(f, HF_INSTRUMENT_FROZEN, 0, 5);
    check_advice(f, make_auth(f, CARD, SHOP, 10), HF_CODE_RESTRICTED);
    put_card(f, HF_INSTRUMENT_INACTIVE, 0, 5);
    check_advice(f, make_auth(f, CARD, SHOP, 10), HF_CODE_INACTIVE);
    assert_int_equal(status_of(f), HF_INSTRUMENT_INACTIVE);
    put_card(f, HF_INSTRUMENT_INACTIVE, HF_INSTRUMENT_FIRST_USE, 1);
    check_advice(f, make_auth(f, CARD, SHOP, 10), HF_CODE_OK);
    assert_int_equal(status_of(f), HF_INSTRUMENT_ACTIVE);
    assert_int_equal(remaining_of(f, CARD), 0);
    op = make_advice(f, CARD, SHOP, 10);
    check_answer(f, op, HF_CODE_OK, HF_RULE_NONE, 0);
    assert_int_equal(view_record(f, op.header.id).exception, HF_CODE_COUNT_LIMIT);
    assert_int_equal(view_record(f, op.header.id).flags,
                     HF_AUTHORISATION_FORCED |
                         HF_AUTHORISATION_COUNTED); /* none was left to draw */
    assert_int_equal(remaining_of(f, CARD), 0);
    assert_ok(f, make_reverse(f, op.header.id, HF_AMOUNT_ALL));
    assert_int_equal(remaining_of(f, CARD), 0);
    op = make_instrument(f, CARD, 2);
    op.instrument_put.amount_limit = 9;
    op.instrument_put.expires_ns = f->now_ns + 1;
    assert_ok(f, op);
    check_advice(f, make_auth(f, CARD, SHOP, 10), HF_CODE_AMOUNT_LIMIT);
    f->now_ns++;
    check_advice(f, make_auth(f, CARD, SHOP, 10), HF_CODE_EXPIRED);
    put_card(f, HF_INSTRUMENT_CLOSED, 0, 5);
    check_advice(f, make_auth(f, CARD, SHOP, 10), HF_CODE_CLOSED);
    assert_int_equal(remaining_of(f, CARD), 3 + 1);
}

static void test_parties_and_funds(void **state)
{
    struct fixture *f = *state;
    union hf_operation op;

    put_card(f, HF_INSTRUMENT_ACTIVE, 0, HF_INSTRUMENT_UNLIMITED);
    check_advice(f, make_auth(f, CARD, SHOP, 1001), HF_CODE_INSUFFICIENT);
    op = make_account(f, 2, 0);
    op.account_put.status = HF_ACCOUNT_FROZEN;
    assert_ok(f, op);
    check_advice(f, make_auth(f, CARD, SHOP, 1001), HF_CODE_RESTRICTED);
    assert_ok(f, make_account(f, 2, 0));
    op = make_account(f, SHOP, 0);
    op.header.length = sizeof(op.account_put);
    op.account_put.ceiling = 5;
    assert_ok(f, op);
    check_advice(f, make_auth(f, CARD, SHOP, 6), HF_CODE_CEILING);
    op.header = header_of(f, HF_OP_ACCOUNT_PUT);
    op.header.length = sizeof(op.account_put);
    op.account_put.ceiling = HF_CEILING_NONE;
    op.account_put.expires_ns = f->now_ns;
    assert_ok(f, op);
    check_advice(f, make_auth(f, CARD, SHOP, 6), HF_CODE_EXPIRED);
}

static void test_limits(void **state)
{
    struct fixture *f = *state;
    struct hf_event list[8];
    struct hf_events events = {.list = list, .capacity = 8};

    put_card(f, HF_INSTRUMENT_ACTIVE, 0, 5);
    assert_ok(f, make_max(f, HF_LIMIT_INSTRUMENT, CARD, 3, HF_LIMIT_LIFETIME, 100, 2));
    hf_ledger_watch(f->ledger, &events);
    check_answer(f, make_advice(f, CARD, SHOP, 2000), HF_CODE_OK, HF_RULE_NONE, 0);
    hf_ledger_watch(f->ledger, NULL);
    assert_money(f, 2000, -1000, 1000);
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 3, 2000, 1);
    assert_int_equal(events.count, 4);
    assert_int_equal(list[0].kind, HF_EVENT_HELD);
    assert_int_equal(list[1].kind, HF_EVENT_LIMIT);
    assert_int_equal(list[2].kind, HF_EVENT_DRAWN);
    assert_int_equal(list[3].kind, HF_EVENT_EXCEPTION);
    assert_true(hf_id_equal(list[3].subject, f->reply.id));
    assert_int_equal(list[3].amount, 2000);
    assert_int_equal(list[3].asset, USD);
    assert_int_equal(list[3].code, HF_CODE_AMOUNT_LIMIT); /* before the funds */
    assert_int_equal(list[3].rule, HF_RULE_INSTRUMENT_LIMIT);
    assert_int_equal(list[3].entry, 3);
}

static void test_what_still_refuses(void **state)
{
    struct fixture *f = *state;
    union hf_operation op;

    put_card(f, HF_INSTRUMENT_FROZEN, 0, 5);
    check_answer(f, make_advice(f, 99, SHOP, 1), HF_CODE_UNKNOWN_INSTRUMENT, HF_RULE_INSTRUMENT, 0);
    check_answer(f, make_advice(f, CARD, 2, 1), HF_CODE_SAME_ACCOUNT, HF_RULE_PAYER, 0);
    check_answer(f, make_advice(f, CARD, 99, 1), HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_PAYEE, 0);
    assert_money(f, 0, 1000, 1000);
    op = make_advice(f, CARD, SHOP, 1);
    op.auth.asset = EUR;
    check_answer(f, op, HF_CODE_ASSET_MISMATCH, HF_RULE_PAYER, 0);
    assert_ok(f, make_move(f, 1, SHOP, HF_AMOUNT_MAX - 3000));
    check_answer(f, make_advice(f, CARD, SHOP, 3001), HF_CODE_OVERFLOW, HF_RULE_PAYEE, 0);
    assert_ok(f, make_move(f, SHOP, 1, HF_AMOUNT_MAX - 3000));
    op = make_advice(f, CARD, SHOP, 1);
    op.header.deadline_ns = 1;
    check_answer(f, op, HF_CODE_DEADLINE_PASSED, HF_RULE_DEADLINE, 0);
    op = make_advice(f, CARD, SHOP, 1);
    assert_ok(f, make_reverse(f, op.header.id, 1));
    check_answer(f, op, HF_CODE_REVERSED, HF_RULE_ORIGINAL, 0);
    for (int i = 0; i < 4; i++)
        check_answer(f, make_advice(f, CARD, SHOP, 1), HF_CODE_OK, HF_RULE_NONE, 0);
    check_answer(f, make_advice(f, CARD, SHOP, 1), HF_CODE_CAPACITY, HF_RULE_TABLE, 0);
}

static void test_closed_accounts(void **state)
{
    struct fixture *f = *state;
    union hf_operation op = {.bytes = {0}};

    assert_ok(f, make_account(f, 5, 0));
    assert_ok(f, make_account(f, 6, 0));
    assert_ok(f, make_instrument(f, CARD, 5));
    for (uint64_t number = 5; number <= 6; number++) {
        op.account_close.header = header_of(f, HF_OP_ACCOUNT_CLOSE);
        op.account_close.account = account_id(number);
        assert_ok(f, op);
    }
    check_answer(f, make_advice(f, CARD, 6, 1), HF_CODE_CLOSED, HF_RULE_PAYER, 0);
    put_card(f, HF_INSTRUMENT_ACTIVE, 0, 5);
    check_answer(f, make_advice(f, CARD, 6, 1), HF_CODE_CLOSED, HF_RULE_PAYEE, 0);
    assert_int_equal(view_record(f, f->reply.id).flags, HF_AUTHORISATION_FORCED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        each(test_instrument),         each(test_parties_and_funds), each(test_limits),
        each(test_what_still_refuses), each(test_closed_accounts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
