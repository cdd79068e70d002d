#include "script_parser.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool hf_script_wrong(struct hf_script_parser *parser, const char *format, ...)
{
    va_list arguments;
    int length = snprintf(parser->fault->line, sizeof parser->fault->line,
                          "%.120s:%u: ", parser->file, parser->line);
    va_start(arguments, format);
    vsnprintf(parser->fault->line + length, sizeof parser->fault->line - (size_t)length, format,
              arguments);
    va_end(arguments);
    return false;
}

const char *hf_script_peek(const struct hf_script_parser *parser)
{
    return parser->at < parser->word_count ? parser->words[parser->at] : "";
}

/* Takes the next word if it is this one. */
bool hf_script_accept(struct hf_script_parser *parser, const char *word)
{
    if (strcmp(hf_script_peek(parser), word) != 0)
        return false;
    parser->at++;
    return true;
}

bool hf_script_cut_comma(struct hf_script_parser *parser)
{
    if (parser->at == parser->word_count)
        return false;
    char *word = parser->words[parser->at];
    size_t length = strlen(word);
    bool has_comma = length > 1 && word[length - 1] == ',';
    if (has_comma)
        word[length - 1] = '\0';
    return has_comma;
}

bool hf_script_next(struct hf_script_parser *parser, const char *what, const char **word)
{
    *word = hf_script_peek(parser);
    if ((*word)[0] == '\0' || strcmp(*word, "->") == 0)
        return hf_script_wrong(parser, "%s is missing", what);
    parser->at++;
    return true;
}

struct hf_script_name *hf_script_find_name(const struct hf_script_parser *parser,
                                           enum hf_script_kind kind, const char *text)
{
    for (uint32_t i = 0; i < parser->name_count; i++) {
        if (parser->names[i].kind == kind && strcmp(parser->names[i].text, text) == 0)
            return &parser->names[i];
    }
    return NULL;
}

/* Makes room for one more; arrays double. */
bool hf_script_make_room(void **items, uint32_t count, uint32_t *room, size_t size)
{
    if (count < *room)
        return true;
    uint32_t more = *room == 0 ? 64 : *room * 2;
    void *grown = realloc(*items, more * size);
    if (grown == NULL)
        return false;
    *items = grown;
    *room = more;
    return true;
}

struct hf_script_name *hf_script_add_name(struct hf_script_parser *parser, enum hf_script_kind kind,
                                          const char *text)
{
    if (!hf_script_is_name(text)) {
        hf_script_wrong(parser, "'%s' cannot be a name: a letter, then letters, digits, - _ .",
                        text);
        return NULL;
    }
    void *names = parser->names;
    if (!hf_script_make_room(&names, parser->name_count, &parser->name_room,
                             sizeof *parser->names)) {
        hf_script_wrong(parser, "no memory");
        return NULL;
    }
    parser->names = names;
    struct hf_script_name *name = &parser->names[parser->name_count++];
    memset(name, 0, sizeof *name);
    memcpy(name->text, text, strlen(text) + 1);
    name->kind = kind;
    name->id = hf_script_id((char)kind, text, parser->salt);
    name->statement = HF_SCRIPT_NONE;
    return name;
}

const char *hf_script_kind_word(enum hf_script_kind kind)
{
    switch (kind) {
    case HF_SCRIPT_KIND_ASSET:
        return "asset";
    case HF_SCRIPT_KIND_ACCOUNT:
        return "account";
    case HF_SCRIPT_KIND_CARD:
        return "card";
    case HF_SCRIPT_KIND_KEY:
        return "key";
    default:
        return "operation";
    }
}

/* The next word, as a name that is known. */
bool hf_script_known(struct hf_script_parser *parser, enum hf_script_kind kind, const char *what,
                     const struct hf_script_name **name)
{
    const char *word;
    if (!hf_script_next(parser, what, &word))
        return false;
    *name = hf_script_find_name(parser, kind, word);
    if (*name == NULL)
        return hf_script_wrong(
            parser, "no %s '%s' above this line (`unknown %s` names one that is not there)",
            hf_script_kind_word(kind), word, word);
    return true;
}

