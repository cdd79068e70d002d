/* libholdfast: talk to a Holdfast node from C or C++.
 *
 * A client keeps a window of operations in flight. An operation that is not answered is sent again
 * with the same id, as often as needed: the node carries it out once and gives the one answer. So a
 * lost datagram, a restarted node or a busy one are no trouble of the caller's.
 *
 *     struct hf_client_options options = {.servers = {"127.0.0.1:4600"}};
 *     struct hf_client *client;
 *     struct hf_fault fault;
 *     if (hf_client_open(&options, &client, &fault) != HF_STATUS_OK) ... fault.line says why
 *     union hf_operation op;
 *     hf_make_move(&op, hf_client_next_id(client), payer, payee, 6000, 840);
 *     struct hf_query_reply reply;
 *     if (hf_client_call(client, &op, &reply, 1000000) == HF_STATUS_OK)
 *         puts(hf_code_name(reply.reply.code));
 *     hf_client_close(client);
 *
 * Many at once: hf_client_submit as long as it is not FULL, hf_client_poll to send and to collect
 * answers, hf_client_wait when there is nothing else to do.
 *
 * A client belongs to the thread that opened it. There is no global state, save that DPDK allows
 * one environment a process: one DPDK client at a time. Nothing allocates between open and close.
 */
#ifndef HF_NET_HOLDFAST_H
#define HF_NET_HOLDFAST_H

#include "engine/code.h"
#include "engine/id.h"
#include "engine/operation.h"
#include "engine/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HF_CLIENT_SERVERS_MAX 4
#define HF_CLIENT_WINDOW_MAX  (1u << 20)

enum hf_transport {
    HF_TRANSPORT_KERNEL = 0, /* UDP sockets through io_uring */
    HF_TRANSPORT_DPDK = 1,   /* a DPDK device of this process's own */
};

/* How to reach whom. All zero but `servers[0]` is a good beginning. Strings are read during open
 * only. */
struct hf_client_options {
    enum hf_transport transport;
    const char *servers[HF_CLIENT_SERVERS_MAX]; /* "A.B.C.D:PORT"; NULL: none. The nodes of a pair:
                                                   whoever answers is asked first; in turn when an
                                                   operation must be sent again. A node that does
                                                   not lead says who does: that one is asked then,
                                                   whether it is named here or not */
    const char *local;      /* "A.B.C.D" or "A.B.C.D:PORT"; NULL: any. DPDK: must be given */
    const char *eal;        /* DPDK: arguments of its environment, split at blanks */
    uint16_t device;        /* DPDK: which Ethernet device, from 0 */
    uint16_t reserved;      /* zero */
    uint32_t datagram_size; /* most UDP payload bytes in one datagram, 216 to 9000; 0: 1472. The
                               longest operation is 24 bytes less; the way and the server must
                               carry it */
    uint32_t window;        /* operations in flight, to HF_CLIENT_WINDOW_MAX; 0: 1024 */
    uint32_t retry_us;      /* unanswered so long (longer where answers take longer): send
                               again; doubles each time. 0: 20,000 */
    uint32_t retry_most_us; /* but never beyond this; 0: 1,000,000 */
    uint64_t timeout_us;    /* from submit on, then the operation is given up; 0: never */
    uint64_t session;       /* 0: a random one. With sessions of no use */
    bool busy_is_answer;    /* hand BUSY up instead of sending again after a while */

    /* Sessions (SESSION.md), for a node that has them. With a key file, each datagram costs 16
     * bytes more; a process that reads keys should forbid core dumps. */
    const char *key_file; /* own private key (holdfast keygen); NULL: none */
    const char *node_keys[HF_CLIENT_SERVERS_MAX]; /* each server's public key: 64 hexadecimal
                                                     digits, or a file that has them; NULL: as the
                                                     one before */
    struct hf_id cluster;                         /* the nodes' node.cluster; zero: 1 */
};

enum hf_outcome {
    HF_OUTCOME_ANSWERED = 0,
    HF_OUTCOME_TIMED_OUT = 1, /* not known whether it was carried out: ask, or submit it again */
};

