/* Slices: the same hashes by every way that this processor has, of every length, as Python's
 * hashlib.blake2b has them too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wal/slice.h"

#include <sodium.h>

#define LENGTH_MAX (21 * HF_SLICE_SIZE)
#define SLICES_MAX 21

static uint8_t bytes[LENGTH_MAX];
static uint8_t hashes[SLICES_MAX + 1][HF_SLICE_HASH_SIZE];
static uint8_t expected[SLICES_MAX + 1][HF_SLICE_HASH_SIZE];

static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 7 + i / 251 + 3);
    }
    return sodium_init() < 0 ? -1 : 0;
}

/* For each length hashlib.blake2b(all slices' hashes, digest_size=32), of slices hashed by
 * hashlib.blake2b(slice, digest_size=32, person=b"holdfast slice 1"). */
static const struct {
    size_t length;
    const char *hash;
} golden[] = {
    {1, "75ffcd40e4d8f6e245a6b3ad51205cd2f540d165fd727ad4f4e4372dbbfdeea9"},
    {128, "f17189d56ef807db7ca0388d7a977ac23a51c491a7db25512150b1b5ed90692f"},
    {4096, "ce595a06538b708c1ec5f2d30d75888049977ab665770cf737588fa42076b604"},
    {4097, "94adaad8b1bd49fae8c0951b0f180094e96930748dceb540485a8914de0cfe4f"},
    {40000, "64e678efc8ef3f05d6b99ea69ade68fde088f6fb19ed514891a308e89699b008"},
};

static void check_golden(enum hf_slice_way way)
{
    for (size_t i = 0; i < sizeof golden / sizeof golden[0]; i++) {
        uint8_t hash[HF_SLICE_HASH_SIZE];
        char text[2 * sizeof hash + 1];
        hf_slice_hash_by(way, bytes, golden[i].length, hashes);
        crypto_generichash(hash, sizeof hash, hashes[0],
                           hf_slice_count(golden[i].length) * sizeof hashes[0], NULL, 0);
        sodium_bin2hex(text, sizeof text, hash, sizeof hash);
        assert_string_equal(text, golden[i].hash);
    }
}

static void check_length(enum hf_slice_way way, size_t length)
{
    size_t size = hf_slice_count(length) * sizeof hashes[0];
    memset(hashes, 0xa5, sizeof hashes);
    hf_slice_hash_by(HF_SLICE_PLAIN, bytes, length, expected);
    hf_slice_hash_by(way, bytes, length, hashes);
    assert_memory_equal(hashes, expected, size);
    /* Not a byte behind the last one. */
    assert_int_equal(hashes[hf_slice_count(length)][0], 0xa5);
    memset(hashes, 0, sizeof hashes);
    hf_slice_hash(bytes, length, hashes);
    assert_memory_equal(hashes, expected, size);
}

static void check_way(enum hf_slice_way way)
{
    if (!hf_slice_has(way)) {
        print_message("this processor has no such lanes\n");
        skip();
    }
    check_golden(way);
    /* Every length of one slice, and around the ends of groups of lanes. */
    for (size_t length = 1; length <= 2 * HF_SLICE_SIZE + 2; length += length < 300 ? 1 : 61) {
        check_length(way, length);
    }
    for (size_t slices = 1; slices < SLICES_MAX; slices++) {
        for (size_t length = slices * HF_SLICE_SIZE - 2; length <= slices * HF_SLICE_SIZE + 2;
             length++) {
            check_length(way, length);
        }
        check_length(way, slices * HF_SLICE_SIZE + 129);
    }
}

static void test_plain(void **state)
{
    (void)state;
    check_way(HF_SLICE_PLAIN);
}

static void test_four_lanes(void **state)
{
    (void)state;
    check_way(HF_SLICE_LANES_4);
}

static void test_eight_lanes(void **state)
{
    (void)state;
    check_way(HF_SLICE_LANES_8);
}

static void test_the_chosen_way(void **state)
{
    (void)state;
    hf_slice_prepare();
    for (size_t length = 1; length < LENGTH_MAX; length += 4001) {
        check_length(HF_SLICE_PLAIN, length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_four_lanes),
        cmocka_unit_test(test_eight_lanes),
        cmocka_unit_test(test_the_chosen_way),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
