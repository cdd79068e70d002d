/* A disk that reads ahead: passes every call on to another disk, but a helper thread of its own
 * reads what a reader that goes through a file will want next, several pieces at once, so that the
 * device and the replay work at the same time. For a start; only the blocking half, and one caller.
 */
#ifndef HOLDFASTD_AHEAD_DISK_H
#define HOLDFASTD_AHEAD_DISK_H

#include "wal/disk.h"

#include <pthread.h>

#define AHEAD_CHUNK_BYTES ((size_t)1 << 20)
#define AHEAD_CHUNKS      16

enum ahead_state { AHEAD_EMPTY = 0, AHEAD_READ = 1, AHEAD_FAILED = 2 };

struct ahead_chunk {
    uint64_t number; /* of the file's chunks, from 0 */
    size_t length;   /* less than the whole at the file's end */
    enum ahead_state state;
};

struct ahead_disk {
    struct hf_disk disk; /* first: it is what others hold */
    struct hf_disk_maker maker;
    struct hf_disk *inner;
    char names[HF_DISK_FILES_MAX][HF_DISK_NAME_SIZE]; /* of files open for reading, else empty */
    uint8_t *memory;                                  /* of all chunks; NULL: does not read ahead */
    void *mapping;                                    /* that it lies in */

    pthread_t helper;
    int directory;                 /* its own: it shares no file with anybody */
    struct ahead_helping *helping; /* the helper's state */
    pthread_mutex_t mutex;         /* over all below */
    pthread_cond_t work;           /* for the helper: there is something to read, or the end */
    pthread_cond_t news;           /* for the caller: a chunk has been read */
    char name[HF_DISK_NAME_SIZE];  /* of the file that is read; empty: none */
    uint64_t generation; /* counts the beginnings: what was read for an older one is void */
    uint64_t first;      /* the oldest chunk that is wanted */
    uint64_t next;       /* the first that has not been read yet; below `limit` */
    uint64_t limit;
    uint32_t depth; /* how many chunks ahead: more with every read that went on where one ended */
    bool is_ending;
    struct ahead_chunk chunks[AHEAD_CHUNKS]; /* number n at place n modulo their count */
};

/* Makes `ahead` a disk in front of `inner`, which is lent; `directory` is the same one by name.
 * Without memory or a thread it only passes on. */
void ahead_disk_init(struct ahead_disk *ahead, struct hf_disk *inner, const char *directory);

/* Ends the helper. */
void ahead_disk_finish(struct ahead_disk *ahead);

#endif