struct hf_answer {
    void *context; /* as given to hf_client_submit */
    struct hf_id id;
    enum hf_outcome outcome;
    uint32_t attempts;           /* how often it was sent */
    struct hf_query_reply reply; /* when answered: reply.length bytes of it. A view is only there
                                    after a QUERY that is OK */
};

struct hf_client_counters {
    uint64_t submitted;
    uint64_t answered;
    uint64_t sent;          /* operations put into datagrams, repeats included */
    uint64_t retransmitted; /* of these, repeats */
    uint64_t busy;          /* BUSY answers seen */
    uint64_t redirected;    /* NOT_PRIMARY answers seen */
    uint64_t timed_out;
    uint64_t late; /* replies to what is no longer in flight: dropped */
    uint64_t
        foreign; /* replies from others, of another session, or not to be understood: dropped */
    uint64_t datagrams_sent;
    uint64_t datagrams_received;
};

struct hf_client;

/* Opens a client for the calling thread. The session is begun with the first operation, and again
 * whenever a server does not know it any more. INVALID, NOT_FOUND, WRONG_FORMAT or CORRUPT (keys),
 * NO_MEMORY, IO or (a second DPDK environment) EXISTS: then `*fault` says why and `*client` is
 * NULL. May block while the device starts. */
HF_MUST_USE enum hf_status hf_client_open(const struct hf_client_options *options,
                                          struct hf_client **client, struct hf_fault *fault);

/* Closes it; what is still in flight is forgotten. NULL is allowed. */
void hf_client_close(struct hf_client *client);

/* A new operation id: the time in Unix milliseconds, then 56 bits that are this client's own and 24
 * that count. Never gives one twice, even when the clock is set back. */
struct hf_id hf_client_next_id(struct hf_client *client);

/* Takes one operation (copied) into the window, to be sent with the next flush or poll. `context`
 * comes back with its answer. FULL: collect answers first. EXISTS: this id is in flight already.
 * INVALID: its length is not one an operation can have, or more than a datagram of this client's
 * carries. Never blocks. */
HF_MUST_USE enum hf_status hf_client_submit(struct hf_client *client,
                                            const union hf_operation *operation, void *context);

/* Sends what was submitted, as many operations to a datagram as fit. Never blocks. */
void hf_client_flush(struct hf_client *client);

/* Sends what waits, receives, repeats what is due, and hands up to `most` answers over, in the
 * order in which they came. Returns how many. Never blocks. */
uint32_t hf_client_poll(struct hf_client *client, struct hf_answer answers[], uint32_t most);

/* Sends what waits, then sleeps until an answer may be there, a repeat is due, or `timeout_us` have
 * passed. May return early: poll afterwards. */
void hf_client_wait(struct hf_client *client, uint32_t timeout_us);

/* One operation, blocking: OK with `*reply`, or TIMEOUT after `timeout_us` (0: wait for ever), or
 * as hf_client_submit. Answers to other operations stay for hf_client_poll. */
HF_MUST_USE enum hf_status hf_client_call(struct hf_client *client,
                                          const union hf_operation *operation,
                                          struct hf_query_reply *reply, uint64_t timeout_us);

/* Operations taken by submit whose answers have not been handed over. */
uint32_t hf_client_in_flight(const struct hf_client *client);
void hf_client_count(const struct hf_client *client, struct hf_client_counters *counters);

/* ---- builders: fill a whole operation, header included, all else zero. `id` is
 * hf_client_next_id's, or the one of the first time when it is sent again. Flags and deadline may
 * be set afterwards. Amounts are in the asset's smallest unit. What each does: OPERATIONS.md. ----
 */

/* `code` is 1 to 8 of A-Z and 0-9 with a NUL: longer is asserted. */
void hf_make_asset_put(union hf_operation *op, struct hf_id id, uint16_t asset, const char *code,
                       uint8_t scale);
/* `floor`: 0, minus a credit line, or HF_FLOOR_NONE. */
void hf_make_account_put(union hf_operation *op, struct hf_id id, struct hf_id account,
                         uint16_t asset, int64_t floor, uint8_t status);
void hf_make_move(union hf_operation *op, struct hf_id id, struct hf_id payer, struct hf_id payee,
                  uint64_t amount, uint16_t asset);
