/* The slow ledger: OPERATIONS.md read aloud. Here are its books, the plain operations, exactly-once
 * and questions; money is in model_plan.c, holds are in model_hold.c, limits in
 * model_limit.c, authorisations in model_auth.c, what becomes of them in model_card.c. */
#include "model_inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Searching ------------------------------------------------------------------------------- */

static struct model_asset *find_asset(struct model_books *books, uint16_t asset)
{
    for (uint32_t i = 0; i < books->asset_count; i++)
        if (books->assets[i].asset == asset)
            return &books->assets[i];
    return NULL;
}

struct model_account *find_account(struct model_books *books, struct hf_id id)
{
    for (uint32_t i = 0; i < books->account_count; i++)
        if (same_id(books->accounts[i].id, id))
            return &books->accounts[i];
    return NULL;
}

struct model_instrument *find_instrument(struct model_books *books, struct hf_id token)
{
    for (uint32_t i = 0; i < books->instrument_count; i++)
        if (same_id(books->instruments[i].token, token))
            return &books->instruments[i];
    return NULL;
}

struct model_hold *find_hold(struct model_books *books, struct hf_id id)
{
    for (uint32_t i = 0; i < books->hold_count; i++)
        if (same_id(books->holds[i].id, id))
            return &books->holds[i];
    return NULL;
}

static const struct model_memory *find_remembered(const struct model *model, struct hf_id id)
{
    for (uint32_t i = 0; i < model->remembered_count; i++) {
        uint32_t at = (model->remembered_start + i) % MODEL_REMEMBERED_MAX;
        if (same_id(model->remembered_ids[at], id))
            return &model->remembered[at];
    }
    return NULL;
}

/* Events ---------------------------------------------------------------------------------- */

void add_event(const struct turn *turn, uint8_t kind, struct hf_id subject, wide amount,
               uint16_t asset, uint8_t entry)
{
    struct model *model = turn->model;
    assert(model->event_count < HF_EVENTS_MAX);
    assert(amount >= INT64_MIN);
    assert(amount <= UINT64_MAX);
    model->events[model->event_count++] = (struct hf_event){
        .place = turn->place,
        .subject = subject,
        .amount = (int64_t)amount,
        .asset = asset,
        .kind = kind,
        .entry = entry,
        .type = turn->operation->header.type,
    };
}

void tell_exception(const struct turn *turn, struct hf_id record, uint64_t amount, uint16_t asset,
                    const struct outcome *forgiven)
{
    struct model *model = turn->model;
    if (forgiven->code == HF_CODE_OK)
        return;
    add_event(turn, HF_EVENT_EXCEPTION, record, (wide)amount, asset, forgiven->entry);
    model->events[model->event_count - 1].code = forgiven->code;
    model->events[model->event_count - 1].rule = forgiven->rule;
}

/* A refusal is the only thing that happened. */
static void tell_refusal(const struct turn *turn, const struct outcome *outcome)
{
    turn->model->event_count = 0;
    add_event(turn, HF_EVENT_REFUSED, turn->operation->header.id, 0, 0, outcome->entry);
    turn->model->events[0].code = outcome->code;
    turn->model->events[0].rule = outcome->rule;
}

/* Assets, accounts, instruments, classes -------------------------------------------------- */

static struct outcome do_asset_put(const struct turn *turn)
{
    const struct hf_op_asset_put *put = &turn->operation->asset_put;
    struct model_books *books = turn->model->books;
    struct model_asset *asset = find_asset(books, put->asset);
    if (asset != NULL && (asset->scale != put->scale || memcmp(asset->code, put->code, 8) != 0))
        return refuse(HF_CODE_ASSET_MISMATCH, HF_RULE_ASSET, 0, NULL);
    if (asset == NULL) {
        if (books->asset_count == 256)
            return refuse(HF_CODE_CAPACITY, HF_RULE_TABLE, 0, NULL);
        asset = &books->assets[books->asset_count++];
        asset->asset = put->asset;
        asset->scale = put->scale;
        memcpy(asset->code, put->code, 8);
    }
    add_event(turn, HF_EVENT_PUT, (struct hf_id){.lo = put->asset, .hi = 0}, 0, 0, 0);
    return approve(0, NULL);
}

