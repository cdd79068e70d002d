/* Latency samples. */
#include "bench/sample.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct hf_bench_samples *hf_bench_samples_create(void)
{
    struct hf_bench_samples *samples = malloc(sizeof(*samples));
    if (samples != NULL) {
        memset(samples, 0, sizeof(*samples));
    }
    return samples;
}

void hf_bench_samples_destroy(struct hf_bench_samples *samples)
{
    free(samples);
}

static int compare(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

uint64_t hf_bench_samples_percentile(struct hf_bench_samples *samples, uint32_t parts,
                                     uint32_t whole)
{
    assert(whole > 0);
    assert(parts <= whole);
    uint64_t kept = samples->count < HF_BENCH_SAMPLES_MAX ? samples->count : HF_BENCH_SAMPLES_MAX;
    if (kept == 0) {
        return 0;
    }
    qsort(samples->ns, kept, sizeof(samples->ns[0]), compare);
    uint64_t index = kept * parts / whole;
    return samples->ns[index < kept ? index : kept - 1];
}

void hf_bench_samples_clear(struct hf_bench_samples *samples)
{
    samples->count = 0;
}

uint64_t hf_bench_now_ns(void)
{
    struct timespec now;
    int failed = clock_gettime(CLOCK_MONOTONIC, &now);
    assert(failed == 0);
    (void)failed;
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
