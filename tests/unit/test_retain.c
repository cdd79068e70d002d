/* The log's old end: which segments go behind a checkpoint, what a log without its first segments
 * still is, and following a log to a record beside the node that writes it. */
#define LOG_PLACES_MAX     8192
#define LOG_SEGMENT_SIZE   (32 << 10)
#define LOG_BATCH_CAPACITY 4096
#include "log_testing.h"

#include "wal/retain.h"

static struct log_world world;
static struct log_world attempt; /* a copy of it, with the disk cloned */

static bool is_there(struct hf_disk *disk, uint64_t segment)
{
    char name[HF_DISK_NAME_SIZE];
    hf_segment_format_name(segment, name);
    return hf_disk_sim_bytes(disk, name, NULL) != NULL;
}

static void append_until_segment(uint64_t segment)
{
    while (world.acked_index == 0 || world.written[world.acked_index].segment < segment) {
        log_world_append(&world, 30);
    }
}

/* Checkpoints in segments 3 and 6, and the log goes on to segment 8. *older and *newer: their
 * indices. */
static void make_log(uint64_t *older, uint64_t *newer)
{
    log_world_begin(&world, 1, 0);
    append_until_segment(3);
    *older = world.acked_index;
    assert_int_equal(log_world_checkpoint(&world), HF_STATUS_OK);
    append_until_segment(6);
    *newer = world.acked_index;
    assert_int_equal(log_world_checkpoint(&world), HF_STATUS_OK);
    append_until_segment(8);
    log_world_stop(&world);
}

static void begin_attempt(uint64_t seed)
{
    attempt = world;
    attempt.writer = NULL;
    attempt.disk = hf_disk_sim_clone(world.disk, seed);
    assert_non_null(attempt.disk);
}

static void end_attempt(void)
{
    log_world_end(&attempt);
}

/* What the archive was given. */
struct archive {
    char names[16][HF_DISK_NAME_SIZE];
    uint32_t count;
    uint32_t fails_at; /* the call that fails, from 1; 0: none */
};

static enum hf_status archive_segment(void *context, const char *name, struct hf_fault *fault)
{
    struct archive *archive = context;
    assert_true(archive->count < 16);
    if (archive->fails_at == archive->count + 1) {
        snprintf(fault->line, sizeof fault->line, "the archive is full");
        return HF_STATUS_IO;
    }
    snprintf(archive->names[archive->count++], HF_DISK_NAME_SIZE, "%s", name);
    return HF_STATUS_OK;
}

static enum hf_status retain(struct log_world *some, uint64_t index, uint64_t keep_bytes,
                             struct archive *archive, struct hf_retained *retained)
{
    const struct hf_retention retention = {
        .index = index,
        .keep_bytes = keep_bytes,
        .archive = archive == NULL ? NULL : archive_segment,
        .context = archive,
    };
    return hf_retain(some->disk, &some->state.superblock, &retention, retained, &some->fault);
}

static void test_covered_segments_go(void **state)
{
    (void)state;
    uint64_t older = 0;
    uint64_t newer = 0;
    struct hf_retained retained;
    make_log(&older, &newer);

    begin_attempt(1);
    assert_int_equal(retain(&attempt, 0, 0, NULL, &retained), HF_STATUS_OK);
    assert_int_equal(retained.removed, 0);
    assert_int_equal(retained.covered, 0);
    assert_int_equal(retain(&attempt, older, 0, NULL, &retained), HF_STATUS_OK);
    assert_int_equal(retained.removed, 2);
    assert_int_equal(retained.range.first, 3);
    assert_false(is_there(attempt.disk, 2));
    assert_true(is_there(attempt.disk, 3));
    assert_int_equal(log_world_open(&attempt), HF_STATUS_OK);
    assert_int_equal(attempt.state.segment_first, 3);
    assert_int_equal(attempt.state.checkpoint_index, newer);
    hf_disk_sim_kill(attempt.disk);

    /* Twice is once. */
    assert_int_equal(retain(&attempt, older, 0, NULL, &retained), HF_STATUS_OK);
    assert_int_equal(retained.removed, 0);
    assert_int_equal(retain(&attempt, newer, 0, NULL, &retained), HF_STATUS_OK);
    assert_int_equal(retained.removed, 3);
    assert_int_equal(log_world_open(&attempt), HF_STATUS_OK);
    assert_int_equal(attempt.state.segment_first, 6);
    assert_int_equal(log_world_start(&attempt), HF_STATUS_OK);
    log_world_append(&attempt, 5);
    log_world_stop(&attempt);
    assert_int_equal(log_world_open(&attempt), HF_STATUS_OK);
    end_attempt();
    log_world_end(&world);
}