static bool is_long(const struct hf_op_account_put *put)
{
    return put->header.length == sizeof(*put);
}

static bool any_set(const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (((const uint8_t *)bytes)[i] != 0)
            return true;
    return false;
}

static bool asks_for_terms(const struct hf_op_account_put *put)
{
    if (!is_long(put))
        return false;
    return put->ceiling != INT64_MAX || put->expires_ns != 0 || !no_id(put->parent) ||
           !no_id(put->sink) || any_set(&put->filter, sizeof(put->filter)) || put->flags != 0;
}

static struct outcome check_parent(struct model_books *books, const struct hf_op_account_put *put)
{
    const struct model_account *parent = find_account(books, put->parent);
    if (parent == NULL)
        return refuse(HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_PARENT, 0, NULL);
    if (!parent->is_total)
        return refuse(HF_CODE_NOT_PERMITTED, HF_RULE_PARENT, 0, NULL);
    if (parent->asset != put->asset)
        return refuse(HF_CODE_ASSET_MISMATCH, HF_RULE_PARENT, 0, NULL);
    if (parent->status == HF_ACCOUNT_CLOSED)
        return refuse(HF_CODE_CLOSED, HF_RULE_PARENT, 0, NULL);
    uint32_t above = 1;
    for (; !no_id(parent->parent); above++)
        parent = find_account(books, parent->parent);
    if (above > HF_PARENT_DEPTH_MAX)
        return refuse(HF_CODE_CAPACITY, HF_RULE_PARENT, 0, NULL);
    return approve(0, NULL);
}

static struct outcome check_sink(struct model_books *books, const struct hf_op_account_put *put)
{
    const struct model_account *sink = find_account(books, put->sink);
    if (sink == NULL)
        return refuse(HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_SINK, 0, NULL);
    if (sink->is_total)
        return refuse(HF_CODE_IS_TOTAL, HF_RULE_SINK, 0, NULL);
    if (sink->asset != put->asset)
        return refuse(HF_CODE_ASSET_MISMATCH, HF_RULE_SINK, 0, NULL);
    return approve(0, NULL);
}

static struct outcome check_account_put(const struct turn *turn,
                                        const struct model_account *account)
{
    const struct hf_op_account_put *put = &turn->operation->account_put;
    struct model *model = turn->model;
    bool wants_parent = is_long(put) && !no_id(put->parent);
    if (account != NULL) {
        if (account->asset != put->asset)
            return refuse(HF_CODE_ASSET_MISMATCH, HF_RULE_ACCOUNT, 0, NULL);
        if (account->status == HF_ACCOUNT_CLOSED)
            return refuse(HF_CODE_CLOSED, HF_RULE_ACCOUNT, 0, NULL);
        bool total = (put->flags & HF_ACCOUNT_TOTAL) != 0;
        if (is_long(put) && (!same_id(put->parent, account->parent) || total != account->is_total))
            return refuse(HF_CODE_NOT_PERMITTED, HF_RULE_PARENT, 0, NULL);
    } else if (wants_parent) {
        struct outcome outcome = check_parent(model->books, put);
        if (outcome.code != HF_CODE_OK)
            return outcome;
    }
    if (is_long(put) && !no_id(put->sink)) {
        struct outcome outcome = check_sink(model->books, put);
        if (outcome.code != HF_CODE_OK)
            return outcome;
    }
    if (account == NULL && model->books->account_count == model->limits.accounts)
        return refuse(HF_CODE_CAPACITY, HF_RULE_TABLE, 0, NULL);
    bool has_terms = account != NULL && account->has_terms;
    if (asks_for_terms(put) && !has_terms && model_terms_used(model) == model->limits.terms)
        return refuse(HF_CODE_CAPACITY, HF_RULE_TABLE, 0, NULL);
    return approve(0, NULL);
}

