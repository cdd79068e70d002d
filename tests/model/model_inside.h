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
    uint64_t place; /* of a dry run the one it would get */
    uint32_t origin;
    bool is_dry;
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
/* What was forgiven, if anything was. */
void tell_exception(const struct turn *turn, struct hf_id record, uint64_t amount, uint16_t asset,
                    const struct outcome *forgiven);

/* model_plan.c */
struct model_balance balance_of(struct model_books *books, const struct model_account *account);
wide spendable_of(struct model_books *books, const struct model_account *account);
/* What model_available says, of an account that comes to `balance`. */
wide available_in(const struct model_account *account, const struct model_balance *balance);
/* The order of an account's standing is cut in two where `value` looks at payer and payee in turn:
 * OK, or the code. `attributes` is NULL of who is no payer. */
uint16_t standing_kind(const struct model_account *account, uint16_t asset);
uint16_t standing_rest(const struct turn *turn, const struct model_account *account,
                       const struct model_attributes *attributes);
uint16_t standing(const struct turn *turn, const struct model_account *account, uint16_t asset,
                  const struct model_attributes *attributes);
void begin_plan(struct plan *plan);
void add_leg(struct plan *plan, struct model_account *account, struct model_balance change,
             uint8_t rule, uint8_t entry, bool is_debit);
/* What the account can pay after what the plan took already: never below 0. */
wide can_pay(struct model_books *books, const struct plan *plan,
             const struct model_account *account);
/* Looks at all guards: OK, or the first that refuses. Adds the ancestors' legs. Unless `forgiven`
 * is NULL, floors and ceilings do not bind: the first that would have refused is noted there. */
struct outcome pass_guards(struct model_books *books, struct plan *plan, struct outcome *forgiven);
/* After a plan that was forgiven its accounts may stand outside their bounds. */
void loosen_bounds(const struct plan *plan);
/* Keeps the first thing that is forgiven. */
void forgive(struct outcome *forgiven, struct outcome refusal);
/* Changes the balances and tells of it. The guards have passed. */
void apply_plan(const struct turn *turn, const struct plan *plan);
/* Steps 1 to 4 of what MOVE, HOLD and AUTH check, then 5 and 6: the plan is left as the guards
 * passed it. And all six. */
struct outcome check_parties(const struct turn *turn, struct hf_id payer, struct hf_id payee,
                             uint16_t asset, const struct model_attributes *attributes);
struct outcome check_amount(const struct turn *turn, struct hf_id payer, struct hf_id payee,
                            uint64_t amount, bool holds, struct plan *plan);
struct outcome check_value(const struct turn *turn, struct hf_id payer, struct hf_id payee,
                           uint16_t asset, uint64_t amount,
                           const struct model_attributes *attributes, bool holds,
                           struct plan *plan);
/* Of MOVE_PLAN and HOLD_PLAN all but the guards: who takes how much (of a source or destination at
 * its place in the list), and the plan of it. */
struct outcome compile_plan(const struct turn *turn, const struct hf_op_plan *request,
                            const struct hf_op_entry *entries, bool holds, struct plan *plan,
                            uint64_t takes[HF_PLAN_CANDIDATES_MAX + HF_PLAN_DESTINATIONS_MAX]);

/* model_hold.c */
void forget_first_ended(struct model_books *books);
void forget_stale(struct model *model, uint64_t now_ns);
/* Payers are numbered when there are several. */
uint8_t part_number(const struct model_hold *hold, uint32_t part);
bool hold_has_expired(const struct model_hold *hold, uint64_t now_ns);
/* A place for a hold or record of the operation's id; there is room. Of its memory only the
 * operation is filled here. */
struct model_hold *make_hold(const struct turn *turn);
/* Room for a hold, for its parts if it has several, for its conditions. */
bool has_room(const struct model *model, uint32_t parts, uint32_t conditions);
/* Nothing is held any more. One that has ended before keeps its turn. */
void end_hold(const struct turn *turn, struct model_hold *hold, uint8_t status);
void list_remaining(const struct model_hold *hold, wide remaining[]);
void set_remaining(struct model_hold *hold, const wide remaining[]);
/* Legs of an amount that goes back; `remaining` is what the parts have then. */
void plan_release(struct model_books *books, const struct model_hold *hold, wide amount,
                  struct plan *plan, wide remaining[]);
/* The plan of a capture that nothing but its guards can refuse, carried out and told. `back` is
 * what then went back of each part. */
struct outcome capture_amount(const struct turn *turn, struct model_hold *hold,
                              struct model_account *payee, uint64_t amount, bool final,
                              struct outcome *forgiven, wide back[MODEL_PARTS_MAX]);
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

/* model_limit.c */
struct outcome do_limit_put(const struct turn *turn);

/* Limits that bear on a payment, each once, and what it draws of each or gives back. */
#define BEARING_MAX \
    (HF_LIMITS_A_SCOPE * (1 + HF_INSTRUMENT_ACCOUNTS_MAX * (1 + HF_PARENT_DEPTH_MAX)))
struct bearing_line {
    struct model_limit *limit;
    uint8_t rule;
    wide amount;  /* drawn, or given back of the first draw */
    wide further; /* given back of what was drawn since */
};
struct bearing {
    uint32_t count;
    struct bearing_line lines[BEARING_MAX];
};
static inline void begin_bearing(struct bearing *bearing)
{
    bearing->count = 0;
}
/* Those whose filter lets the payment pass, behind the others, with so much more. */
void bear_instrument(struct model_books *books, const struct model_instrument *card,
                     const struct model_attributes *attributes, wide amount, wide further,
                     struct bearing *bearing);
/* Of an account, then of its ancestors from the nearest up. */
void bear_account(struct model_books *books, struct hf_id account,
                  const struct model_attributes *attributes, wide amount, wide further,
                  struct bearing *bearing);
/* The one that allows least. `raised` is NULL, or the hold that is raised: then counts do not
 * matter, and an OPERATION has used what it holds. `taken` is NULL, or what was taken before. */
struct strictest {
    bool is_any;
    uint64_t allows;
    bool is_used_up;
    struct outcome refusal;
};
struct strictest find_strictest(const struct turn *turn, const struct bearing *bearing,
                                const struct model_hold *raised, const struct bearing *taken);
/* Draws from each what its line says, and tells of it. */
void draw_bearing(const struct turn *turn, const struct bearing *bearing, uint16_t asset,
                  bool counts);
/* Gives back to each, as far as the record drew from it and it is still there to be given back. */
void restore_bearing(const struct turn *turn, const struct bearing *bearing,
                     const struct model_hold *hold, bool counts);

/* model_auth.c */
/* What is authorised, by an AUTH or a force-posted CLEAR. */
struct request {
    struct hf_id token;
    struct hf_id payee;
    uint64_t amount;
    uint64_t minimum;
    uint16_t asset;
    uint8_t class_number;
    uint16_t tolerance;
    uint64_t acquirer;
    uint8_t flags;  /* enum hf_authorisation_flag: FORCED, ESTIMATED */
    bool is_posted; /* at once, instead of being held */
    struct model_attributes attributes;
};
struct outcome authorise(const struct turn *turn, const struct request *request,
                         struct outcome *forgiven);
struct outcome do_auth(const struct turn *turn);
/* The record of an AUTH that was refused. */
void record_refusal(const struct turn *turn);
struct outcome check_card(const struct turn *turn, const struct model_instrument *card,
                          uint64_t amount, bool looks_at_counter);

/* model_card.c */
struct outcome do_increment(const struct turn *turn);
struct outcome do_reverse(const struct turn *turn);
struct outcome do_clear(const struct turn *turn);

#endif
