/* What the fuzz target of sessions and the program that writes its corpus share: a node and a
 * client whose keys and random bytes are the same in every run, so that a datagram of one run means
 * the same in another. They have a session, and the client has said another hello, which nobody has
 * answered. */
#ifndef HF_TESTS_FUZZ_SESSION_WORLD_H
#define HF_TESTS_FUZZ_SESSION_WORLD_H

#include "target.h"

#include "net/dial.h"
#include "net/session.h"
#include "net/wire.h"

#include <string.h>

#define SESSION_MEMORY_SIZE (64u << 10)
#define SESSION_SEALER_SIZE (4u << 10)
#define SESSION_NOW_NS      UINT64_C(1000000000000)
#define SESSION_UNIX_NS     UINT64_C(1800000000000000000)

/* Where an input goes. */
enum session_place {
    SESSION_TO_NODE,
    SESSION_TO_DIAL, /* the client, which waits for the answer to its hello */
    SESSION_TO_CLIENT,
    SESSION_PLACES,
};

/* Datagrams that are right, each in the world as it is at first. */
enum session_known {
    SESSION_HELLO,
    SESSION_WELCOME,
    SESSION_COOKIE,
    SESSION_SEALED,
    SESSION_ANSWER,
    SESSION_KNOWN,
};

struct session_datagram {
    uint8_t place;
    uint8_t bytes[256];
    uint32_t length;
};

/* Everything lies in it: a copy of its bytes restores it, in the same place. */
struct session_world {
    uint64_t drawn;
    struct hf_key_pair node_keys, client_keys;
    struct hf_session_table table;
    struct hf_sealer sealer;
    struct hf_dial dial;
    struct hf_channel channel; /* the client's */
    struct session_datagram known[SESSION_KNOWN];
    _Alignas(HF_SESSION_MEMORY_ALIGNMENT) uint8_t memory[SESSION_MEMORY_SIZE];
    _Alignas(HF_SESSION_MEMORY_ALIGNMENT) uint8_t sealer_memory[SESSION_SEALER_SIZE];
};

static inline void session_fill(void *context, void *bytes, size_t size)
{
    uint64_t *drawn = context;
    for (size_t i = 0; i < size; i++) {
        *drawn = *drawn * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        ((uint8_t *)bytes)[i] = (uint8_t)(*drawn >> 56);
    }
}

/* A datagram arrives at the node. */
static inline enum hf_fate session_arrive(struct session_world *world, const void *datagram,
                                          size_t length, uint8_t *buffer,
                                          struct hf_session_result *result)
{
    struct hf_session_arrival arrival = {
        .datagram = datagram,
        .length = length,
        .address = {.host = {1}, .port = {2}},
        .now_ns = SESSION_NOW_NS,
        .unix_ns = SESSION_UNIX_NS,
    };
    return hf_session_receive(&world->table, &arrival, buffer, result);
}

static inline void session_keep(struct session_world *world, enum session_known which,
                                enum session_place place, const void *bytes, uint32_t length)
{
    struct session_datagram *known = &world->known[which];
    FUZZ_CHECK(length > 0 && length <= sizeof known->bytes);
    known->place = (uint8_t)place;
    known->length = length;
    memcpy(known->bytes, bytes, length);
}

/* A datagram of one QUERY. */
static inline uint32_t session_make_plain(uint8_t *datagram, uint8_t flags)
{
    struct hf_wire_writer writer;
    const struct hf_op_query query = {
        .header = {.length = sizeof query, .type = HF_OP_QUERY, .id = {.lo = 1, .hi = 1}},
        .subject_id = {.lo = 5, .hi = 0},
        .subject = 1,
    };
    struct hf_reply reply = {.length = sizeof reply, .type = HF_OP_QUERY | HF_REPLY_TYPE_BIT};
    hf_wire_begin(&writer, datagram, HF_WIRE_DATAGRAM_MAX);
    bool is_added = flags == 0 ? hf_wire_add(&writer, &query, sizeof query)
                               : hf_wire_add(&writer, &reply, sizeof reply);
    FUZZ_CHECK(is_added);
    return hf_wire_finish(&writer, flags, 0, 0);
}

static inline void session_say_hello(struct session_world *world, struct hf_handshake_hello *hello)
{
    bool is_said = hf_dial_hello(&world->dial, SESSION_NOW_NS, SESSION_UNIX_NS, hello);
    FUZZ_CHECK(is_said);
}

