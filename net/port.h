/* A port: datagrams in, datagrams out, with an address, over DPDK, kernel sockets or the simulator.
 *
 * Carries UDP payloads only; Ethernet, ARP, ICMP and IP are the port's own business. The receiving
 * half belongs to one thread, the sending half to one thread (the same or another). Each half is
 * attached by its thread before use.
 *
 * A received packet is borrowed: its bytes are valid until it is released, and came from outside:
 * copy before checking. A packet to send is taken from the port, filled in place, and given back by
 * send. Nothing allocates. */
#ifndef HF_NET_PORT_H
#define HF_NET_PORT_H

#include "engine/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HF_PORT_BURST_MAX 64

/* Where a datagram comes from or goes to. IPv4 only; all in host order except the Ethernet address.
 */
struct hf_address {
    uint32_t ip;       /* IPv4 address */
    uint16_t udp;      /* port number */
    uint8_t ether[6];  /* filled by ports that need it, zero elsewhere */
    uint32_t reserved; /* zero */
};
_Static_assert(sizeof(struct hf_address) == 16, "an address is 16 bytes");

struct hf_packet {
    uint8_t *data;          /* UDP payload */
    uint32_t length;        /* of the payload; when sending: set by the caller, at most the port's
                               payload_max */
    struct hf_address peer; /* sender, or receiver */
    void *owner;            /* the port's own */
};

struct hf_port_counters {
    uint64_t received;       /* datagrams handed to the caller */
    uint64_t received_bytes; /* of payload */
    uint64_t sent;
    uint64_t sent_bytes;
    uint64_t
        dropped_malformed;  /* not ours to understand: lying lengths, fragments, bad checksums */
    uint64_t dropped_other; /* well-formed, not for us: other protocols, addresses, ports */
    uint64_t dropped_full;  /* the device or socket took no more, or (dpdk) the receiver's Ethernet
                               address is being asked for */
    uint64_t arp_answered;
    uint64_t icmp_answered;
};

struct hf_port;

struct hf_port_maker {
    enum hf_status (*attach_receive)(struct hf_port *port);
    enum hf_status (*attach_send)(struct hf_port *port);
    /* Up to `most` (at most HF_PORT_BURST_MAX) packets; 0 when there are none. Never blocks. */
    uint32_t (*receive)(struct hf_port *port, struct hf_packet packets[], uint32_t most);
    void (*release)(struct hf_port *port, struct hf_packet packets[], uint32_t count);
    /* Takes empty packets to fill: `data` set, `length` 0. Returns how many there were. */
    uint32_t (*take)(struct hf_port *port, struct hf_packet packets[], uint32_t count);
    /* Sends all `count` packets (at most HF_PORT_BURST_MAX) and takes them back whatever becomes of
     * them (UDP: what does not fit is counted and dropped; the sender above retransmits). Sends at
     * once. One whose length is still 0 is taken back unsent. A count of 0 is allowed and flushes:
     * the port's own answers (ARP, ICMP) leave with the next call, so the sending thread calls it
     * also when it has nothing to send. */
    void (*send)(struct hf_port *port, struct hf_packet packets[], uint32_t count);
    /* Blocks the receiving thread until a datagram may be there, at most `timeout_us`. May return
     * early. */
    void (*wait)(struct hf_port *port, uint32_t timeout_us);
    void (*count)(const struct hf_port *port, struct hf_port_counters *counters);
    void (*destroy)(struct hf_port *port);
};

/* A maker's own structure begins with this. */
struct hf_port {
    const struct hf_port_maker *maker;
    const char *name;        /* "kernel", "dpdk" or "sim" */
    struct hf_address local; /* with the port number really in use */
    uint32_t payload_max;    /* bytes of UDP payload in one datagram */
};

/* Reads "A.B.C.D:PORT" or "A.B.C.D" (port number left as it is). False when it is neither. */
bool hf_address_parse(const char *text, struct hf_address *address);
#define HF_ADDRESS_TEXT_SIZE 22
/* Writes "A.B.C.D:PORT". Returns the length. */
size_t hf_address_format(const struct hf_address *address, char text[HF_ADDRESS_TEXT_SIZE]);

/* ---- kernel: UDP through io_uring
 * ------------------------------------------------------------------------------ */

struct hf_port_kernel_options {
    struct hf_address local; /* ip 0: every address; udp 0: one the kernel chooses */
    uint32_t payload_max;    /* 0: 1472 */
    uint32_t depth;          /* datagrams in flight each way; 0: 1024 */
};
/* Opens a socket. On failure `*fault` tells why in one line. */
enum hf_status hf_port_kernel_open(const struct hf_port_kernel_options *options,
                                   struct hf_port **port, struct hf_fault *fault);

/* ---- dpdk: any poll-mode driver
 * ---------------------------------------------------------------------------------- */

struct hf_port_dpdk_options {
    const char *eal; /* EAL arguments as one string, split at blanks; passed through as they are */
    uint16_t device; /* which of the EAL's Ethernet devices, from 0 */
    struct hf_address local; /* ip and udp must be set; ether zero: the device's own */
    uint16_t mtu;            /* of IP packets; 0: 1500 */
    uint32_t mbufs;          /* that each queue receives into, and that are sent; 0: 8191 */
    uint16_t queues;         /* that receive; 0: 1. At most HF_PORT_DPDK_QUEUES_MAX */
};
#define HF_PORT_DPDK_QUEUES_MAX 16

/* Starts the device, and before it the EAL where it does not run. Several ports of a process share
 * one: they give the same `eal` and each a `device` of its own, and are closed together, one after
 * the other. EXISTS: other EAL arguments than the running one's, a device that a port has, or a
 * port opened after the last was closed. */
enum hf_status hf_port_dpdk_open(const struct hf_port_dpdk_options *options, struct hf_port **port,
                                 struct hf_fault *fault);

/* The port of one of its receive queues, from 0 to `queues` - 1, for a thread of its own. It knows
 * attach_receive, receive, release, wait and count (of this queue alone), and lives as long as the
 * port. Any of them may release what another has received. That of queue 0 is the port itself.
 *
 * The device spreads datagrams over its queues: by the hash of their addresses (RSS) where it has
 * that, otherwise in a way of its own. */
struct hf_port *hf_port_dpdk_queue(struct hf_port *port, uint16_t queue);

#endif
