/* Settling holds: capturing, releasing, adjusting, lapsing. */
#ifndef HF_ENGINE_SETTLE_H
#define HF_ENGINE_SETTLE_H

#include "hold.h"

/* CAPTURE, RELEASE and ADJUST. */
void hf_settle_capture(struct hf_ledger *ledger, const struct hf_turn *turn,
                       struct hf_answer *answer);
void hf_settle_release(struct hf_ledger *ledger, const struct hf_turn *turn,
                       struct hf_answer *answer);
void hf_settle_adjust(struct hf_ledger *ledger, const struct hf_turn *turn,
                      struct hf_answer *answer);

/* An open hold whose expiry has come: all that remains goes back, and it has lapsed. False, and
 * nothing changes, when it is not so. `answer` is the EXPIRE's. */
bool hf_settle_lapse(struct hf_ledger *ledger, uint32_t slot, const struct hf_answer *answer);

#endif
