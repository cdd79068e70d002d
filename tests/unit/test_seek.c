/* Finding records in a log, also when the disk fails now and then. */
#define LOG_PLACES_MAX     4096
#define LOG_SEGMENT_SIZE   (32 << 10)
#define LOG_BATCH_CAPACITY 4096
#include "log_testing.h"

#include "wal/seek.h"

#define RECORDS 120

static struct log_world world;
static struct hf_log_seek seek;

static void begin(void)
{
    log_world_begin(&world, 3, 0);
    for (uint32_t i = 0; i < RECORDS; i++) {
        log_world_append(&world, 5);
    }
    assert_true(world.written[RECORDS].segment > 3);
    assert_int_equal(hf_log_seek_init(&seek, world.disk, &world.state.superblock, &world.fault),
                     HF_STATUS_OK);
}

static void end(void)
{
    hf_log_seek_finish(&seek);
    log_world_end(&world);
}

static enum hf_status find(uint64_t index)
{
    const struct hf_record_header *record = NULL;
    enum hf_status status = hf_log_seek_record(&seek, index, &record, &world.fault);
    if (status == HF_STATUS_OK) {
        assert_int_equal(record->index, index);
    }
    return status;
}

static void test_every_record_in_any_order(void **state)
{
    (void)state;
    begin();
    for (uint64_t i = 0; i < RECORDS; i++) {
        assert_int_equal(find(1 + i), HF_STATUS_OK);
        assert_int_equal(find(1 + i * 37 % RECORDS), HF_STATUS_OK);
    }
    assert_int_equal(find(world.acked_index + 1), HF_STATUS_NOT_FOUND);
    log_world_append(&world, 5);
    assert_int_equal(find(world.acked_index), HF_STATUS_OK);
    end();
}

/* Whichever call fails, from wherever to wherever it was on its way: it is said, and the next time
 * all is found again. */
static void test_after_a_failed_call_all_is_found(void **state)
{
    (void)state;
    begin();
    uint32_t failures = 0;
    for (uint64_t from = 1; from <= RECORDS; from += 17) {
        for (uint64_t to = 1; to <= RECORDS; to += 17) {
            for (uint64_t calls = 0; calls < 24; calls++) {
                assert_int_equal(find(from), HF_STATUS_OK);
                hf_disk_sim_fail(world.disk, calls, false);
                enum hf_status status = find(to);
                hf_disk_sim_fail(world.disk, UINT64_MAX, false);
                assert_true(status == HF_STATUS_OK || status == HF_STATUS_IO);
                failures += status == HF_STATUS_IO;
                assert_int_equal(find(from), HF_STATUS_OK);
            }
        }
    }
    assert_true(failures > 300);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_record_in_any_order),
        cmocka_unit_test(test_after_a_failed_call_all_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
