/* The yardstick's working set. */
#include "bench/lines.h"

#include "bench/memory.h"
#include "bench/random.h"

#include <assert.h>

#define SETS_MAX       4
#define VALUE_AT_FIRST (INT64_C(1) << 60)

static struct hf_bench_lines sets[SETS_MAX];
static uint32_t set_count;

/* Sattolo's shuffle: a uniformly random permutation with one single cycle. */
static void link_cycle(struct hf_bench_line *lines, uint64_t count)
{
    struct hf_bench_random random = {.counter = 0x11ae5};
    for (uint64_t i = 0; i < count; i++) {
        lines[i].value = VALUE_AT_FIRST;
        lines[i].next = (uint32_t)i;
    }
    for (uint64_t i = count - 1; i > 0; i--) {
        uint64_t j = hf_bench_random_below(&random, i);
        uint32_t swapped = lines[i].next;
        lines[i].next = lines[j].next;
        lines[j].next = swapped;
    }
}

const struct hf_bench_lines *hf_bench_lines_get(uint64_t count)
{
    assert(count >= 1);
    assert(count <= UINT32_MAX);
    for (uint32_t i = 0; i < set_count; i++) {
        if (sets[i].count == count) {
            return &sets[i];
        }
    }
    assert(set_count < SETS_MAX);
    struct hf_bench_line *lines = hf_bench_memory_map(count * sizeof(*lines));
    if (lines == NULL) {
        return NULL;
    }
    link_cycle(lines, count);
    sets[set_count] = (struct hf_bench_lines){.lines = lines, .count = count};
    return &sets[set_count++];
}
