/* Holds as full objects: several payers, open payees, terms, expiry, adjusting. Conditions and
 * events have programs of their own. */
#include "hold_fixture.h"

static struct hf_id of(uint8_t origin, union hf_operation *op)
{
    op->header.origin = origin;
    return op->header.id;
}

/* 30 of account 2 and 20 of account 3, and of nothing else. */
static struct hf_id hold_of_two(struct fixture *f, uint8_t policy, bool is_open)
{
    struct long_operation op;
    struct hf_op_hold_plan *hold = begin_hold_plan(f, &op, 50);

    hold->terms.policy = policy;
    hold_of(hold, 2, HF_ENTRY_FIXED, 30);
    hold_of(hold, 3, HF_ENTRY_REMAINING, 0);
    if (!is_open)
        hold_for(hold, 4);
    assert_plan_ok(f, &op);
    assert_int_equal(f->reply.approved, 50);
    return hold->header.id;
}

/* ---- several payers ---- */

static void test_parts_in_order(void **state)
{
    struct fixture *f = *state;
    struct hf_id hold = hold_of_two(f, 0, false);

    assert_int_equal(counts_of(f).parts, 2);
    assert_int_equal(view_hold(f, hold).payer_count, 2);
    assert_balances(f, 2, 1000, 30, 0);
    assert_balances(f, 3, 1000, 20, 0);
    assert_balances(f, 4, 0, 0, 50);
    /* Captures from the first on, releases from the last back. */
    assert_ok(f, make_capture(f, hold, 35, false));
    assert_money(f, 35, 970, 970);
    assert_balances(f, 2, 970, 0, 0);
    assert_balances(f, 3, 995, 15, 0);
    assert_ok(f, make_release(f, hold, 10));
    assert_balances(f, 3, 995, 5, 0);
    assert_balances(f, 4, 35, 0, 5);
    assert_ok(f, make_capture(f, hold, HF_AMOUNT_ALL, false));
    assert_money(f, 5, 970, 970);
    assert_hold(f, hold, HF_HOLD_RESOLVED, 0, 40);
    assert_int_equal(counts_of(f).parts, 0);
    assert_int_equal(view_hold(f, hold).payer_count, 2);
    assert_answer(f, make_capture(f, hold, 1, false), HF_CODE_HOLD_RESOLVED, HF_RULE_HOLD);
}

/* 40 of 30 and 20 is 24 and 16; what is left is 6 and 4. */
static void test_parts_by_ratio(void **state)
{
    struct fixture *f = *state;
    struct hf_id hold = hold_of_two(f, HF_HOLD_RATIO, false);

    assert_ok(f, make_capture(f, hold, 40, false));
    assert_balances(f, 2, 976, 6, 0);
    assert_balances(f, 3, 984, 4, 0);
    assert_ok(f, make_release(f, hold, 10));
    assert_balances(f, 2, 976, 0, 0);
    assert_balances(f, 3, 984, 0, 0);
    assert_balances(f, 4, 40, 0, 0);
    assert_hold(f, hold, HF_HOLD_RESOLVED, 0, 40);
}

/* What rounding leaves over goes one each to the first that have something left. */
static void test_ratio_rounds_to_the_first(void **state)
{
    struct fixture *f = *state;
    struct hf_id hold = hold_of_two(f, HF_HOLD_RATIO, false);

    assert_ok(f, make_capture(f, hold, 1, false)); /* 0.6 and 0.4 */
    assert_balances(f, 2, 999, 29, 0);
    assert_balances(f, 3, 1000, 20, 0);
    assert_ok(f, make_release(f, hold, 48)); /* 28.4 and 19.6 of 29 and 20 */
    assert_balances(f, 2, 999, 0, 0);
    assert_balances(f, 3, 1000, 1, 0);
    assert_ok(f, make_capture(f, hold, 1, false)); /* nothing is left of the first */
    assert_balances(f, 2, 999, 0, 0);
    assert_balances(f, 3, 999, 0, 0);
}

static void test_final_capture_returns_the_rest(void **state)
{
    struct fixture *f = *state;
    struct hf_id hold = hold_of_two(f, 0, false);

    assert_ok(f, make_capture(f, hold, 31, true));
    assert_balances(f, 2, 970, 0, 0);
    assert_balances(f, 3, 999, 0, 0);
    assert_balances(f, 4, 31, 0, 0);
    hold = hold_of_two(f, HF_HOLD_SINGLE | HF_HOLD_RATIO, false);
    assert_ok(f, make_capture(f, hold, 10, false)); /* the first is final */
    assert_balances(f, 2, 964, 0, 0);
    assert_balances(f, 3, 995, 0, 0);
    assert_hold(f, hold, HF_HOLD_RESOLVED, 0, 10);
}

