#include "transmit.h"

#include "clock.h"
#include "counters.h"
#include "load.h"
#include "replication/pair.h"

#include <assert.h>
#include <string.h>

static bool same_sender(const struct sender *a, const struct sender *b)
{
    return a->session == b->session && a->address.ip == b->address.ip &&
           a->address.udp == b->address.udp;
}

/* Closes a datagram: its header, and its seal. Without a session any more it stays empty, and the
 * port takes the packet back unsent. */
static void finish(struct transmitter *transmitter, struct open_datagram *open)
{
    uint32_t length = hf_wire_finish(&open->writer, HF_WIRE_REPLIES, open->sender.session,
                                     transmitter->counter++);

    if (transmitter->sealer != NULL && length != 0) {
        length = hf_sealer_seal(transmitter->sealer, open->sender.session, open->packet.data,
                                length, length + HF_CIPHER_TAG_SIZE, clock_monotonic_ns());
        if (length != 0)
            counter_add(&transmitter->sealed, 1);
        else
            counter_add(&transmitter->unsent, open->writer.count);
    }
    open->packet.length = length;
}

/* Sends every open datagram. */
static void send_open(struct transmitter *transmitter)
{
    struct hf_packet packets[TRANSMIT_CLIENTS_MAX];
    uint32_t count = transmitter->open_count;

    for (uint32_t i = 0; i < count; i++) {
        struct open_datagram *open = &transmitter->open[i];
        finish(transmitter, open);
        packets[i] = open->packet;
    }
    transmitter->open_count = 0;
    transmitter->last = 0;
    transmitter->port->maker->send(transmitter->port, packets, count);
    if (count != 0)
        counter_add(&transmitter->datagrams, count);
}

/* Begins an empty datagram for a client. False when the port has no packets left. */
static bool begin_datagram(struct transmitter *transmitter, struct open_datagram *open,
                           const struct sender *sender)
{
    if (transmitter->port->maker->take(transmitter->port, &open->packet, 1) != 1)
        return false;
    open->sender = *sender;
    open->packet.peer = sender->address;
    size_t size = sender->answer_size < transmitter->port->payload_max
                      ? sender->answer_size
                      : transmitter->port->payload_max;
    if (transmitter->sealer != NULL)
        size = (size < HF_WIRE_DATAGRAM_MAX ? size : HF_WIRE_DATAGRAM_MAX) - HF_CIPHER_TAG_SIZE;
    hf_wire_begin(&open->writer, open->packet.data, size);
    return true;
}

/* The client's open datagram, begun when there is none; NULL when the port has no packets left. */
static struct open_datagram *find_open(struct transmitter *transmitter, const struct sender *sender)
{
    struct open_datagram *open = &transmitter->open[transmitter->last];

    if (transmitter->open_count != 0 && same_sender(&open->sender, sender))
        return open;
    for (uint32_t i = 0; i < transmitter->open_count; i++) {
        if (same_sender(&transmitter->open[i].sender, sender)) {
            transmitter->last = i;
            return &transmitter->open[i];
        }
    }
    if (transmitter->open_count == TRANSMIT_CLIENTS_MAX)
        send_open(transmitter);
    open = &transmitter->open[transmitter->open_count];
    if (!begin_datagram(transmitter, open, sender))
        return NULL;
    transmitter->last = transmitter->open_count++;
    return open;
}

/* Sends one full datagram and begins the client's next in its place; without a packet for that, the
 * place is closed. */
static bool send_full(struct transmitter *transmitter, struct open_datagram *open)
{
    const struct sender sender = open->sender;

    finish(transmitter, open);
    transmitter->port->maker->send(transmitter->port, &open->packet, 1);
    counter_add(&transmitter->datagrams, 1);
    if (begin_datagram(transmitter, open, &sender))
        return true;
    *open = transmitter->open[--transmitter->open_count];
    transmitter->last = 0;
    return false;
}

static void send_answer(struct transmitter *transmitter, const struct sender *sender,
                        struct hf_reply *reply)
{
    struct open_datagram *open = find_open(transmitter, sender);
    bool added = false;

    reply->durability = transmitter->durability;
    if (open != NULL)
        added = hf_wire_add(&open->writer, reply, reply->length) ||
                (send_full(transmitter, open) && hf_wire_add(&open->writer, reply, reply->length));
    counter_add(added ? &transmitter->answers : &transmitter->unsent, 1);
}

/* Sends what is a datagram already. */
static void send_datagram(struct transmitter *transmitter, const struct bundle_extra *extra)
{
    struct hf_packet packet;

    if (transmitter->port->maker->take(transmitter->port, &packet, 1) != 1) {
        counter_add(&transmitter->unsent, 1);
        return;
    }
    memcpy(packet.data, &extra->answer, extra->datagram_length);
    packet.length = extra->datagram_length;
    packet.peer = extra->sender.address;
    transmitter->port->maker->send(transmitter->port, &packet, 1);
    counter_add(&transmitter->datagrams, 1);
}

static void send_bundle(struct transmitter *transmitter, struct bundle *bundle)
{
    for (uint32_t i = 0; i < bundle->operation_count; i++)
        send_answer(transmitter, &bundle->senders[i], &bundle->replies[i]);
    for (uint32_t i = 0; i < bundle->extra_count; i++) {
        struct bundle_extra *extra = &bundle->extras[i];
        if (extra->datagram_length != 0)
            send_datagram(transmitter, extra);
        else
            send_answer(transmitter, &extra->sender, &extra->answer.reply);
    }
    counter_add(&transmitter->bundles, 1);
}

static void give_back(struct rte_ring *ring, struct bundle *bundle)
{
    if (!ring_put(ring, bundle))
        assert(!"the ring has room for every bundle");
}

uint32_t transmitter_poll(struct transmitter *transmitter)
{
    /* Acquire: pairs with the log poller's release; nothing after it may be taken as older than the
     * flush. */
    uint64_t commit = atomic_load_explicit(transmitter->committed_batch, memory_order_acquire);
    struct bundle *bundle;
    uint32_t finished = 0;

    for (uint32_t i = 0; i < transmitter->home_count; i++) {
        while ((bundle = ring_get(transmitter->homes[i].refusals)) != NULL) {
            send_bundle(transmitter, bundle);
            give_back(transmitter->homes[i].free_refusals, bundle);
            finished++;
        }
    }
    for (;;) {
        bundle =
            transmitter->waiting != NULL ? transmitter->waiting : ring_get(transmitter->applied);
        transmitter->waiting = bundle;
        if (bundle == NULL || bundle->batch_index > commit) /* I6 */
            break;
        if (bundle->reads && transmitter->pair != NULL &&
            !hf_pair_may_read(transmitter->pair, clock_monotonic_ns()))
            break; /* somebody else may lead, and have answered otherwise */
        send_bundle(transmitter, bundle);
        transmitter->waiting = NULL;
        give_back(transmitter->homes[bundle->home].free_bundles, bundle);
        finished++;
    }
    send_open(
        transmitter); /* with nothing open, too: the port may have answers of its own to send */
    return finished;
}

bool transmitter_is_pending(const struct transmitter *transmitter)
{
    for (uint32_t i = 0; i < transmitter->home_count; i++) {
        if (ring_count(transmitter->homes[i].refusals) != 0)
            return true;
    }
    return transmitter->waiting != NULL || ring_count(transmitter->applied) != 0;
}
