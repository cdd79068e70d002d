/* Raw writes as benchmarks: the disk part of the calibration, and the yardstick beside the log. */
#ifndef HF_BENCH_BENCH_DISK_H
#define HF_BENCH_BENCH_DISK_H

#include "bench/harness.h"

struct hf_bench_disk_setting {
    uint32_t block_bytes; /* of one write */
    uint32_t depth;       /* writes in flight */
    uint32_t writes;      /* per iteration */
    bool flush;           /* with an fdatasync linked behind each */
    bool spin;            /* look for completions all the time, as a poller does */
};

/* Registers it under its whole name. `setting` must outlive the program's run. */
void hf_bench_register_disk(const char *name, const struct hf_bench_disk_setting *setting);

#endif
