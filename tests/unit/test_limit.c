/* Limits: which of several decides, what sets and changes them, partial approval, and what is left
 * of a draw that was taken back. */
#include "card_fixture.h"

#define OTHER 71
#define DAY_S 86400

/* Cards 70 and 71 on account 10, under total 21, under total 20; a million in the account. */
static int open_cards(void **state)
{
    struct hf_ledger_limits limits = small_limits;
    struct fixture *f = malloc(sizeof(*f));

    assert_non_null(f);
    limits.holds = 2000;
    limits.remembered = 4000;
    limits.limits = 120;
    open_fixture(f, &limits);
    open_accounts(f);
    assert_ok(f, make_total(f, 20, HF_FLOOR_NONE));
    union hf_operation op = make_child(f, 21, HF_FLOOR_NONE, 20);
    op.account_put.flags = HF_ACCOUNT_TOTAL;
    assert_ok(f, op);
    assert_ok(f, make_child(f, 10, 0, 21));
    assert_ok(f, make_move(f, 1, 10, 1000000));
    assert_ok(f, make_instrument(f, CARD, 10));
    assert_ok(f, make_instrument(f, OTHER, 10));
    *state = f;
    return 0;
}

#define cards(test) cmocka_unit_test_setup_teardown(test, open_cards, close_each)

static union hf_operation make_mode(struct fixture *f, uint8_t number, uint8_t mode,
                                    uint64_t amount, uint64_t count)
{
    union hf_operation op = make_max(f, HF_LIMIT_INSTRUMENT, CARD, number, 0, amount, count);

    op.limit_put.mode = mode;
    return op;
}

/* ---- which of several ---- */

static void test_operation_and_lifetime(void **state)
{
    struct fixture *f = *state;

    assert_ok(f, make_max(f, HF_LIMIT_INSTRUMENT, CARD, 1, HF_LIMIT_OPERATION, 50, 1));
    assert_ok(f, make_max(f, HF_LIMIT_INSTRUMENT, CARD, 2, HF_LIMIT_LIFETIME, 120, 3));
    assert_ok(f, make_auth(f, CARD, SHOP, 50));
    assert_ok(f, make_auth(f, CARD, SHOP, 50));
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 1, 0, 0);
    f->now_ns += 3000 * UINT64_C(86400) * SECOND_NS;
    check_answer(f, make_auth(f, CARD, SHOP, 51), HF_CODE_AMOUNT_LIMIT, HF_RULE_INSTRUMENT_LIMIT,
                 2);
    assert_ok(f, make_auth(f, CARD, SHOP, 20));
    check_answer(f, make_auth(f, CARD, SHOP, 1), HF_CODE_COUNT_LIMIT, HF_RULE_INSTRUMENT_LIMIT, 2);
    /* A verification is no exception, and a limit of no operations at all allows none. */
    check_answer(f, make_auth(f, CARD, SHOP, 0), HF_CODE_COUNT_LIMIT, HF_RULE_INSTRUMENT_LIMIT, 2);
    assert_ok(
        f, make_max(f, HF_LIMIT_INSTRUMENT, OTHER, 1, HF_LIMIT_OPERATION, 0, HF_LIMIT_UNLIMITED));
    assert_ok(f, make_auth(f, OTHER, SHOP, 0));
    check_answer(f, make_auth(f, OTHER, SHOP, 1), HF_CODE_AMOUNT_LIMIT, HF_RULE_INSTRUMENT_LIMIT,
                 1);
    assert_ok(f, make_max(f, HF_LIMIT_INSTRUMENT, OTHER, 1, HF_LIMIT_OPERATION, 9, 0));
    check_answer(f, make_auth(f, OTHER, SHOP, 0), HF_CODE_COUNT_LIMIT, HF_RULE_INSTRUMENT_LIMIT, 1);
}

