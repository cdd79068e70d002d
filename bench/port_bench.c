/* A port's own speed, and the node's over the same port.
 *
 *   holdfast-port-bench echo   sends every datagram back as it is, until SIGTERM
 *   holdfast-port-bench client talks to an echo or to a node, and prints one JSON object
 *
 * The client does the same work whoever answers: it fills datagrams of transfers with fresh ids,
 * keeps a window of them in flight, and reads the id and code of every message that comes back (an
 * operation and its reply have both at the same place). So what differs between echo and node is
 * the node. Both ends poll all the time; each wants a core. */
#include "bench/random.h"
#include "bench/sample.h"
#include "engine/operation.h"
#include "net/port.h"
#include "net/wire.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ASSET            840
#define FLOOR            (-(INT64_C(1) << 60))
#define MESSAGES_MAX     18 /* transfers in an Ethernet frame */
#define ACCOUNTS_A_FRAME 22
#define WINDOW_MAX       4096
#define SHAPES_MAX       8
/* A datagram that has not come back after this is lost. */
#define LOST_AFTER_NS UINT64_C(50000000)
/* The other side may still be starting. */
#define GIVE_UP_AFTER_NS UINT64_C(10000000000)

/* How a measurement loads the other side. */
struct shape {
    uint32_t window;   /* datagrams in flight; 1: round trips are timed; 0: a flood, which waits for
                          nobody */
    uint32_t messages; /* transfers in a datagram */
};

struct options {
    bool is_dpdk;
    bool is_node; /* what answers is a node, not an echo */
    const char *eal;
    struct hf_address local;
    struct hf_address server;
    double seconds; /* for each shape */
    uint64_t accounts;
    struct shape shapes[SHAPES_MAX];
    uint32_t shape_count;
};

struct client {
    struct options options;
    struct shape shape;
    struct hf_port *port;
    struct hf_bench_random random;
    uint64_t session;
    uint64_t sequence; /* of the newest message: the lower half of its id */
    uint64_t counter;  /* of datagrams sent */
    uint64_t answered; /* messages */
    uint64_t refused;
    uint64_t busy; /* of those */
    uint64_t sent; /* messages */
    uint64_t lost; /* messages */
    uint64_t in_flight;
    struct hf_bench_samples *samples;
};

static volatile sig_atomic_t is_stopped;

static void on_signal(int number)
{
    (void)number;
    is_stopped = 1;
}

/* ---- messages ------------------------------------------------------------------------------ */

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

static void make_header(struct client *client, struct hf_op_header *header, uint8_t type,
                        uint16_t length, uint64_t time_ms)
{
    memset(header, 0, length);
    header->length = length;
    header->type = type;
    client->sequence++;
    header->id = hf_id_make_operation(time_ms, (uint16_t)client->session, client->sequence);
}

static struct hf_id account_id(uint64_t index)
{
    struct hf_id id = {.lo = hf_bench_mix(index), .hi = hf_bench_mix(~index) | 1};
    return id;
}

/* One datagram of transfers between random accounts. Returns its length. */
static uint32_t fill_moves(struct client *client, uint8_t *data, uint32_t capacity,
                           uint64_t time_ms)
{
    struct hf_wire_writer writer;
    hf_wire_begin(&writer, data, capacity);
    for (uint32_t i = 0; i < client->shape.messages; i++) {
        struct hf_op_move move;
        make_header(client, &move.header, HF_OP_MOVE, sizeof(move), time_ms);
        uint64_t payer = hf_bench_random_below(&client->random, client->options.accounts);
        uint64_t step = 1 + hf_bench_random_below(&client->random, client->options.accounts - 1);
        move.payer = account_id(payer);
        move.payee = account_id((payer + step) % client->options.accounts);
        move.amount = 1;
        move.asset = ASSET;
        bool is_added = hf_wire_add(&writer, &move, sizeof(move));
        assert(is_added);
        (void)is_added;
    }
    return hf_wire_finish(&writer, 0, client->session, client->counter++);
}

/* Where every message begins the same, operation or reply. */
struct message_head {
    uint16_t length;
    uint8_t type;
    uint8_t flags;
    uint16_t code; /* of a reply */
    uint16_t reserved;
    struct hf_id id;
};
_Static_assert(offsetof(struct message_head, id) == offsetof(struct hf_op_header, id), "id");
_Static_assert(offsetof(struct message_head, id) == offsetof(struct hf_reply, id), "id");
_Static_assert(offsetof(struct message_head, code) == offsetof(struct hf_reply, code), "code");

