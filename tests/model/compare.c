/* The engine's records, seen through QUERY, against the model's; and what must hold of them all. */
#include "run.h"
#include "tally.h"

#include <stdio.h>
#include <string.h>

/* Records --------------------------------------------------------------------------------- */

void compare_reply(struct run *run, const union hf_operation *operation,
                   const struct hf_reply *expected, const struct hf_reply *got, const char *who)
{
    if (memcmp(expected, got, sizeof(*got)) == 0)
        return;
    print_operation(run, operation);
    print_reply("model: ", expected);
    print_reply("engine:", got);
    print_bytes("model: ", expected, sizeof(*expected));
    print_bytes("engine:", got, sizeof(*got));
    fail(run, who);
}

static void show_queries(struct run *run, const struct hf_op_query *query,
                         const struct hf_query_reply *expected, const struct hf_query_reply *got)
{
    fprintf(stderr, "query of subject %u\n", query->subject);
    print_bytes("question", query, sizeof(*query));
    print_reply("model: ", &expected->reply);
    print_reply("engine:", &got->reply);
    print_bytes("model: ", expected, expected->reply.length);
    print_bytes("engine:", got, got->reply.length <= sizeof(*got) ? got->reply.length : 64);
    if (query->subject == HF_QUERY_HOLD || query->subject == HF_QUERY_AUTHORISATION)
        print_hold(run->model, query->subject_id);
    fail(run, "the model and the engine show a record differently");
}

/* The lines come in any order; each that is expected is struck out when it comes. */
static void strike_lines(struct run *run, const struct hf_account_holds_view *view,
                         struct hf_hold_line lines[], uint32_t *count)
{
    require(run, view->count <= HF_HOLD_LINES_MAX, "a page has more lines than fit");
    for (uint32_t i = 0; i < view->count; i++) {
        uint32_t at = 0;
        while (at < *count && memcmp(&lines[at], &view->lines[i], sizeof(lines[0])) != 0)
            at++;
        if (at == *count)
            print_bytes("line", &view->lines[i], sizeof(view->lines[i]));
        require(run, at < *count, "a page shows a hold that is not on the account");
        lines[at] = lines[--*count];
    }
}

/* One page, whose lines are struck out; the cursor of the next. */
static uint32_t compare_page(struct run *run, const struct hf_op_query *query,
                             struct hf_hold_line lines[], uint32_t *left)
{
    const size_t head = offsetof(struct hf_account_holds_view, lines) + sizeof(struct hf_reply);
    struct hf_query_reply expected;
    struct hf_query_reply got;
    memset(&got, 0xa5, sizeof(got));
    model_query(run->model, query, &expected);
    hf_ledger_query(run->live.ledger, query, &got);
    tally_count(HF_OP_QUERY, expected.reply.code, expected.reply.rule);
    bool is_known = expected.reply.code == HF_CODE_OK;
    const struct hf_account_holds_view *view = &got.view.account_holds;
    if (is_known) {
        require(run, got.reply.length >= head, "a page is too short");
        expected.reply.length = (uint16_t)(head + view->count * sizeof(lines[0]));
        expected.view.account_holds.count = view->count;
        expected.view.account_holds.next_cursor = view->next_cursor;
    }
    if (memcmp(&expected, &got, is_known ? head : sizeof(got.reply)) != 0)
        show_queries(run, query, &expected, &got);
    if (!is_known)
        return 0;
    strike_lines(run, view, lines, left);
    return view->next_cursor;
}

/* All pages from the first on; of a cursor out of the blue only that what it shows is true. */
static void compare_pages(struct run *run, struct hf_op_query query)
{
    struct hf_hold_line lines[MODEL_HOLDS_MAX];
    uint32_t left = model_lines_of(run->model, query.subject_id, lines);
    if (query.cursor != 0) {
        compare_page(run, &query, lines, &left);
        return;
    }
    for (uint32_t pages = 0;; pages++) {
        query.cursor = compare_page(run, &query, lines, &left);
        if (query.cursor == 0)
            break;
        require(run, pages < 2 * MODEL_HOLDS_MAX, "the pages of an account's holds do not end");
    }
    if (left != 0)
        print_bytes("line", &lines[0], sizeof(lines[0]));
    require(run, left == 0, "an open hold is on no page of its account");
}

