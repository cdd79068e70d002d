#include "script_play.h"

#include "admin_socket.h"

#include <assert.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* After an advance the node ends what is due in its own time: so long an `expect` is asked again.
 */
#define SETTLE_NS     UINT64_C(10000000000)
#define SETTLE_NAP_US 2000u
#define NS_PER_MS     1000000

struct play {
    struct hf_script_player *player;
    struct hf_script *script;
    struct hf_script_result *result;
    struct hf_reply *replies; /* first answers, by statement */
    uint64_t settled_ns;      /* monotonic: until then what is due may not have been ended */
};

/* ---- sending ---- */

static bool matches(struct play *play, const struct hf_script_statement *statement, uint8_t subject,
                    const struct hf_script_found *found)
{
    return hf_script_matches(play->script, statement, subject, found, play->result->expected,
                             play->result->got);
}

static bool ask(struct play *play, const union hf_operation *op, struct hf_query_reply *reply)
{
    enum hf_status status =
        hf_client_call(play->player->client, op, reply, play->player->timeout_us);
    play->result->operations++;
    if (status == HF_STATUS_OK)
        return true;
    hf_script_append(play->result->expected, "an answer");
    hf_script_append(play->result->got, "none for %" PRIu64 " seconds",
                     play->player->timeout_us / 1000000);
    return false;
}

static uint64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* By the node's clock, which may have been moved. */
static uint64_t time_from_now_ns(const struct play *play, int64_t span_ms)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / NS_PER_MS;
    if (__builtin_add_overflow(ms, play->player->clock_ms, &ms) ||
        __builtin_add_overflow(ms, span_ms, &ms) || ms > INT64_MAX / NS_PER_MS)
        return (uint64_t)INT64_MAX;
    return ms > 0 ? (uint64_t)ms * NS_PER_MS : 1;
}

static struct hf_id make_id(struct play *play, struct hf_script_span time)
{
    struct hf_id id = hf_client_next_id(play->player->client);
    int64_t ms = (int64_t)hf_id_time_ms(id) + play->player->clock_ms + (time.given ? time.ms : 0);
    return hf_id_make_operation(ms > 0 ? (uint64_t)ms : 0, (uint16_t)id.hi, id.lo);
}

static struct hf_id id_of_statement(const struct play *play, uint32_t statement)
{
    assert(statement < play->script->statement_count);
    return play->script->statements[statement].operation->header.id;
}

/* The signature that proves this condition of a hold: its own, unless the patch names another. */
static void sign(const struct play *play, const struct hf_script_patch *patch,
                 struct hf_op_attest *attest)
{
    uint8_t public[crypto_sign_PUBLICKEYBYTES];
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    struct hf_attestation attestation = {
        .tag = HF_ATTESTATION_TAG,
        .hold = patch->statement == HF_SCRIPT_NONE ? attest->hold
                                                   : id_of_statement(play, patch->statement),
        .condition = attest->condition,
        .code = attest->code,
    };
    _Static_assert(crypto_sign_BYTES == HF_PROOF_MAX, "an Ed25519 signature fills a proof");
    crypto_sign_seed_keypair(public, secret, patch->seed);
    crypto_sign_detached(attest->proof, NULL, (const uint8_t *)&attestation, sizeof attestation,
                         secret);
    sodium_memzero(secret, sizeof secret);
}

/* Fills in what is known only now: the operation's own id, those of holds, times, signatures. */
static void complete(struct play *play, struct hf_script_statement *statement)
{
    union hf_operation *op = statement->operation;
    op->header.id = statement->id_of != HF_SCRIPT_NONE ? id_of_statement(play, statement->id_of)
                                                       : make_id(play, statement->id_time);
    if (statement->deadline.given)
        op->header.deadline_ns = time_from_now_ns(play, statement->deadline.ms);
    for (uint32_t i = 0; i < statement->patch_count; i++) {
        const struct hf_script_patch *patch = &statement->patches[i];
        uint8_t *at = (uint8_t *)op + patch->offset;
        struct hf_id id;
        uint64_t time_ns;
        assert(patch->offset < op->header.length);
        switch (patch->kind) {
        case HF_SCRIPT_PATCH_ID:
            id = id_of_statement(play, patch->statement);
            memcpy(at, &id, sizeof id);
            break;
        case HF_SCRIPT_PATCH_TIME:
            time_ns = time_from_now_ns(play, patch->ms);
            memcpy(at, &time_ns, sizeof time_ns);
            break;
        default:
            assert(op->header.type == HF_OP_ATTEST);
            sign(play, patch, &op->attest);
            break;
        }
    }
}

