/* The background copy: a process of this same program, beside its node, with a ledger of its own.
 * It loads the newest checkpoint, replays the log up to a record that the node calls committed,
 * writes that state as a new checkpoint, reads it back, and archives and removes the segments that
 * are not needed any more. The node serves on meanwhile; when either of them dies, the older
 * checkpoint is whole. Its memory goes with it. */
#ifndef HOLDFASTD_COPY_H
#define HOLDFASTD_COPY_H

#include "engine/status.h"

#include <stdint.h>

/* The first argument that makes the program a copy. After it: the record, 1 when the log has no
 * room, the file that takes reports (the next one is the directory's, with its lock), the node's
 * process id, and the node's settings as flags. */
#define COPY_FLAG "--copy-beside-node"

enum copy_phase {
    COPY_LOADING = 1, /* and replaying */
    COPY_WRITING = 2,
    COPY_VERIFYING = 3,
    COPY_RETAINING = 4,
    COPY_ENDED = 5,
};

/* Where it is: written as a whole with each phase. The newest one counts; without an end the
 * process was killed. */
struct copy_report {
    uint32_t phase; /* enum copy_phase */
    int32_t status; /* enum hf_status, at the end */
    struct hf_fault fault;
    uint64_t index; /* of the checkpoint that was read back whole; 0: none so far */
    uint64_t place;
    uint64_t image_bytes;
    uint64_t operations_replayed;
    uint64_t load_ns;
    uint64_t replay_ns;
    uint64_t write_ns;
    uint64_t verify_ns;
    /* Segments: what became of them is told even when the checkpoint failed. */
    uint64_t removed;
    uint64_t archived;
    int32_t retain_status; /* enum hf_status */
    struct hf_fault retain_fault;
};
/* One write of it is one read (pipe(7): PIPE_BUF). */
_Static_assert(sizeof(struct copy_report) <= 4096, "a report goes through a pipe as a whole");

/* The process's main. Returns its exit status: 0, or 1 when there is no new checkpoint. */
int copy_main(int argc, char **argv);

#endif
