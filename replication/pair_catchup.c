/* Old records: for a peer that lacks them, for comparing logs, and those to be cut off. */
#include "pair_inside.h"

const struct hf_record_header *hf_pair_record(struct hf_pair *pair, uint64_t index)
{
    const struct hf_record_header *record = hf_recent_get(&pair->recent, index);
    if (record != NULL || index == 0 || index > pair->replica.last.place.index) {
        return record;
    }
    if (index < pair->first_index) {
        return NULL;
    }
    struct hf_fault fault = {{0}};
    enum hf_status status = hf_log_seek_record(&pair->seek, index, &record, &fault);
    if (status == HF_STATUS_NOT_FOUND) {
        /* Removed meanwhile, behind a checkpoint. */
        status = hf_log_seek_oldest(&pair->seek, &pair->first_index, &fault);
        return NULL;
    }
    if (status != HF_STATUS_OK) {
        pair->fault = fault;
        return NULL;
    }
    pair->counts.records_read++;
    return record;
}

bool hf_pair_hash(struct hf_pair *pair, uint64_t index, struct hf_hash *hash)
{
    const struct hf_record_header *record = hf_pair_record(pair, index);
    if (record != NULL) {
        *hash = record->hash;
        return true;
    }
    record = index + 1 == pair->first_index ? hf_pair_record(pair, index + 1) : NULL;
    if (record != NULL) {
        *hash = record->prev_hash;
    }
    return record != NULL;
}

void hf_pair_cut(struct hf_pair *pair, uint64_t index)
{
    uint64_t count = 0;
    enum hf_status status =
        hf_log_cut(&pair->seek, pair->disk, index, pair->replica.incarnation, &count, &pair->fault);
    if (status != HF_STATUS_OK) {
        hf_pair_fail(pair);
        return;
    }
    pair->counts.quarantined += count;
    hf_pair_set_restart(pair, HF_PAIR_RESTART_CUT);
}
