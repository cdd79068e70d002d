/* The list of what must be seen is OPERATIONS.md once more, line by line. CLOSED accounts are not
 * in it: nothing can close one in this version. */
#include "tally.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#define CODES_MAX 128
#define RULES_MAX 32

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
#define W_VALUE(type)                                                                              \
    W(type, SAME_ACCOUNT, PAYER), W(type, UNKNOWN_ACCOUNT, PAYEE), W(type, ASSET_MISMATCH, PAYER), \
        W(type, ASSET_MISMATCH, PAYEE), W(type, RESTRICTED, PAYER), W(type, RESTRICTED, PAYEE),    \
        W(type, INSUFFICIENT, PAYER), W(type, OVERFLOW, PAYER), W(type, OVERFLOW, PAYEE)

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
    W(TALLY_SHAPE, BAD_AMOUNT, AMOUNT),
    W(TALLY_SHAPE, MALFORMED, ASSET),
    W(TALLY_SHAPE, MALFORMED, STATUS),
    W(TALLY_SHAPE, MALFORMED, SUBJECT),
    W(TALLY_SHAPE, MALFORMED, RESERVED),
    W(TALLY_SHAPE, UNSUPPORTED, EXPIRY),
    W(TALLY_SHAPE, UNSUPPORTED, AMOUNT),
    W(TALLY_SHAPE, UNSUPPORTED, ASSET),

    W_ONCE(HF_OP_ASSET_PUT),
    W(HF_OP_ASSET_PUT, ASSET_MISMATCH, ASSET),
    W(HF_OP_ASSET_PUT, CAPACITY, TABLE),

    W_ONCE(HF_OP_ACCOUNT_PUT),
    W(HF_OP_ACCOUNT_PUT, UNKNOWN_ASSET, ASSET),
    W(HF_OP_ACCOUNT_PUT, ASSET_MISMATCH, ACCOUNT),
    W(HF_OP_ACCOUNT_PUT, CAPACITY, TABLE),

    W_ONCE(HF_OP_MOVE),
    W_VALUE(HF_OP_MOVE),
    W(HF_OP_MOVE, UNKNOWN_ACCOUNT, PAYER),

    W_ONCE(HF_OP_HOLD),
    W_VALUE(HF_OP_HOLD),
    W(HF_OP_HOLD, UNKNOWN_ACCOUNT, PAYER),
    W(HF_OP_HOLD, CAPACITY, TABLE),

    W_ONCE(HF_OP_CAPTURE),
    W(HF_OP_CAPTURE, UNKNOWN_HOLD, HOLD),
    W(HF_OP_CAPTURE, HOLD_RESOLVED, HOLD),
    W(HF_OP_CAPTURE, OVER_CAPTURE, HOLD),
    W(HF_OP_CAPTURE, RESTRICTED, PAYEE),
    W(HF_OP_CAPTURE, OVERFLOW, PAYER),

    W_ONCE(HF_OP_RELEASE),
    W(HF_OP_RELEASE, UNKNOWN_HOLD, HOLD),
    W(HF_OP_RELEASE, HOLD_RESOLVED, HOLD),
    W(HF_OP_RELEASE, OVER_CAPTURE, HOLD),

    W_ONCE(HF_OP_INSTRUMENT_PUT),
    W(HF_OP_INSTRUMENT_PUT, UNKNOWN_ACCOUNT, ACCOUNT),
    W(HF_OP_INSTRUMENT_PUT, CLOSED, INSTRUMENT),
    W(HF_OP_INSTRUMENT_PUT, CAPACITY, TABLE),

    W_ONCE(HF_OP_AUTH),
    W(HF_OP_AUTH, UNKNOWN_INSTRUMENT, INSTRUMENT),
    W(HF_OP_AUTH, CLOSED, INSTRUMENT),
    W(HF_OP_AUTH, RESTRICTED, INSTRUMENT),
    W(HF_OP_AUTH, INACTIVE, INSTRUMENT),
    W(HF_OP_AUTH, EXPIRED, INSTRUMENT),
    W(HF_OP_AUTH, AMOUNT_LIMIT, INSTRUMENT_AMOUNT),
    W(HF_OP_AUTH, COUNT_LIMIT, INSTRUMENT_COUNT),
    W_VALUE(HF_OP_AUTH),
    W(HF_OP_AUTH, CAPACITY, TABLE),

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
