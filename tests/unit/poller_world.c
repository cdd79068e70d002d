#include "poller_world.h"

#include <stdio.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct answers answers[CLIENTS];

/* ---- the world, made and taken apart */

static enum hf_status count_checkpoint(void *context, struct hf_fault *fault)
{
    struct world *world = context;

    (void)fault;
    world->checkpoints++;
    world->checkpoint_place = hf_ledger_place(world->ledger);
    return HF_STATUS_OK;
}

static void make_network(struct world *world)
{
    const struct hf_sim_options options = {.seed = 1, .depth = NETWORK_DEPTH};
    struct hf_address address = {.ip = 0x0a000001, .udp = 4600};
    struct hf_fault fault;

    world->network = hf_sim_network_create(&options);
    assert_non_null(world->network);
    assert_int_equal(hf_port_sim_open(world->network, &address, &world->server, &fault), 0);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        address.ip = 0x0a000064 + i;
        assert_int_equal(hf_port_sim_open(world->network, &address, &world->clients[i], &fault), 0);
        assert_int_equal(world->clients[i]->maker->attach_send(world->clients[i]), 0);
        assert_int_equal(world->clients[i]->maker->attach_receive(world->clients[i]), 0);
    }
    assert_int_equal(world->server->maker->attach_send(world->server), 0);
    assert_int_equal(world->server->maker->attach_receive(world->server), 0);
}

static void make_ledger(struct world *world)
{
    const struct hf_ledger_limits limits = {
        .accounts = 1000,
        .instruments = 1000,
        .holds = 1000,
        .terms = 100,
        .parts = 1000,
        .selectors = 100,
        .limits = 100,
        .rolling = 10,
        .remembered = 100000,
        .remember_ns = UINT64_C(3600) * 1000000000,
        .record_ns = UINT64_C(3600) * 1000000000,
        .id_ahead_ns = UINT64_C(60) * 1000000000,
    };
    size_t size = hf_ledger_memory_size(&limits);

    assert_true(size != 0);
    world->ledger_memory = aligned_alloc(64, (size + 63) & ~(size_t)63);
    assert_non_null(world->ledger_memory);
    memset(world->ledger_memory, 0, size);
    world->ledger = hf_ledger_create(&limits, world->ledger_memory, size);
    assert_non_null(world->ledger);
}

static void make_rings(struct world *world)
{
    const uint32_t entries[WORLD_RINGS] = {BUNDLES_MAX,     BUNDLES_MAX,     BUNDLES_MAX,
                                           REFUSAL_BUNDLES, REFUSAL_BUNDLES, DEPTH + 1,
                                           DEPTH + 1,       BUNDLES_MAX};
    uint32_t count = world->bundle_count + REFUSAL_BUNDLES;

    for (int i = 0; i < WORLD_RINGS; i++) {
        world->rings[i] = ring_create(entries[i]);
        assert_non_null(world->rings[i]);
    }
    world->bundles = aligned_alloc(64, count * sizeof *world->bundles);
    assert_non_null(world->bundles);
    memset(world->bundles, 0, count * sizeof *world->bundles);
    for (uint32_t i = 0; i < count; i++)
        assert_true(ring_put(world->rings[i < world->bundle_count ? 0 : 3], &world->bundles[i]));
    assert_true(lines_create(&world->receiver.lines, world->bundle_count * PIECES_A_BUNDLE,
                             world->server->payload_max, 0x5eed));
    assert_true(lines_create(&world->receiver.askers, world->bundle_count * PIECES_A_BUNDLE,
                             world->server->payload_max, 0x5eed));
    for (uint32_t i = 0; i <= DEPTH; i++) {
        world->batches[i].capacity = BATCH_BYTES;
        world->batches[i].bytes = aligned_alloc(HF_LOG_BATCH_ALIGNMENT, BATCH_BYTES);
        assert_non_null(world->batches[i].bytes);
        memset(world->batches[i].bytes, 0, BATCH_BYTES);
        assert_true(ring_put(world->rings[5], &world->batches[i]));
    }
}

