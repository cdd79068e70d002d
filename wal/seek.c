#include "seek.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum hf_status hf_log_seek_init(struct hf_log_seek *seek, struct hf_disk *disk,
                                const struct hf_superblock *superblock, struct hf_fault *fault)
{
    memset(seek, 0, sizeof *seek);
    seek->disk = disk;
    seek->superblock = superblock;
    enum hf_status status = hf_log_reader_init(&seek->reader, disk, superblock, 0);
    if (status != HF_STATUS_OK) {
        *fault = seek->reader.fault;
    }
    return status;
}

void hf_log_seek_finish(struct hf_log_seek *seek)
{
    hf_log_reader_finish(&seek->reader);
}

static enum hf_status reader_fault(struct hf_log_seek *seek, enum hf_status status,
                                   struct hf_fault *fault)
{
    if (status != HF_STATUS_OK) {
        *fault = seek->reader.fault;
        seek->is_placed = false;
    }
    return status;
}

/* The first record of a segment; NOT_FOUND when it is still empty, or gone. */
static enum hf_status first_of(struct hf_log_seek *seek, uint64_t segment,
                               const struct hf_record_header **record)
{
    seek->reader.window_length = 0; /* it may have been written since */
    enum hf_status status = hf_log_reader_seek(&seek->reader, segment, 0);
    return status == HF_STATUS_OK ? hf_log_reader_peek(&seek->reader, record) : status;
}

static enum hf_status list(struct hf_log_seek *seek, struct hf_fault *fault)
{
    enum hf_status status = hf_segment_list(seek->disk, &seek->range, fault);
    seek->reader.segment_last = seek->range.last;
    return status;
}

enum hf_status hf_log_seek_oldest(struct hf_log_seek *seek, uint64_t *index, struct hf_fault *fault)
{
    const struct hf_record_header *record = NULL;
    *index = 1;
    seek->is_placed = false;
    enum hf_status status = list(seek, fault);
    if (status != HF_STATUS_OK || seek->range.first == 0) {
        return status;
    }
    status = first_of(seek, seek->range.first, &record);
    if (status == HF_STATUS_OK) {
        *index = record->index;
    }
    return status == HF_STATUS_NOT_FOUND ? HF_STATUS_OK : reader_fault(seek, status, fault);
}

/* The newest segment whose first record is not after `index`: they rise, and the last may be empty.
 * 0 when there is none. */
static enum hf_status find_segment(struct hf_log_seek *seek, uint64_t index, uint64_t *segment,
                                   struct hf_fault *fault)
{
    *segment = 0;
    uint64_t low = seek->range.first;
    uint64_t high = seek->range.last;
    while (low != 0 && low <= high) {
        uint64_t middle = low + (high - low) / 2;
        const struct hf_record_header *record = NULL;
        enum hf_status status = first_of(seek, middle, &record);
        if (status != HF_STATUS_OK && status != HF_STATUS_NOT_FOUND) {
            return reader_fault(seek, status, fault);
        }
        if (status == HF_STATUS_OK && record->index <= index) {
            *segment = middle;
            low = middle + 1;
        } else {
            high = middle - 1;
        }
    }
    return HF_STATUS_OK;
}

enum hf_status hf_log_seek_segment(struct hf_log_seek *seek, uint64_t index, uint64_t *segment,
                                   struct hf_fault *fault)
{
    *segment = 0;
    seek->is_placed = false;
    enum hf_status status = list(seek, fault);
    return status == HF_STATUS_OK ? find_segment(seek, index, segment, fault) : status;
}

/* Goes before the first record of the segment that holds `index`. */
static enum hf_status place(struct hf_log_seek *seek, uint64_t index, struct hf_fault *fault)
{
    const struct hf_record_header *record = NULL;
    uint64_t segment = 0;
    enum hf_status status = hf_log_seek_segment(seek, index, &segment, fault);
    if (status != HF_STATUS_OK || segment == 0) {
        return status != HF_STATUS_OK ? status : HF_STATUS_NOT_FOUND;
    }
    status = first_of(seek, segment, &record);
    if (status != HF_STATUS_OK) {
        return reader_fault(seek, status, fault);
    }
    hf_log_chain_before(&seek->chain, record);
    seek->is_placed = true;
    return HF_STATUS_OK;
}

/* The next record after the chain. What the window holds may be older than what was written. */
static enum hf_status next(struct hf_log_seek *seek, const struct hf_record_header **record)
{
    enum hf_status status = hf_log_reader_next(&seek->reader, &seek->chain, record);
    if (status == HF_STATUS_NOT_FOUND && seek->reader.segment != 0) { /* it was not removed */
        seek->reader.window_length = 0;
        status = hf_log_reader_next(&seek->reader, &seek->chain, record);
    }
    if (status == HF_STATUS_OK) {
        seek->segment = seek->reader.segment;
        seek->offset = seek->reader.offset -
                       hf_record_padded_length((*record)->length, seek->reader.block_size);
    }
    return status;
}

