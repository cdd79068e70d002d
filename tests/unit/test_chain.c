/* Chains: all or none, whatever is inside; what a failed or dry one leaves behind is nothing. */
#include "plan_fixture.h"

/* Adds an operation of one length. */
static void link_one(struct hf_op_chain *chain, union hf_operation op)
{
    add_link(chain, &op);
}

/* ---- a chain that stands ---- */

static void test_each_sees_what_those_before_did(void **state)
{
    struct fixture *f = *state;
    struct long_operation op;
    struct hf_op_chain *chain = begin_chain(f, &op);

    link_one(chain, make_account(f, 10, 0));
    link_one(chain, make_move(f, 2, 10, 300));
    link_one(chain, make_move(f, 10, 4, 300));
    assert_plan_ok(f, &op);
    assert_money(f, 3, 0, 0);
    assert_int_equal(f->reply.type, HF_OP_CHAIN | HF_REPLY_TYPE_BIT);
    assert_balances(f, 2, 700, 0, 0);
    assert_balances(f, 10, 0, 0, 0);
    assert_balances(f, 4, 300, 0, 0);
    /* The same again is answered, and done once. */
    struct hf_reply first = f->reply;
    assert_false(apply(f, operation_of(&op)));
    assert_memory_equal(&f->reply, &first, sizeof(first));
    assert_balances(f, 4, 300, 0, 0);
    /* Other content inside under the same id is another operation. */
    op.bytes[chain->header.length - 16] ^= 1;
    assert_false(apply(f, operation_of(&op)));
    assert_int_equal(f->reply.code, HF_CODE_DUPLICATE_DIFFERENT);
}

static void test_partial_counts_as_done(void **state)
{
    struct fixture *f = *state;
    struct long_operation op;
    struct long_operation inner;
    struct hf_op_chain *chain = begin_chain(f, &op);
    struct hf_op_move_plan *move = begin_plan(f, &inner, 1500);

    move->plan.minimum = 1;
    add_source(move, 2, HF_ENTRY_UP_TO, HF_AMOUNT_ALL);
    add_destination(move, 4, HF_ENTRY_REMAINING, 0);
    add_link(chain, operation_of(&inner));
    link_one(chain, make_move(f, 4, 3, 1000));
    assert_plan_ok(f, &op);
    assert_money(f, 2, 0, 0);
    assert_balances(f, 2, 0, 0, 0);
    assert_balances(f, 3, 2000, 0, 0);
}

static void test_as_many_links_as_there_may_be(void **state)
{
    struct fixture *f = *state;
    struct long_operation op;

    for (uint32_t count = 32; count <= 33; count++) {
        struct hf_op_chain *chain = begin_chain(f, &op);
        for (uint32_t i = 0; i < count; i++)
            link_one(chain, make_move(f, 2, 4, 1));
        if (count == 32) {
            assert_plan_ok(f, &op);
            assert_int_equal(f->reply.approved, 32);
            assert_balances(f, 4, 32, 0, 0);
            continue;
        }
        struct hf_verdict verdict = hf_operation_check(operation_of(&op), chain->header.length);
        assert_int_equal(verdict.code, HF_CODE_MALFORMED);
        assert_int_equal(verdict.rule, HF_RULE_CHAIN);
    }
}

/* ---- a chain that fails ---- */

static void test_the_first_refusal_is_the_answer(void **state)
{
    struct fixture *f = *state;
    struct long_operation op;
    struct long_operation inner;
    struct hf_op_chain *chain = begin_chain(f, &op);

    link_one(chain, make_move(f, 2, 4, 300));
    link_one(chain, make_move(f, 4, 3, 301));
    link_one(chain, make_move(f, 99, 3, 1));
    assert_plan(f, &op, HF_CODE_INSUFFICIENT, HF_RULE_PAYER, 2);
    assert_money(f, 0, 0, 0);
    assert_balances(f, 2, 1000, 0, 0);
    assert_balances(f, 4, 0, 0, 0);
    assert_int_equal(view_account(f, 2).lifetime_debits, 0);
    /* The number is that of the operation, whatever entry of it refused. */
    chain = begin_chain(f, &op);
    struct hf_op_move_plan *move = begin_plan(f, &inner, 10);
    add_source(move, 2, HF_ENTRY_UP_TO, 5);
    add_source(move, 98, HF_ENTRY_REMAINING, 0);
    add_destination(move, 4, HF_ENTRY_REMAINING, 0);
    link_one(chain, make_move(f, 2, 4, 300));
    link_one(chain, make_move(f, 2, 4, 300));
    add_link(chain, operation_of(&inner));
    assert_plan(f, &op, HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_PAYER, 3);
    assert_balances(f, 4, 0, 0, 0);
}

