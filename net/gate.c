#include "gate.h"

#include "wire.h"

#include <assert.h>
#include <string.h>

/* So many hellos of one cipher, then as many of the other. */
#define HELLOS_A_SUITE 3u

enum { NOW, BEFORE };

static bool is_born(const struct hf_channel *channel)
{
    return channel->peer_id != 0;
}

static bool is_alive(const struct hf_channel *channel, uint64_t now_ns)
{
    return is_born(channel) && !hf_channel_is_expired(channel, now_ns);
}

static unsigned best_suite(void)
{
    return hf_cipher_is_available(HF_CIPHER_AESGCM) ? HF_CIPHER_AESGCM : HF_CIPHER_CHACHAPOLY;
}

void hf_gate_begin(struct hf_gate *gate, unsigned suite, struct hf_id cluster,
                   const struct hf_key_pair *own, const uint8_t remote_key[HF_NOISE_KEY_SIZE],
                   const struct hf_channel_limits *limits, struct hf_entropy entropy)
{
    assert(gate != NULL && own != NULL && remote_key != NULL);
    memset(gate, 0, sizeof *gate);
    gate->entropy = entropy;
    gate->retry_ns = HF_DIAL_RETRY_NS;
    hf_dial_begin(&gate->dial, suite != HF_CIPHER_NONE ? suite : best_suite(), cluster, own,
                  remote_key, limits, entropy);
}

void hf_gate_wipe(struct hf_gate *gate)
{
    assert(gate != NULL);
    sodium_memzero(gate, sizeof *gate);
}

bool hf_gate_is_open(const struct hf_gate *gate, uint64_t now_ns)
{
    return is_alive(&gate->channels[NOW], now_ns);
}

/* From when on another session is wanted, whether or not somebody has something to say now. */
static uint64_t wanted_ns(const struct hf_gate *gate)
{
    const struct hf_channel *channel = &gate->channels[NOW];
    uint64_t life_ns = channel->limits.life_ns;
    if (!is_born(channel))
        return 0;
    uint64_t renewal_ns = channel->born_ns + life_ns - life_ns / 6;
    uint64_t silence_ns = gate->spoken_ns != 0 ? gate->spoken_ns + HF_GATE_SILENCE_NS : UINT64_MAX;
    return silence_ns < renewal_ns ? silence_ns : renewal_ns;
}

void hf_gate_has_spoken(struct hf_gate *gate, uint64_t now_ns)
{
    if (gate->spoken_ns == 0)
        gate->spoken_ns = now_ns;
}

void hf_gate_has_heard(struct hf_gate *gate)
{
    gate->spoken_ns = 0;
}

/* How long after the last hello the next one follows. */
static uint64_t patience_ns(const struct hf_gate *gate)
{
    uint64_t patience = gate->retry_ns;
    for (uint32_t i = 1; i < gate->unanswered && patience < HF_DIAL_RETRY_NS; i++)
        patience *= 2;
    return patience < HF_DIAL_RETRY_NS ? patience : HF_DIAL_RETRY_NS;
}

uint64_t hf_gate_hello_ns(const struct hf_gate *gate, bool wants)
{
    assert(gate != NULL && gate->dial.own != NULL);
    if (!wants)
        return UINT64_MAX;
    if (gate->is_hello_due)
        return 0;
    uint64_t next_ns = gate->has_said ? gate->hello_ns + patience_ns(gate) : 0;
    uint64_t due_ns = wanted_ns(gate);
    return due_ns > next_ns ? due_ns : next_ns;
}

/* The server may have no such cipher: it says nothing then. */
static void change_suite(struct hf_dial *dial)
{
    unsigned other = dial->suite == HF_CIPHER_AESGCM ? HF_CIPHER_CHACHAPOLY : HF_CIPHER_AESGCM;
    if (hf_cipher_is_available(other))
        dial->suite = (uint8_t)other;
}

bool hf_gate_hello(struct hf_gate *gate, bool wants, uint64_t now_ns, uint64_t unix_ns,
                   struct hf_handshake_hello *hello)
{
    assert(gate != NULL && hello != NULL);
    if (now_ns < hf_gate_hello_ns(gate, wants))
        return false;
    if (gate->hello_count == HELLOS_A_SUITE) {
        change_suite(&gate->dial);
        gate->hello_count = 0;
    }
    gate->hello_count += !gate->is_hello_due;
    gate->unanswered += !gate->is_hello_due && gate->unanswered < UINT32_MAX;
    gate->is_hello_due = false;
    gate->has_said = true;
    gate->hello_ns = now_ns;
    return hf_dial_hello(&gate->dial, now_ns, unix_ns, hello);
}

uint32_t hf_gate_seal(struct hf_gate *gate, uint8_t *datagram, uint32_t length, size_t capacity,
                      uint64_t now_ns)
{
    assert(gate != NULL);
    if (!hf_gate_is_open(gate, now_ns))
        return 0;
    uint32_t sealed = hf_channel_seal(&gate->channels[NOW], datagram, length, capacity, now_ns);
    hf_gate_has_spoken(gate, now_ns);
    return sealed;
}

static enum hf_fate open_sealed(struct hf_gate *gate, const void *datagram, size_t length,
                                uint64_t now_ns, uint8_t *plain, uint32_t *plain_length)
{
    struct hf_wire_header header;
    memcpy(&header, datagram, sizeof header);
    for (int i = NOW; i <= BEFORE; i++) {
        struct hf_channel *channel = &gate->channels[i];
        if (!is_born(channel) || header.session != channel->own_id)
            continue;
        enum hf_fate fate = hf_channel_open(channel, datagram, length, now_ns, plain, plain_length);
        /* A word in the session before does not say that the present one is known. */
        if (fate == HF_FATE_OPENED && i == NOW) {
            gate->heard_ns = now_ns;
            hf_gate_has_heard(gate);
            hf_channel_age(channel, now_ns);
            if (is_born(&gate->channels[BEFORE]) && !is_alive(&gate->channels[BEFORE], now_ns))
                hf_channel_wipe(&gate->channels[BEFORE]);
        }
        return fate;
    }
    return HF_FATE_UNKNOWN_SESSION;
}

enum hf_fate hf_gate_take(struct hf_gate *gate, const void *datagram, size_t length,
                          uint64_t now_ns, uint8_t *plain, uint32_t *plain_length)
{
    assert(gate != NULL && plain_length != NULL);
    *plain_length = 0;
    if (length < sizeof(struct hf_wire_header))
        return HF_FATE_MALFORMED;
    if (((const uint8_t *)datagram)[offsetof(struct hf_wire_header, flags)] != HF_WIRE_HANDSHAKE)
        return open_sealed(gate, datagram, length, now_ns, plain, plain_length);

    struct hf_channel joined;
    enum hf_fate fate = hf_dial_take(&gate->dial, datagram, length, now_ns, &joined);
    if (fate == HF_FATE_COOKIE)
        gate->is_hello_due = true;
    if (fate == HF_FATE_JOINED) {
        gate->channels[BEFORE] = gate->channels[NOW];
        gate->channels[NOW] = joined;
        gate->heard_ns = now_ns;
        gate->unanswered = 0;
        gate->hello_count = 0;
        gate->is_hello_due = false;
        hf_gate_has_heard(gate);
        hf_channel_wipe(&joined);
    }
    return fate;
}