/* The long form, with the terms that an account without terms has: no ceiling, never expiring, no
 * parent, sink and filter. Set what is wanted in op->account_put afterwards, of a filter also its
 * parts: then one without entries is refused, and not taken for none. */
void hf_make_account_terms(union hf_operation *op, struct hf_id id, struct hf_id account,
                           uint16_t asset, int64_t floor, uint8_t status);
/* `sink` zero: the account must be empty. */
void hf_make_account_close(union hf_operation *op, struct hf_id id, struct hf_id account,
                           struct hf_id sink);
/* The hold's id is the operation's. It never expires: op->hold.expires_ns (Unix nanoseconds) may be
 * set afterwards. */
void hf_make_hold(union hf_operation *op, struct hf_id id, struct hf_id payer, struct hf_id payee,
                  uint64_t amount, uint16_t asset);
/* `amount` may be HF_AMOUNT_ALL; `final`: what is left returns to the payer. */
void hf_make_capture(union hf_operation *op, struct hf_id id, struct hf_id hold, uint64_t amount,
                     bool final);
/* The same of a hold whose payee was left open: `payee` gets it. */
void hf_make_capture_for(union hf_operation *op, struct hf_id id, struct hf_id hold,
                         uint64_t amount, bool final, struct hf_id payee);
void hf_make_release(union hf_operation *op, struct hf_id id, struct hf_id hold, uint64_t amount);
/* `mode` is of enum hf_adjust_mode, `amount` 0 with KEEP; `expires_ns` 0: stays as it is. */
void hf_make_adjust(union hf_operation *op, struct hf_id id, struct hf_id hold, uint8_t mode,
                    uint64_t amount, uint64_t expires_ns);
/* Proves a hold's condition number `condition`, from 1. `proof` is `proof_length` bytes (to
 * HF_PROOF_MAX: asserted), a preimage or the signature over hf_make_attestation's bytes; `code` the
 * region asserted, else 0. */
void hf_make_attest(union hf_operation *op, struct hf_id id, struct hf_id hold, uint8_t condition,
                    uint32_t code, const void *proof, size_t proof_length);
/* The 40 bytes that are signed (Ed25519). */
void hf_make_attestation(struct hf_attestation *attestation, struct hf_id hold, uint8_t condition,
                         uint32_t code);
/* A hold class's lifetime in nanoseconds, 0: holds of it never expire by themselves. */
void hf_make_class_put(union hf_operation *op, struct hf_id id, uint8_t class_number,
                       uint64_t lifetime_ns);
/* Without expiry and flags. `remaining` and `amount_limit` may be HF_INSTRUMENT_UNLIMITED. Further
 * accounts: hf_instrument_add_account below. */
void hf_make_instrument_put(union hf_operation *op, struct hf_id id, struct hf_id token,
                            struct hf_id account, uint8_t status, uint64_t remaining,
                            uint64_t amount_limit);
/* What the network told besides (acquirer, terminal, merchant, STAN...) is filled in afterwards,
 * and so is op->auth.auth_flags: an advice, an estimate. */
void hf_make_auth(union hf_operation *op, struct hf_id id, struct hf_id token, struct hf_id payee,
                  uint64_t amount, uint16_t asset);
/* The same, content with `minimum` (0: all or nothing: OK_PARTIAL says that it was less than
 * `amount`), the hold living as long as its class says and clearing to `tolerance` parts per
 * thousand above what it holds. */
void hf_make_auth_terms(union hf_operation *op, struct hf_id id, struct hf_id token,
                        struct hf_id payee, uint64_t amount, uint16_t asset, uint64_t minimum,
                        uint8_t class_number, uint16_t tolerance);
/* Raises an authorisation that was made as an estimate by `amount`. In these three `original` is
 * the AUTH's id and `acquirer` what it said; op->increment.class_number may extend its life. */
void hf_make_increment(union hf_operation *op, struct hf_id id, struct hf_id original,
                       uint64_t amount, uint16_t asset, uint64_t acquirer);
/* Takes back what has not been captured, whole (HF_AMOUNT_ALL) or in part, whether the original has
 * come or not; with op->reverse.captured what has been captured as well. */
void hf_make_reverse(union hf_operation *op, struct hf_id id, struct hf_id original,
                     uint64_t amount, uint16_t asset, uint64_t acquirer);
