/* What the client library makes: every operation's builder, against the shape check and a real
 * ledger. */
#include "client_world.h"

static void test_every_builder_passes_the_shape_check(void **state)
{
    (void)state;
    struct world *world = begin(&(struct hf_client_options){0}, 1);
    furnish(world);
    struct hf_client *client = world->client;
    union hf_operation op;
    struct hf_id token = {.lo = 77, .hi = 7};
    hf_make_move(&op, hf_client_next_id(client), account(0), account(1), 10000, ASSET);
    must_call(world, &op, HF_CODE_OK);
    struct hf_id hold = hf_client_next_id(client);
    hf_make_hold(&op, hold, account(1), account(2), 1000, ASSET);
    must_call(world, &op, HF_CODE_OK);
    hf_make_capture(&op, hf_client_next_id(client), hold, 300, false);
    must_call(world, &op, HF_CODE_OK);
    hf_make_release(&op, hf_client_next_id(client), hold, 200);
    must_call(world, &op, HF_CODE_OK);
    hf_make_capture(&op, hf_client_next_id(client), hold, HF_AMOUNT_ALL, true);
    must_call(world, &op, HF_CODE_OK);
    assert_int_equal(posted(world, 2), 800);
    hf_make_instrument_put(&op, hf_client_next_id(client), token, account(1), HF_INSTRUMENT_ACTIVE,
                           1, HF_INSTRUMENT_UNLIMITED);
    must_call(world, &op, HF_CODE_OK);
    hf_make_auth(&op, hf_client_next_id(client), token, account(2), 50, ASSET);
    must_call(world, &op, HF_CODE_OK);
    hf_make_auth(&op, hf_client_next_id(client), token, account(2), 50, ASSET);
    must_call(world, &op, HF_CODE_COUNT_LIMIT);
    hf_make_query(&op, hf_client_next_id(client), HF_QUERY_HOLD, hold);
    must_call(world, &op, HF_CODE_OK);
    end(world);
}

/* The lines of a scope's limits, over the wire. */
static uint32_t limits_of(struct world *world, uint8_t subject, struct hf_id scope,
                          struct hf_limits_view *view)
{
    union hf_operation op;
    struct hf_query_reply reply;
    hf_make_query(&op, hf_client_next_id(world->client), subject, scope);
    assert_int_equal(hf_client_call(world->client, &op, &reply, 0), HF_STATUS_OK);
    assert_int_equal(reply.reply.code, HF_CODE_OK);
    *view = reply.view.limits;
    assert_int_equal(view->next_cursor, 0);
    assert_in_range(view->count, 0, HF_LIMIT_LINES_MAX);
    assert_int_equal(reply.reply.length, 72 + 40 * view->count);
    return view->count;
}

/* A card with 100 a day, 250 in any hour and two authorisations a month; its account with 900 for
 * ever. */
