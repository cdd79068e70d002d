/* The ledger: each operation, each refusal in its order, and the edges of 64 bits. */
#include "fixture.h"

#define MAX64 ((uint64_t)INT64_MAX)

/* ---- making one ---- */

static void test_limits(void **state)
{
    struct hf_ledger_limits limits = small_limits;
    uint64_t *const counts[] = {&limits.accounts, &limits.instruments, &limits.holds, &limits.terms,
                                &limits.remembered};
    size_t size = hf_ledger_memory_size(&limits);
    uint8_t *memory = aligned_alloc(64, size + 64);

    (void)state;
    assert_non_null(memory);
    assert_int_equal(size % 64, 0);
    for (size_t i = 0; i < 5; i++) {
        uint64_t good = *counts[i];
        *counts[i] = 0;
        assert_int_equal(hf_ledger_memory_size(&limits), 0);
        assert_null(hf_ledger_create(&limits, memory, size));
        *counts[i] = HF_LEDGER_RECORDS_MAX + 1;
        assert_int_equal(hf_ledger_memory_size(&limits), 0);
        *counts[i] = HF_LEDGER_RECORDS_MAX;
        assert_true(hf_ledger_memory_size(&limits) > HF_LEDGER_RECORDS_MAX * 64);
        *counts[i] = good;
    }
    assert_null(hf_ledger_create(&limits, memory, size - 1));
    assert_null(hf_ledger_create(&limits, memory + 8, size));
    assert_null(hf_ledger_create(&limits, NULL, size));
    memset(memory, 0, size + 64);
    struct hf_ledger *ledger = hf_ledger_create(&limits, memory, size);
    assert_non_null(ledger);
    assert_int_equal(hf_ledger_place(ledger), 0);
    assert_int_equal(hf_ledger_timestamp_ns(ledger), 0);
    assert_memory_equal(hf_ledger_limits_of(ledger), &limits, sizeof(limits));
    /* First touch is the caller's choice: create itself writes the ledger's own structure only. */
    for (size_t i = size / 2; i < size; i++)
        assert_int_equal(memory[i], 0);
    free(memory);
}

static void test_memory_per_account(void **state)
{
    struct hf_ledger_limits small = small_limits;
    struct hf_ledger_limits large = small_limits;

    (void)state;
    small.accounts = 1000000;
    large.accounts = 2000000;
    assert_true(hf_ledger_memory_size(&large) - hf_ledger_memory_size(&small) <= 80 * 1000000);
}

/* ---- assets and accounts ---- */

static void test_asset_put(void **state)
{
    struct fixture *f = *state;

    assert_ok(f, make_asset(f, USD, "USD"));
    assert_money(f, 0, 0, 0);
    assert_int_equal(counts_of(f).assets, 1);
    assert_answer(f, make_asset(f, USD, "USX"), HF_CODE_ASSET_MISMATCH, HF_RULE_ASSET);
    union hf_operation op = make_asset(f, USD, "USD");
    op.asset_put.scale = 3;
    assert_answer(f, op, HF_CODE_ASSET_MISMATCH, HF_RULE_ASSET);
    for (uint16_t asset = 1; asset <= 255; asset++) {
        f->now_ns += NS_IN_MS; /* ids of one millisecond would be forgotten together */
        assert_ok(f, make_asset(f, asset, "PTS"));
    }
    assert_int_equal(counts_of(f).assets, 256);
    assert_answer(f, make_asset(f, 256, "PTS"), HF_CODE_CAPACITY, HF_RULE_TABLE);
    assert_ok(f, make_asset(f, 255, "PTS"));
    assert_answer(f, make_asset(f, 255, "PT"), HF_CODE_ASSET_MISMATCH, HF_RULE_ASSET);
}

