/* The sending half of a node's sessions, for another thread than the one that receives.
 *
 * The table (session.h) opens, a sealer seals, and neither waits for the other. For each place in
 * the table there is a slate, which the table's thread alone writes:
 *
 *     a session's first   its key and numbers are written, its id last: now it is known that the
 *     datagram is opened  peer has the keys, and it may be answered
 *     its keys change     the new epoch; the sealer makes the key itself, from the one it has
 *     it ends             id 0
 *
 * The sealer reads a slate when it meets an id for the first time, and knows by the id, read before
 * and after, that what it read belongs together. It says that it has it, and the table wipes the
 * key there. An id is never used twice. */
#ifndef HF_NET_SEALER_H
#define HF_NET_SEALER_H

#include "channel.h"

#include <stdatomic.h>

/* The place of a session in its table, from its number. */
#define HF_SESSION_INDEX_MASK UINT64_C(0xffffff)

#define HF_SLATE_KEY_WORDS (sizeof(struct hf_cipher) / sizeof(uint64_t))
_Static_assert(sizeof(struct hf_cipher) % sizeof(uint64_t) == 0, "a key is whole words");

struct hf_slate {
    _Alignas(64) _Atomic uint64_t id; /* 0: no session, or it is being written */
    _Atomic uint64_t epoch;           /* in which the peer is to be answered */
    _Atomic uint64_t key_epoch;       /* of the key below */
    _Atomic uint64_t peer_id;
    _Atomic uint64_t born_ns;
    _Atomic uint64_t key[HF_SLATE_KEY_WORDS];
    _Alignas(64) _Atomic uint64_t taken; /* the sealer's: it has the key of this id */
};

/* The table's thread. */
void hf_slate_write(struct hf_slate *slate, uint64_t id, uint64_t peer_id, uint64_t born_ns,
                    const struct hf_channel_sender *sender);
void hf_slate_follow(struct hf_slate *slate, uint32_t epoch);
void hf_slate_clear(struct hf_slate *slate);
/* Wipes a key that the sealer has. Now and then. */
void hf_slate_age(struct hf_slate *slate);

struct hf_sealer_session;

struct hf_sealer {
    struct hf_slate *slates;
    struct hf_sealer_session *sessions;
    uint32_t session_count;
    struct hf_channel_limits limits;
    uint64_t sealed; /* datagrams; each is one sealing */
};

/* Bytes of memory for so many sessions, aligned to 64: secrets, so it lies in locked memory. */
size_t hf_sealer_memory_size(uint32_t session_count);
void hf_sealer_begin(struct hf_sealer *sealer, struct hf_slate slates[], uint32_t session_count,
                     const struct hf_channel_limits *limits, void *memory);
void hf_sealer_wipe(struct hf_sealer *sealer);

/* Seals replies for a session in place, as hf_channel_seal does. 0 when there is no such session
 * (any more), or its life is over, or its epoch has carried too much. The sealer's thread. */
uint32_t hf_sealer_seal(struct hf_sealer *sealer, uint64_t session, uint8_t *datagram,
                        uint32_t length, size_t capacity, uint64_t now_ns);

#endif