static void test_every_builder_of_limits(void **state)
{
    (void)state;
    struct world *world = begin(&(struct hf_client_options){0}, 1);
    furnish(world);
    struct hf_client *client = world->client;
    union hf_operation op;
    struct hf_limits_view view;
    struct hf_query_reply reply;
    struct hf_id card = {.lo = 77, .hi = 7};
    static const struct {
        uint8_t scope, number, window;
        uint64_t amount, count;
    } limits[] = {
        {HF_LIMIT_INSTRUMENT, 1, HF_LIMIT_DAY, 100, HF_LIMIT_UNLIMITED},
        {HF_LIMIT_INSTRUMENT, 2, HF_LIMIT_ROLLING, 250, HF_LIMIT_UNLIMITED},
        {HF_LIMIT_INSTRUMENT, 9, HF_LIMIT_MONTH, HF_LIMIT_UNLIMITED, 2},
        {HF_LIMIT_ACCOUNT, 3, HF_LIMIT_LIFETIME, 900, HF_LIMIT_UNLIMITED},
    };

    hf_make_move(&op, hf_client_next_id(client), account(0), account(1), 10000, ASSET);
    must_call(world, &op, HF_CODE_OK);
    hf_make_instrument_put(&op, hf_client_next_id(client), card, account(1), HF_INSTRUMENT_ACTIVE,
                           HF_INSTRUMENT_UNLIMITED, HF_INSTRUMENT_UNLIMITED);
    must_call(world, &op, HF_CODE_OK);
    hf_make_class_put(&op, hf_client_next_id(client), 4, UINT64_C(3600000000000));
    must_call(world, &op, HF_CODE_OK);
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        bool is_card = limits[i].scope == HF_LIMIT_INSTRUMENT;
        hf_make_limit_put(&op, hf_client_next_id(client), limits[i].scope,
                          is_card ? card : account(1), limits[i].number, limits[i].window,
                          limits[i].amount, limits[i].count);
        if (limits[i].window == HF_LIMIT_ROLLING)
            op.limit_put.length_ns = UINT64_C(3600000000000);
        must_call(world, &op, HF_CODE_OK);
    }

    /* 150 where 100 are left of the day: refused, then approved in part. */
    hf_make_auth(&op, hf_client_next_id(client), card, account(2), 150, ASSET);
    assert_int_equal(hf_client_call(client, &op, &reply, 0), HF_STATUS_OK);
    assert_int_equal(reply.reply.code, HF_CODE_AMOUNT_LIMIT);
    assert_int_equal(reply.reply.rule, HF_RULE_INSTRUMENT_LIMIT);
    assert_int_equal(reply.reply.entry, 1);
    struct hf_id hold = hf_client_next_id(client);
    hf_make_auth_terms(&op, hold, card, account(2), 150, ASSET, 60, 4, 200);
    assert_int_equal(hf_client_call(client, &op, &reply, 0), HF_STATUS_OK);
    assert_int_equal(reply.reply.code, HF_CODE_OK_PARTIAL);
    assert_int_equal(reply.reply.approved, 100);
    hf_make_query(&op, hf_client_next_id(client), HF_QUERY_HOLD, hold);
    assert_int_equal(hf_client_call(client, &op, &reply, 0), HF_STATUS_OK);
    assert_int_equal(reply.view.hold.class_number, 4);
    assert_int_equal(reply.view.hold.tolerance, 200);
    assert_int_equal(reply.view.hold.remaining, 100);

    assert_int_equal(limits_of(world, HF_QUERY_INSTRUMENT_LIMITS, card, &view), 3);
    assert_int_equal(view.lines[1].number, 2);
    assert_int_equal(view.lines[1].window, HF_LIMIT_ROLLING);
    assert_int_equal(view.lines[1].max_amount, 250);
    assert_int_equal(view.lines[1].used_amount, 100);
    assert_int_equal(view.lines[2].number, 9);
    assert_int_equal(view.lines[2].used_count, 1);
    assert_int_equal(limits_of(world, HF_QUERY_ACCOUNT_LIMITS, account(1), &view), 1);
    assert_int_equal(view.lines[0].used_amount, 100);
    assert_int_equal(limits_of(world, HF_QUERY_ACCOUNT_LIMITS, account(2), &view), 0);

    hf_make_limit_raise(&op, hf_client_next_id(client), HF_LIMIT_INSTRUMENT, card, 1, 30, 0);
    must_call(world, &op, HF_CODE_OK);
    hf_make_auth(&op, hf_client_next_id(client), card, account(2), 31, ASSET);
    must_call(world, &op, HF_CODE_AMOUNT_LIMIT);
    hf_make_limit_reset(&op, hf_client_next_id(client), HF_LIMIT_INSTRUMENT, card, 1);
    must_call(world, &op, HF_CODE_OK);
    hf_make_auth(&op, hf_client_next_id(client), card, account(2), 130, ASSET);
    must_call(world, &op, HF_CODE_OK);
    hf_make_limit_reset(&op, hf_client_next_id(client), HF_LIMIT_INSTRUMENT, card, 1);
    must_call(world, &op, HF_CODE_OK);
    hf_make_auth(&op, hf_client_next_id(client), card, account(2), 1, ASSET);
    must_call(world, &op, HF_CODE_COUNT_LIMIT);
    hf_make_limit_reset(&op, hf_client_next_id(client), HF_LIMIT_INSTRUMENT, card, 8);
    must_call(world, &op, HF_CODE_UNKNOWN_LIMIT);
    end(world);
}

