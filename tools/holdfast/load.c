/* `holdfast load`: options, the order of things, and the figures at the end. */
#include "load.h"
#include "commands.h"
#include "target.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define INFLIGHT_CLOSED 256u
#define INFLIGHT_OPEN   16384u
#define SECONDS_DEFAULT 10.0
#define DRAIN_SECONDS   10.0
#define ACCOUNTS        10000u
/* An option that has not been given: its default is the workload's. */
#define UNSAID UINT32_MAX
/* Of the workload cards. */
#define CARDS_CLEAR_PERCENT       100u
#define CARDS_LIMITS              4u
#define CARDS_REVERSE_PERMILLE    20u
#define CARDS_DUPLICATES_PERMILLE 10u

enum {
    KEY_WORKLOAD = 0x5001,
    KEY_ACCOUNTS,
    KEY_SKEW,
    KEY_SECONDS,
    KEY_OPERATIONS,
    KEY_RATE,
    KEY_INFLIGHT,
    KEY_BATCH,
    KEY_SEED,
    KEY_SETUP,
    KEY_NO_SETUP,
    KEY_JOURNAL,
    KEY_TIMELINE,
    KEY_CHECK,
    KEY_VERIFY,
    KEY_CLEAR,
    KEY_LIMITS,
    KEY_REVERSE,
    KEY_DUPLICATES,
    KEY_DRAIN,
    KEY_SPIN,
    KEY_RETRY,
    KEY_JSON,
};

static const struct argp_option load_options[] = {
    {"workload", KEY_WORKLOAD, "KIND", 0,
     "What to send: transfer, auth, split (three payers in a waterfall), hold (and a capture of "
     "part of it), mixed, cards: authorisations as acquirers send them, with --limits 4, "
     "--clear 100, --reverse 20 and --duplicates 10, or query: of accounts, cards and their newest "
     "authorisations, which change nothing (transfer)",
     1},
    {"accounts", KEY_ACCOUNTS, "N", 0, "Accounts, each with a card where it takes cards (10000)",
     1},
    {"skew", KEY_SKEW, "uniform|zipf:S", 0, "How accounts are chosen (zipf:0.99)", 1},
    {"clear", KEY_CLEAR, "PERCENT", 0,
     "auth, mixed: how many of the authorisations are captured in full afterwards (0); cards: how "
     "many are cleared 2000 operations later, of the amount or less or, as with a tip, more (100)",
     1},
    {"reverse", KEY_REVERSE, "PERMILLE", 0,
     "auth, mixed, cards: how many of a thousand authorisations are reversed: before they come, "
     "before they are answered, when they are approved or a while later (0, cards 20)",
     1},
    {"duplicates", KEY_DUPLICATES, "PERMILLE", 0,
     "How many of a thousand operations are sent a second time, the same bytes: the answer must be "
     "the same (0, cards 10)",
     1},
    {"limits", KEY_LIMITS, "N", 0,
     "auth, mixed, cards: limits on each card, to 16, that every authorisation draws and none "
     "exceeds (0, cards 4). Never fewer than an earlier run made",
     1},
    {"seed", KEY_SEED, "S", 0, "Same seed, same load (1)", 1},
    {"seconds", KEY_SECONDS, "S", 0, "Send for so long (10); ^C ends it earlier", 2},
    {"operations", KEY_OPERATIONS, "N", 0, "Send so many", 2},
    {"rate", KEY_RATE, "R", 0,
     "Open loop: so many operations a second, timed from when each should have been sent", 2},
    {"inflight", KEY_INFLIGHT, "N", 0,
     "Closed loop: keep so many unanswered (256); open loop: never more than this (16384)", 2},
    {"batch", KEY_BATCH, "B", 0, "Send so many together (1)", 2},
    {"drain", KEY_DRAIN, "S", 0, "Give up after so long without an answer (10)", 2},
    {"spin", KEY_SPIN, NULL, 0, "Never sleep while waiting (dpdk: always so)", 2},
    {"retry", KEY_RETRY, "US", 0, "Send again after so many microseconds, then doubled (20000)", 2},
    {"setup", KEY_SETUP, NULL, 0, "Make and fund what is missing first (default)", 3},
    {"no-setup", KEY_NO_SETUP, NULL, 0, "All is there from an earlier run", 3},
    {"verify-balances", KEY_VERIFY, NULL, 0, "Afterwards compare every account with own books", 3},
    {"timeline", KEY_TIMELINE, "FILE", 0, "Write how many answers came when, and the slowest", 3},
    {"journal", KEY_JOURNAL, "FILE", 0, "Append what is sent and answered", 3},
    {"check", KEY_CHECK, "FILE", 0, "No load: check a journal against the node", 3},
    {"json", KEY_JSON, NULL, 0, "Print one JSON object", 4},
    {0},
};

