#include "directory.h"

#include <assert.h>
#include <string.h>

/* Entries wanted a line: of lines with twice as many one in sixty is too small. */
#define ENTRIES_WANTED 2

void hf_directory_create(struct hf_directory *directory, struct hf_arena *arena, uint64_t records)
{
    assert(records >= 1);
    assert(records <= UINT64_C(1) << 33);
    directory->line_count = records / ENTRIES_WANTED + 1;
    directory->lines =
        hf_arena_take(arena, directory->line_count, sizeof(struct hf_directory_line));
    directory->count = 0;
}

void hf_directory_clear(struct hf_directory *directory)
{
    memset(directory->lines, 0, directory->line_count * sizeof(directory->lines[0]));
    directory->count = 0;
}

static uint64_t hash_of(struct hf_id id)
{
    uint64_t hash = hf_id_hash(id);

    return hash == 0 ? 1 : hash;
}

static struct hf_directory_line *line_of(const struct hf_directory *directory, uint64_t hash)
{
    __extension__ typedef unsigned __int128 wide;
    return &directory->lines[(uint64_t)(((wide)hash * directory->line_count) >> 64)];
}

static struct hf_directory_entry *find_entry(struct hf_directory_line *line, uint64_t hash)
{
    for (uint32_t i = 0; i < HF_DIRECTORY_ENTRIES; i++) {
        if (line->entries[i].hash == hash)
            return &line->entries[i];
    }
    return NULL;
}

static uint64_t of_missing(const struct hf_directory_line *line, struct hf_id id)
{
    return hf_id_time_ms(id) < line->lost_ms ? HF_DIRECTORY_ALL : 0;
}

uint64_t hf_directory_find(const struct hf_directory *directory, struct hf_id id)
{
    uint64_t hash = hash_of(id);
    struct hf_directory_line *line = line_of(directory, hash);
    const struct hf_directory_entry *entry = find_entry(line, hash);

    return entry == NULL ? of_missing(line, id) : entry->shards;
}

/* The entry of the earliest time, free ones before all others. */
static struct hf_directory_entry *earliest(struct hf_directory_line *line)
{
    struct hf_directory_entry *first = &line->entries[0];

    for (uint32_t i = 1; i < HF_DIRECTORY_ENTRIES && first->hash != 0; i++) {
        struct hf_directory_entry *entry = &line->entries[i];
        if (entry->hash == 0 || entry->time_ms < first->time_ms)
            first = entry;
    }
    return first;
}

void hf_directory_add(struct hf_directory *directory, struct hf_id id, uint64_t shards)
{
    uint64_t hash = hash_of(id);
    struct hf_directory_line *line = line_of(directory, hash);
    struct hf_directory_entry *entry = find_entry(line, hash);

    if (entry != NULL) {
        entry->shards |= shards;
        return;
    }
    entry = earliest(line);
    /* It may be one that was lost, and then concerns more than is known now. */
    shards |= of_missing(line, id);
    if (entry->hash != 0 && entry->time_ms >= line->lost_ms)
        line->lost_ms = entry->time_ms + 1;
    *entry = (struct hf_directory_entry){hash, hf_id_time_ms(id), shards};
    directory->count++;
}