/* One source that takes something is a plain payer, whatever the others are. */
static void test_payers_are_who_takes_part(void **state)
{
    struct fixture *f = *state;
    struct long_operation op;
    struct hf_op_hold_plan *hold = begin_hold_plan(f, &op, 50);

    hold_of(hold, 4, HF_ENTRY_UP_TO, HF_AMOUNT_ALL); /* has nothing */
    hold_of(hold, 2, HF_ENTRY_REMAINING, 0);
    hold_for(hold, 1);
    assert_plan_ok(f, &op);
    assert_money(f, 50, 0, 0); /* the first source's */
    assert_int_equal(counts_of(f).parts, 0);
    assert_true(hf_id_equal(view_hold(f, hold->header.id).payer, account_id(2)));
    assert_ok(f, make_capture(f, hold->header.id, 50, false));
    assert_money(f, 50, 950, 950); /* the payer's */
}

static void test_no_room_for_parts(void **state)
{
    struct fixture *f = *state;
    struct hf_ledger_limits limits = small_limits;
    struct fixture tight;

    limits.parts = 2;
    open_fixture(&tight, &limits);
    open_accounts(&tight);
    struct hf_id first = hold_of_two(&tight, 0, false);
    struct long_operation op;
    struct hf_op_hold_plan *hold = begin_hold_plan(&tight, &op, 2);
    hold_of(hold, 2, HF_ENTRY_FIXED, 1);
    hold_of(hold, 3, HF_ENTRY_FIXED, 1);
    assert_plan(&tight, &op, HF_CODE_CAPACITY, HF_RULE_TABLE, 0);
    assert_money(&tight, 0, 970, 1000);
    assert_ok(&tight, make_release(&tight, first, HF_AMOUNT_ALL)); /* gives both back */
    hold_of_two(&tight, 0, true);
    /* Conditions have a table of the same size. */
    const struct hf_op_condition when = {.kind = HF_CONDITION_NOT_BEFORE, .time_ns = 1};
    hold = begin_hold_plan(&tight, &op, 2);
    hold_of(hold, 2, HF_ENTRY_FIXED, 2);
    hold->terms.required = 1;
    for (int i = 0; i < 3; i++)
        hold_until(hold, &when);
    assert_plan(&tight, &op, HF_CODE_CAPACITY, HF_RULE_TABLE, 0);
    hold->header.id = new_id(&tight);
    hold->header.length = (uint16_t)(hold->header.length - sizeof(when));
    hold->terms.condition_count = 2;
    assert_plan_ok(&tight, &op);
    assert_int_equal(counts_of(&tight).conditions, 2);
    assert_int_equal(counts_of(f).conditions, 0);
    close_fixture(&tight);
}

/* ---- payees ---- */

static void test_open_payee(void **state)
{
    struct fixture *f = *state;
    struct hf_id hold = hold_of_two(f, 0, true);

    assert_balances(f, 4, 0, 0, 0);
    assert_answer(f, make_capture(f, hold, 5, false), HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_PAYEE);
    assert_answer(f, make_claim(f, hold, 5, 99), HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_PAYEE);
    assert_answer(f, make_claim(f, hold, 5, 2), HF_CODE_SAME_ACCOUNT, HF_RULE_PAYEE);
    assert_answer(f, make_claim(f, hold, 5, 3), HF_CODE_SAME_ACCOUNT, HF_RULE_PAYEE);
    assert_money(f, 0, 970, 1000);
    assert_ok(f, make_claim(f, hold, 35, 4));
    assert_balances(f, 4, 35, 0, 0);
    assert_ok(f, make_claim(f, hold, 10, 1)); /* another claims some of the rest */
    assert_balances(f, 3, 985, 5, 0);
    assert_ok(f, make_release(f, hold, HF_AMOUNT_ALL));
    assert_balances(f, 3, 985, 0, 0);
}

static void test_named_payee_must_be_the_holds(void **state)
{
    struct fixture *f = *state;
    struct hf_id hold = hold_of_two(f, 0, false);

    assert_answer(f, make_claim(f, hold, 5, 1), HF_CODE_NOT_PERMITTED, HF_RULE_PAYEE);
    assert_ok(f, make_claim(f, hold, 5, 4));
}

/* ---- whose ---- */

