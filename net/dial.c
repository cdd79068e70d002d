#include "dial.h"

#include <assert.h>
#include <string.h>

#define ID_ALWAYS (UINT64_C(1) << 63) /* no session's number is zero */

void hf_dial_begin(struct hf_dial *dial, unsigned suite, struct hf_id cluster,
                   const struct hf_key_pair *own, const uint8_t remote_key[HF_NOISE_KEY_SIZE],
                   const struct hf_channel_limits *limits, struct hf_entropy entropy)
{
    assert(dial != NULL && own != NULL && remote_key != NULL);
    assert(limits != NULL && entropy.fill != NULL);
    assert(hf_cipher_is_available(suite));
    memset(dial, 0, sizeof *dial);
    dial->own = own;
    dial->cluster = cluster;
    dial->entropy = entropy;
    dial->limits = *limits;
    dial->suite = (uint8_t)suite;
    memcpy(dial->remote_key, remote_key, HF_NOISE_KEY_SIZE);
    hf_handshake_keys_make(&dial->own_keys, own->public_key);
    hf_handshake_keys_make(&dial->remote_keys, remote_key);
}

void hf_dial_wipe(struct hf_dial *dial)
{
    assert(dial != NULL);
    sodium_memzero(dial, sizeof *dial);
}

/* The time that a hello tells: no two of them tell the same. */
static uint64_t next_time(struct hf_dial *dial, uint64_t unix_ns)
{
    dial->last_unix_ns = unix_ns > dial->last_unix_ns ? unix_ns : dial->last_unix_ns + 1;
    return dial->last_unix_ns;
}

bool hf_dial_hello(struct hf_dial *dial, uint64_t now_ns, uint64_t unix_ns,
                   struct hf_handshake_hello *hello)
{
    assert(dial != NULL && hello != NULL);
    assert(dial->own != NULL);
    uint8_t prologue[HF_HANDSHAKE_PROLOGUE_SIZE];
    uint8_t ephemeral[HF_NOISE_KEY_SIZE];
    uint64_t time_ns = next_time(dial, unix_ns);
    dial->entropy.fill(dial->entropy.context, &dial->id, sizeof dial->id);
    dial->id |= ID_ALWAYS;
    dial->entropy.fill(dial->entropy.context, ephemeral, sizeof ephemeral);

    hf_handshake_write_header(&hello->header, HF_HANDSHAKE_HELLO, sizeof *hello, dial->suite, 0,
                              dial->id);
    hf_handshake_prologue(prologue, dial->purpose, dial->cluster, &hello->header);
    hf_noise_begin(&dial->noise, dial->suite, prologue, sizeof prologue, dial->own,
                   dial->remote_key);
    dial->is_waiting =
        hf_noise_write_first(&dial->noise, ephemeral, &time_ns, sizeof time_ns, hello->noise);
    sodium_memzero(ephemeral, sizeof ephemeral);
    if (!dial->is_waiting)
        return false;

    hf_handshake_mac(hello->mac, dial->remote_keys.mac, sizeof dial->remote_keys.mac, hello,
                     offsetof(struct hf_handshake_hello, mac));
    memcpy(dial->mac, hello->mac, sizeof dial->mac);
    memset(hello->cookie_mac, 0, sizeof hello->cookie_mac);
    if (dial->has_cookie && now_ns - dial->cookie_ns < HF_COOKIE_LIFE_NS)
        hf_handshake_mac(hello->cookie_mac, dial->cookie, sizeof dial->cookie, hello,
                         offsetof(struct hf_handshake_hello, cookie_mac));
    return true;
}

static enum hf_fate take_cookie(struct hf_dial *dial, const void *datagram, uint64_t now_ns)
{
    struct hf_handshake_cookie answer;
    memcpy(&answer, datagram, sizeof answer);
    uint8_t cookie[HF_HANDSHAKE_COOKIE_SIZE];
    if (!hf_cookie_take(&answer, &dial->remote_keys, dial->mac, cookie))
        return HF_FATE_BAD_HANDSHAKE;
    memcpy(dial->cookie, cookie, sizeof cookie);
    dial->cookie_ns = now_ns;
    dial->has_cookie = true;
    return HF_FATE_COOKIE;
}

static enum hf_fate take_welcome(struct hf_dial *dial, const void *datagram, uint64_t now_ns,
                                 struct hf_channel *channel)
{
    struct hf_handshake_welcome welcome;
    memcpy(&welcome, datagram, sizeof welcome);
    if (!hf_handshake_mac_is(welcome.mac, dial->own_keys.mac, sizeof dial->own_keys.mac, &welcome,
                             offsetof(struct hf_handshake_welcome, mac)))
        return HF_FATE_BAD_MAC;

    /* On a copy: the mac only shows that somebody knows our public key. */
    struct hf_noise noise = dial->noise;
    uint64_t peer_id = 0;
    bool is_sound =
        hf_noise_read_second(&noise, welcome.noise, sizeof peer_id, &peer_id) && peer_id != 0;
    if (is_sound) {
        struct hf_cipher sending, receiving;
        hf_noise_split(&noise, &sending, &receiving);
        hf_channel_begin(channel, &dial->limits, true, dial->id, peer_id, &sending, &receiving,
                         now_ns);
        hf_cipher_wipe(&sending);
        hf_cipher_wipe(&receiving);
        hf_noise_wipe(&dial->noise);
        dial->is_waiting = false;
    }
    hf_noise_wipe(&noise);
    return is_sound ? HF_FATE_JOINED : HF_FATE_BAD_HANDSHAKE;
}

enum hf_fate hf_dial_take(struct hf_dial *dial, const void *datagram, size_t length,
                          uint64_t now_ns, struct hf_channel *channel)
{
    assert(dial != NULL && channel != NULL);
    assert(datagram != NULL || length == 0);
    struct hf_handshake_header header;
    if (!hf_handshake_read_header(&header, datagram, length) || header.from != 0 ||
        header.suite != dial->suite)
        return HF_FATE_MALFORMED;
    if (!dial->is_waiting || header.to != dial->id)
        return HF_FATE_REPLAYED_HANDSHAKE;
    if (header.kind == HF_HANDSHAKE_COOKIE && length == sizeof(struct hf_handshake_cookie))
        return take_cookie(dial, datagram, now_ns);
    if (header.kind == HF_HANDSHAKE_WELCOME && length == sizeof(struct hf_handshake_welcome))
        return take_welcome(dial, datagram, now_ns, channel);
    return HF_FATE_MALFORMED;
}
