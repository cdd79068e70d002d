/* Log and ledger brought together: recovery at start, checkpoints afterwards. */
#ifndef HOLDFASTD_STORAGE_H
#define HOLDFASTD_STORAGE_H

#include "config.h"
#include "engine/ledger.h"
#include "wal/writer.h"

struct storage {
    const struct config *config;
    struct hf_ledger *ledger;
    struct hf_disk *disk; /* the log's */
    struct hf_disk
        *checkpoint_disk; /* the same directory, for the thread that writes checkpoints */
    struct hf_log_writer *writer;
    struct hf_log_state state;
    uint64_t checkpoint_place; /* of the newest checkpoint, 0: none */
    uint64_t recovery_ns;      /* what loading and replay took */
};

/* Opens the data directory (made when missing), loads the newest checkpoint into the empty
 * `ledger`, replays the log after it, and makes the writer that goes on from there. Blocks; prints
 * its progress to stderr. The status and line of whatever stands in the way; storage_close undoes
 * what was done. */
HF_MUST_USE enum hf_status storage_open(struct storage *storage, const struct config *config,
                                        struct hf_id cluster, struct hf_ledger *ledger,
                                        struct hf_fault *fault);

/* Writes a checkpoint of the ledger as of the newest log record. The log must be quiet: nothing in
 * flight, nothing being added. Blocks. EXISTS when there is one already. Any one thread. */
HF_MUST_USE enum hf_status storage_write_checkpoint(struct storage *storage,
                                                    struct hf_fault *fault);

void storage_close(struct storage *storage);

#endif
