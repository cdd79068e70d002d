#include "admin_socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_S 60

static int connect_to(const char *path, struct hf_fault *fault)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        snprintf(fault->line, sizeof fault->line, "%.150s: too long for a socket's path", path);
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct timeval patience = {.tv_sec = PATIENCE_S};
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

json_t *hf_admin_socket_ask(const char *path, const char *command, struct hf_fault *fault)
{
    int connection = connect_to(path, fault);
    if (connection < 0)
        return NULL;
    FILE *stream = fdopen(connection, "r+");
    if (stream == NULL) {
        close(connection);
        snprintf(fault->line, sizeof fault->line, "%.150s: %s", path, strerror(errno));
        return NULL;
    }
    char *line = NULL;
    size_t room = 0;
    json_t *answer = NULL;
    if (fprintf(stream, "%s\n", command) < 0 || fflush(stream) != 0) {
        snprintf(fault->line, sizeof fault->line, "%.150s: %s", path, strerror(errno));
    } else if (getline(&line, &room, stream) < 0) {
        snprintf(fault->line, sizeof fault->line, "%.150s: no answer", path);
    } else {
        json_error_t error;
        answer = json_loads(line, 0, &error);
        if (answer == NULL)
            snprintf(fault->line, sizeof fault->line, "%.100s: answer is not JSON: %.100s", path,
                     error.text);
    }
    free(line);
    fclose(stream);
    return answer;
}
