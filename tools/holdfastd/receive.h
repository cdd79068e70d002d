/* A receive poller: takes datagrams from a queue of the port, opens them where there are sessions,
 * checks and copies their messages into bundles, and hands these to the order poller. When that
 * does not keep up, datagrams wait in lines, one for each client (with sessions: each origin), and
 * are taken from them in turn. What a client may not have waiting is answered BUSY at once, before
 * anything is spent on it.
 *
 * Queries have bundles of their own, and datagrams that begin with one have lines of their own: a
 * flood of questions fills those, and no operation waits behind it.
 *
 * Several of them share nothing without sessions: each has its own bundles, its own lines, and its
 * own rings to the order poller, which takes from them in turn. A device that spreads datagrams by
 * their addresses gives each client one queue, and so one line; one that does not gives it a line
 * in each. Sessions, with their windows against replay, are the first one's alone: the others hand
 * it what they receive as it is, and it stands in the lines there. */
#ifndef HOLDFASTD_RECEIVE_H
#define HOLDFASTD_RECEIVE_H

#include "bundle.h"
#include "door.h"
#include "lines.h"
#include "net/wire.h"
#include "ring.h"

#include <stdatomic.h>

struct replicator;

struct receiver {
    struct hf_port *port; /* its queue's */
    uint32_t number;
    struct rte_ring *to_door; /* to the receive poller that has the door, of packets; or NULL */
    struct rte_ring *handed[RECEIVERS_MAX]; /* of the one that has it: from the others */
    uint32_t handed_count;
    struct door *door;             /* NULL: without sessions, or not its own */
    struct door_now now;           /* of this round; only with a door */
    uint32_t origin;               /* whose datagram is being read, from 0 */
    struct replicator *replicator; /* of a pair: only the primary takes operations; or NULL */
    struct rte_ring *free_bundles; /* from the transmit poller */
    struct bundle *bundles;        /* all of its own */
    struct bundle *
        *spare; /* free bundles taken from that ring, the one used last on top: it is the */
    uint32_t spare_count;     /* one whose lines are still in the cache. Room for all there are */
    uint32_t bundle_total;    /* free or not */
    struct rte_ring *ordered; /* to the order poller */
    struct rte_ring *asked;   /* likewise, of bundles with queries */
    uint32_t ordered_max;     /* bundles that may wait there, in each: more would be a line that
                                 everybody stands in */
    uint64_t ordered_count;   /* bundles that went to the first */
    struct rte_ring *free_refusals; /* bundles kept back for BUSY, from the transmit poller */
    struct rte_ring *refusals;      /* to the transmit poller */
    struct bundle *bundle;          /* being filled, or NULL */
    struct bundle *asking;          /* likewise, with queries */
    struct bundle *refusal;         /* being filled, or NULL */
    struct lines lines;             /* of datagrams that wait for the order poller */
    struct lines askers;            /* likewise, of those that begin with a query */
    bool turns_away;                /* the datagram being read is answered BUSY */
    const atomic_bool *stopping;
    atomic_bool quiet; /* it has seen `stopping`, takes nothing any more, and nobody waits */
    _Alignas(
        8) uint8_t spill[HF_OPERATION_LENGTH_MAX];   /* where messages are read without a bundle */
    _Alignas(8) uint8_t plain[HF_WIRE_DATAGRAM_MAX]; /* what has been opened */

    _Alignas(64) _Atomic uint64_t bundle_count; /* handed on, those with BUSY answers too */
    _Atomic uint64_t datagrams;                 /* from its queue */
    _Atomic uint64_t handed_on;                 /* of them, to the one that has the door */
    _Atomic uint64_t operations;
    _Atomic uint64_t queries;
    _Atomic uint64_t refused;    /* answered with a refusal of their shape */
    _Atomic uint64_t busy;       /* answered BUSY */
    _Atomic uint64_t lined_up;   /* datagrams that waited in a line */
    _Atomic uint64_t waiting;    /* of them, now */
    _Atomic uint64_t redirected; /* answered NOT_PRIMARY */
    _Atomic uint64_t unanswered; /* neither taken nor answered: broken, or no room even for BUSY */
};

/* Bundles that may wait for the order poller, of all receive pollers: as many as it takes in two
 * polls. */
#define RECEIVE_ORDERED_MAX 32

/* A ring from one receive poller to the one that has the door. NULL: no memory. */
struct rte_ring *receiver_make_handed(void);

/* Looks at the port and at the lines. Returns the number of datagrams taken from either; 0: nothing
 * to do. */
uint32_t receiver_poll(struct receiver *receiver);

/* Whether datagrams wait in a line: a core must not sleep over them. */
bool receiver_is_pending(const struct receiver *receiver);

#endif
