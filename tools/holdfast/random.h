/* Reproducible random numbers for load: a seed gives the same load on every machine.
 *
 * Generator: SplitMix64 (Steele, Lea and Flood). Zipf: rejection-inversion (W. Hörmann and
 * G. Derflinger, "Rejection-inversion to generate variates from monotone discrete distributions",
 * ACM TOMACS 6, 1996): exact for any exponent above 0, no table. */
#ifndef HF_TOOLS_RANDOM_H
#define HF_TOOLS_RANDOM_H

#include <stdint.h>

struct hf_random {
    uint64_t state; /* any seed */
};

static inline uint64_t hf_random_next(struct hf_random *random)
{
    uint64_t z = (random->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 0 to `bound` - 1; `bound` at least 1. Lemire's multiplication; its bias is below bound / 2^64. */
static inline uint64_t hf_random_below(struct hf_random *random, uint64_t bound)
{
    __extension__ typedef unsigned __int128 wide;
    return (uint64_t)(((wide)hf_random_next(random) * bound) >> 64);
}

/* At least 0 and below 1. */
static inline double hf_random_unit(struct hf_random *random)
{
    return (double)(hf_random_next(random) >> 11) * 0x1.0p-53;
}

struct hf_zipf {
    uint64_t count;
    double exponent;
    double integral_first, integral_last, shortcut;
};

/* Ranks 1 to `count` with weights rank^-`exponent`. `count` at least 1, `exponent` above 0. */
void hf_zipf_init(struct hf_zipf *zipf, uint64_t count, double exponent);
uint64_t hf_zipf_next(const struct hf_zipf *zipf, struct hf_random *random);

#endif
