#include "script_play.h"

#include "admin_socket.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct play {
    const struct hf_script_player *player;
    struct hf_script *script;
    struct hf_script_result *result;
    struct hf_reply *replies; /* first answers, by statement */
};

/* ---- words for people ---- */

__attribute__((format(printf, 2, 3))) static void append(char text[256], const char *format, ...)
{
    size_t length = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + length, 256 - length, format, arguments);
    va_end(arguments);
}

/* An amount or balance in main units. */
static void append_amount(char text[256], uint64_t bits, bool is_signed, uint8_t scale)
{
    bool negative = is_signed && (int64_t)bits < 0;
    char digits[48];
    int length =
        snprintf(digits, sizeof digits, "%0*" PRIu64, scale + 1, negative ? 0 - bits : bits);
    append(text, "%s%.*s", negative ? "-" : "", length - scale, digits);
    if (scale > 0)
        append(text, ".%s", digits + length - scale);
}

static const char *status_word(uint8_t subject, uint64_t status)
{
    static const char *const words[][4] = {
        [HF_QUERY_ACCOUNT] = {"open", "frozen", "closed", "?"},
        [HF_QUERY_INSTRUMENT] = {"inactive", "active", "frozen", "closed"},
        [HF_QUERY_HOLD] = {"open", "resolved", "?", "?"},
    };
    bool known =
        subject == HF_QUERY_ACCOUNT || subject == HF_QUERY_INSTRUMENT || subject == HF_QUERY_HOLD;
    return known && status < 4 ? words[subject][status] : "?";
}

static void append_value(char text[256], enum hf_script_field field, uint64_t bits, uint8_t subject,
                         uint8_t scale)
{
    append(text, "%s ", hf_script_field_name(field));
    switch (field) {
    case HF_SCRIPT_AVAILABLE:
    case HF_SCRIPT_POSTED:
    case HF_SCRIPT_FLOOR:
        if ((field == HF_SCRIPT_FLOOR && (int64_t)bits == HF_FLOOR_NONE) ||
            (field == HF_SCRIPT_AVAILABLE && (int64_t)bits == INT64_MAX))
            append(text, "none");
        else
            append_amount(text, bits, true, scale);
        break;
    case HF_SCRIPT_STATUS:
        append(text, "%s", status_word(subject, bits));
        break;
    case HF_SCRIPT_CODE:
        append(text, "%s", hf_code_name((uint16_t)bits));
        break;
    case HF_SCRIPT_LIMIT:
        if (bits == HF_INSTRUMENT_UNLIMITED)
            append(text, "none");
        else
            append_amount(text, bits, false, scale);
        break;
    case HF_SCRIPT_REMAINING:
        if (subject != HF_QUERY_INSTRUMENT)
            append_amount(text, bits, false, scale);
        else if (bits == HF_INSTRUMENT_UNLIMITED)
            append(text, "unlimited");
        else
            append(text, "%" PRIu64, bits);
        break;
    default:
        append_amount(text, bits, false, scale);
        break;
    }
}

static void append_code(char text[256], const struct hf_script_code *code, int rule)
{
    append(text, "%s", code->iso[0] != '\0' ? code->iso : hf_code_name(code->number));
    if (rule > 0)
        append(text, "/%s", hf_rule_name((uint8_t)rule));
}

static void append_reply_code(char text[256], const struct hf_reply *reply)
{
    append(text, "%s", hf_code_name(reply->code));
    if (reply->rule != HF_RULE_NONE)
        append(text, "/%s", hf_rule_name(reply->rule));
    if (reply->code != HF_CODE_OK)
        append(text, " (%s, %s)", hf_code_iso1987(reply->code), hf_code_iso1993(reply->code));
}

static void describe_reply(char text[256], const struct hf_script_statement *statement,
                           const struct hf_reply *reply)
{
    append_reply_code(text, reply);
    if (reply->approved > 0) {
        append(text, ", ");
        append_value(text, HF_SCRIPT_APPROVED, reply->approved, 0, statement->scale);
    }
    if ((statement->operation.header.flags & HF_OP_RETURN_BALANCES) != 0) {
        append(text, ", ");
        append_value(text, HF_SCRIPT_AVAILABLE, (uint64_t)reply->available, 0, statement->scale);
        append(text, ", ");
        append_value(text, HF_SCRIPT_POSTED, (uint64_t)reply->posted, 0, statement->scale);
    }
    if (reply->place > 0)
        append(text, ", place %" PRIu64, reply->place);
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
    case HF_SCRIPT_FLOOR:
        return (uint64_t)view->floor;
    default:
        return view->status;
    }
}

