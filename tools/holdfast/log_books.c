#include "log_books.h"

#include "wal/disk_uring.h"
#include "wal/replay.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEDGER_ALIGNMENT 64

enum hf_status log_books_open(struct log_books *books, const char *directory,
                              struct hf_fault *fault)
{
    memset(books, 0, sizeof *books);
    enum hf_status status = hf_disk_uring_open(directory, true, false, 4096, &books->disk, fault);
    if (status != HF_STATUS_OK)
        return status == HF_STATUS_NOT_FOUND ? HF_STATUS_WRONG_FORMAT : status;
    status = books->disk->maker->lock(books->disk);
    books->is_running = status == HF_STATUS_LOCKED;
    if (status != HF_STATUS_OK && !books->is_running) {
        *fault = books->disk->fault;
        return status;
    }
    status = hf_superblock_read(books->disk, &books->superblock, fault);
    if (status == HF_STATUS_NOT_FOUND) {
        snprintf(fault->line, sizeof fault->line,
                 HF_SUPERBLOCK_NAME ": there is none: not a Holdfast data directory");
        status = HF_STATUS_WRONG_FORMAT;
    }
    return status;
}

void log_books_name_directory(const char *directory, struct hf_fault *fault)
{
    const struct hf_fault own = *fault;
    if (strncmp(own.line, directory, strlen(directory)) != 0)
        snprintf(fault->line, sizeof fault->line, "%.100s: %.150s", directory, own.line);
}

void log_books_close(struct log_books *books)
{
    if (books->disk != NULL)
        books->disk->maker->destroy(books->disk);
    free(books->image);
    free(books->memory);
    memset(books, 0, sizeof *books);
}

enum hf_status log_books_make(struct log_books *books, struct hf_fault *fault)
{
    struct hf_ledger_limits limits;
    memcpy(&limits, books->superblock.settings, sizeof limits);
    size_t size = hf_ledger_memory_size(&limits);
    if (size == 0) {
        snprintf(fault->line, sizeof fault->line, "the superblock names no limits for a ledger");
        return HF_STATUS_WRONG_FORMAT;
    }
    free(books->memory);
    if (books->image == NULL)
        books->image = calloc(1, sizeof *books->image);
    /* Zeroed by the kernel as it is touched: a large ledger costs what is in it. */
    books->memory = calloc(1, size + LEDGER_ALIGNMENT);
    if (books->memory == NULL || books->image == NULL) {
        snprintf(fault->line, sizeof fault->line, "no memory for a ledger of %zu bytes", size);
        return HF_STATUS_NO_MEMORY;
    }
    uintptr_t beginning =
        ((uintptr_t)books->memory + LEDGER_ALIGNMENT - 1) & ~(uintptr_t)(LEDGER_ALIGNMENT - 1);
    books->loaded_index = 0;
    books->loaded_place = 0;
    books->ledger = hf_ledger_create(&limits, (void *)beginning, size);
    if (books->ledger == NULL) {
        snprintf(fault->line, sizeof fault->line, "the superblock's limits make no ledger");
        return HF_STATUS_WRONG_FORMAT;
    }
    return HF_STATUS_OK;
}

static enum hf_status take_image(void *context, const void *bytes, size_t length)
{
    struct log_books *books = context;
    return hf_image_read(books->image, bytes, length);
}

enum hf_status log_books_load(struct log_books *books, uint64_t index, struct hf_fault *fault)
{
    const struct hf_checkpoint_stream stream = {.context = books, .sink = take_image};
    struct hf_checkpoint_header header;
    assert(books->ledger != NULL);
    assert(hf_ledger_place(books->ledger) == 0);
    hf_image_read_begin(books->image, books->ledger);
    enum hf_status status =
        hf_checkpoint_load(books->disk, books->superblock.cluster, index, &header, &stream, fault);
    if (status == HF_STATUS_OK)
        status = hf_image_read_end(books->image);
    if (status != HF_STATUS_OK) {
        snprintf(fault->line, sizeof fault->line,
                 "checkpoint-%016" PRIx64 " at offset %d: the image makes no sense", index,
                 HF_CHECKPOINT_HEADER_SIZE);
        return status;
    }
    books->loaded_index = header.index;
    books->loaded_place = header.place;
    return HF_STATUS_OK;
}

enum hf_status log_books_load_newest(struct log_books *books,
                                     bool (*fits)(const void *context,
                                                  const struct hf_checkpoint_header *header),
                                     const void *context, struct hf_fault *fault)
{
    uint64_t index = UINT64_MAX;
    enum hf_status status = log_books_make(books, fault);
    while (status == HF_STATUS_OK) {
        struct hf_checkpoint_header header;
        status = hf_checkpoint_newest(books->disk, index, &index, fault);
        if (status != HF_STATUS_OK || index == 0)
            break;
        if (hf_checkpoint_verify(books->disk, books->superblock.cluster, index, &header, fault) ==
                HF_STATUS_OK &&
            fits(context, &header))
            return log_books_load(books, index, fault);
    }
    return status;
}

enum hf_status log_books_read(struct log_books *books,
                              enum hf_status (*record)(void *context,
                                                       const struct hf_record_header *record,
                                                       struct hf_fault *fault),
                              void *context, struct hf_fault *fault)
{
    struct hf_log_options options = {.from_start = true, .beside = books->is_running};
    const struct hf_log_replay replay = {.context = context, .record = record};
    memcpy(options.public_key, books->expected_key, sizeof options.public_key);
    return hf_log_open(books->disk, &options, &replay, &books->state, fault);
}

enum hf_status log_books_replay(struct log_books *books, const struct hf_record_header *record,
                                void (*applied)(void *context), void *context,
                                struct hf_fault *fault)
{
    if (record->index <= books->loaded_index || record->count == 0)
        return HF_STATUS_OK;
    if (record->index <= books->superblock.settings_index) {
        snprintf(fault->line, sizeof fault->line,
                 "record %" PRIu64 " was made before the [ledger] limits were last changed, and no "
                 "checkpoint before the place asked for is newer: ask for a later place",
                 record->index);
        return HF_STATUS_CORRUPT;
    }
    if (record->first_place > hf_ledger_place(books->ledger) + 1) {
        snprintf(fault->line, sizeof fault->line,
                 "the log that is left begins at place %" PRIu64 ", and no checkpoint before the "
                 "place asked for is there: ask for a later place",
                 record->first_place);
        return HF_STATUS_NOT_FOUND;
    }
    return hf_replay_record(books->ledger, record, applied, context, fault);
}
