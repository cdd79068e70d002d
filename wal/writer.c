/* Two machines in one, both turned by poll.
 *
 * The log proper: records go to the current segment, each with one durable append. Slots remember
 * what is on its way, by index modulo their count; three indices walk over them:
 *
 *     returned  <=  commit  <=  last
 *     batches given back | durable, not given back | in flight
 *
 * What is in flight is being written, `depth` records of it at most, or waits for its flush: a
 * device whose flush takes its time writes the next records meanwhile, and one flush serves many.
 * last - returned is batch_count at most; of copies, last - commit is pair_batches at most.
 *
 * Every record but a seal goes into the span of the seal to come: hashed while the device writes
 * it, before its batch is given back. A seal is due before the record that would make the span too
 * long, and before the writer leaves a segment; the next segment begins with another, over nothing,
 * so that each segment says by itself what came before it.
 *
 * The maker of segments (segment_maker.h) works when the log is idle, or, when no segment is ready,
 * somewhat ahead of the log. */
#include "writer_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define COMPLETIONS_MAX 32

static void maker_step(struct hf_log_writer *writer);
static void drain(struct hf_log_writer *writer);

/* ---- Create and destroy ---- */

void hf_log_writer_defaults(struct hf_log_writer_options *options)
{
    *options = (struct hf_log_writer_options){
        .depth = HF_LOG_DEPTH_DEFAULT,
        .segments_ahead = HF_LOG_AHEAD_DEFAULT,
        .batch_count = HF_LOG_BATCHES_DEFAULT,
        .batch_capacity = HF_LOG_CAPACITY_DEFAULT,
        .seal_span = HF_CHAIN_SPAN_DEFAULT,
    };
}

/* What all batches take in a segment, all full, with every seal that may fall due meanwhile: one a
 * span, those that open and close the segment, one that was due when they came, and one for time.
 */
static uint64_t batches_size(const struct hf_log_writer_options *options, uint32_t block_size)
{
    uint64_t seals = 4 + options->batch_count / options->seal_span;
    return (uint64_t)options->batch_capacity * options->batch_count + seals * block_size;
}

static enum hf_status check_options(const struct hf_log_writer_options *options,
                                    const struct hf_superblock *superblock, struct hf_fault *fault)
{
    const char *wrong = NULL;
    if (options->depth < 1 || options->depth > HF_LOG_DEPTH_MAX) {
        wrong = "depth";
    } else if (options->segments_ahead < 1 || options->segments_ahead > HF_LOG_AHEAD_MAX) {
        wrong = "segments ahead";
    } else if (options->batch_count < 1 || options->batch_count > HF_LOG_BATCHES_MAX ||
               options->pair_batches > HF_LOG_BATCHES_MAX - options->batch_count) {
        wrong = "batch count";
    } else if (options->batch_capacity == 0 || options->batch_capacity % HF_RECORD_BLOCK_MAX != 0 ||
               options->batch_capacity > HF_RECORD_LENGTH_MAX) {
        wrong = "batch capacity";
    } else if (options->seal_span < 1 || options->seal_span > HF_CHAIN_SPAN_MAX) {
        wrong = "seal span";
    } else if (batches_size(options, superblock->block_size) > superblock->segment_size) {
        wrong = "all batches together: they must fit one segment, their size";
    }
    if (wrong != NULL) {
        snprintf(fault->line, sizeof fault->line, "log writer: the %s is out of range", wrong);
        return HF_STATUS_INVALID;
    }
    if (options->secret_key == NULL ||
        memcmp(hf_chain_key_public(options->secret_key), superblock->public_key,
               sizeof superblock->public_key) != 0) {
        snprintf(fault->line, sizeof fault->line,
                 "log writer: the key is not the one that the log is signed by");
        return HF_STATUS_INVALID;
    }
    return HF_STATUS_OK;
}

static uint32_t all_batches(const struct hf_log_writer_options *options)
{
    return options->batch_count + options->pair_batches;
}

static void init_batches(struct hf_log_writer *writer)
{
    uint32_t capacity = writer->options.batch_capacity;
    for (uint32_t i = 0; i < all_batches(&writer->options); i++) {
        struct hf_log_batch *batch = &writer->batches[i];
        batch->bytes = writer->memory + (size_t)i * capacity;
        batch->capacity = capacity;
        batch->number = i;
        hf_log_batch_begin(batch, 0, 0);
    }
}

