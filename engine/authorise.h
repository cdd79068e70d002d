/* AUTH: the face of a card. */
#ifndef HF_ENGINE_AUTHORISE_H
#define HF_ENGINE_AUTHORISE_H

#include "answer.h"

struct hf_ledger;
struct hf_turn;

/* AUTH: resolves the instrument, checks it, draws its counter and limits and holds the amount, all
 * in one operation or none of it. Either way it leaves a record. */
void hf_authorise(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_answer *answer);

#endif
