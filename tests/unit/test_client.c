/* The client library against a real ledger on a simulated network, in one thread and on simulated
 * time: loss, copies, overtaking, silence, BUSY, two servers, strangers. */
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

static struct hf_address address_of(uint8_t last, uint16_t udp)
{
    struct hf_address address = {.ip = 0x0a000000u + last, .udp = udp};
    return address;
}

static uint64_t world_ns(void *context)
{
    const struct world *world = context;
    return (hf_sim_network_now(world->network) + 1) * STEP_NS;
}

static uint64_t world_unix_ms(void *context)
{
    const struct world *world = context;
    return world->unix_ms + (world->unix_runs ? world_ns(context) / 1000000 : 0);
}

static void answer(struct server *server, const struct world *world, const union hf_operation *op,
                   struct hf_verdict verdict, struct hf_query_reply *reply)
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

static void serve_datagram(struct server *server, const struct world *world,
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

static void serve(struct world *world)
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

static void step(struct world *world)
{
    serve(world);
    hf_sim_network_step(world->network);
}

static void wait_and_serve(struct hf_port *port, uint32_t timeout_us)
{
    (void)port;
    (void)timeout_us;
    step(waiting_world);
}

/* ---- the world ---- */

static struct hf_id account(uint64_t number)
{
    return (struct hf_id){.lo = 1000 + number, .hi = 0};
}

static void must_call(struct world *world, const union hf_operation *op, uint16_t code)
{
    struct hf_query_reply reply;
    assert_int_equal(hf_client_call(world->client, op, &reply, 0), HF_STATUS_OK);
    assert_int_equal(reply.reply.code, code);
}

static struct world *begin(const struct hf_client_options *given, uint64_t seed)
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
static void furnish(struct world *world)
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

static void end(struct world *world)
{
    hf_client_close(world->client);
    for (uint32_t i = 0; i < SERVERS; i++)
        world->servers[i].port->maker->destroy(world->servers[i].port);
    hf_sim_network_destroy(world->network);
    free(world->memory);
    free(world);
}

static struct hf_client_counters count_of(const struct world *world)
{
    struct hf_client_counters counters;
    hf_client_count(world->client, &counters);
    return counters;
}

static int64_t posted(struct world *world, uint64_t number)
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
static void move_many(struct world *world, uint32_t count)
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

/* ---- tests ---- */

static void test_a_call_brings_the_answer(void **state)
{
    (void)state;
    struct world *world = begin(&(struct hf_client_options){0}, 1);
    furnish(world);
    union hf_operation op;
    struct hf_query_reply reply;
    hf_make_move(&op, hf_client_next_id(world->client), account(0), account(1), 6000, ASSET);
    op.header.flags = HF_OP_RETURN_BALANCES;
    assert_int_equal(hf_client_call(world->client, &op, &reply, 1000000), HF_STATUS_OK);
    assert_int_equal(reply.reply.code, HF_CODE_OK);
    assert_int_equal(reply.reply.approved, 6000);
    assert_int_equal(reply.reply.posted, -6000);
    hf_make_move(&op, hf_client_next_id(world->client), account(1), account(2), 6001, ASSET);
    must_call(world, &op, HF_CODE_INSUFFICIENT);
    assert_int_equal(posted(world, 1), 6000);
    end(world);
}

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

static void test_operations_share_datagrams(void **state)
{
    (void)state;
    struct world *world = begin(&(struct hf_client_options){.window = 64}, 2);
    furnish(world);
    uint64_t before = world->servers[0].datagrams;
    move_many(world, 1280);
    assert_int_equal(posted(world, 1), 1280);
    /* 18 moves fit 1472 bytes: 64 fill four datagrams. */
    assert_in_range(world->servers[0].datagrams - before, 1280 / 18, 1280 / 8);
    assert_int_equal(count_of(world).retransmitted, 0);
    assert_int_equal(count_of(world).late, 0);
    end(world);
}

static void test_each_is_done_once_on_a_bad_network(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        struct world *world = begin(
            &(struct hf_client_options){.window = 100, .retry_us = 2000, .retry_most_us = 50000},
            seed);
        furnish(world);
        const struct hf_sim_faults faults = {
            .loss_permille = 200,
            .duplicate_permille = 200,
            .delay_min = 1,
            .delay_max = 30,
            .reorder_permille = 200,
            .reorder_max = 40,
        };
        hf_sim_network_set_faults(world->network, &faults);
        uint64_t executed = world->servers[0].executed;
        move_many(world, 4000);
        assert_int_equal(world->servers[0].executed - executed, 4000);
        assert_int_equal(posted(world, 1), 4000);
        assert_int_equal(posted(world, 0), -4000);
        struct hf_client_counters counters = count_of(world);
        assert_true(counters.retransmitted > 0);
        assert_true(counters.late > 0);
        assert_int_equal(counters.sent, counters.submitted + counters.retransmitted);
        assert_int_equal(counters.answered, counters.submitted);
        end(world);
    }
}

