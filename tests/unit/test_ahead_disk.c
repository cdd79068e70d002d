/* Reading ahead changes nothing but the time it takes: whatever is read, in whatever order, is what
 * the disk behind it would have read; and a disk that takes its time does the same work. */
#include "tools/holdfastd/ahead_disk.h"
#include "tools/holdfastd/paced_disk.h"

#include "wal/disk_uring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define BLOCK     ((size_t)4096)
#define MIB       ((size_t)1 << 20)
#define FILE_SIZE (41 * MIB + 3 * BLOCK)
#define MOST      (6 * MIB)

struct world {
    char directory[64];
    struct hf_disk *inner;
    struct ahead_disk ahead;
    uint8_t *expected; /* the file's bytes */
    uint8_t *buffer;
    uint64_t random;
    uint32_t lent; /* what lay elsewhere than in the buffer */
};

static uint64_t dice(struct world *world)
{
    world->random = world->random * 6364136223846793005u + 1442695040888963407u;
    return world->random >> 33;
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct hf_fault fault;
    int file = -1;

    assert_non_null(world);
    const char *parent = getenv("TMPDIR");
    snprintf(world->directory, sizeof world->directory, "%.40s/ahead-XXXXXX",
             parent == NULL || strlen(parent) > 40 ? "/tmp" : parent);
    assert_non_null(mkdtemp(world->directory));
    world->random = 42;
    world->expected = aligned_alloc(BLOCK, FILE_SIZE);
    world->buffer = aligned_alloc(BLOCK, MOST);
    assert_non_null(world->expected);
    assert_non_null(world->buffer);
    for (size_t at = 0; at < FILE_SIZE; at += sizeof(uint64_t)) {
        uint64_t word = dice(world) << 31 ^ dice(world);
        memcpy(world->expected + at, &word, sizeof word);
    }
    assert_int_equal(
        hf_disk_uring_open(world->directory, false, false, BLOCK, &world->inner, &fault),
        HF_STATUS_OK);
    const struct hf_disk_maker *maker = world->inner->maker;
    assert_int_equal(
        maker->open(world->inner, "some", HF_DISK_WRITE | HF_DISK_CREATE | HF_DISK_DIRECT, &file),
        HF_STATUS_OK);
    assert_int_equal(maker->write(world->inner, file, 0, world->expected, FILE_SIZE), HF_STATUS_OK);
    assert_int_equal(maker->close(world->inner, file), HF_STATUS_OK);
    ahead_disk_init(&world->ahead, world->inner, world->directory);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    ahead_disk_finish(&world->ahead);
    assert_int_equal(world->inner->maker->remove(world->inner, "some"), HF_STATUS_OK);
    world->inner->maker->destroy(world->inner);
    assert_int_equal(rmdir(world->directory), 0);
    free(world->expected);
    free(world->buffer);
    free(world);
    return 0;
}

static int open_some(struct hf_disk *disk)
{
    int file = -1;

    assert_int_equal(disk->maker->open(disk, "some", HF_DISK_READ | HF_DISK_DIRECT, &file),
                     HF_STATUS_OK);
    return file;
}

static void expect(struct world *world, struct hf_disk *disk, int file, size_t offset,
                   size_t length)
{
    size_t there = offset < FILE_SIZE ? FILE_SIZE - offset : 0;
    size_t done = SIZE_MAX;

    memset(world->buffer, 0xee, length);
    assert_int_equal(disk->maker->read(disk, file, offset, world->buffer, length, &done),
                     HF_STATUS_OK);
    assert_int_equal(done, there < length ? there : length);
    assert_memory_equal(world->buffer, world->expected + offset, done);
}

static void expect_lent(struct world *world, struct hf_disk *disk, int file, size_t offset,
                        size_t length)
{
    size_t there = offset < FILE_SIZE ? FILE_SIZE - offset : 0;
    const void *bytes = NULL;
    size_t done = SIZE_MAX;

    memset(world->buffer, 0xee, length);
    assert_int_equal(hf_disk_lend(disk, file, offset, world->buffer, length, &bytes, &done),
                     HF_STATUS_OK);
    assert_int_equal(done, there < length ? there : length);
    assert_memory_equal(bytes, world->expected + offset, done);
    world->lent += done != 0 && bytes != world->buffer;
}

