/* All datagrams live in the slots of one arena. A slot is free, or lent to a sender (take), or
 * under way (in the heap of the port it goes to), or lent to a receiver (until release).
 *
 * Each port's heap is ordered by the step of arrival, then by the order of sending: the first due
 * is on top, and with equal delays nothing overtakes. */
#include "port_sim.h"
#include "port_counter.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAYLOAD_MAX_DEFAULT 1472
#define PAYLOAD_MAX_LIMIT   65507
#define DEPTH_DEFAULT       4096
#define UDP_CHOSEN_FIRST    49152 /* the first of the numbers that IANA leaves free */

enum slot_state { SLOT_FREE, SLOT_TAKEN, SLOT_FLYING, SLOT_BORROWED };

struct slot {
    uint64_t due_step;
    uint64_t sequence;
    struct hf_address from;
    uint32_t length;
    enum slot_state state;
};

struct port_sim {
    struct hf_port port;
    struct hf_sim_network *network;
    uint32_t index; /* among the network's ports */
    uint32_t *heap; /* slot indices */
    uint32_t heap_count;
    struct hf_port_half_counters receive_counted;
    struct hf_port_half_counters send_counted;
};

struct hf_sim_network {
    struct hf_sim_faults faults;
    uint64_t random_state;
    uint64_t now_step;
    uint64_t sequence;
    uint32_t payload_max;
    uint32_t depth;
    uint32_t port_count;
    uint32_t free_count;
    uint32_t flying_count;
    struct slot *slots;
    uint32_t *free; /* a stack of slot indices */
    uint8_t *payloads;
    struct port_sim *ports[HF_SIM_PORTS_MAX];
    bool is_cut[HF_SIM_PORTS_MAX][HF_SIM_PORTS_MAX]; /* from, to */
};

static struct port_sim *self_of(struct hf_port *port)
{
    assert(port != NULL);
    return (struct port_sim *)port;
}

/* ---- chance: splitmix64 */

static uint64_t random_next(struct hf_sim_network *network)
{
    uint64_t z = network->random_state += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

static bool happens(struct hf_sim_network *network, uint32_t permille)
{
    return permille > 0 && random_next(network) % 1000 < permille;
}

static uint64_t choose_delay(struct hf_sim_network *network)
{
    const struct hf_sim_faults *faults = &network->faults;
    uint64_t delay = faults->delay_min;
    if (faults->delay_max > faults->delay_min)
        delay += random_next(network) % (faults->delay_max - faults->delay_min + 1);
    if (faults->reorder_max > 0 && happens(network, faults->reorder_permille))
        delay += 1 + random_next(network) % faults->reorder_max;
    return delay;
}

/* ---- slots */

static uint8_t *payload_of(const struct hf_sim_network *network, uint32_t index)
{
    return network->payloads + (size_t)index * network->payload_max;
}

static uint32_t slot_index(const struct hf_sim_network *network, const struct hf_packet *packet)
{
    const struct slot *slot = packet->owner;
    assert(slot >= network->slots);
    assert(slot < network->slots + network->depth);
    return (uint32_t)(slot - network->slots);
}

static bool take_slot(struct hf_sim_network *network, enum slot_state state, uint32_t *index)
{
    if (network->free_count == 0)
        return false;
    *index = network->free[--network->free_count];
    assert(network->slots[*index].state == SLOT_FREE);
    network->slots[*index] = (struct slot){.state = state};
    return true;
}

static void free_slot(struct hf_sim_network *network, uint32_t index)
{
    assert(network->slots[index].state != SLOT_FREE);
    assert(network->free_count < network->depth);
    network->slots[index].state = SLOT_FREE;
    network->free[network->free_count++] = index;
}

/* ---- the heap of what is under way to a port */

static bool is_before(const struct hf_sim_network *network, uint32_t a, uint32_t b)
{
    const struct slot *first = &network->slots[a];
    const struct slot *second = &network->slots[b];
    if (first->due_step != second->due_step)
        return first->due_step < second->due_step;
    return first->sequence < second->sequence;
}

static void heap_push(struct port_sim *self, uint32_t index)
{
    uint32_t at = self->heap_count++;
    assert(at < self->network->depth);
    for (; at > 0; at = (at - 1) / 2) {
        uint32_t parent = (at - 1) / 2;
        if (is_before(self->network, self->heap[parent], index))
            break;
        self->heap[at] = self->heap[parent];
    }
    self->heap[at] = index;
}

static uint32_t heap_pop(struct port_sim *self)
{
    assert(self->heap_count > 0);
    uint32_t top = self->heap[0];
    uint32_t last = self->heap[--self->heap_count];
    uint32_t at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= self->heap_count)
            break;
        if (child + 1 < self->heap_count &&
            is_before(self->network, self->heap[child + 1], self->heap[child]))
            child++;
        if (is_before(self->network, last, self->heap[child]))
            break;
        self->heap[at] = self->heap[child];
        at = child;
    }
    self->heap[at] = last;
    return top;
}

/* ---- the network */

static uint32_t *make_indices(uint32_t count)
{
    return calloc(count, sizeof(uint32_t));
}

