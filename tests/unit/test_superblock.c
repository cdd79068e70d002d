/* The superblock: four copies, of which one that is whole will do; and every way to be refused. */
#include "log_testing.h"

static struct hf_superblock copies[HF_SUPERBLOCK_COPIES];

static void make_copies(void)
{
    struct hf_superblock superblock;
    hf_superblock_init(&superblock, log_cluster, 3, 4096, HF_SEGMENT_SIZE_DEFAULT, log_seed);
    superblock.sequence = 9;
    superblock.incarnation = 4;
    hf_superblock_seal(&superblock);
    for (int i = 0; i < HF_SUPERBLOCK_COPIES; i++) {
        copies[i] = superblock;
    }
}

static enum hf_status choose(struct hf_superblock *chosen, struct hf_fault *fault)
{
    memset(fault, 0, sizeof *fault);
    enum hf_status status = hf_superblock_choose(copies, chosen, fault);
    assert_int_equal(status == HF_STATUS_OK, fault->line[0] == '\0');
    return status;
}

static void test_newest_valid_wins(void **state)
{
    (void)state;
    struct hf_superblock chosen;
    struct hf_fault fault;
    for (int newest = 0; newest < HF_SUPERBLOCK_COPIES; newest++) {
        make_copies();
        copies[newest].sequence = 10;
        copies[newest].incarnation = 5;
        hf_superblock_seal(&copies[newest]);
        assert_int_equal(choose(&chosen, &fault), HF_STATUS_OK);
        assert_int_equal(chosen.incarnation, 5);
        copies[newest].incarnation = 6; /* not sealed: torn */
        assert_int_equal(choose(&chosen, &fault), HF_STATUS_OK);
        assert_int_equal(chosen.incarnation, 4);
    }
}

static void test_every_bit_of_one_copy_flipped(void **state)
{
    (void)state;
    struct hf_superblock chosen;
    struct hf_fault fault;
    make_copies();
    copies[1].sequence = 10; /* the newest, so that it would be chosen */
    copies[1].incarnation = 5;
    hf_superblock_seal(&copies[1]);
    uint8_t *bytes = (uint8_t *)&copies[1];
    for (size_t bit = 0; bit < sizeof copies[1] * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        assert_int_equal(choose(&chosen, &fault), HF_STATUS_OK);
        assert_int_equal(chosen.incarnation, 4);
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
}

static void test_none_valid(void **state)
{
    (void)state;
    struct hf_superblock chosen;
    struct hf_fault fault;
    make_copies();
    for (int i = 0; i < HF_SUPERBLOCK_COPIES; i++) {
        copies[i].incarnation++;
    }
    assert_int_equal(choose(&chosen, &fault), HF_STATUS_CORRUPT);
    memset(copies, 0, sizeof copies);
    assert_int_equal(choose(&chosen, &fault), HF_STATUS_WRONG_FORMAT);
    assert_non_null(strstr(fault.line, "not a Holdfast"));
    make_copies();
    for (int i = 0; i < HF_SUPERBLOCK_COPIES; i++) {
        copies[i].format = 3;
        hf_superblock_seal(&copies[i]);
    }
    assert_int_equal(choose(&chosen, &fault), HF_STATUS_WRONG_FORMAT);
    assert_non_null(strstr(fault.line, "found format 3, expected 4"));
    make_copies();
    for (int i = 0; i < HF_SUPERBLOCK_COPIES; i++) {
        copies[i].endianness = __builtin_bswap32(HF_SUPERBLOCK_ENDIANNESS);
        copies[i].format = __builtin_bswap32(HF_SUPERBLOCK_FORMAT);
        hf_superblock_seal(&copies[i]);
    }
    assert_int_equal(choose(&chosen, &fault), HF_STATUS_WRONG_FORMAT);
    assert_non_null(strstr(fault.line, "big-endian"));
}

static void test_expect(void **state)
{
    (void)state;
    struct hf_fault fault = {{0}};
    make_copies();
    struct hf_id other = {.lo = 1, .hi = 2};
    struct hf_id any = {0};
    assert_int_equal(hf_superblock_expect(&copies[0], log_cluster, 3, &fault), HF_STATUS_OK);
    assert_int_equal(hf_superblock_expect(&copies[0], any, 99, &fault), HF_STATUS_OK);
    assert_int_equal(hf_superblock_expect(&copies[0], other, 3, &fault), HF_STATUS_WRONG_CLUSTER);
    assert_non_null(strstr(fault.line, "found cluster 99aabbccddeeff001122334455667788"));
    assert_int_equal(hf_superblock_expect(&copies[0], log_cluster, 4, &fault),
                     HF_STATUS_WRONG_CLUSTER);
    assert_non_null(strstr(fault.line, "found node 3, expected 4"));
}

/* A write stopped at any of its calls, by any power cut, leaves the old or the new. */
static void test_write_cut_anywhere(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct hf_disk_sim_options options = {.seed = seed, .block_size = 512};
        struct hf_disk *disk = hf_disk_sim_create(&options);
        struct hf_superblock superblock;
        struct hf_superblock found;
        struct hf_fault fault = {{0}};
        assert_non_null(disk);
        hf_superblock_init(&superblock, log_cluster, 3, 512, HF_SEGMENT_SIZE_DEFAULT, log_seed);
        superblock.incarnation = 1;
        assert_int_equal(hf_superblock_create(disk, &superblock, &fault), HF_STATUS_OK);
        superblock.incarnation = 2;
        hf_disk_sim_fail(disk, seed % 12, true);
        enum hf_status status = hf_superblock_write(disk, &superblock, &fault);
        hf_disk_sim_crash(disk);
        hf_disk_sim_fail(disk, UINT64_MAX, false);
        assert_int_equal(hf_superblock_read(disk, &found, &fault), HF_STATUS_OK);
        assert_true(found.incarnation == 2 || (found.incarnation == 1 && status != HF_STATUS_OK));
        disk->maker->destroy(disk);
    }
}

