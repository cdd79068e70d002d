/* Free items are a list like any other. */
#include "pool.h"

#include <assert.h>

void hf_pool_create(struct hf_pool *pool, struct hf_arena *arena, uint64_t capacity)
{
    assert(capacity >= 1);
    assert(capacity <= UINT64_C(1) << 31);
    pool->next = hf_arena_take(arena, capacity, sizeof(*pool->next));
    pool->capacity = (uint32_t)capacity;
    pool->count = 0;
    pool->fresh_index = 0;
    pool->first_free = HF_TABLE_NONE;
}

uint32_t hf_pool_take(struct hf_pool *pool, struct hf_undo *undo)
{
    uint32_t index = pool->first_free;

    assert(pool->count < pool->capacity);
    hf_undo_keep(undo, pool, sizeof(*pool));
    if (index == HF_TABLE_NONE) {
        index = pool->fresh_index++;
        assert(index < pool->capacity);
    } else {
        pool->first_free = pool->next[index];
    }
    hf_undo_keep(undo, &pool->next[index], sizeof(*pool->next));
    pool->next[index] = HF_TABLE_NONE;
    pool->count++;
    return index;
}

void hf_pool_join(struct hf_pool *pool, struct hf_undo *undo, uint32_t first, uint32_t second)
{
    assert(first < pool->fresh_index);
    assert(pool->next[first] == HF_TABLE_NONE);
    hf_undo_keep(undo, &pool->next[first], sizeof(*pool->next));
    pool->next[first] = second;
}

void hf_pool_give_back(struct hf_pool *pool, struct hf_undo *undo, uint32_t first)
{
    uint32_t last = first;
    uint32_t count = 1;

    if (first == HF_TABLE_NONE)
        return;
    while (pool->next[last] != HF_TABLE_NONE) {
        last = pool->next[last];
        count++;
    }
    assert(count <= pool->count);
    hf_undo_keep(undo, pool, sizeof(*pool));
    hf_pool_join(pool, undo, last, pool->first_free);
    pool->first_free = first;
    pool->count -= count;
}
