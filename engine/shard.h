/* Shards: one ledger, carried out by several cores at once, with the answers of one.
 *
 * Accounts are divided among the shards: an account's home is named by the hash of its family
 * (hf_shard_of). Whoever gives operations their places, the gate, also says which shards each
 * operation concerns, and hands bundles of them, as works, to those shards. Every shard goes
 * through its works in order. An operation is carried out by one shard, its executor: a plain MOVE
 * by its payer's home, everything else, with the records that are no accounts, by shard 0. The
 * others that it concerns lend it what is theirs: each says so when all that it has to do before is
 * done, and goes on with what the operation does not touch (after a MOVE: with all but that one
 * account; else with nothing), until the executor says that it is done. So each account sees its
 * operations in the one order, one at a time, whoever carries them out: the results are exactly
 * those of hf_ledger_apply. Shards that an operation does not concern never learn of it.
 *
 * Shards tell each other by words: bits of a work's operations that are lent, and that are done.
 * The owner brings them from one to the other, in order, through queues of one producer and one
 * consumer, however short: one word is room enough. No shard can wait for ever: one that cannot
 * send goes on taking in; and of all that wait, the one with the earliest operation in hand waits
 * for nobody, for the others have all done, or lent, what comes before. There is no lock.
 *
 * Pure like the rest of the engine: it has no thread of its own. The gate is one thread's, each
 * shard one thread's, and while works are under way the ledger is nobody else's. What passes
 * between them (works, words) the owner hands over with acquire and release. */
#ifndef HF_ENGINE_SHARD_H
#define HF_ENGINE_SHARD_H

#include "ledger.h"

#define HF_SHARDS_MAX 64
#define HF_WORKS_MAX  64 /* that may be under way */
#define HF_SHARD_ANSWERS \
    HF_BUNDLE_OPERATIONS_MAX /* remembered ones that a ledger must have room for */

struct hf_shards;
struct hf_shard;
struct hf_work;

/* What a shard tells another about a work. */
struct hf_shard_word {
    uint64_t work; /* its number */
    uint64_t lent; /* bit i: for operation i I lend what is mine */
    uint64_t done; /* bit i: operation i is carried out: what you lent is yours again */
};
HF_STATIC_ASSERT(sizeof(struct hf_shard_word) == 24, "word");

/* The way between two shards, the owner's: a queue for each pair and direction. Each call is of the
 * thread of its own end. `send` is false when there is no room now, `receive` when there is
 * nothing.
 */
struct hf_shard_mail {
    void *context;
    bool (*send)(void *context, uint32_t from, uint32_t to, const struct hf_shard_word *word);
    bool (*receive)(void *context, uint32_t from, uint32_t to, struct hf_shard_word *word);
};

/* Counts, each written by its shard alone; read by whoever likes. */
struct hf_shard_counts {
    uint64_t works;
    uint64_t operations; /* carried out here */
    uint64_t lent;       /* times that something was lent to another shard */
    uint64_t borrowed;   /* operations carried out here with what others lent */
    uint64_t words;      /* sent */
    uint64_t waits;      /* steps that ended for want of a word from another */
};

/* The home of an account: the same for all ids of a family. */
uint32_t hf_shard_of(struct hf_id account, uint32_t count);

/* Bytes for a ledger's shards, at 64-byte alignment; 0 when `count` is not 1 to HF_SHARDS_MAX or
 * the ledger remembers fewer answers than HF_SHARD_ANSWERS. */
size_t hf_shards_memory_size(const struct hf_ledger_limits *limits, uint32_t count);
size_t hf_work_size(void);

/* Divides a ledger among shards; any number, whatever it was before. `memory` is zeroed, 64-byte
 * aligned and stays the caller's, as does the ledger, which only the gate and the shards may touch
 * while works are under way. NULL when size or count do not do. */
struct hf_shards *hf_shards_create(struct hf_ledger *ledger, uint32_t count,
                                   const struct hf_shard_mail *mail, void *memory, size_t size);

/* From now on each shard tells what happens to its own events (the owner's; as many as there are
 * shards): those of an operation one behind the other, but operations of one work in any order, so
 * that whoever puts them together sorts them by place. NULL: to nobody. Between works only. */
void hf_shards_watch(struct hf_shards *shards, struct hf_events *const events[]);

struct hf_shard *hf_shards_at(struct hf_shards *shards, uint32_t number);

/* Bytes of a shard's own working memory, from hf_shards_at: whole pages of HF_SHARD_PAGE, that lie
 * in the memory of all at an address which is a multiple of that. So the owner can have it lie near
 * the shard's processor. The rest of that memory is the gate's, the ledger everybody's. */
#define HF_SHARD_PAGE 4096
size_t hf_shard_size(void);

/* Looks anew at what the ledger has: after somebody else has changed it. With nothing under way. As
 * long as walking through all accounts with terms, instruments and holds takes. */
void hf_shards_renew(struct hf_shards *shards);

/* ---- the gate ---- */

/* Gives up to HF_BUNDLE_OPERATIONS_MAX operations their places, as hf_ledger_apply does, and makes
 * a work of them. Operations and replies are borrowed until the work is over; replies are filled by
 * then. `work` is hf_work_size() zeroed bytes, 64-byte aligned, the caller's; one that is over can
 * be used again. False: too many are under way (HF_WORKS_MAX, or the answers that they will be
 * remembered by); collect first. Otherwise `placed` is the mask of hf_ledger_apply, and the work is
 * to be handed to each shard in hf_work_shards. */
bool hf_shards_submit(struct hf_shards *shards, uint64_t timestamp_ns,
                      const union hf_operation *const operations[], uint32_t count,
                      struct hf_reply replies[], struct hf_work *work, uint64_t *placed);

/* Bit n: shard n has a part in the work. */
uint64_t hf_work_shards(const struct hf_work *work);

/* A shard has finished its part. */
void hf_work_finished(struct hf_work *work);

/* The oldest work under way, once all shards have finished it and its replies are filled; else
 * NULL. */
struct hf_work *hf_shards_collect(struct hf_shards *shards);

/* How many works are under way: not yet collected. At none the ledger is whole and the caller's. */
uint32_t hf_shards_under_way(const struct hf_shards *shards);

/* ---- a shard ---- */

/* Takes the next work, in the order in which they were submitted. The shard has none in hand. */
void hf_shard_begin(struct hf_shard *shard, struct hf_work *work);

/* Goes on with the work in hand as far as it can. True when its part is finished: then it has none
 * in hand. */
bool hf_shard_step(struct hf_shard *shard);

const struct hf_shard_counts *hf_shard_count(const struct hf_shard *shard);

#endif
