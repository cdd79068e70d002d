/* Making instruments, and what they themselves allow. */
#include "instrument.h"

#include "state.h"

#include <assert.h>
#include <string.h>

void hf_instruments_create(struct hf_instrument_list *list, struct hf_arena *arena,
                           const struct hf_table *instruments, uint64_t selectors)
{
    list->put_places = hf_arena_take(arena, instruments->line_count, sizeof(*list->put_places));
    hf_pool_create(&list->selector_pool, arena, selectors);
    list->selectors = hf_arena_take(arena, selectors, sizeof(*list->selectors));
}

/* ---- further accounts ---- */

void hf_instrument_add_selector(struct hf_ledger *ledger, struct hf_instrument *instrument,
                                const struct hf_selector *selector)
{
    struct hf_instrument_list *list = &ledger->instrument_list;

    assert(instrument->selector == 0);
    assert(selector->count >= 1);
    assert(selector->count <= HF_INSTRUMENT_FURTHER_MAX);
    uint32_t index = hf_pool_take(&list->selector_pool, &ledger->undo);
    hf_undo_keep(&ledger->undo, &list->selectors[index], sizeof(*selector));
    list->selectors[index] = *selector;
    instrument->selector = index + 1; /* the line was kept */
}

static void give_back_selector(struct hf_ledger *ledger, struct hf_instrument *instrument)
{
    if (instrument->selector == 0)
        return;
    hf_pool_give_back(&ledger->instrument_list.selector_pool, &ledger->undo,
                      instrument->selector - 1);
    instrument->selector = 0; /* the line was kept */
}

uint32_t hf_instrument_accounts(const struct hf_ledger *ledger,
                                const struct hf_instrument *instrument, uint32_t slots[])
{
    slots[0] = instrument->account;
    if (instrument->selector == 0)
        return 1;
    const struct hf_selector *selector =
        &ledger->instrument_list.selectors[instrument->selector - 1];
    memcpy(&slots[1], selector->accounts, selector->count * sizeof(slots[0]));
    return 1 + selector->count;
}

/* ---- INSTRUMENT_PUT ---- */

/* May an instrument draw on it? */
static struct hf_verdict check_account(const struct hf_account *account, uint8_t entry)
{
    if (account == NULL)
        return (struct hf_verdict){HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_ACCOUNT, entry};
    if ((account->flags & HF_ACCOUNT_IS_TOTAL) != 0)
        return (struct hf_verdict){HF_CODE_IS_TOTAL, HF_RULE_ACCOUNT, entry};
    return (struct hf_verdict){HF_CODE_OK, HF_RULE_NONE, 0};
}

static struct hf_verdict find_further(const struct hf_ledger *ledger,
                                      const struct hf_op_instrument_put *put,
                                      struct hf_selector *selector)
{
    struct hf_verdict verdict = {HF_CODE_OK, HF_RULE_NONE, 0};

    assert(put->further_count <= HF_INSTRUMENT_FURTHER_MAX);
    *selector = (struct hf_selector){.count = put->further_count};
    for (uint32_t i = 0; i < put->further_count && verdict.code == HF_CODE_OK; i++) {
        const struct hf_account *account = hf_ledger_find_account(ledger, put->further[i]);
        verdict = check_account(account, (uint8_t)(i + 1));
        if (verdict.code == HF_CODE_OK)
            selector->accounts[i] = hf_table_slot(&ledger->accounts, account);
    }
    return verdict;
}

/* May the instrument (NULL: a new one) be put, as far as itself and the tables go? */
static struct hf_verdict check_room(const struct hf_ledger *ledger,
                                    const struct hf_instrument *instrument, bool has_further)
{
    bool has_selector = instrument != NULL && instrument->selector != 0;

    if (instrument != NULL && instrument->status == HF_INSTRUMENT_CLOSED)
        return (struct hf_verdict){HF_CODE_CLOSED, HF_RULE_INSTRUMENT, 0};
    if (instrument == NULL && ledger->instruments.count == ledger->instruments.capacity)
        return (struct hf_verdict){HF_CODE_CAPACITY, HF_RULE_TABLE, 0};
    if (has_further && !has_selector && hf_pool_room(&ledger->instrument_list.selector_pool) == 0)
        return (struct hf_verdict){HF_CODE_CAPACITY, HF_RULE_TABLE, 0};
    return (struct hf_verdict){HF_CODE_OK, HF_RULE_NONE, 0};
}

