#include "node_process.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define READY         "ready "
#define LINE_SIZE     256
#define ARGUMENTS_MAX (HF_NODE_OPTIONS_MAX + 40)

static enum hf_status failed(struct hf_fault *fault, const char *what)
{
    snprintf(fault->line, sizeof fault->line, "%.150s: %s", what, strerror(errno));
    return HF_STATUS_IO;
}

/* Joins two parts of a path; a path that does not fit is a fault. */
static bool join(char path[HF_NODE_PATH_SIZE], const char *directory, const char *name)
{
    int length = snprintf(path, HF_NODE_PATH_SIZE, "%s/%s", directory, name);
    return length > 0 && length < HF_NODE_PATH_SIZE;
}

/* holdfastd beside the running program: in a build both stand at the top, installed both in bin. */
static void find_program(char program[HF_NODE_PATH_SIZE])
{
    char own[HF_NODE_PATH_SIZE];
    ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
    if (length > 0) {
        own[length] = '\0';
        char *slash = strrchr(own, '/');
        if (slash != NULL) {
            *slash = '\0';
            if (join(program, own, "holdfastd") && access(program, X_OK) == 0)
                return;
        }
    }
    snprintf(program, HF_NODE_PATH_SIZE, "holdfastd");
}

enum hf_status hf_node_process_prepare(struct hf_node_process *node, const char *program,
                                       struct hf_fault *fault)
{
    memset(node, 0, sizeof *node);
    node->port_kind = "kernel";
    snprintf(node->address, sizeof node->address, "127.0.0.1:0");
    if (program == NULL)
        find_program(node->program);
    else if (snprintf(node->program, sizeof node->program, "%s", program) >=
             (int)sizeof node->program) {
        snprintf(fault->line, sizeof fault->line, "the node's path is too long");
        return HF_STATUS_INVALID;
    }
    const char *parent = getenv("TMPDIR");
    if (parent == NULL || parent[0] == '\0')
        parent = "/tmp";
    if (!join(node->directory, parent, "holdfast-node-XXXXXX")) {
        snprintf(fault->line, sizeof fault->line, "TMPDIR is too long");
        return HF_STATUS_INVALID;
    }
    if (mkdtemp(node->directory) == NULL) {
        enum hf_status status = failed(fault, node->directory);
        node->directory[0] = '\0';
        return status;
    }
    return HF_STATUS_OK;
}

/* ---- the child ---- */

/* Small tables: a private node serves one script, and start and restart should be quick. What the
 * caller adds comes later on the command line and so wins. */
static const char *const defaults[] = {
    "--ledger.accounts",   "100000", "--ledger.instruments", "100000", "--ledger.holds", "100000",
    "--ledger.remembered", "200000", "--log.segment_bytes",  "4m",
};

static void become_node(const struct hf_node_process *node, const char *data, int output,
                        const char *messages, pid_t parent)
{
    const char *arguments[ARGUMENTS_MAX];
    size_t count = 0;
    arguments[count++] = node->program;
    const char *const own[] = {
        "--data.directory", data,          "--port.kind",    node->port_kind,
        "--port.address",   node->address, "--admin.socket", node->admin,
    };
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        arguments[count++] = own[i];
    for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++)
        arguments[count++] = defaults[i];
    for (size_t i = 0; i < node->option_count; i++)
        arguments[count++] = node->options[i];
    assert(count < ARGUMENTS_MAX);
    arguments[count] = NULL;

    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    /* Die with the parent, also when it died before this line. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        _exit(127);
    int log = open(messages, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (log < 0 || nothing < 0 || dup2(nothing, 0) < 0 || dup2(output, 1) < 0 || dup2(log, 2) < 0)
        _exit(127);
    /* execvp wants the strings writable by type; it does not write them. */
    union {
        const char **readable;
        char **declared;
    } cast = {arguments};
    execvp(node->program, cast.declared);
    dprintf(2, "%s: %s\n", node->program, strerror(errno));
    _exit(127);
}

/* The last line the node said on stderr. */
static void last_message(const char *path, struct hf_fault *fault)
{
    FILE *file = fopen(path, "re");
    char line[LINE_SIZE];
    snprintf(fault->line, sizeof fault->line, "the node ended without a word");
    if (file == NULL)
        return;
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] != '\0')
            snprintf(fault->line, sizeof fault->line, "the node says: %.220s", line);
    }
    fclose(file);
}

