/* Answers to replies, operations to fingerprints. */
#include "answer.h"

#ifndef XXH_INLINE_ALL
#define XXH_INLINE_ALL
#endif
#include <xxhash.h>

#include <assert.h>

/* With the length known, xxHash comes down to a few multiplications: each type gets its own. */
#define FINGERPRINT(body) (uint32_t) XXH3_64bits_withSeed(bytes, sizeof(body) - header_size, type)

uint32_t hf_answer_fingerprint(const union hf_operation *operation)
{
    const size_t header_size = sizeof(struct hf_op_header);
    const uint8_t *bytes = operation->bytes + header_size;
    uint8_t type = operation->header.type;

    switch (type) {
    case HF_OP_MOVE:
        return FINGERPRINT(operation->move);
    case HF_OP_HOLD:
        return FINGERPRINT(operation->hold);
    case HF_OP_AUTH:
        return FINGERPRINT(operation->auth);
    default:
        assert(operation->header.length > header_size);
        return (uint32_t)XXH3_64bits_withSeed(bytes, operation->header.length - header_size, type);
    }
}

void hf_answer_write_reply(const struct hf_answer *answer, bool with_balances,
                           struct hf_reply *reply)
{
    reply->length = sizeof(*reply);
    reply->type = answer->type | HF_REPLY_TYPE_BIT;
    reply->flags = 0;
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
