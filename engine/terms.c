/* Who may have which terms, and what they say about an operation. */
#include "terms.h"

#include "state.h"

#include <assert.h>

static const uint8_t no_merchant[16];
const struct hf_attributes hf_attributes_none = {.merchant = no_merchant};

void hf_terms_create(struct hf_terms_list *terms, struct hf_arena *arena, uint64_t capacity)
{
    uint64_t place_count = 2;

    while (place_count < 2 * capacity)
        place_count *= 2;
    assert(place_count - 1 <= UINT32_MAX);
    terms->list = hf_arena_take(arena, capacity, sizeof(struct hf_terms));
    terms->filters = hf_arena_take(arena, capacity, sizeof(struct hf_filter));
    terms->places = hf_arena_take(arena, place_count, sizeof(uint32_t));
    terms->place_mask = (uint32_t)(place_count - 1);
    terms->count = 0;
    terms->capacity = (uint32_t)capacity;
}

/* The place of an id: where its number is, or where it goes. There is always a free one. */
static uint32_t *place_of(const struct hf_terms_list *terms, struct hf_id id)
{
    uint32_t place = (uint32_t)hf_id_hash(id) & terms->place_mask;

    while (terms->places[place] != 0 && !hf_id_equal(terms->list[terms->places[place] - 1].id, id))
        place = (place + 1) & terms->place_mask;
    return &terms->places[place];
}

struct hf_terms *hf_terms_find(const struct hf_terms_list *terms, struct hf_id account)
{
    uint32_t place = *place_of(terms, account);

    assert(place != 0);
    assert(place <= terms->count);
    return &terms->list[place - 1];
}

struct hf_terms *hf_terms_add(struct hf_ledger *ledger, struct hf_account *account)
{
    struct hf_terms_list *terms = &ledger->terms;
    uint32_t *place = place_of(terms, account->id);

    assert(terms->count < terms->capacity);
    assert((account->flags & HF_ACCOUNT_HAS_TERMS) == 0);
    assert(*place == 0);
    hf_undo_keep(&ledger->undo, &terms->count, sizeof(terms->count));
    hf_undo_keep(&ledger->undo, place, sizeof(*place));
    hf_undo_keep(&ledger->undo, account, sizeof(*account));
    account->flags |= HF_ACCOUNT_HAS_TERMS;
    struct hf_terms *line = &terms->list[terms->count];
    *line = (struct hf_terms){
        .id = account->id,
        .ceiling = HF_CEILING_NONE,
        .account = hf_table_slot(&ledger->accounts, account),
        .parent = HF_TABLE_NONE,
        .sink = HF_TABLE_NONE,
    };
    terms->filters[terms->count] = (struct hf_filter){0};
    *place = ++terms->count;
    return line;
}

struct hf_account *hf_terms_parent(const struct hf_ledger *ledger, const struct hf_account *account)
{
    const struct hf_terms *terms = hf_terms_of(&ledger->terms, account);

    if (terms == NULL || terms->parent == HF_TABLE_NONE)
        return NULL;
    return hf_account_at(&ledger->accounts, terms->parent);
}

static bool is_empty(const struct hf_filter *filter)
{
    static const struct hf_filter empty;

    return memcmp(filter, &empty, sizeof(empty)) == 0;
}

struct hf_filter hf_filter_kept(const struct hf_filter *filter)
{
    struct hf_filter kept = *filter;

    kept.parts = 0;
    return kept;
}

void hf_terms_set_filter(struct hf_ledger *ledger, const struct hf_account *account,
                         const struct hf_filter *filter)
{
    struct hf_terms *terms = hf_terms_of(&ledger->terms, account);

    ledger->terms.filters[hf_terms_number(&ledger->terms, terms)] = *filter;
    terms->has_filter = !is_empty(filter);
}

/* ---- giving them ---- */

static bool is_long(const struct hf_op_account_put *put)
{
    return put->header.length == sizeof(*put);
}

