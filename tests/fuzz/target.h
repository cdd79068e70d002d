/* What every fuzz target has: the entry that libFuzzer and replay.c call, eight bytes at an input's
 * beginning that are the target's own, and an assertion that is none of the code's. */
#ifndef HF_TESTS_FUZZ_TARGET_H
#define HF_TESTS_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define FUZZ_HEAD 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition)                                                              \
    do {                                                                                   \
        if (!(condition)) {                                                                \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                       \
        }                                                                                  \
    } while (0)

#endif