/* Copies the operations of the lines above into the chain. */
static void fill_chain(struct play *play, struct hf_script_statement *statement)
{
    struct hf_op_chain *chain = &statement->operation->chain;
    size_t offset = sizeof *chain;
    for (uint32_t i = statement->chain_count; i > 0; i--) {
        struct hf_script_statement *inner = statement - i;
        assert(inner->verb == HF_SCRIPT_INNER);
        complete(play, inner);
        memcpy((uint8_t *)chain + offset, inner->operation, inner->operation->header.length);
        offset += inner->operation->header.length;
    }
    assert(offset == chain->header.length);
}

static bool play_operation(struct play *play, struct hf_script_statement *statement)
{
    struct hf_script_found found = {0};
    complete(play, statement);
    if (statement->chain_count > 0)
        fill_chain(play, statement);
    if (!ask(play, statement->operation, &found.reply))
        return false;
    play->replies[statement - play->script->statements] = found.reply.reply;
    return matches(play, statement, 0, &found);
}

/* A repeat gets the very same 64 bytes. An answer that took no place is remembered by nobody: made
 * anew, it agrees in what it says but for the time. */
static bool play_repeat(struct play *play, const struct hf_script_statement *statement)
{
    const struct hf_script_statement *first = &play->script->statements[statement->reference];
    const struct hf_reply *before = &play->replies[statement->reference];
    struct hf_query_reply reply;
    if (!ask(play, first->operation, &reply))
        return false;
    const struct hf_reply *now = &reply.reply;
    hf_script_describe_reply(play->result->expected, first, before);
    hf_script_describe_reply(play->result->got, first, now);
    bool same = before->place != 0 ? memcmp(before, now, sizeof *before) == 0
                                   : before->code == now->code && before->rule == now->rule &&
                                         before->entry == now->entry &&
                                         before->approved == now->approved && now->place == 0;
    if (!same && strcmp(play->result->expected, play->result->got) == 0)
        hf_script_append(play->result->got, ", not byte for byte the same");
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

static void change_limit(struct hf_op_limit_put *put, const struct hf_script_value *change)
{
    if (change->field == HF_SCRIPT_AMOUNT)
        put->max_amount = change->bits;
    else
        put->max_count = change->bits;
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
    case HF_OP_LIMIT_PUT:
        change_limit(&op->limit_put, value);
        break;
    case HF_OP_CAPTURE:
        op->capture.amount = value->bits;
        break;
    case HF_OP_INCREMENT:
        op->increment.amount = value->bits;
        break;
    case HF_OP_REVERSE:
        op->reverse.amount = value->bits;
        break;
    case HF_OP_CLEAR:
        op->clear.amount = value->bits;
        break;
    case HF_OP_ADJUST:
        op->adjust.amount = value->bits;
        break;
    case HF_OP_MOVE_PLAN:
        op->move_plan.plan.amount = value->bits;
        break;
    case HF_OP_HOLD_PLAN:
        op->hold_plan.plan.amount = value->bits;
        break;
    default:
        assert(op->header.type == HF_OP_RELEASE);
        op->release.amount = value->bits;
        break;
    }
}

static bool play_again(struct play *play, const struct hf_script_statement *statement)
{
    const union hf_operation *first = play->script->statements[statement->reference].operation;
    size_t size = first->header.length > sizeof *first ? first->header.length : sizeof *first;
    union hf_operation *op = malloc(size);
    struct hf_script_found found = {0};
    if (op == NULL) {
        hf_script_append(play->result->got, "no memory");
        return false;
    }
    memcpy(op, first, size);
    for (uint32_t i = 0; i < statement->change_count; i++)
        change(op, &statement->changes[i]);
    op->header.flags |= statement->operation->header.flags;
    bool good = ask(play, op, &found.reply) && matches(play, statement, 0, &found);
    free(op);
    return good;
}

