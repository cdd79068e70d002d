/* A disk that takes its time: passes every call on to another disk, but reads and writes no more
 * bytes a second than it is told to, and in small pieces, so that whoever writes the log on the
 * same device does not wait behind it. Only the blocking half.
 *
 * For tests it can also stop its process (SIGSTOP) before the change of a given number: whatever is
 * done to the process then, is done at that very point. */
#ifndef HOLDFASTD_PACED_DISK_H
#define HOLDFASTD_PACED_DISK_H

#include "wal/disk.h"

struct paced_disk {
    struct hf_disk disk; /* first: it is what others hold */
    struct hf_disk_maker maker;
    struct hf_disk *inner;
    uint64_t rate;       /* bytes a second, 0: no bound */
    uint64_t free_at_ns; /* when the bytes so far have had their time; the monotonic clock */
    uint64_t stop_at;    /* the change before which the process stops, from 1; 0: none */
    uint64_t changes;    /* files made, writes, flushes, renames, removals, directory flushes */
};

/* Makes `paced` a disk in front of `inner`, which is lent and not destroyed with it. */
void paced_disk_init(struct paced_disk *paced, struct hf_disk *inner, uint64_t rate,
                     uint64_t stop_at);

#endif
