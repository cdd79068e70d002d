#include "key.h"

#include "wal/recover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE (2 * CONFIG_TEXT_SIZE)

static enum hf_status complain(struct hf_fault *fault, const char *path, enum hf_status status,
                               const char *why)
{
    snprintf(fault->line, sizeof fault->line, "node.key: %.160s: %s", path, why);
    return status;
}

static void key_path(const struct config *config, char path[PATH_SIZE])
{
    if (strchr(config->key, '/') != NULL)
        snprintf(path, PATH_SIZE, "%s", config->key);
    else
        snprintf(path, PATH_SIZE, "%s/%s", config->data_directory, config->key);
}

/* Whose a file is and who may read it, seen on the open file: it cannot be another by then. */
static const char *why_unsafe(int file)
{
    struct stat info;

    if (fstat(file, &info) != 0)
        return strerror(errno);
    if (!S_ISREG(info.st_mode))
        return "is no plain file";
    if (info.st_uid != geteuid() && info.st_uid != 0)
        return "belongs to somebody else";
    if ((info.st_mode & 077) != 0)
        return "may be read by others: its mode must be 0600";
    return NULL;
}

static enum hf_status read_key(int file, const char *path, uint8_t *secret_key,
                               struct hf_fault *fault)
{
    uint8_t bytes[HF_CHAIN_SECRET_SIZE + 1];
    const char *unsafe = why_unsafe(file);
    ssize_t length;

    if (unsafe != NULL)
        return complain(fault, path, HF_STATUS_CORRUPT, unsafe);
    length = read(file, bytes, sizeof bytes);
    if (length < 0)
        return complain(fault, path, HF_STATUS_IO, strerror(errno));
    if (length != HF_CHAIN_SECRET_SIZE)
        return complain(fault, path, HF_STATUS_CORRUPT, "is not 64 bytes long: no key");
    memcpy(secret_key, bytes, HF_CHAIN_SECRET_SIZE);
    hf_chain_key_wipe(bytes);
    if (hf_chain_key_is_whole(secret_key))
        return HF_STATUS_OK;
    hf_chain_key_wipe(secret_key);
    return complain(fault, path, HF_STATUS_CORRUPT, "its halves do not belong together: damaged");
}

/* Under a temporary name first, then renamed, and the directory flushed. */
enum hf_status key_write(const struct config *config,
                         const uint8_t secret_key[HF_CHAIN_SECRET_SIZE], struct hf_fault *fault)
{
    char path[PATH_SIZE];
    char temporary[PATH_SIZE + 8];
    char directory[PATH_SIZE];
    const char *slash;
    int file;
    bool written;

    key_path(config, path);
    slash = strrchr(path, '/');
    snprintf(temporary, sizeof temporary, "%s.tmp", path);
    snprintf(directory, sizeof directory, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    if (unlink(temporary) != 0 && errno != ENOENT)
        return complain(fault, temporary, HF_STATUS_IO, strerror(errno));
    file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0)
        return complain(fault, temporary, HF_STATUS_IO, strerror(errno));
    written =
        write(file, secret_key, HF_CHAIN_SECRET_SIZE) == HF_CHAIN_SECRET_SIZE && fsync(file) == 0;
    if (close(file) != 0 || !written || rename(temporary, path) != 0)
        return complain(fault, path, HF_STATUS_IO, strerror(errno));
    file = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0)
        return complain(fault, directory, HF_STATUS_IO, strerror(errno));
    written = fsync(file) == 0;
    close(file);
    return written ? HF_STATUS_OK : complain(fault, directory, HF_STATUS_IO, strerror(errno));
}

/* A log whose key is gone can be read by anybody and written by nobody: no other key is made. */
static enum hf_status make_key(const struct config *config, const char *path, uint8_t *secret_key,
                               bool *is_new, struct hf_fault *fault)
{
    char superblock[PATH_SIZE];
    struct stat info;

    snprintf(superblock, sizeof superblock, "%s/%s", config->data_directory, HF_SUPERBLOCK_NAME);
    if (lstat(superblock, &info) == 0)
        return complain(fault, path, HF_STATUS_NOT_FOUND,
                        "there is none, and the log in the data directory is signed by one");
    hf_chain_key_make(secret_key);
    *is_new = true;
    return HF_STATUS_OK;
}

enum hf_status key_open(const struct config *config, uint8_t secret_key[HF_CHAIN_SECRET_SIZE],
                        bool *is_new, struct hf_fault *fault)
{
    char path[PATH_SIZE];
    enum hf_status status;
    int file;

    *is_new = false;
    key_path(config, path);
    file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file < 0 && errno == ENOENT)
        return make_key(config, path, secret_key, is_new, fault);
    if (file < 0)
        return complain(fault, path, HF_STATUS_IO, strerror(errno));
    status = read_key(file, path, secret_key, fault);
    close(file);
    return status;
}
