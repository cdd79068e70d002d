/* A node of one's own: holdfastd as a child process with a private directory, for scripts and
 * tests.
 *
 * The child dies with its parent, whatever becomes of that; it can be killed and started again on
 * the same data and address. The thread that starts the node must outlive it (the kernel ties the
 * child to the thread). */
#ifndef HF_TOOLS_NODE_PROCESS_H
#define HF_TOOLS_NODE_PROCESS_H

#include "engine/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define HF_NODE_PATH_SIZE    512
#define HF_NODE_OPTIONS_MAX  32
#define HF_NODE_ADDRESS_SIZE 64

struct hf_node_process {
    char program[HF_NODE_PATH_SIZE];
    char directory[HF_NODE_PATH_SIZE];  /* temporary; data, admin socket and messages are in it */
    char admin[HF_NODE_PATH_SIZE];      /* its admin socket */
    char address[HF_NODE_ADDRESS_SIZE]; /* where it serves, once it has started */
    const char *port_kind;              /* "kernel" */
    const char *options[HF_NODE_OPTIONS_MAX]; /* further flags and values of holdfastd, in turn */
    size_t option_count;
    pid_t pid;  /* 0: not running */
    int output; /* its stdout: open as long as it runs, so that it may go on talking */
};

/* Where holdfastd is: `program` when not NULL; else beside the running program, else on the PATH.
 * Makes the temporary directory under $TMPDIR or /tmp. */
HF_MUST_USE enum hf_status hf_node_process_prepare(struct hf_node_process *node,
                                                   const char *program, struct hf_fault *fault);

/* Starts it and waits until it serves; the first time on a port the kernel chooses, then on the
 * same one. When it does not come up the fault holds the last line it said. */
HF_MUST_USE enum hf_status hf_node_process_start(struct hf_node_process *node,
                                                 struct hf_fault *fault);

/* SIGKILL, at once; waits for the end. */
void hf_node_process_kill(struct hf_node_process *node);

/* SIGTERM, and waits for the end. IO when its exit status is not 0. */
HF_MUST_USE enum hf_status hf_node_process_stop(struct hf_node_process *node,
                                                struct hf_fault *fault);

/* Kills it if it runs, removes its directory. */
void hf_node_process_discard(struct hf_node_process *node);

#endif
