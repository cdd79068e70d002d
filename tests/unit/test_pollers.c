/* The pollers of a node, driven by hand in one thread: receiver, orderer, logger and transmitter
 * with a simulated port and the real ledger. Who polls when is the test's choice, so every promise
 * about what is answered, how often and not before when can be seen at the step where it is kept.
 */
#include "poller_world.h"

#include <unistd.h>

/* ---- answers and the log */

/* I6: an answer leaves when committed_batch has reached its record, and not one step earlier. */
static void test_answers_wait_for_their_record(void **state)
{
    struct world *world = world_make(8);
    uint64_t committed = atomic_load(&world->logger.committed_batch);
    union hf_operation first = world_move(world, 100);
    union hf_operation second = world_move(world, 200);

    (void)state;
    world_send(world, 0, &first, 1, 7);
    assert_int_equal(receiver_poll(&world->receiver), 1);
    assert_int_equal(orderer_poll(&world->orderer), 2); /* a bundle, and the batch it filled */
    world_send(world, 1, &second, 1, 8);
    assert_int_equal(receiver_poll(&world->receiver), 1);
    assert_int_equal(orderer_poll(&world->orderer), 2);
    assert_int_equal(world_posted(world, WALLET), 300); /* applied, and shown to nobody */
    for (int i = 0; i < 3; i++)
        assert_int_equal(transmitter_poll(&world->transmitter), 0);
    assert_true(transmitter_is_pending(&world->transmitter));
    world_collect(world);
    assert_int_equal(answers[0].count + answers[1].count, 0);

    atomic_store(&world->logger.committed_batch, committed + 1);
    assert_int_equal(transmitter_poll(&world->transmitter), 1);
    world_collect(world);
    assert_int_equal(answers[0].count, 1);
    assert_int_equal(answers[1].count, 0);
    assert_int_equal(answers[0].sessions[0], 7);
    assert_true(hf_id_equal(answers[0].replies[0].reply.id, first.header.id));

    atomic_store(&world->logger.committed_batch, committed + 2);
    assert_int_equal(transmitter_poll(&world->transmitter), 1);
    world_collect(world);
    assert_int_equal(answers[1].count, 1);
    assert_int_equal(answers[1].replies[0].reply.place, answers[0].replies[0].reply.place + 1);
    assert_false(transmitter_is_pending(&world->transmitter));
    world_destroy(world);
}

/* A question is answered from what it saw, and not before that is durable. */
static void test_queries_show_what_is_durable(void **state)
{
    struct world *world = world_make(8);
    uint64_t committed = atomic_load(&world->logger.committed_batch);
    union hf_operation ops[2];

    (void)state;
    /* Nothing under way: at once, without any log record. */
    ops[0] = world_query(world, WALLET);
    world_send(world, 0, ops, 1, 1);
    receiver_poll(&world->receiver);
    assert_int_equal(orderer_poll(&world->orderer), 1);
    assert_int_equal(transmitter_poll(&world->transmitter), 1);
    world_collect(world);
    assert_int_equal(answers[0].count, 1);
    assert_int_equal(answers[0].replies[0].view.account.posted, 0);

    /* Behind a transfer, in the same datagram and in one of its own: sees it, and waits for it. */
    ops[0] = world_move(world, 100);
    ops[1] = world_query(world, WALLET);
    world_send(world, 0, ops, 2, 1);
    receiver_poll(&world->receiver);
    orderer_poll(&world->orderer);
    ops[0] = world_query(world, WALLET);
    world_send(world, 1, ops, 1, 1);
    receiver_poll(&world->receiver);
    assert_int_equal(orderer_poll(&world->orderer), 1);
    transmitter_poll(&world->transmitter);
    world_collect(world);
    assert_int_equal(answers[0].count, 1);
    assert_int_equal(answers[1].count, 0);
    atomic_store(&world->logger.committed_batch, committed + 1);
    assert_int_equal(transmitter_poll(&world->transmitter), 3);
    world_collect(world);
    assert_int_equal(answers[0].count, 3);
    assert_int_equal(answers[0].replies[2].view.account.posted, 100);
    assert_int_equal(answers[1].count, 1);
    assert_int_equal(answers[1].replies[0].view.account.posted, 100);
    assert_int_equal(answers[1].replies[0].reply.length, 192);
    assert_int_equal(answers[1].replies[0].reply.place, 4);
    world_destroy(world);
}

