#include "ahead_disk.h"

#include <assert.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* So far ahead at most; the rest of the chunks are what the caller may still be reading. */
#define DEPTH_MOST 8
/* Reads in flight at once. */
#define READS 4
/* The chunks lie one behind the other, and a file's byte at its offset modulo all of them. */
#define RING_BYTES      (AHEAD_CHUNKS * AHEAD_CHUNK_BYTES)
#define HUGE_PAGE_BYTES ((size_t)2 << 20)
#define MAPPING_BYTES   (RING_BYTES + HUGE_PAGE_BYTES) /* to cut the alignment out of */

static struct ahead_disk *self_of(struct hf_disk *disk)
{
    return (struct ahead_disk *)(void *)disk;
}

static enum hf_status told(struct ahead_disk *self, enum hf_status status)
{
    if (status != HF_STATUS_OK)
        self->disk.fault = self->inner->fault;
    return status;
}

static struct ahead_chunk *chunk_at(struct ahead_disk *self, uint64_t number)
{
    return &self->chunks[number % AHEAD_CHUNKS];
}

static uint8_t *bytes_at(const struct ahead_disk *self, uint64_t number)
{
    return self->memory + (number % AHEAD_CHUNKS) * AHEAD_CHUNK_BYTES;
}

/* ---- the helper
 * -------------------------------------------------------------------------------------------------
 */

/* The helper's own: what it reads, and how far it has come. */
struct ahead_helping {
    struct ahead_disk *ahead;
    struct io_uring ring;
    int file;            /* -1: could not be opened; the caller will find out for itself */
    uint64_t size;       /* of it, bytes */
    uint64_t generation; /* that it is of */
    uint64_t begun;      /* chunks before this one have been read or are being read */
    uint32_t in_flight;
};

/* Opens the file that is wanted now. */
static void reopen(struct ahead_helping *helping, const char *name)
{
    struct stat info;

    if (helping->file >= 0)
        close(helping->file);
    helping->file = openat(helping->ahead->directory, name,
                           O_RDONLY | O_DIRECT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (helping->file >= 0 && (fstat(helping->file, &info) != 0 || !S_ISREG(info.st_mode))) {
        close(helping->file);
        helping->file = -1;
    }
    helping->size = helping->file >= 0 ? (uint64_t)info.st_size : 0;
}

/* How much of a chunk there is. */
static size_t length_of(const struct ahead_helping *helping, uint64_t number)
{
    uint64_t begin = number * AHEAD_CHUNK_BYTES;
    uint64_t there = helping->size > begin ? helping->size - begin : 0;

    return there < AHEAD_CHUNK_BYTES ? (size_t)there : AHEAD_CHUNK_BYTES;
}

/* One chunk has been read, or not. Those without a gap before them count. With the mutex. */
static void take_in(struct ahead_helping *helping, uint64_t number, int result)
{
    struct ahead_disk *self = helping->ahead;
    size_t length = length_of(helping, number);
    bool is_whole = helping->file >= 0 && result >= 0 && (size_t)result == length;

    if (self->generation != helping->generation)
        return;
    *chunk_at(self, number) = (struct ahead_chunk){.number = number,
                                                   .length = is_whole ? length : 0,
                                                   .state = is_whole ? AHEAD_READ : AHEAD_FAILED};
    while (self->next < self->limit) {
        const struct ahead_chunk *chunk = chunk_at(self, self->next);
        if (chunk->state == AHEAD_EMPTY || chunk->number != self->next)
            break;
        self->next++;
        if (chunk->length < AHEAD_CHUNK_BYTES)
            self->limit = self->next; /* the end, or a failure: nothing comes after it */
    }
    pthread_cond_signal(&self->news);
}

/* Begins as many reads as may be in flight. With the mutex, which it lets go of meanwhile. */
static void begin_reads(struct ahead_helping *helping)
{
    struct ahead_disk *self = helping->ahead;
    uint64_t first = helping->begun;

    while (helping->begun < self->limit && helping->in_flight + (helping->begun - first) < READS)
        helping->begun++;
    uint64_t end = helping->begun;
    if (helping->file < 0) {
        for (uint64_t number = first; number < end; number++)
            take_in(helping, number, -1);
        return;
    }
    pthread_mutex_unlock(&self->mutex);
    for (uint64_t number = first; number < end; number++) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&helping->ring);
        assert(sqe != NULL); /* as many as may be in flight */
        io_uring_prep_read(sqe, helping->file, bytes_at(self, number), AHEAD_CHUNK_BYTES,
                           number * AHEAD_CHUNK_BYTES);
        io_uring_sqe_set_data64(sqe, number);
        helping->in_flight++;
    }
    (void)!io_uring_submit(&helping->ring); /* what it does not take now goes with the next */
    pthread_mutex_lock(&self->mutex);
}

