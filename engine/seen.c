/* The ring and its index. */
#include "seen.h"

#include <assert.h>

#define CAPACITY_MAX (UINT64_C(1) << 31)

/* Two live answers a bucket of seven, when their milliseconds are evenly filled. */
#define BUCKET_ANSWERS 2

/* At least so many buckets a window: room for 28,672 ids of a millisecond, more than a core
 * answers; and at most twice as many, which are half a megabyte and stay in a second-level cache.
 */
#define WINDOW_BUCKETS_MIN 4096

/* After so many buckets that its hash has chosen, all full, an id goes from one to the next. */
#define CHOSEN_BUCKETS 8

/* At least so many buckets, in whole windows. */
static void lay_out_windows(struct hf_seen *seen, uint64_t buckets)
{
    uint64_t count = buckets < WINDOW_BUCKETS_MIN ? 1 : buckets / WINDOW_BUCKETS_MIN;

    seen->window_count = (uint32_t)count;
    seen->window_buckets = (uint32_t)((buckets + count - 1) / count);
    seen->window_magic = UINT64_MAX / count + 1; /* 0 for one window, which is right too */
    seen->bucket_count = seen->window_count * seen->window_buckets;
}

void hf_seen_create(struct hf_seen *seen, struct hf_arena *arena, uint64_t capacity)
{
    assert(capacity >= 1);
    assert(capacity <= CAPACITY_MAX);
    lay_out_windows(seen, capacity / BUCKET_ANSWERS + 1);
    seen->ring = hf_arena_take(arena, capacity, sizeof(struct hf_answer));
    seen->buckets = hf_arena_take(arena, seen->bucket_count, sizeof(struct hf_seen_bucket));
    seen->capacity = capacity;
    seen->ring_end = seen->ring == NULL ? NULL : seen->ring + capacity;
    seen->next = seen->ring;
    hf_seen_start_after(seen, 0, 0);
}

void hf_seen_start_after(struct hf_seen *seen, uint64_t place, uint64_t floor_ms)
{
    assert(place < UINT64_MAX);
    assert(seen->next == seen->ring);
    seen->next_place = place + 1;
    seen->oldest_entry = seen->next_place << HF_SEEN_PLACE_SHIFT;
    seen->entry_span = 0;
    seen->count = 0;
    seen->floor_ms = floor_ms;
}

const struct hf_answer *hf_seen_at(const struct hf_seen *seen, uint64_t place)
{
    assert(place >= hf_seen_oldest(seen));
    assert(place < seen->next_place);
    uint64_t index = (uint64_t)(seen->next - seen->ring) - (seen->next_place - place);
    if (index >= seen->capacity) /* it wrapped below zero */
        index += seen->capacity;
    assert(index < seen->capacity);
    return &seen->ring[index];
}

/* Where an id goes on to after `number` full buckets, the last of them `bucket`: first to buckets
 * that its hash names, each time anew; from the last of these to its neighbours, so that every
 * bucket comes round. */
static struct hf_seen_bucket *bucket_after(const struct hf_seen *seen,
                                           const struct hf_seen_bucket *bucket, uint64_t hash,
                                           uint32_t number)
{
    __extension__ typedef unsigned __int128 wide;
    size_t index = (size_t)(bucket - seen->buckets) + 1;

    if (number <= CHOSEN_BUCKETS) {
        uint64_t again = (hash + number) * UINT64_C(0x9e3779b97f4a7c15);
        index = (size_t)(((wide)(again ^ again >> 32) * seen->bucket_count) >> 64);
    }
    return &seen->buckets[index == seen->bucket_count ? 0 : index];
}

const struct hf_answer *hf_seen_search(const struct hf_seen *seen, struct hf_id id, uint64_t hash)
{
    const struct hf_seen_bucket *bucket = hf_seen_home(seen, id, hash);

    for (uint32_t probes = 1; probes <= seen->bucket_count + CHOSEN_BUCKETS; probes++) {
        for (uint32_t i = 0; i < HF_SEEN_BUCKET_ENTRIES; i++) {
            uint64_t entry = bucket->entries[i];
            if ((uint16_t)entry != (uint16_t)hash || !hf_seen_is_alive(seen, entry))
                continue;
            uint64_t distance = (entry - seen->oldest_entry) >> HF_SEEN_PLACE_SHIFT;
            const struct hf_answer *answer = hf_seen_at(seen, hf_seen_oldest(seen) + distance);
            if (hf_id_equal(answer->id, id))
                return answer;
        }
        if (!hf_seen_is_alive(seen, bucket->passed))
            return NULL;
        bucket = bucket_after(seen, bucket, hash, probes);
    }
    return NULL;
}

void hf_seen_enter_further_on(struct hf_seen *seen, struct hf_seen_bucket *home, uint64_t hash,
                              uint64_t entry)
{
    struct hf_seen_bucket *bucket = home;
    uint32_t probes = 0;

    do {
        bucket->passed = (entry & ~HF_SEEN_LOW_MASK) | (bucket->passed & HF_SEEN_LOW_MASK);
        probes++;
        assert(probes <= seen->bucket_count + CHOSEN_BUCKETS);
        bucket = bucket_after(seen, bucket, hash, probes);
    } while (!hf_seen_enter(seen, bucket, entry));
}
