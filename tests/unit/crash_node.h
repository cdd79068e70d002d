/* A node of the crash tests: a simulated disk, a ledger and a log, without threads or a network,
 * and the life in which it tells a disk the story (crash_story.h). What its operator and its
 * clients know of it is in the node; what a disk holds afterwards is compared with that. */
#ifndef HF_TESTS_CRASH_NODE_H
#define HF_TESTS_CRASH_NODE_H

#include "crash_story.h"

#include "engine/image.h"
#include "wal/disk_sim.h"
#include "wal/replay.h"

#include <stdio.h>

#define CRASH_SEGMENT_SIZE (32 << 10)
#define CRASH_CAPACITY     4096
#define CRASH_DEPTH        3
#define CRASH_UNFLUSHED    4
#define CRASH_POLLS_MAX    100000 /* a wait that takes more has no end */

static const struct hf_id crash_cluster = {.lo = 0x0123456789abcdef, .hi = 0xfedcba9876543210};
static const uint8_t crash_seed[HF_CHAIN_SEED_SIZE] = "a key that everybody may have...";

struct crash_node {
    const struct story *story;
    struct hf_disk *disk;
    struct hf_log_state state;
    struct hf_ledger *ledger;
    void *memory;
    struct hf_image_reader image;
    struct hf_log_writer *writer;
    struct hf_log_batch *free[HF_LOG_BATCHES_MAX];
    uint32_t free_count;
    uint32_t next_bundle;     /* to be applied */
    uint64_t acked_place;     /* all up to here was answered */
    uint64_t submitted_place; /* nothing beyond can be anywhere */
    uint64_t incarnation;     /* of the newest start that came to its end */
    uint64_t random;          /* when to poll */
    struct hf_fault fault;
};

static inline enum hf_status crash_take_image(void *context, const void *bytes, size_t length,
                                              struct hf_fault *fault)
{
    struct crash_node *node = context;
    (void)fault;
    return hf_image_read(&node->image, bytes, length);
}

static inline enum hf_status
crash_end_image(void *context, const struct hf_checkpoint_header *header, struct hf_fault *fault)
{
    struct crash_node *node = context;
    (void)fault;
    assert_int_equal(hf_image_read_end(&node->image), HF_STATUS_OK);
    assert_int_equal(hf_ledger_place(node->ledger), header->place);
    assert_true(hf_id_equal(hf_ledger_digest(node->ledger), header->digest));
    return HF_STATUS_OK;
}

static inline enum hf_status crash_take_record(void *context, const struct hf_record_header *record,
                                               struct hf_fault *fault)
{
    struct crash_node *node = context;
    return hf_replay_record(node->ledger, record, NULL, NULL, fault);
}

static inline void crash_make_ledger(struct crash_node *node)
{
    size_t size = hf_ledger_memory_size(&story_limits);
    node->memory = aligned_alloc(64, size);
    assert_non_null(node->memory);
    memset(node->memory, 0, size);
    node->ledger = hf_ledger_create(&story_limits, node->memory, size);
    assert_non_null(node->ledger);
}

static inline void crash_close_ledger(struct crash_node *node)
{
    free(node->memory);
    node->memory = NULL;
    node->ledger = NULL;
}

static inline void crash_make_key(uint8_t secret_key[HF_CHAIN_SECRET_SIZE])
{
    static uint8_t made[HF_CHAIN_SECRET_SIZE];
    static bool is_made;
    if (!is_made) {
        hf_chain_key_of_seed(crash_seed, made);
        is_made = true;
    }
    memcpy(secret_key, made, sizeof made);
}

