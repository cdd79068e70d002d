/* A million hostile datagrams at a node's sessions, with honest traffic going on beside them: none
 * is accepted, and all that is honest is, once. The attacker has seen every datagram that ever
 * passed, knows every public key, and can send from anywhere. HF_TEST_SEED repeats a run. */
#include "session_fixture.h"

#define ATTACKS      1000000
#define CLIENTS      4
#define KEPT         4096
#define DATAGRAM_MAX 256
#define HONEST_EVERY 50 /* attacks between two honest datagrams */

struct captured {
    uint8_t bytes[DATAGRAM_MAX];
    uint32_t length;
};

struct attacker {
    struct captured kept[KEPT]; /* all of them have arrived */
    uint64_t count;
    struct captured hellos[64], answers[64];
    uint64_t hello_count;
    uint64_t random;
};

struct field {
    struct world world;
    struct client clients[CLIENTS];
    struct attacker attacker;
    uint64_t honest_sent, honest_opened;
    uint64_t overtaken;             /* attacks on honest datagrams under way that were accepted */
    uint64_t counts[HF_FATE_COUNT]; /* of attacks at clients */
};

static uint64_t below(struct attacker *attacker, uint64_t bound)
{
    return random_next(&attacker->random) % bound;
}

static void capture(struct captured *captured, const void *bytes, uint32_t length)
{
    assert_true(length <= DATAGRAM_MAX);
    memcpy(captured->bytes, bytes, length);
    captured->length = length;
}

static struct captured *any_kept(struct attacker *attacker)
{
    uint64_t count = attacker->count < KEPT ? attacker->count : KEPT;
    return &attacker->kept[below(attacker, count)];
}

/* ---- where attacks go */

/* The client that a datagram names as its receiver, or any. */
static struct client *receiver_of(struct field *field, const struct captured *datagram)
{
    struct hf_wire_header header = {0};
    memcpy(&header, datagram->bytes,
           datagram->length < sizeof header ? datagram->length : sizeof header);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        if (field->clients[i].channel.own_id == header.session)
            return &field->clients[i];
    }
    return &field->clients[below(&field->attacker, CLIENTS)];
}

/* Sends it to the node and to a client. True when one of them accepted it. */
static bool is_accepted(struct field *field, const struct captured *datagram)
{
    struct world *world = &field->world;
    world->address.port[1] = (uint8_t)below(&field->attacker, 256);
    enum hf_fate fate = arrive(world, datagram->bytes, datagram->length);
    world->address.port[1] = 0;
    if (fate == HF_FATE_OPENED || fate == HF_FATE_WELCOMED)
        return true;

    struct client *client = receiver_of(field, datagram);
    struct hf_channel channel;
    fate = arrive_at_client(world, client, datagram->bytes, datagram->length);
    field->counts[fate]++;
    if (fate == HF_FATE_OPENED)
        return true;
    fate = hf_dial_take(&client->dial, datagram->bytes, datagram->length, world->now_ns, &channel);
    return fate == HF_FATE_JOINED || fate == HF_FATE_COOKIE;
}

/* ---- honest traffic */

static void join(struct field *field, struct client *client)
{
    struct attacker *attacker = &field->attacker;
    uint64_t place = attacker->hello_count++ % 64;
    enum hf_fate fate = say_hello(&field->world, client);
    capture(&attacker->hellos[place], &client->hello, sizeof client->hello);
    if (fate == HF_FATE_COOKIE) {
        capture(&attacker->answers[place], field->world.buffer, field->world.result.length);
        expect(take_answer(&field->world, client), HF_FATE_COOKIE);
        fate = say_hello(&field->world, client);
        capture(&attacker->hellos[place], &client->hello, sizeof client->hello);
    }
    expect(fate, HF_FATE_WELCOMED);
    capture(&attacker->answers[place], field->world.buffer, field->world.result.length);
    expect(take_answer(&field->world, client), HF_FATE_JOINED);
}

/* On its way a datagram is caught, and a copy with one bit changed is there before it. */
static void overtake(struct field *field, const uint8_t *datagram, uint32_t length)
{
    struct captured changed;
    capture(&changed, datagram, length);
    changed.bytes[below(&field->attacker, length)] ^= (uint8_t)(1u << below(&field->attacker, 8));
    if (is_accepted(field, &changed))
        field->overtaken++;
}

