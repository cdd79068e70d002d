/* Two ends of a port of any kind, to prove ports between processes.
 *
 *     port_echo --kind kernel|dpdk [--eal ARGUMENTS] [--mtu BYTES] --address A.B.C.D:PORT
 *         [--split | --second A.B.C.D:PORT [--device N] [--second-eal ARGUMENTS]] serve
 *     port_echo ... --peer A.B.C.D:PORT [--count N] [--patience SECONDS] ask
 *
 * `serve` sends back whatever comes, until SIGTERM. With --split its halves run on two threads.
 * With --second (dpdk) it serves another port as well, on device N (1).
 * `ask` sends N numbered datagrams of many sizes, 64 in flight, each again until its answer is
 * there, and checks every byte. Both print `ready ADDRESS` when they begin and one JSON line of
 * counters when they end. Exit status 0, or 1 when something was lost or changed. */
#include "net/port.h"

#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WINDOW        64
#define REPEAT_US     20000
#define LENGTH_MIN    16
#define DATAGRAM_SIZE 65536

struct options {
    const char *kind;
    const char *eal;
    uint16_t mtu;
    struct hf_address local;
    struct hf_address peer;
    struct hf_address second; /* ip 0: there is no second port */
    const char *second_eal;   /* NULL: the first one's */
    uint16_t second_device;
    uint64_t count;
    uint64_t patience_s;
    bool is_split;
    bool is_asking;
};

static atomic_bool is_stopped;

static void stop(int signal_number)
{
    (void)signal_number;
    atomic_store_explicit(&is_stopped, true, memory_order_relaxed);
}

static bool must_stop(void)
{
    return atomic_load_explicit(&is_stopped, memory_order_relaxed);
}

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static _Noreturn void give_up(const char *why)
{
    fprintf(stderr, "port_echo: %s\n", why);
    exit(1);
}

static void print_counters(const struct hf_port *port, const char *extra)
{
    struct hf_port_counters c;
    port->maker->count(port, &c);
    printf("{\"received\": %" PRIu64 ", \"received_bytes\": %" PRIu64 ", \"sent\": %" PRIu64
           ", \"sent_bytes\": %" PRIu64 ", \"malformed\": %" PRIu64 ", \"other\": %" PRIu64
           ", \"full\": %" PRIu64 ", \"arp\": %" PRIu64 ", \"icmp\": %" PRIu64 "%s}\n",
           c.received, c.received_bytes, c.sent, c.sent_bytes, c.dropped_malformed, c.dropped_other,
           c.dropped_full, c.arp_answered, c.icmp_answered, extra);
    fflush(stdout);
}

/* ---- serving */

/* Receives a burst and sends it back. Returns how many. */
static uint32_t echo_burst(struct hf_port *port)
{
    struct hf_packet in[HF_PORT_BURST_MAX];
    struct hf_packet out[HF_PORT_BURST_MAX];
    uint32_t count = port->maker->receive(port, in, HF_PORT_BURST_MAX);
    uint32_t taken = port->maker->take(port, out, count);
    for (uint32_t i = 0; i < taken; i++) {
        memcpy(out[i].data, in[i].data, in[i].length);
        out[i].length = in[i].length;
        out[i].peer = in[i].peer;
    }
    port->maker->release(port, in, count);
    port->maker->send(port, out, taken);
    return count;
}

/* `second` may be NULL. */
static void serve(struct hf_port *port, struct hf_port *second)
{
    while (!must_stop()) {
        uint32_t count = echo_burst(port);
        if (second != NULL)
            count += echo_burst(second);
        if (count == 0)
            port->maker->wait(port, 1000);
    }
}

/* What the receiving thread writes into the channel: a peer, then the payload. */
struct split {
    struct hf_port *port;
    int channel;
};

static void *run_receiving_half(void *context)
{
    struct split *split = context;
    struct hf_port *port = split->port;
    static uint8_t record[sizeof(struct hf_address) + DATAGRAM_SIZE];
    if (port->maker->attach_receive(port) != HF_STATUS_OK)
        give_up("the receiving half does not attach");
    while (!must_stop()) {
        struct hf_packet packets[HF_PORT_BURST_MAX];
        uint32_t count = port->maker->receive(port, packets, HF_PORT_BURST_MAX);
        for (uint32_t i = 0; i < count; i++) {
            memcpy(record, &packets[i].peer, sizeof packets[i].peer);
            memcpy(record + sizeof packets[i].peer, packets[i].data, packets[i].length);
            (void)send(split->channel, record, sizeof packets[i].peer + packets[i].length,
                       MSG_DONTWAIT);
        }
        port->maker->release(port, packets, count);
        if (count == 0)
            port->maker->wait(port, 1000);
    }
    return NULL;
}