/* Reads one line of the node's stdout, byte by byte: nothing may be read beyond it. False at the
 * end. */
static bool read_line(int input, char line[LINE_SIZE])
{
    size_t length = 0;
    char byte;
    for (;;) {
        ssize_t got = read(input, &byte, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        if (byte == '\n')
            break;
        if (length < LINE_SIZE - 1)
            line[length++] = byte;
    }
    line[length] = '\0';
    return true;
}

/* Reads up to the node's ready line; takes the address from it. */
static bool read_ready(struct hf_node_process *node)
{
    char line[LINE_SIZE];
    while (read_line(node->output, line)) {
        const char *address = line + strlen(READY);
        if (strncmp(line, READY, strlen(READY)) == 0 && strlen(address) < sizeof node->address) {
            memcpy(node->address, address, strlen(address) + 1);
            return true;
        }
    }
    return false;
}

/* Whether a UDP socket can be bound to "A.B.C.D:PORT". */
static bool is_free(const char *text)
{
    unsigned bytes[4];
    unsigned port;
    if (sscanf(text, "%u.%u.%u.%u:%u", &bytes[0], &bytes[1], &bytes[2], &bytes[3], &port) != 5)
        return true;
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3]),
    };
    int probe = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool bound = probe >= 0 && bind(probe, (const struct sockaddr *)&address, sizeof address) == 0;
    bool busy = !bound && errno == EADDRINUSE;
    if (probe >= 0)
        close(probe);
    return !busy;
}

/* The kernel takes a killed process's io_uring apart in its own time, after the process has been
 * waited for: until then its socket still has the address. */
static void await_address(const struct hf_node_process *node)
{
    const struct timespec pause = {.tv_nsec = 2000000};
    for (uint32_t tries = 0; tries < 5000 && !is_free(node->address); tries++)
        nanosleep(&pause, NULL);
}

enum hf_status hf_node_process_start(struct hf_node_process *node, struct hf_fault *fault)
{
    assert(node->pid == 0);
    await_address(node);
    char data[HF_NODE_PATH_SIZE];
    char messages[HF_NODE_PATH_SIZE];
    if (!join(data, node->directory, "data") || !join(messages, node->directory, "messages") ||
        !join(node->admin, node->directory, "admin")) {
        snprintf(fault->line, sizeof fault->line, "%.150s: too long a path", node->directory);
        return HF_STATUS_INVALID;
    }
    int pipes[2];
    if (pipe2(pipes, O_CLOEXEC) != 0)
        return failed(fault, "pipe");
    pid_t parent = getpid();
    node->pid = fork();
    if (node->pid < 0) {
        node->pid = 0;
        close(pipes[0]);
        close(pipes[1]);
        return failed(fault, "fork");
    }
    if (node->pid == 0)
        become_node(node, data, pipes[1], messages, parent);
    close(pipes[1]);
    node->output = pipes[0];
    if (read_ready(node))
        return HF_STATUS_OK;
    hf_node_process_kill(node);
    last_message(messages, fault);
    return HF_STATUS_IO;
}

/* ---- the end ---- */

static int wait_for(struct hf_node_process *node)
{
    int result = 0;
    while (waitpid(node->pid, &result, 0) < 0 && errno == EINTR)
        ;
    node->pid = 0;
    close(node->output);
    return result;
}

void hf_node_process_kill(struct hf_node_process *node)
{
    if (node->pid == 0)
        return;
    kill(node->pid, SIGKILL);
    wait_for(node);
}

enum hf_status hf_node_process_stop(struct hf_node_process *node, struct hf_fault *fault)
{
    assert(node->pid != 0);
    kill(node->pid, SIGTERM);
    int result = wait_for(node);
    if (WIFEXITED(result) && WEXITSTATUS(result) == 0)
        return HF_STATUS_OK;
    if (WIFSIGNALED(result))
        snprintf(fault->line, sizeof fault->line, "the node died of signal %d", WTERMSIG(result));
    else
        snprintf(fault->line, sizeof fault->line, "the node ended with status %d",
                 WEXITSTATUS(result));
    return HF_STATUS_IO;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *position)
{
    (void)status;
    (void)kind;
    (void)position;
    return remove(path);
}

void hf_node_process_discard(struct hf_node_process *node)
{
    hf_node_process_kill(node);
    if (node->directory[0] != '\0')
        nftw(node->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    node->directory[0] = '\0';
}
