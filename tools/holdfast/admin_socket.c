#include "admin_socket.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* How long an answer may take: nothing takes long but a checkpoint, and that as long as the state
 * is large and the node busy. */
#define PATIENCE_S            60
#define PATIENCE_CHECKPOINT_S (24 * 3600)

static int connect_to(const char *path, const char *command, struct hf_fault *fault)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        snprintf(fault->line, sizeof fault->line, "%.150s: too long for a socket's path", path);
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_long = strcmp(command, "checkpoint") == 0;
    const struct timeval patience = {.tv_sec = is_long ? PATIENCE_CHECKPOINT_S : PATIENCE_S};
    if (connection < 0 ||
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 ||
        setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0 ||
        connect(connection, (const struct sockaddr *)&address, sizeof address) != 0) {
        snprintf(fault->line, sizeof fault->line, "%.150s: %s", path, strerror(errno));
        if (connection >= 0)
            close(connection);
        return -1;
    }
    return connection;
}

/* Where an answer comes from. */
struct source {
    int connection;
    size_t received;
    int error; /* errno of a recv that failed, or 0 */
};

/* An io_uring of this thread interrupts a recv with a timeout when a datagram comes in: that is
 * nobody's failure. */
static size_t receive(void *buffer, size_t size, void *from)
{
    struct source *source = from;
    ssize_t got;
    do {
        got = recv(source->connection, buffer, size, 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        source->error = errno;
        return (size_t)-1;
    }
    source->received += (size_t)got;
    return (size_t)got;
}

static int send_line(int connection, const char *command)
{
    char line[1024];
    int length = snprintf(line, sizeof line, "%s\n", command);
    if (length < 0 || (size_t)length >= sizeof line)
        return EMSGSIZE;
    for (int sent = 0; sent < length;) {
        ssize_t done = send(connection, line + sent, (size_t)(length - sent), MSG_NOSIGNAL);
        if (done < 0 && errno != EINTR)
            return errno;
        if (done > 0)
            sent += (int)done;
    }
    return 0;
}

json_t *hf_admin_socket_ask(const char *path, const char *command, struct hf_fault *fault)
{
    struct source source = {.connection = connect_to(path, command, fault)};
    if (source.connection < 0)
        return NULL;
    json_t *answer = NULL;
    int error = send_line(source.connection, command);
    if (error == 0 || error == EPIPE) { /* a node that wants no word from us has said why */
        json_error_t syntax;
        answer =
            json_load_callback(receive, &source, JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY, &syntax);
        error = source.error;
        if (answer == NULL && error == 0 && source.received != 0)
            snprintf(fault->line, sizeof fault->line, "%.100s: answer is not JSON: %.100s", path,
                     syntax.text);
        else if (answer == NULL && error == 0)
            snprintf(fault->line, sizeof fault->line, "%.150s: no answer", path);
    }
    if (answer == NULL && error != 0)
        snprintf(fault->line, sizeof fault->line, "%.150s: %s", path, strerror(error));
    close(source.connection);
    return answer;
}
