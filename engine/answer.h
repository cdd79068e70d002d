/* An answer as it is remembered: 64 bytes, the same for an operation and for the hold it made. */
#ifndef HF_ENGINE_ANSWER_H
#define HF_ENGINE_ANSWER_H

#include "operation.h"

#include <assert.h>
#include <stdbool.h>

struct hf_answer {
    struct hf_id id;      /* of the operation */
    uint32_t fingerprint; /* of its content: tells a repeat from another operation of the same id */
    uint8_t type;         /* enum hf_op_type */
    uint8_t rule;         /* enum hf_rule */
    uint8_t code;         /* enum hf_code, which stays below 256 */
    uint8_t entry;        /* which of a list refused, from 1; 0: none */
    uint64_t approved;
    int64_t available; /* kept whether or not the first sender asked: a repeat may ask */
    int64_t posted;
    uint64_t place; /* 0 in an answer that is not remembered */
    uint64_t timestamp_ns;
};
HF_STATIC_ASSERT(sizeof(struct hf_answer) == 64, "a remembered answer is one line");

static inline void hf_answer_refuse(struct hf_answer *answer, uint16_t code, uint8_t rule)
{
    assert(code <= UINT8_MAX);
    answer->code = (uint8_t)code;
    answer->rule = rule;
}

/* The reply that carries an answer: balances only when the sender asks for them now. */
static inline void hf_answer_write_reply(const struct hf_answer *answer, bool with_balances,
                                         struct hf_reply *reply)
{
    reply->length = sizeof(*reply);
    reply->type = answer->type | HF_REPLY_TYPE_BIT;
    reply->entry = answer->entry;
    reply->code = answer->code;
    reply->rule = answer->rule;
    reply->durability = 0;
    reply->id = answer->id;
    reply->approved = answer->approved;
    reply->available = with_balances ? answer->available : 0;
    reply->posted = with_balances ? answer->posted : 0;
    reply->place = answer->place;
    reply->timestamp_ns = answer->timestamp_ns;
}

#endif
