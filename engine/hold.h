/* Holds: money promised to a payee, until it is captured, released or expired.
 *
 * A hold is a line, and at the same slot of two arrays beside it: the answer of the operation that
 * made it, and whatever a plain hold has no need of (`more`): expiry, origin, class and policy,
 * where the parts of several payers and the conditions begin. Those of authorisations have a record
 * besides (record.h). The parts and conditions of open holds lie in pools. An index leads from ids
 * to slots.
 *
 * An ended hold stays known for a time, so that its maker is answered again, or until all slots are
 * taken and a new hold needs one: then the one that ended first is forgotten, and its slot is the
 * new hold's. The slots of ended holds lie in a ring, in the order in which they ended: so which
 * slot comes next is known, and can be fetched, before its turn comes; and where holds end in the
 * order in which they were made, slots are taken one after the other.
 *
 * Nothing happens when the time is over: what is still there and no longer known is stale. Stale
 * holds are the first in the ring, and nobody sees them (hf_hold_is_known). */
#ifndef HF_ENGINE_HOLD_H
#define HF_ENGINE_HOLD_H

#include "account.h"
#include "ledger.h"
#include "pool.h"
#include "record.h"

struct hf_hold {
    struct hf_id id;
    uint64_t amount;    /* held at first, or as adjusted */
    uint64_t remaining; /* still held; 0 when it has ended */
    uint64_t captured;  /* the rest was released */
    uint64_t ended_ns;  /* timestamp of the operation that ended it; 0: open */
    uint32_t payer; /* slot of the account; the first of several. HF_TABLE_NONE: none was found */
    uint32_t payee; /* slot, or HF_TABLE_NONE: whoever the capture names, or none was found */
    uint32_t ended_index; /* of an ended one: where in the ring it is */
    uint16_t asset;       /* of all accounts */
    uint8_t status;       /* enum hf_hold_status */
    bool has_more : 1;    /* else all of that is as in hf_hold_plain */
    bool has_record : 1;  /* it is an authorisation's */
};
HF_STATIC_ASSERT(sizeof(struct hf_hold) == HF_TABLE_LINE_SIZE, "a hold is one line");

struct hf_hold_more {
    uint64_t expires_ns; /* 0: never */
    uint32_t origin;
    uint32_t first_part;      /* in the pool, when it is open and has several payers */
    uint32_t first_condition; /* likewise; or HF_TABLE_NONE */
    uint16_t tolerance;
    uint8_t class_number;
    uint8_t policy; /* enum hf_hold_policy */
    uint8_t payer_count;
    uint8_t condition_count;
    uint8_t required;
    uint8_t met; /* bit n: condition n + 1 has been proved */
    uint8_t reserved[4];
};
HF_STATIC_ASSERT(sizeof(struct hf_hold_more) == 32, "two to a line");
extern const struct hf_hold_more hf_hold_plain; /* one payer, for ever, without conditions */

/* Is it no different from that? Then the hold has none. */
static inline bool hf_hold_more_is_plain(const struct hf_hold_more *more)
{
    return more == &hf_hold_plain || memcmp(more, &hf_hold_plain, sizeof(*more)) == 0;
}

#define HF_HOLD_PARTS_MAX HF_PLAN_SOURCES_MAX

/* One payer's part of an open hold that has several. */
struct hf_part {
    uint64_t remaining;
    uint32_t account; /* slot */
    uint32_t reserved;
};

/* How many there are, and where the ended ones begin: what adding and ending changes. */
struct hf_hold_tally {
    uint32_t open_count;
    uint32_t ended_count;
    uint32_t ended_first; /* index in the ring */
};

struct hf_holds {
    struct hf_index index;
    struct hf_pool slots;
    struct hf_hold *lines; /* by slot, as the next two; of a free slot all zero */
    struct hf_answer *answers;
    struct hf_hold_more *more;
    struct hf_record *records; /* by slot, of authorisations */
    struct hf_record_later *later;
    struct hf_hold_tally tally;
    uint64_t record_ns; /* for how long ended ones stay known */
    uint32_t *ended;    /* ring of slots, as many as there are */
    uint64_t unseen_ms; /* over the id times of all holds that the memory of ids may not know */
    struct hf_pool part_pool;
    struct hf_part *parts;
    struct hf_pool condition_pool;
    struct hf_op_condition *conditions;
    uint64_t lifetimes_ns[HF_CLASSES]; /* of each class; 0: for ever */
};

/* `holds` and `parts` of the limits say how many. */
void hf_holds_create(struct hf_holds *holds, struct hf_arena *arena,
                     const struct hf_ledger_limits *limits);

static inline struct hf_hold *hf_hold_at(const struct hf_holds *holds, uint32_t slot)
{
    return &holds->lines[slot];
}

static inline uint32_t hf_hold_slot(const struct hf_holds *holds, const struct hf_hold *hold)
{
    return (uint32_t)(hold - holds->lines);
}

