/* Every bit turned, one at a time: of all records of a small log, of all copies of its superblock,
 * of its checkpoint's header. A turned bit is repaired (a superblock has four copies), is told
 * (CORRUPT, at the place where the record is), is cut with a record that nobody says was committed,
 * or costs a checkpoint, for which the one before stands in. What comes back is never other than
 * what was written: the world (log_testing.h) compares it at every opening. */
#define LOG_PLACES_MAX     512
#define LOG_SEGMENT_SIZE   (16 << 10)
#define LOG_BATCH_CAPACITY 4096
#define LOG_SEAL_SPAN      4
#include "log_testing.h"

/* Under the address sanitizer everything takes ten times as long. */
#ifdef __SANITIZE_ADDRESS__
#define STRIDE 31u
#else
#define STRIDE 1u
#endif

#define RECORDS_MAX 64

static struct log_world world;
static struct log_world attempt; /* a copy of it, with the disk cloned, to be damaged */

/* What lies in the log, as read from the disk without any help of the reader's. */
struct found_record {
    char segment[HF_DISK_NAME_SIZE];
    uint64_t offset;
    uint32_t padded;
    uint64_t index;
    uint64_t commit;
};
static struct found_record records[RECORDS_MAX];
static uint32_t record_count;

static void list_segment(uint64_t number)
{
    char name[HF_DISK_NAME_SIZE];
    size_t size = 0;
    hf_segment_format_name(number, name);
    const uint8_t *bytes = hf_disk_sim_bytes(world.disk, name, &size);
    for (uint64_t at = 0; bytes != NULL && at < size;) {
        const struct hf_record_header *record =
            (const struct hf_record_header *)(const void *)(bytes + at);
        if (hf_record_check(record, size - at, 512, log_cluster, NULL) != HF_RECORD_GOOD) {
            at += 512;
            continue;
        }
        assert_true(record_count < RECORDS_MAX);
        struct found_record *found = &records[record_count++];
        *found = (struct found_record){
            .offset = at,
            .padded = hf_record_padded_length(record->length, 512),
            .index = record->index,
            .commit = record->commit,
        };
        memcpy(found->segment, name, sizeof name);
        at += found->padded;
    }
}

static void list_records(void)
{
    record_count = 0;
    for (uint64_t s = 1; s <= 3; s++) {
        list_segment(s);
    }
    for (uint32_t i = 0; i < record_count; i++) {
        assert_int_equal(records[i].index, i + 1);
    }
}

/* Whether anything but the record itself says that it was committed. */
static bool has_witness(uint64_t index, uint64_t checkpoint)
{
    bool has = checkpoint >= index;
    for (uint32_t i = 0; i < record_count; i++) {
        has = has || (records[i].index > index && records[i].commit >= index);
    }
    return has;
}

static void begin(uint32_t batches, uint32_t operations)
{
    struct hf_disk_sim_options options = {.seed = 1, .block_size = 512};
    struct hf_disk *disk = hf_disk_sim_create(&options);
    assert_non_null(disk);
    log_world_init(&world, disk);
    world.writer_options.batch_count = 2;
    assert_int_equal(log_world_open(&world), HF_STATUS_OK);
    assert_int_equal(log_world_start(&world), HF_STATUS_OK);
    for (uint32_t i = 0; i < batches; i++) {
        log_world_append(&world, operations);
    }
}

static void begin_attempt(void)
{
    attempt = world;
    attempt.disk = hf_disk_sim_clone(world.disk, 1);
    assert_non_null(attempt.disk);
}

static void end_attempt(void)
{
    attempt.writer = NULL;
    log_world_end(&attempt);
}

/* ---- The log ---- */

static struct {
    uint64_t told;
    uint64_t cut;
    uint64_t unread; /* before the checkpoint */
} verdicts;

