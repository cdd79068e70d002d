/* Card payments in scripts: what the lines become, whose id, asset and acquirer they name, and what
 * is refused where. */
#include "script_fixture.h"
#include "tools/holdfast/script_word.h"

static void test_cards_of_several_accounts(void **state)
{
    (void)state;
    struct hf_script script = parsed("account bob asset USD\n"
                                     "account carol asset USD\n"
                                     "card c1 accounts alice, bob, carol count 2\n"
                                     "card c2 accounts bob limit 5.00\n"
                                     "expect card c1 accounts 3 account alice\n");
    const struct hf_script_statement *at = &script.statements[PREAMBLE_LINES + 2];
    const struct hf_op_instrument_put *put = &at[0].operation->instrument_put;
    assert_int_equal(put->header.length, sizeof *put + 2 * sizeof(struct hf_id));
    assert_int_equal(put->further_count, 2);
    assert_int_equal(put->remaining, 2);
    assert_true(put->amount_limit == HF_INSTRUMENT_UNLIMITED);
    assert_true(hf_id_equal(put->account, hf_script_id('a', "alice", 7)));
    assert_true(hf_id_equal(put->further[0], hf_script_id('a', "bob", 7)));
    assert_true(hf_id_equal(put->further[1], hf_script_id('a', "carol", 7)));
    put = &at[1].operation->instrument_put;
    assert_int_equal(put->header.length, sizeof *put);
    assert_int_equal(put->further_count, 0);
    assert_int_equal(put->amount_limit, 500);
    assert_int_equal(at[2].expected.values[0].bits, 3);
    hf_script_free(&script);
}

/* As many as can be: longer than any operation without a list. */
static void test_the_longest_card(void **state)
{
    (void)state;
    struct hf_script script =
        parsed("account b asset USD\naccount c asset USD\naccount d asset USD\n"
               "account e asset USD\naccount f asset USD\naccount g asset USD\n"
               "account h asset USD\n"
               "card c1 accounts alice, b, c, d, e, f, g, h expires +1h first-use\n");
    const struct hf_script_statement *at = last(&script);
    union hf_operation *op = at->operation;
    assert_int_equal(op->header.length, 208);
    assert_int_equal(op->instrument_put.flags, HF_INSTRUMENT_FIRST_USE);
    assert_int_equal(at->patches[0].offset, offsetof(struct hf_op_instrument_put, expires_ns));
    op->header.id = (struct hf_id){1, 1};
    assert_int_equal(hf_operation_check(op, op->header.length).code, HF_CODE_OK);
    hf_script_free(&script);
}

static void test_what_becomes_of_an_authorisation(void **state)
{
    (void)state;
    struct hf_script script =
        parsed("asset 978 EUR 2\n"
               "auth a c1 bank 20.00 forced estimated acquirer 12345678901 class 3\n"
               "increment a 1.50 class 4\n"
               "reverse a all\n"
               "reverse a 2.00 EUR captured acquirer 5\n"
               "clear a 3.00 final\n"
               "clear a 4.00 forced card c1 payee bank mcc 5411 country 840 channel 2 merchant M\n"
               "again with amount 4.01\n");
    const struct hf_script_statement *at = &script.statements[PREAMBLE_LINES + 1];
    assert_int_equal(at[0].operation->auth.auth_flags, HF_AUTH_FORCED | HF_AUTH_ESTIMATED);
    assert_true(at[0].operation->auth.acquirer == UINT64_C(12345678901));

    const struct hf_op_increment *increment = &at[1].operation->increment;
    assert_int_equal(increment->header.length, sizeof *increment);
    assert_int_equal(increment->amount, 150);
    assert_int_equal(increment->asset, 840);
    assert_int_equal(increment->class_number, 4);
    assert_true(increment->acquirer == UINT64_C(12345678901));
    assert_int_equal(at[1].patches[0].offset, offsetof(struct hf_op_increment, original));
    assert_int_equal(at[1].patches[0].statement, PREAMBLE_LINES + 1);

    const struct hf_op_reverse *reverse = &at[2].operation->reverse;
    assert_int_equal(reverse->header.length, sizeof *reverse);
    assert_true(reverse->amount == HF_AMOUNT_ALL);
    assert_int_equal(reverse->captured, 0);
    reverse = &at[3].operation->reverse;
    assert_int_equal(reverse->amount, 200);
    assert_int_equal(reverse->asset, 978);
    assert_int_equal(reverse->captured, 1);
    assert_int_equal(reverse->acquirer, 5);

    const struct hf_op_clear *clear = &at[4].operation->clear;
    assert_int_equal(clear->header.length, sizeof *clear);
    assert_int_equal(clear->clear_flags, HF_CLEAR_FINAL);
    assert_int_equal(clear->token.lo | clear->payee.lo, 0);
    assert_true(clear->acquirer == UINT64_C(12345678901));
    clear = &at[5].operation->clear;
    assert_int_equal(clear->clear_flags, HF_CLEAR_FORCED);
    assert_true(hf_id_equal(clear->token, hf_script_id('c', "c1", 7)));
    assert_true(hf_id_equal(clear->payee, hf_script_id('a', "bank", 7)));
    assert_int_equal(clear->mcc, 5411);
    assert_int_equal(clear->country, 840);
    assert_int_equal(clear->channel, 2);
    assert_int_equal(clear->merchant[0], 'M');
    assert_int_equal(at[6].changes[0].bits, 401);
    hf_script_free(&script);
}

