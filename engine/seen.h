/* What has been answered: the newest answers, in the order of their places.
 *
 * A ring of 64-byte answers, written one after the other, and an index from ids to places.
 *
 * Ids of one millisecond share a window of the index, and the windows of successive milliseconds
 * lie one behind the other, round and round. Operations come soon after their ids are made: what is
 * looked up now lies where the last ones were put, in lines that the cache still has, and a busy
 * ledger pays no random line for an id. When a bucket of the window is full (more ids carry that
 * millisecond than it has room for: a file of ids made in one go) the id goes to buckets that its
 * hash names anywhere in the index, and costs a random line.
 *
 * A bucket is one line, itself a small ring of seven entries, oldest first:
 *
 *   offset  0  entries[7]  place << 16 | 16 bits of the id's hash; 0 = never used
 *          56  passed      place << 16 | index of the bucket's oldest entry
 *
 * Nothing is ever deleted from it. An entry dies by itself when its place leaves the ring, and the
 * next insert into the bucket takes the place of the oldest. When even the oldest is alive the
 * bucket is full: the insert notes its own place in `passed` and goes on to the id's next bucket; a
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

#include <assert.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define HF_SEEN_BUCKET_ENTRIES 7
#define HF_SEEN_PLACE_SHIFT    16
#define HF_SEEN_LOW_MASK       ((UINT64_C(1) << HF_SEEN_PLACE_SHIFT) - 1)

struct hf_seen_bucket {
    uint64_t entries[HF_SEEN_BUCKET_ENTRIES];
    uint64_t passed;
};
HF_STATIC_ASSERT(sizeof(struct hf_seen_bucket) == 64, "a bucket is one line");

/* Places count modulo 2^48 in entries, shifted up by 16: so an entry is alive when its distance
 * from the oldest place, taken modulo 2^64 and tag and all, is under the span of the remembered
 * ones. */
struct hf_seen {
    struct hf_answer *ring;
    struct hf_answer *ring_end;
    struct hf_answer *next; /* where the next answer goes */
    struct hf_seen_bucket *buckets;
    uint64_t next_place;   /* of the next answer; the first is 1 */
    uint64_t oldest_entry; /* place of the oldest answer << 16 */
    uint64_t entry_span;   /* remembered answers << 16 */
    uint64_t count;        /* remembered answers */
    uint64_t capacity;     /* answers the ring has room for */
    uint64_t floor_ms;     /* one more than the largest id time ever forgotten; 0: none was */
    uint64_t window_magic; /* 2^64 / window_count, rounded up: see hf_seen_home */
    uint32_t window_count;
    uint32_t window_buckets; /* in each */
    uint32_t bucket_count;
};

/* Lays out an empty memory for `capacity` answers (1 to 2^31, asserted) in the arena. */
void hf_seen_create(struct hf_seen *seen, struct hf_arena *arena, uint64_t capacity);

/* Goes on after `place` with nothing remembered: for a memory just created, before an image fills
 * it. */
void hf_seen_start_after(struct hf_seen *seen, uint64_t place, uint64_t floor_ms);

/* The first bucket of an id: its millisecond, modulo 2^32 and modulo the number of windows, names
 * the window, its hash the bucket there. The remainder by two multiplications is that of Lemire,
 * Kaser and Kurz, "Faster remainder by direct computation", 2019; exact for 32-bit numbers. */
static inline struct hf_seen_bucket *hf_seen_home(const struct hf_seen *seen, struct hf_id id,
                                                  uint64_t hash)
{
    __extension__ typedef unsigned __int128 wide;
    uint64_t fraction = seen->window_magic * (uint32_t)hf_id_time_ms(id);
    uint64_t window = (uint64_t)(((wide)fraction * seen->window_count) >> 64);

    return &seen->buckets[window * seen->window_buckets +
                          ((hash >> 32) * seen->window_buckets >> 32)];
}

/* The place of the oldest remembered answer; that of the next one when there is none. */
static inline uint64_t hf_seen_oldest(const struct hf_seen *seen)
{
    return seen->next_place - seen->count;
}

/* Right for every entry whose answer is remembered; see above for the others. */
static inline bool hf_seen_is_alive(const struct hf_seen *seen, uint64_t entry)
{
    return entry - seen->oldest_entry < seen->entry_span;
}

/* Does any entry of the bucket end in these 16 bits? Looks at `passed` too, which is harmless: what
 * is found here is looked at again. */
