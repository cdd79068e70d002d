/* `holdfast log`: looks at a data directory from outside, and changes nothing in it.
 *
 * One verb, then what it is about. Each verb's work is in a file of its own: verify, stat and cat
 * in log_check, events, replay, prove and verify-proof, diff, arbiter. */
#include "commands.h"
#include "log_arbiter.h"
#include "log_check.h"
#include "log_diff.h"
#include "log_events.h"
#include "log_json.h"
#include "log_prove.h"
#include "log_replay.h"
#include "target.h"

#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum verb {
    VERB_VERIFY,
    VERB_STAT,
    VERB_CAT,
    VERB_EVENTS,
    VERB_REPLAY,
    VERB_PROVE,
    VERB_VERIFY_PROOF,
    VERB_DIFF,
    VERB_ARBITER,
    VERB_COUNT,
};

#define WORDS_MAX 2

/* A verb's name, and what follows it: so many words at most, and all but some of them. */
static const struct {
    const char *name;
    uint32_t word_count;
    const char *words;
    uint32_t optional_count;
} verbs[] = {
    [VERB_VERIFY] = {"verify", 1, "a data directory", 0},
    [VERB_STAT] = {"stat", 1, "a data directory", 0},
    [VERB_CAT] = {"cat", 1, "a data directory", 0},
    [VERB_EVENTS] = {"events", 1, "a data directory", 0},
    [VERB_REPLAY] = {"replay", 1, "a data directory", 0},
    [VERB_PROVE] = {"prove", 2, "an operation's id and a data directory", 0},
    [VERB_VERIFY_PROOF] = {"verify-proof", 1, "a proof's file", 0},
    [VERB_DIFF] = {"diff", 2, "two data directories", 0},
    [VERB_ARBITER] = {"arbiter", 2, "one or two data directories", 1},
};
_Static_assert(sizeof verbs / sizeof verbs[0] == VERB_COUNT, "every verb");

enum {
    KEY_JSON = 0x6101,
    KEY_FROM,
    KEY_UNTIL,
    KEY_ACCOUNT,
    KEY_OUT,
    KEY_KEY,
    KEY_CHAIN,
    KEY_NO_REPLAY
};

struct log_options {
    bool verb_given;
    enum verb verb;
    uint32_t word_count;
    const char *words[WORDS_MAX];
    bool json;
    uint64_t from; /* place */
    struct log_moment until;
    bool until_given;
    struct hf_id account; /* zero: all */
    const char *out;
    bool key_given;
    uint8_t key[HF_CHAIN_PUBLIC_SIZE];
    bool chain_given;
    struct hf_chain_hash chain;
    bool no_replay;
};

static const struct argp_option log_options[] = {
    {"json", KEY_JSON, NULL, 0, "Print JSON; where there are many lines, one object a line", 0},
    {"from", KEY_FROM, "PLACE", 0, "events: begin with the operation at this place (1)", 0},
    {"no-replay", KEY_NO_REPLAY, NULL, 0,
     "verify: the bytes, the chain and the signatures alone, without carrying out anything", 0},
    {"until", KEY_UNTIL, "MOMENT", 0,
     "replay: a place, a UTC time as 2026-11-22T19:27:39Z, or a log time as 1700000000000000000ns",
     0},
    {"account", KEY_ACCOUNT, "ID", 0, "replay: this account alone", 0},
    {"out", KEY_OUT, "FILE", 0,
     "prove: where the proof goes (OP-ID.proof); arbiter: where the value goes (cfg)", 0},
    {"key", KEY_KEY, "HEX", 0, "verify, verify-proof: the public key that must have signed", 0},
    {"chain", KEY_CHAIN, "HEX", 0,
     "verify: a chain value that the log must have: one that was seen earlier", 0},
    {0},
};

static void take_word(struct log_options *options, const char *word, const struct argp_state *state)
{
    if (options->verb_given) {
        if (options->word_count == verbs[options->verb].word_count)
            argp_error(state, "%s takes %s, and nothing more", verbs[options->verb].name,
                       verbs[options->verb].words);
        else
            options->words[options->word_count++] = word;
        return;
    }
    for (unsigned i = 0; i < VERB_COUNT; i++) {
        if (strcmp(word, verbs[i].name) == 0) {
            options->verb = (enum verb)i;
            options->verb_given = true;
            return;
        }
    }
    argp_error(
        state,
        "%s is none of verify, stat, cat, events, replay, prove, verify-proof, diff, arbiter",
        word);
}

