/* The kernel port on the loopback interface: two ports, or a port and an ordinary socket. */
#include "net/port.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define LOOPBACK    0x7f000001u
#define PAYLOAD_MAX 9000u
#define PATIENCE_US 2000000u

struct pair {
    struct hf_port *a;
    struct hf_port *b;
};

static struct hf_port *open_port(uint32_t payload_max, uint32_t depth)
{
    struct hf_port_kernel_options options = {
        .local = {.ip = LOOPBACK}, .payload_max = payload_max, .depth = depth};
    struct hf_port *port = NULL;
    struct hf_fault fault = {.line = ""};
    enum hf_status status = hf_port_kernel_open(&options, &port, &fault);
    if (status != HF_STATUS_OK)
        print_error("%s\n", fault.line);
    assert_int_equal(status, HF_STATUS_OK);
    assert_int_equal(port->maker->attach_receive(port), HF_STATUS_OK);
    assert_int_equal(port->maker->attach_send(port), HF_STATUS_OK);
    return port;
}

static int open_pair(void **state)
{
    static struct pair pair;
    pair.a = open_port(PAYLOAD_MAX, 64);
    pair.b = open_port(PAYLOAD_MAX, 64);
    *state = &pair;
    return 0;
}

static int close_pair(void **state)
{
    struct pair *pair = *state;
    pair->a->maker->destroy(pair->a);
    pair->b->maker->destroy(pair->b);
    return 0;
}

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* The byte at `offset` of the datagram `number`. */
static uint8_t pattern(uint32_t number, uint32_t offset)
{
    return (uint8_t)(number * 31 + offset * 7 + (offset >> 8));
}

static void send_one(struct hf_port *from, const struct hf_address *to, uint32_t number,
                     uint32_t length)
{
    struct hf_packet packet;
    assert_int_equal(from->maker->take(from, &packet, 1), 1);
    assert_int_equal(packet.length, 0);
    for (uint32_t i = 0; i < length; i++)
        packet.data[i] = pattern(number, i);
    packet.length = length;
    packet.peer = *to;
    from->maker->send(from, &packet, 1);
}

/* Waits for one datagram; what comes is the caller's to release. False when none comes in time. */
static bool receive_one(struct hf_port *port, struct hf_packet *packet, uint32_t patience_us)
{
    uint64_t end_us = now_us() + patience_us;
    while (port->maker->receive(port, packet, 1) == 0) {
        uint64_t time_us = now_us();
        if (time_us >= end_us)
            return false;
        port->maker->wait(port, (uint32_t)(end_us - time_us));
    }
    return true;
}

static void expect_datagram(struct hf_port *port, const struct hf_port *from, uint32_t number,
                            uint32_t length)
{
    struct hf_packet packet;
    assert_true(receive_one(port, &packet, PATIENCE_US));
    assert_int_equal(packet.length, length);
    assert_int_equal(packet.peer.ip, from->local.ip);
    assert_int_equal(packet.peer.udp, from->local.udp);
    for (uint32_t i = 0; i < length; i++)
        assert_int_equal(packet.data[i], pattern(number, i));
    port->maker->release(port, &packet, 1);
}

static void test_addresses(void **state)
{
    struct pair *pair = *state;
    assert_int_equal(pair->a->local.ip, LOOPBACK);
    assert_int_not_equal(pair->a->local.udp, 0);
    assert_int_not_equal(pair->a->local.udp, pair->b->local.udp);
    assert_string_equal(pair->a->name, "kernel");
    assert_int_equal(pair->a->payload_max, PAYLOAD_MAX);
}

static void test_every_size(void **state)
{
    struct pair *pair = *state;
    uint64_t bytes = 0;
    for (uint32_t length = 1; length <= PAYLOAD_MAX; length += length < 1600 ? 1 : 37) {
        send_one(pair->a, &pair->b->local, length, length);
        expect_datagram(pair->b, pair->a, length, length);
        bytes += length;
    }
    send_one(pair->a, &pair->b->local, 1, PAYLOAD_MAX);
    expect_datagram(pair->b, pair->a, 1, PAYLOAD_MAX);
    struct hf_port_counters sent;
    struct hf_port_counters received;
    pair->a->maker->count(pair->a, &sent);
    pair->b->maker->count(pair->b, &received);
    assert_int_equal(sent.sent, received.received);
    assert_int_equal(sent.sent_bytes, bytes + PAYLOAD_MAX);
    assert_int_equal(received.received_bytes, bytes + PAYLOAD_MAX);
    assert_int_equal(sent.dropped_full, 0);
    assert_int_equal(received.dropped_malformed, 0);
}

