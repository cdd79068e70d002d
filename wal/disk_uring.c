/* The real disk.
 *
 * The blocking half is plain system calls on the directory. The appending half is one io_uring,
 * made by the thread that attaches: single issuer, completions delivered when that thread asks. A
 * durable append is a write, and after it an fdatasync that began when the write had ended whole.
 * One fdatasync serves every append to its file that had ended by then, so that under load a flush
 * is shared, and an append alone gets its own at once. (A write with RWF_DSYNC would flush for
 * itself, and complete through a kernel worker which a spinning thread can starve for
 * milliseconds.)
 *
 * Buffers and files are registered, so that a request pins and looks up nothing; where the system
 * refuses to register, plain requests do the same work. */
#include "disk_uring.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define OPS_MAX 128
#define FLUSHES_MAX \
    2 /* in flight: while one is under way, what ends meanwhile gathers for the next */
#define RING_ENTRIES (2 * OPS_MAX)
#define BUFFERS_MAX  64

enum op_state { OP_FREE, OP_WRITING, OP_WRITTEN, OP_FLUSHING, OP_ENDED };

/* One append or fill on its way. A write carries its op's number through the ring, a flush its own,
 * counted on from OPS_MAX. */
struct op {
    uint64_t tag;
    uint32_t length;
    int file;
    enum op_state state;
    bool durable;
    uint8_t flush; /* that it waits for, in OP_FLUSHING */
    int error;     /* errno of what failed, 0: nothing did */
};

struct open_file {
    int fd; /* -1: free */
    bool registered;
};

struct uring_disk {
    struct hf_disk disk; /* first: it is what others hold */
    int directory;
    char path[160]; /* for fault lines */
    struct open_file files[HF_DISK_FILES_MAX];

    bool attached;
    bool files_registered;
    bool buffers_registered;
    bool is_flagged; /* the kernel says in the ring when it wants to be entered */
    struct io_uring ring;
    const uint8_t *buffers[BUFFERS_MAX];
    size_t buffer_length;
    uint32_t buffer_count;
    struct op ops[OPS_MAX];
    uint32_t free_ops[OPS_MAX]; /* a stack */
    uint32_t free_count;
    uint32_t written_count;  /* in OP_WRITTEN */
    uint32_t ended[OPS_MAX]; /* a queue of ops that poll has still to tell of */
    uint32_t ended_first;
    uint32_t ended_count;
    bool flushes[FLUSHES_MAX]; /* in flight */
    uint32_t unsubmitted;      /* requests prepared since the last submit */
};

static struct uring_disk *self_of(struct hf_disk *disk)
{
    return (struct uring_disk *)(void *)disk;
}

/* How long to wait for the lock of a process that has just gone: two seconds. */
#define LOCK_PAUSE_NS 5000000
#define LOCK_ATTEMPTS 400

/* ---- Faults ---- */

static enum hf_status status_of(int error)
{
    switch (error) {
    case ENOENT:
        return HF_STATUS_NOT_FOUND;
    case EEXIST:
        return HF_STATUS_EXISTS;
    case ENOSPC:
    case EDQUOT:
        return HF_STATUS_FULL;
    case EROFS:
    case EACCES:
    case EPERM:
        return HF_STATUS_READ_ONLY;
    case ENOMEM:
        return HF_STATUS_NO_MEMORY;
    default:
        return HF_STATUS_IO;
    }
}

static enum hf_status fail(struct uring_disk *self, const char *call, const char *name, int error)
{
    snprintf(self->disk.fault.line, sizeof self->disk.fault.line, "%.160s%s%.64s: %s: %s",
             self->path, name[0] == '\0' ? "" : "/", name, call, strerror(error));
    return status_of(error);
}

/* The name behind a file number, for the fault line only. */
static enum hf_status fail_file(struct uring_disk *self, const char *call, int file, int error)
{
    char link[48];
    char target[256];
    snprintf(link, sizeof link, "/proc/self/fd/%d", self->files[file].fd);
    ssize_t length = readlink(link, target, sizeof target - 1);
    target[length < 0 ? 0 : length] = '\0';
    const char *slash = strrchr(target, '/');
    return fail(self, call, slash == NULL ? target : slash + 1, error);
}

