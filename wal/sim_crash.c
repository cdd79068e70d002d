/* What happens to the simulated disk: the power goes, a process dies, a test looks and damages. A
 * power cut starts from the durable half of files and names, and lets the dice decide about the
 * rest, or does as it is told. */
#include "sim_disk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- Ends ---- */

/* What was still queued has begun, or has not. The one who queued it, if he still asks, learns that
 * it failed; nobody asks a fork. */
static void end_queue(struct hf_sim_disk *self, bool all_begin)
{
    for (uint32_t i = 0; i < self->queue_count; i++) {
        struct hf_sim_request *request = &self->queue[i];
        uint64_t end = request->offset + request->length;
        if (!request->cancelled && !request->is_written &&
            (all_begin || hf_sim_dice(&self->random) % 2 == 0) &&
            hf_sim_space_allows(self, request->inode, end)) {
            hf_sim_inode_write(request->inode, request->offset, request->bytes, request->length);
        }
        request->cancelled = true;
        request->delay = 0;
        request->inode = NULL;
    }
    if (self->is_fork) {
        self->queue_count = 0;
        self->disk.unwritten = 0;
    }
    memset(self->files, 0, sizeof self->files);
    self->locked = false;
    self->attached = false;
}

static bool inode_is_named(const struct hf_sim_disk *self, const struct hf_sim_inode *inode)
{
    for (size_t i = 0; i < HF_SIM_NAMES_MAX; i++) {
        if (self->names[i].inode == inode || self->durable_names[i].inode == inode) {
            return true;
        }
    }
    return false;
}

void hf_disk_sim_kill(struct hf_disk *disk)
{
    end_queue(hf_sim_disk_of(disk), false);
}

static void keep_names(struct hf_sim_disk *self, size_t count)
{
    assert(count <= self->name_change_count);
    for (size_t i = 0; i < count; i++) {
        hf_sim_name_apply(self->durable_names, &self->name_changes[i]);
    }
    self->name_change_count = 0;
    memcpy(self->names, self->durable_names, sizeof self->names);
}

static void keep_bytes(struct hf_sim_disk *self, struct hf_sim_fate *fate)
{
    size_t kept = 0;
    for (size_t i = 0; i < self->inode_count; i++) {
        if (inode_is_named(self, self->inodes[i])) {
            hf_sim_inode_crash(self->inodes[i], fate);
            self->inodes[kept++] = self->inodes[i];
        } else {
            hf_sim_inode_free(self->inodes[i]);
        }
    }
    self->inode_count = kept;
}

void hf_disk_sim_crash(struct hf_disk *disk)
{
    struct hf_sim_disk *self = hf_sim_disk_of(disk);
    end_queue(self, false);
    keep_names(self, (size_t)(hf_sim_dice(&self->random) % (self->name_change_count + 1)));
    struct hf_sim_fate fate = {.random = &self->random};
    keep_bytes(self, &fate);
}

void hf_disk_sim_crash_keeping(struct hf_disk *disk, uint64_t sectors, uint32_t names)
{
    struct hf_sim_disk *self = hf_sim_disk_of(disk);
    end_queue(self, true);
    keep_names(self, names);
    struct hf_sim_fate fate = {.is_told = true, .kept = sectors};
    keep_bytes(self, &fate);
}

uint64_t hf_disk_sim_unflushed(const struct hf_disk *disk, uint32_t *names)
{
    const struct hf_sim_disk *self = (const struct hf_sim_disk *)(const void *)disk;
    uint64_t count = 0;
    for (size_t i = 0; i < self->inode_count; i++) {
        if (inode_is_named(self, self->inodes[i])) {
            count += hf_sim_inode_unflushed(self->inodes[i]);
        }
    }
    for (uint32_t i = 0; i < self->queue_count; i++) {
        const struct hf_sim_request *request = &self->queue[i];
        bool counts = !request->cancelled && !request->is_written;
        count += counts ? hf_sim_sector_count(request->length) : 0;
    }
    *names = (uint32_t)self->name_change_count;
    return count;
}

/* ---- Faults to come ---- */

void hf_disk_sim_fail(struct hf_disk *disk, uint64_t calls, bool for_ever)
{
    struct hf_sim_disk *self = hf_sim_disk_of(disk);
    self->fail_at = calls == UINT64_MAX ? UINT64_MAX : self->calls + calls;
    self->fail_for_ever = for_ever;
}

