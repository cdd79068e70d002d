/* Writes the corpus of the fuzz targets anew: parts of the life of a node
 * (tests/unit/crash_node.h). To be run when a format has changed; what comes out is the same every
 * time.
 *
 *     make_corpus FOLDER */
#include "tests/unit/crash_node.h"

#include "tests/fuzz/fuzz.h"

static struct story story;
static const char *folder;

static void put(const char *name, uint8_t flags, const void *bytes, size_t size)
{
    char path[1024];
    const uint8_t head[FUZZ_HEAD] = {flags};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(head, 1, sizeof head, file), sizeof head);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* The end of what is not zeros, in whole blocks. */
static size_t used(const uint8_t *bytes, size_t size)
{
    while (size >= 512 && hf_bytes_are_zero(bytes + size - 512, 512)) {
        size -= 512;
    }
    return size;
}

static void make_corpus(void **state)
{
    (void)state;
    static struct crash_node node;
    struct hf_disk_sim_options options = {.seed = 3, .block_size = 512};
    struct hf_disk *disk = hf_disk_sim_create(&options);
    assert_non_null(disk);
    story_make(&story, 3);
    node.random = 3;
    node.story = &story;
    node.disk = disk;
    assert_int_equal(crash_begin_again(&node), HF_STATUS_OK);
    assert_int_equal(crash_tell_until(&node, 12), HF_STATUS_OK);
    assert_int_equal(crash_checkpoint(&node), HF_STATUS_OK);
    assert_int_equal(crash_wait_for_all(&node), HF_STATUS_OK);
    size_t size = 0;
    const char *segment = "log-0000000000000001";
    const uint8_t *bytes = hf_disk_sim_bytes(disk, segment, &size);
    put("log/abrupt", 0, bytes, used(bytes, HF_FUZZ_SEGMENT_SIZE));
    put("log/torn", 0, bytes, used(bytes, HF_FUZZ_SEGMENT_SIZE) - 200);
    put("log/repaired", HF_FUZZ_REPAIR, bytes, used(bytes, HF_FUZZ_SEGMENT_SIZE));
    hf_log_writer_detach(node.writer);
    bytes = hf_disk_sim_bytes(disk, segment, &size);
    put("log/clean", 0, bytes, used(bytes, HF_FUZZ_SEGMENT_SIZE));
    put("log/empty", 0, bytes, 0);
    uint64_t index = 0;
    assert_int_equal(hf_checkpoint_newest(disk, UINT64_MAX, &index, &node.fault), HF_STATUS_OK);
    char name[HF_DISK_NAME_SIZE];
    hf_checkpoint_format_name(index, name);
    bytes = hf_disk_sim_bytes(disk, name, &size);
    put("checkpoint/whole", 0, bytes, size);
    put("checkpoint/repaired", HF_FUZZ_REPAIR, bytes, size);
    put("checkpoint/header", 0, bytes, HF_CHECKPOINT_HEADER_SIZE);
    put("checkpoint/short", HF_FUZZ_REPAIR, bytes, size - 4096);
    crash_stop(&node);
    disk->maker->destroy(disk);

    disk = fuzz_make_disk(512);
    fuzz_put_superblock(disk, 512);
    bytes = hf_disk_sim_bytes(disk, HF_SUPERBLOCK_NAME, &size);
    put("superblock/whole", 0, bytes, size);
    put("superblock/repaired", HF_FUZZ_REPAIR, bytes, size);
    put("superblock/one-copy", 0, bytes, HF_SUPERBLOCK_SIZE);
    put("superblock/torn", 0, bytes, HF_SUPERBLOCK_SIZE - 512);
    disk->maker->destroy(disk);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: make_corpus FOLDER\n");
        return 2;
    }
    folder = argv[1];
    const struct CMUnitTest tests[] = {cmocka_unit_test(make_corpus)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
