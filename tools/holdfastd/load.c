#include "load.h"

#include "ahead_disk.h"
#include "clock.h"
#include "engine/image.h"
#include "memory.h"
#include "wal/replay.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Between two lines of progress. */
#define PROGRESS_NS UINT64_C(1000000000)

_Static_assert(sizeof(struct hf_ledger_limits) <= HF_SUPERBLOCK_SETTINGS_SIZE,
               "the superblock's settings have room for the ledger's limits");

/* What is carried from piece to piece and from record to record. */
struct loading {
    struct load *load;
    const struct hf_log_state *state;
    const struct hf_log_options *options;
    struct hf_image_reader *image;
    uint64_t image_length;
    uint64_t image_done;
    bool dirty; /* an image that did not verify has left something in the ledger */
    bool tells;
    uint64_t began_ns;
    uint64_t image_ended_ns; /* also when there was none: the beginning */
    uint64_t next_line_ns;
};

/* ---- the ledger
 * -------------------------------------------------------------------------------------------------
 */

static struct hf_ledger_limits ledger_limits(const struct config *config)
{
    return (struct hf_ledger_limits){
        .accounts = config->accounts,
        .instruments = config->instruments,
        .holds = config->holds,
        .terms = config->terms,
        .parts = config->parts,
        .selectors = config->selectors,
        .limits = config->limits,
        .rolling = config->rolling,
        .remembered = config->remembered,
        .remember_ns = config->remember_ns,
        .record_ns = config->record_ns,
        .id_ahead_ns = config->id_ahead_ns,
    };
}

enum hf_status load_make_ledger(struct load *load, const struct config *config, bool touch,
                                struct hf_fault *fault)
{
    const struct hf_ledger_limits limits = ledger_limits(config);

    load->memory_bytes = hf_ledger_memory_size(&limits);
    if (load->memory_bytes == 0) {
        snprintf(fault->line, sizeof fault->line, "ledger: a limit is outside its range");
        return HF_STATUS_INVALID;
    }
    load->is_touched = touch;
    load->memory = memory_map(load->memory_bytes, touch, &load->place, fault);
    if (load->memory == NULL)
        return HF_STATUS_NO_MEMORY;
    load->ledger = hf_ledger_create(&limits, load->memory, load->memory_bytes);
    if (load->ledger != NULL)
        return HF_STATUS_OK;
    snprintf(fault->line, sizeof fault->line, "no memory for the ledger");
    return HF_STATUS_NO_MEMORY;
}

void load_release(struct load *load)
{
    if (load->memory != NULL)
        memory_unmap(load->memory, load->memory_bytes);
    memset(load, 0, sizeof *load);
}

/* Empty again, in the same memory. */
static void empty_ledger(struct load *load)
{
    const struct hf_ledger_limits limits = *hf_ledger_limits_of(load->ledger);
    const struct hf_ledger *before = load->ledger;

    memory_clear(load->memory, load->memory_bytes, load->is_touched);
    load->ledger = hf_ledger_create(&limits, load->memory, load->memory_bytes);
    assert(load->ledger == before);
}

/* ---- the checkpoint
 * --------------------------------------------------------------------------------------------- */

static bool is_time_to_tell(struct loading *loading, uint64_t *now_ns)
{
    if (!loading->tells)
        return false;
    *now_ns = clock_monotonic_ns();
    if (*now_ns < loading->next_line_ns)
        return false;
    loading->next_line_ns = *now_ns + PROGRESS_NS;
    return true;
}

static enum hf_status begin_image(void *context, const struct hf_checkpoint_header *header,
                                  struct hf_fault *fault)
{
    struct loading *loading = context;

    (void)fault;
    if (loading->dirty)
        empty_ledger(loading->load);
    loading->dirty = header != NULL;
    if (header == NULL)
        return HF_STATUS_OK;
    loading->image_length = header->image_length;
    loading->image_done = 0;
    hf_image_read_begin(loading->image, loading->load->ledger);
    return HF_STATUS_OK;
}

static enum hf_status load_image(void *context, const void *bytes, size_t length,
                                 struct hf_fault *fault)
{
    struct loading *loading = context;
    enum hf_status status = hf_image_read(loading->image, bytes, length);
    uint64_t now_ns;

    if (status == HF_STATUS_FULL) {
        snprintf(fault->line, sizeof fault->line,
                 "the checkpoint holds more than the [ledger] limits allow: raise them");
        return HF_STATUS_INVALID;
    }
    if (status != HF_STATUS_OK)
        snprintf(fault->line, sizeof fault->line, "the checkpoint's image makes no sense");
    loading->image_done += length;
    if (is_time_to_tell(loading, &now_ns))
        fprintf(stderr, "holdfastd: loading the checkpoint: %llu of %llu MiB\n",
                (unsigned long long)loading->image_done >> 20,
                (unsigned long long)loading->image_length >> 20);
    return status;
}

static enum hf_status end_image(void *context, const struct hf_checkpoint_header *header,
                                struct hf_fault *fault)
{
    struct loading *loading = context;
    struct load *load = loading->load;
    enum hf_status status = hf_image_read_end(loading->image);