static void test_account_put(void **state)
{
    struct fixture *f = *state;
    union hf_operation op = make_account(f, 10, -500);

    op.account_put.asset = EUR;
    assert_answer(f, op, HF_CODE_UNKNOWN_ASSET, HF_RULE_ASSET);
    assert_money(f, 0, 0, 0);
    assert_ok(f, make_account(f, 10, -500));
    assert_money(f, 0, 500, 0);
    assert_ok(f, make_account(f, 11, HF_FLOOR_NONE));
    assert_money(f, 0, INT64_MAX, 0);
    assert_ok(f, make_account(f, 12, 70));
    assert_money(f, 0, -70, 0);
    assert_ok(f, make_asset(f, EUR, "EUR"));
    op = make_account(f, 2, 0);
    op.account_put.asset = EUR;
    assert_answer(f, op, HF_CODE_ASSET_MISMATCH, HF_RULE_ACCOUNT);
    assert_money(f, 0, 1000, 1000);

    /* A floor over the balance is taken, and binds the next debit. */
    assert_ok(f, make_account(f, 2, 1500));
    assert_money(f, 0, -500, 1000);
    assert_answer(f, make_move(f, 2, 3, 1), HF_CODE_INSUFFICIENT, HF_RULE_PAYER);
    assert_money(f, 0, -500, 1000);
    assert_ok(f, make_account(f, 2, INT64_MAX));
    assert_money(f, 0, 1000 - INT64_MAX, 1000);
    op = make_account(f, 2, 10);
    op.account_put.status = HF_ACCOUNT_FROZEN;
    assert_ok(f, op);
    assert_int_equal(view_account(f, 2).status, HF_ACCOUNT_FROZEN);
    assert_int_equal(view_account(f, 2).floor, 10);
    assert_ok(f, make_account(f, 2, 0));
    assert_int_equal(view_account(f, 2).status, HF_ACCOUNT_OPEN);
}

static void test_account_capacity(void **state)
{
    struct fixture *f = *state;

    for (uint64_t number = 5; number <= 40; number++)
        assert_ok(f, make_account(f, number, 0));
    assert_int_equal(counts_of(f).accounts, 40);
    assert_answer(f, make_account(f, 41, 0), HF_CODE_CAPACITY, HF_RULE_TABLE);
    assert_ok(f, make_account(f, 40, -1));
    for (uint64_t number = 1; number <= 40; number++)
        assert_true(view_account(f, number).id.lo == number);
}

/* ---- MOVE ---- */

static void test_move(void **state)
{
    struct fixture *f = *state;
    union hf_operation op = make_move(f, 2, 4, 300);

    assert_ok(f, op);
    assert_money(f, 300, 700, 700);
    assert_int_equal(f->reply.length, 64);
    assert_int_equal(f->reply.type, HF_OP_MOVE | HF_REPLY_TYPE_BIT);
    assert_int_equal(f->reply.entry, 0);
    assert_int_equal(f->reply.durability, 0);
    assert_true(hf_id_equal(f->reply.id, op.header.id));
    assert_int_equal(f->reply.place, hf_ledger_place(f->ledger));
    assert_int_equal(f->reply.timestamp_ns, f->now_ns);
    assert_balances(f, 2, 700, 0, 0);
    assert_balances(f, 4, 300, 0, 0);
    assert_int_equal(view_account(f, 2).lifetime_debits, 300);
    assert_int_equal(view_account(f, 4).lifetime_debits, 0);
    assert_ok(f, make_move(f, 1, 4, 5));
    assert_money(f, 5, INT64_MAX, -2005);

    op = make_move(f, 2, 4, 1);
    op.header.flags = 0;
    assert_ok(f, op);
    assert_money(f, 1, 0, 0);
    assert_ok(f, make_move(f, 2, 4, 699)); /* to the last unit */
    assert_money(f, 699, 0, 0);
    assert_answer(f, make_move(f, 2, 4, 1), HF_CODE_INSUFFICIENT, HF_RULE_PAYER);
}