static void test_sixteen_bear_and_no_seventeenth(void **state)
{
    struct fixture *f = *state;
    static const struct {
        uint8_t scope;
        uint64_t id;
        uint8_t rule;
    } scopes[] = {
        {HF_LIMIT_INSTRUMENT, CARD, HF_RULE_INSTRUMENT_LIMIT},
        {HF_LIMIT_ACCOUNT, 10, HF_RULE_ACCOUNT_LIMIT},
        {HF_LIMIT_ACCOUNT, 21, HF_RULE_PARENT_LIMIT},
        {HF_LIMIT_ACCOUNT, 20, HF_RULE_PARENT_LIMIT},
    };

    for (size_t s = 0; s < 4; s++) {
        /* From the last number to the first, each looser than the one after it. */
        for (uint8_t n = 16; n >= 1; n--)
            check_answer(f,
                         make_max(f, scopes[s].scope, scopes[s].id, (uint8_t)(n * 15),
                                  HF_LIMIT_LIFETIME, 900 - 10 * s - n, HF_LIMIT_UNLIMITED),
                         HF_CODE_OK, HF_RULE_NONE, 0);
        check_answer(f, make_limit(f, scopes[s].scope, scopes[s].id, 1, HF_LIMIT_DAY),
                     HF_CODE_CAPACITY, HF_RULE_LIMIT, 0);
        /* The 16th is the strictest of its scope, and the next scope's is stricter still. */
        check_answer(f, make_auth(f, CARD, SHOP, 901), HF_CODE_AMOUNT_LIMIT, scopes[s].rule, 240);
        assert_ok(f, make_auth(f, CARD, SHOP, 0));
    }
    assert_int_equal(counts_of(f).limits, 64);
    assert_ok(f, make_auth(f, CARD, SHOP, 800));
    for (size_t s = 0; s < 4; s++)
        assert_used(f, scopes[s].scope, scopes[s].id, 240, 800, 1);
    /* The other card draws on the same account and totals. */
    check_answer(f, make_auth(f, OTHER, SHOP, 55), HF_CODE_AMOUNT_LIMIT, HF_RULE_PARENT_LIMIT, 240);
    assert_ok(f, make_auth(f, OTHER, SHOP, 54));
    assert_used(f, HF_LIMIT_ACCOUNT, 10, 15, 854, 2);
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 15, 800, 1);
    /* A page has twelve of them. */
    struct hf_query_reply reply = view_page(f, HF_LIMIT_ACCOUNT, 20, 0);
    assert_int_equal(reply.view.limits.count, 12);
    assert_int_equal(reply.view.limits.next_cursor, 180);
    reply = view_page(f, HF_LIMIT_ACCOUNT, 20, 180);
    assert_int_equal(reply.view.limits.count, 4);
    assert_int_equal(reply.view.limits.next_cursor, 0);
    assert_int_equal(reply.view.limits.lines[3].number, 240);
    assert_int_equal(reply.reply.length, sizeof(reply.reply) + 8 + 4 * 40);
}

static void test_strictest_is_named(void **state)
{
    struct fixture *f = *state;

    /* Of those that allow the same the first; of those that allow nothing a used up count. */
    assert_ok(f, make_max(f, HF_LIMIT_ACCOUNT, 10, 3, HF_LIMIT_OPERATION, 70, HF_LIMIT_UNLIMITED));
    assert_ok(f, make_max(f, HF_LIMIT_ACCOUNT, 10, 2, HF_LIMIT_DAY, 70, 2));
    check_answer(f, make_auth(f, CARD, SHOP, 71), HF_CODE_AMOUNT_LIMIT, HF_RULE_ACCOUNT_LIMIT, 2);
    assert_ok(f, make_max(f, HF_LIMIT_INSTRUMENT, CARD, 9, HF_LIMIT_WEEK, 70, HF_LIMIT_UNLIMITED));
    union hf_operation op =
        make_max(f, HF_LIMIT_INSTRUMENT, CARD, 9, HF_LIMIT_MONTH, 70, HF_LIMIT_UNLIMITED);
    op.limit_put.start = 1;
    check_answer(f, op, HF_CODE_OK, HF_RULE_NONE, 0);
    check_answer(f, make_auth(f, CARD, SHOP, 71), HF_CODE_AMOUNT_LIMIT, HF_RULE_INSTRUMENT_LIMIT,
                 9);
    assert_money(f, 0, 1000000, 1000000);
    assert_ok(f, make_auth(f, CARD, SHOP, 69));
    assert_ok(f, make_auth(f, CARD, SHOP, 1));
    check_answer(f, make_auth(f, CARD, SHOP, 1), HF_CODE_COUNT_LIMIT, HF_RULE_ACCOUNT_LIMIT, 2);
    check_answer(f, make_auth(f, CARD, SHOP, 0), HF_CODE_COUNT_LIMIT, HF_RULE_ACCOUNT_LIMIT, 2);
    /* Standing comes before limits, the guards behind them. */
    op = make_auth(f, CARD, SHOP, 1);
    op.auth.asset = EUR;
    assert_answer(f, op, HF_CODE_ASSET_MISMATCH, HF_RULE_PAYER);
    check_answer(f, make_auth(f, CARD, SHOP, 2000000), HF_CODE_COUNT_LIMIT, HF_RULE_ACCOUNT_LIMIT,
                 2);
}

