/* A stack of notes. The bytes lie below the note that tells what they are, so that the stack is
 * read from its top. */
#include "undo.h"

#include <assert.h>
#include <string.h>

enum note_kind { BYTES, INSERTED, DELETED, ENTERED, REMOVED };

struct note {
    void *at;      /* where the bytes belong; of a line: its table; of an entry: its index */
    uint32_t size; /* of the bytes below, before rounding. An entry's are the hash */
    uint32_t slot; /* of a line or entry */
    uint64_t kind;
};
_Static_assert(sizeof(struct note) == HF_UNDO_NOTE_SIZE, "note");

void hf_undo_create(struct hf_undo *undo, struct hf_arena *arena, uint64_t rolling)
{
    const uint64_t rolled_max = (uint64_t)HF_CHAIN_OPERATIONS_MAX * HF_UNDO_DRAWS_MAX;

    undo->size = (size_t)HF_CHAIN_OPERATIONS_MAX * HF_UNDO_OPERATION_SIZE +
                 (size_t)(rolling < rolled_max ? rolling : rolled_max) * HF_UNDO_ROLLING_SIZE;
    undo->bytes = hf_arena_take(arena, 1, undo->size);
    undo->used = 0;
    undo->is_open = false;
}

void hf_undo_begin(struct hf_undo *undo)
{
    assert(!undo->is_open);
    undo->is_open = true;
    undo->used = 0;
}

void hf_undo_commit(struct hf_undo *undo)
{
    assert(undo->is_open);
    undo->is_open = false;
}

static size_t rounded(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

static void push(struct hf_undo *undo, const void *bytes, const struct note *note)
{
    size_t room = rounded(note->size);

    assert(undo->is_open);
    assert(room + sizeof(*note) <= undo->size - undo->used);
    if (note->size != 0)
        memcpy(undo->bytes + undo->used, bytes, note->size);
    memcpy(undo->bytes + undo->used + room, note, sizeof(*note));
    undo->used += room + sizeof(*note);
}

void hf_undo_record(struct hf_undo *undo, void *at, size_t size)
{
    const struct note note = {.at = at, .size = (uint32_t)size, .kind = BYTES};

    assert(size > 0);
    push(undo, at, &note);
}

uint32_t hf_undo_insert(struct hf_undo *undo, struct hf_table *table, struct hf_id key,
                        uint64_t hash)
{
    uint32_t slot = hf_table_insert(table, key, hash);

    if (undo->is_open && slot != HF_TABLE_NONE) {
        const struct note note = {.at = table, .slot = slot, .kind = INSERTED};
        push(undo, &note, &note); /* no bytes: the slot says all */
    }
    return slot;
}

void hf_undo_delete(struct hf_undo *undo, struct hf_table *table, uint32_t slot)
{
    if (undo->is_open) {
        const struct note note = {
            .at = table, .size = HF_TABLE_LINE_SIZE, .slot = slot, .kind = DELETED};
        push(undo, hf_table_line(table, slot), &note);
    }
    hf_table_delete(table, slot);
}

void hf_undo_note_entry(struct hf_undo *undo, struct hf_index *index, uint32_t slot, uint64_t hash,
                        bool is_entered)
{
    const struct note note = {
        .at = index,
        .size = sizeof(hash),
        .slot = slot,
        .kind = is_entered ? ENTERED : REMOVED,
    };

    push(undo, &hash, &note);
}

static uint64_t hash_of(const void *bytes)
{
    uint64_t hash;

    memcpy(&hash, bytes, sizeof(hash));
    return hash;
}

static void take_back(const struct note *note, const void *bytes)
{
    switch (note->kind) {
    case BYTES:
        memcpy(note->at, bytes, note->size);
        return;
    case INSERTED:
        hf_table_delete(note->at, note->slot);
        return;
    case DELETED:
        hf_table_restore(note->at, note->slot, bytes);
        return;
    case ENTERED:
        hf_index_remove(note->at, note->slot, hash_of(bytes));
        return;
    default:
        assert(note->kind == REMOVED);
        hf_index_insert(note->at, note->slot, hash_of(bytes));
    }
}

void hf_undo_roll_back(struct hf_undo *undo)
{
    assert(undo->is_open);
    undo->is_open = false;
    while (undo->used > 0) {
        struct note note;
        undo->used -= sizeof(note);
        memcpy(&note, undo->bytes + undo->used, sizeof(note));
        undo->used -= rounded(note.size);
        take_back(&note, undo->bytes + undo->used);
    }
}
