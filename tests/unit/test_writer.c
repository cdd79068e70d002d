/* The writer on the simulated disk: order, depth, room, and what happens when anything fails. */
#include "log_testing.h"

static struct log_world world;

static void test_natural_order(void **state)
{
    (void)state;
    log_world_begin(&world, 1, 0);
    assert_true(world.state.created);
    assert_true(hf_log_writer_has_room(world.writer));
    for (uint32_t i = 1; i <= 100; i++) {
        log_world_append(&world, i % 7);
    }
    struct hf_log_writer_counts counts;
    hf_log_writer_count(world.writer, &counts);
    assert_int_equal(counts.records, 100 + counts.seals);
    assert_int_equal(counts.seals, 2); /* the end of one segment, the beginning of the next */
    assert_int_equal(counts.commit_index, counts.records);
    log_world_stop(&world);
    assert_int_equal(log_world_open(&world), HF_STATUS_OK);
    assert_int_equal(world.state.last_index, counts.last_index);
    assert_int_equal(world.state.cut_bytes, 0);
    assert_int_equal(world.state.superblock.incarnation, 2);
    log_world_end(&world);
}

static void test_depth_is_kept(void **state)
{
    (void)state;
    log_world_begin(&world, 1, 0);
    for (uint32_t i = 0; i < world.writer_options.depth; i++) {
        assert_int_equal(log_world_submit(&world, 1), HF_STATUS_OK);
    }
    assert_int_equal(log_world_submit(&world, 1), HF_STATUS_AGAIN);
    struct hf_log_writer_counts counts;
    hf_log_writer_count(world.writer, &counts);
    assert_int_equal(counts.in_flight, 4);
    assert_int_equal(counts.commit_index, 0);
    assert_int_equal(log_world_poll(&world), 4);
    assert_int_equal(log_world_submit(&world, 1), HF_STATUS_OK);
    log_world_end(&world);
}

static void begin_with_flush_delay(uint64_t seed, uint32_t flush_delay)
{
    const struct hf_disk_sim_options options = {
        .seed = seed, .block_size = 512, .flush_delay = flush_delay};
    struct hf_disk *disk = hf_disk_sim_create(&options);
    assert_non_null(disk);
    log_world_init(&world, disk);
    assert_int_equal(log_world_open(&world), HF_STATUS_OK);
    assert_int_equal(log_world_start(&world), HF_STATUS_OK);
}

/* What is written and waits for its flush lets the next writes go, as many as there are batches;
 * not one of them counts before its flush. */
static void test_what_waits_for_its_flush(void **state)
{
    (void)state;
    struct hf_log_writer_counts counts;
    begin_with_flush_delay(1, 3);
    assert_int_equal(world.writer_options.depth, 4);
    assert_int_equal(world.writer_options.batch_count, 6);
    log_world_append(&world, 1);
    do { /* and the segment ahead is ready: it is made with appends, too */
        log_world_poll(&world);
        hf_log_writer_count(world.writer, &counts);
    } while (counts.segments_ready == 0);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(log_world_submit(&world, 1), HF_STATUS_OK);
    }
    assert_int_equal(world.disk->unwritten, 4);
    assert_int_equal(log_world_submit(&world, 1), HF_STATUS_AGAIN); /* writes */
    assert_int_equal(log_world_poll(&world), 0);
    assert_int_equal(world.disk->unwritten, 0);
    assert_int_equal(log_world_submit(&world, 1), HF_STATUS_OK);
    assert_int_equal(hf_log_writer_seal(world.writer), HF_STATUS_OK);
    world.written[7].is_seal = true;
    world.place_after[7] = world.next_place;
    assert_int_equal(world.free_count, 1);
    assert_int_equal(log_world_submit(&world, 1), HF_STATUS_AGAIN); /* what is not flushed */
    hf_log_writer_count(world.writer, &counts);
    assert_int_equal(counts.in_flight, 6);
    assert_int_equal(counts.commit_index, 1);
    assert_int_equal(log_world_poll(&world), 0);
    assert_int_equal(world.disk->unwritten, 0);
    assert_int_equal(log_world_submit(&world, 1), HF_STATUS_AGAIN);
    assert_int_equal(log_world_poll(&world), 0);
    assert_int_equal(log_world_submit(&world, 1), HF_STATUS_AGAIN);
    assert_int_equal(log_world_poll(&world), 4);
    assert_int_equal(world.acked_index, 5);
    assert_int_equal(log_world_submit(&world, 1), HF_STATUS_OK);
    assert_int_equal(log_world_poll(&world), 1);
    assert_int_equal(world.acked_index, 7);
    log_world_end(&world);
}

