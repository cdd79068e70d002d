/* The parser of scenario scripts: a truth table of lines, what they become, and what is refused
 * where. */
#include "script_fixture.h"
#include "tools/holdfast/script_word.h"

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
    assert_int_equal(first->operation->header.type, HF_OP_ASSET_PUT);
    assert_int_equal(first->operation->asset_put.asset, 840);
    assert_int_equal(first->operation->asset_put.scale, 2);
    assert_string_equal(first->operation->asset_put.code, "USD");
    const struct hf_op_account_put *bank = &script.statements[1].operation->account_put;
    assert_int_equal(bank->header.type, HF_OP_ACCOUNT_PUT);
    assert_true(bank->floor == HF_FLOOR_NONE);
    const struct hf_op_instrument_put *card = &script.statements[3].operation->instrument_put;
    assert_int_equal(card->header.type, HF_OP_INSTRUMENT_PUT);
    assert_int_equal(card->status, HF_INSTRUMENT_ACTIVE);
    assert_int_equal(card->remaining, 3);
    assert_int_equal(card->amount_limit, 10000);
    assert_true(hf_id_equal(card->account, script.statements[2].operation->account_put.account));
    const struct hf_op_move *move = &last(&script)->operation->move;
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
    assert_int_equal(last(&script)->operation->header.flags, HF_OP_RETURN_BALANCES);
    hf_script_free(&script);

    script = parsed("move bank alice 1\n");
    assert_int_equal(last(&script)->expected.code.number, HF_CODE_OK);
    assert_int_equal(last(&script)->expected.rule, -1);
    assert_int_equal(last(&script)->operation->header.flags, 0);
    hf_script_free(&script);

    script = parsed("expect card c1 remaining unlimited limit none status frozen\n");
    expected = &last(&script)->expected;
    assert_int_equal(last(&script)->verb, HF_SCRIPT_EXPECT);
    assert_int_equal(last(&script)->operation->query.subject, HF_QUERY_INSTRUMENT);
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
    assert_int_equal(at[0].operation->header.type, HF_OP_HOLD);
    assert_int_equal(at[0].operation->header.flags, HF_OP_DRY_RUN);
    assert_int_equal(at[1].operation->header.type, HF_OP_CAPTURE);
    assert_true(at[1].operation->capture.amount == HF_AMOUNT_ALL);
    assert_int_equal(at[1].operation->capture.final, 1);
    assert_int_equal(at[1].patches[0].kind, HF_SCRIPT_PATCH_ID);
    assert_int_equal(at[1].patches[0].statement, PREAMBLE_LINES);
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

/* ---- plans, terms, chains ---- */

/* Where a plan's entries stand, and what each is. */
static void check_entry(const struct hf_op_entry *entry, char kind, const char *name, uint8_t rule,
                        uint64_t amount)
{
    assert_true(hf_id_equal(entry->account, hf_script_id(kind, name, 7)));
    assert_int_equal(entry->rule, rule);
    assert_true(entry->amount == amount);
}

