/* Another node's checkpoint in place of a log: what came whole is installed, what did not is
 * refused, and whatever call fails, and whenever the power goes, there is the old log or the new.
 */
#define LOG_PLACES_MAX     8192
#define LOG_SEGMENT_SIZE   (32 << 10)
#define LOG_BATCH_CAPACITY 4096
#include "log_testing.h"

#include "wal/install.h"

#define OLD_RECORDS 40

static struct log_world source;
static uint64_t checkpoint; /* of the source's */
static struct hf_fault fault;

static struct hf_superblock superblock;

/* The source: a log of five segments, with a checkpoint in the middle of the third. */
static void make_source(void)
{
    log_world_begin(&source, 1, 0);
    while (source.acked_index == 0 || source.written[source.acked_index].segment < 3) {
        log_world_append(&source, 30);
    }
    log_world_append(&source, 30);
    checkpoint = source.acked_index;
    assert_int_equal(log_world_checkpoint(&source), HF_STATUS_OK);
    while (source.written[source.acked_index].segment < 5) {
        log_world_append(&source, 30);
    }
    log_world_stop(&source);
    superblock = source.state.superblock;
}

/* The sink: an older log of the same node's (so that its key is known), of some records. */
static struct hf_disk *make_sink(uint64_t seed)
{
    static struct log_world sink;
    log_world_begin(&sink, seed, 0);
    while (sink.acked_index < OLD_RECORDS) {
        log_world_append(&sink, 3);
    }
    log_world_abandon(&sink);
    hf_disk_sim_kill(sink.disk);
    return sink.disk;
}

static enum hf_status nothing_of_it(void *context, const struct hf_record_header *record,
                                    struct hf_fault *line)
{
    (void)context;
    (void)record;
    (void)line;
    return HF_STATUS_OK;
}

static enum hf_status no_image(void *context, const void *bytes, size_t length,
                               struct hf_fault *line)
{
    (void)context;
    (void)bytes;
    (void)length;
    (void)line;
    return HF_STATUS_OK;
}

static enum hf_status no_end(void *context, const struct hf_checkpoint_header *header,
                             struct hf_fault *line)
{
    (void)context;
    (void)header;
    (void)line;
    return HF_STATUS_OK;
}

static enum hf_status open_sink(struct hf_disk *disk, struct hf_log_state *state)
{
    const struct hf_log_replay replay = {
        .image = no_image, .image_end = no_end, .record = nothing_of_it};
    return hf_log_open(disk, &source.options, &replay, state, &fault);
}

/* Gives all of it, as a peer does, in slices. */
static enum hf_status give(struct hf_install *install, struct hf_disk *from)
{
    char names[2][HF_DISK_NAME_SIZE];
    uint64_t segment = source.written[checkpoint].segment;
    hf_checkpoint_format_name(checkpoint, names[HF_INSTALL_CHECKPOINT]);
    hf_segment_format_name(segment, names[HF_INSTALL_LOG]);
    enum hf_status status = hf_install_begin(install, checkpoint, segment, &fault);
    while (status == HF_STATUS_OK && install->part != HF_INSTALL_WHOLE) {
        size_t size = 0;
        const uint8_t *bytes = hf_disk_sim_bytes(from, names[install->part], &size);
        assert_non_null(bytes);
        if (install->offset >= size) {
            return HF_STATUS_NOT_FOUND; /* the giver has no more */
        }
        size_t left = size - (size_t)install->offset;
        uint32_t length = left < 4096 ? (uint32_t)left : 4096;
        status = hf_install_take(install, bytes + install->offset, length, &fault);
    }
    return status;
}

/* Takes all and decides. */
static enum hf_status install_on(struct hf_disk *disk)
{
    struct hf_install install;
    assert_int_equal(hf_install_init(&install, disk, &superblock, &fault), HF_STATUS_OK);
    enum hf_status status = give(&install, source.disk);
    if (status == HF_STATUS_OK) {
        status = hf_install_decide(&install, 7, &fault);
    }
    hf_install_finish(&install);
    return status;
}

static bool is_there(struct hf_disk *disk, const char *name)
{
    return hf_disk_sim_bytes(disk, name, NULL) != NULL;
}

static void test_takes_the_place_of_a_log(void **state)
{
    (void)state;
    struct hf_disk *disk = make_sink(2);
    assert_int_equal(install_on(disk), HF_STATUS_OK);
    assert_true(is_there(disk, HF_INSTALL_NAME));
    assert_true(is_there(disk, "log-0000000000000001"));
    hf_disk_sim_kill(disk);

    struct log_world world = source;
    world.writer = NULL;
    world.disk = disk;
    world.acked_index = checkpoint;
    world.acked_place = source.place_after[checkpoint];
    assert_int_equal(log_world_open(&world), HF_STATUS_OK);
    assert_int_equal(world.state.checkpoint_index, checkpoint);
    assert_int_equal(world.state.last_index, checkpoint);
    assert_int_equal(world.state.segment_first, 3);
    assert_false(is_there(disk, HF_INSTALL_NAME));
    assert_false(is_there(disk, "log-0000000000000001"));
    assert_true(is_there(disk, "quarantine-0000000000000007-log-0000000000000001"));
    assert_int_equal(world.state.superblock.epoch_count, 1);
    assert_int_equal(world.state.superblock.epochs[0].epoch, 1);

    /* It is a log as any other: goes on, and opens again. */
    assert_int_equal(log_world_start(&world), HF_STATUS_OK);
    log_world_append(&world, 20);
    log_world_stop(&world);
    assert_int_equal(log_world_open(&world), HF_STATUS_OK);
    assert_true(world.state.last_index > checkpoint);
    log_world_end(&world);
}

