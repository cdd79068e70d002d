#include "chain.h"
#include "slice.h"

#include <assert.h>
#include <sodium.h>

_Static_assert(HF_CHAIN_PUBLIC_SIZE == crypto_sign_PUBLICKEYBYTES, "Ed25519 public key");
_Static_assert(HF_CHAIN_SECRET_SIZE == crypto_sign_SECRETKEYBYTES, "Ed25519 secret key");
_Static_assert(HF_CHAIN_SIGNATURE_SIZE == crypto_sign_BYTES, "Ed25519 signature");
_Static_assert(HF_CHAIN_SEED_SIZE == crypto_sign_SEEDBYTES, "Ed25519 seed");
_Static_assert(sizeof(HF_CHAIN_TAG) - 1 == sizeof((struct hf_chain_link *)0)->tag, "tag");

/* A leaf never has the bytes of an inner node: their first bytes differ (RFC 6962, 2.1). */
static const uint8_t leaf_prefix = 0;
static const uint8_t node_prefix = 1;

void hf_chain_prepare(void)
{
    int status = sodium_init();
    assert(status >= 0);
    hf_slice_prepare();
}

/* ---- Hashing ---- */

static void hash_parts(const void *first, size_t first_length, const void *second,
                       size_t second_length, struct hf_chain_hash *hash)
{
    crypto_generichash_state state;
    int failed = crypto_generichash_init(&state, NULL, 0, sizeof hash->bytes);
    failed |= crypto_generichash_update(&state, first, first_length);
    failed |= crypto_generichash_update(&state, second, second_length);
    failed |= crypto_generichash_final(&state, hash->bytes, sizeof hash->bytes);
    assert(failed == 0);
}

void hf_chain_leaf(const struct hf_record_header *record, struct hf_chain_hash *leaf)
{
    assert(record->length >= HF_RECORD_HEADER_SIZE);
    assert(record->length <= HF_RECORD_LENGTH_MAX);
    uint8_t slices[HF_RECORD_LENGTH_MAX / HF_SLICE_SIZE][HF_SLICE_HASH_SIZE];
    hf_slice_hash(record, record->length, slices);
    hash_parts(&leaf_prefix, sizeof leaf_prefix, slices,
               hf_slice_count(record->length) * sizeof slices[0], leaf);
}

void hf_chain_join(const struct hf_chain_hash *left, const struct hf_chain_hash *right,
                   struct hf_chain_hash *node)
{
    uint8_t bytes[1 + 2 * sizeof(struct hf_chain_hash)];
    bytes[0] = node_prefix;
    memcpy(bytes + 1, left, sizeof *left);
    memcpy(bytes + 1 + sizeof *left, right, sizeof *right);
    int failed = crypto_generichash(node->bytes, sizeof node->bytes, bytes, sizeof bytes, NULL, 0);
    assert(failed == 0);
}

/* ---- The tree ---- */

/* Like counting in binary: a carry joins two subtrees of one height into the next. */
void hf_chain_tree_add(struct hf_chain_tree *tree, const struct hf_chain_hash *leaf)
{
    struct hf_chain_hash whole = *leaf;
    uint32_t height = 0;
    for (; (tree->leaf_count >> height & 1) != 0; height++) {
        hf_chain_join(&tree->peaks[height], &whole, &whole);
    }
    assert(height < HF_CHAIN_HEIGHT_MAX);
    tree->peaks[height] = whole;
    tree->leaf_count++;
}

void hf_chain_tree_root(const struct hf_chain_tree *tree, struct hf_chain_hash *root)
{
    bool found = false;
    for (uint32_t height = 0; height < HF_CHAIN_HEIGHT_MAX; height++) {
        if ((tree->leaf_count >> height & 1) == 0) {
            continue;
        }
        if (found) {
            hf_chain_join(&tree->peaks[height], root, root);
        } else {
            *root = tree->peaks[height];
        }
        found = true;
    }
    if (!found) {
        hash_parts(NULL, 0, NULL, 0, root);
    }
}

/* The size of the left subtree: the largest power of two below `count`, which is at least 2. */
static uint64_t left_size(uint64_t count)
{
    assert(count >= 2);
    return UINT64_C(1) << (63 - __builtin_clzll(count - 1));
}