static void test_filters(void **state)
{
    struct fixture *f = *state;
    union hf_operation op =
        make_max(f, HF_LIMIT_INSTRUMENT, CARD, 1, HF_LIMIT_DAY, 100, HF_LIMIT_UNLIMITED);

    op.limit_put.filter.mccs[2] = 5813;
    op.limit_put.filter.channels = 1u << 4;
    check_answer(f, op, HF_CODE_OK, HF_RULE_NONE, 0);
    assert_ok(f, make_auth(f, CARD, SHOP, 500));
    op = make_auth(f, CARD, SHOP, 101);
    op.auth.mcc = 5813;
    assert_ok(f, op); /* over another channel */
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 1, 0, 0);
    op = make_auth(f, CARD, SHOP, 101);
    op.auth.mcc = 5813;
    op.auth.channel = 4;
    check_answer(f, op, HF_CODE_AMOUNT_LIMIT, HF_RULE_INSTRUMENT_LIMIT, 1);
    op.auth.header = header_of(f, HF_OP_AUTH);
    op.auth.amount = 100;
    assert_ok(f, op);
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 1, 100, 1);
    assert_int_equal(view_limit(f, HF_LIMIT_INSTRUMENT, CARD, 1).has_filter, 1);
}

/* ---- setting, raising, resetting ---- */

static void test_set_again(void **state)
{
    struct fixture *f = *state;
    union hf_operation op =
        make_max(f, HF_LIMIT_INSTRUMENT, CARD, 1, HF_LIMIT_DAY, 100, HF_LIMIT_UNLIMITED);

    assert_ok(f, op);
    assert_ok(f, make_auth(f, CARD, SHOP, 30));
    /* The same window keeps what is used, whatever else changes. */
    op = make_max(f, HF_LIMIT_INSTRUMENT, CARD, 1, HF_LIMIT_DAY, 20, 7);
    op.limit_put.filter.channels = 1;
    check_answer(f, op, HF_CODE_OK, HF_RULE_NONE, 0);
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 1, 30, 1);
    check_answer(f, make_auth(f, CARD, SHOP, 1), HF_CODE_AMOUNT_LIMIT, HF_RULE_INSTRUMENT_LIMIT, 1);
    /* Another zone begins anew, and so does each other part of a window. */
    op = make_max(f, HF_LIMIT_INSTRUMENT, CARD, 1, HF_LIMIT_DAY, 100, 7);
    op.limit_put.zone_minutes = 1;
    check_answer(f, op, HF_CODE_OK, HF_RULE_NONE, 0);
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 1, 0, 0);
    assert_ok(f, make_auth(f, CARD, SHOP, 30));
    for (uint8_t start = 1; start <= 2; start++) {
        op = make_max(f, HF_LIMIT_INSTRUMENT, CARD, 1, HF_LIMIT_WEEK, 100, 7);
        op.limit_put.start = start;
        check_answer(f, op, HF_CODE_OK, HF_RULE_NONE, 0);
        assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 1, 0, 0);
        assert_ok(f, make_auth(f, CARD, SHOP, 30));
    }
    for (uint64_t length_ns = 640; length_ns <= 641; length_ns++) {
        for (int times = 0; times < 2; times++) {
            op = make_max(f, HF_LIMIT_INSTRUMENT, CARD, 1, HF_LIMIT_ROLLING, 100, 7);
            op.limit_put.length_ns = length_ns;
            check_answer(f, op, HF_CODE_OK, HF_RULE_NONE, 0);
            assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 1, times == 0 ? 0 : 30, times);
            if (times == 0)
                assert_ok(f, make_auth(f, CARD, SHOP, 30));
            assert_int_equal(counts_of(f).rolling, 1);
        }
    }
    assert_ok(f, make_limit(f, HF_LIMIT_INSTRUMENT, CARD, 1, HF_LIMIT_LIFETIME));
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 1, 0, 0);
    assert_int_equal(counts_of(f).rolling, 0);
    assert_int_equal(counts_of(f).limits, 1);
}

