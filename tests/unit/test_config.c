/* The node's settings: the defaults, the edges of every range and one beyond, and that a person who
 * writes something wrong is told the file, the line and the key. The table below is written from
 * the promises, not taken from config.c. */
#include "tools/holdfastd/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define AT(member)  offsetof(struct config, member)
#define NS_PER_S    UINT64_C(1000000000)
#define RECORDS_MAX (UINT64_C(1) << 31)

static const struct text {
    const char *flag;
    size_t offset;
    const char *initial;
} texts[] = {
    {"node.cluster", AT(cluster), "1"},
    {"node.cores", AT(cores), "0: rx order log tx"},
    {"node.user", AT(user), ""},
    {"data.directory", AT(data_directory), "holdfast-data"},
    {"port.address", AT(port_address), "127.0.0.1:4600"},
    {"port.eal", AT(port_eal), ""},
    {"log.archive", AT(archive), ""},
    {"security.key", AT(session_key), "session-key"},
    {"security.origins", AT(origins_file), ""},
    {"admin.socket", AT(admin_socket), "holdfast-admin"},
};

/* `unit` is what stands behind the figures when they are written into a configuration. */
static const struct number {
    const char *flag;
    size_t offset;
    uint64_t initial;
    uint64_t least;
    uint64_t most;
    const char *unit;
} numbers[] = {
    {"node.node", AT(node), 1, 1, 65535, ""},
    {"node.idle_spin_us", AT(idle_spin_us), 50, 0, 1000000, ""},
    {"node.idle_wait_us", AT(idle_wait_us), 200, 1, 100000, ""},
    {"node.bundles", AT(bundles), 512, 8, 65536, ""},
    {"port.device", AT(port_device), 0, 0, 31, ""},
    {"port.mtu", AT(port_mtu), 1500, 640, 9028, ""},
    {"log.segment_bytes", AT(segment_bytes), 64 << 20, 1 << 20, UINT64_C(1) << 32, ""},
    {"log.segments_ahead", AT(segments_ahead), 2, 1, 16, ""},
    {"log.batch_bytes", AT(batch_bytes), 256 << 10, 64 << 10, 1 << 20, ""},
    {"log.depth", AT(depth), 4, 1, 16, ""},
    {"log.unflushed", AT(unflushed), 8, 1, 31, ""},
    {"log.seal_records", AT(seal_records), 1024, 1, 1 << 20, ""},
    {"log.seal_interval", AT(seal_interval_ns), NS_PER_S, 0, 86400 * NS_PER_S, "ns"},
    {"log.digest_interval", AT(digest_interval_ns), 60 * NS_PER_S, 0, 86400 * NS_PER_S, "ns"},
    {"log.digest_pause", AT(digest_pause_ns), NS_PER_S / 200, 0, NS_PER_S, "ns"},
    {"log.retain_bytes", AT(retain_bytes), UINT64_C(1) << 30, 0, UINT64_C(1) << 50, ""},
    {"checkpoint.bytes", AT(checkpoint_bytes), UINT64_C(1) << 30, 0, UINT64_C(1) << 50, ""},
    {"checkpoint.interval", AT(checkpoint_interval_ns), 3600 * NS_PER_S, 0, 400 * 86400 * NS_PER_S,
     "ns"},
    {"checkpoint.rate", AT(checkpoint_rate), 100 << 20, 0, UINT64_C(1) << 40, ""},
    {"checkpoint.test_stop", AT(checkpoint_test_stop), 0, 0, 1000000, ""},
    {"ledger.accounts", AT(accounts), 1000000, 1, RECORDS_MAX, ""},
    {"ledger.instruments", AT(instruments), 1000000, 1, RECORDS_MAX, ""},
    {"ledger.holds", AT(holds), 1000000, 1, RECORDS_MAX, ""},
    {"ledger.terms", AT(terms), 100000, 1, RECORDS_MAX, ""},
    {"ledger.parts", AT(parts), 100000, 1, RECORDS_MAX, ""},
    {"ledger.selectors", AT(selectors), 100000, 1, RECORDS_MAX, ""},
    {"ledger.limits", AT(limits), 100000, 1, RECORDS_MAX, ""},
    {"ledger.rolling", AT(rolling), 10000, 1, RECORDS_MAX, ""},
    {"ledger.remembered", AT(remembered), 4000000, 1, RECORDS_MAX, ""},
    {"ledger.remember", AT(remember_ns), 3600 * NS_PER_S, NS_PER_S, 400 * 86400 * NS_PER_S, "ns"},
    {"ledger.record", AT(record_ns), 45 * 86400 * NS_PER_S, NS_PER_S, 400 * 86400 * NS_PER_S, "ns"},
    {"security.origins_max", AT(origins_max), 64, 1, 4096, ""},
    {"security.sessions_per_origin", AT(sessions_per_origin), 16, 2, 256, ""},
    {"security.handshakes_seen", AT(handshakes_seen), 50000, 1, 1000000, ""},
    {"security.handshakes_address", AT(handshakes_address), 20, 1, 1000000, ""},
    {"security.handshakes_free", AT(handshakes_free), 10, 0, 100000, ""},
    {"security.handshakes", AT(handshakes), 200, 1, 100000, ""},
    {"security.handshakes_host", AT(handshakes_host), 20, 1, 100000, ""},
    {"ledger.id_ahead", AT(id_ahead_ns), 60 * NS_PER_S, 1000000, 86400 * NS_PER_S, "ns"},
};