/* Power goes when all batches are written and not one is flushed: none was acknowledged, and what
 * the disk has kept of them is found. */
static void test_crash_before_the_flush(void **state)
{
    (void)state;
    uint64_t least = UINT64_MAX;
    uint64_t most = 0;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        begin_with_flush_delay(seed, 100);
        for (uint32_t i = 1; i <= 6; i++) {
            assert_int_equal(log_world_submit(&world, i), HF_STATUS_OK);
            assert_int_equal(log_world_poll(&world), 0);
        }
        assert_int_equal(world.disk->unwritten, 0);
        hf_disk_sim_crash(world.disk);
        log_world_abandon(&world);
        assert_int_equal(log_world_open(&world), HF_STATUS_OK);
        least = world.state.last_index < least ? world.state.last_index : least;
        most = world.state.last_index > most ? world.state.last_index : most;
        assert_int_equal(log_world_start(&world), HF_STATUS_OK);
        log_world_append(&world, 1);
        log_world_end(&world);
    }
    assert_int_equal(least, 0);
    assert_in_range(most, 2, 6);
}

/* Whatever order the disk completes in, batches come back in the order of the log, and the commit
 * index never passes one that is still on its way (log_world_poll asserts both). */
static void test_completions_out_of_order(void **state)
{
    (void)state;
    bool together = false;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        log_world_begin(&world, seed, 9);
        uint32_t submitted = 0;
        while (world.acked_index < 60) {
            while (submitted < 60 && log_world_submit(&world, 1 + submitted % 5) == HF_STATUS_OK) {
                submitted++;
            }
            together = log_world_poll(&world) > 1 || together;
        }
        log_world_stop(&world);
        assert_int_equal(log_world_open(&world), HF_STATUS_OK);
        assert_int_equal(world.state.last_index, 60);
        log_world_end(&world);
    }
    assert_true(together); /* some did wait for one before them */
}

static void test_completion_before_its_predecessor(void **state)
{
    (void)state;
    /* A seed with which the second of two records is durable before the first. */
    for (uint64_t seed = 1;; seed++) {
        assert_true(seed < 1000);
        log_world_begin(&world, seed, 9);
        assert_int_equal(log_world_submit(&world, 1), HF_STATUS_OK);
        assert_int_equal(log_world_submit(&world, 2), HF_STATUS_OK);
        uint32_t first = 0;
        while (first == 0) {
            first = log_world_poll(&world);
        }
        log_world_end(&world);
        if (first == 2) {
            break;
        }
    }
}

static void test_segments_change(void **state)
{
    (void)state;
    for (uint32_t delay = 0; delay <= 6; delay += 3) {
        log_world_begin(&world, 5 + delay, delay);
        uint32_t submitted = 0;
        while (submitted < 300) {
            if (log_world_submit(&world, 1 + submitted % 30) == HF_STATUS_OK) {
                submitted++;
            } else {
                log_world_poll(&world);
            }
        }
        struct hf_log_writer_counts counts;
        hf_log_writer_count(world.writer, &counts);
        while (world.acked_index < counts.last_index) {
            log_world_poll(&world);
        }
        assert_true(counts.segment > 5);
        assert_int_equal(counts.seals, 2 * (counts.segment - 1));
        assert_int_equal(counts.records, 300 + counts.seals);
        assert_int_equal(counts.operations, world.next_place - 1);
        /* Marks excepted, a record is mostly its operations. */
        assert_true(counts.bytes_device >= counts.bytes_logical);
        log_world_stop(&world);
        assert_int_equal(log_world_open(&world), HF_STATUS_OK);
        assert_int_equal(world.state.last_index, counts.last_index);
        assert_int_equal(world.state.seals, counts.seals);
        assert_int_equal(world.state.segment, counts.segment);
        assert_int_equal(world.state.offset, counts.offset);
        log_world_end(&world);
    }
}

