/* Scenario scripts (SCRIPT.md): one line, one operation, with the answer it must get. Parsing is
 * pure and complete before anything is sent: names become ids, amounts smallest units. */
#ifndef HF_TOOLS_SCRIPT_H
#define HF_TOOLS_SCRIPT_H

#include "net/holdfast.h"

#define HF_SCRIPT_NAME_SIZE  32
#define HF_SCRIPT_VALUES_MAX 16
/* Of a HOLD_PLAN with a time in every condition, and its expiry. */
#define HF_SCRIPT_PATCHES_MAX (HF_CONDITIONS_MAX + 1)
#define HF_SCRIPT_SEED_SIZE   32
#define HF_SCRIPT_NONE        UINT32_MAX
#define HF_SCRIPT_MEMBERS_MAX 16

enum hf_script_verb {
    HF_SCRIPT_NOTHING,    /* only a name: dropped by the parser */
    HF_SCRIPT_OPERATION,  /* sends `operation` */
    HF_SCRIPT_INNER,      /* part of the chain that ends below: sent with it */
    HF_SCRIPT_REPEAT,     /* sends that of `reference` again, same id: the same answer */
    HF_SCRIPT_AGAIN,      /* likewise with other contents: DUPLICATE_DIFFERENT */
    HF_SCRIPT_EXPECT,     /* asks for a record */
    HF_SCRIPT_BALANCED,   /* posted balances of an asset sum to zero */
    HF_SCRIPT_RESTART,    /* kill -9, start again */
    HF_SCRIPT_STOP_START, /* SIGTERM, start again */
    HF_SCRIPT_ADVANCE,    /* moves the node's clock by `advance_ms`, and the script's own */
    HF_SCRIPT_ADMIN,      /* a line to the admin socket */
    HF_SCRIPT_LATER,      /* makes the id of an operation that a line below sends */
};

/* What can be said about an answer or a record, or changed by `again`. */
enum hf_script_field {
    HF_SCRIPT_APPROVED,
    HF_SCRIPT_AVAILABLE,
    HF_SCRIPT_POSTED,
    HF_SCRIPT_HELD,
    HF_SCRIPT_INCOMING,
    HF_SCRIPT_DEBITS,
    HF_SCRIPT_FLOOR,
    HF_SCRIPT_STATUS,
    HF_SCRIPT_REMAINING,
    HF_SCRIPT_LIMIT,
    HF_SCRIPT_AMOUNT,
    HF_SCRIPT_CAPTURED,
    HF_SCRIPT_CODE,
    HF_SCRIPT_ENTRY,
    HF_SCRIPT_CEILING,
    HF_SCRIPT_CREDITS,
    HF_SCRIPT_PARENT, /* as are sink, payer, payee and account an id */
    HF_SCRIPT_SINK,
    HF_SCRIPT_HOLDS,
    HF_SCRIPT_EXPIRES, /* 0: never, else 1 */
    HF_SCRIPT_PAYERS,
    HF_SCRIPT_CONDITIONS,
    HF_SCRIPT_REQUIRED,
    HF_SCRIPT_MET, /* how many conditions have been proved */
    HF_SCRIPT_TOLERANCE,
    HF_SCRIPT_CLASS,
    HF_SCRIPT_PAYER,
    HF_SCRIPT_PAYEE,
    HF_SCRIPT_ASSET,
    HF_SCRIPT_COUNT,
    HF_SCRIPT_USED,     /* of a limit: an amount */
    HF_SCRIPT_MOST,     /* authorisations a limit allows */
    HF_SCRIPT_ACCOUNT,  /* a card's; an id */
    HF_SCRIPT_ACCOUNTS, /* how many a card has */
    HF_SCRIPT_REVERSED, /* this and what follows of an authorisation */
    HF_SCRIPT_EXCEPTION,
    HF_SCRIPT_RULE,
    HF_SCRIPT_ACQUIRER,
    HF_SCRIPT_MCC,
    HF_SCRIPT_COUNTRY,
    HF_SCRIPT_CHANNEL,
    HF_SCRIPT_FORCED, /* flags, 0 or 1, as are those that follow */
    HF_SCRIPT_ESTIMATED,
    HF_SCRIPT_UNDONE,
    HF_SCRIPT_COUNTED,
    HF_SCRIPT_DREW,
    HF_SCRIPT_FIELDS,
};
const char *hf_script_field_name(enum hf_script_field field);

