/* Sessions from the first word to the last: handshakes and what refuses them, cookies, shares. Keys
 * that change are in test_channel.c, golden bytes in test_session_golden.c, what attackers send
 * by the million in test_session_attack.c. */
#include "cipher_count.h"
#include "session_fixture.h"

/* ---- what is counted: the linker puts these in between (--wrap) */

static uint64_t multiplications;

int __real_crypto_scalarmult_curve25519(unsigned char *product, const unsigned char *number,
                                        const unsigned char *point);
int __wrap_crypto_scalarmult_curve25519(unsigned char *product, const unsigned char *number,
                                        const unsigned char *point);
int __real_crypto_scalarmult_curve25519_base(unsigned char *product, const unsigned char *number);
int __wrap_crypto_scalarmult_curve25519_base(unsigned char *product, const unsigned char *number);

int __wrap_crypto_scalarmult_curve25519(unsigned char *product, const unsigned char *number,
                                        const unsigned char *point)
{
    multiplications++;
    return __real_crypto_scalarmult_curve25519(product, number, point);
}

int __wrap_crypto_scalarmult_curve25519_base(unsigned char *product, const unsigned char *number)
{
    multiplications++;
    return __real_crypto_scalarmult_curve25519_base(product, number);
}

static const unsigned suites[] = {HF_CIPHER_AESGCM, HF_CIPHER_CHACHAPOLY};

/* ---- a session */

static void test_talk(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        if (!hf_cipher_is_available(suites[i]))
            continue;
        struct world world;
        struct client client;
        world_begin(&world);
        client_begin(&world, &client, suites[i], 2);
        connect_client(&world, &client);
        assert_int_equal(world.table.counts[HF_FATE_WELCOMED], 1);
        for (uint64_t number = 1; number < 100; number++) {
            speak(&world, &client, number);
            assert_int_equal(world.result.origin, 2);
            answer(&world, &client, 1000 + number);
        }
        assert_int_equal(world.table.counts[HF_FATE_OPENED], 99);
        assert_int_equal(hf_session_count(&world.table, 2), 1);
        assert_int_equal(hf_session_count(&world.table, HF_SESSION_ORIGIN_NONE), 1);
        hf_session_origin_remove(&world.table, 2);
        assert_int_equal(hf_session_count(&world.table, HF_SESSION_ORIGIN_NONE), 0);
        world_end(&world);
    }
}

/* Sealing hides what it covers, costs 16 bytes, and never gives the same twice. */
static void test_sealed_form(void **state)
{
    (void)state;
    struct world world;
    struct client client;
    uint8_t plain[HF_WIRE_DATAGRAM_MAX], first[HF_WIRE_DATAGRAM_MAX], second[HF_WIRE_DATAGRAM_MAX];
    world_begin(&world);
    client_begin(&world, &client, HF_CIPHER_CHACHAPOLY, 0);
    connect_client(&world, &client);
    uint32_t length = make_plain(plain, 0, 5);
    uint32_t sealed = seal_from_client(&world, &client, first, 5);
    assert_int_equal(sealed, length + HF_CIPHER_TAG_SIZE);
    assert_int_equal(seal_from_client(&world, &client, second, 5), sealed);
    assert_memory_not_equal(first + 24, plain + 24, 32);
    assert_memory_not_equal(first + 24, second + 24, 32);
    struct hf_wire_header header;
    memcpy(&header, second, sizeof header);
    assert_int_equal(header.flags, HF_WIRE_SEALED);
    assert_int_equal(header.length, sealed);
    assert_int_equal(header.count, 1);
    assert_int_equal(header.session, client.channel.peer_id);
    assert_int_equal(header.counter, 1);

    /* The codec does not take it as it is. */
    struct hf_wire_reader reader;
    assert_int_equal(hf_wire_open(&reader, first, sealed).code, HF_CODE_UNSUPPORTED);

    /* The longest there can be. */
    memset(plain, 0, sizeof plain);
    header.flags = 0;
    header.length = HF_CHANNEL_PLAIN_MAX;
    memcpy(plain, &header, sizeof header);
    assert_int_equal(hf_channel_seal(&client.channel, plain, HF_CHANNEL_PLAIN_MAX,
                                     HF_WIRE_DATAGRAM_MAX, world.now_ns),
                     HF_WIRE_DATAGRAM_MAX);
    expect(arrive(&world, plain, HF_WIRE_DATAGRAM_MAX), HF_FATE_OPENED);
    assert_int_equal(world.result.length, HF_CHANNEL_PLAIN_MAX);
    world_end(&world);
}

