/* Instruments with further accounts: how an authorisation is taken from several. */
#include "card_fixture.h"

/* Account 2 and then 3, 1,000 each, and 5 with 500; `count` of the further ones. */
static union hf_operation *make_card(struct fixture *f, struct long_operation *room, uint8_t count)
{
    union hf_operation card = make_instrument(f, CARD, 2);

    memset(room, 0, sizeof(*room));
    memcpy(room, &card, sizeof(card));
    union hf_operation *op = operation_of(room);
    op->instrument_put.further[0] = account_id(3);
    op->instrument_put.further[1] = account_id(5);
    op->instrument_put.further_count = count;
    op->header.length = (uint16_t)(sizeof(op->instrument_put) + count * sizeof(struct hf_id));
    return op;
}

static void open_card(struct fixture *f)
{
    struct long_operation room;

    assert_ok(f, make_account(f, 5, 0));
    assert_ok(f, make_move(f, 1, 5, 500));
    assert_true(apply(f, make_card(f, &room, 2)));
    assert_int_equal(f->reply.code, HF_CODE_OK);
}

static void check_put(struct fixture *f, const union hf_operation *op, uint16_t code, uint8_t rule,
                      uint8_t entry)
{
    assert_true(apply(f, op));
    assert_string_equal(hf_code_name(f->reply.code), hf_code_name(code));
    assert_string_equal(hf_rule_name(f->reply.rule), hf_rule_name(rule));
    assert_int_equal(f->reply.entry, entry);
}

