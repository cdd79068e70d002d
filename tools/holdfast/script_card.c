/* Statements about card payments: what is authorised, and what becomes of it.
 *
 *     auth a1 c1 shop 20.00 estimated mcc 7011 acquirer 77
 *     increment a1 15.00 class 3
 *     clear a1 31.50 final
 *     reverse a1 all captured
 *     clear none 12.00 forced card c1 payee shop as offline
 *
 * Whoever speaks of an authorisation says its acquirer and asset again: here that goes without
 * saying. */
#include "script_statements.h"

#include <string.h>

static const struct hf_id no_id = {0, 0};

/* "acquirer N" if it is next: 1; 0: something else is; -1: wrong. */
static int take_acquirer(struct hf_script_parser *parser, uint64_t *acquirer)
{
    uint32_t count;
    if (!hf_script_accept(parser, "acquirer"))
        return 0;
    return hf_script_take_numbers(parser, "acquirer", UINT64_MAX, acquirer, 1, &count) ? 1 : -1;
}

static bool take_class(struct hf_script_parser *parser, uint8_t *class_number)
{
    uint64_t number = 0;
    uint32_t count;
    bool good = hf_script_take_numbers(parser, "class", UINT8_MAX, &number, 1, &count);
    *class_number = (uint8_t)number;
    return good;
}

/* ---- authorising ---- */

/* One option of an authorisation if it is next: 1; 0: something else is; -1: wrong. */
static int take_auth_option(struct hf_script_parser *parser, struct hf_op_auth *auth,
                            struct hf_script_attributes *attributes)
{
    uint64_t number = 0;
    bool good = true;
    if (hf_script_accept(parser, "minimum")) {
        good = hf_script_take_amount_or(parser, "minimum", "max", HF_AMOUNT_MAX, &auth->minimum);
    } else if (hf_script_accept(parser, "class")) {
        good = take_class(parser, &auth->class_number);
    } else if (hf_script_accept(parser, "tolerance")) {
        good = hf_script_take_permille(parser, &number);
        auth->tolerance = (uint16_t)number;
    } else if (hf_script_accept(parser, "forced")) {
        auth->auth_flags |= HF_AUTH_FORCED;
    } else if (hf_script_accept(parser, "estimated")) {
        auth->auth_flags |= HF_AUTH_ESTIMATED;
    } else {
        int taken = take_acquirer(parser, &auth->acquirer);
        return taken != 0 ? taken : hf_script_take_attribute(parser, attributes);
    }
    return good ? 1 : -1;
}

/* auth NAME CARD PAYEE AMOUNT [ASSET] [minimum A] [class N] [tolerance N%] [forced] [estimated]
 * [acquirer N] [mcc N] [country N] [channel N] [merchant TEXT] */
bool hf_script_parse_auth(struct hf_script_parser *parser)
{
    const char *own_name;
    const struct hf_script_name *card;
    const struct hf_script_name *payee;
    uint64_t amount;
    uint16_t asset;
    struct hf_script_attributes attributes = {0};
    int taken;
    if (!hf_script_next(parser, "the authorisation's name", &own_name) ||
        !hf_script_known(parser, HF_SCRIPT_KIND_CARD, "card", &card) ||
        !hf_script_take_payment(parser, card, &payee, &amount, &asset))
        return false;
    struct hf_op_auth *auth = &parser->statement->operation->auth;
    hf_make_auth(parser->statement->operation, no_id, card->id, payee->id, amount, asset);
    do {
        taken = take_auth_option(parser, auth, &attributes);
    } while (taken > 0);
    if (taken < 0)
        return false;
    auth->mcc = attributes.mcc;
    auth->country = attributes.country;
    auth->channel = attributes.channel;
    memcpy(auth->merchant, attributes.merchant, sizeof auth->merchant);
    if (!hf_script_name_operation(parser, own_name, asset))
        return false;
    hf_script_find_name(parser, HF_SCRIPT_KIND_OPERATION, own_name)->acquirer = auth->acquirer;
    return hf_script_finish_operation(parser);
}

/* later NAME: an operation that a line below sends. It has its id from here on, so that what comes
 * too early can speak of it. */
bool hf_script_parse_later(struct hf_script_parser *parser)
{
    const char *word;
    if (!hf_script_next(parser, "the operation's name", &word))
        return false;
    if (hf_script_find_name(parser, HF_SCRIPT_KIND_OPERATION, word) != NULL)
        return hf_script_wrong(parser, "'%s' has been introduced above", word);
    struct hf_script_name *name = hf_script_add_name(parser, HF_SCRIPT_KIND_OPERATION, word);
    if (name == NULL)
        return false;
    hf_script_first_asset(parser, &name->asset, &name->scale);
    name->statement = (uint32_t)(parser->statement - parser->script->statements);
    name->is_later = true;
    parser->statement->verb = HF_SCRIPT_LATER;
    return hf_script_ended(parser);
}

/* ---- what becomes of it ---- */

/* ORIGINAL AMOUNT [ASSET]: the asset and the acquirer are its own unless something else is said. */
static bool take_original(struct hf_script_parser *parser, size_t offset, struct hf_id *original,
                          const char *special, uint64_t special_amount, uint64_t *amount,
                          uint16_t *asset, uint64_t *acquirer)
{
    const struct hf_script_name *name;
    if (!hf_script_take_operation(parser, "the authorisation", offset, original, &name))
        return false;
    *asset = name->asset;
    *acquirer = name->acquirer;
    if (*asset == 0)
        hf_script_first_asset(parser, asset, &parser->statement->scale);
    return hf_script_take_money(parser, special, special_amount, amount, asset);
}

