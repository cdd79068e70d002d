/* The superblock: who this data directory belongs to, and the few things that must survive beside
 * the log. File `superblock`, four copies of 4096 bytes. The layout is the structure below,
 * little-endian; FORMAT.md describes it byte by byte.
 *
 * Codec and choice of copy are pure; read and write go through a disk, and block. */
#ifndef HF_WAL_SUPERBLOCK_H
#define HF_WAL_SUPERBLOCK_H

#include "chain.h"
#include "disk.h"
#include "engine/id.h"
#include "hash.h"

#define HF_SUPERBLOCK_NAME       "superblock"
#define HF_SUPERBLOCK_SIZE       4096
#define HF_SUPERBLOCK_COPIES     4
#define HF_SUPERBLOCK_MAGIC      "HOLDFAST" /* eight bytes, no NUL: the same in either byte order */
#define HF_SUPERBLOCK_FORMAT     4
#define HF_SUPERBLOCK_ENDIANNESS UINT32_C(0x01020304)
#define HF_SUPERBLOCK_EPOCHS_MAX 64
/* Of the state machine behind the log: opaque here. */
#define HF_SUPERBLOCK_SETTINGS_SIZE 128

/* From record `start_index` on the log belongs to `epoch`. */
struct hf_epoch_start {
    uint64_t epoch;
    uint64_t start_index;
};

struct hf_superblock {
    struct hf_hash hash; /* XXH3-128 of bytes 16 to 4095 */
    char magic[8];
    uint32_t format;
    uint32_t endianness;
    struct hf_id cluster;
    uint64_t sequence;       /* +1 at every write; of several valid copies the highest counts */
    uint64_t incarnation;    /* +1 at every start of the node */
    uint64_t promised_epoch; /* nothing of a smaller epoch is accepted any more */
    uint32_t node;
    uint32_t block_size;   /* of the log: records begin at its multiples; 512 or 4096 */
    uint64_t segment_size; /* bytes; a multiple of HF_RECORD_BLOCK_MAX */
    uint32_t epoch_count;
    uint32_t reserved_word;
    struct hf_epoch_start epochs[HF_SUPERBLOCK_EPOCHS_MAX];
    uint64_t settings_index; /* records after this one were made under `settings` */
    uint8_t settings[HF_SUPERBLOCK_SETTINGS_SIZE];
    uint8_t public_key[HF_CHAIN_PUBLIC_SIZE]; /* the node's: who signs this log */
    uint8_t peer_key[HF_CHAIN_PUBLIC_SIZE]; /* of a pair's other node: who may have signed as well;
                                               zeros: nobody */
    uint32_t peer_node;                     /* its number, 0: none */
    uint8_t reserved[2772];
};
_Static_assert(sizeof(struct hf_superblock) == HF_SUPERBLOCK_SIZE, "superblock");
_Static_assert(offsetof(struct hf_superblock, magic) == 16, "hashed from here");
_Static_assert(offsetof(struct hf_superblock, cluster) == 32, "superblock cluster");
_Static_assert(offsetof(struct hf_superblock, node) == 72, "superblock node");
_Static_assert(offsetof(struct hf_superblock, epochs) == 96, "superblock epochs");
_Static_assert(offsetof(struct hf_superblock, settings) == 1128, "superblock settings");
_Static_assert(offsetof(struct hf_superblock, public_key) == 1256, "superblock key");
_Static_assert(offsetof(struct hf_superblock, peer_key) == 1288, "superblock peer key");
_Static_assert(offsetof(struct hf_superblock, peer_node) == 1320, "superblock peer node");

/* Fills in a first superblock: sequence 0, incarnation 0, epoch 1 from index 1. */
void hf_superblock_init(struct hf_superblock *superblock, struct hf_id cluster, uint32_t node,
                        uint32_t block_size, uint64_t segment_size,
                        const uint8_t public_key[HF_CHAIN_PUBLIC_SIZE]);

/* Sets the hash. */
void hf_superblock_seal(struct hf_superblock *superblock);

/* Finds the newest valid of the copies. When none is valid: WRONG_FORMAT (no copy is ours, or all
 * that are say another format or byte order) or CORRUPT, and the fault line says what was found and
 * what was expected. */
HF_MUST_USE enum hf_status
hf_superblock_choose(const struct hf_superblock copies[HF_SUPERBLOCK_COPIES],
                     struct hf_superblock *chosen, struct hf_fault *fault);

/* WRONG_CLUSTER when it belongs to another cluster or node. A zero id expects no cluster in
 * particular (offline tools), and then no node either. */
HF_MUST_USE enum hf_status hf_superblock_expect(const struct hf_superblock *superblock,
                                                struct hf_id cluster, uint32_t node,
                                                struct hf_fault *fault);

/* Reads the file and chooses. NOT_FOUND when there is none. Blocks. */
HF_MUST_USE enum hf_status hf_superblock_read(struct hf_disk *disk, struct hf_superblock *chosen,
                                              struct hf_fault *fault);

/* Makes the file, whole or not at all: under a temporary name, flushed, renamed. Blocks. */
HF_MUST_USE enum hf_status hf_superblock_create(struct hf_disk *disk,
                                                struct hf_superblock *superblock,
                                                struct hf_fault *fault);

/* Raises the sequence, seals, and writes copy after copy with a flush after each, so that at every
 * moment at least three copies are whole. Blocks. An error is final. */
HF_MUST_USE enum hf_status
hf_superblock_write(struct hf_disk *disk, struct hf_superblock *superblock, struct hf_fault *fault);

/* The key that a seal of this node must be signed by; NULL when the log knows no such node. */
const uint8_t *hf_superblock_key_of(const struct hf_superblock *superblock, uint32_t node);

/* Why a seal in this log does not hold by itself; NULL when it does (hf_chain_seal_check). */
const char *hf_superblock_check_seal(const struct hf_superblock *superblock,
                                     const struct hf_record_header *seal);

/* Takes the next record of a log into the span that signs for it: a seal must hold and be over just
 * that span, and a segment begins with a seal behind a seal (but the log's first). False, and what
 * the record is instead in `why`: "is a seal that ...". */
#define HF_SUPERBLOCK_WHY_SIZE 128
HF_MUST_USE bool hf_superblock_follow(const struct hf_superblock *superblock,
                                      struct hf_chain_span *span,
                                      const struct hf_record_header *record, bool opens_segment,
                                      char why[HF_SUPERBLOCK_WHY_SIZE]);

/* The epoch in which records are written now. */
static inline uint64_t hf_superblock_epoch(const struct hf_superblock *superblock)
{
    return superblock->epochs[superblock->epoch_count - 1].epoch;
}

#endif
