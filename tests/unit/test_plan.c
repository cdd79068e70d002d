/* Plans: every rule of an entry, the order of what refuses, shares, the smallest residual. */
#include "plan_fixture.h"

#include "engine/residual.h"

static void fund(struct fixture *f, uint64_t number, uint64_t amount)
{
    assert_ok(f, make_account(f, number, 0));
    if (amount != 0)
        assert_ok(f, make_move(f, 1, number, amount));
}

static int64_t posted(const struct fixture *f, uint64_t number)
{
    return view_account(f, number).posted;
}

/* ---- shares ---- */

static void test_shares_give_spare_units_to_the_first(void **state)
{
    struct fixture *f = *state;
    struct long_operation op;
    struct hf_op_move_plan *move = begin_plan(f, &op, 15);

    for (uint64_t number = 10; number <= 12; number++)
        fund(f, number, 0);
    add_source(move, 2, HF_ENTRY_REMAINING, 0);
    add_destination(move, 10, HF_ENTRY_RATIO, 80);
    add_destination(move, 11, HF_ENTRY_RATIO, 8);
    add_destination(move, 12, HF_ENTRY_RATIO, 12);
    move->plan.destination_denominator = 100;
    assert_plan_ok(f, &op);
    assert_money(f, 15, 985, 985);
    assert_int_equal(posted(f, 10), 13);
    assert_int_equal(posted(f, 11), 1);
    assert_int_equal(posted(f, 12), 1);

    move = begin_plan(f, &op, 100);
    add_source(move, 2, HF_ENTRY_REMAINING, 0);
    add_destination(move, 10, HF_ENTRY_RATIO, 600);
    add_destination(move, 11, HF_ENTRY_RATIO, 355);
    add_destination(move, 12, HF_ENTRY_RATIO, 45);
    move->plan.destination_denominator = 1000;
    assert_plan_ok(f, &op);
    assert_int_equal(posted(f, 10), 13 + 61);
    assert_int_equal(posted(f, 11), 1 + 35);
    assert_int_equal(posted(f, 12), 1 + 4);
}

static void test_shares_of_sources(void **state)
{
    struct fixture *f = *state;
    struct long_operation op;

    fund(f, 10, 30);
    fund(f, 11, 20);
    fund(f, 12, 0);
    struct hf_op_move_plan *move = begin_plan(f, &op, 40);
    add_source(move, 10, HF_ENTRY_RATIO, 3);
    add_source(move, 11, HF_ENTRY_RATIO, 2);
    move->plan.source_denominator = 5;
    add_destination(move, 12, HF_ENTRY_REMAINING, 0);
    assert_plan_ok(f, &op);
    assert_money(f, 40, 6, 6);
    assert_int_equal(posted(f, 11), 4);
    assert_int_equal(view_account(f, 10).lifetime_debits, 24);

    /* Shares that are not meant to be all: the rest comes from who is last, and rounds down. */
    move = begin_plan(f, &op, 11);
    add_source(move, 10, HF_ENTRY_RATIO, 1);
    add_source(move, 2, HF_ENTRY_REMAINING, 0);
    move->plan.source_denominator = 4;
    add_destination(move, 12, HF_ENTRY_REMAINING, 0);
    assert_plan_ok(f, &op);
    assert_int_equal(posted(f, 10), 4);
    assert_int_equal(posted(f, 2), 991);

    /* A share that cannot be paid. */
    move = begin_plan(f, &op, 20);
    add_source(move, 2, HF_ENTRY_FIXED, 5);
    add_source(move, 11, HF_ENTRY_RATIO, 1);
    add_source(move, 3, HF_ENTRY_REMAINING, 0);
    move->plan.source_denominator = 4;
    add_destination(move, 12, HF_ENTRY_REMAINING, 0);
    assert_plan(f, &op, HF_CODE_INSUFFICIENT, HF_RULE_PAYER, 2);
    assert_money(f, 0, 991, 991); /* the first source's, as it is */
}

