/* The model's money: balances, standing, guards, and plans of several sources and destinations.
 * Every sum is made in 128 bits, where none overflows, and then compared with what 64 bits can
 * hold. */
#include "model_inside.h"

#include <assert.h>
#include <string.h>

/* Balances -------------------------------------------------------------------------------- */

static void add_balance(struct model_balance *to, const struct model_balance *change)
{
    to->posted += change->posted;
    to->held_out += change->held_out;
    to->held_in += change->held_in;
    to->lifetime_debits += change->lifetime_debits;
}

static struct model_balance own_balance_of(const struct model_account *account)
{
    return (struct model_balance){.posted = account->posted,
                                  .held_out = (wide)account->held_out,
                                  .held_in = (wide)account->held_in,
                                  .lifetime_debits = (wide)account->lifetime_debits};
}

struct model_balance balance_of(struct model_books *books, const struct model_account *account)
{
    if (!account->is_total)
        return own_balance_of(account);
    struct model_balance sum = {0};
    for (uint32_t i = 0; i < books->account_count; i++) {
        if (!same_id(books->accounts[i].parent, account->id))
            continue;
        struct model_balance child = balance_of(books, &books->accounts[i]);
        add_balance(&sum, &child);
    }
    return sum;
}

/* From the last account on: an account has all its children's by the time its parent gets its. */
void model_balances_of(const struct model *model, struct model_balance balances[])
{
    const struct model_books *books = model->books;
    for (uint32_t i = 0; i < books->account_count; i++)
        balances[i] = books->accounts[i].is_total ? (struct model_balance){0}
                                                  : own_balance_of(&books->accounts[i]);
    for (uint32_t i = books->account_count; i-- > 0;) {
        if (no_id(books->accounts[i].parent))
            continue;
        assert(books->accounts[i].parent_at < i);
        add_balance(&balances[books->accounts[i].parent_at], &balances[i]);
    }
}

static wide spendable_in(const struct model_balance *balance)
{
    return balance->posted - balance->held_out;
}

static wide incoming_in(const struct model_balance *balance)
{
    return balance->posted + balance->held_in;
}

wide spendable_of(struct model_books *books, const struct model_account *account)
{
    struct model_balance balance = balance_of(books, account);
    return spendable_in(&balance);
}

wide available_in(const struct model_account *account, const struct model_balance *balance)
{
    if (account->floor == INT64_MIN)
        return INT64_MAX;
    wide available = spendable_in(balance) - account->floor;
    if (available > INT64_MAX)
        return INT64_MAX;
    return available < INT64_MIN ? INT64_MIN : available;
}

int64_t model_available(const struct model *model, const struct model_account *account)
{
    struct model_balance balance = balance_of(model->books, account);
    return (int64_t)available_in(account, &balance);
}

/* Standing -------------------------------------------------------------------------------- */

uint16_t standing_kind(const struct model_account *account, uint16_t asset)
{
    if (account->is_total)
        return HF_CODE_IS_TOTAL;
    return account->asset == asset ? HF_CODE_OK : HF_CODE_ASSET_MISMATCH;
}

static bool is_listed(const uint16_t list[], uint32_t count, uint16_t wanted)
{
    bool empty = true;
    for (uint32_t i = 0; i < count; i++) {
        if (list[i] == 0)
            continue;
        empty = false;
        if (list[i] == wanted)
            return true;
    }
    return empty;
}

bool model_filter_passes(const struct hf_filter *filter, const struct model_attributes *attributes)
{
    static const uint8_t any[16];
    if (!is_listed(filter->mccs, HF_FILTER_MCCS_MAX, attributes->mcc))
        return false;
    if (!is_listed(filter->countries, HF_FILTER_COUNTRIES_MAX, attributes->country))
        return false;
    if (filter->channels != 0 &&
        (attributes->channel >= 32 || (filter->channels >> attributes->channel & 1) == 0))
        return false;
    return memcmp(filter->merchant, any, 16) == 0 ||
           memcmp(filter->merchant, attributes->merchant, 16) == 0;
}

