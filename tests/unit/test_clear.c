/* CLEAR: capturing an authorisation, above it, late, by force; and posting without one. */
#include "card_fixture.h"

#define DAY_NS (86400 * SECOND_NS)

static void open_card(struct fixture *f)
{
    union hf_operation op = make_instrument(f, CARD, 2);

    op.instrument_put.remaining = 10;
    assert_ok(f, op);
    assert_ok(f, make_max(f, HF_LIMIT_INSTRUMENT, CARD, 1, HF_LIMIT_DAY, 500, 5));
    assert_ok(f, make_max(f, HF_LIMIT_ACCOUNT, 2, 1, HF_LIMIT_LIFETIME, 900, 9));
}

static void assert_card_used(struct fixture *f, uint64_t amount, uint64_t count)
{
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 1, amount, count);
    assert_used(f, HF_LIMIT_ACCOUNT, 2, 1, amount, count);
}

static void test_several(void **state)
{
    struct fixture *f = *state;

    open_card(f);
    struct hf_id id = authorise(f, CARD, 100);
    check_answer(f, make_clear(f, id, 30), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_money(f, 30, 900, 970);
    check_answer(f, make_clear(f, id, 20), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_card_used(f, 100, 1);
    /* The last one: the rest goes back, to the limits too. */
    check_answer(f, make_clear_flagged(f, id, 10, HF_CLEAR_FINAL), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_money(f, 10, 940, 940);
    assert_balances(f, SHOP, 60, 0, 0);
    assert_card_used(f, 60, 1);
    struct hf_authorisation_view view = view_record(f, id);
    assert_int_equal(view.status, HF_HOLD_RESOLVED);
    assert_int_equal(view.amount, 100);
    assert_int_equal(view.captured, 60);
    assert_int_equal(view.flags, HF_AUTHORISATION_COUNTED | HF_AUTHORISATION_DREW);
    check_answer(f, make_clear(f, id, 1), HF_CODE_HOLD_RESOLVED, HF_RULE_ORIGINAL, 0);
    assert_money(f, 0, 940, 940);
    check_answer(f, make_reverse(f, id, HF_AMOUNT_ALL), HF_CODE_NOTHING_TO_REVERSE,
                 HF_RULE_ORIGINAL, 0);
    /* What went back already does not go back twice. */
    check_answer(f, make_reverse_all(f, id, HF_AMOUNT_ALL), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_card_used(f, 0, 0);
}

static void test_refusals_in_order(void **state)
{
    struct fixture *f = *state;
    struct hf_id never = {5, 5};

    open_card(f);
    assert_ok(f, make_instrument(f, 71, 3));
    check_answer(f, make_clear(f, never, 1), HF_CODE_UNKNOWN_HOLD, HF_RULE_ORIGINAL, 0);
    assert_money(f, 0, 0, 0);
    assert_ok(f, make_hold(f, 2, 3, 1));
    check_answer(f, make_clear(f, f->reply.id, 1), HF_CODE_NOT_PERMITTED, HF_RULE_ORIGINAL, 0);
    struct hf_id id = authorise(f, CARD, 100);
    union hf_operation op = make_clear(f, id, 101);
    op.clear.asset = EUR;
    op.clear.acquirer = 8;
    op.clear.token = account_id(71);
    op.clear.payee = account_id(3);
    op.header.origin = 5;
    check_answer(f, op, HF_CODE_NOT_PERMITTED, HF_RULE_ORIGIN, 0);
    assert_money(f, 0, 899, 1000);
    op.header = header_of(f, HF_OP_CLEAR);
    check_answer(f, op, HF_CODE_NOT_PERMITTED, HF_RULE_ACQUIRER, 0);
    op.header = header_of(f, HF_OP_CLEAR);
    op.clear.acquirer = 0;
    check_answer(f, op, HF_CODE_ASSET_MISMATCH, HF_RULE_ORIGINAL, 0);
    op.header = header_of(f, HF_OP_CLEAR);
    op.clear.asset = USD;
    check_answer(f, op, HF_CODE_NOT_PERMITTED, HF_RULE_INSTRUMENT, 0);
    op.header = header_of(f, HF_OP_CLEAR);
    op.clear.token = account_id(CARD);
    check_answer(f, op, HF_CODE_NOT_PERMITTED, HF_RULE_PAYEE, 0);
    op.header = header_of(f, HF_OP_CLEAR);
    op.clear.payee = account_id(SHOP);
    check_answer(f, op, HF_CODE_OVER_CAPTURE, HF_RULE_ORIGINAL, 0);
    /* Force does not help against another card or payee. */
    op.header = header_of(f, HF_OP_CLEAR);
    op.clear.clear_flags = HF_CLEAR_FORCED;
    op.clear.token = account_id(71);
    check_answer(f, op, HF_CODE_NOT_PERMITTED, HF_RULE_INSTRUMENT, 0);
    union hf_operation shop = make_account(f, SHOP, 0);
    shop.account_put.status = HF_ACCOUNT_FROZEN;
    assert_ok(f, shop);
    check_answer(f, make_clear(f, id, 101), HF_CODE_RESTRICTED, HF_RULE_PAYEE, 0);
    assert_balances(f, SHOP, 0, 0, 100);
}

/* Above it as far as tolerated: the rest is a new debit, and drawn on the limits. */
static void test_tolerance(void **state)
{
    struct fixture *f = *state;
    union hf_operation op = make_auth(f, CARD, SHOP, 100);

    open_card(f);
    op.auth.tolerance = 150;
    assert_ok(f, op);
    struct hf_id id = op.header.id;
    check_answer(f, make_clear(f, id, 116), HF_CODE_OVER_CAPTURE, HF_RULE_ORIGINAL, 0);
    f->now_ns += DAY_NS;
    check_answer(f, make_clear(f, id, 115), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_money(f, 115, 885, 885);
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 1, 15, 0); /* today */
    assert_used(f, HF_LIMIT_ACCOUNT, 2, 1, 115, 1);
    /* It goes back into the windows that it was drawn in, the later ones first. */
    check_answer(f, make_reverse_all(f, id, 10), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 1, 5, 0);
    assert_used(f, HF_LIMIT_ACCOUNT, 2, 1, 105, 1);
    check_answer(f, make_reverse_all(f, id, HF_AMOUNT_ALL), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_int_equal(f->reply.approved, 105);
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 1, 0, 0);
    assert_used(f, HF_LIMIT_ACCOUNT, 2, 1, 0, 0);
    assert_int_equal(view_record(f, id).amount, 0); /* not below */
}

static void test_late(void **state)
{
    struct fixture *f = *state;
    union hf_operation op = make_auth(f, CARD, SHOP, 100);

    open_card(f);
    op.auth.class_number = 2;
    assert_ok(f, op);
    f->now_ns += 5 * DAY_NS;
    assert_int_equal(expire(f), 1);
    check_answer(f, make_clear(f, op.header.id, 30), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_money(f, 30, 970, 970);
    assert_int_equal(view_record(f, op.header.id).status, HF_HOLD_LAPSED);
    assert_used(f, HF_LIMIT_ACCOUNT, 2, 1, 100, 1); /* no more than the authorisation drew */
    check_answer(f, make_clear_flagged(f, op.header.id, 30, HF_CLEAR_FINAL), HF_CODE_OK,
                 HF_RULE_NONE, 0);
    assert_int_equal(view_record(f, op.header.id).status, HF_HOLD_RESOLVED);
    assert_used(f, HF_LIMIT_ACCOUNT, 2, 1, 60, 1);
}

/* Forced: more than there is, for a payee that is frozen, from a payer that has nothing. */
static void test_forced(void **state)
{
    struct fixture *f = *state;
    union hf_operation shop = make_account(f, SHOP, 0);
    struct hf_event list[64];
    struct hf_events events = {.list = list, .capacity = 64};

    open_card(f);
    struct hf_id id = authorise(f, CARD, 100);
    check_answer(f, make_clear_flagged(f, id, 40, HF_CLEAR_FORCED), HF_CODE_OK, HF_RULE_NONE, 0);
    shop.account_put.status = HF_ACCOUNT_FROZEN;
    assert_ok(f, shop);
    assert_ok(f, make_move(f, 2, 3, 900));
    hf_ledger_watch(f->ledger, &events);
    check_answer(f, make_clear_flagged(f, id, 5000, HF_CLEAR_FORCED | HF_CLEAR_FINAL), HF_CODE_OK,
                 HF_RULE_NONE, 0);
    hf_ledger_watch(f->ledger, NULL);
    assert_money(f, 5000, -4940, -4940);
    assert_balances(f, SHOP, 5040, 0, 0);
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 1, 5040, 1);
    assert_int_equal(view_record(f, id).exception, 0); /* that is the authorisation's own */
    assert_int_equal(events.count, 6);
    assert_int_equal(list[0].kind, HF_EVENT_POSTED);
    assert_int_equal(list[1].kind, HF_EVENT_POSTED);
    assert_int_equal(list[2].kind, HF_EVENT_CAPTURED);
    assert_int_equal(list[3].kind, HF_EVENT_LIMIT);
    assert_int_equal(list[3].amount, 5040);
    assert_int_equal(list[4].kind, HF_EVENT_LIMIT);
    assert_int_equal(list[5].kind, HF_EVENT_EXCEPTION);
    assert_true(hf_id_equal(list[5].subject, id));
    assert_int_equal(list[5].amount, 5000);
    assert_int_equal(list[5].code, HF_CODE_RESTRICTED); /* the first of three */
    assert_int_equal(list[5].rule, HF_RULE_PAYEE);
}

/* Each reason there is for posting without an authorisation. */
static void test_force_posts(void **state)
{
    struct fixture *f = *state;

    open_card(f);
    /* None is named. */
    check_answer(f, make_post(f, CARD, SHOP, 11), HF_CODE_OK, HF_RULE_NONE, 0);
    struct hf_id post = f->reply.id;
    assert_money(f, 11, 989, 989);
    assert_card_used(f, 11, 1);
    assert_int_equal(remaining_of(f, CARD), 9);
    struct hf_authorisation_view view = view_record(f, post);
    assert_int_equal(view.status, HF_HOLD_RESOLVED);
    assert_int_equal(view.exception, HF_CODE_UNKNOWN_HOLD);
    assert_int_equal(view.flags,
                     HF_AUTHORISATION_FORCED | HF_AUTHORISATION_COUNTED | HF_AUTHORISATION_DREW);
    assert_int_equal(view.amount, 11);
    assert_int_equal(view.captured, 11);
    assert_int_equal(view_hold(f, post).captured, 11);
    /* The one named was reversed before it came: not known what it was for. */
    assert_ok(f, make_reverse(f, (struct hf_id){3, 3}, 1));
    check_answer(f, make_clear_flagged(f, (struct hf_id){3, 3}, 1, HF_CLEAR_FORCED),
                 HF_CODE_UNKNOWN_INSTRUMENT, HF_RULE_INSTRUMENT, 0);
    assert_money(f, 0, 0, 0);
    /* Refused: the record names card and payee. */
    check_answer(f, make_auth(f, CARD, SHOP, 5000), HF_CODE_AMOUNT_LIMIT, HF_RULE_INSTRUMENT_LIMIT,
                 1);
    check_answer(f, make_clear_flagged(f, f->reply.id, 600, HF_CLEAR_FORCED), HF_CODE_OK,
                 HF_RULE_NONE, 0);
    assert_int_equal(view_record(f, f->reply.id).exception, HF_CODE_HOLD_RESOLVED);
    assert_card_used(f, 611, 2);
    /* Cleared already. */
    struct hf_id resolved = f->reply.id;
    check_answer(f, make_clear_flagged(f, resolved, 1, HF_CLEAR_FORCED), HF_CODE_OK, HF_RULE_NONE,
                 0);
    assert_balances(f, SHOP, 612, 0, 0);
    assert_balances(f, 2, 388, 0, 0);
}

static void test_force_post_refusals(void **state)
{
    struct fixture *f = *state;
    union hf_operation op;

    open_card(f);
    check_answer(f, make_post(f, 99, SHOP, 1), HF_CODE_UNKNOWN_INSTRUMENT, HF_RULE_INSTRUMENT, 0);
    check_answer(f, make_post(f, CARD, 2, 1), HF_CODE_SAME_ACCOUNT, HF_RULE_PAYER, 0);
    assert_money(f, 0, 0, 0);
    check_answer(f, make_post(f, CARD, 99, 1), HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_PAYEE, 0);
    assert_money(f, 0, 1000, 1000);
    op = make_post(f, CARD, SHOP, 1);
    op.clear.asset = EUR;
    check_answer(f, op, HF_CODE_ASSET_MISMATCH, HF_RULE_PAYER, 0);
    op = make_post(f, CARD, SHOP, 1);
    op.clear.payee = (struct hf_id){0};
    check_answer(f, op, HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_PAYEE, 0);
    check_answer(f, make_post(f, CARD, SHOP, HF_AMOUNT_MAX), HF_CODE_OK, HF_RULE_NONE, 0);
    check_answer(f, make_post(f, CARD, SHOP, 1001), HF_CODE_OVERFLOW, HF_RULE_PAYEE, 0);
    /* None of these left a record. */
    assert_int_equal(counts_of(f).holds_resolved, 1);
    assert_int_equal(view_records(f, CARD, 0).count, 1);
}

/* A force-post is an original like any: its reversal may come first, and its id is used once. */
static void test_force_post_reversed(void **state)
{
    struct fixture *f = *state;

    open_card(f);
    union hf_operation op = make_post(f, CARD, SHOP, 20);
    check_answer(f, op, HF_CODE_OK, HF_RULE_NONE, 0);
    check_answer(f, make_reverse(f, op.header.id, HF_AMOUNT_ALL), HF_CODE_NOTHING_TO_REVERSE,
                 HF_RULE_ORIGINAL, 0);
    check_answer(f, make_reverse_all(f, op.header.id, HF_AMOUNT_ALL), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_money(f, 20, 1000, 1000);
    assert_card_used(f, 0, 0);
    assert_int_equal(remaining_of(f, CARD), 10);
    assert_false(apply(f, &op)); /* answered again, not posted again */
    assert_int_equal(f->reply.approved, 20);
    op = make_post(f, CARD, SHOP, 20);
    assert_ok(f, make_reverse_all(f, op.header.id, 20));
    check_answer(f, op, HF_CODE_REVERSED, HF_RULE_ORIGINAL, 0);
    assert_int_equal(view_record(f, op.header.id).status, HF_HOLD_REVERSED);
    assert_balances(f, 2, 1000, 0, 0);
}

/* Without a place it posts, and leaves no record. */
static void test_force_post_without_place(void **state)
{
    struct fixture *f = *state;

    open_card(f);
    for (int i = 0; i < 4; i++)
        authorise(f, CARD, 1);
    check_answer(f, make_post(f, CARD, SHOP, 20), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_int_equal(query_code(f, HF_QUERY_AUTHORISATION, f->reply.id), HF_CODE_UNKNOWN_HOLD);
    assert_card_used(f, 24, 5);
    assert_balances(f, SHOP, 20, 0, 4);
}

/* Of several payers the parts are captured in order, and each gives back what is its own. */
static void test_several_payers(void **state)
{
    struct fixture *f = *state;
    struct long_operation room = {.bytes = {0}};
    union hf_operation *card = operation_of(&room);

    *card = make_instrument(f, CARD, 2);
    card->instrument_put.further[0] = account_id(3);
    card->instrument_put.further_count = 1;
    card->header.length = sizeof(card->instrument_put) + sizeof(struct hf_id);
    assert_true(apply(f, card));
    assert_ok(f, make_max(f, HF_LIMIT_INSTRUMENT, CARD, 1, HF_LIMIT_LIFETIME, 5000, 5));
    assert_ok(f, make_max(f, HF_LIMIT_ACCOUNT, 2, 1, HF_LIMIT_LIFETIME, 5000, 5));
    assert_ok(f, make_max(f, HF_LIMIT_ACCOUNT, 3, 1, HF_LIMIT_LIFETIME, 5000, 5));
    struct hf_id id = authorise(f, CARD, 1400);
    assert_balances(f, 2, 1000, 1000, 0);
    assert_balances(f, 3, 1000, 400, 0);
    check_answer(f, make_clear(f, id, 900), HF_CODE_OK, HF_RULE_NONE, 0);
    check_answer(f, make_reverse(f, id, 300), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_balances(f, 2, 100, 100, 0);
    assert_balances(f, 3, 1000, 100, 0);
    assert_used(f, HF_LIMIT_ACCOUNT, 2, 1, 1000, 1);
    assert_used(f, HF_LIMIT_ACCOUNT, 3, 1, 100, 1);
    check_answer(f, make_reverse_all(f, id, 201), HF_CODE_NOT_PERMITTED, HF_RULE_PAYER, 0);
    check_answer(f, make_clear_flagged(f, id, 50, HF_CLEAR_FINAL), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_balances(f, 2, 50, 0, 0);
    assert_balances(f, 3, 1000, 0, 0);
    assert_used(f, HF_LIMIT_ACCOUNT, 2, 1, 950, 1);
    assert_used(f, HF_LIMIT_ACCOUNT, 3, 1, 0, 1);
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 1, 950, 1);
    check_answer(f, make_reverse_all(f, id, 1), HF_CODE_NOT_PERMITTED, HF_RULE_PAYER, 0);
    check_answer(f, make_increment(f, id, 1), HF_CODE_HOLD_RESOLVED, HF_RULE_ORIGINAL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        each(test_several),
        each(test_refusals_in_order),
        each(test_tolerance),
        each(test_late),
        each(test_forced),
        each(test_force_posts),
        each(test_force_post_refusals),
        each(test_force_post_reversed),
        each(test_force_post_without_place),
        each(test_several_payers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