/* Delivery against payment: both legs or none. */
static void test_delivery_against_payment(void **state)
{
    struct fixture *f = *state;
    struct long_operation op;
    union hf_operation share;

    assert_ok(f, make_asset(f, EUR, "SHARE"));
    for (uint64_t number = 10; number <= 11; number++) {
        share = make_account(f, number, number == 10 ? -1 : 0);
        share.account_put.asset = EUR;
        assert_ok(f, share);
    }
    for (int round = 0; round < 2; round++) {
        struct hf_op_chain *chain = begin_chain(f, &op);
        share = make_move(f, 10, 11, 1);
        share.move.asset = EUR;
        link_one(chain, make_move(f, 2, 3, 500));
        link_one(chain, share);
        if (round == 0)
            assert_plan_ok(f, &op);
        else
            assert_plan(f, &op, HF_CODE_INSUFFICIENT, HF_RULE_PAYER, 2);
    }
    assert_balances(f, 2, 500, 0, 0);
    assert_balances(f, 3, 1500, 0, 0);
    assert_balances(f, 11, 1, 0, 0);
}

/* ---- nothing is left behind ---- */

/* A hold of two payers, for whoever captures it, with a condition. */
static void make_plan_hold(struct fixture *f, struct long_operation *op, uint64_t first,
                           uint64_t second, uint64_t amount)
{
    memset(op, 0, sizeof(*op));
    struct hf_op_hold_plan *hold = &operation_of(op)->hold_plan;

    hold->header = header_of(f, HF_OP_HOLD_PLAN);
    hold->plan.amount = amount;
    hold->plan.asset = USD;
    hold->plan.source_count = 2;
    hold->terms.expires_ns = f->now_ns + 1000 * NS_IN_MS;
    hold->terms.condition_count = 1;
    hold->terms.required = 1;
    hold->entries[0] = (struct hf_op_entry){
        .account = account_id(first), .amount = amount / 2, .rule = HF_ENTRY_FIXED};
    hold->entries[1] =
        (struct hf_op_entry){.account = account_id(second), .rule = HF_ENTRY_REMAINING};
    struct hf_op_condition *condition = (struct hf_op_condition *)(void *)&hold->entries[2];
    condition->kind = HF_CONDITION_ORIGIN;
    hold->header.length =
        sizeof(*hold) + 2 * sizeof(struct hf_op_entry) + sizeof(struct hf_op_condition);
}

static union hf_operation make_attest(struct fixture *f, struct hf_id hold)
{
    union hf_operation op = {.bytes = {0}};

    op.attest.header = header_of(f, HF_OP_ATTEST);
    op.attest.hold = hold;
    op.attest.condition = 1;
    return op;
}

static union hf_operation make_adjust(struct fixture *f, struct hf_id hold, uint8_t mode,
                                      uint64_t amount, uint64_t expires_ns)
{
    union hf_operation op = {.bytes = {0}};

    op.adjust.header = header_of(f, HF_OP_ADJUST);
    op.adjust.hold = hold;
    op.adjust.mode = mode;
    op.adjust.amount = amount;
    op.adjust.expires_ns = expires_ns;
    return op;
}

static union hf_operation make_class(struct fixture *f)
{
    union hf_operation op = {.bytes = {0}};

    op.class_put.header = header_of(f, HF_OP_CLASS_PUT);
    op.class_put.class_number = 15;
    op.class_put.lifetime_ns = 12345;
    return op;
}

/* What the chain finds: a total with children, an instrument; and of holds one of two payers, one
 * plain, and one that has ended and will be forgotten for a new one. */
