/* The parser of scenario scripts. One function a statement; each reads its words in order, then the
 * options that any operation may have, then what is expected. */
#include "script.h"

#include "script_word.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { KIND_ASSET = 's', KIND_ACCOUNT = 'a', KIND_CARD = 'c', KIND_OPERATION = 'o' };

struct name {
    char text[HF_SCRIPT_NAME_SIZE];
    enum kind kind;
    struct hf_id id;
    uint16_t asset; /* 0: not known */
    uint8_t scale;
    uint32_t statement; /* of an operation; HF_SCRIPT_NONE: nobody's */
};

struct parser {
    const char *file;
    struct hf_script *script;
    struct hf_fault *fault;
    uint64_t salt;
    struct name *names;
    uint32_t name_count, name_room;
    uint32_t statement_room, account_room;
    uint32_t line;
    char *words[HF_SCRIPT_WORDS_MAX];
    uint32_t word_count;
    uint32_t at; /* the next word */
    struct hf_script_statement *statement;
    uint32_t previous; /* the newest operation, for repeat and again */
};

/* ---- faults, words, names ---- */

__attribute__((format(printf, 2, 3))) static bool wrong(struct parser *parser, const char *format,
                                                        ...)
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

static const char *peek(const struct parser *parser)
{
    return parser->at < parser->word_count ? parser->words[parser->at] : "";
}

/* Takes the next word if it is this one. */
static bool accept(struct parser *parser, const char *word)
{
    if (strcmp(peek(parser), word) != 0)
        return false;
    parser->at++;
    return true;
}

static bool next(struct parser *parser, const char *what, const char **word)
{
    *word = peek(parser);
    if ((*word)[0] == '\0' || strcmp(*word, "->") == 0)
        return wrong(parser, "%s is missing", what);
    parser->at++;
    return true;
}

static struct name *find_name(const struct parser *parser, enum kind kind, const char *text)
{
    for (uint32_t i = 0; i < parser->name_count; i++) {
        if (parser->names[i].kind == kind && strcmp(parser->names[i].text, text) == 0)
            return &parser->names[i];
    }
    return NULL;
}

/* Makes room for one more; arrays double. */
static bool make_room(void **items, uint32_t count, uint32_t *room, size_t size)
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

static struct name *add_name(struct parser *parser, enum kind kind, const char *text)
{
    if (!hf_script_is_name(text)) {
        wrong(parser, "'%s' cannot be a name: a letter, then letters, digits, - _ .", text);
        return NULL;
    }
    void *names = parser->names;
    if (!make_room(&names, parser->name_count, &parser->name_room, sizeof *parser->names)) {
        wrong(parser, "no memory");
        return NULL;
    }
    parser->names = names;
    struct name *name = &parser->names[parser->name_count++];
    memset(name, 0, sizeof *name);
    memcpy(name->text, text, strlen(text) + 1);
    name->kind = kind;
    name->id = hf_script_id((char)kind, text, parser->salt);
    name->statement = HF_SCRIPT_NONE;
    return name;
}

static const char *kind_word(enum kind kind)
{
    switch (kind) {
    case KIND_ASSET:
        return "asset";
    case KIND_ACCOUNT:
        return "account";
    case KIND_CARD:
        return "card";
    default:
        return "operation";
    }
}

/* The next word, as a name that is known. */
static bool known(struct parser *parser, enum kind kind, const char *what, const struct name **name)
{
    const char *word;
    if (!next(parser, what, &word))
        return false;
    *name = find_name(parser, kind, word);
    if (*name == NULL)
        return wrong(parser,
                     "no %s '%s' above this line (`unknown %s` names one that is not there)",
                     kind_word(kind), word, word);
    return true;
}

/* ---- values ---- */

/* An asset by code or number. A number need not have been registered. */
static bool read_asset(struct parser *parser, const char *word, uint16_t *asset, uint8_t *scale)
{
    uint64_t number;
    for (uint32_t i = 0; i < parser->name_count; i++) {
        const struct name *name = &parser->names[i];
        bool same = name->kind == KIND_ASSET &&
                    (strcmp(name->text, word) == 0 ||
                     (hf_script_read_number(word, UINT16_MAX, &number) && number == name->asset));
        if (same) {
            *asset = name->asset;
            *scale = name->scale;
            return true;
        }
    }
    if (!hf_script_read_number(word, UINT16_MAX, &number))
        return wrong(parser, "no asset '%s' above this line", word);
    *asset = (uint16_t)number;
    *scale = 0;
    return true;
}

