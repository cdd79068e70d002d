/* A hash table of 64-byte lines whose first 16 bytes are the key.
 *
 * Lines come in groups of 15 with a 16-byte control word, kept apart from them:
 *
 *   offset  0  tags[15]   one a line: 0 = free, else 8 bits of the key's hash (1 for 0)
 *          15  overflow   how many lines passed this group because it was full; 255 sticks
 *
 * The hash names a home: a line, and by it a group. A key lies in its home line, or in the next
 * free one of the group (round its end), or in the first group after it that had room. A lookup
 * compares all tags of a group at once and goes on to the next group only while the overflow count
 * is not zero. There are 25 / 2 lines wanted a group: at most 83 % are taken, and a line costs
 * under 80 bytes of memory all in.
 *
 * Lines never move: a slot (the line's number) stays right as long as its key is in the table.
 *
 * Control words are too many to stay in a cache: each is a miss like the line itself. So records
 * leave their last four bytes to the table, and nearly every key is found without control words. Of
 * a full table's keys 58 % lie at home. The home line's guides say how far from it others lie:
 *
 *   offset 60  guides[4]  signed, in lines, one for each value of two bits of the hash; 0 = none
 *
 * A guide belongs to the place, not to the key that lies there, and is a hint: the key put away
 * from home last wrote it. Filled once, two lines find 97 % of a full table's keys; for the others
 * there are the control words.
 *
 * A lookup falls into steps, so that the misses of many lookups overlap: hf_table_home_line (to be
 * fetched), hf_table_follow (fetches the likely line), and where hf_table_is_at then says no:
 * hf_table_prefetch_group, hf_table_guess (fetches the likely line). Last comes hf_table_find_at.
 * All-zero memory is an empty table. One thread at a time; nothing here blocks. */
#ifndef HF_ENGINE_TABLE_H
#define HF_ENGINE_TABLE_H

#include "arena.h"
#include "id.h"
#include "prefetch.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define HF_TABLE_LINE_SIZE   64
#define HF_TABLE_GROUP_LINES 15
#define HF_TABLE_GUIDES      4
#define HF_TABLE_NONE        UINT32_MAX
/* How many groups beyond the home a guess looks at. Their control words mostly lie in one line. */
#define HF_TABLE_GUESS_STEPS 3

struct hf_table_group {
    uint8_t tags[HF_TABLE_GROUP_LINES];
    uint8_t overflow;
};
HF_STATIC_ASSERT(sizeof(struct hf_table_group) == 16, "a control word is one vector register");

/* What a table looks at in a line. */
struct hf_table_place {
    struct hf_id key;
    uint8_t record[HF_TABLE_LINE_SIZE - sizeof(struct hf_id) - HF_TABLE_GUIDES];
    int8_t guides[HF_TABLE_GUIDES];
};
HF_STATIC_ASSERT(sizeof(struct hf_table_place) == HF_TABLE_LINE_SIZE, "one line");

struct hf_table {
    struct hf_table_group *groups;
    uint8_t *lines;
    uint32_t group_count;
    uint32_t line_count; /* free ones too */
    uint32_t capacity;   /* most keys it takes */
    uint32_t count;      /* keys in it */
};

/* Lays out an empty table for `capacity` keys (1 to 2^31, asserted) in the arena. Nobody else may
 * write the last four bytes of a line. */
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

/* The home line's slot from the hash's upper bits, by multiplication: any number of lines will do.
 */
static inline uint32_t hf_table_home_slot(const struct hf_table *table, uint64_t hash)
{
    __extension__ typedef unsigned __int128 wide;
    return (uint32_t)(((wide)hash * table->line_count) >> 64);
}

