/* The handshake against published vectors, byte for byte, from both sides, and against damage.
 *
 * Usage: test_noise [VECTORS...]. Without arguments the vectors of the tree; others of the same
 * form
 * (`name=hex` lines, a blank line between vectors) can be named. */
#include "net/noise.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LINE_SIZE    4096
#define BYTES_MAX    512
#define MESSAGES_MAX 8
#define VECTORS_MAX  64

struct bytes {
    uint8_t bytes[BYTES_MAX];
    size_t size;
};

struct vector {
    unsigned suite;
    struct hf_key_pair initiator, responder;
    struct bytes prologue, initiator_ephemeral, responder_ephemeral, hash;
    struct bytes payloads[MESSAGES_MAX], messages[MESSAGES_MAX];
    size_t message_count;
};

static struct vector vectors[VECTORS_MAX];
static size_t vector_count;

/* ---- reading */

static void read_hex(const char *text, struct bytes *to)
{
    size_t length = strcspn(text, "\r\n");
    assert_true(length % 2 == 0 && length / 2 <= BYTES_MAX);
    if (length == 0)
        to->size = 0;
    else
        assert_int_equal(sodium_hex2bin(to->bytes, BYTES_MAX, text, length, NULL, &to->size, NULL),
                         0);
    assert_int_equal(to->size, length / 2);
}

static void read_pair(const char *text, struct hf_key_pair *pair)
{
    struct bytes bytes;
    read_hex(text, &bytes);
    assert_int_equal(bytes.size, HF_NOISE_KEY_SIZE);
    memcpy(pair->private_key, bytes.bytes, HF_NOISE_KEY_SIZE);
    hf_key_pair_complete(pair);
}

static unsigned read_suite(const char *name)
{
    if (strncmp(name, "Noise_IK_25519_AESGCM_BLAKE2b\n", 30) == 0)
        return HF_CIPHER_AESGCM;
    assert_memory_equal(name, "Noise_IK_25519_ChaChaPoly_BLAKE2b\n", 34);
    return HF_CIPHER_CHACHAPOLY;
}

static void read_field(struct vector *vector, const char *name, const char *value)
{
    unsigned number = 0;
    int end = 0;
    if (strcmp(name, "init_static") == 0) {
        read_pair(value, &vector->initiator);
    } else if (strcmp(name, "resp_static") == 0) {
        read_pair(value, &vector->responder);
    } else if (strcmp(name, "gen_init_ephemeral") == 0) {
        read_hex(value, &vector->initiator_ephemeral);
    } else if (strcmp(name, "gen_resp_ephemeral") == 0) {
        read_hex(value, &vector->responder_ephemeral);
    } else if (strcmp(name, "prologue") == 0) {
        read_hex(value, &vector->prologue);
    } else if (strcmp(name, "handshake_hash") == 0) {
        read_hex(value, &vector->hash);
    } else if (sscanf(name, "msg_%u_payload%n", &number, &end) == 1 && end > 0) {
        assert_true(number < MESSAGES_MAX);
        read_hex(value, &vector->payloads[number]);
    } else if (sscanf(name, "msg_%u_ciphertext%n", &number, &end) == 1 && end > 0) {
        assert_true(number < MESSAGES_MAX);
        read_hex(value, &vector->messages[number]);
        vector->message_count = number + 1;
    } else {
        fail_msg("a vector has %s, which this test does not know", name);
    }
}

static void read_vectors(const char *path)
{
    static char line[LINE_SIZE];
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail_msg("cannot read %s", path);
    struct vector *vector = NULL;
    while (fgets(line, sizeof line, file) != NULL) {
        if (line[0] == '#' || line[0] == '\n')
            continue;
        char *value = strchr(line, '=');
        assert_non_null(value);
        *value++ = '\0';
        if (strcmp(line, "handshake") == 0) {
            assert_true(vector_count < VECTORS_MAX);
            vector = &vectors[vector_count++];
            vector->suite = read_suite(value);
        } else {
            assert_non_null(vector);
            read_field(vector, line, value);
        }
    }
    fclose(file);
}

/* ---- a vector played */

