/* Limits on what cards and accounts may authorise.
 *
 *     limit 1 on c1 amount 100.00 per day zone +02:00
 *     limit 2 on c1 count 3 per rolling 4h mcc 5411,5412
 *     limit 1 on c1 raise amount 20.00
 *     limit 2 on c1 reset
 *
 * What is said of a limit stands in any order behind its name. */
#include "script_statements.h"

#include <string.h>

#define NS_PER_MS UINT64_C(1000000)

/* NUMBER on [card|account] NAME. Without the kind it is the card of that name, or the account; a
 * name that both have needs the kind. */
static bool take_scope(struct hf_script_parser *parser, const struct hf_script_name **name)
{
    const char *kind = hf_script_peek(parser);
    bool has_kind = parser->at + 1 < parser->word_count &&
                    (strcmp(kind, "card") == 0 || strcmp(kind, "account") == 0);
    if (has_kind) {
        parser->at++;
        return hf_script_known(
            parser, kind[0] == 'c' ? HF_SCRIPT_KIND_CARD : HF_SCRIPT_KIND_ACCOUNT, kind, name);
    }
    const struct hf_script_name *card =
        hf_script_find_name(parser, HF_SCRIPT_KIND_CARD, hf_script_peek(parser));
    const struct hf_script_name *account =
        hf_script_find_name(parser, HF_SCRIPT_KIND_ACCOUNT, hf_script_peek(parser));
    if (card != NULL && account != NULL)
        return hf_script_wrong(parser, "'%s' is a card and an account: which is meant?",
                               card->text);
    return hf_script_known(parser, card != NULL ? HF_SCRIPT_KIND_CARD : HF_SCRIPT_KIND_ACCOUNT,
                           "card or account", name);
}

bool hf_script_take_limit_name(struct hf_script_parser *parser, uint8_t *number, uint8_t *scope,
                               struct hf_id *scope_id)
{
    const struct hf_script_name *name;
    uint64_t value;
    uint32_t count;
    if (!hf_script_take_numbers(parser, "the limit's number", UINT8_MAX, &value, 1, &count))
        return false;
    if (!hf_script_accept(parser, "on"))
        return hf_script_wrong(parser, "`on` is missing");
    if (!take_scope(parser, &name))
        return false;
    *number = (uint8_t)value;
    *scope = name->kind == HF_SCRIPT_KIND_CARD ? HF_LIMIT_INSTRUMENT : HF_LIMIT_ACCOUNT;
    *scope_id = name->id;
    parser->statement->scale = name->scale;
    return true;
}

/* per operation|day|week|month|lifetime, or per rolling T */
static bool take_window(struct hf_script_parser *parser, struct hf_op_limit_put *put)
{
    static const struct {
        const char *word;
        uint8_t window;
    } windows[] = {
        {"operation", HF_LIMIT_OPERATION}, {"day", HF_LIMIT_DAY},
        {"week", HF_LIMIT_WEEK},           {"month", HF_LIMIT_MONTH},
        {"rolling", HF_LIMIT_ROLLING},     {"lifetime", HF_LIMIT_LIFETIME},
    };
    struct hf_script_span span;
    for (size_t i = 0; i < sizeof windows / sizeof windows[0] && put->window == 0; i++) {
        if (hf_script_accept(parser, windows[i].word))
            put->window = windows[i].window;
    }
    if (put->window == 0)
        return hf_script_wrong(parser, "'%s' is not a window", hf_script_peek(parser));
    if (put->window == HF_LIMIT_WEEK || put->window == HF_LIMIT_MONTH)
        put->start = 1;
    if (put->window != HF_LIMIT_ROLLING)
        return true;
    if (!hf_script_take_span(parser, "how long it rolls", &span))
        return false;
    if (span.ms <= 0 || __builtin_mul_overflow((uint64_t)span.ms, NS_PER_MS, &put->length_ns))
        return hf_script_wrong(parser, "a window is longer than nothing, and not endless");
    return true;
}

