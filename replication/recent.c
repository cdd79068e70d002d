#include "recent.h"

#include <assert.h>
#include <string.h>

void hf_recent_init(struct hf_recent *recent, void *memory, uint32_t size, uint64_t next)
{
    assert((size & (size - 1)) == 0);
    assert(size >= 4 * HF_RECORD_LENGTH_MAX);
    assert(memory != NULL && (uintptr_t)memory % 64 == 0);
    memset(recent, 0, sizeof *recent);
    recent->bytes = memory;
    recent->size = size;
    recent->oldest = next;
    recent->next = next;
}

/* Where a record of so many bytes begins: it does not go round the end. */
static uint64_t start_of(const struct hf_recent *recent, uint32_t length)
{
    uint64_t left = recent->size - (recent->head & (recent->size - 1));
    return left >= length ? recent->head : recent->head + left;
}

static uint32_t room_for(uint32_t length)
{
    return (length + 63) & ~63u;
}

/* The oldest record that stays when one of so many bytes is added. */
static uint64_t oldest_with(const struct hf_recent *recent, uint32_t length)
{
    uint64_t end = start_of(recent, room_for(length)) + room_for(length);
    uint64_t oldest = recent->oldest;
    while (oldest < recent->next &&
           (end - recent->starts[oldest % HF_RECENT_RECORDS] > recent->size ||
            recent->next - oldest >= HF_RECENT_RECORDS)) {
        oldest++;
    }
    return oldest;
}

bool hf_recent_has_room(const struct hf_recent *recent, uint32_t length, uint64_t applied)
{
    return oldest_with(recent, length) <= applied + 1;
}

void hf_recent_add(struct hf_recent *recent, const struct hf_record_header *record)
{
    assert(record->index == recent->next);
    recent->oldest = oldest_with(recent, record->length);
    uint64_t start = start_of(recent, room_for(record->length));
    memcpy(recent->bytes + (start & (recent->size - 1)), record, record->length);
    recent->starts[record->index % HF_RECENT_RECORDS] = start;
    recent->head = start + room_for(record->length);
    recent->next++;
}
