#include "node.h"

#include "clock.h"
#include "counters.h"
#include "listen.h"
#include "node_pollers.h"
#include "sandbox.h"
#include "seal.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/* Bundles kept back for BUSY answers. */
#define REFUSAL_BUNDLES 8
/* That a receive poller has at least. */
#define BUNDLES_MIN 8
/* Room for datagrams that wait, for each bundle: as long as a bundle's worth of small ones. */
#define PIECES_A_BUNDLE 32
/* How often the admin thread looks whether the node has failed while it waits, milliseconds. */
#define WATCH_MS 20
/* Between two looks at the commit index, nanoseconds. */
#define COMMIT_LOOK_NS 50000
/* An arbiter that does not answer is asked again after this: longer than one question may take. */
#define ASK_NS UINT64_C(700000000)
/* How long an answer waits for its place in the log to be safe; of a pair, that may be never. */
#define ASKED_NS UINT64_C(500000000)
/* How long a node of a pair that is stopped waits for its last answers to be safe. */
#define LEAVE_NS UINT64_C(1000000000)
/* How often, and how long apart, a node asks for an address that is still taken. */
#define ADDRESS_LOOKS   100
#define ADDRESS_LOOK_NS 20000000

enum ring_name {
    RING_APPLIED,
    RING_FREE_BATCHES,
    RING_BATCHES,
    RING_COUNT,
};
_Static_assert(sizeof((struct node *)0)->rings / sizeof((struct node *)0)->rings[0] == RING_COUNT,
               "a place for every ring");

static enum hf_status no_memory(struct hf_fault *fault, const char *what)
{
    snprintf(fault->line, sizeof fault->line, "no memory for %s", what);
    return HF_STATUS_NO_MEMORY;
}

/* A node that was killed keeps its address a moment longer than its process: its io_uring is taken
 * apart behind it. Whoever starts it again at once need not know. */
static enum hf_status open_kernel_port(const struct hf_port_kernel_options *options,
                                       struct hf_port **port, struct hf_fault *fault)
{
    const struct timespec pause = {0, ADDRESS_LOOK_NS};
    enum hf_status status = hf_port_kernel_open(options, port, fault);

    for (int i = 0; i < ADDRESS_LOOKS && status == HF_STATUS_EXISTS; i++) {
        nanosleep(&pause, NULL);
        status = hf_port_kernel_open(options, port, fault);
    }
    return status;
}

/* Opens one of the node's ports, of `kind`, with so many queues that receive. */
static enum hf_status open_one(const struct config *config, uint64_t kind, uint64_t device,
                               uint64_t mtu, uint32_t queues, const struct hf_address *local,
                               struct hf_port **port, struct hf_fault *fault)
{
    const struct hf_port_kernel_options kernel = {
        .local = *local, .payload_max = (uint32_t)mtu - 28, /* IPv4 and UDP headers */
    };
    const struct hf_port_dpdk_options dpdk = {
        .eal = config->port_eal,
        .device = (uint16_t)device,
        .local = *local,
        .mtu = (uint16_t)mtu,
        .queues = (uint16_t)queues,
    };

    return kind == CONFIG_PORT_KERNEL ? open_kernel_port(&kernel, port, fault)
                                      : hf_port_dpdk_open(&dpdk, port, fault);
}

/* A kernel port is one socket, with one queue. */
static enum hf_status check_queues(const struct node *node, struct hf_fault *fault)
{
    if (node->receiver_count == 1 || node->config->port_kind == CONFIG_PORT_DPDK)
        return HF_STATUS_OK;
    snprintf(fault->line, sizeof fault->line,
             "node.cores: rx%u: a kernel port has one receive queue (port.kind = dpdk may have "
             "more)",
             node->receiver_count - 1);
    return HF_STATUS_INVALID;
}

static enum hf_status open_port(struct node *node, struct hf_fault *fault)
{
    const struct config *config = node->config;
    struct hf_address address = {0};
    enum hf_status status;

