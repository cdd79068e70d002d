#include "histogram.h"

#include <assert.h>
#include <math.h>

/* The bucket of a value: its leading bits (the first one and the STEP_BITS after it) say which, its
 * magnitude which row. */
static uint32_t bucket_of(uint64_t value)
{
    if (value < 2 * HF_HISTOGRAM_STEPS)
        return (uint32_t)value;
    uint32_t shift = 63u - (uint32_t)__builtin_clzll(value) - HF_HISTOGRAM_STEP_BITS;
    return shift * HF_HISTOGRAM_STEPS + (uint32_t)(value >> shift);
}

/* The largest value of a bucket. */
static uint64_t bucket_end(uint32_t bucket)
{
    if (bucket < 2 * HF_HISTOGRAM_STEPS)
        return bucket;
    uint32_t shift = bucket / HF_HISTOGRAM_STEPS - 1;
    uint64_t lead = bucket - shift * HF_HISTOGRAM_STEPS;
    return (lead << shift) + ((UINT64_C(1) << shift) - 1);
}

void hf_histogram_add(struct hf_histogram *histogram, uint64_t value)
{
    uint32_t bucket = bucket_of(value);
    assert(bucket < HF_HISTOGRAM_BUCKETS);
    histogram->buckets[bucket]++;
    histogram->count++;
    if (value > histogram->max)
        histogram->max = value;
}

uint64_t hf_histogram_quantile(const struct hf_histogram *histogram, double quantile)
{
    assert(quantile >= 0);
    assert(quantile <= 1);
    uint64_t rank = (uint64_t)ceil(quantile * (double)histogram->count);
    uint64_t seen = 0;
    for (uint32_t bucket = 0; bucket < HF_HISTOGRAM_BUCKETS; bucket++) {
        seen += histogram->buckets[bucket];
        if (seen > 0 && seen >= rank) {
            uint64_t end = bucket_end(bucket);
            return end < histogram->max ? end : histogram->max;
        }
    }
    return histogram->max;
}
