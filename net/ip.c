#include "ip.h"

#include <assert.h>
#include <string.h>

#define ETHERTYPE_IP   0x0800
#define ETHERTYPE_ARP  0x0806
#define ARP_SIZE       28
#define IP_SIZE        20
#define IP_OFFSET      14
#define UDP_SIZE       8
#define UDP_OFFSET     34
#define ICMP_SIZE      8
#define PROTOCOL_ICMP  1
#define PROTOCOL_UDP   17
#define ARP_REQUEST    1
#define ARP_REPLY      2
#define ECHO_REPLY     0
#define ECHO_REQUEST   8
#define DONT_FRAGMENT  0x4000
#define FRAGMENT_MASK  0x3fff /* more-fragments and offset */
#define RESERVED_BIT   0x8000
#define TIME_TO_LIVE   64
#define VERSION_LENGTH 0x45 /* version 4, five words of header */

static const uint8_t ether_broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static uint32_t get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
    return get16(at) << 16 | get16(at + 2);
}

static void put16(uint8_t *at, uint32_t value)
{
    assert(value <= UINT16_MAX);
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value & 0xffff);
}

/* ---- checksums */

/* Adds up in the host's order, eight bytes at a time; a one's complement sum is the same in either
 * order, with its bytes swapped. */
static uint64_t add_words(const uint8_t *bytes, size_t length, uint64_t sum)
{
    for (; length >= 8; bytes += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, bytes, sizeof word);
        sum += (word & 0xffffffff) + (word >> 32);
    }
    uint8_t rest[8] = {0};
    uint64_t word;
    memcpy(rest, bytes, length);
    memcpy(&word, rest, sizeof word);
    return sum + (word & 0xffffffff) + (word >> 32);
}

static uint32_t fold(uint64_t sum)
{
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint32_t)sum;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "add_words' result has swapped bytes");

/* The sum of `length` bytes and `start`, folded, not yet inverted. */
static uint32_t sum_of(const void *bytes, size_t length, uint32_t start)
{
    uint32_t swapped = fold(add_words(bytes, length, 0));
    return fold((uint64_t)__builtin_bswap16((uint16_t)swapped) + start);
}

uint16_t hf_ip_checksum(const void *bytes, size_t length, uint32_t start)
{
    assert(bytes != NULL || length == 0);
    return (uint16_t)~sum_of(bytes, length, start);
}

static uint32_t pseudo_sum(uint32_t from, uint32_t to, uint32_t udp_length)
{
    return fold((uint64_t)(from >> 16) + (from & 0xffff) + (to >> 16) + (to & 0xffff) +
                PROTOCOL_UDP + udp_length);
}

/* ---- reading */

static bool is_group(const uint8_t ether[6])
{
    return (ether[0] & 1) != 0;
}

static bool is_zero(const uint8_t ether[6])
{
    static const uint8_t zero[6];
    return memcmp(ether, zero, sizeof zero) == 0;
}

/* An address that one machine, and not this one, can send from: not "this network", loopback,
 * multicast, reserved or broadcast. Answering the others would hit bystanders or ourselves. */
static bool is_sender(uint32_t ip, uint32_t local)
{
    uint32_t first = ip >> 24;
    return first != 0 && first != 127 && first < 224 && ip != local;
}

static enum hf_ip_kind parse_arp(const struct hf_address *local, const uint8_t *to,
                                 const uint8_t *arp, struct hf_ip_packet *packet)
{
    bool is_ethernet_and_ip =
        get16(arp) == 1 && get16(arp + 2) == ETHERTYPE_IP && arp[4] == 6 && arp[5] == 4;
    uint32_t operation = get16(arp + 6);
    const uint8_t *sender = arp + 8;
    uint32_t sender_ip = get32(arp + 14);
    if (!is_ethernet_and_ip || get32(arp + 24) != local->ip)
        return HF_IP_OTHER;
    if (operation != ARP_REQUEST && operation != ARP_REPLY)
        return HF_IP_OTHER;
    if (is_group(sender) || is_zero(sender))
        return HF_IP_MALFORMED;
    memcpy(packet->peer.ether, sender, 6);
    packet->peer.ip = sender_ip;

    /* A request without a sender's address asks whether the address is free: it is not. */
    if (operation == ARP_REQUEST)
        return sender_ip == 0 || is_sender(sender_ip, local->ip) ? HF_IP_ARP_REQUEST
                                                                 : HF_IP_MALFORMED;
    if (is_group(to))
        return HF_IP_OTHER;
    return is_sender(sender_ip, local->ip) ? HF_IP_ARP_REPLY : HF_IP_MALFORMED;
}

