/* `holdfast log arbiter`: the arbiter's value made anew, when it has been lost. */
#ifndef HF_TOOLS_LOG_ARBITER_H
#define HF_TOOLS_LOG_ARBITER_H

#include "engine/status.h"

#include <stdbool.h>
#include <stdint.h>

/* Reads the logs of a pair's stopped nodes, or of the one that is left, to their ends, and writes
 * to the new file `path` the CFG (replication/config.h) by which the node with the furthest log
 * leads alone: the newest epoch counts, then the length. Prints what it says and where it belongs.
 * Changes nothing in the directories. AGAIN: a node runs on one. INVALID: it is no pair's, or both
 * are of one node. WRONG_CLUSTER. DIVERGED: both led the same epoch. EXISTS: the file cannot be
 * made. Else as hf_log_open, the line naming the directory. */
HF_MUST_USE enum hf_status log_arbiter(const char *const directories[], uint32_t count,
                                       const char *path, bool json, struct hf_fault *fault);

#endif
