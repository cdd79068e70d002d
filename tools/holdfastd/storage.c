#include "storage.h"

#include "engine/image.h"
#include "wal/disk_uring.h"
#include "wal/replay.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Operations replayed between two lines of progress. */
#define PROGRESS_OPERATIONS 5000000

_Static_assert(sizeof(struct hf_ledger_limits) <= HF_SUPERBLOCK_SETTINGS_SIZE,
               "the superblock's settings have room for the ledger's limits");

/* What recovery carries from piece to piece. */
struct recovery {
    const struct hf_superblock *superblock;
    const struct hf_log_options *options;
    struct hf_ledger *ledger;
    struct hf_image_reader *image;
    uint64_t checkpoint_place;
    uint64_t operations;
    uint64_t next_progress;
};

static uint64_t monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static enum hf_status load_image(void *context, const void *bytes, size_t length,
                                 struct hf_fault *fault)
{
    struct recovery *recovery = context;
    enum hf_status status = hf_image_read(recovery->image, bytes, length);

    if (status == HF_STATUS_FULL) {
        snprintf(fault->line, sizeof fault->line,
                 "the checkpoint holds more than the [ledger] limits allow: raise them");
        return HF_STATUS_INVALID;
    }
    if (status != HF_STATUS_OK)
        snprintf(fault->line, sizeof fault->line, "the checkpoint's image makes no sense");
    return status;
}

static enum hf_status end_image(void *context, const struct hf_checkpoint_header *header,
                                struct hf_fault *fault)
{
    struct recovery *recovery = context;
    enum hf_status status = hf_image_read_end(recovery->image);

    if (status == HF_STATUS_OK && hf_ledger_place(recovery->ledger) == header->place) {
        recovery->checkpoint_place = header->place;
        fprintf(stderr, "holdfastd: checkpoint loaded, place %llu\n",
                (unsigned long long)header->place);
        return HF_STATUS_OK;
    }
    snprintf(fault->line, sizeof fault->line,
             "the checkpoint's image does not end at the place its header names");
    return status != HF_STATUS_OK ? status : HF_STATUS_DIVERGED;
}

/* A full table refuses, so limits decide answers: a record is replayed under the limits it was made
 * under, or not at all. */
static enum hf_status check_limits(const struct recovery *recovery,
                                   const struct hf_record_header *record, struct hf_fault *fault)
{
    const struct hf_superblock *superblock = recovery->superblock;
    struct hf_ledger_limits then;

    if (record->index <= superblock->settings_index) {
        snprintf(fault->line, sizeof fault->line,
                 "record %llu was made before the [ledger] limits were last changed, and no newer "
                 "checkpoint is whole",
                 (unsigned long long)record->index);
        return HF_STATUS_CORRUPT;
    }
    if (memcmp(superblock->settings, recovery->options->settings, sizeof superblock->settings) == 0)
        return HF_STATUS_OK;
    memcpy(&then, superblock->settings, sizeof then);
    snprintf(fault->line, sizeof fault->line,
             "[ledger] limits differ from those of the log: start with accounts %llu instruments "
             "%llu holds %llu terms %llu parts %llu limits %llu rolling %llu remembered %llu "
             "remember %lluns id_ahead %lluns, stop clean, then change them",
             (unsigned long long)then.accounts, (unsigned long long)then.instruments,
             (unsigned long long)then.holds, (unsigned long long)then.terms,
             (unsigned long long)then.parts, (unsigned long long)then.limits,
             (unsigned long long)then.rolling, (unsigned long long)then.remembered,
             (unsigned long long)then.remember_ns, (unsigned long long)then.id_ahead_ns);
    return HF_STATUS_INVALID;
}

static enum hf_status replay_record(void *context, const struct hf_record_header *record,
                                    struct hf_fault *fault)
{
    struct recovery *recovery = context;
    enum hf_status status = HF_STATUS_OK;

    if (record->count != 0)
        status = check_limits(recovery, record, fault);
    if (status == HF_STATUS_OK)
        status = hf_replay_record(recovery->ledger, record, NULL, NULL, fault);
    if (status != HF_STATUS_OK)
        return status;
    recovery->operations += record->count;
    if (recovery->operations >= recovery->next_progress) {
        fprintf(stderr, "holdfastd: replayed %llu operations\n",
                (unsigned long long)recovery->operations);
        recovery->next_progress += PROGRESS_OPERATIONS;
    }
    return HF_STATUS_OK;
}