/* Waits for a read to end. With the mutex, which it lets go of meanwhile. */
static void await_read(struct ahead_helping *helping)
{
    struct ahead_disk *self = helping->ahead;
    struct io_uring_cqe *cqe = NULL;

    pthread_mutex_unlock(&self->mutex);
    int result = io_uring_submit_and_wait(&helping->ring, 1);
    pthread_mutex_lock(&self->mutex);
    if (result < 0)
        return; /* interrupted, or short of memory: again */
    while (io_uring_peek_cqe(&helping->ring, &cqe) == 0) {
        take_in(helping, io_uring_cqe_get_data64(cqe), cqe->res);
        io_uring_cqe_seen(&helping->ring, cqe);
        helping->in_flight--;
    }
}

static void *help(void *argument)
{
    struct ahead_helping *helping = argument;
    struct ahead_disk *self = helping->ahead;

    pthread_mutex_lock(&self->mutex);
    while (!self->is_ending || helping->in_flight != 0) {
        bool is_current = helping->generation == self->generation;
        bool is_wanted = !self->is_ending && self->next < self->limit;

        if (is_wanted && is_current && helping->begun < self->limit && helping->in_flight < READS) {
            begin_reads(helping);
        } else if (helping->in_flight != 0) {
            await_read(helping); /* chunks that are read into are nobody else's yet */
        } else if (is_wanted && !is_current) {
            char name[HF_DISK_NAME_SIZE];
            memcpy(name, self->name, sizeof name);
            helping->generation = self->generation;
            helping->begun = self->next;
            pthread_mutex_unlock(&self->mutex);
            reopen(helping, name);
            pthread_mutex_lock(&self->mutex);
        } else {
            pthread_cond_wait(&self->work, &self->mutex);
        }
    }
    pthread_mutex_unlock(&self->mutex);
    if (helping->file >= 0)
        close(helping->file);
    return NULL;
}

/* ---- the caller
 * -------------------------------------------------------------------------------------------------
 */

/* Forgets what was read ahead. With the mutex. */
static void forget(struct ahead_disk *self)
{
    self->generation++;
    self->name[0] = '\0';
    self->first = 0;
    self->next = 0;
    self->limit = 0;
    self->depth = 0;
    memset(self->chunks, 0, sizeof self->chunks);
}

static void forget_all(struct ahead_disk *self)
{
    if (self->memory == NULL)
        return;
    pthread_mutex_lock(&self->mutex);
    forget(self);
    pthread_mutex_unlock(&self->mutex);
}

/* Says what is wanted: these chunks, and some after them. With the mutex. */
static void want(struct ahead_disk *self, const char *name, uint64_t first, uint64_t last)
{
    const struct ahead_chunk *newest = chunk_at(self, self->next + AHEAD_CHUNKS - 1);
    bool is_read = self->next > self->first && newest->number == self->next - 1;
    /* Where reading ahead failed, the caller has read for itself: it begins anew. */
    bool goes_on = strcmp(self->name, name) == 0 && first >= self->first && first <= self->next &&
                   !(is_read && newest->state == AHEAD_FAILED);
    bool is_at_end = goes_on && is_read && newest->length < AHEAD_CHUNK_BYTES;

    if (!goes_on) {
        forget(self);
        memcpy(self->name, name, HF_DISK_NAME_SIZE);
        self->next = first;
    } else if (self->depth < DEPTH_MOST) {
        self->depth += 2;
    }
    self->first = first;
    if (!is_at_end && last + 1 + self->depth > self->limit)
        self->limit = last + 1 + self->depth;
    if (self->limit > first + AHEAD_CHUNKS)
        self->limit = first + AHEAD_CHUNKS;
    pthread_cond_signal(&self->work);
}

/* Waits for a chunk that is wanted. NULL: it lies beyond the file's end. With the mutex, which it
 * lets go of meanwhile. */
static const struct ahead_chunk *await_chunk(struct ahead_disk *self, uint64_t number)
{
    const struct ahead_chunk *chunk = chunk_at(self, number);

    while ((chunk->state == AHEAD_EMPTY || chunk->number != number) && number < self->limit)
        pthread_cond_wait(&self->news, &self->mutex);
    return chunk->state == AHEAD_EMPTY || chunk->number != number ? NULL : chunk;
}

/* Waits for what is there of [offset, offset + length) in its chunks, up to the file's end. False:
 * some of it could not be read ahead. With the mutex, which it lets go of meanwhile. */