/* The sending half, on the main thread; the receiving one on a thread of its own. */
static void serve_split(struct hf_port *port)
{
    int channel[2];
    pthread_t receiver;
    static uint8_t record[sizeof(struct hf_address) + DATAGRAM_SIZE];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, channel) != 0)
        give_up("no socket pair");
    struct timeval nap = {.tv_usec = 200};
    setsockopt(channel[1], SOL_SOCKET, SO_RCVTIMEO, &nap, sizeof nap);
    struct split split = {.port = port, .channel = channel[0]};
    if (pthread_create(&receiver, NULL, run_receiving_half, &split) != 0)
        give_up("no thread");
    while (!must_stop()) {
        ssize_t size = recv(channel[1], record, sizeof record, 0);
        struct hf_packet packet;
        if (size <= (ssize_t)sizeof packet.peer || port->maker->take(port, &packet, 1) == 0) {
            port->maker->send(port, NULL, 0); /* pings and ARP are answered also when idle */
            continue;
        }
        packet.length = (uint32_t)((size_t)size - sizeof packet.peer);
        memcpy(&packet.peer, record, sizeof packet.peer);
        memcpy(packet.data, record + sizeof packet.peer, packet.length);
        port->maker->send(port, &packet, 1);
    }
    pthread_join(receiver, NULL);
    close(channel[0]);
    close(channel[1]);
}

/* ---- asking */

struct question {
    uint64_t number;
    uint64_t sent_us; /* 0: free */
};

struct asker {
    struct hf_port *port;
    const struct options *options;
    struct question questions[WINDOW]; /* a number's place is its remainder */
    uint64_t next;
    uint64_t answered;
    uint64_t repeated;
    uint64_t late; /* answers to what was answered before */
    uint64_t wrong;
};

static uint32_t length_of(uint64_t number, uint32_t payload_max)
{
    return LENGTH_MIN + (uint32_t)(number * 7919 % (payload_max - LENGTH_MIN + 1));
}

static uint8_t byte_of(uint64_t number, uint32_t offset)
{
    return (uint8_t)(number * 13 + offset * 5 + (number >> 8));
}

static void ask_again(struct asker *asker, struct question *question)
{
    struct hf_port *port = asker->port;
    struct hf_packet packet;
    if (port->maker->take(port, &packet, 1) == 0)
        return;
    packet.length = length_of(question->number, port->payload_max);
    packet.peer = asker->options->peer;
    memcpy(packet.data, &question->number, sizeof question->number);
    for (uint32_t i = sizeof question->number; i < packet.length; i++)
        packet.data[i] = byte_of(question->number, i);
    port->maker->send(port, &packet, 1);
    question->sent_us = now_us();
}

static void take_answer(struct asker *asker, const struct hf_packet *packet)
{
    uint64_t number;
    if (packet->length < LENGTH_MIN) {
        asker->wrong++;
        return;
    }
    memcpy(&number, packet->data, sizeof number);
    struct question *question = &asker->questions[number % WINDOW];
    if (question->sent_us == 0 || question->number != number) {
        asker->late++;
        return;
    }
    bool is_right = packet->length == length_of(number, asker->port->payload_max) &&
                    packet->peer.ip == asker->options->peer.ip &&
                    packet->peer.udp == asker->options->peer.udp;
    for (uint32_t i = sizeof number; is_right && i < packet->length; i++)
        is_right = packet->data[i] == byte_of(number, i);
    asker->wrong += is_right ? 0 : 1;
    asker->answered++;
    question->sent_us = 0;
}

static void fill_window(struct asker *asker)
{
    uint64_t time_us = now_us();
    for (uint32_t i = 0; i < WINDOW; i++) {
        struct question *question = &asker->questions[i];
        if (question->sent_us != 0 && time_us - question->sent_us > REPEAT_US) {
            asker->repeated++;
            ask_again(asker, question);
        }
    }
    while (asker->next < asker->options->count &&
           asker->questions[asker->next % WINDOW].sent_us == 0) {
        struct question *question = &asker->questions[asker->next % WINDOW];
        question->number = asker->next++;
        question->sent_us = 1; /* asked, long ago: sent again if it cannot be sent now */
        ask_again(asker, question);
    }
}

static int ask(struct hf_port *port, const struct options *options)
{
    struct asker asker = {.port = port, .options = options};
    uint64_t start_us = now_us();
    uint64_t end_us = start_us + options->patience_s * 1000000;
    uint64_t step = options->count / 10 + 1;
    uint64_t mark = step;
    while (asker.answered < options->count && now_us() < end_us && !must_stop()) {
        struct hf_packet packets[HF_PORT_BURST_MAX];
        fill_window(&asker);
        uint32_t count = port->maker->receive(port, packets, HF_PORT_BURST_MAX);
        for (uint32_t i = 0; i < count; i++)
            take_answer(&asker, &packets[i]);
        port->maker->release(port, packets, count);
        if (count == 0)
            port->maker->wait(port, 1000);
        port->maker->send(port, NULL, 0);
        for (; asker.answered >= mark && mark <= options->count; mark += step) {
            printf("answered %" PRIu64 "\n", mark);
            fflush(stdout);
        }
    }
    char extra[256];
    snprintf(extra, sizeof extra,
             ", \"asked\": %" PRIu64 ", \"answered\": %" PRIu64 ", \"repeated\": %" PRIu64
             ", \"late\": %" PRIu64 ", \"wrong\": %" PRIu64 ", \"elapsed_us\": %" PRIu64,
             options->count, asker.answered, asker.repeated, asker.late, asker.wrong,
             now_us() - start_us);
    print_counters(port, extra);
    return asker.answered == options->count && asker.wrong == 0 ? 0 : 1;
}

