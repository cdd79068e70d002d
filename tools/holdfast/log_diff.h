/* `holdfast log diff`: where the logs of two directories part. */
#ifndef HF_TOOLS_LOG_DIFF_H
#define HF_TOOLS_LOG_DIFF_H

#include "engine/status.h"

#include <stdbool.h>

/* Compares the two logs record by record, by hash, from the first record that both still have, and
 * prints the first that differs, or which of them is the beginning of the other. *same: they are
 * the same to their ends. WRONG_CLUSTER when they are of two clusters, NOT_FOUND when they have no
 * record in common to begin with; else as hf_log_open, the line naming the directory. */
HF_MUST_USE enum hf_status log_diff(const char *const directories[2], bool json, bool *same,
                                    struct hf_fault *fault);

#endif
