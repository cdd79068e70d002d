/* `holdfast run`: plays scenario scripts, each against a private node, or all against one that is
 * there. */
#include "commands.h"
#include "node_process.h"
#include "script_play.h"
#include "target.h"

#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define TIMEOUT_US      UINT64_C(20000000)
#define RETRY_US        20000u
#define SCRIPT_SIZE_MAX (1u << 20)

enum { KEY_ADMIN = 0x7001, KEY_NODE, KEY_NODE_OPTION, KEY_PORT, KEY_SALT, KEY_JSON };

struct run_options {
    struct hf_client_options client;
    const char **paths; /* of the scripts */
    size_t path_count;
    const char *admin;
    const char *node;
    const char *node_options[HF_NODE_OPTIONS_MAX];
    size_t node_option_count;
    uint64_t salt;
    bool verbose;
    bool json;
};

/* One of the scripts, as it was read. */
struct run_script {
    const char *path;
    uint64_t salt;
    char *text;
    struct hf_script script;
};

static const struct argp_option run_argp_options[] = {
    {"admin", KEY_ADMIN, "SOCKET", 0, "The node's admin socket, with --server", 1},
    {"node", KEY_NODE, "PATH", 0, "holdfastd for the private node (the one beside this program)",
     1},
    {"node-option", KEY_NODE_OPTION, "KEY=VALUE", 0,
     "A setting of the private node, such as ledger.holds=8; may be given again", 1},
    {"port", KEY_PORT, "kernel", 0, "The private node's port (kernel)", 1},
    {"salt", KEY_SALT, "N", 0,
     "Names become the same ids as in the run that printed N; in every further script as with "
     "one more",
     1},
    {"verbose", 'v', NULL, 0, "Show every line and its answer", 2},
    {"json", KEY_JSON, NULL, 0, "Print one JSON object a script", 2},
    {0},
};

