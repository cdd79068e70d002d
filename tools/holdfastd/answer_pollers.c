#include "answer_pollers.h"

#include "counters.h"

/* What a poller has done since the start, and what stands before it. */
struct load_of {
    uint64_t operations;
    uint64_t waiting; /* datagrams (rx), bundles (order, tx, shards), batches (log), records that
                         are not committed (replicate) */
    uint64_t room;    /* for so many */
    uint64_t waits;   /* looks that ended because a vote of somebody else was not there yet */
};

/* Of a ring that others use meanwhile: the producer is looked at last, so never too few. */
static uint64_t ring_fill(const struct rte_ring *ring)
{
    uint32_t consumed = __atomic_load_n(&ring->cons.tail, __ATOMIC_ACQUIRE);
    uint32_t produced = __atomic_load_n(&ring->prod.tail, __ATOMIC_RELAXED);
    uint32_t fill = produced - consumed;

    return fill < ring->capacity ? fill : ring->capacity;
}

static struct load_of ring_load(const _Atomic uint64_t *operations, const struct rte_ring *ring)
{
    return (struct load_of){counter_read(operations), ring_fill(ring), ring->capacity, 0};
}

static struct load_of replicate_load(const struct replicate_state *state)
{
    uint64_t committed = counter_read(&state->commit_index);
    uint64_t last = counter_read(&state->last_index);

    return (struct load_of){
        .operations = counter_read(&state->records_sent) + counter_read(&state->records_received),
        .waiting = last > committed ? last - committed : 0,
        .room = HF_REPLICA_WINDOW_MAX,
    };
}

/* Of one that hands all on: datagrams. */
static struct load_of receive_load(const struct receiver *receiver)
{
    if (receiver->to_door != NULL)
        return ring_load(&receiver->handed_on, receiver->to_door);
    return (struct load_of){counter_read(&receiver->operations), counter_read(&receiver->waiting),
                            receiver->lines.piece_count, 0};
}

static struct load_of order_load(const struct orderer *orderer)
{
    struct load_of load = {.operations = counter_read(&orderer->operations),
                           .waits = counter_read(&orderer->waits)};

    for (uint32_t i = 0; i < orderer->received_count; i++) {
        load.waiting += ring_fill(orderer->received[i]);
        load.room += orderer->received[i]->capacity;
    }
    return load;
}

static struct load_of shard_load(const struct shard_poller *shard)
{
    struct load_of load = ring_load(&shard->operations, shard->works);

    load.waits = counter_read(&shard->waits);
    return load;
}

static struct load_of load_of(const struct node *node, const struct poller *poller)
{
    for (uint32_t i = 0; i < node->receiver_count; i++) {
        if (poller->state == &node->receivers[i])
            return receive_load(&node->receivers[i]);
    }
    if (poller->state == &node->logger)
        return ring_load(&node->orderer.operations, node->logger.batches);
    if (poller->state == &node->transmitter)
        return ring_load(&node->transmitter.answers, node->transmitter.applied);
    if (poller->state == &node->replicator)
        return replicate_load(&node->replicator.state);
    if (poller->state == &node->orderer)
        return order_load(&node->orderer);
    return shard_load(poller->state);
}

static json_t *poller_answer(const struct node *node, const struct core *core,
                             const struct poller *poller)
{
    const struct load_of load = load_of(node, poller);

    return json_pack("{s:s, s:i, s:I, s:I, s:f, s:I, s:I, s:I}", "poller", poller->name, "core",
                     (int)core->processor, "batches", (json_int_t)counter_read(&poller->rounds),
                     "operations", (json_int_t)load.operations, "idle_share",
                     core_idle_share(core, poller), "waiting", (json_int_t)load.waiting, "room",
                     (json_int_t)load.room, "votes_waited", (json_int_t)load.waits);
}

json_t *answer_pollers(const struct node *node)
{
    json_t *pollers = json_array();

    for (uint32_t i = 0; i < node->core_count; i++) {
        const struct core *core = &node->cores[i];
        for (uint32_t k = 0; k < core->poller_count; k++)
            json_array_append_new(pollers, poller_answer(node, core, core->pollers[k]));
    }
    return pollers;
}
