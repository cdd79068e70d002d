/* A port that seals: over any other port, to one peer alone (peer.h). What is sent leaves sealed,
 * what is received has been opened; nothing else is handed on. Handshakes are its own business.
 *
 * Both halves belong to one thread, which calls send again and again, with nothing too: hellos are
 * said there. As long as there is no session, what is sent is lost, as on any port. What is
 * received is to be released before the next is asked for (asserted). */
#ifndef HF_NET_PORT_SEALED_H
#define HF_NET_PORT_SEALED_H

#include "peer.h"
#include "port.h"

struct hf_port_sealed_clock {
    uint64_t (*monotonic_ns)(void *context);
    uint64_t (*unix_ns)(void *context);
    void *context;
};

struct hf_port_sealed_options {
    struct hf_port *port;   /* goes over to the sealed one when that has been made */
    struct hf_address peer; /* datagrams from anywhere else are dropped unread */
    struct hf_id cluster;
    const struct hf_key_pair *own; /* copied */
    uint8_t remote_key[HF_NOISE_KEY_SIZE];
    const struct hf_channel_limits *limits;   /* NULL: hf_peer_limits_default; datagram_max is the
                                                 port's */
    const struct hf_entropy *entropy;         /* NULL: the system's */
    const struct hf_port_sealed_clock *clock; /* NULL: the system's */
};

/* Makes one, with locked memory. It carries HF_PEER_ROOM bytes less than the port below. INVALID:
 * the remote key is our own; NO_MEMORY. sodium_init has been called. */
HF_MUST_USE enum hf_status hf_port_sealed_open(const struct hf_port_sealed_options *options,
                                               struct hf_port **port, struct hf_fault *fault);

struct hf_port_sealed_counters {
    uint64_t fates[HF_FATE_COUNT]; /* of all datagrams from the peer's address */
    uint64_t strangers;            /* datagrams from elsewhere */
    uint64_t hellos;               /* that we said */
    uint64_t sealed;
    uint64_t unsent;  /* for want of a session */
    uint64_t open;    /* 1: there is a session to speak in */
    uint64_t trouble; /* why nothing has been opened for a second: what became of the newest
                         datagram since that tells of other keys, clocks or settings; 0: none */
};
/* Of a sealed port. Any thread. */
void hf_port_sealed_count(const struct hf_port *port, struct hf_port_sealed_counters *counters);

#endif
