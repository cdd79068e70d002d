/* The disk in memory: files (sim_inode.h), and what is around them. Names are kept as the files'
 * bytes are: the names in force, the durable ones, and the changes since the last directory flush.
 * A power cut starts from the durable half and lets the dice decide about the rest. */
#include "disk_sim.h"
#include "hash.h"
#include "sim_inode.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_MAX   128
#define NAMES_MAX   256
#define CHANGES_MAX 64

struct name {
    char text[HF_DISK_NAME_SIZE];
    struct hf_sim_inode *inode; /* NULL: a free entry */
};

enum change_kind { CHANGE_CREATE, CHANGE_RENAME, CHANGE_REMOVE };

struct change {
    enum change_kind kind;
    char from[HF_DISK_NAME_SIZE];
    char to[HF_DISK_NAME_SIZE];
    struct hf_sim_inode *inode;
};

struct queued {
    struct hf_sim_inode *inode;
    uint64_t offset;
    const uint8_t *bytes; /* the caller's, which must not change */
    size_t length;
    struct hf_hash hash; /* of them when they were queued */
    uint64_t tag;
    uint32_t delay;
    bool durable;
    bool fails;
    bool cancelled; /* the power went */
};

struct open_file {
    struct hf_sim_inode *inode;
    unsigned flags;
};

struct sim_disk {
    struct hf_disk disk; /* first: it is what others hold */
    struct hf_disk_sim_options options;
    uint64_t random;
    bool locked;
    bool attached;
    uint64_t calls;
    uint64_t changes;
    uint64_t fail_at;
    bool fail_for_ever;
    struct hf_sim_inode **inodes;
    size_t inode_count;
    struct name names[NAMES_MAX];
    struct name durable_names[NAMES_MAX];
    struct change name_changes[CHANGES_MAX];
    size_t name_change_count;
    struct open_file files[HF_DISK_FILES_MAX];
    struct queued queue[QUEUE_MAX];
    uint32_t queue_count;
};

static struct sim_disk *self_of(struct hf_disk *disk)
{
    return (struct sim_disk *)(void *)disk;
}

static uint64_t dice(struct sim_disk *self)
{
    return hf_sim_dice(&self->random);
}

static enum hf_status fail(struct sim_disk *self, const char *call, const char *name, int error,
                           enum hf_status status)
{
    snprintf(self->disk.fault.line, sizeof self->disk.fault.line, "%.64s: %s: %s", name, call,
             strerror(error));
    return status;
}

/* Counts one call, and says whether it is one that fails. */
static bool fails_now(struct sim_disk *self)
{
    uint64_t call = self->calls++;
    return call == self->fail_at || (self->fail_for_ever && call > self->fail_at);
}

#define FAIL_WHEN_TOLD(self, call, name)                      \
    do {                                                      \
        if (fails_now(self)) {                                \
            return fail(self, call, name, EIO, HF_STATUS_IO); \
        }                                                     \
    } while (0)

static struct hf_sim_inode *inode_make(struct sim_disk *self)
{
    struct hf_sim_inode *inode = hf_sim_grow(NULL, sizeof *inode);
    *inode = (struct hf_sim_inode){0};
    self->inodes = hf_sim_grow(self->inodes, (self->inode_count + 1) * sizeof *self->inodes);
    self->inodes[self->inode_count++] = inode;
    return inode;
}

/* ---- Names ---- */

static struct name *name_find(struct name *names, const char *text)
{
    for (size_t i = 0; i < NAMES_MAX; i++) {
        if (names[i].inode != NULL && strcmp(names[i].text, text) == 0) {
            return &names[i];
        }
    }
    return NULL;
}

static void name_set(struct name *names, const char *text, struct hf_sim_inode *inode)
{
    struct name *name = name_find(names, text);
    for (size_t i = 0; name == NULL && i < NAMES_MAX; i++) {
        if (names[i].inode == NULL) {
            name = &names[i];
        }
    }
    assert(name != NULL);
    snprintf(name->text, sizeof name->text, "%s", text);
    name->inode = inode;
}