/* A record that is the last of its segment covers the whole of it. */
static void test_last_record_of_a_segment(void **state)
{
    (void)state;
    uint64_t older = 0;
    uint64_t newer = 0;
    struct hf_retained retained;
    make_log(&older, &newer);
    uint64_t last = older;
    while (world.written[last + 1].segment == 3) {
        last++;
    }
    begin_attempt(1);
    assert_int_equal(retain(&attempt, last - 1, 0, NULL, &retained), HF_STATUS_OK);
    assert_int_equal(retained.range.first, 3);
    assert_int_equal(retain(&attempt, last, 0, NULL, &retained), HF_STATUS_OK);
    assert_int_equal(retained.range.first, 4);
    end_attempt();

    /* However new the checkpoint: the segment in use stays. */
    begin_attempt(2);
    assert_int_equal(retain(&attempt, world.acked_index, 0, NULL, &retained), HF_STATUS_OK);
    assert_int_equal(retained.range.first, 8);
    assert_true(retained.range.last >= 8);
    end_attempt();
    log_world_end(&world);
}

static void test_keeps_what_it_is_told(void **state)
{
    (void)state;
    uint64_t older = 0;
    uint64_t newer = 0;
    struct hf_retained retained;
    static const struct {
        uint64_t keep_bytes;
        uint64_t first;
    } cases[] = {
        {0, 6},
        {1, 5},
        {LOG_SEGMENT_SIZE, 5},
        {LOG_SEGMENT_SIZE + 1, 4},
        {UINT64_C(4) * LOG_SEGMENT_SIZE, 2},
        {UINT64_C(5) * LOG_SEGMENT_SIZE, 1},
        {UINT64_MAX, 1},
    };
    make_log(&older, &newer);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin_attempt(i);
        assert_int_equal(retain(&attempt, newer, cases[i].keep_bytes, NULL, &retained),
                         HF_STATUS_OK);
        assert_int_equal(retained.range.first, cases[i].first);
        assert_int_equal(retained.removed, cases[i].first - 1);
        assert_int_equal(retained.covered, 6 - cases[i].first);
        end_attempt();
    }
    log_world_end(&world);
}

static void test_archive(void **state)
{
    (void)state;
    uint64_t older = 0;
    uint64_t newer = 0;
    struct hf_retained retained;
    make_log(&older, &newer);
    begin_attempt(1);
    struct archive archive = {.fails_at = 3};
    assert_int_equal(retain(&attempt, newer, 0, &archive, &retained), HF_STATUS_IO);
    assert_string_equal(attempt.fault.line, "the archive is full");
    assert_int_equal(retained.removed, 2);
    assert_int_equal(retained.range.first, 3);
    assert_true(is_there(attempt.disk, 3));
    archive.fails_at = 0;
    assert_int_equal(retain(&attempt, newer, 0, &archive, &retained), HF_STATUS_OK);
    assert_int_equal(retained.removed, 3);
    assert_int_equal(archive.count, 5);
    for (uint64_t i = 0; i < archive.count; i++) {
        char name[HF_DISK_NAME_SIZE];
        hf_segment_format_name(i + 1, name);
        assert_string_equal(archive.names[i], name);
    }
    end_attempt();
    log_world_end(&world);
}

/* Whatever call fails, and then the power: the log has no gap and starts. */
static void test_stopped_anywhere(void **state)
{
    (void)state;
    uint64_t older = 0;
    uint64_t newer = 0;
    struct hf_retained retained;
    enum hf_status status = HF_STATUS_IO;
    make_log(&older, &newer);
    for (uint64_t calls = 0; status != HF_STATUS_OK; calls++) {
        assert_true(calls < 1000);
        begin_attempt(calls);
        hf_disk_sim_fail(attempt.disk, calls, true);
        status = retain(&attempt, newer, 0, NULL, &retained);
        hf_disk_sim_fail(attempt.disk, UINT64_MAX, false);
        hf_disk_sim_crash(attempt.disk);
        assert_int_equal(log_world_open(&attempt), HF_STATUS_OK);
        assert_int_equal(attempt.state.checkpoint_index, newer);
        end_attempt();
    }
    log_world_end(&world);
}

