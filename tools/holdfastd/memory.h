/* Memory for the ledger: one mapping, huge pages where the kernel gives them. */
#ifndef HOLDFASTD_MEMORY_H
#define HOLDFASTD_MEMORY_H

#include "engine/status.h"

#include <stdbool.h>
#include <stddef.h>

/* Maps `bytes` of zeroed memory. With `touch`, touches every page, so that the hot path never does,
 * and prints its progress to stderr when that takes long; without, memory is taken as it is used.
 * Blocks. NULL with a line in *fault when there is not enough. */
void *memory_map(size_t bytes, bool touch, struct hf_fault *fault);
/* All zeros again, and touched again with `touch`. */
void memory_clear(void *memory, size_t bytes, bool touch);
void memory_unmap(void *memory, size_t bytes);

#endif