static void name_clear(struct name *names, const char *text)
{
    struct name *name = name_find(names, text);
    if (name != NULL) {
        name->inode = NULL;
    }
}

static void name_apply(struct name *names, const struct change *change)
{
    switch (change->kind) {
    case CHANGE_CREATE:
        name_set(names, change->to, change->inode);
        break;
    case CHANGE_RENAME:
        name_clear(names, change->from);
        name_set(names, change->to, change->inode);
        break;
    case CHANGE_REMOVE:
        name_clear(names, change->from);
        break;
    }
}

static void name_change(struct sim_disk *self, enum change_kind kind, const char *from,
                        const char *to, struct hf_sim_inode *inode)
{
    if (self->name_change_count == CHANGES_MAX) {
        /* The journal commits by itself now and then. */
        name_apply(self->durable_names, &self->name_changes[0]);
        memmove(self->name_changes, self->name_changes + 1,
                (CHANGES_MAX - 1) * sizeof self->name_changes[0]);
        self->name_change_count--;
    }
    struct change *change = &self->name_changes[self->name_change_count++];
    *change = (struct change){.kind = kind, .inode = inode};
    snprintf(change->from, sizeof change->from, "%s", from);
    snprintf(change->to, sizeof change->to, "%s", to);
    name_apply(self->names, change);
}

static uint64_t space_used(const struct sim_disk *self)
{
    uint64_t used = 0;
    for (size_t i = 0; i < NAMES_MAX; i++) {
        used += self->names[i].inode != NULL ? self->names[i].inode->size : 0;
    }
    return used;
}

static bool space_allows(const struct sim_disk *self, const struct hf_sim_inode *inode,
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
    struct sim_disk *self = self_of(disk);
    assert(strlen(name) < HF_DISK_NAME_SIZE);
    assert((flags & HF_DISK_WRITE) == 0 || !disk->read_only);
    FAIL_WHEN_TOLD(self, "open", name);
    const struct name *found = name_find(self->names, name);
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
    struct hf_sim_inode *inode = found != NULL ? found->inode : inode_make(self);
    if (create) {
        self->changes++;
        name_change(self, CHANGE_CREATE, "", name, inode);
    }
    self->files[slot] = (struct open_file){.inode = inode, .flags = flags};
    *file = slot;
    return HF_STATUS_OK;
}

static struct hf_sim_inode *inode_of(const struct sim_disk *self, int file)
{
    assert(file >= 0);
    assert(file < HF_DISK_FILES_MAX);
    assert(self->files[file].inode != NULL);
    return self->files[file].inode;
}

/* What O_DIRECT asks of a request. */
static void assert_direct(const struct sim_disk *self, int file, uint64_t offset,
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
    struct sim_disk *self = self_of(disk);
    /* After a power cut the files of the life before are closed already. */
    self->files[file] = (struct open_file){0};
    FAIL_WHEN_TOLD(self, "close", "a file");
    return HF_STATUS_OK;
}

static enum hf_status sim_size(struct hf_disk *disk, int file, uint64_t *bytes)
{
    struct sim_disk *self = self_of(disk);
    FAIL_WHEN_TOLD(self, "stat", "a file");
    *bytes = inode_of(self, file)->size;
    return HF_STATUS_OK;
}

