/* Timers against a plain list: whatever is due ripens, at any distance, and nothing else does. */
#include "fixture.h"

#include "engine/timers.h"

#define SLOTS 500
#define MANY  UINT32_MAX

struct wheel {
    struct hf_timers timers;
    void *memory;
};

static void open_wheel(struct wheel *wheel, uint32_t slot_count)
{
    struct hf_arena arena;

    hf_arena_open(&arena, NULL, 0);
    hf_timers_create(&wheel->timers, &arena, slot_count);
    size_t size = arena.used;
    wheel->memory = aligned_alloc(64, size);
    assert_non_null(wheel->memory);
    memset(wheel->memory, 0, size);
    hf_arena_open(&arena, wheel->memory, size);
    hf_timers_create(&wheel->timers, &arena, slot_count);
}

static void close_wheel(struct wheel *wheel)
{
    free(wheel->memory);
}

static uint32_t ripe_count(const struct wheel *wheel)
{
    uint32_t count = 0;
    uint32_t slot = HF_TABLE_NONE;

    while ((slot = hf_timers_next_ripe(&wheel->timers, slot)) != HF_TABLE_NONE)
        count++;
    return count;
}

static void test_nothing_armed(void **state)
{
    struct wheel wheel;

    (void)state;
    open_wheel(&wheel, 1);
    assert_int_equal(hf_timers_advance(&wheel.timers, UINT64_MAX, 10), 10);
    assert_int_equal(hf_timers_next_ripe(&wheel.timers, HF_TABLE_NONE), HF_TABLE_NONE);
    hf_timers_disarm(&wheel.timers, 0);
    assert_int_equal(wheel.timers.armed_count, 0);
    close_wheel(&wheel);
}

/* To the nanosecond, on every level of the wheel. */
static void test_exact_at_any_distance(void **state)
{
    (void)state;
    for (uint32_t shift = 0; shift < 64; shift++) {
        for (int beside = -1; beside <= 1; beside++) {
            uint64_t due_ns = (UINT64_C(1) << shift) + (uint64_t)(int64_t)beside;
            struct wheel wheel;
            if (due_ns == 0)
                continue;
            open_wheel(&wheel, 3);
            hf_timers_arm(&wheel.timers, 1, due_ns);
            hf_timers_advance(&wheel.timers, due_ns - 1, MANY);
            assert_int_equal(ripe_count(&wheel), 0);
            hf_timers_advance(&wheel.timers, due_ns, MANY);
            assert_int_equal(hf_timers_next_ripe(&wheel.timers, HF_TABLE_NONE), 1);
            assert_int_equal(ripe_count(&wheel), 1);
            close_wheel(&wheel);
        }
    }
}

static void test_earlier_stays_later_moves(void **state)
{
    struct wheel wheel;

    (void)state;
    open_wheel(&wheel, 2);
    hf_timers_arm(&wheel.timers, 0, 1000);
    hf_timers_arm(&wheel.timers, 0, 5000); /* no later than: the first time does for both */
    hf_timers_arm(&wheel.timers, 1, 5000);
    hf_timers_arm(&wheel.timers, 1, 900);
    assert_int_equal(wheel.timers.armed_count, 2);
    hf_timers_advance(&wheel.timers, 899, MANY);
    assert_int_equal(ripe_count(&wheel), 0);
    hf_timers_advance(&wheel.timers, 999, MANY);
    assert_int_equal(hf_timers_next_ripe(&wheel.timers, HF_TABLE_NONE), 1);
    hf_timers_advance(&wheel.timers, 1000, MANY);
    assert_int_equal(ripe_count(&wheel), 2);
    hf_timers_disarm(&wheel.timers, 1);
    assert_int_equal(hf_timers_next_ripe(&wheel.timers, HF_TABLE_NONE), 0);
    /* Behind the wheel's time: ripe at once. */
    hf_timers_arm(&wheel.timers, 1, 7);
    assert_int_equal(ripe_count(&wheel), 2);
    close_wheel(&wheel);
}

/* A call does no more moves than it may, and the next goes on. */
static void test_bounded_work(void **state)
{
    struct wheel wheel;
    uint32_t calls = 0;

    (void)state;
    open_wheel(&wheel, 100000);
    for (uint32_t slot = 0; slot < 100000; slot++)
        hf_timers_arm(&wheel.timers, slot, UINT64_C(1000000000000) + slot);
    uint64_t now_ns = UINT64_C(1000000050000) - 1;
    while (hf_timers_advance(&wheel.timers, now_ns, 128) == 0) {
        calls++;
        assert_true(ripe_count(&wheel) <= calls * 128);
    }
    assert_int_equal(ripe_count(&wheel), 50000);
    assert_true(calls >= 100000 / 128);
    assert_true(calls <= 100000 * HF_TIMERS_LEVELS / 128);
    close_wheel(&wheel);
}

/* Random arming, disarming and passing of time, beside a plain list of times. */
static void test_random_against_list(void **state)
{
    uint64_t seed = 20240607;
    uint64_t due[SLOTS] = {0};
    uint64_t now_ns = 0;
    struct wheel wheel;

    (void)state;
    print_message("seed %llu\n", (unsigned long long)seed);
    open_wheel(&wheel, SLOTS);
    for (int round = 0; round < 20000; round++) {
        uint32_t slot = (uint32_t)(next_random(&seed) % SLOTS);
        uint64_t distance = next_random(&seed) >> (next_random(&seed) % 63);
        switch (next_random(&seed) % 4) {
        case 0:
            hf_timers_disarm(&wheel.timers, slot);
            due[slot] = 0;
            break;
        case 1:
            now_ns += next_random(&seed) >> (24 + next_random(&seed) % 40);
            while (hf_timers_advance(&wheel.timers, now_ns, 1 + (uint32_t)distance % 7) == 0)
                continue;
            break;
        default:
            if (distance == 0 || now_ns > UINT64_MAX - distance)
                break;
            if (due[slot] == 0 || due[slot] > now_ns + distance)
                due[slot] = now_ns + distance;
            hf_timers_arm(&wheel.timers, slot, now_ns + distance);
            break;
        }
        if (round % 16 != 0)
            continue;
        while (hf_timers_advance(&wheel.timers, now_ns, 50) == 0)
            continue;
        uint32_t expected = 0;
        uint32_t armed = 0;
        for (uint32_t i = 0; i < SLOTS; i++) {
            expected += due[i] != 0 && due[i] <= now_ns;
            armed += due[i] != 0;
        }
        assert_int_equal(wheel.timers.armed_count, armed);
        assert_int_equal(ripe_count(&wheel), expected);
        for (uint32_t i = HF_TABLE_NONE;
             (i = hf_timers_next_ripe(&wheel.timers, i)) != HF_TABLE_NONE;)
            assert_true(due[i] != 0 && due[i] <= now_ns);
    }
    close_wheel(&wheel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_armed),
        cmocka_unit_test(test_exact_at_any_distance),
        cmocka_unit_test(test_earlier_stays_later_moves),
        cmocka_unit_test(test_bounded_work),
        cmocka_unit_test(test_random_against_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
