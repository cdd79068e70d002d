/* Statements about what there is: assets, accounts, cards, classes of holds, keys. */
#include "script_statements.h"

#include <assert.h>
#include <string.h>

static const struct hf_id no_id = {0, 0};

/* asset NUMBER CODE SCALE */
bool hf_script_parse_asset(struct hf_script_parser *parser)
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
    if (strlen(code) > sizeof parser->statement->operation->asset_put.code)
        return hf_script_wrong(parser, "'%s' is longer than 8", code);
    if (!hf_script_next(parser, "the asset's scale", &word))
        return false;
    if (!hf_script_read_number(word, UINT8_MAX, &scale))
        return hf_script_wrong(parser, "'%s' is not a scale", word);
    hf_make_asset_put(parser->statement->operation, no_id, (uint16_t)number, code, (uint8_t)scale);
    if (!hf_script_finish_operation(parser))
        return false;
    /* The first declaration that is to be accepted is what the code means below. */
    if (hf_script_expects_ok(parser->statement) &&
        hf_script_find_name(parser, HF_SCRIPT_KIND_ASSET, code) == NULL) {
        struct hf_script_name *name = hf_script_add_name(parser, HF_SCRIPT_KIND_ASSET, code);
        if (name == NULL)
            return false;
        name->asset = (uint16_t)number;
        name->scale = (uint8_t)scale;
    }
    return true;
}

/* ---- accounts ---- */

/* The account's name, new or known. */
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

/* It becomes one that `balanced` looks at. */
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
    struct hf_script_account *account = &script->accounts[script->account_count++];
    memcpy(account->name, name->text, sizeof account->name);
    account->id = name->id;
    account->asset = name->asset;
    account->is_total = name->is_total;
    return true;
}

/* "" in place of a list or a text: the part is there with nothing in it, for the node to refuse. */
static bool accept_empty(struct hf_script_parser *parser)
{
    return hf_script_accept(parser, "\"\"");
}

/* A list of codes. 0 is none: a filter with nothing else would ask for nothing. */
static bool take_codes(struct hf_script_parser *parser, const char *what, uint16_t codes[],
                       uint32_t most)
{
    uint64_t numbers[HF_FILTER_MCCS_MAX];
    uint32_t count = 0;

    assert(most <= HF_FILTER_MCCS_MAX);
    if (!hf_script_take_numbers(parser, what, UINT16_MAX, numbers, most, &count))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (numbers[i] == 0)
            return hf_script_wrong(parser, "%s 0 is none", what);
        codes[i] = (uint16_t)numbers[i];
    }
    return true;
}

bool hf_script_take_filter(struct hf_script_parser *parser, struct hf_filter *filter,
                           bool *is_filter)
{
    uint64_t numbers[32];
    uint32_t count = 0;
    *is_filter = true;
    if (hf_script_accept(parser, "mcc")) {
        filter->parts |= HF_FILTER_BY_MCC;
        return accept_empty(parser) || take_codes(parser, "mcc", filter->mccs, HF_FILTER_MCCS_MAX);
    } else if (hf_script_accept(parser, "country")) {
        filter->parts |= HF_FILTER_BY_COUNTRY;
        return accept_empty(parser) ||
               take_codes(parser, "country", filter->countries, HF_FILTER_COUNTRIES_MAX);
    } else if (hf_script_accept(parser, "channel")) {
        filter->parts |= HF_FILTER_BY_CHANNEL;
        if (accept_empty(parser))
            return true;
        if (!hf_script_take_numbers(parser, "channel", 31, numbers, 32, &count))
            return false;
        for (uint32_t i = 0; i < count; i++)
            filter->channels |= UINT32_C(1) << numbers[i];
    } else if (hf_script_accept(parser, "merchant")) {
        filter->parts |= HF_FILTER_BY_MERCHANT;
        return accept_empty(parser) ||
               hf_script_take_text(parser, "merchant", filter->merchant, sizeof filter->merchant);
    } else {
        *is_filter = false;
    }
    return true;
}

static bool take_account_name(struct hf_script_parser *parser, const char *what, struct hf_id *id)
{
    const struct hf_script_name *name;
    *id = no_id;
    if (hf_script_accept(parser, "none"))
        return true;
    if (!hf_script_known(parser, HF_SCRIPT_KIND_ACCOUNT, what, &name))
        return false;
    *id = name->id;
    return true;
}

