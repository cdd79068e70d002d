/* Draws operations that are worth asking about: mostly sensible ones, so that the books fill with
 * balances, holds and cards, and many that sit on an edge of what OPERATIONS.md refuses. It looks
 * into the model to find the edges. One seed gives one sequence. */
#ifndef HF_TESTS_MODEL_DRAW_H
#define HF_TESTS_MODEL_DRAW_H

#include "model.h"

#define DRAW_HISTORY_MAX 1024
#define DRAW_LATE_MAX    8

struct draw {
    uint64_t state;            /* of the generator of numbers */
    const struct model *model; /* as it is when the next operation comes */
    uint64_t timestamp_ns;     /* of the bundle that is being drawn */
    uint32_t mood;             /* which mix of operations, and for how many more of them */
    uint32_t mood_left;
    uint64_t edge_ns;    /* when the next bundle may come: the window that ends here; 0: none */
    uint32_t edge_limit; /* place in the books of the limit whose edge was drawn last */
    uint32_t history_next;
    uint32_t history_count;
    uint32_t late_count;
    union model_operation late[DRAW_LATE_MAX];       /* reversed before they were sent */
    union model_operation history[DRAW_HISTORY_MAX]; /* sent before, to be sent again */
};

/* A number below `bound`, which is not 0. */
uint64_t draw_below(struct draw *draw, uint64_t bound);

/* Limits for one round: small tables of various sizes, edges of times with odd nanoseconds. */
struct hf_ledger_limits draw_limits(struct draw *draw);

/* The model's own limits, or others that hold what it may not forget. */
struct hf_ledger_limits draw_other_limits(struct draw *draw);

/* Goes on to a round on an empty model, with a clock of its own. */
void draw_start_round(struct draw *draw, const struct model *model);

/* Moves the clock to the next bundle. */
void draw_next_bundle(struct draw *draw);

/* The next operation: well shaped, never a QUERY. */
void draw_operation(struct draw *draw, union model_operation *operation);

/* Now and then marks it as the node does what its origin may not send. */
void draw_forbid(struct draw *draw, union hf_operation *operation);

/* An envelope for an EXPIRE that the ledger made, with an id that is good now. */
void draw_expire_envelope(struct draw *draw, struct hf_op_header *header);

/* Damages an operation somewhere and says how many of its bytes may be read. */
size_t draw_damage(struct draw *draw, union model_operation *operation);

/* A question about this operation, or about anything else that may or may not be there. */
void draw_query(struct draw *draw, struct hf_id operation_id, struct hf_op_query *query);
void draw_query_of(uint8_t subject, struct hf_id id, struct hf_op_query *query);

#endif
