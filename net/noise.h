/* The Noise handshake IK, revision 34: two messages, after which both sides know each other's
 * static key and share two fresh keys, one a direction.
 *
 *     -> e, es, s, ss     the first message:  32 + 48 + (payload + 16) bytes
 *     <- e, ee, se        the second message: 32 + (payload + 16) bytes
 *
 * Noise_IK_25519_AESGCM_BLAKE2b and Noise_IK_25519_ChaChaPoly_BLAKE2b, by suite. Pure: nothing is
 * drawn, read or allocated; the ephemeral key is the caller's random bytes, to be used once.
 *
 * The calls come in this order, which is asserted; each that can fail says so, and after a failure
 * only hf_noise_wipe is allowed:
 *
 *     initiator   begin, write_first, read_second, split
 *     responder   begin, read_first, read_payload, write_second, split
 *
 * An initiator may try a second message on a copy, and throw the copy away when it was not the
 * responder's. The state is a secret until it has been split or wiped. */
#ifndef HF_NET_NOISE_H
#define HF_NET_NOISE_H

#include "cipher.h"

#define HF_NOISE_KEY_SIZE  32
#define HF_NOISE_HASH_SIZE 64
/* What the messages add to their payloads. */
#define HF_NOISE_FIRST_SIZE  (HF_NOISE_KEY_SIZE + HF_NOISE_KEY_SIZE + 2 * HF_CIPHER_TAG_SIZE)
#define HF_NOISE_SECOND_SIZE (HF_NOISE_KEY_SIZE + HF_CIPHER_TAG_SIZE)

/* A static key with its public half. Lies in locked memory. */
struct hf_key_pair {
    uint8_t private_key[HF_NOISE_KEY_SIZE];
    uint8_t public_key[HF_NOISE_KEY_SIZE];
};

/* Works the public half out. */
void hf_key_pair_complete(struct hf_key_pair *pair);

enum hf_noise_stage {
    HF_NOISE_ENDED = 0,
    HF_NOISE_BEGUN,      /* the first message is to be written or read */
    HF_NOISE_IDENTIFIED, /* responder: remote_static is known; its payload is to be read */
    HF_NOISE_BETWEEN,    /* the second message is to be written or read */
    HF_NOISE_COMPLETE,   /* to be split */
};

struct hf_noise {
    uint8_t hash[HF_NOISE_HASH_SIZE];     /* h: all that was said so far; after the end it names the
                                             session */
    uint8_t chaining[HF_NOISE_HASH_SIZE]; /* ck */
    struct hf_cipher cipher;
    uint64_t nonce;
    const struct hf_key_pair *own;
    uint8_t ephemeral[HF_NOISE_KEY_SIZE]; /* ours, the private half */
    uint8_t remote_static[HF_NOISE_KEY_SIZE];
    uint8_t remote_ephemeral[HF_NOISE_KEY_SIZE];
    uint8_t suite;
    uint8_t stage;
    bool is_initiator;
};

/* Begins. `own` is borrowed until the end. `remote_static` is the responder's public key for the
 * initiator, NULL for the responder. The suite must be available (asserted). */
void hf_noise_begin(struct hf_noise *noise, unsigned suite, const void *prologue,
                    size_t prologue_size, const struct hf_key_pair *own,
                    const uint8_t *remote_static);

/* Writes HF_NOISE_FIRST_SIZE + `size` bytes to `message`. False when `remote_static` is no key that
 * anybody can have. */
HF_MUST_USE bool hf_noise_write_first(struct hf_noise *noise,
                                      const uint8_t ephemeral[HF_NOISE_KEY_SIZE],
                                      const void *payload, size_t size, uint8_t *message);

/* Reads the first message's keys, HF_NOISE_FIRST_SIZE - HF_CIPHER_TAG_SIZE bytes, and fills
 * `remote_static` in. That costs one multiplication on the curve; who is not welcome can be turned
 * away now. What has been read is proved only by read_payload. */
HF_MUST_USE bool hf_noise_read_first(struct hf_noise *noise, const uint8_t *message);
/* Reads the rest of the first message: `size` bytes of payload and a tag. */
HF_MUST_USE bool hf_noise_read_payload(struct hf_noise *noise, const uint8_t *sealed, size_t size,
                                       void *payload);

/* Writes HF_NOISE_SECOND_SIZE + `size` bytes to `message`. */
HF_MUST_USE bool hf_noise_write_second(struct hf_noise *noise,
                                       const uint8_t ephemeral[HF_NOISE_KEY_SIZE],
                                       const void *payload, size_t size, uint8_t *message);
/* Reads a second message with `size` bytes of payload. */
HF_MUST_USE bool hf_noise_read_second(struct hf_noise *noise, const uint8_t *message, size_t size,
                                      void *payload);

/* Gives the keys of the two directions, as seen from this side, and wipes everything but the hash
 * and the remote static key. */
void hf_noise_split(struct hf_noise *noise, struct hf_cipher *sending, struct hf_cipher *receiving);

void hf_noise_wipe(struct hf_noise *noise);

#endif