static enum hf_status sim_read(struct hf_disk *disk, int file, uint64_t offset, void *buffer,
                               size_t length, size_t *done)
{
    struct sim_disk *self = self_of(disk);
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

static enum hf_status sim_write(struct hf_disk *disk, int file, uint64_t offset, const void *buffer,
                                size_t length)
{
    struct sim_disk *self = self_of(disk);
    struct hf_sim_inode *inode = inode_of(self, file);
    assert_direct(self, file, offset, buffer, length);
    assert((self->files[file].flags & HF_DISK_WRITE) != 0);
    FAIL_WHEN_TOLD(self, "write", "a file");
    if (!space_allows(self, inode, offset + length)) {
        return fail(self, "write", "a file", ENOSPC, HF_STATUS_FULL);
    }
    self->changes++;
    hf_sim_inode_write(inode, offset, buffer, length);
    return HF_STATUS_OK;
}

static enum hf_status sim_flush(struct hf_disk *disk, int file)
{
    struct sim_disk *self = self_of(disk);
    FAIL_WHEN_TOLD(self, "flush", "a file");
    self->changes++;
    hf_sim_inode_flush(inode_of(self, file));
    return HF_STATUS_OK;
}

static enum hf_status sim_allocate(struct hf_disk *disk, int file, uint64_t bytes)
{
    struct sim_disk *self = self_of(disk);
    struct hf_sim_inode *inode = inode_of(self, file);
    FAIL_WHEN_TOLD(self, "allocate", "a file");
    if (!space_allows(self, inode, bytes)) {
        return fail(self, "allocate", "a file", ENOSPC, HF_STATUS_FULL);
    }
    self->changes++;
    if (bytes > inode->size) {
        hf_sim_inode_allocate(inode, (size_t)bytes);
    }
    return HF_STATUS_OK;
}

static enum hf_status sim_rename(struct hf_disk *disk, const char *from, const char *to)
{
    struct sim_disk *self = self_of(disk);
    FAIL_WHEN_TOLD(self, "rename", from);
    const struct name *name = name_find(self->names, from);
    if (name == NULL) {
        return fail(self, "rename", from, ENOENT, HF_STATUS_NOT_FOUND);
    }
    self->changes++;
    name_change(self, CHANGE_RENAME, from, to, name->inode);
    return HF_STATUS_OK;
}

static enum hf_status sim_remove(struct hf_disk *disk, const char *text)
{
    struct sim_disk *self = self_of(disk);
    FAIL_WHEN_TOLD(self, "remove", text);
    const struct name *name = name_find(self->names, text);
    if (name == NULL) {
        return fail(self, "remove", text, ENOENT, HF_STATUS_NOT_FOUND);
    }
    self->changes++;
    name_change(self, CHANGE_REMOVE, text, "", name->inode);
    return HF_STATUS_OK;
}

static enum hf_status sim_flush_directory(struct hf_disk *disk)
{
    struct sim_disk *self = self_of(disk);
    FAIL_WHEN_TOLD(self, "flush", "the directory");
    self->changes++;
    memcpy(self->durable_names, self->names, sizeof self->names);
    self->name_change_count = 0;
    return HF_STATUS_OK;
}

static enum hf_status sim_list(struct hf_disk *disk, bool (*visit)(void *context, const char *name),
                               void *context)
{
    struct sim_disk *self = self_of(disk);
    FAIL_WHEN_TOLD(self, "list", "the directory");
    for (size_t i = 0; i < NAMES_MAX; i++) {
        if (self->names[i].inode != NULL && !visit(context, self->names[i].text)) {
            break;
        }
    }
    return HF_STATUS_OK;
}

static enum hf_status sim_lock(struct hf_disk *disk)
{
    struct sim_disk *self = self_of(disk);
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
    struct sim_disk *self = self_of(disk);
    assert(!self->attached);
    FAIL_WHEN_TOLD(self, "attach", "the disk");
    for (uint32_t i = 0; i < buffer_count; i++) {
        assert((uintptr_t)buffers[i] % disk->block_size == 0);
    }
    assert(buffer_length % disk->block_size == 0);
    self->attached = true;
    return HF_STATUS_OK;
}

static enum hf_status queue(struct sim_disk *self, int file, uint64_t offset, const void *buffer,
                            size_t length, uint64_t tag, bool durable)
{
    struct hf_sim_inode *inode = inode_of(self, file);
    uint32_t most = self->options.queue_most == 0 ? 64 : self->options.queue_most;
    assert(self->attached);
    assert(most <= QUEUE_MAX);
    assert_direct(self, file, offset, buffer, length);
    if (self->queue_count == most) {
        return HF_STATUS_AGAIN;
    }
    uint32_t delay_most = self->options.delay_most;
    self->queue[self->queue_count++] = (struct queued){
        .inode = inode,
        .offset = offset,
        .bytes = buffer,
        .length = length,
        .hash = hf_hash_of(buffer, length),
        .tag = tag,
        .delay = delay_most == 0 ? 0 : (uint32_t)(dice(self) % (delay_most + 1)),
        .durable = durable,
        .fails = fails_now(self),
    };
    self->changes++;
    return HF_STATUS_OK;
}

static enum hf_status sim_append(struct hf_disk *disk, int file, uint64_t offset,
                                 const void *buffer, size_t length, uint64_t tag)
{
    return queue(self_of(disk), file, offset, buffer, length, tag, true);
}

static enum hf_status sim_fill(struct hf_disk *disk, int file, uint64_t offset, const void *buffer,
                               size_t length, uint64_t tag)
{
    return queue(self_of(disk), file, offset, buffer, length, tag, false);
}

/* Does to the file what a queued request asks for. */
static struct hf_disk_completion carry_out(struct sim_disk *self, const struct queued *request)
{
    struct hf_disk_completion completion = {.tag = request->tag, .status = HF_STATUS_OK};
    if (request->cancelled) {
        completion.status = HF_STATUS_IO;
        completion.error = ECANCELED;
        return completion;
    }
    assert(hf_hash_equal(request->hash, hf_hash_of(request->bytes, request->length)));
    if (!space_allows(self, request->inode, request->offset + request->length)) {
        completion.status = HF_STATUS_FULL;
        completion.error = ENOSPC;
        return completion;
    }
    if (request->fails) {
        completion.status = HF_STATUS_IO;
        completion.error = EIO;
        /* The write may have been done, and only the flush have failed. */
        if (dice(self) % 2 == 0) {
            hf_sim_inode_write(request->inode, request->offset, request->bytes, request->length);
        }
        return completion;
    }
    hf_sim_inode_write(request->inode, request->offset, request->bytes, request->length);
    if (request->durable) {
        hf_sim_inode_flush(request->inode);
    }
    return completion;
}

static uint32_t sim_poll(struct hf_disk *disk, struct hf_disk_completion *completions,
                         uint32_t most)
{
    struct sim_disk *self = self_of(disk);
    uint32_t count = 0;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < self->queue_count; i++) {
        struct queued *request = &self->queue[i];
        if (request->delay == 0 && count < most) {
            completions[count++] = carry_out(self, request);
            continue;
        }
        request->delay -= request->delay != 0 ? 1 : 0;
        self->queue[kept++] = *request;
    }
    self->queue_count = kept;
    return count;
}

