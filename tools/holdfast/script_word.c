#include "script_word.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

uint32_t hf_script_split(char *line, char *words[HF_SCRIPT_WORDS_MAX])
{
    uint32_t count = 0;
    char *rest = NULL;
    for (char *word = strtok_r(line, " \t\r", &rest); word != NULL && word[0] != '#';
         word = strtok_r(NULL, " \t\r", &rest)) {
        if (count == HF_SCRIPT_WORDS_MAX)
            return count + 1;
        words[count++] = word;
    }
    return count;
}

bool hf_script_read_number(const char *word, uint64_t most, uint64_t *number)
{
    uint64_t value = 0;
    if (word[0] == '\0')
        return false;
    for (const char *at = word; *at != '\0'; at++) {
        if (*at < '0' || *at > '9' || __builtin_mul_overflow(value, UINT64_C(10), &value) ||
            __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
            return false;
    }
    if (value > most)
        return false;
    *number = value;
    return true;
}

bool hf_script_read_amount(const char *word, uint8_t scale, uint64_t *amount)
{
    char digits[48];
    size_t length = strlen(word);
    if (length == 0 || length >= sizeof digits - HF_ASSET_SCALE_MAX)
        return false;
    memcpy(digits, word, length + 1);
    if (digits[length - 1] == 'u') {
        digits[length - 1] = '\0';
        return hf_script_read_number(digits, UINT64_MAX, amount);
    }
    char *point = strchr(digits, '.');
    size_t decimals = 0;
    if (point != NULL) {
        decimals = strlen(point + 1);
        if (point == digits || decimals == 0 || decimals > scale)
            return false;
        memmove(point, point + 1, decimals + 1);
        length--;
    }
    for (; decimals < scale; decimals++)
        digits[length++] = '0';
    digits[length] = '\0';
    return hf_script_read_number(digits, UINT64_MAX, amount);
}

bool hf_script_read_balance(const char *word, uint8_t scale, uint64_t *bits)
{
    bool negative = word[0] == '-';
    uint64_t amount;
    if (!hf_script_read_amount(negative ? word + 1 : word, scale, &amount))
        return false;
    if (amount > HF_AMOUNT_MAX)
        return false;
    *bits = negative ? (uint64_t)(-(int64_t)amount) : amount;
    return true;
}

bool hf_script_read_ratio(const char *word, uint64_t *parts, uint32_t *whole)
{
    char digits[48];
    uint64_t number = 100;
    size_t length = strlen(word);
    if (length < 2 || length >= sizeof digits)
        return false;
    memcpy(digits, word, length + 1);
    char *slash = strchr(digits, '/');
    if (slash != NULL) {
        *slash = '\0';
        if (!hf_script_read_number(slash + 1, UINT32_MAX, &number))
            return false;
    } else if (digits[length - 1] == '%') {
        digits[length - 1] = '\0';
    } else {
        return false;
    }
    *whole = (uint32_t)number;
    return number > 0 && hf_script_read_number(digits, UINT64_MAX, parts) && *parts > 0;
}

bool hf_script_read_permille(const char *word, uint16_t *permille)
{
    char digits[16];
    uint64_t number;
    size_t length = strlen(word);
    if (length < 2 || length >= sizeof digits || word[length - 1] != '%')
        return false;
    memcpy(digits, word, length);
    digits[length - 1] = '\0';
    if (!hf_script_read_amount(digits, 1, &number) || number > UINT16_MAX)
        return false;
    *permille = (uint16_t)number;
    return true;
}

static int nibble(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, tolower((unsigned char)c)) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

bool hf_script_read_hash(const char *word, uint8_t hash[32])
{
    if (strlen(word) != 64)
        return false;
    for (size_t i = 0; i < 32; i++) {
        int high = nibble(word[2 * i]);
        int low = nibble(word[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        hash[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

bool hf_script_read_span(const char *word, struct hf_script_span *span)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    char *end;
    errno = 0;
    long long count = strtoll(word, &end, 10);
    if (end == word || errno != 0 || isspace((unsigned char)word[0]))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(end, units[i].unit) == 0) {
            span->given = true;
            return !__builtin_mul_overflow((int64_t)count, units[i].ms, &span->ms);
        }
    }
    return false;
}

bool hf_script_read_zone(const char *word, int16_t *minutes)
{
    static const char shape[] = "+00:00";
    bool good = strlen(word) == strlen(shape) && (word[0] == '+' || word[0] == '-');
    for (size_t i = 1; good && i < strlen(shape); i++)
        good = shape[i] == ':' ? word[i] == ':' : isdigit((unsigned char)word[i]) != 0;
    if (!good || word[4] > '5')
        return false;
    int hours = (word[1] - '0') * 10 + word[2] - '0';
    int count = hours * 60 + (word[4] - '0') * 10 + word[5] - '0';
    *minutes = (int16_t)(word[0] == '-' ? -count : count);
    return true;
}

static int rule_from_name(const char *name)
{
    for (int rule = 0; rule <= UINT8_MAX; rule++) {
        if (strcmp(name, hf_rule_name((uint8_t)rule)) == 0)
            return rule;
    }
    return -1;
}

/* Whether some code has this response code, so that a mistyped one is noticed. */
static bool is_iso(const char *word)
{
#define ENTRY(name, number, iso1987, iso1993, sentence)           \
    if (strcmp(word, iso1987) == 0 || strcmp(word, iso1993) == 0) \
        return true;
    HF_CODE_TABLE(ENTRY)
#undef ENTRY
    return false;
}

bool hf_script_read_rule(const char *word, uint64_t *rule)
{
    int number = rule_from_name(word);
    *rule = (uint64_t)number;
    return number >= 0;
}

bool hf_script_read_code(const char *word, struct hf_script_code *code, int *rule)
{
    char name[64];
    size_t length = strlen(word);
    if (length == 0 || length >= sizeof name)
        return false;
    memcpy(name, word, length + 1);
    memset(code, 0, sizeof *code);
    *rule = -1;
    char *slash = strchr(name, '/');
    if (slash != NULL) {
        *slash = '\0';
        *rule = rule_from_name(slash + 1);
        if (*rule < 0)
            return false;
    }
    if (isdigit((unsigned char)name[0])) {
        if (strlen(name) > 3 || !is_iso(name))
            return false;
        memcpy(code->iso, name, strlen(name) + 1);
        return true;
    }
    int number = hf_code_from_name(name);
    code->number = (uint16_t)number;
    return number >= 0;
}

bool hf_script_is_name(const char *word)
{
    size_t length = strlen(word);
    if (length == 0 || length >= HF_SCRIPT_NAME_SIZE || !isalpha((unsigned char)word[0]))
        return false;
    return strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
           length;
}

/* The finaliser of SplitMix64. */
static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

struct hf_id hf_script_id(char kind, const char *name, uint64_t salt)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ (uint64_t)kind; /* FNV-1a */
    for (const char *at = name; *at != '\0'; at++)
        hash = (hash ^ (uint64_t)*at) * UINT64_C(0x100000001b3);
    struct hf_id id = {.lo = mix(hash + salt), .hi = mix(salt + ~hash)};
    if (hf_id_is_reserved(id))
        id.lo ^= 1;
    return id;
}