uint16_t standing_rest(const struct turn *turn, const struct model_account *account,
                       const struct model_attributes *attributes)
{
    if (account->status == HF_ACCOUNT_CLOSED)
        return HF_CODE_CLOSED;
    if (account->status == HF_ACCOUNT_FROZEN)
        return HF_CODE_RESTRICTED;
    if (account->expires_ns != 0 && turn->now_ns >= account->expires_ns)
        return HF_CODE_EXPIRED;
    if (attributes != NULL && !model_filter_passes(&account->filter, attributes))
        return HF_CODE_NOT_PERMITTED;
    return HF_CODE_OK;
}

uint16_t standing(const struct turn *turn, const struct model_account *account, uint16_t asset,
                  const struct model_attributes *attributes)
{
    uint16_t code = standing_kind(account, asset);
    return code != HF_CODE_OK ? code : standing_rest(turn, account, attributes);
}

/* Legs and guards ------------------------------------------------------------------------- */

void begin_plan(struct plan *plan)
{
    plan->count = 0;
    plan->named = 0;
}

static struct leg *find_leg(struct plan *plan, const struct model_account *account)
{
    for (uint32_t i = 0; i < plan->count; i++)
        if (plan->legs[i].account == account)
            return &plan->legs[i];
    return NULL;
}

void add_leg(struct plan *plan, struct model_account *account, struct model_balance change,
             uint8_t rule, uint8_t entry, bool is_debit)
{
    struct leg *leg = find_leg(plan, account);
    if (leg == NULL) {
        assert(plan->count < MODEL_LEGS_MAX);
        leg = &plan->legs[plan->count++];
        *leg = (struct leg){.account = account, .rule = rule, .entry = entry};
        plan->named = plan->count;
    }
    add_balance(&leg->change, &change);
    leg->is_debit = leg->is_debit || is_debit;
}

static bool is_above(struct model_books *books, const struct model_account *above,
                     const struct model_account *account)
{
    while (!no_id(account->parent)) {
        account = find_account(books, account->parent);
        if (account == above)
            return true;
    }
    return false;
}

/* The account's balance after what the plan says so far. */
static struct model_balance balance_with(struct model_books *books, const struct plan *plan,
                                         const struct model_account *account)
{
    struct model_balance balance = balance_of(books, account);
    for (uint32_t i = 0; i < plan->named; i++)
        if (plan->legs[i].account == account || is_above(books, account, plan->legs[i].account))
            add_balance(&balance, &plan->legs[i].change);
    return balance;
}

wide can_pay(struct model_books *books, const struct plan *plan,
             const struct model_account *account)
{
    wide least = INT64_MAX;
    while (account != NULL) {
        struct model_balance balance = balance_with(books, plan, account);
        wide available = available_in(account, &balance);
        if (available < least)
            least = available;
        account = no_id(account->parent) ? NULL : find_account(books, account->parent);
    }
    return least < 0 ? 0 : least;
}

static wide room_of(struct model_books *books, const struct plan *plan,
                    const struct model_account *account)
{
    wide least = INT64_MAX;
    while (account != NULL) {
        struct model_balance balance = balance_with(books, plan, account);
        if (account->ceiling != INT64_MAX && account->ceiling - incoming_in(&balance) < least)
            least = account->ceiling - incoming_in(&balance);
        account = no_id(account->parent) ? NULL : find_account(books, account->parent);
    }
    return least < 0 ? 0 : least;
}