/* ---- the command line */

static struct options read_options(int argc, char *argv[])
{
    static const struct option known[] = {
        {"kind", required_argument, NULL, 'k'},   {"eal", required_argument, NULL, 'e'},
        {"mtu", required_argument, NULL, 'm'},    {"address", required_argument, NULL, 'a'},
        {"peer", required_argument, NULL, 'p'},   {"count", required_argument, NULL, 'c'},
        {"split", no_argument, NULL, 's'},        {"patience", required_argument, NULL, 't'},
        {"second", required_argument, NULL, '2'}, {"second-eal", required_argument, NULL, 'E'},
        {"device", required_argument, NULL, 'd'}, {NULL, 0, NULL, 0},
    };
    struct options options = {
        .kind = "kernel", .count = 1000, .patience_s = 60, .second_device = 1};
    bool is_right = true;
    int option;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'k':
            options.kind = optarg;
            break;
        case 'e':
            options.eal = optarg;
            break;
        case 'm':
            options.mtu = (uint16_t)strtoul(optarg, NULL, 10);
            break;
        case 'a':
            is_right = is_right && hf_address_parse(optarg, &options.local);
            break;
        case 'p':
            is_right = is_right && hf_address_parse(optarg, &options.peer);
            break;
        case 'c':
            options.count = strtoull(optarg, NULL, 10);
            break;
        case 's':
            options.is_split = true;
            break;
        case 't':
            options.patience_s = strtoull(optarg, NULL, 10);
            break;
        case '2':
            is_right = is_right && hf_address_parse(optarg, &options.second);
            break;
        case 'E':
            options.second_eal = optarg;
            break;
        case 'd':
            options.second_device = (uint16_t)strtoul(optarg, NULL, 10);
            break;
        default:
            is_right = false;
        }
    }
    const char *verb = optind + 1 == argc ? argv[optind] : "";
    options.is_asking = strcmp(verb, "ask") == 0;
    if (!is_right || (!options.is_asking && strcmp(verb, "serve") != 0))
        give_up("usage: see the head of port_echo.c");
    return options;
}

static struct hf_port *open_port(const struct options *options)
{
    struct hf_port *port = NULL;
    struct hf_fault fault;
    enum hf_status status;
    if (strcmp(options->kind, "dpdk") == 0) {
        struct hf_port_dpdk_options dpdk = {
            .eal = options->eal, .local = options->local, .mtu = options->mtu};
        status = hf_port_dpdk_open(&dpdk, &port, &fault);
    } else {
        struct hf_port_kernel_options kernel = {.local = options->local};
        status = hf_port_kernel_open(&kernel, &port, &fault);
    }
    if (status != HF_STATUS_OK)
        give_up(fault.line);
    return port;
}

static void attach(struct hf_port *port, bool receives)
{
    if ((receives && port->maker->attach_receive(port) != HF_STATUS_OK) ||
        port->maker->attach_send(port) != HF_STATUS_OK)
        give_up("the port does not attach");
}

static struct hf_port *open_second(struct hf_port *first, const struct options *options)
{
    struct hf_port *port = NULL;
    struct hf_fault fault;
    struct hf_port_dpdk_options dpdk = {.eal = options->second_eal == NULL ? options->eal
                                                                           : options->second_eal,
                                        .device = options->second_device,
                                        .local = options->second,
                                        .mtu = options->mtu};
    if (hf_port_dpdk_open(&dpdk, &port, &fault) != HF_STATUS_OK) {
        first->maker->destroy(first);
        give_up(fault.line);
    }
    attach(port, true);
    return port;
}

int main(int argc, char *argv[])
{
    struct options options = read_options(argc, argv);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlives the test that started it */
    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);

    struct hf_port *port = open_port(&options);
    bool splits = options.is_split && !options.is_asking;
    attach(port, !splits);
    struct hf_port *second = options.second.ip == 0 ? NULL : open_second(port, &options);
    char text[HF_ADDRESS_TEXT_SIZE];
    hf_address_format(&port->local, text);
    printf("ready %s\n", text);
    fflush(stdout);

    int result = 0;
    if (options.is_asking)
        result = ask(port, &options);
    else if (splits)
        serve_split(port);
    else
        serve(port, second);
    if (!options.is_asking)
        print_counters(port, "");
    if (second != NULL)
        second->maker->destroy(second);
    port->maker->destroy(port);
    return result;
}