static void test_only_its_origin_works_on_it(void **state)
{
    struct fixture *f = *state;
    union hf_operation op = make_hold(f, 2, 4, 100);
    struct hf_id hold = of(7, &op);

    assert_ok(f, op);
    assert_answer(f, make_capture(f, hold, 1, false), HF_CODE_NOT_PERMITTED, HF_RULE_ORIGIN);
    assert_money(f, 0, 900, 1000);
    assert_answer(f, make_release(f, hold, 1), HF_CODE_NOT_PERMITTED, HF_RULE_ORIGIN);
    assert_answer(f, make_adjust(f, hold, HF_ADJUST_RAISE, 1, 0), HF_CODE_NOT_PERMITTED,
                  HF_RULE_ORIGIN);
    op = make_release(f, hold, 1);
    of(7, &op);
    assert_ok(f, op);
}

/* A hold made in a chain is known, though no memory of ids knows its maker. */
static void test_id_of_a_hold_made_in_a_chain(void **state)
{
    struct fixture *f = *state;
    struct long_operation op;
    struct hf_op_chain *chain = begin_chain(f, &op);
    union hf_operation link = make_hold(f, 2, 4, 100);

    add_link(chain, &link);
    assert_plan_ok(f, &op);
    uint64_t place = f->reply.place;
    struct hf_query_reply reply;
    query(f, HF_QUERY_OPERATION, link.header.id, &reply);
    assert_int_equal(reply.view.operation.type, HF_OP_HOLD | HF_REPLY_TYPE_BIT);
    assert_int_equal(reply.view.operation.approved, 100);
    assert_int_equal(reply.view.operation.available, 900);
    assert_int_equal(reply.view.operation.place, place);
    union hf_operation again = make_hold(f, 2, 4, 100);
    again.header.id = link.header.id;
    assert_answer(f, again, HF_CODE_DUPLICATE_DIFFERENT, HF_RULE_ID);
    assert_money(f, 0, 0, 0);
    query(f, HF_QUERY_OPERATION, link.header.id, &reply);
    assert_int_equal(reply.reply.code, HF_CODE_OK);
    /* The refusal is the newest answer of this id. */
    assert_int_equal(reply.view.operation.code, HF_CODE_DUPLICATE_DIFFERENT);
    assert_hold(f, link.header.id, HF_HOLD_OPEN, 100, 0);
}

/* The other way round: a chain may name any id, and knows every hold there is. */
static void test_id_of_a_hold_in_a_chain(void **state)
{
    struct fixture *f = *state;
    struct long_operation op;
    union hf_operation first = make_hold(f, 2, 4, 100);
    union hf_operation link = make_hold(f, 2, 4, 100);

    assert_ok(f, first);
    struct hf_op_chain *chain = begin_chain(f, &op);
    link.header.id = first.header.id;
    add_link(chain, &link);
    assert_plan(f, &op, HF_CODE_DUPLICATE_DIFFERENT, HF_RULE_ID, 1);
    assert_hold(f, first.header.id, HF_HOLD_OPEN, 100, 0);
}

/* ---- over-capture ---- */

static void test_tolerance(void **state)
{
    struct fixture *f = *state;
    struct long_operation op;

    for (int beyond = 0; beyond < 2; beyond++) {
        struct hf_op_hold_plan *hold = begin_hold_plan(f, &op, 99);
        hold->terms.tolerance = 155; /* 15.345: 15 */
        hold_of(hold, 2, HF_ENTRY_REMAINING, 0);
        hold_for(hold, 4);
        assert_plan_ok(f, &op);
        struct hf_id id = hold->header.id;
        assert_ok(f, make_capture(f, id, 9, false));
        assert_answer(f, make_capture(f, id, 106, false), HF_CODE_OVER_CAPTURE, HF_RULE_HOLD);
        assert_ok(f, make_capture(f, id, 105, beyond == 1));
        assert_hold(f, id, HF_HOLD_RESOLVED, 0, 114);
    }
    assert_balances(f, 2, 772, 0, 0);
    assert_balances(f, 4, 228, 0, 0);
    assert_int_equal(view_account(f, 2).lifetime_debits, 228);
}

/* What goes beyond is a new debit of the first payer alone, and its floor binds it. */
static void test_beyond_is_a_new_debit(void **state)
{
    struct fixture *f = *state;
    struct long_operation op;
    struct hf_op_hold_plan *hold = begin_hold_plan(f, &op, 1500);

    hold->terms.tolerance = 1000;
    hold_of(hold, 2, HF_ENTRY_FIXED, 700);
    hold_of(hold, 3, HF_ENTRY_FIXED, 800);
    hold_for(hold, 4);
    assert_plan_ok(f, &op);
    struct hf_id id = hold->header.id;
    assert_entry(f, make_capture(f, id, 1801, false), HF_CODE_INSUFFICIENT, HF_RULE_PAYER, 1);
    assert_money(f, 0, 300, 1000);
    assert_ok(f, make_capture(f, id, 1800, false));
    assert_balances(f, 2, 0, 0, 0);
    assert_balances(f, 3, 200, 0, 0);
    assert_balances(f, 4, 1800, 0, 0);
}

