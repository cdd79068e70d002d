#include "slice.h"

#include <assert.h>
#include <sodium.h>
#include <stdatomic.h>
#include <string.h>

#define BLOCK_SIZE 128

_Static_assert(HF_SLICE_HASH_SIZE == crypto_generichash_BYTES, "BLAKE2b-256");
_Static_assert(sizeof(HF_SLICE_PERSONAL) - 1 == crypto_generichash_blake2b_PERSONALBYTES,
               "personalisation");
_Static_assert(HF_SLICE_SIZE % BLOCK_SIZE == 0, "slices are whole blocks");

#if defined(__x86_64__)

/* RFC 7693, 2.6 and 2.7; round 10 is as round 0, 11 as 1. */
static const uint64_t initial[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};
static const uint8_t sigma[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

/* The parameter block as words: 32 bytes of output, no key, fanout and depth 1; the last two are
 * HF_SLICE_PERSONAL. */
static const uint64_t parameters[8] = {
    [0] = 0x01010000 | HF_SLICE_HASH_SIZE,
    [6] = 0x74736166646c6f68,
    [7] = 0x31206563696c7320,
};

static inline uint64_t word_at(const uint8_t *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof word);
    return word;
}

#define LANES         8
#define LANES_TARGET  __attribute__((target("avx512f")))
#define LANES_NAME(x) lanes_8_##x
#define LANES_OF(f)   f(0), f(1), f(2), f(3), f(4), f(5), f(6), f(7)
#include "slice_lanes.h"

#define LANES         4
#define LANES_TARGET  __attribute__((target("avx2")))
#define LANES_NAME(x) lanes_4_##x
#define LANES_OF(f)   f(0), f(1), f(2), f(3)
#include "slice_lanes.h"

#endif

static void hash_plainly(const uint8_t *bytes, size_t length, uint8_t hashes[][HF_SLICE_HASH_SIZE])
{
    for (size_t at = 0; at < length; at += HF_SLICE_SIZE) {
        size_t left = length - at;
        int failed = crypto_generichash_blake2b_salt_personal(
            hashes[at / HF_SLICE_SIZE], HF_SLICE_HASH_SIZE, bytes + at,
            left < HF_SLICE_SIZE ? left : HF_SLICE_SIZE, NULL, 0, NULL,
            (const uint8_t *)HF_SLICE_PERSONAL);
        assert(failed == 0);
    }
}

bool hf_slice_has(enum hf_slice_way way)
{
#if defined(__x86_64__)
    if (way == HF_SLICE_LANES_8) {
        return __builtin_cpu_supports("avx512f") != 0;
    }
    if (way == HF_SLICE_LANES_4) {
        return __builtin_cpu_supports("avx2") != 0;
    }
#endif
    return way == HF_SLICE_PLAIN;
}

void hf_slice_hash_by(enum hf_slice_way way, const void *bytes, size_t length,
                      uint8_t hashes[][HF_SLICE_HASH_SIZE])
{
    assert(length != 0);
#if defined(__x86_64__)
    if (way == HF_SLICE_LANES_8) {
        lanes_8_hash_all(bytes, length, hashes);
        return;
    }
    if (way == HF_SLICE_LANES_4) {
        lanes_4_hash_all(bytes, length, hashes);
        return;
    }
#endif
    assert(way == HF_SLICE_PLAIN);
    hash_plainly(bytes, length, hashes);
}

/* Relaxed: every way comes to the same. */
static _Atomic int chosen = HF_SLICE_PLAIN;

void hf_slice_prepare(void)
{
    for (int way = HF_SLICE_LANES_8; way >= HF_SLICE_PLAIN; way--) {
        if (hf_slice_has((enum hf_slice_way)way)) {
            atomic_store_explicit(&chosen, way, memory_order_relaxed);
            return;
        }
    }
}

void hf_slice_hash(const void *bytes, size_t length, uint8_t hashes[][HF_SLICE_HASH_SIZE])
{
    int way = atomic_load_explicit(&chosen, memory_order_relaxed);

    /* Lanes cost as much for one slice as for all they have. */
    if (length <= HF_SLICE_SIZE) {
        way = HF_SLICE_PLAIN;
    }
    hf_slice_hash_by((enum hf_slice_way)way, bytes, length, hashes);
}
