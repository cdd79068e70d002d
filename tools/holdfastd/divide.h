/* The ledger divided among shards: their pollers, and the rings between them and the order poller.
 *
 *              works                     words
 *   order ----------------> shard n <-----------> shard m
 *     ^                        |
 *     +------------------------+ works, finished
 *
 * Every ring has one producer and one consumer. */
#ifndef HOLDFASTD_DIVIDE_H
#define HOLDFASTD_DIVIDE_H

#include "bundle.h"
#include "engine/shard.h"
#include "ring.h"

#include <stdatomic.h>

/* One shard, on its core. */
struct shard_poller {
    struct hf_shard *shard;
    struct rte_ring *works;    /* from the order poller */
    struct rte_ring *finished; /* to the order poller */
    struct hf_work *work;      /* in hand, or NULL */

    _Alignas(64) _Atomic uint64_t works_done;
    _Atomic uint64_t operations;
    _Atomic uint64_t lent;
    _Atomic uint64_t borrowed;
    _Atomic uint64_t words;
    _Atomic uint64_t waits;
};

struct divided {
    uint32_t count; /* of shards; 0: the ledger is whole, and the order poller's alone */
    struct hf_shards *shards;
    void *memory;
    size_t memory_bytes;
    struct shard_poller *pollers;
    struct rte_ring **words;              /* from * count + to */
    uint8_t *works;                       /* HF_WORKS_MAX of them */
    uint32_t next_work;                   /* they are used and come back in turn */
    struct bundle *bundles[HF_WORKS_MAX]; /* whose each is */
};

/* Divides the ledger among `divided->count` shards, each to run on its processor: what it works
 * with and the rings that it takes from lie there. At start; everything stays the caller's until
 * divide_release. */
HF_MUST_USE enum hf_status divide_create(struct divided *divided, struct hf_ledger *ledger,
                                         const uint32_t processors[], struct hf_fault *fault);
void divide_release(struct divided *divided);

/* ---- the order poller's ---- */

/* Orders a bundle's operations and hands them to the shards. False: too much is under way; collect
 * first. Else `placed` says what took a place, and the bundle comes back from divide_collect. */
bool divide_submit(struct divided *divided, uint64_t timestamp_ns, struct bundle *bundle,
                   uint64_t *placed);

/* The next bundle, in the order in which they were submitted, once all its answers are there; else
 * NULL. */
struct bundle *divide_collect(struct divided *divided);

/* Somebody else has changed the ledger while it was whole. */
void divide_renew(struct divided *divided);

/* Nothing is under way: the ledger is whole, and the order poller may use it. */
static inline bool divide_is_whole(const struct divided *divided)
{
    return divided->count == 0 || hf_shards_under_way(divided->shards) == 0;
}

/* ---- a shard's ---- */

/* Begins works and goes on with the one in hand. Returns how many were finished. */
uint32_t shard_poll(struct shard_poller *poller);

/* Whether it has a work in hand, or waiting. */
bool shard_is_pending(const struct shard_poller *poller);

#endif
