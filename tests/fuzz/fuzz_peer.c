/* Fuzz target: what arrives at a node from the address of its peer, before it is opened.
 *
 * An input is a byte of flags, one that says where it goes (enum peer_place), six that are unused,
 * and the datagram. As it is, nothing may be accepted but what the corpus has from the holder of
 * the other key. With FUZZ_REPAIR macs are set right, and what follows a sealed datagram's header
 * is sealed by the other node, so that what lies behind is reached. */
#include "peer_world.h"

#define FUZZ_REPAIR 0x01

static struct peer_world world, stages[2];
static struct peer_datagram known[PEER_PLACES];
static uint8_t datagram[PEER_DATAGRAM_MAX + HF_PEER_ROOM];
static uint8_t buffer[UINT16_MAX];

static void restore(int stage)
{
    static bool is_made;
    if (!is_made) {
        peer_make_world(&world, stages, known);
        is_made = true;
    }
    memcpy(&world, &stages[stage], sizeof world);
}

/* Is this, as far as `covered`, the datagram that is right here? */
static bool is_known(enum peer_place place, size_t length, size_t covered)
{
    return length == known[place].length && memcmp(datagram, known[place].bytes, covered) == 0;
}

static void repair_mac(const struct peer_side *side, enum peer_place place, size_t length)
{
    size_t at = place == PEER_HELLO ? offsetof(struct hf_handshake_hello, mac)
                                    : offsetof(struct hf_handshake_welcome, mac);
    size_t whole = place == PEER_HELLO ? sizeof(struct hf_handshake_hello)
                                       : sizeof(struct hf_handshake_welcome);
    const uint8_t *key =
        place == PEER_HELLO ? side->peer.table.own_keys.mac : side->peer.gate.dial.own_keys.mac;
    if (length == whole)
        hf_handshake_mac(datagram + at, key, sizeof side->peer.table.own_keys.mac, datagram, at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < FUZZ_HEAD || size - FUZZ_HEAD > PEER_DATAGRAM_MAX)
        return 0;
    enum peer_place place = data[1] % PEER_PLACES;
    size_t length = size - FUZZ_HEAD;
    bool is_repaired = (data[0] & FUZZ_REPAIR) != 0;
    bool has_session = place >= PEER_ANSWER;
    uint32_t said = 0;

    restore(has_session);
    struct peer_side *side = &world.sides[place % 2];
    bool was_open = hf_peer_is_open(&side->peer, PEER_NOW_NS);
    memcpy(datagram, data + FUZZ_HEAD, length);
    is_repaired = is_repaired && (!has_session || length >= HF_PEER_HEADER_SIZE);
    if (is_repaired && has_session)
        length = peer_say(&world.sides[1 - place % 2], datagram,
                          (uint32_t)length - HF_PEER_HEADER_SIZE, sizeof datagram);
    else if (is_repaired)
        repair_mac(side, place, length);
    enum hf_fate fate = peer_arrive(side, datagram, length, buffer, &said);
    switch (fate) {
    case HF_FATE_OPENED:
        FUZZ_CHECK(has_session && (is_repaired || is_known(place, length, length)));
        FUZZ_CHECK(said == length - HF_PEER_ROOM);
        FUZZ_CHECK(memcmp(buffer + HF_PEER_HEADER_SIZE, data + FUZZ_HEAD + HF_PEER_HEADER_SIZE,
                          is_repaired ? said : 0) == 0);
        break;
    case HF_FATE_WELCOMED:
        FUZZ_CHECK(place == PEER_HELLO &&
                   is_known(place, length, offsetof(struct hf_handshake_hello, mac)));
        FUZZ_CHECK(said == sizeof(struct hf_handshake_welcome));
        break;
    case HF_FATE_JOINED:
        FUZZ_CHECK(place == PEER_WELCOME &&
                   is_known(place, length, offsetof(struct hf_handshake_welcome, mac)));
        break;
    default:
        FUZZ_CHECK(!(is_repaired && has_session) && said == 0);
        FUZZ_CHECK(hf_peer_is_open(&side->peer, PEER_NOW_NS) == was_open);
    }
    return 0;
}