static void test_busy_is_sent_again(void **state)
{
    (void)state;
    struct world *world = begin(&(struct hf_client_options){.window = 32}, 3);
    furnish(world);
    world->servers[0].busy = 50;
    move_many(world, 200);
    assert_int_equal(count_of(world).busy, 50);
    assert_int_equal(posted(world, 1), 200);
    end(world);
}

static void test_busy_is_handed_up_when_asked_for(void **state)
{
    (void)state;
    struct world *world = begin(&(struct hf_client_options){.busy_is_answer = true}, 3);
    furnish(world);
    world->servers[0].busy = 1;
    union hf_operation op;
    hf_make_move(&op, hf_client_next_id(world->client), account(0), account(1), 1, ASSET);
    must_call(world, &op, HF_CODE_BUSY);
    must_call(world, &op, HF_CODE_OK); /* the same id again */
    assert_int_equal(posted(world, 1), 1);
    end(world);
}

static void test_malformed_is_handed_up(void **state)
{
    (void)state;
    struct world *world = begin(&(struct hf_client_options){0}, 3);
    furnish(world);
    union hf_operation op;
    hf_make_move(&op, hf_client_next_id(world->client), account(0), account(1), 1, ASSET);
    op.move.reserved = 1;
    must_call(world, &op, HF_CODE_MALFORMED);
    hf_make_move(&op, hf_client_next_id(world->client), account(0), account(1), 0, ASSET);
    must_call(world, &op, HF_CODE_BAD_AMOUNT);
    end(world);
}

static void test_what_is_never_answered_times_out(void **state)
{
    (void)state;
    struct world *world =
        begin(&(struct hf_client_options){.timeout_us = 300000, .retry_us = 20000}, 4);
    furnish(world);
    hf_sim_network_cut(world->network, world->servers[0].port, world->client_port, true);
    union hf_operation op;
    hf_make_move(&op, hf_client_next_id(world->client), account(0), account(1), 5, ASSET);
    int context;
    assert_int_equal(hf_client_submit(world->client, &op, &context), HF_STATUS_OK);
    struct hf_answer given_up;
    uint64_t began = world_ns(world);
    while (hf_client_poll(world->client, &given_up, 1) == 0)
        step(world);
    assert_int_equal(given_up.outcome, HF_OUTCOME_TIMED_OUT);
    assert_ptr_equal(given_up.context, &context);
    assert_true(hf_id_equal(given_up.id, op.header.id));
    assert_true(given_up.attempts >= 3);
    assert_in_range(world_ns(world) - began, 300000000, 301000000);
    assert_int_equal(count_of(world).timed_out, 1);
    assert_int_equal(hf_client_in_flight(world->client), 0);

    /* It was carried out all the same; sent again once the network is whole it gets that answer. */
    hf_sim_network_cut(world->network, world->servers[0].port, world->client_port, false);
    must_call(world, &op, HF_CODE_OK);
    assert_int_equal(posted(world, 1), 5);
    end(world);
}

