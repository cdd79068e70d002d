/* What happened when: answers by stretches of ten milliseconds, a line each in a file:
 *
 *     <Unix time of the stretch's begin, ms> <answers> <the longest of their latencies, us>
 *
 * Stretches without answers have no line. */
#ifndef HF_TOOLS_TIMELINE_H
#define HF_TOOLS_TIMELINE_H

#include <stdint.h>
#include <stdio.h>

#define HF_TIMELINE_STRETCH_MS 10

struct hf_timeline {
    FILE *file;           /* NULL: nothing is written */
    int64_t wall_less_ns; /* wall clock less monotonic clock, at the start */
    uint64_t stretch;
    uint64_t answers;
    uint64_t longest_ns;
};

/* Begins a file anew. -1 and errno when it cannot be made. */
int hf_timeline_open(struct hf_timeline *timeline, const char *path);
/* One answer at `now_ns` (monotonic) that took `latency_ns`. */
void hf_timeline_add(struct hf_timeline *timeline, uint64_t now_ns, uint64_t latency_ns);
/* Writes what is left and closes. -1 and errno when something could not be written. */
int hf_timeline_close(struct hf_timeline *timeline);

#endif