void compare_query(struct run *run, const struct hf_op_query *query)
{
    struct hf_query_reply expected;
    struct hf_query_reply got;
    if (query->subject == HF_QUERY_ACCOUNT_HOLDS) {
        compare_pages(run, *query);
        return;
    }
    memset(&got, 0xa5, sizeof(got));
    model_query(run->model, query, &expected);
    hf_ledger_query(run->live.ledger, query, &got);
    tally_count(HF_OP_QUERY, expected.reply.code, expected.reply.rule);
    if (expected.reply.length != got.reply.length ||
        memcmp(&expected, &got, expected.reply.length) != 0)
        show_queries(run, query, &expected, &got);
}

void compare_record(struct run *run, uint8_t subject, struct hf_id id)
{
    struct hf_op_query query;
    draw_query_of(subject, id, &query);
    compare_query(run, &query);
}

/* An account with all that is above it. A field that names none names nothing to compare. */
static void compare_account(struct run *run, struct hf_id id)
{
    if (hf_id_is_reserved(id))
        return;
    compare_record(run, HF_QUERY_ACCOUNT, id);
    const struct model_account *account = model_account_of(run->model, id);
    while (account != NULL && (account->parent.lo != 0 || account->parent.hi != 0)) {
        compare_record(run, HF_QUERY_ACCOUNT, account->parent);
        account = model_account_of(run->model, account->parent);
    }
}

static void compare_hold(struct run *run, struct hf_id id)
{
    const struct model_hold *hold = model_hold_of(run->model, id);
    compare_record(run, HF_QUERY_HOLD, id);
    if (hold == NULL)
        return;
    for (uint32_t i = 0; i < hold->part_count; i++)
        compare_account(run, hold->parts[i].account);
    if (hold->payee.lo != 0 || hold->payee.hi != 0)
        compare_account(run, hold->payee);
}

/* An account, what is above it, and the limits on all of them. */
static void compare_payer(struct run *run, struct hf_id id)
{
    compare_account(run, id);
    const struct model_account *account = model_account_of(run->model, id);
    for (; account != NULL; account = model_account_of(run->model, account->parent))
        compare_record(run, HF_QUERY_ACCOUNT_LIMITS, account->id);
}

/* All pages of it. */
void compare_authorisations(struct run *run, struct hf_id token)
{
    struct hf_op_query query;
    struct hf_query_reply expected;
    draw_query_of(HF_QUERY_INSTRUMENT_AUTHORISATIONS, token, &query);
    do {
        compare_query(run, &query);
        model_query(run->model, &query, &expected);
        query.cursor = expected.view.authorisations.next_cursor;
    } while (query.cursor != 0);
}

/* Whatever may bear on the card, and what it has done last. */
static void compare_card(struct run *run, struct hf_id token)
{
    if (hf_id_is_reserved(token))
        return;
    compare_record(run, HF_QUERY_INSTRUMENT, token);
    compare_record(run, HF_QUERY_INSTRUMENT_LIMITS, token);
    compare_record(run, HF_QUERY_INSTRUMENT_AUTHORISATIONS, token);
    const struct model_instrument *card = model_instrument_of(run->model, token);
    if (card == NULL)
        return;
    struct hf_id payers[HF_INSTRUMENT_ACCOUNTS_MAX];
    uint32_t count = model_payers_of(card, payers);
    for (uint32_t i = 0; i < count; i++)
        compare_payer(run, payers[i]);
}

