/* The last step of opening a log: what was found becomes what is on the disk, and nothing else is.
 */
#include "opening.h"
#include "install.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether a file is there and may be written. */
static enum hf_status try_to_write(struct hf_opening *opening, const char *name)
{
    struct hf_disk *disk = opening->disk;
    int file = -1;
    enum hf_status status = hf_opening_disk_fault(
        opening, disk->maker->open(disk, name, HF_DISK_WRITE | HF_DISK_DIRECT, &file));
    return status != HF_STATUS_OK ? status
                                  : hf_opening_disk_fault(opening, disk->maker->close(disk, file));
}

/* All that is about to be written may be, before any of it is. */
static enum hf_status try_all(struct hf_opening *opening)
{
    enum hf_status status = try_to_write(opening, HF_SUPERBLOCK_NAME);
    uint64_t s = opening->replay_segment;
    for (; s != 0 && s <= opening->range.last && status == HF_STATUS_OK; s++) {
        char name[HF_DISK_NAME_SIZE];
        hf_segment_format_name(s, name);
        status = try_to_write(opening, name);
    }
    return status;
}

/* Writes a record that has been replayed once more, as it is. */
static enum hf_status rewrite(struct hf_opening *opening, uint64_t index)
{
    struct hf_disk *disk = opening->disk;
    struct hf_log_reader *reader = &opening->reader;
    const struct hf_record_place *place = &opening->newest[index % HF_OPENING_NEWEST_MAX];
    const struct hf_record_header *record = NULL;
    enum hf_status status = hf_log_reader_seek(reader, place->segment, place->offset);
    if (status == HF_STATUS_OK) {
        status = hf_log_reader_peek(reader, &record);
    }
    if (status == HF_STATUS_NOT_FOUND || (status == HF_STATUS_OK && record->index != index)) {
        snprintf(opening->fault->line, HF_FAULT_LINE_SIZE,
                 "log-%016" PRIx64 " at offset %" PRIu64 ": record %" PRIu64
                 " was read, and a moment later is another",
                 place->segment, place->offset, index);
        return HF_STATUS_CORRUPT;
    }
    if (status != HF_STATUS_OK) {
        return hf_opening_reader_fault(opening, status);
    }
    char name[HF_DISK_NAME_SIZE];
    hf_segment_format_name(place->segment, name);
    int file = -1;
    status = hf_opening_disk_fault(
        opening, disk->maker->open(disk, name, HF_DISK_WRITE | HF_DISK_DIRECT, &file));
    if (status != HF_STATUS_OK) {
        return status;
    }
    uint32_t padded = hf_record_padded_length(record->length, reader->block_size);
    status = hf_opening_disk_fault(opening,
                                   disk->maker->write(disk, file, place->offset, record, padded));
    enum hf_status closed = disk->maker->close(disk, file);
    return status != HF_STATUS_OK ? status : hf_opening_disk_fault(opening, closed);
}

/* Of the newest records nobody says that they were ever flushed. A flush may even have failed for
 * them, and a cache that has given them up shows them all the same, calls them clean, and has
 * nothing to flush: so they are written again before they are flushed. */
static enum hf_status rewrite_unproven(struct hf_opening *opening)
{
    const struct hf_log_state *state = opening->state;
    uint64_t proven = state->known_commit; /* a checkpoint's record among them */
    if (state->last_index > HF_OPENING_NEWEST_MAX &&
        proven < state->last_index - HF_OPENING_NEWEST_MAX) {
        proven = state->last_index - HF_OPENING_NEWEST_MAX;
    }
    enum hf_status status = HF_STATUS_OK;
    for (uint64_t index = proven + 1; index <= state->last_index && status == HF_STATUS_OK;
         index++) {
        status = rewrite(opening, index);
    }
    return status;
}

/* What was replayed may still lie in a cache of the device: the process that wrote it may have died
 * between write and flush. Answers will stand on it, so it is flushed first. */
static enum hf_status flush_replayed(struct hf_opening *opening)
{
    struct hf_disk *disk = opening->disk;
    for (uint64_t s = opening->replay_segment; s <= opening->state->segment; s++) {
        char name[HF_DISK_NAME_SIZE];
        hf_segment_format_name(s, name);
        int file = -1;
        enum hf_status status =
            disk->maker->open(disk, name, HF_DISK_WRITE | HF_DISK_DIRECT, &file);
        if (status != HF_STATUS_OK) {
            return hf_opening_disk_fault(opening, status);
        }
        status = hf_opening_disk_fault(opening, disk->maker->flush(disk, file));
        enum hf_status closed = disk->maker->close(disk, file);
        if (status != HF_STATUS_OK || closed != HF_STATUS_OK) {
            return status != HF_STATUS_OK ? status : hf_opening_disk_fault(opening, closed);
        }
    }
    return HF_STATUS_OK;
}

static size_t piece_size(const struct hf_opening *opening)
{
    uint64_t segment_size = opening->state->superblock.segment_size;
    return segment_size < HF_SEGMENT_PIECE_SIZE ? (size_t)segment_size : HF_SEGMENT_PIECE_SIZE;
}

/* Writes over [from, to), in pieces, each as `fill` begins. */
static enum hf_status write_pieces(struct hf_opening *opening, int file, const uint8_t *fill,
                                   uint64_t from, uint64_t to)
{
    while (from < to) {
        uint64_t left = to - from;
        size_t length = left < piece_size(opening) ? (size_t)left : piece_size(opening);
        enum hf_status status =
            opening->disk->maker->write(opening->disk, file, from, fill, length);
        if (status != HF_STATUS_OK) {
            return hf_opening_disk_fault(opening, status);
        }
        from += length;
    }
    return HF_STATUS_OK;
}

