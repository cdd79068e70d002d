/* What the model shows of its records. */
#include "model_inside.h"

#include <assert.h>
#include <string.h>

const struct model_account *model_account_of(const struct model *model, struct hf_id id)
{
    return find_account(model->books, id);
}

const struct model_instrument *model_instrument_of(const struct model *model, struct hf_id token)
{
    return find_instrument(model->books, token);
}

const struct model_hold *model_hold_of(const struct model *model, struct hf_id id)
{
    return find_hold(model->books, id);
}

struct model_balance model_balance_of(const struct model *model,
                                      const struct model_account *account)
{
    return balance_of(model->books, account);
}

uint64_t model_holds_open(const struct model *model)
{
    uint64_t open = 0;
    for (uint32_t i = 0; i < model->books->hold_count; i++)
        open += model->books->holds[i].ended == 0;
    return open;
}

uint64_t model_terms_used(const struct model *model)
{
    uint64_t used = 0;
    for (uint32_t i = 0; i < model->books->account_count; i++)
        used += model->books->accounts[i].has_terms;
    return used;
}

uint64_t model_selectors_used(const struct model *model)
{
    uint64_t used = 0;
    for (uint32_t i = 0; i < model->books->instrument_count; i++)
        used += model->books->instruments[i].further_count > 0;
    return used;
}

uint64_t model_parts_used(const struct model *model)
{
    uint64_t used = 0;
    for (uint32_t i = 0; i < model->books->hold_count; i++) {
        const struct model_hold *hold = &model->books->holds[i];
        if (hold->ended == 0 && hold->part_count > 1)
            used += hold->part_count;
    }
    return used;
}

uint64_t model_conditions_used(const struct model *model)
{
    uint64_t used = 0;
    for (uint32_t i = 0; i < model->books->hold_count; i++)
        if (model->books->holds[i].ended == 0)
            used += model->books->holds[i].condition_count;
    return used;
}

uint32_t model_lines_of(const struct model *model, struct hf_id account,
                        struct hf_hold_line lines[MODEL_HOLDS_MAX])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < model->books->hold_count; i++) {
        const struct model_hold *hold = &model->books->holds[i];
        for (uint32_t p = 0; hold->ended == 0 && p < hold->part_count; p++)
            if (same_id(hold->parts[p].account, account))
                lines[count++] = (struct hf_hold_line){.hold = hold->id,
                                                       .payee = hold->payee,
                                                       .remaining = hold->parts[p].remaining,
                                                       .expires_ns = hold->expires_ns};
    }
    return count;
}

static uint8_t scale_of(const struct model *model, uint16_t asset)
{
    uint32_t i = 0;
    while (model->books->assets[i].asset != asset) {
        i++;
        assert(i < model->books->asset_count);
    }
    return model->books->assets[i].scale;
}

static bool has_filter(const struct hf_filter *filter)
{
    static const struct hf_filter none;
    return memcmp(filter, &none, sizeof(none)) != 0;
}

static bool fill_account(const struct model *model, struct hf_id id, struct hf_reply *reply,
                         struct hf_account_view *view)
{
    const struct model_account *account = model_account_of(model, id);
    if (account == NULL)
        return false;
    struct model_balance balance = balance_of(model->books, account);
    int64_t available = (int64_t)available_in(account, &balance);
    reply->available = available;
    reply->posted = (int64_t)balance.posted;
    *view = (struct hf_account_view){
        .id = id,
        .posted = (int64_t)balance.posted,
        .available = available,
        .held_out = (uint64_t)balance.held_out,
        .held_in = (uint64_t)balance.held_in,
        .lifetime_debits = (uint64_t)balance.lifetime_debits,
        .floor = account->floor,
        .asset = account->asset,
        .status = account->status,
        .scale = scale_of(model, account->asset),
        .flags = account->is_total ? HF_ACCOUNT_TOTAL : 0,
        .has_filter = has_filter(&account->filter) ? 1 : 0,
        .lifetime_credits = (uint64_t)(balance.posted + balance.lifetime_debits),
        .ceiling = account->ceiling,
        .expires_ns = account->expires_ns,
        .parent = account->parent,
        .sink = account->sink,
    };
    return true;
}

static bool view_account(const struct model *model, const struct hf_op_query *query,
                         struct hf_query_reply *reply)
{
    reply->reply.length = 64 + 128;
    return fill_account(model, query->subject_id, &reply->reply, &reply->view.account);
}