/* One option of the long form if it is next; `*taken` says whether. */
static bool take_term(struct hf_script_parser *parser, struct hf_op_account_put *put, bool *taken)
{
    uint64_t bits = 0;
    bool is_never;
    *taken = true;
    if (hf_script_accept(parser, "ceiling")) {
        if (!hf_script_take_balance(parser, "ceiling", (uint64_t)HF_CEILING_NONE, &bits))
            return false;
        put->ceiling = (int64_t)bits;
        return true;
    }
    if (hf_script_accept(parser, "parent"))
        return take_account_name(parser, "parent", &put->parent);
    if (hf_script_accept(parser, "sink"))
        return take_account_name(parser, "sink", &put->sink);
    if (hf_script_accept(parser, "expires"))
        return hf_script_take_expiry(parser, offsetof(struct hf_op_account_put, expires_ns),
                                     &is_never);
    if (hf_script_accept(parser, "total")) {
        put->flags |= HF_ACCOUNT_TOTAL;
        return true;
    }
    return hf_script_take_filter(parser, &put->filter, taken);
}

/* The options of an account, up to something else. Only what is about terms makes it long. */
static bool parse_account_options(struct hf_script_parser *parser, struct hf_op_account_put *put)
{
    uint64_t bits = 0;
    bool taken = true;
    while (taken) {
        if (hf_script_accept(parser, "floor")) {
            if (!hf_script_take_balance(parser, "floor", (uint64_t)HF_FLOOR_NONE, &bits))
                return false;
            put->floor = (int64_t)bits;
        } else if (hf_script_accept(parser, "status")) {
            if (!hf_script_take_status(parser, HF_QUERY_ACCOUNT, &bits))
                return false;
            put->status = (uint8_t)bits;
        } else {
            if (!take_term(parser, put, &taken))
                return false;
            if (taken)
                put->header.length = sizeof *put;
        }
    }
    return true;
}

/* The asset, said or known from before. */
static bool parse_account_asset(struct hf_script_parser *parser, struct hf_script_name *name)
{
    const char *word;
    uint16_t asset = name->asset;
    uint8_t scale = name->scale;
    if (hf_script_accept(parser, "asset")) {
        if (!hf_script_next(parser, "asset", &word) ||
            !hf_script_take_asset(parser, word, &asset, &scale))
            return false;
    } else if (asset == 0) {
        return hf_script_wrong(parser, "the asset of '%s' is missing", name->text);
    }
    if (name->asset == 0) {
        name->asset = asset;
        name->scale = scale;
    }
    parser->statement->scale = scale;
    parser->statement->operation->account_put.asset = asset;
    return true;
}

/* account NAME [asset A] [floor B|none] [status S] and terms: ceiling, parent, sink, expires,
 * total, mcc, country, channel, merchant */
bool hf_script_parse_account(struct hf_script_parser *parser)
{
    struct hf_script_name *name;
    if (!declare_account(parser, &name))
        return false;
    union hf_operation *op =
        hf_script_make_operation(parser, HF_OP_ACCOUNT_PUT, sizeof op->account_put);
    if (op == NULL || !parse_account_asset(parser, name))
        return false;
    struct hf_op_account_put *put = &op->account_put;
    put->header.length = HF_ACCOUNT_PUT_SHORT;
    put->account = name->id;
    put->ceiling = HF_CEILING_NONE;
    put->parent = name->parent;
    put->flags = name->is_total ? HF_ACCOUNT_TOTAL : 0;
    ptrdiff_t at =
        name - parser->names; /* finding other names does not move the table, adding does */
    if (!parse_account_options(parser, put))
        return false;
    if (put->header.length == HF_ACCOUNT_PUT_SHORT) {
        put->flags = 0;
        memset((uint8_t *)put + HF_ACCOUNT_PUT_SHORT, 0, sizeof *put - HF_ACCOUNT_PUT_SHORT);
    }
    if (!hf_script_finish_operation(parser))
        return false;
    if (!hf_script_expects_ok(parser->statement))
        return true;
    name = &parser->names[at];
    name->floor = put->floor;
    if (put->header.length != HF_ACCOUNT_PUT_SHORT) {
        name->parent = put->parent;
        name->is_total = (put->flags & HF_ACCOUNT_TOTAL) != 0;
    }
    return remember_account(parser, name);
}