/* Clears an authorisation; `clear_flags` is of enum hf_clear_flag. Token, payee and attributes,
 * which a forced one without an original needs, are filled in afterwards. */
void hf_make_clear(union hf_operation *op, struct hf_id id, struct hf_id original, uint64_t amount,
                   uint16_t asset, uint64_t acquirer, uint8_t clear_flags);
/* Makes limit `number` (1 to 255) of a scope, or replaces its settings; `scope` is of enum
 * hf_limit_scope, `window` of enum hf_limit_window, both maxima may be HF_LIMIT_UNLIMITED. Weeks
 * begin on Mondays and months on their first, in UTC: op->limit_put.start and zone_minutes say
 * otherwise. A rolling window's length_ns must be set afterwards, a filter may be, its
 * parts with it as in hf_make_account_terms. */
void hf_make_limit_put(union hf_operation *op, struct hf_id id, uint8_t scope,
                       struct hf_id scope_id, uint8_t number, uint8_t window, uint64_t max_amount,
                       uint64_t max_count);
/* Adds to the limit's maxima; what is used stays used. */
void hf_make_limit_raise(union hf_operation *op, struct hf_id id, uint8_t scope,
                         struct hf_id scope_id, uint8_t number, uint64_t more_amount,
                         uint64_t more_count);
/* Forgets what has been used of the limit. */
void hf_make_limit_reset(union hf_operation *op, struct hf_id id, uint8_t scope,
                         struct hf_id scope_id, uint8_t number);
/* `subject` is of enum hf_query_subject. */
void hf_make_query(union hf_operation *op, struct hf_id id, uint8_t subject,
                   struct hf_id subject_id);

/* ---- builders of operations with lists: begin one in a buffer of yours, add to it, and give
 * &buffer.operation to the client. What is added is counted and lengthens the operation. Adding
 * returns false, and changes nothing, when the list is as long as it may be, or the operation. ----
 */

union hf_operation_buffer {
    union hf_operation operation;
    uint8_t bytes[HF_OPERATION_LENGTH_MAX];
};

/* All of `amount`, in order. Attributes, minimum, method, choose_max, reference and the
 * denominators of RATIO entries may be set in hf_plan_of(buffer) before or after. HF_AMOUNT_ALL:
 * all that the sources give. */
void hf_make_move_plan_begin(union hf_operation_buffer *buffer, struct hf_id id, uint64_t amount,
                             uint16_t asset);
/* A hard hold of class 0. Its terms may be set in buffer->operation.hold_plan.terms, `required` too
 * (adding conditions makes it their number: all are needed). Without a destination the payee is
 * open. */
void hf_make_hold_plan_begin(union hf_operation_buffer *buffer, struct hf_id id, uint64_t amount,
                             uint16_t asset, uint64_t expires_ns);
struct hf_op_plan *hf_plan_of(union hf_operation_buffer *buffer);
/* `rule` is of enum hf_entry_rule, `amount` what it wants: an amount, parts of the denominator, or
 * 0. Sources come first, then destinations, then conditions: that order is asserted. */
HF_MUST_USE bool hf_plan_add_source(union hf_operation_buffer *buffer, struct hf_id account,
                                    uint8_t rule, uint64_t amount);
HF_MUST_USE bool hf_plan_add_destination(union hf_operation_buffer *buffer, struct hf_id account,
                                         uint8_t rule, uint64_t amount);
HF_MUST_USE bool hf_plan_add_condition(union hf_operation_buffer *buffer,
                                       const struct hf_op_condition *condition);

/* One more account for an instrument that hf_make_instrument_put has begun in this buffer: what
 * those before it cannot pay is taken from it. */
HF_MUST_USE bool hf_instrument_add_account(union hf_operation_buffer *buffer, struct hf_id account);

/* All or none. Each operation added is copied; it has an id of its own, and neither flags nor a
 * deadline. */
void hf_make_chain_begin(union hf_operation_buffer *buffer, struct hf_id id);
HF_MUST_USE bool hf_chain_add(union hf_operation_buffer *buffer,
                              const union hf_operation *operation);

#ifdef __cplusplus
}
#endif
#endif
