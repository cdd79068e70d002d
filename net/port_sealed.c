#include "port_sealed.h"

#include "key.h"
#include "port_counter.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* An answer to a handshake and what was opened share the buffers. */
#define BUFFER_MIN HF_HANDSHAKE_ANSWER_MAX
#define ALIGNMENT  64u
/* Nothing opened for so long is trouble, if there is a reason. */
#define TROUBLE_NS     UINT64_C(1000000000)
#define ROUND_UP(size) (((size) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT)
/* In the locked memory. */
#define PEER_AT        ROUND_UP(sizeof(struct hf_key_pair))
#define PEER_MEMORY_AT ROUND_UP(sizeof(struct hf_peer))

struct sealed_port {
    struct hf_port port;
    struct hf_port *below;
    struct hf_address peer_address;
    struct hf_key_pair *own; /* in locked memory, and behind it: */
    struct hf_peer *peer;    /* and behind that its memory */
    size_t locked_size;
    struct hf_port_sealed_clock clock;
    uint8_t *buffers; /* HF_PORT_BURST_MAX of buffer_size: what is lent to the receiver */
    size_t buffer_size;
    uint32_t lent;
    uint64_t opened_ns;                      /* when something was opened last, or the port */
    enum hf_fate trouble;                    /* the newest since; OPENED: none */
    uint64_t told_ns;                        /* when the counters were told of it */
    struct hf_port_sealed_counters counters; /* ours to write, anybody's to read */
};