/* Makes *node anew, and opens the log on this disk into a ledger of its own. */
static inline enum hf_status crash_open(struct crash_node *node, const struct story *story,
                                        struct hf_disk *disk)
{
    uint8_t secret_key[HF_CHAIN_SECRET_SIZE];
    struct hf_log_options options = {
        .cluster = crash_cluster, .node = 1, .create = true, .segment_size = CRASH_SEGMENT_SIZE};
    const struct hf_log_replay replay = {.context = node,
                                         .image = crash_take_image,
                                         .image_end = crash_end_image,
                                         .record = crash_take_record};
    memset(node, 0, sizeof *node);
    node->story = story;
    node->disk = disk;
    crash_make_key(secret_key);
    memcpy(options.public_key, hf_chain_key_public(secret_key), sizeof options.public_key);
    memcpy(options.settings, &story_limits, sizeof story_limits);
    crash_make_ledger(node);
    hf_image_read_begin(&node->image, node->ledger);
    return hf_log_open(disk, &options, &replay, &node->state, &node->fault);
}

static inline enum hf_status crash_start_writer(struct crash_node *node)
{
    uint8_t secret_key[HF_CHAIN_SECRET_SIZE];
    const struct hf_log_writer_options options = {.depth = CRASH_DEPTH,
                                                  .segments_ahead = 1,
                                                  .batch_count = CRASH_UNFLUSHED,
                                                  .batch_capacity = CRASH_CAPACITY,
                                                  .seal_span = 48,
                                                  .secret_key = secret_key};
    crash_make_key(secret_key);
    enum hf_status status =
        hf_log_writer_create(node->disk, &node->state, &options, &node->writer, &node->fault);
    if (status != HF_STATUS_OK) {
        return status;
    }
    node->free_count = options.batch_count;
    for (uint32_t i = 0; i < node->free_count; i++) {
        node->free[i] = hf_log_writer_batch(node->writer, i);
    }
    return hf_log_writer_attach(node->writer, &node->fault);
}

/* Takes back what is durable: it is answered now. IO once the log is poisoned, and nothing is
 * answered from then on. */
static inline enum hf_status crash_poll(struct crash_node *node)
{
    struct hf_log_batch *done[HF_LOG_BATCHES_MAX];
    bool was_poisoned = hf_log_writer_is_poisoned(node->writer);
    uint32_t count = hf_log_writer_poll(node->writer, done, HF_LOG_BATCHES_MAX);
    assert_true(!was_poisoned || count == 0); /* P7 */
    for (uint32_t i = 0; i < count; i++) {
        node->acked_place = done[i]->first_place + done[i]->count - 1;
        node->free[node->free_count++] = done[i];
    }
    return hf_log_writer_is_poisoned(node->writer) ? HF_STATUS_IO : HF_STATUS_OK;
}

/* Applies the next bundle, and makes a batch of what took a place in it. NULL: nothing did. */
static inline struct hf_log_batch *crash_apply_bundle(struct crash_node *node)
{
    const struct story *story = node->story;
    uint32_t b = node->next_bundle++;
    struct hf_reply replies[STORY_BUNDLE_MAX];
    uint64_t first_place = hf_ledger_place(node->ledger) + 1;
    uint64_t placed = story_apply(story, b, node->ledger, replies);
    assert_int_equal(placed, story->placed[b]);
    if (placed == 0) {
        return NULL;
    }
    struct hf_log_batch *batch = node->free[--node->free_count];
    hf_log_batch_begin(batch, story->time_ns[b], first_place);
    for (uint32_t i = 0; i < story->first[b + 1] - story->first[b]; i++) {
        if ((placed >> i & 1) != 0) {
            assert_true(hf_log_batch_add(batch, &story->operations[story->first[b] + i]));
        }
    }
    return batch;
}

/* The next bundle on its way. */
static inline enum hf_status crash_submit_bundle(struct crash_node *node)
{
    enum hf_status status = HF_STATUS_OK;
    for (int polls = 0; node->free_count == 0 && status == HF_STATUS_OK; polls++) {
        assert_true(polls < CRASH_POLLS_MAX);
        status = crash_poll(node);
    }
    if (status != HF_STATUS_OK) {
        return status;
    }
    struct hf_log_batch *batch = crash_apply_bundle(node);
    if (batch == NULL) {
        return HF_STATUS_OK;
    }
    node->submitted_place = batch->first_place + batch->count - 1;
    status = hf_log_writer_submit(node->writer, batch);
    for (int polls = 0; status == HF_STATUS_AGAIN || status == HF_STATUS_FULL; polls++) {
        assert_true(polls < CRASH_POLLS_MAX);
        status = crash_poll(node);
        if (status == HF_STATUS_OK) {
            status = hf_log_writer_submit(node->writer, batch);
        }
    }
    return status;
}

