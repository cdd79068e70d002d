#include "answer.h"

#include "answer_metrics.h"
#include "answer_pair.h"
#include "answer_pollers.h"
#include "clock.h"
#include "counters.h"
#include "prometheus.h"
#include "wal/segment.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include <jemalloc/jemalloc.h>

static json_t *error_answer(const char *why)
{
    return json_pack("{s:s}", "error", why);
}

static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *id_text(struct hf_id id)
{
    char text[HF_ID_TEXT_SIZE];

    hf_id_format(id, text);
    return json_string(text);
}

static const char *durability_name(const struct node *node)
{
    return config_durability_name(node->config);
}

/* ---- records
 * -----------------------------------------------------------------------------------------------------
 */

static const char *word(const char *const words[], size_t count, uint8_t position)
{
    return position < count ? words[position] : "unknown";
}

/* `null` for an id of zero: there is none. */
static json_t *id_or_none(struct hf_id id)
{
    return hf_id_equal(id, (struct hf_id){0, 0}) ? json_null() : id_text(id);
}

static json_t *unless_none(int64_t value, int64_t none)
{
    return value == none ? json_null() : json_integer((json_int_t)value);
}

/* A time, `null` for one that never comes. */
static json_t *time_or_never(uint64_t time_ns)
{
    return time_ns == 0 ? json_null() : number(time_ns);
}

static json_t *account_answer(const struct hf_query_reply *reply)
{
    static const char *const statuses[] = {"open", "frozen", "closed"};
    const struct hf_account_view *view = &reply->view.account;

    return json_pack(
        "{s:o, s:i, s:i, s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:b, "
        "s:o}",
        "account", id_text(view->id), "asset", view->asset, "scale", view->scale, "status",
        word(statuses, 3, view->status), "posted", (json_int_t)view->posted, "available",
        (json_int_t)view->available, "held_out", number(view->held_out), "held_in",
        number(view->held_in), "lifetime_debits", number(view->lifetime_debits), "lifetime_credits",
        number(view->lifetime_credits), "floor", unless_none(view->floor, HF_FLOOR_NONE), "ceiling",
        unless_none(view->ceiling, HF_CEILING_NONE), "total", (view->flags & HF_ACCOUNT_TOTAL) != 0,
        "parent", id_or_none(view->parent), "sink", id_or_none(view->sink), "expires_ns",
        time_or_never(view->expires_ns), "filter", view->has_filter != 0, "place",
        number(reply->reply.place));
}

static json_t *unless_unlimited(uint64_t value)
{
    return value == HF_INSTRUMENT_UNLIMITED ? json_null() : number(value);
}

static json_t *instrument_answer(const struct hf_query_reply *reply)
{
    static const char *const statuses[] = {"inactive", "active", "frozen", "closed"};
    const struct hf_instrument_view *view = &reply->view.instrument;
    json_t *further = json_array();

    for (uint32_t i = 0; i < view->further_count; i++)
        json_array_append_new(further, id_text(view->further[i]));
    return json_pack(
        "{s:o, s:o, s:s, s:b, s:o, s:o, s:o, s:o, s:o}", "instrument", id_text(view->token),
        "account", id_text(view->account), "status", word(statuses, 4, view->status), "first_use",
        (view->flags & HF_INSTRUMENT_FIRST_USE) != 0, "expires_ns", number(view->expires_ns),
        "amount_limit", unless_unlimited(view->amount_limit), "remaining",
        unless_unlimited(view->remaining), "further", further, "place", number(reply->reply.place));
}