static bool view_account_holds(const struct model *model, const struct hf_op_query *query,
                               struct hf_query_reply *reply)
{
    reply->reply.length = 64 + 128 + 8;
    return fill_account(model, query->subject_id, &reply->reply,
                        &reply->view.account_holds.account);
}

static bool view_instrument(const struct model *model, const struct hf_op_query *query,
                            struct hf_query_reply *reply)
{
    const struct model_instrument *instrument = find_instrument(model->books, query->subject_id);
    if (instrument == NULL)
        return false;
    reply->reply.length = 64 + 176;
    reply->view.instrument = (struct hf_instrument_view){
        .token = query->subject_id,
        .account = instrument->account,
        .expires_ns = instrument->expires_ns,
        .amount_limit = instrument->amount_limit,
        .remaining = instrument->remaining,
        .status = instrument->status,
        .flags = instrument->flags,
        .further_count = instrument->further_count,
    };
    memcpy(reply->view.instrument.further, instrument->further, sizeof(instrument->further));
    return true;
}

static bool view_hold(const struct model *model, const struct hf_op_query *query,
                      struct hf_query_reply *reply)
{
    const struct model_hold *hold = model_hold_of(model, query->subject_id);
    if (hold == NULL || hold->status == HF_HOLD_REFUSED || hold->status == HF_HOLD_REVERSED)
        return false;
    reply->reply.length = 64 + 96;
    reply->view.hold = (struct hf_hold_view){
        .id = query->subject_id,
        .payer = hold->parts[0].account,
        .payee = hold->payee,
        .amount = hold->amount,
        .remaining = hold->remaining,
        .captured = hold->captured,
        .expires_ns = hold->expires_ns,
        .asset = hold->asset,
        .status = hold->status,
        .policy = hold->policy,
        .tolerance = hold->tolerance,
        .class_number = hold->class_number,
        .payer_count = hold->part_count,
        .condition_count = hold->condition_count,
        .required = hold->required,
        .met = hold->met,
    };
    return true;
}

static void list_lines(const struct model *model, uint8_t scope, const struct hf_op_query *query,
                       struct hf_query_reply *reply)
{
    const struct model_limit *limits[HF_LIMITS_A_SCOPE];
    struct hf_limits_view *view = &reply->view.limits;
    uint32_t count = model_limits_of(model, scope, query->subject_id, limits);
    for (uint32_t i = 0; i < count; i++) {
        const struct model_limit *limit = limits[i];
        if (limit->number <= query->cursor)
            continue;
        if (view->count == HF_LIMIT_LINES_MAX) {
            view->next_cursor = view->lines[view->count - 1].number;
            break;
        }
        struct model_used used = model_used_of(model, limit, model->timestamp_ns);
        view->lines[view->count++] = (struct hf_limit_line){
            .max_amount = limit->max_amount,
            .max_count = limit->max_count,
            .used_amount = used.amount,
            .used_count = used.count,
            .number = limit->number,
            .window = limit->window,
            .has_filter = has_filter(&limit->filter) ? 1 : 0,
        };
    }
    reply->reply.length = (uint16_t)(64 + 8 + 40 * view->count);
}

static bool view_instrument_limits(const struct model *model, const struct hf_op_query *query,
                                   struct hf_query_reply *reply)
{
    if (find_instrument(model->books, query->subject_id) == NULL)
        return false;
    list_lines(model, HF_LIMIT_INSTRUMENT, query, reply);
    return true;
}

static bool view_account_limits(const struct model *model, const struct hf_op_query *query,
                                struct hf_query_reply *reply)
{
    const struct model_account *account = model_account_of(model, query->subject_id);
    if (account == NULL)
        return false;
    struct model_balance balance = balance_of(model->books, account);
    reply->reply.available = (int64_t)available_in(account, &balance);
    reply->reply.posted = (int64_t)balance.posted;
    list_lines(model, HF_LIMIT_ACCOUNT, query, reply);
    return true;
}

static bool view_operation(const struct model *model, const struct hf_op_query *query,
                           struct hf_query_reply *reply)
{
    const struct model_memory *memory = model_memory_of(model, query->subject_id);
    if (memory == NULL)
        return false;
    reply->reply.length = 64 + 64;
    reply->view.operation = memory->answer;
    return true;
}

/* Authorisations -------------------------------------------------------------------------- */

