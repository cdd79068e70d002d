/* A digest of a set of records: the sum, modulo 2^128, of each record's XXH3-128, seeded with its
 * kind. Sums do not depend on the order of the records, so neither table layout nor capacity shows.
 *
 * The records are those of the image (image.h): ids instead of slots, nothing left to chance. */
#ifndef HF_ENGINE_DIGEST_H
#define HF_ENGINE_DIGEST_H

#include "id.h"

struct hf_digest {
    struct hf_id sum;
};

/* Adds a record of `length` bytes. `kind` keeps equal bytes of two kinds apart. */
void hf_digest_add(struct hf_digest *digest, uint32_t kind, const void *record, size_t length);

#endif
