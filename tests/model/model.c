/* The slow ledger: OPERATIONS.md read aloud. Every sum is made in 128 bits, where none overflows,
 * and then compared with what 64 bits can hold. */
#include "model.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef __int128 wide;

/* What an operation comes to, before it is put into a reply. */
struct outcome {
    uint16_t code;
    uint8_t rule;
    uint64_t approved;
    const struct model_account *account; /* whose balances the answer shows; NULL: zeros */
};

static bool same_id(struct hf_id a, struct hf_id b)
{
    return a.lo == b.lo && a.hi == b.hi;
}

static struct outcome refuse(uint16_t code, uint8_t rule, const struct model_account *account)
{
    return (struct outcome){.code = code, .rule = rule, .approved = 0, .account = account};
}

static struct outcome approve(uint64_t approved, const struct model_account *account)
{
    return (struct outcome){
        .code = HF_CODE_OK, .rule = HF_RULE_NONE, .approved = approved, .account = account};
}

/* Searching ------------------------------------------------------------------------------- */

static struct model_asset *find_asset(struct model_books *books, uint16_t asset)
{
    for (uint32_t i = 0; i < books->asset_count; i++)
        if (books->assets[i].asset == asset)
            return &books->assets[i];
    return NULL;
}

static struct model_account *find_account(struct model_books *books, struct hf_id id)
{
    for (uint32_t i = 0; i < books->account_count; i++)
        if (same_id(books->accounts[i].id, id))
            return &books->accounts[i];
    return NULL;
}

static struct model_instrument *find_instrument(struct model_books *books, struct hf_id token)
{
    for (uint32_t i = 0; i < books->instrument_count; i++)
        if (same_id(books->instruments[i].token, token))
            return &books->instruments[i];
    return NULL;
}

static struct model_hold *find_hold(struct model_books *books, struct hf_id id)
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

static uint64_t count_open(const struct model_books *books)
{
    uint64_t open = 0;
    for (uint32_t i = 0; i < books->hold_count; i++)
        if (books->holds[i].resolution == 0)
            open++;
    return open;
}

/* Balances -------------------------------------------------------------------------------- */

static wide spendable_of(const struct model_account *account)
{
    return (wide)account->posted - (wide)account->held_out;
}

int64_t model_available(const struct model_account *account)
{
    if (account->floor == INT64_MIN)
        return INT64_MAX;
    wide available = spendable_of(account) - account->floor;
    if (available > INT64_MAX)
        return INT64_MAX;
    if (available < INT64_MIN)
        return INT64_MIN;
    return (int64_t)available;
}

static void change_posted(struct model_account *account, wide change)
{
    wide posted = account->posted + change;
    assert(posted >= INT64_MIN);
    assert(posted <= INT64_MAX);
    account->posted = (int64_t)posted;
}

/* What is held for a payee deep below zero may pass the largest signed number. */
static void change_held(uint64_t *held, wide change)
{
    wide after = (wide)*held + change;
    assert(after >= 0);
    assert(after <= UINT64_MAX);
    *held = (uint64_t)after;
}

static void note_floor(struct model_account *account)
{
    if (spendable_of(account) >= account->floor)
        account->floor_raised = false;
}

