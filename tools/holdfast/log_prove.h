/* `holdfast log prove` and `verify-proof`: that one operation stands in a signed log, in a file
 * that is checked with the signer's public key alone (wal/proof.h). */
#ifndef HF_TOOLS_LOG_PROVE_H
#define HF_TOOLS_LOG_PROVE_H

#include "engine/id.h"
#include "engine/status.h"

#include <stdbool.h>

/* Writes the proof of an operation to the file `path`, which must not exist. What the engine
 * answered, by replay, goes with it as a note that nobody signs. NOT_FOUND when the operation is
 * not in the log; AGAIN when no seal stands over it yet; EXISTS when the file cannot be made. */
HF_MUST_USE enum hf_status log_prove(const char *directory, struct hf_id id, const char *path,
                                     bool json, struct hf_fault *fault);

/* Checks a proof and prints what it proves. `key`: the public key, 32 bytes, or NULL:
 * whatever key the proof names. CORRUPT when it proves nothing. */
HF_MUST_USE enum hf_status log_verify_proof(const char *path, const uint8_t *key, bool json,
                                            struct hf_fault *fault);

#endif
