/* What shards and their gate share, and nobody else sees. */
#ifndef HF_ENGINE_SHARD_INSIDE_H
#define HF_ENGINE_SHARD_INSIDE_H

#include "directory.h"
#include "shard.h"
#include "state.h"

/* A set of accounts, by their hashes: it may see one that is not in it. */
#define HF_TOUCHED_BITS 2048
struct hf_touched {
    uint64_t bits[HF_TOUCHED_BITS / 64];
};

/* The accounts of a plain MOVE that are a shard's, by their bits: payer and payee, or one of them
 * twice. (Which it is, is as good as random: a branch would be guessed wrong half of the time.) */
struct hf_parties {
    uint16_t bits[2];
};

struct hf_work {
    uint64_t number; /* from 1 */
    uint64_t timestamp_ns;
    uint64_t shards;       /* that have a part in it */
    uint64_t left;         /* how many of them have not finished. The gate's */
    uint64_t first_place;  /* of its own, when it has any */
    uint64_t oldest_place; /* no answer from here on may be forgotten before this is collected */
    uint32_t count;
    uint64_t whole; /* bit i: operation i is no plain MOVE */
    uint64_t old;   /* of those: one with an id that only a hold may still know */
    uint64_t again; /* the answer to operation i is that of an operation still under way */
    struct hf_reply *replies;
    const union hf_operation *operations[HF_BUNDLE_OPERATIONS_MAX];
    uint64_t mine[HF_SHARDS_MAX];                 /* by shard: the operations that concern it */
    uint64_t concerned[HF_BUNDLE_OPERATIONS_MAX]; /* by operation: the shards */
    uint8_t executors[HF_BUNDLE_OPERATIONS_MAX];
    struct hf_answer *answers[HF_BUNDLE_OPERATIONS_MAX];
    const struct hf_answer *firsts[HF_BUNDLE_OPERATIONS_MAX]; /* of `again` */
    struct hf_answer dry[HF_BUNDLE_OPERATIONS_MAX];           /* answers without a place */
    uint64_t dry_places[HF_BUNDLE_OPERATIONS_MAX];            /* which they would have got */
    struct hf_turn turns[HF_BUNDLE_OPERATIONS_MAX]; /* the gate's: no shard looks at them, so that
                                                       they stay in its cache */
};

/* What is to be told to another shard. */
struct hf_outbox {
    uint64_t lent;
    uint64_t done;
};

struct hf_shard {
    _Alignas(HF_SHARD_PAGE) struct hf_shards *shards;
    struct hf_work *work;
    uint32_t number;
    uint64_t to_reach; /* operations of the work that concern this shard and were not reached yet */
    uint64_t pending;  /* reached: its own that wait for what is lent, and lent ones not yet done */
    uint64_t executes; /* those of the work that this shard carries out */
    uint64_t ready;    /* plain MOVEs for which it has everything: all is its own, or was lent */
    uint64_t carried;  /* out, and not told yet to those that lent for it */
    uint64_t lent;     /* those that it has lent something to */
    uint64_t done;     /* those that were done elsewhere */
    uint64_t peers;    /* shards that have a part in any of them */
    uint64_t unsent;   /* shards with something in their outbox */
    bool is_stale;     /* `touched` has some that are pending no more */
    struct hf_touched touched;                           /* accounts of pending operations */
    struct hf_parties parties[HF_BUNDLE_OPERATIONS_MAX]; /* of plain MOVEs, when it has peers */
    uint64_t lenders[HF_BUNDLE_OPERATIONS_MAX]; /* by operation: the shards that have lent */
    struct hf_outbox outboxes[HF_SHARDS_MAX];
    struct hf_shard_word early[HF_SHARDS_MAX];      /* a word about a later work; number 0: none */
    uint8_t whole_turns[HF_BUNDLE_OPERATIONS_MAX];  /* of shard 0: where in the ledger's turns */
    struct hf_turn turns[HF_BUNDLE_OPERATIONS_MAX]; /* of the plain MOVEs that it carries out */
    struct hf_events *events;
    _Alignas(64) struct hf_shard_counts counts;
};

struct hf_shards {
    struct hf_ledger *ledger;
    struct hf_shard_mail mail;
    uint32_t count;
    uint64_t all;                 /* a bit for each */
    struct hf_directory accounts; /* those with terms, and what is above them */
    struct hf_directory instruments;
    struct hf_directory holds; /* and records of authorisations */
    uint64_t works;            /* submitted ever */
    uint32_t first;            /* of those under way, in the ring */
    uint32_t under_way;
    struct hf_work *ring[HF_WORKS_MAX];
    struct hf_shard *shards;
};

/* The shard that is an account's home. */
static inline uint64_t hf_shards_home(const struct hf_shards *shards, struct hf_id account)
{
    return UINT64_C(1) << hf_shard_of(account, shards->count);
}

/* gate.c's other half: which shards an operation concerns, and whether it is no plain MOVE. Notes
 * in the directories what later ones will want to know. Only for those that take a place or are
 * dry. */
struct hf_route {
    uint64_t concerned;
    uint32_t executor;
    bool is_whole;
};
struct hf_route hf_route_operation(struct hf_shards *shards, const union hf_operation *operation);

#endif
