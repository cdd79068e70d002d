/* Conditions of a hold: what must be proved, or which time must have come, before it is captured.
 *
 * Pure functions of bytes. Signatures are Ed25519 over struct hf_attestation, which names hold and
 * condition: a signature for another hold, or for another condition of the same, proves nothing. */
#ifndef HF_ENGINE_CONDITION_H
#define HF_ENGINE_CONDITION_H

#include "operation.h"

/* Is this a condition that the time alone decides? Nobody proves those. */
bool hf_condition_is_time(const struct hf_op_condition *condition);

/* Does the time (Unix nanoseconds) meet this condition, which must be one of time (asserted)? */
bool hf_condition_is_met_at(const struct hf_op_condition *condition, uint64_t timestamp_ns);

/* Does this ATTEST, sent by this origin, prove the condition that it names, which is that of its
 * hold? OK, NOT_PERMITTED/ORIGIN or BAD_PROOF/CONDITION. A signature costs tens of microseconds. */
struct hf_verdict hf_condition_prove(const struct hf_op_condition *condition,
                                     const struct hf_op_attest *attest, uint32_t origin);

#endif
