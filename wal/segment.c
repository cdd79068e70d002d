#include "segment.h"
#include "name.h"

#include <inttypes.h>
#include <stdio.h>

static const char prefix[] = "log-";

void hf_segment_format_name(uint64_t number, char name[HF_DISK_NAME_SIZE])
{
    hf_name_format(prefix, number, name);
}

bool hf_segment_parse_name(const char *name, uint64_t *number)
{
    return hf_name_parse(prefix, name, number);
}

struct listing {
    struct hf_segment_range range;
    uint64_t count;
};

static bool list_visit(void *context, const char *name)
{
    struct listing *listing = context;
    uint64_t number = 0;
    if (!hf_segment_parse_name(name, &number)) {
        return true;
    }
    if (listing->count == 0 || number < listing->range.first) {
        listing->range.first = number;
    }
    if (number > listing->range.last) {
        listing->range.last = number;
    }
    listing->count++;
    return true;
}

enum hf_status hf_segment_list(struct hf_disk *disk, struct hf_segment_range *range,
                               struct hf_fault *fault)
{
    struct listing listing = {0};
    enum hf_status status = disk->maker->list(disk, list_visit, &listing);
    if (status != HF_STATUS_OK) {
        *fault = disk->fault;
        return status;
    }
    *range = listing.range;
    if (listing.count != 0 && range->last - range->first + 1 != listing.count) {
        snprintf(fault->line, sizeof fault->line,
                 "segments are missing: %" PRIu64 " files between log-%016" PRIx64
                 " and log-%016" PRIx64,
                 listing.count, range->first, range->last);
        return HF_STATUS_CORRUPT;
    }
    return HF_STATUS_OK;
}
