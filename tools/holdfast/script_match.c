#include "script_match.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- words for people ---- */

void hf_script_append(char text[HF_SCRIPT_TEXT_SIZE], const char *format, ...)
{
    size_t length = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + length, HF_SCRIPT_TEXT_SIZE - length, format, arguments);
    va_end(arguments);
}

/* An amount or balance in main units. */
void hf_script_append_amount(char text[HF_SCRIPT_TEXT_SIZE], uint64_t bits, bool is_signed,
                             uint8_t scale)
{
    bool negative = is_signed && (int64_t)bits < 0;
    char digits[48];
    int length =
        snprintf(digits, sizeof digits, "%0*" PRIu64, scale + 1, negative ? 0 - bits : bits);
    hf_script_append(text, "%s%.*s", negative ? "-" : "", length - scale, digits);
    if (scale > 0)
        hf_script_append(text, ".%s", digits + length - scale);
}

static const char *status_word(uint8_t subject, uint64_t status)
{
    static const char *const words[][5] = {
        [HF_QUERY_ACCOUNT] = {"open", "frozen", "closed"},
        [HF_QUERY_INSTRUMENT] = {"inactive", "active", "frozen", "closed"},
        [HF_QUERY_HOLD] = {"open", "resolved", "lapsed"},
        [HF_QUERY_ACCOUNT_HOLDS] = {"open", "frozen", "closed"},
        [HF_QUERY_AUTHORISATION] = {"open", "resolved", "lapsed", "refused", "reversed"},
    };
    bool known = subject <= HF_QUERY_AUTHORISATION && status < 5 && words[subject][status] != NULL;
    return known ? words[subject][status] : "?";
}

/* An amount, unless it has the value that means there is none. */
static void append_or_none(char text[HF_SCRIPT_TEXT_SIZE], uint64_t bits, uint64_t none,
                           bool is_signed, uint8_t scale)
{
    if (bits == none)
        hf_script_append(text, "none");
    else
        hf_script_append_amount(text, bits, is_signed, scale);
}

/* Of payments: all bits set is no bound, of a card's counter and of a limit. */
static void append_count(char text[HF_SCRIPT_TEXT_SIZE], uint64_t count)
{
    if (count == UINT64_MAX)
        hf_script_append(text, "unlimited");
    else
        hf_script_append(text, "%" PRIu64, count);
}

static void append_value(char text[HF_SCRIPT_TEXT_SIZE], enum hf_script_field field, uint64_t bits,
                         uint8_t subject, uint8_t scale)
{
    hf_script_append(text, "%s ", hf_script_field_name(field));
    switch (field) {
    case HF_SCRIPT_POSTED:
    case HF_SCRIPT_CREDITS:
        hf_script_append_amount(text, bits, true, scale);
        break;
    case HF_SCRIPT_FLOOR:
        append_or_none(text, bits, (uint64_t)HF_FLOOR_NONE, true, scale);
        break;
    case HF_SCRIPT_AVAILABLE:
    case HF_SCRIPT_CEILING:
        append_or_none(text, bits, INT64_MAX, true, scale);
        break;
    case HF_SCRIPT_LIMIT:
        append_or_none(text, bits, HF_INSTRUMENT_UNLIMITED, false, scale);
        break;
    case HF_SCRIPT_AMOUNT:
        append_or_none(text, bits, HF_LIMIT_UNLIMITED, false, scale);
        break;
    case HF_SCRIPT_COUNT:
    case HF_SCRIPT_MOST:
        append_count(text, bits);
        break;
    case HF_SCRIPT_STATUS:
        hf_script_append(text, "%s", status_word(subject, bits));
        break;
    case HF_SCRIPT_CODE:
        hf_script_append(text, "%s", hf_code_name((uint16_t)bits));
        break;
    case HF_SCRIPT_EXCEPTION:
        hf_script_append(text, "%s", bits == 0 ? "none" : hf_code_name((uint16_t)bits));
        break;
    case HF_SCRIPT_RULE:
        hf_script_append(text, "%s", hf_rule_name((uint8_t)bits));
        break;
    case HF_SCRIPT_FORCED:
    case HF_SCRIPT_ESTIMATED:
    case HF_SCRIPT_UNDONE:
    case HF_SCRIPT_COUNTED:
    case HF_SCRIPT_DREW:
        hf_script_append(text, "%s", bits == 0 ? "no" : "yes");
        break;
    case HF_SCRIPT_EXPIRES:
        hf_script_append(text, "%s", bits == 0 ? "never" : "set");
        break;
    case HF_SCRIPT_TOLERANCE:
        hf_script_append_amount(text, bits, false, 1);
        hf_script_append(text, "%%");
        break;
    case HF_SCRIPT_ENTRY:
    case HF_SCRIPT_HOLDS:
    case HF_SCRIPT_PAYERS:
    case HF_SCRIPT_CONDITIONS:
    case HF_SCRIPT_REQUIRED:
    case HF_SCRIPT_MET:
    case HF_SCRIPT_CLASS:
    case HF_SCRIPT_ACCOUNTS:
    case HF_SCRIPT_ACQUIRER:
    case HF_SCRIPT_MCC:
    case HF_SCRIPT_COUNTRY:
    case HF_SCRIPT_CHANNEL:
        hf_script_append(text, "%" PRIu64, bits);
        break;
    case HF_SCRIPT_REMAINING:
        if (subject != HF_QUERY_INSTRUMENT)
            hf_script_append_amount(text, bits, false, scale);
        else
            append_count(text, bits);
        break;
    default:
        hf_script_append_amount(text, bits, false, scale);
        break;
    }
}

