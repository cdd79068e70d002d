/* The admin socket: a Unix stream socket of mode 0600. One line asks, one line of JSON answers; a
 * connection may ask again and again. ADMIN.md lists the commands. Runs in the main thread and asks
 * the order poller by its mailbox. */
#ifndef HOLDFASTD_ADMIN_H
#define HOLDFASTD_ADMIN_H

#include "answer.h"
#include "engine/status.h"
#include "node.h"

#define ADMIN_LINE_MAX        512
#define ADMIN_CONNECTIONS_MAX 16

struct admin_connection {
    int socket;                /* -1: free */
    struct answer_later later; /* while it is due, what comes waits */
    uint32_t length;
    char line[ADMIN_LINE_MAX];
};

struct admin {
    struct node *node;
    int socket;
    struct admin_connection connections[ADMIN_CONNECTIONS_MAX];
};

/* Binds the socket; a stale one of a node that is gone is replaced. LOCKED when a live node answers
 * there. */
HF_MUST_USE enum hf_status admin_open(struct admin *admin, struct node *node,
                                      struct hf_fault *fault);

/* Serves requests until `signal_file` (a signalfd) can be read or the node has failed. */
void admin_serve(struct admin *admin, int signal_file);

void admin_close(struct admin *admin);

#endif
