#include "transport.h"

#include "wire.h"

#include <assert.h>
#include <string.h>

#define HEADER_SIZE   sizeof(struct hf_wire_header)
#define SEQUENCE_BITS 48
#define SEQUENCE_MASK ((UINT64_C(1) << SEQUENCE_BITS) - 1)
/* Short of the last, so that no counter is ever the nonce that makes keys. */
#define EPOCH_MAX 0xfffe

_Static_assert(HF_TRANSPORT_PLAIN_MAX + HF_CIPHER_TAG_SIZE == HF_WIRE_DATAGRAM_MAX,
               "what is sealed fits a datagram");

#define SECOND_NS UINT64_C(1000000000)

const struct hf_transport_limits hf_transport_limits_default = {
    .epoch_ns = 120 * SECOND_NS,
    .epoch_datagrams = UINT64_C(1) << 26,
    .grace_ns = 10 * SECOND_NS,
    .life_ns = 3600 * SECOND_NS,
};

static uint64_t elapsed_ns(uint64_t now_ns, uint64_t since_ns)
{
    return now_ns > since_ns ? now_ns - since_ns : 0;
}

void hf_transport_begin(struct hf_transport *transport, const struct hf_transport_limits *limits,
                        bool is_initiator, uint64_t own_id, uint64_t peer_id,
                        const struct hf_cipher *sending, const struct hf_cipher *receiving,
                        uint64_t now_ns)
{
    assert(transport != NULL && limits != NULL);
    assert(limits->epoch_datagrams > 0 && limits->epoch_datagrams <= SEQUENCE_MASK / 2);
    memset(transport, 0, sizeof *transport);
    transport->limits = *limits;
    transport->is_initiator = is_initiator;
    transport->own_id = own_id;
    transport->peer_id = peer_id;
    transport->born_ns = now_ns;
    transport->sender.key = *sending;
    transport->sender.epoch_ns = now_ns;
    transport->receiver.keys[HF_TRANSPORT_NOW] = *receiving;
    transport->receiver.epoch_ns = now_ns;
    hf_cipher_rekey(receiving, &transport->receiver.keys[HF_TRANSPORT_AFTER]);
}

void hf_transport_wipe(struct hf_transport *transport)
{
    assert(transport != NULL);
    sodium_memzero(transport, sizeof *transport);
}

bool hf_transport_is_expired(const struct hf_transport *transport, uint64_t now_ns)
{
    return elapsed_ns(now_ns, transport->born_ns) >= transport->limits.life_ns;
}

bool hf_transport_is_renewal_due(const struct hf_transport *transport, uint64_t now_ns)
{
    assert(transport->is_initiator);
    uint64_t life_ns = transport->limits.life_ns;
    return elapsed_ns(now_ns, transport->born_ns) >= life_ns - life_ns / 6;
}

void hf_transport_age(struct hf_transport *transport, uint64_t now_ns)
{
    struct hf_cipher *before = &transport->receiver.keys[HF_TRANSPORT_BEFORE];
    bool is_over = elapsed_ns(now_ns, transport->receiver.epoch_ns) >= transport->limits.grace_ns;
    if (before->suite != HF_CIPHER_NONE && is_over)
        hf_cipher_wipe(before);
}

/* ---- sealing */

static void next_sending_key(struct hf_transport *transport, uint64_t now_ns)
{
    hf_cipher_rekey(&transport->sender.key, &transport->sender.key);
    transport->sender.epoch++;
    transport->sender.sequence = 0;
    transport->sender.epoch_ns = now_ns;
}

/* Time for the next key, and has the peer been heard in the present epoch? Only then does it have
 * the present key, and is ready for the next. */
static bool may_lead(const struct hf_transport *transport, uint64_t now_ns)
{
    const struct hf_transport_limits *limits = &transport->limits;
    bool is_due = elapsed_ns(now_ns, transport->sender.epoch_ns) >= limits->epoch_ns ||
                  transport->sender.sequence >= limits->epoch_datagrams ||
                  transport->receiver.windows[HF_TRANSPORT_NOW].next >= limits->epoch_datagrams;
    return transport->is_initiator && is_due && transport->is_confirmed &&
           transport->receiver.epoch == transport->sender.epoch &&
           transport->sender.epoch < EPOCH_MAX;
}

uint32_t hf_transport_seal(struct hf_transport *transport, uint8_t *datagram, uint32_t length,
                           size_t capacity, uint64_t now_ns)
{
    assert(transport != NULL && datagram != NULL);
    assert(length >= HEADER_SIZE && length <= HF_TRANSPORT_PLAIN_MAX);
    assert(capacity >= length + HF_CIPHER_TAG_SIZE);
    bool may_speak = transport->is_initiator || transport->is_confirmed;
    if (!may_speak || hf_transport_is_expired(transport, now_ns))
        return 0;
    if (may_lead(transport, now_ns))
        next_sending_key(transport, now_ns);
    if (transport->sender.sequence >= 2 * transport->limits.epoch_datagrams)
        return 0;

    struct hf_wire_header header;
    memcpy(&header, datagram, HEADER_SIZE);
    assert(header.magic == HF_WIRE_MAGIC && header.length == length);
    assert(header.flags == (transport->is_initiator ? 0 : HF_WIRE_REPLIES));
    header.flags |= HF_WIRE_SEALED;
    header.length = (uint16_t)(length + HF_CIPHER_TAG_SIZE);
    header.session = transport->peer_id;
    header.counter =
        (uint64_t)transport->sender.epoch << SEQUENCE_BITS | transport->sender.sequence++;
    memcpy(datagram, &header, HEADER_SIZE);
    hf_cipher_seal(&transport->sender.key, header.counter, &header, HEADER_SIZE,
                   datagram + HEADER_SIZE, length - HEADER_SIZE, datagram + HEADER_SIZE,
                   datagram + length);
    return header.length;
}

