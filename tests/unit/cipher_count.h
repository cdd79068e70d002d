/* How often the library's ciphers are called, counted between net/ and libsodium: the linker puts
 * these in between (`cipher_count` in meson.build). Once a program. */
#ifndef HF_TESTS_UNIT_CIPHER_COUNT_H
#define HF_TESTS_UNIT_CIPHER_COUNT_H

#include <sodium.h>

#include <stdint.h>

static uint64_t seal_count, open_count;

#define COUNT_SEALS(name, key_type)                                                             \
    int __real_##name(unsigned char *sealed, unsigned char *tag, unsigned long long *tag_size,  \
                      const unsigned char *text, unsigned long long size,                       \
                      const unsigned char *data, unsigned long long data_size,                  \
                      const unsigned char *unused, const unsigned char *nonce, key_type key);   \
    int __wrap_##name(unsigned char *sealed, unsigned char *tag, unsigned long long *tag_size,  \
                      const unsigned char *text, unsigned long long size,                       \
                      const unsigned char *data, unsigned long long data_size,                  \
                      const unsigned char *unused, const unsigned char *nonce, key_type key);   \
    int __wrap_##name(unsigned char *sealed, unsigned char *tag, unsigned long long *tag_size,  \
                      const unsigned char *text, unsigned long long size,                       \
                      const unsigned char *data, unsigned long long data_size,                  \
                      const unsigned char *unused, const unsigned char *nonce, key_type key)    \
    {                                                                                           \
        seal_count++;                                                                           \
        return __real_##name(sealed, tag, tag_size, text, size, data, data_size, unused, nonce, \
                             key);                                                              \
    }

#define COUNT_OPENS(name, key_type)                                                            \
    int __real_##name(unsigned char *text, unsigned char *unused, const unsigned char *sealed, \
                      unsigned long long size, const unsigned char *tag,                       \
                      const unsigned char *data, unsigned long long data_size,                 \
                      const unsigned char *nonce, key_type key);                               \
    int __wrap_##name(unsigned char *text, unsigned char *unused, const unsigned char *sealed, \
                      unsigned long long size, const unsigned char *tag,                       \
                      const unsigned char *data, unsigned long long data_size,                 \
                      const unsigned char *nonce, key_type key);                               \
    int __wrap_##name(unsigned char *text, unsigned char *unused, const unsigned char *sealed, \
                      unsigned long long size, const unsigned char *tag,                       \
                      const unsigned char *data, unsigned long long data_size,                 \
                      const unsigned char *nonce, key_type key)                                \
    {                                                                                          \
        open_count++;                                                                          \
        return __real_##name(text, unused, sealed, size, tag, data, data_size, nonce, key);    \
    }

COUNT_SEALS(crypto_aead_aes256gcm_encrypt_detached_afternm, const crypto_aead_aes256gcm_state *)
COUNT_SEALS(crypto_aead_chacha20poly1305_ietf_encrypt_detached, const unsigned char *)
COUNT_OPENS(crypto_aead_aes256gcm_decrypt_detached_afternm, const crypto_aead_aes256gcm_state *)
COUNT_OPENS(crypto_aead_chacha20poly1305_ietf_decrypt_detached, const unsigned char *)

#endif