/* The record of an authorisation: what became of it, and why. */
static json_t *describe_authorisation(const struct hf_authorisation_view *view)
{
    static const char *const statuses[] = {"open", "resolved", "lapsed", "refused", "reversed"};
    char merchant[sizeof view->merchant + 1] = "";

    for (size_t i = 0; i < sizeof view->merchant && view->merchant[i] != 0; i++)
        merchant[i] =
            view->merchant[i] >= ' ' && view->merchant[i] <= '~' ? (char)view->merchant[i] : '?';
    return json_pack("{s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:i, s:o, s:s, s:s, s:i, s:o, "
                     "s:b, s:b, s:b, "
                     "s:b, s:b, s:o, s:s, s:i, s:i, s:i, s:i, s:o, s:o}",
                     "authorisation", id_text(view->id), "instrument", id_or_none(view->token),
                     "payer", id_or_none(view->payer), "payee", id_or_none(view->payee), "status",
                     word(statuses, 5, view->status), "amount", number(view->amount), "remaining",
                     number(view->remaining), "captured", number(view->captured), "reversed",
                     number(view->reversed), "asset", view->asset, "expires_ns",
                     time_or_never(view->expires_ns), "code", hf_code_name(view->code), "rule",
                     hf_rule_name(view->rule), "entry", view->entry, "exception",
                     view->exception == 0 ? json_null()
                                          : json_string(hf_code_name(view->exception)),
                     "forced", (view->flags & HF_AUTHORISATION_FORCED) != 0, "estimated",
                     (view->flags & HF_AUTHORISATION_ESTIMATED) != 0, "undone",
                     (view->flags & HF_AUTHORISATION_REVERSED) != 0, "counted",
                     (view->flags & HF_AUTHORISATION_COUNTED) != 0, "drew",
                     (view->flags & HF_AUTHORISATION_DREW) != 0, "acquirer", number(view->acquirer),
                     "merchant", merchant, "mcc", view->mcc, "country", view->country, "channel",
                     view->channel, "class", view->class_number, "ordered_place",
                     number(view->place), "timestamp_ns", number(view->timestamp_ns));
}

static json_t *authorisation_answer(const struct hf_query_reply *reply)
{
    json_t *answer = describe_authorisation(&reply->view.authorisation);

    json_object_set_new(answer, "place", number(reply->reply.place));
    return answer;
}

/* The newest of an instrument. */
static json_t *authorisations_answer(const struct hf_query_reply *reply)
{
    const struct hf_authorisations_view *view = &reply->view.authorisations;
    json_t *lines = json_array();

    for (uint32_t i = 0; i < view->count; i++)
        json_array_append_new(lines, describe_authorisation(&view->lines[i]));
    return json_pack("{s:o, s:b, s:o}", "authorisations", lines, "more", view->next_cursor != 0,
                     "place", number(reply->reply.place));
}

static json_t *hold_answer(const struct hf_query_reply *reply)
{
    static const char *const statuses[] = {"open", "resolved", "lapsed"};
    const struct hf_hold_view *view = &reply->view.hold;

    return json_pack(
        "{s:o, s:o, s:i, s:o, s:i, s:s, s:o, s:o, s:o, s:o, s:b, s:b, s:b, s:i, s:i, s:i, s:i, "
        "s:i, s:o}",
        "hold", id_text(view->id), "payer", id_text(view->payer), "payers", view->payer_count,
        "payee", id_or_none(view->payee), "asset", view->asset, "status",
        word(statuses, 3, view->status), "amount", number(view->amount), "remaining",
        number(view->remaining), "captured", number(view->captured), "expires_ns",
        time_or_never(view->expires_ns), "soft", (view->policy & HF_HOLD_SOFT) != 0, "ratio",
        (view->policy & HF_HOLD_RATIO) != 0, "single", (view->policy & HF_HOLD_SINGLE) != 0,
        "tolerance", view->tolerance, "class", view->class_number, "conditions",
        view->condition_count, "required", view->required, "met", view->met, "place",
        number(reply->reply.place));
}

static json_t *operation_answer(const struct hf_query_reply *reply)
{
    const struct hf_reply *first = &reply->view.operation;

    return json_pack("{s:o, s:s, s:s, s:s, s:i, s:o, s:I, s:I, s:o, s:o}", "operation",
                     id_text(first->id), "type",
                     hf_operation_name((uint8_t)(first->type & ~HF_REPLY_TYPE_BIT)), "code",
                     hf_code_name(first->code), "rule", hf_rule_name(first->rule), "entry",
                     first->entry, "approved", number(first->approved), "available",
                     (json_int_t)first->available, "posted", (json_int_t)first->posted, "place",
                     number(first->place), "timestamp_ns", number(first->timestamp_ns));
}

static json_t *limit_answer(const struct hf_limit_line *limit)
{
    static const char *const windows[] = {"none",  "operation", "day",     "week",
                                          "month", "rolling",   "lifetime"};

    return json_pack("{s:i, s:s, s:o, s:o, s:o, s:o, s:b}", "number", limit->number, "window",
                     word(windows, 7, limit->window), "max_amount",
                     unless_unlimited(limit->max_amount), "max_count",
                     unless_unlimited(limit->max_count), "used_amount", number(limit->used_amount),
                     "used_count", number(limit->used_count), "filter", limit->has_filter != 0);
}

