/* Lines of the audit file: what they say, where they go, and what happens when they cannot. */
#include "tools/holdfastd/audit.h"

#include <fcntl.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static const struct audit_peer peer = {.uid = 1001, .gid = 1002, .pid = 1003};

static char directory[64];
static struct config config;
static struct hf_fault fault;

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static int begin(void **state)
{
    (void)state;
    snprintf(directory, sizeof directory, "audit.XXXXXX");
    if (mkdtemp(directory) == NULL)
        return -1;
    memset(&config, 0, sizeof config);
    memset(&fault, 0, sizeof fault);
    config.durability = CONFIG_DURABILITY_SOLO;
    snprintf(config.data_directory, sizeof config.data_directory, "%s", directory);
    return 0;
}

static int end(void **state)
{
    static const char *const names[] = {"audit", "other", "moved"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unlink(path_of(names[i]));
    return rmdir(directory);
}

static enum hf_status write_line(const char *command, const char *outcome)
{
    return audit_write(&config, &peer, command, outcome, &fault);
}

/* The lines of a file, whole JSON each; how many are of this command and outcome. */
static unsigned count_lines(const char *name, const char *command, const char *outcome)
{
    char line[8192];
    unsigned found = 0;
    FILE *file = fopen(path_of(name), "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        const char *said, *ended, *when;
        json_int_t uid, pid;
        struct tm parts;
        assert_non_null(object);
        assert_int_equal(json_unpack(object, "{s:s, s:I, s:I, s:s, s:s !}", "time", &when, "uid",
                                     &uid, "pid", &pid, "command", &said, "outcome", &ended),
                         0);
        assert_int_equal(uid, 1001);
        assert_int_equal(pid, 1003);
        assert_non_null(strptime(when, "%Y-%m-%dT%H:%M:%SZ", &parts));
        time_t age_s = time(NULL) - timegm(&parts);
        assert_true(age_s >= 0 && age_s < 60);
        found += strcmp(said, command) == 0 && strcmp(ended, outcome) == 0;
        json_decref(object);
    }
    fclose(file);
    return found;
}

static void test_lines(void **state)
{
    struct stat is;
    (void)state;
    assert_int_equal(write_line("reload", "asked"), HF_STATUS_OK);
    assert_int_equal(write_line("reload", "done"), HF_STATUS_OK);
    assert_int_equal(write_line("reload", "asked"), HF_STATUS_OK);
    assert_int_equal(count_lines("audit", "reload", "asked"), 2);
    assert_int_equal(count_lines("audit", "reload", "done"), 1);
    assert_int_equal(stat(path_of("audit"), &is), 0);
    assert_int_equal(is.st_mode & 0777, 0600);

    /* It is moved away, and goes on in a new one. */
    char moved[128];
    snprintf(moved, sizeof moved, "%s", path_of("moved"));
    assert_int_equal(rename(path_of("audit"), moved), 0);
    assert_int_equal(write_line("checkpoint", "asked"), HF_STATUS_OK);
    assert_int_equal(count_lines("audit", "checkpoint", "asked"), 1);
    assert_int_equal(count_lines("moved", "checkpoint", "asked"), 0);
}

/* Whoever asks chooses the words: they stay inside one line. */
static void test_words(void **state)
{
    char longest[512];
    (void)state;
    memset(longest, '\1', sizeof longest - 1); /* each is six characters of JSON */
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(write_line("a\n{\"uid\": 0}\n\"b", "asked"), HF_STATUS_OK);
    assert_int_equal(write_line("\xff\xfe", "asked"), HF_STATUS_OK);
    assert_int_equal(write_line(longest, "asked"), HF_STATUS_OK);
    assert_int_equal(count_lines("audit", "a\n{\"uid\": 0}\n\"b", "asked"), 1);
    assert_int_equal(count_lines("audit", "(no text)", "asked"), 1);
    assert_int_equal(count_lines("audit", longest, "asked"), 1);
}

static void test_places(void **state)
{
    (void)state;
    snprintf(config.admin_audit, sizeof config.admin_audit, "%s", path_of("other"));
    assert_int_equal(write_line("reload", "asked"), HF_STATUS_OK);
    assert_int_equal(count_lines("other", "reload", "asked"), 1);
    assert_int_equal(access(path_of("audit"), F_OK), -1);

    /* Without a log only where a file is named. */
    config.durability = CONFIG_DURABILITY_MEMORY_BENCH;
    assert_int_equal(write_line("reload", "done"), HF_STATUS_OK);
    assert_int_equal(count_lines("other", "reload", "done"), 1);
    config.admin_audit[0] = '\0';
    assert_int_equal(write_line("reload", "failed"), HF_STATUS_OK);
    assert_int_equal(access(path_of("audit"), F_OK), -1);
}

/* What cannot be written down is not done: the caller hears of it. */
static void test_failures(void **state)
{
    char target[128];
    (void)state;
    snprintf(target, sizeof target, "%s", path_of("other"));
    assert_int_equal(symlink("other", path_of("audit")), 0);
    assert_int_equal(write_line("reload", "asked"), HF_STATUS_IO);
    assert_non_null(strstr(fault.line, "audit"));
    assert_int_equal(access(target, F_OK), -1);
    snprintf(config.admin_audit, sizeof config.admin_audit, "/dev/full");
    assert_int_equal(write_line("reload", "asked"), HF_STATUS_IO);
    assert_non_null(strstr(fault.line, "No space left"));
    snprintf(config.admin_audit, sizeof config.admin_audit, "%s/none/audit", directory);
    assert_int_equal(write_line("reload", "asked"), HF_STATUS_IO);
    assert_non_null(strstr(fault.line, "No such file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lines, begin, end),
        cmocka_unit_test_setup_teardown(test_words, begin, end),
        cmocka_unit_test_setup_teardown(test_places, begin, end),
        cmocka_unit_test_setup_teardown(test_failures, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
