/* The newest records in memory, against a naive list. */
#include "fixture.h"

#include "replication/recent.h"

#define SIZE    (UINT32_C(8) << 20)
#define RECORDS 60000

static _Alignas(64) uint8_t memory[SIZE];

static union {
    struct hf_record_header header;
    uint8_t bytes[HF_RECORD_LENGTH_MAX];
} record;

/* Its length and every byte follow from its index; most are short, some as long as can be. */
static void make_record(uint64_t index, uint64_t seed)
{
    uint64_t state = seed + index;
    uint64_t draw = next_random(&state);
    uint32_t longest = draw % 64 == 0 ? HF_RECORD_LENGTH_MAX : draw % 8 == 0 ? 20000 : 600;
    uint32_t length = HF_RECORD_HEADER_SIZE +
                      (uint32_t)(next_random(&state) % (longest - HF_RECORD_HEADER_SIZE + 1));

    memset(record.bytes, (int)(index % 251), length);
    record.header.index = index;
    record.header.length = length;
}

static void assert_record(const struct hf_record_header *found, uint64_t index, uint64_t seed)
{
    make_record(index, seed);
    assert_non_null(found);
    assert_int_equal((uintptr_t)found % 8, 0);
    assert_int_equal(found->index, index);
    assert_int_equal(found->length, record.header.length);
    assert_memory_equal(found, record.bytes, record.header.length);
}

/* What is kept is the newest, in one piece; what must be kept for whoever applies always is. */
static void run(uint64_t first, uint64_t seed)
{
    struct hf_recent recent;
    uint64_t applied = first - 1;
    uint64_t waits = 0;

    print_message("from record %llu, seed %llu\n", (unsigned long long)first,
                  (unsigned long long)seed);
    hf_recent_init(&recent, memory, SIZE, first);
    assert_null(hf_recent_get(&recent, first));
    assert_null(hf_recent_get(&recent, first - 1));
    for (uint64_t index = first; index < first + RECORDS; index++) {
        uint64_t state = seed ^ index;
        make_record(index, seed);
        while (!hf_recent_has_room(&recent, record.header.length, applied)) {
            assert_true(applied + 1 < index);
            assert_true(hf_recent_get(&recent, applied + 1) == hf_recent_at(&recent, applied + 1));
            assert_int_equal(hf_recent_at(&recent, applied + 1)->index, applied + 1);
            applied++;
            waits++;
        }
        hf_recent_add(&recent, &record.header);
        assert_null(hf_recent_get(&recent, index + 1));
        if (index % 16 != 0)
            continue;
        uint64_t oldest = index;
        while (oldest > first && hf_recent_get(&recent, oldest - 1) != NULL)
            oldest--;
        assert_true(oldest <= applied + 1);
        assert_true(index - oldest < HF_RECENT_RECORDS);
        assert_record(hf_recent_get(&recent, oldest), oldest, seed);
        uint64_t any = oldest + next_random(&state) % (index - oldest + 1);
        assert_record(hf_recent_get(&recent, any), any, seed);
        assert_record(hf_recent_get(&recent, index), index, seed);
        assert_null(hf_recent_get(&recent, oldest - 1));
    }
    assert_true(waits > RECORDS / 2);
}

static void test_against_list(void **state)
{
    (void)state;
    run(1, 51);
    run(UINT64_C(1) << 40, 52);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_list)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