/* One sealing and one opening a datagram, whatever is in it. */
static void count_ciphers(unsigned suite)
{
    struct world world;
    struct client client;
    world_begin(&world);
    client_begin(&world, &client, suite, 0);
    connect_client(&world, &client);
    for (unsigned count = 1; count <= 120; count++) {
        uint8_t datagram[HF_WIRE_DATAGRAM_MAX];
        struct hf_wire_writer writer;
        struct hf_op_query query = {.header = {.length = sizeof query, .type = HF_OP_QUERY}};
        hf_wire_begin(&writer, datagram, HF_CHANNEL_PLAIN_MAX);
        for (unsigned i = 0; i < count; i++)
            assert_true(hf_wire_add(&writer, &query, sizeof query));
        uint32_t length = hf_wire_finish(&writer, 0, 0, 0);
        seal_count = open_count = 0;
        length = hf_channel_seal(&client.channel, datagram, length, sizeof datagram, world.now_ns);
        expect(arrive(&world, datagram, length), HF_FATE_OPENED);
        assert_int_equal(seal_count, 1);
        assert_int_equal(open_count, 1);
    }
    world_end(&world);
}

static void test_one_sealing(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        if (hf_cipher_is_available(suites[i]))
            count_ciphers(suites[i]);
    }
}

/* Whoever began may have been a replay: nothing is said to it before it has spoken. */
static void test_responder_waits(void **state)
{
    (void)state;
    struct world world;
    struct client client;
    uint8_t datagram[HF_WIRE_DATAGRAM_MAX];
    world_begin(&world);
    client_begin(&world, &client, HF_CIPHER_CHACHAPOLY, 1);
    connect_client(&world, &client);
    assert_int_equal(seal_from_node(&world, client.channel.peer_id, datagram, 1), 0);
    speak(&world, &client, 1);
    assert_true(seal_from_node(&world, client.channel.peer_id, datagram, 1) > 0);
    assert_int_equal(seal_from_node(&world, client.channel.peer_id + 1, datagram, 1), 0);
    assert_int_equal(seal_from_node(&world, 0, datagram, 1), 0);
    assert_int_equal(seal_from_node(&world, UINT64_MAX, datagram, 1), 0);
    world_end(&world);
}

/* ---- hellos that are refused */

/* The mac made right again, so that what lies behind it is looked at. */
static void mend_mac(struct world *world, struct hf_handshake_hello *hello)
{
    hf_handshake_mac(hello->mac, world->table.own_keys.mac, sizeof world->table.own_keys.mac, hello,
                     offsetof(struct hf_handshake_hello, mac));
}

static void test_hello_damaged(void **state)
{
    (void)state;
    struct world world;
    struct client client;
    world_begin(&world);
    client_begin(&world, &client, HF_CIPHER_CHACHAPOLY, 0);
    assert_true(hf_dial_hello(&client.dial, world.now_ns, unix_now(&world), &client.hello));
    for (size_t i = 0; i < offsetof(struct hf_handshake_hello, cookie_mac); i++) {
        struct hf_handshake_hello hello = client.hello;
        ((uint8_t *)&hello)[i] ^= 0x40;
        enum hf_fate fate = arrive(&world, &hello, sizeof hello);
        if (i < 7 || (i >= 8 && i < 16))
            assert_true(fate == HF_FATE_MALFORMED || fate == HF_FATE_UNSEALED);
        else
            expect(fate, HF_FATE_BAD_MAC);
        if (i >= offsetof(struct hf_handshake_hello, mac))
            continue;
        mend_mac(&world, &hello);
        fate = arrive(&world, &hello, sizeof hello);
        if (i == 7)
            expect(fate, HF_FATE_UNSUPPORTED);
        else if (i >= 16)
            expect(fate, HF_FATE_BAD_HANDSHAKE);
    }
    for (size_t length = 0; length < sizeof client.hello; length++)
        expect(arrive(&world, &client.hello, length), HF_FATE_MALFORMED);
    assert_int_equal(hf_session_count(&world.table, HF_SESSION_ORIGIN_NONE), 0);
    expect(arrive(&world, &client.hello, sizeof client.hello), HF_FATE_WELCOMED);
    expect(take_answer(&world, &client), HF_FATE_JOINED);
    speak(&world, &client, 1);
    world_end(&world);
}

