/* A directory: which shards a record concerns, kept in the order of the log by whoever gives the
 * operations their places.
 *
 * The home of an account follows from its id. A hold or an instrument lives elsewhere, and which
 * accounts an operation upon it moves is known only by its record, which is another core's. So what
 * the operations that made it have named is noted here, under the hash of its id: a set of shards
 * that contains all that it can ever concern. More than needed does no harm but a wait.
 *
 * Lines of five entries; the hash names a line. A full line loses the entry whose id carries the
 * earliest time (hf_id_time_ms), and keeps the latest of the times it has lost: for an id that is
 * not there it answers "none" when its time is later, for then it was never added, else "all".
 * Holds carry the time when they were made: the oldest go first. Where ids carry no time, any will
 * do. */
#ifndef HF_ENGINE_DIRECTORY_H
#define HF_ENGINE_DIRECTORY_H

#include "arena.h"
#include "id.h"

#define HF_DIRECTORY_ENTRIES 5
#define HF_DIRECTORY_ALL     UINT64_MAX

struct hf_directory_entry {
    uint64_t hash; /* of the id; 0 = free */
    uint64_t time_ms;
    uint64_t shards;
};

struct hf_directory_line {
    uint64_t lost_ms; /* one more than the latest time of an id that was lost; 0: none was */
    struct hf_directory_entry entries[HF_DIRECTORY_ENTRIES];
};
HF_STATIC_ASSERT(sizeof(struct hf_directory_line) == 128, "two lines of the cache");

struct hf_directory {
    struct hf_directory_line *lines;
    uint64_t line_count;
    uint64_t count; /* entries ever added */
};

/* Lays out an empty one that holds about so many records (1 to 2^33, asserted) and loses few. */
void hf_directory_create(struct hf_directory *directory, struct hf_arena *arena, uint64_t records);

/* Makes it empty again. */
void hf_directory_clear(struct hf_directory *directory);

/* The shards that the record of this id can concern: none for one that was never added. */
uint64_t hf_directory_find(const struct hf_directory *directory, struct hf_id id);

/* Adds these shards to those of a record. */
void hf_directory_add(struct hf_directory *directory, struct hf_id id, uint64_t shards);

#endif