static inline enum hf_status crash_tell_until(struct crash_node *node, uint32_t bundle)
{
    enum hf_status status = HF_STATUS_OK;
    while (node->next_bundle < bundle && status == HF_STATUS_OK) {
        status = crash_submit_bundle(node);
        if (status == HF_STATUS_OK && next_random(&node->random) % 3 != 0) {
            status = crash_poll(node);
        }
    }
    return status;
}

static inline enum hf_status crash_wait_for_all(struct crash_node *node)
{
    enum hf_status status = HF_STATUS_OK;
    for (int polls = 0; node->acked_place < node->submitted_place && status == HF_STATUS_OK;
         polls++) {
        assert_true(polls < CRASH_POLLS_MAX);
        status = crash_poll(node);
    }
    return status;
}

static inline enum hf_status crash_give_image(void *context, void *buffer, size_t size,
                                              size_t *length)
{
    *length = hf_image_write(context, buffer, size < 4096 ? size : 4096);
    return HF_STATUS_OK;
}

/* A checkpoint while the log is busy: three bundles are on their way all the time. The image is of
 * a second ledger, which stands still. A checkpoint that fails is no end of the node's; what comes
 * back is how the log is. */
static inline enum hf_status crash_checkpoint(struct crash_node *node)
{
    static struct crash_node copy;
    static struct hf_image_writer image;
    struct hf_checkpoint_header header;
    struct hf_reply replies[STORY_BUNDLE_MAX];
    enum hf_status status = crash_wait_for_all(node);
    for (int polls = 0; status == HF_STATUS_OK; polls++) {
        struct hf_log_writer_counts counts;
        hf_log_writer_count(node->writer, &counts);
        if (counts.in_flight == 0) {
            break;
        }
        assert_true(polls < CRASH_POLLS_MAX); /* a seal may be on its way */
        status = crash_poll(node);
    }
    if (status != HF_STATUS_OK) {
        return status;
    }
    hf_log_writer_describe(node->writer, &header);
    crash_make_ledger(&copy);
    for (uint32_t b = 0; b < node->next_bundle; b++) {
        (void)story_apply(node->story, b, copy.ledger, replies);
    }
    assert_int_equal(hf_ledger_place(copy.ledger), header.place);
    header.digest = hf_ledger_digest(copy.ledger);
    for (int i = 0; i < CRASH_DEPTH && status == HF_STATUS_OK; i++) {
        status = crash_submit_bundle(node);
    }
    hf_image_write_begin(&image, copy.ledger);
    const struct hf_checkpoint_stream stream = {.context = &image, .source = crash_give_image};
    if (status == HF_STATUS_OK) {
        (void)!hf_checkpoint_write(node->disk, &header, &stream, &node->fault);
    }
    crash_close_ledger(&copy);
    return status;
}

/* The process ends, in order unless the log is poisoned. */
static inline void crash_stop(struct crash_node *node)
{
    if (node->writer != NULL) {
        hf_log_writer_detach(node->writer);
        hf_log_writer_destroy(node->writer);
        node->writer = NULL;
    }
    crash_close_ledger(node);
    hf_disk_sim_kill(node->disk);
}

/* And begins again on the same disk, where it finds what it left. Until it has, the node says what
 * was known before. */
static inline enum hf_status crash_begin_again(struct crash_node *node)
{
    static struct crash_node next;
    enum hf_status status = crash_open(&next, node->story, node->disk);
    if (status != HF_STATUS_OK) {
        node->fault = next.fault;
        crash_close_ledger(&next);
        return status;
    }
    assert_int_equal(hf_ledger_place(next.ledger), node->submitted_place);
    next.acked_place = next.submitted_place = node->submitted_place;
    next.next_bundle = node->next_bundle;
    next.random = node->random;
    next.incarnation = next.state.superblock.incarnation;
    assert_true(next.incarnation > node->incarnation);
    *node = next;
    return crash_start_writer(node);
}