static json_t *limits_answer(const struct mailbox *mailbox)
{
    json_t *limits = json_array();

    for (uint32_t i = 0; i < mailbox->limit_count; i++)
        json_array_append_new(limits, limit_answer(&mailbox->limits[i]));
    return limits;
}

static json_t *record_answer(struct node *node, uint8_t subject, const char *argument)
{
    static json_t *(*const answers[])(const struct hf_query_reply *) = {
        [HF_QUERY_ACCOUNT] = account_answer,
        [HF_QUERY_INSTRUMENT] = instrument_answer,
        [HF_QUERY_OPERATION] = operation_answer,
        [HF_QUERY_HOLD] = hold_answer,
        [HF_QUERY_AUTHORISATION] = authorisation_answer,
        [HF_QUERY_INSTRUMENT_AUTHORISATIONS] = authorisations_answer,
    };
    struct hf_op_query *query = &node->mailbox.query;
    struct hf_id id;
    json_t *answer;

    if (!hf_id_parse(argument, strlen(argument), &id))
        return error_answer("the id is neither decimal, 0x hexadecimal nor 8-4-4-4-12");
    memset(query, 0, sizeof *query);
    query->header.length = sizeof *query;
    query->header.type = HF_OP_QUERY;
    query->header.id = id;
    query->subject_id = id;
    query->subject = subject;
    if (node_ask(node, MAILBOX_QUERY) != HF_STATUS_OK)
        return error_answer("the node has failed");
    if (node->mailbox.reply.reply.code != HF_CODE_OK)
        return json_pack("{s:s, s:s}", "error", hf_code_sentence(node->mailbox.reply.reply.code),
                         "code", hf_code_name(node->mailbox.reply.reply.code));
    answer = answers[subject](&node->mailbox.reply);
    if (subject == HF_QUERY_ACCOUNT || subject == HF_QUERY_INSTRUMENT)
        json_object_set_new(answer, "limits", limits_answer(&node->mailbox));
    return answer;
}

static json_t *answer_account(struct node *node, const char *argument)
{
    return record_answer(node, HF_QUERY_ACCOUNT, argument);
}

static json_t *answer_instrument(struct node *node, const char *argument)
{
    return record_answer(node, HF_QUERY_INSTRUMENT, argument);
}

static json_t *answer_operation(struct node *node, const char *argument)
{
    return record_answer(node, HF_QUERY_OPERATION, argument);
}

static json_t *answer_hold(struct node *node, const char *argument)
{
    return record_answer(node, HF_QUERY_HOLD, argument);
}

static json_t *answer_authorisation(struct node *node, const char *argument)
{
    return record_answer(node, HF_QUERY_AUTHORISATION, argument);
}

static json_t *answer_authorisations(struct node *node, const char *argument)
{
    return record_answer(node, HF_QUERY_INSTRUMENT_AUTHORISATIONS, argument);
}

/* ---- the node
 * ----------------------------------------------------------------------------------------------------
 */

static json_t *line_or_none(const struct hf_fault *fault)
{
    return fault->line[0] == '\0' ? json_null() : json_string(fault->line);
}

static double since_s(uint64_t unix_ns)
{
    uint64_t now_ns = clock_wall_ns();

    return now_ns > unix_ns ? (double)(now_ns - unix_ns) / 1e9 : 0;
}

/* The newest checkpoint that is known to be whole, the one being made, and how the last went. */
static json_t *checkpoint_status(const struct checkpointer *checkpointer)
{
    const struct checkpointer_newest *newest = &checkpointer->newest;
    bool is_running = checkpointer->copy != 0;

    return json_pack(
        "{s:o, s:o, s:o, s:o, s:b, s:s, s:o, s:f, s:o, s:o, s:o}", "index", number(newest->index),
        "place", number(newest->place), "bytes", number(newest->bytes), "age_s",
        newest->index == 0 ? json_null() : json_real(since_s(newest->made_ns)), "running",
        is_running, "phase", checkpointer_phase(checkpointer), "process",
        is_running ? json_integer(checkpointer->copy) : json_null(), "seconds",
        checkpointer->seconds, "made", number(checkpointer->made), "failures",
        number(checkpointer->failures), "failure", line_or_none(&checkpointer->failure));
}

