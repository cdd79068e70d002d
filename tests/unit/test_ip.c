/* Frames: bytes that known programs make, byte for byte, and a truth table of hostile ones.
 *
 * Each frame is read from a buffer of exactly its size, so that a sanitizer sees a read past the
 * end. */
#include "net/ip.h"
#include "net/neighbour.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define IP_US      0x0a000001u /* 10.0.0.1 */
#define IP_PEER    0x0a000002u /* 10.0.0.2 */
#define UDP_US     4600
#define UDP_PEER   50000
#define FRAME_SIZE 2048

static const struct hf_address us = {.ip = IP_US, .udp = UDP_US, .ether = {0x02, 0, 0, 0, 0, 0x01}};
static const struct hf_address peer = {
    .ip = IP_PEER, .udp = UDP_PEER, .ether = {0x02, 0, 0, 0, 0, 0x02}};

static enum hf_ip_kind parse(const uint8_t *frame, size_t length, unsigned trust,
                             struct hf_ip_packet *packet)
{
    uint8_t *exact = malloc(length + 1);
    assert_non_null(exact);
    memcpy(exact + 1, frame, length);
    enum hf_ip_kind kind = hf_ip_parse(&us, exact + 1, length, trust, packet);
    free(exact);
    return kind;
}

static enum hf_ip_kind kind_of(const uint8_t *frame, size_t length)
{
    struct hf_ip_packet packet;
    return parse(frame, length, 0, &packet);
}

/* A datagram from the peer to us. Returns the frame's length. */
static size_t make_datagram(uint8_t frame[FRAME_SIZE], uint32_t payload_length)
{
    memset(frame, 0, FRAME_SIZE);
    for (uint32_t i = 0; i < payload_length; i++)
        frame[HF_IP_UDP_HEADERS_SIZE + i] = (uint8_t)(i * 3 + 1);
    hf_ip_write_udp(&peer, &us, frame, payload_length, false);
    return HF_IP_UDP_HEADERS_SIZE + payload_length;
}

/* Makes the IPv4 header's checksum right again after a test has changed the header. */
static void mend_header(uint8_t *frame)
{
    frame[24] = 0;
    frame[25] = 0;
    uint16_t checksum = hf_ip_checksum(frame + 14, 20, 0);
    frame[24] = (uint8_t)(checksum >> 8);
    frame[25] = (uint8_t)checksum;
}

/* ---- checksums */

