/* Opening a log after whatever may have happened to it. The world (log_testing.h) checks at every
 * opening that all that was acknowledged is there, and that nothing is there which was not
 * submitted; the tests here add what must be cut, what must halt, and where. */
#define LOG_PLACES_MAX     4096
#define LOG_SEGMENT_SIZE   (32 << 10)
#define LOG_BATCH_CAPACITY 4096
#include "log_testing.h"

/* Under the address sanitizer everything takes twenty times as long: it looks at every seventh
 * case, which is enough for what it looks for. */
#ifdef __SANITIZE_ADDRESS__
#define STRIDE 7u
#else
#define STRIDE 1u
#endif

static struct log_world world;
static struct log_world attempt; /* a copy of it, with the disk cloned, to be damaged */

/* `records` acknowledged one after the other, five operations each, and a clean end. */
static void make_log(uint64_t seed, uint32_t records)
{
    log_world_begin(&world, seed, 0);
    for (uint32_t i = 0; i < records; i++) {
        log_world_append(&world, 5);
    }
    log_world_stop(&world);
}

static void begin_attempt(uint64_t seed)
{
    attempt = world;
    attempt.disk = hf_disk_sim_clone(world.disk, seed);
    assert_non_null(attempt.disk);
}

static void end_attempt(void)
{
    log_world_end(&attempt);
}

static void segment_name(uint64_t index, char name[HF_DISK_NAME_SIZE])
{
    hf_segment_format_name(world.written[index].segment, name);
}

/* The world no longer counts on records from `index` on: they are about to be damaged, and nothing
 * on the disk says that they were acknowledged. */
static void forget_from(struct log_world *some, uint64_t index)
{
    some->acked_index = index - 1;
    some->acked_place = some->place_after[index - 1];
}

/* Opens; expects the log to end before `index`, with a tail cut there; writes on, and opens again:
 * nothing of the old tail may come back. */
static void expect_cut(uint64_t index)
{
    forget_from(&attempt, index);
    assert_int_equal(log_world_open(&attempt), HF_STATUS_OK);
    assert_int_equal(attempt.state.last_index, index - 1);
    if (attempt.state.cut_bytes != 0) {
        assert_int_equal(attempt.state.cut_segment, world.written[index].segment);
        assert_int_equal(attempt.state.cut_offset, world.written[index].offset);
    }
    hf_disk_sim_kill(attempt.disk);
    assert_int_equal(log_world_open(&attempt), HF_STATUS_OK);
    assert_int_equal(attempt.state.last_index, index - 1);
    assert_int_equal(attempt.state.cut_bytes, 0);
    assert_int_equal(log_world_start(&attempt), HF_STATUS_OK);
    log_world_append(&attempt, 1);
    log_world_stop(&attempt);
    assert_int_equal(log_world_open(&attempt), HF_STATUS_OK);
    assert_int_equal(attempt.state.last_index, index);
    assert_int_equal(attempt.state.cut_bytes, 0);
}

/* Expects a halt that names this record's place, and nothing written. */
static void expect_corrupt(uint64_t index)
{
    uint64_t changes = hf_disk_sim_changes(attempt.disk);
    char place[96];
    char name[HF_DISK_NAME_SIZE];
    segment_name(index, name);
    snprintf(place, sizeof place, "%s at offset %llu:", name,
             (unsigned long long)world.written[index].offset);
    assert_int_equal(log_world_open(&attempt), HF_STATUS_CORRUPT);
    if (strstr(attempt.fault.line, place) == NULL) {
        print_error("expected %s, found %s\n", place, attempt.fault.line);
        fail();
    }
    assert_int_equal(hf_disk_sim_changes(attempt.disk), changes);
}

/* ---- Torn tails ---- */

