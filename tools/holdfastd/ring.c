#include "ring.h"

#include <stdlib.h>

#include <rte_common.h>
#include <rte_ring_elem.h>

struct rte_ring *ring_create(uint32_t entries)
{
    return ring_create_sized(sizeof(void *), entries);
}

struct rte_ring *ring_create_sized(uint32_t entry_size, uint32_t entries)
{
    uint32_t slots = rte_align32pow2(entries + 1);
    ssize_t bytes = rte_ring_get_memsize_elem(entry_size, slots);
    struct rte_ring *ring;

    if (bytes < 0)
        return NULL;
    ring = aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN_CEIL((size_t)bytes, RTE_CACHE_LINE_SIZE));
    if (ring != NULL &&
        rte_ring_init(ring, "holdfastd", slots, RING_F_SP_ENQ | RING_F_SC_DEQ) != 0) {
        free(ring);
        return NULL;
    }
    return ring;
}

void ring_destroy(struct rte_ring *ring)
{
    free(ring);
}
