/* A posting plan: what an operation would change, before anything is changed.
 *
 * Operations that move or promise value compile to a plan. The executor looks at every guard of
 * every leg, and only then applies all legs. A plan has at most one leg an account, so that the
 * guards of one leg say all about its account.
 *
 * The legs come in two lists, in the order of their guards: of the accounts that the operation
 * names, then of the totals above those. */
#ifndef HF_ENGINE_PLAN_H
#define HF_ENGINE_PLAN_H

#include "terms.h"

#define HF_PLAN_NAMED_MAX  (HF_PLAN_CANDIDATES_MAX + HF_PLAN_DESTINATIONS_MAX)
#define HF_PLAN_TOTALS_MAX (HF_PLAN_NAMED_MAX * HF_PARENT_DEPTH_MAX)
#define HF_PLAN_LEGS_MAX   (HF_PLAN_NAMED_MAX + HF_PLAN_TOTALS_MAX)

/* By how much an account's numbers change. */
struct hf_change {
    int64_t posted;
    int64_t held_out;
    int64_t held_in;
    uint64_t lifetime_debits;
};

struct hf_leg {
    struct hf_account *account;
    struct hf_change change;
    uint8_t rule;  /* whom a refusal names: HF_RULE_PAYER, ...; HF_RULE_PARENT of a total */
    uint8_t entry; /* and with which number */
    bool is_debit; /* a new debit or promise: the account's floor binds it. Of a total the change
                      itself tells, and this is false */
};

/* Lives in the ledger: too large for a stack. Only what the counts cover means anything. */
struct hf_plan {
    uint32_t named_count;
    uint32_t total_count;
    struct hf_leg named[HF_PLAN_NAMED_MAX];
    struct hf_leg totals[HF_PLAN_TOTALS_MAX];
};

/* What each entry of a MOVE_PLAN or HOLD_PLAN comes to: sources, then destinations. */
struct hf_takes {
    uint64_t total;
    bool is_partial; /* less than was asked for, which will do */
    uint32_t count;
    struct hf_account *accounts[HF_PLAN_NAMED_MAX];
    uint64_t amounts[HF_PLAN_NAMED_MAX]; /* 0: no part in it */
    uint8_t refusals[HF_PLAN_NAMED_MAX]; /* enum hf_code: why an UP_TO is passed over */
};

enum hf_plan_kind { HF_PLAN_MOVES, HF_PLAN_HOLDS };

struct hf_ledger;

/* Empties a plan. Touches two numbers only. */
static inline void hf_plan_begin(struct hf_plan *plan)
{
    plan->named_count = 0;
    plan->total_count = 0;
}

static inline uint32_t hf_plan_leg_count(const struct hf_plan *plan)
{
    return plan->named_count + plan->total_count;
}

/* The legs in the order of their guards. */
static inline const struct hf_leg *hf_plan_leg(const struct hf_plan *plan, uint32_t index)
{
    return index < plan->named_count ? &plan->named[index]
                                     : &plan->totals[index - plan->named_count];
}

/* Adds a change to the leg of an account, making the leg when there is none (then `rule` and
 * `entry` become its own), and to those of the totals above it. A leg is a debit when any of its
 * changes was. What changes of one account add up to must fit (asserted). */
void hf_plan_add(const struct hf_ledger *ledger, struct hf_plan *plan, struct hf_account *account,
                 const struct hf_change *change, uint8_t rule, uint8_t entry, bool is_debit);

/* What an account can pay besides what the plan already takes: the least available among itself and
 * the totals above it, not below 0; HF_AMOUNT_MAX when none has a floor. */
uint64_t hf_plan_can_pay(const struct hf_ledger *ledger, const struct hf_plan *plan,
                         const struct hf_account *account);

/* What still fits under its ceiling and those of the totals above it, likewise. */
uint64_t hf_plan_room(const struct hf_ledger *ledger, const struct hf_plan *plan,
                      const struct hf_account *account);

/* Works out a MOVE_PLAN or HOLD_PLAN (OPERATIONS.md, "Plans", 1 to 5): finds the accounts, decides
 * what each entry takes, and checks the guards. On true ledger->plan and ledger->takes say what is
 * to be done, and the answer is OK or OK_PARTIAL with `approved` and the balances that the first
 * source will have. On false the answer is the refusal. Changes nothing else. `entries` has the
 * plan's sources and destinations, as hf_operation_check lets them pass. */
bool hf_plan_compile(struct hf_ledger *ledger, const struct hf_op_plan *terms,
                     const struct hf_op_entry *entries, enum hf_plan_kind kind,
                     struct hf_answer *answer);

struct hf_turn;

/* MOVE_PLAN. */
void hf_plan_move(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_answer *answer);

#endif
