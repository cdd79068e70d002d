/* Account terms: ceilings, totals, filters, expiry, and closing. */
#include "plan_fixture.h"

#include "engine/terms.h"

static void assert_refused(struct fixture *f, union hf_operation op, uint16_t code, uint8_t rule)
{
    struct hf_id before = hf_ledger_digest(f->ledger);
    struct hf_ledger_counts counts = counts_of(f);

    assert_answer(f, op, code, rule);
    assert_int_equal(f->reply.entry, 0);
    assert_int_equal(counts_of(f).accounts, counts.accounts);
    assert_int_equal(counts_of(f).terms, counts.terms);
    assert_false(hf_id_equal(hf_ledger_digest(f->ledger), before)); /* the answer is remembered */
}

/* ---- who has terms ---- */

static void test_defaults_need_no_terms(void **state)
{
    struct fixture *f = *state;

    assert_ok(f, make_terms(f, 10, -5));
    assert_money(f, 0, 5, 0);
    assert_int_equal(counts_of(f).terms, 0);
    union hf_operation put = make_terms(f, 10, 0);
    put.account_put.ceiling = 7;
    assert_ok(f, put);
    assert_int_equal(counts_of(f).terms, 1);
    /* The short form leaves them, the long one replaces them; they stay for good. */
    assert_ok(f, make_account(f, 10, 0));
    assert_answer(f, make_move(f, 2, 10, 8), HF_CODE_CEILING, HF_RULE_PAYEE);
    assert_ok(f, make_terms(f, 10, 0));
    assert_ok(f, make_move(f, 2, 10, 8));
    assert_int_equal(counts_of(f).terms, 1);
}

static void test_each_term_needs_a_place(void **state)
{
    struct fixture *f = *state;
    struct hf_ledger_limits limits = small_limits;
    struct fixture small;

    (void)f;
    limits.terms = 2;
    open_fixture(&small, &limits);
    open_accounts(&small);
    assert_ok(&small, make_total(&small, 20, HF_FLOOR_NONE));
    assert_ok(&small, make_child(&small, 21, 0, 20));
    for (int term = 0; term < 5; term++) {
        union hf_operation put = make_terms(&small, 10, 0);
        if (term == 0)
            put.account_put.ceiling = INT64_MAX - 1;
        else if (term == 1)
            put.account_put.expires_ns = 1;
        else if (term == 2)
            put.account_put.sink = account_id(2);
        else if (term == 3)
            put.account_put.filter.merchant[15] = 'x';
        else
            put.account_put.parent = account_id(20);
        assert_refused(&small, put, HF_CODE_CAPACITY, HF_RULE_TABLE);
    }
    assert_ok(&small, make_terms(&small, 10, 0));
    assert_ok(&small, make_child(&small, 21, -4, 20)); /* has its place */
    close_fixture(&small);
}

