/* No arbiter but the operator. Each node keeps CFG as it knows it in a file of its own,
 * `pair-config` in the data directory; what a running primary may change by itself is only that its
 * standby is counted in. Everything else (to take over, to go on alone, to begin after a restart)
 * waits for `holdfast admin promote`, which permits one such change on this node. A standby learns
 * CFG from what its primary says. */
#ifndef HOLDFASTD_ARBITER_OPERATOR_H
#define HOLDFASTD_ARBITER_OPERATOR_H

#include "arbiter.h"

extern const struct arbiter_way arbiter_operator;

/* Reads the file. CORRUPT when it is none of ours. */
HF_MUST_USE enum hf_status arbiter_operator_open(const struct config *config, struct hf_id cluster,
                                                 void **state, struct hf_fault *fault);

/* The operator has said: lead. Any thread. */
void arbiter_operator_permit(void *state);

/* What the primary says CFG is. Kept when it is newer. Blocks for a flush. */
void arbiter_operator_learn(void *state, const struct hf_config *config);

#endif
