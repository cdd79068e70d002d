/* A batch: a record in the making, in a buffer that is written to disk as it is.
 *
 * The order thread begins it and adds operations, the log thread submits it (writer.h); it belongs
 * to one of them at a time. Pure. */
#ifndef HF_WAL_BATCH_H
#define HF_WAL_BATCH_H

#include "record.h"

#include <assert.h>
#include <string.h>

#define HF_LOG_BATCH_ALIGNMENT 4096

/* Look, do not touch, except `context`, which is the owner's. */
struct hf_log_batch {
    uint8_t *bytes;    /* the record: capacity bytes, aligned for direct writes */
    uint32_t capacity; /* bytes, a multiple of HF_RECORD_BLOCK_MAX */
    uint32_t length;   /* bytes used, the header included */
    uint32_t count;    /* operations */
    uint32_t number;   /* of this batch among its writer's, from 0 */
    uint64_t first_place;
    uint64_t timestamp_ns;
    struct hf_id digest; /* of the state, in one without operations; zeros: not said */
    uint64_t index;      /* of its record, once submitted */
    void *context;
};

/* Empties a batch for operations that begin at place `first_place` and all carry this time. A batch
 * without operations becomes a mark. */
static inline void hf_log_batch_begin(struct hf_log_batch *batch, uint64_t timestamp_ns,
                                      uint64_t first_place)
{
    batch->length = HF_RECORD_HEADER_SIZE;
    batch->count = 0;
    batch->first_place = first_place;
    batch->timestamp_ns = timestamp_ns;
    batch->digest = (struct hf_id){0};
    batch->index = 0;
}

/* Makes it a mark that says what the state is, for everybody who comes by to compare. */
static inline void hf_log_batch_mark(struct hf_log_batch *batch, uint64_t timestamp_ns,
                                     uint64_t first_place, struct hf_id digest)
{
    hf_log_batch_begin(batch, timestamp_ns, first_place);
    batch->digest = digest;
}

/* Appends one operation, which got the next place. False, and unchanged, when it does not fit: the
 * next batch takes it. */
static inline bool hf_log_batch_add(struct hf_log_batch *batch, const union hf_operation *operation)
{
    uint32_t length = operation->header.length;
    assert(length >= HF_OPERATION_LENGTH_MIN);
    assert(length <= HF_OPERATION_LENGTH_MAX);
    if (length > batch->capacity - batch->length) {
        return false;
    }
    memcpy(batch->bytes + batch->length, operation, length);
    batch->length += length;
    batch->count++;
    return true;
}

/* Bytes still free. */
static inline uint32_t hf_log_batch_room(const struct hf_log_batch *batch)
{
    return batch->capacity - batch->length;
}

#endif
