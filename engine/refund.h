/* Giving back to limits and counters what an authorisation drew. */
#ifndef HF_ENGINE_REFUND_H
#define HF_ENGINE_REFUND_H

#include "draw.h"
#include "settlement.h"

/* Gives back this much of what the authorisation drew, and (`is_last`) its one in the counts and in
 * the instrument's counter. Of several payers what goes back is that of the settlement's shares;
 * with none of them in hand the instrument's limits alone get something. Tells what changed. */
void hf_refund(struct hf_ledger *ledger, const struct hf_settlement *s, uint64_t amount,
               bool is_last, const struct hf_answer *answer);

#endif
