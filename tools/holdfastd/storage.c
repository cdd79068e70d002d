#include "storage.h"

#include "engine/image.h"
#include "wal/disk_uring.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Operations replayed between two lines of progress. */
#define PROGRESS_OPERATIONS 5000000

/* What recovery carries from piece to piece. */
struct recovery {
    struct hf_ledger *ledger;
    struct hf_image_reader *image;
    uint64_t operations;
    uint64_t next_progress;
};

static uint64_t monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