/* What took a place lies in the batches, in the order of places, and nothing else does. */
static void test_batches_hold_what_took_a_place(void **state)
{
    struct world *world = world_make(8);
    union hf_operation ops[5];
    struct hf_log_batch *batch;
    const union hf_operation *logged;
    uint32_t offset = 0;

    (void)state;
    ops[0] = world_move(world, 1);
    ops[1] = world_move(world, 2);
    ops[1].header.flags = HF_OP_DRY_RUN;
    ops[2] = ops[0]; /* a repeat */
    ops[3] = world_query(world, WALLET);
    ops[4] = world_move(world, 5);
    ops[4].header.deadline_ns = 1; /* a refusal takes a place, too */
    world_send(world, 0, ops, 5, 1);
    receiver_poll(&world->receiver);
    orderer_poll(&world->orderer);
    batch = ring_get(world->rings[6]);
    assert_non_null(batch);
    assert_int_equal(batch->count, 2);
    assert_int_equal(batch->first_place, 4);
    ((struct hf_record_header *)(void *)batch->bytes)->length = batch->length;
    ((struct hf_record_header *)(void *)batch->bytes)->count = batch->count;
    logged = hf_record_next((const void *)batch->bytes, &offset);
    assert_memory_equal(logged, &ops[0], ops[0].header.length);
    logged = hf_record_next((const void *)batch->bytes, &offset);
    assert_memory_equal(logged, &ops[4], ops[4].header.length);
    assert_null(hf_record_next((const void *)batch->bytes, &offset));
    assert_int_equal(atomic_load(&world->orderer.repeats), 2);
    assert_true(ring_put(world->rings[6], batch));
    world_settle(world);
    assert_int_equal(answers[0].count, 5);
    world_assert_all_home(world);
    world_destroy(world);
}

/* With all batches at the log the orderer fills the last one and then takes no more; the receiver
 * says BUSY when the bundles run out. Nothing that was accepted is lost. */
static void test_a_log_that_stands_still(void **state)
{
    struct world *world = world_make(32);
    uint32_t sent = 0;
    uint32_t ok = 0;
    uint32_t busy = 0;

    (void)state;
    while (atomic_load(&world->receiver.busy) < 50) {
        union hf_operation ops[16];
        for (uint32_t i = 0; i < 16; i++)
            ops[i] = world_move(world, 1);
        world_send(world, sent / 16 % CLIENTS, ops, 16, 1);
        sent += 16;
        receiver_poll(&world->receiver);
        orderer_poll(&world->orderer);
        transmitter_poll(&world->transmitter);
        assert_true(sent < 10000);
    }
    assert_int_equal(world->orderer.at_log, DEPTH);
    world_collect(world);
    world_settle(world);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        for (uint32_t k = 0; k < answers[i].count; k++) {
            ok += answers[i].replies[k].reply.code == HF_CODE_OK;
            busy += answers[i].replies[k].reply.code == HF_CODE_BUSY;
        }
    }
    assert_int_equal(ok + busy, sent);
    assert_int_equal(busy, atomic_load(&world->receiver.busy));
    assert_int_equal(world_posted(world, WALLET), ok);
    world_assert_all_home(world);
    world_destroy(world);
}

/* The log has no room: operations get BUSY/LOG, questions are answered; with room all is as before.
 */
static void test_a_full_log(void **state)
{
    struct world *world = world_make(8);
    union hf_operation ops[2];

    (void)state;
    atomic_store(&world->logger.full, true);
    ops[0] = world_move(world, 100);
    ops[1] = world_query(world, WALLET);
    world_send(world, 0, ops, 2, 1);
    world_settle(world);
    assert_int_equal(answers[0].count, 2);
    world_assert_verdict(&answers[0].replies[0].reply, HF_CODE_BUSY, HF_RULE_LOG);
    assert_int_equal(answers[0].replies[0].reply.place, 0);
    world_assert_verdict(&answers[0].replies[1].reply, HF_CODE_OK, HF_RULE_NONE);
    assert_int_equal(answers[0].replies[1].view.account.posted, 0);
    assert_int_equal(atomic_load(&world->orderer.busy), 1);
    atomic_store(&world->logger.full, false);
    world_send(world, 0, ops, 2, 1);
    world_settle(world);
    world_assert_verdict(&answers[0].replies[2].reply, HF_CODE_OK, HF_RULE_NONE);
    assert_int_equal(answers[0].replies[3].view.account.posted, 100);
    world_assert_all_home(world);
    world_destroy(world);
}