static void test_tail_torn_at_every_byte(void **state)
{
    (void)state;
    log_world_begin(&world, 1, 0);
    for (uint32_t i = 0; i < 8; i++) {
        log_world_append(&world, i < 7 ? 5 : 2);
    }
    log_world_stop(&world);
    const struct log_record_seen *last = &world.written[8];
    char name[HF_DISK_NAME_SIZE];
    segment_name(8, name);
    uint32_t padded = hf_record_padded_length(last->length, 512);
    for (uint32_t at = 0; at < padded; at += STRIDE) {
        for (int how = 0; how < 3; how++) {
            begin_attempt(at);
            size_t size = 0;
            uint8_t *bytes = hf_disk_sim_bytes(attempt.disk, name, &size) + last->offset;
            bool changed = false;
            for (uint32_t i = at; i < padded && how < 2; i++) {
                uint8_t put = how == 0 ? 0 : (uint8_t)(i * 151 + 7);
                changed = changed || bytes[i] != put;
                bytes[i] = put;
            }
            if (how == 2) {
                changed = at < last->length && !hf_bytes_are_zero(bytes + at, padded - at);
                hf_disk_sim_resize(attempt.disk, name, last->offset + at);
            }
            if (changed) {
                expect_cut(8);
            } else {
                /* Only zeros were zeroed: the record is whole. */
                assert_int_equal(log_world_open(&attempt), HF_STATUS_OK);
                assert_int_equal(attempt.state.last_index, 8);
            }
            end_attempt();
        }
    }
    log_world_end(&world);
}

static void test_tail_bits(void **state)
{
    (void)state;
    make_log(2, 3);
    char name[HF_DISK_NAME_SIZE];
    segment_name(3, name);
    uint32_t padded = hf_record_padded_length(world.written[3].length, 512);
    for (uint64_t bit = 0; bit < (uint64_t)padded * 8; bit += 3 * STRIDE) {
        begin_attempt(bit);
        hf_disk_sim_flip_bit(attempt.disk, name, world.written[3].offset * 8 + bit);
        expect_cut(3);
        end_attempt();
    }
    log_world_end(&world);
}

/* Four writes in flight, power cut, any subset of them whole, missing or torn: what is lost is from
 * the first gap on. */
static void test_tail_of_reordered_writes(void **state)
{
    (void)state;
    make_log(3, 5);
    hf_disk_sim_kill(world.disk);
    assert_int_equal(log_world_open(&world), HF_STATUS_OK);
    assert_int_equal(log_world_start(&world), HF_STATUS_OK);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(log_world_submit(&world, 4 + i), HF_STATUS_OK);
    }
    log_world_poll(&world); /* all four are written now, each saying commit 5 */
    log_world_stop(&world);
    for (unsigned lost = 1; lost < 16; lost++) {
        begin_attempt(lost);
        uint64_t first = 0;
        for (uint64_t i = 0; i < 4; i++) {
            if ((lost >> i & 1) == 0) {
                continue;
            }
            const struct log_record_seen *record = &world.written[6 + i];
            char name[HF_DISK_NAME_SIZE];
            segment_name(6 + i, name);
            uint8_t *bytes = hf_disk_sim_bytes(attempt.disk, name, NULL);
            bytes[record->offset + (lost % 2 == 0 ? 0 : record->length - 1)] ^= 0x40;
            first = first == 0 ? 6 + i : first;
        }
        expect_cut(first);
        end_attempt();
    }
    log_world_end(&world);
}

/* ---- Corruption ---- */

static void test_flipped_byte_of_an_acknowledged_record(void **state)
{
    (void)state;
    make_log(4, 8);
    for (uint64_t index = 1; index <= 7; index += 3) {
        char name[HF_DISK_NAME_SIZE];
        segment_name(index, name);
        uint32_t padded = hf_record_padded_length(world.written[index].length, 512);
        for (uint64_t byte = 0; byte < padded; byte += STRIDE) {
            begin_attempt(byte);
            hf_disk_sim_flip_bit(attempt.disk, name,
                                 (world.written[index].offset + byte) * 8 + byte % 8);
            expect_corrupt(index);
            end_attempt();
        }
    }
    log_world_end(&world);
}

static void test_zeroed_acknowledged_record(void **state)
{
    (void)state;
    make_log(5, 8);
    for (uint64_t index = 1; index <= 7; index++) {
        char name[HF_DISK_NAME_SIZE];
        segment_name(index, name);
        begin_attempt(index);
        memset(hf_disk_sim_bytes(attempt.disk, name, NULL) + world.written[index].offset, 0,
               hf_record_padded_length(world.written[index].length, 512));
        expect_corrupt(index);
        end_attempt();
    }
    log_world_end(&world);
}

