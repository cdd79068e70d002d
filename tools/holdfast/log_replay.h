/* `holdfast log replay`: the balances as they were at a place of the log, or at a moment. */
#ifndef HF_TOOLS_LOG_REPLAY_H
#define HF_TOOLS_LOG_REPLAY_H

#include "engine/id.h"
#include "engine/status.h"

/* Where to stop: behind the operation at `place`, or behind the last one that is no later than
 * `time_ns`. What is not asked for is UINT64_MAX. */
struct log_moment {
    uint64_t place;
    uint64_t time_ns;
};

/* Reads a moment: a place (a number), a time in UTC (2026-11-22T19:27:39.5Z, the fraction may be
 * left out, and a blank may stand for the T) or a log time in nanoseconds (1700000000000000000ns).
 * False when it is none. */
bool log_moment_parse(const char *text, struct log_moment *moment);

/* Prints the balances of one account, or of all, by id, when `account` is zero. NOT_FOUND when the
 * log does not reach the place, begins after it, or there is no such account then. */
HF_MUST_USE enum hf_status log_replay(const char *directory, const struct log_moment *until,
                                      struct hf_id account, bool json, struct hf_fault *fault);

#endif
