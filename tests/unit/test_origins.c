/* The origins' file: what it may say, each thing that is wrong with its line, and what the rules
 * then allow, operation by operation. */
#include "net/holdfast.h"
#include "tools/holdfastd/origins.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ORIGINS_MAX 8
#define KEY         "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define OTHER_KEY   "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define WHOLE       "[origin 1]\nkey = " KEY "\nallow = all\n"

static struct origin list[ORIGINS_MAX];
static struct origin_set set = {.count_max = ORIGINS_MAX, .list = list};
static struct hf_fault fault;

static enum hf_status read_text(const char *text)
{
    char path[] = "origins.XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), strlen(text));
    close(file);
    memset(&fault, 0, sizeof fault);
    enum hf_status status = origins_read(path, &set, &fault);
    unlink(path);
    return status;
}

static void test_whole(void **state)
{
    (void)state;
    if (read_text("# who\n[origin 8]\nname = first-acquirer # as in the contract\nkey = " KEY "\n"
                  "allow = AUTH CLEAR  QUERY\naccounts = 0x51 82\ninstruments = all\n"
                  "rate = 20000\nqueries = 0\n[origin 2]\nkey = " OTHER_KEY
                  "\nallow = all\n") != HF_STATUS_OK)
        fail_msg("%s", fault.line);
    assert_int_equal(set.count, 2);
    assert_false(list[0].is_set);
    const struct origin *origin = &list[7];
    assert_true(origin->is_set);
    assert_string_equal(origin->name, "first-acquirer");
    assert_int_equal(origin->key[1], 0x11);
    assert_int_equal(origin->allowed, 1u << HF_OP_AUTH | 1u << HF_OP_CLEAR | 1u << HF_OP_QUERY);
    assert_int_equal(origin->accounts.family_count, 2);
    assert_int_equal(origin->accounts.families[0], 0x51);
    assert_int_equal(origin->accounts.families[1], 82);
    assert_true(origin->instruments.is_all);
    assert_int_equal(origin->rate, 20000);
    assert_int_equal(origin->queries, 0);
    assert_string_equal(list[1].name, "2");
    assert_int_equal(list[1].queries, 1000);
    assert_false(list[1].accounts.is_all);
}

