/* One log on two nodes: the follower's copies of records, epochs, and what is committed. */
#include "writer_inside.h"

#include <string.h>

void hf_log_writer_set_committed(struct hf_log_writer *writer, uint64_t index)
{
    assert(index >= writer->committed);
    writer->committed = index;
}

static bool follows(const struct hf_log_writer *writer, const struct hf_record_header *record)
{
    return record->index == writer->last_index + 1 &&
           hf_hash_equal(record->prev_hash, writer->last_hash) &&
           record->first_place == writer->next_place &&
           record->timestamp_ns >= writer->last_timestamp_ns && record->epoch >= writer->epoch &&
           record->commit >= writer->last_commit && record->commit < record->index;
}

/* Goes where a copy must lie. */
static enum hf_status go_to_copy(struct hf_log_writer *writer,
                                 const struct hf_record_header *record)
{
    bool opens =
        record->kind == HF_RECORD_SEAL && hf_log_span_count(writer) == 0 && record->index != 1;
    bool has_segment = writer->current.number != 0;
    uint32_t padded = hf_record_padded_length(record->length, writer->block_size);
    if (!has_segment || (opens && writer->offset != 0)) {
        return hf_log_move_on(writer);
    }
    return padded <= writer->segment_size - writer->offset ? HF_STATUS_OK : HF_STATUS_INVALID;
}

enum hf_status hf_log_writer_copy(struct hf_log_writer *writer, struct hf_log_batch *batch,
                                  const struct hf_record_header *record)
{
    assert(batch == &writer->batches[batch->number]);
    assert(batch->number >= writer->options.batch_count);
    assert(writer->attached);
    if (hf_log_is_poisoned(writer)) {
        return HF_STATUS_IO;
    }
    if (!follows(writer, record)) {
        return HF_STATUS_DIVERGED;
    }
    if (record->length > batch->capacity) {
        return HF_STATUS_INVALID;
    }
    if (!hf_log_may_copy(writer)) {
        return HF_STATUS_AGAIN;
    }
    bool is_seal = record->kind == HF_RECORD_SEAL;
    hf_log_hash_appended(writer);
    if (is_seal && hf_chain_seal_match(&writer->span, record) != NULL) {
        return HF_STATUS_DIVERGED;
    }
    enum hf_status status = go_to_copy(writer, record);
    if (status != HF_STATUS_OK) {
        return status;
    }
    memcpy(batch->bytes, record, record->length);
    batch->length = record->length;
    batch->count = record->count;
    batch->first_place = record->first_place;
    batch->timestamp_ns = record->timestamp_ns;
    batch->index = record->index;
    writer->epoch = record->epoch;
    struct hf_record_header *copy = (struct hf_record_header *)(void *)batch->bytes;
    status = hf_log_append(writer, copy, batch, true);
    if (status == HF_STATUS_OK && is_seal) {
        hf_chain_span_next(&writer->span, copy);
        writer->hashed_index = copy->index;
    }
    return status;
}

enum hf_status hf_log_writer_begin_epoch(struct hf_log_writer *writer, uint64_t epoch, bool fresh)
{
    assert(writer->attached);
    assert(epoch >= writer->epoch);
    if (hf_log_is_poisoned(writer)) {
        return HF_STATUS_IO;
    }
    if (!hf_log_may_append(writer)) {
        return HF_STATUS_AGAIN;
    }
    bool must_move = fresh && hf_log_span_count(writer) == 0 && writer->offset != 0;
    bool fits = writer->block_size <= writer->segment_size - writer->offset;
    enum hf_status status = must_move || !fits ? hf_log_move_on(writer) : HF_STATUS_OK;
    if (status == HF_STATUS_OK) {
        writer->epoch = epoch;
        writer->leaves_segment = fresh && hf_log_span_count(writer) != 0;
        status = hf_log_append_seal(writer);
    }
    return status;
}