/* ---- floods */

struct tally {
    uint32_t ok;
    uint32_t busy;
};

/* Counts the answers to operations[0..count), whose ids run from `first`; each must have exactly
 * one. Leaves those that got BUSY at the front and returns how many they are. */
static uint32_t sort_answers(struct world *world, union hf_operation operations[], uint32_t count,
                             struct tally *tally)
{
    static uint16_t seen[ANSWERS_MAX];
    uint32_t left = 0;
    uint64_t first = operations[0].header.id.lo;

    (void)world;
    memset(seen, 0xff, sizeof seen);
    for (uint32_t i = 0; i < count; i++)
        first = operations[i].header.id.lo < first ? operations[i].header.id.lo : first;
    for (uint32_t i = 0; i < CLIENTS; i++) {
        for (uint32_t k = 0; k < answers[i].count; k++) {
            const struct hf_reply *reply = &answers[i].replies[k].reply;
            uint64_t number = reply->id.lo - first;
            assert_true(number < ANSWERS_MAX);
            if (seen[number] != UINT16_MAX)
                fail_msg("operation %llu was answered twice", (unsigned long long)number);
            seen[number] = reply->code;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        uint16_t code = seen[operations[i].header.id.lo - first];
        if (code != HF_CODE_OK && code != HF_CODE_BUSY)
            fail_msg("operation %u has answer %u", i, code);
        tally->ok += code == HF_CODE_OK;
        tally->busy += code == HF_CODE_BUSY;
        if (code == HF_CODE_BUSY)
            operations[left++] = operations[i];
    }
    return left;
}

static void send_flood(struct world *world, const union hf_operation operations[], uint32_t count)
{
    for (uint32_t at = 0; at < count; at += 16) {
        uint32_t some = count - at < 16 ? count - at : 16;
        world_send(world, at / 16 % CLIENTS, operations + at, some, at / 16 % CLIENTS);
    }
}

/* Ten times what the bundles hold, from eight clients at once: each operation is answered exactly
 * once, with OK or BUSY; what got OK was carried out, what got BUSY was not, and sent again until
 * it is OK every one is carried out once. */
static void test_flood(void **state)
{
    enum { FLOOD = 10 * 4 * HF_BUNDLE_OPERATIONS_MAX };
    static union hf_operation operations[FLOOD];
    struct world *world = world_make(4);
    uint32_t left = FLOOD;
    uint32_t rounds = 0;
    bool was_busy = false;

    (void)state;
    for (uint32_t i = 0; i < FLOOD; i++)
        operations[i] = world_move(world, 1);
    while (left != 0) {
        struct tally tally = {0, 0};
        uint32_t before = (uint32_t)world_posted(world, WALLET);
        send_flood(world, operations, left);
        /* The receiver runs ahead of everybody else: only the transmitter keeps up with it. */
        while (receiver_poll(&world->receiver) != 0)
            transmitter_poll(&world->transmitter);
        world_settle(world);
        left = sort_answers(world, operations, left, &tally);
        assert_int_equal(world_posted(world, WALLET) - before, tally.ok);
        assert_true(tally.ok > 0);
        was_busy = was_busy || tally.busy > 0;
        world_forget_answers();
        world_assert_all_home(world);
        assert_true(++rounds <= 20);
    }
    assert_true(was_busy);
    assert_int_equal(world_posted(world, WALLET), FLOOD);
    assert_int_equal(atomic_load(&world->receiver.unanswered), 0);
    world_destroy(world);
}

/* When not even BUSY can be said (the transmitter stands still) the rest is counted and dropped:
 * answered and unanswered add up to what was sent. */
static void test_flood_without_transmitter(void **state)
{
    enum { FLOOD = 4000 };
    static union hf_operation operations[FLOOD];
    struct world *world = world_make(4);
    uint32_t answered = 0;
    uint32_t ok = 0;

    (void)state;
    for (uint32_t i = 0; i < FLOOD; i++)
        operations[i] = world_move(world, 1);
    send_flood(world, operations, FLOOD);
    while (receiver_poll(&world->receiver) != 0)
        continue;
    world_settle(world);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        answered += answers[i].count;
        for (uint32_t k = 0; k < answers[i].count; k++)
            ok += answers[i].replies[k].reply.code == HF_CODE_OK;
    }
    assert_int_equal(answered + atomic_load(&world->receiver.unanswered), FLOOD);
    assert_int_equal(atomic_load(&world->receiver.busy),
                     REFUSAL_BUNDLES * HF_BUNDLE_OPERATIONS_MAX);
    assert_int_equal(world_posted(world, WALLET), ok);
    assert_true(ok > 3 * HF_BUNDLE_OPERATIONS_MAX);
    world_assert_all_home(world);
    world_destroy(world);
}