static void test_wrong(void **state)
{
    static const struct {
        const char *text, *expected; /* what the line must say */
    } rows[] = {
        {"", "names no origin"},
        {"key = 1\n", ":1: [] key stands in no section [origin N]"},
        {"[origin]\nkey = 1\n", ":2: [origin] key stands in no section"},
        {"[origin 0]\nkey = 1\n", "number is not 1 to security.origins_max"},
        {"[origin 9]\nkey = 1\n", "number is not 1 to security.origins_max"},
        {"[origin 1x]\nkey = 1\n", "stands in no section"},
        {"[origin 1]\nkey = 1\n", ":2: [origin 1] key is not 64 hexadecimal digits"},
        {"[origin 1]\nkey = " KEY "0\n", "is not 64 hexadecimal digits"},
        {"[origin 1]\nkey = " KEY "\n", "[origin 1] has no allow"},
        {"[origin 1]\nallow = all\n", "[origin 1] has no key"},
        {"[origin 1]\nkey = " KEY "\nkey = " KEY "\n", ":3: [origin 1] key set twice"},
        {"[origin 1]\nkee = 1\n", "no such setting"},
        {"[origin 1]\nallow = MOVE EXPIRE\n", "EXPIRE is no operation"},
        {"[origin 1]\nallow = CLAIM\n", "CLAIM is no operation"},
        {"[origin 1]\nallow = move\n", "move is no operation"},
        {"[origin 1]\nallow =\n", "is empty"},
        {"[origin 1]\naccounts = all 7\n", "is neither all, none"},
        {"[origin 1]\naccounts = 0x\n", "is neither all, none"},
        {"[origin 1]\naccounts = 1y\n", "is neither all, none"},
        {"[origin 1]\naccounts = 0x10000000000000000\n", "is neither all, none"},
        {"[origin 1]\naccounts = -1\n", "is neither all, none"},
        {"[origin 1]\ninstruments =\n", "is empty"},
        {"[origin 1]\ninstruments = 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n", "more than 16"},
        {"[origin 1]\nrate = 1000000001\n", "is not a number from 0"},
        {"[origin 1]\nqueries = many\n", "is not a number from 0"},
        {"[origin 1]\nname = two words\n", "has a character"},
        {"[origin 1]\nname = 12345678901234567890123456789012\n", "1 to 31 characters"},
        {WHOLE "[origin 2]\nkey = " KEY "\nallow = all\n",
         ":5: [origin 2] key is another origin's"},
        {"[origin 1\n", ":1: is neither [section] nor key = value"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (read_text(rows[i].text) != HF_STATUS_INVALID ||
            strstr(fault.line, rows[i].expected) == NULL)
            fail_msg("%s: \"%s\", not \"%s\"", rows[i].text, fault.line, rows[i].expected);
    }
    assert_int_equal(origins_read("no-such-file", &set, &fault), HF_STATUS_INVALID);
    assert_non_null(strstr(fault.line, "no-such-file"));
}

/* ---- judging: origin 1 reaches accounts 0x51 and 0x52, instruments 0x60 */

#define ID         \
    (struct hf_id) \
    {              \
        1, 1       \
    }
static struct hf_id in(uint64_t family)
{
    return (struct hf_id){9, family};
}

/* An operation that names these; whatever a type has less of is left out. */
static union hf_operation_buffer *make(uint8_t type, struct hf_id a, struct hf_id b, struct hf_id c)
{
    static union hf_operation_buffer buffer;
    union hf_operation *op = &buffer.operation;
    memset(&buffer, 0, sizeof buffer);
    switch (type) {
    case HF_OP_MOVE:
        hf_make_move(op, ID, a, b, 1, 840);
        break;
    case HF_OP_HOLD:
        hf_make_hold(op, ID, a, b, 1, 840);
        break;
    case HF_OP_AUTH:
        hf_make_auth(op, ID, c, a, 1, 840);
        break;
    case HF_OP_CAPTURE:
        hf_make_capture_for(op, ID, ID, 1, true, a);
        break;
    case HF_OP_CLEAR:
        hf_make_clear(op, ID, ID, 1, 840, 0, 0);
        op->clear.token = c;
        op->clear.payee = a;
        break;
    case HF_OP_ACCOUNT_PUT:
        hf_make_account_terms(op, ID, a, 840, 0, 0);
        op->account_put.parent = b;
        op->account_put.sink = b;
        break;
    case HF_OP_ACCOUNT_CLOSE:
        hf_make_account_close(op, ID, a, b);
        break;
    case HF_OP_INSTRUMENT_PUT:
        hf_make_instrument_put(op, ID, c, a, 1, 1, 1);
        assert_true(hf_instrument_add_account(&buffer, b));
        break;
    case HF_OP_LIMIT_PUT:
        hf_make_limit_put(op, ID, hf_id_is_zero(c) ? HF_LIMIT_ACCOUNT : HF_LIMIT_INSTRUMENT,
                          hf_id_is_zero(c) ? a : c, 1, HF_LIMIT_DAY, 1, 1);
        break;
    case HF_OP_MOVE_PLAN:
        hf_make_move_plan_begin(&buffer, ID, 1, 840);
        assert_true(hf_plan_add_source(&buffer, a, HF_ENTRY_FIXED, 1));
        assert_true(hf_plan_add_destination(&buffer, b, HF_ENTRY_FIXED, 1));
        break;
    default:
        assert_int_equal(type, HF_OP_HOLD_PLAN);
        hf_make_hold_plan_begin(&buffer, ID, 1, 840, 0);
        assert_true(hf_plan_add_source(&buffer, a, HF_ENTRY_FIXED, 1));
        assert_true(hf_plan_add_destination(&buffer, b, HF_ENTRY_REMAINING, 0));
        break;
    }
    return &buffer;
}

static void test_reach(void **state)
{
    static const struct {
        uint8_t type;
        bool has_second, has_instrument;
    } rows[] = {
        {HF_OP_MOVE, true, false},          {HF_OP_HOLD, true, false},
        {HF_OP_AUTH, false, true},          {HF_OP_CAPTURE, false, false},
        {HF_OP_CLEAR, false, true},         {HF_OP_ACCOUNT_PUT, true, false},
        {HF_OP_ACCOUNT_CLOSE, true, false}, {HF_OP_INSTRUMENT_PUT, true, true},
        {HF_OP_LIMIT_PUT, false, true},     {HF_OP_MOVE_PLAN, true, false},
        {HF_OP_HOLD_PLAN, true, false},
    };
    const struct hf_id none = {0, 0};
    (void)state;
    assert_int_equal(read_text(WHOLE "accounts = 0x51 0x52\ninstruments = 0x60\n"), HF_STATUS_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t type = rows[i].type;
        bool is_limit = type == HF_OP_LIMIT_PUT;
        const struct origin *origin = &list[0];
        assert_true(origin_may(origin, &make(type, in(0x51), in(0x52), in(0x60))->operation));
        assert_true(is_limit ||
                    !origin_may(origin, &make(type, in(0x60), in(0x52), in(0x60))->operation));
        if (rows[i].has_second)
            assert_false(origin_may(origin, &make(type, in(0x51), in(0x50), in(0x60))->operation));
        if (rows[i].has_instrument)
            assert_false(origin_may(origin, &make(type, in(0x51), in(0x52), in(0x51))->operation));
    }
    assert_true(origin_may(&list[0], &make(HF_OP_LIMIT_PUT, in(0x51), none, none)->operation));
    assert_false(origin_may(&list[0], &make(HF_OP_LIMIT_PUT, in(0x60), none, none)->operation));
    assert_true(origin_may(&list[0], &make(HF_OP_CLEAR, none, none, none)->operation));
    assert_true(origin_may(&list[0], &make(HF_OP_CAPTURE, none, none, none)->operation));
    assert_true(origin_may(&list[0], &make(HF_OP_ACCOUNT_CLOSE, in(0x51), none, none)->operation));
}

static void test_queries(void **state)
{
    static const struct {
        uint8_t subject;
        bool of_account, of_instrument; /* may it be asked of an id of 0x51, of one of 0x60? */
    } rows[] = {
        {HF_QUERY_ACCOUNT, true, false},
        {HF_QUERY_ACCOUNT_HOLDS, true, false},
        {HF_QUERY_ACCOUNT_LIMITS, true, false},
        {HF_QUERY_INSTRUMENT, false, true},
        {HF_QUERY_INSTRUMENT_LIMITS, false, true},
        {HF_QUERY_INSTRUMENT_AUTHORISATIONS, false, true},
        {HF_QUERY_OPERATION, true, true},     /* by an id that its sender made */
        {HF_QUERY_HOLD, true, true},          /* the engine looks whose it is */
        {HF_QUERY_AUTHORISATION, true, true}, /* likewise */
    };
    union hf_operation op;
    (void)state;
    assert_int_equal(read_text(WHOLE "accounts = 0x51\ninstruments = 0x60\n"), HF_STATUS_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        hf_make_query(&op, ID, rows[i].subject, in(0x51));
        assert_int_equal(origin_may(&list[0], &op), rows[i].of_account);
        hf_make_query(&op, ID, rows[i].subject, in(0x60));
        assert_int_equal(origin_may(&list[0], &op), rows[i].of_instrument);
    }
}

/* A type that is not allowed is not, alone or in a chain; and a chain must be allowed itself. */
static void test_types(void **state)
{
    union hf_operation_buffer chain;
    union hf_operation op;
    (void)state;
    for (uint8_t type = 1; type <= HF_OP_TYPE_MAX; type++) {
        char text[256];
        if (type == HF_OP_EXPIRE || type == HF_OP_CHAIN || type == HF_OP_QUERY ||
            hf_operation_length(type) == 0)
            continue;
        snprintf(text, sizeof text,
                 "[origin 1]\nkey = " KEY "\nallow = CHAIN %s\naccounts = all\ninstruments = all\n",
                 hf_operation_name(type));
        assert_int_equal(read_text(text), HF_STATUS_OK);
        hf_make_move(&op, ID, in(1), in(2), 1, 840);
        assert_int_equal(origin_may(&list[0], &op), type == HF_OP_MOVE);
        hf_make_chain_begin(&chain, ID);
        assert_true(hf_chain_add(&chain, &op));
        assert_int_equal(origin_may(&list[0], &chain.operation), type == HF_OP_MOVE);
        list[0].allowed &= ~(1u << HF_OP_CHAIN);
        assert_false(origin_may(&list[0], &chain.operation));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),   cmocka_unit_test(test_wrong), cmocka_unit_test(test_reach),
        cmocka_unit_test(test_queries), cmocka_unit_test(test_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
