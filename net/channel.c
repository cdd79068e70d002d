#include "channel.h"

#include "wire.h"

#include <assert.h>
#include <string.h>

#define HEADER_SIZE   sizeof(struct hf_wire_header)
#define SEQUENCE_BITS 48
#define SEQUENCE_MASK ((UINT64_C(1) << SEQUENCE_BITS) - 1)
/* Short of the last, so that no counter is ever the nonce that makes keys. */
#define EPOCH_MAX 0xfffe

_Static_assert(HF_CHANNEL_PLAIN_MAX + HF_CIPHER_TAG_SIZE == HF_WIRE_DATAGRAM_MAX,
               "what is sealed fits a datagram");

#define SECOND_NS UINT64_C(1000000000)

const struct hf_channel_limits hf_channel_limits_default = {
    .datagram_max = HF_WIRE_DATAGRAM_MAX,
    .epoch_ns = 120 * SECOND_NS,
    .epoch_datagrams = UINT64_C(1) << 26,
    .grace_ns = 10 * SECOND_NS,
    .life_ns = 3600 * SECOND_NS,
};

static uint64_t elapsed_ns(uint64_t now_ns, uint64_t since_ns)
{
    return now_ns > since_ns ? now_ns - since_ns : 0;
}

void hf_channel_begin(struct hf_channel *channel, const struct hf_channel_limits *limits,
                      bool is_initiator, uint64_t own_id, uint64_t peer_id,
                      const struct hf_cipher *sending, const struct hf_cipher *receiving,
                      uint64_t now_ns)
{
    assert(channel != NULL && limits != NULL);
    assert(limits->datagram_max > 0 && limits->datagram_max <= UINT16_MAX);
    assert(limits->epoch_datagrams > 0 && limits->epoch_datagrams <= SEQUENCE_MASK / 2);
    memset(channel, 0, sizeof *channel);
    channel->limits = *limits;
    channel->is_initiator = is_initiator;
    channel->own_id = own_id;
    channel->peer_id = peer_id;
    channel->born_ns = now_ns;
    channel->sender.key = *sending;
    channel->sender.epoch_ns = now_ns;
    channel->receiver.keys[HF_CHANNEL_NOW] = *receiving;
    channel->receiver.epoch_ns = now_ns;
    hf_cipher_rekey(receiving, &channel->receiver.keys[HF_CHANNEL_AFTER]);
}

void hf_channel_wipe(struct hf_channel *channel)
{
    assert(channel != NULL);
    sodium_memzero(channel, sizeof *channel);
}

bool hf_channel_is_expired(const struct hf_channel *channel, uint64_t now_ns)
{
    return elapsed_ns(now_ns, channel->born_ns) >= channel->limits.life_ns;
}

bool hf_channel_is_renewal_due(const struct hf_channel *channel, uint64_t now_ns)
{
    assert(channel->is_initiator);
    uint64_t life_ns = channel->limits.life_ns;
    return elapsed_ns(now_ns, channel->born_ns) >= life_ns - life_ns / 6;
}

void hf_channel_age(struct hf_channel *channel, uint64_t now_ns)
{
    struct hf_cipher *before = &channel->receiver.keys[HF_CHANNEL_BEFORE];
    bool is_over = elapsed_ns(now_ns, channel->receiver.epoch_ns) >= channel->limits.grace_ns;
    if (before->suite != HF_CIPHER_NONE && is_over)
        hf_cipher_wipe(before);
}

/* ---- sealing */

/* A sending half that has been taken out leaves its epoch here. */
static void next_sending_key(struct hf_channel_sender *sender, uint64_t now_ns)
{
    if (sender->key.suite != HF_CIPHER_NONE)
        hf_cipher_rekey(&sender->key, &sender->key);
    sender->epoch++;
    sender->sequence = 0;
    sender->epoch_ns = now_ns;
}

void hf_channel_take_sender(struct hf_channel *channel, struct hf_channel_sender *sender)
{
    assert(channel != NULL && !channel->is_initiator);
    assert(channel->sender.sequence == 0);
    *sender = channel->sender;
    hf_cipher_wipe(&channel->sender.key);
}

void hf_channel_sender_follow(struct hf_channel_sender *sender, uint32_t epoch, uint64_t now_ns)
{
    assert(sender->key.suite != HF_CIPHER_NONE);
    while (sender->epoch < epoch)
        next_sending_key(sender, now_ns);
}

