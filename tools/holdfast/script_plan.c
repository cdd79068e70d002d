/* Plans: several payers, several payees, and what a hold made of one is bound to.
 *
 *     plan 100.00 from alice 60.00, bob rest to shop mcc 8062
 *     hold trip plan 80.00 from alice 60/100, bob 40/100 payee open ratio expires +2h
 *     hold deal plan 80.00 from alice to shop needs 2 of signed-by a, signed-by b
 *
 * A list's items end at the word that has no comma behind it. */
#include "script_statements.h"

#include <sodium.h>
#include <string.h>

_Static_assert(crypto_sign_SEEDBYTES == HF_SCRIPT_SEED_SIZE, "an Ed25519 seed");

struct plan {
    struct hf_op_plan fixed;
    struct hf_op_entry entries[HF_PLAN_CANDIDATES_MAX + HF_PLAN_DESTINATIONS_MAX];
    uint32_t entry_count;
    struct hf_op_condition conditions[HF_CONDITIONS_MAX];
    int64_t condition_ms[HF_CONDITIONS_MAX]; /* of times */
    struct hf_op_terms terms;
    struct hf_script_span expires;
    bool is_open; /* `payee open` */
};

void hf_script_make_seed(struct hf_id id, uint8_t seed[HF_SCRIPT_SEED_SIZE])
{
    crypto_generichash(seed, HF_SCRIPT_SEED_SIZE, (const uint8_t *)&id, sizeof id, NULL, 0);
}

/* ---- entries ---- */

/* Whether the next word can say how much, rather than begin something else. */
static bool is_share(struct hf_script_parser *parser)
{
    static const char *const shares[] = {"up", "all", "any", "rest"};
    const char *word = hf_script_peek(parser);
    size_t length = strcspn(word, ",");
    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
        if (length == strlen(shares[i]) && strncmp(word, shares[i], length) == 0)
            return true;
    }
    return word[0] >= '0' && word[0] <= '9';
}

/* How much of it: AMOUNT, 80/100 or 80%, up to AMOUNT, any, all, rest. */
static bool parse_share(struct hf_script_parser *parser, uint32_t *denominator, bool *more,
                        struct hf_op_entry *entry)
{
    uint32_t whole;
    if (hf_script_accept(parser, "up")) {
        if (!hf_script_accept(parser, "to"))
            return hf_script_wrong(parser, "'up' goes on with 'to AMOUNT'");
        entry->rule = HF_ENTRY_UP_TO;
    } else {
        *more = hf_script_cut_comma(parser);
        if (hf_script_accept(parser, "any")) {
            entry->rule = HF_ENTRY_UP_TO;
            entry->amount = HF_AMOUNT_ALL;
            return true;
        }
        if (hf_script_accept(parser, "all")) {
            entry->rule = HF_ENTRY_EVERYTHING;
            return true;
        }
        if (hf_script_accept(parser, "rest")) {
            entry->rule = HF_ENTRY_REMAINING;
            return true;
        }
        if (hf_script_read_ratio(hf_script_peek(parser), &entry->amount, &whole)) {
            if (*denominator != 0 && *denominator != whole)
                return hf_script_wrong(parser, "'%s': the parts before were of %u",
                                       hf_script_peek(parser), *denominator);
            *denominator = whole;
            entry->rule = HF_ENTRY_RATIO;
            parser->at++;
            return true;
        }
        entry->rule = HF_ENTRY_FIXED;
    }
    if (entry->rule == HF_ENTRY_UP_TO)
        *more = hf_script_cut_comma(parser);
    return hf_script_take_amount_or(parser, "amount", "max", HF_AMOUNT_MAX, &entry->amount);
}

/* "NAME [SHARE], NAME [SHARE]...": who has no share takes the rest. */
static bool parse_entries(struct hf_script_parser *parser, struct plan *plan, uint32_t most,
                          uint8_t *count, uint32_t *denominator)
{
    bool more = true;
    while (more) {
        const struct hf_script_name *name;
        if (*count == most)
            return hf_script_wrong(parser, "more than %u accounts in one list", most);
        struct hf_op_entry *entry = &plan->entries[plan->entry_count];
        more = hf_script_cut_comma(parser);
        if (!hf_script_known(parser, HF_SCRIPT_KIND_ACCOUNT, "account", &name))
            return false;
        entry->account = name->id;
        entry->rule = HF_ENTRY_REMAINING;
        if (!more && is_share(parser) && !parse_share(parser, denominator, &more, entry))
            return false;
        plan->entry_count++;
        ++*count;
    }
    return true;
}

