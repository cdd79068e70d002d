/* Whole sessions against golden bytes, made from net/SESSION.md by tests/golden/make_session.py. */
#include "session_fixture.h"

#define GOLDEN_SIZE 512

struct golden {
    FILE *file;
    char name[32];
    uint8_t bytes[GOLDEN_SIZE];
    size_t size;
};

/* The next line. False at the end. */
static bool golden_read(struct golden *golden)
{
    static char line[2 * GOLDEN_SIZE + 64];
    if (fgets(line, sizeof line, golden->file) == NULL)
        return false;
    char *value = strchr(line, ' ');
    assert_non_null(value);
    snprintf(golden->name, sizeof golden->name, "%.*s", (int)(value - line), line);
    value++;
    if (strcmp(golden->name, "suite") == 0) {
        golden->size = (size_t)atoi(value);
        return true;
    }
    assert_int_equal(sodium_hex2bin(golden->bytes, GOLDEN_SIZE, value, strcspn(value, "\n"), NULL,
                                    &golden->size, NULL),
                     0);
    return true;
}

static void golden_expect(struct golden *golden, const char *name, const void *bytes, size_t size)
{
    assert_true(golden_read(golden));
    assert_string_equal(golden->name, name);
    assert_int_equal(golden->size, size);
    if (bytes != NULL)
        assert_memory_equal(golden->bytes, bytes, size);
}

/* Byte i of the stream is (7 i + 3) mod 256. */
static void stream_fill(void *context, void *bytes, size_t size)
{
    uint64_t *at = context;
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)(7 * (*at)++ + 3);
}

static void count_up(uint8_t *bytes, size_t size, uint8_t from)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(from + i);
}

/* Random bytes are drawn in this order: the table's secrets (64) and its key for hosts (16), a
 * hello's number (8) and ephemeral key (32), the cookie's nonce (24), the second hello's (8 and
 * 32), the session's number (8) and ephemeral key (32). */
static void golden_handshake(struct golden *golden, struct world *world, struct client *client)
{
    assert_true(hf_dial_hello(&client->dial, world->now_ns, unix_now(world), &client->hello));
    golden_expect(golden, "hello", &client->hello, sizeof client->hello);
    expect(arrive(world, &client->hello, sizeof client->hello), HF_FATE_COOKIE);
    golden_expect(golden, "cookie", world->buffer, world->result.length);
    expect(take_answer(world, client), HF_FATE_COOKIE);
    assert_true(hf_dial_hello(&client->dial, world->now_ns, unix_now(world), &client->hello));
    golden_expect(golden, "hello_again", &client->hello, sizeof client->hello);
    expect(arrive(world, &client->hello, sizeof client->hello), HF_FATE_WELCOMED);
    golden_expect(golden, "welcome", world->buffer, world->result.length);
    expect(take_answer(world, client), HF_FATE_JOINED);
}

/* A datagram of `size` bytes of messages, which count up or down. */
static uint32_t golden_plain(uint8_t *datagram, uint8_t flags, size_t size, unsigned epoch)
{
    struct hf_wire_header header = {
        .magic = HF_WIRE_MAGIC,
        .version = HF_WIRE_VERSION,
        .flags = flags,
        .length = (uint16_t)(sizeof header + size),
        .count = (uint16_t)(epoch + 1),
    };
    memcpy(datagram, &header, sizeof header);
    for (size_t i = 0; i < size; i++)
        datagram[sizeof header + (flags == 0 ? i : size - 1 - i)] = (uint8_t)(epoch + i);
    return header.length;
}

static void golden_talk(struct golden *golden, struct world *world, struct client *client)
{
    for (unsigned epoch = 0; epoch < 3; epoch++) { /* of one datagram each */
        uint8_t datagram[GOLDEN_SIZE];
        size_t size = 56 + 33 * epoch;
        uint32_t length = golden_plain(datagram, 0, size, epoch);
        length =
            hf_channel_seal(&client->channel, datagram, length, sizeof datagram, world->now_ns);
        golden_expect(golden, "sealed", datagram, length);
        expect(arrive(world, datagram, length), HF_FATE_OPENED);
        length = golden_plain(datagram, HF_WIRE_REPLIES, size, epoch);
        length = hf_sealer_seal(&world->sealer, world->result.session, datagram, length,
                                sizeof datagram, world->now_ns);
        golden_expect(golden, "answer", datagram, length);
        expect(arrive_at_client(world, client, datagram, length), HF_FATE_OPENED);
    }
}

static void test_golden(void **state)
{
    (void)state;
    struct golden golden = {.file = fopen(HF_TEST_GOLDEN_SESSION, "r")};
    unsigned played = 0;
    assert_non_null(golden.file);
    while (golden_read(&golden)) {
        if (strcmp(golden.name, "suite") != 0 || !hf_cipher_is_available((unsigned)golden.size))
            continue; /* over the rest of what cannot be played here */
        unsigned suite = (unsigned)golden.size;
        uint64_t at = 0;
        struct world world;
        struct client client;
        struct hf_session_config config = plain_config();
        config.free_per_s = 0;
        config.limits.epoch_datagrams = 1;
        world_begin_with(&world, &config);
        world.entropy = (struct hf_entropy){stream_fill, &at};
        count_up(world.node_keys.private_key, HF_NOISE_KEY_SIZE, 1);
        hf_key_pair_complete(&world.node_keys);
        hf_session_table_begin(&world.table, &config, &world.node_keys, world.entropy, world.memory,
                               world.now_ns);
        client_begin(&world, &client, suite, HF_SESSION_ORIGIN_NONE);
        count_up(client.keys.private_key, HF_NOISE_KEY_SIZE, 101);
        hf_key_pair_complete(&client.keys);
        assert_int_equal(hf_session_origin_put(&world.table, 0, client.keys.public_key),
                         HF_STATUS_OK);
        hf_dial_begin(&client.dial, suite, config.cluster, &client.keys, world.node_keys.public_key,
                      &config.limits, world.entropy);
        golden_handshake(&golden, &world, &client);
        golden_talk(&golden, &world, &client);
        world_end(&world);
        played++;
    }
    fclose(golden.file);
    assert_int_equal(played, hf_cipher_is_available(HF_CIPHER_AESGCM) ? 2 : 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
