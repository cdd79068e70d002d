/* One key of an authenticated cipher, as the Noise protocol uses it: a 64-bit nonce, associated
 * data, and a tag of 16 bytes behind the text. Pure, on libsodium's primitives.
 *
 * Two suites. AES-256-GCM is four times faster where the processor has instructions for it, and is
 * not there at all otherwise; ChaCha20-Poly1305 is everywhere. The key is kept as the cipher wants
 * it (AES: expanded), so that a datagram costs no preparation.
 *
 * A key is a secret: it belongs in locked memory, and whoever made it wipes it. The program calls
 * sodium_init once before anything here. Nothing blocks; one thread at a time for each key. */
#ifndef HF_NET_CIPHER_H
#define HF_NET_CIPHER_H

#include "engine/status.h"

#include <sodium.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HF_CIPHER_KEY_SIZE 32
#define HF_CIPHER_TAG_SIZE 16
/* The last nonce makes the next key and seals nothing. */
#define HF_CIPHER_NONCE_MAX (UINT64_MAX - 1)

enum hf_cipher_suite {
    HF_CIPHER_NONE = 0, /* no key is set */
    HF_CIPHER_AESGCM = 1,
    HF_CIPHER_CHACHAPOLY = 2,
};

struct hf_cipher {
    union {
        crypto_aead_aes256gcm_state aes;
        uint8_t chacha[HF_CIPHER_KEY_SIZE];
    };
    uint8_t suite; /* enum hf_cipher_suite */
};

/* Is it one of the two, and can this processor do it? */
bool hf_cipher_is_available(unsigned suite);

/* Sets a key of an available suite (asserted). */
void hf_cipher_set(struct hf_cipher *cipher, unsigned suite, const uint8_t key[HF_CIPHER_KEY_SIZE]);
void hf_cipher_wipe(struct hf_cipher *cipher);

/* Seals `size` bytes of `text` into `sealed` (as many; may be `text` itself, must not overlap it
 * otherwise) and writes the tag. No two texts may ever share key and nonce: the caller's duty. */
void hf_cipher_seal(const struct hf_cipher *cipher, uint64_t nonce, const void *data,
                    size_t data_size, const void *text, size_t size, void *sealed,
                    uint8_t tag[HF_CIPHER_TAG_SIZE]);

/* The other way. False when text, tag, nonce or data are not what was sealed: then `text` holds
 * nothing to be used. Nobody else may be able to write to `sealed`: it is read twice. */
HF_MUST_USE bool hf_cipher_open(const struct hf_cipher *cipher, uint64_t nonce, const void *data,
                                size_t data_size, const void *sealed, size_t size,
                                const uint8_t tag[HF_CIPHER_TAG_SIZE], void *text);

/* Noise's Rekey: `next` becomes the key that follows, from which there is no way back. It may be
 * `cipher` itself. */
void hf_cipher_rekey(const struct hf_cipher *cipher, struct hf_cipher *next);

#endif