/* The asset decides how amounts are read, and stands behind them: that of the first account that is
 * named, unless `asset A` is said anywhere. */
static bool find_asset(struct hf_script_parser *parser, struct plan *plan)
{
    for (uint32_t i = parser->at; i < parser->word_count; i++) {
        if (strcmp(parser->words[i], "asset") == 0 && i + 1 < parser->word_count)
            return hf_script_take_asset(parser, parser->words[i + 1], &plan->fixed.asset,
                                        &parser->statement->scale);
        char text[HF_SCRIPT_NAME_SIZE + 1] = "";
        size_t length = strcspn(parser->words[i], ",");
        if (plan->fixed.asset != 0 || length >= sizeof text)
            continue;
        memcpy(text, parser->words[i], length);
        const struct hf_script_name *name =
            hf_script_find_name(parser, HF_SCRIPT_KIND_ACCOUNT, text);
        if (name != NULL) {
            plan->fixed.asset = name->asset;
            parser->statement->scale = name->scale;
        }
    }
    return plan->fixed.asset != 0 ||
           hf_script_wrong(parser,
                           "no account above this line is named here, so the asset must be");
}

/* AMOUNT|all from SOURCES [to DESTINATIONS] */
static bool parse_lists(struct hf_script_parser *parser, struct plan *plan)
{
    struct hf_op_plan *fixed = &plan->fixed;
    if (!find_asset(parser, plan) ||
        !hf_script_take_amount_or(parser, "amount", "all", HF_AMOUNT_ALL, &fixed->amount))
        return false;
    if (!hf_script_accept(parser, "from"))
        return hf_script_wrong(parser, "`from` is missing");
    if (!parse_entries(parser, plan, HF_PLAN_CANDIDATES_MAX, &fixed->source_count,
                       &fixed->source_denominator))
        return false;
    return !hf_script_accept(parser, "to") ||
           parse_entries(parser, plan, HF_PLAN_DESTINATIONS_MAX, &fixed->destination_count,
                         &fixed->destination_denominator);
}

/* One option of any plan if it is next: 1; 0: something else is; -1: wrong. */
static int take_plan_option(struct hf_script_parser *parser, struct hf_op_plan *fixed,
                            struct hf_script_attributes *attributes)
{
    uint64_t number;
    uint32_t count;
    const char *word;
    if (hf_script_accept(parser, "minimum"))
        return hf_script_take_amount_or(parser, "minimum", "max", HF_AMOUNT_MAX, &fixed->minimum)
                   ? 1
                   : -1;
    if (hf_script_accept(parser, "choose")) {
        if (!hf_script_take_numbers(parser, "choose", UINT8_MAX, &number, 1, &count))
            return -1;
        fixed->method = HF_PLAN_SMALLEST_RESIDUAL;
        fixed->choose_max = (uint8_t)number;
        return 1;
    }
    if (hf_script_accept(parser, "asset")) /* looked at already */
        return hf_script_next(parser, "asset", &word) ? 1 : -1;
    return hf_script_take_attribute(parser, attributes);
}

static void take_over(struct hf_op_plan *fixed, const struct hf_script_attributes *attributes)
{
    fixed->mcc = attributes->mcc;
    fixed->country = attributes->country;
    fixed->channel = attributes->channel;
    memcpy(fixed->merchant, attributes->merchant, sizeof fixed->merchant);
}

/* plan AMOUNT|all from SOURCES to DESTINATIONS [minimum A] [choose K] [asset A] [mcc N] ... */
bool hf_script_parse_plan(struct hf_script_parser *parser)
{
    struct plan plan = {0};
    struct hf_script_attributes attributes = {0};
    int taken = 1;
    if (!parse_lists(parser, &plan))
        return false;
    if (plan.fixed.destination_count == 0)
        return hf_script_wrong(parser, "`to` is missing");
    while (taken > 0)
        taken = take_plan_option(parser, &plan.fixed, &attributes);
    if (taken < 0)
        return false;
    take_over(&plan.fixed, &attributes);
    size_t entries = plan.entry_count * sizeof plan.entries[0];
    union hf_operation *op =
        hf_script_make_operation(parser, HF_OP_MOVE_PLAN, sizeof(struct hf_op_move_plan) + entries);
    if (op == NULL)
        return false;
    op->move_plan.plan = plan.fixed;
    memcpy(op->move_plan.entries, plan.entries, entries);
    return hf_script_finish_operation(parser);
}

/* ---- conditions ---- */