static void test_hello_refused(void **state)
{
    (void)state;
    struct world world;
    struct client client, stranger;
    world_begin(&world);
    client_begin(&world, &client, HF_CIPHER_CHACHAPOLY, 0);
    client_begin(&world, &stranger, HF_CIPHER_CHACHAPOLY, HF_SESSION_ORIGIN_NONE);
    assert_true(hf_dial_hello(&stranger.dial, world.now_ns, unix_now(&world), &stranger.hello));
    multiplications = 0;
    expect(arrive(&world, &stranger.hello, sizeof stranger.hello), HF_FATE_UNKNOWN_ORIGIN);
    assert_int_equal(world.result.length, 0);
    assert_int_equal(multiplications, 1);

    /* Another cluster, another node. */
    hf_dial_begin(&client.dial, HF_CIPHER_CHACHAPOLY, (struct hf_id){.lo = 8, .hi = 9},
                  &client.keys, world.node_keys.public_key, &world.config.limits, world.entropy);
    expect(say_hello(&world, &client), HF_FATE_BAD_HANDSHAKE);
    hf_dial_begin(&client.dial, HF_CIPHER_CHACHAPOLY, world.config.cluster, &client.keys,
                  stranger.keys.public_key, &world.config.limits, world.entropy);
    expect(say_hello(&world, &client), HF_FATE_BAD_MAC);

    /* A public key without its private half. */
    struct hf_key_pair thief = stranger.keys;
    memcpy(thief.public_key, client.keys.public_key, sizeof thief.public_key);
    hf_dial_begin(&stranger.dial, HF_CIPHER_CHACHAPOLY, world.config.cluster, &thief,
                  world.node_keys.public_key, &world.config.limits, world.entropy);
    expect(say_hello(&world, &stranger), HF_FATE_BAD_HANDSHAKE);
    assert_int_equal(hf_session_count(&world.table, HF_SESSION_ORIGIN_NONE), 0);

    /* A node key that nobody can have. */
    static const uint8_t zeros[HF_NOISE_KEY_SIZE];
    hf_dial_begin(&client.dial, HF_CIPHER_CHACHAPOLY, world.config.cluster, &client.keys, zeros,
                  &world.config.limits, world.entropy);
    assert_false(hf_dial_hello(&client.dial, world.now_ns, unix_now(&world), &client.hello));
    world_end(&world);
}

static enum hf_fate hello_at(struct world *world, struct client *client, uint64_t unix_ns)
{
    client->dial.last_unix_ns = 0;
    assert_true(hf_dial_hello(&client->dial, world->now_ns, unix_ns, &client->hello));
    return arrive(world, &client->hello, sizeof client->hello);
}

static void test_hello_times(void **state)
{
    (void)state;
    struct world world;
    struct client client;
    world_begin(&world);
    client_begin(&world, &client, HF_CIPHER_CHACHAPOLY, 0);
    uint64_t unix_ns = unix_now(&world);
    expect(hello_at(&world, &client, unix_ns - HF_SESSION_SKEW_NS - 1), HF_FATE_WRONG_TIME);
    expect(hello_at(&world, &client, unix_ns + HF_SESSION_SKEW_NS + 1), HF_FATE_WRONG_TIME);
    expect(hello_at(&world, &client, 0), HF_FATE_WRONG_TIME);
    expect(hello_at(&world, &client, unix_ns - HF_SESSION_SKEW_NS), HF_FATE_WELCOMED);
    expect(hello_at(&world, &client, unix_ns + HF_SESSION_SKEW_NS), HF_FATE_WELCOMED);

    /* Two clients of one origin whose clocks differ. */
    expect(hello_at(&world, &client, unix_ns - 9), HF_FATE_WELCOMED);
    expect(arrive(&world, &client.hello, sizeof client.hello), HF_FATE_REPLAYED_HANDSHAKE);
    expect(hello_at(&world, &client, unix_ns - 9), HF_FATE_WELCOMED);

    /* A hello that is no longer remembered is not taken again. */
    struct hf_handshake_hello old = client.hello;
    for (uint64_t i = 0; i < 100; i++)
        expect(hello_at(&world, &client, unix_ns + i), HF_FATE_WELCOMED);
    expect(arrive(&world, &old, sizeof old), HF_FATE_REPLAYED_HANDSHAKE);
    expect(hello_at(&world, &client, unix_ns - 8), HF_FATE_REPLAYED_HANDSHAKE);

    /* The dial tells two hellos of the same moment apart by itself. */
    expect(say_hello(&world, &client), HF_FATE_REPLAYED_HANDSHAKE);
    world.now_ns += SECOND_NS;
    expect(say_hello(&world, &client), HF_FATE_WELCOMED);
    expect(say_hello(&world, &client), HF_FATE_WELCOMED);
    world_end(&world);
}

