/* A session's datagrams: keys that change by count and by time, on both sides and never two epochs
 * at once, and what is not sealed for this session. */
#include "session_fixture.h"

static const unsigned suites[] = {HF_CIPHER_AESGCM, HF_CIPHER_CHACHAPOLY};

/* ---- keys that change */

static void begin_small_epochs(struct world *world, struct client *client, unsigned suite)
{
    struct hf_session_config config = plain_config();
    config.limits.epoch_datagrams = 10;
    world_begin_with(world, &config);
    client_begin(world, client, suite, 0);
    connect_client(world, client);
}

static uint64_t epoch_of(const uint8_t *datagram)
{
    struct hf_wire_header header;
    memcpy(&header, datagram, sizeof header);
    return header.counter >> 48;
}

static void test_rekey_by_count(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        if (!hf_cipher_is_available(suites[i]))
            continue;
        struct world world;
        struct client client;
        begin_small_epochs(&world, &client, suites[i]);
        for (uint64_t number = 0; number < 1000; number++) {
            speak(&world, &client, number);
            answer(&world, &client, number);
            assert_int_equal(client.channel.sender.epoch, number / 10);
            assert_int_equal(client.channel.receiver.epoch, number / 10);
        }
        world_end(&world);
    }
}

/* A node that says more than its client: its count matters as well. */
static void test_rekey_by_answers(void **state)
{
    (void)state;
    struct world world;
    struct client client;
    begin_small_epochs(&world, &client, HF_CIPHER_CHACHAPOLY);
    for (uint64_t number = 0; number < 20; number++) {
        speak(&world, &client, number);
        uint64_t session = world.result.session;
        for (uint64_t k = 0; k < 10; k++) {
            world.result.session = session;
            answer(&world, &client, k);
        }
        assert_int_equal(client.channel.sender.epoch, number);
    }
    world_end(&world);
}

/* Nobody hears the client: it stays in its epoch, which the node can always open, until it has
 * sealed too many. */
static void test_rekey_waits(void **state)
{
    (void)state;
    struct world world;
    struct client client;
    uint8_t datagram[HF_WIRE_DATAGRAM_MAX];
    uint32_t length = 0;
    begin_small_epochs(&world, &client, HF_CIPHER_CHACHAPOLY);
    speak(&world, &client, 0);
    for (uint64_t number = 1; number < 20; number++) {
        length = seal_from_client(&world, &client, datagram, number);
        assert_true(length > 0);
        assert_int_equal(epoch_of(datagram), 0);
    }
    assert_int_equal(seal_from_client(&world, &client, world.buffer, 20), 0);
    expect(arrive(&world, datagram, length), HF_FATE_OPENED);
    answer(&world, &client, 1);
    assert_true(seal_from_client(&world, &client, datagram, 21) > 0);
    assert_int_equal(epoch_of(datagram), 1);
    world_end(&world);
}

/* The client went on, and all it said since is lost: it does not go on again, for the node would
 * not follow it two epochs at once. */
static void test_rekey_one_at_a_time(void **state)
{
    (void)state;
    struct world world;
    struct client client;
    uint8_t datagram[HF_WIRE_DATAGRAM_MAX];
    begin_small_epochs(&world, &client, HF_CIPHER_CHACHAPOLY);
    speak(&world, &client, 0);
    answer(&world, &client, 0);
    world.now_ns += world.config.limits.epoch_ns;
    for (uint64_t number = 1; number < 20; number++) {
        assert_true(seal_from_client(&world, &client, datagram, number) > 0);
        assert_int_equal(epoch_of(datagram), 1);
        world.now_ns += world.config.limits.epoch_ns / 19;
    }
    speak(&world, &client, 20);
    answer(&world, &client, 20);
    speak(&world, &client, 21);
    assert_int_equal(client.channel.sender.epoch, 2);
    world_end(&world);
}

static void test_rekey_by_time(void **state)
{
    (void)state;
    struct world world;
    struct client client;
    uint8_t old[HF_WIRE_DATAGRAM_MAX], late[HF_WIRE_DATAGRAM_MAX], last[HF_WIRE_DATAGRAM_MAX];
    uint8_t answered[HF_WIRE_DATAGRAM_MAX];
    world_begin(&world);
    client_begin(&world, &client, HF_CIPHER_CHACHAPOLY, 0);
    connect_client(&world, &client);
    speak(&world, &client, 1);
    uint64_t session = world.result.session;
    answer(&world, &client, 1);
    world.now_ns += world.config.limits.epoch_ns - 1;
    uint32_t length = seal_from_client(&world, &client, old, 2);
    assert_int_equal(epoch_of(old), 0);
    assert_int_equal(seal_from_client(&world, &client, late, 3), length);
    assert_int_equal(seal_from_client(&world, &client, last, 4), length);
    assert_int_equal(seal_from_node(&world, session, answered, 5), length);
    world.now_ns += 1;
    speak(&world, &client, 6);
    assert_int_equal(client.channel.sender.epoch, 1);

    /* What was overtaken is still taken, once, both ways, as long as the grace lasts. */
    expect(arrive(&world, old, length), HF_FATE_OPENED);
    expect(arrive(&world, old, length), HF_FATE_REPLAYED);
    world.result.session = session;
    answer(&world, &client, 7);
    expect(arrive_at_client(&world, &client, answered, length), HF_FATE_OPENED);
    expect(arrive_at_client(&world, &client, answered, length), HF_FATE_REPLAYED);
    world.now_ns += world.config.limits.grace_ns - 1;
    expect(arrive(&world, late, length), HF_FATE_OPENED);
    world.now_ns += 1;
    expect(arrive(&world, last, length), HF_FATE_WRONG_EPOCH);
    hf_session_sweep(&world.table, world.now_ns);
    world.now_ns -= 1; /* even if the clock went back: the key is gone */
    expect(arrive(&world, last, length), HF_FATE_WRONG_EPOCH);
    world_end(&world);
}

