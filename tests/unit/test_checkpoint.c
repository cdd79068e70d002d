/* Checkpoint files by themselves: images of every length come back as they were, and no bit of a
 * file can change unseen. */
#include "log_testing.h"

struct image {
    uint64_t length;
    uint64_t at;
    uint64_t step; /* the most that the source gives at once; 0: no bound */
    uint64_t different;
};

static uint8_t byte_at(uint64_t at)
{
    return (uint8_t)(at * 37 + (at >> 11) * 101 + 5);
}

static enum hf_status image_source(void *context, void *buffer, size_t size, size_t *length)
{
    struct image *image = context;
    uint8_t *bytes = buffer;
    uint64_t most = image->length - image->at;
    most = most < size ? most : size;
    most = image->step != 0 && image->step < most ? image->step : most;
    for (uint64_t i = 0; i < most; i++) {
        bytes[i] = byte_at(image->at + i);
    }
    image->at += most;
    *length = (size_t)most;
    return HF_STATUS_OK;
}

static enum hf_status image_sink(void *context, const void *buffer, size_t length)
{
    struct image *image = context;
    const uint8_t *bytes = buffer;
    assert_int_equal((uintptr_t)buffer % 64, 0);
    for (size_t i = 0; i < length; i++) {
        image->different += bytes[i] != byte_at(image->at + i) ? 1 : 0;
    }
    image->at += length;
    return HF_STATUS_OK;
}

static enum hf_status failing_source(void *context, void *buffer, size_t size, size_t *length)
{
    enum hf_status status = image_source(context, buffer, size, length);
    const struct image *image = context;
    return image->at < image->length ? status : HF_STATUS_DIVERGED;
}

static struct hf_disk *make_disk(void)
{
    struct hf_disk_sim_options options = {.seed = 1, .block_size = 4096};
    struct hf_disk *disk = hf_disk_sim_create(&options);
    assert_non_null(disk);
    return disk;
}

static struct hf_checkpoint_header make_header(uint64_t index)
{
    struct hf_checkpoint_header header;
    memset(&header, 0, sizeof header);
    header.cluster = log_cluster;
    header.index = index;
    header.epoch = 1;
    header.place = index * 10;
    header.timestamp_ns = LOG_TIME_NS;
    header.record_hash = (struct hf_hash){.lo = 3, .hi = 4};
    header.digest = (struct hf_id){.lo = 5, .hi = 6};
    return header;
}

static void write_checkpoint(struct hf_disk *disk, uint64_t index, uint64_t length, uint64_t step)
{
    struct image image = {.length = length, .step = step};
    struct hf_checkpoint_stream stream = {.context = &image, .source = image_source};
    struct hf_checkpoint_header header = make_header(index);
    struct hf_fault fault = {{0}};
    assert_int_equal(hf_checkpoint_write(disk, &header, &stream, &fault), HF_STATUS_OK);
}

static void test_lengths(void **state)
{
    (void)state;
    static const uint64_t piece = HF_CHECKPOINT_PIECE_SIZE - HF_CHECKPOINT_PIECE_HEADER;
    const uint64_t lengths[] = {0,
                                64,
                                128,
                                4032,
                                4096,
                                65536,
                                piece - 64,
                                piece,
                                piece + 64,
                                2 * piece - 64,
                                2 * piece,
                                2 * piece + 4096,
                                3 * piece + 64};
    struct hf_disk *disk = make_disk();
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        write_checkpoint(disk, i + 1, lengths[i], i % 2 == 0 ? 0 : 64 * 1000);
        struct image image = {.length = lengths[i]};
        struct hf_checkpoint_stream stream = {.context = &image, .sink = image_sink};
        struct hf_checkpoint_header header;
        struct hf_fault fault = {{0}};
        assert_int_equal(hf_checkpoint_verify(disk, log_cluster, i + 1, &header, &fault),
                         HF_STATUS_OK);
        assert_int_equal(hf_checkpoint_load(disk, log_cluster, i + 1, &header, &stream, &fault),
                         HF_STATUS_OK);
        assert_int_equal(image.at, lengths[i]);
        assert_int_equal(image.different, 0);
        assert_int_equal(header.image_length, lengths[i]);
        assert_int_equal(header.place, (i + 1) * 10);
        assert_int_equal(header.digest.hi, 6);
    }
    disk->maker->destroy(disk);
}

static enum hf_status verify(struct hf_disk *disk, uint64_t index)
{
    struct hf_checkpoint_header header;
    struct hf_fault fault = {{0}};
    enum hf_status status = hf_checkpoint_verify(disk, log_cluster, index, &header, &fault);
    assert_int_equal(status == HF_STATUS_OK, fault.line[0] == '\0');
    return status;
}

