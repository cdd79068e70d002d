/* The index's slower half: what needs more than the first guess. */
#include "index.h"

#include <assert.h>

#define CAPACITY_MAX (UINT64_C(1) << 31)

void hf_index_create(struct hf_index *index, struct hf_arena *arena, uint64_t capacity,
                     const void *lines)
{
    assert(capacity >= 1);
    assert(capacity <= CAPACITY_MAX);
    uint64_t bucket_count = capacity / HF_INDEX_ENTRIES_WANTED + 1;

    index->buckets = hf_arena_take(arena, bucket_count, sizeof(*index->buckets));
    index->lines = lines;
    index->bucket_count = (uint32_t)bucket_count;
    index->capacity = (uint32_t)capacity;
    index->count = 0;
}

static struct hf_index_bucket *bucket_after(const struct hf_index *index,
                                            struct hf_index_bucket *bucket)
{
    return bucket + 1 == index->buckets + index->bucket_count ? index->buckets : bucket + 1;
}

uint32_t hf_index_find(const struct hf_index *index, struct hf_id id, uint64_t hash)
{
    struct hf_index_bucket *bucket = hf_index_home(index, hash);
    uint16_t tag = hf_index_tag(hash);

    assert(!hf_id_is_reserved(id));
    /* Ends: what was passed lies somewhere. */
    for (;;) {
        for (uint32_t mask = hf_index_match(bucket, tag); mask != 0; mask &= mask - 1) {
            uint32_t slot = bucket->slots[__builtin_ctz(mask)];
            if (hf_id_equal(*(const struct hf_id *)hf_index_line(index, slot), id))
                return slot;
        }
        if (bucket->passed == 0)
            return HF_TABLE_NONE;
        bucket = bucket_after(index, bucket);
    }
}

struct hf_index_bucket *hf_index_pass_full(struct hf_index *index, struct hf_index_bucket *bucket)
{
    /* Ends: there is more room than entries. */
    while (hf_index_match(bucket, 0) == 0) {
        bucket->passed++;
        bucket = bucket_after(index, bucket);
    }
    return bucket;
}

struct hf_index_bucket *hf_index_pass_back(struct hf_index *index, struct hf_index_bucket *bucket,
                                           uint16_t tag, uint32_t slot)
{
    while (hf_index_entry_of(bucket, tag, slot) == HF_INDEX_BUCKET_ENTRIES) {
        assert(bucket->passed > 0);
        bucket->passed--; /* what the insert counted on its way */
        bucket = bucket_after(index, bucket);
    }
    return bucket;
}