/* ---- expiry ---- */

static union hf_operation make_hold_until(struct fixture *f, uint64_t amount, uint64_t expires_ns)
{
    union hf_operation op = make_hold(f, 2, 4, amount);

    op.hold.expires_ns = expires_ns;
    return op;
}

static void test_expiry_to_the_nanosecond(void **state)
{
    struct fixture *f = *state;
    uint64_t expires_ns = f->now_ns + 10;

    assert_answer(f, make_hold_until(f, 100, f->now_ns), HF_CODE_EXPIRED, HF_RULE_EXPIRY);
    assert_money(f, 0, 0, 0);
    assert_ok(f, make_hold_until(f, 100, expires_ns));
    struct hf_id hold = f->reply.id;
    f->now_ns = expires_ns - 1;
    assert_int_equal(expire(f), 0);
    assert_ok(f, make_capture(f, hold, 10, false));
    f->now_ns = expires_ns;
    assert_answer(f, make_capture(f, hold, 10, false), HF_CODE_HOLD_EXPIRED, HF_RULE_HOLD);
    assert_answer(f, make_adjust(f, hold, HF_ADJUST_KEEP, 0, expires_ns + 5), HF_CODE_HOLD_EXPIRED,
                  HF_RULE_HOLD);
    assert_ok(f, make_release(f, hold, 1)); /* money may always go back */
    assert_int_equal(expire(f), 1);
    assert_int_equal(expire(f), 0);
    assert_hold(f, hold, HF_HOLD_LAPSED, 0, 10);
    assert_balances(f, 2, 990, 0, 0);
    assert_balances(f, 4, 10, 0, 0);
    assert_answer(f, make_release(f, hold, 1), HF_CODE_HOLD_EXPIRED, HF_RULE_HOLD);
    assert_answer(f, make_capture(f, hold, 1, false), HF_CODE_HOLD_EXPIRED, HF_RULE_HOLD);
    assert_int_equal(counts_of(f).holds_resolved, 1);
}

/* Asking changes nothing, however often. */
static void test_asking_what_is_due_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct long_operation op;
    struct hf_op_expire *made = &operation_of(&op)->expire;

    assert_ok(f, make_hold_until(f, 100, f->now_ns + 10));
    struct hf_id hold = f->reply.id;
    struct hf_id digest = hf_ledger_digest(f->ledger);
    for (int i = 0; i < 3; i++) {
        assert_true(hf_ledger_make_expire(f->ledger, f->now_ns + 10, made));
        assert_int_equal(made->count, 1);
        assert_true(hf_id_equal(made->expiries[0].id, hold));
        assert_false(hf_ledger_make_expire(f->ledger, f->now_ns + 9, made));
    }
    assert_true(hf_id_equal(digest, hf_ledger_digest(f->ledger)));
    assert_hold(f, hold, HF_HOLD_OPEN, 100, 0);
}

static void test_late_capture_of_a_soft_hold(void **state)
{
    struct fixture *f = *state;
    struct long_operation op;
    struct hf_op_hold_plan *hold = begin_hold_plan(f, &op, 100);

    hold->terms.policy = HF_HOLD_SOFT;
    hold->terms.tolerance = 100;
    hold->terms.expires_ns = f->now_ns + SECOND_NS;
    hold_of(hold, 2, HF_ENTRY_FIXED, 60);
    hold_of(hold, 3, HF_ENTRY_FIXED, 40);
    hold_for(hold, 4);
    assert_plan_ok(f, &op);
    struct hf_id id = hold->header.id;
    f->now_ns += SECOND_NS;
    assert_ok(f, make_capture(f, id, 10, false)); /* due, and not lapsed yet */
    assert_int_equal(expire(f), 1);
    assert_balances(f, 2, 990, 0, 0);
    assert_balances(f, 3, 1000, 0, 0);
    assert_answer(f, make_adjust(f, id, HF_ADJUST_RAISE, 1, 0), HF_CODE_HOLD_EXPIRED, HF_RULE_HOLD);
    assert_answer(f, make_capture(f, id, 101, false), HF_CODE_OVER_CAPTURE, HF_RULE_HOLD);
    /* All of it from the payer now: a new debit, which its floor may refuse. */
    assert_ok(f, make_move(f, 2, 1, 930));
    assert_answer(f, make_capture(f, id, 61, false), HF_CODE_INSUFFICIENT, HF_RULE_PAYER);
    assert_ok(f, make_capture(f, id, 20, false));
    assert_hold(f, id, HF_HOLD_LAPSED, 0, 30);
    assert_ok(f, make_move(f, 1, 2, 930));
    assert_ok(f, make_capture(f, id, HF_AMOUNT_ALL, false));
    assert_money(f, 70, 900, 900);
    assert_hold(f, id, HF_HOLD_RESOLVED, 0, 100);
    assert_answer(f, make_capture(f, id, 1, false), HF_CODE_HOLD_RESOLVED, HF_RULE_HOLD);
    assert_balances(f, 4, 100, 0, 0);
}

