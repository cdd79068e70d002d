/* The image of a ledger: its whole state as a stream of bytes, for checkpoints.
 *
 * Little-endian, a multiple of 64 bytes, in this order:
 *
 *   header      128  struct hf_image_header: magic, version, how many of each record follow
 *   head         64  struct hf_image_head: newest place, its timestamp, the floor of forgotten ids
 *   classes     128  struct hf_image_classes: the lifetime of each class of holds
 *   assets       64  each, struct hf_image_asset, in the order of registration
 *   accounts     64  each, struct hf_image_account, in any order
 *   terms       192  each, struct hf_image_terms, of accounts that have any: parents first
 *   instruments 128  each, struct hf_image_instrument, in any order
 *   selectors   128  each, struct hf_image_selector: the further accounts of instruments that have
 * any limits      128  each, struct hf_image_limit, in any order rolling    1088  each, struct
 * hf_image_rolling: the buckets of each limit that has them answers      64  each, struct hf_answer
 * (answer.h): those remembered, by place, without gaps, up to the newest holds       256  each,
 * struct hf_image_hold: the ended ones that are known, in the order in which they ended, then the
 * open ones in any order. Records by themselves are such holds parts        64  each, struct
 * hf_image_part, of open holds with several payers: of one hold one behind the other, in their
 * order conditions  128  each, struct hf_image_condition, likewise trailer      64  struct
 * hf_image_trailer: another magic, the length, the digest of all records from head to conditions
 *
 * Records name each other by id, so that an image loads into a ledger with other limits, as long as
 * it fits. A smaller memory of answers forgets the oldest and raises the floor, a smaller table of
 * holds forgets those that ended first, one with a shorter `record_ns` knows fewer: all as they
 * would have done by themselves. What is reserved is zero. The trailer's digest is what
 * hf_ledger_digest says.
 *
 * Both ways are pure, and keep no pointer to the caller's buffers. */
#ifndef HF_ENGINE_IMAGE_H
#define HF_ENGINE_IMAGE_H

#include "answer.h"
#include "digest.h"
#include "ledger.h"
#include "limit.h"

#define HF_IMAGE_UNIT        64 /* buffers and lengths are multiples of it */
#define HF_IMAGE_VERSION     4
#define HF_IMAGE_MAGIC       UINT64_C(0x314547414d494648) /* "HFIMAGE1" */
#define HF_IMAGE_TRAILER     UINT64_C(0x31444e45474d4648) /* "HFMGEND1" */
#define HF_IMAGE_RECORD_SIZE 1088                         /* of the largest record */

struct hf_image_header {
    uint64_t magic;
    uint32_t version;
    uint32_t assets;
    uint64_t accounts;
    uint64_t terms;
    uint64_t instruments;
    uint64_t answers;
    uint64_t holds_ended;
    uint64_t holds_open;
    uint64_t parts;
    uint64_t conditions;
    uint64_t limits;
    uint64_t rolling;
    uint64_t selectors;
    uint64_t reserved[3];
};

struct hf_image_head {
    uint64_t place;
    uint64_t timestamp_ns;
    uint64_t floor_ms;
    uint8_t reserved[40];
};

struct hf_image_classes {
    uint64_t lifetimes_ns[HF_CLASSES]; /* 0: for ever */
};

struct hf_image_asset {
    uint16_t asset;
    uint8_t scale;
    uint8_t reserved[5];
    char code[8];
    uint8_t reserved_too[48];
};

struct hf_image_account {
    struct hf_id id;
    int64_t posted;
    uint64_t held_out;
    uint64_t held_in;
    uint64_t lifetime_debits;
    int64_t floor;
    uint16_t asset;
    uint8_t status;
    uint8_t reserved[5];
};

struct hf_image_terms {
    struct hf_id account;
    struct hf_id parent; /* zero: none */
    struct hf_id sink;   /* likewise */
    int64_t ceiling;
    uint64_t expires_ns;
    struct hf_filter filter;
    uint8_t flags; /* enum hf_account_flag */
    uint8_t reserved[79];
};

struct hf_image_instrument {
    struct hf_id token;
    struct hf_id account;
    uint64_t expires_ns;
    uint64_t amount_limit;
    uint64_t remaining;
    uint64_t put_place; /* of the newest INSTRUMENT_PUT */
    uint8_t status;
    uint8_t flags;
    uint8_t reserved[62];
};

struct hf_image_selector {
    struct hf_id token;
    struct hf_id further[HF_INSTRUMENT_FURTHER_MAX]; /* zero behind the last */
};

