/* The long way of an authorisation: several accounts pay, or nothing may refuse it, or what was
 * cleared without one is posted at once. */
#ifndef HF_ENGINE_SELECT_H
#define HF_ENGINE_SELECT_H

#include "answer.h"

struct hf_instrument;
struct hf_ledger;
struct hf_record;
struct hf_turn;

/* AUTH with an instrument that has further accounts, or FORCED; its id is not known. */
void hf_select_authorise(struct hf_ledger *ledger, const struct hf_turn *turn,
                         struct hf_instrument *instrument, struct hf_answer *answer);

/* Force-posts a CLEAR, whose id is not known, with this token and payee (zero: unknown).
 * `exception` is what has been forgiven already. */
void hf_select_post(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_id token,
                    struct hf_id payee, const struct hf_verdict *exception,
                    struct hf_answer *answer);

#endif