static void test_a_call_gives_up_in_time(void **state)
{
    (void)state;
    struct world *world = begin(&(struct hf_client_options){0}, 4);
    furnish(world);
    const struct hf_sim_faults slow = {.delay_min = 300, .delay_max = 300};
    hf_sim_network_set_faults(world->network, &slow);
    union hf_operation op;
    struct hf_query_reply reply;
    hf_make_move(&op, hf_client_next_id(world->client), account(0), account(1), 5, ASSET);
    uint64_t began = world_ns(world);
    assert_int_equal(hf_client_call(world->client, &op, &reply, 50000), HF_STATUS_TIMEOUT);
    assert_in_range(world_ns(world) - began, 50000000, 51000000);
    assert_int_equal(hf_client_in_flight(world->client), 0);
    for (uint32_t i = 0; i < 1000; i++)
        step(world);
    struct hf_answer answers[4];
    assert_int_equal(hf_client_poll(world->client, answers, 4), 0);
    assert_true(count_of(world).late > 0); /* its answers, too late */
    end(world);
}

static void test_a_call_leaves_other_answers_alone(void **state)
{
    (void)state;
    struct world *world = begin(&(struct hf_client_options){0}, 4);
    furnish(world);
    union hf_operation op;
    int context;
    hf_make_move(&op, hf_client_next_id(world->client), account(0), account(1), 5, ASSET);
    assert_int_equal(hf_client_submit(world->client, &op, &context), HF_STATUS_OK);
    assert_int_equal(posted(world, 2), 0);
    assert_int_equal(posted(world, 1), 5);
    assert_int_equal(hf_client_in_flight(world->client), 1);
    struct hf_answer answers[4];
    assert_int_equal(hf_client_poll(world->client, answers, 4), 1);
    assert_ptr_equal(answers[0].context, &context);
    end(world);
}

static void test_back_off_doubles(void **state)
{
    (void)state;
    struct world *world =
        begin(&(struct hf_client_options){.retry_us = 10000, .retry_most_us = 80000}, 5);
    furnish(world);
    hf_sim_network_cut(world->network, world->client_port, world->servers[0].port, true);
    union hf_operation op;
    hf_make_move(&op, hf_client_next_id(world->client), account(0), account(1), 5, ASSET);
    assert_int_equal(hf_client_submit(world->client, &op, NULL), HF_STATUS_OK);
    static const uint64_t gaps_ms[] = {10, 20, 40, 80, 80, 80};
    uint64_t sent = count_of(world).sent;
    struct hf_answer answers[1];
    hf_client_poll(world->client, answers, 1);
    assert_int_equal(count_of(world).sent, sent + 1);
    for (size_t i = 0; i < sizeof gaps_ms / sizeof gaps_ms[0]; i++) {
        uint64_t began = world_ns(world);
        sent = count_of(world).sent;
        while (count_of(world).sent == sent) {
            hf_sim_network_step(world->network);
            assert_int_equal(hf_client_poll(world->client, answers, 1), 0);
        }
        uint64_t gap_us = (world_ns(world) - began) / 1000;
        assert_in_range(gap_us, gaps_ms[i] * 1000, gaps_ms[i] * 1125 + 200);
    }
    end(world);
}

