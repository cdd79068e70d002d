#include "node_pollers.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static enum hf_status port_attached(enum hf_status status, const struct hf_port *port,
                                    struct hf_fault *fault)
{
    if (status != HF_STATUS_OK)
        snprintf(fault->line, sizeof fault->line, "the %s port could not be attached", port->name);
    return status;
}

static enum hf_status attach_receive(void *state, struct hf_fault *fault)
{
    struct hf_port *port = ((struct receiver *)state)->port;

    return port_attached(port->maker->attach_receive(port), port, fault);
}

static enum hf_status attach_transmit(void *state, struct hf_fault *fault)
{
    struct hf_port *port = ((struct transmitter *)state)->port;

    return port_attached(port->maker->attach_send(port), port, fault);
}

static enum hf_status attach_log(void *state, struct hf_fault *fault)
{
    return logger_attach(state, fault);
}

static void detach_log(void *state)
{
    logger_detach(state);
}

static uint32_t poll_receive(void *state)
{
    return receiver_poll(state);
}

static bool receive_is_pending(void *state)
{
    return receiver_is_pending(state);
}

static uint32_t poll_order(void *state)
{
    return orderer_poll(state);
}

static uint32_t poll_log(void *state)
{
    return logger_poll(state);
}

static uint32_t poll_transmit(void *state)
{
    return transmitter_poll(state);
}

static uint32_t poll_replicate(void *state)
{
    return replicator_poll(state);
}

static uint32_t poll_shard(void *state)
{
    return shard_poll(state);
}

static bool shard_has_work(void *state)
{
    return shard_is_pending(state);
}

static bool replicate_is_pending(void *state)
{
    return replicator_is_pending(state);
}

static bool order_is_pending(void *state)
{
    return orderer_is_pending(state);
}

static bool log_is_pending(void *state)
{
    return logger_is_pending(state);
}

static bool transmit_is_pending(void *state)
{
    return transmitter_is_pending(state);
}

static void wait_at_port(void *context, uint32_t timeout_us)
{
    struct hf_port *port = context;

    port->maker->wait(port, timeout_us);
}

static void wait_asleep(void *context, uint32_t timeout_us)
{
    const struct timespec time = {timeout_us / 1000000, (long)(timeout_us % 1000000) * 1000};

    (void)context;
    nanosleep(&time, NULL);
}

static struct poller *add_poller(struct node *node, const struct poller *poller)
{
    struct poller *added = &node->pollers[node->poller_count++];

    *added = *poller;
    return added;
}

/* One of several of a kind: "rx1". */
static struct poller *add_numbered(struct node *node, const char *kind, uint32_t number,
                                   const struct poller *poller)
{
    char *name = node->poller_names[node->poller_count];
    struct poller *added = add_poller(node, poller);

    snprintf(name, sizeof node->poller_names[0], "%s%u", kind, number);
    added->name = name;
    return added;
}

static void add_receivers(struct node *node)
{
    uint32_t numbered = core_count_numbered(node->config->cores, "rx", RECEIVERS_MAX);

    node->receiver_count = numbered == 0 ? 1 : numbered;
    for (uint32_t i = 0; i < node->receiver_count; i++) {
        const struct poller rx = {.name = "rx",
                                  .state = &node->receivers[i],
                                  .attach = attach_receive,
                                  .poll = poll_receive,
                                  .is_pending = receive_is_pending};
        if (numbered == 0)
            add_poller(node, &rx);
        else
            add_numbered(node, "rx", i, &rx);
    }
}

void node_make_pollers(struct node *node)
{
    const struct poller order = {.name = "order",
                                 .state = &node->orderer,
                                 .poll = poll_order,
                                 .is_pending = order_is_pending};
    const struct poller log = {.name = "log",
                               .state = &node->logger,
                               .attach = attach_log,
                               .detach = detach_log,
                               .poll = poll_log,
                               .is_pending = log_is_pending};
    const struct poller tx = {.name = "tx",
                              .state = &node->transmitter,
                              .attach = attach_transmit,
                              .poll = poll_transmit,
                              .is_pending = transmit_is_pending};
    const struct poller shard = {.poll = poll_shard, .is_pending = shard_has_work};
    const struct poller replicate = {.name = "replicate",
                                     .state = &node->replicator,
                                     .poll = poll_replicate,
                                     .is_pending = replicate_is_pending};

    add_receivers(node);
    node->order_poller = add_poller(node, &order);
    node->log_poller = add_poller(node, &log);
    add_poller(node, &tx);
    node->divided.count = core_count_numbered(node->config->cores, "shard", HF_SHARDS_MAX);
    node->shard_pollers = &node->pollers[node->poller_count];
    for (uint32_t i = 0; i < node->divided.count; i++)
        add_numbered(node, "shard", i, &shard);
    add_poller(node, &replicate);
}

/* Where each poller runs. Replicate needs no mention: it stands behind log. */
enum hf_status node_place_pollers(struct node *node, uint32_t *core_count, struct hf_fault *fault)
{
    const struct config *config = node->config;
    struct poller *replicate = &node->pollers[node->poller_count - 1];
    bool is_named = config_is_pair(config) && strstr(config->cores, replicate->name) != NULL;
    enum hf_status status =
        core_parse(config->cores, node->pollers, node->poller_count - (is_named ? 0 : 1),
                   node->cores, core_count, fault);

    for (uint32_t i = 0; status == HF_STATUS_OK && config_is_pair(config) && i < *core_count; i++) {
        struct core *core = &node->cores[i];
        bool has_log = false;
        bool has_replicate = false;
        for (uint32_t k = 0; k < core->poller_count; k++) {
            has_log = has_log || core->pollers[k] == node->log_poller;
            has_replicate = has_replicate || core->pollers[k] == replicate;
        }
        if (has_log && !is_named) {
            core->pollers[core->poller_count++] = replicate;
        } else if (has_log != has_replicate) {
            snprintf(fault->line, sizeof fault->line,
                     "node.cores: replicate must stand on the core of log");
            status = HF_STATUS_INVALID;
        }
    }
    return status;
}

uint32_t node_processor_of(const struct node *node, uint32_t core_count,
                           const struct poller *poller)
{
    for (uint32_t i = 0; i < core_count; i++) {
        for (uint32_t k = 0; k < node->cores[i].poller_count; k++) {
            if (node->cores[i].pollers[k] == poller)
                return node->cores[i].processor;
        }
    }
    assert(!"every poller has a core");
    return 0;
}

/* The port wakes the core that receives. */
static void choose_wait(struct core *core)
{
    core->wait = wait_asleep;
    for (uint32_t i = 0; i < core->poller_count; i++) {
        if (core->pollers[i]->poll != poll_receive)
            continue;
        core->wait = wait_at_port;
        core->wait_context = ((struct receiver *)core->pollers[i]->state)->port;
    }
}

enum hf_status node_start_cores(struct node *node, struct hf_fault *fault)
{
    for (uint32_t i = 0; i < node->core_count; i++) {
        struct core *core = &node->cores[i];
        enum hf_status status;

        core->sleeps = node->config->idle == CONFIG_IDLE_SLEEP;
        core->idle_spin_ns = node->config->idle_spin_us * 1000;
        core->idle_wait_us = (uint32_t)node->config->idle_wait_us;
        core->quit = &node->quit;
        choose_wait(core);
        status = core_start(core, fault);
        if (status != HF_STATUS_OK) {
            atomic_store(&node->quit, true);
            while (i-- > 0)
                core_join(&node->cores[i]);
            node->core_count = 0;
            return status;
        }
    }
    return HF_STATUS_OK;
}
