/* Exactly once: repeats, other content, the horizon, dry runs, deadlines; and bundles, which must
 * not show. */
#include "fixture.h"

/* ---- exactly once ---- */

/* The same again: no place, no change, the same 64 bytes. */
static void assert_repeats(struct fixture *f, const union hf_operation *op,
                           const struct hf_reply *first)
{
    struct hf_id digest = hf_ledger_digest(f->ledger);
    uint64_t place = hf_ledger_place(f->ledger);

    assert_false(apply(f, op));
    assert_memory_equal(&f->reply, first, sizeof(*first));
    assert_int_equal(hf_ledger_place(f->ledger), place);
    assert_true(hf_id_equal(hf_ledger_digest(f->ledger), digest));
}

static void test_repeats_are_byte_identical(void **state)
{
    struct fixture *f = *state;
    union hf_operation ops[12];
    struct hf_reply first[12];
    size_t count = 0;

    ops[count++] = make_asset(f, EUR, "EUR");
    ops[count++] = make_account(f, 30, -7);
    ops[count++] = make_move(f, 2, 3, 10);
    ops[count++] = make_move(f, 2, 3, 100000);
    ops[count++] = make_hold(f, 2, 3, 10);
    ops[count++] = make_capture(f, ops[4].header.id, 4, false);
    ops[count++] = make_release(f, ops[4].header.id, HF_AMOUNT_ALL);
    ops[count++] = make_capture(f, ops[4].header.id, 4, false);
    ops[count++] = make_instrument(f, 70, 2);
    ops[count++] = make_auth(f, 70, 3, 5);
    ops[count++] = make_auth(f, 71, 3, 5);
    ops[count++] = make_move(f, 2, 3, 11);
    ops[11].header.deadline_ns = 1;
    for (size_t i = 0; i < count; i++) {
        assert_true(apply(f, &ops[i]));
        first[i] = f->reply;
        f->now_ns += 12345678;
    }
    for (size_t i = 0; i < count; i++) {
        assert_repeats(f, &ops[i], &first[i]);
        union hf_operation op = ops[i];
        op.header.deadline_ns = 1; /* none of these is content */
        op.header.origin = 99;
        assert_repeats(f, &op, &first[i]);
        op.header.flags |= HF_OP_DRY_RUN;
        assert_repeats(f, &op, &first[i]);

        struct hf_reply bare = first[i];
        bare.available = 0;
        bare.posted = 0;
        op.header.flags = 0;
        assert_repeats(f, &op, &bare);
    }
}

/* Not asked for the first time, asked for the second: the balances of then. */
static void test_balances_of_then(void **state)
{
    struct fixture *f = *state;
    union hf_operation op = make_move(f, 2, 3, 10);

    op.header.flags = 0;
    assert_ok(f, op);
    assert_ok(f, make_move(f, 2, 3, 10));
    op.header.flags = HF_OP_RETURN_BALANCES;
    assert_false(apply(f, &op));
    assert_money(f, 10, 990, 990);
}

static void test_duplicate_different(void **state)
{
    struct fixture *f = *state;
    union hf_operation op = make_hold(f, 2, 3, 10);
    struct hf_id id = op.header.id;

    assert_ok(f, op);
    f->now_ns += 5;
    union hf_operation others[8];
    for (int i = 0; i < 8; i++)
        others[i] = op;
    others[0].hold.payer.lo ^= 1;
    others[1].hold.payee.hi ^= UINT64_C(1) << 63;
    others[2].hold.amount ^= 1;
    others[3].hold.asset ^= 1;
    others[4].hold.reference ^= 1;
    others[5] = make_move(f, 2, 3, 10);
    others[6] = make_capture(f, id, 1, false);
    others[7] = make_auth(f, 70, 3, 10);
    for (int i = 0; i < 8; i++) {
        others[i].header.id = id;
        struct hf_id digest = hf_ledger_digest(f->ledger);
        assert_false(apply(f, &others[i]));
        assert_int_equal(f->reply.code, HF_CODE_DUPLICATE_DIFFERENT);
        assert_int_equal(f->reply.rule, HF_RULE_ID);
        assert_int_equal(f->reply.type, others[i].header.type | HF_REPLY_TYPE_BIT);
        assert_int_equal(f->reply.place, 0);
        assert_int_equal(f->reply.timestamp_ns, f->now_ns);
        assert_money(f, 0, 0, 0);
        assert_true(hf_id_equal(hf_ledger_digest(f->ledger), digest));
    }
}

