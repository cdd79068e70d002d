/* QUERY: looks at one record, or at a page of some, and changes nothing. */
#include "state.h"

#include <assert.h>
#include <string.h>

/* How much one page of an account's holds looks at: places of the table, and parts of holds. */
#define PAGE_LOOKS_MAX 8192u

static void show_terms(const struct hf_ledger *ledger, const struct hf_account *account,
                       struct hf_account_view *view)
{
    const struct hf_terms *terms = hf_terms_of(&ledger->terms, account);

    view->ceiling = HF_CEILING_NONE;
    if (terms == NULL)
        return;
    view->flags = (account->flags & HF_ACCOUNT_IS_TOTAL) != 0 ? HF_ACCOUNT_TOTAL : 0;
    view->has_filter = terms->has_filter;
    view->ceiling = terms->ceiling;
    view->expires_ns = terms->expires_ns;
    if (terms->parent != HF_TABLE_NONE)
        view->parent = hf_table_key(&ledger->accounts, terms->parent);
    if (terms->sink != HF_TABLE_NONE)
        view->sink = hf_table_key(&ledger->accounts, terms->sink);
}

/* The account of an id into a view, and its balances into the reply; or NULL. */
static const struct hf_account *show_account(const struct hf_ledger *ledger, struct hf_id id,
                                             struct hf_account_view *view, struct hf_reply *reply)
{
    const struct hf_account *account = hf_ledger_find_account(ledger, id);

    if (account == NULL)
        return NULL;
    const struct hf_asset *asset = hf_asset_find(&ledger->assets, account->asset);
    assert(asset != NULL);
    view->id = account->id;
    view->posted = account->posted;
    view->available = hf_account_available(hf_account_spendable(account), account->floor);
    view->held_out = account->held_out;
    view->held_in = account->held_in;
    view->lifetime_debits = account->lifetime_debits;
    view->floor = account->floor;
    view->asset = account->asset;
    view->status = account->status;
    view->scale = asset->scale;
    view->lifetime_credits = (uint64_t)account->posted + account->lifetime_debits;
    show_terms(ledger, account, view);
    reply->available = view->available;
    reply->posted = view->posted;
    return account;
}

static bool view_account(const struct hf_ledger *ledger, struct hf_id id,
                         struct hf_query_reply *reply)
{
    if (show_account(ledger, id, &reply->view.account, &reply->reply) == NULL)
        return false;
    reply->reply.length += sizeof(reply->view.account);
    return true;
}

/* An account's part of an open hold, in its line: false when it has none. Adds to `looks` what it
 * took to find out. */
static bool show_line(const struct hf_ledger *ledger, const struct hf_hold *hold, uint32_t account,
                      struct hf_hold_line *line, uint32_t *looks)
{
    const struct hf_holds *holds = &ledger->holds;
    const struct hf_hold_more *more = hf_hold_more_of(holds, hold);
    uint32_t part = more->first_part;
    bool is_payer = hold->payer == account;

    line->remaining = hold->remaining;
    if (part != HF_TABLE_NONE)
        is_payer = false;
    for (; part != HF_TABLE_NONE && !is_payer; part = holds->part_pool.next[part]) {
        is_payer = holds->parts[part].account == account;
        line->remaining = holds->parts[part].remaining;
        ++*looks;
    }
    if (!is_payer)
        return false;
    line->hold = hold->id;
    if (hold->payee != HF_TABLE_NONE)
        line->payee = hf_table_key(&ledger->accounts, hold->payee);
    line->expires_ns = more->expires_ns;
    return true;
}

/* The cursor is the slot where the page begins. A bounded look: a page may find nothing and say
 * where to go on. */
static bool view_account_holds(const struct hf_ledger *ledger, struct hf_id id, uint32_t cursor,
                               struct hf_query_reply *reply)
{
    struct hf_account_holds_view *view = &reply->view.account_holds;
    uint32_t slot_count = ledger->holds.slots.fresh_index;
    const struct hf_account *account = show_account(ledger, id, &view->account, &reply->reply);
    uint32_t slot = cursor;
    uint32_t looks = 0;