static void test_raise_and_reset(void **state)
{
    struct fixture *f = *state;

    assert_ok(f, make_max(f, HF_LIMIT_INSTRUMENT, CARD, 4, HF_LIMIT_LIFETIME, 100, 2));
    assert_ok(f, make_auth(f, CARD, SHOP, 99));
    check_answer(f, make_mode(f, 4, HF_LIMIT_RAISE, 50, 0), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_ok(f, make_auth(f, CARD, SHOP, 51));
    check_answer(f, make_mode(f, 4, HF_LIMIT_RAISE, 0, 1), HF_CODE_OK, HF_RULE_NONE, 0);
    check_answer(f, make_auth(f, CARD, SHOP, 1), HF_CODE_AMOUNT_LIMIT, HF_RULE_INSTRUMENT_LIMIT, 4);
    check_answer(f, make_mode(f, 4, HF_LIMIT_RESET, 0, 0), HF_CODE_OK, HF_RULE_NONE, 0);
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 4, 0, 0);
    assert_ok(f, make_auth(f, CARD, SHOP, 150));
    /* Up to the largest that is one, and not beyond; neither maximum when one of them overflows. */
    check_answer(f, make_mode(f, 4, HF_LIMIT_RAISE, UINT64_MAX - 149, 0), HF_CODE_OVERFLOW,
                 HF_RULE_LIMIT, 0);
    check_answer(f, make_mode(f, 4, HF_LIMIT_RAISE, UINT64_MAX - 150, 0), HF_CODE_OVERFLOW,
                 HF_RULE_LIMIT, 0);
    assert_ok(f, make_mode(f, 4, HF_LIMIT_RAISE, UINT64_MAX - 152, 0));
    check_answer(f, make_mode(f, 4, HF_LIMIT_RAISE, 1, UINT64_MAX - 1), HF_CODE_OVERFLOW,
                 HF_RULE_LIMIT, 0);
    struct hf_limit_line line = view_limit(f, HF_LIMIT_INSTRUMENT, CARD, 4);
    assert_true(line.max_amount == UINT64_MAX - 2);
    assert_int_equal(line.max_count, 3);
    assert_ok(f, make_mode(f, 4, HF_LIMIT_RAISE, 1, HF_LIMIT_UNLIMITED));
    assert_ok(f, make_mode(f, 4, HF_LIMIT_RAISE, 0, UINT64_MAX - 1)); /* stays what it is */
    line = view_limit(f, HF_LIMIT_INSTRUMENT, CARD, 4);
    assert_true(line.max_amount == UINT64_MAX - 1);
    assert_true(line.max_count == HF_LIMIT_UNLIMITED);
    /* A rolling one is reset in all its buckets. */
    union hf_operation op = make_max(f, HF_LIMIT_INSTRUMENT, CARD, 5, HF_LIMIT_ROLLING, 10, 10);
    op.limit_put.length_ns = 64000;
    assert_ok(f, op);
    for (int i = 0; i < 5; i++, f->now_ns += 2000)
        assert_ok(f, make_auth(f, CARD, SHOP, 2));
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 5, 10, 5);
    assert_ok(f, make_mode(f, 5, HF_LIMIT_RESET, 0, 0));
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 5, 0, 0);
}

/* Without entries it is no filter, unless it is said that there is one: that is refused. So is one
 * in bytes that mean nothing, or for a limit that keeps its own. */
static void test_filter_without_entries(void **state)
{
    struct fixture *f = *state;
    union hf_operation op = make_max(f, HF_LIMIT_INSTRUMENT, CARD, 1, HF_LIMIT_DAY, 5, 5);
    struct hf_verdict verdict;

    op.limit_put.filter.parts = HF_FILTER_BY_MCC;
    verdict = hf_operation_check(&op, sizeof(op));
    assert_int_equal(verdict.code, HF_CODE_MALFORMED);
    assert_int_equal(verdict.rule, HF_RULE_FILTER);
    op.limit_put.filter.parts = 16;
    verdict = hf_operation_check(&op, sizeof(op));
    assert_int_equal(verdict.code, HF_CODE_MALFORMED);
    assert_int_equal(verdict.rule, HF_RULE_RESERVED);
    op.limit_put.filter.parts = 0;
    op.limit_put.reserved = 1;
    verdict = hf_operation_check(&op, sizeof(op));
    assert_int_equal(verdict.code, HF_CODE_MALFORMED);
    assert_int_equal(verdict.rule, HF_RULE_RESERVED);
    op.limit_put.reserved = 0;
    assert_ok(f, op);
    assert_int_equal(view_limit(f, HF_LIMIT_INSTRUMENT, CARD, 1).has_filter, 0);
    assert_ok(f, make_auth(f, CARD, SHOP, 5)); /* without any attributes: it is counted */
    check_answer(f, make_auth(f, CARD, SHOP, 1), HF_CODE_AMOUNT_LIMIT, HF_RULE_INSTRUMENT_LIMIT, 1);
    op = make_mode(f, 1, HF_LIMIT_RAISE, 1, 1);
    op.limit_put.filter.mccs[7] = 5411;
    verdict = hf_operation_check(&op, sizeof(op));
    assert_int_equal(verdict.code, HF_CODE_MALFORMED);
    assert_int_equal(verdict.rule, HF_RULE_LIMIT);
}

/* A filter is the same whether its parts were announced or not: in what it lets pass, and for a
 * limit that is set again with it. */
