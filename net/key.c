#include "key.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const char private_word[] = "holdfast-private-key 1 ";
static const char public_word[] = "public ";
#define PRIVATE_AT  (sizeof private_word - 1)
#define PRIVATE_END (PRIVATE_AT + HF_KEY_DIGITS)
#define PUBLIC_LINE (PRIVATE_END + 1)
#define PUBLIC_AT   (PUBLIC_LINE + sizeof public_word - 1)
#define PUBLIC_END  (PUBLIC_AT + HF_KEY_DIGITS)
_Static_assert(PUBLIC_END + 1 == HF_KEY_FILE_SIZE, "two lines, each with its newline");

/* What a file holds. It is a secret, and so lies in locked memory as well. */
struct text {
    char bytes[HF_KEY_FILE_SIZE + 1]; /* one more, to see that a file is longer */
    char digits[HF_KEY_DIGITS_SIZE];
};

/* ---- memory */

static size_t whole_pages(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (size + page - 1) / page * page;
}

void *hf_key_memory_create(size_t size, struct hf_fault *fault)
{
    assert(size > 0 && fault != NULL);
    size_t mapped = whole_pages(size);
    void *memory = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        snprintf(fault->line, sizeof fault->line, "no memory for keys: %s", strerror(errno));
        return NULL;
    }
    /* sodium_mlock also keeps the pages out of core dumps. */
    if (sodium_mlock(memory, mapped) != 0) {
        snprintf(fault->line, sizeof fault->line,
                 "cannot lock %zu bytes into memory for keys: %s (see ulimit -l)", mapped,
                 strerror(errno));
        munmap(memory, mapped);
        return NULL;
    }
    return memory;
}

void hf_key_memory_destroy(void *memory, size_t size)
{
    if (memory == NULL)
        return;
    size_t mapped = whole_pages(size);
    sodium_munlock(memory, mapped); /* wipes first */
    munmap(memory, mapped);
}

bool hf_key_forbid_dumps(void)
{
    static const struct rlimit none = {0, 0};
    return setrlimit(RLIMIT_CORE, &none) == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
}

/* ---- keys */

void hf_key_generate(struct hf_key_pair *pair)
{
    assert(pair != NULL);
    randombytes_buf(pair->private_key, sizeof pair->private_key);
    hf_key_pair_complete(pair);
}

void hf_key_text(const uint8_t key[HF_NOISE_KEY_SIZE], char text[HF_KEY_DIGITS_SIZE])
{
    assert(key != NULL && text != NULL);
    sodium_bin2hex(text, HF_KEY_DIGITS_SIZE, key, HF_NOISE_KEY_SIZE);
}

/* 64 digits; what follows them is the caller's. */
static bool parse_digits(const char *digits, uint8_t key[HF_NOISE_KEY_SIZE])
{
    size_t size = 0;
    const char *end = NULL;
    int result = sodium_hex2bin(key, HF_NOISE_KEY_SIZE, digits, HF_KEY_DIGITS, NULL, &size, &end);
    return result == 0 && size == HF_NOISE_KEY_SIZE && end == digits + HF_KEY_DIGITS;
}

bool hf_key_parse(const char *text, uint8_t key[HF_NOISE_KEY_SIZE])
{
    assert(text != NULL && key != NULL);
    return strlen(text) == HF_KEY_DIGITS && parse_digits(text, key);
}

/* ---- writing */

static enum hf_status fail(struct hf_fault *fault, enum hf_status status, const char *path,
                           const char *what)
{
    snprintf(fault->line, sizeof fault->line, "%s: %s", path, what);
    return status;
}