static json_t *log_status(struct node *node)
{
    const struct checkpointer *checkpointer = &node->checkpointer;
    const struct storage *storage = &node->storage;
    struct hf_segment_range range = {0};
    struct hf_fault fault;
    uint64_t count;

    if (hf_segment_list(storage->checkpoint_disk, &range, &fault) != HF_STATUS_OK)
        range = (struct hf_segment_range){0};
    count = range.first == 0 ? 0 : range.last - range.first + 1;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:o, s:o, s:o, s:o}", "segments",
                     number(count), "first_segment", number(range.first), "segment_bytes",
                     number(storage->state.superblock.segment_size), "bytes",
                     number(count * storage->state.superblock.segment_size), "free_bytes",
                     number(checkpointer->free_bytes), "kept_free_bytes",
                     number(counter_read(&storage->disk->keep_free_bytes)), "full",
                     (int)atomic_load(&node->logger.full), "lacks_space",
                     (int)atomic_load(&node->logger.lacks_space), "removed",
                     number(checkpointer->removed), "archived", number(checkpointer->archived),
                     "retain_failures", number(checkpointer->retain_failures), "retain_failure",
                     line_or_none(&checkpointer->retain_failure));
}

static json_t *settings_status(const struct config *config)
{
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:s, s:o, s:s}", "log.segment_bytes", number(config->segment_bytes),
        "checkpoint.bytes", number(config->checkpoint_bytes), "checkpoint.interval_ns",
        number(config->checkpoint_interval_ns), "checkpoint.rate", number(config->checkpoint_rate),
        "checkpoint.priority", config->checkpoint_priority == CONFIG_PRIORITY_IDLE ? "idle" : "low",
        "log.retain_bytes", number(config->retain_bytes), "log.archive", config->archive);
}

static json_t *limits_status(const struct config *config)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "accounts",
                     number(config->accounts), "instruments", number(config->instruments), "holds",
                     number(config->holds), "terms", number(config->terms), "parts",
                     number(config->parts), "selectors", number(config->selectors), "limits",
                     number(config->limits), "rolling", number(config->rolling), "remembered",
                     number(config->remembered));
}

static json_t *tables_status(const struct hf_ledger_counts *counts)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "assets",
                     number(counts->assets), "accounts", number(counts->accounts), "instruments",
                     number(counts->instruments), "holds_open", number(counts->holds_open),
                     "holds_resolved", number(counts->holds_resolved), "terms",
                     number(counts->terms), "parts", number(counts->parts), "conditions",
                     number(counts->conditions), "selectors", number(counts->selectors), "limits",
                     number(counts->limits), "rolling", number(counts->rolling), "remembered",
                     number(counts->remembered));
}

/* `waiting`: it has ordered what is not committed, and may never be. */
static const char *state_name(const struct node *node, enum hf_status status)
{
    if (config_is_pair(node->config) && !replicator_serves(&node->replicator))
        return "standing-by";
    return status == HF_STATUS_AGAIN ? "waiting" : "serving";
}

static json_t *answer_status(struct node *node, const char *argument)
{
    char address[HF_ADDRESS_TEXT_SIZE];
    const struct hf_ledger_counts *counts = &node->mailbox.counts;
    bool is_kept = config_keeps_log(node->config);
    enum hf_status status = node_ask(node, MAILBOX_COUNT);

    (void)argument;
    if (status != HF_STATUS_OK && status != HF_STATUS_AGAIN)
        return error_answer("the node has failed");
    hf_address_format(&node->port->local, address);
    return json_pack(
        "{s:s, s:s, s:o, s:I, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:f, s:f, s:o, "
        "s:o, s:o, s:o, s:f, s:o, s:o, s:o, s:o, s:o}",
        "state", state_name(node, status), "version", HOLDFAST_VERSION, "cluster",
        id_text(node->cluster), "node", (json_int_t)node->config->node, "durability",
        durability_name(node), "port", node->port->name, "address", address, "place",
        number(node->mailbox.place), "timestamp_ns", number(node->mailbox.timestamp_ns),
        "clock_ahead_ns", number(node->mailbox.clock_ahead_ns), "commit_index",
        number(counter_read(&node->logger.commit_index)), "log_full",
        (int)atomic_load(&node->logger.full), "checkpoint_place",
        number(node->checkpointer.newest.place), "replayed",
        number(node->storage.state.operations_replayed), "recovery_s",
        (double)node->storage.recovery_ns / 1e9, "uptime_s", since_s(node->started_ns), "tables",
        tables_status(counts), "limits", limits_status(node->config), "oldest_id_ms",
        number(counts->floor_ms), "memory_bytes", number(counts->memory_bytes),
        "memory_per_account_bytes",
        (double)counts->memory_account_bytes / (double)node->config->accounts, "checkpoint",
        is_kept ? checkpoint_status(&node->checkpointer) : json_null(), "log",
        is_kept ? log_status(node) : json_null(), "pair", answer_pair_state(node), "pollers",
        answer_pollers(node), "settings", settings_status(node->config));
}

