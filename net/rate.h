/* Rates: so many a second, kept in one word each. Pure. */
#ifndef HF_NET_RATE_H
#define HF_NET_RATE_H

#include <stdbool.h>
#include <stdint.h>

#define HF_RATE_SECOND_NS UINT64_C(1000000000)
#define HF_RATE_MAX       HF_RATE_SECOND_NS

/* Takes one, if the rate allows it. The word is the time at which all that was taken will have been
 * paid for; zero at first. Up to a tenth of a second's worth may be taken ahead. `per_s` 0: never;
 * at most HF_RATE_MAX. `now_ns` is monotonic. */
static inline bool hf_rate_allows(uint64_t *paid_ns, uint32_t per_s, uint64_t now_ns)
{
    if (per_s == 0)
        return false;
    uint64_t price_ns = HF_RATE_SECOND_NS / per_s;
    uint64_t credit_ns = price_ns > HF_RATE_SECOND_NS / 10 ? 0 : HF_RATE_SECOND_NS / 10;
    uint64_t paid_now_ns = *paid_ns > now_ns ? *paid_ns : now_ns;
    if (paid_now_ns - now_ns > credit_ns)
        return false;
    *paid_ns = paid_now_ns + price_ns;
    return true;
}

#endif
