/* Opening a log: take the directory, find the newest whole checkpoint, replay what follows it, cut
 * a torn tail. The rule by which a torn tail is told from corruption is in FORMAT.md.
 *
 * Everything here blocks, allocates and runs once, before the writer starts; any one thread. */
#ifndef HF_WAL_RECOVER_H
#define HF_WAL_RECOVER_H

#include "checkpoint.h"
#include "record.h"
#include "superblock.h"

/* The node's key lies in the data directory unless it is put elsewhere. */
#define HF_RECOVER_KEY_NAME           "node-key"
#define HF_RECOVER_KEY_NAME_TEMPORARY "node-key.tmp"

struct hf_log_options {
    struct hf_id cluster; /* must be the directory's; zero: whatever it is (offline tools) */
    uint32_t node;        /* likewise, when a cluster is named */
    /* The node's: must be the directory's, and becomes a new one's. Zeros: whatever it is. */
    uint8_t public_key[HF_CHAIN_PUBLIC_SIZE];
    bool create;     /* an empty directory becomes a new log */
    bool from_start; /* ignore checkpoints: replay every record there is */
    /* Read beside the process that writes the log: without its lock, on a read-only disk, up to
     * where it is now. What lies beyond is being written, and is not judged. */
    bool beside;
    /* With `beside`, when not 0: up to this record, which the node calls committed, and no further;
     * CORRUPT when it is not reached. */
    uint64_t until_index;
    uint64_t segment_size; /* of a new log, bytes; an existing one keeps its own */
    /* Of a new log, 0: 1. Who is one of a pair and is made anew must not seem to live an older life
     * than the one before, to a peer that has heard of that: seconds of the wall clock will do. */
    uint64_t first_incarnation;
    /* Called when an empty directory is about to become a log: what must be durable before its
     * superblock is (the key) is made so here. May be NULL; a status other than OK ends the opening
     * with it. */
    enum hf_status (*before_create)(void *context, struct hf_fault *fault);
    void *create_context;
    /* What the state machine runs under from now on, opaque here: noted in the superblock, with the
     * record after which it holds. A replay of older records under other settings is the caller's
     * to refuse: `record` sees both in state->superblock. */
    uint8_t settings[HF_SUPERBLOCK_SETTINGS_SIZE];
};

/* What the log is replayed into. A status other than OK ends the opening with it; the callback may
 * have written its own line through the fault it was given. The image callbacks may be NULL when
 * `from_start` is set. */
struct hf_log_replay {
    void *context;
    /* A checkpoint's image is about to come; the state machine is to be empty. What comes is
     * checked piece by piece on its way: when one does not verify, this is called again, with the
     * header of an older checkpoint, or with NULL when there is none: then the records come from
     * the first on. Without this callback nobody can begin again, so each is read and verified
     * first, and read a second time to be loaded. */
    enum hf_status (*image_begin)(void *context, const struct hf_checkpoint_header *header,
                                  struct hf_fault *fault);
    /* The image, in order, in pieces. */
    enum hf_status (*image)(void *context, const void *bytes, size_t length,
                            struct hf_fault *fault);
    /* The image is complete: compare place and digest (DIVERGED). */
    enum hf_status (*image_end)(void *context, const struct hf_checkpoint_header *header,
                                struct hf_fault *fault);
    /* One record, in order, good and chained to the one before: apply its operations
     * (hf_record_next) and compare places (DIVERGED). Marks and seals come too; they have none.
     * Whether a seal holds has been checked before. The record
     * is only lent. */
    enum hf_status (*record)(void *context, const struct hf_record_header *record,
                             struct hf_fault *fault);
};

/* Where a log ends, and how that was found. What the writer goes on from. */
struct hf_log_state {
    struct hf_superblock superblock; /* as it is on disk now; on a read-only disk with the epochs
                                        that only the records know */
    bool created;
    uint64_t last_index;        /* of the newest record, 0 when there is none */
    struct hf_hash last_hash;   /* its hash, zero when there is none */
    uint64_t next_place;        /* of the next operation, from 1 */
    uint64_t last_timestamp_ns; /* 0 when there is none */
    uint64_t last_epoch;        /* of that record, likewise */
    uint64_t last_commit;       /* what that record calls committed */
    uint64_t segment;           /* the next record goes here ... */
    uint64_t offset;            /* ... at this byte, a multiple of the block size */
    uint64_t segment_first;     /* of all there are; 0 when there are none yet */
    uint64_t segment_last;      /* those after `segment` are all zeros */
    struct hf_chain_span span;  /* the records since the newest seal */
    uint64_t seals;             /* that were read, and hold */

    uint64_t checkpoint_index;        /* the image that was loaded, 0 when none was */
    uint64_t checkpoint_timestamp_ns; /* of its record */
    uint32_t checkpoints_broken;      /* newer ones that did not verify */
    uint64_t known_commit; /* highest index that some record or checkpoint calls committed */
    uint64_t records_replayed;
    uint64_t operations_replayed;
    uint64_t bytes_replayed; /* padding included */
    uint64_t cut_records;    /* whole but unacknowledged records in the tail that was cut */
    uint64_t cut_bytes;      /* that were not zero in it; 0: the log ended clean */
    uint64_t cut_segment;    /* where the cut begins, when there was one */
    uint64_t cut_offset;
};

/* Opens the log of a data directory and leaves the directory locked until the disk is destroyed.
 * On a read-only disk nothing is written: a torn tail is reported in the state, and stays. With
 * `until_index` (on a read-only disk, asserted) CORRUPT as well when that record is not reached.
 *
 * Not OK, with one line in `fault` and nothing written: NOT_FOUND (an empty directory, and not to
 * be created), WRONG_FORMAT (not empty and not ours, or another format), WRONG_CLUSTER, LOCKED,
 * READ_ONLY, INVALID (options), CORRUPT (file and offset named), DIVERGED and whatever else a
 * callback returned; or IO, FULL, NO_MEMORY. */
HF_MUST_USE enum hf_status hf_log_open(struct hf_disk *disk, const struct hf_log_options *options,
                                       const struct hf_log_replay *replay,
                                       struct hf_log_state *state, struct hf_fault *fault);

/* Fills a checkpoint's header, all but the digest, for the state after the newest record that was
 * replayed; asserts that there is one. */
void hf_log_state_describe(const struct hf_log_state *state, struct hf_checkpoint_header *header);

#endif