static bool read_amount(struct parser *parser, const char *what, uint64_t *amount)
{
    const char *word;
    if (!next(parser, what, &word))
        return false;
    if (!hf_script_read_amount(word, parser->statement->scale, amount))
        return wrong(parser, "%s '%s' is not an amount with at most %u decimals", what, word,
                     parser->statement->scale);
    return true;
}

/* An amount, or a word that stands for a special one. */
static bool read_amount_or(struct parser *parser, const char *what, const char *special,
                           uint64_t value, uint64_t *amount)
{
    if (accept(parser, special)) {
        *amount = value;
        return true;
    }
    return read_amount(parser, what, amount);
}

static bool read_balance(struct parser *parser, const char *what, uint64_t none, uint64_t *bits)
{
    const char *word;
    if (accept(parser, "none")) {
        *bits = none;
        return true;
    }
    if (!next(parser, what, &word))
        return false;
    if (!hf_script_read_balance(word, parser->statement->scale, bits))
        return wrong(parser, "%s '%s' is not a balance with at most %u decimals", what, word,
                     parser->statement->scale);
    return true;
}

static bool read_count(struct parser *parser, const char *what, uint64_t *count)
{
    const char *word;
    if (accept(parser, "unlimited")) {
        *count = HF_INSTRUMENT_UNLIMITED;
        return true;
    }
    if (!next(parser, what, &word))
        return false;
    if (!hf_script_read_number(word, UINT64_MAX, count))
        return wrong(parser, "%s '%s' is not a number", what, word);
    return true;
}

/* A status by name, as the subject's kind has them. */
static bool read_status(struct parser *parser, const char *const names[], size_t count,
                        uint64_t *status)
{
    const char *word;
    if (!next(parser, "status", &word))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(word, names[i]) == 0) {
            *status = i;
            return true;
        }
    }
    return wrong(parser, "'%s' is not a status here", word);
}

static const char *const account_statuses[] = {"open", "frozen", "closed"};
static const char *const card_statuses[] = {"inactive", "active", "frozen", "closed"};
static const char *const hold_statuses[] = {"open", "resolved"};

static bool read_code(struct parser *parser, struct hf_script_code *code, int *rule)
{
    const char *word;
    if (!next(parser, "the expected code", &word))
        return false;
    if (!hf_script_read_code(word, code, rule))
        return wrong(parser, "'%s' is neither a code, CODE/RULE, nor a response code", word);
    return true;
}

static const char *const field_names[HF_SCRIPT_FIELDS] = {
    [HF_SCRIPT_APPROVED] = "approved",   [HF_SCRIPT_AVAILABLE] = "available",
    [HF_SCRIPT_POSTED] = "posted",       [HF_SCRIPT_HELD] = "held",
    [HF_SCRIPT_INCOMING] = "incoming",   [HF_SCRIPT_DEBITS] = "debits",
    [HF_SCRIPT_FLOOR] = "floor",         [HF_SCRIPT_STATUS] = "status",
    [HF_SCRIPT_REMAINING] = "remaining", [HF_SCRIPT_LIMIT] = "limit",
    [HF_SCRIPT_AMOUNT] = "amount",       [HF_SCRIPT_CAPTURED] = "captured",
    [HF_SCRIPT_CODE] = "code",           [HF_SCRIPT_PAYER] = "payer",
    [HF_SCRIPT_PAYEE] = "payee",         [HF_SCRIPT_ASSET] = "asset",
    [HF_SCRIPT_COUNT] = "count",
};

const char *hf_script_field_name(enum hf_script_field field)
{
    return field_names[field];
}

#define FIELD(name) (1u << HF_SCRIPT_##name)

/* Takes the next word as one of the `allowed` fields (bits). */
static bool read_field(struct parser *parser, uint32_t allowed, enum hf_script_field *field)
{
    const char *word = peek(parser);
    for (uint32_t i = 0; i < HF_SCRIPT_FIELDS; i++) {
        if ((allowed & (1u << i)) != 0 && strcmp(word, field_names[i]) == 0) {
            *field = (enum hf_script_field)i;
            parser->at++;
            return true;
        }
    }
    return wrong(parser, "'%s' cannot be asked or said here", word);
}

/* The value of a field of a record or an answer; `subject` tells which statuses and units there
 * are. */