static void test_announced_filter(void **state)
{
    struct fixture *f = *state;
    union hf_operation op = make_max(f, HF_LIMIT_INSTRUMENT, CARD, 1, HF_LIMIT_DAY, 100, 9);
    struct hf_id auth_id;

    op.limit_put.filter.mccs[7] = 5411;
    op.limit_put.filter.parts = HF_FILTER_BY_MCC;
    check_answer(f, op, HF_CODE_OK, HF_RULE_NONE, 0);
    assert_ok(f, make_auth(f, CARD, SHOP, 500)); /* not counted */
    op = make_auth(f, CARD, SHOP, 60);
    op.auth.mcc = 5411;
    auth_id = op.header.id;
    assert_ok(f, op);
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 1, 60, 1);
    assert_int_equal(view_limit(f, HF_LIMIT_INSTRUMENT, CARD, 1).has_filter, 1);
    /* Set again without a word about its parts it counts as it did: what was drawn goes back. */
    op = make_max(f, HF_LIMIT_INSTRUMENT, CARD, 1, HF_LIMIT_DAY, 100, 9);
    op.limit_put.filter.mccs[7] = 5411;
    check_answer(f, op, HF_CODE_OK, HF_RULE_NONE, 0);
    assert_ok(f, make_reverse(f, auth_id, 60));
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 1, 0, 0);
}

static void test_refusals_of_put(void **state)
{
    struct fixture *f = *state;
    struct hf_id before;

    check_answer(f, make_limit(f, HF_LIMIT_INSTRUMENT, 99, 1, HF_LIMIT_DAY),
                 HF_CODE_UNKNOWN_INSTRUMENT, HF_RULE_INSTRUMENT, 0);
    check_answer(f, make_limit(f, HF_LIMIT_ACCOUNT, CARD, 1, HF_LIMIT_DAY), HF_CODE_UNKNOWN_ACCOUNT,
                 HF_RULE_ACCOUNT, 0);
    check_answer(f, make_mode(f, 1, HF_LIMIT_RAISE, 1, 1), HF_CODE_UNKNOWN_LIMIT, HF_RULE_LIMIT, 0);
    check_answer(f, make_mode(f, 1, HF_LIMIT_RESET, 0, 0), HF_CODE_UNKNOWN_LIMIT, HF_RULE_LIMIT, 0);
    union hf_operation op = make_instrument(f, OTHER, 10);
    op.instrument_put.status = HF_INSTRUMENT_CLOSED;
    assert_ok(f, op);
    check_answer(f, make_limit(f, HF_LIMIT_INSTRUMENT, OTHER, 1, HF_LIMIT_DAY), HF_CODE_CLOSED,
                 HF_RULE_INSTRUMENT, 0);
    assert_ok(f, make_close(f, SHOP, 0));
    check_answer(f, make_limit(f, HF_LIMIT_ACCOUNT, SHOP, 1, HF_LIMIT_DAY), HF_CODE_CLOSED,
                 HF_RULE_ACCOUNT, 0);
    /* A dry run says OK and leaves nothing behind. */
    before = hf_ledger_digest(f->ledger);
    op = make_limit(f, HF_LIMIT_INSTRUMENT, CARD, 1, HF_LIMIT_DAY);
    op.header.flags |= HF_OP_DRY_RUN;
    assert_false(apply(f, &op));
    assert_int_equal(f->reply.code, HF_CODE_OK);
    assert_true(hf_id_equal(hf_ledger_digest(f->ledger), before));
}

static void test_tables_can_be_full(void **state)
{
    struct hf_ledger_limits limits = small_limits;
    struct fixture f;

    (void)state;
    limits.limits = 3;
    limits.rolling = 1;
    limits.terms = 1;
    open_fixture(&f, &limits);
    open_accounts(&f);
    assert_ok(&f, make_instrument(&f, CARD, 2));
    union hf_operation op = make_limit(&f, HF_LIMIT_INSTRUMENT, CARD, 1, HF_LIMIT_ROLLING);
    op.limit_put.length_ns = 64;
    assert_ok(&f, op);
    op.header = header_of(&f, HF_OP_LIMIT_PUT);
    op.limit_put.number = 2;
    check_answer(&f, op, HF_CODE_CAPACITY, HF_RULE_TABLE, 0);
    /* An account gets terms by its first limit; another finds no room for its own. */
    assert_ok(&f, make_limit(&f, HF_LIMIT_ACCOUNT, 2, 1, HF_LIMIT_DAY));
    assert_int_equal(counts_of(&f).terms, 1);
    assert_ok(&f, make_limit(&f, HF_LIMIT_ACCOUNT, 2, 2, HF_LIMIT_DAY));
    assert_int_equal(counts_of(&f).terms, 1);
    check_answer(&f, make_limit(&f, HF_LIMIT_ACCOUNT, 2, 3, HF_LIMIT_DAY), HF_CODE_CAPACITY,
                 HF_RULE_TABLE, 0);
    check_answer(&f, make_limit(&f, HF_LIMIT_ACCOUNT, 3, 1, HF_LIMIT_DAY), HF_CODE_CAPACITY,
                 HF_RULE_TABLE, 0);
    /* What is there may be set again; a rolling window given back may be had by another. */
    assert_ok(&f, make_limit(&f, HF_LIMIT_INSTRUMENT, CARD, 1, HF_LIMIT_DAY));
    op.header = header_of(&f, HF_OP_LIMIT_PUT);
    op.limit_put.scope = HF_LIMIT_ACCOUNT;
    op.limit_put.scope_id = account_id(2);
    assert_ok(&f, op);
    assert_int_equal(counts_of(&f).limits, 3);
    assert_int_equal(counts_of(&f).rolling, 1);
    close_fixture(&f);
}