/* Time for the next key, and has the peer been heard in the present epoch? Only then does it have
 * the present key, and is ready for the next. */
static bool may_lead(const struct hf_channel *channel, uint64_t now_ns)
{
    const struct hf_channel_limits *limits = &channel->limits;
    bool is_due = elapsed_ns(now_ns, channel->sender.epoch_ns) >= limits->epoch_ns ||
                  channel->sender.sequence >= limits->epoch_datagrams ||
                  channel->receiver.windows[HF_CHANNEL_NOW].next >= limits->epoch_datagrams;
    return channel->is_initiator && is_due && channel->is_confirmed &&
           channel->receiver.epoch == channel->sender.epoch && channel->sender.epoch < EPOCH_MAX;
}

static uint32_t seal(struct hf_channel_sender *sender, const struct hf_channel_limits *limits,
                     uint64_t peer_id, uint8_t *datagram, uint32_t length)
{
    if (sender->sequence >= 2 * limits->epoch_datagrams)
        return 0;

    struct hf_wire_header header;
    memcpy(&header, datagram, HEADER_SIZE);
    assert(header.magic == HF_WIRE_MAGIC && header.length == length);
    header.flags |= HF_WIRE_SEALED;
    header.length = (uint16_t)(length + HF_CIPHER_TAG_SIZE);
    header.session = peer_id;
    header.counter = (uint64_t)sender->epoch << SEQUENCE_BITS | sender->sequence++;
    memcpy(datagram, &header, HEADER_SIZE);
    hf_cipher_seal(&sender->key, header.counter, &header, HEADER_SIZE, datagram + HEADER_SIZE,
                   length - HEADER_SIZE, datagram + HEADER_SIZE, datagram + length);
    return header.length;
}

static void check_plain(const struct hf_channel_limits *limits, const uint8_t *datagram,
                        uint32_t length, size_t capacity, uint8_t flags)
{
    assert(datagram != NULL && datagram[offsetof(struct hf_wire_header, flags)] == flags);
    assert(length >= HEADER_SIZE && length + HF_CIPHER_TAG_SIZE <= limits->datagram_max);
    assert(capacity >= length + HF_CIPHER_TAG_SIZE);
}

uint32_t hf_channel_seal(struct hf_channel *channel, uint8_t *datagram, uint32_t length,
                         size_t capacity, uint64_t now_ns)
{
    assert(channel != NULL && channel->sender.key.suite != HF_CIPHER_NONE);
    check_plain(&channel->limits, datagram, length, capacity,
                channel->is_initiator ? 0 : HF_WIRE_REPLIES);
    bool may_speak = channel->is_initiator || channel->is_confirmed;
    if (!may_speak || hf_channel_is_expired(channel, now_ns))
        return 0;
    if (may_lead(channel, now_ns))
        next_sending_key(&channel->sender, now_ns);
    return seal(&channel->sender, &channel->limits, channel->peer_id, datagram, length);
}

uint32_t hf_channel_sender_seal(struct hf_channel_sender *sender,
                                const struct hf_channel_limits *limits, uint64_t peer_id,
                                uint8_t *datagram, uint32_t length, size_t capacity)
{
    assert(sender != NULL && limits != NULL);
    assert(sender->key.suite != HF_CIPHER_NONE);
    check_plain(limits, datagram, length, capacity, HF_WIRE_REPLIES);
    return seal(sender, limits, peer_id, datagram, length);
}

/* ---- opening */

/* What can be said without a key. */
static enum hf_fate judge_header(const struct hf_channel *channel,
                                 const struct hf_wire_header *header, size_t length)
{
    if (header->magic != HF_WIRE_MAGIC || header->version != HF_WIRE_VERSION)
        return HF_FATE_MALFORMED;
    if ((header->flags & HF_WIRE_SEALED) == 0)
        return HF_FATE_UNSEALED;
    /* Each side takes only what the other sends. */
    unsigned expected = HF_WIRE_SEALED | (channel->is_initiator ? (unsigned)HF_WIRE_REPLIES : 0);
    if (header->flags != expected || header->length != length)
        return HF_FATE_MALFORMED;
    return header->session == channel->own_id ? HF_FATE_OPENED : HF_FATE_UNKNOWN_SESSION;
}

/* Which of the receiver's keys, or -1. The key of an epoch to come is for responders: an initiator
 * is never behind. */
