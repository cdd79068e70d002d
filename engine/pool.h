/* A pool of small items, and lists of them: which are taken, which are free, and what follows what.
 * The items themselves are their owner's, in an array beside the pool. What a pool changes can be
 * taken back (undo.h). */
#ifndef HF_ENGINE_POOL_H
#define HF_ENGINE_POOL_H

#include "undo.h"

struct hf_pool {
    uint32_t *next; /* of each item, in the list it is in: an index, or HF_TABLE_NONE */
    uint32_t capacity;
    uint32_t count;       /* taken */
    uint32_t fresh_index; /* from here on no item was ever taken */
    uint32_t first_free;  /* of those that were given back, or HF_TABLE_NONE */
};

/* Lays out a pool of `capacity` items (1 to 2^31, asserted), none taken. */
void hf_pool_create(struct hf_pool *pool, struct hf_arena *arena, uint64_t capacity);

static inline uint32_t hf_pool_room(const struct hf_pool *pool)
{
    return pool->capacity - pool->count;
}

/* Takes an item, of which there must be one (asserted), as a list of its own. Returns its index. */
uint32_t hf_pool_take(struct hf_pool *pool, struct hf_undo *undo);

/* Puts the list that begins with `second` behind the item `first`, so far the end of its own. */
void hf_pool_join(struct hf_pool *pool, struct hf_undo *undo, uint32_t first, uint32_t second);

/* Gives a whole list back; HF_TABLE_NONE is the empty one. */
void hf_pool_give_back(struct hf_pool *pool, struct hf_undo *undo, uint32_t first);

#endif
