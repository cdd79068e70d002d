/* Moments of a log, as people write them. */
#include "tools/holdfast/log_replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define NONE UINT64_MAX

static void test_moments(void **state)
{
    static const struct {
        const char *text;
        uint64_t place;
        uint64_t time_ns;
    } good[] = {
        {"1", 1, NONE},
        {"0042", 42, NONE},
        {"9999999999999999999", UINT64_C(9999999999999999999), NONE},
        {"0ns", NONE, 0},
        {"1700000000000000001ns", NONE, UINT64_C(1700000000000000001)},
        {"1970-01-01T00:00:00Z", NONE, 0},
        {"2023-11-14T22:13:20Z", NONE, UINT64_C(1700000000000000000)},
        {"2023-11-14 22:13:20Z", NONE, UINT64_C(1700000000000000000)},
        {"2023-11-14T22:13:20.5Z", NONE, UINT64_C(1700000000500000000)},
        {"2023-11-14T22:13:20.000000001Z", NONE, UINT64_C(1700000000000000001)},
        {"2023-11-14T22:13:20.0000000019Z", NONE, UINT64_C(1700000000000000001)},
        {"2024-02-29T00:00:00Z", NONE, UINT64_C(1709164800000000000)},
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct log_moment moment;
        assert_true(log_moment_parse(good[i].text, &moment));
        assert_int_equal(moment.place, good[i].place);
        assert_int_equal(moment.time_ns, good[i].time_ns);
    }
}

static void test_no_moments(void **state)
{
    static const char *const bad[] = {
        "",
        "0",
        "-1",
        "noon",
        "1 ",
        "1n",
        "ns",
        "99999999999999999999",
        "99999999999999999999ns",
        "2023-11-14",
        "2023-11-14T22:13:20",
        "2023-11-14T22:13:20+01:00",
        "2023-11-14T22:13:20.Z",
        "2023-11-14T22:13:20Zulu",
        "2023-11-14T25:13:20Z",
        "2023-13-14T22:13:20Z",
        "2023-02-29T00:00:00Z",
        "1969-12-31T23:59:59Z",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct log_moment moment;
        if (log_moment_parse(bad[i], &moment)) {
            print_error("\"%s\" was taken for a moment\n", bad[i]);
            fail();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moments),
        cmocka_unit_test(test_no_moments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