/* The same over the seam of two segments, where the end of one and the begin of the next look like
 * an end of the log. */
static void test_corruption_at_a_segment_change(void **state)
{
    (void)state;
    log_world_begin(&world, 6, 0);
    while (world.acked_index < 3 || world.written[world.acked_index - 2].segment < 3) {
        log_world_append(&world, 30);
    }
    log_world_stop(&world);
    uint64_t seams = 0;
    for (uint64_t index = 1; index + 1 < world.acked_index; index++) {
        if (world.written[index].segment == world.written[index + 1].segment) {
            continue;
        }
        for (uint64_t victim = index; victim <= index + 1; victim++) {
            char name[HF_DISK_NAME_SIZE];
            segment_name(victim, name);
            begin_attempt(index);
            hf_disk_sim_flip_bit(attempt.disk, name, world.written[victim].offset * 8 + 3000);
            expect_corrupt(victim);
            end_attempt();
            begin_attempt(index);
            memset(hf_disk_sim_bytes(attempt.disk, name, NULL) + world.written[victim].offset, 0,
                   hf_record_padded_length(world.written[victim].length, 512));
            expect_corrupt(victim);
            end_attempt();
            seams++;
        }
    }
    assert_true(seams >= 4);
    log_world_end(&world);
}

static void test_mark_makes_the_last_record_known(void **state)
{
    (void)state;
    log_world_begin(&world, 7, 0);
    log_world_append(&world, 5);
    log_world_append(&world, 5);
    log_world_append(&world, 0);
    log_world_stop(&world);
    begin_attempt(1);
    hf_disk_sim_flip_bit(attempt.disk, "log-0000000000000001", world.written[2].offset * 8 + 99);
    expect_corrupt(2);
    end_attempt();
    /* The mark itself may go: nobody was answered on the strength of it. */
    begin_attempt(2);
    hf_disk_sim_flip_bit(attempt.disk, "log-0000000000000001", world.written[3].offset * 8 + 99);
    expect_cut(3);
    end_attempt();
    log_world_end(&world);
}

static void test_missing_segment(void **state)
{
    (void)state;
    log_world_begin(&world, 8, 0);
    while (world.acked_index < 3 || world.written[world.acked_index].segment < 3) {
        log_world_append(&world, 30);
    }
    while (hf_disk_sim_bytes(world.disk, "log-0000000000000004", NULL) == NULL) {
        log_world_poll(&world);
    }
    log_world_stop(&world);
    for (uint64_t segment = 1; segment <= 3; segment++) {
        char name[HF_DISK_NAME_SIZE];
        hf_segment_format_name(segment, name);
        begin_attempt(segment);
        assert_int_equal(attempt.disk->maker->remove(attempt.disk, name), HF_STATUS_OK);
        assert_int_equal(log_world_open(&attempt), HF_STATUS_CORRUPT);
        end_attempt();
    }
    log_world_end(&world);
}

static void test_two_records_swapped(void **state)
{
    (void)state;
    make_log(9, 8);
    begin_attempt(1);
    uint8_t *bytes = hf_disk_sim_bytes(attempt.disk, "log-0000000000000001", NULL);
    uint32_t padded = hf_record_padded_length(world.written[3].length, 512);
    assert_int_equal(padded, hf_record_padded_length(world.written[4].length, 512));
    uint8_t *copy = malloc(padded);
    assert_non_null(copy);
    memcpy(copy, bytes + world.written[3].offset, padded);
    memcpy(bytes + world.written[3].offset, bytes + world.written[4].offset, padded);
    memcpy(bytes + world.written[4].offset, copy, padded);
    free(copy);
    assert_int_equal(log_world_open(&attempt), HF_STATUS_CORRUPT);
    end_attempt();
    log_world_end(&world);
}

/* ---- The directory ---- */