/* The plain way, two bytes at a time. */
static uint16_t slow_checksum(const uint8_t *bytes, size_t length, uint32_t start)
{
    uint64_t sum = start;
    for (size_t i = 0; i < length; i++)
        sum += i % 2 == 0 ? (uint64_t)bytes[i] << 8 : bytes[i];
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void test_checksum(void **state)
{
    (void)state;
    /* The example of RFC 1071, section 3: the sum is ddf2. */
    const uint8_t example[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    assert_int_equal(hf_ip_checksum(example, sizeof example, 0), (uint16_t)~0xddf2);

    uint8_t bytes[600];
    uint64_t x = 88172645463325252ull;
    for (size_t i = 0; i < sizeof bytes; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        bytes[i] = (uint8_t)x;
    }
    for (size_t offset = 0; offset < 9; offset++)
        for (size_t length = 0; length + offset <= sizeof bytes; length++)
            assert_int_equal(hf_ip_checksum(bytes + offset, length, (uint32_t)length * 99),
                             slow_checksum(bytes + offset, length, (uint32_t)length * 99));
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(hf_ip_checksum(bytes, sizeof bytes, 0), 0);
}

/* ---- what we write */

static void test_udp_bytes(void **state)
{
    (void)state;
    /* Made with an independent program (Python's struct and the sums of RFC 768 and 791 by hand).
     */
    static const uint8_t expected[] = {
        0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, /* */
        0x45, 0x00, 0x00, 0x21, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0x26, 0xca,             /* */
        0x0a, 0x00, 0x00, 0x01, 0x0a, 0x00, 0x00, 0x02,                                     /* */
        0x11, 0xf8, 0xc3, 0x50, 0x00, 0x0d, 0xd2, 0xb6,                                     /* */
        'h',  'e',  'l',  'l',  'o'};
    uint8_t frame[FRAME_SIZE] = {0};
    memcpy(frame + HF_IP_UDP_HEADERS_SIZE, "hello", 5);
    hf_ip_write_udp(&us, &peer, frame, 5, false);
    assert_memory_equal(frame, expected, sizeof expected);

    /* Offloaded: no header checksum, and the pseudo-header's sum, not inverted, in UDP's. */
    memset(frame, 0, HF_IP_UDP_HEADERS_SIZE);
    hf_ip_write_udp(&us, &peer, frame, 5, true);
    assert_int_equal(frame[24] << 8 | frame[25], 0);
    assert_int_equal(frame[40] << 8 | frame[41], 0x0a00 + 0x0001 + 0x0a00 + 0x0002 + 17 + 13);
    frame[24] = 0x26;
    frame[25] = 0xca;
    frame[40] = 0xd2;
    frame[41] = 0xb6;
    assert_memory_equal(frame, expected, sizeof expected);
}

static void test_udp_there_and_back(void **state)
{
    (void)state;
    uint8_t frame[FRAME_SIZE];
    for (uint32_t length = 0; length <= 1472; length++) {
        struct hf_ip_packet packet;
        size_t size = make_datagram(frame, length);
        assert_int_equal(parse(frame, size, 0, &packet), HF_IP_UDP);
        assert_int_equal(packet.payload_offset, HF_IP_UDP_HEADERS_SIZE);
        assert_int_equal(packet.payload_length, length);
        assert_memory_equal(&packet.peer, &peer, sizeof peer);
    }
    /* Padding up to the shortest frame, or a trailer, is not payload. */
    struct hf_ip_packet packet;
    make_datagram(frame, 3);
    assert_int_equal(parse(frame, 60, 0, &packet), HF_IP_UDP);
    assert_int_equal(packet.payload_length, 3);
}

/* A checksum that comes out as zero is sent as all ones: zero says that there is none. */
static void test_udp_checksum_zero(void **state)
{
    (void)state;
    uint8_t frame[FRAME_SIZE] = {0};
    struct hf_ip_packet packet;
    hf_ip_write_udp(&peer, &us, frame, 2, false);
    /* The payload that the checksum of a zero payload is makes the sum all ones. */
    uint8_t high = frame[40];
    uint8_t low = frame[41];
    frame[42] = high;
    frame[43] = low;
    hf_ip_write_udp(&peer, &us, frame, 2, false);
    assert_int_equal(frame[40] << 8 | frame[41], 0xffff);
    assert_int_equal(parse(frame, 44, 0, &packet), HF_IP_UDP);
    /* No checksum: taken as it is. */
    frame[40] = 0;
    frame[41] = 0;
    frame[43] ^= 1;
    assert_int_equal(parse(frame, 44, 0, &packet), HF_IP_UDP);
}

static void test_arp(void **state)
{
    (void)state;
    /* As Linux asks: who has 10.0.0.1? Tell 10.0.0.2. */
    static const uint8_t request[42] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x08, 0x06, /* */
        0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x01,                                     /* */
        0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x0a, 0x00, 0x00, 0x02,                         /* */
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0a, 0x00, 0x00, 0x01};
    static const uint8_t reply[HF_IP_ARP_FRAME_SIZE] = {
        0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x08, 0x06, /* */
        0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x02,                                     /* */
        0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x0a, 0x00, 0x00, 0x01,                         /* */
        0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x0a, 0x00, 0x00, 0x02};
    struct hf_ip_packet packet;
    uint8_t frame[FRAME_SIZE];
    assert_int_equal(parse(request, sizeof request, 0, &packet), HF_IP_ARP_REQUEST);
    assert_int_equal(packet.peer.ip, IP_PEER);
    assert_memory_equal(packet.peer.ether, peer.ether, 6);
    hf_ip_write_arp_reply(&us, &packet.peer, frame);
    assert_memory_equal(frame, reply, sizeof reply);

    /* Our question is the one above; their answer is understood. */
    hf_ip_write_arp_request(&peer, IP_US, frame);
    assert_memory_equal(frame, request, sizeof request);
    hf_ip_write_arp_reply(&peer, &us, frame);
    assert_int_equal(parse(frame, HF_IP_ARP_FRAME_SIZE, 0, &packet), HF_IP_ARP_REPLY);
    assert_int_equal(packet.peer.ip, IP_PEER);
    assert_memory_equal(packet.peer.ether, peer.ether, 6);
}

struct change {
    const char *name;
    size_t at;
    uint8_t value;
    enum hf_ip_kind kind;
};

static void check_changes(const struct change *changes, size_t count, const uint8_t *good,
                          size_t length, bool mends)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t frame[FRAME_SIZE];
        memcpy(frame, good, length);
        assert_true(frame[changes[i].at] != changes[i].value);
        frame[changes[i].at] = changes[i].value;
        if (mends)
            mend_header(frame);
        enum hf_ip_kind kind = kind_of(frame, length);
        if (kind != changes[i].kind)
            print_error("%s: %d\n", changes[i].name, kind);
        assert_int_equal(kind, changes[i].kind);
    }
}