static void test_the_largest_shares_are_exact(void **state)
{
    struct fixture *f = *state;
    struct long_operation op;
    struct hf_op_move_plan *move = begin_plan(f, &op, HF_AMOUNT_MAX - 2000);

    fund(f, 10, 0);
    fund(f, 11, 0);
    add_source(move, 1, HF_ENTRY_REMAINING, 0);
    add_destination(move, 10, HF_ENTRY_RATIO, UINT32_MAX - 1);
    add_destination(move, 11, HF_ENTRY_RATIO, 1);
    move->plan.destination_denominator = UINT32_MAX;
    assert_plan_ok(f, &op);
    /* 9223372036854773807 / 4294967295 = 2147483648.5 */
    assert_int_equal(posted(f, 11), 2147483648);
    assert_int_equal(posted(f, 10) + posted(f, 11), (int64_t)HF_AMOUNT_MAX - 2000);
}

/* ---- the rules of sources ---- */

static void test_waterfall(void **state)
{
    struct fixture *f = *state;
    struct long_operation op;

    fund(f, 10, 200);
    fund(f, 11, 150);
    fund(f, 12, 0);
    struct hf_op_move_plan *move = begin_plan(f, &op, 500);
    add_source(move, 10, HF_ENTRY_UP_TO, HF_AMOUNT_ALL);
    add_source(move, 11, HF_ENTRY_UP_TO, 100);
    add_source(move, 2, HF_ENTRY_REMAINING, 0);
    add_destination(move, 12, HF_ENTRY_REMAINING, 0);
    assert_plan_ok(f, &op);
    assert_money(f, 500, 0, 0);
    assert_int_equal(posted(f, 11), 50);
    assert_int_equal(posted(f, 2), 800);
    assert_int_equal(posted(f, 12), 500);

    /* What the first gives is enough: the others take nothing. */
    fund(f, 10, 40);
    move = begin_plan(f, &op, 40);
    add_source(move, 10, HF_ENTRY_UP_TO, HF_AMOUNT_ALL);
    add_source(move, 11, HF_ENTRY_UP_TO, HF_AMOUNT_ALL);
    add_source(move, 2, HF_ENTRY_REMAINING, 0);
    add_destination(move, 12, HF_ENTRY_REMAINING, 0);
    assert_plan_ok(f, &op);
    assert_int_equal(posted(f, 11), 50);
    assert_int_equal(posted(f, 2), 800);
}

static void test_left_over_and_too_much(void **state)
{
    struct fixture *f = *state;
    struct long_operation op;

    fund(f, 10, 500);
    /* Nobody gives the last unit. */
    struct hf_op_move_plan *move = begin_plan(f, &op, 101);
    add_source(move, 10, HF_ENTRY_FIXED, 60);
    add_source(move, 2, HF_ENTRY_FIXED, 40);
    add_destination(move, 4, HF_ENTRY_REMAINING, 0);
    assert_plan(f, &op, HF_CODE_UNBALANCED, HF_RULE_PLAN, 0);
    assert_money(f, 0, 500, 500);
    /* One unit more than is asked for, though it is there. */
    move = begin_plan(f, &op, 99);
    add_source(move, 10, HF_ENTRY_FIXED, 60);
    add_source(move, 2, HF_ENTRY_FIXED, 40);
    add_destination(move, 4, HF_ENTRY_REMAINING, 0);
    assert_plan(f, &op, HF_CODE_UNBALANCED, HF_RULE_PLAN, 2);
    /* More than is asked for decides before more than there is. */
    move = begin_plan(f, &op, 99);
    add_source(move, 10, HF_ENTRY_FIXED, 501);
    add_destination(move, 4, HF_ENTRY_REMAINING, 0);
    assert_plan(f, &op, HF_CODE_UNBALANCED, HF_RULE_PLAN, 1);
    move = begin_plan(f, &op, 501);
    add_source(move, 10, HF_ENTRY_FIXED, 501);
    add_destination(move, 4, HF_ENTRY_REMAINING, 0);
    assert_plan(f, &op, HF_CODE_INSUFFICIENT, HF_RULE_PAYER, 1);
    move = begin_plan(f, &op, 501);
    add_source(move, 10, HF_ENTRY_REMAINING, 0);
    add_destination(move, 4, HF_ENTRY_REMAINING, 0);
    assert_plan(f, &op, HF_CODE_INSUFFICIENT, HF_RULE_PAYER, 1);
    /* The list of destinations likewise; its entries count on from the sources'. */
    move = begin_plan(f, &op, 100);
    add_source(move, 10, HF_ENTRY_FIXED, 60);
    add_source(move, 2, HF_ENTRY_FIXED, 40);
    add_destination(move, 4, HF_ENTRY_FIXED, 99);
    assert_plan(f, &op, HF_CODE_UNBALANCED, HF_RULE_PLAN, 0);
    move->header.id = new_id(f);
    move->entries[2].amount = 101;
    assert_plan(f, &op, HF_CODE_UNBALANCED, HF_RULE_PLAN, 3);
    move->header.id = new_id(f);
    move->entries[2].amount = 100;
    assert_plan_ok(f, &op);
    assert_int_equal(posted(f, 4), 100);
}