void hf_script_first_asset(const struct hf_script_parser *parser, uint16_t *asset, uint8_t *scale)
{
    *asset = 0;
    *scale = 0;
    for (uint32_t i = 0; i < parser->name_count && *asset == 0; i++) {
        if (parser->names[i].kind == HF_SCRIPT_KIND_ASSET) {
            *asset = parser->names[i].asset;
            *scale = parser->names[i].scale;
        }
    }
}

bool hf_script_take_operation(struct hf_script_parser *parser, const char *what, size_t offset,
                              struct hf_id *id, const struct hf_script_name **name)
{
    if (!hf_script_known(parser, HF_SCRIPT_KIND_OPERATION, what, name))
        return false;
    parser->statement->scale = (*name)->scale;
    *id = (*name)->id;
    if ((*name)->statement == HF_SCRIPT_NONE)
        return true;
    struct hf_script_patch *patch = hf_script_add_patch(parser, HF_SCRIPT_PATCH_ID, offset);
    if (patch != NULL)
        patch->statement = (*name)->statement;
    return patch != NULL;
}

/* ---- values ---- */

/* An asset by code or number. A number need not have been registered. */
bool hf_script_take_asset(struct hf_script_parser *parser, const char *word, uint16_t *asset,
                          uint8_t *scale)
{
    uint64_t number;
    for (uint32_t i = 0; i < parser->name_count; i++) {
        const struct hf_script_name *name = &parser->names[i];
        bool same = name->kind == HF_SCRIPT_KIND_ASSET &&
                    (strcmp(name->text, word) == 0 ||
                     (hf_script_read_number(word, UINT16_MAX, &number) && number == name->asset));
        if (same) {
            *asset = name->asset;
            *scale = name->scale;
            return true;
        }
    }
    if (!hf_script_read_number(word, UINT16_MAX, &number))
        return hf_script_wrong(parser, "no asset '%s' above this line", word);
    *asset = (uint16_t)number;
    *scale = 0;
    return true;
}

static bool read_amount(struct hf_script_parser *parser, const char *what, uint64_t *amount)
{
    const char *word;
    if (!hf_script_next(parser, what, &word))
        return false;
    if (!hf_script_read_amount(word, parser->statement->scale, amount))
        return hf_script_wrong(parser, "%s '%s' is not an amount with at most %u decimals", what,
                               word, parser->statement->scale);
    return true;
}

/* An amount, or a word that stands for a special one. */
bool hf_script_take_amount_or(struct hf_script_parser *parser, const char *what,
                              const char *special, uint64_t value, uint64_t *amount)
{
    if (hf_script_accept(parser, special)) {
        *amount = value;
        return true;
    }
    return read_amount(parser, what, amount);
}

bool hf_script_take_balance(struct hf_script_parser *parser, const char *what, uint64_t none,
                            uint64_t *bits)
{
    const char *word;
    if (hf_script_accept(parser, "none")) {
        *bits = none;
        return true;
    }
    if (!hf_script_next(parser, what, &word))
        return false;
    if (!hf_script_read_balance(word, parser->statement->scale, bits))
        return hf_script_wrong(parser, "%s '%s' is not a balance with at most %u decimals", what,
                               word, parser->statement->scale);
    return true;
}

bool hf_script_take_count(struct hf_script_parser *parser, const char *what, uint64_t *count)
{
    const char *word;
    if (hf_script_accept(parser, "unlimited")) {
        *count = HF_INSTRUMENT_UNLIMITED;
        return true;
    }
    if (!hf_script_next(parser, what, &word))
        return false;
    if (!hf_script_read_number(word, UINT64_MAX, count))
        return hf_script_wrong(parser, "%s '%s' is not a number", what, word);
    return true;
}

/* A status by name, as the subject's kind has them; an answer's (0) are an account's. */
bool hf_script_take_status(struct hf_script_parser *parser, uint8_t subject, uint64_t *status)
{
    static const char *const accounts[] = {"open", "frozen", "closed", NULL};
    static const char *const cards[] = {"inactive", "active", "frozen", "closed", NULL};
    static const char *const holds[] = {"open", "resolved", "lapsed", NULL};
    static const char *const records[] = {"open",    "resolved", "lapsed",
                                          "refused", "reversed", NULL};
    const char *const *names = accounts;
    const char *word;
    if (subject == HF_QUERY_INSTRUMENT)
        names = cards;
    else if (subject == HF_QUERY_HOLD)
        names = holds;
    else if (subject == HF_QUERY_AUTHORISATION)
        names = records;
    if (!hf_script_next(parser, "status", &word))
        return false;
    for (uint64_t i = 0; names[i] != NULL; i++) {
        if (strcmp(word, names[i]) == 0) {
            *status = i;
            return true;
        }
    }
    return hf_script_wrong(parser, "'%s' is not a status here", word);
}