static void test_every_bit_flipped(void **state)
{
    (void)state;
    struct hf_disk *disk = make_disk();
    write_checkpoint(disk, 7, 192, 0);
    size_t size = 0;
    assert_non_null(hf_disk_sim_bytes(disk, "checkpoint-0000000000000007", &size));
    assert_int_equal(size, 2 * 4096);
    for (uint64_t bit = 0; bit < (uint64_t)size * 8; bit++) {
        if (bit / 8 % 4096 >= 512 && bit % 8 != bit / 8 % 8) {
            continue; /* far in the zeros one bit of each byte will do */
        }
        hf_disk_sim_flip_bit(disk, "checkpoint-0000000000000007", bit);
        assert_int_equal(verify(disk, 7), HF_STATUS_CORRUPT);
        hf_disk_sim_flip_bit(disk, "checkpoint-0000000000000007", bit);
    }
    assert_int_equal(verify(disk, 7), HF_STATUS_OK);
    disk->maker->destroy(disk);
}

static void test_wrong_length_name_and_cluster(void **state)
{
    (void)state;
    struct hf_disk *disk = make_disk();
    const char *name = "checkpoint-0000000000000007";
    write_checkpoint(disk, 7, 20032, 0);
    size_t size = 0;
    assert_non_null(hf_disk_sim_bytes(disk, name, &size));
    for (size_t shorter = 0; shorter < size; shorter += 512) {
        struct hf_disk *clone = hf_disk_sim_clone(disk, 1);
        hf_disk_sim_resize(clone, name, shorter);
        assert_int_equal(verify(clone, 7), HF_STATUS_CORRUPT);
        clone->maker->destroy(clone);
    }
    hf_disk_sim_resize(disk, name, size + 4096);
    assert_int_equal(verify(disk, 7), HF_STATUS_CORRUPT);
    hf_disk_sim_resize(disk, name, size);
    assert_int_equal(verify(disk, 7), HF_STATUS_OK);
    struct hf_id other = {.lo = 1, .hi = 1};
    struct hf_checkpoint_header header;
    struct hf_fault fault;
    assert_int_equal(hf_checkpoint_verify(disk, other, 7, &header, &fault),
                     HF_STATUS_WRONG_CLUSTER);
    assert_int_equal(disk->maker->rename(disk, name, "checkpoint-0000000000000008"), HF_STATUS_OK);
    assert_int_equal(verify(disk, 8), HF_STATUS_CORRUPT);
    assert_int_equal(verify(disk, 7), HF_STATUS_NOT_FOUND);
    disk->maker->destroy(disk);
}

static void test_failures_leave_nothing(void **state)
{
    (void)state;
    struct hf_disk *disk = make_disk();
    struct hf_fault fault = {{0}};
    struct hf_checkpoint_header header = make_header(3);
    struct image image = {.length = 70016};
    struct hf_checkpoint_stream failing = {.context = &image, .source = failing_source};
    assert_int_equal(hf_checkpoint_write(disk, &header, &failing, &fault), HF_STATUS_DIVERGED);
    assert_null(hf_disk_sim_bytes(disk, HF_CHECKPOINT_NAME_TEMPORARY, NULL));
    hf_disk_sim_set_space(disk, 40000);
    image = (struct image){.length = 70016};
    struct hf_checkpoint_stream stream = {.context = &image, .source = image_source};
    assert_int_equal(hf_checkpoint_write(disk, &header, &stream, &fault), HF_STATUS_FULL);
    assert_null(hf_disk_sim_bytes(disk, HF_CHECKPOINT_NAME_TEMPORARY, NULL));
    uint64_t index = 99;
    assert_int_equal(hf_checkpoint_newest(disk, UINT64_MAX, &index, &fault), HF_STATUS_OK);
    assert_int_equal(index, 0);
    disk->maker->destroy(disk);
}

static void test_names(void **state)
{
    (void)state;
    char name[HF_DISK_NAME_SIZE];
    uint64_t number = 0;
    hf_checkpoint_format_name(0xab12, name);
    assert_string_equal(name, "checkpoint-000000000000ab12");
    assert_true(hf_checkpoint_parse_name(name, &number));
    assert_int_equal(number, 0xab12);
    hf_segment_format_name(UINT64_MAX, name);
    assert_string_equal(name, "log-ffffffffffffffff");
    assert_true(hf_segment_parse_name(name, &number));
    assert_true(number == UINT64_MAX);
    static const char *const wrong[] = {
        "log-",
        "log-0000000000000000",
        "log-00000000000000001",
        "log-000000000000001",
        "log-000000000000000G",
        "log-000000000000000A",
        "LOG-0000000000000001",
        "checkpoint.tmp",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(hf_segment_parse_name(wrong[i], &number));
        assert_false(hf_checkpoint_parse_name(wrong[i], &number));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_every_bit_flipped),
        cmocka_unit_test(test_wrong_length_name_and_cluster),
        cmocka_unit_test(test_failures_leave_nothing),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
