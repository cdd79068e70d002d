/* The statements of scenario scripts: one function each. It reads its words in order, then the
 * options that any operation may have, then what is expected. */
#include "script.h"

#include "script_statements.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Pairs of field and value up to the end or an arrow. */
static bool read_values(struct hf_script_parser *parser, uint64_t allowed, uint8_t subject)
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
        !read_values(parser,
                     HF_SCRIPT_FIELD(APPROVED) | HF_SCRIPT_FIELD(AVAILABLE) |
                         HF_SCRIPT_FIELD(POSTED) | HF_SCRIPT_FIELD(ENTRY),
                     0))
        return false;
    for (uint32_t i = 0; i < statement->expected.value_count; i++) {
        enum hf_script_field field = statement->expected.values[i].field;
        if (field == HF_SCRIPT_AVAILABLE || field == HF_SCRIPT_POSTED)
            statement->operation->header.flags |= HF_OP_RETURN_BALANCES;
    }
    return true;
}

/* An operation inside a chain has no options and no answer of its own. */
static bool finish_inner(struct hf_script_parser *parser)
{
    if (strcmp(hf_script_peek(parser), "->") == 0)
        return hf_script_wrong(parser, "a chain is answered as one, at its `end`");
    parser->statement->verb = HF_SCRIPT_INNER;
    return hf_script_ended(parser);
}