static void test_refused_directories(void **state)
{
    (void)state;
    make_log(10, 3);
    /* Another cluster, another node. */
    begin_attempt(1);
    uint64_t changes = hf_disk_sim_changes(attempt.disk);
    attempt.options.cluster.lo++;
    assert_int_equal(log_world_open(&attempt), HF_STATUS_WRONG_CLUSTER);
    hf_disk_sim_kill(attempt.disk);
    attempt.options.cluster.lo--;
    attempt.options.node++;
    assert_int_equal(log_world_open(&attempt), HF_STATUS_WRONG_CLUSTER);
    hf_disk_sim_kill(attempt.disk);
    assert_int_equal(hf_disk_sim_changes(attempt.disk), changes);
    /* Locked. */
    attempt.options.node--;
    assert_int_equal(log_world_open(&attempt), HF_STATUS_OK);
    changes = hf_disk_sim_changes(attempt.disk);
    assert_int_equal(log_world_open(&attempt), HF_STATUS_LOCKED);
    assert_int_equal(hf_disk_sim_changes(attempt.disk), changes);
    /* Not ours: a log without a superblock, or somebody's files. */
    hf_disk_sim_kill(attempt.disk);
    assert_int_equal(attempt.disk->maker->remove(attempt.disk, HF_SUPERBLOCK_NAME), HF_STATUS_OK);
    changes = hf_disk_sim_changes(attempt.disk);
    assert_int_equal(log_world_open(&attempt), HF_STATUS_WRONG_FORMAT);
    assert_int_equal(hf_disk_sim_changes(attempt.disk), changes);
    end_attempt();
    log_world_end(&world);
}

static void test_empty_directory(void **state)
{
    (void)state;
    struct hf_disk_sim_options options = {.seed = 1, .block_size = 512};
    struct hf_disk *disk = hf_disk_sim_create(&options);
    assert_non_null(disk);
    log_world_init(&world, disk);
    world.options.create = false;
    assert_int_equal(log_world_open(&world), HF_STATUS_NOT_FOUND);
    hf_disk_sim_kill(disk);
    world.options.create = true;
    world.options.segment_size = 5000;
    assert_int_equal(log_world_open(&world), HF_STATUS_INVALID);
    hf_disk_sim_kill(disk);
    world.options.segment_size = LOG_SEGMENT_SIZE;
    world.options.cluster = (struct hf_id){0};
    assert_int_equal(log_world_open(&world), HF_STATUS_INVALID);
    assert_int_equal(hf_disk_sim_changes(disk), 0);
    hf_disk_sim_kill(disk);
    /* What a first start that was cut short leaves does not stand in the way. */
    world.options.cluster = log_cluster;
    hf_disk_sim_resize(disk, "superblock.tmp", 4096);
    assert_int_equal(log_world_open(&world), HF_STATUS_OK);
    assert_true(world.state.created);
    assert_int_equal(world.state.superblock.incarnation, 1);
    log_world_end(&world);
}

static void test_read_only_changes_nothing(void **state)
{
    (void)state;
    make_log(11, 8);
    begin_attempt(1);
    hf_disk_sim_flip_bit(attempt.disk, "log-0000000000000001", world.written[8].offset * 8 + 99);
    uint64_t changes = hf_disk_sim_changes(attempt.disk);
    attempt.disk->read_only = true;
    forget_from(&attempt, 8);
    assert_int_equal(log_world_open(&attempt), HF_STATUS_OK);
    assert_int_equal(attempt.state.last_index, 7);
    assert_true(attempt.state.cut_bytes != 0);
    assert_int_equal(hf_disk_sim_changes(attempt.disk), changes);
    end_attempt();
    log_world_end(&world);
}

/* The state machine's settings are kept whole: when any byte of them changes, what came before was
 * made under the old ones. */
static void test_settings_change(void **state)
{
    static const size_t changed[] = {0, 79, HF_SUPERBLOCK_SETTINGS_SIZE - 1};
    struct hf_superblock found;

    (void)state;
    make_log(13, 4);
    for (size_t i = 0; i < sizeof changed / sizeof changed[0]; i++) {
        begin_attempt(1);
        assert_int_equal(log_world_open(&attempt), HF_STATUS_OK);
        assert_int_equal(attempt.state.superblock.settings_index, 0);
        hf_disk_sim_kill(attempt.disk);
        attempt.options.settings[changed[i]] ^= 0x80;
        assert_int_equal(log_world_open(&attempt), HF_STATUS_OK);
        assert_int_equal(hf_superblock_read(attempt.disk, &found, &attempt.fault), HF_STATUS_OK);
        assert_int_equal(found.settings_index, attempt.state.last_index);
        assert_true(found.settings_index > 0);
        assert_memory_equal(found.settings, attempt.options.settings, sizeof found.settings);
        end_attempt();
    }
    log_world_end(&world);
}