static json_t *answer_metrics(struct node *node, const char *argument)
{
    json_t *metrics = metrics_answer(node);
    json_t *text;

    if (argument == NULL)
        return metrics;
    text = strcmp(argument, "prometheus") == 0
               ? prometheus_text(metrics)
               : error_answer("metrics are to be had as they are, or as prometheus");
    json_decref(metrics);
    return text;
}

/* Its answer comes when the checkpoint is there; at once when there is nothing to do. */
static json_t *begin_checkpoint(struct node *node, struct answer_later *later)
{
    struct checkpointer *checkpointer = &node->checkpointer;

    if (!config_keeps_log(node->config))
        return error_answer("durability memory-bench keeps nothing: there is no checkpoint");
    *later = (struct answer_later){
        .is_due = true,
        .index = checkpointer_ask(checkpointer),
        .began_ns = clock_monotonic_ns(),
        .made = checkpointer->made,
        .failures = checkpointer->failures,
    };
    return NULL;
}

static json_t *checkpoint_answer(struct node *node, const struct answer_later *later)
{
    const struct checkpointer *checkpointer = &node->checkpointer;

    if (checkpointer_has(checkpointer, later->index))
        return json_pack("{s:o, s:o, s:b, s:f}", "checkpoint_place",
                         number(checkpointer->newest.place), "checkpoint_index",
                         number(checkpointer->newest.index), "written",
                         checkpointer->made != later->made, "seconds",
                         (double)(clock_monotonic_ns() - later->began_ns) / 1e9);
    return checkpointer->failures != later->failures ? error_answer(checkpointer->failure.line)
                                                     : NULL;
}

/* Beyond it log time would soon not fit its 64 bits. */
#define ADVANCE_NS_MAX (UINT64_C(100) * 366 * 86400 * 1000000000)

static json_t *answer_advance(struct node *node, const char *argument)
{
    uint64_t ahead_ns = node->mailbox.clock_ahead_ns;

    if (node->config->test_clock == 0)
        return error_answer(
            "the clock of this node cannot be moved: it needs node.test_clock = yes");
    if (!config_read_duration(argument, &node->mailbox.advance_ns))
        return error_answer("not a duration: nanoseconds, or a number with ns us ms s m h d");
    if (node->mailbox.advance_ns > ADVANCE_NS_MAX - ahead_ns)
        return error_answer("a clock is advanced by at most a hundred years");
    if (node_ask(node, MAILBOX_ADVANCE) != HF_STATUS_OK)
        return error_answer("the node has failed");
    return json_pack("{s:o, s:o}", "advanced_ns", number(node->mailbox.advance_ns),
                     "clock_ahead_ns", number(node->mailbox.clock_ahead_ns));
}

static json_t *answer_reload(struct node *node, const char *argument)
{
    struct hf_fault fault = {{0}};

    (void)argument;
    if (node_reload(node, &fault) != HF_STATUS_OK)
        return error_answer(fault.line);
    return json_pack("{s:I}", "origins", (json_int_t)atomic_load(&node->door->published)->count);
}

static json_t *answer_digest(struct node *node, const char *argument)
{
    char text[33];

    (void)argument;
    if (node_ask(node, MAILBOX_DIGEST) != HF_STATUS_OK)
        return error_answer("the node has failed");
    snprintf(text, sizeof text, "%016llx%016llx", (unsigned long long)node->mailbox.digest.hi,
             (unsigned long long)node->mailbox.digest.lo);
    return json_pack("{s:s, s:o}", "digest", text, "place", number(node->mailbox.place));
}

static json_t *jemalloc_number(const char *name)
{
    size_t value = 0;
    size_t size = sizeof value;

    return mallctl(name, &value, &size, NULL, 0) == 0 ? number(value) : json_null();
}

