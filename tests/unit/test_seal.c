/* Seals in a log: where the writer leaves them, and what a reader makes of those that do not hold.
 * The forger here can do all but sign: he makes every hash of the record chain right again. */
#define LOG_PLACES_MAX     4096
#define LOG_SEGMENT_SIZE   (32 << 10)
#define LOG_BATCH_CAPACITY 4096
#define LOG_SEAL_SPAN      5
#include "log_testing.h"

static struct log_world world;
static struct log_world attempt;

static void make_log(uint32_t batches)
{
    log_world_begin(&world, 1, 0);
    for (uint32_t i = 0; i < batches; i++) {
        log_world_append(&world, 3);
    }
}

/* Ends cleanly, with a seal. */
static void stop(struct log_world *some)
{
    struct hf_log_writer_counts counts;
    hf_log_writer_detach(some->writer);
    hf_log_writer_count(some->writer, &counts);
    for (uint64_t i = some->acked_index + 1; i <= counts.last_index; i++) {
        some->place_after[i] = some->next_place;
        some->written[i] = (struct log_record_seen){.index = i,
                                                    .segment = counts.segment,
                                                    .offset = counts.offset - 512,
                                                    .length = HF_CHAIN_SEAL_LENGTH,
                                                    .is_seal = true};
    }
    some->acked_index = counts.last_index;
    log_world_stop(some);
}

static void begin_attempt(void)
{
    attempt = world;
    attempt.disk = hf_disk_sim_clone(world.disk, 1);
    assert_non_null(attempt.disk);
}

static struct hf_record_header *record_at(struct log_world *some, uint64_t index)
{
    char name[HF_DISK_NAME_SIZE];
    hf_segment_format_name(some->written[index].segment, name);
    uint8_t *bytes = hf_disk_sim_bytes(some->disk, name, NULL);
    assert_non_null(bytes);
    struct hf_record_header *record =
        (struct hf_record_header *)(void *)(bytes + some->written[index].offset);
    assert_int_equal(record->index, index);
    return record;
}

/* Makes the record chain right from record `index` to the end of the log. */
static void forge_hashes(struct log_world *some, uint64_t index)
{
    for (; index <= some->acked_index; index++) {
        struct hf_record_header *record = record_at(some, index);
        if (index > 1) {
            record->prev_hash = record_at(some, index - 1)->hash;
        }
        hf_record_seal(record);
    }
}

static enum hf_status look_away(void *context, const struct hf_record_header *record,
                                struct hf_fault *fault)
{
    (void)context;
    (void)record;
    (void)fault;
    return HF_STATUS_OK;
}

/* Opens without looking at operations, and expects a halt at this record. */
static void expect_forgery(uint64_t index, const char *why)
{
    const struct hf_log_replay replay = {.record = look_away};
    char place[96];
    char name[HF_DISK_NAME_SIZE];
    uint64_t changes = hf_disk_sim_changes(attempt.disk);
    attempt.options.from_start = true;
    hf_segment_format_name(attempt.written[index].segment, name);
    snprintf(place, sizeof place, "%s at offset %llu: record %llu", name,
             (unsigned long long)attempt.written[index].offset, (unsigned long long)index);
    assert_int_equal(
        hf_log_open(attempt.disk, &attempt.options, &replay, &attempt.state, &attempt.fault),
        HF_STATUS_CORRUPT);
    if (strstr(attempt.fault.line, place) == NULL || strstr(attempt.fault.line, why) == NULL) {
        print_error("expected %s ... %s, found %s\n", place, why, attempt.fault.line);
        fail();
    }
    assert_int_equal(hf_disk_sim_changes(attempt.disk), changes);
    log_world_end(&attempt);
}

/* ---- Where they are ---- */

static void test_every_so_many_records(void **state)
{
    (void)state;
    make_log(17);
    for (uint64_t index = 1; index <= world.acked_index; index++) {
        bool due = index % (LOG_SEAL_SPAN + 1) == 0;
        assert_int_equal(world.written[index].is_seal, due);
        assert_int_equal(record_at(&world, index)->kind == HF_RECORD_SEAL, due);
    }
    stop(&world);
    assert_int_equal(world.acked_index, 17 + 3 + 1);
    assert_int_equal(log_world_open(&world), HF_STATUS_OK);
    assert_int_equal(world.state.seals, 4);
    assert_int_equal(world.state.span.tree.leaf_count, 0);
    assert_int_equal(world.state.known_commit, world.acked_index - 1);
    log_world_end(&world);
}