/* Does it ask for anything that a plain account has not? */
static bool wants_terms(const struct hf_op_account_put *put)
{
    return is_long(put) && (put->ceiling != HF_CEILING_NONE || put->expires_ns != 0 ||
                            !hf_id_is_zero(put->parent) || !hf_id_is_zero(put->sink) ||
                            !is_empty(&put->filter) || put->flags != 0);
}

static struct hf_verdict refusal(uint16_t code, uint8_t rule)
{
    return (struct hf_verdict){code, rule, 0};
}

/* Parent and being a total are for life. */
static bool is_of_same_family(const struct hf_ledger *ledger, const struct hf_account *account,
                              const struct hf_op_account_put *put)
{
    const struct hf_account *parent = hf_terms_parent(ledger, account);
    struct hf_id parent_id = parent == NULL ? (struct hf_id){0} : parent->id;
    bool is_total = (account->flags & HF_ACCOUNT_IS_TOTAL) != 0;

    return hf_id_equal(parent_id, put->parent) &&
           is_total == ((put->flags & HF_ACCOUNT_TOTAL) != 0);
}

static struct hf_verdict check_parent(const struct hf_ledger *ledger,
                                      const struct hf_op_account_put *put)
{
    const struct hf_account *parent = hf_ledger_find_account(ledger, put->parent);

    if (parent == NULL)
        return refusal(HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_PARENT);
    if ((parent->flags & HF_ACCOUNT_IS_TOTAL) == 0)
        return refusal(HF_CODE_NOT_PERMITTED, HF_RULE_PARENT);
    if (parent->asset != put->asset)
        return refusal(HF_CODE_ASSET_MISMATCH, HF_RULE_PARENT);
    if (parent->status == HF_ACCOUNT_CLOSED)
        return refusal(HF_CODE_CLOSED, HF_RULE_PARENT);
    if (hf_terms_of(&ledger->terms, parent)->depth + 1 > HF_PARENT_DEPTH_MAX)
        return refusal(HF_CODE_CAPACITY, HF_RULE_PARENT);
    return refusal(HF_CODE_OK, HF_RULE_NONE);
}

static struct hf_verdict check_sink(const struct hf_ledger *ledger,
                                    const struct hf_op_account_put *put)
{
    const struct hf_account *sink = hf_ledger_find_account(ledger, put->sink);

    if (sink == NULL)
        return refusal(HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_SINK);
    if ((sink->flags & HF_ACCOUNT_IS_TOTAL) != 0)
        return refusal(HF_CODE_IS_TOTAL, HF_RULE_SINK);
    if (sink->asset != put->asset)
        return refusal(HF_CODE_ASSET_MISMATCH, HF_RULE_SINK);
    return refusal(HF_CODE_OK, HF_RULE_NONE);
}

struct hf_verdict hf_terms_check(const struct hf_ledger *ledger,
                                 const struct hf_op_account_put *put,
                                 const struct hf_account *known)
{
    struct hf_verdict verdict = refusal(HF_CODE_OK, HF_RULE_NONE);
    bool has_terms = known != NULL && (known->flags & HF_ACCOUNT_HAS_TERMS) != 0;

    if (is_long(put)) {
        if (known != NULL && !is_of_same_family(ledger, known, put))
            return refusal(HF_CODE_NOT_PERMITTED, HF_RULE_PARENT);
        if (known == NULL && !hf_id_is_zero(put->parent))
            verdict = check_parent(ledger, put);
        if (verdict.code == HF_CODE_OK && !hf_id_is_zero(put->sink))
            verdict = check_sink(ledger, put);
        if (verdict.code != HF_CODE_OK)
            return verdict;
    }
    if (known == NULL && ledger->accounts.count == ledger->accounts.capacity)
        return refusal(HF_CODE_CAPACITY, HF_RULE_TABLE);
    if (wants_terms(put) && !has_terms && ledger->terms.count == ledger->terms.capacity)
        return refusal(HF_CODE_CAPACITY, HF_RULE_TABLE);
    return verdict;
}

