/* `holdfast keygen`: makes a key pair for sessions. The private half goes into a file that only its
 * owner can read and is never shown; the public half is printed, to be given to the other side. */
#include "commands.h"
#include "net/key.h"

#include <argp.h>
#include <stdbool.h>
#include <stdio.h>

enum { KEY_JSON = 0x6001, KEY_PUBLIC };

struct keygen_options {
    const char *path;
    bool is_public;
    bool json;
};

static const struct argp_option keygen_options[] = {
    {"public", KEY_PUBLIC, NULL, 0, "Make nothing: print the public key of a FILE that is there",
     0},
    {"json", KEY_JSON, NULL, 0, "Print one JSON object", 0},
    {0},
};

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    struct keygen_options *options = state->input;
    switch (key) {
    case KEY_PUBLIC:
        options->is_public = true;
        return 0;
    case KEY_JSON:
        options->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (options->path != NULL)
            argp_error(state, "one FILE only");
        options->path = text;
        return 0;
    case ARGP_KEY_END:
        if (options->path == NULL)
            argp_error(state, "a FILE for the private key is needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static enum hf_status make_or_read(const struct keygen_options *options, struct hf_key_pair *pair,
                                   struct hf_fault *fault)
{
    if (options->is_public)
        return hf_key_read(options->path, pair, fault);
    hf_key_generate(pair);
    return hf_key_write(options->path, pair, fault);
}

static bool print_public(const struct keygen_options *options, const struct hf_key_pair *pair)
{
    char text[HF_KEY_DIGITS_SIZE];
    hf_key_text(pair->public_key, text);
    if (options->json)
        printf("{\"public_key\": \"%s\"}\n", text);
    else
        puts(text);
    return fflush(stdout) == 0;
}

int holdfast_keygen_main(int argc, char **argv)
{
    static const struct argp argp = {
        .options = keygen_options,
        .parser = parse_option,
        .args_doc = "FILE",
        .doc = "Makes a key pair for sessions: the private key into FILE, which must not be there "
               "yet and gets mode 0600; the public key is printed.",
    };
    struct keygen_options options = {0};
    struct hf_fault fault;
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    if (sodium_init() < 0 || !hf_key_forbid_dumps()) {
        fputs("holdfast keygen: the system gives no random numbers or no safe memory\n", stderr);
        return HF_EXIT_FAILED;
    }
    struct hf_key_pair *pair = hf_key_memory_create(sizeof *pair, &fault);
    bool is_done = pair != NULL && make_or_read(&options, pair, &fault) == HF_STATUS_OK;
    if (!is_done)
        fprintf(stderr, "holdfast keygen: %s\n", fault.line);
    else
        is_done = print_public(&options, pair);
    hf_key_memory_destroy(pair, sizeof *pair);
    return is_done ? HF_EXIT_OK : HF_EXIT_FAILED;
}