/* One there, one back; both are captured after they have arrived. */
static void talk(struct field *field, struct client *client)
{
    struct world *world = &field->world;
    struct attacker *attacker = &field->attacker;
    uint8_t datagram[HF_WIRE_DATAGRAM_MAX];
    uint64_t number = ++field->honest_sent;
    uint32_t length = seal_from_client(world, client, datagram, number);
    if (length == 0) { /* its hour is over */
        join(field, client);
        length = seal_from_client(world, client, datagram, number);
    }
    overtake(field, datagram, length);
    expect(arrive(world, datagram, length), HF_FATE_OPENED);
    assert_int_equal(read_plain(world->buffer, world->result.length), number);
    field->honest_opened++;
    uint64_t session = world->result.session;
    capture(&attacker->kept[attacker->count++ % KEPT], datagram, length);

    length = seal_from_node(world, session, datagram, number);
    assert_true(length > 0);
    overtake(field, datagram, length);
    expect(arrive_at_client(world, client, datagram, length), HF_FATE_OPENED);
    assert_int_equal(read_plain(world->buffer, world->result.length), number);
    capture(&attacker->kept[attacker->count++ % KEPT], datagram, length);
}

/* ---- attacks: each fills a datagram in */

static void attack_random(struct field *field, struct captured *datagram)
{
    struct attacker *attacker = &field->attacker;
    datagram->length = (uint32_t)below(attacker, DATAGRAM_MAX + 1);
    random_fill(&attacker->random, datagram->bytes, datagram->length);
}

/* A header that could be right, and anything behind it. */
static void attack_forged(struct field *field, struct captured *datagram)
{
    struct attacker *attacker = &field->attacker;
    struct captured *model = any_kept(attacker);
    *datagram = *model;
    random_fill(&attacker->random, datagram->bytes + 24, datagram->length - 24);
    uint64_t counter;
    memcpy(&counter, datagram->bytes + 16, sizeof counter);
    counter += below(attacker, 20000);
    memcpy(datagram->bytes + 16, &counter, sizeof counter);
}

static void attack_replayed(struct field *field, struct captured *datagram)
{
    *datagram = *any_kept(&field->attacker);
}

/* One bit or a few are other than they were. */
static void attack_changed(struct field *field, struct captured *datagram)
{
    struct attacker *attacker = &field->attacker;
    *datagram = *any_kept(attacker);
    for (uint64_t i = 0; i <= below(attacker, 3); i++)
        datagram->bytes[below(attacker, datagram->length)] ^= (uint8_t)(1u << below(attacker, 8));
}

static void attack_truncated(struct field *field, struct captured *datagram)
{
    struct attacker *attacker = &field->attacker;
    *datagram = *any_kept(attacker);
    datagram->length = (uint32_t)below(attacker, datagram->length);
    uint16_t length = (uint16_t)datagram->length;
    if (below(attacker, 2) == 0 && length >= 24)
        memcpy(datagram->bytes + 4, &length, sizeof length);
}

static void attack_lengthened(struct field *field, struct captured *datagram)
{
    struct attacker *attacker = &field->attacker;
    *datagram = *any_kept(attacker);
    uint32_t more = (uint32_t)below(attacker, DATAGRAM_MAX - datagram->length) + 1;
    random_fill(&attacker->random, datagram->bytes + datagram->length, more);
    datagram->length += more;
    uint16_t length = (uint16_t)datagram->length;
    if (below(attacker, 2) == 0)
        memcpy(datagram->bytes + 4, &length, sizeof length);
}

/* A datagram of one session under the number of another, in either direction. */
static void attack_crossed(struct field *field, struct captured *datagram)
{
    struct attacker *attacker = &field->attacker;
    *datagram = *any_kept(attacker);
    const struct client *other = &field->clients[below(attacker, CLIENTS)];
    bool is_to_node = below(attacker, 2) == 0;
    uint64_t session = is_to_node ? other->channel.peer_id : other->channel.own_id;
    struct hf_wire_header header;
    memcpy(&header, datagram->bytes, sizeof header);
    if (header.session == session)
        header.counter++; /* it is its own: then at least not as it was */
    header.session = session;
    header.flags = is_to_node ? HF_WIRE_SEALED : HF_WIRE_SEALED | HF_WIRE_REPLIES;
    memcpy(datagram->bytes, &header, sizeof header);
}