struct sides {
    struct hf_noise initiator, responder;
    struct hf_cipher initiator_sends, initiator_receives, responder_sends, responder_receives;
};

static void begin(struct sides *sides, const struct vector *vector)
{
    hf_noise_begin(&sides->initiator, vector->suite, vector->prologue.bytes, vector->prologue.size,
                   &vector->initiator, vector->responder.public_key);
    hf_noise_begin(&sides->responder, vector->suite, vector->prologue.bytes, vector->prologue.size,
                   &vector->responder, NULL);
}

static void play_handshake(struct sides *sides, const struct vector *vector)
{
    uint8_t message[BYTES_MAX + HF_NOISE_FIRST_SIZE];
    uint8_t payload[BYTES_MAX];
    const struct bytes *first = &vector->messages[0];
    const struct bytes *second = &vector->messages[1];
    size_t first_size = vector->payloads[0].size;
    size_t second_size = vector->payloads[1].size;
    begin(sides, vector);

    assert_true(hf_noise_write_first(&sides->initiator, vector->initiator_ephemeral.bytes,
                                     vector->payloads[0].bytes, first_size, message));
    assert_int_equal(first->size, first_size + HF_NOISE_FIRST_SIZE);
    assert_memory_equal(message, first->bytes, first->size);
    assert_true(hf_noise_read_first(&sides->responder, first->bytes));
    assert_memory_equal(sides->responder.remote_static, vector->initiator.public_key,
                        HF_NOISE_KEY_SIZE);
    assert_true(hf_noise_read_payload(&sides->responder,
                                      first->bytes + HF_NOISE_FIRST_SIZE - HF_CIPHER_TAG_SIZE,
                                      first_size, payload));
    assert_memory_equal(payload, vector->payloads[0].bytes, first_size);

    assert_true(hf_noise_write_second(&sides->responder, vector->responder_ephemeral.bytes,
                                      vector->payloads[1].bytes, second_size, message));
    assert_int_equal(second->size, second_size + HF_NOISE_SECOND_SIZE);
    assert_memory_equal(message, second->bytes, second->size);
    assert_true(hf_noise_read_second(&sides->initiator, second->bytes, second_size, payload));
    assert_memory_equal(payload, vector->payloads[1].bytes, second_size);

    hf_noise_split(&sides->initiator, &sides->initiator_sends, &sides->initiator_receives);
    hf_noise_split(&sides->responder, &sides->responder_sends, &sides->responder_receives);
    assert_memory_equal(sides->initiator.hash, sides->responder.hash, HF_NOISE_HASH_SIZE);
    if (vector->hash.size != 0)
        assert_memory_equal(sides->initiator.hash, vector->hash.bytes, HF_NOISE_HASH_SIZE);
}

static void play_messages(struct sides *sides, const struct vector *vector)
{
    for (size_t i = 2; i < vector->message_count; i++) {
        uint8_t sealed[BYTES_MAX], opened[BYTES_MAX];
        const struct bytes *payload = &vector->payloads[i];
        const struct bytes *message = &vector->messages[i];
        bool is_initiators = i % 2 == 0;
        uint64_t nonce = (i - 2) / 2;
        assert_int_equal(message->size, payload->size + HF_CIPHER_TAG_SIZE);
        hf_cipher_seal(is_initiators ? &sides->initiator_sends : &sides->responder_sends, nonce,
                       NULL, 0, payload->bytes, payload->size, sealed, sealed + payload->size);
        assert_memory_equal(sealed, message->bytes, message->size);
        assert_true(
            hf_cipher_open(is_initiators ? &sides->responder_receives : &sides->initiator_receives,
                           nonce, NULL, 0, sealed, payload->size, sealed + payload->size, opened));
        assert_memory_equal(opened, payload->bytes, payload->size);
    }
}

static void test_vectors(void **state)
{
    (void)state;
    unsigned played[3] = {0};
    for (size_t i = 0; i < vector_count; i++) {
        struct sides sides;
        if (!hf_cipher_is_available(vectors[i].suite))
            continue;
        assert_true(vectors[i].message_count >= 2);
        play_handshake(&sides, &vectors[i]);
        play_messages(&sides, &vectors[i]);
        played[vectors[i].suite]++;
    }
    print_message("%u vectors with AESGCM, %u with ChaChaPoly\n", played[HF_CIPHER_AESGCM],
                  played[HF_CIPHER_CHACHAPOLY]);
    assert_true(played[HF_CIPHER_CHACHAPOLY] > 0);
    assert_true(played[HF_CIPHER_AESGCM] > 0 || !hf_cipher_is_available(HF_CIPHER_AESGCM));
}

