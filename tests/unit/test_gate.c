/* A client's way in: when it dials, which session it speaks in, and what it does about silence. The
 * node and the wire are the fixture's. */
#include "session_fixture.h"

#include "net/gate.h"

#include <sodium.h>

#define LIFE_NS (hf_channel_limits_default.life_ns)

struct place {
    struct world world;
    struct hf_key_pair keys;
    struct hf_gate gate;
    struct hf_handshake_hello hello;
    uint8_t plain[HF_WIRE_DATAGRAM_MAX];
    uint32_t plain_length;
};

static void begin(struct place *place)
{
    struct world *world = &place->world;
    world_begin(world);
    make_keys(world, &place->keys);
    assert_int_equal(hf_session_origin_put(&world->table, 1, place->keys.public_key), HF_STATUS_OK);
    hf_gate_begin(&place->gate, HF_CIPHER_CHACHAPOLY, world->config.cluster, &place->keys,
                  world->node_keys.public_key, &world->config.limits, world->entropy);
}

static void end(struct place *place)
{
    hf_gate_wipe(&place->gate);
    assert_true(sodium_is_zero((const uint8_t *)&place->gate, sizeof place->gate));
    world_end(&place->world);
}

static bool dial(struct place *place, bool wants)
{
    return hf_gate_hello(&place->gate, wants, place->world.now_ns, unix_now(&place->world),
                         &place->hello);
}

static enum hf_fate take(struct place *place, const void *datagram, size_t length)
{
    return hf_gate_take(&place->gate, datagram, length, place->world.now_ns, place->plain,
                        &place->plain_length);
}

/* A hello that is due reaches the node, and the answer to it the gate. */
static void join(struct place *place)
{
    assert_true(dial(place, true));
    expect(arrive(&place->world, &place->hello, sizeof place->hello), HF_FATE_WELCOMED);
    expect(take(place, place->world.buffer, place->world.result.length), HF_FATE_JOINED);
}

/* The gate says something. Returns the node's number of the session it said it in. */
static uint64_t say(struct place *place, uint64_t number)
{
    uint8_t datagram[HF_WIRE_DATAGRAM_MAX];
    struct world *world = &place->world;
    uint32_t length = make_plain(datagram, 0, number);
    length = hf_gate_seal(&place->gate, datagram, length, sizeof datagram, world->now_ns);
    assert_true(length > 0);
    expect(arrive(world, datagram, length), HF_FATE_OPENED);
    assert_int_equal(read_plain(world->buffer, world->result.length), number);
    return world->result.session;
}

/* The node answers in a session. */
static void hear(struct place *place, uint64_t session, uint64_t number, enum hf_fate fate)
{
    uint8_t datagram[HF_WIRE_DATAGRAM_MAX];
    uint32_t length = seal_from_node(&place->world, session, datagram, number);
    assert_true(length > 0);
    expect(take(place, datagram, length), fate);
    if (fate == HF_FATE_OPENED)
        assert_int_equal(read_plain(place->plain, place->plain_length), number);
    else
        assert_int_equal(place->plain_length, 0);
}

/* Nobody dials for nothing; then at once, and every second until there is an answer. */
static void test_dialling(void **state)
{
    static struct place place;
    (void)state;
    begin(&place);
    uint64_t start_ns = place.world.now_ns;
    assert_int_equal(hf_gate_hello_ns(&place.gate, false), UINT64_MAX);
    assert_false(dial(&place, false));
    assert_false(hf_gate_is_open(&place.gate, start_ns));
    assert_int_equal(hf_gate_seal(&place.gate, place.plain, 32, sizeof place.plain, start_ns), 0);
    assert_true(dial(&place, true));
    for (uint64_t hellos = 1; hellos < 20; hellos++) {
        uint64_t due_ns = start_ns + hellos * HF_DIAL_RETRY_NS;
        assert_int_equal(hf_gate_hello_ns(&place.gate, true), due_ns);
        place.world.now_ns = due_ns - 1;
        assert_false(dial(&place, true));
        place.world.now_ns = due_ns;
        assert_true(dial(&place, true));
    }
    expect(arrive(&place.world, &place.hello, sizeof place.hello), HF_FATE_WELCOMED);
    expect(take(&place, place.world.buffer, place.world.result.length), HF_FATE_JOINED);
    assert_true(hf_gate_is_open(&place.gate, place.world.now_ns));
    hear(&place, say(&place, 7), 8, HF_FATE_OPENED);
    end(&place);
}

/* Three hellos of one cipher, three of the other. */
static void test_suites_take_turns(void **state)
{
    static struct place place;
    (void)state;
    begin(&place);
    unsigned other =
        hf_cipher_is_available(HF_CIPHER_AESGCM) ? HF_CIPHER_AESGCM : HF_CIPHER_CHACHAPOLY;
    for (unsigned hellos = 0; hellos < 12; hellos++) {
        assert_true(dial(&place, true));
        unsigned suite = hellos / 3 % 2 == 0 ? HF_CIPHER_CHACHAPOLY : other;
        assert_int_equal(place.hello.header.suite, suite);
        place.world.now_ns += HF_DIAL_RETRY_NS;
    }
    end(&place);
}