/* A log keeps the sizes it was made with, whatever the settings say later. */
static void test_sizes_stay(void **state)
{
    (void)state;
    make_log(12, 4);
    begin_attempt(1);
    attempt.options.segment_size = 128 << 10;
    attempt.disk->block_size = 4096;
    assert_int_equal(log_world_open(&attempt), HF_STATUS_OK);
    assert_int_equal(attempt.state.superblock.segment_size, LOG_SEGMENT_SIZE);
    assert_int_equal(attempt.disk->block_size, 512);
    end_attempt();
    log_world_end(&world);
}

/* ---- Checkpoints ---- */

/* Ten records, a checkpoint, ten more, a checkpoint, ten more. */
static void make_checkpointed_log(void)
{
    log_world_begin(&world, 20, 0);
    for (int part = 0; part < 3; part++) {
        for (int i = 0; i < 10; i++) {
            log_world_append(&world, 9);
        }
        if (part < 2) {
            assert_int_equal(log_world_checkpoint(&world), HF_STATUS_OK);
        }
    }
    log_world_stop(&world);
}

static void test_checkpoint_loads(void **state)
{
    (void)state;
    make_checkpointed_log();
    begin_attempt(1);
    assert_int_equal(log_world_open(&attempt), HF_STATUS_OK);
    assert_int_equal(attempt.state.checkpoint_index, 20);
    assert_int_equal(attempt.replayed_records, world.acked_index - 20);
    assert_int_equal(attempt.state.records_replayed, world.acked_index - 20);
    end_attempt();
    begin_attempt(2);
    attempt.options.from_start = true;
    assert_int_equal(log_world_open(&attempt), HF_STATUS_OK);
    assert_int_equal(attempt.state.checkpoint_index, 0);
    assert_int_equal(attempt.replayed_records, world.acked_index);
    end_attempt();
    log_world_end(&world);
}

static void test_checkpoint_damaged_anywhere(void **state)
{
    (void)state;
    make_checkpointed_log();
    char name[HF_DISK_NAME_SIZE];
    hf_checkpoint_format_name(20, name);
    size_t size = 0;
    assert_non_null(hf_disk_sim_bytes(world.disk, name, &size));
    for (uint64_t byte = 0; byte < size; byte += STRIDE * (byte < 512 || byte >= 4096 ? 7u : 61u)) {
        begin_attempt(byte);
        hf_disk_sim_flip_bit(attempt.disk, name, byte * 8 + byte % 8);
        assert_int_equal(log_world_open(&attempt), HF_STATUS_OK);
        assert_int_equal(attempt.state.checkpoint_index, 10);
        assert_int_equal(attempt.state.checkpoints_broken, 1);
        assert_int_equal(attempt.replayed_records, world.acked_index - 10);
        end_attempt();
    }
    for (size_t length = 0; length < size; length += 512 * STRIDE) {
        begin_attempt(length);
        hf_disk_sim_resize(attempt.disk, name, length);
        assert_int_equal(log_world_open(&attempt), HF_STATUS_OK);
        assert_int_equal(attempt.state.checkpoint_index, 10);
        end_attempt();
    }
    log_world_end(&world);
}

static void test_both_checkpoints_damaged(void **state)
{
    (void)state;
    make_checkpointed_log();
    begin_attempt(1);
    hf_disk_sim_flip_bit(attempt.disk, "checkpoint-0000000000000014", 999);
    hf_disk_sim_flip_bit(attempt.disk, "checkpoint-000000000000000a", 999);
    assert_int_equal(log_world_open(&attempt), HF_STATUS_OK);
    assert_int_equal(attempt.state.checkpoints_broken, 2);
    assert_int_equal(attempt.replayed_records, world.acked_index);
    end_attempt();
    log_world_end(&world);
}

