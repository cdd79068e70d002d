/* Plans, chains and filters. A plan is put together loosely, around what its sources have, and
 * drawn again until its shape is good. */
#include "draw_inside.h"

#include <assert.h>
#include <string.h>

#define TRIES_MAX 30

/* Filters and attributes come from the same few values. */
static uint16_t draw_mcc(struct draw *draw)
{
    return (uint16_t)PICK(draw, 5411, 5411, 8062, 5812);
}

static uint16_t draw_country(struct draw *draw)
{
    return (uint16_t)PICK(draw, 276, 276, 840);
}

void draw_attributes(struct draw *draw, uint16_t *mcc, uint16_t *country, uint8_t *channel,
                     uint8_t merchant[16])
{
    *mcc = chance(draw, 10) ? 0 : draw_mcc(draw);
    *country = chance(draw, 10) ? 0 : draw_country(draw);
    *channel = (uint8_t)draw_below(draw, 3);
    memcpy(merchant, chance(draw, 85) ? "CORNER SHOP 123" : "CORNER SHOP 124", 16);
}

static uint32_t used_parts(const struct hf_filter *filter)
{
    uint32_t parts = 0;
    for (uint32_t i = 0; i < HF_FILTER_MCCS_MAX; i++)
        if (filter->mccs[i] != 0)
            parts |= HF_FILTER_BY_MCC;
    for (uint32_t i = 0; i < HF_FILTER_COUNTRIES_MAX; i++)
        if (filter->countries[i] != 0)
            parts |= HF_FILTER_BY_COUNTRY;
    if (filter->channels != 0)
        parts |= HF_FILTER_BY_CHANNEL;
    if (filter->merchant[0] != 0)
        parts |= HF_FILTER_BY_MERCHANT;
    return parts;
}

void draw_filter(struct draw *draw, struct hf_filter *filter)
{
    memset(filter, 0, sizeof(*filter));
    if (chance(draw, 50))
        filter->mccs[draw_below(draw, HF_FILTER_MCCS_MAX)] = draw_mcc(draw);
    if (chance(draw, 50))
        filter->mccs[draw_below(draw, HF_FILTER_MCCS_MAX)] = draw_mcc(draw);
    if (chance(draw, 25))
        filter->countries[draw_below(draw, HF_FILTER_COUNTRIES_MAX)] = draw_country(draw);
    if (chance(draw, 25))
        filter->channels = (uint32_t)PICK(draw, 1, 3, 6, 7, 0x80000000);
    if (chance(draw, 15))
        memcpy(filter->merchant, "CORNER SHOP 123", 16);
    if (chance(draw, 50))
        filter->parts = used_parts(filter) & (uint32_t)draw_bits(draw);
}

/* Entries --------------------------------------------------------------------------------- */

/* Accounts that a plan may name, each once. */
struct pool {
    uint32_t count;
    const struct model_account *accounts[MODEL_ACCOUNTS_MAX];
};

static bool is_named(const struct hf_op_entry *entries, uint32_t count, struct hf_id id)
{
    for (uint32_t i = 0; i < count; i++)
        if (hf_id_equal(entries[i].account, id))
            return true;
    return false;
}

static void fill_pool(struct draw *draw, bool whales, uint16_t asset,
                      const struct hf_op_entry *taken, uint32_t taken_count, struct pool *pool)
{
    const struct model_books *books = draw->model->books;
    pool->count = 0;
    for (uint32_t i = 0; i < books->account_count; i++) {
        const struct model_account *account = &books->accounts[i];
        bool fits = account->asset == asset && !account->is_total && is_whale(account) == whales;
        if (!fits && draw_below(draw, 1000) != 0)
            continue;
        if (account->status != HF_ACCOUNT_OPEN && !chance(draw, 10))
            continue;
        if (!is_named(taken, taken_count, account->id))
            pool->accounts[pool->count++] = account;
    }
}

