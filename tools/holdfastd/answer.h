/* The admin commands: a line of text in, a line of JSON out. ADMIN.md lists them. */
#ifndef HOLDFASTD_ANSWER_H
#define HOLDFASTD_ANSWER_H

#include "node.h"

/* A command whose answer takes longer than the main thread may wait: a checkpoint. */
struct answer_later {
    bool is_due; /* an answer is still owed */
    uint64_t index;
    uint64_t began_ns;
    uint64_t made; /* checkpoints, and failures, when it was asked */
    uint64_t failures;
};

/* An answer that says why there is none; to be freed by the caller. */
char *answer_error(const char *why);

/* Does this line ask for a change? */
bool answer_changes(const char *line);

/* Answers one command. Returns JSON without a newline, to be freed by the caller; NULL when there
 * is no memory, or when `later` is due: then answer_later has it. Blocks until the order poller has
 * answered and what it shows is durable. Main thread only. */
char *answer_line(struct node *node, const char *line, struct answer_later *later);

/* The answer that is owed, NULL while there is none yet. *later is not due any more then. */
char *answer_later(struct node *node, struct answer_later *later);

#endif