/* ---- Blocking half ---- */

/* A directory, a symbolic link, a pipe: somebody has put it where a file of ours was. */
static enum hf_status not_plain(struct uring_disk *self, const char *name)
{
    snprintf(self->disk.fault.line, sizeof self->disk.fault.line,
             "%.160s/%.64s: open: it is not a plain file", self->path, name);
    return HF_STATUS_IO;
}

static enum hf_status uring_open(struct hf_disk *disk, const char *name, unsigned flags, int *file)
{
    struct uring_disk *self = self_of(disk);
    assert(strchr(name, '/') == NULL);
    assert((flags & HF_DISK_WRITE) == 0 || !disk->read_only);
    int slot = 0;
    while (slot < HF_DISK_FILES_MAX && self->files[slot].fd >= 0) {
        slot++;
    }
    if (slot == HF_DISK_FILES_MAX) {
        return fail(self, "open", name, EMFILE);
    }
    /* Without waiting, should it be a pipe: that is then seen below. */
    int mode = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    mode |= (flags & HF_DISK_WRITE) != 0 ? O_RDWR : O_RDONLY;
    mode |= (flags & HF_DISK_CREATE) != 0 ? O_CREAT | O_EXCL : 0;
    mode |= (flags & HF_DISK_DIRECT) != 0 ? O_DIRECT : 0;
    int fd = openat(self->directory, name, mode, 0640);
    if (fd < 0 && (errno == ELOOP || errno == EISDIR || errno == ENXIO)) {
        return not_plain(self, name);
    }
    if (fd < 0) {
        return fail(self, errno == EINVAL ? "open with O_DIRECT" : "open", name, errno);
    }
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        close(fd);
        return not_plain(self, name);
    }
    self->files[slot] = (struct open_file){.fd = fd};
    *file = slot;
    return HF_STATUS_OK;
}

static int fd_of(const struct uring_disk *self, int file)
{
    assert(file >= 0);
    assert(file < HF_DISK_FILES_MAX);
    assert(self->files[file].fd >= 0);
    return self->files[file].fd;
}

static enum hf_status uring_close(struct hf_disk *disk, int file)
{
    struct uring_disk *self = self_of(disk);
    int fd = fd_of(self, file);
    if (self->files[file].registered) {
        /* Refused to any thread but the ring's; the ring then lets go of the file when it ends. */
        int none = -1;
        (void)!io_uring_register_files_update(&self->ring, (unsigned)file, &none, 1);
    }
    self->files[file] = (struct open_file){.fd = -1};
    /* After EINTR the descriptor is gone all the same on Linux. */
    if (close(fd) != 0 && errno != EINTR) {
        return fail(self, "close", "", errno);
    }
    return HF_STATUS_OK;
}

static enum hf_status uring_size(struct hf_disk *disk, int file, uint64_t *bytes)
{
    struct uring_disk *self = self_of(disk);
    struct stat info;
    if (fstat(fd_of(self, file), &info) != 0) {
        return fail_file(self, "stat", file, errno);
    }
    *bytes = (uint64_t)info.st_size;
    return HF_STATUS_OK;
}

