#include "retain.h"
#include "reader.h"

#include <assert.h>
#include <string.h>

/* The newest segment that begins no later than the first record that is not covered: all before it
 * are covered. 0 when there is none. */
static enum hf_status find_needed(struct hf_disk *disk, const struct hf_superblock *superblock,
                                  const struct hf_segment_range *range, uint64_t index,
                                  uint64_t *needed, struct hf_fault *fault)
{
    struct hf_log_reader reader;
    enum hf_status status = hf_log_reader_init(&reader, disk, superblock, range->last);
    *needed = 0;
    for (uint64_t s = range->last; status == HF_STATUS_OK && s >= range->first; s--) {
        const struct hf_record_header *record = NULL;
        status = hf_log_reader_seek(&reader, s, 0);
        if (status == HF_STATUS_OK) {
            status = hf_log_reader_peek(&reader, &record);
        }
        if (status == HF_STATUS_OK && record->index <= index + 1) {
            *needed = s;
            break;
        }
        if (status == HF_STATUS_NOT_FOUND) {
            status = HF_STATUS_OK; /* all zeros so far: made ahead */
        }
    }
    if (status != HF_STATUS_OK) {
        *fault = reader.fault;
    }
    hf_log_reader_finish(&reader);
    return status;
}

static enum hf_status remove_segment(struct hf_disk *disk, const struct hf_retention *retention,
                                     uint64_t number, struct hf_fault *fault)
{
    char name[HF_DISK_NAME_SIZE];
    hf_segment_format_name(number, name);
    if (retention->archive != NULL) {
        enum hf_status archived = retention->archive(retention->context, name, fault);
        if (archived != HF_STATUS_OK) {
            return archived;
        }
    }
    enum hf_status status = disk->maker->remove(disk, name);
    if (status == HF_STATUS_OK) {
        /* Before the next: a power cut must not bring this one back without that. */
        status = disk->maker->flush_directory(disk);
    }
    if (status != HF_STATUS_OK) {
        *fault = disk->fault;
    }
    return status;
}

enum hf_status hf_retain(struct hf_disk *disk, const struct hf_superblock *superblock,
                         const struct hf_retention *retention, struct hf_retained *retained,
                         struct hf_fault *fault)
{
    assert(superblock->segment_size != 0);
    memset(retained, 0, sizeof *retained);
    struct hf_segment_range *range = &retained->range;
    enum hf_status status = hf_segment_list(disk, range, fault);
    if (status != HF_STATUS_OK || range->first == 0) {
        return status;
    }
    uint64_t needed = 0;
    status = find_needed(disk, superblock, range, retention->index, &needed, fault);
    if (status != HF_STATUS_OK || needed == 0) {
        return status;
    }
    assert(needed <= range->last);
    uint64_t size = superblock->segment_size;
    uint64_t keep = retention->keep_bytes / size + (retention->keep_bytes % size != 0);
    retained->covered = needed - range->first;
    while (status == HF_STATUS_OK && retained->covered > keep) {
        status = remove_segment(disk, retention, range->first, fault);
        if (status == HF_STATUS_OK) {
            range->first++;
            retained->covered--;
            retained->removed++;
        }
    }
    return status;
}