static bool read_value(struct parser *parser, uint8_t subject, struct hf_script_value *value)
{
    struct hf_script_code code;
    int rule;
    switch (value->field) {
    case HF_SCRIPT_FLOOR:
        return read_balance(parser, "floor", (uint64_t)HF_FLOOR_NONE, &value->bits);
    case HF_SCRIPT_AVAILABLE:
    case HF_SCRIPT_POSTED:
        return read_balance(parser, field_names[value->field], (uint64_t)INT64_MAX, &value->bits);
    case HF_SCRIPT_LIMIT:
        return read_amount_or(parser, "limit", "none", HF_INSTRUMENT_UNLIMITED, &value->bits);
    case HF_SCRIPT_COUNT:
        return read_count(parser, "count", &value->bits);
    case HF_SCRIPT_REMAINING:
        return subject == HF_QUERY_INSTRUMENT ? read_count(parser, "remaining", &value->bits)
                                              : read_amount(parser, "remaining", &value->bits);
    case HF_SCRIPT_STATUS:
        if (subject == HF_QUERY_INSTRUMENT)
            return read_status(parser, card_statuses, 4, &value->bits);
        if (subject == HF_QUERY_HOLD)
            return read_status(parser, hold_statuses, 2, &value->bits);
        return read_status(parser, account_statuses, 3, &value->bits);
    case HF_SCRIPT_CODE:
        if (!read_code(parser, &code, &rule))
            return false;
        if (code.iso[0] != '\0' || rule >= 0)
            return wrong(parser, "code wants a code's plain name");
        value->bits = code.number;
        return true;
    default:
        return read_amount(parser, field_names[value->field], &value->bits);
    }
}

/* Pairs of field and value up to the end or an arrow. */
static bool read_values(struct parser *parser, uint32_t allowed, uint8_t subject)
{
    struct hf_script_expectation *expected = &parser->statement->expected;
    while (parser->at < parser->word_count && strcmp(peek(parser), "->") != 0) {
        struct hf_script_value value = {0};
        if (expected->value_count == HF_SCRIPT_VALUES_MAX)
            return wrong(parser, "more than %d values", HF_SCRIPT_VALUES_MAX);
        if (!read_field(parser, allowed, &value.field) || !read_value(parser, subject, &value))
            return false;
        expected->values[expected->value_count++] = value;
    }
    return true;
}

/* ---- what any operation may have behind it ---- */

/* "-> CODE [approved A] [available A] [posted A]" */
static bool read_expected(struct parser *parser)
{
    struct hf_script_statement *statement = parser->statement;
    if (!accept(parser, "->"))
        return true;
    if (!read_code(parser, &statement->expected.code, &statement->expected.rule) ||
        !read_values(parser, FIELD(APPROVED) | FIELD(AVAILABLE) | FIELD(POSTED), 0))
        return false;
    for (uint32_t i = 0; i < statement->expected.value_count; i++) {
        if (statement->expected.values[i].field != HF_SCRIPT_APPROVED)
            statement->operation.header.flags |= HF_OP_RETURN_BALANCES;
    }
    return true;
}

static bool read_span(struct parser *parser, const char *what, struct hf_script_span *span)
{
    const char *word;
    if (!next(parser, what, &word))
        return false;
    if (!hf_script_read_span(word, span))
        return wrong(parser, "%s '%s' is not a time such as +5s or -2h", what, word);
    return true;
}

/* Gives the statement's operation a name. */
static bool name_operation(struct parser *parser, const char *word, uint16_t asset)
{
    const struct name *old = find_name(parser, KIND_OPERATION, word);
    if (old != NULL && old->statement != HF_SCRIPT_NONE)
        return wrong(parser, "'%s' is the operation of line %u already", word,
                     parser->script->statements[old->statement].line);
    if (old != NULL)
        return wrong(parser, "'%s' has been called unknown above", word);
    struct name *name = add_name(parser, KIND_OPERATION, word);
    if (name == NULL)
        return false;
    name->asset = asset;
    name->scale = parser->statement->scale;
    name->statement = (uint32_t)(parser->statement - parser->script->statements);
    return true;
}

/* Options of any operation, then what is expected of it; then the line must end. */
static bool finish_operation(struct parser *parser)
{
    struct hf_script_statement *statement = parser->statement;
    const char *word;
    for (;;) {
        if (accept(parser, "dry-run")) {
            statement->operation.header.flags |= HF_OP_DRY_RUN;
        } else if (accept(parser, "balances")) {
            statement->operation.header.flags |= HF_OP_RETURN_BALANCES;
        } else if (accept(parser, "deadline")) {
            if (!read_span(parser, "deadline", &statement->deadline))
                return false;
        } else if (accept(parser, "id-time")) {
            if (!read_span(parser, "id-time", &statement->id_time))
                return false;
        } else if (accept(parser, "as")) {
            if (!next(parser, "a name", &word) || !name_operation(parser, word, 0))
                return false;
        } else {
            break;
        }
    }
    if (!read_expected(parser))
        return false;
    if (parser->at < parser->word_count)
        return wrong(parser, "'%s' does not belong here", peek(parser));
    parser->previous = (uint32_t)(statement - parser->script->statements);
    return true;
}

