/* Records: written, linked, followed. */
#include "record.h"

#include "hold_add.h"

#include <assert.h>

/* The line of a record that is about to be written. */
static inline struct hf_record *begin_line(struct hf_ledger *ledger, uint32_t slot)
{
    struct hf_record *line = &ledger->holds.records[slot];

    hf_undo_keep(&ledger->undo, line, sizeof(*line));
    hf_hold_at(&ledger->holds, slot)->has_record = true; /* kept when the hold was added */
    return line;
}

/* What a line says of its place among others. */
static inline void link_line(struct hf_ledger *ledger, uint32_t slot, struct hf_record *line,
                             struct hf_instrument *instrument)
{
    line->number = ledger->chain_number;
    line->instrument = HF_TABLE_NONE;
    line->before = 0;
    if (instrument == NULL)
        return;
    hf_undo_keep(&ledger->undo, instrument, sizeof(*instrument));
    line->instrument = hf_table_slot(&ledger->instruments, instrument);
    line->before = instrument->newest;
    instrument->newest = slot + 1;
}

void hf_record_write(struct hf_ledger *ledger, uint32_t slot, struct hf_instrument *instrument,
                     const struct hf_record *record)
{
    struct hf_record *line = begin_line(ledger, slot);

    *line = *record;
    link_line(ledger, slot, line, instrument);
}

void hf_record_approve(struct hf_ledger *ledger, const struct hf_op_auth *auth, uint32_t slot,
                       struct hf_instrument *instrument, uint8_t flags)
{
    struct hf_record *line = begin_line(ledger, slot);

    hf_record_fill(line, auth);
    line->first_draw = hf_hold_at(&ledger->holds, slot)->amount;
    line->flags |= flags;
    link_line(ledger, slot, line, instrument);
}

uint32_t hf_record_add(struct hf_ledger *ledger, const struct hf_record_alone *alone,
                       const struct hf_hold_more *more)
{
    uint32_t slot = hf_hold_add(ledger, alone->id, alone->hash);
    struct hf_hold *hold = hf_hold_at(&ledger->holds, slot);

    assert(alone->status != HF_HOLD_OPEN);
    assert(alone->status != HF_HOLD_LAPSED);
    hold->amount = alone->amount;
    hold->captured = alone->captured;
    hold->payer = alone->payer;
    hold->payee = alone->payee;
    hold->asset = alone->asset;
    if (!hf_hold_more_is_plain(more))
        hf_hold_set_more(ledger, slot, more);
    hf_hold_end(ledger, slot, alone->status, ledger->bundle_ns);
    return slot;
}

/* An AUTH's terms, as its record by itself has them. Nothing is held, so nothing expires. */
static struct hf_hold_more more_of(const struct hf_turn *turn)
{
    const struct hf_op_auth *auth = &turn->operation->auth;
    struct hf_hold_more more = hf_hold_plain;

    more.origin = turn->origin;
    more.policy = HF_HOLD_SOFT;
    more.class_number = auth->class_number;
    more.tolerance = auth->tolerance;
    return more;
}

/* What can be told of an AUTH that holds nothing. Whom it names is looked for, whatever refused:
 * a card's list shows what came too late as well. */
static struct hf_instrument *describe(const struct hf_ledger *ledger, const struct hf_turn *turn,
                                      uint8_t status, struct hf_record_alone *alone)
{
    const struct hf_op_auth *auth = &turn->operation->auth;
    const struct hf_key *key = &turn->keys[0];
    struct hf_instrument *instrument =
        hf_table_find_at(&ledger->instruments, auth->token, key->hash, key->guess);
    const struct hf_account *payee = hf_turn_find_account(ledger, turn, 1, auth->payee);

    *alone = (struct hf_record_alone){
        .id = auth->header.id,
        .hash = turn->id_hash,
        .amount = auth->amount,
        .payer = instrument == NULL ? HF_TABLE_NONE : instrument->account,
        .payee = payee == NULL ? HF_TABLE_NONE : hf_table_slot(&ledger->accounts, payee),
        .asset = auth->asset,
        .status = status,
    };
    return instrument;
}

/* The reversal came first: its record becomes that of the AUTH it was meant for. */
static void take_over(struct hf_ledger *ledger, uint32_t slot, const struct hf_record_alone *alone,
                      const struct hf_hold_more *more)
{
    struct hf_hold *hold = hf_hold_at(&ledger->holds, slot);

    assert(!ledger->undo.is_open);
    assert(hold->status == HF_HOLD_REVERSED);
    hold->status = alone->status;
    hold->amount = alone->amount;
    hold->payer = alone->payer;
    hold->payee = alone->payee;
    hold->asset = alone->asset;
    hold->has_more = true;
    ledger->holds.more[slot] = *more;
}

