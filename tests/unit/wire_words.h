/* Words for what the wire codec has decoded, as the file of golden vectors has them. */
#ifndef HF_TESTS_WIRE_WORDS_H
#define HF_TESTS_WIRE_WORDS_H

#include "net/wire.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LINE_SIZE 8192

static inline const char *id_text(struct hf_id id)
{
    static char texts[8][33];
    static unsigned turn;
    char *text = texts[turn++ % 8];
    snprintf(text, 33, "%016" PRIx64 "%016" PRIx64, id.hi, id.lo);
    return text;
}

static inline void verdict_text(struct hf_verdict verdict, char *text, size_t size)
{
    int length =
        snprintf(text, size, "%s/%s", hf_code_name(verdict.code), hf_rule_name(verdict.rule));
    if (verdict.entry != 0)
        snprintf(text + length, size - (size_t)length, ":%u", verdict.entry);
}

static inline void auth_text(const struct hf_op_auth *op, char *text, size_t size)
{
    snprintf(text, size,
             " token=%s payee=%s amount=%" PRIu64 " minimum=%" PRIu64 " billing_amount=%" PRIu64
             " acquirer=%" PRIu64 " forwarder=%" PRIu64
             " terminal=%.8s merchant=%s network=%s rrn=%.12s stan=%u transmitted=%u local=%u "
             "asset=%u billing_asset=%u expiry=%u mcc=%u country=%u entry=%u conditions=%u "
             "region=%u kind=%u channel=%u class=%u marks=%u tolerance=%u",
             id_text(op->token), id_text(op->payee), op->amount, op->minimum, op->billing_amount,
             op->acquirer, op->forwarder, (const char *)op->terminal, (const char *)op->merchant,
             (const char *)op->network_id, (const char *)op->rrn, op->stan, op->transmitted,
             op->local_time, op->asset, op->billing_asset, op->card_expiry, op->mcc, op->country,
             op->entry_mode, op->conditions, op->region, op->transaction_type, op->channel,
             op->class_number, op->auth_flags, op->tolerance);
}

/* A text that grows. */
struct line {
    char *text;
    size_t size;
};

__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line->text, line->size, format, arguments);
    va_end(arguments);
    assert_in_range(length, 0, line->size - 1);
    line->text += length;
    line->size -= (size_t)length;
}

static inline void add_bytes(struct line *line, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add(line, "%02x", bytes[i]);
}

static inline void parts_text(const struct hf_filter *filter, struct line *line)
{
    if (filter->parts != 0)
        add(line, " parts=%u", filter->parts);
}

static inline void account_terms_text(const struct hf_op_account_put *op, struct line *line)
{
    const struct hf_filter *filter = &op->filter;
    add(line,
        " marks=%u ceiling=%" PRId64 " expires=%" PRIu64 " parent=%s sink=%s mcc=%u mcc2=%u"
        " country=%u channels=%u merchant=%s",
        op->flags, op->ceiling, op->expires_ns, id_text(op->parent), id_text(op->sink),
        filter->mccs[0], filter->mccs[1], filter->countries[0], filter->channels,
        (const char *)filter->merchant);
    parts_text(filter, line);
}

static inline void limit_text(const struct hf_op_limit_put *op, struct line *line)
{
    const struct hf_filter *filter = &op->filter;
    add(line,
        " scope=%u/%s/%u window=%u mode=%u amount=%" PRIu64 " count=%" PRIu64 " length=%" PRIu64
        " zone=%d start=%u mcc=%u mcc2=%u country=%u channels=%u merchant=%s",
        op->scope, id_text(op->scope_id), op->number, op->window, op->mode, op->max_amount,
        op->max_count, op->length_ns, op->zone_minutes, op->start, filter->mccs[0], filter->mccs[1],
        filter->countries[0], filter->channels, (const char *)filter->merchant);
    parts_text(filter, line);
}

static inline void plan_text(const struct hf_op_plan *plan, struct line *line)
{
    add(line,
        " amount=%" PRIu64 " minimum=%" PRIu64 " denominators=%u,%u asset=%u mcc=%u country=%u"
        " channel=%u method=%u counts=%u,%u choose=%u reference=%u merchant=%s",
        plan->amount, plan->minimum, plan->source_denominator, plan->destination_denominator,
        plan->asset, plan->mcc, plan->country, plan->channel, plan->method, plan->source_count,
        plan->destination_count, plan->choose_max, plan->reference, (const char *)plan->merchant);
}

static inline void entries_text(const struct hf_op_plan *plan, const struct hf_op_entry *entries,
                                struct line *line)
{
    for (uint32_t i = 0; i < (uint32_t)plan->source_count + plan->destination_count; i++)
        add(line, " entry=%s/%u/%" PRIu64, id_text(entries[i].account), entries[i].rule,
            entries[i].amount);
}

