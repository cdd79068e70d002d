/* Whole units only: what rounding leaves over is given out, never lost. */
#include "spread.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

__extension__ typedef unsigned __int128 wide;

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void hf_spread_capture_in_order(struct hf_share shares[], uint32_t count, uint64_t amount)
{
    for (uint32_t i = 0; i < count; i++) {
        shares[i].captured = least(amount, shares[i].remaining);
        amount -= shares[i].captured;
    }
    assert(amount == 0);
}

void hf_spread_release_in_order(struct hf_share shares[], uint32_t count, uint64_t amount)
{
    for (uint32_t i = count; i-- > 0;) {
        shares[i].released = least(amount, shares[i].remaining);
        amount -= shares[i].released;
    }
    assert(amount == 0);
}

static uint64_t sum_of(const struct hf_share shares[], uint32_t count)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < count; i++)
        sum += shares[i].remaining;
    return sum;
}

/* The share of part `index`, rounded down. It fits: of a raise the whole does. */
static uint64_t ratio_of(const struct hf_share *share, uint64_t amount, uint64_t sum)
{
    return (uint64_t)((wide)amount * share->remaining / sum);
}

/* Spreads by ratio into the member at `offset`. `is_bounded`: no part gives more than it has. */
static void spread_by_ratio(struct hf_share shares[], uint32_t count, uint64_t amount,
                            size_t offset, bool is_bounded)
{
    uint64_t sum = sum_of(shares, count);
    uint64_t missing = amount;

    if (amount == 0)
        return;
    assert(sum > 0);
    assert(!is_bounded || amount <= sum);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t *share = (uint64_t *)(void *)((char *)&shares[i] + offset);
        *share = ratio_of(&shares[i], amount, sum);
        missing -= *share;
    }
    /* Fewer units are missing than there are parts that were rounded, and each of those has
     * something left: once through is enough. */
    for (uint32_t i = 0; i < count && missing > 0; i++) {
        uint64_t *share = (uint64_t *)(void *)((char *)&shares[i] + offset);
        uint64_t most = is_bounded || shares[i].remaining == 0 ? shares[i].remaining : UINT64_MAX;
        if (*share < most) {
            ++*share;
            missing--;
        }
    }
    assert(missing == 0);
}

void hf_spread_capture_by_ratio(struct hf_share shares[], uint32_t count, uint64_t amount)
{
    spread_by_ratio(shares, count, amount, offsetof(struct hf_share, captured), true);
}

void hf_spread_release_by_ratio(struct hf_share shares[], uint32_t count, uint64_t amount)
{
    spread_by_ratio(shares, count, amount, offsetof(struct hf_share, released), true);
}

void hf_spread_raise_by_ratio(struct hf_share shares[], uint32_t count, uint64_t amount)
{
    spread_by_ratio(shares, count, amount, offsetof(struct hf_share, raised), false);
}
