/* Putting another node's checkpoint in the place of a log that is too old to be continued.
 *
 * It comes in slices, in two parts: the checkpoint's file, and the segment in which its record
 * lies, from that segment's begin to that record. Everything is judged before it counts: every
 * piece of the image by its hash, every record by the chain, every seal by the keys in the
 * superblock, and the checkpoint's record must be the one in the log. Until all of it is here and
 * flushed it lies under names that nobody reads, and the old log is as it was.
 *
 * Then it is decided, by one rename: a file `install` says what is to be done. The next opening of
 * the log does it: puts the old segments and checkpoints into quarantine, names the new ones, and
 * notes where the log begins. Whenever that is interrupted, the opening after it goes on. FORMAT.md
 * has the file byte by byte. */
#ifndef HF_WAL_INSTALL_H
#define HF_WAL_INSTALL_H

#include "checkpoint.h"
#include "reader.h"
#include "superblock.h"

#define HF_INSTALL_NAME            "install"
#define HF_INSTALL_NAME_TEMPORARY  "install.tmp"
#define HF_INSTALL_CHECKPOINT_NAME "fetched-checkpoint"
#define HF_INSTALL_LOG_NAME        "fetched-log"
#define HF_INSTALL_MAGIC           "HFINSTAL"
#define HF_INSTALL_FORMAT          1
#define HF_INSTALL_SLICE           (UINT32_C(128) << 10) /* of bytes, in one go, at most */

/* The file `install`. */
struct hf_install_order {
    struct hf_hash hash; /* XXH3-128 of bytes 16 to 4095 */
    char magic[8];
    uint32_t format;
    uint32_t reserved_word;
    struct hf_id cluster;
    uint64_t life;        /* in which it was decided: names the quarantine */
    uint64_t index;       /* of the checkpoint */
    uint64_t segment;     /* the log's first from now on */
    uint64_t first_index; /* of the record that it begins with ... */
    uint64_t first_epoch; /* ... and its epoch */
    uint8_t reserved[4008];
};
_Static_assert(sizeof(struct hf_install_order) == 4096, "install");
_Static_assert(offsetof(struct hf_install_order, life) == 48, "install life");

enum hf_install_part {
    HF_INSTALL_CHECKPOINT = 0,
    HF_INSTALL_LOG = 1,
    HF_INSTALL_WHOLE = 2, /* nothing more is wanted */
};

struct hf_install {
    struct hf_disk *disk;
    const struct hf_superblock *superblock; /* lent */
    uint8_t *buffer;
    uint32_t filled; /* bytes in it that are not yet on the disk */
    int files[2];    /* by part; -1 */
    uint64_t index;  /* of the checkpoint; 0: nothing has begun */
    uint64_t segment;

    enum hf_install_part part;
    uint64_t offset;  /* of that part, that comes next */
    uint64_t written; /* of that part, on the disk */
    struct hf_checkpoint_header header;
    uint64_t pieces;
    struct hf_log_chain chain;
    struct hf_chain_span span;
    uint64_t first_index; /* of the log; 0: no record has come */
    uint64_t first_epoch;
};

/* With all the memory it will need. `disk` may write; both are lent until finish. NO_MEMORY. */
HF_MUST_USE enum hf_status hf_install_init(struct hf_install *install, struct hf_disk *disk,
                                           const struct hf_superblock *superblock,
                                           struct hf_fault *fault);
void hf_install_finish(struct hf_install *install);

/* Begins with the checkpoint at `index`, whose record lies in that segment of the giver's, or is
 * the one before it. What had come of another is forgotten. IO, FULL. Blocks. */
HF_MUST_USE enum hf_status hf_install_begin(struct hf_install *install, uint64_t index,
                                            uint64_t segment, struct hf_fault *fault);

/* The slice at install->offset of install->part, HF_INSTALL_SLICE bytes at most, whole multiples of
 * the block size. Judges and writes as much as can be. CORRUPT, WRONG_FORMAT, WRONG_CLUSTER: it is
 * no good, and another must be begun; IO, FULL. Blocks for the writing of a piece at most. */
HF_MUST_USE enum hf_status hf_install_take(struct hf_install *install, const uint8_t *bytes,
                                           uint32_t length, struct hf_fault *fault);

/* Gives it up: the files go. Nothing is said of a disk that fails meanwhile: the next opening of
 * the log removes what is left. */
void hf_install_forget(struct hf_install *install);

/* All has come (asserted): makes it durable, and decides. After OK the log is to be opened anew,
 * and nothing of the old one counts any more. Blocks. IO, FULL: nothing is decided, as far as is
 * known.
 */
HF_MUST_USE enum hf_status hf_install_decide(struct hf_install *install, uint64_t life,
                                             struct hf_fault *fault);

/* At the opening of a log: carries out what was decided, if anything was. Changes the superblock,
 * there and in *superblock. IO; CORRUPT: the order makes no sense; READ_ONLY: there is one, and the
 * disk may not be written. Blocks. */
HF_MUST_USE enum hf_status hf_install_carry_out(struct hf_disk *disk,
                                                struct hf_superblock *superblock,
                                                struct hf_fault *fault);

#endif
