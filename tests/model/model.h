/* The model: a second ledger, slow and plain, to hold the engine against.
 *
 * Written from OPERATIONS.md and the layouts alone. It shares no code with the engine: records lie
 * in arrays and are searched from the front, sums are made in 128 bits and looked at afterwards, a
 * total is summed up from its children whenever it is asked for, the smallest residual is looked
 * for among all sets there are, a dry run and a chain that fails are real runs on books that are
 * put back, a limit keeps a list of all that was drawn and given back, months come from the C
 * library's calendar, and exactly-once compares whole operations instead of fingerprints. Where the
 * two agree, two people have read the page the same way.
 *
 * The records are open to the tests: a generator that wants to hit an edge must know where it is.
 */
#ifndef HF_TESTS_MODEL_MODEL_H
#define HF_TESTS_MODEL_MODEL_H

#include "engine/ledger.h"

#define MODEL_ACCOUNTS_MAX    256
#define MODEL_INSTRUMENTS_MAX 128
#define MODEL_HOLDS_MAX       256
#define MODEL_REMEMBERED_MAX  4096
#define MODEL_LIMITS_MAX      512
#define MODEL_PARTS_MAX       HF_PLAN_CANDIDATES_MAX
#define MODEL_PARTS_USED_MAX  1024 /* of all open holds together */

__extension__ typedef __int128 model_wide;

/* Room for the longest operation. */
union model_operation {
    union hf_operation operation;
    uint64_t words[HF_OPERATION_LENGTH_MAX / 8];
};

/* An operation that was carried out or refused at a place, and the answer it got, with balances
 * whether it had asked for them or not. The operation lives as long as the model. */
struct model_memory {
    const union hf_operation *operation;
    struct hf_reply answer;
};

struct model_asset {
    uint16_t asset;
    uint8_t scale;
    char code[8];
};

/* Balances of accounts that are no totals; those of totals are never stored. */
struct model_account {
    struct hf_id id;
    int64_t posted;
    int64_t floor;
    uint64_t held_out;
    uint64_t held_in;
    uint64_t lifetime_debits;
    uint16_t asset;
    uint8_t status;
    bool is_total;
    bool has_terms;
    int64_t ceiling;
    uint64_t expires_ns; /* 0: never */
    struct hf_id parent; /* zero: none */
    uint32_t parent_at;  /* where in the books that is: before this account, which came later */
    struct hf_id sink;   /* zero: none */
    struct hf_filter filter;
    bool floor_raised;    /* the floor was set above what is spendable, or an expiry swept below */
    bool ceiling_lowered; /* the ceiling was set below what is incoming */
};

/* What an account comes to: its own, or of a total the sum of its children. */
struct model_balance {
    model_wide posted;
    model_wide held_out;
    model_wide held_in;
    model_wide lifetime_debits;
};

struct model_instrument {
    struct hf_id token;
    struct hf_id account;
    uint64_t expires_ns;
    uint64_t amount_limit;
    uint64_t remaining;
    uint8_t status;
    uint8_t flags;
    uint8_t further_count;
    struct hf_id further[HF_INSTRUMENT_FURTHER_MAX];
    uint64_t put_place; /* of the newest INSTRUMENT_PUT */
    uint64_t listed;    /* how many records it ever had */
};

/* On an instrument or an account. What was drawn, and what was given back, is a list in the model,
 * newest first. */
struct model_limit {
    struct hf_id scope_id;
    uint64_t max_amount;
    uint64_t max_count;
    uint64_t length_ns;
    uint8_t scope; /* enum hf_limit_scope */
    uint8_t number;
    uint8_t window; /* enum hf_limit_window */
    uint8_t start;
    int16_t zone_minutes;
    uint32_t newest;     /* number of the newest draw, from 1; 0: nothing was drawn */
    int64_t last_window; /* in which it was drawn last */
    uint64_t
        since_place; /* since when it counts as it does: made, emptied, or its filter changed */
    bool is_blurred; /* something was given back that was perhaps never drawn from it */
    struct hf_filter filter;
};

struct model_used {
    uint64_t amount;
    uint64_t count;
};