static struct outcome do_account_put(const struct turn *turn)
{
    const struct hf_op_account_put *put = &turn->operation->account_put;
    struct model_books *books = turn->model->books;
    if (find_asset(books, put->asset) == NULL)
        return refuse(HF_CODE_UNKNOWN_ASSET, HF_RULE_ASSET, 0, NULL);
    struct model_account *account = find_account(books, put->account);
    bool known = account != NULL;
    struct outcome outcome = check_account_put(turn, account);
    outcome.account = account;
    if (outcome.code != HF_CODE_OK)
        return outcome;
    if (!known) {
        account = &books->accounts[books->account_count++];
        *account =
            (struct model_account){.id = put->account, .asset = put->asset, .ceiling = INT64_MAX};
        if (is_long(put)) {
            account->parent = put->parent;
            if (!no_id(put->parent))
                account->parent_at = (uint32_t)(find_account(books, put->parent) - books->accounts);
            account->is_total = (put->flags & HF_ACCOUNT_TOTAL) != 0;
        }
    }
    account->floor = put->floor;
    account->status = put->status;
    account->floor_raised = true;
    account->ceiling_lowered = true;
    account->has_terms = account->has_terms || asks_for_terms(put);
    if (is_long(put)) {
        account->ceiling = put->ceiling;
        account->expires_ns = put->expires_ns;
        account->sink = put->sink;
        account->filter = put->filter;
        account->filter.parts = 0; /* asks for nothing by itself */
    }
    add_event(turn, known ? HF_EVENT_CHANGED : HF_EVENT_OPENED, account->id, 0, 0, 0);
    return approve(0, account);
}

static bool has_open_child(const struct model_books *books, const struct model_account *account)
{
    for (uint32_t i = 0; i < books->account_count; i++)
        if (same_id(books->accounts[i].parent, account->id) &&
            books->accounts[i].status != HF_ACCOUNT_CLOSED)
            return true;
    return false;
}

static struct outcome do_account_close(const struct turn *turn)
{
    const struct hf_op_account_close *close = &turn->operation->account_close;
    struct model_books *books = turn->model->books;
    struct model_account *account = find_account(books, close->account);
    if (account == NULL)
        return refuse(HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_ACCOUNT, 0, NULL);
    if (account->status == HF_ACCOUNT_CLOSED)
        return refuse(HF_CODE_CLOSED, HF_RULE_ACCOUNT, 0, account);
    if (account->is_total && has_open_child(books, account))
        return refuse(HF_CODE_IS_TOTAL, HF_RULE_CHILDREN, 0, account);
    struct model_balance balance = balance_of(books, account);
    if (balance.held_out != 0 || balance.held_in != 0)
        return refuse(HF_CODE_HELD, HF_RULE_ACCOUNT, 0, account);
    if (balance.posted < 0)
        return refuse(HF_CODE_INSUFFICIENT, HF_RULE_ACCOUNT, 0, account);
    if (balance.posted > 0) {
        if (no_id(close->sink))
            return refuse(HF_CODE_NOT_EMPTY, HF_RULE_SINK, 0, account);
        struct model_account *sink = find_account(books, close->sink);
        if (sink == NULL)
            return refuse(HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_SINK, 0, account);
        uint16_t code = standing(turn, sink, account->asset, NULL);
        if (code != HF_CODE_OK)
            return refuse(code, HF_RULE_SINK, 0, account);
        struct plan plan;
        begin_plan(&plan);
        add_leg(
            &plan, account,
            (struct model_balance){.posted = -balance.posted, .lifetime_debits = balance.posted},
            HF_RULE_ACCOUNT, 0, false);
        add_leg(&plan, sink, (struct model_balance){.posted = balance.posted}, HF_RULE_SINK, 0,
                false);
        struct outcome outcome = pass_guards(books, &plan, NULL);
        if (outcome.code != HF_CODE_OK)
            return refuse(outcome.code, outcome.rule, outcome.entry, account);
        apply_plan(turn, &plan);
    }
    account->status = HF_ACCOUNT_CLOSED;
    account->floor_raised = true;
    add_event(turn, HF_EVENT_CLOSED, account->id, balance.posted, account->asset, 0);
    return approve((uint64_t)balance.posted, account);
}

