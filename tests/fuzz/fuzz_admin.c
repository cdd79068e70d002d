/* Fuzz target: lines at a live node's admin socket, behind the socket. An input is eight bytes that
 * are unused, and lines. Each is answered with one JSON object. */
#include "target.h"

#include "tools/holdfastd/answer.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SIZE  512
#define LINES_MAX  16
#define ADMIN_TEXT (LINE_SIZE * LINES_MAX)

static struct node node;

static void end(void)
{
    node_destroy(&node);
}

/* A node that keeps nothing, on a port of the kernel's choice. */
static void begin(void)
{
    static struct config config;
    static char words[][40] = {"holdfastd",
                               "--log.durability=memory-bench",
                               "--node.benchmark=yes",
                               "--node.test_clock=yes",
                               "--port.address=127.0.0.1:0",
                               "--node.idle_spin_us=2000",
                               "--ledger.accounts=100",
                               "--ledger.instruments=100",
                               "--ledger.holds=100",
                               "--ledger.remembered=100",
                               "--ledger.rolling=10"};
    enum { WORDS = sizeof words / sizeof words[0] };
    char *arguments[WORDS + 1] = {0};
    enum config_show show;
    struct hf_fault fault = {{0}};
    for (int i = 0; i < WORDS; i++)
        arguments[i] = words[i];
    FUZZ_CHECK(config_read(&config, WORDS, arguments, &show, &fault) == HF_STATUS_OK);
    if (node_start(&node, &config, &fault) != HF_STATUS_OK) {
        fprintf(stderr, "%s\n", fault.line);
        abort();
    }
    atexit(end);
}

static void answer(const char *line)
{
    struct answer_later later = {0};
    (void)answer_changes(line);
    char *text = answer_line(&node, line, &later);
    FUZZ_CHECK(text != NULL && !later.is_due);
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
    FUZZ_CHECK(json_is_object(json) || json_is_string(json));
    json_decref(json);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_begun;
    char line[LINE_SIZE];
    if (size < FUZZ_HEAD || size > ADMIN_TEXT)
        return 0;
    if (!is_begun)
        begin();
    is_begun = true;
    const char *next = (const char *)data + FUZZ_HEAD, *end_of_all = (const char *)data + size;
    while (next < end_of_all) {
        const char *newline = memchr(next, '\n', (size_t)(end_of_all - next));
        const char *end_of_line = newline != NULL ? newline : end_of_all;
        size_t length = (size_t)(end_of_line - next);
        length = length < sizeof line ? length : sizeof line - 1;
        memcpy(line, next, length);
        line[length] = '\0';
        answer(line);
        next = end_of_line + 1;
    }
    return 0;
}
