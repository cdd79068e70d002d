#include "peer.h"

#include "wire.h"

#include <assert.h>
#include <string.h>

#define SECOND_NS UINT64_C(1000000000)

_Static_assert(HF_PEER_HEADER_SIZE == sizeof(struct hf_wire_header), "a sealed datagram's header");

const struct hf_channel_limits hf_peer_limits_default = {
    .datagram_max = UINT16_MAX,
    .epoch_ns = 120 * SECOND_NS,
    .epoch_datagrams = UINT64_C(1) << 23,
    .grace_ns = 10 * SECOND_NS,
    .life_ns = 3600 * SECOND_NS,
};

static struct hf_session_config table_config(const struct hf_peer_config *config)
{
    return (struct hf_session_config){
        .purpose = HF_HANDSHAKE_FOR_PAIR,
        .cluster = config->cluster,
        .limits = config->limits,
        .origins_max = 1,
        .sessions_per_origin = HF_PEER_SESSIONS,
        .looks_per_s = HF_PEER_LOOKS_PER_S,
        .looks_per_address = HF_PEER_LOOKS_PER_S,
        .free_per_s = HF_PEER_FREE_PER_S,
        .hellos_per_s = HF_PEER_HELLOS_PER_S,
        .host_per_s = HF_PEER_FREE_PER_S,
    };
}

static size_t table_size(void)
{
    const struct hf_peer_config none = {0};
    const struct hf_session_config config = table_config(&none);
    return hf_session_memory_size(&config);
}

size_t hf_peer_memory_size(void)
{
    return table_size() + hf_sealer_memory_size(HF_PEER_SESSIONS);
}

void hf_peer_begin(struct hf_peer *peer, const struct hf_peer_config *config, void *memory,
                   uint64_t now_ns)
{
    assert(peer != NULL && config != NULL && memory != NULL);
    const uint8_t *own_key = config->own->public_key;
    const struct hf_session_config sessions = table_config(config);
    int order = memcmp(own_key, config->remote_key, HF_NOISE_KEY_SIZE);
    assert(order != 0);
    memset(peer, 0, sizeof *peer);
    peer->limits = config->limits;
    peer->chooses = order > 0;
    hf_gate_begin(&peer->gate, HF_CIPHER_NONE, config->cluster, config->own, config->remote_key,
                  &config->limits, config->entropy);
    peer->gate.dial.purpose = HF_HANDSHAKE_FOR_PAIR;
    peer->gate.retry_ns = HF_PEER_RETRY_NS;
    hf_session_table_begin(&peer->table, &sessions, config->own, config->entropy, memory, now_ns);
    enum hf_status status = hf_session_origin_put(&peer->table, 0, config->remote_key);
    assert(status == HF_STATUS_OK);
    hf_sealer_begin(&peer->sealer, peer->table.slates, HF_PEER_SESSIONS, &config->limits,
                    (uint8_t *)memory + table_size());
}

void hf_peer_wipe(struct hf_peer *peer)
{
    assert(peer != NULL);
    hf_sealer_wipe(&peer->sealer);
    hf_session_table_wipe(&peer->table);
    sodium_memzero(peer, sizeof *peer);
}

/* ---- which session */

static bool theirs_is_alive(const struct hf_peer *peer, uint64_t now_ns)
{
    return peer->theirs != 0 &&
           (now_ns < peer->theirs_born_ns || now_ns - peer->theirs_born_ns < peer->limits.life_ns);
}

/* Of two sessions, who chooses takes the one that it joined or heard first later: nothing that is
 * old and comes late can change that. The other takes what it has heard last. */
static bool speaks_in_own(const struct hf_peer *peer, uint64_t now_ns)
{
    const struct hf_gate *gate = &peer->gate;
    bool has_own = hf_gate_is_open(gate, now_ns);
    if (!has_own || !theirs_is_alive(peer, now_ns))
        return has_own;
    return peer->chooses ? gate->channels[0].born_ns > peer->theirs_since_ns
                         : gate->heard_ns > peer->theirs_heard_ns;
}

bool hf_peer_is_open(const struct hf_peer *peer, uint64_t now_ns)
{
    assert(peer != NULL);
    return hf_gate_is_open(&peer->gate, now_ns) || theirs_is_alive(peer, now_ns);
}

/* ---- saying */

/* While we speak in a session of the other's, it sees to the next one, unless it has fallen silent.
 */
static bool wants_own(const struct hf_peer *peer, uint64_t now_ns)
{
    uint64_t spoken_ns = peer->gate.spoken_ns;
    return speaks_in_own(peer, now_ns) || !theirs_is_alive(peer, now_ns) ||
           (spoken_ns != 0 && now_ns > spoken_ns && now_ns - spoken_ns >= HF_GATE_SILENCE_NS);
}