static void fill_authorisation(const struct model_hold *hold, struct hf_authorisation_view *view)
{
    const struct model_record *record = &hold->record;
    const struct hf_reply *answer = &hold->memory.answer;
    *view = (struct hf_authorisation_view){
        .id = hold->id,
        .token = record->token,
        .payer = hold->parts[0].account,
        .payee = hold->payee,
        .amount = hold->amount,
        .remaining = hold->remaining,
        .captured = hold->captured,
        .reversed = record->reversed,
        .expires_ns = hold->expires_ns,
        .place = answer->place,
        .timestamp_ns = answer->timestamp_ns,
        .acquirer = record->acquirer,
        .code = answer->code,
        .exception = record->exception,
        .rule = answer->rule,
        .entry = answer->entry,
        .status = hold->status,
        .flags = record->flags,
        .asset = hold->asset,
        .mcc = record->attributes.mcc,
        .country = record->attributes.country,
        .channel = record->attributes.channel,
        .class_number = hold->class_number,
    };
    memcpy(view->merchant, record->attributes.merchant, 16);
}

static bool view_authorisation(const struct model *model, const struct hf_op_query *query,
                               struct hf_query_reply *reply)
{
    const struct model_hold *hold = model_hold_of(model, query->subject_id);
    if (hold == NULL || !hold->record.is_there)
        return false;
    reply->reply.length = 64 + 160;
    fill_authorisation(hold, &reply->view.authorisation);
    return true;
}

/* An instrument's record of that number, if it is known. */
static const struct model_hold *find_listed(const struct model *model, struct hf_id token,
                                            uint64_t number)
{
    for (uint32_t i = 0; i < model->books->hold_count; i++) {
        const struct model_hold *hold = &model->books->holds[i];
        if (hold->record.is_there && same_id(hold->record.token, token) &&
            hold->record.number == number)
            return hold;
    }
    return NULL;
}

static bool view_authorisations(const struct model *model, const struct hf_op_query *query,
                                struct hf_query_reply *reply)
{
    const struct model_instrument *card = find_instrument(model->books, query->subject_id);
    if (card == NULL)
        return false;
    struct hf_authorisations_view *view = &reply->view.authorisations;
    for (uint64_t skip = 0; skip < card->listed; skip++) {
        const struct model_hold *hold = find_listed(model, card->token, card->listed - skip);
        if (hold == NULL)
            break;
        if (skip < query->cursor)
            continue;
        if (view->count == HF_AUTHORISATION_LINES_MAX) {
            view->next_cursor = skip <= HF_AUTHORISATIONS_SKIP_MAX ? (uint32_t)skip : 0;
            break;
        }
        fill_authorisation(hold, &view->lines[view->count++]);
    }
    reply->reply.length = (uint16_t)(64 + 8 + 160 * view->count);
    return true;
}

void model_query(const struct model *model, const struct hf_op_query *query,
                 struct hf_query_reply *reply)
{
    static const struct {
        bool (*view)(const struct model *, const struct hf_op_query *, struct hf_query_reply *);
        uint16_t unknown;
    } subjects[] = {
        [HF_QUERY_ACCOUNT] = {view_account, HF_CODE_UNKNOWN_ACCOUNT},
        [HF_QUERY_INSTRUMENT] = {view_instrument, HF_CODE_UNKNOWN_INSTRUMENT},
        [HF_QUERY_OPERATION] = {view_operation, HF_CODE_UNKNOWN_OPERATION},
        [HF_QUERY_HOLD] = {view_hold, HF_CODE_UNKNOWN_HOLD},
        [HF_QUERY_ACCOUNT_HOLDS] = {view_account_holds, HF_CODE_UNKNOWN_ACCOUNT},
        [HF_QUERY_INSTRUMENT_LIMITS] = {view_instrument_limits, HF_CODE_UNKNOWN_INSTRUMENT},
        [HF_QUERY_ACCOUNT_LIMITS] = {view_account_limits, HF_CODE_UNKNOWN_ACCOUNT},
        [HF_QUERY_AUTHORISATION] = {view_authorisation, HF_CODE_UNKNOWN_HOLD},
        [HF_QUERY_INSTRUMENT_AUTHORISATIONS] = {view_authorisations, HF_CODE_UNKNOWN_INSTRUMENT},
    };
    memset(reply, 0, sizeof(*reply));
    reply->reply.length = 64;
    reply->reply.type = HF_OP_QUERY | 0x80;
    reply->reply.id = query->header.id;
    reply->reply.place = model->place;
    reply->reply.timestamp_ns = model->timestamp_ns;
    if (!subjects[query->subject].view(model, query, reply)) {
        reply->reply.length = 64;
        reply->reply.code = subjects[query->subject].unknown;
        reply->reply.rule = HF_RULE_SUBJECT;
    }
}
