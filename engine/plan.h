/* A posting plan: what an operation would change, before anything is changed.
 *
 * Operations that move or promise value compile to a plan. The executor looks at every guard of
 * every leg, and only then applies all legs. A plan has at most one leg an account, so that the
 * guards of one leg say all about its account. */
#ifndef HF_ENGINE_PLAN_H
#define HF_ENGINE_PLAN_H

#include "account.h"

#define HF_PLAN_LEGS_MAX 2

struct hf_leg {
    struct hf_account *account;
    uint8_t rule;   /* whom a refusal names: HF_RULE_PAYER or HF_RULE_PAYEE */
    bool is_debit;  /* a new debit or promise: the account's floor binds it */
    int64_t posted; /* changes, from here on */
    int64_t held_out;
    int64_t held_in;
    uint64_t lifetime_debits;
};

struct hf_plan {
    uint32_t leg_count;
    struct hf_leg legs[HF_PLAN_LEGS_MAX];
};

#endif
