/* The list of what must be seen is OPERATIONS.md once more, line by line. Not in it is what takes a
 * rare meeting of amounts near the end of 64 bits, and of a chain all that its operations may
 * answer by themselves. */
#include "tally.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#define CODES_MAX 128
#define RULES_MAX 40

static uint64_t counts[HF_OP_TYPE_MAX + 1][CODES_MAX][RULES_MAX];

struct wanted {
    uint8_t type;
    uint16_t code;
    uint8_t rule;
};

#define W(type, code, rule)                  \
    {                                        \
        type, HF_CODE_##code, HF_RULE_##rule \
    }
#define W_ONCE(type)                                                              \
    W(type, OK, NONE), W(type, DUPLICATE_DIFFERENT, ID), W(type, ID_TOO_OLD, ID), \
        W(type, ID_TOO_NEW, ID), W(type, DEADLINE_PASSED, DEADLINE)
/* The standing of an account that gives or takes in an operation. */
#define W_STANDING(type, rule)                                                     \
    W(type, IS_TOTAL, rule), W(type, ASSET_MISMATCH, rule), W(type, CLOSED, rule), \
        W(type, RESTRICTED, rule), W(type, EXPIRED, rule)
#define W_GUARDS(type)                                                                     \
    W(type, INSUFFICIENT, PAYER), W(type, INSUFFICIENT, PARENT), W(type, OVERFLOW, PAYER), \
        W(type, OVERFLOW, PAYEE), W(type, CEILING, PAYEE), W(type, CEILING, PARENT)
#define W_VALUE(type)                                                                             \
    W(type, SAME_ACCOUNT, PAYER), W(type, UNKNOWN_ACCOUNT, PAYEE), W(type, NOT_PERMITTED, PAYER), \
        W_STANDING(type, PAYEE), W_GUARDS(type)
#define W_PLAN(type)                                                                             \
    W(type, OK_PARTIAL, NONE), W(type, UNKNOWN_ACCOUNT, PAYER), W(type, UNKNOWN_ACCOUNT, PAYEE), \
        W(type, NOT_PERMITTED, PAYER), W_STANDING(type, PAYER), W_STANDING(type, PAYEE),         \
        W_GUARDS(type), W(type, UNBALANCED, PLAN), W(type, OVERFLOW, PLAN)
/* What every operation on a hold may meet. */
#define W_HOLD(type)                                                                        \
    W(type, UNKNOWN_HOLD, HOLD), W(type, HOLD_RESOLVED, HOLD), W(type, HOLD_EXPIRED, HOLD), \
        W(type, NOT_PERMITTED, ORIGIN)

