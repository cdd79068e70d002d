#include "prometheus.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One metric: a member of one section of `metrics`. Where the section is a list, each entry has its
 * own sample, told apart by what it has under `label`. Without a member it is every one of the
 * section that has no metric of its own, told apart by its name as `label`. Names end in _total
 * when they only ever grow. */
struct metric {
    const char *section;
    const char *member;
    const char *label;
    const char *name; /* without "holdfast_" */
    const char *help;
};

/* What is counted of all receive queues together, and of each. */
#define RECEIVED(section, label, name)                                                           \
    {section, "bundles", label, name "_bundles_total", "Bundles handed on."},                    \
        {section, "datagrams", label, name "_datagrams_total", "Datagrams looked at."},          \
        {section, "operations", label, name "_operations_total", "Operations taken."},           \
        {section, "queries", label, name "_queries_total", "Queries taken."},                    \
        {section, "refused", label, name "_refused_total", "Messages refused for their shape."}, \
        {section, "busy", label, name "_busy_total",                                             \
         "Operations answered BUSY: their client had as much waiting as it may."},               \
        {section, "unanswered", label, name "_unanswered_total",                                 \
         "Messages neither taken nor answered."},                                                \
        {section, "lined_up", label, name "_lined_up_total",                                     \
         "Datagrams that had to wait in their client's line."},                                  \
        {section, "waiting", label, name "_waiting_datagrams",                                   \
         "Datagrams that wait in a line now."},                                                  \
    {                                                                                            \
        section, "handed_on", label, name "_handed_on_total",                                    \
            "Datagrams handed to the receive poller that has the sessions."                      \
    }

static const struct metric metrics_known[] = {
    {"port", "received", NULL, "port_received_datagrams_total", "Datagrams taken from the port."},
    {"port", "received_bytes", NULL, "port_received_bytes_total", "Bytes of payload in them."},
    {"port", "sent", NULL, "port_sent_datagrams_total", "Datagrams sent."},
    {"port", "sent_bytes", NULL, "port_sent_bytes_total", "Bytes of payload in them."},
    {"port", "dropped_malformed", NULL, "port_dropped_malformed_total",
     "Frames dropped because they could not be understood."},
    {"port", "dropped_other", NULL, "port_dropped_other_total",
     "Well-formed frames dropped because they were for somebody else."},
    {"port", "dropped_full", NULL, "port_dropped_full_total",
     "Datagrams that the device or socket did not take."},
    {"port", "arp_answered", NULL, "port_arp_answered_total", "ARP questions answered."},
    {"port", "icmp_answered", NULL, "port_icmp_answered_total", "Echo requests answered."},
    RECEIVED("rx", NULL, "rx"),
    RECEIVED("queues", "queue", "queue"),
    {"order", "bundles", NULL, "order_bundles_total", "Bundles ordered."},
    {"order", "operations", NULL, "order_operations_total", "Operations that took a place."},
    {"order", "approved", NULL, "order_approved_total", "Of them, those that were approved."},
    {"order", "repeats", NULL, "order_repeats_total",
     "Operations answered from what is remembered, without a place."},
    {"order", "queries", NULL, "order_queries_total", "Queries answered."},
    {"order", "busy", NULL, "order_busy_total", "Operations refused because the log had no room."},
    {"order", "expire_operations", NULL, "order_expire_operations_total",
     "EXPIRE operations of the node's own."},
    {"order", "expired", NULL, "order_expired_total", "Holds and accounts that they ended."},
    {"order", "batches", NULL, "order_batches_total", "Batches handed to the log."},
    {"log", "commit_index", NULL, "log_commit_index", "Newest record that is committed."},
    {"log", "records", NULL, "log_records_total", "Records written."},
    {"log", "record_bytes", NULL, "log_record_bytes_total", "Bytes of records, without padding."},
    {"log", "device_bytes", NULL, "log_device_bytes_total", "Bytes written to the device."},
    {"log", "full", NULL, "log_full", "1 while the log has no room and operations are refused."},
    {"tx", "bundles", NULL, "tx_bundles_total", "Bundles answered."},
    {"tx", "answers", NULL, "tx_answers_total", "Answers sent."},
    {"tx", "datagrams", NULL, "tx_datagrams_total", "Datagrams that they filled."},
    {"tx", "unsent", NULL, "tx_unsent_total",
     "Answers for which the port had no packet, or whose session had ended."},
    {"pollers", "batches", "poller", "poller_batches_total", "Looks that found work."},
    {"pollers", "operations", "poller", "poller_operations_total", "Operations carried out."},
    {"pollers", "idle_share", "poller", "poller_idle_ratio", "Part of the time without work."},
    {"pollers", "waiting", "poller", "poller_waiting", "What waits for the poller now."},
    {"pollers", "room", "poller", "poller_room", "For how much there is room to wait."},
    {"pollers", "votes_waited", "poller", "poller_votes_waited_total",
     "Looks that ended because another poller had not voted yet."},
    {"cores", "idle_share", "core", "core_idle_ratio", "Part of the time without work."},
    {"cores", "sleeps", "core", "core_sleeps_total", "Times that the core went to sleep."},
    {"shards", "works", "shard", "shard_works_total", "Works begun and finished."},
    {"shards", "operations", "shard", "shard_operations_total", "Operations carried out."},
    {"shards", "lent", "shard", "shard_lent_total", "Times that it lent to another shard."},
    {"shards", "borrowed", "shard", "shard_borrowed_total",
     "Operations carried out with what others had lent."},
    {"shards", "words", "shard", "shard_words_total", "Words sent to other shards."},
    {"shards", "waits", "shard", "shard_waits_total", "Looks that ended for want of a word."},
    {"security", "sessions", NULL, "sessions", "Sessions that there are now."},
    {"security", "sealed", NULL, "sealed_datagrams_total", "Datagrams sealed."},
    {"security", "forbidden", NULL, "forbidden_total",
     "Operations and queries outside their origin's rules."},
    {"security", "over_origins_rate", NULL, "over_origins_rate_total",
     "Operations and queries answered BUSY because their origin had sent too many."},
    {"security", NULL, "fate", "session_datagrams_total",
     "Datagrams that came, by what became of them."},
    {"pair", "records_received", NULL, "pair_records_received_total",
     "Records that the other node sent."},
    {"pair", "records_sent", NULL, "pair_records_sent_total", "Records sent to the other node."},
    {"pair", "records_read", NULL, "pair_records_read_total",
     "Records read back from the log for the other node."},
    {"pair", "datagrams_sent", NULL, "pair_datagrams_sent_total", "Datagrams to the other node."},
    {"pair", "datagrams_received", NULL, "pair_datagrams_received_total",
     "Datagrams from the other node."},
    {"pair", "datagrams_repeated", NULL, "pair_datagrams_repeated_total", "Datagrams sent again."},
    {"pair", "refused", NULL, "pair_refused_total", "Datagrams from the other node refused."},
    {"pair", "quarantined", NULL, "pair_quarantined_total", "Records set aside."},
    {"pair", "slices_sent", NULL, "pair_slices_sent_total", "Slices of a checkpoint sent."},
    {"pair", "slices_received", NULL, "pair_slices_received_total",
     "Slices of a checkpoint that came."},
    {"pair", "fetches_refused", NULL, "pair_fetches_refused_total",
     "Requests for a checkpoint refused."},
    {"pair", "redirected", NULL, "pair_redirected_total",
     "Operations answered with the primary's address."},
};
#define METRIC_COUNT (sizeof metrics_known / sizeof metrics_known[0])

