/* The real disk: files in a temporary directory under the current one, where O_DIRECT works if it
 * works at all for the build. */
#include "log_testing.h"

#include "wal/disk_uring.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[64];
static struct log_world world;

static int setup(void **state)
{
    (void)state;
    strcpy(directory, "disk_uring.XXXXXX");
    return mkdtemp(directory) == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    DIR *stream = opendir(directory);
    if (stream == NULL) {
        return 0;
    }
    for (struct dirent *entry = readdir(stream); entry != NULL; entry = readdir(stream)) {
        unlinkat(dirfd(stream), entry->d_name, 0);
    }
    closedir(stream);
    return rmdir(directory);
}

static struct hf_disk *open_disk(bool read_only)
{
    struct hf_disk *disk = NULL;
    struct hf_fault fault = {{0}};
    enum hf_status status = hf_disk_uring_open(directory, read_only, false, 512, &disk, &fault);
    if (status != HF_STATUS_OK) {
        print_error("%s\n", fault.line);
    }
    assert_int_equal(status, HF_STATUS_OK);
    return disk;
}

static uint8_t *aligned(size_t size, uint8_t fill)
{
    uint8_t *bytes = aligned_alloc(4096, size < 4096 ? 4096 : size);
    assert_non_null(bytes);
    memset(bytes, fill, size);
    return bytes;
}

static void collect(struct hf_disk *disk, struct hf_disk_completion *completions, uint32_t count)
{
    uint32_t have = 0;
    while (have < count) {
        have += disk->maker->poll(disk, completions + have, count - have);
        if (have < count) {
            disk->maker->wait(disk);
        }
    }
    disk->maker->wait(disk); /* for nothing */
    assert_int_equal(disk->maker->poll(disk, completions, 1), 0);
}

static void test_files(void **state)
{
    (void)state;
    struct hf_disk *disk = open_disk(false);
    const struct hf_disk_maker *maker = disk->maker;
    uint8_t *out = aligned(8192, 0x5a);
    uint8_t *in = aligned(8192, 0);
    int file = -1;
    size_t done = 0;
    uint64_t size = 0;
    unsigned make = HF_DISK_WRITE | HF_DISK_CREATE | HF_DISK_DIRECT;
    assert_int_equal(maker->open(disk, "a", HF_DISK_READ, &file), HF_STATUS_NOT_FOUND);
    assert_non_null(strstr(disk->fault.line, "/a: open: No such file"));
    assert_int_equal(maker->open(disk, "a", make, &file), HF_STATUS_OK);
    int again = -1;
    assert_int_equal(maker->open(disk, "a", make, &again), HF_STATUS_EXISTS);
    assert_int_equal(maker->allocate(disk, file, 16384), HF_STATUS_OK);
    assert_int_equal(maker->size(disk, file, &size), HF_STATUS_OK);
    assert_int_equal(size, 16384);
    assert_int_equal(maker->write(disk, file, 8192, out, 8192), HF_STATUS_OK);
    assert_int_equal(maker->flush(disk, file), HF_STATUS_OK);
    assert_int_equal(maker->read(disk, file, 8192, in, 8192, &done), HF_STATUS_OK);
    assert_int_equal(done, 8192);
    assert_memory_equal(in, out, 8192);
    assert_int_equal(maker->read(disk, file, 12288, in, 8192, &done), HF_STATUS_OK);
    assert_int_equal(done, 4096); /* the file's end */
    assert_int_equal(maker->close(disk, file), HF_STATUS_OK);
    /* A length that is no multiple of a block is read all the same. */
    char path[128];
    snprintf(path, sizeof path, "%s/a", directory);
    assert_int_equal(truncate(path, 5000), 0);
    assert_int_equal(maker->open(disk, "a", HF_DISK_READ | HF_DISK_DIRECT, &file), HF_STATUS_OK);
    assert_int_equal(maker->read(disk, file, 0, in, 8192, &done), HF_STATUS_OK);
    assert_int_equal(done, 5000);
    assert_int_equal(maker->close(disk, file), HF_STATUS_OK);
    assert_int_equal(maker->rename(disk, "a", "b"), HF_STATUS_OK);
    assert_int_equal(maker->flush_directory(disk), HF_STATUS_OK);
    assert_int_equal(maker->remove(disk, "a"), HF_STATUS_NOT_FOUND);
    assert_int_equal(maker->remove(disk, "b"), HF_STATUS_OK);
    free(in);
    free(out);
    maker->destroy(disk);
}

