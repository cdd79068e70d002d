/* How often each answer was seen, by type of operation, code and rule; and the answers that
 * OPERATIONS.md makes reachable, each of which a long run must have met. */
#ifndef HF_TESTS_MODEL_TALLY_H
#define HF_TESTS_MODEL_TALLY_H

#include "engine/operation.h"

/* Counted as the type when the operation did not even have a good shape. */
#define TALLY_SHAPE 0
/* Counted as the type when the node had marked it as forbidden. */
#define TALLY_FORBIDDEN (HF_OP_TYPE_MAX + 1)

void tally_count(uint8_t type, uint16_t code, uint8_t rule);

/* Prints one line for each answer that was seen, to standard output. */
void tally_print(void);

/* The number of reachable answers that were never seen; each is named on standard error. */
uint32_t tally_missing(void);

#endif
