/* What goes back is first what was drawn last. */
#include "refund.h"

#include "state.h"

#include <assert.h>

/* Each limit gathered so far gets the whole. */
static void give_all(struct hf_ledger *ledger, uint64_t amount)
{
    for (uint32_t i = 0; i < ledger->bearing.count; i++)
        ledger->bearing.list[i].amount = amount;
}

/* Which limits get how much. */
static void gather(struct hf_ledger *ledger, const struct hf_settlement *s,
                   const struct hf_instrument *instrument, uint64_t amount, bool is_count)
{
    const struct hf_attributes attributes = hf_record_attributes(&ledger->holds.records[s->slot]);
    bool is_single = s->more->payer_count == 1;

    hf_draw_gather(ledger, instrument, is_single ? s->payer : NULL, &attributes);
    give_all(ledger, amount);
    /* A part's share may be more than was drawn for it: ADJUST raises without drawing. */
    for (uint32_t i = 0; i < s->share_count && !is_single; i++) {
        const struct hf_share *share = &s->shares[i];
        uint64_t part = share->released < amount ? share->released : amount;
        if (share->part == HF_TABLE_NONE)
            return;
        amount -= part;
        if (part != 0 || is_count)
            hf_draw_gather_payer(ledger, share->account, &attributes, part);
    }
}

/* Takes the amount from what the record says was drawn. Returns how much there was. */
static uint64_t take(uint64_t *drawn, uint64_t amount)
{
    uint64_t taken = amount < *drawn ? amount : *drawn;

    *drawn -= taken;
    return taken;
}

void hf_refund(struct hf_ledger *ledger, const struct hf_settlement *s, uint64_t amount,
               bool is_last, const struct hf_answer *answer)
{
    struct hf_holds *holds = &ledger->holds;
    struct hf_record *record = &holds->records[s->slot];
    const struct hf_answer *made = &holds->answers[s->slot];
    bool is_drawn = is_last && (record->flags & HF_AUTHORISATION_DREW) != 0;

    assert(record->instrument != HF_TABLE_NONE);
    struct hf_instrument *instrument = hf_instrument_at(&ledger->instruments, record->instrument);
    hf_undo_keep(&ledger->undo, record, sizeof(*record));
    struct hf_refund refund = {
        .place = made->place,
        .first_ns = made->timestamp_ns,
        .later = take(&record->later_draws, amount),
        .later_ns = holds->later[s->slot].draws_ns,
        .is_count = is_last && (record->flags & HF_AUTHORISATION_COUNTED) != 0,
    };
    uint64_t first = take(&record->first_draw, amount - refund.later);
    if (is_last)
        record->flags &= (uint8_t) ~(HF_AUTHORISATION_COUNTED | HF_AUTHORISATION_DREW);
    gather(ledger, s, instrument, first, refund.is_count);
    hf_draw_give_back(ledger, &refund, s->hold->asset, answer);
    if (is_drawn && hf_instrument_give_back(ledger, instrument, made->place))
        hf_event_add(ledger, answer, HF_EVENT_DRAWN, instrument->token,
                     (int64_t)instrument->remaining, 0, 0);
}
