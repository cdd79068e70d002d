/* What ends by itself: holds whose expiry has come, and accounts whose money then goes to a sink.
 *
 * Two wheels of timers say where to look, and the records themselves whether it is so. The node
 * asks for an EXPIRE, puts it into the order like any operation, and only its being applied ends
 * anything: so a replay needs no wheel. */
#ifndef HF_ENGINE_EXPIRE_H
#define HF_ENGINE_EXPIRE_H

#include "answer.h"
#include "timers.h"

struct hf_account;
struct hf_ledger;
struct hf_turn;

struct hf_wheels {
    struct hf_timers holds;    /* by slot */
    struct hf_timers accounts; /* by the number of their terms */
};

/* An account that is due and whose sink will not have its money is looked at again after this. */
#define HF_EXPIRE_RETRY_NS (UINT64_C(3600) * 1000000000)

/* Lays the ledger's wheels out for its tables, which are there already. */
void hf_expire_create(struct hf_ledger *ledger, struct hf_arena *arena);

/* A hold that expires is there; or needs no looking at any more. */
void hf_expire_arm_hold(struct hf_ledger *ledger, uint32_t slot, uint64_t expires_ns);
void hf_expire_disarm_hold(struct hf_ledger *ledger, uint32_t slot);

/* An account's terms were set, or money came (back) to it: if it expires, it is to be looked at
 * then. To be called by whoever does such a thing; cheap for accounts without terms. */
void hf_expire_watch(struct hf_ledger *ledger, const struct hf_account *account);

/* EXPIRE. */
void hf_expire_carry_out(struct hf_ledger *ledger, const struct hf_turn *turn,
                         struct hf_answer *answer);

#endif