/* A checkpoint says that its record was committed, even where no later record does. */
static void test_checkpoint_bears_witness(void **state)
{
    (void)state;
    log_world_begin(&world, 21, 0);
    for (int i = 0; i < 10; i++) {
        log_world_append(&world, 5);
    }
    assert_int_equal(log_world_checkpoint(&world), HF_STATUS_OK);
    log_world_stop(&world);
    begin_attempt(1);
    hf_disk_sim_flip_bit(attempt.disk, "log-0000000000000001", world.written[10].offset * 8 + 77);
    expect_corrupt(10);
    end_attempt();
    begin_attempt(2);
    hf_disk_sim_flip_bit(attempt.disk, "log-0000000000000001", world.written[10].offset * 8 + 77);
    hf_disk_sim_flip_bit(attempt.disk, "checkpoint-000000000000000a", 77);
    expect_corrupt(10);
    end_attempt();
    log_world_end(&world);
}

static void test_checkpoint_of_another_history(void **state)
{
    (void)state;
    make_checkpointed_log();
    begin_attempt(1);
    size_t size = 0;
    uint8_t *bytes = hf_disk_sim_bytes(attempt.disk, "checkpoint-0000000000000014", &size);
    struct hf_checkpoint_header *header = (struct hf_checkpoint_header *)(void *)bytes;
    header->record_hash.lo ^= 1;
    header->hash = hf_hash_of(bytes + 16, sizeof *header - 16);
    assert_int_equal(log_world_open(&attempt), HF_STATUS_CORRUPT);
    end_attempt();
    log_world_end(&world);
}

static void test_only_two_checkpoints_stay(void **state)
{
    (void)state;
    log_world_begin(&world, 22, 0);
    for (int i = 0; i < 5; i++) {
        log_world_append(&world, 5);
        assert_int_equal(log_world_checkpoint(&world), HF_STATUS_OK);
        assert_int_equal(log_world_checkpoint(&world), HF_STATUS_EXISTS);
    }
    for (uint64_t index = 1; index <= 5; index++) {
        char name[HF_DISK_NAME_SIZE];
        hf_checkpoint_format_name(index, name);
        assert_int_equal(hf_disk_sim_bytes(world.disk, name, NULL) != NULL, index >= 4);
    }
    log_world_end(&world);
}

/* A checkpoint stopped at any call leaves the log as it was, and the older ones usable. */
static void test_checkpoint_stopped_anywhere(void **state)
{
    (void)state;
    bool done = false;
    for (uint64_t k = 0; !done; k++) {
        assert_true(k < 100);
        log_world_begin(&world, 23 + k, 0);
        log_world_append(&world, 5);
        assert_int_equal(log_world_checkpoint(&world), HF_STATUS_OK);
        log_world_append(&world, 5);
        log_world_append(&world, 5);
        hf_disk_sim_fail(world.disk, k, true);
        done = log_world_checkpoint(&world) == HF_STATUS_OK;
        hf_disk_sim_fail(world.disk, UINT64_MAX, false);
        hf_log_writer_destroy(world.writer);
        world.writer = NULL;
        hf_disk_sim_crash(world.disk);
        assert_int_equal(log_world_open(&world), HF_STATUS_OK);
        assert_true(world.state.checkpoint_index == 3 ||
                    (!done && world.state.checkpoint_index == 1));
        assert_int_equal(world.state.checkpoints_broken, 0);
        log_world_end(&world);
    }
}

/* ---- Crashes ---- */

static uint64_t seed_random;

static uint32_t random_below(uint32_t bound)
{
    seed_random = seed_random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed_random >> 33) % bound;
}

/* Works for a while; ends by itself, or when a call fails. */
static void live(uint32_t steps)
{
    for (uint32_t i = 0; i < steps && !hf_log_writer_is_poisoned(world.writer); i++) {
        if (world.next_place > LOG_PLACES_MAX - 200) {
            return;
        }
        if (random_below(3) != 0) {
            enum hf_status status = log_world_submit(&world, random_below(3) == 0 ? 30 : 3);
            assert_true(status == HF_STATUS_OK || status == HF_STATUS_AGAIN ||
                        status == HF_STATUS_FULL || status == HF_STATUS_IO);
        }
        log_world_poll(&world);
        struct hf_log_writer_counts counts;
        hf_log_writer_count(world.writer, &counts);
        if (counts.in_flight == 0 && counts.last_index != 0 && random_below(8) == 0) {
            enum hf_status status = log_world_checkpoint(&world);
            assert_true(status == HF_STATUS_OK || status == HF_STATUS_EXISTS ||
                        status == HF_STATUS_IO);
        }
    }
}

