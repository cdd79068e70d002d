#include "admin.h"

#include "answer.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* How often a failure of the log is looked for while nobody asks, milliseconds. */
#define WATCH_MS 100
/* Files polled besides the connections: signals, the listening socket, the checkpoint's reports. */
#define OWN_FILES 3

static enum hf_status refuse(struct hf_fault *fault, const char *path, const char *why)
{
    snprintf(fault->line, sizeof fault->line, "admin.socket: %.120s: %s", path, why);
    return HF_STATUS_INVALID;
}

/* Removes a socket that nobody listens on. Anything else there is left alone. */
static enum hf_status clear_path(const struct sockaddr_un *address, struct hf_fault *fault)
{
    struct stat there;
    int probe;
    int connected;

    if (lstat(address->sun_path, &there) != 0)
        return HF_STATUS_OK;
    if (!S_ISSOCK(there.st_mode))
        return refuse(fault, address->sun_path, "is there and is no socket");
    probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (probe < 0)
        return refuse(fault, address->sun_path, strerror(errno));
    connected = connect(probe, (const struct sockaddr *)address, sizeof *address);
    close(probe);
    if (connected == 0) {
        (void)refuse(fault, address->sun_path, "another node answers there");
        return HF_STATUS_LOCKED;
    }
    if (unlink(address->sun_path) != 0)
        return refuse(fault, address->sun_path, strerror(errno));
    return HF_STATUS_OK;
}

enum hf_status admin_open(struct admin *admin, struct node *node, struct hf_fault *fault)
{
    const char *path = node->config->admin_socket;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    enum hf_status status;
    mode_t mask;
    int bound;

    memset(admin, 0, sizeof *admin);
    admin->node = node;
    admin->socket = -1;
    for (size_t i = 0; i < ADMIN_CONNECTIONS_MAX; i++)
        admin->connections[i].socket = -1;
    status = roles_read(&admin->roles, node->config, fault);
    if (status != HF_STATUS_OK)
        return status;
    if (strlen(path) >= sizeof address.sun_path)
        return refuse(fault, path, "longer than a socket's path may be");
    memcpy(address.sun_path, path, strlen(path) + 1);
    status = clear_path(&address, fault);
    if (status != HF_STATUS_OK)
        return status;
    admin->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (admin->socket < 0)
        return refuse(fault, path, strerror(errno));
    /* Before the name exists, so that it is never open to others. With others named, everybody may
     * knock, and is asked who he is. */
    mask = umask(admin->roles.reader_count + admin->roles.writer_count != 0 ? 0111 : 0177);
    bound = bind(admin->socket, (const struct sockaddr *)&address, sizeof address);
    umask(mask);
    if (bound != 0 || listen(admin->socket, ADMIN_CONNECTIONS_MAX) != 0) {
        int error = errno;
        close(admin->socket);
        admin->socket = -1;
        return refuse(fault, path, strerror(error));
    }
    return HF_STATUS_OK;
}

static void hang_up(struct admin_connection *connection)
{
    close(connection->socket);
    connection->socket = -1;
    connection->length = 0;
    connection->later.is_due = false;
}

/* Sends one line. A reader that does not take it loses the connection: the node does not wait for
 * it. */
static bool send_line(struct admin_connection *connection, const char *text)
{
    size_t length = strlen(text);
    size_t sent = 0;

    while (sent < length) {
        ssize_t done = send(connection->socket, text + sent, length - sent, MSG_NOSIGNAL);
        if (done <= 0)
            return false;
        sent += (size_t)done;
    }
    return true;
}

/* Sends an answer, and releases it. */
static bool send_answer(struct admin_connection *connection, char *answer)
{
    bool sent = answer != NULL && send_line(connection, answer) && send_line(connection, "\n");

    free(answer);
    return sent;
}