static const struct choice {
    const char *flag;
    size_t offset;
    uint64_t initial;
    const char *words[2];
} choices[] = {
    {"node.idle", AT(idle), CONFIG_IDLE_SLEEP, {"sleep", "spin"}},
    {"node.benchmark", AT(benchmark), 0, {"no", "yes"}},
    {"node.test_clock", AT(test_clock), 0, {"no", "yes"}},
    {"node.sandbox", AT(sandbox), 1, {"no", "yes"}},
    {"port.kind", AT(port_kind), CONFIG_PORT_KERNEL, {"kernel", "dpdk"}},
    {"checkpoint.priority", AT(checkpoint_priority), CONFIG_PRIORITY_IDLE, {"idle", "low"}},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static struct config config;
static struct hf_fault fault;
static enum config_show show;
static char path[256];

static uint64_t number_at(size_t offset)
{
    uint64_t number;

    memcpy(&number, (const char *)&config + offset, sizeof number);
    return number;
}

static const char *text_at(size_t offset)
{
    return (const char *)&config + offset;
}

static enum hf_status read_arguments(const char *const arguments[])
{
    char *argv[16] = {(char *)(uintptr_t) "holdfastd"};
    int argc = 1;

    for (; arguments[argc - 1] != NULL; argc++)
        argv[argc] = (char *)(uintptr_t)arguments[argc - 1];
    return config_read(&config, argc, argv, &show, &fault);
}

/* One flag: "--section.key" and its value. */
static enum hf_status read_flag(const char *flag, const char *value)
{
    char name[64];

    snprintf(name, sizeof name, "--%s", flag);
    return read_arguments((const char *const[]){name, value, NULL});
}

static enum hf_status read_file_with(const char *text, const char *flag, const char *value)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    return read_arguments((const char *const[]){"--config", path, flag, value, NULL});
}

static enum hf_status read_file(const char *text)
{
    return read_file_with(text, NULL, NULL);
}

/* Splits "section.key" into an INI line below its section. */
static void write_setting(char *text, size_t size, const char *flag, const char *value)
{
    const char *dot = strchr(flag, '.');

    snprintf(text, size, "[%.*s]\n%s = %s\n", (int)(dot - flag), flag, dot + 1, value);
}

/* The complaint is one line, names the file and this line, and holds `words`. */
static void assert_complaint(int line, const char *words)
{
    char where[320];

    snprintf(where, sizeof where, "%s:%d: ", path, line);
    if (strncmp(fault.line, where, strlen(where)) != 0 || strstr(fault.line, words) == NULL)
        fail_msg("expected \"%s ... %s\", got \"%s\"", where, words, fault.line);
    assert_null(strchr(fault.line, '\n'));
}

