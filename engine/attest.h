/* Proving the conditions of holds. */
#ifndef HF_ENGINE_ATTEST_H
#define HF_ENGINE_ATTEST_H

#include "answer.h"

struct hf_ledger;
struct hf_turn;

/* ATTEST. */
void hf_attest(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_answer *answer);

#endif