static bool expects_ok(const struct hf_script_statement *statement)
{
    return statement->expected.code.number == HF_CODE_OK && statement->expected.code.iso[0] == '\0';
}

/* ---- statements ---- */

static const struct hf_id no_id = {0, 0};

/* asset NUMBER CODE SCALE */
static bool parse_asset(struct parser *parser)
{
    const char *word;
    const char *code;
    uint64_t number;
    uint64_t scale;
    if (!next(parser, "the asset's number", &word))
        return false;
    if (!hf_script_read_number(word, UINT16_MAX, &number))
        return wrong(parser, "'%s' is not an asset's number", word);
    if (!next(parser, "the asset's code", &code))
        return false;
    if (strlen(code) > sizeof parser->statement->operation.asset_put.code)
        return wrong(parser, "'%s' is longer than 8", code);
    if (!next(parser, "the asset's scale", &word))
        return false;
    if (!hf_script_read_number(word, UINT8_MAX, &scale))
        return wrong(parser, "'%s' is not a scale", word);
    hf_make_asset_put(&parser->statement->operation, no_id, (uint16_t)number, code, (uint8_t)scale);
    if (!finish_operation(parser))
        return false;
    /* The first declaration that is to be accepted is what the code means below. */
    if (expects_ok(parser->statement) && find_name(parser, KIND_ASSET, code) == NULL) {
        struct name *name = add_name(parser, KIND_ASSET, code);
        if (name == NULL)
            return false;
        name->asset = (uint16_t)number;
        name->scale = (uint8_t)scale;
    }
    return true;
}

/* The account's name, new or known; it becomes one that `balanced` looks at. */
static bool declare_account(struct parser *parser, struct name **name)
{
    const char *word;
    if (!next(parser, "the account's name", &word))
        return false;
    *name = find_name(parser, KIND_ACCOUNT, word);
    if (*name != NULL)
        return true;
    *name = add_name(parser, KIND_ACCOUNT, word);
    return *name != NULL;
}

static bool remember_account(struct parser *parser, const struct name *name)
{
    struct hf_script *script = parser->script;
    void *accounts = script->accounts;
    for (uint32_t i = 0; i < script->account_count; i++) {
        if (hf_id_equal(script->accounts[i].id, name->id))
            return true;
    }
    if (!make_room(&accounts, script->account_count, &parser->account_room,
                   sizeof *script->accounts))
        return wrong(parser, "no memory");
    script->accounts = accounts;
    script->accounts[script->account_count].id = name->id;
    script->accounts[script->account_count++].asset = name->asset;
    return true;
}

/* account NAME [asset A] [floor B|none] [status S] */
static bool parse_account(struct parser *parser)
{
    struct name *name;
    const char *word;
    uint64_t floor_bits = 0;
    uint64_t status = HF_ACCOUNT_OPEN;
    if (!declare_account(parser, &name))
        return false;
    uint16_t asset = name->asset;
    uint8_t scale = name->scale;
    if (accept(parser, "asset")) {
        if (!next(parser, "asset", &word) || !read_asset(parser, word, &asset, &scale))
            return false;
    } else if (asset == 0) {
        return wrong(parser, "the asset of '%s' is missing", name->text);
    }
    parser->statement->scale = scale;
    for (;;) {
        if (accept(parser, "floor")) {
            if (!read_balance(parser, "floor", (uint64_t)HF_FLOOR_NONE, &floor_bits))
                return false;
        } else if (accept(parser, "status")) {
            if (!read_status(parser, account_statuses, 3, &status))
                return false;
        } else {
            break;
        }
    }
    if (name->asset == 0) {
        name->asset = asset;
        name->scale = scale;
    }
    hf_make_account_put(&parser->statement->operation, no_id, name->id, asset, (int64_t)floor_bits,
                        (uint8_t)status);
    struct name kept = *name; /* finish may add names and so move the table */
    if (!finish_operation(parser))
        return false;
    return !expects_ok(parser->statement) || remember_account(parser, &kept);
}

