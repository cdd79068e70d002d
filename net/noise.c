/* The words of the specification are kept where they name something: MixHash, MixKey, HKDF, the
 * tokens e, s, ee, es, se, ss. IK is written out instead of interpreted from a pattern: two
 * messages are easier to check against the specification than a machine for all of them. */
#include "noise.h"

#include <assert.h>
#include <string.h>

#define BLAKE2B_BLOCK_SIZE 128

_Static_assert(crypto_scalarmult_curve25519_BYTES == HF_NOISE_KEY_SIZE, "X25519 keys");
_Static_assert(crypto_generichash_blake2b_BYTES_MAX == HF_NOISE_HASH_SIZE, "BLAKE2b-512");
_Static_assert(HF_NOISE_FIRST_SIZE == 96, "the first message without its payload");
_Static_assert(HF_NOISE_SECOND_SIZE == 48, "the second message without its payload");

static const char name_aesgcm[] = "Noise_IK_25519_AESGCM_BLAKE2b";
static const char name_chachapoly[] = "Noise_IK_25519_ChaChaPoly_BLAKE2b";
_Static_assert(sizeof name_aesgcm - 1 <= HF_NOISE_HASH_SIZE, "the name itself is the first hash");
_Static_assert(sizeof name_chachapoly - 1 <= HF_NOISE_HASH_SIZE,
               "the name itself is the first hash");

void hf_key_pair_complete(struct hf_key_pair *pair)
{
    assert(pair != NULL);
    crypto_scalarmult_curve25519_base(pair->public_key, pair->private_key);
}

/* ---- hashing */

static void mix_hash(struct hf_noise *noise, const void *data, size_t size)
{
    crypto_generichash_blake2b_state state;
    crypto_generichash_blake2b_init(&state, NULL, 0, HF_NOISE_HASH_SIZE);
    crypto_generichash_blake2b_update(&state, noise->hash, HF_NOISE_HASH_SIZE);
    crypto_generichash_blake2b_update(&state, data, size);
    crypto_generichash_blake2b_final(&state, noise->hash, HF_NOISE_HASH_SIZE);
}

