/* holdfast: the command line. Finds the subcommand and hands over. */
#include "commands.h"

#include <argp.h>
#include <stdio.h>
#include <string.h>

struct command {
    const char *name;
    const char *full_name; /* argv[0] of the subcommand, as its usage lines show it */
    int (*main)(int argc, char **argv);
    const char *summary;
};

static const struct command commands[] = {
    {"load", "holdfast load", holdfast_load_main, "put load on a node, or check what it remembers"},
    {"run", "holdfast run", holdfast_run_main, "play a scenario script against a node"},
    {"admin", "holdfast admin", holdfast_admin_main, "ask a node through its admin socket"},
    {"log", "holdfast log", holdfast_log_main,
     "verify, print, retell or prove what is in a node's log"},
    {"keygen", "holdfast keygen", holdfast_keygen_main,
     "make a key for sessions, or show a key's public half"},
    {"drill", "holdfast drill", holdfast_drill_main,
     "break a pair of nodes on purpose, and report what became of it"},
};

enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static void print_help(FILE *out)
{
    fputs("Usage: holdfast COMMAND [OPTION...]\n\n", out);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
    fputs("  help     show this, or with a command its options\n"
          "  version  show the version\n\n"
          "`holdfast COMMAND --help` shows a command's options.\n"
          "Exit status: 0 done, 1 something that was checked does not hold, 2 wrong usage.\n",
          out);
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

static int run_command(const struct command *command, int argc, char **argv)
{
    char name[32];
    snprintf(name, sizeof name, "%s", command->full_name);
    argv[0] = name;
    return command->main(argc, argv);
}

int main(int argc, char **argv)
{
    argp_err_exit_status = HF_EXIT_USAGE;
    if (argc < 2) {
        print_help(stderr);
        return HF_EXIT_USAGE;
    }
    const char *word = argv[1];
    const struct command *command = find_command(word);
    if (command != NULL)
        return run_command(command, argc - 1, argv + 1);
    if (strcmp(word, "version") == 0 || strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
        puts("holdfast " HOLDFAST_VERSION);
        return HF_EXIT_OK;
    }
    if (strcmp(word, "help") == 0 && argc > 2 && (command = find_command(argv[2])) != NULL) {
        char help[] = "--help";
        char *arguments[] = {argv[2], help, NULL};
        return run_command(command, 2, arguments);
    }
    if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        print_help(stdout);
        return HF_EXIT_OK;
    }
    fprintf(stderr, "holdfast: no command '%s'; `holdfast help` lists them\n", word);
    return HF_EXIT_USAGE;
}