/* The node shows the limits from the one asked for on: that it has no such limit is said here. */
static void find_limit(const struct hf_op_query *query, struct hf_script_found *found)
{
    const struct hf_limits_view *view = &found->reply.view.limits;
    if (view->count == 0 || view->lines[0].number != query->cursor + 1)
        found->reply.reply.code = HF_CODE_UNKNOWN_LIMIT;
}

static bool look_at_limit(struct play *play, struct hf_op_query *query,
                          struct hf_script_found *found)
{
    query->header.id = hf_client_next_id(play->player->client);
    if (!ask(play, (const union hf_operation *)query, &found->reply))
        return false;
    if (found->reply.reply.code == HF_CODE_OK)
        find_limit(query, found);
    return true;
}

/* Asks once; of an account's holds, page by page. */
static bool look(struct play *play, struct hf_op_query *query, struct hf_script_found *found)
{
    if (query->subject == HF_QUERY_INSTRUMENT_LIMITS || query->subject == HF_QUERY_ACCOUNT_LIMITS)
        return look_at_limit(play, query, found);
    found->holds = 0;
    query->cursor = 0;
    do {
        query->header.id = hf_client_next_id(play->player->client);
        if (!ask(play, (const union hf_operation *)query, &found->reply))
            return false;
        if (query->subject != HF_QUERY_ACCOUNT_HOLDS || found->reply.reply.code != HF_CODE_OK)
            return true;
        found->holds += found->reply.view.account_holds.count;
        query->cursor = found->reply.view.account_holds.next_cursor;
    } while (query->cursor != 0);
    return true;
}

/* By the line that sent it, else by its id. */
static void append_authorisation(const struct play *play, char text[HF_SCRIPT_TEXT_SIZE],
                                 struct hf_id id)
{
    char number[HF_ID_TEXT_SIZE];
    const char *comma = text[0] == '\0' ? "" : ", ";
    for (uint32_t i = 0; i < play->script->statement_count; i++) {
        const struct hf_script_statement *statement = &play->script->statements[i];
        bool sends = statement->verb == HF_SCRIPT_OPERATION || statement->verb == HF_SCRIPT_INNER;
        if (sends && hf_id_equal(statement->operation->header.id, id)) {
            hf_script_append(text, "%sline %u", comma, statement->line);
            return;
        }
    }
    hf_id_format(id, number);
    hf_script_append(text, "%s%s", comma, number);
}

/* Asks for a card's authorisations page by page, and compares them with the statement's members. */
static bool play_expect_authorisations(struct play *play, struct hf_script_statement *statement)
{
    struct hf_op_query *query = &statement->operation->query;
    struct hf_script_found found = {0};
    uint32_t count = 0;
    bool same = true;
    query->cursor = 0;
    do {
        query->header.id = hf_client_next_id(play->player->client);
        if (!ask(play, (const union hf_operation *)query, &found.reply))
            return false;
        if (found.reply.reply.code != HF_CODE_OK || statement->expected.code.number != HF_CODE_OK)
            return matches(play, statement, query->subject, &found);
        const struct hf_authorisations_view *page = &found.reply.view.authorisations;
        for (uint32_t i = 0; i < page->count; i++, count++) {
            append_authorisation(play, play->result->got, page->lines[i].id);
            same = same && count < statement->member_count &&
                   hf_id_equal(page->lines[i].id, id_of_statement(play, statement->members[count]));
        }
        query->cursor = page->next_cursor;
    } while (query->cursor != 0);
    for (uint32_t i = 0; i < statement->member_count; i++)
        append_authorisation(play, play->result->expected,
                             id_of_statement(play, statement->members[i]));
    return same && count == statement->member_count;
}

/* What was due at an advance is ended by the node itself, soon after: until then looks again. */
static bool play_expect(struct play *play, struct hf_script_statement *statement)
{
    struct hf_op_query *query = &statement->operation->query;
    if (query->subject == HF_QUERY_INSTRUMENT_AUTHORISATIONS)
        return play_expect_authorisations(play, statement);
    if (statement->reference != HF_SCRIPT_NONE)
        query->subject_id = id_of_statement(play, statement->reference);
    for (;;) {
        struct hf_script_found found = {0};
        bool is_last = monotonic_ns() >= play->settled_ns;
        if (!look(play, query, &found))
            return false;
        if (matches(play, statement, query->subject, &found))
            return true;
        if (is_last)
            return false;
        hf_client_wait(play->player->client, SETTLE_NAP_US);
    }
}