/* Reads a datagram that came back. Returns how many messages it holds, 0 when it is none of ours;
 * `*newest` is the sequence of its last one. */
static uint32_t read_messages(struct client *client, const struct hf_packet *packet,
                              uint64_t *newest)
{
    struct hf_wire_header header;
    if (packet->length < sizeof(header)) {
        return 0;
    }
    memcpy(&header, packet->data, sizeof(header));
    if (header.magic != HF_WIRE_MAGIC || header.session != client->session) {
        return 0;
    }
    uint32_t offset = sizeof(header);
    uint32_t count = 0;
    while (count < header.count && packet->length - offset >= sizeof(struct message_head)) {
        struct message_head head;
        memcpy(&head, packet->data + offset, sizeof(head));
        if (head.length == 0 || head.length > packet->length - offset) {
            break;
        }
        if (client->options.is_node && head.code != HF_CODE_OK) {
            client->refused++;
            client->busy += head.code == HF_CODE_BUSY;
        }
        *newest = head.id.lo;
        offset += head.length;
        count++;
    }
    return count;
}

/* ---- the client ---------------------------------------------------------------------------- */

static uint32_t receive(struct client *client, uint64_t *newest)
{
    struct hf_packet packets[HF_PORT_BURST_MAX];
    uint32_t count = client->port->maker->receive(client->port, packets, HF_PORT_BURST_MAX);
    uint32_t messages = 0;
    for (uint32_t i = 0; i < count; i++) {
        messages += read_messages(client, &packets[i], newest);
    }
    if (count > 0) {
        client->port->maker->release(client->port, packets, count);
    } else {
        /* What the receiving half wants sent (ARP) leaves with the sending half. */
        client->port->maker->send(client->port, packets, 0);
    }
    return messages;
}

/* Sends up to `count` datagrams of transfers; returns how many. */
static uint32_t send_moves(struct client *client, uint32_t count)
{
    struct hf_packet packets[HF_PORT_BURST_MAX];
    uint32_t most = count < HF_PORT_BURST_MAX ? count : HF_PORT_BURST_MAX;
    uint32_t taken = client->port->maker->take(client->port, packets, most);
    uint64_t time_ms = now_ms();
    for (uint32_t i = 0; i < taken; i++) {
        packets[i].length = fill_moves(client, packets[i].data, client->port->payload_max, time_ms);
        packets[i].peer = client->options.server;
    }
    client->port->maker->send(client->port, packets, taken);
    return taken;
}

/* Lets what is still under way come back, uncounted. */
static void drain(struct client *client)
{
    uint64_t newest = 0;
    uint64_t begin_ns = hf_bench_now_ns();
    while (newest != client->sequence && hf_bench_now_ns() - begin_ns < LOST_AFTER_NS) {
        receive(client, &newest);
    }
    client->in_flight = 0;
}

/* Keeps the window full until the time is over. */
static void run_window(struct client *client, uint64_t end_ns)
{
    const uint32_t messages = client->shape.messages;
    const uint64_t window = (uint64_t)client->shape.window * messages;
    uint64_t newest = 0;
    uint64_t progress_ns = hf_bench_now_ns();
    for (;;) {
        uint32_t got = receive(client, &newest);
        uint64_t now_ns = hf_bench_now_ns();
        client->answered += got;
        client->in_flight -= got < client->in_flight ? got : client->in_flight;
        if (got > 0) {
            progress_ns = now_ns;
        } else if (client->in_flight > 0 && now_ns - progress_ns > LOST_AFTER_NS) {
            client->lost += client->in_flight;
            client->in_flight = 0;
            progress_ns = now_ns;
        }
        if (now_ns >= end_ns || is_stopped) {
            break;
        }
        uint64_t room = (window - client->in_flight) / messages;
        if (room > 0) {
            client->in_flight += (uint64_t)send_moves(client, (uint32_t)room) * messages;
        }
    }
    drain(client);
}

/* Sends as much as the port takes, whatever comes back. */
static void run_flood(struct client *client, uint64_t end_ns)
{
    uint64_t newest = 0;
    while (hf_bench_now_ns() < end_ns && !is_stopped) {
        client->sent += (uint64_t)send_moves(client, HF_PORT_BURST_MAX) * client->shape.messages;
        client->answered += receive(client, &newest);
    }
    drain(client);
}

