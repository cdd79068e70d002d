/* Checked arithmetic on money: amounts are unsigned, balances signed, both 64 bits, in an asset's
 * smallest unit. Every function returns false on overflow and then leaves *result unspecified: the
 * caller refuses with OVERFLOW. */
#ifndef HF_ENGINE_AMOUNT_H
#define HF_ENGINE_AMOUNT_H

#include <stdbool.h>
#include <stdint.h>

/* In CAPTURE and RELEASE: everything that is left. Never a real amount. */
#define HF_AMOUNT_ALL UINT64_MAX
/* The largest amount an operation may move: it must fit a signed balance. */
#define HF_AMOUNT_MAX ((uint64_t)INT64_MAX)
/* The floor of an issuance account: its balance may fall without bound. */
#define HF_FLOOR_NONE INT64_MIN

static inline bool hf_amount_add(uint64_t a, uint64_t b, uint64_t *result)
{
    return !__builtin_add_overflow(a, b, result);
}

static inline bool hf_balance_add(int64_t balance, uint64_t amount, int64_t *result)
{
    return !__builtin_add_overflow(balance, amount, result);
}

static inline bool hf_balance_subtract(int64_t balance, uint64_t amount, int64_t *result)
{
    return !__builtin_sub_overflow(balance, amount, result);
}

static inline bool hf_balance_subtract_signed(int64_t balance, int64_t other, int64_t *result)
{
    return !__builtin_sub_overflow(balance, other, result);
}

#endif