static bool is_id_field(enum hf_script_field field)
{
    return field == HF_SCRIPT_PARENT || field == HF_SCRIPT_SINK || field == HF_SCRIPT_PAYER ||
           field == HF_SCRIPT_PAYEE || field == HF_SCRIPT_ACCOUNT;
}

/* An account as the script calls it. */
static void append_account(char text[HF_SCRIPT_TEXT_SIZE], const struct hf_script *script,
                           enum hf_script_field field, uint8_t subject, struct hf_id id)
{
    char number[HF_ID_TEXT_SIZE];
    const char *name = number;
    if (id.lo == 0 && id.hi == 0)
        name = field == HF_SCRIPT_PAYEE && subject == HF_QUERY_HOLD ? "open" : "none";
    else
        hf_id_format(id, number);
    for (uint32_t i = 0; i < script->account_count; i++) {
        if (hf_id_equal(script->accounts[i].id, id))
            name = script->accounts[i].name;
    }
    hf_script_append(text, "%s %s", hf_script_field_name(field), name);
}

static void append_code(char text[HF_SCRIPT_TEXT_SIZE], const struct hf_script_code *code, int rule)
{
    hf_script_append(text, "%s", code->iso[0] != '\0' ? code->iso : hf_code_name(code->number));
    if (rule > 0)
        hf_script_append(text, "/%s", hf_rule_name((uint8_t)rule));
}

static void append_reply_code(char text[HF_SCRIPT_TEXT_SIZE], const struct hf_reply *reply)
{
    hf_script_append(text, "%s", hf_code_name(reply->code));
    if (reply->rule != HF_RULE_NONE)
        hf_script_append(text, "/%s", hf_rule_name(reply->rule));
    if (reply->entry != 0)
        hf_script_append(text, " entry %u", reply->entry);
    if (reply->code != HF_CODE_OK)
        hf_script_append(text, " (%s, %s)", hf_code_iso1987(reply->code),
                         hf_code_iso1993(reply->code));
}

void hf_script_describe_reply(char text[HF_SCRIPT_TEXT_SIZE],
                              const struct hf_script_statement *statement,
                              const struct hf_reply *reply)
{
    append_reply_code(text, reply);
    if (reply->approved > 0) {
        hf_script_append(text, ", ");
        append_value(text, HF_SCRIPT_APPROVED, reply->approved, 0, statement->scale);
    }
    if ((statement->operation->header.flags & HF_OP_RETURN_BALANCES) != 0) {
        hf_script_append(text, ", ");
        append_value(text, HF_SCRIPT_AVAILABLE, (uint64_t)reply->available, 0, statement->scale);
        hf_script_append(text, ", ");
        append_value(text, HF_SCRIPT_POSTED, (uint64_t)reply->posted, 0, statement->scale);
    }
    if (reply->place > 0)
        hf_script_append(text, ", place %" PRIu64, reply->place);
}

/* ---- comparing ---- */

static bool code_matches(const struct hf_script_expectation *expected, const struct hf_reply *reply)
{
    const char *iso = expected->code.iso;
    if (expected->rule >= 0 && expected->rule != reply->rule)
        return false;
    if (iso[0] == '\0')
        return reply->code == expected->code.number;
    return strcmp(iso, strlen(iso) == 2 ? hf_code_iso1987(reply->code)
                                        : hf_code_iso1993(reply->code)) == 0;
}

