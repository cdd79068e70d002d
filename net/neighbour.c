#include "neighbour.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static struct hf_neighbour *place_of(struct hf_neighbours *table, uint32_t ip)
{
    for (uint32_t i = 0; i < HF_NEIGHBOURS_MAX && table->places[i].ip != 0; i++)
        if (table->places[i].ip == ip)
            return &table->places[i];
    return NULL;
}

/* Places are taken in turn, so the free ones are at the end until all are taken. */
static struct hf_neighbour *new_place(struct hf_neighbours *table, uint32_t ip)
{
    struct hf_neighbour *place = &table->places[table->next];
    table->next = (table->next + 1) % HF_NEIGHBOURS_MAX;
    *place = (struct hf_neighbour){.ip = ip};
    return place;
}

bool hf_neighbour_find(struct hf_neighbours *table, uint32_t ip, uint64_t now_us, uint8_t ether[6],
                       bool *ask)
{
    assert(table != NULL && ask != NULL);
    assert(ip != 0);
    struct hf_neighbour *place = place_of(table, ip);
    bool is_new = place == NULL;
    if (is_new)
        place = new_place(table, ip);
    uint64_t pause_us = place->is_known ? HF_NEIGHBOUR_REFRESH_US : HF_NEIGHBOUR_RETRY_US;
    *ask = is_new || now_us - place->asked_us >= pause_us;
    if (*ask)
        place->asked_us = now_us;
    if (place->is_known)
        memcpy(ether, place->ether, 6);
    return place->is_known;
}

void hf_neighbour_learn(struct hf_neighbours *table, uint32_t ip, const uint8_t ether[6])
{
    assert(table != NULL);
    assert(ether != NULL);
    if (ip == 0)
        return;
    struct hf_neighbour *place = place_of(table, ip);
    if (place == NULL)
        return;
    memcpy(place->ether, ether, 6);
    place->is_known = true;
}
