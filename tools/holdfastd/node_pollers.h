/* The pollers of a node, and the cores that they stand on. For node.c. */
#ifndef HOLDFASTD_NODE_POLLERS_H
#define HOLDFASTD_NODE_POLLERS_H

#include "node.h"

/* Names all pollers that node.cores asks for; shards have no state yet. */
void node_make_pollers(struct node *node);

/* Places them on node->cores. INVALID with a line otherwise. */
HF_MUST_USE enum hf_status node_place_pollers(struct node *node, uint32_t *core_count,
                                              struct hf_fault *fault);

/* Where a poller that has been placed will run. */
uint32_t node_processor_of(const struct node *node, uint32_t core_count,
                           const struct poller *poller);

/* Starts node->core_count cores; none runs when it fails. */
HF_MUST_USE enum hf_status node_start_cores(struct node *node, struct hf_fault *fault);

#endif
