/* Ledgers in memory of their own. */
#include "run.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define LEDGER_ALIGNMENT 64

struct ledger_in_memory make_ledger(const struct hf_ledger_limits *limits)
{
    size_t size = hf_ledger_memory_size(limits);
    assert(size > 0);
    size_t rounded = (size + LEDGER_ALIGNMENT - 1) / LEDGER_ALIGNMENT * LEDGER_ALIGNMENT;
    struct ledger_in_memory made = {.memory = aligned_alloc(LEDGER_ALIGNMENT, rounded)};
    assert(made.memory != NULL);
    memset(made.memory, 0, rounded);
    made.ledger = hf_ledger_create(limits, made.memory, size);
    assert(made.ledger != NULL);
    return made;
}

void give_events(struct ledger_in_memory *made)
{
    made->events = calloc(1, sizeof(*made->events));
    assert(made->events != NULL);
    made->events->capacity = EVENTS_CAPACITY;
    made->events->list = malloc(EVENTS_CAPACITY * sizeof(made->events->list[0]));
    assert(made->events->list != NULL);
}

void drop_ledger(struct ledger_in_memory *made)
{
    free(made->memory);
    if (made->events != NULL)
        free(made->events->list);
    free(made->events);
    *made = (struct ledger_in_memory){0};
}
