/* Key files: made once, for their owner alone, read only when nobody else could have. */
#include "net/key.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[256];
static char path[300];

static int begin(void **state)
{
    (void)state;
    const char *where = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%s/holdfast-key-XXXXXX", where != NULL ? where : "/tmp");
    if (mkdtemp(directory) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/node.key", directory);
    return 0;
}

static int end(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(directory);
}

static struct hf_key_pair make(void)
{
    struct hf_key_pair pair;
    struct hf_fault fault;
    hf_key_generate(&pair);
    assert_int_equal(hf_key_write(path, &pair, &fault), HF_STATUS_OK);
    return pair;
}

static size_t read_file(char *text, size_t size)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t length = fread(text, 1, size, file);
    fclose(file);
    return length;
}

static void write_file(const char *text, size_t size)
{
    unlink(path);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, size), (ssize_t)size);
    close(file);
}

static void refuse(enum hf_status expected, const char *word)
{
    static const struct hf_key_pair none;
    struct hf_key_pair pair;
    struct hf_fault fault = {""};
    memset(&pair, 0x55, sizeof pair);
    assert_int_equal(hf_key_read(path, &pair, &fault), expected);
    assert_memory_equal(&pair, &none, sizeof pair);
    if (strstr(fault.line, path) == NULL || strstr(fault.line, word) == NULL)
        fail_msg("the fault does not name the file and '%s': %s", word, fault.line);
}

static void test_there_and_back(void **state)
{
    (void)state;
    struct hf_key_pair again, pair = make();
    struct hf_fault fault;
    struct stat found;
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 07777, 0600);
    assert_int_equal(found.st_size, HF_KEY_FILE_SIZE);
    assert_int_equal(hf_key_read(path, &again, &fault), HF_STATUS_OK);
    assert_memory_equal(&again, &pair, sizeof pair);
    assert_int_equal(chmod(path, 0400), 0);
    assert_int_equal(hf_key_read(path, &again, &fault), HF_STATUS_OK);

    uint8_t public_key[HF_NOISE_KEY_SIZE];
    crypto_scalarmult_base(public_key, pair.private_key);
    assert_memory_equal(public_key, pair.public_key, sizeof public_key);
    struct hf_key_pair other;
    hf_key_generate(&other);
    assert_memory_not_equal(other.private_key, pair.private_key, sizeof other.private_key);
}

/* Whatever the umask is. */
static void test_umask(void **state)
{
    (void)state;
    struct stat found;
    mode_t before = umask(0777);
    make();
    umask(before);
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 07777, 0600);
    unlink(path);
    before = umask(0);
    make();
    umask(before);
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 07777, 0600);
}

static void test_never_over(void **state)
{
    (void)state;
    char before[HF_KEY_FILE_SIZE], after[HF_KEY_FILE_SIZE];
    struct hf_key_pair pair = make();
    struct hf_fault fault;
    read_file(before, sizeof before);
    assert_int_equal(hf_key_write(path, &pair, &fault), HF_STATUS_EXISTS);
    assert_non_null(strstr(fault.line, path));
    read_file(after, sizeof after);
    assert_memory_equal(before, after, sizeof after);

    /* Nor through a link to nowhere. */
    char target[320];
    snprintf(target, sizeof target, "%s/target", directory);
    unlink(path);
    assert_int_equal(symlink(target, path), 0);
    assert_int_equal(hf_key_write(path, &pair, &fault), HF_STATUS_EXISTS);
    assert_int_equal(access(target, F_OK), -1);
    unlink(path);
    snprintf(target, sizeof target, "%s/none/key", directory);
    assert_int_equal(hf_key_write(target, &pair, &fault), HF_STATUS_IO);
}

static void test_modes(void **state)
{
    (void)state;
    make();
    for (mode_t mode = 0; mode <= 07777; mode++) {
        if (mode == 0600 || mode == 0400)
            continue;
        assert_int_equal(chmod(path, mode), 0);
        if (access(path, R_OK) == 0)
            refuse(HF_STATUS_INVALID, "mode");
    }
}