/* Only the children of one total: what binds it binds them together. */
static void keep_siblings(struct draw *draw, struct pool *pool)
{
    struct hf_id parent = {0, 0};
    for (int tries = 0; tries < 6; tries++) {
        parent = pool->accounts[draw_below(draw, pool->count)]->parent;
        const struct model_account *total = model_account_of(draw->model, parent);
        if (total != NULL && total->floor != INT64_MIN)
            break;
    }
    if (parent.lo == 0 && parent.hi == 0)
        return;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < pool->count; i++)
        if (hf_id_equal(pool->accounts[i]->parent, parent))
            pool->accounts[kept++] = pool->accounts[i];
    pool->count = kept;
}

static const struct model_account *take_from_pool(struct draw *draw, struct pool *pool)
{
    assert(pool->count > 0);
    uint64_t at = draw_below(draw, pool->count);
    const struct model_account *account = pool->accounts[at];
    pool->accounts[at] = pool->accounts[--pool->count];
    return account;
}

static uint64_t can_spend(struct draw *draw, const struct model_account *account)
{
    int64_t available = model_available(draw->model, account);
    return available < 0 ? 0 : (uint64_t)available;
}

/* How many entries: mostly few. */
static uint32_t draw_count(struct draw *draw, uint32_t most)
{
    uint64_t count = 1 + draw_below(draw, 4);
    if (chance(draw, 8))
        count = 1 + draw_below(draw, 12);
    if (chance(draw, 1))
        count = most;
    return count < most ? (uint32_t)count : most;
}

static uint64_t draw_fixed(struct draw *draw, const struct model_account *account, bool whales)
{
    uint64_t spendable = can_spend(draw, account);
    if (whales && chance(draw, 30))
        return as_amount((__int128)(draw_bits(draw) >> 1));
    if (spendable == 0 || chance(draw, 20))
        return 1 + draw_below(draw, 100);
    if (chance(draw, 10))
        return as_amount((__int128)spendable + (__int128)draw_below(draw, 2));
    return 1 + draw_below(draw, spendable < 400 ? spendable : 400);
}

/* Ratios of a whole denominator, or of less. */
static void draw_ratios(struct draw *draw, struct hf_op_entry *entries, uint32_t count,
                        uint32_t *denominator)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        entries[i].rule = HF_ENTRY_RATIO;
        entries[i].amount = 1 + draw_below(draw, chance(draw, 5) ? UINT32_MAX / 64 : 100);
        sum += entries[i].amount;
    }
    if (chance(draw, 20))
        sum += draw_below(draw, 20);
    *denominator = (uint32_t)sum;
}

enum style { STYLE_WATERFALL, STYLE_RATIO, STYLE_FIXED, STYLE_MIXED, STYLE_ALL };

/* One source of the style; `sum` is about what it will give. */
static void draw_source(struct draw *draw, enum style style, const struct model_account *account,
                        bool whales, struct hf_op_entry *entry, __int128 *sum)
{
    uint64_t spendable = can_spend(draw, account);
    uint8_t rule = HF_ENTRY_FIXED;
    if (style == STYLE_WATERFALL)
        rule = HF_ENTRY_UP_TO;
    if (style == STYLE_MIXED)
        rule = (uint8_t)PICK(draw, HF_ENTRY_FIXED, HF_ENTRY_UP_TO, HF_ENTRY_UP_TO,
                             HF_ENTRY_EVERYTHING);
    if (style == STYLE_ALL)
        rule = (uint8_t)PICK(draw, HF_ENTRY_FIXED, HF_ENTRY_EVERYTHING);
    entry->rule = rule;
    if (rule == HF_ENTRY_EVERYTHING) {
        *sum += spendable;
        return;
    }
    entry->amount = rule == HF_ENTRY_UP_TO && chance(draw, 50) ? HF_AMOUNT_ALL
                                                               : draw_fixed(draw, account, whales);
    *sum += rule == HF_ENTRY_UP_TO && entry->amount > spendable ? spendable : entry->amount;
}