static void add_ancestors(struct model_books *books, struct plan *plan)
{
    for (uint32_t i = 0; i < plan->named; i++) {
        const struct model_account *account = plan->legs[i].account;
        while (!no_id(account->parent)) {
            struct model_account *above = find_account(books, account->parent);
            account = above;
            if (find_leg(plan, above) != NULL)
                continue;
            assert(plan->count < MODEL_LEGS_MAX);
            struct leg *leg = &plan->legs[plan->count++];
            *leg = (struct leg){
                .account = above, .rule = HF_RULE_PARENT, .entry = plan->legs[i].entry};
            for (uint32_t n = 0; n < plan->named; n++)
                if (is_above(books, above, plan->legs[n].account))
                    add_balance(&leg->change, &plan->legs[n].change);
            leg->is_debit = spendable_in(&leg->change) < 0;
        }
    }
}

void forgive(struct outcome *forgiven, struct outcome refusal)
{
    if (forgiven->code == HF_CODE_OK)
        *forgiven = refusal;
}

void loosen_bounds(const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        plan->legs[i].account->floor_raised = true;
        plan->legs[i].account->ceiling_lowered = true;
    }
}

/* What the bounds of an account say, which one may forgive. */
static uint16_t guard_floor(const struct leg *leg, wide spendable)
{
    const struct model_account *account = leg->account;
    bool binds = account->floor != INT64_MIN && leg->is_debit;
    return binds && spendable < account->floor ? HF_CODE_INSUFFICIENT : HF_CODE_OK;
}

static uint16_t guard_ceiling(const struct leg *leg, wide incoming)
{
    const struct model_account *account = leg->account;
    bool binds = account->ceiling != INT64_MAX && incoming_in(&leg->change) > 0;
    return binds && incoming > account->ceiling ? HF_CODE_CEILING : HF_CODE_OK;
}

static struct outcome guard(struct model_books *books, const struct leg *leg,
                            struct outcome *forgiven)
{
    struct model_balance after = balance_of(books, leg->account);
    add_balance(&after, &leg->change);
    wide spendable = spendable_in(&after);
    wide incoming = incoming_in(&after);
    struct outcome refusal = refuse(HF_CODE_OVERFLOW, leg->rule, leg->entry, NULL);
    struct outcome bound = refuse(guard_floor(leg, spendable), leg->rule, leg->entry, NULL);
    if (bound.code != HF_CODE_OK && forgiven == NULL)
        return bound;
    if (bound.code != HF_CODE_OK)
        forgive(forgiven, bound);
    if (spendable < INT64_MIN || after.lifetime_debits > UINT64_MAX || after.held_out > INT64_MAX)
        return refusal;
    bound.code = guard_ceiling(leg, incoming);
    if (bound.code != HF_CODE_OK && forgiven == NULL)
        return bound;
    if (bound.code != HF_CODE_OK)
        forgive(forgiven, bound);
    return incoming > INT64_MAX ? refusal : approve(0, NULL);
}

struct outcome pass_guards(struct model_books *books, struct plan *plan, struct outcome *forgiven)
{
    add_ancestors(books, plan);
    for (uint32_t i = 0; i < plan->count; i++) {
        struct outcome outcome = guard(books, &plan->legs[i], forgiven);
        if (outcome.code != HF_CODE_OK)
            return outcome;
    }
    return approve(0, NULL);
}

void apply_plan(const struct turn *turn, const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct leg *leg = &plan->legs[i];
        struct model_account *account = leg->account;
        if (!account->is_total) {
            struct model_balance after = balance_of(turn->model->books, account);
            add_balance(&after, &leg->change);
            assert(after.posted >= INT64_MIN);
            assert(after.posted <= INT64_MAX);
            assert(after.held_out >= 0);
            assert(after.held_in >= 0);
            assert(after.held_in <= UINT64_MAX);
            account->posted = (int64_t)after.posted;
            account->held_out = (uint64_t)after.held_out;
            account->held_in = (uint64_t)after.held_in;
            account->lifetime_debits = (uint64_t)after.lifetime_debits;
        }
        if (leg->change.posted != 0)
            add_event(turn, HF_EVENT_POSTED, account->id, leg->change.posted, account->asset, 0);
    }
}

/* One payer, one payee -------------------------------------------------------------------- */

