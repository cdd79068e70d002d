#include "segment_maker.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 4096
/* With no space, so many steps pass before the next try: the poller may spin. */
#define STEPS_BETWEEN_TRIES 4096

enum hf_status hf_segment_maker_create(struct hf_segment_maker *maker, struct hf_disk *disk,
                                       uint64_t segment_size)
{
    uint32_t piece_size =
        segment_size < HF_SEGMENT_PIECE_SIZE ? (uint32_t)segment_size : HF_SEGMENT_PIECE_SIZE;
    *maker = (struct hf_segment_maker){
        .disk = disk,
        .segment_size = segment_size,
        .piece_size = piece_size,
        .zeros = aligned_alloc(ALIGNMENT, piece_size),
        .file = -1,
    };
    if (maker->zeros == NULL) {
        return HF_STATUS_NO_MEMORY;
    }
    memset(maker->zeros, 0, piece_size);
    return HF_STATUS_OK;
}

void hf_segment_maker_close(struct hf_segment_maker *maker)
{
    if (maker->file >= 0) {
        /* It is flushed, or not a segment yet. */
        (void)!maker->disk->maker->close(maker->disk, maker->file);
        maker->file = -1;
    }
}

void hf_segment_maker_destroy(struct hf_segment_maker *maker)
{
    if (maker->zeros != NULL) {
        hf_segment_maker_close(maker);
        free(maker->zeros);
        maker->zeros = NULL;
    }
}

static enum hf_status failed(struct hf_segment_maker *maker, const char *what, int error)
{
    maker->wrong = what;
    maker->error = error;
    return HF_STATUS_IO;
}

/* Nothing is lost when a segment does not come to be for want of space. */
static enum hf_status abandon(struct hf_segment_maker *maker)
{
    hf_segment_maker_close(maker);
    maker->making = HF_SEGMENT_MAKING_BLOCKED;
    maker->lacks_space = true;
    maker->steps_to_rest = STEPS_BETWEEN_TRIES;
    enum hf_status status = maker->disk->maker->remove(maker->disk, HF_SEGMENT_NAME_TEMPORARY);
    if (status != HF_STATUS_OK && status != HF_STATUS_NOT_FOUND) {
        return failed(maker, "an unfinished segment cannot be removed", 0);
    }
    return HF_STATUS_OK;
}

bool hf_segment_maker_rests(struct hf_segment_maker *maker)
{
    if (maker->making != HF_SEGMENT_MAKING_BLOCKED) {
        return false;
    }
    maker->steps_to_rest--;
    if (maker->steps_to_rest == 0) {
        maker->making = HF_SEGMENT_MAKING_NOTHING;
    }
    return true;
}

/* Blocks for the time of creating a file and reserving its room. */
static enum hf_status begin(struct hf_segment_maker *maker)
{
    struct hf_disk *disk = maker->disk;
    enum hf_status status =
        disk->maker->open(disk, HF_SEGMENT_NAME_TEMPORARY,
                          HF_DISK_WRITE | HF_DISK_CREATE | HF_DISK_DIRECT, &maker->file);
    if (status != HF_STATUS_OK) {
        maker->file = -1;
    } else {
        status = disk->maker->allocate(disk, maker->file, maker->segment_size);
    }
    if (status == HF_STATUS_FULL) {
        return abandon(maker);
    }
    if (status != HF_STATUS_OK) {
        return failed(maker, "a segment cannot be made", 0);
    }
    maker->making = HF_SEGMENT_MAKING_PIECES;
    maker->filled = 0;
    return HF_STATUS_OK;
}

static enum hf_status fill(struct hf_segment_maker *maker, bool *queued)
{
    uint64_t left = maker->segment_size - maker->filled;
    bool last = left <= maker->piece_size;
    size_t length = last ? (size_t)left : maker->piece_size;
    struct hf_disk *disk = maker->disk;
    /* The last piece is a durable append: its flush covers the pieces before and the file's size.
     */
    enum hf_status status = last ? disk->maker->append(disk, maker->file, maker->filled,
                                                       maker->zeros, length, HF_SEGMENT_MAKER_TAG)
                                 : disk->maker->fill(disk, maker->file, maker->filled, maker->zeros,
                                                     length, HF_SEGMENT_MAKER_TAG);
    if (status == HF_STATUS_AGAIN) {
        return HF_STATUS_OK;
    }
    if (status != HF_STATUS_OK) {
        return failed(maker, "a segment cannot be filled", 0);
    }
    maker->is_busy = true;
    *queued = true;
    return HF_STATUS_OK;
}

/* The one step that blocks for a flush: rename, and the directory made durable. */
static enum hf_status give_name(struct hf_segment_maker *maker, uint64_t number)
{
    struct hf_disk *disk = maker->disk;
    char name[HF_DISK_NAME_SIZE];
    hf_segment_format_name(number, name);
    enum hf_status status = disk->maker->rename(disk, HF_SEGMENT_NAME_TEMPORARY, name);
    if (status == HF_STATUS_OK) {
        status = disk->maker->flush_directory(disk);
    }
    if (status != HF_STATUS_OK) {
        return failed(maker, "a segment cannot be named", 0);
    }
    hf_segment_maker_close(maker);
    maker->making = HF_SEGMENT_MAKING_NOTHING;
    maker->lacks_space = false;
    return HF_STATUS_OK;
}

enum hf_status hf_segment_maker_step(struct hf_segment_maker *maker, uint64_t number, bool *queued,
                                     bool *made)
{
    assert(!maker->is_busy);
    *queued = false;
    *made = false;
    switch (maker->making) {
    case HF_SEGMENT_MAKING_NOTHING:
        return begin(maker);
    case HF_SEGMENT_MAKING_PIECES:
        return fill(maker, queued);
    case HF_SEGMENT_MAKING_COMPLETE:
        *made = true;
        return give_name(maker, number);
    case HF_SEGMENT_MAKING_BLOCKED:
        break;
    }
    return HF_STATUS_OK;
}

enum hf_status hf_segment_maker_completed(struct hf_segment_maker *maker,
                                          const struct hf_disk_completion *completion)
{
    assert(maker->making == HF_SEGMENT_MAKING_PIECES);
    assert(maker->is_busy);
    maker->is_busy = false;
    if (completion->status == HF_STATUS_FULL) {
        return abandon(maker);
    }
    if (completion->status != HF_STATUS_OK) {
        return failed(maker, "a segment was not filled", completion->error);
    }
    uint64_t left = maker->segment_size - maker->filled;
    maker->filled += left < maker->piece_size ? left : maker->piece_size;
    if (maker->filled == maker->segment_size) {
        maker->making = HF_SEGMENT_MAKING_COMPLETE;
    }
    return HF_STATUS_OK;
}