bool hf_script_finish_operation(struct hf_script_parser *parser)
{
    struct hf_script_statement *statement = parser->statement;
    const char *word;
    if (parser->chain != HF_SCRIPT_NONE)
        return finish_inner(parser);
    for (;;) {
        if (hf_script_accept(parser, "dry-run")) {
            statement->operation->header.flags |= HF_OP_DRY_RUN;
        } else if (hf_script_accept(parser, "balances")) {
            statement->operation->header.flags |= HF_OP_RETURN_BALANCES;
        } else if (hf_script_accept(parser, "deadline")) {
            if (!hf_script_take_span(parser, "deadline", &statement->deadline))
                return false;
        } else if (hf_script_accept(parser, "id-time")) {
            if (!hf_script_take_span(parser, "id-time", &statement->id_time))
                return false;
        } else if (hf_script_accept(parser, "as")) {
            if (!hf_script_next(parser, "a name", &word) ||
                !hf_script_name_operation(parser, word, statement->asset))
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

/* ---- statements ---- */

static const struct hf_id no_id = {0, 0};

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
    if (first->verb == HF_SCRIPT_LATER)
        return hf_script_wrong(parser, "what line %u introduces has not been sent yet",
                               first->line);
    if (first->verb == HF_SCRIPT_INNER)
        return hf_script_wrong(parser, "line %u is part of a chain: only the chain can be sent",
                               first->line);
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
static uint64_t changeable(uint8_t type)
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
    case HF_OP_INCREMENT:
    case HF_OP_REVERSE:
    case HF_OP_CLEAR:
    case HF_OP_ADJUST:
    case HF_OP_MOVE_PLAN:
    case HF_OP_HOLD_PLAN:
        return HF_SCRIPT_FIELD(AMOUNT);
    case HF_OP_LIMIT_PUT:
        return HF_SCRIPT_FIELD(AMOUNT) | HF_SCRIPT_FIELD(COUNT);
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
    uint8_t type = parser->script->statements[statement->reference].operation->header.type;
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
    uint64_t fields;
};

static const struct subject subjects[] = {
    {"account", HF_QUERY_ACCOUNT, HF_SCRIPT_KIND_ACCOUNT, HF_CODE_UNKNOWN_ACCOUNT,
     HF_SCRIPT_FIELD(POSTED) | HF_SCRIPT_FIELD(AVAILABLE) | HF_SCRIPT_FIELD(HELD) |
         HF_SCRIPT_FIELD(INCOMING) | HF_SCRIPT_FIELD(DEBITS) | HF_SCRIPT_FIELD(FLOOR) |
         HF_SCRIPT_FIELD(STATUS) | HF_SCRIPT_FIELD(CREDITS) | HF_SCRIPT_FIELD(CEILING) |
         HF_SCRIPT_FIELD(PARENT) | HF_SCRIPT_FIELD(SINK) | HF_SCRIPT_FIELD(EXPIRES) |
         HF_SCRIPT_FIELD(HOLDS)},
    {"card", HF_QUERY_INSTRUMENT, HF_SCRIPT_KIND_CARD, HF_CODE_UNKNOWN_INSTRUMENT,
     HF_SCRIPT_FIELD(STATUS) | HF_SCRIPT_FIELD(REMAINING) | HF_SCRIPT_FIELD(LIMIT) |
         HF_SCRIPT_FIELD(ACCOUNT) | HF_SCRIPT_FIELD(ACCOUNTS)},
    {"hold", HF_QUERY_HOLD, HF_SCRIPT_KIND_OPERATION, HF_CODE_UNKNOWN_HOLD,
     HF_SCRIPT_FIELD(AMOUNT) | HF_SCRIPT_FIELD(REMAINING) | HF_SCRIPT_FIELD(CAPTURED) |
         HF_SCRIPT_FIELD(STATUS) | HF_SCRIPT_FIELD(PAYER) | HF_SCRIPT_FIELD(PAYEE) |
         HF_SCRIPT_FIELD(EXPIRES) | HF_SCRIPT_FIELD(PAYERS) | HF_SCRIPT_FIELD(CONDITIONS) |
         HF_SCRIPT_FIELD(REQUIRED) | HF_SCRIPT_FIELD(MET) | HF_SCRIPT_FIELD(TOLERANCE) |
         HF_SCRIPT_FIELD(CLASS)},
    {"authorisation", HF_QUERY_AUTHORISATION, HF_SCRIPT_KIND_OPERATION, HF_CODE_UNKNOWN_HOLD,
     HF_SCRIPT_FIELD(STATUS) | HF_SCRIPT_FIELD(AMOUNT) | HF_SCRIPT_FIELD(REMAINING) |
         HF_SCRIPT_FIELD(CAPTURED) | HF_SCRIPT_FIELD(REVERSED) | HF_SCRIPT_FIELD(EXPIRES) |
         HF_SCRIPT_FIELD(CODE) | HF_SCRIPT_FIELD(RULE) | HF_SCRIPT_FIELD(ENTRY) |
         HF_SCRIPT_FIELD(EXCEPTION) | HF_SCRIPT_FIELD(PAYER) | HF_SCRIPT_FIELD(PAYEE) |
         HF_SCRIPT_FIELD(ACQUIRER) | HF_SCRIPT_FIELD(MCC) | HF_SCRIPT_FIELD(COUNTRY) |
         HF_SCRIPT_FIELD(CHANNEL) | HF_SCRIPT_FIELD(CLASS) | HF_SCRIPT_FIELD(FORCED) |
         HF_SCRIPT_FIELD(ESTIMATED) | HF_SCRIPT_FIELD(UNDONE) | HF_SCRIPT_FIELD(COUNTED) |
         HF_SCRIPT_FIELD(DREW)},
    {"operation", HF_QUERY_OPERATION, HF_SCRIPT_KIND_OPERATION, HF_CODE_UNKNOWN_OPERATION,
     HF_SCRIPT_FIELD(CODE) | HF_SCRIPT_FIELD(APPROVED) | HF_SCRIPT_FIELD(POSTED) |
         HF_SCRIPT_FIELD(AVAILABLE) | HF_SCRIPT_FIELD(ENTRY)},
};

/* limit NUMBER on NAME FIELD VALUE...  |  ... unknown. The first line of the page that begins
 * behind the number before is that limit's, if it is there. */
static bool parse_expect_limit(struct hf_script_parser *parser)
{
    struct hf_script_statement *statement = parser->statement;
    uint8_t number;
    uint8_t scope;
    struct hf_id scope_id;
    if (!hf_script_take_limit_name(parser, &number, &scope, &scope_id))
        return false;
    if (number == 0)
        return hf_script_wrong(parser, "limits are numbered from 1");
    uint8_t subject =
        scope == HF_LIMIT_INSTRUMENT ? HF_QUERY_INSTRUMENT_LIMITS : HF_QUERY_ACCOUNT_LIMITS;
    hf_make_query(statement->operation, no_id, subject, scope_id);
    statement->operation->query.cursor = number - 1u;
    if (hf_script_accept(parser, "unknown")) {
        statement->expected.code.number = HF_CODE_UNKNOWN_LIMIT;
        return hf_script_ended(parser);
    }
    if (parser->at == parser->word_count)
        return hf_script_wrong(parser, "nothing is expected of limit %u", number);
    return read_values(parser,
                       HF_SCRIPT_FIELD(USED) | HF_SCRIPT_FIELD(COUNT) | HF_SCRIPT_FIELD(AMOUNT) |
                           HF_SCRIPT_FIELD(MOST),
                       subject) &&
           hf_script_ended(parser);
}

/* expect [account|card|hold|operation] NAME FIELD VALUE...  |  ... unknown  |  expect limit ...  |
 * expect authorisations ... */
static bool parse_expect(struct hf_script_parser *parser)
{
    struct hf_script_statement *statement = parser->statement;
    const struct subject *subject = &subjects[0];
    const struct hf_script_name *name;
    statement->verb = HF_SCRIPT_EXPECT;
    if (parser->word_count > parser->at + 2 && hf_script_accept(parser, "limit"))
        return parse_expect_limit(parser);
    if (parser->word_count > parser->at + 2 && hf_script_accept(parser, "authorisations"))
        return hf_script_parse_expect_authorisations(parser);
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
    hf_make_query(statement->operation, no_id, subject->query, name->id);
    if (hf_script_accept(parser, "unknown")) {
        statement->expected.code.number = subject->unknown;
        return hf_script_ended(parser);
    }
    if (parser->at == parser->word_count)
        return hf_script_wrong(parser, "nothing is expected of '%s'", name->text);
    if (!read_values(parser, subject->fields, subject->query))
        return false;
    for (uint32_t i = 0; i < statement->expected.value_count; i++) {
        if (statement->expected.values[i].field == HF_SCRIPT_HOLDS)
            statement->operation->query.subject = HF_QUERY_ACCOUNT_HOLDS;
    }
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

/* advance T: the node's clock, and the script's. */
static bool parse_advance(struct hf_script_parser *parser)
{
    struct hf_script_span span;
    if (!hf_script_take_span(parser, "how far", &span))
        return false;
    if (span.ms <= 0)
        return hf_script_wrong(parser, "time only goes forward");
    parser->statement->verb = HF_SCRIPT_ADVANCE;
    parser->statement->advance_ms = span.ms;
    return hf_script_ended(parser);
}

/* chain ... end: the operations between are carried out all or none. */
static bool parse_chain(struct hf_script_parser *parser)
{
    if (parser->chain != HF_SCRIPT_NONE)
        return hf_script_wrong(parser, "a chain inside a chain");
    parser->chain = (uint32_t)(parser->statement - parser->script->statements);
    parser->chain_line = parser->line;
    parser->statement->verb = HF_SCRIPT_NOTHING;
    return hf_script_ended(parser);
}

static bool parse_end(struct hf_script_parser *parser)
{
    struct hf_script_statement *statement = parser->statement;
    size_t length = sizeof(struct hf_op_chain);
    if (parser->chain == HF_SCRIPT_NONE)
        return hf_script_wrong(parser, "there is no chain to end");
    const struct hf_script_statement *first = &parser->script->statements[parser->chain];
    for (const struct hf_script_statement *inner = first; inner < statement; inner++)
        length += inner->operation->header.length;
    if (statement == first)
        return hf_script_wrong(parser, "nothing is in the chain");
    if (statement - first > HF_CHAIN_OPERATIONS_MAX)
        return hf_script_wrong(parser, "more than %d operations in a chain",
                               HF_CHAIN_OPERATIONS_MAX);
    union hf_operation *op = hf_script_make_operation(parser, HF_OP_CHAIN, length);
    if (op == NULL)
        return false;
    statement->chain_count = (uint32_t)(statement - first);
    op->chain.count = (uint8_t)statement->chain_count;
    parser->chain = HF_SCRIPT_NONE;
    return hf_script_finish_operation(parser);
}

static const struct {
    const char *word;
    bool (*parse)(struct hf_script_parser *parser);
    bool is_operation; /* may be in a chain */
} statements[] = {
    {"asset", hf_script_parse_asset, true},
    {"account", hf_script_parse_account, true},
    {"freeze", hf_script_parse_freeze, true},
    {"unfreeze", hf_script_parse_unfreeze, true},
    {"close", hf_script_parse_close, true},
    {"move", hf_script_parse_move, true},
    {"plan", hf_script_parse_plan, true},
    {"hold", hf_script_parse_hold, true},
    {"capture", hf_script_parse_capture, true},
    {"release", hf_script_parse_release, true},
    {"adjust", hf_script_parse_adjust, true},
    {"attest", hf_script_parse_attest, true},
    {"limit", hf_script_parse_limit, true},
    {"class", hf_script_parse_class, true},
    {"card", hf_script_parse_card, true},
    {"auth", hf_script_parse_auth, true},
    {"increment", hf_script_parse_increment, true},
    {"reverse", hf_script_parse_reverse, true},
    {"clear", hf_script_parse_clear, true},
    {"later", hf_script_parse_later, false},
    {"chain", parse_chain, true},
    {"end", parse_end, true},
    {"key", hf_script_parse_key, false},
    {"unknown", hf_script_parse_unknown, false},
    {"repeat", parse_repeat, false},
    {"again", parse_again, false},
    {"expect", parse_expect, false},
    {"balanced", parse_balanced, false},
    {"advance", parse_advance, false},
    {"restart", parse_restart, false},
    {"stop-start", parse_stop_start, false},
    {"admin", parse_admin, false},
};

/* ---- lines ---- */

static bool begin_statement(struct hf_script_parser *parser, const char *text)
{
    struct hf_script *script = parser->script;
    void *items = script->statements;
    if (!hf_script_make_room(&items, script->statement_count, &parser->statement_room,
                             sizeof *script->statements))
        return hf_script_wrong(parser, "no memory");
    script->statements = items;
    struct hf_script_statement *statement = &script->statements[script->statement_count];
    memset(statement, 0, sizeof *statement);
    statement->operation = calloc(1, sizeof *statement->operation);
    if (statement->operation == NULL)
        return hf_script_wrong(parser, "no memory");
    script->statement_count++;
    statement->line = parser->line;
    statement->text = text;
    statement->verb = HF_SCRIPT_OPERATION;
    statement->reference = HF_SCRIPT_NONE;
    statement->id_of = HF_SCRIPT_NONE;
    statement->expected.rule = -1;
    parser->statement = statement;
    parser->at = 1;
    return true;
}

static bool parse_words(struct hf_script_parser *parser, const char *text)
{
    const char *word = parser->words[0];
    size_t which = 0;
    while (which < sizeof statements / sizeof statements[0] &&
           strcmp(word, statements[which].word) != 0)
        which++;
    if (which == sizeof statements / sizeof statements[0])
        return hf_script_wrong(parser, "'%s' begins no statement", word);
    if (parser->chain != HF_SCRIPT_NONE && !statements[which].is_operation)
        return hf_script_wrong(parser, "'%s' cannot be in a chain", word);
    if (!begin_statement(parser, text) || !statements[which].parse(parser))
        return false;
    if (parser->statement->verb == HF_SCRIPT_NOTHING) {
        free(parser->statement->operation);
        parser->script->statement_count--;
    }
    return true;
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
        .chain = HF_SCRIPT_NONE,
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
    if (good && parser.chain != HF_SCRIPT_NONE)
        good = hf_script_wrong(&parser, "the chain of line %u has no `end`", parser.chain_line);
    free(parser.names);
    return good ? HF_STATUS_OK : HF_STATUS_INVALID;
}

void hf_script_free(struct hf_script *script)
{
    for (uint32_t i = 0; i < script->statement_count; i++)
        free(script->statements[i].operation);
    free(script->statements);
    free(script->accounts);
    free(script->text);
    memset(script, 0, sizeof *script);
}