/* Every call of the disk fails once, and the power goes with it: at the taking, at the deciding and
 * at the opening that carries it out. */
static void test_any_call_fails(void **state)
{
    (void)state;
    bool has_decided = false;
    uint64_t calls = 0;
    for (; !has_decided; calls++) {
        struct hf_log_state found;
        struct hf_disk *disk = make_sink(100 + calls);
        hf_disk_sim_fail(disk, calls, true);
        has_decided = install_on(disk) == HF_STATUS_OK;
        hf_disk_sim_fail(disk, UINT64_MAX, false);
        hf_disk_sim_crash(disk);
        assert_int_equal(open_sink(disk, &found), HF_STATUS_OK);
        if (has_decided || found.last_index == checkpoint) {
            assert_int_equal(found.checkpoint_index, checkpoint);
        } else {
            assert_in_range(found.last_index, OLD_RECORDS, OLD_RECORDS + 1);
        }
        assert_false(is_there(disk, HF_INSTALL_CHECKPOINT_NAME));
        assert_false(is_there(disk, HF_INSTALL_LOG_NAME));
        disk->maker->destroy(disk);
    }
    assert_true(calls > 20);
    bool is_open = false;
    for (calls = 0; !is_open; calls++) {
        struct hf_log_state found;
        struct hf_disk *disk = make_sink(1000 + calls);
        assert_int_equal(install_on(disk), HF_STATUS_OK);
        hf_disk_sim_kill(disk);
        hf_disk_sim_fail(disk, calls, true);
        is_open = open_sink(disk, &found) == HF_STATUS_OK;
        hf_disk_sim_fail(disk, UINT64_MAX, false);
        hf_disk_sim_crash(disk);
        assert_int_equal(open_sink(disk, &found), HF_STATUS_OK);
        assert_int_equal(found.last_index, checkpoint);
        assert_false(is_there(disk, HF_INSTALL_NAME));
        disk->maker->destroy(disk);
    }
    assert_true(calls > 20);
}

/* A bit that is turned anywhere in what counts is found before anything is decided. */
static void test_damage_is_refused(void **state)
{
    (void)state;
    struct hf_install install;
    struct hf_disk *disk = make_sink(3);
    char names[2][HF_DISK_NAME_SIZE];
    const struct log_record_seen *last = &source.written[checkpoint];
    hf_checkpoint_format_name(checkpoint, names[HF_INSTALL_CHECKPOINT]);
    hf_segment_format_name(last->segment, names[HF_INSTALL_LOG]);
    assert_int_equal(hf_install_init(&install, disk, &superblock, &fault), HF_STATUS_OK);
    for (int part = 0; part < 2; part++) {
        size_t size = 0;
        hf_disk_sim_bytes(source.disk, names[part], &size);
        uint64_t bits = 8 * (part == HF_INSTALL_LOG ? last->offset + last->length : size);
        for (uint64_t bit = 0; bit < bits; bit += 997) {
            struct hf_disk *from = hf_disk_sim_clone(source.disk, bit);
            hf_disk_sim_flip_bit(from, names[part], bit);
            enum hf_status status = give(&install, from);
            assert_true(status == HF_STATUS_CORRUPT || status == HF_STATUS_NOT_FOUND);
            from->maker->destroy(from);
        }
    }
    /* And one that is whole is taken after all of them. */
    assert_int_equal(give(&install, source.disk), HF_STATUS_OK);
    hf_install_finish(&install);
    disk->maker->destroy(disk);
}

static void test_what_belongs_to_others(void **state)
{
    (void)state;
    struct hf_install install;
    struct hf_disk *disk = make_sink(4);
    struct hf_superblock other = superblock;
    other.public_key[0] ^= 1;
    assert_int_equal(hf_install_init(&install, disk, &other, &fault), HF_STATUS_OK);
    assert_int_equal(give(&install, source.disk), HF_STATUS_CORRUPT);
    assert_non_null(strstr(fault.line, "is a seal that"));
    hf_install_finish(&install);
    other = superblock;
    other.cluster.lo ^= 1;
    assert_int_equal(hf_install_init(&install, disk, &other, &fault), HF_STATUS_OK);
    assert_int_equal(give(&install, source.disk), HF_STATUS_WRONG_CLUSTER);
    hf_install_finish(&install);

    /* A damaged order: nobody guesses. */
    assert_int_equal(install_on(disk), HF_STATUS_OK);
    struct hf_log_state found;
    hf_disk_sim_flip_bit(disk, HF_INSTALL_NAME, 8 * 60);
    hf_disk_sim_kill(disk);
    assert_int_equal(open_sink(disk, &found), HF_STATUS_CORRUPT);
    assert_non_null(strstr(fault.line, "install: damaged"));
    disk->maker->destroy(disk);
}

static void test_no_room(void **state)
{
    (void)state;
    struct hf_log_state found;
    struct hf_disk *disk = make_sink(5);
    hf_disk_sim_set_space(disk, 1);
    assert_int_equal(install_on(disk), HF_STATUS_FULL);
    hf_disk_sim_set_space(disk, 0);
    hf_disk_sim_kill(disk);
    assert_int_equal(open_sink(disk, &found), HF_STATUS_OK);
    assert_in_range(found.last_index, OLD_RECORDS, OLD_RECORDS + 1);
    disk->maker->destroy(disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes_the_place_of_a_log),
        cmocka_unit_test(test_any_call_fails),
        cmocka_unit_test(test_damage_is_refused),
        cmocka_unit_test(test_what_belongs_to_others),
        cmocka_unit_test(test_no_room),
    };
    make_source();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    log_world_end(&source);
    return failed;
}