    if (!hf_address_parse(config->port_address, &address)) {
        snprintf(fault->line, sizeof fault->line,
                 "port.address: %.60s is not of the form A.B.C.D:PORT", config->port_address);
        return HF_STATUS_INVALID;
    }
    status = listen_check(config, &address, fault);
    if (status == HF_STATUS_OK)
        status = check_queues(node, fault);
    if (status == HF_STATUS_OK)
        status = open_one(config, config->port_kind, config->port_device, config->port_mtu,
                          node->receiver_count, &address, &node->port, fault);
    return status;
}

/* After the data directory is there: the key may lie in it. */
static enum hf_status open_door(struct node *node, struct hf_fault *fault)
{
    if (node->config->security != CONFIG_SECURITY_ON)
        return HF_STATUS_OK;
    node->door = aligned_alloc(64, sizeof *node->door);
    if (node->door == NULL)
        return no_memory(fault, "sessions");
    return door_open(node->door, node->config, node->cluster, fault);
}

/* After the data directory is there, for the same reason. */
static enum hf_status seal_pair(struct node *node, struct hf_fault *fault)
{
    struct replicator *replicator = &node->replicator;
    enum hf_status status;

    if (!config_is_pair(node->config) || !config_seals_pair(node->config))
        return HF_STATUS_OK;
    status = seal_port(node->config, node->cluster, &replicator->peer, &replicator->port, fault);
    replicator->is_sealed = status == HF_STATUS_OK;
    return status;
}

/* Two ports cannot share a device. */
static enum hf_status check_pair_device(const struct config *config, struct hf_fault *fault)
{
    if (config->port_kind == CONFIG_PORT_DPDK && config->pair_port == CONFIG_PORT_DPDK &&
        config->pair_device == config->port_device) {
        snprintf(fault->line, sizeof fault->line,
                 "pair.device: device %u is port.device, the clients': the other node needs one of "
                 "its own",
                 (unsigned)config->pair_device);
        return HF_STATUS_INVALID;
    }
    return HF_STATUS_OK;
}

/* The port for the peer alone. */
static enum hf_status open_pair_port(struct node *node, struct hf_fault *fault)
{
    const struct config *config = node->config;
    struct hf_address local = {0};
    enum hf_status status;

    if (!config_is_pair(config))
        return HF_STATUS_OK;
    if (!hf_address_parse(config->pair_address, &local) || local.udp == 0) {
        snprintf(fault->line, sizeof fault->line,
                 "pair.address: %.60s is not of the form A.B.C.D:PORT", config->pair_address);
        return HF_STATUS_INVALID;
    }
    if (!hf_address_parse(config->pair_peer, &node->replicator.peer) ||
        node->replicator.peer.udp == 0) {
        snprintf(fault->line, sizeof fault->line,
                 "pair.peer: %.60s is not of the form A.B.C.D:PORT", config->pair_peer);
        return HF_STATUS_INVALID;
    }
    status = listen_check_pair(config, &local, fault);
    if (status == HF_STATUS_OK)
        status = check_pair_device(config, fault);
    if (status == HF_STATUS_OK)
        status = open_one(config, config->pair_port, config->pair_device, config->pair_mtu, 1,
                          &local, &node->replicator.port, fault);
    return status;
}

/* How patient the protocol is: all from one setting. */
static void set_times(const struct config *config, struct hf_replica_options *replica)
{
    const uint64_t grace_ns = config->pair_grace_ns;

    replica->grace_ns = grace_ns;
    replica->lease_ns = grace_ns / 4 * 3;
    replica->beacon_ns = grace_ns / 10;
    replica->drop_ns = 2 * grace_ns;
    replica->ask_ns = grace_ns > ASK_NS ? grace_ns : ASK_NS;
}