static void assert_number_refused(const struct number *number, const char *value)
{
    char text[128];
    char key[80];

    assert_int_equal(read_flag(number->flag, value), HF_STATUS_INVALID);
    snprintf(key, sizeof key, "--%s: ", number->flag);
    assert_memory_equal(fault.line, key, strlen(key));
    write_setting(text, sizeof text, number->flag, value);
    assert_int_equal(read_file(text), HF_STATUS_INVALID);
    assert_complaint(2, strchr(number->flag, '.') + 1);
}

static void test_defaults(void **state)
{
    (void)state;
    assert_int_equal(read_arguments((const char *const[]){NULL}), HF_STATUS_OK);
    assert_int_equal(show, CONFIG_SHOW_NOTHING);
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_string_equal(text_at(texts[i].offset), texts[i].initial);
    for (size_t i = 0; i < COUNT(numbers); i++)
        assert_int_equal(number_at(numbers[i].offset), numbers[i].initial);
    for (size_t i = 0; i < COUNT(choices); i++)
        assert_int_equal(number_at(choices[i].offset), choices[i].initial);
    assert_int_equal(config.durability, CONFIG_DURABILITY_SOLO);
    assert_int_equal(config.block_bytes, 512);
}

static void test_number_edges(void **state)
{
    char value[64];

    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        const struct number *number = &numbers[i];
        const uint64_t edges[] = {number->least, number->most};
        for (size_t k = 0; k < 2; k++) {
            snprintf(value, sizeof value, "%llu%s", (unsigned long long)edges[k], number->unit);
            assert_int_equal(read_flag(number->flag, value), HF_STATUS_OK);
            assert_int_equal(number_at(number->offset), edges[k]);
        }
        snprintf(value, sizeof value, "%llu%s", (unsigned long long)number->most + 1, number->unit);
        assert_number_refused(number, value);
        if (number->least > 0) {
            snprintf(value, sizeof value, "%llu%s", (unsigned long long)number->least - 1,
                     number->unit);
            assert_number_refused(number, value);
        }
    }
}

static void test_durations_of_commands(void **state)
{
    uint64_t duration_ns = 0;

    (void)state;
    assert_true(config_read_duration("250", &duration_ns));
    assert_int_equal(duration_ns, 250);
    assert_true(config_read_duration("2h", &duration_ns));
    assert_int_equal(duration_ns, 7200 * NS_PER_S);
    assert_true(config_read_duration("18446744073709551615", &duration_ns));
    assert_int_equal(duration_ns, UINT64_MAX);
    assert_false(config_read_duration("18446744073709551615us", &duration_ns));
    assert_false(config_read_duration("18446744073709551616", &duration_ns));
    assert_false(config_read_duration("5 s", &duration_ns));
    assert_false(config_read_duration("5k", &duration_ns));
    assert_false(config_read_duration("-5", &duration_ns));
    assert_false(config_read_duration("", &duration_ns));
    assert_int_equal(duration_ns, UINT64_MAX);
}

static void test_what_is_no_number(void **state)
{
    static const char *const wrong[] = {"ten",   "-1",     "+1",   "0x10",
                                        "1 000", "1.5",    "10kb", "99999999999999999999",
                                        "1e3",   "10 ns ", "10x"};

    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        for (size_t k = 0; k < COUNT(wrong); k++)
            assert_number_refused(&numbers[i], wrong[k]);
    }
}

