#include "checkpoint.h"
#include "name.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char prefix[] = "checkpoint-";
static const size_t hashed_from = sizeof(struct hf_hash);

#define PIECE_IMAGE_MAX (HF_CHECKPOINT_PIECE_SIZE - HF_CHECKPOINT_PIECE_HEADER)
_Static_assert(PIECE_IMAGE_MAX % 64 == 0, "the image goes in multiples of 64 bytes");
_Static_assert(offsetof(struct hf_checkpoint_header, magic) == 16, "hashed from here");
_Static_assert(offsetof(struct hf_checkpoint_piece, magic) == 16, "hashed from here");

void hf_checkpoint_format_name(uint64_t index, char name[HF_DISK_NAME_SIZE])
{
    hf_name_format(prefix, index, name);
}

bool hf_checkpoint_parse_name(const char *name, uint64_t *index)
{
    return hf_name_parse(prefix, name, index);
}

static uint32_t round_to_block(uint32_t length)
{
    return (length + HF_CHECKPOINT_HEADER_SIZE - 1) & ~(uint32_t)(HF_CHECKPOINT_HEADER_SIZE - 1);
}

/* ---- Which checkpoints there are ---- */

struct search {
    uint64_t below;
    uint64_t newest;
};

static bool search_visit(void *context, const char *name)
{
    struct search *search = context;
    uint64_t index = 0;
    if (hf_checkpoint_parse_name(name, &index) && index < search->below && index > search->newest) {
        search->newest = index;
    }
    return true;
}

enum hf_status hf_checkpoint_newest(struct hf_disk *disk, uint64_t below, uint64_t *index,
                                    struct hf_fault *fault)
{
    struct search search = {.below = below, .newest = 0};
    enum hf_status status = disk->maker->list(disk, search_visit, &search);
    if (status != HF_STATUS_OK) {
        *fault = disk->fault;
        return status;
    }
    *index = search.newest;
    return HF_STATUS_OK;
}

/* Removes all but the newest few. The one just written has verified nothing yet, so the one before
 * it stays as well. */
static enum hf_status remove_old(struct hf_disk *disk, struct hf_fault *fault)
{
    uint64_t index = UINT64_MAX;
    for (int kept = 0;; kept++) {
        enum hf_status status = hf_checkpoint_newest(disk, index, &index, fault);
        if (status != HF_STATUS_OK || index == 0) {
            return status;
        }
        if (kept < HF_CHECKPOINT_KEEP_COUNT) {
            continue;
        }
        char name[HF_DISK_NAME_SIZE];
        hf_checkpoint_format_name(index, name);
        status = disk->maker->remove(disk, name);
        if (status != HF_STATUS_OK) {
            *fault = disk->fault;
            return status;
        }
    }
}

/* ---- Writing ---- */

/* Collects up to a whole piece from the source; short only at the image's end. */
static enum hf_status gather(const struct hf_checkpoint_stream *stream, uint8_t *bytes,
                             uint32_t *length)
{
    *length = 0;
    while (*length < PIECE_IMAGE_MAX) {
        size_t got = 0;
        size_t room = PIECE_IMAGE_MAX - *length;
        enum hf_status status = stream->source(stream->context, bytes + *length, room, &got);
        if (status != HF_STATUS_OK) {
            return status;
        }
        assert(got <= room);
        assert(got % 64 == 0);
        if (got == 0) {
            break;
        }
        *length += (uint32_t)got;
    }
    return HF_STATUS_OK;
}

static enum hf_status write_pieces(struct hf_disk *disk, int file, uint8_t *buffer,
                                   struct hf_checkpoint_header *header,
                                   const struct hf_checkpoint_stream *stream,
                                   struct hf_fault *fault)
{
    uint64_t offset = HF_CHECKPOINT_HEADER_SIZE;
    struct hf_checkpoint_piece *piece = (struct hf_checkpoint_piece *)(void *)buffer;
    header->image_length = 0;
    for (uint64_t number = 0;; number++) {
        uint32_t length = 0;
        enum hf_status status = gather(stream, buffer + HF_CHECKPOINT_PIECE_HEADER, &length);
        if (status != HF_STATUS_OK) {
            snprintf(fault->line, sizeof fault->line,
                     "checkpoint at %" PRIu64 ": the image could not be made", header->index);
            return status;
        }
        if (length == 0) {
            return HF_STATUS_OK;
        }
        memset(piece, 0, sizeof *piece);
        piece->magic = HF_CHECKPOINT_PIECE_MAGIC;
        piece->length = length;
        piece->index = header->index;
        piece->number = number;
        uint32_t used = HF_CHECKPOINT_PIECE_HEADER + length;
        uint32_t padded = round_to_block(used);
        memset(buffer + used, 0, padded - used);
        piece->hash = hf_hash_of(buffer + hashed_from, used - hashed_from);
        status = disk->maker->write(disk, file, offset, buffer, padded);
        if (status != HF_STATUS_OK) {
            *fault = disk->fault;
            return status;
        }
        offset += padded;
        header->image_length += length;
    }
}

