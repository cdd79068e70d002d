/* Records of authorisations: what is kept of an AUTH, or of a CLEAR that posted without one, beside
 * its hold.
 *
 * A record is a line at the slot of its hold. What was refused, verified or posted at once leaves a
 * record by itself: a hold of which nothing was ever held, ended when it was made; and so does the
 * reversal of what has not come yet. Two words more (`later`) are looked at by few.
 *
 * An instrument's records are a list, newest first: its line names the newest, each record the one
 * before. Nobody goes there when one is forgotten. A link is good while the record at its slot is
 * known, is the same instrument's, and came earlier: whatever took the slot since came later. */
#ifndef HF_ENGINE_RECORD_H
#define HF_ENGINE_RECORD_H

#include "answer.h"

struct hf_record {
    uint8_t merchant[16];
    uint64_t acquirer;
    uint64_t reversed;    /* all that REVERSEs have taken back */
    uint64_t first_draw;  /* what its AUTH drew on limits, less what was given back of it */
    uint64_t later_draws; /* what INCREMENTs and CLEARs drew since, likewise */
    uint32_t instrument;  /* slot, or HF_TABLE_NONE: none was found */
    uint32_t before;      /* the instrument's record before: its slot and 1; 0: none */
    uint16_t mcc;
    uint16_t country;
    uint8_t channel;
    uint8_t exception; /* enum hf_code */
    uint8_t flags;     /* enum hf_authorisation_flag */
    uint8_t number;    /* of its operation in a chain, from 1; 0: by itself */
};
HF_STATIC_ASSERT(sizeof(struct hf_record) == 64, "a record is one line");

struct hf_record_later {
    uint64_t draws_ns;   /* when the oldest of `later_draws` was drawn, while that is not 0 */
    uint64_t before_key; /* of the record before: only while an image is read */
};
HF_STATIC_ASSERT(sizeof(struct hf_record_later) == 16, "four to a line");

struct hf_attributes;
struct hf_hold;
struct hf_hold_more;
struct hf_holds;
struct hf_instrument;
struct hf_ledger;
struct hf_turn;

/* What an AUTH carries of itself into its record; all else of the line becomes 0. Field by field,
 * where it stays: a whole one would be made on the stack first. */
static inline void hf_record_fill(struct hf_record *record, const struct hf_op_auth *auth)
{
    HF_STATIC_ASSERT((int)HF_AUTH_FORCED == (int)HF_AUTHORISATION_FORCED, "flags");
    HF_STATIC_ASSERT((int)HF_AUTH_ESTIMATED == (int)HF_AUTHORISATION_ESTIMATED, "flags");
    *record = (struct hf_record){0};
    __builtin_memcpy(record->merchant, auth->merchant, sizeof(record->merchant));
    record->acquirer = auth->acquirer;
    record->mcc = auth->mcc;
    record->country = auth->country;
    record->channel = auth->channel;
    record->flags = auth->auth_flags;
}

/* Writes the record of the hold at a slot, and puts it in front of its instrument's (NULL: of
 * none). Instrument, link and number are filled in here. */
void hf_record_write(struct hf_ledger *ledger, uint32_t slot, struct hf_instrument *instrument,
                     const struct hf_record *record);

/* An AUTH holds what its answer says, at this slot: its record, with these flags besides its own.
 */
void hf_record_approve(struct hf_ledger *ledger, const struct hf_op_auth *auth, uint32_t slot,
                       struct hf_instrument *instrument, uint8_t flags);

/* What a record by itself says: the hold's part of it. */
struct hf_record_alone {
    struct hf_id id;
    uint64_t hash; /* of the id */
    uint64_t amount;
    uint64_t captured;
    uint32_t payer; /* slots, or HF_TABLE_NONE */
    uint32_t payee;
    uint16_t asset;
    uint8_t status; /* enum hf_hold_status */
};

/* Adds a record by itself, which ends now. There must be a place, and the id not be known (both
 * asserted). Returns its slot, for record and answer to be written. */
uint32_t hf_record_add(struct hf_ledger *ledger, const struct hf_record_alone *alone,
                       const struct hf_hold_more *more);

/* A placed AUTH was refused: leaves its record, or makes that of its reversal its own. Not inside a
 * chain, and not of one whose id names another hold or record. */
void hf_record_refuse(struct hf_ledger *ledger, const struct hf_turn *turn,
                      const struct hf_answer *answer);

/* A placed AUTH over nothing was approved: its record. There is a place (asserted). */
void hf_record_verify(struct hf_ledger *ledger, const struct hf_turn *turn,
                      const struct hf_answer *answer);

/* Remembers that an AUTH of this id (which is not known, and not reserved) was reversed before it
 * came. There is a place (asserted). */
void hf_record_bury(struct hf_ledger *ledger, struct hf_id id, uint64_t hash,
                    const struct hf_op_reverse *reverse, uint32_t origin);

/* Records of an instrument came in the order of these: place, then number in the chain, in one. */
#define HF_RECORD_NUMBER_BITS 6
#define HF_RECORD_PLACE_MAX   (UINT64_MAX >> HF_RECORD_NUMBER_BITS)
HF_STATIC_ASSERT(HF_CHAIN_OPERATIONS_MAX < 1 << HF_RECORD_NUMBER_BITS, "numbers fit");
uint64_t hf_record_key(const struct hf_holds *holds, uint32_t slot);

/* The record of the same instrument before the one at a slot, or HF_TABLE_NONE when it is forgotten
 * at this time or there is none; and an instrument's newest, likewise. */
uint32_t hf_record_before(const struct hf_holds *holds, uint32_t slot, uint64_t timestamp_ns);
uint32_t hf_record_newest(const struct hf_ledger *ledger, const struct hf_instrument *instrument,
                          uint64_t timestamp_ns);

/* The attributes that filters look at, as the record keeps them. */
struct hf_attributes hf_record_attributes(const struct hf_record *record);

#endif
