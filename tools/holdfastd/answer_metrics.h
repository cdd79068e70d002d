/* What the pollers, the port and the log have counted since the start. */
#ifndef HOLDFASTD_ANSWER_METRICS_H
#define HOLDFASTD_ANSWER_METRICS_H

#include "node.h"

#include <jansson.h>

/* All of it, as ADMIN.md lists it. A new reference. Main thread. */
json_t *metrics_answer(struct node *node);

#endif
