/* Layouts of operations and replies: shared by the wire, the log and the engine, and nothing else
 * is.
 *
 * Every operation is a 32-byte header and a body; the same bytes travel in a datagram and lie in a
 * log record. Most types have one length. Plans, chains and the like end in lists whose counts
 * stand before them; their length follows from the counts. Little-endian, naturally aligned, no
 * padding: what is reserved is named and must be zero. What each operation does, and in which order
 * it is refused, is in OPERATIONS.md. */
#ifndef HF_ENGINE_OPERATION_H
#define HF_ENGINE_OPERATION_H

#include "amount.h"
#include "code.h"
#include "id.h"

#ifdef __cplusplus
/* C++ has no lists at the end of a struct by the book; every compiler of it has. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
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
    HF_OP_MOVE_PLAN = 22,
    HF_OP_HOLD_PLAN = 23,
    HF_OP_EXPIRE = 24, /* made by the node alone */
    HF_OP_CLASS_PUT = 25,
    HF_OP_INCREMENT = 26,
    HF_OP_TYPE_MAX = 26,
};

/* Flags of an operation. Unknown bits are refused with UNSUPPORTED. */
enum hf_op_flag {
    HF_OP_LINKED = 0x01,          /* reserved: UNSUPPORTED; a CHAIN links operations */
    HF_OP_DRY_RUN = 0x02,         /* answer as if carried out; change, log and remember nothing */
    HF_OP_RETURN_BALANCES = 0x04, /* fill `available` and `posted` of the reply */
    HF_OP_FORBIDDEN = 0x80, /* the node's mark: its origin may not send it (hf_operation_forbid) */
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

enum hf_account_flag {
    HF_ACCOUNT_TOTAL = 0x01, /* the sum of its children: moves with them and never by itself */
};
#define HF_CEILING_NONE     INT64_MAX
#define HF_PARENT_DEPTH_MAX 4 /* ancestors that an account may have */

/* What a filter may look at. */
enum hf_filter_part {
    HF_FILTER_BY_MCC = 0x01,
    HF_FILTER_BY_COUNTRY = 0x02,
    HF_FILTER_BY_CHANNEL = 0x04,
    HF_FILTER_BY_MERCHANT = 0x08,
};

/* For which payments an account may be used, as payer: each list that is not empty must name the
 * payment's own. An operation that carries no attributes passes only what asks for none.
 *
 * A part without entries asks for nothing. Whoever means to filter says by which parts as well: one
 * of them without entries is then refused. A part that has entries filters whether that is said or
 * not. */
#define HF_FILTER_MCCS_MAX      8
#define HF_FILTER_COUNTRIES_MAX 4
struct hf_filter {
    uint16_t mccs[HF_FILTER_MCCS_MAX];           /* 0: not used */
    uint16_t countries[HF_FILTER_COUNTRIES_MAX]; /* ISO 3166 numeric; 0: not used */
    uint32_t channels;                           /* bit n: channel n (0 to 31); 0: all */
    uint32_t parts;       /* enum hf_filter_part: these have entries; 0: nothing is said of them */
    uint8_t merchant[16]; /* all zero: any */
};
HF_STATIC_ASSERT(sizeof(struct hf_filter) == 48, "filter");

/* Opens an account, or sets floor and status of an open or frozen one. With the short length that
 * is all, and an account's terms stay as they are; with the long one they are replaced as well.
 * Parent and HF_ACCOUNT_TOTAL are fixed when the account is opened. */
struct hf_op_account_put {
    struct hf_op_header header;
    struct hf_id account;
    int64_t floor; /* posted - held out never falls below it; HF_FLOOR_NONE: no bound */
    uint16_t asset;
    uint8_t status; /* HF_ACCOUNT_OPEN or HF_ACCOUNT_FROZEN */
    uint8_t flags;  /* enum hf_account_flag; in the short form 0 */
    uint8_t reserved[4];
    int64_t ceiling; /* posted + held in never rises above it; HF_CEILING_NONE: no bound. The long
                        form begins here */
    uint64_t expires_ns; /* from then on it takes no part, and what it can spend goes to the sink;
                            0: never */
    struct hf_id parent; /* a total that moves with it; zero: none */
    struct hf_id sink;   /* zero: none */
    struct hf_filter filter;
};
#define HF_ACCOUNT_PUT_SHORT 64
HF_STATIC_ASSERT(offsetof(struct hf_op_account_put, ceiling) == HF_ACCOUNT_PUT_SHORT, "short form");
HF_STATIC_ASSERT(sizeof(struct hf_op_account_put) == 160, "ACCOUNT_PUT");

/* Closes an account that has nothing held; what it has goes to the sink. */
struct hf_op_account_close {
    struct hf_op_header header;
    struct hf_id account;
    struct hf_id sink; /* zero: none is needed, the account must be empty */
};
HF_STATIC_ASSERT(sizeof(struct hf_op_account_close) == 64, "ACCOUNT_CLOSE");

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
    uint64_t expires_ns; /* from then on the money goes back (HARD); 0: never */
};
HF_STATIC_ASSERT(sizeof(struct hf_op_hold) == 88, "HOLD");

