/* What the order poller does of its own accord, and operations longer than most: a node's pollers
 * by hand, on a simulated network. */
#include "poller_world.h"

#define S UINT64_C(1000000000)

#define PLAN_ENTRIES 42 /* as many as fit a datagram of 1,472 bytes */
#define PLAN_LENGTH  (sizeof(struct hf_op_move_plan) + PLAN_ENTRIES * sizeof(struct hf_op_entry))
#define PLANS_EACH   (BUNDLE_BYTES / PLAN_LENGTH) /* in a bundle */

/* Puts money into the wallet and makes `count` holds of 1 that expire at this time. */
static void make_holds(struct world *world, uint32_t count, uint64_t expires_ns)
{
    union hf_operation op = world_move(world, 100000);

    world_send(world, 0, &op, 1, 1);
    world_settle(world);
    world_forget_answers();
    for (uint32_t i = 0; i < count; i++) {
        op = (union hf_operation){.hold = {.payer = {WALLET, 0},
                                           .payee = {ISSUER, 0},
                                           .amount = 1,
                                           .asset = ASSET,
                                           .expires_ns = expires_ns}};
        op.header = world_move(world, 1).header;
        op.header.length = sizeof op.hold;
        op.header.type = HF_OP_HOLD;
        world_send(world, 0, &op, 1, 1);
        world_settle(world);
    }
    assert_int_equal(answers[0].count, count);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(answers[0].replies[i].reply.code, HF_CODE_OK);
    world_forget_answers();
}

static uint64_t open_holds(const struct world *world)
{
    struct hf_ledger_counts counts;

    hf_ledger_count(world->ledger, &counts);
    return counts.holds_open;
}

/* Makes log time be `later_ns` later than it would be. */
static void advance(struct world *world, uint64_t later_ns)
{
    world->mailbox.request = MAILBOX_ADVANCE;
    world->mailbox.advance_ns = later_ns;
    atomic_store(&world->mailbox.state, MAILBOX_ASKED);
}

/* Idle, the order poller ends what is due: at most one EXPIRE before each bundle, logged under an
 * id of its own, in places like all others. */
static void test_idle_expiry(void **state)
{
    enum { HOLDS = HF_EXPIRIES_MAX + 6 };
    struct world *world = world_make(8);
    uint64_t far_ns = (world->id_time_ms + 3600000) * 1000000;
    struct hf_log_batch *batch;

    (void)state;
    make_holds(world, HOLDS, far_ns);
    assert_int_equal(open_holds(world), HOLDS);
    assert_int_equal(orderer_poll(&world->orderer), 0);
    assert_int_equal(atomic_load(&world->orderer.expire_operations), 0);

    uint64_t place = hf_ledger_place(world->ledger);
    advance(world, 7200 * S);
    uint32_t polls = 0;
    while (atomic_load(&world->orderer.expire_operations) == 0) {
        orderer_poll(&world->orderer);
        assert_true(++polls < 10000);
    }
    assert_int_equal(world->mailbox.clock_ahead_ns, 7200 * S);
    atomic_store(&world->mailbox.state, MAILBOX_EMPTY);
    assert_int_equal(hf_ledger_place(world->ledger), place + 1);
    assert_int_equal(open_holds(world), HOLDS - atomic_load(&world->orderer.expired));
    assert_true(hf_ledger_timestamp_ns(world->ledger) >= far_ns);

    batch = ring_get(world->rings[6]);
    assert_non_null(batch);
    assert_int_equal(batch->count, 1);
    assert_int_equal(batch->first_place, place + 1);
    const union hf_operation *logged = (const void *)(batch->bytes + HF_RECORD_HEADER_SIZE);
    assert_int_equal(logged->header.type, HF_OP_EXPIRE);
    assert_int_equal(logged->header.origin, 0);
    assert_int_equal(logged->header.id.hi >> 16, batch->timestamp_ns / 1000000);
    assert_int_equal(logged->header.id.hi >> 12 & 0xf, 7);
    assert_int_equal(logged->header.id.lo >> 62, 2);
    assert_int_equal(hf_operation_check(logged, batch->length - HF_RECORD_HEADER_SIZE).code,
                     HF_CODE_OK);
    assert_true(ring_put(world->rings[6], batch));

    for (polls = 0; open_holds(world) != 0; polls++) {
        assert_true(polls < 10000);
        orderer_poll(&world->orderer);
        world_settle(world);
    }
    assert_int_equal(atomic_load(&world->orderer.expired), HOLDS);
    assert_true(atomic_load(&world->orderer.expire_operations) >= 2);
    assert_int_equal(world_posted(world, WALLET), 100000);
    world_assert_all_home(world);
    world_destroy(world);
}

