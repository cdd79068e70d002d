/* Single-producer single-consumer rings of pointers between pollers: rte_ring in its SP/SC mode. */
#ifndef HOLDFASTD_RING_H
#define HOLDFASTD_RING_H

#include "engine/status.h"

#include <stdbool.h>
#include <stdint.h>

#include <rte_ring.h>

/* Makes a ring for at least `entries` pointers, with memory of its own. NULL when there is no
 * memory. At start only. */
struct rte_ring *ring_create(uint32_t entries);
/* The same for entries of so many bytes, a multiple of 4. */
struct rte_ring *ring_create_sized(uint32_t entry_size, uint32_t entries);
/* The same on pages of its own, which lie with a processor. */
struct rte_ring *ring_create_near(uint32_t entry_size, uint32_t entries, uint32_t processor);
void ring_destroy(struct rte_ring *ring);

/* False when the ring is full; rings sized for all there is never are. Producer's thread. */
static inline bool ring_put(struct rte_ring *ring, void *pointer)
{
    return rte_ring_sp_enqueue(ring, pointer) == 0;
}

/* NULL when it is empty. Consumer's thread. */
static inline void *ring_get(struct rte_ring *ring)
{
    void *pointer;

    return rte_ring_sc_dequeue(ring, &pointer) == 0 ? pointer : NULL;
}

/* How many pointers are in it, for its consumer: never more than there are. rte_ring_count would
 * do, but reads the tails as plain numbers, which thread sanitizers rightly dislike. */
static inline uint32_t ring_count(const struct rte_ring *ring)
{
    uint32_t produced = __atomic_load_n(&ring->prod.tail, __ATOMIC_RELAXED);
    uint32_t consumed = __atomic_load_n(&ring->cons.tail, __ATOMIC_RELAXED);

    return (produced - consumed) & ring->mask;
}

#endif
