/* The parser of scenario scripts: a truth table of lines, what they become, and what is refused
 * where. */
#include "tools/holdfast/script.h"
#include "tools/holdfast/script_word.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Four lines that every script below begins with. */
#define PREAMBLE                          \
    "asset 840 USD 2\n"                   \
    "account bank asset USD floor none\n" \
    "account alice asset USD\n"           \
    "card c1 alice count 3 limit 100.00\n"
#define PREAMBLE_LINES 4

static struct hf_script parsed(const char *lines)
{
    char text[2048];
    struct hf_script script;
    struct hf_fault fault;
    snprintf(text, sizeof text, "%s%s", PREAMBLE, lines);
    enum hf_status status = hf_script_parse("x.hf", text, 7, &script, &fault);
    if (status != HF_STATUS_OK)
        fail_msg("%s", fault.line);
    return script;
}

static const struct hf_script_statement *last(const struct hf_script *script)
{
    return &script->statements[script->statement_count - 1];
}

/* ---- words ---- */

static void test_amounts(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        uint8_t scale;
        bool good;
        uint64_t amount;
    } cases[] = {
        {"60", 2, true, 6000},
        {"60.00", 2, true, 6000},
        {"60.5", 2, true, 6050},
        {"0.01", 2, true, 1},
        {"0", 2, true, 0},
        {"42.17", 2, true, 4217},
        {"42.170", 2, false, 0},
        {"42.17", 0, false, 0},
        {"42", 0, true, 42},
        {"4217u", 2, true, 4217},
        {"18446744073709551615u", 2, true, UINT64_MAX},
        {"18446744073709551616u", 2, false, 0},
        {"184467440737095516.15", 2, true, UINT64_MAX},
        {"184467440737095516.16", 2, false, 0},
        {"1", 18, true, UINT64_C(1000000000000000000)},
        {"19", 18, false, 0},
        {".5", 2, false, 0},
        {"5.", 2, false, 0},
        {"", 2, false, 0},
        {"u", 2, false, 0},
        {"-5", 2, false, 0},
        {"+5", 2, false, 0},
        {"5.0.0", 2, false, 0},
        {"1e3", 2, false, 0},
        {"1.5u", 2, false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t amount = 0;
        bool good = hf_script_read_amount(cases[i].word, cases[i].scale, &amount);
        if (good != cases[i].good || (good && amount != cases[i].amount))
            fail_msg("'%s' with scale %u", cases[i].word, cases[i].scale);
    }
    uint64_t bits = 0;
    assert_true(hf_script_read_balance("-50.25", 2, &bits));
    assert_true((int64_t)bits == -5025);
    assert_true(hf_script_read_balance("9223372036854775807u", 2, &bits));
    assert_false(hf_script_read_balance("9223372036854775808u", 2, &bits));
    assert_false(hf_script_read_balance("--5", 2, &bits));
}

