/* Where runs of lines stand. */
#include "shelf.h"

#include <assert.h>

/* 240 is no multiple of 7, 9, 11, 13, 14: of 11 most lines are left over. */
#define CHUNK_LINES_USED 231
HF_STATIC_ASSERT(HF_SHELF_CHUNK_LINES / 11 * 11 == CHUNK_LINES_USED, "the worst");

uint64_t hf_shelves_create(struct hf_shelves *shelves, struct hf_arena *arena, uint64_t capacity)
{
    /* Of each shelf the last chunk may hold no more than one run. */
    uint64_t lines = capacity + HF_SHELF_RUN_MAX;
    uint64_t chunk_count = lines / CHUNK_LINES_USED + 1 + HF_SHELF_RUN_MAX;

    assert(chunk_count < UINT32_MAX / HF_SHELF_CHUNK_LINES);
    *shelves = (struct hf_shelves){.chunk_count = (uint32_t)chunk_count};
    shelves->before = hf_arena_take(arena, chunk_count, sizeof(*shelves->before));
    return chunk_count * HF_SHELF_CHUNK_LINES;
}

static uint32_t take_chunk(struct hf_shelves *shelves, struct hf_undo *undo)
{
    if (shelves->free_chunk == 0) {
        assert(shelves->fresh_chunk < shelves->chunk_count);
        hf_undo_keep(undo, &shelves->fresh_chunk, sizeof(shelves->fresh_chunk));
        return ++shelves->fresh_chunk;
    }
    uint32_t chunk = shelves->free_chunk;
    hf_undo_keep(undo, &shelves->free_chunk, sizeof(shelves->free_chunk));
    shelves->free_chunk = shelves->before[chunk - 1];
    return chunk;
}

static struct hf_shelf *begin(struct hf_shelves *shelves, struct hf_undo *undo, uint32_t length)
{
    struct hf_shelf *shelf = &shelves->shelves[length];

    assert(length >= 1);
    assert(length <= HF_SHELF_RUN_MAX);
    hf_undo_keep(undo, shelf, sizeof(*shelf));
    return shelf;
}

static void chain(struct hf_shelves *shelves, struct hf_undo *undo, uint32_t chunk, uint32_t before)
{
    hf_undo_keep(undo, &shelves->before[chunk - 1], sizeof(*shelves->before));
    shelves->before[chunk - 1] = before;
}

uint32_t hf_shelf_last(const struct hf_shelves *shelves, uint32_t length)
{
    const struct hf_shelf *shelf = &shelves->shelves[length];

    assert(shelf->last != 0);
    assert(shelf->count >= 1);
    return (shelf->last - 1) * HF_SHELF_CHUNK_LINES + (shelf->count - 1) * length;
}

uint32_t hf_shelf_add(struct hf_shelves *shelves, struct hf_undo *undo, uint32_t length)
{
    struct hf_shelf *shelf = begin(shelves, undo, length);

    if (shelf->last == 0 || shelf->count == HF_SHELF_CHUNK_LINES / length) {
        uint32_t chunk = take_chunk(shelves, undo);
        chain(shelves, undo, chunk, shelf->last);
        shelf->last = chunk;
        shelf->count = 0;
    }
    shelf->count++;
    return hf_shelf_last(shelves, length);
}

void hf_shelf_take_away(struct hf_shelves *shelves, struct hf_undo *undo, uint32_t length)
{
    struct hf_shelf *shelf = begin(shelves, undo, length);

    assert(shelf->last != 0);
    assert(shelf->count >= 1);
    if (--shelf->count > 0)
        return;
    uint32_t chunk = shelf->last;
    shelf->last = shelves->before[chunk - 1];
    shelf->count = shelf->last == 0 ? 0 : HF_SHELF_CHUNK_LINES / length;
    chain(shelves, undo, chunk, shelves->free_chunk);
    hf_undo_keep(undo, &shelves->free_chunk, sizeof(shelves->free_chunk));
    shelves->free_chunk = chunk;
}

uint32_t hf_shelves_used_lines(const struct hf_shelves *shelves)
{
    return shelves->fresh_chunk * HF_SHELF_CHUNK_LINES;
}