static inline void hold_plan_text(const struct hf_op_hold_plan *op, struct line *line)
{
    const struct hf_op_terms *terms = &op->terms;
    plan_text(&op->plan, line);
    add(line, " expires=%" PRIu64 " tolerance=%u class=%u policy=%u conditions=%u required=%u",
        terms->expires_ns, terms->tolerance, terms->class_number, terms->policy,
        terms->condition_count, terms->required);
    entries_text(&op->plan, op->entries, line);
    for (uint32_t i = 0; i < terms->condition_count; i++) {
        const struct hf_op_condition *condition = &hf_hold_plan_conditions(op)[i];
        size_t count = sizeof condition->bytes;
        while (count > 0 && condition->bytes[count - 1] == 0)
            count--;
        add(line, " condition=%u/%u/%" PRIu64 "/", condition->kind, condition->code,
            condition->time_ns);
        add_bytes(line, condition->bytes, count);
    }
}

static inline void attest_text(const struct hf_op_attest *op, struct line *line)
{
    add(line, " hold=%s condition=%u code=%u proof=", id_text(op->hold), op->condition, op->code);
    add_bytes(line, op->proof, op->proof_length);
}

static inline void further_text(const struct hf_id further[], uint32_t count, struct line *line)
{
    for (uint32_t i = 0; i < count; i++)
        add(line, " further=%s", id_text(further[i]));
}

static inline void clear_text(const struct hf_op_clear *op, struct line *line)
{
    add(line,
        " original=%s token=%s payee=%s amount=%" PRIu64 " acquirer=%" PRIu64
        " merchant=%s asset=%u mcc=%u country=%u channel=%u marks=%u reference=%u",
        id_text(op->original), id_text(op->token), id_text(op->payee), op->amount, op->acquirer,
        (const char *)op->merchant, op->asset, op->mcc, op->country, op->channel, op->clear_flags,
        op->reference);
}

static inline void operation_text(const union hf_operation *op, char *text, size_t size);

static inline void chain_text(const struct hf_op_chain *op, struct line *line)
{
    const uint8_t *next = op->operations;
    add(line, " count=%u", op->count);
    for (uint32_t i = 0; i < op->count; i++) {
        const union hf_operation *inner = (const union hf_operation *)(const void *)next;
        char text[LINE_SIZE];
        operation_text(inner, text, sizeof text);
        add(line, " [%s]", text);
        next += inner->header.length;
    }
}

/* The types that came after the first ones. */
static inline void long_body_text(const union hf_operation *op, struct line *line)
{
    switch (op->header.type) {
    case HF_OP_ACCOUNT_CLOSE:
        add(line, " account=%s sink=%s", id_text(op->account_close.account),
            id_text(op->account_close.sink));
        break;
    case HF_OP_ADJUST:
        add(line, " hold=%s amount=%" PRIu64 " expires=%" PRIu64 " mode=%u",
            id_text(op->adjust.hold), op->adjust.amount, op->adjust.expires_ns, op->adjust.mode);
        break;
    case HF_OP_ATTEST:
        attest_text(&op->attest, line);
        break;
    case HF_OP_CLASS_PUT:
        add(line, " class=%u lifetime=%" PRIu64, op->class_put.class_number,
            op->class_put.lifetime_ns);
        break;
    case HF_OP_MOVE_PLAN:
        plan_text(&op->move_plan.plan, line);
        entries_text(&op->move_plan.plan, op->move_plan.entries, line);
        break;
    case HF_OP_HOLD_PLAN:
        hold_plan_text(&op->hold_plan, line);
        break;
    case HF_OP_CHAIN:
        chain_text(&op->chain, line);
        break;
    case HF_OP_LIMIT_PUT:
        limit_text(&op->limit_put, line);
        break;
    case HF_OP_INCREMENT:
        add(line, " original=%s amount=%" PRIu64 " acquirer=%" PRIu64 " asset=%u class=%u",
            id_text(op->increment.original), op->increment.amount, op->increment.acquirer,
            op->increment.asset, op->increment.class_number);
        break;
    case HF_OP_REVERSE:
        add(line, " original=%s amount=%" PRIu64 " acquirer=%" PRIu64 " asset=%u captured=%u",
            id_text(op->reverse.original), op->reverse.amount, op->reverse.acquirer,
            op->reverse.asset, op->reverse.captured);
        break;
    case HF_OP_CLEAR:
        clear_text(&op->clear, line);
        break;
    default:
        add(line, " ?");
    }
}

