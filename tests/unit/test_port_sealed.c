/* The sealed port over a network that loses, doubles and reorders: what comes through is what was
 * said, once; the longest fills the port below to the last byte; nobody else is heard. */
#include "net/port_sealed.h"
#include "net/port_sim.h"
#include "net/wire.h"

#include "session_fixture.h"

#define PAYLOAD_MAX 1472u
#define NUMBERS     4000u
#define STEP_NS     UINT64_C(1000000)

struct sealed_world {
    struct hf_sim_network *network;
    struct hf_port *ports[2];
    struct hf_port *stranger;
    struct hf_key_pair keys[2];
    uint64_t random;
    bool has_come[2][NUMBERS];
    uint32_t came[2];
};

static struct sealed_world world;

static uint64_t monotonic_ns(void *context)
{
    (void)context;
    return 1000 * SECOND_NS + hf_sim_network_now(world.network) * STEP_NS;
}

static uint64_t unix_ns(void *context)
{
    return UNIX_NS + monotonic_ns(context);
}

static struct hf_port *open_plain(uint32_t ip)
{
    struct hf_address local = {.ip = ip, .udp = 4700};
    struct hf_port *port = NULL;
    struct hf_fault fault;
    assert_int_equal(hf_port_sim_open(world.network, &local, &port, &fault), HF_STATUS_OK);
    return port;
}

static struct hf_port *seal(struct hf_port *plain, uint32_t which, const struct hf_address *peer,
                            const struct hf_channel_limits *limits)
{
    const struct hf_entropy entropy = {random_fill, &world.random};
    const struct hf_port_sealed_clock clock = {monotonic_ns, unix_ns, NULL};
    struct hf_port_sealed_options options = {
        .port = plain,
        .peer = *peer,
        .cluster = {7, 9},
        .own = &world.keys[which],
        .limits = limits,
        .entropy = &entropy,
        .clock = &clock,
    };
    struct hf_port *port = NULL;
    struct hf_fault fault;
    memcpy(options.remote_key, world.keys[which].public_key, sizeof options.remote_key);
    assert_int_equal(hf_port_sealed_open(&options, &port, &fault), HF_STATUS_INVALID);
    assert_string_equal(fault.line, "is this node's own key");
    memcpy(options.remote_key, world.keys[1 - which].public_key, sizeof options.remote_key);
    assert_int_equal(hf_port_sealed_open(&options, &port, &fault), HF_STATUS_OK);
    assert_int_equal(port->maker->attach_receive(port), HF_STATUS_OK);
    assert_int_equal(port->maker->attach_send(port), HF_STATUS_OK);
    return port;
}

static void begin(const struct hf_sim_options *options, const struct hf_channel_limits *limits)
{
    memset(&world, 0, sizeof world);
    world.random = options->seed;
    world.network = hf_sim_network_create(options);
    assert_non_null(world.network);
    struct hf_port *plain[2] = {open_plain(0x0a000001), open_plain(0x0a000002)};
    world.stranger = open_plain(0x0a000003);
    for (uint32_t i = 0; i < 2; i++) {
        random_fill(&world.random, world.keys[i].private_key, HF_NOISE_KEY_SIZE);
        hf_key_pair_complete(&world.keys[i]);
    }
    for (uint32_t i = 0; i < 2; i++)
        world.ports[i] = seal(plain[i], i, &plain[1 - i]->local, limits);
    print_message("seed %" PRIu64 "\n", options->seed);
}

static void end(void)
{
    world.ports[0]->maker->destroy(world.ports[0]);
    world.ports[1]->maker->destroy(world.ports[1]);
    world.stranger->maker->destroy(world.stranger);
    hf_sim_network_destroy(world.network);
}

static struct hf_port_sealed_counters counters_of(uint32_t which)
{
    struct hf_port_sealed_counters counters;
    hf_port_sealed_count(world.ports[which], &counters);
    return counters;
}

/* Every byte follows from the number. */
static uint32_t length_of(uint32_t number)
{
    uint32_t room = PAYLOAD_MAX - HF_PEER_ROOM - 4;
    return 4 + (number % 16 == 0 ? room : (number * 2654435761u) % room);
}

static void say(uint32_t from, uint32_t number)
{
    struct hf_port *port = world.ports[from];
    struct hf_packet packet;
    if (port->maker->take(port, &packet, 1) != 1)
        return;
    packet.length = length_of(number);
    packet.peer = world.ports[1 - from]->local;
    assert_true(packet.length <= port->payload_max);
    memset(packet.data, (int)(number & 0xff), packet.length);
    memcpy(packet.data, &number, sizeof number);
    port->maker->send(port, &packet, 1);
}