static void test_plans_come_out_whole(void **state)
{
    (void)state;
    struct hf_script script = parsed(
        "account bob asset USD\n"
        "plan 100.00 from alice 60.00, bob rest to bank mcc 8062 minimum 40.00\n"
        "plan 9.99 from alice 80/100, bob 20% to bank 5%, bob\n"
        "plan all from alice all, bob 1.00 to bank country 840 channel 3 merchant SHOP-1\n"
        "plan 63.00 from alice any, bob up to 5.00 to bank choose 4 -> OK_PARTIAL entry 2\n");
    const struct hf_script_statement *at = &script.statements[PREAMBLE_LINES + 1];
    const struct hf_op_move_plan *plan = &at[0].operation->move_plan;
    assert_int_equal(plan->header.type, HF_OP_MOVE_PLAN);
    assert_int_equal(plan->header.length, sizeof *plan + 3 * sizeof plan->entries[0]);
    assert_int_equal(plan->plan.amount, 10000);
    assert_int_equal(plan->plan.minimum, 4000);
    assert_int_equal(plan->plan.asset, 840);
    assert_int_equal(plan->plan.mcc, 8062);
    assert_int_equal(plan->plan.source_count, 2);
    assert_int_equal(plan->plan.destination_count, 1);
    assert_int_equal(plan->plan.source_denominator, 0);
    check_entry(&plan->entries[0], 'a', "alice", HF_ENTRY_FIXED, 6000);
    check_entry(&plan->entries[1], 'a', "bob", HF_ENTRY_REMAINING, 0);
    check_entry(&plan->entries[2], 'a', "bank", HF_ENTRY_REMAINING, 0);

    plan = &at[1].operation->move_plan;
    assert_int_equal(plan->plan.source_denominator, 100);
    assert_int_equal(plan->plan.destination_denominator, 100);
    assert_int_equal(plan->plan.destination_count, 2);
    check_entry(&plan->entries[0], 'a', "alice", HF_ENTRY_RATIO, 80);
    check_entry(&plan->entries[1], 'a', "bob", HF_ENTRY_RATIO, 20);
    check_entry(&plan->entries[2], 'a', "bank", HF_ENTRY_RATIO, 5);
    check_entry(&plan->entries[3], 'a', "bob", HF_ENTRY_REMAINING, 0);

    plan = &at[2].operation->move_plan;
    assert_true(plan->plan.amount == HF_AMOUNT_ALL);
    assert_int_equal(plan->plan.country, 840);
    assert_int_equal(plan->plan.channel, 3);
    assert_memory_equal(plan->plan.merchant, "SHOP-1\0\0\0\0\0\0\0\0\0\0", 16);
    check_entry(&plan->entries[0], 'a', "alice", HF_ENTRY_EVERYTHING, 0);
    check_entry(&plan->entries[1], 'a', "bob", HF_ENTRY_FIXED, 100);

    plan = &at[3].operation->move_plan;
    assert_int_equal(plan->plan.method, HF_PLAN_SMALLEST_RESIDUAL);
    assert_int_equal(plan->plan.choose_max, 4);
    check_entry(&plan->entries[0], 'a', "alice", HF_ENTRY_UP_TO, HF_AMOUNT_ALL);
    check_entry(&plan->entries[1], 'a', "bob", HF_ENTRY_UP_TO, 500);
    assert_int_equal(at[3].expected.code.number, HF_CODE_OK_PARTIAL);
    assert_int_equal(at[3].expected.values[0].field, HF_SCRIPT_ENTRY);
    assert_int_equal(at[3].expected.values[0].bits, 2);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(at[i].verb, HF_SCRIPT_OPERATION);
    hf_script_free(&script);
}

/* Every plan, hold and chain that the words make passes the shape check once its ids are there. */
static void test_long_operations_have_good_shapes(void **state)
{
    (void)state;
    struct hf_script script = parsed(
        "key k\n"
        "account bob asset USD total\n"
        "account carol asset USD parent bob ceiling 5.00 mcc 8062,8011 expires +1h sink alice\n"
        "close carol sink alice\n"
        "class 3 lifetime 5m\n"
        "plan 60.00 from alice up to 50.00, carol any to bank minimum 20.00\n"
        "hold h plan 60.00 from alice 1/3, carol 2/3 payee open expires +1h ratio single "
        "tolerance 1.5% class 2 needs 2 of signed-by k, region 840 by k, preimage-sha256 "
        "open, preimage-blake2b open, origin 7, not-before +1m, not-after +2m\n"
        "adjust h raise 5.00 expires never\n"
        "attest h 1 signature k\n"
        "attest h 3 preimage open\n"
        "attest h 2 signature k region 840\n"
        "attest h 5 origin\n"
        "capture h all final payee bank\n");
    for (uint32_t i = 0; i < script.statement_count; i++) {
        struct hf_script_statement *statement = &script.statements[i];
        union hf_operation *op = statement->operation;
        op->header.id = (struct hf_id){i + 1, 1};
        for (uint32_t j = 0; j < statement->patch_count; j++) {
            const uint64_t value[2] = {1, 1};
            if (statement->patches[j].kind != HF_SCRIPT_PATCH_SIGNATURE)
                memcpy((uint8_t *)op + statement->patches[j].offset, value,
                       statement->patches[j].kind == HF_SCRIPT_PATCH_ID ? 16 : 8);
        }
        struct hf_verdict verdict = hf_operation_check(op, op->header.length);
        if (verdict.code != HF_CODE_OK)
            fail_msg("line %u: %s/%s", statement->line, hf_code_name(verdict.code),
                     hf_rule_name(verdict.rule));
    }
    hf_script_free(&script);
}