/* The group of the home line. */
static inline uint32_t hf_table_home(const struct hf_table *table, uint64_t hash)
{
    return hf_table_home_slot(table, hash) / HF_TABLE_GROUP_LINES;
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

/* Which of its home's guides leads to a key: by two bits that neither tag nor home looks at. */
static inline uint32_t hf_table_guide_index(uint64_t hash)
{
    return (uint32_t)(hash >> 8) % HF_TABLE_GUIDES;
}

/* Step one: the home line, for the caller to fetch and for step two. */
static inline void *hf_table_home_line(const struct hf_table *table, uint64_t hash)
{
    return hf_table_line(table, hf_table_home_slot(table, hash));
}

/* Step two: the line that the home leads to, fetched: itself, or where its guide points.
 * Either way the same instructions: which it is nobody could predict. */
static inline void *hf_table_follow(struct hf_id key, uint64_t hash, void *home)
{
    struct hf_table_place *place = (struct hf_table_place *)home;
    int64_t away = place->guides[hf_table_guide_index(hash)];

    away &= -(int64_t)!hf_id_equal(place->key, key);
    hf_prefetch(place + away);
    return place + away;
}

/* Step three: is the key where step two led? */
static inline bool hf_table_is_at(struct hf_id key, const void *line)
{
    return hf_id_equal(*(const struct hf_id *)line, key);
}

static inline uint32_t hf_table_group_after(const struct hf_table *table, uint32_t group)
{
    return group + 1 == table->group_count ? 0 : group + 1;
}

/* Where it is not, step one again: fetches the control word. Returns the home, for step two. */
static inline uint32_t hf_table_prefetch_group(const struct hf_table *table, uint64_t hash)
{
    uint32_t home = hf_table_home(table, hash);

    hf_prefetch(&table->groups[home]);
    return home;
}

/* Step two: fetches every line whose tag fits, and returns the first. It may be another key's, and
 * the key may be further on or have come meanwhile: the last step finds out. NULL when no tag fits.
 */
static inline void *hf_table_guess(const struct hf_table *table, uint64_t hash, uint32_t home)
{
    uint32_t mask = hf_table_match(&table->groups[home], hf_table_tag(hash));

    for (uint32_t steps = 0; __builtin_expect(mask == 0, 0); steps++) {
        if (table->groups[home].overflow == 0 || steps == HF_TABLE_GUESS_STEPS)
            return NULL;
        home = hf_table_group_after(table, home);
        mask = hf_table_match(&table->groups[home], hf_table_tag(hash));
    }
    uint8_t *lines = table->lines + (size_t)home * HF_TABLE_GROUP_LINES * HF_TABLE_LINE_SIZE;
    uint8_t *guess = lines + (size_t)(unsigned)__builtin_ctz(mask) * HF_TABLE_LINE_SIZE;
    hf_prefetch(guess);
    for (mask &= mask - 1; __builtin_expect(mask != 0, 0); mask &= mask - 1)
        hf_prefetch(lines + (size_t)__builtin_ctz(mask) * HF_TABLE_LINE_SIZE);
    return guess;
}

/* The free line of a group that a key would get whose home is the one at `index`, by the group's
 * free lines (at least one): the first from there on, round the end. */
static inline uint32_t hf_table_choose(uint32_t free_lines, uint32_t index)
{
    uint32_t from_home = free_lines >> index << index;

    return (uint32_t)__builtin_ctz(from_home != 0 ? from_home : free_lines);
}

/* For a key that will be inserted, its control word fetched: the slot it would get now, its line
 * fetched; or NONE. */
static inline uint32_t hf_table_guess_free(const struct hf_table *table, uint64_t hash)
{
    uint32_t home = hf_table_home_slot(table, hash);
    uint32_t group = home / HF_TABLE_GROUP_LINES;
    uint32_t index = home % HF_TABLE_GROUP_LINES;
    uint32_t free_lines = hf_table_match(&table->groups[group], 0);

    for (uint32_t steps = 0; free_lines == 0; steps++) {
        if (steps == HF_TABLE_GUESS_STEPS)
            return HF_TABLE_NONE;
        group = hf_table_group_after(table, group);
        index = 0;
        free_lines = hf_table_match(&table->groups[group], 0);
    }
    uint32_t guess = group * HF_TABLE_GROUP_LINES + hf_table_choose(free_lines, index);
    hf_prefetch(hf_table_line(table, guess));
    hf_prefetch(hf_table_line(table, home));
    return guess;
}

/* The slot of a key, or NONE. `hash` is the key's, here and below. */
uint32_t hf_table_find(const struct hf_table *table, struct hf_id key, uint64_t hash);

/* The last step: the line of a key, or NULL, beginning with a guess (which may be NULL, or out of
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
 * line is zero (but for guides). NONE when as many keys are in as the table is for, and only then.
 */
uint32_t hf_table_insert(struct hf_table *table, struct hf_id key, uint64_t hash);

/* Frees a key's line and zeroes it (but for guides). */
void hf_table_delete(struct hf_table *table, uint32_t slot);

/* Puts a deleted line back where it was: nothing has been inserted since that is still there
 * (asserted for its slot). `line` is the whole line, key first. */
void hf_table_restore(struct hf_table *table, uint32_t slot, const void *line);

/* The first taken slot at or after `slot`, or NONE: to walk everything, in the order of places. */
uint32_t hf_table_next(const struct hf_table *table, uint32_t slot);

#endif