static void test_put(void **state)
{
    struct fixture *f = *state;
    struct long_operation room;
    struct hf_query_reply reply;

    open_card(f);
    assert_int_equal(counts_of(f).selectors, 1);
    query(f, HF_QUERY_INSTRUMENT, account_id(CARD), &reply);
    assert_int_equal(reply.view.instrument.further_count, 2);
    assert_true(hf_id_equal(reply.view.instrument.further[0], account_id(3)));
    assert_true(hf_id_equal(reply.view.instrument.further[1], account_id(5)));
    assert_true(hf_id_is_zero(reply.view.instrument.further[2]));
    union hf_operation *op = make_card(f, &room, 2);
    op->instrument_put.further[1] = account_id(99);
    check_put(f, op, HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_ACCOUNT, 2);
    union hf_operation total = make_account(f, 6, HF_FLOOR_NONE);
    total.header.length = sizeof(total.account_put);
    total.account_put.ceiling = HF_CEILING_NONE;
    total.account_put.flags = HF_ACCOUNT_TOTAL;
    assert_ok(f, total);
    op = make_card(f, &room, 2);
    op->instrument_put.further[0] = account_id(6);
    op->instrument_put.further[1] = account_id(99);
    check_put(f, op, HF_CODE_IS_TOTAL, HF_RULE_ACCOUNT, 1);
    /* There is room for two cards with such lists, and to put one of them again. */
    op = make_card(f, &room, 1);
    op->instrument_put.token = account_id(71);
    check_put(f, op, HF_CODE_OK, HF_RULE_NONE, 0);
    op = make_card(f, &room, 1);
    op->instrument_put.token = account_id(72);
    check_put(f, op, HF_CODE_CAPACITY, HF_RULE_TABLE, 0);
    check_put(f, make_card(f, &room, 1), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_int_equal(counts_of(f).selectors, 2);
    check_put(f, make_card(f, &room, 0), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_int_equal(counts_of(f).selectors, 1);
    query(f, HF_QUERY_INSTRUMENT, account_id(CARD), &reply);
    assert_int_equal(reply.view.instrument.further_count, 0);
    op = make_card(f, &room, 1);
    op->instrument_put.token = account_id(72);
    op->header.flags |= HF_OP_DRY_RUN;
    assert_false(apply(f, op));
    assert_int_equal(f->reply.code, HF_CODE_OK);
    assert_int_equal(counts_of(f).selectors, 1);
}

static void test_in_order(void **state)
{
    struct fixture *f = *state;

    open_card(f);
    struct hf_id one = authorise(f, CARD, 1000);
    assert_money(f, 1000, 0, 1000);
    assert_int_equal(view_hold(f, one).payer_count, 1);
    struct hf_id third = authorise(f, CARD, 1200);
    assert_money(f, 1200, 0, 1000); /* those of the first of the list, which pays nothing here */
    assert_int_equal(view_hold(f, third).payer_count, 2);
    assert_true(hf_id_equal(view_hold(f, third).payer, account_id(3)));
    assert_balances(f, 3, 1000, 1000, 0);
    assert_balances(f, 5, 500, 200, 0);
    assert_int_equal(counts_of(f).parts, 2);
    check_answer(f, make_auth(f, CARD, SHOP, 301), HF_CODE_INSUFFICIENT, HF_RULE_PAYER, 0);
    assert_money(f, 0, 0, 1000);
    union hf_operation op = make_auth(f, CARD, SHOP, 301);
    op.auth.minimum = 300;
    check_answer(f, op, HF_CODE_OK_PARTIAL, HF_RULE_NONE, 0);
    assert_int_equal(f->reply.approved, 300);
    assert_true(hf_id_equal(view_record(f, op.header.id).payer, account_id(5)));
    /* Releases go back from the last part on. */
    assert_ok(f, make_reverse(f, third, 250));
    assert_balances(f, 5, 500, 300, 0);
    assert_balances(f, 3, 1000, 950, 0);
    assert_ok(f, make_reverse(f, third, HF_AMOUNT_ALL));
    assert_int_equal(counts_of(f).parts, 0);
}

static void test_passed_over(void **state)
{
    struct fixture *f = *state;
    union hf_operation op;

    open_card(f);
    op = make_account(f, 2, 0);
    op.account_put.status = HF_ACCOUNT_FROZEN;
    assert_ok(f, op);
    struct hf_id id = authorise(f, CARD, 10);
    assert_true(hf_id_equal(view_record(f, id).payer, account_id(3)));
    for (uint64_t number = 3; number <= 5; number += 2) {
        op = make_account(f, number, 0);
        op.account_put.status = HF_ACCOUNT_FROZEN;
        assert_ok(f, op);
    }
    check_answer(f, make_auth(f, CARD, SHOP, 10), HF_CODE_RESTRICTED, HF_RULE_PAYER, 1);
    check_answer(f, make_auth(f, CARD, SHOP, 0), HF_CODE_RESTRICTED, HF_RULE_PAYER, 1);
    check_answer(f, make_auth(f, CARD, 3, 10), HF_CODE_SAME_ACCOUNT, HF_RULE_PAYER, 2);
    check_answer(f, make_auth(f, CARD, 99, 10), HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_PAYEE, 0);
    op = make_auth(f, CARD, SHOP, 10);
    op.auth.asset = EUR;
    check_answer(f, op, HF_CODE_ASSET_MISMATCH, HF_RULE_PAYER, 1);
    /* By force the first one pays, frozen or not. */
    check_answer(f, make_advice(f, CARD, SHOP, 10), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_int_equal(view_record(f, f->reply.id).exception, HF_CODE_RESTRICTED);
    assert_true(hf_id_equal(view_record(f, f->reply.id).payer, account_id(2)));
}

/* A total over 3 and 5 with a limit, and limits on the card and each account. */
static void open_limits(struct fixture *f)
{
    struct long_operation room;
    union hf_operation op = make_account(f, 9, HF_FLOOR_NONE);

    op.header.length = sizeof(op.account_put);
    op.account_put.ceiling = HF_CEILING_NONE;
    op.account_put.flags = HF_ACCOUNT_TOTAL;
    assert_ok(f, op);
    for (uint64_t number = 13; number <= 15; number += 2) {
        op = make_account(f, number, 0);
        op.header.length = sizeof(op.account_put);
        op.account_put.ceiling = HF_CEILING_NONE;
        op.account_put.parent = account_id(9);
        assert_ok(f, op);
        assert_ok(f, make_move(f, 1, number, 1000));
    }
    union hf_operation *card = make_card(f, &room, 2);
    card->instrument_put.further[0] = account_id(13);
    card->instrument_put.further[1] = account_id(15);
    check_put(f, card, HF_CODE_OK, HF_RULE_NONE, 0);
    assert_ok(f, make_max(f, HF_LIMIT_INSTRUMENT, CARD, 1, HF_LIMIT_LIFETIME, 2000, 9));
    assert_ok(f, make_max(f, HF_LIMIT_ACCOUNT, 2, 2, HF_LIMIT_LIFETIME, 300, 9));
    assert_ok(f, make_max(f, HF_LIMIT_ACCOUNT, 13, 3, HF_LIMIT_LIFETIME, 400, 9));
    assert_ok(f, make_max(f, HF_LIMIT_ACCOUNT, 9, 4, HF_LIMIT_LIFETIME, 600, 9));
}

/* Each takes what its limits allow; what those share counts for all. */
static void test_limits(void **state)
{
    struct fixture *f = *state;

    open_limits(f);
    struct hf_id id = authorise(f, CARD, 850); /* 300, 400, 150 */
    assert_balances(f, 2, 1000, 300, 0);
    assert_balances(f, 13, 1000, 400, 0);
    assert_balances(f, 15, 1000, 150, 0);
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 1, 850, 1);
    assert_used(f, HF_LIMIT_ACCOUNT, 2, 2, 300, 1);
    assert_used(f, HF_LIMIT_ACCOUNT, 13, 3, 400, 1);
    assert_used(f, HF_LIMIT_ACCOUNT, 9, 4, 550, 1);
    /* The first that its limits stop says why. */
    check_answer(f, make_auth(f, CARD, SHOP, 51), HF_CODE_AMOUNT_LIMIT, HF_RULE_ACCOUNT_LIMIT, 2);
    struct hf_id rest = authorise(f, CARD, 50);
    assert_used(f, HF_LIMIT_ACCOUNT, 2, 2, 300, 1); /* it paid nothing of that */
    assert_used(f, HF_LIMIT_ACCOUNT, 13, 3, 400, 1);
    assert_used(f, HF_LIMIT_ACCOUNT, 9, 4, 600, 2);
    assert_ok(f, make_reverse(f, rest, HF_AMOUNT_ALL));
    /* Back from the last part on; the count when nothing is left. */
    assert_ok(f, make_reverse(f, id, 250));
    assert_used(f, HF_LIMIT_ACCOUNT, 9, 4, 300, 1);
    assert_used(f, HF_LIMIT_ACCOUNT, 13, 3, 300, 1);
    assert_used(f, HF_LIMIT_ACCOUNT, 2, 2, 300, 1);
    assert_ok(f, make_reverse(f, id, HF_AMOUNT_ALL));
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 1, 0, 0);
    assert_used(f, HF_LIMIT_ACCOUNT, 2, 2, 0, 0);
    assert_used(f, HF_LIMIT_ACCOUNT, 13, 3, 0, 0);
    assert_used(f, HF_LIMIT_ACCOUNT, 9, 4, 0, 0);
    /* The card's own bind the whole. */
    check_answer(f, make_auth(f, CARD, SHOP, 2001), HF_CODE_AMOUNT_LIMIT, HF_RULE_INSTRUMENT_LIMIT,
                 1);
}

/* What limits do not stop, funds do. */
static void test_stopped_by_funds(void **state)
{
    struct fixture *f = *state;

    open_limits(f);
    assert_ok(f, make_move(f, 2, 3, 700)); /* 300 left, as its limit allows */
    assert_ok(f, make_max(f, HF_LIMIT_ACCOUNT, 13, 3, HF_LIMIT_LIFETIME, 5000, 9));
    assert_ok(f, make_max(f, HF_LIMIT_ACCOUNT, 9, 4, HF_LIMIT_LIFETIME, 5000, 9));
    assert_ok(f, make_max(f, HF_LIMIT_INSTRUMENT, CARD, 1, HF_LIMIT_LIFETIME, 5000, 9));
    check_answer(f, make_auth(f, CARD, SHOP, 2301), HF_CODE_INSUFFICIENT, HF_RULE_PAYER, 0);
    authorise(f, CARD, 2300);
}

/* A verification looks at the first that is not passed over. */
static void test_verification(void **state)
{
    struct fixture *f = *state;
    union hf_operation op;

    open_limits(f);
    check_answer(f, make_auth(f, CARD, SHOP, 0), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_money(f, 0, 1000, 1000);
    assert_ok(f, make_max(f, HF_LIMIT_ACCOUNT, 13, 3, HF_LIMIT_LIFETIME, 400, 0));
    check_answer(f, make_auth(f, CARD, SHOP, 0), HF_CODE_OK, HF_RULE_NONE, 0);
    op = make_account(f, 2, 0);
    op.account_put.status = HF_ACCOUNT_FROZEN;
    assert_ok(f, op);
    check_answer(f, make_auth(f, CARD, SHOP, 0), HF_CODE_COUNT_LIMIT, HF_RULE_ACCOUNT_LIMIT, 3);
    assert_int_equal(counts_of(f).holds_resolved, 3);
}

/* By force each takes what it may, and the first one all that is left. */
static void test_forced(void **state)
{
    struct fixture *f = *state;
    union hf_operation op = {.bytes = {0}};

    open_card(f);
    check_answer(f, make_advice(f, CARD, SHOP, 2600), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_money(f, 2600, -100, 1000);
    assert_balances(f, 2, 1000, 1100, 0);
    assert_balances(f, 3, 1000, 1000, 0);
    assert_balances(f, 5, 500, 500, 0);
    struct hf_authorisation_view view = view_record(f, f->reply.id);
    assert_int_equal(view.exception, HF_CODE_INSUFFICIENT);
    assert_ok(f, make_reverse(f, f->reply.id, HF_AMOUNT_ALL));
    /* A closed one pays nothing; posted at once it is the same. */
    op.account_close.header = header_of(f, HF_OP_ACCOUNT_CLOSE);
    op.account_close.account = account_id(2);
    op.account_close.sink = account_id(3);
    assert_ok(f, op);
    check_answer(f, make_post(f, CARD, SHOP, 2600), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_balances(f, 3, -100, 0, 0);
    assert_balances(f, 5, 0, 0, 0);
    assert_balances(f, SHOP, 2600, 0, 0);
    assert_int_equal(view_hold(f, f->reply.id).payer_count, 2);
    check_answer(f, make_reverse_all(f, f->reply.id, 1), HF_CODE_NOT_PERMITTED, HF_RULE_PAYER, 0);
    for (uint64_t number = 3; number <= 5; number += 2) {
        assert_ok(f, make_move(f, 1, number, 200));
        op.account_close.header = header_of(f, HF_OP_ACCOUNT_CLOSE);
        op.account_close.account = account_id(number);
        op.account_close.sink = account_id(1);
        assert_ok(f, op);
    }
    check_answer(f, make_post(f, CARD, SHOP, 1), HF_CODE_CLOSED, HF_RULE_PAYER, 1);
}

static void test_parts_table(void **state)
{
    struct hf_ledger_limits limits = small_limits;
    struct fixture f;

    (void)state;
    limits.parts = 1;
    open_fixture(&f, &limits);
    open_accounts(&f);
    open_card(&f);
    check_answer(&f, make_auth(&f, CARD, SHOP, 1001), HF_CODE_CAPACITY, HF_RULE_TABLE, 0);
    assert_int_equal(view_record(&f, f.reply.id).code, HF_CODE_CAPACITY);
    authorise(&f, CARD, 1000);
    close_fixture(&f);
}

#define STOREYS  (1 + HF_PARENT_DEPTH_MAX)
#define TOWERS   HF_INSTRUMENT_ACCOUNTS_MAX
#define SCOPES   (1 + TOWERS * STOREYS)
#define OF_TOWER 100 /* accounts 100, 110, ...: the topmost total of each, then those below it */

/* Eight accounts, each with as many ancestors as can be, and on everything as many limits; each
 * account pays one unit an authorisation. */
static void open_towers(struct fixture *f, struct long_operation *room)
{
    union hf_operation *card = make_card(f, room, TOWERS - 1);

    for (uint64_t tower = 0; tower < TOWERS; tower++) {
        for (uint64_t storey = 0; storey < STOREYS; storey++) {
            uint64_t number = OF_TOWER + 10 * tower + storey;
            union hf_operation op = make_account(f, number, HF_FLOOR_NONE);
            op.header.length = sizeof(op.account_put);
            op.account_put.ceiling = HF_CEILING_NONE;
            op.account_put.flags = storey == HF_PARENT_DEPTH_MAX ? 0 : HF_ACCOUNT_TOTAL;
            if (storey > 0)
                op.account_put.parent = account_id(number - 1);
            assert_ok(f, op);
            for (uint8_t n = 1; n <= HF_LIMITS_A_SCOPE; n++) {
                bool is_one = storey == HF_PARENT_DEPTH_MAX && n == 1;
                op = make_limit(f, HF_LIMIT_ACCOUNT, number, n,
                                is_one ? HF_LIMIT_OPERATION : HF_LIMIT_ROLLING);
                op.limit_put.max_amount = is_one ? 1 : HF_LIMIT_UNLIMITED;
                op.limit_put.length_ns = is_one ? 0 : 63 * SECOND_NS;
                assert_ok(f, op);
            }
        }
        struct hf_id account = account_id(OF_TOWER + 10 * tower + HF_PARENT_DEPTH_MAX);
        if (tower == 0)
            card->instrument_put.account = account;
        else
            card->instrument_put.further[tower - 1] = account;
    }
    card->instrument_put.remaining = 1000;
    card->header.id = new_id(f);
    check_put(f, card, HF_CODE_OK, HF_RULE_NONE, 0);
    for (uint8_t n = 1; n <= HF_LIMITS_A_SCOPE; n++) {
        union hf_operation op = make_limit(f, HF_LIMIT_INSTRUMENT, CARD, n, HF_LIMIT_ROLLING);
        op.limit_put.length_ns = 63 * SECOND_NS;
        assert_ok(f, op);
    }
}

/* The largest that one operation can be: a chain full of force-posts that draw on every limit there
 * can be. It can be told of, and taken back. */
static void test_largest_chain(void **state)
{
    struct hf_ledger_limits limits = small_limits;
    struct long_operation room;
    struct fixture f;
    struct hf_events events = {.list = malloc(HF_EVENTS_MAX * sizeof(struct hf_event)),
                               .capacity = HF_EVENTS_MAX};

    (void)state;
    assert_non_null(events.list);
    limits.accounts = 100;
    limits.terms = TOWERS * STOREYS;
    limits.limits = SCOPES * HF_LIMITS_A_SCOPE;
    limits.rolling = limits.limits;
    limits.holds = HF_CHAIN_OPERATIONS_MAX;
    limits.remembered = 2000;
    open_fixture(&f, &limits);
    open_accounts(&f);
    open_towers(&f, &room);
    struct hf_id digest = hf_ledger_digest(f.ledger);
    f.now_ns += SECOND_NS;
    hf_ledger_watch(f.ledger, &events);
    for (int is_kept = 0; is_kept < 2; is_kept++) {
        struct hf_op_chain *chain = begin_chain(&f, &room);
        for (int i = 0; i < HF_CHAIN_OPERATIONS_MAX; i++) {
            union hf_operation op = make_post(&f, CARD, SHOP, TOWERS);
            add_link(chain, &op);
        }
        chain->header.flags = is_kept ? 0 : HF_OP_DRY_RUN;
        assert_int_equal(apply(&f, operation_of(&room)), is_kept);
        assert_string_equal(hf_code_name(f.reply.code), "OK");
        if (!is_kept)
            assert_true(hf_id_equal(hf_ledger_digest(f.ledger), digest));
    }
    /* Each: the legs of nine accounts and eight towers, CAPTURED, every limit, DRAWN, EXCEPTION. */
    assert_int_equal(events.count, HF_CHAIN_OPERATIONS_MAX *
                                       (TOWERS * STOREYS + 1 + 1 + SCOPES * HF_LIMITS_A_SCOPE + 2));
    assert_used(&f, HF_LIMIT_INSTRUMENT, CARD, 16, TOWERS * HF_CHAIN_OPERATIONS_MAX,
                HF_CHAIN_OPERATIONS_MAX);
    assert_used(&f, HF_LIMIT_ACCOUNT, OF_TOWER + 70, 16, HF_CHAIN_OPERATIONS_MAX,
                HF_CHAIN_OPERATIONS_MAX);
    assert_int_equal(remaining_of(&f, CARD), 1000 - HF_CHAIN_OPERATIONS_MAX);
    assert_true(hf_ledger_is_balanced(f.ledger));
    close_fixture(&f);
    free(events.list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        each(test_put),
        each(test_in_order),
        each(test_passed_over),
        each(test_limits),
        each(test_stopped_by_funds),
        each(test_verification),
        each(test_forced),
        cmocka_unit_test(test_parts_table),
        cmocka_unit_test(test_largest_chain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