/* The way takes longer than the first wait: a few needless repeats, then the client has learned. */
static void test_waiting_follows_the_round_trip(void **state)
{
    (void)state;
    struct world *world = begin(&(struct hf_client_options){.window = 16}, 5);
    furnish(world);
    const struct hf_sim_faults slow = {.delay_min = 250,
                                       .delay_max = 300}; /* 50 to 60 ms both ways */
    hf_sim_network_set_faults(world->network, &slow);
    move_many(world, 320);
    uint64_t learning = count_of(world).retransmitted;
    assert_true(learning > 0);
    move_many(world, 640);
    assert_int_equal(count_of(world).retransmitted, learning);

    /* And back: when the way is short again, so is the wait. */
    hf_sim_network_set_faults(world->network, &(struct hf_sim_faults){0});
    move_many(world, 640);
    uint64_t began = world_ns(world);
    const struct hf_sim_faults lossy = {.loss_permille = 1000};
    hf_sim_network_set_faults(world->network, &lossy);
    union hf_operation op;
    hf_make_move(&op, hf_client_next_id(world->client), account(0), account(1), 1, ASSET);
    assert_int_equal(hf_client_submit(world->client, &op, NULL), HF_STATUS_OK);
    struct hf_answer answers[1];
    while (count_of(world).retransmitted == learning) {
        assert_int_equal(hf_client_poll(world->client, answers, 1), 0);
        hf_sim_network_step(world->network);
    }
    assert_in_range(world_ns(world) - began, 20000000, 23000000);
    end(world);
}

static void test_window_and_ids_are_guarded(void **state)
{
    (void)state;
    struct world *world = begin(&(struct hf_client_options){.window = 3}, 6);
    furnish(world);
    union hf_operation op;
    for (uint32_t i = 0; i < 3; i++) {
        hf_make_move(&op, hf_client_next_id(world->client), account(0), account(1), 5, ASSET);
        assert_int_equal(hf_client_submit(world->client, &op, NULL), HF_STATUS_OK);
    }
    assert_int_equal(hf_client_submit(world->client, &op, NULL), HF_STATUS_EXISTS);
    op.header.id = hf_client_next_id(world->client);
    assert_int_equal(hf_client_submit(world->client, &op, NULL), HF_STATUS_FULL);
    op.header.length = 1472 - 24 + 8; /* more than a datagram of this client's carries */
    assert_int_equal(hf_client_submit(world->client, &op, NULL), HF_STATUS_INVALID);
    op.header.length = 40;
    assert_int_equal(hf_client_submit(world->client, &op, NULL), HF_STATUS_INVALID);
    op.header.length = 81;
    assert_int_equal(hf_client_submit(world->client, &op, NULL), HF_STATUS_INVALID);
    assert_int_equal(hf_client_in_flight(world->client), 3);
    end(world);
}

static void test_the_other_server_takes_over(void **state)
{
    (void)state;
    struct world *world =
        begin(&(struct hf_client_options){.servers = {"10.0.0.1:4600", "10.0.0.2:4600"}}, 7);
    furnish(world);
    assert_int_equal(world->servers[1].datagrams, 0);
    hf_sim_network_cut(world->network, world->client_port, world->servers[0].port, true);
    union hf_operation op;
    hf_make_move(&op, hf_client_next_id(world->client), account(0), account(1), 5, ASSET);
    must_call(world, &op, HF_CODE_OK);
    assert_int_equal(world->servers[1].datagrams, 1);
    assert_int_equal(count_of(world).retransmitted, 1);
    /* From now on it is asked first. */
    assert_int_equal(posted(world, 1), 5);
    move_many(world, 100);
    assert_int_equal(count_of(world).retransmitted, 1);
    end(world);
}

/* A reply sent by `port` to the client, as the node would. */
static void send_reply(struct world *world, struct hf_port *port, const struct hf_reply *reply,
                       uint8_t flags, uint64_t session)
{
    struct hf_packet packet;
    struct hf_wire_writer writer;
    assert_int_equal(port->maker->take(port, &packet, 1), 1);
    hf_wire_begin(&writer, packet.data, port->payload_max);
    assert_true(hf_wire_add(&writer, reply, reply->length));
    packet.length = hf_wire_finish(&writer, flags, session, 0);
    packet.peer = world->client_port->local;
    port->maker->send(port, &packet, 1);
    hf_sim_network_step(world->network);
}

