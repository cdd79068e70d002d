/* Regions cut from the front of the memory, one after the other. */
#include "arena.h"

#include <assert.h>
#include <stdbool.h>

void hf_arena_open(struct hf_arena *arena, void *memory, size_t size)
{
    assert((uintptr_t)memory % HF_ARENA_ALIGNMENT == 0);
    arena->memory = memory;
    arena->size = size;
    arena->used = 0;
}

void *hf_arena_take(struct hf_arena *arena, size_t count, size_t item_size)
{
    size_t offset = arena->used;
    size_t bytes;
    bool overflows = __builtin_mul_overflow(count, item_size, &bytes);

    assert(!overflows);
    bytes = (bytes + HF_ARENA_ALIGNMENT - 1) & ~(size_t)(HF_ARENA_ALIGNMENT - 1);
    arena->used += bytes;
    if (arena->memory == NULL)
        return NULL;
    assert(arena->used <= arena->size);
    return arena->memory + offset;
}
