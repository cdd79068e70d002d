/* Checkpoints: an image of the whole state as it is after record `index`. File `checkpoint-` and
 * sixteen hexadecimal digits of that index: a header page, then the image in pieces, each with its
 * own hash; FORMAT.md describes it byte by byte.
 *
 * What is in the image is the engine's business (engine/image.h): here it is a stream of bytes from
 * or to a callback. Every function blocks; call from the log's thread, or while that one stands
 * still, or with a disk of your own on the same directory. */
#ifndef HF_WAL_CHECKPOINT_H
#define HF_WAL_CHECKPOINT_H

#include "disk.h"
#include "engine/id.h"
#include "hash.h"

#define HF_CHECKPOINT_NAME_TEMPORARY "checkpoint.tmp"
#define HF_CHECKPOINT_MAGIC          "HFCHECKP"
#define HF_CHECKPOINT_PIECE_MAGIC    UINT32_C(0x50434648) /* "HFCP" */
#define HF_CHECKPOINT_FORMAT         1
#define HF_CHECKPOINT_HEADER_SIZE    4096
#define HF_CHECKPOINT_PIECE_SIZE     (UINT32_C(1) << 20) /* on disk, its header included */
#define HF_CHECKPOINT_PIECE_HEADER   64
#define HF_CHECKPOINT_KEEP_COUNT     2 /* older ones are removed */

struct hf_checkpoint_header {
    struct hf_hash hash; /* XXH3-128 of bytes 16 to 4095 */
    char magic[8];
    uint32_t format;
    uint32_t piece_size;
    struct hf_id cluster;
    uint64_t index;        /* the last record whose effects are in the image */
    uint64_t epoch;        /* of that record */
    uint64_t place;        /* of the last operation in the image */
    uint64_t timestamp_ns; /* of that record */
    struct hf_hash record_hash;
    struct hf_id digest; /* of the state: hf_ledger_digest */
    uint64_t image_length;
    uint8_t reserved[3976];
};
_Static_assert(sizeof(struct hf_checkpoint_header) == HF_CHECKPOINT_HEADER_SIZE, "checkpoint");
_Static_assert(offsetof(struct hf_checkpoint_header, index) == 48, "checkpoint index");
_Static_assert(offsetof(struct hf_checkpoint_header, image_length) == 112, "checkpoint length");

/* Heads every piece; the image's bytes follow, then zeros to a multiple of 4096. */
struct hf_checkpoint_piece {
    struct hf_hash hash; /* XXH3-128 of bytes 16 to 63 + length */
    uint32_t magic;
    uint32_t length; /* of image bytes in it; less than the most only in the last piece */
    uint64_t index;  /* as in the header */
    uint64_t number; /* pieces count from 0 */
    uint8_t reserved[24];
};
_Static_assert(sizeof(struct hf_checkpoint_piece) == HF_CHECKPOINT_PIECE_HEADER, "piece");

/* Where an image comes from and goes to.
 *
 * `source` fills `buffer` with the next bytes of the image: as many as fit, a multiple of 64, and
 * *length = 0 after the last. `sink` takes the next bytes; they are 64-byte aligned, and `length`
 * is a multiple of 64 when the image's is. Any status but OK ends the checkpoint with that status.
 */
struct hf_checkpoint_stream {
    void *context;
    enum hf_status (*source)(void *context, void *buffer, size_t size, size_t *length);
    enum hf_status (*sink)(void *context, const void *bytes, size_t length);
};

/* Writes the name of the checkpoint at `index`, and reads it back. */
void hf_checkpoint_format_name(uint64_t index, char name[HF_DISK_NAME_SIZE]);
bool hf_checkpoint_parse_name(const char *name, uint64_t *index);

/* Writes a checkpoint, durably or not at all, and then removes all but the newest two. The caller
 * fills `header` from `cluster` to `digest`; the rest is set here. IO, FULL, or the source's own
 * status; a checkpoint that failed leaves the older ones as they were, and is no trouble of the
 * log's. EXISTS when there is one at this index. */
HF_MUST_USE enum hf_status hf_checkpoint_write(struct hf_disk *disk,
                                               struct hf_checkpoint_header *header,
                                               const struct hf_checkpoint_stream *stream,
                                               struct hf_fault *fault);

/* Reads the whole checkpoint at `index` and checks every byte of it; fills *header. CORRUPT with
 * file and offset; WRONG_FORMAT; WRONG_CLUSTER. */
HF_MUST_USE enum hf_status hf_checkpoint_verify(struct hf_disk *disk, struct hf_id cluster,
                                                uint64_t index, struct hf_checkpoint_header *header,
                                                struct hf_fault *fault);

/* Like verify, and feeds the image to the stream's sink on the way. */
HF_MUST_USE enum hf_status hf_checkpoint_load(struct hf_disk *disk, struct hf_id cluster,
                                              uint64_t index, struct hf_checkpoint_header *header,
                                              const struct hf_checkpoint_stream *stream,
                                              struct hf_fault *fault);

/* For who is given a checkpoint bit by bit. The header: its own hash, format, cluster, index. Then
 * piece after piece, from 0 on: how many bytes of the file it is (0: there is no such piece, the
 * file ends before it), and whether those bytes are it. CORRUPT, WRONG_FORMAT, WRONG_CLUSTER. Pure.
 */
HF_MUST_USE enum hf_status
hf_checkpoint_check_header(const uint8_t bytes[HF_CHECKPOINT_HEADER_SIZE], struct hf_id cluster,
                           uint64_t index, struct hf_checkpoint_header *header,
                           struct hf_fault *fault);
uint32_t hf_checkpoint_piece_size(const struct hf_checkpoint_header *header, uint64_t number);
HF_MUST_USE enum hf_status hf_checkpoint_check_piece(const struct hf_checkpoint_header *header,
                                                     uint64_t number, const uint8_t *bytes,
                                                     struct hf_fault *fault);

/* The newest checkpoint whose index is below `below`, by its name alone; *index = 0 when there is
 * none. */
HF_MUST_USE enum hf_status hf_checkpoint_newest(struct hf_disk *disk, uint64_t below,
                                                uint64_t *index, struct hf_fault *fault);

#endif