static void flip_in_record(const struct found_record *record, uint64_t bit, uint64_t checkpoint)
{
    begin_attempt();
    hf_disk_sim_flip_bit(attempt.disk, record->segment, record->offset * 8 + bit);
    bool witnessed = has_witness(record->index, checkpoint);
    if (!witnessed) {
        attempt.acked_index = record->index - 1;
        attempt.acked_place = attempt.place_after[attempt.acked_index];
    }
    uint64_t changes = hf_disk_sim_changes(attempt.disk);
    enum hf_status status = log_world_open(&attempt);
    if (status == HF_STATUS_OK && attempt.state.last_index == record_count) {
        /* Not even looked at: the checkpoint holds all that was in it. */
        assert_true(record->index < checkpoint);
        verdicts.unread++;
    } else if (status == HF_STATUS_OK) {
        assert_false(witnessed);
        assert_int_equal(attempt.state.last_index, record->index - 1);
        assert_true(attempt.state.cut_bytes != 0);
        verdicts.cut++;
    } else {
        char place[96];
        snprintf(place, sizeof place, "%s at offset %llu:", record->segment,
                 (unsigned long long)record->offset);
        assert_int_equal(status, HF_STATUS_CORRUPT);
        assert_true(witnessed);
        assert_non_null(strstr(attempt.fault.line, place));
        assert_int_equal(hf_disk_sim_changes(attempt.disk), changes);
        verdicts.told++;
    }
    end_attempt();
}

static void flip_every_record(uint64_t checkpoint)
{
    memset(&verdicts, 0, sizeof verdicts);
    list_records();
    uint64_t bits = 0;
    for (uint32_t i = 0; i < record_count; i++) {
        for (uint64_t bit = 0; bit < records[i].padded * UINT64_C(8); bit += STRIDE, bits++) {
            flip_in_record(&records[i], bit, checkpoint);
        }
    }
    assert_int_equal(bits, verdicts.told + verdicts.cut + verdicts.unread);
    print_message("%u records, %llu bits: %llu told, %llu cut, %llu in records that a checkpoint "
                  "stands for\n",
                  record_count, (unsigned long long)bits, (unsigned long long)verdicts.told,
                  (unsigned long long)verdicts.cut, (unsigned long long)verdicts.unread);
}

static void test_every_bit_of_a_log(void **state)
{
    (void)state;
    begin(4, 2);
    hf_log_writer_detach(world.writer);
    flip_every_record(0);
    assert_true(record_count >= 5);
    assert_true(verdicts.told > 3 * verdicts.cut);
    assert_true(verdicts.cut > 0);
    assert_int_equal(verdicts.unread, 0);
    log_world_end(&world);
}

static void test_every_bit_of_a_log_behind_a_checkpoint(void **state)
{
    (void)state;
    begin(3, 2);
    assert_int_equal(log_world_checkpoint(&world), HF_STATUS_OK);
    uint64_t checkpoint = world.acked_index;
    log_world_append(&world, 2);
    log_world_append(&world, 2);
    flip_every_record(checkpoint);
    assert_true(verdicts.told > 0);
    assert_true(verdicts.cut > 0);
    log_world_end(&world);
}

static enum hf_status believe(void *context, const struct hf_record_header *record,
                              struct hf_fault *fault)
{
    (void)context;
    (void)record;
    (void)fault;
    return HF_STATUS_OK;
}

/* Opens without a look at what the operations say. */
static enum hf_status open_believing(struct log_world *some)
{
    const struct hf_log_replay replay = {.record = believe};
    return hf_log_open(some->disk, &some->options, &replay, &some->state, &some->fault);
}

/* A bit turned and the record's own hash set right again, as somebody may do on purpose: the chain
 * or the seal behind it tells. The last seal stands for itself. */
static void test_bits_under_a_right_hash(void **state)
{
    (void)state;
    begin(4, 2);
    hf_log_writer_detach(world.writer);
    list_records();
    for (uint32_t i = 0; i + 1 < record_count; i++) {
        const struct found_record *found = &records[i];
        for (uint64_t bit = 16 * 8; bit < found->padded * UINT64_C(8); bit += 3 * STRIDE) {
            begin_attempt();
            uint8_t *bytes = hf_disk_sim_bytes(attempt.disk, found->segment, NULL);
            struct hf_record_header *record =
                (struct hf_record_header *)(void *)(bytes + found->offset);
            uint32_t length = record->length;
            hf_disk_sim_flip_bit(attempt.disk, found->segment, found->offset * 8 + bit);
            if (record->length == length) {
                hf_record_seal(record);
            }
            assert_int_equal(open_believing(&attempt), HF_STATUS_CORRUPT);
            end_attempt();
        }
    }
    log_world_end(&world);
}