struct outcome check_parties(const struct turn *turn, struct hf_id payer_id, struct hf_id payee_id,
                             uint16_t asset, const struct model_attributes *attributes)
{
    struct model_books *books = turn->model->books;
    if (same_id(payer_id, payee_id))
        return refuse(HF_CODE_SAME_ACCOUNT, HF_RULE_PAYER, 0, NULL);
    struct model_account *payer = find_account(books, payer_id);
    struct model_account *payee = find_account(books, payee_id);
    if (payer == NULL)
        return refuse(HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_PAYER, 0, NULL);
    if (payee == NULL)
        return refuse(HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_PAYEE, 0, payer);
    uint16_t code;
    if ((code = standing_kind(payer, asset)) != HF_CODE_OK)
        return refuse(code, HF_RULE_PAYER, 0, payer);
    if ((code = standing_kind(payee, asset)) != HF_CODE_OK)
        return refuse(code, HF_RULE_PAYEE, 0, payer);
    if ((code = standing_rest(turn, payer, attributes)) != HF_CODE_OK)
        return refuse(code, HF_RULE_PAYER, 0, payer);
    if ((code = standing_rest(turn, payee, NULL)) != HF_CODE_OK)
        return refuse(code, HF_RULE_PAYEE, 0, payer);
    return approve(0, payer);
}

struct outcome check_amount(const struct turn *turn, struct hf_id payer_id, struct hf_id payee_id,
                            uint64_t amount, bool holds, struct plan *plan)
{
    struct model_books *books = turn->model->books;
    struct model_account *payer = find_account(books, payer_id);
    wide sum = (wide)amount;
    struct model_balance taken = {.posted = -sum, .lifetime_debits = sum};
    struct model_balance given = {.posted = sum};
    if (holds) {
        taken = (struct model_balance){.held_out = sum};
        given = (struct model_balance){.held_in = sum};
    }
    begin_plan(plan);
    add_leg(plan, payer, taken, HF_RULE_PAYER, 0, true);
    add_leg(plan, find_account(books, payee_id), given, HF_RULE_PAYEE, 0, false);
    struct outcome outcome = pass_guards(books, plan, NULL);
    outcome.account = payer;
    if (outcome.code != HF_CODE_OK)
        return outcome;
    if (holds && model_holds_open(turn->model) >= turn->model->limits.holds)
        return refuse(HF_CODE_CAPACITY, HF_RULE_TABLE, 0, payer);
    return approve(amount, payer);
}

struct outcome check_value(const struct turn *turn, struct hf_id payer_id, struct hf_id payee_id,
                           uint16_t asset, uint64_t amount,
                           const struct model_attributes *attributes, bool holds, struct plan *plan)
{
    struct outcome outcome = check_parties(turn, payer_id, payee_id, asset, attributes);
    if (outcome.code == HF_CODE_OK)
        outcome = check_amount(turn, payer_id, payee_id, amount, holds, plan);
    return outcome;
}

/* Several of them ------------------------------------------------------------------------- */

/* A list of a plan being carried out: its accounts, and which are passed over. */
struct side {
    const struct hf_op_entry *entries;
    uint32_t count;
    uint32_t first; /* number of the first entry, counted through both lists */
    uint32_t denominator;
    uint8_t rule;
    struct model_account *accounts[HF_PLAN_CANDIDATES_MAX];
    uint16_t passed_over[HF_PLAN_CANDIDATES_MAX]; /* the code; OK: it takes part */
};

static uint8_t entry_number(const struct side *side, uint32_t i)
{
    return (uint8_t)(side->first + i);
}

static struct outcome find_side(struct model_books *books, struct side *side,
                                const struct model_account **shown)
{
    for (uint32_t i = 0; i < side->count; i++) {
        side->accounts[i] = find_account(books, side->entries[i].account);
        if (side->accounts[i] == NULL)
            return refuse(HF_CODE_UNKNOWN_ACCOUNT, side->rule, entry_number(side, i), *shown);
        if (*shown == NULL)
            *shown = side->accounts[i];
    }
    return approve(0, *shown);
}

