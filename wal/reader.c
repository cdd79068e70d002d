#include "reader.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Several of the longest records: what is read twice at a window's end is then little. */
#define WINDOW_SIZE ((size_t)4 * HF_RECORD_LENGTH_MAX)

/* ---- The chain ---- */

void hf_log_chain_init(struct hf_log_chain *chain)
{
    *chain = (struct hf_log_chain){.next_place = 1};
}

void hf_log_chain_before(struct hf_log_chain *chain, const struct hf_record_header *record)
{
    *chain = (struct hf_log_chain){
        .index = record->index - 1,
        .hash = record->prev_hash,
        .next_place = record->first_place,
        .timestamp_ns = 0,
        .epoch = 0,
        .commit = 0,
    };
}

enum hf_log_link hf_log_chain_judge(const struct hf_log_chain *chain,
                                    const struct hf_record_header *record)
{
    if (record->index != chain->index + 1) {
        return HF_LOG_LINK_OTHER;
    }
    if (!hf_hash_equal(record->prev_hash, chain->hash) ||
        record->first_place != chain->next_place || record->timestamp_ns < chain->timestamp_ns ||
        record->epoch < chain->epoch || record->commit < chain->commit) {
        return HF_LOG_LINK_NONSENSE;
    }
    return HF_LOG_LINK_NEXT;
}

void hf_log_chain_advance(struct hf_log_chain *chain, const struct hf_record_header *record)
{
    *chain = (struct hf_log_chain){
        .index = record->index,
        .hash = record->hash,
        .next_place = record->first_place + record->count,
        .timestamp_ns = record->timestamp_ns,
        .epoch = record->epoch,
        .commit = record->commit,
    };
}

/* ---- The window ---- */

enum hf_status hf_log_reader_init(struct hf_log_reader *reader, struct hf_disk *disk,
                                  const struct hf_superblock *superblock, uint64_t segment_last)
{
    *reader = (struct hf_log_reader){
        .disk = disk,
        .cluster = superblock->cluster,
        .block_size = superblock->block_size,
        .segment_size = superblock->segment_size,
        .segment_last = segment_last,
        .file = -1,
    };
    reader->window_size =
        reader->segment_size < WINDOW_SIZE ? (size_t)reader->segment_size : WINDOW_SIZE;
    reader->window = aligned_alloc(HF_RECORD_BLOCK_MAX, reader->window_size);
    if (reader->window == NULL) {
        snprintf(reader->fault.line, sizeof reader->fault.line, "no memory to read the log");
        return HF_STATUS_NO_MEMORY;
    }
    return HF_STATUS_OK;
}

void hf_log_reader_finish(struct hf_log_reader *reader)
{
    if (reader->window == NULL) {
        return;
    }
    if (reader->file >= 0) {
        /* It was only read: nothing can be lost by a close that fails. */
        (void)!reader->disk->maker->close(reader->disk, reader->file);
        reader->file = -1;
    }
    free(reader->window);
    reader->window = NULL;
}

static enum hf_status open_segment(struct hf_log_reader *reader, uint64_t segment)
{
    struct hf_disk *disk = reader->disk;
    reader->segment = 0; /* which none is, until this one is open */
    reader->window_length = 0;
    if (reader->file >= 0) {
        enum hf_status closed = disk->maker->close(disk, reader->file);
        reader->file = -1;
        if (closed != HF_STATUS_OK) {
            reader->fault = disk->fault;
            return closed;
        }
    }
    char name[HF_DISK_NAME_SIZE];
    hf_segment_format_name(segment, name);
    enum hf_status status =
        disk->maker->open(disk, name, HF_DISK_READ | HF_DISK_DIRECT, &reader->file);
    if (status == HF_STATUS_OK) {
        status = disk->maker->size(disk, reader->file, &reader->file_size);
    }
    if (status != HF_STATUS_OK) {
        reader->fault = disk->fault;
        return status;
    }
    if (reader->file_size > reader->segment_size) {
        snprintf(reader->fault.line, sizeof reader->fault.line,
                 "%s: found %" PRIu64 " bytes, expected at most %" PRIu64, name, reader->file_size,
                 reader->segment_size);
        return HF_STATUS_CORRUPT;
    }
    if (reader->file_size == 0) {
        snprintf(reader->fault.line, sizeof reader->fault.line,
                 "%s at offset 0: the file is empty, and has its name only since it was whole",
                 name);
        return HF_STATUS_CORRUPT;
    }
    reader->segment = segment;
    return HF_STATUS_OK;
}

enum hf_status hf_log_reader_seek(struct hf_log_reader *reader, uint64_t segment, uint64_t offset)
{
    assert(offset % reader->block_size == 0);
    assert(offset <= reader->segment_size);
    if (reader->file < 0 || reader->segment != segment) {
        enum hf_status status = open_segment(reader, segment);
        if (status != HF_STATUS_OK) {
            return status;
        }
    }
    reader->offset = offset;
    return HF_STATUS_OK;
}