/* Appends from registered buffers and from others, to several files, all at once. */
static void test_appends(void **state)
{
    (void)state;
    struct hf_disk *disk = open_disk(false);
    const struct hf_disk_maker *maker = disk->maker;
    void *buffers[2] = {aligned(8192, 1), aligned(8192, 2)};
    uint8_t *other = aligned(4096, 3);
    uint8_t *in = aligned(32768, 0);
    int first = -1;
    int second = -1;
    unsigned make = HF_DISK_WRITE | HF_DISK_CREATE | HF_DISK_DIRECT;
    assert_int_equal(maker->open(disk, "one", make, &first), HF_STATUS_OK);
    assert_int_equal(maker->attach(disk, buffers, 8192, 2), HF_STATUS_OK);
    assert_int_equal(maker->open(disk, "two", make, &second), HF_STATUS_OK);
    assert_int_equal(maker->append(disk, first, 0, buffers[0], 8192, 10), HF_STATUS_OK);
    assert_int_equal(maker->append(disk, first, 8192, (uint8_t *)buffers[1] + 4096, 4096, 11),
                     HF_STATUS_OK);
    assert_int_equal(maker->fill(disk, second, 0, other, 4096, 12), HF_STATUS_OK);
    assert_int_equal(maker->append(disk, second, 4096, other, 512, 13), HF_STATUS_OK);
    assert_int_equal(disk->unwritten, 3); /* what is no append is not among them */
    struct hf_disk_completion completions[4];
    unsigned seen = 0;
    collect(disk, completions, 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(completions[i].status, HF_STATUS_OK);
        assert_in_range(completions[i].tag, 10, 13);
        seen |= 1u << (completions[i].tag - 10);
    }
    assert_int_equal(seen, 0xf);
    assert_int_equal(disk->unwritten, 0);
    size_t done = 0;
    assert_int_equal(maker->read(disk, first, 0, in, 32768, &done), HF_STATUS_OK);
    assert_int_equal(done, 12288);
    assert_memory_equal(in, buffers[0], 8192);
    assert_memory_equal(in + 8192, buffers[1], 4096);
    assert_int_equal(maker->read(disk, second, 0, in, 32768, &done), HF_STATUS_OK);
    assert_int_equal(done, 4096 + 512);
    assert_memory_equal(in, other, 4096);
    assert_int_equal(maker->close(disk, first), HF_STATUS_OK);
    assert_int_equal(maker->close(disk, second), HF_STATUS_OK);
    free(buffers[0]);
    free(buffers[1]);
    free(other);
    free(in);
    maker->destroy(disk);
}

/* More than the queue takes is refused with AGAIN, and nothing of it is lost. */
static void test_queue_full(void **state)
{
    (void)state;
    struct hf_disk *disk = open_disk(false);
    const struct hf_disk_maker *maker = disk->maker;
    void *buffers[1] = {aligned(512, 1)};
    int file = -1;
    assert_int_equal(
        maker->open(disk, "one", HF_DISK_WRITE | HF_DISK_CREATE | HF_DISK_DIRECT, &file),
        HF_STATUS_OK);
    assert_int_equal(maker->attach(disk, buffers, 512, 1), HF_STATUS_OK);
    uint32_t queued = 0;
    while (queued < 10000 && maker->append(disk, file, (uint64_t)queued * 512, buffers[0], 512,
                                           queued) == HF_STATUS_OK) {
        queued++;
    }
    assert_in_range(queued, HF_LOG_DEPTH_MAX + 1, 9999);
    struct hf_disk_completion *completions = calloc(queued, sizeof *completions);
    assert_non_null(completions);
    collect(disk, completions, queued);
    assert_int_equal(maker->append(disk, file, 0, buffers[0], 512, 1), HF_STATUS_OK);
    collect(disk, completions, 1);
    free(completions);
    free(buffers[0]);
    maker->destroy(disk);
}

