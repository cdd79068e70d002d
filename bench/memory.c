/* Working sets on huge pages; allocations counted by jemalloc, which this program is linked with:
 * its per-thread total sees every malloc, also those inside libraries. */
#include "bench/memory.h"

#include <assert.h>
#include <jemalloc/jemalloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE_SIZE ((size_t)2 << 20)

static size_t round_to_huge_page(size_t size)
{
    return (size + HUGE_PAGE_SIZE - 1) & ~(HUGE_PAGE_SIZE - 1);
}

void *hf_bench_memory_map(size_t size)
{
    assert(size > 0);
    /* One page more, to cut the alignment out of. */
    size_t whole = round_to_huge_page(size) + HUGE_PAGE_SIZE;
    uint8_t *raw = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (raw == MAP_FAILED) {
        return NULL;
    }
    size_t before = (HUGE_PAGE_SIZE - (uintptr_t)raw % HUGE_PAGE_SIZE) % HUGE_PAGE_SIZE;
    uint8_t *memory = raw + before;
    size_t after = HUGE_PAGE_SIZE - before;
    if (before > 0) {
        munmap(raw, before);
    }
    munmap(memory + round_to_huge_page(size), after);
    /* Without huge pages in this kernel the advice fails, and the figures say so by themselves. */
    madvise(memory, round_to_huge_page(size), MADV_HUGEPAGE);
    memset(memory, 0, round_to_huge_page(size));
    return memory;
}

void hf_bench_memory_unmap(void *memory, size_t size)
{
    assert(memory != NULL);
    munmap(memory, round_to_huge_page(size));
}

uint64_t hf_bench_memory_allocated(void)
{
    static __thread uint64_t *allocated;
    if (allocated == NULL) {
        size_t length = sizeof(allocated);
        if (mallctl("thread.allocatedp", &allocated, &length, NULL, 0) != 0) {
            return 0;
        }
    }
    return *allocated;
}

bool hf_bench_memory_is_counted(void)
{
    uint64_t before = hf_bench_memory_allocated();
    void *volatile probe = malloc(1);
    free(probe);
    return hf_bench_memory_allocated() > before;
}