/* PAYER PAYEE AMOUNT [ASSET]; the payer is an account, or a card that stands for one. */
static bool parse_value(struct parser *parser, const struct name *payer, const struct name **payee,
                        uint64_t *amount, uint16_t *asset)
{
    const char *word;
    if (!known(parser, KIND_ACCOUNT, "payee", payee))
        return false;
    *asset = payer->asset != 0 ? payer->asset : (*payee)->asset;
    parser->statement->scale = payer->asset != 0 ? payer->scale : (*payee)->scale;
    uint32_t amount_at = parser->at;
    if (!next(parser, "amount", &word))
        return false;
    word = peek(parser);
    bool is_asset = word[0] != '\0' && strcmp(word, "->") != 0 &&
                    (hf_script_read_number(word, UINT16_MAX, &(uint64_t){0}) ||
                     find_name(parser, KIND_ASSET, word) != NULL);
    if (is_asset && !read_asset(parser, word, asset, &parser->statement->scale))
        return false;
    if (*asset == 0)
        return wrong(parser, "the asset is missing");
    parser->at = amount_at;
    if (!read_amount_or(parser, "amount", "max", HF_AMOUNT_MAX, amount))
        return false;
    parser->at += is_asset ? 1 : 0;
    return true;
}

/* move PAYER PAYEE AMOUNT [ASSET] */
static bool parse_move(struct parser *parser)
{
    const struct name *payer;
    const struct name *payee;
    uint64_t amount;
    uint16_t asset;
    if (!known(parser, KIND_ACCOUNT, "payer", &payer) ||
        !parse_value(parser, payer, &payee, &amount, &asset))
        return false;
    hf_make_move(&parser->statement->operation, no_id, payer->id, payee->id, amount, asset);
    return finish_operation(parser);
}

/* hold NAME PAYER PAYEE AMOUNT [ASSET] */
static bool parse_hold(struct parser *parser)
{
    const char *own_name;
    const struct name *payer;
    const struct name *payee;
    uint64_t amount;
    uint16_t asset;
    if (!next(parser, "the hold's name", &own_name) ||
        !known(parser, KIND_ACCOUNT, "payer", &payer) ||
        !parse_value(parser, payer, &payee, &amount, &asset))
        return false;
    hf_make_hold(&parser->statement->operation, no_id, payer->id, payee->id, amount, asset);
    return name_operation(parser, own_name, asset) && finish_operation(parser);
}

/* auth NAME CARD PAYEE AMOUNT [ASSET] */
static bool parse_auth(struct parser *parser)
{
    const char *own_name;
    const struct name *card;
    const struct name *payee;
    uint64_t amount;
    uint16_t asset;
    if (!next(parser, "the authorisation's name", &own_name) ||
        !known(parser, KIND_CARD, "card", &card) ||
        !parse_value(parser, card, &payee, &amount, &asset))
        return false;
    hf_make_auth(&parser->statement->operation, no_id, card->id, payee->id, amount, asset);
    return name_operation(parser, own_name, asset) && finish_operation(parser);
}

/* HOLD AMOUNT|all */
static bool parse_hold_and_amount(struct parser *parser, const struct name **hold, uint64_t *amount)
{
    if (!known(parser, KIND_OPERATION, "hold", hold))
        return false;
    parser->statement->scale = (*hold)->scale;
    parser->statement->reference = (*hold)->statement;
    return read_amount_or(parser, "amount", "all", HF_AMOUNT_ALL, amount);
}

/* capture HOLD AMOUNT|all [final] */
static bool parse_capture(struct parser *parser)
{
    const struct name *hold;
    uint64_t amount;
    if (!parse_hold_and_amount(parser, &hold, &amount))
        return false;
    bool final = accept(parser, "final");
    hf_make_capture(&parser->statement->operation, no_id, hold->id, amount, final);
    return finish_operation(parser);
}

/* release HOLD AMOUNT|all */
static bool parse_release(struct parser *parser)
{
    const struct name *hold;
    uint64_t amount;
    if (!parse_hold_and_amount(parser, &hold, &amount))
        return false;
    hf_make_release(&parser->statement->operation, no_id, hold->id, amount);
    return finish_operation(parser);
}

struct card_settings {
    uint64_t status, count, limit;
    uint8_t flags;
};

static bool parse_card_settings(struct parser *parser, struct card_settings *settings)
{
    for (;;) {
        if (accept(parser, "status")) {
            if (!read_status(parser, card_statuses, 4, &settings->status))
                return false;
        } else if (accept(parser, "count")) {
            if (!read_count(parser, "count", &settings->count))
                return false;
        } else if (accept(parser, "limit")) {
            if (!read_amount_or(parser, "limit", "none", HF_INSTRUMENT_UNLIMITED, &settings->limit))
                return false;
        } else if (accept(parser, "expires")) {
            if (!accept(parser, "never") &&
                !read_span(parser, "expires", &parser->statement->expires))
                return false;
        } else if (accept(parser, "first-use")) {
            settings->flags |= HF_INSTRUMENT_FIRST_USE;
        } else {
            return true;
        }
    }
}

