/* Fuzz target: the reader of the superblock. A node starts on it, with a log of one empty segment
 * beside it. */
#include "fuzz.h"

static struct hf_superblock copies[HF_SUPERBLOCK_COPIES];

/* The hashes of the copies, not what is under them. */
static void repair(void)
{
    for (int i = 0; i < HF_SUPERBLOCK_COPIES; i++) {
        const size_t hashed_from = sizeof(struct hf_hash);
        copies[i].hash =
            hf_hash_of((const uint8_t *)&copies[i] + hashed_from, sizeof copies[i] - hashed_from);
    }
}

/* Whether a node may start on it: with larger segments it would only write zeros for long. */
static bool choose(void)
{
    struct hf_superblock chosen;
    struct hf_fault fault = {{0}};
    enum hf_status status = hf_superblock_choose(copies, &chosen, &fault);
    if (status != HF_STATUS_OK) {
        FUZZ_CHECK(status == HF_STATUS_CORRUPT || status == HF_STATUS_WRONG_FORMAT);
        FUZZ_CHECK(fault.line[0] != '\0');
        return true;
    }
    /* It is one of them, and none is newer that could have been chosen. */
    bool found = false;
    for (int i = 0; i < HF_SUPERBLOCK_COPIES; i++) {
        found = found || memcmp(&chosen, &copies[i], sizeof chosen) == 0;
    }
    FUZZ_CHECK(found);
    FUZZ_CHECK(hf_superblock_epoch(&chosen) != 0);
    return chosen.segment_size <= (1 << 20);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < FUZZ_HEAD || size - FUZZ_HEAD > sizeof copies) {
        return 0;
    }
    size_t length = size - FUZZ_HEAD;
    memset(copies, 0, sizeof copies);
    memcpy(copies, data + FUZZ_HEAD, length);
    if ((data[0] & HF_FUZZ_REPAIR) != 0) {
        repair();
    }
    if (!choose()) {
        return 0;
    }
    struct hf_disk *disk = fuzz_make_disk(512);
    fuzz_put_file(disk, HF_SUPERBLOCK_NAME, copies, sizeof copies,
                  (data[0] & HF_FUZZ_REPAIR) != 0 ? sizeof copies : length);
    fuzz_put_file(disk, "log-0000000000000001", "", 0, HF_FUZZ_SEGMENT_SIZE);
    fuzz_start_twice(disk);
    disk->maker->destroy(disk);
    return 0;
}