static void test_strangers_are_not_heard(void **state)
{
    (void)state;
    struct world *world = begin(&(struct hf_client_options){.session = 42}, 8);
    furnish(world);
    hf_sim_network_cut(world->network, world->client_port, world->servers[0].port, true);
    union hf_operation op;
    hf_make_move(&op, hf_client_next_id(world->client), account(0), account(1), 5, ASSET);
    assert_int_equal(hf_client_submit(world->client, &op, NULL), HF_STATUS_OK);

    struct hf_reply reply = {
        .length = sizeof reply,
        .type = HF_OP_MOVE | HF_REPLY_TYPE_BIT,
        .id = op.header.id,
    };
    struct hf_port *node = world->servers[0].port;
    struct hf_answer answers[4];
    uint64_t foreign = 0;
    send_reply(world, world->servers[1].port, &reply, HF_WIRE_REPLIES, 42); /* not our server */
    assert_int_equal(hf_client_poll(world->client, answers, 4), 0);
    assert_int_equal(count_of(world).foreign, ++foreign);
    send_reply(world, node, &reply, HF_WIRE_REPLIES, 43); /* another session */
    assert_int_equal(hf_client_poll(world->client, answers, 4), 0);
    assert_int_equal(count_of(world).foreign, ++foreign);
    send_reply(world, node, &reply, 0, 42); /* operations, not replies */
    assert_int_equal(hf_client_poll(world->client, answers, 4), 0);
    assert_int_equal(count_of(world).foreign, ++foreign);
    reply.type = HF_OP_HOLD | HF_REPLY_TYPE_BIT; /* an answer to something else */
    send_reply(world, node, &reply, HF_WIRE_REPLIES, 42);
    assert_int_equal(hf_client_poll(world->client, answers, 4), 0);
    assert_int_equal(count_of(world).foreign, ++foreign);

    reply.type = HF_OP_MOVE | HF_REPLY_TYPE_BIT;
    reply.id.lo ^= 1; /* of nobody: a late one */
    send_reply(world, node, &reply, HF_WIRE_REPLIES, 42);
    assert_int_equal(hf_client_poll(world->client, answers, 4), 0);
    assert_int_equal(count_of(world).late, 1);
    reply.id = op.header.id;
    send_reply(world, node, &reply, HF_WIRE_REPLIES, 42);
    assert_int_equal(hf_client_poll(world->client, answers, 4), 1);
    assert_int_equal(count_of(world).foreign, foreign);
    end(world);
}

/* With a clock that stands still or jumps back, 2^24 ids and some more: the counter begins anew and
 * the time is moved on instead. */
static void test_ids_never_come_twice(void **state)
{
    (void)state;
    enum { COUNT = (1 << 24) + 1000 };
    struct world *world = begin(&(struct hf_client_options){0}, 9);
    world->unix_runs = false;
    struct hf_id first = hf_client_next_id(world->client);
    uint8_t *seen = calloc(2, (1 << 24) / 8);
    assert_non_null(seen);
    for (uint32_t i = 0; i < COUNT; i++) {
        if (i == 1000)
            world->unix_ms -= 3600000;
        struct hf_id id = hf_client_next_id(world->client);
        uint64_t ms = hf_id_time_ms(id) - hf_id_time_ms(first);
        uint64_t count = id.lo & 0xffffff;
        assert_true(ms < 2);
        uint64_t bit = ms << 24 | count;
        assert_int_equal(seen[bit / 8] >> (bit % 8) & 1, 0);
        seen[bit / 8] = (uint8_t)(seen[bit / 8] | 1u << (bit % 8));
        assert_true(id.lo >> 24 == first.lo >> 24);
        assert_true((id.hi & 0xffff) == (first.hi & 0xffff));
    }
    free(seen);
    world->unix_ms += 7200000;
    assert_true(hf_id_time_ms(hf_client_next_id(world->client)) == world->unix_ms);
    end(world);
}

