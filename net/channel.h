/* One session's datagrams: sealed and opened, once each, never per message. Pure.
 *
 * A sealed datagram is the plain one of wire.h with HF_WIRE_SEALED among its flags, everything
 * behind the header encrypted, and a tag of 16 bytes at its end that covers the header too.
 * SESSION.md has every byte. In the header, `session` is the number by which the receiver knows the
 * session, and `counter` is the nonce:
 *
 *     bits 63-48   epoch: which key
 *     bits 47-0    sequence: counts the datagrams of an epoch and direction from 0
 *
 * Keys change by Noise's Rekey, from which there is no way back. The initiator leads: when its
 * epoch has lasted long enough or carried enough datagrams, and the responder has been heard in it,
 * it seals with the next key. The responder follows as soon as it has opened such a datagram. So
 * neither ever sees a datagram more than one epoch ahead. The epoch before is good a little longer,
 * for what was overtaken. After its whole life a session is dead and another handshake is needed.
 *
 * Times are monotonic nanoseconds. One thread at a time; nothing blocks. A struct hf_channel is
 * full of secrets: it lies in locked memory and is wiped when it ends. */
#ifndef HF_NET_TRANSPORT_H
#define HF_NET_TRANSPORT_H

#include "cipher.h"
#include "fate.h"
#include "window.h"

/* The longest plain datagram that can be sealed under the default limits. */
#define HF_CHANNEL_PLAIN_MAX (9000 - HF_CIPHER_TAG_SIZE)

struct hf_channel_limits {
    uint32_t datagram_max;    /* bytes of the longest, sealed; at most 65535 */
    uint64_t epoch_ns;        /* the initiator moves on after so long */
    uint64_t epoch_datagrams; /* or after so many either way; nobody seals twice as many */
    uint64_t grace_ns;        /* how long the epoch before is still opened */
    uint64_t life_ns;         /* of the session */
};

/* As long as any of wire.h; two minutes; 2^26 datagrams, which is 2^35 blocks of the longest, far
 * from where AES-GCM grows weak; ten seconds; an hour. */
extern const struct hf_channel_limits hf_channel_limits_default;

enum { HF_CHANNEL_BEFORE, HF_CHANNEL_NOW, HF_CHANNEL_AFTER, HF_CHANNEL_KEYS };

/* The sending half. */
struct hf_channel_sender {
    struct hf_cipher key;
    uint64_t sequence; /* of the next datagram */
    uint64_t epoch_ns; /* since when */
    uint32_t epoch;
};

struct hf_channel {
    struct hf_channel_limits limits;
    uint64_t own_id;  /* by which the peer names the session to us */
    uint64_t peer_id; /* by which we name it to the peer */
    uint64_t born_ns;
    bool is_initiator;
    bool is_confirmed; /* something was opened: the peer has the keys */
    struct hf_channel_sender sender;
    struct {
        struct hf_cipher keys[HF_CHANNEL_KEYS];     /* of the epochs before, now and after */
        struct hf_window windows[HF_CHANNEL_AFTER]; /* before, now */
        uint64_t epoch_ns;
        uint32_t epoch;
    } receiver;
};

/* Begins with the keys of a handshake, which the caller wipes. */
void hf_channel_begin(struct hf_channel *channel, const struct hf_channel_limits *limits,
                      bool is_initiator, uint64_t own_id, uint64_t peer_id,
                      const struct hf_cipher *sending, const struct hf_cipher *receiving,
                      uint64_t now_ns);
void hf_channel_wipe(struct hf_channel *channel);

/* For a responder whose datagrams are sealed by another thread: takes the sending half out,
 * unused. The channel opens as before, and seals nothing any more (asserted); its
 * sender.epoch says what the other half is to follow. */
void hf_channel_take_sender(struct hf_channel *channel, struct hf_channel_sender *sender);
/* Goes on to a later epoch, key by key; does nothing when it is there already. */
void hf_channel_sender_follow(struct hf_channel_sender *sender, uint32_t epoch, uint64_t now_ns);
/* Seals as hf_channel_seal does, with the sending half alone: whether the session lives and may
 * speak is for the caller to know. 0 when the epoch has carried twice its datagrams. */
uint32_t hf_channel_sender_seal(struct hf_channel_sender *sender,
                                const struct hf_channel_limits *limits, uint64_t peer_id,
                                uint8_t *datagram, uint32_t length, size_t capacity);

/* Seals a datagram of `length` bytes, as hf_wire_finish left it, in place: `capacity` has room for
 * the tag, which the limits allow as well (asserted). Writes flags, length, session
 * and counter of the header. Returns the sealed length; 0 when the session's life is over, when an
 * epoch has carried twice its datagrams, or, for a responder, as long as nothing has been opened
 * (whoever began may have been a replay). */
uint32_t hf_channel_seal(struct hf_channel *channel, uint8_t *datagram, uint32_t length,
                         size_t capacity, uint64_t now_ns);

/* Opens a datagram into `plain`, which has room for `length` bytes and is not the datagram itself:
 * it is copied first, so that nobody who can still write to it changes what has been checked.
 * OPENED: `plain` holds `*plain_length` bytes, a plain datagram whose header is authentic, for the
 * codec to judge. Otherwise MALFORMED, UNSEALED, UNKNOWN_SESSION, EXPIRED, WRONG_EPOCH, FORGED,
 * REPLAYED or TOO_OLD; nothing has changed and `plain` holds nothing. */
enum hf_fate hf_channel_open(struct hf_channel *channel, const void *datagram, size_t length,
                             uint64_t now_ns, uint8_t *plain, uint32_t *plain_length);

bool hf_channel_is_expired(const struct hf_channel *channel, uint64_t now_ns);
/* For an initiator: five sixths of the life are over; time for the next handshake. */
bool hf_channel_is_renewal_due(const struct hf_channel *channel, uint64_t now_ns);
/* Wipes the key of the epoch before when its grace is over. Now and then. */
void hf_channel_age(struct hf_channel *channel, uint64_t now_ns);

#endif
