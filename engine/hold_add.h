/* Adding a hold: what every HOLD and AUTH goes through, in line where they do. */
#ifndef HF_ENGINE_HOLD_ADD_H
#define HF_ENGINE_HOLD_ADD_H

#include "state.h"

/* Forgets the hold that ended first, and returns its slot: still taken, its line all zero. The
 * tally has been kept. */
static inline uint32_t hf_hold_forget_first(struct hf_holds *holds, struct hf_undo *undo)
{
    struct hf_hold_tally *tally = &holds->tally;
    uint32_t slot = hf_hold_ended(holds, 0);
    struct hf_hold *hold = hf_hold_at(holds, slot);

    assert(tally->ended_count > 0);
    assert(hold->status != HF_HOLD_OPEN);
    tally->ended_first =
        tally->ended_first + 1 == holds->slots.capacity ? 0 : tally->ended_first + 1;
    tally->ended_count--;
    hf_undo_remove(undo, &holds->index, slot, hf_id_hash(hold->id));
    hf_undo_keep(undo, hold, sizeof(*hold));
    *hold = (struct hf_hold){0};
    return slot;
}

/* The slot of a stale hold of this id, forgotten likewise; HF_TABLE_NONE when there is none. None
 * of this id is known (asserted). */
uint32_t hf_hold_take_known(struct hf_ledger *ledger, struct hf_id id, uint64_t hash);

/* A slot for a new hold, taken, its line all zero. The tally has been kept. */
static inline uint32_t hf_hold_take_slot(struct hf_ledger *ledger, struct hf_id id, uint64_t hash)
{
    struct hf_holds *holds = &ledger->holds;

    if (__builtin_expect(ledger->undo.is_open || hf_hold_may_be_unseen(holds, id), 0)) {
        uint32_t slot = hf_hold_take_known(ledger, id, hash);
        if (slot != HF_TABLE_NONE)
            return slot;
    }
    if (hf_pool_room(&holds->slots) == 0)
        return hf_hold_forget_first(holds, &ledger->undo);
    return hf_pool_take(&holds->slots, &ledger->undo);
}

/* Adds an open hold, forgetting the one that ended first when the table is full. The caller has
 * seen that not all are open and that its id is not known (both asserted), and fills all but id and
 * status. Its answer has been kept. Returns its slot. */
static inline uint32_t hf_hold_add(struct hf_ledger *ledger, struct hf_id id, uint64_t hash)
{
    struct hf_holds *holds = &ledger->holds;
    struct hf_undo *undo = &ledger->undo;

    assert(!hf_hold_are_all_open(holds));
    hf_undo_keep(undo, &holds->tally, sizeof(holds->tally));
    uint32_t slot = hf_hold_take_slot(ledger, id, hash);
    struct hf_hold *hold = hf_hold_at(holds, slot);
    assert(hf_id_is_zero(hold->id));
    hf_undo_enter(undo, &holds->index, slot, hash);
    if (__builtin_expect(undo->is_open, 0)) {
        hf_undo_record(undo, hold, sizeof(*hold));
        hf_undo_record(undo, &holds->answers[slot], sizeof(*holds->answers));
        hf_hold_note_unseen(holds, id);
    }
    hold->id = id;
    hold->status = HF_HOLD_OPEN;
    holds->tally.open_count++;
    return slot;
}

/* Gives a hold just added what it has besides, which is not plain, and arms its timer. */
static inline void hf_hold_set_more(struct hf_ledger *ledger, uint32_t slot,
                                    const struct hf_hold_more *more)
{
    struct hf_hold_more *line = &ledger->holds.more[slot];

    hf_undo_keep(&ledger->undo, line, sizeof(*line));
    hf_hold_at(&ledger->holds, slot)->has_more = true; /* the line was kept when it was added */
    *line = *more;
    if (more->expires_ns != 0)
        hf_expire_arm_hold(ledger, slot, more->expires_ns);
}

#endif