/* card NAME ACCOUNT [status S] [count N|unlimited] [limit A|none] [expires SPAN|never] [first-use]
 */
static bool parse_card(struct parser *parser)
{
    const char *word;
    const struct name *account;
    struct card_settings settings = {
        .status = HF_INSTRUMENT_ACTIVE,
        .count = HF_INSTRUMENT_UNLIMITED,
        .limit = HF_INSTRUMENT_UNLIMITED,
    };
    if (!next(parser, "the card's name", &word) ||
        !known(parser, KIND_ACCOUNT, "account", &account))
        return false;
    struct name *card = find_name(parser, KIND_CARD, word);
    struct name owner = *account; /* adding a name may move the table */
    if (card == NULL)
        card = add_name(parser, KIND_CARD, word);
    if (card == NULL)
        return false;
    if (owner.asset != 0) {
        card->asset = owner.asset;
        card->scale = owner.scale;
    }
    parser->statement->scale = card->scale;
    if (!parse_card_settings(parser, &settings))
        return false;
    union hf_operation *op = &parser->statement->operation;
    hf_make_instrument_put(op, no_id, card->id, owner.id, (uint8_t)settings.status, settings.count,
                           settings.limit);
    op->instrument_put.flags = settings.flags;
    return finish_operation(parser);
}

/* The scale of the script's first asset: amounts about what is not there are in its units. */
static uint8_t first_scale(const struct parser *parser)
{
    for (uint32_t i = 0; i < parser->name_count; i++) {
        if (parser->names[i].kind == KIND_ASSET)
            return parser->names[i].scale;
    }
    return 0;
}

/* unknown NAME: something that is not there, whatever it would be. */
static bool parse_unknown(struct parser *parser)
{
    static const enum kind kinds[] = {KIND_ACCOUNT, KIND_CARD, KIND_OPERATION};
    const char *word;
    uint8_t scale = first_scale(parser);
    if (!next(parser, "a name", &word))
        return false;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (find_name(parser, kinds[i], word) != NULL)
            return wrong(parser, "'%s' is a known %s", word, kind_word(kinds[i]));
        struct name *name = add_name(parser, kinds[i], word);
        if (name == NULL)
            return false;
        name->scale = scale;
    }
    parser->script->statement_count--; /* nothing to play */
    if (parser->at < parser->word_count)
        return wrong(parser, "'%s' does not belong here", peek(parser));
    return true;
}

/* The operation that repeat and again are about: named, or the one before. */
static bool parse_reference(struct parser *parser, const char *until)
{
    const struct name *name;
    parser->statement->reference = parser->previous;
    if (parser->at < parser->word_count && strcmp(peek(parser), until) != 0) {
        if (!known(parser, KIND_OPERATION, "operation", &name))
            return false;
        parser->statement->reference = name->statement;
    }
    if (parser->statement->reference == HF_SCRIPT_NONE)
        return wrong(parser, "there is no operation to send again");
    const struct hf_script_statement *first =
        &parser->script->statements[parser->statement->reference];
    parser->statement->scale = first->scale;
    return true;
}

/* repeat [NAME] */
static bool parse_repeat(struct parser *parser)
{
    parser->statement->verb = HF_SCRIPT_REPEAT;
    if (!parse_reference(parser, ""))
        return false;
    if (parser->at < parser->word_count)
        return wrong(parser, "'%s' does not belong here: a repeat gets the first answer",
                     peek(parser));
    return true;
}

/* What `again` may change, by type of the first operation. */
static uint32_t changeable(uint8_t type)
{
    switch (type) {
    case HF_OP_ACCOUNT_PUT:
        return FIELD(FLOOR) | FIELD(STATUS) | FIELD(ASSET);
    case HF_OP_MOVE:
    case HF_OP_HOLD:
        return FIELD(AMOUNT) | FIELD(PAYER) | FIELD(PAYEE) | FIELD(ASSET);
    case HF_OP_AUTH:
        return FIELD(AMOUNT) | FIELD(PAYEE) | FIELD(ASSET);
    case HF_OP_CAPTURE:
    case HF_OP_RELEASE:
        return FIELD(AMOUNT);
    case HF_OP_INSTRUMENT_PUT:
        return FIELD(STATUS) | FIELD(COUNT) | FIELD(LIMIT);
    default:
        return 0;
    }
}