/* Bursts there and back, more of them than the port is deep; the borrowed packets carry the
 * sender's address, which is where the answers go. */
static void test_bursts(void **state)
{
    struct pair *pair = *state;
    struct hf_packet out[HF_PORT_BURST_MAX];
    struct hf_packet in[HF_PORT_BURST_MAX];
    for (uint32_t round = 0; round < 20; round++) {
        uint32_t burst = 1 + round * 3;
        assert_int_equal(pair->a->maker->take(pair->a, out, burst), burst);
        for (uint32_t i = 0; i < burst; i++) {
            memset(out[i].data, (int)(round + i), 200);
            out[i].length = 200;
            out[i].peer = pair->b->local;
        }
        pair->a->maker->send(pair->a, out, burst);

        uint32_t got = 0;
        uint64_t end_us = now_us() + PATIENCE_US;
        while (got < burst && now_us() < end_us) {
            uint32_t count = pair->b->maker->receive(pair->b, in + got, HF_PORT_BURST_MAX - got);
            if (count == 0)
                pair->b->maker->wait(pair->b, 1000);
            got += count;
        }
        assert_int_equal(got, burst);
        for (uint32_t i = 0; i < burst; i++) {
            assert_int_equal(in[i].data[199], (uint8_t)(round + i));
            send_one(pair->b, &in[i].peer, round + i, 50);
        }
        pair->b->maker->release(pair->b, in, burst);
        for (uint32_t i = 0; i < burst; i++)
            expect_datagram(pair->a, pair->b, round + i, 50);
    }
}

/* The caller keeps every buffer there is: datagrams wait in the socket, and come after release. */
static void test_all_buffers_borrowed(void **state)
{
    struct pair *pair = *state;
    struct hf_packet held[64];
    for (uint32_t i = 0; i < 64; i++)
        send_one(pair->a, &pair->b->local, i, 10);
    for (uint32_t i = 0; i < 64; i++)
        assert_true(receive_one(pair->b, &held[i], PATIENCE_US));
    for (uint32_t i = 64; i < 80; i++)
        send_one(pair->a, &pair->b->local, i, 10);
    struct hf_packet none;
    assert_false(receive_one(pair->b, &none, 1000));
    for (uint32_t i = 0; i < 64; i++)
        assert_int_equal(held[i].data[9], pattern(i, 9));
    pair->b->maker->release(pair->b, held, 64);
    for (uint32_t i = 64; i < 80; i++)
        expect_datagram(pair->b, pair->a, i, 10);
}

/* Longer than the receiver's payload_max: dropped whole and counted, never cut. */
static void test_oversize_dropped(void **state)
{
    struct pair *pair = *state;
    struct hf_port *narrow = open_port(100, 64);
    for (uint32_t i = 0; i < 100; i++) {
        send_one(pair->a, &narrow->local, i, 101);
        send_one(pair->a, &narrow->local, i, 100);
        expect_datagram(narrow, pair->a, i, 100);
    }
    struct hf_port_counters counters;
    narrow->maker->count(narrow, &counters);
    assert_int_equal(counters.dropped_malformed, 100);
    assert_int_equal(counters.received, 100);
    narrow->maker->destroy(narrow);
}

/* Nobody listens: the network's complaint about earlier datagrams stops nothing. */
static void test_send_to_nobody(void **state)
{
    struct pair *pair = *state;
    struct hf_port *gone = open_port(100, 64);
    struct hf_address nobody = gone->local;
    gone->maker->destroy(gone);
    for (uint32_t i = 0; i < 10; i++)
        send_one(pair->a, &nobody, i, 10);
    send_one(pair->a, &pair->b->local, 5, 10);
    expect_datagram(pair->b, pair->a, 5, 10);

    /* An address that no datagram can go to is a counted loss. */
    struct hf_port_counters before;
    struct hf_port_counters after;
    pair->a->maker->count(pair->a, &before);
    struct hf_address unreachable = {.ip = LOOPBACK, .udp = 0};
    send_one(pair->a, &unreachable, 1, 10);
    pair->a->maker->count(pair->a, &after);
    assert_int_equal(after.dropped_full, before.dropped_full + 1);
    assert_int_equal(after.sent, before.sent);
}

