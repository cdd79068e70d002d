/* The arbiter, as the node reaches it: a thread that carries one question at a time to where CFG
 * lies, and brings the answer back. The replicate poller asks and takes; it never waits. */
#ifndef HOLDFASTD_ARBITER_H
#define HOLDFASTD_ARBITER_H

#include "config.h"
#include "replication/arbiter.h"

#include <pthread.h>
#include <stdatomic.h>

/* One way to keep CFG. `ask` may block as long as it bounds itself; called by the arbiter's thread
 * only. */
struct arbiter_way {
    const char *name;
    enum hf_answer_kind (*ask)(void *state, const struct hf_question *question,
                               struct hf_config *config);
    void (*destroy)(void *state);
};

struct arbiter {
    const struct arbiter_way *way;
    void *state;
    bool runs;
    pthread_t thread;
    pthread_mutex_t lock; /* of all below; held for a copy only */
    pthread_cond_t changed;
    struct hf_question question;
    struct hf_arbiter_answer answer;
    bool has_question;
    bool has_answer;
    bool stopping;
    atomic_bool answered;                /* has_answer, to look at without the lock */
    _Alignas(64) _Atomic uint64_t asked; /* questions carried */
    _Atomic uint64_t unknown;            /* of these, without a clear answer */
    _Atomic uint64_t slowest_ns;
};

/* Starts the thread. INVALID: pair.arbiter makes no sense. */
HF_MUST_USE enum hf_status arbiter_start(struct arbiter *arbiter, const struct config *config,
                                         struct hf_id cluster, struct hf_fault *fault);
/* Ends it; waits for the question under way. Harmless on zeros. */
void arbiter_stop(struct arbiter *arbiter);

/* Puts a question in place of the one that waits, if any. */
void arbiter_ask(struct arbiter *arbiter, const struct hf_question *question);
/* True when there is an answer. */
bool arbiter_take(struct arbiter *arbiter, struct hf_arbiter_answer *answer);

#endif