static void test_no_key_file(void **state)
{
    (void)state;
    refuse(HF_STATUS_NOT_FOUND, "No such file");
    assert_int_equal(mkdir(path, 0700), 0);
    refuse(HF_STATUS_INVALID, "regular");
    rmdir(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    refuse(HF_STATUS_INVALID, "regular");
    unlink(path);
    if (geteuid() == 0) {
        make();
        assert_int_equal(chown(path, 1, 1), 0);
        refuse(HF_STATUS_INVALID, "another user");
    }
}

/* Every byte of the file matters. Digits of either case are the same digits. */
static void test_damage(void **state)
{
    (void)state;
    char text[HF_KEY_FILE_SIZE + 1], damaged[HF_KEY_FILE_SIZE + 1];
    struct hf_fault fault;
    struct hf_key_pair again, pair = make();
    assert_int_equal(read_file(text, sizeof text), HF_KEY_FILE_SIZE);
    for (size_t i = 0; i < HF_KEY_FILE_SIZE; i++) {
        memcpy(damaged, text, sizeof text);
        damaged[i] = text[i] == '0' ? '8' : '0';
        write_file(damaged, HF_KEY_FILE_SIZE);
        enum hf_status status = hf_key_read(path, &again, &fault);
        /* Three low bits and the two highest of a private key do not matter to the curve. */
        bool is_edge = i == 23 + 1 || i == 23 + 62;
        assert_true(status == HF_STATUS_WRONG_FORMAT || status == HF_STATUS_CORRUPT ||
                    (status == HF_STATUS_OK && is_edge));
    }
    write_file(text, HF_KEY_FILE_SIZE - 1);
    refuse(HF_STATUS_WRONG_FORMAT, "no key file");
    text[HF_KEY_FILE_SIZE] = '\n';
    write_file(text, HF_KEY_FILE_SIZE + 1);
    refuse(HF_STATUS_WRONG_FORMAT, "no key file");
    write_file(text, 0);
    refuse(HF_STATUS_WRONG_FORMAT, "no key file");
    write_file(text, HF_KEY_FILE_SIZE);
    assert_int_equal(hf_key_read(path, &again, &fault), HF_STATUS_OK);
    assert_memory_equal(&again, &pair, sizeof pair);
}

static void test_text(void **state)
{
    (void)state;
    struct hf_key_pair pair;
    uint8_t key[HF_NOISE_KEY_SIZE];
    char text[HF_KEY_DIGITS_SIZE + 1];
    hf_key_generate(&pair);
    hf_key_text(pair.public_key, text);
    assert_int_equal(strlen(text), HF_KEY_DIGITS);
    assert_true(hf_key_parse(text, key));
    assert_memory_equal(key, pair.public_key, sizeof key);
    for (size_t i = 0; i < HF_KEY_DIGITS; i++) {
        char kept = text[i];
        text[i] = 'g';
        assert_false(hf_key_parse(text, key));
        text[i] = '\0';
        assert_false(hf_key_parse(text, key));
        text[i] = kept;
    }
    text[HF_KEY_DIGITS] = '0';
    text[HF_KEY_DIGITS + 1] = '\0';
    assert_false(hf_key_parse(text, key));
}

static void test_memory(void **state)
{
    (void)state;
    struct hf_fault fault = {""};
    uint8_t *memory = hf_key_memory_create(5000, &fault);
    assert_non_null(memory);
    for (size_t i = 0; i < 5000; i++)
        assert_int_equal(memory[i], 0);

    /* The kernel counts it as locked and leaves it out of dumps. */
    char line[256], flags[256] = "";
    unsigned long from = 0, to = 0;
    bool is_here = false;
    FILE *maps = fopen("/proc/self/smaps", "r");
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps) != NULL) {
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            is_here = from <= (uintptr_t)memory && (uintptr_t)memory < to;
        else if (is_here && strncmp(line, "VmFlags:", 8) == 0)
            memcpy(flags, line, sizeof flags);
    }
    fclose(maps);
#ifndef __SANITIZE_ADDRESS__ /* it locks nothing, and says that it did */
    assert_non_null(strstr(flags, " lo"));
#endif
    assert_non_null(strstr(flags, " dd"));
    hf_key_memory_destroy(memory, 5000);
    hf_key_memory_destroy(NULL, 1);
}

/* In a process of its own: what it gives up it does not get back. */
static void test_no_dumps(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit limit;
        bool is_off = hf_key_forbid_dumps() && getrlimit(RLIMIT_CORE, &limit) == 0 &&
                      limit.rlim_max == 0 && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
        _exit(is_off ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_there_and_back, begin, end),
        cmocka_unit_test_setup_teardown(test_umask, begin, end),
        cmocka_unit_test_setup_teardown(test_never_over, begin, end),
        cmocka_unit_test_setup_teardown(test_modes, begin, end),
        cmocka_unit_test_setup_teardown(test_no_key_file, begin, end),
        cmocka_unit_test_setup_teardown(test_damage, begin, end),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_no_dumps),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
