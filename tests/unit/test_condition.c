/* Conditions: right proofs, and every way of being wrong: forged, of another hold, of another
 * condition, of another region, too short. */
#include "fixture.h"

#include "engine/condition.h"

#include <sodium.h>

static const struct hf_id HOLD = {.lo = 77, .hi = 88};

/* BLAKE2b-256 and SHA-256 of "abc", as `b2sum -l 256` and `sha256sum` say. */
static const uint8_t blake2b_abc[32] = {
    0xbd, 0xdd, 0x81, 0x3c, 0x63, 0x42, 0x39, 0x72, 0x31, 0x71, 0xef, 0x3f, 0xee, 0x98, 0x57, 0x9b,
    0x94, 0x96, 0x4e, 0x3b, 0xb1, 0xcb, 0x3e, 0x42, 0x72, 0x62, 0xc8, 0xc0, 0x68, 0xd5, 0x23, 0x19,
};
static const uint8_t sha256_abc[32] = {
    0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
    0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
};

struct signer {
    uint8_t public_key[crypto_sign_PUBLICKEYBYTES];
    uint8_t secret_key[crypto_sign_SECRETKEYBYTES];
};

static struct signer make_signer(uint8_t number)
{
    struct signer signer;
    uint8_t seed[crypto_sign_SEEDBYTES];

    memset(seed, number, sizeof(seed));
    crypto_sign_seed_keypair(signer.public_key, signer.secret_key, seed);
    return signer;
}

static struct hf_op_attest attest_with(const void *proof, uint8_t length)
{
    struct hf_op_attest attest = {.hold = HOLD, .condition = 2, .proof_length = length};

    memcpy(attest.proof, proof, length);
    return attest;
}

static struct hf_op_attest sign(const struct signer *signer, struct hf_id hold, uint32_t number,
                                uint32_t code)
{
    const struct hf_attestation bytes = {HF_ATTESTATION_TAG, hold, number, code};
    uint8_t signature[crypto_sign_BYTES];

    crypto_sign_detached(signature, NULL, (const uint8_t *)&bytes, sizeof(bytes),
                         signer->secret_key);
    return attest_with(signature, sizeof(signature));
}

