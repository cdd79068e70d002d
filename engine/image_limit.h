/* The limits of an image, for image_read.c alone. */
#ifndef HF_ENGINE_IMAGE_LIMIT_H
#define HF_ENGINE_IMAGE_LIMIT_H

#include "image.h"

/* Take a record of their section: OK, or CORRUPT when it cannot be one. Instruments and accounts
 * with their terms have been taken, and the header has seen to it that there is room. */
enum hf_status hf_image_take_limit(struct hf_image_reader *reader, const void *bytes);
enum hf_status hf_image_take_rolling(struct hf_image_reader *reader, const void *bytes);

/* Has every rolling window its buckets, now that all have come? */
bool hf_image_are_limits_whole(const struct hf_limit_list *limits);

#endif