static bool ends_in(const char *text, const char *end)
{
    size_t length = strlen(text);

    return length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

static bool has_own_metric(const char *section, const char *member)
{
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        const struct metric *metric = &metrics_known[i];
        if (metric->member != NULL && strcmp(metric->section, section) == 0 &&
            strcmp(metric->member, member) == 0)
            return true;
    }
    return false;
}

static void write_value(FILE *out, const json_t *value)
{
    if (json_is_real(value))
        fprintf(out, " %.6g\n", json_real_value(value));
    else if (json_is_boolean(value))
        fprintf(out, " %d\n", json_is_true(value));
    else
        fprintf(out, " %lld\n", (long long)json_integer_value(value));
}

/* Labels are pollers' names, numbers and words of the node's own: nothing in them needs escaping.
 */
static void write_sample(FILE *out, const struct metric *metric, const json_t *entry)
{
    const json_t *label = metric->label == NULL ? NULL : json_object_get(entry, metric->label);

    fprintf(out, "holdfast_%s", metric->name);
    if (json_is_string(label))
        fprintf(out, "{%s=\"%s\"}", metric->label, json_string_value(label));
    else if (label != NULL)
        fprintf(out, "{%s=\"%lld\"}", metric->label, (long long)json_integer_value(label));
    write_value(out, json_object_get(entry, metric->member));
}

static void write_all_others(FILE *out, const struct metric *metric, json_t *section)
{
    const char *member;
    json_t *value;

    json_object_foreach(section, member, value)
    {
        if (has_own_metric(metric->section, member))
            continue;
        fprintf(out, "holdfast_%s{%s=\"%s\"}", metric->name, metric->label, member);
        write_value(out, value);
    }
}

static void write_metric(FILE *out, const struct metric *metric, json_t *section)
{
    if (json_is_null(section) || (json_is_array(section) && json_array_size(section) == 0))
        return;
    fprintf(out, "# HELP holdfast_%s %s\n# TYPE holdfast_%s %s\n", metric->name, metric->help,
            metric->name, ends_in(metric->name, "_total") ? "counter" : "gauge");
    if (metric->member == NULL)
        write_all_others(out, metric, section);
    else if (json_is_object(section))
        write_sample(out, metric, section);
    for (size_t i = 0; i < json_array_size(section); i++)
        write_sample(out, metric, json_array_get(section, i));
}

json_t *prometheus_text(const json_t *metrics)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    json_t *answer;

    if (out == NULL)
        return NULL;
    fprintf(out,
            "# HELP holdfast_info What this node is.\n# TYPE holdfast_info gauge\n"
            "holdfast_info{version=\"%s\",durability=\"%s\"} 1\n",
            HOLDFAST_VERSION, json_string_value(json_object_get(metrics, "durability")));
    for (size_t i = 0; i < METRIC_COUNT; i++)
        write_metric(out, &metrics_known[i], json_object_get(metrics, metrics_known[i].section));
    answer = fclose(out) == 0 ? json_stringn(text, length) : NULL;
    free(text);
    return answer;
}
