/* The disk in memory as its user meets it. What happens to it from outside is in sim_crash.c. */
#include "sim_disk.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t dice(struct hf_sim_disk *self)
{
    return hf_sim_dice(&self->random);
}

static enum hf_status fail(struct hf_sim_disk *self, const char *call, const char *name, int error,
                           enum hf_status status)
{
    snprintf(self->disk.fault.line, sizeof self->disk.fault.line, "%.64s: %s: %s", name, call,
             strerror(error));
    return status;
}

/* Counts one call, and says whether it is one that fails. */
static bool fails_now(struct hf_sim_disk *self)
{
    uint64_t call = self->calls++;
    return call == self->fail_at || (self->fail_for_ever && call > self->fail_at);
}

/* Something is about to change. */
static void change_comes(struct hf_sim_disk *self)
{
    self->changes++;
    if (self->watch != NULL) {
        self->watch(self->watch_context, &self->disk);
    }
}

/* Counts one write, and says what befalls it. */
static enum hf_disk_sim_mishap mishap_now(struct hf_sim_disk *self)
{
    return self->writes++ == self->befall_at ? self->befall : HF_DISK_SIM_NO_MISHAP;
}

#define FAIL_WHEN_TOLD(self, call, name)                      \
    do {                                                      \
        if (fails_now(self)) {                                \
            return fail(self, call, name, EIO, HF_STATUS_IO); \
        }                                                     \
    } while (0)

struct hf_sim_inode *hf_sim_inode_make(struct hf_sim_disk *self)
{
    struct hf_sim_inode *inode = hf_sim_grow(NULL, sizeof *inode);
    *inode = (struct hf_sim_inode){0};
    self->inodes = hf_sim_grow(self->inodes, (self->inode_count + 1) * sizeof *self->inodes);
    self->inodes[self->inode_count++] = inode;
    return inode;
}

/* ---- Names ---- */

struct hf_sim_name *hf_sim_name_find(struct hf_sim_name *names, const char *text)
{
    for (size_t i = 0; i < HF_SIM_NAMES_MAX; i++) {
        if (names[i].inode != NULL && strcmp(names[i].text, text) == 0) {
            return &names[i];
        }
    }
    return NULL;
}

void hf_sim_name_set(struct hf_sim_name *names, const char *text, struct hf_sim_inode *inode)
{
    struct hf_sim_name *name = hf_sim_name_find(names, text);
    for (size_t i = 0; name == NULL && i < HF_SIM_NAMES_MAX; i++) {
        if (names[i].inode == NULL) {
            name = &names[i];
        }
    }
    assert(name != NULL);
    snprintf(name->text, sizeof name->text, "%s", text);
    name->inode = inode;
}

static void name_clear(struct hf_sim_name *names, const char *text)
{
    struct hf_sim_name *name = hf_sim_name_find(names, text);
    if (name != NULL) {
        name->inode = NULL;
    }
}

void hf_sim_name_apply(struct hf_sim_name *names, const struct hf_sim_change *change)
{
    switch (change->kind) {
    case HF_SIM_CREATE:
        hf_sim_name_set(names, change->to, change->inode);
        break;
    case HF_SIM_RENAME:
        name_clear(names, change->from);
        hf_sim_name_set(names, change->to, change->inode);
        break;
    case HF_SIM_REMOVE:
        name_clear(names, change->from);
        break;
    }
}

static void name_change(struct hf_sim_disk *self, enum hf_sim_change_kind kind, const char *from,
                        const char *to, struct hf_sim_inode *inode)
{
    if (self->name_change_count == HF_SIM_CHANGES_MAX) {
        /* The journal commits by itself now and then. */
        hf_sim_name_apply(self->durable_names, &self->name_changes[0]);
        memmove(self->name_changes, self->name_changes + 1,
                (HF_SIM_CHANGES_MAX - 1) * sizeof self->name_changes[0]);
        self->name_change_count--;
    }
    struct hf_sim_change *change = &self->name_changes[self->name_change_count++];
    *change = (struct hf_sim_change){.kind = kind, .inode = inode};
    snprintf(change->from, sizeof change->from, "%s", from);
    snprintf(change->to, sizeof change->to, "%s", to);
    hf_sim_name_apply(self->names, change);
}