static int key_of(const struct hf_channel *channel, uint64_t epoch, uint64_t now_ns)
{
    uint64_t present = channel->receiver.epoch;
    if (epoch == present)
        return HF_CHANNEL_NOW;
    if (epoch == present + 1 && epoch <= EPOCH_MAX &&
        (!channel->is_initiator || epoch <= channel->sender.epoch))
        return HF_CHANNEL_AFTER;
    bool is_gracious = elapsed_ns(now_ns, channel->receiver.epoch_ns) < channel->limits.grace_ns;
    if (epoch + 1 == present && is_gracious &&
        channel->receiver.keys[HF_CHANNEL_BEFORE].suite != HF_CIPHER_NONE)
        return HF_CHANNEL_BEFORE;
    return -1;
}

/* The peer has gone on to the next key. */
static void move_on(struct hf_channel *channel, uint64_t now_ns)
{
    struct hf_cipher *keys = channel->receiver.keys;
    struct hf_window *windows = channel->receiver.windows;
    keys[HF_CHANNEL_BEFORE] = keys[HF_CHANNEL_NOW];
    keys[HF_CHANNEL_NOW] = keys[HF_CHANNEL_AFTER];
    hf_cipher_rekey(&keys[HF_CHANNEL_AFTER], &keys[HF_CHANNEL_AFTER]);
    windows[HF_CHANNEL_BEFORE] = windows[HF_CHANNEL_NOW];
    memset(&windows[HF_CHANNEL_NOW], 0, sizeof windows[HF_CHANNEL_NOW]);
    channel->receiver.epoch++;
    channel->receiver.epoch_ns = now_ns;
    if (!channel->is_initiator)
        next_sending_key(&channel->sender, now_ns);
    assert(channel->sender.epoch >= channel->receiver.epoch);
    assert(channel->sender.epoch <= channel->receiver.epoch + 1);
}

/* The tag is right: is it new? */
static enum hf_fate take(struct hf_channel *channel, int key, uint64_t sequence, uint64_t now_ns)
{
    if (key == HF_CHANNEL_AFTER) {
        move_on(channel, now_ns);
        key = HF_CHANNEL_NOW;
    }
    switch (hf_window_take(&channel->receiver.windows[key], sequence)) {
    case HF_WINDOW_FRESH:
        channel->is_confirmed = true;
        return HF_FATE_OPENED;
    case HF_WINDOW_REPLAYED:
        return HF_FATE_REPLAYED;
    default:
        return HF_FATE_TOO_OLD;
    }
}

enum hf_fate hf_channel_open(struct hf_channel *channel, const void *datagram, size_t length,
                             uint64_t now_ns, uint8_t *plain, uint32_t *plain_length)
{
    assert(channel != NULL && datagram != NULL);
    assert(plain != NULL && plain_length != NULL && plain != datagram);
    *plain_length = 0;
    if (length < HEADER_SIZE + HF_CIPHER_TAG_SIZE || length > channel->limits.datagram_max)
        return HF_FATE_MALFORMED;
    memcpy(plain, datagram, length);
    struct hf_wire_header header;
    memcpy(&header, plain, HEADER_SIZE);
    enum hf_fate fate = judge_header(channel, &header, length);
    if (fate != HF_FATE_OPENED)
        return fate;
    if (hf_channel_is_expired(channel, now_ns))
        return HF_FATE_EXPIRED;

    int key = key_of(channel, header.counter >> SEQUENCE_BITS, now_ns);
    if (key < 0)
        return HF_FATE_WRONG_EPOCH;
    size_t size = length - HEADER_SIZE - HF_CIPHER_TAG_SIZE;
    uint8_t *text = plain + HEADER_SIZE;
    if (!hf_cipher_open(&channel->receiver.keys[key], header.counter, &header, HEADER_SIZE, text,
                        size, text + size, text))
        return HF_FATE_FORGED;
    fate = take(channel, key, header.counter & SEQUENCE_MASK, now_ns);
    if (fate != HF_FATE_OPENED) {
        memset(plain, 0, length); /* it was opened: no one shall use it by mistake */
        return fate;
    }
    header.flags &= (uint8_t)~HF_WIRE_SEALED;
    header.length = (uint16_t)(HEADER_SIZE + size);
    memcpy(plain, &header, HEADER_SIZE);
    *plain_length = header.length;
    return HF_FATE_OPENED;
}