bool hf_script_take_code(struct hf_script_parser *parser, struct hf_script_code *code, int *rule)
{
    const char *word;
    if (!hf_script_next(parser, "the expected code", &word))
        return false;
    if (!hf_script_read_code(word, code, rule))
        return hf_script_wrong(parser, "'%s' is neither a code, CODE/RULE, nor a response code",
                               word);
    return true;
}

_Static_assert(HF_SCRIPT_FIELDS <= 64, "a set of fields is a word of bits");
static const char *const field_names[HF_SCRIPT_FIELDS] = {
    [HF_SCRIPT_APPROVED] = "approved",
    [HF_SCRIPT_AVAILABLE] = "available",
    [HF_SCRIPT_POSTED] = "posted",
    [HF_SCRIPT_HELD] = "held",
    [HF_SCRIPT_INCOMING] = "incoming",
    [HF_SCRIPT_DEBITS] = "debits",
    [HF_SCRIPT_FLOOR] = "floor",
    [HF_SCRIPT_STATUS] = "status",
    [HF_SCRIPT_REMAINING] = "remaining",
    [HF_SCRIPT_LIMIT] = "limit",
    [HF_SCRIPT_AMOUNT] = "amount",
    [HF_SCRIPT_CAPTURED] = "captured",
    [HF_SCRIPT_CODE] = "code",
    [HF_SCRIPT_PAYER] = "payer",
    [HF_SCRIPT_PAYEE] = "payee",
    [HF_SCRIPT_ASSET] = "asset",
    [HF_SCRIPT_COUNT] = "count",
    [HF_SCRIPT_ENTRY] = "entry",
    [HF_SCRIPT_CEILING] = "ceiling",
    [HF_SCRIPT_CREDITS] = "credits",
    [HF_SCRIPT_PARENT] = "parent",
    [HF_SCRIPT_SINK] = "sink",
    [HF_SCRIPT_HOLDS] = "holds",
    [HF_SCRIPT_EXPIRES] = "expires",
    [HF_SCRIPT_PAYERS] = "payers",
    [HF_SCRIPT_CONDITIONS] = "conditions",
    [HF_SCRIPT_REQUIRED] = "required",
    [HF_SCRIPT_MET] = "met",
    [HF_SCRIPT_TOLERANCE] = "tolerance",
    [HF_SCRIPT_CLASS] = "class",
    [HF_SCRIPT_USED] = "used",
    [HF_SCRIPT_MOST] = "most",
    [HF_SCRIPT_ACCOUNT] = "account",
    [HF_SCRIPT_ACCOUNTS] = "accounts",
    [HF_SCRIPT_REVERSED] = "reversed",
    [HF_SCRIPT_EXCEPTION] = "exception",
    [HF_SCRIPT_RULE] = "rule",
    [HF_SCRIPT_ACQUIRER] = "acquirer",
    [HF_SCRIPT_MCC] = "mcc",
    [HF_SCRIPT_COUNTRY] = "country",
    [HF_SCRIPT_CHANNEL] = "channel",
    [HF_SCRIPT_FORCED] = "forced",
    [HF_SCRIPT_ESTIMATED] = "estimated",
    [HF_SCRIPT_UNDONE] = "undone",
    [HF_SCRIPT_COUNTED] = "counted",
    [HF_SCRIPT_DREW] = "drew",
};

const char *hf_script_field_name(enum hf_script_field field)
{
    return field_names[field];
}

/* Takes the next word as one of the `allowed` fields (bits). */
bool hf_script_take_field(struct hf_script_parser *parser, uint64_t allowed,
                          enum hf_script_field *field)
{
    const char *word = hf_script_peek(parser);
    if (strcmp(word, "failed") == 0) /* of a chain: reads better */
        word = field_names[HF_SCRIPT_ENTRY];
    for (uint32_t i = 0; i < HF_SCRIPT_FIELDS; i++) {
        if ((allowed & (UINT64_C(1) << i)) != 0 && strcmp(word, field_names[i]) == 0) {
            *field = (enum hf_script_field)i;
            parser->at++;
            return true;
        }
    }
    return hf_script_wrong(parser, "'%s' cannot be asked or said here", word);
}