static void test_class_lifetimes(void **state)
{
    static const uint64_t days[HF_CLASSES] = {[1] = 7, [2] = 5, [3] = 30, [4] = 7, [5] = 30};
    struct fixture *f = *state;
    struct long_operation op;

    for (uint8_t number = 0; number < HF_CLASSES; number++) {
        struct hf_op_hold_plan *hold = begin_hold_plan(f, &op, 1);
        hold->terms.class_number = number;
        hold_of(hold, 2, HF_ENTRY_REMAINING, 0);
        assert_plan_ok(f, &op);
        struct hf_hold_view view = view_hold(f, hold->header.id);
        assert_int_equal(view.expires_ns,
                         days[number] == 0 ? 0 : f->now_ns + days[number] * 86400 * SECOND_NS);
        assert_int_equal(view.class_number, number);
        assert_ok(f, make_release(f, hold->header.id, HF_AMOUNT_ALL));
    }
    assert_ok(f, make_class(f, 15, 1));
    struct hf_op_hold_plan *hold = begin_hold_plan(f, &op, 1);
    hold->terms.class_number = 15;
    hold_of(hold, 2, HF_ENTRY_REMAINING, 0);
    assert_plan_ok(f, &op);
    assert_int_equal(view_hold(f, hold->header.id).expires_ns, f->now_ns + 1);
    /* A time of its own, or never, whatever the class says. */
    hold = begin_hold_plan(f, &op, 1);
    hold->terms.class_number = 15;
    hold->terms.expires_ns = HF_EXPIRES_NEVER;
    hold_of(hold, 2, HF_ENTRY_REMAINING, 0);
    assert_plan_ok(f, &op);
    assert_int_equal(view_hold(f, hold->header.id).expires_ns, 0);
}

/* A chain that fails takes its holds back, and the wheel is none the worse for it. */
static void test_expiry_after_a_failed_chain(void **state)
{
    struct fixture *f = *state;
    struct long_operation op;

    assert_ok(f, make_hold_until(f, 5, f->now_ns + 10));
    struct hf_id kept = f->reply.id;
    struct hf_op_chain *chain = begin_chain(f, &op);
    union hf_operation made = make_hold_until(f, 7, f->now_ns + 5);
    union hf_operation released = make_release(f, kept, HF_AMOUNT_ALL);
    union hf_operation fails = make_move(f, 4, 2, 1);
    add_link(chain, &made);
    add_link(chain, &released);
    add_link(chain, &fails);
    assert_plan(f, &op, HF_CODE_INSUFFICIENT, HF_RULE_PAYER, 3);
    assert_hold(f, kept, HF_HOLD_OPEN, 5, 0);
    f->now_ns += 5;
    assert_int_equal(expire(f), 0);
    f->now_ns += 5;
    assert_int_equal(expire(f), 1);
    assert_hold(f, kept, HF_HOLD_LAPSED, 0, 0);
}

#ifdef __SANITIZE_ADDRESS__
#define CROWD 100000
#else
#define CROWD 1000000
#endif

/* A crowd within one second: no single EXPIRE ends them, and no single call finds them. Each call
 * ends as many as one EXPIRE names at most, so that whoever comes between two of them waits for no
 * more than that. */
static void test_a_million_in_one_second(void **state)
{
    const uint64_t apart_ns = SECOND_NS / CROWD;
    struct hf_ledger_limits limits = small_limits;
    struct fixture f;
    uint64_t ended = 0;
    uint32_t calls = 0;

    (void)state;
    limits.holds = CROWD;
    limits.remembered = 2 * CROWD;
    open_fixture(&f, &limits);
    open_accounts(&f);
    for (uint64_t i = 0; i < CROWD; i++) {
        union hf_operation op = make_hold(&f, 1, 4, 1 + i % 7);
        op.hold.expires_ns = f.now_ns + SECOND_NS + i * apart_ns;
        assert_true(apply(&f, &op));
    }
    assert_int_equal(counts_of(&f).holds_open, CROWD);
    uint64_t held = view_account(&f, 1).held_out;
    f.now_ns += SECOND_NS + CROWD / 2 * apart_ns - 1;
    while (ended < CROWD / 2) {
        ended += expire(&f);
        assert_true(++calls < CROWD / 25);
    }
    assert_int_equal(expire(&f), 0);
    assert_int_equal(counts_of(&f).holds_open, CROWD / 2);
    assert_true(view_account(&f, 1).held_out < held);
    f.now_ns += SECOND_NS;
    while (ended < CROWD) {
        ended += expire(&f);
        /* Others have their turn between any two. */
        if (++calls % 1024 == 0)
            assert_ok(&f, make_move(&f, 1, 4, 1));
        assert_true(calls < 2 * CROWD / 25);
    }
    assert_int_equal(ended, CROWD);
    assert_int_equal(counts_of(&f).holds_open, 0);
    assert_int_equal(view_account(&f, 1).held_out, 0);
    assert_int_equal(view_account(&f, 4).held_in, 0);
    assert_true(held > 0);
    close_fixture(&f);
}