static void test_horizon(void **state)
{
    struct fixture *f = *state;
    uint64_t now_ms = f->now_ns / NS_IN_MS;
    uint64_t hour_ms = 3600 * 1000;
    static const struct {
        int64_t offset_ms; /* from the floor, and from the ceiling */
        uint16_t at_floor;
        uint16_t at_ceiling;
    } rows[] = {
        {-1, HF_CODE_ID_TOO_OLD, HF_CODE_OK},
        {0, HF_CODE_OK, HF_CODE_OK},
        {1, HF_CODE_OK, HF_CODE_ID_TOO_NEW},
    };

    f->now_ns = now_ms * NS_IN_MS + NS_IN_MS - 1; /* rounded down */
    for (size_t i = 0; i < 3; i++) {
        union hf_operation op = make_move(f, 2, 3, 1);
        uint64_t time_ms = now_ms - hour_ms + (uint64_t)rows[i].offset_ms;
        op.header.id = hf_id_make_operation(time_ms, 1, i);
        assert_int_equal(apply(f, &op), rows[i].at_floor == HF_CODE_OK);
        assert_int_equal(f->reply.code, rows[i].at_floor);
        op.header.id = hf_id_make_operation(now_ms + 60000 + (uint64_t)rows[i].offset_ms, 1, i);
        assert_int_equal(apply(f, &op), rows[i].at_ceiling == HF_CODE_OK);
        assert_int_equal(f->reply.code, rows[i].at_ceiling);
        assert_int_equal(f->reply.rule,
                         rows[i].at_ceiling == HF_CODE_OK ? HF_RULE_NONE : HF_RULE_ID);
    }
    assert_int_equal(counts_of(f).floor_ms, now_ms - hour_ms);

    /* Remembered answers stay usable however old they are. */
    union hf_operation op = make_move(f, 2, 3, 1);
    assert_ok(f, op);
    struct hf_reply first = f->reply;
    f->now_ns += 2 * hour_ms * NS_IN_MS;
    assert_repeats(f, &op, &first);
    op.header.id.lo += 1000;
    assert_false(apply(f, &op));
    assert_int_equal(f->reply.code, HF_CODE_ID_TOO_OLD);
}

/* When the memory is full the oldest answer goes, and the floor rises over its id. */
static void test_forgetting_raises_the_floor(void **state)
{
    struct fixture *f = *state;
    uint64_t now_ms = f->now_ns / NS_IN_MS;
    union hf_operation early = make_move(f, 2, 3, 1);
    union hf_operation late = make_move(f, 2, 3, 2);
    union hf_operation open_hold = make_hold(f, 2, 3, 3);

    early.header.id = hf_id_make_operation(now_ms - 5000, 0, 1);
    late.header.id = hf_id_make_operation(now_ms + 5000, 0, 1);
    open_hold.header.id = hf_id_make_operation(now_ms - 4000, 0, 1);
    assert_ok(f, early);
    assert_ok(f, open_hold);
    struct hf_reply hold_reply = f->reply;
    assert_ok(f, late);
    uint64_t before = hf_ledger_place(f->ledger);
    assert_int_equal(counts_of(f).remembered, before);

    f->now_ns += 10000 * NS_IN_MS;
    while (hf_ledger_place(f->ledger) < before + 64 - 1)
        assert_ok(f, make_move(f, 3, 2, 1));
    assert_int_equal(counts_of(f).remembered, 64);
    assert_int_equal(counts_of(f).floor_ms, now_ms + 1); /* of all but late, which is still there */
    assert_false(apply(f, &early));
    assert_int_equal(f->reply.code, HF_CODE_ID_TOO_OLD);
    assert_repeats(f, &open_hold, &hold_reply); /* its hold remembers it */
    assert_false(apply(f, &late));
    assert_int_equal(f->reply.code, HF_CODE_OK);
    assert_ok(f, make_move(f, 3, 2, 1));
    assert_int_equal(counts_of(f).floor_ms, now_ms + 5001);
    assert_false(apply(f, &late));
    assert_int_equal(f->reply.code, HF_CODE_ID_TOO_OLD);
    assert_int_equal(f->reply.place, 0);
    assert_repeats(f, &open_hold, &hold_reply);
    open_hold.hold.amount++;
    assert_false(apply(f, &open_hold));
    assert_int_equal(f->reply.code, HF_CODE_DUPLICATE_DIFFERENT);
    struct hf_query_reply view;
    query(f, HF_QUERY_OPERATION, open_hold.header.id, &view);
    assert_memory_equal(&view.view.operation, &hold_reply, sizeof(hold_reply));
}

