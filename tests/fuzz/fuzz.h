/* What the fuzz targets of the log share: a directory on the simulated disk and a ledger to load
 * into.
 *
 * An input is a byte of flags, seven more that are unused so that what follows is aligned, and the
 * file. Whoever only turns bits is stopped at the first hash: with HF_FUZZ_REPAIR the target sets
 * the hashes right again before it reads, and what lies behind them is reached. */
#ifndef HF_TESTS_FUZZ_H
#define HF_TESTS_FUZZ_H

#include "target.h"

#include "engine/image.h"
#include "wal/disk_sim.h"
#include "wal/recover.h"
#include "wal/replay.h"
#include "wal/segment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HF_FUZZ_REPAIR       0x01
#define HF_FUZZ_LARGE_BLOCKS 0x02 /* records begin at multiples of 4,096 instead of 512 */
#define HF_FUZZ_SEGMENT_SIZE (16 << 10)

static const struct hf_id fuzz_cluster = {.lo = 0x0123456789abcdef, .hi = 0xfedcba9876543210};
#define FUZZ_NODE 1

/* Room for a story of a few hundred operations; more is refused, and may be. */
static const struct hf_ledger_limits fuzz_limits = {
    .accounts = 40,
    .instruments = 8,
    .holds = 200,
    .terms = 4,
    .parts = 4,
    .selectors = 1,
    .limits = 4,
    .rolling = 1,
    .remembered = 512,
    .remember_ns = 3600 * UINT64_C(1000000000),
    .record_ns = UINT64_C(45) * 86400 * 1000000000,
    .id_ahead_ns = 60 * UINT64_C(1000000000),
};

/* The same key in every run. */
static inline const uint8_t *fuzz_secret_key(void)
{
    static const uint8_t seed[HF_CHAIN_SEED_SIZE] = "a key that everybody may have...";
    static uint8_t key[HF_CHAIN_SECRET_SIZE];
    static bool is_made;
    if (!is_made) {
        hf_chain_key_of_seed(seed, key);
        is_made = true;
    }
    return key;
}

struct fuzz_ledger {
    struct hf_ledger *ledger;
    struct hf_image_reader image;
};

/* An empty ledger in the memory of the one before, of which nobody has anything any more. */
static inline void fuzz_make_ledger(struct fuzz_ledger *to)
{
    static void *memory;
    size_t size = hf_ledger_memory_size(&fuzz_limits);
    if (memory == NULL) {
        memory = aligned_alloc(64, size);
        FUZZ_CHECK(memory != NULL);
    }
    memset(memory, 0, size);
    to->ledger = hf_ledger_create(&fuzz_limits, memory, size);
    FUZZ_CHECK(to->ledger != NULL);
    hf_image_read_begin(&to->image, to->ledger);
}

static inline enum hf_status fuzz_take_image(void *context, const void *bytes, size_t length,
                                             struct hf_fault *fault)
{
    struct fuzz_ledger *to = context;
    enum hf_status status = hf_image_read(&to->image, bytes, length);
    if (status != HF_STATUS_OK) {
        snprintf(fault->line, sizeof fault->line, "the image makes no sense");
    }
    return status;
}

static inline enum hf_status
fuzz_end_image(void *context, const struct hf_checkpoint_header *header, struct hf_fault *fault)
{
    struct fuzz_ledger *to = context;
    enum hf_status status = hf_image_read_end(&to->image);
    if (status == HF_STATUS_OK && hf_ledger_place(to->ledger) != header->place) {
        status = HF_STATUS_DIVERGED;
    }
    if (status != HF_STATUS_OK) {
        snprintf(fault->line, sizeof fault->line, "the image does not end where it should");
    }
    return status;
}

static inline enum hf_status fuzz_take_record(void *context, const struct hf_record_header *record,
                                              struct hf_fault *fault)
{
    struct fuzz_ledger *to = context;
    return hf_replay_record(to->ledger, record, NULL, NULL, fault);
}

