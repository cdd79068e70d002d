/* The shape of operations that consist of others' parts: plans, conditions, chains. */
#include "good_operation.h"
/* One plan, changed in more than one place. */
struct plan_case {
    uint64_t amount;
    uint64_t minimum;
    uint32_t denominators[2];
    uint8_t method;
    uint8_t choose_max;
    uint8_t rules[4]; /* of three sources and one destination */
    uint64_t amounts[4];
    uint16_t code;
    uint8_t rule;
    uint8_t entry;
};

#define FIX HF_ENTRY_FIXED
#define RAT HF_ENTRY_RATIO
#define UPT HF_ENTRY_UP_TO
#define REM HF_ENTRY_REMAINING
#define EVE HF_ENTRY_EVERYTHING
#define ALL HF_AMOUNT_ALL

static const struct plan_case plan_cases[] = {
    {9, 0, {0, 0}, 0, 0, {FIX, FIX, FIX, FIX}, {3, 3, 3, 9}, OK_ROW},
    {9, 0, {0, 0}, 0, 0, {EVE, UPT, REM, UPT}, {0, 1, 0, ALL}, OK_ROW},
    {9, 0, {0, 0}, 0, 0, {FIX, REM, FIX, REM}, {3, 0, 3, 0}, HF_CODE_MALFORMED, HF_RULE_PLAN, 2},
    {9, 0, {0, 0}, 0, 0, {FIX, FIX, REM, EVE}, {3, 3, 0, 0}, HF_CODE_MALFORMED, HF_RULE_PLAN, 4},
    {9, 0, {0, 0}, 0, 0, {FIX, 0, FIX, REM}, {3, 0, 3, 0}, HF_CODE_MALFORMED, HF_RULE_PLAN, 2},
    {9, 0, {0, 0}, 0, 0, {FIX, 6, FIX, REM}, {3, 0, 3, 0}, HF_CODE_MALFORMED, HF_RULE_PLAN, 2},
    {9, 0, {0, 0}, 0, 0, {FIX, 6, FIX, REM}, {3, 1, 3, 0}, HF_CODE_BAD_AMOUNT, HF_RULE_PAYER, 2},
    {9, 0, {0, 0}, 0, 0, {FIX, EVE, FIX, REM}, {3, 1, 3, 0}, HF_CODE_BAD_AMOUNT, HF_RULE_PAYER, 2},
    /* ratios */
    {9, 0, {3, 4}, 0, 0, {RAT, RAT, RAT, RAT}, {1, 1, 1, 4}, OK_ROW},
    {9, 0, {3, 0}, 0, 0, {RAT, RAT, REM, REM}, {1, 1, 0, 0}, OK_ROW},
    {9, 0, {3, 0}, 0, 0, {RAT, RAT, RAT, REM}, {2, 1, 1, 0}, HF_CODE_UNBALANCED, HF_RULE_PLAN, 0},
    {9, 0, {3, 0}, 0, 0, {RAT, RAT, RAT, REM}, {1, 4, 1, 0}, HF_CODE_BAD_AMOUNT, HF_RULE_PAYER, 2},
    {9, 0, {3, 0}, 0, 0, {RAT, RAT, RAT, REM}, {1, 0, 1, 0}, HF_CODE_BAD_AMOUNT, HF_RULE_PAYER, 2},
    {9, 0, {0, 0}, 0, 0, {RAT, FIX, REM, REM}, {1, 1, 0, 0}, HF_CODE_BAD_AMOUNT, HF_RULE_PAYER, 1},
    {9, 0, {3, 0}, 0, 0, {FIX, FIX, REM, REM}, {1, 1, 0, 0}, HF_CODE_UNBALANCED, HF_RULE_PLAN, 0},
    {9, 0, {0, 3}, 0, 0, {FIX, FIX, REM, REM}, {1, 1, 0, 0}, HF_CODE_UNBALANCED, HF_RULE_PLAN, 0},
    {9, 0, {0, 3}, 0, 0, {FIX, FIX, REM, RAT}, {1, 1, 0, 4}, HF_CODE_BAD_AMOUNT, HF_RULE_PAYEE, 4},
    {9,
     0,
     {UINT32_MAX, 0},
     0,
     0,
     {RAT, RAT, RAT, REM},
     {UINT32_MAX, UINT32_MAX, 2, 0},
     HF_CODE_UNBALANCED,
     HF_RULE_PLAN,
     0},
    /* minimum */
    {9, 9, {0, 0}, 0, 0, {UPT, UPT, UPT, REM}, {ALL, 1, 1, 0}, OK_ROW},
    {9, 1, {0, 0}, 0, 0, {FIX, FIX, REM, UPT}, {1, 1, 0, 9}, HF_CODE_MALFORMED, HF_RULE_PLAN, 0},
    {9, 1, {3, 0}, 0, 0, {FIX, FIX, REM, UPT}, {1, 1, 0, 9}, HF_CODE_UNBALANCED, HF_RULE_PLAN, 0},
    {9, 1, {0, 0}, 0, 0, {FIX, FIX, REM, EVE}, {1, 1, 0, 0}, HF_CODE_MALFORMED, HF_RULE_PLAN, 0},
    {9, 1, {0, 0}, 1, 1, {UPT, UPT, UPT, REM}, {1, 1, 1, 0}, HF_CODE_MALFORMED, HF_RULE_PLAN, 0},
    /* whatever the sources give */
    {ALL, 0, {0, 0}, 0, 0, {EVE, FIX, EVE, REM}, {0, 5, 0, 0}, OK_ROW},
    {ALL, 1, {0, 0}, 0, 0, {EVE, FIX, EVE, REM}, {0, 5, 0, 0}, HF_CODE_MALFORMED, HF_RULE_PLAN, 0},
    {ALL, 0, {0, 0}, 0, 0, {EVE, UPT, EVE, REM}, {0, 5, 0, 0}, HF_CODE_MALFORMED, HF_RULE_PLAN, 2},
    {ALL, 0, {0, 0}, 0, 0, {EVE, EVE, REM, REM}, {0, 0, 0, 0}, HF_CODE_MALFORMED, HF_RULE_PLAN, 3},
    {ALL, 0, {3, 0}, 0, 0, {RAT, EVE, EVE, REM}, {1, 0, 0, 0}, HF_CODE_MALFORMED, HF_RULE_PLAN, 1},
    /* smallest residual */
    {9, 0, {0, 0}, 1, 4, {UPT, UPT, UPT, REM}, {1, ALL, 1, 0}, OK_ROW},
    {9, 0, {0, 0}, 1, 0, {UPT, UPT, UPT, REM}, {1, 1, 1, 0}, HF_CODE_MALFORMED, HF_RULE_PLAN, 0},
    {9, 0, {0, 0}, 1, 5, {UPT, UPT, UPT, REM}, {1, 1, 1, 0}, HF_CODE_MALFORMED, HF_RULE_PLAN, 0},
    {9, 0, {0, 0}, 1, 4, {UPT, UPT, REM, REM}, {1, 1, 0, 0}, HF_CODE_MALFORMED, HF_RULE_PLAN, 3},
    {9, 0, {0, 0}, 1, 4, {UPT, FIX, UPT, REM}, {1, 1, 1, 0}, HF_CODE_MALFORMED, HF_RULE_PLAN, 2},
};