static void seal_now(void)
{
    struct hf_log_writer_counts before;
    struct hf_log_writer_counts after;
    hf_log_writer_count(world.writer, &before);
    assert_int_equal(hf_log_writer_seal(world.writer), HF_STATUS_OK);
    hf_log_writer_count(world.writer, &after);
    assert_int_equal(after.unsealed, 0);
    log_world_note_seals(&world, &before, &after, after.last_index);
    while (world.acked_index < after.last_index) {
        log_world_poll(&world);
    }
}

/* In between, because it is time: also where only a segment's last block is left. */
static void test_when_asked(void **state)
{
    (void)state;
    struct hf_log_writer_counts counts;
    make_log(3);
    hf_log_writer_count(world.writer, &counts);
    assert_int_equal(counts.unsealed, 3);
    seal_now();
    hf_log_writer_count(world.writer, &counts);
    assert_int_equal(counts.last_index, 4);
    /* Over nothing there is none. */
    seal_now();
    hf_log_writer_count(world.writer, &counts);
    assert_int_equal(counts.last_index, 4);
    for (uint32_t i = 0; i < 150; i++) {
        log_world_append(&world, 3);
        seal_now();
    }
    hf_log_writer_count(world.writer, &counts);
    assert_true(counts.segment >= 3);
    stop(&world);
    assert_int_equal(log_world_open(&world), HF_STATUS_OK);
    assert_true(world.state.seals >= counts.seals);
    assert_int_equal(world.state.span.tree.leaf_count, 0);
    log_world_end(&world);
}

/* A segment by itself: its first and last records are seals, each of the other names the value. */
static void test_both_ends_of_a_segment(void **state)
{
    (void)state;
    make_log(150);
    stop(&world);
    uint64_t segments = world.written[world.acked_index].segment;
    assert_true(segments >= 3);
    for (uint64_t index = 2; index <= world.acked_index; index++) {
        if (world.written[index].segment == world.written[index - 1].segment) {
            continue;
        }
        const struct hf_record_header *last = record_at(&world, index - 1);
        const struct hf_record_header *first = record_at(&world, index);
        assert_int_equal(world.written[index].offset, 0);
        assert_int_equal(last->kind, HF_RECORD_SEAL);
        assert_int_equal(first->kind, HF_RECORD_SEAL);
        assert_int_equal(hf_chain_seal_of(first)->first_index, index);
        assert_memory_equal(&hf_chain_seal_of(first)->previous, &hf_chain_seal_of(last)->chain,
                            sizeof(struct hf_chain_hash));
    }
    log_world_end(&world);
}

/* Depth one, and a span of one: a batch and its seals never are in flight together. */
static void test_narrow(void **state)
{
    (void)state;
    struct hf_disk_sim_options options = {.seed = 4, .block_size = 512, .delay_most = 3};
    log_world_init(&world, hf_disk_sim_create(&options));
    world.writer_options.depth = 1;
    world.writer_options.batch_count = 2;
    world.writer_options.seal_span = 1;
    assert_int_equal(log_world_open(&world), HF_STATUS_OK);
    assert_int_equal(log_world_start(&world), HF_STATUS_OK);
    for (uint32_t i = 0; i < 60; i++) {
        log_world_append(&world, 7);
    }
    stop(&world);
    assert_int_equal(log_world_open(&world), HF_STATUS_OK);
    assert_true(world.state.seals >= 60);
    assert_true(world.state.segment >= 3);
    log_world_end(&world);
}

/* After a death the span goes on where it stood. */
static void test_spans_survive_a_death(void **state)
{
    (void)state;
    make_log(3);
    for (int lives = 0; lives < 20; lives++) {
        log_world_stop(&world);
        assert_int_equal(log_world_open(&world), HF_STATUS_OK);
        assert_true(world.state.span.previous_is_known);
        assert_int_equal(log_world_start(&world), HF_STATUS_OK);
        log_world_append(&world, 1 + (uint32_t)lives % 4);
    }
    stop(&world);
    assert_int_equal(log_world_open(&world), HF_STATUS_OK);
    assert_int_equal(world.state.seals, world.acked_index - 23);
    log_world_end(&world);
}