/* zone +02:00 */
static bool take_zone(struct hf_script_parser *parser, struct hf_op_limit_put *put)
{
    const char *word;
    if (!hf_script_next(parser, "zone", &word))
        return false;
    return hf_script_read_zone(word, &put->zone_minutes) ||
           hf_script_wrong(parser, "zone '%s' is not like +02:00 or -03:30", word);
}

/* start monday, start 15 */
static bool take_start(struct hf_script_parser *parser, struct hf_op_limit_put *put)
{
    static const char *const days[] = {"monday", "tuesday",  "wednesday", "thursday",
                                       "friday", "saturday", "sunday"};
    uint64_t number;
    uint32_t count;
    for (uint8_t i = 0; i < sizeof days / sizeof days[0]; i++) {
        if (hf_script_accept(parser, days[i])) {
            put->start = i + 1;
            return true;
        }
    }
    if (!hf_script_take_numbers(parser, "start", UINT8_MAX, &number, 1, &count))
        return false;
    put->start = (uint8_t)number;
    return true;
}

/* "amount A" or "count N" if it is next. */
static bool take_maximum(struct hf_script_parser *parser, struct hf_op_limit_put *put, bool *taken)
{
    *taken = true;
    if (hf_script_accept(parser, "amount"))
        return hf_script_take_amount_or(parser, "amount", "none", HF_LIMIT_UNLIMITED,
                                        &put->max_amount);
    if (hf_script_accept(parser, "count"))
        return hf_script_take_count(parser, "count", &put->max_count);
    *taken = false;
    return true;
}

static bool take_setting(struct hf_script_parser *parser, struct hf_op_limit_put *put, bool *taken)
{
    if (!take_maximum(parser, put, taken))
        return false;
    if (*taken)
        return true;
    *taken = true;
    if (hf_script_accept(parser, "per"))
        return put->window == 0 ? take_window(parser, put)
                                : hf_script_wrong(parser, "a limit has one window");
    if (hf_script_accept(parser, "zone"))
        return take_zone(parser, put);
    if (hf_script_accept(parser, "start"))
        return take_start(parser, put);
    return hf_script_take_filter(parser, &put->filter, taken);
}

static bool parse_raise(struct hf_script_parser *parser, struct hf_op_limit_put *put)
{
    bool taken = true;
    put->mode = HF_LIMIT_RAISE;
    put->max_amount = 0;
    put->max_count = 0;
    while (taken) {
        if (!take_maximum(parser, put, &taken))
            return false;
    }
    if (put->max_amount == 0 && put->max_count == 0)
        return hf_script_wrong(parser, "`amount A` or `count N` is missing: raise what?");
    return true;
}

static bool parse_settings(struct hf_script_parser *parser, struct hf_op_limit_put *put)
{
    bool taken = true;
    while (taken) {
        if (!take_setting(parser, put, &taken))
            return false;
    }
    return put->window != 0 || hf_script_wrong(parser, "`per` and a window are missing");
}

/* limit NUMBER on NAME [amount A] [count N] per WINDOW [zone Z] [start D] [filter]
 * limit NUMBER on NAME raise [amount A] [count N]  |  limit NUMBER on NAME reset */
bool hf_script_parse_limit(struct hf_script_parser *parser)
{
    union hf_operation *op =
        hf_script_make_operation(parser, HF_OP_LIMIT_PUT, sizeof op->limit_put);
    if (op == NULL)
        return false;
    struct hf_op_limit_put *put = &op->limit_put;
    put->max_amount = HF_LIMIT_UNLIMITED;
    put->max_count = HF_LIMIT_UNLIMITED;
    bool good = hf_script_take_limit_name(parser, &put->number, &put->scope, &put->scope_id);
    if (good && hf_script_accept(parser, "reset")) {
        put->mode = HF_LIMIT_RESET;
        put->max_amount = 0;
        put->max_count = 0;
    } else if (good) {
        good = hf_script_accept(parser, "raise") ? parse_raise(parser, put)
                                                 : parse_settings(parser, put);
    }
    return good && hf_script_finish_operation(parser);
}