/* ---- Power cuts ---- */

/* What was still queued has begun, or has not. The one who queued it, if he still asks, learns that
 * it failed. */
static void end_queue(struct sim_disk *self)
{
    for (uint32_t i = 0; i < self->queue_count; i++) {
        struct queued *request = &self->queue[i];
        if (!request->cancelled && dice(self) % 2 == 0 &&
            space_allows(self, request->inode, request->offset + request->length)) {
            hf_sim_inode_write(request->inode, request->offset, request->bytes, request->length);
        }
        request->cancelled = true;
        request->delay = 0;
        request->inode = NULL;
    }
    memset(self->files, 0, sizeof self->files);
    self->locked = false;
    self->attached = false;
}

static bool inode_is_named(const struct sim_disk *self, const struct hf_sim_inode *inode)
{
    for (size_t i = 0; i < NAMES_MAX; i++) {
        if (self->names[i].inode == inode || self->durable_names[i].inode == inode) {
            return true;
        }
    }
    return false;
}

void hf_disk_sim_kill(struct hf_disk *disk)
{
    end_queue(self_of(disk));
}

void hf_disk_sim_crash(struct hf_disk *disk)
{
    struct sim_disk *self = self_of(disk);
    end_queue(self);
    size_t survive_count = (size_t)(dice(self) % (self->name_change_count + 1));
    for (size_t i = 0; i < survive_count; i++) {
        name_apply(self->durable_names, &self->name_changes[i]);
    }
    self->name_change_count = 0;
    memcpy(self->names, self->durable_names, sizeof self->names);
    size_t kept = 0;
    for (size_t i = 0; i < self->inode_count; i++) {
        if (inode_is_named(self, self->inodes[i])) {
            hf_sim_inode_crash(self->inodes[i], &self->random);
            self->inodes[kept++] = self->inodes[i];
        } else {
            hf_sim_inode_free(self->inodes[i]);
        }
    }
    self->inode_count = kept;
}

