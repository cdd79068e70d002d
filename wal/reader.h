/* Reads records out of segments, one after the other, through a window of the file. For opening a
 * log and for the offline tools; blocks; one thread.
 *
 * The reader knows records and files, and follows them from segment to segment. Whether a record is
 * the next one it leaves to a chain, which remembers the record before. */
#ifndef HF_WAL_READER_H
#define HF_WAL_READER_H

#include "record.h"
#include "segment.h"
#include "superblock.h"

/* What the newest record said: what the next must fit to. */
struct hf_log_chain {
    uint64_t index; /* 0: the next is the first of the log */
    struct hf_hash hash;
    uint64_t next_place;
    uint64_t timestamp_ns;
    uint64_t epoch;
    uint64_t commit;
};

enum hf_log_link {
    HF_LOG_LINK_NEXT = 0,  /* follows */
    HF_LOG_LINK_OTHER = 1, /* another record than the next */
    HF_LOG_LINK_NONSENSE =
        2, /* chained by index and hash, but places, time, epoch or commit fell */
};

/* The chain before the first record of all. */
void hf_log_chain_init(struct hf_log_chain *chain);
/* The chain as the record before `record` must have left it; for reading from the middle. */
void hf_log_chain_before(struct hf_log_chain *chain, const struct hf_record_header *record);
enum hf_log_link hf_log_chain_judge(const struct hf_log_chain *chain,
                                    const struct hf_record_header *record);
void hf_log_chain_advance(struct hf_log_chain *chain, const struct hf_record_header *record);

struct hf_log_reader {
    struct hf_disk *disk;
    struct hf_id cluster;
    uint32_t block_size;
    uint64_t segment_size;
    uint64_t segment_last;

    uint64_t segment; /* being read */
    uint64_t offset;  /* where the next record is looked for */
    int file;
    uint64_t file_size; /* smaller than segment_size when the file was cut short */
    uint8_t *window;    /* bytes of the segment from window_offset on */
    size_t window_size;
    uint64_t window_offset;
    size_t window_length;
    struct hf_fault fault; /* why the last call failed */
};

/* Makes a reader over the segments up to `segment_last`; nothing is open yet. NO_MEMORY. */
HF_MUST_USE enum hf_status hf_log_reader_init(struct hf_log_reader *reader, struct hf_disk *disk,
                                              const struct hf_superblock *superblock,
                                              uint64_t segment_last);
/* Closes what is open. Safe on a reader that was only zeroed. */
void hf_log_reader_finish(struct hf_log_reader *reader);

/* Goes to a place in a segment. NOT_FOUND, IO, CORRUPT (larger than a segment can be). */
HF_MUST_USE enum hf_status hf_log_reader_seek(struct hf_log_reader *reader, uint64_t segment,
                                              uint64_t offset);

/* The good record at the reader's place, of whatever index, or NOT_FOUND. It is lent until the next
 * call. The place stays. */
HF_MUST_USE enum hf_status hf_log_reader_peek(struct hf_log_reader *reader,
                                              const struct hf_record_header **record);

/* The record that follows `chain`: at the reader's place, or, where a segment was left early, first
 * in the next one. Goes past it and advances the chain. NOT_FOUND, with the place as it was, when
 * there is none; CORRUPT when it makes no sense. */
HF_MUST_USE enum hf_status hf_log_reader_next(struct hf_log_reader *reader,
                                              struct hf_log_chain *chain,
                                              const struct hf_record_header **record);

/* The first block that is not all zeros, at the reader's place or after it in the same segment:
 * goes there. NOT_FOUND, at the segment's end, when the rest is zeros. */
HF_MUST_USE enum hf_status hf_log_reader_skip_zeros(struct hf_log_reader *reader);

/* Goes past one block, or past the record that peek returned. */
void hf_log_reader_skip(struct hf_log_reader *reader, uint32_t length);

#endif