enum hf_status hf_log_writer_create(struct hf_disk *disk, const struct hf_log_state *state,
                                    const struct hf_log_writer_options *options,
                                    struct hf_log_writer **writer_made, struct hf_fault *fault)
{
    enum hf_status status = check_options(options, &state->superblock, fault);
    if (status != HF_STATUS_OK) {
        return status;
    }
    assert(state->next_place >= 1);
    assert(state->span.previous_is_known);
    hf_chain_prepare();
    size_t memory_size = (size_t)options->batch_capacity * all_batches(options);
    uint64_t segment_size = state->superblock.segment_size;
    struct hf_log_writer *writer = calloc(1, sizeof *writer);
    uint8_t *memory = aligned_alloc(HF_LOG_BATCH_ALIGNMENT, memory_size);
    uint8_t *seals =
        aligned_alloc(HF_LOG_BATCH_ALIGNMENT, (size_t)options->batch_count * HF_RECORD_BLOCK_MAX);
    if (writer == NULL || memory == NULL || seals == NULL ||
        hf_segment_maker_create(&writer->maker, disk, segment_size) != HF_STATUS_OK) {
        free(writer);
        free(memory);
        free(seals);
        snprintf(fault->line, sizeof fault->line, "log writer: no memory for %zu bytes of batches",
                 memory_size);
        return HF_STATUS_NO_MEMORY;
    }
    memset(memory, 0, memory_size);
    memset(seals, 0, (size_t)options->batch_count * HF_RECORD_BLOCK_MAX);
    writer->disk = disk;
    writer->options = *options;
    writer->options.secret_key = NULL; /* only lent */
    memcpy(writer->secret_key, options->secret_key, sizeof writer->secret_key);
    writer->cluster = state->superblock.cluster;
    writer->node = state->superblock.node;
    /* Of two nodes the leader says which epoch it writes in. */
    writer->epoch =
        options->pair_batches == 0 ? hf_superblock_epoch(&state->superblock) : state->last_epoch;
    writer->block_size = state->superblock.block_size;
    writer->segment_size = segment_size;
    writer->last_index = state->last_index;
    writer->last_hash = state->last_hash;
    writer->next_place = state->next_place;
    writer->last_timestamp_ns = state->last_timestamp_ns;
    writer->last_commit = state->last_commit;
    writer->returned_index = state->last_index;
    writer->span = state->span;
    writer->hashed_index = state->last_index;
    writer->previous.file = -1;
    writer->next.file = -1;
    /* With no segment made yet the current one is number 0: full, so the first record moves on. */
    writer->current = (struct hf_log_segment_file){.file = -1};
    writer->offset = writer->segment_size;
    if (state->segment <= state->segment_last) {
        writer->current.number = state->segment;
        writer->offset = state->offset;
    }
    writer->segment_last = state->segment_last;
    writer->memory = memory;
    writer->seals = seals;
    atomic_init(&writer->commit_index, state->last_index);
    init_batches(writer);
    *writer_made = writer;
    return HF_STATUS_OK;
}

struct hf_log_batch *hf_log_writer_batch(struct hf_log_writer *writer, uint32_t number)
{
    assert(number < all_batches(&writer->options));
    return &writer->batches[number];
}

uint32_t hf_log_writer_own_batches(const struct hf_log_writer *writer)
{
    return writer->options.batch_count;
}

static void close_file(struct hf_log_writer *writer, struct hf_log_segment_file *segment)
{
    if (segment->file >= 0) {
        /* Every record in it is flushed, or will never be acknowledged. */
        (void)!writer->disk->maker->close(writer->disk, segment->file);
        segment->file = -1;
    }
}

static void close_files(struct hf_log_writer *writer)
{
    hf_segment_maker_close(&writer->maker);
    close_file(writer, &writer->previous);
    close_file(writer, &writer->current);
    close_file(writer, &writer->next);
}

void hf_log_writer_destroy(struct hf_log_writer *writer)
{
    if (writer == NULL) {
        return;
    }
    /* The device may still read from the batches: not one is released before all have ended. */
    drain(writer);
    close_files(writer);
    free(writer->memory);
    free(writer->seals);
    hf_segment_maker_destroy(&writer->maker);
    hf_chain_key_wipe(writer->secret_key);
    free(writer);
}

