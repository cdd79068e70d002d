/* The door of a node with sessions: who comes in, and as whom.
 *
 * The receive poller opens (door_open_datagram) and judges each operation (door_admit); the
 * transmit poller seals with door->sealer; the main thread reads the origins' file again
 * (door_reload). None waits for another: new rules are written beside the old ones and handed over
 * by a pointer, and the old ones are written to again only when the receive poller has said that it
 * uses the new.
 *
 * All memory is there from the start, locked, and wiped at the end. */
#ifndef HOLDFASTD_DOOR_H
#define HOLDFASTD_DOOR_H

#include "config.h"
#include "net/key.h"
#include "net/port.h"
#include "net/session.h"
#include "origins.h"

#include <stdatomic.h>

struct door_origin {
    uint64_t operations_paid_ns, queries_paid_ns; /* rates */
};

struct door {
    struct hf_session_table table; /* the receive poller's */
    struct hf_sealer sealer;       /* the transmit poller's */
    struct hf_key_pair *own;
    void *table_memory, *sealer_memory;
    size_t table_size, sealer_size;
    struct origin_set sets[2];
    struct origin *lists; /* of both */
    struct door_origin *origins;
    const struct origin_set *rules;               /* that the receive poller goes by */
    _Atomic(const struct origin_set *) published; /* main thread: stored with release; receive
                                                     poller: loaded with acquire */
    _Atomic(const struct origin_set *) in_use;    /* the other way round */
    uint64_t swept_ns;

    _Alignas(64) _Atomic uint64_t fates[HF_FATE_COUNT]; /* of all datagrams that came */
    _Atomic uint64_t forbidden;                         /* operations and queries outside rules */
    _Atomic uint64_t over_rate;                         /* answered BUSY */
    _Atomic uint64_t sessions;                          /* now */
};

/* The time, for a whole burst. */
struct door_now {
    uint64_t now_ns;  /* monotonic */
    uint64_t unix_ns; /* true */
};
struct door_now door_clock(void);

/* The node's key for sessions, made at the first start; `own` lies in locked memory. One line in
 * *fault that names the setting. Blocks. */
HF_MUST_USE enum hf_status door_read_key(const struct config *config, struct hf_key_pair *own,
                                         struct hf_fault *fault);

/* Makes a door by the configuration: key (made at the first start), origins, memory. One line in
 * *fault otherwise. Blocks. */
HF_MUST_USE enum hf_status door_open(struct door *door, const struct config *config,
                                     struct hf_id cluster, struct hf_fault *fault);
/* Wipes everything. One that was never opened is allowed. */
void door_close(struct door *door);

/* Reads the origins' file again. INVALID with one line: what was in force stays so. The main
 * thread; waits until the receive poller has taken them, or `quit` says that there is none. */
HF_MUST_USE enum hf_status door_reload(struct door *door, const struct config *config,
                                       const atomic_bool *quit, struct hf_fault *fault);

/* ---- the receive poller's */

/* Takes new rules, wipes what has had its time. Once a round. */
void door_tend(struct door *door, const struct door_now *now);

/* Opens a datagram. OPENED: `plain` holds result->length bytes, of result->origin (from 0);
 * WELCOMED, COOKIE: result->length bytes to send back. `plain` has room for HF_WIRE_DATAGRAM_MAX.
 */
enum hf_fate door_open_datagram(struct door *door, const struct hf_packet *packet,
                                const struct door_now *now, uint8_t *plain,
                                struct hf_session_result *result);

/* Whether there is still the session that a datagram was opened in. */
bool door_has_session(const struct door *door, uint64_t session);

/* Judges an operation of an origin (from 0) that has passed all checks of its shape, and writes the
 * origin into it. OK: it may be taken; one that is forbidden is so marked, and takes its place in
 * the log to be refused there. NOT_PERMITTED, BUSY: to be answered so at once. */
struct hf_verdict door_admit(struct door *door, uint32_t origin, union hf_operation *operation,
                             const struct door_now *now);

#endif