/* One history: lives that end by a power cut, at a random call or in the middle of everything, or
 * by the process's death; also during recovery. */
static void crash_run(uint64_t seed)
{
    seed_random = seed;
    struct hf_disk_sim_options options = {
        .seed = seed,
        .block_size = seed % 3 == 0 ? 4096 : 512,
        .delay_most = random_below(8),
        .flush_delay = random_below(8),
    };
    struct hf_disk *disk = hf_disk_sim_create(&options);
    assert_non_null(disk);
    log_world_init(&world, disk);
    world.writer_options.depth = 1 + random_below(6);
    world.writer_options.segments_ahead = 1 + random_below(3);
    world.writer_options.seal_span = 3 + random_below(30);
    if (options.block_size == 4096) { /* and so is a seal */
        world.writer_options.batch_count = 4;
        world.writer_options.seal_span += 5;
    }
    for (int lives = 0; lives < 12; lives++) {
        if (random_below(3) == 0) {
            hf_disk_sim_fail(disk, random_below(60), true);
        }
        enum hf_status status = log_world_open(&world);
        if (status == HF_STATUS_OK) {
            status = log_world_start(&world);
        }
        if (status == HF_STATUS_OK) {
            if (random_below(2) == 0) {
                hf_disk_sim_fail(disk, random_below(200), true);
            }
            live(random_below(150));
        } else if (status != HF_STATUS_IO) {
            print_error("seed %llu: %s\n", (unsigned long long)seed, world.fault.line);
            fail();
        }
        /* The machine loses power with requests on their way: they must not be waited for. */
        if (random_below(4) == 0) {
            hf_disk_sim_kill(disk);
        } else {
            hf_disk_sim_crash(disk);
        }
        log_world_abandon(&world);
        hf_disk_sim_fail(disk, UINT64_MAX, false);
    }
    if (log_world_open(&world) != HF_STATUS_OK) {
        print_error("seed %llu: %s\n", (unsigned long long)seed, world.fault.line);
        fail();
    }
    log_world_end(&world);
}

static uint64_t crash_seed_first = 1;
static uint64_t crash_seed_count = 300 / STRIDE;

static void test_crash_runs(void **state)
{
    (void)state;
    print_message("crash runs: seeds %llu to %llu\n", (unsigned long long)crash_seed_first,
                  (unsigned long long)(crash_seed_first + crash_seed_count - 1));
    for (uint64_t i = 0; i < crash_seed_count; i++) {
        crash_run(crash_seed_first + i);
    }
}

/* Power fails at every single call of recovery's own work, after a crash with a torn tail. */
static void test_crash_during_recovery(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed += STRIDE) {
        log_world_begin(&world, seed, 5);
        seed_random = seed;
        live(60);
        while (log_world_submit(&world, 20) == HF_STATUS_OK) {
        }
        hf_disk_sim_crash(world.disk);
        log_world_abandon(&world);
        bool done = false;
        for (uint64_t k = 0; !done; k++) {
            assert_true(k < 1000);
            begin_attempt(seed * 1000 + k);
            hf_disk_sim_fail(attempt.disk, k, true);
            done = log_world_open(&attempt) == HF_STATUS_OK;
            hf_disk_sim_crash(attempt.disk);
            hf_disk_sim_fail(attempt.disk, UINT64_MAX, false);
            assert_int_equal(log_world_open(&attempt), HF_STATUS_OK);
            end_attempt();
        }
        log_world_end(&world);
    }
}

/* A cut takes epochs out of the table first. Interrupted there, the log still has their records,
 * and the next start finds them. But none beyond the promise, which comes before any record. */
