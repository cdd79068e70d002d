/* A client's way in to one server: the handshake, the session, the next one before that ends, and a
 * new one when the server does not know it any more. Pure.
 *
 *     nothing yet      a hello at once, and another every second (or sooner at first: retry_ns)
 *                      until there is an answer; a cookie is followed at once; every third hello
 *                      tries the other cipher
 *     a session        what is said and heard goes through it
 *     five sixths of   a hello; both sessions are heard until the old one has ended
 *     its life over
 *     said something,  a hello, as if there were none; the old one goes on meanwhile. So a server
 *     and half a       that was started again is found again
 *     second of
 *     silence since
 *
 * One thread at a time. Full of secrets: it lies in locked memory and is wiped. */
#ifndef HF_NET_GATE_H
#define HF_NET_GATE_H

#include "dial.h"

#define HF_GATE_SILENCE_NS UINT64_C(500000000)

struct hf_gate {
    struct hf_dial dial;
    struct hf_channel channels[2]; /* now, before; not born: born_ns 0 and peer_id 0 */
    struct hf_entropy entropy;
    uint64_t hello_ns;    /* when the last hello was said */
    uint64_t spoken_ns;   /* when something was said first after the last that was heard; 0: all
                             that was said has had an answer */
    uint64_t heard_ns;    /* when the present session was joined, or something was opened in it */
    uint64_t retry_ns;    /* from the first hello without an answer to the second; twice as long
                             each time, to HF_DIAL_RETRY_NS */
    uint32_t unanswered;  /* hellos */
    uint32_t hello_count; /* of these, with the present cipher */
    bool has_said;        /* a hello, ever */
    bool is_hello_due;    /* at once: a cookie has come */
};

/* `suite` 0: the best of this processor. Otherwise as hf_dial_begin. */
void hf_gate_begin(struct hf_gate *gate, unsigned suite, struct hf_id cluster,
                   const struct hf_key_pair *own, const uint8_t remote_key[HF_NOISE_KEY_SIZE],
                   const struct hf_channel_limits *limits, struct hf_entropy entropy);
void hf_gate_wipe(struct hf_gate *gate);

/* Can something be said now? */
bool hf_gate_is_open(const struct hf_gate *gate, uint64_t now_ns);

/* For who speaks with the same peer past the gate as well: that counts for its silence. */
void hf_gate_has_spoken(struct hf_gate *gate, uint64_t now_ns);
void hf_gate_has_heard(struct hf_gate *gate);

/* When the next hello is to be said, at the latest; UINT64_MAX: none is in sight. `wants` says
 * whether somebody has something to say: without that nobody dials. */
uint64_t hf_gate_hello_ns(const struct hf_gate *gate, bool wants);

/* Writes a hello when it is due. False when it is not. */
HF_MUST_USE bool hf_gate_hello(struct hf_gate *gate, bool wants, uint64_t now_ns, uint64_t unix_ns,
                               struct hf_handshake_hello *hello);

/* Seals a datagram of operations as hf_channel_seal does. 0: the gate is not open. */
uint32_t hf_gate_seal(struct hf_gate *gate, uint8_t *datagram, uint32_t length, size_t capacity,
                      uint64_t now_ns);

/* Takes any datagram from the server. OPENED: `plain` holds `*plain_length` bytes, as after
 * hf_channel_open. JOINED: the gate has just opened. */
enum hf_fate hf_gate_take(struct hf_gate *gate, const void *datagram, size_t length,
                          uint64_t now_ns, uint8_t *plain, uint32_t *plain_length);

#endif
