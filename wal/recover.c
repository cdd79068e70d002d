/* The steps of opening a log, in their order:
 *
 *   1 take the lock               nothing has been written so far, nor is until step 6
 *   2 superblock                  or an empty directory, which becomes a log
 *   3 newest whole checkpoint     a broken one counts as evidence of what was committed
 *   4 replay                      record after record, each chained to the one before
 *   5 judge what lies beyond      nothing, a torn tail, or corruption (FORMAT.md, the tail rule)
 *   6 flush what was replayed, cut the tail, clear away temporary files, next incarnation */
#include "recover.h"
#include "reader.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the steps hand on to each other. */
struct opening {
    struct hf_disk *disk;
    const struct hf_log_options *options;
    const struct hf_log_replay *replay;
    struct hf_log_state *state;
    struct hf_fault *fault;

    struct hf_segment_range range;
    struct hf_checkpoint_header checkpoint; /* the one loaded */
    struct hf_log_reader reader;
    struct hf_log_chain chain;
    uint64_t replay_segment; /* the first that was read */
};

static enum hf_status disk_fault(struct opening *opening, enum hf_status status)
{
    if (status != HF_STATUS_OK) {
        *opening->fault = opening->disk->fault;
    }
    return status;
}

static enum hf_status reader_fault(struct opening *opening, enum hf_status status)
{
    if (status != HF_STATUS_OK) {
        *opening->fault = opening->reader.fault;
    }
    return status;
}

/* ---- 2: the superblock ---- */

struct strangers {
    char name[HF_DISK_NAME_SIZE]; /* one of the files found, or empty */
};

static bool strangers_visit(void *context, const char *name)
{
    struct strangers *strangers = context;
    /* All that a first start, cut short, can have left. */
    if (strcmp(name, "superblock.tmp") == 0) {
        return true;
    }
    snprintf(strangers->name, sizeof strangers->name, "%s", name);
    return false;
}

static enum hf_status create_superblock(struct opening *opening)
{
    const struct hf_log_options *options = opening->options;
    struct hf_superblock *superblock = &opening->state->superblock;
    struct strangers strangers = {{0}};
    enum hf_status status =
        disk_fault(opening, opening->disk->maker->list(opening->disk, strangers_visit, &strangers));
    if (status != HF_STATUS_OK) {
        return status;
    }
    char *line = opening->fault->line;
    if (strangers.name[0] != '\0') {
        snprintf(line, HF_FAULT_LINE_SIZE,
                 "found the file %s but no superblock: not a Holdfast data directory, and not an "
                 "empty one",
                 strangers.name);
        return HF_STATUS_WRONG_FORMAT;
    }
    if (!options->create || opening->disk->read_only) {
        snprintf(line, HF_FAULT_LINE_SIZE, "no superblock: the data directory is empty");
        return HF_STATUS_NOT_FOUND;
    }
    if (hf_id_is_reserved(options->cluster)) {
        snprintf(line, HF_FAULT_LINE_SIZE, "a new log needs a cluster id");
        return HF_STATUS_INVALID;
    }
    if (options->segment_size < HF_SEGMENT_SIZE_MIN ||
        options->segment_size > HF_SEGMENT_SIZE_MAX ||
        options->segment_size % HF_RECORD_BLOCK_MAX != 0) {
        snprintf(line, HF_FAULT_LINE_SIZE,
                 "segment size %" PRIu64 ": expected a multiple of %d from %" PRIu64 " to %" PRIu64,
                 options->segment_size, HF_RECORD_BLOCK_MAX, HF_SEGMENT_SIZE_MIN,
                 HF_SEGMENT_SIZE_MAX);
        return HF_STATUS_INVALID;
    }
    hf_superblock_init(superblock, options->cluster, options->node, opening->disk->block_size,
                       options->segment_size);
    superblock->incarnation = 1;
    memcpy(superblock->settings, options->settings, sizeof superblock->settings);
    opening->state->created = true;
    return hf_superblock_create(opening->disk, superblock, opening->fault);
}