/* One datagram at a time, each one timed. An answer that comes too late belongs to nobody. */
static void run_round_trips(struct client *client, uint64_t end_ns)
{
    while (!is_stopped) {
        uint64_t begin_ns = hf_bench_now_ns();
        if (begin_ns >= end_ns) {
            return;
        }
        uint64_t newest = 0;
        uint64_t now_ns = begin_ns;
        send_moves(client, 1);
        while (newest != client->sequence && now_ns - begin_ns < LOST_AFTER_NS) {
            receive(client, &newest);
            now_ns = hf_bench_now_ns();
        }
        if (newest == client->sequence) {
            client->answered += client->shape.messages;
            hf_bench_samples_add(client->samples, now_ns - begin_ns);
        } else {
            client->lost += client->shape.messages;
        }
    }
}

/* Sends one datagram, which ends with the newest message, again and again until all its messages
 * have come back. False when nobody answers. */
static bool call(struct client *client, const uint8_t *datagram, uint32_t length, uint32_t messages)
{
    uint64_t begin_ns = hf_bench_now_ns();
    while (hf_bench_now_ns() - begin_ns < GIVE_UP_AFTER_NS && !is_stopped) {
        struct hf_packet packet;
        uint64_t sent_ns = hf_bench_now_ns();
        if (client->port->maker->take(client->port, &packet, 1) == 1) {
            memcpy(packet.data, datagram, length);
            packet.length = length;
            packet.peer = client->options.server;
            client->port->maker->send(client->port, &packet, 1);
        }
        uint32_t got = 0;
        uint64_t newest = 0;
        while ((got < messages || newest != client->sequence) &&
               hf_bench_now_ns() - sent_ns < LOST_AFTER_NS) {
            got += receive(client, &newest);
        }
        if (got >= messages && newest == client->sequence) {
            return true;
        }
    }
    return false;
}

/* Registers the asset and opens the accounts. Over an echo this only sees that it is there. */
static bool set_up(struct client *client)
{
    uint8_t datagram[1472];
    struct hf_wire_writer writer;
    struct hf_op_asset_put asset;
    hf_wire_begin(&writer, datagram, sizeof(datagram));
    make_header(client, &asset.header, HF_OP_ASSET_PUT, sizeof(asset), now_ms());
    asset.asset = ASSET;
    asset.scale = 2;
    memcpy(asset.code, "USD", 3);
    bool is_added = hf_wire_add(&writer, &asset, sizeof(asset));
    assert(is_added);
    uint32_t length = hf_wire_finish(&writer, 0, client->session, client->counter++);
    if (!call(client, datagram, length, 1)) {
        return false;
    }
    uint64_t opened = 0;
    while (client->options.is_node && opened < client->options.accounts) {
        uint32_t count = 0;
        hf_wire_begin(&writer, datagram, sizeof(datagram));
        for (; count < ACCOUNTS_A_FRAME && opened < client->options.accounts; count++, opened++) {
            struct hf_op_account_put put;
            make_header(client, &put.header, HF_OP_ACCOUNT_PUT, HF_ACCOUNT_PUT_SHORT, now_ms());
            put.account = account_id(opened);
            put.floor = FLOOR;
            put.asset = ASSET;
            is_added = hf_wire_add(&writer, &put, HF_ACCOUNT_PUT_SHORT);
            assert(is_added);
        }
        length = hf_wire_finish(&writer, 0, client->session, client->counter++);
        if (!call(client, datagram, length, count)) {
            return false;
        }
    }
    return true;
}

static void print_result(struct client *client, double seconds)
{
    struct hf_bench_samples *samples = client->samples;
    printf("{\"target\": \"%s\", \"port\": \"%s\", \"window\": %u, \"messages\": %u, "
           "\"seconds\": %.3f, \"answered\": %llu, \"messages_s\": %.0f, \"packets_s\": %.0f, "
           "\"refused\": %llu, \"lost\": %llu",
           client->options.is_node ? "node" : "echo", client->port->name, client->shape.window,
           client->shape.messages, seconds, (unsigned long long)client->answered,
           (double)client->answered / seconds,
           (double)client->answered / seconds / client->shape.messages,
           (unsigned long long)client->refused, (unsigned long long)client->lost);
    if (client->shape.window == 0) {
        printf(", \"sent\": %llu, \"busy\": %llu", (unsigned long long)client->sent,
               (unsigned long long)client->busy);
    }
    if (client->shape.window == 1) {
        printf(", \"p50_us\": %.3f, \"p99_us\": %.3f, \"p999_us\": %.3f",
               (double)hf_bench_samples_percentile(samples, 50, 100) / 1e3,
               (double)hf_bench_samples_percentile(samples, 99, 100) / 1e3,
               (double)hf_bench_samples_percentile(samples, 999, 1000) / 1e3);
    }
    printf("}\n");
}