/* ---- authorisations ---- */

static void test_partial(void **state)
{
    struct fixture *f = *state;
    union hf_operation op;

    assert_ok(f, make_max(f, HF_LIMIT_INSTRUMENT, CARD, 1, HF_LIMIT_DAY, 100, HF_LIMIT_UNLIMITED));
    /* By a limit: not below the minimum, and what was approved is what is drawn. */
    op = make_auth(f, CARD, SHOP, 150);
    op.auth.minimum = 101;
    check_answer(f, op, HF_CODE_AMOUNT_LIMIT, HF_RULE_INSTRUMENT_LIMIT, 1);
    op = make_auth(f, CARD, SHOP, 150);
    op.auth.minimum = 100;
    check_answer(f, op, HF_CODE_OK_PARTIAL, HF_RULE_NONE, 0);
    assert_money(f, 100, 999900, 1000000);
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 1, 100, 1);
    assert_false(apply(f, &op)); /* the hold's maker is answered again */
    assert_int_equal(f->reply.code, HF_CODE_OK_PARTIAL);
    assert_int_equal(f->reply.approved, 100);
    /* Nothing at all will never do. */
    op = make_auth(f, CARD, SHOP, 150);
    op.auth.minimum = 1;
    check_answer(f, op, HF_CODE_AMOUNT_LIMIT, HF_RULE_INSTRUMENT_LIMIT, 1);

    /* By funds, of the account and of the totals above it. */
    op = make_auth(f, OTHER, SHOP, 1000000);
    op.auth.minimum = 999901;
    check_answer(f, op, HF_CODE_INSUFFICIENT, HF_RULE_PAYER, 0);
    union hf_operation total = make_total(f, 20, 400000);
    assert_ok(f, total);
    op = make_auth(f, OTHER, SHOP, 1000000);
    op.auth.minimum = 5;
    check_answer(f, op, HF_CODE_OK_PARTIAL, HF_RULE_NONE, 0);
    assert_int_equal(f->reply.approved, 599900);
    op = make_auth(f, OTHER, SHOP, 2);
    op.auth.minimum = 1;
    check_answer(f, op, HF_CODE_INSUFFICIENT, HF_RULE_PARENT, 0);
    assert_ok(f, make_total(f, 20, 399990));
    /* By both: the limit lets 50 through, the funds 10. */
    assert_ok(f, make_max(f, HF_LIMIT_ACCOUNT, 10, 1, HF_LIMIT_OPERATION, 50, HF_LIMIT_UNLIMITED));
    op = make_auth(f, OTHER, SHOP, 60);
    op.auth.minimum = 11;
    check_answer(f, op, HF_CODE_INSUFFICIENT, HF_RULE_PARENT, 0);
    op = make_auth(f, OTHER, SHOP, 60);
    op.auth.minimum = 10;
    check_answer(f, op, HF_CODE_OK_PARTIAL, HF_RULE_NONE, 0);
    assert_int_equal(f->reply.approved, 10);
}

static void test_class_and_tolerance(void **state)
{
    struct fixture *f = *state;
    struct hf_query_reply reply;
    union hf_operation op = make_auth(f, CARD, SHOP, 100);

    op.auth.minimum = 100; /* all of it can be had */
    op.auth.class_number = 2;
    op.auth.tolerance = 200;
    check_answer(f, op, HF_CODE_OK, HF_RULE_NONE, 0);
    struct hf_id hold = f->reply.id;
    query(f, HF_QUERY_HOLD, hold, &reply);
    assert_int_equal(reply.view.hold.class_number, 2);
    assert_int_equal(reply.view.hold.tolerance, 200);
    assert_int_equal(reply.view.hold.policy, HF_HOLD_SOFT);
    assert_int_equal(reply.view.hold.expires_ns, f->now_ns + 5 * DAY_S * SECOND_NS);
    /* It lapses, and can be captured all the same, with its tolerance. */
    f->now_ns = reply.view.hold.expires_ns;
    assert_int_equal(expire(f), 1);
    assert_balances(f, 10, 1000000, 0, 0);
    assert_answer(f, make_capture(f, hold, 121, true), HF_CODE_OVER_CAPTURE, HF_RULE_HOLD);
    assert_ok(f, make_capture(f, hold, 120, true));
    assert_ok(f, make_auth(f, CARD, SHOP, 1));
    query(f, HF_QUERY_HOLD, f->reply.id, &reply);
    assert_int_equal(reply.view.hold.expires_ns, 0); /* class 0: for ever */
    assert_int_equal(reply.view.hold.policy, HF_HOLD_SOFT);
}