static enum hf_status open_superblock(struct opening *opening)
{
    struct hf_superblock *superblock = &opening->state->superblock;
    enum hf_status status = hf_superblock_read(opening->disk, superblock, opening->fault);
    if (status == HF_STATUS_NOT_FOUND) {
        return create_superblock(opening);
    }
    if (status == HF_STATUS_OK) {
        status = hf_superblock_expect(superblock, opening->options->cluster, opening->options->node,
                                      opening->fault);
    }
    if (status == HF_STATUS_OK) {
        /* A log keeps the block size it was made with, whatever the setting says now. */
        opening->disk->block_size = superblock->block_size;
    }
    return status;
}

/* ---- 3: the checkpoint ---- */

struct image_sink {
    const struct hf_log_replay *replay;
    struct hf_fault *fault;
};

static enum hf_status image_sink(void *context, const void *bytes, size_t length)
{
    struct image_sink *sink = context;
    return sink->replay->image(sink->replay->context, bytes, length, sink->fault);
}

/* The newest one that verifies, every byte of it; 0 when none does, or none is wanted. That a
 * checkpoint was named at all says its record was committed, even when the file has rotted since.
 */
static enum hf_status choose_checkpoint(struct opening *opening, uint64_t *index)
{
    struct hf_log_state *state = opening->state;
    enum hf_status status = hf_checkpoint_newest(opening->disk, UINT64_MAX, index, opening->fault);
    if (status != HF_STATUS_OK) {
        return status;
    }
    state->known_commit = *index;
    if (opening->options->from_start) {
        *index = 0;
    }
    while (status == HF_STATUS_OK && *index != 0) {
        status = hf_checkpoint_verify(opening->disk, state->superblock.cluster, *index,
                                      &opening->checkpoint, opening->fault);
        if (status != HF_STATUS_CORRUPT && status != HF_STATUS_WRONG_FORMAT) {
            break;
        }
        state->checkpoints_broken++;
        status = hf_checkpoint_newest(opening->disk, *index, index, opening->fault);
    }
    return status;
}

static enum hf_status load_checkpoint(struct opening *opening)
{
    uint64_t index = 0;
    enum hf_status status = choose_checkpoint(opening, &index);
    if (status != HF_STATUS_OK) {
        return status;
    }
    if (index == 0) {
        return HF_STATUS_OK;
    }
    assert(opening->replay->image != NULL);
    assert(opening->replay->image_end != NULL);
    struct image_sink sink = {.replay = opening->replay, .fault = opening->fault};
    struct hf_checkpoint_stream stream = {.context = &sink, .sink = image_sink};
    status = hf_checkpoint_load(opening->disk, opening->state->superblock.cluster, index,
                                &opening->checkpoint, &stream, opening->fault);
    if (status == HF_STATUS_OK) {
        status = opening->replay->image_end(opening->replay->context, &opening->checkpoint,
                                            opening->fault);
    }
    if (status == HF_STATUS_OK) {
        opening->state->checkpoint_index = index;
    }
    return status;
}

/* ---- 4: replay ---- */

/* Goes to the newest segment that begins no later than the first record to replay, and sets the
 * chain to what stands before that segment. A segment whose first record is damaged is passed by:
 * reading runs into it from the one before. */
static enum hf_status seek_after_checkpoint(struct opening *opening)
{
    const struct hf_checkpoint_header *checkpoint = &opening->checkpoint;
    struct hf_log_reader *reader = &opening->reader;
    for (uint64_t s = opening->range.last; s >= opening->range.first && s != 0; s--) {
        const struct hf_record_header *record = NULL;
        enum hf_status status = hf_log_reader_seek(reader, s, 0);
        if (status == HF_STATUS_OK) {
            status = hf_log_reader_peek(reader, &record);
        }
        if (status == HF_STATUS_NOT_FOUND ||
            (status == HF_STATUS_OK && record->index > checkpoint->index + 1)) {
            continue;
        }
        if (status != HF_STATUS_OK) {
            return reader_fault(opening, status);
        }
        hf_log_chain_before(&opening->chain, record);
        opening->replay_segment = s;
        return HF_STATUS_OK;
    }
    snprintf(opening->fault->line, HF_FAULT_LINE_SIZE,
             "log-%016" PRIx64 " at offset 0: no segment holds record %" PRIu64
             ", which follows the checkpoint",
             opening->range.first, checkpoint->index + 1);
    return HF_STATUS_CORRUPT;
}

