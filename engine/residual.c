/* The least sum first, then who makes it up.
 *
 * Over values in ascending order two fingers find the best pair in one walk: when a pair reaches
 * the sum the larger value steps down, else the smaller one steps up. Sets of three and four try
 * each first (and second) value and let the fingers find the rest. Which of several sets with that
 * sum comes first is found value by value: the earliest one with which those behind it can still
 * make up the rest exactly.
 *
 * The bound: 64 values and sets of four are at most 64 over 3 = 41,664 steps of the fingers for the
 * least sum, 2,016 for that of sets of three, and 41,664 again when the only set with that sum
 * begins late: with all the small change fewer than 100,000 (bench: engine/residual/64/late). */
#include "residual.h"

#include <assert.h>

#define NO_SUM UINT64_MAX

struct item {
    uint64_t value;
    uint8_t index;
};

/* Those worth looking at, in ascending order of value. */
struct items {
    struct item list[HF_PLAN_CANDIDATES_MAX];
    uint32_t count;
};

static void sort_in(struct items *items, uint64_t value, uint32_t index)
{
    uint32_t at = items->count++;

    for (; at > 0 && items->list[at - 1].value > value; at--)
        items->list[at] = items->list[at - 1];
    items->list[at] = (struct item){value, (uint8_t)index};
}

/* The best sum cannot be cut off: without its smallest value it would not reach `sum`, so it is
 * under twice HF_AMOUNT_MAX. */
static uint64_t add_up(uint64_t a, uint64_t b)
{
    uint64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? NO_SUM : sum;
}

static uint64_t less(uint64_t need, uint64_t value)
{
    return need > value ? need - value : 0;
}

/* The least sum of exactly `size` items from `first` on that is at least `need`, or NO_SUM. */
static uint64_t least_sum(const struct items *items, uint32_t first, uint32_t size, uint64_t need)
{
    const struct item *list = items->list;
    uint64_t best = NO_SUM;

    assert(size >= 1);
    if (size == 1) {
        for (uint32_t i = first; i < items->count; i++) {
            if (list[i].value >= need)
                return list[i].value;
        }
        return NO_SUM;
    }
    if (size == 2) {
        for (uint32_t low = first, high = items->count; low + 1 < high && best != need;) {
            uint64_t sum = list[low].value + list[high - 1].value;
            if (sum < need) {
                low++;
                continue;
            }
            best = sum < best ? sum : best;
            high--;
        }
        return best;
    }
    for (uint32_t i = first; i + size <= items->count && best != need; i++) {
        uint64_t rest = least_sum(items, i + 1, size - 1, less(need, list[i].value));
        uint64_t sum = add_up(list[i].value, rest);
        best = sum < best ? sum : best;
        if (list[i].value > need / size)
            break; /* any of these and later ones reach it, and later ones make up more */
    }
    return best;
}

/* Do `size` of the items behind index `after` add up to exactly `sum`? */
static bool is_reachable(const struct items *items, uint32_t after, uint32_t size, uint64_t sum)
{
    struct items behind;

    if (size == 0)
        return sum == 0;
    behind.count = 0;
    for (uint32_t i = 0; i < items->count && items->list[i].value <= sum; i++) {
        if (items->list[i].index > after)
            behind.list[behind.count++] = items->list[i];
    }
    return least_sum(&behind, 0, size, sum) == sum;
}

struct hf_residual_choice hf_residual_choose(const uint64_t values[], uint32_t count,
                                             uint32_t choose_max, uint64_t sum)
{
    struct hf_residual_choice choice = {0};
    struct items items = {.count = 0};
    uint64_t best = NO_SUM;

    assert(count <= HF_PLAN_CANDIDATES_MAX);
    assert(choose_max >= 1 && choose_max <= HF_PLAN_CHOOSE_MAX);
    assert(sum - 1 < HF_AMOUNT_MAX);
    for (uint32_t i = 0; i < count; i++) {
        assert(values[i] <= HF_AMOUNT_MAX);
        if (values[i] != 0)
            sort_in(&items, values[i], i);
    }
    for (uint32_t size = 1; size <= choose_max; size++) {
        uint64_t least = least_sum(&items, 0, size, sum);
        if (least < best) {
            best = least;
            choice.count = size;
        }
    }
    uint32_t index = 0;
    for (uint32_t i = 0; i < choice.count; i++) {
        uint32_t rest = choice.count - i - 1;
        while (values[index] == 0 || values[index] > best ||
               !is_reachable(&items, index, rest, best - values[index])) {
            index++;
            assert(index < count);
        }
        choice.indices[i] = (uint8_t)index;
        best -= values[index];
        index++;
    }
    assert(choice.count == 0 || best == 0);
    return choice;
}