static struct outcome stand_side(const struct turn *turn, struct side *side, uint16_t asset,
                                 const struct model_attributes *attributes)
{
    for (uint32_t i = 0; i < side->count; i++) {
        uint16_t code = standing(turn, side->accounts[i], asset, attributes);
        side->passed_over[i] = code;
        if (code == HF_CODE_OK)
            continue;
        bool binding = code == HF_CODE_IS_TOTAL || code == HF_CODE_ASSET_MISMATCH;
        if (binding || side->entries[i].rule != HF_ENTRY_UP_TO)
            return refuse(code, side->rule, entry_number(side, i), NULL);
    }
    return approve(0, NULL);
}

static bool has_up_to(const struct side *side)
{
    for (uint32_t i = 0; i < side->count; i++)
        if (side->entries[i].rule == HF_ENTRY_UP_TO)
            return true;
    return false;
}

static void share_out(const struct side *side, wide total, wide shares[])
{
    wide missing = total;
    uint64_t parts = 0;
    for (uint32_t i = 0; i < side->count; i++) {
        shares[i] = 0;
        if (side->entries[i].rule != HF_ENTRY_RATIO)
            continue;
        shares[i] = total * (wide)side->entries[i].amount / (wide)side->denominator;
        missing -= shares[i];
        parts += side->entries[i].amount;
    }
    if (parts == 0 || parts != side->denominator)
        return;
    for (uint32_t i = 0; i < side->count && missing > 0; i++) {
        if (side->entries[i].rule != HF_ENTRY_RATIO)
            continue;
        shares[i]++;
        missing--;
    }
    assert(missing == 0);
}

static wide least_of(wide a, wide b)
{
    return a < b ? a : b;
}

static wide cap_of(const struct hf_op_entry *entry)
{
    return entry->amount == UINT64_MAX ? (wide)INT64_MAX : (wide)entry->amount;
}

static struct model_balance taking(wide amount, bool holds)
{
    if (holds)
        return (struct model_balance){.held_out = amount};
    return (struct model_balance){.posted = -amount, .lifetime_debits = amount};
}

/* What remained after the last source, none of which could be made to give more. */
static struct outcome refuse_sources(const struct side *side, wide taken)
{
    uint32_t first = UINT32_MAX;
    for (uint32_t i = 0; i < side->count; i++) {
        if (side->entries[i].rule != HF_ENTRY_UP_TO)
            continue;
        if (side->passed_over[i] == HF_CODE_OK)
            return refuse(HF_CODE_INSUFFICIENT, HF_RULE_PAYER, 0, NULL);
        if (first == UINT32_MAX)
            first = i;
    }
    assert(first != UINT32_MAX);
    if (taken > 0)
        return refuse(HF_CODE_INSUFFICIENT, HF_RULE_PAYER, 0, NULL);
    return refuse(side->passed_over[first], HF_RULE_PAYER, entry_number(side, first), NULL);
}