/* freeze NAME, unfreeze NAME: the status alone, all else stays. */
static bool parse_status(struct hf_script_parser *parser, uint8_t status)
{
    const struct hf_script_name *name;
    if (!hf_script_known(parser, HF_SCRIPT_KIND_ACCOUNT, "account", &name))
        return false;
    if (name->asset == 0)
        return hf_script_wrong(parser, "'%s' has not been opened above", name->text);
    union hf_operation *op =
        hf_script_make_operation(parser, HF_OP_ACCOUNT_PUT, HF_ACCOUNT_PUT_SHORT);
    if (op == NULL)
        return false;
    op->account_put.account = name->id;
    op->account_put.asset = name->asset;
    op->account_put.floor = name->floor;
    op->account_put.status = status;
    parser->statement->scale = name->scale;
    return hf_script_finish_operation(parser);
}

bool hf_script_parse_freeze(struct hf_script_parser *parser)
{
    return parse_status(parser, HF_ACCOUNT_FROZEN);
}

bool hf_script_parse_unfreeze(struct hf_script_parser *parser)
{
    return parse_status(parser, HF_ACCOUNT_OPEN);
}

/* close NAME [sink NAME] */
bool hf_script_parse_close(struct hf_script_parser *parser)
{
    const struct hf_script_name *name;
    if (!hf_script_known(parser, HF_SCRIPT_KIND_ACCOUNT, "account", &name))
        return false;
    parser->statement->scale = name->scale;
    union hf_operation *op =
        hf_script_make_operation(parser, HF_OP_ACCOUNT_CLOSE, sizeof op->account_close);
    if (op == NULL)
        return false;
    op->account_close.account = name->id;
    if (hf_script_accept(parser, "sink") &&
        !take_account_name(parser, "sink", &op->account_close.sink))
        return false;
    return hf_script_finish_operation(parser);
}

/* ---- cards ---- */

static bool parse_card_settings(struct hf_script_parser *parser, struct hf_op_instrument_put *put)
{
    uint64_t status;
    bool is_never;
    for (;;) {
        if (hf_script_accept(parser, "status")) {
            if (!hf_script_take_status(parser, HF_QUERY_INSTRUMENT, &status))
                return false;
            put->status = (uint8_t)status;
        } else if (hf_script_accept(parser, "count")) {
            if (!hf_script_take_count(parser, "count", &put->remaining))
                return false;
        } else if (hf_script_accept(parser, "limit")) {
            if (!hf_script_take_amount_or(parser, "limit", "none", HF_INSTRUMENT_UNLIMITED,
                                          &put->amount_limit))
                return false;
        } else if (hf_script_accept(parser, "expires")) {
            if (!hf_script_take_expiry(parser, offsetof(struct hf_op_instrument_put, expires_ns),
                                       &is_never))
                return false;
        } else if (hf_script_accept(parser, "first-use")) {
            put->flags |= HF_INSTRUMENT_FIRST_USE;
        } else {
            return true;
        }
    }
}

/* The accounts behind the first of "accounts A, B, C", which has been read. */
static bool parse_further(struct hf_script_parser *parser, struct hf_id further[],
                          uint8_t *further_count)
{
    const struct hf_script_name *account;
    bool more = true;
    while (more) {
        if (*further_count == HF_INSTRUMENT_FURTHER_MAX)
            return hf_script_wrong(parser, "more than %d accounts", HF_INSTRUMENT_ACCOUNTS_MAX);
        more = hf_script_cut_comma(parser);
        if (!hf_script_known(parser, HF_SCRIPT_KIND_ACCOUNT, "account", &account))
            return false;
        further[(*further_count)++] = account->id;
    }
    return true;
}

/* A card's name, new or known; amounts about it are in its first account's asset. */
static struct hf_script_name *declare_card(struct hf_script_parser *parser, const char *word,
                                           uint16_t asset, uint8_t scale)
{
    struct hf_script_name *card = hf_script_find_name(parser, HF_SCRIPT_KIND_CARD, word);
    if (card == NULL)
        card = hf_script_add_name(parser, HF_SCRIPT_KIND_CARD, word);
    if (card != NULL && asset != 0) {
        card->asset = asset;
        card->scale = scale;
    }
    return card;
}