static inline bool hf_seen_may_hold(const struct hf_seen_bucket *bucket, uint64_t hash)
{
#ifdef __SSE2__
    const __m128i *pairs = (const __m128i *)(const void *)bucket;
    const __m128i tag = _mm_set1_epi16((short)hash);
    __m128i first = _mm_or_si128(_mm_cmpeq_epi16(_mm_load_si128(&pairs[0]), tag),
                                 _mm_cmpeq_epi16(_mm_load_si128(&pairs[1]), tag));
    __m128i second = _mm_or_si128(_mm_cmpeq_epi16(_mm_load_si128(&pairs[2]), tag),
                                  _mm_cmpeq_epi16(_mm_load_si128(&pairs[3]), tag));
    /* Only the lowest 16 of each 64 bits are the tag. */
    return (_mm_movemask_epi8(_mm_or_si128(first, second)) & 0x0101) != 0;
#else
    for (uint32_t i = 0; i < HF_SEEN_BUCKET_ENTRIES; i++) {
        if ((uint16_t)bucket->entries[i] == (uint16_t)hash)
            return true;
    }
    return false;
#endif
}

/* True when an id is surely not remembered, by a glance at its bucket. */
static inline bool hf_seen_is_absent(const struct hf_seen *seen, const struct hf_seen_bucket *home,
                                     uint64_t hash)
{
    return !hf_seen_may_hold(home, hash) && !hf_seen_is_alive(seen, home->passed);
}

/* Looks through all that hf_seen_find does not rule out at once. */
const struct hf_answer *hf_seen_search(const struct hf_seen *seen, struct hf_id id, uint64_t hash);

/* The remembered answer to an id, or NULL. `hash` is the id's, `home` its bucket. Stays the
 * memory's, until the next hf_seen_add. */
static inline const struct hf_answer *hf_seen_find(const struct hf_seen *seen,
                                                   const struct hf_seen_bucket *home,
                                                   struct hf_id id, uint64_t hash)
{
    return hf_seen_is_absent(seen, home, hash) ? NULL : hf_seen_search(seen, id, hash);
}

/* The answer at a remembered place (asserted). */
const struct hf_answer *hf_seen_at(const struct hf_seen *seen, uint64_t place);

/* Puts an entry into a bucket, instead of its oldest. False when even that one is alive. */
static inline bool hf_seen_enter(const struct hf_seen *seen, struct hf_seen_bucket *bucket,
                                 uint64_t entry)
{
    uint64_t oldest = bucket->passed & HF_SEEN_LOW_MASK;

    assert(oldest < HF_SEEN_BUCKET_ENTRIES);
    if (__builtin_expect(hf_seen_is_alive(seen, bucket->entries[oldest]), 0))
        return false;
    bucket->entries[oldest] = entry;
    uint64_t next = oldest + 1 == HF_SEEN_BUCKET_ENTRIES ? 0 : oldest + 1;
    bucket->passed += next - oldest;
    return true;
}

/* Goes past full buckets until one has room, and leaves word in each. */
void hf_seen_enter_further_on(struct hf_seen *seen, struct hf_seen_bucket *home, uint64_t hash,
                              uint64_t entry);

/* Gives the next place to an id that is not remembered, forgetting the oldest answer when the ring
 * is full. Returns where the answer goes; the caller fills it, id and place included, before
 * anything else is asked here. */
static inline struct hf_answer *hf_seen_add(struct hf_seen *seen, struct hf_seen_bucket *home,
                                            uint64_t hash)
{
    struct hf_answer *answer = seen->next;
    uint64_t entry = seen->next_place << HF_SEEN_PLACE_SHIFT | (hash & HF_SEEN_LOW_MASK);

    if (__builtin_expect(seen->count == seen->capacity, 1)) {
        /* In a full ring the oldest answer lies where the next one goes. */
        uint64_t above_ms = hf_id_time_ms(answer->id) + 1;
        if (__builtin_expect(seen->floor_ms < above_ms, 0))
            seen->floor_ms = above_ms;
        seen->oldest_entry += HF_SEEN_LOW_MASK + 1;
    } else {
        seen->count++;
        seen->entry_span += HF_SEEN_LOW_MASK + 1;
    }
    if (__builtin_expect(!hf_seen_enter(seen, home, entry), 0))
        hf_seen_enter_further_on(seen, home, hash, entry);
    seen->next_place++;
    seen->next = answer + 1 == seen->ring_end ? seen->ring : answer + 1;
    return answer;
}

#endif
