/* Operations in flight: the client's window.
 *
 * Every operation has a slot, found by its id through an open-addressing table. A slot is always in
 * one list: free; queued for one of the servers; waiting for its reply at one back-off level; or
 * done, until the caller collects it. All operations at a level wait about equally long, so each
 * level's list is kept in order of due time and no heap of timers is needed. Those that are not
 * done also hang in a list by age, for the overall timeout.
 *
 * What an operation says, and then its reply, lies in a body beside the slot: all of one size, that
 * of the longest operation the client can send.
 *
 * Indices instead of pointers; every move is constant time; nothing allocates after create. */
#ifndef HF_NET_FLIGHT_H
#define HF_NET_FLIGHT_H

#include "engine/operation.h"

#include <stdbool.h>

#define HF_FLIGHT_NONE        UINT32_MAX
#define HF_FLIGHT_LEVELS_MAX  24
#define HF_FLIGHT_SERVERS_MAX 4

enum hf_flight_state {
    HF_FLIGHT_FREE = 0,
    HF_FLIGHT_QUEUED = 1,
    HF_FLIGHT_WAITING = 2,
    HF_FLIGHT_DONE = 3,
};

union hf_flight_body {
    union hf_operation operation; /* until it is answered: all header.length bytes of it */
    struct hf_query_reply reply;  /* then: all reply.length bytes of it */
};

struct hf_flight_slot {
    struct hf_id id;
    void *context;
    uint64_t submitted_ns;
    uint64_t sent_ns;        /* when it was sent first */
    uint64_t due_ns;         /* waiting: when to send again */
    uint32_t previous, next; /* in the list of its state */
    uint32_t older, newer;   /* in the list by age, while not done */
    uint16_t attempts;       /* how often sent; saturates */
    uint8_t level;           /* of back-off */
    uint8_t server;          /* whom it goes to next, or went to */
    uint8_t state;           /* enum hf_flight_state */
    uint8_t type;            /* of the operation */
    bool was_redirected;     /* at once to where it is now, since it last waited its time */
    bool was_busy;           /* it was refused for a while: its round trip says nothing */
    bool answered;           /* done: with a reply; otherwise given up */
};

struct hf_flight_list {
    uint32_t first, last, count;
};

struct hf_flight_place;

struct hf_flight {
    struct hf_flight_slot *slots;
    uint8_t *bodies;
    uint32_t body_size; /* bytes from one body to the next */
    uint32_t operation_size;
    struct hf_flight_place
        *places; /* the table: a power of two of them, at least twice the slots */
    uint32_t place_mask;
    uint32_t slot_count;
    struct hf_flight_list unused;
    struct hf_flight_list queued[HF_FLIGHT_SERVERS_MAX];
    struct hf_flight_list waiting[HF_FLIGHT_LEVELS_MAX];
    struct hf_flight_list done;
    uint32_t oldest, newest;
};

/* Room for `window` operations (at least 1) of up to `operation_size` bytes (from
 * HF_OPERATION_FIXED_MAX on). False when there is no memory. */
bool hf_flight_create(struct hf_flight *flight, uint32_t window, uint32_t operation_size);
void hf_flight_destroy(struct hf_flight *flight);

static inline struct hf_flight_slot *hf_flight_slot(struct hf_flight *flight, uint32_t index)
{
    return &flight->slots[index];
}

static inline union hf_flight_body *hf_flight_body(struct hf_flight *flight, uint32_t index)
{
    return (union hf_flight_body *)(void *)(flight->bodies + (size_t)index * flight->body_size);
}

/* The slot of an id that is queued or waiting, or HF_FLIGHT_NONE. */
uint32_t hf_flight_find(const struct hf_flight *flight, struct hf_id id);

/* Takes a free slot for a copy of `operation`, queues it for `server`. It must not be too long, and
 * its id not in flight (asserted). HF_FLIGHT_NONE when the window is full. */
uint32_t hf_flight_add(struct hf_flight *flight, const union hf_operation *operation, void *context,
                       uint8_t server, uint64_t now_ns);

/* Moves between the lists; each asserts where the slot comes from. At one level nothing is due
 * before what has waited there longer: await puts `due_ns` off where it must. */
void hf_flight_queue(struct hf_flight *flight, uint32_t index, uint8_t server);
void hf_flight_await(struct hf_flight *flight, uint32_t index, uint64_t due_ns);
void hf_flight_finish(struct hf_flight *flight, uint32_t index, bool answered);
/* Frees a slot, wherever it is. */
void hf_flight_free(struct hf_flight *flight, uint32_t index);

#endif