/* card NAME ACCOUNT|accounts A, B... [status S] [count N|unlimited] [limit A|none]
 * [expires SPAN|never] [first-use] */
bool hf_script_parse_card(struct hf_script_parser *parser)
{
    const char *word;
    const struct hf_script_name *account;
    struct hf_id further[HF_INSTRUMENT_FURTHER_MAX];
    uint8_t further_count = 0;
    if (!hf_script_next(parser, "the card's name", &word))
        return false;
    bool more = hf_script_accept(parser, "accounts") && hf_script_cut_comma(parser);
    if (!hf_script_known(parser, HF_SCRIPT_KIND_ACCOUNT, "account", &account) ||
        (more && !parse_further(parser, further, &further_count)))
        return false;
    struct hf_id first = account->id; /* adding a name may move the table */
    struct hf_script_name *card = declare_card(parser, word, account->asset, account->scale);
    size_t further_size = further_count * sizeof further[0];
    union hf_operation *op =
        card == NULL ? NULL
                     : hf_script_make_operation(parser, HF_OP_INSTRUMENT_PUT,
                                                sizeof op->instrument_put + further_size);
    if (op == NULL)
        return false;
    parser->statement->scale = card->scale;
    hf_make_instrument_put(op, no_id, card->id, first, HF_INSTRUMENT_ACTIVE,
                           HF_INSTRUMENT_UNLIMITED, HF_INSTRUMENT_UNLIMITED);
    op->header.length = (uint16_t)(op->header.length + further_size);
    op->instrument_put.further_count = further_count;
    memcpy(op->instrument_put.further, further, further_size);
    return parse_card_settings(parser, &op->instrument_put) && hf_script_finish_operation(parser);
}

/* ---- classes, keys, and what is not there ---- */

/* class N lifetime T|never */
bool hf_script_parse_class(struct hf_script_parser *parser)
{
    uint64_t number;
    uint32_t count;
    struct hf_script_span span = {0};
    if (!hf_script_take_numbers(parser, "the class's number", UINT8_MAX, &number, 1, &count))
        return false;
    if (!hf_script_accept(parser, "lifetime"))
        return hf_script_wrong(parser, "`lifetime` is missing");
    if (!hf_script_accept(parser, "never")) {
        if (!hf_script_take_span(parser, "lifetime", &span))
            return false;
        if (span.ms <= 0)
            return hf_script_wrong(parser, "a lifetime is longer than nothing");
    }
    union hf_operation *op =
        hf_script_make_operation(parser, HF_OP_CLASS_PUT, sizeof op->class_put);
    if (op == NULL)
        return false;
    op->class_put.class_number = (uint8_t)number;
    op->class_put.lifetime_ns = (uint64_t)span.ms * 1000000u;
    return hf_script_finish_operation(parser);
}

/* key NAME: an Ed25519 key pair, made from the name alone. Nothing is sent. */
bool hf_script_parse_key(struct hf_script_parser *parser)
{
    const char *word;
    if (!hf_script_next(parser, "the key's name", &word))
        return false;
    if (hf_script_find_name(parser, HF_SCRIPT_KIND_KEY, word) != NULL)
        return hf_script_wrong(parser, "there is a key '%s' already", word);
    if (hf_script_add_name(parser, HF_SCRIPT_KIND_KEY, word) == NULL)
        return false;
    parser->statement->verb = HF_SCRIPT_NOTHING;
    return hf_script_ended(parser);
}

/* unknown NAME: something that is not there, whatever it would be. */
bool hf_script_parse_unknown(struct hf_script_parser *parser)
{
    static const enum hf_script_kind kinds[] = {HF_SCRIPT_KIND_ACCOUNT, HF_SCRIPT_KIND_CARD,
                                                HF_SCRIPT_KIND_OPERATION};
    const char *word;
    uint16_t asset;
    uint8_t scale;
    hf_script_first_asset(parser, &asset, &scale);
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
    parser->statement->verb = HF_SCRIPT_NOTHING;
    return hf_script_ended(parser);
}
