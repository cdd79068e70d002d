/* The yardstick's working set: an array of 64-byte lines the size of an account table, on the same
 * kind of pages. */
#ifndef HF_BENCH_LINES_H
#define HF_BENCH_LINES_H

#include "bench/harness.h"

/* One line, as large as an account. */
struct hf_bench_line {
    int64_t value;
    uint64_t count;
    uint32_t next; /* of a single cycle through all lines, in random order */
    uint32_t reserved[11];
};
_Static_assert(sizeof(struct hf_bench_line) == 64, "a line is a cache line");

struct hf_bench_lines {
    struct hf_bench_line *lines;
    uint64_t count;
};

/* The array of `count` lines (1 to 2^32 - 1), made at the first call for that count and shared by
 * all after; every value large enough that no compare in a measurement fails. NULL without memory.
 * It stays until the program ends. */
const struct hf_bench_lines *hf_bench_lines_get(uint64_t count);

#endif
