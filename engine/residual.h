/* The set of values that reaches a sum and goes least beyond it. */
#ifndef HF_ENGINE_RESIDUAL_H
#define HF_ENGINE_RESIDUAL_H

#include "operation.h"

#include <stdbool.h>

struct hf_residual_choice {
    uint32_t count;                      /* 0: no set reaches the sum */
    uint8_t indices[HF_PLAN_CHOOSE_MAX]; /* ascending */
};

/* Of all sets of 1 to `choose_max` (to HF_PLAN_CHOOSE_MAX) of the `count` values (to
 * HF_PLAN_CANDIDATES_MAX) whose sum is at least `sum` (1 to HF_AMOUNT_MAX): the one with the least
 * sum; then the one with the fewest; then the one whose indices come first, compared one by one.
 * Values are 0 to HF_AMOUNT_MAX, and those of 0 are never chosen. Exact. */
struct hf_residual_choice hf_residual_choose(const uint64_t values[], uint32_t count,
                                             uint32_t choose_max, uint64_t sum);

#endif
