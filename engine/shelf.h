/* Shelves: lines that belong together lie side by side.
 *
 * A run is so many lines, 1 to HF_SHELF_RUN_MAX, one behind the other. Runs of one length stand on
 * one shelf, without gaps: a run is added at a shelf's end and taken away from its end, and whoever
 * wants to take away another moves the last one into its place. So nothing is lost to holes,
 * whatever comes and grows in which order.
 *
 * A shelf consists of chunks of HF_SHELF_CHUNK_LINES lines, of which only its last has room:
 *
 *   shelf of runs of 3   [run run ... run] [run run . . .]
 *
 * Lines are numbers; what lies there is the owner's. All-zero is empty. */
#ifndef HF_ENGINE_SHELF_H
#define HF_ENGINE_SHELF_H

#include "undo.h"

#define HF_SHELF_RUN_MAX     16
#define HF_SHELF_CHUNK_LINES 240 /* of no length of runs more than nine are left over */

struct hf_shelf {
    uint32_t last;  /* its last chunk: the number and 1; 0: it has none */
    uint32_t count; /* runs in that one */
};

struct hf_shelves {
    struct hf_shelf shelves[HF_SHELF_RUN_MAX + 1]; /* by the length of their runs */
    uint32_t *before;     /* of each chunk that has one: the one before it, likewise */
    uint32_t free_chunk;  /* given back, chained likewise */
    uint32_t fresh_chunk; /* the first that never had anything */
    uint32_t chunk_count;
};

/* Lays out shelves that take runs of `capacity` lines in all, whatever their lengths, and one run
 * more while it is being moved. Returns how many lines there are to be. */
uint64_t hf_shelves_create(struct hf_shelves *shelves, struct hf_arena *arena, uint64_t capacity);

/* Adds a run at its shelf's end: its first line. There must be room (asserted). */
uint32_t hf_shelf_add(struct hf_shelves *shelves, struct hf_undo *undo, uint32_t length);

/* The first line of the shelf's last run, which is there (asserted). */
uint32_t hf_shelf_last(const struct hf_shelves *shelves, uint32_t length);

/* Takes that away. */
void hf_shelf_take_away(struct hf_shelves *shelves, struct hf_undo *undo, uint32_t length);

/* How many lines there have ever been runs on: those behind never had anything. */
uint32_t hf_shelves_used_lines(const struct hf_shelves *shelves);

#endif
