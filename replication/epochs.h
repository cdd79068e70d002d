/* The epoch table: which stretch of the log was written in which epoch. An epoch has one primary
 * (I1) which writes each index once, so two logs that have the same epoch at an index are equal up
 * to there: that is how a cut is found without comparing records one by one.
 *
 * Epochs rise strictly, starts do not fall; of two that start at the same index the later counts,
 * and the earlier is empty. Pure. */
#ifndef HF_REPLICATION_EPOCHS_H
#define HF_REPLICATION_EPOCHS_H

#include "wal/superblock.h"

struct hf_epochs {
    uint32_t count;
    uint32_t reserved;
    struct hf_epoch_start starts[HF_SUPERBLOCK_EPOCHS_MAX];
};

/* A place in a log: the index of a record and the epoch it was written in. Index 0, epoch 0: the
 * place before the first. */
struct hf_place {
    uint64_t epoch;
    uint64_t index;
};

/* 0 when the table is empty. */
uint64_t hf_epochs_newest(const struct hf_epochs *epochs);

/* The epoch of the record at `index`, 0 for index 0 and for what is older than the table. */
uint64_t hf_epochs_at(const struct hf_epochs *epochs, uint64_t index);

/* Records from `start_index` on are of `epoch`. Nothing when the newest is that epoch already; a
 * full table forgets its oldest epoch. Asserts that it rises. */
void hf_epochs_add(struct hf_epochs *epochs, uint64_t epoch, uint64_t start_index);

/* Forgets the epochs that start after `last_index`; true when there were any. */
bool hf_epochs_trim(struct hf_epochs *epochs, uint64_t last_index);

/* The highest place in a log that ends at `last_index`, neither later than place->index nor of a
 * later epoch than place->epoch. */
struct hf_place hf_epochs_floor(const struct hf_epochs *epochs, uint64_t last_index,
                                struct hf_place place);

#endif