/* Everything wrong at once, then mended one by one: OPERATIONS.md, "Value". */
static void test_move_refusals_in_order(void **state)
{
    struct fixture *f = *state;
    union hf_operation freeze;

    union hf_operation op = make_move(f, 99, 99, 5000);
    op.move.asset = EUR;
    assert_answer(f, op, HF_CODE_SAME_ACCOUNT, HF_RULE_PAYER);
    op = make_move(f, 2, 2, 5000);
    assert_answer(f, op, HF_CODE_SAME_ACCOUNT, HF_RULE_PAYER);
    assert_money(f, 0, 0, 0);
    op = make_move(f, 99, 98, 5000);
    op.move.asset = EUR;
    assert_answer(f, op, HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_PAYER);
    assert_money(f, 0, 0, 0);
    op = make_move(f, 2, 98, 5000);
    op.move.asset = EUR;
    assert_answer(f, op, HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_PAYEE);
    assert_money(f, 0, 1000, 1000);

    assert_ok(f, make_asset(f, EUR, "EUR"));
    op = make_account(f, 20, 0);
    op.account_put.asset = EUR;
    op.account_put.status = HF_ACCOUNT_FROZEN;
    assert_ok(f, op);
    freeze = make_account(f, 2, 0);
    freeze.account_put.status = HF_ACCOUNT_FROZEN;
    assert_ok(f, freeze);
    op = make_move(f, 2, 20, 5000);
    op.move.asset = EUR;
    assert_answer(f, op, HF_CODE_ASSET_MISMATCH, HF_RULE_PAYER);
    op = make_move(f, 2, 20, 5000);
    assert_answer(f, op, HF_CODE_ASSET_MISMATCH, HF_RULE_PAYEE);
    assert_money(f, 0, 1000, 1000);
    freeze = make_account(f, 3, 0);
    freeze.account_put.status = HF_ACCOUNT_FROZEN;
    assert_ok(f, freeze);
    assert_answer(f, make_move(f, 2, 3, 5000), HF_CODE_RESTRICTED, HF_RULE_PAYER);
    assert_ok(f, make_account(f, 2, 0));
    assert_answer(f, make_move(f, 2, 3, 5000), HF_CODE_RESTRICTED, HF_RULE_PAYEE);
    assert_ok(f, make_account(f, 3, 0));
    assert_answer(f, make_move(f, 2, 3, 5000), HF_CODE_INSUFFICIENT, HF_RULE_PAYER);
    assert_answer(f, make_move(f, 2, 3, 1001), HF_CODE_INSUFFICIENT, HF_RULE_PAYER);
    assert_money(f, 0, 1000, 1000);
    assert_balances(f, 2, 1000, 0, 0);
    assert_int_equal(view_account(f, 2).lifetime_debits, 0);
    assert_ok(f, make_move(f, 2, 3, 1000));
}

static void test_overflow_edges(void **state)
{
    struct fixture *f = *state;

    for (uint64_t number = 10; number <= 14; number++)
        assert_ok(f, make_account(f, number, HF_FLOOR_NONE));
    /* 10 falls to the smallest number, with the payees' ends just reached. */
    assert_ok(f, make_move(f, 10, 11, MAX64));
    assert_money(f, MAX64, INT64_MAX, -INT64_MAX);
    assert_answer(f, make_move(f, 10, 12, 2), HF_CODE_OVERFLOW, HF_RULE_PAYER);
    assert_ok(f, make_move(f, 10, 12, 1));
    assert_int_equal(view_account(f, 10).posted, INT64_MIN);
    assert_answer(f, make_move(f, 10, 12, 1), HF_CODE_OVERFLOW, HF_RULE_PAYER);
    assert_answer(f, make_hold(f, 10, 12, 1), HF_CODE_OVERFLOW, HF_RULE_PAYER);
    /* 11 is at the largest number. */
    assert_answer(f, make_move(f, 12, 11, 1), HF_CODE_OVERFLOW, HF_RULE_PAYEE);
    assert_answer(f, make_hold(f, 12, 11, 1), HF_CODE_OVERFLOW, HF_RULE_PAYEE);
    /* Promises count: 12 has 1, and may be promised all but that. */
    assert_ok(f, make_hold(f, 1, 12, MAX64 - 2000 - 1));
    assert_ok(f, make_hold(f, 13, 12, 2000));
    assert_answer(f, make_move(f, 13, 12, 1), HF_CODE_OVERFLOW, HF_RULE_PAYEE);
    assert_answer(f, make_hold(f, 13, 12, 1), HF_CODE_OVERFLOW, HF_RULE_PAYEE);
    /* A floor comes first: what would overflow lies below it too. */
    assert_ok(f, make_account(f, 15, -INT64_MAX));
    assert_ok(f, make_move(f, 15, 13, MAX64));
    assert_answer(f, make_move(f, 15, 14, MAX64), HF_CODE_INSUFFICIENT, HF_RULE_PAYER);
    assert_answer(f, make_move(f, 15, 11, 1), HF_CODE_INSUFFICIENT, HF_RULE_PAYER);
    /* The payer's bounds come before the payee's. */
    assert_answer(f, make_move(f, 10, 11, 1), HF_CODE_OVERFLOW, HF_RULE_PAYER);
}

static void test_held_out_bound(void **state)
{
    struct fixture *f = *state;

    for (uint64_t number = 10; number <= 13; number++)
        assert_ok(f, make_account(f, number, HF_FLOOR_NONE));
    assert_ok(f, make_move(f, 11, 10, MAX64)); /* so that the payer's spendable is no bound */
    assert_ok(f, make_hold(f, 10, 12, MAX64));
    assert_money(f, MAX64, INT64_MAX, INT64_MAX);
    assert_answer(f, make_hold(f, 10, 13, 1), HF_CODE_OVERFLOW, HF_RULE_PAYER);
    assert_int_equal(view_account(f, 10).held_out, MAX64);
}

