/* A file system for tests of the log: a disk with a cache that can lose its power, whose flushes
 * can fail, whose writes can fall short. One flat directory; FUSE carries it.
 *
 *     fault_fs DURABLE CACHE MOUNTPOINT
 *
 * Readers see the files of CACHE. DURABLE holds what a power cut leaves: a write goes to CACHE, and
 * from there to DURABLE when the file is flushed. Names and lengths go to both at once. Runs until
 * its standard input ends or says `quit`; other lines change what it does, and each is answered
 * with `ok` on standard output:
 *
 *     good          every call does what it should (as at the start)
 *     fail-flush    from now on each flush fails; what it should have covered is forgotten: the
 *                   cache shows it, DURABLE never gets it
 *     fail-write    from now on each write fails
 *     short-write   from now on each write leaves out its last 512 bytes, and says so
 *     hold-flush    from now on each flush waits, and with it whatever comes after it
 *     pass-flush    as hold-flush, but one goes by: the one that waits, or the next to come
 */
#define FUSE_USE_VERSION 31

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAIL_LENGTH 512 /* what a short write leaves out */

enum mode { GOOD, FAIL_FLUSH, FAIL_WRITE, SHORT_WRITE, HOLD_FLUSH };

/* Part of a file that is not durable. */
struct dirty {
    struct dirty *next;
    char name[NAME_MAX + 1];
    off_t offset;
    size_t length;
};

static int durable; /* directories */
static int cache;
static _Atomic enum mode mode;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t opened = PTHREAD_COND_INITIALIZER;
static unsigned passes;     /* flushes that may go by while they are held */
static struct dirty *dirty; /* FUSE runs in one thread: it needs no lock */

/* All names are of one directory. */
static const char *name_of(const char *path)
{
    return path[1] == '\0' ? "." : path + 1;
}

static int result_of(int result)
{
    return result < 0 ? -errno : 0;
}

static int fs_getattr(const char *path, struct stat *info, struct fuse_file_info *file)
{
    (void)file;
    return result_of(fstatat(cache, name_of(path), info, AT_SYMLINK_NOFOLLOW));
}

static int fs_access(const char *path, int mask)
{
    return result_of(faccessat(cache, name_of(path), mask, 0));
}

static int fs_statfs(const char *path, struct statvfs *info)
{
    (void)path;
    return result_of(fstatvfs(cache, info));
}