/* A cookie is followed at once, and once, and is no hello without an answer. */
static void test_cookie(void **state)
{
    static struct place place;
    (void)state;
    begin(&place);
    place.world.table.config.free_per_s = 0;
    for (unsigned times = 0; times < 2; times++) {
        assert_true(dial(&place, true));
        expect(arrive(&place.world, &place.hello, sizeof place.hello),
               times == 0 ? HF_FATE_COOKIE : HF_FATE_WELCOMED);
        expect(take(&place, place.world.buffer, place.world.result.length),
               times == 0 ? HF_FATE_COOKIE : HF_FATE_JOINED);
        assert_int_equal(hf_gate_hello_ns(&place.gate, true) == 0, times == 0);
    }
    assert_false(dial(&place, true));
    end(&place);
}

/* Half a second after the first word without an answer there is another hello; the session goes on
 * meanwhile, and an answer in it ends the search. */
static void test_silence(void **state)
{
    static struct place place;
    (void)state;
    begin(&place);
    join(&place);
    place.world.now_ns += 10 * HF_DIAL_RETRY_NS;
    uint64_t spoken_ns = place.world.now_ns;
    uint64_t session = say(&place, 1);
    place.world.now_ns += HF_GATE_SILENCE_NS - 1;
    assert_int_equal(say(&place, 2), session); /* what counts is the first word */
    assert_false(dial(&place, true));
    place.world.now_ns++;
    assert_int_equal(hf_gate_hello_ns(&place.gate, true), spoken_ns + HF_GATE_SILENCE_NS);
    assert_true(dial(&place, true));
    assert_true(hf_gate_is_open(&place.gate, place.world.now_ns));
    hear(&place, session, 3, HF_FATE_OPENED);
    place.world.now_ns += 10 * HF_DIAL_RETRY_NS;
    assert_false(dial(&place, true));
    end(&place);
}

/* The next session comes before the one before has ended; that is heard as long as it lives, and
 * its words are no sign of life of the new one. */
static void test_renewal(void **state)
{
    static struct place place;
    (void)state;
    begin(&place);
    join(&place);
    uint64_t born_ns = place.world.now_ns;
    uint64_t first = say(&place, 1);
    hear(&place, first, 2, HF_FATE_OPENED);
    place.world.now_ns = born_ns + LIFE_NS - LIFE_NS / 6 - 1;
    assert_false(dial(&place, true));
    place.world.now_ns++;
    join(&place);
    uint64_t second_born_ns = place.world.now_ns;
    uint64_t second = say(&place, 3);
    assert_int_not_equal(first, second);
    hear(&place, first, 4, HF_FATE_OPENED);
    place.world.now_ns += HF_DIAL_RETRY_NS; /* no hello comes sooner after another */
    assert_true(dial(&place, true));        /* the second one has not answered */
    hear(&place, second, 5, HF_FATE_OPENED);

    uint8_t late[HF_WIRE_DATAGRAM_MAX];
    uint32_t length = seal_from_node(&place.world, first, late, 6);
    assert_true(length > 0);
    place.world.now_ns = born_ns + LIFE_NS;
    expect(take(&place, late, length), HF_FATE_EXPIRED);
    assert_true(hf_gate_is_open(&place.gate, place.world.now_ns));
    hear(&place, second, 7, HF_FATE_OPENED); /* this wipes the first one */
    expect(take(&place, late, length), HF_FATE_UNKNOWN_SESSION);
    assert_true(hf_gate_is_open(&place.gate, second_born_ns + LIFE_NS - 1));
    assert_false(hf_gate_is_open(&place.gate, second_born_ns + LIFE_NS));
    end(&place);
}

/* What is none of the server's changes nothing. */
static void test_others(void **state)
{
    static struct place place;
    uint8_t datagram[HF_WIRE_DATAGRAM_MAX];
    (void)state;
    begin(&place);
    expect(take(&place, datagram, 0), HF_FATE_MALFORMED);
    expect(take(&place, datagram, sizeof(struct hf_wire_header) - 1), HF_FATE_MALFORMED);
    uint32_t length = make_plain(datagram, HF_WIRE_REPLIES, 1);
    expect(take(&place, datagram, length), HF_FATE_UNKNOWN_SESSION);
    join(&place);
    expect(take(&place, datagram, length), HF_FATE_UNKNOWN_SESSION);
    expect(take(&place, place.world.buffer, place.world.result.length), HF_FATE_REPLAYED_HANDSHAKE);
    uint64_t session = say(&place, 1);
    length = seal_from_node(&place.world, session, datagram, 2);
    datagram[length - 1] ^= 1;
    expect(take(&place, datagram, length), HF_FATE_FORGED);
    datagram[length - 1] ^= 1;
    expect(take(&place, datagram, length), HF_FATE_OPENED);
    expect(take(&place, datagram, length), HF_FATE_REPLAYED);
    end(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dialling), cmocka_unit_test(test_suites_take_turns),
        cmocka_unit_test(test_cookie),   cmocka_unit_test(test_silence),
        cmocka_unit_test(test_renewal),  cmocka_unit_test(test_others),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
