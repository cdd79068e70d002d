#include "handshake.h"

#include "wire.h"

#include <assert.h>
#include <string.h>

_Static_assert(offsetof(struct hf_handshake_header, length) ==
                   offsetof(struct hf_wire_header, length),
               "a handshake begins like any datagram");
_Static_assert(offsetof(struct hf_handshake_header, kind) == 6, "header: kind");
_Static_assert(offsetof(struct hf_handshake_header, suite) == 7, "header: suite");
_Static_assert(offsetof(struct hf_handshake_header, to) == 8, "header: to");
_Static_assert(offsetof(struct hf_handshake_header, from) == 16, "header: from");
_Static_assert(offsetof(struct hf_handshake_hello, noise) == 24, "HELLO: noise");
_Static_assert(offsetof(struct hf_handshake_hello, mac) == 128, "HELLO: mac");
_Static_assert(offsetof(struct hf_handshake_hello, cookie_mac) == 144, "HELLO: cookie mac");
_Static_assert(offsetof(struct hf_handshake_welcome, noise) == 24, "WELCOME: noise");
_Static_assert(offsetof(struct hf_handshake_welcome, mac) == 80, "WELCOME: mac");
_Static_assert(offsetof(struct hf_handshake_cookie, nonce) == 24, "COOKIE: nonce");
_Static_assert(offsetof(struct hf_handshake_cookie, sealed) == 48, "COOKIE: sealed");

#define LABEL_SIZE 16

/* Sixteen bytes each; a shorter word is filled up with NULs. */
static const uint8_t label_session[LABEL_SIZE] = "HOLDFAST-SESSION";
static const uint8_t label_pair[LABEL_SIZE] = "HOLDFAST-PAIR";
static const uint8_t label_mac[LABEL_SIZE] = "HOLDFAST-MAC";
static const uint8_t label_cookie[LABEL_SIZE] = "HOLDFAST-COOKIE";

static void key_of(uint8_t key[32], const uint8_t label[LABEL_SIZE],
                   const uint8_t public_key[HF_NOISE_KEY_SIZE])
{
    uint8_t bytes[LABEL_SIZE + HF_NOISE_KEY_SIZE];
    memcpy(bytes, label, LABEL_SIZE);
    memcpy(bytes + LABEL_SIZE, public_key, HF_NOISE_KEY_SIZE);
    crypto_generichash_blake2b(key, 32, bytes, sizeof bytes, NULL, 0);
}

void hf_handshake_keys_make(struct hf_handshake_keys *keys,
                            const uint8_t public_key[HF_NOISE_KEY_SIZE])
{
    assert(keys != NULL && public_key != NULL);
    key_of(keys->mac, label_mac, public_key);
    key_of(keys->cookie, label_cookie, public_key);
}

bool hf_handshake_read_header(struct hf_handshake_header *header, const void *datagram,
                              size_t length)
{
    assert(header != NULL);
    assert(datagram != NULL || length == 0);
    if (length < sizeof *header)
        return false;
    memcpy(header, datagram, sizeof *header);
    return header->magic == HF_WIRE_MAGIC && header->version == HF_WIRE_VERSION &&
           header->flags == HF_WIRE_HANDSHAKE && header->length == length;
}

void hf_handshake_write_header(struct hf_handshake_header *header, enum hf_handshake_kind kind,
                               size_t length, unsigned suite, uint64_t to, uint64_t from)
{
    assert(header != NULL);
    assert(length <= UINT16_MAX);
    *header = (struct hf_handshake_header){
        .magic = HF_WIRE_MAGIC,
        .version = HF_WIRE_VERSION,
        .flags = HF_WIRE_HANDSHAKE,
        .length = (uint16_t)length,
        .kind = (uint8_t)kind,
        .suite = (uint8_t)suite,
        .to = to,
        .from = from,
    };
}

void hf_handshake_prologue(uint8_t prologue[HF_HANDSHAKE_PROLOGUE_SIZE],
                           enum hf_handshake_purpose purpose, struct hf_id cluster,
                           const struct hf_handshake_header *hello)
{
    bool is_pair = purpose == HF_HANDSHAKE_FOR_PAIR;
    _Static_assert(LABEL_SIZE + sizeof cluster + sizeof *hello == HF_HANDSHAKE_PROLOGUE_SIZE,
                   "all of the prologue");
    assert(prologue != NULL && hello != NULL);
    memcpy(prologue, is_pair ? label_pair : label_session, LABEL_SIZE);
    memcpy(prologue + LABEL_SIZE, &cluster, sizeof cluster);
    memcpy(prologue + LABEL_SIZE + sizeof cluster, hello, sizeof *hello);
}

void hf_handshake_mac(uint8_t mac[HF_HANDSHAKE_MAC_SIZE], const uint8_t *key, size_t key_size,
                      const void *bytes, size_t size)
{
    assert(mac != NULL && key != NULL);
    crypto_generichash_blake2b(mac, HF_HANDSHAKE_MAC_SIZE, bytes, size, key, key_size);
}

bool hf_handshake_mac_is(const uint8_t mac[HF_HANDSHAKE_MAC_SIZE], const uint8_t *key,
                         size_t key_size, const void *bytes, size_t size)
{
    uint8_t right[HF_HANDSHAKE_MAC_SIZE];
    hf_handshake_mac(right, key, key_size, bytes, size);
    return sodium_memcmp(mac, right, sizeof right) == 0;
}