/* A little more than any of the sources could give by itself under what is above it. */
static uint64_t draw_beyond_one(struct draw *draw, const struct hf_op_plan *plan,
                                const struct hf_op_entry *entries)
{
    uint64_t most = 0;
    for (uint32_t i = 0; i < plan->source_count; i++) {
        const struct model_account *account = model_account_of(draw->model, entries[i].account);
        if (account == NULL)
            continue;
        uint64_t gives = can_spend(draw, account);
        const struct model_account *parent = model_account_of(draw->model, account->parent);
        if (parent != NULL && can_spend(draw, parent) < gives)
            gives = can_spend(draw, parent);
        if (entries[i].amount < gives)
            gives = entries[i].amount;
        most = gives > most ? gives : most;
    }
    return as_amount((__int128)most + 1 + (__int128)draw_below(draw, 50));
}

static void draw_sources(struct draw *draw, struct hf_op_plan *plan, struct hf_op_entry *entries,
                         struct pool *pool, bool whales)
{
    enum style style = (enum style)PICK(draw, STYLE_WATERFALL, STYLE_WATERFALL, STYLE_RATIO,
                                        STYLE_FIXED, STYLE_MIXED, STYLE_ALL);
    uint32_t most = HF_PLAN_SOURCES_MAX;
    if (chance(draw, 15)) {
        plan->method = HF_PLAN_SMALLEST_RESIDUAL;
        plan->choose_max = (uint8_t)(1 + draw_below(draw, HF_PLAN_CHOOSE_MAX));
        style = STYLE_WATERFALL;
        most = chance(draw, 3) ? HF_PLAN_CANDIDATES_MAX : 20;
    }
    plan->source_count = (uint8_t)draw_count(draw, most < pool->count ? most : pool->count);
    __int128 sum = 0;
    for (uint32_t i = 0; i < plan->source_count; i++) {
        const struct model_account *account = take_from_pool(draw, pool);
        memset(&entries[i], 0, sizeof(entries[i]));
        entries[i].account = chance(draw, 1) ? draw_account_id(draw) : account->id;
        if (style != STYLE_RATIO)
            draw_source(draw, style, account, whales, &entries[i], &sum);
    }
    if (style == STYLE_RATIO)
        draw_ratios(draw, entries, plan->source_count, &plan->source_denominator);
    bool round = plan->method == HF_PLAN_SMALLEST_RESIDUAL && chance(draw, 40);
    for (uint32_t i = 0; round && i < plan->source_count; i++)
        entries[i].amount = 10 * (1 + draw_below(draw, 6)); /* many sets have one sum */
    bool ends_open = style != STYLE_ALL && style != STYLE_WATERFALL && chance(draw, 40);
    if (ends_open && plan->method == HF_PLAN_IN_ORDER) {
        struct hf_op_entry *last = &entries[plan->source_count - 1];
        last->rule = HF_ENTRY_REMAINING;
        last->amount = 0;
        if (plan->source_count == 1)
            plan->source_denominator = 0;
        sum += (__int128)draw_below(draw, 100);
    }
    plan->amount = as_amount(sum);
    if (round)
        plan->amount = 10 * (1 + draw_below(draw, 10));
    else if (plan->method == HF_PLAN_SMALLEST_RESIDUAL && chance(draw, 35))
        plan->amount = draw_beyond_one(draw, plan, entries);
    else if (style == STYLE_RATIO || chance(draw, 10))
        plan->amount = 1 + draw_below(draw, chance(draw, 10) ? UINT64_C(1) << 62 : 500);
    else if (style == STYLE_WATERFALL && chance(draw, 70))
        plan->amount = 1 + draw_below(draw, plan->amount);
    else if (chance(draw, 10))
        plan->amount = as_amount(sum + 1);
    else if (chance(draw, 10))
        plan->amount = as_amount(sum - 1);
    if (style == STYLE_ALL)
        plan->amount = HF_AMOUNT_ALL;
    bool up_to = style == STYLE_WATERFALL || style == STYLE_MIXED;
    if (up_to && plan->method == HF_PLAN_IN_ORDER && chance(draw, 40)) {
        plan->minimum = 1 + draw_below(draw, plan->amount);
        if (chance(draw, 40))
            plan->amount = as_amount((__int128)plan->amount + (__int128)draw_below(draw, 300));
    }
}