/* A new account takes its place below a total. */
static void join(struct hf_ledger *ledger, struct hf_terms *terms, struct hf_account *parent)
{
    struct hf_terms *above = hf_terms_of(&ledger->terms, parent);

    assert(above != NULL);
    assert(above->depth < HF_PARENT_DEPTH_MAX);
    hf_undo_keep(&ledger->undo, above, sizeof(*above));
    above->children++;
    terms->parent = hf_table_slot(&ledger->accounts, parent);
    terms->depth = (uint8_t)(above->depth + 1);
}

void hf_terms_set(struct hf_ledger *ledger, struct hf_account *account,
                  const struct hf_op_account_put *put, bool is_new)
{
    struct hf_terms *terms = hf_terms_of(&ledger->terms, account);

    if (!is_long(put) || (terms == NULL && !wants_terms(put)))
        return;
    if (terms == NULL)
        terms = hf_terms_add(ledger, account);
    struct hf_filter *filter = &ledger->terms.filters[hf_terms_number(&ledger->terms, terms)];
    const struct hf_filter kept = hf_filter_kept(&put->filter);
    hf_undo_keep(&ledger->undo, terms, sizeof(*terms));
    hf_undo_keep(&ledger->undo, filter, sizeof(*filter));
    if (is_new && !hf_id_is_zero(put->parent))
        join(ledger, terms, hf_ledger_find_account(ledger, put->parent));
    if (is_new && (put->flags & HF_ACCOUNT_TOTAL) != 0)
        account->flags |= HF_ACCOUNT_IS_TOTAL;
    terms->ceiling = put->ceiling;
    terms->expires_ns = put->expires_ns;
    terms->sink = HF_TABLE_NONE;
    if (!hf_id_is_zero(put->sink))
        terms->sink = hf_table_slot(&ledger->accounts, hf_ledger_find_account(ledger, put->sink));
    hf_terms_set_filter(ledger, account, &kept);
    hf_expire_watch(ledger, account);
}

/* ---- what they say ---- */

/* Is the list empty (all its places 0), or is the value in it? */
static bool is_listed(const uint16_t list[], uint32_t count, uint16_t value)
{
    bool is_used = false;

    for (uint32_t i = 0; i < count; i++) {
        is_used |= list[i] != 0;
        if (list[i] != 0 && list[i] == value)
            return true;
    }
    return !is_used;
}

bool hf_filter_passes(const struct hf_filter *filter, const struct hf_attributes *attributes)
{
    if (!is_listed(filter->mccs, HF_FILTER_MCCS_MAX, attributes->mcc) ||
        !is_listed(filter->countries, HF_FILTER_COUNTRIES_MAX, attributes->country))
        return false;
    if (filter->channels != 0 &&
        (attributes->channel >= 32 || (filter->channels >> attributes->channel & 1) == 0))
        return false;
    return memcmp(filter->merchant, no_merchant, sizeof(no_merchant)) == 0 ||
           memcmp(filter->merchant, attributes->merchant, sizeof(filter->merchant)) == 0;
}

uint16_t hf_terms_standing(const struct hf_ledger *ledger, const struct hf_account *account,
                           uint16_t asset, const struct hf_attributes *attributes)
{
    const struct hf_terms *terms = hf_terms_of(&ledger->terms, account);

    if ((account->flags & HF_ACCOUNT_IS_TOTAL) != 0)
        return HF_CODE_IS_TOTAL;
    if (account->asset != asset)
        return HF_CODE_ASSET_MISMATCH;
    if (account->status == HF_ACCOUNT_CLOSED)
        return HF_CODE_CLOSED;
    if (account->status == HF_ACCOUNT_FROZEN)
        return HF_CODE_RESTRICTED;
    if (terms == NULL)
        return HF_CODE_OK;
    if (terms->expires_ns != 0 && ledger->bundle_ns >= terms->expires_ns)
        return HF_CODE_EXPIRED;
    if (attributes != NULL && terms->has_filter != 0 &&
        !hf_filter_passes(&ledger->terms.filters[hf_terms_number(&ledger->terms, terms)],
                          attributes))
        return HF_CODE_NOT_PERMITTED;
    return HF_CODE_OK;
}
