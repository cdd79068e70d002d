/* The steps of opening a log, in their order:
 *
 *   1 take the lock               nothing has been written so far, nor is until step 6
 *   2 superblock                  or an empty directory, which becomes a log; a checkpoint of the
 *                                 peer's that was to take this log's place does so (install.h):
 * then this much is written 3 newest whole checkpoint     a broken one counts as evidence of what
 * was committed 4 replay                      record after record, each chained to the one before,
 * each seal checked against the superblock's key and the records it is over 5 judge what lies
 * beyond      nothing, a torn tail, or corruption (FORMAT.md, the tail rule) 6 make durable what
 * was replayed, cut the tail, clear away temporary files, next incarnation */
#include "install.h"
#include "opening.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- 2: the superblock, and what a life before this one had decided ---- */

struct strangers {
    char name[HF_DISK_NAME_SIZE]; /* one of the files found, or empty */
};

static bool strangers_visit(void *context, const char *name)
{
    struct strangers *strangers = context;
    /* All that a first start, cut short, can have left. */
    static const char *const ours[] = {"superblock.tmp", HF_RECOVER_KEY_NAME,
                                       HF_RECOVER_KEY_NAME_TEMPORARY};
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        if (strcmp(name, ours[i]) == 0) {
            return true;
        }
    }
    snprintf(strangers->name, sizeof strangers->name, "%s", name);
    return false;
}

static enum hf_status create_superblock(struct hf_opening *opening)
{
    const struct hf_log_options *options = opening->options;
    struct hf_superblock *superblock = &opening->state->superblock;
    struct strangers strangers = {{0}};
    enum hf_status status = hf_opening_disk_fault(
        opening, opening->disk->maker->list(opening->disk, strangers_visit, &strangers));
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
    if (hf_bytes_are_zero(options->public_key, sizeof options->public_key)) {
        snprintf(line, HF_FAULT_LINE_SIZE, "a new log needs a key to sign it");
        return HF_STATUS_INVALID;
    }
    hf_superblock_init(superblock, options->cluster, options->node, opening->disk->block_size,
                       options->segment_size, options->public_key);
    superblock->incarnation = options->first_incarnation != 0 ? options->first_incarnation : 1;
    memcpy(superblock->settings, options->settings, sizeof superblock->settings);
    if (options->before_create != NULL) {
        enum hf_status ready = options->before_create(options->create_context, opening->fault);
        if (ready != HF_STATUS_OK) {
            return ready;
        }
    }
    opening->state->created = true;
    return hf_superblock_create(opening->disk, superblock, opening->fault);
}

static void format_key(const uint8_t key[HF_CHAIN_PUBLIC_SIZE],
                       char text[2 * HF_CHAIN_PUBLIC_SIZE + 1])
{
    for (size_t i = 0; i < HF_CHAIN_PUBLIC_SIZE; i++) {
        snprintf(text + 2 * i, 3, "%02x", key[i]);
    }
}

static enum hf_status expect_key(const struct hf_superblock *superblock,
                                 const uint8_t key[HF_CHAIN_PUBLIC_SIZE], struct hf_fault *fault)
{
    char found[2 * HF_CHAIN_PUBLIC_SIZE + 1];
    char expected[2 * HF_CHAIN_PUBLIC_SIZE + 1];
    if (hf_bytes_are_zero(key, HF_CHAIN_PUBLIC_SIZE) ||
        memcmp(superblock->public_key, key, HF_CHAIN_PUBLIC_SIZE) == 0) {
        return HF_STATUS_OK;
    }
    format_key(superblock->public_key, found);
    format_key(key, expected);
    snprintf(fault->line, sizeof fault->line,
             HF_SUPERBLOCK_NAME ": found public key %s, expected %s: the log is signed by another "
                                "node's key",
             found, expected);
    return HF_STATUS_WRONG_CLUSTER;
}

static enum hf_status open_superblock(struct hf_opening *opening)
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
        status = expect_key(superblock, opening->options->public_key, opening->fault);
    }
    if (status == HF_STATUS_OK) {
        /* A log keeps the block size it was made with, whatever the setting says now. */
        opening->disk->block_size = superblock->block_size;
        if (!opening->options->beside) {
            status = hf_install_carry_out(opening->disk, superblock, opening->fault);
        }
    }
    return status;
}

/* ---- 3: the checkpoint ---- */

struct image_sink {
    const struct hf_log_replay *replay;
    const struct hf_checkpoint_header *header; /* read before the first piece */
    struct hf_fault *fault;
    bool begun;
    bool refused; /* by the state machine: that is no fault of the file's */
};

static enum hf_status begin_image(struct image_sink *sink)
{
    const struct hf_log_replay *replay = sink->replay;
    if (sink->begun || replay->image_begin == NULL) {
        return HF_STATUS_OK;
    }
    sink->begun = true;
    return replay->image_begin(replay->context, sink->header, sink->fault);
}