/* The same under another epoch. */
static void attack_epoch(struct field *field, struct captured *datagram)
{
    struct attacker *attacker = &field->attacker;
    *datagram = *any_kept(attacker);
    struct hf_wire_header header;
    memcpy(&header, datagram->bytes, sizeof header);
    uint64_t by = 1 + below(attacker, 3);
    header.counter += below(attacker, 2) == 0 ? by << 48 : -(by << 48);
    memcpy(datagram->bytes, &header, sizeof header);
}

static void attack_plain(struct field *field, struct captured *datagram)
{
    uint8_t plain[HF_WIRE_DATAGRAM_MAX];
    datagram->length = make_plain(plain, 0, below(&field->attacker, 1000));
    struct hf_wire_header header;
    memcpy(&header, plain, sizeof header);
    header.session = field->clients[below(&field->attacker, CLIENTS)].channel.peer_id;
    memcpy(plain, &header, sizeof header);
    memcpy(datagram->bytes, plain, datagram->length);
}

/* A handshake that was there before, or one that is made to look new to whoever knows the keys that
 * are public. */
static void attack_handshake(struct field *field, struct captured *datagram)
{
    struct attacker *attacker = &field->attacker;
    uint64_t count = attacker->hello_count < 64 ? attacker->hello_count : 64;
    uint64_t place = below(attacker, count);
    *datagram = below(attacker, 4) == 0 ? attacker->answers[place] : attacker->hellos[place];
    if (below(attacker, 3) == 0)
        return;
    datagram->bytes[below(attacker, datagram->length)] ^= (uint8_t)(1u << below(attacker, 8));
    bool is_hello = datagram->length == sizeof(struct hf_handshake_hello);
    if (is_hello && below(attacker, 4) != 0)
        hf_handshake_mac(datagram->bytes + 128, field->world.table.own_keys.mac, 32,
                         datagram->bytes, 128);
}

static void (*const attacks[])(struct field *field, struct captured *datagram) = {
    attack_random,     attack_forged,  attack_replayed, attack_changed, attack_truncated,
    attack_lengthened, attack_crossed, attack_epoch,    attack_plain,   attack_handshake,
};
#define ATTACK_KINDS (sizeof attacks / sizeof attacks[0])