static void prepare(struct fixture *f, struct hf_id holds[3])
{
    struct long_operation op;
    union hf_operation hold;

    assert_ok(f, make_total(f, 20, HF_FLOOR_NONE));
    assert_ok(f, make_child(f, 21, 0, 20));
    assert_ok(f, make_child(f, 22, 0, 20));
    assert_ok(f, make_move(f, 2, 21, 200));
    assert_ok(f, make_move(f, 2, 22, 50));
    assert_ok(f, make_instrument(f, 50, 3));
    make_plan_hold(f, &op, 21, 2, 40);
    assert_plan_ok(f, &op);
    holds[0] = f->reply.id;
    hold = make_hold(f, 2, 4, 30);
    assert_ok(f, hold);
    holds[1] = hold.header.id;
    hold = make_hold(f, 2, 4, 10);
    assert_ok(f, hold);
    holds[2] = hold.header.id;
    assert_ok(f, make_release(f, holds[2], HF_AMOUNT_ALL));
}

/* Everything that a chain can do, of each kind one or more. `f` makes the ids, so that two fixtures
 * in step make the same chain. */
static void fill_with_everything(struct fixture *f, struct hf_op_chain *chain,
                                 const struct hf_id holds[3])
{
    struct long_operation inner;
    union hf_operation put;

    link_one(chain, make_asset(f, 700, "NEW"));
    link_one(chain, make_account(f, 30, 0));
    link_one(chain, make_total(f, 31, HF_FLOOR_NONE));
    link_one(chain, make_child(f, 32, 0, 31));
    put = make_child(f, 21, 5, 20); /* known, with terms */
    put.account_put.ceiling = 5000;
    put.account_put.filter.mccs[3] = 5411;
    put.account_put.expires_ns = f->now_ns + 1000000 * NS_IN_MS;
    link_one(chain, put);
    put = make_terms(f, 3, -5); /* known, gets terms */
    put.account_put.sink = account_id(4);
    link_one(chain, put);
    link_one(chain, make_move(f, 2, 32, 100));
    struct hf_op_move_plan *move = begin_plan(f, &inner, 70);
    move->plan.mcc = 5411;
    add_source(move, 32, HF_ENTRY_UP_TO, 40);
    add_source(move, 21, HF_ENTRY_REMAINING, 0);
    add_destination(move, 30, HF_ENTRY_RATIO, 1);
    add_destination(move, 4, HF_ENTRY_RATIO, 1);
    move->plan.destination_denominator = 2;
    add_link(chain, operation_of(&inner));
    link_one(chain, make_instrument(f, 51, 30));
    put = make_instrument(f, 50, 3);
    put.instrument_put.remaining = 9;
    link_one(chain, put);
    link_one(chain, make_close(f, 22, 2)); /* a child */
    link_one(chain, make_close(f, 30, 4)); /* made here */
    link_one(chain, make_class(f));
    link_one(chain, make_attest(f, holds[0]));
    put = make_capture(f, holds[0], 25, false); /* all of one part, some of the other */
    put.header.length = sizeof(put.capture);
    put.capture.payee = account_id(4);
    link_one(chain, put);
    link_one(chain, make_adjust(f, holds[0], HF_ADJUST_RAISE, 10, f->now_ns + 2000 * NS_IN_MS));
    link_one(chain, make_adjust(f, holds[1], HF_ADJUST_LOWER, 10, 0));
    link_one(chain, make_capture(f, holds[1], 5, false));
    link_one(chain, make_capture(f, holds[1], 5, true)); /* ends it */
    make_plan_hold(f, &inner, 2, 3, 12);
    add_link(chain, operation_of(&inner));
    link_one(chain, make_release(f, operation_of(&inner)->header.id, HF_AMOUNT_ALL));
    link_one(chain, make_release(f, holds[0], 7));
    put = make_auth(f, 50, 4, 11); /* draws the counter; the ended holds are forgotten one by one */
    link_one(chain, put);
    link_one(chain, make_hold(f, 2, 4, 13));
    make_plan_hold(f, &inner, 2, 4, 20);
    add_link(chain, operation_of(&inner));
}

/* Two ledgers in step; one of them tried a chain that left nothing behind. From then on they must
 * stay equal, whatever is done to both. */
static void assert_in_step(struct fixture *a, struct fixture *b)
{
    assert_true(hf_id_equal(hf_ledger_digest(a->ledger), hf_ledger_digest(b->ledger)));
    struct hf_ledger_counts counts_a = counts_of(a);
    struct hf_ledger_counts counts_b = counts_of(b);
    assert_memory_equal(&counts_a, &counts_b, sizeof(counts_a));
}

