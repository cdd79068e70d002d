/* The maker of segments: creates one under a temporary name, gives it its room, fills it with zeros
 * piece by piece, the last piece with a flush, and names it. Only then does it count: its size, its
 * zeros and its name are durable before any record lies in it.
 *
 * The writer's, and of its thread. Allocates in create only; steps block as said at each. */
#ifndef HF_WAL_SEGMENT_MAKER_H
#define HF_WAL_SEGMENT_MAKER_H

#include "segment.h"

/* The tag of its pieces at the disk; records have their index. */
#define HF_SEGMENT_MAKER_TAG UINT64_MAX

enum hf_segment_making {
    HF_SEGMENT_MAKING_NOTHING = 0,
    HF_SEGMENT_MAKING_PIECES = 1,   /* created, being filled */
    HF_SEGMENT_MAKING_COMPLETE = 2, /* filled and flushed; to be named */
    HF_SEGMENT_MAKING_BLOCKED = 3,  /* there was no space */
};

/* Look, do not touch. */
struct hf_segment_maker {
    struct hf_disk *disk;
    uint64_t segment_size;
    uint32_t piece_size; /* of zeros at a time */
    uint8_t *zeros;
    enum hf_segment_making making;
    int file; /* -1: none */
    uint64_t filled;
    bool is_busy; /* a piece is on its way */
    uint32_t steps_to_rest;
    bool lacks_space;  /* from when one could not be made for want of it until one has been */
    const char *wrong; /* what has failed; why says the disk's fault line, or the errno here */
    int error;
};

/* NO_MEMORY. `disk` is lent until destroy. */
HF_MUST_USE enum hf_status hf_segment_maker_create(struct hf_segment_maker *maker,
                                                   struct hf_disk *disk, uint64_t segment_size);
/* No piece may be on its way. An unfinished segment stays under its temporary name, for the next
 * start to remove. */
void hf_segment_maker_destroy(struct hf_segment_maker *maker);
/* Lets go of the file in the making, as the first part of destroy. */
void hf_segment_maker_close(struct hf_segment_maker *maker);

/* True while it rests after there was no space: each try costs a handful of system calls. Counts
 * one call of itself off. */
bool hf_segment_maker_rests(struct hf_segment_maker *maker);

/* One step towards segment `number`; no piece is on its way (asserted). *queued: a piece is now,
 * told of by a completion. *made: the segment has its name, durably. OK also when there was no
 * space, which is no error; IO when something failed. Blocks for the creation of a file, or for a
 * rename and a directory flush. */
HF_MUST_USE enum hf_status hf_segment_maker_step(struct hf_segment_maker *maker, uint64_t number,
                                                 bool *queued, bool *made);

/* Its piece has ended. IO when that failed. */
HF_MUST_USE enum hf_status hf_segment_maker_completed(struct hf_segment_maker *maker,
                                                      const struct hf_disk_completion *completion);

#endif
