/* The admin socket's answers about the pair. */
#ifndef HOLDFASTD_ANSWER_PAIR_H
#define HOLDFASTD_ANSWER_PAIR_H

#include "node.h"

#include <jansson.h>

/* How the pair stands, as this node sees it; null without a pair. New references. */
json_t *answer_pair_state(struct node *node);
json_t *answer_pair_counters(struct node *node);

/* The operator's orders: `promote` and `standby`. */
json_t *answer_promote(struct node *node, const char *argument);
json_t *answer_standby(struct node *node, const char *argument);
json_t *answer_pair(struct node *node, const char *argument);

#endif
