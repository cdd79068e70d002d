/* What the node gives up of its rights: root's, when its port is open; and, once it serves, every
 * system call that it does not need. */
#ifndef HOLDFASTD_SANDBOX_H
#define HOLDFASTD_SANDBOX_H

#include "config.h"

/* Becomes node.user, with its group and no others; makes the data directory first, for that user,
 * when there is none. Without the setting nothing happens. To be called before any thread is made.
 * INVALID with one line. Blocks. */
HF_MUST_USE enum hf_status sandbox_become_user(const struct config *config, struct hf_fault *fault);

/* From here on every thread of this process, and whatever it starts, may make only the system calls
 * of a list: those that a node, its checkpoint and an archive's command need. Any other is answered
 * with ENOSYS: tracing and reading other processes, mounting, changing namespaces and clocks,
 * loading code into the kernel and the like. Nobody gains rights by starting a program. To be
 * called after everything has been opened that needs more, and again by a process that has started
 * itself anew (that changes nothing). Sets a variable of the environment. IO with one line. */
HF_MUST_USE enum hf_status sandbox_enter(struct hf_fault *fault);

#endif