static json_t *answer_memory(struct node *node, const char *argument)
{
    uint64_t epoch = 1;
    size_t size = sizeof epoch;
    json_t *heap;

    (void)argument;
    if (node_ask(node, MAILBOX_COUNT) != HF_STATUS_OK)
        return error_answer("the node has failed");
    mallctl("epoch", &epoch, &size, &epoch, size); /* refreshes the statistics */
    heap = json_pack("{s:o, s:o, s:o, s:o, s:o}", "allocated", jemalloc_number("stats.allocated"),
                     "active", jemalloc_number("stats.active"), "metadata",
                     jemalloc_number("stats.metadata"), "resident",
                     jemalloc_number("stats.resident"), "mapped", jemalloc_number("stats.mapped"));
    return json_pack("{s:{s:o, s:o, s:f}, s:o}", "ledger", "bytes", number(node->load.memory_bytes),
                     "account_table_bytes", number(node->mailbox.counts.memory_account_bytes),
                     "per_account_bytes",
                     (double)node->mailbox.counts.memory_account_bytes /
                         (double)node->config->accounts,
                     "jemalloc", heap);
}

static json_t *answer_help(struct node *node, const char *argument);

static const struct command {
    const char *name;
    const char *argument; /* its name, in brackets when it may be left out; NULL: it takes none */
    json_t *(*answer)(struct node *node, const char *argument); /* NULL: begin_checkpoint */
    bool changes; /* something, so that not everybody may, and it is written down */
} commands[] = {
    {"status", NULL, answer_status, false},
    {"account", "ID", answer_account, false},
    {"instrument", "TOKEN", answer_instrument, false},
    {"hold", "ID", answer_hold, false},
    {"authorisation", "ID", answer_authorisation, false},
    {"authorisations", "TOKEN", answer_authorisations, false},
    {"operation", "ID", answer_operation, false},
    {"metrics", "[prometheus]", answer_metrics, false},
    {"memory", NULL, answer_memory, false},
    {"checkpoint", NULL, NULL, true},
    {"digest", NULL, answer_digest, false},
    {"advance", "DURATION", answer_advance, true},
    {"reload", NULL, answer_reload, true},
    {"pair", NULL, answer_pair, false},
    {"promote", NULL, answer_promote, true},
    {"standby", NULL, answer_standby, true},
    {"help", NULL, answer_help, false},
};
#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

static json_t *answer_help(struct node *node, const char *argument)
{
    json_t *list = json_array();

    (void)node;
    (void)argument;
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        json_array_append_new(
            list, json_sprintf("%s%s%s", commands[i].name, commands[i].argument != NULL ? " " : "",
                               commands[i].argument != NULL ? commands[i].argument : ""));
    return json_pack("{s:o}", "commands", list);
}

static json_t *find_and_answer(struct node *node, char *line, struct answer_later *later)
{
    char *rest;
    const char *name = strtok_r(line, " \t\r", &rest);
    const char *argument = strtok_r(NULL, " \t\r", &rest);

    if (name == NULL)
        return error_answer("an empty line: try help");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i].name, name) != 0)
            continue;
        if (argument != NULL && (commands[i].argument == NULL || strtok_r(NULL, " \t\r", &rest)))
            return error_answer("too many words: try help");
        if (argument == NULL && commands[i].argument != NULL && commands[i].argument[0] != '[')
            return json_pack("{s:o}", "error",
                             json_sprintf("this command needs %s: try help", commands[i].argument));
        if (commands[i].answer == NULL)
            return begin_checkpoint(node, later);
        return commands[i].answer(node, argument);
    }
    return error_answer("no such command: try help");
}

bool answer_changes(const char *line)
{
    size_t length;

    line += strspn(line, " \t\r");
    length = strcspn(line, " \t\r");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strlen(commands[i].name) == length && memcmp(commands[i].name, line, length) == 0)
            return commands[i].changes;
    }
    return false;
}

/* As text, and released; NULL stays NULL. */
static char *text_of(json_t *answer)
{
    char *text;

    if (answer == NULL)
        return NULL;
    text = json_dumps(answer, JSON_REAL_PRECISION(6) | JSON_ENCODE_ANY);
    json_decref(answer);
    return text;
}

char *answer_error(const char *why)
{
    return text_of(error_answer(why));
}

char *answer_later(struct node *node, struct answer_later *later)
{
    char *text = text_of(checkpoint_answer(node, later));

    later->is_due = text == NULL;
    return text;
}

char *answer_line(struct node *node, const char *line, struct answer_later *later)
{
    char copy[512];
    char *text;

    later->is_due = false;
    snprintf(copy, sizeof copy, "%s", line);
    text = text_of(find_and_answer(node, copy, later));
    return later->is_due ? answer_later(node, later) : text;
}