/* One limit's share in one authorisation, or what was given back of it: what its window, or its
 * bucket, then came to. Never changed once it is there. */
struct model_draw {
    struct model_used used;
    int64_t window;  /* number of the window, or of the bucket, that it fell into */
    int64_t last;    /* that of the newest draw then: no entry before it lies behind */
    uint32_t before; /* number of the same limit's draw before, 0: none */
};

struct model_part {
    struct hf_id account;
    uint64_t remaining;
};

/* What filters look at. */
struct model_attributes {
    uint16_t mcc;
    uint16_t country;
    uint8_t channel;
    uint8_t merchant[16];
};

/* What is known of an authorisation besides its hold. */
struct model_record {
    bool is_there;
    struct hf_id token; /* zero: no known instrument */
    uint64_t number;    /* among the instrument's records, from 1 */
    uint64_t place;     /* at which it was drawn */
    struct model_attributes attributes;
    uint64_t acquirer;
    uint64_t reversed;
    uint64_t first; /* drawn when it was made, as far as it was not given back */
    uint64_t drawn_ns;
    uint64_t further; /* drawn since, likewise */
    uint64_t further_ns;
    uint16_t exception;
    uint8_t flags;    /* enum hf_authorisation_flag */
    bool is_adjusted; /* by an operation that knows nothing of limits */
};

struct model_hold {
    struct hf_id id;
    struct hf_id payee; /* zero: open */
    uint64_t amount;
    uint64_t remaining;
    uint64_t captured;
    uint64_t expires_ns; /* 0: never */
    uint64_t ended;      /* 0 while open, else which ending of all it was, from 1 */
    uint64_t ended_ns;   /* and when */
    uint32_t origin;
    uint16_t asset;
    uint16_t tolerance;
    uint8_t status; /* enum hf_hold_status */
    uint8_t policy;
    uint8_t class_number;
    uint8_t part_count;
    uint8_t condition_count;
    uint8_t required;
    uint8_t met;                              /* bit n: condition n + 1 has been proved */
    struct model_part parts[MODEL_PARTS_MAX]; /* the first is the payer */
    struct hf_op_condition conditions[HF_CONDITIONS_MAX];
    struct model_record record;
    struct model_memory memory; /* without an operation while it is reversed before it came */
};

/* All that an operation may change besides what exactly-once remembers. */
struct model_books {
    uint32_t asset_count;
    uint32_t account_count;
    uint32_t instrument_count;
    uint32_t
        hold_count; /* open and ended, and records by themselves, in the order they were made */
    uint32_t limit_count;
    uint32_t draw_count; /* those behind never happened */
    uint64_t ended_count;
    uint64_t lifetimes_ns[HF_CLASSES];
    struct model_asset assets[HF_LEDGER_ASSETS_MAX];
    struct model_account accounts[MODEL_ACCOUNTS_MAX];
    struct model_instrument instruments[MODEL_INSTRUMENTS_MAX];
    struct model_limit limits[MODEL_LIMITS_MAX];
    struct model_hold holds[MODEL_HOLDS_MAX];
};

struct model_text;

struct model {
    struct hf_ledger_limits limits;
    struct model_books *books;
    struct model_books *before_dry_run;
    struct model_books *before_chain;
    struct model_text *texts; /* every operation that took a place, kept until the end */
    struct model_draw *draws; /* number n is at n - 1 */
    uint32_t draws_room;
    uint64_t place;
    uint64_t timestamp_ns;       /* of the newest operation */
    uint64_t forgotten_floor_ms; /* one more than the largest time of a forgotten id */
    uint32_t remembered_start;
    uint32_t remembered_count; /* oldest first, from remembered_start on, going round */
    struct hf_id remembered_ids[MODEL_REMEMBERED_MAX];
    struct model_memory remembered[MODEL_REMEMBERED_MAX];
    uint32_t event_count; /* of the operation applied last */
    struct hf_event events[HF_EVENTS_MAX];
};

/* An empty model in memory of its own. The limits fit the arrays above (asserted). */
struct model *model_create(const struct hf_ledger_limits *limits);
void model_destroy(struct model *model);

/* Makes one model as another is, of the same limits, that has forgotten nothing yet. It goes on
 * looking at operations that the other keeps. */
