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

uint64_t hf_sim_sector_count(size_t length)
{
    return (length + HF_SIM_SECTOR - 1) / HF_SIM_SECTOR;
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

uint64_t hf_sim_inode_unflushed(const struct hf_sim_inode *inode)
{
    uint64_t count = 0;
    for (size_t i = 0; i < inode->pending_count; i++) {
        const struct hf_sim_write *write = &inode->pending[i];
        count += write->bytes == NULL ? 1 : hf_sim_sector_count(write->length);
    }
    return count;
}

/* What a test has put there is there for good. */
static void settle(struct hf_sim_inode *inode)
{
    if (inode->touched) {
        hf_sim_inode_flush(inode);
    }
}

static uint8_t *copy_bytes(const uint8_t *bytes, size_t length)
{
    uint8_t *copy = hf_sim_grow(NULL, length);
    if (length != 0) {
        memcpy(copy, bytes, length);
    }
    return copy;
}

struct hf_sim_inode *hf_sim_inode_copy(const struct hf_sim_inode *inode)
{
    struct hf_sim_inode *copy = hf_sim_grow(NULL, sizeof *copy);
    *copy = *inode;
    copy->bytes = copy_bytes(inode->bytes, inode->size);
    copy->durable = copy_bytes(inode->durable, inode->durable_size);
    copy->pending = NULL;
    if (inode->pending_count != 0) {
        copy->pending = hf_sim_grow(NULL, inode->pending_count * sizeof *copy->pending);
    }
    for (size_t i = 0; i < inode->pending_count; i++) {
        copy->pending[i] = inode->pending[i];
        if (inode->pending[i].bytes != NULL) {
            copy->pending[i].bytes = copy_bytes(inode->pending[i].bytes, inode->pending[i].length);
        }
    }
    return copy;
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

void hf_sim_inode_write_rotten(struct hf_sim_inode *inode, uint64_t offset, const uint8_t *bytes,
                               size_t length, uint64_t bit)
{
    assert(bit / 8 < length);
    hf_sim_inode_write(inode, offset, bytes, length);
    uint8_t mask = (uint8_t)(1u << (bit % 8));
    inode->bytes[offset + bit / 8] ^= mask;
    inode->pending[inode->pending_count - 1].bytes[bit / 8] ^= mask;
}

static bool keeps_next(struct hf_sim_fate *fate)
{
    if (!fate->is_told) {
        return hf_sim_dice(fate->random) % 2 == 0;
    }
    bool keeps = (fate->kept & 1) != 0;
    fate->kept >>= 1;
    return keeps;
}

static void lengthen_durable(struct hf_sim_inode *inode, size_t size)
{
    if (size > inode->durable_size) {
        inode->durable = hf_sim_grow(inode->durable, size);
        memset(inode->durable + inode->durable_size, 0, size - inode->durable_size);
        inode->durable_size = size;
    }
}

/* One unflushed write becomes durable, does not, or in part. */
static void survive(struct hf_sim_inode *inode, const struct hf_sim_write *write,
                    struct hf_sim_fate *fate)
{
    /* One quarter each is lost and kept whole. */
    uint64_t whole = fate->is_told ? 2 : hf_sim_dice(fate->random) % 4;
    if (whole == 0) {
        return;
    }
    if (write->bytes == NULL) {
        if (!fate->is_told || keeps_next(fate)) {
            lengthen_durable(inode, write->length);
        }
        return;
    }
    for (size_t at = 0; at < write->length; at += HF_SIM_SECTOR) {
        size_t left = write->length - at;
        size_t length = left < HF_SIM_SECTOR ? left : HF_SIM_SECTOR;
        if (whole == 1 || keeps_next(fate)) {
            lengthen_durable(inode, write->offset + at + length);
            memcpy(inode->durable + write->offset + at, write->bytes + at, length);
        }
    }
}

void hf_sim_inode_flush_fails(struct hf_sim_inode *inode, struct hf_sim_fate *fate)
{
    settle(inode);
    for (size_t i = 0; i < inode->pending_count; i++) {
        survive(inode, &inode->pending[i], fate);
    }
    forget_pending(inode);
}

void hf_sim_inode_crash(struct hf_sim_inode *inode, struct hf_sim_fate *fate)
{
    hf_sim_inode_flush_fails(inode, fate);
    hf_sim_inode_resize(inode, inode->durable_size);
    if (inode->durable_size != 0) {
        memcpy(inode->bytes, inode->durable, inode->durable_size);
    }
}

void hf_sim_inode_allocate(struct hf_sim_inode *inode, size_t size)
{
    assert(size > inode->size);
    settle(inode);
    hf_sim_inode_resize(inode, size);
    remember(inode, 0, NULL, size);
}
