/* Text forms of ids. The most significant digit comes first, as in a UUID: `hi` before `lo`. */
#include "id.h"

#include <assert.h>

#define HYPHENATED_LENGTH 36
#define HEX_DIGITS_MAX    32

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool is_hyphen_place(size_t index)
{
    return index == 8 || index == 13 || index == 18 || index == 23;
}

static void shift_digit_in(struct hf_id *id, int value)
{
    assert(value >= 0);
    assert(value < 16);
    id->hi = (id->hi << 4) | (id->lo >> 60);
    id->lo = (id->lo << 4) | (uint64_t)value;
}

static bool parse_hyphenated(const char *text, struct hf_id *id)
{
    for (size_t i = 0; i < HYPHENATED_LENGTH; i++) {
        if (is_hyphen_place(i)) {
            if (text[i] != '-')
                return false;
            continue;
        }
        int value = digit_value(text[i]);
        if (value < 0)
            return false;
        shift_digit_in(id, value);
    }
    return true;
}

static bool parse_hexadecimal(const char *digits, size_t count, struct hf_id *id)
{
    if (count == 0 || count > HEX_DIGITS_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        int value = digit_value(digits[i]);
        if (value < 0)
            return false;
        shift_digit_in(id, value);
    }
    return true;
}

static bool parse_decimal(const char *digits, size_t count, struct hf_id *id)
{
    if (count == 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        int value = digit_value(digits[i]);
        if (value < 0 || value > 9)
            return false;
        if (__builtin_mul_overflow(id->lo, UINT64_C(10), &id->lo))
            return false;
        if (__builtin_add_overflow(id->lo, (uint64_t)value, &id->lo))
            return false;
    }
    return true;
}

bool hf_id_parse(const char *text, size_t length, struct hf_id *id)
{
    struct hf_id parsed = {0, 0};
    bool is_id;

    assert(text != NULL || length == 0);
    assert(id != NULL);
    if (length == HYPHENATED_LENGTH && text[8] == '-')
        is_id = parse_hyphenated(text, &parsed);
    else if (length >= 2 && text[0] == '0' && text[1] == 'x')
        is_id = parse_hexadecimal(text + 2, length - 2, &parsed);
    else
        is_id = parse_decimal(text, length, &parsed);
    if (!is_id || hf_id_is_reserved(parsed))
        return false;
    *id = parsed;
    return true;
}

static size_t format_decimal(uint64_t number, char text[HF_ID_TEXT_SIZE])
{
    char reversed[20];
    size_t length = 0;

    do {
        reversed[length++] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    assert(length <= sizeof(reversed));
    for (size_t i = 0; i < length; i++)
        text[i] = reversed[length - 1 - i];
    text[length] = '\0';
    return length;
}

size_t hf_id_format(struct hf_id id, char text[HF_ID_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    unsigned shift = 128;

    assert(text != NULL);
    if (id.hi == 0)
        return format_decimal(id.lo, text);
    for (size_t i = 0; i < HYPHENATED_LENGTH; i++) {
        if (is_hyphen_place(i)) {
            text[i] = '-';
            continue;
        }
        shift -= 4;
        uint64_t half = shift >= 64 ? id.hi : id.lo;
        text[i] = digits[(half >> (shift % 64)) & 15];
    }
    assert(shift == 0);
    text[HYPHENATED_LENGTH] = '\0';
    return HYPHENATED_LENGTH;
}