static void test_plans(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof plan_cases / sizeof plan_cases[0]; i++) {
        const struct plan_case *c = &plan_cases[i];
        union any *any = good_operation(HF_OP_MOVE_PLAN);
        struct hf_op_plan *plan = &any->op.move_plan.plan;
        any->op.header.length -= (uint16_t)sizeof(struct hf_op_entry);
        plan->destination_count = 1;
        plan->amount = c->amount;
        plan->minimum = c->minimum;
        plan->source_denominator = c->denominators[0];
        plan->destination_denominator = c->denominators[1];
        plan->method = c->method;
        plan->choose_max = c->choose_max;
        for (uint32_t k = 0; k < 4; k++)
            any->op.move_plan.entries[k] = entry_of(11 + k, c->rules[k], c->amounts[k]);
        struct hf_verdict verdict = hf_operation_check(&any->op, sizeof *any);
        if (verdict.code != c->code || verdict.rule != c->rule || verdict.entry != c->entry)
            fail_msg("plan %zu: %s/%s:%u", i, hf_code_name(verdict.code),
                     hf_rule_name(verdict.rule), verdict.entry);
    }
}

/* Nobody stands in a plan twice, on whichever side. */
static void test_entries_are_of_different_accounts(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 5; i++) {
        for (uint32_t k = i + 1; k < 5; k++) {
            union any *any = good_operation(HF_OP_MOVE_PLAN);
            struct hf_op_entry *entries = any->op.move_plan.entries;
            entries[k].account = entries[i].account;
            assert_entry(any, HF_CODE_SAME_ACCOUNT, k < 3 ? HF_RULE_PAYER : HF_RULE_PAYEE, k + 1);
        }
    }
}