    if (account == NULL)
        return false;
    uint32_t account_slot = hf_table_slot(&ledger->accounts, account);
    for (; slot < slot_count && looks < PAGE_LOOKS_MAX && view->count < HF_HOLD_LINES_MAX;
         slot++, looks++) {
        const struct hf_hold *hold = hf_hold_at(&ledger->holds, slot);
        struct hf_hold_line line = {.remaining = 0};
        if (hf_id_is_zero(hold->id) || hold->status != HF_HOLD_OPEN)
            continue;
        if (show_line(ledger, hold, account_slot, &line, &looks))
            view->lines[view->count++] = line;
    }
    view->next_cursor = slot < slot_count ? slot : 0;
    reply->reply.length += (uint16_t)(offsetof(struct hf_account_holds_view, lines) +
                                      view->count * sizeof(struct hf_hold_line));
    return true;
}

static bool view_instrument(const struct hf_ledger *ledger, struct hf_id token,
                            struct hf_query_reply *reply)
{
    struct hf_instrument_view *view = &reply->view.instrument;
    uint32_t slot = hf_table_find(&ledger->instruments, token, hf_id_hash(token));

    if (slot == HF_TABLE_NONE)
        return false;
    const struct hf_instrument *instrument = hf_instrument_at(&ledger->instruments, slot);
    view->token = instrument->token;
    view->account = hf_table_key(&ledger->accounts, instrument->account);
    view->expires_ns = instrument->expires_ns;
    view->amount_limit = instrument->amount_limit;
    view->remaining = instrument->remaining;
    view->status = instrument->status;
    view->flags = instrument->flags;
    uint32_t slots[HF_INSTRUMENT_ACCOUNTS_MAX];
    uint32_t count = hf_instrument_accounts(ledger, instrument, slots);
    view->further_count = (uint8_t)(count - 1);
    for (uint32_t i = 1; i < count; i++)
        view->further[i - 1] = hf_table_key(&ledger->accounts, slots[i]);
    reply->reply.length += sizeof(*view);
    return true;
}

/* A page of a scope's limits: those with numbers above the cursor. */
static void view_limits(const struct hf_ledger *ledger, struct hf_limit_run run, uint32_t cursor,
                        struct hf_query_reply *reply)
{
    const struct hf_limit_list *limits = &ledger->limit_list;
    struct hf_limits_view *view = &reply->view.limits;

    for (uint32_t i = 0; i < run.count; i++) {
        const struct hf_limit *limit = hf_limit_in(limits, run, i);
        if (limit->number <= cursor)
            continue;
        if (view->count == HF_LIMIT_LINES_MAX) {
            view->next_cursor = view->lines[view->count - 1].number;
            break;
        }
        struct hf_usage used =
            hf_limit_used(limits, limit, hf_limit_period(limit, ledger->timestamp_ns));
        view->lines[view->count++] = (struct hf_limit_line){
            .max_amount = limit->max_amount,
            .max_count = limit->max_count,
            .used_amount = used.amount,
            .used_count = used.count,
            .number = limit->number,
            .window = limit->window,
            .has_filter = limit->has_filter,
        };
    }
    reply->reply.length += (uint16_t)(offsetof(struct hf_limits_view, lines) +
                                      view->count * sizeof(struct hf_limit_line));
}

static bool view_instrument_limits(const struct hf_ledger *ledger, struct hf_id token,
                                   uint32_t cursor, struct hf_query_reply *reply)
{
    const struct hf_limit_owner owner = hf_limit_owner_of(ledger, HF_LIMIT_INSTRUMENT, token);

    if (owner.first == NULL)
        return false;
    view_limits(ledger, (struct hf_limit_run){*owner.first, *owner.count}, cursor, reply);
    return true;
}

/* An account without terms has no limits. */
static bool view_account_limits(const struct hf_ledger *ledger, struct hf_id id, uint32_t cursor,
                                struct hf_query_reply *reply)
{
    const struct hf_account *account = hf_ledger_find_account(ledger, id);

    if (account == NULL)
        return false;
    const struct hf_terms *terms = hf_terms_of(&ledger->terms, account);
    const struct hf_limit_run none = {0};
    view_limits(ledger, terms == NULL ? none : hf_limit_run_of_terms(terms), cursor, reply);
    reply->reply.posted = account->posted;
    reply->reply.available = hf_account_available(hf_account_spendable(account), account->floor);
    return true;
}

static bool view_operation(const struct hf_ledger *ledger, struct hf_id id,
                           struct hf_query_reply *reply)
{
    uint64_t hash = hf_id_hash(id);
    const struct hf_answer *answer =
        hf_seen_find(&ledger->seen, hf_seen_home(&ledger->seen, id, hash), id, hash);

    if (answer == NULL)
        answer = hf_hold_answer(&ledger->holds, id, hash, ledger->timestamp_ns);
    if (answer == NULL)
        return false;
    hf_answer_write_reply(answer, true, &reply->view.operation);
    reply->reply.length += sizeof(reply->view.operation);
    return true;
}

