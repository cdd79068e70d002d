/* The ring and its index. */
#include "seen.h"

#include <assert.h>

#define CAPACITY_MAX (UINT64_C(1) << 31)
#define ONE_PLACE    (UINT64_C(1) << HF_SEEN_PLACE_SHIFT)
#define LOW_MASK     (ONE_PLACE - 1)

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
    seen->oldest_entry = seen->oldest_place << HF_SEEN_PLACE_SHIFT;
    seen->entry_span = 0;
    seen->floor_ms = floor_ms;
}

const struct hf_answer *hf_seen_at(const struct hf_seen *seen, uint64_t place)
{
    assert(place >= seen->oldest_place);
    assert(place < seen->next_place);
    uint64_t index = seen->next_index - (seen->next_place - place);
    if (index >= seen->capacity) /* it wrapped below zero */
        index += seen->capacity;
    assert(index < seen->capacity);
    return &seen->ring[index];
}

static struct hf_seen_bucket *bucket_after(const struct hf_seen *seen,
                                           const struct hf_seen_bucket *bucket)
{
    size_t index = (size_t)(bucket - seen->buckets) + 1;

    return &seen->buckets[index == seen->bucket_count ? 0 : index];
}

const struct hf_answer *hf_seen_search(const struct hf_seen *seen, struct hf_id id, uint64_t hash)
{
    const struct hf_seen_bucket *bucket = hf_seen_home(seen, hash);

    for (uint32_t probes = 0; probes < seen->bucket_count; probes++) {
        for (uint32_t i = 0; i < HF_SEEN_BUCKET_ENTRIES; i++) {
            uint64_t entry = bucket->entries[i];
            if ((uint16_t)entry != (uint16_t)hash || !hf_seen_is_alive(seen, entry))
                continue;
            uint64_t distance = (entry - seen->oldest_entry) >> HF_SEEN_PLACE_SHIFT;
            const struct hf_answer *answer = hf_seen_at(seen, seen->oldest_place + distance);
            if (hf_id_equal(answer->id, id))
                return answer;
        }
        if (!hf_seen_is_alive(seen, bucket->passed))
            return NULL;
        bucket = bucket_after(seen, bucket);
    }
    return NULL;
}

/* Puts an entry into a bucket, instead of its oldest. False when even that one is alive. */
static inline bool enter(struct hf_seen *seen, struct hf_seen_bucket *bucket, uint64_t entry)
{
    uint64_t oldest = bucket->passed & LOW_MASK;

    assert(oldest < HF_SEEN_BUCKET_ENTRIES);
    if (__builtin_expect(hf_seen_is_alive(seen, bucket->entries[oldest]), 0))
        return false;
    bucket->entries[oldest] = entry;
    uint64_t next = oldest + 1 == HF_SEEN_BUCKET_ENTRIES ? 0 : oldest + 1;
    bucket->passed += next - oldest;
    return true;
}

/* Goes past full buckets until one has room, and leaves word in each. */
static __attribute__((noinline)) void
enter_further_on(struct hf_seen *seen, struct hf_seen_bucket *bucket, uint64_t entry)
{
    uint32_t probes = 0;

    do {
        bucket->passed = (entry & ~LOW_MASK) | (bucket->passed & LOW_MASK);
        bucket = bucket_after(seen, bucket);
        probes++;
        assert(probes < seen->bucket_count);
    } while (!enter(seen, bucket, entry));
}

struct hf_answer *hf_seen_add(struct hf_seen *seen, struct hf_seen_bucket *home, uint64_t hash)
{
    struct hf_answer *answer = &seen->ring[seen->next_index];
    uint64_t entry = seen->next_place << HF_SEEN_PLACE_SHIFT | (hash & LOW_MASK);

    if (__builtin_expect(seen->next_place - seen->oldest_place == seen->capacity, 1)) {
        /* In a full ring the oldest answer lies where the next one goes. */
        uint64_t above_ms = hf_id_time_ms(answer->id) + 1;
        if (seen->floor_ms < above_ms)
            seen->floor_ms = above_ms;
        seen->oldest_place++;
        seen->oldest_entry += ONE_PLACE;
        seen->entry_span -= ONE_PLACE;
    }
    /* The new place counts only from here on: what it passes is not alive before. */
    if (__builtin_expect(!enter(seen, home, entry), 0))
        enter_further_on(seen, home, entry);
    seen->entry_span += ONE_PLACE;
    seen->next_place++;
    seen->next_index = seen->next_index + 1 == seen->capacity ? 0 : seen->next_index + 1;
    return answer;
}
