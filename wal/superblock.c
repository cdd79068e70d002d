#include "superblock.h"
#include "record.h"
#include "segment.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char temporary_name[] = "superblock.tmp";
static const size_t hashed_from = offsetof(struct hf_superblock, magic);

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "every file is little-endian, as we are");

void hf_superblock_init(struct hf_superblock *superblock, struct hf_id cluster, uint32_t node,
                        uint32_t block_size, uint64_t segment_size,
                        const uint8_t public_key[HF_CHAIN_PUBLIC_SIZE])
{
    assert(!hf_id_is_reserved(cluster));
    assert(segment_size % block_size == 0);
    memset(superblock, 0, sizeof *superblock);
    memcpy(superblock->magic, HF_SUPERBLOCK_MAGIC, sizeof superblock->magic);
    superblock->format = HF_SUPERBLOCK_FORMAT;
    superblock->endianness = HF_SUPERBLOCK_ENDIANNESS;
    superblock->cluster = cluster;
    superblock->node = node;
    superblock->block_size = block_size;
    superblock->segment_size = segment_size;
    memcpy(superblock->public_key, public_key, sizeof superblock->public_key);
    superblock->promised_epoch = 1;
    superblock->epoch_count = 1;
    superblock->epochs[0] = (struct hf_epoch_start){.epoch = 1, .start_index = 1};
}

void hf_superblock_seal(struct hf_superblock *superblock)
{
    assert(superblock->epoch_count >= 1);
    assert(superblock->epoch_count <= HF_SUPERBLOCK_EPOCHS_MAX);
    superblock->hash =
        hf_hash_of((const uint8_t *)superblock + hashed_from, sizeof *superblock - hashed_from);
}

static bool copy_is_ours(const struct hf_superblock *copy)
{
    return memcmp(copy->magic, HF_SUPERBLOCK_MAGIC, sizeof copy->magic) == 0;
}

/* The table of epochs rises. It begins with the log unless that began with a checkpoint, or more
 * epochs have come than it has room for. */
static bool epochs_rise(const struct hf_superblock *copy)
{
    if (copy->epoch_count < 1 || copy->epoch_count > HF_SUPERBLOCK_EPOCHS_MAX) {
        return false;
    }
    const struct hf_epoch_start *epochs = copy->epochs;
    bool rise = epochs[0].epoch >= 1 && epochs[0].start_index >= 1;
    for (uint32_t i = 1; i < copy->epoch_count; i++) {
        rise = rise && epochs[i].epoch > epochs[i - 1].epoch &&
               epochs[i].start_index >= epochs[i - 1].start_index;
    }
    return rise;
}

static bool sizes_are_possible(const struct hf_superblock *copy)
{
    return (copy->block_size == HF_RECORD_BLOCK_MIN || copy->block_size == HF_RECORD_BLOCK_MAX) &&
           copy->segment_size >= HF_SEGMENT_SIZE_MIN && copy->segment_size <= HF_SEGMENT_SIZE_MAX &&
           copy->segment_size % HF_RECORD_BLOCK_MAX == 0;
}

static bool copy_is_valid(const struct hf_superblock *copy)
{
    struct hf_hash hash =
        hf_hash_of((const uint8_t *)copy + hashed_from, sizeof *copy - hashed_from);
    /* What the hash vouches for can still be another version's; the rest are our own limits. */
    return hf_hash_equal(hash, copy->hash) && copy_is_ours(copy) &&
           copy->format == HF_SUPERBLOCK_FORMAT && copy->endianness == HF_SUPERBLOCK_ENDIANNESS &&
           epochs_rise(copy) && sizes_are_possible(copy) && !hf_id_is_reserved(copy->cluster);
}

