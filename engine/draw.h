/* What authorisations do to limits: they ask those that bear on them, draw on them, and may give
 * back what they drew. */
#ifndef HF_ENGINE_DRAW_H
#define HF_ENGINE_DRAW_H

#include "limit.h"

/* The limits that bear on the authorisation in hand, in the order in which they are asked. Lives in
 * the ledger: too large for a stack. */
#define HF_LIMITS_BEARING_MAX \
    (HF_LIMITS_A_SCOPE * (1 + HF_INSTRUMENT_ACCOUNTS_MAX * (1 + HF_PARENT_DEPTH_MAX)))
struct hf_bearing {
    uint32_t count;
    struct hf_bearing_limit {
        struct hf_limit *limit;
        int64_t period;  /* of the present time */
        uint64_t amount; /* this much under it; of hf_draw_gather nothing yet */
        uint8_t rule;    /* whose limit it is */
    } list[HF_LIMITS_BEARING_MAX];
};

/* Which of its payers an authorisation takes how much from. */
struct hf_payers {
    uint32_t count;
    struct hf_account *accounts[HF_INSTRUMENT_ACCOUNTS_MAX];
    uint64_t amounts[HF_INSTRUMENT_ACCOUNTS_MAX];
};

/* Gathers into ledger->bearing the limits that bear on an authorisation with this instrument, and
 * (unless NULL) with this payer: those whose filter lets the attributes pass. */
void hf_draw_gather(struct hf_ledger *ledger, const struct hf_instrument *instrument,
                    const struct hf_account *payer, const struct hf_attributes *attributes);

/* Adds those of a payer and its ancestors behind them, each once, and `amount` to what is under
 * each. Returns the index of the first that was added. */
uint32_t hf_draw_gather_payer(struct hf_ledger *ledger, const struct hf_account *payer,
                              const struct hf_attributes *attributes, uint64_t amount);

/* Gathers those of the instrument with the amount of all payers, then those of each payer that pays
 * something with its own. */
void hf_draw_gather_all(struct hf_ledger *ledger, const struct hf_instrument *instrument,
                        const struct hf_payers *payers, const struct hf_attributes *attributes);

/* Gathers likewise, and asks: do they allow `*amount`? If not, but `minimum` (not 0) or more,
 * *amount becomes what they allow. Else what the strictest says, `entry` being its number. */
struct hf_verdict hf_draw_ask(struct hf_ledger *ledger, const struct hf_instrument *instrument,
                              const struct hf_account *payer,
                              const struct hf_attributes *attributes, uint64_t minimum,
                              uint64_t *amount);

/* Likewise for so much more of an authorisation that holds `held` already. */
struct hf_verdict hf_draw_check_more(const struct hf_ledger *ledger, uint64_t held,
                                     uint64_t amount);

/* How much more those of a payer allow, with what is under them; HF_LIMIT_UNLIMITED: any. `verdict`
 * becomes what the strictest would say. */
uint64_t hf_draw_allowed(const struct hf_ledger *ledger, const struct hf_account *payer,
                         const struct hf_attributes *attributes, struct hf_verdict *verdict);

/* Draws an approved authorisation on those gathered: the amount on each; what is under each; the
 * amount on each, but counting no authorisation. */
void hf_draw(struct hf_ledger *ledger, uint64_t amount, uint16_t asset,
             const struct hf_answer *answer);
void hf_draw_each(struct hf_ledger *ledger, uint16_t asset, const struct hf_answer *answer);
void hf_draw_more(struct hf_ledger *ledger, uint64_t amount, uint16_t asset,
                  const struct hf_answer *answer);

/* What goes back to limits. */
struct hf_refund {
    uint64_t place;    /* of the authorisation: limits that count otherwise since get nothing */
    uint64_t first_ns; /* when it was drawn first */
    uint64_t later;    /* of what was drawn later, from the limits of instrument and one payer */
    uint64_t later_ns; /* and when */
    bool is_count;     /* its one in the counts as well */
};

/* Gives back to those gathered what is under each, of the first draw, and what the refund says. */
void hf_draw_give_back(struct hf_ledger *ledger, const struct hf_refund *refund, uint16_t asset,
                       const struct hf_answer *answer);

#endif
