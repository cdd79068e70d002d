/* Memory for benchmarks: working sets on huge pages, and a count of what was allocated. */
#ifndef HF_BENCH_MEMORY_H
#define HF_BENCH_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed memory for a working set: anonymous, advised to be on huge pages, every page touched
 * before it returns, so that no first touch falls into a measurement. The engine's arena and the
 * yardsticks get theirs here, for the same policy. Aligned to 2 MiB. NULL when there is not that
 * much; it may block for seconds. */
void *hf_bench_memory_map(size_t size);
void hf_bench_memory_unmap(void *memory, size_t size);

/* Bytes this thread has ever asked malloc for. Monotone; what is given back does not count. */
uint64_t hf_bench_memory_allocated(void);
/* Whether the count above really counts in this build: sanitizers put their own malloc before it.
 */
bool hf_bench_memory_is_counted(void);

#endif