static void describe_pair(struct node *node, struct hf_pair_options *options)
{
    const struct config *config = node->config;
    struct hf_address clients = node->port->local;
    struct hf_replica_options *replica = &options->replica;

    memset(options, 0, sizeof *options);
    replica->cluster = node->cluster;
    replica->node = (uint32_t)config->node;
    replica->peer = config_peer_node(config);
    replica->durability = config->durability == CONFIG_DURABILITY_PAIR_FAST
                              ? HF_DURABILITY_PAIR_FAST
                              : HF_DURABILITY_PAIR_SAFE;
    /* Without an arbiter nobody could know that this node is alone now. */
    replica->on_loss =
        config->pair_when_alone == CONFIG_ALONE_REFUSE || config->pair_arbiter[0] == '\0'
            ? HF_ON_LOSS_REFUSE
            : HF_ON_LOSS_ALONE;
    replica->window = HF_REPLICA_WINDOW_MAX;
    replica->join_lag = HF_REPLICA_WINDOW_MAX / 2;
    replica->may_found = replica->node < replica->peer;
    set_times(config, replica);
    if (config->pair_clients[0] != '\0')
        (void)hf_address_parse(config->pair_clients, &clients); /* it was read before */
    options->client_ip = clients.ip;
    options->client_udp = clients.udp;
    options->datagram_size = node->replicator.port->payload_max;
    options->recent_bytes = (uint32_t)config->pair_recent_bytes;
    options->send = replicate_send;
    options->context = &node->replicator;
}

static enum hf_status open_storage(struct node *node, struct hf_fault *fault)
{
    const struct config *config = node->config;
    struct hf_pair_options pair;
    struct hf_address clients;
    enum hf_status status;

    if (!config_is_pair(config))
        return storage_open(&node->storage, config, node->cluster, &node->load, NULL, fault);
    if (config->pair_clients[0] != '\0' && !hf_address_parse(config->pair_clients, &clients)) {
        snprintf(fault->line, sizeof fault->line,
                 "pair.clients: %.60s is not of the form A.B.C.D:PORT", config->pair_clients);
        return HF_STATUS_INVALID;
    }
    describe_pair(node, &pair);
    status = storage_open(&node->storage, config, node->cluster, &node->load, &pair, fault);
    node->replicator.pair = node->storage.pair;
    node->replicator.is_operated = config->pair_arbiter[0] == '\0';
    node->replicator.told_role = UINT32_MAX;
    pthread_mutex_init(&node->replicator.line_lock, NULL);
    if (status == HF_STATUS_OK)
        status = arbiter_start(&node->replicator.arbiter, config, node->cluster, fault);
    return status;
}

/* Receive pollers share the bundles evenly. */
static uint32_t bundles_each(const struct node *node)
{
    uint32_t each = (uint32_t)node->config->bundles / node->receiver_count;

    return each > BUNDLES_MIN ? each : BUNDLES_MIN;
}

/* The bundles of a receive poller, and its rings to the others. */
static enum hf_status make_receiver(struct node *node, uint32_t number, struct hf_fault *fault)
{
    const uint32_t bundles = bundles_each(node);
    const uint32_t count = bundles + REFUSAL_BUNDLES;
    struct receiver *receiver = &node->receivers[number];