static void test_wrong_options_are_refused(void **state)
{
    (void)state;
    static const struct {
        struct hf_client_options options;
        const char *word;
    } cases[] = {
        {{.servers = {NULL}}, "servers"},
        {{.servers = {"127.0.0.1"}}, "127.0.0.1"},
        {{.servers = {"nonsense:1"}}, "nonsense"},
        {{.servers = {"127.0.0.1:1", "127.0.0.1:x"}}, "127.0.0.1:x"},
        {{.servers = {"127.0.0.1:1"}, .window = HF_CLIENT_WINDOW_MAX + 1}, "window"},
        {{.servers = {"127.0.0.1:1"}, .datagram_size = 200}, "datagram_size"},
        {{.servers = {"127.0.0.1:1"}, .datagram_size = 9001}, "datagram_size"},
        {{.servers = {"127.0.0.1:1"}, .local = "here"}, "here"},
        {{.servers = {"127.0.0.1:1"}, .reserved = 1}, "reserved"},
        {{.servers = {"127.0.0.1:1"}, .transport = HF_TRANSPORT_DPDK}, "local"},
        {{.servers = {"127.0.0.1:1"}, .transport = HF_TRANSPORT_DPDK, .local = "10.0.0.1"}, "eal"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct hf_client *client = (struct hf_client *)&cases;
        struct hf_fault fault = {""};
        assert_int_equal(hf_client_open(&cases[i].options, &client, &fault), HF_STATUS_INVALID);
        assert_null(client);
        assert_non_null(strstr(fault.line, cases[i].word));
    }
    hf_client_close(NULL);
}

/* Over real sockets: nobody is there, the call comes back in time, closing is clean. */
static void test_a_kernel_client_with_nobody_there(void **state)
{
    (void)state;
    const struct hf_client_options options = {.servers = {"127.0.0.1:9"}, .retry_us = 1000};
    struct hf_client *client;
    struct hf_fault fault;
    assert_int_equal(hf_client_open(&options, &client, &fault), HF_STATUS_OK);
    union hf_operation op;
    struct hf_query_reply reply;
    hf_make_query(&op, hf_client_next_id(client), HF_QUERY_ACCOUNT, account(1));
    assert_int_equal(hf_client_call(client, &op, &reply, 20000), HF_STATUS_TIMEOUT);
    struct hf_client_counters counters;
    hf_client_count(client, &counters);
    assert_true(counters.retransmitted > 0);
    hf_client_close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_call_brings_the_answer),
        cmocka_unit_test(test_every_builder_passes_the_shape_check),
        cmocka_unit_test(test_every_builder_of_limits),
        cmocka_unit_test(test_every_builder_of_lists),
        cmocka_unit_test(test_card_builders),
        cmocka_unit_test(test_card_payments),
        cmocka_unit_test(test_full_lists),
        cmocka_unit_test(test_operations_share_datagrams),
        cmocka_unit_test(test_each_is_done_once_on_a_bad_network),
        cmocka_unit_test(test_busy_is_sent_again),
        cmocka_unit_test(test_busy_is_handed_up_when_asked_for),
        cmocka_unit_test(test_malformed_is_handed_up),
        cmocka_unit_test(test_what_is_never_answered_times_out),
        cmocka_unit_test(test_a_call_gives_up_in_time),
        cmocka_unit_test(test_a_call_leaves_other_answers_alone),
        cmocka_unit_test(test_back_off_doubles),
        cmocka_unit_test(test_waiting_follows_the_round_trip),
        cmocka_unit_test(test_window_and_ids_are_guarded),
        cmocka_unit_test(test_the_other_server_takes_over),
        cmocka_unit_test(test_strangers_are_not_heard),
        cmocka_unit_test(test_ids_never_come_twice),
        cmocka_unit_test(test_wrong_options_are_refused),
        cmocka_unit_test(test_a_kernel_client_with_nobody_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