static void test_units(void **state)
{
    static const struct {
        const char *flag;
        const char *value;
        size_t offset;
        uint64_t expected; /* 0: refused */
    } rows[] = {
        {"log.segment_bytes", "1024k", AT(segment_bytes), 1 << 20},
        {"log.segment_bytes", "3m", AT(segment_bytes), 3 << 20},
        {"log.segment_bytes", "4g", AT(segment_bytes), UINT64_C(4) << 30},
        {"log.segment_bytes", "5g", AT(segment_bytes), 0},
        {"log.segment_bytes", "3M", AT(segment_bytes), 0},
        {"log.segment_bytes", "3s", AT(segment_bytes), 0},
        /* 2^34 * 2^30 is 2^64: must not wrap into the range. */
        {"log.segment_bytes", "17179869185g", AT(segment_bytes), 0},
        {"ledger.remember", "1000000000ns", AT(remember_ns), NS_PER_S},
        {"ledger.remember", "1000000us", AT(remember_ns), NS_PER_S},
        {"ledger.remember", "1500ms", AT(remember_ns), 1500000000},
        {"ledger.remember", "2s", AT(remember_ns), 2 * NS_PER_S},
        {"ledger.remember", "3m", AT(remember_ns), 180 * NS_PER_S},
        {"ledger.remember", "4h", AT(remember_ns), 4 * 3600 * NS_PER_S},
        {"ledger.remember", "400d", AT(remember_ns), 400 * 86400 * NS_PER_S},
        {"ledger.remember", "401d", AT(remember_ns), 0},
        {"ledger.remember", "1000000000", AT(remember_ns), 0}, /* a time says its unit */
        {"ledger.remember", "18446744073709d", AT(remember_ns), 0},
        {"ledger.accounts", "1k", AT(accounts), 0}, /* a count has none */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum hf_status status = read_flag(rows[i].flag, rows[i].value);
        assert_int_equal(status, rows[i].expected == 0 ? HF_STATUS_INVALID : HF_STATUS_OK);
        if (rows[i].expected != 0)
            assert_int_equal(number_at(rows[i].offset), rows[i].expected);
    }
}

static void test_choices(void **state)
{
    static const char *const wrong[] = {"", "maybe", "sleep spin", "Spin", "kern", "no yes"};

    (void)state;
    for (size_t i = 0; i < COUNT(choices); i++) {
        for (uint64_t k = 0; k < 2; k++) {
            assert_int_equal(read_flag(choices[i].flag, choices[i].words[k]), HF_STATUS_OK);
            assert_int_equal(number_at(choices[i].offset), k);
        }
        for (size_t k = 0; k < COUNT(wrong); k++) {
            assert_int_equal(read_flag(choices[i].flag, wrong[k]), HF_STATUS_INVALID);
            assert_non_null(strstr(fault.line, choices[i].words[1]));
        }
    }
}

static void test_texts(void **state)
{
    char longest[CONFIG_TEXT_SIZE];
    char too_long[CONFIG_TEXT_SIZE + 1];
    char line[CONFIG_TEXT_SIZE + 64];

    (void)state;
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    memset(too_long, 'x', sizeof too_long);
    too_long[sizeof too_long - 1] = '\0';
    for (size_t i = 0; i < COUNT(texts); i++) {
        assert_int_equal(read_flag(texts[i].flag, longest), HF_STATUS_OK);
        assert_string_equal(text_at(texts[i].offset), longest);
        assert_int_equal(read_flag(texts[i].flag, too_long), HF_STATUS_INVALID);
        write_setting(line, sizeof line, texts[i].flag, longest);
        assert_int_equal(read_file(line), HF_STATUS_OK);
        assert_string_equal(text_at(texts[i].offset), longest);
        write_setting(line, sizeof line, texts[i].flag, too_long);
        assert_int_equal(read_file(line), HF_STATUS_INVALID);
        assert_complaint(2, strchr(texts[i].flag, '.') + 1);
    }
}

static void test_settings_that_bind_each_other(void **state)
{
    (void)state;
    assert_int_equal(read_flag("log.block_bytes", "512"), HF_STATUS_OK);
    assert_int_equal(read_flag("log.block_bytes", "4096"), HF_STATUS_OK);
    assert_int_equal(read_flag("log.block_bytes", "4k"), HF_STATUS_OK);
    assert_int_equal(read_flag("log.block_bytes", "511"), HF_STATUS_INVALID);
    assert_int_equal(read_flag("log.block_bytes", "4097"), HF_STATUS_INVALID);
    assert_int_equal(read_flag("log.block_bytes", "1024"), HF_STATUS_INVALID);
    assert_non_null(strstr(fault.line, "log.block_bytes"));

    assert_int_equal(read_flag("log.durability", "solo"), HF_STATUS_OK);
    assert_int_equal(read_flag("log.durability", "memory-bench"), HF_STATUS_INVALID);
    assert_non_null(strstr(fault.line, "log.durability"));
    assert_non_null(strstr(fault.line, "node.benchmark"));
    assert_int_equal(read_arguments((const char *const[]){"--log.durability", "memory-bench",
                                                          "--node.benchmark", "yes", NULL}),
                     HF_STATUS_OK);
    assert_int_equal(config.durability, CONFIG_DURABILITY_MEMORY_BENCH);
}

