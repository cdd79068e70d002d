/* The memory of answers against a naive list: what is found, what is forgotten, where the floor is.
 */
#include "fixture.h"

#include "engine/seen.h"

static void *open_seen(struct hf_seen *seen, uint64_t capacity)
{
    struct hf_arena arena;

    memset(seen, 0, sizeof(*seen));
    hf_arena_open(&arena, NULL, 0);
    hf_seen_create(seen, &arena, capacity);
    size_t size = arena.used;
    void *memory = aligned_alloc(64, size);
    assert_non_null(memory);
    memset(memory, 0, size);
    hf_arena_open(&arena, memory, size);
    hf_seen_create(seen, &arena, capacity);
    return memory;
}

static void add(struct hf_seen *seen, struct hf_id id)
{
    uint64_t place = seen->next_place;
    struct hf_answer *answer =
        hf_seen_add(seen, hf_seen_home(seen, id, hf_id_hash(id)), hf_id_hash(id));

    memset(answer, 0, sizeof(*answer));
    answer->id = id;
    answer->place = place;
    answer->approved = place * 3;
}

static bool finds(const struct hf_seen *seen, struct hf_id id, uint64_t place)
{
    const struct hf_answer *answer =
        hf_seen_find(seen, hf_seen_home(seen, id, hf_id_hash(id)), id, hf_id_hash(id));

    if (answer == NULL)
        return false;
    assert_true(hf_id_equal(answer->id, id));
    assert_int_equal(answer->place, place);
    assert_int_equal(answer->approved, place * 3);
    assert_ptr_equal(answer, hf_seen_at(seen, place));
    return true;
}

static void run_against_list(uint64_t capacity, uint32_t id_count, uint64_t first_place,
                             uint64_t seed)
{
    struct hf_seen seen;
    void *memory = open_seen(&seen, capacity);
    struct hf_id *ids = calloc(id_count, sizeof(*ids)); /* the oracle: by place */
    uint64_t floor_ms = 0;

    assert_non_null(ids);
    print_message("capacity %llu seed %llu\n", (unsigned long long)capacity,
                  (unsigned long long)seed);
    hf_seen_start_after(&seen, first_place - 1, 0);
    for (uint32_t i = 0; i < id_count; i++) {
        uint64_t time_ms = 1000 + i / 2 + next_random(&seed) % 40;
        ids[i] = hf_id_make_operation(time_ms, 1, i);
        assert_false(finds(&seen, ids[i], 0));
        if (i >= capacity) {
            uint64_t above_ms = hf_id_time_ms(ids[i - capacity]) + 1;
            floor_ms = above_ms > floor_ms ? above_ms : floor_ms;
        }
        add(&seen, ids[i]);
        assert_int_equal(seen.floor_ms, floor_ms);
        assert_int_equal(seen.count, i + 1 < capacity ? i + 1 : capacity);
        assert_true(finds(&seen, ids[i], first_place + i));
        uint32_t other = (uint32_t)(next_random(&seed) % (i + 1));
        bool is_remembered = i - other < capacity;
        assert_int_equal(finds(&seen, ids[other], first_place + other), is_remembered);
        if (i >= capacity)
            assert_false(finds(&seen, ids[i - capacity], 0));
        if (i >= capacity - 1)
            assert_true(finds(&seen, ids[i + 1 - capacity], first_place + i + 1 - capacity));
    }
    free(ids);
    free(memory);
}

static void test_against_list(void **state)
{
    (void)state;
    run_against_list(1, 200, 1, 21);
    run_against_list(2, 200, 1, 22);
    run_against_list(7, 1000, 1, 23);
    run_against_list(64, 5000, 1, 24);
    run_against_list(1000, 20000, 1, 25);
    run_against_list(5000, 50000, 123456789, 26);
}

/* Places over 2^48 lose their upper bits in the index, and old entries seem alive again there. */
static void test_places_beyond_the_index(void **state)
{
    (void)state;
    run_against_list(50, 5000, (UINT64_C(1) << 48) - 1000, 27);
    run_against_list(3, 500, (UINT64_C(3) << 48) - 20, 28);
    run_against_list(64, 500, UINT64_MAX - 1000, 29);
}

/* After exactly 2^48 operations every entry that nothing has overwritten seems alive again. */
static void test_entries_come_round(void **state)
{
    struct hf_seen seen;
    void *memory = open_seen(&seen, 100);

    (void)state;
    for (uint32_t i = 0; i < 100; i++)
        add(&seen, hf_id_make_operation(1000, 0, i));
    seen.next_place += UINT64_C(1) << 48;

    seen.oldest_entry = seen.next_place << HF_SEEN_PLACE_SHIFT;
    seen.entry_span = 0;
    seen.count = 0;
    for (uint32_t i = 0; i < 300; i++) {
        struct hf_id id = hf_id_make_operation(2000, 0, i);
        assert_false(finds(&seen, id, 0));
        add(&seen, id);
        for (uint32_t j = 0; j <= i; j++)
            assert_int_equal(
                finds(&seen, hf_id_make_operation(2000, 0, j), (UINT64_C(1) << 48) + 101 + j),
                i - j < 100);
    }
    free(memory);
}