static void test_dry_run(void **state)
{
    struct fixture *f = *state;

    assert_ok(f, make_instrument(f, 70, 2));
    assert_ok(f, make_hold(f, 2, 3, 10));
    struct hf_id hold = f->reply.id;
    union hf_operation ops[] = {
        make_asset(f, EUR, "EUR"),      make_account(f, 30, -7),    make_account(f, 2, 5),
        make_move(f, 2, 3, 10),         make_move(f, 2, 3, 100000), make_hold(f, 2, 3, 10),
        make_capture(f, hold, 4, true), make_release(f, hold, 3),   make_instrument(f, 71, 2),
        make_instrument(f, 70, 3),      make_auth(f, 70, 3, 5),
    };
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        struct hf_id digest = hf_ledger_digest(f->ledger);
        ops[i].header.flags |= HF_OP_DRY_RUN;
        assert_false(apply(f, &ops[i]));
        struct hf_reply dry = f->reply;
        assert_int_equal(dry.place, 0);
        assert_int_equal(dry.timestamp_ns, f->now_ns);
        assert_true(hf_id_equal(hf_ledger_digest(f->ledger), digest));

        ops[i].header.flags = HF_OP_RETURN_BALANCES; /* the same id, in earnest */
        assert_true(apply(f, &ops[i]));
        dry.place = f->reply.place;
        assert_memory_equal(&f->reply, &dry, sizeof(dry));
    }
}

static void test_deadline(void **state)
{
    struct fixture *f = *state;
    union hf_operation op = make_move(f, 2, 3, 1);

    op.header.deadline_ns = f->now_ns - 1;
    assert_answer(f, op, HF_CODE_DEADLINE_PASSED, HF_RULE_DEADLINE);
    assert_money(f, 0, 0, 0);
    op.header.deadline_ns = f->now_ns + 100;
    assert_false(apply(f, &op)); /* it has been answered */
    assert_int_equal(f->reply.code, HF_CODE_DEADLINE_PASSED);
    op = make_move(f, 2, 3, 1);
    op.header.deadline_ns = f->now_ns;
    assert_ok(f, op);
    op = make_move(f, 2, 3, 1);
    op.header.deadline_ns = f->now_ns - 1;
    op.header.flags |= HF_OP_DRY_RUN;
    assert_false(apply(f, &op));
    assert_int_equal(f->reply.code, HF_CODE_DEADLINE_PASSED);
    assert_balances(f, 2, 999, 0, 0);
}

/* ---- bundles ---- */

/* What a later operation of a bundle needs, an earlier one may make: the passes before must not
 * matter. */
static void test_bundle_feeds_itself(void **state)
{
    struct fixture *f = *state;
    union hf_operation ops[12];
    const union hf_operation *bundle[12];
    struct hf_reply replies[12];
    uint32_t count = 0;

    ops[count++] = make_asset(f, EUR, "EUR");
    ops[count++] = make_account(f, 31, HF_FLOOR_NONE);
    ops[count++] = make_account(f, 32, 0);
    ops[1].account_put.asset = EUR;
    ops[2].account_put.asset = EUR;
    ops[count++] = make_move(f, 31, 32, 50);
    ops[3].move.asset = EUR;
    ops[count++] = make_instrument(f, 70, 32);
    ops[count++] = make_auth(f, 70, 31, 20);
    ops[5].auth.asset = EUR;
    ops[count++] = make_capture(f, ops[5].header.id, 15, true);
    ops[count++] = make_move(f, 32, 31, 36); /* one too many */
    ops[7].move.asset = EUR;
    ops[count++] = ops[3]; /* a repeat */
    ops[count++] = ops[3];
    ops[9].header.id = new_id(f);
    ops[9].header.flags |= HF_OP_DRY_RUN;
    ops[count++] = make_move(f, 32, 31, 35);
    ops[10].move.asset = EUR;
    ops[count++] = make_capture(f, ops[5].header.id, 1, true);
    for (uint32_t i = 0; i < count; i++)
        bundle[i] = &ops[i];
    uint64_t place = hf_ledger_place(f->ledger);
    uint64_t placed = hf_ledger_apply(f->ledger, f->now_ns, bundle, count, replies);

    assert_int_equal(placed, 0xcff); /* neither the repeat nor the dry run */
    static const uint16_t codes[12] = {[7] = HF_CODE_INSUFFICIENT, [11] = HF_CODE_HOLD_RESOLVED};
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(replies[i].code, codes[i]);
        if ((placed >> i & 1) != 0)
            assert_int_equal(replies[i].place, ++place);
    }
    assert_int_equal(hf_ledger_place(f->ledger), place);
    assert_memory_equal(&replies[8], &replies[3], sizeof(replies[3]));
    assert_balances(f, 32, 0, 0, 0);
    assert_balances(f, 31, 0, 0, 0);
    assert_int_equal(hf_ledger_apply(f->ledger, f->now_ns, bundle, 0, replies), 0);
}

