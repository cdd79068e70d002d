/* Records of authorisations: which there are, for how long, and how they are found. */
#include "card_fixture.h"

/* An authorisation's record says all that the AUTH said of itself, and what was answered. */
static void test_approved(void **state)
{
    struct fixture *f = *state;
    union hf_operation op;

    assert_ok(f, make_instrument(f, CARD, 2));
    op = make_auth(f, CARD, SHOP, 100);
    op.auth.acquirer = 12345678901;
    memcpy(op.auth.merchant, "MERCHANT0000001", 16);
    op.auth.mcc = 5411;
    op.auth.country = 276;
    op.auth.channel = 3;
    op.auth.class_number = 4;
    op.auth.auth_flags = HF_AUTH_ESTIMATED;
    assert_ok(f, op);
    struct hf_authorisation_view view = view_record(f, op.header.id);
    assert_true(hf_id_equal(view.token, account_id(CARD)));
    assert_true(hf_id_equal(view.payer, account_id(2)));
    assert_true(hf_id_equal(view.payee, account_id(SHOP)));
    assert_int_equal(view.amount, 100);
    assert_int_equal(view.remaining, 100);
    assert_int_equal(view.captured, 0);
    assert_int_equal(view.reversed, 0);
    assert_int_equal(view.expires_ns, f->now_ns + 7 * 86400 * SECOND_NS);
    assert_int_equal(view.place, f->reply.place);
    assert_int_equal(view.timestamp_ns, f->now_ns);
    assert_int_equal(view.acquirer, 12345678901);
    assert_string_equal((const char *)view.merchant, "MERCHANT0000001");
    assert_int_equal(view.code, HF_CODE_OK);
    assert_int_equal(view.exception, 0);
    assert_int_equal(view.status, HF_HOLD_OPEN);
    assert_int_equal(view.flags, HF_AUTHORISATION_ESTIMATED | HF_AUTHORISATION_COUNTED);
    assert_int_equal(view.asset, USD);
    assert_int_equal(view.mcc, 5411);
    assert_int_equal(view.country, 276);
    assert_int_equal(view.channel, 3);
    assert_int_equal(view.class_number, 4);
    /* A hold of no authorisation has none. */
    assert_ok(f, make_hold(f, 2, 3, 1));
    assert_int_equal(query_code(f, HF_QUERY_AUTHORISATION, f->reply.id), HF_CODE_UNKNOWN_HOLD);
    assert_int_equal(query_code(f, HF_QUERY_AUTHORISATION, (struct hf_id){1, 2}),
                     HF_CODE_UNKNOWN_HOLD);
    assert_int_equal(query_code(f, HF_QUERY_INSTRUMENT_AUTHORISATIONS, account_id(99)),
                     HF_CODE_UNKNOWN_INSTRUMENT);
}

