/* A record: one batch of operations, one durable write, one step of the log's hash chain.
 *
 *      0  hash          16  XXH3-128 of bytes 16 to length-1
 *     16  magic          4  "HFLR"
 *     20  format         2  3
 *     22  kind           2  enum hf_record_kind
 *     24  length         4  header and operations in bytes, without the padding
 *     28  count          4  of operations; 0 in a mark and in a seal
 *     32  cluster       16
 *     48  epoch          8  from 1
 *     56  index          8  records count from 1, without gaps
 *     64  first_place    8  of the first operation; of a mark or seal: the next operation's
 *     72  timestamp_ns   8  of every operation in it, Unix nanoseconds
 *     80  commit         8  every record up to this index was flushed when this one was written
 *     88  prev_hash     16  hash of record index-1; zero in record 1
 *    104  digest        16  in a mark: of the state before it, by hf_ledger_digest; zeros: not
 * said. Zero in all other kinds 120  reserved       8  zero 128  operations, back to back, as
 * engine/operation.h lays them out; a seal's body (chain.h) length  zeros up to the next multiple
 * of the log's block size
 *
 * The hash comes first so that what it covers is one contiguous run. Pure: no I/O, no allocation.
 */
#ifndef HF_WAL_RECORD_H
#define HF_WAL_RECORD_H

#include "engine/operation.h"
#include "hash.h"

#define HF_RECORD_MAGIC       UINT32_C(0x524c4648) /* "HFLR" */
#define HF_RECORD_FORMAT      3                    /* 1 had no seals, 2 no slices */
#define HF_RECORD_HEADER_SIZE 128
/* The longest record, padding included: bounds the memory of everybody who reads one. */
#define HF_RECORD_LENGTH_MAX (UINT32_C(1) << 20)
#define HF_RECORD_BLOCK_MIN  512
#define HF_RECORD_BLOCK_MAX  4096

enum hf_record_kind {
    HF_RECORD_OPERATIONS = 1,
    HF_RECORD_MARK = 2, /* no operations: says how far the log is committed, and may say what the
                           state is */
    HF_RECORD_SEAL = 3, /* no operations: signs for the records since the seal before, chain.h */
};

struct hf_record_header {
    struct hf_hash hash;
    uint32_t magic;
    uint16_t format;
    uint16_t kind;
    uint32_t length;
    uint32_t count;
    struct hf_id cluster;
    uint64_t epoch;
    uint64_t index;
    uint64_t first_place;
    uint64_t timestamp_ns;
    uint64_t commit;
    struct hf_hash prev_hash;
    struct hf_id digest;
    uint8_t reserved[8];
};
_Static_assert(sizeof(struct hf_record_header) == HF_RECORD_HEADER_SIZE, "record header");
_Static_assert(offsetof(struct hf_record_header, magic) == 16, "hashed from here");
_Static_assert(offsetof(struct hf_record_header, cluster) == 32, "record cluster");
_Static_assert(offsetof(struct hf_record_header, index) == 56, "record index");
_Static_assert(offsetof(struct hf_record_header, commit) == 80, "record commit");
_Static_assert(offsetof(struct hf_record_header, prev_hash) == 88, "record prev_hash");
_Static_assert(offsetof(struct hf_record_header, digest) == 104, "record digest");
_Static_assert(offsetof(struct hf_record_header, reserved) == 120, "record reserved");

enum hf_record_verdict {
    HF_RECORD_GOOD = 0,
    HF_RECORD_SHORT = 1, /* could be one, but more bytes are needed to tell */
    HF_RECORD_BAD = 2,
};

/* Where the next record begins after one of this length. `block_size`: a power of two. */
static inline uint32_t hf_record_padded_length(uint32_t length, uint32_t block_size)
{
    return (length + block_size - 1) & ~(block_size - 1);
}

/* Computes and sets the hash of a record whose `length` bytes lie at `record`. Asserts a sane
 * length. */
void hf_record_seal(struct hf_record_header *record);

/* Judges the bytes at `bytes` (8-byte aligned) as a record of `cluster` in a log of `block_size`:
 * every field, the hash, the lengths of the operations, the padding. Reads no more than `available`
 * bytes. The chain (index, prev_hash, places, time) is the caller's to judge. A verdict of SHORT
 * sets *needed (never more than HF_RECORD_LENGTH_MAX) when it is not NULL. */
enum hf_record_verdict hf_record_check(const void *bytes, size_t available, uint32_t block_size,
                                       struct hf_id cluster, size_t *needed);

/* The operations of a good record, in order: start with *offset = 0; NULL after the last. */
static inline const union hf_operation *hf_record_next(const struct hf_record_header *record,
                                                       uint32_t *offset)
{
    uint32_t at = *offset == 0 ? HF_RECORD_HEADER_SIZE : *offset;
    if (record->count == 0 || at >= record->length) {
        return NULL;
    }
    const union hf_operation *operation =
        (const union hf_operation *)(const void *)((const uint8_t *)record + at);
    *offset = at + operation->header.length;
    return operation;
}

#endif