static void test_lifetime_bound(void **state)
{
    struct fixture *f = *state;

    assert_ok(f, make_account(f, 10, HF_FLOOR_NONE));
    assert_ok(f, make_account(f, 11, HF_FLOOR_NONE));
    /* To and fro: 10 has paid 2 * MAX64 = 2^64 - 2 in its life. */
    for (int i = 0; i < 2; i++) {
        assert_ok(f, make_move(f, 10, 11, MAX64));
        assert_ok(f, make_move(f, 11, 10, MAX64));
    }
    assert_int_equal(view_account(f, 10).lifetime_debits, UINT64_MAX - 1);
    assert_answer(f, make_move(f, 10, 11, 2), HF_CODE_OVERFLOW, HF_RULE_PAYER);
    assert_ok(f, make_hold(f, 10, 11, 2)); /* a promise is no debit yet */
    struct hf_id hold = f->reply.id;
    assert_answer(f, make_capture(f, hold, 2, false), HF_CODE_OVERFLOW, HF_RULE_PAYER);
    assert_balances(f, 10, 0, 2, 0);
    assert_ok(f, make_capture(f, hold, 1, false));
    assert_int_equal(view_account(f, 10).lifetime_debits, UINT64_MAX);
    assert_answer(f, make_capture(f, hold, HF_AMOUNT_ALL, true), HF_CODE_OVERFLOW, HF_RULE_PAYER);
    assert_ok(f, make_release(f, hold, HF_AMOUNT_ALL));
    assert_answer(f, make_move(f, 10, 11, 1), HF_CODE_OVERFLOW, HF_RULE_PAYER);
}

/* ---- holds ---- */

static void test_hold_capture_release(void **state)
{
    struct fixture *f = *state;
    struct hf_query_reply view;

    assert_ok(f, make_hold(f, 2, 4, 600));
    struct hf_id hold = f->reply.id;
    assert_money(f, 600, 400, 1000);
    assert_balances(f, 2, 1000, 600, 0);
    assert_balances(f, 4, 0, 0, 600);
    assert_int_equal(view_account(f, 2).available, 400);
    assert_answer(f, make_move(f, 2, 3, 401), HF_CODE_INSUFFICIENT, HF_RULE_PAYER);
    assert_answer(f, make_hold(f, 2, 3, 401), HF_CODE_INSUFFICIENT, HF_RULE_PAYER);

    assert_ok(f, make_capture(f, hold, 100, false));
    assert_money(f, 100, 400, 900);
    assert_balances(f, 2, 900, 500, 0);
    assert_balances(f, 4, 100, 0, 500);
    assert_int_equal(view_account(f, 2).lifetime_debits, 100);
    assert_ok(f, make_release(f, hold, 50));
    assert_money(f, 50, 450, 900);
    assert_answer(f, make_capture(f, hold, 451, false), HF_CODE_OVER_CAPTURE, HF_RULE_HOLD);
    assert_money(f, 0, 450, 900);
    assert_answer(f, make_release(f, hold, 451), HF_CODE_OVER_CAPTURE, HF_RULE_HOLD);
    assert_money(f, 0, 450, 900);
    query(f, HF_QUERY_HOLD, hold, &view);
    assert_int_equal(view.reply.length, 64 + sizeof(struct hf_hold_view));
    assert_int_equal(view.view.hold.amount, 600);
    assert_int_equal(view.view.hold.remaining, 450);
    assert_int_equal(view.view.hold.captured, 100);
    assert_int_equal(view.view.hold.status, HF_HOLD_OPEN);

    assert_ok(f, make_capture(f, hold, 200, true)); /* final: 250 go back */
    assert_money(f, 200, 700, 700);
    assert_balances(f, 2, 700, 0, 0);
    assert_balances(f, 4, 300, 0, 0);
    query(f, HF_QUERY_HOLD, hold, &view);
    assert_int_equal(view.view.hold.remaining, 0);
    assert_int_equal(view.view.hold.captured, 300);
    assert_int_equal(view.view.hold.status, HF_HOLD_RESOLVED);
    assert_answer(f, make_capture(f, hold, 1, false), HF_CODE_HOLD_RESOLVED, HF_RULE_HOLD);
    assert_money(f, 0, 700, 700);
    assert_answer(f, make_release(f, hold, HF_AMOUNT_ALL), HF_CODE_HOLD_RESOLVED, HF_RULE_HOLD);
    assert_answer(f, make_capture(f, account_id(5), 1, false), HF_CODE_UNKNOWN_HOLD, HF_RULE_HOLD);
    assert_money(f, 0, 0, 0);
    assert_answer(f, make_release(f, account_id(5), 1), HF_CODE_UNKNOWN_HOLD, HF_RULE_HOLD);
}

