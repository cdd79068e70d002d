/* Layouts of operations and replies: shared by the wire, the log and the engine, and nothing else
 * is.
 *
 * Every operation is a 32-byte header and a body whose length follows from its type; the same bytes
 * travel in a datagram and lie in a log record. Little-endian, naturally aligned, no padding: what
 * is reserved is named and must be zero. What each operation does, and in which order it is
 * refused, is in OPERATIONS.md. */
#ifndef HF_ENGINE_OPERATION_H
#define HF_ENGINE_OPERATION_H

#include "amount.h"
#include "code.h"
#include "id.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Operation types. Numbers are stable; those without a body below are refused with UNSUPPORTED. */
enum hf_op_type {
    HF_OP_ACCOUNT_PUT = 1,
    HF_OP_ACCOUNT_CLOSE = 2,
    HF_OP_MOVE = 3,
    HF_OP_CHAIN = 4,
    HF_OP_HOLD = 5,
    HF_OP_ADJUST = 6,
    HF_OP_CAPTURE = 7,
    HF_OP_RELEASE = 8,
    HF_OP_ATTEST = 9,
    HF_OP_INSTRUMENT_PUT = 10,
    HF_OP_LIMIT_PUT = 11,
    HF_OP_AUTH = 12,
    HF_OP_REVERSE = 13,
    HF_OP_CLEAR = 14,
    HF_OP_CLAIM = 15,
    HF_OP_RULE_PUT = 16,
    HF_OP_QUOTE_PUT = 17,
    HF_OP_REDEEM = 18,
    HF_OP_WINDOW_CLOSE = 19,
    HF_OP_QUERY = 20,
    HF_OP_ASSET_PUT = 21,
    HF_OP_TYPE_MAX = 21,
};

/* Flags of an operation. Unknown bits are refused with UNSUPPORTED. */
enum hf_op_flag {
    HF_OP_LINKED = 0x01,          /* reserved for chains: UNSUPPORTED */
    HF_OP_DRY_RUN = 0x02,         /* answer as if carried out; change, log and remember nothing */
    HF_OP_RETURN_BALANCES = 0x04, /* fill `available` and `posted` of the reply */
};

struct hf_op_header {
    uint16_t length;      /* of the whole operation in bytes, header included; a multiple of 8 */
    uint8_t type;         /* enum hf_op_type */
    uint8_t flags;        /* enum hf_op_flag */
    uint32_t origin;      /* who sent it: set by the node, zero on the wire */
    struct hf_id id;      /* chosen by the client, UUIDv7-shaped; the key of exactly-once */
    uint64_t deadline_ns; /* Unix nanoseconds after which the sender has given up; 0: never */
};
HF_STATIC_ASSERT(sizeof(struct hf_op_header) == 32, "operation header");

/* Registers an asset. The same again is OK; another code or scale is ASSET_MISMATCH. */
struct hf_op_asset_put {
    struct hf_op_header header;
    uint16_t asset; /* ISO 4217 numeric or private; not 0 */
    uint8_t scale;  /* decimal places of the main unit, 0 to HF_ASSET_SCALE_MAX */
    uint8_t reserved[5];
    char code[8]; /* 1 to 8 of A-Z and 0-9, padded with NUL */
};
HF_STATIC_ASSERT(sizeof(struct hf_op_asset_put) == 48, "ASSET_PUT");
#define HF_ASSET_SCALE_MAX 18

enum hf_account_status { HF_ACCOUNT_OPEN = 0, HF_ACCOUNT_FROZEN = 1, HF_ACCOUNT_CLOSED = 2 };

/* Opens an account, or sets floor and status of an open or frozen one. */
struct hf_op_account_put {
    struct hf_op_header header;
    struct hf_id account;
    int64_t floor; /* posted - held out never falls below it; HF_FLOOR_NONE: no bound */
    uint16_t asset;
    uint8_t status; /* HF_ACCOUNT_OPEN or HF_ACCOUNT_FROZEN */
    uint8_t reserved[5];
};
HF_STATIC_ASSERT(sizeof(struct hf_op_account_put) == 64, "ACCOUNT_PUT");

/* Moves an amount from one account to another. */
struct hf_op_move {
    struct hf_op_header header;
    struct hf_id payer;
    struct hf_id payee;
    uint64_t amount; /* 1 to HF_AMOUNT_MAX */
    uint16_t asset;
    uint16_t reserved;
    uint32_t reference; /* the sender's own; logged, never looked at */
};
HF_STATIC_ASSERT(sizeof(struct hf_op_move) == 80, "MOVE");

/* Holds an amount for a payee. The hold's id is the operation's. */
struct hf_op_hold {
    struct hf_op_header header;
    struct hf_id payer;
    struct hf_id payee;
    uint64_t amount; /* 1 to HF_AMOUNT_MAX */
    uint16_t asset;
    uint16_t reserved;
    uint32_t reference;
    uint64_t expires_ns; /* 0: never; anything else is UNSUPPORTED in this version */
};
HF_STATIC_ASSERT(sizeof(struct hf_op_hold) == 88, "HOLD");

