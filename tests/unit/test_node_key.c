/* The node's key file: made once, read back, and refused when others could have read it or when it
 * is no key. */
#include "tools/holdfastd/key.h"

#include "wal/superblock.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[128];
static char path[192];
static struct config config;
static uint8_t key[HF_CHAIN_SECRET_SIZE];
static struct hf_fault fault;
static bool is_new;

static int set_up(void **state)
{
    const char *above = getenv("TMPDIR");
    (void)state;
    memset(&config, 0, sizeof config);
    snprintf(directory, sizeof directory, "%.80s/node-key.XXXXXX", above != NULL ? above : "/tmp");
    assert_non_null(mkdtemp(directory));
    snprintf(config.data_directory, sizeof config.data_directory, "%s", directory);
    snprintf(config.key, sizeof config.key, "node-key");
    snprintf(path, sizeof path, "%s/node-key", directory);
    return 0;
}

static void remove_file(const char *name)
{
    char file[256];
    snprintf(file, sizeof file, "%s/%s", directory, name);
    (void)unlink(file);
}

static int tear_down(void **state)
{
    (void)state;
    remove_file("node-key");
    remove_file("elsewhere");
    remove_file("superblock");
    assert_int_equal(rmdir(directory), 0); /* and nothing else in it */
    return 0;
}

static void make_key(void)
{
    assert_int_equal(key_open(&config, key, &is_new, &fault), HF_STATUS_OK);
    assert_true(is_new);
    assert_int_equal(access(path, F_OK), -1); /* not before it is asked for */
    assert_int_equal(key_write(&config, key, &fault), HF_STATUS_OK);
}

static void refused(enum hf_status status, const char *words)
{
    memset(key, 1, sizeof key);
    assert_int_equal(key_open(&config, key, &is_new, &fault), status);
    assert_non_null(strstr(fault.line, path));
    if (strstr(fault.line, words) == NULL) {
        print_error("expected \"%s\", found %s\n", words, fault.line);
        fail();
    }
}

static void test_made_and_read_back(void **state)
{
    uint8_t again[HF_CHAIN_SECRET_SIZE];
    struct stat info;
    (void)state;
    make_key();
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(info.st_size, HF_CHAIN_SECRET_SIZE);
    assert_int_equal(key_open(&config, again, &is_new, &fault), HF_STATUS_OK);
    assert_false(is_new);
    assert_memory_equal(again, key, sizeof key);
}

static void test_two_are_different(void **state)
{
    uint8_t other[HF_CHAIN_SECRET_SIZE];
    (void)state;
    assert_int_equal(key_open(&config, key, &is_new, &fault), HF_STATUS_OK);
    assert_int_equal(key_open(&config, other, &is_new, &fault), HF_STATUS_OK);
    assert_memory_not_equal(other, key, sizeof key);
}

static void test_modes(void **state)
{
    (void)state;
    make_key();
    for (unsigned mode = 0; mode < 0777; mode++) {
        if ((mode & 0600) != 0600)
            continue;
        assert_int_equal(chmod(path, mode), 0);
        if ((mode & 077) != 0)
            refused(HF_STATUS_CORRUPT, "may be read by others");
        else
            assert_int_equal(key_open(&config, key, &is_new, &fault), HF_STATUS_OK);
    }
}

static void test_no_whole_key(void **state)
{
    (void)state;
    make_key();
    for (int byte = 0; byte < HF_CHAIN_SECRET_SIZE; byte++) {
        int file = open(path, O_RDWR | O_CLOEXEC);
        assert_true(file >= 0);
        uint8_t changed = key[byte] ^ 4;
        assert_int_equal(pwrite(file, &changed, 1, byte), 1);
        uint8_t good = key[byte];
        uint8_t kept[HF_CHAIN_SECRET_SIZE];
        memcpy(kept, key, sizeof kept);
        refused(HF_STATUS_CORRUPT, "halves");
        memcpy(key, kept, sizeof kept);
        assert_int_equal(pwrite(file, &good, 1, byte), 1);
        assert_int_equal(close(file), 0);
    }
    assert_int_equal(key_open(&config, key, &is_new, &fault), HF_STATUS_OK);
    static const off_t sizes[] = {65, 63, 1, 0};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_int_equal(truncate(path, sizes[i]), 0);
        refused(HF_STATUS_CORRUPT, "is not 64 bytes long");
    }
}

static void test_no_plain_file(void **state)
{
    (void)state;
    assert_int_equal(mkdir(path, 0700), 0);
    refused(HF_STATUS_CORRUPT, "is no plain file");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    refused(HF_STATUS_CORRUPT, "is no plain file");
}

/* A log that somebody signed gets no other key. */
static void test_gone(void **state)
{
    char superblock[192];
    (void)state;
    snprintf(superblock, sizeof superblock, "%s/%s", directory, HF_SUPERBLOCK_NAME);
    int file = open(superblock, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    assert_int_equal(close(file), 0);
    refused(HF_STATUS_NOT_FOUND, "there is none");
}

static void test_elsewhere(void **state)
{
    (void)state;
    snprintf(config.key, sizeof config.key, "%s/elsewhere", directory);
    snprintf(path, sizeof path, "%s/elsewhere", directory);
    make_key();
    assert_int_equal(access(path, F_OK), 0);
    snprintf(config.key, sizeof config.key, "%s/missing/key", directory);
    assert_int_equal(key_open(&config, key, &is_new, &fault), HF_STATUS_OK);
    assert_int_equal(key_write(&config, key, &fault), HF_STATUS_IO);
    assert_non_null(strstr(fault.line, "missing/key"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_made_and_read_back), TEST(test_two_are_different), TEST(test_modes),
        TEST(test_no_whole_key),       TEST(test_no_plain_file),     TEST(test_gone),
        TEST(test_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