/* Plans, chains and what a hold can have, built, sent and carried out. */
static void test_every_builder_of_lists(void **state)
{
    (void)state;
    struct world *world = begin(&(struct hf_client_options){0}, 1);
    furnish(world);
    struct hf_client *client = world->client;
    static union hf_operation_buffer plan;
    static union hf_operation_buffer chain;
    union hf_operation op;

    hf_make_move_plan_begin(&plan, hf_client_next_id(client), 1000, ASSET);
    assert_true(hf_plan_add_source(&plan, account(0), HF_ENTRY_REMAINING, 0));
    assert_true(hf_plan_add_destination(&plan, account(1), HF_ENTRY_FIXED, 400));
    assert_true(hf_plan_add_destination(&plan, account(2), HF_ENTRY_REMAINING, 0));
    must_call(world, &plan.operation, HF_CODE_OK);
    assert_int_equal(posted(world, 1), 400);
    assert_int_equal(posted(world, 2), 600);

    /* A hold of two payers for whoever shows the preimage. */
    const struct hf_op_condition condition = {.kind = HF_CONDITION_ORIGIN, .code = 0};
    struct hf_id hold = hf_client_next_id(client);
    hf_make_hold_plan_begin(&plan, hold, 700, ASSET, HF_EXPIRES_NEVER);
    hf_plan_of(&plan)->reference = 9;
    assert_true(hf_plan_add_source(&plan, account(1), HF_ENTRY_UP_TO, HF_AMOUNT_ALL));
    assert_true(hf_plan_add_source(&plan, account(2), HF_ENTRY_REMAINING, 0));
    assert_true(hf_plan_add_condition(&plan, &condition));
    must_call(world, &plan.operation, HF_CODE_OK);
    hf_make_capture_for(&op, hf_client_next_id(client), hold, 100, false, account(3));
    must_call(world, &op, HF_CODE_CONDITION_NOT_MET);
    hf_make_attest(&op, hf_client_next_id(client), hold, 1, 0, NULL, 0);
    must_call(world, &op, HF_CODE_OK);
    hf_make_adjust(&op, hf_client_next_id(client), hold, HF_ADJUST_LOWER, 100, 0);
    must_call(world, &op, HF_CODE_OK);
    hf_make_capture_for(&op, hf_client_next_id(client), hold, HF_AMOUNT_ALL, true, account(3));
    must_call(world, &op, HF_CODE_OK);
    assert_int_equal(posted(world, 3), 600);

    hf_make_class_put(&op, hf_client_next_id(client), 9, UINT64_C(3600000000000));
    must_call(world, &op, HF_CODE_OK);
    hf_make_chain_begin(&chain, hf_client_next_id(client));
    hf_make_account_terms(&op, hf_client_next_id(client), account(77), ASSET, 0, HF_ACCOUNT_OPEN);
    op.account_put.ceiling = 100;
    assert_true(hf_chain_add(&chain, &op));
    hf_make_move(&op, hf_client_next_id(client), account(3), account(77), 100, ASSET);
    assert_true(hf_chain_add(&chain, &op));
    must_call(world, &chain.operation, HF_CODE_OK);
    hf_make_move(&op, hf_client_next_id(client), account(3), account(77), 1, ASSET);
    must_call(world, &op, HF_CODE_CEILING);
    hf_make_account_close(&op, hf_client_next_id(client), account(77), account(3));
    must_call(world, &op, HF_CODE_OK);
    assert_int_equal(posted(world, 3), 600);
    end(world);
}

static void must_be_good(const union hf_operation *op, size_t size, uint16_t length)
{
    assert_int_equal(op->header.length, length);
    struct hf_verdict verdict = hf_operation_check(op, size);
    assert_string_equal(hf_code_name(verdict.code), "OK");
}

