#include "cookie.h"

#include <assert.h>
#include <string.h>

_Static_assert(sizeof(struct hf_cookie_address) == 18, "hashed whole: no padding");
_Static_assert(crypto_aead_xchacha20poly1305_ietf_NPUBBYTES ==
                   sizeof(((struct hf_handshake_cookie *)NULL)->nonce),
               "COOKIE: nonce");
_Static_assert(crypto_aead_xchacha20poly1305_ietf_ABYTES + HF_HANDSHAKE_COOKIE_SIZE ==
                   sizeof(((struct hf_handshake_cookie *)NULL)->sealed),
               "COOKIE: sealed");
_Static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES ==
                   sizeof(((struct hf_handshake_keys *)NULL)->cookie),
               "the key of cookies");

enum { NOW, BEFORE };

static void draw(struct hf_cookie_jar *jar, void *bytes, size_t size)
{
    jar->entropy.fill(jar->entropy.context, bytes, size);
}

void hf_cookie_jar_begin(struct hf_cookie_jar *jar, struct hf_entropy entropy, uint64_t now_ns)
{
    assert(jar != NULL && entropy.fill != NULL);
    jar->entropy = entropy;
    jar->changed_ns = now_ns;
    draw(jar, jar->secrets, sizeof jar->secrets);
}

static void rotate(struct hf_cookie_jar *jar, uint64_t now_ns)
{
    if (now_ns < jar->changed_ns || now_ns - jar->changed_ns < HF_COOKIE_LIFE_NS)
        return;
    /* After a long silence the secret before is too old as well. */
    bool is_long = now_ns - jar->changed_ns >= 2 * HF_COOKIE_LIFE_NS;
    memcpy(jar->secrets[BEFORE], jar->secrets[NOW], sizeof jar->secrets[NOW]);
    draw(jar, jar->secrets[NOW], sizeof jar->secrets[NOW]);
    if (is_long)
        draw(jar, jar->secrets[BEFORE], sizeof jar->secrets[BEFORE]);
    jar->changed_ns = now_ns;
}

static void bake(const struct hf_cookie_jar *jar, unsigned which,
                 const struct hf_cookie_address *address, uint8_t cookie[HF_HANDSHAKE_COOKIE_SIZE])
{
    crypto_generichash_blake2b(cookie, HF_HANDSHAKE_COOKIE_SIZE, (const uint8_t *)address,
                               sizeof *address, jar->secrets[which], sizeof jar->secrets[which]);
}

bool hf_cookie_is_there(const struct hf_handshake_hello *hello)
{
    static const uint8_t none[HF_HANDSHAKE_MAC_SIZE];

    assert(hello != NULL);
    return memcmp(hello->cookie_mac, none, sizeof none) != 0;
}

bool hf_cookie_is_good(struct hf_cookie_jar *jar, const struct hf_handshake_hello *hello,
                       const struct hf_cookie_address *address, uint64_t now_ns)
{
    assert(jar != NULL && hello != NULL && address != NULL);
    if (!hf_cookie_is_there(hello))
        return false;
    rotate(jar, now_ns);
    bool is_good = false;
    for (unsigned which = NOW; which <= BEFORE && !is_good; which++) {
        uint8_t cookie[HF_HANDSHAKE_COOKIE_SIZE];
        bake(jar, which, address, cookie);
        is_good = hf_handshake_mac_is(hello->cookie_mac, cookie, sizeof cookie, hello,
                                      offsetof(struct hf_handshake_hello, cookie_mac));
        sodium_memzero(cookie, sizeof cookie);
    }
    return is_good;
}

void hf_cookie_answer(struct hf_cookie_jar *jar, const struct hf_handshake_keys *keys,
                      const struct hf_handshake_hello *hello,
                      const struct hf_cookie_address *address, uint64_t now_ns,
                      struct hf_handshake_cookie *answer)
{
    assert(jar != NULL && keys != NULL && hello != NULL);
    assert(address != NULL && answer != NULL);
    uint8_t cookie[HF_HANDSHAKE_COOKIE_SIZE];
    rotate(jar, now_ns);
    bake(jar, NOW, address, cookie);
    hf_handshake_write_header(&answer->header, HF_HANDSHAKE_COOKIE, sizeof *answer,
                              hello->header.suite, hello->header.from, 0);
    draw(jar, answer->nonce, sizeof answer->nonce);
    crypto_aead_xchacha20poly1305_ietf_encrypt(answer->sealed, NULL, cookie, sizeof cookie,
                                               hello->mac, sizeof hello->mac, NULL, answer->nonce,
                                               keys->cookie);
    sodium_memzero(cookie, sizeof cookie);
}

bool hf_cookie_take(const struct hf_handshake_cookie *answer, const struct hf_handshake_keys *keys,
                    const uint8_t mac[HF_HANDSHAKE_MAC_SIZE],
                    uint8_t cookie[HF_HANDSHAKE_COOKIE_SIZE])
{
    assert(answer != NULL && keys != NULL);
    assert(mac != NULL && cookie != NULL);
    return crypto_aead_xchacha20poly1305_ietf_decrypt(
               cookie, NULL, NULL, answer->sealed, sizeof answer->sealed, mac,
               HF_HANDSHAKE_MAC_SIZE, answer->nonce, keys->cookie) == 0;
}