enum hf_status hf_log_seek_record(struct hf_log_seek *seek, uint64_t index,
                                  const struct hf_record_header **record, struct hf_fault *fault)
{
    enum hf_status status = HF_STATUS_NOT_FOUND;
    assert(index != 0);
    if (seek->is_placed && seek->chain.index + 1 == index) {
        status = next(seek, record);
    }
    if (status == HF_STATUS_NOT_FOUND) { /* or in a segment that was not there when last listed */
        status = place(seek, index, fault);
        if (status != HF_STATUS_OK && status != HF_STATUS_NOT_FOUND) {
            return status;
        }
        while (status == HF_STATUS_OK && seek->chain.index < index) {
            status = next(seek, record);
        }
    }
    if (status == HF_STATUS_NOT_FOUND) {
        seek->is_placed = false;
        snprintf(fault->line, sizeof fault->line, "the log has no record %" PRIu64, index);
        return status;
    }
    return reader_fault(seek, status, fault);
}

/* ---- Cutting ---- */

struct quarantine {
    struct hf_disk *disk;
    int file;
    uint64_t length;
};

static enum hf_status disk_fault(struct hf_disk *disk, enum hf_status status,
                                 struct hf_fault *fault)
{
    if (status != HF_STATUS_OK) {
        *fault = disk->fault;
    }
    return status;
}

/* All records from the one found on, to the end. */
static enum hf_status copy_out(struct hf_log_seek *seek, struct quarantine *quarantine,
                               const struct hf_record_header *record, uint64_t *count,
                               struct hf_fault *fault)
{
    enum hf_status status = HF_STATUS_OK;
    while (status == HF_STATUS_OK) {
        status =
            disk_fault(quarantine->disk,
                       quarantine->disk->maker->write(quarantine->disk, quarantine->file,
                                                      quarantine->length, record, record->length),
                       fault);
        if (status != HF_STATUS_OK) {
            return status;
        }
        quarantine->length += record->length;
        (*count)++;
        status = next(seek, &record);
    }
    return status == HF_STATUS_NOT_FOUND ? HF_STATUS_OK : reader_fault(seek, status, fault);
}

/* What lies there is no record any more, and no end of the log either: a tail to be cut. */
static enum hf_status break_record(struct hf_log_seek *seek, struct hf_disk *disk, uint64_t segment,
                                   uint64_t offset, struct hf_fault *fault)
{
    const size_t size = seek->superblock->block_size;
    char name[HF_DISK_NAME_SIZE];
    int file = -1;
    uint8_t *block = aligned_alloc(HF_RECORD_BLOCK_MAX, HF_RECORD_BLOCK_MAX);
    if (block == NULL) {
        snprintf(fault->line, sizeof fault->line, "no memory to cut the log");
        return HF_STATUS_NO_MEMORY;
    }
    memset(block, 0xff, HF_RECORD_BLOCK_MAX);
    hf_segment_format_name(segment, name);
    enum hf_status status = disk->maker->open(disk, name, HF_DISK_WRITE | HF_DISK_DIRECT, &file);
    if (status == HF_STATUS_OK) {
        status = disk->maker->write(disk, file, offset, block, size);
        if (status == HF_STATUS_OK) {
            status = disk->maker->flush(disk, file);
        }
        enum hf_status closed = disk->maker->close(disk, file);
        status = status == HF_STATUS_OK ? closed : status;
    }
    free(block);
    return disk_fault(disk, status, fault);
}

enum hf_status hf_log_cut(struct hf_log_seek *seek, struct hf_disk *disk, uint64_t index,
                          uint64_t life, uint64_t *count, struct hf_fault *fault)
{
    const struct hf_record_header *record = NULL;
    struct quarantine quarantine = {.disk = disk, .file = -1};
    char name[HF_DISK_NAME_SIZE];
    *count = 0;
    seek->is_placed = false;
    enum hf_status status = hf_log_seek_record(seek, index + 1, &record, fault);
    if (status != HF_STATUS_OK) {
        return status;
    }
    uint64_t segment = seek->segment;
    uint64_t offset = seek->offset;
    snprintf(name, sizeof name, "quarantine-%016" PRIx64 "-%016" PRIx64, life, index + 1);
    status = disk_fault(
        disk, disk->maker->open(disk, name, HF_DISK_WRITE | HF_DISK_CREATE, &quarantine.file),
        fault);
    if (status != HF_STATUS_OK) {
        return status;
    }
    status = copy_out(seek, &quarantine, record, count, fault);
    if (status == HF_STATUS_OK) {
        status = disk_fault(disk, disk->maker->flush(disk, quarantine.file), fault);
    }
    enum hf_status closed = disk_fault(disk, disk->maker->close(disk, quarantine.file), fault);
    status = status == HF_STATUS_OK ? closed : status;
    if (status == HF_STATUS_OK) {
        status = disk_fault(disk, disk->maker->flush_directory(disk), fault);
    }
    return status == HF_STATUS_OK ? break_record(seek, disk, segment, offset, fault) : status;
}