static enum hf_status image_sink(void *context, const void *bytes, size_t length)
{
    struct image_sink *sink = context;
    enum hf_status status = begin_image(sink);
    if (status == HF_STATUS_OK) {
        status = sink->replay->image(sink->replay->context, bytes, length, sink->fault);
    }
    sink->refused = status != HF_STATUS_OK;
    return status;
}

static bool is_broken(enum hf_status status)
{
    return status == HF_STATUS_CORRUPT || status == HF_STATUS_WRONG_FORMAT;
}

/* Loads one checkpoint. *broken: the file does not verify, and an older one may be tried. */
static enum hf_status try_checkpoint(struct hf_opening *opening, uint64_t index, bool *broken)
{
    const struct hf_log_replay *replay = opening->replay;
    struct hf_id cluster = opening->state->superblock.cluster;
    struct image_sink sink = {
        .replay = replay, .header = &opening->checkpoint, .fault = opening->fault};
    const struct hf_checkpoint_stream stream = {.context = &sink, .sink = image_sink};
    enum hf_status status = HF_STATUS_OK;
    assert(replay->image != NULL);
    assert(replay->image_end != NULL);
    if (replay->image_begin == NULL) {
        status = hf_checkpoint_verify(opening->disk, cluster, index, &opening->checkpoint,
                                      opening->fault);
    }
    if (status == HF_STATUS_OK) {
        status = hf_checkpoint_load(opening->disk, cluster, index, &opening->checkpoint, &stream,
                                    opening->fault);
    }
    *broken = is_broken(status) && !sink.refused;
    if (status == HF_STATUS_OK) {
        status = begin_image(&sink); /* of an image without a byte */
    }
    if (status == HF_STATUS_OK) {
        status = replay->image_end(replay->context, &opening->checkpoint, opening->fault);
    }
    return status;
}

/* Loads the newest checkpoint that verifies, every byte of it; none when none does, or none is
 * wanted. That a checkpoint was named at all says its record was committed, even when the file has
 * rotted since. */
static enum hf_status load_checkpoint(struct hf_opening *opening)
{
    struct hf_log_state *state = opening->state;
    uint64_t until = opening->options->until_index;
    uint64_t index = 0;
    enum hf_status status = hf_checkpoint_newest(opening->disk, UINT64_MAX, &index, opening->fault);
    if (status != HF_STATUS_OK) {
        return status;
    }
    state->known_commit = index;
    if (opening->options->from_start) {
        return HF_STATUS_OK;
    }
    if (until != 0 && index > until) {
        status = hf_checkpoint_newest(opening->disk, until + 1, &index, opening->fault);
    }
    while (status == HF_STATUS_OK && index != 0) {
        bool broken = false;
        status = try_checkpoint(opening, index, &broken);
        if (!broken) {
            state->checkpoint_index = status == HF_STATUS_OK ? index : 0;
            state->checkpoint_timestamp_ns = opening->checkpoint.timestamp_ns;
            return status;
        }
        state->checkpoints_broken++;
        status = hf_checkpoint_newest(opening->disk, index, &index, opening->fault);
    }
    if (status == HF_STATUS_OK && state->checkpoints_broken != 0 &&
        opening->replay->image_begin != NULL) {
        status = opening->replay->image_begin(opening->replay->context, NULL, opening->fault);
    }
    return status;
}

/* ---- 4: replay ---- */

/* Reading begins with this record, the first of a segment. */
static void begin_at(struct hf_opening *opening, const struct hf_record_header *record)
{
    hf_log_chain_before(&opening->chain, record);
    hf_chain_span_init(&opening->state->span, record->index, record->first_place);
}

/* Goes to the newest segment that begins no later than the first record to replay, and sets the
 * chain to what stands before that segment. A segment whose first record is damaged is passed by:
 * reading runs into it from the one before. */
static enum hf_status seek_after_checkpoint(struct hf_opening *opening)
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
            return hf_opening_reader_fault(opening, status);
        }
        begin_at(opening, record);
        opening->replay_segment = s;
        return HF_STATUS_OK;
    }
    snprintf(opening->fault->line, HF_FAULT_LINE_SIZE,
             "log-%016" PRIx64 " at offset 0: no segment holds record %" PRIu64
             ", which follows the checkpoint",
             opening->range.first, checkpoint->index + 1);
    return HF_STATUS_CORRUPT;
}

/* The log's first segments have been archived: what was in them is in a checkpoint, or nowhere. */
static enum hf_status need_checkpoint(struct hf_opening *opening)
{
    if (opening->range.first == 1 || opening->options->from_start) {
        return HF_STATUS_OK;
    }
    snprintf(opening->fault->line, HF_FAULT_LINE_SIZE,
             "log-%016" PRIx64
             " is the first segment, and no checkpoint that holds what was before "
             "it is whole",
             opening->range.first);
    return HF_STATUS_CORRUPT;
}

