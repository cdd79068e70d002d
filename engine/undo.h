/* Physical undo: a chain that fails leaves everything as it was.
 *
 * While a chain is under way whoever overwrites a part of the state keeps its bytes here first, and
 * takes and frees table lines through here. Rolling back puts everything back, newest first. With
 * no chain under way keeping is one branch and nothing else.
 *
 * What is not part of the state needs no keeping: the memory of answers, which no operation inside
 * a chain touches, and the overflow counts of tables, which may stick. */
#ifndef HF_ENGINE_UNDO_H
#define HF_ENGINE_UNDO_H

#include "arena.h"
#include "index.h"
#include "operation.h"

#include <stdbool.h>

/* Room for what one operation overwrites, 64 bytes a record and what describes it: of a plan every
 * account, and half as many records again; or of an authorisation every limit that can bear on it
 * (of a rolling one a bucket), and some records more. Whole rolling windows are emptied besides,
 * each once in a chain (draw.c). */
#define HF_UNDO_NOTE_SIZE   24
#define HF_UNDO_RECORD_SIZE (64 + HF_UNDO_NOTE_SIZE)
#define HF_UNDO_KEEPS_MAX   ((HF_PLAN_CANDIDATES_MAX + 32) * (1 + HF_PARENT_DEPTH_MAX) * 3 / 2)
#define HF_UNDO_DRAWS_MAX \
    (HF_LIMITS_A_SCOPE * (1 + HF_INSTRUMENT_ACCOUNTS_MAX * (1 + HF_PARENT_DEPTH_MAX)))
#define HF_UNDO_DRAW_SIZE      (HF_UNDO_RECORD_SIZE + 16 + HF_UNDO_NOTE_SIZE)
#define HF_UNDO_ROLLING_SIZE   (HF_LIMIT_BUCKETS * 16 + HF_UNDO_NOTE_SIZE)
#define HF_UNDO_OPERATION_SIZE (HF_UNDO_DRAWS_MAX * HF_UNDO_DRAW_SIZE + 128 * HF_UNDO_RECORD_SIZE)
_Static_assert(HF_UNDO_KEEPS_MAX *HF_UNDO_RECORD_SIZE <= HF_UNDO_OPERATION_SIZE, "the larger one");

struct hf_undo {
    uint8_t *bytes;
    size_t size;
    size_t used;
    bool is_open; /* a chain is under way */
};

/* Lays it out for a ledger that has at most so many rolling windows. */
void hf_undo_create(struct hf_undo *undo, struct hf_arena *arena, uint64_t rolling);

/* A chain begins; it stands; it fails. */
void hf_undo_begin(struct hf_undo *undo);
void hf_undo_commit(struct hf_undo *undo);
void hf_undo_roll_back(struct hf_undo *undo);

/* Copies bytes that are about to be overwritten. Asserts that there is room. */
void hf_undo_record(struct hf_undo *undo, void *at, size_t size);

/* The same, and nothing when no chain is under way. */
static inline void hf_undo_keep(struct hf_undo *undo, void *at, size_t size)
{
    if (__builtin_expect(undo->is_open, 0))
        hf_undo_record(undo, at, size);
}

/* hf_table_insert and hf_table_delete that can be taken back. */
uint32_t hf_undo_insert(struct hf_undo *undo, struct hf_table *table, struct hf_id key,
                        uint64_t hash);
void hf_undo_delete(struct hf_undo *undo, struct hf_table *table, uint32_t slot);

/* Notes an entry that is about to be entered, or removed. */
void hf_undo_note_entry(struct hf_undo *undo, struct hf_index *index, uint32_t slot, uint64_t hash,
                        bool is_entered);

/* hf_index_insert and hf_index_remove that can be taken back. */
static inline void hf_undo_enter(struct hf_undo *undo, struct hf_index *index, uint32_t slot,
                                 uint64_t hash)
{
    if (__builtin_expect(undo->is_open, 0))
        hf_undo_note_entry(undo, index, slot, hash, true);
    hf_index_insert(index, slot, hash);
}

static inline void hf_undo_remove(struct hf_undo *undo, struct hf_index *index, uint32_t slot,
                                  uint64_t hash)
{
    if (__builtin_expect(undo->is_open, 0))
        hf_undo_note_entry(undo, index, slot, hash, false);
    hf_index_remove(index, slot, hash);
}

#endif