static void test_origins(void **state)
{
    (void)state;
    struct world world;
    struct client client, other;
    world_begin(&world);
    client_begin(&world, &client, HF_CIPHER_CHACHAPOLY, 0);
    client_begin(&world, &other, HF_CIPHER_CHACHAPOLY, HF_SESSION_ORIGIN_NONE);
    connect_client(&world, &client);
    speak(&world, &client, 1);
    assert_int_equal(hf_session_origin_put(&world.table, 0, client.keys.public_key), HF_STATUS_OK);
    assert_int_equal(hf_session_origin_put(&world.table, 1, client.keys.public_key),
                     HF_STATUS_EXISTS);
    speak(&world, &client, 2);

    /* Another key ends the sessions of the one before. */
    assert_int_equal(hf_session_origin_put(&world.table, 0, other.keys.public_key), HF_STATUS_OK);
    uint8_t datagram[HF_WIRE_DATAGRAM_MAX];
    uint32_t length = seal_from_client(&world, &client, datagram, 3);
    expect(arrive(&world, datagram, length), HF_FATE_UNKNOWN_SESSION);
    expect(say_hello(&world, &client), HF_FATE_UNKNOWN_ORIGIN);
    connect_client(&world, &other);
    speak(&world, &other, 1);
    world_end(&world);
}

/* ---- answers that are refused */

static void test_welcome_forged(void **state)
{
    (void)state;
    struct world world;
    struct client client;
    uint8_t answer_bytes[HF_HANDSHAKE_ANSWER_MAX];
    world_begin(&world);
    client_begin(&world, &client, HF_CIPHER_CHACHAPOLY, 0);
    expect(say_hello(&world, &client), HF_FATE_WELCOMED);
    uint32_t length = world.result.length;
    memcpy(answer_bytes, world.buffer, length);
    for (size_t i = 0; i < length; i++) {
        struct hf_handshake_welcome welcome;
        memcpy(&welcome, answer_bytes, sizeof welcome);
        ((uint8_t *)&welcome)[i] ^= 0x40;
        enum hf_fate fate =
            hf_dial_take(&client.dial, &welcome, length, world.now_ns, &client.channel);
        assert_true(fate == HF_FATE_MALFORMED || fate == HF_FATE_BAD_MAC ||
                    fate == HF_FATE_REPLAYED_HANDSHAKE);
        /* By someone who knows the client's public key: */
        hf_handshake_mac(welcome.mac, client.dial.own_keys.mac, sizeof client.dial.own_keys.mac,
                         &welcome, offsetof(struct hf_handshake_welcome, mac));
        fate = hf_dial_take(&client.dial, &welcome, length, world.now_ns, &client.channel);
        if (i >= 24 && i < 80)
            expect(fate, HF_FATE_BAD_HANDSHAKE);
        else if (i < 80)
            assert_true(fate != HF_FATE_JOINED);
        if (fate == HF_FATE_JOINED) { /* only the mac itself was damaged, and mended */
            assert_true(i >= 80);
            break;
        }
    }
    /* Taken once. */
    expect(hf_dial_take(&client.dial, answer_bytes, length, world.now_ns, &client.channel),
           HF_FATE_REPLAYED_HANDSHAKE);
    speak(&world, &client, 1);
    world_end(&world);
}

/* ---- cookies */