static uint64_t space_used(const struct hf_sim_disk *self)
{
    uint64_t used = 0;
    for (size_t i = 0; i < HF_SIM_NAMES_MAX; i++) {
        used += self->names[i].inode != NULL ? self->names[i].inode->size : 0;
    }
    return used;
}

bool hf_sim_space_allows(const struct hf_sim_disk *self, const struct hf_sim_inode *inode,
                         uint64_t end)
{
    if (self->options.space_bytes == 0 || end <= inode->size) {
        return true;
    }
    return space_used(self) + (end - inode->size) <= self->options.space_bytes;
}

/* ---- Blocking half ---- */

static enum hf_status sim_open(struct hf_disk *disk, const char *name, unsigned flags, int *file)
{
    struct hf_sim_disk *self = hf_sim_disk_of(disk);
    assert(strlen(name) < HF_DISK_NAME_SIZE);
    assert((flags & HF_DISK_WRITE) == 0 || !disk->read_only);
    FAIL_WHEN_TOLD(self, "open", name);
    const struct hf_sim_name *found = hf_sim_name_find(self->names, name);
    bool create = (flags & HF_DISK_CREATE) != 0;
    if (found == NULL && !create) {
        return fail(self, "open", name, ENOENT, HF_STATUS_NOT_FOUND);
    }
    if (found != NULL && create) {
        return fail(self, "open", name, EEXIST, HF_STATUS_EXISTS);
    }
    int slot = 0;
    while (slot < HF_DISK_FILES_MAX && self->files[slot].inode != NULL) {
        slot++;
    }
    if (slot == HF_DISK_FILES_MAX) {
        return fail(self, "open", name, EMFILE, HF_STATUS_IO);
    }
    struct hf_sim_inode *inode = found != NULL ? found->inode : hf_sim_inode_make(self);
    if (create) {
        change_comes(self);
        name_change(self, HF_SIM_CREATE, "", name, inode);
    }
    self->files[slot] = (struct hf_sim_file){.inode = inode, .flags = flags};
    *file = slot;
    return HF_STATUS_OK;
}

static struct hf_sim_inode *inode_of(const struct hf_sim_disk *self, int file)
{
    assert(file >= 0);
    assert(file < HF_DISK_FILES_MAX);
    assert(self->files[file].inode != NULL);
    return self->files[file].inode;
}

/* What O_DIRECT asks of a request. */
static void assert_direct(const struct hf_sim_disk *self, int file, uint64_t offset,
                          const void *buffer, size_t length)
{
    if ((self->files[file].flags & HF_DISK_DIRECT) != 0) {
        uint32_t block_size = self->disk.block_size;
        assert(offset % block_size == 0);
        assert(length % block_size == 0);
        assert((uintptr_t)buffer % block_size == 0);
    }
}

static enum hf_status sim_close(struct hf_disk *disk, int file)
{
    struct hf_sim_disk *self = hf_sim_disk_of(disk);
    /* After a power cut the files of the life before are closed already. */
    self->files[file] = (struct hf_sim_file){0};
    FAIL_WHEN_TOLD(self, "close", "a file");
    return HF_STATUS_OK;
}

static enum hf_status sim_size(struct hf_disk *disk, int file, uint64_t *bytes)
{
    struct hf_sim_disk *self = hf_sim_disk_of(disk);
    FAIL_WHEN_TOLD(self, "stat", "a file");
    *bytes = inode_of(self, file)->size;
    return HF_STATUS_OK;
}

static enum hf_status sim_read(struct hf_disk *disk, int file, uint64_t offset, void *buffer,
                               size_t length, size_t *done)
{
    struct hf_sim_disk *self = hf_sim_disk_of(disk);
    const struct hf_sim_inode *inode = inode_of(self, file);
    assert_direct(self, file, offset, buffer, length);
    FAIL_WHEN_TOLD(self, "read", "a file");
    *done = 0;
    if (offset < inode->size) {
        size_t left = inode->size - (size_t)offset;
        *done = left < length ? left : length;
        memcpy(buffer, inode->bytes + offset, *done);
    }
    return HF_STATUS_OK;
}

