/* A run of the model test: three ledgers and a model side by side, and what tells them apart. */
#ifndef HF_TESTS_MODEL_RUN_H
#define HF_TESTS_MODEL_RUN_H

#include "draw.h"

/* The events of a bundle. */
#define EVENTS_CAPACITY (HF_BUNDLE_OPERATIONS_MAX * HF_EVENTS_MAX)

struct ledger_in_memory {
    struct hf_ledger *ledger;
    void *memory;
    struct hf_events *events;
};

struct run {
    uint64_t seed;
    uint64_t operations; /* to apply, over all rounds */
    uint64_t step;       /* operations applied so far, over all rounds */
    uint64_t bundles;
    uint64_t images;
    uint64_t events;
    uint64_t storms;            /* times that all that was due was expired */
    uint64_t expired;           /* holds and accounts that an EXPIRE ended */
    uint64_t answered_by_holds; /* ids that only their hold still knew */
    uint64_t swept_place;       /* of the state that was swept last, and its digest */
    struct hf_id swept_digest;
    uint64_t trace;   /* a hash over all answers: two runs with one seed must have the same */
    const char *note; /* how to see a failure again; NULL: by seed and number of operations */
    struct draw draw;
    struct model *model;
    struct ledger_in_memory live;
    struct ledger_in_memory replayed;
};

/* ledgers.c */
struct ledger_in_memory make_ledger(const struct hf_ledger_limits *limits);
/* Room for the events of a bundle, whatever it holds: more than fifty megabytes. */
void give_events(struct ledger_in_memory *made);
void drop_ledger(struct ledger_in_memory *made);

/* show.c: telling of a difference. */
void print_bytes(const char *name, const void *bytes, size_t size);
void print_reply(const char *name, const struct hf_reply *reply);
void print_account(const struct model *model, const char *name, struct hf_id id);
void print_hold(const struct model *model, struct hf_id id);
void print_operation(const struct run *run, const union hf_operation *operation);
/* Ends the run with what is wrong and how to see it again. */
_Noreturn void fail(const struct run *run, const char *what);
void require(const struct run *run, bool holds, const char *what);

/* compare.c: the engine's records against the model's, and the model's against the page. Each fails
 * the run when it finds a difference. */
void compare_reply(struct run *run, const union hf_operation *operation,
                   const struct hf_reply *expected, const struct hf_reply *got, const char *who);
void compare_query(struct run *run, const struct hf_op_query *query);
void compare_record(struct run *run, uint8_t subject, struct hf_id id);
/* All pages of an instrument's authorisations. */
void compare_authorisations(struct run *run, struct hf_id token);
/* Every record that the operation names. */
void compare_touched(struct run *run, const union hf_operation *operation);
void compare_counts(struct run *run);
/* What the page promises of any state, summed up in the model (whose records equal the engine's by
 * then). */
void check_money(struct run *run);
void check_limits(struct run *run);

#endif
