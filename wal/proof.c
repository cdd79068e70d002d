#include "proof.h"

#include <assert.h>

/* What nobody signs must be zero, so that no byte of a proof can be changed unnoticed. */
static const uint8_t zeros[32];
_Static_assert(sizeof zeros >= sizeof((struct hf_record_header *)0)->reserved, "enough zeros");
_Static_assert(sizeof zeros >= sizeof((struct hf_proof_header *)0)->reserved, "enough zeros");

static uint32_t padded(uint32_t length)
{
    return (length + 7) & ~UINT32_C(7);
}

size_t hf_proof_size(const struct hf_proof *proof)
{
    return sizeof(struct hf_proof_header) + HF_CHAIN_SEAL_LENGTH +
           proof->path_count * sizeof *proof->path + proof->record->length +
           padded(proof->note_length);
}

void hf_proof_write(const struct hf_proof *proof, void *bytes)
{
    struct hf_proof_header header = {
        .format = HF_PROOF_FORMAT,
        .path_count = proof->path_count,
        .place = proof->place,
        .id = proof->operation->header.id,
        .record_length = proof->record->length,
        .note_length = padded(proof->note_length),
    };
    uint8_t *at = bytes;
    assert(proof->seal->length == HF_CHAIN_SEAL_LENGTH);
    assert(proof->record->length % 8 == 0);
    memcpy(header.magic, HF_PROOF_MAGIC, sizeof header.magic);
    memset(at, 0, hf_proof_size(proof));
    memcpy(at, &header, sizeof header);
    at += sizeof header;
    memcpy(at, proof->seal, HF_CHAIN_SEAL_LENGTH);
    struct hf_record_header *seal = (struct hf_record_header *)(void *)at;
    seal->hash = (struct hf_hash){0};
    seal->prev_hash = (struct hf_hash){0};
    at += HF_CHAIN_SEAL_LENGTH;
    memcpy(at, proof->path, proof->path_count * sizeof *proof->path);
    at += proof->path_count * sizeof *proof->path;
    memcpy(at, proof->record, proof->record->length);
    at += proof->record->length;
    memcpy(at, proof->note, proof->note_length);
}

/* Finds the parts by the lengths that the header names; their sum must be the whole. */
static const char *take_apart(const uint8_t *bytes, size_t length, struct hf_proof *proof)
{
    const struct hf_proof_header *header = (const struct hf_proof_header *)(const void *)bytes;
    const size_t fixed = sizeof *header + HF_CHAIN_SEAL_LENGTH;
    if (length < fixed || memcmp(header->magic, HF_PROOF_MAGIC, sizeof header->magic) != 0) {
        return "is no proof";
    }
    if (header->format != HF_PROOF_FORMAT) {
        return "is of another format";
    }
    if (header->path_count > HF_CHAIN_HEIGHT_MAX || header->record_length > HF_RECORD_LENGTH_MAX ||
        header->record_length < HF_RECORD_HEADER_SIZE || header->record_length % 8 != 0 ||
        header->note_length % 8 != 0 ||
        memcmp(header->reserved, zeros, sizeof header->reserved) != 0) {
        return "makes no sense";
    }
    size_t path_size = header->path_count * sizeof(struct hf_chain_hash);
    if (length != fixed + path_size + header->record_length + (size_t)header->note_length) {
        return "is not as long as it says";
    }
    *proof = (struct hf_proof){
        .place = header->place,
        .seal = (const struct hf_record_header *)(const void *)(bytes + sizeof *header),
        .path = (const struct hf_chain_hash *)(const void *)(bytes + fixed),
        .path_count = header->path_count,
        .record = (const struct hf_record_header *)(const void *)(bytes + fixed + path_size),
        .note = (const char *)bytes + fixed + path_size + header->record_length,
        .note_length = header->note_length,
    };
    return NULL;
}

/* The operation at a place of a record whose lengths nobody has vouched for yet; NULL when it is
 * not there. */
static const union hf_operation *find_operation(const struct hf_record_header *record,
                                                uint64_t place)
{
    const uint8_t *bytes = (const uint8_t *)record;
    uint32_t at = HF_RECORD_HEADER_SIZE;
    if (place < record->first_place || place - record->first_place >= record->count) {
        return NULL;
    }
    for (uint64_t left = place - record->first_place;; left--) {
        if (record->length - at < sizeof(struct hf_op_header)) {
            return NULL;
        }
        const union hf_operation *operation =
            (const union hf_operation *)(const void *)(bytes + at);
        uint32_t length = operation->header.length;
        if (length < HF_OPERATION_LENGTH_MIN || length % 8 != 0 || length > record->length - at) {
            return NULL;
        }
        if (left == 0) {
            return operation;
        }
        at += length;
    }
}

const char *hf_proof_check(const void *bytes, size_t length,
                           const uint8_t public_key[HF_CHAIN_PUBLIC_SIZE], struct hf_proof *proof)
{
    const struct hf_proof_header *header = bytes;
    assert((uintptr_t)bytes % 8 == 0);
    const char *why = take_apart(bytes, length, proof);
    if (why != NULL) {
        return why;
    }
    const struct hf_record_header *seal = proof->seal;
    const struct hf_record_header *record = proof->record;
    if (seal->magic != HF_RECORD_MAGIC || seal->format != HF_RECORD_FORMAT ||
        seal->kind != HF_RECORD_SEAL || seal->length != HF_CHAIN_SEAL_LENGTH || seal->count != 0 ||
        memcmp(&seal->hash, zeros, sizeof seal->hash) != 0 ||
        memcmp(&seal->prev_hash, zeros, sizeof seal->prev_hash) != 0 ||
        memcmp(&seal->digest, zeros, sizeof seal->digest) != 0 ||
        memcmp(seal->reserved, zeros, sizeof seal->reserved) != 0) {
        return "has no seal";
    }
    why = hf_chain_seal_check(seal, public_key);
    if (why != NULL) {
        return why;
    }
    uint64_t first_index = hf_chain_seal_of(seal)->first_index;
    struct hf_chain_hash leaf;
    struct hf_chain_hash root;
    if (record->length != header->record_length || record->index < first_index ||
        record->index >= seal->index) {
        return "has a record that the seal is not over";
    }
    hf_chain_leaf(record, &leaf);
    if (!hf_chain_path_root(&leaf, seal->index - first_index, record->index - first_index,
                            proof->path, proof->path_count, &root) ||
        !hf_chain_hash_equal(&root, &hf_chain_seal_of(seal)->root)) {
        return "has a record that the seal is not over";
    }
    proof->operation = find_operation(record, proof->place);
    if (record->kind != HF_RECORD_OPERATIONS || proof->operation == NULL ||
        !hf_id_equal(proof->operation->header.id, header->id)) {
        return "names an operation that is not in its record";
    }
    return NULL;
}