static void test_refused(void **state)
{
    struct fixture *f = *state;

    assert_ok(f, make_instrument(f, CARD, 2));
    union hf_operation op = make_auth(f, 99, SHOP, 5);
    op.auth.asset = 77; /* nobody knows it */
    check_answer(f, op, HF_CODE_UNKNOWN_INSTRUMENT, HF_RULE_INSTRUMENT, 0);
    struct hf_authorisation_view view = view_record(f, op.header.id);
    assert_int_equal(view.status, HF_HOLD_REFUSED);
    assert_int_equal(view.code, HF_CODE_UNKNOWN_INSTRUMENT);
    assert_int_equal(view.rule, HF_RULE_INSTRUMENT);
    assert_int_equal(view.amount, 5);
    assert_int_equal(view.asset, 77);
    assert_true(hf_id_is_zero(view.token));
    assert_true(hf_id_is_zero(view.payer));
    assert_true(hf_id_equal(view.payee, account_id(SHOP)));
    assert_int_equal(view.expires_ns, 0);
    assert_int_equal(view.flags, 0);
    /* Too late: whom it names is known all the same. */
    op = make_auth(f, CARD, 98, 5);
    op.header.deadline_ns = 1;
    op.auth.class_number = 3;
    check_answer(f, op, HF_CODE_DEADLINE_PASSED, HF_RULE_DEADLINE, 0);
    view = view_record(f, op.header.id);
    assert_true(hf_id_equal(view.token, account_id(CARD)));
    assert_true(hf_id_equal(view.payer, account_id(2)));
    assert_true(hf_id_is_zero(view.payee));
    assert_int_equal(view.class_number, 3);
    assert_int_equal(view_records(f, CARD, 0).count, 1);
    /* No hold: neither to see nor to work on. */
    assert_int_equal(query_code(f, HF_QUERY_HOLD, op.header.id), HF_CODE_UNKNOWN_HOLD);
    struct hf_id id = op.header.id;
    check_answer(f, make_capture(f, id, 1, false), HF_CODE_UNKNOWN_HOLD, HF_RULE_HOLD, 0);
    check_answer(f, make_release(f, id, 1), HF_CODE_UNKNOWN_HOLD, HF_RULE_HOLD, 0);
    check_answer(f, make_adjust(f, id, HF_ADJUST_LOWER, 1, 0), HF_CODE_UNKNOWN_HOLD, HF_RULE_HOLD,
                 0);
    assert_ok(f, make_asset(f, EUR, "EUR"));
    check_answer(f, make_clear(f, id, 1), HF_CODE_HOLD_RESOLVED, HF_RULE_ORIGINAL, 0);
    check_answer(f, make_increment(f, id, 1), HF_CODE_HOLD_RESOLVED, HF_RULE_ORIGINAL, 0);
    /* A dry run leaves none, and neither does what takes no place. */
    op = make_auth(f, CARD, 98, 5);
    op.header.flags |= HF_OP_DRY_RUN;
    assert_false(apply(f, &op));
    assert_int_equal(f->reply.code, HF_CODE_UNKNOWN_ACCOUNT);
    assert_int_equal(counts_of(f).holds_resolved, 2);
}

static void test_verified(void **state)
{
    struct fixture *f = *state;
    union hf_operation op;

    assert_ok(f, make_instrument(f, CARD, 2));
    op = make_auth(f, CARD, SHOP, 0);
    op.auth.class_number = 3;
    op.auth.tolerance = 20;
    check_answer(f, op, HF_CODE_OK, HF_RULE_NONE, 0);
    struct hf_authorisation_view view = view_record(f, op.header.id);
    assert_int_equal(view.status, HF_HOLD_RESOLVED);
    assert_int_equal(view.amount, 0);
    assert_int_equal(view.flags, 0);
    assert_int_equal(view.expires_ns, 0);
    struct hf_hold_view hold = view_hold(f, op.header.id);
    assert_int_equal(hold.policy, HF_HOLD_SOFT);
    assert_int_equal(hold.tolerance, 20);
    assert_int_equal(hold.payer_count, 1);
    check_answer(f, make_reverse(f, op.header.id, HF_AMOUNT_ALL), HF_CODE_NOTHING_TO_REVERSE,
                 HF_RULE_ORIGINAL, 0);
    check_answer(f, make_clear(f, op.header.id, 1), HF_CODE_HOLD_RESOLVED, HF_RULE_ORIGINAL, 0);
    check_answer(f, make_capture(f, op.header.id, 1, false), HF_CODE_HOLD_RESOLVED, HF_RULE_HOLD,
                 0);
}

