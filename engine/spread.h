/* How an amount is spread over the parts of a hold: in order, or in their ratio. Pure. */
#ifndef HF_ENGINE_SPREAD_H
#define HF_ENGINE_SPREAD_H

#include <stdint.h>

struct hf_account;

/* What happens to one payer's part. */
struct hf_share {
    struct hf_account *account;
    uint64_t remaining; /* before */
    uint64_t captured;
    uint64_t released;
    uint64_t raised;
    uint32_t part; /* in the pool; HF_TABLE_NONE: the hold itself */
};

/* Each spreads an amount over `count` shares in which nothing has been taken yet; it is at most
 * what remains of them together (asserted), unless it is raised. In order: captures from the first
 * on, releases from the last back, each part as far as it reaches. By ratio: of each part what its
 * share of what remains is, rounded down, and the units that are then missing one each to the parts
 * from the first on that have something left. */
void hf_spread_capture_in_order(struct hf_share shares[], uint32_t count, uint64_t amount);
void hf_spread_release_in_order(struct hf_share shares[], uint32_t count, uint64_t amount);
void hf_spread_capture_by_ratio(struct hf_share shares[], uint32_t count, uint64_t amount);
void hf_spread_release_by_ratio(struct hf_share shares[], uint32_t count, uint64_t amount);
/* Something remains of the parts (asserted); of a part with nothing left nothing is raised. */
void hf_spread_raise_by_ratio(struct hf_share shares[], uint32_t count, uint64_t amount);

#endif