/* Two clients send forty datagrams each where another sends one, more than twice as much as is
 * ordered, round after round. The other is never turned away, and is answered in the round after;
 * two that flood alike get as much as each other. */
static void test_a_flood_is_its_senders_own(void **state)
{
    enum { ROUNDS = 200, HONEST = 0, FLOODS = 2 };
    struct world *world = world_make(8);
    uint32_t ok[1 + FLOODS] = {0};
    uint32_t busy[1 + FLOODS] = {0};

    (void)state;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < 80; i++) {
            union hf_operation ops[16];
            for (uint32_t k = 0; k < 16; k++)
                ops[k] = world_move(world, 1);
            world_send(world, 1 + i % FLOODS, ops, 16, 1);
        }
        union hf_operation op = world_move(world, 1);
        world_send(world, HONEST, &op, 1, 1);
        receiver_poll(&world->receiver);
        receiver_poll(&world->receiver);
        orderer_poll(&world->orderer);
        logger_poll(&world->logger);
        transmitter_poll(&world->transmitter);
        world_collect(world);
        for (uint32_t i = 0; i <= FLOODS; i++) {
            for (uint32_t k = 0; k < answers[i].count; k++) {
                ok[i] += answers[i].replies[k].reply.code == HF_CODE_OK;
                busy[i] += answers[i].replies[k].reply.code == HF_CODE_BUSY;
            }
        }
        assert_int_equal(busy[HONEST], 0);
        assert_true(ok[HONEST] + 2 >
                    round); /* a round waits for its bundle, and one for its turn */
        world_forget_answers();
    }
    assert_true(busy[1] > ok[1]);
    assert_true(busy[2] > ok[2]);
    assert_in_range(ok[1] * 100 / ok[2], 97, 103);
    world_settle(world);
    world_assert_all_home(world);
    world_destroy(world);
}

/* ---- who gets which datagram */

static void test_replies_are_grouped(void **state)
{
    static const uint32_t counts[] = {1, 10, REPLIES_EACH, REPLIES_EACH + 1, 50};
    struct world *world = world_make(16);
    union hf_operation ops[16];

    (void)state;
    for (uint32_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        for (uint32_t at = 0; at < counts[i]; at += 16) {
            uint32_t some = counts[i] - at < 16 ? counts[i] - at : 16;
            for (uint32_t k = 0; k < some; k++)
                ops[k] = world_move(world, 1);
            world_send(world, i, ops, some, 100 + i);
        }
    }
    world_settle(world);
    for (uint32_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        assert_int_equal(answers[i].count, counts[i]);
        assert_int_equal(answers[i].datagrams, (counts[i] + REPLIES_EACH - 1) / REPLIES_EACH);
        for (uint32_t k = 0; k < counts[i]; k++)
            assert_int_equal(answers[i].sessions[k], 100 + i);
        /* In the order in which they were asked. */
        for (uint32_t k = 1; k < counts[i]; k++)
            assert_int_equal(answers[i].replies[k].reply.id.lo,
                             answers[i].replies[k - 1].reply.id.lo + 1);
    }
    world_assert_all_home(world);
    world_destroy(world);
}

