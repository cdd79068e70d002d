/* Operations to fingerprints. */
#include "answer.h"

#ifndef XXH_INLINE_ALL
#define XXH_INLINE_ALL
#endif
#include <xxhash.h>

#include <assert.h>

#define HEADER_SIZE sizeof(struct hf_op_header)

/* With length and seed known, xxHash comes down to a few multiplications: the frequent types get
 * their own. */
static __attribute__((noinline)) uint32_t fingerprint_other(const union hf_operation *operation)
{
    const uint8_t *body = operation->bytes + HEADER_SIZE;
    uint8_t type = operation->header.type;

    if (type == HF_OP_AUTH)
        return (uint32_t)XXH3_64bits_withSeed(body, sizeof(operation->auth) - HEADER_SIZE,
                                              HF_OP_AUTH);
    assert(operation->header.length > HEADER_SIZE);
    return (uint32_t)XXH3_64bits_withSeed(body, operation->header.length - HEADER_SIZE, type);
}

uint32_t hf_answer_fingerprint(const union hf_operation *operation)
{
    const uint8_t *body = operation->bytes + HEADER_SIZE;

    if (operation->header.type != HF_OP_MOVE)
        return fingerprint_other(operation);
    return (uint32_t)XXH3_64bits_withSeed(body, sizeof(operation->move) - HEADER_SIZE, HF_OP_MOVE);
}
