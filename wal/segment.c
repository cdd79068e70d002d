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

struct counting {
    uint64_t from;
    uint64_t to;
    uint64_t count;
};

static bool counting_visit(void *context, const char *name)
{
    struct counting *counting = context;
    uint64_t number = 0;
    if (hf_segment_parse_name(name, &number) && number >= counting->from &&
        number <= counting->to) {
        counting->count++;
    }
    return true;
}

/* Names the first segment that is lacking between first and last, which are there: halves the
 * search by how many files there are in the lower part. */
static enum hf_status tell_missing(struct hf_disk *disk, const struct hf_segment_range *range,
                                   struct hf_fault *fault)
{
    uint64_t from = range->first;
    uint64_t to = range->last;
    while (from < to) {
        struct counting counting = {.from = from, .to = from + (to - from) / 2};
        enum hf_status status = disk->maker->list(disk, counting_visit, &counting);
        if (status != HF_STATUS_OK) {
            *fault = disk->fault;
            return status;
        }
        if (counting.count == counting.to - counting.from + 1) {
            from = counting.to + 1;
        } else {
            to = counting.to;
        }
    }
    snprintf(fault->line, sizeof fault->line,
             "log-%016" PRIx64 " is missing: there are segments before it and after it", from);
    return HF_STATUS_CORRUPT;
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
        return tell_missing(disk, range, fault);
    }
    return HF_STATUS_OK;
}
