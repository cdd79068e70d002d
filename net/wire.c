/* The codec works on copies: a header or message is first copied out of the datagram, then judged,
 * so that nobody who can still write to the buffer (a neighbour on shared memory) changes what has
 * been checked. One bound rules all reading: `next` never passes `end`. */
#include "wire.h"

#include <assert.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the wire's byte order is the host's");
_Static_assert(offsetof(struct hf_wire_header, magic) == 0, "header: magic");
_Static_assert(offsetof(struct hf_wire_header, version) == 2, "header: version");
_Static_assert(offsetof(struct hf_wire_header, flags) == 3, "header: flags");
_Static_assert(offsetof(struct hf_wire_header, length) == 4, "header: length");
_Static_assert(offsetof(struct hf_wire_header, count) == 6, "header: count");
_Static_assert(offsetof(struct hf_wire_header, session) == 8, "header: session");
_Static_assert(offsetof(struct hf_wire_header, counter) == 16, "header: counter");
_Static_assert(HF_WIRE_DATAGRAM_MAX <= UINT16_MAX, "a datagram's length fits its field");

#define HEADER_SIZE     sizeof(struct hf_wire_header)
#define REPLY_SIZE      sizeof(struct hf_reply)
#define KNOWN_FLAGS     ((unsigned)HF_WIRE_REPLIES)
#define MESSAGE_ALIGNED 8u

static struct hf_verdict verdict_of(enum hf_code code, enum hf_rule rule)
{
    return (struct hf_verdict){.code = (uint16_t)code, .rule = (uint8_t)rule, 0};
}

struct hf_verdict hf_wire_open(struct hf_wire_reader *reader, const void *datagram, size_t length)
{
    assert(reader != NULL);
    assert(datagram != NULL || length == 0);
    memset(reader, 0, sizeof *reader);
    if (length < HEADER_SIZE)
        return verdict_of(HF_CODE_MALFORMED, HF_RULE_LENGTH);
    memcpy(&reader->header, datagram, HEADER_SIZE);

    /* Magic and version first: only they tell that the other fields are where we look. */
    const struct hf_wire_header *header = &reader->header;
    if (header->magic != HF_WIRE_MAGIC)
        return verdict_of(HF_CODE_MALFORMED, HF_RULE_TYPE);
    if (header->version != HF_WIRE_VERSION)
        return verdict_of(HF_CODE_WRONG_VERSION, HF_RULE_TYPE);
    if (header->length != length || length > HF_WIRE_DATAGRAM_MAX)
        return verdict_of(HF_CODE_MALFORMED, HF_RULE_LENGTH);
    if ((header->flags & ~KNOWN_FLAGS) != 0)
        return verdict_of(HF_CODE_UNSUPPORTED, HF_RULE_FLAGS);
    if (header->count == 0 || header->count > HF_WIRE_MESSAGES_MAX)
        return verdict_of(HF_CODE_MALFORMED, HF_RULE_SUBJECT);

    reader->next = (const uint8_t *)datagram + HEADER_SIZE;
    reader->end = (const uint8_t *)datagram + length;
    reader->left = header->count;
    return verdict_of(HF_CODE_OK, HF_RULE_NONE);
}

/* Bytes not yet read. A reader that did not open has none. */
static size_t bytes_left(const struct hf_wire_reader *reader)
{
    return reader->next == NULL ? 0 : (size_t)(reader->end - reader->next);
}

/* Gives the rest of the datagram up. */
static enum hf_wire_step break_off(struct hf_wire_reader *reader)
{
    reader->next = reader->end;
    reader->left = 0;
    return HF_WIRE_BROKEN;
}

/* The verdict on a message too long for any operation: that on its header alone, cut to the
 * header's length. It gives the first complaint in the order of the checks, about its type or else
 * its length. */
static struct hf_verdict judge_header(const struct hf_op_header *header)
{
    union hf_operation head;

    memset(&head, 0, sizeof head);
    head.header = *header;
    head.header.length = (uint16_t)sizeof head.header;
    struct hf_verdict verdict = hf_operation_check(&head, sizeof head.header);
    assert(verdict.code != HF_CODE_OK);
    return verdict;
}

/* The verdict on a whole copy. */
static struct hf_verdict judge(const union hf_operation *operation)
{
    if (operation->header.type == HF_OP_EXPIRE)
        return verdict_of(HF_CODE_NOT_PERMITTED, HF_RULE_TYPE);
    struct hf_verdict verdict = hf_operation_check(operation, operation->header.length);
    if (verdict.code == HF_CODE_OK && operation->header.origin != 0)
        return verdict_of(HF_CODE_MALFORMED, HF_RULE_ORIGIN);
    return verdict;
}