/* `udp` is the copied header; payload at the frame's offset 42. */
static enum hf_ip_kind parse_udp(const struct hf_address *local, const uint8_t *frame,
                                 const uint8_t *udp, uint32_t ip_payload, unsigned trust,
                                 struct hf_ip_packet *packet)
{
    if (ip_payload < UDP_SIZE)
        return HF_IP_MALFORMED;
    uint32_t length = get16(udp + 4);
    if (length != ip_payload)
        return HF_IP_MALFORMED;
    if (get16(udp + 2) != local->udp)
        return HF_IP_OTHER;
    uint32_t from = get16(udp);
    if (from == 0)
        return HF_IP_MALFORMED;
    packet->peer.udp = (uint16_t)from;
    packet->payload_offset = HF_IP_UDP_HEADERS_SIZE;
    packet->payload_length = length - UDP_SIZE;
    if ((trust & HF_IP_TRUST_UDP) != 0 || get16(udp + 6) == 0)
        return HF_IP_UDP;
    uint32_t sum = sum_of(udp, UDP_SIZE, pseudo_sum(packet->peer.ip, local->ip, length));
    sum = sum_of(frame + HF_IP_UDP_HEADERS_SIZE, packet->payload_length, sum);
    return sum == 0xffff ? HF_IP_UDP : HF_IP_MALFORMED;
}

static enum hf_ip_kind parse_icmp(const uint8_t *frame, uint32_t ip_payload,
                                  struct hf_ip_packet *packet)
{
    if (ip_payload < ICMP_SIZE)
        return HF_IP_MALFORMED;
    const uint8_t *message = frame + UDP_OFFSET;
    if (message[0] != ECHO_REQUEST)
        return HF_IP_OTHER;
    if (message[1] != 0 || sum_of(message, ip_payload, 0) != 0xffff)
        return HF_IP_MALFORMED;
    packet->payload_offset = UDP_OFFSET;
    packet->payload_length = ip_payload;
    return HF_IP_ECHO_REQUEST;
}

/* `headers` holds copies of the first `length` bytes of the frame, at most 42. */
static enum hf_ip_kind parse_ip(const struct hf_address *local, const uint8_t *frame, size_t length,
                                const uint8_t *headers, unsigned trust, struct hf_ip_packet *packet)
{
    const uint8_t *ip = headers + IP_OFFSET;
    if (length < IP_OFFSET + IP_SIZE)
        return HF_IP_MALFORMED;
    if (ip[0] >> 4 != 4)
        return HF_IP_MALFORMED;
    if (get32(ip + 16) != local->ip)
        return HF_IP_OTHER;
    if (ip[0] != VERSION_LENGTH)
        return HF_IP_MALFORMED;
    uint32_t total = get16(ip + 2);
    uint32_t fragment = get16(ip + 6);
    if (total < IP_SIZE || total > length - IP_OFFSET)
        return HF_IP_MALFORMED;
    if ((fragment & (FRAGMENT_MASK | RESERVED_BIT)) != 0)
        return HF_IP_MALFORMED;
    if ((trust & HF_IP_TRUST_HEADER) == 0 && sum_of(ip, IP_SIZE, 0) != 0xffff)
        return HF_IP_MALFORMED;
    packet->peer.ip = get32(ip + 12);
    if (!is_sender(packet->peer.ip, local->ip))
        return HF_IP_MALFORMED;
    if (ip[9] == PROTOCOL_UDP)
        return parse_udp(local, frame, headers + UDP_OFFSET, total - IP_SIZE, trust, packet);
    if (ip[9] == PROTOCOL_ICMP)
        return parse_icmp(frame, total - IP_SIZE, packet);
    return HF_IP_OTHER;
}

enum hf_ip_kind hf_ip_parse(const struct hf_address *local, const void *frame, size_t length,
                            unsigned trust, struct hf_ip_packet *packet)
{
    assert(local != NULL && packet != NULL);
    assert(frame != NULL || length == 0);
    memset(packet, 0, sizeof *packet);
    if (length < HF_IP_ETHER_SIZE)
        return HF_IP_MALFORMED;
    uint8_t headers[HF_IP_UDP_HEADERS_SIZE] = {0};
    memcpy(headers, frame, length < sizeof headers ? length : sizeof headers);

    const uint8_t *to = headers;
    const uint8_t *from = headers + 6;
    bool is_to_us = memcmp(to, local->ether, 6) == 0;
    bool is_to_all = memcmp(to, ether_broadcast, 6) == 0;
    uint32_t type = get16(headers + 12);
    if (!is_to_us && !(is_to_all && type == ETHERTYPE_ARP))
        return HF_IP_OTHER;
    if (is_group(from) || is_zero(from))
        return HF_IP_MALFORMED;
    if (type == ETHERTYPE_ARP) {
        if (length < HF_IP_ETHER_SIZE + ARP_SIZE)
            return HF_IP_MALFORMED;
        return parse_arp(local, to, headers + HF_IP_ETHER_SIZE, packet);
    }
    if (type != ETHERTYPE_IP)
        return HF_IP_OTHER;
    memcpy(packet->peer.ether, from, 6);
    return parse_ip(local, frame, length, headers, trust, packet);
}