static void draw_destinations(struct draw *draw, struct hf_op_plan *plan,
                              struct hf_op_entry *entries, struct pool *pool)
{
    uint32_t most = HF_PLAN_DESTINATIONS_MAX < pool->count ? HF_PLAN_DESTINATIONS_MAX : pool->count;
    plan->destination_count = (uint8_t)draw_count(draw, most);
    uint32_t count = plan->destination_count;
    uint64_t left = plan->amount > (uint64_t)INT64_MAX ? 100 : plan->amount;
    bool ratios = chance(draw, 35);
    for (uint32_t i = 0; i < count; i++) {
        memset(&entries[i], 0, sizeof(entries[i]));
        entries[i].account =
            chance(draw, 1) ? draw_account_id(draw) : take_from_pool(draw, pool)->id;
        if (chance(draw, 40)) {
            entries[i].rule = HF_ENTRY_UP_TO;
            entries[i].amount = chance(draw, 50) ? HF_AMOUNT_ALL : 1 + draw_below(draw, 300);
        } else {
            entries[i].rule = HF_ENTRY_FIXED;
            entries[i].amount = left <= 1 ? 1 : 1 + draw_below(draw, i + 1 < count ? left / 2 : 2);
            left -= entries[i].amount < left ? entries[i].amount : left;
        }
    }
    if (ratios)
        draw_ratios(draw, entries, count, &plan->destination_denominator);
    if (!ratios && chance(draw, 85)) {
        entries[count - 1].rule = HF_ENTRY_REMAINING;
        entries[count - 1].amount = 0;
    }
}

/* The fixed part and the sources; the accounts that are left over are in the pool. */
static bool begin_plan(struct draw *draw, struct hf_op_plan *plan, struct hf_op_entry *entries,
                       struct pool *pool)
{
    bool whales = chance(draw, 4);
    const struct model_account *first = draw_account(draw, whales);
    if (first == NULL)
        return false;
    memset(plan, 0, sizeof(*plan));
    plan->asset = first->asset;
    draw_attributes(draw, &plan->mcc, &plan->country, &plan->channel, plan->merchant);
    plan->reference = (uint32_t)draw_bits(draw);
    fill_pool(draw, whales, plan->asset, NULL, 0, pool);
    if (pool->count < 2)
        return false;
    if (chance(draw, 50))
        keep_siblings(draw, pool);
    draw_sources(draw, plan, entries, pool, whales);
    fill_pool(draw, whales, plan->asset, entries, plan->source_count, pool);
    return true;
}

/* What is drawn when there are no accounts to speak of. */
static void draw_poor_plan(struct draw *draw, struct hf_op_plan *plan, struct hf_op_entry *entries)
{
    memset(plan, 0, sizeof(*plan));
    memset(entries, 0, 2 * sizeof(entries[0]));
    plan->asset = 1;
    plan->amount = 1 + draw_below(draw, 100);
    plan->source_count = 1;
    plan->destination_count = 1;
    entries[0].account = draw_account_id(draw);
    entries[1].account = (struct hf_id){.lo = ~entries[0].account.lo, .hi = 77};
    entries[0].rule = HF_ENTRY_REMAINING;
    entries[1].rule = HF_ENTRY_REMAINING;
}

static bool is_good(const void *operation)
{
    return model_check(operation, HF_OPERATION_LENGTH_MAX).code == HF_CODE_OK;
}

void draw_move_plan(struct draw *draw, struct hf_op_move_plan *move)
{
    for (int tries = 0;; tries++) {
        struct pool pool;
        bool rich = tries < TRIES_MAX && begin_plan(draw, &move->plan, move->entries, &pool) &&
                    pool.count > 0;
        if (rich)
            draw_destinations(draw, &move->plan, move->entries + move->plan.source_count, &pool);
        else
            draw_poor_plan(draw, &move->plan, move->entries);
        size_t entries = (size_t)move->plan.source_count + move->plan.destination_count;
        move->header.length = (uint16_t)(sizeof(*move) + entries * sizeof(move->entries[0]));
        if (is_good(move))
            return;
        assert(rich);
    }
}