/* ---- accounts that expire ---- */

/* Account 10, with 100 and a sink, for ten seconds. */
static void open_expiring(struct fixture *f, uint64_t sink)
{
    union hf_operation op = make_terms(f, 10, 0);

    op.account_put.expires_ns = START_NS + 10 * SECOND_NS;
    op.account_put.sink = account_id(sink);
    assert_ok(f, op);
    assert_ok(f, make_move(f, 1, 10, 100));
}

static void test_account_is_swept(void **state)
{
    struct fixture *f = *state;

    open_expiring(f, 4);
    assert_ok(f, make_hold(f, 10, 3, 30));
    struct hf_id hold = f->reply.id;
    f->now_ns = START_NS + 10 * SECOND_NS - 1;
    assert_int_equal(expire(f), 0);
    f->now_ns++;
    assert_int_equal(expire(f), 1);
    assert_balances(f, 10, 30, 30, 0);
    assert_balances(f, 4, 70, 0, 0);
    assert_int_equal(expire(f), 0);
    /* What is held can be captured; what comes back makes the account due again. */
    assert_ok(f, make_capture(f, hold, 10, false));
    assert_int_equal(expire(f), 0);
    assert_ok(f, make_release(f, hold, HF_AMOUNT_ALL));
    assert_int_equal(expire(f), 1);
    assert_balances(f, 10, 0, 0, 0);
    assert_balances(f, 4, 90, 0, 0);
    assert_int_equal(view_account(f, 10).lifetime_debits, 100);
    assert_int_equal(expire(f), 0);
}

/* A hold and the account behind it: what the first gives back the second passes on. */
static void test_hold_and_account_expire_together(void **state)
{
    struct fixture *f = *state;

    open_expiring(f, 4);
    union hf_operation op = make_hold(f, 10, 3, 30);
    op.hold.expires_ns = START_NS + 10 * SECOND_NS;
    assert_ok(f, op);
    f->now_ns = START_NS + 20 * SECOND_NS;
    assert_int_equal(expire(f), 2);
    assert_balances(f, 10, 0, 0, 0);
    assert_balances(f, 4, 100, 0, 0);
}

/* A sink that will have nothing is asked again after a while. */
static void test_sink_that_refuses(void **state)
{
    struct fixture *f = *state;
    union hf_operation sink = make_account(f, 4, 0);

    open_expiring(f, 4);
    sink.account_put.status = HF_ACCOUNT_FROZEN;
    assert_ok(f, sink);
    f->now_ns = START_NS + 10 * SECOND_NS;
    assert_int_equal(expire(f), 0);
    assert_int_equal(f->reply.type, HF_OP_EXPIRE | HF_REPLY_TYPE_BIT); /* it was tried */
    assert_balances(f, 10, 100, 0, 0);
    assert_ok(f, make_account(f, 4, 0));
    assert_int_equal(expire(f), 0);
    assert_int_equal(f->reply.type, HF_OP_ACCOUNT_PUT | HF_REPLY_TYPE_BIT); /* not now */
    f->now_ns += 3600 * SECOND_NS;
    assert_int_equal(expire(f), 1);
    assert_balances(f, 4, 100, 0, 0);
}

/* ---- adjusting ---- */