/* None is valid: says which of the ways it is. */
static enum hf_status describe_invalid(const struct hf_superblock copies[HF_SUPERBLOCK_COPIES],
                                       struct hf_fault *fault)
{
    int damaged_count = 0;
    for (int i = 0; i < HF_SUPERBLOCK_COPIES; i++) {
        const struct hf_superblock *copy = &copies[i];
        if (!copy_is_ours(copy)) {
            continue;
        }
        /* Byte order before format: a format read the wrong way round says nothing. */
        if (copy->endianness == __builtin_bswap32(HF_SUPERBLOCK_ENDIANNESS)) {
            snprintf(fault->line, sizeof fault->line,
                     HF_SUPERBLOCK_NAME ": found big-endian, expected little-endian: written on "
                                        "another kind of machine");
            return HF_STATUS_WRONG_FORMAT;
        }
        if (copy->format != HF_SUPERBLOCK_FORMAT) {
            snprintf(fault->line, sizeof fault->line,
                     HF_SUPERBLOCK_NAME ": found format %" PRIu32 ", expected %d", copy->format,
                     HF_SUPERBLOCK_FORMAT);
            return HF_STATUS_WRONG_FORMAT;
        }
        damaged_count++;
    }
    if (damaged_count == 0) {
        snprintf(fault->line, sizeof fault->line,
                 HF_SUPERBLOCK_NAME ": found no magic word, expected " HF_SUPERBLOCK_MAGIC
                                    ": not a Holdfast data directory");
        return HF_STATUS_WRONG_FORMAT;
    }
    snprintf(fault->line, sizeof fault->line,
             HF_SUPERBLOCK_NAME ": none of %d copies has the hash it says it has",
             HF_SUPERBLOCK_COPIES);
    return HF_STATUS_CORRUPT;
}

enum hf_status hf_superblock_choose(const struct hf_superblock copies[HF_SUPERBLOCK_COPIES],
                                    struct hf_superblock *chosen, struct hf_fault *fault)
{
    const struct hf_superblock *newest = NULL;
    for (int i = 0; i < HF_SUPERBLOCK_COPIES; i++) {
        if (!copy_is_valid(&copies[i])) {
            continue;
        }
        if (newest == NULL || copies[i].sequence > newest->sequence) {
            newest = &copies[i];
        }
    }
    if (newest == NULL) {
        return describe_invalid(copies, fault);
    }
    *chosen = *newest;
    return HF_STATUS_OK;
}

enum hf_status hf_superblock_expect(const struct hf_superblock *superblock, struct hf_id cluster,
                                    uint32_t node, struct hf_fault *fault)
{
    if (cluster.lo == 0 && cluster.hi == 0) {
        return HF_STATUS_OK;
    }
    if (!hf_id_equal(superblock->cluster, cluster)) {
        snprintf(fault->line, sizeof fault->line,
                 HF_SUPERBLOCK_NAME ": found cluster %016" PRIx64 "%016" PRIx64
                                    ", expected %016" PRIx64 "%016" PRIx64,
                 superblock->cluster.hi, superblock->cluster.lo, cluster.hi, cluster.lo);
        return HF_STATUS_WRONG_CLUSTER;
    }
    if (superblock->node != node) {
        snprintf(fault->line, sizeof fault->line,
                 HF_SUPERBLOCK_NAME ": found node %" PRIu32 ", expected %" PRIu32, superblock->node,
                 node);
        return HF_STATUS_WRONG_CLUSTER;
    }
    return HF_STATUS_OK;
}

static void *copies_allocate(struct hf_fault *fault)
{
    void *copies = aligned_alloc(HF_SUPERBLOCK_SIZE, HF_SUPERBLOCK_COPIES * HF_SUPERBLOCK_SIZE);
    if (copies == NULL) {
        snprintf(fault->line, sizeof fault->line, HF_SUPERBLOCK_NAME ": no memory to read it");
    }
    return copies;
}

enum hf_status hf_superblock_read(struct hf_disk *disk, struct hf_superblock *chosen,
                                  struct hf_fault *fault)
{
    int file = -1;
    enum hf_status status =
        disk->maker->open(disk, HF_SUPERBLOCK_NAME, HF_DISK_READ | HF_DISK_DIRECT, &file);
    if (status != HF_STATUS_OK) {
        *fault = disk->fault;
        return status;
    }
    size_t size = HF_SUPERBLOCK_COPIES * HF_SUPERBLOCK_SIZE;
    struct hf_superblock *copies = copies_allocate(fault);
    if (copies == NULL) {
        status = HF_STATUS_NO_MEMORY;
    } else {
        size_t done = 0;
        memset(copies, 0, size);
        status = disk->maker->read(disk, file, 0, copies, size, &done);
        if (status != HF_STATUS_OK) {
            *fault = disk->fault;
        } else {
            /* A file cut short leaves zeros, which are no valid copy. */
            status = hf_superblock_choose(copies, chosen, fault);
        }
    }
    free(copies);
    enum hf_status closed = disk->maker->close(disk, file);
    if (status == HF_STATUS_OK && closed != HF_STATUS_OK) {
        *fault = disk->fault;
        status = closed;
    }
    return status;
}