static void test_spans(void **state)
{
    (void)state;
    struct hf_script_span span = {0};
    assert_true(hf_script_read_span("+5s", &span));
    assert_true(span.given);
    assert_int_equal(span.ms, 5000);
    assert_true(hf_script_read_span("-2h", &span));
    assert_true(span.ms == -7200000);
    assert_true(hf_script_read_span("250ms", &span));
    assert_int_equal(span.ms, 250);
    assert_true(hf_script_read_span("-400d", &span));
    static const char *const wrong[] = {"",    "5",  "s",    "+s",
                                        "5 s", "5x", "1.5s", "9223372036854775807d"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(hf_script_read_span(wrong[i], &span));
}

static void test_codes(void **state)
{
    (void)state;
    struct hf_script_code code;
    int rule;
    assert_true(hf_script_read_code("INSUFFICIENT", &code, &rule));
    assert_int_equal(code.number, HF_CODE_INSUFFICIENT);
    assert_string_equal(code.iso, "");
    assert_int_equal(rule, -1);
    assert_true(hf_script_read_code("INSUFFICIENT/PAYER", &code, &rule));
    assert_int_equal(rule, HF_RULE_PAYER);
    assert_true(hf_script_read_code("OK/NONE", &code, &rule));
    assert_int_equal(rule, HF_RULE_NONE);
    assert_true(hf_script_read_code("51", &code, &rule));
    assert_string_equal(code.iso, "51");
    assert_true(hf_script_read_code("116", &code, &rule));
    assert_string_equal(code.iso, "116");
    static const char *const wrong[] = {
        "", "insufficient", "INSUFFICIENT/", "INSUFFICIENT/NOBODY", "777", "1", "5151", "OK "};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(hf_script_read_code(wrong[i], &code, &rule));
}

static void test_names(void **state)
{
    (void)state;
    assert_true(hf_script_is_name("alice"));
    assert_true(hf_script_is_name("a-1_b.C"));
    assert_false(hf_script_is_name(""));
    assert_false(hf_script_is_name("1a"));
    assert_false(hf_script_is_name("-a"));
    assert_false(hf_script_is_name("a b"));
    assert_false(hf_script_is_name("a/b"));
    assert_false(hf_script_is_name("abcdefghijklmnopqrstuvwxyzabcdef"));
    assert_true(hf_id_equal(hf_script_id('a', "x", 1), hf_script_id('a', "x", 1)));
    assert_false(hf_id_equal(hf_script_id('a', "x", 1), hf_script_id('a', "x", 2)));
    assert_false(hf_id_equal(hf_script_id('a', "x", 1), hf_script_id('c', "x", 1)));
    assert_false(hf_id_equal(hf_script_id('a', "x", 1), hf_script_id('a', "y", 1)));
}

/* ---- statements ---- */

static void test_operations_come_out_whole(void **state)
{
    (void)state;
    struct hf_script script = parsed("move bank alice 60.00 USD -> OK\n");
    const struct hf_script_statement *first = &script.statements[0];
    assert_int_equal(first->operation.header.type, HF_OP_ASSET_PUT);
    assert_int_equal(first->operation.asset_put.asset, 840);
    assert_int_equal(first->operation.asset_put.scale, 2);
    assert_string_equal(first->operation.asset_put.code, "USD");
    const struct hf_op_account_put *bank = &script.statements[1].operation.account_put;
    assert_int_equal(bank->header.type, HF_OP_ACCOUNT_PUT);
    assert_true(bank->floor == HF_FLOOR_NONE);
    const struct hf_op_instrument_put *card = &script.statements[3].operation.instrument_put;
    assert_int_equal(card->header.type, HF_OP_INSTRUMENT_PUT);
    assert_int_equal(card->status, HF_INSTRUMENT_ACTIVE);
    assert_int_equal(card->remaining, 3);
    assert_int_equal(card->amount_limit, 10000);
    assert_true(hf_id_equal(card->account, script.statements[2].operation.account_put.account));
    const struct hf_op_move *move = &last(&script)->operation.move;
    assert_int_equal(move->amount, 6000);
    assert_int_equal(move->asset, 840);
    assert_true(hf_id_equal(move->payer, bank->account));
    assert_true(hf_id_equal(move->payee, card->account));
    assert_int_equal(last(&script)->line, PREAMBLE_LINES + 1);
    assert_string_equal(last(&script)->text, "move bank alice 60.00 USD -> OK");
    assert_int_equal(script.account_count, 2);
    hf_script_free(&script);
}

static void test_expectations(void **state)
{
    (void)state;
    struct hf_script script =
        parsed("move bank alice 1 -> INSUFFICIENT/PAYER approved 0 available -1.00 # and so on\n");
    const struct hf_script_expectation *expected = &last(&script)->expected;
    assert_int_equal(expected->code.number, HF_CODE_INSUFFICIENT);
    assert_int_equal(expected->rule, HF_RULE_PAYER);
    assert_int_equal(expected->value_count, 2);
    assert_int_equal(expected->values[0].field, HF_SCRIPT_APPROVED);
    assert_int_equal(expected->values[1].field, HF_SCRIPT_AVAILABLE);
    assert_true((int64_t)expected->values[1].bits == -100);
    assert_int_equal(last(&script)->operation.header.flags, HF_OP_RETURN_BALANCES);
    hf_script_free(&script);

    script = parsed("move bank alice 1\n");
    assert_int_equal(last(&script)->expected.code.number, HF_CODE_OK);
    assert_int_equal(last(&script)->expected.rule, -1);
    assert_int_equal(last(&script)->operation.header.flags, 0);
    hf_script_free(&script);

    script = parsed("expect card c1 remaining unlimited limit none status frozen\n");
    expected = &last(&script)->expected;
    assert_int_equal(last(&script)->verb, HF_SCRIPT_EXPECT);
    assert_int_equal(last(&script)->operation.query.subject, HF_QUERY_INSTRUMENT);
    assert_true(expected->values[0].bits == HF_INSTRUMENT_UNLIMITED);
    assert_int_equal(expected->values[2].bits, HF_INSTRUMENT_FROZEN);
    hf_script_free(&script);

    script = parsed("unknown ghost\nexpect card ghost unknown\n");
    assert_int_equal(last(&script)->expected.code.number, HF_CODE_UNKNOWN_INSTRUMENT);
    hf_script_free(&script);
}

static void test_holds_repeats_and_changes_refer_back(void **state)
{
    (void)state;
    struct hf_script script = parsed("hold h1 alice bank 10.00 dry-run\n"
                                     "capture h1 all final as c\n"
                                     "repeat\n"
                                     "again h1 with amount 5 with payee alice\n"
                                     "repeat h1\n"
                                     "again c with amount 2.50 -> 94\n"
                                     "expect hold h1 status resolved\n");
    const struct hf_script_statement *at = &script.statements[PREAMBLE_LINES];
    assert_int_equal(at[0].operation.header.type, HF_OP_HOLD);
    assert_int_equal(at[0].operation.header.flags, HF_OP_DRY_RUN);
    assert_int_equal(at[1].operation.header.type, HF_OP_CAPTURE);
    assert_true(at[1].operation.capture.amount == HF_AMOUNT_ALL);
    assert_int_equal(at[1].operation.capture.final, 1);
    assert_int_equal(at[1].reference, PREAMBLE_LINES);
    assert_int_equal(at[2].verb, HF_SCRIPT_REPEAT);
    assert_int_equal(at[2].reference, PREAMBLE_LINES + 1);
    assert_int_equal(at[3].verb, HF_SCRIPT_AGAIN);
    assert_int_equal(at[3].reference, PREAMBLE_LINES);
    assert_int_equal(at[3].change_count, 2);
    assert_int_equal(at[3].changes[0].bits, 500);
    assert_int_equal(at[3].expected.code.number, HF_CODE_DUPLICATE_DIFFERENT);
    assert_int_equal(at[4].reference, PREAMBLE_LINES);
    assert_string_equal(at[5].expected.code.iso, "94");
    assert_int_equal(at[6].reference, PREAMBLE_LINES);
    hf_script_free(&script);
}

static void test_comments_blanks_and_last_lines(void **state)
{
    (void)state;
    struct hf_script script = parsed("\n   \t\r\n# only a comment\n\trestart\t# now\r\nstop-start");
    assert_int_equal(script.statement_count, PREAMBLE_LINES + 2);
    assert_int_equal(script.statements[PREAMBLE_LINES].verb, HF_SCRIPT_RESTART);
    assert_string_equal(script.statements[PREAMBLE_LINES].text, "restart");
    assert_int_equal(last(&script)->verb, HF_SCRIPT_STOP_START);
    assert_int_equal(last(&script)->line, PREAMBLE_LINES + 5);
    hf_script_free(&script);
    struct hf_fault fault;
    assert_int_equal(hf_script_parse("empty.hf", "", 1, &script, &fault), HF_STATUS_OK);
    assert_int_equal(script.statement_count, 0);
    hf_script_free(&script);
}

static void test_times_and_flags(void **state)
{
    (void)state;
    struct hf_script script = parsed("move bank alice 1 deadline -1s id-time +2h balances as m1\n"
                                     "card c2 alice status inactive first-use expires +1h\n"
                                     "admin checkpoint now\n");
    const struct hf_script_statement *at = &script.statements[PREAMBLE_LINES];
    assert_true(at[0].deadline.given);
    assert_true(at[0].deadline.ms == -1000);
    assert_int_equal(at[0].id_time.ms, 7200000);
    assert_int_equal(at[0].operation.header.flags, HF_OP_RETURN_BALANCES);
    assert_int_equal(at[1].operation.instrument_put.flags, HF_INSTRUMENT_FIRST_USE);
    assert_int_equal(at[1].expires.ms, 3600000);
    assert_int_equal(at[2].verb, HF_SCRIPT_ADMIN);
    assert_string_equal(at[2].command, " checkpoint now");
    hf_script_free(&script);
}

/* Each is refused, at its own line, and the fault has the word that helps. */
static void test_wrong_lines_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *word;
    } cases[] = {
        {"mvoe bank alice 1", "'mvoe' begins no statement"},
        {"move bank", "payee is missing"},
        {"move bank alice", "amount is missing"},
        {"move bank alice -> OK", "amount is missing"},
        {"move bank alise 1", "no account 'alise'"},
        {"move bank alice 1.005", "at most 2 decimals"},
        {"move bank alice -1", "not an amount"},
        {"move bank alice 1 ZZZ", "'ZZZ' does not belong here"},
        {"move bank alice 1 ->", "the expected code is missing"},
        {"move bank alice 1 -> FINE", "'FINE' is neither"},
        {"move bank alice 1 -> 777", "'777' is neither"},
        {"move bank alice 1 -> OK held 5", "'held' cannot"},
        {"move bank alice 1 -> OK approved", "approved is missing"},
        {"move bank alice 1 deadline soon", "'soon' is not a time"},
        {"move bank alice 1 as 1st", "'1st' cannot be a name"},
        {"hold h1 alice bank 1\nhold h1 alice bank 1", "'h1' is the operation of line 5"},
        {"capture h1 1", "no operation 'h1'"},
        {"release h1 1", "no operation 'h1'"},
        {"asset 70000 BIG 2", "'70000' is not an asset's number"},
        {"asset 5 LONGERTHAN8 2", "longer than 8"},
        {"account carol", "the asset of 'carol' is missing"},
        {"account carol asset EUR", "no asset 'EUR'"},
        {"account carol asset USD floor low", "'low' is not a balance"},
        {"account carol asset USD status asleep", "'asleep' is not a status"},
        {"card c2 nobody", "no account 'nobody'"},
        {"card c1 alice count few", "'few' is not a number"},
        {"card c1 alice status open", "'open' is not a status"},
        {"auth a1 c9 alice 1", "no card 'c9'"},
        {"repeat nothing", "no operation 'nothing'"},
        {"repeat -> OK", "a repeat gets the first answer"},
        {"again", "with what?"},
        {"again with colour red", "'colour' cannot"},
        {"again with amount 5", "'amount' cannot"}, /* the card above has none */
        {"expect alice", "nothing is expected"},
        {"expect alice captured 5", "'captured' cannot"},
        {"expect bob posted 5", "no account 'bob'"},
        {"expect card c1 remaining few", "'few' is not a number"},
        {"balanced EUR", "no asset 'EUR'"},
        {"balanced", "asset is missing"},
        {"restart now", "'now' does not belong here"},
        {"admin", "a command is missing"},
        {"unknown alice", "'alice' is a known account"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[1024];
        struct hf_script script;
        struct hf_fault fault = {""};
        snprintf(text, sizeof text, "%s%s\n", PREAMBLE, cases[i].line);
        assert_int_equal(hf_script_parse("x.hf", text, 7, &script, &fault), HF_STATUS_INVALID);
        uint32_t line = PREAMBLE_LINES + 1 + (strchr(cases[i].line, '\n') != NULL);
        char place[32];
        snprintf(place, sizeof place, "x.hf:%u: ", line);
        if (strncmp(fault.line, place, strlen(place)) != 0 ||
            strstr(fault.line, cases[i].word) == NULL)
            fail_msg("'%s' gave '%s'", cases[i].line, fault.line);
        hf_script_free(&script);
    }
    struct hf_script script;
    struct hf_fault fault;
    assert_int_equal(hf_script_parse("x.hf", "repeat", 7, &script, &fault), HF_STATUS_INVALID);
    assert_string_equal(fault.line, "x.hf:1: there is no operation to send again");
    hf_script_free(&script);
}