static uint64_t field_of_account(const struct hf_account_view *view, enum hf_script_field field)
{
    switch (field) {
    case HF_SCRIPT_POSTED:
        return (uint64_t)view->posted;
    case HF_SCRIPT_AVAILABLE:
        return (uint64_t)view->available;
    case HF_SCRIPT_HELD:
        return view->held_out;
    case HF_SCRIPT_INCOMING:
        return view->held_in;
    case HF_SCRIPT_DEBITS:
        return view->lifetime_debits;
    case HF_SCRIPT_CREDITS:
        return view->lifetime_credits;
    case HF_SCRIPT_FLOOR:
        return (uint64_t)view->floor;
    case HF_SCRIPT_CEILING:
        return (uint64_t)view->ceiling;
    case HF_SCRIPT_EXPIRES:
        return view->expires_ns != 0;
    default:
        return view->status;
    }
}

static uint64_t field_of_card(const struct hf_instrument_view *view, enum hf_script_field field)
{
    if (field == HF_SCRIPT_STATUS)
        return view->status;
    if (field == HF_SCRIPT_ACCOUNTS)
        return 1u + view->further_count;
    return field == HF_SCRIPT_LIMIT ? view->amount_limit : view->remaining;
}

static uint64_t field_of_hold(const struct hf_hold_view *view, enum hf_script_field field)
{
    switch (field) {
    case HF_SCRIPT_STATUS:
        return view->status;
    case HF_SCRIPT_AMOUNT:
        return view->amount;
    case HF_SCRIPT_CAPTURED:
        return view->captured;
    case HF_SCRIPT_EXPIRES:
        return view->expires_ns != 0;
    case HF_SCRIPT_PAYERS:
        return view->payer_count;
    case HF_SCRIPT_CONDITIONS:
        return view->condition_count;
    case HF_SCRIPT_REQUIRED:
        return view->required;
    case HF_SCRIPT_MET:
        return (uint64_t)__builtin_popcount(view->met);
    case HF_SCRIPT_TOLERANCE:
        return view->tolerance;
    case HF_SCRIPT_CLASS:
        return view->class_number;
    default:
        return view->remaining;
    }
}

/* What a REVERSE, an AUTH or its answer has marked. */
static uint64_t flag_of_authorisation(const struct hf_authorisation_view *view,
                                      enum hf_script_field field)
{
    switch (field) {
    case HF_SCRIPT_FORCED:
        return (view->flags & HF_AUTHORISATION_FORCED) != 0;
    case HF_SCRIPT_ESTIMATED:
        return (view->flags & HF_AUTHORISATION_ESTIMATED) != 0;
    case HF_SCRIPT_UNDONE:
        return (view->flags & HF_AUTHORISATION_REVERSED) != 0;
    case HF_SCRIPT_COUNTED:
        return (view->flags & HF_AUTHORISATION_COUNTED) != 0;
    default:
        assert(field == HF_SCRIPT_DREW);
        return (view->flags & HF_AUTHORISATION_DREW) != 0;
    }
}

static uint64_t field_of_authorisation(const struct hf_authorisation_view *view,
                                       enum hf_script_field field)
{
    switch (field) {
    case HF_SCRIPT_STATUS:
        return view->status;
    case HF_SCRIPT_AMOUNT:
        return view->amount;
    case HF_SCRIPT_REMAINING:
        return view->remaining;
    case HF_SCRIPT_CAPTURED:
        return view->captured;
    case HF_SCRIPT_REVERSED:
        return view->reversed;
    case HF_SCRIPT_EXPIRES:
        return view->expires_ns != 0;
    case HF_SCRIPT_CODE:
        return view->code;
    case HF_SCRIPT_RULE:
        return view->rule;
    case HF_SCRIPT_ENTRY:
        return view->entry;
    case HF_SCRIPT_EXCEPTION:
        return view->exception;
    case HF_SCRIPT_ACQUIRER:
        return view->acquirer;
    case HF_SCRIPT_MCC:
        return view->mcc;
    case HF_SCRIPT_COUNTRY:
        return view->country;
    case HF_SCRIPT_CHANNEL:
        return view->channel;
    case HF_SCRIPT_CLASS:
        return view->class_number;
    default:
        return flag_of_authorisation(view, field);
    }
}

static uint64_t field_of_limit(const struct hf_limit_line *line, enum hf_script_field field)
{
    switch (field) {
    case HF_SCRIPT_USED:
        return line->used_amount;
    case HF_SCRIPT_COUNT:
        return line->used_count;
    case HF_SCRIPT_AMOUNT:
        return line->max_amount;
    default:
        return line->max_count;
    }
}