/* A write that fails cancels its flush, and is one failed completion with the write's reason. */
static void test_failing_append(void **state)
{
    (void)state;
    struct hf_disk *disk = open_disk(false);
    const struct hf_disk_maker *maker = disk->maker;
    void *buffers[1] = {aligned(4096, 1)};
    int file = -1;
    assert_int_equal(
        maker->open(disk, "one", HF_DISK_WRITE | HF_DISK_CREATE | HF_DISK_DIRECT, &file),
        HF_STATUS_OK);
    assert_int_equal(maker->close(disk, file), HF_STATUS_OK);
    assert_int_equal(maker->open(disk, "one", HF_DISK_READ | HF_DISK_DIRECT, &file), HF_STATUS_OK);
    assert_int_equal(maker->attach(disk, buffers, 4096, 1), HF_STATUS_OK);
    assert_int_equal(maker->append(disk, file, 0, buffers[0], 4096, 5), HF_STATUS_OK);
    struct hf_disk_completion completion;
    collect(disk, &completion, 1);
    assert_int_equal(completion.tag, 5);
    assert_int_equal(completion.status, HF_STATUS_IO);
    assert_int_equal(completion.error, EBADF);
    assert_int_equal(disk->unwritten, 0);
    free(buffers[0]);
    maker->destroy(disk);
}

/* A real short write: the process may not make files longer than 4,096 bytes, and the kernel writes
 * what it may. It is a failure, and what came to be of it is not flushed. */
static void test_short_writes(void **state)
{
    (void)state;
    struct hf_disk *disk = open_disk(false);
    const struct hf_disk_maker *maker = disk->maker;
    void *buffers[1] = {aligned(8192, 1)};
    int file = -1;
    assert_int_equal(
        maker->open(disk, "short", HF_DISK_WRITE | HF_DISK_CREATE | HF_DISK_DIRECT, &file),
        HF_STATUS_OK);
    assert_int_equal(maker->attach(disk, buffers, 8192, 1), HF_STATUS_OK);
    struct rlimit before;
    struct hf_disk_completion completions[2];
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit limit = {.rlim_cur = 4096, .rlim_max = before.rlim_max};
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    enum hf_status queued = maker->append(disk, file, 0, buffers[0], 8192, 5);
    if (queued == HF_STATUS_OK) {
        queued = maker->fill(disk, file, 0, buffers[0], 8192, 6);
    }
    if (queued == HF_STATUS_OK) {
        collect(disk, completions, 2);
    }
    enum hf_status written = maker->write(disk, file, 0, buffers[0], 8192);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(queued, HF_STATUS_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(completions[i].status, HF_STATUS_IO);
        assert_int_equal(completions[i].error, EIO);
    }
    assert_int_equal(written, HF_STATUS_IO);
    assert_non_null(strstr(disk->fault.line, "/short: write: File too large"));
    uint64_t size = 0;
    assert_int_equal(maker->size(disk, file, &size), HF_STATUS_OK);
    assert_int_equal(size, 4096);
    free(buffers[0]);
    maker->destroy(disk);
}

static void test_lock(void **state)
{
    (void)state;
    struct hf_disk *first = open_disk(false);
    struct hf_disk *second = open_disk(false);
    struct hf_disk *reader = open_disk(true);
    struct hf_disk *other_reader = open_disk(true);
    assert_int_equal(first->maker->lock(first), HF_STATUS_OK);
    assert_int_equal(second->maker->lock(second), HF_STATUS_LOCKED);
    assert_non_null(strstr(second->fault.line, "another process"));
    assert_int_equal(reader->maker->lock(reader), HF_STATUS_LOCKED);
    first->maker->destroy(first);
    assert_int_equal(reader->maker->lock(reader), HF_STATUS_OK);
    assert_int_equal(other_reader->maker->lock(other_reader), HF_STATUS_OK);
    assert_int_equal(second->maker->lock(second), HF_STATUS_LOCKED);
    reader->maker->destroy(reader);
    other_reader->maker->destroy(other_reader);
    assert_int_equal(second->maker->lock(second), HF_STATUS_OK);
    second->maker->destroy(second);
}

