/* The signed chain by itself: the tree against the definition it is taken from, seals against bytes
 * that others made, and every change to a seal or a proof seen. */
#include "golden.h"
#include "log_testing.h"
#include "wal/proof.h"

#define LEAVES_MAX 70

static uint8_t secret_key[HF_CHAIN_SECRET_SIZE];

static int set_up(void **state)
{
    (void)state;
    hf_chain_prepare();
    hf_chain_key_of_seed(log_seed, secret_key);
    return 0;
}

/* ---- The tree ---- */

static void make_leaves(struct hf_chain_hash leaves[LEAVES_MAX])
{
    for (uint32_t i = 0; i < LEAVES_MAX; i++) {
        memset(&leaves[i], (int)(i + 1), sizeof leaves[i]);
    }
}

/* RFC 6962, 2.1, word by word: D[0:k] to the left, k the largest power of two below n. */
static struct hf_chain_hash plain_root(const struct hf_chain_hash *leaves, uint32_t count)
{
    if (count == 1) {
        return leaves[0];
    }
    uint32_t k = 1;
    while (2 * k < count) {
        k *= 2;
    }
    struct hf_chain_hash left = plain_root(leaves, k);
    struct hf_chain_hash right = plain_root(leaves + k, count - k);
    struct hf_chain_hash root;
    hf_chain_join(&left, &right, &root);
    return root;
}

static void test_tree_is_the_one_of_the_definition(void **state)
{
    (void)state;
    struct hf_chain_hash leaves[LEAVES_MAX];
    struct hf_chain_tree tree = {0};
    make_leaves(leaves);
    for (uint32_t count = 1; count <= LEAVES_MAX; count++) {
        struct hf_chain_hash root;
        struct hf_chain_hash expected = plain_root(leaves, count);
        hf_chain_tree_add(&tree, &leaves[count - 1]);
        hf_chain_tree_root(&tree, &root);
        assert_memory_equal(&root, &expected, sizeof root);
    }
}

static void test_paths_lead_to_the_root(void **state)
{
    (void)state;
    struct hf_chain_hash leaves[LEAVES_MAX];
    struct hf_chain_hash path[HF_CHAIN_HEIGHT_MAX];
    make_leaves(leaves);
    for (uint32_t count = 1; count <= LEAVES_MAX; count++) {
        struct hf_chain_hash expected = plain_root(leaves, count);
        for (uint32_t number = 0; number < count; number++) {
            struct hf_chain_hash root;
            uint32_t length = hf_chain_path(leaves, count, number, path);
            assert_true(hf_chain_path_root(&leaves[number], count, number, path, length, &root));
            assert_memory_equal(&root, &expected, sizeof root);
            /* As any other leaf, or in a tree of another height, it leads elsewhere or nowhere. */
            if (hf_chain_path_root(&leaves[number], count, (number + 1) % count, path, length,
                                   &root) &&
                count != 1) {
                assert_memory_not_equal(&root, &expected, sizeof root);
            }
            assert_false(
                hf_chain_path_root(&leaves[number], count, number, path, length + 1, &root));
            assert_false(hf_chain_path_root(&leaves[number], count, count, path, length, &root));
        }
    }
}

/* ---- Seals ---- */

static _Alignas(64) uint8_t records[8][512];
static _Alignas(64) uint8_t seal_bytes[512];

/* Record `number` of the golden span: record 5 and on, one transfer each. */
static struct hf_record_header *make_record(uint32_t number, struct hf_hash before)
{
    union hf_operation operation;
    struct hf_record_header *record = (struct hf_record_header *)(void *)records[number];
    log_operation(41 + number, 1, &operation);
    operation.header.length = sizeof operation.move;
    operation.header.type = HF_OP_MOVE;
    memset(&operation.move.payer, 0, sizeof operation.move - sizeof operation.header);
    operation.move.payer = (struct hf_id){.lo = 41 + number, .hi = 1};
    operation.move.payee = (struct hf_id){.lo = 42 + number, .hi = 1};
    operation.move.amount = (41 + number) * 7 + 1;
    operation.move.asset = 978;
    operation.move.reference = 1;
    memset(record, 0, sizeof records[number]);
    *record = (struct hf_record_header){
        .magic = HF_RECORD_MAGIC,
        .format = HF_RECORD_FORMAT,
        .kind = HF_RECORD_OPERATIONS,
        .length = HF_RECORD_HEADER_SIZE + sizeof operation.move,
        .count = 1,
        .cluster = log_cluster,
        .epoch = 1,
        .index = 5 + number,
        .first_place = 41 + number,
        .timestamp_ns = LOG_TIME_NS,
        .commit = 3,
        .prev_hash = before,
    };
    memcpy(record + 1, &operation, sizeof operation.move);
    hf_record_seal(record);
    return record;
}

