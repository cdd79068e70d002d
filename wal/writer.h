/* The log's writer: takes filled batches, makes each a durable record, says how far the log is
 * committed. Several writes are in flight at a time, and more records wait for their flush; the
 * commit index follows the longest prefix that is flushed, whatever order the writes complete in.
 *
 * Two threads meet here. The order thread fills batches (hf_log_batch_*). The log thread owns the
 * writer and makes every hf_log_writer call but those marked "any thread". A batch belongs to one
 * of them at a time; the rings that carry it over are the caller's. Nothing allocates after create,
 * and nothing blocks but attach, close and, once per segment, the naming of a finished segment (a
 * rename and a directory flush: milliseconds), done between appends when it can be.
 *
 * An error is for ever (P7): a failed write or flush poisons the writer, nothing is acknowledged
 * after it, and the fault line says why. */
#ifndef HF_WAL_WRITER_H
#define HF_WAL_WRITER_H

#include "batch.h"
#include "recover.h"

#define HF_LOG_DEPTH_MAX        64
#define HF_LOG_DEPTH_DEFAULT    4
#define HF_LOG_AHEAD_MAX        16
#define HF_LOG_AHEAD_DEFAULT    1
#define HF_LOG_BATCHES_MAX      64
#define HF_LOG_BATCHES_DEFAULT  8
#define HF_LOG_UNFLUSHED_MAX    HF_LOG_BATCHES_MAX /* records at a time, in any log */
#define HF_LOG_CAPACITY_DEFAULT (UINT32_C(256) << 10)

struct hf_log_writer_options {
    uint32_t depth;            /* writes in flight, 1 to HF_LOG_DEPTH_MAX */
    uint32_t segments_ahead;   /* kept ready beyond the one in use, 1 to HF_LOG_AHEAD_MAX */
    uint32_t batch_count;      /* 1 to HF_LOG_BATCHES_MAX: so many records, seals among them, may
                                  be submitted and not yet returned by poll */
    uint32_t batch_capacity;   /* bytes, a multiple of HF_RECORD_BLOCK_MAX, HF_RECORD_LENGTH_MAX at
                                  most; all batches together, and their seals, fit one segment */
    uint32_t seal_span;        /* records from seal to seal at most, 1 to HF_CHAIN_SPAN_MAX */
    const uint8_t *secret_key; /* that signs them, HF_CHAIN_SECRET_SIZE bytes; only lent to create.
                                  Its public half is the superblock's */
    /* Of one of two nodes with the same log: batches beyond batch_count, for the other's records;
     * 0: the log is this node's alone. All batches: HF_LOG_BATCHES_MAX at most. */
    uint32_t pair_batches;
    /* Called with every record when it has been queued, seals and copies included, with the bytes
     * it will have on the disk; from submit, copy and begin_epoch. May be NULL. */
    void (*observe)(void *context, const struct hf_record_header *record);
    void *observe_context;
};

struct hf_log_writer;

/* The defaults above, and no key yet. */
void hf_log_writer_defaults(struct hf_log_writer_options *options);

/* Makes a writer that goes on where `state` ends, with all its memory, batches included (touched
 * here, so that no page faults come later). `disk` is lent until destroy. INVALID, NO_MEMORY. Any
 * thread. */
HF_MUST_USE enum hf_status hf_log_writer_create(struct hf_disk *disk,
                                                const struct hf_log_state *state,
                                                const struct hf_log_writer_options *options,
                                                struct hf_log_writer **writer,
                                                struct hf_fault *fault);

/* The batches, 0 to batch_count-1, for the caller's free ring, then the pair's. Any thread, before
 * attach or after. */
struct hf_log_batch *hf_log_writer_batch(struct hf_log_writer *writer, uint32_t number);

/* How many are not the pair's. */
uint32_t hf_log_writer_own_batches(const struct hf_log_writer *writer);

/* Takes the writer for the calling thread, and blocks until the first segment is ready for records,
 * or there is no space for it (then OK too: there is no room until space comes). */
HF_MUST_USE enum hf_status hf_log_writer_attach(struct hf_log_writer *writer,
                                                struct hf_fault *fault);

/* Makes the batch the next record and queues its durable append; poll sets it going. When one is
 * due, a seal goes before it, so that nothing is ever in flight behind the last batch. OK: the
 * batch is the writer's until poll returns it. AGAIN: `depth` writes are in flight, or
 * batch_count records are not flushed. FULL: no segment is ready. IO: poisoned. But for OK the
 * batch stays the caller's, to submit again after a poll. Asserts that places have no gap and time
 * does not go back. */
HF_MUST_USE enum hf_status hf_log_writer_submit(struct hf_log_writer *writer,
                                                struct hf_log_batch *batch);