/* Captures all or part of a hold for its payee. */
struct hf_op_capture {
    struct hf_op_header header;
    struct hf_id hold;
    uint64_t amount; /* 1 to HF_AMOUNT_MAX, or HF_AMOUNT_ALL: what is left */
    uint8_t final; /* 1: what is left afterwards returns to the payer and the hold is resolved; else
                      0 */
    uint8_t reserved[7];
};
HF_STATIC_ASSERT(sizeof(struct hf_op_capture) == 64, "CAPTURE");

/* Returns all or part of a hold to its payer. */
struct hf_op_release {
    struct hf_op_header header;
    struct hf_id hold;
    uint64_t amount; /* 1 to HF_AMOUNT_MAX, or HF_AMOUNT_ALL */
};
HF_STATIC_ASSERT(sizeof(struct hf_op_release) == 56, "RELEASE");

enum hf_instrument_status {
    HF_INSTRUMENT_INACTIVE = 0,
    HF_INSTRUMENT_ACTIVE = 1,
    HF_INSTRUMENT_FROZEN = 2,
    HF_INSTRUMENT_CLOSED = 3,
};
enum hf_instrument_flag {
    HF_INSTRUMENT_FIRST_USE = 0x01, /* the first approved AUTH activates it */
};
#define HF_INSTRUMENT_UNLIMITED UINT64_MAX

/* Makes an instrument, or replaces every setting of one that is not closed. */
struct hf_op_instrument_put {
    struct hf_op_header header;
    struct hf_id token; /* 16 bytes, never a clear card number */
    struct hf_id account;
    uint64_t expires_ns;   /* from this time on EXPIRED; 0: never */
    uint64_t amount_limit; /* per authorisation; HF_INSTRUMENT_UNLIMITED: none */
    uint64_t remaining;    /* authorisations left; HF_INSTRUMENT_UNLIMITED: no counter */
    uint8_t status;        /* enum hf_instrument_status */
    uint8_t flags;         /* enum hf_instrument_flag */
    uint8_t reserved[6];
};
HF_STATIC_ASSERT(sizeof(struct hf_op_instrument_put) == 96, "INSTRUMENT_PUT");

/* Authorises a card or wallet payment: resolve, check, draw the counter, hold. The hold's id is the
 * operation's. DE = data element of ISO 8583; fields below `payee` are logged and not looked at by
 * this version. */
struct hf_op_auth {
    struct hf_op_header header;
    struct hf_id token;
    struct hf_id payee; /* the acquirer's settlement account */
    uint64_t amount;    /* DE4; 0: verification, checks everything and holds nothing */
    uint64_t
        minimum; /* for partial approval; 0: all or nothing; else UNSUPPORTED in this version */
    uint64_t billing_amount; /* DE6; 0, else UNSUPPORTED in this version */
    uint64_t acquirer;       /* DE32, up to 11 digits */
    uint64_t forwarder;      /* DE33, up to 11 digits */
    uint8_t terminal[8];     /* DE41 */
    uint8_t merchant[16];    /* DE42, 15 characters and a NUL */
    uint8_t network_id[16];  /* network transaction id, 15 characters and a NUL */
    uint8_t rrn[12];         /* DE37 */
    uint32_t stan;           /* DE11, six digits */
    uint32_t transmitted;    /* DE7, MMDDhhmmss as a number */
    uint32_t local_time;     /* DE12 and DE13, MMDDhhmmss as a number */
    uint16_t asset;          /* DE49 */
    uint16_t billing_asset;  /* DE51; 0, else UNSUPPORTED in this version */
    uint16_t card_expiry;    /* DE14, YYMM as a number */
    uint16_t mcc;            /* DE18 */
    uint16_t country;        /* DE19, ISO 3166 numeric */
    uint16_t entry_mode;     /* DE22 */
    uint16_t conditions;     /* DE25 and further condition flags */
    uint16_t region;
    uint8_t transaction_type; /* DE3, first two digits as a number */
    uint8_t channel;
    uint8_t reserved[6];
};
HF_STATIC_ASSERT(sizeof(struct hf_op_auth) == 192, "AUTH");

enum hf_query_subject {
    HF_QUERY_ACCOUNT = 1,
    HF_QUERY_INSTRUMENT = 2,
    HF_QUERY_OPERATION = 3,
    HF_QUERY_HOLD = 4,
};

/* Asks for a record. Never logged or remembered; its id only matches the reply to the question. */
struct hf_op_query {
    struct hf_op_header header;
    struct hf_id subject_id;
    uint8_t subject; /* enum hf_query_subject */
    uint8_t reserved[7];
};
HF_STATIC_ASSERT(sizeof(struct hf_op_query) == 56, "QUERY");

#define HF_OPERATION_LENGTH_MIN 48
#define HF_OPERATION_LENGTH_MAX 192