/* ---- what must leave no trace ---- */

static void test_dry_run_and_verification(void **state)
{
    struct fixture *f = *state;
    union hf_operation op = make_limit(f, HF_LIMIT_INSTRUMENT, CARD, 1, HF_LIMIT_ROLLING);

    op.limit_put.length_ns = 6400;
    assert_ok(f, op);
    assert_ok(f, make_auth(f, CARD, SHOP, 5));
    f->now_ns += 1000;
    struct hf_id before = hf_ledger_digest(f->ledger);
    op = make_auth(f, CARD, SHOP, 7);
    op.header.flags |= HF_OP_DRY_RUN;
    assert_false(apply(f, &op));
    assert_int_equal(f->reply.code, HF_CODE_OK);
    assert_true(hf_id_equal(hf_ledger_digest(f->ledger), before));
    assert_ok(f, make_auth(f, CARD, SHOP, 0));
    assert_int_equal(f->reply.approved, 0);
    assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 1, 5, 1);
}

/* A chain that fails at its end puts back limits made, set, raised, reset and drawn: but for the
 * answer the state is that of a ledger in which the last operation alone was refused. */
static void test_chain_is_rolled_back(void **state)
{
    struct fixture *f = *state;
    struct long_operation chain;
    struct hf_op_chain *begun;
    union hf_operation op;

    op = make_limit(f, HF_LIMIT_INSTRUMENT, CARD, 2, HF_LIMIT_ROLLING);
    op.limit_put.length_ns = 6400;
    assert_ok(f, op);
    assert_ok(f, make_max(f, HF_LIMIT_ACCOUNT, 21, 2, HF_LIMIT_DAY, 500, 500));
    for (int i = 0; i < 30; i++, f->now_ns += 150)
        assert_ok(f, make_auth(f, CARD, SHOP, 3));
    struct hf_limit_line rolling = view_limit(f, HF_LIMIT_INSTRUMENT, CARD, 2);
    f->now_ns += 3000;
    for (int dry = 0; dry < 2; dry++) {
        struct hf_id before = hf_ledger_digest(f->ledger);
        struct hf_ledger_counts counts = counts_of(f);
        begun = begin_chain(f, &chain);
        const union hf_operation links[] = {
            make_auth(f, CARD, SHOP, 100),
            make_mode(f, 2, HF_LIMIT_RAISE, 5, HF_LIMIT_UNLIMITED),
            make_limit(f, HF_LIMIT_INSTRUMENT, CARD, 1, HF_LIMIT_DAY),
            make_limit(f, HF_LIMIT_ACCOUNT, 2, 1, HF_LIMIT_DAY), /* terms for account 2 */
            make_auth(f, CARD, SHOP, 100),
            make_mode(f, 2, HF_LIMIT_RESET, 0, 0),
            make_limit(f, HF_LIMIT_INSTRUMENT, CARD, 2, HF_LIMIT_LIFETIME), /* rolling no more */
            make_auth(f, CARD, SHOP, 200),
        };
        for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
            add_link(begun, &links[i]);
        op = make_limit(f, HF_LIMIT_ACCOUNT, 20, 5, HF_LIMIT_ROLLING);
        op.limit_put.length_ns = 64;
        add_link(begun, &op);
        op = make_auth(f, CARD, SHOP, 101); /* the total's limit has 10 left */
        if (dry == 0)
            add_link(begun, &op);
        else
            begun->header.flags |= HF_OP_DRY_RUN;
        assert_int_equal(hf_operation_check(operation_of(&chain), begun->header.length).code,
                         HF_CODE_OK);
        assert_int_equal(apply(f, operation_of(&chain)), dry == 0);
        if (dry == 0) {
            assert_int_equal(f->reply.code, HF_CODE_AMOUNT_LIMIT);
            assert_int_equal(f->reply.rule, HF_RULE_PARENT_LIMIT);
            assert_int_equal(f->reply.entry, 10); /* which of the chain */
        } else {
            assert_int_equal(f->reply.code, HF_CODE_OK);
            assert_true(hf_id_equal(hf_ledger_digest(f->ledger), before));
        }
        struct hf_ledger_counts after = counts_of(f);
        assert_int_equal(after.limits, counts.limits);
        assert_int_equal(after.rolling, counts.rolling);
        assert_int_equal(after.terms, counts.terms);
        assert_used(f, HF_LIMIT_ACCOUNT, 21, 2, 90, 30);
        struct hf_limit_line line = view_limit(f, HF_LIMIT_INSTRUMENT, CARD, 2);
        assert_int_equal(line.window, HF_LIMIT_ROLLING);
        assert_true(line.max_amount == HF_LIMIT_UNLIMITED);
        assert_true(line.used_count < rolling.used_count || dry == 1);
    }
    /* And one that stands. */
    begun = begin_chain(f, &chain);
    op = make_auth(f, CARD, SHOP, 100);
    add_link(begun, &op);
    op = make_auth(f, CARD, SHOP, 310);
    add_link(begun, &op);
    assert_plan_ok(f, &chain);
    assert_used(f, HF_LIMIT_ACCOUNT, 21, 2, 500, 32);
}

