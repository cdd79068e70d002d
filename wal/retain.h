/* What happens to segments that nobody needs any more to start: they are archived, then removed.
 *
 * A segment is *covered* when each of its records is in a checkpoint. Of those, the newest few stay
 * as long as the setting says; the others go, oldest first, each removal durable before the next,
 * so that whatever happens the log still begins somewhere and has no gap. The newest segment that
 * holds a record always stays. */
#ifndef HF_WAL_RETAIN_H
#define HF_WAL_RETAIN_H

#include "segment.h"
#include "superblock.h"

struct hf_retention {
    uint64_t index;      /* records up to this are in a checkpoint that was read back whole */
    uint64_t keep_bytes; /* of covered segments that stay: rounded up to whole ones */
    /* Takes a copy of the segment before it is removed; not OK: it stays, and so do all after it.
     * NULL: no copies are taken. */
    enum hf_status (*archive)(void *context, const char *name, struct hf_fault *fault);
    void *context;
};

struct hf_retained {
    struct hf_segment_range range; /* what is there now */
    uint64_t covered;              /* of those, not needed to start */
    uint64_t removed;
};

/* Archives and removes what may go. The log's own thread may go on writing: the segments it has
 * open are never covered. What was done before an error is in *retained. CORRUPT (a gap), IO,
 * NO_MEMORY, or what `archive` returned. Blocks; any one thread, with a disk of its own. */
HF_MUST_USE enum hf_status hf_retain(struct hf_disk *disk, const struct hf_superblock *superblock,
                                     const struct hf_retention *retention,
                                     struct hf_retained *retained, struct hf_fault *fault);

#endif
