/* What the log's tests share: a log on a simulated disk, whose every operation tells by its bytes
 * which place it has and in which life (of the process) it was submitted, and a replay that checks
 * exactly that. What came back from a disk is then either right, or seen to be wrong. */
#ifndef HF_TESTS_LOG_TESTING_H
#define HF_TESTS_LOG_TESTING_H

#include "wal/disk_sim.h"
#include "wal/segment.h"
#include "wal/writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A test that copies worlds and disks by the thousand may make them smaller. */
#ifndef LOG_PLACES_MAX
#define LOG_PLACES_MAX 16384
#endif
#ifndef LOG_SEGMENT_SIZE
#define LOG_SEGMENT_SIZE (64 << 10)
#endif
#ifndef LOG_BATCH_CAPACITY
#define LOG_BATCH_CAPACITY 8192
#endif
#ifndef LOG_SEAL_SPAN
#define LOG_SEAL_SPAN HF_CHAIN_SPAN_DEFAULT
#endif
#define LOG_LIVES_MAX   32
#define LOG_RECORDS_MAX 2048
#define LOG_TIME_NS     UINT64_C(1700000000000000000)

static const struct hf_id log_cluster = {.lo = 0x1122334455667788, .hi = 0x99aabbccddeeff00};

/* The key of every test's node, from a seed that is no secret. */
static const uint8_t log_seed[HF_CHAIN_SEED_SIZE] = "thirty-two bytes, known to all!";
static uint8_t log_secret_key[HF_CHAIN_SECRET_SIZE];

struct log_record_seen {
    uint64_t index;
    uint64_t segment; /* filled in by the writing side only */
    uint64_t offset;
    uint32_t length;
    uint32_t life;
    bool is_seal;
};

struct log_world {
    struct hf_disk *disk;
    struct hf_log_options options;
    struct hf_log_writer_options writer_options;
    struct hf_log_state state;
    struct hf_log_writer *writer;
    struct hf_fault fault;
    struct hf_log_batch *free[HF_LOG_BATCHES_MAX];
    uint32_t free_count;
    uint64_t next_place;
    uint64_t acked_index; /* as the writer last said, in any life */
    uint64_t acked_place;
    uint64_t place_after[LOG_RECORDS_MAX]; /* by index: the next place after that record */
    uint32_t life;
    uint32_t submitted[LOG_PLACES_MAX]; /* bit l: life l has submitted an operation there */
    uint32_t life_of[LOG_PLACES_MAX];   /* which life's operation counts at a place */
    uint32_t replayed_life[LOG_PLACES_MAX];
    uint64_t replayed_places; /* the next place, as replay saw it */
    uint64_t replayed_records;
    uint64_t replayed_last;
    struct log_record_seen written[LOG_RECORDS_MAX]; /* by index */
};

/* The one operation that life `life` submits at `place`: MOVE or AUTH, by place. */
static inline void log_operation(uint64_t place, uint32_t life, union hf_operation *operation)
{
    memset(operation, 0, sizeof *operation);
    operation->header.id = hf_id_make_operation(1700000000000 + life, (uint16_t)life, place);
    if (place % 5 == 0) {
        operation->header.length = sizeof operation->auth;
        operation->header.type = HF_OP_AUTH;
        operation->auth.token = (struct hf_id){.lo = place, .hi = 7};
        operation->auth.payee = (struct hf_id){.lo = 2, .hi = 0};
        operation->auth.amount = place * 3 + life;
        operation->auth.asset = 978;
        memset(operation->auth.merchant, 'm', 15);
    } else {
        operation->header.length = sizeof operation->move;
        operation->header.type = HF_OP_MOVE;
        operation->move.payer = (struct hf_id){.lo = place, .hi = 1};
        operation->move.payee = (struct hf_id){.lo = place + 1, .hi = 1};
        operation->move.amount = place * 7 + life;
        operation->move.asset = 978;
        operation->move.reference = life;
    }
}

static inline uint32_t log_life_in(const union hf_operation *operation)
{
    return (uint32_t)(operation->header.id.hi & 0xffff);
}

