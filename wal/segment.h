/* Segments: the files that records lie in, `log-` and sixteen hexadecimal digits of the segment's
 * number, counting from 1. All have the size the superblock names, are prewritten with zeros, and
 * have no header: every record says all about itself. A record never crosses from one to the next;
 * what does not fit leaves zeros behind.
 *
 * Named by number, not by first index, so that a segment can have its final name, durably, before
 * anybody knows which record will open it: switching to it is then no more than a change of file.
 */
#ifndef HF_WAL_SEGMENT_H
#define HF_WAL_SEGMENT_H

#include "disk.h"

#define HF_SEGMENT_NAME_TEMPORARY "segment.tmp" /* one in the making */
#define HF_SEGMENT_SIZE_MIN       (UINT64_C(16) << 10)
#define HF_SEGMENT_SIZE_DEFAULT   (UINT64_C(64) << 20)
#define HF_SEGMENT_SIZE_MAX       (UINT64_C(4) << 30)
/* Zeros are written in pieces of this size: large enough for the device's best rate, small enough
 * that an append which comes meanwhile does not wait long behind one. */
#define HF_SEGMENT_PIECE_SIZE (UINT32_C(256) << 10)

/* Writes the name of a segment. */
void hf_segment_format_name(uint64_t number, char name[HF_DISK_NAME_SIZE]);

/* True, and the number, when `name` is exactly what hf_segment_format_name writes. */
bool hf_segment_parse_name(const char *name, uint64_t *number);

/* Which segments a directory holds. */
struct hf_segment_range {
    uint64_t first; /* 0 when there are none */
    uint64_t last;
};

/* Finds the segments: from some number on, without gaps (the first may have been archived).
 * CORRUPT, and the one that is missing named, when there is a gap. Blocks. */
HF_MUST_USE enum hf_status hf_segment_list(struct hf_disk *disk, struct hf_segment_range *range,
                                           struct hf_fault *fault);

#endif
