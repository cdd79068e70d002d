/* The ring and its index. */
#include "seen.h"

#include <assert.h>

#define CAPACITY_MAX (UINT64_C(1) << 31)
#define LOW_BITS     16
#define LOW_MASK     ((UINT64_C(1) << LOW_BITS) - 1)
#define PLACE_MASK   ((UINT64_C(1) << (64 - LOW_BITS)) - 1)

/* Three live answers a bucket of seven: one insert in thirty finds its bucket full. */
#define BUCKET_ANSWERS 3

void hf_seen_create(struct hf_seen *seen, struct hf_arena *arena, uint64_t capacity)
{
    assert(capacity >= 1);
    assert(capacity <= CAPACITY_MAX);
    seen->bucket_count = (uint32_t)(capacity / BUCKET_ANSWERS + 1);
    seen->ring = hf_arena_take(arena, capacity, sizeof(struct hf_answer));
    seen->buckets = hf_arena_take(arena, seen->bucket_count, sizeof(struct hf_seen_bucket));
    seen->capacity = capacity;
    seen->next_index = 0;
    hf_seen_start_after(seen, 0, 0);
}

void hf_seen_start_after(struct hf_seen *seen, uint64_t place, uint64_t floor_ms)
{
    assert(place < UINT64_MAX);
    assert(seen->next_index == 0);
    seen->next_place = place + 1;
    seen->oldest_place = place + 1;
    seen->floor_ms = floor_ms;
}

/* How many places ago: 1 for the newest. Right for every remembered place; see the file's head for
 * the others. */
static inline uint64_t age_of(const struct hf_seen *seen, uint64_t entry)
{
    return (seen->next_place - (entry >> LOW_BITS)) & PLACE_MASK;
}

static inline bool is_alive(const struct hf_seen *seen, uint64_t entry)
{
    return age_of(seen, entry) - 1 < hf_seen_count(seen);
}

static inline const struct hf_answer *answer_of_age(const struct hf_seen *seen, uint64_t age)
{
    uint64_t index = seen->next_index - age;
    if (index >= seen->capacity) /* it wrapped below zero */
        index += seen->capacity;
    assert(index < seen->capacity);
    return &seen->ring[index];
}

static inline uint32_t bucket_after(const struct hf_seen *seen, uint32_t bucket)
{
    return bucket + 1 == seen->bucket_count ? 0 : bucket + 1;
}

const struct hf_answer *hf_seen_at(const struct hf_seen *seen, uint64_t place)
{
    assert(place >= seen->oldest_place);
    assert(place < seen->next_place);
    return answer_of_age(seen, seen->next_place - place);
}

const struct hf_answer *hf_seen_find(const struct hf_seen *seen, struct hf_id id, uint64_t hash)
{
    uint32_t home = hf_seen_home(seen, hash);

    for (uint32_t probes = 0; probes < seen->bucket_count; probes++) {
        const struct hf_seen_bucket *bucket = &seen->buckets[home];
        for (uint32_t i = 0; i < HF_SEEN_BUCKET_ENTRIES; i++) {
            uint64_t entry = bucket->entries[i];
            if (__builtin_expect((uint16_t)entry != (uint16_t)hash, 1))
                continue;
            if (!is_alive(seen, entry))
                continue;
            const struct hf_answer *answer = answer_of_age(seen, age_of(seen, entry));
            if (hf_id_equal(answer->id, id))
                return answer;
        }
        if (__builtin_expect(!is_alive(seen, bucket->passed), 1))
            return NULL;
        home = bucket_after(seen, home);
    }
    return NULL;
}

static void forget_oldest(struct hf_seen *seen)
{
    /* In a full ring the oldest answer lies where the next one goes. */
    hf_seen_forget(seen, seen->ring[seen->next_index].id);
    seen->oldest_place++;
}

static void enter(struct hf_seen *seen, uint64_t hash)
{
    uint32_t home = hf_seen_home(seen, hash);
    uint64_t place = seen->next_place << LOW_BITS;

    for (uint32_t probes = 0; probes < seen->bucket_count; probes++) {
        struct hf_seen_bucket *bucket = &seen->buckets[home];
        uint64_t oldest = bucket->passed & LOW_MASK;
        assert(oldest < HF_SEEN_BUCKET_ENTRIES);
        if (__builtin_expect(!is_alive(seen, bucket->entries[oldest]), 1)) {
            bucket->entries[oldest] = place | (hash & LOW_MASK);
            oldest = oldest + 1 == HF_SEEN_BUCKET_ENTRIES ? 0 : oldest + 1;
            bucket->passed = (bucket->passed & ~LOW_MASK) | oldest;
            return;
        }
        bucket->passed = place | oldest;
        home = bucket_after(seen, home);
    }
    assert(!"an index with more room than answers has room for one more");
}

struct hf_answer *hf_seen_add(struct hf_seen *seen, uint64_t hash)
{
    struct hf_answer *answer = &seen->ring[seen->next_index];

    if (hf_seen_count(seen) == seen->capacity)
        forget_oldest(seen);
    enter(seen, hash);
    seen->next_place++;
    seen->next_index = seen->next_index + 1 == seen->capacity ? 0 : seen->next_index + 1;
    assert(seen->next_place != 0);
    return answer;
}
