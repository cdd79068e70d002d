/* Several operations, all or none. */
#ifndef HF_ENGINE_CHAIN_H
#define HF_ENGINE_CHAIN_H

#include "answer.h"

struct hf_ledger;
struct hf_turn;

/* CHAIN. */
void hf_chain_carry_out(struct hf_ledger *ledger, const struct hf_turn *turn,
                        struct hf_answer *answer);

/* The operation of a checked chain that begins at `offset` behind its fixed part. */
static inline const union hf_operation *hf_chain_operation(const struct hf_op_chain *chain,
                                                           size_t offset)
{
    return (const union hf_operation *)(const void *)(chain->operations + offset);
}

#endif