/* Room for any operation, aligned. */
union hf_operation {
    struct hf_op_header header;
    struct hf_op_asset_put asset_put;
    struct hf_op_account_put account_put;
    struct hf_op_move move;
    struct hf_op_hold hold;
    struct hf_op_capture capture;
    struct hf_op_release release;
    struct hf_op_instrument_put instrument_put;
    struct hf_op_auth auth;
    struct hf_op_query query;
    uint8_t bytes[HF_OPERATION_LENGTH_MAX];
};
HF_STATIC_ASSERT(sizeof(union hf_operation) == HF_OPERATION_LENGTH_MAX, "operation union");

/* Which durability an answer stands on (every reply names it). */
enum hf_durability {
    HF_DURABILITY_MEMORY_BENCH = 0, /* none: benchmarks only */
    HF_DURABILITY_SOLO = 1,         /* flushed on this node */
    HF_DURABILITY_PAIR_FAST = 2,    /* in the memory of both nodes */
    HF_DURABILITY_PAIR_SAFE = 3,    /* flushed on both nodes */
};

#define HF_REPLY_TYPE_BIT 0x80

/* The answer to an operation. A repeat of the same operation gets the same 64 bytes again. */
struct hf_reply {
    uint16_t length;    /* of the whole reply in bytes: 64, or 64 and a view after a QUERY */
    uint8_t type;       /* of the operation answered, with HF_REPLY_TYPE_BIT set */
    uint8_t flags;      /* zero */
    uint16_t code;      /* enum hf_code */
    uint8_t rule;       /* enum hf_rule: what refused */
    uint8_t durability; /* enum hf_durability */
    struct hf_id id;    /* of the operation */
    uint64_t approved;  /* amount moved, held, captured or released; 0 when refused */
    int64_t available; /* of the payer afterwards, when asked for; INT64_MAX when it has no floor */
    int64_t posted;    /* of the payer afterwards, when asked for */
    uint64_t
        place; /* in the one order, from 1; 0: took no place (never executed and not remembered) */
    uint64_t timestamp_ns; /* of its place in the order, Unix nanoseconds */
};
HF_STATIC_ASSERT(sizeof(struct hf_reply) == 64, "reply");

/* Views: what follows the reply to a QUERY whose code is OK. In such a reply `place` is that of the
 * newest operation the view includes. */
struct hf_account_view {
    struct hf_id id;
    int64_t posted;
    int64_t available; /* posted - held_out - floor; INT64_MAX when there is no floor */
    uint64_t held_out;
    uint64_t held_in;
    uint64_t lifetime_debits;
    int64_t floor;
    uint16_t asset;
    uint8_t status; /* enum hf_account_status */
    uint8_t scale;  /* of the asset */
    uint8_t reserved[4];
};
HF_STATIC_ASSERT(sizeof(struct hf_account_view) == 72, "account view");

struct hf_instrument_view {
    struct hf_id token;
    struct hf_id account;
    uint64_t expires_ns;
    uint64_t amount_limit;
    uint64_t remaining;
    uint8_t status;
    uint8_t flags;
    uint8_t reserved[6];
};
HF_STATIC_ASSERT(sizeof(struct hf_instrument_view) == 64, "instrument view");

enum hf_hold_status { HF_HOLD_OPEN = 0, HF_HOLD_RESOLVED = 1 };

struct hf_hold_view {
    struct hf_id id;
    struct hf_id payer;
    struct hf_id payee;
    uint64_t amount;    /* held at first */
    uint64_t remaining; /* still held */
    uint64_t captured;
    uint16_t asset;
    uint8_t status; /* enum hf_hold_status */
    uint8_t reserved[5];
};
HF_STATIC_ASSERT(sizeof(struct hf_hold_view) == 80, "hold view");

struct hf_query_reply {
    struct hf_reply reply;
    union {
        struct hf_account_view account;
        struct hf_instrument_view instrument;
        struct hf_hold_view hold;
        struct hf_reply operation; /* the remembered answer */
    } view;
};
#define HF_REPLY_LENGTH_MAX 144
HF_STATIC_ASSERT(sizeof(struct hf_query_reply) == HF_REPLY_LENGTH_MAX, "query reply");

/* The one length of a type's operations in this version; 0 for a type without a body. */
uint16_t hf_operation_length(uint8_t type);

/* Name of a type ("MOVE"), or "UNKNOWN". Static text. */
const char *hf_operation_name(uint8_t type);

struct hf_verdict {
    uint16_t code; /* HF_CODE_OK, or why the operation may not enter the order */
    uint8_t rule;
};

/* Checks an operation's shape: everything that can be told from its bytes alone (length, type,
 * flags, reserved bytes, ids, amounts, statuses). `available` is how many bytes may be read at
 * `operation`; never reads past them. Pure. Every operation given to the engine must have passed.
 */
struct hf_verdict hf_operation_check(const union hf_operation *operation, size_t available);

#ifdef __cplusplus
}
#endif
#endif