/* Of four places three are open holds': the fourth is that of the newest record. */
static void test_places(void **state)
{
    struct fixture *f = *state;

    assert_ok(f, make_instrument(f, CARD, 2));
    struct hf_id open[4];
    for (int i = 0; i < 3; i++)
        open[i] = authorise(f, CARD, 1);
    check_answer(f, make_auth(f, CARD, 99, 1), HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_PAYEE, 0);
    struct hf_id first = f->reply.id;
    check_answer(f, make_auth(f, CARD, 99, 1), HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_PAYEE, 0);
    assert_int_equal(query_code(f, HF_QUERY_AUTHORISATION, first), HF_CODE_UNKNOWN_HOLD);
    assert_int_equal(query_code(f, HF_QUERY_AUTHORISATION, f->reply.id), HF_CODE_OK);
    /* The list ends before the one that is forgotten. */
    assert_int_equal(view_records(f, CARD, 0).count, 1);
    open[3] = authorise(f, CARD, 1);
    struct hf_authorisations_view page = view_records(f, CARD, 0);
    assert_int_equal(page.count, 1);
    assert_true(hf_id_equal(page.lines[0].id, open[3]));
    /* No place is left: nothing is recorded, and nothing else changes. */
    check_answer(f, make_auth(f, CARD, 99, 1), HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_PAYEE, 0);
    assert_int_equal(query_code(f, HF_QUERY_AUTHORISATION, f->reply.id), HF_CODE_UNKNOWN_HOLD);
    check_answer(f, make_auth(f, CARD, SHOP, 0), HF_CODE_CAPACITY, HF_RULE_TABLE, 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(query_code(f, HF_QUERY_AUTHORISATION, open[i]), HF_CODE_OK);
}

/* Pages of three, newest first. */
static void test_pages(void **state)
{
    struct hf_ledger_limits limits = small_limits;
    struct fixture f;
    uint32_t cursor = 0;
    uint32_t seen = 0;

    (void)state;
    limits.holds = 2000;
    limits.remembered = 4000;
    open_fixture(&f, &limits);
    open_accounts(&f);
    assert_ok(&f, make_instrument(&f, CARD, 2));
    assert_ok(&f, make_instrument(&f, 71, 2));
    struct hf_id ids[1100];
    for (uint32_t i = 0; i < 1100; i++) {
        union hf_operation op = make_auth(&f, CARD, SHOP, i % 3 == 0 ? 0 : 5000);
        assert_true(apply(&f, &op));
        ids[i] = op.header.id;
        op = make_auth(&f, 71, SHOP, 5000);
        if (i % 7 == 0)
            assert_true(apply(&f, &op));
    }
    do {
        struct hf_authorisations_view page = view_records(&f, CARD, cursor);
        assert_int_equal(page.count, 3);
        for (uint32_t i = 0; i < page.count; i++)
            assert_true(hf_id_equal(page.lines[i].id, ids[1100 - ++seen]));
        assert_true(page.next_cursor == 0 || page.next_cursor == seen);
        cursor = page.next_cursor;
    } while (cursor != 0);
    assert_int_equal(seen, 1026); /* a page that would leave out more is not offered */
    assert_int_equal(view_records(&f, CARD, HF_AUTHORISATIONS_SKIP_MAX).count, 3);
    assert_int_equal(view_records(&f, 71, 158).count, 0);
    assert_int_equal(view_records(&f, 71, 156).count, 2);
    assert_int_equal(view_records(&f, 71, 156).next_cursor, 0);
    close_fixture(&f);
}

/* Known for `record_ns` from the end on, by the time of the bundle; then as if it had never been.
 */
static void test_forgotten_by_time(void **state)
{
    struct hf_ledger_limits limits = small_limits;
    struct fixture f;
    struct hf_event list[8];
    struct hf_events events = {.list = list, .capacity = 8};

    (void)state;
    limits.record_ns = 1000;
    open_fixture(&f, &limits);
    open_accounts(&f);
    assert_ok(&f, make_instrument(&f, CARD, 2));
    struct hf_id id = authorise(&f, CARD, 100);
    f.now_ns += 5000; /* open ones are not forgotten */
    assert_ok(&f, make_reverse(&f, id, HF_AMOUNT_ALL));
    f.now_ns += 999;
    check_answer(&f, make_reverse(&f, id, HF_AMOUNT_ALL), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_int_equal(f.reply.approved, 100);
    f.now_ns += 1;
    /* A dry run looks at its own time, and changes nothing of what is known. */
    union hf_operation op = make_reverse(&f, id, HF_AMOUNT_ALL);
    op.header.flags |= HF_OP_DRY_RUN;
    assert_false(apply(&f, &op));
    assert_int_equal(f.reply.approved, 0);
    assert_int_equal(query_code(&f, HF_QUERY_AUTHORISATION, id), HF_CODE_OK);
    assert_int_equal(counts_of(&f).holds_resolved, 1);
    check_answer(&f, make_clear(&f, id, 1), HF_CODE_UNKNOWN_HOLD, HF_RULE_ORIGINAL, 0);
    assert_int_equal(query_code(&f, HF_QUERY_AUTHORISATION, id), HF_CODE_UNKNOWN_HOLD);
    assert_int_equal(query_code(&f, HF_QUERY_HOLD, id), HF_CODE_UNKNOWN_HOLD);
    assert_int_equal(counts_of(&f).holds_resolved, 0);
    assert_int_equal(view_records(&f, CARD, 0).count, 0);
    /* Its reversal is one of something that has not come; the stale line is in nobody's way. */
    hf_ledger_watch(f.ledger, &events);
    check_answer(&f, make_reverse(&f, id, 5), HF_CODE_OK, HF_RULE_NONE, 0);
    hf_ledger_watch(f.ledger, NULL);
    assert_int_equal(events.count, 1);
    assert_int_equal(list[0].kind, HF_EVENT_REVERSED);
    assert_int_equal(list[0].amount, 0);
    assert_int_equal(view_record(&f, id).status, HF_HOLD_REVERSED);
    assert_int_equal(counts_of(&f).holds_resolved, 1);
    close_fixture(&f);
}

/* Stale ones anywhere in the ring give way to one of the same id, and to a chain that fails they
 * come back. */
static void test_stale_gives_way(void **state)
{
    struct hf_ledger_limits limits = small_limits;
    struct fixture f;
    struct hf_id ids[4];

    (void)state;
    limits.record_ns = 1000;
    open_fixture(&f, &limits);
    open_accounts(&f);
    for (uint64_t i = 0; i < 4; i++) {
        ids[i] = (struct hf_id){i + 1, START_NS};
        f.now_ns += 100;
        assert_ok(&f, make_reverse(&f, ids[i], 1));
    }
    assert_int_equal(counts_of(&f).holds_resolved, 4);
    f.now_ns += 950; /* three are stale */
    assert_ok(&f, make_move(&f, 2, 3, 1));
    assert_int_equal(counts_of(&f).holds_resolved, 1);
    struct hf_id digest = hf_ledger_digest(f.ledger);
    struct long_operation room;
    struct hf_op_chain *chain = begin_chain(&f, &room);
    union hf_operation op = make_reverse(&f, ids[2], 1);
    add_link(chain, &op);
    op = make_reverse(&f, ids[1], 1);
    add_link(chain, &op);
    op = make_hold(&f, 2, 3, 5);
    add_link(chain, &op);
    op = make_reverse(&f, ids[0], 1);
    add_link(chain, &op);
    op = make_reverse(&f, (struct hf_id){9, 9}, 1);
    add_link(chain, &op);
    chain->header.flags = HF_OP_DRY_RUN;
    assert_false(apply(&f, operation_of(&room)));
    assert_int_equal(f.reply.code, HF_CODE_OK);
    assert_true(hf_id_equal(digest, hf_ledger_digest(f.ledger)));
    chain->header.flags = 0;
    assert_true(apply(&f, operation_of(&room)));
    assert_int_equal(f.reply.code, HF_CODE_OK);
    /* Of four places one is the hold's: the newest three records are left. */
    assert_int_equal(counts_of(&f).holds_resolved, 3);
    assert_int_equal(query_code(&f, HF_QUERY_AUTHORISATION, ids[3]), HF_CODE_UNKNOWN_HOLD);
    assert_int_equal(query_code(&f, HF_QUERY_AUTHORISATION, ids[1]), HF_CODE_OK);
    assert_int_equal(query_code(&f, HF_QUERY_AUTHORISATION, ids[0]), HF_CODE_OK);
    close_fixture(&f);
}

/* A record answers for its id below the floor of forgotten ids; one that was reversed before it
 * came has no answer to give. */
static void test_answers_below_the_floor(void **state)
{
    struct hf_ledger_limits limits = small_limits;
    struct fixture f;

    (void)state;
    limits.remembered = 16;
    limits.holds = 8;
    open_fixture(&f, &limits);
    open_accounts(&f);
    assert_ok(&f, make_instrument(&f, CARD, 2));
    union hf_operation refused = make_auth(&f, CARD, 99, 5);
    assert_true(apply(&f, &refused));
    struct hf_reply first = f.reply;
    union hf_operation post = make_post(&f, CARD, SHOP, 5);
    assert_true(apply(&f, &post));
    union hf_operation buried = make_auth(&f, CARD, SHOP, 5);
    assert_ok(&f, make_reverse(&f, buried.header.id, 5));
    for (int i = 0; i < 20; i++) {
        f.now_ns += NS_IN_MS;
        assert_ok(&f, make_move(&f, 2, 3, 1));
    }
    assert_false(apply(&f, &refused));
    assert_memory_equal(&f.reply, &first, sizeof(first));
    refused.auth.amount++;
    assert_false(apply(&f, &refused));
    assert_int_equal(f.reply.code, HF_CODE_DUPLICATE_DIFFERENT);
    assert_false(apply(&f, &post));
    assert_int_equal(f.reply.approved, 5);
    assert_false(apply(&f, &buried));
    assert_int_equal(f.reply.code, HF_CODE_ID_TOO_OLD);
    struct hf_query_reply reply;
    query(&f, HF_QUERY_OPERATION, post.header.id, &reply);
    assert_int_equal(reply.reply.code, HF_CODE_OK);
    assert_int_equal(reply.view.operation.type, HF_OP_CLEAR | HF_REPLY_TYPE_BIT);
    close_fixture(&f);
}

/* Inside a chain several records have one place: they are told apart by their number. */
static void test_in_a_chain(void **state)
{
    struct fixture *f = *state;
    struct long_operation room;
    union hf_operation op;
    struct hf_id ids[3];

    assert_ok(f, make_instrument(f, CARD, 2));
    struct hf_op_chain *chain = begin_chain(f, &room);
    for (int i = 0; i < 3; i++) {
        op = make_auth(f, CARD, SHOP, i == 1 ? 0 : 5);
        ids[i] = op.header.id;
        add_link(chain, &op);
    }
    assert_true(apply(f, operation_of(&room)));
    assert_int_equal(f->reply.code, HF_CODE_OK);
    struct hf_authorisations_view page = view_records(f, CARD, 0);
    assert_int_equal(page.count, 3);
    for (int i = 0; i < 3; i++) {
        assert_true(hf_id_equal(page.lines[i].id, ids[2 - i]));
        assert_int_equal(page.lines[i].place, f->reply.place);
    }
    assert_int_equal(page.next_cursor, 0);
    /* One that is refused in a chain leaves nothing, and takes over nothing. */
    op = make_auth(f, CARD, SHOP, 5);
    struct hf_id buried = op.header.id;
    assert_ok(f, make_reverse(f, buried, 5));
    chain = begin_chain(f, &room);
    add_link(chain, &op);
    assert_true(apply(f, operation_of(&room)));
    assert_int_equal(f->reply.code, HF_CODE_REVERSED);
    assert_int_equal(f->reply.entry, 1);
    assert_int_equal(view_record(f, buried).status, HF_HOLD_REVERSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        each(test_approved),
        each(test_refused),
        each(test_verified),
        each(test_places),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_forgotten_by_time),
        cmocka_unit_test(test_stale_gives_way),
        cmocka_unit_test(test_answers_below_the_floor),
        each(test_in_a_chain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