/* Loads the other side in one shape and prints what came of it. False when it was not served. */
static bool measure(struct client *client)
{
    client->answered = 0;
    client->refused = 0;
    client->busy = 0;
    client->sent = 0;
    client->lost = 0;
    hf_bench_samples_clear(client->samples);
    uint64_t begin_ns = hf_bench_now_ns();
    uint64_t end_ns = begin_ns + (uint64_t)(client->options.seconds * 1e9);
    if (client->shape.window == 1) {
        run_round_trips(client, end_ns);
    } else if (client->shape.window == 0) {
        run_flood(client, end_ns);
    } else {
        run_window(client, end_ns);
    }
    print_result(client, (double)(hf_bench_now_ns() - begin_ns) * 1e-9);
    bool may_be_busy = client->shape.window == 0;
    bool is_served = client->answered > 0 && client->refused == client->busy &&
                     (client->busy == 0 || may_be_busy);
    if (!is_served) {
        fprintf(
            stderr,
            "holdfast-port-bench: shape %u:%u: %llu answered, %llu refused, %llu of them BUSY\n",
            client->shape.window, client->shape.messages, (unsigned long long)client->answered,
            (unsigned long long)client->refused, (unsigned long long)client->busy);
    }
    return is_served;
}

static int run_client(const struct options *options, struct hf_port *port)
{
    struct client client = {.options = *options, .port = port};
    client.session = now_ms() ^ ((uint64_t)hf_bench_now_ns() << 20);
    client.random.counter = client.session;
    client.sequence = hf_bench_mix(client.session);
    client.samples = hf_bench_samples_create();
    if (client.samples == NULL) {
        fputs("holdfast-port-bench: not enough memory\n", stderr);
        return 1;
    }
    if (!set_up(&client)) {
        fputs("holdfast-port-bench: nobody answers\n", stderr);
        hf_bench_samples_destroy(client.samples);
        return 1;
    }
    bool is_good = true;
    for (uint32_t i = 0; i < options->shape_count && !is_stopped; i++) {
        client.shape = options->shapes[i];
        is_good = measure(&client) && is_good;
    }
    hf_bench_samples_destroy(client.samples);
    return is_good ? 0 : 1;
}

/* ---- the echo ------------------------------------------------------------------------------ */

static int run_echo(struct hf_port *port)
{
    char address[HF_ADDRESS_TEXT_SIZE];
    hf_address_format(&port->local, address);
    printf("ready %s\n", address);
    fflush(stdout);
    while (!is_stopped) {
        struct hf_packet in[HF_PORT_BURST_MAX];
        struct hf_packet out[HF_PORT_BURST_MAX];
        uint32_t count = port->maker->receive(port, in, HF_PORT_BURST_MAX);
        if (count == 0) {
            /* What the receiving half wants sent (ARP) leaves with the sending half. */
            port->maker->send(port, out, 0);
            continue;
        }
        uint32_t taken = port->maker->take(port, out, count);
        for (uint32_t i = 0; i < taken; i++) {
            memcpy(out[i].data, in[i].data, in[i].length);
            out[i].length = in[i].length;
            out[i].peer = in[i].peer;
        }
        port->maker->send(port, out, taken);
        port->maker->release(port, in, count);
    }
    return 0;
}

/* ---- options ------------------------------------------------------------------------------- */

static const char usage[] =
    "usage: holdfast-port-bench echo|client [options]\n"
    "  --kind kernel|dpdk  which port (kernel)\n"
    "  --eal ARGUMENTS     of DPDK's environment\n"
    "  --local A.B.C.D:P   own address\n"
    "  --server A.B.C.D:P  where a client sends to\n"
    "  --target echo|node  what answers there (echo)\n"
    "  --seconds S         (1)\n"
    "  --window N          datagrams in flight; 1 times round trips; 0: a flood (1)\n"
    "  --messages N        transfers in a datagram, 1 to 18 (1)\n"
    "  --accounts N        opened on a node before (1000)\n";