/* Its settings are such as a LIMIT_PUT could have made (asked of hf_operation_check). */
struct hf_image_limit {
    struct hf_id scope_id;
    uint64_t max_amount;
    uint64_t max_count;
    uint64_t used_amount; /* in the window of the last draw; of ROLLING and OPERATION 0 */
    uint64_t used_count;
    int64_t period; /* number of that window or bucket (limit.h); 0 when nothing was drawn */
    uint64_t length_ns;
    uint8_t scope;
    uint8_t number;
    uint8_t window;
    uint8_t start;
    int16_t zone_minutes;
    uint8_t reserved[2];
    uint64_t since; /* the place from which on it counts as it does */
    struct hf_filter filter;
};

struct hf_image_rolling {
    struct hf_id scope_id;
    uint8_t scope;
    uint8_t number;
    uint8_t reserved[46];
    struct hf_rolling rolling; /* bucket n at place n modulo 64 */
};

/* Of a record by itself payer and payee may be zero as well: not found. */
struct hf_image_hold {
    struct hf_id id;
    struct hf_id payer; /* the first of several */
    struct hf_id payee; /* zero: open */
    uint64_t amount;
    uint64_t remaining;
    uint64_t captured;
    uint64_t ended_ns;   /* 0: open */
    uint64_t expires_ns; /* 0: never */
    uint32_t origin;
    uint16_t asset;
    uint16_t tolerance;
    uint8_t status; /* enum hf_hold_status */
    uint8_t class_number;
    uint8_t policy;
    uint8_t payer_count;
    uint8_t condition_count;
    uint8_t required;
    uint8_t met;
    uint8_t number; /* of an authorisation in its chain, else 0 */
    struct hf_answer
        answer;         /* of the operation that made it; reversed before it came: its id alone */
    struct hf_id token; /* this and what follows of authorisations; zero: of no known one */
    uint8_t merchant[16];
    uint64_t acquirer;
    uint64_t reversed;
    uint64_t first_draw;
    uint64_t later_draws;
    uint64_t draws_ns; /* of the oldest of them; 0: there are none */
    uint64_t before;   /* key of the instrument's record before (record.h); 0: none is known */
    uint16_t mcc;
    uint16_t country;
    uint8_t channel;
    uint8_t exception;
    uint8_t flags; /* enum hf_authorisation_flag, and HF_IMAGE_NEWEST */
    uint8_t reserved;
};
#define HF_IMAGE_NEWEST 0x80 /* it is the newest of its instrument */

struct hf_image_part {
    struct hf_id hold;
    struct hf_id account;
    uint64_t remaining;
    uint32_t number; /* from 1 */
    uint8_t reserved[20];
};

struct hf_image_condition {
    struct hf_id hold;
    uint32_t number; /* from 1 */
    uint8_t reserved[12];
    struct hf_op_condition condition;
    uint8_t reserved_too[48];
};

struct hf_image_trailer {
    uint64_t magic;
    uint64_t length; /* of the image in bytes, header and trailer included */
    struct hf_id digest;
    uint8_t reserved[32];
};
_Static_assert(sizeof(struct hf_image_header) == 128, "image header");
_Static_assert(sizeof(struct hf_image_head) == 64, "image head");
_Static_assert(sizeof(struct hf_image_classes) == 128, "image classes");
_Static_assert(sizeof(struct hf_image_asset) == 64, "image asset");
_Static_assert(sizeof(struct hf_image_account) == 64, "image account");
_Static_assert(sizeof(struct hf_image_terms) == 192, "image terms");
_Static_assert(sizeof(struct hf_image_limit) == 128, "image limit");
_Static_assert(sizeof(struct hf_image_rolling) == HF_IMAGE_RECORD_SIZE, "image rolling");
_Static_assert(sizeof(struct hf_image_instrument) == 128, "image instrument");
_Static_assert(sizeof(struct hf_image_selector) == 128, "image selector");
_Static_assert(sizeof(struct hf_image_hold) == 256, "image hold");
_Static_assert(sizeof(struct hf_image_part) == 64, "image part");
_Static_assert(sizeof(struct hf_image_condition) == 128, "image condition");
_Static_assert(sizeof(struct hf_image_trailer) == 64, "image trailer");