/* ---- what is not sealed for this session */

static void test_not_for_us(void **state)
{
    (void)state;
    struct world world;
    struct client client, other;
    uint8_t datagram[HF_WIRE_DATAGRAM_MAX];
    world_begin(&world);
    client_begin(&world, &client, HF_CIPHER_CHACHAPOLY, 0);
    client_begin(&world, &other, HF_CIPHER_CHACHAPOLY, 1);
    connect_client(&world, &client);
    connect_client(&world, &other);
    speak(&world, &client, 1);
    speak(&world, &other, 1);

    uint32_t length = make_plain(datagram, 0, 1);
    expect(arrive(&world, datagram, length), HF_FATE_UNSEALED);
    expect(arrive_at_client(&world, &client, datagram, length), HF_FATE_UNSEALED);

    /* The client's own datagram sent back to it. */
    length = seal_from_client(&world, &client, datagram, 2);
    expect(arrive_at_client(&world, &client, datagram, length), HF_FATE_MALFORMED);
    struct hf_wire_header header;
    memcpy(&header, datagram, sizeof header);
    header.flags |= HF_WIRE_REPLIES;
    header.session = client.channel.own_id;
    memcpy(datagram, &header, sizeof header);
    expect(arrive_at_client(&world, &client, datagram, length), HF_FATE_FORGED);

    /* One session's datagram under another's number. */
    length = seal_from_client(&world, &client, datagram, 3);
    memcpy(&header, datagram, sizeof header);
    header.session = other.channel.peer_id;
    memcpy(datagram, &header, sizeof header);
    expect(arrive(&world, datagram, length), HF_FATE_FORGED);
    header.session = 0;
    memcpy(datagram, &header, sizeof header);
    expect(arrive(&world, datagram, length), HF_FATE_UNKNOWN_SESSION);

    /* An epoch to come, and the next one, which the node has a key for but nobody sealed with. */
    header.session = client.channel.peer_id;
    header.counter = UINT64_C(2) << 48;
    memcpy(datagram, &header, sizeof header);
    expect(arrive(&world, datagram, length), HF_FATE_WRONG_EPOCH);
    header.counter = UINT64_C(1) << 48;
    memcpy(datagram, &header, sizeof header);
    expect(arrive(&world, datagram, length), HF_FATE_FORGED);
    header.counter = UINT64_MAX;
    memcpy(datagram, &header, sizeof header);
    expect(arrive(&world, datagram, length), HF_FATE_WRONG_EPOCH);
    for (size_t i = 0; i < sizeof datagram; i++)
        datagram[i] = 0xff;
    expect(arrive(&world, datagram, 100), HF_FATE_MALFORMED);
    speak(&world, &client, 4);
    world_end(&world);
}

/* Every bit of a sealed datagram is covered: by the tag, or by what it is looked at for first. */
static void test_every_bit(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        if (!hf_cipher_is_available(suites[i]))
            continue;
        struct world world;
        struct client client;
        uint8_t datagram[HF_WIRE_DATAGRAM_MAX];
        world_begin(&world);
        client_begin(&world, &client, suites[i], 0);
        connect_client(&world, &client);
        speak(&world, &client, 1);
        uint32_t length = seal_from_client(&world, &client, datagram, 2);
        for (uint32_t bit = 0; bit < 8 * length; bit++) {
            datagram[bit / 8] ^= (uint8_t)(1u << bit % 8);
            enum hf_fate fate = arrive(&world, datagram, length);
            bool is_count = bit / 8 == 6 || bit / 8 == 7;
            if (is_count || bit / 8 >= 24)
                expect(fate, HF_FATE_FORGED);
            else
                assert_true(fate != HF_FATE_OPENED && fate != HF_FATE_WELCOMED);
            datagram[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        expect(arrive(&world, datagram, length), HF_FATE_OPENED);
        world_end(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rekey_by_count), cmocka_unit_test(test_rekey_by_answers),
        cmocka_unit_test(test_rekey_waits),    cmocka_unit_test(test_rekey_one_at_a_time),
        cmocka_unit_test(test_rekey_by_time),  cmocka_unit_test(test_not_for_us),
        cmocka_unit_test(test_every_bit),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
