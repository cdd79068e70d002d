/* The arbiter's door: what a node asks of it, and what comes back.
 *
 * The arbiter is a linearisable register that holds one CFG (config.h). There is at most one
 * question at a time: a newer one takes the place of an older one, whose answer is not waited for
 * any more. Whoever carries questions (a thread that speaks to etcd, the operator's decision, a
 * simulation) gets them from hf_pair_question and brings the answers to hf_pair_answered. Pure. */
#ifndef HF_REPLICATION_ARBITER_H
#define HF_REPLICATION_ARBITER_H

#include "replica.h"

enum hf_question_kind {
    HF_QUESTION_READ = 1, /* what is CFG, linearisably? */
    HF_QUESTION_SWAP = 2, /* if CFG is `expected`, make it `wanted` */
};

struct hf_question {
    enum hf_question_kind kind;
    uint32_t reserved;
    uint64_t ask;              /* its number: comes back with the answer */
    struct hf_config expected; /* SWAP; epoch 0: there is no CFG yet */
    struct hf_config wanted;   /* SWAP */
};

/* VALUE: of a READ the value, of a SWAP that did not happen the value that stood in its way. DONE:
 * the swap happened. UNKNOWN: whatever else: no connection, no answer in time, an answer that is
 * not understood. */
struct hf_arbiter_answer {
    uint64_t ask;
    enum hf_answer_kind kind;
    uint32_t reserved;
    struct hf_config config; /* VALUE; epoch 0: none has been written */
};

#endif
