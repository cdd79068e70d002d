/* Ethernet, ARP, ICMP echo, IPv4 and UDP: frames read and written. Pure: bytes in, bytes out.
 *
 * What a frame looks like, offsets in bytes, all fields big-endian:
 *
 *     0  Ethernet: to 6, from 6, type 2 (0x0800 IPv4, 0x0806 ARP)
 *    14  IPv4: 20 bytes, options refused     | ARP: 28 bytes
 *    34  UDP: 8 bytes | ICMP echo: 8 bytes   |
 *    42  payload
 *
 * A frame comes from outside, possibly through memory that its sender can still write to: headers
 * are copied first, then judged. */
#ifndef HF_NET_IP_H
#define HF_NET_IP_H

#include "port.h"

#define HF_IP_ETHER_SIZE       14
#define HF_IP_UDP_HEADERS_SIZE 42 /* Ethernet, IPv4 and UDP */
#define HF_IP_ARP_FRAME_SIZE   60 /* the shortest frame there is; ARP fills 42 of it */
#define HF_IP_OVERHEAD         28 /* IPv4 and UDP headers: what the MTU counts beside the payload */

enum hf_ip_kind {
    HF_IP_UDP,          /* a datagram for our address and port */
    HF_IP_ECHO_REQUEST, /* a ping for our address */
    HF_IP_ARP_REQUEST,  /* who has our address? */
    HF_IP_ARP_REPLY,    /* an answer to us */
    HF_IP_OTHER,        /* well-formed as far as looked at, and not for us */
    HF_IP_MALFORMED,    /* for us, and not to be trusted: lying lengths, a bad checksum, a fragment,
                           options, a sender that nobody can be */
};

/* What the device has verified already. */
enum hf_ip_trust {
    HF_IP_TRUST_HEADER = 0x01, /* the IPv4 header's checksum */
    HF_IP_TRUST_UDP = 0x02,    /* the UDP checksum */
};

struct hf_ip_packet {
    struct hf_address peer;  /* sender; udp 0 where there is none */
    uint32_t payload_offset; /* in the frame: of the UDP payload, or of the ICMP message */
    uint32_t payload_length;
};

/* Reads the frame of `length` bytes that came to `local`. `packet` is filled for the first four
 * kinds (for ARP: the peer only). Never reads past the end. A UDP checksum of zero means that the
 * sender made none (RFC 768) and is accepted. */
enum hf_ip_kind hf_ip_parse(const struct hf_address *local, const void *frame, size_t length,
                            unsigned trust, struct hf_ip_packet *packet);

/* Writes the headers before a payload of `length` bytes, which begins right behind them (it is read
 * for the checksum). With `offload` the device makes both checksums: the header's is zero then and
 * UDP's that of the pseudo-header. */
void hf_ip_write_udp(const struct hf_address *from, const struct hf_address *to,
                     uint8_t headers[HF_IP_UDP_HEADERS_SIZE], uint32_t length, bool offload);

/* Writes the answer to an echo request: `message` is its ICMP message of `length` bytes, which is
 * copied. `frame` has room for 34 + length bytes. Returns the frame's length. */
size_t hf_ip_write_echo_reply(const struct hf_address *from, const struct hf_address *to,
                              const void *message, uint32_t length, uint8_t *frame);

/* Writes an ARP reply to `to`, or a request for who has the address `ip`. */
void hf_ip_write_arp_reply(const struct hf_address *from, const struct hf_address *to,
                           uint8_t frame[HF_IP_ARP_FRAME_SIZE]);
void hf_ip_write_arp_request(const struct hf_address *from, uint32_t ip,
                             uint8_t frame[HF_IP_ARP_FRAME_SIZE]);

/* The Internet checksum (RFC 1071) of `length` bytes on top of the sum `start`; in host order. */
uint16_t hf_ip_checksum(const void *bytes, size_t length, uint32_t start);

#endif