static struct hf_instrument *add_instrument(struct hf_ledger *ledger, struct hf_id token,
                                            uint64_t hash)
{
    uint32_t slot = hf_undo_insert(&ledger->undo, &ledger->instruments, token, hash);

    assert(slot != HF_TABLE_NONE);
    return hf_instrument_at(&ledger->instruments, slot);
}

/* Replaces every setting. */
static void set(struct hf_ledger *ledger, struct hf_instrument *instrument,
                const struct hf_op_instrument_put *put, const struct hf_account *account,
                const struct hf_selector *selector, uint64_t place)
{
    uint64_t *put_place =
        &ledger->instrument_list.put_places[hf_table_slot(&ledger->instruments, instrument)];

    hf_undo_keep(&ledger->undo, instrument, sizeof(*instrument));
    hf_undo_keep(&ledger->undo, put_place, sizeof(*put_place));
    *put_place = place;
    instrument->expires_ns = put->expires_ns;
    instrument->amount_limit = put->amount_limit;
    instrument->remaining = put->remaining;
    instrument->account = hf_table_slot(&ledger->accounts, account);
    instrument->status = put->status;
    instrument->flags = put->flags;
    give_back_selector(ledger, instrument);
    if (selector->count != 0)
        hf_instrument_add_selector(ledger, instrument, selector);
}

void hf_instrument_put(struct hf_ledger *ledger, const struct hf_turn *turn,
                       struct hf_answer *answer)
{
    const struct hf_op_instrument_put *put = &turn->operation->instrument_put;
    const struct hf_key *keys = turn->keys;
    const struct hf_account *account = hf_turn_find_account(ledger, turn, 1, put->account);
    struct hf_instrument *instrument =
        hf_table_find_at(&ledger->instruments, put->token, keys[0].hash, keys[0].guess);
    struct hf_selector selector;

    struct hf_verdict verdict = check_account(account, 0);
    if (verdict.code == HF_CODE_OK)
        verdict = find_further(ledger, put, &selector);
    if (verdict.code == HF_CODE_OK)
        verdict = check_room(ledger, instrument, put->further_count != 0);
    if (verdict.code != HF_CODE_OK) {
        hf_answer_refuse(answer, verdict.code, verdict.rule);
        answer->entry = verdict.entry;
        return;
    }
    if (hf_turn_is_dry(turn))
        return;
    if (instrument == NULL)
        instrument = add_instrument(ledger, put->token, keys[0].hash);
    set(ledger, instrument, put, account, &selector, answer->place);
    hf_event_add(ledger, answer, HF_EVENT_PUT, instrument->token, 0, 0, 0);
}

/* ---- authorising ---- */

struct hf_verdict hf_instrument_check(const struct hf_instrument *instrument, uint64_t amount,
                                      uint64_t timestamp_ns, bool is_more)
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
    if (instrument->remaining == 0 && !is_more)
        return (struct hf_verdict){HF_CODE_COUNT_LIMIT, HF_RULE_INSTRUMENT_COUNT, 0};
    return (struct hf_verdict){HF_CODE_OK, HF_RULE_NONE, 0};
}

bool hf_instrument_give_back(struct hf_ledger *ledger, struct hf_instrument *instrument,
                             uint64_t place)
{
    uint32_t slot = hf_table_slot(&ledger->instruments, instrument);

    if (ledger->instrument_list.put_places[slot] > place ||
        instrument->remaining >= HF_INSTRUMENT_UNLIMITED - 1)
        return false;
    hf_undo_keep(&ledger->undo, instrument, sizeof(*instrument));
    instrument->remaining++;
    return true;
}