/* Everything wrong at once, then mended one by one. */
static void test_refusals_in_order(void **state)
{
    struct fixture *f = *state;
    union hf_operation put;

    assert_ok(f, make_asset(f, EUR, "EUR"));
    put = make_total(f, 20, HF_FLOOR_NONE);
    put.account_put.asset = EUR;
    assert_ok(f, put);
    assert_ok(f, make_total(f, 21, HF_FLOOR_NONE));
    assert_ok(f, make_close(f, 21, 0));
    assert_ok(f, make_total(f, 22, HF_FLOOR_NONE));
    put = make_account(f, 23, 0);
    put.account_put.asset = EUR;
    assert_ok(f, put);

    put = make_child(f, 10, 0, 99);
    put.account_put.sink = account_id(98);
    assert_refused(f, put, HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_PARENT);
    struct {
        uint64_t parent;
        uint64_t sink;
        uint16_t code;
        uint8_t rule;
    } steps[] = {
        {2, 98, HF_CODE_NOT_PERMITTED, HF_RULE_PARENT},
        {20, 98, HF_CODE_ASSET_MISMATCH, HF_RULE_PARENT},
        {21, 98, HF_CODE_CLOSED, HF_RULE_PARENT},
        {22, 98, HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_SINK},
        {22, 20, HF_CODE_IS_TOTAL, HF_RULE_SINK},
        {22, 23, HF_CODE_ASSET_MISMATCH, HF_RULE_SINK},
    };
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        put = make_child(f, 10, 0, steps[i].parent);
        put.account_put.sink = account_id(steps[i].sink);
        assert_refused(f, put, steps[i].code, steps[i].rule);
    }
    put = make_child(f, 10, 0, 22);
    put.account_put.sink = account_id(2);
    assert_ok(f, put);

    /* Known: asset, closed, then parent and total, then the sink. */
    put = make_terms(f, 10, 0);
    put.account_put.asset = EUR;
    assert_refused(f, put, HF_CODE_ASSET_MISMATCH, HF_RULE_ACCOUNT);
    put = make_terms(f, 10, 0);
    put.account_put.sink = account_id(98);
    assert_refused(f, put, HF_CODE_NOT_PERMITTED, HF_RULE_PARENT); /* it has one */
    put = make_child(f, 10, 0, 22);
    put.account_put.flags = HF_ACCOUNT_TOTAL;
    assert_refused(f, put, HF_CODE_NOT_PERMITTED, HF_RULE_PARENT);
    put = make_child(f, 10, 0, 22);
    put.account_put.sink = account_id(98);
    assert_refused(f, put, HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_SINK);
    assert_refused(f, make_child(f, 2, 0, 22), HF_CODE_NOT_PERMITTED, HF_RULE_PARENT);
    assert_refused(f, make_terms(f, 22, 0), HF_CODE_NOT_PERMITTED, HF_RULE_PARENT);
    assert_refused(f, make_total(f, 21, 0), HF_CODE_CLOSED, HF_RULE_ACCOUNT);
    assert_ok(f, make_close(f, 10, 0));
    assert_refused(f, make_terms(f, 10, 0), HF_CODE_CLOSED, HF_RULE_ACCOUNT);
}

static void test_four_totals_above_and_no_fifth(void **state)
{
    struct fixture *f = *state;

    assert_ok(f, make_total(f, 20, HF_FLOOR_NONE));
    for (uint64_t depth = 1; depth <= 4; depth++) {
        union hf_operation put = make_total(f, 20 + depth, HF_FLOOR_NONE);
        put.account_put.parent = account_id(19 + depth);
        assert_ok(f, put);
    }
    assert_refused(f, make_child(f, 10, 0, 24), HF_CODE_CAPACITY, HF_RULE_PARENT);
    assert_ok(f, make_child(f, 10, 0, 23));
    assert_ok(f, make_move(f, 2, 10, 5));
    for (uint64_t number = 20; number <= 23; number++)
        assert_balances(f, number, 5, 0, 0);
    assert_balances(f, 24, 0, 0, 0);
}

/* ---- totals ---- */

/* An omnibus account of 1,000: 600 and 400. Moves inside leave it alone, others do not. */
static void test_total_is_the_sum_of_its_children(void **state)
{
    struct fixture *f = *state;

    assert_ok(f, make_total(f, 20, 0));
    assert_ok(f, make_child(f, 10, 0, 20));
    assert_ok(f, make_child(f, 11, 0, 20));
    assert_ok(f, make_move(f, 2, 10, 600));
    assert_ok(f, make_move(f, 2, 11, 400));
    assert_balances(f, 20, 1000, 0, 0);
    assert_ok(f, make_move(f, 10, 11, 100));
    assert_balances(f, 20, 1000, 0, 0);
    assert_int_equal(view_account(f, 20).lifetime_debits, 100);
    assert_ok(f, make_move(f, 10, 4, 200));
    assert_balances(f, 20, 800, 0, 0);
    assert_balances(f, 10, 300, 0, 0);
    assert_int_equal(view_account(f, 20).lifetime_debits, 300);
    union hf_operation hold = make_hold(f, 10, 11, 50);
    assert_ok(f, hold);
    assert_balances(f, 20, 800, 50, 50);
    assert_ok(f, make_capture(f, hold.header.id, 20, true));
    assert_balances(f, 20, 800, 0, 0);
    assert_balances(f, 10, 280, 0, 0);
    assert_balances(f, 11, 520, 0, 0);
    assert_true(hf_ledger_is_balanced(f->ledger));
}