/* The hash of a preimage, or the hash itself in 64 hexadecimal digits. */
static bool parse_hash(struct hf_script_parser *parser, struct hf_op_condition *condition)
{
    const char *word;
    if (!hf_script_next(parser, "the preimage or its hash", &word))
        return false;
    if (hf_script_read_hash(word, condition->bytes))
        return true;
    const uint8_t *text = (const uint8_t *)word;
    if (condition->kind == HF_CONDITION_BLAKE2B)
        crypto_generichash(condition->bytes, sizeof condition->bytes, text, strlen(word), NULL, 0);
    else
        crypto_hash_sha256(condition->bytes, text, strlen(word));
    return true;
}

static bool parse_public_key(struct hf_script_parser *parser, struct hf_op_condition *condition)
{
    const struct hf_script_name *key;
    uint8_t seed[HF_SCRIPT_SEED_SIZE];
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    if (!hf_script_known(parser, HF_SCRIPT_KIND_KEY, "key", &key))
        return false;
    hf_script_make_seed(key->id, seed);
    crypto_sign_seed_keypair(condition->bytes, secret, seed);
    sodium_memzero(secret, sizeof secret);
    return true;
}

static bool parse_code(struct hf_script_parser *parser, const char *what,
                       struct hf_op_condition *condition)
{
    uint64_t number;
    uint32_t count;
    if (!hf_script_take_numbers(parser, what, UINT32_MAX, &number, 1, &count))
        return false;
    condition->code = (uint32_t)number;
    return true;
}

static const struct {
    const char *word;
    uint8_t kind;
} condition_words[] = {
    {"preimage-blake2b", HF_CONDITION_BLAKE2B},
    {"preimage-sha256", HF_CONDITION_SHA256},
    {"signed-by", HF_CONDITION_SIGNATURE},
    {"region", HF_CONDITION_REGION},
    {"origin", HF_CONDITION_ORIGIN},
    {"not-before", HF_CONDITION_NOT_BEFORE},
    {"not-after", HF_CONDITION_NOT_AFTER},
};

static bool parse_condition(struct hf_script_parser *parser, struct hf_op_condition *condition,
                            int64_t *ms, bool *more)
{
    struct hf_script_span span;
    for (size_t i = 0; i < sizeof condition_words / sizeof condition_words[0]; i++) {
        if (hf_script_accept(parser, condition_words[i].word)) {
            condition->kind = condition_words[i].kind;
            break;
        }
    }
    if (condition->kind == HF_CONDITION_REGION) {
        if (!parse_code(parser, "region", condition))
            return false;
        if (!hf_script_accept(parser, "by"))
            return hf_script_wrong(parser, "'region CODE' goes on with 'by KEY'");
    }
    *more = hf_script_cut_comma(parser);
    switch (condition->kind) {
    case HF_CONDITION_BLAKE2B:
    case HF_CONDITION_SHA256:
        return parse_hash(parser, condition);
    case HF_CONDITION_SIGNATURE:
    case HF_CONDITION_REGION:
        return parse_public_key(parser, condition);
    case HF_CONDITION_ORIGIN:
        return parse_code(parser, "origin", condition);
    case HF_CONDITION_NOT_BEFORE:
    case HF_CONDITION_NOT_AFTER:
        if (!hf_script_take_span(parser, "the time", &span))
            return false;
        *ms = span.ms;
        return true;
    default:
        return hf_script_wrong(parser, "'%s' is not a condition", hf_script_peek(parser));
    }
}

/* needs M|all of CONDITION, CONDITION... */
static bool parse_conditions(struct hf_script_parser *parser, struct plan *plan)
{
    struct hf_op_terms *terms = &plan->terms;
    uint64_t required = 0;
    uint32_t count;
    bool more = true;
    bool all = hf_script_accept(parser, "all");
    if (!all &&
        !hf_script_take_numbers(parser, "how many are needed", UINT8_MAX, &required, 1, &count))
        return false;
    if (!hf_script_accept(parser, "of"))
        return hf_script_wrong(parser, "`of` is missing");
    while (more) {
        if (terms->condition_count == HF_CONDITIONS_MAX)
            return hf_script_wrong(parser, "more than %d conditions", HF_CONDITIONS_MAX);
        uint8_t at = terms->condition_count++;
        if (!parse_condition(parser, &plan->conditions[at], &plan->condition_ms[at], &more))
            return false;
    }
    terms->required = all ? terms->condition_count : (uint8_t)required;
    return true;
}

/* ---- terms ---- */

