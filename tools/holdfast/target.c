#include "target.h"

#include "net/key.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    KEY_SERVER = 0x4001,
    KEY_TRANSPORT,
    KEY_EAL,
    KEY_LOCAL,
    KEY_DEVICE,
    KEY_DATAGRAM,
    KEY_KEY,
    KEY_NODE_KEY,
    KEY_CLUSTER
};

static const struct argp_option target_options[] = {
    {"server", KEY_SERVER, "A.B.C.D:PORT", 0,
     "The node; several, or separated by commas: those of a pair", 0},
    {"transport", KEY_TRANSPORT, "kernel|dpdk", 0, "How to reach it (kernel)", 0},
    {"local", KEY_LOCAL, "A.B.C.D[:PORT]", 0, "Own address (kernel: any; dpdk: needed)", 0},
    {"eal", KEY_EAL, "ARGS", 0, "DPDK: arguments of its environment, in one string", 0},
    {"device", KEY_DEVICE, "N", 0, "DPDK: which Ethernet device, from 0", 0},
    {"datagram", KEY_DATAGRAM, "BYTES", 0, "Most UDP payload in a datagram (1472)", 0},
    {"key", KEY_KEY, "FILE", 0, "Sessions: own private key (holdfast keygen)", 0},
    {"node-key", KEY_NODE_KEY, "HEX-or-FILE", 0,
     "Sessions: the node's public key; given again, the next node's", 0},
    {"cluster", KEY_CLUSTER, "ID", 0, "Sessions: the node's node.cluster (1)", 0},
    {0},
};

uint64_t hf_target_parse_number(const struct argp_state *state, const char *option,
                                const char *text, uint64_t least, uint64_t most)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || value < least ||
        value > most) {
        argp_error(state, "--%s: '%s' is not a whole number from %llu to %llu", option, text,
                   (unsigned long long)least, (unsigned long long)most);
        exit((int)argp_err_exit_status);
    }
    return value;
}

double hf_target_parse_positive(const struct argp_state *state, const char *option,
                                const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(value) || value <= 0) {
        argp_error(state, "--%s: '%s' is not a number above 0", option, text);
        exit((int)argp_err_exit_status);
    }
    return value;
}

/* One, or several separated by commas: the text is argv's, and is cut there. */
static void add_servers(const struct argp_state *state, struct hf_client_options *options,
                        char *text)
{
    char *rest;
    for (char *server = strtok_r(text, ",", &rest); server != NULL;
         server = strtok_r(NULL, ",", &rest)) {
        size_t count = 0;
        while (count < HF_CLIENT_SERVERS_MAX && options->servers[count] != NULL)
            count++;
        if (count == HF_CLIENT_SERVERS_MAX) {
            argp_error(state, "--server: at most %d", HF_CLIENT_SERVERS_MAX);
            return;
        }
        options->servers[count] = server;
    }
}

static void add_node_key(const struct argp_state *state, struct hf_client_options *options,
                         const char *text)
{
    size_t count = 0;
    while (count < HF_CLIENT_SERVERS_MAX && options->node_keys[count] != NULL)
        count++;
    if (count == HF_CLIENT_SERVERS_MAX) {
        argp_error(state, "--node-key: at most %d", HF_CLIENT_SERVERS_MAX);
        return;
    }
    options->node_keys[count] = text;
}

/* Keys are only read where nothing of the process is ever written to a disk. */
static void check_keys(const struct argp_state *state, const struct hf_client_options *options)
{
    if ((options->key_file != NULL) != (options->node_keys[0] != NULL))
        argp_error(state, "--key and --node-key go together");
    if (options->key_file == NULL && !hf_id_is_zero(options->cluster))
        argp_error(state, "--cluster goes with --key");
    if (options->key_file != NULL && !hf_key_forbid_dumps())
        argp_failure(state, (int)argp_err_exit_status, errno, "core dumps cannot be forbidden");
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    struct hf_client_options *options = state->input;
    switch (key) {
    case KEY_SERVER:
        add_servers(state, options, text);
        return 0;
    case KEY_TRANSPORT:
        if (strcmp(text, "kernel") == 0)
            options->transport = HF_TRANSPORT_KERNEL;
        else if (strcmp(text, "dpdk") == 0)
            options->transport = HF_TRANSPORT_DPDK;
        else
            argp_error(state, "--transport: '%s' is neither kernel nor dpdk", text);
        return 0;
    case KEY_EAL:
        options->eal = text;
        return 0;
    case KEY_LOCAL:
        options->local = text;
        return 0;
    case KEY_DEVICE:
        options->device = (uint16_t)hf_target_parse_number(state, "device", text, 0, UINT16_MAX);
        return 0;
    case KEY_DATAGRAM:
        options->datagram_size =
            (uint32_t)hf_target_parse_number(state, "datagram", text, 216, 9000);
        return 0;
    case KEY_KEY:
        options->key_file = text;
        return 0;
    case KEY_NODE_KEY:
        add_node_key(state, options, text);
        return 0;
    case KEY_CLUSTER:
        if (!hf_id_parse(text, strlen(text), &options->cluster))
            argp_error(state, "--cluster: '%s' is no id", text);
        return 0;
    case ARGP_KEY_END:
        check_keys(state, options);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp hf_target_argp = {.options = target_options, .parser = parse_option};

uint64_t hf_target_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}
