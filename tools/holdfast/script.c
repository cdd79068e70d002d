/* The statements of scenario scripts: one function each. It reads its words in order, then the
 * options that any operation may have, then what is expected. */
#include "script.h"

#include "script_parser.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Pairs of field and value up to the end or an arrow. */
static bool read_values(struct hf_script_parser *parser, uint32_t allowed, uint8_t subject)
{
    struct hf_script_expectation *expected = &parser->statement->expected;
    while (parser->at < parser->word_count && strcmp(hf_script_peek(parser), "->") != 0) {
        struct hf_script_value value = {0};
        if (expected->value_count == HF_SCRIPT_VALUES_MAX)
            return hf_script_wrong(parser, "more than %d values", HF_SCRIPT_VALUES_MAX);
        if (!hf_script_take_field(parser, allowed, &value.field) ||
            !hf_script_take_value(parser, subject, &value))
            return false;
        expected->values[expected->value_count++] = value;
    }
    return true;
}

/* ---- what any operation may have behind it ---- */

/* "-> CODE [approved A] [available A] [posted A]" */
static bool read_expected(struct hf_script_parser *parser)
{
    struct hf_script_statement *statement = parser->statement;
    if (!hf_script_accept(parser, "->"))
        return true;
    if (!hf_script_take_code(parser, &statement->expected.code, &statement->expected.rule) ||
        !read_values(
            parser,
            HF_SCRIPT_FIELD(APPROVED) | HF_SCRIPT_FIELD(AVAILABLE) | HF_SCRIPT_FIELD(POSTED), 0))
        return false;
    for (uint32_t i = 0; i < statement->expected.value_count; i++) {
        if (statement->expected.values[i].field != HF_SCRIPT_APPROVED)
            statement->operation.header.flags |= HF_OP_RETURN_BALANCES;
    }
    return true;
}

