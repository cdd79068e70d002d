/* The log poller on a simulated disk that takes its time: what it signs for the time's sake, and
 * what it says when the node stops. */
#include "log_testing.h"

#include "tools/holdfastd/log.h"

#define BATCHES 4

static struct log_world world;
static struct logger logger;
static atomic_bool stopping;

static void begin(uint64_t seed, uint32_t delay_most)
{
    log_world_begin(&world, seed, delay_most);
    memset(&logger, 0, sizeof logger);
    atomic_store(&stopping, false);
    logger.writer = world.writer;
    logger.stopping = &stopping;
    logger.batches = ring_create(BATCHES);
    logger.free_batches = ring_create(BATCHES);
    assert_non_null(logger.batches);
    assert_non_null(logger.free_batches);
    log_world_append(&world, 3); /* a record that nothing signs for */
}

static void end(void)
{
    ring_destroy(logger.batches);
    ring_destroy(logger.free_batches);
    log_world_end(&world);
}

static struct hf_log_writer_counts counts_now(void)
{
    struct hf_log_writer_counts counts;
    hf_log_writer_count(world.writer, &counts);
    return counts;
}

/* As long as the node serves, what nobody follows is signed in time; a node that stops does that at
 * its very end. */
static void test_signs_in_time(void **state)
{
    (void)state;
    for (int is_stopping = 0; is_stopping < 2; is_stopping++) {
        begin(1, 0);
        logger.seal_interval_ns = 1;
        logger.may_be_unsealed = true;
        atomic_store(&stopping, is_stopping != 0);
        for (int polls = 0; polls < 1000; polls++)
            logger_poll(&logger);
        assert_int_equal(counts_now().seals, is_stopping != 0 ? 0 : 1);
        end();
    }
}

/* A seal under way when the node stops is nobody's batch: the log is described behind it only. */
static void test_described_behind_a_seal(void **state)
{
    bool waited = false;
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct hf_checkpoint_header header;
        begin(seed, 9);
        for (int polls = 0; polls < 20; polls++)
            logger_poll(&logger);
        assert_int_equal(hf_log_writer_seal(world.writer), HF_STATUS_OK);
        atomic_store(&stopping, true);
        for (int polls = 0; !logger_describe(&logger, &header); polls++) {
            assert_true(polls < 1000);
            logger_poll(&logger);
            waited |= counts_now().in_flight != 0;
        }
        assert_int_equal(counts_now().in_flight, 0);
        assert_int_equal(header.index, counts_now().last_index);
        assert_int_equal(header.place, world.next_place - 1);
        end();
    }
    assert_true(waited);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signs_in_time),
        cmocka_unit_test(test_described_behind_a_seal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