    receiver->number = number;
    receiver->free_bundles = ring_create(bundles);
    receiver->ordered = ring_create(bundles);
    receiver->asked = ring_create(bundles);
    receiver->free_refusals = ring_create(REFUSAL_BUNDLES);
    receiver->refusals = ring_create(REFUSAL_BUNDLES);
    receiver->to_door = number != 0 && node->door != NULL ? receiver_make_handed() : NULL;
    if (receiver->free_bundles == NULL || receiver->ordered == NULL || receiver->asked == NULL ||
        receiver->free_refusals == NULL || receiver->refusals == NULL ||
        (number != 0 && node->door != NULL && receiver->to_door == NULL))
        return no_memory(fault, "a ring");
    receiver->bundles = aligned_alloc(64, count * sizeof *receiver->bundles);
    receiver->spare = calloc(bundles, sizeof *receiver->spare);
    if (receiver->bundles == NULL || receiver->spare == NULL)
        return no_memory(fault, "the bundles");
    receiver->bundle_total = bundles;
    if (!lines_create(&receiver->lines, bundles * PIECES_A_BUNDLE, node->port->payload_max,
                      clock_wall_ns() ^ (uintptr_t)receiver->bundles) ||
        !lines_create(&receiver->askers, bundles * PIECES_A_BUNDLE, node->port->payload_max,
                      clock_wall_ns() ^ (uintptr_t)receiver->spare))
        return no_memory(fault, "datagrams that wait");
    memset(receiver->bundles, 0, count * sizeof *receiver->bundles);
    for (uint32_t i = 0; i < count; i++)
        ring_put(i < bundles ? receiver->free_bundles : receiver->free_refusals,
                 &receiver->bundles[i]);
    return HF_STATUS_OK;
}

static void release_receiver(struct receiver *receiver)
{
    ring_destroy(receiver->free_bundles);
    ring_destroy(receiver->ordered);
    ring_destroy(receiver->asked);
    ring_destroy(receiver->free_refusals);
    ring_destroy(receiver->refusals);
    ring_destroy(receiver->to_door);
    free(receiver->bundles);
    free(receiver->spare);
    lines_destroy(&receiver->lines);
    lines_destroy(&receiver->askers);
}

static enum hf_status make_rings(struct node *node, struct hf_fault *fault)
{
    const uint32_t batches = (uint32_t)node->config->unflushed + 1;
    const uint32_t entries[RING_COUNT] = {
        [RING_APPLIED] = bundles_each(node) * node->receiver_count,
        [RING_FREE_BATCHES] = batches,
        [RING_BATCHES] = batches,
    };
    enum hf_status status = HF_STATUS_OK;

    for (int i = 0; i < RING_COUNT; i++) {
        node->rings[i] = ring_create(entries[i]);
        if (node->rings[i] == NULL)
            return no_memory(fault, "a ring");
    }
    for (uint32_t i = 0; status == HF_STATUS_OK && i < node->receiver_count; i++)
        status = make_receiver(node, i, fault);
    return status;
}
_Static_assert(sizeof(struct bundle) % 64 == 0, "bundles begin on cache lines");

_Static_assert(HF_RECORD_HEADER_SIZE + BUNDLE_BYTES + HF_EXPIRE_LENGTH_MAX <= 64 << 10,
               "the smallest batch has room for a bundle and what expires before it");

/* Without a log the batches are filled all the same, and thrown away. */
static enum hf_status make_batches(struct node *node, struct hf_fault *fault)
{
    const uint32_t count = (uint32_t)node->config->unflushed + 1;

    if (node->config->durability == CONFIG_DURABILITY_MEMORY_BENCH) {
        node->batches = calloc(count, sizeof *node->batches);
        if (node->batches == NULL)
            return no_memory(fault, "the batches");
    }
    for (uint32_t i = 0; i < count; i++) {
        struct hf_log_batch *batch = NULL;
        if (node->batches != NULL) {
            batch = &node->batches[i];
            batch->capacity = (uint32_t)node->config->batch_bytes;
            batch->bytes = aligned_alloc(HF_LOG_BATCH_ALIGNMENT, batch->capacity);
            if (batch->bytes == NULL)
                return no_memory(fault, "a batch");
            memset(batch->bytes, 0, batch->capacity);
        } else {
            batch = hf_log_writer_batch(node->storage.writer, i);
        }
        ring_put(node->rings[RING_FREE_BATCHES], batch);
    }
    return HF_STATUS_OK;
}

static enum hf_status write_checkpoint(void *context, struct hf_fault *fault)
{
    struct node *node = context;
    struct hf_checkpoint_header described;

