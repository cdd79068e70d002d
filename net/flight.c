#include "flight.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* One place of the table. `hash` (the id's, lower 32 bits) saves looking into slots that cannot
 * match, and gives a place's home when its neighbours shift. */
struct hf_flight_place {
    uint32_t index; /* of the slot, HF_FLIGHT_NONE: empty */
    uint32_t hash;
};

/* ---- lists ---- */

static const struct hf_flight_list empty_list = {HF_FLIGHT_NONE, HF_FLIGHT_NONE, 0};

static void list_append(struct hf_flight *flight, struct hf_flight_list *list, uint32_t index)
{
    struct hf_flight_slot *slot = &flight->slots[index];
    slot->next = HF_FLIGHT_NONE;
    slot->previous = list->last;
    if (list->last == HF_FLIGHT_NONE)
        list->first = index;
    else
        flight->slots[list->last].next = index;
    list->last = index;
    list->count++;
}

static void list_remove(struct hf_flight *flight, struct hf_flight_list *list, uint32_t index)
{
    const struct hf_flight_slot *slot = &flight->slots[index];
    assert(list->count > 0);
    if (slot->previous == HF_FLIGHT_NONE)
        list->first = slot->next;
    else
        flight->slots[slot->previous].next = slot->next;
    if (slot->next == HF_FLIGHT_NONE)
        list->last = slot->previous;
    else
        flight->slots[slot->next].previous = slot->previous;
    list->count--;
}

static struct hf_flight_list *list_of(struct hf_flight *flight, const struct hf_flight_slot *slot)
{
    switch (slot->state) {
    case HF_FLIGHT_QUEUED:
        return &flight->queued[slot->server];
    case HF_FLIGHT_WAITING:
        return &flight->waiting[slot->level];
    case HF_FLIGHT_DONE:
        return &flight->done;
    default:
        return &flight->unused;
    }
}

static void age_append(struct hf_flight *flight, uint32_t index)
{
    struct hf_flight_slot *slot = &flight->slots[index];
    slot->newer = HF_FLIGHT_NONE;
    slot->older = flight->newest;
    if (flight->newest == HF_FLIGHT_NONE)
        flight->oldest = index;
    else
        flight->slots[flight->newest].newer = index;
    flight->newest = index;
}

static void age_remove(struct hf_flight *flight, const struct hf_flight_slot *slot)
{
    if (slot->older == HF_FLIGHT_NONE)
        flight->oldest = slot->newer;
    else
        flight->slots[slot->older].newer = slot->newer;
    if (slot->newer == HF_FLIGHT_NONE)
        flight->newest = slot->older;
    else
        flight->slots[slot->newer].older = slot->older;
}

/* ---- the table ---- */

static void table_add(struct hf_flight *flight, struct hf_id id, uint32_t index)
{
    uint32_t hash = (uint32_t)hf_id_hash(id);
    uint32_t at = hash & flight->place_mask;
    while (flight->places[at].index != HF_FLIGHT_NONE)
        at = (at + 1) & flight->place_mask;
    flight->places[at].index = index;
    flight->places[at].hash = hash;
}

/* The place that holds the slot of `id`, or the place count when there is none. */
static uint32_t table_find(const struct hf_flight *flight, struct hf_id id)
{
    uint32_t hash = (uint32_t)hf_id_hash(id);
    for (uint32_t at = hash & flight->place_mask;; at = (at + 1) & flight->place_mask) {
        const struct hf_flight_place *place = &flight->places[at];
        if (place->index == HF_FLIGHT_NONE)
            return flight->place_mask + 1;
        if (place->hash == hash && hf_id_equal(flight->slots[place->index].id, id))
            return at;
    }
}

/* Empties a place and closes the gap, so that no search stops short and no tombstones gather. */
static void table_remove(struct hf_flight *flight, struct hf_id id)
{
    uint32_t mask = flight->place_mask;
    uint32_t gap = table_find(flight, id);
    assert(gap <= mask);
    for (uint32_t at = (gap + 1) & mask; flight->places[at].index != HF_FLIGHT_NONE;
         at = (at + 1) & mask) {
        uint32_t home = flight->places[at].hash & mask;
        if (((at - home) & mask) >= ((at - gap) & mask)) {
            flight->places[gap] = flight->places[at];
            gap = at;
        }
    }
    flight->places[gap].index = HF_FLIGHT_NONE;
}

/* ---- the face ---- */

