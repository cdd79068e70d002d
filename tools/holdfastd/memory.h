/* Memory for the ledger: one mapping, huge pages where the kernel gives them, touched before
 * service. */
#ifndef HOLDFASTD_MEMORY_H
#define HOLDFASTD_MEMORY_H

#include "engine/status.h"

#include <stddef.h>

/* Maps `bytes` of zeroed memory and touches every page, so that the hot path never does; prints its
 * progress to stderr when that takes long. Blocks. NULL with a line in *fault when there is not
 * enough. */
void *memory_map(size_t bytes, struct hf_fault *fault);
void memory_unmap(void *memory, size_t bytes);

#endif