static void test_cookie(void **state)
{
    (void)state;
    struct world world;
    struct client client;
    struct hf_session_config config = plain_config();
    config.free_per_s = 0;
    world_begin_with(&world, &config);
    client_begin(&world, &client, HF_CIPHER_CHACHAPOLY, 0);
    expect(say_hello(&world, &client), HF_FATE_COOKIE);
    assert_int_equal(world.result.length, sizeof(struct hf_handshake_cookie));
    assert_int_equal(hf_session_count(&world.table, HF_SESSION_ORIGIN_NONE), 0);

    /* Damaged on its way, or an answer to another hello. */
    for (size_t i = 0; i < sizeof(struct hf_handshake_cookie); i++) {
        uint8_t damaged[sizeof(struct hf_handshake_cookie)];
        memcpy(damaged, world.buffer, sizeof damaged);
        damaged[i] ^= 1;
        assert_int_not_equal(
            hf_dial_take(&client.dial, damaged, sizeof damaged, world.now_ns, &client.channel),
            HF_FATE_COOKIE);
    }
    assert_false(client.dial.has_cookie);
    expect(take_answer(&world, &client), HF_FATE_COOKIE);
    struct client before = client;
    connect_client(&world, &client);
    speak(&world, &client, 1);

    /* The same cookie from another host or port is worth nothing. */
    client = before;
    world.address.host[15]++;
    expect(say_hello(&world, &client), HF_FATE_COOKIE);
    world.address.host[15]--;
    world.address.port[0]++;
    expect(say_hello(&world, &client), HF_FATE_COOKIE);
    world.address.port[0]--;

    /* It is good for two minutes whenever it was given. */
    world.now_ns += HF_COOKIE_LIFE_NS - 1;
    expect(say_hello(&world, &client), HF_FATE_WELCOMED);
    world.now_ns += 1;
    expect(say_hello(&world, &client), HF_FATE_COOKIE); /* the client gave it up */
    client.dial.cookie_ns = world.now_ns;
    expect(say_hello(&world, &client), HF_FATE_WELCOMED); /* the node would take it */
    world.now_ns += HF_COOKIE_LIFE_NS;
    client.dial.cookie_ns = world.now_ns;
    expect(say_hello(&world, &client), HF_FATE_COOKIE); /* not any more */
    expect(take_answer(&world, &client), HF_FATE_COOKIE);
    expect(say_hello(&world, &client), HF_FATE_WELCOMED);
    world_end(&world);
}

/* A false cookie makes a hello no better than none, and a cookie is asked for only when there are
 * too many hellos. */
static void test_cookie_rates(void **state)
{
    (void)state;
    struct world world;
    struct client client;
    struct hf_session_config config = plain_config();
    config.free_per_s = 20;
    config.host_per_s = 40;
    config.hellos_per_s = 50;
    world_begin_with(&world, &config);
    client_begin(&world, &client, HF_CIPHER_CHACHAPOLY, 0);
    for (unsigned i = 0; i < 3; i++)
        expect(say_hello(&world, &client), HF_FATE_WELCOMED);
    expect(say_hello(&world, &client), HF_FATE_COOKIE);
    expect(take_answer(&world, &client), HF_FATE_COOKIE);
    uint8_t cookie[HF_HANDSHAKE_COOKIE_SIZE];
    memcpy(cookie, client.dial.cookie, sizeof cookie);
    client.dial.cookie[0] ^= 1;
    expect(say_hello(&world, &client), HF_FATE_COOKIE);
    memcpy(client.dial.cookie, cookie, sizeof cookie);

    /* All together first: 50 a second, of which three were taken; then the host's 40. */
    for (unsigned i = 0; i < 3; i++)
        expect(say_hello(&world, &client), HF_FATE_WELCOMED);
    expect(say_hello(&world, &client), HF_FATE_OVER_RATE);
    assert_int_equal(world.result.length, 0);
    unsigned welcomed = 0;
    for (unsigned i = 0; i < 1000; i++) {
        world.now_ns += SECOND_NS / 1000;
        welcomed += say_hello(&world, &client) == HF_FATE_WELCOMED;
    }
    assert_in_range(welcomed, 36, 41);
    world_end(&world);
}

/* Hellos from everywhere by someone who knows the node's public key: each gets a cookie, not a byte
 * of what sessions are made of changes, and nothing is worked out on the curve. */