static void connect_pollers(struct world *world)
{
    world->receiver.port = world->server;
    world->receiver.free_bundles = world->rings[0];
    world->receiver.spare = world->spare;
    world->receiver.bundle_total = world->bundle_count;
    world->receiver.ordered = world->rings[1];
    world->receiver.asked = world->rings[7];
    world->receiver.ordered_max = RECEIVE_ORDERED_MAX;
    world->receiver.free_refusals = world->rings[3];
    world->receiver.refusals = world->rings[4];
    world->receiver.stopping = &world->stopping;
    world->orderer.ledger = world->ledger;
    world->orderer.received[0] = world->rings[1];
    world->orderer.asked[0] = world->rings[7];
    world->orderer.received_count = 1;
    world->orderer.applied = world->rings[2];
    world->orderer.free_batches = world->rings[5];
    world->orderer.batches = world->rings[6];
    world->orderer.batch_index = 1;
    world->orderer.at_log_most = DEPTH;
    world->orderer.committed_batch = &world->logger.committed_batch;
    world->orderer.log_full = &world->logger.full;
    world->orderer.stopping = &world->stopping;
    world->orderer.mailbox = &world->mailbox;
    world->orderer.write_checkpoint = count_checkpoint;
    world->orderer.checkpoint_context = world;
    world->logger.batches = world->rings[6];
    world->logger.free_batches = world->rings[5];
    world->transmitter.port = world->server;
    world->transmitter.applied = world->rings[2];
    world->transmitter.homes[0] =
        (struct transmit_home){world->rings[0], world->rings[4], world->rings[3]};
    world->transmitter.home_count = 1;
    world->transmitter.committed_batch = &world->logger.committed_batch;
    world->transmitter.durability = HF_DURABILITY_MEMORY_BENCH;
}

static struct world *make_empty(uint32_t bundle_count)
{
    struct world *world = aligned_alloc(64, sizeof *world);
    struct hf_fault fault;
    struct timespec now;

    assert_non_null(world);
    memset(world, 0, sizeof *world);
    memset(answers, 0, sizeof answers);
    world->bundle_count = bundle_count;
    make_network(world);
    make_ledger(world);
    make_rings(world);
    world->mailbox.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_true(world->mailbox.event >= 0);
    connect_pollers(world);
    assert_int_equal(logger_attach(&world->logger, &fault), HF_STATUS_OK);
    clock_gettime(CLOCK_REALTIME, &now);
    world->id_time_ms = (uint64_t)now.tv_sec * 1000;
    return world;
}

void world_destroy(struct world *world)
{
    for (uint32_t i = 0; i < CLIENTS; i++)
        world->clients[i]->maker->destroy(world->clients[i]);
    world->server->maker->destroy(world->server);
    hf_sim_network_destroy(world->network);
    for (int i = 0; i < WORLD_RINGS; i++)
        ring_destroy(world->rings[i]);
    for (uint32_t i = 0; i <= DEPTH; i++)
        free(world->batches[i].bytes);
    close(world->mailbox.event);
    lines_destroy(&world->receiver.lines);
    lines_destroy(&world->receiver.askers);
    free(world->bundles);
    free(world->ledger_memory);
    free(world);
}

/* ---- what clients send and get */

static struct hf_op_header header_of(struct world *world, uint8_t type)
{
    return (struct hf_op_header){
        .length = hf_operation_length(type),
        .type = type,
        .id = hf_id_make_operation(world->id_time_ms, 0, ++world->next_id),
    };
}

static union hf_operation make_account(struct world *world, uint64_t account, int64_t floor)
{
    union hf_operation op = {
        .account_put = {.account = {account, 0}, .floor = floor, .asset = ASSET}};

    op.header = header_of(world, HF_OP_ACCOUNT_PUT);
    return op;
}

union hf_operation world_move(struct world *world, uint64_t amount)
{
    union hf_operation op = {
        .move = {.payer = {ISSUER, 0}, .payee = {WALLET, 0}, .amount = amount, .asset = ASSET}};

    op.header = header_of(world, HF_OP_MOVE);
    return op;
}

union hf_operation world_query(struct world *world, uint64_t account)
{
    union hf_operation op = {.query = {.subject_id = {account, 0}, .subject = HF_QUERY_ACCOUNT}};

    op.header = header_of(world, HF_OP_QUERY);
    return op;
}

void world_send_bytes(struct world *world, uint32_t client, const void *bytes, size_t length)
{
    struct hf_port *port = world->clients[client];
    struct hf_packet packet;

    assert_int_equal(port->maker->take(port, &packet, 1), 1);
    assert_true(length <= port->payload_max);
    memcpy(packet.data, bytes, length);
    packet.length = (uint32_t)length;
    packet.peer = world->server->local;
    port->maker->send(port, &packet, 1);
}