/* More sessions at once than there are datagrams open: each still gets its own answer. */
static void test_many_sessions(void **state)
{
    enum { SESSIONS = 3 * TRANSMIT_CLIENTS_MAX };
    static bool seen[SESSIONS];
    struct world *world = world_make(16);

    (void)state;
    memset(seen, 0, sizeof seen);
    for (uint32_t i = 0; i < SESSIONS; i++) {
        union hf_operation op = world_move(world, 1);
        world_send(world, 0, &op, 1, i);
    }
    world_settle(world);
    assert_int_equal(answers[0].count, SESSIONS);
    assert_int_equal(answers[0].datagrams, SESSIONS);
    for (uint32_t i = 0; i < SESSIONS; i++) {
        assert_true(answers[0].sessions[i] < SESSIONS);
        assert_false(seen[answers[0].sessions[i]]);
        seen[answers[0].sessions[i]] = true;
    }
    world_destroy(world);
}

/* More questions in a datagram than a bundle keeps. */
static void test_many_queries(void **state)
{
    enum { QUERIES = 25 };
    struct world *world = world_make(4);
    union hf_operation ops[QUERIES];

    (void)state;
    for (uint32_t i = 0; i < QUERIES; i++)
        ops[i] = world_query(world, i % 2 == 0 ? WALLET : 999);
    world_send(world, 0, ops, QUERIES, 1);
    world_settle(world);
    assert_int_equal(answers[0].count, QUERIES);
    for (uint32_t i = 0; i < QUERIES; i++) {
        assert_true(hf_id_equal(answers[0].replies[i].reply.id, ops[i].header.id));
        if (i % 2 == 0)
            world_assert_verdict(&answers[0].replies[i].reply, HF_CODE_OK, HF_RULE_NONE);
        else
            world_assert_verdict(&answers[0].replies[i].reply, HF_CODE_UNKNOWN_ACCOUNT,
                                 HF_RULE_SUBJECT);
    }
    world_assert_all_home(world);
    world_destroy(world);
}

/* A port without packets: the answers are counted as unsent, the bundles come home, and the same
 * ids get the same answers afterwards. */
static void test_no_packets(void **state)
{
    static struct hf_packet taken[NETWORK_DEPTH];
    struct world *world = world_make(8);
    struct hf_port *hog = world->clients[7];
    union hf_operation ops[10];
    uint32_t count = 0;

    (void)state;
    for (uint32_t i = 0; i < 10; i++)
        ops[i] = world_move(world, 1);
    world_send(world, 0, ops, 10, 1);
    assert_int_equal(receiver_poll(&world->receiver), 1);
    while (hog->maker->take(hog, &taken[count], 1) == 1)
        count++;
    world_settle(world);
    assert_int_equal(atomic_load(&world->transmitter.unsent), 10);
    assert_int_equal(answers[0].count, 0);
    world_assert_all_home(world);
    for (uint32_t at = 0; at < count; at += HF_PORT_BURST_MAX) {
        uint32_t some = count - at < HF_PORT_BURST_MAX ? count - at : HF_PORT_BURST_MAX;
        hog->maker->send(hog, taken + at, some); /* empty: given back unsent */
    }
    world_send(world, 0, ops, 10, 1);
    world_settle(world);
    assert_int_equal(answers[0].count, 10);
    assert_int_equal(world_posted(world, WALLET), 10);
    world_assert_all_home(world);
    world_destroy(world);
}

/* The same id twice in one datagram, then again: one execution, the same bytes each time. */
static void test_repeats(void **state)
{
    struct world *world = world_make(8);
    union hf_operation ops[2];

    (void)state;
    ops[0] = ops[1] = world_move(world, 5);
    world_send(world, 0, ops, 2, 1);
    world_send(world, 1, ops, 1, 2);
    world_settle(world);
    world_send(world, 0, ops, 1, 1);
    world_settle(world);
    assert_int_equal(answers[0].count, 3);
    assert_int_equal(answers[1].count, 1);
    assert_memory_equal(&answers[0].replies[0], &answers[0].replies[1], sizeof(struct hf_reply));
    assert_memory_equal(&answers[0].replies[0], &answers[0].replies[2], sizeof(struct hf_reply));
    assert_memory_equal(&answers[0].replies[0], &answers[1].replies[0], sizeof(struct hf_reply));
    assert_int_equal(world_posted(world, WALLET), 5);
    /* The same id for something else. */
    ops[0].move.amount = 6;
    world_send(world, 0, ops, 1, 1);
    world_settle(world);
    world_assert_verdict(&answers[0].replies[3].reply, HF_CODE_DUPLICATE_DIFFERENT, HF_RULE_ID);
    assert_int_equal(world_posted(world, WALLET), 5);
    world_destroy(world);
}

