/* A ledger brought to where the log is: its memory, the newest checkpoint that verifies, and the
 * records after it. A starting node and the process that makes checkpoints beside it share this, so
 * that both come to the same state or to the same refusal. */
#ifndef HOLDFASTD_LOAD_H
#define HOLDFASTD_LOAD_H

#include "config.h"
#include "engine/ledger.h"
#include "memory.h"
#include "wal/recover.h"

struct load {
    struct hf_ledger *ledger;
    void *memory;
    size_t memory_bytes;
    bool is_touched;
    struct memory_place place; /* where the memory lies: to be set before load_make_ledger */

    uint64_t checkpoint_place; /* of the checkpoint loaded, 0: none */
    uint64_t image_bytes;      /* of it */
    uint64_t image_ns;         /* what reading and loading it took, failed attempts included */
    uint64_t replay_ns;        /* what the records after it took, and looking at the log's end */
};

/* Makes an empty ledger with the limits of `config`. With `touch` its memory is touched before this
 * returns. load_release undoes it, in any state of a zeroed `load`. */
HF_MUST_USE enum hf_status load_make_ledger(struct load *load, const struct config *config,
                                            bool touch, struct hf_fault *fault);
void load_release(struct load *load);

/* Loads and replays, as hf_log_open does with these options; node, segment size and settings are
 * put in here. A start has a helper read ahead, and prints its progress to stderr, at most a line a
 * second; the copy does neither. Blocks. */
HF_MUST_USE enum hf_status load_log(struct load *load, const struct config *config,
                                    struct hf_disk *disk, const struct hf_log_options *wanted,
                                    bool is_start, struct hf_log_state *state,
                                    struct hf_fault *fault);

#endif