/* ---- State that others see ---- */

/* P7: the first error is the last word. */
static void poison(struct hf_log_writer *writer, const char *what, const char *why)
{
    if (atomic_load_explicit(&writer->poisoned, memory_order_relaxed)) {
        return;
    }
    snprintf(writer->fault.line, sizeof writer->fault.line, "the log is poisoned: %s: %.150s", what,
             why);
    atomic_store_explicit(&writer->room, false, memory_order_relaxed);
    /* Release, with the acquire in hf_log_writer_is_poisoned: who sees it sees the fault line. */
    atomic_store_explicit(&writer->poisoned, true, memory_order_release);
}

uint64_t hf_log_writer_commit_index(const struct hf_log_writer *writer)
{
    /* Acquire, with the release in advance_commit. */
    return atomic_load_explicit(&writer->commit_index, memory_order_acquire);
}

bool hf_log_writer_has_room(const struct hf_log_writer *writer)
{
    /* A hint, and always a late one: the promise behind it has all batches to spare. */
    return atomic_load_explicit(&writer->room, memory_order_relaxed);
}

bool hf_log_writer_lacks_space(const struct hf_log_writer *writer)
{
    /* A hint like the one above. */
    return atomic_load_explicit(&writer->lacks_space, memory_order_relaxed);
}

bool hf_log_writer_is_poisoned(const struct hf_log_writer *writer)
{
    return atomic_load_explicit(&writer->poisoned, memory_order_acquire);
}

const struct hf_fault *hf_log_writer_fault(const struct hf_log_writer *writer)
{
    static const struct hf_fault none;
    return hf_log_writer_is_poisoned(writer) ? &writer->fault : &none;
}

static uint64_t segments_ready(const struct hf_log_writer *writer)
{
    assert(writer->segment_last >= writer->current.number);
    return writer->segment_last - writer->current.number;
}

/* Room for all batches, all full: so much may be under way when the answer is read elsewhere. */
static void publish_room(struct hf_log_writer *writer)
{
    uint64_t wanted = batches_size(&writer->options, writer->block_size);
    bool room = segments_ready(writer) != 0 || writer->segment_size - writer->offset >= wanted;
    atomic_store_explicit(&writer->room, room && !hf_log_is_poisoned(writer), memory_order_relaxed);
}

void hf_log_writer_count(const struct hf_log_writer *writer, struct hf_log_writer_counts *counts)
{
    *counts = (struct hf_log_writer_counts){
        .last_index = writer->last_index,
        .commit_index = hf_log_commit_of(writer),
        .in_flight = (uint32_t)(writer->last_index - writer->returned_index),
        .segments_ready = (uint32_t)segments_ready(writer),
        .segment = writer->current.number,
        .offset = writer->offset,
        .records = writer->records,
        .seals = writer->seal_count,
        .unsealed = hf_log_span_count(writer),
        .operations = writer->operations,
        .bytes_logical = writer->bytes_logical,
        .bytes_device = writer->bytes_device,
    };
}

void hf_log_writer_describe(const struct hf_log_writer *writer, struct hf_checkpoint_header *header)
{
    assert(writer->returned_index == writer->last_index);
    assert(hf_log_commit_of(writer) == writer->last_index);
    memset(header, 0, sizeof *header);
    header->cluster = writer->cluster;
    header->index = writer->last_index;
    header->epoch = writer->epoch;
    header->place = writer->next_place - 1;
    header->timestamp_ns = writer->last_timestamp_ns;
    header->record_hash = writer->last_hash;
}

/* ---- Submitting ---- */

static enum hf_status open_named(struct hf_log_writer *writer, struct hf_log_segment_file *segment)
{
    char name[HF_DISK_NAME_SIZE];
    hf_segment_format_name(segment->number, name);
    enum hf_status status = writer->disk->maker->open(
        writer->disk, name, HF_DISK_WRITE | HF_DISK_DIRECT, &segment->file);
    if (status != HF_STATUS_OK) {
        segment->file = -1;
        poison(writer, "a segment cannot be opened", writer->disk->fault.line);
        return HF_STATUS_IO;
    }
    return HF_STATUS_OK;
}