    if (!logger_describe(&node->logger, &described))
        return HF_STATUS_AGAIN;
    return storage_write_checkpoint(&node->storage, &described, fault);
}

/* As every reply names it. */
static uint8_t durability_of(const struct config *config)
{
    switch ((enum config_durability)config->durability) {
    case CONFIG_DURABILITY_SOLO:
        return HF_DURABILITY_SOLO;
    case CONFIG_DURABILITY_MEMORY_BENCH:
        return HF_DURABILITY_MEMORY_BENCH;
    case CONFIG_DURABILITY_PAIR_FAST:
        return HF_DURABILITY_PAIR_FAST;
    case CONFIG_DURABILITY_PAIR_SAFE:
        return HF_DURABILITY_PAIR_SAFE;
    }
    return HF_DURABILITY_MEMORY_BENCH;
}

/* Between a receive poller, the order poller and the transmit poller. The first has the door. */
static void connect_receiver(struct node *node, struct receiver *receiver)
{
    uint32_t number = receiver->number;
    struct receiver *first = &node->receivers[0];

    receiver->port = number == 0 ? node->port : hf_port_dpdk_queue(node->port, (uint16_t)number);
    receiver->door = number == 0 ? node->door : NULL;
    if (receiver->to_door != NULL)
        first->handed[first->handed_count++] = receiver->to_door;
    receiver->ordered_max = RECEIVE_ORDERED_MAX / node->receiver_count;
    receiver->stopping = &node->stopping;
    receiver->replicator = config_is_pair(node->config) ? &node->replicator : NULL;
    node->orderer.asked[node->orderer.received_count] = receiver->asked;
    node->orderer.received[node->orderer.received_count++] = receiver->ordered;
    node->transmitter.homes[node->transmitter.home_count++] =
        (struct transmit_home){receiver->free_bundles, receiver->refusals, receiver->free_refusals};
}
_Static_assert(RECEIVE_ORDERED_MAX / RECEIVERS_MAX >= 2, "one is filled while one is ordered");

static void connect_pollers(struct node *node)
{
    struct rte_ring **rings = node->rings;

    for (uint32_t i = 0; i < node->receiver_count; i++)
        connect_receiver(node, &node->receivers[i]);

    node->orderer.ledger = node->load.ledger;
    node->orderer.applied = rings[RING_APPLIED];
    node->orderer.free_batches = rings[RING_FREE_BATCHES];
    node->orderer.batches = rings[RING_BATCHES];
    node->orderer.batch_index = 1;
    if (config_keeps_log(node->config) && node->config->digest_interval_ns != 0) {
        uint64_t began_ns = clock_monotonic_ns();
        (void)hf_ledger_digest(node->load.ledger); /* what the first one will take */
        node->orderer.digest_cost_ns = clock_monotonic_ns() - began_ns;
        node->orderer.digest_interval_ns = node->config->digest_interval_ns;
        node->orderer.digest_pause_ns = node->config->digest_pause_ns;
        node->orderer.digest_due_ns = began_ns + node->config->digest_interval_ns;
        node->orderer.digest_place = hf_ledger_place(node->load.ledger);
    }
    node->orderer.at_log_most = (uint32_t)node->config->unflushed;
    node->orderer.committed_batch = &node->logger.committed_batch;
    node->orderer.log_full = &node->logger.full;
    node->orderer.stopping = &node->stopping;
    node->orderer.mailbox = &node->mailbox;
    node->orderer.write_checkpoint = write_checkpoint;
    node->orderer.checkpoint_context = node;

    for (uint32_t i = 0; i < node->divided.count; i++)
        node->shard_pollers[i].state = &node->divided.pollers[i];
    node->orderer.divided = node->divided.count == 0 ? NULL : &node->divided;

    node->logger.writer = node->storage.writer;
    node->logger.seal_interval_ns = node->config->seal_interval_ns;
    node->logger.stopping = &node->stopping;
    node->logger.batches = rings[RING_BATCHES];
    node->logger.free_batches = rings[RING_FREE_BATCHES];
    atomic_store(&node->logger.commit_index, config_is_pair(node->config)
                                                 ? node->storage.state.known_commit
                                                 : node->storage.state.last_index);

    node->transmitter.port = node->port;
    node->transmitter.sealer = node->door != NULL ? &node->door->sealer : NULL;
    node->transmitter.applied = rings[RING_APPLIED];
    node->transmitter.committed_batch = &node->logger.committed_batch;
    node->transmitter.durability = durability_of(node->config);
    if (config_is_pair(node->config)) {
        node->orderer.pair = node->storage.pair;
        node->logger.replicator = &node->replicator;
        node->transmitter.pair = node->storage.pair;
    }
}