static void test_hold_all_and_nothing_left(void **state)
{
    struct fixture *f = *state;

    assert_ok(f, make_hold(f, 2, 4, 10));
    struct hf_id first = f->reply.id;
    assert_ok(f, make_hold(f, 2, 4, 20));
    struct hf_id second = f->reply.id;
    assert_ok(f, make_hold(f, 2, 4, 30));
    struct hf_id third = f->reply.id;
    assert_ok(f, make_capture(f, first, HF_AMOUNT_ALL, false));
    assert_money(f, 10, 940, 990);
    assert_ok(f, make_release(f, second, HF_AMOUNT_ALL));
    assert_money(f, 20, 960, 990);
    assert_ok(f, make_capture(f, third, 30, true)); /* final, and nothing is left to return */
    assert_money(f, 30, 960, 960);
    assert_int_equal(counts_of(f).holds_open, 0);
    assert_int_equal(counts_of(f).holds_resolved, 3);
}

static void test_hold_with_frozen_parties(void **state)
{
    struct fixture *f = *state;
    union hf_operation freeze_payer = make_account(f, 2, 0);
    union hf_operation freeze_payee = make_account(f, 4, 0);

    freeze_payer.account_put.status = HF_ACCOUNT_FROZEN;
    freeze_payee.account_put.status = HF_ACCOUNT_FROZEN;
    assert_ok(f, make_hold(f, 2, 4, 600));
    struct hf_id hold = f->reply.id;
    assert_ok(f, freeze_payer);
    assert_answer(f, make_hold(f, 2, 4, 1), HF_CODE_RESTRICTED, HF_RULE_PAYER);
    assert_ok(f, make_capture(f, hold, 100, false)); /* it was promised */
    assert_ok(f, freeze_payee);
    assert_answer(f, make_capture(f, hold, 100, false), HF_CODE_RESTRICTED, HF_RULE_PAYEE);
    assert_money(f, 0, 400, 900);
    /* The payee is looked at before the amount. */
    assert_answer(f, make_capture(f, hold, 501, false), HF_CODE_RESTRICTED, HF_RULE_PAYEE);
    assert_ok(f, make_release(f, hold, HF_AMOUNT_ALL));
    assert_balances(f, 2, 900, 0, 0);
    assert_balances(f, 4, 100, 0, 0);
}

static void test_hold_capacity(void **state)
{
    struct fixture *f = *state;
    struct hf_id holds[6];
    struct hf_query_reply view;

    for (int i = 0; i < 4; i++) {
        assert_ok(f, make_hold(f, 2, 4, 10));
        holds[i] = f->reply.id;
    }
    assert_answer(f, make_hold(f, 2, 4, 10), HF_CODE_CAPACITY, HF_RULE_TABLE);
    assert_money(f, 0, 960, 1000);
    assert_answer(f, make_hold(f, 2, 4, 5000), HF_CODE_INSUFFICIENT, HF_RULE_PAYER);
    /* Resolved in the order 2, 0, 3: so they are forgotten. */
    assert_ok(f, make_release(f, holds[2], HF_AMOUNT_ALL));
    assert_ok(f, make_capture(f, holds[0], HF_AMOUNT_ALL, false));
    assert_ok(f, make_release(f, holds[3], HF_AMOUNT_ALL));
    assert_int_equal(counts_of(f).holds_resolved, 3);
    assert_ok(f, make_hold(f, 2, 4, 10));
    query(f, HF_QUERY_HOLD, holds[2], &view);
    assert_int_equal(view.reply.code, HF_CODE_UNKNOWN_HOLD);
    assert_int_equal(view.reply.rule, HF_RULE_SUBJECT);
    assert_int_equal(view.reply.length, 64);
    query(f, HF_QUERY_HOLD, holds[0], &view);
    assert_int_equal(view.reply.code, HF_CODE_OK);
    assert_ok(f, make_hold(f, 2, 4, 10));
    query(f, HF_QUERY_HOLD, holds[0], &view);
    assert_int_equal(view.reply.code, HF_CODE_UNKNOWN_HOLD);
    assert_ok(f, make_hold(f, 2, 4, 10));
    assert_int_equal(counts_of(f).holds_open, 4);
    assert_int_equal(counts_of(f).holds_resolved, 0);
    assert_answer(f, make_hold(f, 2, 4, 10), HF_CODE_CAPACITY, HF_RULE_TABLE);
    assert_answer(f, make_capture(f, holds[0], 1, false), HF_CODE_UNKNOWN_HOLD, HF_RULE_HOLD);
    assert_ok(f, make_capture(f, holds[1], HF_AMOUNT_ALL, false));
    assert_ok(f, make_hold(f, 2, 4, 10));
    assert_int_equal(counts_of(f).holds_open, 4);
}