/* An account's name, or the word for none of them. */
static bool take_account(struct hf_script_parser *parser, const char *none,
                         struct hf_script_value *value)
{
    const struct hf_script_name *name;
    if (hf_script_accept(parser, none))
        return true;
    if (!hf_script_known(parser, HF_SCRIPT_KIND_ACCOUNT, field_names[value->field], &name))
        return false;
    value->id = name->id;
    return true;
}

static bool take_number(struct hf_script_parser *parser, const char *what, uint64_t *number)
{
    const char *word;
    if (!hf_script_next(parser, what, &word))
        return false;
    return hf_script_read_number(word, UINT64_MAX, number) ||
           hf_script_wrong(parser, "%s '%s' is not a number", what, word);
}

static bool take_plain_code(struct hf_script_parser *parser, uint64_t *bits)
{
    struct hf_script_code code;
    int rule;
    if (!hf_script_take_code(parser, &code, &rule))
        return false;
    if (code.iso[0] != '\0' || rule >= 0)
        return hf_script_wrong(parser, "code wants a code's plain name");
    *bits = code.number;
    return true;
}

bool hf_script_take_permille(struct hf_script_parser *parser, uint64_t *bits)
{
    const char *word;
    uint16_t permille;
    if (!hf_script_next(parser, "tolerance", &word))
        return false;
    if (!hf_script_read_permille(word, &permille))
        return hf_script_wrong(parser, "tolerance '%s' is not like 15%% or 2.5%%", word);
    *bits = permille;
    return true;
}

static bool take_rule(struct hf_script_parser *parser, uint64_t *bits)
{
    const char *word;
    if (!hf_script_next(parser, "rule", &word))
        return false;
    return hf_script_read_rule(word, bits) ||
           hf_script_wrong(parser, "'%s' is not a rule's name", word);
}

static bool take_yes_or_no(struct hf_script_parser *parser, const char *what, uint64_t *bits)
{
    *bits = hf_script_accept(parser, "yes");
    return *bits == 1 || hf_script_accept(parser, "no") ||
           hf_script_wrong(parser, "%s is `yes` or `no`, not '%s'", what, hf_script_peek(parser));
}

/* Whether something ends at all: when is not looked at. */
static bool take_whether(struct hf_script_parser *parser, uint64_t *bits)
{
    *bits = 0;
    if (hf_script_accept(parser, "never"))
        return true;
    *bits = 1;
    return hf_script_accept(parser, "set") ||
           hf_script_wrong(parser, "expires is `never` or `set`, not '%s'", hf_script_peek(parser));
}

static bool is_limit(uint8_t subject)
{
    return subject == HF_QUERY_INSTRUMENT_LIMITS || subject == HF_QUERY_ACCOUNT_LIMITS;
}

/* The value of a field of a record or an answer; `subject` tells which statuses and units there
 * are. */