/* Takes one operation back: it must be, byte for byte, what some life submitted at this place. */
static inline void log_take_operation(struct log_world *world, const union hf_operation *operation)
{
    uint64_t place = world->replayed_places++;
    uint32_t life = log_life_in(operation);
    union hf_operation expected;
    assert_true(place < LOG_PLACES_MAX);
    assert_true(life < LOG_LIVES_MAX);
    assert_true((world->submitted[place] >> life & 1) != 0);
    log_operation(place, life, &expected);
    assert_int_equal(operation->header.length, expected.header.length);
    assert_memory_equal(operation, &expected, expected.header.length);
    world->replayed_life[place] = life;
}

static inline enum hf_status log_replay_record(void *context, const struct hf_record_header *record,
                                               struct hf_fault *fault)
{
    struct log_world *world = context;
    (void)fault;
    assert_int_equal(record->index, world->replayed_last + 1);
    assert_int_equal(record->first_place, world->replayed_places);
    world->replayed_last = record->index;
    world->replayed_records++;
    uint32_t offset = 0;
    uint32_t count = 0;
    const union hf_operation *operation = hf_record_next(record, &offset);
    while (operation != NULL) {
        log_take_operation(world, operation);
        count++;
        operation = hf_record_next(record, &offset);
    }
    assert_int_equal(count, record->count);
    return HF_STATUS_OK;
}

/* The image in these tests is a list of (place, life), 64 bytes each. */
struct log_image_entry {
    uint64_t place;
    uint64_t life;
    uint8_t filler[48];
};

static inline enum hf_status log_replay_image(void *context, const void *bytes, size_t length,
                                              struct hf_fault *fault)
{
    struct log_world *world = context;
    (void)fault;
    assert_int_equal(length % sizeof(struct log_image_entry), 0);
    const struct log_image_entry *entries = bytes;
    for (size_t i = 0; i < length / sizeof *entries; i++) {
        assert_int_equal(entries[i].place, world->replayed_places);
        assert_true(entries[i].life < LOG_LIVES_MAX);
        world->replayed_life[world->replayed_places++] = (uint32_t)entries[i].life;
    }
    return HF_STATUS_OK;
}

static inline enum hf_status log_replay_image_end(void *context,
                                                  const struct hf_checkpoint_header *header,
                                                  struct hf_fault *fault)
{
    struct log_world *world = context;
    (void)fault;
    assert_int_equal(world->replayed_places, header->place + 1);
    world->replayed_last = header->index;
    return HF_STATUS_OK;
}

static inline void log_world_init(struct log_world *world, struct hf_disk *disk)
{
    memset(world, 0, sizeof *world);
    world->disk = disk;
    world->options = (struct hf_log_options){
        .cluster = log_cluster, .node = 3, .create = true, .segment_size = LOG_SEGMENT_SIZE};
    hf_chain_key_of_seed(log_seed, log_secret_key);
    memcpy(world->options.public_key, hf_chain_key_public(log_secret_key),
           sizeof world->options.public_key);
    world->writer_options = (struct hf_log_writer_options){.depth = 4,
                                                           .segments_ahead = 1,
                                                           .batch_count = 6,
                                                           .batch_capacity = LOG_BATCH_CAPACITY,
                                                           .seal_span = LOG_SEAL_SPAN,
                                                           .secret_key = log_secret_key};
    world->next_place = 1;
    world->place_after[0] = 1;
}

/* Opens the log and compares what came back with what was promised. */
static inline enum hf_status log_world_open(struct log_world *world)
{
    struct hf_log_replay replay = {
        .context = world,
        .image = log_replay_image,
        .image_end = log_replay_image_end,
        .record = log_replay_record,
    };
    world->replayed_places = 1;
    world->replayed_records = 0;
    world->replayed_last = 0;
    enum hf_status status =
        hf_log_open(world->disk, &world->options, &replay, &world->state, &world->fault);
    if (status != HF_STATUS_OK) {
        assert_true(world->fault.line[0] != '\0');
        return status;
    }
    assert_int_equal(world->state.next_place, world->replayed_places);
    assert_int_equal(world->state.last_index, world->replayed_last);
    /* Nothing acknowledged is missing or another's. */
    assert_true(world->state.last_index >= world->acked_index);
    for (uint64_t place = 1; place < world->acked_place; place++) {
        assert_int_equal(world->replayed_life[place], world->life_of[place]);
    }
    /* What came back beyond that, counts from now on. */
    for (uint64_t place = 1; place < world->replayed_places; place++) {
        world->life_of[place] = world->replayed_life[place];
    }
    world->next_place = world->replayed_places;
    if (!world->disk->read_only) {
        /* Answers may stand on it now. */
        world->acked_index = world->state.last_index;
        world->acked_place = world->next_place;
        world->place_after[world->acked_index] = world->next_place;
    }
    return HF_STATUS_OK;
}

