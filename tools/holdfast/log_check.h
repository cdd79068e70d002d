/* `holdfast log verify`, `stat` and `cat`: one reading of the whole directory, three ways to tell
 * of it. */
#ifndef HF_TOOLS_LOG_CHECK_H
#define HF_TOOLS_LOG_CHECK_H

#include "engine/status.h"

#include <stdbool.h>
#include <stdint.h>

/* What an auditor knows of the log from elsewhere; NULL: nothing. 32 bytes each. */
struct log_expectation {
    const uint8_t *key;   /* that signs it */
    const uint8_t *chain; /* a chain value of it, seen earlier */
};

/* Reads every byte: superblock, records with their chain and seals, checkpoints; and carries out
 * the operations again, from the log's beginning or the oldest checkpoint that serves, to compare
 * the digest of every later checkpoint. `replay` false: the bytes alone. Prints the verdict. What
 * hf_log_open returns (WRONG_CLUSTER: another key); CORRUPT for a checkpoint; DIVERGED for a
 * digest, and when no seal of the log has the chain value. */
HF_MUST_USE enum hf_status log_verify(const char *directory, const struct log_expectation *expected,
                                      bool replay, bool json, struct hf_fault *fault);

/* Prints figures of what is in it. */
HF_MUST_USE enum hf_status log_stat(const char *directory, bool json, struct hf_fault *fault);

/* Prints every record and operation, one a line. */
HF_MUST_USE enum hf_status log_cat(const char *directory, bool json, struct hf_fault *fault);

#endif
