/* Fuzz target: a datagram at the wire decoder, as operations and as replies.
 *
 * An input is eight bytes, of which the second says how much room there is for an operation, and
 * the datagram. The decoder reads nothing past its end (the address sanitizer sees to it: it lies
 * at the end of memory of exactly its size), comes to an end, and what it lets pass is a whole
 * message that passes the checks again and, packed anew, is the same. */
#include "target.h"

#include "net/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static union {
    union hf_operation operation;
    struct hf_query_reply reply;
    uint8_t bytes[HF_OPERATION_LENGTH_MAX];
} message;

/* What passed, packed and read again. */
static void check_again(bool is_reply, uint16_t length)
{
    static uint8_t datagram[HF_WIRE_DATAGRAM_MAX];
    static uint8_t before[HF_OPERATION_LENGTH_MAX];
    struct hf_wire_writer writer;
    struct hf_wire_reader reader;
    struct hf_verdict verdict;
    memcpy(before, message.bytes, length);
    hf_wire_begin(&writer, datagram, sizeof datagram);
    FUZZ_CHECK(hf_wire_add(&writer, before, length));
    uint32_t packed = hf_wire_finish(&writer, is_reply ? HF_WIRE_REPLIES : 0, 1, 2);
    FUZZ_CHECK(hf_wire_open(&reader, datagram, packed).code == HF_CODE_OK);
    enum hf_wire_step step =
        is_reply ? hf_wire_next_reply(&reader, &message.reply)
                 : hf_wire_next_operation(&reader, &message.operation, sizeof message, &verdict);
    FUZZ_CHECK(step == HF_WIRE_MESSAGE);
    FUZZ_CHECK(memcmp(before, message.bytes, length) == 0);
}

static void read_all(const uint8_t *datagram, size_t length, size_t room)
{
    struct hf_wire_reader reader;
    struct hf_verdict verdict = hf_wire_open(&reader, datagram, length);
    if (verdict.code != HF_CODE_OK)
        return;
    bool are_replies = (reader.header.flags & HF_WIRE_REPLIES) != 0;
    for (uint32_t steps = 0;; steps++) {
        FUZZ_CHECK(steps <= 2 * (HF_WIRE_MESSAGES_MAX + 1));
        enum hf_wire_step step =
            are_replies ? hf_wire_next_reply(&reader, &message.reply)
                        : hf_wire_next_operation(&reader, &message.operation, room, &verdict);
        if (step == HF_WIRE_END)
            return;
        if (step == HF_WIRE_NO_ROOM) {
            FUZZ_CHECK(!are_replies && room < sizeof message);
            room = sizeof message;
        }
        if (step == HF_WIRE_REFUSED)
            FUZZ_CHECK(!are_replies && verdict.code != HF_CODE_OK);
        if (step == HF_WIRE_MESSAGE && are_replies)
            check_again(true, message.reply.reply.length);
        if (step == HF_WIRE_MESSAGE && !are_replies) {
            FUZZ_CHECK(message.operation.header.origin == 0);
            FUZZ_CHECK((message.operation.header.flags & HF_OP_FORBIDDEN) == 0);
            FUZZ_CHECK(message.operation.header.type != HF_OP_EXPIRE);
            check_again(false, message.operation.header.length);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < FUZZ_HEAD || size - FUZZ_HEAD > HF_WIRE_DATAGRAM_MAX)
        return 0;
    size_t length = size - FUZZ_HEAD;
    uint8_t *exact = malloc(length + 1);
    FUZZ_CHECK(exact != NULL);
    memcpy(exact + 1, data + FUZZ_HEAD, length);
    read_all(exact + 1, length, data[1] % 2 == 0 ? sizeof message : HF_OPERATION_FIXED_MAX);
    free(exact);
    return 0;
}