/* ---- cards ---- */

static void test_instrument_put(void **state)
{
    struct fixture *f = *state;
    struct hf_query_reply view;

    assert_answer(f, make_instrument(f, 70, 99), HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_ACCOUNT);
    assert_ok(f, make_instrument(f, 70, 2));
    assert_money(f, 0, 0, 0);
    union hf_operation op = make_instrument(f, 70, 3);
    op.instrument_put.amount_limit = 5;
    op.instrument_put.remaining = 6;
    op.instrument_put.expires_ns = 7;
    op.instrument_put.flags = HF_INSTRUMENT_FIRST_USE;
    op.instrument_put.status = HF_INSTRUMENT_INACTIVE;
    assert_ok(f, op);
    query(f, HF_QUERY_INSTRUMENT, account_id(70), &view);
    assert_int_equal(view.reply.code, HF_CODE_OK);
    assert_int_equal(view.reply.length,
                     sizeof(struct hf_reply) + sizeof(struct hf_instrument_view));
    assert_true(hf_id_equal(view.view.instrument.account, account_id(3)));
    assert_int_equal(view.view.instrument.amount_limit, 5);
    assert_int_equal(view.view.instrument.remaining, 6);
    assert_int_equal(view.view.instrument.expires_ns, 7);
    assert_int_equal(view.view.instrument.flags, HF_INSTRUMENT_FIRST_USE);
    assert_int_equal(view.view.instrument.status, HF_INSTRUMENT_INACTIVE);
    op = make_instrument(f, 70, 2);
    op.instrument_put.status = HF_INSTRUMENT_CLOSED;
    assert_ok(f, op);
    assert_answer(f, make_instrument(f, 70, 99), HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_ACCOUNT);
    assert_answer(f, make_instrument(f, 70, 2), HF_CODE_CLOSED, HF_RULE_INSTRUMENT);
    for (uint64_t token = 71; token <= 73; token++)
        assert_ok(f, make_instrument(f, token, 2));
    assert_answer(f, make_instrument(f, 74, 2), HF_CODE_CAPACITY, HF_RULE_TABLE);
    assert_ok(f, make_instrument(f, 73, 3));
    assert_int_equal(counts_of(f).instruments, 4);
}

static void test_auth(void **state)
{
    struct fixture *f = *state;
    struct hf_query_reply view;
    union hf_operation card = make_instrument(f, 70, 2);

    card.instrument_put.remaining = 2;
    card.instrument_put.status = HF_INSTRUMENT_INACTIVE;
    card.instrument_put.flags = HF_INSTRUMENT_FIRST_USE;
    assert_ok(f, card);
    assert_ok(f, make_auth(f, 70, 4, 0)); /* a verification wakes nothing and draws nothing */
    assert_money(f, 0, 1000, 1000);
    query(f, HF_QUERY_INSTRUMENT, account_id(70), &view);
    assert_int_equal(view.view.instrument.status, HF_INSTRUMENT_INACTIVE);
    assert_int_equal(view.view.instrument.remaining, 2);
    assert_int_equal(counts_of(f).holds_open, 0);

    assert_answer(f, make_auth(f, 70, 4, 1001), HF_CODE_INSUFFICIENT, HF_RULE_PAYER);
    query(f, HF_QUERY_INSTRUMENT, account_id(70), &view);
    assert_int_equal(view.view.instrument.status, HF_INSTRUMENT_INACTIVE);
    assert_int_equal(view.view.instrument.remaining, 2);

    assert_ok(f, make_auth(f, 70, 4, 250));
    struct hf_id hold = f->reply.id;
    assert_money(f, 250, 750, 1000);
    assert_balances(f, 2, 1000, 250, 0);
    assert_balances(f, 4, 0, 0, 250);
    query(f, HF_QUERY_INSTRUMENT, account_id(70), &view);
    assert_int_equal(view.view.instrument.status, HF_INSTRUMENT_ACTIVE);
    assert_int_equal(view.view.instrument.remaining, 1);
    assert_ok(f, make_auth(f, 70, 4, 1));
    assert_answer(f, make_auth(f, 70, 4, 1), HF_CODE_COUNT_LIMIT, HF_RULE_INSTRUMENT_COUNT);
    assert_money(f, 0, 0, 0);
    assert_answer(f, make_auth(f, 70, 4, 0), HF_CODE_COUNT_LIMIT, HF_RULE_INSTRUMENT_COUNT);
    assert_ok(f, make_capture(f, hold, 250, true));
    assert_balances(f, 2, 750, 1, 0);
}