void draw_hold_plan(struct draw *draw, struct hf_op_hold_plan *hold)
{
    for (int tries = 0;; tries++) {
        struct pool pool;
        bool rich = tries < TRIES_MAX && begin_plan(draw, &hold->plan, hold->entries, &pool) &&
                    pool.count > 0;
        draw_terms(draw, &hold->terms);
        if (rich && chance(draw, 75)) {
            struct hf_op_entry *entry = &hold->entries[hold->plan.source_count];
            memset(entry, 0, sizeof(*entry));
            entry->account = take_from_pool(draw, &pool)->id;
            entry->rule = HF_ENTRY_REMAINING;
            hold->plan.destination_count = 1;
        }
        if (!rich)
            draw_poor_plan(draw, &hold->plan, hold->entries);
        size_t entries = (size_t)hold->plan.source_count + hold->plan.destination_count;
        hold->header.length =
            (uint16_t)(sizeof(*hold) + entries * sizeof(hold->entries[0]) +
                       hold->terms.condition_count * sizeof(struct hf_op_condition));
        struct hf_op_condition *conditions = (void *)(hold->entries + entries);
        for (uint32_t i = 0; i < hold->terms.condition_count; i++)
            draw_condition(draw, &conditions[i]);
        if (is_good(hold))
            return;
        assert(rich);
    }
}

/* Chains ---------------------------------------------------------------------------------- */

static bool is_about_hold(uint8_t type)
{
    return type == HF_OP_CAPTURE || type == HF_OP_RELEASE || type == HF_OP_ADJUST ||
           type == HF_OP_ATTEST;
}

static bool makes_hold(uint8_t type)
{
    return type == HF_OP_HOLD || type == HF_OP_HOLD_PLAN || type == HF_OP_AUTH;
}

static bool is_about_card(uint8_t type)
{
    return type == HF_OP_INCREMENT || type == HF_OP_REVERSE || type == HF_OP_CLEAR;
}

/* The hold that a chain made last. */
struct made {
    struct hf_id id;
    bool is_auth;
    uint16_t asset;
    uint64_t acquirer;
};

/* Who sends it, as whom, and in which money. */
static void aim_at_made(union hf_operation *operation, const struct made *made)
{
    /* The hold or original stands first in the bodies of all of them. */
    operation->release.hold = made->id;
    switch (operation->header.type) {
    case HF_OP_INCREMENT:
        operation->increment.acquirer = made->acquirer;
        operation->increment.asset = made->asset;
        break;
    case HF_OP_REVERSE:
        operation->reverse.acquirer = made->acquirer;
        operation->reverse.asset = made->asset;
        break;
    case HF_OP_CLEAR:
        operation->clear.acquirer = made->acquirer;
        operation->clear.asset = made->asset;
        operation->clear.token = (struct hf_id){0, 0};
        operation->clear.payee = (struct hf_id){0, 0};
        break;
    default:
        break;
    }
}

static uint8_t draw_link_type(struct draw *draw, bool about_cards, const struct made *made)
{
    static const uint8_t types[] = {
        HF_OP_MOVE,        HF_OP_MOVE,          HF_OP_MOVE_PLAN, HF_OP_HOLD,
        HF_OP_HOLD,        HF_OP_HOLD_PLAN,     HF_OP_CAPTURE,   HF_OP_CAPTURE,
        HF_OP_RELEASE,     HF_OP_ADJUST,        HF_OP_ATTEST,    HF_OP_AUTH,
        HF_OP_ACCOUNT_PUT, HF_OP_ACCOUNT_PUT,   HF_OP_CLASS_PUT, HF_OP_INSTRUMENT_PUT,
        HF_OP_ASSET_PUT,   HF_OP_ACCOUNT_CLOSE, HF_OP_LIMIT_PUT, HF_OP_AUTH,
        HF_OP_REVERSE,     HF_OP_CLEAR,         HF_OP_INCREMENT};
    uint8_t type = types[draw_below(draw, sizeof(types))];
    if (about_cards)
        type = (uint8_t)PICK(draw, HF_OP_AUTH, HF_OP_AUTH, HF_OP_AUTH, HF_OP_LIMIT_PUT, HF_OP_MOVE,
                             HF_OP_CLEAR, HF_OP_REVERSE);
    if (made->is_auth && chance(draw, about_cards ? 65 : 40))
        return (uint8_t)PICK(draw, HF_OP_CLEAR, HF_OP_CLEAR, HF_OP_REVERSE, HF_OP_INCREMENT);
    bool has_made = made->id.lo != 0 || made->id.hi != 0;
    if (has_made && chance(draw, 40))
        type = (uint8_t)PICK(draw, HF_OP_CAPTURE, HF_OP_RELEASE, HF_OP_ADJUST);
    return type;
}