void hf_record_refuse(struct hf_ledger *ledger, const struct hf_turn *turn,
                      const struct hf_answer *answer)
{
    struct hf_holds *holds = &ledger->holds;
    const struct hf_hold_more more = more_of(turn);
    struct hf_record_alone alone;

    if (hf_turn_is_dry(turn) || ledger->undo.is_open)
        return;
    assert(turn->type == HF_OP_AUTH);
    assert(answer->place != 0);
    uint32_t slot = hf_hold_find_known(holds, answer->id, turn->id_hash, ledger->bundle_ns);
    struct hf_instrument *instrument = describe(ledger, turn, HF_HOLD_REFUSED, &alone);
    if (slot != HF_TABLE_NONE && hf_hold_at(holds, slot)->status != HF_HOLD_REVERSED)
        return;
    if (slot != HF_TABLE_NONE)
        take_over(ledger, slot, &alone, &more);
    else if (hf_hold_are_all_open(holds))
        return;
    else
        slot = hf_record_add(ledger, &alone, &more);
    holds->answers[slot] = *answer;
    struct hf_record record;
    hf_record_fill(&record, &turn->operation->auth);
    hf_record_write(ledger, slot, instrument, &record);
}

void hf_record_verify(struct hf_ledger *ledger, const struct hf_turn *turn,
                      const struct hf_answer *answer)
{
    const struct hf_hold_more more = more_of(turn);
    struct hf_record_alone alone;
    struct hf_instrument *instrument = describe(ledger, turn, HF_HOLD_RESOLVED, &alone);

    assert(answer->place != 0);
    assert(alone.amount == 0);
    uint32_t slot = hf_record_add(ledger, &alone, &more);
    ledger->holds.answers[slot] = *answer; /* kept when the hold was added */
    struct hf_record record;
    hf_record_fill(&record, &turn->operation->auth);
    hf_record_write(ledger, slot, instrument, &record);
}

void hf_record_bury(struct hf_ledger *ledger, struct hf_id id, uint64_t hash,
                    const struct hf_op_reverse *reverse, uint32_t origin)
{
    struct hf_hold_more more = hf_hold_plain;
    const struct hf_record_alone alone = {
        .id = id,
        .hash = hash,
        .payer = HF_TABLE_NONE,
        .payee = HF_TABLE_NONE,
        .asset = reverse->asset,
        .status = HF_HOLD_REVERSED,
    };
    const struct hf_record record = {.acquirer = reverse->acquirer};

    /* The memory of ids knows the reversal, not whom it was for. */
    hf_hold_note_unseen(&ledger->holds, id);
    more.origin = origin;
    uint32_t slot = hf_record_add(ledger, &alone, &more);
    ledger->holds.answers[slot] = (struct hf_answer){.id = id};
    hf_record_write(ledger, slot, NULL, &record);
}

uint64_t hf_record_key(const struct hf_holds *holds, uint32_t slot)
{
    uint64_t place = holds->answers[slot].place;

    assert(place <= HF_RECORD_PLACE_MAX);
    return place << HF_RECORD_NUMBER_BITS | holds->records[slot].number;
}

/* The record that a link leads to, when it is good at this time: of this instrument, with a key
 * below this one. */
static uint32_t follow(const struct hf_holds *holds, uint32_t link, uint32_t instrument,
                       uint64_t key, uint64_t timestamp_ns)
{
    if (link == 0)
        return HF_TABLE_NONE;
    uint32_t slot = link - 1;
    const struct hf_hold *hold = hf_hold_at(holds, slot);
    if (hf_id_is_zero(hold->id) || !hold->has_record ||
        holds->records[slot].instrument != instrument ||
        !hf_hold_is_known(holds, hold, timestamp_ns))
        return HF_TABLE_NONE;
    return hf_record_key(holds, slot) < key ? slot : HF_TABLE_NONE;
}

uint32_t hf_record_before(const struct hf_holds *holds, uint32_t slot, uint64_t timestamp_ns)
{
    const struct hf_record *record = &holds->records[slot];

    assert(hf_hold_at(holds, slot)->has_record);
    return follow(holds, record->before, record->instrument, hf_record_key(holds, slot),
                  timestamp_ns);
}

uint32_t hf_record_newest(const struct hf_ledger *ledger, const struct hf_instrument *instrument,
                          uint64_t timestamp_ns)
{
    return follow(&ledger->holds, instrument->newest,
                  hf_table_slot(&ledger->instruments, instrument), UINT64_MAX, timestamp_ns);
}

struct hf_attributes hf_record_attributes(const struct hf_record *record)
{
    return (struct hf_attributes){
        .mcc = record->mcc,
        .country = record->country,
        .channel = record->channel,
        .merchant = record->merchant,
    };
}
