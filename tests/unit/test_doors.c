/* A node's pollers with sessions and the client library, in one thread over a simulated network:
 * handshake, seals counted, keys that change, a node that was started again, and what origins may
 * do. The node's clock is the machine's; the client's is this test's. */
#include "cipher_count.h"
#include "net/client.h"
#include "poller_world.h"

#include <stdio.h>
#include <unistd.h>

#define SECOND_NS    UINT64_C(1000000000)
#define ROUNDS_MAX   20000
#define FAMILY       UINT64_C(0x51)
#define DATAGRAM_MAX 1472

/* ---- a node with a door, and clients */

struct place {
    struct world *world;
    struct door door;
    struct config config;
    char directory[64];
    char node_key[HF_KEY_DIGITS_SIZE];
    uint64_t now_ns; /* the clients' */
    struct hf_channel_limits limits;
    uint64_t seed;
};

static struct place place;

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", place.directory, name);
    return path;
}

/* A new key in a file of this name; its public half in `text`. */
static void make_key(const char *name, char text[HF_KEY_DIGITS_SIZE])
{
    struct hf_key_pair pair;
    struct hf_fault fault;
    hf_key_generate(&pair);
    assert_int_equal(hf_key_write(path_of(name), &pair, &fault), HF_STATUS_OK);
    hf_key_text(pair.public_key, text);
}

