/* An attacker who sees everything: it listens in on two sessions with a node, of two origins, and
 * sends what it makes of their datagrams, and what it makes up. Between its datagrams the honest
 * ones go on: each is answered, and its answer shows that the node has taken all before it.
 *
 *     attack SERVER NODE_KEY KEY_FILE OTHER_KEY_FILE COUNT SEED
 *     attack --flood SECONDS SERVER NODE_KEY     handshakes as fast as they go, from many ports
 *
 * Prints one line of JSON: how many of each kind were sent, and how many honest ones. */
#include "net/gate.h"
#include "net/key.h"
#include "net/port.h"
#include "net/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BETWEEN_HONEST 64
#define ANSWER_MS      20000
#define FLOOD_SOCKETS  256
#define FLOOD_HELLOS   65536
#define FLOOD_BURST    32
#define HELLO_LENGTH   sizeof(struct hf_handshake_hello)

static void fail(const char *what)
{
    fprintf(stderr, "attack: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t seed;
static uint64_t draw(uint64_t bound)
{
    uint64_t z = (seed += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % bound;
}

static uint64_t nanoseconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void fill(void *context, void *bytes, size_t size)
{
    (void)context;
    randombytes_buf(bytes, size);
}
static const struct hf_entropy entropy = {fill, NULL};

struct session {
    int socket;
    struct hf_key_pair keys;
    struct hf_gate gate;
    uint64_t asked; /* honest datagrams */
    uint64_t hellos;
    uint8_t last[HF_WIRE_DATAGRAM_MAX]; /* the newest honest datagram, as it went over the wire */
    size_t last_length;
    uint8_t hello[HELLO_LENGTH];
};

static int connect_to(const char *server)
{
    struct hf_address address = {0};
    if (!hf_address_parse(server, &address))
        fail("no address");
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(address.udp),
                             .sin_addr.s_addr = htonl(address.ip)};
    int file = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (file < 0 || connect(file, (struct sockaddr *)&to, sizeof to) != 0)
        fail("socket");
    return file;
}

static void send_bytes(int socket, const void *bytes, size_t length)
{
    if (send(socket, bytes, length, 0) != (ssize_t)length && errno != ECONNREFUSED)
        fail("send");
}

/* Waits for something that this session can open; answers to what it sent before may come first. */
static enum hf_fate hear(struct session *session)
{
    static uint8_t datagram[HF_WIRE_DATAGRAM_MAX], plain[HF_WIRE_DATAGRAM_MAX];
    struct pollfd file = {.fd = session->socket, .events = POLLIN};
    uint32_t plain_length;
    if (poll(&file, 1, ANSWER_MS) != 1)
        fail("the node does not answer");
    ssize_t length = recv(session->socket, datagram, sizeof datagram, 0);
    if (length < 0)
        fail("recv");
    return hf_gate_take(&session->gate, datagram, (size_t)length, nanoseconds(CLOCK_MONOTONIC),
                        plain, &plain_length);
}

static void join(struct session *session)
{
    struct hf_handshake_hello hello;
    uint64_t now_ns = nanoseconds(CLOCK_MONOTONIC);
    enum hf_fate fate;
    do {
        if (hf_gate_hello(&session->gate, true, nanoseconds(CLOCK_MONOTONIC),
                          nanoseconds(CLOCK_REALTIME), &hello)) {
            memcpy(session->hello, &hello, sizeof hello);
            send_bytes(session->socket, &hello, sizeof hello);
            session->hellos++;
        }
        fate = hear(session);
        if (nanoseconds(CLOCK_MONOTONIC) - now_ns > UINT64_C(20000000000))
            fail("no session");
    } while (fate != HF_FATE_JOINED);
}

/* An honest question, and its answer. */
static void ask(struct session *session)
{
    struct hf_wire_writer writer;
    const struct hf_op_query query = {
        .header = {.length = sizeof query, .type = HF_OP_QUERY, .id = {session->asked + 1, 1}},
        .subject_id = {5, 0},
        .subject = HF_QUERY_ACCOUNT,
    };
    hf_wire_begin(&writer, session->last, sizeof session->last - HF_CIPHER_TAG_SIZE);
    if (!hf_wire_add(&writer, &query, sizeof query))
        fail("query");
    uint32_t length = hf_wire_finish(&writer, 0, 0, 0);
    session->last_length = hf_gate_seal(&session->gate, session->last, length, sizeof session->last,
                                        nanoseconds(CLOCK_MONOTONIC));
    if (session->last_length == 0)
        fail("no session any more");
    send_bytes(session->socket, session->last, session->last_length);
    session->asked++;
    while (hear(session) != HF_FATE_OPENED)
        ;
}

enum kind {
    REPLAYED,      /* as it was */
    FORGED,        /* a bit of what is sealed, or of the tag */
    FORGED_HEADER, /* a bit of the header */
    TRUNCATED,
    LENGTHENED,
    CROSS_SESSION, /* under the other session's number */
    WRONG_EPOCH,
    OTHER_SEQUENCE, /* a counter that has not come yet, or long ago */
    PLAIN,
    HELLO_REPLAYED,
    HELLO_FORGED,
    NONSENSE,
    KINDS,
};
static const char *const names[KINDS] = {"replayed",       "forged",         "forged_header",
                                         "truncated",      "lengthened",     "cross_session",
                                         "wrong_epoch",    "other_sequence", "plain",
                                         "hello_replayed", "hello_forged",   "nonsense"};

/* Makes one of `of`'s newest datagram. Returns its length. */
static size_t make(enum kind kind, const struct session *of, const struct session *other,
                   uint8_t datagram[HF_WIRE_DATAGRAM_MAX])
{
    struct hf_wire_header header;
    size_t length = of->last_length, header_size = sizeof header;
    memcpy(datagram, of->last, length);
    memcpy(&header, datagram, header_size);
    switch (kind) {
    case REPLAYED:
        return length;
    case FORGED:
        datagram[header_size + draw(length - header_size)] ^= (uint8_t)(1u << draw(8));
        return length;
    case FORGED_HEADER:
        datagram[draw(header_size)] ^= (uint8_t)(1u << draw(8));
        return length;
    case TRUNCATED:
        length = draw(length);
        header.length = (uint16_t)length;
        if (draw(2) == 0 && length >= header_size)
            memcpy(datagram, &header, header_size);
        return length;
    case LENGTHENED:
        length += 1 + draw(200);
        header.length = (uint16_t)length;
        if (draw(2) == 0)
            memcpy(datagram, &header, header_size);
        return length;
    case CROSS_SESSION:
        header.session = other->gate.channels[0].peer_id;
        memcpy(datagram, &header, header_size);
        return length;
    case WRONG_EPOCH:
        header.counter ^= (1 + draw(0xffff)) << 48;
        memcpy(datagram, &header, header_size);
        return length;
    case OTHER_SEQUENCE:
        header.counter += 1 + draw(100000);
        memcpy(datagram, &header, header_size);
        return length;
    case PLAIN:
        header.flags = (uint8_t)(draw(2) * HF_WIRE_REPLIES);
        memcpy(datagram, &header, header_size);
        return length;
    case HELLO_REPLAYED:
        memcpy(datagram, of->hello, HELLO_LENGTH);
        return HELLO_LENGTH;
    case HELLO_FORGED:
        memcpy(datagram, of->hello, HELLO_LENGTH);
        datagram[draw(HELLO_LENGTH - 16)] ^= (uint8_t)(1u << draw(8));
        return HELLO_LENGTH;
    default:
        length = draw(400);
        for (size_t i = 0; i < length; i++)
            datagram[i] = (uint8_t)draw(256);
        return length;
    }
}

static void begin(struct session *session, const char *server, const char *node_key,
                  const char *key_file)
{
    uint8_t remote[HF_NOISE_KEY_SIZE];
    struct hf_fault fault;
    session->socket = connect_to(server);
    if (!hf_key_parse(node_key, remote) ||
        hf_key_read(key_file, &session->keys, &fault) != HF_STATUS_OK)
        fail("keys");
    hf_gate_begin(&session->gate, HF_CIPHER_NONE, (struct hf_id){1, 0}, &session->keys, remote,
                  &hf_channel_limits_default, entropy);
    join(session);
    ask(session);
}

static int attack(char **words)
{
    static struct session sessions[2];
    static uint8_t datagram[HF_WIRE_DATAGRAM_MAX];
    uint64_t sent[KINDS] = {0}, count = strtoull(words[4], NULL, 10);
    seed = strtoull(words[5], NULL, 10);
    for (int i = 0; i < 2; i++)
        begin(&sessions[i], words[0], words[1], words[2 + i]);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t which = draw(2);
        enum kind kind = (enum kind)draw(KINDS);
        size_t length = make(kind, &sessions[which], &sessions[1 - which], datagram);
        send_bytes(sessions[draw(2)].socket, datagram, length);
        sent[kind]++;
        if (i % BETWEEN_HONEST == BETWEEN_HONEST - 1)
            ask(&sessions[draw(2)]);
    }
    for (int i = 0; i < 2; i++)
        ask(&sessions[i]);
    printf("{\"honest\": %llu, \"hellos\": %llu, \"sent\": %llu",
           (unsigned long long)(sessions[0].asked + sessions[1].asked),
           (unsigned long long)(sessions[0].hellos + sessions[1].hellos),
           (unsigned long long)count);
    for (int kind = 0; kind < KINDS; kind++)
        printf(", \"%s\": %llu", names[kind], (unsigned long long)sent[kind]);
    puts("}");
    return 0;
}

/* Every hello has a good mac, by the node's public key, and all else is made up: the dearest that
 * somebody without a key can send. They are made before, so that nothing but the kernel holds them
 * up. */
static void make_hellos(struct hf_handshake_hello *hellos, const struct hf_handshake_keys *keys)
{
    randombytes_buf(hellos, FLOOD_HELLOS * sizeof *hellos);
    for (size_t i = 0; i < FLOOD_HELLOS; i++) {
        hf_handshake_write_header(&hellos[i].header, HF_HANDSHAKE_HELLO, sizeof *hellos,
                                  HF_CIPHER_CHACHAPOLY, 0, i + 1);
        hf_handshake_mac(hellos[i].mac, keys->mac, sizeof keys->mac, &hellos[i],
                         offsetof(struct hf_handshake_hello, mac));
    }
}

static int flood(char **words)
{
    double seconds = strtod(words[0], NULL);
    uint8_t remote[HF_NOISE_KEY_SIZE];
    struct hf_handshake_keys keys;
    static struct hf_handshake_hello hellos[FLOOD_HELLOS];
    static int sockets[FLOOD_SOCKETS];
    uint64_t sent = 0, bursts = 0;
    if (!hf_key_parse(words[2], remote))
        fail("keys");
    hf_handshake_keys_make(&keys, remote);
    make_hellos(hellos, &keys);
    for (int i = 0; i < FLOOD_SOCKETS; i++)
        sockets[i] = connect_to(words[1]);
    puts("ready");
    fflush(stdout);
    uint64_t end_ns = nanoseconds(CLOCK_MONOTONIC) + (uint64_t)(seconds * 1e9);
    for (; nanoseconds(CLOCK_MONOTONIC) < end_ns; bursts++) {
        struct iovec bytes[FLOOD_BURST];
        struct mmsghdr burst[FLOOD_BURST];
        memset(burst, 0, sizeof burst);
        for (size_t i = 0; i < FLOOD_BURST; i++) {
            size_t which = (bursts * FLOOD_BURST + i) % FLOOD_HELLOS;
            bytes[i] = (struct iovec){&hellos[which], sizeof hellos[which]};
            burst[i].msg_hdr.msg_iov = &bytes[i];
            burst[i].msg_hdr.msg_iovlen = 1;
        }
        int taken = sendmmsg(sockets[bursts % FLOOD_SOCKETS], burst, FLOOD_BURST, MSG_DONTWAIT);
        sent += taken > 0 ? (uint64_t)taken : 0;
    }
    printf("{\"sent\": %llu}\n", (unsigned long long)sent);
    return 0;
}

int main(int argc, char **argv)
{
    if (sodium_init() < 0)
        fail("sodium");
    if (argc == 5 && strcmp(argv[1], "--flood") == 0)
        return flood(argv + 2);
    if (argc == 7)
        return attack(argv + 1);
    fputs("usage: see attack.c\n", stderr);
    return 2;
}