/* The slot of what is known of this id now, or HF_TABLE_NONE. */
static uint32_t find_hold(const struct hf_ledger *ledger, struct hf_id id)
{
    return hf_hold_find_known(&ledger->holds, id, hf_id_hash(id), ledger->timestamp_ns);
}

static bool view_hold(const struct hf_ledger *ledger, struct hf_id id, struct hf_query_reply *reply)
{
    struct hf_hold_view *view = &reply->view.hold;
    uint32_t slot = find_hold(ledger, id);

    if (slot == HF_TABLE_NONE || hf_hold_is_record_alone(hf_hold_at(&ledger->holds, slot)))
        return false;
    const struct hf_hold *hold = hf_hold_at(&ledger->holds, slot);
    const struct hf_hold_more *more = hf_hold_more_of(&ledger->holds, hold);
    view->id = hold->id;
    view->payer = hf_table_key(&ledger->accounts, hold->payer);
    if (hold->payee != HF_TABLE_NONE)
        view->payee = hf_table_key(&ledger->accounts, hold->payee);
    view->amount = hold->amount;
    view->remaining = hold->remaining;
    view->captured = hold->captured;
    view->asset = hold->asset;
    view->status = hold->status;
    view->expires_ns = more->expires_ns;
    view->policy = more->policy;
    view->tolerance = more->tolerance;
    view->class_number = more->class_number;
    view->payer_count = more->payer_count;
    view->condition_count = more->condition_count;
    view->required = more->required;
    view->met = more->met;
    reply->reply.length += sizeof(*view);
    return true;
}

static struct hf_id account_of(const struct hf_ledger *ledger, uint32_t slot)
{
    return slot == HF_TABLE_NONE ? (struct hf_id){0} : hf_table_key(&ledger->accounts, slot);
}

static void show_authorisation(const struct hf_ledger *ledger, uint32_t slot,
                               struct hf_authorisation_view *view)
{
    const struct hf_hold *hold = hf_hold_at(&ledger->holds, slot);
    const struct hf_hold_more *more = hf_hold_more_of(&ledger->holds, hold);
    const struct hf_record *record = &ledger->holds.records[slot];
    const struct hf_answer *answer = &ledger->holds.answers[slot];

    view->id = hold->id;
    if (record->instrument != HF_TABLE_NONE)
        view->token = hf_table_key(&ledger->instruments, record->instrument);
    view->payer = account_of(ledger, hold->payer);
    view->payee = account_of(ledger, hold->payee);
    view->amount = hold->amount;
    view->remaining = hold->remaining;
    view->captured = hold->captured;
    view->reversed = record->reversed;
    view->expires_ns = more->expires_ns;
    view->place = answer->place;
    view->timestamp_ns = answer->timestamp_ns;
    view->acquirer = record->acquirer;
    memcpy(view->merchant, record->merchant, sizeof(view->merchant));
    view->code = answer->code;
    view->exception = record->exception;
    view->rule = answer->rule;
    view->entry = answer->entry;
    view->status = hold->status;
    view->flags = record->flags;
    view->asset = hold->asset;
    view->mcc = record->mcc;
    view->country = record->country;
    view->channel = record->channel;
    view->class_number = more->class_number;
}

static bool view_authorisation(const struct hf_ledger *ledger, struct hf_id id,
                               struct hf_query_reply *reply)
{
    uint32_t slot = find_hold(ledger, id);

    if (slot == HF_TABLE_NONE || !hf_hold_at(&ledger->holds, slot)->has_record)
        return false;
    show_authorisation(ledger, slot, &reply->view.authorisation);
    reply->reply.length += sizeof(reply->view.authorisation);
    return true;
}

/* The cursor is how many the page leaves out: a walk over so many records at most. */
static bool view_instrument_authorisations(const struct hf_ledger *ledger, struct hf_id token,
                                           uint32_t cursor, struct hf_query_reply *reply)
{
    struct hf_authorisations_view *view = &reply->view.authorisations;
    uint32_t instrument = hf_table_find(&ledger->instruments, token, hf_id_hash(token));
    uint32_t number = 0;

    assert(cursor <= HF_AUTHORISATIONS_SKIP_MAX);
    if (instrument == HF_TABLE_NONE)
        return false;
    uint32_t slot = hf_record_newest(ledger, hf_instrument_at(&ledger->instruments, instrument),
                                     ledger->timestamp_ns);
    for (; slot != HF_TABLE_NONE && view->count < HF_AUTHORISATION_LINES_MAX; number++) {
        if (number >= cursor)
            show_authorisation(ledger, slot, &view->lines[view->count++]);
        slot = hf_record_before(&ledger->holds, slot, ledger->timestamp_ns);
    }
    if (slot != HF_TABLE_NONE && number <= HF_AUTHORISATIONS_SKIP_MAX)
        view->next_cursor = number;
    reply->reply.length += (uint16_t)(offsetof(struct hf_authorisations_view, lines) +
                                      view->count * sizeof(struct hf_authorisation_view));
    return true;
}

