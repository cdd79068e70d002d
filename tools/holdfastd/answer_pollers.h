/* The pollers of a node, as `status` shows them. */
#ifndef HOLDFASTD_ANSWER_POLLERS_H
#define HOLDFASTD_ANSWER_POLLERS_H

#include "node.h"

#include <jansson.h>

/* Of each poller: its core, how often it found work, operations, what waits for it and for how much
 * there is room. A new reference. Main thread. */
json_t *answer_pollers(struct node *node);

#endif