static inline enum hf_status log_world_start(struct log_world *world)
{
    world->life++;
    assert_true(world->life < LOG_LIVES_MAX);
    enum hf_status status = hf_log_writer_create(world->disk, &world->state, &world->writer_options,
                                                 &world->writer, &world->fault);
    if (status != HF_STATUS_OK) {
        return status;
    }
    world->free_count = world->writer_options.batch_count;
    for (uint32_t i = 0; i < world->free_count; i++) {
        world->free[i] = hf_log_writer_batch(world->writer, i);
    }
    return hf_log_writer_attach(world->writer, &world->fault);
}

/* Fills a batch with `count` operations (0: a mark) from the next place on. */
static inline void log_world_fill(struct log_world *world, struct hf_log_batch *batch,
                                  uint32_t count)
{
    hf_log_batch_begin(batch, LOG_TIME_NS + world->next_place, world->next_place);
    for (uint32_t i = 0; i < count; i++) {
        union hf_operation operation;
        log_operation(world->next_place + i, world->life, &operation);
        assert_true(hf_log_batch_add(batch, &operation));
    }
}

/* Seals that the writer has put between two submits: at most one where it stood, and then, in a
 * segment it moved on to, one at the beginning. */
static inline void log_world_note_seals(struct log_world *world,
                                        const struct hf_log_writer_counts *before,
                                        const struct hf_log_writer_counts *after, uint64_t last)
{
    assert_true(last + 1 < LOG_RECORDS_MAX);
    assert_true(last <= before->last_index + 2);
    for (uint64_t i = before->last_index + 1; i <= last; i++) {
        bool opens = after->segment != before->segment && i == last && after->offset != 0;
        world->place_after[i] = world->next_place;
        world->written[i] =
            (struct log_record_seen){.index = i,
                                     .segment = opens ? after->segment : before->segment,
                                     .offset = opens ? 0 : before->offset,
                                     .length = HF_CHAIN_SEAL_LENGTH,
                                     .life = world->life,
                                     .is_seal = true};
    }
}

/* Submits one batch of `count` operations, if a batch is free and the writer takes it. */
static inline enum hf_status log_world_submit(struct log_world *world, uint32_t count)
{
    if (world->free_count == 0) {
        return HF_STATUS_AGAIN;
    }
    struct hf_log_batch *batch = world->free[world->free_count - 1];
    log_world_fill(world, batch, count);
    struct hf_log_writer_counts before;
    struct hf_log_writer_counts counts;
    hf_log_writer_count(world->writer, &before);
    enum hf_status status = hf_log_writer_submit(world->writer, batch);
    hf_log_writer_count(world->writer, &counts);
    log_world_note_seals(world, &before, &counts,
                         counts.last_index - (status == HF_STATUS_OK ? 1 : 0));
    if (status != HF_STATUS_OK) {
        return status;
    }
    world->free_count--;
    assert_int_equal(batch->index, counts.last_index);
    world->written[batch->index] = (struct log_record_seen){
        .index = batch->index,
        .segment = counts.segment,
        .offset = counts.offset - hf_record_padded_length(batch->length, world->disk->block_size),
        .length = batch->length,
        .life = world->life,
    };
    for (uint32_t i = 0; i < count; i++) {
        assert_true(world->next_place < LOG_PLACES_MAX);
        world->submitted[world->next_place] |= UINT32_C(1) << world->life;
        world->life_of[world->next_place] = world->life;
        world->next_place++;
    }
    world->place_after[batch->index] = world->next_place;
    return HF_STATUS_OK;
}

