/* The model: a second ledger, slow and plain, to hold the engine against.
 *
 * Written from OPERATIONS.md and the layouts alone. It shares no code with the engine: records lie
 * in arrays and are searched from the front, sums are made in 128 bits and looked at afterwards, a
 * dry run is a real run on books that are put back, and exactly-once compares whole operations
 * instead of fingerprints. Where the two agree, two people have read the page the same way.
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

/* An operation that was carried out or refused at a place, and the answer it got, with balances
 * whether it had asked for them or not. */
struct model_memory {
    union hf_operation operation;
    struct hf_reply answer;
};

struct model_asset {
    uint16_t asset;
    uint8_t scale;
    char code[8];
};

struct model_account {
    struct hf_id id;
    int64_t posted;
    int64_t floor;
    uint64_t held_out;
    uint64_t held_in;
    uint64_t lifetime_debits;
    uint16_t asset;
    uint8_t status;
    bool floor_raised; /* the floor was set above what is spendable */
};

struct model_instrument {
    struct hf_id token;
    struct hf_id account;
    uint64_t expires_ns;
    uint64_t amount_limit;
    uint64_t remaining;
    uint8_t status;
    uint8_t flags;
};

struct model_hold {
    struct hf_id id;
    struct hf_id payer;
    struct hf_id payee;
    uint64_t amount;
    uint64_t remaining;
    uint64_t captured;
    uint64_t resolution; /* 0 while open, else which resolution of all it was, from 1 */
    struct model_memory memory;
    uint16_t asset;
};

/* All that an operation may change besides what exactly-once remembers. */
struct model_books {
    uint32_t asset_count;
    uint32_t account_count;
    uint32_t instrument_count;
    uint32_t hold_count; /* open and resolved, in the order in which they were made */
    uint64_t resolution_count;
    struct model_asset assets[HF_LEDGER_ASSETS_MAX];
    struct model_account accounts[MODEL_ACCOUNTS_MAX];
    struct model_instrument instruments[MODEL_INSTRUMENTS_MAX];
    struct model_hold holds[MODEL_HOLDS_MAX];
};

struct model {
    struct hf_ledger_limits limits;
    struct model_books *books;
    struct model_books *kept; /* what the books were before a dry run */
    uint64_t place;
    uint64_t timestamp_ns;       /* of the newest operation */
    uint64_t forgotten_floor_ms; /* one more than the largest time of a forgotten id */
    uint32_t remembered_start;
    uint32_t remembered_count; /* oldest first, from remembered_start on, going round */
    struct hf_id remembered_ids[MODEL_REMEMBERED_MAX];
    struct model_memory remembered[MODEL_REMEMBERED_MAX];
};

/* An empty model in memory of its own. The limits fit the arrays above (asserted). */
struct model *model_create(const struct hf_ledger_limits *limits);
void model_destroy(struct model *model);

/* Goes on under other limits, which hold all that may not be forgotten (asserted): what image.h
 * says of loading into another ledger. */
void model_resize(struct model *model, const struct hf_ledger_limits *limits);

/* What hf_operation_check must say. */
struct hf_verdict model_check(const union hf_operation *operation, size_t available);

/* Applies one operation; true when it took a place. */
bool model_apply(struct model *model, uint64_t timestamp_ns, const union hf_operation *operation,
                 struct hf_reply *reply);

/* Answers a QUERY. Bytes of the view beyond the reply's length are zero. */
void model_query(const struct model *model, const struct hf_op_query *query,
                 struct hf_query_reply *reply);

/* The smallest id time that is not too old, in Unix milliseconds. */
uint64_t model_floor_ms(const struct model *model, uint64_t timestamp_ns);

uint64_t model_holds_open(const struct model *model);
const struct model_account *model_account_of(const struct model *model, struct hf_id id);
const struct model_hold *model_hold_of(const struct model *model, struct hf_id id);
const struct model_memory *model_memory_of(const struct model *model, struct hf_id id);
/* posted - held_out - floor, cut to 64 bits; INT64_MAX without a floor. */
int64_t model_available(const struct model_account *account);

#endif
