#include "replay.h"

#include <inttypes.h>
#include <stdio.h>

static enum hf_status diverged(const struct hf_record_header *record, struct hf_fault *fault)
{
    snprintf(fault->line, sizeof fault->line,
             "replay diverged from the log at record %" PRIu64 ", places from %" PRIu64 " on",
             record->index, record->first_place);
    return HF_STATUS_DIVERGED;
}

/* What a mark says of the state before it. Walks all of the state. */
static enum hf_status compare_digest(const struct hf_ledger *ledger,
                                     const struct hf_record_header *record, struct hf_fault *fault)
{
    struct hf_id here = hf_ledger_digest(ledger);

    if (hf_id_equal(here, record->digest))
        return HF_STATUS_OK;
    snprintf(fault->line, sizeof fault->line,
             "the state at record %" PRIu64 " has the digest %016" PRIx64 "%016" PRIx64
             " here, and had %016" PRIx64 "%016" PRIx64
             " where the record was written: one of the two is damaged",
             record->index, here.hi, here.lo, record->digest.hi, record->digest.lo);
    return HF_STATUS_DIVERGED;
}

/* Every operation of the log took a place. */
static bool apply(struct hf_ledger *ledger, uint64_t timestamp_ns,
                  const union hf_operation *const operations[], uint32_t count)
{
    struct hf_reply replies[HF_BUNDLE_OPERATIONS_MAX];
    uint64_t all = UINT64_MAX >> (HF_BUNDLE_OPERATIONS_MAX - count);

    return hf_ledger_apply(ledger, timestamp_ns, operations, count, replies) == all;
}

enum hf_status hf_replay_record(struct hf_ledger *ledger, const struct hf_record_header *record,
                                void (*applied)(void *context), void *context,
                                struct hf_fault *fault)
{
    const union hf_operation *operations[HF_BUNDLE_OPERATIONS_MAX];
    uint32_t offset = 0;
    uint32_t left = record->count;

    if ((record->digest.lo | record->digest.hi) != 0)
        return compare_digest(ledger, record, fault);
    if (left != 0 && record->first_place != hf_ledger_place(ledger) + 1)
        return diverged(record, fault);
    while (left != 0) {
        uint32_t count = left < HF_BUNDLE_OPERATIONS_MAX ? left : HF_BUNDLE_OPERATIONS_MAX;
        for (uint32_t i = 0; i < count; i++) {
            operations[i] = hf_record_next(record, &offset);
            if (operations[i] == NULL ||
                hf_operation_check_logged(operations[i], operations[i]->header.length).code !=
                    HF_CODE_OK)
                return diverged(record, fault);
        }
        if (!apply(ledger, record->timestamp_ns, operations, count))
            return diverged(record, fault);
        if (applied != NULL)
            applied(context);
        left -= count;
    }
    return HF_STATUS_OK;
}