/* ---- what is no good datagram */

/* A datagram of two transfers with its header changed by hand. */
struct damage {
    const char *name;
    size_t at; /* byte of the datagram */
    uint8_t with;
    size_t length; /* handed in; 0: all of it */
    uint16_t code; /* the one answer, without an id; HF_CODE_OK: none at all */
    uint8_t rule;
    uint32_t unanswered; /* counted */
};

static void test_broken_datagrams(void **state)
{
    static const struct damage rows[] = {
        {"empty", 0, 'H', 1, 0, 0, 1},
        {"23 bytes", 0, 'H', 23, 0, 0, 1},
        {"header alone", 0, 'H', 24, 0, 0, 1},
        {"other magic", 0, 'X', 0, 0, 0, 1},
        {"version 0", 2, 0, 0, HF_CODE_WRONG_VERSION, HF_RULE_TYPE, 0},
        {"version 2", 2, 2, 0, HF_CODE_WRONG_VERSION, HF_RULE_TYPE, 0},
        {"version 2, too short for an answer", 2, 2, 87, 0, 0, 1},
        {"replies", 3, 1, 0, 0, 0, 1},
        {"unknown flag", 3, 2, 0, HF_CODE_UNSUPPORTED, HF_RULE_FLAGS, 0},
        {"unknown flag, replies", 3, 3, 0, 0, 0, 1},
        {"says one byte less", 4, 183, 0, HF_CODE_MALFORMED, HF_RULE_LENGTH, 0},
        {"says one byte more", 4, 185, 0, HF_CODE_MALFORMED, HF_RULE_LENGTH, 0},
        {"says much more", 5, 0xff, 0, HF_CODE_MALFORMED, HF_RULE_LENGTH, 0},
        {"cut, 88 bytes", 0, 'H', 88, HF_CODE_MALFORMED, HF_RULE_LENGTH, 0},
        {"cut, 87 bytes", 0, 'H', 87, 0, 0, 1},
        {"no messages", 6, 0, 0, HF_CODE_MALFORMED, HF_RULE_SUBJECT, 0},
        {"256 messages", 7, 1, 0, HF_CODE_MALFORMED, HF_RULE_SUBJECT, 0},
    };
    struct world *world = world_make(8);
    struct hf_id digest = hf_ledger_digest(world->ledger);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t unanswered = atomic_load(&world->receiver.unanswered);
        union hf_operation ops[2] = {world_move(world, 1), world_move(world, 1)};
        uint8_t bytes[1472];
        size_t length = world_datagram(bytes, ops, 2, 0x1234);
        assert_int_equal(length, 184);
        bytes[rows[i].at] = rows[i].with;
        world_send_bytes(world, 0, bytes, rows[i].length != 0 ? rows[i].length : length);
        world_settle(world);
        print_message("%s\n", rows[i].name);
        assert_int_equal(atomic_load(&world->receiver.unanswered) - unanswered, rows[i].unanswered);
        assert_int_equal(answers[0].count, rows[i].code != HF_CODE_OK);
        if (answers[0].count == 1) {
            const struct hf_reply *reply = &answers[0].replies[0].reply;
            world_assert_verdict(reply, rows[i].code, rows[i].rule);
            assert_int_equal(reply->id.lo | reply->id.hi, 0);
            assert_int_equal(reply->type, HF_REPLY_TYPE_BIT);
            assert_int_equal(answers[0].sessions[0], 0x1234);
        }
        world_forget_answers();
    }
    assert_true(hf_id_equal(hf_ledger_digest(world->ledger), digest));
    world_assert_all_home(world);
    world_destroy(world);
}

