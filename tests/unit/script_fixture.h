/* Scripts for tests of their parser: what each begins with, and the last line's statement. */
#ifndef HF_TESTS_SCRIPT_FIXTURE_H
#define HF_TESTS_SCRIPT_FIXTURE_H

#include "tools/holdfast/script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Four lines that every script below begins with. */
#define PREAMBLE                          \
    "asset 840 USD 2\n"                   \
    "account bank asset USD floor none\n" \
    "account alice asset USD\n"           \
    "card c1 alice count 3 limit 100.00\n"
#define PREAMBLE_LINES 4

static inline struct hf_script parsed(const char *lines)
{
    char text[2048];
    struct hf_script script;
    struct hf_fault fault;
    snprintf(text, sizeof text, "%s%s", PREAMBLE, lines);
    enum hf_status status = hf_script_parse("x.hf", text, 7, &script, &fault);
    if (status != HF_STATUS_OK)
        fail_msg("%s", fault.line);
    return script;
}

static inline const struct hf_script_statement *last(const struct hf_script *script)
{
    return &script->statements[script->statement_count - 1];
}

#endif
