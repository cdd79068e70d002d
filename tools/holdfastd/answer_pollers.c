#include "answer_pollers.h"

#include "counters.h"

/* What a poller has done since the start, and what stands before it. */
struct load_of {
    uint64_t operations;
    uint64_t waiting; /* datagrams (rx), bundles (order, tx), batches (log) */
    uint64_t room;    /* for so many */
};

static struct load_of ring_load(uint64_t operations, const struct rte_ring *ring)
{
    return (struct load_of){operations, ring_count(ring), ring->capacity};
}

/* False: this poller's work is told elsewhere (shards, the pair). */
static bool look_at(struct node *node, const struct poller *poller, struct load_of *load)
{
    const struct receiver *receiver = &node->receiver;

    if (poller->state == receiver)
        *load = (struct load_of){counter_read(&receiver->operations),
                                 counter_read(&receiver->waiting), receiver->lines.piece_count};
    else if (poller->state == &node->orderer)
        *load = ring_load(counter_read(&node->orderer.operations), node->orderer.received);
    else if (poller->state == &node->logger)
        *load = ring_load(counter_read(&node->orderer.operations), node->logger.batches);
    else if (poller->state == &node->transmitter)
        *load = ring_load(counter_read(&node->transmitter.answers), node->transmitter.applied);
    else
        return false;
    return true;
}

static json_t *poller_answer(struct node *node, const struct core *core,
                             const struct poller *poller)
{
    uint64_t busy = counter_read(&core->busy_ns);
    uint64_t idle = counter_read(&core->idle_ns);
    json_t *answer =
        json_pack("{s:s, s:i, s:I, s:f}", "poller", poller->name, "core", (int)core->processor,
                  "batches", (json_int_t)counter_read(&poller->rounds), "idle_share",
                  busy + idle == 0 ? 1.0 : (double)idle / (double)(busy + idle));
    struct load_of load;

    if (look_at(node, poller, &load)) {
        json_object_set_new(answer, "operations", json_integer((json_int_t)load.operations));
        json_object_set_new(answer, "waiting", json_integer((json_int_t)load.waiting));
        json_object_set_new(answer, "room", json_integer((json_int_t)load.room));
    }
    return answer;
}

json_t *answer_pollers(struct node *node)
{
    json_t *pollers = json_array();

    for (uint32_t i = 0; i < node->core_count; i++) {
        const struct core *core = &node->cores[i];
        for (uint32_t k = 0; k < core->poller_count; k++)
            json_array_append_new(pollers, poller_answer(node, core, core->pollers[k]));
    }
    return pollers;
}