static void test_a_dry_chain_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct fixture twin;
    struct hf_id holds[3];
    struct long_operation op;
    struct long_operation again;

    open_fixture(&twin, &small_limits);
    open_accounts(&twin);
    prepare(f, holds);
    prepare(&twin, holds);
    assert_in_step(f, &twin);
    struct hf_op_chain *chain = begin_chain(f, &op);
    fill_with_everything(f, chain, holds);
    chain->header.flags |= HF_OP_DRY_RUN;
    assert_int_equal(hf_operation_check(operation_of(&op), chain->header.length).code, HF_CODE_OK);
    assert_false(apply(f, operation_of(&op)));
    assert_int_equal(f->reply.code, HF_CODE_OK);
    assert_int_equal(f->reply.approved, chain->count);
    assert_int_equal(f->reply.place, 0);
    assert_in_step(f, &twin);

    /* Every prefix of it, stopped by an operation that fails. */
    uint32_t count = chain->count;
    uint16_t offset = sizeof(*chain);
    for (uint32_t i = 0; i <= count; i++) {
        memcpy(&again, &op, sizeof(op));
        struct hf_op_chain *prefix = &operation_of(&again)->chain;
        prefix->count = (uint8_t)i;
        prefix->header.length = offset;
        prefix->header.id = new_id(f);
        link_one(prefix, make_move(f, 98, 99, 1));
        assert_false(apply(f, operation_of(&again)));
        assert_int_equal(f->reply.code, HF_CODE_UNKNOWN_ACCOUNT);
        assert_int_equal(f->reply.entry, i + 1);
        assert_in_step(f, &twin);
        if (i < count)
            offset =
                (uint16_t)(offset + ((struct hf_op_header *)(void *)&op.bytes[offset])->length);
    }
    /* Then for good, in both: the ids must be those of the first try. */
    chain->header.flags = HF_OP_RETURN_BALANCES;
    assert_plan_ok(f, &op);
    assert_plan_ok(&twin, &op);
    assert_in_step(f, &twin);
    assert_int_equal(counts_of(f).terms, 6);
    /* Of the hold of two payers 25 were captured, 20 of them from the first part; of the 15 left
     * and 10 more, all from the first, 7 went back from the last. */
    assert_balances(f, 20, 200 - 30 - 20, 10, 0);
    assert_balances(f, 31, 60, 0, 0);
    assert_int_equal(view_account(f, 30).status, HF_ACCOUNT_CLOSED);
    assert_int_equal(view_account(f, 22).status, HF_ACCOUNT_CLOSED);
    assert_true(hf_ledger_is_balanced(twin.ledger));
    close_fixture(&twin);
}

/* The same with chains that take a place: they leave their answers, and nothing else. */
static void test_a_failed_chain_leaves_its_answer(void **state)
{
    struct fixture *f = *state;
    struct fixture twin;
    struct hf_id holds[3];
    struct long_operation op;
    struct long_operation fails;

    open_fixture(&twin, &small_limits);
    open_accounts(&twin);
    prepare(f, holds);
    prepare(&twin, holds);
    struct hf_op_chain *chain = begin_chain(f, &op);
    fill_with_everything(f, chain, holds);
    memcpy(&fails, &op, sizeof(op));
    link_one(&operation_of(&fails)->chain, make_move(f, 98, 99, 1));
    assert_plan(f, &fails, HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_PAYER, (uint8_t)(chain->count + 1));
    /* The twin only refuses it: its deadline is over. Then all but that answer is the same. */
    operation_of(&fails)->header.deadline_ns = 1;
    assert_true(apply(&twin, operation_of(&fails)));
    assert_int_equal(twin.reply.code, HF_CODE_DEADLINE_PASSED);
    chain->header.id = new_id(f);
    assert_plan_ok(f, &op);
    assert_plan_ok(&twin, &op);
    for (uint64_t number = 1; number <= 40; number++) {
        struct hf_query_reply a;
        struct hf_query_reply b;
        query(f, HF_QUERY_ACCOUNT, account_id(number), &a);
        query(&twin, HF_QUERY_ACCOUNT, account_id(number), &b);
        assert_memory_equal(&a, &b, sizeof(a));
    }
    struct hf_ledger_counts counts_a = counts_of(f);
    struct hf_ledger_counts counts_b = counts_of(&twin);
    assert_memory_equal(&counts_a, &counts_b, sizeof(counts_a));
    close_fixture(&twin);
}