/* Whatever is in a script, parsing ends in one of two ways and reads nothing beyond it. */
static void test_random_words_do_no_harm(void **state)
{
    (void)state;
    static const char *const words[] = {
        "asset",     "account", "move",   "hold",     "capture", "release", "card",    "auth",
        "repeat",    "again",   "expect", "balanced", "restart", "admin",   "unknown", "840",
        "USD",       "2",       "bank",   "alice",    "c1",      "h1",      "1.00",    "all",
        "->",        "OK",      "51",     "as",       "with",    "amount",  "posted",  "none",
        "#",         "\n",      "\n",     "\n",       "status",  "frozen",  "floor",   "limit",
        "count",     "-5",      "+5s",    "deadline", "dry-run", "id-time", "final",   "max",
        "operation", "payer",
    };
    enum { WORDS = sizeof words / sizeof words[0] };
    const unsigned seed = 11;
    print_message("seed %u\n", seed);
    uint64_t random = seed;
    uint32_t good = 0;
    for (uint32_t round = 0; round < 20000; round++) {
        char text[1024];
        struct hf_script script;
        struct hf_fault fault;
        size_t length = (size_t)snprintf(text, sizeof text, "%s", PREAMBLE);
        for (uint32_t i = 0; i < 12; i++) {
            random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            length += (size_t)snprintf(text + length, sizeof text - length, "%s ",
                                       words[(random >> 33) % WORDS]);
        }
        good += hf_script_parse("r.hf", text, round, &script, &fault) == HF_STATUS_OK;
        hf_script_free(&script);
    }
    assert_true(good < 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_amounts),
        cmocka_unit_test(test_spans),
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_operations_come_out_whole),
        cmocka_unit_test(test_expectations),
        cmocka_unit_test(test_holds_repeats_and_changes_refer_back),
        cmocka_unit_test(test_comments_blanks_and_last_lines),
        cmocka_unit_test(test_times_and_flags),
        cmocka_unit_test(test_wrong_lines_are_refused_by_name),
        cmocka_unit_test(test_random_words_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