static inline void body_text(const union hf_operation *op, char *text, size_t size)
{
    struct line line = {text, size};
    switch (op->header.type) {
    case HF_OP_ASSET_PUT:
        snprintf(text, size, " asset=%u scale=%u code=%.8s", op->asset_put.asset,
                 op->asset_put.scale, op->asset_put.code);
        break;
    case HF_OP_ACCOUNT_PUT:
        add(&line, " account=%s floor=%" PRId64 " asset=%u status=%u",
            id_text(op->account_put.account), op->account_put.floor, op->account_put.asset,
            op->account_put.status);
        if (op->header.length > HF_ACCOUNT_PUT_SHORT)
            account_terms_text(&op->account_put, &line);
        break;
    case HF_OP_MOVE:
        snprintf(text, size, " payer=%s payee=%s amount=%" PRIu64 " asset=%u reference=%u",
                 id_text(op->move.payer), id_text(op->move.payee), op->move.amount, op->move.asset,
                 op->move.reference);
        break;
    case HF_OP_HOLD:
        snprintf(text, size,
                 " payer=%s payee=%s amount=%" PRIu64 " asset=%u reference=%u expires=%" PRIu64,
                 id_text(op->hold.payer), id_text(op->hold.payee), op->hold.amount, op->hold.asset,
                 op->hold.reference, op->hold.expires_ns);
        break;
    case HF_OP_CAPTURE:
        add(&line, " hold=%s amount=%" PRIu64 " final=%u", id_text(op->capture.hold),
            op->capture.amount, op->capture.final);
        if (op->header.length > HF_CAPTURE_SHORT)
            add(&line, " payee=%s", id_text(op->capture.payee));
        break;
    case HF_OP_RELEASE:
        snprintf(text, size, " hold=%s amount=%" PRIu64, id_text(op->release.hold),
                 op->release.amount);
        break;
    case HF_OP_INSTRUMENT_PUT:
        add(&line,
            " token=%s account=%s expires=%" PRIu64 " limit=%" PRIu64 " remaining=%" PRIu64
            " status=%u marks=%u",
            id_text(op->instrument_put.token), id_text(op->instrument_put.account),
            op->instrument_put.expires_ns, op->instrument_put.amount_limit,
            op->instrument_put.remaining, op->instrument_put.status, op->instrument_put.flags);
        further_text(op->instrument_put.further, op->instrument_put.further_count, &line);
        break;
    case HF_OP_AUTH:
        auth_text(&op->auth, text, size);
        break;
    case HF_OP_QUERY:
        snprintf(text, size, " subject=%u subject_id=%s cursor=%u", op->query.subject,
                 id_text(op->query.subject_id), op->query.cursor);
        break;
    default:
        long_body_text(op, &line);
    }
}

static inline void operation_text(const union hf_operation *op, char *text, size_t size)
{
    int length = snprintf(text, size, "operation %s id=%s flags=%u deadline=%" PRIu64,
                          hf_operation_name(op->header.type), id_text(op->header.id),
                          op->header.flags, op->header.deadline_ns);
    body_text(op, text + length, size - (size_t)length);
}

static inline int answer_text(const struct hf_reply *reply, char *text, size_t size)
{
    return snprintf(text, size,
                    "reply %s entry=%u code=%u rule=%u durability=%u id=%s approved=%" PRIu64
                    " available=%" PRId64 " posted=%" PRId64 " place=%" PRIu64
                    " timestamp=%" PRIu64,
                    hf_operation_name(reply->type & 0x7f), reply->entry, reply->code, reply->rule,
                    reply->durability, id_text(reply->id), reply->approved, reply->available,
                    reply->posted, reply->place, reply->timestamp_ns);
}

static inline void account_view_text(const struct hf_account_view *account, struct line *line)
{
    add(line,
        " account=%s posted=%" PRId64 " available=%" PRId64 " held_out=%" PRIu64 " held_in=%" PRIu64
        " debits=%" PRIu64 " floor=%" PRId64 " asset=%u status=%u scale=%u",
        id_text(account->id), account->posted, account->available, account->held_out,
        account->held_in, account->lifetime_debits, account->floor, account->asset, account->status,
        account->scale);
    add(line,
        " marks=%u has_filter=%u credits=%" PRIu64 " ceiling=%" PRId64 " expires=%" PRIu64
        " parent=%s sink=%s",
        account->flags, account->has_filter, account->lifetime_credits, account->ceiling,
        account->expires_ns, id_text(account->parent), id_text(account->sink));
}

static inline void account_holds_text(const struct hf_account_holds_view *view, struct line *line)
{
    account_view_text(&view->account, line);
    add(line, " next=%u count=%u", view->next_cursor, view->count);
    for (uint32_t i = 0; i < view->count; i++)
        add(line, " line=%s/%s/%" PRIu64 "/%" PRIu64, id_text(view->lines[i].hold),
            id_text(view->lines[i].payee), view->lines[i].remaining, view->lines[i].expires_ns);
}