/* Two transfers, cut at every length, with a header that tells the truth about it: the whole ones
 * are carried out; the cut one is answered when its id could be read, and never carried out. */
static void test_cut_messages(void **state)
{
    struct world *world = world_make(8);

    (void)state;
    for (size_t length = 24; length < 184; length++) {
        union hf_operation ops[2] = {world_move(world, 1), world_move(world, 1)};
        int64_t before = world_posted(world, WALLET);
        uint64_t unanswered = atomic_load(&world->receiver.unanswered);
        uint32_t whole = length >= 24 + 80;
        size_t of_cut = length - 24 - whole * 80u;
        bool named = of_cut >= 32;
        uint8_t bytes[1472];
        world_datagram(bytes, ops, 2, 1);
        bytes[4] = (uint8_t)length;
        world_send_bytes(world, 0, bytes, length);
        world_settle(world);
        assert_int_equal(world_posted(world, WALLET) - before, whole);
        assert_int_equal(answers[0].count, whole + named);
        assert_int_equal(atomic_load(&world->receiver.unanswered) - unanswered, !named);
        if (named) {
            const struct hf_reply *reply = &answers[0].replies[whole].reply;
            world_assert_verdict(reply, HF_CODE_MALFORMED, HF_RULE_LENGTH);
            assert_true(hf_id_equal(reply->id, ops[whole].header.id));
        }
        world_forget_answers();
    }
    world_assert_all_home(world);
    world_destroy(world);
}

/* A refused message in the middle takes nothing from those around it. */
static void test_refused_between_good(void **state)
{
    struct world *world = world_make(8);
    union hf_operation ops[5];

    (void)state;
    for (uint32_t i = 0; i < 5; i++)
        ops[i] = world_move(world, 1);
    ops[1].move.amount = 0;
    ops[2].header.origin = 9;
    ops[3].header.type = 99;
    world_send(world, 0, ops, 5, 1);
    world_settle(world);
    assert_int_equal(answers[0].count, 5);
    for (uint32_t i = 0; i < 5; i++) {
        const struct hf_reply *reply = &answers[0].replies[i].reply;
        if (hf_id_equal(reply->id, ops[1].header.id))
            world_assert_verdict(reply, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT);
        else if (hf_id_equal(reply->id, ops[2].header.id))
            world_assert_verdict(reply, HF_CODE_MALFORMED, HF_RULE_ORIGIN);
        else if (hf_id_equal(reply->id, ops[3].header.id))
            world_assert_verdict(reply, HF_CODE_UNKNOWN_TYPE, HF_RULE_TYPE);
        else
            world_assert_verdict(reply, HF_CODE_OK, HF_RULE_NONE);
    }
    assert_int_equal(world_posted(world, WALLET), 2);
    assert_int_equal(atomic_load(&world->receiver.refused), 3);
    world_assert_all_home(world);
    world_destroy(world);
}

/* ---- the mailbox, and the end */

static void ask(struct world *world, enum mailbox_request request)
{
    uint64_t count;

    while (read(world->mailbox.event, &count, sizeof count) > 0)
        continue;
    world->mailbox.request = request;
    atomic_store(&world->mailbox.state, MAILBOX_ASKED);
}

static bool has_answered(struct world *world)
{
    uint64_t count;

    if (read(world->mailbox.event, &count, sizeof count) != sizeof count)
        return false;
    assert_int_equal(atomic_load(&world->mailbox.state), MAILBOX_ANSWERED);
    atomic_store(&world->mailbox.state, MAILBOX_EMPTY);
    return true;
}