/* One operation of a chain; `made` is the hold that the chain made last, if any. */
static void draw_link(struct draw *draw, union hf_operation *operation, bool about_cards,
                      struct made *made, uint32_t *origin)
{
    uint8_t type = draw_link_type(draw, about_cards, made);
    bool has_made = made->id.lo != 0 || made->id.hi != 0;
    draw_header(draw, type, &operation->header);
    operation->header.origin = *origin;
    draw_body(draw, operation);
    if (is_about_hold(type) || is_about_card(type)) {
        bool aims = has_made && type != HF_OP_ATTEST && (!is_about_card(type) || made->is_auth);
        if (aims && chance(draw, 75))
            aim_at_made(operation, made);
        else
            *origin = operation->header.origin;
    }
    /* Without its flag a dry run to close an account would close it. */
    if (type == HF_OP_ACCOUNT_CLOSE && (operation->header.flags & HF_OP_DRY_RUN) != 0)
        operation->account_close.account.hi ^= UINT64_C(1) << 40;
    if (makes_hold(type))
        *made = (struct made){.id = operation->header.id, .is_auth = type == HF_OP_AUTH};
    if (type == HF_OP_AUTH) {
        made->asset = operation->auth.asset;
        made->acquirer = operation->auth.acquirer;
    }
    operation->header.flags = 0;
    operation->header.origin = 0;
    operation->header.deadline_ns = 0;
}

void draw_chain(struct draw *draw, struct hf_op_chain *chain)
{
    static union model_operation link;
    uint64_t wanted = chance(draw, 3) ? HF_CHAIN_OPERATIONS_MAX : 1 + draw_below(draw, 4);
    bool about_cards = chance(draw, 30);
    struct made made = {0};
    chain->header.length = sizeof(*chain);
    chain->count = 0;
    for (int tries = 0; chain->count < wanted && tries < 2 * HF_CHAIN_OPERATIONS_MAX; tries++) {
        memset(&link, 0, sizeof(link));
        draw_link(draw, &link.operation, about_cards, &made, &chain->header.origin);
        uint16_t length = link.operation.header.length;
        if (chain->header.length + length > HF_OPERATION_LENGTH_MAX)
            continue;
        memcpy((uint8_t *)chain + chain->header.length, &link, length);
        chain->header.length = (uint16_t)(chain->header.length + length);
        chain->count++;
        if (chance(draw, 10))
            draw_remember(draw, &link.operation);
    }
    assert(chain->count > 0);
}

/* Damage ---------------------------------------------------------------------------------- */

static void damage_entry(struct draw *draw, struct hf_op_entry *entries, uint32_t count)
{
    struct hf_op_entry *entry = &entries[draw_below(draw, count)];
    switch (draw_below(draw, 4)) {
    case 0:
        entry->rule = (uint8_t)draw_below(draw, 7);
        break;
    case 1:
        entry->amount = PICK(draw, 0, 1, INT64_MAX, UINT64_MAX, UINT64_MAX - 1, 1000000);
        break;
    case 2:
        entry->account = entries[draw_below(draw, count)].account;
        break;
    default:
        entry->rule = (uint8_t)draw_below(draw, 7);
        entry->amount = 0;
    }
}

static void damage_plan(struct draw *draw, struct hf_op_plan *plan, struct hf_op_entry *entries)
{
    uint32_t count = (uint32_t)plan->source_count + plan->destination_count;
    switch (draw_below(draw, 6)) {
    case 0:
        plan->amount = PICK(draw, 0, UINT64_MAX, UINT64_MAX - 1, 1);
        break;
    case 1:
        plan->minimum = PICK(draw, plan->amount, plan->amount + 1, 1);
        break;
    case 2:
        plan->source_denominator += (uint32_t)draw_below(draw, 3) - 1;
        break;
    case 3:
        plan->destination_denominator += (uint32_t)draw_below(draw, 3) - 1;
        break;
    default:
        damage_entry(draw, entries, count);
    }
}