static void test_first_segments_gone_need_a_checkpoint(void **state)
{
    (void)state;
    uint64_t older = 0;
    uint64_t newer = 0;
    struct hf_retained retained;
    make_log(&older, &newer);
    char names[2][HF_DISK_NAME_SIZE];
    hf_checkpoint_format_name(older, names[0]);
    hf_checkpoint_format_name(newer, names[1]);

    /* Behind the older one only: the newer may rot. */
    begin_attempt(1);
    assert_int_equal(retain(&attempt, older, 0, NULL, &retained), HF_STATUS_OK);
    hf_disk_sim_flip_bit(attempt.disk, names[1], 999);
    assert_int_equal(log_world_open(&attempt), HF_STATUS_OK);
    assert_int_equal(attempt.state.checkpoint_index, older);
    end_attempt();

    /* Both rot: nothing is written, and the line says what is lacking. */
    begin_attempt(2);
    assert_int_equal(retain(&attempt, older, 0, NULL, &retained), HF_STATUS_OK);
    hf_disk_sim_flip_bit(attempt.disk, names[0], 999);
    hf_disk_sim_flip_bit(attempt.disk, names[1], 999);
    uint64_t changes = hf_disk_sim_changes(attempt.disk);
    assert_int_equal(log_world_open(&attempt), HF_STATUS_CORRUPT);
    assert_non_null(strstr(attempt.fault.line, "log-0000000000000003 is the first segment"));
    assert_int_equal(hf_disk_sim_changes(attempt.disk), changes);
    end_attempt();

    /* An older checkpoint whose log has gone is not enough. */
    begin_attempt(3);
    assert_int_equal(retain(&attempt, newer, 0, NULL, &retained), HF_STATUS_OK);
    hf_disk_sim_flip_bit(attempt.disk, names[1], 999);
    assert_int_equal(log_world_open(&attempt), HF_STATUS_CORRUPT);
    assert_non_null(strstr(attempt.fault.line, "no segment holds record"));
    end_attempt();
    log_world_end(&world);
}

/* A replay that only counts: from the first segment there is, without what was before it. */
struct tally {
    uint64_t first_index;
    uint64_t last_index;
};

static enum hf_status count_record(void *context, const struct hf_record_header *record,
                                   struct hf_fault *fault)
{
    struct tally *tally = context;
    (void)fault;
    if (tally->first_index == 0) {
        tally->first_index = record->index;
    }
    tally->last_index = record->index;
    return HF_STATUS_OK;
}

static void test_read_from_the_first_segment_there_is(void **state)
{
    (void)state;
    uint64_t older = 0;
    uint64_t newer = 0;
    struct hf_retained retained;
    struct hf_log_state found;
    struct tally tally = {0};
    const struct hf_log_replay replay = {.context = &tally, .record = count_record};
    const struct hf_log_options options = {.from_start = true};
    make_log(&older, &newer);
    begin_attempt(1);
    assert_int_equal(retain(&attempt, newer, 0, NULL, &retained), HF_STATUS_OK);
    attempt.disk->read_only = true;
    assert_int_equal(hf_log_open(attempt.disk, &options, &replay, &found, &attempt.fault),
                     HF_STATUS_OK);
    assert_int_equal(world.written[tally.first_index].segment, 6);
    assert_int_equal(world.written[tally.first_index].offset, 0);
    assert_int_equal(tally.last_index, world.acked_index);
    end_attempt();
    log_world_end(&world);
}

static void test_missing_middle_is_named(void **state)
{
    (void)state;
    uint64_t older = 0;
    uint64_t newer = 0;
    make_log(&older, &newer);
    for (uint64_t first = 1; first <= 4; first++) {
        for (uint64_t missing = first + 1; missing <= 7; missing++) {
            char name[HF_DISK_NAME_SIZE];
            char line[HF_DISK_NAME_SIZE + 16];
            begin_attempt(missing);
            for (uint64_t s = 1; s < first; s++) {
                hf_segment_format_name(s, name);
                assert_int_equal(attempt.disk->maker->remove(attempt.disk, name), HF_STATUS_OK);
            }
            hf_segment_format_name(missing, name);
            assert_int_equal(attempt.disk->maker->remove(attempt.disk, name), HF_STATUS_OK);
            assert_int_equal(log_world_open(&attempt), HF_STATUS_CORRUPT);
            snprintf(line, sizeof line, "%s is missing", name);
            assert_non_null(strstr(attempt.fault.line, line));
            end_attempt();
        }
    }
    log_world_end(&world);
}

/* ---- Following ---- */

/* With `until_index` on the clone of a disk that another process holds and writes. */
static enum hf_status follow(uint64_t until)
{
    attempt.options.create = false;
    attempt.options.beside = true;
    attempt.options.until_index = until;
    attempt.acked_index = 0; /* what comes back is the log's beginning */
    attempt.acked_place = 1;
    attempt.disk->read_only = true;
    return log_world_open(&attempt);
}

