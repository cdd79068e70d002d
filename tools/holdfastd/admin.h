/* The admin socket: a Unix stream socket. One line asks, one line of JSON answers; a connection may
 * ask again and again. Who is at its other end says the kernel; readers may look, and what others
 * change is written down (audit.h). ADMIN.md lists the commands. Runs in the main thread and asks
 * the order poller by its mailbox. */
#ifndef HOLDFASTD_ADMIN_H
#define HOLDFASTD_ADMIN_H

#include "answer.h"
#include "audit.h"
#include "engine/status.h"
#include "node.h"
#include "roles.h"

#define ADMIN_LINE_MAX        512
#define ADMIN_CONNECTIONS_MAX 16

struct admin_connection {
    int socket; /* -1: free */
    struct audit_peer peer;
    enum role role;
    struct answer_later later; /* while it is due, what comes waits */
    uint32_t length;
    char line[ADMIN_LINE_MAX];
};

struct admin {
    struct node *node;
    struct roles roles;
    int socket;
    struct admin_connection connections[ADMIN_CONNECTIONS_MAX];
};

/* Binds the socket; a stale one of a node that is gone is replaced. LOCKED when a live node answers
 * there. */
HF_MUST_USE enum hf_status admin_open(struct admin *admin, struct node *node,
                                      struct hf_fault *fault);

/* Serves requests until `signal_file` (a signalfd) tells of a signal or the node has failed; SIGHUP
 * has it read the origins again, and go on. */
void admin_serve(struct admin *admin, int signal_file);

void admin_close(struct admin *admin);

#endif