static void test_arp_hostile(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {"to another machine", 5, 0xfe, HF_IP_OTHER},
        {"from a group", 6, 0x03, HF_IP_MALFORMED},
        {"hardware", 15, 6, HF_IP_OTHER},
        {"protocol", 16, 0x86, HF_IP_OTHER},
        {"hardware length", 18, 8, HF_IP_OTHER},
        {"protocol length", 19, 16, HF_IP_OTHER},
        {"operation 0", 21, 0, HF_IP_OTHER},
        {"operation 3", 21, 3, HF_IP_OTHER},
        {"operation high", 20, 1, HF_IP_OTHER},
        {"sender a group", 22, 0xff, HF_IP_MALFORMED},
        {"sender loopback", 28, 127, HF_IP_MALFORMED},
        {"sender multicast", 28, 224, HF_IP_MALFORMED},
        {"sender this network", 28, 0, HF_IP_MALFORMED},
        {"sender us", 31, 1, HF_IP_MALFORMED},
        {"for another", 41, 9, HF_IP_OTHER},
        {"a reply to all", 21, 2, HF_IP_OTHER},
    };
    uint8_t frame[FRAME_SIZE];
    hf_ip_write_arp_request(&peer, IP_US, frame);
    check_changes(changes, sizeof changes / sizeof changes[0], frame, HF_IP_ARP_FRAME_SIZE, false);
    for (size_t length = 0; length < 42; length++)
        assert_int_equal(kind_of(frame, length), HF_IP_MALFORMED);

    /* A probe: is this address free? It is not. */
    memset(frame + 28, 0, 4);
    assert_int_equal(kind_of(frame, HF_IP_ARP_FRAME_SIZE), HF_IP_ARP_REQUEST);
    /* As a reply, nobody's address is nonsense. */
    memcpy(frame, us.ether, 6);
    frame[21] = 2;
    assert_int_equal(kind_of(frame, HF_IP_ARP_FRAME_SIZE), HF_IP_MALFORMED);
}

/* An echo request of `length` data bytes. Returns the frame's length. */
static size_t make_echo(uint8_t frame[FRAME_SIZE], uint32_t length)
{
    uint8_t message[FRAME_SIZE] = {8, 0, 0, 0, 0x12, 0x34, 0, 7};
    for (uint32_t i = 0; i < length; i++)
        message[8 + i] = (uint8_t)(i + 1);
    memset(frame, 0, FRAME_SIZE);
    size_t size = hf_ip_write_echo_reply(&peer, &us, message, 8 + length, frame);
    frame[34] = 8; /* a reply made a request again */
    frame[36] = 0;
    frame[37] = 0;
    uint16_t checksum = hf_ip_checksum(frame + 34, 8 + length, 0);
    frame[36] = (uint8_t)(checksum >> 8);
    frame[37] = (uint8_t)checksum;
    return size;
}

