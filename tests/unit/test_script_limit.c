/* Scripts about limits and what they bear on: the operations that their lines become. */
#include "script_fixture.h"
#include "tools/holdfast/script_word.h"

static void test_limits_come_out_whole(void **state)
{
    (void)state;
    struct hf_script script = parsed(
        "limit 1 on c1 amount 100.00 per day zone -03:30\n"
        "limit 2 on alice count 4 amount 5.00 mcc 5411,5412 country 840 channel 0,2 merchant M "
        "per rolling 4h\n"
        "limit 255 on c1 per week start sunday amount none\n"
        "limit 3 on c1 count 1 per month start 28 zone +14:00\n"
        "limit 4 on c1 count 1 per week\n"
        "limit 5 on account alice per lifetime count unlimited\n"
        "limit 6 on card c1 per operation amount 0\n");
    const struct hf_script_statement *at = &script.statements[PREAMBLE_LINES];
    const struct hf_op_limit_put *put = &at[0].operation->limit_put;
    assert_int_equal(put->header.type, HF_OP_LIMIT_PUT);
    assert_int_equal(put->header.length, sizeof *put);
    assert_true(hf_id_equal(put->scope_id, hf_script_id('c', "c1", 7)));
    assert_int_equal(put->scope, HF_LIMIT_INSTRUMENT);
    assert_int_equal(put->mode, HF_LIMIT_SET);
    assert_int_equal(put->number, 1);
    assert_int_equal(put->window, HF_LIMIT_DAY);
    assert_int_equal(put->max_amount, 10000);
    assert_true(put->max_count == HF_LIMIT_UNLIMITED);
    assert_true(put->zone_minutes == -210);
    assert_int_equal(put->start, 0);
    assert_true(put->length_ns == 0);
    put = &at[1].operation->limit_put;
    assert_true(hf_id_equal(put->scope_id, hf_script_id('a', "alice", 7)));
    assert_int_equal(put->scope, HF_LIMIT_ACCOUNT);
    assert_int_equal(put->window, HF_LIMIT_ROLLING);
    assert_true(put->length_ns == UINT64_C(14400000000000));
    assert_int_equal(put->max_count, 4);
    assert_int_equal(put->max_amount, 500);
    assert_int_equal(put->filter.mccs[1], 5412);
    assert_int_equal(put->filter.countries[0], 840);
    assert_int_equal(put->filter.channels, 5);
    assert_int_equal(put->filter.merchant[0], 'M');
    assert_int_equal(put->filter.parts, 15);
    put = &at[2].operation->limit_put;
    assert_int_equal(put->number, 255);
    assert_int_equal(put->window, HF_LIMIT_WEEK);
    assert_int_equal(put->start, 7);
    assert_true(put->max_amount == HF_LIMIT_UNLIMITED);
    put = &at[3].operation->limit_put;
    assert_int_equal(put->window, HF_LIMIT_MONTH);
    assert_int_equal(put->start, 28);
    assert_int_equal(put->zone_minutes, 840);
    assert_int_equal(at[4].operation->limit_put.start, 1);
    assert_int_equal(at[5].operation->limit_put.scope, HF_LIMIT_ACCOUNT);
    assert_int_equal(at[5].operation->limit_put.window, HF_LIMIT_LIFETIME);
    assert_int_equal(at[6].operation->limit_put.scope, HF_LIMIT_INSTRUMENT);
    assert_int_equal(at[6].operation->limit_put.window, HF_LIMIT_OPERATION);
    assert_true(at[6].operation->limit_put.max_amount == 0);
    hf_script_free(&script);
}

