/* The wire codec against golden vectors made without it, and against every damage we can think of.
 *
 * Each datagram is read from a buffer of exactly its size, so that a sanitizer sees a read past the
 * end. */
#include "net/wire.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LINE_SIZE    8192
#define STEPS_MAX    16
#define VECTORS_MAX  512
#define RANDOM_COUNT 100000

struct vector {
    char name[64];
    uint8_t *bytes; /* exactly `length` of them */
    size_t length;
    char open[64];
    char header[128];
    char *steps[STEPS_MAX];
    uint32_t step_count;
};

/* Room for any operation. */
union any_operation {
    union hf_operation operation;
    uint8_t bytes[HF_OPERATION_LENGTH_MAX];
};

static struct vector vectors[VECTORS_MAX];
static uint32_t vector_count;

/* ---- words for what was decoded */

static const char *id_text(struct hf_id id)
{
    static char texts[8][33];
    static unsigned turn;
    char *text = texts[turn++ % 8];
    snprintf(text, 33, "%016" PRIx64 "%016" PRIx64, id.hi, id.lo);
    return text;
}

static void verdict_text(struct hf_verdict verdict, char *text, size_t size)
{
    int length =
        snprintf(text, size, "%s/%s", hf_code_name(verdict.code), hf_rule_name(verdict.rule));
    if (verdict.entry != 0)
        snprintf(text + length, size - (size_t)length, ":%u", verdict.entry);
}

static void auth_text(const struct hf_op_auth *op, char *text, size_t size)
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

static void add_bytes(struct line *line, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add(line, "%02x", bytes[i]);
}

static void account_terms_text(const struct hf_op_account_put *op, struct line *line)
{
    const struct hf_filter *filter = &op->filter;
    add(line,
        " marks=%u ceiling=%" PRId64 " expires=%" PRIu64 " parent=%s sink=%s mcc=%u mcc2=%u"
        " country=%u channels=%u merchant=%s",
        op->flags, op->ceiling, op->expires_ns, id_text(op->parent), id_text(op->sink),
        filter->mccs[0], filter->mccs[1], filter->countries[0], filter->channels,
        (const char *)filter->merchant);
}

static void limit_text(const struct hf_op_limit_put *op, struct line *line)
{
    const struct hf_filter *filter = &op->filter;
    add(line,
        " scope=%u/%s/%u window=%u mode=%u amount=%" PRIu64 " count=%" PRIu64 " length=%" PRIu64
        " zone=%d start=%u mcc=%u mcc2=%u country=%u channels=%u merchant=%s",
        op->scope, id_text(op->scope_id), op->number, op->window, op->mode, op->max_amount,
        op->max_count, op->length_ns, op->zone_minutes, op->start, filter->mccs[0], filter->mccs[1],
        filter->countries[0], filter->channels, (const char *)filter->merchant);
}

static void plan_text(const struct hf_op_plan *plan, struct line *line)
{
    add(line,
        " amount=%" PRIu64 " minimum=%" PRIu64 " denominators=%u,%u asset=%u mcc=%u country=%u"
        " channel=%u method=%u counts=%u,%u choose=%u reference=%u merchant=%s",
        plan->amount, plan->minimum, plan->source_denominator, plan->destination_denominator,
        plan->asset, plan->mcc, plan->country, plan->channel, plan->method, plan->source_count,
        plan->destination_count, plan->choose_max, plan->reference, (const char *)plan->merchant);
}

static void entries_text(const struct hf_op_plan *plan, const struct hf_op_entry *entries,
                         struct line *line)
{
    for (uint32_t i = 0; i < (uint32_t)plan->source_count + plan->destination_count; i++)
        add(line, " entry=%s/%u/%" PRIu64, id_text(entries[i].account), entries[i].rule,
            entries[i].amount);
}

static void hold_plan_text(const struct hf_op_hold_plan *op, struct line *line)
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