static enum hf_status seek_start(struct opening *opening)
{
    struct hf_log_reader *reader = &opening->reader;
    hf_log_chain_init(&opening->chain);
    if (opening->state->checkpoint_index != 0) {
        return seek_after_checkpoint(opening);
    }
    enum hf_status status = hf_log_reader_seek(reader, opening->range.first, 0);
    if (status != HF_STATUS_OK) {
        return reader_fault(opening, status);
    }
    opening->replay_segment = opening->range.first;
    if (opening->options->from_start) {
        /* Older segments may have been archived: whatever is first, is first. */
        const struct hf_record_header *record = NULL;
        status = hf_log_reader_peek(reader, &record);
        if (status == HF_STATUS_OK) {
            hf_log_chain_before(&opening->chain, record);
        } else if (status == HF_STATUS_NOT_FOUND) {
            status = HF_STATUS_OK;
        }
    }
    return reader_fault(opening, status);
}

/* The chain has reached the checkpoint's record: is it the same one? */
static enum hf_status compare_checkpoint(struct opening *opening)
{
    const struct hf_checkpoint_header *checkpoint = &opening->checkpoint;
    if (!hf_hash_equal(opening->chain.hash, checkpoint->record_hash) ||
        opening->chain.next_place != checkpoint->place + 1) {
        snprintf(opening->fault->line, HF_FAULT_LINE_SIZE,
                 "log-%016" PRIx64 " at offset %" PRIu64 ": record %" PRIu64
                 " is not the one that its checkpoint was made after",
                 opening->reader.segment, opening->reader.offset, checkpoint->index);
        return HF_STATUS_CORRUPT;
    }
    return HF_STATUS_OK;
}

static enum hf_status replay_records(struct opening *opening)
{
    struct hf_log_state *state = opening->state;
    struct hf_log_chain *chain = &opening->chain;
    bool compared = state->checkpoint_index == 0;
    for (;;) {
        if (!compared && chain->index == state->checkpoint_index) {
            enum hf_status same = compare_checkpoint(opening);
            if (same != HF_STATUS_OK) {
                return same;
            }
            chain->timestamp_ns = opening->checkpoint.timestamp_ns;
            compared = true;
        }
        const struct hf_record_header *record = NULL;
        enum hf_status status = hf_log_reader_next(&opening->reader, chain, &record);
        if (status == HF_STATUS_NOT_FOUND) {
            return HF_STATUS_OK;
        }
        if (status != HF_STATUS_OK) {
            return reader_fault(opening, status);
        }
        if (record->commit > state->known_commit) {
            state->known_commit = record->commit;
        }
        if (record->index <= state->checkpoint_index) {
            continue; /* in the image already */
        }
        status = opening->replay->record(opening->replay->context, record, opening->fault);
        if (status != HF_STATUS_OK) {
            return status;
        }
        state->records_replayed++;
        state->operations_replayed += record->count;
        state->bytes_replayed +=
            hf_record_padded_length(record->length, opening->reader.block_size);
    }
}

/* ---- 5: what lies beyond ---- */

static enum hf_status committed_but_gone(struct opening *opening, uint64_t segment, uint64_t offset,
                                         const char *witness, uint64_t witness_index)
{
    snprintf(opening->fault->line, HF_FAULT_LINE_SIZE,
             "log-%016" PRIx64 " at offset %" PRIu64 ": record %" PRIu64
             " is damaged or missing, but %s %" PRIu64 " says that it was committed",
             segment, offset, opening->chain.index + 1, witness, witness_index);
    return HF_STATUS_CORRUPT;
}

/* One block that is not zeros, after the end of the log: a whole record of this log, or debris.
 * Goes past it. */