/* What is taken and not filled goes back without being sent; sending nothing is allowed. */
static void test_unused_go_back(void **state)
{
    struct pair *pair = *state;
    struct hf_packet packets[HF_PORT_BURST_MAX];
    for (uint32_t round = 0; round < 10; round++) {
        assert_int_equal(pair->a->maker->take(pair->a, packets, 64), 64);
        pair->a->maker->send(pair->a, packets, 64);
        pair->a->maker->send(pair->a, packets, 0);
    }
    struct hf_port_counters counters;
    pair->a->maker->count(pair->a, &counters);
    assert_int_equal(counters.sent, 0);
    /* All 64 are out: there is no 65th. */
    struct hf_packet one;
    assert_int_equal(pair->a->maker->take(pair->a, packets, 64), 64);
    assert_int_equal(pair->a->maker->take(pair->a, &one, 1), 0);
    pair->a->maker->send(pair->a, packets, 64);
}

/* Any UDP program can be the other side. */
static void test_plain_socket(void **state)
{
    struct pair *pair = *state;
    int plain = socket(AF_INET, SOCK_DGRAM, 0);
    assert_true(plain >= 0);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(pair->b->local.udp),
                             .sin_addr.s_addr = htonl(LOOPBACK)};
    assert_int_equal(sendto(plain, "hello", 5, 0, (struct sockaddr *)&to, sizeof to), 5);
    struct hf_packet packet;
    assert_true(receive_one(pair->b, &packet, PATIENCE_US));
    assert_int_equal(packet.length, 5);
    assert_memory_equal(packet.data, "hello", 5);
    send_one(pair->b, &packet.peer, 3, 20);
    pair->b->maker->release(pair->b, &packet, 1);
    uint8_t answer[64];
    assert_int_equal(recv(plain, answer, sizeof answer, 0), 20);
    assert_int_equal(answer[19], pattern(3, 19));
    close(plain);
}

static void test_wait_times_out(void **state)
{
    struct pair *pair = *state;
    uint64_t start_us = now_us();
    pair->b->maker->wait(pair->b, 20000);
    assert_true(now_us() - start_us >= 15000);
    struct hf_packet packet;
    assert_int_equal(pair->b->maker->receive(pair->b, &packet, 1), 0);
}

struct sender {
    struct hf_port *port;
    struct hf_address to;
    uint32_t count;
};

/* The sending half on a thread of its own, paced by the answers to its datagrams: `count` of them,
 * each answered before the next leaves. */
static void *run_sender(void *context)
{
    struct sender *sender = context;
    struct hf_port *port = sender->port;
    if (port->maker->attach_send(port) != HF_STATUS_OK)
        return NULL;
    for (uint32_t sent = 0; sent < sender->count;) {
        struct hf_packet packets[8];
        uint32_t taken = port->maker->take(port, packets, 8);
        for (uint32_t i = 0; i < taken; i++) {
            memcpy(packets[i].data, &sent, sizeof sent);
            packets[i].length = sizeof sent;
            packets[i].peer = sender->to;
            sent++;
        }
        port->maker->send(port, packets, taken);
    }
    return sender;
}

/* Receiving and sending halves of one port on two threads. The port sends to itself. */
static void test_halves_on_two_threads(void **state)
{
    (void)state;
    struct hf_port_kernel_options options = {.local = {.ip = LOOPBACK}};
    struct hf_port *port;
    struct hf_fault fault;
    assert_int_equal(hf_port_kernel_open(&options, &port, &fault), HF_STATUS_OK);
    assert_int_equal(port->maker->attach_receive(port), HF_STATUS_OK);
    struct sender sender = {.port = port, .to = port->local, .count = 4000};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_sender, &sender), 0);
    for (uint32_t expected = 0; expected < sender.count; expected++) {
        struct hf_packet packet;
        uint32_t number;
        assert_true(receive_one(port, &packet, PATIENCE_US));
        memcpy(&number, packet.data, sizeof number);
        assert_int_equal(number, expected);
        port->maker->release(port, &packet, 1);
    }
    void *result;
    pthread_join(thread, &result);
    assert_non_null(result);
    struct hf_port_counters counters;
    port->maker->count(port, &counters);
    assert_int_equal(counters.sent, sender.count);
    assert_int_equal(counters.received, sender.count);
    port->maker->destroy(port);
}