/* The whole ledger is the order poller's, and lies with it. Of a divided one each shard has its
 * accounts, but the table is one, by the hashes of ids, and so is every other: it is spread. */
static enum hf_status make_ledger(struct node *node, uint32_t core_count, struct hf_fault *fault)
{
    node->load.place = (struct memory_place){
        node->divided.count == 0 ? MEMORY_NEAR : MEMORY_SPREAD,
        node_processor_of(node, core_count, node->order_poller),
    };
    return load_make_ledger(&node->load, node->config, true, fault);
}

static enum hf_status divide(struct node *node, uint32_t core_count, struct hf_fault *fault)
{
    uint32_t processors[HF_SHARDS_MAX];

    for (uint32_t i = 0; i < node->divided.count; i++)
        processors[i] = node_processor_of(node, core_count, &node->shard_pollers[i]);
    return divide_create(&node->divided, node->load.ledger, processors, fault);
}

enum hf_status node_start(struct node *node, const struct config *config, struct hf_fault *fault)
{
    struct timespec now;
    uint32_t core_count;
    enum hf_status status;

    memset(node, 0, sizeof *node);
    node->config = config;
    node->mailbox.event = -1;
    node_make_pollers(node);
    if (!hf_id_parse(config->cluster, strlen(config->cluster), &node->cluster)) {
        snprintf(fault->line, sizeof fault->line, "node.cluster: %.60s is no id", config->cluster);
        return HF_STATUS_INVALID;
    }
    status = node_place_pollers(node, &core_count, fault);
    if (status == HF_STATUS_OK)
        status = open_port(node, fault);
    if (status == HF_STATUS_OK)
        status = open_pair_port(node, fault);
    if (status == HF_STATUS_OK)
        status = sandbox_become_user(config, fault);
    if (status == HF_STATUS_OK)
        status = make_ledger(node, core_count, fault);
    if (status == HF_STATUS_OK && config_keeps_log(config)) {
        status = open_storage(node, fault);
        node->data_unusable = status != HF_STATUS_OK;
    }
    if (status == HF_STATUS_OK)
        status = seal_pair(node, fault);
    if (status == HF_STATUS_OK)
        status = open_door(node, fault);
    if (status == HF_STATUS_OK)
        status = make_rings(node, fault);
    if (status == HF_STATUS_OK)
        status = make_batches(node, fault);
    if (status == HF_STATUS_OK && node->divided.count != 0)
        status = divide(node, core_count, fault);
    if (status != HF_STATUS_OK)
        return status;
    node->mailbox.event = eventfd(0, EFD_CLOEXEC);
    if (node->mailbox.event < 0) {
        snprintf(fault->line, sizeof fault->line, "eventfd: %s", strerror(errno));
        return HF_STATUS_NO_MEMORY;
    }
    connect_pollers(node);
    checkpointer_init(&node->checkpointer, config, &node->storage, &node->logger);
    clock_gettime(CLOCK_REALTIME, &now);
    node->started_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    node->start_place = hf_ledger_place(node->load.ledger);
    node->core_count = core_count;
    return node_start_cores(node, fault);
}

