#include "answer_metrics.h"

#include "answer_pair.h"
#include "answer_pollers.h"
#include "counters.h"

static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *counter(const _Atomic uint64_t *which)
{
    return number(counter_read(which));
}

static json_t *port_answer(const struct hf_port *port)
{
    struct hf_port_counters counters;

    port->maker->count(port, &counters);
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "received",
                     number(counters.received), "received_bytes", number(counters.received_bytes),
                     "sent", number(counters.sent), "sent_bytes", number(counters.sent_bytes),
                     "dropped_malformed", number(counters.dropped_malformed), "dropped_other",
                     number(counters.dropped_other), "dropped_full", number(counters.dropped_full),
                     "arp_answered", number(counters.arp_answered), "icmp_answered",
                     number(counters.icmp_answered));
}

/* The counters of a receive poller by name, in the order in which they are told. */
static const struct {
    const char *name;
    size_t offset;
} receiver_counters[] = {
    {"bundles", offsetof(struct receiver, bundle_count)},
    {"datagrams", offsetof(struct receiver, datagrams)},
    {"operations", offsetof(struct receiver, operations)},
    {"queries", offsetof(struct receiver, queries)},
    {"refused", offsetof(struct receiver, refused)},
    {"busy", offsetof(struct receiver, busy)},
    {"unanswered", offsetof(struct receiver, unanswered)},
    {"lined_up", offsetof(struct receiver, lined_up)},
    {"waiting", offsetof(struct receiver, waiting)},
    {"handed_on", offsetof(struct receiver, handed_on)},
};
#define RECEIVER_COUNTERS (sizeof receiver_counters / sizeof receiver_counters[0])

static uint64_t receiver_counter(const struct receiver *receiver, size_t number)
{
    const char *at = (const char *)receiver + receiver_counters[number].offset;

    return counter_read((const _Atomic uint64_t *)(const void *)at);
}

/* All receive pollers together. */
static json_t *receivers_answer(const struct node *node)
{
    json_t *answer = json_object();

    for (size_t i = 0; i < RECEIVER_COUNTERS; i++) {
        uint64_t sum = 0;
        for (uint32_t k = 0; k < node->receiver_count; k++)
            sum += receiver_counter(&node->receivers[k], i);
        json_object_set_new(answer, receiver_counters[i].name, number(sum));
    }
    return answer;
}

/* Each of them; an empty list when there is only one. */
static json_t *queues_answer(const struct node *node)
{
    json_t *queues = json_array();

    for (uint32_t k = 0; node->receiver_count > 1 && k < node->receiver_count; k++) {
        json_t *answer = json_pack("{s:i}", "queue", (int)k);
        for (size_t i = 0; i < RECEIVER_COUNTERS; i++)
            json_object_set_new(answer, receiver_counters[i].name,
                                number(receiver_counter(&node->receivers[k], i)));
        json_array_append_new(queues, answer);
    }
    return queues;
}

static json_t *orderer_answer(const struct orderer *order)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "bundles",
                     counter(&order->bundles), "operations", counter(&order->operations),
                     "approved", counter(&order->approved), "repeats", counter(&order->repeats),
                     "queries", counter(&order->queries), "busy", counter(&order->busy),
                     "expire_operations", counter(&order->expire_operations), "expired",
                     counter(&order->expired), "batches", counter(&order->batch_count));
}

static json_t *logger_answer(struct logger *log)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:b}", "commit_index", counter(&log->commit_index),
                     "records", counter(&log->records), "record_bytes", counter(&log->record_bytes),
                     "device_bytes", counter(&log->device_bytes), "full",
                     (int)atomic_load(&log->full));
}

static json_t *transmitter_answer(const struct transmitter *tx)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "bundles", counter(&tx->bundles), "answers",
                     counter(&tx->answers), "datagrams", counter(&tx->datagrams), "unsent",
                     counter(&tx->unsent));
}

static json_t *cores_answer(const struct node *node)
{
    json_t *cores = json_array();

    for (uint32_t i = 0; i < node->core_count; i++) {
        const struct core *core = &node->cores[i];
        uint64_t busy = counter_read(&core->busy_ns);
        uint64_t idle = counter_read(&core->idle_ns);
        json_t *pollers = json_object();
        for (uint32_t k = 0; k < core->poller_count; k++)
            json_object_set_new(pollers, core->pollers[k]->name,
                                counter(&core->pollers[k]->rounds));
        json_array_append_new(
            cores, json_pack("{s:i, s:o, s:f, s:o}", "core", (int)core->processor,
                             "rounds_by_poller", pollers, "idle_share",
                             busy + idle == 0 ? 1.0 : (double)idle / (double)(busy + idle),
                             "sleeps", counter(&core->sleeps_taken)));
    }
    return cores;
}

static json_t *shards_answer(const struct node *node)
{
    json_t *shards = json_array();

    for (uint32_t i = 0; i < node->divided.count; i++) {
        const struct shard_poller *poller = &node->divided.pollers[i];
        json_array_append_new(
            shards,
            json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o}", "shard", (int)i, "works",
                      counter(&poller->works_done), "operations", counter(&poller->operations),
                      "lent", counter(&poller->lent), "borrowed", counter(&poller->borrowed),
                      "words", counter(&poller->words), "waits", counter(&poller->waits)));
    }
    return shards;
}

/* What became of every datagram that came, by the words of net/fate.h; null without sessions. */
static json_t *security_answer(const struct node *node)
{
    const struct door *door = node->door;

    if (door == NULL)
        return json_null();
    json_t *answer =
        json_pack("{s:o, s:o, s:o, s:o}", "sessions", counter(&door->sessions), "sealed",
                  counter(&node->transmitter.sealed), "forbidden", counter(&door->forbidden),
                  "over_origins_rate", counter(&door->over_rate));
    for (int fate = 0; fate < HF_FATE_COUNT; fate++) {
        if (fate != HF_FATE_JOINED) /* that is an initiator's */
            json_object_set_new(answer, hf_fate_word((enum hf_fate)fate),
                                counter(&door->fates[fate]));
    }
    return answer;
}

json_t *metrics_answer(struct node *node)
{
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "durability",
                     config_durability_name(node->config), "port", port_answer(node->port), "rx",
                     receivers_answer(node), "queues", queues_answer(node), "order",
                     orderer_answer(&node->orderer), "log", logger_answer(&node->logger), "tx",
                     transmitter_answer(&node->transmitter), "pollers", answer_pollers(node),
                     "cores", cores_answer(node), "shards", shards_answer(node), "security",
                     security_answer(node), "pair", answer_pair_counters(node));
}