static bool play_balanced(struct play *play, const struct hf_script_statement *statement)
{
    __extension__ typedef __int128 wide;
    wide sum = 0;
    for (uint32_t i = 0; i < play->script->account_count; i++) {
        const struct hf_script_account *account = &play->script->accounts[i];
        union hf_operation op;
        struct hf_query_reply reply;
        if (account->asset != statement->asset || account->is_total)
            continue;
        hf_make_query(&op, hf_client_next_id(play->player->client), HF_QUERY_ACCOUNT, account->id);
        if (!ask(play, &op, &reply))
            return false;
        if (reply.reply.code == HF_CODE_OK)
            sum += reply.view.account.posted;
    }
    hf_script_append(play->result->expected, "posted balances that sum to 0");
    hf_script_append(play->result->got, "a sum of ");
    hf_script_append_amount(play->result->got, (uint64_t)(int64_t)sum, true, statement->scale);
    return sum == 0;
}

/* ---- the node itself ---- */

/* Tells the node how far its clock is to be moved. */
static bool move_clock(struct play *play, int64_t by_ms, struct hf_fault *fault)
{
    char command[64];
    snprintf(command, sizeof command, "advance %" PRId64, by_ms * NS_PER_MS);
    json_t *answer = hf_admin_socket_ask(play->player->admin, command, fault);
    const char *error = json_string_value(json_object_get(answer, "error"));
    bool good = answer != NULL && error == NULL;
    if (error != NULL)
        snprintf(fault->line, sizeof fault->line, "%.200s", error);
    json_decref(answer);
    play->settled_ns = monotonic_ns() + SETTLE_NS;
    return good;
}

static bool play_advance(struct play *play, const struct hf_script_statement *statement)
{
    struct hf_fault fault = {""};
    bool good = move_clock(play, statement->advance_ms, &fault);
    hf_script_append(play->result->expected, "a node whose clock moves");
    hf_script_append(play->result->got, "%s", good ? "its clock has moved" : fault.line);
    play->player->clock_ms += statement->advance_ms;
    return good;
}

/* A node that comes back has the machine's clock again: it is moved as far as before. */
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
    if (status == HF_STATUS_OK && play->player->clock_ms != 0 &&
        !move_clock(play, play->player->clock_ms, &fault))
        status = HF_STATUS_IO;
    play->result->restarts++;
    hf_script_append(play->result->expected, "a node that serves again");
    hf_script_append(play->result->got, "%s", status == HF_STATUS_OK ? "served again" : fault.line);
    return status == HF_STATUS_OK;
}

static bool play_admin(struct play *play, const struct hf_script_statement *statement)
{
    struct hf_fault fault = {""};
    const char *command = statement->command + strspn(statement->command, " \t");
    json_t *answer = hf_admin_socket_ask(play->player->admin, command, &fault);
    hf_script_append(play->result->expected, "an answer without an error");
    if (answer == NULL) {
        hf_script_append(play->result->got, "%s", fault.line);
        return false;
    }
    char *text = json_dumps(answer, JSON_PRESERVE_ORDER);
    hf_script_append(play->result->got, "%s", text != NULL ? text : "an answer");
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
    case HF_SCRIPT_INNER:
        hf_script_append(play->result->got, "sent with its chain");
        return true;
    case HF_SCRIPT_LATER:
        statement->operation->header.id = make_id(play, statement->id_time);
        hf_script_append(play->result->got, "has an id");
        return true;
    case HF_SCRIPT_ADVANCE:
        return play_advance(play, statement);
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

bool hf_script_is_playable(const struct hf_script_player *player, const struct hf_script *script,
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
        bool asks = statement->verb == HF_SCRIPT_ADMIN || statement->verb == HF_SCRIPT_ADVANCE;
        if (asks && player->admin == NULL) {
            snprintf(fault->line, sizeof fault->line,
                     "line %u asks the admin socket: --admin is needed", statement->line);
            return false;
        }
    }
    return true;
}

enum hf_status hf_script_play(struct hf_script_player *player, struct hf_script *script,
                              struct hf_script_result *result, struct hf_fault *fault)
{
    memset(result, 0, sizeof *result);
    assert(hf_script_is_playable(player, script, fault));
    struct play play = {.player = player, .script = script, .result = result};
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