static enum hf_status uring_read(struct hf_disk *disk, int file, uint64_t offset, void *buffer,
                                 size_t length, size_t *done)
{
    struct uring_disk *self = self_of(disk);
    int fd = fd_of(self, file);
    *done = 0;
    while (*done < length) {
        ssize_t got = pread(fd, (uint8_t *)buffer + *done, length - *done, (off_t)(offset + *done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return fail_file(self, "read", file, errno);
        }
        *done += (size_t)got;
        /* Less than a block: the file's end, which a direct read cannot go on from. */
        if (got == 0 || *done % disk->block_size != 0) {
            break;
        }
    }
    return HF_STATUS_OK;
}

static enum hf_status uring_write(struct hf_disk *disk, int file, uint64_t offset,
                                  const void *buffer, size_t length)
{
    struct uring_disk *self = self_of(disk);
    int fd = fd_of(self, file);
    size_t done = 0;
    while (done < length) {
        ssize_t put =
            pwrite(fd, (const uint8_t *)buffer + done, length - done, (off_t)(offset + done));
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return fail_file(self, "write", file, put < 0 ? errno : EIO);
        }
        done += (size_t)put;
    }
    return HF_STATUS_OK;
}

static enum hf_status uring_flush(struct hf_disk *disk, int file)
{
    struct uring_disk *self = self_of(disk);
    if (fsync(fd_of(self, file)) != 0) {
        return fail_file(self, "flush", file, errno);
    }
    return HF_STATUS_OK;
}

static enum hf_status uring_allocate(struct hf_disk *disk, int file, uint64_t bytes)
{
    struct uring_disk *self = self_of(disk);
    int result = 0;
    do {
        result = fallocate(fd_of(self, file), 0, 0, (off_t)bytes);
    } while (result != 0 && errno == EINTR);
    /* A file system that cannot reserve still fills: the room is then found piece by piece. */
    uint64_t unreserved = 0;
    if (result != 0 && errno == EOPNOTSUPP) {
        unreserved = bytes;
    } else if (result != 0) {
        return fail_file(self, "allocate", file, errno);
    }
    uint64_t keep_free = atomic_load_explicit(&disk->keep_free_bytes, memory_order_relaxed);
    struct statvfs room;
    if (keep_free == 0) {
        return HF_STATUS_OK;
    }
    if (fstatvfs(fd_of(self, file), &room) != 0) {
        return fail_file(self, "look for room", file, errno);
    }
    if ((uint64_t)room.f_bavail * room.f_frsize < keep_free + unreserved) {
        return fail_file(self, "allocate", file, ENOSPC);
    }
    return HF_STATUS_OK;
}

static enum hf_status uring_rename(struct hf_disk *disk, const char *from, const char *to)
{
    struct uring_disk *self = self_of(disk);
    if (renameat(self->directory, from, self->directory, to) != 0) {
        return fail(self, "rename", from, errno);
    }
    return HF_STATUS_OK;
}

static enum hf_status uring_remove(struct hf_disk *disk, const char *name)
{
    struct uring_disk *self = self_of(disk);
    if (unlinkat(self->directory, name, 0) != 0) {
        return fail(self, "remove", name, errno);
    }
    return HF_STATUS_OK;
}

static enum hf_status uring_flush_directory(struct hf_disk *disk)
{
    struct uring_disk *self = self_of(disk);
    if (fsync(self->directory) != 0) {
        return fail(self, "flush the directory", "", errno);
    }
    return HF_STATUS_OK;
}

/* What is in every directory, or in every file system's uppermost. */
static bool is_the_file_systems(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "lost+found") == 0;
}