/* Has the next segment open before it is needed, so that moving on costs nothing. */
static enum hf_status open_next(struct hf_log_writer *writer)
{
    if (writer->next.file >= 0 || segments_ready(writer) == 0) {
        return HF_STATUS_OK;
    }
    writer->next.number = writer->current.number + 1;
    return open_named(writer, &writer->next);
}

/* Moves on to the next segment. What is left of the current one stays zeros. */
enum hf_status hf_log_move_on(struct hf_log_writer *writer)
{
    if (segments_ready(writer) == 0) {
        return HF_STATUS_FULL;
    }
    if (writer->previous.file >= 0) {
        /* All batches fit one segment, so this one's records are on their way out. */
        return HF_STATUS_AGAIN;
    }
    enum hf_status status = open_next(writer);
    if (status != HF_STATUS_OK) {
        return status;
    }
    assert(writer->previous_count == 0);
    uint64_t commit = hf_log_commit_of(writer);
    for (uint64_t index = commit + 1; index <= writer->last_index; index++) {
        struct hf_log_slot *slot = &writer->slots[index % HF_LOG_SLOTS];
        if (!slot->durable) {
            slot->in_previous = true;
            writer->previous_count++;
        }
    }
    writer->previous = writer->current;
    if (writer->previous_count == 0) {
        close_file(writer, &writer->previous);
    }
    writer->current = writer->next;
    writer->next = (struct hf_log_segment_file){.file = -1};
    writer->offset = 0;
    return HF_STATUS_OK;
}

/* What the next record may call committed: of a log on two nodes only what is flushed wherever a
 * copy of that record may be in flight. It never falls from record to record. */
static uint64_t commit_to_say(const struct hf_log_writer *writer)
{
    if (writer->options.pair_batches == 0) {
        return hf_log_commit_of(writer);
    }
    uint64_t commit =
        writer->committed < hf_log_commit_of(writer) ? writer->committed : hf_log_commit_of(writer);
    uint64_t oldest =
        writer->last_index > HF_LOG_UNFLUSHED_MAX ? writer->last_index - HF_LOG_UNFLUSHED_MAX : 0;
    commit = commit < oldest ? commit : oldest;
    return commit > writer->last_commit ? commit : writer->last_commit;
}

/* The header of the next record, but for its hash. */
static struct hf_record_header next_header(const struct hf_log_writer *writer)
{
    return (struct hf_record_header){
        .magic = HF_RECORD_MAGIC,
        .format = HF_RECORD_FORMAT,
        .cluster = writer->cluster,
        .epoch = writer->epoch,
        .index = writer->last_index + 1,
        .first_place = writer->next_place,
        .timestamp_ns = writer->last_timestamp_ns,
        .commit = commit_to_say(writer),
        .prev_hash = writer->last_hash,
    };
}

enum hf_status hf_log_append(struct hf_log_writer *writer, struct hf_record_header *record,
                             struct hf_log_batch *batch, bool is_copy)
{
    uint32_t padded = hf_record_padded_length(record->length, writer->block_size);
    assert(padded <= writer->segment_size - writer->offset);
    assert(is_copy ? hf_log_may_copy(writer) : hf_log_may_append(writer));
    memset((uint8_t *)record + record->length, 0, padded - record->length);
    if (!is_copy) {
        hf_record_seal(record);
    }
    enum hf_status status = writer->disk->maker->append(
        writer->disk, writer->current.file, writer->offset, record, padded, record->index);
    if (status == HF_STATUS_AGAIN) {
        return HF_STATUS_AGAIN;
    }
    if (status != HF_STATUS_OK) {
        poison(writer, "a record cannot be queued", writer->disk->fault.line);
        return HF_STATUS_IO;
    }
    writer->slots[record->index % HF_LOG_SLOTS] = (struct hf_log_slot){.batch = batch};
    writer->outstanding++;
    writer->last_index = record->index;
    writer->last_hash = record->hash;
    writer->next_place = record->first_place + record->count;
    writer->last_timestamp_ns = record->timestamp_ns;
    writer->last_commit = record->commit;
    writer->offset += padded;
    writer->records++;
    writer->operations += record->count;
    writer->bytes_logical += record->length;
    writer->bytes_device += padded;
    if (writer->options.observe != NULL) {
        writer->options.observe(writer->options.observe_context, record);
    }
    return HF_STATUS_OK;
}

