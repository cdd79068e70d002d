#include "timeline.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#define NS_PER_STRETCH (HF_TIMELINE_STRETCH_MS * UINT64_C(1000000))

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

int hf_timeline_open(struct hf_timeline *timeline, const char *path)
{
    memset(timeline, 0, sizeof *timeline);
    timeline->wall_less_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
    timeline->file = fopen(path, "we");
    return timeline->file == NULL ? -1 : 0;
}

static void write_stretch(struct hf_timeline *timeline)
{
    if (timeline->answers != 0)
        fprintf(timeline->file, "%" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
                timeline->stretch * HF_TIMELINE_STRETCH_MS, timeline->answers,
                timeline->longest_ns / 1000);
    timeline->answers = 0;
    timeline->longest_ns = 0;
}

void hf_timeline_add(struct hf_timeline *timeline, uint64_t now_ns, uint64_t latency_ns)
{
    if (timeline->file == NULL)
        return;
    uint64_t stretch = (uint64_t)((int64_t)now_ns + timeline->wall_less_ns) / NS_PER_STRETCH;
    if (stretch != timeline->stretch)
        write_stretch(timeline);
    timeline->stretch = stretch;
    timeline->answers++;
    if (latency_ns > timeline->longest_ns)
        timeline->longest_ns = latency_ns;
}

int hf_timeline_close(struct hf_timeline *timeline)
{
    if (timeline->file == NULL)
        return 0;
    write_stretch(timeline);
    FILE *file = timeline->file;
    timeline->file = NULL;
    int failed = ferror(file);
    return fclose(file) != 0 || failed ? -1 : 0;
}
