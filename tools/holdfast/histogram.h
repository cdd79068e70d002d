/* A histogram of times in nanoseconds: log-linear, as HdrHistogram's (Tene).
 *
 * Values below 256 have a bucket each; above, every power of two is cut into 128 equal buckets. So
 * a quantile is never off by more than 1 part in 128, whatever the range, and adding is a few
 * instructions. Fixed size, nothing allocates. */
#ifndef HF_TOOLS_HISTOGRAM_H
#define HF_TOOLS_HISTOGRAM_H

#include <stdint.h>

#define HF_HISTOGRAM_STEP_BITS 7
#define HF_HISTOGRAM_STEPS     (1u << HF_HISTOGRAM_STEP_BITS)
#define HF_HISTOGRAM_BUCKETS   ((65u - HF_HISTOGRAM_STEP_BITS) * HF_HISTOGRAM_STEPS)

/* All zero is an empty one. */
struct hf_histogram {
    uint64_t count;
    uint64_t max; /* exact */
    uint64_t buckets[HF_HISTOGRAM_BUCKETS];
};

void hf_histogram_add(struct hf_histogram *histogram, uint64_t value);

/* The smallest value that at least `quantile` (0 to 1) of all values do not exceed, rounded up to
 * its bucket's end, but never above the largest value added. 0 when it is empty. */
uint64_t hf_histogram_quantile(const struct hf_histogram *histogram, double quantile);

#endif
