/* holdfastd: runs one node until SIGTERM or SIGINT. Exit status: 0 stopped clean; 1 it failed while
 * serving; 2 wrong configuration; 3 the data directory cannot be used. */
#include "admin.h"
#include "config.h"
#include "copy.h"
#include "node.h"
#include "sandbox.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <linux/close_range.h>

#define EXIT_FAILED        1
#define EXIT_CONFIGURATION 2
#define EXIT_DATA          3

static struct node node;
static struct admin admin;

static int complain(const struct hf_fault *fault, int exit_status)
{
    fprintf(stderr, "holdfastd: %s\n", fault->line);
    return exit_status;
}

static int exit_status_of(enum hf_status status)
{
    switch (status) {
    case HF_STATUS_INVALID:
        return EXIT_CONFIGURATION;
    case HF_STATUS_LOCKED: /* the admin socket's, too */
        return EXIT_DATA;
    default:
        return node.data_unusable ? EXIT_DATA : EXIT_FAILED;
    }
}

/* Blocks the signals that end a node, or have it read its origins again, in every thread made from
 * here on, and opens a file that tells of them. */
static int open_signals(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &signals, SFD_CLOEXEC);
}

static void say_ready(void)
{
    char address[HF_ADDRESS_TEXT_SIZE];

    hf_address_format(&node.port->local, address);
    fprintf(stderr, "holdfastd: serving on %s (%s), durability %s, place %llu, admin %s\n", address,
            node.port->name, config_durability_name(node.config),
            (unsigned long long)node.start_place, node.config->admin_socket);
    if (node.door != NULL) {
        char key[HF_KEY_DIGITS_SIZE];
        hf_key_text(node.door->own->public_key, key);
        fprintf(stderr, "holdfastd: sessions for %u origins, public key %s\n",
                node.door->rules->count, key);
    }
    if (node.config->security == CONFIG_SECURITY_OFF_REACHABLE)
        fputs("holdfastd: security.sessions = off-although-others-can-reach-it: WHOEVER REACHES "
              "THIS ADDRESS MAY DO EVERYTHING\n",
              stderr);
    if (node.config->durability == CONFIG_DURABILITY_MEMORY_BENCH)
        fputs("holdfastd: memory-bench: NOTHING IS KEPT, every answer is lost with this process\n",
              stderr);
    printf("ready %s\n", address);
    fflush(stdout);
}

/* A node of a pair that must begin anew does so as another process would: from its disk. */
static int start_anew(char **argv)
{
    /* Whatever is open still is this process's only: devices leave descriptors behind. */
    (void)close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC);
    execv("/proc/self/exe", argv);
    perror("holdfastd: cannot start anew");
    return EXIT_FAILED;
}

static int serve(const struct config *config, int signal_file, char **argv)
{
    struct hf_fault fault = {{0}};
    enum hf_status status = node_start(&node, config, &fault);
    bool anew = false;

    if (status == HF_STATUS_OK) {
        status = admin_open(&admin, &node, &fault);
        if (status == HF_STATUS_OK && config->sandbox != 0) {
            status = sandbox_enter(&fault);
            if (status != HF_STATUS_OK)
                admin_close(&admin);
        }
        if (status == HF_STATUS_OK) {
            say_ready();
            admin_serve(&admin, signal_file);
            admin_close(&admin);
            anew = node_wants_restart(&node);
            if (!anew) {
                fprintf(stderr, "holdfastd: stopping\n");
                status = node_drain(&node, &fault);
            }
        }
    }
    node_destroy(&node);
    if (anew)
        return start_anew(argv);
    if (status != HF_STATUS_OK)
        return complain(&fault, exit_status_of(status));
    fprintf(stderr, "holdfastd: stopped clean\n");
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    static struct config config;
    struct hf_fault fault;
    enum config_show show;
    int signal_file;

    if (argc > 1 && strcmp(argv[1], COPY_FLAG) == 0)
        return copy_main(argc, argv);
    if (config_read(&config, argc, argv, &show, &fault) != HF_STATUS_OK)
        return complain(&fault, EXIT_CONFIGURATION);
    if (show == CONFIG_SHOW_HELP) {
        config_print_help(stdout);
        return EXIT_SUCCESS;
    }
    if (show == CONFIG_SHOW_VERSION) {
        puts("holdfastd " HOLDFAST_VERSION);
        return EXIT_SUCCESS;
    }
    signal_file = open_signals();
    if (signal_file < 0) {
        perror("holdfastd: signalfd");
        return EXIT_FAILED;
    }
    return serve(&config, signal_file, argv);
}
