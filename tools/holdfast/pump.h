/* Pumps many numbered operations through a client, as many in flight as its window allows: opening
 * accounts, asking for balances, checking a journal. */
#ifndef HF_TOOLS_PUMP_H
#define HF_TOOLS_PUMP_H

#include "net/holdfast.h"

struct hf_pump {
    /* Fills in operation `index` (its id with hf_client_next_id); false: skip this one. */
    bool (*make)(void *context, struct hf_client *client, uint64_t index, union hf_operation *op);
    /* Takes its answer; false (with a line in `*fault`) ends the pumping. */
    bool (*take)(void *context, uint64_t index, const struct hf_query_reply *reply,
                 struct hf_fault *fault);
    void *context;
};

/* Operations 0 to `count` - 1, answers in any order; nothing else may be in flight. OK; IO when
 * `take` refused; TIMEOUT when nothing at all was answered for ten seconds. `*fault` says why. */
HF_MUST_USE enum hf_status hf_pump_run(struct hf_client *client, const struct hf_pump *pump,
                                       uint64_t count, struct hf_fault *fault);

#endif