static struct outcome check_instrument_account(struct model_books *books, struct hf_id id,
                                               uint32_t entry)
{
    const struct model_account *account = find_account(books, id);
    if (account == NULL)
        return refuse(HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_ACCOUNT, (uint8_t)entry, NULL);
    if (account->is_total)
        return refuse(HF_CODE_IS_TOTAL, HF_RULE_ACCOUNT, (uint8_t)entry, NULL);
    return approve(0, NULL);
}

static struct outcome do_instrument_put(const struct turn *turn)
{
    const struct hf_op_instrument_put *put = &turn->operation->instrument_put;
    const struct hf_ledger_limits *limits = &turn->model->limits;
    struct model_books *books = turn->model->books;
    struct outcome outcome = check_instrument_account(books, put->account, 0);
    for (uint32_t i = 0; i < put->further_count && outcome.code == HF_CODE_OK; i++)
        outcome = check_instrument_account(books, put->further[i], i + 1);
    if (outcome.code != HF_CODE_OK)
        return outcome;
    struct model_instrument *instrument = find_instrument(books, put->token);
    if (instrument != NULL && instrument->status == HF_INSTRUMENT_CLOSED)
        return refuse(HF_CODE_CLOSED, HF_RULE_INSTRUMENT, 0, NULL);
    if (instrument == NULL && books->instrument_count == limits->instruments)
        return refuse(HF_CODE_CAPACITY, HF_RULE_TABLE, 0, NULL);
    bool had_further = instrument != NULL && instrument->further_count > 0;
    if (put->further_count > 0 && !had_further &&
        model_selectors_used(turn->model) == limits->selectors)
        return refuse(HF_CODE_CAPACITY, HF_RULE_TABLE, 0, NULL);
    uint64_t listed = 0;
    if (instrument == NULL)
        instrument = &books->instruments[books->instrument_count++];
    else
        listed = instrument->listed;
    *instrument = (struct model_instrument){
        .token = put->token,
        .account = put->account,
        .expires_ns = put->expires_ns,
        .amount_limit = put->amount_limit,
        .remaining = put->remaining,
        .status = put->status,
        .flags = put->flags,
        .further_count = put->further_count,
        .put_place = turn->place,
        .listed = listed,
    };
    memcpy(instrument->further, put->further, put->further_count * sizeof(put->further[0]));
    add_event(turn, HF_EVENT_PUT, put->token, 0, 0, 0);
    return approve(0, NULL);
}

static struct outcome do_class_put(const struct turn *turn)
{
    const struct hf_op_class_put *put = &turn->operation->class_put;
    turn->model->books->lifetimes_ns[put->class_number] = put->lifetime_ns;
    add_event(turn, HF_EVENT_PUT, (struct hf_id){.lo = put->class_number, .hi = 0}, 0, 0, 0);
    return approve(0, NULL);
}

/* Moves ----------------------------------------------------------------------------------- */

static struct outcome do_move(const struct turn *turn)
{
    static const struct model_attributes none;
    const struct hf_op_move *move = &turn->operation->move;
    struct plan plan;
    struct outcome outcome =
        check_value(turn, move->payer, move->payee, move->asset, move->amount, &none, false, &plan);
    if (outcome.code == HF_CODE_OK)
        apply_plan(turn, &plan);
    return outcome;
}

