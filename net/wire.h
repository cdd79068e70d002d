/* The wire codec, format 1: datagrams of whole messages. Pure: no I/O, no allocation, never reads
 * past the end.
 *
 * A datagram is a 24-byte header and 1 to 255 messages back to back; a message is an operation or a
 * reply exactly as laid out in engine/operation.h. WIRE.md describes every byte for someone who
 * writes a client from it alone. */
#ifndef HF_NET_WIRE_H
#define HF_NET_WIRE_H

#include "engine/operation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HF_WIRE_MAGIC        0x4648 /* bytes 'H' 'F' */
#define HF_WIRE_VERSION      1
#define HF_WIRE_MESSAGES_MAX 255
#define HF_WIRE_DATAGRAM_MAX 9000 /* jumbo frames; a port may allow less */

enum hf_wire_flag {
    HF_WIRE_REPLIES = 0x01, /* the messages are replies; without it they are operations */
    /* Sessions take these off before the codec sees a datagram (SESSION.md). */
    HF_WIRE_SEALED = 0x02,    /* what follows the header is sealed, with a tag at its end */
    HF_WIRE_HANDSHAKE = 0x04, /* no messages but a step of a handshake */
};

struct hf_wire_header {
    uint16_t magic;
    uint8_t version;
    uint8_t flags;
    uint16_t length;  /* of the whole datagram in bytes, this header included */
    uint16_t count;   /* of messages */
    uint64_t session; /* chosen by the client, given back in replies */
    uint64_t counter; /* of datagrams sent in this direction of the session */
};
_Static_assert(sizeof(struct hf_wire_header) == 24, "datagram header");

/* ---- reading
 * -----------------------------------------------------------------------------------------------------
 */

struct hf_wire_reader {
    struct hf_wire_header header;
    const uint8_t *next;
    const uint8_t *end;
    uint32_t left; /* messages not yet read */
};

/* Opens a datagram of `length` bytes. OK, or: MALFORMED/LENGTH (short, or `length` is not what the
 * header says), MALFORMED/TYPE (another magic), WRONG_VERSION/TYPE, UNSUPPORTED/FLAGS (unknown flag
 * bits), MALFORMED/SUBJECT (no messages, or over 255). `reader->header` is filled as soon as 24
 * bytes are there. Borrows the datagram. */
struct hf_verdict hf_wire_open(struct hf_wire_reader *reader, const void *datagram, size_t length);

enum hf_wire_step {
    HF_WIRE_MESSAGE, /* a message that passed every check */
    HF_WIRE_REFUSED, /* its header could be read, something else is wrong: answer it, reading goes
                        on */
    HF_WIRE_BROKEN, /* where the next message begins cannot be told: answer it if `operation` has an
                       id; the rest is lost */
    HF_WIRE_NO_ROOM, /* the next operation is longer than the room there is: nothing was read */
    HF_WIRE_END,     /* no more messages */
};

/* Copies the next operation out, then checks the copy (hf_operation_check; `origin` must be zero:
 * MALFORMED/ORIGIN; no client may EXPIRE: NOT_PERMITTED/TYPE). `operation` has room for `room`
 * bytes, at 8-byte alignment, at least a header (asserted); only HF_OPERATION_LENGTH_MAX is enough
 * for any. After REFUSED and BROKEN `*verdict` says why and `operation->header` holds what could be
 * read of the header, zeros otherwise. Bytes left over after `count` messages are BROKEN once, then
 * END. */
enum hf_wire_step hf_wire_next_operation(struct hf_wire_reader *reader,
                                         union hf_operation *operation, size_t room,
                                         struct hf_verdict *verdict);

/* The same for replies: MESSAGE, BROKEN or END. A reply's length must be 64 to HF_REPLY_LENGTH_MAX,
 * a multiple of 8; what lies behind its length in `*reply` is left as it was. */
enum hf_wire_step hf_wire_next_reply(struct hf_wire_reader *reader, struct hf_query_reply *reply);

/* ---- writing
 * -----------------------------------------------------------------------------------------------------
 */

struct hf_wire_writer {
    uint8_t *start; /* where the header goes: any alignment */
    uint32_t length;
    uint32_t capacity;
    uint32_t count;
};

/* Begins a datagram in `buffer` of `capacity` bytes (at least 24 + one message: asserted). */
void hf_wire_begin(struct hf_wire_writer *writer, void *buffer, size_t capacity);
/* Adds one message of `length` bytes (an operation's or reply's own length). False when it does not
 * fit. */
bool hf_wire_add(struct hf_wire_writer *writer, const void *message, uint16_t length);
/* Fills the header in. Returns the datagram's length in bytes, 0 when it holds no message. */
uint32_t hf_wire_finish(struct hf_wire_writer *writer, uint8_t flags, uint64_t session,
                        uint64_t counter);

#endif
