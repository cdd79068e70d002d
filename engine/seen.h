/* What has been answered: the newest answers, in the order of their places.
 *
 * A ring of 64-byte answers, written one after the other, and an index from ids to places. A new id
 * so costs one random line, that of its bucket in the index; the ring is walked in order.
 *
 * A bucket of the index is one line, itself a small ring of seven entries, oldest first:
 *
 *   offset  0  entries[7]  place << 16 | 16 bits of the id's hash; 0 = never used
 *          56  passed      place << 16 | index of the bucket's oldest entry
 *
 * Nothing is ever deleted from it. An entry dies by itself when its place leaves the ring, and the
 * next insert into the bucket takes the place of the oldest. When even the oldest is alive the
 * bucket is full: the insert notes its own place in `passed` and goes on to the next bucket; a
 * lookup goes on only while the last place that passed is alive.
 *
 * Only the low 48 bits of a place are kept. After 2^48 operations a forgotten entry may seem alive
 * for a while: that costs a look at the ring, where the whole id is compared, and never an answer.
 * An insert always finds room: of all buckets, the one that held the answer forgotten last has it.
 *
 * The floor: forgetting an answer because the ring is full raises it over the time of its id, so
 * that an id at or over the floor that is not found was never answered. */
#ifndef HF_ENGINE_SEEN_H
#define HF_ENGINE_SEEN_H

#include "answer.h"
#include "arena.h"

#define HF_SEEN_BUCKET_ENTRIES 7

struct hf_seen_bucket {
    uint64_t entries[HF_SEEN_BUCKET_ENTRIES];
    uint64_t passed;
};
HF_STATIC_ASSERT(sizeof(struct hf_seen_bucket) == 64, "a bucket is one line");

struct hf_seen {
    struct hf_answer *ring;
    struct hf_seen_bucket *buckets;
    uint64_t capacity;     /* answers the ring has room for */
    uint64_t next_place;   /* of the next answer; the first is 1 */
    uint64_t oldest_place; /* of the oldest remembered; next_place when there is none */
    uint64_t next_index;   /* in the ring, of the next answer */
    uint64_t floor_ms;     /* one more than the largest id time ever forgotten; 0: none was */
    uint32_t bucket_count;
};

/* Lays out an empty memory for `capacity` answers (1 to 2^31, asserted) in the arena. */
void hf_seen_create(struct hf_seen *seen, struct hf_arena *arena, uint64_t capacity);

static inline uint32_t hf_seen_home(const struct hf_seen *seen, uint64_t hash)
{
    __extension__ typedef unsigned __int128 wide;
    return (uint32_t)(((wide)hash * seen->bucket_count) >> 64);
}

/* Fetches the bucket of an id. */
static inline void hf_seen_prefetch(const struct hf_seen *seen, uint64_t hash)
{
    __builtin_prefetch(&seen->buckets[hf_seen_home(seen, hash)], 1);
}

static inline uint64_t hf_seen_count(const struct hf_seen *seen)
{
    return seen->next_place - seen->oldest_place;
}

/* The answer at a remembered place (asserted). */
const struct hf_answer *hf_seen_at(const struct hf_seen *seen, uint64_t place);

/* The remembered answer to an id, or NULL. `hash` is the id's. Stays the memory's, until the next
 * hf_seen_add. */
const struct hf_answer *hf_seen_find(const struct hf_seen *seen, struct hf_id id, uint64_t hash);

/* Gives the next place to an id that is not remembered, forgetting the oldest answer when the ring
 * is full. Returns where the answer goes; the caller fills it, id and place included, before
 * anything else is asked here. */
struct hf_answer *hf_seen_add(struct hf_seen *seen, uint64_t hash);

/* Goes on after `place` with nothing remembered: for a memory just created, before an image fills
 * it. */
void hf_seen_start_after(struct hf_seen *seen, uint64_t place, uint64_t floor_ms);

/* Raises the floor over an id that will not be remembered. */
static inline void hf_seen_forget(struct hf_seen *seen, struct hf_id id)
{
    uint64_t above_ms = hf_id_time_ms(id) + 1;
    if (seen->floor_ms < above_ms)
        seen->floor_ms = above_ms;
}

#endif