/* Where no seal is behind it yet, a record still has to name the one before it. */
static void test_a_record_of_another_history(void **state)
{
    (void)state;
    begin(3, 2);
    list_records();
    const struct found_record *last = &records[record_count - 1];
    for (size_t byte = 0; byte < sizeof(struct hf_hash); byte++) {
        begin_attempt();
        uint8_t *bytes = hf_disk_sim_bytes(attempt.disk, last->segment, NULL);
        struct hf_record_header *record = (struct hf_record_header *)(void *)(bytes + last->offset);
        ((uint8_t *)&record->prev_hash)[byte] ^= 0x10;
        hf_record_seal(record);
        assert_int_equal(open_believing(&attempt), HF_STATUS_CORRUPT);
        end_attempt();
    }
    log_world_end(&world);
}

/* Behind the log's end all is zeros, in its segment and in the next: a bit there is debris, and is
 * cleared away. */
static void test_bits_behind_the_end(void **state)
{
    (void)state;
    begin(4, 2);
    list_records();
    uint64_t end = records[record_count - 1].offset + records[record_count - 1].padded;
    const char *last = records[record_count - 1].segment;
    for (uint64_t bit = end * 8; bit < (uint64_t)LOG_SEGMENT_SIZE * 8; bit += 13 * STRIDE) {
        begin_attempt();
        hf_disk_sim_flip_bit(attempt.disk, last, bit);
        assert_int_equal(log_world_open(&attempt), HF_STATUS_OK);
        assert_int_equal(attempt.state.last_index, record_count);
        assert_int_equal(attempt.state.cut_bytes, 512);
        size_t size = 0;
        const uint8_t *bytes = hf_disk_sim_bytes(attempt.disk, last, &size);
        assert_true(hf_bytes_are_zero(bytes + end, size - end));
        end_attempt();
    }
    log_world_end(&world);
}

/* The same where a segment ends and the next begins, by the byte. */
static void test_segment_change(void **state)
{
    (void)state;
    begin(9, 30);
    hf_log_writer_detach(world.writer);
    memset(&verdicts, 0, sizeof verdicts);
    list_records();
    uint32_t seams = 0;
    for (uint32_t i = 0; i + 1 < record_count; i++) {
        if (strcmp(records[i].segment, records[i + 1].segment) == 0) {
            continue;
        }
        seams++;
        for (uint32_t r = i; r <= i + 1; r++) {
            for (uint64_t byte = 0; byte < records[r].padded; byte += STRIDE) {
                flip_in_record(&records[r], byte * 8 + byte % 8, 0);
            }
        }
    }
    assert_true(seams >= 1);
    assert_true(verdicts.told > 0);
    log_world_end(&world);
}

/* ---- The superblock ---- */

static uint64_t superblock_bits(void)
{
    return (uint64_t)HF_SUPERBLOCK_SIZE * 8;
}

static void test_every_bit_of_a_superblock(void **state)
{
    (void)state;
    begin(1, 1);
    hf_log_writer_detach(world.writer);
    struct hf_superblock good;
    struct hf_superblock chosen;
    assert_int_equal(hf_superblock_read(world.disk, &good, &world.fault), HF_STATUS_OK);
    for (uint64_t bit = 0; bit < superblock_bits() * HF_SUPERBLOCK_COPIES; bit += STRIDE) {
        hf_disk_sim_flip_bit(world.disk, HF_SUPERBLOCK_NAME, bit);
        assert_int_equal(hf_superblock_read(world.disk, &chosen, &world.fault), HF_STATUS_OK);
        assert_memory_equal(&chosen, &good, sizeof good);
        hf_disk_sim_flip_bit(world.disk, HF_SUPERBLOCK_NAME, bit);
    }
    log_world_end(&world);
}

