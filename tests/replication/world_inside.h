/* What the files of the small world say to each other: logs as words, and the checks. */
#ifndef HF_TESTS_REPLICATION_WORLD_INSIDE_H
#define HF_TESTS_REPLICATION_WORLD_INSIDE_H

#include "world.h"

#include <assert.h>
#include <string.h>

extern struct world_limits world_limits;

/* ---- Logs ---- */

static inline uint64_t prefix(const struct world_log *log, uint64_t count)
{
    assert(count <= log->count);
    return log->code & ((UINT64_C(1) << (6 * count)) - 1);
}

static inline uint64_t epoch_of(const struct world_log *log, uint64_t index)
{
    return index == 0 ? 0 : (log->code >> (6 * (index - 1)) & 63) >> 3;
}

static inline uint64_t what_is(const struct world_log *log, uint64_t index)
{
    return log->code >> (6 * (index - 1)) & 7;
}

static inline void append(struct world_log *log, uint64_t epoch, uint64_t what)
{
    assert(log->count < WORLD_LOG);
    assert(epoch < 8);
    log->code |= (epoch << 3 | what) << (6 * log->count);
    log->count++;
}

static inline void cut(struct world_log *log, uint64_t count)
{
    log->code = prefix(log, count);
    log->count = count;
}

/* Up to where two logs are the same. */
static inline uint64_t common(const struct world_log *a, const struct world_log *b)
{
    uint64_t count = a->count < b->count ? a->count : b->count;
    while (prefix(a, count) != prefix(b, count)) {
        count--;
    }
    return count;
}

static inline struct hf_hash hash_at(const struct world_log *log, uint64_t index)
{
    return (struct hf_hash){.lo = prefix(log, index)};
}

static inline struct hf_tag tag_at(const struct world_log *log, uint64_t index)
{
    return (struct hf_tag){{epoch_of(log, index), index}, hash_at(log, index)};
}

static inline bool holds_operation(const struct world_log *log, uint64_t op)
{
    for (uint64_t i = 1; i <= log->count; i++) {
        if (what_is(log, i) == op) {
            return true;
        }
    }
    return false;
}

/* ---- What must hold (world_check.c): see world_wrong ---- */

void world_is_wrong(const char *what);
/* What must hold in every state, whatever happened last. */
void world_check_state(const struct world *w);
/* A node calls all up to `index` committed: remembers it. */
void world_check_commit(struct world *w, uint32_t n, uint64_t index);
/* The arbiter is about to change CFG to `next`. */
void world_check_swap(const struct world *w, const struct hf_config *next);
/* A node sends a message. */
void world_check_fence(const struct world *w, uint32_t n, const struct hf_message *m);
/* A node is about to cut its log after `index`. */
void world_check_cut(const struct world_node *node, const struct world *w, uint64_t index);

void world_set_options(struct hf_replica_options *options, uint32_t n);

#endif