static void test_mailbox(void **state)
{
    struct world *world = world_make(8);
    union hf_operation op = world_move(world, 5);
    union hf_operation query = world_query(world, WALLET);

    (void)state;
    ask(world, MAILBOX_COUNT);
    orderer_poll(&world->orderer);
    assert_true(has_answered(world));
    assert_int_equal(world->mailbox.counts.accounts, 2);
    assert_int_equal(world->mailbox.place, 3);
    assert_int_equal(world->mailbox.batch_index, atomic_load(&world->logger.committed_batch));

    /* Behind an operation that is not durable yet the answer names the record to wait for. */
    world_send(world, 0, &op, 1, 1);
    receiver_poll(&world->receiver);
    orderer_poll(&world->orderer);
    world->mailbox.query = query.query;
    ask(world, MAILBOX_QUERY);
    orderer_poll(&world->orderer);
    assert_true(has_answered(world));
    assert_int_equal(world->mailbox.reply.view.account.posted, 5);
    assert_int_equal(world->mailbox.batch_index, atomic_load(&world->logger.committed_batch) + 1);
    ask(world, MAILBOX_DIGEST);
    orderer_poll(&world->orderer);
    assert_true(has_answered(world));
    assert_true(hf_id_equal(world->mailbox.digest, hf_ledger_digest(world->ledger)));
    world_settle(world);
    world_destroy(world);
}

/* A checkpoint waits until the log is quiet, and nothing is ordered meanwhile; then it goes on. */
static void test_checkpoint_waits_for_the_log(void **state)
{
    struct world *world = world_make(8);
    union hf_operation first = world_move(world, 1);
    union hf_operation second = world_move(world, 2);
    uint64_t committed = atomic_load(&world->logger.committed_batch);

    (void)state;
    world_send(world, 0, &first, 1, 1);
    receiver_poll(&world->receiver);
    orderer_poll(&world->orderer);
    ask(world, MAILBOX_CHECKPOINT);
    world_send(world, 0, &second, 1, 1);
    receiver_poll(&world->receiver);
    for (int i = 0; i < 3; i++)
        orderer_poll(&world->orderer);
    assert_false(has_answered(world));
    assert_int_equal(world->checkpoints, 0);
    assert_int_equal(hf_ledger_place(world->ledger), 4);
    assert_true(orderer_is_pending(&world->orderer));
    atomic_store(&world->logger.committed_batch, committed + 1);
    orderer_poll(&world->orderer);
    assert_true(has_answered(world));
    assert_int_equal(world->checkpoints, 1);
    assert_int_equal(world->checkpoint_place, 4);
    atomic_store(&world->logger.committed_batch, committed);
    world_settle(world);
    assert_int_equal(hf_ledger_place(world->ledger), 5);
    assert_int_equal(answers[0].count, 2);
    assert_int_equal(world->checkpoints, 1);
    world_assert_all_home(world);
    world_destroy(world);
}

static void test_stopping(void **state)
{
    struct world *world = world_make(8);
    union hf_operation op = world_move(world, 1);

    (void)state;
    world_send(world, 0, &op, 1, 1);
    assert_int_equal(receiver_poll(&world->receiver), 1);
    atomic_store(&world->stopping, true);
    world_send(world, 1, &op, 1, 1);
    assert_false(atomic_load(&world->receiver.quiet));
    assert_int_equal(receiver_poll(&world->receiver), 0);
    assert_true(atomic_load(&world->receiver.quiet));
    world_settle(world);
    assert_int_equal(answers[0].count, 1); /* taken, so it is finished */
    assert_int_equal(answers[1].count, 0);
    assert_int_equal(atomic_load(&world->transmitter.bundles),
                     atomic_load(&world->receiver.bundle_count));
    world_assert_all_home(world);
    world_destroy(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_wait_for_their_record),
        cmocka_unit_test(test_queries_show_what_is_durable),
        cmocka_unit_test(test_batches_hold_what_took_a_place),
        cmocka_unit_test(test_a_log_that_stands_still),
        cmocka_unit_test(test_a_full_log),
        cmocka_unit_test(test_flood),
        cmocka_unit_test(test_flood_without_transmitter),
        cmocka_unit_test(test_a_flood_is_its_senders_own),
        cmocka_unit_test(test_replies_are_grouped),
        cmocka_unit_test(test_many_sessions),
        cmocka_unit_test(test_many_queries),
        cmocka_unit_test(test_no_packets),
        cmocka_unit_test(test_repeats),
        cmocka_unit_test(test_broken_datagrams),
        cmocka_unit_test(test_cut_messages),
        cmocka_unit_test(test_refused_between_good),
        cmocka_unit_test(test_mailbox),
        cmocka_unit_test(test_checkpoint_waits_for_the_log),
        cmocka_unit_test(test_stopping),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
