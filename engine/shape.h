/* Between the files that check the shape of operations: verdicts in short, and what many fields are
 * asked. Everyone else wants hf_operation_check. */
#ifndef HF_ENGINE_SHAPE_H
#define HF_ENGINE_SHAPE_H

#include "operation.h"

#include <assert.h>
#include <stdbool.h>

static const struct hf_verdict good = {HF_CODE_OK, HF_RULE_NONE, 0};

static inline struct hf_verdict bad(uint16_t code, uint8_t rule)
{
    assert(code != HF_CODE_OK);
    assert(rule != HF_RULE_NONE);
    return (struct hf_verdict){code, rule, 0};
}

/* The same, of the list's entry number `index` from 0. */
static inline struct hf_verdict bad_entry(uint16_t code, uint8_t rule, uint32_t index)
{
    struct hf_verdict verdict = bad(code, rule);

    assert(index < UINT8_MAX);
    verdict.entry = (uint8_t)(index + 1);
    return verdict;
}

static inline bool is_zero(const uint8_t *bytes, size_t count)
{
    uint8_t seen = 0;

    for (size_t i = 0; i < count; i++)
        seen |= bytes[i];
    return seen == 0;
}

static inline bool is_amount(uint64_t amount)
{
    return amount >= 1 && amount <= HF_AMOUNT_MAX;
}

/* What stands before the list says how long the whole is. */
static inline struct hf_verdict check_length(const struct hf_op_header *header, size_t explained)
{
    return header->length == explained ? good : bad(HF_CODE_MALFORMED, HF_RULE_LENGTH);
}

/* The bodies of plans; their headers have been checked. */
struct hf_verdict hf_shape_check_move_plan(const struct hf_op_move_plan *move);
struct hf_verdict hf_shape_check_hold_plan(const struct hf_op_hold_plan *hold);

#endif
