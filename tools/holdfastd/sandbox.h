/* What the node gives up of its rights: root's, when its port is open; and, once it serves, every
 * system call by which a program takes over a machine. */
#ifndef HOLDFASTD_SANDBOX_H
#define HOLDFASTD_SANDBOX_H

#include "config.h"

/* Becomes node.user, with its group and no others; makes the data directory first, for that user,
 * when there is none. Without the setting nothing happens. To be called before any thread is made.
 * INVALID with one line. Blocks. */
HF_MUST_USE enum hf_status sandbox_become_user(const struct config *config, struct hf_fault *fault);

/* From here on every thread of this process, and whatever it starts, is refused (EPERM) tracing and
 * reading other processes, mounting, changing namespaces and clocks, loading code into the kernel
 * and the like; and gains no rights by starting a program. IO with one line. */
HF_MUST_USE enum hf_status sandbox_enter(struct hf_fault *fault);

#endif