/* ---- Sealing ---- */

/* Takes what was appended into the span. The device may read the same bytes meanwhile. */
void hf_log_hash_appended(struct hf_log_writer *writer)
{
    while (writer->hashed_index < writer->last_index) {
        writer->hashed_index++;
        const struct hf_log_batch *batch = writer->slots[writer->hashed_index % HF_LOG_SLOTS].batch;
        assert(batch != NULL); /* a seal counts as hashed from the first */
        assert(batch->index == writer->hashed_index);
        hf_chain_span_add(&writer->span,
                          (const struct hf_record_header *)(const void *)batch->bytes);
    }
}

enum hf_status hf_log_append_seal(struct hf_log_writer *writer)
{
    if (!hf_log_may_append(writer)) {
        return HF_STATUS_AGAIN;
    }
    hf_log_hash_appended(writer);
    uint64_t index = writer->last_index + 1;
    uint64_t block = index % writer->options.batch_count;
    struct hf_record_header *record =
        (struct hf_record_header *)(void *)(writer->seals + block * HF_RECORD_BLOCK_MAX);
    *record = next_header(writer);
    record->kind = HF_RECORD_SEAL;
    record->length = HF_CHAIN_SEAL_LENGTH;
    hf_chain_seal_make(&writer->span, record, writer->node, writer->secret_key);
    enum hf_status status = hf_log_append(writer, record, NULL, false);
    if (status == HF_STATUS_OK) {
        hf_chain_span_next(&writer->span, record);
        writer->hashed_index = record->index;
        writer->seal_count++;
    }
    return status;
}

/* Leaves every seal that has to stand before a record of this size, and goes to the segment that
 * has room for it and for the seal that will close the segment. May be asked again after AGAIN or
 * FULL: what has been done is not done twice. */
static enum hf_status make_way(struct hf_log_writer *writer, uint32_t padded)
{
    enum hf_status status = HF_STATUS_OK;
    bool fits = !writer->leaves_segment &&
                padded + writer->block_size <= writer->segment_size - writer->offset;
    uint64_t count = hf_log_span_count(writer);
    if (count >= writer->options.seal_span || (count != 0 && !fits)) {
        status = hf_log_append_seal(writer);
        fits = fits && padded + writer->block_size <= writer->segment_size - writer->offset;
    }
    if (status == HF_STATUS_OK && !fits) {
        status = hf_log_move_on(writer);
        writer->leaves_segment = writer->leaves_segment && status != HF_STATUS_OK;
    }
    if (status == HF_STATUS_OK && writer->offset == 0 && writer->last_index != 0) {
        status = hf_log_append_seal(writer);
    }
    return status;
}

enum hf_status hf_log_writer_submit(struct hf_log_writer *writer, struct hf_log_batch *batch)
{
    assert(batch == &writer->batches[batch->number]);
    assert(writer->attached);
    assert(batch->length >= HF_RECORD_HEADER_SIZE);
    assert(batch->length <= batch->capacity);
    assert(batch->first_place == writer->next_place);
    assert(batch->timestamp_ns >= writer->last_timestamp_ns);
    if (hf_log_is_poisoned(writer)) {
        return HF_STATUS_IO;
    }
    if (!hf_log_may_append(writer)) {
        return HF_STATUS_AGAIN;
    }
    enum hf_status status =
        make_way(writer, hf_record_padded_length(batch->length, writer->block_size));
    if (status != HF_STATUS_OK) {
        return status;
    }
    if (!hf_log_may_append(writer)) {
        return HF_STATUS_AGAIN;
    }
    struct hf_record_header *record = (struct hf_record_header *)(void *)batch->bytes;
    *record = next_header(writer);
    record->kind = batch->count == 0 ? HF_RECORD_MARK : HF_RECORD_OPERATIONS;
    record->length = batch->length;
    record->count = batch->count;
    record->timestamp_ns = batch->timestamp_ns;
    record->digest = batch->count == 0 ? batch->digest : (struct hf_id){0};
    batch->index = record->index;
    status = hf_log_append(writer, record, batch, false);
    return status;
}

