/* What the load consists of: which accounts there are, what the next operation is, and what the
 * books must say when it has been answered.
 *
 * Ids follow from numbers, so that every run, and a check long after, means the same accounts:
 * account i is ACCOUNT_BASE + i, its card TOKEN_BASE + i. After the last account come two that
 * every workload has: the issuance account (no floor) and the acquirer. */
#ifndef HF_TOOLS_WORKLOAD_H
#define HF_TOOLS_WORKLOAD_H

#include "net/holdfast.h"
#include "random.h"

#define HF_WORKLOAD_ASSET        840 /* USD */
#define HF_WORKLOAD_ASSET_CODE   "USD"
#define HF_WORKLOAD_ASSET_SCALE  2
#define HF_WORKLOAD_ACCOUNT_BASE UINT64_C(1000000000000)
#define HF_WORKLOAD_TOKEN_BASE   UINT64_C(2000000000000)
#define HF_WORKLOAD_ISSUANCE     UINT64_C(900000000001)
#define HF_WORKLOAD_ACQUIRER     UINT64_C(900000000002)
#define HF_WORKLOAD_ACCOUNTS_MAX (UINT64_C(1) << 31)

enum hf_workload_kind {
    HF_WORKLOAD_TRANSFER, /* MOVE from one account to another */
    HF_WORKLOAD_AUTH,     /* AUTH by card; of the approved, `clear_percent` captured in full */
    HF_WORKLOAD_SPLIT,    /* MOVE_PLAN: three payers in a waterfall, one payee */
    HF_WORKLOAD_HOLD,     /* HOLD, then a capture of part of it, the rest goes back */
    HF_WORKLOAD_MIXED,    /* of ten: 5 transfers, 2 splits, 2 holds with their captures, 1 AUTH */
    HF_WORKLOAD_CARDS,    /* AUTH by card, and a while later a CLEAR of `clear_percent` of them: of
                             most the amount, of some less, or more as with a tip */
    HF_WORKLOAD_QUERY,    /* QUERY of an account, of its card, and of the card's newest AUTHs */
};

/* "transfer", "auth", "split", "hold", "mixed", "cards", "query". */
const char *hf_workload_kind_name(enum hf_workload_kind kind);
bool hf_workload_kind_parse(const char *text, enum hf_workload_kind *kind);

struct hf_id hf_workload_account_id(uint64_t accounts, uint64_t index);
struct hf_id hf_workload_token(uint64_t index);
/* The index of an account, up to accounts + 1; UINT64_MAX: none of ours. */
uint64_t hf_workload_account_index(uint64_t accounts, struct hf_id id);

/* What the kind needs: cards, and how many accounts at least. */
bool hf_workload_needs_cards(enum hf_workload_kind kind);
uint64_t hf_workload_accounts_min(enum hf_workload_kind kind);

/* Payers of a split besides the first. */
#define HF_WORKLOAD_FURTHER 2

/* What becomes of an authorisation. */
enum hf_workload_fate {
    HF_WORKLOAD_KEPT,       /* nothing, or it is captured or cleared */
    HF_WORKLOAD_OVERTAKEN,  /* reversed before it is sent: it comes too late */
    HF_WORKLOAD_CHASED,     /* reversed behind it, before there is an answer: its sender gave up */
    HF_WORKLOAD_TAKEN_BACK, /* reversed when it has been approved */
    HF_WORKLOAD_VOIDED,     /* reversed a while later */
    HF_WORKLOAD_FATES,
};

/* One operation as the books and the journal see it. */
struct hf_workload_entry {
    struct hf_id id;
    uint8_t type;          /* MOVE, MOVE_PLAN, HOLD, AUTH, CAPTURE, CLEAR, REVERSE or QUERY */
    uint8_t further_count; /* MOVE_PLAN */
    uint8_t fate;          /* AUTH: enum hf_workload_fate */
    uint64_t payer, payee; /* account indices */
    uint64_t amount;       /* all of it; REVERSE: at most */
    int64_t returned;      /* CAPTURE, CLEAR: goes back to the payer; below 0: more than was held */
    struct {
        uint64_t payer;
        uint64_t amount; /* its part of the amount; the first payer has the rest */
    } further[HF_WORKLOAD_FURTHER];
};

/* Room for the longest of them. */
union hf_workload_operation {
    union hf_operation operation;
    uint8_t bytes[256];
};

/* Balances as they must be: of every account, the issuance account and the acquirer. */
struct hf_workload_balance {
    int64_t posted;
    int64_t held_out;
    int64_t held_in;
};
/* Enters one operation that was carried out. `approved` is its answer's: how much was reversed,
 * only the node knows. */
void hf_workload_enter(struct hf_workload_balance *balances, const struct hf_workload_entry *entry,
                       uint64_t approved);

struct hf_workload_settings {
    enum hf_workload_kind kind;
    uint64_t accounts; /* at least hf_workload_accounts_min */
    double zipf;       /* exponent; 0: uniform */
    uint64_t seed;
    uint64_t operations;       /* how many at most, when known: less to prepare; 0: not known */
    uint32_t clear_percent;    /* AUTH: how many approved ones are captured or cleared later */
    uint32_t limits;           /* of each card, to HF_LIMITS_A_SCOPE: every AUTH draws them all */
    uint32_t reverse_permille; /* AUTH: how many are reversed, in one of four ways */
};

struct hf_workload;

/* Prepares a workload; NULL when there is no memory. Zipf ranks are drawn here, ahead of time: the
 * sampler's logarithms must not show in the measured path. Up to 4 Mi draws, then used again. */
struct hf_workload *hf_workload_create(const struct hf_workload_settings *settings);
void hf_workload_destroy(struct hf_workload *workload);

/* Makes the next operation with a new id. */
void hf_workload_next(struct hf_workload *workload, struct hf_client *client,
                      union hf_workload_operation *op, struct hf_workload_entry *entry);

/* An AUTH or a HOLD was approved: some of these will be captured, cleared or reversed. */
void hf_workload_approved(struct hf_workload *workload, const struct hf_workload_entry *entry);

#endif
