/* The benchmark harness: C bodies driven by Google Benchmark.
 *
 * A benchmark is a name and a few functions. Its state is made once, before the first measurement,
 * and stays until the program ends, so that repetitions and interleaved runs find the same warm
 * working set. An iteration is one call of `run`, timed from outside; whatever makes work for it
 * (fresh operations, random places) happens in `prepare`, which is not timed. An iteration should
 * take a good part of a millisecond, so that reading the clock does not count.
 *
 * harness.cc is the only C++ in the tree, and knows Google Benchmark; everything else sees this
 * header. */
#ifndef HF_BENCH_HARNESS_H
#define HF_BENCH_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What an iteration's time is read from. */
enum hf_bench_clock {
    HF_BENCH_CORE, /* time this thread had a core: for what only computes. A neighbour that is
                      scheduled in between does not count against it. */
    HF_BENCH_WALL, /* time that passed: for what waits on a device */
};

#define HF_BENCH_FIGURES_MAX 8
#define HF_BENCH_NAME_SIZE   96

/* A figure beside the rate: a percentile, a ratio of bytes, a count. `name` is static text with its
 * unit last. */
struct hf_bench_figure {
    const char *name;
    double value;
};

struct hf_bench_figures {
    uint32_t count;
    struct hf_bench_figure list[HF_BENCH_FIGURES_MAX];
};

/* Sizes that the whole program works with. */
struct hf_bench_scale {
    uint64_t accounts_large;   /* lines of the working set beyond every cache */
    uint64_t accounts_small;   /* of the one for comparison */
    uint64_t accounts_cache;   /* of one that stays in the second-level cache */
    uint64_t remembered;       /* operation ids the ledger keeps */
    uint64_t holds_open;       /* open holds behind every hold, capture and authorisation */
    uint64_t file_bytes;       /* of the file that raw writes go over */
    uint64_t log_segment_size; /* in bytes */
    const char *directory;     /* a private one, on the device to measure */
};

struct hf_bench {
    char name[HF_BENCH_NAME_SIZE]; /* "room/what/how/size" */
    enum hf_bench_clock clock;
    uint64_t items;       /* done in one iteration: operations, pairs, calls */
    uint64_t bytes;       /* moved in one iteration, 0 when it does not matter */
    const void *argument; /* handed to setup; must outlive the program's run */

    /* Makes the state. NULL when this machine cannot do it: the benchmark is then skipped and
     * says so. */
    void *(*setup)(const struct hf_bench_scale *scale, const void *argument);
    void (*prepare)(void *state); /* NULL: nothing to prepare */
    void (*run)(void *state);
    /* Adds what this measurement saw since the last report, and forgets it. NULL: nothing. */
    void (*report)(void *state, struct hf_bench_figures *figures);
    /* Called once at the end, with what setup gave. NULL: nothing to undo. */
    void (*teardown)(void *state);
};

/* Adds a benchmark to the list. Copies `bench`. At start, from one thread. */
void hf_bench_register(const struct hf_bench *bench);

/* Adds one figure. Asserts that there is room. */
void hf_bench_figure_add(struct hf_bench_figures *figures, const char *name, double value);

/* Runs what was registered, as Google Benchmark's own arguments say (--benchmark_filter,
 * --benchmark_repetitions, ...). Returns the process's exit status: 1 when nothing matched, 2 for
 * arguments that are not understood. */
int hf_bench_run_all(int argc, char **argv, const struct hf_bench_scale *scale);

/* Each file of benchmarks has one of these; main calls them all. */
void hf_bench_register_calibration(void);
void hf_bench_register_engine(void);
void hf_bench_register_shards(void);
void hf_bench_register_expire(const struct hf_bench_scale *scale);
void hf_bench_register_naive(void);
void hf_bench_register_wire(void);
void hf_bench_register_session(void);
void hf_bench_register_record(void);
void hf_bench_register_log(void);

#ifdef __cplusplus
}
#endif
#endif