static bool take_policy(struct hf_script_parser *parser, uint8_t *policy)
{
    static const struct {
        const char *word;
        uint8_t bit;
    } policies[] = {{"soft", HF_HOLD_SOFT}, {"ratio", HF_HOLD_RATIO}, {"single", HF_HOLD_SINGLE}};
    for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
        if (hf_script_accept(parser, policies[i].word)) {
            *policy |= policies[i].bit;
            return true;
        }
    }
    return false;
}

/* One of a hold's terms if it is next: 1; 0: something else is; -1: wrong. */
static int take_term(struct hf_script_parser *parser, struct plan *plan)
{
    struct hf_op_terms *terms = &plan->terms;
    const char *word;
    uint64_t number;
    uint32_t count;
    if (take_policy(parser, &terms->policy))
        return 1;
    if (hf_script_accept(parser, "payee")) {
        plan->is_open = hf_script_accept(parser, "open");
        return plan->is_open || hf_script_wrong(parser, "'payee' goes on with 'open'") ? 1 : -1;
    }
    if (hf_script_accept(parser, "expires")) {
        if (hf_script_accept(parser, "never")) {
            terms->expires_ns = HF_EXPIRES_NEVER;
            return 1;
        }
        return hf_script_take_span(parser, "expires", &plan->expires) ? 1 : -1;
    }
    if (hf_script_accept(parser, "tolerance")) {
        if (!hf_script_next(parser, "tolerance", &word))
            return -1;
        if (!hf_script_read_permille(word, &terms->tolerance)) {
            hf_script_wrong(parser, "tolerance '%s' is not like 15%% or 2.5%%", word);
            return -1;
        }
        return 1;
    }
    if (hf_script_accept(parser, "class")) {
        if (!hf_script_take_numbers(parser, "class", UINT8_MAX, &number, 1, &count))
            return -1;
        terms->class_number = (uint8_t)number;
        return 1;
    }
    if (hf_script_accept(parser, "needs"))
        return parse_conditions(parser, plan) ? 1 : -1;
    return 0;
}

/* What is relative to the time at which the line is played. */
static bool patch_times(struct hf_script_parser *parser, const struct plan *plan, size_t conditions)
{
    struct hf_script_patch *patch;
    if (plan->expires.given) {
        patch = hf_script_add_patch(parser, HF_SCRIPT_PATCH_TIME,
                                    offsetof(struct hf_op_hold_plan, terms.expires_ns));
        if (patch == NULL)
            return false;
        patch->ms = plan->expires.ms;
    }
    for (uint8_t i = 0; i < plan->terms.condition_count; i++) {
        uint8_t kind = plan->conditions[i].kind;
        if (kind != HF_CONDITION_NOT_BEFORE && kind != HF_CONDITION_NOT_AFTER)
            continue;
        patch = hf_script_add_patch(parser, HF_SCRIPT_PATCH_TIME,
                                    conditions + i * sizeof(struct hf_op_condition) +
                                        offsetof(struct hf_op_condition, time_ns));
        if (patch == NULL)
            return false;
        patch->ms = plan->condition_ms[i];
    }
    return true;
}

/* hold NAME plan AMOUNT|all from SOURCES to PAYEE|payee open and, in any order, options and terms
 */
bool hf_script_parse_hold_plan(struct hf_script_parser *parser, const char *name)
{
    struct plan plan = {0};
    struct hf_script_attributes attributes = {0};
    int taken = 1;
    if (!parse_lists(parser, &plan))
        return false;
    while (taken > 0) {
        taken = take_term(parser, &plan);
        if (taken == 0)
            taken = take_plan_option(parser, &plan.fixed, &attributes);
    }
    if (taken < 0)
        return false;
    if (plan.is_open == (plan.fixed.destination_count > 0))
        return hf_script_wrong(parser, "one of `to PAYEE` and `payee open` is needed");
    take_over(&plan.fixed, &attributes);
    size_t entries = plan.entry_count * sizeof plan.entries[0];
    size_t conditions = plan.terms.condition_count * sizeof plan.conditions[0];
    size_t conditions_at = sizeof(struct hf_op_hold_plan) + entries;
    union hf_operation *op =
        hf_script_make_operation(parser, HF_OP_HOLD_PLAN, conditions_at + conditions);
    if (op == NULL || !patch_times(parser, &plan, conditions_at))
        return false;
    op->hold_plan.plan = plan.fixed;
    op->hold_plan.terms = plan.terms;
    memcpy(op->hold_plan.entries, plan.entries, entries);
    memcpy((uint8_t *)op + conditions_at, plan.conditions, conditions);
    return hf_script_name_operation(parser, name, plan.fixed.asset) &&
           hf_script_finish_operation(parser);
}