/* Gives the statement's operation a name. */
static bool name_operation(struct hf_script_parser *parser, const char *word, uint16_t asset)
{
    const struct hf_script_name *old = hf_script_find_name(parser, HF_SCRIPT_KIND_OPERATION, word);
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

/* Options of any operation, then what is expected of it; then the line must end. */
static bool finish_operation(struct hf_script_parser *parser)
{
    struct hf_script_statement *statement = parser->statement;
    const char *word;
    for (;;) {
        if (hf_script_accept(parser, "dry-run")) {
            statement->operation.header.flags |= HF_OP_DRY_RUN;
        } else if (hf_script_accept(parser, "balances")) {
            statement->operation.header.flags |= HF_OP_RETURN_BALANCES;
        } else if (hf_script_accept(parser, "deadline")) {
            if (!hf_script_take_span(parser, "deadline", &statement->deadline))
                return false;
        } else if (hf_script_accept(parser, "id-time")) {
            if (!hf_script_take_span(parser, "id-time", &statement->id_time))
                return false;
        } else if (hf_script_accept(parser, "as")) {
            if (!hf_script_next(parser, "a name", &word) || !name_operation(parser, word, 0))
                return false;
        } else {
            break;
        }
    }
    if (!read_expected(parser))
        return false;
    if (!hf_script_ended(parser))
        return false;
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
static bool parse_asset(struct hf_script_parser *parser)
{
    const char *word;
    const char *code;
    uint64_t number;
    uint64_t scale;
    if (!hf_script_next(parser, "the asset's number", &word))
        return false;
    if (!hf_script_read_number(word, UINT16_MAX, &number))
        return hf_script_wrong(parser, "'%s' is not an asset's number", word);
    if (!hf_script_next(parser, "the asset's code", &code))
        return false;
    if (strlen(code) > sizeof parser->statement->operation.asset_put.code)
        return hf_script_wrong(parser, "'%s' is longer than 8", code);
    if (!hf_script_next(parser, "the asset's scale", &word))
        return false;
    if (!hf_script_read_number(word, UINT8_MAX, &scale))
        return hf_script_wrong(parser, "'%s' is not a scale", word);
    hf_make_asset_put(&parser->statement->operation, no_id, (uint16_t)number, code, (uint8_t)scale);
    if (!finish_operation(parser))
        return false;
    /* The first declaration that is to be accepted is what the code means below. */
    if (expects_ok(parser->statement) &&
        hf_script_find_name(parser, HF_SCRIPT_KIND_ASSET, code) == NULL) {
        struct hf_script_name *name = hf_script_add_name(parser, HF_SCRIPT_KIND_ASSET, code);
        if (name == NULL)
            return false;
        name->asset = (uint16_t)number;
        name->scale = (uint8_t)scale;
    }
    return true;
}

/* The account's name, new or known; it becomes one that `balanced` looks at. */
static bool declare_account(struct hf_script_parser *parser, struct hf_script_name **name)
{
    const char *word;
    if (!hf_script_next(parser, "the account's name", &word))
        return false;
    *name = hf_script_find_name(parser, HF_SCRIPT_KIND_ACCOUNT, word);
    if (*name != NULL)
        return true;
    *name = hf_script_add_name(parser, HF_SCRIPT_KIND_ACCOUNT, word);
    return *name != NULL;
}

static bool remember_account(struct hf_script_parser *parser, const struct hf_script_name *name)
{
    struct hf_script *script = parser->script;
    void *accounts = script->accounts;
    for (uint32_t i = 0; i < script->account_count; i++) {
        if (hf_id_equal(script->accounts[i].id, name->id))
            return true;
    }
    if (!hf_script_make_room(&accounts, script->account_count, &parser->account_room,
                             sizeof *script->accounts))
        return hf_script_wrong(parser, "no memory");
    script->accounts = accounts;
    script->accounts[script->account_count].id = name->id;
    script->accounts[script->account_count++].asset = name->asset;
    return true;
}

/* account NAME [asset A] [floor B|none] [status S] */
static bool parse_account(struct hf_script_parser *parser)
{
    struct hf_script_name *name;
    const char *word;
    uint64_t floor_bits = 0;
    uint64_t status = HF_ACCOUNT_OPEN;
    if (!declare_account(parser, &name))
        return false;
    uint16_t asset = name->asset;
    uint8_t scale = name->scale;
    if (hf_script_accept(parser, "asset")) {
        if (!hf_script_next(parser, "asset", &word) ||
            !hf_script_take_asset(parser, word, &asset, &scale))
            return false;
    } else if (asset == 0) {
        return hf_script_wrong(parser, "the asset of '%s' is missing", name->text);
    }
    parser->statement->scale = scale;
    for (;;) {
        if (hf_script_accept(parser, "floor")) {
            if (!hf_script_take_balance(parser, "floor", (uint64_t)HF_FLOOR_NONE, &floor_bits))
                return false;
        } else if (hf_script_accept(parser, "status")) {
            if (!hf_script_take_status(parser, HF_QUERY_ACCOUNT, &status))
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
    struct hf_script_name kept = *name; /* finish may add names and so move the table */
    if (!finish_operation(parser))
        return false;
    return !expects_ok(parser->statement) || remember_account(parser, &kept);
}

/* PAYER PAYEE AMOUNT [ASSET]; the payer is an account, or a card that stands for one. */
static bool parse_value(struct hf_script_parser *parser, const struct hf_script_name *payer,
                        const struct hf_script_name **payee, uint64_t *amount, uint16_t *asset)
{
    const char *word;
    if (!hf_script_known(parser, HF_SCRIPT_KIND_ACCOUNT, "payee", payee))
        return false;
    *asset = payer->asset != 0 ? payer->asset : (*payee)->asset;
    parser->statement->scale = payer->asset != 0 ? payer->scale : (*payee)->scale;
    uint32_t amount_at = parser->at;
    if (!hf_script_next(parser, "amount", &word))
        return false;
    word = hf_script_peek(parser);
    bool is_asset = word[0] != '\0' && strcmp(word, "->") != 0 &&
                    (hf_script_read_number(word, UINT16_MAX, &(uint64_t){0}) ||
                     hf_script_find_name(parser, HF_SCRIPT_KIND_ASSET, word) != NULL);
    if (is_asset && !hf_script_take_asset(parser, word, asset, &parser->statement->scale))
        return false;
    if (*asset == 0)
        return hf_script_wrong(parser, "the asset is missing");
    parser->at = amount_at;
    if (!hf_script_take_amount_or(parser, "amount", "max", HF_AMOUNT_MAX, amount))
        return false;
    parser->at += is_asset ? 1 : 0;
    return true;
}

/* move PAYER PAYEE AMOUNT [ASSET] */
static bool parse_move(struct hf_script_parser *parser)
{
    const struct hf_script_name *payer;
    const struct hf_script_name *payee;
    uint64_t amount;
    uint16_t asset;
    if (!hf_script_known(parser, HF_SCRIPT_KIND_ACCOUNT, "payer", &payer) ||
        !parse_value(parser, payer, &payee, &amount, &asset))
        return false;
    hf_make_move(&parser->statement->operation, no_id, payer->id, payee->id, amount, asset);
    return finish_operation(parser);
}

/* hold NAME PAYER PAYEE AMOUNT [ASSET] */
static bool parse_hold(struct hf_script_parser *parser)
{
    const char *own_name;
    const struct hf_script_name *payer;
    const struct hf_script_name *payee;
    uint64_t amount;
    uint16_t asset;
    if (!hf_script_next(parser, "the hold's name", &own_name) ||
        !hf_script_known(parser, HF_SCRIPT_KIND_ACCOUNT, "payer", &payer) ||
        !parse_value(parser, payer, &payee, &amount, &asset))
        return false;
    hf_make_hold(&parser->statement->operation, no_id, payer->id, payee->id, amount, asset);
    return name_operation(parser, own_name, asset) && finish_operation(parser);
}

/* auth NAME CARD PAYEE AMOUNT [ASSET] */
static bool parse_auth(struct hf_script_parser *parser)
{
    const char *own_name;
    const struct hf_script_name *card;
    const struct hf_script_name *payee;
    uint64_t amount;
    uint16_t asset;
    if (!hf_script_next(parser, "the authorisation's name", &own_name) ||
        !hf_script_known(parser, HF_SCRIPT_KIND_CARD, "card", &card) ||
        !parse_value(parser, card, &payee, &amount, &asset))
        return false;
    hf_make_auth(&parser->statement->operation, no_id, card->id, payee->id, amount, asset);
    return name_operation(parser, own_name, asset) && finish_operation(parser);
}

/* HOLD AMOUNT|all */
static bool parse_hold_and_amount(struct hf_script_parser *parser,
                                  const struct hf_script_name **hold, uint64_t *amount)
{
    if (!hf_script_known(parser, HF_SCRIPT_KIND_OPERATION, "hold", hold))
        return false;
    parser->statement->scale = (*hold)->scale;
    parser->statement->reference = (*hold)->statement;
    return hf_script_take_amount_or(parser, "amount", "all", HF_AMOUNT_ALL, amount);
}

/* capture HOLD AMOUNT|all [final] */
static bool parse_capture(struct hf_script_parser *parser)
{
    const struct hf_script_name *hold;
    uint64_t amount;
    if (!parse_hold_and_amount(parser, &hold, &amount))
        return false;
    bool final = hf_script_accept(parser, "final");
    hf_make_capture(&parser->statement->operation, no_id, hold->id, amount, final);
    return finish_operation(parser);
}

/* release HOLD AMOUNT|all */
static bool parse_release(struct hf_script_parser *parser)
{
    const struct hf_script_name *hold;
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

static bool parse_card_settings(struct hf_script_parser *parser, struct card_settings *settings)
{
    for (;;) {
        if (hf_script_accept(parser, "status")) {
            if (!hf_script_take_status(parser, HF_QUERY_INSTRUMENT, &settings->status))
                return false;
        } else if (hf_script_accept(parser, "count")) {
            if (!hf_script_take_count(parser, "count", &settings->count))
                return false;
        } else if (hf_script_accept(parser, "limit")) {
            if (!hf_script_take_amount_or(parser, "limit", "none", HF_INSTRUMENT_UNLIMITED,
                                          &settings->limit))
                return false;
        } else if (hf_script_accept(parser, "expires")) {
            if (!hf_script_accept(parser, "never") &&
                !hf_script_take_span(parser, "expires", &parser->statement->expires))
                return false;
        } else if (hf_script_accept(parser, "first-use")) {
            settings->flags |= HF_INSTRUMENT_FIRST_USE;
        } else {
            return true;
        }
    }
}

/* card NAME ACCOUNT [status S] [count N|unlimited] [limit A|none] [expires SPAN|never] [first-use]
 */
static bool parse_card(struct hf_script_parser *parser)
{
    const char *word;
    const struct hf_script_name *account;
    struct card_settings settings = {
        .status = HF_INSTRUMENT_ACTIVE,
        .count = HF_INSTRUMENT_UNLIMITED,
        .limit = HF_INSTRUMENT_UNLIMITED,
    };
    if (!hf_script_next(parser, "the card's name", &word) ||
        !hf_script_known(parser, HF_SCRIPT_KIND_ACCOUNT, "account", &account))
        return false;
    struct hf_script_name *card = hf_script_find_name(parser, HF_SCRIPT_KIND_CARD, word);
    struct hf_script_name owner = *account; /* adding a name may move the table */
    if (card == NULL)
        card = hf_script_add_name(parser, HF_SCRIPT_KIND_CARD, word);
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
static uint8_t first_scale(const struct hf_script_parser *parser)
{
    for (uint32_t i = 0; i < parser->name_count; i++) {
        if (parser->names[i].kind == HF_SCRIPT_KIND_ASSET)
            return parser->names[i].scale;
    }
    return 0;
}

/* unknown NAME: something that is not there, whatever it would be. */
static bool parse_unknown(struct hf_script_parser *parser)
{
    static const enum hf_script_kind kinds[] = {HF_SCRIPT_KIND_ACCOUNT, HF_SCRIPT_KIND_CARD,
                                                HF_SCRIPT_KIND_OPERATION};
    const char *word;
    uint8_t scale = first_scale(parser);
    if (!hf_script_next(parser, "a name", &word))
        return false;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (hf_script_find_name(parser, kinds[i], word) != NULL)
            return hf_script_wrong(parser, "'%s' is a known %s", word,
                                   hf_script_kind_word(kinds[i]));
        struct hf_script_name *name = hf_script_add_name(parser, kinds[i], word);
        if (name == NULL)
            return false;
        name->scale = scale;
    }
    parser->script->statement_count--; /* nothing to play */
    return hf_script_ended(parser);
}

/* The operation that repeat and again are about: named, or the one before. */
static bool parse_reference(struct hf_script_parser *parser, const char *until)
{
    const struct hf_script_name *name;
    parser->statement->reference = parser->previous;
    if (parser->at < parser->word_count && strcmp(hf_script_peek(parser), until) != 0) {
        if (!hf_script_known(parser, HF_SCRIPT_KIND_OPERATION, "operation", &name))
            return false;
        parser->statement->reference = name->statement;
    }
    if (parser->statement->reference == HF_SCRIPT_NONE)
        return hf_script_wrong(parser, "there is no operation to send again");
    const struct hf_script_statement *first =
        &parser->script->statements[parser->statement->reference];
    parser->statement->scale = first->scale;
    return true;
}

/* repeat [NAME] */
static bool parse_repeat(struct hf_script_parser *parser)
{
    parser->statement->verb = HF_SCRIPT_REPEAT;
    if (!parse_reference(parser, "->"))
        return false;
    if (parser->at < parser->word_count)
        return hf_script_wrong(parser, "'%s' does not belong here: a repeat gets the first answer",
                               hf_script_peek(parser));
    return true;
}

/* What `again` may change, by type of the first operation. */
static uint32_t changeable(uint8_t type)
{
    switch (type) {
    case HF_OP_ACCOUNT_PUT:
        return HF_SCRIPT_FIELD(FLOOR) | HF_SCRIPT_FIELD(STATUS) | HF_SCRIPT_FIELD(ASSET);
    case HF_OP_MOVE:
    case HF_OP_HOLD:
        return HF_SCRIPT_FIELD(AMOUNT) | HF_SCRIPT_FIELD(PAYER) | HF_SCRIPT_FIELD(PAYEE) |
               HF_SCRIPT_FIELD(ASSET);
    case HF_OP_AUTH:
        return HF_SCRIPT_FIELD(AMOUNT) | HF_SCRIPT_FIELD(PAYEE) | HF_SCRIPT_FIELD(ASSET);
    case HF_OP_CAPTURE:
    case HF_OP_RELEASE:
        return HF_SCRIPT_FIELD(AMOUNT);
    case HF_OP_INSTRUMENT_PUT:
        return HF_SCRIPT_FIELD(STATUS) | HF_SCRIPT_FIELD(COUNT) | HF_SCRIPT_FIELD(LIMIT);
    default:
        return 0;
    }
}

static bool parse_change(struct hf_script_parser *parser, uint8_t type,
                         struct hf_script_value *change)
{
    const struct hf_script_name *name;
    const char *word;
    uint16_t asset;
    uint8_t scale;
    if (!hf_script_take_field(parser, changeable(type), &change->field))
        return false;
    switch (change->field) {
    case HF_SCRIPT_PAYER:
    case HF_SCRIPT_PAYEE:
        if (!hf_script_known(parser, HF_SCRIPT_KIND_ACCOUNT, hf_script_field_name(change->field),
                             &name))
            return false;
        change->id = name->id;
        return true;
    case HF_SCRIPT_ASSET:
        if (!hf_script_next(parser, "asset", &word) ||
            !hf_script_take_asset(parser, word, &asset, &scale))
            return false;
        change->bits = asset;
        return true;
    default:
        return hf_script_take_value(parser, type == HF_OP_INSTRUMENT_PUT ? HF_QUERY_INSTRUMENT : 0,
                                    change);
    }
}

/* again [NAME] with FIELD VALUE [with FIELD VALUE...] */
static bool parse_again(struct hf_script_parser *parser)
{
    struct hf_script_statement *statement = parser->statement;
    statement->verb = HF_SCRIPT_AGAIN;
    statement->expected.code.number = HF_CODE_DUPLICATE_DIFFERENT;
    if (!parse_reference(parser, "with"))
        return false;
    uint8_t type = parser->script->statements[statement->reference].operation.header.type;
    while (hf_script_accept(parser, "with")) {
        if (statement->change_count == HF_SCRIPT_VALUES_MAX)
            return hf_script_wrong(parser, "more than %d changes", HF_SCRIPT_VALUES_MAX);
        if (!parse_change(parser, type, &statement->changes[statement->change_count++]))
            return false;
    }
    if (statement->change_count == 0)
        return hf_script_wrong(parser, "with what? (`repeat` sends it unchanged)");
    if (!read_expected(parser))
        return false;
    return hf_script_ended(parser);
}

struct subject {
    const char *word;
    uint8_t query; /* enum hf_query_subject */
    enum hf_script_kind kind;
    uint16_t unknown; /* the code when it is not there */
    uint32_t fields;
};

static const struct subject subjects[] = {
    {"account", HF_QUERY_ACCOUNT, HF_SCRIPT_KIND_ACCOUNT, HF_CODE_UNKNOWN_ACCOUNT,
     HF_SCRIPT_FIELD(POSTED) | HF_SCRIPT_FIELD(AVAILABLE) | HF_SCRIPT_FIELD(HELD) |
         HF_SCRIPT_FIELD(INCOMING) | HF_SCRIPT_FIELD(DEBITS) | HF_SCRIPT_FIELD(FLOOR) |
         HF_SCRIPT_FIELD(STATUS)},
    {"card", HF_QUERY_INSTRUMENT, HF_SCRIPT_KIND_CARD, HF_CODE_UNKNOWN_INSTRUMENT,
     HF_SCRIPT_FIELD(STATUS) | HF_SCRIPT_FIELD(REMAINING) | HF_SCRIPT_FIELD(LIMIT)},
    {"hold", HF_QUERY_HOLD, HF_SCRIPT_KIND_OPERATION, HF_CODE_UNKNOWN_HOLD,
     HF_SCRIPT_FIELD(AMOUNT) | HF_SCRIPT_FIELD(REMAINING) | HF_SCRIPT_FIELD(CAPTURED) |
         HF_SCRIPT_FIELD(STATUS)},
    {"operation", HF_QUERY_OPERATION, HF_SCRIPT_KIND_OPERATION, HF_CODE_UNKNOWN_OPERATION,
     HF_SCRIPT_FIELD(CODE) | HF_SCRIPT_FIELD(APPROVED) | HF_SCRIPT_FIELD(POSTED) |
         HF_SCRIPT_FIELD(AVAILABLE)},
};

/* expect [account|card|hold|operation] NAME FIELD VALUE...  |  ... unknown */
static bool parse_expect(struct hf_script_parser *parser)
{
    struct hf_script_statement *statement = parser->statement;
    const struct subject *subject = &subjects[0];
    const struct hf_script_name *name;
    statement->verb = HF_SCRIPT_EXPECT;
    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
        if (strcmp(hf_script_peek(parser), subjects[i].word) == 0 &&
            parser->at + 1 < parser->word_count) {
            subject = &subjects[i];
            parser->at++;
            break;
        }
    }
    if (!hf_script_known(parser, subject->kind, "what is expected of", &name))
        return false;
    statement->scale = name->scale;
    statement->reference = name->statement;
    hf_make_query(&statement->operation, no_id, subject->query, name->id);
    if (hf_script_accept(parser, "unknown")) {
        statement->expected.code.number = subject->unknown;
        return hf_script_ended(parser);
    }
    if (parser->at == parser->word_count)
        return hf_script_wrong(parser, "nothing is expected of '%s'", name->text);
    if (!read_values(parser, subject->fields, subject->query))
        return false;
    return hf_script_ended(parser);
}

/* balanced ASSET */
static bool parse_balanced(struct hf_script_parser *parser)
{
    const char *word;
    parser->statement->verb = HF_SCRIPT_BALANCED;
    if (!hf_script_next(parser, "asset", &word) ||
        !hf_script_take_asset(parser, word, &parser->statement->asset, &parser->statement->scale))
        return false;
    return hf_script_ended(parser);
}

static bool parse_bare(struct hf_script_parser *parser, enum hf_script_verb verb)
{
    parser->statement->verb = verb;
    return hf_script_ended(parser);
}

static bool parse_restart(struct hf_script_parser *parser)
{
    return parse_bare(parser, HF_SCRIPT_RESTART);
}

static bool parse_stop_start(struct hf_script_parser *parser)
{
    return parse_bare(parser, HF_SCRIPT_STOP_START);
}

/* admin WORDS...: the rest of the line as it is. */
static bool parse_admin(struct hf_script_parser *parser)
{
    const char *word;
    parser->statement->verb = HF_SCRIPT_ADMIN;
    if (!hf_script_next(parser, "a command", &word))
        return false;
    parser->statement->command = parser->statement->text + strlen("admin");
    parser->at = parser->word_count;
    return true;
}

static const struct {
    const char *word;
    bool (*parse)(struct hf_script_parser *parser);
} statements[] = {
    {"asset", parse_asset},       {"account", parse_account}, {"move", parse_move},
    {"hold", parse_hold},         {"capture", parse_capture}, {"release", parse_release},
    {"card", parse_card},         {"auth", parse_auth},       {"unknown", parse_unknown},
    {"repeat", parse_repeat},     {"again", parse_again},     {"expect", parse_expect},
    {"balanced", parse_balanced}, {"restart", parse_restart}, {"stop-start", parse_stop_start},
    {"admin", parse_admin},
};

/* ---- lines ---- */

static bool parse_words(struct hf_script_parser *parser, const char *text)
{
    struct hf_script *script = parser->script;
    void *items = script->statements;
    if (!hf_script_make_room(&items, script->statement_count, &parser->statement_room,
                             sizeof *script->statements))
        return hf_script_wrong(parser, "no memory");
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
    return hf_script_wrong(parser, "'%s' begins no statement", parser->words[0]);
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

static bool parse_line(struct hf_script_parser *parser, char *line)
{
    char *text = trim(line);
    char *copy = strdup(text);
    if (copy == NULL)
        return hf_script_wrong(parser, "no memory");
    parser->word_count = hf_script_split(copy, parser->words);
    bool good = true;
    if (parser->word_count > HF_SCRIPT_WORDS_MAX)
        good = hf_script_wrong(parser, "more than %d words", HF_SCRIPT_WORDS_MAX);
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
    struct hf_script_parser parser = {
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