static void test_total_takes_no_part(void **state)
{
    struct fixture *f = *state;

    assert_ok(f, make_total(f, 20, HF_FLOOR_NONE));
    assert_answer(f, make_move(f, 20, 2, 1), HF_CODE_IS_TOTAL, HF_RULE_PAYER);
    assert_answer(f, make_move(f, 2, 20, 1), HF_CODE_IS_TOTAL, HF_RULE_PAYEE);
    assert_answer(f, make_hold(f, 2, 20, 1), HF_CODE_IS_TOTAL, HF_RULE_PAYEE);
    assert_answer(f, make_instrument(f, 50, 20), HF_CODE_IS_TOTAL, HF_RULE_ACCOUNT);
    /* Totals and assets of both come before the payer's status. */
    union hf_operation freeze = make_account(f, 2, 0);
    freeze.account_put.status = HF_ACCOUNT_FROZEN;
    assert_ok(f, freeze);
    assert_answer(f, make_move(f, 2, 20, 1), HF_CODE_IS_TOTAL, HF_RULE_PAYEE);
    assert_answer(f, make_move(f, 2, 3, 1), HF_CODE_RESTRICTED, HF_RULE_PAYER);
}

/* A temporary account below a line of credit: the total's floor binds all that its children spend,
 * its ceiling all that they get. */
static void test_bounds_of_totals(void **state)
{
    struct fixture *f = *state;
    union hf_operation put = make_total(f, 20, -100);

    put.account_put.ceiling = 50;
    assert_ok(f, put);
    assert_ok(f, make_child(f, 10, -80, 20));
    assert_ok(f, make_child(f, 11, HF_FLOOR_NONE, 20));
    assert_ok(f, make_move(f, 10, 4, 80));
    assert_answer(f, make_move(f, 10, 4, 1), HF_CODE_INSUFFICIENT, HF_RULE_PAYER);
    assert_answer(f, make_move(f, 11, 4, 21), HF_CODE_INSUFFICIENT, HF_RULE_PARENT);
    assert_int_equal(f->reply.entry, 0);
    assert_answer(f, make_hold(f, 11, 4, 21), HF_CODE_INSUFFICIENT, HF_RULE_PARENT);
    assert_ok(f, make_move(f, 11, 4, 20));
    assert_ok(f, make_move(f, 11, 10, 500)); /* inside: what the total has stays */
    assert_ok(f, make_move(f, 2, 10, 150));
    assert_balances(f, 20, 50, 0, 0);
    assert_answer(f, make_move(f, 2, 10, 1), HF_CODE_CEILING, HF_RULE_PARENT);
    assert_ok(f, make_move(f, 10, 4, 1));
    assert_ok(f, make_hold(f, 2, 10, 1));
    assert_answer(f, make_move(f, 2, 10, 1), HF_CODE_CEILING, HF_RULE_PARENT);
}

/* Two children share what their total may spend: the second UP_TO sees what the first took. */
static void test_plan_counts_what_it_took_from_totals(void **state)
{
    struct fixture *f = *state;
    struct long_operation op;

    assert_ok(f, make_total(f, 20, 100));
    assert_ok(f, make_child(f, 10, 0, 20));
    assert_ok(f, make_child(f, 11, 0, 20));
    assert_ok(f, make_move(f, 2, 10, 100));
    assert_ok(f, make_move(f, 2, 11, 100));
    struct hf_op_move_plan *move = begin_plan(f, &op, 120);
    add_source(move, 10, HF_ENTRY_UP_TO, 70);
    add_source(move, 11, HF_ENTRY_UP_TO, HF_AMOUNT_ALL);
    add_source(move, 3, HF_ENTRY_REMAINING, 0);
    add_destination(move, 4, HF_ENTRY_REMAINING, 0);
    assert_plan_ok(f, &op);
    assert_balances(f, 10, 30, 0, 0);
    assert_balances(f, 11, 70, 0, 0);
    assert_balances(f, 3, 980, 0, 0);
    assert_balances(f, 20, 100, 0, 0);
    /* Each alone could pay, both together could not: whom the total stops first is named. */
    assert_ok(f, make_move(f, 3, 10, 10));
    move = begin_plan(f, &op, 16);
    move->plan.method = HF_PLAN_SMALLEST_RESIDUAL;
    move->plan.choose_max = 2;
    add_source(move, 10, HF_ENTRY_UP_TO, 8);
    add_source(move, 11, HF_ENTRY_UP_TO, 8);
    add_destination(move, 4, HF_ENTRY_REMAINING, 0);
    assert_plan(f, &op, HF_CODE_INSUFFICIENT, HF_RULE_PARENT, 1);
}