/* Ids that all want one bucket: the index must pass them on, and forget on the way. */
static void test_crowded_bucket(void **state)
{
    struct hf_seen seen;
    void *memory = open_seen(&seen, 300);
    static struct hf_id ids[1500];
    uint64_t candidate = 0;

    (void)state;
    assert_true(seen.bucket_count > 50);
    for (uint32_t i = 0; i < 1500; i++) {
        do {
            ids[i] =
                hf_id_make_operation((i + 2) * (uint64_t)seen.window_count - 1, 0, ++candidate);
        } while (hf_seen_home(&seen, ids[i], hf_id_hash(ids[i])) !=
                 &seen.buckets[seen.bucket_count - 1]);
        assert_false(finds(&seen, ids[i], 0));
        add(&seen, ids[i]);
        for (uint32_t j = i % 10; j <= i; j += 10)
            assert_int_equal(finds(&seen, ids[j], j + 1), i - j < 300);
    }
    free(memory);
}

/* A file of ids made in one millisecond, more than its window has room for: all are remembered. */
static void test_crowded_millisecond(void **state)
{
    enum { CAPACITY = 100000, IDS = 250000 };
    struct hf_seen seen;
    void *memory = open_seen(&seen, CAPACITY);
    uint32_t in_use = 0;

    (void)state;
    assert_true(HF_SEEN_BUCKET_ENTRIES * seen.window_buckets < CAPACITY / 3);
    for (uint32_t i = 0; i < IDS; i++) {
        struct hf_id id = hf_id_make_operation(77, 0, i * UINT64_C(0x9e3779b97f4a7c15));
        assert_false(finds(&seen, id, 0));
        add(&seen, id);
        assert_true(finds(&seen, id, i + 1));
        for (uint32_t back = 1; back <= CAPACITY && back <= i; back *= 3) {
            id.lo = (i - back) * UINT64_C(0x9e3779b97f4a7c15);
            assert_int_equal(finds(&seen, id, i - back + 1), back < CAPACITY);
        }
    }
    /* And they lie everywhere, not in a heap. */
    for (uint32_t i = 0; i < seen.bucket_count; i++) {
        bool is_used = false;
        for (uint32_t k = 0; k < HF_SEEN_BUCKET_ENTRIES; k++)
            is_used |= hf_seen_is_alive(&seen, seen.buckets[i].entries[k]);
        in_use += is_used;
    }
    assert_true(in_use > seen.bucket_count / 2);
    free(memory);
}

/* Every time names a window, successive ones follow each other, and one bucket of it each hash. */
static void test_windows(void **state)
{
    static const uint64_t capacities[] = {1,     2,     7,      8190,   8192,
                                          16382, 16384, 130000, 131072, 1000003};

    (void)state;
    for (size_t i = 0; i < sizeof(capacities) / sizeof(capacities[0]); i++) {
        struct hf_seen seen;
        void *memory = open_seen(&seen, capacities[i]);
        assert_true(seen.bucket_count > capacities[i] / 2);
        assert_int_equal(seen.bucket_count, seen.window_count * seen.window_buckets);
        assert_true(seen.bucket_count < capacities[i] / 2 + 1 + seen.window_count);
        assert_true(seen.window_count == 1 || seen.window_buckets >= 4096);
        for (uint64_t step = 0; step < 4000; step++) {
            /* The last ones are those of the largest times there are, and round 2^32. */
            uint64_t time_ms = step < 2000   ? step * step * 977
                               : step < 3000 ? (UINT64_C(1) << 48) - 1 - step
                                             : (UINT64_C(1) << 32) - 3500 + step;
            struct hf_id id = hf_id_make_operation(time_ms, 0, step);
            uint64_t bucket = (uint64_t)(hf_seen_home(&seen, id, UINT64_MAX) - seen.buckets);
            uint64_t window = (uint32_t)time_ms % seen.window_count;
            assert_int_equal(bucket, (window + 1) * seen.window_buckets - 1);
            assert_int_equal(hf_seen_home(&seen, id, 0) - seen.buckets,
                             window * seen.window_buckets);
        }
        free(memory);
    }
}

static void test_floor_never_falls(void **state)
{
    struct hf_seen seen;
    void *memory = open_seen(&seen, 2);

    (void)state;
    hf_seen_start_after(&seen, 10, 500);
    add(&seen, hf_id_make_operation(900, 0, 1));
    add(&seen, hf_id_make_operation(100, 0, 2));
    assert_int_equal(seen.floor_ms, 500);
    add(&seen, hf_id_make_operation(100, 0, 3));
    assert_int_equal(seen.floor_ms, 901);
    add(&seen, hf_id_make_operation(100, 0, 4));
    assert_int_equal(seen.floor_ms, 901);
    assert_int_equal(hf_seen_oldest(&seen), 13);
    assert_int_equal(seen.next_place, 15);
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_list),        cmocka_unit_test(test_places_beyond_the_index),
        cmocka_unit_test(test_entries_come_round),  cmocka_unit_test(test_crowded_bucket),
        cmocka_unit_test(test_crowded_millisecond), cmocka_unit_test(test_windows),
        cmocka_unit_test(test_floor_never_falls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