static bool await_bytes(struct ahead_disk *self, uint64_t offset, size_t length, size_t *done)
{
    *done = 0;
    while (*done < length) {
        uint64_t at = offset + *done;
        size_t begin = (size_t)(at % AHEAD_CHUNK_BYTES);
        const struct ahead_chunk *chunk = await_chunk(self, at / AHEAD_CHUNK_BYTES);
        if (chunk == NULL)
            break;
        if (chunk->state == AHEAD_FAILED)
            return false;
        if (chunk->length <= begin)
            break;
        size_t there = chunk->length - begin;
        *done += there < length - *done ? there : length - *done;
        if (chunk->length < AHEAD_CHUNK_BYTES)
            break;
    }
    return true;
}

/* Puts together what lies in the ring's last chunks and in its first. */
static void copy_out(const struct ahead_disk *self, uint64_t offset, uint8_t *buffer, size_t length)
{
    size_t begin = (size_t)(offset % RING_BYTES);
    size_t part = length < RING_BYTES - begin ? length : RING_BYTES - begin;

    memcpy(buffer, self->memory + begin, part);
    memcpy(buffer + part, self->memory, length - part);
}

/* Has the bytes read ahead, and what comes after them. False: they must be read from the disk
 * itself. */
static bool get_ahead(struct ahead_disk *self, int file, uint64_t offset, size_t length,
                      size_t *done)
{
    uint64_t first = offset / AHEAD_CHUNK_BYTES;
    uint64_t last = (offset + length) / AHEAD_CHUNK_BYTES;

    assert(file >= 0);
    assert(file < HF_DISK_FILES_MAX);
    self->inner->block_size = self->disk.block_size; /* the log's, once its superblock was read */
    if (length == 0 || self->memory == NULL || self->names[file][0] == '\0' ||
        last - first >= AHEAD_CHUNKS - DEPTH_MOST)
        return false;
    pthread_mutex_lock(&self->mutex);
    want(self, self->names[file], first, last);
    bool is_there = await_bytes(self, offset, length, done);
    pthread_mutex_unlock(&self->mutex);
    return is_there;
}

/* The helper leaves chunks alone that are wanted: nobody holds anybody up while they are copied or
 * lent. */
static enum hf_status ahead_read(struct hf_disk *disk, int file, uint64_t offset, void *buffer,
                                 size_t length, size_t *done)
{
    struct ahead_disk *self = self_of(disk);

    if (!get_ahead(self, file, offset, length, done))
        return told(self,
                    self->inner->maker->read(self->inner, file, offset, buffer, length, done));
    copy_out(self, offset, buffer, *done);
    return HF_STATUS_OK;
}

static enum hf_status ahead_lend(struct hf_disk *disk, int file, uint64_t offset, void *buffer,
                                 size_t length, const void **bytes, size_t *done)
{
    struct ahead_disk *self = self_of(disk);

    *bytes = buffer;
    if (!get_ahead(self, file, offset, length, done))
        return told(self,
                    self->inner->maker->read(self->inner, file, offset, buffer, length, done));
    if (RING_BYTES - offset % RING_BYTES >= *done)
        *bytes = self->memory + offset % RING_BYTES;
    else
        copy_out(self, offset, buffer, *done);
    return HF_STATUS_OK;
}

static enum hf_status ahead_open(struct hf_disk *disk, const char *name, unsigned flags, int *file)
{
    struct ahead_disk *self = self_of(disk);
    enum hf_status status = told(self, self->inner->maker->open(self->inner, name, flags, file));

    if (status == HF_STATUS_OK)
        snprintf(self->names[*file], HF_DISK_NAME_SIZE, "%s",
                 flags == (HF_DISK_READ | HF_DISK_DIRECT) ? name : "");
    return status;
}

static enum hf_status ahead_close(struct hf_disk *disk, int file)
{
    struct ahead_disk *self = self_of(disk);

    return told(self, self->inner->maker->close(self->inner, file));
}

static enum hf_status ahead_size(struct hf_disk *disk, int file, uint64_t *bytes)
{
    struct ahead_disk *self = self_of(disk);

    return told(self, self->inner->maker->size(self->inner, file, bytes));
}

/* What changes may have been read ahead. */
static enum hf_status ahead_write(struct hf_disk *disk, int file, uint64_t offset,
                                  const void *buffer, size_t length)
{
    struct ahead_disk *self = self_of(disk);
    enum hf_status status =
        told(self, self->inner->maker->write(self->inner, file, offset, buffer, length));

    forget_all(self);
    return status;
}

static enum hf_status ahead_flush(struct hf_disk *disk, int file)
{
    struct ahead_disk *self = self_of(disk);