/* A crowd that ends together: bundles are served between the EXPIREs. */
static void test_expiry_stalls_nobody(void **state)
{
    enum { HOLDS = 5 * HF_EXPIRIES_MAX };
    struct world *world = world_make(32);

    (void)state;
    make_holds(world, HOLDS, (world->id_time_ms + 3600000) * 1000000);
    world->orderer.clock_ahead_ns = 3590 * S; /* ids may be a minute ahead, and an hour old */
    world->id_time_ms += 3600000;
    orderer_poll(&world->orderer); /* no bundle, and nothing due */
    world_settle(world);
    world->orderer.clock_ahead_ns += 20 * S;
    uint64_t before = atomic_load(&world->orderer.expire_operations);
    for (uint32_t i = 0; i < 10; i++) {
        union hf_operation op = world_move(world, 1);
        world_send(world, 0, &op, 1, 1);
        receiver_poll(&world->receiver); /* ten bundles of one each */
    }
    uint64_t bundles = atomic_load(&world->orderer.bundles);
    orderer_poll(&world->orderer);
    bundles = atomic_load(&world->orderer.bundles) - bundles;
    uint64_t expires = atomic_load(&world->orderer.expire_operations) - before;
    assert_true(bundles >= 8);
    assert_true(expires <= bundles + 1);
    for (uint32_t i = 0; open_holds(world) != 0; i++) {
        assert_true(i < 10000);
        orderer_poll(&world->orderer);
        world_settle(world);
    }
    world_settle(world);
    assert_int_equal(answers[0].count, 10);
    world_assert_all_home(world);
    world_destroy(world);
}

/* Without room in the log, and once the node ends, nothing expires. */
static void test_no_expiry(void **state)
{
    struct world *world = world_make(8);

    (void)state;
    make_holds(world, 3, (world->id_time_ms + 3600000) * 1000000);
    world->orderer.clock_ahead_ns = 7200 * S;
    atomic_store(&world->logger.full, true);
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(orderer_poll(&world->orderer), 0);
    atomic_store(&world->logger.full, false);
    atomic_store(&world->stopping, true);
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(orderer_poll(&world->orderer), 0);
    assert_int_equal(open_holds(world), 3);
    atomic_store(&world->stopping, false);
    for (uint32_t i = 0; open_holds(world) != 0; i++) {
        assert_true(i < 1000);
        orderer_poll(&world->orderer);
        world_settle(world);
    }
    assert_int_equal(atomic_load(&world->orderer.expired), 3);
    world_destroy(world);
}

/* One plan that gives 1 to the wallet, and whose other entries take part without an effect. */
static void send_plan(struct world *world, uint32_t client)
{
    union {
        struct hf_op_move_plan plan;
        union hf_operation operation;
        uint8_t bytes[PLAN_LENGTH];
    } made = {.plan = {.plan = {.amount = 1,
                                .asset = ASSET,
                                .source_count = 20,
                                .destination_count = PLAN_ENTRIES - 20}}};
    uint8_t buffer[1472];
    struct hf_wire_writer writer;

    made.plan.header = world_move(world, 1).header;
    made.plan.header.length = PLAN_LENGTH;
    made.plan.header.type = HF_OP_MOVE_PLAN;
    for (uint32_t i = 0; i < PLAN_ENTRIES; i++)
        made.plan.entries[i] = (struct hf_op_entry){
            .account = {i == 0                  ? ISSUER
                        : i == PLAN_ENTRIES - 1 ? WALLET
                                                : 5000 + i,
                        0},
            .rule = i == 0 || i == PLAN_ENTRIES - 1 ? HF_ENTRY_FIXED : HF_ENTRY_UP_TO,
            .amount = 1,
        };
    hf_wire_begin(&writer, buffer, sizeof buffer);
    assert_true(hf_wire_add(&writer, &made, PLAN_LENGTH));
    world_send_bytes(world, client, buffer, hf_wire_finish(&writer, 0, 1, 0));
}

static uint32_t count_code(uint16_t code)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < CLIENTS; i++) {
        for (uint32_t k = 0; k < answers[i].count; k++)
            count += answers[i].replies[k].reply.code == code;
    }
    return count;
}

/* Long operations fill a bundle's arena before its places: the next one takes them on; without one
 * they wait, and what may not wait is BUSY. What was taken is in the batches byte for byte, more
 * than one. */