static void test_followed_to_every_record(void **state)
{
    (void)state;
    log_world_begin(&world, 3, 3);
    append_until_segment(3);
    uint64_t checkpoint = world.acked_index;
    assert_int_equal(log_world_checkpoint(&world), HF_STATUS_OK);
    append_until_segment(5);
    uint64_t last = world.acked_index;
    struct hf_checkpoint_header written;
    hf_log_writer_describe(world.writer, &written);
    /* In flight, and so neither committed nor whole. */
    assert_int_equal(log_world_submit(&world, 3), HF_STATUS_OK);
    assert_int_equal(log_world_submit(&world, 30), HF_STATUS_OK);
    for (uint64_t until = 1; until <= last; until++) {
        struct hf_checkpoint_header header;
        begin_attempt(until);
        assert_int_equal(attempt.disk->maker->lock(attempt.disk), HF_STATUS_OK);
        uint64_t changes = hf_disk_sim_changes(attempt.disk);
        assert_int_equal(follow(until), HF_STATUS_OK);
        assert_int_equal(hf_disk_sim_changes(attempt.disk), changes);
        assert_int_equal(attempt.state.last_index, until);
        assert_int_equal(attempt.state.next_place, world.place_after[until]);
        assert_int_equal(attempt.state.checkpoint_index, until < checkpoint ? 0 : checkpoint);
        hf_log_state_describe(&attempt.state, &header);
        assert_int_equal(header.index, until);
        if (until == last) {
            assert_memory_equal(&header, &written, sizeof header);
        }
        end_attempt();
    }
    log_world_end(&world);
}

static void test_followed_to_a_record_that_is_not_there(void **state)
{
    (void)state;
    uint64_t older = 0;
    uint64_t newer = 0;
    make_log(&older, &newer);
    begin_attempt(1);
    assert_int_equal(follow(world.acked_index + 1), HF_STATUS_CORRUPT);
    assert_non_null(strstr(attempt.fault.line, "says that it was committed"));
    end_attempt();
    begin_attempt(2);
    char name[HF_DISK_NAME_SIZE];
    uint64_t damaged = newer + 2;
    hf_segment_format_name(world.written[damaged].segment, name);
    hf_disk_sim_flip_bit(attempt.disk, name, world.written[damaged].offset * 8 + 777);
    assert_int_equal(follow(damaged - 1), HF_STATUS_OK);
    assert_int_equal(follow(damaged), HF_STATUS_CORRUPT);
    end_attempt();
    log_world_end(&world);
}

/* ---- One reading of a checkpoint ---- */

struct loading {
    uint64_t begun[4]; /* indices of the images begun */
    uint32_t count;
    uint64_t ended;
    uint64_t bytes;
};

static enum hf_status begin_image(void *context, const struct hf_checkpoint_header *header,
                                  struct hf_fault *fault)
{
    struct loading *loading = context;
    (void)fault;
    assert_true(loading->count < 4);
    loading->begun[loading->count++] = header == NULL ? 0 : header->index;
    loading->bytes = 0;
    return HF_STATUS_OK;
}

static enum hf_status take_image(void *context, const void *bytes, size_t length,
                                 struct hf_fault *fault)
{
    struct loading *loading = context;
    (void)bytes;
    (void)fault;
    loading->bytes += length;
    return HF_STATUS_OK;
}

static enum hf_status end_image(void *context, const struct hf_checkpoint_header *header,
                                struct hf_fault *fault)
{
    struct loading *loading = context;
    (void)fault;
    loading->ended = header->index;
    assert_int_equal(loading->bytes, header->image_length);
    return HF_STATUS_OK;
}

static enum hf_status pass_record(void *context, const struct hf_record_header *record,
                                  struct hf_fault *fault)
{
    (void)context;
    (void)record;
    (void)fault;
    return HF_STATUS_OK;
}

/* With no whole one left, the machine is emptied once more, and the records come from the first. */
static void test_begins_again_without_any(void **state)
{
    (void)state;
    uint64_t older = 0;
    uint64_t newer = 0;
    char name[HF_DISK_NAME_SIZE];
    struct loading loading = {0};
    struct hf_log_state found;
    const struct hf_log_replay replay = {
        .context = &loading,
        .image_begin = begin_image,
        .image = take_image,
        .image_end = end_image,
        .record = pass_record,
    };
    make_log(&older, &newer);
    begin_attempt(1);
    hf_checkpoint_format_name(older, name);
    hf_disk_sim_flip_bit(attempt.disk, name, 8 * 5000);
    hf_checkpoint_format_name(newer, name);
    hf_disk_sim_flip_bit(attempt.disk, name, 8 * 5000);
    assert_int_equal(hf_log_open(attempt.disk, &attempt.options, &replay, &found, &attempt.fault),
                     HF_STATUS_OK);
    assert_int_equal(found.checkpoints_broken, 2);
    assert_int_equal(found.records_replayed, world.acked_index);
    assert_true(loading.count >= 1);
    assert_int_equal(loading.begun[loading.count - 1], 0);
    assert_int_equal(loading.ended, 0);
    end_attempt();
    log_world_end(&world);
}

