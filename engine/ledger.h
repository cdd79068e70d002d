/* The ledger: the face of the engine.
 *
 * A deterministic state machine. In: bundles of operations with a timestamp, in the one order. Out:
 * answers. It reads no clock, makes no system call, allocates nothing after create and keeps no
 * pointer to what it was given. Two ledgers with the same limits, given the same bundles, hold the
 * same state and have given the same answers.
 *
 * One thread at a time. What each operation does is in OPERATIONS.md. */
#ifndef HF_ENGINE_LEDGER_H
#define HF_ENGINE_LEDGER_H

#include "event.h"
#include "operation.h"
#include "status.h"

#define HF_BUNDLE_OPERATIONS_MAX 64

/* How much the ledger can hold. Sized at start; a full table refuses with CAPACITY and evicts no
 * money. */
struct hf_ledger_limits {
    uint64_t accounts;    /* 1 to HF_LEDGER_RECORDS_MAX */
    uint64_t instruments; /* likewise */
    uint64_t holds; /* likewise; resolved holds are forgotten, oldest first, when an open one needs
                       the place */
    uint64_t terms; /* accounts with terms, 1 to HF_LEDGER_RECORDS_MAX */
    uint64_t parts; /* payers of open holds that have several; and as many conditions; likewise */
    uint64_t selectors;   /* instruments with several accounts, likewise */
    uint64_t limits;      /* of instruments and accounts, 1 to HF_LEDGER_RECORDS_MAX */
    uint64_t rolling;     /* of these, with a rolling window; likewise. A kilobyte each */
    uint64_t remembered;  /* operation ids whose answers are remembered; likewise */
    uint64_t remember_ns; /* and for how long, by log time */
    uint64_t record_ns;   /* for how long, by log time, ended holds and authorisations stay known */
    uint64_t id_ahead_ns; /* how far an id's time may lie ahead of log time: beyond is ID_TOO_NEW */
};
#define HF_LEDGER_RECORDS_MAX (UINT64_C(1) << 31)
#define HF_LEDGER_ASSETS_MAX  256

struct hf_ledger;

/* Bytes that hf_ledger_create needs, at 64-byte alignment; 0 when a limit is outside its range. */
size_t hf_ledger_memory_size(const struct hf_ledger_limits *limits);

/* Makes an empty ledger inside `memory`, which must be zeroed, 64-byte aligned, `size` bytes long,
 * and stays the caller's: it must outlive the ledger and be released by the caller alone. NULL when
 * size or limits do not do. */
struct hf_ledger *hf_ledger_create(const struct hf_ledger_limits *limits, void *memory,
                                   size_t size);

/* Applies up to HF_BUNDLE_OPERATIONS_MAX operations in order, at one timestamp (never smaller than
 * the last), and fills replies[i] for each (with durability 0: the node names it). Every operation
 * must have passed hf_operation_check and be no QUERY (asserted as far as the engine's own memory
 * and arithmetic stand on it).
 *
 * Returns a mask: bit i is set when operations[i] took a new place in the order and so must be
 * logged. Repeats, ids out of range and dry runs take none. Places are given without gaps, in
 * order. */
uint64_t hf_ledger_apply(struct hf_ledger *ledger, uint64_t timestamp_ns,
                         const union hf_operation *const operations[], uint32_t count,
                         struct hf_reply replies[]);

/* From now on hf_ledger_apply tells what happens; NULL: to nobody. Borrowed. */
void hf_ledger_watch(struct hf_ledger *ledger, struct hf_events *events);

/* Makes the EXPIRE (without id and origin, which are the caller's) that ends what is due at this
 * time, at most HF_EXPIRIES_MAX of them: `expire` has room for HF_EXPIRE_LENGTH_MAX bytes. Changes
 * nothing: only applying it does. False when nothing is due; or, with thousands of expiries near
 * each other, when a call's bounded work has found nothing yet: the next one goes on. What could
 * not be ended, because an account's sink refused, is due again after an hour (unless the account
 * changes before). Costs 140 instructions when there is nothing to do, and some 90,000 at most for
 * each of holds and accounts. */
bool hf_ledger_make_expire(const struct hf_ledger *ledger, uint64_t timestamp_ns,
                           struct hf_op_expire *expire);
#define HF_EXPIRE_LENGTH_MAX \
    (sizeof(struct hf_op_expire) + HF_EXPIRIES_MAX * sizeof(struct hf_op_expiry))
union hf_expire_room {
    struct hf_op_expire expire;
    union hf_operation operation; /* the same, to be applied */
    uint8_t bytes[HF_EXPIRE_LENGTH_MAX];
};

/* Answers one QUERY from the state as it is now. Changes nothing. */
void hf_ledger_query(const struct hf_ledger *ledger, const struct hf_op_query *query,
                     struct hf_query_reply *reply);

/* The place of the newest operation, 0 when there is none; and its timestamp. */
uint64_t hf_ledger_place(const struct hf_ledger *ledger);
uint64_t hf_ledger_timestamp_ns(const struct hf_ledger *ledger);

/* How full it is. */
struct hf_ledger_counts {
    uint64_t accounts;
    uint64_t instruments;
    uint64_t holds_open;
    uint64_t holds_resolved; /* kept, may be forgotten */
    uint64_t terms;
    uint64_t parts;
    uint64_t conditions;
    uint64_t selectors;
    uint64_t limits;
    uint64_t rolling;
    uint64_t remembered;
    uint64_t assets;
    uint64_t floor_ms; /* ids whose time is below it and that are not remembered are ID_TOO_OLD */
    uint64_t memory_bytes;         /* all of the arena */
    uint64_t memory_account_bytes; /* of that, the account table */
};
void hf_ledger_count(const struct hf_ledger *ledger, struct hf_ledger_counts *counts);
const struct hf_ledger_limits *hf_ledger_limits_of(const struct hf_ledger *ledger);

/* Posted balances of one asset, totals left out, summed up: zero, always. Saturates never (128-bit
 * inside); false when not zero. */
bool hf_ledger_is_balanced(const struct hf_ledger *ledger);

/* A digest of the whole visible state: the sum, modulo 2^128, of XXH3-128 over each record's
 * canonical bytes (ids, not table places), so that neither capacity, table layout nor number of
 * shards shows. Walks everything. */
struct hf_id hf_ledger_digest(const struct hf_ledger *ledger);

#endif