/* The segments ahead are made while the log is idle. */
static void test_segments_ahead(void **state)
{
    (void)state;
    struct hf_disk_sim_options options = {.seed = 3, .block_size = 512, .delay_most = 3};
    struct hf_disk *disk = hf_disk_sim_create(&options);
    assert_non_null(disk);
    log_world_init(&world, disk);
    world.writer_options.segments_ahead = 4;
    assert_int_equal(log_world_open(&world), HF_STATUS_OK);
    assert_int_equal(log_world_start(&world), HF_STATUS_OK);
    struct hf_log_writer_counts counts;
    for (int i = 0; i < 200; i++) {
        log_world_poll(&world);
    }
    hf_log_writer_count(world.writer, &counts);
    assert_int_equal(counts.segments_ready, 4);
    size_t size = 0;
    assert_non_null(hf_disk_sim_bytes(disk, "log-0000000000000004", &size));
    assert_int_equal(size, world.options.segment_size);
    assert_null(hf_disk_sim_bytes(disk, "log-0000000000000005", &size));
    log_world_append(&world, 3);
    hf_log_writer_count(world.writer, &counts);
    assert_int_equal(counts.segment, 1);
    log_world_end(&world);
}

/* A log that is never idle finds the next segment ready whenever it comes to the end of one: there
 * is room all the time, and nobody is refused. */
static void test_room_all_the_time(void **state)
{
    (void)state;
    struct hf_disk_sim_options options = {
        .seed = 11, .block_size = 512, .delay_most = 2, .flush_delay = 3};
    struct hf_disk *disk = hf_disk_sim_create(&options);
    assert_non_null(disk);
    log_world_init(&world, disk);
    world.options.segment_size = 4 * (uint64_t)HF_SEGMENT_PIECE_SIZE;
    world.writer_options.batch_capacity = HF_SEGMENT_PIECE_SIZE / 4;
    assert_int_equal(log_world_open(&world), HF_STATUS_OK);
    assert_int_equal(log_world_start(&world), HF_STATUS_OK);
    struct hf_log_writer_counts counts = {0};
    while (counts.segment < 2) {
        while (log_world_submit(&world, 40) == HF_STATUS_OK) {
        }
        log_world_poll(&world);
        assert_true(hf_log_writer_has_room(world.writer));
        hf_log_writer_count(world.writer, &counts);
        assert_int_not_equal(counts.in_flight, 0);
    }
    log_world_end(&world);
}

/* Any one call or completion fails, at every moment: from then on nothing is acknowledged, ever;
 * and what was acknowledged before is there after a power cut. */
static void test_every_call_failing(void **state)
{
    (void)state;
    uint32_t poisoned_count = 0;
    for (uint64_t k = 0;; k++) {
        struct hf_disk_sim_options options = {.seed = k + 1, .block_size = 512, .delay_most = 4};
        struct hf_disk *disk = hf_disk_sim_create(&options);
        assert_non_null(disk);
        log_world_init(&world, disk);
        assert_int_equal(log_world_open(&world), HF_STATUS_OK);
        hf_disk_sim_fail(disk, k, false);
        bool failed = log_world_start(&world) != HF_STATUS_OK;
        uint32_t submitted = 0;
        for (int steps = 0; !failed && world.acked_index < 120; steps++) {
            assert_true(steps < 100000);
            enum hf_status status = log_world_submit(&world, 1 + submitted % 20);
            submitted += status == HF_STATUS_OK ? 1 : 0;
            log_world_poll(&world);
            failed = hf_log_writer_is_poisoned(world.writer);
        }
        if (failed && world.writer != NULL && hf_log_writer_is_poisoned(world.writer)) {
            poisoned_count++;
            uint64_t acked = world.acked_index;
            assert_true(hf_log_writer_fault(world.writer)->line[0] != '\0');
            assert_false(hf_log_writer_has_room(world.writer));
            assert_int_equal(log_world_submit(&world, 1), HF_STATUS_IO);
            for (int i = 0; i < 50; i++) {
                struct hf_log_batch *done[8];
                assert_int_equal(hf_log_writer_poll(world.writer, done, 8), 0);
                assert_int_equal(hf_log_writer_commit_index(world.writer), acked);
            }
        }
        bool reached = hf_disk_sim_calls(disk) > k && failed;
        hf_disk_sim_fail(disk, UINT64_MAX, false);
        hf_log_writer_destroy(world.writer);
        world.writer = NULL;
        hf_disk_sim_crash(disk);
        assert_int_equal(log_world_open(&world), HF_STATUS_OK);
        log_world_end(&world);
        if (!reached && k > 400) {
            break;
        }
    }
    assert_true(poisoned_count > 100);
}