static bool parse_change(struct parser *parser, uint8_t type, struct hf_script_value *change)
{
    const struct name *name;
    const char *word;
    uint16_t asset;
    uint8_t scale;
    if (!read_field(parser, changeable(type), &change->field))
        return false;
    switch (change->field) {
    case HF_SCRIPT_PAYER:
    case HF_SCRIPT_PAYEE:
        if (!known(parser, KIND_ACCOUNT, field_names[change->field], &name))
            return false;
        change->id = name->id;
        return true;
    case HF_SCRIPT_ASSET:
        if (!next(parser, "asset", &word) || !read_asset(parser, word, &asset, &scale))
            return false;
        change->bits = asset;
        return true;
    default:
        return read_value(parser, type == HF_OP_INSTRUMENT_PUT ? HF_QUERY_INSTRUMENT : 0, change);
    }
}

/* again [NAME] with FIELD VALUE [with FIELD VALUE...] */
static bool parse_again(struct parser *parser)
{
    struct hf_script_statement *statement = parser->statement;
    statement->verb = HF_SCRIPT_AGAIN;
    statement->expected.code.number = HF_CODE_DUPLICATE_DIFFERENT;
    if (!parse_reference(parser, "with"))
        return false;
    uint8_t type = parser->script->statements[statement->reference].operation.header.type;
    while (accept(parser, "with")) {
        if (statement->change_count == HF_SCRIPT_VALUES_MAX)
            return wrong(parser, "more than %d changes", HF_SCRIPT_VALUES_MAX);
        if (!parse_change(parser, type, &statement->changes[statement->change_count++]))
            return false;
    }
    if (statement->change_count == 0)
        return wrong(parser, "with what? (`repeat` sends it unchanged)");
    if (!read_expected(parser))
        return false;
    if (parser->at < parser->word_count)
        return wrong(parser, "'%s' does not belong here", peek(parser));
    return true;
}

struct subject {
    const char *word;
    uint8_t query; /* enum hf_query_subject */
    enum kind kind;
    uint16_t unknown; /* the code when it is not there */
    uint32_t fields;
};

static const struct subject subjects[] = {
    {"account", HF_QUERY_ACCOUNT, KIND_ACCOUNT, HF_CODE_UNKNOWN_ACCOUNT,
     FIELD(POSTED) | FIELD(AVAILABLE) | FIELD(HELD) | FIELD(INCOMING) | FIELD(DEBITS) |
         FIELD(FLOOR) | FIELD(STATUS)},
    {"card", HF_QUERY_INSTRUMENT, KIND_CARD, HF_CODE_UNKNOWN_INSTRUMENT,
     FIELD(STATUS) | FIELD(REMAINING) | FIELD(LIMIT)},
    {"hold", HF_QUERY_HOLD, KIND_OPERATION, HF_CODE_UNKNOWN_HOLD,
     FIELD(AMOUNT) | FIELD(REMAINING) | FIELD(CAPTURED) | FIELD(STATUS)},
    {"operation", HF_QUERY_OPERATION, KIND_OPERATION, HF_CODE_UNKNOWN_OPERATION,
     FIELD(CODE) | FIELD(APPROVED) | FIELD(POSTED) | FIELD(AVAILABLE)},
};

/* expect [account|card|hold|operation] NAME FIELD VALUE...  |  ... unknown */
static bool parse_expect(struct parser *parser)
{
    struct hf_script_statement *statement = parser->statement;
    const struct subject *subject = &subjects[0];
    const struct name *name;
    statement->verb = HF_SCRIPT_EXPECT;
    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
        if (strcmp(peek(parser), subjects[i].word) == 0 && parser->at + 1 < parser->word_count) {
            subject = &subjects[i];
            parser->at++;
            break;
        }
    }
    if (!known(parser, subject->kind, "what is expected of", &name))
        return false;
    statement->scale = name->scale;
    statement->reference = name->statement;
    hf_make_query(&statement->operation, no_id, subject->query, name->id);
    if (accept(parser, "unknown")) {
        statement->expected.code.number = subject->unknown;
        if (parser->at < parser->word_count)
            return wrong(parser, "'%s' does not belong here", peek(parser));
        return true;
    }
    if (parser->at == parser->word_count)
        return wrong(parser, "nothing is expected of '%s'", name->text);
    if (!read_values(parser, subject->fields, subject->query))
        return false;
    if (parser->at < parser->word_count)
        return wrong(parser, "'%s' does not belong here", peek(parser));
    return true;
}

/* balanced ASSET */
static bool parse_balanced(struct parser *parser)
{
    const char *word;
    parser->statement->verb = HF_SCRIPT_BALANCED;
    if (!next(parser, "asset", &word) ||
        !read_asset(parser, word, &parser->statement->asset, &parser->statement->scale))
        return false;
    if (parser->at < parser->word_count)
        return wrong(parser, "'%s' does not belong here", peek(parser));
    return true;
}