static void parse_skew(struct hf_load_options *options, const char *text,
                       const struct argp_state *state)
{
    if (strcmp(text, "uniform") == 0)
        options->workload.zipf = 0;
    else if (strncmp(text, "zipf:", 5) == 0)
        options->workload.zipf = hf_target_parse_positive(state, "skew", text + 5);
    else
        argp_error(state, "--skew: '%s' is neither uniform nor zipf:EXPONENT", text);
}

static void set_if_unsaid(uint32_t *option, bool is_cards, uint32_t of_cards)
{
    if (*option == UNSAID)
        *option = is_cards ? of_cards : 0;
}

static void finish_workload(struct hf_load_options *options, const struct argp_state *state)
{
    struct hf_workload_settings *workload = &options->workload;
    bool is_cards = workload->kind == HF_WORKLOAD_CARDS;
    set_if_unsaid(&workload->clear_percent, is_cards, CARDS_CLEAR_PERCENT);
    set_if_unsaid(&workload->limits, is_cards, CARDS_LIMITS);
    set_if_unsaid(&workload->reverse_permille, is_cards, CARDS_REVERSE_PERMILLE);
    set_if_unsaid(&options->duplicates_permille, is_cards, CARDS_DUPLICATES_PERMILLE);
    if (workload->kind == HF_WORKLOAD_QUERY &&
        workload->reverse_permille + workload->clear_percent > 0)
        argp_error(state, "--reverse and --clear are of authorisations: --workload query has none");
    if (hf_workload_needs_cards(workload->kind))
        return;
    if (workload->limits > 0)
        argp_error(state, "--limits are those of cards: --workload %s has none",
                   hf_workload_kind_name(workload->kind));
    if (workload->reverse_permille > 0)
        argp_error(state, "--reverse is of authorisations: --workload %s has none",
                   hf_workload_kind_name(workload->kind));
}

