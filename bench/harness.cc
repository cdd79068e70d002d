// Google Benchmark behind harness.h: the only C++ file. It registers each C benchmark, times its
// iterations by the clock it asked for, and hands its figures on as user counters.
#include "bench/harness.h"

#include <benchmark/benchmark.h>

#include <cassert>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <list>

namespace
{

struct entry {
    hf_bench bench;
    void *state;
    bool is_set_up;
};

// A list, because the lambdas below keep pointers into it.
std::list<entry> entries;
const hf_bench_scale *scale_in_use;

double seconds_of(hf_bench_clock clock)
{
    timespec now;
    const clockid_t id = clock == HF_BENCH_CORE ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;
    const int failed = clock_gettime(id, &now);
    assert(failed == 0);
    (void)failed;
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void measure(benchmark::State &run, entry &it)
{
    const hf_bench &bench = it.bench;
    if (!it.is_set_up) {
        it.state = bench.setup(scale_in_use, bench.argument);
        it.is_set_up = true;
    }
    if (it.state == nullptr) {
        run.SkipWithError("this machine cannot do it");
        return;
    }
    for (auto _ : run) {
        (void)_;
        if (bench.prepare != nullptr) {
            bench.prepare(it.state);
        }
        const double begin = seconds_of(bench.clock);
        bench.run(it.state);
        run.SetIterationTime(seconds_of(bench.clock) - begin);
    }
    const int64_t iterations = static_cast<int64_t>(run.iterations());
    run.SetItemsProcessed(iterations * static_cast<int64_t>(bench.items));
    if (bench.bytes > 0) {
        run.SetBytesProcessed(iterations * static_cast<int64_t>(bench.bytes));
    }
    if (bench.report != nullptr) {
        hf_bench_figures figures = {};
        bench.report(it.state, &figures);
        for (uint32_t i = 0; i < figures.count; i++) {
            run.counters[figures.list[i].name] = figures.list[i].value;
        }
    }
}

} // namespace

void hf_bench_register(const hf_bench *bench)
{
    assert(bench->setup != nullptr);
    assert(bench->run != nullptr);
    entries.push_back(entry{*bench, nullptr, false});
    entry &it = entries.back();
    benchmark::RegisterBenchmark(it.bench.name, [&it](benchmark::State &run) { measure(run, it); })
        ->UseManualTime()
        ->Unit(benchmark::kMicrosecond);
}

void hf_bench_figure_add(hf_bench_figures *figures, const char *name, double value)
{
    assert(figures->count < HF_BENCH_FIGURES_MAX);
    figures->list[figures->count].name = name;
    figures->list[figures->count].value = value;
    figures->count++;
}

int hf_bench_run_all(int argc, char **argv, const hf_bench_scale *scale)
{
    scale_in_use = scale;
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
        return 2;
    }
    const size_t count = benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    for (entry &it : entries) {
        if (it.state != nullptr && it.bench.teardown != nullptr) {
            it.bench.teardown(it.state);
        }
    }
    return count > 0 ? 0 : 1;
}