static struct outcome take_in_order(const struct turn *turn, const struct hf_op_plan *request,
                                    struct side *side, bool holds, struct plan *plan,
                                    uint64_t takes[], wide *total)
{
    struct model_books *books = turn->model->books;
    bool all = request->amount == UINT64_MAX;
    wide left = all ? 0 : (wide)request->amount;
    wide taken = 0;
    wide shares[HF_PLAN_CANDIDATES_MAX];
    share_out(side, left, shares);
    for (uint32_t i = 0; i < side->count; i++) {
        const struct hf_op_entry *entry = &side->entries[i];
        wide most = can_pay(books, plan, side->accounts[i]);
        wide take = 0;
        if (entry->rule == HF_ENTRY_FIXED)
            take = (wide)entry->amount;
        else if (entry->rule == HF_ENTRY_RATIO)
            take = shares[i];
        else if (entry->rule == HF_ENTRY_REMAINING)
            take = left;
        else if (entry->rule == HF_ENTRY_EVERYTHING)
            take = most;
        else if (side->passed_over[i] == HF_CODE_OK)
            take = least_of(cap_of(entry), least_of(most, left));
        if (!all && take > left)
            return refuse(HF_CODE_UNBALANCED, HF_RULE_PLAN, entry_number(side, i), NULL);
        if (take > most)
            return refuse(HF_CODE_INSUFFICIENT, HF_RULE_PAYER, entry_number(side, i), NULL);
        if (all && taken + take > INT64_MAX)
            return refuse(HF_CODE_OVERFLOW, HF_RULE_PLAN, 0, NULL);
        left -= take;
        taken += take;
        takes[i] = (uint64_t)take;
        if (take > 0)
            add_leg(plan, side->accounts[i], taking(take, holds), HF_RULE_PAYER,
                    entry_number(side, i), true);
    }
    *total = taken;
    if (all && taken == 0)
        return refuse(HF_CODE_INSUFFICIENT, HF_RULE_PAYER, 1, NULL);
    if (all || left == 0)
        return approve(0, NULL);
    if (!has_up_to(side))
        return refuse(HF_CODE_UNBALANCED, HF_RULE_PLAN, 0, NULL);
    if (request->minimum != 0 && taken >= (wide)request->minimum)
        return (struct outcome){.code = HF_CODE_OK_PARTIAL};
    return refuse_sources(side, taken);
}

/* The search for the smallest residual: every set, in the order of its members. */
struct search {
    const wide *gives;
    uint32_t count;
    uint32_t choose_max;
    wide total;
    uint32_t chosen[HF_PLAN_CHOOSE_MAX];
    wide best_sum; /* 0: none yet */
    uint32_t best_count;
    uint32_t best[HF_PLAN_CHOOSE_MAX];
};

static void search_sets(struct search *search, uint32_t from, uint32_t chosen, wide sum)
{
    if (sum >= search->total) {
        if (search->best_sum == 0 || sum < search->best_sum ||
            (sum == search->best_sum && chosen < search->best_count)) {
            search->best_sum = sum;
            search->best_count = chosen;
            memcpy(search->best, search->chosen, sizeof(search->best));
        }
    }
    if (chosen == search->choose_max)
        return;
    for (uint32_t i = from; i < search->count; i++) {
        if (search->gives[i] <= 0)
            continue;
        search->chosen[chosen] = i;
        search_sets(search, i + 1, chosen + 1, sum + search->gives[i]);
    }
}

static struct outcome take_smallest_residual(const struct turn *turn,
                                             const struct hf_op_plan *request, struct side *side,
                                             bool holds, struct plan *plan, uint64_t takes[],
                                             wide *total)
{
    wide gives[HF_PLAN_CANDIDATES_MAX];
    for (uint32_t i = 0; i < side->count; i++) {
        takes[i] = 0;
        gives[i] = 0;
        if (side->passed_over[i] == HF_CODE_OK)
            gives[i] = least_of(cap_of(&side->entries[i]),
                                can_pay(turn->model->books, plan, side->accounts[i]));
    }
    struct search search = {.gives = gives,
                            .count = side->count,
                            .choose_max = request->choose_max,
                            .total = (wide)request->amount};
    search_sets(&search, 0, 0, 0);
    if (search.best_sum == 0)
        return refuse_sources(side, 0);
    wide left = (wide)request->amount;
    for (uint32_t n = 0; n < search.best_count; n++) {
        uint32_t i = search.best[n];
        wide take = n + 1 < search.best_count ? gives[i] : left;
        assert(take > 0);
        left -= take;
        takes[i] = (uint64_t)take;
        add_leg(plan, side->accounts[i], taking(take, holds), HF_RULE_PAYER, entry_number(side, i),
                true);
    }
    *total = (wide)request->amount;
    return approve(0, NULL);
}

