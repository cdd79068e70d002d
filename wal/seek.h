/* Finding records in a log that is being written: for a peer that lacks old ones, and for comparing
 * two logs. Only records that are known to be flushed may be asked for. Blocks; one thread, with a
 * disk of its own on the directory. */
#ifndef HF_WAL_SEEK_H
#define HF_WAL_SEEK_H

#include "reader.h"

struct hf_log_seek {
    struct hf_disk *disk;
    const struct hf_superblock *superblock; /* lent */
    struct hf_log_reader reader;
    struct hf_log_chain chain; /* the record last found */
    struct hf_segment_range range;
    uint64_t segment; /* where that record lies ... */
    uint64_t offset;  /* ... at this byte */
    bool is_placed;
};

/* NO_MEMORY. `superblock` is lent until finish. */
HF_MUST_USE enum hf_status hf_log_seek_init(struct hf_log_seek *seek, struct hf_disk *disk,
                                            const struct hf_superblock *superblock,
                                            struct hf_fault *fault);
void hf_log_seek_finish(struct hf_log_seek *seek);

/* The record at `index`; lent until the next call. One after the other is fast. NOT_FOUND: the log
 * has no such record, or none so old any more (hf_log_seek_oldest). CORRUPT, IO. */
HF_MUST_USE enum hf_status hf_log_seek_record(struct hf_log_seek *seek, uint64_t index,
                                              const struct hf_record_header **record,
                                              struct hf_fault *fault);

/* The index of the oldest record that is still there; 1 when there are none. */
HF_MUST_USE enum hf_status hf_log_seek_oldest(struct hf_log_seek *seek, uint64_t *index,
                                              struct hf_fault *fault);

/* The newest segment that begins with a record not after `index`; *segment = 0 when there is none.
 */
HF_MUST_USE enum hf_status hf_log_seek_segment(struct hf_log_seek *seek, uint64_t index,
                                               uint64_t *segment, struct hf_fault *fault);

/* Takes all records after `index` out of a log that nobody writes to: copies them to a file
 * `quarantine-` and two times sixteen hexadecimal digits (`life`, and the first index), and breaks
 * the first of them, so that the next opening of the log cuts them off as a torn tail. Durable when
 * it returns. `disk` may write. *count: how many records that were. */
HF_MUST_USE enum hf_status hf_log_cut(struct hf_log_seek *seek, struct hf_disk *disk,
                                      uint64_t index, uint64_t life, uint64_t *count,
                                      struct hf_fault *fault);

#endif
