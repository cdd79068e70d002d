/* The client library: operations in, answers out, and whatever the network does in between.
 *
 * submit copies an operation into the window and queues it; flush packs the queue into datagrams;
 * what was sent waits at a back-off level until its reply comes or it is due again. Back-off
 * doubles from level to level. BUSY is treated like silence, one level up. A reply to something
 * that is no longer in flight (the second answer after a repeat) is counted and dropped.
 *
 * With several servers, new operations go to the one that answered last; a repeat goes to the next.
 * A node that does not lead says NOT_PRIMARY, and who does if it knows: that one is asked at once,
 * or the next after a while. When an answer shows who leads now, all that waits for others goes
 * there.
 *
 * With sessions, what is queued for a server waits until its gate is open (gate.h); when only the
 * next one's is, it goes there. */
#include "client.h"

#include "flight.h"
#include "gatehouse.h"
#include "wire.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define WINDOW_DEFAULT        1024u
#define RETRY_US_DEFAULT      20000u
#define RETRY_MOST_US_DEFAULT 1000000u
/* Datagrams handed to the port at a time: a burst costs one system call or doorbell. */
#define SEND_BURST 16u
/* Bursts received in one poll, so that a flood cannot keep the caller from its own work. */
#define RECEIVE_BURSTS 8u
/* When the port had no room for a datagram: how soon to try again. */
#define NO_ROOM_WAIT_US 100u
/* The longest single sleep. A DPDK device wakes nobody: look again soon. */
#define SLEEP_MOST_US      1000000u
#define SLEEP_MOST_DPDK_US 20u
/* Fits an Ethernet frame, and every server. */
#define SAFE_DATAGRAM_SIZE  1472u
#define IP_AND_UDP_LENGTH   28u
#define EPHEMERAL_FIRST     49152u /* RFC 6335: dynamic ports */
#define EPHEMERAL_COUNT     16384u
#define COUNTER_BITS        24u
#define NS_PER_US           1000u
#define MAGIC               UINT32_C(0x48464331) /* "HFC1" */
#define DATAGRAM_SIZE_LEAST (sizeof(struct hf_wire_header) + HF_OPERATION_FIXED_MAX)

_Static_assert(HF_CLIENT_SERVERS_MAX == HF_FLIGHT_SERVERS_MAX, "one queue for each server");
_Static_assert(HF_CLIENT_SERVERS_MAX == HF_GATEHOUSE_SERVERS_MAX, "and one gate");

struct hf_client {
    uint32_t magic;
    struct hf_port *port;
    struct hf_client_clock clock;
    struct hf_flight flight;

    struct hf_address servers[HF_CLIENT_SERVERS_MAX];
    uint8_t server_count;
    uint8_t preferred; /* the server that answered last */
    bool is_unsure;    /* whether that one still leads: it said no, or nothing */
    bool busy_is_answer;
    uint32_t datagram_size;         /* with its seal */
    uint32_t seal_size;             /* 0 without sessions */
    struct hf_gatehouse *gatehouse; /* NULL: without sessions */
    uint32_t sleep_most_us;         /* in one go */
    uint64_t session;
    uint64_t datagram_counter;
    uint64_t timeout_ns;
    uint32_t level_count;
    uint64_t retry_ns;                     /* how long to wait for a reply at first: at least */
    uint64_t retry_most_ns;                /* and ever */
    uint32_t longer[HF_FLIGHT_LEVELS_MAX]; /* by level: so many 65,536ths longer */
    uint64_t round_trip_ns;                /* smoothed; 0: not known */
    uint64_t deviation_ns;

    uint16_t id_upper; /* this client's own bits of the ids it makes */
    uint64_t id_lower;
    uint32_t id_counter;
    uint64_t id_ms; /* never falls */

    struct hf_client_counters counters;
};

/* ---- opening ---- */

