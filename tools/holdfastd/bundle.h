/* A bundle: up to 64 operations on their way through the node, back to back in an arena of bytes:
 * most are short, a chain may be long.
 *
 * It makes one round: the receive poller fills it, the order poller applies it and notes the log
 * record its answers wait for, the transmit poller sends the answers and gives it back to the
 * receive poller. At any time one poller owns it; rings hand it on.
 *
 * Queries travel in bundles of their own, so that no operation waits for them. */
#ifndef HOLDFASTD_BUNDLE_H
#define HOLDFASTD_BUNDLE_H

#include "engine/ledger.h"
#include "net/port.h"

#define BUNDLE_EXTRAS_MAX 16
#define RECEIVERS_MAX     16 /* receive pollers, each with a queue of the port's */
#define BUNDLE_BYTES      (16 << 10)
_Static_assert(BUNDLE_BYTES >= HF_BUNDLE_OPERATIONS_MAX * HF_OPERATION_FIXED_MAX,
               "room for a bundle's worth of any operations without lists");
_Static_assert(BUNDLE_BYTES >= HF_OPERATION_LENGTH_MAX, "room for the longest operation");

/* Where an answer goes. */
struct sender {
    struct hf_address address;
    uint64_t session;     /* the client's choice; with sessions, the table's number of it */
    uint32_t answer_size; /* most bytes in a datagram of answers to it */
};

/* A message that is no operation for the log: a QUERY, or one that was refused when it was read. Or
 * a whole datagram: the answer to a handshake. */
struct bundle_extra {
    struct sender sender;
    uint32_t datagram_length; /* 0: no datagram; else it lies in `answer` */
    bool refused;             /* `answer` is there already */
    struct hf_op_query query;
    struct hf_query_reply answer;
};

struct bundle {
    _Alignas(64) uint32_t operation_count;
    uint32_t extra_count;
    uint64_t batch_index; /* answers leave when this batch of the log is durable; 0: at once */
    uint32_t byte_count;  /* of the arena that are taken */
    uint32_t home;        /* number of the receive poller that it belongs to */
    uint64_t after;       /* of one with queries: how many with operations its receive poller has
                             handed on before it, which are to be seen in its answers */
    bool reads;           /* an answer in it shows what was there before */
    uint64_t placed;      /* bit i: operation i took a place */
    struct sender senders[HF_BUNDLE_OPERATIONS_MAX];
    const union hf_operation *operations[HF_BUNDLE_OPERATIONS_MAX]; /* each in the arena */
    _Alignas(64) uint8_t bytes[BUNDLE_BYTES];
    struct hf_reply replies[HF_BUNDLE_OPERATIONS_MAX];
    struct bundle_extra extras[BUNDLE_EXTRAS_MAX];
};

#endif
