/* File names that carry a number: a prefix and sixteen lower-case hexadecimal digits, so that the
 * order of names is the order of numbers. Pure. */
#ifndef HF_WAL_NAME_H
#define HF_WAL_NAME_H

#include "disk.h"

/* Writes prefix and number; asserts that the number is not 0 and that all fits. */
void hf_name_format(const char *prefix, uint64_t number, char name[HF_DISK_NAME_SIZE]);

/* True, and the number, when `name` is exactly what hf_name_format writes for some number. */
bool hf_name_parse(const char *prefix, const char *name, uint64_t *number);

#endif