/* Card payments: what the builders make is good, and says what they were told. */
static void test_card_builders(void **state)
{
    (void)state;
    const struct hf_id id = {.lo = 1, .hi = 7};
    const struct hf_id original = {.lo = 2, .hi = 7};
    static union hf_operation_buffer buffer;
    union hf_operation *op = &buffer.operation;

    memset(&buffer, 0xff, sizeof buffer);
    hf_make_increment(op, id, original, 5, ASSET, 77);
    must_be_good(op, sizeof buffer, 72);
    assert_true(hf_id_equal(op->increment.original, original));
    assert_int_equal(op->increment.amount, 5);
    assert_int_equal(op->increment.acquirer, 77);
    assert_int_equal(op->increment.asset, ASSET);

    memset(&buffer, 0xff, sizeof buffer);
    hf_make_reverse(op, id, original, HF_AMOUNT_ALL, ASSET, 77);
    must_be_good(op, sizeof buffer, 72);
    assert_true(hf_id_equal(op->reverse.original, original));
    assert_true(op->reverse.amount == HF_AMOUNT_ALL);
    assert_int_equal(op->reverse.acquirer, 77);
    assert_int_equal(op->reverse.captured, 0);

    memset(&buffer, 0xff, sizeof buffer);
    hf_make_clear(op, id, original, 5, ASSET, 77, HF_CLEAR_FINAL | HF_CLEAR_FORCED);
    must_be_good(op, sizeof buffer, 128);
    assert_true(hf_id_equal(op->clear.original, original));
    assert_int_equal(op->clear.acquirer, 77);
    assert_int_equal(op->clear.clear_flags, HF_CLEAR_FINAL | HF_CLEAR_FORCED);
    assert_int_equal(op->clear.token.lo | op->clear.payee.lo, 0);

    memset(&buffer, 0xff, sizeof buffer);
    hf_make_instrument_put(op, id, original, account(1), HF_INSTRUMENT_ACTIVE, 3, 4);
    must_be_good(op, sizeof buffer, 96);
    for (uint32_t i = 0; i < HF_INSTRUMENT_FURTHER_MAX; i++)
        assert_true(hf_instrument_add_account(&buffer, account(2 + i)));
    assert_false(hf_instrument_add_account(&buffer, account(99)));
    must_be_good(op, sizeof buffer, 208);
    assert_true(hf_id_equal(op->instrument_put.further[6], account(8)));
}

/* An estimate that two accounts pay for is raised, cleared and taken back; its record tells. */
static void test_card_payments(void **state)
{
    (void)state;
    struct world *world = begin(&(struct hf_client_options){0}, 1);
    furnish(world);
    struct hf_client *client = world->client;
    struct hf_id card = {.lo = 77, .hi = 3};
    static union hf_operation_buffer buffer;
    union hf_operation op;
    struct hf_query_reply reply;

    hf_make_move(&op, hf_client_next_id(client), account(0), account(1), 300, ASSET);
    must_call(world, &op, HF_CODE_OK);
    hf_make_move(&op, hf_client_next_id(client), account(0), account(2), 100, ASSET);
    must_call(world, &op, HF_CODE_OK);
    hf_make_instrument_put(&buffer.operation, hf_client_next_id(client), card, account(1),
                           HF_INSTRUMENT_ACTIVE, 5, HF_INSTRUMENT_UNLIMITED);
    assert_true(hf_instrument_add_account(&buffer, account(2)));
    must_call(world, &buffer.operation, HF_CODE_OK);

    struct hf_id one = hf_client_next_id(client);
    hf_make_auth(&op, one, card, account(3), 200, ASSET);
    op.auth.acquirer = 9;
    op.auth.auth_flags = HF_AUTH_ESTIMATED;
    must_call(world, &op, HF_CODE_OK);
    hf_make_increment(&op, hf_client_next_id(client), one, 50, ASSET, 8);
    must_call(world, &op, HF_CODE_NOT_PERMITTED);
    hf_make_increment(&op, hf_client_next_id(client), one, 50, ASSET, 9);
    must_call(world, &op, HF_CODE_OK);
    hf_make_clear(&op, hf_client_next_id(client), one, 120, ASSET, 9, 0);
    must_call(world, &op, HF_CODE_OK);
    hf_make_reverse(&op, hf_client_next_id(client), one, 30, ASSET, 9);
    must_call(world, &op, HF_CODE_OK);
    hf_make_query(&op, hf_client_next_id(client), HF_QUERY_AUTHORISATION, one);
    assert_int_equal(hf_client_call(client, &op, &reply, 0), HF_STATUS_OK);
    assert_int_equal(reply.reply.length, 224);
    const struct hf_authorisation_view *view = &reply.view.authorisation;
    assert_int_equal(view->amount, 220);
    assert_int_equal(view->remaining, 100);
    assert_int_equal(view->captured, 120);
    assert_int_equal(view->reversed, 30);
    assert_int_equal(view->status, HF_HOLD_OPEN);
    assert_true(hf_id_equal(view->token, card));

    /* The first account has 80 left to spend: the second pays the rest. */
    struct hf_id two = hf_client_next_id(client);
    hf_make_auth(&op, two, card, account(3), 100, ASSET);
    op.auth.acquirer = 9;
    must_call(world, &op, HF_CODE_OK);
    hf_make_clear(&op, hf_client_next_id(client), two, 100, ASSET, 9, HF_CLEAR_FINAL);
    must_call(world, &op, HF_CODE_OK);
    assert_int_equal(posted(world, 1), 300 - 120 - 80);
    assert_int_equal(posted(world, 2), 80);
    hf_make_query(&op, hf_client_next_id(client), HF_QUERY_INSTRUMENT_AUTHORISATIONS, card);
    assert_int_equal(hf_client_call(client, &op, &reply, 0), HF_STATUS_OK);
    assert_int_equal(reply.view.authorisations.count, 2);
    assert_true(hf_id_equal(reply.view.authorisations.lines[0].id, two));
    assert_true(hf_id_equal(reply.view.authorisations.lines[1].id, one));
    end(world);
}

