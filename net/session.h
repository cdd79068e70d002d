/* A node's sessions: who may speak, and with which keys. Pure: datagrams, time and random bytes
 * come in, datagrams and fates go out. What is sent back in a session is sealed by a sealer
 * (sealer.h), which may belong to another thread.
 *
 * Every origin has a public key and a share of the table of its own, so that no origin, and nobody
 * who replays its handshakes, takes another's room. All memory is handed over at start. What a
 * HELLO costs grows only with what it has proved:
 *
 *     two hashes              for anybody: its mac shows that the sender knows our public key
 *     one sealing             too many without a cookie: they get one, and nothing is remembered
 *     two hashes              a cookie proves the address; each host has a rate
 *     1 multiplication        shows the origin's key; an unknown one goes no further
 *     1 multiplication        proves it, and that the hello is fresh
 *     3 multiplications       a session, in the origin's own share
 *
 * `now_ns` is monotonic, `unix_ns` the true time. One thread at a time; nothing blocks. The table
 * and its memory hold secrets: they lie in locked memory and are wiped at the end. */
#ifndef HF_NET_SESSION_H
#define HF_NET_SESSION_H

#include "cookie.h"
#include "sealer.h"

#define HF_SESSION_ORIGIN_NONE      UINT32_MAX
#define HF_SESSION_MEMORY_ALIGNMENT 64
/* A hello tells a time no further than this from ours. */
#define HF_SESSION_SKEW_NS UINT64_C(300000000000)
/* A session that nothing has been opened in is given up after this. */
#define HF_SESSION_CONFIRM_NS UINT64_C(10000000000)
/* In a full share, a session that was silent so long makes room. */
#define HF_SESSION_SILENT_NS UINT64_C(3000000000)

struct hf_session_config {
    enum hf_handshake_purpose purpose;
    struct hf_id cluster;
    struct hf_channel_limits limits;
    uint32_t origins_max;         /* 1 to 65536 */
    uint32_t sessions_per_origin; /* 1 to 256 */
    uint32_t looks_per_s;         /* hellos looked at at all: without a cookie, and as many with */
    uint32_t looks_per_address;   /* and of one host and port */
    uint32_t free_per_s;          /* hellos taken without a cookie; 0: never without */
    uint32_t hellos_per_s;        /* hellos that the curve is worked for, all together */
    uint32_t host_per_s;          /* and of one host */
};

struct hf_session_origin;
struct hf_session;

struct hf_session_table {
    struct hf_session_config config;
    const struct hf_key_pair *own; /* borrowed */
    struct hf_handshake_keys own_keys;
    struct hf_cookie_jar jar;
    struct hf_session_origin *origins;
    struct hf_session *sessions; /* config.sessions_per_origin for each origin, in their order */
    struct hf_slate *slates;     /* one for each, for a sealer */
    uint64_t *host_rates, *address_rates; /* by place: several may share one */
    uint8_t place_key[16];
    uint64_t look_rates[2]; /* of hellos without and with a cookie */
    uint64_t free_rate, hello_rate;
    uint64_t counts[HF_FATE_COUNT]; /* of all datagrams received */
};

struct hf_session_arrival {
    const void *datagram;
    size_t length;
    struct hf_cookie_address address;
    uint64_t now_ns, unix_ns;
};

struct hf_session_result {
    uint32_t length;  /* of what to read (OPENED) or send back (WELCOMED, COOKIE); else 0 */
    uint32_t origin;  /* whose it is: OPENED, WELCOMED */
    uint64_t session; /* to answer with: OPENED */
    uint64_t born_ns; /* when its handshake came: OPENED */
};

/* Bytes of memory that a table needs. The configuration's numbers must be in range (asserted). */
size_t hf_session_memory_size(const struct hf_session_config *config);
/* How many sessions there can be at once. */
uint32_t hf_session_count_max(const struct hf_session_config *config);
/* `memory` is as large and aligned to HF_SESSION_MEMORY_ALIGNMENT; it is cleared. */
void hf_session_table_begin(struct hf_session_table *table, const struct hf_session_config *config,
                            const struct hf_key_pair *own, struct hf_entropy entropy, void *memory,
                            uint64_t now_ns);
void hf_session_table_wipe(struct hf_session_table *table);

/* Lets a key in as an origin (below origins_max). A number that had another key, or none any more,
 * loses its sessions. EXISTS: another number has that key. */
HF_MUST_USE enum hf_status hf_session_origin_put(struct hf_session_table *table, uint32_t origin,
                                                 const uint8_t key[HF_NOISE_KEY_SIZE]);
void hf_session_origin_remove(struct hf_session_table *table, uint32_t origin);

/* Takes any datagram, plain ones for nothing. `buffer` has room for `arrival->length` bytes and for
 * HF_HANDSHAKE_ANSWER_MAX, and is not the datagram. */
enum hf_fate hf_session_receive(struct hf_session_table *table,
                                const struct hf_session_arrival *arrival, uint8_t *buffer,
                                struct hf_session_result *result);

/* Whether there is a session of this number: none that has ended, or whose origin has been removed
 * or has got another key. */
bool hf_session_exists(const struct hf_session_table *table, uint64_t session);

/* Wipes what has had its time, and deals out anew which hosts and which addresses share a rate, so
 * that nobody is held back by the same neighbour for long. About once a second. */
void hf_session_sweep(struct hf_session_table *table, uint64_t now_ns);

/* How many sessions an origin has; with HF_SESSION_ORIGIN_NONE, all have. */
uint32_t hf_session_count(const struct hf_session_table *table, uint32_t origin);

#endif