static void test_echo(void **state)
{
    (void)state;
    uint8_t request[FRAME_SIZE];
    uint8_t reply[FRAME_SIZE];
    for (uint32_t length = 0; length < 200; length++) {
        struct hf_ip_packet packet;
        size_t size = make_echo(request, length);
        assert_int_equal(parse(request, size, 0, &packet), HF_IP_ECHO_REQUEST);
        assert_int_equal(packet.payload_offset, 34);
        assert_int_equal(packet.payload_length, 8 + length);
        assert_int_equal(packet.peer.udp, 0);
        assert_int_equal(hf_ip_write_echo_reply(&us, &packet.peer, request + 34, 8 + length, reply),
                         size);
        assert_memory_equal(reply, peer.ether, 6);
        assert_memory_equal(reply + 6, us.ether, 6);
        assert_int_equal(slow_checksum(reply + 14, 20, 0), 0);
        assert_int_equal(slow_checksum(reply + 34, 8 + length, 0), 0);
        assert_int_equal(reply[34], 0);
        assert_memory_equal(reply + 38, request + 38, 4 + length);
        assert_memory_equal(reply + 26, request + 30, 4);
        assert_memory_equal(reply + 30, request + 26, 4);
    }
    size_t size = make_echo(request, 56);
    static const struct change changes[] = {
        {"an echo reply", 34, 0, HF_IP_OTHER}, {"unreachable", 34, 3, HF_IP_OTHER},
        {"a code", 35, 1, HF_IP_MALFORMED},    {"checksum", 37, 0xa5, HF_IP_MALFORMED},
        {"data", 90, 0xee, HF_IP_MALFORMED},
    };
    check_changes(changes, sizeof changes / sizeof changes[0], request, size, false);
    request[17] = 20 + 7; /* seven bytes of ICMP */
    mend_header(request);
    assert_int_equal(kind_of(request, size), HF_IP_MALFORMED);
}

/* ---- hostile datagrams: the header's checksum is right each time, so that it is not what decides
 */

static void test_udp_hostile(void **state)
{
    (void)state;
    static const struct change mended[] = {
        {"IP version 6", 14, 0x65, HF_IP_MALFORMED},
        {"header of 4 words", 14, 0x44, HF_IP_MALFORMED},
        {"options", 14, 0x46, HF_IP_MALFORMED},
        {"header of 15 words", 14, 0x4f, HF_IP_MALFORMED},
        {"total length beyond", 17, 20 + 8 + 33, HF_IP_MALFORMED},
        {"total length far beyond", 16, 0xff, HF_IP_MALFORMED},
        {"total length below", 17, 20 + 8 + 31, HF_IP_MALFORMED},
        {"total length no UDP", 17, 20 + 7, HF_IP_MALFORMED},
        {"total length header only", 17, 20, HF_IP_MALFORMED},
        {"total length no header", 17, 19, HF_IP_MALFORMED},
        {"total length zero", 17, 0, HF_IP_MALFORMED},
        {"more fragments", 20, 0x20, HF_IP_MALFORMED},
        {"a later fragment", 21, 0x01, HF_IP_MALFORMED},
        {"a far fragment", 20, 0x10, HF_IP_MALFORMED},
        {"reserved bit", 20, 0x80, HF_IP_MALFORMED},
        {"TCP", 23, 6, HF_IP_OTHER},
        {"from this network", 26, 0, HF_IP_MALFORMED},
        {"from loopback", 26, 127, HF_IP_MALFORMED},
        {"from multicast", 26, 239, HF_IP_MALFORMED},
        {"from reserved", 26, 240, HF_IP_MALFORMED},
        {"from broadcast", 26, 255, HF_IP_MALFORMED},
        {"from us", 29, 1, HF_IP_MALFORMED},
        {"to another address", 33, 9, HF_IP_OTHER},
        {"to broadcast", 30, 255, HF_IP_OTHER},
    };
    static const struct change plain[] = {
        {"to another machine", 5, 9, HF_IP_OTHER},
        {"to a group", 0, 0x03, HF_IP_OTHER},
        {"from a group", 6, 0x01, HF_IP_MALFORMED},
        {"VLAN", 12, 0x81, HF_IP_OTHER},
        {"IPv6", 12, 0x86, HF_IP_OTHER},
        {"header checksum", 25, 0x5a, HF_IP_MALFORMED},
        {"time to live, not mended", 22, 63, HF_IP_MALFORMED},
        {"from UDP port 0, half", 34, 0x11, HF_IP_MALFORMED},
        {"to another UDP port", 37, 0xf9, HF_IP_OTHER},
        {"UDP length beyond", 39, 8 + 33, HF_IP_MALFORMED},
        {"UDP length below", 39, 8 + 31, HF_IP_MALFORMED},
        {"UDP length no header", 39, 7, HF_IP_MALFORMED},
        {"UDP length high", 38, 0xff, HF_IP_MALFORMED},
        {"UDP checksum", 41, 0x5a, HF_IP_MALFORMED},
        {"first byte of payload", 42, 0xee, HF_IP_MALFORMED},
        {"last byte of payload", 73, 0xee, HF_IP_MALFORMED},
    };
    uint8_t frame[FRAME_SIZE];
    size_t length = make_datagram(frame, 32);
    check_changes(mended, sizeof mended / sizeof mended[0], frame, length, true);
    check_changes(plain, sizeof plain / sizeof plain[0], frame, length, false);

    /* Broadcast Ethernet is for ARP alone. */
    memset(frame, 0xff, 6);
    assert_int_equal(kind_of(frame, length), HF_IP_OTHER);
    /* From UDP port 0: nobody can be answered there. */
    length = make_datagram(frame, 32);
    memset(frame + 34, 0, 2);
    memset(frame + 40, 0, 2);
    assert_int_equal(kind_of(frame, length), HF_IP_MALFORMED);
    /* From an Ethernet address of zeros. */
    length = make_datagram(frame, 32);
    memset(frame + 6, 0, 6);
    assert_int_equal(kind_of(frame, length), HF_IP_MALFORMED);
}