/* As many as the card itself refuses, in the order of OPERATIONS.md: each is mended in turn. */
static void test_auth_refusals_in_order(void **state)
{
    struct fixture *f = *state;
    union hf_operation card = make_instrument(f, 70, 2);
    union hf_operation op;

#define PUT_CARD()                  \
    do {                            \
        card.header.id = new_id(f); \
        assert_ok(f, card);         \
    } while (0)
#define TRY(expected_code, expected_rule)                   \
    do {                                                    \
        op = make_auth(f, 70, 2, 2000);                     \
        op.auth.asset = EUR;                                \
        assert_answer(f, op, expected_code, expected_rule); \
        assert_money(f, 0, 0, 0);                           \
    } while (0)

    TRY(HF_CODE_UNKNOWN_INSTRUMENT, HF_RULE_INSTRUMENT);
    card.instrument_put.status = HF_INSTRUMENT_FROZEN;
    card.instrument_put.expires_ns = f->now_ns;
    card.instrument_put.amount_limit = 1999;
    card.instrument_put.remaining = 0;
    PUT_CARD();
    TRY(HF_CODE_RESTRICTED, HF_RULE_INSTRUMENT);
    card.instrument_put.status = HF_INSTRUMENT_INACTIVE;
    PUT_CARD();
    TRY(HF_CODE_INACTIVE, HF_RULE_INSTRUMENT);
    card.instrument_put.flags = HF_INSTRUMENT_FIRST_USE;
    PUT_CARD();
    TRY(HF_CODE_EXPIRED, HF_RULE_INSTRUMENT);
    card.instrument_put.expires_ns = f->now_ns + 1;
    PUT_CARD();
    TRY(HF_CODE_AMOUNT_LIMIT, HF_RULE_INSTRUMENT_AMOUNT);
    card.instrument_put.amount_limit = 2000;
    PUT_CARD();
    TRY(HF_CODE_COUNT_LIMIT, HF_RULE_INSTRUMENT_COUNT);
    card.instrument_put.remaining = 1;
    PUT_CARD();
    TRY(HF_CODE_SAME_ACCOUNT, HF_RULE_PAYER);

    op = make_auth(f, 70, 99, 2000);
    op.auth.asset = EUR;
    assert_answer(f, op, HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_PAYEE);
    assert_money(f, 0, 1000, 1000);
    op = make_auth(f, 70, 4, 2000);
    op.auth.asset = EUR;
    assert_answer(f, op, HF_CODE_ASSET_MISMATCH, HF_RULE_PAYER);
    assert_answer(f, make_auth(f, 70, 4, 2000), HF_CODE_INSUFFICIENT, HF_RULE_PAYER);
    f->now_ns++;
    assert_answer(f, make_auth(f, 70, 4, 2000), HF_CODE_EXPIRED, HF_RULE_INSTRUMENT);
    card.instrument_put.status = HF_INSTRUMENT_CLOSED;
    PUT_CARD();
    TRY(HF_CODE_CLOSED, HF_RULE_INSTRUMENT);
#undef PUT_CARD
#undef TRY
}

static void test_verification_checks_all(void **state)
{
    struct fixture *f = *state;

    assert_ok(f, make_instrument(f, 70, 2));
    assert_ok(f, make_account(f, 2, 1001)); /* the floor is over the balance */
    assert_answer(f, make_auth(f, 70, 4, 0), HF_CODE_INSUFFICIENT, HF_RULE_PAYER);
    assert_ok(f, make_account(f, 2, 1000));
    assert_ok(f, make_auth(f, 70, 4, 0));
    for (int i = 0; i < 4; i++)
        assert_ok(f, make_hold(f, 3, 4, 1));
    assert_answer(f, make_auth(f, 70, 4, 0), HF_CODE_CAPACITY, HF_RULE_TABLE);
}

/* ---- looking in ---- */

