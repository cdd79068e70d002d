/* Raw durable writes through io_uring. */
#include "bench/raw_disk.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A flush carries no slot: its completion belongs to the write that it is linked behind. */
#define TAG_FLUSH 0x100u

struct hf_bench_raw {
    struct hf_bench_raw_options options;
    struct io_uring ring;
    int file;
    uint64_t offset;
    uint8_t *buffers;
    uint64_t begin_ns[HF_BENCH_RAW_DEPTH_MAX];
    uint32_t free_slots[HF_BENCH_RAW_DEPTH_MAX];
    uint32_t free_count;
};

/* A file without a name: nothing is left over, however the program ends. */
static int open_file(const struct hf_bench_raw_options *options)
{
    return open(options->directory, O_TMPFILE | O_RDWR | O_DIRECT, 0600);
}

static bool prewrite(int file, uint64_t bytes)
{
    const size_t piece = (size_t)1 << 20;
    uint8_t *zeros = mmap(NULL, piece, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (zeros == MAP_FAILED) {
        return false;
    }
    bool done = posix_fallocate(file, 0, (off_t)bytes) == 0;
    for (uint64_t offset = 0; done && offset < bytes; offset += piece) {
        size_t length = bytes - offset < piece ? (size_t)(bytes - offset) : piece;
        done = pwrite(file, zeros, length, (off_t)offset) == (ssize_t)length;
    }
    munmap(zeros, piece);
    return done && fsync(file) == 0;
}

static bool open_ring(struct hf_bench_raw *raw)
{
    struct io_uring_params parameters = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
    };
    if (io_uring_queue_init_params(2 * HF_BENCH_RAW_DEPTH_MAX, &raw->ring, &parameters) != 0) {
        return false;
    }
    struct iovec vectors[HF_BENCH_RAW_DEPTH_MAX];
    for (uint32_t i = 0; i < raw->options.depth; i++) {
        vectors[i].iov_base = raw->buffers + (size_t)i * raw->options.block_bytes;
        vectors[i].iov_len = raw->options.block_bytes;
    }
    if (io_uring_register_buffers(&raw->ring, vectors, raw->options.depth) != 0 ||
        io_uring_register_files(&raw->ring, &raw->file, 1) != 0) {
        io_uring_queue_exit(&raw->ring);
        return false;
    }
    return true;
}

struct hf_bench_raw *hf_bench_raw_create(const struct hf_bench_raw_options *options)
{
    assert(options->depth >= 1);
    assert(options->depth <= HF_BENCH_RAW_DEPTH_MAX);
    assert(options->block_bytes % 512 == 0);
    assert(options->file_bytes % options->block_bytes == 0);
    struct hf_bench_raw *raw = calloc(1, sizeof(*raw));
    if (raw == NULL) {
        return NULL;
    }
    raw->options = *options;
    raw->file = open_file(options);
    if (raw->file < 0 || !prewrite(raw->file, options->file_bytes)) {
        fprintf(stderr, "raw writes: %s: %s\n", options->directory, strerror(errno));
        goto without_file;
    }
    size_t size = (size_t)options->depth * options->block_bytes;
    raw->buffers = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (raw->buffers == MAP_FAILED) {
        goto without_file;
    }
    /* Not zeros: a device or file system that treats them specially would flatter itself. */
    for (size_t i = 0; i < size; i++) {
        raw->buffers[i] = (uint8_t)(i * 167 + (i >> 8));
    }
    for (uint32_t i = 0; i < options->depth; i++) {
        raw->free_slots[raw->free_count++] = i;
    }
    if (open_ring(raw)) {
        return raw;
    }
    fprintf(stderr, "raw writes: this kernel's io_uring cannot do it\n");
    munmap(raw->buffers, size);
without_file:
    if (raw->file >= 0) {
        close(raw->file);
    }
    free(raw);
    return NULL;
}

void hf_bench_raw_destroy(struct hf_bench_raw *raw)
{
    assert(raw->free_count == raw->options.depth);
    io_uring_queue_exit(&raw->ring);
    munmap(raw->buffers, (size_t)raw->options.depth * raw->options.block_bytes);
    close(raw->file);
    free(raw);
}

static void queue_write(struct hf_bench_raw *raw)
{
    assert(raw->free_count > 0);
    uint32_t slot = raw->free_slots[--raw->free_count];
    uint32_t length = raw->options.block_bytes;
    struct io_uring_sqe *write = io_uring_get_sqe(&raw->ring);
    assert(write != NULL);
    io_uring_prep_write_fixed(write, 0, raw->buffers + (size_t)slot * length, length, raw->offset,
                              (int)slot);
    write->flags |= IOSQE_FIXED_FILE;
    io_uring_sqe_set_data64(write, slot);
    if (raw->options.flush) {
        write->flags |= IOSQE_IO_LINK;
        struct io_uring_sqe *flush = io_uring_get_sqe(&raw->ring);
        assert(flush != NULL);
        io_uring_prep_fsync(flush, 0, IORING_FSYNC_DATASYNC);
        flush->flags |= IOSQE_FIXED_FILE;
        io_uring_sqe_set_data64(flush, TAG_FLUSH | slot);
    }
    raw->begin_ns[slot] = hf_bench_now_ns();
    raw->offset = (raw->offset + length) % raw->options.file_bytes;
}

static void fail(int error)
{
    fprintf(stderr, "raw writes: %s\n", error < 0 ? strerror(-error) : "short write");
    exit(1);
}

/* True when the completion ends a block: the write itself, or its flush where there is one. */
static bool complete(struct hf_bench_raw *raw, const struct io_uring_cqe *cqe,
                     struct hf_bench_samples *samples)
{
    uint64_t tag = io_uring_cqe_get_data64(cqe);
    bool is_flush = (tag & TAG_FLUSH) != 0;
    int expected = is_flush ? 0 : (int)raw->options.block_bytes;
    if (cqe->res != expected) {
        fail(cqe->res);
    }
    if (is_flush != raw->options.flush) {
        return false;
    }
    uint32_t slot = (uint32_t)(tag & ~(uint64_t)TAG_FLUSH);
    assert(slot < raw->options.depth);
    if (samples != NULL) {
        hf_bench_samples_add(samples, hf_bench_now_ns() - raw->begin_ns[slot]);
    }
    raw->free_slots[raw->free_count++] = slot;
    return true;
}

void hf_bench_raw_write(struct hf_bench_raw *raw, uint32_t count, struct hf_bench_samples *samples)
{
    uint32_t queued = 0;
    uint32_t done = 0;
    while (done < count) {
        while (queued < count && raw->free_count > 0) {
            queue_write(raw);
            queued++;
        }
        int submitted = raw->options.spin ? io_uring_submit_and_get_events(&raw->ring)
                                          : io_uring_submit_and_wait(&raw->ring, 1);
        if (submitted < 0 && submitted != -EINTR) {
            fail(submitted);
        }
        struct io_uring_cqe *cqe;
        while (io_uring_peek_cqe(&raw->ring, &cqe) == 0) {
            done += complete(raw, cqe, samples) ? 1 : 0;
            io_uring_cqe_seen(&raw->ring, cqe);
        }
    }
}
