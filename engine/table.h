/* A hash table of 64-byte lines whose first 16 bytes are the key.
 *
 * Lines come in groups of 15 with a 16-byte control word, kept apart from them:
 *
 *   offset  0  tags[15]   one a line: 0 = free, else 8 bits of the key's hash (1 for 0)
 *          15  overflow   how many lines passed this group because it was full; 255 sticks
 *
 * A key belongs to the group its hash names, or to the first one after it that had room. A lookup
 * compares all tags of a group at once and goes on to the next group only while the overflow count
 * is not zero, so it touches one control word and one line, nearly always. There are 25 / 2 lines
 * wanted a group: at most 83 % are taken, and a line costs under 80 bytes of memory all in.
 *
 * Lines never move: a slot (the line's number) stays right as long as its key is in the table.
 *
 * A lookup falls into steps, so that the misses of many lookups overlap: hf_table_prefetch_group,
 * then hf_table_guess (fetches the likely line), then hf_table_find_at. All-zero memory is an empty
 * table. One thread at a time; nothing here blocks. */
#ifndef HF_ENGINE_TABLE_H
#define HF_ENGINE_TABLE_H

#include "arena.h"
#include "id.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define HF_TABLE_LINE_SIZE   64
#define HF_TABLE_GROUP_LINES 15
#define HF_TABLE_NONE        UINT32_MAX

struct hf_table_group {
    uint8_t tags[HF_TABLE_GROUP_LINES];
    uint8_t overflow;
};
HF_STATIC_ASSERT(sizeof(struct hf_table_group) == 16, "a control word is one vector register");

struct hf_table {
    struct hf_table_group *groups;
    uint8_t *lines;
    uint32_t group_count;
    uint32_t capacity; /* most keys it takes */
    uint32_t count;    /* keys in it */
};

/* Lays out an empty table for `capacity` keys (1 to 2^31, asserted) in the arena. */
void hf_table_create(struct hf_table *table, struct hf_arena *arena, uint64_t capacity);

static inline void *hf_table_line(const struct hf_table *table, uint32_t slot)
{
    return table->lines + (size_t)slot * HF_TABLE_LINE_SIZE;
}

static inline uint32_t hf_table_slot(const struct hf_table *table, const void *line)
{
    return (uint32_t)((size_t)((const uint8_t *)line - table->lines) / HF_TABLE_LINE_SIZE);
}

static inline struct hf_id hf_table_key(const struct hf_table *table, uint32_t slot)
{
    return *(const struct hf_id *)hf_table_line(table, slot);
}

/* The group from the hash's upper bits, by multiplication: any number of groups will do. */
static inline uint32_t hf_table_home(const struct hf_table *table, uint64_t hash)
{
    __extension__ typedef unsigned __int128 wide;
    return (uint32_t)(((wide)hash * table->group_count) >> 64);
}

/* The tag from its lower bits. Never 0. */
static inline uint8_t hf_table_tag(uint64_t hash)
{
    uint8_t low = (uint8_t)hash;
    return (uint8_t)(low + (low == 0));
}

/* Bit i is set when tags[i] is `tag`. */
static inline uint32_t hf_table_match(const struct hf_table_group *group, uint8_t tag)
{
#ifdef __SSE2__
    __m128i tags = _mm_load_si128((const __m128i *)(const void *)group);
    __m128i same = _mm_cmpeq_epi8(tags, _mm_set1_epi8((char)tag));
    return (uint32_t)_mm_movemask_epi8(same) & ((1u << HF_TABLE_GROUP_LINES) - 1);
#else
    uint32_t mask = 0;
    for (uint32_t i = 0; i < HF_TABLE_GROUP_LINES; i++)
        mask |= (uint32_t)(group->tags[i] == tag) << i;
    return mask;
#endif
}

/* Step one: fetches the control word. Returns the home, for step two. */
static inline uint32_t hf_table_prefetch_group(const struct hf_table *table, uint64_t hash)
{
    uint32_t home = hf_table_home(table, hash);

    __builtin_prefetch(&table->groups[home], 1);
    return home;
}

/* Step two: fetches every line whose tag fits, and returns the first. It may be another key's, and
 * the key may be further on or have come meanwhile: step three finds out. NULL when no tag fits. */
static inline void *hf_table_guess(const struct hf_table *table, uint64_t hash, uint32_t home)
{
    uint32_t mask = hf_table_match(&table->groups[home], hf_table_tag(hash));

    if (__builtin_expect(mask == 0, 0)) {
        if (table->groups[home].overflow == 0)
            return NULL;
        home = home + 1 == table->group_count ? 0 : home + 1;
        mask = hf_table_match(&table->groups[home], hf_table_tag(hash));
        if (mask == 0)
            return NULL;
    }
    uint8_t *lines = table->lines + (size_t)home * HF_TABLE_GROUP_LINES * HF_TABLE_LINE_SIZE;
    uint8_t *guess = lines + (size_t)(unsigned)__builtin_ctz(mask) * HF_TABLE_LINE_SIZE;
    __builtin_prefetch(guess, 1);
    for (mask &= mask - 1; __builtin_expect(mask != 0, 0); mask &= mask - 1)
        __builtin_prefetch(lines + (size_t)__builtin_ctz(mask) * HF_TABLE_LINE_SIZE, 1);
    return guess;
}

/* Step two for a key that will be inserted: the slot it would get now, its line fetched; or NONE.
 */
static inline uint32_t hf_table_guess_free(const struct hf_table *table, uint32_t home)
{
    uint32_t mask = hf_table_match(&table->groups[home], 0);

    if (mask == 0)
        return HF_TABLE_NONE;
    uint32_t guess = home * HF_TABLE_GROUP_LINES + (uint32_t)__builtin_ctz(mask);
    __builtin_prefetch(hf_table_line(table, guess), 1);
    return guess;
}

/* The slot of a key, or NONE. `hash` is the key's, here and below. */
uint32_t hf_table_find(const struct hf_table *table, struct hf_id key, uint64_t hash);

/* Step three: the line of a key, or NULL, beginning with a guess (which may be NULL, or out of
 * date). The key must not be a reserved id: a free line's key is zero. */
static inline void *hf_table_find_at(const struct hf_table *table, struct hf_id key, uint64_t hash,
                                     void *guess)
{
    if (__builtin_expect(guess != NULL, 1)) {
        if (__builtin_expect(hf_id_equal(*(const struct hf_id *)guess, key), 1))
            return guess;
    }
    uint32_t slot = hf_table_find(table, key, hash);
    return slot == HF_TABLE_NONE ? NULL : hf_table_line(table, slot);
}

/* Takes a free line for a key that is not in the table and writes the key into it; the rest of the
 * line is zero. NONE when as many keys are in as the table is for, and only then. */
uint32_t hf_table_insert(struct hf_table *table, struct hf_id key, uint64_t hash);

/* Frees a key's line and zeroes it. */
void hf_table_delete(struct hf_table *table, uint32_t slot);

/* The first taken slot at or after `slot`, or NONE: to walk everything, in the order of places. */
uint32_t hf_table_next(const struct hf_table *table, uint32_t slot);

#endif
