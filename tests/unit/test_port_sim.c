/* The simulated network: what it promises of order, loss, copies, delay, and of being repeatable.
 */
#include "net/port_sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define IP_A 0x0a000001u
#define IP_B 0x0a000002u

struct world {
    struct hf_sim_network *network;
    struct hf_port *a;
    struct hf_port *b;
};

static struct hf_port *open_port(struct hf_sim_network *network, uint32_t ip)
{
    struct hf_address local = {.ip = ip};
    struct hf_port *port = NULL;
    struct hf_fault fault;
    assert_int_equal(hf_port_sim_open(network, &local, &port, &fault), HF_STATUS_OK);
    assert_int_equal(port->maker->attach_receive(port), HF_STATUS_OK);
    assert_int_equal(port->maker->attach_send(port), HF_STATUS_OK);
    return port;
}

static struct world open_world(struct hf_sim_options options)
{
    struct world world = {.network = hf_sim_network_create(&options)};
    assert_non_null(world.network);
    world.a = open_port(world.network, IP_A);
    world.b = open_port(world.network, IP_B);
    return world;
}

static void close_world(struct world *world)
{
    world->a->maker->destroy(world->a);
    world->b->maker->destroy(world->b);
    hf_sim_network_destroy(world->network);
}

static bool send_number(struct hf_port *from, const struct hf_port *to, uint32_t number)
{
    struct hf_packet packet;
    if (from->maker->take(from, &packet, 1) == 0)
        return false;
    memcpy(packet.data, &number, sizeof number);
    packet.length = sizeof number;
    packet.peer = to->local;
    from->maker->send(from, &packet, 1);
    return true;
}

/* Receives what is there now into `numbers`. Returns how many. */
static uint32_t receive_numbers(struct hf_port *port, uint32_t numbers[], uint32_t most)
{
    struct hf_packet packets[HF_PORT_BURST_MAX];
    uint32_t total = 0;
    uint32_t count;
    do {
        count = port->maker->receive(port, packets, HF_PORT_BURST_MAX);
        for (uint32_t i = 0; i < count; i++) {
            assert_true(total < most);
            assert_int_equal(packets[i].length, sizeof(uint32_t));
            memcpy(&numbers[total++], packets[i].data, sizeof(uint32_t));
        }
        port->maker->release(port, packets, count);
    } while (count > 0);
    return total;
}

/* Sends 0 to 999 from a to b, one a step, and goes on until nothing is under way. */
static uint32_t run_thousand(struct world *world, uint32_t numbers[], uint32_t most)
{
    uint32_t total = 0;
    for (uint32_t number = 0; number < 1000; number++) {
        assert_true(send_number(world->a, world->b, number));
        hf_sim_network_step(world->network);
        total += receive_numbers(world->b, numbers + total, most - total);
    }
    while (hf_sim_network_in_flight(world->network) > 0) {
        hf_sim_network_step(world->network);
        total += receive_numbers(world->b, numbers + total, most - total);
    }
    return total;
}

static void test_faultless(void **state)
{
    (void)state;
    struct world world = open_world((struct hf_sim_options){.seed = 1});
    uint32_t numbers[1000];
    for (uint32_t number = 0; number < 500; number++)
        assert_true(send_number(world.a, world.b, number));
    assert_int_equal(hf_sim_network_in_flight(world.network), 500);
    assert_int_equal(receive_numbers(world.b, numbers, 1000), 500);
    for (uint32_t number = 0; number < 500; number++)
        assert_int_equal(numbers[number], number);
    assert_int_equal(receive_numbers(world.a, numbers, 1000), 0);

    struct hf_port_counters sent;
    struct hf_port_counters received;
    world.a->maker->count(world.a, &sent);
    world.b->maker->count(world.b, &received);
    assert_int_equal(sent.sent, 500);
    assert_int_equal(sent.sent_bytes, 2000);
    assert_int_equal(received.received, 500);
    assert_int_equal(received.received_bytes, 2000);
    close_world(&world);
}

static void test_peer_is_the_sender(void **state)
{
    (void)state;
    struct world world = open_world((struct hf_sim_options){.seed = 1});
    struct hf_packet packet;
    assert_true(send_number(world.a, world.b, 7));
    assert_int_equal(world.b->maker->receive(world.b, &packet, 1), 1);
    assert_memory_equal(&packet.peer, &world.a->local, sizeof packet.peer);
    world.b->maker->release(world.b, &packet, 1);
    close_world(&world);
}

static void test_delay_is_exact(void **state)
{
    (void)state;
    struct world world =
        open_world((struct hf_sim_options){.seed = 2, .faults = {.delay_min = 5, .delay_max = 5}});
    uint32_t numbers[8];
    assert_true(send_number(world.a, world.b, 1));
    for (uint32_t step = 0; step < 5; step++) {
        assert_int_equal(receive_numbers(world.b, numbers, 8), 0);
        world.b->maker->wait(world.b, 1000);
    }
    assert_int_equal(hf_sim_network_now(world.network), 5);
    assert_int_equal(receive_numbers(world.b, numbers, 8), 1);
    close_world(&world);
}

static void test_loss(void **state)
{
    (void)state;
    struct world world =
        open_world((struct hf_sim_options){.seed = 3, .faults = {.loss_permille = 300}});
    uint32_t numbers[1000];
    uint32_t total = run_thousand(&world, numbers, 1000);
    assert_in_range(total, 620, 780);
    for (uint32_t i = 1; i < total; i++)
        assert_true(numbers[i - 1] < numbers[i]);
    close_world(&world);
}