bool hf_flight_create(struct hf_flight *flight, uint32_t window, uint32_t operation_size)
{
    assert(window > 0);
    assert(operation_size >= HF_OPERATION_FIXED_MAX);
    assert(window <= UINT32_MAX / 4);
    uint32_t place_count = 2;
    while (place_count < 2 * window)
        place_count *= 2;

    memset(flight, 0, sizeof *flight);
    flight->operation_size = operation_size;
    flight->body_size = (uint32_t)sizeof(union hf_flight_body);
    if (flight->body_size < operation_size)
        flight->body_size = (operation_size + 7) & ~7u;
    flight->slots = calloc(window, sizeof *flight->slots);
    flight->bodies = calloc(window, flight->body_size);
    flight->places = malloc(place_count * sizeof *flight->places);
    if (flight->slots == NULL || flight->bodies == NULL || flight->places == NULL) {
        hf_flight_destroy(flight);
        return false;
    }
    memset(flight->places, 0xff, place_count * sizeof *flight->places);
    flight->place_mask = place_count - 1;
    flight->slot_count = window;
    flight->unused = empty_list;
    flight->done = empty_list;
    for (uint32_t i = 0; i < HF_FLIGHT_SERVERS_MAX; i++)
        flight->queued[i] = empty_list;
    for (uint32_t i = 0; i < HF_FLIGHT_LEVELS_MAX; i++)
        flight->waiting[i] = empty_list;
    flight->oldest = HF_FLIGHT_NONE;
    flight->newest = HF_FLIGHT_NONE;
    for (uint32_t i = 0; i < window; i++)
        list_append(flight, &flight->unused, i);
    return true;
}

void hf_flight_destroy(struct hf_flight *flight)
{
    free(flight->slots);
    free(flight->bodies);
    free(flight->places);
    memset(flight, 0, sizeof *flight);
}

uint32_t hf_flight_find(const struct hf_flight *flight, struct hf_id id)
{
    uint32_t at = table_find(flight, id);
    return at > flight->place_mask ? HF_FLIGHT_NONE : flight->places[at].index;
}

uint32_t hf_flight_add(struct hf_flight *flight, const union hf_operation *operation, void *context,
                       uint8_t server, uint64_t now_ns)
{
    /* The slot freed last is the warmest in the cache. */
    uint32_t index = flight->unused.last;
    if (index == HF_FLIGHT_NONE)
        return HF_FLIGHT_NONE;
    struct hf_id id = operation->header.id;
    assert(table_find(flight, id) > flight->place_mask);
    assert(server < HF_FLIGHT_SERVERS_MAX);
    assert(operation->header.length <= flight->operation_size);

    struct hf_flight_slot *slot = &flight->slots[index];
    list_remove(flight, &flight->unused, index);
    memcpy(hf_flight_body(flight, index), operation, operation->header.length);
    slot->id = id;
    slot->context = context;
    slot->submitted_ns = now_ns;
    slot->attempts = 0;
    slot->level = 0;
    slot->server = server;
    slot->type = operation->header.type;
    slot->was_busy = false;
    slot->answered = false;
    slot->state = HF_FLIGHT_QUEUED;
    list_append(flight, &flight->queued[server], index);
    age_append(flight, index);
    table_add(flight, id, index);
    return index;
}

void hf_flight_queue(struct hf_flight *flight, uint32_t index, uint8_t server)
{
    struct hf_flight_slot *slot = &flight->slots[index];
    assert(slot->state == HF_FLIGHT_WAITING);
    assert(server < HF_FLIGHT_SERVERS_MAX);
    list_remove(flight, list_of(flight, slot), index);
    slot->state = HF_FLIGHT_QUEUED;
    slot->server = server;
    list_append(flight, &flight->queued[server], index);
}

void hf_flight_await(struct hf_flight *flight, uint32_t index, uint64_t due_ns)
{
    struct hf_flight_slot *slot = &flight->slots[index];
    assert(slot->state == HF_FLIGHT_QUEUED);
    assert(slot->level < HF_FLIGHT_LEVELS_MAX);
    list_remove(flight, list_of(flight, slot), index);
    struct hf_flight_list *list = &flight->waiting[slot->level];
    if (list->last != HF_FLIGHT_NONE && flight->slots[list->last].due_ns > due_ns)
        due_ns = flight->slots[list->last].due_ns;
    slot->state = HF_FLIGHT_WAITING;
    slot->due_ns = due_ns;
    list_append(flight, list, index);
}

void hf_flight_finish(struct hf_flight *flight, uint32_t index, bool answered)
{
    struct hf_flight_slot *slot = &flight->slots[index];
    assert(slot->state == HF_FLIGHT_QUEUED || slot->state == HF_FLIGHT_WAITING);
    table_remove(flight, slot->id);
    age_remove(flight, slot);
    list_remove(flight, list_of(flight, slot), index);
    slot->state = HF_FLIGHT_DONE;
    slot->answered = answered;
    list_append(flight, &flight->done, index);
}

void hf_flight_free(struct hf_flight *flight, uint32_t index)
{
    struct hf_flight_slot *slot = &flight->slots[index];
    assert(slot->state != HF_FLIGHT_FREE);
    if (slot->state != HF_FLIGHT_DONE) {
        table_remove(flight, slot->id);
        age_remove(flight, slot);
    }
    list_remove(flight, list_of(flight, slot), index);
    slot->state = HF_FLIGHT_FREE;
    list_append(flight, &flight->unused, index);
}