static void test_largest_plans(void **state)
{
    union any *any = good_operation(HF_OP_MOVE_PLAN);
    struct hf_op_move_plan *move = &any->op.move_plan;

    (void)state;
    move->plan = (struct hf_op_plan){.amount = 9,
                                     .asset = USD,
                                     .method = HF_PLAN_SMALLEST_RESIDUAL,
                                     .choose_max = 4,
                                     .source_count = 64,
                                     .destination_count = 32};
    for (uint32_t i = 0; i < 96; i++)
        move->entries[i] = entry_of(100 + i, i == 95 ? HF_ENTRY_REMAINING : HF_ENTRY_UP_TO,
                                    i == 95 ? 0 : HF_AMOUNT_ALL);
    move->header.length = (uint16_t)(sizeof *move + 96 * sizeof move->entries[0]);
    assert_entry(any, HF_CODE_OK, HF_RULE_NONE, 0);
    move->entries[95].account = account_id(100);
    assert_entry(any, HF_CODE_SAME_ACCOUNT, HF_RULE_PAYEE, 96);
    move->plan.source_count = 65;
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_PLAN, 0);
}

static void test_hold_plans(void **state)
{
    union any *any = good_operation(HF_OP_HOLD_PLAN);
    struct hf_op_hold_plan *hold = &any->op.hold_plan;

    (void)state;
    /* The one destination takes all, or there is none. */
    hold->entries[3] = entry_of(14, HF_ENTRY_FIXED, 20);
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_PLAN, 4);
    any = good_operation(HF_OP_HOLD_PLAN);
    hold->plan.destination_count = 0;
    memmove(hold->entries + 3, hold->entries + 4, 2 * sizeof(struct hf_op_condition));
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_LENGTH, 0);
    hold->header.length -= (uint16_t)sizeof(struct hf_op_entry);
    assert_entry(any, HF_CODE_OK, HF_RULE_NONE, 0);
    hold->plan.destination_denominator = 1;
    assert_entry(any, HF_CODE_UNBALANCED, HF_RULE_PLAN, 0);

    /* Without conditions none is required, and a hold may be soft. */
    any = good_operation(HF_OP_HOLD_PLAN);
    hold->terms = (struct hf_op_terms){.policy = HF_HOLD_SOFT};
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_LENGTH, 0);
    hold->header.length -= (uint16_t)(2 * sizeof(struct hf_op_condition));
    assert_entry(any, HF_CODE_OK, HF_RULE_NONE, 0);
    hold->terms.required = 1;
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_CONDITION, 0);
}