static void attest_text(const struct hf_op_attest *op, struct line *line)
{
    add(line, " hold=%s condition=%u code=%u proof=", id_text(op->hold), op->condition, op->code);
    add_bytes(line, op->proof, op->proof_length);
}

static void further_text(const struct hf_id further[], uint32_t count, struct line *line)
{
    for (uint32_t i = 0; i < count; i++)
        add(line, " further=%s", id_text(further[i]));
}

static void clear_text(const struct hf_op_clear *op, struct line *line)
{
    add(line,
        " original=%s token=%s payee=%s amount=%" PRIu64 " acquirer=%" PRIu64
        " merchant=%s asset=%u mcc=%u country=%u channel=%u marks=%u reference=%u",
        id_text(op->original), id_text(op->token), id_text(op->payee), op->amount, op->acquirer,
        (const char *)op->merchant, op->asset, op->mcc, op->country, op->channel, op->clear_flags,
        op->reference);
}

static void operation_text(const union hf_operation *op, char *text, size_t size);

static void chain_text(const struct hf_op_chain *op, struct line *line)
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
static void long_body_text(const union hf_operation *op, struct line *line)
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

static void body_text(const union hf_operation *op, char *text, size_t size)
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

static void operation_text(const union hf_operation *op, char *text, size_t size)
{
    int length = snprintf(text, size, "operation %s id=%s flags=%u deadline=%" PRIu64,
                          hf_operation_name(op->header.type), id_text(op->header.id),
                          op->header.flags, op->header.deadline_ns);
    body_text(op, text + length, size - (size_t)length);
}

static int answer_text(const struct hf_reply *reply, char *text, size_t size)
{
    return snprintf(text, size,
                    "reply %s entry=%u code=%u rule=%u durability=%u id=%s approved=%" PRIu64
                    " available=%" PRId64 " posted=%" PRId64 " place=%" PRIu64
                    " timestamp=%" PRIu64,
                    hf_operation_name(reply->type & 0x7f), reply->entry, reply->code, reply->rule,
                    reply->durability, id_text(reply->id), reply->approved, reply->available,
                    reply->posted, reply->place, reply->timestamp_ns);
}

static void account_view_text(const struct hf_account_view *account, struct line *line)
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

static void account_holds_text(const struct hf_account_holds_view *view, struct line *line)
{
    account_view_text(&view->account, line);
    add(line, " next=%u count=%u", view->next_cursor, view->count);
    for (uint32_t i = 0; i < view->count; i++)
        add(line, " line=%s/%s/%" PRIu64 "/%" PRIu64, id_text(view->lines[i].hold),
            id_text(view->lines[i].payee), view->lines[i].remaining, view->lines[i].expires_ns);
}

static void hold_view_text(const struct hf_hold_view *hold, struct line *line)
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

static void limits_text(const struct hf_limits_view *view, struct line *line)
{
    add(line, " next=%u count=%u", view->next_cursor, view->count);
    for (uint32_t i = 0; i < view->count; i++) {
        const struct hf_limit_line *limit = &view->lines[i];
        add(line, " limit=%u/%u/%u/%" PRIu64 "/%" PRIu64 "/%" PRIu64 "/%" PRIu64, limit->number,
            limit->window, limit->has_filter, limit->max_amount, limit->max_count,
            limit->used_amount, limit->used_count);
    }
}

static void authorisation_text(const struct hf_authorisation_view *view, struct line *line)
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

static void authorisations_text(const struct hf_authorisations_view *view, struct line *line)
{
    add(line, " next=%u count=%u", view->next_cursor, view->count);
    for (uint32_t i = 0; i < view->count; i++) {
        add(line, " [");
        authorisation_text(&view->lines[i], line);
        add(line, "]");
    }
}

/* Which view it is, the asker knows; here the length tells. */
static void reply_text(const struct hf_query_reply *reply, char *text, size_t size)
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

/* ---- the file of vectors */