static uint64_t read_clock(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t system_monotonic_ns(void *context)
{
    (void)context;
    return read_clock(CLOCK_MONOTONIC);
}

static uint64_t system_unix_ns(void *context)
{
    (void)context;
    return read_clock(CLOCK_REALTIME);
}

static void system_fill(void *context, void *bytes, size_t size)
{
    (void)context;
    randombytes_buf(bytes, size);
}

static struct sealed_port *sealed_port(struct hf_port *port)
{
    return (struct sealed_port *)port;
}

static uint64_t now_ns(const struct sealed_port *port)
{
    return port->clock.monotonic_ns(port->clock.context);
}

/* ---- sending */

/* One datagram of the port's own. Lost when the port below takes no more, as any may be. */
static void send_own(struct sealed_port *port, const void *bytes, uint32_t length)
{
    struct hf_packet packet;
    if (port->below->maker->take(port->below, &packet, 1) != 1)
        return;
    memcpy(packet.data, bytes, length);
    packet.length = length;
    packet.peer = port->peer_address;
    port->below->maker->send(port->below, &packet, 1);
}

static void say_hello(struct sealed_port *port, uint64_t now)
{
    struct hf_handshake_hello hello;
    if (!hf_peer_hello(port->peer, now, port->clock.unix_ns(port->clock.context), &hello))
        return;
    hf_counter_add(&port->counters.hellos, 1);
    send_own(port, &hello, sizeof hello);
}

static void say_word(struct sealed_port *port, uint64_t now)
{
    uint8_t word[HF_PEER_ROOM];
    uint32_t length = hf_peer_seal(port->peer, word, 0, sizeof word, now);
    if (length == 0)
        return;
    hf_counter_add(&port->counters.sealed, 1);
    send_own(port, word, length);
}

static uint32_t sealed_take(struct hf_port *port, struct hf_packet packets[], uint32_t count)
{
    struct hf_port *below = sealed_port(port)->below;
    uint32_t taken = below->maker->take(below, packets, count);
    for (uint32_t i = 0; i < taken; i++)
        packets[i].data += HF_PEER_HEADER_SIZE;
    return taken;
}

/* No more often than once a second: whoever sends this and that at us is not to fill logs with it.
 */
static void tell_trouble(struct sealed_port *port, uint64_t now)
{
    bool is_over = port->trouble == HF_FATE_OPENED;
    if (!is_over && (now - port->opened_ns < TROUBLE_NS || now - port->told_ns < TROUBLE_NS))
        return;
    port->told_ns = now;
    __atomic_store_n(&port->counters.trouble, (uint64_t)port->trouble, __ATOMIC_RELAXED);
}

static void sealed_send(struct hf_port *own, struct hf_packet packets[], uint32_t count)
{
    struct sealed_port *port = sealed_port(own);
    struct hf_port *below = port->below;
    uint64_t now = now_ns(port);
    for (uint32_t i = 0; i < count; i++) {
        struct hf_packet *packet = &packets[i];
        packet->data -= HF_PEER_HEADER_SIZE;
        if (packet->length == 0)
            continue;
        assert(packet->length <= own->payload_max);
        packet->length =
            hf_peer_seal(port->peer, packet->data, packet->length, below->payload_max, now);
        hf_counter_add(packet->length != 0 ? &port->counters.sealed : &port->counters.unsent, 1);
    }
    below->maker->send(below, packets, count);
    if (hf_peer_owes_word(port->peer, now))
        say_word(port, now);
    say_hello(port, now);
    tell_trouble(port, now);
    __atomic_store_n(&port->counters.open, hf_peer_is_open(port->peer, now), __ATOMIC_RELAXED);
}

/* ---- receiving */

static struct hf_cookie_address cookie_address(const struct hf_address *from)
{
    struct hf_cookie_address address = {.host = {[10] = 0xff, [11] = 0xff}};
    for (int i = 0; i < 4; i++)
        address.host[12 + i] = (uint8_t)(from->ip >> (24 - 8 * i));
    address.port[0] = (uint8_t)(from->udp >> 8);
    address.port[1] = (uint8_t)from->udp;
    return address;
}

static void note_trouble(struct sealed_port *port, enum hf_fate fate, uint64_t now)
{
    switch (fate) {
    case HF_FATE_OPENED:
    case HF_FATE_JOINED:
        port->opened_ns = now;
        port->trouble = HF_FATE_OPENED;
        break;
    case HF_FATE_MALFORMED:
    case HF_FATE_UNSEALED:
    case HF_FATE_BAD_MAC:
    case HF_FATE_BAD_HANDSHAKE:
    case HF_FATE_UNKNOWN_ORIGIN:
    case HF_FATE_WRONG_TIME:
        port->trouble = fate;
        break;
    default:
        break;
    }
}

/* True when something was said, and stands in the buffer. */
static bool open_packet(struct sealed_port *port, const struct hf_packet *packet, uint64_t now,
                        uint64_t unix_ns, uint8_t *buffer, uint32_t *length)
{
    if (packet->peer.ip != port->peer_address.ip || packet->peer.udp != port->peer_address.udp) {
        hf_counter_add(&port->counters.strangers, 1);
        return false;
    }
    if (packet->length > port->below->payload_max) {
        hf_counter_add(&port->counters.fates[HF_FATE_MALFORMED], 1);
        return false;
    }
    const struct hf_session_arrival arrival = {
        .datagram = packet->data,
        .length = packet->length,
        .address = cookie_address(&packet->peer),
        .now_ns = now,
        .unix_ns = unix_ns,
    };
    enum hf_fate fate = hf_peer_receive(port->peer, &arrival, buffer, length);
    hf_counter_add(&port->counters.fates[fate], 1);
    note_trouble(port, fate, now);
    if (fate == HF_FATE_OPENED)
        return *length != 0;
    if (*length != 0)
        send_own(port, buffer, *length);
    return false;
}

static uint32_t sealed_receive(struct hf_port *own, struct hf_packet packets[], uint32_t most)
{
    struct sealed_port *port = sealed_port(own);
    struct hf_port *below = port->below;
    struct hf_packet arrived[HF_PORT_BURST_MAX];
    assert(most <= HF_PORT_BURST_MAX);
    assert(port->lent == 0);
    uint32_t count = below->maker->receive(below, arrived, most);
    if (count == 0)
        return 0;
    uint64_t now = now_ns(port), unix_ns = port->clock.unix_ns(port->clock.context);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *buffer = port->buffers + port->lent * port->buffer_size;
        uint32_t length;
        if (!open_packet(port, &arrived[i], now, unix_ns, buffer, &length))
            continue;
        packets[port->lent++] = (struct hf_packet){
            .data = buffer + HF_PEER_HEADER_SIZE,
            .length = length,
            .peer = arrived[i].peer,
        };
    }
    below->maker->release(below, arrived, count);
    return port->lent;
}

static void sealed_release(struct hf_port *own, struct hf_packet packets[], uint32_t count)
{
    struct sealed_port *port = sealed_port(own);
    (void)packets;
    assert(count <= port->lent);
    port->lent -= count;
}

/* ---- the rest is the port's below */

static enum hf_status sealed_attach_receive(struct hf_port *own)
{
    struct hf_port *below = sealed_port(own)->below;
    return below->maker->attach_receive(below);
}

static enum hf_status sealed_attach_send(struct hf_port *own)
{
    struct hf_port *below = sealed_port(own)->below;
    return below->maker->attach_send(below);
}

static void sealed_wait(struct hf_port *own, uint32_t timeout_us)
{
    struct hf_port *below = sealed_port(own)->below;
    below->maker->wait(below, timeout_us);
}

static void sealed_count(const struct hf_port *own, struct hf_port_counters *counters)
{
    const struct hf_port *below = ((const struct sealed_port *)own)->below;
    below->maker->count(below, counters);
}