/* The checks that MOVE, HOLD and AUTH share, in the order of the page. OK when all pass. */
static struct outcome check_value(struct model *model, struct hf_id payer_id, struct hf_id payee_id,
                                  uint16_t asset, uint64_t amount, bool holds)
{
    if (same_id(payer_id, payee_id))
        return refuse(HF_CODE_SAME_ACCOUNT, HF_RULE_PAYER, NULL);

    struct model_account *payer = find_account(model->books, payer_id);
    struct model_account *payee = find_account(model->books, payee_id);
    if (payer == NULL)
        return refuse(HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_PAYER, NULL);
    if (payee == NULL)
        return refuse(HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_PAYEE, payer);
    if (payer->asset != asset)
        return refuse(HF_CODE_ASSET_MISMATCH, HF_RULE_PAYER, payer);
    if (payee->asset != asset)
        return refuse(HF_CODE_ASSET_MISMATCH, HF_RULE_PAYEE, payer);
    if (payer->status == HF_ACCOUNT_CLOSED)
        return refuse(HF_CODE_CLOSED, HF_RULE_PAYER, payer);
    if (payer->status == HF_ACCOUNT_FROZEN)
        return refuse(HF_CODE_RESTRICTED, HF_RULE_PAYER, payer);
    if (payee->status == HF_ACCOUNT_CLOSED)
        return refuse(HF_CODE_CLOSED, HF_RULE_PAYEE, payer);
    if (payee->status == HF_ACCOUNT_FROZEN)
        return refuse(HF_CODE_RESTRICTED, HF_RULE_PAYEE, payer);

    wide left = spendable_of(payer) - (wide)amount;
    if (payer->floor != INT64_MIN && left < payer->floor)
        return refuse(HF_CODE_INSUFFICIENT, HF_RULE_PAYER, payer);
    if (left < INT64_MIN)
        return refuse(HF_CODE_OVERFLOW, HF_RULE_PAYER, payer);
    if (!holds && (wide)payer->lifetime_debits + (wide)amount > UINT64_MAX)
        return refuse(HF_CODE_OVERFLOW, HF_RULE_PAYER, payer);
    if (holds && (wide)payer->held_out + (wide)amount > INT64_MAX)
        return refuse(HF_CODE_OVERFLOW, HF_RULE_PAYER, payer);
    if (payee->posted + (wide)payee->held_in + (wide)amount > INT64_MAX)
        return refuse(HF_CODE_OVERFLOW, HF_RULE_PAYEE, payer);
    if (holds && count_open(model->books) >= model->limits.holds)
        return refuse(HF_CODE_CAPACITY, HF_RULE_TABLE, payer);
    return approve(amount, payer);
}

/* Holds ----------------------------------------------------------------------------------- */

static void forget_first_resolved(struct model_books *books)
{
    uint32_t first = UINT32_MAX;
    for (uint32_t i = 0; i < books->hold_count; i++) {
        if (books->holds[i].resolution == 0)
            continue;
        if (first == UINT32_MAX || books->holds[i].resolution < books->holds[first].resolution)
            first = i;
    }
    assert(first != UINT32_MAX);
    books->hold_count--;
    memmove(&books->holds[first], &books->holds[first + 1],
            (books->hold_count - first) * sizeof(books->holds[0]));
}

/* The value has been checked. Of the hold's memory only the operation is filled here. */
static void open_hold(struct model *model, const union hf_operation *operation,
                      struct hf_id payer_id, struct hf_id payee_id, uint16_t asset, uint64_t amount)
{
    struct model_books *books = model->books;
    if (books->hold_count == model->limits.holds)
        forget_first_resolved(books);
    change_held(&find_account(books, payer_id)->held_out, (wide)amount);
    change_held(&find_account(books, payee_id)->held_in, (wide)amount);
    books->holds[books->hold_count++] = (struct model_hold){
        .id = operation->header.id,
        .payer = payer_id,
        .payee = payee_id,
        .amount = amount,
        .remaining = amount,
        .asset = asset,
        .memory = {.operation = *operation},
    };
}

static void resolve_if_empty(struct model_books *books, struct model_hold *hold)
{
    if (hold->remaining == 0)
        hold->resolution = ++books->resolution_count;
}

static void release_amount(struct model_books *books, struct model_hold *hold, uint64_t amount)
{
    struct model_account *payer = find_account(books, hold->payer);
    change_held(&payer->held_out, -(wide)amount);
    change_held(&find_account(books, hold->payee)->held_in, -(wide)amount);
    hold->remaining -= amount;
    note_floor(payer);
}

/* The operations -------------------------------------------------------------------------- */

static struct outcome do_asset_put(struct model *model, const struct hf_op_asset_put *put)
{
    struct model_books *books = model->books;
    struct model_asset *asset = find_asset(books, put->asset);
    if (asset != NULL) {
        if (asset->scale != put->scale || memcmp(asset->code, put->code, 8) != 0)
            return refuse(HF_CODE_ASSET_MISMATCH, HF_RULE_ASSET, NULL);
        return approve(0, NULL);
    }
    if (books->asset_count == 256)
        return refuse(HF_CODE_CAPACITY, HF_RULE_TABLE, NULL);
    asset = &books->assets[books->asset_count++];
    asset->asset = put->asset;
    asset->scale = put->scale;
    memcpy(asset->code, put->code, 8);
    return approve(0, NULL);
}