static struct outcome do_move_plan(const struct turn *turn)
{
    const struct hf_op_move_plan *operation = &turn->operation->move_plan;
    uint64_t takes[HF_PLAN_CANDIDATES_MAX + HF_PLAN_DESTINATIONS_MAX];
    struct plan plan;
    struct outcome outcome =
        compile_plan(turn, &operation->plan, operation->entries, false, &plan, takes);
    if (!approved(&outcome))
        return outcome;
    struct outcome passed = pass_guards(turn->model->books, &plan, NULL);
    if (passed.code != HF_CODE_OK)
        return refuse(passed.code, passed.rule, passed.entry, outcome.account);
    apply_plan(turn, &plan);
    return outcome;
}

/* Carrying out ---------------------------------------------------------------------------- */

/* Only what is in use: copying all of it a hundred thousand times would take a minute. */
static void copy_books(struct model_books *to, const struct model_books *from)
{
    memcpy(to, from, offsetof(struct model_books, assets));
    memcpy(to->assets, from->assets, from->asset_count * sizeof(from->assets[0]));
    memcpy(to->accounts, from->accounts, from->account_count * sizeof(from->accounts[0]));
    memcpy(to->instruments, from->instruments,
           from->instrument_count * sizeof(from->instruments[0]));
    memcpy(to->limits, from->limits, from->limit_count * sizeof(from->limits[0]));
    memcpy(to->holds, from->holds, from->hold_count * sizeof(from->holds[0]));
}

static void write_reply(struct hf_reply *reply, const struct turn *turn,
                        const struct outcome *outcome)
{
    memset(reply, 0, sizeof(*reply));
    reply->length = 64;
    reply->type = turn->operation->header.type | 0x80;
    reply->entry = outcome->entry;
    reply->code = outcome->code;
    reply->rule = outcome->rule;
    reply->id = turn->operation->header.id;
    reply->approved = outcome->approved;
    reply->place = turn->is_dry ? 0 : turn->place;
    reply->timestamp_ns = turn->now_ns;
    if (outcome->account != NULL) {
        struct model_balance balance = balance_of(turn->model->books, outcome->account);
        reply->available = (int64_t)available_in(outcome->account, &balance);
        reply->posted = (int64_t)balance.posted;
    }
}

static struct outcome carry_out(const struct turn *turn);

/* By the node: its origin may not send it. */
static bool is_forbidden(const union hf_operation *operation)
{
    return (operation->header.flags & HF_OP_FORBIDDEN) != 0;
}

/* The hold or record that this very operation made keeps its answer. */
static void settle_hold(const struct turn *turn, const struct outcome *outcome)
{
    struct model_hold *made = find_hold(turn->model->books, turn->operation->header.id);
    if (made != NULL && made->memory.operation == turn->operation)
        write_reply(&made->memory.answer, turn, outcome);
}

static struct outcome do_chain(const struct turn *turn)
{
    struct model *model = turn->model;
    const struct hf_op_chain *chain = &turn->operation->chain;
    const uint8_t *at = chain->operations;
    copy_books(model->before_chain, model->books);
    for (uint32_t i = 0; i < chain->count; i++) {
        struct turn inner = *turn;
        inner.operation = (const union hf_operation *)(const void *)at;
        at += inner.operation->header.length;
        struct outcome outcome = carry_out(&inner);
        if (!approved(&outcome)) {
            copy_books(model->books, model->before_chain);
            return refuse(outcome.code, outcome.rule, (uint8_t)(i + 1), NULL);
        }
        settle_hold(&inner, &outcome);
    }
    return approve(chain->count, NULL);
}