/* Makes the first session, in which both have spoken. */
static inline void session_connect(struct session_world *world, uint8_t *buffer)
{
    static uint8_t datagram[HF_WIRE_DATAGRAM_MAX];
    struct hf_session_result result;
    struct hf_handshake_hello hello;
    session_say_hello(world, &hello);
    FUZZ_CHECK(session_arrive(world, &hello, sizeof hello, buffer, &result) == HF_FATE_WELCOMED);
    FUZZ_CHECK(hf_dial_take(&world->dial, buffer, result.length, SESSION_NOW_NS, &world->channel) ==
               HF_FATE_JOINED);
    uint32_t length = session_make_plain(datagram, 0);
    length = hf_channel_seal(&world->channel, datagram, length, sizeof datagram, SESSION_NOW_NS);
    FUZZ_CHECK(session_arrive(world, datagram, length, buffer, &result) == HF_FATE_OPENED);
}

/* Tries each right datagram out on the world and keeps it; the caller restores the world. */
static inline void session_make_known(struct session_world *world, uint8_t *buffer)
{
    static uint8_t datagram[HF_WIRE_DATAGRAM_MAX];
    const struct session_datagram *hello = &world->known[SESSION_HELLO];
    struct hf_session_result result;
    world->table.config.free_per_s = 0;
    FUZZ_CHECK(session_arrive(world, hello->bytes, hello->length, buffer, &result) ==
               HF_FATE_COOKIE);
    session_keep(world, SESSION_COOKIE, SESSION_TO_DIAL, buffer, result.length);
    world->table.config.free_per_s = UINT32_MAX;
    FUZZ_CHECK(session_arrive(world, hello->bytes, hello->length, buffer, &result) ==
               HF_FATE_WELCOMED);
    session_keep(world, SESSION_WELCOME, SESSION_TO_DIAL, buffer, result.length);
    uint32_t length = session_make_plain(datagram, 0);
    length = hf_channel_seal(&world->channel, datagram, length, sizeof datagram, SESSION_NOW_NS);
    session_keep(world, SESSION_SEALED, SESSION_TO_NODE, datagram, length);
    length = session_make_plain(datagram, HF_WIRE_REPLIES);
    length = hf_sealer_seal(&world->sealer, world->channel.peer_id, datagram, length,
                            sizeof datagram, SESSION_NOW_NS);
    session_keep(world, SESSION_ANSWER, SESSION_TO_CLIENT, datagram, length);
}

static inline void session_make_world(struct session_world *world)
{
    static uint8_t buffer[HF_WIRE_DATAGRAM_MAX];
    static struct session_world before;
    const struct hf_entropy entropy = {session_fill, &world->drawn};
    const struct hf_session_config config = {
        .cluster = {.lo = 1, .hi = 2},
        .limits = hf_channel_limits_default,
        .origins_max = 1,
        .sessions_per_origin = 2,
        .looks_per_s = UINT32_MAX,
        .looks_per_address = UINT32_MAX,
        .free_per_s = UINT32_MAX,
        .hellos_per_s = UINT32_MAX,
        .host_per_s = UINT32_MAX,
    };
    FUZZ_CHECK(sodium_init() >= 0);
    memset(world, 0, sizeof *world);
    session_fill(&world->drawn, world->node_keys.private_key, HF_NOISE_KEY_SIZE);
    session_fill(&world->drawn, world->client_keys.private_key, HF_NOISE_KEY_SIZE);
    hf_key_pair_complete(&world->node_keys);
    hf_key_pair_complete(&world->client_keys);
    FUZZ_CHECK(hf_session_memory_size(&config) <= SESSION_MEMORY_SIZE);
    hf_session_table_begin(&world->table, &config, &world->node_keys, entropy, world->memory,
                           SESSION_NOW_NS);
    FUZZ_CHECK(hf_sealer_memory_size(2) <= SESSION_SEALER_SIZE);
    hf_sealer_begin(&world->sealer, world->table.slates, 2, &config.limits, world->sealer_memory);
    FUZZ_CHECK(hf_session_origin_put(&world->table, 0, world->client_keys.public_key) ==
               HF_STATUS_OK);
    hf_dial_begin(&world->dial, HF_CIPHER_CHACHAPOLY, config.cluster, &world->client_keys,
                  world->node_keys.public_key, &config.limits, entropy);
    session_connect(world, buffer);

    struct hf_handshake_hello hello;
    session_say_hello(world, &hello);
    session_keep(world, SESSION_HELLO, SESSION_TO_NODE, &hello, sizeof hello);
    memcpy(&before, world, sizeof before);
    session_make_known(world, buffer);
    memcpy(before.known, world->known, sizeof before.known);
    memcpy(world, &before, sizeof before);
}

#endif
