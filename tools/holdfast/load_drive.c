/* Driving: sends operations at a rate (open loop) or with so many in flight (closed loop), and
 * takes the time of each.
 *
 * In the open loop an operation's time runs from when it should have been sent, not from when it
 * was: a node that stalls cannot hide behind a generator that waits for it. */
#include "load.h"
#include "target.h"
#include "timeline.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define ANSWERS_MOST 256u
#define NS_PER_S     1e9
/* The longest sleep, and how much before a send is due a sleeper wakes: a timer of the kernel is
 * late by some 50 microseconds. */
#define WAIT_MOST_US  10000u
#define WAKE_EARLY_NS 80000u
/* How long to look for answers before going to sleep. */
#define SPIN_NS 20000u

struct flown {
    struct hf_workload_entry entry;
    uint64_t intended_ns;
    bool is_repeat; /* it has been answered before, with `first` */
    struct hf_reply first;
};

struct drive {
    struct hf_client *client;
    const struct hf_load_options *options;
    struct hf_journal *journal;
    struct hf_workload_balance *balances;
    struct hf_load_result *result;
    struct hf_workload *workload;
    struct flown *flown;
    union hf_workload_operation
        *bytes;              /* what is in flight, by index; NULL: nothing is sent twice */
    struct hf_random random; /* decides what is */
    uint32_t *unused;        /* a stack of indices into flown */
    uint32_t unused_count;
    union hf_workload_operation *operations; /* the batch being made */
    uint32_t *batch;                         /* and where each of it is kept */
    uint64_t start_ns;
    uint64_t last_answer_ns;
    struct hf_timeline timeline;
    uint64_t quiet_since_ns; /* something is in flight, and nothing was heard since */
};

static bool prepare(struct drive *drive)
{
    const struct hf_load_options *options = drive->options;
    drive->workload = hf_workload_create(&options->workload);
    drive->flown = calloc(options->inflight, sizeof *drive->flown);
    drive->unused = calloc(options->inflight, sizeof *drive->unused);
    drive->random.state = ~options->workload.seed;
    if (options->duplicates_permille != 0)
        drive->bytes = calloc(options->inflight, sizeof *drive->bytes);
    drive->operations = calloc(options->batch, sizeof *drive->operations);
    drive->batch = calloc(options->batch, sizeof *drive->batch);
    if (drive->workload == NULL || drive->flown == NULL || drive->unused == NULL ||
        drive->operations == NULL || drive->batch == NULL ||
        (drive->bytes == NULL && options->duplicates_permille != 0))
        return false;
    for (uint32_t i = 0; i < options->inflight; i++)
        drive->unused[drive->unused_count++] = i;
    return true;
}

static void clean_up(struct drive *drive)
{
    hf_workload_destroy(drive->workload);
    free(drive->flown);
    free(drive->bytes);
    free(drive->unused);
    free(drive->operations);
    free(drive->batch);
}

/* When operation number `index` should be sent: in the open loop a batch at a time, evenly. */
static uint64_t intended_ns(const struct drive *drive, uint64_t index, uint64_t now)
{
    const struct hf_load_options *options = drive->options;
    if (options->rate <= 0)
        return now;
    uint64_t batch_begin = index - index % options->batch;
    return drive->start_ns + (uint64_t)((double)batch_begin / options->rate * NS_PER_S);
}

/* Makes and submits `count` operations; journalled before they leave. */
static void send_batch(struct drive *drive, uint32_t count, uint64_t now)
{
    struct hf_load_result *result = drive->result;
    assert(count <= drive->unused_count);
    if (drive->unused_count == drive->options->inflight)
        drive->quiet_since_ns = now;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t slot = drive->unused[--drive->unused_count];
        struct flown *flown = &drive->flown[slot];
        hf_workload_next(drive->workload, drive->client, &drive->operations[i], &flown->entry);
        flown->intended_ns = intended_ns(drive, result->sent + i, now);
        flown->is_repeat = false;
        if (drive->bytes != NULL)
            memcpy(&drive->bytes[slot], &drive->operations[i],
                   drive->operations[i].operation.header.length);
        drive->batch[i] = slot;
        hf_journal_sent(drive->journal, &flown->entry);
        result->captures += flown->entry.type == HF_OP_CAPTURE || flown->entry.type == HF_OP_CLEAR;
        result->reversals += flown->entry.type == HF_OP_REVERSE;
    }
    hf_journal_flush(drive->journal);
    for (uint32_t i = 0; i < count; i++) {
        enum hf_status status = hf_client_submit(drive->client, &drive->operations[i].operation,
                                                 &drive->flown[drive->batch[i]]);
        assert(status == HF_STATUS_OK); /* the window is as large as all that may be in flight */
    }
    result->sent += count;
}