static void hear(uint32_t to)
{
    struct hf_port *port = world.ports[to];
    struct hf_packet packets[HF_PORT_BURST_MAX];
    uint32_t count = port->maker->receive(port, packets, HF_PORT_BURST_MAX);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number;
        assert_true(packets[i].length >= sizeof number);
        memcpy(&number, packets[i].data, sizeof number);
        assert_true(number < NUMBERS);
        assert_int_equal(packets[i].length, length_of(number));
        for (uint32_t at = sizeof number; at < packets[i].length; at++)
            assert_int_equal(packets[i].data[at], number & 0xff);
        assert_false(world.has_come[to][number]);
        world.has_come[to][number] = true;
        world.came[to]++;
    }
    port->maker->release(port, packets, count);
}

/* A round of both, and a step of time. */
static void round_of_both(void)
{
    for (uint32_t i = 0; i < 2; i++) {
        hear(i);
        world.ports[i]->maker->send(world.ports[i], NULL, 0);
    }
    hf_sim_network_step(world.network);
}

static void join(void)
{
    for (int i = 0; i < 100 && !(counters_of(0).open && counters_of(1).open); i++)
        round_of_both();
    assert_true(counters_of(0).open && counters_of(1).open);
    for (int i = 0; i < 10; i++) /* until neither owes a word */
        round_of_both();
}

static void test_all_comes(void **state)
{
    (void)state;
    begin(&(struct hf_sim_options){.seed = 1}, NULL);
    assert_int_equal(world.ports[0]->payload_max, PAYLOAD_MAX - HF_PEER_ROOM);
    say(0, 0); /* there is no session yet */
    assert_int_equal(counters_of(0).unsent, 1);
    join();
    for (uint32_t number = 0; number < NUMBERS; number++) {
        say(0, number);
        say(1, number);
        round_of_both();
    }
    round_of_both();
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(world.came[i], NUMBERS);
        assert_int_equal(counters_of(i).fates[HF_FATE_FORGED], 0);
        assert_int_equal(counters_of(i).fates[HF_FATE_REPLAYED], 0);
    }
    assert_int_equal(counters_of(0).unsent, 1);
    end();
}

/* Losses, copies and overtaking, with keys that change every 500 datagrams: nothing comes twice or
 * changed, and most of it comes. */
static void test_bad_network(void **state)
{
    (void)state;
    struct hf_channel_limits limits = hf_peer_limits_default;
    limits.epoch_datagrams = 500;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        const struct hf_sim_options options = {
            .seed = seed,
            .faults = {.loss_permille = 100,
                       .duplicate_permille = 100,
                       .delay_min = 1,
                       .delay_max = 4,
                       .reorder_permille = 200,
                       .reorder_max = 20},
        };
        begin(&options, &limits);
        for (uint32_t number = 0; number < NUMBERS; number++) {
            say(0, number);
            say(1, number);
            round_of_both();
        }
        for (int i = 0; i < 100; i++)
            round_of_both();
        for (uint32_t i = 0; i < 2; i++) {
            assert_true(world.came[i] > NUMBERS * 8 / 10);
            assert_true(counters_of(i).fates[HF_FATE_REPLAYED] > NUMBERS / 20);
            assert_int_equal(counters_of(i).fates[HF_FATE_FORGED], 0);
            assert_int_equal(counters_of(i).fates[HF_FATE_MALFORMED], 0);
        }
        end();
    }
}

/* Anybody may send anything from another address: it is not even looked at. And packets that were
 * taken and not filled go back unsent. */
static void test_strangers(void **state)
{
    (void)state;
    struct hf_packet packets[3];
    begin(&(struct hf_sim_options){.seed = 2}, NULL);
    struct hf_port *stranger = world.stranger;
    join();
    assert_int_equal(stranger->maker->take(stranger, packets, 1), 1);
    packets[0].length = sizeof(struct hf_handshake_hello);
    memset(packets[0].data, 0, packets[0].length);
    packets[0].peer = world.ports[0]->local;
    stranger->maker->send(stranger, packets, 1);
    uint64_t fates_before = 0, fates_after = 0;
    for (int i = 0; i < HF_FATE_COUNT; i++)
        fates_before += counters_of(0).fates[i];
    round_of_both();
    round_of_both();
    for (int i = 0; i < HF_FATE_COUNT; i++)
        fates_after += counters_of(0).fates[i];
    assert_int_equal(counters_of(0).strangers, 1);
    assert_int_equal(fates_after, fates_before);
    assert_int_equal(stranger->maker->receive(stranger, packets, 1), 0);

    uint64_t sealed = counters_of(0).sealed;
    assert_int_equal(world.ports[0]->maker->take(world.ports[0], packets, 3), 3);
    world.ports[0]->maker->send(world.ports[0], packets, 3);
    assert_int_equal(counters_of(0).sealed, sealed);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_comes),
        cmocka_unit_test(test_bad_network),
        cmocka_unit_test(test_strangers),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
