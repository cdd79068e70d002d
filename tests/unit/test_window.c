/* The replay window: its edges as a truth table, and against a naive oracle that remembers
 * everything. HF_TEST_SEED repeats a run. */
#include "net/window.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RANDOM_COUNT 1000000
#define SPACE        (UINT64_C(1) << 26) /* counters that the oracle can remember */

static void take(struct hf_window *window, uint64_t counter, enum hf_window_verdict expected)
{
    enum hf_window_verdict verdict = hf_window_take(window, counter);
    if (verdict != expected)
        fail_msg("counter %" PRIu64 ": verdict %d, not %d", counter, verdict, expected);
}

static void test_edges(void **state)
{
    (void)state;
    static const struct {
        uint64_t counter;
        enum hf_window_verdict verdict;
    } table[] = {
        {0, HF_WINDOW_FRESH},
        {0, HF_WINDOW_REPLAYED},
        {2, HF_WINDOW_FRESH},
        {1, HF_WINDOW_FRESH},
        {1, HF_WINDOW_REPLAYED},
        {2, HF_WINDOW_REPLAYED},
        /* Each end of the window. */
        {8191, HF_WINDOW_FRESH},
        {0, HF_WINDOW_REPLAYED},
        {8192, HF_WINDOW_FRESH},
        {0, HF_WINDOW_TOO_OLD},
        {1, HF_WINDOW_REPLAYED},
        {3, HF_WINDOW_FRESH},
        {8194, HF_WINDOW_FRESH},
        {2, HF_WINDOW_TOO_OLD},
        {3, HF_WINDOW_REPLAYED},
        {4, HF_WINDOW_FRESH},
        /* A place is taken over from the counter 8,192 below. */
        {8193, HF_WINDOW_FRESH},
        {8195, HF_WINDOW_FRESH},
        {8195, HF_WINDOW_REPLAYED},
        /* A jump of exactly the width, one less, one more. */
        {8195 + 8192, HF_WINDOW_FRESH},
        {8195, HF_WINDOW_TOO_OLD},
        {8196, HF_WINDOW_FRESH},
        {8196 + 16382, HF_WINDOW_FRESH},
        {16387, HF_WINDOW_REPLAYED},
        {16386, HF_WINDOW_TOO_OLD},
        {24578 + 8193, HF_WINDOW_FRESH},
        {24578, HF_WINDOW_TOO_OLD},
        {24580, HF_WINDOW_FRESH},
        /* The far end of the numbers. */
        {UINT64_MAX, HF_WINDOW_TOO_OLD},
        {UINT64_MAX - 1, HF_WINDOW_FRESH},
        {UINT64_MAX - 1, HF_WINDOW_REPLAYED},
        {UINT64_MAX - 1 - 8191, HF_WINDOW_FRESH},
        {UINT64_MAX - 1 - 8192, HF_WINDOW_TOO_OLD},
        {UINT64_MAX, HF_WINDOW_TOO_OLD},
        {0, HF_WINDOW_TOO_OLD},
    };
    struct hf_window window = {0};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        take(&window, table[i].counter, table[i].verdict);
}

/* From the edges of a word to every place of the next three, the places passed over are free
 * again. */
static void test_moves(void **state)
{
    (void)state;
    static const uint64_t places[] = {0, 1, 31, 62, 63, 64, 65, 127};
    for (size_t place = 0; place < sizeof places / sizeof places[0]; place++) {
        for (uint64_t by = 1; by < 200; by++) {
            struct hf_window window = {0};
            uint64_t base = 5 * HF_WINDOW_WIDTH + places[place];
            for (uint64_t i = 0; i < HF_WINDOW_WIDTH; i++)
                take(&window, base - i, HF_WINDOW_FRESH);
            take(&window, base + by, HF_WINDOW_FRESH);
            for (uint64_t i = 1; i < by; i++)
                take(&window, base + i, HF_WINDOW_FRESH);
            take(&window, base, HF_WINDOW_REPLAYED);
            take(&window, base + by - HF_WINDOW_WIDTH, HF_WINDOW_TOO_OLD);
            take(&window, base + by - HF_WINDOW_WIDTH + 1, HF_WINDOW_REPLAYED);
        }
    }
}

static uint64_t next_random(uint64_t *random)
{
    uint64_t z = (*random += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Sends mostly go on by one; some come late, some again, some jump. */
static uint64_t draw(uint64_t *random, uint64_t highest)
{
    uint64_t kind = next_random(random) % 10000;
    uint64_t far = next_random(random);
    if (kind < 5500)
        return highest + 1;
    if (kind < 5600)
        return highest + 1 + far % 70;
    if (kind < 5601)
        return highest + 1 + far % (3 * HF_WINDOW_WIDTH);
    uint64_t back = kind < 8000 ? far % 80 : kind < 9500 ? far % 9000 : 8100 + far % 200;
    return back > highest ? 0 : highest - back;
}

static void test_oracle(void **state)
{
    (void)state;
    const char *given = getenv("HF_TEST_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : 1;
    print_message("seed %" PRIu64 "\n", seed);
    uint8_t *seen = calloc(SPACE, 1);
    assert_non_null(seen);
    struct hf_window window = {0};
    uint64_t random = seed, highest = 0, counts[3] = {0};
    bool is_empty = true;
    for (uint32_t i = 0; i < RANDOM_COUNT; i++) {
        uint64_t counter = draw(&random, highest);
        if (counter >= SPACE) { /* start over */
            memset(&window, 0, sizeof window);
            memset(seen, 0, SPACE);
            highest = counter = 0;
            is_empty = true;
        }
        enum hf_window_verdict expected = HF_WINDOW_FRESH;
        if (!is_empty && counter <= highest && highest - counter >= HF_WINDOW_WIDTH)
            expected = HF_WINDOW_TOO_OLD;
        else if (seen[counter] != 0)
            expected = HF_WINDOW_REPLAYED;
        take(&window, counter, expected);
        counts[expected]++;
        if (expected == HF_WINDOW_FRESH) {
            seen[counter] = 1;
            highest = counter > highest || is_empty ? counter : highest;
            is_empty = false;
        }
    }
    free(seen);
    print_message("%" PRIu64 " fresh, %" PRIu64 " replayed, %" PRIu64 " too old\n", counts[0],
                  counts[1], counts[2]);
    for (size_t i = 0; i < 3; i++)
        assert_true(counts[i] > RANDOM_COUNT / 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_moves),
        cmocka_unit_test(test_oracle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