/* ---- ceilings ---- */

static void test_ceiling_counts_held_in(void **state)
{
    struct fixture *f = *state;
    union hf_operation put = make_terms(f, 10, 0);

    put.account_put.ceiling = 100;
    assert_ok(f, put);
    union hf_operation hold = make_hold(f, 2, 10, 40);
    assert_ok(f, hold);
    assert_answer(f, make_move(f, 2, 10, 61), HF_CODE_CEILING, HF_RULE_PAYEE);
    assert_money(f, 0, 960, 1000);
    assert_ok(f, make_move(f, 2, 10, 60));
    assert_answer(f, make_hold(f, 2, 10, 1), HF_CODE_CEILING, HF_RULE_PAYEE);
    /* A capture raises nothing that was not promised; a ceiling lowered binds the next change. */
    put.header.id = new_id(f);
    put.account_put.ceiling = -5;
    assert_ok(f, put);
    assert_ok(f, make_capture(f, hold.header.id, 40, false));
    assert_answer(f, make_move(f, 2, 10, 1), HF_CODE_CEILING, HF_RULE_PAYEE);
    assert_ok(f, make_move(f, 10, 2, 100));
    assert_balances(f, 10, 0, 0, 0);
}

/* ---- expiry ---- */

static void test_expired_takes_no_part(void **state)
{
    struct fixture *f = *state;
    union hf_operation put = make_terms(f, 2, 0);

    put.account_put.expires_ns = f->now_ns + NS_IN_MS;
    assert_ok(f, put);
    f->now_ns += NS_IN_MS - 1;
    assert_ok(f, make_move(f, 2, 4, 1));
    f->now_ns += 1;
    assert_answer(f, make_move(f, 2, 4, 1), HF_CODE_EXPIRED, HF_RULE_PAYER);
    assert_money(f, 0, 999, 999);
    assert_answer(f, make_move(f, 3, 2, 1), HF_CODE_EXPIRED, HF_RULE_PAYEE);
    put.header.id = new_id(f);
    put.account_put.expires_ns = f->now_ns + 1;
    assert_ok(f, put);
    assert_ok(f, make_move(f, 2, 4, 1));
}

/* ---- filters ---- */

static void test_each_part_of_a_filter(void **state)
{
    const uint8_t merchant[16] = "MERCHANT 1";
    const uint8_t other[16] = "MERCHANT 2";
    const struct hf_filter empty = {.mccs = {0}};
    struct hf_attributes attributes = {5411, 276, 3, merchant};

    (void)state;
    assert_true(hf_filter_passes(&empty, &attributes));
    assert_true(hf_filter_passes(&empty, &hf_attributes_none));
    struct hf_filter filter = {.mccs = {0, 8062, 0, 5411}};
    assert_true(hf_filter_passes(&filter, &attributes));
    attributes.mcc = 5812;
    assert_false(hf_filter_passes(&filter, &attributes));
    attributes.mcc = 0; /* an unused place is no MCC */
    assert_false(hf_filter_passes(&filter, &attributes));
    filter = (struct hf_filter){.countries = {0, 0, 0, 276}};
    assert_true(hf_filter_passes(&filter, &attributes));
    attributes.country = 40;
    assert_false(hf_filter_passes(&filter, &attributes));
    assert_false(hf_filter_passes(&filter, &hf_attributes_none));
    filter = (struct hf_filter){.channels = UINT32_C(1) << 31 | 1};
    static const struct {
        uint8_t channel;
        bool passes;
    } channels[] = {{0, true}, {1, false}, {30, false}, {31, true}, {32, false}, {63, false}};
    for (size_t i = 0; i < sizeof(channels) / sizeof(channels[0]); i++) {
        attributes.channel = channels[i].channel;
        assert_int_equal(hf_filter_passes(&filter, &attributes), channels[i].passes);
    }
    filter = (struct hf_filter){.parts = 0};
    memcpy(filter.merchant, merchant, sizeof(merchant));
    assert_true(hf_filter_passes(&filter, &attributes));
    attributes.merchant = other;
    assert_false(hf_filter_passes(&filter, &attributes));
    attributes.merchant = merchant;
    filter.mccs[7] = 1; /* all parts must agree */
    assert_false(hf_filter_passes(&filter, &attributes));
}

