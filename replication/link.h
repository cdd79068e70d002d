/* The link: datagrams to and from the peer, over any port.
 *
 * Two kinds of things go over it. *Notes* are small and may be lost: every message of the protocol
 * but PREPARE, what a node tells about itself, and what it asks of a checkpoint. A *stream* carries
 * what is long and should come in order: PREPAREs with their records, and slices of checkpoints,
 * cut into datagrams, each numbered, kept until acknowledged, sent again when it was lost, and
 * never more of them than the other side has room for (credits). A stream breaks when either side
 * starts anew or when too much was lost: then the protocol above begins again where its
 * acknowledgements are.
 *
 * Pure: no I/O, no clock, no allocation after create. Its hash tells damage, not forgery: a
 * seal goes around each datagram (net/port_sealed.h), for which HF_LINK_SEAL_ROOM is left.
 *
 *      0  magic         4  "HFRL"
 *      4  format        2  1
 *      6  kind          2  enum hf_link_kind
 *      8  cluster      16
 *     24  node          4  the sender, from 1
 *     28  length        4  of what follows
 *     32  incarnation   8  of the sender
 *     40  stream        8  DATA, CREDIT: which; rises with each new one of the sender of DATA
 *     48  number        8  DATA: of this datagram in its stream, from 0; CREDIT: the next expected
 *     56  window        8  CREDIT: datagrams from this number on are not wanted yet; DATA: oldest
 *                          number that has not been acknowledged
 *     64  got           8  CREDIT: bit i: `number` + 1 + i has come
 *     72  hash          8  low half of the XXH3-128 of all but these 8 bytes
 *     80  what it carries
 */
#ifndef HF_REPLICATION_LINK_H
#define HF_REPLICATION_LINK_H

#include "message.h"
#include "wal/disk.h"

#define HF_LINK_MAGIC       UINT32_C(0x4c524648) /* "HFRL" */
#define HF_LINK_FORMAT      1
#define HF_LINK_HEADER_SIZE 80
/* Around each datagram room is left for a seal. */
#define HF_LINK_SEAL_ROOM     48
#define HF_LINK_DATAGRAM_MIN  576
#define HF_LINK_DATAGRAM_MAX  65000
#define HF_LINK_FRAME_MAX     (HF_MESSAGE_SIZE + (UINT32_C(1) << 20))
#define HF_LINK_WINDOW_BYTES  (UINT32_C(2) << 20)
#define HF_LINK_RETRY_NS      UINT64_C(4000000)   /* unacknowledged so long: again; then doubled */
#define HF_LINK_RETRY_MOST_NS UINT64_C(64000000)  /* up to this */
#define HF_LINK_BREAK_NS      UINT64_C(400000000) /* nothing acknowledged so long: it is broken */

enum hf_link_kind {
    HF_LINK_NOTE = 1,   /* a message */
    HF_LINK_DATA = 2,   /* part of a stream */
    HF_LINK_CREDIT = 3, /* what of a stream has come */
    HF_LINK_SELF = 4,   /* a node about itself */
    HF_LINK_FETCH = 5,  /* asks for a slice of a checkpoint: fetch.h */
};

struct hf_link_header {
    uint32_t magic;
    uint16_t format;
    uint16_t kind;
    struct hf_id cluster;
    uint32_t node;
    uint32_t length;
    uint64_t incarnation;
    uint64_t stream;
    uint64_t number;
    uint64_t window;
    uint64_t got;
    uint64_t hash;
};
_Static_assert(sizeof(struct hf_link_header) == HF_LINK_HEADER_SIZE, "link header");
_Static_assert(offsetof(struct hf_link_header, incarnation) == 32, "link incarnation");
_Static_assert(offsetof(struct hf_link_header, got) == 64, "link got");

struct hf_link_options {
    struct hf_id cluster;
    uint32_t node;
    uint32_t datagram_size; /* HF_LINK_DATAGRAM_MIN to HF_LINK_DATAGRAM_MAX, seal room included */
    uint64_t incarnation;
    void (*send)(void *context, const void *bytes, size_t length);
    void *context;
};

struct hf_link_counts {
    uint64_t datagrams_sent;
    uint64_t datagrams_received;
    uint64_t datagrams_repeated; /* sent again */
    uint64_t streams;            /* begun by this side */
    uint64_t bytes_sent;
};

enum hf_link_verdict {
    HF_LINK_NOTHING = 0,  /* the link's own business, or old news */
    HF_LINK_NOTED = 1,    /* a note or self: `*carried` */
    HF_LINK_STREAMED = 2, /* the stream may have a frame now: ask hf_link_frame */
    HF_LINK_GARBAGE = 3,
    HF_LINK_OTHER_CLUSTER = 4,
};

struct hf_link_carried {
    enum hf_link_kind kind;
    uint32_t node;
    uint32_t length;
    uint32_t reserved;
    uint64_t incarnation;
    const uint8_t *bytes; /* in the datagram */
};

struct hf_link;

HF_MUST_USE enum hf_status hf_link_create(const struct hf_link_options *options,
                                          struct hf_link **link, struct hf_fault *fault);
void hf_link_destroy(struct hf_link *link);

/* One datagram came. Any length, any bytes. */
enum hf_link_verdict hf_link_receive(struct hf_link *link, const void *bytes, size_t length,
                                     struct hf_link_carried *carried, uint64_t now_ns);

/* Sends a note at once. `length` at most what hf_link_note_max says: asserted. */
void hf_link_note(struct hf_link *link, enum hf_link_kind kind, const void *bytes, uint32_t length);
uint32_t hf_link_note_max(const struct hf_link *link);

/* Whether the stream has room for a frame of so many bytes now. */
bool hf_link_has_room(const struct hf_link *link, uint32_t length);
/* Puts a frame, of two parts, into the stream and sends what the credits allow. Returns the
 * position behind it: see hf_link_delivered. Asserts that there is room. */
uint64_t hf_link_put(struct hf_link *link, const void *head, uint32_t head_length, const void *body,
                     uint32_t body_length, uint64_t now_ns);
/* All that was put before this position has been taken by the other side, in this stream. */
uint64_t hf_link_delivered(const struct hf_link *link);
/* The number of the stream now being sent: another than before means that what was put and not
 * delivered is lost. */
uint64_t hf_link_stream(const struct hf_link *link);
/* Begins a new stream; what was not delivered is forgotten. */
void hf_link_restart(struct hf_link *link);

/* The oldest whole frame that has come and has not been taken: a PREPARE and its record, say,
 * 8-byte aligned, lent until hf_link_take. NULL when there is none. */
const uint8_t *hf_link_frame(struct hf_link *link, uint32_t *length);
void hf_link_take(struct hf_link *link);

/* Sends again what is due, and credits that were held back. */
void hf_link_poll(struct hf_link *link, uint64_t now_ns);
void hf_link_count(const struct hf_link *link, struct hf_link_counts *counts);

#endif
