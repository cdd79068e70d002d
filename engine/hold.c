/* The records of holds. */
#include "hold.h"

#include "expire.h"
#include "hold_add.h"
#include "state.h"

#include <assert.h>
#include <string.h>

#define DAY_NS (UINT64_C(86400) * 1000000000)

const struct hf_hold_more hf_hold_plain = {
    .first_part = HF_TABLE_NONE,
    .first_condition = HF_TABLE_NONE,
    .payer_count = 1,
};

/* What card schemes have: for how long an authorisation of each class is good. */
static const uint64_t first_lifetimes_ns[HF_CLASSES] = {
    [1] = 7 * DAY_NS,  /* card not present */
    [2] = 5 * DAY_NS,  /* initiated by the merchant */
    [3] = 30 * DAY_NS, /* lodging and vehicles */
    [4] = 7 * DAY_NS,  /* final authorisation */
    [5] = 30 * DAY_NS, /* pre-authorisation */
};

void hf_holds_create(struct hf_holds *holds, struct hf_arena *arena,
                     const struct hf_ledger_limits *limits)
{
    holds->lines = hf_arena_take(arena, limits->holds, sizeof(*holds->lines));
    holds->answers = hf_arena_take(arena, limits->holds, sizeof(*holds->answers));
    holds->more = hf_arena_take(arena, limits->holds, sizeof(*holds->more));
    holds->records = hf_arena_take(arena, limits->holds, sizeof(*holds->records));
    holds->later = hf_arena_take(arena, limits->holds, sizeof(*holds->later));
    holds->record_ns = limits->record_ns;
    hf_pool_create(&holds->slots, arena, limits->holds);
    hf_index_create(&holds->index, arena, limits->holds, holds->lines);
    holds->ended = hf_arena_take(arena, limits->holds, sizeof(*holds->ended));
    hf_pool_create(&holds->part_pool, arena, limits->parts);
    holds->parts = hf_arena_take(arena, limits->parts, sizeof(*holds->parts));
    hf_pool_create(&holds->condition_pool, arena, limits->parts);
    holds->conditions = hf_arena_take(arena, limits->parts, sizeof(*holds->conditions));
    holds->tally = (struct hf_hold_tally){0};
    holds->unseen_ms = 0;
    memcpy(holds->lifetimes_ns, first_lifetimes_ns, sizeof(holds->lifetimes_ns));
}

uint32_t hf_hold_find_known(const struct hf_holds *holds, struct hf_id id, uint64_t hash,
                            uint64_t timestamp_ns)
{
    uint32_t slot = hf_hold_find(holds, id, hash);

    if (slot == HF_TABLE_NONE || !hf_hold_is_known(holds, hf_hold_at(holds, slot), timestamp_ns))
        return HF_TABLE_NONE;
    return slot;
}

const struct hf_answer *hf_hold_answer(const struct hf_holds *holds, struct hf_id id, uint64_t hash,
                                       uint64_t timestamp_ns)
{
    uint32_t slot = hf_hold_find_known(holds, id, hash, timestamp_ns);

    if (slot == HF_TABLE_NONE || hf_hold_at(holds, slot)->status == HF_HOLD_REVERSED)
        return NULL;
    return &holds->answers[slot];
}

uint32_t hf_hold_count_stale(const struct hf_holds *holds, uint64_t timestamp_ns)
{
    uint32_t begin = 0; /* all before it are stale */
    uint32_t end = holds->tally.ended_count;

    while (begin < end) {
        uint32_t middle = begin + (end - begin) / 2;
        const struct hf_hold *hold = hf_hold_at(holds, hf_hold_ended(holds, middle));
        if (hf_hold_is_known(holds, hold, timestamp_ns))
            end = middle;
        else
            begin = middle + 1;
    }
    return begin;
}

uint32_t hf_hold_next(const struct hf_holds *holds, uint32_t slot)
{
    for (; slot < holds->slots.fresh_index; slot++) {
        if (!hf_id_is_zero(holds->lines[slot].id))
            return slot;
    }
    return HF_TABLE_NONE;
}

/* Forgets a stale hold, and returns its slot likewise. It changes places with the first one in the
 * ring, which is stale as well: in which order those go nobody sees. */
static __attribute__((noinline)) uint32_t forget_stale(struct hf_ledger *ledger, uint32_t slot)
{
    struct hf_holds *holds = &ledger->holds;
    struct hf_hold *first = hf_hold_at(holds, hf_hold_ended(holds, 0));
    uint32_t index = hf_hold_at(holds, slot)->ended_index;
    uint32_t *places[] = {&holds->ended[index], &holds->ended[holds->tally.ended_first]};

    assert(!hf_hold_is_known(holds, first, ledger->bundle_ns));
    assert(*places[0] == slot);
    hf_undo_keep(&ledger->undo, places[0], sizeof(*places[0]));
    hf_undo_keep(&ledger->undo, places[1], sizeof(*places[1]));
    hf_undo_keep(&ledger->undo, first, sizeof(*first));
    *places[0] = *places[1];
    first->ended_index = index;
    *places[1] = slot;
    return hf_hold_forget_first(holds, &ledger->undo);
}

