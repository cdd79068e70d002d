/* Raw durable writes: what the device does when nobody is in between. The yardstick beside the log,
 * and the disk part of the calibration.
 *
 * One file, written over with zeros first, then appended to from its start through io_uring in the
 * way that platform.md found best: O_DIRECT, registered file and buffers, a single issuer, write
 * and fdatasync linked. At its end it begins again. */
#ifndef HF_BENCH_RAW_DISK_H
#define HF_BENCH_RAW_DISK_H

#include "bench/sample.h"

#include <stdbool.h>
#include <stdint.h>

#define HF_BENCH_RAW_DEPTH_MAX 64

struct hf_bench_raw_options {
    const char *directory;
    uint64_t file_bytes;  /* a multiple of the block size */
    uint32_t block_bytes; /* of one write: a multiple of 512 */
    uint32_t depth;       /* writes in flight, 1 to HF_BENCH_RAW_DEPTH_MAX */
    bool flush;           /* a write counts when its fdatasync has completed too */
    bool spin;            /* look for completions all the time instead of sleeping for them */
};

struct hf_bench_raw;

/* Makes and prewrites the file. NULL, and one line on stderr, when the file system cannot do it.
 * The calling thread is the one that writes. Blocks. */
struct hf_bench_raw *hf_bench_raw_create(const struct hf_bench_raw_options *options);
void hf_bench_raw_destroy(struct hf_bench_raw *raw);

/* Writes `count` blocks, never more than `depth` at a time, and waits for all of them. Each one's
 * time from submission to completion goes to `samples` (may be NULL). A failed write ends the
 * program: there is no figure without it. */
void hf_bench_raw_write(struct hf_bench_raw *raw, uint32_t count, struct hf_bench_samples *samples);

#endif