/* A list is as long as it may be, and no longer; and an operation too. */
static void test_full_lists(void **state)
{
    (void)state;
    static union hf_operation_buffer buffer;
    static union hf_operation_buffer chain;
    const struct hf_op_condition condition = {.kind = HF_CONDITION_NOT_BEFORE, .time_ns = 1};
    const struct hf_id id = {.lo = 1, .hi = 7};

    hf_make_hold_plan_begin(&buffer, id, 5, ASSET, 0);
    for (uint32_t i = 0; i < HF_PLAN_CANDIDATES_MAX; i++)
        assert_true(hf_plan_add_source(&buffer, account(i), HF_ENTRY_UP_TO, 1));
    assert_false(hf_plan_add_source(&buffer, account(99), HF_ENTRY_UP_TO, 1));
    assert_true(hf_plan_add_destination(&buffer, account(99), HF_ENTRY_REMAINING, 0));
    for (uint32_t i = 0; i < HF_CONDITIONS_MAX; i++)
        assert_true(hf_plan_add_condition(&buffer, &condition));
    assert_false(hf_plan_add_condition(&buffer, &condition));
    assert_int_equal(buffer.operation.header.length, 104 + 65 * 32 + 8 * 48);
    hf_plan_of(&buffer)->method = HF_PLAN_SMALLEST_RESIDUAL;
    hf_plan_of(&buffer)->choose_max = 1;
    assert_int_equal(hf_operation_check(&buffer.operation, sizeof buffer).code, HF_CODE_OK);

    /* Three of 2,568 bytes; a fourth is too long for the chain, a short one is not. */
    hf_make_chain_begin(&chain, id);
    for (uint32_t i = 0; i < 3; i++)
        assert_true(hf_chain_add(&chain, &buffer.operation));
    assert_false(hf_chain_add(&chain, &buffer.operation));
    assert_int_equal(chain.operation.header.length, 40 + 3 * 2568);
    union hf_operation op;
    hf_make_move(&op, id, account(1), account(2), 5, ASSET);
    for (uint32_t i = 0; i < 15; i++)
        assert_true(hf_chain_add(&chain, &op));
    assert_false(hf_chain_add(&chain, &op)); /* 16 bytes are left */
    hf_make_chain_begin(&chain, id);
    for (uint32_t i = 0; i < HF_CHAIN_OPERATIONS_MAX; i++)
        assert_true(hf_chain_add(&chain, &op));
    assert_false(hf_chain_add(&chain, &op));

    struct hf_attestation attestation;
    hf_make_attestation(&attestation, account(4), 3, 44);
    assert_memory_equal(attestation.tag, "HOLDFAST-ATTEST", 16);
    assert_int_equal(attestation.condition, 3);
    assert_int_equal(attestation.code, 44);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_builder_passes_the_shape_check),
        cmocka_unit_test(test_every_builder_of_limits),
        cmocka_unit_test(test_every_builder_of_lists),
        cmocka_unit_test(test_card_builders),
        cmocka_unit_test(test_card_payments),
        cmocka_unit_test(test_full_lists),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