static void seal_header(struct hf_checkpoint_header *header)
{
    memcpy(header->magic, HF_CHECKPOINT_MAGIC, sizeof header->magic);
    header->format = HF_CHECKPOINT_FORMAT;
    header->piece_size = HF_CHECKPOINT_PIECE_SIZE;
    memset(header->reserved, 0, sizeof header->reserved);
    header->hash = hf_hash_of((const uint8_t *)header + hashed_from, sizeof *header - hashed_from);
}

/* The temporary file, whole and flushed. */
static enum hf_status write_temporary(struct hf_disk *disk, uint8_t *buffer,
                                      struct hf_checkpoint_header *header,
                                      const struct hf_checkpoint_stream *stream,
                                      struct hf_fault *fault)
{
    int file = -1;
    enum hf_status status = disk->maker->open(
        disk, HF_CHECKPOINT_NAME_TEMPORARY, HF_DISK_WRITE | HF_DISK_CREATE | HF_DISK_DIRECT, &file);
    if (status != HF_STATUS_OK) {
        *fault = disk->fault;
        return status;
    }
    status = write_pieces(disk, file, buffer, header, stream, fault);
    if (status == HF_STATUS_OK) {
        /* The header comes last: only now is the image's length known. */
        seal_header(header);
        memcpy(buffer, header, sizeof *header);
        status = disk->maker->write(disk, file, 0, buffer, sizeof *header);
        if (status == HF_STATUS_OK) {
            status = disk->maker->flush(disk, file);
        }
        if (status != HF_STATUS_OK) {
            *fault = disk->fault;
        }
    }
    enum hf_status closed = disk->maker->close(disk, file);
    if (status == HF_STATUS_OK && closed != HF_STATUS_OK) {
        *fault = disk->fault;
        status = closed;
    }
    return status;
}

static enum hf_status exists_already(struct hf_disk *disk, uint64_t index, struct hf_fault *fault)
{
    uint64_t newest = 0;
    enum hf_status status = hf_checkpoint_newest(disk, index + 1, &newest, fault);
    if (status == HF_STATUS_OK && newest == index) {
        snprintf(fault->line, sizeof fault->line, "a checkpoint at %" PRIu64 " is there already",
                 index);
        status = HF_STATUS_EXISTS;
    }
    return status;
}

static enum hf_status remove_temporary(struct hf_disk *disk, struct hf_fault *fault)
{
    enum hf_status status = disk->maker->remove(disk, HF_CHECKPOINT_NAME_TEMPORARY);
    if (status != HF_STATUS_OK && status != HF_STATUS_NOT_FOUND) {
        *fault = disk->fault;
        return status;
    }
    return HF_STATUS_OK;
}

enum hf_status hf_checkpoint_write(struct hf_disk *disk, struct hf_checkpoint_header *header,
                                   const struct hf_checkpoint_stream *stream,
                                   struct hf_fault *fault)
{
    assert(header->index != 0);
    assert(stream->source != NULL);
    enum hf_status status = exists_already(disk, header->index, fault);
    if (status == HF_STATUS_OK) {
        status = remove_temporary(disk, fault);
    }
    if (status != HF_STATUS_OK) {
        return status;
    }
    uint8_t *buffer = aligned_alloc(HF_CHECKPOINT_HEADER_SIZE, HF_CHECKPOINT_PIECE_SIZE);
    if (buffer == NULL) {
        snprintf(fault->line, sizeof fault->line, "checkpoint: no memory for a piece");
        return HF_STATUS_NO_MEMORY;
    }
    status = write_temporary(disk, buffer, header, stream, fault);
    free(buffer);
    if (status != HF_STATUS_OK) {
        struct hf_fault ignored;
        /* Gives the space back; when that fails too, the first reason is the one to tell. */
        if (remove_temporary(disk, &ignored) != HF_STATUS_OK) {
            return status;
        }
        return status;
    }
    char name[HF_DISK_NAME_SIZE];
    hf_checkpoint_format_name(header->index, name);
    status = disk->maker->rename(disk, HF_CHECKPOINT_NAME_TEMPORARY, name);
    if (status == HF_STATUS_OK) {
        status = disk->maker->flush_directory(disk);
    }
    if (status != HF_STATUS_OK) {
        *fault = disk->fault;
        return status;
    }
    return remove_old(disk, fault);
}

