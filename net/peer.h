/* Sessions between two equals, the nodes of a pair: each may begin, none has to. Pure.
 *
 * Each has a gate, for the sessions that it dials, and a table of one origin, for those that the
 * other dials. All of them are opened; one is spoken in:
 *
 *     the first to begin   there is one session, dialed by either: both speak in it
 *     both begin at once   there are two. The one whose public key is higher chooses the newer, as
 *                          it sees it; the other speaks in the one that it has heard last, and so
 *                          soon in the same
 *     one starts again     it dials. Its new session counts for the other once something was opened
 *                          in it, and from then on instead of all before: a hello alone, which
 *                          may be repeated by anybody, changes nothing
 *     a silence of half    while something was said: whoever notices dials. What is there goes on
 *     a second
 *     an age of fifty      whoever dialed the present session dials the next
 *     minutes
 *
 * A hello without an answer is repeated after a tenth of a second, and then more and more seldom,
 * to one a second. A word is something empty, said so that the other has heard: at once by who has
 * joined or has heard a new session for the first time, and after a tenth of a second by who has
 * nothing else to answer. A word needs no answer.
 *
 * A datagram is what is carried, between a header of HF_PEER_HEADER_SIZE bytes and a tag: that of
 * SESSION.md, with a count of 0. One thread at a time; nothing blocks. Full of secrets: it and its
 * memory lie in locked memory and are wiped. */
#ifndef HF_NET_PEER_H
#define HF_NET_PEER_H

#include "gate.h"
#include "session.h"

#define HF_PEER_HEADER_SIZE 24
/* What sealing adds to what is carried. */
#define HF_PEER_ROOM         (HF_PEER_HEADER_SIZE + HF_CIPHER_TAG_SIZE)
#define HF_PEER_RETRY_NS     UINT64_C(100000000)
#define HF_PEER_ANSWER_NS    UINT64_C(100000000)
#define HF_PEER_SESSIONS     8u
#define HF_PEER_LOOKS_PER_S  10000u /* hellos looked at: all come from one address */
#define HF_PEER_FREE_PER_S   20u    /* hellos taken without a cookie */
#define HF_PEER_HELLOS_PER_S 50u

struct hf_peer_config {
    struct hf_id cluster;
    struct hf_channel_limits limits;
    const struct hf_key_pair *own; /* borrowed to the end */
    uint8_t remote_key[HF_NOISE_KEY_SIZE];
    struct hf_entropy entropy;
};

/* As for clients, but for datagrams as long as a port carries them, and so fewer under a key: 2^23,
 * which at 64 KiB is 2^35 blocks as well. */
extern const struct hf_channel_limits hf_peer_limits_default;

struct hf_peer {
    struct hf_gate gate;           /* sessions that we dialed */
    struct hf_session_table table; /* sessions that the other dialed */
    struct hf_sealer sealer;       /* of the table */
    struct hf_channel_limits limits;
    bool chooses;
    bool owes_word;         /* at once */
    uint64_t answer_due_ns; /* when one is owed in any case; 0: nothing waits for an answer */
    uint64_t theirs; /* the newest session of the table that something was opened in; 0: none */
    uint64_t theirs_born_ns;
    uint64_t theirs_since_ns; /* when it was heard first */
    uint64_t theirs_heard_ns; /* and last */
    uint64_t swept_ns;
};

/* Bytes of memory, aligned to HF_SESSION_MEMORY_ALIGNMENT. */
size_t hf_peer_memory_size(void);
/* The remote key is another than our own (asserted). */
void hf_peer_begin(struct hf_peer *peer, const struct hf_peer_config *config, void *memory,
                   uint64_t now_ns);
void hf_peer_wipe(struct hf_peer *peer);

/* Is there a session to speak in? */
bool hf_peer_is_open(const struct hf_peer *peer, uint64_t now_ns);

/* Writes a hello when one is due. False when none is. Wipes what has had its time, too: to be
 * called now and then in any case. */
HF_MUST_USE bool hf_peer_hello(struct hf_peer *peer, uint64_t now_ns, uint64_t unix_ns,
                               struct hf_handshake_hello *hello);

/* Seals, in place, `length` bytes that stand behind HF_PEER_HEADER_SIZE bytes of room; `capacity`
 * has room for the tag too, and the limits allow it (asserted). Returns the length of the whole
 * datagram; 0: there is no session to say it in. */
uint32_t hf_peer_seal(struct hf_peer *peer, uint8_t *datagram, uint32_t length, size_t capacity,
                      uint64_t now_ns);
/* The other waits for a word: something of 0 bytes is to be sealed and sent. Saying anything
 * settles it. */
bool hf_peer_owes_word(const struct hf_peer *peer, uint64_t now_ns);

/* Takes any datagram. OPENED: `*length` bytes that the other has said stand in `buffer` behind
 * HF_PEER_HEADER_SIZE; 0 is an empty word. WELCOMED, or COOKIE with a length that is not 0: so many
 * bytes of `buffer` are to be sent back. JOINED: our hello was answered. All else is refused, and
 * changes nothing. `buffer` is another than the datagram, and has room for as many bytes and for
 * HF_HANDSHAKE_ANSWER_MAX. */
enum hf_fate hf_peer_receive(struct hf_peer *peer, const struct hf_session_arrival *arrival,
                             uint8_t *buffer, uint32_t *length);

#endif
