/* Log and ledger of a running node: opened at start, a last checkpoint at a clean stop. */
#ifndef HOLDFASTD_STORAGE_H
#define HOLDFASTD_STORAGE_H

#include "load.h"
#include "replication/pair.h"
#include "wal/writer.h"

struct storage {
    const struct config *config;
    struct load *load;    /* the node's ledger */
    struct hf_disk *disk; /* the log's */
    struct hf_disk
        *checkpoint_disk;      /* the same directory, for the main thread and the last checkpoint */
    struct hf_disk *read_disk; /* the same, to read old records for the peer; NULL: no pair */
    struct hf_log_writer *writer;
    struct hf_pair *pair; /* NULL: no pair */
    void *recent_memory;  /* of the pair's newest records */
    struct hf_log_state state;
    uint8_t secret_key[HF_CHAIN_SECRET_SIZE]; /* until the writer has it */
    bool key_is_new;
    uint64_t recovery_ns; /* what loading and replay took, all in */
};

/* Opens the data directory (made when missing), loads the newest checkpoint into the empty ledger
 * of `load`, replays the log after it, and makes the writer that goes on from there. Blocks; prints
 * its progress to stderr. The status and line of whatever stands in the way; storage_close undoes
 * what was done. With `pair` (else NULL) a node of a pair is made of what was found. */
HF_MUST_USE enum hf_status storage_open(struct storage *storage, const struct config *config,
                                        struct hf_id cluster, struct load *load,
                                        const struct hf_pair_options *pair, struct hf_fault *fault);

/* The log leaves room for a checkpoint of so many bytes on its file system, and some more: from now
 * on it is full when there would not be that much. Any thread. */
void storage_leave_room(struct storage *storage, uint64_t image_bytes);

/* Writes a checkpoint of the ledger, which is as of the log record that `described` tells of
 * (hf_log_writer_describe, by the log's own thread). Blocks. EXISTS when there is one already, with
 * this very digest; DIVERGED when with another. The thread that may read the ledger. */
HF_MUST_USE enum hf_status storage_write_checkpoint(struct storage *storage,
                                                    const struct hf_checkpoint_header *described,
                                                    struct hf_fault *fault);

/* An image as the source of a checkpoint; the context is a struct hf_image_writer. */
enum hf_status storage_fill_from_image(void *context, void *buffer, size_t size, size_t *length);

void storage_close(struct storage *storage);

#endif
