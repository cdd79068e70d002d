#include "storage.h"

#include "clock.h"
#include "engine/image.h"
#include "key.h"
#include "wal/disk_uring.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Room that is left for a checkpoint, beyond the state as it is now and an eighth more: it may grow
 * until the next look. */
#define ROOM_LEAST (UINT64_C(4) << 20)
#define PAGE_BYTES 4096

_Static_assert(CONFIG_UNFLUSHED_MAX + 1 + HF_PAIR_BATCHES <= HF_LOG_BATCHES_MAX,
               "a node's own batches and the pair's are not too many for a log");

static void tell_recovery(const struct storage *storage)
{
    const struct hf_log_state *state = &storage->state;

    fprintf(
        stderr,
        "holdfastd: log %s: checkpoint of %llu MiB in %llu ms, %llu operations in %llu records "
        "(%llu MiB) replayed in %llu ms, next place %llu\n",
        state->created ? "made" : "recovered", (unsigned long long)storage->load->image_bytes >> 20,
        (unsigned long long)storage->load->image_ns / 1000000,
        (unsigned long long)state->operations_replayed, (unsigned long long)state->records_replayed,
        (unsigned long long)state->bytes_replayed >> 20,
        (unsigned long long)storage->load->replay_ns / 1000000,
        (unsigned long long)state->next_place);
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

/* A new key is durable before the log that it will sign exists. */
static enum hf_status keep_key(void *context, struct hf_fault *fault)
{
    struct storage *storage = context;

    return storage->key_is_new ? key_write(storage->config, storage->secret_key, fault)
                               : HF_STATUS_OK;
}

static enum hf_status recover(struct storage *storage, struct hf_id cluster, struct hf_fault *fault)
{
    struct hf_log_options options = {
        .cluster = cluster,
        .create = true,
        /* A node made anew in another's place is in a later life than that one was. */
        .first_incarnation = (uint64_t)time(NULL),
        .before_create = keep_key,
        .create_context = storage,
    };
    uint64_t began_ns = clock_monotonic_ns();
    enum hf_status status;

    memcpy(options.public_key, hf_chain_key_public(storage->secret_key), sizeof options.public_key);
    status = load_log(storage->load, storage->config, storage->disk, &options, true,
                      &storage->state, fault);
    storage->recovery_ns = clock_monotonic_ns() - began_ns;
    if (status == HF_STATUS_OK)
        tell_recovery(storage);
    return status;
}

/* The lock first: two nodes on one empty directory would each make a key. */
static enum hf_status lock_and_open_key(struct storage *storage, struct hf_fault *fault)
{
    enum hf_status status = storage->disk->maker->lock(storage->disk);

    if (status != HF_STATUS_OK) {
        *fault = storage->disk->fault;
        return status;
    }
    return key_open(storage->config, storage->secret_key, &storage->key_is_new, fault);
}

static enum hf_status take_recent_memory(struct storage *storage, uint32_t bytes,
                                         struct hf_fault *fault)
{
    storage->recent_memory = aligned_alloc(PAGE_BYTES, bytes);
    if (storage->recent_memory == NULL) {
        snprintf(fault->line, sizeof fault->line, "no memory for the pair's newest records");
        return HF_STATUS_NO_MEMORY;
    }
    memset(storage->recent_memory, 0, bytes); /* no page faults later */
    return HF_STATUS_OK;
}

static enum hf_status make_pair(struct storage *storage, const struct hf_pair_options *pair,
                                struct hf_log_writer_options *options, struct hf_fault *fault)
{
    struct hf_pair_options with_memory = *pair;
    enum hf_status status =
        hf_disk_uring_open(storage->config->data_directory, true, false,
                           storage->state.superblock.block_size, &storage->read_disk, fault);

    if (status == HF_STATUS_OK)
        status = take_recent_memory(storage, pair->recent_bytes, fault);
    with_memory.recent_memory = storage->recent_memory;
    if (status == HF_STATUS_OK)
        status = hf_pair_create(&with_memory, &storage->state, storage->disk, storage->read_disk,
                                &storage->pair, fault);
    options->pair_batches = HF_PAIR_BATCHES;
    options->observe = hf_pair_observe;
    options->observe_context = storage->pair;
    return status;
}

enum hf_status storage_open(struct storage *storage, const struct config *config,
                            struct hf_id cluster, struct load *load,
                            const struct hf_pair_options *pair, struct hf_fault *fault)
{
    struct hf_log_writer_options options;
    enum hf_status status;

    memset(storage, 0, sizeof *storage);
    storage->config = config;
    storage->load = load;
    status = hf_disk_uring_open(config->data_directory, false, true, (uint32_t)config->block_bytes,
                                &storage->disk, fault);
    if (status == HF_STATUS_OK)
        status = lock_and_open_key(storage, fault);
    if (status == HF_STATUS_OK)
        status = recover(storage, cluster, fault);
    if (status == HF_STATUS_OK)
        status =
            hf_disk_uring_open(config->data_directory, false, false, (uint32_t)config->block_bytes,
                               &storage->checkpoint_disk, fault);
    if (status != HF_STATUS_OK)
        return status;
    storage_leave_room(storage, hf_image_length(load->ledger));
    hf_log_writer_defaults(&options);
    options.depth = (uint32_t)config->depth;
    options.segments_ahead = (uint32_t)config->segments_ahead;
    options.batch_count = (uint32_t)config->unflushed + 1;
    options.batch_capacity = (uint32_t)config->batch_bytes;
    options.seal_span = (uint32_t)config->seal_records;
    options.secret_key = storage->secret_key;
    if (pair != NULL)
        status = make_pair(storage, pair, &options, fault);
    if (status == HF_STATUS_OK)
        status =
            hf_log_writer_create(storage->disk, &storage->state, &options, &storage->writer, fault);
    hf_chain_key_wipe(storage->secret_key); /* the writer has its own */
    return status;
}

void storage_leave_room(struct storage *storage, uint64_t image_bytes)
{
    uint64_t keep_free_bytes = image_bytes + image_bytes / 8 + ROOM_LEAST;

    atomic_store_explicit(&storage->disk->keep_free_bytes, keep_free_bytes, memory_order_relaxed);
}

enum hf_status storage_fill_from_image(void *context, void *buffer, size_t size, size_t *length)
{
    *length = hf_image_write(context, buffer, size);
    return HF_STATUS_OK;
}

/* There is a checkpoint at this very record, made by the process beside the node: two ledgers, two
 * ways to the same place. */
static enum hf_status compare_digests(struct storage *storage,
                                      const struct hf_checkpoint_header *live,
                                      struct hf_fault *fault)
{
    struct hf_checkpoint_header there;
    enum hf_status status =
        hf_checkpoint_verify(storage->checkpoint_disk, live->cluster, live->index, &there, fault);

    if (status != HF_STATUS_OK)
        return status;
    if (hf_id_equal(there.digest, live->digest) && there.place == live->place)
        return HF_STATUS_EXISTS;
    snprintf(fault->line, sizeof fault->line,
             "checkpoint-%016llx holds another state than this node (digest %016llx%016llx, here "
             "%016llx%016llx): one of them is wrong",
             (unsigned long long)live->index, (unsigned long long)there.digest.hi,
             (unsigned long long)there.digest.lo, (unsigned long long)live->digest.hi,
             (unsigned long long)live->digest.lo);
    return HF_STATUS_DIVERGED;
}

enum hf_status storage_write_checkpoint(struct storage *storage,
                                        const struct hf_checkpoint_header *described,
                                        struct hf_fault *fault)
{
    static struct hf_image_writer image; /* one thread, and too large for a stack */
    const struct hf_ledger *ledger = storage->load->ledger;
    const struct hf_checkpoint_stream stream = {.context = &image,
                                                .source = storage_fill_from_image};
    struct hf_checkpoint_header header = *described;
    enum hf_status status;

    assert(header.place == hf_ledger_place(ledger));
    if (header.index == 0)
        return HF_STATUS_EXISTS; /* nothing has ever been logged: the empty log says it all */
    header.digest = hf_ledger_digest(ledger);
    hf_image_write_begin(&image, ledger);
    status = hf_checkpoint_write(storage->checkpoint_disk, &header, &stream, fault);
    return status == HF_STATUS_EXISTS ? compare_digests(storage, &header, fault) : status;
}

void storage_close(struct storage *storage)
{
    hf_log_writer_destroy(storage->writer);
    hf_pair_destroy(storage->pair);
    free(storage->recent_memory);
    if (storage->read_disk != NULL)
        storage->read_disk->maker->destroy(storage->read_disk);
    if (storage->checkpoint_disk != NULL)
        storage->checkpoint_disk->maker->destroy(storage->checkpoint_disk);
    if (storage->disk != NULL)
        storage->disk->maker->destroy(storage->disk);
    memset(storage, 0, sizeof *storage);
}
