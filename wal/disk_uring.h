/* The real disk: one directory, O_DIRECT, one io_uring for the appending half. */
#ifndef HF_WAL_DISK_URING_H
#define HF_WAL_DISK_URING_H

#include "disk.h"

/* Opens a data directory; with `create`, makes it when it is not there (its parent must be).
 * `block_size` is 512 or 4096 and at least what the device asks for. NOT_FOUND, READ_ONLY (asked to
 * write where that is not allowed), INVALID, IO, NO_MEMORY; the fault line says why. Blocks. */
HF_MUST_USE enum hf_status hf_disk_uring_open(const char *directory, bool read_only, bool create,
                                              uint32_t block_size, struct hf_disk **disk,
                                              struct hf_fault *fault);

/* The open directory of such a disk, with the lock when it was taken: a process that inherits it
 * holds the lock as well. Stays the disk's. */
int hf_disk_uring_directory(const struct hf_disk *disk);

#endif