/* One poll; takes back what is durable. */
static inline uint32_t log_world_poll(struct log_world *world)
{
    struct hf_log_batch *done[HF_LOG_BATCHES_MAX];
    uint64_t before = world->acked_index;
    uint32_t count = hf_log_writer_poll(world->writer, done, HF_LOG_BATCHES_MAX);
    uint64_t newest = before;
    for (uint32_t i = 0; i < count; i++) {
        assert_true(done[i]->index > newest); /* between them there may be seals */
        newest = done[i]->index;
        assert_int_equal(world->written[newest].index, newest);
        world->free[world->free_count++] = done[i];
    }
    uint64_t commit = hf_log_writer_commit_index(world->writer);
    assert_true(commit >= newest);
    for (uint64_t i = before + 1; i <= commit; i++) {
        /* Every batch that is durable was given back: the others are seals. */
        assert_true(i <= newest || world->written[i].is_seal);
    }
    world->acked_index = commit;
    world->acked_place = world->place_after[commit];
    return count;
}

/* Submits and polls until the batch is acknowledged. */
/* A real disk takes its time, and a poll without news costs nanoseconds: seconds of them. */
#define POLLS_MAX 1000000000

static inline void log_world_append(struct log_world *world, uint32_t count)
{
    enum hf_status status = log_world_submit(world, count);
    for (int polls = 0; status != HF_STATUS_OK; polls++) {
        assert_true(polls < POLLS_MAX);
        assert_true(status == HF_STATUS_AGAIN || status == HF_STATUS_FULL);
        log_world_poll(world);
        status = log_world_submit(world, count);
    }
    struct hf_log_writer_counts counts;
    hf_log_writer_count(world->writer, &counts);
    for (int polls = 0; world->acked_index < counts.last_index; polls++) {
        assert_true(polls < POLLS_MAX);
        log_world_poll(world);
        assert_false(hf_log_writer_is_poisoned(world->writer));
    }
}

/* The process ends: of its own will, with everything written. */
static inline void log_world_stop(struct log_world *world)
{
    hf_log_writer_destroy(world->writer);
    world->writer = NULL;
    hf_disk_sim_kill(world->disk);
}

/* The writer of a life that a power cut has ended: releases its memory. */
static inline void log_world_abandon(struct log_world *world)
{
    hf_log_writer_destroy(world->writer);
    world->writer = NULL;
}

/* A fresh log on a fresh disk, started. */
static inline void log_world_begin(struct log_world *world, uint64_t seed, uint32_t delay_most)
{
    struct hf_disk_sim_options options = {
        .seed = seed, .block_size = 512, .delay_most = delay_most};
    struct hf_disk *disk = hf_disk_sim_create(&options);
    assert_non_null(disk);
    log_world_init(world, disk);
    assert_int_equal(log_world_open(world), HF_STATUS_OK);
    assert_int_equal(log_world_start(world), HF_STATUS_OK);
}

static inline void log_world_end(struct log_world *world)
{
    hf_log_writer_destroy(world->writer);
    world->disk->maker->destroy(world->disk);
    memset(world, 0, sizeof *world);
}

/* ---- Checkpoints of such a world ---- */

struct log_image_source {
    const struct log_world *world;
    uint64_t next;
    uint64_t end;
};

static inline enum hf_status log_image_source(void *context, void *buffer, size_t size,
                                              size_t *length)
{
    struct log_image_source *source = context;
    struct log_image_entry *entries = buffer;
    size_t count = 0;
    while (count < size / sizeof *entries && source->next < source->end) {
        memset(&entries[count], 0x5a, sizeof entries[count]);
        entries[count].place = source->next;
        entries[count].life = source->world->life_of[source->next];
        source->next++;
        count++;
    }
    *length = count * sizeof *entries;
    return HF_STATUS_OK;
}

static inline enum hf_status log_world_checkpoint(struct log_world *world)
{
    struct hf_checkpoint_header header;
    hf_log_writer_describe(world->writer, &header);
    header.digest = (struct hf_id){.lo = header.place, .hi = 1};
    struct log_image_source source = {.world = world, .next = 1, .end = header.place + 1};
    struct hf_checkpoint_stream stream = {.context = &source, .source = log_image_source};
    return hf_checkpoint_write(world->disk, &header, &stream, &world->fault);
}

#endif