/* A benefit, a savings account and a line of credit pay one bill: 500 at MCC 8011. */
static void test_filters_in_a_plan(void **state)
{
    struct fixture *f = *state;
    struct long_operation op;

    for (uint64_t number = 10; number <= 12; number++) {
        union hf_operation put = make_terms(f, number, number == 12 ? -1000 : 0);
        put.account_put.filter.mccs[0] = 8011;
        assert_ok(f, put);
    }
    assert_ok(f, make_move(f, 2, 10, 200));
    assert_ok(f, make_move(f, 2, 11, 150));
    for (int round = 0; round < 2; round++) {
        struct hf_op_move_plan *move = begin_plan(f, &op, 500);
        move->plan.mcc = round == 0 ? 5812 : 8011;
        add_source(move, 10, HF_ENTRY_UP_TO, HF_AMOUNT_ALL);
        add_source(move, 11, HF_ENTRY_UP_TO, HF_AMOUNT_ALL);
        add_source(move, 12, HF_ENTRY_UP_TO, HF_AMOUNT_ALL);
        add_destination(move, 4, HF_ENTRY_REMAINING, 0);
        if (round == 0)
            assert_plan(f, &op, HF_CODE_NOT_PERMITTED, HF_RULE_PAYER, 1);
        else
            assert_plan_ok(f, &op);
    }
    assert_balances(f, 10, 0, 0, 0);
    assert_balances(f, 11, 0, 0, 0);
    assert_balances(f, 12, -150, 0, 0);
    assert_balances(f, 4, 500, 0, 0);
    /* A MOVE carries no attributes. It may always be paid to. */
    assert_answer(f, make_move(f, 12, 4, 1), HF_CODE_NOT_PERMITTED, HF_RULE_PAYER);
    assert_ok(f, make_move(f, 4, 12, 1));
    /* An AUTH does. */
    assert_ok(f, make_instrument(f, 50, 12));
    union hf_operation auth = make_auth(f, 50, 4, 5);
    assert_answer(f, auth, HF_CODE_NOT_PERMITTED, HF_RULE_PAYER);
    auth.header.id = new_id(f);
    auth.auth.mcc = 8011;
    assert_ok(f, auth);
}

/* ---- closing ---- */

static void test_close(void **state)
{
    static struct eyes eyes;
    struct fixture *f = *state;
    union hf_operation freeze = make_account(f, 4, 0);

    assert_refused(f, make_close(f, 99, 98), HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_ACCOUNT);
    union hf_operation hold = make_hold(f, 2, 3, 10);
    assert_ok(f, hold);
    assert_answer(f, make_close(f, 2, 98), HF_CODE_HELD, HF_RULE_ACCOUNT);
    assert_money(f, 0, 990, 1000);
    assert_answer(f, make_close(f, 3, 98), HF_CODE_HELD, HF_RULE_ACCOUNT);
    assert_ok(f, make_release(f, hold.header.id, HF_AMOUNT_ALL));
    assert_answer(f, make_close(f, 1, 98), HF_CODE_INSUFFICIENT, HF_RULE_ACCOUNT);
    assert_answer(f, make_close(f, 2, 0), HF_CODE_NOT_EMPTY, HF_RULE_SINK);
    assert_answer(f, make_close(f, 2, 98), HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_SINK);
    freeze.account_put.status = HF_ACCOUNT_FROZEN;
    assert_ok(f, freeze);
    assert_answer(f, make_close(f, 2, 4), HF_CODE_RESTRICTED, HF_RULE_SINK);
    assert_money(f, 0, 1000, 1000);
    /* A frozen account can be closed; a floor does not keep its money in. */
    freeze = make_account(f, 2, 700);
    freeze.account_put.status = HF_ACCOUNT_FROZEN;
    assert_ok(f, freeze);
    watch(f, &eyes);
    assert_ok(f, make_close(f, 2, 3));
    assert_money(f, 1000, -700, 0);
    assert_event(&eyes, 0, HF_EVENT_POSTED, 2, -1000);
    assert_event(&eyes, 1, HF_EVENT_POSTED, 3, 1000);
    assert_event(&eyes, 2, HF_EVENT_CLOSED, 2, 1000);
    assert_int_equal(eyes.events.count, 3);
    assert_int_equal(view_account(f, 2).status, HF_ACCOUNT_CLOSED);
    assert_int_equal(view_account(f, 2).lifetime_debits, 1000);
    assert_balances(f, 3, 2000, 0, 0);
    assert_answer(f, make_close(f, 2, 3), HF_CODE_CLOSED, HF_RULE_ACCOUNT);
    assert_answer(f, make_account(f, 2, 0), HF_CODE_CLOSED, HF_RULE_ACCOUNT);
    assert_answer(f, make_move(f, 3, 2, 1), HF_CODE_CLOSED, HF_RULE_PAYEE);
    assert_ok(f, make_close(f, 4, 0)); /* empty: no sink is needed */
    hf_ledger_watch(f->ledger, NULL);
}