/* ---- plans: several sources, several destinations ---- */

enum hf_entry_rule {
    HF_ENTRY_FIXED = 1, /* exactly `amount` */
    HF_ENTRY_RATIO = 2, /* `amount` parts of the list's denominator, of the total */
    HF_ENTRY_UP_TO = 3, /* as much as there is or fits, at most `amount` (HF_AMOUNT_ALL: no cap) */
    HF_ENTRY_REMAINING = 4,  /* what is still missing when its turn comes: last in its list */
    HF_ENTRY_EVERYTHING = 5, /* sources only: all that the account can spend */
};

struct hf_op_entry {
    struct hf_id account;
    uint64_t amount; /* as the rule says; 0 for REMAINING and EVERYTHING */
    uint8_t rule;    /* enum hf_entry_rule */
    uint8_t reserved[7];
};
HF_STATIC_ASSERT(sizeof(struct hf_op_entry) == 32, "plan entry");

enum hf_plan_method {
    HF_PLAN_IN_ORDER = 0,
    HF_PLAN_SMALLEST_RESIDUAL = 1, /* of the sources, all UP_TO, the at most `choose_max` that leave
                                      the least behind */
};
#define HF_PLAN_SOURCES_MAX      32
#define HF_PLAN_CANDIDATES_MAX   64 /* sources of a SMALLEST_RESIDUAL */
#define HF_PLAN_CHOOSE_MAX       4
#define HF_PLAN_DESTINATIONS_MAX 32

/* What MOVE_PLAN and HOLD_PLAN share. */
struct hf_op_plan {
    uint64_t amount;  /* the total: 1 to HF_AMOUNT_MAX; HF_AMOUNT_ALL: whatever the sources give,
                         which then are FIXED or EVERYTHING */
    uint64_t minimum; /* this much will do when UP_TO sources give no more; 0: all or nothing */
    uint32_t source_denominator; /* of RATIO sources; 0 when there are none */
    uint32_t destination_denominator;
    uint16_t asset;
    uint16_t mcc;     /* attributes that filters look at; 0: none */
    uint16_t country; /* likewise */
    uint8_t channel;  /* 0 to 31 */
    uint8_t method;   /* enum hf_plan_method */
    uint8_t source_count;
    uint8_t destination_count;
    uint8_t choose_max; /* of SMALLEST_RESIDUAL: 1 to HF_PLAN_CHOOSE_MAX; else 0 */
    uint8_t reserved;
    uint32_t reference;   /* the sender's own; logged, never looked at */
    uint8_t merchant[16]; /* attribute; all zero: none */
};
HF_STATIC_ASSERT(sizeof(struct hf_op_plan) == 56, "plan");

/* Moves an amount from several accounts to several. */
struct hf_op_move_plan {
    struct hf_op_header header;
    struct hf_op_plan plan;
    struct hf_op_entry entries[]; /* sources, then destinations */
};
HF_STATIC_ASSERT(sizeof(struct hf_op_move_plan) == 88, "MOVE_PLAN");

/* ---- holds ---- */

enum hf_hold_policy {
    HF_HOLD_SOFT = 0x01, /* after expiry it can still be captured late, as a new debit */
    HF_HOLD_RATIO =
        0x02, /* captures and releases in the ratio of the payers' parts, not in order */
    HF_HOLD_SINGLE = 0x04, /* the first capture is final */
};
#define HF_EXPIRES_NEVER  UINT64_MAX
#define HF_CLASSES        16 /* hold classes, each with a default lifetime; class 0 has none */
#define HF_TOLERANCE_MAX  1000
#define HF_CONDITIONS_MAX 8