/* What comes before its original names the id that the original will have. */
static void test_what_comes_too_early(void **state)
{
    (void)state;
    struct hf_script script = parsed("later a\n"
                                     "reverse a all\n"
                                     "expect authorisation a status reversed\n"
                                     "auth a c1 bank 20.00 acquirer 9 -> REVERSED\n"
                                     "reverse a all\n"
                                     "repeat a\n");
    const struct hf_script_statement *at = &script.statements[PREAMBLE_LINES];
    const uint32_t later = PREAMBLE_LINES;
    assert_int_equal(at[0].verb, HF_SCRIPT_LATER);
    assert_int_equal(at[1].patches[0].statement, later);
    assert_int_equal(at[1].operation->reverse.asset, 840);
    assert_true(at[1].operation->reverse.acquirer == 0);
    assert_int_equal(at[2].reference, later);
    assert_int_equal(at[2].expected.values[0].bits, HF_HOLD_REVERSED);
    assert_int_equal(at[3].id_of, later);
    assert_int_equal(at[4].patches[0].statement, later + 3);
    assert_int_equal(at[4].id_of, HF_SCRIPT_NONE);
    assert_int_equal(at[4].operation->reverse.acquirer, 9);
    assert_int_equal(at[5].reference, later + 3);
    hf_script_free(&script);
}

static void test_clearings_without_an_original(void **state)
{
    (void)state;
    struct hf_script script = parsed("asset 7 PTS 0\n"
                                     "clear none 12.00 forced card c1 payee bank as offline\n"
                                     "clear none 12 PTS forced\n"
                                     "reverse offline all captured\n"
                                     "unknown ghost\n"
                                     "clear ghost 1.00 -> UNKNOWN_HOLD/ORIGINAL\n");
    const struct hf_script_statement *at = &script.statements[PREAMBLE_LINES + 1];
    assert_int_equal(at[0].operation->clear.original.lo, 0);
    assert_int_equal(at[0].operation->clear.amount, 1200);
    assert_int_equal(at[0].patch_count, 0);
    assert_int_equal(at[1].operation->clear.amount, 12);
    assert_int_equal(at[1].operation->clear.asset, 7);
    assert_int_equal(at[2].operation->reverse.asset, 840);
    assert_int_equal(at[2].patches[0].statement, PREAMBLE_LINES + 1);
    assert_true(hf_id_equal(at[3].operation->clear.original, hf_script_id('o', "ghost", 7)));
    assert_int_equal(at[3].operation->clear.asset, 840);
    hf_script_free(&script);
}

