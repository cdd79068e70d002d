/* What a log's writer consists of: shared by writer.c and writer_copy.c, and seen by nobody else.
 */
#ifndef HF_WAL_WRITER_INSIDE_H
#define HF_WAL_WRITER_INSIDE_H

#include "segment_maker.h"
#include "writer.h"

#include <stdatomic.h>

#define HF_LOG_SLOTS HF_LOG_BATCHES_MAX

struct hf_log_slot {
    struct hf_log_batch *batch; /* NULL: a seal's */
    bool durable;
    bool in_previous; /* its record lies in the previous segment */
};

struct hf_log_segment_file {
    uint64_t number; /* 0: none */
    int file;        /* -1: not open */
};

struct hf_log_writer {
    struct hf_disk *disk;
    struct hf_log_writer_options options;
    struct hf_id cluster;
    uint32_t node;
    uint64_t epoch;
    uint32_t block_size;
    uint64_t segment_size;

    /* The log proper. */
    uint64_t last_index;
    struct hf_hash last_hash;
    uint64_t next_place;
    uint64_t last_timestamp_ns;
    uint64_t last_commit; /* as the newest record's header says */
    uint64_t returned_index;
    struct hf_log_slot slots[HF_LOG_SLOTS];
    uint32_t previous_count; /* records in flight in the previous segment */
    struct hf_log_segment_file previous;
    struct hf_log_segment_file current;
    struct hf_log_segment_file next;
    uint64_t offset;       /* in the current segment */
    uint64_t segment_last; /* newest with its name; those after `current` are ready */

    /* One log on two nodes. */
    uint64_t committed;  /* of the pair */
    bool leaves_segment; /* the next record opens a new one */

    /* The signed chain. */
    struct hf_chain_span span;
    uint64_t hashed_index; /* records up to this one are in the span or before it */
    uint8_t secret_key[HF_CHAIN_SECRET_SIZE];
    uint8_t *seals; /* a block for each that may be in flight, by index modulo batch_count */

    struct hf_segment_maker maker;

    /* For any thread to look at. Written by the log's thread alone. */
    _Atomic uint64_t commit_index;
    _Atomic bool room;
    _Atomic bool lacks_space;
    _Atomic bool poisoned;

    bool attached;
    uint32_t outstanding; /* queued with the disk and not completed, pieces included */
    uint64_t records;
    uint64_t seal_count;
    uint64_t operations;
    uint64_t bytes_logical;
    uint64_t bytes_device;
    struct hf_fault fault;
    uint8_t *memory; /* of all batches */
    struct hf_log_batch batches[HF_LOG_BATCHES_MAX];
};

static inline bool hf_log_is_poisoned(const struct hf_log_writer *writer)
{
    return atomic_load_explicit(&writer->poisoned, memory_order_relaxed);
}

static inline uint64_t hf_log_commit_of(const struct hf_log_writer *writer)
{
    return atomic_load_explicit(&writer->commit_index, memory_order_relaxed);
}

/* Records under no seal yet. */
static inline uint64_t hf_log_span_count(const struct hf_log_writer *writer)
{
    return writer->last_index + 1 - writer->span.first_index;
}

/* What only waits for a flush does not keep the device from the next write. */
static inline bool hf_log_may_append(const struct hf_log_writer *writer)
{
    return writer->disk->unwritten < writer->options.depth &&
           writer->last_index - writer->returned_index < writer->options.batch_count;
}

/* A copy is limited by the batches for it alone: it shares flushes with many others. */
static inline bool hf_log_may_copy(const struct hf_log_writer *writer)
{
    return writer->last_index - hf_log_commit_of(writer) < writer->options.pair_batches;
}

/* ---- writer.c ---- */

/* Queues a record whose bytes are whole but for its padding and, unless it is a copy, its hash.
 * AGAIN, and nothing done, when the disk's queue is full. */
enum hf_status hf_log_append(struct hf_log_writer *writer, struct hf_record_header *record,
                             struct hf_log_batch *batch, bool is_copy);

/* Moves on to the next segment. FULL: there is none yet; AGAIN: the one before still has records on
 * their way. */
enum hf_status hf_log_move_on(struct hf_log_writer *writer);

/* Takes what was appended into the span. */
void hf_log_hash_appended(struct hf_log_writer *writer);

/* Seals the span, and begins another. AGAIN: too much is on its way. */
enum hf_status hf_log_append_seal(struct hf_log_writer *writer);

#endif