bool hf_script_take_value(struct hf_script_parser *parser, uint8_t subject,
                          struct hf_script_value *value)
{
    const char *what = field_names[value->field];
    switch (value->field) {
    case HF_SCRIPT_FLOOR:
        return hf_script_take_balance(parser, what, (uint64_t)HF_FLOOR_NONE, &value->bits);
    case HF_SCRIPT_AVAILABLE:
    case HF_SCRIPT_POSTED:
    case HF_SCRIPT_CEILING:
    case HF_SCRIPT_CREDITS:
        return hf_script_take_balance(parser, what, (uint64_t)INT64_MAX, &value->bits);
    case HF_SCRIPT_LIMIT:
        return hf_script_take_amount_or(parser, what, "none", HF_INSTRUMENT_UNLIMITED,
                                        &value->bits);
    case HF_SCRIPT_COUNT:
    case HF_SCRIPT_MOST:
        return hf_script_take_count(parser, what, &value->bits);
    case HF_SCRIPT_REMAINING:
        return subject == HF_QUERY_INSTRUMENT ? hf_script_take_count(parser, what, &value->bits)
                                              : read_amount(parser, what, &value->bits);
    case HF_SCRIPT_STATUS:
        return hf_script_take_status(parser, subject, &value->bits);
    case HF_SCRIPT_CODE:
        return take_plain_code(parser, &value->bits);
    case HF_SCRIPT_EXCEPTION: /* OK is none */
        return hf_script_accept(parser, "none") || take_plain_code(parser, &value->bits);
    case HF_SCRIPT_RULE:
        return take_rule(parser, &value->bits);
    case HF_SCRIPT_FORCED:
    case HF_SCRIPT_ESTIMATED:
    case HF_SCRIPT_UNDONE:
    case HF_SCRIPT_COUNTED:
    case HF_SCRIPT_DREW:
        return take_yes_or_no(parser, what, &value->bits);
    case HF_SCRIPT_TOLERANCE:
        return hf_script_take_permille(parser, &value->bits);
    case HF_SCRIPT_EXPIRES:
        return take_whether(parser, &value->bits);
    case HF_SCRIPT_AMOUNT: /* of a limit there may be none */
        return is_limit(subject) ? hf_script_take_amount_or(parser, what, "none",
                                                            HF_LIMIT_UNLIMITED, &value->bits)
                                 : read_amount(parser, what, &value->bits);
    case HF_SCRIPT_PARENT:
    case HF_SCRIPT_SINK:
    case HF_SCRIPT_ACCOUNT:
        return take_account(parser, "none", value);
    case HF_SCRIPT_PAYER:
    case HF_SCRIPT_PAYEE:
        return take_account(parser, subject == HF_QUERY_AUTHORISATION ? "none" : "open", value);
    case HF_SCRIPT_ENTRY:
    case HF_SCRIPT_HOLDS:
    case HF_SCRIPT_PAYERS:
    case HF_SCRIPT_CONDITIONS:
    case HF_SCRIPT_REQUIRED:
    case HF_SCRIPT_MET:
    case HF_SCRIPT_CLASS:
    case HF_SCRIPT_ACCOUNTS:
    case HF_SCRIPT_ACQUIRER:
    case HF_SCRIPT_MCC:
    case HF_SCRIPT_COUNTRY:
    case HF_SCRIPT_CHANNEL:
        return take_number(parser, what, &value->bits);
    default:
        return read_amount(parser, what, &value->bits);
    }
}

bool hf_script_take_span(struct hf_script_parser *parser, const char *what,
                         struct hf_script_span *span)
{
    const char *word;
    if (!hf_script_next(parser, what, &word))
        return false;
    if (!hf_script_read_span(word, span))
        return hf_script_wrong(parser, "%s '%s' is not a time such as +5s or -2h", what, word);
    return true;
}

bool hf_script_ended(struct hf_script_parser *parser)
{
    if (parser->at < parser->word_count)
        return hf_script_wrong(parser, "'%s' does not belong here", hf_script_peek(parser));
    return true;
}

bool hf_script_take_expiry(struct hf_script_parser *parser, size_t offset, bool *is_never)
{
    struct hf_script_span span;
    *is_never = hf_script_accept(parser, "never");
    if (*is_never)
        return true;
    if (!hf_script_take_span(parser, "expires", &span))
        return false;
    struct hf_script_patch *patch = hf_script_add_patch(parser, HF_SCRIPT_PATCH_TIME, offset);
    if (patch != NULL)
        patch->ms = span.ms;
    return patch != NULL;
}

bool hf_script_take_text(struct hf_script_parser *parser, const char *what, void *bytes,
                         size_t size)
{
    const char *word;
    if (!hf_script_next(parser, what, &word))
        return false;
    if (strlen(word) > size)
        return hf_script_wrong(parser, "%s '%s' is longer than %zu", what, word, size);
    memcpy(bytes, word, strlen(word));
    return true;
}

bool hf_script_take_numbers(struct hf_script_parser *parser, const char *what, uint64_t limit,
                            uint64_t numbers[], uint32_t most, uint32_t *count)
{
    const char *word;
    if (!hf_script_next(parser, what, &word))
        return false;
    *count = 0;
    for (const char *at = word; at != NULL;) {
        char digits[24] = "";
        const char *comma = strchr(at, ',');
        size_t length = comma != NULL ? (size_t)(comma - at) : strlen(at);
        if (*count == most)
            return hf_script_wrong(parser, "more than %u in %s", most, what);
        if (length < sizeof digits)
            memcpy(digits, at, length);
        if (!hf_script_read_number(digits, limit, &numbers[*count]))
            return hf_script_wrong(parser, "%s '%s' is not N or N,N with each at most %llu", what,
                                   word, (unsigned long long)limit);
        ++*count;
        at = comma != NULL ? comma + 1 : NULL;
    }
    return true;
}