/* ---- damage */

/* Plays a handshake whose message `which` is changed at `place`. Gives where it was noticed: 0 by
 * nobody, 1 at the first message's keys, 2 at its payload, 3 at the second message. */
static int notice(const struct vector *vector, unsigned which, size_t place, uint8_t change)
{
    struct sides sides;
    uint8_t messages[2][BYTES_MAX], payload[BYTES_MAX];
    begin(&sides, vector);
    assert_true(hf_noise_write_first(&sides.initiator, vector->initiator_ephemeral.bytes,
                                     vector->payloads[0].bytes, vector->payloads[0].size,
                                     messages[0]));
    if (which == 0)
        messages[0][place] ^= change;
    if (!hf_noise_read_first(&sides.responder, messages[0]))
        return 1;
    if (!hf_noise_read_payload(&sides.responder,
                               messages[0] + HF_NOISE_FIRST_SIZE - HF_CIPHER_TAG_SIZE,
                               vector->payloads[0].size, payload))
        return 2;
    assert_true(hf_noise_write_second(&sides.responder, vector->responder_ephemeral.bytes,
                                      vector->payloads[1].bytes, vector->payloads[1].size,
                                      messages[1]));
    if (which == 1)
        messages[1][place] ^= change;
    if (!hf_noise_read_second(&sides.initiator, messages[1], vector->payloads[1].size, payload))
        return 3;
    return 0;
}

/* Every bit of both messages matters: of an ephemeral key the top one too, which X25519 masks, for
 * the hash is over all of them. */
static void test_every_bit(void **state)
{
    (void)state;
    const struct vector *vector = &vectors[0];
    while (!hf_cipher_is_available(vector->suite))
        vector++;
    for (unsigned bit = 0; bit < 8; bit++) {
        uint8_t change = (uint8_t)(1u << bit);
        for (size_t i = 0; i < vector->messages[0].size; i++) {
            bool is_in_keys = i < HF_NOISE_FIRST_SIZE - HF_CIPHER_TAG_SIZE;
            assert_int_equal(notice(vector, 0, i, change), is_in_keys ? 1 : 2);
        }
        for (size_t i = 0; i < vector->messages[1].size; i++)
            assert_int_equal(notice(vector, 1, i, change), 3);
    }
    assert_int_equal(notice(vector, 0, 0, 0), 0);
}

static void test_other_prologue(void **state)
{
    (void)state;
    struct vector vector = vectors[vector_count - 1];
    struct sides sides;
    uint8_t message[BYTES_MAX];
    begin(&sides, &vector);
    hf_noise_begin(&sides.responder, vector.suite, "another", 7, &vector.responder, NULL);
    assert_true(
        hf_noise_write_first(&sides.initiator, vector.initiator_ephemeral.bytes, NULL, 0, message));
    assert_false(hf_noise_read_first(&sides.responder, message));
}

static void test_other_responder(void **state)
{
    (void)state;
    struct vector vector = vectors[vector_count - 1];
    struct sides sides;
    uint8_t message[BYTES_MAX];
    begin(&sides, &vector);
    hf_noise_begin(&sides.responder, vector.suite, vector.prologue.bytes, vector.prologue.size,
                   &vector.initiator, NULL);
    assert_true(
        hf_noise_write_first(&sides.initiator, vector.initiator_ephemeral.bytes, NULL, 0, message));
    assert_false(hf_noise_read_first(&sides.responder, message));
}