static void test_epochs_that_only_the_records_know(void **state)
{
    struct hf_superblock superblock;
    (void)state;
    make_log(41, 3);
    assert_int_equal(log_world_open(&world), HF_STATUS_OK);
    uint64_t start = world.state.last_index + 1;
    world.state.superblock.promised_epoch = 4;
    superblock = world.state.superblock;
    assert_int_equal(hf_superblock_write(world.disk, &superblock, &world.fault), HF_STATUS_OK);
    world.state.superblock.epochs[1] = (struct hf_epoch_start){.epoch = 4, .start_index = start};
    world.state.superblock.epoch_count = 2;
    assert_int_equal(log_world_start(&world), HF_STATUS_OK);
    log_world_append(&world, 5);
    log_world_append(&world, 5);
    log_world_stop(&world);
    assert_int_equal(hf_superblock_epoch(&superblock), 1);
    for (int turn = 0; turn < 2; turn++) {
        assert_int_equal(log_world_open(&world), HF_STATUS_OK);
        assert_int_equal(world.state.superblock.epoch_count, 2);
        assert_int_equal(world.state.superblock.epochs[1].epoch, 4);
        assert_int_equal(world.state.superblock.epochs[1].start_index, start);
        hf_disk_sim_kill(world.disk);
    }
    assert_int_equal(hf_superblock_read(world.disk, &superblock, &world.fault), HF_STATUS_OK);
    assert_int_equal(hf_superblock_epoch(&superblock), 4);
    superblock.promised_epoch = 3;
    assert_int_equal(hf_superblock_write(world.disk, &superblock, &world.fault), HF_STATUS_OK);
    assert_int_equal(log_world_open(&world), HF_STATUS_CORRUPT);
    assert_non_null(strstr(world.fault.line, "promises epoch 3 at most"));
    log_world_end(&world);
}

/* A node made anew in an old one's place begins above the lives of that. */
static void test_first_incarnation(void **state)
{
    struct hf_disk_sim_options options = {.seed = 1, .block_size = 512};
    (void)state;
    log_world_init(&world, hf_disk_sim_create(&options));
    world.options.first_incarnation = 1700000000;
    assert_int_equal(log_world_open(&world), HF_STATUS_OK);
    assert_int_equal(world.state.superblock.incarnation, 1700000000);
    hf_disk_sim_kill(world.disk);
    world.options.first_incarnation = 5; /* of a new log only */
    assert_int_equal(log_world_open(&world), HF_STATUS_OK);
    assert_int_equal(world.state.superblock.incarnation, 1700000001);
    log_world_end(&world);
}

int main(int argc, char **argv)
{
    if (argc == 3) {
        crash_seed_first = strtoull(argv[1], NULL, 10);
        crash_seed_count = strtoull(argv[2], NULL, 10);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tail_torn_at_every_byte),
        cmocka_unit_test(test_tail_bits),
        cmocka_unit_test(test_tail_of_reordered_writes),
        cmocka_unit_test(test_flipped_byte_of_an_acknowledged_record),
        cmocka_unit_test(test_zeroed_acknowledged_record),
        cmocka_unit_test(test_corruption_at_a_segment_change),
        cmocka_unit_test(test_mark_makes_the_last_record_known),
        cmocka_unit_test(test_missing_segment),
        cmocka_unit_test(test_two_records_swapped),
        cmocka_unit_test(test_refused_directories),
        cmocka_unit_test(test_empty_directory),
        cmocka_unit_test(test_read_only_changes_nothing),
        cmocka_unit_test(test_settings_change),
        cmocka_unit_test(test_sizes_stay),
        cmocka_unit_test(test_checkpoint_loads),
        cmocka_unit_test(test_checkpoint_damaged_anywhere),
        cmocka_unit_test(test_both_checkpoints_damaged),
        cmocka_unit_test(test_checkpoint_bears_witness),
        cmocka_unit_test(test_checkpoint_of_another_history),
        cmocka_unit_test(test_only_two_checkpoints_stay),
        cmocka_unit_test(test_checkpoint_stopped_anywhere),
        cmocka_unit_test(test_epochs_that_only_the_records_know),
        cmocka_unit_test(test_first_incarnation),
        cmocka_unit_test(test_crash_during_recovery),
        cmocka_unit_test(test_crash_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