static void test_adjust_one_payer(void **state)
{
    struct fixture *f = *state;

    assert_ok(f, make_hold(f, 2, 4, 100));
    struct hf_id hold = f->reply.id;
    assert_ok(f, make_adjust(f, hold, HF_ADJUST_RAISE, 900, 0));
    assert_money(f, 1000, 0, 1000);
    assert_answer(f, make_adjust(f, hold, HF_ADJUST_RAISE, 1, 0), HF_CODE_INSUFFICIENT,
                  HF_RULE_PAYER);
    assert_balances(f, 2, 1000, 1000, 0);
    assert_balances(f, 4, 0, 0, 1000);
    assert_ok(f, make_capture(f, hold, 10, false));
    assert_ok(f, make_adjust(f, hold, HF_ADJUST_SET, 90, 0));
    assert_money(f, 90, 900, 990);
    assert_int_equal(view_hold(f, hold).amount, 100);
    assert_ok(f, make_adjust(f, hold, HF_ADJUST_SET, 90, 0)); /* neither */
    assert_ok(f, make_adjust(f, hold, HF_ADJUST_SET, 91, 0));
    assert_answer(f, make_adjust(f, hold, HF_ADJUST_LOWER, 92, 0), HF_CODE_OVER_CAPTURE,
                  HF_RULE_HOLD);
    assert_ok(f, make_adjust(f, hold, HF_ADJUST_LOWER, 91, 0));
    assert_money(f, 0, 990, 990);
    assert_hold(f, hold, HF_HOLD_RESOLVED, 0, 10);
    assert_int_equal(view_hold(f, hold).amount, 10);
    assert_answer(f, make_adjust(f, hold, HF_ADJUST_RAISE, 1, 0), HF_CODE_HOLD_RESOLVED,
                  HF_RULE_HOLD);
}

static void test_adjust_several_payers(void **state)
{
    struct fixture *f = *state;
    struct hf_id hold = hold_of_two(f, 0, false);

    assert_ok(f, make_adjust(f, hold, HF_ADJUST_RAISE, 1000, 0));
    assert_balances(f, 2, 1000, 1000, 0); /* 970 of the first, the rest of the second */
    assert_balances(f, 3, 1000, 50, 0);
    assert_answer(f, make_adjust(f, hold, HF_ADJUST_RAISE, 951, 0), HF_CODE_INSUFFICIENT,
                  HF_RULE_PAYER);
    assert_int_equal(f->reply.entry, 0);
    assert_ok(f, make_adjust(f, hold, HF_ADJUST_LOWER, 60, 0));
    assert_balances(f, 2, 1000, 990, 0);
    assert_balances(f, 3, 1000, 0, 0);
    assert_balances(f, 4, 0, 0, 990);
    union hf_operation freeze = make_account(f, 3, 0);
    freeze.account_put.status = HF_ACCOUNT_FROZEN;
    assert_ok(f, freeze);
    assert_entry(f, make_adjust(f, hold, HF_ADJUST_RAISE, 1, 0), HF_CODE_RESTRICTED, HF_RULE_PAYER,
                 2);
    assert_ok(f, make_adjust(f, hold, HF_ADJUST_LOWER, 1, 0));
    assert_ok(f, make_account(f, 3, 0));
    freeze = make_account(f, 4, 0);
    freeze.account_put.status = HF_ACCOUNT_FROZEN;
    assert_ok(f, freeze);
    assert_entry(f, make_adjust(f, hold, HF_ADJUST_RAISE, 1, 0), HF_CODE_RESTRICTED, HF_RULE_PAYEE,
                 0);
    assert_ok(f, make_account(f, 4, 0));
    assert_ok(f, make_release(f, hold, HF_AMOUNT_ALL));
}

static void test_adjust_by_ratio(void **state)
{
    struct fixture *f = *state;
    struct hf_id hold = hold_of_two(f, HF_HOLD_RATIO, true);

    assert_ok(f, make_adjust(f, hold, HF_ADJUST_RAISE, 101, 0)); /* 60.6 and 40.4 */
    assert_balances(f, 2, 1000, 91, 0);
    assert_balances(f, 3, 1000, 60, 0);
    assert_entry(f, make_adjust(f, hold, HF_ADJUST_RAISE, 3000, 0), HF_CODE_INSUFFICIENT,
                 HF_RULE_PAYER, 1);
    assert_ok(f, make_release(f, hold, HF_AMOUNT_ALL));
}

static void test_adjust_expiry(void **state)
{
    struct fixture *f = *state;
    uint64_t expires_ns = f->now_ns + 100;

    assert_ok(f, make_hold_until(f, 100, expires_ns));
    struct hf_id hold = f->reply.id;
    assert_answer(f, make_adjust(f, hold, HF_ADJUST_KEEP, 0, expires_ns), HF_CODE_EXPIRED,
                  HF_RULE_EXPIRY);
    assert_money(f, 0, 900, 1000);
    assert_ok(f, make_adjust(f, hold, HF_ADJUST_KEEP, 0, expires_ns + 1));
    assert_money(f, 100, 900, 1000);
    f->now_ns = expires_ns;
    assert_int_equal(expire(f), 0); /* the first time has come and is none any more */
    assert_ok(f, make_adjust(f, hold, HF_ADJUST_RAISE, 1, expires_ns + 2));
    f->now_ns = expires_ns + 1;
    assert_int_equal(expire(f), 0);
    assert_ok(f, make_adjust(f, hold, HF_ADJUST_KEEP, 0, HF_EXPIRES_NEVER));
    assert_int_equal(view_hold(f, hold).expires_ns, 0);
    f->now_ns = expires_ns + 1000 * SECOND_NS;
    assert_int_equal(expire(f), 0);
    assert_answer(f, make_adjust(f, hold, HF_ADJUST_KEEP, 0, HF_EXPIRES_NEVER), HF_CODE_EXPIRED,
                  HF_RULE_EXPIRY);
    assert_hold(f, hold, HF_HOLD_OPEN, 101, 0);
}