/* What can only be said when all options are there. */
static void finish_options(struct hf_load_options *options, const struct argp_state *state)
{
    bool open_loop = options->rate > 0;
    if (options->client.servers[0] == NULL)
        argp_error(state, "--server is needed");
    if (options->seconds <= 0 && options->workload.operations == 0)
        options->seconds = SECONDS_DEFAULT;
    if (options->inflight == 0)
        options->inflight = open_loop ? INFLIGHT_OPEN : INFLIGHT_CLOSED;
    if (options->workload.accounts < hf_workload_accounts_min(options->workload.kind))
        argp_error(state, "--workload %s needs at least %" PRIu64 " accounts",
                   hf_workload_kind_name(options->workload.kind),
                   hf_workload_accounts_min(options->workload.kind));
    finish_workload(options, state);
    if (options->workload.kind == HF_WORKLOAD_QUERY &&
        (options->journal != NULL || options->verify_balances || options->duplicates_permille > 0))
        argp_error(state, "--workload query changes nothing: no journal, no books, no duplicates");
    if (options->batch > options->inflight)
        argp_error(state, "--batch %u is larger than --inflight %u", options->batch,
                   options->inflight);
    if (options->client.transport == HF_TRANSPORT_DPDK)
        options->spin = true;
    /* The set-up keeps up to 256 in flight. */
    options->client.window =
        options->inflight < INFLIGHT_CLOSED ? INFLIGHT_CLOSED : options->inflight;
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    struct hf_load_options *options = state->input;
    struct hf_workload_settings *workload = &options->workload;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->client;
        break;
    case KEY_WORKLOAD:
        if (!hf_workload_kind_parse(text, &workload->kind))
            argp_error(state,
                       "--workload: '%s' is none of transfer, auth, split, hold, mixed, cards",
                       text);
        break;
    case KEY_ACCOUNTS:
        workload->accounts =
            hf_target_parse_number(state, "accounts", text, 2, HF_WORKLOAD_ACCOUNTS_MAX);
        break;
    case KEY_SKEW:
        parse_skew(options, text, state);
        break;
    case KEY_CLEAR:
        workload->clear_percent = (uint32_t)hf_target_parse_number(state, "clear", text, 0, 100);
        break;
    case KEY_LIMITS:
        workload->limits =
            (uint32_t)hf_target_parse_number(state, "limits", text, 0, HF_LIMITS_A_SCOPE);
        break;
    case KEY_REVERSE:
        workload->reverse_permille =
            (uint32_t)hf_target_parse_number(state, "reverse", text, 0, 1000);
        break;
    case KEY_DUPLICATES:
        options->duplicates_permille =
            (uint32_t)hf_target_parse_number(state, "duplicates", text, 0, 1000);
        break;
    case KEY_SEED:
        workload->seed = hf_target_parse_number(state, "seed", text, 0, UINT64_MAX);
        break;
    case KEY_SECONDS:
        options->seconds = hf_target_parse_positive(state, "seconds", text);
        break;
    case KEY_OPERATIONS:
        workload->operations = hf_target_parse_number(state, "operations", text, 1, UINT64_MAX / 4);
        break;
    case KEY_RATE:
        options->rate = hf_target_parse_positive(state, "rate", text);
        break;
    case KEY_INFLIGHT:
        options->inflight =
            (uint32_t)hf_target_parse_number(state, "inflight", text, 1, HF_CLIENT_WINDOW_MAX);
        break;
    case KEY_BATCH:
        options->batch =
            (uint32_t)hf_target_parse_number(state, "batch", text, 1, HF_CLIENT_WINDOW_MAX);
        break;
    case KEY_DRAIN:
        options->drain_seconds = hf_target_parse_positive(state, "drain", text);
        break;
    case KEY_SPIN:
        options->spin = true;
        break;
    case KEY_RETRY:
        options->client.retry_us =
            (uint32_t)hf_target_parse_number(state, "retry", text, 1, 60000000);
        break;
    case KEY_SETUP:
        options->set_up = true;
        break;
    case KEY_NO_SETUP:
        options->set_up = false;
        break;
    case KEY_VERIFY:
        options->verify_balances = true;
        break;
    case KEY_TIMELINE:
        options->timeline = text;
        break;
    case KEY_JOURNAL:
        options->journal = text;
        break;
    case KEY_CHECK:
        options->check = text;
        break;
    case KEY_JSON:
        options->json = true;
        break;
    case ARGP_KEY_ARG:
        argp_error(state, "'%s' is no option", text);
        break;
    case ARGP_KEY_END:
        finish_options(options, state);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

/* ---- figures ---- */

static const char *durability_name(uint8_t durability)
{
    static const char *const names[] = {"memory-bench", "solo", "pair-fast", "pair-safe"};
    return durability < sizeof names / sizeof names[0] ? names[durability] : "unknown";
}

static double quantile_us(const struct hf_load_result *result, double quantile)
{
    return (double)hf_histogram_quantile(&result->latency, quantile) / 1000;
}

static void skew_text(const struct hf_load_options *options, char text[32])
{
    if (options->workload.zipf > 0)
        snprintf(text, 32, "zipf:%g", options->workload.zipf);
    else
        snprintf(text, 32, "uniform");
}

static const char *transport_name(const struct hf_load_options *options)
{
    return options->client.transport == HF_TRANSPORT_DPDK ? "dpdk" : "kernel";
}

static double rate_of(const struct hf_load_result *result, uint64_t count)
{
    return result->seconds > 0 ? (double)count / result->seconds : 0;
}

static json_t *refusals_json(const struct hf_load_result *result)
{
    json_t *json = json_object();
    for (uint16_t code = 1; code < HF_LOAD_CODES; code++) {
        if (result->by_code[code] > 0)
            json_object_set_new(json, hf_code_name(code),
                                json_integer((json_int_t)result->by_code[code]));
    }
    return json;
}

static void print_json(const struct hf_load_options *options, const struct hf_load_result *result,
                       const struct hf_client_counters *counters, int64_t accounts_wrong)
{
    char skew[32];
    skew_text(options, skew);
    json_t *json = json_object();
    json_object_set_new(json, "workload",
                        json_string(hf_workload_kind_name(options->workload.kind)));
    const struct {
        const char *name;
        uint64_t value;
    } counts[] = {
        {"ops", result->answered},
        {"refused", result->refused},
        {"lost", result->lost},
        {"captures", result->captures},
        {"reversals", result->reversals},
        {"duplicates", result->duplicates},
        {"duplicates_changed", result->changed},
        {"retransmitted", counters->retransmitted},
        {"busy", counters->busy},
        {"late", counters->late},
        {"datagrams_sent", counters->datagrams_sent},
        {"batch", options->batch},
        {"inflight", options->inflight},
        {"accounts", options->workload.accounts},
        {"limits", options->workload.limits},
        {"seed", options->workload.seed},
    };
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        json_object_set_new(json, counts[i].name, json_integer((json_int_t)counts[i].value));
    const struct {
        const char *name;
        double value;
    } figures[] = {
        {"ops_s", rate_of(result, result->answered)},
        {"mean_batch", counters->datagrams_sent == 0
                           ? 0
                           : (double)counters->sent / (double)counters->datagrams_sent},
        {"p50_us", quantile_us(result, 0.5)},
        {"p90_us", quantile_us(result, 0.9)},
        {"p99_us", quantile_us(result, 0.99)},
        {"p999_us", quantile_us(result, 0.999)},
        {"max_us", (double)result->latency.max / 1000},
        {"longest_gap_us", (double)result->longest_gap_ns / 1000},
        {"seconds", result->seconds},
    };
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        json_object_set_new(json, figures[i].name, json_real(figures[i].value));
    json_object_set_new(json, "loop", json_string(options->rate > 0 ? "open" : "closed"));
    json_object_set_new(json, "rate", options->rate > 0 ? json_real(options->rate) : json_null());
    json_object_set_new(json, "skew", json_string(skew));
    json_object_set_new(json, "durability", json_string(durability_name(result->durability)));
    json_object_set_new(json, "port", json_string(transport_name(options)));
    json_object_set_new(json, "refusals", refusals_json(result));
    if (accounts_wrong >= 0)
        json_object_set_new(json, "accounts_wrong", json_integer(accounts_wrong));
    json_dumpf(json, stdout, JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(10));
    putchar('\n');
    json_decref(json);
}

static void print_table(const struct hf_load_options *options, const struct hf_load_result *result,
                        const struct hf_client_counters *counters, int64_t accounts_wrong)
{
    char skew[32];
    skew_text(options, skew);
    printf("%s over %s, durability %s, %" PRIu64 " accounts, %s, seed %" PRIu64 "\n",
           hf_workload_kind_name(options->workload.kind), transport_name(options),
           durability_name(result->durability), options->workload.accounts, skew,
           options->workload.seed);
    if (options->workload.limits > 0)
        printf("%u limits on each card\n", options->workload.limits);
    if (options->rate > 0)
        printf("open loop, %.0f a second, batches of %u, at most %u in flight\n\n", options->rate,
               options->batch, options->inflight);
    else
        printf("closed loop, %u in flight, batches of %u\n\n", options->inflight, options->batch);
    printf("  answered       %12" PRIu64 "   in %.3f s\n", result->answered, result->seconds);
    printf("  a second       %12.0f\n", rate_of(result, result->answered));
    printf("  p50            %12.1f us\n", quantile_us(result, 0.5));
    printf("  p99            %12.1f us\n", quantile_us(result, 0.99));
    printf("  p99.9          %12.1f us\n", quantile_us(result, 0.999));
    printf("  max            %12.1f us\n", (double)result->latency.max / 1000);
    if (result->captures > 0)
        printf("  captures       %12" PRIu64 "   among them\n", result->captures);
    if (result->reversals > 0)
        printf("  reversals      %12" PRIu64 "   among them\n", result->reversals);
    if (result->duplicates > 0)
        printf("  duplicates     %12" PRIu64 "   among them, %" PRIu64 " answered otherwise\n",
               result->duplicates, result->changed);
    printf("  refused        %12" PRIu64 "\n", result->refused);
    for (uint16_t code = 1; code < HF_LOAD_CODES; code++) {
        if (result->by_code[code] > 0)
            printf("    %-28s %" PRIu64 "   %s\n", hf_code_name(code), result->by_code[code],
                   hf_code_sentence(code));
    }
    printf("  lost           %12" PRIu64 "\n", result->lost);
    printf("  retransmitted  %12" PRIu64 "\n", counters->retransmitted);
    printf("  busy           %12" PRIu64 "\n", counters->busy);
    if (accounts_wrong >= 0)
        printf("  accounts wrong %12" PRId64 "\n", accounts_wrong);
}

/* ---- the order of things ---- */

static void journal_balances(struct hf_journal *journal, const struct hf_load_options *options,
                             const struct hf_workload_balance balances[])
{
    hf_journal_run(journal, options->workload.kind);
    for (uint64_t i = 0; i < options->workload.accounts + 2; i++)
        hf_journal_balance(journal, i, &balances[i]);
    hf_journal_flush(journal);
}

/* Compares own books with the node's. */
static enum hf_status verify(struct hf_client *client, const struct hf_load_options *options,
                             const struct hf_workload_balance *balances, int64_t *accounts_wrong,
                             struct hf_fault *fault)
{
    uint64_t accounts = options->workload.accounts;
    struct hf_workload_balance *found = calloc(accounts + 2, sizeof *found);
    if (found == NULL) {
        snprintf(fault->line, sizeof fault->line, "no memory for balances");
        return HF_STATUS_NO_MEMORY;
    }
    enum hf_status status = hf_load_read_balances(client, accounts, found, fault);
    if (status == HF_STATUS_OK)
        *accounts_wrong = (int64_t)hf_load_compare_balances(accounts, balances, found);
    free(found);
    return status;
}

static enum hf_status load(struct hf_client *client, const struct hf_load_options *options,
                           struct hf_journal *journal, struct hf_workload_balance *balances,
                           struct hf_load_result *result, struct hf_fault *fault)
{
    enum hf_status status = HF_STATUS_OK;
    int64_t accounts_wrong = -1;
    if (options->set_up)
        status = hf_load_set_up(client, &options->workload, fault);
    if (status == HF_STATUS_OK && balances != NULL)
        status = hf_load_read_balances(client, options->workload.accounts, balances, fault);
    if (status != HF_STATUS_OK)
        return status;
    if (journal != NULL)
        journal_balances(journal, options, balances);

    struct hf_client_counters before;
    struct hf_client_counters counters;
    hf_client_count(client, &before);
    status = hf_load_drive(client, options, journal, balances, result, fault);
    if (status != HF_STATUS_OK)
        return status;
    hf_client_count(client, &counters);
    counters.sent -= before.sent;
    counters.retransmitted -= before.retransmitted;
    counters.busy -= before.busy;
    counters.late -= before.late;
    counters.datagrams_sent -= before.datagrams_sent;

    /* Operations without an answer leave the balances undecided: they may be carried out yet. */
    if (options->verify_balances && result->lost == 0)
        status = verify(client, options, balances, &accounts_wrong, fault);
    if (options->json)
        print_json(options, result, &counters, accounts_wrong);
    else
        print_table(options, result, &counters, accounts_wrong);
    if (status == HF_STATUS_OK && result->lost > 0) {
        snprintf(fault->line, sizeof fault->line, "%" PRIu64 " operations were never answered",
                 result->lost);
        return HF_STATUS_TIMEOUT;
    }
    if (status == HF_STATUS_OK && result->changed > 0) {
        snprintf(fault->line, sizeof fault->line,
                 "%" PRIu64 " duplicates were answered otherwise than the first time",
                 result->changed);
        return HF_STATUS_DIVERGED;
    }
    if (status == HF_STATUS_OK && accounts_wrong > 0) {
        snprintf(fault->line, sizeof fault->line, "%" PRId64 " accounts are wrong", accounts_wrong);
        return HF_STATUS_DIVERGED;
    }
    return status;
}

static int run(const struct hf_load_options *options)
{
    struct hf_fault fault = {""};
    struct hf_client *client = NULL;
    struct hf_journal *journal = NULL;
    struct hf_workload_balance *balances = NULL;
    struct hf_load_result *result = calloc(1, sizeof *result);
    enum hf_status status = HF_STATUS_OK;
    if (options->journal != NULL || options->verify_balances)
        balances = calloc(options->workload.accounts + 2, sizeof *balances);
    if (result == NULL ||
        (balances == NULL && (options->journal != NULL || options->verify_balances))) {
        snprintf(fault.line, sizeof fault.line, "no memory");
        status = HF_STATUS_NO_MEMORY;
    }
    if (status == HF_STATUS_OK && options->journal != NULL) {
        journal = hf_journal_open(options->journal, options->workload.accounts, &fault);
        if (journal == NULL)
            status = HF_STATUS_IO;
    }
    if (status == HF_STATUS_OK)
        status = hf_client_open(&options->client, &client, &fault);
    if (status == HF_STATUS_OK)
        status = load(client, options, journal, balances, result, &fault);
    hf_client_close(client);
    if (!hf_journal_close(journal) && status == HF_STATUS_OK) {
        snprintf(fault.line, sizeof fault.line, "%.150s: could not be written", options->journal);
        status = HF_STATUS_IO;
    }
    free(balances);
    free(result);
    if (status != HF_STATUS_OK)
        fprintf(stderr, "holdfast load: %s\n", fault.line);
    return status == HF_STATUS_OK ? HF_EXIT_OK : HF_EXIT_FAILED;
}

int holdfast_load_main(int argc, char **argv)
{
    static const struct argp_child children[] = {{&hf_target_argp, 0, "The node:", 5}, {0}};
    static const struct argp argp = {
        .options = load_options,
        .parser = parse_option,
        .doc =
            "Puts load on a node and prints what came of it, or checks with --check what a node "
            "remembers of an earlier load.\vExit status: 0 done, 1 operations without an answer, "
            "or something that was checked does not hold, 2 wrong usage.",
        .children = children,
    };
    struct hf_load_options options = {
        .workload = {.accounts = ACCOUNTS,
                     .zipf = 0.99,
                     .seed = 1,
                     .clear_percent = UNSAID,
                     .limits = UNSAID,
                     .reverse_permille = UNSAID},
        .duplicates_permille = UNSAID,
        .batch = 1,
        .drain_seconds = DRAIN_SECONDS,
        .set_up = true,
    };
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    return options.check != NULL ? hf_load_check(&options) : run(&options);
}