static void test_disk_full_and_back(void **state)
{
    (void)state;
    struct hf_disk_sim_options options = {.seed = 3, .block_size = 512, .delay_most = 2};
    struct hf_disk *disk = hf_disk_sim_create(&options);
    assert_non_null(disk);
    log_world_init(&world, disk);
    assert_int_equal(log_world_open(&world), HF_STATUS_OK);
    /* Room for the superblock and two segments and a half. */
    hf_disk_sim_set_space(disk, 16384 + world.options.segment_size * 5 / 2);
    assert_int_equal(log_world_start(&world), HF_STATUS_OK);
    uint32_t refused = 0;
    uint64_t accepted_after_refusal = 0;
    for (int i = 0; i < 20000 && refused < 5; i++) {
        if (hf_log_writer_has_room(world.writer)) {
            enum hf_status status = log_world_submit(&world, 40);
            assert_true(status == HF_STATUS_OK || status == HF_STATUS_AGAIN);
        } else {
            refused++;
            /* What has been accepted before the refusal was seen still fits: all batches, full. */
            while (accepted_after_refusal < world.writer_options.batch_count) {
                enum hf_status status = log_world_submit(&world, 70);
                assert_int_not_equal(status, HF_STATUS_FULL);
                accepted_after_refusal += status == HF_STATUS_OK ? 1 : 0;
                log_world_poll(&world);
            }
        }
        log_world_poll(&world);
        assert_false(hf_log_writer_is_poisoned(world.writer));
    }
    assert_int_equal(refused, 5);
    /* No room stays no room ... */
    for (int i = 0; i < 10000; i++) {
        log_world_poll(&world);
        assert_false(hf_log_writer_has_room(world.writer));
    }
    assert_null(hf_disk_sim_bytes(disk, HF_SEGMENT_NAME_TEMPORARY, NULL));
    /* ... until space comes, and then the log goes on by itself. */
    hf_disk_sim_set_space(disk, 0);
    for (int i = 0; i < 10000 && !hf_log_writer_has_room(world.writer); i++) {
        log_world_poll(&world);
    }
    assert_true(hf_log_writer_has_room(world.writer));
    for (int i = 0; i < 20; i++) {
        log_world_append(&world, 30);
    }
    log_world_stop(&world);
    assert_int_equal(log_world_open(&world), HF_STATUS_OK);
    log_world_end(&world);
}

static void test_no_space_at_start(void **state)
{
    (void)state;
    struct hf_disk_sim_options options = {.seed = 3, .block_size = 512};
    struct hf_disk *disk = hf_disk_sim_create(&options);
    assert_non_null(disk);
    log_world_init(&world, disk);
    assert_int_equal(log_world_open(&world), HF_STATUS_OK);
    hf_disk_sim_set_space(disk, 20000);
    assert_int_equal(log_world_start(&world), HF_STATUS_OK);
    assert_false(hf_log_writer_has_room(world.writer));
    assert_int_equal(log_world_submit(&world, 1), HF_STATUS_FULL);
    hf_disk_sim_set_space(disk, 0);
    log_world_append(&world, 1);
    log_world_end(&world);
}

