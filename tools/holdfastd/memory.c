#include "memory.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>

#include <numa.h>
#include <numaif.h>

#define HUGE_PAGE_BYTES ((size_t)2 << 20)
#define PAGE_BYTES      ((size_t)4096)
/* How much to touch between two lines of progress. */
#define PROGRESS_BYTES ((size_t)1 << 30)

static size_t round_up(size_t bytes)
{
    return (bytes + HUGE_PAGE_BYTES - 1) & ~(HUGE_PAGE_BYTES - 1);
}

/* A write to every page, before anybody is in a hurry. */
static void touch_pages(volatile uint8_t *memory, size_t length)
{
    for (size_t at = 0; at < length; at += PAGE_BYTES) {
        memory[at] = 0;
        if (at != 0 && at % PROGRESS_BYTES == 0)
            fprintf(stderr, "holdfastd: touched %zu of %zu MiB\n", at >> 20, length >> 20);
    }
}

void memory_put(void *memory, size_t bytes, const struct memory_place *place)
{
    struct bitmask *nodes;
    int node = -1;

    assert((uintptr_t)memory % PAGE_BYTES == 0);
    if (place->kind == MEMORY_ANYWHERE || numa_available() < 0)
        return;
    if (place->kind == MEMORY_NEAR && (node = numa_node_of_cpu((int)place->processor)) < 0)
        return;
    nodes = numa_allocate_nodemask();
    if (nodes == NULL)
        return;
    if (node >= 0)
        numa_bitmask_setbit(nodes, (unsigned)node);
    else
        copy_bitmask_to_bitmask(numa_all_nodes_ptr, nodes);
    (void)mbind(memory, bytes, node >= 0 ? MPOL_PREFERRED : MPOL_INTERLEAVE, nodes->maskp,
                nodes->size + 1, MPOL_MF_MOVE);
    numa_free_nodemask(nodes);
}

void *memory_map(size_t bytes, bool touch, const struct memory_place *place, struct hf_fault *fault)
{
    size_t length = round_up(bytes);
    struct sysinfo machine;
    void *memory;

    /* The kernel would promise more than there is and kill us when it is touched. */
    if (touch && sysinfo(&machine) == 0 &&
        length / machine.mem_unit >= machine.freeram + machine.bufferram + machine.totalram / 2) {
        snprintf(fault->line, sizeof fault->line,
                 "the ledger needs %zu MiB, more than this machine can give", length >> 20);
        return NULL;
    }
    memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        snprintf(fault->line, sizeof fault->line, "the ledger needs %zu MiB: %s", length >> 20,
                 strerror(errno));
        return NULL;
    }
    if (madvise(memory, length, MADV_HUGEPAGE) != 0)
        fprintf(stderr, "holdfastd: no huge pages for the ledger (%s): it will be slower\n",
                strerror(errno));
    memory_put(memory, length, place);
    if (touch)
        touch_pages(memory, length);
    return memory;
}

void memory_clear(void *memory, size_t bytes, bool touch)
{
    size_t length = round_up(bytes);
    int cleared = madvise(memory, length, MADV_DONTNEED);

    assert(cleared == 0);
    if (touch)
        touch_pages(memory, length);
}

void memory_unmap(void *memory, size_t bytes)
{
    munmap(memory, round_up(bytes));
}
