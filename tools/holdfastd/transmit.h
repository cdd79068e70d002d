/* The transmit poller: sends the answers of a bundle once the log record they stand on is durable,
 * grouped into as few datagrams a client as they fit in, each sealed once where there are sessions,
 * and gives the bundle back to the receive poller that it came from. */
#ifndef HOLDFASTD_TRANSMIT_H
#define HOLDFASTD_TRANSMIT_H

#include "bundle.h"
#include "net/sealer.h"
#include "net/wire.h"
#include "ring.h"

#include <stdatomic.h>

#define TRANSMIT_CLIENTS_MAX 64

/* A datagram being filled for one client. */
struct open_datagram {
    struct sender sender;
    struct hf_packet packet;
    struct hf_wire_writer writer;
};

struct hf_pair;

/* The rings between it and one receive poller. */
struct transmit_home {
    struct rte_ring *free_bundles;  /* to there */
    struct rte_ring *refusals;      /* from there */
    struct rte_ring *free_refusals; /* to there */
};

struct transmitter {
    struct hf_port *port;
    struct hf_sealer *sealer;   /* NULL: without sessions */
    const struct hf_pair *pair; /* of a pair: reads need its lease; or NULL */
    struct rte_ring *applied;   /* from the order poller */
    struct transmit_home homes[RECEIVERS_MAX];
    uint32_t home_count;
    const _Atomic uint64_t
        *committed_batch;   /* newest durable batch of the log, published by the log poller */
    uint8_t durability;     /* enum hf_durability, named in every reply */
    struct bundle *waiting; /* the oldest bundle whose record is not durable yet */
    struct open_datagram open[TRANSMIT_CLIENTS_MAX];
    uint32_t open_count;
    uint32_t last; /* the open datagram used last */
    uint64_t counter;

    _Alignas(64) _Atomic uint64_t answers;
    _Atomic uint64_t datagrams;
    _Atomic uint64_t bundles;
    _Atomic uint64_t unsent; /* answers for which the port had no packet, or in a datagram of a
                                session that has ended: the client asks again */
    _Atomic uint64_t sealed; /* datagrams */
};

/* Sends what is ready. Returns the number of bundles finished. */
uint32_t transmitter_poll(struct transmitter *transmitter);

/* Whether answers wait for their record: a core must not sleep over them. */
bool transmitter_is_pending(const struct transmitter *transmitter);

#endif