static void test_terms_of_holds(void **state)
{
    (void)state;
    struct hf_script script = parsed(
        "key k\n"
        "account bob asset USD\n"
        "hold h plan 60.00 from alice 10.00, bob to bank soft tolerance 15% class 4 expires never "
        "needs all of preimage-blake2b "
        "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8, "
        "signed-by k, region 840 by k, not-after +15m mcc 4111\n");
    const struct hf_script_statement *at = last(&script);
    const struct hf_op_hold_plan *hold = &at->operation->hold_plan;
    assert_int_equal(hold->header.type, HF_OP_HOLD_PLAN);
    assert_int_equal(hold->header.length, sizeof *hold + 3 * 32 + 4 * 48);
    assert_int_equal(hold->plan.mcc, 4111);
    assert_int_equal(hold->plan.source_count, 2);
    assert_int_equal(hold->plan.destination_count, 1);
    assert_int_equal(hold->terms.tolerance, 150);
    assert_int_equal(hold->terms.class_number, 4);
    assert_int_equal(hold->terms.policy, HF_HOLD_SOFT);
    assert_true(hold->terms.expires_ns == HF_EXPIRES_NEVER);
    assert_int_equal(hold->terms.condition_count, 4);
    assert_int_equal(hold->terms.required, 4);
    const struct hf_op_condition *conditions = hf_hold_plan_conditions(hold);
    assert_int_equal(conditions[0].kind, HF_CONDITION_BLAKE2B);
    assert_int_equal(conditions[0].bytes[0], 0x0e);
    assert_int_equal(conditions[0].bytes[31], 0xa8);
    assert_int_equal(conditions[1].kind, HF_CONDITION_SIGNATURE);
    assert_int_equal(conditions[2].kind, HF_CONDITION_REGION);
    assert_int_equal(conditions[2].code, 840);
    assert_memory_equal(conditions[1].bytes, conditions[2].bytes, 32);
    assert_int_equal(conditions[3].kind, HF_CONDITION_NOT_AFTER);
    assert_int_equal(at->patch_count, 1);
    assert_int_equal(at->patches[0].ms, 900000);
    assert_int_equal(at->patches[0].offset,
                     (const uint8_t *)&conditions[3].time_ns - (const uint8_t *)hold);
    hf_script_free(&script);

    /* A preimage is hashed: SHA-256 of "abc" as FIPS 180-4 has it, BLAKE2b-256 as b2sum -l 256. */
    script = parsed("hold h plan 1 from alice to bank needs 1 of preimage-sha256 abc, "
                    "preimage-blake2b abc\n");
    conditions = hf_hold_plan_conditions(&last(&script)->operation->hold_plan);
    uint8_t hash[32];
    assert_true(hf_script_read_hash(
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", hash));
    assert_memory_equal(conditions[0].bytes, hash, 32);
    assert_true(hf_script_read_hash(
        "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319", hash));
    assert_memory_equal(conditions[1].bytes, hash, 32);
    hf_script_free(&script);
}

static void test_terms_of_accounts(void **state)
{
    (void)state;
    struct hf_script script = parsed("account all-of-it asset USD total floor none\n"
                                     "account part asset USD parent all-of-it ceiling 50.00 "
                                     "mcc 8011,8062 channel 0,31 country 840 merchant M1\n"
                                     "account part floor -5.00\n"
                                     "account part ceiling none\n"
                                     "freeze part\n"
                                     "unfreeze all-of-it\n"
                                     "close part\n");
    const struct hf_script_statement *at = &script.statements[PREAMBLE_LINES];
    const struct hf_op_account_put *put = &at[0].operation->account_put;
    assert_int_equal(put->header.length, sizeof *put);
    assert_int_equal(put->flags, HF_ACCOUNT_TOTAL);
    struct hf_id total = put->account;
    put = &at[1].operation->account_put;
    assert_int_equal(put->ceiling, 5000);
    assert_true(hf_id_equal(put->parent, total));
    assert_int_equal(put->flags, 0);
    assert_int_equal(put->filter.mccs[1], 8062);
    assert_int_equal(put->filter.countries[0], 840);
    assert_true(put->filter.channels == UINT32_C(0x80000001));
    assert_memory_equal(put->filter.merchant, "M1\0", 3);
    assert_int_equal(put->filter.parts, 15);
    /* The short form says nothing of terms; the long one keeps what never changes. */
    put = &at[2].operation->account_put;
    assert_int_equal(put->header.length, HF_ACCOUNT_PUT_SHORT);
    assert_true(put->floor == -500);
    put = &at[3].operation->account_put;
    assert_int_equal(put->header.length, sizeof *put);
    assert_true(put->ceiling == HF_CEILING_NONE);
    assert_true(hf_id_equal(put->parent, total));
    put = &at[4].operation->account_put;
    assert_int_equal(put->header.length, HF_ACCOUNT_PUT_SHORT);
    assert_int_equal(put->status, HF_ACCOUNT_FROZEN);
    assert_int_equal(put->floor, 0);
    put = &at[5].operation->account_put;
    assert_int_equal(put->status, HF_ACCOUNT_OPEN);
    assert_true(put->floor == HF_FLOOR_NONE);
    assert_int_equal(at[6].operation->header.type, HF_OP_ACCOUNT_CLOSE);
    assert_int_equal(script.account_count, 4);
    assert_true(script.accounts[2].is_total);
    assert_false(script.accounts[3].is_total);
    assert_string_equal(script.accounts[3].name, "part");
    hf_script_free(&script);
}

static void test_chains_gather_their_lines(void **state)
{
    (void)state;
    struct hf_script script = parsed("chain\n"
                                     "    move bank alice 1.00\n"
                                     "    hold h alice bank 1.00\n"
                                     "    capture h all\n"
                                     "end as c -> INSUFFICIENT/PAYER failed 2\n"
                                     "capture h all\n"
                                     "repeat c\n");
    const struct hf_script_statement *at = &script.statements[PREAMBLE_LINES];
    assert_int_equal(script.statement_count, PREAMBLE_LINES + 6);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(at[i].verb, HF_SCRIPT_INNER);
    assert_int_equal(at[2].patches[0].statement, PREAMBLE_LINES + 1);
    assert_int_equal(at[3].verb, HF_SCRIPT_OPERATION);
    assert_int_equal(at[3].operation->header.type, HF_OP_CHAIN);
    assert_int_equal(at[3].operation->header.length,
                     sizeof(struct hf_op_chain) + sizeof(struct hf_op_move) +
                         sizeof(struct hf_op_hold) + HF_CAPTURE_SHORT);
    assert_int_equal(at[3].operation->chain.count, 3);
    assert_int_equal(at[3].chain_count, 3);
    assert_int_equal(at[3].expected.values[0].field, HF_SCRIPT_ENTRY);
    assert_int_equal(at[3].expected.values[0].bits, 2);
    assert_int_equal(at[4].patches[0].statement, PREAMBLE_LINES + 1);
    assert_int_equal(at[5].reference, PREAMBLE_LINES + 3);
    hf_script_free(&script);
}

static void test_holds_are_adjusted_and_proved(void **state)
{
    (void)state;
    struct hf_script script =
        parsed("key k\n"
               "hold h alice bank 5.00 expires +1h\n"
               "hold other alice bank 5.00\n"
               "adjust h set 7.00\n"
               "adjust h expires +2h\n"
               "adjust h lower 1.00 expires never\n"
               "attest h 1 signature k for other\n"
               "attest h 2 forged region 5\n"
               "attest h 3 preimage abc\n"
               "advance 2h\n"
               "expect hold h status lapsed payee open expires never met 2 "
               "tolerance 15% payer alice\n"
               "expect alice holds 2 ceiling none credits 5.00 parent none\n");
    const struct hf_script_statement *at = &script.statements[PREAMBLE_LINES];
    assert_int_equal(at[0].patches[0].offset, offsetof(struct hf_op_hold, expires_ns));
    assert_int_equal(at[2].operation->adjust.mode, HF_ADJUST_SET);
    assert_int_equal(at[2].operation->adjust.amount, 700);
    assert_int_equal(at[3].operation->adjust.mode, HF_ADJUST_KEEP);
    assert_int_equal(at[3].patches[1].offset, offsetof(struct hf_op_adjust, expires_ns));
    assert_true(at[4].operation->adjust.expires_ns == HF_EXPIRES_NEVER);
    assert_int_equal(at[5].patches[1].kind, HF_SCRIPT_PATCH_SIGNATURE);
    assert_int_equal(at[5].patches[1].statement, PREAMBLE_LINES + 1);
    assert_int_equal(at[6].operation->attest.proof_length, 64);
    assert_int_equal(at[6].operation->attest.code, 5);
    assert_int_equal(at[7].operation->attest.proof_length, 3);
    assert_memory_equal(at[7].operation->attest.proof, "abc\0", 4);
    assert_int_equal(at[8].verb, HF_SCRIPT_ADVANCE);
    assert_true(at[8].advance_ms == 7200000);
    assert_int_equal(at[9].expected.values[0].bits, HF_HOLD_LAPSED);
    assert_true(at[9].expected.values[1].id.lo == 0);
    assert_int_equal(at[9].expected.values[4].bits, 150);
    assert_int_equal(at[10].operation->query.subject, HF_QUERY_ACCOUNT_HOLDS);
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
    assert_int_equal(at[0].operation->header.flags, HF_OP_RETURN_BALANCES);
    assert_int_equal(at[1].operation->instrument_put.flags, HF_INSTRUMENT_FIRST_USE);
    assert_int_equal(at[1].patch_count, 1);
    assert_int_equal(at[1].patches[0].kind, HF_SCRIPT_PATCH_TIME);
    assert_int_equal(at[1].patches[0].offset, offsetof(struct hf_op_instrument_put, expires_ns));
    assert_int_equal(at[1].patches[0].ms, 3600000);
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
        {"plan 5 from alice", "`to` is missing"},
        {"plan 5 alice to bank", "`from` is missing"},
        {"plan five from alice to bank", "'five' is not an amount"},
        {"plan 5 from alise to bank", "no account 'alise'"},
        {"unknown ghost\nplan 5 from ghost to ghost", "so the asset must be"},
        {"plan 5 from alice 1/3, bank 1/4 to bank", "the parts before were of 3"},
        {"plan 5 from alice up 3 to bank", "'up' goes on with 'to AMOUNT'"},
        {"plan 5 from alice up to some to bank", "'some' is not an amount"},
        {"plan 5 from alice, to bank", "no account 'to'"},
        {"plan 5 from alice to bank expires +1h", "'expires' does not belong here"},
        {"plan 5 from alice to bank mcc 70000", "mcc '70000'"},
        {"plan 5 from alice to bank merchant AVERYLONGMERCHANT", "longer than 16"},
        {"plan 5 from alice to bank asset EUR", "no asset 'EUR'"},
        {"hold h plan 5 from alice", "one of `to PAYEE` and `payee open` is needed"},
        {"hold h plan 5 from alice to bank payee open", "one of `to PAYEE` and"},
        {"hold h plan 5 from alice payee shut", "'payee' goes on with 'open'"},
        {"hold h plan 5 from alice to bank tolerance 15", "'15' is not like 15%"},
        {"hold h plan 5 from alice to bank needs 1", "`of` is missing"},
        {"hold h plan 5 from alice to bank needs 1 of luck", "'luck' is not a condition"},
        {"hold h plan 5 from alice to bank needs 1 of signed-by k", "no key 'k'"},
        {"hold h plan 5 from alice to bank needs 1 of region 5 from k", "goes on with 'by KEY'"},
        {"hold h plan 5 from alice to bank needs 1 of not-before noon", "'noon' is not a time"},
        {"hold h plan 5 from alice to bank needs few of origin 1", "'few' is not N"},
        {"hold h alice bank 5 soft", "'soft' does not belong here"},
        {"hold h alice bank 5 expires soon", "'soon' is not a time"},
        {"hold h alice bank 5\nadjust h", "one of raise, lower, set and expires is missing"},
        {"hold h alice bank 5\nadjust h raise", "amount is missing"},
        {"hold h alice bank 5\nattest h 1 word", "one of preimage, signature, forged"},
        {"hold h alice bank 5\nattest h one forged", "'one' is not N"},
        {"hold h alice bank 5\nattest h 1 signature k", "no key 'k'"},
        {"hold h alice bank 5\ncapture h 1 payee nobody", "no account 'nobody'"},
        {"key k\nkey k", "there is a key 'k' already"},
        {"key 1k", "'1k' cannot be a name"},
        {"account a asset USD parent nobody", "no account 'nobody'"},
        {"account a asset USD ceiling high", "'high' is not a balance"},
        {"account a asset USD mcc 1,2,3,4,5,6,7,8,9", "more than 8 in mcc"},
        {"account a asset USD channel 32", "at most 31"},
        {"account a asset USD expires later", "'later' is not a time"},
        {"close alice sink nobody", "no account 'nobody'"},
        {"freeze nobody", "no account 'nobody'"},
        {"limit", "the limit's number is missing"},
        {"limit 256 on c1 reset", "each at most 255"},
        {"limit 1 c1 reset", "`on` is missing"},
        {"limit 1 on nobody reset", "no account 'nobody'"},
        {"limit 1 on card alice reset", "no card 'alice'"},
        {"unknown x\nlimit 1 on x reset", "'x' is a card and an account"},
        {"limit 1 on c1 count 3", "`per` and a window are missing"},
        {"limit 1 on c1 count 3 per year", "'year' is not a window"},
        {"limit 1 on c1 per day per week", "a limit has one window"},
        {"limit 1 on c1 per rolling", "how long it rolls is missing"},
        {"limit 1 on c1 per rolling soon", "'soon' is not a time"},
        {"limit 1 on c1 per rolling -4h", "longer than nothing"},
        {"limit 1 on c1 per rolling 300000d", "not endless"},
        {"limit 1 on c1 per day zone 2", "zone '2' is not like"},
        {"limit 1 on c1 per day zone +2:00", "zone '+2:00' is not like"},
        {"limit 1 on c1 per day zone +02:60", "zone '+02:60' is not like"},
        {"limit 1 on c1 per week start noday", "start 'noday' is not N"},
        {"limit 1 on c1 raise", "raise what?"},
        {"limit 1 on c1 raise count 2 per day", "'per' does not belong here"},
        {"limit 1 on c1 reset count 2", "'count' does not belong here"},
        {"limit 1 on c1 amount 1.005 per day", "at most 2 decimals"},
        {"limit 1 on c1 count few per day", "'few' is not a number"},
        {"limit 1 on c1 per day mcc food", "mcc 'food'"},
        {"expect limit 1 on c1", "nothing is expected of limit 1"},
        {"expect limit 0 on c1 used 1", "numbered from 1"},
        {"expect limit 1 on c1 posted 1", "'posted' cannot"},
        {"expect card c1 account nobody", "no account 'nobody'"},
        {"auth a c1 bank 1 minimum few", "minimum 'few' is not an amount"},
        {"auth a c1 bank 1 class 256", "at most 255"},
        {"auth a c1 bank 1 tolerance 15", "'15' is not like 15%"},
        {"class 3", "`lifetime` is missing"},
        {"class 3 lifetime -5m", "longer than nothing"},
        {"advance -5s", "time only goes forward"},
        {"advance", "how far is missing"},
        {"chain\nchain", "a chain inside a chain"},
        {"chain\nend", "nothing is in the chain"},
        {"chain\nrestart", "'restart' cannot be in a chain"},
        {"chain\nexpect alice posted 0", "'expect' cannot be in a chain"},
        {"chain\nmove bank alice 1 -> OK", "answered as one, at its `end`"},
        {"chain\nmove bank alice 1 dry-run", "'dry-run' does not belong here"},
        {"end", "there is no chain to end"},
        {"move bank alice 1 -> OK entry two", "'two' is not a number"},
        {"expect alice holds many", "'many' is not a number"},
        {"expect alice expires soon", "expires is `never` or `set`"},
        {"expect alice parent nobody", "no account 'nobody'"},
        {"expect alice met 1", "'met' cannot"},
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
    assert_int_equal(
        hf_script_parse("x.hf", "asset 5 A 0\nchain\nasset 6 B 0\n", 7, &script, &fault),
        HF_STATUS_INVALID);
    assert_non_null(strstr(fault.line, "the chain of line 2 has no `end`"));
    hf_script_free(&script);
    assert_int_equal(hf_script_parse("x.hf", "chain\nasset 5 A 0\nend as c\nagain c with amount 5",
                                     7, &script, &fault),
                     HF_STATUS_INVALID);
    assert_non_null(strstr(fault.line, "x.hf:4: 'amount' cannot"));
    hf_script_free(&script);
    assert_int_equal(hf_script_parse("x.hf", "repeat", 7, &script, &fault), HF_STATUS_INVALID);
    assert_string_equal(fault.line, "x.hf:1: there is no operation to send again");
    hf_script_free(&script);
}

/* Whatever is in a script, parsing ends in one of two ways and reads nothing beyond it. */
static void test_random_words_do_no_harm(void **state)
{
    (void)state;
    static const char *const words[] = {
        "asset",     "account",   "move",      "hold",    "capture",  "release",   "card",
        "auth",      "repeat",    "again",     "expect",  "balanced", "restart",   "admin",
        "unknown",   "840",       "USD",       "2",       "bank",     "alice",     "c1",
        "h1",        "1.00",      "all",       "->",      "OK",       "51",        "as",
        "with",      "amount",    "posted",    "none",    "#",        "\n",        "\n",
        "\n",        "status",    "frozen",    "floor",   "limit",    "count",     "-5",
        "+5s",       "deadline",  "dry-run",   "id-time", "final",    "max",       "operation",
        "payer",     "plan",      "from",      "to",      "any,",     "rest",      "80%",
        "1/3,",      "up",        "needs",     "of",      "2",        "signed-by", "k",
        "key",       "region",    "by",        "chain",   "end",      "adjust",    "raise",
        "attest",    "signature", "preimage",  "class",   "lifetime", "parent",    "total",
        "ceiling",   "mcc",       "8011,8062", "close",   "freeze",   "advance",   "expires",
        "soft",      "tolerance", "15%",       "payee",   "open",     "minimum",   "choose",
        "not-after", "alice,",    "sink",      "holds",   "entry",    "on",        "per",
        "day",       "week",      "month",     "rolling", "4h",       "zone",      "+02:00",
        "start",     "monday",    "reset",     "used",    "most",
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
        cmocka_unit_test(test_plans_come_out_whole),
        cmocka_unit_test(test_long_operations_have_good_shapes),
        cmocka_unit_test(test_terms_of_holds),
        cmocka_unit_test(test_terms_of_accounts),
        cmocka_unit_test(test_chains_gather_their_lines),
        cmocka_unit_test(test_holds_are_adjusted_and_proved),
        cmocka_unit_test(test_comments_blanks_and_last_lines),
        cmocka_unit_test(test_times_and_flags),
        cmocka_unit_test(test_wrong_lines_are_refused_by_name),
        cmocka_unit_test(test_random_words_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
