/* A node's table of sessions and a client that dials it, with the wire between them by hand. */
#ifndef HF_TESTS_UNIT_SESSION_FIXTURE_H
#define HF_TESTS_UNIT_SESSION_FIXTURE_H

#include "net/dial.h"
#include "net/session.h"
#include "net/wire.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND_NS UINT64_C(1000000000)
#define UNIX_NS   UINT64_C(1800000000000000000)

/* Random enough for tests, and the same each time. */
static inline uint64_t random_next(uint64_t *random)
{
    uint64_t z = (*random += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline void random_fill(void *context, void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)(random_next(context) >> 32);
}

struct world {
    uint64_t random;
    struct hf_entropy entropy;
    struct hf_session_config config;
    struct hf_key_pair node_keys;
    struct hf_session_table table;
    void *memory;
    struct hf_sealer sealer;
    void *sealer_memory;
    uint64_t now_ns;
    struct hf_cookie_address address; /* where datagrams to the node come from */
    uint8_t buffer[HF_WIRE_DATAGRAM_MAX];
    struct hf_session_result result;
};

struct client {
    struct hf_key_pair keys;
    struct hf_dial dial;
    struct hf_handshake_hello hello;
    struct hf_channel channel;
};

static inline void make_keys(struct world *world, struct hf_key_pair *pair)
{
    random_fill(&world->random, pair->private_key, sizeof pair->private_key);
    hf_key_pair_complete(pair);
}

/* Starts a node with the world's configuration. */
static inline void world_begin_with(struct world *world, const struct hf_session_config *config)
{
    memset(world, 0, sizeof *world);
    world->config = *config;
    world->random = 1;
    world->entropy = (struct hf_entropy){random_fill, &world->random};
    world->now_ns = 1000 * SECOND_NS;
    memcpy(world->address.host, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\x01", 16);
    make_keys(world, &world->node_keys);
    size_t size = hf_session_memory_size(&world->config);
    world->memory = aligned_alloc(HF_SESSION_MEMORY_ALIGNMENT, size);
    assert_non_null(world->memory);
    hf_session_table_begin(&world->table, &world->config, &world->node_keys, world->entropy,
                           world->memory, world->now_ns);
    world->sealer_memory =
        aligned_alloc(64, hf_sealer_memory_size(hf_session_count_max(&world->config)));
    assert_non_null(world->sealer_memory);
    hf_sealer_begin(&world->sealer, world->table.slates, hf_session_count_max(&world->config),
                    &world->config.limits, world->sealer_memory);
}

static inline struct hf_session_config plain_config(void)
{
    return (struct hf_session_config){
        .cluster = {.lo = 7, .hi = 9},
        .limits = hf_channel_limits_default,
        .origins_max = 4,
        .sessions_per_origin = 3,
        .looks_per_s = 1000000,
        .looks_per_address = 1000000,
        .free_per_s = 1000000,
        .hellos_per_s = 1000000,
        .host_per_s = 1000000,
    };
}

static inline void world_begin(struct world *world)
{
    struct hf_session_config config = plain_config();
    world_begin_with(world, &config);
}

static inline void world_end(struct world *world)
{
    hf_session_table_wipe(&world->table);
    free(world->memory);
    hf_sealer_wipe(&world->sealer);
    free(world->sealer_memory);
}

/* A client with a new key, as this origin. */
static inline void client_begin(struct world *world, struct client *client, unsigned suite,
                                uint32_t origin)
{
    memset(client, 0, sizeof *client);
    make_keys(world, &client->keys);
    if (origin != HF_SESSION_ORIGIN_NONE)
        assert_int_equal(hf_session_origin_put(&world->table, origin, client->keys.public_key),
                         HF_STATUS_OK);
    hf_dial_begin(&client->dial, suite, world->config.cluster, &client->keys,
                  world->node_keys.public_key, &world->config.limits, world->entropy);
}

static inline uint64_t unix_now(const struct world *world)
{
    return UNIX_NS + world->now_ns;
}

/* A datagram arrives at the node, in a buffer of exactly its size. */
static inline enum hf_fate arrive(struct world *world, const void *datagram, size_t length)
{
    uint8_t *exact = malloc(length + 1);
    assert_non_null(exact);
    if (length > 0)
        memcpy(exact + 1, datagram, length);
    struct hf_session_arrival arrival = {
        .datagram = exact + 1,
        .length = length,
        .address = world->address,
        .now_ns = world->now_ns,
        .unix_ns = unix_now(world),
    };
    enum hf_fate fate = hf_session_receive(&world->table, &arrival, world->buffer, &world->result);
    free(exact);
    return fate;
}

static inline void expect(enum hf_fate fate, enum hf_fate expected)
{
    if (fate != expected)
        fail_msg("fate %s, not %s", hf_fate_word(fate), hf_fate_word(expected));
}

/* The client's hello arrives. */
static inline enum hf_fate say_hello(struct world *world, struct client *client)
{
    assert_true(hf_dial_hello(&client->dial, world->now_ns, unix_now(world), &client->hello));
    return arrive(world, &client->hello, sizeof client->hello);
}

/* What the node has just answered reaches the client. */
static inline enum hf_fate take_answer(struct world *world, struct client *client)
{
    return hf_dial_take(&client->dial, world->buffer, world->result.length, world->now_ns,
                        &client->channel);
}

static inline void connect_client(struct world *world, struct client *client)
{
    expect(say_hello(world, client), HF_FATE_WELCOMED);
    expect(take_answer(world, client), HF_FATE_JOINED);
}

/* A plain datagram of one QUERY whose id is `number`. Returns its length. */
static inline uint32_t make_plain(uint8_t *datagram, uint8_t flags, uint64_t number)
{
    struct hf_wire_writer writer;
    struct hf_op_query query = {
        .header = {.length = sizeof query, .type = HF_OP_QUERY, .id = {.lo = number, .hi = 1}},
        .subject_id = {.lo = 5, .hi = 0},
        .subject = 1,
    };
    hf_wire_begin(&writer, datagram, HF_WIRE_DATAGRAM_MAX);
    assert_true(hf_wire_add(&writer, &query, sizeof query));
    return hf_wire_finish(&writer, flags, 0, 0);
}

static inline uint32_t seal_from_client(struct world *world, struct client *client,
                                        uint8_t *datagram, uint64_t number)
{
    uint32_t length = make_plain(datagram, 0, number);
    return hf_channel_seal(&client->channel, datagram, length, HF_WIRE_DATAGRAM_MAX, world->now_ns);
}

/* The number in a plain datagram of make_plain, which the codec takes. */
static inline uint64_t read_plain(const uint8_t *datagram, uint32_t length)
{
    struct hf_wire_reader reader;
    assert_int_equal(hf_wire_open(&reader, datagram, length).code, HF_CODE_OK);
    assert_int_equal(reader.header.count, 1);
    struct hf_op_header header;
    memcpy(&header, datagram + sizeof reader.header, sizeof header);
    assert_int_equal(header.type, HF_OP_QUERY);
    return header.id.lo;
}

/* The client says something and the node understands. */
static inline void speak(struct world *world, struct client *client, uint64_t number)
{
    uint8_t datagram[HF_WIRE_DATAGRAM_MAX];
    uint32_t length = seal_from_client(world, client, datagram, number);
    assert_true(length > 0);
    expect(arrive(world, datagram, length), HF_FATE_OPENED);
    assert_int_equal(read_plain(world->buffer, world->result.length), number);
}

static inline uint32_t seal_from_node(struct world *world, uint64_t session, uint8_t *datagram,
                                      uint64_t number)
{
    uint32_t length = make_plain(datagram, HF_WIRE_REPLIES, number);
    return hf_sealer_seal(&world->sealer, session, datagram, length, HF_WIRE_DATAGRAM_MAX,
                          world->now_ns);
}

static inline enum hf_fate arrive_at_client(struct world *world, struct client *client,
                                            const uint8_t *datagram, uint32_t length)
{
    return hf_channel_open(&client->channel, datagram, length, world->now_ns, world->buffer,
                           &world->result.length);
}

/* The node answers in the session that has just been heard, and the client understands. */
static inline void answer(struct world *world, struct client *client, uint64_t number)
{
    uint8_t datagram[HF_WIRE_DATAGRAM_MAX];
    uint32_t length = seal_from_node(world, world->result.session, datagram, number);
    assert_true(length > 0);
    expect(arrive_at_client(world, client, datagram, length), HF_FATE_OPENED);
    assert_int_equal(read_plain(world->buffer, world->result.length), number);
}

#endif