/* As the log's reader does: windows that overlap a little. */
static void test_from_end_to_end(void **state)
{
    struct world *world = *state;
    struct hf_disk *disk = &world->ahead.disk;
    int file = open_some(disk);

    for (size_t window = MIB; window <= 4 * MIB; window *= 4) {
        for (size_t offset = 0; offset < FILE_SIZE; offset += window - 5 * BLOCK)
            expect(world, disk, file, offset, window);
        expect(world, disk, file, FILE_SIZE, MIB);
    }
    for (size_t offset = 0; offset < FILE_SIZE; offset += BLOCK + MIB / 2)
        expect(world, disk, file, offset, BLOCK);
    assert_int_equal(disk->maker->close(disk, file), HF_STATUS_OK);
}

/* As a checkpoint is read: its pieces lie across the chunks, and are lent but where the chunks
 * begin anew. */
static void test_lent(void **state)
{
    struct world *world = *state;
    struct hf_disk *disk = &world->ahead.disk;
    int file = open_some(disk);

    expect_lent(world, disk, file, 0, BLOCK);
    for (size_t offset = BLOCK; offset < FILE_SIZE; offset += MIB) /* twice round the ring */
        expect_lent(world, disk, file, offset, MIB);
    assert_int_equal(world->lent, 1 + 42 - 2);
    expect_lent(world, disk, file, FILE_SIZE, MIB);
    for (int i = 0; i < 100; i++) {
        size_t offset = dice(world) % (FILE_SIZE / BLOCK) * BLOCK;
        size_t length = (dice(world) % (MOST / BLOCK) + 1) * BLOCK;
        expect_lent(world, disk, file, offset, length);
    }
    /* A disk that holds nothing reads into the buffer. */
    world->lent = 0;
    expect_lent(world, world->inner, file, MIB, MIB);
    assert_int_equal(world->lent, 0);
    assert_int_equal(disk->maker->close(disk, file), HF_STATUS_OK);
}

static void test_anywhere(void **state)
{
    struct world *world = *state;
    struct hf_disk *disk = &world->ahead.disk;
    int file = open_some(disk);

    for (int i = 0; i < 100; i++) {
        size_t offset = dice(world) % (FILE_SIZE / BLOCK) * BLOCK;
        size_t length = (dice(world) % (MOST / BLOCK) + 1) * BLOCK;
        expect(world, disk, file, offset, length);
        /* And on from there, now and then. */
        for (uint64_t more = dice(world) % 4; more > 0 && offset + length < FILE_SIZE; more--) {
            offset += length;
            expect(world, disk, file, offset, length);
        }
    }
    assert_int_equal(disk->maker->close(disk, file), HF_STATUS_OK);
}

/* What is written through it is read afterwards, although it had been read ahead. */
static void test_what_is_written(void **state)
{
    struct world *world = *state;
    struct hf_disk *disk = &world->ahead.disk;
    int file = open_some(disk);
    int again = -1;
    uint8_t *block = aligned_alloc(BLOCK, BLOCK);

    assert_non_null(block);
    for (size_t offset = 0; offset < 8 * MIB; offset += MIB)
        expect(world, disk, file, offset, MIB);
    assert_int_equal(disk->maker->open(disk, "some", HF_DISK_WRITE | HF_DISK_DIRECT, &again),
                     HF_STATUS_OK);
    for (size_t offset = 8 * MIB; offset < 24 * MIB; offset += 2 * MIB) {
        memset(block, (int)(offset / MIB), BLOCK);
        memcpy(world->expected + offset, block, BLOCK);
        assert_int_equal(disk->maker->write(disk, again, offset, block, BLOCK), HF_STATUS_OK);
        expect(world, disk, again, offset, MIB);
        expect(world, disk, file, offset, 2 * MIB);
    }
    free(block);
    assert_int_equal(disk->maker->close(disk, again), HF_STATUS_OK);
    assert_int_equal(disk->maker->close(disk, file), HF_STATUS_OK);
}

static void test_paced(void **state)
{
    struct world *world = *state;
    struct paced_disk paced;

    paced_disk_init(&paced, world->inner, (uint64_t)4 << 30, 0);
    int file = open_some(&paced.disk);
    for (size_t offset = 0; offset < FILE_SIZE; offset += 3 * MIB)
        expect(world, &paced.disk, file, offset, 3 * MIB);
    expect(world, &paced.disk, file, FILE_SIZE, BLOCK);
    assert_int_equal(paced.changes, 0);
    assert_int_equal(paced.disk.maker->flush_directory(&paced.disk), HF_STATUS_OK);
    assert_int_equal(paced.disk.maker->remove(&paced.disk, "none"), HF_STATUS_NOT_FOUND);
    assert_non_null(strstr(paced.disk.fault.line, "none"));
    assert_int_equal(paced.changes, 2);
    assert_int_equal(paced.disk.maker->close(&paced.disk, file), HF_STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_from_end_to_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_anywhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_paced, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
