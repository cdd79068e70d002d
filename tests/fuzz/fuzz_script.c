/* Fuzz target: a scenario script. An input is eight bytes that are unused, and the text. It is
 * parsed, or refused with a line that names the file. */
#include "target.h"

#include "tools/holdfast/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_NAME "script"
#define TEXT_MAX  65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_script script;
    struct hf_fault fault = {{0}};
    if (size < FUZZ_HEAD || size > TEXT_MAX)
        return 0;
    size -= FUZZ_HEAD;
    char *text = malloc(size + 1);
    FUZZ_CHECK(text != NULL);
    memcpy(text, data + FUZZ_HEAD, size);
    text[size] = '\0';
    enum hf_status status = hf_script_parse(FILE_NAME, text, 1, &script, &fault);
    if (status != HF_STATUS_OK)
        FUZZ_CHECK(status == HF_STATUS_INVALID &&
                   strncmp(fault.line, FILE_NAME ":", strlen(FILE_NAME) + 1) == 0);
    hf_script_free(&script);
    free(text);
    return 0;
}