/* Somewhere else in the file, at a block's begin; or nowhere, when there is no other room. */
static uint64_t stray_offset(struct hf_sim_disk *self, const struct hf_sim_inode *inode,
                             uint64_t offset, size_t length)
{
    uint64_t places = inode->size < length ? 0 : (inode->size - length) / self->disk.block_size + 1;
    if (places < 2) {
        return UINT64_MAX;
    }
    uint64_t stray = dice(self) % places * self->disk.block_size;
    return stray != offset ? stray : (stray == 0 ? self->disk.block_size : 0);
}

/* Writes, or does what befalls the write instead. False when not all of it was written, and the
 * disk knows it. */
static bool put(struct hf_sim_disk *self, struct hf_sim_inode *inode, uint64_t offset,
                const uint8_t *bytes, size_t length, enum hf_disk_sim_mishap mishap)
{
    switch (mishap) {
    case HF_DISK_SIM_NO_MISHAP:
        hf_sim_inode_write(inode, offset, bytes, length);
        return true;
    case HF_DISK_SIM_SHORT:
        if (length > HF_SIM_SECTOR) {
            hf_sim_inode_write(inode, offset, bytes, length - HF_SIM_SECTOR);
        }
        return false;
    case HF_DISK_SIM_MISDIRECTED: {
        uint64_t stray = stray_offset(self, inode, offset, length);
        if (stray != UINT64_MAX) {
            hf_sim_inode_write(inode, stray, bytes, length);
        }
        return true;
    }
    case HF_DISK_SIM_LOST:
        return true;
    case HF_DISK_SIM_ROTTEN:
        hf_sim_inode_write_rotten(inode, offset, bytes, length, dice(self) % (length * 8));
        return true;
    }
    abort();
}

static enum hf_status sim_write(struct hf_disk *disk, int file, uint64_t offset, const void *buffer,
                                size_t length)
{
    struct hf_sim_disk *self = hf_sim_disk_of(disk);
    struct hf_sim_inode *inode = inode_of(self, file);
    assert_direct(self, file, offset, buffer, length);
    assert((self->files[file].flags & HF_DISK_WRITE) != 0);
    FAIL_WHEN_TOLD(self, "write", "a file");
    if (!hf_sim_space_allows(self, inode, offset + length)) {
        return fail(self, "write", "a file", ENOSPC, HF_STATUS_FULL);
    }
    change_comes(self);
    if (!put(self, inode, offset, buffer, length, mishap_now(self))) {
        return fail(self, "write", "a file", EIO, HF_STATUS_IO);
    }
    return HF_STATUS_OK;
}

static enum hf_status sim_flush(struct hf_disk *disk, int file)
{
    struct hf_sim_disk *self = hf_sim_disk_of(disk);
    if (fails_now(self)) {
        struct hf_sim_fate fate = {.random = &self->random};
        hf_sim_inode_flush_fails(inode_of(self, file), &fate);
        return fail(self, "flush", "a file", EIO, HF_STATUS_IO);
    }
    change_comes(self);
    hf_sim_inode_flush(inode_of(self, file));
    return HF_STATUS_OK;
}

static enum hf_status sim_allocate(struct hf_disk *disk, int file, uint64_t bytes)
{
    struct hf_sim_disk *self = hf_sim_disk_of(disk);
    struct hf_sim_inode *inode = inode_of(self, file);
    FAIL_WHEN_TOLD(self, "allocate", "a file");
    uint64_t keep_free = atomic_load_explicit(&disk->keep_free_bytes, memory_order_relaxed);
    if (!hf_sim_space_allows(self, inode, bytes + keep_free)) {
        return fail(self, "allocate", "a file", ENOSPC, HF_STATUS_FULL);
    }
    change_comes(self);
    if (bytes > inode->size) {
        hf_sim_inode_allocate(inode, (size_t)bytes);
    }
    return HF_STATUS_OK;
}

static enum hf_status sim_rename(struct hf_disk *disk, const char *from, const char *to)
{
    struct hf_sim_disk *self = hf_sim_disk_of(disk);
    FAIL_WHEN_TOLD(self, "rename", from);
    const struct hf_sim_name *name = hf_sim_name_find(self->names, from);
    if (name == NULL) {
        return fail(self, "rename", from, ENOENT, HF_STATUS_NOT_FOUND);
    }
    change_comes(self);
    name_change(self, HF_SIM_RENAME, from, to, name->inode);
    return HF_STATUS_OK;
}