static uint64_t field_of_reply(const struct hf_reply *reply, enum hf_script_field field)
{
    switch (field) {
    case HF_SCRIPT_CODE:
        return reply->code;
    case HF_SCRIPT_APPROVED:
        return reply->approved;
    case HF_SCRIPT_ENTRY:
        return reply->entry;
    case HF_SCRIPT_POSTED:
        return (uint64_t)reply->posted;
    default:
        return (uint64_t)reply->available;
    }
}

/* What the answer says about a field; `subject` 0: of the answer itself. */
static uint64_t field_of(const struct hf_script_found *found, uint8_t subject,
                         enum hf_script_field field)
{
    const struct hf_query_reply *reply = &found->reply;
    switch (subject) {
    case HF_QUERY_ACCOUNT:
    case HF_QUERY_ACCOUNT_HOLDS: /* begins with the account */
        return field == HF_SCRIPT_HOLDS ? found->holds
                                        : field_of_account(&reply->view.account, field);
    case HF_QUERY_INSTRUMENT:
        return field_of_card(&reply->view.instrument, field);
    case HF_QUERY_HOLD:
        return field_of_hold(&reply->view.hold, field);
    case HF_QUERY_INSTRUMENT_LIMITS:
    case HF_QUERY_ACCOUNT_LIMITS:
        return field_of_limit(&reply->view.limits.lines[0], field);
    case HF_QUERY_OPERATION:
        return field_of_reply(&reply->view.operation, field);
    case HF_QUERY_AUTHORISATION:
        return field_of_authorisation(&reply->view.authorisation, field);
    default:
        return field_of_reply(&reply->reply, field);
    }
}

static struct hf_id id_of(const struct hf_script_found *found, uint8_t subject,
                          enum hf_script_field field)
{
    if (subject == HF_QUERY_AUTHORISATION)
        return field == HF_SCRIPT_PAYER ? found->reply.view.authorisation.payer
                                        : found->reply.view.authorisation.payee;
    switch (field) {
    case HF_SCRIPT_PARENT:
        return found->reply.view.account.parent;
    case HF_SCRIPT_SINK:
        return found->reply.view.account.sink;
    case HF_SCRIPT_ACCOUNT:
        return found->reply.view.instrument.account;
    case HF_SCRIPT_PAYER:
        return found->reply.view.hold.payer;
    default:
        assert(field == HF_SCRIPT_PAYEE);
        return found->reply.view.hold.payee;
    }
}

struct comparison {
    const struct hf_script *script;
    const struct hf_script_found *found;
    uint8_t subject; /* enum hf_query_subject; 0: the answer itself */
    uint8_t scale;
    bool is_viewed; /* there is a record to write down, value by value */
    char *expected; /* HF_SCRIPT_TEXT_SIZE bytes, as has `got` */
    char *got;
};

/* Compares one value, and writes down both. */
static bool value_matches(const struct comparison *with, const struct hf_script_value *value)
{
    hf_script_append(with->expected, "%s", with->expected[0] == '\0' ? "" : ", ");
    if (with->is_viewed)
        hf_script_append(with->got, "%s", with->got[0] == '\0' ? "" : ", ");
    if (is_id_field(value->field)) {
        struct hf_id id = id_of(with->found, with->subject, value->field);
        append_account(with->expected, with->script, value->field, with->subject, value->id);
        if (with->is_viewed)
            append_account(with->got, with->script, value->field, with->subject, id);
        return hf_id_equal(id, value->id);
    }
    uint64_t bits = field_of(with->found, with->subject, value->field);
    append_value(with->expected, value->field, value->bits, with->subject, with->scale);
    if (with->is_viewed)
        append_value(with->got, value->field, bits, with->subject, with->scale);
    return bits == value->bits;
}

bool hf_script_matches(const struct hf_script *script, const struct hf_script_statement *statement,
                       uint8_t subject, const struct hf_script_found *found,
                       char expected[HF_SCRIPT_TEXT_SIZE], char got[HF_SCRIPT_TEXT_SIZE])
{
    const struct hf_script_expectation *wanted = &statement->expected;
    const struct hf_reply *reply = &found->reply.reply;
    bool good = code_matches(wanted, reply);
    const struct comparison with = {
        .script = script,
        .found = found,
        .subject = subject,
        .scale = statement->scale,
        .is_viewed = subject != 0 && reply->code == HF_CODE_OK,
        .expected = expected,
        .got = got,
    };
    expected[0] = '\0';
    got[0] = '\0';
    if (!with.is_viewed || !good) {
        append_code(expected, &wanted->code, wanted->rule);
        hf_script_describe_reply(got, statement, reply);
    }
    if (!good)
        return false;
    for (uint32_t i = 0; i < wanted->value_count; i++) {
        if (!value_matches(&with, &wanted->values[i]))
            good = false;
    }
    return good;
}
