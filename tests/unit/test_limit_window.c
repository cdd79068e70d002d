/* The windows of limits: where each begins and ends, and what a rolling one lets through. */
#include "limit_fixture.h"

#include "engine/limit.h"

#define DAY_S 86400

/* Days since 1970-01-01, counted year by year and month by month: slow, and plain to see. */
static int64_t day_of(int year, int month, int day)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t days = 0;

    for (int y = 1970; y < year; y++)
        days += (y % 4 == 0 && (y % 100 != 0 || y % 400 == 0)) ? 366 : 365;
    for (int m = 1; m < month; m++) {
        bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        days += lengths[m - 1] + (m == 2 && is_leap ? 1 : 0);
    }
    return days + day - 1;
}

static uint64_t time_of(int64_t day, int64_t second)
{
    return (uint64_t)(day * DAY_S + second) * SECOND_NS;
}

/* One nanosecond before this time it is one window, from it on the next. */
static void assert_edge(const struct hf_limit *limit, uint64_t at_ns)
{
    assert_int_equal(hf_limit_period(limit, at_ns), hf_limit_period(limit, at_ns - 1) + 1);
    assert_int_equal(hf_limit_period(limit, at_ns), hf_limit_period(limit, at_ns + 1));
}

static void test_midnight_in_every_zone(void **state)
{
    (void)state;
    for (int zone = -HF_LIMIT_ZONE_MAX; zone <= HF_LIMIT_ZONE_MAX; zone += 15) {
        const struct hf_limit limit = {.window = HF_LIMIT_DAY, .zone_minutes = (int16_t)zone};
        /* Midnight east of Greenwich is before that of Greenwich. */
        assert_edge(&limit, time_of(day_of(2024, 2, 29), -zone * 60));
        assert_edge(&limit, time_of(day_of(2024, 3, 1), -zone * 60));
        assert_edge(&limit, time_of(day_of(1999, 12, 31), -zone * 60));
    }
    /* The first day of all, which west of Greenwich begins a day earlier. */
    const struct hf_limit west = {.window = HF_LIMIT_DAY, .zone_minutes = -1};
    assert_int_equal(hf_limit_period(&west, 0), -1);
    assert_int_equal(hf_limit_period(&west, 60 * SECOND_NS - 1), -1);
    assert_int_equal(hf_limit_period(&west, 60 * SECOND_NS), 0);
}

static void test_weeks_begin_when_they_are_told_to(void **state)
{
    (void)state;
    /* 2024-01-01 was a Monday. */
    for (int start = 1; start <= 7; start++) {
        for (int zone = -720; zone <= 720; zone += 360) {
            const struct hf_limit limit = {
                .window = HF_LIMIT_WEEK, .start = (uint8_t)start, .zone_minutes = (int16_t)zone};
            for (int day = 1; day <= 21; day++) {
                uint64_t midnight = time_of(day_of(2024, 1, day), -zone * 60);
                if ((day - 1) % 7 == start - 1)
                    assert_edge(&limit, midnight);
                else
                    assert_int_equal(hf_limit_period(&limit, midnight),
                                     hf_limit_period(&limit, midnight - 1));
            }
        }
    }
}

/* Every day of some years: the month changes on its day and on no other. */
static void test_months_of_all_lengths(void **state)
{
    static const int years[] = {1970, 1972, 2000, 2023, 2024, 2100, 2400};

    (void)state;
    for (size_t i = 0; i < sizeof(years) / sizeof(years[0]); i++) {
        for (int start = 1; start <= 28; start += 9) {
            const struct hf_limit limit = {.window = HF_LIMIT_MONTH, .start = (uint8_t)start};
            int64_t first = day_of(years[i], 1, 1) + 1;
            int64_t end = day_of(years[i] + 1, 1, 1);
            int month = 1;
            for (int64_t day = first; day < end; day++) {
                if (month < 12 && day == day_of(years[i], month + 1, 1))
                    month++;
                if (day == day_of(years[i], month, start))
                    assert_edge(&limit, time_of(day, 0));
                else
                    assert_int_equal(hf_limit_period(&limit, time_of(day, 0)),
                                     hf_limit_period(&limit, time_of(day, -1)));
            }
        }
    }
}

/* Ends the hold made last: limits count what was authorised, whatever became of it. */
static void give_back(struct fixture *f)
{
    assert_ok(f, make_release(f, f->reply.id, HF_AMOUNT_ALL));
}