enum hf_status hf_log_writer_seal(struct hf_log_writer *writer)
{
    assert(writer->attached);
    if (hf_log_is_poisoned(writer)) {
        return HF_STATUS_IO;
    }
    if (hf_log_span_count(writer) == 0) {
        return HF_STATUS_OK;
    }
    /* Room for it is kept: no record takes a segment's last block. */
    assert(writer->block_size <= writer->segment_size - writer->offset);
    return hf_log_append_seal(writer);
}

/* ---- Collecting ---- */

static void record_completed(struct hf_log_writer *writer,
                             const struct hf_disk_completion *completion)
{
    uint64_t index = completion->tag;
    assert(index > hf_log_commit_of(writer));
    assert(index <= writer->last_index);
    struct hf_log_slot *slot = &writer->slots[index % HF_LOG_SLOTS];
    assert(!slot->durable);
    if (completion->status != HF_STATUS_OK) {
        char what[64];
        snprintf(what, sizeof what, "record %" PRIu64 " was not written and flushed", index);
        poison(writer, what, strerror(completion->error));
        return;
    }
    slot->durable = true;
    if (slot->in_previous) {
        assert(writer->previous_count > 0);
        writer->previous_count--;
        if (writer->previous_count == 0) {
            close_file(writer, &writer->previous);
        }
    }
}

/* What became of a step of the maker's. */
static void heed_maker(struct hf_log_writer *writer, enum hf_status status)
{
    const struct hf_segment_maker *maker = &writer->maker;
    if (status != HF_STATUS_OK) {
        poison(writer, maker->wrong,
               maker->error != 0 ? strerror(maker->error) : writer->disk->fault.line);
    }
    atomic_store_explicit(&writer->lacks_space, maker->lacks_space, memory_order_relaxed);
}

static void collect(struct hf_log_writer *writer)
{
    struct hf_disk_completion completions[COMPLETIONS_MAX];
    uint32_t count = 0;
    do {
        count = writer->disk->maker->poll(writer->disk, completions, COMPLETIONS_MAX);
        assert(count <= writer->outstanding);
        writer->outstanding -= count;
        for (uint32_t i = 0; i < count; i++) {
            if (completions[i].tag == HF_SEGMENT_MAKER_TAG) {
                heed_maker(writer, hf_segment_maker_completed(&writer->maker, &completions[i]));
            } else {
                record_completed(writer, &completions[i]);
            }
        }
    } while (count == COMPLETIONS_MAX);
}

/* The commit index follows the longest durable prefix. */
static void advance_commit(struct hf_log_writer *writer)
{
    uint64_t before = hf_log_commit_of(writer);
    uint64_t commit = before;
    while (commit < writer->last_index && writer->slots[(commit + 1) % HF_LOG_SLOTS].durable) {
        commit++;
    }
    if (commit != before) {
        /* Release, with the acquire in hf_log_writer_commit_index: what the record's completion
         * stands for has happened before. */
        atomic_store_explicit(&writer->commit_index, commit, memory_order_release);
    }
}

uint32_t hf_log_writer_poll(struct hf_log_writer *writer, struct hf_log_batch *done[],
                            uint32_t most)
{
    assert(writer->attached);
    collect(writer);
    if (hf_log_is_poisoned(writer)) {
        return 0;
    }
    hf_log_hash_appended(writer);
    advance_commit(writer);
    uint64_t commit = hf_log_commit_of(writer);
    uint32_t count = 0;
    while (count < most && writer->returned_index < commit) {
        writer->returned_index++;
        struct hf_log_slot *slot = &writer->slots[writer->returned_index % HF_LOG_SLOTS];
        assert(slot->durable);
        if (slot->batch == NULL) {
            continue; /* a seal is nobody's */
        }
        assert(slot->batch->index == writer->returned_index);
        done[count++] = slot->batch;
        slot->batch = NULL;
    }
    maker_step(writer);
    publish_room(writer);
    return count;
}

/* Waits for everything that is on its way to the disk, good or bad. */
static void drain(struct hf_log_writer *writer)
{
    while (writer->outstanding != 0) {
        collect(writer);
        writer->disk->maker->wait(writer->disk);
    }
}

