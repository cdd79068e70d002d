/* A simulated world: two nodes of a pair, the arbiter, three clients, their network, disks and
 * clocks, in one thread and on simulated time. Engine, log, protocol, link, wire codec and client
 * library are the real ones; what is around them is as hostile as it may be, from a seed. The same
 * seed does the same, step by step.
 *
 *   main.c     runs seeds, says what happened
 *   world.c    one world: its time, its two phases, its end
 *   node.c     a node: the host of replication/pair.h, receives, orders, executes, answers
 *   life.c     how a node starts, stops, dies and is replaced
 *   arbiter.c  the register, and all that may happen to a question
 *   client.c   clients and their books of what they were told
 *   faults.c   which faults a seed has, and when they strike
 *   truth.c    what nobody in the world knows: both logs, what was committed; the invariants
 *   verdict.c  the end: everything must agree
 *   trace.c    what happened, as a hash and, for one seed, to read
 *
 * Time is counted in milliseconds; every poller gets its turn once in each. */
#ifndef HF_TESTS_SIM_H
#define HF_TESTS_SIM_H

#include "marks.h"

#include "engine/ledger.h"
#include "net/port_sim.h"
#include "net/wire.h"
#include "replication/pair.h"
#include "wal/disk_sim.h"
#include "wal/replay.h"
#include "wal/retain.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIM_NODES       2
#define SIM_CLIENTS     3
#define SIM_NS_IN_MS    UINT64_C(1000000)
#define SIM_START_MS    UINT64_C(1700000000000) /* of the wall clock */
#define SIM_RECORDS_MAX 8192                    /* in one log */
#define SIM_EPOCHS_MAX  512
#define SIM_STORE_SIZE  (16 << 20)
#define SIM_BOOK_MAX    256 /* operations of one client */
#define SIM_QUESTIONS   32  /* that the arbiter has in hand */
#define SIM_WAITING_MAX 256 /* answers that a node keeps back */
#define SIM_ASSET       840

struct sim;
struct hf_client;

/* ---- Chance ---- */

/* splitmix64 */
static inline uint64_t sim_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline uint64_t sim_below(uint64_t *state, uint64_t bound)
{
    return sim_random(state) % bound;
}

/* `least` to `most`, both included. */
static inline uint64_t sim_between(uint64_t *state, uint64_t least, uint64_t most)
{
    return least + sim_below(state, most - least + 1);
}

/* ---- Truth ---- */

struct sim_record {
    struct hf_hash hash;
    uint64_t next_place;                  /* of the operation after it */
    const struct hf_record_header *bytes; /* all of it, in the truth's store */
    uint64_t committed_in;                /* of a committed one: the epoch */
};

/* A log as the truth knows it; record i at i - 1. */
struct sim_log {
    uint64_t count;
    uint64_t flushed; /* records that no crash can take */
    struct sim_record records[SIM_RECORDS_MAX];
};

struct sim_truth {
    struct sim_log logs[SIM_NODES];           /* with what is in flight */
    struct sim_log committed;                 /* by anybody, at any time */
    struct hf_config configs[SIM_EPOCHS_MAX]; /* by epoch: the chain of CFGs */
    uint64_t epoch;                           /* the newest */
    uint64_t answered_place;                  /* highest that a client was told of */
    uint64_t stored;                          /* bytes of the store in use */
    uint64_t store[SIM_STORE_SIZE / 8];       /* records, one after the other */
};

/* ---- The arbiter ---- */

struct sim_question {
    bool is_live;
    bool is_done;    /* executed */
    bool is_lost;    /* never executed */
    bool is_excused; /* its asker need not be in I */
    uint32_t node;
    uint64_t life; /* of the asker */
    uint64_t execute_ms;
    uint64_t answer_ms; /* 0: given */
    struct hf_question asked;
    struct hf_arbiter_answer answer;
};

struct sim_arbiter {
    struct hf_config config;
    bool is_away;
    uint64_t random;
    struct sim_question questions[SIM_QUESTIONS];
};

/* ---- Nodes ---- */

enum sim_down { /* why a node is down */
                SIM_DOWN_NOT = 0,
                SIM_DOWN_OFF = 1,     /* crashed or stopped: can start */
                SIM_DOWN_CORRUPT = 2, /* its log does not open: is to be replaced */
};

/* An answer that waits for its record. */
struct sim_waiting {
    struct hf_address client;
    uint64_t session;
    uint64_t index; /* goes out when this record is committed; UINT64_MAX: of the batch that is
                       being filled */
    bool is_read;
    struct hf_query_reply reply;
};