static struct outcome give(const struct turn *turn, struct side *side, bool holds,
                           struct plan *plan, uint64_t takes[], wide total)
{
    wide left = total;
    wide shares[HF_PLAN_CANDIDATES_MAX];
    share_out(side, total, shares);
    for (uint32_t i = 0; i < side->count; i++) {
        const struct hf_op_entry *entry = &side->entries[i];
        wide take = 0;
        if (entry->rule == HF_ENTRY_FIXED)
            take = (wide)entry->amount;
        else if (entry->rule == HF_ENTRY_RATIO)
            take = shares[i];
        else if (entry->rule == HF_ENTRY_REMAINING)
            take = left;
        else if (side->passed_over[i] == HF_CODE_OK)
            take = least_of(cap_of(entry),
                            least_of(left, room_of(turn->model->books, plan, side->accounts[i])));
        if (take > left)
            return refuse(HF_CODE_UNBALANCED, HF_RULE_PLAN, entry_number(side, i), NULL);
        left -= take;
        takes[i] = (uint64_t)take;
        struct model_balance given = {.posted = take};
        if (holds)
            given = (struct model_balance){.held_in = take};
        if (take > 0)
            add_leg(plan, side->accounts[i], given, HF_RULE_PAYEE, entry_number(side, i), false);
    }
    if (left == 0)
        return approve(0, NULL);
    if (has_up_to(side))
        return refuse(HF_CODE_CEILING, HF_RULE_PAYEE, 0, NULL);
    return refuse(HF_CODE_UNBALANCED, HF_RULE_PLAN, 0, NULL);
}

static struct outcome compile_sides(const struct turn *turn, const struct hf_op_plan *request,
                                    struct side *sources, struct side *destinations, bool holds,
                                    struct plan *plan, uint64_t takes[])
{
    struct model_attributes attributes = {
        .mcc = request->mcc, .country = request->country, .channel = request->channel};
    memcpy(attributes.merchant, request->merchant, 16);
    struct outcome outcome = stand_side(turn, sources, request->asset, &attributes);
    if (outcome.code == HF_CODE_OK)
        outcome = stand_side(turn, destinations, request->asset, NULL);
    if (outcome.code != HF_CODE_OK)
        return outcome;
    wide total = 0;
    outcome = request->method == HF_PLAN_IN_ORDER
                  ? take_in_order(turn, request, sources, holds, plan, takes, &total)
                  : take_smallest_residual(turn, request, sources, holds, plan, takes, &total);
    if (!approved(&outcome))
        return outcome;
    uint16_t code = outcome.code;
    if (destinations->count > 0) {
        outcome = give(turn, destinations, holds, plan, takes + sources->count, total);
        if (outcome.code != HF_CODE_OK)
            return outcome;
    }
    outcome = approve((uint64_t)total, NULL);
    outcome.code = code;
    return outcome;
}

struct outcome compile_plan(const struct turn *turn, const struct hf_op_plan *request,
                            const struct hf_op_entry *entries, bool holds, struct plan *plan,
                            uint64_t takes[HF_PLAN_CANDIDATES_MAX + HF_PLAN_DESTINATIONS_MAX])
{
    struct side sources = {.entries = entries,
                           .count = request->source_count,
                           .first = 1,
                           .denominator = request->source_denominator,
                           .rule = HF_RULE_PAYER};
    struct side destinations = {.entries = entries + request->source_count,
                                .count = request->destination_count,
                                .first = 1u + request->source_count,
                                .denominator = request->destination_denominator,
                                .rule = HF_RULE_PAYEE};
    const struct model_account *shown = NULL;
    begin_plan(plan);
    struct outcome outcome = find_side(turn->model->books, &sources, &shown);
    if (outcome.code == HF_CODE_OK)
        outcome = find_side(turn->model->books, &destinations, &shown);
    if (outcome.code == HF_CODE_OK)
        outcome = compile_sides(turn, request, &sources, &destinations, holds, plan, takes);
    outcome.account = shown;
    return outcome;
}