/* ---- asking and ending
 * ------------------------------------------------------------------------------------------- */

bool node_has_failed(const struct node *node)
{
    return atomic_load_explicit(&node->logger.failed, memory_order_acquire) ||
           atomic_load_explicit(&node->orderer.diverged, memory_order_acquire);
}

bool node_wants_restart(const struct node *node)
{
    return node->storage.pair != NULL &&
           hf_pair_wants_restart(node->storage.pair) != HF_PAIR_RESTART_NO;
}

/* What is asked for will not come any more. */
static bool node_is_over(const struct node *node)
{
    return node_has_failed(node) || node_wants_restart(node);
}

enum hf_status node_ask(struct node *node, enum mailbox_request request)
{
    const struct timespec look = {0, COMMIT_LOOK_NS};
    struct mailbox *mailbox = &node->mailbox;
    struct pollfd file = {.fd = mailbox->event, .events = POLLIN};
    uint64_t count;
    uint64_t asked_ns = clock_monotonic_ns();

    assert(atomic_load_explicit(&mailbox->state, memory_order_relaxed) == MAILBOX_EMPTY);
    mailbox->request = request;
    atomic_store_explicit(&mailbox->state, MAILBOX_ASKED, memory_order_release);
    while (poll(&file, 1, WATCH_MS) != 1) {
        if (node_is_over(node))
            return HF_STATUS_TIMEOUT;
    }
    if (read(mailbox->event, &count, sizeof count) != sizeof count ||
        atomic_load_explicit(&mailbox->state, memory_order_acquire) != MAILBOX_ANSWERED)
        return HF_STATUS_IO;
    atomic_store_explicit(&mailbox->state, MAILBOX_EMPTY, memory_order_relaxed);
    /* I6: what is shown must be durable. */
    while (counter_read(&node->logger.committed_batch) < mailbox->batch_index) {
        if (node_is_over(node))
            return HF_STATUS_TIMEOUT;
        if (node->storage.pair != NULL && clock_monotonic_ns() - asked_ns > ASKED_NS)
            return HF_STATUS_AGAIN;
        nanosleep(&look, NULL);
    }
    return HF_STATUS_OK;
}

void node_step(struct node *node)
{
    if (!config_keeps_log(node->config))
        return;
    checkpointer_step(&node->checkpointer);
    if (checkpointer_wants_look(&node->checkpointer) &&
        node_ask(node, MAILBOX_COUNT) == HF_STATUS_OK)
        checkpointer_look(&node->checkpointer, node->mailbox.place, node->mailbox.image_bytes);
}

enum hf_status node_reload(struct node *node, struct hf_fault *fault)
{
    if (node->door != NULL)
        return door_reload(node->door, node->config, &node->quit, fault);
    snprintf(fault->line, sizeof fault->line,
             "this node has no sessions, and so no origins (security.sessions = on)");
    return HF_STATUS_INVALID;
}

/* The receive pollers take nothing more, and every bundle that they have handed on was answered. */
static bool is_all_answered(const struct node *node)
{
    uint64_t bundles = 0;

    for (uint32_t i = 0; i < node->receiver_count; i++) {
        if (!atomic_load_explicit(&node->receivers[i].quiet, memory_order_acquire))
            return false;
        bundles += counter_read(&node->receivers[i].bundle_count);
    }
    return counter_read(&node->transmitter.bundles) == bundles;
}

static enum hf_status wait_until_answered(struct node *node)
{
    const struct timespec look = {0, COMMIT_LOOK_NS};

    while (!is_all_answered(node)) {
        if (node_is_over(node))
            return HF_STATUS_TIMEOUT;
        nanosleep(&look, NULL);
    }
    return HF_STATUS_OK;
}

static enum hf_status failed(struct node *node, struct hf_fault *fault)
{
    const struct hf_fault *why = hf_log_writer_fault(node->storage.writer);