static void test_long_operations(void **state)
{
    enum { BUNDLES = 4, SENT = 60 };
    struct world *world = world_make(BUNDLES);
    uint64_t batches = atomic_load(&world->orderer.batch_count);

    (void)state;
    _Static_assert(PLANS_EACH * BUNDLES < SENT, "more than there is room for");
    for (uint32_t i = 0; i < SENT; i++)
        send_plan(world, i % CLIENTS);
    while (receiver_poll(&world->receiver) != 0)
        continue;
    world_settle(world);
    /* The plans' other accounts do not exist: each is refused, and has taken its place. */
    uint32_t taken = count_code(HF_CODE_UNKNOWN_ACCOUNT);
    uint32_t waited = (uint32_t)atomic_load(&world->receiver.lined_up);
    assert_true(waited > 0);
    assert_in_range(taken - waited, (BUNDLES - 1) * (PLANS_EACH - 1), BUNDLES * PLANS_EACH);
    assert_int_equal(taken + count_code(HF_CODE_BUSY), SENT);
    assert_int_equal(atomic_load(&world->receiver.busy), SENT - taken);
    assert_int_equal(hf_ledger_place(world->ledger), 3 + taken);
    assert_true(atomic_load(&world->orderer.batch_count) > batches);
    world_assert_all_home(world);
    world_destroy(world);
}

/* With every batch at the log, a bundle that does not fit the last one waits, and nothing is lost.
 */
static void test_a_bundle_waits_for_room(void **state)
{
    struct world *world = world_make(BUNDLES_MAX);
    uint32_t sent = 0;
    uint32_t polls = 0;

    (void)state;
    while (world->orderer.waiting == NULL) {
        send_plan(world, sent++ % CLIENTS);
        receiver_poll(&world->receiver);
        orderer_poll(&world->orderer);
        assert_true(++polls < 1000);
    }
    assert_int_equal(world->orderer.at_log, DEPTH);
    assert_true(orderer_is_pending(&world->orderer));
    uint64_t place = hf_ledger_place(world->ledger);
    orderer_poll(&world->orderer);
    assert_int_equal(hf_ledger_place(world->ledger), place);
    world_settle(world);
    assert_null(world->orderer.waiting);
    assert_int_equal(count_code(HF_CODE_UNKNOWN_ACCOUNT), sent);
    assert_int_equal(hf_ledger_place(world->ledger), 3 + sent);
    world_assert_all_home(world);
    world_destroy(world);
}

/* A flood of questions: no operation waits for more than a few of them, none finds the bundles all
 * taken, and each question is answered. */
static void test_operations_pass_by_queries(void **state)
{
    enum { QUERIES = 16, DATAGRAMS = 60 };
    struct world *world = world_make(32);
    union hf_operation ops[QUERIES];

    (void)state;
    for (uint32_t i = 0; i < DATAGRAMS; i++) {
        for (uint32_t k = 0; k < QUERIES; k++)
            ops[k] = world_query(world, WALLET);
        world_send(world, 0, ops, QUERIES, 1);
    }
    while (receiver_poll(&world->receiver) != 0)
        continue;
    assert_true(world->receiver.askers.waiting != 0);
    assert_int_equal(world->receiver.lines.waiting, 0);

    uint64_t operations = atomic_load(&world->orderer.operations);
    for (uint64_t i = 1; i <= 10; i++) {
        uint64_t queries = atomic_load(&world->orderer.queries);
        ops[0] = world_move(world, 1);
        world_send(world, 1, ops, 1, 2);
        receiver_poll(&world->receiver);
        orderer_poll(&world->orderer);
        logger_poll(&world->logger);
        transmitter_poll(&world->transmitter);
        assert_int_equal(atomic_load(&world->orderer.operations), operations + i);
        queries = atomic_load(&world->orderer.queries) - queries;
        assert_true(queries >= 1);
        assert_true(queries <= 4 * BUNDLE_EXTRAS_MAX);
    }
    assert_int_equal(atomic_load(&world->receiver.busy), 0);
    world_settle(world);
    assert_int_equal(answers[0].count, DATAGRAMS * QUERIES);
    assert_int_equal(answers[1].count, 10);
    world_assert_all_home(world);
    world_destroy(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_idle_expiry),
        cmocka_unit_test(test_expiry_stalls_nobody),
        cmocka_unit_test(test_no_expiry),
        cmocka_unit_test(test_long_operations),
        cmocka_unit_test(test_a_bundle_waits_for_room),
        cmocka_unit_test(test_operations_pass_by_queries),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
