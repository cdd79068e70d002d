/* Events: what an operation did, told to whoever looks on.
 *
 * They are derived, never stored: whoever applies the same operations gets the same events. Which
 * operation yields which, and in which order, is in OPERATIONS.md. */
#ifndef HF_ENGINE_EVENT_H
#define HF_ENGINE_EVENT_H

#include "operation.h"

enum hf_event_kind {
    HF_EVENT_REFUSED = 1,   /* subject: the operation; code, rule and entry say why */
    HF_EVENT_POSTED = 2,    /* an account's posted balance changed by `amount` */
    HF_EVENT_HELD = 3,      /* a hold was made over `amount` */
    HF_EVENT_ADJUSTED = 4,  /* `amount` remains held */
    HF_EVENT_CAPTURED = 5,  /* `amount` of a hold was captured */
    HF_EVENT_RELEASED = 6,  /* `amount` of a hold went back */
    HF_EVENT_EXPIRED = 7,   /* a hold ended, `amount` went back; or of an account, to its sink */
    HF_EVENT_ATTESTED = 8,  /* condition number `entry` of a hold is met */
    HF_EVENT_OPENED = 9,    /* an account */
    HF_EVENT_CHANGED = 10,  /* an account's floor, status or terms */
    HF_EVENT_CLOSED = 11,   /* an account */
    HF_EVENT_PUT = 12,      /* an asset (lo: its number), an instrument, a class (lo: its number) */
    HF_EVENT_DRAWN = 13,    /* an instrument's counter: `amount` are left */
    HF_EVENT_LIMIT = 14,    /* limit number `entry` of an instrument or account was set or drawn:
                               `amount` is used of it now */
    HF_EVENT_REVERSED = 15, /* `amount` of an authorisation was taken back; 0: one that has not come
                               yet, and will be refused */
    HF_EVENT_EXCEPTION = 16, /* a forced authorisation or clearing over `amount` stands although
                                `code` and `rule` would have refused it */
};

struct hf_event {
    uint64_t place;       /* of the operation */
    struct hf_id subject; /* an account, hold, instrument or operation */
    int64_t amount;
    uint16_t code;  /* enum hf_code: why it was refused; else 0 */
    uint16_t asset; /* of an amount; else 0 */
    uint8_t kind;   /* enum hf_event_kind */
    uint8_t rule;   /* as in a reply */
    uint8_t entry;  /* likewise */
    uint8_t type;   /* of the operation */
};
HF_STATIC_ASSERT(sizeof(struct hf_event) == 40, "event");

/* No operation yields more: a chain full of authorisations of instruments with as many accounts as
 * can be, each account and all its ancestors with as many limits; or of captures of holds with as
 * many payers, each with all its ancestors, and two records' worth each. */
#define HF_EVENTS_OF_PARTIES ((HF_PLAN_SOURCES_MAX + 1) * (1 + HF_PARENT_DEPTH_MAX) + 3)
#define HF_EVENTS_OF_LIMITS                                                             \
    (HF_LIMITS_A_SCOPE * (1 + HF_INSTRUMENT_ACCOUNTS_MAX * (1 + HF_PARENT_DEPTH_MAX)) + \
     (HF_INSTRUMENT_ACCOUNTS_MAX + 1) * (1 + HF_PARENT_DEPTH_MAX) + 4)
HF_STATIC_ASSERT(HF_EVENTS_OF_LIMITS > HF_EVENTS_OF_PARTIES, "the larger of the two");
#define HF_EVENTS_MAX (HF_CHAIN_OPERATIONS_MAX * HF_EVENTS_OF_LIMITS)

/* Where the events of a bundle go. The owner empties it before each bundle, and sees to it that
 * HF_EVENTS_MAX an operation find room (asserted). */
struct hf_events {
    struct hf_event *list;
    uint32_t count;
    uint32_t capacity;
};

#endif