static void test_begins_again_with_the_older(void **state)
{
    (void)state;
    uint64_t older = 0;
    uint64_t newer = 0;
    char name[HF_DISK_NAME_SIZE];
    make_log(&older, &newer);
    hf_checkpoint_format_name(newer, name);
    size_t size = 0;
    assert_non_null(hf_disk_sim_bytes(world.disk, name, &size));
    for (uint64_t byte = 0; byte <= size; byte += 509) {
        struct loading loading = {0};
        struct hf_log_state found;
        const struct hf_log_replay replay = {
            .context = &loading,
            .image_begin = begin_image,
            .image = take_image,
            .image_end = end_image,
            .record = pass_record,
        };
        bool damaged = byte < size;
        begin_attempt(byte);
        if (damaged) {
            hf_disk_sim_flip_bit(attempt.disk, name, byte * 8 + byte % 8);
        }
        assert_int_equal(
            hf_log_open(attempt.disk, &attempt.options, &replay, &found, &attempt.fault),
            HF_STATUS_OK);
        assert_int_equal(found.checkpoints_broken, damaged ? 1 : 0);
        assert_int_equal(found.checkpoint_index, damaged ? older : newer);
        assert_int_equal(loading.ended, found.checkpoint_index);
        assert_true(loading.count >= 1);
        assert_int_equal(loading.begun[loading.count - 1], found.checkpoint_index);
        end_attempt();
    }
    log_world_end(&world);
}

/* ---- Room ---- */

/* The writer leaves the room that it is told to leave, refuses in time, finishes what it has
 * accepted, and goes on when there is room again. */
static void test_room_is_left_for_a_checkpoint(void **state)
{
    (void)state;
    log_world_begin(&world, 4, 0);
    size_t used = 16384; /* the superblock */
    hf_disk_sim_set_space(world.disk, used + UINT64_C(6) * LOG_SEGMENT_SIZE);
    atomic_store(&world.disk->keep_free_bytes, UINT64_C(2) * LOG_SEGMENT_SIZE);
    while (hf_log_writer_has_room(world.writer) || !hf_log_writer_lacks_space(world.writer)) {
        if (hf_log_writer_has_room(world.writer)) {
            log_world_append(&world, 30);
        } else {
            log_world_poll(&world);
        }
    }
    assert_true(is_there(world.disk, 4));
    assert_false(is_there(world.disk, 5));
    for (uint32_t i = 0; i < world.writer_options.batch_count; i++) {
        enum hf_status status = HF_STATUS_AGAIN;
        while (status == HF_STATUS_AGAIN) {
            status = log_world_submit(&world, 30);
            log_world_poll(&world);
        }
        assert_int_equal(status, HF_STATUS_OK);
    }
    assert_false(hf_log_writer_has_room(world.writer));
    atomic_store(&world.disk->keep_free_bytes, LOG_SEGMENT_SIZE);
    for (int polls = 0; !hf_log_writer_has_room(world.writer); polls++) {
        assert_true(polls < 1000000);
        log_world_poll(&world);
    }
    assert_true(is_there(world.disk, 5));
    assert_false(hf_log_writer_lacks_space(world.writer));
    assert_false(hf_log_writer_is_poisoned(world.writer));
    log_world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_covered_segments_go),
        cmocka_unit_test(test_last_record_of_a_segment),
        cmocka_unit_test(test_keeps_what_it_is_told),
        cmocka_unit_test(test_archive),
        cmocka_unit_test(test_stopped_anywhere),
        cmocka_unit_test(test_first_segments_gone_need_a_checkpoint),
        cmocka_unit_test(test_read_from_the_first_segment_there_is),
        cmocka_unit_test(test_missing_middle_is_named),
        cmocka_unit_test(test_followed_to_every_record),
        cmocka_unit_test(test_followed_to_a_record_that_is_not_there),
        cmocka_unit_test(test_begins_again_with_the_older),
        cmocka_unit_test(test_begins_again_without_any),
        cmocka_unit_test(test_room_is_left_for_a_checkpoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
