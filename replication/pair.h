/* One node of a pair: the replica (replica.h) with everything around it that is not the world: the
 * log's writer, what was appended lately, the link to the peer, the superblock, catching up. The
 * node in tools/holdfastd and the simulation drive this very code.
 *
 * How it is driven. Its host owns
 *   - a log, opened with hf_log_open, and a writer on it, created with `pair_batches` and with
 *     hf_pair_observe as its observer, and attached;
 *   - the ledger, into which that log was replayed to its end;
 *   - a way to send datagrams to the peer, and the arbiter.
 * It calls, all from one thread ("the log's"):
 *   hf_pair_start      once, when the writer is attached
 *   hf_pair_receive    with each datagram from the peer
 *   hf_pair_answered   with each answer of the arbiter
 *   hf_pair_poll       all the time: turns the writer, tells the time, sends what is due
 *   hf_pair_question   after any of these: the next question to the arbiter, if there is one
 *   hf_pair_submit     a filled batch of client operations, when hf_pair_may_submit
 * and looks at hf_pair_commit_index: what stands on records up to it may be shown (I6).
 *
 * Applying. A node that does not lead applies what is committed: hf_pair_next_committed lends the
 * next record, hf_pair_applied says that the ledger holds it. They may be called from another
 * thread (one): the order poller's. A node that comes to lead has applied everything when
 * hf_pair_must_apply says 0; from then on its host executes operations and gives batches to
 * hf_pair_submit, and asks no more for records.
 *
 * Restarting. A node never goes back from leading, and never takes back what its ledger holds: when
 * the protocol demands that, or when the log was cut, hf_pair_wants_restart says so. The host then
 * stops as if it had been killed (nothing more is acknowledged already), and starts anew from its
 * disk. What happens on a restart is what happens after a crash, and is no other code.
 *
 * Nothing here reads a clock or allocates after hf_pair_create; it blocks where it uses a disk's
 * blocking half: when promise and epoch table are made durable, when a log is cut, when a record
 * that is no longer in memory is read for a peer that catches up, or a slice of a checkpoint. */
#ifndef HF_REPLICATION_PAIR_H
#define HF_REPLICATION_PAIR_H

#include "arbiter.h"
#include "link.h"
#include "wal/recover.h"
#include "wal/writer.h"

/* What the two nodes must have in common, and what they tell each other about themselves. */
struct hf_pair_self {
    uint8_t public_key[HF_CHAIN_PUBLIC_SIZE]; /* that signs this node's seals */
    uint8_t settings[HF_SUPERBLOCK_SETTINGS_SIZE];
    uint64_t segment_size;
    uint32_t block_size;
    uint32_t client_ip; /* where clients reach it, host order; 0: not told */
    uint16_t client_udp;
    uint8_t reserved[6];
};
_Static_assert(sizeof(struct hf_pair_self) == 184, "self");

struct hf_pair_options {
    struct hf_replica_options replica;
    uint32_t datagram_size; /* most bytes of a datagram to the peer */
    uint32_t client_ip;     /* as in hf_pair_self */
    uint16_t client_udp;
    uint16_t reserved;
    uint32_t recent_bytes; /* of records kept in memory for the peer and for applying; a power of
                              two, HF_PAIR_RECENT_MIN at least */
    void *recent_memory; /* for them, at a multiple of 64; the caller's, for as long as the pair */
    /* Sends one datagram to the peer: it may be lost, but not damaged unnoticed. */
    void (*send)(void *context, const void *bytes, size_t length);
    void *context;
};
#define HF_PAIR_RECENT_MIN (UINT32_C(8) << 20)
/* Batches of the writer that are the pair's, for records that come from the peer: so many may be on
 * their way to the disk. Several times what a primary has in flight, so that who catches up with
 * one that goes on writing gains on it where every flush takes its time. */
#define HF_PAIR_BATCHES 32

enum hf_pair_restart {
    HF_PAIR_RESTART_NO = 0,
    HF_PAIR_RESTART_DEPOSED = 1, /* it led, and leads no more */
    HF_PAIR_RESTART_CUT = 2,     /* the log's end was cut off and lies in quarantine */
    HF_PAIR_RESTART_INSTALL = 3, /* a checkpoint of the peer's is to take the log's place */
};