    if (status == HF_STATUS_OK && hf_ledger_place(load->ledger) == header->place &&
        hf_id_equal(loading->image->digest.sum, header->digest)) {
        loading->image_ended_ns = clock_monotonic_ns();
        load->checkpoint_place = header->place;
        load->image_bytes = header->image_length;
        load->image_ns = loading->image_ended_ns - loading->began_ns;
        if (loading->tells)
            fprintf(stderr, "holdfastd: checkpoint loaded, place %llu: %llu MiB in %.2f s\n",
                    (unsigned long long)header->place,
                    (unsigned long long)header->image_length >> 20, (double)load->image_ns / 1e9);
        return HF_STATUS_OK;
    }
    snprintf(fault->line, sizeof fault->line,
             "checkpoint-%016llx: the image ends at another place or with another digest than the "
             "header names",
             (unsigned long long)header->index);
    return status != HF_STATUS_OK ? status : HF_STATUS_DIVERGED;
}

/* ---- the log
 * ----------------------------------------------------------------------------------------------------
 */

/* A full table refuses, so limits decide answers: a record is replayed under the limits it was made
 * under, or not at all. */
static enum hf_status check_limits(const struct loading *loading,
                                   const struct hf_record_header *record, struct hf_fault *fault)
{
    const struct hf_superblock *superblock = &loading->state->superblock;
    struct hf_ledger_limits then;

    if (record->index <= superblock->settings_index) {
        snprintf(fault->line, sizeof fault->line,
                 "record %llu was made before the [ledger] limits were last changed, and no newer "
                 "checkpoint is whole",
                 (unsigned long long)record->index);
        return HF_STATUS_CORRUPT;
    }
    if (memcmp(superblock->settings, loading->options->settings, sizeof superblock->settings) == 0)
        return HF_STATUS_OK;
    memcpy(&then, superblock->settings, sizeof then);
    snprintf(fault->line, sizeof fault->line,
             "[ledger] limits differ from those of the log: start with accounts %llu instruments "
             "%llu holds %llu terms %llu parts %llu selectors %llu limits %llu rolling %llu "
             "remembered %llu remember %lluns record %lluns id_ahead %lluns, stop clean, then "
             "change them",
             (unsigned long long)then.accounts, (unsigned long long)then.instruments,
             (unsigned long long)then.holds, (unsigned long long)then.terms,
             (unsigned long long)then.parts, (unsigned long long)then.selectors,
             (unsigned long long)then.limits, (unsigned long long)then.rolling,
             (unsigned long long)then.remembered, (unsigned long long)then.remember_ns,
             (unsigned long long)then.record_ns, (unsigned long long)then.id_ahead_ns);
    return HF_STATUS_INVALID;
}

static enum hf_status replay_record(void *context, const struct hf_record_header *record,
                                    struct hf_fault *fault)
{
    struct loading *loading = context;
    const struct hf_log_state *state = loading->state;
    enum hf_status status = HF_STATUS_OK;
    uint64_t now_ns;

    if (record->count != 0)
        status = check_limits(loading, record, fault);
    if (status == HF_STATUS_OK)
        status = hf_replay_record(loading->load->ledger, record, NULL, NULL, fault);
    if (status == HF_STATUS_OK && is_time_to_tell(loading, &now_ns))
        fprintf(stderr,
                "holdfastd: replaying: record %llu, %llu operations, %llu MiB in %.1f s so far\n",
                (unsigned long long)record->index, (unsigned long long)state->operations_replayed,
                (unsigned long long)state->bytes_replayed >> 20,
                (double)(now_ns - loading->image_ended_ns) / 1e9);
    return status;
}

enum hf_status load_log(struct load *load, const struct config *config, struct hf_disk *disk,
                        const struct hf_log_options *wanted, bool is_start,
                        struct hf_log_state *state, struct hf_fault *fault)
{
    struct hf_log_options options = *wanted;
    struct ahead_disk ahead;
    struct loading loading = {
        .load = load,
        .state = state,
        .options = &options,
        .image = calloc(1, sizeof *loading.image),
        .tells = is_start,
        .began_ns = clock_monotonic_ns(),
    };
    const struct hf_log_replay replay = {
        .context = &loading,
        .image_begin = begin_image,
        .image = load_image,
        .image_end = end_image,
        .record = replay_record,
    };
    enum hf_status status;

    if (loading.image == NULL) {
        snprintf(fault->line, sizeof fault->line, "no memory for recovery");
        return HF_STATUS_NO_MEMORY;
    }
    loading.image_ended_ns = loading.began_ns;
    loading.next_line_ns = loading.began_ns + PROGRESS_NS;
    options.node = (uint32_t)config->node;
    options.segment_size = config->segment_bytes;
    memcpy(options.settings, hf_ledger_limits_of(load->ledger), sizeof(struct hf_ledger_limits));
    if (is_start)
        ahead_disk_init(&ahead, disk, config->data_directory);
    status = hf_log_open(is_start ? &ahead.disk : disk, &options, &replay, state, fault);
    if (is_start)
        ahead_disk_finish(&ahead);
    free(loading.image);
    load->replay_ns = clock_monotonic_ns() - loading.image_ended_ns;
    return status;
}