/* The parts of an image, in their order. */
enum hf_image_section {
    HF_IMAGE_SECTION_HEADER,
    HF_IMAGE_SECTION_HEAD,
    HF_IMAGE_SECTION_CLASSES,
    HF_IMAGE_SECTION_ASSETS,
    HF_IMAGE_SECTION_ACCOUNTS,
    HF_IMAGE_SECTION_TERMS,
    HF_IMAGE_SECTION_INSTRUMENTS,
    HF_IMAGE_SECTION_SELECTORS,
    HF_IMAGE_SECTION_LIMITS,
    HF_IMAGE_SECTION_ROLLING,
    HF_IMAGE_SECTION_ANSWERS,
    HF_IMAGE_SECTION_ENDED,
    HF_IMAGE_SECTION_OPEN,
    HF_IMAGE_SECTION_PARTS,
    HF_IMAGE_SECTION_CONDITIONS,
    HF_IMAGE_SECTION_TRAILER,
    HF_IMAGE_SECTION_END,
};

/* What the records are called in the digest. */
enum hf_image_kind {
    HF_IMAGE_HEAD = 1,
    HF_IMAGE_ASSET = 2,
    HF_IMAGE_ACCOUNT = 3,
    HF_IMAGE_INSTRUMENT = 4,
    HF_IMAGE_ANSWER = 5,
    HF_IMAGE_HOLD = 6,
    HF_IMAGE_CLASSES = 7,
    HF_IMAGE_TERMS = 8,
    HF_IMAGE_PART = 9,
    HF_IMAGE_CONDITION = 10,
    HF_IMAGE_LIMIT = 11,
    HF_IMAGE_ROLLING = 12,
    HF_IMAGE_SELECTOR = 13,
};

/* The caller's memory, the image's contents: nobody else looks inside. */
struct hf_image_writer {
    const struct hf_ledger *ledger;
    struct hf_digest digest;
    uint64_t place;         /* the ledger's, when the image was begun */
    uint32_t stale_count;   /* ended holds that are no longer known then, and so left out */
    uint64_t cursor;        /* in the section in hand: index, slot or place */
    uint32_t item;          /* of the hold at the cursor, the part or condition to come */
    uint32_t item_number;   /* its number, from 1; 0: of the next hold the first */
    uint64_t length;        /* of the records made so far, in bytes */
    uint32_t section;       /* enum hf_image_section */
    uint32_t record_length; /* of the record in hand */
    uint32_t record_taken;  /* of that, given out */
    uint8_t record[HF_IMAGE_RECORD_SIZE];
};

/* Length in bytes of the ledger's image as it is now. */
uint64_t hf_image_length(const struct hf_ledger *ledger);

/* Begins an image. The ledger must not change until its end (asserted by its place). */
void hf_image_write_begin(struct hf_image_writer *writer, const struct hf_ledger *ledger);

/* Fills `buffer` with the next bytes: `size` of them (a multiple of 64, asserted), fewer only at
 * the end. Returns how many; 0 when all have been given. Never blocks. */
size_t hf_image_write(struct hf_image_writer *writer, void *buffer, size_t size);

struct hf_image_reader {
    struct hf_ledger *ledger;
    struct hf_image_header header;
    struct hf_digest digest;
    uint64_t place;        /* of the newest operation, by the head */
    uint64_t timestamp_ns; /* likewise */
    uint64_t newest_ns;    /* timestamp of the answer read last */
    uint64_t ended_ns;     /* of the ended hold read last */
    uint64_t left;         /* records of the section in hand not yet read */
    uint64_t length;       /* of the records read so far, in bytes */
    /* What all accounts say is promised, less what holds were seen to promise. */
    __extension__ unsigned __int128 promised;
    __extension__ __int128 posted[HF_LEDGER_ASSETS_MAX]; /* of all accounts, by asset */
    enum hf_status status;
    uint32_t section;       /* enum hf_image_section */
    uint32_t record_length; /* of a hold of which only a part has come */
    uint8_t record[HF_IMAGE_RECORD_SIZE];
};

/* Begins loading an image into a ledger just created: nothing in it (asserted). */
void hf_image_read_begin(struct hf_image_reader *reader, struct hf_ledger *ledger);

/* Takes the next `length` bytes (a multiple of 64, asserted), of any alignment. OK; or FULL when
 * the ledger's limits are too small, WRONG_FORMAT when this is no image or of another version,
 * CORRUPT when it makes no sense. A status other than OK is final, and the ledger of no use. Never
 * blocks.
 */
enum hf_status hf_image_read(struct hf_image_reader *reader, const void *bytes,
                             size_t length) HF_MUST_USE;

/* All bytes have been given: OK when they were a whole image, else what was wrong (CORRUPT when it
 * is cut short). Only after OK may the ledger be used. */
enum hf_status hf_image_read_end(const struct hf_image_reader *reader) HF_MUST_USE;

#endif