/* The whole life on an empty disk: two checkpoints, a clean stop in the middle and one at the end.
 * OK, or the status at which it ended early. `node` is zeroed, but for `random`, and stays as it
 * was at the end: crash_stop is the caller's. */
static inline enum hf_status crash_live(struct crash_node *node, const struct story *story,
                                        struct hf_disk *disk)
{
    uint32_t count = story->bundle_count;
    node->story = story;
    node->disk = disk;
    enum hf_status status = crash_begin_again(node);
    if (status == HF_STATUS_OK) {
        status = crash_tell_until(node, count / 4);
    }
    if (status == HF_STATUS_OK) {
        status = crash_checkpoint(node);
    }
    if (status == HF_STATUS_OK) {
        status = crash_tell_until(node, count / 2);
    }
    if (status == HF_STATUS_OK) {
        status = crash_wait_for_all(node);
    }
    if (status == HF_STATUS_OK) {
        hf_log_writer_detach(node->writer);
        status = hf_log_writer_is_poisoned(node->writer) ? HF_STATUS_IO : HF_STATUS_OK;
        crash_stop(node);
    }
    if (status == HF_STATUS_OK) {
        status = crash_begin_again(node);
    }
    if (status == HF_STATUS_OK) {
        status = crash_tell_until(node, count * 3 / 4);
    }
    if (status == HF_STATUS_OK) {
        status = crash_checkpoint(node);
    }
    if (status == HF_STATUS_OK) {
        status = crash_tell_until(node, count);
    }
    if (status == HF_STATUS_OK) {
        status = crash_wait_for_all(node);
    }
    return status;
}

/* The bundle before which the story's state has this place. Bundles that changed nothing may
 * follow. */
static inline uint32_t crash_bundle_at(const struct story *story, uint64_t place)
{
    uint32_t b = 0;
    while (b < story->bundle_count && story->place_after[b] < place) {
        b++;
    }
    assert_int_equal(story->place_after[b], place);
    return b;
}

/* What was found, opened into `node`, is the story's state after some bundle, digest for digest.
 * Returns its place. */
static inline uint64_t crash_check_state(const struct crash_node *node)
{
    uint64_t place = hf_ledger_place(node->ledger);
    const struct hf_id *digest = &node->story->digest[crash_bundle_at(node->story, place)];
    assert_int_equal(node->state.next_place, place + 1);
    assert_true(hf_id_equal(hf_ledger_digest(node->ledger), *digest));
    return place;
}

/* Who asks again gets what he got; and the rest of the story goes on as it went. */
static inline void crash_retell(struct crash_node *node)
{
    const struct story *story = node->story;
    struct hf_reply replies[STORY_BUNDLE_MAX];
    uint64_t recovered = hf_ledger_place(node->ledger);
    uint64_t time_ns = hf_ledger_timestamp_ns(node->ledger);
    for (uint32_t i = 0; i < STORY_OPERATIONS; i++) {
        const union hf_operation *again = &story->operations[i];
        const struct hf_reply *then = &story->replies[i];
        if (then->place == 0 || then->place > recovered) {
            continue;
        }
        assert_int_equal(hf_ledger_apply(node->ledger, time_ns, &again, 1, replies), 0);
        assert_memory_equal(&replies[0], then, sizeof *then);
    }
    for (uint32_t b = crash_bundle_at(story, recovered); b < story->bundle_count; b++) {
        uint64_t placed = story_apply(story, b, node->ledger, replies);
        assert_int_equal(placed, story->placed[b]);
        assert_memory_equal(replies, &story->replies[story->first[b]],
                            (story->first[b + 1] - story->first[b]) * sizeof *replies);
    }
    assert_true(hf_id_equal(hf_ledger_digest(node->ledger), story->digest[story->bundle_count]));
}

#endif