/* A table that a failed chain filled to the last place is as empty as before. */
static void test_tables_are_given_back(void **state)
{
    struct fixture *f = *state;
    struct long_operation op;

    for (int round = 0; round < 50; round++) {
        struct hf_op_chain *chain = begin_chain(f, &op);
        f->now_ns += 10 * NS_IN_MS;
        for (uint64_t number = 10; number < 10 + 28; number++)
            link_one(chain, make_account(f, number + (uint64_t)round * 100, 0));
        link_one(chain, make_move(f, 2, 10 + (uint64_t)round * 100, 1001));
        assert_plan(f, &op, HF_CODE_INSUFFICIENT, HF_RULE_PAYER, 29);
        assert_int_equal(counts_of(f).accounts, 4);
    }
    for (uint64_t number = 10; number < 10 + 36; number++) {
        f->now_ns += NS_IN_MS;
        assert_ok(f, make_account(f, number, 0));
    }
    assert_answer(f, make_account(f, 99, 0), HF_CODE_CAPACITY, HF_RULE_TABLE);
}

/* Many accounts 1000 + i, each below four totals of its own. */
static void open_families(struct fixture *large, uint64_t count)
{
    struct hf_ledger_limits limits = small_limits;

    limits.accounts = 2000;
    limits.terms = 2000;
    limits.remembered = 4096;
    open_fixture(large, &limits);
    open_accounts(large);
    for (uint64_t i = 0; i < count; i++) {
        for (uint64_t depth = 0; depth <= 4; depth++) {
            uint64_t number = depth < 4 ? 2000 + 10 * i + depth : 1000 + i;
            union hf_operation put = make_terms(large, number, HF_FLOOR_NONE);
            put.account_put.flags = depth < 4 ? HF_ACCOUNT_TOTAL : 0;
            if (depth > 0)
                put.account_put.parent = account_id(2000 + 10 * i + depth - 1);
            assert_ok(large, put);
        }
    }
}

/* The most accounts that a chain can change: plans to its end. */
static void test_the_longest_chain(void **state)
{
    struct fixture large;
    struct long_operation op;
    struct long_operation inner;

    (void)state;
    open_families(&large, 268);
    for (int round = 0; round < 2; round++) {
        struct hf_op_chain *chain = begin_chain(&large, &op);
        uint64_t next = 1000;
        for (uint32_t plan = 0; plan < 4; plan++) {
            struct hf_op_move_plan *move = begin_plan(&large, &inner, 32 * 3);
            for (uint32_t i = 0; i < 32; i++)
                add_source(move, next++, HF_ENTRY_FIXED, 3);
            for (uint32_t i = 0; i < 31; i++)
                add_destination(move, next++, HF_ENTRY_FIXED, 3);
            add_destination(move, next++, HF_ENTRY_REMAINING, 0);
            add_link(chain, operation_of(&inner));
        }
        struct hf_id before = hf_ledger_digest(large.ledger);
        if (round == 0) {
            chain->header.flags |= HF_OP_DRY_RUN;
            assert_false(apply(&large, operation_of(&op)));
            assert_int_equal(large.reply.code, HF_CODE_OK);
            assert_true(hf_id_equal(before, hf_ledger_digest(large.ledger)));
            continue;
        }
        assert_plan_ok(&large, &op);
    }
    for (uint64_t i = 0; i < 256; i++) {
        int64_t expected = i / 32 % 2 == 0 ? -3 : 3;
        assert_int_equal(view_account(&large, 1000 + i).posted, expected);
        assert_int_equal(view_account(&large, 2000 + 10 * i).posted, expected);
    }
    close_fixture(&large);
}

/* The most that a chain can change, and tell: captures of a hold of 32 payers, each from all of
 * them. Undoing it must have room, and so must its events. */