static struct outcome do_account_put(struct model *model, const struct hf_op_account_put *put)
{
    struct model_books *books = model->books;
    if (find_asset(books, put->asset) == NULL)
        return refuse(HF_CODE_UNKNOWN_ASSET, HF_RULE_ASSET, NULL);
    struct model_account *account = find_account(books, put->account);
    if (account == NULL) {
        if (books->account_count == model->limits.accounts)
            return refuse(HF_CODE_CAPACITY, HF_RULE_TABLE, NULL);
        account = &books->accounts[books->account_count++];
        *account = (struct model_account){.id = put->account, .asset = put->asset};
    }
    if (account->asset != put->asset)
        return refuse(HF_CODE_ASSET_MISMATCH, HF_RULE_ACCOUNT, account);
    if (account->status == HF_ACCOUNT_CLOSED)
        return refuse(HF_CODE_CLOSED, HF_RULE_ACCOUNT, account);
    account->floor = put->floor;
    account->status = put->status;
    account->floor_raised = true;
    note_floor(account);
    return approve(0, account);
}

static struct outcome do_move(struct model *model, const struct hf_op_move *move)
{
    struct outcome outcome =
        check_value(model, move->payer, move->payee, move->asset, move->amount, false);
    if (outcome.code != HF_CODE_OK)
        return outcome;
    struct model_account *payer = find_account(model->books, move->payer);
    struct model_account *payee = find_account(model->books, move->payee);
    change_posted(payer, -(wide)move->amount);
    change_posted(payee, (wide)move->amount);
    payer->lifetime_debits += move->amount;
    note_floor(payee);
    return outcome;
}

static struct outcome do_hold(struct model *model, const union hf_operation *operation)
{
    const struct hf_op_hold *hold = &operation->hold;
    struct outcome outcome =
        check_value(model, hold->payer, hold->payee, hold->asset, hold->amount, true);
    if (outcome.code == HF_CODE_OK)
        open_hold(model, operation, hold->payer, hold->payee, hold->asset, hold->amount);
    return outcome;
}

static struct outcome do_capture(struct model *model, const struct hf_op_capture *capture)
{
    struct model_books *books = model->books;
    struct model_hold *hold = find_hold(books, capture->hold);
    if (hold == NULL)
        return refuse(HF_CODE_UNKNOWN_HOLD, HF_RULE_HOLD, NULL);
    struct model_account *payer = find_account(books, hold->payer);
    struct model_account *payee = find_account(books, hold->payee);
    if (hold->resolution != 0)
        return refuse(HF_CODE_HOLD_RESOLVED, HF_RULE_HOLD, payer);
    uint64_t amount = capture->amount == UINT64_MAX ? hold->remaining : capture->amount;
    if (amount > hold->remaining)
        return refuse(HF_CODE_OVER_CAPTURE, HF_RULE_HOLD, payer);
    if (payee->status == HF_ACCOUNT_FROZEN)
        return refuse(HF_CODE_RESTRICTED, HF_RULE_PAYEE, payer);
    if ((wide)payer->lifetime_debits + (wide)amount > UINT64_MAX)
        return refuse(HF_CODE_OVERFLOW, HF_RULE_PAYER, payer);

    change_held(&payer->held_out, -(wide)amount);
    change_posted(payer, -(wide)amount);
    payer->lifetime_debits += amount;
    change_held(&payee->held_in, -(wide)amount);
    change_posted(payee, (wide)amount);
    note_floor(payee);
    hold->remaining -= amount;
    hold->captured += amount;
    if (capture->final == 1)
        release_amount(books, hold, hold->remaining);
    resolve_if_empty(books, hold);
    return approve(amount, payer);
}

static struct outcome do_release(struct model *model, const struct hf_op_release *release)
{
    struct model_books *books = model->books;
    struct model_hold *hold = find_hold(books, release->hold);
    if (hold == NULL)
        return refuse(HF_CODE_UNKNOWN_HOLD, HF_RULE_HOLD, NULL);
    struct model_account *payer = find_account(books, hold->payer);
    if (hold->resolution != 0)
        return refuse(HF_CODE_HOLD_RESOLVED, HF_RULE_HOLD, payer);
    uint64_t amount = release->amount == UINT64_MAX ? hold->remaining : release->amount;
    if (amount > hold->remaining)
        return refuse(HF_CODE_OVER_CAPTURE, HF_RULE_HOLD, payer);
    release_amount(books, hold, amount);
    resolve_if_empty(books, hold);
    return approve(amount, payer);
}

