/* The order poller: gives every operation its place. It stamps a bundle with the time, applies it
 * to the ledger, puts what took a place into the log batch being filled, and notes on the bundle
 * which record its answers wait for. Between two bundles, and when there are none, it orders the
 * EXPIRE that is due: one at a time, so that no crowd of holds that end together stalls the others.
 *
 * Queries come apart from operations, and are answered when the batch has left: so many in a poll,
 * and no operation waits for more than those. An answer shows all that was handed on before its
 * query, and so whatever its client had been answered or has sent before.
 *
 * A ledger that is divided among shards is applied by them, while the next bundle is being ordered:
 * what looks at all of it (queries, the admin's questions, what is due to expire, checkpoints)
 * waits for a halt, at which nothing is under way and the ledger is whole.
 *
 * The batch goes to the log poller as soon as that may have one more: so a batch is what has
 * gathered while the last ones were on their way, and at low load a batch of one leaves at once.
 */
#ifndef HOLDFASTD_ORDER_H
#define HOLDFASTD_ORDER_H

#include "bundle.h"
#include "divide.h"
#include "mailbox.h"
#include "ring.h"

#include <stdatomic.h>

struct hf_log_batch;
struct hf_pair;

/* Writes a checkpoint of the ledger as of the newest log record; blocks. AGAIN: the log is not
 * ready for it, call again. In the node's hands: it knows the disk. */
typedef enum hf_status (*checkpoint_writer)(void *context, struct hf_fault *fault);

struct orderer {
    struct hf_ledger *ledger;
    struct divided *divided; /* among shards, which apply what is ordered here; or NULL */
    bool is_halting;         /* of a divided one: orders nothing more until nothing is under way */
    bool is_followed;        /* it has been changed as the primary's: the shards must look anew */
    uint64_t halted_ns;      /* when nothing was under way last (monotonic) */
    struct hf_pair *pair;    /* of a pair: orders only while it leads, else applies; or NULL */
    atomic_bool diverged;    /* what is committed does not apply here: `fault` says where */
    struct hf_fault fault;
    struct rte_ring *received[RECEIVERS_MAX]; /* from the receive pollers */
    uint32_t received_count;
    uint32_t received_next;                /* whose turn it is */
    uint64_t ordered[RECEIVERS_MAX];       /* bundles of each that have been ordered */
    struct rte_ring *asked[RECEIVERS_MAX]; /* from the same, of bundles with queries */
    uint32_t asked_next;                   /* whose turn it is */
    struct bundle *asking;                 /* taken from there, and not answered yet; or NULL */
    struct rte_ring *applied;              /* to the transmit poller */
    struct rte_ring *free_batches;         /* from the log poller */
    struct rte_ring *batches;              /* to the log poller */
    struct hf_log_batch *batch;            /* being filled, or NULL */
    struct bundle *waiting;                /* a bundle for which no batch has room yet, or NULL */
    uint64_t batch_index;                  /* of the batch: they count from 1 since the start */
    uint32_t at_log_most;                  /* batches the log poller may have at once */
    uint32_t at_log;                       /* batches it has now */
    const _Atomic uint64_t *committed_batch;
    const atomic_bool *log_full; /* the log has no room: refuse, but keep answering queries */
    const atomic_bool *stopping; /* the node ends: expire nothing any more */
    uint64_t clock_ahead_ns;     /* what the test clock has been advanced; log time is that later */
    uint64_t digest_interval_ns; /* the log says so often what the state is; 0: never */
    uint64_t digest_pause_ns;    /* when that takes no longer than this */
    uint64_t digest_due_ns;
    uint64_t digest_cost_ns; /* of the last */
    uint64_t digest_place;
    struct mailbox *mailbox;
    checkpoint_writer write_checkpoint;
    void *checkpoint_context;
    bool checkpoint_asked;

    _Alignas(64) _Atomic uint64_t operations; /* that took a place */
    _Atomic uint64_t batch_count;
    _Atomic uint64_t repeats; /* answered, but took no place */
    _Atomic uint64_t queries;
    _Atomic uint64_t busy; /* refused because the log has no room */
    _Atomic uint64_t bundles;
    _Atomic uint64_t approved;
    _Atomic uint64_t expire_operations;
    _Atomic uint64_t expired;  /* holds and accounts that they ended */
    _Atomic uint64_t followed; /* records of the pair's primary */
    _Atomic uint64_t digests;  /* of the state that the log was given */
    _Atomic uint64_t waits;    /* looks that ended because shards had something under way */
};

/* Orders what has been received. Returns the number of bundles ordered and batches handed over. */
uint32_t orderer_poll(struct orderer *orderer);

/* Whether bundles or a batch wait here: a core must not sleep over them. */
bool orderer_is_pending(const struct orderer *orderer);

#endif
