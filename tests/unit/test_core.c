/* The text that places pollers on cores: a truth table. Processor 0 exists everywhere; the others
 * are used when this machine has them. */
#include "tools/holdfastd/core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define POLLERS 4

static struct poller pollers[POLLERS] = {
    {.name = "rx"}, {.name = "order"}, {.name = "log"}, {.name = "tx"}};
static struct core cores[CORE_COUNT_MAX];
static uint32_t core_count;
static struct hf_fault fault;

static enum hf_status parse(const char *text)
{
    memset(cores, 0, sizeof cores);
    memset(&fault, 0, sizeof fault);
    core_count = 0;
    return core_parse(text, pollers, POLLERS, cores, &core_count, &fault);
}

/* What was understood, in the words of the configuration. */
static const char *describe(void)
{
    static char text[512];
    size_t length = 0;

    text[0] = '\0';
    for (uint32_t i = 0; i < core_count; i++) {
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%u:", i == 0 ? "" : "; ",
                                   cores[i].processor);
        for (uint32_t k = 0; k < cores[i].poller_count; k++)
            length += (size_t)snprintf(text + length, sizeof text - length, " %s",
                                       cores[i].pollers[k]->name);
    }
    return text;
}

static void test_good(void **state)
{
    static const struct {
        const char *text;
        const char *meaning;
        long processors;
    } rows[] = {
        {"0: rx order log tx", "0: rx order log tx", 1},
        {"0:tx log order rx", "0: tx log order rx", 1},
        {"  0  :  rx   order log  tx  ", "0: rx order log tx", 1},
        {"0: rx tx; 1: order log", "0: rx tx; 1: order log", 2},
        {"1: order log;0: rx tx", "1: order log; 0: rx tx", 2},
        {"0: rx tx ; 1: order log ;", "0: rx tx; 1: order log", 2},
        {"0: rx; 1: order; 2: log; 3: tx", "0: rx; 1: order; 2: log; 3: tx", 4},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (sysconf(_SC_NPROCESSORS_CONF) < rows[i].processors)
            continue;
        if (parse(rows[i].text) != HF_STATUS_OK)
            fail_msg("%s: %s", rows[i].text, fault.line);
        assert_string_equal(describe(), rows[i].meaning);
    }
}

/* How many pollers of a kind with numbers a text names. */
static void test_count_numbered(void **state)
{
    static const struct {
        const char *text;
        uint32_t rx, shards;
    } rows[] = {
        {"0: rx order log tx", 0, 0},
        {"0: rx0 order log tx shard0", 1, 1},
        {"0: rx0-3 order log tx; 1: shard0-7 shard8", 4, 9},
        {"0: rx1 order log tx shard5 shard2; 1: rx0", 2, 6},
        {"0: rx0-15 shard0-63", 16, 64},
        {"0: rx16 shard64", 0, 0}, /* none of these exist: refused when they are placed */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(core_count_numbered(rows[i].text, "rx", 16), rows[i].rx);
        assert_int_equal(core_count_numbered(rows[i].text, "shard", 64), rows[i].shards);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *text;
        const char *words;
    } rows[] = {
        {"", "this poller has no core"},
        {";", "this poller has no core"},
        {"rx order log tx", "0: rx order log tx"},
        {"0 rx order log tx", "0: rx order log tx"},
        {": rx order log tx", "is no processor"},
        {"x: rx order log tx", "is no processor"},
        {"0x: rx order log tx", "is no processor"},
        {"-1: rx order log tx", "is no processor"},
        {"4096: rx order log tx", "is no processor"},
        {"4294967296: rx order log tx", "is no processor"},
        {"99999999999999999999: rx order log tx", "is no processor"},
        {"0: rx order log", "tx: this poller has no core"},
        {"0: order log tx", "rx: this poller has no core"},
        {"0:", "a core without pollers"},
        {"0: ;0: rx order log tx", "a core without pollers"},
        {"0: rx order log tx rx", "rx: stands twice"},
        {"0: rx order; 0: log tx", "stands twice"},
        {"0: rx order log tx RX", "RX: no such poller"},
        {"0: rx order log txx", "txx: no such poller"},
        {"0: rx,order,log,tx", "no such poller"},
        {"0: rx: order log tx", "no such poller"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (parse(rows[i].text) != HF_STATUS_INVALID)
            fail_msg("%s was taken as %s", rows[i].text, describe());
        assert_memory_equal(fault.line, "node.cores: ", 12);
        if (strstr(fault.line, rows[i].words) == NULL)
            fail_msg("%s: expected \"%s\", got \"%s\"", rows[i].text, rows[i].words, fault.line);
    }
}

/* A processor one beyond the machine's last. */
static void test_processor_edge(void **state)
{
    char text[64];

    (void)state;
    snprintf(text, sizeof text, "%ld: rx order log tx", sysconf(_SC_NPROCESSORS_CONF) - 1);
    assert_int_equal(parse(text), HF_STATUS_OK);
    snprintf(text, sizeof text, "%ld: rx order log tx", sysconf(_SC_NPROCESSORS_CONF));
    assert_int_equal(parse(text), HF_STATUS_INVALID);
}

static void test_overlong(void **state)
{
    char text[300];

    (void)state;
    memset(text, ' ', sizeof text);
    memcpy(text, "0: rx order log tx", 18);
    text[255] = '\0';
    assert_int_equal(parse(text), HF_STATUS_OK);
    text[255] = ' ';
    text[256] = '\0';
    assert_int_equal(parse(text), HF_STATUS_INVALID);
    assert_non_null(strstr(fault.line, "too long"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),     cmocka_unit_test(test_count_numbered),
        cmocka_unit_test(test_refused),  cmocka_unit_test(test_processor_edge),
        cmocka_unit_test(test_overlong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
