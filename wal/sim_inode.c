#include "sim_inode.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* splitmix64 */
uint64_t hf_sim_dice(uint64_t *random)
{
    *random += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *random;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* A test cannot go on without memory, and has nobody to tell. */
void *hf_sim_grow(void *memory, size_t size)
{
    void *grown = realloc(memory, size == 0 ? 1 : size);
    if (grown == NULL) {
        abort();
    }
    return grown;
}

void hf_sim_inode_resize(struct hf_sim_inode *inode, size_t size)
{
    inode->bytes = hf_sim_grow(inode->bytes, size);
    if (size > inode->size) {
        memset(inode->bytes + inode->size, 0, size - inode->size);
    }
    inode->size = size;
}

static void forget_pending(struct hf_sim_inode *inode)
{
    for (size_t i = 0; i < inode->pending_count; i++) {
        free(inode->pending[i].bytes);
    }
    free(inode->pending);
    inode->pending = NULL;
    inode->pending_count = 0;
}

/* Everything written so far is durable. */
void hf_sim_inode_flush(struct hf_sim_inode *inode)
{
    inode->durable = hf_sim_grow(inode->durable, inode->size);
    if (inode->touched && inode->size != 0) {
        memcpy(inode->durable, inode->bytes, inode->size);
    } else if (inode->size > inode->durable_size) {
        memset(inode->durable + inode->durable_size, 0, inode->size - inode->durable_size);
    }
    for (size_t i = 0; i < inode->pending_count && !inode->touched; i++) {
        const struct hf_sim_write *write = &inode->pending[i];
        if (write->bytes != NULL) {
            memcpy(inode->durable + write->offset, write->bytes, write->length);
        }
    }
    inode->durable_size = inode->size;
    inode->touched = false;
    forget_pending(inode);
}

/* What a test has put there is there for good. */
static void settle(struct hf_sim_inode *inode)
{
    if (inode->touched) {
        assert(inode->pending_count == 0);
        hf_sim_inode_flush(inode);
    }
}

void hf_sim_inode_free(struct hf_sim_inode *inode)
{
    forget_pending(inode);
    free(inode->bytes);
    free(inode->durable);
    free(inode);
}

static void remember(struct hf_sim_inode *inode, uint64_t offset, const uint8_t *bytes,
                     size_t length)
{
    inode->pending =
        hf_sim_grow(inode->pending, (inode->pending_count + 1) * sizeof *inode->pending);
    struct hf_sim_write *write = &inode->pending[inode->pending_count++];
    *write = (struct hf_sim_write){.offset = offset, .length = length};
    if (bytes != NULL) {
        write->bytes = hf_sim_grow(NULL, length);
        memcpy(write->bytes, bytes, length);
    }
}

void hf_sim_inode_write(struct hf_sim_inode *inode, uint64_t offset, const uint8_t *bytes,
                        size_t length)
{
    settle(inode);
    if (offset + length > inode->size) {
        hf_sim_inode_resize(inode, offset + length);
    }
    memcpy(inode->bytes + offset, bytes, length);
    remember(inode, offset, bytes, length);
}

/* After a power cut one unflushed write is there, is not, or is torn. */
static void survive(struct hf_sim_inode *inode, const struct hf_sim_write *write, uint64_t *random)
{
    uint64_t fate = hf_sim_dice(random) % 4;
    if (fate == 0) {
        return;
    }
    if (write->bytes == NULL) {
        if (write->length > inode->size) {
            hf_sim_inode_resize(inode, write->length);
        }
        return;
    }
    for (size_t at = 0; at < write->length; at += HF_SIM_SECTOR) {
        size_t left = write->length - at;
        size_t length = left < HF_SIM_SECTOR ? left : HF_SIM_SECTOR;
        if (fate == 1 || hf_sim_dice(random) % 2 == 0) {
            if (write->offset + at + length > inode->size) {
                hf_sim_inode_resize(inode, write->offset + at + length);
            }
            memcpy(inode->bytes + write->offset + at, write->bytes + at, length);
        }
    }
}

void hf_sim_inode_crash(struct hf_sim_inode *inode, uint64_t *random)
{
    settle(inode);
    struct hf_sim_write *pending = inode->pending;
    size_t count = inode->pending_count;
    inode->pending = NULL;
    inode->pending_count = 0;
    hf_sim_inode_resize(inode, inode->durable_size);
    if (inode->durable_size != 0) {
        memcpy(inode->bytes, inode->durable, inode->durable_size);
    }
    for (size_t i = 0; i < count; i++) {
        survive(inode, &pending[i], random);
        free(pending[i].bytes);
    }
    free(pending);
    inode->touched = true;
    hf_sim_inode_flush(inode);
}

void hf_sim_inode_allocate(struct hf_sim_inode *inode, size_t size)
{
    assert(size > inode->size);
    settle(inode);
    hf_sim_inode_resize(inode, size);
    remember(inode, 0, NULL, size);
}