/* The slot of the hold of this id, or HF_TABLE_NONE. */
static inline uint32_t hf_hold_find(const struct hf_holds *holds, struct hf_id id, uint64_t hash)
{
    return hf_index_find(&holds->index, id, hash);
}

/* The first slot at or after `slot` that a hold has, or HF_TABLE_NONE: to walk all of them. */
uint32_t hf_hold_next(const struct hf_holds *holds, uint32_t slot);

static inline const struct hf_hold_more *hf_hold_more_of(const struct hf_holds *holds,
                                                         const struct hf_hold *hold)
{
    return hold->has_more ? &holds->more[hf_hold_slot(holds, hold)] : &hf_hold_plain;
}

/* Where in the ring is the ended hold before which `number` others ended? */
static inline uint32_t hf_hold_ended_index(const struct hf_holds *holds, uint32_t number)
{
    uint32_t index = holds->tally.ended_first + number; /* both at most 2^31 */

    assert(number <= holds->tally.ended_count);
    return index < holds->slots.capacity ? index : index - holds->slots.capacity;
}

/* Its slot, when so many have ended. */
static inline uint32_t hf_hold_ended(const struct hf_holds *holds, uint32_t number)
{
    return holds->ended[hf_hold_ended_index(holds, number)];
}

/* Which slot gets the new hold before which `number` others come, all by themselves; HF_TABLE_NONE:
 * one that was given back. */
static inline uint32_t hf_hold_slot_to_come(const struct hf_holds *holds, uint32_t number)
{
    uint32_t unused = holds->slots.capacity - holds->slots.count;

    if (number >= unused)
        return number - unused < holds->tally.ended_count ? hf_hold_ended(holds, number - unused)
                                                          : HF_TABLE_NONE;
    return holds->slots.first_free == HF_TABLE_NONE ? holds->slots.fresh_index + number
                                                    : HF_TABLE_NONE;
}

/* Has its expiry come? */
static inline bool hf_hold_is_due(const struct hf_hold_more *more, uint64_t timestamp_ns)
{
    return more->expires_ns != 0 && timestamp_ns >= more->expires_ns;
}

/* Is it open, or did it end not too long before this time? */
static inline bool hf_hold_is_known(const struct hf_holds *holds, const struct hf_hold *hold,
                                    uint64_t timestamp_ns)
{
    return hold->status == HF_HOLD_OPEN || timestamp_ns - hold->ended_ns < holds->record_ns;
}

/* Is it the record of a refused or reversed AUTH? Then it is no hold to whoever looks for one. */
static inline bool hf_hold_is_record_alone(const struct hf_hold *hold)
{
    return hold->status == HF_HOLD_REFUSED || hold->status == HF_HOLD_REVERSED;
}

/* The slot of the hold or record of this id that is known at this time, or HF_TABLE_NONE. */
uint32_t hf_hold_find_known(const struct hf_holds *holds, struct hf_id id, uint64_t hash,
                            uint64_t timestamp_ns);

/* How many of the ended ones, from the first on, are stale at this time. */
uint32_t hf_hold_count_stale(const struct hf_holds *holds, uint64_t timestamp_ns);

/* The answer of the operation that made a hold or record, or NULL when none of this id is known at
 * this time, or only that it was reversed before it came. */
const struct hf_answer *hf_hold_answer(const struct hf_holds *holds, struct hf_id id, uint64_t hash,
                                       uint64_t timestamp_ns);

/* Are all places taken by open holds? */
static inline bool hf_hold_are_all_open(const struct hf_holds *holds)
{
    return holds->tally.open_count == holds->slots.capacity;
}

/* Says that a hold of this id exists, or may, whose maker the memory of ids need not know although
 * its time is not below the floor: one made in a chain, one out of an image. */
static inline void hf_hold_note_unseen(struct hf_holds *holds, struct hf_id id)
{
    uint64_t time_ms = hf_id_time_ms(id);

    if (time_ms >= holds->unseen_ms)
        holds->unseen_ms = time_ms + 1;
}

/* May a hold have this id, which the memory of ids does not know and which is not below the floor?
 * Saves nearly every new hold a look for one like it. */
static inline bool hf_hold_may_be_unseen(const struct hf_holds *holds, struct hf_id id)
{
    return hf_id_time_ms(id) < holds->unseen_ms;
}

/* Add a part or condition behind those that an open hold has. There must be room (asserted), and
 * the hold must have more. */
void hf_hold_add_part(struct hf_ledger *ledger, uint32_t slot, uint32_t account,
                      uint64_t remaining);
void hf_hold_add_condition(struct hf_ledger *ledger, uint32_t slot,
                           const struct hf_op_condition *condition);

/* Ends an open hold with nothing remaining (asserted): the newest of the ended ones. Its parts and
 * conditions are given back. */
void hf_hold_end(struct hf_ledger *ledger, uint32_t slot, enum hf_hold_status status,
                 uint64_t timestamp_ns);

/* CLASS_PUT. */
void hf_hold_put_class(struct hf_ledger *ledger, const struct hf_turn *turn,
                       struct hf_answer *answer);

#endif