static void test_the_largest_chain(void **state)
{
    static struct eyes eyes;
    struct fixture large;
    struct long_operation op;

    (void)state;
    open_families(&large, 33);
    memset(&op, 0, sizeof(op));
    struct hf_op_hold_plan *hold = &operation_of(&op)->hold_plan;
    hold->header = header_of(&large, HF_OP_HOLD_PLAN);
    hold->header.length = sizeof(*hold) + 33 * sizeof(struct hf_op_entry);
    hold->plan.amount = 32 * 40;
    hold->plan.asset = USD;
    hold->plan.source_count = 32;
    hold->plan.destination_count = 1;
    hold->terms.policy = HF_HOLD_RATIO;
    for (uint64_t i = 0; i < 33; i++) {
        hold->entries[i].account = account_id(1000 + i);
        hold->entries[i].rule = i < 32 ? HF_ENTRY_FIXED : HF_ENTRY_REMAINING;
        hold->entries[i].amount = i < 32 ? 40 : 0;
    }
    struct hf_id hold_id = hold->header.id;
    assert_plan_ok(&large, &op);
    struct hf_op_chain *chain = begin_chain(&large, &op);
    for (uint32_t i = 0; i < 32; i++)
        link_one(chain, make_capture(&large, hold_id, 32, i == 31));
    struct hf_id before = hf_ledger_digest(large.ledger);
    chain->header.flags |= HF_OP_DRY_RUN;
    watch(&large, &eyes);
    assert_false(apply(&large, operation_of(&op)));
    assert_int_equal(large.reply.code, HF_CODE_OK);
    assert_int_equal(eyes.events.count, 0);
    assert_true(hf_id_equal(before, hf_ledger_digest(large.ledger)));
    chain->header.flags = HF_OP_RETURN_BALANCES;
    assert_plan_ok(&large, &op);
    assert_int_equal(eyes.events.count, 32 * (33 * 5 + 1) + 1);
    assert_true(eyes.events.count <= HF_EVENTS_MAX);
    assert_balances(&large, 1000, -32, 0, 0);
    assert_balances(&large, 2310, -32, 0, 0);
    assert_balances(&large, 1032, 32 * 32, 0, 0);
    assert_balances(&large, 2320, 32 * 32, 0, 0);
    close_fixture(&large);
}

/* ---- events ---- */

static void test_events_of_chains(void **state)
{
    static struct eyes eyes;
    struct fixture *f = *state;
    struct long_operation op;
    struct hf_op_chain *chain = begin_chain(f, &op);

    watch(f, &eyes);
    link_one(chain, make_account(f, 10, 0));
    link_one(chain, make_move(f, 2, 10, 7));
    assert_plan_ok(f, &op);
    assert_event(&eyes, 0, HF_EVENT_OPENED, 10, 0);
    assert_event(&eyes, 1, HF_EVENT_POSTED, 2, -7);
    assert_event(&eyes, 2, HF_EVENT_POSTED, 10, 7);
    assert_int_equal(eyes.events.count, 3);
    assert_int_equal(eyes.list[0].type, HF_OP_ACCOUNT_PUT);
    assert_int_equal(eyes.list[1].type, HF_OP_MOVE);
    for (int i = 0; i < 3; i++)
        assert_int_equal(eyes.list[i].place, f->reply.place);
    /* A failed one yields its refusal alone, a dry one nothing. */
    link_one(chain, make_move(f, 2, 99, 1));
    chain->header.id = new_id(f);
    assert_plan(f, &op, HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_PAYEE, 3);
    assert_int_equal(eyes.events.count, 4);
    assert_int_equal(eyes.list[3].kind, HF_EVENT_REFUSED);
    assert_true(hf_id_equal(eyes.list[3].subject, chain->header.id));
    assert_int_equal(eyes.list[3].type, HF_OP_CHAIN);
    assert_int_equal(eyes.list[3].entry, 3);
    chain = begin_chain(f, &op);
    link_one(chain, make_move(f, 2, 10, 7));
    chain->header.flags = HF_OP_DRY_RUN;
    assert_false(apply(f, operation_of(&op)));
    assert_int_equal(eyes.events.count, 4);
    hf_ledger_watch(f->ledger, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        each(test_each_sees_what_those_before_did),
        each(test_partial_counts_as_done),
        each(test_as_many_links_as_there_may_be),
        each(test_the_first_refusal_is_the_answer),
        each(test_delivery_against_payment),
        each(test_a_dry_chain_leaves_nothing),
        each(test_a_failed_chain_leaves_its_answer),
        each(test_tables_are_given_back),
        cmocka_unit_test(test_the_longest_chain),
        cmocka_unit_test(test_the_largest_chain),
        each(test_events_of_chains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
