/* Reads golden files: hexadecimal digits and white space; '#' begins a comment. */
#ifndef HF_TESTS_GOLDEN_H
#define HF_TESTS_GOLDEN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#ifndef HF_TEST_GOLDEN_DIR
#error "the build names the directory of golden files"
#endif

static inline size_t golden_read(const char *name, uint8_t *bytes, size_t size)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", HF_TEST_GOLDEN_DIR, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t count = 0;
    int high = -1;
    for (int c = fgetc(file); c != EOF; c = fgetc(file)) {
        while (c == '#') {
            do {
                c = fgetc(file);
            } while (c != '\n' && c != EOF);
        }
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0) {
            continue;
        }
        if (high < 0) {
            high = digit;
        } else {
            assert_true(count < size);
            bytes[count++] = (uint8_t)(high << 4 | digit);
            high = -1;
        }
    }
    fclose(file);
    return count;
}

#endif
