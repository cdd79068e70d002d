/* The digest of a ledger is that of its image, of which nothing is kept but the sum. */
#include "digest.h"

#ifndef XXH_INLINE_ALL
#define XXH_INLINE_ALL
#endif
#include <xxhash.h>

#include "image.h"

#include <assert.h>

void hf_digest_add(struct hf_digest *digest, uint32_t kind, const void *record, size_t length)
{
    XXH128_hash_t hash = XXH3_128bits_withSeed(record, length, kind);

    assert(length > 0);
    uint64_t carry = __builtin_add_overflow(digest->sum.lo, hash.low64, &digest->sum.lo);
    digest->sum.hi += hash.high64 + carry;
}

struct hf_id hf_ledger_digest(const struct hf_ledger *ledger)
{
    struct hf_image_writer writer;
    uint64_t lines[512]; /* of no interest */

    assert(ledger != NULL);
    hf_image_write_begin(&writer, ledger);
    while (hf_image_write(&writer, lines, sizeof(lines)) != 0)
        continue;
    return writer.digest.sum;
}
