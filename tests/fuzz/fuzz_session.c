/* Fuzz target: what arrives at a node's sessions, and at a client's.
 *
 * An input is a byte of flags, one that says where it goes (enum session_place), six that are
 * unused, and the datagram. As it is, nothing may be accepted but what the corpus has from the
 * holders of the keys. With FUZZ_REPAIR macs are set right, and what follows a sealed datagram's
 * header is sealed with the right key, so that what lies behind is reached: the handshake, and the
 * decoder. */
#include "session_world.h"

#define FUZZ_REPAIR 0x01
#define FUZZ_COOKIE 0x02 /* the node asks for cookies */

static struct session_world world, fresh;
static uint8_t datagram[HF_WIRE_DATAGRAM_MAX];
static uint8_t buffer[HF_WIRE_DATAGRAM_MAX];
static union {
    union hf_operation operation;
    struct hf_query_reply reply;
    uint8_t bytes[HF_OPERATION_LENGTH_MAX];
} message;

static void restore(void)
{
    static bool is_made;
    if (!is_made) {
        session_make_world(&world);
        memcpy(&fresh, &world, sizeof fresh);
        is_made = true;
    }
    memcpy(&world, &fresh, sizeof world);
}

/* Is this, as far as `covered`, a datagram that the holders of the keys made? */
static bool is_known(enum session_known which, size_t length, size_t covered)
{
    const struct session_datagram *known = &world.known[which];
    return length == known->length && memcmp(datagram, known->bytes, covered) == 0;
}

/* What follows the header, as messages of whoever holds the keys. Returns the sealed length. */
static size_t reseal(size_t length, bool is_clients)
{
    struct hf_wire_header header;
    memcpy(&header, datagram, sizeof header);
    if (length > HF_CHANNEL_PLAIN_MAX)
        length = HF_CHANNEL_PLAIN_MAX;
    header.magic = HF_WIRE_MAGIC;
    header.version = HF_WIRE_VERSION;
    header.flags = is_clients ? 0 : HF_WIRE_REPLIES;
    header.length = (uint16_t)length;
    memcpy(datagram, &header, sizeof header);
    size_t sealed = is_clients ? hf_channel_seal(&world.channel, datagram, (uint32_t)length,
                                                 sizeof datagram, SESSION_NOW_NS)
                               : hf_sealer_seal(&world.sealer, world.channel.peer_id, datagram,
                                                (uint32_t)length, sizeof datagram, SESSION_NOW_NS);
    FUZZ_CHECK(sealed == length + HF_CIPHER_TAG_SIZE);
    return sealed;
}

/* Reads all that was opened, as a node or a client does. */
static void decode(size_t length)
{
    struct hf_wire_reader reader;
    struct hf_verdict verdict = hf_wire_open(&reader, buffer, length);
    if (verdict.code != HF_CODE_OK)
        return;
    for (uint32_t steps = 0;; steps++) {
        FUZZ_CHECK(steps <= HF_WIRE_MESSAGES_MAX + 1);
        enum hf_wire_step step =
            (reader.header.flags & HF_WIRE_REPLIES) == 0
                ? hf_wire_next_operation(&reader, &message.operation, sizeof message, &verdict)
                : hf_wire_next_reply(&reader, &message.reply);
        FUZZ_CHECK(step != HF_WIRE_NO_ROOM);
        if (step == HF_WIRE_END)
            return;
    }
}

static void at_node(size_t length, uint8_t flags)
{
    struct hf_session_result result;
    bool is_repaired = false;
    if ((flags & FUZZ_COOKIE) != 0)
        world.table.config.free_per_s = 0;
    if ((flags & FUZZ_REPAIR) != 0 && length == sizeof(struct hf_handshake_hello)) {
        hf_handshake_mac(datagram + offsetof(struct hf_handshake_hello, mac),
                         world.table.own_keys.mac, sizeof world.table.own_keys.mac, datagram,
                         offsetof(struct hf_handshake_hello, mac));
    } else if ((flags & FUZZ_REPAIR) != 0 && length >= sizeof(struct hf_wire_header)) {
        length = reseal(length, true);
        is_repaired = true;
    }
    enum hf_fate fate = session_arrive(&world, datagram, length, buffer, &result);
    switch (fate) {
    case HF_FATE_OPENED:
        FUZZ_CHECK(is_repaired || is_known(SESSION_SEALED, length, length));
        FUZZ_CHECK(result.length == length - HF_CIPHER_TAG_SIZE && result.origin == 0);
        decode(result.length);
        break;
    case HF_FATE_WELCOMED:
        FUZZ_CHECK(is_known(SESSION_HELLO, length, offsetof(struct hf_handshake_hello, mac)));
        FUZZ_CHECK(result.length == sizeof(struct hf_handshake_welcome));
        break;
    case HF_FATE_COOKIE:
        FUZZ_CHECK(result.length == sizeof(struct hf_handshake_cookie));
        break;
    default:
        FUZZ_CHECK(!is_repaired && result.length == 0);
    }
    FUZZ_CHECK(hf_session_count(&world.table, 0) == (fate == HF_FATE_WELCOMED ? 2 : 1));
}

static void at_dial(size_t length, uint8_t flags)
{
    static struct hf_channel channel;
    if ((flags & FUZZ_REPAIR) != 0 && length == sizeof(struct hf_handshake_welcome))
        hf_handshake_mac(datagram + offsetof(struct hf_handshake_welcome, mac),
                         world.dial.own_keys.mac, sizeof world.dial.own_keys.mac, datagram,
                         offsetof(struct hf_handshake_welcome, mac));
    enum hf_fate fate = hf_dial_take(&world.dial, datagram, length, SESSION_NOW_NS, &channel);
    if (fate == HF_FATE_JOINED)
        FUZZ_CHECK(is_known(SESSION_WELCOME, length, offsetof(struct hf_handshake_welcome, mac)));
    if (fate == HF_FATE_COOKIE)
        FUZZ_CHECK(is_known(SESSION_COOKIE, length, length));
    FUZZ_CHECK(world.dial.is_waiting == (fate != HF_FATE_JOINED));
}

static void at_client(size_t length, uint8_t flags)
{
    uint32_t plain_length = 0;
    bool is_repaired = (flags & FUZZ_REPAIR) != 0 && length >= sizeof(struct hf_wire_header);
    if (is_repaired)
        length = reseal(length, false);
    enum hf_fate fate =
        hf_channel_open(&world.channel, datagram, length, SESSION_NOW_NS, buffer, &plain_length);
    if (fate == HF_FATE_OPENED) {
        FUZZ_CHECK(is_repaired || is_known(SESSION_ANSWER, length, length));
        decode(plain_length);
    } else {
        FUZZ_CHECK(!is_repaired && plain_length == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < FUZZ_HEAD || size - FUZZ_HEAD > sizeof datagram)
        return 0;
    size_t length = size - FUZZ_HEAD;
    restore();
    if (length > 0)
        memcpy(datagram, data + FUZZ_HEAD, length);
    switch (data[1] % SESSION_PLACES) {
    case SESSION_TO_NODE:
        at_node(length, data[0]);
        break;
    case SESSION_TO_DIAL:
        at_dial(length, data[0]);
        break;
    default:
        at_client(length, data[0]);
    }
    return 0;
}