static void test_everything(void **state)
{
    struct fixture *f = *state;
    struct long_operation op;

    fund(f, 10, 37);
    fund(f, 11, 5);
    fund(f, 12, 0);
    struct hf_op_move_plan *move = begin_plan(f, &op, HF_AMOUNT_ALL);
    add_source(move, 10, HF_ENTRY_EVERYTHING, 0);
    add_source(move, 11, HF_ENTRY_FIXED, 3);
    add_destination(move, 12, HF_ENTRY_FIXED, 4);
    add_destination(move, 4, HF_ENTRY_REMAINING, 0);
    assert_plan_ok(f, &op);
    assert_money(f, 40, 0, 0);
    assert_int_equal(posted(f, 11), 2);
    assert_int_equal(posted(f, 4), 36);
    /* Nothing there any more. */
    move = begin_plan(f, &op, HF_AMOUNT_ALL);
    add_source(move, 10, HF_ENTRY_EVERYTHING, 0);
    add_destination(move, 4, HF_ENTRY_REMAINING, 0);
    assert_plan(f, &op, HF_CODE_INSUFFICIENT, HF_RULE_PAYER, 1);
    /* Everything of a given total: exactly that must be there. */
    move = begin_plan(f, &op, 3);
    add_source(move, 11, HF_ENTRY_EVERYTHING, 0);
    add_destination(move, 4, HF_ENTRY_REMAINING, 0);
    assert_plan(f, &op, HF_CODE_UNBALANCED, HF_RULE_PLAN, 0);
    move = begin_plan(f, &op, 1);
    add_source(move, 11, HF_ENTRY_EVERYTHING, 0);
    add_destination(move, 4, HF_ENTRY_REMAINING, 0);
    assert_plan(f, &op, HF_CODE_UNBALANCED, HF_RULE_PLAN, 1);
    /* All that an account without a floor has is the largest amount; with one unit more, too much.
     */
    move = begin_plan(f, &op, HF_AMOUNT_ALL);
    add_source(move, 1, HF_ENTRY_EVERYTHING, 0);
    add_source(move, 11, HF_ENTRY_FIXED, 1);
    add_destination(move, 4, HF_ENTRY_REMAINING, 0);
    assert_plan(f, &op, HF_CODE_OVERFLOW, HF_RULE_PLAN, 0);
    assert_money(f, 0, INT64_MAX, -2042);
}

static void test_partial(void **state)
{
    struct fixture *f = *state;
    struct long_operation op;

    fund(f, 10, 30);
    fund(f, 11, 20);
    for (uint64_t minimum = 50; minimum <= 51; minimum++) {
        struct hf_op_move_plan *move = begin_plan(f, &op, 80);
        move->plan.minimum = 101 - minimum;
        add_source(move, 10, HF_ENTRY_UP_TO, HF_AMOUNT_ALL);
        add_source(move, 11, HF_ENTRY_UP_TO, HF_AMOUNT_ALL);
        move->plan.destination_denominator = 2;
        add_destination(move, 4, HF_ENTRY_RATIO, 2);
        if (minimum == 50)
            assert_plan(f, &op, HF_CODE_INSUFFICIENT, HF_RULE_PAYER, 0);
        else
            assert_plan(f, &op, HF_CODE_OK_PARTIAL, HF_RULE_NONE, 0);
    }
    assert_money(f, 50, 0, 0);
    assert_int_equal(posted(f, 4), 50); /* shares are of what was taken */
    /* Enough for all: not partial. */
    struct hf_op_move_plan *move = begin_plan(f, &op, 80);
    move->plan.minimum = 1;
    add_source(move, 2, HF_ENTRY_UP_TO, HF_AMOUNT_ALL);
    add_destination(move, 4, HF_ENTRY_REMAINING, 0);
    assert_plan_ok(f, &op);
    assert_money(f, 80, 920, 920);
}