static void format(struct text *text, const struct hf_key_pair *pair)
{
    memcpy(text->bytes, private_word, PRIVATE_AT);
    hf_key_text(pair->private_key, text->digits);
    memcpy(text->bytes + PRIVATE_AT, text->digits, HF_KEY_DIGITS);
    text->bytes[PRIVATE_END] = '\n';
    memcpy(text->bytes + PUBLIC_LINE, public_word, sizeof public_word - 1);
    hf_key_text(pair->public_key, text->digits);
    memcpy(text->bytes + PUBLIC_AT, text->digits, HF_KEY_DIGITS);
    text->bytes[PUBLIC_END] = '\n';
}

/* The whole file and its mode, on disk. */
static bool fill(int file, const struct text *text)
{
    size_t written = 0;
    if (fchmod(file, S_IRUSR | S_IWUSR) != 0) /* whatever the umask took away */
        return false;
    while (written < HF_KEY_FILE_SIZE) {
        ssize_t result = write(file, text->bytes + written, HF_KEY_FILE_SIZE - written);
        if (result < 0 && errno == EINTR)
            continue;
        if (result <= 0)
            return false;
        written += (size_t)result;
    }
    return fsync(file) == 0;
}

/* The file's name, on disk. */
static bool flush_directory(const char *path)
{
    char copy[PATH_MAX];
    if (strlen(path) >= sizeof copy) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(copy, path, strlen(path) + 1);
    int directory = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return false;
    bool is_flushed = fsync(directory) == 0;
    close(directory);
    return is_flushed;
}

enum hf_status hf_key_write(const char *path, const struct hf_key_pair *pair,
                            struct hf_fault *fault)
{
    assert(path != NULL && pair != NULL);
    assert(fault != NULL);
    struct text *text = hf_key_memory_create(sizeof *text, fault);
    if (text == NULL)
        return HF_STATUS_NO_MEMORY;
    format(text, pair);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
    int trouble = file < 0 ? errno : 0;
    if (file >= 0) {
        bool is_written = fill(file, text);
        trouble = is_written ? 0 : errno;
        is_written = close(file) == 0 && is_written && flush_directory(path);
        if (!is_written) {
            trouble = trouble == 0 ? errno : trouble;
            unlink(path);
        }
    }
    hf_key_memory_destroy(text, sizeof *text);
    if (trouble == EEXIST)
        return fail(fault, HF_STATUS_EXISTS, path, "exists already, and is left alone");
    return trouble == 0 ? HF_STATUS_OK : fail(fault, HF_STATUS_IO, path, strerror(trouble));
}

/* ---- reading */

/* May this file be trusted with a key? By what is open, not by its name. */
static enum hf_status check_file(int file, const char *path, struct hf_fault *fault)
{
    struct stat found;
    if (fstat(file, &found) != 0)
        return fail(fault, HF_STATUS_IO, path, strerror(errno));
    if (!S_ISREG(found.st_mode))
        return fail(fault, HF_STATUS_INVALID, path, "is no regular file");
    if (found.st_uid != geteuid())
        return fail(fault, HF_STATUS_INVALID, path, "belongs to another user");
    mode_t mode = found.st_mode & 07777;
    if (mode != (S_IRUSR | S_IWUSR) && mode != S_IRUSR) {
        snprintf(fault->line, sizeof fault->line,
                 "%s: has mode %04o; a key is read only from mode 0600 or 0400", path,
                 (unsigned)mode);
        return HF_STATUS_INVALID;
    }
    return HF_STATUS_OK;
}

static enum hf_status read_text(int file, const char *path, struct text *text,
                                struct hf_fault *fault)
{
    size_t size = 0;
    while (size < sizeof text->bytes) {
        ssize_t result = read(file, text->bytes + size, sizeof text->bytes - size);
        if (result < 0 && errno == EINTR)
            continue;
        if (result < 0)
            return fail(fault, HF_STATUS_IO, path, strerror(errno));
        if (result == 0)
            break;
        size += (size_t)result;
    }
    bool is_key = size == HF_KEY_FILE_SIZE && memcmp(text->bytes, private_word, PRIVATE_AT) == 0 &&
                  memcmp(text->bytes + PUBLIC_LINE, public_word, sizeof public_word - 1) == 0 &&
                  text->bytes[PRIVATE_END] == '\n' && text->bytes[PUBLIC_END] == '\n';
    return is_key ? HF_STATUS_OK : fail(fault, HF_STATUS_WRONG_FORMAT, path, "is no key file");
}