size_t world_datagram(void *buffer, const union hf_operation operations[], uint32_t count,
                      uint64_t session)
{
    struct hf_wire_writer writer;

    hf_wire_begin(&writer, buffer, 1472);
    for (uint32_t i = 0; i < count; i++)
        assert_true(hf_wire_add(&writer, &operations[i], operations[i].header.length));
    return hf_wire_finish(&writer, 0, session, 0);
}

void world_send(struct world *world, uint32_t client, const union hf_operation operations[],
                uint32_t count, uint64_t session)
{
    uint8_t buffer[1472];
    size_t length = world_datagram(buffer, operations, count, session);

    world_send_bytes(world, client, buffer, length);
}

void world_collect(struct world *world)
{
    for (uint32_t i = 0; i < CLIENTS; i++) {
        struct hf_port *port = world->clients[i];
        struct answers *got = &answers[i];
        struct hf_packet packet;
        while (port->maker->receive(port, &packet, 1) == 1) {
            struct hf_wire_reader reader;
            struct hf_verdict verdict = hf_wire_open(&reader, packet.data, packet.length);
            assert_int_equal(verdict.code, HF_CODE_OK);
            assert_int_equal(reader.header.flags, HF_WIRE_REPLIES);
            got->datagrams++;
            while (got->count < ANSWERS_MAX &&
                   hf_wire_next_reply(&reader, &got->replies[got->count]) == HF_WIRE_MESSAGE)
                got->sessions[got->count++] = reader.header.session;
            assert_int_equal(reader.left, 0);
            port->maker->release(port, &packet, 1);
        }
    }
}

void world_forget_answers(void)
{
    memset(answers, 0, sizeof answers);
}

void world_settle(struct world *world)
{
    uint32_t work;

    do {
        work = receiver_poll(&world->receiver);
        work += orderer_poll(&world->orderer);
        work += logger_poll(&world->logger);
        work += transmitter_poll(&world->transmitter);
    } while (work != 0);
    world_collect(world);
}

void world_assert_all_home(struct world *world)
{
    bool filling = world->receiver.bundle != NULL;
    bool asking = world->receiver.asking != NULL;
    bool refusing = world->receiver.refusal != NULL;
    bool batching = world->orderer.batch != NULL;

    assert_int_equal(rte_ring_count(world->rings[0]) + world->receiver.spare_count + filling +
                         asking,
                     world->bundle_count);
    assert_int_equal(rte_ring_count(world->rings[3]) + refusing, REFUSAL_BUNDLES);
    assert_int_equal(rte_ring_count(world->rings[5]) + batching, DEPTH + 1);
    assert_false(orderer_is_pending(&world->orderer));
    assert_false(logger_is_pending(&world->logger));
    assert_false(transmitter_is_pending(&world->transmitter));
    assert_int_equal(world->receiver.lines.waiting, 0);
    assert_int_equal(world->receiver.lines.free_pieces, world->receiver.lines.piece_count);
    assert_int_equal(world->receiver.askers.waiting, 0);
    assert_true(hf_ledger_is_balanced(world->ledger));
}

struct world *world_make(uint32_t bundle_count)
{
    struct world *world = make_empty(bundle_count);
    union hf_operation ops[3] = {
        {.asset_put = {.asset = ASSET, .scale = 2, .code = "USD"}},
        make_account(world, ISSUER, HF_FLOOR_NONE),
        make_account(world, WALLET, 0),
    };

    ops[0].header = header_of(world, HF_OP_ASSET_PUT);
    world_send(world, 0, ops, 3, 1);
    world_settle(world);
    assert_int_equal(answers[0].count, 3);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(answers[0].replies[i].reply.code, HF_CODE_OK);
    world_forget_answers();
    return world;
}

int64_t world_posted(struct world *world, uint64_t account)
{
    union hf_operation op = world_query(world, account);
    struct hf_query_reply reply;

    hf_ledger_query(world->ledger, &op.query, &reply);
    assert_int_equal(reply.reply.code, HF_CODE_OK);
    return reply.view.account.posted;
}

void world_assert_verdict(const struct hf_reply *reply, uint16_t code, uint8_t rule)
{
    if (reply->code != code || reply->rule != rule)
        fail_msg("expected %s/%s, got %s/%s", hf_code_name(code), hf_rule_name(rule),
                 hf_code_name(reply->code), hf_rule_name(reply->rule));
}