/* ---- writing */

static void write_ether(const struct hf_address *from, const uint8_t to[6], uint32_t type,
                        uint8_t *frame)
{
    memcpy(frame, to, 6);
    memcpy(frame + 6, from->ether, 6);
    put16(frame + 12, type);
}

/* Never in fragments, so the identification may be zero (RFC 6864). */
static void write_ip(const struct hf_address *from, const struct hf_address *to, uint8_t protocol,
                     uint32_t payload_length, uint8_t *ip)
{
    memset(ip, 0, IP_SIZE);
    ip[0] = VERSION_LENGTH;
    put16(ip + 2, IP_SIZE + payload_length);
    put16(ip + 6, DONT_FRAGMENT);
    ip[8] = TIME_TO_LIVE;
    ip[9] = protocol;
    put32(ip + 12, from->ip);
    put32(ip + 16, to->ip);
}

void hf_ip_write_udp(const struct hf_address *from, const struct hf_address *to,
                     uint8_t headers[HF_IP_UDP_HEADERS_SIZE], uint32_t length, bool offload)
{
    assert(from != NULL && to != NULL);
    assert(length <= UINT16_MAX - HF_IP_OVERHEAD);
    uint8_t *ip = headers + IP_OFFSET;
    uint8_t *udp = headers + UDP_OFFSET;
    write_ether(from, to->ether, ETHERTYPE_IP, headers);
    write_ip(from, to, PROTOCOL_UDP, UDP_SIZE + length, ip);
    put16(udp, from->udp);
    put16(udp + 2, to->udp);
    put16(udp + 4, UDP_SIZE + length);
    put16(udp + 6, 0);
    uint32_t pseudo = pseudo_sum(from->ip, to->ip, UDP_SIZE + length);
    if (offload) {
        put16(udp + 6, pseudo);
        return;
    }
    put16(ip + 10, hf_ip_checksum(ip, IP_SIZE, 0));
    uint16_t checksum = hf_ip_checksum(udp, UDP_SIZE + length, pseudo);
    put16(udp + 6, checksum == 0 ? 0xffff : checksum); /* 0 would say that there is none */
}

size_t hf_ip_write_echo_reply(const struct hf_address *from, const struct hf_address *to,
                              const void *message, uint32_t length, uint8_t *frame)
{
    assert(from != NULL && to != NULL);
    assert(length >= ICMP_SIZE);
    uint8_t *ip = frame + IP_OFFSET;
    uint8_t *icmp = frame + UDP_OFFSET;
    write_ether(from, to->ether, ETHERTYPE_IP, frame);
    write_ip(from, to, PROTOCOL_ICMP, length, ip);
    put16(ip + 10, hf_ip_checksum(ip, IP_SIZE, 0));
    memcpy(icmp, message, length);
    icmp[0] = ECHO_REPLY;
    icmp[1] = 0;
    put16(icmp + 2, 0);
    put16(icmp + 2, hf_ip_checksum(icmp, length, 0));
    return UDP_OFFSET + length;
}

static void write_arp(const struct hf_address *from, uint32_t operation, const uint8_t target[6],
                      uint32_t target_ip, uint8_t *arp)
{
    put16(arp, 1);
    put16(arp + 2, ETHERTYPE_IP);
    arp[4] = 6;
    arp[5] = 4;
    put16(arp + 6, operation);
    memcpy(arp + 8, from->ether, 6);
    put32(arp + 14, from->ip);
    memcpy(arp + 18, target, 6);
    put32(arp + 24, target_ip);
}

void hf_ip_write_arp_reply(const struct hf_address *from, const struct hf_address *to,
                           uint8_t frame[HF_IP_ARP_FRAME_SIZE])
{
    assert(from != NULL);
    assert(to != NULL);
    memset(frame, 0, HF_IP_ARP_FRAME_SIZE);
    write_ether(from, to->ether, ETHERTYPE_ARP, frame);
    write_arp(from, ARP_REPLY, to->ether, to->ip, frame + HF_IP_ETHER_SIZE);
}

void hf_ip_write_arp_request(const struct hf_address *from, uint32_t ip,
                             uint8_t frame[HF_IP_ARP_FRAME_SIZE])
{
    static const uint8_t nobody[6];
    assert(from != NULL);
    assert(ip != 0);
    memset(frame, 0, HF_IP_ARP_FRAME_SIZE);
    write_ether(from, ether_broadcast, ETHERTYPE_ARP, frame);
    write_arp(from, ARP_REQUEST, nobody, ip, frame + HF_IP_ETHER_SIZE);
}
