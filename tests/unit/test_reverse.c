/* REVERSE: what goes back to whom, and to which limits. */
#include "card_fixture.h"

#define DAY_NS (86400 * SECOND_NS)

/* A card on account 2 with ten authorisations, a limit of a day and one for life. */
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

static void test_whole(void **state)
{
    struct fixture *f = *state;

    open_card(f);
    struct hf_id id = authorise(f, CARD, 100);
    assert_card_used(f, 100, 1);
    assert_int_equal(remaining_of(f, CARD), 9);
    check_answer(f, make_reverse(f, id, HF_AMOUNT_ALL), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_money(f, 100, 1000, 1000);
    assert_balances(f, 2, 1000, 0, 0);
    assert_balances(f, SHOP, 0, 0, 0);
    assert_card_used(f, 0, 0);
    assert_int_equal(remaining_of(f, CARD), 10);
    struct hf_authorisation_view view = view_record(f, id);
    assert_int_equal(view.status, HF_HOLD_RESOLVED);
    assert_int_equal(view.flags, HF_AUTHORISATION_REVERSED);
    assert_int_equal(view.amount, 0);
    assert_int_equal(view.reversed, 100);
    /* Once more, as a sender does that got no answer: all of it, or as much. */
    check_answer(f, make_reverse(f, id, HF_AMOUNT_ALL), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_money(f, 100, 1000, 1000);
    check_answer(f, make_reverse(f, id, 100), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_money(f, 100, 1000, 1000);
    check_answer(f, make_reverse(f, id, 99), HF_CODE_NOTHING_TO_REVERSE, HF_RULE_ORIGINAL, 0);
    assert_money(f, 0, 1000, 1000);
    assert_card_used(f, 0, 0);
    assert_int_equal(remaining_of(f, CARD), 10);
}

static void test_in_parts(void **state)
{
    struct fixture *f = *state;

    open_card(f);
    struct hf_id id = authorise(f, CARD, 100);
    check_answer(f, make_reverse(f, id, 30), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_money(f, 30, 930, 1000);
    assert_card_used(f, 70, 1); /* the count stays */
    assert_int_equal(remaining_of(f, CARD), 9);
    assert_int_equal(view_record(f, id).flags, HF_AUTHORISATION_COUNTED | HF_AUTHORISATION_DREW);
    check_answer(f, make_reverse(f, id, 71), HF_CODE_OVER_CAPTURE, HF_RULE_ORIGINAL, 0);
    check_answer(f, make_clear(f, id, 20), HF_CODE_OK, HF_RULE_NONE, 0);
    /* What is captured stays, and with it the count. */
    check_answer(f, make_reverse(f, id, HF_AMOUNT_ALL), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_money(f, 50, 980, 980);
    assert_card_used(f, 20, 1);
    struct hf_authorisation_view view = view_record(f, id);
    assert_int_equal(view.amount, 20);
    assert_int_equal(view.captured, 20);
    assert_int_equal(view.reversed, 80);
    assert_int_equal(view.status, HF_HOLD_RESOLVED);
    assert_int_equal(view.flags,
                     HF_AUTHORISATION_COUNTED | HF_AUTHORISATION_DREW | HF_AUTHORISATION_REVERSED);
    check_answer(f, make_reverse(f, id, 80), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_int_equal(f->reply.approved, 80);
    /* Now that as well. */
    check_answer(f, make_reverse_all(f, id, 21), HF_CODE_OVER_CAPTURE, HF_RULE_ORIGINAL, 0);
    check_answer(f, make_reverse_all(f, id, 5), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_money(f, 5, 985, 985);
    assert_card_used(f, 15, 1);
    check_answer(f, make_reverse_all(f, id, HF_AMOUNT_ALL), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_money(f, 15, 1000, 1000);
    assert_balances(f, SHOP, 0, 0, 0);
    assert_int_equal(view_account(f, SHOP).lifetime_debits, 20);
    assert_card_used(f, 0, 0);
    assert_int_equal(remaining_of(f, CARD), 10);
    assert_int_equal(view_record(f, id).flags, HF_AUTHORISATION_REVERSED);
}

/* What is not captured goes first. */
static void test_open_and_captured(void **state)
{
    struct fixture *f = *state;

    open_card(f);
    struct hf_id id = authorise(f, CARD, 100);
    check_answer(f, make_clear(f, id, 60), HF_CODE_OK, HF_RULE_NONE, 0);
    check_answer(f, make_reverse_all(f, id, 50), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_money(f, 50, 950, 950);
    assert_balances(f, 2, 950, 0, 0);
    assert_balances(f, SHOP, 50, 0, 0);
    struct hf_authorisation_view view = view_record(f, id);
    assert_int_equal(view.amount, 50);
    assert_int_equal(view.captured, 50);
    assert_int_equal(view.status, HF_HOLD_RESOLVED);
    /* The shop has spent it meanwhile. */
    assert_ok(f, make_move(f, SHOP, 3, 1));
    check_answer(f, make_reverse_all(f, id, 50), HF_CODE_INSUFFICIENT, HF_RULE_PAYEE, 0);
    assert_money(f, 0, 950, 950);
    check_answer(f, make_reverse_all(f, id, 49), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_card_used(f, 1, 1);
}

static void test_refusals_in_order(void **state)
{
    struct fixture *f = *state;
    struct hf_id never = {5, 5};
    union hf_operation op;

    open_card(f);
    assert_ok(f, make_hold(f, 2, 3, 1));
    check_answer(f, make_reverse(f, f->reply.id, 1), HF_CODE_NOT_PERMITTED, HF_RULE_ORIGINAL, 0);
    assert_money(f, 0, 999, 1000);
    struct hf_id id = authorise(f, CARD, 100);
    op = make_reverse(f, id, 101);
    op.reverse.acquirer = 8;
    op.reverse.asset = EUR;
    op.header.origin = 3;
    check_answer(f, op, HF_CODE_NOT_PERMITTED, HF_RULE_ORIGIN, 0);
    op.header = header_of(f, HF_OP_REVERSE);
    check_answer(f, op, HF_CODE_NOT_PERMITTED, HF_RULE_ACQUIRER, 0);
    op.header = header_of(f, HF_OP_REVERSE);
    op.reverse.acquirer = 0;
    check_answer(f, op, HF_CODE_ASSET_MISMATCH, HF_RULE_ORIGINAL, 0);
    check_answer(f, make_reverse(f, id, 101), HF_CODE_OVER_CAPTURE, HF_RULE_ORIGINAL, 0);
    assert_money(f, 0, 899, 1000);
    /* One that was refused: there is nothing, with or without balances to show. */
    check_answer(f, make_auth(f, CARD, SHOP, 5000), HF_CODE_AMOUNT_LIMIT, HF_RULE_INSTRUMENT_LIMIT,
                 1);
    check_answer(f, make_reverse(f, f->reply.id, 1), HF_CODE_NOTHING_TO_REVERSE, HF_RULE_ORIGINAL,
                 0);
    assert_money(f, 0, 899, 1000);
    check_answer(f, make_auth(f, 99, SHOP, 5), HF_CODE_UNKNOWN_INSTRUMENT, HF_RULE_INSTRUMENT, 0);
    check_answer(f, make_reverse(f, f->reply.id, 1), HF_CODE_NOTHING_TO_REVERSE, HF_RULE_ORIGINAL,
                 0);
    assert_money(f, 0, 0, 0);
    /* All four places are open holds'. */
    authorise(f, CARD, 1);
    authorise(f, CARD, 1);
    check_answer(f, make_reverse(f, never, 1), HF_CODE_CAPACITY, HF_RULE_TABLE, 0);
}

static void test_closed_parties(void **state)
{
    struct fixture *f = *state;
    union hf_operation op = {.bytes = {0}};

    assert_ok(f, make_account(f, 5, 0));
    assert_ok(f, make_move(f, 1, 5, 10));
    assert_ok(f, make_instrument(f, CARD, 5));
    struct hf_id id = authorise(f, CARD, 10);
    check_answer(f, make_clear(f, id, 10), HF_CODE_OK, HF_RULE_NONE, 0);
    op.account_close.header = header_of(f, HF_OP_ACCOUNT_CLOSE);
    op.account_close.account = account_id(5);
    assert_ok(f, op);
    check_answer(f, make_reverse_all(f, id, 10), HF_CODE_CLOSED, HF_RULE_PAYER, 0);
    assert_ok(f, make_instrument(f, CARD, 2));
    id = authorise(f, CARD, 10);
    check_answer(f, make_clear(f, id, 10), HF_CODE_OK, HF_RULE_NONE, 0);
    op.account_close.header = header_of(f, HF_OP_ACCOUNT_CLOSE);
    op.account_close.account = account_id(SHOP);
    op.account_close.sink = account_id(3);
    assert_ok(f, op);
    check_answer(f, make_reverse_all(f, id, 10), HF_CODE_CLOSED, HF_RULE_PAYEE, 0);
}

/* The reversal comes first: the late original is refused, whatever else would be wrong with it. */
static void test_before_it_came(void **state)
{
    struct fixture *f = *state;
    union hf_operation auth = make_auth(f, CARD, SHOP, 100);

    open_card(f);
    union hf_operation reverse = make_reverse(f, auth.header.id, 100);
    check_answer(f, reverse, HF_CODE_OK, HF_RULE_NONE, 0);
    assert_money(f, 0, 0, 0);
    struct hf_authorisation_view view = view_record(f, auth.header.id);
    assert_int_equal(view.status, HF_HOLD_REVERSED);
    assert_int_equal(view.code, 0);
    assert_int_equal(view.place, 0);
    assert_int_equal(view.asset, USD);
    assert_int_equal(query_code(f, HF_QUERY_HOLD, auth.header.id), HF_CODE_UNKNOWN_HOLD);
    assert_int_equal(query_code(f, HF_QUERY_OPERATION, auth.header.id), HF_CODE_UNKNOWN_OPERATION);
    check_answer(f, make_reverse(f, auth.header.id, HF_AMOUNT_ALL), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_int_equal(counts_of(f).holds_resolved, 1);
    check_answer(f, make_capture(f, auth.header.id, 1, false), HF_CODE_UNKNOWN_HOLD, HF_RULE_HOLD,
                 0);
    check_answer(f, make_release(f, auth.header.id, 1), HF_CODE_UNKNOWN_HOLD, HF_RULE_HOLD, 0);
    check_answer(f, make_increment(f, auth.header.id, 1), HF_CODE_REVERSED, HF_RULE_ORIGINAL, 0);
    check_answer(f, make_clear(f, auth.header.id, 1), HF_CODE_REVERSED, HF_RULE_ORIGINAL, 0);
    check_answer(f, auth, HF_CODE_REVERSED, HF_RULE_ORIGINAL, 0);
    uint64_t place = f->reply.place;
    assert_card_used(f, 0, 0);
    view = view_record(f, auth.header.id);
    assert_int_equal(view.status, HF_HOLD_REFUSED);
    assert_int_equal(view.code, HF_CODE_REVERSED);
    assert_int_equal(view.place, place);
    assert_int_equal(view.amount, 100);
    assert_true(hf_id_equal(view.token, account_id(CARD)));
    assert_true(hf_id_equal(view_records(f, CARD, 0).lines[0].id, auth.header.id));
    assert_int_equal(counts_of(f).holds_resolved, 1);
    /* The same again is answered again. */
    assert_false(apply(f, &auth));
    assert_int_equal(f->reply.code, HF_CODE_REVERSED);
    check_answer(f, make_reverse(f, auth.header.id, HF_AMOUNT_ALL), HF_CODE_NOTHING_TO_REVERSE,
                 HF_RULE_ORIGINAL, 0);
}

/* One that came too late for its sender takes the record over as well. */
static void test_buried_and_late(void **state)
{
    struct fixture *f = *state;
    union hf_operation auth = make_auth(f, CARD, SHOP, 100);

    open_card(f);
    assert_ok(f, make_reverse(f, auth.header.id, 100));
    auth.header.deadline_ns = 1;
    check_answer(f, auth, HF_CODE_DEADLINE_PASSED, HF_RULE_DEADLINE, 0);
    assert_int_equal(view_record(f, auth.header.id).code, HF_CODE_DEADLINE_PASSED);
    assert_int_equal(counts_of(f).holds_resolved, 1);
}

/* Only what its window still counts goes back. */
static void test_windows(void **state)
{
    struct fixture *f = *state;
    union hf_operation op = make_limit(f, HF_LIMIT_INSTRUMENT, CARD, 2, HF_LIMIT_ROLLING);

    open_card(f);
    op.limit_put.length_ns = 63 * SECOND_NS; /* buckets of a second */
    assert_ok(f, op);
    struct hf_id yesterday = authorise(f, CARD, 100);
    f->now_ns += DAY_NS;
    struct hf_id today = authorise(f, CARD, 7);
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 1, 7, 1);
    assert_ok(f, make_reverse(f, yesterday, HF_AMOUNT_ALL));
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 1, 7, 1);
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 2, 7, 1);
    assert_used(f, HF_LIMIT_ACCOUNT, 2, 1, 7, 1);
    f->now_ns += 63 * SECOND_NS; /* the last of its 64 buckets */
    assert_ok(f, make_auth(f, CARD, SHOP, 3));
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 2, 10, 2);
    assert_ok(f, make_reverse(f, today, HF_AMOUNT_ALL));
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 2, 3, 1);
    assert_used(f, HF_LIMIT_ACCOUNT, 2, 1, 3, 1);
}

/* A limit that was made, emptied or counts something else since has nothing of it. */
static void test_limits_since(void **state)
{
    struct fixture *f = *state;
    union hf_operation op;

    open_card(f);
    assert_ok(f, make_max(f, HF_LIMIT_INSTRUMENT, CARD, 2, HF_LIMIT_LIFETIME, 500, 5));
    assert_ok(f, make_max(f, HF_LIMIT_INSTRUMENT, CARD, 3, HF_LIMIT_LIFETIME, 500, 5));
    struct hf_id id = authorise(f, CARD, 100);
    assert_ok(f, make_max(f, HF_LIMIT_INSTRUMENT, CARD, 4, HF_LIMIT_LIFETIME, 500, 5)); /* new */
    op = make_limit(f, HF_LIMIT_INSTRUMENT, CARD, 1, 0);
    op.limit_put.mode = HF_LIMIT_RESET;
    op.limit_put.max_amount = 0;
    op.limit_put.max_count = 0;
    assert_ok(f, op);
    op = make_max(f, HF_LIMIT_INSTRUMENT, CARD, 2, HF_LIMIT_LIFETIME, 500, 5);
    op.limit_put.filter.channels = 1; /* which lets channel 0 pass */
    assert_ok(f, op);
    /* Other maxima alone change nothing of what it counts. */
    assert_ok(f, make_max(f, HF_LIMIT_INSTRUMENT, CARD, 3, HF_LIMIT_LIFETIME, 600, 6));
    authorise(f, CARD, 40);
    assert_ok(f, make_reverse(f, id, HF_AMOUNT_ALL));
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 1, 40, 1);
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 2, 140, 2);
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 3, 40, 1);
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 4, 40, 1);
    assert_used(f, HF_LIMIT_ACCOUNT, 2, 1, 40, 1);
}

/* Settings that were replaced since have a counter of their own. */
static void test_counter_since(void **state)
{
    struct fixture *f = *state;
    union hf_operation op = make_instrument(f, CARD, 2);

    open_card(f);
    struct hf_id id = authorise(f, CARD, 100);
    op.instrument_put.remaining = 4;
    assert_ok(f, op);
    assert_ok(f, make_reverse(f, id, HF_AMOUNT_ALL));
    assert_int_equal(remaining_of(f, CARD), 4);
    assert_int_equal(view_record(f, id).flags, HF_AUTHORISATION_REVERSED);
    /* One below unlimited is as high as a counter goes. */
    op.instrument_put.remaining = HF_INSTRUMENT_UNLIMITED - 1;
    op.header = header_of(f, HF_OP_INSTRUMENT_PUT);
    assert_ok(f, op);
    id = authorise(f, CARD, 100);
    assert_int_equal(remaining_of(f, CARD), HF_INSTRUMENT_UNLIMITED - 2);
    assert_ok(f, make_reverse(f, id, HF_AMOUNT_ALL));
    assert_int_equal(remaining_of(f, CARD), HF_INSTRUMENT_UNLIMITED - 1);
}

/* Lapsed: nothing is held any more, but its draws go back. */
static void test_lapsed(void **state)
{
    struct fixture *f = *state;
    union hf_operation op = make_auth(f, CARD, SHOP, 100);

    open_card(f);
    op.auth.class_number = 1;
    assert_ok(f, op);
    f->now_ns += 7 * DAY_NS;
    assert_int_equal(expire(f), 1);
    assert_balances(f, 2, 1000, 0, 0);
    check_answer(f, make_reverse(f, op.header.id, 40), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_money(f, 40, 1000, 1000);
    assert_int_equal(view_record(f, op.header.id).status, HF_HOLD_LAPSED);
    assert_used(f, HF_LIMIT_ACCOUNT, 2, 1, 60, 1);
    check_answer(f, make_clear(f, op.header.id, 10), HF_CODE_OK, HF_RULE_NONE, 0);
    check_answer(f, make_reverse_all(f, op.header.id, HF_AMOUNT_ALL), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_money(f, 60, 1000, 1000);
    assert_int_equal(view_record(f, op.header.id).status, HF_HOLD_RESOLVED);
    assert_used(f, HF_LIMIT_ACCOUNT, 2, 1, 0, 0);
    assert_int_equal(remaining_of(f, CARD), 10);
    assert_int_equal(counts_of(f).holds_resolved, 1);
}

/* Nothing happens on the way of a dry run, and a chain that fails leaves all as it was. */
static void test_dry_and_undone(void **state)
{
    struct fixture *f = *state;
    struct long_operation room;

    open_card(f);
    struct hf_id id = authorise(f, CARD, 100);
    struct hf_id digest = hf_ledger_digest(f->ledger);
    union hf_operation op = make_reverse(f, id, 30);
    op.header.flags |= HF_OP_DRY_RUN;
    assert_false(apply(f, &op));
    assert_money(f, 30, 930, 1000);
    op = make_reverse(f, (struct hf_id){3, 3}, 30);
    op.header.flags |= HF_OP_DRY_RUN;
    assert_false(apply(f, &op));
    assert_int_equal(f->reply.code, HF_CODE_OK);
    assert_true(hf_id_equal(digest, hf_ledger_digest(f->ledger)));

    struct hf_op_chain *chain = begin_chain(f, &room);
    op = make_reverse(f, id, HF_AMOUNT_ALL);
    add_link(chain, &op);
    op = make_auth(f, CARD, SHOP, 450);
    add_link(chain, &op);
    op = make_reverse(f, (struct hf_id){3, 3}, 30);
    add_link(chain, &op);
    op = make_clear_flagged(f, f->reply.id, 1, HF_CLEAR_FORCED);
    op.clear.token = account_id(CARD);
    op.clear.payee = account_id(SHOP);
    add_link(chain, &op);
    op = make_move(f, 2, 3, 100000);
    add_link(chain, &op);
    chain->header.flags = HF_OP_DRY_RUN;
    assert_false(apply(f, operation_of(&room)));
    assert_int_equal(f->reply.code, HF_CODE_INSUFFICIENT);
    assert_int_equal(f->reply.entry, 5);
    assert_true(hf_id_equal(digest, hf_ledger_digest(f->ledger)));
    assert_card_used(f, 100, 1);
    assert_int_equal(remaining_of(f, CARD), 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        each(test_whole),
        each(test_in_parts),
        each(test_open_and_captured),
        each(test_refusals_in_order),
        each(test_closed_parties),
        each(test_before_it_came),
        each(test_buried_and_late),
        each(test_windows),
        each(test_limits_since),
        each(test_counter_since),
        each(test_lapsed),
        each(test_dry_and_undone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