static enum hf_status uring_list(struct hf_disk *disk,
                                 bool (*visit)(void *context, const char *name), void *context)
{
    struct uring_disk *self = self_of(disk);
    int again = openat(self->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (again < 0) {
        return fail(self, "list", "", errno);
    }
    DIR *stream = fdopendir(again);
    if (stream == NULL) {
        int error = errno;
        close(again);
        return fail(self, "list", "", error);
    }
    bool more = true;
    errno = 0;
    for (struct dirent *entry = readdir(stream); entry != NULL && more; entry = readdir(stream)) {
        if (!is_the_file_systems(entry->d_name)) {
            more = visit(context, entry->d_name);
        }
        errno = 0;
    }
    int error = errno;
    closedir(stream);
    return error == 0 ? HF_STATUS_OK : fail(self, "list", "", error);
}

/* The lock lies on the directory itself: nothing is written to take it, and it cannot be removed.
 * Readers share it among themselves.
 *
 * A process that is killed leaves its submitted writes behind: they land after it is gone. So the
 * ring holds the directory too (uring_attach), and with it the lock, until the last of them has
 * ended; whoever comes next waits that long, and then reads what nobody writes to any more. */
static enum hf_status uring_lock(struct hf_disk *disk)
{
    struct uring_disk *self = self_of(disk);
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};
    const int operation = (disk->read_only ? LOCK_SH : LOCK_EX) | LOCK_NB;
    for (uint32_t attempt = 0; flock(self->directory, operation) != 0; attempt++) {
        if (errno != EWOULDBLOCK) {
            return fail(self, "lock", "", errno);
        }
        if (attempt == LOCK_ATTEMPTS) {
            snprintf(self->disk.fault.line, sizeof self->disk.fault.line,
                     "%.160s: locked: another process uses this data directory", self->path);
            return HF_STATUS_LOCKED;
        }
        nanosleep(&pause, NULL);
    }
    return HF_STATUS_OK;
}

/* ---- Appending half ---- */

static enum hf_status make_ring(struct uring_disk *self)
{
    struct io_uring_params params = {
        .flags =
            IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
    };
    int result = io_uring_queue_init_params(RING_ENTRIES, &self->ring, &params);
    self->is_flagged = result == 0;
    if (result == -EINVAL) {
        /* A kernel before 6.1. */
        params = (struct io_uring_params){0};
        result = io_uring_queue_init_params(RING_ENTRIES, &self->ring, &params);
    }
    if (result < 0) {
        return fail(self, "io_uring", "", -result);
    }
    return HF_STATUS_OK;
}

static enum hf_status uring_attach(struct hf_disk *disk, void *const buffers[],
                                   size_t buffer_length, uint32_t buffer_count)
{
    struct uring_disk *self = self_of(disk);
    assert(!self->attached);
    assert(buffer_count <= BUFFERS_MAX);
    enum hf_status status = make_ring(self);
    if (status != HF_STATUS_OK) {
        return status;
    }
    struct iovec vectors[BUFFERS_MAX];
    for (uint32_t i = 0; i < buffer_count; i++) {
        self->buffers[i] = buffers[i];
        vectors[i] = (struct iovec){.iov_base = buffers[i], .iov_len = buffer_length};
    }
    self->buffer_count = buffer_count;
    self->buffer_length = buffer_length;
    self->buffers_registered =
        buffer_count != 0 && io_uring_register_buffers(&self->ring, vectors, buffer_count) == 0;
    /* One more than there are files: the directory, and on it the lock. */
    self->files_registered =
        io_uring_register_files_sparse(&self->ring, HF_DISK_FILES_MAX + 1) == 0 &&
        io_uring_register_files_update(&self->ring, HF_DISK_FILES_MAX, &self->directory, 1) == 1;
    for (uint32_t i = 0; i < OPS_MAX; i++) {
        self->free_ops[i] = OPS_MAX - 1 - i;
    }
    self->free_count = OPS_MAX;
    self->attached = true;
    return HF_STATUS_OK;
}

/* Files are registered when they are first appended to, by the thread that owns the ring. */
static enum hf_status register_file(struct uring_disk *self, int file)
{
    if (!self->files_registered || self->files[file].registered) {
        return HF_STATUS_OK;
    }
    int fd = fd_of(self, file);
    int result = io_uring_register_files_update(&self->ring, (unsigned)file, &fd, 1);
    if (result < 0) {
        return fail_file(self, "register", file, -result);
    }
    self->files[file].registered = true;
    return HF_STATUS_OK;
}

static int registered_buffer(const struct uring_disk *self, const uint8_t *bytes, size_t length)
{
    if (!self->buffers_registered) {
        return -1;
    }
    for (uint32_t i = 0; i < self->buffer_count; i++) {
        const uint8_t *buffer = self->buffers[i];
        if (bytes >= buffer && bytes + length <= buffer + self->buffer_length) {
            return (int)i;
        }
    }
    return -1;
}

