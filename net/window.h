/* The replay window: which of the newest 8,192 counters of a sender have been seen.
 *
 * A datagram may come late, but not twice. A counter is fresh when it is above all seen so far, or
 * less than 8,192 below the highest and not seen. Whoever asks has checked the datagram's tag
 * before: otherwise anybody could move the window on.
 *
 * One bit a counter, in a ring: a counter's place is its lowest 13 bits. Pure; all zero is an empty
 * window. */
#ifndef HF_NET_WINDOW_H
#define HF_NET_WINDOW_H

#include <stdint.h>

#define HF_WINDOW_WIDTH 8192

struct hf_window {
    uint64_t next; /* the highest counter seen, and 1; 0: none has been seen */
    uint64_t seen[HF_WINDOW_WIDTH / 64];
};

enum hf_window_verdict {
    HF_WINDOW_FRESH,
    HF_WINDOW_REPLAYED, /* seen before */
    HF_WINDOW_TOO_OLD,  /* too far below the highest to tell */
};

/* Judges a counter, and when it is fresh marks it as seen. UINT64_MAX is never fresh: there is
 * nothing above it. */
enum hf_window_verdict hf_window_take(struct hf_window *window, uint64_t counter);

#endif