    return told(self, self->inner->maker->flush(self->inner, file));
}

static enum hf_status ahead_allocate(struct hf_disk *disk, int file, uint64_t bytes)
{
    struct ahead_disk *self = self_of(disk);

    return told(self, self->inner->maker->allocate(self->inner, file, bytes));
}

static enum hf_status ahead_rename(struct hf_disk *disk, const char *from, const char *to)
{
    struct ahead_disk *self = self_of(disk);

    forget_all(self);
    return told(self, self->inner->maker->rename(self->inner, from, to));
}

static enum hf_status ahead_remove(struct hf_disk *disk, const char *name)
{
    struct ahead_disk *self = self_of(disk);

    forget_all(self);
    return told(self, self->inner->maker->remove(self->inner, name));
}

static enum hf_status ahead_flush_directory(struct hf_disk *disk)
{
    struct ahead_disk *self = self_of(disk);

    return told(self, self->inner->maker->flush_directory(self->inner));
}

static enum hf_status ahead_list(struct hf_disk *disk,
                                 bool (*visit)(void *context, const char *name), void *context)
{
    struct ahead_disk *self = self_of(disk);

    return told(self, self->inner->maker->list(self->inner, visit, context));
}

static enum hf_status ahead_lock(struct hf_disk *disk)
{
    struct ahead_disk *self = self_of(disk);

    return told(self, self->inner->maker->lock(self->inner));
}

/* ---- the whole
 * --------------------------------------------------------------------------------------------------
 */

/* On huge pages, where the kernel gives them: who first touches many small ones waits at each,
 * which can cost more than all that is then done with their bytes. */
static void map_memory(struct ahead_disk *self)
{
    void *mapping =
        mmap(NULL, MAPPING_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (mapping == MAP_FAILED)
        return;
    self->mapping = mapping;
    self->memory = (uint8_t *)mapping + (HUGE_PAGE_BYTES - (uintptr_t)mapping % HUGE_PAGE_BYTES);
    (void)!madvise(self->memory, RING_BYTES, MADV_HUGEPAGE);
}

static void unmap_memory(struct ahead_disk *self)
{
    munmap(self->mapping, MAPPING_BYTES);
    self->memory = NULL;
}

static bool start_helper(struct ahead_disk *self, const char *directory)
{
    struct ahead_helping *helping = calloc(1, sizeof *helping);

    self->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    self->helping = helping;
    if (helping != NULL && self->directory >= 0) {
        helping->ahead = self;
        helping->file = -1;
        if (io_uring_queue_init(READS, &helping->ring, 0) == 0) {
            if (pthread_create(&self->helper, NULL, help, helping) == 0)
                return true;
            io_uring_queue_exit(&helping->ring);
        }
    }
    if (self->directory >= 0)
        close(self->directory);
    free(helping);
    return false;
}

void ahead_disk_init(struct ahead_disk *ahead, struct hf_disk *inner, const char *directory)
{
    memset(ahead, 0, sizeof *ahead);
    ahead->maker = (struct hf_disk_maker){
        .open = ahead_open,
        .close = ahead_close,
        .size = ahead_size,
        .read = ahead_read,
        .lend = ahead_lend,
        .write = ahead_write,
        .flush = ahead_flush,
        .allocate = ahead_allocate,
        .rename = ahead_rename,
        .remove = ahead_remove,
        .flush_directory = ahead_flush_directory,
        .list = ahead_list,
        .lock = ahead_lock,
    };
    ahead->disk.maker = &ahead->maker;
    ahead->disk.block_size = inner->block_size;
    ahead->disk.read_only = inner->read_only;
    ahead->inner = inner;
    pthread_mutex_init(&ahead->mutex, NULL);
    pthread_cond_init(&ahead->work, NULL);
    pthread_cond_init(&ahead->news, NULL);
    map_memory(ahead);
    if (ahead->memory != NULL && !start_helper(ahead, directory))
        unmap_memory(ahead);
}

void ahead_disk_finish(struct ahead_disk *ahead)
{
    if (ahead->memory != NULL) {
        pthread_mutex_lock(&ahead->mutex);
        ahead->is_ending = true;
        pthread_cond_signal(&ahead->work);
        pthread_mutex_unlock(&ahead->mutex);
        pthread_join(ahead->helper, NULL);
        io_uring_queue_exit(&ahead->helping->ring);
        free(ahead->helping);
        close(ahead->directory);
        unmap_memory(ahead);
    }
    ahead->inner->block_size = ahead->disk.block_size;
    pthread_cond_destroy(&ahead->news);
    pthread_cond_destroy(&ahead->work);
    pthread_mutex_destroy(&ahead->mutex);
}