static void test_duplicates(void **state)
{
    (void)state;
    struct world world =
        open_world((struct hf_sim_options){.seed = 4, .faults = {.duplicate_permille = 200}});
    static uint32_t numbers[2000];
    uint32_t seen[1000] = {0};
    uint32_t total = run_thousand(&world, numbers, 2000);
    assert_in_range(total, 1130, 1270);
    for (uint32_t i = 0; i < total; i++)
        seen[numbers[i]]++;
    for (uint32_t number = 0; number < 1000; number++)
        assert_in_range(seen[number], 1, 2);
    close_world(&world);
}

static void test_reordering(void **state)
{
    (void)state;
    struct world world = open_world(
        (struct hf_sim_options){.seed = 5, .faults = {.reorder_permille = 100, .reorder_max = 8}});
    static uint32_t numbers[1000];
    bool seen[1000] = {false};
    uint32_t backwards = 0;
    assert_int_equal(run_thousand(&world, numbers, 1000), 1000);
    for (uint32_t i = 0; i < 1000; i++) {
        assert_false(seen[numbers[i]]);
        seen[numbers[i]] = true;
        backwards += i > 0 && numbers[i - 1] > numbers[i] ? 1 : 0;
    }
    assert_in_range(backwards, 40, 110);
    close_world(&world);
}

/* Everything at once: the same seed gives the same run, another seed another. */
static void test_repeatable(void **state)
{
    (void)state;
    struct hf_sim_options options = {.faults = {.loss_permille = 100,
                                                .duplicate_permille = 100,
                                                .delay_min = 1,
                                                .delay_max = 9,
                                                .reorder_permille = 50,
                                                .reorder_max = 30}};
    static uint32_t numbers[3][2000];
    uint32_t totals[3];
    for (uint32_t run = 0; run < 3; run++) {
        options.seed = run < 2 ? 6 : 7;
        struct world world = open_world(options);
        totals[run] = run_thousand(&world, numbers[run], 2000);
        close_world(&world);
    }
    assert_int_equal(totals[0], totals[1]);
    assert_memory_equal(numbers[0], numbers[1], totals[0] * sizeof(uint32_t));
    assert_true(totals[0] != totals[2] ||
                memcmp(numbers[0], numbers[2], totals[0] * sizeof(uint32_t)) != 0);
}

static void test_one_way_cut(void **state)
{
    (void)state;
    struct world world = open_world((struct hf_sim_options){.seed = 8});
    uint32_t numbers[8];
    hf_sim_network_cut(world.network, world.a, world.b, true);
    assert_true(send_number(world.a, world.b, 1));
    assert_true(send_number(world.b, world.a, 2));
    assert_int_equal(receive_numbers(world.b, numbers, 8), 0);
    assert_int_equal(receive_numbers(world.a, numbers, 8), 1);
    hf_sim_network_cut(world.network, world.a, world.b, false);
    assert_true(send_number(world.a, world.b, 3));
    assert_int_equal(receive_numbers(world.b, numbers, 8), 1);
    assert_int_equal(numbers[0], 3);
    close_world(&world);
}

/* Bounded: when every slot is under way or borrowed there is nothing to take, and nothing leaks. */
static void test_bounded(void **state)
{
    (void)state;
    struct world world = open_world((struct hf_sim_options){.seed = 9, .depth = 10});
    uint32_t numbers[16];
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t number = 0; number < 10; number++)
            assert_true(send_number(world.a, world.b, number));
        assert_false(send_number(world.a, world.b, 10));
        assert_int_equal(receive_numbers(world.b, numbers, 16), 10);
    }
    struct hf_packet packets[10];
    assert_int_equal(world.a->maker->take(world.a, packets, 10), 10);
    world.a->maker->send(world.a, packets, 10); /* none filled: all go back */
    assert_int_equal(hf_sim_network_in_flight(world.network), 0);
    assert_true(send_number(world.a, world.b, 1));
    close_world(&world);
}

static void test_ports_come_and_go(void **state)
{
    (void)state;
    struct hf_sim_options options = {.seed = 10};
    struct hf_sim_network *network = hf_sim_network_create(&options);
    struct hf_port *a = open_port(network, IP_A);
    struct hf_port *second = open_port(network, IP_A);
    assert_int_not_equal(a->local.udp, second->local.udp);
    struct hf_port *again = NULL;
    struct hf_fault fault;
    struct hf_address nowhere = {.ip = 0};
    assert_int_equal(hf_port_sim_open(network, &a->local, &again, &fault), HF_STATUS_EXISTS);
    assert_int_equal(hf_port_sim_open(network, &nowhere, &again, &fault), HF_STATUS_INVALID);

    /* Under way to a port that goes: lost. To the one that takes its address: delivered. */
    struct hf_address address = second->local;
    uint32_t numbers[4];
    assert_true(send_number(a, second, 1));
    second->maker->destroy(second);
    assert_int_equal(hf_sim_network_in_flight(network), 0);
    assert_int_equal(hf_port_sim_open(network, &address, &again, &fault), HF_STATUS_OK);
    assert_int_equal(receive_numbers(again, numbers, 4), 0);
    assert_true(send_number(a, again, 2));
    assert_int_equal(receive_numbers(again, numbers, 4), 1);
    again->maker->destroy(again);
    a->maker->destroy(a);
    hf_sim_network_destroy(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faultless),      cmocka_unit_test(test_peer_is_the_sender),
        cmocka_unit_test(test_delay_is_exact), cmocka_unit_test(test_loss),
        cmocka_unit_test(test_duplicates),     cmocka_unit_test(test_reordering),
        cmocka_unit_test(test_repeatable),     cmocka_unit_test(test_one_way_cut),
        cmocka_unit_test(test_bounded),        cmocka_unit_test(test_ports_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
