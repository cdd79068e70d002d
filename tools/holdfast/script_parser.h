/* The parser of scenario scripts, inside: the line being read, the names known so far, and readers
 * for its words. Every reader returns false after it has put "FILE:LINE: why" into the
 * fault. What statements there are: script_statements.h. */
#ifndef HF_TOOLS_SCRIPT_PARSER_H
#define HF_TOOLS_SCRIPT_PARSER_H

#include "script_word.h"

enum hf_script_kind {
    HF_SCRIPT_KIND_ASSET = 's',
    HF_SCRIPT_KIND_ACCOUNT = 'a',
    HF_SCRIPT_KIND_CARD = 'c',
    HF_SCRIPT_KIND_OPERATION = 'o',
    HF_SCRIPT_KIND_KEY = 'k',
};

struct hf_script_name {
    char text[HF_SCRIPT_NAME_SIZE];
    enum hf_script_kind kind;
    struct hf_id id;
    uint16_t asset; /* 0: not known */
    uint8_t scale;
    uint32_t statement; /* of an operation; HF_SCRIPT_NONE: nobody's */
    bool is_later;      /* an operation: only its id is there */
    uint64_t acquirer;  /* of an authorisation */
    /* Of an account, as its last line said: what a later line need not say again. */
    int64_t floor;
    struct hf_id parent;
    bool is_total;
};

struct hf_script_parser {
    const char *file;
    struct hf_script *script;
    struct hf_fault *fault;
    uint64_t salt;
    struct hf_script_name *names; /* moves when a name is added */
    uint32_t name_count, name_room;
    uint32_t statement_room, account_room;
    uint32_t line;
    char *words[HF_SCRIPT_WORDS_MAX];
    uint32_t word_count;
    uint32_t at; /* the next word */
    struct hf_script_statement *statement;
    uint32_t previous; /* the newest operation, for repeat and again */
    uint32_t chain;    /* the first statement of the chain that is open, or HF_SCRIPT_NONE */
    uint32_t chain_line;
};

/* Puts the fault together. Always false. */
__attribute__((format(printf, 2, 3))) bool hf_script_wrong(struct hf_script_parser *parser,
                                                           const char *format, ...);
/* Makes room for one more item; arrays double. False when there is no memory (no fault). */
bool hf_script_make_room(void **items, uint32_t count, uint32_t *room, size_t size);

/* The next word, "" at the end. */
const char *hf_script_peek(const struct hf_script_parser *parser);
/* Takes the next word if it is this one. */
bool hf_script_accept(struct hf_script_parser *parser, const char *word);
/* Cuts the comma off the word that is next, and says whether there was one: then an item of the
 * list follows. */
bool hf_script_cut_comma(struct hf_script_parser *parser);
/* Takes the next word; `what` is how a fault calls it when it is missing. */
bool hf_script_next(struct hf_script_parser *parser, const char *what, const char **word);
/* The line must have ended. */
bool hf_script_ended(struct hf_script_parser *parser);

/* NULL: not known. */
struct hf_script_name *hf_script_find_name(const struct hf_script_parser *parser,
                                           enum hf_script_kind kind, const char *text);
/* NULL (with a fault): it cannot be a name. */
struct hf_script_name *hf_script_add_name(struct hf_script_parser *parser, enum hf_script_kind kind,
                                          const char *text);
const char *hf_script_kind_word(enum hf_script_kind kind);
/* The next word, as a name that is known. */
bool hf_script_known(struct hf_script_parser *parser, enum hf_script_kind kind, const char *what,
                     const struct hf_script_name **name);

/* The script's first asset: amounts about what is not there are in its units. 0 when there is none.
 */
void hf_script_first_asset(const struct hf_script_parser *parser, uint16_t *asset, uint8_t *scale);
/* The next word, as an operation's name, and amounts are then in its asset. Its id is put to
 * `offset` of the statement's operation when the line is played; that of one that is nobody's into
 * `*id` at once. */
bool hf_script_take_operation(struct hf_script_parser *parser, const char *what, size_t offset,
                              struct hf_id *id, const struct hf_script_name **name);