/* ---- Reading ---- */

static enum hf_status corrupt(uint64_t index, uint64_t offset, const char *what,
                              struct hf_fault *fault)
{
    snprintf(fault->line, sizeof fault->line, "checkpoint-%016" PRIx64 " at offset %" PRIu64 ": %s",
             index, offset, what);
    return HF_STATUS_CORRUPT;
}

enum hf_status hf_checkpoint_check_header(const uint8_t bytes[HF_CHECKPOINT_HEADER_SIZE],
                                          struct hf_id cluster, uint64_t index,
                                          struct hf_checkpoint_header *header,
                                          struct hf_fault *fault)
{
    memcpy(header, bytes, sizeof *header);
    struct hf_hash hash =
        hf_hash_of((const uint8_t *)header + hashed_from, sizeof *header - hashed_from);
    if (!hf_hash_equal(hash, header->hash)) {
        return corrupt(index, 0, "the header's hash does not fit it", fault);
    }
    if (memcmp(header->magic, HF_CHECKPOINT_MAGIC, sizeof header->magic) != 0 ||
        header->format != HF_CHECKPOINT_FORMAT || header->piece_size != HF_CHECKPOINT_PIECE_SIZE) {
        snprintf(fault->line, sizeof fault->line,
                 "checkpoint-%016" PRIx64 ": found format %" PRIu32 ", expected %d", index,
                 header->format, HF_CHECKPOINT_FORMAT);
        return HF_STATUS_WRONG_FORMAT;
    }
    if (!hf_id_equal(header->cluster, cluster)) {
        snprintf(fault->line, sizeof fault->line,
                 "checkpoint-%016" PRIx64 ": found cluster %016" PRIx64 "%016" PRIx64
                 ", expected %016" PRIx64 "%016" PRIx64,
                 index, header->cluster.hi, header->cluster.lo, cluster.hi, cluster.lo);
        return HF_STATUS_WRONG_CLUSTER;
    }
    if (header->index != index) {
        return corrupt(index, 0, "the header names another index than the file", fault);
    }
    return HF_STATUS_OK;
}

/* Image bytes in piece `number`; 0: there is none. */
static uint32_t piece_length(const struct hf_checkpoint_header *header, uint64_t number)
{
    uint64_t before = number * PIECE_IMAGE_MAX;
    uint64_t left = before < header->image_length ? header->image_length - before : 0;
    return left < PIECE_IMAGE_MAX ? (uint32_t)left : PIECE_IMAGE_MAX;
}

uint32_t hf_checkpoint_piece_size(const struct hf_checkpoint_header *header, uint64_t number)
{
    uint32_t length = piece_length(header, number);
    return length == 0 ? 0 : round_to_block(HF_CHECKPOINT_PIECE_HEADER + length);
}

enum hf_status hf_checkpoint_check_piece(const struct hf_checkpoint_header *header, uint64_t number,
                                         const uint8_t *bytes, struct hf_fault *fault)
{
    const struct hf_checkpoint_piece *piece =
        (const struct hf_checkpoint_piece *)(const void *)bytes;
    uint64_t offset = HF_CHECKPOINT_HEADER_SIZE + number * HF_CHECKPOINT_PIECE_SIZE;
    uint32_t length = piece_length(header, number);
    uint32_t used = HF_CHECKPOINT_PIECE_HEADER + length;
    uint32_t padded = round_to_block(used);
    assert(length != 0);
    struct hf_hash hash = hf_hash_of(bytes + hashed_from, used - hashed_from);
    if (!hf_hash_equal(hash, piece->hash) || !hf_bytes_are_zero(bytes + used, padded - used)) {
        return corrupt(header->index, offset, "a piece's hash does not fit it", fault);
    }
    if (piece->magic != HF_CHECKPOINT_PIECE_MAGIC || piece->length != length ||
        piece->index != header->index || piece->number != number) {
        return corrupt(header->index, offset, "a piece that does not belong here", fault);
    }
    return HF_STATUS_OK;
}

