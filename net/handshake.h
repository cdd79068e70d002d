/* The datagrams of a handshake, byte for byte, and what both sides compute about them. Pure.
 *
 *     HELLO     initiator -> responder   160 bytes   Noise IK's first message
 *     WELCOME   responder -> initiator    96 bytes   its second message: the session is there
 *     COOKIE    responder -> initiator    80 bytes   "too many: say it again with this"
 *
 * An answer is always shorter than the question, so that nobody is drowned with our help.
 * SESSION.md has every byte for someone who writes a client from it alone. */
#ifndef HF_NET_HANDSHAKE_H
#define HF_NET_HANDSHAKE_H

#include "engine/id.h"
#include "noise.h"

#define HF_HANDSHAKE_MAC_SIZE      16
#define HF_HANDSHAKE_PROLOGUE_SIZE 56
#define HF_HANDSHAKE_ANSWER_MAX    96 /* the longest answer */
#define HF_HANDSHAKE_COOKIE_SIZE   16

enum hf_handshake_kind {
    HF_HANDSHAKE_HELLO = 1,
    HF_HANDSHAKE_WELCOME = 2,
    HF_HANDSHAKE_COOKIE = 3,
};

/* What a session is for. A key may serve both: what was said to one door proves nothing at the
 * other.
 */
enum hf_handshake_purpose {
    HF_HANDSHAKE_FOR_CLIENTS = 0, /* operations and replies */
    HF_HANDSHAKE_FOR_PAIR = 1,    /* the two nodes of a pair */
};

/* The first 8 bytes are as in any datagram; `kind` and `suite` lie where the others have a count.
 */
struct hf_handshake_header {
    uint16_t magic;
    uint8_t version;
    uint8_t flags; /* HF_WIRE_HANDSHAKE alone */
    uint16_t length;
    uint8_t kind;
    uint8_t suite; /* enum hf_cipher_suite, also in the answers */
    uint64_t to;   /* the session's number at the receiver; 0 in a HELLO */
    uint64_t from; /* at the sender, in a HELLO; else 0 */
};

struct hf_handshake_hello {
    struct hf_handshake_header header;
    uint8_t noise[HF_NOISE_FIRST_SIZE + sizeof(uint64_t)]; /* payload: Unix time, nanoseconds */
    uint8_t mac[HF_HANDSHAKE_MAC_SIZE];        /* over all before, by the responder's public key */
    uint8_t cookie_mac[HF_HANDSHAKE_MAC_SIZE]; /* over all before, by a cookie; zero without one */
};

struct hf_handshake_welcome {
    struct hf_handshake_header header;
    uint8_t noise[HF_NOISE_SECOND_SIZE + sizeof(uint64_t)]; /* payload: the session's number at the
                                                               responder */
    uint8_t mac[HF_HANDSHAKE_MAC_SIZE]; /* over all before, by the initiator's public key */
};

struct hf_handshake_cookie {
    struct hf_handshake_header header;
    uint8_t nonce[24];
    uint8_t sealed[HF_HANDSHAKE_COOKIE_SIZE + 16];
};

_Static_assert(sizeof(struct hf_handshake_header) == 24, "handshake header");
_Static_assert(sizeof(struct hf_handshake_hello) == 160, "HELLO");
_Static_assert(sizeof(struct hf_handshake_welcome) == 96, "WELCOME");
_Static_assert(sizeof(struct hf_handshake_cookie) == 80, "COOKIE");
_Static_assert(sizeof(struct hf_handshake_welcome) <= HF_HANDSHAKE_ANSWER_MAX, "an answer fits");

/* Where random bytes come from: `fill` writes `size` of them, good enough for keys. */
struct hf_entropy {
    void (*fill)(void *context, void *bytes, size_t size);
    void *context;
};

/* Keys made of a public key: whoever knows it can make them. Computed once. */
struct hf_handshake_keys {
    uint8_t mac[32];
    uint8_t cookie[32];
};
void hf_handshake_keys_make(struct hf_handshake_keys *keys,
                            const uint8_t public_key[HF_NOISE_KEY_SIZE]);

/* Reads the header and checks magic, version, flags and both lengths. False: it is malformed. */
HF_MUST_USE bool hf_handshake_read_header(struct hf_handshake_header *header, const void *datagram,
                                          size_t length);
void hf_handshake_write_header(struct hf_handshake_header *header, enum hf_handshake_kind kind,
                               size_t length, unsigned suite, uint64_t to, uint64_t from);

/* What both sides must agree on before the first word: protocol, purpose, cluster and the HELLO's
 * header. */
void hf_handshake_prologue(uint8_t prologue[HF_HANDSHAKE_PROLOGUE_SIZE],
                           enum hf_handshake_purpose purpose, struct hf_id cluster,
                           const struct hf_handshake_header *hello);

/* The mac over `size` bytes under a key of `key_size` bytes, and its comparison in constant time.
 */
void hf_handshake_mac(uint8_t mac[HF_HANDSHAKE_MAC_SIZE], const uint8_t *key, size_t key_size,
                      const void *bytes, size_t size);
HF_MUST_USE bool hf_handshake_mac_is(const uint8_t mac[HF_HANDSHAKE_MAC_SIZE], const uint8_t *key,
                                     size_t key_size, const void *bytes, size_t size);

#endif
