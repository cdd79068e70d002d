/* The newest records of the log, in memory: for the peer, who may lack them, and for applying.
 *
 * One thread adds; another one may look at records that the first has published as committed and
 * that it will not drop: those after `applied` are kept. Pure. */
#ifndef HF_REPLICATION_RECENT_H
#define HF_REPLICATION_RECENT_H

#include "wal/record.h"

#include <stdbool.h>

#define HF_RECENT_RECORDS 8192 /* a power of two */

struct hf_recent {
    uint8_t *bytes;
    uint64_t size; /* a power of two */
    uint64_t head; /* bytes ever taken, gaps at the end of the room included */
    uint64_t oldest;
    uint64_t next; /* index; oldest == next: there are none */
    uint64_t starts[HF_RECENT_RECORDS];
};

/* Keeps records in `size` bytes, a power of two and four of the longest at least, of the caller's
 * memory, which begins at a multiple of 64. `next` is the index of the record to be added first. */
void hf_recent_init(struct hf_recent *recent, void *memory, uint32_t size, uint64_t next);

/* Whether a record of so many bytes can be added while all after `applied` are kept. */
bool hf_recent_has_room(const struct hf_recent *recent, uint32_t length, uint64_t applied);
/* Copies the next record in, over the oldest. */
void hf_recent_add(struct hf_recent *recent, const struct hf_record_header *record);

/* NULL when it is not there (any more). */
static inline const struct hf_record_header *hf_recent_get(const struct hf_recent *recent,
                                                           uint64_t index)
{
    if (index < recent->oldest || index >= recent->next) {
        return NULL;
    }
    return (
        const struct hf_record_header *)(const void *)(recent->bytes +
                                                       (recent->starts[index % HF_RECENT_RECORDS] &
                                                        (recent->size - 1)));
}

/* The same for the other thread, which knows that it is there. */
static inline const struct hf_record_header *hf_recent_at(const struct hf_recent *recent,
                                                          uint64_t index)
{
    uint64_t start = recent->starts[index % HF_RECENT_RECORDS] & (recent->size - 1);
    return (const struct hf_record_header *)(const void *)(recent->bytes + start);
}

#endif