static int take_attribute_number(struct hf_script_parser *parser, const char *what, uint64_t limit,
                                 uint64_t *number)
{
    uint32_t count;
    return hf_script_take_numbers(parser, what, limit, number, 1, &count) ? 1 : -1;
}

int hf_script_take_attribute(struct hf_script_parser *parser, struct hf_script_attributes *found)
{
    uint64_t number = 0;
    int taken = 0;
    if (hf_script_accept(parser, "mcc")) {
        taken = take_attribute_number(parser, "mcc", UINT16_MAX, &number);
        found->mcc = (uint16_t)number;
    } else if (hf_script_accept(parser, "country")) {
        taken = take_attribute_number(parser, "country", UINT16_MAX, &number);
        found->country = (uint16_t)number;
    } else if (hf_script_accept(parser, "channel")) {
        taken = take_attribute_number(parser, "channel", UINT8_MAX, &number);
        found->channel = (uint8_t)number;
    } else if (hf_script_accept(parser, "merchant")) {
        memset(found->merchant, 0, sizeof found->merchant);
        taken = hf_script_take_text(parser, "merchant", found->merchant, sizeof found->merchant)
                    ? 1
                    : -1;
    }
    return taken;
}

/* ---- the operation being made ---- */

union hf_operation *hf_script_make_operation(struct hf_script_parser *parser, uint8_t type,
                                             size_t length)
{
    struct hf_script_statement *statement = parser->statement;
    union hf_operation *op = statement->operation;
    if (length > HF_OPERATION_LENGTH_MAX) {
        hf_script_wrong(parser, "%zu bytes are longer than an operation can be", length);
        return NULL;
    }
    if (length > sizeof *op) {
        op = realloc(op, length);
        if (op == NULL) {
            hf_script_wrong(parser, "no memory");
            return NULL;
        }
        statement->operation = op;
    }
    memset(op, 0, length);
    op->header.length = (uint16_t)length;
    op->header.type = type;
    return op;
}

struct hf_script_patch *hf_script_add_patch(struct hf_script_parser *parser,
                                            enum hf_script_patch_kind kind, size_t offset)
{
    struct hf_script_statement *statement = parser->statement;
    if (statement->patch_count == HF_SCRIPT_PATCHES_MAX) {
        hf_script_wrong(parser, "more than %d times in one line", HF_SCRIPT_PATCHES_MAX);
        return NULL;
    }
    struct hf_script_patch *patch = &statement->patches[statement->patch_count++];
    patch->kind = kind;
    patch->offset = (uint16_t)offset;
    patch->statement = HF_SCRIPT_NONE;
    return patch;
}

bool hf_script_name_operation(struct hf_script_parser *parser, const char *word, uint16_t asset)
{
    struct hf_script_name *old = hf_script_find_name(parser, HF_SCRIPT_KIND_OPERATION, word);
    if (old != NULL && old->is_later) { /* it gets the id that it has already */
        parser->statement->id_of = old->statement;
        old->is_later = false;
        old->asset = asset;
        old->scale = parser->statement->scale;
        old->statement = (uint32_t)(parser->statement - parser->script->statements);
        return true;
    }
    if (old != NULL && old->statement != HF_SCRIPT_NONE)
        return hf_script_wrong(parser, "'%s' is the operation of line %u already", word,
                               parser->script->statements[old->statement].line);
    if (old != NULL)
        return hf_script_wrong(parser, "'%s' has been called unknown above", word);
    struct hf_script_name *name = hf_script_add_name(parser, HF_SCRIPT_KIND_OPERATION, word);
    if (name == NULL)
        return false;
    name->asset = asset;
    name->scale = parser->statement->scale;
    name->statement = (uint32_t)(parser->statement - parser->script->statements);
    return true;
}

bool hf_script_expects_ok(const struct hf_script_statement *statement)
{
    const struct hf_script_code *code = &statement->expected.code;
    return code->iso[0] == '\0' &&
           (code->number == HF_CODE_OK || code->number == HF_CODE_OK_PARTIAL);
}
