/* The side that begins a session: a client at a node, a node at its standby. Pure.
 *
 * Say hello, send that, and say hello again (with new keys, by the same call) every second until an
 * answer has been taken: JOINED gives the session, COOKIE says that the next hello will carry what
 * the responder asked for, so send one at once. An old session goes on meanwhile.
 *
 * One thread at a time; nothing blocks. A struct hf_dial is full of secrets: it lies in locked
 * memory and is wiped. */
#ifndef HF_NET_DIAL_H
#define HF_NET_DIAL_H

#include "channel.h"
#include "cookie.h"

#define HF_DIAL_RETRY_NS UINT64_C(1000000000)

struct hf_dial {
    const struct hf_key_pair *own; /* borrowed */
    struct hf_handshake_keys own_keys, remote_keys;
    uint8_t remote_key[HF_NOISE_KEY_SIZE];
    enum hf_handshake_purpose purpose; /* for clients, unless it is set after hf_dial_begin */
    struct hf_id cluster;
    struct hf_entropy entropy;
    struct hf_channel_limits limits;
    uint64_t id; /* by which the responder is to name the session to us */
    uint64_t last_unix_ns;
    uint64_t cookie_ns; /* when the cookie came */
    uint8_t cookie[HF_HANDSHAKE_COOKIE_SIZE];
    uint8_t mac[HF_HANDSHAKE_MAC_SIZE]; /* of the last hello */
    uint8_t suite;
    bool has_cookie;
    bool is_waiting; /* a hello has been said and not been answered */
    struct hf_noise noise;
};

/* `remote_key` is the responder's public key. The suite must be available (asserted). */
void hf_dial_begin(struct hf_dial *dial, unsigned suite, struct hf_id cluster,
                   const struct hf_key_pair *own, const uint8_t remote_key[HF_NOISE_KEY_SIZE],
                   const struct hf_channel_limits *limits, struct hf_entropy entropy);
void hf_dial_wipe(struct hf_dial *dial);

/* Writes a new hello; what was said before is forgotten. `unix_ns` is the true time: the responder
 * takes no hello from far away in time. False when nobody can have the remote key. */
HF_MUST_USE bool hf_dial_hello(struct hf_dial *dial, uint64_t now_ns, uint64_t unix_ns,
                               struct hf_handshake_hello *hello);

/* Takes a datagram that may be an answer. JOINED: `*channel` is the session. COOKIE: a cookie
 * came. Otherwise (MALFORMED, BAD_MAC, BAD_HANDSHAKE, REPLAYED_HANDSHAKE) nothing has changed and
 * the answer may still come. */
enum hf_fate hf_dial_take(struct hf_dial *dial, const void *datagram, size_t length,
                          uint64_t now_ns, struct hf_channel *channel);

#endif
