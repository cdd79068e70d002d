/* The tables of code.h, looked up. */
#include "code.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

struct code_entry {
    uint16_t number;
    const char *name;
    const char *iso1987;
    const char *iso1993;
    const char *sentence;
};

static const struct code_entry codes[] = {
#define HF_CODE_ENTRY(name, number, iso1987, iso1993, sentence) \
    {number, #name, iso1987, iso1993, sentence},
    HF_CODE_TABLE(HF_CODE_ENTRY)
#undef HF_CODE_ENTRY
};

#define CODE_COUNT (sizeof(codes) / sizeof(codes[0]))

static const struct code_entry unknown_code = {UINT16_MAX, "UNKNOWN_CODE", "96", "909",
                                               "a code that this version does not know"};

/* A few dozen entries, looked at by people and at the edges: a walk is quick enough. */
static const struct code_entry *find_code(uint16_t number)
{
    for (size_t i = 0; i < CODE_COUNT; i++) {
        if (codes[i].number == number)
            return &codes[i];
    }
    return &unknown_code;
}

const char *hf_code_name(uint16_t code)
{
    return find_code(code)->name;
}

const char *hf_code_sentence(uint16_t code)
{
    return find_code(code)->sentence;
}

const char *hf_code_iso1987(uint16_t code)
{
    return find_code(code)->iso1987;
}

const char *hf_code_iso1993(uint16_t code)
{
    return find_code(code)->iso1993;
}

int hf_code_from_name(const char *name)
{
    assert(name != NULL);
    for (size_t i = 0; i < CODE_COUNT; i++) {
        if (strcmp(codes[i].name, name) == 0)
            return codes[i].number;
    }
    return -1;
}

const char *hf_rule_name(uint8_t rule)
{
    static const char *const names[] = {
#define HF_RULE_ENTRY(name, number) [number] = #name,
        HF_RULE_TABLE(HF_RULE_ENTRY)
#undef HF_RULE_ENTRY
    };

    if (rule >= sizeof(names) / sizeof(names[0]) || names[rule] == NULL)
        return "UNKNOWN_RULE";
    return names[rule];
}