/* The span of `count` records, and the seal over it. */
static struct hf_record_header *make_seal(uint32_t count, struct hf_chain_span *span)
{
    struct hf_hash before = {.lo = 0x0102030405060708, .hi = 0x090a0b0c0d0e0f10};
    struct hf_record_header *seal = (struct hf_record_header *)(void *)seal_bytes;
    hf_chain_span_init(span, 5, 41);
    span->previous_is_known = true;
    for (uint8_t i = 0; i < sizeof span->previous; i++) {
        span->previous.bytes[i] = i;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct hf_record_header *record = make_record(i, before);
        hf_chain_span_add(span, record);
        before = record->hash;
    }
    memset(seal_bytes, 0, sizeof seal_bytes);
    *seal = (struct hf_record_header){
        .magic = HF_RECORD_MAGIC,
        .format = HF_RECORD_FORMAT,
        .kind = HF_RECORD_SEAL,
        .length = HF_CHAIN_SEAL_LENGTH,
        .cluster = log_cluster,
        .epoch = 1,
        .index = 5 + count,
        .first_place = 41 + count,
        .timestamp_ns = LOG_TIME_NS,
        .commit = 4 + count,
        .prev_hash = before,
    };
    hf_chain_seal_make(span, seal, 3, secret_key);
    hf_record_seal(seal);
    return seal;
}

static void test_golden_seals(void **state)
{
    static const uint32_t counts[] = {0, 1, 7};
    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        uint8_t golden[1024];
        char name[32];
        struct hf_chain_span span;
        const struct hf_record_header *seal = make_seal(counts[i], &span);
        snprintf(name, sizeof name, "record-seal-%u.hex", counts[i]);
        assert_int_equal(golden_read(name, golden, sizeof golden), HF_CHAIN_SEAL_LENGTH);
        assert_memory_equal(seal, golden, HF_CHAIN_SEAL_LENGTH);
        assert_int_equal(hf_record_check(seal, 512, 512, log_cluster, NULL), HF_RECORD_GOOD);
        assert_null(hf_chain_seal_check(seal, hf_chain_key_public(secret_key)));
        assert_null(hf_chain_seal_match(&span, seal));
        /* It has no operations, whatever its body looks like. */
        uint32_t offset = 0;
        assert_null(hf_record_next(seal, &offset));
    }
}

/* A record of several slices; the smaller ones above have one. */
static void test_golden_leaf(void **state)
{
    static _Alignas(64) uint8_t bytes[20000];
    struct hf_record_header *record = (struct hf_record_header *)(void *)bytes;
    struct hf_chain_hash leaf;
    uint8_t golden[64];
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 7 + i / 251 + 3);
    }
    record->length = sizeof bytes;
    hf_chain_leaf(record, &leaf);
    assert_int_equal(golden_read("record-leaf.hex", golden, sizeof golden), sizeof leaf);
    assert_memory_equal(&leaf, golden, sizeof leaf);
}

/* What the signature covers, with the record's own hash made right again after each change: a
 * forger can do that. The hash and the one before it are the record chain's to judge. */
static void test_no_bit_of_a_seal_can_be_forged(void **state)
{
    (void)state;
    struct hf_chain_span span;
    struct hf_record_header *seal = make_seal(7, &span);
    for (uint32_t bit = 16 * 8; bit < HF_CHAIN_SEAL_LENGTH * 8; bit++) {
        uint32_t byte = bit / 8;
        if (byte >= offsetof(struct hf_record_header, prev_hash) &&
            byte < offsetof(struct hf_record_header, reserved)) {
            continue;
        }
        seal_bytes[byte] ^= (uint8_t)(1u << (bit % 8));
        if (seal->length == HF_CHAIN_SEAL_LENGTH) {
            hf_record_seal(seal);
        }
        bool caught = hf_record_check(seal, 512, 512, log_cluster, NULL) != HF_RECORD_GOOD;
        if (!caught && seal->kind == HF_RECORD_SEAL) {
            caught = hf_chain_seal_check(seal, hf_chain_key_public(secret_key)) != NULL;
        }
        if (!caught) {
            print_error("byte %u of a seal can be forged\n", byte);
        }
        assert_true(caught);
        seal_bytes[byte] ^= (uint8_t)(1u << (bit % 8));
    }
    hf_record_seal(seal);
    assert_null(hf_chain_seal_check(seal, hf_chain_key_public(secret_key)));
}

static void test_another_signer(void **state)
{
    (void)state;
    uint8_t other[HF_CHAIN_SECRET_SIZE];
    struct hf_chain_span span;
    struct hf_record_header *seal = make_seal(3, &span);
    hf_chain_key_make(other);
    assert_true(hf_chain_key_is_whole(other));
    hf_chain_seal_make(&span, seal, 3, other);
    assert_string_equal(hf_chain_seal_check(seal, hf_chain_key_public(secret_key)),
                        "is signed by another key");
    /* By itself it holds: whose key it is, is for somebody else to know. */
    assert_null(hf_chain_seal_check(seal, NULL));
    other[40] ^= 1;
    assert_false(hf_chain_key_is_whole(other));
    hf_chain_key_wipe(other);
    assert_true(hf_bytes_are_zero(other, sizeof other));
}

