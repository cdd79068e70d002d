/* What the two nodes of a group say to each other. One layout for all kinds; PROTOCOL.md describes
 * it byte by byte and says what each kind means. A PREPARE is followed by its record, as
 * wal/record.h lays it out. Pure. */
#ifndef HF_REPLICATION_MESSAGE_H
#define HF_REPLICATION_MESSAGE_H

#include "engine/id.h"
#include "wal/hash.h"

#define HF_MESSAGE_MAGIC  UINT32_C(0x50524648) /* "HFRP" */
#define HF_MESSAGE_FORMAT 1
#define HF_MESSAGE_SIZE   128

enum hf_message_kind {
    HF_MESSAGE_PREPARE = 1,     /* primary: append this record */
    HF_MESSAGE_ACK = 2,         /* follower: I hold your log up to `index`, as the mode demands */
    HF_MESSAGE_NACK = 3,        /* I have promised epoch `promise`: yours is over */
    HF_MESSAGE_RESEND = 4,      /* follower: send from `index` on */
    HF_MESSAGE_BEACON = 5,      /* primary: I lead `epoch`; my log ends at `index` */
    HF_MESSAGE_ECHO = 6,        /* follower: I heard the beacon sent at `time_ns` */
    HF_MESSAGE_LEARN = 7,       /* follower: do our logs agree up to this place? */
    HF_MESSAGE_CUT = 8,         /* primary: my highest place not after the one you named */
    HF_MESSAGE_HANDOVER = 9,    /* I lead `epoch` no longer: take over at once */
    HF_MESSAGE_POSITION = 10,   /* nobody in I of `epoch` is left; my log ends here */
    HF_MESSAGE_CHECKPOINT = 11, /* primary: my records before `index` are gone: take a checkpoint */
    HF_MESSAGE_DIVERGED = 12    /* follower: your log led me to another state at `index`: I halt */
};

enum hf_message_flag {
    HF_MESSAGE_INSYNC = 1,   /* BEACON: the receiver's node is in I */
    HF_MESSAGE_VERIFIED = 2, /* ECHO: `index` is an acknowledgement too */
};

struct hf_message {
    uint32_t magic;
    uint16_t format;
    uint16_t kind;
    struct hf_id cluster;
    uint32_t node; /* the sender */
    uint16_t durability;
    uint16_t flags;
    uint64_t incarnation;  /* of the sender */
    uint64_t epoch;        /* in which it is said */
    uint64_t promise;      /* NACK; CUT, CHECKPOINT: the epoch of the place asked about */
    uint64_t commit;       /* PREPARE, BEACON: what the primary knows committed; CUT, CHECKPOINT:
                              the index of the place asked about */
    uint64_t time_ns;      /* BEACON: the sender's monotonic clock; ECHO: the beacon's */
    uint64_t record_epoch; /* of the record at `index` */
    uint64_t index;
    struct hf_hash hash;      /* of the record at `index`: PREPARE, CUT */
    struct hf_hash prev_hash; /* of the one before: PREPARE */
    uint64_t reserved;        /* zero */
};
_Static_assert(sizeof(struct hf_message) == HF_MESSAGE_SIZE, "message");
_Static_assert(offsetof(struct hf_message, cluster) == 8, "message cluster");
_Static_assert(offsetof(struct hf_message, node) == 24, "message node");
_Static_assert(offsetof(struct hf_message, durability) == 28, "message durability");
_Static_assert(offsetof(struct hf_message, incarnation) == 32, "message incarnation");
_Static_assert(offsetof(struct hf_message, epoch) == 40, "message epoch");
_Static_assert(offsetof(struct hf_message, commit) == 56, "message commit");
_Static_assert(offsetof(struct hf_message, record_epoch) == 72, "message record epoch");
_Static_assert(offsetof(struct hf_message, index) == 80, "message index");
_Static_assert(offsetof(struct hf_message, hash) == 88, "message hash");
_Static_assert(offsetof(struct hf_message, prev_hash) == 104, "message prev_hash");

enum hf_message_verdict {
    HF_MESSAGE_GOOD = 0,
    HF_MESSAGE_SHORT = 1,   /* fewer bytes than a message has */
    HF_MESSAGE_GARBAGE = 2, /* magic, kind, flags or a field outside its range */
    HF_MESSAGE_OTHER_FORMAT = 3,
    HF_MESSAGE_OTHER_CLUSTER = 4,
};

/* Copies a message out of `length` bytes at `bytes` (any alignment), of which a PREPARE's record
 * may be the rest, and judges every field by itself. `message` is unchanged unless GOOD. */
enum hf_message_verdict hf_message_read(const void *bytes, size_t length, struct hf_id cluster,
                                        struct hf_message *message);

/* For traces and logs; "?" when it is none. */
const char *hf_message_kind_name(uint16_t kind);

#endif
