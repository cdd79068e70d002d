/* Statements that move and hold money, one payer at a time; plans are in script_plan.c, card
 * payments in script_card.c. */
#include "script_statements.h"

#include <string.h>

static const struct hf_id no_id = {0, 0};

bool hf_script_take_money(struct hf_script_parser *parser, const char *special,
                          uint64_t special_amount, uint64_t *amount, uint16_t *asset)
{
    const char *word;
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
    if (!hf_script_take_amount_or(parser, "amount", special, special_amount, amount))
        return false;
    parser->at += is_asset ? 1 : 0;
    return true;
}

bool hf_script_take_payment(struct hf_script_parser *parser, const struct hf_script_name *payer,
                            const struct hf_script_name **payee, uint64_t *amount, uint16_t *asset)
{
    if (!hf_script_known(parser, HF_SCRIPT_KIND_ACCOUNT, "payee", payee))
        return false;
    *asset = payer->asset != 0 ? payer->asset : (*payee)->asset;
    parser->statement->scale = payer->asset != 0 ? payer->scale : (*payee)->scale;
    return hf_script_take_money(parser, "max", HF_AMOUNT_MAX, amount, asset);
}

/* move PAYER PAYEE AMOUNT [ASSET] */
bool hf_script_parse_move(struct hf_script_parser *parser)
{
    const struct hf_script_name *payer;
    const struct hf_script_name *payee;
    uint64_t amount;
    uint16_t asset;
    if (!hf_script_known(parser, HF_SCRIPT_KIND_ACCOUNT, "payer", &payer) ||
        !hf_script_take_payment(parser, payer, &payee, &amount, &asset))
        return false;
    hf_make_move(parser->statement->operation, no_id, payer->id, payee->id, amount, asset);
    return hf_script_finish_operation(parser);
}

/* hold NAME PAYER PAYEE AMOUNT [ASSET] [expires T|never] */
bool hf_script_parse_hold(struct hf_script_parser *parser)
{
    const char *own_name;
    const struct hf_script_name *payer;
    const struct hf_script_name *payee;
    uint64_t amount;
    uint16_t asset;
    bool is_never;
    if (!hf_script_next(parser, "the hold's name", &own_name))
        return false;
    if (hf_script_accept(parser, "plan"))
        return hf_script_parse_hold_plan(parser, own_name);
    if (!hf_script_known(parser, HF_SCRIPT_KIND_ACCOUNT, "payer", &payer) ||
        !hf_script_take_payment(parser, payer, &payee, &amount, &asset))
        return false;
    hf_make_hold(parser->statement->operation, no_id, payer->id, payee->id, amount, asset);
    if (hf_script_accept(parser, "expires") &&
        !hf_script_take_expiry(parser, offsetof(struct hf_op_hold, expires_ns), &is_never))
        return false;
    return hf_script_name_operation(parser, own_name, asset) && hf_script_finish_operation(parser);
}

/* ---- what happens to a hold ---- */

static bool parse_hold_name(struct hf_script_parser *parser, size_t offset, struct hf_id *id)
{
    const struct hf_script_name *hold;
    return hf_script_take_operation(parser, "hold", offset, id, &hold);
}

/* capture HOLD AMOUNT|all [final] [payee NAME] */
bool hf_script_parse_capture(struct hf_script_parser *parser)
{
    union hf_operation *op = hf_script_make_operation(parser, HF_OP_CAPTURE, sizeof op->capture);
    const struct hf_script_name *payee;
    if (op == NULL)
        return false;
    struct hf_op_capture *capture = &op->capture;
    capture->header.length = HF_CAPTURE_SHORT;
    if (!parse_hold_name(parser, offsetof(struct hf_op_capture, hold), &capture->hold) ||
        !hf_script_take_amount_or(parser, "amount", "all", HF_AMOUNT_ALL, &capture->amount))
        return false;
    for (;;) {
        if (hf_script_accept(parser, "final")) {
            capture->final = 1;
        } else if (hf_script_accept(parser, "payee")) {
            if (!hf_script_known(parser, HF_SCRIPT_KIND_ACCOUNT, "payee", &payee))
                return false;
            capture->payee = payee->id;
            capture->header.length = sizeof *capture;
        } else {
            return hf_script_finish_operation(parser);
        }
    }
}