static void prepare_write(struct uring_disk *self, struct io_uring_sqe *sqe, int file,
                          const void *bytes, uint32_t length, uint64_t offset)
{
    bool fixed = self->files[file].registered;
    int target = fixed ? file : fd_of(self, file);
    int buffer = registered_buffer(self, bytes, length);
    if (buffer >= 0) {
        io_uring_prep_write_fixed(sqe, target, bytes, length, offset, buffer);
    } else {
        io_uring_prep_write(sqe, target, bytes, length, offset);
    }
    sqe->flags |= fixed ? IOSQE_FIXED_FILE : 0;
}

static enum hf_status queue(struct uring_disk *self, int file, uint64_t offset, const void *bytes,
                            size_t length, uint64_t tag, bool durable)
{
    assert(self->attached);
    assert(length <= UINT32_MAX);
    assert(offset % self->disk.block_size == 0);
    assert(length % self->disk.block_size == 0);
    if (self->free_count == 0 || io_uring_sq_space_left(&self->ring) <= FLUSHES_MAX) {
        return HF_STATUS_AGAIN;
    }
    enum hf_status status = register_file(self, file);
    if (status != HF_STATUS_OK) {
        return status;
    }
    uint32_t number = self->free_ops[--self->free_count];
    self->ops[number] = (struct op){.tag = tag,
                                    .length = (uint32_t)length,
                                    .file = file,
                                    .state = OP_WRITING,
                                    .durable = durable};
    struct io_uring_sqe *sqe = io_uring_get_sqe(&self->ring);
    assert(sqe != NULL);
    prepare_write(self, sqe, file, bytes, (uint32_t)length, offset);
    io_uring_sqe_set_data64(sqe, number);
    self->disk.unwritten += durable;
    self->unsubmitted++;
    return HF_STATUS_OK;
}

static enum hf_status uring_append(struct hf_disk *disk, int file, uint64_t offset,
                                   const void *buffer, size_t length, uint64_t tag)
{
    return queue(self_of(disk), file, offset, buffer, length, tag, true);
}

static enum hf_status uring_fill(struct hf_disk *disk, int file, uint64_t offset,
                                 const void *buffer, size_t length, uint64_t tag)
{
    return queue(self_of(disk), file, offset, buffer, length, tag, false);
}

static void end_op(struct uring_disk *self, uint32_t number, int error)
{
    struct op *op = &self->ops[number];
    op->state = OP_ENDED;
    op->error = error;
    self->ended[(self->ended_first + self->ended_count++) % OPS_MAX] = number;
    assert(self->ended_count <= OPS_MAX);
}

static void write_ended(struct uring_disk *self, uint32_t number, int result)
{
    struct op *op = &self->ops[number];
    assert(op->state == OP_WRITING);
    self->disk.unwritten -= op->durable;
    if (result < 0) {
        end_op(self, number, -result);
    } else if ((uint32_t)result != op->length) {
        end_op(self, number, EIO); /* short: nothing that was not written whole is flushed */
    } else if (!op->durable) {
        end_op(self, number, 0);
    } else {
        op->state = OP_WRITTEN;
        self->written_count++;
    }
}

static void flush_ended(struct uring_disk *self, uint32_t flush, int result)
{
    assert(self->flushes[flush]);
    self->flushes[flush] = false;
    for (uint32_t i = 0; i < OPS_MAX; i++) {
        if (self->ops[i].state == OP_FLUSHING && self->ops[i].flush == flush) {
            end_op(self, i, result < 0 ? -result : 0);
        }
    }
}

