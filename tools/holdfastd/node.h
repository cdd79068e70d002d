/* The node: ledger, log and port put together, and the rings between their pollers.
 *
 *              bundles                    bundles, answered
 *   receive --------------> order ---------------------------> transmit
 *      ^                      |  batches                ^          |
 *      |                      +----------> log ---------+          |
 *      |                      ^             |     commit index     |
 *      |                      +-------------+                      |
 *      |                        free batches                       |
 *      +-----------------------------------------------------------+
 *                                free bundles
 *
 * There may be several receive pollers, one for each queue of the port. In a pair another poller,
 * replicate, stands beside log: together they turn the node's hf_pair.
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

#define NODE_POLLERS_MAX (RECEIVERS_MAX + 3 + HF_SHARDS_MAX + 1)
_Static_assert(NODE_POLLERS_MAX <= CORE_POLLERS_MAX, "all may stand on one core");

struct node {
    const struct config *config;
    struct hf_id cluster;

    struct load load;       /* the ledger and its memory */
    struct storage storage; /* all zeros with durability memory-bench */
    struct checkpointer checkpointer;
    struct hf_log_batch *batches; /* with memory-bench: the node's own */
    struct hf_port *port;
    struct door *door; /* NULL: without sessions */

    struct rte_ring *rings[3];

    uint32_t receiver_count;
    struct receiver receivers[RECEIVERS_MAX];
    struct orderer orderer;
    struct logger logger;
    struct transmitter transmitter;
    struct mailbox mailbox;
    struct replicator replicator; /* all zeros without a pair */

    struct divided divided; /* with shards */

    /* The receive pollers; order, log and tx; the shards; replicate is the last. */
    struct poller pollers[NODE_POLLERS_MAX];
    uint32_t poller_count;
    char poller_names[NODE_POLLERS_MAX][8]; /* of those with numbers */
    struct poller *order_poller;
    struct poller *log_poller;
    struct poller *shard_pollers;
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
