/* The holds and records of an image, for image_read.c alone. */
#ifndef HF_ENGINE_IMAGE_HOLD_H
#define HF_ENGINE_IMAGE_HOLD_H

#include "image.h"

/* Take a record of their section: OK, or CORRUPT when it cannot be one. Accounts, instruments and
 * answers have been taken, and the header has seen to it that there is room. What an open hold
 * promises is taken off its accounts. */
enum hf_status hf_image_take_ended(struct hf_image_reader *reader, const void *bytes);
enum hf_status hf_image_take_open(struct hf_image_reader *reader, const void *bytes);

/* Takes what a payer of an open hold has promised off its account. False when it has not. */
bool hf_image_take_promise(struct hf_image_reader *reader, struct hf_account *payer,
                           uint64_t remaining);

/* All records have come: makes the list of each instrument's. False when what they say of each
 * other cannot be. */
bool hf_image_link_records(struct hf_ledger *ledger);

#endif