/* What a pair needs, and with sessions its seal. */
/* Half a segment has room for the buffers of what may be unflushed, and of one more. */
static void test_unflushed_fits_half_a_segment(void **state)
{
    (void)state;
    static const struct {
        const char *segment;
        const char *batch;
        const char *wanted;
        uint64_t unflushed;
    } rows[] = {
        {"64m", "256k", "31", 31}, {"2m", "64k", "15", 15}, {"2m", "64k", "16", 15},
        {"2m", "256k", "8", 3},    {"1m", "256k", "8", 1},  {"1m", "512k", "8", 1},
        {"2m", "256k", "2", 2},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(read_arguments((const char *const[]){
                             "--log.segment_bytes", rows[i].segment, "--log.batch_bytes",
                             rows[i].batch, "--log.unflushed", rows[i].wanted, NULL}),
                         HF_STATUS_OK);
        assert_int_equal(config.unflushed, rows[i].unflushed);
    }
}

static void test_a_pairs_settings(void **state)
{
    static const char *const pair[] = {"--log.durability", "pair-safe",      "--pair.address",
                                       "127.0.0.1:1",      "--pair.peer",    "127.0.0.1:2",
                                       "--pair.peer_key",  "somewhere/else", NULL};
    (void)state;
    assert_int_equal(read_arguments(pair), HF_STATUS_OK);
    assert_true(config_seals_pair(&config));
    assert_string_equal(config.pair_peer_key, "somewhere/else");
    assert_int_equal(read_flag("pair.peer_key", "somewhere/else"), HF_STATUS_INVALID);
    assert_non_null(strstr(fault.line, "pair.peer_key: needs log.durability"));
    assert_int_equal(
        read_arguments((const char *const[]){"--log.durability", "pair-fast", "--pair.address",
                                             "127.0.0.1:1", "--pair.peer", "127.0.0.1:2", NULL}),
        HF_STATUS_OK);
    assert_false(config_seals_pair(&config));
    assert_int_equal(read_arguments((const char *const[]){
                         "--log.durability", "pair-fast", "--pair.address", "127.0.0.1:1",
                         "--pair.peer", "127.0.0.1:2", "--security.sessions", "on", NULL}),
                     HF_STATUS_INVALID);
    assert_non_null(strstr(fault.line, "pair.peer_key: must be set"));
}

static void test_a_whole_file(void **state)
{
    (void)state;
    assert_int_equal(read_file("# a node\n"
                               "; the other comment\n"
                               "\n"
                               "[node]\n"
                               "node = 7   # the seventh\n"
                               "cores = 0: rx tx ; 1: order log\n"
                               "  idle=spin\n"
                               "[data]\n"
                               "directory = /var/lib/holdfast data\n"
                               "[ledger]\r\n"
                               "accounts = 12\r\n"
                               "[node]\n"
                               "bundles = 9"),
                     HF_STATUS_OK);
    assert_int_equal(config.node, 7);
    assert_string_equal(config.cores, "0: rx tx ; 1: order log");
    assert_int_equal(config.idle, CONFIG_IDLE_SPIN);
    assert_string_equal(config.data_directory, "/var/lib/holdfast data");
    assert_int_equal(config.accounts, 12);
    assert_int_equal(config.bundles, 9);
    assert_int_equal(config.holds, 1000000);
    assert_int_equal(read_file(""), HF_STATUS_OK);
}