static void subtree_root(const struct hf_chain_hash leaves[], uint64_t count,
                         struct hf_chain_hash *root)
{
    struct hf_chain_tree tree = {0};
    for (uint64_t i = 0; i < count; i++) {
        hf_chain_tree_add(&tree, &leaves[i]);
    }
    hf_chain_tree_root(&tree, root);
}

uint32_t hf_chain_path(const struct hf_chain_hash leaves[], uint64_t count, uint64_t number,
                       struct hf_chain_hash path[])
{
    assert(number < count);
    uint32_t length = 0;
    /* From the top down to the leaf, noting at each step the root of the side not taken. */
    while (count > 1) {
        uint64_t left = left_size(count);
        assert(length < HF_CHAIN_HEIGHT_MAX);
        if (number < left) {
            subtree_root(leaves + left, count - left, &path[length++]);
            count = left;
        } else {
            subtree_root(leaves, left, &path[length++]);
            leaves += left;
            number -= left;
            count -= left;
        }
    }
    for (uint32_t i = 0; i < length / 2; i++) {
        struct hf_chain_hash swapped = path[i];
        path[i] = path[length - 1 - i];
        path[length - 1 - i] = swapped;
    }
    return length;
}

bool hf_chain_path_root(const struct hf_chain_hash *leaf, uint64_t count, uint64_t number,
                        const struct hf_chain_hash path[], uint32_t path_count,
                        struct hf_chain_hash *root)
{
    bool is_left[HF_CHAIN_HEIGHT_MAX];
    uint32_t height = 0;
    if (number >= count || count >> HF_CHAIN_HEIGHT_MAX != 0) {
        return false;
    }
    for (uint64_t at = number; count > 1; height++) {
        uint64_t left = left_size(count);
        is_left[height] = at < left;
        at -= is_left[height] ? 0 : left;
        count = is_left[height] ? left : count - left;
    }
    if (height != path_count) {
        return false;
    }
    *root = *leaf;
    for (uint32_t i = 0; i < path_count; i++) {
        if (is_left[height - 1 - i]) {
            hf_chain_join(root, &path[i], root);
        } else {
            hf_chain_join(&path[i], root, root);
        }
    }
    return true;
}

/* ---- Spans and seals ---- */

void hf_chain_span_init(struct hf_chain_span *span, uint64_t first_index, uint64_t first_place)
{
    assert(first_index >= 1);
    assert(first_place >= 1);
    memset(span, 0, sizeof *span);
    span->first_index = first_index;
    span->first_place = first_place;
    span->previous_is_known = first_index == 1;
}

void hf_chain_span_add(struct hf_chain_span *span, const struct hf_record_header *record)
{
    struct hf_chain_hash leaf;
    assert(record->kind != HF_RECORD_SEAL);
    assert(record->index == span->first_index + span->tree.leaf_count);
    hf_chain_leaf(record, &leaf);
    hf_chain_tree_add(&span->tree, &leaf);
}

void hf_chain_span_next(struct hf_chain_span *span, const struct hf_record_header *seal)
{
    assert(seal->kind == HF_RECORD_SEAL);
    hf_chain_span_init(span, seal->index + 1, seal->first_place);
    span->previous = hf_chain_seal_of(seal)->chain;
    span->previous_is_known = true;
}

static void chain_value(const struct hf_record_header *record, struct hf_chain_hash *chain)
{
    const struct hf_chain_seal *seal = hf_chain_seal_of(record);
    struct hf_chain_link link = {
        .cluster = record->cluster,
        .node = seal->node,
        .epoch = record->epoch,
        .first_index = seal->first_index,
        .last_index = record->index - 1,
        .first_place = seal->first_place,
        .next_place = record->first_place,
        .timestamp_ns = record->timestamp_ns,
        .commit = record->commit,
        .previous = seal->previous,
        .root = seal->root,
    };
    memcpy(link.tag, HF_CHAIN_TAG, sizeof link.tag);
    int failed = crypto_generichash(chain->bytes, sizeof chain->bytes, (const uint8_t *)&link,
                                    sizeof link, NULL, 0);
    assert(failed == 0);
}

