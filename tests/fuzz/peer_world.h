/* What the fuzz target of two nodes' sessions and the program that writes its corpus share: two
 * that dial each other, whose keys and random bytes are the same in every run. In the first stage
 * one has said hello, in the second they have a session in which both have spoken. */
#ifndef HF_TESTS_FUZZ_PEER_WORLD_H
#define HF_TESTS_FUZZ_PEER_WORLD_H

#include "target.h"

#include "net/peer.h"
#include "net/wire.h"

#include <string.h>

#define PEER_MEMORY_SIZE  (256u << 10)
#define PEER_NOW_NS       UINT64_C(1000000000000)
#define PEER_UNIX_NS      UINT64_C(1800000000000000000)
#define PEER_DATAGRAM_MAX 4096u
#define PEER_SAID         40u /* bytes that each has said */

/* Where an input goes: the side, and 2 for the second stage. What is right there, too. */
enum peer_place {
    PEER_WELCOME, /* to the first, which has said hello */
    PEER_HELLO,   /* to the second */
    PEER_ANSWER,  /* to the first */
    PEER_WORD,    /* to the second */
    PEER_PLACES,
};

struct peer_datagram {
    uint8_t bytes[512];
    uint32_t length;
};

struct peer_side {
    uint64_t drawn;
    struct hf_key_pair keys;
    struct hf_peer peer;
    _Alignas(HF_SESSION_MEMORY_ALIGNMENT) uint8_t memory[PEER_MEMORY_SIZE];
};

struct peer_world {
    struct peer_side sides[2];
};

static inline void peer_fill(void *context, void *bytes, size_t size)
{
    uint64_t *drawn = context;
    for (size_t i = 0; i < size; i++) {
        *drawn = *drawn * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        ((uint8_t *)bytes)[i] = (uint8_t)(*drawn >> 56);
    }
}

static inline enum hf_fate peer_arrive(struct peer_side *side, const void *datagram, size_t length,
                                       uint8_t *buffer, uint32_t *said)
{
    const struct hf_session_arrival arrival = {
        .datagram = datagram,
        .length = length,
        .address = {.host = {1}, .port = {2}},
        .now_ns = PEER_NOW_NS,
        .unix_ns = PEER_UNIX_NS,
    };
    return hf_peer_receive(&side->peer, &arrival, buffer, said);
}

/* Seals what stands behind the header's room. */
static inline uint32_t peer_say(struct peer_side *side, uint8_t *datagram, uint32_t length,
                                size_t capacity)
{
    return hf_peer_seal(&side->peer, datagram, length, capacity, PEER_NOW_NS);
}

static inline void peer_keep(struct peer_datagram *known, const void *bytes, uint32_t length)
{
    FUZZ_CHECK(length > 0 && length <= sizeof known->bytes);
    known->length = length;
    memcpy(known->bytes, bytes, length);
}

/* Makes the world in both stages, and every datagram that is right. The copies are good only where
 * `world` lies. */
static inline void peer_make_world(struct peer_world *world, struct peer_world stages[2],
                                   struct peer_datagram known[PEER_PLACES])
{
    static uint8_t buffer[UINT16_MAX];
    struct hf_handshake_hello hello;
    uint8_t datagram[PEER_SAID + HF_PEER_ROOM] = {0};
    uint32_t length = 0;

    memset(world, 0, sizeof *world);
    FUZZ_CHECK(hf_peer_memory_size() <= PEER_MEMORY_SIZE);
    for (uint64_t i = 0; i < 2; i++) {
        struct peer_side *side = &world->sides[i];
        side->drawn = i + 1;
        peer_fill(&side->drawn, side->keys.private_key, sizeof side->keys.private_key);
        hf_key_pair_complete(&side->keys);
    }
    for (int i = 0; i < 2; i++) {
        struct peer_side *side = &world->sides[i];
        struct hf_peer_config config = {.cluster = {7, 9},
                                        .limits = hf_peer_limits_default,
                                        .own = &side->keys,
                                        .entropy = {peer_fill, &side->drawn}};
        memcpy(config.remote_key, world->sides[1 - i].keys.public_key, sizeof config.remote_key);
        hf_peer_begin(&side->peer, &config, side->memory, PEER_NOW_NS);
        side->drawn = 100 + (uint64_t)i; /* however much was drawn to begin with */
    }
    bool is_said = hf_peer_hello(&world->sides[0].peer, PEER_NOW_NS, PEER_UNIX_NS, &hello);
    FUZZ_CHECK(is_said);
    peer_keep(&known[PEER_HELLO], &hello, sizeof hello);
    memcpy(&stages[0], world, sizeof *world);
    FUZZ_CHECK(peer_arrive(&world->sides[1], &hello, sizeof hello, buffer, &length) ==
               HF_FATE_WELCOMED);
    peer_keep(&known[PEER_WELCOME], buffer, length);
    FUZZ_CHECK(peer_arrive(&world->sides[0], known[PEER_WELCOME].bytes, length, buffer, &length) ==
               HF_FATE_JOINED);
    for (int from = 0; from < 2; from++) { /* a word of each */
        length = peer_say(&world->sides[from], datagram, 0, sizeof datagram);
        FUZZ_CHECK(peer_arrive(&world->sides[1 - from], datagram, length, buffer, &length) ==
                   HF_FATE_OPENED);
    }
    memcpy(&stages[1], world, sizeof *world);
    for (int from = 0; from < 2; from++) {
        length = peer_say(&world->sides[from], datagram, PEER_SAID, sizeof datagram);
        peer_keep(&known[from == 0 ? PEER_WORD : PEER_ANSWER], datagram, length);
    }
}

#endif
