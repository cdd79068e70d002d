/* The two suites differ in one thing besides the primitive: Noise writes the nonce big-endian for
 * AES-GCM and little-endian for ChaCha20, behind four zero bytes each time. */
#include "cipher.h"

#include <assert.h>
#include <string.h>

#define NONCE_SIZE 12

_Static_assert(crypto_aead_aes256gcm_KEYBYTES == HF_CIPHER_KEY_SIZE, "AES-256 key");
_Static_assert(crypto_aead_aes256gcm_NPUBBYTES == NONCE_SIZE, "GCM nonce");
_Static_assert(crypto_aead_aes256gcm_ABYTES == HF_CIPHER_TAG_SIZE, "GCM tag");
_Static_assert(crypto_aead_chacha20poly1305_IETF_KEYBYTES == HF_CIPHER_KEY_SIZE, "ChaCha20 key");
_Static_assert(crypto_aead_chacha20poly1305_IETF_NPUBBYTES == NONCE_SIZE, "ChaCha20 nonce");
_Static_assert(crypto_aead_chacha20poly1305_IETF_ABYTES == HF_CIPHER_TAG_SIZE, "Poly1305 tag");

bool hf_cipher_is_available(unsigned suite)
{
    if (suite == HF_CIPHER_AESGCM)
        return crypto_aead_aes256gcm_is_available() != 0;
    return suite == HF_CIPHER_CHACHAPOLY;
}

void hf_cipher_set(struct hf_cipher *cipher, unsigned suite, const uint8_t key[HF_CIPHER_KEY_SIZE])
{
    assert(cipher != NULL && key != NULL);
    assert(hf_cipher_is_available(suite));
    if (suite == HF_CIPHER_AESGCM) {
        crypto_aead_aes256gcm_beforenm(&cipher->aes, key);
    } else {
        memcpy(cipher->chacha, key, HF_CIPHER_KEY_SIZE);
    }
    cipher->suite = (uint8_t)suite;
}

void hf_cipher_wipe(struct hf_cipher *cipher)
{
    assert(cipher != NULL);
    sodium_memzero(cipher, sizeof *cipher);
}

static void write_nonce(uint8_t bytes[NONCE_SIZE], unsigned suite, uint64_t nonce)
{
    uint64_t ordered = suite == HF_CIPHER_AESGCM ? __builtin_bswap64(nonce) : nonce;
    memset(bytes, 0, NONCE_SIZE - sizeof ordered);
    memcpy(bytes + NONCE_SIZE - sizeof ordered, &ordered, sizeof ordered);
}

/* With any nonce: the reserved one too. */
static void seal(const struct hf_cipher *cipher, uint64_t nonce, const void *data, size_t data_size,
                 const void *text, size_t size, void *sealed, uint8_t tag[HF_CIPHER_TAG_SIZE])
{
    uint8_t bytes[NONCE_SIZE];
    write_nonce(bytes, cipher->suite, nonce);
    if (cipher->suite == HF_CIPHER_AESGCM) {
        crypto_aead_aes256gcm_encrypt_detached_afternm(sealed, tag, NULL, text, size, data,
                                                       data_size, NULL, bytes, &cipher->aes);
    } else {
        crypto_aead_chacha20poly1305_ietf_encrypt_detached(sealed, tag, NULL, text, size, data,
                                                           data_size, NULL, bytes, cipher->chacha);
    }
}

void hf_cipher_seal(const struct hf_cipher *cipher, uint64_t nonce, const void *data,
                    size_t data_size, const void *text, size_t size, void *sealed,
                    uint8_t tag[HF_CIPHER_TAG_SIZE])
{
    assert(cipher != NULL && cipher->suite != HF_CIPHER_NONE);
    assert(nonce <= HF_CIPHER_NONCE_MAX);
    seal(cipher, nonce, data, data_size, text, size, sealed, tag);
}

bool hf_cipher_open(const struct hf_cipher *cipher, uint64_t nonce, const void *data,
                    size_t data_size, const void *sealed, size_t size,
                    const uint8_t tag[HF_CIPHER_TAG_SIZE], void *text)
{
    assert(cipher != NULL);
    assert(cipher->suite != HF_CIPHER_NONE);
    if (nonce > HF_CIPHER_NONCE_MAX)
        return false;
    uint8_t bytes[NONCE_SIZE];
    write_nonce(bytes, cipher->suite, nonce);
    if (cipher->suite == HF_CIPHER_AESGCM)
        return crypto_aead_aes256gcm_decrypt_detached_afternm(text, NULL, sealed, size, tag, data,
                                                              data_size, bytes, &cipher->aes) == 0;
    return crypto_aead_chacha20poly1305_ietf_decrypt_detached(
               text, NULL, sealed, size, tag, data, data_size, bytes, cipher->chacha) == 0;
}

void hf_cipher_rekey(const struct hf_cipher *cipher, struct hf_cipher *next)
{
    assert(cipher != NULL && next != NULL);
    assert(cipher->suite != HF_CIPHER_NONE);
    static const uint8_t zeros[HF_CIPHER_KEY_SIZE];
    uint8_t key[HF_CIPHER_KEY_SIZE];
    uint8_t tag[HF_CIPHER_TAG_SIZE];
    seal(cipher, UINT64_MAX, NULL, 0, zeros, sizeof zeros, key, tag);
    hf_cipher_set(next, cipher->suite, key);
    sodium_memzero(key, sizeof key);
}