struct sim_node {
    struct sim *sim;
    uint32_t number; /* from 0; the node's own is one more */
    enum sim_down down;
    uint64_t life;         /* how often it was started */
    uint64_t replaced;     /* and made anew */
    uint64_t start_ms;     /* down: when it is started again */
    uint64_t paused_ms;    /* it stands still until then */
    uint64_t dies_at_call; /* of the disk: the power goes in the middle; UINT64_MAX: not */
    uint64_t random;
    struct hf_disk *disk;
    struct hf_port *clients; /* its door to them */
    struct hf_port *peer;    /* and to the other node */
    uint8_t secret_key[HF_CHAIN_SECRET_SIZE];

    /* Clocks. */
    uint64_t boot_ms; /* when the machine was switched on */
    uint64_t monotonic_base_ns;
    uint32_t rate_permille; /* how fast its clocks go */
    int64_t wall_offset_ms;

    /* This life. */
    struct hf_log_state state;
    struct hf_ledger *ledger;
    struct hf_log_writer *writer;
    struct hf_pair *pair;
    struct hf_log_batch *free[HF_LOG_BATCHES_MAX];
    uint32_t free_count;
    struct hf_log_batch *batch;      /* being filled */
    uint64_t checkpointed;           /* its newest whole checkpoint */
    bool checkpoint_is_whole;        /* the last one written: of its disk, outlives the life */
    struct hf_record_header applied; /* the newest record in the ledger, while it follows */
    uint32_t waiting_count;
    struct sim_waiting waiting[SIM_WAITING_MAX];
    struct hf_pair_counts counted; /* by its pair, after the last turn */
    bool is_fetching;              /* has part of a checkpoint of the peer's; outlives the life */
    bool was_deposed;              /* it led once, and another does now */
    uint64_t learner_epoch;        /* what the peer wanted to be compared last */
    uint64_t learner_index;
    struct hf_replica seen; /* as it was after the last turn */

    bool is_rotten;  /* its disk was damaged */
    bool is_failing; /* its disk is about to fail */
    /* What it must not forget. */
    uint64_t promised;
    uint64_t incarnation;
    struct hf_fault fault;
};

/* ---- Clients ---- */

enum sim_entry_state { SIM_ENTRY_OPEN = 0, SIM_ENTRY_SUBMITTED = 1, SIM_ENTRY_ANSWERED = 2 };

/* One operation in a client's book. */
struct sim_entry {
    union hf_operation operation;
    enum sim_entry_state state;
    bool has_reply;
    bool is_logged; /* the verdict has found it */
    uint32_t first_server;
    uint64_t least_place; /* of a query: what everybody knew when it was first sent */
    struct hf_reply reply;
};

struct sim_client {
    struct sim *sim;
    uint32_t number;
    uint64_t random;
    struct hf_port *port;
    struct hf_client *client;
    uint32_t count; /* entries in use */
    uint32_t answered;
    uint32_t answerer; /* the node that answered last, from 1 */
    uint64_t rests_until_ms;
    struct sim_entry book[SIM_BOOK_MAX];
};

/* ---- Faults ---- */

/* What a seed has. Zero everywhere: nothing ever goes wrong. A rate is in strikes in ten thousand
 * milliseconds. */
struct sim_mix {
    struct hf_sim_faults network;
    uint32_t partition_rate;
    uint32_t client_cut_rate;
    uint32_t pause_rate;
    uint32_t power_rate;
    uint32_t kill_rate;
    uint32_t stop_rate;
    uint32_t write_rate;
    uint32_t full_rate;
    uint32_t rot_rate;
    uint32_t clock_rate;
    uint32_t away_rate;
    uint32_t step_down_rate;
    uint32_t garbage_rate;
    uint32_t checkpoint_rate;
    uint32_t unsure_permille; /* of the arbiter's answers */
    bool lets_go;             /* of the log before a checkpoint */
    uint32_t durability;
    uint32_t on_loss;
    uint32_t operations; /* of each client */
    uint64_t fault_ms;   /* how long the first phase is */
};

struct sim_faults {
    struct sim_mix mix;
    uint64_t random;
    uint64_t mend_ms; /* partition */
    uint64_t client_mend_ms;
    uint64_t back_ms;  /* arbiter */
    uint64_t space_ms; /* disk full */
    uint32_t space_node;
    uint32_t victim; /* rot: the other one is left in peace; SIM_NODES: none */
    bool is_over;
};

/* ---- The trace ---- */

struct sim_trace {
    uint64_t hash;
    FILE *to; /* NULL: only the hash */
};