static void test_flood(void **state)
{
    (void)state;
    struct world world;
    struct client client;
    struct hf_session_config config = plain_config();
    config.free_per_s = 0;
    world_begin_with(&world, &config);
    client_begin(&world, &client, HF_CIPHER_CHACHAPOLY, 0);
    assert_true(hf_dial_hello(&client.dial, world.now_ns, unix_now(&world), &client.hello));
    size_t size = (size_t)((const uint8_t *)world.table.host_rates - (const uint8_t *)world.memory);
    uint8_t *before = malloc(size);
    assert_non_null(before);
    memcpy(before, world.memory, size);
    multiplications = open_count = 0;
    for (unsigned i = 0; i < 20000; i++) {
        struct hf_handshake_hello hello = client.hello;
        random_fill(&world.random, hello.noise, sizeof hello.noise);
        random_fill(&world.random, &world.address, sizeof world.address);
        if (i % 2 == 0)
            random_fill(&world.random, hello.cookie_mac, sizeof hello.cookie_mac);
        mend_mac(&world, &hello);
        expect(arrive(&world, &hello, sizeof hello), HF_FATE_COOKIE);
        assert_true(world.result.length < sizeof hello);
    }
    assert_memory_equal(before, world.memory, size);
    assert_int_equal(multiplications, 0);
    assert_int_equal(open_count, 0);
    free(before);
    world_end(&world);
}

/* How many of `count` hellos of right form, said at one moment by the address whose last byte this
 * is, are looked at. */
static unsigned looked_at(struct world *world, const struct hf_handshake_hello *hello,
                          uint8_t address, unsigned count)
{
    unsigned looks = 0;
    world->address.host[15] = address;
    for (unsigned i = 0; i < count; i++)
        looks += arrive(world, hello, sizeof *hello) != HF_FATE_OVER_RATE;
    return looks;
}

/* One address is looked at so often; all together so often, with a cookie and without, each for
 * itself: nothing is hashed for the others. */
static void test_looks(void **state)
{
    (void)state;
    struct world world;
    struct client client;
    struct hf_session_config config = plain_config();
    struct hf_handshake_hello forged;
    config.free_per_s = 0;
    config.looks_per_address = 20;
    config.looks_per_s = 100;
    world_begin_with(&world, &config);
    client_begin(&world, &client, HF_CIPHER_CHACHAPOLY, 0);
    assert_true(hf_dial_hello(&client.dial, world.now_ns, unix_now(&world), &client.hello));
    forged = client.hello;
    random_fill(&world.random, forged.cookie_mac, sizeof forged.cookie_mac);

    /* A tenth of a second's worth ahead: three of one address, eleven of all. */
    assert_int_equal(looked_at(&world, &client.hello, 1, 1000), 3);
    assert_int_equal(looked_at(&world, &client.hello, 2, 1), 1);
    assert_int_equal(looked_at(&world, &client.hello, 3, 1000), 3);
    assert_int_equal(looked_at(&world, &client.hello, 4, 1000), 3);
    assert_int_equal(looked_at(&world, &client.hello, 5, 1000), 1);
    assert_int_equal(looked_at(&world, &client.hello, 6, 1), 0);
    assert_int_equal(looked_at(&world, &forged, 7, 1000), 3);
    assert_int_equal(looked_at(&world, &forged, 1, 1000), 0);

    /* Who had to wait is looked at later, also where a neighbour floods on. */
    unsigned looks = 0;
    for (unsigned i = 0; i < 1000; i++) {
        world.now_ns += SECOND_NS / 1000;
        looks += looked_at(&world, &client.hello, 1, 10);
    }
    assert_in_range(looks, 19, 21);
    hf_session_sweep(&world.table, world.now_ns);
    assert_int_equal(looked_at(&world, &client.hello, 6, 2), 2);
    world_end(&world);
}

/* ---- shares */