/* Points of small order, as public keys: the shared secret would be zero for everybody. */
static void test_small_order(void **state)
{
    (void)state;
    static const uint8_t points[][HF_NOISE_KEY_SIZE] = {
        {0},
        {1},
        /* p - 1, p, p + 1 */
        {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
        {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
        {0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    };
    const struct vector *vector = &vectors[vector_count - 1];
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        struct sides sides;
        uint8_t message[BYTES_MAX] = {0};
        begin(&sides, vector);
        hf_noise_begin(&sides.initiator, vector->suite, NULL, 0, &vector->initiator, points[i]);
        assert_false(hf_noise_write_first(&sides.initiator, vector->initiator_ephemeral.bytes, NULL,
                                          0, message));
        memcpy(message, points[i], HF_NOISE_KEY_SIZE);
        assert_false(hf_noise_read_first(&sides.responder, message));
    }
}

/* What is left after the end holds no secret: only the names of the session and of the peer. */
static void test_wiped(void **state)
{
    (void)state;
    const struct vector *vector = &vectors[vector_count - 1];
    struct sides sides;
    static const uint8_t zeros[sizeof(struct hf_cipher)];
    play_handshake(&sides, vector);
    assert_memory_equal(sides.initiator.chaining, zeros, HF_NOISE_HASH_SIZE);
    assert_memory_equal(sides.initiator.ephemeral, zeros, HF_NOISE_KEY_SIZE);
    assert_memory_equal(&sides.initiator.cipher, zeros, sizeof zeros);
    hf_noise_wipe(&sides.responder);
    const uint8_t *rest = (const uint8_t *)&sides.responder;
    for (size_t i = 0; i < sizeof sides.responder; i++)
        assert_int_equal(rest[i], 0);
}

static void test_cipher_edges(void **state)
{
    (void)state;
    for (unsigned suite = 0; suite < 4; suite++) {
        if (!hf_cipher_is_available(suite)) {
            assert_true(suite != HF_CIPHER_CHACHAPOLY);
            continue;
        }
        struct hf_cipher cipher, next;
        uint8_t key[HF_CIPHER_KEY_SIZE] = {7}, text[100] = "in place", before[100];
        uint8_t tag[HF_CIPHER_TAG_SIZE];
        memcpy(before, text, sizeof text);
        hf_cipher_set(&cipher, suite, key);
        hf_cipher_seal(&cipher, HF_CIPHER_NONCE_MAX, "data", 4, text, sizeof text, text, tag);
        assert_memory_not_equal(text, before, sizeof text);
        uint8_t sealed[100];
        memcpy(sealed, text, sizeof text);
        assert_false(hf_cipher_open(&cipher, UINT64_MAX, "data", 4, sealed, 100, tag, text));
        assert_false(
            hf_cipher_open(&cipher, HF_CIPHER_NONCE_MAX, "date", 4, sealed, 100, tag, text));
        assert_false(
            hf_cipher_open(&cipher, HF_CIPHER_NONCE_MAX, "data", 4, sealed, 99, tag, text));
        assert_true(
            hf_cipher_open(&cipher, HF_CIPHER_NONCE_MAX, "data", 4, sealed, 100, tag, sealed));
        assert_memory_equal(sealed, before, sizeof before);

        /* Two sides that rekey come to the same key, and it is another than before. */
        hf_cipher_rekey(&cipher, &next);
        assert_int_equal(next.suite, suite);
        hf_cipher_seal(&next, 0, NULL, 0, before, sizeof before, text, tag);
        assert_false(hf_cipher_open(&cipher, 0, NULL, 0, text, sizeof text, tag, sealed));
        hf_cipher_rekey(&cipher, &cipher);
        assert_true(hf_cipher_open(&cipher, 0, NULL, 0, text, sizeof text, tag, sealed));
        assert_memory_equal(sealed, before, sizeof before);
        hf_cipher_wipe(&cipher);
        assert_int_equal(cipher.suite, HF_CIPHER_NONE);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),        cmocka_unit_test(test_every_bit),
        cmocka_unit_test(test_other_prologue), cmocka_unit_test(test_other_responder),
        cmocka_unit_test(test_small_order),    cmocka_unit_test(test_wiped),
        cmocka_unit_test(test_cipher_edges),
    };
    if (sodium_init() < 0)
        return 1;
    for (int i = 1; i < argc; i++)
        read_vectors(argv[i]);
    if (argc == 1)
        read_vectors(HF_TEST_GOLDEN_NOISE);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