static void test_wrong_files(void **state)
{
    static const struct {
        const char *text;
        int line;
        const char *words;
    } rows[] = {
        {"[node]\nnode = 1\nnodes = 2\n", 3, "[node] nodes no such setting"},
        {"[nodes]\nnode = 1\n", 2, "[nodes] node no such setting"},
        {"node = 1\n", 1, "node no such setting"},
        {"[node]\nnode = 1\n\n[port]\nmtu = 1500\n[node]\nnode = 2\n", 7, "[node] node set twice"},
        {"[node]\n\nnonsense\n", 3, "is neither [section] nor key = value"},
        {"[node\nnode = 1\n", 1, "is neither [section] nor key = value"},
        {"[node]\nnode =\n", 2, "[node] node is not a number"},
        {"[node]\nnode = 0\n", 2, "[node] node is outside 1 to 65535"},
        {"[log]\n\n\ndurability = fast\n", 4, "is none of: solo memory-bench"},
        /* The first of several is the one that is told. */
        {"[node]\nnode = x\n\nmore = 1\nbundles = y\n", 2, "[node] node is not a number"},
        {"[node]\nnode = x\ngarbage\n", 2, "[node] node is not a number"},
        {"[node]\ngarbage\nnode = x\n", 2, "is neither [section] nor key = value"},
        {"[port]\nmtu = 1500\n  1600\n", 3, "is neither [section] nor key = value"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(read_file(rows[i].text), HF_STATUS_INVALID);
        assert_complaint(rows[i].line, rows[i].words);
    }
}

/* A line longer than any setting needs is named, not cut into two. */
static void test_overlong_line(void **state)
{
    char text[4096];

    (void)state;
    memcpy(text, "[port]\neal = ", 13);
    memset(text + 13, 'x', 3000);
    memcpy(text + 3013, "\nmtu = 1500\n", 13);
    assert_int_equal(read_file(text), HF_STATUS_INVALID);
    assert_complaint(2, "");
}

static void test_missing_file(void **state)
{
    const char *const arguments[] = {"--config", "/nonexistent/holdfast.ini", NULL};

    (void)state;
    assert_int_equal(read_arguments(arguments), HF_STATUS_INVALID);
    assert_string_equal(fault.line, "/nonexistent/holdfast.ini: No such file or directory");
    assert_int_equal(read_arguments((const char *const[]){"--config", NULL}), HF_STATUS_INVALID);
    assert_string_equal(fault.line, "--config: needs a file");
    assert_int_equal(read_arguments((const char *const[]){"--config", "/", NULL}),
                     HF_STATUS_INVALID);
    assert_memory_equal(fault.line, "/: ", 3);
}

static void test_flags_win(void **state)
{
    (void)state;
    assert_int_equal(read_file_with("[node]\nbundles = 9\nnode = 3\n", "--node.bundles", "10"),
                     HF_STATUS_OK);
    assert_int_equal(config.bundles, 10);
    assert_int_equal(config.node, 3);
    /* Also when they stand before the file, and with an equals sign. */
    assert_int_equal(
        read_arguments((const char *const[]){"--node.bundles=11", "--config", path, NULL}),
        HF_STATUS_OK);
    assert_int_equal(config.bundles, 11);
    assert_int_equal(config.node, 3);
    assert_int_equal(
        read_arguments((const char *const[]){"--port.eal=--vdev=net_null0 -l 0", NULL}),
        HF_STATUS_OK);
    assert_string_equal(config.port_eal, "--vdev=net_null0 -l 0");
}

/* What is written as flags is read back as it was: all of it, whatever it is. */
static void test_written_and_read_back(void **state)
{
    static char text[CONFIG_FLAG_TEXT_SIZE];
    static struct config before;
    static char *argv[CONFIG_FLAGS_MAX + 2] = {(char *)(uintptr_t) "holdfastd"};
    char value[64];

    (void)state;
    assert_int_equal(read_arguments((const char *const[]){NULL}), HF_STATUS_OK);
    for (size_t i = 0; i < COUNT(numbers); i++) {
        uint64_t middle = numbers[i].least + (numbers[i].most - numbers[i].least) / 3;
        memcpy((char *)&config + numbers[i].offset, &middle, sizeof middle);
    }
    for (size_t i = 0; i < COUNT(choices); i++) {
        const uint64_t second = 1;
        memcpy((char *)&config + choices[i].offset, &second, sizeof second);
    }
    for (size_t i = 0; i < COUNT(texts); i++) {
        snprintf(value, sizeof value, "%zu: a = b, \"c\" --d.e=f; # \t", i);
        memcpy((char *)&config + texts[i].offset, value, sizeof value);
    }
    memset((char *)&config + texts[0].offset, 'x', CONFIG_TEXT_SIZE - 1);
    before = config;
    int count = config_write_flags(&before, text, argv + 1);
    assert_true(count > (int)(COUNT(numbers) + COUNT(choices) + COUNT(texts)));
    assert_int_equal(config_read(&config, count + 1, argv, &show, &fault), HF_STATUS_OK);
    for (size_t i = 0; i < COUNT(numbers); i++)
        assert_int_equal(number_at(numbers[i].offset),
                         numbers[i].least + (numbers[i].most - numbers[i].least) / 3);
    for (size_t i = 0; i < COUNT(choices); i++)
        assert_int_equal(number_at(choices[i].offset), 1);
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_string_equal(text_at(texts[i].offset), (const char *)&before + texts[i].offset);
}

static void test_wrong_flags(void **state)
{
    static const char *const unknown[] = {"--node.nodes", "--nodes.node", "--bundles",
                                          "node.bundles", "--node.",      "--.bundles",
                                          "-v",           "extra",        ""};

    (void)state;
    for (size_t i = 0; i < COUNT(unknown); i++) {
        assert_int_equal(read_arguments((const char *const[]){unknown[i], "1", NULL}),
                         HF_STATUS_INVALID);
        assert_non_null(strstr(fault.line, "no such flag"));
        assert_memory_equal(fault.line, unknown[i], strlen(unknown[i]));
    }
    assert_int_equal(read_arguments((const char *const[]){"--node.bundles", NULL}),
                     HF_STATUS_INVALID);
    assert_string_equal(fault.line, "--node.bundles: needs a value");
}

static void test_help_and_version(void **state)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    assert_non_null(out);
    assert_int_equal(read_arguments((const char *const[]){"--help", NULL}), HF_STATUS_OK);
    assert_int_equal(show, CONFIG_SHOW_HELP);
    assert_int_equal(read_arguments((const char *const[]){"--version", NULL}), HF_STATUS_OK);
    assert_int_equal(show, CONFIG_SHOW_VERSION);
    config_print_help(out);
    assert_int_equal(fclose(out), 0);
    for (size_t i = 0; i < COUNT(numbers); i++)
        assert_non_null(strstr(text, strchr(numbers[i].flag, '.') + 1));
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_non_null(strstr(text, strchr(texts[i].flag, '.') + 1));
    free(text);
}

static int make_path(void **state)
{
    const char *base = getenv("TMPDIR");
    int file;

    (void)state;
    snprintf(path, sizeof path, "%.200s/holdfast-config-XXXXXX", base != NULL ? base : "/tmp");
    file = mkstemp(path);
    if (file < 0)
        return -1;
    return close(file);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_number_edges),
        cmocka_unit_test(test_durations_of_commands),
        cmocka_unit_test(test_what_is_no_number),
        cmocka_unit_test(test_units),
        cmocka_unit_test(test_choices),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_settings_that_bind_each_other),
        cmocka_unit_test(test_unflushed_fits_half_a_segment),
        cmocka_unit_test(test_a_pairs_settings),
        cmocka_unit_test(test_a_whole_file),
        cmocka_unit_test(test_wrong_files),
        cmocka_unit_test(test_overlong_line),
        cmocka_unit_test(test_missing_file),
        cmocka_unit_test(test_flags_win),
        cmocka_unit_test(test_written_and_read_back),
        cmocka_unit_test(test_wrong_flags),
        cmocka_unit_test(test_help_and_version),
    };

    return cmocka_run_group_tests(tests, make_path, remove_path);
}
