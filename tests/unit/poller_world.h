/* A node's pollers in one thread, for their tests: a simulated network with one server and eight
 * clients, the real ledger, and memory-bench's logger, all polled by hand. */
#ifndef HF_TESTS_POLLER_WORLD_H
#define HF_TESTS_POLLER_WORLD_H

#include "engine/ledger.h"
#include "net/port_sim.h"
#include "net/wire.h"
#include "tools/holdfastd/log.h"
#include "tools/holdfastd/mailbox.h"
#include "tools/holdfastd/order.h"
#include "tools/holdfastd/receive.h"
#include "tools/holdfastd/transmit.h"
#include "wal/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BUNDLES_MAX     64
#define REFUSAL_BUNDLES 48
#define PIECES_A_BUNDLE 32
#define DEPTH           2
#define CLIENTS         8
#define BATCH_BYTES     (64 << 10)
#define NETWORK_DEPTH   4096
#define WORLD_RINGS     8
#define ASSET           840
#define ISSUER          1
#define WALLET          2
#define ANSWERS_MAX     8192
#define REPLIES_EACH    22 /* of 64 bytes behind a header of 24 in 1472 */

struct world {
    struct hf_sim_network *network;
    struct hf_port *server;
    struct hf_port *clients[CLIENTS];
    void *ledger_memory;
    struct hf_ledger *ledger;
    uint32_t bundle_count;
    struct bundle *bundles;
    struct bundle *spare[BUNDLES_MAX];
    /* free bundles, received, applied, free refusals, refusals, free batches, batches, asked */
    struct rte_ring *rings[WORLD_RINGS];
    struct hf_log_batch batches[DEPTH + 1];
    struct mailbox mailbox;
    struct receiver receiver;
    struct orderer orderer;
    struct logger logger;
    struct transmitter transmitter;
    atomic_bool stopping;
    uint64_t next_id;
    uint64_t id_time_ms;
    uint32_t checkpoints; /* how often one was written */
    uint64_t checkpoint_place;
};

/* What a client got, in the order in which it came. */
struct answers {
    uint32_t count;
    uint32_t datagrams;
    uint64_t sessions[ANSWERS_MAX];
    struct hf_query_reply replies[ANSWERS_MAX];
};

extern struct answers answers[CLIENTS]; /* what `world_collect` has found */

/* A world with an asset and two accounts, made through the front door. */
struct world *world_make(uint32_t bundle_count);
void world_destroy(struct world *world);
/* Operations with ids of their own. */
union hf_operation world_move(struct world *world, uint64_t amount);
union hf_operation world_query(struct world *world, uint64_t account);
/* A client sends a datagram to the node. */
void world_send_bytes(struct world *world, uint32_t client, const void *bytes, size_t length);
/* Fills `buffer` (1472 bytes) with a datagram; returns its length in bytes. */
size_t world_datagram(void *buffer, const union hf_operation operations[], uint32_t count,
                      uint64_t session);
void world_send(struct world *world, uint32_t client, const union hf_operation operations[],
                uint32_t count, uint64_t session);
/* Takes what has arrived at every client. */
void world_collect(struct world *world);
void world_forget_answers(void);
/* Everybody polls until there is nothing more to do. */
void world_settle(struct world *world);
/* Every bundle and batch is back where it began, and nothing is held. */
void world_assert_all_home(struct world *world);
int64_t world_posted(struct world *world, uint64_t account);
void world_assert_verdict(const struct hf_reply *reply, uint16_t code, uint8_t rule);

#endif
