/* The node's key: the 64 bytes of an Ed25519 secret key (seed, then public key), alone in a file
 * that nobody but its owner may read. It signs the seals of the log (wal/chain.h). */
#ifndef HOLDFASTD_KEY_H
#define HOLDFASTD_KEY_H

#include "config.h"
#include "wal/chain.h"

/* Reads the key that `config` names; a name without a slash lies in the data directory. When there
 * is no such file and no superblock either, this is a first start: a new key is made, in memory,
 * and *is_new is set. The caller holds the directory's lock. Blocks.
 *
 * NOT_FOUND: no key, and a log that was signed by one; CORRUPT: not a whole key, or one that others
 * may read; IO. The line names the file. */
HF_MUST_USE enum hf_status key_open(const struct config *config,
                                    uint8_t secret_key[HF_CHAIN_SECRET_SIZE], bool *is_new,
                                    struct hf_fault *fault);

/* Writes a new key, durably or not at all, with mode 0600. Blocks. IO. */
HF_MUST_USE enum hf_status key_write(const struct config *config,
                                     const uint8_t secret_key[HF_CHAIN_SECRET_SIZE],
                                     struct hf_fault *fault);

#endif