static struct outcome carry_out(const struct turn *turn)
{
    uint64_t deadline_ns = turn->operation->header.deadline_ns;
    if (is_forbidden(turn->operation))
        return refuse(HF_CODE_NOT_PERMITTED, HF_RULE_ORIGIN, 0, NULL);
    if (deadline_ns != 0 && deadline_ns < turn->now_ns)
        return refuse(HF_CODE_DEADLINE_PASSED, HF_RULE_DEADLINE, 0, NULL);
    static struct outcome (*const carriers[HF_OP_TYPE_MAX + 1])(const struct turn *) = {
        [HF_OP_ASSET_PUT] = do_asset_put,
        [HF_OP_ACCOUNT_PUT] = do_account_put,
        [HF_OP_ACCOUNT_CLOSE] = do_account_close,
        [HF_OP_MOVE] = do_move,
        [HF_OP_MOVE_PLAN] = do_move_plan,
        [HF_OP_CHAIN] = do_chain,
        [HF_OP_HOLD] = do_hold,
        [HF_OP_HOLD_PLAN] = do_hold_plan,
        [HF_OP_ADJUST] = do_adjust,
        [HF_OP_CAPTURE] = do_capture,
        [HF_OP_RELEASE] = do_release,
        [HF_OP_ATTEST] = do_attest,
        [HF_OP_EXPIRE] = do_expire,
        [HF_OP_CLASS_PUT] = do_class_put,
        [HF_OP_INSTRUMENT_PUT] = do_instrument_put,
        [HF_OP_LIMIT_PUT] = do_limit_put,
        [HF_OP_AUTH] = do_auth,
        [HF_OP_INCREMENT] = do_increment,
        [HF_OP_REVERSE] = do_reverse,
        [HF_OP_CLEAR] = do_clear,
    };
    assert(carriers[turn->operation->header.type] != NULL);
    return carriers[turn->operation->header.type](turn);
}

/* An account that stands inside its bounds again has to stay there. */
static void note_bounds(struct model_books *books)
{
    for (uint32_t i = 0; i < books->account_count; i++) {
        struct model_account *account = &books->accounts[i];
        if (!account->floor_raised && !account->ceiling_lowered)
            continue;
        struct model_balance balance = balance_of(books, account);
        if (balance.posted - balance.held_out >= account->floor)
            account->floor_raised = false;
        if (balance.posted + balance.held_in <= account->ceiling)
            account->ceiling_lowered = false;
    }
}

/* Exactly once ---------------------------------------------------------------------------- */

struct model_text {
    struct model_text *next;
    uint64_t words[];
};

/* A copy that lives as long as the model. */
static const union hf_operation *keep_text(struct model *model, const union hf_operation *operation)
{
    struct model_text *text = malloc(sizeof(*text) + operation->header.length);
    assert(text != NULL);
    text->next = model->texts;
    model->texts = text;
    memcpy(text->words, operation, operation->header.length);
    return (const union hf_operation *)(const void *)text->words;
}

const struct model_memory *model_memory_of(const struct model *model, struct hf_id id)
{
    const struct model_memory *memory = find_remembered(model, id);
    if (memory != NULL)
        return memory;
    const struct model_hold *hold = model_hold_of(model, id);
    return hold == NULL || hold->memory.operation == NULL ? NULL : &hold->memory;
}

/* Whose answer is given again: a hold or record speaks only for ids that may have been forgotten,
 * and only while it is known. */
static const struct model_memory *first_answer_of(const struct model *model, struct hf_id id,
                                                  uint64_t timestamp_ns)
{
    const struct model_memory *memory = find_remembered(model, id);
    if (memory != NULL || id.hi >> 16 >= model->forgotten_floor_ms)
        return memory;
    const struct model_hold *hold = model_hold_of(model, id);
    if (hold == NULL || model_is_stale(model, hold, timestamp_ns))
        return NULL;
    return model_memory_of(model, id);
}

static bool same_content(const union hf_operation *a, const union hf_operation *b)
{
    if (a->header.type != b->header.type || a->header.length != b->header.length)
        return false;
    return memcmp((const uint8_t *)a + 32, (const uint8_t *)b + 32, a->header.length - 32u) == 0;
}