/* Who is at the other end, as of when it connected. */
static bool learn_peer(const struct admin *admin, struct admin_connection *connection)
{
    struct ucred peer;
    socklen_t size = sizeof peer;

    if (getsockopt(connection->socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return false;
    connection->peer = (struct audit_peer){.uid = peer.uid, .gid = peer.gid, .pid = peer.pid};
    connection->role = role_of(&admin->roles, peer.uid);
    return true;
}

static void take_connection(struct admin *admin)
{
    int socket = accept4(admin->socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    for (size_t i = 0; socket >= 0 && i < ADMIN_CONNECTIONS_MAX; i++) {
        struct admin_connection *connection = &admin->connections[i];
        if (connection->socket >= 0)
            continue;
        connection->socket = socket;
        connection->length = 0;
        if (!learn_peer(admin, connection)) {
            hang_up(connection);
        } else if (connection->role == ROLE_NONE) {
            send_line(connection, "{\"error\": \"this user may ask nothing here\"}\n");
            hang_up(connection);
        }
        return;
    }
    if (socket >= 0)
        close(socket);
}

/* NULL when what the line asks may be done, and has been written down if it is a change; otherwise
 * an answer that says why not. */
static char *refusal_of(const struct admin *admin, const struct admin_connection *connection)
{
    struct hf_fault fault = {{0}};

    if (!answer_changes(connection->line))
        return NULL;
    if (connection->role != ROLE_FULL)
        return answer_error("this user may look, and change nothing");
    if (audit_write(admin->node->config, &connection->peer, connection->line, "asked", &fault) ==
        HF_STATUS_OK)
        return NULL;
    return answer_error(fault.line);
}

/* How a change ended; that it was asked for is on disk already. */
static void write_outcome(const struct admin *admin, const struct audit_peer *peer,
                          const char *command, const char *answer)
{
    struct hf_fault fault = {{0}};
    bool failed = answer == NULL || strncmp(answer, "{\"error\"", 8) == 0;

    if (audit_write(admin->node->config, peer, command, failed ? "failed" : "done", &fault) !=
        HF_STATUS_OK)
        fprintf(stderr, "holdfastd: %s\n", fault.line);
}

static bool answer_lines(struct admin *admin, struct admin_connection *connection)
{
    char *newline;

    while (!connection->later.is_due &&
           (newline = memchr(connection->line, '\n', connection->length)) != NULL) {
        size_t used = (size_t)(newline - connection->line) + 1;
        char *answer;

        *newline = '\0';
        answer = refusal_of(admin, connection);
        if (answer == NULL) {
            answer = answer_line(admin->node, connection->line, &connection->later);
            if (!connection->later.is_due && answer_changes(connection->line))
                write_outcome(admin, &connection->peer, connection->line, answer);
        }
        if (!connection->later.is_due && !send_answer(connection, answer))
            return false;
        connection->length -= (uint32_t)used;
        memmove(connection->line, connection->line + used, connection->length);
    }
    if (connection->length < ADMIN_LINE_MAX || connection->later.is_due)
        return true;
    send_line(connection, "{\"error\": \"a line is at most 511 bytes\"}\n");
    return false;
}

/* Answers whoever waits for something that has come meanwhile. */
static void answer_waiting(struct admin *admin)
{
    for (size_t i = 0; i < ADMIN_CONNECTIONS_MAX; i++) {
        struct admin_connection *connection = &admin->connections[i];
        char *answer;

        if (connection->socket < 0 || !connection->later.is_due)
            continue;
        answer = answer_later(admin->node, &connection->later);
        if (answer != NULL) /* nothing else takes so long */
            write_outcome(admin, &connection->peer, "checkpoint", answer);
        if (answer != NULL && !(send_answer(connection, answer) && answer_lines(admin, connection)))
            hang_up(connection);
    }
}

static void read_connection(struct admin *admin, struct admin_connection *connection)
{
    ssize_t got = recv(connection->socket, connection->line + connection->length,
                       ADMIN_LINE_MAX - connection->length, 0);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got > 0) {
        connection->length += (uint32_t)got;
        if (answer_lines(admin, connection))
            return;
    }
    hang_up(connection);
}

static void serve_connections(struct admin *admin, const struct pollfd files[])
{
    for (size_t i = 0; i < ADMIN_CONNECTIONS_MAX; i++) {
        struct admin_connection *connection = &admin->connections[i];

        if (files[i].revents == 0)
            continue;
        if (connection->later.is_due) /* it has hung up */
            hang_up(connection);
        else
            read_connection(admin, connection);
    }
}

/* True when the signal was to end the node. */
static bool take_signal(struct admin *admin, int signal_file)
{
    struct signalfd_siginfo signal;
    struct hf_fault fault = {{0}};
    struct audit_peer peer = {0};

    if (read(signal_file, &signal, sizeof signal) != sizeof signal)
        return false;
    if (signal.ssi_signo != SIGHUP)
        return true;
    peer.uid = signal.ssi_uid;
    peer.pid = (pid_t)signal.ssi_pid;
    if (audit_write(admin->node->config, &peer, "SIGHUP", "asked", &fault) == HF_STATUS_OK) {
        bool done = node_reload(admin->node, &fault) == HF_STATUS_OK;
        write_outcome(admin, &peer, "SIGHUP", done ? "{}" : NULL);
        if (done)
            return false;
    }
    fprintf(stderr, "holdfastd: origins not read again: %s\n", fault.line);
    return false;
}

void admin_serve(struct admin *admin, int signal_file)
{
    while (!node_has_failed(admin->node) && !node_wants_restart(admin->node)) {
        struct pollfd files[ADMIN_CONNECTIONS_MAX + OWN_FILES] = {
            {.fd = signal_file, .events = POLLIN},
            {.fd = admin->socket, .events = POLLIN},
            {.fd = checkpointer_file(&admin->node->checkpointer), .events = POLLIN},
        };

        for (size_t i = 0; i < ADMIN_CONNECTIONS_MAX; i++) {
            const struct admin_connection *connection = &admin->connections[i];
            files[i + OWN_FILES] = (struct pollfd){.fd = connection->socket,
                                                   .events = connection->later.is_due ? 0 : POLLIN};
        }
        if (poll(files, ADMIN_CONNECTIONS_MAX + OWN_FILES, WATCH_MS) > 0) {
            if (files[0].revents != 0 && take_signal(admin, signal_file))
                return;
            serve_connections(admin, files + OWN_FILES);
            if (files[1].revents != 0)
                take_connection(admin);
        }
        node_step(admin->node);
        answer_waiting(admin);
    }
}

void admin_close(struct admin *admin)
{
    for (size_t i = 0; i < ADMIN_CONNECTIONS_MAX; i++) {
        if (admin->connections[i].socket >= 0)
            hang_up(&admin->connections[i]);
    }
    if (admin->socket >= 0) {
        unlink(admin->node->config->admin_socket);
        close(admin->socket);
        admin->socket = -1;
    }
}
