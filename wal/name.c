#include "name.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DIGITS_COUNT 16

void hf_name_format(const char *prefix, uint64_t number, char name[HF_DISK_NAME_SIZE])
{
    assert(number != 0);
    int length = snprintf(name, HF_DISK_NAME_SIZE, "%s%016" PRIx64, prefix, number);
    assert(length == (int)strlen(prefix) + DIGITS_COUNT);
    assert(length < HF_DISK_NAME_SIZE);
}

bool hf_name_parse(const char *prefix, const char *name, uint64_t *number)
{
    size_t prefix_length = strlen(prefix);
    assert(name != NULL);
    if (strncmp(name, prefix, prefix_length) != 0 || strlen(name) != prefix_length + DIGITS_COUNT) {
        return false;
    }
    uint64_t value = 0;
    for (const char *at = name + prefix_length; *at != '\0'; at++) {
        if (*at >= '0' && *at <= '9') {
            value = value << 4 | (uint64_t)(*at - '0');
        } else if (*at >= 'a' && *at <= 'f') {
            value = value << 4 | (uint64_t)(*at - 'a' + 10);
        } else {
            return false;
        }
    }
    *number = value;
    return value != 0;
}
