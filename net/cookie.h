/* The defence against floods of handshakes: a cookie that proves an address, as in WireGuard.
 *
 * To a sender whose HELLO we have no time for we send a cookie: a keyed hash of its address under a
 * secret that changes every two minutes. It comes only to who really has the address. The HELLO is
 * to be sent again with a mac under the cookie. Checking that costs two hashes, no memory and no
 * work on the curve; we remember nothing but the two newest secrets.
 *
 * The cookie travels sealed with a key made of our public key, bound to the HELLO it answers, so
 * that who has not seen that HELLO cannot slip false ones in. Pure. */
#ifndef HF_NET_COOKIE_H
#define HF_NET_COOKIE_H

#include "handshake.h"

/* A secret serves so long, and its cookies are taken as long again. Initiators use a cookie for so
 * long at most. */
#define HF_COOKIE_LIFE_NS UINT64_C(120000000000)

/* Where a datagram came from. Only compared and hashed. */
struct hf_cookie_address {
    uint8_t host[16]; /* IPv6, or IPv4 as ::ffff:a.b.c.d */
    uint8_t port[2];
};

struct hf_cookie_jar {
    uint8_t secrets[2][32]; /* now, before */
    uint64_t changed_ns;
    struct hf_entropy entropy;
};

void hf_cookie_jar_begin(struct hf_cookie_jar *jar, struct hf_entropy entropy, uint64_t now_ns);

/* Does the HELLO have a mac under a cookie at all, good or not? */
HF_MUST_USE bool hf_cookie_is_there(const struct hf_handshake_hello *hello);

/* Does the HELLO have a mac under a cookie that we gave this address lately? */
HF_MUST_USE bool hf_cookie_is_good(struct hf_cookie_jar *jar,
                                   const struct hf_handshake_hello *hello,
                                   const struct hf_cookie_address *address, uint64_t now_ns);

/* Writes the answer to a HELLO whose mac is right. */
void hf_cookie_answer(struct hf_cookie_jar *jar, const struct hf_handshake_keys *keys,
                      const struct hf_handshake_hello *hello,
                      const struct hf_cookie_address *address, uint64_t now_ns,
                      struct hf_handshake_cookie *answer);

/* The initiator's side: takes the cookie out of an answer to the HELLO with this mac. False: it is
 * none. */
HF_MUST_USE bool hf_cookie_take(const struct hf_handshake_cookie *answer,
                                const struct hf_handshake_keys *keys,
                                const uint8_t mac[HF_HANDSHAKE_MAC_SIZE],
                                uint8_t cookie[HF_HANDSHAKE_COOKIE_SIZE]);

#endif