/* ---- who takes part ---- */

static void test_unknown_comes_before_standing(void **state)
{
    struct fixture *f = *state;
    struct long_operation op;
    struct hf_op_move_plan *move = begin_plan(f, &op, 10);
    union hf_operation freeze = make_account(f, 2, 0);

    freeze.account_put.status = HF_ACCOUNT_FROZEN;
    assert_ok(f, freeze);
    add_source(move, 2, HF_ENTRY_FIXED, 10);
    add_destination(move, 99, HF_ENTRY_REMAINING, 0);
    assert_plan(f, &op, HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_PAYEE, 2);
    assert_money(f, 0, 1000, 1000);
    move = begin_plan(f, &op, 10);
    add_source(move, 98, HF_ENTRY_UP_TO, 10);
    add_source(move, 2, HF_ENTRY_REMAINING, 0);
    add_destination(move, 99, HF_ENTRY_REMAINING, 0);
    assert_plan(f, &op, HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_PAYER, 1);
    assert_money(f, 0, 0, 0);
    move = begin_plan(f, &op, 10);
    add_source(move, 2, HF_ENTRY_FIXED, 10);
    add_destination(move, 4, HF_ENTRY_REMAINING, 0);
    assert_plan(f, &op, HF_CODE_RESTRICTED, HF_RULE_PAYER, 1);
    move = begin_plan(f, &op, 10);
    add_source(move, 3, HF_ENTRY_FIXED, 10);
    add_destination(move, 2, HF_ENTRY_REMAINING, 0);
    assert_plan(f, &op, HF_CODE_RESTRICTED, HF_RULE_PAYEE, 2);
    assert_ok(f, make_asset(f, EUR, "EUR"));
    move = begin_plan(f, &op, 10);
    move->plan.asset = EUR;
    add_source(move, 3, HF_ENTRY_UP_TO, 10);
    add_destination(move, 4, HF_ENTRY_REMAINING, 0);
    assert_plan(f, &op, HF_CODE_ASSET_MISMATCH, HF_RULE_PAYER, 1);
}

static void test_passing_over(void **state)
{
    struct fixture *f = *state;
    struct long_operation op;
    union hf_operation freeze = make_account(f, 2, 0);

    fund(f, 10, 5);
    freeze.account_put.status = HF_ACCOUNT_FROZEN;
    assert_ok(f, freeze);
    assert_ok(f, make_close(f, 4, 0));
    /* The frozen one is passed over, the next pays. */
    struct hf_op_move_plan *move = begin_plan(f, &op, 5);
    add_source(move, 2, HF_ENTRY_UP_TO, 5);
    add_source(move, 10, HF_ENTRY_UP_TO, 5);
    add_destination(move, 3, HF_ENTRY_REMAINING, 0);
    assert_plan_ok(f, &op);
    assert_money(f, 5, 1000, 1000); /* the first source's: nothing happened to it */
    /* All are passed over: the first one's refusal. */
    move = begin_plan(f, &op, 5);
    add_source(move, 2, HF_ENTRY_UP_TO, 5);
    add_source(move, 4, HF_ENTRY_UP_TO, 5);
    add_destination(move, 3, HF_ENTRY_REMAINING, 0);
    assert_plan(f, &op, HF_CODE_RESTRICTED, HF_RULE_PAYER, 1);
    /* One is only empty: then it is money that lacks. */
    move = begin_plan(f, &op, 5);
    add_source(move, 2, HF_ENTRY_UP_TO, 5);
    add_source(move, 10, HF_ENTRY_UP_TO, 5);
    add_destination(move, 3, HF_ENTRY_REMAINING, 0);
    assert_plan(f, &op, HF_CODE_INSUFFICIENT, HF_RULE_PAYER, 0);
    /* Destinations are passed over too, and then something is left. */
    move = begin_plan(f, &op, 5);
    add_source(move, 3, HF_ENTRY_FIXED, 5);
    add_destination(move, 2, HF_ENTRY_UP_TO, HF_AMOUNT_ALL);
    assert_plan(f, &op, HF_CODE_CEILING, HF_RULE_PAYEE, 0);
    move = begin_plan(f, &op, 5);
    add_source(move, 3, HF_ENTRY_FIXED, 5);
    add_destination(move, 2, HF_ENTRY_UP_TO, HF_AMOUNT_ALL);
    add_destination(move, 10, HF_ENTRY_REMAINING, 0);
    assert_plan_ok(f, &op);
    assert_int_equal(posted(f, 10), 5);
}