static uint64_t field_of_reply(const struct hf_reply *reply, enum hf_script_field field)
{
    switch (field) {
    case HF_SCRIPT_CODE:
        return reply->code;
    case HF_SCRIPT_APPROVED:
        return reply->approved;
    case HF_SCRIPT_POSTED:
        return (uint64_t)reply->posted;
    default:
        return (uint64_t)reply->available;
    }
}

/* What the answer says about a field; `subject` 0: of the answer itself. */
static uint64_t field_of(const struct hf_query_reply *reply, uint8_t subject,
                         enum hf_script_field field)
{
    const struct hf_instrument_view *card = &reply->view.instrument;
    const struct hf_hold_view *hold = &reply->view.hold;
    switch (subject) {
    case HF_QUERY_ACCOUNT:
        return field_of_account(&reply->view.account, field);
    case HF_QUERY_INSTRUMENT:
        if (field == HF_SCRIPT_STATUS)
            return card->status;
        return field == HF_SCRIPT_LIMIT ? card->amount_limit : card->remaining;
    case HF_QUERY_HOLD:
        if (field == HF_SCRIPT_STATUS)
            return hold->status;
        if (field == HF_SCRIPT_AMOUNT)
            return hold->amount;
        return field == HF_SCRIPT_CAPTURED ? hold->captured : hold->remaining;
    case HF_QUERY_OPERATION:
        return field_of_reply(&reply->view.operation, field);
    default:
        return field_of_reply(&reply->reply, field);
    }
}

/* Compares an answer with what is expected; fills expected and got of the result either way. */
static bool matches(struct play *play, const struct hf_script_statement *statement, uint8_t subject,
                    const struct hf_query_reply *reply)
{
    const struct hf_script_expectation *expected = &statement->expected;
    struct hf_script_result *result = play->result;
    bool good = code_matches(expected, &reply->reply);
    bool viewed = subject != 0 && reply->reply.code == HF_CODE_OK;
    if (!viewed || !good)
        append_code(result->expected, &expected->code, expected->rule);
    if (viewed)
        append(result->got, "%s", "");
    else
        describe_reply(result->got, statement, &reply->reply);
    if (!good)
        return false;
    for (uint32_t i = 0; i < expected->value_count; i++) {
        const struct hf_script_value *value = &expected->values[i];
        uint64_t found = field_of(reply, subject, value->field);
        if (found != value->bits)
            good = false;
        append(result->expected, "%s", result->expected[0] == '\0' ? "" : ", ");
        append_value(result->expected, value->field, value->bits, subject, statement->scale);
        if (viewed) {
            append(result->got, "%s", result->got[0] == '\0' ? "" : ", ");
            append_value(result->got, value->field, found, subject, statement->scale);
        }
    }
    return good;
}

/* ---- sending ---- */

static bool ask(struct play *play, const union hf_operation *op, struct hf_query_reply *reply)
{
    enum hf_status status =
        hf_client_call(play->player->client, op, reply, play->player->timeout_us);
    play->result->operations++;
    if (status == HF_STATUS_OK)
        return true;
    append(play->result->expected, "an answer");
    append(play->result->got, "none for %" PRIu64 " seconds", play->player->timeout_us / 1000000);
    return false;
}

static uint64_t time_from_now_ns(struct hf_script_span span)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + span.ms;
    return ms > 0 ? (uint64_t)ms * 1000000u : 1;
}

static struct hf_id make_id(struct play *play, struct hf_script_span time)
{
    struct hf_id id = hf_client_next_id(play->player->client);
    if (!time.given)
        return id;
    int64_t ms = (int64_t)hf_id_time_ms(id) + time.ms;
    return hf_id_make_operation(ms > 0 ? (uint64_t)ms : 0, (uint16_t)id.hi, id.lo);
}

static bool play_operation(struct play *play, struct hf_script_statement *statement)
{
    union hf_operation *op = &statement->operation;
    struct hf_query_reply reply;
    op->header.id = make_id(play, statement->id_time);
    if (statement->deadline.given)
        op->header.deadline_ns = time_from_now_ns(statement->deadline);
    if (statement->expires.given)
        op->instrument_put.expires_ns = time_from_now_ns(statement->expires);
    if (statement->reference != HF_SCRIPT_NONE) {
        struct hf_id hold = play->script->statements[statement->reference].operation.header.id;
        assert(op->header.type == HF_OP_CAPTURE || op->header.type == HF_OP_RELEASE);
        if (op->header.type == HF_OP_CAPTURE)
            op->capture.hold = hold;
        else
            op->release.hold = hold;
    }
    if (!ask(play, op, &reply))
        return false;
    play->replies[statement - play->script->statements] = reply.reply;
    return matches(play, statement, 0, &reply);
}

