/* What the steps of opening a log (recover.c) hand on to each other. Inside wal only. */
#ifndef HF_WAL_OPENING_H
#define HF_WAL_OPENING_H

#include "reader.h"
#include "recover.h"

/* Records that may be whole and yet unproven at an end: those in flight when it came, and a few. */
#define HF_OPENING_NEWEST_MAX 128

struct hf_record_place {
    uint64_t segment;
    uint64_t offset;
};

/* What the steps hand on to each other. */
struct hf_opening {
    struct hf_disk *disk;
    const struct hf_log_options *options;
    const struct hf_log_replay *replay;
    struct hf_log_state *state;
    struct hf_fault *fault;

    struct hf_segment_range range;
    struct hf_checkpoint_header checkpoint; /* the one loaded */
    struct hf_log_reader reader;
    struct hf_log_chain chain;
    uint64_t replay_segment; /* the first that was read */
    /* Where the newest records lie, record i at i modulo their count. */
    struct hf_record_place newest[HF_OPENING_NEWEST_MAX];
};

static inline enum hf_status hf_opening_disk_fault(struct hf_opening *opening,
                                                   enum hf_status status)
{
    if (status != HF_STATUS_OK) {
        *opening->fault = opening->disk->fault;
    }
    return status;
}

static inline enum hf_status hf_opening_reader_fault(struct hf_opening *opening,
                                                     enum hf_status status)
{
    if (status != HF_STATUS_OK) {
        *opening->fault = opening->reader.fault;
    }
    return status;
}

/* Step 6, on a disk that may be written: makes durable what was replayed, cuts the tail, clears
 * away temporary files and writes the next incarnation. Nothing is written before it is known that
 * all of it may be. Blocks. */
HF_MUST_USE enum hf_status hf_opening_make_writable(struct hf_opening *opening);

#endif