/* ---- The maker of segments ---- */

/* Whether the maker may take the device's and the thread's time now: when nothing is in flight; or
 * when no segment is ready, and the one in the making is not yet as far ahead of the one in use as
 * it takes to be ready, named and all, while that still has room for all batches. */
static bool maker_may_work(const struct hf_log_writer *writer)
{
    const struct hf_segment_maker *maker = &writer->maker;
    if (writer->last_index == hf_log_commit_of(writer)) {
        return true;
    }
    if (segments_ready(writer) != 0) {
        return false;
    }
    uint64_t ahead = 2 * batches_size(&writer->options, writer->block_size);
    return maker->making != HF_SEGMENT_MAKING_PIECES || maker->filled <= writer->offset + ahead;
}

static void maker_step(struct hf_log_writer *writer)
{
    struct hf_segment_maker *maker = &writer->maker;
    bool queued = false;
    bool made = false;
    if (open_next(writer) != HF_STATUS_OK || maker->is_busy || hf_segment_maker_rests(maker)) {
        return;
    }
    if (maker->making == HF_SEGMENT_MAKING_NOTHING &&
        segments_ready(writer) >= writer->options.segments_ahead) {
        return;
    }
    if (!maker_may_work(writer)) {
        return;
    }
    heed_maker(writer, hf_segment_maker_step(maker, writer->segment_last + 1, &queued, &made));
    if (hf_log_is_poisoned(writer)) {
        return;
    }
    writer->outstanding += queued;
    writer->segment_last += made;
}

/* ---- Attaching ---- */

enum hf_status hf_log_writer_attach(struct hf_log_writer *writer, struct hf_fault *fault)
{
    assert(!writer->attached);
    void *buffers[HF_LOG_BATCHES_MAX];
    uint32_t count = all_batches(&writer->options);
    for (uint32_t i = 0; i < count; i++) {
        buffers[i] = writer->batches[i].bytes;
    }
    enum hf_status status =
        writer->disk->maker->attach(writer->disk, buffers, writer->options.batch_capacity, count);
    if (status != HF_STATUS_OK) {
        *fault = writer->disk->fault;
        return status;
    }
    writer->attached = true;
    if (writer->current.number != 0 && open_named(writer, &writer->current) != HF_STATUS_OK) {
        *fault = writer->fault;
        return HF_STATUS_IO;
    }
    publish_room(writer);
    while (!hf_log_writer_has_room(writer) && writer->maker.making != HF_SEGMENT_MAKING_BLOCKED) {
        struct hf_log_batch *none = NULL;
        uint32_t returned = hf_log_writer_poll(writer, &none, 1);
        assert(returned == 0);
        if (hf_log_is_poisoned(writer)) {
            *fault = writer->fault;
            return HF_STATUS_IO;
        }
        /* What makes it are the kernel's threads, maybe on this very core. */
        writer->disk->maker->wait(writer->disk);
    }
    return HF_STATUS_OK;
}

/* ---- Detaching ---- */

/* Signs the log's end, and says as its last word that all of it is committed: damage to it is then
 * no torn tail at the next start. Goes without when there is no room. */
static void seal_end(struct hf_log_writer *writer)
{
    bool fits = writer->block_size <= writer->segment_size - writer->offset;
    if ((fits || hf_log_move_on(writer) == HF_STATUS_OK) &&
        hf_log_append_seal(writer) == HF_STATUS_OK) {
        drain(writer);
    }
}

void hf_log_writer_detach(struct hf_log_writer *writer)
{
    if (!writer->attached) {
        return;
    }
    drain(writer);
    if (!hf_log_is_poisoned(writer)) {
        hf_log_hash_appended(writer);
        advance_commit(writer);
    }
    if (!hf_log_is_poisoned(writer) && writer->options.pair_batches == 0 &&
        (writer->operations != 0 || hf_log_span_count(writer) != 0)) {
        assert(hf_log_commit_of(writer) == writer->last_index);
        seal_end(writer);
    }
    if (!hf_log_is_poisoned(writer)) {
        advance_commit(writer);
        writer->returned_index = writer->last_index;
    }
    atomic_store_explicit(&writer->room, false, memory_order_relaxed);
    close_files(writer);
    writer->attached = false;
}