/* A port that is gone leaves its number free at once. */
static void test_port_number_comes_back(void **state)
{
    (void)state;
    struct hf_port *first = open_port(100, 64);
    struct hf_port_kernel_options options = {.local = first->local};
    struct hf_port *second = NULL;
    struct hf_fault fault;
    assert_int_equal(hf_port_kernel_open(&options, &second, &fault), HF_STATUS_EXISTS);
    assert_non_null(strstr(fault.line, "127.0.0.1:"));
    for (uint32_t round = 0; round < 20; round++) {
        first->maker->destroy(first);
        assert_int_equal(hf_port_kernel_open(&options, &first, &fault), HF_STATUS_OK);
        assert_int_equal(first->maker->attach_receive(first), HF_STATUS_OK);
    }
    first->maker->destroy(first);
}

static void test_bad_options(void **state)
{
    (void)state;
    struct hf_port *port = NULL;
    struct hf_fault fault;
    struct hf_port_kernel_options wide = {.local = {.ip = LOOPBACK}, .payload_max = 65508};
    assert_int_equal(hf_port_kernel_open(&wide, &port, &fault), HF_STATUS_INVALID);
    struct hf_port_kernel_options deep = {.local = {.ip = LOOPBACK}, .depth = 1u << 20};
    assert_int_equal(hf_port_kernel_open(&deep, &port, &fault), HF_STATUS_INVALID);
    /* 192.0.2.0/24 is for documents: no machine has it. */
    struct hf_port_kernel_options foreign = {.local = {.ip = 0xc0000201}};
    assert_int_equal(hf_port_kernel_open(&foreign, &port, &fault), HF_STATUS_IO);
    assert_null(port);
}

static void test_address_text(void **state)
{
    (void)state;
    struct hf_address address = {.udp = 7};
    char text[HF_ADDRESS_TEXT_SIZE];
    assert_true(hf_address_parse("10.1.2.255:65535", &address));
    assert_int_equal(address.ip, 0x0a0102ff);
    assert_int_equal(address.udp, 65535);
    assert_int_equal(hf_address_format(&address, text), 16);
    assert_string_equal(text, "10.1.2.255:65535");
    address.udp = 7;
    assert_true(hf_address_parse("255.255.255.255", &address));
    assert_int_equal(address.udp, 7);
    static const char *const bad[] = {"",
                                      "1",
                                      "1.2.3",
                                      "1.2.3.",
                                      "1.2.3.4.5",
                                      "256.1.1.1",
                                      "1.2.3.4:",
                                      "1.2.3.4:x",
                                      "1.2.3.4:65536",
                                      "1.2.3.4 ",
                                      " 1.2.3.4",
                                      "-1.2.3.4",
                                      "1.2.3.4:-1",
                                      "01.2.3.4",
                                      "1.2.3.4:080",
                                      "1.2.3.4:1:2",
                                      "a.b.c.d",
                                      "99999999999.1.1.1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct hf_address untouched = {.ip = 1, .udp = 2};
        assert_false(hf_address_parse(bad[i], &untouched));
        assert_int_equal(untouched.ip, 1);
        assert_int_equal(untouched.udp, 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_addresses, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(test_every_size, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(test_bursts, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(test_all_buffers_borrowed, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(test_oversize_dropped, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(test_send_to_nobody, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(test_unused_go_back, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(test_plain_socket, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(test_wait_times_out, open_pair, close_pair),
        cmocka_unit_test(test_halves_on_two_threads),
        cmocka_unit_test(test_port_number_comes_back),
        cmocka_unit_test(test_bad_options),
        cmocka_unit_test(test_address_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
