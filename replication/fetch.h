/* Giving and taking a checkpoint: what goes over the link. Who lacks records that its primary has
 * removed asks for a slice after the other; the peer answers each request with one frame of the
 * stream, and remembers nothing that matters. So there is never more on its way than one slice, and
 * whatever gets lost is asked for again. Both little-endian. Pure. */
#ifndef HF_REPLICATION_FETCH_H
#define HF_REPLICATION_FETCH_H

#include "message.h"

#define HF_FETCH_MAGIC UINT32_C(0x53434648) /* "HFCS" */

/* A note of kind HF_LINK_FETCH. */
struct hf_fetch_request {
    uint64_t index;  /* of the checkpoint; 0: the newest ... */
    uint64_t below;  /* ... whose index is less than this */
    uint64_t part;   /* enum hf_install_part: its file, or the segment that its record lies in */
    uint64_t offset; /* bytes; a whole number of slices */
};
_Static_assert(sizeof(struct hf_fetch_request) == 32, "fetch request");

/* Heads a frame of the stream; the bytes follow. */
struct hf_fetch_slice {
    uint32_t magic;
    uint32_t length; /* of the bytes that follow */
    uint64_t index;  /* 0: there is no such checkpoint; the rest is zero then */
    uint64_t segment;
    uint64_t part;
    uint64_t offset;
    uint64_t size;                          /* of that part */
    uint8_t reserved[HF_MESSAGE_SIZE - 48]; /* zero; as long as a message, as frames begin */
};
_Static_assert(sizeof(struct hf_fetch_slice) == HF_MESSAGE_SIZE, "fetch slice");

#endif