struct hf_op_terms {
    uint64_t expires_ns; /* 0: as its class says; HF_EXPIRES_NEVER: never */
    uint16_t tolerance;  /* over-capture in parts per thousand of the amount, to HF_TOLERANCE_MAX */
    uint8_t class_number;    /* below HF_CLASSES */
    uint8_t policy;          /* enum hf_hold_policy */
    uint8_t condition_count; /* to HF_CONDITIONS_MAX */
    uint8_t
        required; /* how many of the conditions a capture needs: 1 to the count; 0 without any */
    uint8_t reserved[2];
};
HF_STATIC_ASSERT(sizeof(struct hf_op_terms) == 16, "hold terms");

enum hf_condition_kind {
    HF_CONDITION_BLAKE2B = 1,    /* a preimage whose BLAKE2b-256 is `bytes` */
    HF_CONDITION_SHA256 = 2,     /* a preimage whose SHA-256 is `bytes` */
    HF_CONDITION_SIGNATURE = 3,  /* an Ed25519 signature by the public key `bytes` */
    HF_CONDITION_REGION = 4,     /* the same, and it asserts the region `code` */
    HF_CONDITION_ORIGIN = 5,     /* an attestation by the origin `code` */
    HF_CONDITION_NOT_BEFORE = 6, /* the capture's time is at or after `time_ns` */
    HF_CONDITION_NOT_AFTER = 7,  /* at or before */
};

struct hf_op_condition {
    uint8_t kind; /* enum hf_condition_kind */
    uint8_t reserved[3];
    uint32_t code;     /* REGION, ORIGIN; else 0 */
    uint64_t time_ns;  /* NOT_BEFORE, NOT_AFTER: not 0; else 0 */
    uint8_t bytes[32]; /* hash or key; else zero */
};
HF_STATIC_ASSERT(sizeof(struct hf_op_condition) == 48, "condition");

/* Holds an amount of several accounts for one payee, or for whoever the capture names. */
struct hf_op_hold_plan {
    struct hf_op_header header;
    struct hf_op_plan plan; /* at most one destination, REMAINING; none: the payee is open */
    struct hf_op_terms terms;
    struct hf_op_entry entries[]; /* and behind them the conditions */
};
HF_STATIC_ASSERT(sizeof(struct hf_op_hold_plan) == 104, "HOLD_PLAN");

enum hf_adjust_mode {
    HF_ADJUST_KEEP = 0, /* the amount; only the expiry changes */
    HF_ADJUST_RAISE = 1,
    HF_ADJUST_LOWER = 2,
    HF_ADJUST_SET = 3, /* what remains held becomes `amount` */
};

/* Raises, lowers or extends an open hold. */
struct hf_op_adjust {
    struct hf_op_header header;
    struct hf_id hold;
    uint64_t amount;     /* 1 to HF_AMOUNT_MAX; 0 with KEEP */
    uint64_t expires_ns; /* a later one, or HF_EXPIRES_NEVER; 0: stays as it is (not with KEEP) */
    uint8_t mode;        /* enum hf_adjust_mode */
    uint8_t reserved[7];
};
HF_STATIC_ASSERT(sizeof(struct hf_op_adjust) == 72, "ADJUST");

/* Captures all or part of a hold for its payee. The short form leaves the payee out. */
struct hf_op_capture {
    struct hf_op_header header;
    struct hf_id hold;
    uint64_t amount; /* 1 to HF_AMOUNT_MAX, or HF_AMOUNT_ALL: what is left */
    uint8_t final; /* 1: what is left afterwards returns to the payer and the hold is resolved; else
                      0 */
    uint8_t reserved[7];
    struct hf_id payee; /* who claims an open hold; zero, or its own, for another */
};
#define HF_CAPTURE_SHORT 64
HF_STATIC_ASSERT(offsetof(struct hf_op_capture, payee) == HF_CAPTURE_SHORT, "short form");
HF_STATIC_ASSERT(sizeof(struct hf_op_capture) == 80, "CAPTURE");

/* Returns all or part of a hold to its payer. */
struct hf_op_release {
    struct hf_op_header header;
    struct hf_id hold;
    uint64_t amount; /* 1 to HF_AMOUNT_MAX, or HF_AMOUNT_ALL */
};
HF_STATIC_ASSERT(sizeof(struct hf_op_release) == 56, "RELEASE");

#define HF_PROOF_MAX 64

