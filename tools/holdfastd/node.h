/* The node: ledger, log and port put together, and the rings between their pollers.
 *
 *              bundles                    bundles, answered
 *   receive --------------> order ---------------------------> transmit ---> (free bundles back to
 * receive) |  batches            ^
 *                             +----------> log -----+ commit index
 *                                          (free batches back to order)
 *
 * In a pair a fifth poller, replicate, stands beside log: together they turn the node's hf_pair.
 */
#ifndef HOLDFASTD_NODE_H
#define HOLDFASTD_NODE_H

#include "checkpointer.h"
#include "config.h"
#include "core.h"
#include "log.h"
#include "mailbox.h"
#include "order.h"
#include "receive.h"
#include "replicate.h"
#include "storage.h"
#include "transmit.h"

struct node {
    const struct config *config;
    struct hf_id cluster;

    struct load load;       /* the ledger and its memory */
    struct storage storage; /* all zeros with durability memory-bench */
    struct checkpointer checkpointer;
    struct hf_log_batch *batches; /* with memory-bench: the node's own */
    struct hf_port *port;
    struct door *door; /* NULL: without sessions */

    struct bundle *bundles;
    struct bundle **spare_bundles; /* the receive poller's stack */
    struct rte_ring *rings[7];

    struct receiver receiver;
    struct orderer orderer;
    struct logger logger;
    struct transmitter transmitter;
    struct mailbox mailbox;
    struct replicator replicator; /* all zeros without a pair */

    struct divided divided; /* with shards */
    char shard_names[HF_SHARDS_MAX][8];

    /* The kinds, then the shards; replicate is the last. */
    struct poller pollers[CORE_POLLER_KINDS + HF_SHARDS_MAX + 1];
    struct core cores[CORE_COUNT_MAX];
    uint32_t core_count;
    atomic_bool stopping; /* take nothing new */
    atomic_bool quit;     /* leave the loops */

    bool data_unusable; /* what stood in the way of the start was the data directory */

    uint64_t started_ns;  /* Unix time when it began to serve */
    uint64_t start_place; /* the newest place then */
};

/* Opens port and data directory, recovers, and starts the cores. Prints its progress to stderr. */
HF_MUST_USE enum hf_status node_start(struct node *node, const struct config *config,
                                      struct hf_fault *fault);

/* Asks the order poller, and waits for its answer and until what it shows is durable (so the admin
 * thread may block here). TIMEOUT when the node has failed meanwhile;
 * AGAIN when what it shows is not durable on both nodes of a pair for half a second. The request is
 * in node->mailbox, and so is the answer. */
HF_MUST_USE enum hf_status node_ask(struct node *node, enum mailbox_request request);

/* What the main thread does besides answering: looks after checkpoints and the room for them. At
 * least ten times a second, and when checkpointer_file can be read. Does not block for long. */
void node_step(struct node *node);

/* Reads the origins' file again: they are in force when this returns. INVALID with one line: there
 * are no sessions, or the file is wrong, and what was in force stays so. Main thread. */
HF_MUST_USE enum hf_status node_reload(struct node *node, struct hf_fault *fault);

/* Whether a write or flush of the log has failed; of a pair, also: whether it has halted. */
bool node_has_failed(const struct node *node);

/* A node of a pair must begin anew: after what it has led is over, or its log was cut. It
 * acknowledges nothing any more. */
bool node_wants_restart(const struct node *node);

/* Takes nothing new, finishes what it has taken, and writes a checkpoint of it; a copy that is
 * being made is given up for that. Then the cores may end. */
HF_MUST_USE enum hf_status node_drain(struct node *node, struct hf_fault *fault);

/* Ends the cores as they stand (when they still run) and gives everything back. */
void node_destroy(struct node *node);

#endif
