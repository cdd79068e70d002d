/* Latency samples: kept whole up to a fixed number, percentiles by sorting once at the end. */
#ifndef HF_BENCH_SAMPLE_H
#define HF_BENCH_SAMPLE_H

#include <stdint.h>

#define HF_BENCH_SAMPLES_MAX (UINT32_C(1) << 20)

struct hf_bench_samples {
    uint64_t count; /* taken; only the newest HF_BENCH_SAMPLES_MAX are kept */
    uint32_t ns[HF_BENCH_SAMPLES_MAX];
};

/* Makes an empty collection, all its pages touched. NULL without memory. */
struct hf_bench_samples *hf_bench_samples_create(void);
void hf_bench_samples_destroy(struct hf_bench_samples *samples);

/* Adds one; over 4.29 seconds counts as that. */
static inline void hf_bench_samples_add(struct hf_bench_samples *samples, uint64_t ns)
{
    samples->ns[samples->count % HF_BENCH_SAMPLES_MAX] =
        ns > UINT32_MAX ? UINT32_MAX : (uint32_t)ns;
    samples->count++;
}

/* Sorts what is kept and gives the value below which `parts` of `whole` lie (999 of 1000), in
 * nanoseconds; 0 when there are none. Sorting loses the order in time. */
uint64_t hf_bench_samples_percentile(struct hf_bench_samples *samples, uint32_t parts,
                                     uint32_t whole);
void hf_bench_samples_clear(struct hf_bench_samples *samples);

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t hf_bench_now_ns(void);

#endif