/* With a checkpoint, reading begins in the middle of the log; the chain goes on all the same. */
static void test_from_a_checkpoint(void **state)
{
    (void)state;
    make_log(110);
    assert_int_equal(log_world_checkpoint(&world), HF_STATUS_OK);
    log_world_append(&world, 3);
    assert_true(world.written[world.acked_index].segment >= 2);
    log_world_stop(&world);
    assert_int_equal(log_world_open(&world), HF_STATUS_OK);
    assert_true(world.replayed_records < 5);
    assert_int_equal(log_world_start(&world), HF_STATUS_OK);
    log_world_append(&world, 3);
    stop(&world);
    begin_attempt();
    attempt.options.from_start = true;
    assert_int_equal(log_world_open(&attempt), HF_STATUS_OK);
    assert_int_equal(attempt.replayed_records, world.acked_index);
    log_world_end(&attempt);
    log_world_end(&world);
}

/* ---- What does not hold ---- */

/* A byte of every record but the seals, with all hashes made right again: the next seal tells. */
static void test_a_forged_record(void **state)
{
    (void)state;
    make_log(150);
    stop(&world);
    uint64_t seal = 0;
    for (uint64_t index = world.acked_index; index >= 1; index--) {
        if (world.written[index].is_seal) {
            seal = index;
            continue;
        }
        begin_attempt();
        struct hf_record_header *record = record_at(&attempt, index);
        ((uint8_t *)record)[HF_RECORD_HEADER_SIZE + offsetof(struct hf_op_move, amount)] ^= 1;
        forge_hashes(&attempt, index);
        expect_forgery(seal, "is a seal that is over records of other bytes");
    }
    log_world_end(&world);
}

/* Every byte of a seal, likewise. */
static void test_a_forged_seal(void **state)
{
    (void)state;
    make_log(9);
    stop(&world);
    assert_true(world.written[6].is_seal);
    for (uint32_t byte = HF_RECORD_HEADER_SIZE; byte < HF_CHAIN_SEAL_LENGTH; byte++) {
        begin_attempt();
        ((uint8_t *)record_at(&attempt, 6))[byte] ^= 1;
        forge_hashes(&attempt, 6);
        expect_forgery(6, "is a seal that ");
    }
    log_world_end(&world);
}

/* Signed, and signed right, but by somebody else; of another node; or over nothing of before. */
static void test_anothers_seals(void **state)
{
    (void)state;
    uint8_t other[HF_CHAIN_SECRET_SIZE];
    make_log(9);
    stop(&world);
    hf_chain_key_make(other);
    for (int how = 0; how < 3; how++) {
        begin_attempt();
        struct hf_chain_span span;
        hf_chain_span_init(&span, 1, 1);
        for (uint64_t index = 1; index <= 5; index++) {
            hf_chain_span_add(&span, record_at(&attempt, index));
        }
        if (how == 2) {
            span.previous.bytes[31] = 1;
        }
        hf_chain_seal_make(&span, record_at(&attempt, 6), how == 1 ? 4 : 3,
                           how == 0 ? other : log_secret_key);
        forge_hashes(&attempt, 6);
        expect_forgery(6, how == 0   ? "is a seal that is signed by another key"
                          : how == 1 ? "is a seal that is another node's"
                                     : "is a seal that does not follow the seal before");
    }
    log_world_end(&world);
}

/* A segment that opens with what was no seal. */
static void test_a_segment_without_a_seal(void **state)
{
    (void)state;
    make_log(150);
    stop(&world);
    uint64_t index = 2;
    while (world.written[index].segment == 1) {
        index++;
    }
    begin_attempt();
    struct hf_record_header *record = record_at(&attempt, index);
    record->kind = HF_RECORD_MARK;
    record->length = HF_RECORD_HEADER_SIZE;
    memset(record + 1, 0, 512 - HF_RECORD_HEADER_SIZE);
    attempt.written[index].length = HF_RECORD_HEADER_SIZE;
    forge_hashes(&attempt, index);
    expect_forgery(index, "opens a segment without a seal");
    log_world_end(&world);
}

/* ---- Keys ---- */

