/* Raw writes as benchmarks. */
#include "bench/bench_disk.h"

#include "bench/raw_disk.h"
#include "bench/sample.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

struct disk {
    struct hf_bench_raw *raw;
    struct hf_bench_samples *samples;
    uint32_t writes;
};

static void *setup(const struct hf_bench_scale *scale, const void *argument)
{
    const struct hf_bench_disk_setting *setting = argument;
    struct disk *disk = calloc(1, sizeof(*disk));
    if (disk == NULL) {
        return NULL;
    }
    const struct hf_bench_raw_options options = {
        .directory = scale->directory,
        .file_bytes = scale->file_bytes,
        .block_bytes = setting->block_bytes,
        .depth = setting->depth,
        .flush = setting->flush,
        .spin = setting->spin,
    };
    disk->writes = setting->writes;
    disk->samples = hf_bench_samples_create();
    disk->raw = disk->samples != NULL ? hf_bench_raw_create(&options) : NULL;
    if (disk->raw == NULL) {
        hf_bench_samples_destroy(disk->samples);
        free(disk);
        return NULL;
    }
    return disk;
}

static void measure(void *state)
{
    struct disk *disk = state;
    hf_bench_raw_write(disk->raw, disk->writes, disk->samples);
}

static void report(void *state, struct hf_bench_figures *figures)
{
    struct disk *disk = state;
    hf_bench_figure_add(figures, "p50_us",
                        (double)hf_bench_samples_percentile(disk->samples, 50, 100) / 1e3);
    hf_bench_figure_add(figures, "p99_us",
                        (double)hf_bench_samples_percentile(disk->samples, 99, 100) / 1e3);
    hf_bench_samples_clear(disk->samples);
}

static void teardown(void *state)
{
    struct disk *disk = state;
    hf_bench_raw_destroy(disk->raw);
    hf_bench_samples_destroy(disk->samples);
    free(disk);
}

void hf_bench_register_disk(const char *name, const struct hf_bench_disk_setting *setting)
{
    struct hf_bench bench = {
        .clock = HF_BENCH_WALL,
        .items = setting->writes,
        .bytes = (uint64_t)setting->writes * setting->block_bytes,
        .argument = setting,
        .setup = setup,
        .run = measure,
        .report = report,
        .teardown = teardown,
    };
    int length = snprintf(bench.name, sizeof(bench.name), "%s", name);
    assert(length > 0);
    assert((size_t)length < sizeof(bench.name));
    hf_bench_register(&bench);
}