/* Opens a segment to write to it, has `fill` written over [from, to), flushes and closes. */
static enum hf_status overwrite(struct hf_opening *opening, uint64_t segment, const uint8_t *fill,
                                uint64_t from, uint64_t to)
{
    struct hf_disk *disk = opening->disk;
    char name[HF_DISK_NAME_SIZE];
    hf_segment_format_name(segment, name);
    int file = -1;
    enum hf_status status = hf_opening_disk_fault(
        opening, disk->maker->open(disk, name, HF_DISK_WRITE | HF_DISK_DIRECT, &file));
    if (status != HF_STATUS_OK) {
        return status;
    }
    status = write_pieces(opening, file, fill, from, to);
    if (status == HF_STATUS_OK) {
        status = hf_opening_disk_fault(opening, disk->maker->flush(disk, file));
    }
    enum hf_status closed = disk->maker->close(disk, file);
    return status != HF_STATUS_OK ? status : hf_opening_disk_fault(opening, closed);
}

/* Makes everything zeros from the log's end on, in every segment. First a block is put at the end
 * that is no record and no zeros, and stays until the rest is durable: should the flush fail, a
 * cache may show zeros that are none, and the next start must see that there is a tail to cut. A
 * crash in the middle leaves a tail that the rule finds and cuts again. */
static enum hf_status cut_debris(struct hf_opening *opening, uint8_t *fill)
{
    const struct hf_log_state *state = opening->state;
    uint64_t segment_size = state->superblock.segment_size;
    uint32_t block_size = state->superblock.block_size;
    bool fits = state->offset < segment_size;
    uint64_t first = fits ? state->segment : state->segment + 1;
    uint64_t offset = fits ? state->offset : 0;
    assert(first <= opening->range.last);
    memset(fill, 0xff, block_size);
    enum hf_status status = overwrite(opening, first, fill, offset, offset + block_size);
    memset(fill, 0, block_size);
    for (uint64_t s = first; s <= opening->range.last && status == HF_STATUS_OK; s++) {
        uint64_t from = s == first ? offset + block_size : 0;
        status = overwrite(opening, s, fill, from, segment_size);
    }
    return status != HF_STATUS_OK ? status
                                  : overwrite(opening, first, fill, offset, offset + block_size);
}

/* Gives a segment that has been shortened its whole length back. */
static enum hf_status lengthen(struct hf_opening *opening, uint64_t segment, const uint8_t *zeros)
{
    struct hf_log_reader *reader = &opening->reader;
    enum hf_status status = hf_log_reader_seek(reader, segment, 0);
    if (status != HF_STATUS_OK || reader->file_size == reader->segment_size) {
        return hf_opening_reader_fault(opening, status);
    }
    uint64_t whole = reader->file_size - reader->file_size % reader->block_size;
    uint64_t offset = segment == opening->state->segment ? opening->state->offset : 0;
    return overwrite(opening, segment, zeros, whole > offset ? whole : offset,
                     reader->segment_size);
}

static enum hf_status cut_tail(struct hf_opening *opening)
{
    const struct hf_log_state *state = opening->state;
    uint8_t *zeros = aligned_alloc(HF_RECORD_BLOCK_MAX, piece_size(opening));
    if (zeros == NULL) {
        snprintf(opening->fault->line, HF_FAULT_LINE_SIZE, "no memory to cut the log's tail");
        return HF_STATUS_NO_MEMORY;
    }
    memset(zeros, 0, piece_size(opening));
    enum hf_status status = HF_STATUS_OK;
    if (state->cut_bytes != 0) {
        status = cut_debris(opening, zeros);
    }
    for (uint64_t s = state->segment; s <= opening->range.last && status == HF_STATUS_OK; s++) {
        status = lengthen(opening, s, zeros);
    }
    free(zeros);
    return status;
}

static enum hf_status remove_temporaries(struct hf_opening *opening)
{
    static const char *const names[] = {HF_SEGMENT_NAME_TEMPORARY, HF_CHECKPOINT_NAME_TEMPORARY,
                                        HF_INSTALL_CHECKPOINT_NAME, HF_INSTALL_LOG_NAME,
                                        HF_INSTALL_NAME_TEMPORARY};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        enum hf_status status = opening->disk->maker->remove(opening->disk, names[i]);
        if (status != HF_STATUS_OK && status != HF_STATUS_NOT_FOUND) {
            return hf_opening_disk_fault(opening, status);
        }
    }
    /* The names that were found may be no more durable than the records were: a process may have
     * died between a rename and the flush after it. */
    return hf_opening_disk_fault(opening, opening->disk->maker->flush_directory(opening->disk));
}

enum hf_status hf_opening_make_writable(struct hf_opening *opening)
{
    enum hf_status status = try_all(opening);
    if (status == HF_STATUS_OK && opening->range.first != 0) {
        status = rewrite_unproven(opening);
        if (status == HF_STATUS_OK) {
            status = flush_replayed(opening);
        }
        if (status == HF_STATUS_OK) {
            status = cut_tail(opening);
        }
    }
    if (status == HF_STATUS_OK) {
        status = remove_temporaries(opening);
    }
    if (status == HF_STATUS_OK && !opening->state->created) {
        struct hf_superblock *superblock = &opening->state->superblock;
        const uint8_t *settings = opening->options->settings;
        if (memcmp(superblock->settings, settings, sizeof superblock->settings) != 0) {
            memcpy(superblock->settings, settings, sizeof superblock->settings);
            superblock->settings_index = opening->state->last_index;
        }
        superblock->incarnation++;
        status = hf_superblock_write(opening->disk, superblock, opening->fault);
    }
    return status;
}