void hf_chain_seal_make(const struct hf_chain_span *span, struct hf_record_header *record,
                        uint32_t node, const uint8_t secret_key[HF_CHAIN_SECRET_SIZE])
{
    struct hf_chain_seal *seal = (struct hf_chain_seal *)(void *)(record + 1);
    assert(record->kind == HF_RECORD_SEAL);
    assert(record->length == HF_CHAIN_SEAL_LENGTH);
    assert(record->index == span->first_index + span->tree.leaf_count);
    assert(span->previous_is_known);
    memset(seal, 0, sizeof *seal);
    seal->first_index = span->first_index;
    seal->first_place = span->first_place;
    seal->node = node;
    seal->previous = span->previous;
    hf_chain_tree_root(&span->tree, &seal->root);
    chain_value(record, &seal->chain);
    memcpy(seal->public_key, hf_chain_key_public(secret_key), sizeof seal->public_key);
    int failed = crypto_sign_detached(seal->signature, NULL, seal->chain.bytes,
                                      sizeof seal->chain.bytes, secret_key);
    assert(failed == 0);
}

const char *hf_chain_seal_check(const struct hf_record_header *record,
                                const uint8_t public_key[HF_CHAIN_PUBLIC_SIZE])
{
    const struct hf_chain_seal *seal = hf_chain_seal_of(record);
    struct hf_chain_hash chain;
    assert(record->kind == HF_RECORD_SEAL);
    if (seal->first_index == 0 || seal->first_index > record->index || seal->first_place == 0 ||
        seal->first_place > record->first_place || seal->reserved != 0) {
        return "makes no sense";
    }
    if (public_key != NULL && memcmp(seal->public_key, public_key, sizeof seal->public_key) != 0) {
        return "is signed by another key";
    }
    chain_value(record, &chain);
    if (!hf_chain_hash_equal(&chain, &seal->chain)) {
        return "has a chain value that does not follow from it";
    }
    if (crypto_sign_verify_detached(seal->signature, seal->chain.bytes, sizeof seal->chain.bytes,
                                    seal->public_key) != 0) {
        return "has a signature that is not its key's";
    }
    return NULL;
}

const char *hf_chain_seal_match(const struct hf_chain_span *span,
                                const struct hf_record_header *record)
{
    const struct hf_chain_seal *seal = hf_chain_seal_of(record);
    struct hf_chain_hash root;
    assert(record->kind == HF_RECORD_SEAL);
    if (seal->first_index != span->first_index || seal->first_place != span->first_place ||
        record->index != span->first_index + span->tree.leaf_count) {
        return "is over other records than those since the seal before";
    }
    if (span->previous_is_known && !hf_chain_hash_equal(&seal->previous, &span->previous)) {
        return "does not follow the seal before";
    }
    hf_chain_tree_root(&span->tree, &root);
    if (!hf_chain_hash_equal(&root, &seal->root)) {
        return "is over records of other bytes than those before it";
    }
    return NULL;
}

/* ---- Keys ---- */

void hf_chain_key_of_seed(const uint8_t seed[HF_CHAIN_SEED_SIZE],
                          uint8_t secret_key[HF_CHAIN_SECRET_SIZE])
{
    uint8_t public_key[HF_CHAIN_PUBLIC_SIZE];
    int failed = crypto_sign_seed_keypair(public_key, secret_key, seed);
    assert(failed == 0);
}

void hf_chain_key_make(uint8_t secret_key[HF_CHAIN_SECRET_SIZE])
{
    uint8_t seed[HF_CHAIN_SEED_SIZE];
    hf_chain_prepare();
    randombytes_buf(seed, sizeof seed);
    hf_chain_key_of_seed(seed, secret_key);
    sodium_memzero(seed, sizeof seed);
}

bool hf_chain_key_is_whole(const uint8_t secret_key[HF_CHAIN_SECRET_SIZE])
{
    uint8_t again[HF_CHAIN_SECRET_SIZE];
    hf_chain_key_of_seed(secret_key, again); /* which begins with its seed */
    bool whole = sodium_memcmp(again, secret_key, sizeof again) == 0;
    sodium_memzero(again, sizeof again);
    return whole;
}

void hf_chain_key_wipe(uint8_t secret_key[HF_CHAIN_SECRET_SIZE])
{
    sodium_memzero(secret_key, HF_CHAIN_SECRET_SIZE);
}
