/* Cores: threads pinned to processors, each running its pollers one after the other in a loop. */
#ifndef HOLDFASTD_CORE_H
#define HOLDFASTD_CORE_H

#include "engine/status.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define CORE_COUNT_MAX   64
#define CORE_POLLERS_MAX 96

/* A poller: one look at its work, never blocking. */
struct poller {
    const char *name;
    void *state;
    /* Called once by the core's thread before the first poll; or NULL. */
    enum hf_status (*attach)(void *state, struct hf_fault *fault);
    /* Called once by the core's thread as its last, when it has called attach, whatever that
     * returned; or NULL. */
    void (*detach)(void *state);
    uint32_t (*poll)(void *state);   /* how much there was to do; 0: nothing */
    bool (*is_pending)(void *state); /* something is under way that a sleeping core would hold up */

    _Alignas(64) _Atomic uint64_t rounds; /* polls that found something to do */
    _Atomic uint64_t sampled_ns;          /* how long they took, of those that were timed */
};

struct core {
    uint32_t processor; /* number of the processor it is pinned to */
    struct poller *pollers[CORE_POLLERS_MAX];
    uint32_t poller_count;

    bool sleeps; /* when there is nothing to do, and lets others in before */
    uint64_t idle_spin_ns;
    uint32_t idle_wait_us;
    void (*wait)(void *context, uint32_t timeout_us); /* sleeps until there may be work */
    void *wait_context;
    const atomic_bool *quit;
    uint64_t stays_until_ns; /* the thread's own: it lets nobody in before */

    pthread_t thread;
    sem_t started;         /* posted once: its pollers are attached, or one of them failed to */
    enum hf_status status; /* of the start; written by the thread before `started`, as the fault */
    struct hf_fault fault;
    _Alignas(64) _Atomic uint64_t idle_ns; /* time without work since start, spinning or sleeping */
    _Atomic uint64_t busy_ns;
    _Atomic uint64_t sleeps_taken;
};

/* How many pollers "NAME0", "NAME1".. the text names, one by one or as "NAME0-7": one more than the
 * largest number below `most`; 0: none. */
uint32_t core_count_numbered(const char *text, const char *name, uint32_t most);

/* Reads "0: rx order log tx" or "0: rx tx; 1: order log" into cores. Every poller must stand
 * exactly once. */
HF_MUST_USE enum hf_status core_parse(const char *text, struct poller *pollers,
                                      uint32_t poller_count, struct core *cores,
                                      uint32_t *core_count, struct hf_fault *fault);

/* Starts the core's thread and waits until its pollers are attached. */
HF_MUST_USE enum hf_status core_start(struct core *core, struct hf_fault *fault);

/* The part of a poller's time in which it had nothing to do, 0 to 1, measured since the start: what
 * its core was busy, divided among the core's pollers as in the rounds that were timed. Any thread.
 */
double core_idle_share(const struct core *core, const struct poller *poller);

/* Waits for the thread to end, once *quit is true. */
void core_join(struct core *core);

#endif
