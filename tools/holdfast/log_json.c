#include "log_json.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Jansson's integers are signed: what does not fit is text. */
void log_json_set_number(json_t *object, const char *key, uint64_t value)
{
    if (value <= INT64_MAX) {
        json_object_set_new(object, key, json_integer((json_int_t)value));
    } else {
        char text[24];
        snprintf(text, sizeof text, "%" PRIu64, value);
        json_object_set_new(object, key, json_string(text));
    }
}

void log_json_set_text(json_t *object, const char *key, const char *text)
{
    json_object_set_new(object, key, json_string(text));
}

void log_json_set_id(json_t *object, const char *key, struct hf_id id)
{
    char text[HF_ID_TEXT_SIZE];
    hf_id_format(id, text);
    log_json_set_text(object, key, text);
}

void log_json_set_hash(json_t *object, const char *key, struct hf_hash hash)
{
    char text[40];
    snprintf(text, sizeof text, "%016" PRIx64 "%016" PRIx64, hash.hi, hash.lo);
    log_json_set_text(object, key, text);
}

void log_json_set_amount(json_t *object, const char *key, uint64_t amount, const char *all)
{
    if (amount == UINT64_MAX) {
        log_json_set_text(object, key, all);
    } else {
        log_json_set_number(object, key, amount);
    }
}

/* Text of a fixed field, which ends at a NUL or at its size. */
void log_json_set_field(json_t *object, const char *key, const void *bytes, size_t size)
{
    char text[32];
    size_t length = strnlen(bytes, size);
    assert(length < sizeof text);
    for (size_t i = 0; i < length; i++) {
        char c = ((const char *)bytes)[i];
        text[i] = c >= ' ' && c <= '~' ? c : '?';
    }
    text[length] = '\0';
    log_json_set_text(object, key, text);
}

/* An id, a time or a number, when it is not the one that means none. */
void log_json_set_id_if(json_t *object, const char *key, struct hf_id id)
{
    if (id.lo != 0 || id.hi != 0) {
        log_json_set_id(object, key, id);
    }
}

void log_json_set_number_if(json_t *object, const char *key, uint64_t value)
{
    if (value != 0) {
        log_json_set_number(object, key, value);
    }
}

/* Key, blank, value, in their order, with two blanks between one pair and the next. */
void log_json_print_line(const char *indent, json_t *object)
{
    const char *key = NULL;
    json_t *value = NULL;
    const char *separator = indent;
    json_object_foreach(object, key, value)
    {
        printf("%s%s ", separator, key);
        if (json_is_string(value)) {
            fputs(json_string_value(value), stdout);
        } else {
            json_dumpf(value, stdout, JSON_ENCODE_ANY | JSON_COMPACT);
        }
        separator = "  ";
    }
    putchar('\n');
}

void log_json_print(json_t *object)
{
    json_dumpf(object, stdout, JSON_COMPACT);
    putchar('\n');
}

static void print_value(json_t *value)
{
    if (json_is_string(value)) {
        fputs(json_string_value(value), stdout);
    } else {
        json_dumpf(value, stdout, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(5));
    }
}

/* One key a line, for a person. */
void log_json_print_block(json_t *object)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(object, key, value)
    {
        if (json_is_object(value)) {
            printf("%s\n", key);
            const char *inner_key = NULL;
            json_t *inner = NULL;
            json_object_foreach(value, inner_key, inner)
            {
                printf("  %-20s ", inner_key);
                print_value(inner);
                putchar('\n');
            }
            continue;
        }
        printf("%-22s ", key);
        print_value(value);
        putchar('\n');
    }
}

void log_json_set_bytes(json_t *object, const char *key, const void *bytes, size_t length)
{
    char text[2 * 64 + 1];
    assert(length <= 64);
    text[0] = '\0';
    for (size_t i = 0; i < length; i++) {
        snprintf(text + 2 * i, 3, "%02x", ((const uint8_t *)bytes)[i]);
    }
    log_json_set_text(object, key, text);
}

bool log_json_parse_bytes(const char *text, void *bytes, size_t length)
{
    if (strlen(text) != 2 * length || strspn(text, "0123456789abcdefABCDEF") != 2 * length) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        const char digits[3] = {text[2 * i], text[2 * i + 1], '\0'};
        ((uint8_t *)bytes)[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return true;
}