static void test_ceilings_fill_up_in_order(void **state)
{
    struct fixture *f = *state;
    struct long_operation op;

    for (uint64_t number = 10; number <= 11; number++) {
        union hf_operation put = make_terms(f, number, 0);
        put.account_put.ceiling = 100;
        assert_ok(f, put);
    }
    assert_ok(f, make_move(f, 2, 10, 70));
    assert_ok(f, make_hold(f, 2, 10, 20)); /* what is held in counts */
    struct hf_op_move_plan *move = begin_plan(f, &op, 110);
    add_source(move, 3, HF_ENTRY_REMAINING, 0);
    add_destination(move, 10, HF_ENTRY_UP_TO, HF_AMOUNT_ALL);
    add_destination(move, 11, HF_ENTRY_UP_TO, HF_AMOUNT_ALL);
    assert_plan_ok(f, &op);
    assert_int_equal(posted(f, 10), 80);
    assert_int_equal(posted(f, 11), 100);
    move = begin_plan(f, &op, 1);
    add_source(move, 3, HF_ENTRY_REMAINING, 0);
    add_destination(move, 11, HF_ENTRY_UP_TO, HF_AMOUNT_ALL);
    assert_plan(f, &op, HF_CODE_CEILING, HF_RULE_PAYEE, 0);
    move = begin_plan(f, &op, 1);
    add_source(move, 3, HF_ENTRY_REMAINING, 0);
    add_destination(move, 11, HF_ENTRY_REMAINING, 0);
    assert_plan(f, &op, HF_CODE_CEILING, HF_RULE_PAYEE, 2);
}

static void test_as_many_entries_as_there_may_be(void **state)
{
    struct fixture *f = *state;
    struct hf_ledger_limits limits = small_limits;
    struct long_operation op;
    struct fixture large;

    (void)f;
    limits.accounts = 200;
    limits.remembered = 512;
    open_fixture(&large, &limits);
    open_accounts(&large);
    for (uint64_t number = 10; number < 10 + 32; number++)
        fund(&large, number, number);
    for (uint64_t number = 100; number < 100 + 32; number++)
        fund(&large, number, 0);
    for (uint32_t count = 32; count <= 33; count++) {
        struct hf_op_move_plan *move = begin_plan(&large, &op, HF_AMOUNT_ALL);
        for (uint32_t i = 0; i < count; i++)
            add_source(move, 10 + i, HF_ENTRY_EVERYTHING, 0);
        for (uint32_t i = 0; i < 31; i++)
            add_destination(move, 100 + i, HF_ENTRY_FIXED, i + 1);
        add_destination(move, 131, HF_ENTRY_REMAINING, 0);
        if (count == 32) {
            assert_plan_ok(&large, &op);
            assert_money(&large, 32 * 10 + 31 * 16, 0, 0);
            continue;
        }
        struct hf_verdict verdict =
            hf_operation_check(operation_of(&op), operation_of(&op)->header.length);
        assert_int_equal(verdict.code, HF_CODE_MALFORMED);
        assert_int_equal(verdict.rule, HF_RULE_PLAN);
    }
    for (uint64_t i = 0; i < 31; i++)
        assert_int_equal(posted(&large, 100 + i), i + 1);
    assert_int_equal(posted(&large, 131), 32 * 10 + 31 * 16 - 31 * 16);
    assert_true(hf_ledger_is_balanced(large.ledger));
    close_fixture(&large);
}

