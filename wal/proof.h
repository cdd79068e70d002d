/* A proof: that one operation stands in a signed log. Checked against the signer's public key
 * alone, with nothing else at hand: the record it is in, the record's Merkle path, and the seal
 * over it.
 *
 *      0  magic           8  "HF-PROOF"
 *      8  format          4  2
 *     12  path_count      4
 *     16  place           8  of the operation
 *     24  id             16  of the operation
 *     40  record_length   4  bytes
 *     44  note_length     4  bytes, a multiple of 8
 *     48  reserved       16  zero
 *     64  seal          344  the record (chain.h), without padding; its hash and prev_hash, which
 *                            nobody signs, are zeros
 *    408  path               path_count hashes of 32 bytes, from the leaf up
 *         record             the whole record the operation is in, without padding
 *         note               text for people, padded with NULs: what the engine answered. It is not
 *                            signed: replay the log to check it
 *
 * Pure: no I/O, no allocation; needs only chain.c and slice.c. */
#ifndef HF_WAL_PROOF_H
#define HF_WAL_PROOF_H

#include "chain.h"

#define HF_PROOF_MAGIC  "HF-PROOF"
#define HF_PROOF_FORMAT 2

struct hf_proof_header {
    char magic[8];
    uint32_t format;
    uint32_t path_count;
    uint64_t place;
    struct hf_id id;
    uint32_t record_length;
    uint32_t note_length;
    uint8_t reserved[16];
};
_Static_assert(sizeof(struct hf_proof_header) == 64, "proof header");
_Static_assert(offsetof(struct hf_proof_header, record_length) == 40, "proof record length");
_Static_assert((sizeof(struct hf_proof_header) + HF_CHAIN_SEAL_LENGTH) % 8 == 0, "aligned");

/* What a proof is made of, or was found to hold; pointers into the caller's bytes. */
struct hf_proof {
    uint64_t place;
    const union hf_operation *operation;
    const struct hf_record_header *record;
    const struct hf_record_header *seal;
    const struct hf_chain_hash *path;
    uint32_t path_count;
    const char *note; /* padding included when it was read; no NUL need follow */
    uint32_t note_length;
};

/* Bytes of a proof as a file. */
size_t hf_proof_size(const struct hf_proof *proof);
/* Writes it to `bytes`, 8-byte aligned, hf_proof_size long. */
void hf_proof_write(const struct hf_proof *proof, void *bytes);

/* Why the bytes (8-byte aligned) prove nothing; NULL when they do: that the signer with this key
 * has sealed a log with this operation at this place. A NULL key: the signer with the key that the
 * seal names, who may be anybody. Any bytes whatever may be given. */
const char *hf_proof_check(const void *bytes, size_t length,
                           const uint8_t public_key[HF_CHAIN_PUBLIC_SIZE], struct hf_proof *proof);

#endif