    if (atomic_load_explicit(&node->orderer.diverged, memory_order_acquire)) {
        *fault = node->orderer.fault;
        return HF_STATUS_DIVERGED;
    }
    if (node->storage.pair != NULL) {
        snprintf(fault->line, sizeof fault->line, "halted, nothing more is acknowledged: %.200s",
                 hf_pair_fault(node->storage.pair)->line);
        return HF_STATUS_IO;
    }
    snprintf(fault->line, sizeof fault->line,
             "the log failed, nothing more is acknowledged: %.180s", why->line);
    return HF_STATUS_IO;
}

/* A node of a pair answers what it can, gives the role away, and leaves no checkpoint: one of what
 * is not committed would be a lie. What cannot be committed (the standby is gone as well) stays
 * unanswered. */
static enum hf_status leave_pair(struct node *node, struct hf_fault *fault)
{
    const struct timespec look = {0, COMMIT_LOOK_NS};
    uint64_t until_ns = clock_monotonic_ns() + LEAVE_NS;

    while (hf_pair_leads(node->storage.pair) && !node_is_over(node) &&
           clock_monotonic_ns() < until_ns && !is_all_answered(node))
        nanosleep(&look, NULL);
    if (hf_pair_leads(node->storage.pair) && !node_is_over(node)) {
        atomic_store_explicit(&node->replicator.order, REPLICATE_STEP_DOWN, memory_order_release);
        while (hf_pair_leads(node->storage.pair) && clock_monotonic_ns() < until_ns + LEAVE_NS)
            nanosleep(&look, NULL);
        nanosleep(&(struct timespec){0, 1000000}, NULL); /* its last words leave */
    }
    return node_has_failed(node) ? failed(node, fault) : HF_STATUS_OK;
}

enum hf_status node_drain(struct node *node, struct hf_fault *fault)
{
    atomic_store(&node->stopping, true);
    checkpointer_stop(&node->checkpointer);
    if (node->storage.pair != NULL)
        return leave_pair(node, fault);
    if (wait_until_answered(node) != HF_STATUS_OK)
        return failed(node, fault);
    if (!config_keeps_log(node->config))
        return HF_STATUS_OK;
    if (node_ask(node, MAILBOX_CHECKPOINT) != HF_STATUS_OK)
        return failed(node, fault);
    if (node->mailbox.status == HF_STATUS_DIVERGED) { /* P7: not a word of "clean" */
        *fault = node->mailbox.fault;
        return HF_STATUS_DIVERGED;
    }
    if (node->mailbox.status != HF_STATUS_OK && node->mailbox.status != HF_STATUS_EXISTS)
        fprintf(stderr, "holdfastd: no checkpoint (the log has everything): %s\n",
                node->mailbox.fault.line);
    return HF_STATUS_OK;
}

void node_destroy(struct node *node)
{
    checkpointer_stop(&node->checkpointer);
    atomic_store(&node->quit, true);
    for (uint32_t i = 0; i < node->core_count; i++)
        core_join(&node->cores[i]);
    arbiter_stop(&node->replicator.arbiter);
    storage_close(&node->storage);
    if (node->replicator.port != NULL)
        node->replicator.port->maker->destroy(node->replicator.port);
    if (node->port != NULL)
        node->port->maker->destroy(node->port);
    if (node->mailbox.event >= 0)
        close(node->mailbox.event);
    for (uint64_t i = 0; node->batches != NULL && i <= node->config->unflushed; i++)
        free(node->batches[i].bytes);
    free(node->batches);
    for (uint32_t i = 0; i < node->receiver_count; i++)
        release_receiver(&node->receivers[i]);
    for (int i = 0; i < RING_COUNT; i++)
        ring_destroy(node->rings[i]);
    divide_release(&node->divided);
    load_release(&node->load);
    if (node->door != NULL)
        door_close(node->door);
    free(node->door);
}