/* increment AUTH AMOUNT [ASSET] [class N] [acquirer N] */
bool hf_script_parse_increment(struct hf_script_parser *parser)
{
    union hf_operation *op =
        hf_script_make_operation(parser, HF_OP_INCREMENT, sizeof op->increment);
    int taken;
    if (op == NULL)
        return false;
    struct hf_op_increment *increment = &op->increment;
    if (!take_original(parser, offsetof(struct hf_op_increment, original), &increment->original,
                       "max", HF_AMOUNT_MAX, &increment->amount, &increment->asset,
                       &increment->acquirer))
        return false;
    do {
        if (hf_script_accept(parser, "class"))
            taken = take_class(parser, &increment->class_number) ? 1 : -1;
        else
            taken = take_acquirer(parser, &increment->acquirer);
    } while (taken > 0);
    return taken == 0 && hf_script_finish_operation(parser);
}

/* reverse AUTH AMOUNT|all [ASSET] [captured] [acquirer N] */
bool hf_script_parse_reverse(struct hf_script_parser *parser)
{
    union hf_operation *op = hf_script_make_operation(parser, HF_OP_REVERSE, sizeof op->reverse);
    int taken;
    if (op == NULL)
        return false;
    struct hf_op_reverse *reverse = &op->reverse;
    if (!take_original(parser, offsetof(struct hf_op_reverse, original), &reverse->original, "all",
                       HF_AMOUNT_ALL, &reverse->amount, &reverse->asset, &reverse->acquirer))
        return false;
    do {
        taken = 1;
        if (hf_script_accept(parser, "captured"))
            reverse->captured = 1;
        else
            taken = take_acquirer(parser, &reverse->acquirer);
    } while (taken > 0);
    return taken == 0 && hf_script_finish_operation(parser);
}

/* One option of a clearing if it is next: 1; 0: something else is; -1: wrong. */
static int take_clear_option(struct hf_script_parser *parser, struct hf_op_clear *clear,
                             struct hf_script_attributes *attributes)
{
    const struct hf_script_name *name;
    if (hf_script_accept(parser, "final")) {
        clear->clear_flags |= HF_CLEAR_FINAL;
    } else if (hf_script_accept(parser, "forced")) {
        clear->clear_flags |= HF_CLEAR_FORCED;
    } else if (hf_script_accept(parser, "card")) {
        if (!hf_script_known(parser, HF_SCRIPT_KIND_CARD, "card", &name))
            return -1;
        clear->token = name->id;
    } else if (hf_script_accept(parser, "payee")) {
        if (!hf_script_known(parser, HF_SCRIPT_KIND_ACCOUNT, "payee", &name))
            return -1;
        clear->payee = name->id;
    } else {
        int taken = take_acquirer(parser, &clear->acquirer);
        return taken != 0 ? taken : hf_script_take_attribute(parser, attributes);
    }
    return 1;
}

/* clear AUTH|none AMOUNT [ASSET] [final] [forced] [card NAME] [payee NAME] [acquirer N] [mcc N]
 * [country N] [channel N] [merchant TEXT] */
bool hf_script_parse_clear(struct hf_script_parser *parser)
{
    union hf_operation *op = hf_script_make_operation(parser, HF_OP_CLEAR, sizeof op->clear);
    struct hf_script_attributes attributes = {0};
    int taken;
    if (op == NULL)
        return false;
    struct hf_op_clear *clear = &op->clear;
    if (hf_script_accept(parser, "none")) {
        hf_script_first_asset(parser, &clear->asset, &parser->statement->scale);
        if (!hf_script_take_money(parser, "max", HF_AMOUNT_MAX, &clear->amount, &clear->asset))
            return false;
    } else if (!take_original(parser, offsetof(struct hf_op_clear, original), &clear->original,
                              "max", HF_AMOUNT_MAX, &clear->amount, &clear->asset,
                              &clear->acquirer)) {
        return false;
    }
    do {
        taken = take_clear_option(parser, clear, &attributes);
    } while (taken > 0);
    if (taken < 0)
        return false;
    clear->mcc = attributes.mcc;
    clear->country = attributes.country;
    clear->channel = attributes.channel;
    memcpy(clear->merchant, attributes.merchant, sizeof clear->merchant);
    parser->statement->asset = clear->asset;
    return hf_script_finish_operation(parser);
}

/* ---- what is expected of them ---- */

/* authorisations CARD NAME, NAME...  |  none: an instrument's, newest first, all that are known. */
bool hf_script_parse_expect_authorisations(struct hf_script_parser *parser)
{
    struct hf_script_statement *statement = parser->statement;
    const struct hf_script_name *card;
    const struct hf_script_name *name;
    bool more = true;
    if (!hf_script_known(parser, HF_SCRIPT_KIND_CARD, "card", &card))
        return false;
    hf_make_query(statement->operation, no_id, HF_QUERY_INSTRUMENT_AUTHORISATIONS, card->id);
    if (hf_script_accept(parser, "unknown")) {
        statement->expected.code.number = HF_CODE_UNKNOWN_INSTRUMENT;
        return hf_script_ended(parser);
    }
    if (hf_script_accept(parser, "none"))
        return hf_script_ended(parser);
    while (more) {
        if (statement->member_count == HF_SCRIPT_MEMBERS_MAX)
            return hf_script_wrong(parser, "more than %d authorisations", HF_SCRIPT_MEMBERS_MAX);
        more = hf_script_cut_comma(parser);
        if (!hf_script_known(parser, HF_SCRIPT_KIND_OPERATION, "authorisation", &name))
            return false;
        if (name->statement == HF_SCRIPT_NONE)
            return hf_script_wrong(parser, "'%s' has been called unknown above", name->text);
        statement->members[statement->member_count++] = name->statement;
    }
    return hf_script_ended(parser);
}