/* "ledger.holds=8" becomes the node's flag --ledger.holds and its value. */
static void add_node_option(struct run_options *options, char *text, const struct argp_state *state)
{
    char *equals = strchr(text, '=');
    if (equals == NULL || equals == text || options->node_option_count + 4 > HF_NODE_OPTIONS_MAX) {
        argp_error(state, "--node-option: '%s' is not KEY=VALUE, or one too many", text);
        return;
    }
    char *flag = NULL;
    if (asprintf(&flag, "--%.*s", (int)(equals - text), text) < 0)
        abort();
    options->node_options[options->node_option_count++] = flag; /* kept until the program ends */
    options->node_options[options->node_option_count++] = equals + 1;
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    struct run_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->client;
        return 0;
    case KEY_ADMIN:
        options->admin = text;
        return 0;
    case KEY_NODE:
        options->node = text;
        return 0;
    case KEY_NODE_OPTION:
        add_node_option(options, text, state);
        return 0;
    case KEY_PORT:
        if (strcmp(text, "kernel") != 0)
            argp_error(state, "--port: a private node serves on a kernel port");
        return 0;
    case KEY_SALT:
        options->salt = hf_target_parse_number(state, "salt", text, 0, INT64_MAX);
        return 0;
    case 'v':
        options->verbose = true;
        return 0;
    case KEY_JSON:
        options->json = true;
        return 0;
    case ARGP_KEY_ARG:
        options->paths[options->path_count++] = text;
        return 0;
    case ARGP_KEY_END:
        if (options->path_count == 0)
            argp_error(state, "a script is needed");
        if (options->client.servers[0] == NULL && options->admin != NULL)
            argp_error(state, "--admin goes with --server: a private node has its own");
        if (options->client.servers[0] != NULL &&
            (options->node != NULL || options->node_option_count > 0))
            argp_error(state, "--node and --node-option are about a private node, --server is not");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static char *read_script(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = calloc(1, SCRIPT_SIZE_MAX + 1);
    size_t length = 0;
    bool good = file != NULL && text != NULL;
    if (good) {
        length = fread(text, 1, SCRIPT_SIZE_MAX, file);
        good = ferror(file) == 0 && feof(file) != 0 && strlen(text) == length;
        if (!good)
            fprintf(stderr, "%s: not a text of at most 1 MiB\n", path);
    } else {
        perror(path);
    }
    if (file != NULL)
        fclose(file);
    if (!good) {
        free(text);
        return NULL;
    }
    return text;
}

static void tell(const struct hf_script_statement *statement, const char *got)
{
    printf("%4u  %s\n      %s\n", statement->line, statement->text, got);
    fflush(stdout);
}

static void print_result(const struct run_options *options, const struct run_script *script,
                         const struct hf_script_result *result)
{
    const struct hf_script_statement *failed = result->failed;
    if (options->json) {
        json_t *json = json_pack("{s:s, s:I, s:b, s:i, s:i, s:i}", "script", script->path, "salt",
                                 (json_int_t)script->salt, "passed", failed == NULL, "lines",
                                 (int)result->lines, "operations", (int)result->operations,
                                 "restarts", (int)result->restarts);
        if (failed != NULL)
            json_object_set_new(json, "failure",
                                json_pack("{s:i, s:s, s:s, s:s}", "line", (int)failed->line, "text",
                                          failed->text, "expected", result->expected, "got",
                                          result->got));
        json_dumpf(json, stdout, JSON_PRESERVE_ORDER);
        putchar('\n');
        json_decref(json);
    } else if (failed == NULL) {
        printf("%s: %u lines, %u operations, %u restarts: all as expected\n", script->path,
               result->lines, result->operations, result->restarts);
    }
    fflush(stdout);
    if (failed != NULL)
        fprintf(stderr, "%s:%u: %s\n  expected %s\n  got      %s\n", script->path, failed->line,
                failed->text, result->expected, result->got);
}

static enum hf_status open_client(const struct run_options *options, const char *server,
                                  struct hf_client **client, struct hf_fault *fault)
{
    struct hf_client_options client_options = options->client;
    client_options.retry_us = RETRY_US;
    if (server != NULL)
        client_options.servers[0] = server;
    return hf_client_open(&client_options, client, fault);
}

static struct hf_script_player make_player(const struct run_options *options)
{
    return (struct hf_script_player){
        .timeout_us = TIMEOUT_US,
        .tell = options->verbose && !options->json ? tell : NULL,
    };
}

static int play_one(const struct run_options *options, struct run_script *script,
                    struct hf_script_player *player)
{
    struct hf_fault fault = {""};
    struct hf_script_result result;
    if (player->tell != NULL)
        printf("      salt %" PRIu64 "\n", script->salt);
    enum hf_status status = hf_script_play(player, &script->script, &result, &fault);
    if (status != HF_STATUS_OK) {
        fprintf(stderr, "%s: %s\n", script->path, fault.line);
        return HF_EXIT_FAILED;
    }
    print_result(options, script, &result);
    return result.failed == NULL ? HF_EXIT_OK : HF_EXIT_FAILED;
}

/* All by one client, against the node that is there. */
static int play_there(const struct run_options *options, struct run_script scripts[])
{
    struct hf_fault fault = {""};
    struct hf_script_player player = make_player(options);
    int exit_status = HF_EXIT_OK;
    player.admin = options->admin;
    for (size_t i = 0; i < options->path_count; i++) {
        if (!hf_script_is_playable(&player, &scripts[i].script, &fault)) {
            fprintf(stderr, "%s: %s\n", scripts[i].path, fault.line);
            return HF_EXIT_USAGE;
        }
    }
    if (open_client(options, NULL, &player.client, &fault) != HF_STATUS_OK) {
        fprintf(stderr, "holdfast run: %s\n", fault.line);
        return HF_EXIT_FAILED;
    }
    for (size_t i = 0; i < options->path_count; i++) {
        if (play_one(options, &scripts[i], &player) != HF_EXIT_OK)
            exit_status = HF_EXIT_FAILED;
    }
    hf_client_close(player.client);
    return exit_status;
}

static sigset_t ending_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    return signals;
}

/* An interrupted script takes its node and its directory with it: a thread of its own waits for the
 * signals, so that it may do what a signal handler may not. */
static void *clean_up_when_told(void *node)
{
    sigset_t signals = ending_signals();
    int which;
    while (sigwait(&signals, &which) != 0)
        ;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    hf_node_process_discard(node);
    _exit(128 + which);
}

/* A script that moves the clock needs a node that lets it. */
static bool moves_clock(const struct hf_script *script)
{
    for (uint32_t i = 0; i < script->statement_count; i++) {
        if (script->statements[i].verb == HF_SCRIPT_ADVANCE)
            return true;
    }
    return false;
}

/* Against the private node, which serves. */
static int play_on(const struct run_options *options, struct run_script *script,
                   struct hf_node_process *node)
{
    struct hf_fault fault = {""};
    struct hf_script_player player = make_player(options);
    player.node = node;
    player.admin = node->admin;
    if (open_client(options, node->address, &player.client, &fault) != HF_STATUS_OK) {
        fprintf(stderr, "holdfast run: %s\n", fault.line);
        return HF_EXIT_FAILED;
    }
    int exit_status = play_one(options, script, &player);
    hf_client_close(player.client);
    return exit_status;
}