static enum hf_status judge_debris(struct opening *opening)
{
    struct hf_log_state *state = opening->state;
    struct hf_log_reader *reader = &opening->reader;
    const struct hf_record_header *record = NULL;
    uint64_t lost = opening->chain.index + 1;
    if (state->cut_bytes == 0) {
        state->cut_segment = reader->segment;
        state->cut_offset = reader->segment == state->segment ? state->offset : 0;
    }
    enum hf_status status = hf_log_reader_peek(reader, &record);
    if (status != HF_STATUS_OK && status != HF_STATUS_NOT_FOUND) {
        return reader_fault(opening, status);
    }
    uint32_t length = reader->block_size;
    if (status == HF_STATUS_OK && record->index >= lost) {
        if (state->cut_bytes == 0 && reader->offset == 0) {
            /* The next segment begins with a whole one: what is missing stood before it. */
            state->cut_segment = state->segment;
            state->cut_offset = state->offset;
        }
        if (record->commit >= lost) {
            return committed_but_gone(opening, state->cut_segment, state->cut_offset, "record",
                                      record->index);
        }
        state->cut_records++;
        length = hf_record_padded_length(record->length, reader->block_size);
    }
    state->cut_bytes += length;
    hf_log_reader_skip(reader, length);
    return HF_STATUS_OK;
}

/* The tail rule. The log ends before the first record that is not whole or does not follow; call
 * its index n. If anything says that n was committed, somebody may have been answered on the
 * strength of it: corruption. If nothing does, n and all after it were still in flight. */
static enum hf_status judge_tail(struct opening *opening)
{
    struct hf_log_state *state = opening->state;
    struct hf_log_reader *reader = &opening->reader;
    for (uint64_t s = state->segment; s <= opening->range.last; s++) {
        enum hf_status status =
            hf_log_reader_seek(reader, s, s == state->segment ? state->offset : 0);
        while (status == HF_STATUS_OK) {
            status = hf_log_reader_skip_zeros(reader);
            if (status == HF_STATUS_OK) {
                status = judge_debris(opening);
                if (status != HF_STATUS_OK) {
                    return status;
                }
            }
        }
        if (status != HF_STATUS_NOT_FOUND) {
            return reader_fault(opening, status);
        }
    }
    const struct hf_superblock *superblock = &state->superblock;
    uint64_t lost = opening->chain.index + 1;
    uint64_t segment = state->cut_bytes != 0 ? state->cut_segment : state->segment;
    uint64_t offset = state->cut_bytes != 0 ? state->cut_offset : state->offset;
    if (state->known_commit >= lost) {
        return committed_but_gone(opening, segment, offset, "the checkpoint at",
                                  state->known_commit);
    }
    /* I4: an epoch begins after everything that was committed in the one before. */
    uint64_t epoch_start = superblock->epochs[superblock->epoch_count - 1].start_index;
    if (epoch_start > lost) {
        return committed_but_gone(opening, segment, offset, "the superblock's epoch",
                                  hf_superblock_epoch(superblock));
    }
    return HF_STATUS_OK;
}

/* ---- 6: make it so ---- */

/* What was replayed may still lie in a cache of the device: the process that wrote it may have died
 * between write and flush. Answers will stand on it, so it is flushed first. */
static enum hf_status flush_replayed(struct opening *opening)
{
    struct hf_disk *disk = opening->disk;
    for (uint64_t s = opening->replay_segment; s <= opening->state->segment; s++) {
        char name[HF_DISK_NAME_SIZE];
        hf_segment_format_name(s, name);
        int file = -1;
        enum hf_status status =
            disk->maker->open(disk, name, HF_DISK_WRITE | HF_DISK_DIRECT, &file);
        if (status != HF_STATUS_OK) {
            return disk_fault(opening, status);
        }
        status = disk_fault(opening, disk->maker->flush(disk, file));
        enum hf_status closed = disk->maker->close(disk, file);
        if (status != HF_STATUS_OK || closed != HF_STATUS_OK) {
            return status != HF_STATUS_OK ? status : disk_fault(opening, closed);
        }
    }
    return HF_STATUS_OK;
}