/* release HOLD AMOUNT|all */
bool hf_script_parse_release(struct hf_script_parser *parser)
{
    union hf_operation *op = hf_script_make_operation(parser, HF_OP_RELEASE, sizeof op->release);
    return op != NULL &&
           parse_hold_name(parser, offsetof(struct hf_op_release, hold), &op->release.hold) &&
           hf_script_take_amount_or(parser, "amount", "all", HF_AMOUNT_ALL, &op->release.amount) &&
           hf_script_finish_operation(parser);
}

/* adjust HOLD raise|lower|set AMOUNT [expires T|never]  |  adjust HOLD expires T|never */
bool hf_script_parse_adjust(struct hf_script_parser *parser)
{
    static const struct {
        const char *word;
        uint8_t mode;
    } modes[] = {{"raise", HF_ADJUST_RAISE}, {"lower", HF_ADJUST_LOWER}, {"set", HF_ADJUST_SET}};
    union hf_operation *op = hf_script_make_operation(parser, HF_OP_ADJUST, sizeof op->adjust);
    bool is_never = false;
    if (op == NULL)
        return false;
    struct hf_op_adjust *adjust = &op->adjust;
    if (!parse_hold_name(parser, offsetof(struct hf_op_adjust, hold), &adjust->hold))
        return false;
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (!hf_script_accept(parser, modes[i].word))
            continue;
        adjust->mode = modes[i].mode;
        if (!hf_script_take_amount_or(parser, "amount", "max", HF_AMOUNT_MAX, &adjust->amount))
            return false;
        break;
    }
    if (hf_script_accept(parser, "expires")) {
        if (!hf_script_take_expiry(parser, offsetof(struct hf_op_adjust, expires_ns), &is_never))
            return false;
        if (is_never)
            adjust->expires_ns = HF_EXPIRES_NEVER;
    } else if (adjust->mode == HF_ADJUST_KEEP) {
        return hf_script_wrong(parser, "one of raise, lower, set and expires is missing");
    }
    return hf_script_finish_operation(parser);
}

/* "signature KEY [for OTHERHOLD]": over the condition of this hold, or of another, which then is a
 * signature for nothing here. */
static bool parse_signature(struct hf_script_parser *parser, struct hf_op_attest *attest)
{
    const struct hf_script_name *key;
    const struct hf_script_name *other;
    if (!hf_script_known(parser, HF_SCRIPT_KIND_KEY, "key", &key))
        return false;
    struct hf_script_patch *patch = hf_script_add_patch(parser, HF_SCRIPT_PATCH_SIGNATURE,
                                                        offsetof(struct hf_op_attest, proof));
    if (patch == NULL)
        return false;
    hf_script_make_seed(key->id, patch->seed);
    attest->proof_length = HF_PROOF_MAX;
    if (!hf_script_accept(parser, "for"))
        return true;
    if (!hf_script_known(parser, HF_SCRIPT_KIND_OPERATION, "hold", &other))
        return false;
    patch->statement = other->statement;
    return true;
}

/* attest HOLD N preimage TEXT | signature KEY [for OTHERHOLD] | forged | origin, [region CODE] */
bool hf_script_parse_attest(struct hf_script_parser *parser)
{
    union hf_operation *op = hf_script_make_operation(parser, HF_OP_ATTEST, sizeof op->attest);
    uint64_t number;
    uint32_t count;
    const char *word;
    if (op == NULL)
        return false;
    struct hf_op_attest *attest = &op->attest;
    if (!parse_hold_name(parser, offsetof(struct hf_op_attest, hold), &attest->hold) ||
        !hf_script_take_numbers(parser, "the condition's number", UINT8_MAX, &number, 1, &count))
        return false;
    attest->condition = (uint8_t)number;
    if (hf_script_accept(parser, "preimage")) {
        word = hf_script_peek(parser);
        if (!hf_script_take_text(parser, "preimage", attest->proof, sizeof attest->proof))
            return false;
        attest->proof_length = (uint8_t)strlen(word);
    } else if (hf_script_accept(parser, "signature")) {
        if (!parse_signature(parser, attest))
            return false;
    } else if (hf_script_accept(parser, "forged")) {
        memset(attest->proof, 0x5a, sizeof attest->proof); /* nobody signs like that */
        attest->proof_length = HF_PROOF_MAX;
    } else if (!hf_script_accept(parser, "origin")) {
        return hf_script_wrong(parser, "one of preimage, signature, forged and origin is missing");
    }
    if (hf_script_accept(parser, "region")) {
        if (!hf_script_take_numbers(parser, "region", UINT32_MAX, &number, 1, &count))
            return false;
        attest->code = (uint32_t)number;
    }
    return hf_script_finish_operation(parser);
}