/* The counter of a calendar window begins anew at its edge, in the ledger as by itself. */
static void test_windows_in_the_ledger(void **state)
{
    static const struct {
        uint8_t window;
        uint8_t start;
        int16_t zone_minutes;
        int year, month, day;
    } rows[] = {
        {HF_LIMIT_DAY, 0, 120, 2024, 2, 29},    {HF_LIMIT_DAY, 0, -570, 2024, 3, 1},
        {HF_LIMIT_WEEK, 1, 0, 2024, 3, 4},      {HF_LIMIT_WEEK, 7, 840, 2024, 3, 10},
        {HF_LIMIT_MONTH, 1, -840, 2024, 4, 1},  {HF_LIMIT_MONTH, 28, 0, 2025, 2, 28},
        {HF_LIMIT_MONTH, 15, 60, 2025, 12, 15}, {HF_LIMIT_MONTH, 1, 0, 2026, 1, 1},
    };
    struct fixture *f = *state;

    assert_ok(f, make_instrument(f, CARD, 2));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        union hf_operation op =
            make_max(f, HF_LIMIT_INSTRUMENT, CARD, 1, rows[i].window, 10, HF_LIMIT_UNLIMITED);
        op.limit_put.start = rows[i].start;
        op.limit_put.zone_minutes = rows[i].zone_minutes;
        check_answer(f, op, HF_CODE_OK, HF_RULE_NONE, 0);
        uint64_t edge_ns =
            time_of(day_of(rows[i].year, rows[i].month, rows[i].day), -rows[i].zone_minutes * 60);
        assert_true(edge_ns - NS_IN_MS > f->now_ns);
        f->now_ns = edge_ns - NS_IN_MS;
        assert_ok(f, make_auth(f, CARD, SHOP, 6));
        give_back(f);
        f->now_ns = edge_ns - 1;
        check_answer(f, make_auth(f, CARD, SHOP, 5), HF_CODE_AMOUNT_LIMIT, HF_RULE_INSTRUMENT_LIMIT,
                     1);
        assert_ok(f, make_auth(f, CARD, SHOP, 4));
        give_back(f);
        assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 1, 10, 2);
        f->now_ns = edge_ns;
        assert_ok(f, make_auth(f, CARD, SHOP, 5));
        give_back(f);
        assert_used(f, HF_LIMIT_INSTRUMENT, CARD, 1, 5, 1);
    }
}

/* Whatever a rolling window lets through, of the last `length_ns` exactly, fits the maxima; and
 * what it counts is no older than its buckets reach. */
static void test_rolling_against_exact(void **state)
{
    enum { DRAWS = 250 };
    static const uint64_t lengths_ns[] = {
        64, 65, 126, 1000003, 3600 * SECOND_NS, HF_LIMIT_LENGTH_NS_MAX};
    static uint64_t times_ns[DRAWS];
    static uint64_t amounts[DRAWS];
    struct hf_ledger_limits limits = small_limits;
    struct fixture many;
    struct fixture *f = &many;
    uint64_t seed = 20260101;
    uint64_t approved = 0;
    uint64_t refused = 0;

    (void)state;
    limits.remembered = 4000; /* ids of one millisecond */
    open_fixture(f, &limits);
    open_accounts(f);
    assert_ok(f, make_instrument(f, CARD, 2));
    print_message("seed %llu\n", (unsigned long long)seed);
    for (size_t l = 0; l < sizeof(lengths_ns) / sizeof(lengths_ns[0]); l++) {
        uint64_t length_ns = lengths_ns[l];
        uint64_t step_ns = (length_ns + 62) / 63;
        size_t count = 0;
        union hf_operation op =
            make_max(f, HF_LIMIT_INSTRUMENT, CARD, 1, HF_LIMIT_ROLLING, 100, 12);
        op.limit_put.length_ns = length_ns;
        assert_ok(f, op);
        for (int i = 0; i < DRAWS; i++) {
            uint64_t amount = 1 + next_random(&seed) % 20;
            uint64_t exact = 0;
            uint64_t widest = 0;
            f->now_ns += next_random(&seed) % (i % 50 == 0 ? 3 * length_ns : length_ns / 8);
            op = make_auth(f, CARD, SHOP, amount);
            assert_true(apply(f, &op));
            bool is_approved = f->reply.code == HF_CODE_OK;
            for (size_t n = 0; n < count; n++) {
                uint64_t age_ns = f->now_ns - times_ns[n];
                exact += age_ns < length_ns ? amounts[n] : 0;
                widest += age_ns < HF_LIMIT_BUCKETS * step_ns ? amounts[n] : 0;
            }
            struct hf_limit_line line = view_limit(f, HF_LIMIT_INSTRUMENT, CARD, 1);
            uint64_t before = line.used_amount - (is_approved ? amount : 0);
            assert_true(before >= exact);
            assert_true(before <= widest);
            approved += is_approved;
            refused += !is_approved;
            if (is_approved) {
                assert_true(exact + amount <= 100);
                times_ns[count] = f->now_ns;
                amounts[count++] = amount;
                give_back(f);
            }
        }
    }
    assert_true(approved > 300);
    assert_true(refused > 300);
    close_fixture(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_midnight_in_every_zone),
        cmocka_unit_test(test_weeks_begin_when_they_are_told_to),
        cmocka_unit_test(test_months_of_all_lengths),
        each(test_windows_in_the_ledger),
        cmocka_unit_test(test_rolling_against_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