static void sealed_destroy(struct hf_port *own)
{
    struct sealed_port *port = sealed_port(own);
    struct hf_port *below = port->below;
    hf_peer_wipe(port->peer);
    hf_key_memory_destroy(port->own, port->locked_size);
    free(port->buffers);
    free(port);
    below->maker->destroy(below);
}

static const struct hf_port_maker sealed_maker = {
    .attach_receive = sealed_attach_receive,
    .attach_send = sealed_attach_send,
    .receive = sealed_receive,
    .release = sealed_release,
    .take = sealed_take,
    .send = sealed_send,
    .wait = sealed_wait,
    .count = sealed_count,
    .destroy = sealed_destroy,
};

/* ---- making */

static enum hf_status take_memory(struct sealed_port *port, struct hf_fault *fault)
{
    uint32_t payload_max = port->below->payload_max;
    port->locked_size = PEER_AT + PEER_MEMORY_AT + hf_peer_memory_size();
    port->own = hf_key_memory_create(port->locked_size, fault);
    if (port->own == NULL)
        return HF_STATUS_NO_MEMORY;
    port->peer = (struct hf_peer *)(void *)((uint8_t *)port->own + PEER_AT);
    port->buffer_size = ROUND_UP(payload_max > BUFFER_MIN ? payload_max : BUFFER_MIN);
    port->buffers = malloc(HF_PORT_BURST_MAX * port->buffer_size);
    if (port->buffers == NULL) {
        snprintf(fault->line, sizeof fault->line, "no memory for a sealed port");
        return HF_STATUS_NO_MEMORY;
    }
    return HF_STATUS_OK;
}

static void begin(struct sealed_port *port, const struct hf_port_sealed_options *options)
{
    static const struct hf_port_sealed_clock system_clock = {system_monotonic_ns, system_unix_ns,
                                                             NULL};
    static const struct hf_entropy system_entropy = {system_fill, NULL};
    struct hf_peer_config config = {
        .cluster = options->cluster,
        .limits = options->limits != NULL ? *options->limits : hf_peer_limits_default,
        .own = port->own,
        .entropy = options->entropy != NULL ? *options->entropy : system_entropy,
    };
    *port->own = *options->own;
    config.limits.datagram_max = port->below->payload_max;
    memcpy(config.remote_key, options->remote_key, sizeof config.remote_key);
    port->clock = options->clock != NULL ? *options->clock : system_clock;
    port->port = (struct hf_port){
        .maker = &sealed_maker,
        .name = port->below->name,
        .local = port->below->local,
        .payload_max = port->below->payload_max - HF_PEER_ROOM,
    };
    port->opened_ns = now_ns(port);
    hf_peer_begin(port->peer, &config, (uint8_t *)port->peer + PEER_MEMORY_AT, port->opened_ns);
}

enum hf_status hf_port_sealed_open(const struct hf_port_sealed_options *options,
                                   struct hf_port **made, struct hf_fault *fault)
{
    assert(options != NULL && made != NULL && fault != NULL);
    assert(options->port->payload_max >= sizeof(struct hf_handshake_hello));
    if (memcmp(options->own->public_key, options->remote_key, HF_NOISE_KEY_SIZE) == 0) {
        snprintf(fault->line, sizeof fault->line, "is this node's own key");
        return HF_STATUS_INVALID;
    }
    struct sealed_port *port = calloc(1, sizeof *port);
    if (port == NULL) {
        snprintf(fault->line, sizeof fault->line, "no memory for a sealed port");
        return HF_STATUS_NO_MEMORY;
    }
    port->below = options->port;
    port->peer_address = options->peer;
    enum hf_status status = take_memory(port, fault);
    if (status != HF_STATUS_OK) {
        hf_key_memory_destroy(port->own, port->locked_size);
        free(port);
        return status;
    }
    begin(port, options);
    *made = &port->port;
    return HF_STATUS_OK;
}

void hf_port_sealed_count(const struct hf_port *own, struct hf_port_sealed_counters *counters)
{
    assert(own != NULL && own->maker == &sealed_maker);
    const struct hf_port_sealed_counters *from = &((const struct sealed_port *)own)->counters;
    for (int fate = 0; fate < HF_FATE_COUNT; fate++)
        counters->fates[fate] = __atomic_load_n(&from->fates[fate], __ATOMIC_RELAXED);
    counters->strangers = __atomic_load_n(&from->strangers, __ATOMIC_RELAXED);
    counters->hellos = __atomic_load_n(&from->hellos, __ATOMIC_RELAXED);
    counters->sealed = __atomic_load_n(&from->sealed, __ATOMIC_RELAXED);
    counters->unsent = __atomic_load_n(&from->unsent, __ATOMIC_RELAXED);
    counters->trouble = __atomic_load_n(&from->trouble, __ATOMIC_RELAXED);
    counters->open = __atomic_load_n(&from->open, __ATOMIC_RELAXED);
}
