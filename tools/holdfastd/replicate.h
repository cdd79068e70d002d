/* The replicate poller: everything of a pair that is not the log itself. It takes datagrams from
 * the peer, carries questions to the arbiter and answers back, and tells the other pollers how
 * things stand. It shares its core with the log poller: both drive the same hf_pair. */
#ifndef HOLDFASTD_REPLICATE_H
#define HOLDFASTD_REPLICATE_H

#include "arbiter.h"
#include "net/port.h"
#include "replication/pair.h"

#include <pthread.h>
#include <stdatomic.h>

enum replicate_order { REPLICATE_NOTHING = 0, REPLICATE_PROMOTE = 1, REPLICATE_STEP_DOWN = 2 };

/* How things stand, for other threads; each a word of its own. */
struct replicate_state {
    _Atomic uint64_t role; /* enum hf_role */
    _Atomic uint64_t epoch;
    _Atomic uint64_t promise;
    _Atomic uint64_t incarnation;
    _Atomic uint64_t last_index;
    _Atomic uint64_t commit_index;
    _Atomic uint64_t acked_index;
    _Atomic uint64_t alarms;           /* bit n: enum hf_alarm n */
    _Atomic uint64_t peer_incarnation; /* 0: it has not been heard, or does not fit */
    _Atomic uint64_t
        peer_client;         /* where clients reach it: IPv4 address << 16 | UDP port; 0: unknown */
    _Atomic uint64_t insync; /* members of I, as far as this node knows; 0: it does not */
    _Atomic uint64_t fenced;
    _Atomic uint64_t pause_ns; /* between own records, for a learner */
    _Atomic uint64_t cfg_epoch;
    _Atomic uint64_t records_received;
    _Atomic uint64_t records_sent;
    _Atomic uint64_t records_read;
    _Atomic uint64_t datagrams_sent;
    _Atomic uint64_t datagrams_received;
    _Atomic uint64_t datagrams_repeated;
    _Atomic uint64_t refused;
    _Atomic uint64_t quarantined;
    _Atomic uint64_t slices_sent;
    _Atomic uint64_t slices_received;
    _Atomic uint64_t fetches_refused;
    _Atomic uint64_t role_ns; /* monotonic, when the role was taken */
};

struct replicator {
    struct hf_pair *pair;
    struct hf_port *port;
    bool is_sealed; /* the port is net/port_sealed.h's */
    struct hf_address peer;
    struct arbiter arbiter;
    bool is_operated; /* the operator is the arbiter */
    struct hf_packet out[HF_PORT_BURST_MAX];
    uint32_t out_count;
    uint64_t published_ns;
    uint32_t told_role;
    const char *told_trouble; /* seal_trouble's */
    uint64_t learned_epoch;
    _Atomic int order; /* enum replicate_order, of the admin thread */

    pthread_mutex_t line_lock;
    struct hf_fault line; /* the newest complaint */
    struct replicate_state state;
};

/* Sends one datagram to the peer with the next flush: hf_pair's `send`. */
void replicate_send(void *context, const void *bytes, size_t length);

enum hf_status replicator_attach(struct replicator *replicator, struct hf_fault *fault);
uint32_t replicator_poll(struct replicator *replicator);
/* Sends what waits to be sent: the log poller's end of a round. */
void replicator_flush(struct replicator *replicator);
bool replicator_is_pending(const struct replicator *replicator);

/* The newest complaint. Any thread. */
void replicator_line(struct replicator *replicator, struct hf_fault *line);

/* Whether this node takes clients' operations. Any thread. */
static inline bool replicator_serves(const struct replicator *replicator)
{
    return replicator == NULL || hf_pair_leads(replicator->pair);
}

#endif
