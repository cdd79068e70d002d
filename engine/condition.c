/* Proofs. libsodium's hashes and verification are plain functions: they need no sodium_init, which
 * would only pick faster ones and open the system's source of randomness. */
#include "condition.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#define HASH_SIZE      32
#define SIGNATURE_SIZE 64

HF_STATIC_ASSERT(crypto_generichash_BYTES == HASH_SIZE, "BLAKE2b-256");
HF_STATIC_ASSERT(crypto_hash_sha256_BYTES == HASH_SIZE, "SHA-256");
HF_STATIC_ASSERT(crypto_sign_PUBLICKEYBYTES == HASH_SIZE, "Ed25519 key");
HF_STATIC_ASSERT(crypto_sign_BYTES == SIGNATURE_SIZE, "Ed25519 signature");
HF_STATIC_ASSERT(SIGNATURE_SIZE <= HF_PROOF_MAX, "a signature fits a proof");
HF_STATIC_ASSERT(sizeof(HF_ATTESTATION_TAG) == 16, "the tag and its NUL");

bool hf_condition_is_time(const struct hf_op_condition *condition)
{
    return condition->kind == HF_CONDITION_NOT_BEFORE || condition->kind == HF_CONDITION_NOT_AFTER;
}

bool hf_condition_is_met_at(const struct hf_op_condition *condition, uint64_t timestamp_ns)
{
    if (condition->kind == HF_CONDITION_NOT_BEFORE)
        return timestamp_ns >= condition->time_ns;
    assert(condition->kind == HF_CONDITION_NOT_AFTER);
    return timestamp_ns <= condition->time_ns;
}

static bool is_preimage(const struct hf_op_condition *condition, const struct hf_op_attest *attest)
{
    uint8_t hash[HASH_SIZE];

    assert(attest->proof_length <= HF_PROOF_MAX);
    if (attest->proof_length == 0)
        return false;
    if (condition->kind == HF_CONDITION_BLAKE2B)
        crypto_generichash(hash, sizeof(hash), attest->proof, attest->proof_length, NULL, 0);
    else
        crypto_hash_sha256(hash, attest->proof, attest->proof_length);
    return memcmp(hash, condition->bytes, sizeof(hash)) == 0; /* neither is a secret */
}

static bool is_signature(const struct hf_op_condition *condition, const struct hf_op_attest *attest)
{
    const struct hf_attestation signed_bytes = {
        .tag = HF_ATTESTATION_TAG,
        .hold = attest->hold,
        .condition = attest->condition,
        .code = condition->code,
    };

    if (attest->proof_length != SIGNATURE_SIZE)
        return false;
    return crypto_sign_verify_detached(attest->proof, (const unsigned char *)&signed_bytes,
                                       sizeof(signed_bytes), condition->bytes) == 0;
}

struct hf_verdict hf_condition_prove(const struct hf_op_condition *condition,
                                     const struct hf_op_attest *attest, uint32_t origin)
{
    bool is_right = false;

    assert(attest->condition >= 1);
    assert(attest->condition <= HF_CONDITIONS_MAX);
    switch (condition->kind) {
    case HF_CONDITION_BLAKE2B:
    case HF_CONDITION_SHA256:
        is_right = is_preimage(condition, attest);
        break;
    case HF_CONDITION_REGION:
        is_right = attest->code == condition->code && is_signature(condition, attest);
        break;
    case HF_CONDITION_SIGNATURE:
        is_right = is_signature(condition, attest);
        break;
    case HF_CONDITION_ORIGIN:
        if (origin != condition->code)
            return (struct hf_verdict){HF_CODE_NOT_PERMITTED, HF_RULE_ORIGIN, 0};
        is_right = attest->proof_length == 0;
        break;
    default:
        assert(hf_condition_is_time(condition));
        break;
    }
    if (!is_right)
        return (struct hf_verdict){HF_CODE_BAD_PROOF, HF_RULE_CONDITION, attest->condition};
    return (struct hf_verdict){HF_CODE_OK, HF_RULE_NONE, 0};
}