/* ---- opening */

/* What can be said without a key. */
static enum hf_outcome judge_header(const struct hf_transport *transport,
                                    const struct hf_wire_header *header, size_t length)
{
    if (header->magic != HF_WIRE_MAGIC || header->version != HF_WIRE_VERSION)
        return HF_OUTCOME_MALFORMED;
    if ((header->flags & HF_WIRE_SEALED) == 0)
        return HF_OUTCOME_UNSEALED;
    /* Each side takes only what the other sends. */
    unsigned expected = HF_WIRE_SEALED | (transport->is_initiator ? (unsigned)HF_WIRE_REPLIES : 0);
    if (header->flags != expected || header->length != length)
        return HF_OUTCOME_MALFORMED;
    return header->session == transport->own_id ? HF_OUTCOME_OPENED : HF_OUTCOME_UNKNOWN_SESSION;
}

/* Which of the receiver's keys, or -1. The key of an epoch to come is for responders: an initiator
 * is never behind. */
static int key_of(const struct hf_transport *transport, uint64_t epoch, uint64_t now_ns)
{
    uint64_t present = transport->receiver.epoch;
    if (epoch == present)
        return HF_TRANSPORT_NOW;
    if (epoch == present + 1 && epoch <= EPOCH_MAX &&
        (!transport->is_initiator || epoch <= transport->sender.epoch))
        return HF_TRANSPORT_AFTER;
    bool is_gracious =
        elapsed_ns(now_ns, transport->receiver.epoch_ns) < transport->limits.grace_ns;
    if (epoch + 1 == present && is_gracious &&
        transport->receiver.keys[HF_TRANSPORT_BEFORE].suite != HF_CIPHER_NONE)
        return HF_TRANSPORT_BEFORE;
    return -1;
}

/* The peer has gone on to the next key. */
static void move_on(struct hf_transport *transport, uint64_t now_ns)
{
    struct hf_cipher *keys = transport->receiver.keys;
    struct hf_window *windows = transport->receiver.windows;
    keys[HF_TRANSPORT_BEFORE] = keys[HF_TRANSPORT_NOW];
    keys[HF_TRANSPORT_NOW] = keys[HF_TRANSPORT_AFTER];
    hf_cipher_rekey(&keys[HF_TRANSPORT_AFTER], &keys[HF_TRANSPORT_AFTER]);
    windows[HF_TRANSPORT_BEFORE] = windows[HF_TRANSPORT_NOW];
    memset(&windows[HF_TRANSPORT_NOW], 0, sizeof windows[HF_TRANSPORT_NOW]);
    transport->receiver.epoch++;
    transport->receiver.epoch_ns = now_ns;
    if (!transport->is_initiator)
        next_sending_key(transport, now_ns);
    assert(transport->sender.epoch >= transport->receiver.epoch);
    assert(transport->sender.epoch <= transport->receiver.epoch + 1);
}

/* The tag is right: is it new? */
static enum hf_outcome take(struct hf_transport *transport, int key, uint64_t sequence,
                            uint64_t now_ns)
{
    if (key == HF_TRANSPORT_AFTER) {
        move_on(transport, now_ns);
        key = HF_TRANSPORT_NOW;
    }
    switch (hf_window_take(&transport->receiver.windows[key], sequence)) {
    case HF_WINDOW_FRESH:
        transport->is_confirmed = true;
        return HF_OUTCOME_OPENED;
    case HF_WINDOW_REPLAYED:
        return HF_OUTCOME_REPLAYED;
    default:
        return HF_OUTCOME_TOO_OLD;
    }
}

enum hf_outcome hf_transport_open(struct hf_transport *transport, const void *datagram,
                                  size_t length, uint64_t now_ns, uint8_t *plain,
                                  uint32_t *plain_length)
{
    assert(transport != NULL && datagram != NULL);
    assert(plain != NULL && plain_length != NULL && plain != datagram);
    *plain_length = 0;
    if (length < HEADER_SIZE + HF_CIPHER_TAG_SIZE || length > HF_WIRE_DATAGRAM_MAX)
        return HF_OUTCOME_MALFORMED;
    memcpy(plain, datagram, length);
    struct hf_wire_header header;
    memcpy(&header, plain, HEADER_SIZE);
    enum hf_outcome outcome = judge_header(transport, &header, length);
    if (outcome != HF_OUTCOME_OPENED)
        return outcome;
    if (hf_transport_is_expired(transport, now_ns))
        return HF_OUTCOME_EXPIRED;

    int key = key_of(transport, header.counter >> SEQUENCE_BITS, now_ns);
    if (key < 0)
        return HF_OUTCOME_WRONG_EPOCH;
    size_t size = length - HEADER_SIZE - HF_CIPHER_TAG_SIZE;
    uint8_t *text = plain + HEADER_SIZE;
    if (!hf_cipher_open(&transport->receiver.keys[key], header.counter, &header, HEADER_SIZE, text,
                        size, text + size, text))
        return HF_OUTCOME_FORGED;
    outcome = take(transport, key, header.counter & SEQUENCE_MASK, now_ns);
    if (outcome != HF_OUTCOME_OPENED) {
        memset(plain, 0, length); /* it was opened: no one shall use it by mistake */
        return outcome;
    }
    header.flags &= (uint8_t)~HF_WIRE_SEALED;
    header.length = (uint16_t)(HEADER_SIZE + size);
    memcpy(plain, &header, HEADER_SIZE);
    *plain_length = header.length;
    return HF_OUTCOME_OPENED;
}