/* The first SIGINT ends the sending: what is under way is waited for and counted. The second ends
 * the program. */
static volatile sig_atomic_t is_interrupted;

static void interrupt(int signal_number)
{
    (void)signal_number;
    is_interrupted = 1;
}

static void heed_interrupt(void)
{
    const struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
    (void)sigaction(SIGINT, &action, NULL);
}

/* How many operations there are still to send. */
static uint64_t left_to_send(const struct drive *drive, uint64_t now)
{
    const struct hf_load_options *options = drive->options;
    if (is_interrupted != 0)
        return 0;
    if (options->seconds > 0 && (double)(now - drive->start_ns) >= options->seconds * NS_PER_S)
        return 0;
    if (options->workload.operations == 0)
        return UINT64_MAX;
    return options->workload.operations - drive->result->sent;
}

/* Sends what is due, as far as there is room in flight; whole batches but at the end. What is due
 * at one time leaves together. */
static void send_due(struct drive *drive, uint64_t left, uint64_t now)
{
    const struct hf_load_options *options = drive->options;
    while (left > 0) {
        uint32_t count = options->batch < left ? options->batch : (uint32_t)left;
        if (count > drive->unused_count || intended_ns(drive, drive->result->sent, now) > now)
            break;
        send_batch(drive, count, now);
        left -= count;
    }
    hf_client_flush(drive->client);
}

/* The same bytes again: nothing happens a second time, and the answer is the first one. */
static void send_again(struct drive *drive, struct flown *flown, const struct hf_reply *first,
                       uint64_t now)
{
    flown->is_repeat = true;
    flown->first = *first;
    flown->intended_ns = now;
    drive->result->duplicates++;
    enum hf_status status =
        hf_client_submit(drive->client, &drive->bytes[flown - drive->flown].operation, flown);
    assert(status == HF_STATUS_OK); /* its place in the window has just been given back */
}

/* The first answer to an operation: into journal and books. */
static void settle_first(struct drive *drive, const struct flown *flown,
                         const struct hf_reply *reply)
{
    hf_journal_answered(drive->journal, reply);
    if (reply->code != HF_CODE_OK) {
        drive->result->refused++;
        return;
    }
    if (drive->balances != NULL)
        hf_workload_enter(drive->balances, &flown->entry, reply->approved);
    if (flown->entry.type == HF_OP_AUTH || flown->entry.type == HF_OP_HOLD)
        hf_workload_approved(drive->workload, &flown->entry);
}

static void settle(struct drive *drive, const struct hf_answer *answer, uint64_t now)
{
    struct hf_load_result *result = drive->result;
    struct flown *flown = answer->context;
    const struct hf_reply *reply = &answer->reply.reply;
    assert(answer->outcome == HF_OUTCOME_ANSWERED);
    result->answered++;
    result->by_code[reply->code < HF_LOAD_CODES ? reply->code : HF_LOAD_CODES - 1]++;
    if (reply->place != 0)
        result->durability = reply->durability;
    uint64_t latency_ns = now > flown->intended_ns ? now - flown->intended_ns : 0;
    hf_histogram_add(&result->latency, latency_ns);
    hf_timeline_add(&drive->timeline, now, latency_ns);
    if (flown->is_repeat) {
        result->changed += memcmp(&flown->first, reply, sizeof *reply) != 0;
    } else {
        settle_first(drive, flown, reply);
        if (drive->bytes != NULL && reply->place != 0 &&
            hf_random_below(&drive->random, 1000) < drive->options->duplicates_permille) {
            send_again(drive, flown, reply, now);
            return;
        }
    }
    drive->unused[drive->unused_count++] = (uint32_t)(flown - drive->flown);
}

