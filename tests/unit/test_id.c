/* Ids: text forms both ways, reserved values, the time inside. */
#include "fixture.h"

static bool parse(const char *text, struct hf_id *id)
{
    return hf_id_parse(text, strlen(text), id);
}

static void test_parse_accepts(void **state)
{
    static const struct {
        const char *text;
        uint64_t hi;
        uint64_t lo;
    } rows[] = {
        {"1", 0, 1},
        {"1001", 0, 1001},
        {"0007", 0, 7},
        {"18446744073709551615", 0, UINT64_MAX},
        {"0x1", 0, 1},
        {"0xdeadBEEF", 0, 0xdeadbeef},
        {"0x10000000000000000", 1, 0},
        {"0xfffffffffffffffffffffffffffffffe", UINT64_MAX, UINT64_MAX - 1},
        {"0x00000000000000000000000000000001", 0, 1},
        {"00000000-0000-0000-0000-000000000001", 0, 1},
        {"018bcfe5-687b-7000-8000-0123456789aB", 0x018bcfe5687b7000, 0x80000123456789ab},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_id id = {77, 77};
        if (!parse(rows[i].text, &id))
            fail_msg("not taken: %s", rows[i].text);
        assert_int_equal(id.hi, rows[i].hi);
        assert_int_equal(id.lo, rows[i].lo);
    }
}

static void test_parse_refuses(void **state)
{
    static const char *const rows[] = {
        "",
        "0",
        "000",
        "0x",
        "0x0",
        "x1",
        "-1",
        "+1",
        " 1",
        "1 ",
        "1a",
        "12.5",
        "18446744073709551616",
        "99999999999999999999",
        "0xg",
        "0x000000000000000000000000000000001",
        "0xffffffffffffffffffffffffffffffff",
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "018bcfe5-687b-7000-8000-0123456789a",
        "018bcfe5-687b-7000-8000-0123456789abc",
        "018bcfe5-687b-7000-80000-123456789ab",
        "018bcfe5-687b-7000-8000-0123456789ag",
        "018bcfe5x687b-7000-8000-0123456789ab",
        "018bcfe5687b700080000123456789ab1234",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_id id = {77, 78};
        if (parse(rows[i], &id))
            fail_msg("taken: %s", rows[i]);
        assert_int_equal(id.lo, 77);
        assert_int_equal(id.hi, 78);
    }
}

static void test_parse_stops_at_length(void **state)
{
    struct hf_id id;

    (void)state;
    assert_true(hf_id_parse("1234", 2, &id));
    assert_int_equal(id.lo, 12);
    assert_true(hf_id_parse("0x12zz", 4, &id));
    assert_int_equal(id.lo, 0x12);
}

static void test_format_golden(void **state)
{
    char text[HF_ID_TEXT_SIZE];

    (void)state;
    assert_int_equal(hf_id_format((struct hf_id){0, 0}, text), 1);
    assert_string_equal(text, "0");
    assert_int_equal(hf_id_format((struct hf_id){UINT64_MAX, 0}, text), 20);
    assert_string_equal(text, "18446744073709551615");
    struct hf_id id = {0x80000123456789ab, 0x018bcfe5687b7000};
    assert_int_equal(hf_id_format(id, text), 36);
    assert_string_equal(text, "018bcfe5-687b-7000-8000-0123456789ab");
}

static void test_round_trip(void **state)
{
    uint64_t seed = 1;

    (void)state;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < 10000; i++) {
        struct hf_id id = {next_random(&seed) >> (i % 64), next_random(&seed) >> (i / 3 % 64)};
        struct hf_id back;
        char text[HF_ID_TEXT_SIZE];
        if (i % 5 == 0)
            id.hi = 0;
        if (hf_id_is_reserved(id))
            continue;
        size_t length = hf_id_format(id, text);
        assert_int_equal(strlen(text), length);
        assert_true(hf_id_parse(text, length, &back));
        assert_true(hf_id_equal(id, back));
    }
}

static void test_operation_ids(void **state)
{
    struct hf_id id = hf_id_make_operation(0xffffffffffff, 0xabcd, 5);

    (void)state;
    assert_int_equal(hf_id_time_ms(id), 0xffffffffffff);
    assert_int_equal(id.hi & 0xffff, 0xabcd);
    assert_int_equal(id.lo, 5);
    assert_true(hf_id_is_reserved((struct hf_id){0, 0}));
    assert_true(hf_id_is_reserved((struct hf_id){UINT64_MAX, UINT64_MAX}));
    assert_false(hf_id_is_reserved((struct hf_id){UINT64_MAX, 0}));
    assert_false(hf_id_is_reserved((struct hf_id){0, UINT64_MAX}));
}

/* Neighbouring ids, as clients number their accounts, must spread evenly over groups and tags. */
static void test_hash_spreads(void **state)
{
    uint32_t upper[256] = {0};
    uint32_t lower[256] = {0};

    (void)state;
    for (uint64_t i = 0; i < 256 * 1000; i++) {
        uint64_t hash = hf_id_hash((struct hf_id){i, 0});
        upper[hash >> 56]++;
        lower[hash & 255]++;
    }
    for (int i = 0; i < 256; i++) { /* six standard deviations around 1,000 */
        assert_in_range(upper[i], 810, 1190);
        assert_in_range(lower[i], 810, 1190);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_accepts), cmocka_unit_test(test_parse_refuses),
        cmocka_unit_test(test_format_golden), cmocka_unit_test(test_parse_stops_at_length),
        cmocka_unit_test(test_round_trip),    cmocka_unit_test(test_operation_ids),
        cmocka_unit_test(test_hash_spreads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