/* The same bit of all copies: nobody can know what was there, and nobody guesses. */
static void test_a_bit_of_all_copies(void **state)
{
    (void)state;
    static struct hf_superblock copies[HF_SUPERBLOCK_COPIES];
    struct hf_superblock chosen;
    begin(1, 1);
    hf_log_writer_detach(world.writer);
    memcpy(copies, hf_disk_sim_bytes(world.disk, HF_SUPERBLOCK_NAME, NULL), sizeof copies);
    for (uint64_t bit = 0; bit < superblock_bits(); bit += STRIDE) {
        for (int i = 0; i < HF_SUPERBLOCK_COPIES; i++) {
            ((uint8_t *)&copies[i])[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        }
        enum hf_status status = hf_superblock_choose(copies, &chosen, &world.fault);
        assert_true(status == HF_STATUS_CORRUPT || status == HF_STATUS_WRONG_FORMAT);
        for (int i = 0; i < HF_SUPERBLOCK_COPIES; i++) {
            ((uint8_t *)&copies[i])[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        }
    }
    log_world_end(&world);
}

/* A start repairs: afterwards each copy alone is enough, and says the same. */
static void test_a_start_repairs_all_copies(void **state)
{
    (void)state;
    begin(1, 1);
    hf_log_writer_detach(world.writer);
    for (uint64_t bit = 7; bit < superblock_bits() * HF_SUPERBLOCK_COPIES; bit += 997) {
        begin_attempt();
        hf_disk_sim_flip_bit(attempt.disk, HF_SUPERBLOCK_NAME, bit);
        assert_int_equal(log_world_open(&attempt), HF_STATUS_OK);
        struct hf_superblock now;
        assert_int_equal(hf_superblock_read(attempt.disk, &now, &attempt.fault), HF_STATUS_OK);
        assert_int_equal(now.incarnation, world.state.superblock.incarnation + 1);
        const uint8_t *bytes = hf_disk_sim_bytes(attempt.disk, HF_SUPERBLOCK_NAME, NULL);
        for (size_t i = 0; i < HF_SUPERBLOCK_COPIES; i++) {
            assert_memory_equal(bytes + i * HF_SUPERBLOCK_SIZE, &now, sizeof now);
        }
        end_attempt();
    }
    log_world_end(&world);
}

/* ---- The checkpoint's header ---- */

/* The newest one is passed over, and the one before is as good; when that has rotted too, the log
 * is read from its begin. */
static void test_every_bit_of_a_checkpoint_header(void **state)
{
    (void)state;
    uint64_t index[2];
    char name[2][HF_DISK_NAME_SIZE];
    begin(0, 0);
    for (int i = 0; i < 2; i++) {
        log_world_append(&world, 2);
        assert_int_equal(log_world_checkpoint(&world), HF_STATUS_OK);
        index[i] = world.acked_index;
        hf_checkpoint_format_name(index[i], name[i]);
    }
    log_world_append(&world, 2);
    for (uint64_t bit = 0; bit < (uint64_t)HF_CHECKPOINT_HEADER_SIZE * 8; bit += STRIDE) {
        begin_attempt();
        hf_disk_sim_flip_bit(attempt.disk, name[1], bit);
        bool both = bit % 8 == 3;
        if (both) {
            hf_disk_sim_flip_bit(attempt.disk, name[0], bit);
        }
        assert_int_equal(log_world_open(&attempt), HF_STATUS_OK);
        assert_int_equal(attempt.state.checkpoints_broken, both ? 2 : 1);
        assert_int_equal(attempt.state.checkpoint_index, both ? 0 : index[0]);
        assert_int_equal(attempt.state.last_index, world.acked_index);
        end_attempt();
    }
    log_world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_bit_of_a_log),
        cmocka_unit_test(test_every_bit_of_a_log_behind_a_checkpoint),
        cmocka_unit_test(test_bits_under_a_right_hash),
        cmocka_unit_test(test_a_record_of_another_history),
        cmocka_unit_test(test_bits_behind_the_end),
        cmocka_unit_test(test_segment_change),
        cmocka_unit_test(test_every_bit_of_a_superblock),
        cmocka_unit_test(test_a_bit_of_all_copies),
        cmocka_unit_test(test_a_start_repairs_all_copies),
        cmocka_unit_test(test_every_bit_of_a_checkpoint_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
