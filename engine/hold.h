/* Holds: money promised to a payee, until it is captured or released.
 *
 * A hold is a line in a table and, at the same slot of a second array, the answer of the operation
 * that made it. A resolved hold stays, so that its maker is answered again, until the table is full
 * and a new hold needs the place: then the one resolved first is forgotten. */
#ifndef HF_ENGINE_HOLD_H
#define HF_ENGINE_HOLD_H

#include "account.h"

struct hf_hold {
    struct hf_id id;
    uint64_t amount;         /* held at first */
    uint64_t remaining;      /* still held; 0 when resolved */
    uint64_t captured;       /* of the amount; the rest was released */
    uint64_t resolved_place; /* of the operation that resolved it; 0: open */
    uint32_t payer;          /* slot of the account */
    uint32_t payee;
    uint32_t next;  /* resolved after this one: slot, or HF_TABLE_NONE */
    uint16_t asset; /* of both accounts */
    uint8_t status; /* enum hf_hold_status */
    uint8_t reserved;
};
HF_STATIC_ASSERT(sizeof(struct hf_hold) == HF_TABLE_LINE_SIZE, "a hold is one line");

struct hf_holds {
    struct hf_table table;
    struct hf_answer *answers; /* by slot */
    uint32_t open_count;
    uint32_t resolved_count;
    uint32_t resolved_first; /* slots, or HF_TABLE_NONE */
    uint32_t resolved_last;
};

void hf_holds_create(struct hf_holds *holds, struct hf_arena *arena, uint64_t capacity);

static inline struct hf_hold *hf_hold_at(const struct hf_holds *holds, uint32_t slot)
{
    return (struct hf_hold *)hf_table_line(&holds->table, slot);
}

/* The answer of the operation that made a hold, or NULL when no hold has this id. */
const struct hf_answer *hf_hold_answer(const struct hf_holds *holds, struct hf_id id,
                                       uint64_t hash);

/* Adds an open hold, forgetting the one resolved first when the table is full. The caller has seen
 * that not all are open (asserted), and fills all but id and status. Returns its slot. */
uint32_t hf_hold_add(struct hf_holds *holds, struct hf_id id, uint64_t hash);

/* Ends an open hold with nothing remaining (asserted): the newest of the resolved ones. */
void hf_hold_resolve(struct hf_holds *holds, uint32_t slot, uint64_t place);

/* What HOLD and AUTH share once the parties are admitted: guards, room, the hold. An amount of 0
 * passes the same guards and holds nothing. Fills the answer; true when it is OK. */
bool hf_hold_promise(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_account *payer,
                     struct hf_account *payee, uint64_t amount, struct hf_answer *answer);

/* HOLD, CAPTURE and RELEASE. */
void hf_hold_open(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_answer *answer);
void hf_hold_capture(struct hf_ledger *ledger, const struct hf_turn *turn,
                     struct hf_answer *answer);
void hf_hold_release(struct hf_ledger *ledger, const struct hf_turn *turn,
                     struct hf_answer *answer);

#endif
