#include "paced_disk.h"

#include "clock.h"

#include <signal.h>
#include <string.h>
#include <time.h>

/* The largest piece at a time: what an append of the log may have to wait behind. */
#define PIECE_BYTES ((size_t)256 << 10)
#define NS_PER_S    UINT64_C(1000000000)

static struct paced_disk *self_of(struct hf_disk *disk)
{
    return (struct paced_disk *)(void *)disk;
}

static enum hf_status told(struct paced_disk *self, enum hf_status status)
{
    if (status != HF_STATUS_OK)
        self->disk.fault = self->inner->fault;
    return status;
}

static void count_change(struct paced_disk *self)
{
    self->changes++;
    if (self->changes == self->stop_at)
        raise(SIGSTOP);
}

/* Waits until the bytes before these have had their time. Time that was not used is not saved up.
 */
static void take_turn(struct paced_disk *self, size_t bytes)
{
    uint64_t now_ns;

    if (self->rate == 0)
        return;
    now_ns = clock_monotonic_ns();
    if (self->free_at_ns > now_ns) {
        const struct timespec pause = {(time_t)((self->free_at_ns - now_ns) / NS_PER_S),
                                       (long)((self->free_at_ns - now_ns) % NS_PER_S)};
        nanosleep(&pause, NULL);
    } else {
        self->free_at_ns = now_ns;
    }
    self->free_at_ns += (uint64_t)((double)bytes / (double)self->rate * (double)NS_PER_S);
}

static enum hf_status paced_open(struct hf_disk *disk, const char *name, unsigned flags, int *file)
{
    struct paced_disk *self = self_of(disk);

    if ((flags & HF_DISK_CREATE) != 0)
        count_change(self);
    return told(self, self->inner->maker->open(self->inner, name, flags, file));
}

static enum hf_status paced_close(struct hf_disk *disk, int file)
{
    struct paced_disk *self = self_of(disk);

    return told(self, self->inner->maker->close(self->inner, file));
}

static enum hf_status paced_size(struct hf_disk *disk, int file, uint64_t *bytes)
{
    struct paced_disk *self = self_of(disk);

    return told(self, self->inner->maker->size(self->inner, file, bytes));
}

static enum hf_status paced_read(struct hf_disk *disk, int file, uint64_t offset, void *buffer,
                                 size_t length, size_t *done)
{
    struct paced_disk *self = self_of(disk);

    self->inner->block_size = disk->block_size; /* the log's own, once its superblock was read */
    *done = 0;
    while (*done < length) {
        size_t left = length - *done;
        size_t piece = left < PIECE_BYTES ? left : PIECE_BYTES;
        size_t got = 0;
        take_turn(self, piece);
        enum hf_status status = self->inner->maker->read(self->inner, file, offset + *done,
                                                         (uint8_t *)buffer + *done, piece, &got);
        *done += got;
        if (status != HF_STATUS_OK)
            return told(self, status);
        if (got < piece)
            break;
    }
    return HF_STATUS_OK;
}

static enum hf_status paced_write(struct hf_disk *disk, int file, uint64_t offset,
                                  const void *buffer, size_t length)
{
    struct paced_disk *self = self_of(disk);

    count_change(self);
    for (size_t done = 0; done < length;) {
        size_t left = length - done;
        size_t piece = left < PIECE_BYTES ? left : PIECE_BYTES;
        take_turn(self, piece);
        enum hf_status status = self->inner->maker->write(self->inner, file, offset + done,
                                                          (const uint8_t *)buffer + done, piece);
        if (status != HF_STATUS_OK)
            return told(self, status);
        done += piece;
    }
    return HF_STATUS_OK;
}

static enum hf_status paced_flush(struct hf_disk *disk, int file)
{
    struct paced_disk *self = self_of(disk);

    count_change(self);
    return told(self, self->inner->maker->flush(self->inner, file));
}

static enum hf_status paced_rename(struct hf_disk *disk, const char *from, const char *to)
{
    struct paced_disk *self = self_of(disk);

    count_change(self);
    return told(self, self->inner->maker->rename(self->inner, from, to));
}

static enum hf_status paced_remove(struct hf_disk *disk, const char *name)
{
    struct paced_disk *self = self_of(disk);

    count_change(self);
    return told(self, self->inner->maker->remove(self->inner, name));
}

static enum hf_status paced_flush_directory(struct hf_disk *disk)
{
    struct paced_disk *self = self_of(disk);

    count_change(self);
    return told(self, self->inner->maker->flush_directory(self->inner));
}

static enum hf_status paced_list(struct hf_disk *disk,
                                 bool (*visit)(void *context, const char *name), void *context)
{
    struct paced_disk *self = self_of(disk);

    return told(self, self->inner->maker->list(self->inner, visit, context));
}

void paced_disk_init(struct paced_disk *paced, struct hf_disk *inner, uint64_t rate,
                     uint64_t stop_at)
{
    memset(paced, 0, sizeof *paced);
    paced->maker = (struct hf_disk_maker){
        .open = paced_open,
        .close = paced_close,
        .size = paced_size,
        .read = paced_read,
        .write = paced_write,
        .flush = paced_flush,
        .rename = paced_rename,
        .remove = paced_remove,
        .flush_directory = paced_flush_directory,
        .list = paced_list,
    };
    paced->disk.maker = &paced->maker;
    paced->disk.block_size = inner->block_size;
    paced->disk.read_only = inner->read_only;
    paced->inner = inner;
    paced->rate = rate;
    paced->stop_at = stop_at;
}