/* Proves one condition of an open hold. A signature is made over hf_attestation (below). */
struct hf_op_attest {
    struct hf_op_header header;
    struct hf_id hold;
    uint8_t condition;    /* its number in the hold, from 1 */
    uint8_t proof_length; /* a preimage's: 1 to HF_PROOF_MAX; a signature's: 64; ORIGIN: 0 */
    uint8_t reserved[2];
    uint32_t code;               /* REGION: the region asserted; else 0 */
    uint8_t proof[HF_PROOF_MAX]; /* zero behind its length */
};
HF_STATIC_ASSERT(sizeof(struct hf_op_attest) == 120, "ATTEST");

/* The bytes that a signature for a condition is made over: it is good for this condition of this
 * hold, and for nothing else. */
#define HF_ATTESTATION_TAG "HOLDFAST-ATTEST"
struct hf_attestation {
    char tag[16]; /* HF_ATTESTATION_TAG and a NUL */
    struct hf_id hold;
    uint32_t condition; /* number, from 1 */
    uint32_t code;      /* REGION; else 0 */
};
HF_STATIC_ASSERT(sizeof(struct hf_attestation) == 40, "attestation");

/* Sets a hold class's default lifetime. */
struct hf_op_class_put {
    struct hf_op_header header;
    uint8_t class_number; /* 1 to HF_CLASSES - 1 */
    uint8_t reserved[7];
    uint64_t lifetime_ns; /* 0: never expires */
};
HF_STATIC_ASSERT(sizeof(struct hf_op_class_put) == 48, "CLASS_PUT");

enum hf_expiry_kind { HF_EXPIRY_HOLD = 1, HF_EXPIRY_ACCOUNT = 2 };

struct hf_op_expiry {
    struct hf_id id;
    uint8_t kind; /* enum hf_expiry_kind */
    uint8_t reserved[7];
};
HF_STATIC_ASSERT(sizeof(struct hf_op_expiry) == 24, "expiry");
#define HF_EXPIRIES_MAX 64

/* Ends holds and accounts whose time has come. The node makes it, no client may: so the log itself
 * says at which place money goes back, and no replay depends on how a timing wheel turns. */
struct hf_op_expire {
    struct hf_op_header header;
    uint8_t count; /* 1 to HF_EXPIRIES_MAX */
    uint8_t reserved[7];
    struct hf_op_expiry expiries[];
};
HF_STATIC_ASSERT(sizeof(struct hf_op_expire) == 40, "EXPIRE");

#define HF_CHAIN_OPERATIONS_MAX 32

/* Carries out several operations, all or none. */
struct hf_op_chain {
    struct hf_op_header header;
    uint8_t count; /* 1 to HF_CHAIN_OPERATIONS_MAX */
    uint8_t reserved[7];
    uint8_t operations[]; /* whole operations, back to back; without flags, origin and deadline */
};
HF_STATIC_ASSERT(sizeof(struct hf_op_chain) == 40, "CHAIN");

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
    uint8_t further_count; /* accounts that follow: to HF_INSTRUMENT_FURTHER_MAX */
    uint8_t reserved[5];
    struct hf_id further[]; /* from these is taken, in order, what `account` cannot pay */
};
HF_STATIC_ASSERT(sizeof(struct hf_op_instrument_put) == 96, "INSTRUMENT_PUT");
#define HF_INSTRUMENT_FURTHER_MAX  7
#define HF_INSTRUMENT_ACCOUNTS_MAX (1 + HF_INSTRUMENT_FURTHER_MAX)

enum hf_limit_scope {
    HF_LIMIT_INSTRUMENT = 1,
    HF_LIMIT_ACCOUNT = 2, /* of a total: it binds all accounts below it */
};

enum hf_limit_window {
    HF_LIMIT_OPERATION = 1, /* each authorisation by itself */
    HF_LIMIT_DAY = 2,       /* calendar, in the limit's zone */
    HF_LIMIT_WEEK = 3,      /* from weekday `start` on: 1 Monday to 7 Sunday */
    HF_LIMIT_MONTH = 4,     /* from day `start` on: 1 to 28 */
    HF_LIMIT_ROLLING = 5,   /* the last `length_ns`, in 64 steps: rather too long than too short */
    HF_LIMIT_LIFETIME = 6,
};

enum hf_limit_mode {
    HF_LIMIT_SET = 0,   /* makes the limit, or replaces its settings */
    HF_LIMIT_RAISE = 1, /* adds to its maxima */
    HF_LIMIT_RESET = 2, /* forgets what has been used */
};