/* An option is wrong where it means nothing. */
static void check_options(const struct log_options *options, const struct argp_state *state)
{
    if (!options->verb_given)
        argp_error(state, "what to do with which directory?");
    if (options->word_count + verbs[options->verb].optional_count < verbs[options->verb].word_count)
        argp_error(state, "%s needs %s", verbs[options->verb].name, verbs[options->verb].words);
    if (options->from != 0 && options->verb != VERB_EVENTS)
        argp_error(state, "--from goes with events");
    if (options->no_replay && options->verb != VERB_VERIFY)
        argp_error(state, "--no-replay goes with verify");
    if (options->until_given != (options->verb == VERB_REPLAY))
        argp_error(state, "replay and --until go together");
    if (!hf_id_is_zero(options->account) && options->verb != VERB_REPLAY)
        argp_error(state, "--account goes with replay");
    if (options->out != NULL && options->verb != VERB_PROVE && options->verb != VERB_ARBITER)
        argp_error(state, "--out goes with prove and arbiter");
    if (options->key_given && options->verb != VERB_VERIFY && options->verb != VERB_VERIFY_PROOF)
        argp_error(state, "--key goes with verify and verify-proof");
    if (options->chain_given && options->verb != VERB_VERIFY)
        argp_error(state, "--chain goes with verify");
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    struct log_options *options = state->input;
    switch (key) {
    case KEY_JSON:
        options->json = true;
        return 0;
    case KEY_FROM:
        options->from = hf_target_parse_number(state, "from", text, 1, UINT64_MAX);
        return 0;
    case KEY_NO_REPLAY:
        options->no_replay = true;
        return 0;
    case KEY_UNTIL:
        options->until_given = true;
        if (!log_moment_parse(text, &options->until))
            argp_error(state, "--until %s: neither a place nor a time", text);
        return 0;
    case KEY_ACCOUNT:
        if (!hf_id_parse(text, strlen(text), &options->account))
            argp_error(state, "--account %s: no id", text);
        return 0;
    case KEY_OUT:
        options->out = text;
        return 0;
    case KEY_KEY:
        options->key_given = true;
        if (!log_json_parse_bytes(text, options->key, sizeof options->key))
            argp_error(state, "--key %s: a public key is 64 hexadecimal digits", text);
        return 0;
    case KEY_CHAIN:
        options->chain_given = true;
        if (!log_json_parse_bytes(text, &options->chain, sizeof options->chain))
            argp_error(state, "--chain %s: a chain value is 64 hexadecimal digits", text);
        return 0;
    case ARGP_KEY_ARG:
        take_word(options, text, state);
        return 0;
    case ARGP_KEY_END:
        check_options(options, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp log_argp = {
    .options = log_options,
    .parser = parse_option,
    .args_doc = "verify|stat|cat|events|replay DIRECTORY\n"
                "prove OP-ID DIRECTORY\n"
                "verify-proof FILE\n"
                "diff DIRECTORY DIRECTORY\n"
                "arbiter DIRECTORY [DIRECTORY]",
    .doc =
        "Read the log in a node's data directory, without changing it.\v"
        "verify  reads every byte and says whether it holds: records, their chain, the signed "
        "seals, "
        "checkpoints and, by carrying out the operations again, the checkpoints' digests. Whoever "
        "does not trust the directory gives the key, and a chain value of an earlier look: then it "
        "is "
        "that node's log, and what was seen then is still in it\n"
        "stat    figures of what is in it\n"
        "cat     every record and operation, one a line\n"
        "events  what each operation did, one event a line, in the order of the log: the log is "
        "replayed through the engine. A refused one is one line with its reason; repeats "
        "and dry runs are in no log. With --from it begins at the newest checkpoint before that "
        "place.\n"
        "replay  the balances as they were at a place or at a time, of every account or of one\n"
        "prove   writes a file that proves that an operation, refused ones too, is in the log\n"
        "verify-proof  checks such a file by the signer's public key alone\n"
        "diff    the first record in which two logs differ, or that one is the beginning of the "
        "other\n"
        "arbiter  when etcd has been lost, and both nodes of the pair are stopped: from their "
        "directories, or the one that is left, the value with which the node whose log goes "
        "furthest leads, as a file for etcdctl put\n\n"
        "Beside a node that runs, its log is read up to where it is at the moment.\n"
        "Exit status: 0 done; 1 it does not hold, is not there, or (diff) is not the same; 2 wrong "
        "usage; 3 the directory cannot be read as a log.",
};

/* ---- Carrying out ---- */

static enum hf_status prove(const struct log_options *options, struct hf_fault *fault)
{
    char path[HF_ID_TEXT_SIZE + 8];
    struct hf_id id;
    if (!hf_id_parse(options->words[0], strlen(options->words[0]), &id)) {
        snprintf(fault->line, sizeof fault->line, "prove: %.60s is no operation's id",
                 options->words[0]);
        return HF_STATUS_INVALID;
    }
    size_t length = hf_id_format(id, path);
    snprintf(path + length, sizeof path - length, ".proof");
    return log_prove(options->words[1], id, options->out != NULL ? options->out : path,
                     options->json, fault);
}

static enum hf_status carry_out(const struct log_options *options, bool *same,
                                struct hf_fault *fault)
{
    const char *directory = options->words[0];
    switch (options->verb) {
    case VERB_VERIFY:
        return log_verify(
            directory,
            &(struct log_expectation){.key = options->key_given ? options->key : NULL,
                                      .chain = options->chain_given ? options->chain.bytes : NULL},
            !options->no_replay, options->json, fault);
    case VERB_STAT:
        return log_stat(directory, options->json, fault);
    case VERB_CAT:
        return log_cat(directory, options->json, fault);
    case VERB_EVENTS:
        return log_events(directory, options->from, options->json, fault);
    case VERB_REPLAY:
        return log_replay(directory, &options->until, options->account, options->json, fault);
    case VERB_PROVE:
        return prove(options, fault);
    case VERB_VERIFY_PROOF:
        return log_verify_proof(directory, options->key_given ? options->key : NULL, options->json,
                                fault);
    case VERB_DIFF:
        return log_diff(options->words, options->json, same, fault);
    case VERB_ARBITER:
        return log_arbiter(options->words, options->word_count,
                           options->out != NULL ? options->out : "cfg", options->json, fault);
    case VERB_COUNT:
        break;
    }
    return HF_STATUS_INVALID;
}

/* What was asked for is not there, or does not hold: 1. A directory that a node would not start on,
 * where more was wanted of it than to be judged: 3. */
static int exit_status(enum verb verb, enum hf_status status)
{
    bool judges = verb == VERB_VERIFY || verb == VERB_VERIFY_PROOF;
    switch (status) {
    case HF_STATUS_OK:
        return HF_EXIT_OK;
    case HF_STATUS_INVALID:
        return HF_EXIT_USAGE;
    case HF_STATUS_CORRUPT:
    case HF_STATUS_DIVERGED:
        return judges ? HF_EXIT_FAILED : HF_EXIT_REFUSED;
    case HF_STATUS_NOT_FOUND:
    case HF_STATUS_EXISTS: /* the proof's file */
    case HF_STATUS_AGAIN:
    case HF_STATUS_NO_MEMORY:
        return HF_EXIT_FAILED;
    default:
        return HF_EXIT_REFUSED;
    }
}

static void complain(const struct log_options *options, const struct hf_fault *fault)
{
    /* The disk's own lines begin with the directory; the log's name only the file. */
    const char *directory = options->words[options->word_count - 1];
    bool named = strncmp(fault->line, directory, strlen(directory)) == 0 ||
                 options->verb == VERB_DIFF || options->verb == VERB_VERIFY_PROOF ||
                 options->verb == VERB_ARBITER;
    fprintf(stderr, "holdfast log: %s%s%s\n", named ? "" : directory, named ? "" : ": ",
            fault->line);
}

int holdfast_log_main(int argc, char **argv)
{
    struct log_options options = {0};
    struct hf_fault fault = {{0}};
    bool same = true;
    if (argp_parse(&log_argp, argc, argv, 0, NULL, &options) != 0)
        return HF_EXIT_USAGE;
    enum hf_status status = carry_out(&options, &same, &fault);
    if (status != HF_STATUS_OK)
        complain(&options, &fault);
    int exit = exit_status(options.verb, status);
    return exit == HF_EXIT_OK && !same ? HF_EXIT_FAILED : exit;
}