static enum hf_status parse(const struct text *text, const char *path, struct hf_key_pair *pair,
                            struct hf_fault *fault)
{
    uint8_t public_key[HF_NOISE_KEY_SIZE];
    if (!parse_digits(text->bytes + PRIVATE_AT, pair->private_key) ||
        !parse_digits(text->bytes + PUBLIC_AT, public_key))
        return fail(fault, HF_STATUS_WRONG_FORMAT, path, "is no key file");
    hf_key_pair_complete(pair);
    if (memcmp(public_key, pair->public_key, sizeof public_key) != 0)
        return fail(fault, HF_STATUS_CORRUPT, path, "the public key is not the private key's");
    return HF_STATUS_OK;
}

enum hf_status hf_key_read(const char *path, struct hf_key_pair *pair, struct hf_fault *fault)
{
    assert(path != NULL && pair != NULL);
    assert(fault != NULL);
    sodium_memzero(pair, sizeof *pair);
    /* Not blocking: someone may have put a pipe there. */
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (file < 0)
        return fail(fault, errno == ENOENT ? HF_STATUS_NOT_FOUND : HF_STATUS_IO, path,
                    strerror(errno));
    enum hf_status status = check_file(file, path, fault);
    struct text *text = NULL;
    if (status == HF_STATUS_OK) {
        text = hf_key_memory_create(sizeof *text, fault);
        status = text == NULL ? HF_STATUS_NO_MEMORY : read_text(file, path, text, fault);
    }
    if (status == HF_STATUS_OK)
        status = parse(text, path, pair, fault);
    hf_key_memory_destroy(text, sizeof *text);
    close(file);
    if (status != HF_STATUS_OK)
        sodium_memzero(pair, sizeof *pair);
    return status;
}

/* The digits among `length` bytes of a file: those of a public key alone, or its second line. */
static bool find_public(char *bytes, size_t length, uint8_t key[HF_NOISE_KEY_SIZE])
{
    const char *digits = bytes;
    if (length == HF_KEY_FILE_SIZE && memcmp(bytes, private_word, PRIVATE_AT) == 0)
        digits = bytes + PUBLIC_LINE + sizeof public_word - 1;
    bytes[length] = '\0';
    size_t size = strcspn(digits, "\r\n");
    bool is_alone = digits[size + strspn(digits + size, "\r\n")] == '\0';
    return size == HF_KEY_DIGITS && is_alone && parse_digits(digits, key);
}

enum hf_status hf_key_read_public(const char *text, uint8_t key[HF_NOISE_KEY_SIZE],
                                  struct hf_fault *fault)
{
    char bytes[HF_KEY_FILE_SIZE + 2];
    assert(text != NULL && key != NULL && fault != NULL);
    if (hf_key_parse(text, key))
        return HF_STATUS_OK;
    int file = open(text, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file < 0)
        return fail(fault, errno == ENOENT ? HF_STATUS_NOT_FOUND : HF_STATUS_IO, text,
                    errno == ENOENT ? "is neither a public key of 64 hexadecimal digits nor a file"
                                    : strerror(errno));
    ssize_t length = read(file, bytes, sizeof bytes - 1);
    int error = errno;
    close(file);
    if (length < 0)
        return fail(fault, HF_STATUS_IO, text, strerror(error));
    bool is_found = find_public(bytes, (size_t)length, key);
    sodium_memzero(bytes, sizeof bytes); /* it may have been a whole key file */
    return is_found ? HF_STATUS_OK
                    : fail(fault, HF_STATUS_WRONG_FORMAT, text, "holds no public key");
}
