/* Counters that one poller writes and the admin thread reads: relaxed, each poller's on lines of
 * its own. */
#ifndef HOLDFASTD_COUNTERS_H
#define HOLDFASTD_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

/* Single writer, so a load and a store do; relaxed: readers want a recent number, no order. */
static inline void counter_add(_Atomic uint64_t *which, uint64_t more)
{
    atomic_store_explicit(which, atomic_load_explicit(which, memory_order_relaxed) + more,
                          memory_order_relaxed);
}

static inline void counter_set(_Atomic uint64_t *which, uint64_t value)
{
    atomic_store_explicit(which, value, memory_order_relaxed);
}

static inline uint64_t counter_read(const _Atomic uint64_t *which)
{
    return atomic_load_explicit(which, memory_order_relaxed);
}

#endif
