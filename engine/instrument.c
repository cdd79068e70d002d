/* Making instruments, and what they themselves allow. */
#include "instrument.h"

#include "state.h"

#include <assert.h>

void hf_instrument_put(struct hf_ledger *ledger, const struct hf_turn *turn,
                       struct hf_answer *answer)
{
    const struct hf_op_instrument_put *put = &turn->operation->instrument_put;
    const struct hf_key *keys = turn->keys;
    struct hf_table *instruments = &ledger->instruments;

    const struct hf_account *account = hf_turn_find_account(ledger, turn, 1, put->account);
    if (account == NULL) {
        hf_answer_refuse(answer, HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_ACCOUNT);
        return;
    }
    if ((account->flags & HF_ACCOUNT_IS_TOTAL) != 0) {
        hf_answer_refuse(answer, HF_CODE_IS_TOTAL, HF_RULE_ACCOUNT);
        return;
    }
    struct hf_instrument *instrument =
        hf_table_find_at(instruments, put->token, keys[0].hash, keys[0].guess);
    if (instrument == NULL) {
        if (instruments->count == instruments->capacity) {
            hf_answer_refuse(answer, HF_CODE_CAPACITY, HF_RULE_TABLE);
            return;
        }
        if (hf_turn_is_dry(turn))
            return;
        uint32_t slot = hf_undo_insert(&ledger->undo, instruments, put->token, keys[0].hash);
        assert(slot != HF_TABLE_NONE);
        instrument = hf_instrument_at(instruments, slot);
    } else if (instrument->status == HF_INSTRUMENT_CLOSED) {
        hf_answer_refuse(answer, HF_CODE_CLOSED, HF_RULE_INSTRUMENT);
        return;
    }
    if (hf_turn_is_dry(turn))
        return;
    hf_undo_keep(&ledger->undo, instrument, sizeof(*instrument));
    instrument->expires_ns = put->expires_ns;
    instrument->amount_limit = put->amount_limit;
    instrument->remaining = put->remaining;
    instrument->account = hf_table_slot(&ledger->accounts, account);
    instrument->status = put->status;
    instrument->flags = put->flags;
    hf_event_add(ledger, answer, HF_EVENT_PUT, instrument->token, 0, 0, 0);
}

struct hf_verdict hf_instrument_check(const struct hf_instrument *instrument, uint64_t amount,
                                      uint64_t timestamp_ns)
{
    if (instrument->status == HF_INSTRUMENT_CLOSED)
        return (struct hf_verdict){HF_CODE_CLOSED, HF_RULE_INSTRUMENT, 0};
    if (instrument->status == HF_INSTRUMENT_FROZEN)
        return (struct hf_verdict){HF_CODE_RESTRICTED, HF_RULE_INSTRUMENT, 0};
    if (instrument->status == HF_INSTRUMENT_INACTIVE &&
        (instrument->flags & HF_INSTRUMENT_FIRST_USE) == 0)
        return (struct hf_verdict){HF_CODE_INACTIVE, HF_RULE_INSTRUMENT, 0};
    if (instrument->expires_ns != 0 && timestamp_ns >= instrument->expires_ns)
        return (struct hf_verdict){HF_CODE_EXPIRED, HF_RULE_INSTRUMENT, 0};
    /* HF_INSTRUMENT_UNLIMITED is over every amount, and never 0. */
    if (amount > instrument->amount_limit)
        return (struct hf_verdict){HF_CODE_AMOUNT_LIMIT, HF_RULE_INSTRUMENT_AMOUNT, 0};
    if (instrument->remaining == 0)
        return (struct hf_verdict){HF_CODE_COUNT_LIMIT, HF_RULE_INSTRUMENT_COUNT, 0};
    return (struct hf_verdict){HF_CODE_OK, HF_RULE_NONE, 0};
}

void hf_instrument_draw(struct hf_instrument *instrument)
{
    assert(instrument->remaining != 0);
    if (instrument->remaining != HF_INSTRUMENT_UNLIMITED)
        instrument->remaining--;
    if (instrument->status == HF_INSTRUMENT_INACTIVE)
        instrument->status = HF_INSTRUMENT_ACTIVE;
    assert(instrument->status == HF_INSTRUMENT_ACTIVE);
}