static void tell_recovery(const struct storage *storage)
{
    const struct hf_log_state *state = &storage->state;

    fprintf(
        stderr,
        "holdfastd: log %s: %llu operations in %llu records replayed, next place %llu, %.2f s\n",
        state->created ? "made" : "recovered", (unsigned long long)state->operations_replayed,
        (unsigned long long)state->records_replayed, (unsigned long long)state->next_place,
        (double)storage->recovery_ns / 1e9);
    if (state->cut_bytes != 0)
        fprintf(stderr,
                "holdfastd: cut a torn tail that nobody was answered for: segment %llu, offset "
                "%llu, %llu whole records\n",
                (unsigned long long)state->cut_segment, (unsigned long long)state->cut_offset,
                (unsigned long long)state->cut_records);
    if (state->checkpoints_broken != 0)
        fprintf(stderr, "holdfastd: %u newer checkpoints did not verify and were passed over\n",
                state->checkpoints_broken);
}

static enum hf_status recover(struct storage *storage, struct hf_id cluster, struct hf_fault *fault)
{
    const struct config *config = storage->config;
    struct hf_image_reader *image = calloc(1, sizeof *image);
    struct hf_log_options options = {
        .cluster = cluster,
        .node = (uint32_t)config->node,
        .create = true,
        .segment_size = config->segment_bytes,
    };
    struct recovery recovery = {
        .superblock = &storage->state.superblock,
        .options = &options,
        .ledger = storage->ledger,
        .image = image,
        .next_progress = PROGRESS_OPERATIONS,
    };
    const struct hf_log_replay replay = {
        .context = &recovery,
        .image = load_image,
        .image_end = end_image,
        .record = replay_record,
    };
    uint64_t began_ns = monotonic_ns();
    enum hf_status status;

    if (image == NULL) {
        snprintf(fault->line, sizeof fault->line, "no memory for recovery");
        return HF_STATUS_NO_MEMORY;
    }
    memcpy(options.settings, hf_ledger_limits_of(storage->ledger), sizeof(struct hf_ledger_limits));
    hf_image_read_begin(image, storage->ledger);
    status = hf_log_open(storage->disk, &options, &replay, &storage->state, fault);
    free(image);
    storage->recovery_ns = monotonic_ns() - began_ns;
    storage->checkpoint_place = recovery.checkpoint_place;
    if (status == HF_STATUS_OK)
        tell_recovery(storage);
    return status;
}

enum hf_status storage_open(struct storage *storage, const struct config *config,
                            struct hf_id cluster, struct hf_ledger *ledger, struct hf_fault *fault)
{
    struct hf_log_writer_options options;
    enum hf_status status;

    memset(storage, 0, sizeof *storage);
    storage->config = config;
    storage->ledger = ledger;
    status = hf_disk_uring_open(config->data_directory, false, true, (uint32_t)config->block_bytes,
                                &storage->disk, fault);
    if (status == HF_STATUS_OK)
        status = recover(storage, cluster, fault);
    if (status == HF_STATUS_OK)
        status =
            hf_disk_uring_open(config->data_directory, false, false, (uint32_t)config->block_bytes,
                               &storage->checkpoint_disk, fault);
    if (status != HF_STATUS_OK)
        return status;
    hf_log_writer_defaults(&options);
    options.depth = (uint32_t)config->depth;
    options.segments_ahead = (uint32_t)config->segments_ahead;
    options.batch_count = (uint32_t)config->depth + 1;
    options.batch_capacity = (uint32_t)config->batch_bytes;
    return hf_log_writer_create(storage->disk, &storage->state, &options, &storage->writer, fault);
}

static enum hf_status fill_from_image(void *context, void *buffer, size_t size, size_t *length)
{
    *length = hf_image_write(context, buffer, size);
    return HF_STATUS_OK;
}

enum hf_status storage_write_checkpoint(struct storage *storage, struct hf_fault *fault)
{
    static struct hf_image_writer image; /* one thread, and too large for a stack */
    const struct hf_checkpoint_stream stream = {.context = &image, .source = fill_from_image};
    struct hf_checkpoint_header header;
    enum hf_status status;

    memset(&header, 0, sizeof header);
    hf_log_writer_describe(storage->writer, &header);
    assert(header.place == hf_ledger_place(storage->ledger));
    if (header.index == 0)
        return HF_STATUS_EXISTS; /* nothing has ever been logged: the empty log says it all */
    header.digest = hf_ledger_digest(storage->ledger);
    hf_image_write_begin(&image, storage->ledger);
    status = hf_checkpoint_write(storage->checkpoint_disk, &header, &stream, fault);
    if (status == HF_STATUS_OK)
        storage->checkpoint_place = header.place;
    return status;
}

void storage_close(struct storage *storage)
{
    hf_log_writer_destroy(storage->writer);
    if (storage->checkpoint_disk != NULL)
        storage->checkpoint_disk->maker->destroy(storage->checkpoint_disk);
    if (storage->disk != NULL)
        storage->disk->maker->destroy(storage->disk);
    memset(storage, 0, sizeof *storage);
}