/* Queues a flush of one file for every append to it that has been written whole. */
static void begin_flush(struct uring_disk *self, uint32_t flush)
{
    int file = -1;
    for (uint32_t i = 0; i < OPS_MAX; i++) {
        struct op *op = &self->ops[i];
        if (op->state != OP_WRITTEN || (file >= 0 && op->file != file)) {
            continue;
        }
        file = op->file;
        op->state = OP_FLUSHING;
        op->flush = (uint8_t)flush;
        self->written_count--;
    }
    assert(file >= 0);
    struct io_uring_sqe *sqe = io_uring_get_sqe(&self->ring);
    assert(sqe != NULL); /* queue() leaves room for every flush */
    bool fixed = self->files[file].registered;
    io_uring_prep_fsync(sqe, fixed ? file : fd_of(self, file), IORING_FSYNC_DATASYNC);
    sqe->flags |= fixed ? IOSQE_FIXED_FILE : 0;
    io_uring_sqe_set_data64(sqe, OPS_MAX + flush);
    self->flushes[flush] = true;
    self->unsubmitted++;
}

static void begin_flushes(struct uring_disk *self)
{
    for (uint32_t flush = 0; flush < FLUSHES_MAX && self->written_count != 0; flush++) {
        if (!self->flushes[flush]) {
            begin_flush(self, flush);
        }
    }
}

/* Whether the kernel has completions for us, or flushes to begin, that wait for our thread.
 * Entering it without need would only keep its own workers from the ring. */