static uint64_t real_monotonic_ns(void *context)
{
    (void)context;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static uint64_t real_unix_ms(void *context)
{
    (void)context;
    struct timespec now;
    /* Four milliseconds are exact enough for an id, and this clock costs a fifth. */
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

/* SplitMix64 (Steele, Lea and Flood): spreads one seed over session, ids and back-off. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static enum hf_status invalid(struct hf_fault *fault, const char *what, const char *text)
{
    snprintf(fault->line, sizeof fault->line, "%s: %s", what, text);
    return HF_STATUS_INVALID;
}

static uint32_t seal_size_of(const struct hf_client_options *options)
{
    return options->key_file != NULL ? HF_CIPHER_TAG_SIZE : 0;
}

static enum hf_status check_options(const struct hf_client_options *options, struct hf_fault *fault)
{
    if (options->servers[0] == NULL)
        return invalid(fault, "servers", "at least one address is needed");
    if (options->transport != HF_TRANSPORT_KERNEL && options->transport != HF_TRANSPORT_DPDK)
        return invalid(fault, "transport", "neither kernel nor dpdk");
    if (options->window > HF_CLIENT_WINDOW_MAX)
        return invalid(fault, "window", "over 1,048,576 operations");
    if (options->datagram_size != 0 &&
        options->datagram_size < DATAGRAM_SIZE_LEAST + seal_size_of(options))
        return invalid(fault, "datagram_size",
                       "less than 216 bytes (232 with sessions), an operation would not fit");
    if (options->datagram_size > HF_WIRE_DATAGRAM_MAX)
        return invalid(fault, "datagram_size", "over 9,000 bytes");
    if (options->reserved != 0)
        return invalid(fault, "reserved", "not zero");
    return HF_STATUS_OK;
}

static enum hf_status parse_servers(struct hf_client *client,
                                    const struct hf_client_options *options, struct hf_fault *fault)
{
    for (uint32_t i = 0; i < HF_CLIENT_SERVERS_MAX && options->servers[i] != NULL; i++) {
        struct hf_address *server = &client->servers[i];
        if (!hf_address_parse(options->servers[i], server) || server->udp == 0)
            return invalid(fault, options->servers[i], "not a server's A.B.C.D:PORT");
        client->server_count++;
    }
    return HF_STATUS_OK;
}

/* Waiting doubles from level to level up to the cap. Each step is longer by a random part of up to
 * an eighth, so that many clients that were refused together do not come back together. */
static void set_levels(struct hf_client *client, const struct hf_client_options *options,
                       uint64_t *random)
{
    uint32_t retry_us = options->retry_us != 0 ? options->retry_us : RETRY_US_DEFAULT;
    uint32_t most_us = options->retry_most_us != 0 ? options->retry_most_us : RETRY_MOST_US_DEFAULT;
    if (most_us < retry_us)
        most_us = retry_us;
    client->retry_ns = retry_us * (uint64_t)NS_PER_US;
    client->retry_most_ns = most_us * (uint64_t)NS_PER_US;
    do {
        client->longer[client->level_count++] = (uint32_t)(next_random(random) % (1u << 13));
    } while (client->level_count < HF_FLIGHT_LEVELS_MAX &&
             client->retry_ns << (client->level_count - 1) < client->retry_most_ns);
}

/* The longest operation that one datagram carries. */
static uint32_t operation_size_of(uint32_t datagram_size)
{
    uint32_t size = datagram_size - (uint32_t)sizeof(struct hf_wire_header);

    return size < HF_OPERATION_LENGTH_MAX ? size & ~7u : HF_OPERATION_LENGTH_MAX;
}

/* Most bytes in a datagram: what the port can, unless the caller wants less. */
static uint32_t datagram_size_of(const struct hf_client_options *options,
                                 const struct hf_port *port)
{
    uint32_t size =
        port->payload_max < HF_WIRE_DATAGRAM_MAX ? port->payload_max : HF_WIRE_DATAGRAM_MAX;

    return options->datagram_size != 0 && options->datagram_size < size ? options->datagram_size
                                                                        : size;
}

static struct hf_client *create(const struct hf_client_options *options, uint32_t datagram_size)
{
    uint32_t seal_size = seal_size_of(options);
    struct hf_client *client = calloc(1, sizeof *client);
    if (client == NULL)
        return NULL;
    client->magic = MAGIC;
    client->datagram_size = datagram_size;
    client->seal_size = seal_size;
    if (!hf_flight_create(&client->flight, options->window != 0 ? options->window : WINDOW_DEFAULT,
                          operation_size_of(datagram_size - seal_size))) {
        free(client);
        return NULL;
    }
    return client;
}

enum hf_status hf_client_open_on(const struct hf_client_options *options, struct hf_port *port,
                                 const struct hf_client_clock *clock, uint64_t seed,
                                 struct hf_client **result, struct hf_fault *fault)
{
    *result = NULL;
    fault->line[0] = '\0';
    struct hf_client *client = NULL;
    enum hf_status status = check_options(options, fault);
    uint32_t datagram_size = datagram_size_of(options, port);
    assert(datagram_size >= DATAGRAM_SIZE_LEAST);
    if (status == HF_STATUS_OK && (client = create(options, datagram_size)) == NULL) {
        snprintf(fault->line, sizeof fault->line, "no memory for the window");
        status = HF_STATUS_NO_MEMORY;
    }
    if (status == HF_STATUS_OK)
        status = parse_servers(client, options, fault);
    if (status == HF_STATUS_OK && options->key_file != NULL) {
        const struct hf_id one = {.lo = 1};
        client->gatehouse =
            hf_gatehouse_create(options->key_file, options->node_keys, client->server_count,
                                hf_id_is_zero(options->cluster) ? one : options->cluster,
                                clock->limits, &status, fault);
    }
    if (status == HF_STATUS_OK) {
        status = port->maker->attach_receive(port);
        if (status == HF_STATUS_OK)
            status = port->maker->attach_send(port);
        if (status != HF_STATUS_OK)
            snprintf(fault->line, sizeof fault->line, "the %s port cannot be attached", port->name);
    }
    if (status != HF_STATUS_OK) {
        port->maker->destroy(port);
        if (client != NULL) {
            hf_gatehouse_destroy(client->gatehouse);
            hf_flight_destroy(&client->flight);
        }
        free(client);
        return status;
    }

    client->port = port;
    client->clock = *clock;
    client->busy_is_answer = options->busy_is_answer;
    client->timeout_ns = options->timeout_us * NS_PER_US;
    client->sleep_most_us =
        options->transport == HF_TRANSPORT_DPDK ? SLEEP_MOST_DPDK_US : SLEEP_MOST_US;

    uint64_t own = next_random(&seed);
    client->session = options->session != 0 ? options->session : own | 1;
    client->id_upper = (uint16_t)next_random(&seed);
    client->id_lower = next_random(&seed) << COUNTER_BITS;
    set_levels(client, options, &seed);
    *result = client;
    return HF_STATUS_OK;
}

/* `port_choice` is any number: it picks the UDP port where nobody else does. */
static enum hf_status open_port(const struct hf_client_options *options, uint64_t port_choice,
                                struct hf_port **port, struct hf_fault *fault)
{
    struct hf_address local = {0};
    if (options->local != NULL && !hf_address_parse(options->local, &local))
        return invalid(fault, options->local, "not a local A.B.C.D or A.B.C.D:PORT");

    if (options->transport == HF_TRANSPORT_KERNEL) {
        struct hf_port_kernel_options kernel = {
            .local = local,
            .payload_max = options->datagram_size,
        };
        return hf_port_kernel_open(&kernel, port, fault);
    }
    if (local.ip == 0)
        return invalid(fault, "local", "DPDK needs an address of its own");
    if (local.udp == 0)
        local.udp = (uint16_t)(EPHEMERAL_FIRST + port_choice % EPHEMERAL_COUNT);
    if (options->eal == NULL)
        return invalid(fault, "eal", "DPDK needs the arguments of its environment");
    struct hf_port_dpdk_options dpdk = {
        .eal = options->eal,
        .device = options->device,
        .local = local,
        .mtu = options->datagram_size == 0 ? 0
                                           : (uint16_t)(options->datagram_size + IP_AND_UDP_LENGTH),
    };
    return hf_port_dpdk_open(&dpdk, port, fault);
}

enum hf_status hf_client_open(const struct hf_client_options *options, struct hf_client **client,
                              struct hf_fault *fault)
{
    *client = NULL;
    fault->line[0] = '\0';
    struct hf_port *port = NULL;
    uint64_t seed;
    enum hf_status status = check_options(options, fault);
    if (status != HF_STATUS_OK)
        return status;
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed) {
        snprintf(fault->line, sizeof fault->line, "no random numbers from the kernel");
        return HF_STATUS_IO;
    }
    status = open_port(options, seed, &port, fault);
    if (status != HF_STATUS_OK)
        return status;
    const struct hf_client_clock clock = {real_monotonic_ns, real_unix_ms, NULL, NULL};
    return hf_client_open_on(options, port, &clock, seed, client, fault);
}

void hf_client_close(struct hf_client *client)
{
    if (client == NULL)
        return;
    assert(client->magic == MAGIC);
    client->port->maker->destroy(client->port);
    hf_gatehouse_destroy(client->gatehouse);
    hf_flight_destroy(&client->flight);
    client->magic = 0;
    free(client);
}

/* ---- ids ---- */

/* The counter tells ids of one millisecond apart. Whenever it begins anew the time is moved on by
 * one, past every id made before: so no (time, count) comes twice, whatever the clock does. */
struct hf_id hf_client_next_id(struct hf_client *client)
{
    assert(client->magic == MAGIC);
    uint64_t now_ms = client->clock.unix_ms(client->clock.context);
    if (now_ms > client->id_ms)
        client->id_ms = now_ms;
    client->id_counter = (client->id_counter + 1) & ((1u << COUNTER_BITS) - 1);
    if (client->id_counter == 0)
        client->id_ms++;
    return hf_id_make_operation(client->id_ms, client->id_upper,
                                client->id_lower | client->id_counter);
}

/* ---- sending ---- */

static uint64_t now_ns(const struct hf_client *client)
{
    return client->clock.monotonic_ns(client->clock.context);
}

/* How long to wait at a level: from the time that answers take (as TCP does, RFC 6298), so that a
 * slow node or a long way is not made worse by repeats that nobody needs; never below the option.
 */
static uint64_t wait_ns(const struct hf_client *client, uint32_t level)
{
    uint64_t first = client->round_trip_ns + 4 * client->deviation_ns;
    if (first < client->retry_ns)
        first = client->retry_ns;
    uint64_t most = client->retry_most_ns;
    uint64_t wait = first < most >> level ? first << level : most;
    return wait + (wait >> 16) * client->longer[level];
}

/* A time an answer took, from the first sending on. After a repeat it is not known which was
 * answered: then it is an upper bound, which is the safe side. */
static void note_round_trip(struct hf_client *client, const struct hf_flight_slot *slot,
                            uint64_t now)
{
    uint64_t took = now - slot->sent_ns;
    if (slot->was_busy || slot->attempts == 0)
        return;
    if (took > client->retry_most_ns)
        took = client->retry_most_ns;
    if (client->round_trip_ns == 0) {
        client->round_trip_ns = took;
        client->deviation_ns = took / 2;
        return;
    }
    uint64_t off =
        took > client->round_trip_ns ? took - client->round_trip_ns : client->round_trip_ns - took;
    client->deviation_ns = client->deviation_ns - client->deviation_ns / 4 + off / 4;
    client->round_trip_ns = client->round_trip_ns - client->round_trip_ns / 8 + took / 8;
}

/* Has a server a session with us? Without sessions, always. */
static bool can_speak(const struct hf_client *client, uint8_t server, uint64_t now)
{
    return client->gatehouse == NULL || hf_gate_is_open(&client->gatehouse->gates[server], now);
}

/* Whether anything is waiting for an answer or to be sent: only then is anybody dialled. */
static bool has_something_to_say(const struct hf_client *client)
{
    return client->flight.oldest != HF_FLIGHT_NONE;
}

/* Says the hellos that are due. */
static void say_hellos(struct hf_client *client, uint64_t now)
{
    bool wants = has_something_to_say(client);
    for (uint8_t server = 0; server < client->server_count; server++) {
        struct hf_gate *gate = &client->gatehouse->gates[server];
        struct hf_handshake_hello hello;
        struct hf_packet packet;
        if (now < hf_gate_hello_ns(gate, wants) ||
            client->port->maker->take(client->port, &packet, 1) == 0)
            continue;
        packet.length = 0;
        if (hf_gate_hello(gate, wants, now, client->clock.unix_ms(client->clock.context) * 1000000,
                          &hello)) {
            memcpy(packet.data, &hello, sizeof hello);
            packet.length = sizeof hello;
        }
        packet.peer = client->servers[server];
        client->counters.datagrams_sent += packet.length != 0;
        client->port->maker->send(client->port, &packet, 1);
    }
}

/* What is queued for a server that has no session goes to the next that has. */
static void go_where_heard(struct hf_client *client, uint64_t now)
{
    for (uint8_t server = 0; server < client->server_count; server++) {
        struct hf_flight_list *queue = &client->flight.queued[server];
        uint8_t other = server;
        for (uint8_t i = 0; i < client->server_count && !can_speak(client, other, now); i++)
            other = (uint8_t)((other + 1) % client->server_count);
        if (!can_speak(client, other, now))
            return; /* nobody is heard */
        while (other != server && queue->count > 0)
            hf_flight_queue(&client->flight, queue->first, other);
    }
}

/* Fills one datagram from the front of a server's queue; what goes in begins to wait. */
static void fill_datagram(struct hf_client *client, uint8_t server, struct hf_packet *packet,
                          uint64_t now)
{
    struct hf_flight *flight = &client->flight;
    struct hf_flight_list *queue = &flight->queued[server];
    struct hf_wire_writer writer;
    /* What was not answered twice may have been too large for the way or for the server. */
    uint32_t size = client->datagram_size;
    bool fits_safely = hf_flight_body(flight, queue->first)->operation.header.length <=
                       operation_size_of(SAFE_DATAGRAM_SIZE - client->seal_size);
    if (size > SAFE_DATAGRAM_SIZE && fits_safely &&
        hf_flight_slot(flight, queue->first)->attempts >= 2)
        size = SAFE_DATAGRAM_SIZE;
    hf_wire_begin(&writer, packet->data, size - client->seal_size);
    while (queue->count > 0) {
        uint32_t index = queue->first;
        struct hf_flight_slot *slot = hf_flight_slot(flight, index);
        const union hf_operation *operation = &hf_flight_body(flight, index)->operation;
        if (!hf_wire_add(&writer, operation, operation->header.length))
            break;
        client->counters.sent++;
        if (slot->attempts > 0)
            client->counters.retransmitted++;
        else
            slot->sent_ns = now;
        if (slot->attempts < UINT16_MAX)
            slot->attempts++;
        hf_flight_await(flight, index, now + wait_ns(client, slot->level));
    }
    packet->peer = client->servers[server];
    packet->length = hf_wire_finish(&writer, 0, client->session, client->datagram_counter++);
    assert(packet->length > 0);
    /* 0, which is not sent, when the session has carried all it may: what waits is sent again. */
    if (client->gatehouse != NULL)
        packet->length = hf_gate_seal(&client->gatehouse->gates[server], packet->data,
                                      packet->length, size, now);
}

static void flush(struct hf_client *client, uint64_t now)
{
    struct hf_port *port = client->port;
    struct hf_packet packets[SEND_BURST];
    uint32_t count = 0;
    if (client->gatehouse != NULL) {
        say_hellos(client, now);
        go_where_heard(client, now);
    }
    for (uint8_t server = 0; server < client->server_count; server++) {
        while (client->flight.queued[server].count > 0 && can_speak(client, server, now)) {
            if (port->maker->take(port, &packets[count], 1) == 0)
                break; /* the port is full: what is left stays queued until the next flush */
            fill_datagram(client, server, &packets[count], now);
            client->counters.datagrams_sent++;
            if (++count == SEND_BURST) {
                port->maker->send(port, packets, count);
                count = 0;
            }
        }
    }
    if (count > 0)
        port->maker->send(port, packets, count);
}

void hf_client_flush(struct hf_client *client)
{
    assert(client->magic == MAGIC);
    flush(client, now_ns(client));
}

static enum hf_status submit(struct hf_client *client, const union hf_operation *operation,
                             void *context, uint32_t *index)
{
    assert(client->magic == MAGIC);
    uint16_t length = operation->header.length;
    if (length < HF_OPERATION_LENGTH_MIN || length > client->flight.operation_size ||
        length % 8 != 0)
        return HF_STATUS_INVALID;
    if (hf_flight_find(&client->flight, operation->header.id) != HF_FLIGHT_NONE)
        return HF_STATUS_EXISTS;
    /* The age of an operation only counts when there is a timeout. */
    uint64_t now = client->timeout_ns != 0 ? now_ns(client) : 0;
    *index = hf_flight_add(&client->flight, operation, context, client->preferred, now);
    if (*index == HF_FLIGHT_NONE)
        return HF_STATUS_FULL;
    client->counters.submitted++;
    return HF_STATUS_OK;
}

enum hf_status hf_client_submit(struct hf_client *client, const union hf_operation *operation,
                                void *context)
{
    uint32_t index;
    return submit(client, operation, context, &index);
}

/* ---- receiving ---- */

/* Which server a datagram came from, or the server count. */
static uint8_t server_of(const struct hf_client *client, const struct hf_address *peer)
{
    uint8_t server = 0;
    while (server < client->server_count &&
           (client->servers[server].ip != peer->ip || client->servers[server].udp != peer->udp))
        server++;
    return server;
}

/* BUSY: the node is there but wants peace. As silence, one level up, at the same server. */
static void back_off(struct hf_client *client, uint32_t index, uint64_t now)
{
    struct hf_flight_slot *slot = hf_flight_slot(&client->flight, index);
    client->counters.busy++;
    if (slot->state == HF_FLIGHT_WAITING)
        hf_flight_queue(&client->flight, index, slot->server);
    if (slot->level + 1u < client->level_count)
        slot->level++;
    slot->was_busy = true;
    hf_flight_await(&client->flight, index, now + wait_ns(client, slot->level));
}

/* The server at this address, taken in when it is new and there is room; the next after `server`
 * when the address is none. */
static uint8_t server_at(struct hf_client *client, uint8_t server, uint64_t packed)
{
    const struct hf_address address = {.ip = (uint32_t)(packed >> 16), .udp = (uint16_t)packed};
    uint8_t found = server_of(client, &address);
    if (packed == 0 || address.udp == 0)
        return (uint8_t)((server + 1) % client->server_count);
    if (found == client->server_count) {
        if (client->server_count == HF_CLIENT_SERVERS_MAX || client->gatehouse != NULL)
            return (uint8_t)((server + 1) % client->server_count); /* no room, or no key for it */
        client->servers[client->server_count++] = address;
    }
    return found;
}

/* NOT_PRIMARY: at once to the one that leads; when nobody says who does, in turn, without ever
 * waiting longer: a takeover takes a moment. */
static void redirect(struct hf_client *client, uint32_t index, uint8_t server, uint64_t packed,
                     uint64_t now)
{
    struct hf_flight_slot *slot = hf_flight_slot(&client->flight, index);
    uint8_t target = server_at(client, server, packed);
    client->counters.redirected++;
    client->is_unsure = true;
    if (client->preferred == server)
        client->preferred = target;
    if (slot->state != HF_FLIGHT_WAITING || slot->server != server)
        return; /* it is on its way to somebody else already */
    bool at_once = packed != 0 && target != server && !slot->was_redirected;
    hf_flight_queue(&client->flight, index, at_once ? target : server);
    slot->was_redirected = true;
    slot->was_busy = true;
    slot->level = 0;
    if (!at_once)
        hf_flight_await(&client->flight, index, now + wait_ns(client, 0));
}

/* This one leads: what waits for others would wait for nothing. */
static void prefer(struct hf_client *client, uint8_t server)
{
    struct hf_flight *flight = &client->flight;
    client->preferred = server;
    if (!client->is_unsure)
        return;
    client->is_unsure = false;
    for (uint32_t level = 0; level < client->level_count; level++) {
        uint32_t index = flight->waiting[level].first;
        while (index != HF_FLIGHT_NONE) {
            uint32_t next = hf_flight_slot(flight, index)->next;
            if (hf_flight_slot(flight, index)->server != server)
                hf_flight_queue(flight, index, server);
            index = next;
        }
    }
}

static void take_reply(struct hf_client *client, const struct hf_query_reply *reply, uint8_t server,
                       uint64_t now)
{
    uint32_t index = hf_flight_find(&client->flight, reply->reply.id);
    if (index == HF_FLIGHT_NONE) {
        client->counters.late++;
        return;
    }
    struct hf_flight_slot *slot = hf_flight_slot(&client->flight, index);
    if (reply->reply.type != (slot->type | HF_REPLY_TYPE_BIT)) {
        client->counters.foreign++;
        return;
    }
    if (reply->reply.code == HF_CODE_NOT_PRIMARY) {
        redirect(client, index, server, (uint64_t)reply->reply.posted, now);
        return;
    }
    prefer(client, server);
    if (reply->reply.code == HF_CODE_BUSY && !client->busy_is_answer) {
        back_off(client, index, now);
        return;
    }
    client->counters.answered++;
    note_round_trip(client, slot, now);
    memcpy(hf_flight_body(&client->flight, index), reply, reply->reply.length);
    hf_flight_finish(&client->flight, index, true);
}

/* The plain datagram that a packet is or holds, or NULL: it was a step of a handshake, or nothing
 * that a server of ours has said in our session. */
static const uint8_t *open_packet(struct hf_client *client, const struct hf_packet *packet,
                                  uint8_t server, uint32_t *length, uint64_t now)
{
    *length = packet->length;
    if (client->gatehouse == NULL)
        return packet->data;
    enum hf_fate fate = hf_gate_take(&client->gatehouse->gates[server], packet->data,
                                     packet->length, now, client->gatehouse->plain, length);
    if (fate == HF_FATE_OPENED)
        return client->gatehouse->plain;
    if (fate != HF_FATE_JOINED && fate != HF_FATE_COOKIE)
        client->counters.foreign++;
    return NULL;
}

static void take_datagram(struct hf_client *client, const struct hf_packet *packet, uint64_t now)
{
    client->counters.datagrams_received++;
    uint8_t server = server_of(client, &packet->peer);
    struct hf_wire_reader reader;
    if (server == client->server_count) {
        client->counters.foreign++;
        return;
    }
    uint32_t length;
    const uint8_t *data = open_packet(client, packet, server, &length, now);
    if (data == NULL)
        return;
    if (hf_wire_open(&reader, data, length).code != HF_CODE_OK ||
        (reader.header.flags & HF_WIRE_REPLIES) == 0 ||
        (client->gatehouse == NULL && reader.header.session != client->session)) {
        client->counters.foreign++;
        return;
    }
    client->servers[server] = packet->peer; /* with the Ethernet address, where there is one */

    struct hf_query_reply reply;
    for (;;) {
        enum hf_wire_step step = hf_wire_next_reply(&reader, &reply);
        if (step == HF_WIRE_END)
            return;
        if (step == HF_WIRE_MESSAGE)
            take_reply(client, &reply, server, now);
        else
            client->counters.foreign++;
    }
}

static void receive(struct hf_client *client, uint32_t most, uint64_t now)
{
    struct hf_port *port = client->port;
    struct hf_packet packets[HF_PORT_BURST_MAX];
    for (uint32_t burst = 0; burst < RECEIVE_BURSTS && client->flight.done.count < most; burst++) {
        uint32_t count = port->maker->receive(port, packets, HF_PORT_BURST_MAX);
        if (count == 0)
            return;
        for (uint32_t i = 0; i < count; i++)
            take_datagram(client, &packets[i], now);
        port->maker->release(port, packets, count);
    }
}

/* ---- time ---- */

/* Queues what has waited long enough, for the other server when there are two. */
static void repeat_due(struct hf_client *client, uint64_t now)
{
    struct hf_flight *flight = &client->flight;
    for (uint32_t level = client->level_count; level-- > 0;) {
        struct hf_flight_list *list = &flight->waiting[level];
        while (list->count > 0 && hf_flight_slot(flight, list->first)->due_ns <= now) {
            uint32_t index = list->first;
            struct hf_flight_slot *slot = hf_flight_slot(flight, index);
            client->is_unsure = true;
            slot->was_redirected = false;
            hf_flight_queue(flight, index, (uint8_t)((slot->server + 1) % client->server_count));
            if (level + 1 < client->level_count)
                slot->level++;
        }
    }
}

static void give_up_old(struct hf_client *client, uint64_t now)
{
    struct hf_flight *flight = &client->flight;
    if (client->timeout_ns == 0)
        return;
    while (flight->oldest != HF_FLIGHT_NONE &&
           now - hf_flight_slot(flight, flight->oldest)->submitted_ns >= client->timeout_ns) {
        client->counters.timed_out++;
        hf_flight_finish(flight, flight->oldest, false);
    }
}

/* One round: out, in, and what time has brought. Answers gather in the done list. */
static void turn(struct hf_client *client, uint32_t most)
{
    uint64_t now = now_ns(client);
    flush(client, now);
    receive(client, most, now);
    repeat_due(client, now);
    give_up_old(client, now);
    flush(client, now);
}

/* ---- collecting ---- */

/* Only as much as there is: most replies have no view. */
static void copy_reply(struct hf_query_reply *to, const struct hf_query_reply *from)
{
    memcpy(to, from, from->reply.length);
}

static void hand_over(struct hf_client *client, uint32_t index, struct hf_answer *answer)
{
    const struct hf_flight_slot *slot = hf_flight_slot(&client->flight, index);
    assert(slot->state == HF_FLIGHT_DONE);
    answer->context = slot->context;
    answer->id = slot->id;
    answer->outcome = slot->answered ? HF_OUTCOME_ANSWERED : HF_OUTCOME_TIMED_OUT;
    answer->attempts = slot->attempts;
    if (slot->answered)
        copy_reply(&answer->reply, &hf_flight_body(&client->flight, index)->reply);
    else
        memset(&answer->reply, 0, sizeof answer->reply);
    hf_flight_free(&client->flight, index);
}

uint32_t hf_client_poll(struct hf_client *client, struct hf_answer answers[], uint32_t most)
{
    assert(client->magic == MAGIC);
    turn(client, most);
    uint32_t count = 0;
    while (count < most && client->flight.done.count > 0)
        hand_over(client, client->flight.done.first, &answers[count++]);
    return count;
}

/* Nanoseconds until something is due, at most `most`. */
static uint64_t until_due_ns(struct hf_client *client, uint64_t now, uint64_t most)
{
    struct hf_flight *flight = &client->flight;
    uint64_t due = now + most;
    for (uint32_t level = 0; level < client->level_count; level++) {
        uint32_t first = flight->waiting[level].first;
        if (first != HF_FLIGHT_NONE && hf_flight_slot(flight, first)->due_ns < due)
            due = hf_flight_slot(flight, first)->due_ns;
    }
    if (client->timeout_ns != 0 && flight->oldest != HF_FLIGHT_NONE) {
        uint64_t end = hf_flight_slot(flight, flight->oldest)->submitted_ns + client->timeout_ns;
        if (end < due)
            due = end;
    }
    for (uint8_t server = 0; server < client->server_count && client->gatehouse != NULL; server++) {
        uint64_t hello =
            hf_gate_hello_ns(&client->gatehouse->gates[server], has_something_to_say(client));
        if (hello < due)
            due = hello;
    }
    return due > now ? due - now : 0;
}

/* Sleeps until a datagram may be there, something is due, or `most_us` have passed. */
static void sleep_until_due(struct hf_client *client, uint64_t most_us)
{
    uint64_t now = now_ns(client);
    if (most_us > client->sleep_most_us)
        most_us = client->sleep_most_us;
    uint64_t wait_us = (until_due_ns(client, now, most_us * NS_PER_US) + NS_PER_US - 1) / NS_PER_US;
    for (uint8_t server = 0; server < client->server_count; server++) {
        if (client->flight.queued[server].count > 0 && can_speak(client, server, now) &&
            wait_us > NO_ROOM_WAIT_US)
            wait_us = NO_ROOM_WAIT_US;
    }
    if (wait_us > 0)
        client->port->maker->wait(client->port, (uint32_t)wait_us);
}

void hf_client_wait(struct hf_client *client, uint32_t timeout_us)
{
    assert(client->magic == MAGIC);
    flush(client, now_ns(client));
    if (client->flight.done.count == 0)
        sleep_until_due(client, timeout_us);
}

enum hf_status hf_client_call(struct hf_client *client, const union hf_operation *operation,
                              struct hf_query_reply *reply, uint64_t timeout_us)
{
    uint32_t index;
    uint64_t begin = now_ns(client);
    enum hf_status status = submit(client, operation, NULL, &index);
    if (status != HF_STATUS_OK)
        return status;
    struct hf_flight_slot *slot = hf_flight_slot(&client->flight, index);
    for (;;) {
        turn(client, UINT32_MAX);
        if (slot->state == HF_FLIGHT_DONE) {
            struct hf_answer answer;
            hand_over(client, index, &answer);
            if (answer.outcome != HF_OUTCOME_ANSWERED)
                return HF_STATUS_TIMEOUT;
            copy_reply(reply, &answer.reply);
            return HF_STATUS_OK;
        }
        uint64_t passed_us = (now_ns(client) - begin) / NS_PER_US;
        if (timeout_us != 0 && passed_us >= timeout_us) {
            client->counters.timed_out++;
            hf_flight_free(&client->flight, index);
            return HF_STATUS_TIMEOUT;
        }
        sleep_until_due(client, timeout_us == 0 ? SLEEP_MOST_US : timeout_us - passed_us);
    }
}

uint32_t hf_client_in_flight(const struct hf_client *client)
{
    assert(client->magic == MAGIC);
    return client->flight.slot_count - client->flight.unused.count;
}

void hf_client_count(const struct hf_client *client, struct hf_client_counters *counters)
{
    assert(client->magic == MAGIC);
    *counters = client->counters;
}