static void test_adjust_beyond_the_largest_amount(void **state)
{
    struct fixture *f = *state;
    union hf_operation wide = make_account(f, 9, HF_FLOOR_NONE);

    assert_ok(f, wide);
    assert_ok(f, make_hold(f, 1, 9, 10));
    struct hf_id hold = f->reply.id;
    assert_answer(f, make_adjust(f, hold, HF_ADJUST_RAISE, HF_AMOUNT_MAX - 9, 0), HF_CODE_OVERFLOW,
                  HF_RULE_HOLD);
    /* The guard of held_out, of an account that already owes 2,000. */
    assert_ok(f, make_adjust(f, hold, HF_ADJUST_RAISE, HF_AMOUNT_MAX - 2009, 0));
    assert_ok(f, make_release(f, hold, HF_AMOUNT_ALL));
}

/* ---- pages of an account's holds ---- */

static void test_account_holds_page_by_page(void **state)
{
    struct hf_ledger_limits limits = small_limits;
    struct fixture f;
    struct hf_op_query ask = {
        .header = {.length = sizeof(ask), .type = HF_OP_QUERY, .id = {1, 1}},
        .subject_id = account_id(3),
        .subject = HF_QUERY_ACCOUNT_HOLDS,
    };
    uint64_t remaining = 0;
    uint32_t lines = 0;
    uint32_t pages = 0;

    (void)state;
    limits.holds = 20000; /* more places than one page looks at */
    limits.remembered = 200;
    open_fixture(&f, &limits);
    open_accounts(&f);
    for (int i = 0; i < 30; i++) {
        assert_ok(&f, make_hold(&f, i % 2 == 0 ? 3 : 2, 4, 1));
        hold_of_two(&f, 0, i % 3 == 0); /* 20 of account 3 */
    }
    do {
        struct hf_query_reply reply;
        hf_ledger_query(f.ledger, &ask, &reply);
        const struct hf_account_holds_view *view = &reply.view.account_holds;
        assert_int_equal(reply.reply.code, HF_CODE_OK);
        assert_int_equal(reply.reply.length, 64 + 136 + 48 * view->count);
        assert_int_equal(view->account.held_out, 30 * 20 + 15);
        assert_in_range(view->count, 0, HF_HOLD_LINES_MAX);
        for (uint32_t i = 0; i < view->count; i++)
            remaining += view->lines[i].remaining;
        lines += view->count;
        ask.cursor = view->next_cursor;
        pages++;
    } while (ask.cursor != 0);
    assert_int_equal(lines, 45);
    assert_int_equal(remaining, 30 * 20 + 15);
    assert_true(pages >= 45 / HF_HOLD_LINES_MAX);
    assert_true(pages <= 45 / HF_HOLD_LINES_MAX + 5);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        each(test_parts_in_order),
        each(test_parts_by_ratio),
        each(test_ratio_rounds_to_the_first),
        each(test_final_capture_returns_the_rest),
        each(test_payers_are_who_takes_part),
        each(test_no_room_for_parts),
        each(test_open_payee),
        each(test_named_payee_must_be_the_holds),
        each(test_only_its_origin_works_on_it),
        each(test_id_of_a_hold_made_in_a_chain),
        each(test_id_of_a_hold_in_a_chain),
        each(test_tolerance),
        each(test_beyond_is_a_new_debit),
        each(test_expiry_to_the_nanosecond),
        each(test_asking_what_is_due_changes_nothing),
        each(test_late_capture_of_a_soft_hold),
        each(test_class_lifetimes),
        each(test_expiry_after_a_failed_chain),
        cmocka_unit_test(test_a_million_in_one_second),
        each(test_account_is_swept),
        each(test_hold_and_account_expire_together),
        each(test_sink_that_refuses),
        each(test_adjust_one_payer),
        each(test_adjust_several_payers),
        each(test_adjust_by_ratio),
        each(test_adjust_expiry),
        each(test_adjust_beyond_the_largest_amount),
        cmocka_unit_test(test_account_holds_page_by_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