/* A repeat gets the very same 64 bytes. An answer that took no place is remembered by nobody: made
 * anew, it agrees in what it says but for the time. */
static bool play_repeat(struct play *play, const struct hf_script_statement *statement)
{
    const struct hf_script_statement *first = &play->script->statements[statement->reference];
    const struct hf_reply *before = &play->replies[statement->reference];
    struct hf_query_reply reply;
    if (!ask(play, &first->operation, &reply))
        return false;
    const struct hf_reply *now = &reply.reply;
    describe_reply(play->result->expected, first, before);
    describe_reply(play->result->got, first, now);
    bool same = before->place != 0 ? memcmp(before, now, sizeof *before) == 0
                                   : before->code == now->code && before->rule == now->rule &&
                                         before->approved == now->approved && now->place == 0;
    if (!same && strcmp(play->result->expected, play->result->got) == 0)
        append(play->result->got, ", not byte for byte the same");
    return same;
}

static void change_move(struct hf_op_move *move, const struct hf_script_value *change)
{
    if (change->field == HF_SCRIPT_AMOUNT)
        move->amount = change->bits;
    else if (change->field == HF_SCRIPT_PAYER)
        move->payer = change->id;
    else if (change->field == HF_SCRIPT_PAYEE)
        move->payee = change->id;
    else
        move->asset = (uint16_t)change->bits;
}

static void change_hold(struct hf_op_hold *hold, const struct hf_script_value *change)
{
    if (change->field == HF_SCRIPT_AMOUNT)
        hold->amount = change->bits;
    else if (change->field == HF_SCRIPT_PAYER)
        hold->payer = change->id;
    else if (change->field == HF_SCRIPT_PAYEE)
        hold->payee = change->id;
    else
        hold->asset = (uint16_t)change->bits;
}

static void change_auth(struct hf_op_auth *auth, const struct hf_script_value *change)
{
    if (change->field == HF_SCRIPT_AMOUNT)
        auth->amount = change->bits;
    else if (change->field == HF_SCRIPT_PAYEE)
        auth->payee = change->id;
    else
        auth->asset = (uint16_t)change->bits;
}

static void change_account(struct hf_op_account_put *put, const struct hf_script_value *change)
{
    if (change->field == HF_SCRIPT_FLOOR)
        put->floor = (int64_t)change->bits;
    else if (change->field == HF_SCRIPT_STATUS)
        put->status = (uint8_t)change->bits;
    else
        put->asset = (uint16_t)change->bits;
}

static void change_card(struct hf_op_instrument_put *put, const struct hf_script_value *change)
{
    if (change->field == HF_SCRIPT_COUNT)
        put->remaining = change->bits;
    else if (change->field == HF_SCRIPT_LIMIT)
        put->amount_limit = change->bits;
    else
        put->status = (uint8_t)change->bits;
}

static void change(union hf_operation *op, const struct hf_script_value *value)
{
    switch (op->header.type) {
    case HF_OP_MOVE:
        change_move(&op->move, value);
        break;
    case HF_OP_HOLD:
        change_hold(&op->hold, value);
        break;
    case HF_OP_AUTH:
        change_auth(&op->auth, value);
        break;
    case HF_OP_ACCOUNT_PUT:
        change_account(&op->account_put, value);
        break;
    case HF_OP_INSTRUMENT_PUT:
        change_card(&op->instrument_put, value);
        break;
    case HF_OP_CAPTURE:
        op->capture.amount = value->bits;
        break;
    default:
        assert(op->header.type == HF_OP_RELEASE);
        op->release.amount = value->bits;
        break;
    }
}

static bool play_again(struct play *play, const struct hf_script_statement *statement)
{
    union hf_operation op = play->script->statements[statement->reference].operation;
    struct hf_query_reply reply;
    for (uint32_t i = 0; i < statement->change_count; i++)
        change(&op, &statement->changes[i]);
    op.header.flags |= statement->operation.header.flags;
    return ask(play, &op, &reply) && matches(play, statement, 0, &reply);
}

static bool play_expect(struct play *play, struct hf_script_statement *statement)
{
    union hf_operation *op = &statement->operation;
    struct hf_query_reply reply;
    op->header.id = hf_client_next_id(play->player->client);
    if (statement->reference != HF_SCRIPT_NONE)
        op->query.subject_id = play->script->statements[statement->reference].operation.header.id;
    return ask(play, op, &reply) && matches(play, statement, op->query.subject, &reply);
}