static size_t piece_size(const struct opening *opening)
{
    uint64_t segment_size = opening->state->superblock.segment_size;
    return segment_size < HF_SEGMENT_PIECE_SIZE ? (size_t)segment_size : HF_SEGMENT_PIECE_SIZE;
}

/* Writes zeros over [from, to), in pieces. */
static enum hf_status write_zeros(struct opening *opening, int file, const uint8_t *zeros,
                                  uint64_t from, uint64_t to)
{
    while (from < to) {
        uint64_t left = to - from;
        size_t length = left < piece_size(opening) ? (size_t)left : piece_size(opening);
        enum hf_status status =
            opening->disk->maker->write(opening->disk, file, from, zeros, length);
        if (status != HF_STATUS_OK) {
            return disk_fault(opening, status);
        }
        from += length;
    }
    return HF_STATUS_OK;
}

/* Zeros whatever is not zero in an open segment, from the reader's place on. */
static enum hf_status zero_debris(struct opening *opening, int file, const uint8_t *zeros)
{
    struct hf_log_reader *reader = &opening->reader;
    for (;;) {
        enum hf_status status = hf_log_reader_skip_zeros(reader);
        if (status != HF_STATUS_OK) {
            return status == HF_STATUS_NOT_FOUND ? HF_STATUS_OK : reader_fault(opening, status);
        }
        uint64_t left = reader->segment_size - reader->offset;
        uint64_t length = left < piece_size(opening) ? left : piece_size(opening);
        status = write_zeros(opening, file, zeros, reader->offset, reader->offset + length);
        if (status != HF_STATUS_OK) {
            return status;
        }
        reader->offset += length;
    }
}

/* Makes a segment all zeros from `offset` on, gives a shortened file its whole size back, and
 * flushes. A crash in the middle leaves a tail that the rule finds and cuts again: zeroing makes no
 * record whole. */
static enum hf_status cut_segment(struct opening *opening, uint64_t segment, uint64_t offset,
                                  const uint8_t *zeros)
{
    struct hf_disk *disk = opening->disk;
    const struct hf_log_reader *reader = &opening->reader;
    enum hf_status status = hf_log_reader_seek(&opening->reader, segment, offset);
    if (status != HF_STATUS_OK) {
        return reader_fault(opening, status);
    }
    char name[HF_DISK_NAME_SIZE];
    hf_segment_format_name(segment, name);
    int file = -1;
    status =
        disk_fault(opening, disk->maker->open(disk, name, HF_DISK_WRITE | HF_DISK_DIRECT, &file));
    if (status != HF_STATUS_OK) {
        return status;
    }
    status = zero_debris(opening, file, zeros);
    if (status == HF_STATUS_OK && reader->file_size < reader->segment_size) {
        uint64_t whole = reader->file_size - reader->file_size % reader->block_size;
        status = write_zeros(opening, file, zeros, whole > offset ? whole : offset,
                             reader->segment_size);
    }
    if (status == HF_STATUS_OK) {
        status = disk_fault(opening, disk->maker->flush(disk, file));
    }
    enum hf_status closed = disk->maker->close(disk, file);
    return status != HF_STATUS_OK ? status : disk_fault(opening, closed);
}

/* Whether a segment is to be written to before the log can go on: there is debris somewhere, or the
 * file has been shortened. */
static enum hf_status needs_cut(struct opening *opening, uint64_t segment, bool *needed)
{
    enum hf_status status = hf_log_reader_seek(&opening->reader, segment, 0);
    if (status != HF_STATUS_OK) {
        return reader_fault(opening, status);
    }
    *needed =
        opening->state->cut_bytes != 0 || opening->reader.file_size < opening->reader.segment_size;
    return HF_STATUS_OK;
}