/* Writes all copies to an open file, flushing after each. */
static enum hf_status write_copies(struct hf_disk *disk, int file, struct hf_superblock *superblock,
                                   struct hf_fault *fault)
{
    struct hf_superblock *aligned = copies_allocate(fault);
    if (aligned == NULL) {
        return HF_STATUS_NO_MEMORY;
    }
    superblock->sequence++;
    hf_superblock_seal(superblock);
    *aligned = *superblock;
    enum hf_status status = HF_STATUS_OK;
    for (uint64_t i = 0; i < HF_SUPERBLOCK_COPIES && status == HF_STATUS_OK; i++) {
        status = disk->maker->write(disk, file, i * HF_SUPERBLOCK_SIZE, aligned, sizeof *aligned);
        if (status == HF_STATUS_OK) {
            status = disk->maker->flush(disk, file);
        }
    }
    if (status != HF_STATUS_OK) {
        *fault = disk->fault;
    }
    free(aligned);
    return status;
}

static enum hf_status write_file(struct hf_disk *disk, const char *name, unsigned flags,
                                 struct hf_superblock *superblock, struct hf_fault *fault)
{
    int file = -1;
    enum hf_status status =
        disk->maker->open(disk, name, flags | HF_DISK_WRITE | HF_DISK_DIRECT, &file);
    if (status != HF_STATUS_OK) {
        *fault = disk->fault;
        return status;
    }
    status = write_copies(disk, file, superblock, fault);
    enum hf_status closed = disk->maker->close(disk, file);
    if (status == HF_STATUS_OK && closed != HF_STATUS_OK) {
        *fault = disk->fault;
        status = closed;
    }
    return status;
}

enum hf_status hf_superblock_create(struct hf_disk *disk, struct hf_superblock *superblock,
                                    struct hf_fault *fault)
{
    /* One left by a start that was cut short. */
    enum hf_status status = disk->maker->remove(disk, temporary_name);
    if (status != HF_STATUS_OK && status != HF_STATUS_NOT_FOUND) {
        *fault = disk->fault;
        return status;
    }
    status = write_file(disk, temporary_name, HF_DISK_CREATE, superblock, fault);
    if (status != HF_STATUS_OK) {
        return status;
    }
    status = disk->maker->rename(disk, temporary_name, HF_SUPERBLOCK_NAME);
    if (status == HF_STATUS_OK) {
        status = disk->maker->flush_directory(disk);
    }
    if (status != HF_STATUS_OK) {
        *fault = disk->fault;
    }
    return status;
}

enum hf_status hf_superblock_write(struct hf_disk *disk, struct hf_superblock *superblock,
                                   struct hf_fault *fault)
{
    return write_file(disk, HF_SUPERBLOCK_NAME, 0, superblock, fault);
}

/* ---- Whose seals ---- */

const uint8_t *hf_superblock_key_of(const struct hf_superblock *superblock, uint32_t node)
{
    if (node == superblock->node) {
        return superblock->public_key;
    }
    return node != 0 && node == superblock->peer_node ? superblock->peer_key : NULL;
}

const char *hf_superblock_check_seal(const struct hf_superblock *superblock,
                                     const struct hf_record_header *seal)
{
    const uint8_t *key = hf_superblock_key_of(superblock, hf_chain_seal_of(seal)->node);
    return key == NULL ? "is another node's" : hf_chain_seal_check(seal, key);
}

bool hf_superblock_follow(const struct hf_superblock *superblock, struct hf_chain_span *span,
                          const struct hf_record_header *record, bool opens_segment,
                          char why[HF_SUPERBLOCK_WHY_SIZE])
{
    bool is_seal = record->kind == HF_RECORD_SEAL;
    if (opens_segment && record->index != 1 && (!is_seal || span->tree.leaf_count != 0)) {
        snprintf(why, HF_SUPERBLOCK_WHY_SIZE, "opens a segment without a seal before it and in it");
        return false;
    }
    if (!is_seal) {
        hf_chain_span_add(span, record);
        return true;
    }
    const char *wrong = hf_superblock_check_seal(superblock, record);
    if (wrong == NULL) {
        wrong = hf_chain_seal_match(span, record);
    }
    if (wrong != NULL) {
        snprintf(why, HF_SUPERBLOCK_WHY_SIZE, "is a seal that %s", wrong);
        return false;
    }
    hf_chain_span_next(span, record);
    return true;
}