static enum hf_status sim_remove(struct hf_disk *disk, const char *text)
{
    struct hf_sim_disk *self = hf_sim_disk_of(disk);
    FAIL_WHEN_TOLD(self, "remove", text);
    const struct hf_sim_name *name = hf_sim_name_find(self->names, text);
    if (name == NULL) {
        return fail(self, "remove", text, ENOENT, HF_STATUS_NOT_FOUND);
    }
    change_comes(self);
    name_change(self, HF_SIM_REMOVE, text, "", name->inode);
    return HF_STATUS_OK;
}

static enum hf_status sim_flush_directory(struct hf_disk *disk)
{
    struct hf_sim_disk *self = hf_sim_disk_of(disk);
    FAIL_WHEN_TOLD(self, "flush", "the directory");
    change_comes(self);
    memcpy(self->durable_names, self->names, sizeof self->names);
    self->name_change_count = 0;
    return HF_STATUS_OK;
}

static enum hf_status sim_list(struct hf_disk *disk, bool (*visit)(void *context, const char *name),
                               void *context)
{
    struct hf_sim_disk *self = hf_sim_disk_of(disk);
    FAIL_WHEN_TOLD(self, "list", "the directory");
    for (size_t i = 0; i < HF_SIM_NAMES_MAX; i++) {
        if (self->names[i].inode != NULL && !visit(context, self->names[i].text)) {
            break;
        }
    }
    return HF_STATUS_OK;
}

static enum hf_status sim_lock(struct hf_disk *disk)
{
    struct hf_sim_disk *self = hf_sim_disk_of(disk);
    FAIL_WHEN_TOLD(self, "lock", "the directory");
    if (self->locked) {
        return fail(self, "lock", "the directory", EWOULDBLOCK, HF_STATUS_LOCKED);
    }
    self->locked = true;
    return HF_STATUS_OK;
}

/* ---- Appending half ---- */

static enum hf_status sim_attach(struct hf_disk *disk, void *const buffers[], size_t buffer_length,
                                 uint32_t buffer_count)
{
    struct hf_sim_disk *self = hf_sim_disk_of(disk);
    assert(!self->attached);
    FAIL_WHEN_TOLD(self, "attach", "the disk");
    for (uint32_t i = 0; i < buffer_count; i++) {
        assert((uintptr_t)buffers[i] % disk->block_size == 0);
    }
    assert(buffer_length % disk->block_size == 0);
    self->attached = true;
    return HF_STATUS_OK;
}

static enum hf_status queue(struct hf_sim_disk *self, int file, uint64_t offset, const void *buffer,
                            size_t length, uint64_t tag, bool durable)
{
    struct hf_sim_inode *inode = inode_of(self, file);
    uint32_t most = self->options.queue_most == 0 ? 64 : self->options.queue_most;
    assert(self->attached);
    assert(most <= HF_SIM_QUEUE_MAX);
    assert_direct(self, file, offset, buffer, length);
    if (self->queue_count == most) {
        return HF_STATUS_AGAIN;
    }
    uint32_t delay_most = self->options.delay_most;
    change_comes(self);
    self->queue[self->queue_count++] = (struct hf_sim_request){
        .inode = inode,
        .offset = offset,
        .bytes = buffer,
        .length = length,
        .hash = hf_hash_of(buffer, length),
        .tag = tag,
        .delay = delay_most == 0 ? 0 : (uint32_t)(dice(self) % (delay_most + 1)),
        .mishap = mishap_now(self),
        .durable = durable,
        .fails = fails_now(self),
    };
    self->disk.unwritten += durable;
    return HF_STATUS_OK;
}

static enum hf_status sim_append(struct hf_disk *disk, int file, uint64_t offset,
                                 const void *buffer, size_t length, uint64_t tag)
{
    return queue(hf_sim_disk_of(disk), file, offset, buffer, length, tag, true);
}

static enum hf_status sim_fill(struct hf_disk *disk, int file, uint64_t offset, const void *buffer,
                               size_t length, uint64_t tag)
{
    return queue(hf_sim_disk_of(disk), file, offset, buffer, length, tag, false);
}

