/* The hashes of a record's slices: BLAKE2b-256, personalised, of every 4,096 bytes of it, the last
 * slice being what is left. What the signed chain (chain.h) hashes a record by.
 *
 * One BLAKE2b waits for itself: a processor does one after the other what it could do eight of at
 * once. Slices know nothing of each other, so several are hashed side by side in the lanes of its
 * vector registers, as many as it has; which way was taken does not show in the hashes.
 *
 * Pure: no I/O, no allocation. Any thread. */
#ifndef HF_WAL_SLICE_H
#define HF_WAL_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HF_SLICE_SIZE      4096
#define HF_SLICE_HASH_SIZE 32
#define HF_SLICE_PERSONAL  "holdfast slice 1" /* sixteen bytes, no NUL */

/* How they are hashed. */
enum hf_slice_way {
    HF_SLICE_PLAIN = 1, /* one after the other, by libsodium */
    HF_SLICE_LANES_4 = 2,
    HF_SLICE_LANES_8 = 3,
};

static inline size_t hf_slice_count(size_t length)
{
    return (length + HF_SLICE_SIZE - 1) / HF_SLICE_SIZE;
}

/* Chooses the fastest way that this processor has. Once, before many are hashed; without it the
 * plain one is taken. */
void hf_slice_prepare(void);

/* Whether this processor has that way; the plain one always. */
bool hf_slice_has(enum hf_slice_way way);

/* Writes the hash of each slice of `length` bytes (at least 1, asserted), hf_slice_count of them.
 */
void hf_slice_hash(const void *bytes, size_t length, uint8_t hashes[][HF_SLICE_HASH_SIZE]);

/* The same by one way, which the processor has (asserted). */
void hf_slice_hash_by(enum hf_slice_way way, const void *bytes, size_t length,
                      uint8_t hashes[][HF_SLICE_HASH_SIZE]);

#endif
