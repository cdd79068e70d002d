/* Random numbers for benchmarks: seeded, the same in every run, cheap. */
#ifndef HF_BENCH_RANDOM_H
#define HF_BENCH_RANDOM_H

#include <assert.h>
#include <stdint.h>

/* A bijection on 64 bits that mixes well (the finalizer of splitmix64): a counter goes in, and what
 * comes out never repeats. */
static inline uint64_t hf_bench_mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15ull;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    return x ^ (x >> 31);
}

struct hf_bench_random {
    uint64_t counter;
};

static inline uint64_t hf_bench_random_next(struct hf_bench_random *random)
{
    return hf_bench_mix(random->counter++);
}

/* Uniform in [0, bound), bound 1 to 2^32: by the upper half of a product. */
static inline uint64_t hf_bench_random_below(struct hf_bench_random *random, uint64_t bound)
{
    assert(bound > 0);
    assert(bound <= (UINT64_C(1) << 32));
    return ((hf_bench_random_next(random) >> 32) * bound) >> 32;
}

#endif