/* ---- exactly once ---- */

static void test_repeat_and_dry_run(void **state)
{
    struct fixture *f = *state;
    struct long_operation op;
    struct hf_op_move_plan *move = begin_plan(f, &op, 10);

    add_source(move, 2, HF_ENTRY_FIXED, 10);
    add_destination(move, 4, HF_ENTRY_REMAINING, 0);
    move->header.flags |= HF_OP_DRY_RUN;
    assert_false(apply(f, operation_of(&op)));
    assert_int_equal(f->reply.code, HF_CODE_OK);
    assert_money(f, 10, 990, 990);
    assert_int_equal(posted(f, 4), 0);
    move->header.flags = HF_OP_RETURN_BALANCES;
    assert_plan_ok(f, &op);
    struct hf_reply first = f->reply;
    assert_false(apply(f, operation_of(&op)));
    assert_memory_equal(&f->reply, &first, sizeof(first));
    /* The last entry's last byte is content: the fingerprint covers the whole list. */
    move->entries[1].rule = HF_ENTRY_UP_TO;
    move->entries[1].amount = HF_AMOUNT_ALL;
    assert_false(apply(f, operation_of(&op)));
    assert_int_equal(f->reply.code, HF_CODE_DUPLICATE_DIFFERENT);
    assert_int_equal(posted(f, 4), 10);
}

/* ---- the smallest residual ---- */

static void choose(const uint64_t values[], uint32_t count, uint32_t choose_max, uint64_t sum,
                   uint32_t expected_count, const uint8_t expected[])
{
    struct hf_residual_choice choice = hf_residual_choose(values, count, choose_max, sum);

    assert_int_equal(choice.count, expected_count);
    for (uint32_t i = 0; i < expected_count; i++)
        assert_int_equal(choice.indices[i], expected[i]);
}

static void test_residual_examples(void **state)
{
    const uint64_t cards[] = {5, 12, 20, 50};

    (void)state;
    choose(cards, 4, 4, 18, 1, (const uint8_t[]){2});
    choose(cards, 4, 2, 60, 2, (const uint8_t[]){1, 3});
    choose(cards, 4, 2, 63, 2, (const uint8_t[]){2, 3});
    choose(cards, 4, 4, 63, 3, (const uint8_t[]){0, 1, 3});
    choose(cards, 4, 4, 88, 0, NULL);
    choose(cards, 4, 4, 87, 4, (const uint8_t[]){0, 1, 2, 3});
    choose(cards, 4, 3, 87, 0, NULL);
}

static void test_residual_ties(void **state)
{
    (void)state;
    /* The fewest, though they come later. */
    choose((const uint64_t[]){4, 6, 10}, 3, 4, 10, 1, (const uint8_t[]){2});
    /* As many: the first of the first that differ. */
    choose((const uint64_t[]){1, 9, 2, 8, 5, 5}, 6, 2, 10, 2, (const uint8_t[]){0, 1});
    choose((const uint64_t[]){7, 9, 2, 8, 1, 5}, 6, 2, 10, 2, (const uint8_t[]){1, 4});
    choose((const uint64_t[]){3, 3, 3, 3, 3}, 5, 4, 9, 3, (const uint8_t[]){0, 1, 2});
    choose((const uint64_t[]){0, 3, 0, 3, 3}, 5, 4, 5, 2, (const uint8_t[]){1, 3});
    /* The largest numbers there are. */
    choose((const uint64_t[]){HF_AMOUNT_MAX, 1, HF_AMOUNT_MAX}, 3, 4, HF_AMOUNT_MAX, 1,
           (const uint8_t[]){0});
    choose((const uint64_t[]){HF_AMOUNT_MAX - 2, 1, HF_AMOUNT_MAX - 1}, 3, 2, HF_AMOUNT_MAX, 2,
           (const uint8_t[]){1, 2});
    choose((const uint64_t[]){HF_AMOUNT_MAX - 1, HF_AMOUNT_MAX - 2}, 2, 2, HF_AMOUNT_MAX, 2,
           (const uint8_t[]){0, 1});
}