/* The record of an authorisation, and all that it touched. */
static void compare_original(struct run *run, struct hf_id id)
{
    if (hf_id_is_reserved(id))
        return;
    compare_record(run, HF_QUERY_AUTHORISATION, id);
    compare_hold(run, id);
    const struct model_hold *hold = model_hold_of(run->model, id);
    if (hold == NULL)
        return;
    compare_card(run, hold->record.token);
    for (uint32_t i = 0; i < hold->part_count; i++)
        if (!hf_id_is_reserved(hold->parts[i].account))
            compare_payer(run, hold->parts[i].account);
}

static void compare_entries(struct run *run, const struct hf_op_plan *plan,
                            const struct hf_op_entry *entries)
{
    for (uint32_t i = 0; i < (uint32_t)plan->source_count + plan->destination_count; i++)
        compare_account(run, entries[i].account);
}

void compare_touched(struct run *run, const union hf_operation *operation)
{
    switch (operation->header.type) {
    case HF_OP_ACCOUNT_PUT:
        compare_account(run, operation->account_put.account);
        break;
    case HF_OP_ACCOUNT_CLOSE:
        compare_account(run, operation->account_close.account);
        compare_account(run, operation->account_close.sink);
        break;
    case HF_OP_MOVE:
    case HF_OP_HOLD:
        compare_account(run, operation->move.payer);
        compare_account(run, operation->move.payee);
        break;
    case HF_OP_MOVE_PLAN:
        compare_entries(run, &operation->move_plan.plan, operation->move_plan.entries);
        break;
    case HF_OP_HOLD_PLAN:
        compare_entries(run, &operation->hold_plan.plan, operation->hold_plan.entries);
        break;
    case HF_OP_CAPTURE:
        if (operation->header.length != HF_CAPTURE_SHORT)
            compare_account(run, operation->capture.payee);
        compare_hold(run, operation->capture.hold);
        break;
    case HF_OP_RELEASE:
    case HF_OP_ADJUST:
    case HF_OP_ATTEST:
        compare_hold(run, operation->release.hold);
        break;
    case HF_OP_EXPIRE:
        for (uint32_t i = 0; i < operation->expire.count; i++) {
            compare_hold(run, operation->expire.expiries[i].id);
            compare_account(run, operation->expire.expiries[i].id);
        }
        break;
    case HF_OP_INSTRUMENT_PUT:
        compare_record(run, HF_QUERY_INSTRUMENT, operation->instrument_put.token);
        break;
    case HF_OP_LIMIT_PUT:
        compare_record(run,
                       operation->limit_put.scope == HF_LIMIT_INSTRUMENT
                           ? HF_QUERY_INSTRUMENT_LIMITS
                           : HF_QUERY_ACCOUNT_LIMITS,
                       operation->limit_put.scope_id);
        break;
    case HF_OP_AUTH:
        compare_card(run, operation->auth.token);
        compare_account(run, operation->auth.payee);
        break;
    case HF_OP_INCREMENT:
    case HF_OP_REVERSE:
        compare_original(run, operation->reverse.original);
        break;
    case HF_OP_CLEAR:
        compare_original(run, operation->clear.original);
        compare_card(run, operation->clear.token);
        compare_account(run, operation->clear.payee);
        break;
    case HF_OP_CHAIN: {
        const uint8_t *at = operation->chain.operations;
        for (uint32_t i = 0; i < operation->chain.count; i++) {
            const union hf_operation *inner = (const void *)at;
            compare_touched(run, inner);
            at += inner->header.length;
        }
        break;
    }
    default:
        break;
    }
    compare_record(run, HF_QUERY_OPERATION, operation->header.id);
    compare_original(run, operation->header.id);
}

/* Invariants ------------------------------------------------------------------------------ */