static char *rest_of(char *line, const char *keyword)
{
    size_t length = strlen(keyword);
    if (strncmp(line, keyword, length) != 0)
        return NULL;
    return line[length] == ' ' ? line + length + 1 : line + length;
}

static void add_hex(struct vector *vector, const char *hex)
{
    size_t count = strlen(hex) / 2;
    vector->bytes = realloc(vector->bytes, vector->length + count);
    assert_non_null(vector->bytes);
    for (size_t i = 0; i < count; i++) {
        unsigned byte;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        vector->bytes[vector->length++] = (uint8_t)byte;
    }
}

static void take_line(char *line)
{
    struct vector *vector = &vectors[vector_count];
    char *rest;
    if (line[0] == '\0' || line[0] == '#')
        return;
    if ((rest = rest_of(line, "vector")) != NULL)
        snprintf(vector->name, sizeof vector->name, "%.63s", rest);
    else if ((rest = rest_of(line, "hex")) != NULL)
        add_hex(vector, rest);
    else if ((rest = rest_of(line, "open")) != NULL)
        snprintf(vector->open, sizeof vector->open, "%.63s", rest);
    else if ((rest = rest_of(line, "header")) != NULL)
        snprintf(vector->header, sizeof vector->header, "%.127s", rest);
    else if (strcmp(line, "end") == 0)
        assert_true(++vector_count < VECTORS_MAX);
    else {
        assert_true(vector->step_count < STEPS_MAX);
        vector->steps[vector->step_count++] = strdup(line);
    }
}

static int load_vectors(void **state)
{
    (void)state;
    FILE *file = fopen(HF_TEST_GOLDEN_WIRE, "r");
    if (file == NULL) {
        print_error("cannot open %s\n", HF_TEST_GOLDEN_WIRE);
        return -1;
    }
    static char line[LINE_SIZE];
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        take_line(line);
    }
    fclose(file);
    print_message("%u vectors\n", vector_count);
    return vector_count > 100 ? 0 : -1;
}

static int free_vectors(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < vector_count; i++) {
        free(vectors[i].bytes);
        for (uint32_t s = 0; s < vectors[i].step_count; s++)
            free(vectors[i].steps[s]);
    }
    return 0;
}

/* ---- reading */

/* One reading step in words; false at the end. Keeps what was read for encoding again. */
static bool read_step(struct hf_wire_reader *reader, union any_operation *any,
                      struct hf_query_reply *reply, char *text, size_t size)
{
    union hf_operation *operation = &any->operation;
    struct hf_verdict verdict;
    char why[64];
    enum hf_wire_step step;
    if ((reader->header.flags & HF_WIRE_REPLIES) != 0) {
        step = hf_wire_next_reply(reader, reply);
        if (step == HF_WIRE_MESSAGE)
            reply_text(reply, text, size);
        else
            snprintf(text, size, "broken reply");
        assert_int_not_equal(step, HF_WIRE_REFUSED);
        return step != HF_WIRE_END;
    }
    step = hf_wire_next_operation(reader, operation, HF_OPERATION_LENGTH_MAX, &verdict);
    verdict_text(verdict, why, sizeof why);
    if (step == HF_WIRE_MESSAGE) {
        assert_int_equal(verdict.code, HF_CODE_OK);
        operation_text(operation, text, size);
    } else {
        snprintf(text, size, "%s %s %s", step == HF_WIRE_REFUSED ? "refused" : "broken", why,
                 id_text(operation->header.id));
        assert_int_equal(step == HF_WIRE_END, verdict.code == HF_CODE_OK);
    }
    return step != HF_WIRE_END;
}

static void expect_text(const struct vector *vector, const char *got, const char *expected)
{
    if (strcmp(got, expected) != 0)
        print_error("vector %s\n", vector->name);
    assert_string_equal(got, expected);
}

