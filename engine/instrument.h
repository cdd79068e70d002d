/* Instruments: cards, wallet tokens, aliases. One line each. */
#ifndef HF_ENGINE_INSTRUMENT_H
#define HF_ENGINE_INSTRUMENT_H

#include "answer.h"
#include "table.h"

struct hf_ledger;
struct hf_turn;

struct hf_instrument {
    struct hf_id token;
    uint64_t expires_ns;   /* 0: never */
    uint64_t amount_limit; /* per authorisation; HF_INSTRUMENT_UNLIMITED: none */
    uint64_t remaining;    /* authorisations left; HF_INSTRUMENT_UNLIMITED: no counter */
    uint32_t account;      /* slot */
    uint8_t status;        /* enum hf_instrument_status */
    uint8_t flags;         /* enum hf_instrument_flag */
    uint8_t reserved[2];
    uint32_t first_limit; /* limit.h; 0: none */
    uint8_t reserved_too[8];
    uint8_t guides[HF_TABLE_GUIDES]; /* the table's */
};
HF_STATIC_ASSERT(sizeof(struct hf_instrument) == HF_TABLE_LINE_SIZE, "an instrument is one line");

static inline struct hf_instrument *hf_instrument_at(const struct hf_table *instruments,
                                                     uint32_t slot)
{
    return (struct hf_instrument *)hf_table_line(instruments, slot);
}

/* INSTRUMENT_PUT. */
void hf_instrument_put(struct hf_ledger *ledger, const struct hf_turn *turn,
                       struct hf_answer *answer);

/* May this instrument authorise this amount at this time? */
struct hf_verdict hf_instrument_check(const struct hf_instrument *instrument, uint64_t amount,
                                      uint64_t timestamp_ns);

/* An authorisation was approved: draws the counter, and wakes a card that its first use activates.
 */
void hf_instrument_draw(struct hf_instrument *instrument);

#endif
