#include "window.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#define WORD_BITS 64
#define WORDS     (HF_WINDOW_WIDTH / WORD_BITS)

_Static_assert((HF_WINDOW_WIDTH & (HF_WINDOW_WIDTH - 1)) == 0, "a place is the counter's low bits");
_Static_assert(sizeof(struct hf_window) == 8 + HF_WINDOW_WIDTH / 8, "one bit a counter");

static uint64_t *word_of(struct hf_window *window, uint64_t counter)
{
    return &window->seen[counter / WORD_BITS % WORDS];
}

static uint64_t bit_of(uint64_t counter)
{
    return UINT64_C(1) << (counter % WORD_BITS);
}

/* Forgets the counters that had the places from `next` up to `counter`, which is above it. */
static void move_on(struct hf_window *window, uint64_t counter)
{
    uint64_t from = window->next;
    assert(counter >= from);
    if (counter - from >= HF_WINDOW_WIDTH) {
        memset(window->seen, 0, sizeof window->seen);
        return;
    }
    while (from <= counter) {
        uint64_t word_end = from | (WORD_BITS - 1);
        uint64_t last = word_end < counter ? word_end : counter;
        uint64_t mask = UINT64_MAX >> (WORD_BITS - 1 - (last - from)) << (from % WORD_BITS);
        *word_of(window, from) &= ~mask;
        from = last + 1;
    }
}

enum hf_window_verdict hf_window_take(struct hf_window *window, uint64_t counter)
{
    assert(window != NULL);
    if (counter == UINT64_MAX)
        return HF_WINDOW_TOO_OLD;
    if (counter >= window->next) {
        move_on(window, counter);
        window->next = counter + 1;
    } else if (window->next - counter > HF_WINDOW_WIDTH) {
        return HF_WINDOW_TOO_OLD;
    } else if ((*word_of(window, counter) & bit_of(counter)) != 0) {
        return HF_WINDOW_REPLAYED;
    }
    *word_of(window, counter) |= bit_of(counter);
    return HF_WINDOW_FRESH;
}