static void write_origins(const char *text)
{
    FILE *file = fopen(path_of("origins"), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void open_door(void)
{
    struct hf_fault fault = {{0}};
    if (door_open(&place.door, &place.config, (struct hf_id){1, 0}, &fault) != HF_STATUS_OK)
        fail_msg("%s", fault.line);
    place.world->receiver.door = &place.door;
    place.world->transmitter.sealer = &place.door.sealer;
    hf_key_text(place.door.own->public_key, place.node_key);
}

static void begin(const char *origins)
{
    memset(&place, 0, sizeof place);
    place.world = world_make(BUNDLES_MAX);
    snprintf(place.directory, sizeof place.directory, "doors.XXXXXX");
    assert_non_null(mkdtemp(place.directory));
    snprintf(place.config.data_directory, sizeof place.config.data_directory, "%s",
             place.directory);
    snprintf(place.config.session_key, sizeof place.config.session_key, "session-key");
    snprintf(place.config.origins_file, sizeof place.config.origins_file, "%s", path_of("origins"));
    place.config.security = CONFIG_SECURITY_ON;
    place.config.origins_max = 8;
    place.config.sessions_per_origin = 4;
    place.config.handshakes_seen = place.config.handshakes_address = place.config.handshakes =
        place.config.handshakes_free = 100000;
    place.config.handshakes_host = 100000;
    place.now_ns = 1000 * SECOND_NS;
    place.limits = hf_channel_limits_default;

    char text[4096], first[HF_KEY_DIGITS_SIZE], second[HF_KEY_DIGITS_SIZE];
    make_key("first", first);
    make_key("second", second);
    snprintf(text, sizeof text, origins, first, second);
    write_origins(text);
    open_door();
}

static void end(void)
{
    static const char *const names[] = {"first", "second", "stranger", "session-key", "origins"};
    world_assert_all_home(place.world);
    door_close(&place.door);
    world_destroy(place.world);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unlink(path_of(names[i]));
    assert_int_equal(rmdir(place.directory), 0);
}

static const char everything[] = "[origin 1]\nkey = %s\nallow = all\naccounts = all\n"
                                 "instruments = all\n[origin 2]\nkey = %s\nallow = all\n"
                                 "accounts = all\ninstruments = all\n";

static uint64_t client_ns(void *context)
{
    (void)context;
    return place.now_ns;
}

static uint64_t client_unix_ms(void *context)
{
    struct timespec now;
    (void)context;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static struct hf_client *open_client(uint32_t port, const char *key)
{
    const struct hf_client_clock clock = {client_ns, client_unix_ms, NULL, &place.limits};
    char server[HF_ADDRESS_TEXT_SIZE], key_path[128];
    struct hf_client *client;
    struct hf_fault fault;
    hf_address_format(&place.world->server->local, server);
    snprintf(key_path, sizeof key_path, "%s/%s", place.directory, key);
    const struct hf_client_options options = {
        .servers = {server},
        .key_file = key_path,
        .node_keys = {place.node_key},
        .datagram_size = DATAGRAM_MAX,
        .window = 4096,
    };
    if (hf_client_open_on(&options, place.world->clients[port], &clock, ++place.seed, &client,
                          &fault) != HF_STATUS_OK)
        fail_msg("%s", fault.line);
    return client;
}

/* The client owns its port, and takes it along. */
static void close_client(uint32_t port, struct hf_client *client)
{
    struct hf_address address = place.world->clients[port]->local;
    struct hf_fault fault;
    hf_client_close(client);
    assert_int_equal(
        hf_port_sim_open(place.world->network, &address, &place.world->clients[port], &fault),
        HF_STATUS_OK);
}

static void poll_node(void)
{
    receiver_poll(&place.world->receiver);
    orderer_poll(&place.world->orderer);
    logger_poll(&place.world->logger);
    transmitter_poll(&place.world->transmitter);
}

/* Everybody works until `count` answers are there, each of which must be this. Time stands still
 * while there is anything to do. */
static void collect(struct hf_client *client, uint32_t count, uint16_t code, uint8_t rule)
{
    struct hf_answer list[64];
    for (uint32_t rounds = 0; count > 0; rounds++) {
        assert_true(rounds < ROUNDS_MAX);
        uint32_t got = hf_client_poll(client, list, count < 64 ? count : 64);
        for (uint32_t i = 0; i < got; i++)
            world_assert_verdict(&list[i].reply.reply, code, rule);
        count -= got;
        poll_node();
        place.now_ns += got == 0 ? 1000000 : 0;
    }
}

static union hf_operation move_of(struct hf_client *client)
{
    union hf_operation op = world_move(place.world, 1);
    op.header.id = hf_client_next_id(client);
    return op;
}

static void submit(struct hf_client *client, const union hf_operation *op)
{
    assert_int_equal(hf_client_submit(client, op, NULL), HF_STATUS_OK);
}

static void ask(struct hf_client *client, const union hf_operation *op, uint16_t code, uint8_t rule)
{
    submit(client, op);
    collect(client, 1, code, rule);
}

static uint64_t fate(enum hf_fate which)
{
    return atomic_load(&place.door.fates[which]);
}

/* ---- sessions */

static void test_one_seal_a_datagram(void **state)
{
    (void)state;
    begin(everything);
    struct hf_client *client = open_client(0, "first");
    struct hf_client_counters counters;
    union hf_operation op = move_of(client);
    ask(client, &op, HF_CODE_OK, 0); /* the handshake */
    hf_client_count(client, &counters);
    uint64_t sent = counters.datagrams_sent, received = counters.datagrams_received;
    uint64_t answered = atomic_load(&place.world->transmitter.datagrams);

    seal_count = open_count = 0;
    for (uint32_t i = 0; i < 1600; i++) {
        op = move_of(client);
        submit(client, &op);
    }
    collect(client, 1600, HF_CODE_OK, 0);
    hf_client_count(client, &counters);
    sent = counters.datagrams_sent - sent;
    received = counters.datagrams_received - received;
    answered = atomic_load(&place.world->transmitter.datagrams) - answered;
    assert_int_equal(seal_count, sent + answered);
    assert_int_equal(open_count, sent + received);
    assert_int_equal(received, answered);
    assert_true(sent >= 1600 / 18 && sent <= 1600 / 16);
    assert_true(answered <= 1600 / 20);
    assert_int_equal(fate(HF_FATE_OPENED), sent + 1);
    assert_int_equal(atomic_load(&place.world->transmitter.sealed), answered + 1);
    close_client(0, client);
    end();
}

static void test_strangers_hear_nothing(void **state)
{
    struct hf_answer list[1];
    char text[HF_KEY_DIGITS_SIZE];
    (void)state;
    begin(everything);
    make_key("stranger", text);
    struct hf_client *client = open_client(0, "stranger");
    struct hf_client_counters counters;
    union hf_operation op = move_of(client);
    submit(client, &op);
    for (int i = 0; i < 500; i++) {
        assert_int_equal(hf_client_poll(client, list, 1), 0);
        poll_node();
        place.now_ns += SECOND_NS / 100;
    }
    hf_client_count(client, &counters);
    assert_int_equal(counters.datagrams_received, 0);
    assert_true(fate(HF_FATE_UNKNOWN_ORIGIN) >= 5);
    close_client(0, client);

    world_send(place.world, 0, &op, 1, 7); /* plain */
    poll_node();
    assert_int_equal(fate(HF_FATE_UNSEALED), 1);
    world_collect(place.world);
    assert_int_equal(answers[0].count, 0);
    assert_int_equal(world_posted(place.world, WALLET), 0);
    end();
}

static void test_cookie(void **state)
{
    (void)state;
    begin(everything);
    place.door.table.config.free_per_s = 0;
    struct hf_client *client = open_client(0, "first");
    union hf_operation op = move_of(client);
    uint64_t began_ns = place.now_ns;
    ask(client, &op, HF_CODE_OK, 0);
    assert_int_equal(fate(HF_FATE_COOKIE), 1);
    assert_int_equal(fate(HF_FATE_WELCOMED), 1);
    assert_true(place.now_ns - began_ns < SECOND_NS); /* at once, not with the next hello */
    close_client(0, client);
    end();
}

/* The epoch in which the node answers. */
static uint32_t node_epoch(void)
{
    uint64_t epoch = 0;
    for (uint32_t i = 0; i < place.door.sealer.session_count; i++) {
        uint64_t of = atomic_load(&place.door.table.slates[i].epoch);
        epoch = of > epoch ? of : epoch;
    }
    return (uint32_t)epoch;
}

static void test_keys_change_by_count(void **state)
{
    (void)state;
    begin(everything);
    place.limits.epoch_datagrams = 10;
    struct hf_client *client = open_client(0, "first");
    for (int i = 0; i < 200; i++) {
        union hf_operation op = move_of(client);
        ask(client, &op, HF_CODE_OK, 0);
    }
    assert_in_range(node_epoch(), 15, 20);
    assert_int_equal(fate(HF_FATE_WELCOMED), 1);
    assert_int_equal(fate(HF_FATE_OPENED), 200);
    close_client(0, client);
    end();
}

static void test_keys_change_by_time(void **state)
{
    (void)state;
    begin(everything);
    struct hf_client *client = open_client(0, "first");
    for (int i = 0; i < 10; i++) {
        union hf_operation op = move_of(client);
        ask(client, &op, HF_CODE_OK, 0);
        ask(client, &op, HF_CODE_OK, 0);
        place.now_ns += 130 * SECOND_NS;
    }
    assert_int_equal(node_epoch(), 9);
    assert_int_equal(fate(HF_FATE_WELCOMED), 1);
    /* And after fifty minutes there is another session. */
    place.now_ns += 3600 * SECOND_NS;
    union hf_operation op = move_of(client);
    ask(client, &op, HF_CODE_OK, 0);
    assert_int_equal(fate(HF_FATE_WELCOMED), 2);
    close_client(0, client);
    end();
}

static void test_node_started_again(void **state)
{
    (void)state;
    begin(everything);
    struct hf_client *client = open_client(0, "first");
    union hf_operation op = move_of(client);
    ask(client, &op, HF_CODE_OK, 0);
    for (int i = 0; i < 3; i++) {
        door_close(&place.door);
        open_door();
        uint64_t began_ns = place.now_ns;
        op = move_of(client);
        ask(client, &op, HF_CODE_OK, 0);
        assert_true(fate(HF_FATE_UNKNOWN_SESSION) >= 1);
        assert_int_equal(fate(HF_FATE_WELCOMED), 1);
        assert_true(place.now_ns - began_ns < 2 * SECOND_NS);
    }
    close_client(0, client);
    end();
}

/* Each client has its own session; what one is sent the other cannot open. */
static void test_two_clients(void **state)
{
    (void)state;
    begin(everything);
    struct hf_client *clients[2] = {open_client(0, "first"), open_client(1, "second")};
    for (int i = 0; i < 100; i++) {
        union hf_operation op = move_of(clients[i % 2]);
        ask(clients[i % 2], &op, HF_CODE_OK, 0);
    }
    assert_int_equal(fate(HF_FATE_WELCOMED), 2);
    assert_int_equal(fate(HF_FATE_OPENED), 100);
    assert_int_equal(hf_session_count(&place.door.table, 0), 1);
    assert_int_equal(hf_session_count(&place.door.table, 1), 1);
    close_client(0, clients[0]);
    close_client(1, clients[1]);
    end();
}

/* ---- origins */

static const char narrow[] =
    "[origin 1]\nname = operator\nkey = %s\nallow = all\naccounts = all\ninstruments = all\n"
    "[origin 2]\nname = acquirer\nkey = %s\nallow = MOVE HOLD CAPTURE CHAIN QUERY\n"
    "accounts = 0x51 0x52\n";

static union hf_operation account_in(struct hf_client *client, uint64_t family, uint64_t number)
{
    union hf_operation op;
    hf_make_account_put(&op, hf_client_next_id(client), (struct hf_id){number, family}, ASSET,
                        HF_FLOOR_NONE, HF_ACCOUNT_OPEN);
    return op;
}

static union hf_operation move_in(struct hf_client *client, uint64_t from, uint64_t to)
{
    union hf_operation op;
    hf_make_move(&op, hf_client_next_id(client), (struct hf_id){1, from}, (struct hf_id){2, to}, 5,
                 ASSET);
    return op;
}

static void test_forbidden(void **state)
{
    (void)state;
    begin(narrow);
    struct hf_client *boss = open_client(0, "first"), *acquirer = open_client(1, "second");
    for (uint64_t family = 0x51; family <= 0x53; family++) {
        for (uint64_t number = 1; number <= 2; number++) {
            union hf_operation op = account_in(boss, family, number);
            ask(boss, &op, HF_CODE_OK, 0);
        }
    }
    union hf_operation op = move_in(acquirer, 0x51, 0x52);
    ask(acquirer, &op, HF_CODE_OK, 0);
    uint64_t place_before = hf_ledger_place(place.world->ledger);
    op = move_in(acquirer, 0x51, 0x53); /* a payee out of reach */
    ask(acquirer, &op, HF_CODE_NOT_PERMITTED, HF_RULE_ORIGIN);
    assert_int_equal(hf_ledger_place(place.world->ledger), place_before + 1);
    ask(acquirer, &op, HF_CODE_NOT_PERMITTED, HF_RULE_ORIGIN); /* again: the same answer */
    assert_int_equal(hf_ledger_place(place.world->ledger), place_before + 1);
    op = account_in(acquirer, 0x51, 9); /* a type that it may not send */
    ask(acquirer, &op, HF_CODE_NOT_PERMITTED, HF_RULE_ORIGIN);
    assert_int_equal(hf_ledger_place(place.world->ledger), place_before + 2);

    union hf_operation_buffer chain;
    hf_make_chain_begin(&chain, hf_client_next_id(acquirer));
    op = move_in(acquirer, 0x51, 0x52);
    assert_true(hf_chain_add(&chain, &op));
    op = move_in(acquirer, 0x53, 0x52);
    assert_true(hf_chain_add(&chain, &op));
    ask(acquirer, &chain.operation, HF_CODE_NOT_PERMITTED, HF_RULE_ORIGIN);

    hf_make_query(&op, hf_client_next_id(acquirer), HF_QUERY_ACCOUNT, (struct hf_id){1, 0x53});
    ask(acquirer, &op, HF_CODE_NOT_PERMITTED, HF_RULE_ORIGIN);
    hf_make_query(&op, hf_client_next_id(acquirer), HF_QUERY_ACCOUNT, (struct hf_id){2, 0x52});
    ask(acquirer, &op, HF_CODE_OK, 0);
    assert_int_equal(atomic_load(&place.door.forbidden), 5);
    close_client(0, boss);
    close_client(1, acquirer);
    end();
}

/* A hold is its maker's: another origin neither captures nor sees it, and it cannot pretend. */
static void test_holds_are_their_origins(void **state)
{
    (void)state;
    begin("[origin 1]\nkey = %s\nallow = all\naccounts = all\ninstruments = none\n"
          "[origin 2]\nkey = %s\nallow = all\naccounts = all\n");
    struct hf_client *clients[2] = {open_client(0, "first"), open_client(1, "second")};
    union hf_operation op, hold;
    hf_make_hold(&hold, hf_client_next_id(clients[0]), (struct hf_id){ISSUER, 0},
                 (struct hf_id){WALLET, 0}, 7, ASSET);
    ask(clients[0], &hold, HF_CODE_OK, 0);
    hf_make_capture(&op, hf_client_next_id(clients[1]), hold.header.id, HF_AMOUNT_ALL, true);
    ask(clients[1], &op, HF_CODE_NOT_PERMITTED, HF_RULE_ORIGIN);
    hf_make_query(&op, hf_client_next_id(clients[1]), HF_QUERY_HOLD, hold.header.id);
    ask(clients[1], &op, HF_CODE_NOT_PERMITTED, HF_RULE_ORIGIN);
    hf_make_query(&op, hf_client_next_id(clients[1]), HF_QUERY_OPERATION, hold.header.id);
    ask(clients[1], &op, HF_CODE_NOT_PERMITTED, HF_RULE_ORIGIN);
    hf_make_query(&op, hf_client_next_id(clients[0]), HF_QUERY_HOLD, hold.header.id);
    ask(clients[0], &op, HF_CODE_OK, 0);
    hf_make_query(&op, hf_client_next_id(clients[0]), HF_QUERY_OPERATION, hold.header.id);
    ask(clients[0], &op, HF_CODE_OK, 0);
    hf_make_capture(&op, hf_client_next_id(clients[1]), hold.header.id, HF_AMOUNT_ALL, true);
    op.header.origin = 1;
    ask(clients[1], &op, HF_CODE_MALFORMED, HF_RULE_ORIGIN);
    hf_make_capture(&op, hf_client_next_id(clients[1]), hold.header.id, HF_AMOUNT_ALL, true);
    op.header.flags = HF_OP_FORBIDDEN;
    ask(clients[1], &op, HF_CODE_UNSUPPORTED, HF_RULE_FLAGS);
    hf_make_capture(&op, hf_client_next_id(clients[0]), hold.header.id, HF_AMOUNT_ALL, true);
    ask(clients[0], &op, HF_CODE_OK, 0);
    close_client(0, clients[0]);
    close_client(1, clients[1]);
    end();
}

/* Whoever asks too often is told BUSY, and others are not. */
static void test_rates(void **state)
{
    (void)state;
    begin("[origin 1]\nkey = %s\nallow = all\naccounts = all\nqueries = 50\nrate = 100\n"
          "[origin 2]\nkey = %s\nallow = all\naccounts = all\n");
    struct hf_client *clients[2] = {open_client(0, "first"), open_client(1, "second")};
    union hf_operation op = move_of(clients[0]);
    ask(clients[0], &op, HF_CODE_OK, 0);
    for (int i = 0; i < 100; i++) {
        hf_make_query(&op, hf_client_next_id(clients[0]), HF_QUERY_ACCOUNT,
                      (struct hf_id){WALLET, 0});
        submit(clients[0], &op);
        op = move_of(clients[0]);
        submit(clients[0], &op);
    }
    for (int i = 0; i < 20; i++) {
        struct hf_answer list[64];
        hf_client_poll(clients[0], list, 64);
        poll_node();
    }
    /* A tenth of a second's worth may come at once, and what time has passed: of 200 the most are
     * refused. */
    assert_in_range(atomic_load(&place.door.over_rate), 100, 190);
    op = move_of(clients[1]);
    ask(clients[1], &op, HF_CODE_OK, 0);
    close_client(0, clients[0]);
    close_client(1, clients[1]);
    end();
}

static void reload(enum hf_status expected)
{
    struct hf_fault fault = {{0}};
    atomic_bool quit = true; /* nobody polls meanwhile */
    assert_int_equal(door_reload(&place.door, &place.config, &quit, &fault), expected);
    if (expected != HF_STATUS_OK)
        assert_non_null(strstr(fault.line, path_of("origins")));
    poll_node();
}

static void test_reload(void **state)
{
    char text[1024], keys[2][HF_KEY_DIGITS_SIZE];
    uint8_t key[HF_NOISE_KEY_SIZE];
    struct hf_fault fault;
    (void)state;
    begin(everything);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(hf_key_read_public(path_of(i == 0 ? "first" : "second"), key, &fault), 0);
        hf_key_text(key, keys[i]);
    }
    struct hf_client *clients[2] = {open_client(0, "first"), open_client(1, "second")};
    union hf_operation op = move_of(clients[0]), old = op;
    ask(clients[0], &op, HF_CODE_OK, 0);
    op = move_of(clients[1]);
    ask(clients[1], &op, HF_CODE_OK, 0);

    /* The second goes, the first may only ask. What it had done before it may hear again. */
    snprintf(text, sizeof text, "[origin 1]\nkey = %s\nallow = QUERY\naccounts = all\n", keys[0]);
    write_origins(text);
    reload(HF_STATUS_OK);
    assert_int_equal(hf_session_count(&place.door.table, 1), 0);
    op = move_of(clients[0]);
    ask(clients[0], &op, HF_CODE_NOT_PERMITTED, HF_RULE_ORIGIN);
    ask(clients[0], &old, HF_CODE_OK, 0);
    assert_int_equal(fate(HF_FATE_WELCOMED), 2);

    /* A wrong file changes nothing. */
    write_origins("[origin 1]\nkey = 12\n");
    reload(HF_STATUS_INVALID);
    ask(clients[0], &old, HF_CODE_OK, 0);

    /* They change their numbers. The refusal stands, whatever is allowed now. */
    snprintf(text, sizeof text, everything, keys[1], keys[0]);
    write_origins(text);
    reload(HF_STATUS_OK);
    ask(clients[0], &op, HF_CODE_NOT_PERMITTED, HF_RULE_ORIGIN);
    op = move_of(clients[0]);
    ask(clients[0], &op, HF_CODE_OK, 0);
    op = move_of(clients[1]);
    ask(clients[1], &op, HF_CODE_OK, 0);
    close_client(0, clients[0]);
    close_client(1, clients[1]);
    end();
}

/* Those who go while their datagrams wait in a line have said nothing; those who stay are served.
 */
static void test_gone_while_waiting(void **state)
{
    char text[1024], keys[HF_KEY_DIGITS_SIZE];
    uint8_t key[HF_NOISE_KEY_SIZE];
    struct hf_fault fault;
    (void)state;
    begin(everything);
    struct receiver *receiver = &place.world->receiver;
    struct hf_client *clients[2] = {open_client(0, "first"), open_client(1, "second")};
    union hf_operation op;
    for (int i = 0; i < 2; i++) {
        op = move_of(clients[i]);
        ask(clients[i], &op, HF_CODE_OK, 0);
    }
    uint64_t unanswered = atomic_load(&receiver->unanswered);
    /* The order poller stands still: what is beyond its due waits, the newest in lines. */
    for (uint32_t i = 0; atomic_load(&receiver->lined_up) < 8; i++) {
        op = move_of(clients[i % 2]);
        submit(clients[i % 2], &op);
        hf_client_flush(clients[i % 2]);
        receiver_poll(receiver);
        assert_true(i < BUNDLES_MAX);
    }
    assert_int_equal(receiver->lines.waiting, 8);
    assert_int_equal(hf_key_read_public(path_of("first"), key, &fault), 0);
    hf_key_text(key, keys);
    snprintf(text, sizeof text,
             "[origin 1]\nkey = %s\nallow = all\naccounts = all\ninstruments = all\n", keys);
    write_origins(text);
    reload(HF_STATUS_OK);
    for (int i = 0; i < 10; i++)
        poll_node();
    assert_int_equal(atomic_load(&receiver->unanswered) - unanswered, 4);
    struct hf_answer list[64];
    assert_in_range(hf_client_poll(clients[0], list, 64), 8, BUNDLES_MAX);
    close_client(0, clients[0]);
    close_client(1, clients[1]);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_seal_a_datagram),
        cmocka_unit_test(test_strangers_hear_nothing),
        cmocka_unit_test(test_cookie),
        cmocka_unit_test(test_keys_change_by_count),
        cmocka_unit_test(test_keys_change_by_time),
        cmocka_unit_test(test_node_started_again),
        cmocka_unit_test(test_two_clients),
        cmocka_unit_test(test_forbidden),
        cmocka_unit_test(test_holds_are_their_origins),
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_reload),
        cmocka_unit_test(test_gone_while_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