static struct outcome do_instrument_put(struct model *model, const struct hf_op_instrument_put *put)
{
    struct model_books *books = model->books;
    if (find_account(books, put->account) == NULL)
        return refuse(HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_ACCOUNT, NULL);
    struct model_instrument *instrument = find_instrument(books, put->token);
    if (instrument != NULL && instrument->status == HF_INSTRUMENT_CLOSED)
        return refuse(HF_CODE_CLOSED, HF_RULE_INSTRUMENT, NULL);
    if (instrument == NULL) {
        if (books->instrument_count == model->limits.instruments)
            return refuse(HF_CODE_CAPACITY, HF_RULE_TABLE, NULL);
        instrument = &books->instruments[books->instrument_count++];
    }
    *instrument = (struct model_instrument){
        .token = put->token,
        .account = put->account,
        .expires_ns = put->expires_ns,
        .amount_limit = put->amount_limit,
        .remaining = put->remaining,
        .status = put->status,
        .flags = put->flags,
    };
    return approve(0, NULL);
}

static struct outcome do_auth(struct model *model, uint64_t timestamp_ns,
                              const union hf_operation *operation)
{
    const struct hf_op_auth *auth = &operation->auth;
    struct model_instrument *card = find_instrument(model->books, auth->token);
    if (card == NULL)
        return refuse(HF_CODE_UNKNOWN_INSTRUMENT, HF_RULE_INSTRUMENT, NULL);
    if (card->status == HF_INSTRUMENT_CLOSED)
        return refuse(HF_CODE_CLOSED, HF_RULE_INSTRUMENT, NULL);
    if (card->status == HF_INSTRUMENT_FROZEN)
        return refuse(HF_CODE_RESTRICTED, HF_RULE_INSTRUMENT, NULL);
    if (card->status == HF_INSTRUMENT_INACTIVE && (card->flags & HF_INSTRUMENT_FIRST_USE) == 0)
        return refuse(HF_CODE_INACTIVE, HF_RULE_INSTRUMENT, NULL);
    if (card->expires_ns != 0 && timestamp_ns >= card->expires_ns)
        return refuse(HF_CODE_EXPIRED, HF_RULE_INSTRUMENT, NULL);
    if (auth->amount > card->amount_limit)
        return refuse(HF_CODE_AMOUNT_LIMIT, HF_RULE_INSTRUMENT_AMOUNT, NULL);
    if (card->remaining == 0)
        return refuse(HF_CODE_COUNT_LIMIT, HF_RULE_INSTRUMENT_COUNT, NULL);
    struct outcome outcome =
        check_value(model, card->account, auth->payee, auth->asset, auth->amount, true);
    if (outcome.code != HF_CODE_OK || auth->amount == 0)
        return outcome;
    open_hold(model, operation, card->account, auth->payee, auth->asset, auth->amount);
    if (card->remaining != HF_INSTRUMENT_UNLIMITED)
        card->remaining--;
    card->status = HF_INSTRUMENT_ACTIVE;
    return outcome;
}

static struct outcome carry_out(struct model *model, uint64_t timestamp_ns,
                                const union hf_operation *operation)
{
    uint64_t deadline_ns = operation->header.deadline_ns;
    if (deadline_ns != 0 && deadline_ns < timestamp_ns)
        return refuse(HF_CODE_DEADLINE_PASSED, HF_RULE_DEADLINE, NULL);
    switch (operation->header.type) {
    case HF_OP_ASSET_PUT:
        return do_asset_put(model, &operation->asset_put);
    case HF_OP_ACCOUNT_PUT:
        return do_account_put(model, &operation->account_put);
    case HF_OP_MOVE:
        return do_move(model, &operation->move);
    case HF_OP_HOLD:
        return do_hold(model, operation);
    case HF_OP_CAPTURE:
        return do_capture(model, &operation->capture);
    case HF_OP_RELEASE:
        return do_release(model, &operation->release);
    case HF_OP_INSTRUMENT_PUT:
        return do_instrument_put(model, &operation->instrument_put);
    default:
        assert(operation->header.type == HF_OP_AUTH);
        return do_auth(model, timestamp_ns, operation);
    }
}

/* Exactly once ---------------------------------------------------------------------------- */