static void test_shares(void **state)
{
    (void)state;
    struct world world;
    struct client clients[5], other;
    world_begin(&world);
    client_begin(&world, &clients[0], HF_CIPHER_CHACHAPOLY, 0);
    client_begin(&world, &other, HF_CIPHER_CHACHAPOLY, 3);
    connect_client(&world, &other);
    speak(&world, &other, 1);
    for (unsigned i = 0; i < 3; i++) {
        clients[i] = clients[0];
        connect_client(&world, &clients[i]);
        speak(&world, &clients[i], i);
        world.now_ns += SECOND_NS;
        clients[i + 1] = clients[0];
    }
    clients[0].dial.last_unix_ns = clients[2].dial.last_unix_ns;
    assert_int_equal(hf_session_count(&world.table, 0), 3);

    /* Full, and the first was silent for three seconds: it makes room. */
    clients[3].dial = clients[2].dial;
    clients[3].keys = clients[0].keys;
    expect(say_hello(&world, &clients[3]), HF_FATE_WELCOMED);
    expect(take_answer(&world, &clients[3]), HF_FATE_JOINED);
    uint8_t datagram[HF_WIRE_DATAGRAM_MAX];
    uint32_t length = seal_from_client(&world, &clients[0], datagram, 1);
    expect(arrive(&world, datagram, length), HF_FATE_UNKNOWN_SESSION);

    /* The newest has not spoken: the next takes its place, not that of those who have. */
    clients[4] = clients[3];
    expect(say_hello(&world, &clients[4]), HF_FATE_WELCOMED);
    expect(take_answer(&world, &clients[4]), HF_FATE_JOINED);
    speak(&world, &clients[4], 1);
    speak(&world, &clients[1], 1);
    speak(&world, &clients[2], 1);
    length = seal_from_client(&world, &clients[3], datagram, 1);
    expect(arrive(&world, datagram, length), HF_FATE_UNKNOWN_SESSION);
    expect(say_hello(&world, &clients[3]), HF_FATE_NO_ROOM);
    assert_int_equal(world.result.length, 0);
    speak(&world, &other, 2);
    assert_int_equal(hf_session_count(&world.table, HF_SESSION_ORIGIN_NONE), 4);
    world_end(&world);
}

static void test_sweep(void **state)
{
    (void)state;
    struct world world;
    struct client spoken, silent;
    world_begin(&world);
    client_begin(&world, &spoken, HF_CIPHER_CHACHAPOLY, 0);
    client_begin(&world, &silent, HF_CIPHER_CHACHAPOLY, 1);
    connect_client(&world, &spoken);
    connect_client(&world, &silent);
    speak(&world, &spoken, 1);
    world.now_ns += HF_SESSION_CONFIRM_NS - 1;
    hf_session_sweep(&world.table, world.now_ns);
    assert_int_equal(hf_session_count(&world.table, HF_SESSION_ORIGIN_NONE), 2);
    world.now_ns += 1;
    hf_session_sweep(&world.table, world.now_ns);
    assert_int_equal(hf_session_count(&world.table, 0), 1);
    assert_int_equal(hf_session_count(&world.table, 1), 0);
    speak(&world, &spoken, 2);

    world.now_ns = 1000 * SECOND_NS + world.config.limits.life_ns - 1;
    assert_true(hf_channel_is_renewal_due(&spoken.channel, world.now_ns));
    uint8_t datagram[HF_WIRE_DATAGRAM_MAX];
    uint32_t length = seal_from_client(&world, &spoken, datagram, 3);
    assert_true(length > 0);
    world.now_ns += 1;
    assert_int_equal(seal_from_client(&world, &spoken, world.buffer, 4), 0);
    expect(arrive(&world, datagram, length), HF_FATE_EXPIRED);
    assert_int_equal(seal_from_node(&world, spoken.channel.peer_id, datagram, 1), 0);
    hf_session_sweep(&world.table, world.now_ns);
    assert_int_equal(hf_session_count(&world.table, HF_SESSION_ORIGIN_NONE), 0);
    for (size_t i = 0; i < 100; i++) /* nothing of it is left where sessions lie */
        assert_int_equal(((uint8_t *)world.memory)[i], 0);
    world_end(&world);
}

static void test_words(void **state)
{
    (void)state;
    assert_string_equal(hf_fate_word(HF_FATE_OPENED), "opened");
    assert_string_equal(hf_fate_word(HF_FATE_NO_ROOM), "no_room");
    assert_string_equal(hf_fate_word(HF_FATE_COUNT), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_talk),
        cmocka_unit_test(test_sealed_form),
        cmocka_unit_test(test_responder_waits),
        cmocka_unit_test(test_one_sealing),
        cmocka_unit_test(test_hello_damaged),
        cmocka_unit_test(test_hello_refused),
        cmocka_unit_test(test_hello_times),
        cmocka_unit_test(test_origins),
        cmocka_unit_test(test_welcome_forged),
        cmocka_unit_test(test_cookie),
        cmocka_unit_test(test_cookie_rates),
        cmocka_unit_test(test_flood),
        cmocka_unit_test(test_looks),
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_sweep),
        cmocka_unit_test(test_words),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
