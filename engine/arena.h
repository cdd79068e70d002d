/* An arena: memory handed over once, at start, and cut into regions that are never given back.
 *
 * An arena without memory only measures. So one function lays a structure out, and is run twice: to
 * say how much memory it needs, and to take it. The two cannot disagree. */
#ifndef HF_ENGINE_ARENA_H
#define HF_ENGINE_ARENA_H

#include <stddef.h>
#include <stdint.h>

/* Every region begins on a line of the cache. */
#define HF_ARENA_ALIGNMENT 64

struct hf_arena {
    uint8_t *memory; /* NULL: measures only */
    size_t size;     /* of the memory in bytes */
    size_t used;
};

/* Opens an arena over `size` zeroed bytes at `memory`, which stay the caller's. `memory` is 64-byte
 * aligned (asserted), or NULL to measure. */
void hf_arena_open(struct hf_arena *arena, void *memory, size_t size);

/* Takes a region of `count` items of `item_size` bytes, zeroed since nobody has touched it. NULL
 * when the arena only measures. Asserts that the memory suffices: the caller has measured. */
void *hf_arena_take(struct hf_arena *arena, size_t count, size_t item_size);

#endif
