/* Who asked for what on the admin socket, when it changes something: a line each in a file of its
 * own, before it is done and after.
 *
 *     {"time": "2026-11-30T10:00:00Z", "uid": 0, "pid": 123, "command": "reload", "outcome":
 * "asked"}
 *
 * The line is on disk before anything happens: what cannot be written down is not done. */
#ifndef HOLDFASTD_AUDIT_H
#define HOLDFASTD_AUDIT_H

#include "config.h"

#include <sys/types.h>

/* Who asks, as the kernel knows it. A signal has the node's own uid and pid 0. */
struct audit_peer {
    uid_t uid;
    gid_t gid;
    pid_t pid;
};

/* Appends a line, and waits until it is on disk; the file is opened anew each time, so that it may
 * be moved away. Without a data directory and a file that is named, the line goes to stderr alone.
 * INVALID or IO with one line. */
HF_MUST_USE enum hf_status audit_write(const struct config *config, const struct audit_peer *peer,
                                       const char *command, const char *outcome,
                                       struct hf_fault *fault);

#endif
