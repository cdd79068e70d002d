/* Fuzz target: the reader of a checkpoint, down to the image of the ledger in it. What verifies is
 * loaded in the same way; what is loaded has the digest that it says it has. */
#include "fuzz.h"

#define LENGTH_MAX (2 * HF_CHECKPOINT_PIECE_SIZE)

static _Alignas(64) uint8_t file[LENGTH_MAX];

/* Sets right what only says that nothing has changed. */
static void repair(size_t length)
{
    const size_t hashed_from = sizeof(struct hf_hash);
    struct hf_checkpoint_header *header = (struct hf_checkpoint_header *)(void *)file;
    memcpy(header->magic, HF_CHECKPOINT_MAGIC, sizeof header->magic);
    header->format = HF_CHECKPOINT_FORMAT;
    header->piece_size = HF_CHECKPOINT_PIECE_SIZE;
    header->cluster = fuzz_cluster;
    header->hash = hf_hash_of(file + hashed_from, sizeof *header - hashed_from);
    for (size_t at = HF_CHECKPOINT_HEADER_SIZE; at + HF_CHECKPOINT_PIECE_HEADER <= length;
         at += HF_CHECKPOINT_PIECE_SIZE) {
        struct hf_checkpoint_piece *piece = (struct hf_checkpoint_piece *)(void *)(file + at);
        size_t room = length - at - HF_CHECKPOINT_PIECE_HEADER;
        if (piece->length <= room) {
            piece->hash = hf_hash_of(file + at + hashed_from,
                                     HF_CHECKPOINT_PIECE_HEADER - hashed_from + piece->length);
        }
    }
}

static enum hf_status sink(void *context, const void *bytes, size_t length)
{
    struct fuzz_ledger *to = context;
    return hf_image_read(&to->image, bytes, length);
}

/* Loads it, and says whether an engine came of it. */
static void load(struct hf_disk *disk, uint64_t index, enum hf_status verified)
{
    struct hf_checkpoint_header header;
    struct hf_fault fault = {{0}};
    struct fuzz_ledger ledger;
    fuzz_make_ledger(&ledger);
    const struct hf_checkpoint_stream stream = {.context = &ledger, .sink = sink};
    enum hf_status status = hf_checkpoint_load(disk, fuzz_cluster, index, &header, &stream, &fault);
    if (verified != HF_STATUS_OK) {
        FUZZ_CHECK(status != HF_STATUS_OK);
    } else if (status == HF_STATUS_OK && hf_image_read_end(&ledger.image) == HF_STATUS_OK) {
        FUZZ_CHECK(hf_ledger_place(ledger.ledger) < UINT64_MAX);
        /* The state can be walked from end to end. */
        (void)hf_ledger_digest(ledger.ledger);
        (void)hf_ledger_is_balanced(ledger.ledger);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < FUZZ_HEAD || size - FUZZ_HEAD > sizeof file) {
        return 0;
    }
    size_t length = size - FUZZ_HEAD;
    memset(file, 0,
           length < sizeof(struct hf_checkpoint_header) ? sizeof(struct hf_checkpoint_header)
                                                        : length);
    memcpy(file, data + FUZZ_HEAD, length);
    if ((data[0] & HF_FUZZ_REPAIR) != 0 && length >= HF_CHECKPOINT_HEADER_SIZE) {
        repair(length);
    }
    const struct hf_checkpoint_header *said = (const struct hf_checkpoint_header *)(void *)file;
    uint64_t index = said->index == 0 ? 1 : said->index;
    char name[HF_DISK_NAME_SIZE];
    hf_checkpoint_format_name(index, name);
    struct hf_disk *disk = fuzz_make_disk((data[0] & HF_FUZZ_LARGE_BLOCKS) != 0 ? 4096 : 512);
    fuzz_put_file(disk, name, file, length, length);
    struct hf_checkpoint_header header;
    struct hf_fault fault = {{0}};
    enum hf_status status = hf_checkpoint_verify(disk, fuzz_cluster, index, &header, &fault);
    FUZZ_CHECK(status == HF_STATUS_OK || fault.line[0] != '\0');
    FUZZ_CHECK(status == HF_STATUS_OK || status == HF_STATUS_CORRUPT ||
               status == HF_STATUS_WRONG_FORMAT || status == HF_STATUS_WRONG_CLUSTER);
    load(disk, index, status);
    disk->maker->destroy(disk);
    return 0;
}
