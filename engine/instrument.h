/* Instruments: cards, wallet tokens, aliases. One line each. */
#ifndef HF_ENGINE_INSTRUMENT_H
#define HF_ENGINE_INSTRUMENT_H

#include "answer.h"
#include "pool.h"
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
    uint8_t limit_count;   /* limit.h */
    uint8_t reserved;
    uint32_t first_limit; /* likewise; 0: none */
    uint32_t newest;      /* its newest record: the slot and 1 (record.h); 0: none */
    uint32_t selector;    /* its further accounts: their place in the pool and 1; 0: none */
    uint8_t guides[HF_TABLE_GUIDES]; /* the table's */
};
HF_STATIC_ASSERT(sizeof(struct hf_instrument) == HF_TABLE_LINE_SIZE, "an instrument is one line");

/* The accounts that an instrument draws on besides its first, in order. */
struct hf_selector {
    uint32_t accounts[HF_INSTRUMENT_FURTHER_MAX]; /* slots */
    uint32_t count;
};
HF_STATIC_ASSERT(sizeof(struct hf_selector) == 32, "two to a line");

/* What instruments have beside their lines. */
struct hf_instrument_list {
    uint64_t *put_places; /* by slot: where its settings were replaced last */
    struct hf_pool selector_pool;
    struct hf_selector *selectors;
};

void hf_instruments_create(struct hf_instrument_list *list, struct hf_arena *arena,
                           const struct hf_table *instruments, uint64_t selectors);

static inline struct hf_instrument *hf_instrument_at(const struct hf_table *instruments,
                                                     uint32_t slot)
{
    return (struct hf_instrument *)hf_table_line(instruments, slot);
}

/* INSTRUMENT_PUT. */
void hf_instrument_put(struct hf_ledger *ledger, const struct hf_turn *turn,
                       struct hf_answer *answer);

/* Surely it may authorise this amount at this time? Where this is false, hf_instrument_check knows.
 */
static inline bool hf_instrument_is_ready(const struct hf_instrument *instrument, uint64_t amount,
                                          uint64_t timestamp_ns)
{
    /* One less than no expiry is the end of all time. */
    return instrument->status == HF_INSTRUMENT_ACTIVE &&
           timestamp_ns <= instrument->expires_ns - 1 && amount <= instrument->amount_limit &&
           instrument->remaining != 0;
}

/* May this instrument authorise this amount at this time? `is_more`: it has authorised already, and
 * this is about a larger amount; then its counter is not looked at. */
struct hf_verdict hf_instrument_check(const struct hf_instrument *instrument, uint64_t amount,
                                      uint64_t timestamp_ns, bool is_more);

/* An authorisation was approved: draws the counter, and wakes a card that its first use activates.
 * True when there is a counter that has been drawn; one at 0 (only of what was forced) stays. */
static inline bool hf_instrument_draw(struct hf_instrument *instrument)
{
    bool is_drawn = instrument->remaining != HF_INSTRUMENT_UNLIMITED && instrument->remaining != 0;

    if (is_drawn)
        instrument->remaining--;
    if (instrument->status == HF_INSTRUMENT_INACTIVE &&
        (instrument->flags & HF_INSTRUMENT_FIRST_USE) != 0)
        instrument->status = HF_INSTRUMENT_ACTIVE;
    return is_drawn;
}

/* Gives one authorisation back to the counter of an instrument whose settings were not replaced
 * after this place. True when that changed it. */
bool hf_instrument_give_back(struct hf_ledger *ledger, struct hf_instrument *instrument,
                             uint64_t place);

/* Gives an instrument further accounts, of which it has none; there must be room (asserted). */
void hf_instrument_add_selector(struct hf_ledger *ledger, struct hf_instrument *instrument,
                                const struct hf_selector *selector);

/* All accounts it draws on, in order: the slots of at most HF_INSTRUMENT_ACCOUNTS_MAX. Returns how
 * many. */
uint32_t hf_instrument_accounts(const struct hf_ledger *ledger,
                                const struct hf_instrument *instrument, uint32_t slots[]);

#endif
