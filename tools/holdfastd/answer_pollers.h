/* The pollers of a node, as `status` and `metrics` show them. */
#ifndef HOLDFASTD_ANSWER_POLLERS_H
#define HOLDFASTD_ANSWER_POLLERS_H

#include "node.h"

#include <jansson.h>

/* Of each poller: its core, how often it found work, operations, the share of its time without
 * work, what waits for it and for how much there is room, and how often it has waited for votes. A
 * new reference. Main thread. */
json_t *answer_pollers(const struct node *node);

#endif