static enum hf_status read_header(struct hf_disk *disk, int file, struct hf_id cluster,
                                  uint64_t index, uint8_t *buffer,
                                  struct hf_checkpoint_header *header, struct hf_fault *fault)
{
    size_t done = 0;
    enum hf_status status = disk->maker->read(disk, file, 0, buffer, sizeof *header, &done);
    if (status != HF_STATUS_OK) {
        *fault = disk->fault;
        return status;
    }
    memset(buffer + done, 0, sizeof *header - done);
    return hf_checkpoint_check_header(buffer, cluster, index, header, fault);
}

/* `size` is the file's; the buffer holds a piece, or as much as the file has. */
static enum hf_status read_pieces(struct hf_disk *disk, int file, uint64_t size, uint8_t *buffer,
                                  const struct hf_checkpoint_header *header,
                                  const struct hf_checkpoint_stream *stream, struct hf_fault *fault)
{
    uint64_t offset = HF_CHECKPOINT_HEADER_SIZE;
    uint32_t padded = 0;
    for (uint64_t number = 0; (padded = hf_checkpoint_piece_size(header, number)) != 0; number++) {
        if (offset > size || padded > size - offset) {
            return corrupt(header->index, offset, "the file ends early", fault);
        }
        const void *bytes = NULL;
        size_t done = 0;
        enum hf_status status = hf_disk_lend(disk, file, offset, buffer, padded, &bytes, &done);
        if (status != HF_STATUS_OK) {
            *fault = disk->fault;
            return status;
        }
        if (done != padded) {
            return corrupt(header->index, offset, "the file ends early", fault);
        }
        status = hf_checkpoint_check_piece(header, number, bytes, fault);
        if (status == HF_STATUS_OK && stream != NULL) {
            status =
                stream->sink(stream->context, (const uint8_t *)bytes + HF_CHECKPOINT_PIECE_HEADER,
                             piece_length(header, number));
        }
        if (status != HF_STATUS_OK) {
            return status;
        }
        offset += padded;
    }
    return size == offset ? HF_STATUS_OK
                          : corrupt(header->index, offset, "bytes after the image's end", fault);
}

static enum hf_status read_whole(struct hf_disk *disk, struct hf_id cluster, uint64_t index,
                                 struct hf_checkpoint_header *header,
                                 const struct hf_checkpoint_stream *stream, struct hf_fault *fault)
{
    char name[HF_DISK_NAME_SIZE];
    hf_checkpoint_format_name(index, name);
    int file = -1;
    enum hf_status status = disk->maker->open(disk, name, HF_DISK_READ | HF_DISK_DIRECT, &file);
    if (status != HF_STATUS_OK) {
        *fault = disk->fault;
        return status;
    }
    uint64_t size = 0;
    uint8_t *buffer = NULL;
    status = disk->maker->size(disk, file, &size);
    if (status != HF_STATUS_OK) {
        *fault = disk->fault;
    } else {
        uint32_t length =
            size < HF_CHECKPOINT_PIECE_SIZE ? (uint32_t)size : HF_CHECKPOINT_PIECE_SIZE;
        buffer = aligned_alloc(HF_CHECKPOINT_HEADER_SIZE,
                               length == 0 ? HF_CHECKPOINT_HEADER_SIZE : round_to_block(length));
        if (buffer == NULL) {
            snprintf(fault->line, sizeof fault->line, "checkpoint: no memory for a piece");
            status = HF_STATUS_NO_MEMORY;
        }
    }
    if (status == HF_STATUS_OK) {
        status = read_header(disk, file, cluster, index, buffer, header, fault);
    }
    if (status == HF_STATUS_OK) {
        status = read_pieces(disk, file, size, buffer, header, stream, fault);
    }
    free(buffer);
    enum hf_status closed = disk->maker->close(disk, file);
    if (status == HF_STATUS_OK && closed != HF_STATUS_OK) {
        *fault = disk->fault;
        status = closed;
    }
    return status;
}

enum hf_status hf_checkpoint_verify(struct hf_disk *disk, struct hf_id cluster, uint64_t index,
                                    struct hf_checkpoint_header *header, struct hf_fault *fault)
{
    return read_whole(disk, cluster, index, header, NULL, fault);
}

enum hf_status hf_checkpoint_load(struct hf_disk *disk, struct hf_id cluster, uint64_t index,
                                  struct hf_checkpoint_header *header,
                                  const struct hf_checkpoint_stream *stream, struct hf_fault *fault)
{
    assert(stream->sink != NULL);
    return read_whole(disk, cluster, index, header, stream, fault);
}
