/* The client library's world: real ledgers behind a simulated network, in one thread and on
 * simulated time. */
#ifndef HF_TESTS_CLIENT_WORLD_H
#define HF_TESTS_CLIENT_WORLD_H

#include "engine/ledger.h"
#include "net/client.h"
#include "net/port_sim.h"
#include "net/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define STEP_NS      UINT64_C(100000) /* one step of the network */
#define UNIX_MS      UINT64_C(1750000000000)
#define SERVERS      2
#define ACCOUNTS     16
#define ASSET        840
#define LEDGER_LIMIT 65536

/* ---- a node in small: a port, the codec, a ledger ---- */

struct server {
    struct hf_port *port;
    struct hf_ledger *ledger; /* both servers share one */
    uint32_t busy;            /* so many operations are answered BUSY first */
    uint64_t datagrams;
    uint64_t executed;
    uint64_t counter;
};

struct world {
    struct hf_sim_network *network;
    void *memory;
    struct server servers[SERVERS];
    struct hf_port *client_port;
    struct hf_port_maker waiting_maker; /* the client's port, but that waiting runs the servers */
    struct hf_client *client;
    uint64_t unix_ms;
    bool unix_runs; /* with the network's time */
};

/* The maker's wait has no context of its own. */
static struct world *waiting_world;

static inline struct hf_address address_of(uint8_t last, uint16_t udp)
{
    struct hf_address address = {.ip = 0x0a000000u + last, .udp = udp};
    return address;
}

static inline uint64_t world_ns(void *context)
{
    const struct world *world = context;
    return (hf_sim_network_now(world->network) + 1) * STEP_NS;
}

static inline uint64_t world_unix_ms(void *context)
{
    const struct world *world = context;
    return world->unix_ms + (world->unix_runs ? world_ns(context) / 1000000 : 0);
}

static inline void answer(struct server *server, const struct world *world,
                          const union hf_operation *op, struct hf_verdict verdict,
                          struct hf_query_reply *reply)
{
    memset(reply, 0, sizeof *reply);
    if (verdict.code == HF_CODE_OK && server->busy > 0) {
        server->busy--;
        verdict.code = HF_CODE_BUSY;
        verdict.rule = HF_RULE_QUEUE;
    }
    if (verdict.code != HF_CODE_OK) {
        reply->reply.length = sizeof reply->reply;
        reply->reply.type = op->header.type | HF_REPLY_TYPE_BIT;
        reply->reply.code = verdict.code;
        reply->reply.rule = verdict.rule;
        reply->reply.id = op->header.id;
    } else if (op->header.type == HF_OP_QUERY) {
        hf_ledger_query(server->ledger, &op->query, reply);
    } else {
        uint64_t now = UNIX_MS * 1000000 + world_ns((void *)(uintptr_t)world);
        uint64_t taken = hf_ledger_apply(server->ledger, now, &op, 1, &reply->reply);
        server->executed += taken & 1;
    }
}

static inline void serve_datagram(struct server *server, const struct world *world,
                                  const struct hf_packet *packet)
{
    struct hf_wire_reader reader;
    struct hf_packet out;
    struct hf_wire_writer writer;
    static union hf_operation_buffer buffer;
    union hf_operation *op = &buffer.operation;
    struct hf_verdict verdict = hf_wire_open(&reader, packet->data, packet->length);
    assert_int_equal(verdict.code, HF_CODE_OK);
    server->datagrams++;
    assert_int_equal(server->port->maker->take(server->port, &out, 1), 1);
    hf_wire_begin(&writer, out.data, server->port->payload_max);
    for (enum hf_wire_step step;
         (step = hf_wire_next_operation(&reader, op, sizeof buffer, &verdict)) != HF_WIRE_END;) {
        struct hf_query_reply reply;
        if (step == HF_WIRE_MESSAGE)
            verdict.code = HF_CODE_OK;
        answer(server, world, op, verdict, &reply);
        if (!hf_wire_add(&writer, &reply, reply.reply.length)) {
            out.length =
                hf_wire_finish(&writer, HF_WIRE_REPLIES, reader.header.session, server->counter++);
            out.peer = packet->peer;
            server->port->maker->send(server->port, &out, 1);
            assert_int_equal(server->port->maker->take(server->port, &out, 1), 1);
            hf_wire_begin(&writer, out.data, server->port->payload_max);
            assert_true(hf_wire_add(&writer, &reply, reply.reply.length));
        }
    }
    out.peer = packet->peer;
    out.length = hf_wire_finish(&writer, HF_WIRE_REPLIES, reader.header.session, server->counter++);
    server->port->maker->send(server->port, &out, 1);
}

static inline void serve(struct world *world)
{
    for (uint32_t i = 0; i < SERVERS; i++) {
        struct server *server = &world->servers[i];
        struct hf_packet packets[8];
        uint32_t count;
        while ((count = server->port->maker->receive(server->port, packets, 8)) > 0) {
            for (uint32_t j = 0; j < count; j++)
                serve_datagram(server, world, &packets[j]);
            server->port->maker->release(server->port, packets, count);
        }
    }
}

static inline void step(struct world *world)
{
    serve(world);
    hf_sim_network_step(world->network);
}

static inline void wait_and_serve(struct hf_port *port, uint32_t timeout_us)
{
    (void)port;
    (void)timeout_us;
    step(waiting_world);
}

/* ---- the world ---- */

static inline struct hf_id account(uint64_t number)
{
    return (struct hf_id){.lo = 1000 + number, .hi = 0};
}

static inline void must_call(struct world *world, const union hf_operation *op, uint16_t code)
{
    struct hf_query_reply reply;
    assert_int_equal(hf_client_call(world->client, op, &reply, 0), HF_STATUS_OK);
    assert_int_equal(reply.reply.code, code);
}