static void test_close_by_the_bounds_of_others(void **state)
{
    struct fixture *f = *state;
    union hf_operation put = make_terms(f, 11, 0);

    put.account_put.ceiling = 999;
    assert_ok(f, put);
    assert_answer(f, make_close(f, 2, 11), HF_CODE_CEILING, HF_RULE_SINK);
    assert_ok(f, make_total(f, 20, 60));
    assert_ok(f, make_child(f, 10, 0, 20));
    assert_ok(f, make_child(f, 12, 0, 20));
    assert_ok(f, make_move(f, 2, 10, 100));
    /* Out of the total its floor binds; from one child to another it does not. */
    assert_answer(f, make_close(f, 10, 3), HF_CODE_INSUFFICIENT, HF_RULE_PARENT);
    assert_answer(f, make_close(f, 20, 0), HF_CODE_IS_TOTAL, HF_RULE_CHILDREN);
    assert_ok(f, make_close(f, 10, 12));
    assert_balances(f, 20, 100, 0, 0);
    assert_answer(f, make_close(f, 20, 0), HF_CODE_IS_TOTAL, HF_RULE_CHILDREN);
    assert_ok(f, make_total(f, 20, 0));
    assert_ok(f, make_close(f, 12, 3));
    assert_ok(f, make_close(f, 20, 0));
    assert_int_equal(view_account(f, 20).status, HF_ACCOUNT_CLOSED);
    assert_answer(f, make_child(f, 13, 0, 20), HF_CODE_CLOSED, HF_RULE_PARENT);
}

static void test_events_of_accounts(void **state)
{
    static struct eyes eyes;
    struct fixture *f = *state;

    watch(f, &eyes);
    assert_ok(f, make_asset(f, EUR, "EUR"));
    assert_ok(f, make_asset(f, EUR, "EUR"));
    assert_ok(f, make_total(f, 20, HF_FLOOR_NONE));
    assert_ok(f, make_child(f, 10, 0, 20));
    assert_ok(f, make_account(f, 10, 0));
    assert_ok(f, make_instrument(f, 50, 10));
    assert_ok(f, make_move(f, 2, 10, 5));
    assert_int_equal(eyes.list[0].kind, HF_EVENT_PUT);
    assert_int_equal(eyes.list[0].subject.lo, EUR);
    assert_int_equal(eyes.list[1].kind, HF_EVENT_PUT);
    assert_event(&eyes, 2, HF_EVENT_OPENED, 20, 0);
    assert_event(&eyes, 3, HF_EVENT_OPENED, 10, 0);
    assert_event(&eyes, 4, HF_EVENT_CHANGED, 10, 0);
    assert_event(&eyes, 5, HF_EVENT_PUT, 50, 0);
    assert_event(&eyes, 6, HF_EVENT_POSTED, 2, -5);
    assert_event(&eyes, 7, HF_EVENT_POSTED, 10, 5);
    assert_event(&eyes, 8, HF_EVENT_POSTED, 20, 5);
    assert_int_equal(eyes.events.count, 9);
    hf_ledger_watch(f->ledger, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        each(test_defaults_need_no_terms),
        each(test_each_term_needs_a_place),
        each(test_refusals_in_order),
        each(test_four_totals_above_and_no_fifth),
        each(test_total_is_the_sum_of_its_children),
        each(test_total_takes_no_part),
        each(test_bounds_of_totals),
        each(test_plan_counts_what_it_took_from_totals),
        each(test_ceiling_counts_held_in),
        each(test_expired_takes_no_part),
        cmocka_unit_test(test_each_part_of_a_filter),
        each(test_filters_in_a_plan),
        each(test_close),
        each(test_close_by_the_bounds_of_others),
        each(test_events_of_accounts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