/* The naive way: every set of one to four, in the order in which ties are decided. */
static struct hf_residual_choice choose_naively(const uint64_t values[], uint32_t count,
                                                uint32_t choose_max, uint64_t sum)
{
    struct hf_residual_choice best = {0};
    uint64_t best_sum = UINT64_MAX;

    for (uint32_t size = 1; size <= choose_max && size <= count; size++) {
        uint8_t at[4] = {0, 1, 2, 3};
        for (;;) {
            uint64_t total = 0;
            bool is_allowed = true;
            for (uint32_t i = 0; i < size; i++) {
                total += values[at[i]];
                is_allowed &= values[at[i]] != 0;
            }
            if (is_allowed && total >= sum && total < best_sum) {
                best_sum = total;
                best.count = size;
                memcpy(best.indices, at, sizeof(at));
            }
            uint32_t place = size;
            while (place > 0 && at[place - 1] == count - size + place - 1)
                place--;
            if (place == 0)
                break;
            at[place - 1]++;
            for (uint32_t i = place; i < size; i++)
                at[i] = (uint8_t)(at[i - 1] + 1);
        }
    }
    return best;
}

static void test_residual_against_every_set(void **state)
{
    uint64_t random = 4711;

    (void)state;
    print_message("seed %llu\n", (unsigned long long)random);
    for (int round = 0; round < 4000; round++) {
        uint64_t values[14];
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        uint32_t count = 1 + (uint32_t)(random >> 33) % 14;
        uint64_t span = 2 + (random >> 40) % 60;
        for (uint32_t i = 0; i < count; i++) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
            values[i] = (random >> 35) % span;
        }
        uint32_t choose_max = 1 + (uint32_t)(random >> 50) % 4;
        uint64_t sum = 1 + (random >> 20) % (3 * span);
        struct hf_residual_choice naive = choose_naively(values, count, choose_max, sum);
        choose(values, count, choose_max, sum, naive.count, naive.indices);
    }
}

static void test_residual_of_64(void **state)
{
    uint64_t values[HF_PLAN_CANDIDATES_MAX];

    (void)state;
    /* Powers would not fit; squares of odd numbers: only the last four reach their own sum. */
    for (uint64_t i = 0; i < HF_PLAN_CANDIDATES_MAX; i++)
        values[i] = (2 * i + 1) * (2 * i + 1);
    uint64_t most = values[60] + values[61] + values[62] + values[63];
    choose(values, 64, 4, most, 4, (const uint8_t[]){60, 61, 62, 63});
    choose(values, 64, 4, most + 1, 0, NULL);
    /* As many as there may be, against every set. */
    for (uint64_t sum = most / 2; sum < most; sum += most / 16) {
        struct hf_residual_choice naive = choose_naively(values, 64, 4, sum);
        choose(values, 64, 4, sum, naive.count, naive.indices);
    }
}

