#include "ahead_disk.h"

#include "wal/disk_uring.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT ((size_t)4096)
/* So far ahead at most; the rest of the chunks are what the caller may still be reading. */
#define DEPTH_MOST 16

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

/* Reads one chunk of the helper's own open file. */
static enum ahead_state read_chunk(struct ahead_disk *self, int file, uint64_t number,
                                   size_t *length)
{
    struct hf_disk *disk = self->helper_disk;

    *length = 0;
    if (file < 0 ||
        disk->maker->read(disk, file, number * AHEAD_CHUNK_BYTES, bytes_at(self, number),
                          AHEAD_CHUNK_BYTES, length) != HF_STATUS_OK)
        return AHEAD_FAILED;
    return AHEAD_READ;
}

/* The helper's file for the name that is wanted now. -1 when it cannot be opened: the caller will
 * find out for itself. */
static int reopen(struct ahead_disk *self, int file, const char *name)
{
    struct hf_disk *disk = self->helper_disk;

    if (file >= 0)
        (void)!disk->maker->close(disk, file);
    if (disk->maker->open(disk, name, HF_DISK_READ | HF_DISK_DIRECT, &file) != HF_STATUS_OK)
        return -1;
    return file;
}

static void *help(void *argument)
{
    struct ahead_disk *self = argument;
    uint64_t opened = 0; /* the generation that `file` is of */
    int file = -1;

    pthread_mutex_lock(&self->mutex);
    while (!self->is_ending) {
        if (self->next >= self->limit) {
            pthread_cond_wait(&self->work, &self->mutex);
            continue;
        }
        uint64_t generation = self->generation;
        uint64_t number = self->next;
        char name[HF_DISK_NAME_SIZE];
        size_t length = 0;
        memcpy(name, self->name, sizeof name);
        pthread_mutex_unlock(&self->mutex);

        if (generation != opened)
            file = reopen(self, file, name);
        opened = generation;
        enum ahead_state state = read_chunk(self, file, number, &length);

        pthread_mutex_lock(&self->mutex);
        if (self->generation == generation) {
            *chunk_at(self, number) =
                (struct ahead_chunk){.number = number, .length = length, .state = state};
            self->next = number + 1;
            if (length < AHEAD_CHUNK_BYTES)
                self->limit = self->next; /* the end, or a failure: nothing comes after it */
        }
        pthread_cond_signal(&self->news);
    }
    pthread_mutex_unlock(&self->mutex);
    if (file >= 0)
        (void)!self->helper_disk->maker->close(self->helper_disk, file);
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

/* Copies one chunk's part of [offset, offset + length). Returns how much; less than there is room
 * for at the file's end. *failed: it could not be read ahead. With the mutex. */
static size_t take(struct ahead_disk *self, uint64_t offset, uint8_t *buffer, size_t length,
                   bool *failed)
{
    uint64_t number = offset / AHEAD_CHUNK_BYTES;
    size_t begin = (size_t)(offset % AHEAD_CHUNK_BYTES);
    const struct ahead_chunk *chunk = chunk_at(self, number);

    while ((chunk->state == AHEAD_EMPTY || chunk->number != number) && number < self->limit)
        pthread_cond_wait(&self->news, &self->mutex);
    if (chunk->state == AHEAD_EMPTY || chunk->number != number)
        return 0; /* beyond the file's end */
    *failed = chunk->state == AHEAD_FAILED;
    if (*failed || chunk->length <= begin)
        return 0;
    size_t there = chunk->length - begin;
    size_t part = there < length ? there : length;
    /* The helper leaves chunks alone that are wanted: no need to hold it up meanwhile. */
    pthread_mutex_unlock(&self->mutex);
    memcpy(buffer, bytes_at(self, number) + begin, part);
    pthread_mutex_lock(&self->mutex);
    return part;
}

static enum hf_status ahead_read(struct hf_disk *disk, int file, uint64_t offset, void *buffer,
                                 size_t length, size_t *done)
{
    struct ahead_disk *self = self_of(disk);
    uint64_t last = (offset + length) / AHEAD_CHUNK_BYTES;
    bool failed = false;

    assert(file >= 0);
    assert(file < HF_DISK_FILES_MAX);
    self->inner->block_size = disk->block_size; /* the log's own, once its superblock was read */
    if (length == 0 || self->memory == NULL || self->names[file][0] == '\0' ||
        last - offset / AHEAD_CHUNK_BYTES >= AHEAD_CHUNKS - DEPTH_MOST)
        return told(self,
                    self->inner->maker->read(self->inner, file, offset, buffer, length, done));
    *done = 0;
    pthread_mutex_lock(&self->mutex);
    want(self, self->names[file], offset / AHEAD_CHUNK_BYTES, last);
    while (*done < length && !failed) {
        size_t to_end = AHEAD_CHUNK_BYTES - (size_t)((offset + *done) % AHEAD_CHUNK_BYTES);
        size_t left = length - *done;
        size_t part = left < to_end ? left : to_end;
        size_t got = take(self, offset + *done, (uint8_t *)buffer + *done, part, &failed);
        *done += got;
        if (got < part)
            break;
    }
    pthread_mutex_unlock(&self->mutex);
    if (!failed)
        return HF_STATUS_OK;
    return told(self, self->inner->maker->read(self->inner, file, offset, buffer, length, done));
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

static bool start_helper(struct ahead_disk *self, const char *directory)
{
    struct hf_fault fault;

    if (hf_disk_uring_open(directory, true, false, self->inner->block_size, &self->helper_disk,
                           &fault) != HF_STATUS_OK)
        return false;
    if (pthread_create(&self->helper, NULL, help, self) == 0)
        return true;
    self->helper_disk->maker->destroy(self->helper_disk);
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
    ahead->memory = aligned_alloc(ALIGNMENT, AHEAD_CHUNKS * AHEAD_CHUNK_BYTES);
    if (ahead->memory != NULL && !start_helper(ahead, directory)) {
        free(ahead->memory);
        ahead->memory = NULL;
    }
}

void ahead_disk_finish(struct ahead_disk *ahead)
{
    if (ahead->memory != NULL) {
        pthread_mutex_lock(&ahead->mutex);
        ahead->is_ending = true;
        pthread_cond_signal(&ahead->work);
        pthread_mutex_unlock(&ahead->mutex);
        pthread_join(ahead->helper, NULL);
        ahead->helper_disk->maker->destroy(ahead->helper_disk);
        free(ahead->memory);
        ahead->memory = NULL;
    }
    ahead->inner->block_size = ahead->disk.block_size;
    pthread_cond_destroy(&ahead->news);
    pthread_cond_destroy(&ahead->work);
    pthread_mutex_destroy(&ahead->mutex);
}
