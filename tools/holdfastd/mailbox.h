/* A mailbox of one: the admin thread asks, the order poller answers between two bundles.
 *
 * The poller looks at one word each round and makes a system call only to say that an answer is
 * there. */
#ifndef HOLDFASTD_MAILBOX_H
#define HOLDFASTD_MAILBOX_H

#include "engine/ledger.h"

#include <stdatomic.h>

enum mailbox_request {
    MAILBOX_QUERY,      /* query -> reply; of an account or instrument its limits as well */
    MAILBOX_COUNT,      /* -> counts, image_bytes, place, timestamp */
    MAILBOX_DIGEST,     /* -> digest, place */
    MAILBOX_ADVANCE,    /* advance_ns -> clock_ahead_ns */
    MAILBOX_CHECKPOINT, /* -> status, place; the order stands still while it is written */
};

enum mailbox_state { MAILBOX_EMPTY, MAILBOX_ASKED, MAILBOX_ANSWERED };

struct mailbox {
    /* ASKED is stored with release by the admin thread and read with acquire by the order poller;
     * ANSWERED the other way round. Whoever does not hold the turn touches nothing else in here. */
    _Atomic int state;
    int event; /* eventfd: written once when ANSWERED */

    enum mailbox_request request;
    struct hf_op_query query;
    uint64_t advance_ns; /* by how much log time moves on beside the clock */

    enum hf_status status;
    struct hf_fault fault;
    struct hf_query_reply reply;
    struct hf_limit_line limits[HF_LIMITS_A_SCOPE];
    uint32_t limit_count;
    struct hf_ledger_counts counts;
    uint64_t image_bytes; /* of a checkpoint as of now */
    struct hf_id digest;
    uint64_t clock_ahead_ns; /* all that it has been advanced */
    uint64_t place;
    uint64_t timestamp_ns;
    uint64_t batch_index; /* the answer may be shown when this batch of the log is durable */
};

#endif