/* ---- For tests ---- */

void hf_disk_sim_fail(struct hf_disk *disk, uint64_t calls, bool for_ever)
{
    struct sim_disk *self = self_of(disk);
    self->fail_at = calls == UINT64_MAX ? UINT64_MAX : self->calls + calls;
    self->fail_for_ever = for_ever;
}

uint64_t hf_disk_sim_calls(const struct hf_disk *disk)
{
    return ((const struct sim_disk *)(const void *)disk)->calls;
}

uint64_t hf_disk_sim_changes(const struct hf_disk *disk)
{
    return ((const struct sim_disk *)(const void *)disk)->changes;
}

void hf_disk_sim_set_space(struct hf_disk *disk, uint64_t space_bytes)
{
    self_of(disk)->options.space_bytes = space_bytes;
}

uint8_t *hf_disk_sim_bytes(struct hf_disk *disk, const char *name, size_t *size)
{
    const struct name *found = name_find(self_of(disk)->names, name);
    if (found == NULL) {
        return NULL;
    }
    /* The test is about to look or to damage: both halves shall be the same. */
    hf_sim_inode_flush(found->inode);
    found->inode->touched = true;
    if (size != NULL) {
        *size = found->inode->size;
    }
    return found->inode->bytes;
}

void hf_disk_sim_resize(struct hf_disk *disk, const char *name, size_t size)
{
    struct sim_disk *self = self_of(disk);
    const struct name *found = name_find(self->names, name);
    if (found == NULL) {
        struct hf_sim_inode *inode = inode_make(self);
        name_set(self->names, name, inode);
        name_set(self->durable_names, name, inode);
        found = name_find(self->names, name);
    }
    hf_sim_inode_resize(found->inode, size);
    found->inode->touched = true;
    hf_sim_inode_flush(found->inode);
}

void hf_disk_sim_flip_bit(struct hf_disk *disk, const char *name, uint64_t bit)
{
    size_t size = 0;
    uint8_t *bytes = hf_disk_sim_bytes(disk, name, &size);
    assert(bytes != NULL);
    assert(bit / 8 < size);
    bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
}

static void sim_destroy(struct hf_disk *disk)
{
    struct sim_disk *self = self_of(disk);
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
    .destroy = sim_destroy,
};

struct hf_disk *hf_disk_sim_create(const struct hf_disk_sim_options *options)
{
    struct sim_disk *self = calloc(1, sizeof *self);
    if (self == NULL) {
        return NULL;
    }
    assert(options->block_size == 512 || options->block_size == 4096);
    self->options = *options;
    self->random = options->seed;
    self->fail_at = UINT64_MAX;
    self->disk.maker = &sim_maker;
    self->disk.block_size = options->block_size;
    return &self->disk;
}

struct hf_disk *hf_disk_sim_clone(const struct hf_disk *disk, uint64_t seed)
{
    const struct sim_disk *from = (const struct sim_disk *)(const void *)disk;
    struct hf_disk_sim_options options = from->options;
    options.seed = seed;
    struct hf_disk *clone = hf_disk_sim_create(&options);
    if (clone == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < NAMES_MAX; i++) {
        const struct hf_sim_inode *inode = from->names[i].inode;
        if (inode != NULL) {
            hf_disk_sim_resize(clone, from->names[i].text, inode->size);
            uint8_t *bytes = hf_disk_sim_bytes(clone, from->names[i].text, NULL);
            if (inode->size != 0) {
                memcpy(bytes, inode->bytes, inode->size);
            }
        }
    }
    return clone;
}