static void damage_chain(struct draw *draw, struct hf_op_chain *chain)
{
    uint8_t *at = chain->operations;
    for (uint64_t i = draw_below(draw, chain->count); i > 0; i--)
        at += ((struct hf_op_header *)(void *)at)->length;
    struct hf_op_header *header = (void *)at;
    switch (draw_below(draw, 7)) {
    case 0:
        header->type = (uint8_t)PICK(draw, HF_OP_CHAIN, HF_OP_QUERY, HF_OP_EXPIRE, 99, 11);
        break;
    case 1:
        header->flags = (uint8_t)(1 + draw_below(draw, 8));
        break;
    case 2:
        header->origin = 1;
        break;
    case 3:
        header->deadline_ns = 1;
        break;
    case 4:
        header->id = chance(draw, 50) ? chain->header.id
                                      : ((struct hf_op_header *)(void *)chain->operations)->id;
        break;
    case 5:
        header->length = (uint16_t)(header->length + 8);
        break;
    default:
        chain->count = (uint8_t)(chain->count + draw_below(draw, 3) - 1);
    }
}

static void damage_account_put(struct draw *draw, struct hf_op_account_put *put)
{
    switch (draw_below(draw, 3)) {
    case 0:
        put->parent = put->account;
        break;
    case 1:
        put->sink = put->account;
        break;
    default:
        put->filter.parts |= UINT32_C(1) << draw_below(draw, 5);
    }
}

static void damage_instrument_put(struct draw *draw, struct hf_op_instrument_put *put)
{
    struct hf_id *further = &put->further[draw_below(draw, put->further_count)];
    switch (draw_below(draw, 4)) {
    case 0:
        *further = put->account;
        break;
    case 1:
        *further = put->further[0];
        break;
    case 2:
        memset(further, chance(draw, 50) ? 0 : 0xff, sizeof(*further));
        break;
    default:
        put->further_count = (uint8_t)(put->further_count + draw_below(draw, 3) - 1);
    }
}

/* Flags and originals. */
static void damage_card(struct draw *draw, union hf_operation *operation)
{
    switch (operation->header.type) {
    case HF_OP_AUTH:
        operation->auth.auth_flags = (uint8_t)draw_below(draw, 6);
        if (chance(draw, 50))
            operation->auth.minimum = operation->auth.amount;
        break;
    case HF_OP_CLEAR:
        operation->clear.clear_flags = (uint8_t)draw_below(draw, 6);
        if (chance(draw, 50))
            operation->clear.original =
                chance(draw, 60) ? (struct hf_id){0, 0} : operation->header.id;
        break;
    case HF_OP_INCREMENT:
    case HF_OP_REVERSE:
        operation->reverse.original =
            chance(draw, 60) ? operation->header.id : (struct hf_id){0, 0};
        break;
    default:
        break;
    }
}

void draw_damage_list(struct draw *draw, union hf_operation *operation)
{
    damage_card(draw, operation);
    if (operation->header.type == HF_OP_INSTRUMENT_PUT &&
        operation->instrument_put.further_count > 0)
        damage_instrument_put(draw, &operation->instrument_put);
    if (operation->header.type == HF_OP_ACCOUNT_PUT &&
        operation->header.length == sizeof(operation->account_put))
        damage_account_put(draw, &operation->account_put);
    if (operation->header.type == HF_OP_LIMIT_PUT)
        operation->limit_put.filter.parts |= UINT32_C(1) << draw_below(draw, 5);
    if (operation->header.type == HF_OP_CHAIN && operation->chain.count > 0)
        damage_chain(draw, &operation->chain);
    if (operation->header.type == HF_OP_MOVE_PLAN)
        damage_plan(draw, &operation->move_plan.plan, operation->move_plan.entries);
    if (operation->header.type == HF_OP_HOLD_PLAN)
        damage_plan(draw, &operation->hold_plan.plan, operation->hold_plan.entries);
}