void model_copy(struct model *to, const struct model *from);

/* Goes on under other limits, which hold all that may not be forgotten (asserted): what image.h
 * says of loading into another ledger. */
void model_resize(struct model *model, const struct hf_ledger_limits *limits);

/* What hf_operation_check and hf_operation_check_logged must say. */
struct hf_verdict model_check(const union hf_operation *operation, size_t available);
struct hf_verdict model_check_logged(const union hf_operation *operation, size_t available);

/* Applies one operation, leaves its events in the model; true when it took a place. */
bool model_apply(struct model *model, uint64_t timestamp_ns, const union hf_operation *operation,
                 struct hf_reply *reply);

/* Payers of an instrument, in their order; how many. */
uint32_t model_payers_of(const struct model_instrument *instrument,
                         struct hf_id payers[HF_INSTRUMENT_ACCOUNTS_MAX]);

/* Answers a QUERY. Bytes of the view beyond the reply's length are zero. Of ACCOUNT_HOLDS it gives
 * the account and no lines: in which order those come is the engine's own affair. */
void model_query(const struct model *model, const struct hf_op_query *query,
                 struct hf_query_reply *reply);

/* The lines of all open holds on an account, and how many. */
uint32_t model_lines_of(const struct model *model, struct hf_id account,
                        struct hf_hold_line lines[MODEL_HOLDS_MAX]);

/* The smallest id time that is not too old, in Unix milliseconds. */
uint64_t model_floor_ms(const struct model *model, uint64_t timestamp_ns);

/* An open hold whose time has come; an expired account, no total, not closed, with something to
 * spend and a sink. */
bool model_hold_is_due(const struct model_hold *hold, uint64_t timestamp_ns);
bool model_account_is_due(const struct model *model, const struct model_account *account,
                          uint64_t timestamp_ns);
/* The same, and the sink and all guards let the sweep pass now. */
bool model_account_can_sweep(struct model *model, const struct model_account *account,
                             uint64_t timestamp_ns);

/* What is used of a limit at that time; and what it lets through then. */
struct model_used model_used_of(const struct model *model, const struct model_limit *limit,
                                uint64_t timestamp_ns);
uint64_t model_left_of(const struct model *model, const struct model_limit *limit,
                       uint64_t timestamp_ns);
/* The window that the time falls into: other windows have other numbers, later ones larger. Of a
 * ROLLING limit the bucket. */
int64_t model_window_of(const struct model_limit *limit, uint64_t timestamp_ns);
/* A scope's limits by number; how many. */
uint32_t model_limits_of(const struct model *model, uint8_t scope, struct hf_id id,
                         const struct model_limit *limits[HF_LIMITS_A_SCOPE]);
const struct model_limit *model_limit_of(const struct model *model, uint8_t scope, struct hf_id id,
                                         uint8_t number);
uint64_t model_rolling_used(const struct model *model);
bool model_filter_passes(const struct hf_filter *filter, const struct model_attributes *attributes);

uint64_t model_holds_open(const struct model *model);
uint64_t model_terms_used(const struct model *model);
uint64_t model_selectors_used(const struct model *model);
uint64_t model_parts_used(const struct model *model);
uint64_t model_conditions_used(const struct model *model);
const struct model_account *model_account_of(const struct model *model, struct hf_id id);
const struct model_instrument *model_instrument_of(const struct model *model, struct hf_id token);
/* A hold or record that is known at the newest operation's time. */
const struct model_hold *model_hold_of(const struct model *model, struct hf_id id);
/* It is known no more, though nothing has taken its place yet. */
bool model_is_stale(const struct model *model, const struct model_hold *hold,
                    uint64_t timestamp_ns);
const struct model_memory *model_memory_of(const struct model *model, struct hf_id id);
struct model_balance model_balance_of(const struct model *model,
                                      const struct model_account *account);
/* Of all accounts, by their places in the books. */
void model_balances_of(const struct model *model, struct model_balance balances[]);
/* posted - held_out - floor, cut to 64 bits; INT64_MAX without a floor. */
int64_t model_available(const struct model *model, const struct model_account *account);

#endif