bool hf_peer_hello(struct hf_peer *peer, uint64_t now_ns, uint64_t unix_ns,
                   struct hf_handshake_hello *hello)
{
    assert(peer != NULL && hello != NULL);
    if (now_ns - peer->swept_ns >= SECOND_NS) {
        peer->swept_ns = now_ns;
        hf_session_sweep(&peer->table, now_ns);
    }
    return hf_gate_hello(&peer->gate, wants_own(peer, now_ns), now_ns, unix_ns, hello);
}

static void write_header(uint8_t *datagram, uint32_t length, uint8_t flags)
{
    const struct hf_wire_header header = {
        .magic = HF_WIRE_MAGIC,
        .version = HF_WIRE_VERSION,
        .flags = flags,
        .length = (uint16_t)length,
    };
    memcpy(datagram, &header, sizeof header);
}

uint32_t hf_peer_seal(struct hf_peer *peer, uint8_t *datagram, uint32_t length, size_t capacity,
                      uint64_t now_ns)
{
    assert(peer != NULL && datagram != NULL);
    assert(length <= peer->limits.datagram_max - HF_PEER_ROOM);
    uint64_t spoken_ns = peer->gate.spoken_ns;
    uint32_t plain = HF_PEER_HEADER_SIZE + length;
    uint32_t sealed = 0;
    if (!speaks_in_own(peer, now_ns) && theirs_is_alive(peer, now_ns)) {
        write_header(datagram, plain, HF_WIRE_REPLIES);
        sealed = hf_sealer_seal(&peer->sealer, peer->theirs, datagram, plain, capacity, now_ns);
        if (sealed == 0)
            peer->theirs = 0; /* it made room for another, or carries no more */
        else
            hf_gate_has_spoken(&peer->gate, now_ns);
    }
    if (sealed == 0) {
        write_header(datagram, plain, 0);
        sealed = hf_gate_seal(&peer->gate, datagram, plain, capacity, now_ns);
    }
    if (sealed != 0) {
        peer->owes_word = false;
        peer->answer_due_ns = 0;
    }
    if (length == 0)
        peer->gate.spoken_ns = spoken_ns;
    return sealed;
}

bool hf_peer_owes_word(const struct hf_peer *peer, uint64_t now_ns)
{
    assert(peer != NULL);
    return peer->owes_word || (peer->answer_due_ns != 0 && now_ns >= peer->answer_due_ns);
}

/* ---- hearing */

/* Is it for the gate: an answer to our hello, or said in a session that we dialed? */
static bool is_for_gate(const struct hf_session_arrival *arrival)
{
    struct hf_handshake_header header;
    if (arrival->length < sizeof header)
        return false;
    memcpy(&header, arrival->datagram, sizeof header);
    if (header.flags == HF_WIRE_HANDSHAKE)
        return header.kind != HF_HANDSHAKE_HELLO;
    return header.flags == (HF_WIRE_SEALED | HF_WIRE_REPLIES);
}

static enum hf_fate receive_in_own(struct hf_peer *peer, const struct hf_session_arrival *arrival,
                                   uint8_t *buffer, uint32_t *length)
{
    enum hf_fate fate = hf_gate_take(&peer->gate, arrival->datagram, arrival->length,
                                     arrival->now_ns, buffer, length);
    if (fate == HF_FATE_JOINED)
        peer->owes_word = true;
    return fate;
}

static enum hf_fate receive_in_theirs(struct hf_peer *peer,
                                      const struct hf_session_arrival *arrival, uint8_t *buffer,
                                      uint32_t *length)
{
    struct hf_session_result result;
    enum hf_fate fate = hf_session_receive(&peer->table, arrival, buffer, &result);
    *length = result.length;
    if (fate != HF_FATE_OPENED)
        return fate;
    bool is_later = peer->theirs == 0 || result.born_ns >= peer->theirs_born_ns;
    if (result.session != peer->theirs && is_later) {
        peer->theirs = result.session;
        peer->theirs_born_ns = result.born_ns;
        peer->theirs_since_ns = arrival->now_ns;
        peer->owes_word = true;
    }
    if (result.session == peer->theirs)
        peer->theirs_heard_ns = arrival->now_ns;
    hf_gate_has_heard(&peer->gate);
    return fate;
}

enum hf_fate hf_peer_receive(struct hf_peer *peer, const struct hf_session_arrival *arrival,
                             uint8_t *buffer, uint32_t *length)
{
    assert(peer != NULL && arrival != NULL);
    assert(buffer != NULL && length != NULL);
    enum hf_fate fate = is_for_gate(arrival) ? receive_in_own(peer, arrival, buffer, length)
                                             : receive_in_theirs(peer, arrival, buffer, length);
    if (fate != HF_FATE_OPENED)
        return fate;
    *length -= HF_PEER_HEADER_SIZE;
    if (*length != 0 && peer->answer_due_ns == 0)
        peer->answer_due_ns = arrival->now_ns + HF_PEER_ANSWER_NS;
    return fate;
}