static enum hf_status seek_start(struct hf_opening *opening)
{
    struct hf_log_reader *reader = &opening->reader;
    hf_log_chain_init(&opening->chain);
    if (opening->state->checkpoint_index != 0) {
        return seek_after_checkpoint(opening);
    }
    enum hf_status covered = need_checkpoint(opening);
    if (covered != HF_STATUS_OK) {
        return covered;
    }
    enum hf_status status = hf_log_reader_seek(reader, opening->range.first, 0);
    if (status != HF_STATUS_OK) {
        return hf_opening_reader_fault(opening, status);
    }
    opening->replay_segment = opening->range.first;
    if (opening->options->from_start) {
        /* Older segments may have been archived: whatever is first, is first. */
        const struct hf_record_header *record = NULL;
        status = hf_log_reader_peek(reader, &record);
        if (status == HF_STATUS_OK) {
            begin_at(opening, record);
        } else if (status == HF_STATUS_NOT_FOUND) {
            status = HF_STATUS_OK;
        }
    }
    return hf_opening_reader_fault(opening, status);
}

/* The chain has reached the checkpoint's record: is it the same one? */
static enum hf_status compare_checkpoint(struct hf_opening *opening)
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

/* Where the record lies that the reader has just gone past. */
static struct hf_record_place place_before(const struct hf_log_reader *reader,
                                           const struct hf_record_header *record)
{
    uint32_t padded = hf_record_padded_length(record->length, reader->block_size);
    assert(reader->offset >= padded);
    return (struct hf_record_place){.segment = reader->segment, .offset = reader->offset - padded};
}

/* The record just read is not what its place in the log demands of it. */
static enum hf_status unsealed(struct hf_opening *opening, const struct hf_record_header *record,
                               const char *why)
{
    const struct hf_log_reader *reader = &opening->reader;
    snprintf(opening->fault->line, HF_FAULT_LINE_SIZE,
             "log-%016" PRIx64 " at offset %" PRIu64 ": record %" PRIu64 " %s", reader->segment,
             reader->offset - hf_record_padded_length(record->length, reader->block_size),
             record->index, why);
    return HF_STATUS_CORRUPT;
}

/* The record just read, as part of the signed chain. */
static enum hf_status check_sealing(struct hf_opening *opening,
                                    const struct hf_record_header *record)
{
    struct hf_log_state *state = opening->state;
    const struct hf_log_reader *reader = &opening->reader;
    uint32_t padded = hf_record_padded_length(record->length, reader->block_size);
    char why[HF_SUPERBLOCK_WHY_SIZE];
    if (!hf_superblock_follow(&state->superblock, &state->span, record, reader->offset == padded,
                              why)) {
        return unsealed(opening, record, why);
    }
    state->seals += record->kind == HF_RECORD_SEAL;
    return HF_STATUS_OK;
}

/* The end of a log is cut in two steps, of which the first takes its epochs out of the table. Where
 * that was interrupted the records are still there, and say which epochs they are of. */
static void note_epoch(struct hf_superblock *superblock, const struct hf_record_header *record)
{
    if (record->epoch <= hf_superblock_epoch(superblock)) {
        return;
    }
    if (superblock->epoch_count == HF_SUPERBLOCK_EPOCHS_MAX) {
        memmove(&superblock->epochs[0], &superblock->epochs[1],
                (HF_SUPERBLOCK_EPOCHS_MAX - 1) * sizeof superblock->epochs[0]);
        superblock->epoch_count--;
    }
    superblock->epochs[superblock->epoch_count++] =
        (struct hf_epoch_start){.epoch = record->epoch, .start_index = record->index};
}

static enum hf_status replay_records(struct hf_opening *opening)
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
        if (compared && chain->index != 0 && chain->index == opening->options->until_index) {
            return HF_STATUS_OK;
        }
        const struct hf_record_header *record = NULL;
        enum hf_status status = hf_log_reader_next(&opening->reader, chain, &record);
        if (status == HF_STATUS_NOT_FOUND) {
            return HF_STATUS_OK;
        }
        if (status != HF_STATUS_OK) {
            return hf_opening_reader_fault(opening, status);
        }
        status = check_sealing(opening, record);
        if (status != HF_STATUS_OK) {
            return status;
        }
        if (record->commit > state->known_commit) {
            state->known_commit = record->commit;
        }
        note_epoch(&state->superblock, record);
        opening->newest[record->index % HF_OPENING_NEWEST_MAX] =
            place_before(&opening->reader, record);
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

