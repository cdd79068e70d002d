/* A checkpoint in place of records that are gone (fetch.h, wal/install.h).
 *
 * Giving costs the primary the reading of one slice for each that the peer asks for, when the link
 * has room for it; what it reads is held open, so that a newer checkpoint does not take it away.
 * Taking goes on beside everything else: the node stays the learner that it was, and may be
 * promoted with the log that it has, until it is decided that the checkpoint takes the log's place.
 */
#include "pair_inside.h"

#include <inttypes.h>
#include <stdlib.h>

/* Without an answer: again. */
#define ASK_AGAIN_NS UINT64_C(100000000)
/* Before the next attempt: when there is none to be had, or none that is good; when the disk is
 * full. */
#define REST_NS      UINT64_C(100000000)
#define REST_FULL_NS UINT64_C(1000000000)
/* Nobody has asked so long: it is not held open any more. */
#define IDLE_NS UINT64_C(2000000000)

#define FRAME_LENGTH_MAX (sizeof(struct hf_fetch_slice) + HF_INSTALL_SLICE)
_Static_assert(FRAME_LENGTH_MAX <= HF_LINK_FRAME_MAX, "a slice is one frame");

enum hf_status hf_pair_fetch_create(struct hf_pair *pair, struct hf_fault *fault)
{
    struct fetch_source *source = &pair->source;
    source->files[HF_INSTALL_CHECKPOINT] = -1;
    source->files[HF_INSTALL_LOG] = -1;
    source->buffer = aligned_alloc(HF_RECORD_BLOCK_MAX, HF_INSTALL_SLICE);
    if (source->buffer == NULL) {
        snprintf(fault->line, sizeof fault->line, "no memory for slices of a checkpoint");
        return HF_STATUS_NO_MEMORY;
    }
    return hf_install_init(&pair->sink.install, pair->disk, &pair->superblock, fault);
}

/* ---- Giving ---- */

static void close_source(struct hf_pair *pair)
{
    struct fetch_source *source = &pair->source;
    for (int part = 0; part < 2; part++) {
        if (source->files[part] >= 0) {
            enum hf_status closed =
                pair->read_disk->maker->close(pair->read_disk, source->files[part]);
            (void)closed; /* it was only read */
            source->files[part] = -1;
        }
    }
    source->index = 0;
}

void hf_pair_fetch_destroy(struct hf_pair *pair)
{
    if (pair->source.buffer != NULL) {
        close_source(pair);
        free(pair->source.buffer);
    }
    hf_install_finish(&pair->sink.install);
}

static bool open_part(struct hf_pair *pair, enum hf_install_part part, const char *name)
{
    struct hf_disk *disk = pair->read_disk;
    struct fetch_source *source = &pair->source;
    return disk->maker->open(disk, name, HF_DISK_READ | HF_DISK_DIRECT, &source->files[part]) ==
               HF_STATUS_OK &&
           disk->maker->size(disk, source->files[part], &source->sizes[part]) == HF_STATUS_OK;
}

/* Opens the checkpoint that is asked for, and the segment that its record lies in; where a log
 * without room has let go of that, the one that begins behind it. False: there is none. */
static bool open_source(struct hf_pair *pair)
{
    struct fetch_source *source = &pair->source;
    uint64_t index = source->request.index;
    char name[HF_DISK_NAME_SIZE];
    struct hf_fault ignored;
    close_source(pair);
    enum hf_status status = HF_STATUS_OK;
    if (index == 0) {
        status = hf_checkpoint_newest(pair->read_disk, source->request.below, &index, &ignored);
    }
    if (status == HF_STATUS_OK && index != 0) {
        status = hf_log_seek_segment(&pair->seek, index, &source->segment, &ignored);
        if (status == HF_STATUS_OK && source->segment == 0) {
            status = hf_log_seek_segment(&pair->seek, index + 1, &source->segment, &ignored);
        }
    }
    if (status != HF_STATUS_OK || index == 0 || source->segment == 0) {
        return false;
    }
    hf_checkpoint_format_name(index, name);
    if (!open_part(pair, HF_INSTALL_CHECKPOINT, name)) {
        return false;
    }
    hf_segment_format_name(source->segment, name);
    if (!open_part(pair, HF_INSTALL_LOG, name)) {
        return false;
    }
    source->index = index;
    return true;
}

void hf_pair_on_request(struct hf_pair *pair, const uint8_t *bytes, uint32_t length)
{
    struct hf_fetch_request request;
    if (length != sizeof request) {
        pair->counts.refused_garbage++;
        return;
    }
    memcpy(&request, bytes, sizeof request);
    if (request.part > HF_INSTALL_LOG || request.offset % HF_INSTALL_SLICE != 0) {
        pair->counts.refused_garbage++;
        return;
    }
    if (pair->replica.role == HF_ROLE_PRIMARY) {
        pair->source.request = request; /* in place of one that still waits */
        pair->source.is_asked = true;
    }
}