static void test_limits_are_raised_reset_and_looked_at(void **state)
{
    (void)state;
    struct hf_script script = parsed("limit 1 on c1 raise count 2 as more\n"
                                     "limit 1 on c1 raise amount 20.00 -> 25\n"
                                     "limit 1 on c1 reset\n"
                                     "again more with count 3 with amount 1.00\n"
                                     "unknown ghost\n"
                                     "limit 1 on card ghost reset -> UNKNOWN_INSTRUMENT\n"
                                     "expect limit 7 on c1 used 60.00 count 2 amount none most 5\n"
                                     "expect limit 1 on account alice unknown\n"
                                     "expect card c1 account alice\n");
    const struct hf_script_statement *at = &script.statements[PREAMBLE_LINES];
    const struct hf_op_limit_put *put = &at[0].operation->limit_put;
    assert_int_equal(put->mode, HF_LIMIT_RAISE);
    assert_int_equal(put->max_count, 2);
    assert_true(put->max_amount == 0 && put->window == 0 && put->start == 0);
    put = &at[1].operation->limit_put;
    assert_int_equal(put->max_amount, 2000);
    assert_true(put->max_count == 0);
    put = &at[2].operation->limit_put;
    assert_int_equal(put->mode, HF_LIMIT_RESET);
    assert_true(put->max_amount == 0 && put->max_count == 0 && put->window == 0);
    assert_int_equal(at[3].verb, HF_SCRIPT_AGAIN);
    assert_int_equal(at[3].changes[0].bits, 3);
    assert_int_equal(at[3].changes[1].bits, 100);
    assert_true(hf_id_equal(at[4].operation->limit_put.scope_id, hf_script_id('c', "ghost", 7)));
    const struct hf_op_query *query = &at[5].operation->query;
    assert_int_equal(query->subject, HF_QUERY_INSTRUMENT_LIMITS);
    assert_int_equal(query->cursor, 6);
    assert_int_equal(at[5].expected.value_count, 4);
    assert_int_equal(at[5].expected.values[0].bits, 6000);
    assert_int_equal(at[5].expected.values[1].bits, 2);
    assert_true(at[5].expected.values[2].bits == HF_LIMIT_UNLIMITED);
    assert_int_equal(at[5].expected.values[3].bits, 5);
    assert_int_equal(at[6].operation->query.subject, HF_QUERY_ACCOUNT_LIMITS);
    assert_int_equal(at[6].operation->query.cursor, 0);
    assert_int_equal(at[6].expected.code.number, HF_CODE_UNKNOWN_LIMIT);
    assert_true(hf_id_equal(at[7].expected.values[0].id, hf_script_id('a', "alice", 7)));
    hf_script_free(&script);
}

/* A filter that would ask for nothing counts everything: nobody gets that by asking for something.
 */
static void test_empty_filters(void **state)
{
    static const char *const filters[] = {
        "mcc 0",         "mcc 5411,0", "mcc 0,5411", "mcc",       "mcc ,",    "country 0",
        "country 0,840", "country",    "channel",    "channel ,", "merchant",
    };

    (void)state;
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        char text[512];
        struct hf_script script;
        struct hf_fault fault;
        snprintf(text, sizeof text, "%slimit 1 on c1 amount 5.00 per day %s\n", PREAMBLE,
                 filters[i]);
        assert_int_equal(hf_script_parse("x.hf", text, 7, &script, &fault), HF_STATUS_INVALID);
        assert_non_null(strstr(fault.line, "x.hf:5: "));
        hf_script_free(&script);
    }
}

/* Said on purpose it is sent, for the node to refuse. */
static void test_parts_said_to_be_empty(void **state)
{
    static const char *const words[] = {"mcc", "country", "channel", "merchant"};

    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        char text[256];
        snprintf(text, sizeof text,
                 "limit 1 on c1 per day %s \"\" -> MALFORMED/FILTER\n"
                 "account alice mcc 5411 %s \"\" -> MALFORMED/FILTER\n",
                 words[i], words[i]);
        struct hf_script script = parsed(text);
        const struct hf_script_statement *at = &script.statements[PREAMBLE_LINES];
        const struct hf_filter nothing = {.parts = 1u << i};
        assert_memory_equal(&at[0].operation->limit_put.filter, &nothing, sizeof nothing);
        const struct hf_filter some = {.mccs = {5411}, .parts = 1u | 1u << i};
        assert_memory_equal(&at[1].operation->account_put.filter, &some, sizeof some);
        assert_int_equal(at[1].operation->header.length, sizeof(struct hf_op_account_put));
        hf_script_free(&script);
    }
}

static void test_options_of_authorisations(void **state)
{
    (void)state;
    struct hf_script script = parsed("auth a c1 bank 100.00 minimum 10.00 class 4 tolerance 12.5% "
                                     "mcc 5411 country 840 channel 3 merchant M "
                                     "-> OK_PARTIAL approved 50.00\n"
                                     "capture a all\n");
    const struct hf_script_statement *at = &script.statements[PREAMBLE_LINES];
    const struct hf_op_auth *auth = &at[0].operation->auth;
    assert_int_equal(auth->header.length, sizeof *auth);
    assert_int_equal(auth->amount, 10000);
    assert_int_equal(auth->minimum, 1000);
    assert_int_equal(auth->class_number, 4);
    assert_int_equal(auth->tolerance, 125);
    assert_int_equal(auth->mcc, 5411);
    assert_int_equal(auth->country, 840);
    assert_int_equal(auth->channel, 3);
    assert_int_equal(auth->merchant[0], 'M');
    assert_int_equal(at[0].expected.code.number, HF_CODE_OK_PARTIAL);
    assert_int_equal(at[0].expected.values[0].bits, 5000);
    hf_script_free(&script);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits_come_out_whole),
        cmocka_unit_test(test_limits_are_raised_reset_and_looked_at),
        cmocka_unit_test(test_empty_filters),
        cmocka_unit_test(test_parts_said_to_be_empty),
        cmocka_unit_test(test_options_of_authorisations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