/* Signs the newest records now: leaves a seal over those that are under none, if there are any. How
 * long they may go without is the caller's to know, who has a clock. OK, AGAIN, FULL, IO as submit;
 * of two nodes the leader's alone, as submit is. */
HF_MUST_USE enum hf_status hf_log_writer_seal(struct hf_log_writer *writer);

/* ---- One log on two nodes (pair_batches is not 0) ----
 *
 * The records of both are the same, byte for byte. So that they also lie at the same places, a node
 * that comes to lead goes on in a new segment, and one that follows goes to a new segment where the
 * leader did: before a seal over nothing, which stands nowhere else but at a segment's begin (and
 * where nothing is lost by it).
 *
 * What is called committed in a record is then the pair's commit index, and never one of the newest
 * HF_LOG_UNFLUSHED_MAX records before it: those may not be flushed yet where the record is copied
 * to.
 */

/* All up to this index is committed: what the headers of records to come may say. Never falls. */
void hf_log_writer_set_committed(struct hf_log_writer *writer, uint64_t index);

/* Copies a good record (record.h) of the other node's into the batch, one of the pair's, and queues
 * its durable append. OK, AGAIN, FULL, IO as submit. DIVERGED: it does not follow this log's newest
 * record, or is a seal that is not over this log's records (whose key signed it is the caller's to
 * check). INVALID: it is longer than a batch, or does not fit where it must lie: the two logs have
 * other sizes of segments, blocks or batches. */
HF_MUST_USE enum hf_status hf_log_writer_copy(struct hf_log_writer *writer,
                                              struct hf_log_batch *batch,
                                              const struct hf_record_header *record);

/* Begins an epoch with its first record, a seal. `fresh`: this node did not lead before. OK, AGAIN,
 * FULL, IO as submit. */
HF_MUST_USE enum hf_status hf_log_writer_begin_epoch(struct hf_log_writer *writer, uint64_t epoch,
                                                     bool fresh);

/* Sets queued writes going, collects what has completed, works on the segments ahead. Returns, in
 * the order of the log, up to `most` batches that are durable and all before them too: they are the
 * caller's again. Nothing once poisoned. Never waits. */
uint32_t hf_log_writer_poll(struct hf_log_writer *writer, struct hf_log_batch *done[],
                            uint32_t most);

/* Every record up to this index is durable. Never falls. Any thread. */
uint64_t hf_log_writer_commit_index(const struct hf_log_writer *writer);
/* False: segments are lacking (the disk is full, or the filling cannot keep up). Refuse new work
 * with BUSY; what has been accepted, up to all batches full, still fits. Any thread. */
bool hf_log_writer_has_room(const struct hf_log_writer *writer);
/* True from when a segment could not be made for want of space until one has been made. Any thread.
 */
bool hf_log_writer_lacks_space(const struct hf_log_writer *writer);
/* True after the first failed write or flush. Any thread. */
bool hf_log_writer_is_poisoned(const struct hf_log_writer *writer);
/* Why it is poisoned; an empty line when it is not. */
const struct hf_fault *hf_log_writer_fault(const struct hf_log_writer *writer);

/* How it stands. */
struct hf_log_writer_counts {
    uint64_t last_index;     /* submitted */
    uint64_t commit_index;   /* durable */
    uint32_t in_flight;      /* submitted and not yet returned by poll */
    uint32_t segments_ready; /* beyond the one in use */
    uint64_t segment;        /* in use */
    uint64_t offset;         /* in it, of the next record */
    uint64_t records;        /* since create, as are those below; seals included */
    uint64_t seals;
    uint64_t unsealed; /* records under no seal yet */
    uint64_t operations;
    uint64_t bytes_logical; /* records without padding */
    uint64_t bytes_device;  /* with padding, without prewritten zeros */
};
void hf_log_writer_count(const struct hf_log_writer *writer, struct hf_log_writer_counts *counts);

/* Fills a checkpoint's header, all but the digest, for the state after the newest record. Asserts
 * that nothing is in flight. */
void hf_log_writer_describe(const struct hf_log_writer *writer,
                            struct hf_checkpoint_header *header);

/* The end of the log's thread, as its last call: waits for what is in flight, which is not returned
 * any more, and unless poisoned seals the end of the log, which makes it known as committed.
 * Nothing can be submitted or polled afterwards. Without attach, and on a log of two nodes,
 * it seals nothing. Blocks for a flush. */
void hf_log_writer_detach(struct hf_log_writer *writer);

/* Releases the writer, its batches and files, and leaves no seal: an abrupt end, unless detached
 * before. Writes still in flight are waited for, not acknowledged. The disk stays the caller's. The
 * log's thread; any before attach or after detach. NULL is fine. */
void hf_log_writer_destroy(struct hf_log_writer *writer);

#endif