static void check_hold(struct run *run, const struct model_hold *hold)
{
    uint64_t parts = 0;
    for (uint32_t i = 0; i < hold->part_count; i++)
        parts += hold->parts[i].remaining;
    require(run, parts == hold->remaining, "the parts of a hold are not what remains");
    require(run, (hold->remaining == 0) == (hold->ended != 0), "a hold is open over nothing");
    require(run, (hold->status == HF_HOLD_OPEN) == (hold->ended == 0), "status of a hold");
    if (!hold->record.is_there)
        return;
    bool counted = (hold->record.flags & HF_AUTHORISATION_COUNTED) != 0;
    bool never = hold->status == HF_HOLD_REFUSED || hold->status == HF_HOLD_REVERSED;
    require(run, !never || (!counted && hold->captured == 0 && hold->record.first == 0),
            "what was refused has drawn or captured something");
    require(run, !model_is_stale(run->model, hold, run->model->timestamp_ns),
            "a record is known for too long");
}

/* Whether what the record drew counts for the limit; of several payers only the whole is known. */
static bool is_live_on(const struct run *run, const struct model_hold *hold,
                       const struct model_limit *limit)
{
    const struct model_record *record = &hold->record;
    if (!record->is_there || record->place <= limit->since_place)
        return false;
    if (!model_filter_passes(&limit->filter, &record->attributes))
        return false;
    if (limit->scope == HF_LIMIT_INSTRUMENT)
        return hf_id_equal(limit->scope_id, record->token);
    if (hold->part_count != 1)
        return false;
    const struct model_account *account = model_account_of(run->model, hold->parts[0].account);
    for (; account != NULL; account = model_account_of(run->model, account->parent))
        if (hf_id_equal(account->id, limit->scope_id))
            return true;
    return false;
}

static bool is_in_window(const struct model_limit *limit, uint64_t drawn_ns, uint64_t now_ns)
{
    int64_t now = model_window_of(limit, now_ns);
    int64_t then = model_window_of(limit, drawn_ns);
    return limit->window == HF_LIMIT_ROLLING ? then > now - HF_LIMIT_BUCKETS : then == now;
}

/* A limit has used at least what the records that are known drew and did not give back. */
void check_limits(struct run *run)
{
    const struct model_books *books = run->model->books;
    uint64_t now_ns = run->model->timestamp_ns;
    for (uint32_t i = 0; i < books->limit_count; i++) {
        const struct model_limit *limit = &books->limits[i];
        if (limit->is_blurred || limit->window == HF_LIMIT_OPERATION)
            continue;
        model_wide amount = 0;
        uint64_t count = 0;
        for (uint32_t h = 0; h < books->hold_count; h++) {
            const struct model_hold *hold = &books->holds[h];
            const struct model_record *record = &hold->record;
            if (!is_live_on(run, hold, limit))
                continue;
            if (is_in_window(limit, record->drawn_ns, now_ns)) {
                amount += record->first;
                count += (record->flags & HF_AUTHORISATION_COUNTED) != 0;
            }
            if (record->further > 0 && is_in_window(limit, record->further_ns, now_ns))
                amount += record->further;
        }
        struct model_used used = model_used_of(run->model, limit, now_ns);
        bool covers = used.amount == UINT64_MAX || (model_wide)used.amount >= amount;
        require(run, covers, "less is used of a limit than its live draws come to");
        require(run, used.count >= count, "fewer are counted by a limit than its live draws are");
    }
}

/* What open holds say is held of accounts. */
struct held {
    uint32_t count;
    struct {
        struct hf_id account;
        uint64_t out;
        uint64_t in;
    } lines[2 * MODEL_HOLDS_MAX + MODEL_PARTS_USED_MAX];
};

static void add_held(struct held *held, struct hf_id account, uint64_t out, uint64_t in)
{
    held->lines[held->count].account = account;
    held->lines[held->count].out = out;
    held->lines[held->count++].in = in;
}

static void list_held(const struct model_books *books, struct held *held)
{
    held->count = 0;
    for (uint32_t h = 0; h < books->hold_count; h++) {
        const struct model_hold *hold = &books->holds[h];
        if (hold->remaining == 0)
            continue;
        for (uint32_t p = 0; p < hold->part_count; p++)
            add_held(held, hold->parts[p].account, hold->parts[p].remaining, 0);
        add_held(held, hold->payee, 0, hold->remaining);
    }
}