static void test_opening_the_directory(void **state)
{
    (void)state;
    struct hf_disk *disk = NULL;
    struct hf_fault fault = {{0}};
    char below[96];
    snprintf(below, sizeof below, "%s/new", directory);
    assert_int_equal(hf_disk_uring_open(below, false, false, 512, &disk, &fault),
                     HF_STATUS_NOT_FOUND);
    assert_int_equal(hf_disk_uring_open(below, false, true, 1024, &disk, &fault),
                     HF_STATUS_INVALID);
    assert_int_equal(hf_disk_uring_open(below, false, true, 512, &disk, &fault), HF_STATUS_OK);
    disk->maker->destroy(disk);
    assert_int_equal(hf_disk_uring_open(below, false, true, 512, &disk, &fault), HF_STATUS_OK);
    disk->maker->destroy(disk);
    if (geteuid() != 0) {
        assert_int_equal(chmod(below, 0500), 0);
        assert_int_equal(hf_disk_uring_open(below, false, true, 512, &disk, &fault),
                         HF_STATUS_READ_ONLY);
    }
    assert_int_equal(rmdir(below), 0);
    /* A file is no directory. */
    FILE *file = fopen(below, "w");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(hf_disk_uring_open(below, false, false, 512, &disk, &fault), HF_STATUS_IO);
    assert_true(fault.line[0] != '\0');
}

/* The whole log on the real disk: written, over several segments, and read back. */
static void test_log(void **state)
{
    (void)state;
    log_world_init(&world, open_disk(false));
    world.options.segment_size = 1 << 20;
    assert_int_equal(log_world_open(&world), HF_STATUS_OK);
    assert_int_equal(log_world_start(&world), HF_STATUS_OK);
    uint32_t submitted = 0;
    while (submitted < 400) {
        if (log_world_submit(&world, 1 + submitted % 70) == HF_STATUS_OK) {
            submitted++;
        }
        log_world_poll(&world);
        if (world.next_place > LOG_PLACES_MAX - 200) {
            break;
        }
    }
    while (world.free_count < world.writer_options.batch_count) {
        log_world_poll(&world);
        assert_false(hf_log_writer_is_poisoned(world.writer));
    }
    assert_int_equal(log_world_checkpoint(&world), HF_STATUS_OK);
    log_world_append(&world, 3);
    struct hf_log_writer_counts counts;
    hf_log_writer_count(world.writer, &counts);
    assert_true(counts.segment >= 2);
    hf_log_writer_destroy(world.writer);
    world.writer = NULL;
    world.disk->maker->destroy(world.disk);
    world.disk = open_disk(false);
    assert_int_equal(log_world_open(&world), HF_STATUS_OK);
    assert_int_equal(world.state.last_index, counts.last_index);
    assert_int_equal(world.state.checkpoint_index, counts.last_index - 1);
    assert_int_equal(world.state.superblock.incarnation, 2);
    assert_int_equal(log_world_start(&world), HF_STATUS_OK);
    log_world_append(&world, 3);
    hf_log_writer_destroy(world.writer);
    world.writer = NULL;
    world.disk->maker->destroy(world.disk);
    /* A reader sees it all, and changes nothing. */
    world.disk = open_disk(true);
    world.options.from_start = true;
    assert_int_equal(log_world_open(&world), HF_STATUS_OK);
    assert_int_equal(world.state.records_replayed, counts.last_index + 1);
    assert_int_equal(world.state.superblock.incarnation, 2);
    log_world_end(&world);
}

/* The first argument, a pattern, chooses tests by their names. */
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_files, setup, teardown),
        cmocka_unit_test_setup_teardown(test_appends, setup, teardown),
        cmocka_unit_test_setup_teardown(test_queue_full, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failing_append, setup, teardown),
        cmocka_unit_test_setup_teardown(test_short_writes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lock, setup, teardown),
        cmocka_unit_test_setup_teardown(test_opening_the_directory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_log, setup, teardown),
    };
    if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