/* Each kind of condition wants some of code, time and bytes, and nothing of the others. */
static void test_conditions(void **state)
{
    enum { CODE = 1, TIME = 2, BYTES = 4 };
    static const struct {
        uint8_t kind;
        uint8_t must;
        uint8_t may;
    } kinds[] = {
        {HF_CONDITION_BLAKE2B, BYTES, 0},   {HF_CONDITION_SHA256, BYTES, 0},
        {HF_CONDITION_SIGNATURE, BYTES, 0}, {HF_CONDITION_REGION, BYTES, CODE},
        {HF_CONDITION_ORIGIN, 0, CODE},     {HF_CONDITION_NOT_BEFORE, TIME, 0},
        {HF_CONDITION_NOT_AFTER, TIME, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        for (uint8_t has = 0; has < 8; has++) {
            union any *any = good_operation(HF_OP_HOLD_PLAN);
            struct hf_op_condition condition = {
                .kind = kinds[i].kind,
                .code = (has & CODE) != 0 ? 7 : 0,
                .time_ns = (has & TIME) != 0 ? 7 : 0,
                .bytes = {[31] = (has & BYTES) != 0 ? 7 : 0},
            };
            memcpy((uint8_t *)(any->op.hold_plan.entries + 4) + sizeof condition, &condition,
                   sizeof condition);
            bool is_good = (has & ~kinds[i].may) == kinds[i].must;
            assert_entry(any, is_good ? HF_CODE_OK : HF_CODE_MALFORMED,
                         is_good ? HF_RULE_NONE : HF_RULE_CONDITION, is_good ? 0 : 2);
        }
    }
}

/* The checks of a chain's second operation, in their order: all spoilt, then mended one by one. */
static void test_chained_operations(void **state)
{
    union any *any = good_operation(HF_OP_CHAIN);
    struct hf_id chain_id = any->op.header.id;
    struct hf_id first_id =
        ((const struct hf_op_header *)(const void *)any->op.chain.operations)->id;
    union hf_operation *inner =
        (union hf_operation *)(void *)(any->op.chain.operations + sizeof(struct hf_op_move));
    struct hf_id own_id = inner->header.id;

    (void)state;
    inner->header.length = 96;
    inner->header.flags = HF_OP_RETURN_BALANCES;
    inner->header.origin = 1;
    inner->header.id = (struct hf_id){0, 0};
    inner->hold.amount = 0;
    inner->header.type = HF_OP_CHAIN;
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_LENGTH, 2); /* beyond the chain */
    inner->header.length = 80;
    inner->header.type = 99;
    assert_entry(any, HF_CODE_UNKNOWN_TYPE, HF_RULE_TYPE, 2);
    inner->header.type = HF_OP_CLAIM;
    assert_entry(any, HF_CODE_UNSUPPORTED, HF_RULE_TYPE, 2);
    inner->header.type = HF_OP_CHAIN;
    assert_entry(any, HF_CODE_NESTED_CHAIN, HF_RULE_CHAIN, 2);
    inner->header.type = HF_OP_QUERY;
    assert_entry(any, HF_CODE_UNSUPPORTED, HF_RULE_TYPE, 2);
    inner->header.type = HF_OP_EXPIRE;
    assert_entry(any, HF_CODE_UNSUPPORTED, HF_RULE_TYPE, 2);
    inner->header.type = HF_OP_HOLD;
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_LENGTH, 2); /* not a HOLD's */
    inner->header.length = 88;
    assert_entry(any, HF_CODE_UNSUPPORTED, HF_RULE_FLAGS, 2);
    inner->header.flags = 0;
    assert_entry(any, HF_CODE_BAD_ID, HF_RULE_ID, 2);
    inner->header.id = chain_id;
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_CHAIN, 2);
    inner->header.origin = 0;
    inner->header.deadline_ns = 1;
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_CHAIN, 2);
    inner->header.deadline_ns = 0;
    assert_entry(any, HF_CODE_BAD_ID, HF_RULE_CHAIN, 2);
    inner->header.id = first_id;
    assert_entry(any, HF_CODE_BAD_ID, HF_RULE_CHAIN, 2);
    inner->header.id = own_id;
    assert_entry(any, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT, 2);
    inner->hold.amount = 1;
    assert_entry(any, HF_CODE_OK, HF_RULE_NONE, 0);
    any->op.chain.count = 1;
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_LENGTH, 0); /* bytes left over */
    any->op.chain.count = 3;
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_LENGTH, 3);
}

/* A refusal inside a plan inside a chain names the plan. */
static void test_chained_plan(void **state)
{
    static union any plan;
    union any *any;

    (void)state;
    make_move_plan(&plan);
    any = good_operation(HF_OP_CHAIN);
    union hf_operation *inner = chain_add(any, &plan.op);
    assert_entry(any, HF_CODE_OK, HF_RULE_NONE, 0);
    inner->move_plan.entries[4].account = account_id(0);
    assert_entry(any, HF_CODE_BAD_ID, HF_RULE_PAYEE, 3);
    inner->move_plan.plan.source_count = 4;
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_LENGTH, 3);
}

static void test_longest_chain(void **state)
{
    static union any plan;
    union any *any;

    (void)state;
    begin(&plan, HF_OP_MOVE_PLAN, sizeof plan.op.move_plan);
    plan.op.move_plan.plan =
        (struct hf_op_plan){.amount = 9, .asset = USD, .source_count = 1, .destination_count = 1};
    any = good_operation(HF_OP_CHAIN);
    any->op.chain.count = 0;
    any->op.header.length = sizeof any->op.chain;
    for (uint32_t i = 0; i < 33; i++) {
        plan.op.header.id = new_id(&pen);
        plan.op.move_plan.entries[0] = entry_of(1, HF_ENTRY_REMAINING, 0);
        plan.op.move_plan.entries[1] = entry_of(2, HF_ENTRY_REMAINING, 0);
        plan.op.header.length =
            (uint16_t)(sizeof plan.op.move_plan + 2 * sizeof(struct hf_op_entry));
        chain_add(any, &plan.op);
        if (i < 32)
            assert_entry(any, HF_CODE_OK, HF_RULE_NONE, 0);
    }
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_CHAIN, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plans),
        cmocka_unit_test(test_entries_are_of_different_accounts),
        cmocka_unit_test(test_largest_plans),
        cmocka_unit_test(test_hold_plans),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_chained_operations),
        cmocka_unit_test(test_chained_plan),
        cmocka_unit_test(test_longest_chain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
