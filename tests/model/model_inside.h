/* What the parts of the model share: turns, outcomes, plans of legs. */
#ifndef HF_TESTS_MODEL_MODEL_INSIDE_H
#define HF_TESTS_MODEL_MODEL_INSIDE_H

#include "model.h"

typedef model_wide wide;

/* What an operation comes to, before it is put into a reply. */
struct outcome {
    uint16_t code;
    uint8_t rule;
    uint8_t entry;
    uint64_t approved;
    const struct model_account *account; /* whose balances the answer shows; NULL: zeros */
};

/* One operation's turn; of a chain each of its operations has its own. */
struct turn {
    struct model *model;
    const union hf_operation *operation;
    uint64_t now_ns;
    uint64_t place;
    uint32_t origin;
};

/* What filters look at. */
struct attributes {
    uint16_t mcc;
    uint16_t country;
    uint8_t channel;
    uint8_t merchant[16];
};

/* What a plan changes of one account. */
struct leg {
    struct model_account *account;
    struct model_balance change;
    uint8_t rule;
    uint8_t entry;
    bool is_debit;
};

/* The accounts that an operation names, in order; their ancestors come behind when the guards are
 * looked at. */
#define MODEL_LEGS_MAX ((HF_PLAN_CANDIDATES_MAX + HF_PLAN_DESTINATIONS_MAX) * 5)
struct plan {
    uint32_t count;
    uint32_t named;
    struct leg legs[MODEL_LEGS_MAX];
};

static inline bool same_id(struct hf_id a, struct hf_id b)
{
    return a.lo == b.lo && a.hi == b.hi;
}

static inline bool no_id(struct hf_id id)
{
    return id.lo == 0 && id.hi == 0;
}

static inline struct outcome refuse(uint16_t code, uint8_t rule, uint8_t entry,
                                    const struct model_account *account)
{
    return (struct outcome){.code = code, .rule = rule, .entry = entry, .account = account};
}

static inline struct outcome approve(uint64_t approved, const struct model_account *account)
{
    return (struct outcome){.code = HF_CODE_OK, .approved = approved, .account = account};
}

static inline bool approved(const struct outcome *outcome)
{
    return outcome->code == HF_CODE_OK || outcome->code == HF_CODE_OK_PARTIAL;
}

/* model.c */
struct model_account *find_account(struct model_books *books, struct hf_id id);
struct model_instrument *find_instrument(struct model_books *books, struct hf_id token);
struct model_hold *find_hold(struct model_books *books, struct hf_id id);
void add_event(const struct turn *turn, uint8_t kind, struct hf_id subject, wide amount,
               uint16_t asset, uint8_t entry);

/* model_plan.c */
struct model_balance balance_of(struct model_books *books, const struct model_account *account);
wide spendable_of(struct model_books *books, const struct model_account *account);
/* The order of an account's standing is cut in two where `value` looks at payer and payee in turn:
 * OK, or the code. `attributes` is NULL of who is no payer. */
uint16_t standing_kind(const struct model_account *account, uint16_t asset);
uint16_t standing_rest(const struct turn *turn, const struct model_account *account,
                       const struct attributes *attributes);
uint16_t standing(const struct turn *turn, const struct model_account *account, uint16_t asset,
                  const struct attributes *attributes);
bool filter_passes(const struct hf_filter *filter, const struct attributes *attributes);
void begin_plan(struct plan *plan);
void add_leg(struct plan *plan, struct model_account *account, struct model_balance change,
             uint8_t rule, uint8_t entry, bool is_debit);
/* What the account can pay after what the plan took already: never below 0. */
wide can_pay(struct model_books *books, const struct plan *plan,
             const struct model_account *account);
/* Looks at all guards: OK, or the first that refuses. Adds the ancestors' legs. */
struct outcome pass_guards(struct model_books *books, struct plan *plan);
/* Changes the balances and tells of it. The guards have passed. */
void apply_plan(const struct turn *turn, const struct plan *plan);
/* Steps 1 to 4 of what MOVE, HOLD and AUTH check, then 5 and 6: the plan is left as the guards
 * passed it. And all six. */
struct outcome check_parties(const struct turn *turn, struct hf_id payer, struct hf_id payee,
                             uint16_t asset, const struct attributes *attributes);
struct outcome check_amount(const struct turn *turn, struct hf_id payer, struct hf_id payee,
                            uint64_t amount, bool holds, struct plan *plan);
struct outcome check_value(const struct turn *turn, struct hf_id payer, struct hf_id payee,
                           uint16_t asset, uint64_t amount, const struct attributes *attributes,
                           bool holds, struct plan *plan);
/* Of MOVE_PLAN and HOLD_PLAN all but the guards: who takes how much (of a source or destination at
 * its place in the list), and the plan of it. */
struct outcome compile_plan(const struct turn *turn, const struct hf_op_plan *request,
                            const struct hf_op_entry *entries, bool holds, struct plan *plan,
                            uint64_t takes[HF_PLAN_CANDIDATES_MAX + HF_PLAN_DESTINATIONS_MAX]);

/* model_hold.c */
void forget_first_ended(struct model_books *books);
/* With which HOLD, HOLD_PLAN and AUTH begin. `expires_ns` of 0 never comes. */
struct outcome begin_hold(const struct turn *turn, uint64_t expires_ns);
/* One payer's hold, there is room for it. It is plain: the caller sets what else there is. */
struct model_hold *make_plain_hold(const struct turn *turn, struct hf_id payer, struct hf_id payee,
                                   uint16_t asset, uint64_t amount, uint64_t expires_ns);
/* By class; 0: never. */
uint64_t class_expiry_of(const struct turn *turn, uint8_t class_number);
struct outcome do_hold(const struct turn *turn);
struct outcome do_hold_plan(const struct turn *turn);
struct outcome do_capture(const struct turn *turn);
struct outcome do_release(const struct turn *turn);
struct outcome do_adjust(const struct turn *turn);
struct outcome do_attest(const struct turn *turn);
struct outcome do_expire(const struct turn *turn);

/* model_auth.c */
struct outcome do_limit_put(const struct turn *turn);
struct outcome do_auth(const struct turn *turn);

#endif