static void test_query(void **state)
{
    struct fixture *f = *state;
    struct hf_query_reply view;

    assert_ok(f, make_hold(f, 2, 4, 100));
    struct hf_reply first = f->reply;
    query(f, HF_QUERY_ACCOUNT, account_id(2), &view);
    assert_int_equal(view.reply.code, HF_CODE_OK);
    assert_int_equal(view.reply.length, 64 + sizeof(struct hf_account_view));
    assert_int_equal(view.reply.available, 900); /* whatever the flags */
    assert_int_equal(view.reply.posted, 1000);
    assert_int_equal(view.view.account.asset, USD);
    assert_int_equal(view.view.account.scale, 2);
    assert_int_equal(view.view.account.held_out, 100);
    assert_int_equal(view.view.account.available, 900);
    query(f, HF_QUERY_ACCOUNT, account_id(99), &view);
    assert_int_equal(view.reply.code, HF_CODE_UNKNOWN_ACCOUNT);
    assert_int_equal(view.reply.rule, HF_RULE_SUBJECT);
    assert_int_equal(view.reply.length, 64);
    query(f, HF_QUERY_INSTRUMENT, account_id(2), &view);
    assert_int_equal(view.reply.code, HF_CODE_UNKNOWN_INSTRUMENT);
    query(f, HF_QUERY_OPERATION, first.id, &view);
    assert_int_equal(view.reply.length, 128);
    assert_int_equal(view.reply.posted, 0);
    assert_memory_equal(&view.view.operation, &first, sizeof(first));
    query(f, HF_QUERY_OPERATION, account_id(2), &view);
    assert_int_equal(view.reply.code, HF_CODE_UNKNOWN_OPERATION);
    query(f, HF_QUERY_HOLD, first.id, &view);
    assert_true(hf_id_equal(view.view.hold.payer, account_id(2)));
    assert_true(hf_id_equal(view.view.hold.payee, account_id(4)));
    assert_int_equal(view.view.hold.asset, USD);
    query(f, HF_QUERY_HOLD, account_id(2), &view);
    assert_int_equal(view.reply.code, HF_CODE_UNKNOWN_HOLD);
}

/* Every part of the state shows in the digest; capacity and layout do not. */
static void test_digest(void **state)
{
    struct fixture *f = *state;
    struct fixture other;
    struct hf_ledger_limits limits = small_limits;

    limits.accounts = 3000;
    limits.instruments = 500;
    limits.holds = 77;
    limits.remembered = 1000;
    open_fixture(&other, &limits);
    open_accounts(&other);
    assert_true(hf_id_equal(hf_ledger_digest(f->ledger), hf_ledger_digest(other.ledger)));
    assert_ok(f, make_instrument(f, 70, 2));
    assert_false(hf_id_equal(hf_ledger_digest(f->ledger), hf_ledger_digest(other.ledger)));
    assert_ok(&other, make_instrument(&other, 70, 2));
    assert_ok(f, make_auth(f, 70, 4, 7));
    assert_ok(&other, make_auth(&other, 70, 4, 7));
    assert_true(hf_id_equal(hf_ledger_digest(f->ledger), hf_ledger_digest(other.ledger)));
    /* The same operation one nanosecond later is another state. */
    union hf_operation op = make_move(f, 2, 3, 1);
    assert_ok(f, op);
    other.now_ns++;
    assert_ok(&other, op);
    assert_false(hf_id_equal(hf_ledger_digest(f->ledger), hf_ledger_digest(other.ledger)));
    close_fixture(&other);
}

static void test_balance_of_two_assets(void **state)
{
    struct fixture *f = *state;

    assert_ok(f, make_asset(f, EUR, "EUR"));
    for (uint64_t number = 20; number <= 21; number++) {
        union hf_operation op = make_account(f, number, HF_FLOOR_NONE);
        op.account_put.asset = EUR;
        assert_ok(f, op);
    }
    union hf_operation op = make_move(f, 20, 21, MAX64);
    op.move.asset = EUR;
    assert_ok(f, op);
    assert_true(hf_ledger_is_balanced(f->ledger));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_memory_per_account),
        each(test_asset_put),
        each(test_account_put),
        each(test_account_capacity),
        each(test_move),
        each(test_move_refusals_in_order),
        each(test_overflow_edges),
        each(test_held_out_bound),
        each(test_lifetime_bound),
        each(test_hold_capture_release),
        each(test_hold_all_and_nothing_left),
        each(test_hold_with_frozen_parties),
        each(test_hold_capacity),
        each(test_instrument_put),
        each(test_auth),
        each(test_auth_refusals_in_order),
        each(test_verification_checks_all),
        each(test_query),
        each(test_digest),
        each(test_balance_of_two_assets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