static inline struct world *begin(const struct hf_client_options *given, uint64_t seed)
{
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    const struct hf_sim_options sim = {.seed = seed};
    world->network = hf_sim_network_create(&sim);
    assert_non_null(world->network);
    const struct hf_ledger_limits limits = {
        .accounts = LEDGER_LIMIT,
        .instruments = LEDGER_LIMIT,
        .holds = LEDGER_LIMIT,
        .terms = LEDGER_LIMIT,
        .parts = LEDGER_LIMIT,
        .selectors = LEDGER_LIMIT,
        .limits = LEDGER_LIMIT,
        .rolling = 10,
        .remembered = LEDGER_LIMIT,
        .remember_ns = UINT64_C(3600000000000),
        .record_ns = UINT64_C(3600000000000),
        .id_ahead_ns = UINT64_C(60000000000),
    };
    size_t size = hf_ledger_memory_size(&limits);
    assert_int_not_equal(size, 0);
    world->memory = aligned_alloc(64, (size + 63) / 64 * 64);
    assert_non_null(world->memory);
    memset(world->memory, 0, size);
    struct hf_ledger *ledger = hf_ledger_create(&limits, world->memory, size);
    assert_non_null(ledger);

    struct hf_fault fault;
    for (uint8_t i = 0; i < SERVERS; i++) {
        struct hf_address address = address_of((uint8_t)(i + 1), 4600);
        struct server *server = &world->servers[i];
        server->ledger = ledger;
        assert_int_equal(hf_port_sim_open(world->network, &address, &server->port, &fault),
                         HF_STATUS_OK);
        assert_int_equal(server->port->maker->attach_receive(server->port), HF_STATUS_OK);
        assert_int_equal(server->port->maker->attach_send(server->port), HF_STATUS_OK);
    }
    struct hf_address address = address_of(100, 0);
    assert_int_equal(hf_port_sim_open(world->network, &address, &world->client_port, &fault),
                     HF_STATUS_OK);
    world->waiting_maker = *world->client_port->maker;
    world->waiting_maker.wait = wait_and_serve;
    world->client_port->maker = &world->waiting_maker;
    waiting_world = world;
    world->unix_ms = UNIX_MS;
    world->unix_runs = true;

    struct hf_client_options options = *given;
    if (options.servers[0] == NULL)
        options.servers[0] = "10.0.0.1:4600";
    const struct hf_client_clock clock = {world_ns, world_unix_ms, world, NULL};
    assert_int_equal(
        hf_client_open_on(&options, world->client_port, &clock, seed, &world->client, &fault),
        HF_STATUS_OK);
    return world;
}

/* Asset and accounts; account 0 has no floor. */
static inline void furnish(struct world *world)
{
    union hf_operation op;
    hf_make_asset_put(&op, hf_client_next_id(world->client), ASSET, "USD", 2);
    must_call(world, &op, HF_CODE_OK);
    for (uint64_t i = 0; i < ACCOUNTS; i++) {
        hf_make_account_put(&op, hf_client_next_id(world->client), account(i), ASSET,
                            i == 0 ? HF_FLOOR_NONE : 0, HF_ACCOUNT_OPEN);
        must_call(world, &op, HF_CODE_OK);
    }
}

static inline void end(struct world *world)
{
    hf_client_close(world->client);
    for (uint32_t i = 0; i < SERVERS; i++)
        world->servers[i].port->maker->destroy(world->servers[i].port);
    hf_sim_network_destroy(world->network);
    free(world->memory);
    free(world);
}

static inline struct hf_client_counters count_of(const struct world *world)
{
    struct hf_client_counters counters;
    hf_client_count(world->client, &counters);
    return counters;
}

static inline int64_t posted(struct world *world, uint64_t number)
{
    union hf_operation op;
    struct hf_query_reply reply;
    hf_make_query(&op, hf_client_next_id(world->client), HF_QUERY_ACCOUNT, account(number));
    assert_int_equal(hf_client_call(world->client, &op, &reply, 0), HF_STATUS_OK);
    assert_int_equal(reply.reply.code, HF_CODE_OK);
    return reply.view.account.posted;
}

/* Moves 1 from account 0 to 1, `count` times, as many in flight as the window takes; every context
 * comes back exactly once, OK. */
static inline void move_many(struct world *world, uint32_t count)
{
    uint8_t *seen = calloc(count, 1);
    assert_non_null(seen);
    uint32_t sent = 0;
    uint32_t answered = 0;
    for (uint64_t guard = 0; answered < count; guard++) {
        assert_true(guard < 2000000);
        while (sent < count) {
            union hf_operation op;
            hf_make_move(&op, hf_client_next_id(world->client), account(0), account(1), 1, ASSET);
            enum hf_status status = hf_client_submit(world->client, &op, &seen[sent]);
            if (status == HF_STATUS_FULL)
                break;
            assert_int_equal(status, HF_STATUS_OK);
            sent++;
        }
        struct hf_answer answers[16];
        uint32_t got = hf_client_poll(world->client, answers, 16);
        for (uint32_t i = 0; i < got; i++) {
            uint8_t *mark = answers[i].context;
            assert_int_equal(answers[i].outcome, HF_OUTCOME_ANSWERED);
            assert_int_equal(answers[i].reply.reply.code, HF_CODE_OK);
            assert_true(hf_id_equal(answers[i].id, answers[i].reply.reply.id));
            assert_int_equal(*mark, 0);
            *mark = 1;
            answered++;
        }
        if (got == 0)
            step(world);
    }
    assert_int_equal(hf_client_in_flight(world->client), 0);
    free(seen);
}

#endif