uint32_t hf_hold_take_known(struct hf_ledger *ledger, struct hf_id id, uint64_t hash)
{
    uint32_t slot = hf_hold_find(&ledger->holds, id, hash);

    if (slot == HF_TABLE_NONE)
        return HF_TABLE_NONE;
    assert(!hf_hold_is_known(&ledger->holds, hf_hold_at(&ledger->holds, slot), ledger->bundle_ns));
    return forget_stale(ledger, slot);
}

/* Puts an item of a pool behind those in the list that begins at `*first`. */
static void append(struct hf_pool *pool, struct hf_undo *undo, uint32_t *first, uint32_t index)
{
    if (*first == HF_TABLE_NONE) {
        hf_undo_keep(undo, first, sizeof(*first));
        *first = index;
        return;
    }
    uint32_t last = *first;
    while (pool->next[last] != HF_TABLE_NONE)
        last = pool->next[last];
    hf_pool_join(pool, undo, last, index);
}

void hf_hold_add_part(struct hf_ledger *ledger, uint32_t slot, uint32_t account, uint64_t remaining)
{
    struct hf_holds *holds = &ledger->holds;
    uint32_t index = hf_pool_take(&holds->part_pool, &ledger->undo);

    assert(hf_hold_at(holds, slot)->status == HF_HOLD_OPEN);
    assert(hf_hold_at(holds, slot)->has_more);
    hf_undo_keep(&ledger->undo, &holds->parts[index], sizeof(*holds->parts));
    holds->parts[index] = (struct hf_part){.remaining = remaining, .account = account};
    append(&holds->part_pool, &ledger->undo, &holds->more[slot].first_part, index);
}

void hf_hold_add_condition(struct hf_ledger *ledger, uint32_t slot,
                           const struct hf_op_condition *condition)
{
    struct hf_holds *holds = &ledger->holds;
    uint32_t index = hf_pool_take(&holds->condition_pool, &ledger->undo);

    assert(hf_hold_at(holds, slot)->status == HF_HOLD_OPEN);
    assert(hf_hold_at(holds, slot)->has_more);
    hf_undo_keep(&ledger->undo, &holds->conditions[index], sizeof(*holds->conditions));
    holds->conditions[index] = *condition;
    append(&holds->condition_pool, &ledger->undo, &holds->more[slot].first_condition, index);
}

static void give_back_more(struct hf_ledger *ledger, uint32_t slot)
{
    struct hf_holds *holds = &ledger->holds;
    struct hf_hold_more *more = &holds->more[slot];

    hf_undo_keep(&ledger->undo, more, sizeof(*more));
    hf_pool_give_back(&holds->part_pool, &ledger->undo, more->first_part);
    hf_pool_give_back(&holds->condition_pool, &ledger->undo, more->first_condition);
    more->first_part = HF_TABLE_NONE;
    more->first_condition = HF_TABLE_NONE;
    if (more->expires_ns != 0)
        hf_expire_disarm_hold(ledger, slot);
}

/* The tally and the hold have been kept. */
static void add_ended(struct hf_holds *holds, struct hf_undo *undo, uint32_t slot)
{
    struct hf_hold_tally *tally = &holds->tally;
    uint32_t index = hf_hold_ended_index(holds, tally->ended_count);
    uint32_t *place = &holds->ended[index];

    assert(tally->ended_count < holds->slots.capacity);
    hf_undo_keep(undo, place, sizeof(*place));
    *place = slot;
    hf_hold_at(holds, slot)->ended_index = index;
    tally->ended_count++;
}

void hf_hold_end(struct hf_ledger *ledger, uint32_t slot, enum hf_hold_status status,
                 uint64_t timestamp_ns)
{
    struct hf_holds *holds = &ledger->holds;
    struct hf_hold_tally *tally = &holds->tally;
    struct hf_hold *hold = hf_hold_at(holds, slot);

    assert(hold->status == HF_HOLD_OPEN);
    assert(hold->remaining == 0);
    assert(status != HF_HOLD_OPEN);
    hf_undo_keep(&ledger->undo, hold, sizeof(*hold));
    hf_undo_keep(&ledger->undo, tally, sizeof(*tally));
    hold->status = (uint8_t)status;
    hold->ended_ns = timestamp_ns;
    tally->open_count--;
    add_ended(holds, &ledger->undo, slot);
    if (hold->has_more)
        give_back_more(ledger, slot);
}

void hf_hold_put_class(struct hf_ledger *ledger, const struct hf_turn *turn,
                       struct hf_answer *answer)
{
    const struct hf_op_class_put *put = &turn->operation->class_put;
    uint64_t *lifetime_ns = &ledger->holds.lifetimes_ns[put->class_number];

    assert(put->class_number >= 1);
    assert(put->class_number < HF_CLASSES);
    if (hf_turn_is_dry(turn))
        return;
    hf_undo_keep(&ledger->undo, lifetime_ns, sizeof(*lifetime_ns));
    *lifetime_ns = put->lifetime_ns;
    hf_event_add(ledger, answer, HF_EVENT_PUT, (struct hf_id){.lo = put->class_number}, 0, 0, 0);
}