struct hf_sim_network *hf_sim_network_create(const struct hf_sim_options *options)
{
    assert(options != NULL);
    assert(options->payload_max <= PAYLOAD_MAX_LIMIT);
    struct hf_sim_network *network = calloc(1, sizeof *network);
    if (network == NULL)
        return NULL;
    network->payload_max = options->payload_max == 0 ? PAYLOAD_MAX_DEFAULT : options->payload_max;
    network->depth = options->depth == 0 ? DEPTH_DEFAULT : options->depth;
    network->random_state = options->seed;
    network->slots = calloc(network->depth, sizeof *network->slots);
    network->free = make_indices(network->depth);
    network->payloads = calloc(network->depth, network->payload_max);
    if (network->slots == NULL || network->free == NULL || network->payloads == NULL) {
        hf_sim_network_destroy(network);
        return NULL;
    }
    for (uint32_t index = network->depth; index > 0; index--)
        network->free[network->free_count++] = index - 1;
    hf_sim_network_set_faults(network, &options->faults);
    return network;
}

void hf_sim_network_destroy(struct hf_sim_network *network)
{
    assert(network != NULL);
    for (uint32_t i = 0; i < network->port_count; i++)
        assert(network->ports[i] == NULL);
    free(network->slots);
    free(network->free);
    free(network->payloads);
    free(network);
}

void hf_sim_network_step(struct hf_sim_network *network)
{
    assert(network != NULL);
    network->now_step++;
}

uint64_t hf_sim_network_now(const struct hf_sim_network *network)
{
    assert(network != NULL);
    return network->now_step;
}

void hf_sim_network_set_faults(struct hf_sim_network *network, const struct hf_sim_faults *faults)
{
    assert(network != NULL && faults != NULL);
    assert(faults->loss_permille <= 1000);
    assert(faults->duplicate_permille <= 1000);
    assert(faults->reorder_permille <= 1000);
    assert(faults->delay_max == 0 || faults->delay_min <= faults->delay_max);
    network->faults = *faults;
}

void hf_sim_network_cut(struct hf_sim_network *network, const struct hf_port *from,
                        const struct hf_port *to, bool is_cut)
{
    const struct port_sim *sender = (const struct port_sim *)from;
    const struct port_sim *receiver = (const struct port_sim *)to;
    assert(sender->network == network);
    assert(receiver->network == network);
    network->is_cut[sender->index][receiver->index] = is_cut;
}

uint32_t hf_sim_network_in_flight(const struct hf_sim_network *network)
{
    assert(network != NULL);
    return network->flying_count;
}

static struct port_sim *find_port(const struct hf_sim_network *network, uint32_t ip, uint16_t udp)
{
    for (uint32_t i = 0; i < network->port_count; i++) {
        struct port_sim *port = network->ports[i];
        if (port != NULL && port->port.local.ip == ip && port->port.local.udp == udp)
            return port;
    }
    return NULL;
}

/* ---- the port */

static enum hf_status attach(struct hf_port *port)
{
    assert(port != NULL);
    return HF_STATUS_OK;
}

static uint32_t receive(struct hf_port *port, struct hf_packet packets[], uint32_t most)
{
    struct port_sim *self = self_of(port);
    struct hf_sim_network *network = self->network;
    struct hf_port_counters *counters = &self->receive_counted.counters;
    assert(most <= HF_PORT_BURST_MAX);
    uint32_t count = 0;
    while (count < most && self->heap_count > 0 &&
           network->slots[self->heap[0]].due_step <= network->now_step) {
        uint32_t index = heap_pop(self);
        struct slot *slot = &network->slots[index];
        assert(slot->state == SLOT_FLYING);
        slot->state = SLOT_BORROWED;
        network->flying_count--;
        packets[count++] = (struct hf_packet){.data = payload_of(network, index),
                                              .length = slot->length,
                                              .peer = slot->from,
                                              .owner = slot};
        hf_counter_add(&counters->received, 1);
        hf_counter_add(&counters->received_bytes, slot->length);
    }
    return count;
}

static void release(struct hf_port *port, struct hf_packet packets[], uint32_t count)
{
    struct port_sim *self = self_of(port);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = slot_index(self->network, &packets[i]);
        assert(self->network->slots[index].state == SLOT_BORROWED);
        free_slot(self->network, index);
        packets[i].data = NULL;
    }
}

static uint32_t take(struct hf_port *port, struct hf_packet packets[], uint32_t count)
{
    struct port_sim *self = self_of(port);
    assert(count <= HF_PORT_BURST_MAX);
    uint32_t taken = 0;
    uint32_t index;
    for (; taken < count && take_slot(self->network, SLOT_TAKEN, &index); taken++)
        packets[taken] = (struct hf_packet){.data = payload_of(self->network, index),
                                            .owner = &self->network->slots[index]};
    return taken;
}