/* Reads what is asked for; false when it cannot be had. */
static bool read_slice(struct hf_pair *pair, struct hf_fetch_slice *slice)
{
    struct fetch_source *source = &pair->source;
    const struct hf_fetch_request *request = &source->request;
    size_t done = 0;
    if ((source->index == 0 || source->index != request->index) && !open_source(pair)) {
        return false;
    }
    slice->index = source->index;
    slice->segment = source->segment;
    slice->part = request->part;
    slice->offset = request->offset;
    slice->size = source->sizes[request->part];
    if (request->offset >= slice->size) {
        return true;
    }
    if (pair->read_disk->maker->read(pair->read_disk, source->files[request->part], request->offset,
                                     source->buffer, HF_INSTALL_SLICE, &done) != HF_STATUS_OK) {
        return false;
    }
    slice->length = (uint32_t)done;
    return true;
}

void hf_pair_give_slice(struct hf_pair *pair)
{
    struct fetch_source *source = &pair->source;
    struct hf_fetch_slice slice = {.magic = HF_FETCH_MAGIC};
    if (!source->is_asked) {
        if (source->index != 0 && pair->now_ns - source->used_ns >= IDLE_NS) {
            close_source(pair);
        }
        return;
    }
    if (!hf_link_has_room(pair->link, FRAME_LENGTH_MAX)) {
        return;
    }
    source->is_asked = false;
    source->used_ns = pair->now_ns;
    if (!read_slice(pair, &slice)) {
        close_source(pair);
        slice = (struct hf_fetch_slice){.magic = HF_FETCH_MAGIC};
    }
    (void)hf_link_put(pair->link, &slice, sizeof slice, source->buffer, slice.length, pair->now_ns);
    pair->counts.slices_sent++;
}

/* ---- Taking ---- */

static void say(struct hf_pair *pair, const char *line)
{
    snprintf(pair->fault.line, sizeof pair->fault.line, "%s", line);
    pair->fault_alarm = 0;
}

void hf_pair_fetch(struct hf_pair *pair)
{
    struct fetch_sink *sink = &pair->sink;
    if (!sink->is_wanted) {
        sink->is_wanted = true;
        sink->below = UINT64_MAX;
        sink->asked_ns = 0;
        say(pair, "the primary's log does not go back to where this node's ends: takes a "
                  "checkpoint of the primary's");
    }
}

static void ask(struct hf_pair *pair)
{
    struct fetch_sink *sink = &pair->sink;
    const struct hf_install *install = &sink->install;
    struct hf_fetch_request request = {.below = sink->below};
    if (install->index != 0) {
        request.index = install->index;
        request.part = install->part;
        request.offset = install->offset;
    }
    sink->is_asked_again = install->index != 0 && install->offset + install->part != 0 &&
                           sink->asked_offset == install->offset && sink->asked_ns != 0;
    sink->asked_offset = install->offset;
    sink->asked_ns = pair->now_ns;
    hf_link_note(pair->link, HF_LINK_FETCH, &request, sizeof request);
}

static void begin_again(struct hf_pair *pair, uint64_t below, uint64_t rest_ns)
{
    hf_install_forget(&pair->sink.install);
    pair->sink.below = below;
    pair->sink.rests_until_ns = pair->now_ns + rest_ns;
}

/* What came of taking a slice, or of the decision. */
static void judge(struct hf_pair *pair, enum hf_status status, const struct hf_fault *fault)
{
    switch (status) {
    case HF_STATUS_OK:
        break;
    case HF_STATUS_FULL:
        say(pair, "no room for the primary's checkpoint");
        begin_again(pair, UINT64_MAX, REST_FULL_NS);
        break;
    case HF_STATUS_CORRUPT:
    case HF_STATUS_WRONG_FORMAT:
    case HF_STATUS_WRONG_CLUSTER:
        pair->counts.fetches_refused++;
        snprintf(pair->fault.line, sizeof pair->fault.line,
                 "the primary's checkpoint is not taken: %.180s", fault->line);
        pair->fault_alarm = 0;
        begin_again(pair, pair->sink.install.index, REST_NS); /* an older one, if there is one */
        break;
    default:
        pair->fault = *fault;
        hf_pair_fail(pair);
        break;
    }
}

/* It is all here. It takes the log's place only while that log is of no use: the primary of the
 * epoch that this node follows has said so, and counts on nothing here; and never when it knows
 * less than this node knows committed (I7). */