static inline void hold_view_text(const struct hf_hold_view *hold, struct line *line)
{
    add(line,
        " hold=%s payer=%s payee=%s amount=%" PRIu64 " remaining=%" PRIu64 " captured=%" PRIu64
        " expires=%" PRIu64 " asset=%u status=%u policy=%u tolerance=%u class=%u payers=%u"
        " conditions=%u required=%u met=%u",
        id_text(hold->id), id_text(hold->payer), id_text(hold->payee), hold->amount,
        hold->remaining, hold->captured, hold->expires_ns, hold->asset, hold->status, hold->policy,
        hold->tolerance, hold->class_number, hold->payer_count, hold->condition_count,
        hold->required, hold->met);
}

static inline void limits_text(const struct hf_limits_view *view, struct line *line)
{
    add(line, " next=%u count=%u", view->next_cursor, view->count);
    for (uint32_t i = 0; i < view->count; i++) {
        const struct hf_limit_line *limit = &view->lines[i];
        add(line, " limit=%u/%u/%u/%" PRIu64 "/%" PRIu64 "/%" PRIu64 "/%" PRIu64, limit->number,
            limit->window, limit->has_filter, limit->max_amount, limit->max_count,
            limit->used_amount, limit->used_count);
    }
}

static inline void authorisation_text(const struct hf_authorisation_view *view, struct line *line)
{
    add(line,
        "authorisation=%s token=%s payer=%s payee=%s amount=%" PRIu64 " remaining=%" PRIu64
        " captured=%" PRIu64 " reversed=%" PRIu64 " expires=%" PRIu64 " place=%" PRIu64
        " timestamp=%" PRIu64 " acquirer=%" PRIu64 " merchant=%s",
        id_text(view->id), id_text(view->token), id_text(view->payer), id_text(view->payee),
        view->amount, view->remaining, view->captured, view->reversed, view->expires_ns,
        view->place, view->timestamp_ns, view->acquirer, (const char *)view->merchant);
    add(line,
        " code=%u exception=%u rule=%u entry=%u status=%u marks=%u asset=%u mcc=%u country=%u"
        " channel=%u class=%u",
        view->code, view->exception, view->rule, view->entry, view->status, view->flags,
        view->asset, view->mcc, view->country, view->channel, view->class_number);
}

static inline void authorisations_text(const struct hf_authorisations_view *view, struct line *line)
{
    add(line, " next=%u count=%u", view->next_cursor, view->count);
    for (uint32_t i = 0; i < view->count; i++) {
        add(line, " [");
        authorisation_text(&view->lines[i], line);
        add(line, "]");
    }
}

/* Which view it is, the asker knows; here the length tells. */
static inline void reply_text(const struct hf_query_reply *reply, char *text, size_t size)
{
    int length = answer_text(&reply->reply, text, size);
    struct line line = {text + length, size - (size_t)length};
    const struct hf_instrument_view *instrument = &reply->view.instrument;
    bool is_answer = (reply->view.operation.type & HF_REPLY_TYPE_BIT) != 0 &&
                     reply->view.operation.length == sizeof(struct hf_reply);
    size_t view_length = reply->reply.length - sizeof(struct hf_reply);
    if (view_length == 0)
        return;
    if (view_length == sizeof reply->view.account)
        account_view_text(&reply->view.account, &line);
    else if (view_length == sizeof reply->view.hold)
        hold_view_text(&reply->view.hold, &line);
    else if (view_length == sizeof(struct hf_reply) && is_answer) {
        add(&line, " answer: ");
        answer_text(&reply->view.operation, line.text, line.size);
    } else if (view_length == sizeof *instrument) {
        add(&line,
            " token=%s account=%s expires=%" PRIu64 " limit=%" PRIu64 " remaining=%" PRIu64
            " status=%u marks=%u",
            id_text(instrument->token), id_text(instrument->account), instrument->expires_ns,
            instrument->amount_limit, instrument->remaining, instrument->status, instrument->flags);
        further_text(instrument->further, instrument->further_count, &line);
    } else if (view_length == sizeof reply->view.authorisation) {
        add(&line, " ");
        authorisation_text(&reply->view.authorisation, &line);
    } else if (view_length ==
               offsetof(struct hf_authorisations_view, lines) +
                   reply->view.authorisations.count * sizeof(struct hf_authorisation_view))
        authorisations_text(&reply->view.authorisations, &line);
    else if (view_length == offsetof(struct hf_account_holds_view, lines) +
                                reply->view.account_holds.count * sizeof(struct hf_hold_line))
        account_holds_text(&reply->view.account_holds, &line);
    else if (view_length == offsetof(struct hf_limits_view, lines) +
                                reply->view.limits.count * sizeof(struct hf_limit_line))
        limits_text(&reply->view.limits, &line);
}

#endif