/* Held of each account is what open holds hold of it: all of it together, and for those of whom
 * anything is held one by one. */
static void check_held(struct run *run)
{
    static struct held held;
    const struct model_books *books = run->model->books;
    model_wide all = 0;
    list_held(books, &held);
    for (uint32_t h = 0; h < held.count; h++)
        all += (model_wide)held.lines[h].out + (model_wide)held.lines[h].in;
    for (uint32_t i = 0; i < books->account_count; i++) {
        const struct model_account *account = &books->accounts[i];
        model_wide out = 0;
        model_wide in = 0;
        if (account->held_out == 0 && account->held_in == 0)
            continue;
        for (uint32_t h = 0; h < held.count; h++) {
            if (!hf_id_equal(held.lines[h].account, account->id))
                continue;
            out += held.lines[h].out;
            in += held.lines[h].in;
        }
        require(run, out == account->held_out, "held_out is not the sum of open holds");
        require(run, in == account->held_in, "held_in is not the sum of open holds");
        all -= out + in;
    }
    for (uint32_t h = 0; h < held.count; h++)
        if (hf_id_is_reserved(held.lines[h].account))
            all -= held.lines[h].in; /* an open payee */
    require(run, all == 0, "something is held of an account that says nothing is");
}

void check_money(struct run *run)
{
    static model_wide sums[UINT16_MAX + 1]; /* by asset */
    static struct model_balance balances[MODEL_ACCOUNTS_MAX];
    const struct model_books *books = run->model->books;
    for (uint32_t a = 0; a < books->asset_count; a++)
        sums[books->assets[a].asset] = 0;
    for (uint32_t i = 0; i < books->account_count; i++)
        if (!books->accounts[i].is_total)
            sums[books->accounts[i].asset] += books->accounts[i].posted;
    for (uint32_t a = 0; a < books->asset_count; a++)
        require(run, sums[books->assets[a].asset] == 0,
                "posted balances of an asset do not sum up to zero");
    for (uint32_t h = 0; h < books->hold_count; h++)
        check_hold(run, &books->holds[h]);
    check_held(run);
    model_balances_of(run->model, balances);
    for (uint32_t i = 0; i < books->account_count; i++) {
        const struct model_account *account = &books->accounts[i];
        struct model_balance balance = balances[i];
        require(run, balance.posted - balance.held_out >= account->floor || account->floor_raised,
                "an account has fallen below its floor");
        require(run,
                balance.posted + balance.held_in <= account->ceiling || account->ceiling_lowered,
                "an account has risen above its ceiling");
        require(run, balance.posted == 0 || account->status != HF_ACCOUNT_CLOSED,
                "a closed account has something");
    }
}

void compare_counts(struct run *run)
{
    struct hf_ledger_counts counts;
    const struct model_books *books = run->model->books;
    const struct model *model = run->model;
    hf_ledger_count(run->live.ledger, &counts);
    uint64_t open = model_holds_open(model);
    require(run, counts.assets == books->asset_count, "count of assets");
    require(run, counts.accounts == books->account_count, "count of accounts");
    require(run, counts.instruments == books->instrument_count, "count of instruments");
    require(run, counts.holds_open == open, "count of open holds");
    require(run, counts.holds_resolved == books->hold_count - open, "count of resolved holds");
    require(run, counts.terms == model_terms_used(model), "count of terms");
    require(run, counts.parts == model_parts_used(model), "count of parts");
    require(run, counts.conditions == model_conditions_used(model), "count of conditions");
    require(run, counts.selectors == model_selectors_used(model), "count of selectors");
    require(run, counts.limits == books->limit_count, "count of limits");
    require(run, counts.rolling == model_rolling_used(model), "count of rolling limits");
    require(run, counts.remembered == model->remembered_count, "count of remembered ids");
    require(run, counts.floor_ms == model_floor_ms(model, model->timestamp_ns),
            "the floor of ids is not that of the newest operation");
}