static enum hf_status cut_tail(struct opening *opening)
{
    const struct hf_log_state *state = opening->state;
    uint8_t *zeros = NULL;
    enum hf_status status = HF_STATUS_OK;
    for (uint64_t s = state->segment; s <= opening->range.last && status == HF_STATUS_OK; s++) {
        uint64_t offset = s == state->segment ? state->offset : 0;
        bool needed = false;
        status = needs_cut(opening, s, &needed);
        if (status != HF_STATUS_OK || !needed) {
            continue;
        }
        if (zeros == NULL) {
            zeros = aligned_alloc(HF_RECORD_BLOCK_MAX, piece_size(opening));
            if (zeros == NULL) {
                snprintf(opening->fault->line, HF_FAULT_LINE_SIZE,
                         "no memory to cut the log's tail");
                return HF_STATUS_NO_MEMORY;
            }
            memset(zeros, 0, piece_size(opening));
        }
        status = cut_segment(opening, s, offset, zeros);
    }
    free(zeros);
    return status;
}

static enum hf_status remove_temporaries(struct opening *opening)
{
    static const char *const names[] = {HF_SEGMENT_NAME_TEMPORARY, HF_CHECKPOINT_NAME_TEMPORARY};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        enum hf_status status = opening->disk->maker->remove(opening->disk, names[i]);
        if (status != HF_STATUS_OK && status != HF_STATUS_NOT_FOUND) {
            return disk_fault(opening, status);
        }
    }
    return HF_STATUS_OK;
}

/* ---- All of it ---- */

/* Steps 4 and 5. */
static enum hf_status replay_segments(struct opening *opening)
{
    struct hf_log_state *state = opening->state;
    enum hf_status status = hf_segment_list(opening->disk, &opening->range, opening->fault);
    if (status != HF_STATUS_OK) {
        return status;
    }
    hf_log_chain_init(&opening->chain);
    state->segment = 1;
    state->segment_first = opening->range.first;
    state->segment_last = opening->range.last;
    if (opening->range.first == 0) {
        if (state->known_commit != 0) {
            snprintf(opening->fault->line, HF_FAULT_LINE_SIZE,
                     "no segments, but a checkpoint at record %" PRIu64, state->known_commit);
            return HF_STATUS_CORRUPT;
        }
        state->next_place = 1;
        return HF_STATUS_OK;
    }
    status = hf_log_reader_init(&opening->reader, opening->disk, &state->superblock,
                                opening->range.last);
    if (status != HF_STATUS_OK) {
        return reader_fault(opening, status);
    }
    status = seek_start(opening);
    if (status == HF_STATUS_OK) {
        status = replay_records(opening);
    }
    if (status == HF_STATUS_OK) {
        state->segment = opening->reader.segment;
        state->offset = opening->reader.offset;
        state->last_index = opening->chain.index;
        state->last_hash = opening->chain.hash;
        state->next_place = opening->chain.next_place;
        state->last_timestamp_ns = opening->chain.timestamp_ns;
        status = judge_tail(opening);
    }
    return status;
}

/* Step 6. */
static enum hf_status make_writable(struct opening *opening)
{
    enum hf_status status = HF_STATUS_OK;
    if (opening->range.first != 0) {
        status = flush_replayed(opening);
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

enum hf_status hf_log_open(struct hf_disk *disk, const struct hf_log_options *options,
                           const struct hf_log_replay *replay, struct hf_log_state *state,
                           struct hf_fault *fault)
{
    assert(replay->record != NULL);
    memset(state, 0, sizeof *state);
    memset(fault, 0, sizeof *fault);
    struct opening *opening = calloc(1, sizeof *opening);
    if (opening == NULL) {
        snprintf(fault->line, sizeof fault->line, "no memory to open the log");
        return HF_STATUS_NO_MEMORY;
    }
    *opening = (struct opening){
        .disk = disk, .options = options, .replay = replay, .state = state, .fault = fault};
    enum hf_status status = disk_fault(opening, disk->maker->lock(disk));
    if (status == HF_STATUS_OK) {
        status = open_superblock(opening);
    }
    if (status == HF_STATUS_OK) {
        status = load_checkpoint(opening);
    }
    if (status == HF_STATUS_OK) {
        status = replay_segments(opening);
    }
    if (status == HF_STATUS_OK && !disk->read_only) {
        status = make_writable(opening);
    }
    hf_log_reader_finish(&opening->reader);
    free(opening);
    return status;
}
