/* A small world for the replication protocol: two nodes, their disks, a network that loses, repeats
 * and reorders, and an arbiter that may leave a swap in doubt. The replicas are the real ones; all
 * around them is as hostile as it may be. Every action checks the invariants.
 *
 * Without a clock, a small tick says that a beacon is due, a big tick that every patience has run
 * out, and both may come whenever they like: what is proved so does not rest on time. With a clock
 * (limits.clock) both nodes see the same few moments, ticks come or do not (a pause), and reads are
 * made: what is proved so is the lease. */
#ifndef HF_TESTS_REPLICATION_WORLD_H
#define HF_TESTS_REPLICATION_WORLD_H

#include "replication/replica.h"

#include <stdio.h>

#define WORLD_NODES   2
#define WORLD_LETTERS 4 /* on their way to one node, at most */

/* A log as one word: six bits a record, the oldest lowest; three for its epoch, three for what it
 * is. The hash of a record is the word up to it, so that no two differ by chance. */
#define WORLD_MARK 7u /* the first record of an epoch */
#define WORLD_OPS  2u /* client operations, from 1 */
#define WORLD_LOG  10u

struct world_log {
    uint64_t code;
    uint64_t count;
};

struct world_question {
    uint32_t kind;    /* enum hf_asking */
    uint32_t is_done; /* the arbiter has executed it; the answer is on its way */
    uint32_t answer;  /* enum hf_answer_kind */
    uint32_t reserved;
    uint64_t expected; /* epoch of the CFG that a swap replaces */
    struct hf_config config;
};

struct world_node {
    struct hf_replica replica; /* zero when down */
    uint64_t is_up;
    struct world_log log; /* with what is not flushed */
    /* Durable. */
    uint64_t incarnation;
    uint64_t promise;
    struct hf_epochs epochs;
    struct world_question question;
    /* A swap whose asker has stopped waiting, and which may yet happen. */
    uint64_t late_expected;
    struct hf_config late;
    uint64_t letter_count;
    struct hf_message letters[WORLD_LETTERS]; /* to this node, in order of their bytes */
};

/* How often what may still happen. */
struct world_budget {
    uint32_t crashes;
    uint32_t doubts;  /* swaps and reads whose answer is lost */
    uint32_t repeats; /* letters delivered and kept */
    uint32_t slips;   /* big ticks; with a clock, reads */
    uint32_t moments; /* with a clock: how long it runs */
    uint32_t reserved;
};

struct world {
    struct world_node nodes[WORLD_NODES];
    struct hf_config config; /* the arbiter's */
    /* What no part of the system knows: all that was ever committed and not excusably lost. */
    struct world_log committed;
    struct world_budget budget;
    /* With a clock: a read under way: taken at `reader`, of a state up to `value`, when answers had
     * been given up to `answered`. */
    uint64_t reader;
    uint64_t value;
    uint64_t answered;
};

struct world_limits {
    struct world_budget budget;
    uint64_t epochs;  /* beyond the prologue's */
    uint64_t records; /* likewise */
    uint32_t letters;
    uint32_t durability;
    uint32_t on_loss;
    uint64_t clock; /* 1: there is one */
    uint64_t alone; /* 1: it begins with a primary alone, and a learner about to join */
};

enum world_act {
    WORLD_SMALL_TICK,
    WORLD_BIG_TICK,
    WORLD_DELIVER, /* detail: letter */
    WORLD_REPEAT,  /* likewise, and it stays */
    WORLD_LOSE,    /* likewise */
    WORLD_APPEND,  /* detail: operation */
    WORLD_FLUSH,
    WORLD_SAVE,
    WORLD_TRUNCATE,
    WORLD_EXECUTE, /* the arbiter does what was asked */
    WORLD_ANSWER,  /* and says so */
    WORLD_FORGET,  /* the answer is lost, or the question */
    WORLD_LATER,   /* the answer is lost, and the swap happens later */
    WORLD_LATE,    /* now */
    WORLD_CRASH,   /* detail: unflushed records kept; +16: the save happened; +32: the cut did */
    WORLD_RESTART,
    WORLD_TIME,  /* the next moment */
    WORLD_READ,  /* takes a value */
    WORLD_CHECK, /* asks whether it may be given out */
    WORLD_ACTS,
};

struct world_action {
    uint8_t act;
    uint8_t node;
    uint8_t detail;
};

#define WORLD_ACTIONS_MAX 128

void world_set_limits(const struct world_limits *limits);

/* The beginning of every walk: a pair at work, its first primary node 1, nothing on its way. */
void world_begin(struct world *world);

/* What can happen next. */
uint32_t world_choices(const struct world *world, struct world_action actions[WORLD_ACTIONS_MAX]);

/* Does it. False: the world has no room for what would follow (left out, and counted). What is
 * wrong afterwards is in world_wrong. */
bool world_do(struct world *world, struct world_action action);

/* From here on nothing goes wrong any more: does the pair come back to work? */
enum world_end { WORLD_CONVERGED, WORLD_STUCK, WORLD_NO_ROOM };
enum world_end world_converge(struct world *world);

/* NULL while every invariant holds. */
extern const char *world_wrong;

/* Marks of what the walk has reached, to be sure that it is not blind. */
enum world_mark {
    WORLD_SEEN_COMMIT,
    WORLD_SEEN_DROP,
    WORLD_SEEN_TAKEOVER,
    WORLD_SEEN_JOIN,
    WORLD_SEEN_CUT,
    WORLD_SEEN_NACK,
    WORLD_SEEN_HANDOVER,
    WORLD_SEEN_BOTH_LOGS,
    WORLD_SEEN_LATE,
    WORLD_SEEN_LOSS, /* pair-fast: both memories gone */
    WORLD_SEEN_READ,
    WORLD_MARKS,
};
extern uint64_t world_seen[WORLD_MARKS];
extern const char *const world_mark_names[WORLD_MARKS];

void world_print_action(const struct world *before, struct world_action action, FILE *to);
void world_print(const struct world *world, FILE *to);

/* All of a world in few bytes, and back. Equal worlds have equal bytes. */
#define WORLD_PACKED_MAX 4096
uint32_t world_pack(const struct world *world, uint8_t packed[WORLD_PACKED_MAX]);
void world_unpack(const uint8_t *packed, uint32_t size, struct world *world);

#endif