#define HF_LIMIT_UNLIMITED     UINT64_MAX
#define HF_LIMITS_A_SCOPE      16 /* limits that one instrument or account may have */
#define HF_LIMIT_BUCKETS       64
#define HF_LIMIT_ZONE_MAX      (14 * 60)
#define HF_LIMIT_LENGTH_NS_MAX (UINT64_C(400) * 86400 * 1000000000)

/* Makes or changes a limit on the authorisations of an instrument, or of all instruments that draw
 * on an account. Its name is its scope and its number there. */
struct hf_op_limit_put {
    struct hf_op_header header;
    struct hf_id scope_id; /* token or account */
    uint64_t max_amount;   /* HF_LIMIT_UNLIMITED: any. RAISE: how much more; RESET: 0 */
    uint64_t max_count;    /* likewise, of authorisations */
    uint64_t length_ns;    /* ROLLING: 64 to HF_LIMIT_LENGTH_NS_MAX; else 0 */
    uint8_t scope;         /* enum hf_limit_scope */
    uint8_t number;        /* 1 to 255: the client's choice */
    uint8_t window;        /* enum hf_limit_window; RAISE and RESET: 0 */
    uint8_t mode;          /* enum hf_limit_mode */
    int16_t zone_minutes;  /* east of Greenwich, of calendar windows; else 0 */
    uint8_t start;         /* WEEK, MONTH; else 0 */
    uint8_t reserved;
    struct hf_filter filter; /* which authorisations it counts; RAISE and RESET: all zero */
};
HF_STATIC_ASSERT(sizeof(struct hf_op_limit_put) == 128, "LIMIT_PUT");

enum hf_auth_flag {
    HF_AUTH_FORCED = 0x01,    /* an advice of what has been decided elsewhere: limits, status and
                                 funds do not refuse it, what they say becomes an EXCEPTION */
    HF_AUTH_ESTIMATED = 0x02, /* the amount is an estimate: INCREMENT may raise it */
};

/* Authorises a card or wallet payment: resolve, check, draw the counter and the limits, hold. The
 * authorisation's id is the operation's, and so is its hold's. DE = data element of ISO 8583; what
 * OPERATIONS.md does not name is logged and not looked at. */
struct hf_op_auth {
    struct hf_op_header header;
    struct hf_id token;
    struct hf_id payee;      /* the acquirer's settlement account */
    uint64_t amount;         /* DE4; 0: verification, checks everything and holds nothing */
    uint64_t minimum;        /* this much will do: partial approval; 0: all or nothing */
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
    uint8_t class_number; /* hold class, below HF_CLASSES: says how long the hold is good */
    uint8_t auth_flags;   /* enum hf_auth_flag */
    uint8_t reserved[2];
    uint16_t tolerance; /* clearing above it, parts per thousand, to HF_TOLERANCE_MAX */
};
HF_STATIC_ASSERT(sizeof(struct hf_op_auth) == 192, "AUTH");

/* Raises an estimated authorisation that is still open, draws its limits for the difference, and
 * may extend its life. */
struct hf_op_increment {
    struct hf_op_header header;
    struct hf_id original; /* the AUTH's id */
    uint64_t amount;       /* how much more */
    uint64_t acquirer;     /* DE32, as in the AUTH */
    uint16_t asset;
    uint8_t class_number; /* good for this class's lifetime from now, if that is longer; 0: as it
                             was */
    uint8_t reserved[5];
};
HF_STATIC_ASSERT(sizeof(struct hf_op_increment) == 72, "INCREMENT");

/* Takes an authorisation back, whole or in part, counters and limits with it. One that is not known
 * is remembered as reversed: it will be refused when it comes. */
struct hf_op_reverse {
    struct hf_op_header header;
    struct hf_id original; /* the AUTH's id, or a force-posted CLEAR's */
    uint64_t amount;       /* 1 to HF_AMOUNT_MAX, or HF_AMOUNT_ALL */
    uint64_t acquirer;     /* DE32, as in the original */
    uint16_t asset;
    uint8_t captured; /* 1: what has been captured goes back as well (single-message); else 0 */
    uint8_t reserved[5];
};
HF_STATIC_ASSERT(sizeof(struct hf_op_reverse) == 72, "REVERSE");

enum hf_clear_flag {
    HF_CLEAR_FINAL = 0x01, /* nothing more follows: what is left goes back, to the limits as well */
    HF_CLEAR_FORCED =
        0x02, /* it posts whatever there is: an authorisation, enough of it, or none */
};