enum hf_wire_step hf_wire_next_operation(struct hf_wire_reader *reader,
                                         union hf_operation *operation, size_t room,
                                         struct hf_verdict *verdict)
{
    assert(reader != NULL && operation != NULL);
    assert(verdict != NULL);
    assert(room >= sizeof operation->header);
    size_t left = bytes_left(reader);
    memset(&operation->header, 0, sizeof operation->header);
    *verdict = verdict_of(HF_CODE_OK, HF_RULE_NONE);
    if (left == 0 && reader->left == 0)
        return HF_WIRE_END;

    /* Replies are never read as operations: two nodes would answer each other for ever. */
    if ((reader->header.flags & HF_WIRE_REPLIES) != 0) {
        *verdict = verdict_of(HF_CODE_UNSUPPORTED, HF_RULE_FLAGS);
        return break_off(reader);
    }
    *verdict = verdict_of(HF_CODE_MALFORMED, HF_RULE_LENGTH);
    if (reader->left == 0 || left < sizeof operation->header)
        return break_off(reader);
    memcpy(&operation->header, reader->next, sizeof operation->header);
    size_t length = operation->header.length;
    if (length < sizeof operation->header || length % MESSAGE_ALIGNED != 0 || length > left)
        return break_off(reader);
    if (length > HF_OPERATION_LENGTH_MAX) {
        *verdict = judge_header(&operation->header);
    } else if (length > room) {
        return HF_WIRE_NO_ROOM;
    } else {
        memcpy((uint8_t *)operation + sizeof operation->header,
               reader->next + sizeof operation->header, length - sizeof operation->header);
        *verdict = judge(operation);
    }
    reader->next += length;
    reader->left--;
    return verdict->code == HF_CODE_OK ? HF_WIRE_MESSAGE : HF_WIRE_REFUSED;
}

enum hf_wire_step hf_wire_next_reply(struct hf_wire_reader *reader, struct hf_query_reply *reply)
{
    assert(reader != NULL);
    assert(reply != NULL);
    size_t left = bytes_left(reader);
    memset(&reply->reply, 0, sizeof reply->reply);
    if (left == 0 && reader->left == 0)
        return HF_WIRE_END;
    if ((reader->header.flags & HF_WIRE_REPLIES) == 0)
        return break_off(reader);
    if (reader->left == 0 || left < REPLY_SIZE)
        return break_off(reader);

    memcpy(&reply->reply, reader->next, REPLY_SIZE);
    size_t length = reply->reply.length;
    bool is_whole = length >= REPLY_SIZE && length <= HF_REPLY_LENGTH_MAX && length <= left &&
                    length % MESSAGE_ALIGNED == 0;
    if (!is_whole || (reply->reply.type & HF_REPLY_TYPE_BIT) == 0) {
        memset(&reply->reply, 0, sizeof reply->reply);
        return break_off(reader);
    }
    memcpy((uint8_t *)reply + REPLY_SIZE, reader->next + REPLY_SIZE, length - REPLY_SIZE);
    reader->next += length;
    reader->left--;
    return HF_WIRE_MESSAGE;
}

void hf_wire_begin(struct hf_wire_writer *writer, void *buffer, size_t capacity)
{
    assert(writer != NULL && buffer != NULL);
    assert(capacity >= HEADER_SIZE + HF_OPERATION_LENGTH_MIN);
    writer->start = buffer;
    writer->length = HEADER_SIZE;
    writer->capacity =
        (uint32_t)(capacity < HF_WIRE_DATAGRAM_MAX ? capacity : HF_WIRE_DATAGRAM_MAX);
    writer->count = 0;
}

bool hf_wire_add(struct hf_wire_writer *writer, const void *message, uint16_t length)
{
    assert(writer != NULL && message != NULL);
    assert(length >= sizeof(struct hf_op_header));
    assert(length % MESSAGE_ALIGNED == 0);
    if (writer->count == HF_WIRE_MESSAGES_MAX || length > writer->capacity - writer->length)
        return false;
    memcpy(writer->start + writer->length, message, length);
    writer->length += length;
    writer->count++;
    return true;
}

uint32_t hf_wire_finish(struct hf_wire_writer *writer, uint8_t flags, uint64_t session,
                        uint64_t counter)
{
    assert(writer != NULL);
    assert((flags & ~KNOWN_FLAGS) == 0);
    if (writer->count == 0)
        return 0;
    struct hf_wire_header header = {
        .magic = HF_WIRE_MAGIC,
        .version = HF_WIRE_VERSION,
        .flags = flags,
        .length = (uint16_t)writer->length,
        .count = (uint16_t)writer->count,
        .session = session,
        .counter = counter,
    };
    memcpy(writer->start, &header, HEADER_SIZE);
    return writer->length;
}