static uint64_t read_seed(void)
{
    const char *given = getenv("HF_TEST_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : 1;
    print_message("seed %" PRIu64 "\n", seed);
    return seed;
}

static struct field *field_begin(void)
{
    struct field *field = calloc(1, sizeof *field);
    assert_non_null(field);
    struct hf_session_config config = plain_config();
    config.free_per_s = 20;
    config.hellos_per_s = 500;
    config.host_per_s = 50;
    config.limits.epoch_datagrams = 300;
    config.limits.life_ns = 600 * SECOND_NS;
    world_begin_with(&field->world, &config);
    field->attacker.random = read_seed();
    for (uint32_t i = 0; i < CLIENTS; i++) {
        unsigned suite = i % 2 == 0 && hf_cipher_is_available(HF_CIPHER_AESGCM)
                             ? HF_CIPHER_AESGCM
                             : HF_CIPHER_CHACHAPOLY;
        client_begin(&field->world, &field->clients[i], suite, i);
        join(field, &field->clients[i]);
        talk(field, &field->clients[i]);
        field->world.now_ns += SECOND_NS;
    }
    return field;
}

static void field_end(struct field *field)
{
    world_end(&field->world);
    free(field);
}

static void test_million(void **state)
{
    (void)state;
    struct field *field = field_begin();
    uint64_t accepted = 0, sent[ATTACK_KINDS] = {0};
    for (uint64_t i = 0; i < ATTACKS; i++) {
        if (i % HONEST_EVERY == 0)
            talk(field, &field->clients[i / HONEST_EVERY % CLIENTS]);
        struct captured datagram;
        size_t kind = below(&field->attacker, ATTACK_KINDS);
        attacks[kind](field, &datagram);
        sent[kind]++;
        if (is_accepted(field, &datagram)) {
            print_message("attack %" PRIu64 " of kind %zu was accepted\n", i, kind);
            accepted++;
        }
        field->world.now_ns += SECOND_NS / 1000; /* several lives, all told */
        if (i % 128 == 0)
            hf_session_sweep(&field->world.table, field->world.now_ns);
    }
    for (size_t i = 0; i < HF_FATE_COUNT; i++)
        print_message("%s: %" PRIu64 " at the node, %" PRIu64 " at clients\n",
                      hf_fate_word((enum hf_fate)i), field->world.table.counts[i],
                      field->counts[i]);
    print_message("%" PRIu64 " of %u attacks accepted; %" PRIu64 " of %" PRIu64
                  " honest datagrams\n",
                  accepted, ATTACKS, field->honest_opened, field->honest_sent);
    assert_int_equal(accepted, 0);
    assert_int_equal(field->overtaken, 0);
    assert_int_equal(field->honest_opened, field->honest_sent);
    assert_int_equal(field->world.table.counts[HF_FATE_OPENED], field->honest_sent);
    for (size_t i = 0; i < ATTACK_KINDS; i++)
        assert_true(sent[i] > ATTACKS / ATTACK_KINDS / 2);

    /* Each way to be refused was taken, so the attacks were what they claim. */
    static const enum hf_fate seen[] = {
        HF_FATE_MALFORMED,     HF_FATE_UNSEALED,  HF_FATE_UNKNOWN_SESSION, HF_FATE_WRONG_EPOCH,
        HF_FATE_FORGED,        HF_FATE_REPLAYED,  HF_FATE_BAD_MAC,         HF_FATE_COOKIE,
        HF_FATE_BAD_HANDSHAKE, HF_FATE_WRONG_TIME};
    for (size_t i = 0; i < sizeof seen / sizeof seen[0]; i++)
        assert_true(field->world.table.counts[seen[i]] > 100);
    assert_true(field->counts[HF_FATE_FORGED] > ATTACKS / 20);
    assert_true(field->counts[HF_FATE_REPLAYED] > ATTACKS / 100);
    field_end(field);
}

/* Honest datagrams in any order within the window, each of them three times: accepted once. What is
 * kept back until the window has passed is not accepted at all. */
static void test_reordered(void **state)
{
    (void)state;
    enum { COUNT = 8000, LATE = 100 };
    struct field *field = field_begin();
    struct world *world = &field->world;
    field->clients[0].channel.limits.epoch_datagrams = 1 << 20;
    struct captured *datagrams = calloc(COUNT + LATE, sizeof *datagrams);
    uint8_t *seen = calloc(COUNT, 1);
    uint8_t bytes[HF_WIRE_DATAGRAM_MAX];
    assert_non_null(datagrams);
    assert_non_null(seen);
    for (uint32_t i = 0; i < LATE; i++) {
        uint32_t length = seal_from_client(world, &field->clients[0], bytes, i);
        capture(&datagrams[COUNT + i], bytes, length);
    }
    for (unsigned round = 0; round < 3; round++) {
        memset(seen, 0, COUNT);
        for (uint32_t i = 0; i < COUNT; i++) {
            uint32_t length = seal_from_client(world, &field->clients[0], bytes, i);
            assert_true(length > 0);
            capture(&datagrams[i], bytes, length);
        }
        uint64_t opened = 0;
        for (uint32_t i = COUNT; i > 1; i--) { /* shuffled */
            uint64_t other = below(&field->attacker, i);
            struct captured kept = datagrams[i - 1];
            datagrams[i - 1] = datagrams[other];
            datagrams[other] = kept;
        }
        for (uint32_t i = 0; i < 3 * COUNT; i++) {
            const struct captured *datagram = &datagrams[i * 7919u % COUNT];
            enum hf_fate fate = arrive(world, datagram->bytes, datagram->length);
            if (fate == HF_FATE_OPENED) {
                uint64_t number = read_plain(world->buffer, world->result.length);
                assert_true(number < COUNT);
                assert_int_equal(seen[number]++, 0);
                opened++;
            } else {
                expect(fate, HF_FATE_REPLAYED);
            }
        }
        assert_int_equal(opened, COUNT);
    }
    for (uint32_t i = 0; i < LATE; i++)
        expect(arrive(world, datagrams[COUNT + i].bytes, datagrams[COUNT + i].length),
               HF_FATE_TOO_OLD);
    free(seen);
    free(datagrams);
    field_end(field);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_million),
        cmocka_unit_test(test_reordered),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