/* Clears an authorisation: captures all or part of it, or more. */
struct hf_op_clear {
    struct hf_op_header header;
    struct hf_id original; /* the AUTH's id; zero, only if FORCED: there is none */
    struct hf_id token;    /* zero, or as in the AUTH; of a FORCED one whom it is charged to */
    struct hf_id payee;    /* likewise */
    uint64_t amount;       /* 1 to HF_AMOUNT_MAX */
    uint64_t acquirer;     /* DE32, as in the AUTH */
    uint8_t merchant[16];  /* DE42. This and what follows is looked at when no authorisation is */
    uint16_t asset;        /* DE49; always looked at */
    uint16_t mcc;          /* DE18 */
    uint16_t country;      /* DE19 */
    uint8_t channel;
    uint8_t clear_flags; /* enum hf_clear_flag */
    uint32_t reference;  /* the sender's own; logged, never looked at */
    uint8_t reserved[4];
};
HF_STATIC_ASSERT(sizeof(struct hf_op_clear) == 128, "CLEAR");

enum hf_query_subject {
    HF_QUERY_ACCOUNT = 1,
    HF_QUERY_INSTRUMENT = 2,
    HF_QUERY_OPERATION = 3,
    HF_QUERY_HOLD = 4,
    HF_QUERY_ACCOUNT_HOLDS = 5, /* an account and a page of the open holds on it */
    HF_QUERY_INSTRUMENT_LIMITS = 6,
    HF_QUERY_ACCOUNT_LIMITS = 7,
    HF_QUERY_AUTHORISATION = 8,             /* an authorisation's record, by its id */
    HF_QUERY_INSTRUMENT_AUTHORISATIONS = 9, /* an instrument's, newest first */
};

/* Asks for a record. Never logged or remembered; its id only matches the reply to the question. */
struct hf_op_query {
    struct hf_op_header header;
    struct hf_id subject_id;
    uint8_t subject; /* enum hf_query_subject */
    uint8_t reserved[3];
    uint32_t cursor; /* ACCOUNT_HOLDS, both LIMITS, INSTRUMENT_AUTHORISATIONS: 0, then what the page
                        before said; else 0 */
};
HF_STATIC_ASSERT(sizeof(struct hf_op_query) == 56, "QUERY");

#define HF_OPERATION_LENGTH_MIN 48
/* Only chains come near. With the headers of its datagram, of UDP and of IP it is 9012 bytes. */
#define HF_OPERATION_LENGTH_MAX 8960
/* The longest of the types that have no lists. */
#define HF_OPERATION_FIXED_MAX 192

/* An operation. Types without lists fit whole; of the others this is the beginning, and who hands
 * one around sees to it that all of `header.length` bytes are there. */
union hf_operation {
    struct hf_op_header header;
    struct hf_op_asset_put asset_put;
    struct hf_op_account_put account_put;
    struct hf_op_account_close account_close;
    struct hf_op_move move;
    struct hf_op_move_plan move_plan;
    struct hf_op_hold hold;
    struct hf_op_hold_plan hold_plan;
    struct hf_op_adjust adjust;
    struct hf_op_capture capture;
    struct hf_op_release release;
    struct hf_op_attest attest;
    struct hf_op_class_put class_put;
    struct hf_op_expire expire;
    struct hf_op_chain chain;
    struct hf_op_instrument_put instrument_put;
    struct hf_op_limit_put limit_put;
    struct hf_op_auth auth;
    struct hf_op_increment increment;
    struct hf_op_reverse reverse;
    struct hf_op_clear clear;
    struct hf_op_query query;
    uint8_t bytes[HF_OPERATION_FIXED_MAX];
};
HF_STATIC_ASSERT(sizeof(union hf_operation) == HF_OPERATION_FIXED_MAX, "operation union");

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
    uint8_t entry;      /* which entry, condition or operation of a list refused, from 1; 0: none */
    uint16_t code;      /* enum hf_code */
    uint8_t rule;       /* enum hf_rule: what refused */
    uint8_t durability; /* enum hf_durability */
    struct hf_id id;    /* of the operation */
    uint64_t approved;  /* amount moved, held, captured, released or swept; of a CHAIN: operations;
                           0 when refused */
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
    uint8_t flags;  /* enum hf_account_flag */
    uint8_t has_filter;
    uint8_t reserved[2];
    uint64_t lifetime_credits; /* posted + lifetime_debits */
    int64_t ceiling;           /* HF_CEILING_NONE: none */
    uint64_t expires_ns;       /* 0: never */
    struct hf_id parent;       /* zero: none */
    struct hf_id sink;         /* zero: none */
};
HF_STATIC_ASSERT(sizeof(struct hf_account_view) == 128, "account view");