/* Nothing came: sleep until an answer comes or the next operation is due. */
static void rest(struct drive *drive, bool sending, uint64_t now)
{
    const struct hf_load_options *options = drive->options;
    if (options->spin || now - drive->last_answer_ns < SPIN_NS)
        return;
    uint64_t wait_us = WAIT_MOST_US;
    if (sending && options->rate > 0) {
        uint64_t due = intended_ns(drive, drive->result->sent, now);
        if (due < now + WAKE_EARLY_NS && drive->unused_count > 0)
            return;
        if (due > now + WAKE_EARLY_NS && (due - now - WAKE_EARLY_NS) / 1000 < wait_us)
            wait_us = (due - now - WAKE_EARLY_NS) / 1000;
    }
    hf_client_wait(drive->client, (uint32_t)wait_us);
}

/* Whether the time to wait for answers has passed since then. */
static bool is_over(const struct drive *drive, uint64_t since_ns, uint64_t now)
{
    return (double)(now - since_ns) / NS_PER_S > drive->options->drain_seconds;
}

static void drive_until_done(struct drive *drive)
{
    struct hf_answer answers[ANSWERS_MOST];
    drive->start_ns = hf_target_now_ns();
    drive->last_answer_ns = drive->start_ns;
    uint64_t now = drive->start_ns;
    uint64_t stopped_ns = 0; /* when sending ended */
    for (;;) {
        uint64_t left = stopped_ns == 0 ? left_to_send(drive, now) : 0;
        if (left > 0)
            send_due(drive, left, now);
        else if (stopped_ns == 0)
            stopped_ns = now;
        uint32_t count = hf_client_poll(drive->client, answers, ANSWERS_MOST);
        now = hf_target_now_ns();
        for (uint32_t i = 0; i < count; i++)
            settle(drive, &answers[i], now);
        if (count > 0) {
            uint64_t gap_ns = drive->last_answer_ns != 0 ? now - drive->last_answer_ns : 0;
            if (gap_ns > drive->result->longest_gap_ns)
                drive->result->longest_gap_ns = gap_ns;
            drive->last_answer_ns = now;
            drive->quiet_since_ns = now;
        }
        bool all = drive->unused_count == drive->options->inflight;
        if (stopped_ns != 0 && (all || is_over(drive, stopped_ns, now)))
            return;
        if (!all && is_over(drive, drive->quiet_since_ns, now))
            return; /* the node is gone */
        if (count == 0)
            rest(drive, stopped_ns == 0, now);
    }
}

enum hf_status hf_load_drive(struct hf_client *client, const struct hf_load_options *options,
                             struct hf_journal *journal, struct hf_workload_balance *balances,
                             struct hf_load_result *result, struct hf_fault *fault)
{
    struct drive drive = {
        .client = client,
        .options = options,
        .journal = journal,
        .balances = balances,
        .result = result,
    };
    assert(options->batch <= options->inflight);
    result->durability = UINT8_MAX; /* until a reply names one */
    if (!prepare(&drive)) {
        clean_up(&drive);
        snprintf(fault->line, sizeof fault->line, "no memory for the load");
        return HF_STATUS_NO_MEMORY;
    }
    if (options->timeline != NULL && hf_timeline_open(&drive.timeline, options->timeline) != 0) {
        clean_up(&drive);
        snprintf(fault->line, sizeof fault->line, "%.200s: %s", options->timeline, strerror(errno));
        return HF_STATUS_IO;
    }
    heed_interrupt();
    drive_until_done(&drive);
    if (hf_timeline_close(&drive.timeline) != 0)
        fprintf(stderr, "holdfast load: %s: %s\n", options->timeline, strerror(errno));
    hf_journal_flush(journal);
    result->lost = result->sent + result->duplicates - result->answered;
    result->seconds = (double)(drive.last_answer_ns - drive.start_ns) / NS_PER_S;
    clean_up(&drive);
    return HF_STATUS_OK;
}