/* The oldest answer goes, and with it the right to use any id of its time or before. */
static void forget_oldest(struct model *model)
{
    uint64_t forgotten_ms = model->remembered_ids[model->remembered_start].hi >> 16;
    if (forgotten_ms + 1 > model->forgotten_floor_ms)
        model->forgotten_floor_ms = forgotten_ms + 1;
    model->remembered_start = (model->remembered_start + 1) % MODEL_REMEMBERED_MAX;
    model->remembered_count--;
}

static void remember(struct model *model, const struct model_memory *memory)
{
    if (model->remembered_count == model->limits.remembered)
        forget_oldest(model);
    uint32_t at = (model->remembered_start + model->remembered_count) % MODEL_REMEMBERED_MAX;
    model->remembered_ids[at] = memory->operation->header.id;
    model->remembered[at] = *memory;
    model->remembered_count++;
}

uint64_t model_floor_ms(const struct model *model, uint64_t timestamp_ns)
{
    uint64_t now_ms = timestamp_ns / 1000000;
    uint64_t remember_ms = model->limits.remember_ns / 1000000;
    uint64_t oldest_ms = now_ms > remember_ms ? now_ms - remember_ms : 0;
    return oldest_ms > model->forgotten_floor_ms ? oldest_ms : model->forgotten_floor_ms;
}

static void strip_balances(struct hf_reply *reply, const struct hf_op_header *header)
{
    if ((header->flags & HF_OP_RETURN_BALANCES) == 0) {
        reply->available = 0;
        reply->posted = 0;
    }
}

static bool refuse_place(struct hf_reply *reply, const struct turn *turn, uint16_t code)
{
    struct outcome outcome = refuse(code, HF_RULE_ID, 0, NULL);
    write_reply(reply, turn, &outcome);
    return false;
}

static bool run_dry(struct hf_reply *reply, struct turn *turn)
{
    struct model *model = turn->model;
    turn->place = model->place + 1;
    turn->is_dry = true;
    copy_books(model->before_dry_run, model->books);
    forget_stale(model, turn->now_ns);
    struct outcome outcome = carry_out(turn);
    write_reply(reply, turn, &outcome);
    strip_balances(reply, &turn->operation->header);
    copy_books(model->books, model->before_dry_run);
    model->event_count = 0;
    return false;
}

bool model_apply(struct model *model, uint64_t timestamp_ns, const union hf_operation *operation,
                 struct hf_reply *reply)
{
    const struct hf_op_header *header = &operation->header;
    struct turn turn = {
        .model = model, .operation = operation, .now_ns = timestamp_ns, .origin = header->origin};
    model->event_count = 0;

    const struct model_memory *memory = first_answer_of(model, header->id, timestamp_ns);
    if (memory != NULL) {
        if (!same_content(memory->operation, operation))
            return refuse_place(reply, &turn, HF_CODE_DUPLICATE_DIFFERENT);
        *reply = memory->answer;
        strip_balances(reply, header);
        return false;
    }

    uint64_t id_ms = header->id.hi >> 16;
    wide newest_ms = (wide)(timestamp_ns / 1000000) + (wide)(model->limits.id_ahead_ns / 1000000);
    if (id_ms < model_floor_ms(model, timestamp_ns))
        return refuse_place(reply, &turn, HF_CODE_ID_TOO_OLD);
    if (id_ms > newest_ms)
        return refuse_place(reply, &turn, HF_CODE_ID_TOO_NEW);
    if ((header->flags & HF_OP_DRY_RUN) != 0)
        return run_dry(reply, &turn);