#define assert_proof(of, proof, expected_code)                                                  \
    do {                                                                                        \
        struct hf_verdict verdict_ = hf_condition_prove((of), (proof), (proof)->header.origin); \
        assert_string_equal(hf_code_name(verdict_.code), #expected_code);                       \
        if (verdict_.code == HF_CODE_BAD_PROOF) {                                               \
            assert_int_equal(verdict_.rule, HF_RULE_CONDITION);                                 \
            assert_int_equal(verdict_.entry, (proof)->condition);                               \
        }                                                                                       \
    } while (0)

static void test_preimages(void **state)
{
    struct hf_op_condition blake2b = {.kind = HF_CONDITION_BLAKE2B};
    struct hf_op_condition sha256 = {.kind = HF_CONDITION_SHA256};
    struct hf_op_attest right = attest_with("abc", 3);
    struct hf_op_attest wrong = attest_with("abd", 3);
    struct hf_op_attest longer = attest_with("abc\0", 4);
    struct hf_op_attest empty = attest_with("", 0);

    (void)state;
    memcpy(blake2b.bytes, blake2b_abc, 32);
    memcpy(sha256.bytes, sha256_abc, 32);
    assert_proof(&blake2b, &right, OK);
    assert_proof(&sha256, &right, OK);
    assert_proof(&blake2b, &wrong, BAD_PROOF);
    assert_proof(&sha256, &wrong, BAD_PROOF);
    assert_proof(&blake2b, &longer, BAD_PROOF);
    assert_proof(&sha256, &longer, BAD_PROOF);
    /* Even where the hash is that of nothing: a proof has a byte at least. */
    crypto_generichash(blake2b.bytes, 32, right.proof, 0, NULL, 0);
    assert_proof(&blake2b, &empty, BAD_PROOF);
    /* One kind of hash is not the other. */
    memcpy(blake2b.bytes, sha256_abc, 32);
    assert_proof(&blake2b, &right, BAD_PROOF);
}

static void test_longest_preimage(void **state)
{
    struct hf_op_condition condition = {.kind = HF_CONDITION_SHA256};
    uint8_t preimage[HF_PROOF_MAX];

    (void)state;
    memset(preimage, 0x5a, sizeof(preimage));
    crypto_hash_sha256(condition.bytes, preimage, sizeof(preimage));
    struct hf_op_attest attest = attest_with(preimage, sizeof(preimage));
    assert_proof(&condition, &attest, OK);
    attest.proof_length--;
    assert_proof(&condition, &attest, BAD_PROOF);
}

static void test_signatures(void **state)
{
    struct signer right = make_signer(1);
    struct signer other = make_signer(2);
    struct hf_op_condition condition = {.kind = HF_CONDITION_SIGNATURE};
    struct hf_id other_hold = {.lo = HOLD.lo + 1, .hi = HOLD.hi};

    (void)state;
    memcpy(condition.bytes, right.public_key, 32);
    struct hf_op_attest attest = sign(&right, HOLD, 2, 0);
    assert_proof(&condition, &attest, OK);
    for (uint32_t bit = 0; bit < 8 * HF_PROOF_MAX; bit += 7) { /* forged */
        attest.proof[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_proof(&condition, &attest, BAD_PROOF);
        attest.proof[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    attest.proof_length = 63;
    assert_proof(&condition, &attest, BAD_PROOF);
    attest = sign(&other, HOLD, 2, 0);
    assert_proof(&condition, &attest, BAD_PROOF);
    attest = sign(&right, other_hold, 2, 0); /* replayed */
    assert_proof(&condition, &attest, BAD_PROOF);
    attest = sign(&right, HOLD, 1, 0);
    assert_proof(&condition, &attest, BAD_PROOF);
    attest = sign(&right, HOLD, 2, 5);
    assert_proof(&condition, &attest, BAD_PROOF);
}

static void test_regions(void **state)
{
    struct signer signer = make_signer(3);
    struct hf_op_condition condition = {.kind = HF_CONDITION_REGION, .code = 276};

    (void)state;
    memcpy(condition.bytes, signer.public_key, 32);
    struct hf_op_attest attest = sign(&signer, HOLD, 2, 276);
    assert_proof(&condition, &attest, BAD_PROOF); /* asserts no region */
    attest.code = 276;
    assert_proof(&condition, &attest, OK);
    attest.code = 250;
    assert_proof(&condition, &attest, BAD_PROOF);
    attest = sign(&signer, HOLD, 2, 250); /* a true signature over another region */
    attest.code = 276;
    assert_proof(&condition, &attest, BAD_PROOF);
    attest.code = 250;
    assert_proof(&condition, &attest, BAD_PROOF);
}

static void test_origins(void **state)
{
    struct hf_op_condition condition = {.kind = HF_CONDITION_ORIGIN, .code = 9};
    struct hf_op_attest attest = attest_with("", 0);

    (void)state;
    assert_proof(&condition, &attest, NOT_PERMITTED);
    attest.header.origin = 9;
    assert_proof(&condition, &attest, OK);
    attest.proof_length = 1; /* nothing is to be proved by bytes */
    assert_proof(&condition, &attest, BAD_PROOF);
    attest.header.origin = 8;
    assert_proof(&condition, &attest, NOT_PERMITTED);
}

static void test_times(void **state)
{
    struct hf_op_condition from = {.kind = HF_CONDITION_NOT_BEFORE, .time_ns = 1000};
    struct hf_op_condition until = {.kind = HF_CONDITION_NOT_AFTER, .time_ns = 1000};
    struct hf_op_attest attest = attest_with("abc", 3);

    (void)state;
    assert_false(hf_condition_is_met_at(&from, 999));
    assert_true(hf_condition_is_met_at(&from, 1000));
    assert_true(hf_condition_is_met_at(&until, 1000));
    assert_false(hf_condition_is_met_at(&until, 1001));
    assert_proof(&from, &attest, BAD_PROOF); /* nobody proves a time */
    assert_proof(&until, &attest, BAD_PROOF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_preimages),  cmocka_unit_test(test_longest_preimage),
        cmocka_unit_test(test_signatures), cmocka_unit_test(test_regions),
        cmocka_unit_test(test_origins),    cmocka_unit_test(test_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