static void try_install(struct hf_pair *pair)
{
    const struct hf_replica *r = &pair->replica;
    struct hf_install *install = &pair->sink.install;
    struct hf_fault fault = {{0}};
    if (r->needs_checkpoint == 0 || r->is_insync != 0 || r->saving != HF_SAVING_NOTHING ||
        r->cutting != 0 || pair->is_copying) {
        return;
    }
    if (install->index < r->commit || install->chain.epoch > r->promise) {
        begin_again(pair, UINT64_MAX, REST_NS);
        return;
    }
    enum hf_status status = hf_install_decide(install, r->incarnation, &fault);
    if (status == HF_STATUS_OK) {
        hf_pair_set_restart(pair, HF_PAIR_RESTART_INSTALL);
    }
    judge(pair, status, &fault);
}

/* The first slice of one says which it is. */
static enum hf_status begin(struct hf_pair *pair, const struct hf_fetch_slice *slice,
                            struct hf_fault *fault)
{
    if (slice->part != HF_INSTALL_CHECKPOINT || slice->offset != 0 || slice->segment == 0 ||
        slice->index >= pair->sink.below) {
        return HF_STATUS_NOT_FOUND;
    }
    pair->counts.fetches_begun++;
    return hf_install_begin(&pair->sink.install, slice->index, slice->segment, fault);
}

static void take_slice(struct hf_pair *pair, const struct hf_fetch_slice *slice,
                       const uint8_t *bytes)
{
    struct fetch_sink *sink = &pair->sink;
    struct hf_install *install = &sink->install;
    struct hf_fault fault = {{0}};
    enum hf_status status = HF_STATUS_OK;
    if (install->index == 0) {
        status = begin(pair, slice, &fault);
    }
    bool is_next = status == HF_STATUS_OK && slice->index == install->index &&
                   slice->part == install->part && slice->offset == install->offset;
    if (status == HF_STATUS_NOT_FOUND || (status == HF_STATUS_OK && !is_next)) {
        return; /* an answer to an older question */
    }
    if (status == HF_STATUS_OK && slice->segment != install->segment) {
        begin_again(pair, UINT64_MAX, 0); /* the log beside it has been let go of */
        return;
    }
    if (status == HF_STATUS_OK &&
        (slice->length == 0 || slice->length % pair->superblock.block_size != 0)) {
        snprintf(fault.line, sizeof fault.line, "checkpoint-%016" PRIx64 " ends too early",
                 install->index);
        status = HF_STATUS_CORRUPT;
    }
    if (status == HF_STATUS_OK) {
        status = hf_install_take(install, bytes, slice->length, &fault);
    }
    judge(pair, status, &fault);
    if (status != HF_STATUS_OK) {
        return;
    }
    pair->counts.slices_received++;
    pair->counts.fetches_resumed += sink->is_asked_again;
    if (install->part == HF_INSTALL_WHOLE) {
        try_install(pair);
    } else {
        ask(pair);
    }
}

bool hf_pair_on_slice(struct hf_pair *pair, const uint8_t *frame, uint32_t length)
{
    struct hf_fetch_slice slice;
    memcpy(&slice, frame, sizeof slice);
    if (slice.magic != HF_FETCH_MAGIC) {
        return false;
    }
    if (slice.length > HF_INSTALL_SLICE || length != sizeof slice + slice.length ||
        slice.part > HF_INSTALL_LOG) {
        pair->counts.refused_garbage++;
    } else if (!pair->sink.is_wanted || pair->now_ns < pair->sink.rests_until_ns) {
        return true; /* too late */
    } else if (slice.index == 0) {
        begin_again(pair, UINT64_MAX, REST_NS);
    } else if (pair->sink.install.part != HF_INSTALL_WHOLE || pair->sink.install.index == 0) {
        take_slice(pair, &slice, frame + sizeof slice);
    }
    return true;
}

void hf_pair_fetch_poll(struct hf_pair *pair)
{
    const struct hf_replica *r = &pair->replica;
    struct fetch_sink *sink = &pair->sink;
    if (!sink->is_wanted) {
        return;
    }
    if (r->role == HF_ROLE_BACKUP || r->role == HF_ROLE_PRIMARY) { /* it went without */
        hf_install_forget(&sink->install);
        sink->is_wanted = false;
        pair->fault.line[0] = '\0';
        return;
    }
    if (r->needs_checkpoint == 0 || pair->now_ns < sink->rests_until_ns) {
        return; /* what has come stays */
    }
    if (sink->install.index != 0 && sink->install.part == HF_INSTALL_WHOLE) {
        try_install(pair);
    } else if (sink->asked_ns == 0 || pair->now_ns - sink->asked_ns >= ASK_AGAIN_NS) {
        ask(pair);
    }
}