/* A clean end leaves a mark, and the whole log known as committed: also what was not collected. */
static void test_detach(void **state)
{
    (void)state;
    log_world_begin(&world, 9, 5);
    for (int i = 0; i < 10; i++) {
        log_world_append(&world, 3);
    }
    assert_int_equal(log_world_submit(&world, 2), HF_STATUS_OK);
    assert_int_equal(log_world_submit(&world, 2), HF_STATUS_OK);
    hf_log_writer_detach(world.writer);
    assert_int_equal(hf_log_writer_commit_index(world.writer), 13);
    struct hf_checkpoint_header header;
    hf_log_writer_describe(world.writer, &header);
    assert_int_equal(header.index, 13);
    assert_int_equal(header.place, world.next_place - 1);
    world.acked_index = 13;
    world.acked_place = world.next_place;
    log_world_stop(&world);
    assert_int_equal(log_world_open(&world), HF_STATUS_OK);
    assert_int_equal(world.state.last_index, 13);
    assert_int_equal(world.state.known_commit, 12);
    /* With nothing new there is nothing to say. */
    assert_int_equal(log_world_start(&world), HF_STATUS_OK);
    hf_log_writer_detach(world.writer);
    log_world_stop(&world);
    assert_int_equal(log_world_open(&world), HF_STATUS_OK);
    assert_int_equal(world.state.last_index, 13);
    log_world_end(&world);
}

/* A poisoned writer says nothing more, not even at its end. */
static void test_detach_poisoned(void **state)
{
    (void)state;
    log_world_begin(&world, 10, 3);
    log_world_append(&world, 3);
    hf_disk_sim_fail(world.disk, 0, false);
    assert_int_equal(log_world_submit(&world, 3), HF_STATUS_OK);
    hf_log_writer_detach(world.writer);
    assert_true(hf_log_writer_is_poisoned(world.writer));
    assert_int_equal(hf_log_writer_commit_index(world.writer), 1);
    log_world_stop(&world);
    assert_int_equal(log_world_open(&world), HF_STATUS_OK);
    assert_true(world.state.last_index <= 2);
    log_world_end(&world);
}

static void test_options(void **state)
{
    (void)state;
    static const struct hf_log_writer_options wrong[] = {
        {.depth = 0, .segments_ahead = 1, .batch_count = 1, .batch_capacity = 4096},
        {.depth = 65, .segments_ahead = 1, .batch_count = 1, .batch_capacity = 4096},
        {.depth = 1, .segments_ahead = 0, .batch_count = 1, .batch_capacity = 4096},
        {.depth = 1, .segments_ahead = 17, .batch_count = 1, .batch_capacity = 4096},
        {.depth = 1, .segments_ahead = 1, .batch_count = 0, .batch_capacity = 4096},
        {.depth = 1, .segments_ahead = 1, .batch_count = 65, .batch_capacity = 4096},
        {.depth = 1, .segments_ahead = 1, .batch_count = 1, .batch_capacity = 512},
        {.depth = 1, .segments_ahead = 1, .batch_count = 17, .batch_capacity = 4096},
    };
    log_world_begin(&world, 1, 0);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct hf_log_writer *writer = NULL;
        struct hf_fault fault = {{0}};
        assert_int_equal(hf_log_writer_create(world.disk, &world.state, &wrong[i], &writer, &fault),
                         HF_STATUS_INVALID);
        assert_true(fault.line[0] != '\0');
    }
    log_world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_natural_order),
        cmocka_unit_test(test_depth_is_kept),
        cmocka_unit_test(test_what_waits_for_its_flush),
        cmocka_unit_test(test_crash_before_the_flush),
        cmocka_unit_test(test_completions_out_of_order),
        cmocka_unit_test(test_completion_before_its_predecessor),
        cmocka_unit_test(test_segments_change),
        cmocka_unit_test(test_segments_ahead),
        cmocka_unit_test(test_room_all_the_time),
        cmocka_unit_test(test_every_call_failing),
        cmocka_unit_test(test_disk_full_and_back),
        cmocka_unit_test(test_no_space_at_start),
        cmocka_unit_test(test_detach),
        cmocka_unit_test(test_detach_poisoned),
        cmocka_unit_test(test_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