static void test_events(void **state)
{
    static struct eyes eyes;
    struct fixture *f = *state;
    union hf_operation op = make_instrument(f, CARD, 10);

    op.instrument_put.remaining = 5;
    assert_ok(f, op);
    watch(f, &eyes);
    assert_ok(f, make_max(f, HF_LIMIT_INSTRUMENT, CARD, 6, HF_LIMIT_OPERATION, 50, 50));
    assert_ok(f, make_max(f, HF_LIMIT_INSTRUMENT, CARD, 2, HF_LIMIT_DAY, 50, 50));
    assert_ok(f, make_max(f, HF_LIMIT_ACCOUNT, 20, 9, HF_LIMIT_LIFETIME, 50, 50));
    assert_int_equal(eyes.events.count, 3);
    assert_event(&eyes, 2, HF_EVENT_LIMIT, 20, 0);
    assert_ok(f, make_auth(f, CARD, SHOP, 20));
    assert_ok(f, make_auth(f, CARD, SHOP, 0));
    assert_ok(f, make_mode(f, 2, HF_LIMIT_RAISE, 1, 1));
    assert_int_equal(eyes.events.count, 9);
    assert_int_equal(eyes.list[3].kind, HF_EVENT_HELD);
    assert_event(&eyes, 4, HF_EVENT_LIMIT, CARD, 20);
    assert_event(&eyes, 5, HF_EVENT_LIMIT, CARD, 0); /* of an operation by itself */
    assert_event(&eyes, 6, HF_EVENT_LIMIT, 20, 20);
    assert_event(&eyes, 7, HF_EVENT_DRAWN, CARD, 4);
    assert_event(&eyes, 8, HF_EVENT_LIMIT, CARD, 20);
    static const uint8_t numbers[] = {6, 2, 9, 0, 2, 6, 9, 0, 2};
    for (size_t i = 0; i < sizeof(numbers); i++) {
        assert_int_equal(eyes.list[i].entry, numbers[i]);
        assert_int_equal(eyes.list[i].asset, i == 7 ? 0 : USD);
    }
    hf_ledger_watch(f->ledger, NULL);
}

/* Sums stop at the largest number, where a limit that binds never comes. */
static void test_sums_stop(void **state)
{
    struct fixture *f = *state;
    union hf_operation op;

    assert_ok(f, make_instrument(f, OTHER, 1));
    assert_ok(f, make_limit(f, HF_LIMIT_INSTRUMENT, OTHER, 1, HF_LIMIT_LIFETIME));
    op = make_limit(f, HF_LIMIT_INSTRUMENT, OTHER, 2, HF_LIMIT_ROLLING);
    op.limit_put.length_ns = 640000;
    assert_ok(f, op);
    for (int i = 1; i <= 4; i++, f->now_ns += 20000) {
        op = make_auth(f, OTHER, SHOP, HF_AMOUNT_MAX / 2);
        assert_ok(f, op);
        assert_ok(f, make_release(f, op.header.id, HF_AMOUNT_ALL));
        op = make_auth(f, OTHER, SHOP, HF_AMOUNT_MAX / 2 + 1);
        assert_ok(f, op);
        assert_ok(f, make_release(f, op.header.id, HF_AMOUNT_ALL));
        for (uint8_t n = 1; n <= 2; n++) {
            struct hf_limit_line line = view_limit(f, HF_LIMIT_INSTRUMENT, OTHER, n);
            assert_true(line.used_amount == (i <= 2 ? (uint64_t)i * HF_AMOUNT_MAX : UINT64_MAX));
            assert_int_equal(line.used_count, 2 * i);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cards(test_operation_and_lifetime),
        cards(test_sixteen_bear_and_no_seventeenth),
        cards(test_strictest_is_named),
        cards(test_filters),
        cards(test_set_again),
        cards(test_raise_and_reset),
        cards(test_filter_without_entries),
        cards(test_announced_filter),
        cards(test_refusals_of_put),
        cmocka_unit_test(test_tables_can_be_full),
        cards(test_partial),
        cards(test_class_and_tolerance),
        cards(test_dry_run_and_verification),
        cards(test_chain_is_rolled_back),
        cards(test_events),
        cards(test_sums_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
