/* `holdfast admin`: sends one command to a node's admin socket and prints the JSON it answers. */
#include "admin_socket.h"
#include "commands.h"

#include <argp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* As much as the node reads in a line, with its newline. */
#define COMMAND_SIZE 512u

enum { KEY_SOCKET = 0x6001, KEY_JSON };

struct admin_options {
    const char *socket;
    char command[COMMAND_SIZE]; /* the words, a blank between them */
    size_t length;
};

static const struct argp_option admin_options[] = {
    {"socket", KEY_SOCKET, "PATH", 0, "The node's admin socket", 0},
    {"json", KEY_JSON, NULL, 0, "Answers are JSON with or without this", 0},
    {0},
};

static void add_word(struct admin_options *options, const char *word,
                     const struct argp_state *state)
{
    size_t length = strlen(word);
    if (strchr(word, '\n') != NULL || options->length + 1 + length + 1 >= COMMAND_SIZE) {
        argp_error(state, "the command is longer than one line of 511 bytes");
        return;
    }
    if (options->length > 0)
        options->command[options->length++] = ' ';
    memcpy(options->command + options->length, word, length + 1);
    options->length += length;
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    struct admin_options *options = state->input;
    switch (key) {
    case KEY_SOCKET:
        options->socket = text;
        return 0;
    case KEY_JSON:
        return 0;
    case ARGP_KEY_ARG:
        add_word(options, text, state);
        return 0;
    case ARGP_KEY_END:
        if (options->socket == NULL)
            argp_error(state, "--socket is needed");
        if (options->length == 0)
            argp_error(state, "a command is needed; `help` lists them");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int holdfast_admin_main(int argc, char **argv)
{
    static const struct argp argp = {
        .options = admin_options,
        .parser = parse_option,
        .args_doc = "COMMAND [ARGUMENT...]",
        .doc = "Asks a node through its admin socket and prints the JSON it answers. `help` lists "
               "the commands.",
    };
    struct admin_options options = {0};
    struct hf_fault fault;
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    json_t *answer = hf_admin_socket_ask(options.socket, options.command, &fault);
    if (answer == NULL) {
        fprintf(stderr, "holdfast admin: %s\n", fault.line);
        return HF_EXIT_FAILED;
    }
    bool failed = json_object_get(answer, "error") != NULL;
    if (json_is_string(answer)) { /* a text: as it is */
        fputs(json_string_value(answer), stdout);
    } else {
        json_dumpf(answer, stdout, JSON_PRESERVE_ORDER);
        putchar('\n');
    }
    json_decref(answer);
    return failed ? HF_EXIT_FAILED : HF_EXIT_OK;
}