/* Sees to it that `length` bytes from the reader's place are in the window. What a file that was
 * cut short lacks reads as zeros: it was zeros before it was anything else. */
static enum hf_status need(struct hf_log_reader *reader, size_t length)
{
    assert(length <= reader->window_size);
    assert(length <= reader->segment_size - reader->offset);
    if (reader->offset >= reader->window_offset &&
        reader->offset + length <= reader->window_offset + reader->window_length) {
        return HF_STATUS_OK;
    }
    uint64_t left = reader->segment_size - reader->offset;
    size_t size = left < reader->window_size ? (size_t)left : reader->window_size;
    size_t done = 0;
    enum hf_status status = reader->disk->maker->read(reader->disk, reader->file, reader->offset,
                                                      reader->window, size, &done);
    if (status != HF_STATUS_OK) {
        reader->fault = reader->disk->fault;
        reader->window_length = 0;
        return status;
    }
    assert(done <= size);
    memset(reader->window + done, 0, size - done);
    reader->window_offset = reader->offset;
    reader->window_length = size;
    return HF_STATUS_OK;
}

static const uint8_t *bytes_here(const struct hf_log_reader *reader)
{
    assert(reader->offset >= reader->window_offset);
    return reader->window + (reader->offset - reader->window_offset);
}

/* ---- Records ---- */

enum hf_status hf_log_reader_peek(struct hf_log_reader *reader,
                                  const struct hf_record_header **record)
{
    uint64_t left = reader->segment_size - reader->offset;
    size_t length = reader->block_size;
    while (length <= left) {
        enum hf_status status = need(reader, length);
        if (status != HF_STATUS_OK) {
            return status;
        }
        switch (hf_record_check(bytes_here(reader), length, reader->block_size, reader->cluster,
                                &length)) {
        case HF_RECORD_GOOD:
            *record = (const struct hf_record_header *)(const void *)bytes_here(reader);
            return HF_STATUS_OK;
        case HF_RECORD_SHORT:
            continue; /* `length` has grown to what the header asks for: once */
        case HF_RECORD_BAD:
            return HF_STATUS_NOT_FOUND;
        }
    }
    return HF_STATUS_NOT_FOUND;
}

void hf_log_reader_skip(struct hf_log_reader *reader, uint32_t length)
{
    uint32_t padded = hf_record_padded_length(length, reader->block_size);
    assert(padded <= reader->segment_size - reader->offset);
    reader->offset += padded;
}

/* The record here, if it follows the chain. */
static enum hf_status next_here(struct hf_log_reader *reader, struct hf_log_chain *chain,
                                const struct hf_record_header **record)
{
    enum hf_status status = hf_log_reader_peek(reader, record);
    if (status != HF_STATUS_OK) {
        return status;
    }
    switch (hf_log_chain_judge(chain, *record)) {
    case HF_LOG_LINK_NEXT:
        break;
    case HF_LOG_LINK_OTHER:
        return HF_STATUS_NOT_FOUND;
    case HF_LOG_LINK_NONSENSE:
        snprintf(reader->fault.line, sizeof reader->fault.line,
                 "log-%016" PRIx64 " at offset %" PRIu64 ": record %" PRIu64
                 " is whole, but does not follow the one before it",
                 reader->segment, reader->offset, (*record)->index);
        return HF_STATUS_CORRUPT;
    }
    hf_log_chain_advance(chain, *record);
    hf_log_reader_skip(reader, (*record)->length);
    return HF_STATUS_OK;
}

enum hf_status hf_log_reader_next(struct hf_log_reader *reader, struct hf_log_chain *chain,
                                  const struct hf_record_header **record)
{
    enum hf_status status = next_here(reader, chain, record);
    if (status != HF_STATUS_NOT_FOUND || reader->segment >= reader->segment_last) {
        return status;
    }
    uint64_t segment = reader->segment;
    uint64_t offset = reader->offset;
    status = hf_log_reader_seek(reader, segment + 1, 0);
    if (status != HF_STATUS_OK) {
        return status;
    }
    status = next_here(reader, chain, record);
    if (status == HF_STATUS_NOT_FOUND) {
        enum hf_status back = hf_log_reader_seek(reader, segment, offset);
        return back == HF_STATUS_OK ? HF_STATUS_NOT_FOUND : back;
    }
    return status;
}

enum hf_status hf_log_reader_skip_zeros(struct hf_log_reader *reader)
{
    while (reader->offset < reader->segment_size) {
        enum hf_status status = need(reader, reader->block_size);
        if (status != HF_STATUS_OK) {
            return status;
        }
        if (!hf_bytes_are_zero(bytes_here(reader), reader->block_size)) {
            return HF_STATUS_OK;
        }
        reader->offset += reader->block_size;
    }
    return HF_STATUS_NOT_FOUND;
}