static bool parse_bare(struct parser *parser, enum hf_script_verb verb)
{
    parser->statement->verb = verb;
    if (parser->at < parser->word_count)
        return wrong(parser, "'%s' does not belong here", peek(parser));
    return true;
}

static bool parse_restart(struct parser *parser)
{
    return parse_bare(parser, HF_SCRIPT_RESTART);
}

static bool parse_stop_start(struct parser *parser)
{
    return parse_bare(parser, HF_SCRIPT_STOP_START);
}

/* admin WORDS...: the rest of the line as it is. */
static bool parse_admin(struct parser *parser)
{
    const char *word;
    parser->statement->verb = HF_SCRIPT_ADMIN;
    if (!next(parser, "a command", &word))
        return false;
    parser->statement->command = parser->statement->text + strlen("admin");
    parser->at = parser->word_count;
    return true;
}

static const struct {
    const char *word;
    bool (*parse)(struct parser *parser);
} statements[] = {
    {"asset", parse_asset},       {"account", parse_account}, {"move", parse_move},
    {"hold", parse_hold},         {"capture", parse_capture}, {"release", parse_release},
    {"card", parse_card},         {"auth", parse_auth},       {"unknown", parse_unknown},
    {"repeat", parse_repeat},     {"again", parse_again},     {"expect", parse_expect},
    {"balanced", parse_balanced}, {"restart", parse_restart}, {"stop-start", parse_stop_start},
    {"admin", parse_admin},
};

/* ---- lines ---- */

static bool parse_words(struct parser *parser, const char *text)
{
    struct hf_script *script = parser->script;
    void *items = script->statements;
    if (!make_room(&items, script->statement_count, &parser->statement_room,
                   sizeof *script->statements))
        return wrong(parser, "no memory");
    script->statements = items;
    parser->statement = &script->statements[script->statement_count++];
    memset(parser->statement, 0, sizeof *parser->statement);
    parser->statement->line = parser->line;
    parser->statement->text = text;
    parser->statement->verb = HF_SCRIPT_OPERATION;
    parser->statement->reference = HF_SCRIPT_NONE;
    parser->statement->expected.rule = -1;
    parser->at = 1;
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        if (strcmp(parser->words[0], statements[i].word) == 0)
            return statements[i].parse(parser);
    }
    return wrong(parser, "'%s' begins no statement", parser->words[0]);
}

/* A line's text without the blanks around it and without its comment. */
static char *trim(char *line)
{
    line += strspn(line, " \t\r");
    for (char *at = line; *at != '\0'; at++) {
        if (*at == '#' && (at == line || at[-1] == ' ' || at[-1] == '\t'))
            *at = '\0';
        if (*at == '\0')
            break;
    }
    size_t length = strlen(line);
    while (length > 0 && strchr(" \t\r", line[length - 1]) != NULL)
        line[--length] = '\0';
    return line;
}

static bool parse_line(struct parser *parser, char *line)
{
    char *text = trim(line);
    char *copy = strdup(text);
    if (copy == NULL)
        return wrong(parser, "no memory");
    parser->word_count = hf_script_split(copy, parser->words);
    bool good = true;
    if (parser->word_count > HF_SCRIPT_WORDS_MAX)
        good = wrong(parser, "more than %d words", HF_SCRIPT_WORDS_MAX);
    else if (parser->word_count > 0)
        good = parse_words(parser, text);
    free(copy);
    return good;
}

enum hf_status hf_script_parse(const char *file, const char *text, uint64_t salt,
                               struct hf_script *script, struct hf_fault *fault)
{
    memset(script, 0, sizeof *script);
    fault->line[0] = '\0';
    script->text = strdup(text);
    if (script->text == NULL) {
        snprintf(fault->line, sizeof fault->line, "no memory");
        return HF_STATUS_NO_MEMORY;
    }
    struct parser parser = {
        .file = file,
        .script = script,
        .fault = fault,
        .salt = salt,
        .previous = HF_SCRIPT_NONE,
    };
    bool good = true;
    for (char *line = script->text; good && line != NULL;) {
        char *end = strchr(line, '\n');
        if (end != NULL)
            *end = '\0';
        parser.line++;
        good = parse_line(&parser, line);
        line = end != NULL ? end + 1 : NULL;
    }
    free(parser.names);
    return good ? HF_STATUS_OK : HF_STATUS_INVALID;
}

void hf_script_free(struct hf_script *script)
{
    free(script->statements);
    free(script->accounts);
    free(script->text);
    memset(script, 0, sizeof *script);
}