static int play_privately(const struct run_options *options, struct run_script *script)
{
    struct hf_node_process node;
    struct hf_fault fault = {""};
    int exit_status = HF_EXIT_FAILED;
    bool is_watched = false;
    pthread_t cleaner;
    enum hf_status status = hf_node_process_prepare(&node, options->node, &fault);
    if (status == HF_STATUS_OK) {
        is_watched = pthread_create(&cleaner, NULL, clean_up_when_told, &node) == 0;
        if (!is_watched) {
            snprintf(fault.line, sizeof fault.line, "no thread could be started");
            status = HF_STATUS_NO_MEMORY;
        }
    }
    if (status == HF_STATUS_OK) {
        memcpy(node.options, options->node_options, sizeof node.options);
        node.option_count = options->node_option_count;
        if (moves_clock(&script->script)) {
            node.options[node.option_count++] = "--node.test_clock";
            node.options[node.option_count++] = "yes";
        }
        status = hf_node_process_start(&node, &fault);
    }
    if (status == HF_STATUS_OK)
        exit_status = play_on(options, script, &node);
    else
        fprintf(stderr, "holdfast run: %s\n", fault.line);
    if (is_watched) { /* a cleaner that has begun ends the process */
        pthread_cancel(cleaner);
        pthread_join(cleaner, NULL);
    }
    hf_node_process_discard(&node);
    return exit_status;
}

/* Each against a private node of its own. */
static int play_all_privately(const struct run_options *options, struct run_script scripts[])
{
    int exit_status = HF_EXIT_OK;
    sigset_t signals = ending_signals();
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    for (size_t i = 0; i < options->path_count; i++) {
        if (play_privately(options, &scripts[i]) != HF_EXIT_OK)
            exit_status = HF_EXIT_FAILED;
    }
    return exit_status;
}

/* Reads and parses them all. False when one of them is no script: what is wrong has been said. */
static bool read_scripts(const struct run_options *options, struct run_script scripts[])
{
    for (size_t i = 0; i < options->path_count; i++) {
        struct run_script *script = &scripts[i];
        struct hf_fault fault = {""};
        script->path = options->paths[i];
        script->salt = (options->salt + i) & INT64_MAX; /* JSON's integers have a sign */
        script->text = read_script(script->path);
        if (script->text == NULL)
            return false;
        if (hf_script_parse(script->path, script->text, script->salt, &script->script, &fault) !=
            HF_STATUS_OK) {
            fprintf(stderr, "%s\n", fault.line);
            return false;
        }
    }
    return true;
}

int holdfast_run_main(int argc, char **argv)
{
    static const struct argp_child children[] = {
        {&hf_target_argp, 0, "A node that is there, instead of a private one:", 3}, {0}};
    static const struct argp argp = {
        .options = run_argp_options,
        .parser = parse_option,
        .args_doc = "SCRIPT...",
        .doc =
            "Plays scenario scripts (see SCRIPT.md): one line, one operation, with the answer it "
            "must get. Starts a private node in a temporary directory, one for each script, unless "
            "--server says where one is: there they are played in turn by one client. All are read "
            "before the first is played.\vExit status: 0 all as expected, 1 a line did not hold "
            "(the scripts behind it are played all the same), 2 a script cannot be read or played, "
            "and none has been.",
        .children = children,
    };
    struct run_options options = {.paths = calloc((size_t)argc, sizeof *options.paths)};
    if (options.paths == NULL ||
        getrandom(&options.salt, sizeof options.salt, 0) != (ssize_t)sizeof options.salt)
        abort();
    options.salt &= INT64_MAX;
    argp_parse(&argp, argc, argv, 0, NULL, &options);

    struct run_script *scripts = calloc(options.path_count, sizeof *scripts);
    if (scripts == NULL)
        abort();
    int exit_status = HF_EXIT_USAGE;
    if (read_scripts(&options, scripts))
        exit_status = options.client.servers[0] != NULL ? play_there(&options, scripts)
                                                        : play_all_privately(&options, scripts);
    for (size_t i = 0; i < options.path_count; i++) {
        hf_script_free(&scripts[i].script);
        free(scripts[i].text);
    }
    free(scripts);
    free(options.paths);
    return exit_status;
}