static void check_vector(const struct vector *vector)
{
    struct hf_wire_reader reader;
    char text[LINE_SIZE];
    struct hf_verdict verdict = hf_wire_open(&reader, vector->bytes, vector->length);
    verdict_text(verdict, text, sizeof text);
    expect_text(vector, text, vector->open);
    if (verdict.code == HF_CODE_OK) {
        snprintf(text, sizeof text, "flags=%u count=%u session=%016" PRIx64 " counter=%" PRIu64,
                 reader.header.flags, reader.header.count, reader.header.session,
                 reader.header.counter);
        expect_text(vector, text, vector->header);
    }
    union any_operation any;
    struct hf_query_reply reply;
    for (uint32_t s = 0; s < vector->step_count; s++) {
        assert_true(read_step(&reader, &any, &reply, text, sizeof text));
        expect_text(vector, text, vector->steps[s]);
    }
    assert_false(read_step(&reader, &any, &reply, text, sizeof text));
    assert_false(read_step(&reader, &any, &reply, text, sizeof text));
}

static void test_golden_decode(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < vector_count; i++)
        check_vector(&vectors[i]);
}

static bool is_all_messages(const struct vector *vector)
{
    for (uint32_t s = 0; s < vector->step_count; s++)
        if (strncmp(vector->steps[s], "operation ", 10) != 0 &&
            strncmp(vector->steps[s], "reply ", 6) != 0)
            return false;
    return vector->step_count > 0;
}

/* What was read, written again, gives the same bytes. */
static void test_golden_encode(void **state)
{
    (void)state;
    uint32_t encoded = 0;
    for (uint32_t i = 0; i < vector_count; i++) {
        const struct vector *vector = &vectors[i];
        if (!is_all_messages(vector))
            continue;
        struct hf_wire_reader reader;
        assert_int_equal(hf_wire_open(&reader, vector->bytes, vector->length).code, HF_CODE_OK);
        uint8_t *buffer = malloc(vector->length);
        struct hf_wire_writer writer;
        hf_wire_begin(&writer, buffer, vector->length);
        union any_operation any;
        struct hf_query_reply reply;
        char text[LINE_SIZE];
        bool is_reply = (reader.header.flags & HF_WIRE_REPLIES) != 0;
        while (read_step(&reader, &any, &reply, text, sizeof text)) {
            if (is_reply)
                assert_true(hf_wire_add(&writer, &reply, reply.reply.length));
            else
                assert_true(hf_wire_add(&writer, &any, any.operation.header.length));
        }
        assert_int_equal(hf_wire_finish(&writer, reader.header.flags, reader.header.session,
                                        reader.header.counter),
                         vector->length);
        assert_memory_equal(buffer, vector->bytes, vector->length);
        free(buffer);
        encoded++;
    }
    assert_true(encoded >= 30);
}

/* Reads a datagram through, both ways, whatever it is. Its result: it ends, in bounds, with no more
 * steps than messages and one complaint, and every message handed out passed its check. */
static void read_through(const uint8_t *bytes, size_t length)
{
    struct hf_wire_reader reader;
    struct hf_wire_reader again;
    union any_operation any;
    const union hf_operation *operation = &any.operation;
    struct hf_query_reply reply;
    struct hf_verdict verdict;
    struct hf_verdict opened = hf_wire_open(&reader, bytes, length);
    again = reader;
    uint32_t steps = 0;
    enum hf_wire_step step;
    while ((step = hf_wire_next_operation(&reader, &any.operation, sizeof any, &verdict)) !=
           HF_WIRE_END) {
        assert_int_equal(step == HF_WIRE_MESSAGE, verdict.code == HF_CODE_OK);
        if (step == HF_WIRE_MESSAGE) {
            assert_true(operation->header.length >= hf_operation_length(operation->header.type));
            assert_int_not_equal(operation->header.type, HF_OP_EXPIRE);
            assert_false(hf_id_is_reserved(operation->header.id));
            assert_int_equal(operation->header.origin, 0);
        }
        assert_true(++steps <= HF_WIRE_MESSAGES_MAX + 1);
    }
    while ((step = hf_wire_next_reply(&again, &reply)) != HF_WIRE_END) {
        if (step == HF_WIRE_MESSAGE)
            assert_in_range(reply.reply.length, 64, HF_REPLY_LENGTH_MAX);
        assert_true(++steps <= 2 * (HF_WIRE_MESSAGES_MAX + 1));
    }
    assert_int_equal(opened.code == HF_CODE_OK, steps > 0);
}

