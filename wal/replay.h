/* A record's operations, carried out again: what a starting node and the offline tools share. Pure.
 */
#ifndef HF_WAL_REPLAY_H
#define HF_WAL_REPLAY_H

#include "disk.h"
#include "engine/ledger.h"
#include "record.h"

/* Applies the operations of a good record (record.h) to a ledger that holds all before them, bundle
 * by bundle, calling `applied`, unless it is NULL, after each. A mark has none; the
 * digest that it may carry is compared with the ledger's. DIVERGED, and the fault line names the
 * record, when that differs, when an operation is not well shaped or does not take the place that
 * it has in the log: then log and ledger do not belong together. One thread; does not block. */
HF_MUST_USE enum hf_status hf_replay_record(struct hf_ledger *ledger,
                                            const struct hf_record_header *record,
                                            void (*applied)(void *context), void *context,
                                            struct hf_fault *fault);

#endif