static bool wants_in(const struct uring_disk *self)
{
    unsigned flags = __atomic_load_n(self->ring.sq.kflags, __ATOMIC_RELAXED);
    return !self->is_flagged || (flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
}

/* What the kernel does not take now (it is out of memory, or busy with completions) waits for the
 * next poll. */
static void count_submitted(struct uring_disk *self, int submitted)
{
    if (submitted > 0) {
        assert((uint32_t)submitted <= self->unsubmitted);
        self->unsubmitted -= (uint32_t)submitted;
    }
}

static void submit(struct uring_disk *self)
{
    count_submitted(self, io_uring_submit_and_get_events(&self->ring));
}

static void collect(struct uring_disk *self)
{
    struct io_uring_cqe *cqe = NULL;
    while (io_uring_peek_cqe(&self->ring, &cqe) == 0) {
        uint64_t data = io_uring_cqe_get_data64(cqe);
        assert(data < OPS_MAX + FLUSHES_MAX);
        if (data < OPS_MAX) {
            write_ended(self, (uint32_t)data, cqe->res);
        } else {
            flush_ended(self, (uint32_t)(data - OPS_MAX), cqe->res);
        }
        io_uring_cqe_seen(&self->ring, cqe);
    }
}

static uint32_t uring_poll(struct hf_disk *disk, struct hf_disk_completion *completions,
                           uint32_t most)
{
    struct uring_disk *self = self_of(disk);
    assert(self->attached);
    if (self->free_count == OPS_MAX) {
        return 0; /* nothing is on its way: no system call */
    }
    if (self->unsubmitted != 0) {
        submit(self);
    } else if (io_uring_cq_ready(&self->ring) == 0 && wants_in(self)) {
        (void)!io_uring_get_events(&self->ring);
    }
    collect(self);
    if (self->written_count != 0) {
        begin_flushes(self);
        if (self->unsubmitted != 0) {
            submit(self);
        }
    }
    uint32_t count = 0;
    for (; count < most && self->ended_count != 0; count++, self->ended_count--) {
        uint32_t number = self->ended[self->ended_first];
        struct op *op = &self->ops[number];
        bool is_full = op->error == ENOSPC || op->error == EDQUOT;
        assert(op->state == OP_ENDED);
        completions[count] = (struct hf_disk_completion){.tag = op->tag,
                                                         .status = op->error == 0 ? HF_STATUS_OK
                                                                   : is_full      ? HF_STATUS_FULL
                                                                                  : HF_STATUS_IO,
                                                         .error = op->error};
        op->state = OP_FREE;
        self->free_ops[self->free_count++] = number;
        self->ended_first = (self->ended_first + 1) % OPS_MAX;
    }
    return count;
}

static void uring_wait(struct hf_disk *disk)
{
    struct uring_disk *self = self_of(disk);
    assert(self->attached);
    if (self->free_count != OPS_MAX && self->ended_count == 0) {
        count_submitted(self, io_uring_submit_and_wait(&self->ring, 1));
    }
}

static void uring_destroy(struct hf_disk *disk)
{
    struct uring_disk *self = self_of(disk);
    if (self->attached) {
        io_uring_queue_exit(&self->ring);
    }
    for (int i = 0; i < HF_DISK_FILES_MAX; i++) {
        if (self->files[i].fd >= 0) {
            close(self->files[i].fd);
        }
    }
    /* The ring may let go of the directory later. Nothing is in flight: the lock need not wait. */
    (void)!flock(self->directory, LOCK_UN);
    close(self->directory);
    free(self);
}

static const struct hf_disk_maker uring_maker = {
    .open = uring_open,
    .close = uring_close,
    .size = uring_size,
    .read = uring_read,
    .write = uring_write,
    .flush = uring_flush,
    .allocate = uring_allocate,
    .rename = uring_rename,
    .remove = uring_remove,
    .flush_directory = uring_flush_directory,
    .list = uring_list,
    .lock = uring_lock,
    .attach = uring_attach,
    .append = uring_append,
    .fill = uring_fill,
    .poll = uring_poll,
    .wait = uring_wait,
    .destroy = uring_destroy,
};

/* ---- Opening the directory ---- */

/* Makes the directory, and its name in the one above durable. */
static enum hf_status make_directory(struct uring_disk *self, const char *directory)
{
    if (mkdir(directory, 0750) != 0) {
        return errno == EEXIST ? HF_STATUS_OK : fail(self, "make directory", "", errno);
    }
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int above = fd < 0 ? -1 : openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = above < 0 ? -1 : fsync(above);
    int error = errno;
    if (above >= 0) {
        close(above);
    }
    if (fd >= 0) {
        close(fd);
    }
    return result == 0 ? HF_STATUS_OK : fail(self, "flush the directory above", "", error);
}

static enum hf_status open_directory(struct uring_disk *self, const char *directory, bool create)
{
    if (create && !self->disk.read_only) {
        enum hf_status status = make_directory(self, directory);
        if (status != HF_STATUS_OK) {
            return status;
        }
    }
    self->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (self->directory < 0) {
        return fail(self, "open", "", errno);
    }
    if (!self->disk.read_only && faccessat(self->directory, ".", R_OK | W_OK | X_OK, 0) != 0) {
        return fail(self, "may not be written", "", errno);
    }
    return HF_STATUS_OK;
}

enum hf_status hf_disk_uring_open(const char *directory, bool read_only, bool create,
                                  uint32_t block_size, struct hf_disk **disk,
                                  struct hf_fault *fault)
{
    if (block_size != 512 && block_size != 4096) {
        snprintf(fault->line, sizeof fault->line, "block size %u: expected 512 or 4096",
                 block_size);
        return HF_STATUS_INVALID;
    }
    struct uring_disk *self = calloc(1, sizeof *self);
    if (self == NULL) {
        snprintf(fault->line, sizeof fault->line, "no memory to open %.160s", directory);
        return HF_STATUS_NO_MEMORY;
    }
    self->disk.maker = &uring_maker;
    self->disk.block_size = block_size;
    self->disk.read_only = read_only;
    self->directory = -1;
    for (int i = 0; i < HF_DISK_FILES_MAX; i++) {
        self->files[i].fd = -1;
    }
    snprintf(self->path, sizeof self->path, "%s", directory);
    enum hf_status status = open_directory(self, directory, create);
    if (status != HF_STATUS_OK) {
        *fault = self->disk.fault;
        if (self->directory >= 0) {
            close(self->directory);
        }
        free(self);
        return status;
    }
    *disk = &self->disk;
    return HF_STATUS_OK;
}

int hf_disk_uring_directory(const struct hf_disk *disk)
{
    const struct uring_disk *self = (const struct uring_disk *)(const void *)disk;
    assert(self->directory >= 0);
    return self->directory;
}