/* As read_through, from a buffer of exactly `length` bytes at an odd address. */
static void read_through_exactly(const uint8_t *bytes, size_t length)
{
    uint8_t *copy = malloc(length + 1);
    assert_non_null(copy);
    memcpy(copy + 1, bytes, length);
    read_through(copy + 1, length);
    free(copy);
}

static void test_every_truncation(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < vector_count; i++) {
        const struct vector *vector = &vectors[i];
        uint8_t *copy = malloc(vector->length + 1);
        for (size_t length = 0; length < vector->length; length++) {
            memcpy(copy, vector->bytes, length);
            read_through_exactly(copy, length);
            if (length < sizeof(struct hf_wire_header))
                continue;
            /* The header tells the truth about the cut: now it is a message that is cut. */
            copy[4] = (uint8_t)length;
            copy[5] = (uint8_t)(length >> 8);
            read_through_exactly(copy, length);
        }
        free(copy);
    }
}

static void test_every_bit_flip(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < vector_count; i++) {
        const struct vector *vector = &vectors[i];
        for (size_t bit = 0; bit < vector->length * 8; bit++) {
            vector->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            read_through_exactly(vector->bytes, vector->length);
            vector->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

static uint64_t random_state;

static uint64_t random_next(void)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

/* Random bytes behind a header that mostly opens, with message headers that mostly look right. */
static size_t make_random_datagram(uint8_t bytes[512])
{
    size_t length = random_next() % 512;
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)random_next();
    if (length < sizeof(struct hf_wire_header) || random_next() % 16 == 0)
        return length;
    struct hf_wire_header header = {.magic = HF_WIRE_MAGIC,
                                    .version = HF_WIRE_VERSION,
                                    .flags = random_next() % 2,
                                    .length = (uint16_t)length,
                                    .count = (uint16_t)(1 + random_next() % 8)};
    memcpy(bytes, &header, sizeof header);
    size_t at = sizeof header;
    while (at + 4 <= length) {
        uint16_t message_length = (uint16_t)(random_next() % 32 * 8);
        bytes[at] = (uint8_t)message_length;
        bytes[at + 1] = 0;
        bytes[at + 2] = (uint8_t)(random_next() % 24 | (header.flags != 0 ? 0x80u : 0u));
        at += message_length == 0 ? 8 : message_length;
    }
    return length;
}

static void test_random_datagrams(void **state)
{
    (void)state;
    const char *given = getenv("HF_TEST_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : 20250615;
    print_message("seed %" PRIu64 " (set HF_TEST_SEED for another)\n", seed);
    random_state = seed;
    uint8_t bytes[512];
    for (uint32_t i = 0; i < RANDOM_COUNT; i++)
        read_through_exactly(bytes, make_random_datagram(bytes));
}

/* ---- what vectors do not reach */

static void fill_move(union hf_operation *operation, uint64_t number)
{
    memset(operation, 0, sizeof *operation);
    operation->move = (struct hf_op_move){
        .header = {.length = sizeof(struct hf_op_move), .type = HF_OP_MOVE, .id = {number, 7}},
        .payer = {1, 0},
        .payee = {2, 0},
        .amount = 5,
        .asset = 840};
}

static void test_writer_limits(void **state)
{
    (void)state;
    union hf_operation operation;
    struct hf_wire_writer writer;
    uint8_t *buffer = malloc(UINT16_MAX + 1);
    assert_non_null(buffer);

    /* Nothing in it: nothing to send. */
    hf_wire_begin(&writer, buffer, 1472);
    assert_int_equal(hf_wire_finish(&writer, 0, 1, 1), 0);

    /* Whole messages, as many as fit: 18 of 80 bytes in 1472 - 24. */
    fill_move(&operation, 1);
    uint32_t count = 0;
    while (hf_wire_add(&writer, &operation, operation.header.length))
        count++;
    assert_int_equal(count, 18);
    assert_int_equal(hf_wire_finish(&writer, 0, 1, 1), 24 + 18 * 80);

    /* The format's bound on a datagram, whatever the buffer. */
    hf_wire_begin(&writer, buffer, UINT16_MAX + 1);
    count = 0;
    while (hf_wire_add(&writer, &operation, operation.header.length))
        count++;
    assert_int_equal(count, (HF_WIRE_DATAGRAM_MAX - 24) / 80);

    /* The bound on messages: 255 of the shortest are over 9000 bytes, so the length rules first. */
    assert_true((HF_WIRE_DATAGRAM_MAX - 24) / HF_OPERATION_LENGTH_MIN < HF_WIRE_MESSAGES_MAX);

    /* A message that does not fit leaves the datagram as it was. */
    hf_wire_begin(&writer, buffer, 24 + 80);
    assert_true(hf_wire_add(&writer, &operation, operation.header.length));
    assert_false(hf_wire_add(&writer, &operation, operation.header.length));
    assert_int_equal(hf_wire_finish(&writer, 0, 1, 1), 24 + 80);
    free(buffer);
}

static void test_datagram_over_the_limit(void **state)
{
    (void)state;
    size_t length = HF_WIRE_DATAGRAM_MAX + 8;
    uint8_t *bytes = calloc(1, length);
    assert_non_null(bytes);
    struct hf_wire_header header = {
        .magic = HF_WIRE_MAGIC, .version = HF_WIRE_VERSION, .length = (uint16_t)length, .count = 1};
    memcpy(bytes, &header, sizeof header);
    struct hf_wire_reader reader;
    struct hf_verdict verdict = hf_wire_open(&reader, bytes, length);
    assert_int_equal(verdict.code, HF_CODE_MALFORMED);
    assert_int_equal(verdict.rule, HF_RULE_LENGTH);
    free(bytes);
}

/* A node never takes a reply for an operation: it would answer, and be answered, for ever. */
static void test_replies_are_not_operations(void **state)
{
    (void)state;
    uint8_t bytes[256];
    union hf_operation operation;
    struct hf_wire_writer writer;
    struct hf_wire_reader reader;
    struct hf_verdict verdict;
    fill_move(&operation, 1);
    hf_wire_begin(&writer, bytes, sizeof bytes);
    assert_true(hf_wire_add(&writer, &operation, operation.header.length));
    uint32_t length = hf_wire_finish(&writer, HF_WIRE_REPLIES, 1, 1);
    assert_int_equal(hf_wire_open(&reader, bytes, length).code, HF_CODE_OK);
    assert_int_equal(hf_wire_next_operation(&reader, &operation, sizeof operation, &verdict),
                     HF_WIRE_BROKEN);
    assert_int_equal(verdict.code, HF_CODE_UNSUPPORTED);
    assert_int_equal(verdict.rule, HF_RULE_FLAGS);
    assert_true(hf_id_is_reserved(operation.header.id));
    assert_int_equal(hf_wire_next_operation(&reader, &operation, sizeof operation, &verdict),
                     HF_WIRE_END);
}

/* A longer operation than there is room for is left where it is, and read once there is more. */
static void test_no_room(void **state)
{
    (void)state;
    static union any_operation any;
    uint8_t bytes[512];
    union {
        struct hf_op_move_plan plan;
        uint8_t bytes[sizeof(struct hf_op_move_plan) + 4 * sizeof(struct hf_op_entry)];
    } made = {
        .plan = {.header = {.length = sizeof made, .type = HF_OP_MOVE_PLAN, .id = {1, 7}},
                 .plan = {.amount = 9, .asset = 840, .source_count = 3, .destination_count = 1}}};
    for (uint32_t i = 0; i < 4; i++)
        made.plan.entries[i] =
            (struct hf_op_entry){.account = {i + 1, 0},
                                 .rule = i < 3 ? HF_ENTRY_FIXED : HF_ENTRY_REMAINING,
                                 .amount = i < 3 ? 3 : 0};
    struct hf_wire_writer writer;
    struct hf_wire_reader reader;
    struct hf_verdict verdict;
    hf_wire_begin(&writer, bytes, sizeof bytes);
    assert_true(hf_wire_add(&writer, &made, sizeof made));
    uint32_t length = hf_wire_finish(&writer, 0, 1, 1);
    assert_int_equal(hf_wire_open(&reader, bytes, length).code, HF_CODE_OK);
    memset(&any, 0x5a, sizeof any);
    assert_int_equal(hf_wire_next_operation(&reader, &any.operation, sizeof made - 8, &verdict),
                     HF_WIRE_NO_ROOM);
    assert_int_equal(any.bytes[sizeof made - 8], 0x5a);
    assert_int_equal(hf_wire_next_operation(&reader, &any.operation, sizeof made, &verdict),
                     HF_WIRE_MESSAGE);
    assert_memory_equal(&any, &made, sizeof made);
    assert_int_equal(any.bytes[sizeof made], 0x5a);
    assert_int_equal(hf_wire_next_operation(&reader, &any.operation, sizeof made, &verdict),
                     HF_WIRE_END);
}

/* The longest operation fits the largest datagram, and one that is longer is only looked at. */
static void test_longest_operation(void **state)
{
    (void)state;
    static union any_operation any;
    static struct {
        struct hf_op_header header;
        uint8_t rest[HF_OPERATION_LENGTH_MAX + 8 - sizeof(struct hf_op_header)];
    } made;
    static uint8_t bytes[HF_WIRE_DATAGRAM_MAX];
    struct hf_wire_writer writer;
    struct hf_wire_reader reader;
    struct hf_verdict verdict;
    for (uint32_t more = 0; more <= 8; more += 8) {
        made.header = (struct hf_op_header){.length = (uint16_t)(HF_OPERATION_LENGTH_MAX + more),
                                            .type = HF_OP_CHAIN,
                                            .id = {1, 7}};
        made.rest[0] = 1; /* of a count: and what follows is no operation */
        hf_wire_begin(&writer, bytes, sizeof bytes);
        assert_true(hf_wire_add(&writer, &made, made.header.length));
        uint32_t length = hf_wire_finish(&writer, 0, 1, 1);
        assert_int_equal(hf_wire_open(&reader, bytes, length).code, HF_CODE_OK);
        assert_int_equal(hf_wire_next_operation(&reader, &any.operation, sizeof any, &verdict),
                         HF_WIRE_REFUSED);
        assert_int_equal(verdict.code, HF_CODE_MALFORMED);
        assert_int_equal(verdict.rule, HF_RULE_LENGTH);
        assert_int_equal(verdict.entry, more == 0 ? 1 : 0);
        assert_int_equal(hf_wire_next_operation(&reader, &any.operation, sizeof any, &verdict),
                         HF_WIRE_END);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_decode),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_longest_operation),
        cmocka_unit_test(test_golden_encode),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_every_bit_flip),
        cmocka_unit_test(test_random_datagrams),
        cmocka_unit_test(test_writer_limits),
        cmocka_unit_test(test_datagram_over_the_limit),
        cmocka_unit_test(test_replies_are_not_operations),
    };
    return cmocka_run_group_tests(tests, load_vectors, free_vectors);
}