static const struct wanted wanted[] = {
    W(TALLY_SHAPE, OK, NONE),
    W(TALLY_SHAPE, MALFORMED, LENGTH),
    W(TALLY_SHAPE, UNKNOWN_TYPE, TYPE),
    W(TALLY_SHAPE, UNSUPPORTED, TYPE),
    W(TALLY_SHAPE, UNSUPPORTED, FLAGS),
    W(TALLY_SHAPE, BAD_ID, ID),
    W(TALLY_SHAPE, BAD_ID, PAYER),
    W(TALLY_SHAPE, BAD_ID, PAYEE),
    W(TALLY_SHAPE, BAD_ID, ACCOUNT),
    W(TALLY_SHAPE, BAD_ID, INSTRUMENT),
    W(TALLY_SHAPE, BAD_ID, HOLD),
    W(TALLY_SHAPE, BAD_ID, SUBJECT),
    W(TALLY_SHAPE, BAD_ID, PARENT),
    W(TALLY_SHAPE, BAD_ID, SINK),
    W(TALLY_SHAPE, BAD_ID, EXPIRY),
    W(TALLY_SHAPE, BAD_ID, CHAIN),
    W(TALLY_SHAPE, SAME_ACCOUNT, PARENT),
    W(TALLY_SHAPE, SAME_ACCOUNT, SINK),
    W(TALLY_SHAPE, SAME_ACCOUNT, PAYER),
    W(TALLY_SHAPE, SAME_ACCOUNT, PAYEE),
    W(TALLY_SHAPE, BAD_AMOUNT, AMOUNT),
    W(TALLY_SHAPE, BAD_AMOUNT, PAYER),
    W(TALLY_SHAPE, BAD_AMOUNT, PAYEE),
    W(TALLY_SHAPE, MALFORMED, ASSET),
    W(TALLY_SHAPE, MALFORMED, STATUS),
    W(TALLY_SHAPE, MALFORMED, SUBJECT),
    W(TALLY_SHAPE, MALFORMED, RESERVED),
    W(TALLY_SHAPE, MALFORMED, PLAN),
    W(TALLY_SHAPE, MALFORMED, HOLD),
    W(TALLY_SHAPE, MALFORMED, CLASS),
    W(TALLY_SHAPE, MALFORMED, LIMIT),
    W(TALLY_SHAPE, MALFORMED, CONDITION),
    W(TALLY_SHAPE, MALFORMED, EXPIRY),
    W(TALLY_SHAPE, MALFORMED, CHAIN),
    W(TALLY_SHAPE, NESTED_CHAIN, CHAIN),
    W(TALLY_SHAPE, UNBALANCED, PLAN),
    W(TALLY_SHAPE, UNSUPPORTED, AMOUNT),
    W(TALLY_SHAPE, UNSUPPORTED, ASSET),

    W_ONCE(HF_OP_ASSET_PUT),
    W(HF_OP_ASSET_PUT, ASSET_MISMATCH, ASSET),
    W(HF_OP_ASSET_PUT, CAPACITY, TABLE),

    W_ONCE(HF_OP_ACCOUNT_PUT),
    W(HF_OP_ACCOUNT_PUT, UNKNOWN_ASSET, ASSET),
    W(HF_OP_ACCOUNT_PUT, ASSET_MISMATCH, ACCOUNT),
    W(HF_OP_ACCOUNT_PUT, CLOSED, ACCOUNT),
    W(HF_OP_ACCOUNT_PUT, NOT_PERMITTED, PARENT),
    W(HF_OP_ACCOUNT_PUT, UNKNOWN_ACCOUNT, PARENT),
    W(HF_OP_ACCOUNT_PUT, ASSET_MISMATCH, PARENT),
    W(HF_OP_ACCOUNT_PUT, CLOSED, PARENT),
    W(HF_OP_ACCOUNT_PUT, CAPACITY, PARENT),
    W(HF_OP_ACCOUNT_PUT, UNKNOWN_ACCOUNT, SINK),
    W(HF_OP_ACCOUNT_PUT, IS_TOTAL, SINK),
    W(HF_OP_ACCOUNT_PUT, ASSET_MISMATCH, SINK),
    W(HF_OP_ACCOUNT_PUT, CAPACITY, TABLE),

    W_ONCE(HF_OP_ACCOUNT_CLOSE),
    W_STANDING(HF_OP_ACCOUNT_CLOSE, SINK),
    W(HF_OP_ACCOUNT_CLOSE, UNKNOWN_ACCOUNT, ACCOUNT),
    W(HF_OP_ACCOUNT_CLOSE, CLOSED, ACCOUNT),
    W(HF_OP_ACCOUNT_CLOSE, IS_TOTAL, CHILDREN),
    W(HF_OP_ACCOUNT_CLOSE, HELD, ACCOUNT),
    W(HF_OP_ACCOUNT_CLOSE, INSUFFICIENT, ACCOUNT),
    W(HF_OP_ACCOUNT_CLOSE, NOT_EMPTY, SINK),
    W(HF_OP_ACCOUNT_CLOSE, UNKNOWN_ACCOUNT, SINK),
    W(HF_OP_ACCOUNT_CLOSE, INSUFFICIENT, PARENT),
    W(HF_OP_ACCOUNT_CLOSE, CEILING, PARENT),
    W(HF_OP_ACCOUNT_CLOSE, CEILING, SINK),
    W(HF_OP_ACCOUNT_CLOSE, OVERFLOW, ACCOUNT),
    W(HF_OP_ACCOUNT_CLOSE, OVERFLOW, SINK),

    W_ONCE(HF_OP_MOVE),
    W_VALUE(HF_OP_MOVE),
    W_STANDING(HF_OP_MOVE, PAYER),
    W(HF_OP_MOVE, UNKNOWN_ACCOUNT, PAYER),
    W(HF_OP_MOVE, OVERFLOW, PARENT),

    W_ONCE(HF_OP_MOVE_PLAN),
    W_PLAN(HF_OP_MOVE_PLAN),
    W(HF_OP_MOVE_PLAN, OVERFLOW, PARENT),

    W_ONCE(HF_OP_HOLD),
    W_VALUE(HF_OP_HOLD),
    W_STANDING(HF_OP_HOLD, PAYER),
    W(HF_OP_HOLD, UNKNOWN_ACCOUNT, PAYER),
    W(HF_OP_HOLD, OVERFLOW, PARENT),
    W(HF_OP_HOLD, EXPIRED, EXPIRY),
    W(HF_OP_HOLD, CAPACITY, TABLE),

    W_ONCE(HF_OP_HOLD_PLAN),
    W_PLAN(HF_OP_HOLD_PLAN),
    W(HF_OP_HOLD_PLAN, OVERFLOW, PARENT),
    W(HF_OP_HOLD_PLAN, EXPIRED, EXPIRY),
    W(HF_OP_HOLD_PLAN, CAPACITY, TABLE),

    W_ONCE(HF_OP_CAPTURE),
    W_HOLD(HF_OP_CAPTURE),
    W_STANDING(HF_OP_CAPTURE, PAYEE),
    W_GUARDS(HF_OP_CAPTURE),
    W(HF_OP_CAPTURE, NOT_PERMITTED, PAYEE),
    W(HF_OP_CAPTURE, UNKNOWN_ACCOUNT, PAYEE),
    W(HF_OP_CAPTURE, SAME_ACCOUNT, PAYEE),
    W(HF_OP_CAPTURE, CONDITION_NOT_MET, CONDITION),
    W(HF_OP_CAPTURE, OVER_CAPTURE, HOLD),
    W(HF_OP_CAPTURE, CLOSED, PAYER),
    W(HF_OP_CAPTURE, OVERFLOW, PARENT),

    W_ONCE(HF_OP_RELEASE),
    W_HOLD(HF_OP_RELEASE),
    W(HF_OP_RELEASE, OVER_CAPTURE, HOLD),

    W_ONCE(HF_OP_ADJUST),
    W_HOLD(HF_OP_ADJUST),
    W_GUARDS(HF_OP_ADJUST),
    W(HF_OP_ADJUST, EXPIRED, EXPIRY),
    W(HF_OP_ADJUST, OVER_CAPTURE, HOLD),
    W(HF_OP_ADJUST, OVERFLOW, HOLD),
    W(HF_OP_ADJUST, RESTRICTED, PAYER),
    W(HF_OP_ADJUST, RESTRICTED, PAYEE),
    W(HF_OP_ADJUST, EXPIRED, PAYER),
    W(HF_OP_ADJUST, EXPIRED, PAYEE),

    W_ONCE(HF_OP_ATTEST),
    W_HOLD(HF_OP_ATTEST),
    W(HF_OP_ATTEST, UNKNOWN_CONDITION, CONDITION),
    W(HF_OP_ATTEST, BAD_PROOF, CONDITION),

    W_ONCE(HF_OP_EXPIRE),

    W_ONCE(HF_OP_CLASS_PUT),

    W_ONCE(HF_OP_INSTRUMENT_PUT),
    W(HF_OP_INSTRUMENT_PUT, UNKNOWN_ACCOUNT, ACCOUNT),
    W(HF_OP_INSTRUMENT_PUT, IS_TOTAL, ACCOUNT),
    W(HF_OP_INSTRUMENT_PUT, CLOSED, INSTRUMENT),
    W(HF_OP_INSTRUMENT_PUT, CAPACITY, TABLE),

    W_ONCE(HF_OP_LIMIT_PUT),
    W(HF_OP_LIMIT_PUT, UNKNOWN_INSTRUMENT, INSTRUMENT),
    W(HF_OP_LIMIT_PUT, CLOSED, INSTRUMENT),
    W(HF_OP_LIMIT_PUT, UNKNOWN_ACCOUNT, ACCOUNT),
    W(HF_OP_LIMIT_PUT, CLOSED, ACCOUNT),
    W(HF_OP_LIMIT_PUT, UNKNOWN_LIMIT, LIMIT),
    W(HF_OP_LIMIT_PUT, CAPACITY, LIMIT),
    W(HF_OP_LIMIT_PUT, CAPACITY, TABLE),
    W(HF_OP_LIMIT_PUT, OVERFLOW, LIMIT),

    W_ONCE(HF_OP_AUTH),
    W(HF_OP_AUTH, OK_PARTIAL, NONE),
    W(HF_OP_AUTH, AMOUNT_LIMIT, INSTRUMENT_LIMIT),
    W(HF_OP_AUTH, AMOUNT_LIMIT, ACCOUNT_LIMIT),
    W(HF_OP_AUTH, AMOUNT_LIMIT, PARENT_LIMIT),
    W(HF_OP_AUTH, COUNT_LIMIT, INSTRUMENT_LIMIT),
    W(HF_OP_AUTH, COUNT_LIMIT, ACCOUNT_LIMIT),
    W(HF_OP_AUTH, COUNT_LIMIT, PARENT_LIMIT),
    W_VALUE(HF_OP_AUTH),
    W(HF_OP_AUTH, UNKNOWN_INSTRUMENT, INSTRUMENT),
    W(HF_OP_AUTH, CLOSED, INSTRUMENT),
    W(HF_OP_AUTH, RESTRICTED, INSTRUMENT),
    W(HF_OP_AUTH, INACTIVE, INSTRUMENT),
    W(HF_OP_AUTH, EXPIRED, INSTRUMENT),
    W(HF_OP_AUTH, AMOUNT_LIMIT, INSTRUMENT_AMOUNT),
    W(HF_OP_AUTH, COUNT_LIMIT, INSTRUMENT_COUNT),
    W(HF_OP_AUTH, ASSET_MISMATCH, PAYER),
    W(HF_OP_AUTH, CLOSED, PAYER),
    W(HF_OP_AUTH, RESTRICTED, PAYER),
    W(HF_OP_AUTH, EXPIRED, PAYER),
    W(HF_OP_AUTH, CAPACITY, TABLE),

    /* A failed chain answers as whichever of its operations failed. */
    W_ONCE(HF_OP_CHAIN),
    W(HF_OP_CHAIN, INSUFFICIENT, PAYER),
    W(HF_OP_CHAIN, INSUFFICIENT, PARENT),
    W(HF_OP_CHAIN, CEILING, PAYEE),
    W(HF_OP_CHAIN, OVERFLOW, PAYER),
    W(HF_OP_CHAIN, UNBALANCED, PLAN),
    W(HF_OP_CHAIN, UNKNOWN_ACCOUNT, PAYER),
    W(HF_OP_CHAIN, UNKNOWN_HOLD, HOLD),
    W(HF_OP_CHAIN, HOLD_RESOLVED, HOLD),
    W(HF_OP_CHAIN, HOLD_EXPIRED, HOLD),
    W(HF_OP_CHAIN, OVER_CAPTURE, HOLD),
    W(HF_OP_CHAIN, CONDITION_NOT_MET, CONDITION),
    W(HF_OP_CHAIN, BAD_PROOF, CONDITION),
    W(HF_OP_CHAIN, NOT_PERMITTED, ORIGIN),
    W(HF_OP_CHAIN, CLOSED, PAYER),
    W(HF_OP_CHAIN, HELD, ACCOUNT),
    W(HF_OP_CHAIN, UNKNOWN_ASSET, ASSET),
    W(HF_OP_CHAIN, ASSET_MISMATCH, ASSET),
    W(HF_OP_CHAIN, COUNT_LIMIT, INSTRUMENT_COUNT),
    W(HF_OP_CHAIN, AMOUNT_LIMIT, INSTRUMENT_LIMIT),
    W(HF_OP_CHAIN, UNKNOWN_LIMIT, LIMIT),
    W(HF_OP_CHAIN, DUPLICATE_DIFFERENT, ID),
    W(HF_OP_CHAIN, CAPACITY, TABLE),

    W(HF_OP_QUERY, OK, NONE),
    W(HF_OP_QUERY, UNKNOWN_ACCOUNT, SUBJECT),
    W(HF_OP_QUERY, UNKNOWN_INSTRUMENT, SUBJECT),
    W(HF_OP_QUERY, UNKNOWN_OPERATION, SUBJECT),
    W(HF_OP_QUERY, UNKNOWN_HOLD, SUBJECT),
};

static const char *type_name(uint8_t type)
{
    return type == TALLY_SHAPE ? "(shape)" : hf_operation_name(type);
}

void tally_count(uint8_t type, uint16_t code, uint8_t rule)
{
    assert(type <= HF_OP_TYPE_MAX);
    assert(code < CODES_MAX);
    assert(rule < RULES_MAX);
    counts[type][code][rule]++;
}

void tally_print(void)
{
    for (uint8_t type = 0; type <= HF_OP_TYPE_MAX; type++)
        for (uint16_t code = 0; code < CODES_MAX; code++)
            for (uint8_t rule = 0; rule < RULES_MAX; rule++)
                if (counts[type][code][rule] != 0)
                    printf("%-16s %-20s %-18s %10" PRIu64 "\n", type_name(type), hf_code_name(code),
                           hf_rule_name(rule), counts[type][code][rule]);
}

uint32_t tally_missing(void)
{
    uint32_t missing = 0;
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        const struct wanted *answer = &wanted[i];
        if (counts[answer->type][answer->code][answer->rule] != 0)
            continue;
        fprintf(stderr, "never seen: %s %s/%s\n", type_name(answer->type),
                hf_code_name(answer->code), hf_rule_name(answer->rule));
        missing++;
    }
    return missing;
}
