/* A disk: one data directory, behind a small interface with a real maker (io_uring, O_DIRECT) and a
 * simulated one.
 *
 * Two halves. The blocking half opens, reads, writes, renames and flushes whole files: at start,
 * for checkpoints, in the offline tools; any one thread. The appending half is asynchronous: the
 * log's thread attaches once, submits durable writes and collects completions, in any order.
 * Buffers stay the caller's and must not change until their completion.
 *
 * Errors are final: the caller never retries a failed write or flush (log-poisoning is the caller's
 * duty). */
#ifndef HF_WAL_DISK_H
#define HF_WAL_DISK_H

#include "engine/status.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HF_DISK_NAME_SIZE 64
#define HF_DISK_FILES_MAX 64

enum hf_disk_open {
    HF_DISK_READ = 0x01,
    HF_DISK_WRITE = 0x02,
    HF_DISK_CREATE = 0x04, /* must not exist */
    HF_DISK_DIRECT = 0x08, /* offsets, lengths and addresses are multiples of the block size */
};

/* One durable append that has ended: `tag` as submitted; status OK means written and flushed, all
 * of it. */
struct hf_disk_completion {
    uint64_t tag;
    enum hf_status status;
    int error; /* errno of a failure, for the fault line */
};

struct hf_disk;

struct hf_disk_maker {
    /* Blocking half. Names are plain file names (no slash). Each returns a status. */
    enum hf_status (*open)(struct hf_disk *disk, const char *name, unsigned flags, int *file);
    enum hf_status (*close)(struct hf_disk *disk, int file);
    enum hf_status (*size)(struct hf_disk *disk, int file, uint64_t *bytes);
    enum hf_status (*read)(struct hf_disk *disk, int file, uint64_t offset, void *buffer,
                           size_t length, size_t *done);
    /* Like read, but of what the disk holds in memory already it says only where: *bytes, right
     * until the next call of the blocking half; else they are in `buffer`. NULL: this disk holds
     * nothing, and hf_disk_lend reads. */
    enum hf_status (*lend)(struct hf_disk *disk, int file, uint64_t offset, void *buffer,
                           size_t length, const void **bytes, size_t *done);
    enum hf_status (*write)(struct hf_disk *disk, int file, uint64_t offset, const void *buffer,
                            size_t length);
    enum hf_status (*flush)(struct hf_disk *disk, int file);
    /* Gives a new file its whole room, as zeros. FULL when the device has not that much, or would
     * then have less than keep_free_bytes; that, and FULL from a fill, is no error of the log's. */
    enum hf_status (*allocate)(struct hf_disk *disk, int file, uint64_t bytes);
    enum hf_status (*rename)(struct hf_disk *disk, const char *from, const char *to);
    enum hf_status (*remove)(struct hf_disk *disk, const char *name);
    enum hf_status (*flush_directory)(struct hf_disk *disk);
    /* Calls `visit` for every name but those of the file system itself, also for what is no plain
     * file, which open then refuses; stops early when it returns false. Order unspecified. */
    enum hf_status (*list)(struct hf_disk *disk, bool (*visit)(void *context, const char *name),
                           void *context);
    /* Takes the directory for this process alone, until destroy. LOCKED when another process has
     * it. */
    enum hf_status (*lock)(struct hf_disk *disk);

    /* Appending half: one thread, which attaches first. */
    enum hf_status (*attach)(struct hf_disk *disk, void *const buffers[], size_t buffer_length,
                             uint32_t buffer_count);
    /* Queues a durable write: written, then really flushed, before it completes. AGAIN when the
     * queue is full. */
    enum hf_status (*append)(struct hf_disk *disk, int file, uint64_t offset, const void *buffer,
                             size_t length, uint64_t tag);
    /* Like append, without the flush: to prewrite zeros. */
    enum hf_status (*fill)(struct hf_disk *disk, int file, uint64_t offset, const void *buffer,
                           size_t length, uint64_t tag);
    /* Submits what is queued and collects up to `most` completions without blocking. */
    uint32_t (*poll)(struct hf_disk *disk, struct hf_disk_completion *completions, uint32_t most);
    /* Sleeps until poll may find something, for who has nothing else to do: at once when nothing is
     * on its way. It may come back without anything, too. */
    void (*wait)(struct hf_disk *disk);

    void (*destroy)(struct hf_disk *disk);
};

/* A maker's own structure begins with this. */
struct hf_disk {
    const struct hf_disk_maker *maker;
    uint32_t block_size; /* of direct writes, in bytes: 512 or 4096 */
    bool read_only;
    /* What allocate leaves free for others. Any thread sets it, at any time; relaxed: a bound, not
     * a message. */
    _Atomic uint64_t keep_free_bytes;
    /* Appends that have been queued and are not written yet, or have failed: those that only wait
     * for a flush are not among them. Append and poll keep it; the log's thread looks. */
    uint32_t unwritten;
    struct hf_fault fault; /* why the last call failed: file, call, reason */
};

/* Reads by the maker's lend, where it has one, else into `buffer`. */
static inline enum hf_status hf_disk_lend(struct hf_disk *disk, int file, uint64_t offset,
                                          void *buffer, size_t length, const void **bytes,
                                          size_t *done)
{
    if (disk->maker->lend != NULL) {
        return disk->maker->lend(disk, file, offset, buffer, length, bytes, done);
    }
    *bytes = buffer;
    return disk->maker->read(disk, file, offset, buffer, length, done);
}

#endif