static void test_another_key(void **state)
{
    (void)state;
    uint8_t other[HF_CHAIN_SECRET_SIZE];
    struct hf_log_writer *writer = NULL;
    make_log(3);
    log_world_stop(&world);
    hf_chain_key_make(other);
    begin_attempt();
    uint64_t changes = hf_disk_sim_changes(attempt.disk);
    memcpy(attempt.options.public_key, hf_chain_key_public(other), HF_CHAIN_PUBLIC_SIZE);
    assert_int_equal(log_world_open(&attempt), HF_STATUS_WRONG_CLUSTER);
    assert_non_null(strstr(attempt.fault.line, "superblock: found public key"));
    assert_int_equal(hf_disk_sim_changes(attempt.disk), changes);
    log_world_end(&attempt);
    /* Nobody's in particular will do to read, but not to write. */
    begin_attempt();
    memset(attempt.options.public_key, 0, HF_CHAIN_PUBLIC_SIZE);
    assert_int_equal(log_world_open(&attempt), HF_STATUS_OK);
    attempt.writer_options.secret_key = other;
    assert_int_equal(hf_log_writer_create(attempt.disk, &attempt.state, &attempt.writer_options,
                                          &writer, &attempt.fault),
                     HF_STATUS_INVALID);
    attempt.writer_options.secret_key = NULL;
    assert_int_equal(hf_log_writer_create(attempt.disk, &attempt.state, &attempt.writer_options,
                                          &writer, &attempt.fault),
                     HF_STATUS_INVALID);
    log_world_end(&attempt);
    log_world_end(&world);
}

struct creation {
    struct hf_disk *disk;
    uint32_t calls;
    enum hf_status answer;
};

static enum hf_status note_creation(void *context, struct hf_fault *fault)
{
    struct creation *creation = context;
    creation->calls++;
    assert_null(hf_disk_sim_bytes(creation->disk, HF_SUPERBLOCK_NAME, NULL));
    snprintf(fault->line, sizeof fault->line, "no room for a key");
    return creation->answer;
}

/* What has to be durable before the superblock: asked for once, and a no is a no. */
static void test_before_a_log_is_made(void **state)
{
    (void)state;
    struct hf_disk_sim_options options = {.seed = 4, .block_size = 512};
    struct creation creation = {.disk = hf_disk_sim_create(&options), .answer = HF_STATUS_FULL};
    log_world_init(&world, creation.disk);
    world.options.before_create = note_creation;
    world.options.create_context = &creation;
    assert_int_equal(log_world_open(&world), HF_STATUS_FULL);
    assert_int_equal(creation.calls, 1);
    assert_null(hf_disk_sim_bytes(creation.disk, HF_SUPERBLOCK_NAME, NULL));
    hf_disk_sim_kill(world.disk);
    /* A key left by a start that was cut short does not make the directory somebody else's. */
    hf_disk_sim_resize(creation.disk, HF_RECOVER_KEY_NAME, 64);
    hf_disk_sim_resize(creation.disk, HF_RECOVER_KEY_NAME_TEMPORARY, 3);
    creation.answer = HF_STATUS_OK;
    assert_int_equal(log_world_open(&world), HF_STATUS_OK);
    assert_int_equal(creation.calls, 2);
    hf_disk_sim_kill(world.disk);
    assert_int_equal(log_world_open(&world), HF_STATUS_OK);
    assert_int_equal(creation.calls, 2);
    log_world_end(&world);
}

/* ---- Beside the writer ---- */

/* At every moment a reader without the lock sees a log that holds, up to somewhere. */
static void test_beside_the_writer(void **state)
{
    (void)state;
    const struct hf_log_replay replay = {.record = look_away};
    log_world_begin(&world, 6, 5);
    uint64_t seen = 0;
    for (uint32_t i = 0; i < 400; i++) {
        (void)!log_world_submit(&world, 1 + i % 3);
        log_world_poll(&world);
        begin_attempt();
        attempt.disk->read_only = true;
        attempt.options.beside = true;
        attempt.options.from_start = true;
        assert_int_equal(
            hf_log_open(attempt.disk, &attempt.options, &replay, &attempt.state, &attempt.fault),
            HF_STATUS_OK);
        assert_true(attempt.state.last_index >= world.acked_index);
        assert_true(attempt.state.last_index >= seen);
        seen = attempt.state.last_index;
        attempt.writer = NULL;
        log_world_end(&attempt);
    }
    assert_true(seen > 100);
    log_world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_so_many_records),
        cmocka_unit_test(test_when_asked),
        cmocka_unit_test(test_both_ends_of_a_segment),
        cmocka_unit_test(test_narrow),
        cmocka_unit_test(test_spans_survive_a_death),
        cmocka_unit_test(test_from_a_checkpoint),
        cmocka_unit_test(test_a_forged_record),
        cmocka_unit_test(test_a_forged_seal),
        cmocka_unit_test(test_anothers_seals),
        cmocka_unit_test(test_a_segment_without_a_seal),
        cmocka_unit_test(test_another_key),
        cmocka_unit_test(test_before_a_log_is_made),
        cmocka_unit_test(test_beside_the_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