struct sim {
    uint64_t seed;
    uint64_t now_ms;
    struct hf_sim_network *network;
    struct hf_port *stranger; /* sends garbage */
    struct sim_arbiter arbiter;
    struct sim_node nodes[SIM_NODES];
    struct sim_client clients[SIM_CLIENTS];
    struct sim_faults faults;
    struct sim_trace trace;
    struct sim_truth truth; /* last: its store need not be cleared */
};

/* How often each mark was met, by all seeds. */
extern uint64_t sim_seen[SIM_MARK_COUNT];

static inline void sim_mark(enum sim_mark mark)
{
    sim_seen[mark]++;
}

/* ---- trace.c ---- */

/* Something has happened: `what` and three numbers go into the hash, and the line, if somebody
 * reads, is what the format makes of them. node: from 0; UINT32_MAX: none. */
void sim_trace_event(struct sim *sim, uint32_t node, const char *what, uint64_t a, uint64_t b,
                     uint64_t c);
/* The world is wrong: says so with the seed, and ends the process. */
__attribute__((noreturn, format(printf, 2, 3))) void sim_wrong(struct sim *sim, const char *format,
                                                               ...);

/* ---- world.c ---- */

/* Lives a whole world, to its verdict. Returns the trace's hash. `to`: where its trace is written,
 * or NULL. */
uint64_t sim_run(uint64_t seed, FILE *to);
uint64_t sim_client_wall_ms(const struct sim *sim);

/* ---- life.c ---- */

void sim_life_make(struct sim *sim, uint32_t number);
void sim_life_start(struct sim_node *node);
/* The power goes; `down_ms` later it comes back. */
void sim_life_power_cut(struct sim_node *node, uint64_t down_ms);
/* The process dies, the machine goes on. */
void sim_life_kill(struct sim_node *node, uint64_t down_ms);
/* In order, as an operator does it. */
void sim_life_stop(struct sim_node *node, uint64_t down_ms);
/* A new, empty disk in its place. */
void sim_life_replace(struct sim_node *node);
void sim_life_end(struct sim_node *node);
/* Makes a checkpoint now if the node can; old segments go. */
void sim_life_checkpoint(struct sim_node *node);

/* ---- node.c ---- */

void sim_node_poll(struct sim_node *node);
void sim_node_send_to_peer(void *context, const void *bytes, size_t length);
uint64_t sim_node_monotonic_ns(const struct sim_node *node);
uint64_t sim_node_wall_ns(const struct sim_node *node);
static inline bool sim_node_is_up(const struct sim_node *node)
{
    return node->down == SIM_DOWN_NOT;
}
extern const struct hf_ledger_limits sim_limits;
extern const struct hf_id sim_cluster;

/* ---- arbiter.c ---- */

void sim_arbiter_ask(struct sim *sim, const struct sim_node *node,
                     const struct hf_question *question);
void sim_arbiter_poll(struct sim *sim);

/* ---- client.c ---- */

void sim_client_open(struct sim *sim, uint32_t number);
void sim_client_poll(struct sim_client *client);
void sim_client_close(struct sim_client *client);
bool sim_client_is_done(const struct sim_client *client);
/* Has everything that was answered asked once more, from the first. */
void sim_client_ask_again(struct sim_client *client);

/* ---- faults.c ---- */

void sim_faults_choose(struct sim *sim);
void sim_faults_poll(struct sim *sim);
/* Nothing goes wrong any more, and what has is mended. */
void sim_faults_end(struct sim *sim);

/* ---- truth.c ---- */

/* A node starts with this record as its newest; the records after `from` were read. */
void sim_truth_started(struct sim_node *node);
/* It has read or appended this record. */
void sim_truth_record(struct sim_node *node, const struct hf_record_header *record);
void sim_truth_flushed(struct sim_node *node, uint64_t index);
/* A crash, or a cut: what is not flushed is gone until it is seen again. */
void sim_truth_crashed(struct sim_node *node);
void sim_truth_wiped(struct sim_node *node);
/* A checkpoint takes the log's place with the next start. */
void sim_truth_replaced(struct sim_node *node);
void sim_truth_turned(struct sim_node *node); /* after each turn: I1 to I7 */
void sim_truth_swapped(struct sim *sim, const struct hf_config *config, bool is_excused);
void sim_truth_readable(struct sim_node *node);
/* A node shows this place to somebody (I6). */
void sim_truth_shown(struct sim *sim, uint64_t place);
/* A client was told of it. */
void sim_truth_answered(struct sim *sim, uint64_t place);

/* ---- verdict.c ---- */

/* Whether the pair is at rest and everybody has his answers. */
bool sim_verdict_is_calm(const struct sim *sim);
void sim_verdict(struct sim *sim);

#endif