struct hf_pair_counts {
    uint64_t records_received; /* appended for the peer */
    uint64_t records_sent;     /* repeats included */
    uint64_t records_read;     /* of these, from the disk */
    uint64_t refused_other_cluster;
    uint64_t refused_garbage; /* neither link nor message could be understood */
    uint64_t quarantined;     /* records cut off, in this life */
    uint64_t slices_sent;     /* of a checkpoint, to the peer */
    uint64_t slices_received; /* of one, from the peer, and taken */
    uint64_t fetches_begun;
    uint64_t fetches_resumed; /* that went on where they were after the peer was silent */
    uint64_t fetches_refused; /* what came was damaged */
    uint64_t lag;             /* leading: records the peer has not acknowledged */
    uint64_t pause_ns;        /* leading: between own records, for a learner to catch up */
    struct hf_link_counts link;
};

struct hf_pair;

/* Makes a pair node from what hf_log_open found. `disk` is the log's (its blocking half is used by
 * the log's thread), `read_disk` another on the same directory, for reading back; both are lent
 * until destroy, and so is the writer. NO_MEMORY. */
HF_MUST_USE enum hf_status hf_pair_create(const struct hf_pair_options *options,
                                          const struct hf_log_state *state, struct hf_disk *disk,
                                          struct hf_disk *read_disk, struct hf_pair **pair,
                                          struct hf_fault *fault);
void hf_pair_destroy(struct hf_pair *pair);

/* The writer's observer; `context` is the pair. */
void hf_pair_observe(void *context, const struct hf_record_header *record);

/* The writer is attached: go and find out what this node is. */
void hf_pair_start(struct hf_pair *pair, struct hf_log_writer *writer, uint64_t now_ns);

void hf_pair_receive(struct hf_pair *pair, const void *bytes, size_t length, uint64_t now_ns);
void hf_pair_answered(struct hf_pair *pair, const struct hf_arbiter_answer *answer,
                      uint64_t now_ns);

/* Turns the writer and returns, as hf_log_writer_poll does, the host's batches that are durable
 * (the pair's own stay here). With time: beacons, patience, retransmission. */
uint32_t hf_pair_poll(struct hf_pair *pair, struct hf_log_batch *done[], uint32_t most,
                      uint64_t now_ns);

/* True once for every new question. */
bool hf_pair_question(struct hf_pair *pair, struct hf_question *question);

/* Whether batches of client operations may be submitted now. */
bool hf_pair_may_submit(const struct hf_pair *pair);
/* As hf_log_writer_submit; asserts hf_pair_may_submit. */
HF_MUST_USE enum hf_status hf_pair_submit(struct hf_pair *pair, struct hf_log_batch *batch,
                                          uint64_t now_ns);

/* The operator. */
void hf_pair_step_down(struct hf_pair *pair, uint64_t now_ns);
void hf_pair_promote(struct hf_pair *pair, uint64_t now_ns);

/* Every record up to this index is committed. Never falls. Any thread (acquire). */
uint64_t hf_pair_commit_index(const struct hf_pair *pair);
/* A read may be answered, when the value was taken before this call. Any thread. */
bool hf_pair_may_read(const struct hf_pair *pair, uint64_t now_ns);
/* This node leads, and its epoch is open. Any thread. */
bool hf_pair_leads(const struct hf_pair *pair);

/* The next record to apply, committed and not applied, in order; NULL when there is none now. Lent
 * until hf_pair_applied. The applying thread. */
const struct hf_record_header *hf_pair_next_committed(struct hf_pair *pair);
void hf_pair_applied(struct hf_pair *pair, const struct hf_record_header *record);
/* Leading: records that the applying thread has yet to apply before it may execute anything. */
uint64_t hf_pair_must_apply(const struct hf_pair *pair);

/* A committed record led to another state here than where it was written, or could not be applied:
 * this node halts, and the peer is told. Any thread. */
void hf_pair_say_diverged(struct hf_pair *pair, uint64_t index);

enum hf_pair_restart hf_pair_wants_restart(const struct hf_pair *pair);
/* Why it halted or what it complains of: one line, empty when there is nothing. */
const struct hf_fault *hf_pair_fault(const struct hf_pair *pair);

/* The log's thread, for status and traces. */
const struct hf_replica *hf_pair_replica(const struct hf_pair *pair);
/* What the peer told about itself; NULL before it has. */
const struct hf_pair_self *hf_pair_peer(const struct hf_pair *pair);
uint64_t hf_pair_peer_incarnation(const struct hf_pair *pair);
/* Something is under way that should not wait: the peer owes an answer, or this node does. */
bool hf_pair_is_busy(const struct hf_pair *pair);
void hf_pair_count(const struct hf_pair *pair, struct hf_pair_counts *counts);

#endif
