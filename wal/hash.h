/* The one checksum of everything the log writes: XXH3-128, little-endian, low half first.
 *
 * It finds accidents (torn writes, rot, misdirected blocks), not forgers. Pure. */
#ifndef HF_WAL_HASH_H
#define HF_WAL_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hf_hash {
    uint64_t lo;
    uint64_t hi;
};
_Static_assert(sizeof(struct hf_hash) == 16, "a hash is 16 bytes");

struct hf_hash hf_hash_of(const void *bytes, size_t length);

static inline bool hf_hash_equal(struct hf_hash a, struct hf_hash b)
{
    return ((a.lo ^ b.lo) | (a.hi ^ b.hi)) == 0;
}

/* True when all `length` bytes are zero: what unused room looks like. Any alignment. */
bool hf_bytes_are_zero(const void *bytes, size_t length);

#endif