static void test_records_are_looked_at(void **state)
{
    (void)state;
    struct hf_script script = parsed(
        "auth a c1 bank 20.00\n"
        "auth b c1 bank 30.00\n"
        "expect authorisation a status refused code INSUFFICIENT rule PAYER exception none forced "
        "no "
        "undone yes counted no drew yes reversed 5.00 payer none payee bank acquirer 9\n"
        "expect authorisation b exception AMOUNT_LIMIT estimated yes mcc 5411 class 3 entry 2\n"
        "unknown ghost\n"
        "expect authorisation ghost unknown\n"
        "expect authorisations c1 b, a\n"
        "expect authorisations c1 none\n"
        "expect authorisations ghost unknown\n");
    const struct hf_script_statement *at = &script.statements[PREAMBLE_LINES + 2];
    assert_int_equal(at[0].operation->query.subject, HF_QUERY_AUTHORISATION);
    const struct hf_script_value *values = at[0].expected.values;
    assert_int_equal(values[0].bits, HF_HOLD_REFUSED);
    assert_int_equal(values[1].bits, HF_CODE_INSUFFICIENT);
    assert_int_equal(values[2].bits, HF_RULE_PAYER);
    assert_int_equal(values[3].bits, 0);
    assert_int_equal(values[4].bits, 0);
    assert_int_equal(values[5].bits, 1);
    assert_int_equal(values[8].bits, 500);
    assert_int_equal(values[9].id.lo, 0);
    assert_true(hf_id_equal(values[10].id, hf_script_id('a', "bank", 7)));
    assert_int_equal(at[1].expected.values[0].bits, HF_CODE_AMOUNT_LIMIT);
    assert_int_equal(at[2].expected.code.number, HF_CODE_UNKNOWN_HOLD);
    assert_int_equal(at[3].operation->query.subject, HF_QUERY_INSTRUMENT_AUTHORISATIONS);
    assert_int_equal(at[3].member_count, 2);
    assert_int_equal(at[3].members[0], PREAMBLE_LINES + 1);
    assert_int_equal(at[3].members[1], PREAMBLE_LINES);
    assert_int_equal(at[4].member_count, 0);
    assert_int_equal(at[5].expected.code.number, HF_CODE_UNKNOWN_INSTRUMENT);
    hf_script_free(&script);
}

static void test_wrong_lines(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *word;
    } cases[] = {
        {"card c1 accounts alice, nobody", "no account 'nobody'"},
        {"card c1 accounts alice,", "account is missing"},
        {"card c1 accounts alice, alice, alice, alice, alice, alice, alice, alice, alice",
         "more than 8 accounts"},
        {"later", "the operation's name is missing"},
        {"later a\nlater a", "'a' has been introduced above"},
        {"auth a c1 bank 1\nlater a", "'a' has been introduced above"},
        {"later a\nrepeat a", "what line 5 introduces has not been sent yet"},
        {"chain\nlater a\nend", "'later' cannot be in a chain"},
        {"increment a 1", "no operation 'a'"},
        {"auth a c1 bank 1\nincrement a all", "'all' is not an amount"},
        {"auth a c1 bank 1\nincrement a 1 class", "class is missing"},
        {"auth a c1 bank 1\nincrement a 1 captured", "'captured' does not belong here"},
        {"reverse none all", "no operation 'none'"},
        {"auth a c1 bank 1\nreverse a", "amount is missing"},
        {"auth a c1 bank 1\nreverse a all final", "'final' does not belong here"},
        {"auth a c1 bank 1\nclear a all", "'all' is not an amount"},
        {"clear none 1 card c9", "no card 'c9'"},
        {"clear none 1 acquirer x", "acquirer 'x' is not N"},
        {"auth a c1 bank 1\nexpect authorisation a undone maybe", "undone is `yes` or `no`"},
        {"auth a c1 bank 1\nexpect authorisation a rule NOBODY", "'NOBODY' is not a rule's name"},
        {"auth a c1 bank 1\nexpect authorisation a posted 1", "'posted' cannot"},
        {"auth a c1 bank 1\nexpect hold a status refused", "'refused' is not a status here"},
        {"unknown u\nexpect authorisations c1 u", "'u' has been called unknown"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[1024];
        struct hf_script script;
        struct hf_fault fault;
        snprintf(text, sizeof text, "%s%s\n", PREAMBLE, cases[i].line);
        if (hf_script_parse("x.hf", text, 7, &script, &fault) != HF_STATUS_INVALID ||
            strstr(fault.line, cases[i].word) == NULL)
            fail_msg("'%s': '%s', not '%s'", cases[i].line, fault.line, cases[i].word);
        hf_script_free(&script);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cards_of_several_accounts),
        cmocka_unit_test(test_the_longest_card),
        cmocka_unit_test(test_what_becomes_of_an_authorisation),
        cmocka_unit_test(test_what_comes_too_early),
        cmocka_unit_test(test_clearings_without_an_original),
        cmocka_unit_test(test_records_are_looked_at),
        cmocka_unit_test(test_wrong_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