static void test_another_span(void **state)
{
    (void)state;
    struct hf_chain_span span;
    const struct hf_record_header *seal = make_seal(5, &span);
    struct hf_chain_span other = span;
    other.previous.bytes[0] ^= 1;
    assert_string_equal(hf_chain_seal_match(&other, seal), "does not follow the seal before");
    other.previous_is_known = false;
    assert_null(hf_chain_seal_match(&other, seal));
    other = span;
    other.first_index--;
    assert_non_null(hf_chain_seal_match(&other, seal));
    other = span;
    other.first_place++;
    assert_non_null(hf_chain_seal_match(&other, seal));
    /* The same records, but one changed after it was written. */
    hf_chain_span_init(&other, 5, 41);
    for (uint32_t i = 0; i < 5; i++) {
        records[i][HF_RECORD_HEADER_SIZE + 64] ^= i == 2 ? 1 : 0;
        hf_chain_span_add(&other, (const struct hf_record_header *)(const void *)records[i]);
    }
    assert_string_equal(hf_chain_seal_match(&other, seal),
                        "is over records of other bytes than those before it");
}

/* ---- Proofs ---- */

static _Alignas(8) uint8_t proof_bytes[4096];

/* The proof of the operation in record `number` of seven. */
static size_t make_proof(uint32_t number, const char *note)
{
    struct hf_chain_hash leaves[7];
    struct hf_chain_hash path[HF_CHAIN_HEIGHT_MAX];
    struct hf_chain_span span;
    const struct hf_record_header *seal = make_seal(7, &span);
    const struct hf_record_header *record =
        (const struct hf_record_header *)(const void *)records[number];
    uint32_t offset = 0;
    for (uint32_t i = 0; i < 7; i++) {
        hf_chain_leaf((const struct hf_record_header *)(const void *)records[i], &leaves[i]);
    }
    struct hf_proof proof = {
        .place = record->first_place,
        .operation = hf_record_next(record, &offset),
        .record = record,
        .seal = seal,
        .path = path,
        .path_count = hf_chain_path(leaves, 7, number, path),
        .note = note,
        .note_length = (uint32_t)strlen(note),
    };
    assert_true(hf_proof_size(&proof) <= sizeof proof_bytes);
    hf_proof_write(&proof, proof_bytes);
    return hf_proof_size(&proof);
}

static void test_proofs(void **state)
{
    (void)state;
    for (uint32_t number = 0; number < 7; number++) {
        struct hf_proof proof;
        size_t length = make_proof(number, "[\"paid\"]");
        assert_null(hf_proof_check(proof_bytes, length, hf_chain_key_public(secret_key), &proof));
        assert_int_equal(proof.place, 41 + number);
        assert_int_equal(proof.operation->move.amount, (41 + number) * 7 + 1);
        assert_int_equal(proof.note_length, 8);
        assert_memory_equal(proof.note, "[\"paid\"]", 8);
        assert_null(hf_proof_check(proof_bytes, length, NULL, &proof));
        assert_non_null(hf_proof_check(proof_bytes, length, log_seed, &proof));
    }
}

static void test_golden_proof(void **state)
{
    (void)state;
    uint8_t golden[2048];
    size_t length = make_proof(4, "[\"paid\"]");
    assert_int_equal(golden_read("proof.hex", golden, sizeof golden), length);
    assert_memory_equal(proof_bytes, golden, length);
}

/* Nothing but the note can be changed, and nothing cut off or added. */
static void test_no_bit_of_a_proof_can_be_changed(void **state)
{
    (void)state;
    struct hf_proof proof;
    const uint8_t *key = hf_chain_key_public(secret_key);
    size_t length = make_proof(4, "");
    for (size_t bit = 0; bit < length * 8; bit++) {
        proof_bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        if (hf_proof_check(proof_bytes, length, key, &proof) == NULL) {
            print_error("bit %zu of byte %zu can be changed\n", bit % 8, bit / 8);
            fail();
        }
        proof_bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    for (size_t cut = 0; cut < length; cut++) {
        assert_non_null(hf_proof_check(proof_bytes, cut, key, &proof));
    }
    assert_non_null(hf_proof_check(proof_bytes, length + 8, key, &proof));
    assert_null(hf_proof_check(proof_bytes, length, key, &proof));
    make_proof(4, "approved");
    proof_bytes[length] ^= 1;
    assert_null(hf_proof_check(proof_bytes, length + 8, key, &proof));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree_is_the_one_of_the_definition),
        cmocka_unit_test(test_paths_lead_to_the_root),
        cmocka_unit_test(test_golden_seals),
        cmocka_unit_test(test_golden_leaf),
        cmocka_unit_test(test_no_bit_of_a_seal_can_be_forged),
        cmocka_unit_test(test_another_signer),
        cmocka_unit_test(test_another_span),
        cmocka_unit_test(test_proofs),
        cmocka_unit_test(test_golden_proof),
        cmocka_unit_test(test_no_bit_of_a_proof_can_be_changed),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
