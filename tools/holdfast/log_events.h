/* `holdfast log events`: what the operations of a log did, told anew.
 *
 * Events are not stored: the log is replayed through the engine, under the limits it was made
 * under, and the engine tells them as it told them the first time. */
#ifndef HF_TOOLS_LOG_EVENTS_H
#define HF_TOOLS_LOG_EVENTS_H

#include "engine/status.h"

#include <stdbool.h>
#include <stdint.h>

/* Prints the events of every operation from place `from` on, one a line, in the order of the log.
 * Begins at the newest checkpoint that lies before that place, where there is one, else at the
 * log's beginning. CORRUPT when the log holds records from before a change of the ledger's limits
 * and no checkpoint spares them; DIVERGED when the engine does not agree with the log; and all that
 * hf_log_open returns. */
HF_MUST_USE enum hf_status log_events(const char *directory, uint64_t from, bool json,
                                      struct hf_fault *fault);

#endif
