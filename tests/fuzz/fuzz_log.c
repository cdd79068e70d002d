/* Fuzz target: the reader of a log. The input's file is one segment, or two behind each other; a
 * node starts on it. */
#include "fuzz.h"

static uint8_t segments[2 * HF_FUZZ_SEGMENT_SIZE];

/* Whether what lies here has a header that leads to an end within this room. */
static bool leads_on(const struct hf_record_header *record, size_t room, uint32_t block_size)
{
    return record->magic == HF_RECORD_MAGIC && record->length >= HF_RECORD_HEADER_SIZE &&
           record->length <= HF_RECORD_LENGTH_MAX &&
           hf_record_padded_length(record->length, block_size) <= room;
}

/* Makes the records of both segments follow each other again, whatever else they say; a seal is
 * made anew over what it now stands for. */
static void repair(uint32_t block_size)
{
    struct hf_hash prev_hash = {0};
    struct hf_chain_span span;
    uint64_t index = 1;
    uint64_t place = 1;
    hf_chain_span_init(&span, index, place);
    for (size_t at = 0; at < sizeof segments;) {
        struct hf_record_header *record = (struct hf_record_header *)(void *)(segments + at);
        size_t room = HF_FUZZ_SEGMENT_SIZE - at % HF_FUZZ_SEGMENT_SIZE;
        bool is_seal = record->kind == HF_RECORD_SEAL;
        if (!leads_on(record, room, block_size) ||
            (is_seal && record->length != HF_CHAIN_SEAL_LENGTH)) {
            at += block_size;
            continue;
        }
        record->format = HF_RECORD_FORMAT;
        record->cluster = fuzz_cluster;
        record->index = index++;
        record->first_place = place;
        record->commit = record->commit < record->index ? record->commit : record->index - 1;
        record->prev_hash = prev_hash;
        if (is_seal) {
            record->count = 0;
            hf_chain_seal_make(&span, record, FUZZ_NODE, fuzz_secret_key());
        }
        hf_record_seal(record);
        if (is_seal) {
            hf_chain_span_next(&span, record);
        } else {
            hf_chain_span_add(&span, record);
        }
        prev_hash = record->hash;
        place += record->count;
        at += hf_record_padded_length(record->length, block_size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < FUZZ_HEAD || size - FUZZ_HEAD > sizeof segments) {
        return 0;
    }
    uint32_t block_size = (data[0] & HF_FUZZ_LARGE_BLOCKS) != 0 ? 4096 : 512;
    size_t length = size - FUZZ_HEAD;
    memset(segments, 0, sizeof segments);
    memcpy(segments, data + FUZZ_HEAD, length);
    if ((data[0] & HF_FUZZ_REPAIR) != 0) {
        repair(block_size);
    }
    struct hf_disk *disk = fuzz_make_disk(block_size);
    fuzz_put_superblock(disk, block_size);
    for (uint64_t s = 0; s < (length > HF_FUZZ_SEGMENT_SIZE ? 2 : 1); s++) {
        char name[HF_DISK_NAME_SIZE];
        hf_segment_format_name(s + 1, name);
        fuzz_put_file(disk, name, segments + s * HF_FUZZ_SEGMENT_SIZE, HF_FUZZ_SEGMENT_SIZE,
                      HF_FUZZ_SEGMENT_SIZE);
    }
    fuzz_start_twice(disk);
    disk->maker->destroy(disk);
    return 0;
}
