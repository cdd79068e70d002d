#include "audit.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define PATH_SIZE (2 * CONFIG_TEXT_SIZE)
#define FILE_NAME "audit"

static enum hf_status complain(struct hf_fault *fault, const char *path, enum hf_status status,
                               const char *why)
{
    snprintf(fault->line, sizeof fault->line, "admin.audit: %.150s: %s", path, why);
    return status;
}

/* False when there is no file to write to. */
static bool audit_path(const struct config *config, char path[PATH_SIZE])
{
    if (config->admin_audit[0] != '\0')
        snprintf(path, PATH_SIZE, "%s", config->admin_audit);
    else
        snprintf(path, PATH_SIZE, "%s/%s", config->data_directory, FILE_NAME);
    return config->admin_audit[0] != '\0' || config_keeps_log(config);
}

static char *make_line(const struct audit_peer *peer, const char *command, const char *outcome)
{
    char time_text[32];
    time_t now = time(NULL);
    struct tm parts;

    strftime(time_text, sizeof time_text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &parts));
    /* %-escapes of jansson refuse what is not UTF-8: such a line says so instead. */
    json_t *command_text = json_string(command);
    json_t *line = json_pack("{s:s, s:I, s:I, s:o, s:s}", "time", time_text, "uid",
                             (json_int_t)peer->uid, "pid", (json_int_t)peer->pid, "command",
                             command_text != NULL ? command_text : json_string("(no text)"),
                             "outcome", outcome);
    char *text = line != NULL ? json_dumps(line, 0) : NULL;
    json_decref(line);
    return text;
}

static enum hf_status append(const char *path, const char *text, struct hf_fault *fault)
{
    struct iovec line[] = {{(void *)(uintptr_t)text, strlen(text)}, {(char[]){'\n'}, 1}};
    int file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool written;
    int error;

    if (file < 0)
        return complain(fault, path, HF_STATUS_IO, strerror(errno));
    errno = ENOSPC; /* of a short write */
    written = writev(file, line, 2) == (ssize_t)line[0].iov_len + 1 && fdatasync(file) == 0;
    error = errno;
    close(file);
    return written ? HF_STATUS_OK : complain(fault, path, HF_STATUS_IO, strerror(error));
}

enum hf_status audit_write(const struct config *config, const struct audit_peer *peer,
                           const char *command, const char *outcome, struct hf_fault *fault)
{
    char path[PATH_SIZE];
    char *text = make_line(peer, command, outcome);
    enum hf_status status = HF_STATUS_OK;

    if (text == NULL)
        return complain(fault, FILE_NAME, HF_STATUS_INVALID, "the line cannot be written as JSON");
    if (audit_path(config, path))
        status = append(path, text, fault);
    if (status == HF_STATUS_OK)
        fprintf(stderr, "holdfastd: audit: %s\n", text);
    free(text);
    return status;
}
