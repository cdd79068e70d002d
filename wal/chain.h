/* The signed chain: what an auditor verifies a log by, without trusting the machine it came from.
 *
 * The record chain (record.h) finds accidents. Against a forger, a *seal* closes every so many
 * records: a record without operations that carries the root of a Merkle tree over them, a chain
 * value that also covers the chain value before, and the node's Ed25519 signature of it. The
 * records since the seal before are its *span*; seals themselves are in no span. Each segment ends
 * with a seal, so that a segment is verified, and one record of it proved, by itself.
 *
 *   slice  BLAKE2b-256, personalised, of 4,096 bytes of the record, or of what is left (slice.h)
 *   leaf   BLAKE2b-256( 0x00, the hashes of the record's slices; padding is not in them )
 *   node   BLAKE2b-256( 0x01, left, right )             shape and empty tree as in RFC 6962
 *   chain  BLAKE2b-256( struct hf_chain_link )
 *
 * A seal's body, behind its 128 bytes of header:
 *
 *      0  first_index    8  of the span; it ends before the seal's own index
 *      8  first_place    8  of the span's first operation; it ends before the header's first_place
 *     16  node           4  number within the cluster
 *     20  reserved       4  zero
 *     24  previous      32  chain value of the seal before; zeros in the first of a log
 *     56  root          32  of the tree over the span
 *     88  chain         32  the chain value
 *    120  public_key    32  the node's
 *    152  signature     64  Ed25519, of the 32 bytes of the chain value
 *
 * Pure: no I/O, no allocation. Any thread. */
#ifndef HF_WAL_CHAIN_H
#define HF_WAL_CHAIN_H

#include "record.h"

#include <string.h>

#define HF_CHAIN_PUBLIC_SIZE    32
#define HF_CHAIN_SEED_SIZE      32
#define HF_CHAIN_SECRET_SIZE    64 /* seed and public key, as libsodium has them */
#define HF_CHAIN_SIGNATURE_SIZE 64
#define HF_CHAIN_HEIGHT_MAX     40                 /* of a tree: more records than a log can have */
#define HF_CHAIN_TAG            "holdfast chain 2" /* sixteen bytes, no NUL */

/* Records from one seal to the next. */
#define HF_CHAIN_SPAN_DEFAULT 1024
#define HF_CHAIN_SPAN_MAX     (UINT32_C(1) << 20)

struct hf_chain_hash {
    uint8_t bytes[32];
};

struct hf_chain_seal {
    uint64_t first_index;
    uint64_t first_place;
    uint32_t node;
    uint32_t reserved;
    struct hf_chain_hash previous;
    struct hf_chain_hash root;
    struct hf_chain_hash chain;
    uint8_t public_key[HF_CHAIN_PUBLIC_SIZE];
    uint8_t signature[HF_CHAIN_SIGNATURE_SIZE];
};
_Static_assert(sizeof(struct hf_chain_seal) == 216, "seal");
_Static_assert(offsetof(struct hf_chain_seal, previous) == 24, "seal previous");
_Static_assert(offsetof(struct hf_chain_seal, root) == 56, "seal root");
_Static_assert(offsetof(struct hf_chain_seal, signature) == 152, "seal signature");

/* The whole record: one block of the log, whatever the block size. */
#define HF_CHAIN_SEAL_LENGTH (HF_RECORD_HEADER_SIZE + 216)
_Static_assert(HF_CHAIN_SEAL_LENGTH <= HF_RECORD_BLOCK_MIN, "a seal is one block");

/* What a chain value is the hash of. Together with the span's records it fixes every byte of the
 * seal's record. */
struct hf_chain_link {
    char tag[16];
    struct hf_id cluster;
    uint32_t node;
    uint32_t reserved;
    uint64_t epoch;
    uint64_t first_index;
    uint64_t last_index; /* first_index - 1 when the span is empty */
    uint64_t first_place;
    uint64_t next_place; /* after the span */
    uint64_t timestamp_ns;
    uint64_t commit;
    struct hf_chain_hash previous;
    struct hf_chain_hash root;
};
_Static_assert(sizeof(struct hf_chain_link) == 160, "link");
_Static_assert(offsetof(struct hf_chain_link, epoch) == 40, "link epoch");
_Static_assert(offsetof(struct hf_chain_link, previous) == 96, "link previous");