/* HMAC as in RFC 2104: BLAKE2b's own keyed mode is something else. `out` may be `key` or `data`. */
static void hmac(uint8_t out[HF_NOISE_HASH_SIZE], const uint8_t key[HF_NOISE_HASH_SIZE],
                 const uint8_t *data, size_t size)
{
    crypto_generichash_blake2b_state state;
    uint8_t inner[HF_NOISE_HASH_SIZE];
    uint8_t pad[BLAKE2B_BLOCK_SIZE];

    memset(pad, 0x36, sizeof pad);
    for (size_t i = 0; i < HF_NOISE_HASH_SIZE; i++)
        pad[i] ^= key[i];
    crypto_generichash_blake2b_init(&state, NULL, 0, HF_NOISE_HASH_SIZE);
    crypto_generichash_blake2b_update(&state, pad, sizeof pad);
    crypto_generichash_blake2b_update(&state, data, size);
    crypto_generichash_blake2b_final(&state, inner, sizeof inner);

    for (size_t i = 0; i < sizeof pad; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    crypto_generichash_blake2b_init(&state, NULL, 0, HF_NOISE_HASH_SIZE);
    crypto_generichash_blake2b_update(&state, pad, sizeof pad);
    crypto_generichash_blake2b_update(&state, inner, sizeof inner);
    crypto_generichash_blake2b_final(&state, out, HF_NOISE_HASH_SIZE);

    sodium_memzero(&state, sizeof state);
    sodium_memzero(inner, sizeof inner);
    sodium_memzero(pad, sizeof pad);
}

/* HKDF with two outputs. `first` may be `chaining`. */
static void hkdf(const uint8_t chaining[HF_NOISE_HASH_SIZE], const uint8_t *material, size_t size,
                 uint8_t first[HF_NOISE_HASH_SIZE], uint8_t second[HF_NOISE_HASH_SIZE])
{
    uint8_t temporary[HF_NOISE_HASH_SIZE];
    uint8_t chained[HF_NOISE_HASH_SIZE + 1];

    hmac(temporary, chaining, material, size);
    hmac(first, temporary, (const uint8_t[]){1}, 1);
    memcpy(chained, first, HF_NOISE_HASH_SIZE);
    chained[HF_NOISE_HASH_SIZE] = 2;
    hmac(second, temporary, chained, sizeof chained);
    sodium_memzero(temporary, sizeof temporary);
    sodium_memzero(chained, sizeof chained);
}

/* ---- the symmetric state */

/* MixKey(DH(private, public)). False when the public key is of small order: the secret would be
 * zero, whatever ours is. */
static bool mix_key(struct hf_noise *noise, const uint8_t private_key[HF_NOISE_KEY_SIZE],
                    const uint8_t public_key[HF_NOISE_KEY_SIZE])
{
    uint8_t shared[HF_NOISE_KEY_SIZE];
    uint8_t key[HF_NOISE_HASH_SIZE];
    bool is_sound = crypto_scalarmult_curve25519(shared, private_key, public_key) == 0;
    if (is_sound) {
        hkdf(noise->chaining, shared, sizeof shared, noise->chaining, key);
        hf_cipher_set(&noise->cipher, noise->suite, key);
        noise->nonce = 0;
    }
    sodium_memzero(shared, sizeof shared);
    sodium_memzero(key, sizeof key);
    return is_sound;
}

/* Writes the sealed text and its tag. */
static void encrypt_and_hash(struct hf_noise *noise, const void *text, size_t size, uint8_t *sealed)
{
    hf_cipher_seal(&noise->cipher, noise->nonce++, noise->hash, HF_NOISE_HASH_SIZE, text, size,
                   sealed, sealed + size);
    mix_hash(noise, sealed, size + HF_CIPHER_TAG_SIZE);
}

static bool decrypt_and_hash(struct hf_noise *noise, const uint8_t *sealed, size_t size, void *text)
{
    if (!hf_cipher_open(&noise->cipher, noise->nonce, noise->hash, HF_NOISE_HASH_SIZE, sealed, size,
                        sealed + size, text))
        return false;
    noise->nonce++;
    mix_hash(noise, sealed, size + HF_CIPHER_TAG_SIZE);
    return true;
}

/* The token e, written. */
static void write_ephemeral(struct hf_noise *noise, const uint8_t ephemeral[HF_NOISE_KEY_SIZE],
                            uint8_t *message)
{
    memcpy(noise->ephemeral, ephemeral, HF_NOISE_KEY_SIZE);
    crypto_scalarmult_curve25519_base(message, noise->ephemeral);
    mix_hash(noise, message, HF_NOISE_KEY_SIZE);
}

static void read_ephemeral(struct hf_noise *noise, const uint8_t *message)
{
    memcpy(noise->remote_ephemeral, message, HF_NOISE_KEY_SIZE);
    mix_hash(noise, noise->remote_ephemeral, HF_NOISE_KEY_SIZE);
}

/* A step that must follow `from` succeeded or failed. */
static bool go_on(struct hf_noise *noise, bool succeeded, enum hf_noise_stage to)
{
    noise->stage = (uint8_t)(succeeded ? to : HF_NOISE_ENDED);
    return succeeded;
}

/* ---- the handshake */

void hf_noise_begin(struct hf_noise *noise, unsigned suite, const void *prologue,
                    size_t prologue_size, const struct hf_key_pair *own,
                    const uint8_t *remote_static)
{
    assert(noise != NULL && own != NULL);
    assert(hf_cipher_is_available(suite));
    memset(noise, 0, sizeof *noise);
    if (suite == HF_CIPHER_AESGCM) {
        memcpy(noise->hash, name_aesgcm, sizeof name_aesgcm - 1);
    } else {
        memcpy(noise->hash, name_chachapoly, sizeof name_chachapoly - 1);
    }
    memcpy(noise->chaining, noise->hash, HF_NOISE_HASH_SIZE);
    noise->suite = (uint8_t)suite;
    noise->own = own;
    noise->is_initiator = remote_static != NULL;
    noise->stage = HF_NOISE_BEGUN;
    mix_hash(noise, prologue, prologue_size);

    /* <- s: the initiator has known the responder's key all along. */
    if (noise->is_initiator)
        memcpy(noise->remote_static, remote_static, HF_NOISE_KEY_SIZE);
    mix_hash(noise, noise->is_initiator ? noise->remote_static : own->public_key,
             HF_NOISE_KEY_SIZE);
}

bool hf_noise_write_first(struct hf_noise *noise, const uint8_t ephemeral[HF_NOISE_KEY_SIZE],
                          const void *payload, size_t size, uint8_t *message)
{
    assert(noise != NULL && message != NULL);
    assert(noise->stage == HF_NOISE_BEGUN && noise->is_initiator);
    const struct hf_key_pair *own = noise->own;
    uint8_t *sealed_static = message + HF_NOISE_KEY_SIZE;
    uint8_t *sealed_payload = sealed_static + HF_NOISE_KEY_SIZE + HF_CIPHER_TAG_SIZE;

    write_ephemeral(noise, ephemeral, message);
    if (!mix_key(noise, noise->ephemeral, noise->remote_static)) /* es */
        return go_on(noise, false, HF_NOISE_ENDED);
    encrypt_and_hash(noise, own->public_key, HF_NOISE_KEY_SIZE, sealed_static); /* s */
    if (!mix_key(noise, own->private_key, noise->remote_static))                /* ss */
        return go_on(noise, false, HF_NOISE_ENDED);
    encrypt_and_hash(noise, payload, size, sealed_payload);
    return go_on(noise, true, HF_NOISE_BETWEEN);
}

bool hf_noise_read_first(struct hf_noise *noise, const uint8_t *message)
{
    assert(noise != NULL && message != NULL);
    assert(noise->stage == HF_NOISE_BEGUN && !noise->is_initiator);
    read_ephemeral(noise, message);
    bool is_sound = mix_key(noise, noise->own->private_key, noise->remote_ephemeral) && /* es */
                    decrypt_and_hash(noise, message + HF_NOISE_KEY_SIZE, HF_NOISE_KEY_SIZE,
                                     noise->remote_static); /* s */
    return go_on(noise, is_sound, HF_NOISE_IDENTIFIED);
}

bool hf_noise_read_payload(struct hf_noise *noise, const uint8_t *sealed, size_t size,
                           void *payload)
{
    assert(noise != NULL && sealed != NULL);
    assert(noise->stage == HF_NOISE_IDENTIFIED);
    bool is_sound = mix_key(noise, noise->own->private_key, noise->remote_static) && /* ss */
                    decrypt_and_hash(noise, sealed, size, payload);
    return go_on(noise, is_sound, HF_NOISE_BETWEEN);
}

bool hf_noise_write_second(struct hf_noise *noise, const uint8_t ephemeral[HF_NOISE_KEY_SIZE],
                           const void *payload, size_t size, uint8_t *message)
{
    assert(noise != NULL && message != NULL);
    assert(noise->stage == HF_NOISE_BETWEEN && !noise->is_initiator);
    write_ephemeral(noise, ephemeral, message);
    if (!mix_key(noise, noise->ephemeral, noise->remote_ephemeral) || /* ee */
        !mix_key(noise, noise->ephemeral, noise->remote_static))      /* se */
        return go_on(noise, false, HF_NOISE_ENDED);
    encrypt_and_hash(noise, payload, size, message + HF_NOISE_KEY_SIZE);
    return go_on(noise, true, HF_NOISE_COMPLETE);
}

bool hf_noise_read_second(struct hf_noise *noise, const uint8_t *message, size_t size,
                          void *payload)
{
    assert(noise != NULL && message != NULL);
    assert(noise->stage == HF_NOISE_BETWEEN && noise->is_initiator);
    read_ephemeral(noise, message);
    bool is_sound = mix_key(noise, noise->ephemeral, noise->remote_ephemeral) &&        /* ee */
                    mix_key(noise, noise->own->private_key, noise->remote_ephemeral) && /* se */
                    decrypt_and_hash(noise, message + HF_NOISE_KEY_SIZE, size, payload);
    return go_on(noise, is_sound, HF_NOISE_COMPLETE);
}

void hf_noise_split(struct hf_noise *noise, struct hf_cipher *sending, struct hf_cipher *receiving)
{
    assert(noise != NULL && noise->stage == HF_NOISE_COMPLETE);
    assert(sending != NULL && receiving != NULL);
    uint8_t first[HF_NOISE_HASH_SIZE];
    uint8_t second[HF_NOISE_HASH_SIZE];
    hkdf(noise->chaining, NULL, 0, first, second);

    /* The first key is for what the initiator sends. */
    hf_cipher_set(noise->is_initiator ? sending : receiving, noise->suite, first);
    hf_cipher_set(noise->is_initiator ? receiving : sending, noise->suite, second);
    sodium_memzero(first, sizeof first);
    sodium_memzero(second, sizeof second);
    sodium_memzero(noise->chaining, sizeof noise->chaining);
    sodium_memzero(noise->ephemeral, sizeof noise->ephemeral);
    hf_cipher_wipe(&noise->cipher);
    noise->stage = HF_NOISE_ENDED;
}

void hf_noise_wipe(struct hf_noise *noise)
{
    assert(noise != NULL);
    sodium_memzero(noise, sizeof *noise);
}
