#include "log_events.h"

#include "engine/image.h"
#include "engine/ledger.h"
#include "log_print.h"
#include "wal/disk_uring.h"
#include "wal/replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEDGER_ALIGNMENT 64

struct telling {
    uint64_t from;
    bool json;
    struct hf_superblock superblock;
    void *memory;
    struct hf_ledger *ledger;
    struct hf_image_reader *image;
    struct hf_events events;
    uint64_t skipped_index; /* records up to this one are in the checkpoint */
};

/* ---- the ledger ---- */

static enum hf_status make_ledger(struct telling *telling, struct hf_fault *fault)
{
    struct hf_ledger_limits limits;
    memcpy(&limits, telling->superblock.settings, sizeof limits);
    size_t size = hf_ledger_memory_size(&limits);
    if (size == 0) {
        snprintf(fault->line, sizeof fault->line, "the superblock names no limits for a ledger");
        return HF_STATUS_WRONG_FORMAT;
    }
    free(telling->memory);
    /* Zeroed by the kernel as it is touched: a large ledger costs what is in it. */
    telling->memory = calloc(1, size + LEDGER_ALIGNMENT);
    if (telling->memory == NULL) {
        snprintf(fault->line, sizeof fault->line, "no memory for a ledger of %zu bytes", size);
        return HF_STATUS_NO_MEMORY;
    }
    uintptr_t beginning =
        ((uintptr_t)telling->memory + LEDGER_ALIGNMENT - 1) & ~(uintptr_t)(LEDGER_ALIGNMENT - 1);
    telling->ledger = hf_ledger_create(&limits, (void *)beginning, size);
    if (telling->ledger == NULL) {
        snprintf(fault->line, sizeof fault->line, "the superblock's limits make no ledger");
        return HF_STATUS_WRONG_FORMAT;
    }
    return HF_STATUS_OK;
}

static enum hf_status take_image(void *context, const void *bytes, size_t length)
{
    struct telling *telling = context;
    return hf_image_read(telling->image, bytes, length);
}

/* Loads the newest whole checkpoint that lies before the place asked for; a broken one is passed
 * over, as the node does. */
static enum hf_status load_checkpoint(struct telling *telling, struct hf_disk *disk,
                                      struct hf_fault *fault)
{
    struct hf_id cluster = telling->superblock.cluster;
    const struct hf_checkpoint_stream stream = {.context = telling, .sink = take_image};
    uint64_t index = UINT64_MAX;
    for (;;) {
        struct hf_checkpoint_header header;
        enum hf_status status = hf_checkpoint_newest(disk, index, &index, fault);
        if (status != HF_STATUS_OK || index == 0)
            return status;
        if (hf_checkpoint_verify(disk, cluster, index, &header, fault) != HF_STATUS_OK ||
            header.place >= telling->from)
            continue;
        hf_image_read_begin(telling->image, telling->ledger);
        status = hf_checkpoint_load(disk, cluster, index, &header, &stream, fault);
        if (status == HF_STATUS_OK)
            status = hf_image_read_end(telling->image);
        if (status != HF_STATUS_OK) {
            snprintf(fault->line, sizeof fault->line,
                     "the checkpoint at record %" PRIu64 " makes no sense", index);
            return status;
        }
        telling->skipped_index = header.index;
        return HF_STATUS_OK;
    }
}

/* ---- the log ---- */

/* Prints what the bundle just applied did, and makes room for the next. */
static void tell_events(void *context)
{
    struct telling *telling = context;
    for (uint32_t i = 0; i < telling->events.count; i++) {
        if (telling->events.list[i].place >= telling->from)
            log_print_event(&telling->events.list[i], telling->json);
    }
    telling->events.count = 0;
}

static enum hf_status take_record(void *context, const struct hf_record_header *record,
                                  struct hf_fault *fault)
{
    struct telling *telling = context;
    if (record->index <= telling->skipped_index || record->count == 0)
        return HF_STATUS_OK;
    if (record->index <= telling->superblock.settings_index) {
        snprintf(fault->line, sizeof fault->line,
                 "record %" PRIu64 " was made before the [ledger] limits were last changed, and no "
                 "checkpoint before the place asked for is newer: ask from a later place",
                 record->index);
        return HF_STATUS_CORRUPT;
    }
    return hf_replay_record(telling->ledger, record, tell_events, telling, fault);
}

/* ---- the face ---- */

static enum hf_status tell(struct telling *telling, struct hf_disk *disk, struct hf_fault *fault)
{
    struct hf_log_state state;
    struct hf_log_options options = {.from_start = true};
    const struct hf_log_replay replay = {.context = telling, .record = take_record};
    enum hf_status status = hf_superblock_read(disk, &telling->superblock, fault);
    if (status == HF_STATUS_OK)
        status = make_ledger(telling, fault);
    if (status == HF_STATUS_OK)
        status = load_checkpoint(telling, disk, fault);
    if (status != HF_STATUS_OK)
        return status;
    hf_ledger_watch(telling->ledger, &telling->events);
    return hf_log_open(disk, &options, &replay, &state, fault);
}

enum hf_status log_events(const char *directory, uint64_t from, bool json, struct hf_fault *fault)
{
    struct telling telling = {.from = from, .json = json};
    struct hf_disk *disk = NULL;
    telling.events.capacity = HF_BUNDLE_OPERATIONS_MAX * HF_EVENTS_MAX;
    telling.events.list = calloc(telling.events.capacity, sizeof *telling.events.list);
    telling.image = calloc(1, sizeof *telling.image);
    enum hf_status status = HF_STATUS_NO_MEMORY;
    if (telling.events.list == NULL || telling.image == NULL)
        snprintf(fault->line, sizeof fault->line, "no memory for events");
    else
        status = hf_disk_uring_open(directory, true, false, 4096, &disk, fault);
    if (status == HF_STATUS_OK)
        status = tell(&telling, disk, fault);
    if (disk != NULL)
        disk->maker->destroy(disk);
    free(telling.image);
    free(telling.events.list);
    free(telling.memory);
    return status;
}
