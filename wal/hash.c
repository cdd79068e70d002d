#include "hash.h"

#include <assert.h>
#include <string.h>
#include <xxhash.h>

struct hf_hash hf_hash_of(const void *bytes, size_t length)
{
    assert(bytes != NULL);
    XXH128_hash_t hash = XXH3_128bits(bytes, length);
    return (struct hf_hash){.lo = hash.low64, .hi = hash.high64};
}

bool hf_bytes_are_zero(const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    if (length == 0) {
        return true;
    }
    /* Comparing the run with itself, one byte on: memcmp goes at memory speed. */
    return at[0] == 0 && memcmp(at, at + 1, length - 1) == 0;
}