/* OK, or the code that says there is no such record. */
static uint16_t look_up(const struct hf_ledger *ledger, const struct hf_op_query *query,
                        struct hf_query_reply *reply)
{
    struct hf_id id = query->subject_id;

    switch (query->subject) {
    case HF_QUERY_ACCOUNT:
        return view_account(ledger, id, reply) ? HF_CODE_OK : HF_CODE_UNKNOWN_ACCOUNT;
    case HF_QUERY_INSTRUMENT:
        return view_instrument(ledger, id, reply) ? HF_CODE_OK : HF_CODE_UNKNOWN_INSTRUMENT;
    case HF_QUERY_OPERATION:
        return view_operation(ledger, id, reply) ? HF_CODE_OK : HF_CODE_UNKNOWN_OPERATION;
    case HF_QUERY_ACCOUNT_HOLDS:
        return view_account_holds(ledger, id, query->cursor, reply) ? HF_CODE_OK
                                                                    : HF_CODE_UNKNOWN_ACCOUNT;
    case HF_QUERY_INSTRUMENT_LIMITS:
        return view_instrument_limits(ledger, id, query->cursor, reply)
                   ? HF_CODE_OK
                   : HF_CODE_UNKNOWN_INSTRUMENT;
    case HF_QUERY_ACCOUNT_LIMITS:
        return view_account_limits(ledger, id, query->cursor, reply) ? HF_CODE_OK
                                                                     : HF_CODE_UNKNOWN_ACCOUNT;
    case HF_QUERY_AUTHORISATION:
        return view_authorisation(ledger, id, reply) ? HF_CODE_OK : HF_CODE_UNKNOWN_HOLD;
    case HF_QUERY_INSTRUMENT_AUTHORISATIONS:
        return view_instrument_authorisations(ledger, id, query->cursor, reply)
                   ? HF_CODE_OK
                   : HF_CODE_UNKNOWN_INSTRUMENT;
    default:
        assert(query->subject == HF_QUERY_HOLD);
        return view_hold(ledger, id, reply) ? HF_CODE_OK : HF_CODE_UNKNOWN_HOLD;
    }
}

/* A hold or authorisation is shown to the origin that made it, and to those who see everything. */
static bool is_anothers(const struct hf_ledger *ledger, const struct hf_op_query *query)
{
    uint32_t slot = HF_TABLE_NONE;

    if (query->header.origin == 0)
        return false;
    if (query->subject == HF_QUERY_HOLD || query->subject == HF_QUERY_AUTHORISATION ||
        query->subject == HF_QUERY_OPERATION) /* which may have made one */
        slot = find_hold(ledger, query->subject_id);
    if (slot == HF_TABLE_NONE)
        return false;
    const struct hf_hold *hold = hf_hold_at(&ledger->holds, slot);
    return hf_hold_more_of(&ledger->holds, hold)->origin != query->header.origin;
}

void hf_ledger_query(const struct hf_ledger *ledger, const struct hf_op_query *query,
                     struct hf_query_reply *reply)
{
    assert(ledger->magic == HF_LEDGER_MAGIC);
    assert(query->header.type == HF_OP_QUERY);
    memset(reply, 0, sizeof(*reply));
    reply->reply.length = sizeof(reply->reply);
    reply->reply.type = HF_OP_QUERY | HF_REPLY_TYPE_BIT;
    reply->reply.id = query->header.id;
    reply->reply.place = hf_ledger_place(ledger);
    reply->reply.timestamp_ns = ledger->timestamp_ns;
    if (is_anothers(ledger, query)) {
        reply->reply.code = HF_CODE_NOT_PERMITTED;
        reply->reply.rule = HF_RULE_ORIGIN;
        return;
    }
    reply->reply.code = look_up(ledger, query, reply);
    if (reply->reply.code != HF_CODE_OK)
        reply->reply.rule = HF_RULE_SUBJECT;
}