/* A plan that pays 18 with the cards of scenario 3.9, and what is left of them. */
static void test_residual_plan(void **state)
{
    struct fixture *f = *state;
    static const uint64_t cards[] = {5, 12, 20, 50};
    static const struct {
        uint64_t amount;
        uint8_t choose_max;
        int64_t left[4];
    } cases[] = {
        {18, 4, {5, 12, 2, 50}}, {60, 4, {5, 0, 20, 2}}, /* in order: the last one keeps the rest */
        {63, 2, {5, 12, 0, 7}},  {63, 4, {0, 0, 20, 4}}, {87, 4, {0, 0, 0, 0}},
    };
    struct long_operation op;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t first = 10 + 4 * i;
        struct hf_op_move_plan *move = begin_plan(f, &op, cases[i].amount);
        for (uint32_t card = 0; card < 4; card++)
            fund(f, first + card, cards[card]);
        move->header.id = new_id(f);
        move->plan.method = HF_PLAN_SMALLEST_RESIDUAL;
        move->plan.choose_max = cases[i].choose_max;
        for (uint32_t card = 0; card < 4; card++)
            add_source(move, first + card, HF_ENTRY_UP_TO, HF_AMOUNT_ALL);
        add_destination(move, 4, HF_ENTRY_REMAINING, 0);
        assert_plan_ok(f, &op);
        assert_int_equal(f->reply.approved, cases[i].amount);
        for (uint32_t card = 0; card < 4; card++)
            assert_int_equal(posted(f, first + card), cases[i].left[card]);
    }
    struct hf_op_move_plan *move = begin_plan(f, &op, 8);
    move->plan.method = HF_PLAN_SMALLEST_RESIDUAL;
    move->plan.choose_max = 4;
    for (uint32_t card = 0; card < 4; card++)
        add_source(move, 22 + card, HF_ENTRY_UP_TO, HF_AMOUNT_ALL);
    add_destination(move, 4, HF_ENTRY_REMAINING, 0);
    assert_plan_ok(f, &op); /* of {0, 0, 20, 4} */
    assert_int_equal(posted(f, 24), 12);
    move->header.id = new_id(f);
    move->plan.amount = 17;
    assert_plan(f, &op, HF_CODE_INSUFFICIENT, HF_RULE_PAYER, 0);
}

static void test_events_of_a_plan(void **state)
{
    static struct eyes eyes;
    struct fixture *f = *state;
    struct long_operation op;

    watch(f, &eyes);
    struct hf_op_move_plan *move = begin_plan(f, &op, 10);
    add_source(move, 2, HF_ENTRY_FIXED, 10);
    add_source(move, 3, HF_ENTRY_REMAINING, 0); /* nothing is left for it: no leg */
    add_destination(move, 4, HF_ENTRY_REMAINING, 0);
    assert_plan_ok(f, &op);
    assert_event(&eyes, 0, HF_EVENT_POSTED, 2, -10);
    assert_event(&eyes, 1, HF_EVENT_POSTED, 4, 10);
    assert_int_equal(eyes.events.count, 2);
    assert_int_equal(eyes.list[0].place, hf_ledger_place(f->ledger));
    assert_int_equal(eyes.list[0].asset, USD);
    assert_int_equal(eyes.list[0].type, HF_OP_MOVE_PLAN);
    assert_false(apply(f, operation_of(&op))); /* a repeat */
    move->header.id = new_id(f);
    move->header.flags = HF_OP_DRY_RUN;
    assert_false(apply(f, operation_of(&op)));
    assert_int_equal(eyes.events.count, 2);
    assert_answer(f, make_move(f, 2, 99, 1), HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_PAYEE);
    assert_int_equal(eyes.events.count, 3);
    assert_int_equal(eyes.list[2].kind, HF_EVENT_REFUSED);
    assert_true(hf_id_equal(eyes.list[2].subject, f->reply.id));
    assert_int_equal(eyes.list[2].code, HF_CODE_UNKNOWN_ACCOUNT);
    assert_int_equal(eyes.list[2].rule, HF_RULE_PAYEE);
    assert_ok(f, make_move(f, 2, 4, 1)); /* a plain one, looked on at */
    assert_event(&eyes, 3, HF_EVENT_POSTED, 2, -1);
    assert_event(&eyes, 4, HF_EVENT_POSTED, 4, 1);
    hf_ledger_watch(f->ledger, NULL);
    assert_ok(f, make_move(f, 2, 4, 1));
    assert_int_equal(eyes.events.count, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        each(test_shares_give_spare_units_to_the_first),
        each(test_shares_of_sources),
        each(test_the_largest_shares_are_exact),
        each(test_waterfall),
        each(test_left_over_and_too_much),
        each(test_everything),
        each(test_partial),
        each(test_unknown_comes_before_standing),
        each(test_passing_over),
        each(test_ceilings_fill_up_in_order),
        each(test_as_many_entries_as_there_may_be),
        each(test_repeat_and_dry_run),
        cmocka_unit_test(test_residual_examples),
        cmocka_unit_test(test_residual_ties),
        cmocka_unit_test(test_residual_against_every_set),
        cmocka_unit_test(test_residual_of_64),
        each(test_residual_plan),
        each(test_events_of_a_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