static union hf_operation random_operation(struct fixture *f, uint64_t *seed,
                                           const struct hf_id *known)
{
    uint64_t a = 1 + next_random(seed) % 6;
    uint64_t b = 1 + next_random(seed) % 6;
    uint64_t amount = 1 + next_random(seed) % 400;
    union hf_operation op;

    switch (next_random(seed) % 8) {
    case 0:
        return make_account(f, a, a == 1 ? HF_FLOOR_NONE : -(int64_t)(next_random(seed) % 500));
    case 1:
        return make_hold(f, a, b, amount);
    case 2:
        return make_capture(f, *known, next_random(seed) % 2 ? HF_AMOUNT_ALL : amount, amount & 1);
    case 3:
        return make_release(f, *known, next_random(seed) % 2 ? HF_AMOUNT_ALL : amount);
    case 4:
        op = make_instrument(f, 70 + a, b);
        op.instrument_put.remaining = next_random(seed) % 4;
        return op;
    case 5:
        return make_auth(f, 70 + a, b, amount - 1);
    default:
        return make_move(f, a, b, amount);
    }
}

/* A stream of operations gives the same answers and the same state in bundles of any size. */
static void test_bundles_do_not_show(void **state)
{
    enum { OPERATIONS = 20000 };
    static union hf_operation ops[OPERATIONS];
    static struct hf_reply single[OPERATIONS];
    struct fixture one;
    struct fixture many;
    uint64_t seed = 31;
    uint64_t sizes = 32;

    (void)state;
    print_message("seeds 31, 32\n");
    open_fixture(&one, &small_limits);
    open_fixture(&many, &small_limits);
    for (uint32_t i = 0; i < OPERATIONS; i++) {
        const struct hf_id known = ops[i < 20 ? 0 : i - 1 - next_random(&seed) % 20].header.id;
        if (i == 0)
            ops[i] = make_asset(&one, USD, "USD");
        else if (i <= 6)
            ops[i] = make_account(&one, i, i == 1 ? HF_FLOOR_NONE : 0);
        else if (next_random(&seed) % 16 == 0)
            ops[i] = ops[i - 1 - next_random(&seed) % (i < 80 ? i : 80)];
        else
            ops[i] = random_operation(&one, &seed,
                                      hf_id_is_reserved(known) ? &ops[0].header.id : &known);
        if (next_random(&seed) % 16 == 0)
            ops[i].header.flags ^= HF_OP_DRY_RUN;
    }
    uint32_t next = 0;
    while (next < OPERATIONS) {
        const union hf_operation *bundle[HF_BUNDLE_OPERATIONS_MAX];
        struct hf_reply replies[HF_BUNDLE_OPERATIONS_MAX];
        uint32_t count = 1 + (uint32_t)(next_random(&sizes) % HF_BUNDLE_OPERATIONS_MAX);
        if (count > OPERATIONS - next)
            count = OPERATIONS - next;
        uint64_t placed = 0;
        for (uint32_t i = 0; i < count; i++) {
            bundle[i] = &ops[next + i];
            placed |= hf_ledger_apply(one.ledger, one.now_ns, &bundle[i], 1, &single[next + i])
                      << i;
        }
        assert_int_equal(hf_ledger_apply(many.ledger, one.now_ns, bundle, count, replies), placed);
        assert_memory_equal(replies, &single[next], count * sizeof(replies[0]));
        one.now_ns += next_random(&sizes) % 1000000;
        next += count;
    }
    assert_true(hf_id_equal(hf_ledger_digest(one.ledger), hf_ledger_digest(many.ledger)));
    assert_true(hf_ledger_is_balanced(one.ledger));
    close_fixture(&one);
    close_fixture(&many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        each(test_repeats_are_byte_identical),
        each(test_balances_of_then),
        each(test_duplicate_different),
        each(test_horizon),
        each(test_forgetting_raises_the_floor),
        each(test_dry_run),
        each(test_deadline),
        each(test_bundle_feeds_itself),
        cmocka_unit_test(test_bundles_do_not_show),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
