/* Memory for the ledger: one mapping, huge pages where the kernel gives them. And where memory lies
 * on a machine of several NUMA nodes: what belongs to one poller lies with its processor, what all
 * of them use is spread over all nodes, page by page. */
#ifndef HOLDFASTD_MEMORY_H
#define HOLDFASTD_MEMORY_H

#include "engine/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum memory_kind { MEMORY_ANYWHERE, MEMORY_NEAR, MEMORY_SPREAD };

struct memory_place {
    enum memory_kind kind;
    uint32_t processor; /* of MEMORY_NEAR */
};

/* Has whole pages lie there, those touched before and those still to be. Where the kernel knows no
 * NUMA nodes, or does not let us, memory stays where it is: that costs time only. */
void memory_put(void *memory, size_t bytes, const struct memory_place *place);

/* Maps `bytes` of zeroed memory. With `touch`, touches every page, so that the hot path never does,
 * and prints its progress to stderr when that takes long; without, memory is taken as it is used.
 * Blocks. NULL with a line in *fault when there is not enough. */
void *memory_map(size_t bytes, bool touch, const struct memory_place *place,
                 struct hf_fault *fault);
/* All zeros again, and touched again with `touch`. */
void memory_clear(void *memory, size_t bytes, bool touch);
void memory_unmap(void *memory, size_t bytes);

#endif
