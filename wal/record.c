#include "record.h"

#include "chain.h"

#include <assert.h>

static const size_t hashed_from = offsetof(struct hf_record_header, magic);

void hf_record_seal(struct hf_record_header *record)
{
    assert(record->length >= HF_RECORD_HEADER_SIZE);
    assert(record->length <= HF_RECORD_LENGTH_MAX);
    record->hash = hf_hash_of((const uint8_t *)record + hashed_from, record->length - hashed_from);
}

/* Everything that the header alone can say. */
static bool header_is_sane(const struct hf_record_header *record, struct hf_id cluster)
{
    if (record->magic != HF_RECORD_MAGIC || record->format != HF_RECORD_FORMAT) {
        return false;
    }
    if (record->length < HF_RECORD_HEADER_SIZE || record->length > HF_RECORD_LENGTH_MAX) {
        return false;
    }
    if (record->kind == HF_RECORD_MARK) {
        if (record->count != 0 || record->length != HF_RECORD_HEADER_SIZE) {
            return false;
        }
    } else if (record->kind == HF_RECORD_SEAL) {
        if (record->count != 0 || record->length != HF_CHAIN_SEAL_LENGTH) {
            return false;
        }
    } else if (record->kind != HF_RECORD_OPERATIONS || record->count == 0) {
        return false;
    }
    if (record->kind != HF_RECORD_MARK && (record->digest.lo | record->digest.hi) != 0) {
        return false;
    }
    if (record->index == 0 || record->epoch == 0 || record->first_place == 0) {
        return false;
    }
    return record->commit < record->index && hf_id_equal(record->cluster, cluster) &&
           hf_bytes_are_zero(record->reserved, sizeof record->reserved);
}

/* The operations' own lengths must lead exactly to the record's end in exactly `count` steps. */
static bool operations_fill(const struct hf_record_header *record)
{
    const uint8_t *bytes = (const uint8_t *)record;
    uint32_t at = HF_RECORD_HEADER_SIZE;
    uint32_t count = 0;
    if (record->kind == HF_RECORD_SEAL) {
        return true; /* has a body of its own */
    }
    while (at < record->length) {
        if (record->length - at < sizeof(struct hf_op_header)) {
            return false;
        }
        const struct hf_op_header *header = (const struct hf_op_header *)(const void *)(bytes + at);
        uint32_t length = header->length;
        if (length < HF_OPERATION_LENGTH_MIN || length > HF_OPERATION_LENGTH_MAX ||
            length % 8 != 0 || length > record->length - at) {
            return false;
        }
        at += length;
        count++;
    }
    return count == record->count;
}

enum hf_record_verdict hf_record_check(const void *bytes, size_t available, uint32_t block_size,
                                       struct hf_id cluster, size_t *needed)
{
    const struct hf_record_header *record = bytes;
    assert((uintptr_t)bytes % 8 == 0);
    assert(block_size >= HF_RECORD_BLOCK_MIN);
    assert(block_size <= HF_RECORD_BLOCK_MAX);

    if (available < HF_RECORD_HEADER_SIZE) {
        if (needed != NULL) {
            *needed = block_size;
        }
        return HF_RECORD_SHORT;
    }
    if (!header_is_sane(record, cluster)) {
        return HF_RECORD_BAD;
    }
    uint32_t padded = hf_record_padded_length(record->length, block_size);
    if (available < padded) {
        if (needed != NULL) {
            *needed = padded;
        }
        return HF_RECORD_SHORT;
    }
    struct hf_hash hash =
        hf_hash_of((const uint8_t *)bytes + hashed_from, record->length - hashed_from);
    if (!hf_hash_equal(hash, record->hash) || !operations_fill(record)) {
        return HF_RECORD_BAD;
    }
    /* The padding is outside the hash, so that a record means the same with any block size; but
     * rot in it is rot. */
    if (!hf_bytes_are_zero((const uint8_t *)bytes + record->length, padded - record->length)) {
        return HF_RECORD_BAD;
    }
    return HF_RECORD_GOOD;
}