static int fs_readdir(const char *path, void *buffer, fuse_fill_dir_t fill, off_t offset,
                      struct fuse_file_info *file, enum fuse_readdir_flags flags)
{
    (void)path;
    (void)offset;
    (void)file;
    (void)flags;
    int again = openat(cache, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = again < 0 ? NULL : fdopendir(again);
    if (stream == NULL) {
        return -errno;
    }
    for (struct dirent *entry = readdir(stream); entry != NULL; entry = readdir(stream)) {
        if (fill(buffer, entry->d_name, NULL, 0, 0) != 0) {
            break;
        }
    }
    closedir(stream);
    return 0;
}

/* Every open file is a number of the cache's; direct, so that the kernel keeps nothing. */
static int open_file(const char *path, int flags, mode_t permissions, struct fuse_file_info *file)
{
    int wanted = (flags & ~(O_DIRECT | O_ACCMODE | O_APPEND)) | O_RDWR | O_CLOEXEC;
    int fd = openat(cache, name_of(path), wanted, permissions);
    if (fd < 0) {
        return -errno;
    }
    file->fh = (uint64_t)fd;
    file->direct_io = 1;
    return 0;
}

static int fs_open(const char *path, struct fuse_file_info *file)
{
    return open_file(path, file->flags, 0, file);
}

static int fs_create(const char *path, mode_t permissions, struct fuse_file_info *file)
{
    int flags = file->flags | O_CREAT;
    int fd = openat(durable, name_of(path), O_WRONLY | O_CREAT | O_CLOEXEC, permissions);
    if (fd < 0) {
        return -errno;
    }
    close(fd);
    return open_file(path, flags, permissions, file);
}

static int fs_release(const char *path, struct fuse_file_info *file)
{
    (void)path;
    return result_of(close((int)file->fh));
}

static int fs_read(const char *path, char *buffer, size_t size, off_t offset,
                   struct fuse_file_info *file)
{
    (void)path;
    ssize_t done = pread((int)file->fh, buffer, size, offset);
    return done < 0 ? -errno : (int)done;
}

static int fs_write(const char *path, const char *buffer, size_t size, off_t offset,
                    struct fuse_file_info *file)
{
    enum mode now = atomic_load(&mode);
    if (now == FAIL_WRITE) {
        return -EIO;
    }
    if (now == SHORT_WRITE && size > TAIL_LENGTH) {
        size -= TAIL_LENGTH;
    }
    ssize_t done = pwrite((int)file->fh, buffer, size, offset);
    if (done < 0) {
        return -errno;
    }
    struct dirty *part = calloc(1, sizeof *part);
    assert(part != NULL);
    snprintf(part->name, sizeof part->name, "%s", name_of(path));
    part->offset = offset;
    part->length = (size_t)done;
    part->next = dirty;
    dirty = part;
    return (int)done;
}

/* From the cache to the durable file. */
static int settle(int from, int to, const struct dirty *part)
{
    static char buffer[1 << 20];
    for (size_t at = 0; at < part->length;) {
        size_t left = part->length - at;
        ssize_t got = pread(from, buffer, left < sizeof buffer ? left : sizeof buffer,
                            part->offset + (off_t)at);
        if (got <= 0) {
            return got < 0 ? -errno : 0; /* the file has been shortened since */
        }
        if (pwrite(to, buffer, (size_t)got, part->offset + (off_t)at) != got) {
            return -EIO;
        }
        at += (size_t)got;
    }
    return 0;
}

static void wait_for_pass(void)
{
    pthread_mutex_lock(&gate);
    while (atomic_load(&mode) == HOLD_FLUSH && passes == 0) {
        pthread_cond_wait(&opened, &gate);
    }
    if (passes > 0) {
        passes--;
    }
    pthread_mutex_unlock(&gate);
}

/* Also of a file that was opened with O_SYNC or O_DSYNC, where no flush comes: the log opens none
 * so. */
static int fs_fsync(const char *path, int data_only, struct fuse_file_info *file)
{
    (void)data_only;
    wait_for_pass();
    bool fails = atomic_load(&mode) == FAIL_FLUSH;
    int to = openat(durable, name_of(path), O_WRONLY | O_CLOEXEC);
    int result = to < 0 ? -errno : 0;
    for (struct dirty **link = &dirty; *link != NULL;) {
        struct dirty *part = *link;
        if (strcmp(part->name, name_of(path)) != 0) {
            link = &part->next;
            continue;
        }
        if (!fails && result == 0) {
            result = settle((int)file->fh, to, part);
        }
        *link = part->next;
        free(part);
    }
    if (to >= 0) {
        close(to);
    }
    return fails ? -EIO : result;
}

static int fs_fsyncdir(const char *path, int data_only, struct fuse_file_info *file)
{
    (void)path;
    (void)data_only;
    (void)file;
    return 0;
}

static int set_length(const char *name, off_t length)
{
    int fds[2] = {openat(cache, name, O_WRONLY | O_CLOEXEC),
                  openat(durable, name, O_WRONLY | O_CLOEXEC)};
    int result = fds[0] < 0 || fds[1] < 0 ? -errno : 0;
    for (int i = 0; i < 2; i++) {
        if (result == 0) {
            result = result_of(ftruncate(fds[i], length));
        }
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
    return result;
}

static int fs_truncate(const char *path, off_t length, struct fuse_file_info *file)
{
    (void)file;
    return set_length(name_of(path), length);
}

static int fs_fallocate(const char *path, int how, off_t offset, off_t length,
                        struct fuse_file_info *file)
{
    struct stat info;
    if (how != 0) {
        return -EOPNOTSUPP;
    }
    if (fstat((int)file->fh, &info) != 0) {
        return -errno;
    }
    return info.st_size >= offset + length ? 0 : set_length(name_of(path), offset + length);
}

static int fs_unlink(const char *path)
{
    if (unlinkat(durable, name_of(path), 0) != 0 || unlinkat(cache, name_of(path), 0) != 0) {
        return -errno;
    }
    return 0;
}

static int fs_rename(const char *from, const char *to, unsigned int flags)
{
    const char *old = name_of(from);
    const char *new = name_of(to);
    if (flags != 0) {
        return -EINVAL;
    }
    if (renameat(durable, old, durable, new) != 0 || renameat(cache, old, cache, new) != 0) {
        return -errno;
    }
    for (struct dirty *part = dirty; part != NULL; part = part->next) {
        if (strcmp(part->name, old) == 0) {
            snprintf(part->name, sizeof part->name, "%s", new);
        }
    }
    return 0;
}

static int fs_chmod(const char *path, mode_t permissions, struct fuse_file_info *file)
{
    (void)file;
    int result = result_of(fchmodat(durable, name_of(path), permissions, 0));
    return result != 0 ? result : result_of(fchmodat(cache, name_of(path), permissions, 0));
}

static void *fs_init(struct fuse_conn_info *connection, struct fuse_config *config)
{
    (void)connection;
    config->kernel_cache = 0;
    config->entry_timeout = 0;
    config->attr_timeout = 0;
    config->negative_timeout = 0;
    return NULL;
}

static const struct fuse_operations operations = {
    .init = fs_init,
    .getattr = fs_getattr,
    .access = fs_access,
    .statfs = fs_statfs,
    .readdir = fs_readdir,
    .open = fs_open,
    .create = fs_create,
    .release = fs_release,
    .read = fs_read,
    .write = fs_write,
    .fsync = fs_fsync,
    .fsyncdir = fs_fsyncdir,
    .truncate = fs_truncate,
    .fallocate = fs_fallocate,
    .unlink = fs_unlink,
    .rename = fs_rename,
    .chmod = fs_chmod,
};

/* What waits at the gate looks again. */
static void set_gate(enum mode new_mode, unsigned new_passes)
{
    pthread_mutex_lock(&gate);
    atomic_store(&mode, new_mode);
    passes = new_passes;
    pthread_cond_signal(&opened);
    pthread_mutex_unlock(&gate);
}

static bool obey(const char *line)
{
    static const char *const words[] = {"good", "fail-flush", "fail-write", "short-write",
                                        "hold-flush"};
    unsigned word = 0;
    while (word < sizeof words / sizeof words[0] && strcmp(line, words[word]) != 0) {
        word++;
    }
    if (word < sizeof words / sizeof words[0]) {
        set_gate((enum mode)word, 0);
    } else if (strcmp(line, "pass-flush") == 0) {
        set_gate(HOLD_FLUSH, 1);
    } else {
        return false; /* quit, or nonsense */
    }
    printf("ok\n");
    fflush(stdout);
    return true;
}

/* The end of the file system is the end of its standard input: it goes with the test. */
static void *listen_to_test(void *fuse)
{
    char line[64];
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (!obey(line)) {
            break;
        }
    }
    set_gate(GOOD, 0);
    fuse_exit(fuse);
    fuse_unmount(fuse);
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: fault_fs DURABLE CACHE MOUNTPOINT\n");
        return 2;
    }
    durable = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cache = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (durable < 0 || cache < 0) {
        perror("fault_fs");
        return 2;
    }
    char name[] = "fault_fs";
    char *words[] = {name, NULL};
    struct fuse_args arguments = FUSE_ARGS_INIT(1, words);
    struct fuse *fuse = fuse_new(&arguments, &operations, sizeof operations, NULL);
    if (fuse == NULL || fuse_mount(fuse, argv[3]) != 0) {
        return 1;
    }
    pthread_t listener;
    if (pthread_create(&listener, NULL, listen_to_test, fuse) != 0) {
        return 1;
    }
    printf("ready\n");
    fflush(stdout);
    int result = fuse_loop(fuse);
    pthread_join(listener, NULL);
    fuse_destroy(fuse);
    fuse_opt_free_args(&arguments);
    return result == 0 ? 0 : 1;
}
