#include "ring.h"

#include "memory.h"

#include <stdlib.h>

#include <rte_common.h>
#include <rte_ring_elem.h>

#define PAGE_BYTES ((size_t)4096)

struct rte_ring *ring_create(uint32_t entries)
{
    return ring_create_sized(sizeof(void *), entries);
}

static struct rte_ring *create(uint32_t entry_size, uint32_t entries, size_t alignment,
                               const struct memory_place *place)
{
    uint32_t slots = rte_align32pow2(entries + 1);
    ssize_t bytes = rte_ring_get_memsize_elem(entry_size, slots);
    size_t size = RTE_ALIGN_CEIL((size_t)bytes, alignment);
    struct rte_ring *ring;

    if (bytes < 0)
        return NULL;
    ring = aligned_alloc(alignment, size);
    if (ring != NULL && place->kind != MEMORY_ANYWHERE)
        memory_put(ring, size, place);
    if (ring != NULL &&
        rte_ring_init(ring, "holdfastd", slots, RING_F_SP_ENQ | RING_F_SC_DEQ) != 0) {
        free(ring);
        return NULL;
    }
    return ring;
}

struct rte_ring *ring_create_sized(uint32_t entry_size, uint32_t entries)
{
    const struct memory_place anywhere = {MEMORY_ANYWHERE, 0};

    return create(entry_size, entries, RTE_CACHE_LINE_SIZE, &anywhere);
}

struct rte_ring *ring_create_near(uint32_t entry_size, uint32_t entries, uint32_t processor)
{
    const struct memory_place place = {MEMORY_NEAR, processor};

    return create(entry_size, entries, PAGE_BYTES, &place);
}

void ring_destroy(struct rte_ring *ring)
{
    free(ring);
}