/* Creation stopped anywhere leaves a whole superblock or none. */
static void test_create_cut_anywhere(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct hf_disk_sim_options options = {.seed = seed, .block_size = 512};
        struct hf_disk *disk = hf_disk_sim_create(&options);
        struct hf_superblock superblock;
        struct hf_superblock found;
        struct hf_fault fault = {{0}};
        assert_non_null(disk);
        hf_superblock_init(&superblock, log_cluster, 3, 512, HF_SEGMENT_SIZE_DEFAULT, log_seed);
        hf_disk_sim_fail(disk, seed % 15, true);
        enum hf_status made = hf_superblock_create(disk, &superblock, &fault);
        hf_disk_sim_crash(disk);
        hf_disk_sim_fail(disk, UINT64_MAX, false);
        enum hf_status status = hf_superblock_read(disk, &found, &fault);
        assert_true(status == HF_STATUS_OK ||
                    (status == HF_STATUS_NOT_FOUND && made != HF_STATUS_OK));
        disk->maker->destroy(disk);
    }
}

static void test_shortened_file(void **state)
{
    (void)state;
    struct hf_disk_sim_options options = {.seed = 1, .block_size = 512};
    struct hf_disk *disk = hf_disk_sim_create(&options);
    struct hf_superblock superblock;
    struct hf_superblock found;
    struct hf_fault fault = {{0}};
    assert_non_null(disk);
    hf_superblock_init(&superblock, log_cluster, 3, 512, HF_SEGMENT_SIZE_DEFAULT, log_seed);
    assert_int_equal(hf_superblock_create(disk, &superblock, &fault), HF_STATUS_OK);
    hf_disk_sim_resize(disk, HF_SUPERBLOCK_NAME, HF_SUPERBLOCK_SIZE);
    assert_int_equal(hf_superblock_read(disk, &found, &fault), HF_STATUS_OK);
    hf_disk_sim_resize(disk, HF_SUPERBLOCK_NAME, offsetof(struct hf_superblock, epochs));
    assert_int_equal(hf_superblock_read(disk, &found, &fault), HF_STATUS_CORRUPT);
    hf_disk_sim_resize(disk, HF_SUPERBLOCK_NAME, 0);
    assert_int_equal(hf_superblock_read(disk, &found, &fault), HF_STATUS_WRONG_FORMAT);
    disk->maker->destroy(disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_newest_valid_wins),
        cmocka_unit_test(test_every_bit_of_one_copy_flipped),
        cmocka_unit_test(test_none_valid),
        cmocka_unit_test(test_expect),
        cmocka_unit_test(test_write_cut_anywhere),
        cmocka_unit_test(test_create_cut_anywhere),
        cmocka_unit_test(test_shortened_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
