/* A disk in memory that behaves as badly as a real one may, from a seed: completions late and out
 * of order, power cuts that lose, keep or tear whatever was not flushed, calls that fail, room that
 * runs out, bits that rot, writes that go astray. Single thread; time is counted in polls. The same
 * seed and the same calls do the same.
 *
 * What a power cut leaves: of a file, what a flush or a durable append's completion has covered,
 * and of each later write each 512-byte sector, or all, or none of it. Of names, a prefix of the
 * changes since the last flush_directory, as a journalling file system keeps it. */
#ifndef HF_WAL_DISK_SIM_H
#define HF_WAL_DISK_SIM_H

#include "disk.h"

/* What may befall one write, append or fill, besides failing. */
enum hf_disk_sim_mishap {
    HF_DISK_SIM_NO_MISHAP = 0,
    HF_DISK_SIM_SHORT = 1, /* its last sector is missing; that is noticed: EIO, and no flush */
    HF_DISK_SIM_MISDIRECTED = 2, /* it lands elsewhere in its file; says OK */
    HF_DISK_SIM_LOST = 3,        /* nothing is written; says OK */
    HF_DISK_SIM_ROTTEN = 4,      /* one bit of it is turned; says OK */
};

struct hf_disk_sim_options {
    uint64_t seed;
    uint32_t block_size;  /* 512 or 4096 */
    uint32_t delay_most;  /* polls an append may take beyond the first; 0: none, and in order */
    uint32_t flush_delay; /* polls from an append's write to its flush; 0: both at once */
    uint32_t queue_most;  /* appends at a time; beyond: AGAIN. 0: 64 */
    uint64_t space_bytes; /* of all files together; 0: without bound */
};

/* NULL when there is no memory. Released by its maker's destroy. */
struct hf_disk *hf_disk_sim_create(const struct hf_disk_sim_options *options);

/* The power goes, and comes back: open files, lock and queue are gone, of what was not flushed
 * remains what the seed likes. */
void hf_disk_sim_crash(struct hf_disk *disk);
/* The process dies and the machine lives on: the same, but every write that had begun is whole. */
void hf_disk_sim_kill(struct hf_disk *disk);

/* How many sectors, of files and of what is queued, a power cut would decide about now; *names: how
 * many changes of names. */
uint64_t hf_disk_sim_unflushed(const struct hf_disk *disk, uint32_t *names);
/* A power cut that leaves just this: everything queued has begun; bit i of `sectors` says whether
 * unflushed sector i is kept (files by age, in each by time; from the 65th on none is); the first
 * `names` changes of names are. */
void hf_disk_sim_crash_keeping(struct hf_disk *disk, uint64_t sectors, uint32_t names);

/* From now on, the call after `calls` more ones fails with EIO, and so does every one after it when
 * `for_ever`. Every blocking call counts, and every append and fill (which then fail at their
 * completion). UINT64_MAX: none. */
void hf_disk_sim_fail(struct hf_disk *disk, uint64_t calls, bool for_ever);
/* This befalls the write, append or fill after `writes` more ones. */
void hf_disk_sim_befall(struct hf_disk *disk, enum hf_disk_sim_mishap mishap, uint64_t writes);
/* How many such calls there were so far. */
uint64_t hf_disk_sim_calls(const struct hf_disk *disk);
/* Steps that change something (write, append, fill, rename, remove, create, allocate, flushes; an
 * append's or fill's completion too, and an append's write when its flush comes later). */
uint64_t hf_disk_sim_changes(const struct hf_disk *disk);
/* Of them, write, append and fill. */
uint64_t hf_disk_sim_writes(const struct hf_disk *disk);
/* Calls `watch` before each of those steps, while the disk is as it was. It must not use the disk,
 * only look and fork. NULL: nobody. */
void hf_disk_sim_watch(struct hf_disk *disk, void (*watch)(void *context, struct hf_disk *disk),
                       void *context);
/* Sets the room anew. */
void hf_disk_sim_set_space(struct hf_disk *disk, uint64_t space_bytes);

/* A file's bytes as a reader sees them, for a test to look at and to damage; NULL when there is
 * none. Valid until the next call that changes the file. What is changed here is changed for good.
 */
uint8_t *hf_disk_sim_bytes(struct hf_disk *disk, const char *name, size_t *size);
/* Cuts a file to a size, or makes it longer with zeros; makes it when it is not there. */
void hf_disk_sim_resize(struct hf_disk *disk, const char *name, size_t size);
void hf_disk_sim_flip_bit(struct hf_disk *disk, const char *name, uint64_t bit);

/* A second disk with the same files, all of them durable, and a seed of its own. */
struct hf_disk *hf_disk_sim_clone(const struct hf_disk *disk, uint64_t seed);
/* A second disk just as this one is at this moment, with all that is unflushed and on its way; to
 * be crashed or killed, as its first use, while the original's batches are as they are. */
struct hf_disk *hf_disk_sim_fork(const struct hf_disk *disk, uint64_t seed);

#endif