static void test_every_truncation(void **state)
{
    (void)state;
    uint8_t frame[FRAME_SIZE];
    size_t length = make_datagram(frame, 100);
    for (size_t cut = 0; cut < length; cut++)
        assert_int_equal(kind_of(frame, cut), HF_IP_MALFORMED);
    length = make_echo(frame, 56);
    for (size_t cut = 0; cut < length; cut++)
        assert_int_equal(kind_of(frame, cut), HF_IP_MALFORMED);
}

/* Every single flipped bit of a datagram is seen, or is in a field that decides nothing. */
static void test_every_bit_flip(void **state)
{
    (void)state;
    uint8_t frame[FRAME_SIZE];
    size_t length = make_datagram(frame, 64);
    for (size_t bit = 0; bit < length * 8; bit++) {
        frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
        enum hf_ip_kind kind = kind_of(frame, length);
        bool is_sender_ether = bit / 8 >= 6 && bit / 8 < 12;
        if (is_sender_ether)
            assert_true(kind == HF_IP_UDP || kind == HF_IP_MALFORMED);
        else
            assert_true(kind == HF_IP_MALFORMED || kind == HF_IP_OTHER);
        frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* What the device has verified is not looked at again; the rest is. */
static void test_trust(void **state)
{
    (void)state;
    uint8_t frame[FRAME_SIZE];
    struct hf_ip_packet packet;
    size_t length = make_datagram(frame, 32);
    frame[25] ^= 1;
    assert_int_equal(parse(frame, length, HF_IP_TRUST_UDP, &packet), HF_IP_MALFORMED);
    assert_int_equal(parse(frame, length, HF_IP_TRUST_HEADER, &packet), HF_IP_UDP);
    frame[41] ^= 1;
    assert_int_equal(parse(frame, length, HF_IP_TRUST_HEADER, &packet), HF_IP_MALFORMED);
    assert_int_equal(parse(frame, length, HF_IP_TRUST_HEADER | HF_IP_TRUST_UDP, &packet),
                     HF_IP_UDP);
}

static void test_random_frames(void **state)
{
    (void)state;
    const char *given = getenv("HF_TEST_SEED");
    uint64_t x = given != NULL ? strtoull(given, NULL, 0) : 20250616;
    print_message("seed %" PRIu64 " (set HF_TEST_SEED for another)\n", x);
    x |= 1;
    uint8_t frame[FRAME_SIZE];
    for (uint32_t i = 0; i < 100000; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        uint32_t size = (uint32_t)(x % 90);
        size_t length = i % 2 == 0 ? make_datagram(frame, size) : make_echo(frame, size);
        for (uint32_t changes = 0; changes < 1 + (x >> 8) % 4; changes++)
            frame[(x >> (16 + changes * 8)) % (length + 1)] = (uint8_t)(x >> (changes * 9));
        if ((x >> 60) % 2 == 0)
            mend_header(frame);
        size_t cut = (x >> 50) % 4 == 0 ? x % (length + 1) : length;
        struct hf_ip_packet packet;
        enum hf_ip_kind kind = parse(frame, cut, (x >> 40) % 4, &packet);
        if (kind == HF_IP_UDP || kind == HF_IP_ECHO_REQUEST)
            assert_true(packet.payload_offset + packet.payload_length <= cut);
    }
}

/* ---- who has which address */

static void test_neighbours(void **state)
{
    (void)state;
    static struct hf_neighbours table;
    uint8_t ether[6] = {0};
    bool ask;
    memset(&table, 0, sizeof table);
    /* Nobody is noted whom we did not ask for. */
    hf_neighbour_learn(&table, IP_PEER, peer.ether);
    assert_false(hf_neighbour_find(&table, IP_PEER, 1000, ether, &ask));
    assert_true(ask);
    /* Not asked again at once; asked again when no answer comes. */
    assert_false(hf_neighbour_find(&table, IP_PEER, 1001, ether, &ask));
    assert_false(ask);
    assert_false(hf_neighbour_find(&table, IP_PEER, 1000 + HF_NEIGHBOUR_RETRY_US, ether, &ask));
    assert_true(ask);
    /* Known from now on, and asked about now and then. */
    hf_neighbour_learn(&table, IP_PEER, peer.ether);
    assert_true(hf_neighbour_find(&table, IP_PEER, 2000 + HF_NEIGHBOUR_RETRY_US, ether, &ask));
    assert_false(ask);
    assert_memory_equal(ether, peer.ether, 6);
    assert_true(hf_neighbour_find(&table, IP_PEER, 9000 + HF_NEIGHBOUR_REFRESH_US, ether, &ask));
    assert_true(ask);
    /* Back with another address. */
    hf_neighbour_learn(&table, IP_PEER, us.ether);
    assert_true(hf_neighbour_find(&table, IP_PEER, 9001 + HF_NEIGHBOUR_REFRESH_US, ether, &ask));
    assert_memory_equal(ether, us.ether, 6);
}

/* More than the table holds: the one that came first makes room, and is found again by asking. */
static void test_neighbours_full(void **state)
{
    (void)state;
    static struct hf_neighbours table;
    uint8_t ether[6];
    bool ask;
    memset(&table, 0, sizeof table);
    for (uint32_t i = 0; i < HF_NEIGHBOURS_MAX + 1; i++) {
        assert_false(hf_neighbour_find(&table, IP_PEER + i, 1000, ether, &ask));
        assert_true(ask);
        hf_neighbour_learn(&table, IP_PEER + i, peer.ether);
    }
    for (uint32_t i = 1; i < HF_NEIGHBOURS_MAX + 1; i++)
        assert_true(hf_neighbour_find(&table, IP_PEER + i, 1001, ether, &ask));
    assert_false(hf_neighbour_find(&table, IP_PEER, 1002, ether, &ask));
    assert_true(ask);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checksum),
        cmocka_unit_test(test_udp_bytes),
        cmocka_unit_test(test_udp_there_and_back),
        cmocka_unit_test(test_udp_checksum_zero),
        cmocka_unit_test(test_arp),
        cmocka_unit_test(test_arp_hostile),
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_udp_hostile),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_every_bit_flip),
        cmocka_unit_test(test_trust),
        cmocka_unit_test(test_random_frames),
        cmocka_unit_test(test_neighbours),
        cmocka_unit_test(test_neighbours_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