/* Does the write that a request asks for. Returns the errno of what went wrong, or 0. */
static int write_queued(struct hf_sim_disk *self, const struct hf_sim_request *request)
{
    if (!hf_sim_space_allows(self, request->inode, request->offset + request->length)) {
        return ENOSPC;
    }
    if (request->fails) {
        /* The write may be done, and only the flush fail. */
        if (dice(self) % 2 != 0) {
            return EIO;
        }
        hf_sim_inode_write(request->inode, request->offset, request->bytes, request->length);
        return 0;
    }
    bool is_whole = put(self, request->inode, request->offset, request->bytes, request->length,
                        request->mishap);
    return is_whole ? 0 : EIO;
}

static int flush_queued(struct hf_sim_disk *self, const struct hf_sim_request *request)
{
    if (request->fails) {
        struct hf_sim_fate fate = {.random = &self->random};
        hf_sim_inode_flush_fails(request->inode, &fate);
        return EIO;
    }
    if (request->durable) {
        hf_sim_inode_flush(request->inode);
    }
    return 0;
}

/* Does to the file what a queued request asks for. False: it is written, its flush comes later. */
static bool carry_out(struct hf_sim_disk *self, struct hf_sim_request *request, int *error)
{
    bool was_written = request->is_written;
    *error = request->cancelled ? ECANCELED : 0;
    self->disk.unwritten -= request->durable && !was_written;
    if (request->cancelled) {
        return true;
    }
    assert(hf_hash_equal(request->hash, hf_hash_of(request->bytes, request->length)));
    change_comes(self);
    if (!was_written) {
        *error = write_queued(self, request);
        request->is_written = *error == 0;
    }
    if (!was_written && request->is_written && request->durable && self->options.flush_delay != 0) {
        request->delay = self->options.flush_delay - 1;
        return false;
    }
    if (request->is_written) {
        *error = flush_queued(self, request);
    }
    return true;
}

static uint32_t sim_poll(struct hf_disk *disk, struct hf_disk_completion *completions,
                         uint32_t most)
{
    struct hf_sim_disk *self = hf_sim_disk_of(disk);
    uint32_t count = 0;
    for (uint32_t i = 0; i < self->queue_count;) {
        struct hf_sim_request *request = &self->queue[i];
        int error = 0;
        if (request->delay != 0 || count == most) {
            request->delay -= request->delay != 0 ? 1 : 0;
            i++;
        } else if (!carry_out(self, request, &error)) {
            i++;
        } else {
            completions[count++] =
                (struct hf_disk_completion){.tag = request->tag,
                                            .status = error == 0        ? HF_STATUS_OK
                                                      : error == ENOSPC ? HF_STATUS_FULL
                                                                        : HF_STATUS_IO,
                                            .error = error};
            self->queue_count--;
            memmove(request, request + 1, (self->queue_count - i) * sizeof *request);
        }
    }
    return count;
}

/* Time passes with polls alone. */
static void sim_wait(struct hf_disk *disk)
{
    (void)disk;
}

static void sim_destroy(struct hf_disk *disk)
{
    struct hf_sim_disk *self = hf_sim_disk_of(disk);
    for (size_t i = 0; i < self->inode_count; i++) {
        hf_sim_inode_free(self->inodes[i]);
    }
    free(self->inodes);
    free(self);
}

static const struct hf_disk_maker sim_maker = {
    .open = sim_open,
    .close = sim_close,
    .size = sim_size,
    .read = sim_read,
    .write = sim_write,
    .flush = sim_flush,
    .allocate = sim_allocate,
    .rename = sim_rename,
    .remove = sim_remove,
    .flush_directory = sim_flush_directory,
    .list = sim_list,
    .lock = sim_lock,
    .attach = sim_attach,
    .append = sim_append,
    .fill = sim_fill,
    .poll = sim_poll,
    .wait = sim_wait,
    .destroy = sim_destroy,
};

struct hf_disk *hf_disk_sim_create(const struct hf_disk_sim_options *options)
{
    struct hf_sim_disk *self = calloc(1, sizeof *self);
    if (self == NULL) {
        return NULL;
    }
    assert(options->block_size == 512 || options->block_size == 4096);
    self->options = *options;
    self->random = options->seed;
    self->fail_at = UINT64_MAX;
    self->befall_at = UINT64_MAX;
    self->disk.maker = &sim_maker;
    self->disk.block_size = options->block_size;
    return &self->disk;
}