struct hf_instrument_view {
    struct hf_id token;
    struct hf_id account;
    uint64_t expires_ns;
    uint64_t amount_limit;
    uint64_t remaining;
    uint8_t status;
    uint8_t flags;
    uint8_t further_count;
    uint8_t reserved[5];
    struct hf_id further[HF_INSTRUMENT_FURTHER_MAX]; /* zero behind the last */
};
HF_STATIC_ASSERT(sizeof(struct hf_instrument_view) == 176, "instrument view");

enum hf_hold_status {
    HF_HOLD_OPEN = 0,
    HF_HOLD_RESOLVED = 1,
    HF_HOLD_LAPSED = 2,   /* expired: nothing is held any more */
    HF_HOLD_REFUSED = 3,  /* an AUTH that was refused: a record, nothing was ever held */
    HF_HOLD_REVERSED = 4, /* reversed before it came: the AUTH will be refused */
};

struct hf_hold_view {
    struct hf_id id;
    struct hf_id payer; /* the first of several */
    struct hf_id payee; /* zero: open */
    uint64_t amount;    /* held at first, or as adjusted */
    uint64_t remaining; /* still held */
    uint64_t captured;
    uint64_t expires_ns; /* 0: never */
    uint16_t asset;
    uint8_t status; /* enum hf_hold_status */
    uint8_t policy; /* enum hf_hold_policy */
    uint16_t tolerance;
    uint8_t class_number;
    uint8_t payer_count;
    uint8_t condition_count;
    uint8_t required;
    uint8_t met; /* bit n: condition n + 1 has been proved */
    uint8_t reserved[5];
};
HF_STATIC_ASSERT(sizeof(struct hf_hold_view) == 96, "hold view");

/* An open hold on an account, as payer: its part of it. */
struct hf_hold_line {
    struct hf_id hold;
    struct hf_id payee;  /* zero: open */
    uint64_t remaining;  /* of this account's part */
    uint64_t expires_ns; /* 0: never */
};
HF_STATIC_ASSERT(sizeof(struct hf_hold_line) == 48, "hold line");
#define HF_HOLD_LINES_MAX 8

/* An account, and a page of the open holds on it, in no particular order. A page may have few or no
 * lines and still not be the last. What changes between two pages may be missed or seen twice:
 * equal places of the replies say that nothing did. */
struct hf_account_holds_view {
    struct hf_account_view account;
    uint32_t next_cursor; /* for the next page; 0: this was the last */
    uint32_t count;
    struct hf_hold_line lines[HF_HOLD_LINES_MAX]; /* the reply ends behind the last one */
};
HF_STATIC_ASSERT(sizeof(struct hf_account_holds_view) == 520, "account holds view");

/* A limit, and what of it is used at the time of the newest operation. */
struct hf_limit_line {
    uint64_t max_amount;
    uint64_t max_count;
    uint64_t used_amount;
    uint64_t used_count;
    uint8_t number;
    uint8_t window; /* enum hf_limit_window */
    uint8_t has_filter;
    uint8_t reserved[5];
};
HF_STATIC_ASSERT(sizeof(struct hf_limit_line) == 40, "limit line");
#define HF_LIMIT_LINES_MAX 12

/* A page of a scope's limits, by number. */
struct hf_limits_view {
    uint32_t next_cursor; /* for the next page; 0: this was the last */
    uint32_t count;
    struct hf_limit_line lines[HF_LIMIT_LINES_MAX]; /* the reply ends behind the last one */
};
HF_STATIC_ASSERT(sizeof(struct hf_limits_view) == 488, "limits view");

enum hf_authorisation_flag {
    HF_AUTHORISATION_FORCED = 0x01,
    HF_AUTHORISATION_ESTIMATED = 0x02,
    HF_AUTHORISATION_REVERSED = 0x04, /* a REVERSE has taken back all there was */
    HF_AUTHORISATION_COUNTED = 0x08,  /* its one is still in the limits' counts */
    HF_AUTHORISATION_DREW = 0x10,     /* and still drawn from the instrument's counter */
};