/* Values; amounts in the scale of the statement. */
bool hf_script_take_asset(struct hf_script_parser *parser, const char *word, uint16_t *asset,
                          uint8_t *scale);
bool hf_script_take_amount_or(struct hf_script_parser *parser, const char *what,
                              const char *special, uint64_t value, uint64_t *amount);
bool hf_script_take_balance(struct hf_script_parser *parser, const char *what, uint64_t none,
                            uint64_t *bits);
bool hf_script_take_count(struct hf_script_parser *parser, const char *what, uint64_t *count);
bool hf_script_take_status(struct hf_script_parser *parser, uint8_t subject, uint64_t *status);
bool hf_script_take_span(struct hf_script_parser *parser, const char *what,
                         struct hf_script_span *span);
bool hf_script_take_code(struct hf_script_parser *parser, struct hf_script_code *code, int *rule);

/* A time from now that ends something: `never`, or a span that becomes a patch at `offset`. */
bool hf_script_take_expiry(struct hf_script_parser *parser, size_t offset, bool *is_never);
/* "TEXT" for a fixed field: at most `size` bytes. */
bool hf_script_take_text(struct hf_script_parser *parser, const char *what, void *bytes,
                         size_t size);
/* "N[,N...]": up to `most` numbers, none over `limit`. Returns false with a fault. */
bool hf_script_take_numbers(struct hf_script_parser *parser, const char *what, uint64_t limit,
                            uint64_t numbers[], uint32_t most, uint32_t *count);

#define HF_SCRIPT_FIELD(name) (UINT64_C(1) << HF_SCRIPT_##name)
/* Takes the next word as one of the `allowed` fields (bits). */
bool hf_script_take_field(struct hf_script_parser *parser, uint64_t allowed,
                          enum hf_script_field *field);
/* The value of a field; `subject` (enum hf_query_subject, 0: an answer) tells its statuses and
 * units. */
bool hf_script_take_value(struct hf_script_parser *parser, uint8_t subject,
                          struct hf_script_value *value);

/* One of "mcc 8011,8062", "country N,N", "channel N,N" and "merchant TEXT" into the filter, if it
 * is next; `*is_filter` says whether. The filter says that it looks at this part, of which "" in
 * place of list or text leaves nothing. */
bool hf_script_take_filter(struct hf_script_parser *parser, struct hf_filter *filter,
                           bool *is_filter);
/* "15%", as parts per thousand. */
bool hf_script_take_permille(struct hf_script_parser *parser, uint64_t *permille);
/* "NUMBER on [card|account] NAME"; amounts are then in the asset of NAME. */
bool hf_script_take_limit_name(struct hf_script_parser *parser, uint8_t *number, uint8_t *scope,
                               struct hf_id *scope_id);

/* The statement's operation, anew: `length` zero bytes but for the header. NULL with a fault. */
union hf_operation *hf_script_make_operation(struct hf_script_parser *parser, uint8_t type,
                                             size_t length);
/* One more thing to fill in when the line is played. */
struct hf_script_patch *hf_script_add_patch(struct hf_script_parser *parser,
                                            enum hf_script_patch_kind kind, size_t offset);
/* Gives the statement's operation a name. */
bool hf_script_name_operation(struct hf_script_parser *parser, const char *word, uint16_t asset);
/* Options of any operation, then what is expected of it; then the line must end. */
bool hf_script_finish_operation(struct hf_script_parser *parser);
bool hf_script_expects_ok(const struct hf_script_statement *statement);

/* What a payment says of itself, for filters. */
struct hf_script_attributes {
    uint16_t mcc, country;
    uint8_t channel;
    uint8_t merchant[16];
};
/* The Ed25519 seed that belongs to a key's id. */
void hf_script_make_seed(struct hf_id id, uint8_t seed[HF_SCRIPT_SEED_SIZE]);
/* Takes one of "mcc N", "country N", "channel N", "merchant TEXT" if it is next: 1; 0: something
 * else is; -1: wrong. */
int hf_script_take_attribute(struct hf_script_parser *parser, struct hf_script_attributes *found);

#endif
