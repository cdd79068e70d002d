/* An index from ids to the slots of 64-byte lines that begin with them.
 *
 * The lines lie elsewhere, in whatever order their owner takes them; a new one costs the index one
 * random line, its bucket:
 *
 *   offset  0  tags[10]   one an entry: 0 = free, else 16 bits of the id's hash (1 for 0)
 *          20  passed     how many entries went past this bucket because it was full
 *          24  slots[10]  of the lines
 *
 * The hash names a bucket. An entry lies there, or in the first bucket after it that had room. A
 * lookup compares all tags of a bucket at once and goes on only while `passed` is not zero. There
 * are 6 entries wanted a bucket.
 *
 * As with a table (table.h) a lookup falls into steps: hf_index_home (to be fetched),
 * hf_index_guess (fetches the likely line), hf_index_find_at. All-zero memory is an empty index.
 * One thread at a time; nothing here blocks. */
#ifndef HF_ENGINE_INDEX_H
#define HF_ENGINE_INDEX_H

#include "table.h"

#include <assert.h>

#define HF_INDEX_BUCKET_ENTRIES 10
#define HF_INDEX_ENTRIES_WANTED 6

struct hf_index_bucket {
    uint16_t tags[HF_INDEX_BUCKET_ENTRIES];
    uint32_t passed;
    uint32_t slots[HF_INDEX_BUCKET_ENTRIES];
};
HF_STATIC_ASSERT(sizeof(struct hf_index_bucket) == HF_TABLE_LINE_SIZE, "a bucket is one line");
HF_STATIC_ASSERT(offsetof(struct hf_index_bucket, passed) == 20, "behind the tags");

struct hf_index {
    struct hf_index_bucket *buckets;
    const uint8_t *lines; /* the owner's */
    uint32_t bucket_count;
    uint32_t capacity; /* most entries it takes */
    uint32_t count;
};

/* Lays out an empty index for `capacity` (1 to 2^31, asserted) of the lines at `lines`. */
void hf_index_create(struct hf_index *index, struct hf_arena *arena, uint64_t capacity,
                     const void *lines);

/* The bucket of an id, by its hash, from the upper bits by multiplication. */
static inline struct hf_index_bucket *hf_index_home(const struct hf_index *index, uint64_t hash)
{
    __extension__ typedef unsigned __int128 wide;
    return &index->buckets[((wide)hash * index->bucket_count) >> 64];
}

/* From the lower bits. Never 0. */
static inline uint16_t hf_index_tag(uint64_t hash)
{
    uint16_t low = (uint16_t)hash;
    return (uint16_t)(low + (low == 0));
}

/* Bit i is set when tags[i] is `tag`. */
static inline uint32_t hf_index_match(const struct hf_index_bucket *bucket, uint16_t tag)
{
#ifdef __SSE2__
    const __m128i *words = (const __m128i *)(const void *)bucket;
    const __m128i tags = _mm_set1_epi16((short)tag);
    __m128i same = _mm_packs_epi16(_mm_cmpeq_epi16(_mm_load_si128(&words[0]), tags),
                                   _mm_cmpeq_epi16(_mm_load_si128(&words[1]), tags));
    return (uint32_t)_mm_movemask_epi8(same) & ((1u << HF_INDEX_BUCKET_ENTRIES) - 1);
#else
    uint32_t mask = 0;
    for (uint32_t i = 0; i < HF_INDEX_BUCKET_ENTRIES; i++)
        mask |= (uint32_t)(bucket->tags[i] == tag) << i;
    return mask;
#endif
}

static inline const void *hf_index_line(const struct hf_index *index, uint32_t slot)
{
    return index->lines + (size_t)slot * HF_TABLE_LINE_SIZE;
}

/* Step two: fetches the first line of the home bucket whose tag fits, and returns it. It may be
 * another id's, and the id may be further on or have come meanwhile: step three finds out. NULL
 * when no tag fits. */
static inline const void *hf_index_guess(const struct hf_index *index, uint64_t hash,
                                         const struct hf_index_bucket *home)
{
    uint32_t mask = hf_index_match(home, hf_index_tag(hash));

    if (mask == 0)
        return NULL;
    const void *line = hf_index_line(index, home->slots[__builtin_ctz(mask)]);
    hf_prefetch(line);
    return line;
}

/* The slot of an id, or HF_TABLE_NONE. `hash` is the id's, here and below. */
uint32_t hf_index_find(const struct hf_index *index, struct hf_id id, uint64_t hash);

/* Step three: the line of an id that is not reserved, or NULL, beginning with a guess (which may be
 * NULL, or out of date). */
static inline const void *hf_index_find_at(const struct hf_index *index, struct hf_id id,
                                           uint64_t hash, const void *guess)
{
    if (__builtin_expect(guess != NULL, 1)) {
        if (__builtin_expect(hf_id_equal(*(const struct hf_id *)guess, id), 1))
            return guess;
    }
    uint32_t slot = hf_index_find(index, id, hash);
    return slot == HF_TABLE_NONE ? NULL : hf_index_line(index, slot);
}

/* Which entry of the bucket is the slot's, or HF_INDEX_BUCKET_ENTRIES. */
static inline uint32_t hf_index_entry_of(const struct hf_index_bucket *bucket, uint16_t tag,
                                         uint32_t slot)
{
    for (uint32_t mask = hf_index_match(bucket, tag); mask != 0; mask &= mask - 1) {
        uint32_t entry = (uint32_t)__builtin_ctz(mask);
        if (bucket->slots[entry] == slot)
            return entry;
    }
    return HF_INDEX_BUCKET_ENTRIES;
}

/* What the next two leave to index.c, where the home is full, or the entry not in it: go on, and
 * return the bucket that has room, or the entry. */
struct hf_index_bucket *hf_index_pass_full(struct hf_index *index, struct hf_index_bucket *bucket);
struct hf_index_bucket *hf_index_pass_back(struct hf_index *index, struct hf_index_bucket *bucket,
                                           uint16_t tag, uint32_t slot);

/* Enters the slot of a line whose id is not in the index. There must be room (asserted). */
static inline void hf_index_insert(struct hf_index *index, uint32_t slot, uint64_t hash)
{
    struct hf_index_bucket *bucket = hf_index_home(index, hash);

    assert(index->count < index->capacity);
    if (__builtin_expect(hf_index_match(bucket, 0) == 0, 0))
        bucket = hf_index_pass_full(index, bucket);
    uint32_t entry = (uint32_t)__builtin_ctz(hf_index_match(bucket, 0));
    bucket->tags[entry] = hf_index_tag(hash);
    bucket->slots[entry] = slot;
    index->count++;
}

/* Takes the entry of a slot out (asserted to be in). */
static inline void hf_index_remove(struct hf_index *index, uint32_t slot, uint64_t hash)
{
    struct hf_index_bucket *bucket = hf_index_home(index, hash);
    uint16_t tag = hf_index_tag(hash);
    uint32_t entry = hf_index_entry_of(bucket, tag, slot);

    assert(index->count > 0);
    if (__builtin_expect(entry == HF_INDEX_BUCKET_ENTRIES, 0)) {
        bucket = hf_index_pass_back(index, bucket, tag, slot);
        entry = hf_index_entry_of(bucket, tag, slot);
    }
    bucket->tags[entry] = 0;
    bucket->slots[entry] = 0;
    index->count--;
}

#endif