static void fly(struct port_sim *to, uint32_t index, const struct port_sim *from, uint32_t length)
{
    struct hf_sim_network *network = to->network;
    struct slot *slot = &network->slots[index];
    slot->state = SLOT_FLYING;
    slot->from = from->port.local;
    slot->length = length;
    slot->due_step = network->now_step + choose_delay(network);
    slot->sequence = network->sequence++;
    network->flying_count++;
    heap_push(to, index);
}

/* Decides one datagram's fate. */
static void send_one(struct port_sim *self, const struct hf_packet *packet)
{
    struct hf_sim_network *network = self->network;
    struct hf_port_counters *counters = &self->send_counted.counters;
    uint32_t index = slot_index(network, packet);
    assert(network->slots[index].state == SLOT_TAKEN);
    assert(packet->length <= network->payload_max);
    struct port_sim *to = find_port(network, packet->peer.ip, packet->peer.udp);
    if (packet->length > 0) {
        hf_counter_add(&counters->sent, 1);
        hf_counter_add(&counters->sent_bytes, packet->length);
    }
    if (packet->length == 0 || to == NULL || network->is_cut[self->index][to->index] ||
        happens(network, network->faults.loss_permille)) {
        free_slot(network, index);
        return;
    }
    uint32_t copy;
    if (happens(network, network->faults.duplicate_permille) &&
        take_slot(network, SLOT_TAKEN, &copy)) {
        memcpy(payload_of(network, copy), packet->data, packet->length);
        fly(to, copy, self, packet->length);
    }
    fly(to, index, self, packet->length);
}

static void send_packets(struct hf_port *port, struct hf_packet packets[], uint32_t count)
{
    struct port_sim *self = self_of(port);
    assert(count <= HF_PORT_BURST_MAX);
    for (uint32_t i = 0; i < count; i++) {
        send_one(self, &packets[i]);
        packets[i].data = NULL;
    }
}

static void wait_one_step(struct hf_port *port, uint32_t timeout_us)
{
    (void)timeout_us;
    hf_sim_network_step(self_of(port)->network);
}

static void count_all(const struct hf_port *port, struct hf_port_counters *counters)
{
    const struct port_sim *self = (const struct port_sim *)port;
    assert(counters != NULL);
    hf_port_counters_sum(&self->receive_counted, &self->send_counted, counters);
}

/* What is under way to it is lost, as with a machine that is switched off. */
static void destroy(struct hf_port *port)
{
    struct port_sim *self = self_of(port);
    struct hf_sim_network *network = self->network;
    while (self->heap_count > 0) {
        free_slot(network, heap_pop(self));
        network->flying_count--;
    }
    network->ports[self->index] = NULL;
    free(self->heap);
    free(self);
}

static const struct hf_port_maker sim_maker = {
    .attach_receive = attach,
    .attach_send = attach,
    .receive = receive,
    .release = release,
    .take = take,
    .send = send_packets,
    .wait = wait_one_step,
    .count = count_all,
    .destroy = destroy,
};

/* A place among the network's ports; cuts of a port that had it before are mended. */
static uint32_t find_place(struct hf_sim_network *network)
{
    uint32_t place = 0;
    while (place < network->port_count && network->ports[place] != NULL)
        place++;
    if (place == HF_SIM_PORTS_MAX)
        return place;
    if (place == network->port_count)
        network->port_count++;
    for (uint32_t i = 0; i < HF_SIM_PORTS_MAX; i++) {
        network->is_cut[place][i] = false;
        network->is_cut[i][place] = false;
    }
    return place;
}

enum hf_status hf_port_sim_open(struct hf_sim_network *network, const struct hf_address *local,
                                struct hf_port **port, struct hf_fault *fault)
{
    assert(network != NULL && local != NULL);
    assert(port != NULL && fault != NULL);
    uint16_t udp = local->udp;
    if (udp == 0) /* more numbers than ports: one is free */
        for (udp = UDP_CHOSEN_FIRST; find_port(network, local->ip, udp) != NULL;)
            udp++;
    if (local->ip == 0 || find_port(network, local->ip, udp) != NULL) {
        snprintf(fault->line, sizeof fault->line, "simulated port: no address, or one in use");
        return local->ip == 0 ? HF_STATUS_INVALID : HF_STATUS_EXISTS;
    }
    struct port_sim *self = aligned_alloc(_Alignof(struct port_sim), sizeof *self);
    uint32_t *heap = make_indices(network->depth);
    uint32_t place = self == NULL || heap == NULL ? HF_SIM_PORTS_MAX : find_place(network);
    if (place == HF_SIM_PORTS_MAX) {
        bool is_memory = self == NULL || heap == NULL;
        snprintf(fault->line, sizeof fault->line, "simulated port: %s",
                 is_memory ? "no memory" : "the network has no room for another");
        free(self);
        free(heap);
        return is_memory ? HF_STATUS_NO_MEMORY : HF_STATUS_FULL;
    }
    memset(self, 0, sizeof *self);
    self->port = (struct hf_port){
        .maker = &sim_maker, .name = "sim", .local = *local, .payload_max = network->payload_max};
    self->port.local.udp = udp;
    self->network = network;
    self->index = place;
    self->heap = heap;
    network->ports[place] = self;
    *port = &self->port;
    return HF_STATUS_OK;
}
