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
        hf_seen_add(seen, hf_seen_home(seen, hf_id_hash(id)), hf_id_hash(id));

    memset(answer, 0, sizeof(*answer));
    answer->id = id;
    answer->place = place;
    answer->approved = place * 3;
}

static bool finds(const struct hf_seen *seen, struct hf_id id, uint64_t place)
{
    const struct hf_answer *answer =
        hf_seen_find(seen, hf_seen_home(seen, hf_id_hash(id)), id, hf_id_hash(id));

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
            ids[i] = hf_id_make_operation(1000 + i, 0, ++candidate);
        } while (hf_seen_home(&seen, hf_id_hash(ids[i])) != &seen.buckets[seen.bucket_count - 1]);
        assert_false(finds(&seen, ids[i], 0));
        add(&seen, ids[i]);
        for (uint32_t j = i % 10; j <= i; j += 10)
            assert_int_equal(finds(&seen, ids[j], j + 1), i - j < 300);
    }
    free(memory);
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
        cmocka_unit_test(test_against_list),       cmocka_unit_test(test_places_beyond_the_index),
        cmocka_unit_test(test_entries_come_round), cmocka_unit_test(test_crowded_bucket),
        cmocka_unit_test(test_floor_never_falls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
