/* The node's admin socket, from the asking side: one line out, one line of JSON back. */
#ifndef HF_TOOLS_ADMIN_SOCKET_H
#define HF_TOOLS_ADMIN_SOCKET_H

#include "engine/status.h"

#include <jansson.h>

/* Asks one thing: connects to the Unix socket at `path`, sends `command`, reads the answer; blocks,
 * at most a minute for each step. The answer is the caller's (json_decref). NULL: `*fault` says
 * why. */
json_t *hf_admin_socket_ask(const char *path, const char *command, struct hf_fault *fault);

#endif
