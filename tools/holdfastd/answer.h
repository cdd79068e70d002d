/* The admin commands: a line of text in, a line of JSON out. ADMIN.md lists them. */
#ifndef HOLDFASTD_ANSWER_H
#define HOLDFASTD_ANSWER_H

#include "node.h"

/* Answers one command. Returns JSON without a newline, to be freed by the caller; NULL when there
 * is no memory. Blocks until the order poller has answered and what it shows is durable. Main
 * thread only. */
char *answer_line(struct node *node, const char *line);

#endif