static enum hf_status committed_but_gone(struct hf_opening *opening, uint64_t segment,
                                         uint64_t offset, const char *witness,
                                         uint64_t witness_index)
{
    snprintf(opening->fault->line, HF_FAULT_LINE_SIZE,
             "log-%016" PRIx64 " at offset %" PRIu64 ": record %" PRIu64
             " is damaged or missing, but %s %" PRIu64 " says that it was committed",
             segment, offset, opening->chain.index + 1, witness, witness_index);
    return HF_STATUS_CORRUPT;
}

/* One block that is not zeros, after the end of the log: a whole record of this log, or debris.
 * Goes past it. */
static enum hf_status judge_debris(struct hf_opening *opening)
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
        return hf_opening_reader_fault(opening, status);
    }
    uint32_t length = reader->block_size;
    if (status == HF_STATUS_OK && record->index < lost) {
        snprintf(opening->fault->line, HF_FAULT_LINE_SIZE,
                 "log-%016" PRIx64 " at offset %" PRIu64 ": found record %" PRIu64
                 ", expected none before %" PRIu64 ": this segment is another log's",
                 reader->segment, reader->offset, record->index, lost);
        return HF_STATUS_CORRUPT;
    }
    if (status == HF_STATUS_OK) {
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
static enum hf_status judge_tail(struct hf_opening *opening)
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
            return hf_opening_reader_fault(opening, status);
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

/* ---- All of it ---- */

/* In place of step 5 beside a node: there is no tail, the node writes on. */
static enum hf_status judge_until(struct hf_opening *opening)
{
    const struct hf_log_state *state = opening->state;
    uint64_t until = opening->options->until_index;
    if (until == 0 || state->last_index == until) {
        return HF_STATUS_OK;
    }
    return committed_but_gone(opening, state->segment, state->offset, "the node at record", until);
}

/* Steps 4 and 5. */
static enum hf_status replay_segments(struct hf_opening *opening)
{
    struct hf_log_state *state = opening->state;
    enum hf_status status = hf_segment_list(opening->disk, &opening->range, opening->fault);
    if (status != HF_STATUS_OK) {
        return status;
    }
    hf_log_chain_init(&opening->chain);
    hf_chain_span_init(&state->span, 1, 1);
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
        return hf_opening_reader_fault(opening, status);
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
        state->last_epoch = opening->chain.epoch;
        state->last_commit = opening->chain.commit;
        status = opening->options->beside ? judge_until(opening) : judge_tail(opening);
    }
    return status;
}

/* A node promises an epoch, and flushes that, before it writes a record of it: a log that is ahead
 * of the promise lies beside an older superblock. Who only reads may still read it. */
static enum hf_status check_promise(const struct hf_opening *opening)
{
    const struct hf_superblock *superblock = &opening->state->superblock;
    uint64_t epoch = hf_superblock_epoch(superblock);
    if (epoch <= superblock->promised_epoch) {
        return HF_STATUS_OK;
    }
    snprintf(opening->fault->line, HF_FAULT_LINE_SIZE,
             "superblock: promises epoch %" PRIu64 " at most, and the log has records of epoch "
             "%" PRIu64 ": it is an older one",
             superblock->promised_epoch, epoch);
    return HF_STATUS_CORRUPT;
}

enum hf_status hf_log_open(struct hf_disk *disk, const struct hf_log_options *options,
                           const struct hf_log_replay *replay, struct hf_log_state *state,
                           struct hf_fault *fault)
{
    assert(replay->record != NULL);
    assert(!options->beside || disk->read_only);
    assert(options->until_index == 0 || options->beside);
    memset(state, 0, sizeof *state);
    memset(fault, 0, sizeof *fault);
    struct hf_opening *opening = calloc(1, sizeof *opening);
    if (opening == NULL) {
        snprintf(fault->line, sizeof fault->line, "no memory to open the log");
        return HF_STATUS_NO_MEMORY;
    }
    *opening = (struct hf_opening){
        .disk = disk, .options = options, .replay = replay, .state = state, .fault = fault};
    hf_chain_prepare();
    enum hf_status status =
        options->beside ? HF_STATUS_OK : hf_opening_disk_fault(opening, disk->maker->lock(disk));
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
        status = check_promise(opening);
        if (status == HF_STATUS_OK) {
            status = hf_opening_make_writable(opening);
        }
    }
    hf_log_reader_finish(&opening->reader);
    free(opening);
    return status;
}

void hf_log_state_describe(const struct hf_log_state *state, struct hf_checkpoint_header *header)
{
    assert(state->last_index != 0);
    assert(state->last_epoch != 0);
    memset(header, 0, sizeof *header);
    header->cluster = state->superblock.cluster;
    header->index = state->last_index;
    header->epoch = state->last_epoch;
    header->place = state->next_place - 1;
    header->timestamp_ns = state->last_timestamp_ns;
    header->record_hash = state->last_hash;
}
