/* Asking for memory ahead of its use, so that the misses of many operations overlap. */
#ifndef HF_ENGINE_PREFETCH_H
#define HF_ENGINE_PREFETCH_H

/* Asks for the line at `line`, to be written. It need not be anybody's: nothing is read.
 *
 * The empty assembly is there for its effect. A function that only prefetches has none to gcc,
 * which then drops the calls of it. */
static inline void hf_prefetch(const void *line)
{
    __builtin_prefetch(line, 1);
    __asm__ volatile("");
}

#endif