static bool play_balanced(struct play *play, const struct hf_script_statement *statement)
{
    __extension__ typedef __int128 wide;
    wide sum = 0;
    for (uint32_t i = 0; i < play->script->account_count; i++) {
        const struct hf_script_account *account = &play->script->accounts[i];
        union hf_operation op;
        struct hf_query_reply reply;
        if (account->asset != statement->asset)
            continue;
        hf_make_query(&op, hf_client_next_id(play->player->client), HF_QUERY_ACCOUNT, account->id);
        if (!ask(play, &op, &reply))
            return false;
        if (reply.reply.code == HF_CODE_OK)
            sum += reply.view.account.posted;
    }
    append(play->result->expected, "posted balances that sum to 0");
    append(play->result->got, "a sum of ");
    append_amount(play->result->got, (uint64_t)(int64_t)sum, true, statement->scale);
    return sum == 0;
}

/* ---- the node itself ---- */

static bool play_restart(struct play *play, bool clean)
{
    struct hf_node_process *node = play->player->node;
    struct hf_fault fault = {""};
    enum hf_status status = HF_STATUS_OK;
    if (clean)
        status = hf_node_process_stop(node, &fault);
    else
        hf_node_process_kill(node);
    if (status == HF_STATUS_OK)
        status = hf_node_process_start(node, &fault);
    play->result->restarts++;
    append(play->result->expected, "a node that serves again");
    append(play->result->got, "%s", status == HF_STATUS_OK ? "served again" : fault.line);
    return status == HF_STATUS_OK;
}

static bool play_admin(struct play *play, const struct hf_script_statement *statement)
{
    struct hf_fault fault = {""};
    const char *command = statement->command + strspn(statement->command, " \t");
    json_t *answer = hf_admin_socket_ask(play->player->admin, command, &fault);
    append(play->result->expected, "an answer without an error");
    if (answer == NULL) {
        append(play->result->got, "%s", fault.line);
        return false;
    }
    char *text = json_dumps(answer, JSON_PRESERVE_ORDER);
    append(play->result->got, "%s", text != NULL ? text : "an answer");
    free(text);
    bool good = json_object_get(answer, "error") == NULL;
    json_decref(answer);
    return good;
}

/* ---- the face ---- */

static bool play_statement(struct play *play, struct hf_script_statement *statement)
{
    switch (statement->verb) {
    case HF_SCRIPT_OPERATION:
        return play_operation(play, statement);
    case HF_SCRIPT_REPEAT:
        return play_repeat(play, statement);
    case HF_SCRIPT_AGAIN:
        return play_again(play, statement);
    case HF_SCRIPT_EXPECT:
        return play_expect(play, statement);
    case HF_SCRIPT_BALANCED:
        return play_balanced(play, statement);
    case HF_SCRIPT_RESTART:
        return play_restart(play, false);
    case HF_SCRIPT_STOP_START:
        return play_restart(play, true);
    default:
        assert(statement->verb == HF_SCRIPT_ADMIN);
        return play_admin(play, statement);
    }
}

/* Whether the player has all the script needs. */
static bool is_playable(const struct hf_script_player *player, const struct hf_script *script,
                        struct hf_fault *fault)
{
    for (uint32_t i = 0; i < script->statement_count; i++) {
        const struct hf_script_statement *statement = &script->statements[i];
        bool restarts =
            statement->verb == HF_SCRIPT_RESTART || statement->verb == HF_SCRIPT_STOP_START;
        if (restarts && player->node == NULL) {
            snprintf(fault->line, sizeof fault->line,
                     "line %u restarts the node: that takes a private one, without --server",
                     statement->line);
            return false;
        }
        if (statement->verb == HF_SCRIPT_ADMIN && player->admin == NULL) {
            snprintf(fault->line, sizeof fault->line,
                     "line %u asks the admin socket: --admin is needed", statement->line);
            return false;
        }
    }
    return true;
}

enum hf_status hf_script_play(const struct hf_script_player *player, struct hf_script *script,
                              struct hf_script_result *result, struct hf_fault *fault)
{
    memset(result, 0, sizeof *result);
    if (!is_playable(player, script, fault))
        return HF_STATUS_INVALID;
    struct play play = {player, script, result, NULL};
    play.replies = calloc((size_t)script->statement_count + 1, sizeof *play.replies);
    if (play.replies == NULL) {
        snprintf(fault->line, sizeof fault->line, "no memory");
        return HF_STATUS_NO_MEMORY;
    }
    for (uint32_t i = 0; i < script->statement_count && result->failed == NULL; i++) {
        struct hf_script_statement *statement = &script->statements[i];
        result->expected[0] = '\0';
        result->got[0] = '\0';
        result->lines++;
        if (!play_statement(&play, statement))
            result->failed = statement;
        if (player->tell != NULL)
            player->tell(statement, result->got);
    }
    free(play.replies);
    return HF_STATUS_OK;
}