const struct model_memory *model_memory_of(const struct model *model, struct hf_id id)
{
    const struct model_memory *memory = find_remembered(model, id);
    if (memory != NULL)
        return memory;
    const struct model_hold *hold = model_hold_of(model, id);
    return hold == NULL ? NULL : &hold->memory;
}

static bool same_content(const union hf_operation *a, const union hf_operation *b)
{
    if (a->header.type != b->header.type)
        return false;
    assert(a->header.length == b->header.length);
    return memcmp(a->bytes + 32, b->bytes + 32, a->header.length - 32u) == 0;
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
    model->remembered_ids[at] = memory->operation.header.id;
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

static void write_reply(struct hf_reply *reply, uint64_t timestamp_ns,
                        const struct hf_op_header *header, const struct outcome *outcome)
{
    memset(reply, 0, sizeof(*reply));
    reply->length = 64;
    reply->type = header->type | 0x80;
    reply->code = outcome->code;
    reply->rule = outcome->rule;
    reply->id = header->id;
    reply->approved = outcome->approved;
    reply->timestamp_ns = timestamp_ns;
    if (outcome->account != NULL) {
        reply->available = model_available(outcome->account);
        reply->posted = outcome->account->posted;
    }
}

static void strip_balances(struct hf_reply *reply, const struct hf_op_header *header)
{
    if ((header->flags & HF_OP_RETURN_BALANCES) == 0) {
        reply->available = 0;
        reply->posted = 0;
    }
}

static bool refuse_place(struct hf_reply *reply, uint64_t timestamp_ns,
                         const struct hf_op_header *header, uint16_t code)
{
    struct outcome outcome = refuse(code, HF_RULE_ID, NULL);
    write_reply(reply, timestamp_ns, header, &outcome);
    return false;
}

bool model_apply(struct model *model, uint64_t timestamp_ns, const union hf_operation *operation,
                 struct hf_reply *reply)
{
    const struct hf_op_header *header = &operation->header;

    const struct model_memory *memory = model_memory_of(model, header->id);
    if (memory != NULL) {
        if (!same_content(&memory->operation, operation))
            return refuse_place(reply, timestamp_ns, header, HF_CODE_DUPLICATE_DIFFERENT);
        *reply = memory->answer;
        strip_balances(reply, header);
        return false;
    }

    uint64_t id_ms = header->id.hi >> 16;
    wide newest_ms = (wide)(timestamp_ns / 1000000) + (wide)(model->limits.id_ahead_ns / 1000000);
    if (id_ms < model_floor_ms(model, timestamp_ns))
        return refuse_place(reply, timestamp_ns, header, HF_CODE_ID_TOO_OLD);
    if (id_ms > newest_ms)
        return refuse_place(reply, timestamp_ns, header, HF_CODE_ID_TOO_NEW);

    bool dry_run = (header->flags & HF_OP_DRY_RUN) != 0;
    if (dry_run)
        *model->kept = *model->books;
    struct outcome outcome = carry_out(model, timestamp_ns, operation);
    write_reply(reply, timestamp_ns, header, &outcome);
    if (dry_run) {
        strip_balances(reply, header);
        *model->books = *model->kept;
        return false;
    }
    model->place++;
    model->timestamp_ns = timestamp_ns;
    reply->place = model->place;
    struct model_memory fresh = {.operation = *operation, .answer = *reply};
    struct model_hold *made = find_hold(model->books, header->id);
    if (made != NULL)
        made->memory = fresh;
    remember(model, &fresh);
    strip_balances(reply, header);
    return true;
}

/* Questions ------------------------------------------------------------------------------- */

const struct model_account *model_account_of(const struct model *model, struct hf_id id)
{
    return find_account(model->books, id);
}

const struct model_hold *model_hold_of(const struct model *model, struct hf_id id)
{
    return find_hold(model->books, id);
}

uint64_t model_holds_open(const struct model *model)
{
    return count_open(model->books);
}

static bool view_account(const struct model *model, struct hf_id id, struct hf_query_reply *reply)
{
    const struct model_account *account = model_account_of(model, id);
    if (account == NULL)
        return false;
    const struct model_asset *asset = find_asset(model->books, account->asset);
    reply->reply.available = model_available(account);
    reply->reply.posted = account->posted;
    reply->reply.length = 64 + 72;
    reply->view.account = (struct hf_account_view){
        .id = id,
        .posted = account->posted,
        .available = model_available(account),
        .held_out = account->held_out,
        .held_in = account->held_in,
        .lifetime_debits = account->lifetime_debits,
        .floor = account->floor,
        .asset = account->asset,
        .status = account->status,
        .scale = asset->scale,
    };
    return true;
}

static bool view_instrument(const struct model *model, struct hf_id id,
                            struct hf_query_reply *reply)
{
    const struct model_instrument *instrument = find_instrument(model->books, id);
    if (instrument == NULL)
        return false;
    reply->reply.length = 64 + 64;
    reply->view.instrument = (struct hf_instrument_view){
        .token = id,
        .account = instrument->account,
        .expires_ns = instrument->expires_ns,
        .amount_limit = instrument->amount_limit,
        .remaining = instrument->remaining,
        .status = instrument->status,
        .flags = instrument->flags,
    };
    return true;
}

static bool view_hold(const struct model *model, struct hf_id id, struct hf_query_reply *reply)
{
    const struct model_hold *hold = model_hold_of(model, id);
    if (hold == NULL)
        return false;
    reply->reply.length = 64 + 80;
    reply->view.hold = (struct hf_hold_view){
        .id = id,
        .payer = hold->payer,
        .payee = hold->payee,
        .amount = hold->amount,
        .remaining = hold->remaining,
        .captured = hold->captured,
        .asset = hold->asset,
        .status = hold->resolution == 0 ? HF_HOLD_OPEN : HF_HOLD_RESOLVED,
    };
    return true;
}

static bool view_operation(const struct model *model, struct hf_id id, struct hf_query_reply *reply)
{
    const struct model_memory *memory = model_memory_of(model, id);
    if (memory == NULL)
        return false;
    reply->reply.length = 64 + 64;
    reply->view.operation = memory->answer;
    return true;
}

void model_query(const struct model *model, const struct hf_op_query *query,
                 struct hf_query_reply *reply)
{
    static const struct {
        bool (*view)(const struct model *, struct hf_id, struct hf_query_reply *);
        uint16_t unknown;
    } subjects[] = {
        [HF_QUERY_ACCOUNT] = {view_account, HF_CODE_UNKNOWN_ACCOUNT},
        [HF_QUERY_INSTRUMENT] = {view_instrument, HF_CODE_UNKNOWN_INSTRUMENT},
        [HF_QUERY_OPERATION] = {view_operation, HF_CODE_UNKNOWN_OPERATION},
        [HF_QUERY_HOLD] = {view_hold, HF_CODE_UNKNOWN_HOLD},
    };
    memset(reply, 0, sizeof(*reply));
    reply->reply.length = 64;
    reply->reply.type = HF_OP_QUERY | 0x80;
    reply->reply.id = query->header.id;
    reply->reply.place = model->place;
    reply->reply.timestamp_ns = model->timestamp_ns;
    if (!subjects[query->subject].view(model, query->subject_id, reply)) {
        reply->reply.code = subjects[query->subject].unknown;
        reply->reply.rule = HF_RULE_SUBJECT;
    }
}

/* Making ---------------------------------------------------------------------------------- */

struct model *model_create(const struct hf_ledger_limits *limits)
{
    assert(limits->accounts <= MODEL_ACCOUNTS_MAX);
    assert(limits->instruments <= MODEL_INSTRUMENTS_MAX);
    assert(limits->holds <= MODEL_HOLDS_MAX);
    assert(limits->remembered <= MODEL_REMEMBERED_MAX);
    struct model *model = calloc(1, sizeof(*model));
    assert(model != NULL);
    model->books = calloc(1, sizeof(*model->books));
    model->kept = calloc(1, sizeof(*model->kept));
    assert(model->books != NULL);
    assert(model->kept != NULL);
    model->limits = *limits;
    return model;
}

void model_resize(struct model *model, const struct hf_ledger_limits *limits)
{
    assert(limits->accounts >= model->books->account_count);
    assert(limits->instruments >= model->books->instrument_count);
    assert(limits->holds >= model_holds_open(model));
    model->limits = *limits;
    while (model->remembered_count > limits->remembered)
        forget_oldest(model);
    while (model->books->hold_count > limits->holds)
        forget_first_resolved(model->books);
}

void model_destroy(struct model *model)
{
    if (model == NULL)
        return;
    free(model->books);
    free(model->kept);
    free(model);
}
