/* What becomes of an authorisation: raised, cleared, taken back. */
#ifndef HF_ENGINE_CARD_H
#define HF_ENGINE_CARD_H

#include "answer.h"

struct hf_ledger;
struct hf_turn;

/* INCREMENT, REVERSE and CLEAR. */
void hf_card_increment(struct hf_ledger *ledger, const struct hf_turn *turn,
                       struct hf_answer *answer);
void hf_card_reverse(struct hf_ledger *ledger, const struct hf_turn *turn,
                     struct hf_answer *answer);
void hf_card_clear(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_answer *answer);

#endif