void hf_disk_sim_befall(struct hf_disk *disk, enum hf_disk_sim_mishap mishap, uint64_t writes)
{
    struct hf_sim_disk *self = hf_sim_disk_of(disk);
    self->befall_at = self->writes + writes;
    self->befall = mishap;
}

uint64_t hf_disk_sim_calls(const struct hf_disk *disk)
{
    return ((const struct hf_sim_disk *)(const void *)disk)->calls;
}

uint64_t hf_disk_sim_changes(const struct hf_disk *disk)
{
    return ((const struct hf_sim_disk *)(const void *)disk)->changes;
}

uint64_t hf_disk_sim_writes(const struct hf_disk *disk)
{
    return ((const struct hf_sim_disk *)(const void *)disk)->writes;
}

void hf_disk_sim_set_space(struct hf_disk *disk, uint64_t space_bytes)
{
    hf_sim_disk_of(disk)->options.space_bytes = space_bytes;
}

void hf_disk_sim_watch(struct hf_disk *disk, void (*watch)(void *context, struct hf_disk *disk),
                       void *context)
{
    hf_sim_disk_of(disk)->watch = watch;
    hf_sim_disk_of(disk)->watch_context = context;
}

/* ---- Looking and damaging ---- */

uint8_t *hf_disk_sim_bytes(struct hf_disk *disk, const char *name, size_t *size)
{
    const struct hf_sim_name *found = hf_sim_name_find(hf_sim_disk_of(disk)->names, name);
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
    struct hf_sim_disk *self = hf_sim_disk_of(disk);
    const struct hf_sim_name *found = hf_sim_name_find(self->names, name);
    if (found == NULL) {
        struct hf_sim_inode *inode = hf_sim_inode_make(self);
        hf_sim_name_set(self->names, name, inode);
        hf_sim_name_set(self->durable_names, name, inode);
        found = hf_sim_name_find(self->names, name);
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

/* ---- Copies ---- */

struct hf_disk *hf_disk_sim_clone(const struct hf_disk *disk, uint64_t seed)
{
    const struct hf_sim_disk *from = (const struct hf_sim_disk *)(const void *)disk;
    struct hf_disk_sim_options options = from->options;
    options.seed = seed;
    struct hf_disk *clone = hf_disk_sim_create(&options);
    if (clone == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < HF_SIM_NAMES_MAX; i++) {
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

/* The fork's file that stands for this one. */
static struct hf_sim_inode *twin(const struct hf_sim_disk *from, const struct hf_sim_disk *fork,
                                 const struct hf_sim_inode *inode)
{
    for (size_t i = 0; i < from->inode_count && inode != NULL; i++) {
        if (from->inodes[i] == inode) {
            return fork->inodes[i];
        }
    }
    return NULL;
}

struct hf_disk *hf_disk_sim_fork(const struct hf_disk *disk, uint64_t seed)
{
    const struct hf_sim_disk *from = (const struct hf_sim_disk *)(const void *)disk;
    struct hf_sim_disk *fork = malloc(sizeof *fork);
    if (fork == NULL) {
        return NULL;
    }
    *fork = *from;
    fork->is_fork = true;
    fork->random = seed;
    fork->watch = NULL;
    fork->fail_at = UINT64_MAX;
    fork->befall_at = UINT64_MAX;
    fork->inodes = hf_sim_grow(NULL, from->inode_count * sizeof *fork->inodes);
    for (size_t i = 0; i < from->inode_count; i++) {
        fork->inodes[i] = hf_sim_inode_copy(from->inodes[i]);
    }
    for (size_t i = 0; i < HF_SIM_NAMES_MAX; i++) {
        fork->names[i].inode = twin(from, fork, from->names[i].inode);
        fork->durable_names[i].inode = twin(from, fork, from->durable_names[i].inode);
    }
    for (size_t i = 0; i < from->name_change_count; i++) {
        fork->name_changes[i].inode = twin(from, fork, from->name_changes[i].inode);
    }
    for (size_t i = 0; i < from->queue_count; i++) {
        fork->queue[i].inode = twin(from, fork, from->queue[i].inode);
    }
    memset(fork->files, 0, sizeof fork->files);
    return &fork->disk;
}