/* A Merkle tree that only grows: of each height at most one whole subtree is remembered. */
struct hf_chain_tree {
    uint64_t leaf_count;
    struct hf_chain_hash peaks[HF_CHAIN_HEIGHT_MAX]; /* by height; there when that bit of the
                                                        count is set */
};

/* The records since the newest seal, and what is known of it. */
struct hf_chain_span {
    uint64_t first_index;
    uint64_t first_place;
    bool previous_is_known; /* false when reading begins in the middle of a log */
    struct hf_chain_hash previous;
    struct hf_chain_tree tree;
};

static inline bool hf_chain_hash_equal(const struct hf_chain_hash *a, const struct hf_chain_hash *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* The seal in a good record of that kind. */
static inline const struct hf_chain_seal *hf_chain_seal_of(const struct hf_record_header *record)
{
    return (const struct hf_chain_seal *)(const void *)(record + 1);
}

void hf_chain_leaf(const struct hf_record_header *record, struct hf_chain_hash *leaf);
void hf_chain_join(const struct hf_chain_hash *left, const struct hf_chain_hash *right,
                   struct hf_chain_hash *node);

void hf_chain_tree_add(struct hf_chain_tree *tree, const struct hf_chain_hash *leaf);
void hf_chain_tree_root(const struct hf_chain_tree *tree, struct hf_chain_hash *root);

/* Writes the path of leaf `number` of `count`, from the leaf up, and returns its length; *path has
 * room for HF_CHAIN_HEIGHT_MAX. */
uint32_t hf_chain_path(const struct hf_chain_hash leaves[], uint64_t count, uint64_t number,
                       struct hf_chain_hash path[]);
/* The root that a leaf and its path lead to. False when the path's length is not that of such a
 * tree. */
bool hf_chain_path_root(const struct hf_chain_hash *leaf, uint64_t count, uint64_t number,
                        const struct hf_chain_hash path[], uint32_t path_count,
                        struct hf_chain_hash *root);

/* A span that begins with record `first_index`. The first of a log (index 1) follows nothing, and
 * knows it. */
void hf_chain_span_init(struct hf_chain_span *span, uint64_t first_index, uint64_t first_place);
/* Adds the next record, which is no seal. One pass of BLAKE2b over it. */
void hf_chain_span_add(struct hf_chain_span *span, const struct hf_record_header *record);
/* Begins the span after a seal. */
void hf_chain_span_next(struct hf_chain_span *span, const struct hf_record_header *seal);

/* Fills in the body of a seal over the span, signed, behind a header that has all but its hash:
 * kind, length, places, commit. Tens of microseconds. */
void hf_chain_seal_make(const struct hf_chain_span *span, struct hf_record_header *record,
                        uint32_t node, const uint8_t secret_key[HF_CHAIN_SECRET_SIZE]);

/* Why a seal does not hold; NULL when it does: when it is of this node, signed by this key, and its
 * chain value follows from its own bytes. A NULL key: by the key it names. Does not look at the
 * records. About a hundred microseconds. */
const char *hf_chain_seal_check(const struct hf_record_header *record,
                                const uint8_t public_key[HF_CHAIN_PUBLIC_SIZE]);
/* Why a seal is not the one over this span; NULL when it is. */
const char *hf_chain_seal_match(const struct hf_chain_span *span,
                                const struct hf_record_header *record);

/* A new key pair, or the one of a seed; the public key is the last 32 bytes of the secret one. */
void hf_chain_key_make(uint8_t secret_key[HF_CHAIN_SECRET_SIZE]);
void hf_chain_key_of_seed(const uint8_t seed[HF_CHAIN_SEED_SIZE],
                          uint8_t secret_key[HF_CHAIN_SECRET_SIZE]);
static inline const uint8_t *hf_chain_key_public(const uint8_t secret_key[HF_CHAIN_SECRET_SIZE])
{
    return secret_key + HF_CHAIN_SECRET_SIZE - HF_CHAIN_PUBLIC_SIZE;
}
/* False when the two halves do not belong together: no key, or a damaged one. */
bool hf_chain_key_is_whole(const uint8_t secret_key[HF_CHAIN_SECRET_SIZE]);
/* Overwrites a key that is no longer needed. */
void hf_chain_key_wipe(uint8_t secret_key[HF_CHAIN_SECRET_SIZE]);

/* Chooses the fastest hashing for this processor. Once, before many are made; again is harmless. */
void hf_chain_prepare(void);

#endif