static bool parse_number(const char *text, uint64_t least, uint64_t most, uint64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && *value >= least && *value <= most;
}

/* "W:M". */
static bool add_shape(struct options *options, const char *text)
{
    char window[16];
    const char *colon = strchr(text, ':');
    if (colon == NULL || (size_t)(colon - text) >= sizeof(window) ||
        options->shape_count == SHAPES_MAX) {
        return false;
    }
    memcpy(window, text, (size_t)(colon - text));
    window[colon - text] = '\0';
    uint64_t windows = 0;
    uint64_t messages = 0;
    if (!parse_number(window, 0, WINDOW_MAX, &windows) ||
        !parse_number(colon + 1, 1, MESSAGES_MAX, &messages)) {
        return false;
    }
    options->shapes[options->shape_count++] =
        (struct shape){.window = (uint32_t)windows, .messages = (uint32_t)messages};
    return true;
}

static bool take_option(struct options *options, int name, const char *value)
{
    switch (name) {
    case 'k':
        options->is_dpdk = strcmp(value, "dpdk") == 0;
        return options->is_dpdk || strcmp(value, "kernel") == 0;
    case 'e':
        options->eal = value;
        return true;
    case 'l':
        return hf_address_parse(value, &options->local);
    case 's':
        return hf_address_parse(value, &options->server);
    case 't':
        options->is_node = strcmp(value, "node") == 0;
        return options->is_node || strcmp(value, "echo") == 0;
    case 'S':
        options->seconds = strtod(value, NULL);
        return options->seconds > 0 && options->seconds < 3600;
    case 'w':
        return add_shape(options, value);
    case 'a':
        return parse_number(value, 2, UINT32_MAX, &options->accounts);
    default:
        return false;
    }
}

static bool take_options(struct options *options, int argc, char **argv)
{
    static const struct option names[] = {
        {"kind", required_argument, NULL, 'k'},
        {"eal", required_argument, NULL, 'e'},
        {"local", required_argument, NULL, 'l'},
        {"server", required_argument, NULL, 's'},
        {"target", required_argument, NULL, 't'},
        {"seconds", required_argument, NULL, 'S'},
        {"shape", required_argument, NULL, 'w'},
        {"accounts", required_argument, NULL, 'a'},
        {NULL, 0, NULL, 0},
    };
    int name;
    while ((name = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (!take_option(options, name, optarg)) {
            return false;
        }
    }
    return optind == argc - 1;
}

static enum hf_status open_port(const struct options *options, struct hf_port **port,
                                struct hf_fault *fault)
{
    if (options->is_dpdk) {
        const struct hf_port_dpdk_options dpdk = {.eal = options->eal, .local = options->local};
        return hf_port_dpdk_open(&dpdk, port, fault);
    }
    const struct hf_port_kernel_options kernel = {.local = options->local};
    return hf_port_kernel_open(&kernel, port, fault);
}

int main(int argc, char **argv)
{
    struct options options = {
        .eal = "",
        .local = {.ip = 0x7f000001},
        .seconds = 1,
        .accounts = 1000,
    };
    if (!take_options(&options, argc, argv)) {
        fputs(usage, stderr);
        return 2;
    }
    if (options.shape_count == 0) {
        options.shapes[options.shape_count++] = (struct shape){.window = 1, .messages = 1};
    }
    bool is_echo = strcmp(argv[argc - 1], "echo") == 0;
    if (!is_echo && (strcmp(argv[argc - 1], "client") != 0 || options.server.udp == 0)) {
        fputs(usage, stderr);
        return 2;
    }
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    struct hf_fault fault = {{0}};
    struct hf_port *port = NULL;
    if (open_port(&options, &port, &fault) != HF_STATUS_OK) {
        fprintf(stderr, "holdfast-port-bench: %s\n", fault.line);
        return 1;
    }
    int status = 1;
    if (port->maker->attach_receive(port) != HF_STATUS_OK ||
        port->maker->attach_send(port) != HF_STATUS_OK) {
        fputs("holdfast-port-bench: the port cannot be attached\n", stderr);
    } else {
        status = is_echo ? run_echo(port) : run_client(&options, port);
    }
    port->maker->destroy(port);
    return status;
}