/* Values are 64 bits, signed or not as the field is. */
struct hf_script_value {
    enum hf_script_field field;
    uint64_t bits;
    struct hf_id id; /* parent, sink, payer, payee, account; zero: none */
};

/* The code an answer must have: by number, or by its ISO 8583 response code. */
struct hf_script_code {
    uint16_t number;
    char iso[4]; /* "51" or "116"; empty: by number */
};

struct hf_script_expectation {
    struct hf_script_code code;
    int rule; /* enum hf_rule, or -1: any */
    struct hf_script_value values[HF_SCRIPT_VALUES_MAX];
    uint32_t value_count;
};

/* A time relative to when the line is played. */
struct hf_script_span {
    bool given;
    int64_t ms;
};

/* What of an operation is known only when its line is played. */
enum hf_script_patch_kind {
    HF_SCRIPT_PATCH_ID,        /* the id of `statement`'s operation */
    HF_SCRIPT_PATCH_TIME,      /* Unix nanoseconds, `ms` from now */
    HF_SCRIPT_PATCH_SIGNATURE, /* for the condition of this ATTEST, of `statement`'s hold */
};
struct hf_script_patch {
    enum hf_script_patch_kind kind;
    uint16_t offset; /* in the operation, bytes */
    uint32_t statement;
    int64_t ms;
    uint8_t seed[HF_SCRIPT_SEED_SIZE]; /* of the Ed25519 key pair */
};

struct hf_script_statement {
    uint32_t line;    /* from 1 */
    const char *text; /* the line, without blanks around it */
    enum hf_script_verb verb;
    uint8_t scale;                 /* of the asset it is about */
    union hf_operation *operation; /* without id, and before its patches; at least a union's size */
    struct hf_script_patch patches[HF_SCRIPT_PATCHES_MAX];
    uint32_t patch_count;
    uint32_t chain_count; /* of a CHAIN: how many statements before this one are in it */
    uint32_t reference;   /* repeat, again, expect: whose id this is about, or HF_SCRIPT_NONE */
    uint32_t id_of;       /* the LATER statement that made the operation's id, or HF_SCRIPT_NONE */
    uint32_t members[HF_SCRIPT_MEMBERS_MAX]; /* authorisations of a card: whose, newest first */
    uint32_t member_count;
    struct hf_script_span id_time; /* of the operation's id */
    struct hf_script_span deadline;
    int64_t advance_ms;
    struct hf_script_value changes[HF_SCRIPT_VALUES_MAX]; /* `again` */
    uint32_t change_count;
    uint16_t asset;      /* `balanced`; of a clearing, for who names it */
    const char *command; /* `admin` */
    struct hf_script_expectation expected;
};

/* An account the script opens. */
struct hf_script_account {
    char name[HF_SCRIPT_NAME_SIZE];
    struct hf_id id;
    uint16_t asset;
    bool is_total; /* not counted in `balanced` */
};

struct hf_script {
    struct hf_script_statement *statements;
    uint32_t statement_count;
    struct hf_script_account *accounts;
    uint32_t account_count;
    char *text; /* what the statements' texts are cut from */
};

/* Parses a whole script, `file` to faults. `salt` goes into every id a name gets: two runs against
 * one node do not meet. INVALID with "FILE:LINE: why", or NO_MEMORY. Free the script in any case.
 */
HF_MUST_USE enum hf_status hf_script_parse(const char *file, const char *text, uint64_t salt,
                                           struct hf_script *script, struct hf_fault *fault);
void hf_script_free(struct hf_script *script);

#endif
