/* Codes: numbers that clients rely on for ever, and the table behind them. */
#include "fixture.h"

/* Every code that an answer can have, with what an acquirer sees of it in DE39. Written out a
 * second time on purpose: a row that is changed, renumbered, added or dropped shows here. */
static void test_every_code(void **state)
{
    static const struct {
        uint16_t number;
        const char *name;
        const char *iso1987;
        const char *iso1993;
    } rows[] = {
        {0, "OK", "00", "000"},
        {1, "OK_PARTIAL", "10", "002"},
        {10, "INSUFFICIENT", "51", "116"},
        {11, "AMOUNT_LIMIT", "61", "121"},
        {12, "COUNT_LIMIT", "65", "123"},
        {13, "CEILING", "61", "121"},
        {14, "OVERFLOW", "13", "110"},
        {15, "UNBALANCED", "13", "110"},
        {20, "UNKNOWN_ACCOUNT", "14", "111"},
        {21, "UNKNOWN_INSTRUMENT", "14", "111"},
        {22, "UNKNOWN_HOLD", "25", "914"},
        {23, "UNKNOWN_OPERATION", "25", "914"},
        {24, "UNKNOWN_ASSET", "12", "902"},
        {25, "UNKNOWN_CONDITION", "25", "914"},
        {26, "UNKNOWN_LIMIT", "25", "914"},
        {30, "RESTRICTED", "62", "104"},
        {31, "CLOSED", "46", "111"},
        {32, "INACTIVE", "78", "125"},
        {33, "EXPIRED", "54", "101"},
        {34, "NOT_PERMITTED", "57", "119"},
        {35, "ASSET_MISMATCH", "12", "902"},
        {36, "SAME_ACCOUNT", "12", "902"},
        {37, "HELD", "57", "119"},
        {38, "NOT_EMPTY", "57", "119"},
        {39, "IS_TOTAL", "57", "119"},
        {40, "HOLD_EXPIRED", "54", "101"},
        {41, "HOLD_RESOLVED", "76", "914"},
        {42, "OVER_CAPTURE", "13", "110"},
        {43, "CONDITION_NOT_MET", "57", "119"},
        {44, "BAD_PROOF", "63", "122"},
        {45, "REVERSED", "12", "902"},
        {46, "NOTHING_TO_REVERSE", "76", "914"},
        {50, "DEADLINE_PASSED", "68", "907"},
        {51, "DUPLICATE_DIFFERENT", "94", "913"},
        {52, "ID_TOO_OLD", "94", "913"},
        {53, "ID_TOO_NEW", "12", "902"},
        {60, "BUSY", "91", "907"},
        {61, "CAPACITY", "96", "909"},
        {62, "NOT_PRIMARY", "91", "907"},
        {70, "MALFORMED", "30", "904"},
        {71, "WRONG_VERSION", "30", "904"},
        {72, "UNKNOWN_TYPE", "12", "902"},
        {73, "UNSUPPORTED", "12", "902"},
        {74, "BAD_AMOUNT", "13", "110"},
        {75, "BAD_ID", "12", "902"},
        {76, "NESTED_CHAIN", "12", "902"},
    };
    size_t in_table = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_string_equal(hf_code_name(rows[i].number), rows[i].name);
        assert_string_equal(hf_code_iso1987(rows[i].number), rows[i].iso1987);
        assert_string_equal(hf_code_iso1993(rows[i].number), rows[i].iso1993);
        assert_int_equal(hf_code_from_name(rows[i].name), rows[i].number);
    }
#define HF_CODE_ENTRY(name, number, iso1987, iso1993, sentence) in_table++;
    HF_CODE_TABLE(HF_CODE_ENTRY)
#undef HF_CODE_ENTRY
    assert_int_equal(in_table, sizeof(rows) / sizeof(rows[0]));
}

static void test_whole_table(void **state)
{
    static const uint16_t numbers[] = {
#define HF_CODE_ENTRY(name, number, iso1987, iso1993, sentence) number,
        HF_CODE_TABLE(HF_CODE_ENTRY)
#undef HF_CODE_ENTRY
    };
    size_t count = sizeof(numbers) / sizeof(numbers[0]);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        const char *sentence = hf_code_sentence(numbers[i]);
        assert_int_equal(strlen(hf_code_iso1987(numbers[i])), 2);
        assert_int_equal(strlen(hf_code_iso1993(numbers[i])), 3);
        assert_true(strlen(sentence) > 3);
        assert_true(sentence[strlen(sentence) - 1] != '.');
        assert_int_equal(hf_code_from_name(hf_code_name(numbers[i])), numbers[i]);
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(numbers[i], numbers[j]);
    }
}

static void test_unknown(void **state)
{
    (void)state;
    assert_string_equal(hf_code_name(2), "UNKNOWN_CODE");
    assert_string_equal(hf_code_name(UINT16_MAX), "UNKNOWN_CODE");
    assert_string_equal(hf_code_iso1987(999), "96");
    assert_string_equal(hf_code_iso1993(999), "909");
    assert_int_equal(hf_code_from_name("NO_SUCH"), -1);
    assert_int_equal(hf_code_from_name(""), -1);
    assert_int_equal(hf_code_from_name("ok"), -1);
    assert_int_equal(hf_code_from_name("UNKNOWN_CODE"), -1);
}

static void test_rules(void **state)
{
    (void)state;
    assert_string_equal(hf_rule_name(HF_RULE_NONE), "NONE");
    assert_string_equal(hf_rule_name(1), "PAYER");
    assert_string_equal(hf_rule_name(6), "INSTRUMENT_COUNT");
    assert_string_equal(hf_rule_name(22), "EXPIRY");
    assert_string_equal(hf_rule_name(29), "CHILDREN");
    assert_string_equal(hf_rule_name(30), "INSTRUMENT_LIMIT");
    assert_string_equal(hf_rule_name(33), "LIMIT");
    assert_string_equal(hf_rule_name(34), "ACQUIRER");
    assert_string_equal(hf_rule_name(35), "ORIGINAL");
    assert_string_equal(hf_rule_name(36), "FILTER");
    assert_string_equal(hf_rule_name(37), "UNKNOWN_RULE");
    assert_string_equal(hf_rule_name(255), "UNKNOWN_RULE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code),
        cmocka_unit_test(test_whole_table),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
