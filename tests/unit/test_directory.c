/* The directory against a naive list: what it answers always contains what was added. */
#include "fixture.h"

#include "engine/directory.h"

#define IDS        4000
#define ADDS       20000
#define SHARD_BITS 16

static struct hf_directory open_directory(uint64_t records, void **memory)
{
    struct hf_directory directory;
    struct hf_arena arena;

    hf_arena_open(&arena, NULL, 0);
    hf_directory_create(&directory, &arena, records);
    size_t size = arena.used;
    *memory = aligned_alloc(64, (size + 63) / 64 * 64);
    assert_non_null(*memory);
    memset(*memory, 0, size);
    hf_arena_open(&arena, *memory, size);
    hf_directory_create(&directory, &arena, records);
    assert_int_equal(arena.used, size);
    return directory;
}

static struct hf_id id_at(uint64_t time_ms, uint64_t number)
{
    return hf_id_make_operation(time_ms, 0x7000, number);
}

static void test_plain(void **state)
{
    void *memory;
    struct hf_directory directory = open_directory(1000, &memory);

    (void)state;
    assert_int_equal(hf_directory_find(&directory, id_at(5, 1)), 0);
    hf_directory_add(&directory, id_at(5, 1), 1);
    hf_directory_add(&directory, id_at(5, 1), 4);
    assert_int_equal(hf_directory_find(&directory, id_at(5, 1)), 5);
    assert_int_equal(hf_directory_find(&directory, id_at(5, 2)), 0);
    assert_int_equal(directory.count, 1);
    hf_directory_clear(&directory);
    assert_int_equal(hf_directory_find(&directory, id_at(5, 1)), 0);
    assert_int_equal(directory.count, 0);
    free(memory);
}

/* One line: the sixth id drives out the one of the earliest time, whenever that was added. */
static void test_lost(void **state)
{
    void *memory;
    struct hf_directory directory = open_directory(1, &memory);

    (void)state;
    assert_int_equal(directory.line_count, 1);
    for (uint64_t i = 0; i < HF_DIRECTORY_ENTRIES; i++)
        hf_directory_add(&directory, id_at(i == 2 ? 10 : 20 + i, i), 2);
    assert_int_equal(hf_directory_find(&directory, id_at(9, 99)), 0);
    hf_directory_add(&directory, id_at(30, 9), 8);
    assert_int_equal(hf_directory_find(&directory, id_at(30, 9)), 8);
    assert_int_equal(hf_directory_find(&directory, id_at(10, 2)), HF_DIRECTORY_ALL);
    /* Of that time, or earlier, any might have been lost; of a later one none was. */
    assert_int_equal(hf_directory_find(&directory, id_at(10, 98)), HF_DIRECTORY_ALL);
    assert_int_equal(hf_directory_find(&directory, id_at(11, 98)), 0);
    for (uint64_t i = 0; i < HF_DIRECTORY_ENTRIES; i++)
        assert_int_equal(hf_directory_find(&directory, id_at(20 + i, i)), i == 2 ? 0 : 2);
    /* What comes back may concern more than is said now. */
    hf_directory_add(&directory, id_at(10, 2), 1);
    assert_int_equal(hf_directory_find(&directory, id_at(10, 2)), HF_DIRECTORY_ALL);
    free(memory);
}

/* Whatever is added, lost and added again: nothing is ever missing from an answer. */
static void test_superset(void **state)
{
    static uint64_t added[IDS];
    uint64_t random = 1;
    uint64_t exact = 0;
    void *memory;
    struct hf_directory directory = open_directory(IDS / 8, &memory);

    (void)state;
    memset(added, 0, sizeof(added));
    for (uint32_t i = 0; i < ADDS; i++) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        uint32_t number = (uint32_t)(random >> 33) % IDS;
        uint64_t shards = UINT64_C(1) << (random >> 20) % SHARD_BITS;
        hf_directory_add(&directory, id_at(number % 777, number), shards);
        added[number] |= shards;
        uint32_t other = (uint32_t)(random >> 40) % IDS;
        uint64_t found = hf_directory_find(&directory, id_at(other % 777, other));
        assert_int_equal(found & added[other], added[other]);
        exact += found == added[other];
    }
    assert_true(exact > ADDS / 10);
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_lost),
        cmocka_unit_test(test_superset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
