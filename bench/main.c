/* The micro-benchmarks' program: sizes from its own options, the rest is Google Benchmark's. */
#include "bench/directory.h"
#include "bench/harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* 16 Mi accounts are 1 GiB of account lines: beyond any cache that several machines share. */
static const struct hf_bench_scale scale_full = {
    .accounts_large = UINT64_C(1) << 24,
    .accounts_small = UINT64_C(1) << 20,
    .accounts_cache = UINT64_C(1) << 10,
    .remembered = UINT64_C(1) << 22,
    .holds_open = UINT64_C(1) << 20,
    .file_bytes = UINT64_C(256) << 20,
    .log_segment_size = UINT64_C(64) << 20,
};

/* Everything runs, nothing takes long, no figure means anything. */
static const struct hf_bench_scale scale_quick = {
    .accounts_large = UINT64_C(1) << 17,
    .accounts_small = UINT64_C(1) << 14,
    .accounts_cache = UINT64_C(1) << 10,
    .remembered = UINT64_C(1) << 16,
    .holds_open = UINT64_C(1) << 15,
    .file_bytes = UINT64_C(16) << 20,
    .log_segment_size = UINT64_C(16) << 20,
};

static const char usage[] =
    "usage: holdfast-bench [--scale full|quick] [--accounts N] [--directory DIR] "
    "[--benchmark_...]\n"
    "  --scale      size of the working sets (full)\n"
    "  --accounts   accounts of what is called large, 1024 to 1073741824 (16777216; each takes 78\n"
    "               bytes in a ledger, and 64 in the bare lines beside it)\n"
    "  --directory  where the disk is measured; a private directory is made in it (.)\n"
    "  --benchmark_filter=REGEX, --benchmark_format=json, ...: as Google Benchmark has them\n";

#define ACCOUNTS_MIN (UINT64_C(1) << 10)
#define ACCOUNTS_MAX (UINT64_C(1) << 30)

static bool take_accounts(const char *text, uint64_t *accounts)
{
    char *end;

    errno = 0;
    *accounts = strtoull(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && *accounts >= ACCOUNTS_MIN &&
           *accounts <= ACCOUNTS_MAX;
}

/* Takes our own options out of argv, leaves the others. False when one is wrong. */
static bool take_options(int *argc, char **argv, struct hf_bench_scale *scale)
{
    int kept = 1;
    const char *directory = ".";
    uint64_t accounts = 0;
    *scale = scale_full;
    for (int i = 1; i < *argc; i++) {
        bool has_value = i + 1 < *argc;
        if (strcmp(argv[i], "--scale") == 0 && has_value) {
            i++;
            if (strcmp(argv[i], "quick") == 0) {
                *scale = scale_quick;
            } else if (strcmp(argv[i], "full") != 0) {
                return false;
            }
        } else if (strcmp(argv[i], "--accounts") == 0 && has_value) {
            if (!take_accounts(argv[++i], &accounts))
                return false;
        } else if (strcmp(argv[i], "--directory") == 0 && has_value) {
            directory = argv[++i];
        } else {
            argv[kept++] = argv[i];
        }
    }
    argv[kept] = NULL;
    *argc = kept;
    scale->directory = directory;
    if (accounts != 0)
        scale->accounts_large = accounts;
    return true;
}

int main(int argc, char **argv)
{
    struct hf_bench_scale scale;
    if (!take_options(&argc, argv, &scale)) {
        fputs(usage, stderr);
        return 2;
    }
    char directory[4096];
    int length =
        snprintf(directory, sizeof(directory), "%s/holdfast-bench-XXXXXX", scale.directory);
    if (length < 0 || (size_t)length >= sizeof(directory) || mkdtemp(directory) == NULL) {
        fprintf(stderr, "holdfast-bench: %s: %s\n", scale.directory, strerror(errno));
        return 2;
    }
    scale.directory = directory;
    hf_bench_register_calibration();
    hf_bench_register_engine();
    hf_bench_register_shards();
    hf_bench_register_expire(&scale);
    hf_bench_register_naive();
    hf_bench_register_wire();
    hf_bench_register_session();
    hf_bench_register_record();
    hf_bench_register_log();
    int status = hf_bench_run_all(argc, argv, &scale);
    hf_bench_remove_directory(directory);
    return status;
}
