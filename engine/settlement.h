/* A hold at work: what the operations on holds share.
 *
 * Each of them finds its hold, works out how its amount is spread over the payers' parts, makes one
 * plan of it, and lets the executor decide. A hold of one payer has one part, its own. */
#ifndef HF_ENGINE_SETTLEMENT_H
#define HF_ENGINE_SETTLEMENT_H

#include "hold.h"
#include "spread.h"

struct hf_settlement {
    struct hf_hold *hold;
    const struct hf_hold_more *more;
    struct hf_account *payer; /* the first of several; NULL: a record that knows none */
    uint64_t beyond;          /* captured beyond what remains: a new debit of the payer alone */
    uint64_t captured;        /* out of what remains */
    uint64_t released;
    uint64_t raised;
    uint64_t returned; /* captured before, goes back from the payee to the payer alone */
    uint32_t slot;
    uint32_t share_count;
    struct hf_share shares[HF_HOLD_PARTS_MAX]; /* only the first `share_count` mean anything */
};

/* A hold with nothing done to it yet. */
void hf_settlement_begin(const struct hf_ledger *ledger, struct hf_settlement *s,
                         struct hf_hold *hold);

/* Refuses, with the payer's balances as they are. */
void hf_settlement_refuse(const struct hf_settlement *s, uint16_t code, uint8_t rule, uint8_t entry,
                          struct hf_answer *answer);

/* NULL: whoever the capture names. */
struct hf_account *hf_settlement_payee(const struct hf_ledger *ledger, const struct hf_hold *hold);

/* The hold's parts, with nothing taken from them yet. */
void hf_settlement_load(const struct hf_ledger *ledger, struct hf_settlement *s);

/* The number by which a refusal names a part: 0 of a single one. */
uint8_t hf_settlement_entry(const struct hf_settlement *s, uint32_t index);

static inline bool hf_settlement_is_by_ratio(const struct hf_settlement *s)
{
    return (s->more->policy & HF_HOLD_RATIO) != 0;
}

/* The shares as a plan: the parts' accounts in order, then the payee. It may come out empty. */
void hf_settlement_plan(struct hf_ledger *ledger, const struct hf_settlement *s,
                        struct hf_account *payee);

/* Checks the plan (asserted not to be empty) and shows the payer's balances as it leaves them.
 * False when a guard refused. */
bool hf_settlement_pass(const struct hf_ledger *ledger, const struct hf_settlement *s,
                        struct hf_answer *answer);

/* Carries the plan out, and what it means for parts and hold. */
void hf_settlement_apply(struct hf_ledger *ledger, const struct hf_settlement *s,
                         const struct hf_answer *answer);

/* Turns the amount to be captured (HF_AMOUNT_ALL: what is left) into what comes out of the hold,
 * what goes beyond it and what goes back. False when that is nothing, or more than is tolerated. */
bool hf_settlement_divide(struct hf_settlement *s, uint64_t amount, bool is_final);

void hf_settlement_spread_capture(struct hf_settlement *s);

/* A capture is applied: tells of it, and ends the hold when it was the last. */
void hf_settlement_end_capture(struct hf_ledger *ledger, const struct hf_settlement *s,
                               bool is_final, const struct hf_answer *answer);

/* Plans that `amount` of what remains goes back. No guard can refuse that. */
void hf_settlement_plan_release(struct hf_ledger *ledger, struct hf_settlement *s, uint64_t amount);

#endif