static inline struct hf_disk *fuzz_make_disk(uint32_t block_size)
{
    struct hf_disk_sim_options options = {.seed = 1, .block_size = block_size};
    struct hf_disk *disk = hf_disk_sim_create(&options);
    FUZZ_CHECK(disk != NULL);
    return disk;
}

/* Puts a file there, whole and durable. */
static inline void fuzz_put_file(struct hf_disk *disk, const char *name, const void *bytes,
                                 size_t size, size_t length)
{
    hf_disk_sim_resize(disk, name, length);
    uint8_t *to = hf_disk_sim_bytes(disk, name, NULL);
    memcpy(to, bytes, size < length ? size : length);
}

/* A superblock of four whole copies. */
static inline void fuzz_put_superblock(struct hf_disk *disk, uint32_t block_size)
{
    static struct hf_superblock copies[HF_SUPERBLOCK_COPIES];
    hf_superblock_init(&copies[0], fuzz_cluster, FUZZ_NODE, block_size, HF_FUZZ_SEGMENT_SIZE,
                       hf_chain_key_public(fuzz_secret_key()));
    memcpy(copies[0].settings, &fuzz_limits, sizeof fuzz_limits);
    copies[0].sequence = 1;
    copies[0].incarnation = 1;
    hf_superblock_seal(&copies[0]);
    for (int i = 1; i < HF_SUPERBLOCK_COPIES; i++) {
        copies[i] = copies[0];
    }
    fuzz_put_file(disk, HF_SUPERBLOCK_NAME, copies, sizeof copies, sizeof copies);
}

/* Opens what lies on the disk, as a starting node does. */
static inline enum hf_status fuzz_open(struct hf_disk *disk, struct fuzz_ledger *to,
                                       struct hf_log_state *state, struct hf_fault *fault)
{
    struct hf_log_options options = {.cluster = fuzz_cluster, .node = FUZZ_NODE};
    const struct hf_log_replay replay = {.context = to,
                                         .image = fuzz_take_image,
                                         .image_end = fuzz_end_image,
                                         .record = fuzz_take_record};
    memcpy(options.settings, &fuzz_limits, sizeof fuzz_limits);
    memcpy(options.public_key, hf_chain_key_public(fuzz_secret_key()), sizeof options.public_key);
    fuzz_make_ledger(to);
    return hf_log_open(disk, &options, &replay, state, fault);
}

/* What holds whatever is on the disk: it is refused with a line, and untouched; or it is opened,
 * and opened again it is the same, with nothing left to cut. */
static inline void fuzz_start_twice(struct hf_disk *disk)
{
    static struct hf_log_state first;
    static struct hf_log_state again;
    struct fuzz_ledger ledger;
    struct hf_fault fault;
    uint64_t changes = hf_disk_sim_changes(disk);
    enum hf_status status = fuzz_open(disk, &ledger, &first, &fault);
    if (status != HF_STATUS_OK) {
        FUZZ_CHECK(fault.line[0] != '\0');
        FUZZ_CHECK(status != HF_STATUS_IO && status != HF_STATUS_NO_MEMORY);
        FUZZ_CHECK(hf_disk_sim_changes(disk) == changes);
        return;
    }
    struct hf_id digest = hf_ledger_digest(ledger.ledger);
    FUZZ_CHECK(first.next_place == hf_ledger_place(ledger.ledger) + 1);
    hf_disk_sim_kill(disk);
    FUZZ_CHECK(fuzz_open(disk, &ledger, &again, &fault) == HF_STATUS_OK);
    FUZZ_CHECK(again.last_index == first.last_index);
    FUZZ_CHECK(hf_hash_equal(again.last_hash, first.last_hash));
    FUZZ_CHECK(again.cut_bytes == 0);
    FUZZ_CHECK(hf_id_equal(hf_ledger_digest(ledger.ledger), digest));
    FUZZ_CHECK(again.superblock.incarnation == first.superblock.incarnation + 1);
}

#endif