/* The record of an authorisation, refused and reversed ones included. */
struct hf_authorisation_view {
    struct hf_id id;
    struct hf_id token; /* zero: of no known instrument */
    struct hf_id payer; /* the first of several; zero: none was found */
    struct hf_id payee; /* likewise */
    uint64_t amount;    /* held at first, or as raised and reversed; of a refused one, asked for */
    uint64_t remaining; /* still held */
    uint64_t captured;
    uint64_t reversed;
    uint64_t expires_ns; /* 0: never */
    uint64_t place;      /* in the order; of the answer */
    uint64_t timestamp_ns;
    uint64_t acquirer;
    uint8_t merchant[16];
    uint16_t code;      /* of the answer; 0 of a REVERSED that has not come */
    uint16_t exception; /* FORCED: the code that would have refused it, or 0 */
    uint8_t rule;       /* of the answer */
    uint8_t entry;      /* likewise */
    uint8_t status;     /* enum hf_hold_status */
    uint8_t flags;      /* enum hf_authorisation_flag */
    uint16_t asset;
    uint16_t mcc;
    uint16_t country;
    uint8_t channel;
    uint8_t class_number;
};
HF_STATIC_ASSERT(sizeof(struct hf_authorisation_view) == 160, "authorisation view");
#define HF_AUTHORISATIONS_SKIP_MAX 1024

/* A page of an instrument's authorisations, newest first, as far as they are known without a gap.
 */
#define HF_AUTHORISATION_LINES_MAX 3
struct hf_authorisations_view {
    uint32_t next_cursor; /* for the next page: how many it leaves out; 0: this was the last */
    uint32_t count;
    struct hf_authorisation_view lines[HF_AUTHORISATION_LINES_MAX]; /* the reply ends behind the
                                                                       last one */
};
HF_STATIC_ASSERT(sizeof(struct hf_authorisations_view) == 488, "authorisations view");

struct hf_query_reply {
    struct hf_reply reply;
    union {
        struct hf_account_view account;
        struct hf_instrument_view instrument;
        struct hf_hold_view hold;
        struct hf_account_holds_view account_holds;
        struct hf_limits_view limits;
        struct hf_authorisation_view authorisation;
        struct hf_authorisations_view authorisations;
        struct hf_reply operation; /* the remembered answer */
    } view;
};
#define HF_REPLY_LENGTH_MAX 584
HF_STATIC_ASSERT(sizeof(struct hf_query_reply) == HF_REPLY_LENGTH_MAX, "query reply");

/* The shortest length of a type's operations, the only one of most; of a type with a list, that of
 * what stands before the list; 0 for a type without a body. */
uint16_t hf_operation_length(uint8_t type);

/* Name of a type ("MOVE"), or "UNKNOWN". Static text. */
const char *hf_operation_name(uint8_t type);

/* Where a checked HOLD_PLAN's conditions begin. */
static inline const struct hf_op_condition *
hf_hold_plan_conditions(const struct hf_op_hold_plan *hold)
{
    return (const struct hf_op_condition *)(const void *)(hold->entries + hold->plan.source_count +
                                                          hold->plan.destination_count);
}

struct hf_verdict {
    uint16_t code; /* HF_CODE_OK, or why the operation may not enter the order */
    uint8_t rule;
    uint8_t entry; /* as in a reply */
};

/* Checks an operation's shape: everything that can be told from its bytes alone (length, type,
 * flags, reserved bytes, ids, amounts, statuses, lists). `available` is how many bytes may be read
 * at `operation`; never reads past them. Pure. Every operation given to the engine must have
 * passed.
 */
struct hf_verdict hf_operation_check(const union hf_operation *operation, size_t available);
/* The same of an operation of the log, which the node may have marked as forbidden. */
struct hf_verdict hf_operation_check_logged(const union hf_operation *operation, size_t available);

/* Marks an operation, but no QUERY, that its origin may not send. It takes its place in the order
 * all the same, where it is refused with NOT_PERMITTED/ORIGIN: so the refusal stands in the log, is
 * the answer to every repeat, and is the same on whoever applies the log, whatever rules they have
 * by then. Its deadline becomes one that is always over: so whatever is not forbidden pays nothing
 * for this. */
static inline void hf_operation_forbid(union hf_operation *operation)
{
    operation->header.flags |= HF_OP_FORBIDDEN;
    operation->header.deadline_ns = 1;
}

#ifdef __cplusplus
}
#pragma GCC diagnostic pop
#endif
#endif