    turn.operation = keep_text(model, operation);
    turn.place = ++model->place;
    model->timestamp_ns = timestamp_ns;
    forget_stale(model, timestamp_ns);
    struct outcome outcome = carry_out(&turn);
    if (!approved(&outcome))
        tell_refusal(&turn, &outcome);
    if (!approved(&outcome) && header->type == HF_OP_AUTH && !is_forbidden(operation))
        record_refusal(&turn);
    note_bounds(model->books);
    settle_hold(&turn, &outcome);
    struct model_memory fresh = {.operation = turn.operation};
    write_reply(&fresh.answer, &turn, &outcome);
    remember(model, &fresh);
    *reply = fresh.answer;
    strip_balances(reply, header);
    return true;
}

/* Making ---------------------------------------------------------------------------------- */

struct model *model_create(const struct hf_ledger_limits *limits)
{
    assert(limits->accounts <= MODEL_ACCOUNTS_MAX);
    assert(limits->instruments <= MODEL_INSTRUMENTS_MAX);
    assert(limits->holds <= MODEL_HOLDS_MAX);
    assert(limits->limits <= MODEL_LIMITS_MAX);
    assert(limits->parts <= MODEL_PARTS_USED_MAX);
    assert(limits->remembered <= MODEL_REMEMBERED_MAX);
    struct model *model = calloc(1, sizeof(*model));
    assert(model != NULL);
    model->books = calloc(1, sizeof(*model->books));
    model->before_dry_run = calloc(1, sizeof(*model->books));
    model->before_chain = calloc(1, sizeof(*model->books));
    assert(model->books != NULL);
    assert(model->before_dry_run != NULL);
    assert(model->before_chain != NULL);
    model->limits = *limits;
    static const uint64_t days[] = {0, 7, 5, 30, 7, 30};
    for (uint32_t i = 0; i < sizeof(days) / sizeof(days[0]); i++)
        model->books->lifetimes_ns[i] = days[i] * UINT64_C(86400000000000);
    return model;
}

void model_resize(struct model *model, const struct hf_ledger_limits *limits)
{
    assert(limits->accounts >= model->books->account_count);
    assert(limits->instruments >= model->books->instrument_count);
    assert(limits->holds >= model_holds_open(model));
    assert(limits->terms >= model_terms_used(model));
    assert(limits->parts >= model_parts_used(model));
    assert(limits->parts >= model_conditions_used(model));
    assert(limits->limits >= model->books->limit_count);
    assert(limits->rolling >= model_rolling_used(model));
    assert(limits->selectors >= model_selectors_used(model));
    model->limits = *limits;
    forget_stale(model, model->timestamp_ns);
    while (model->remembered_count > limits->remembered)
        forget_oldest(model);
    while (model->books->hold_count > limits->holds)
        forget_first_ended(model->books);
}

static void drop_texts(struct model *model)
{
    for (struct model_text *text = model->texts, *next; text != NULL; text = next) {
        next = text->next;
        free(text);
    }
    model->texts = NULL;
}

void model_copy(struct model *to, const struct model *from)
{
    assert(from->remembered_start == 0);
    drop_texts(to);
    copy_books(to->books, from->books);
    if (to->draws_room < from->draws_room) {
        to->draws_room = from->draws_room;
        to->draws = realloc(to->draws, to->draws_room * sizeof(to->draws[0]));
        assert(to->draws != NULL);
    }
    if (from->books->draw_count > 0)
        memcpy(to->draws, from->draws, from->books->draw_count * sizeof(from->draws[0]));
    to->place = from->place;
    to->timestamp_ns = from->timestamp_ns;
    to->forgotten_floor_ms = from->forgotten_floor_ms;
    to->remembered_start = 0;
    to->remembered_count = from->remembered_count;
    for (uint32_t i = 0; i < from->remembered_count; i++) {
        to->remembered_ids[i] = from->remembered_ids[i];
        to->remembered[i] = from->remembered[i];
    }
    to->event_count = 0;
}

void model_destroy(struct model *model)
{
    if (model == NULL)
        return;
    drop_texts(model);
    free(model->draws);
    free(model->books);
    free(model->before_dry_run);
    free(model->before_chain);
    free(model);
}
