/* The table of lines against a naive list, and its corners: full, stuck overflow counts, walks. */
#include "fixture.h"

#include "engine/table.h"

#define MODEL_MAX 2000

struct line {
    struct hf_id key;
    uint64_t value;
    uint64_t rest[4];
    uint32_t last;
    uint8_t guides[HF_TABLE_GUIDES]; /* the table's own */
};

struct world {
    struct hf_table table;
    void *memory;
    struct hf_id keys[MODEL_MAX]; /* the oracle: a plain list */
    uint64_t values[MODEL_MAX];
    uint32_t slots[MODEL_MAX];
    uint32_t count;
};

static void open_world(struct world *world, uint64_t capacity)
{
    struct hf_arena arena;

    memset(world, 0, sizeof(*world));
    hf_arena_open(&arena, NULL, 0);
    hf_table_create(&world->table, &arena, capacity);
    size_t size = arena.used;
    world->memory = aligned_alloc(64, size);
    assert_non_null(world->memory);
    memset(world->memory, 0, size);
    hf_arena_open(&arena, world->memory, size);
    hf_table_create(&world->table, &arena, capacity);
    assert_int_equal(arena.used, size);
}

static struct line *line_at(const struct world *world, uint32_t slot)
{
    return hf_table_line(&world->table, slot);
}

static void insert(struct world *world, struct hf_id key, uint64_t value)
{
    uint32_t slot = hf_table_insert(&world->table, key, hf_id_hash(key));

    if (world->count == world->table.capacity) {
        assert_int_equal(slot, HF_TABLE_NONE);
        return;
    }
    assert_int_not_equal(slot, HF_TABLE_NONE);
    assert_int_equal(line_at(world, slot)->value, 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(line_at(world, slot)->rest[i], 0);
        line_at(world, slot)->rest[i] = value;
    }
    assert_int_equal(line_at(world, slot)->last, 0);
    line_at(world, slot)->last = (uint32_t)value;
    line_at(world, slot)->value = value;
    world->keys[world->count] = key;
    world->values[world->count] = value;
    world->slots[world->count] = slot;
    world->count++;
}

static void delete (struct world *world, uint32_t index)
{
    hf_table_delete(&world->table, world->slots[index]);
    world->count--;
    world->keys[index] = world->keys[world->count];
    world->values[index] = world->values[world->count];
    world->slots[index] = world->slots[world->count];
}

static bool knows(const struct world *world, struct hf_id key)
{
    for (uint32_t i = 0; i < world->count; i++) {
        if (hf_id_equal(world->keys[i], key))
            return true;
    }
    return false;
}

/* Every key the list has is found where it was put, by every way of looking. */
static void compare_all(const struct world *world)
{
    uint32_t walked = 0;

    assert_int_equal(world->table.count, world->count);
    for (uint32_t i = 0; i < world->count; i++) {
        uint64_t hash = hf_id_hash(world->keys[i]);
        uint32_t slot = hf_table_find(&world->table, world->keys[i], hash);
        assert_int_equal(slot, world->slots[i]);
        void *guess = hf_table_guess(&world->table, hash, hf_table_home(&world->table, hash));
        assert_ptr_equal(hf_table_find_at(&world->table, world->keys[i], hash, guess),
                         line_at(world, slot));
        assert_ptr_equal(hf_table_find_at(&world->table, world->keys[i], hash, NULL),
                         line_at(world, slot));
        assert_int_equal(hf_table_slot(&world->table, line_at(world, slot)), slot);
        assert_int_equal(line_at(world, slot)->value, world->values[i]);
        assert_int_equal(line_at(world, slot)->rest[3], world->values[i]);
        assert_int_equal(line_at(world, slot)->last, (uint32_t)world->values[i]);
    }
    for (uint32_t i = 0; i < world->count; i++) {
        uint64_t hash = hf_id_hash(world->keys[i]);
        void *home = hf_table_home_line(&world->table, hash);
        const void *line = hf_table_follow(world->keys[i], hash, home);
        /* Somewhere in the table; and where the key is found there, it is the key's line. */
        assert_true(hf_table_slot(&world->table, line) < world->table.line_count);
        if (hf_table_is_at(world->keys[i], line))
            assert_ptr_equal(line, line_at(world, world->slots[i]));
    }
    for (uint32_t slot = hf_table_next(&world->table, 0); slot != HF_TABLE_NONE;
         slot = hf_table_next(&world->table, slot + 1)) {
        assert_true(knows(world, hf_table_key(&world->table, slot)));
        walked++;
    }
    assert_int_equal(walked, world->count);
}

static void run_random(uint64_t capacity, uint64_t key_space, uint64_t seed)
{
    struct world *world = calloc(1, sizeof(*world));

    assert_non_null(world);
    print_message("capacity %llu seed %llu\n", (unsigned long long)capacity,
                  (unsigned long long)seed);
    open_world(world, capacity);
    for (uint64_t step = 1; step <= 20000; step++) {
        struct hf_id key = {1 + next_random(&seed) % key_space, 3};
        uint64_t hash = hf_id_hash(key);
        bool is_known = knows(world, key);
        /* By turns mostly growing and mostly shrinking, so that it is full and empty often. */
        bool grows = next_random(&seed) % 10 < (step / 2500 % 2 == 0 ? 8 : 2);
        assert_int_equal(hf_table_find(&world->table, key, hash) != HF_TABLE_NONE, is_known);
        if (grows && !is_known)
            insert(world, key, step);
        else if (!grows && world->count > 0)
            delete (world, (uint32_t)(next_random(&seed) % world->count));
        if (step % 500 == 0)
            compare_all(world);
    }
    while (world->count > 0)
        delete (world, 0);
    compare_all(world);
    /* What the inserts counted, the deletes took back: but for counts that stuck. */
    for (uint32_t group = 0; group < world->table.group_count; group++) {
        assert_true(world->table.groups[group].overflow == 0 ||
                    world->table.groups[group].overflow == 255);
    }
    free(world->memory);
    free(world);
}

static void test_random_against_list(void **state)
{
    (void)state;
    run_random(1, 3, 11);
    run_random(12, 30, 12);
    run_random(13, 40, 13);
    run_random(100, 150, 14);
    run_random(1000, 1500, 15);
}

static void test_full_and_only_then(void **state)
{
    struct world *world = calloc(1, sizeof(*world));

    (void)state;
    assert_non_null(world);
    for (uint64_t capacity = 1; capacity <= 200; capacity++) {
        open_world(world, capacity);
        for (uint64_t i = 1; i <= capacity + 2; i++)
            insert(world, (struct hf_id){i, capacity}, i);
        assert_int_equal(world->count, capacity);
        delete (world, 0);
        insert(world, (struct hf_id){12345, 6}, 1);
        assert_int_equal(world->count, capacity);
        compare_all(world);
        free(world->memory);
    }
    free(world);
}

/* The n-th id, from a start on, that lives in the wanted group. */
static struct hf_id id_of_group(const struct hf_table *table, uint32_t group, uint64_t *start)
{
    for (;; (*start)++) {
        struct hf_id id = {*start, 9};
        if (hf_table_home(table, hf_id_hash(id)) == group) {
            (*start)++;
            return id;
        }
    }
}

static void test_overflow_counts(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    uint64_t start = 1;

    (void)state;
    assert_non_null(world);
    open_world(world, 400); /* 32 groups, 480 lines */
    uint32_t last = world->table.group_count - 1;
    const struct hf_table_group *groups = world->table.groups;

    /* All for the last group: they fill it, and run round the end of the table. */
    for (int i = 0; i < 16; i++)
        insert(world, id_of_group(&world->table, last, &start), 1);
    assert_int_equal(groups[last].overflow, 1);
    assert_int_equal(world->slots[15], 0);
    compare_all(world);
    delete (world, 15);
    assert_int_equal(groups[last].overflow, 0);

    while (world->count < 15 + 254)
        insert(world, id_of_group(&world->table, last, &start), 1);
    assert_int_equal(groups[last].overflow, 254);
    insert(world, id_of_group(&world->table, last, &start), 1);
    insert(world, id_of_group(&world->table, last, &start), 1);
    assert_int_equal(groups[last].overflow, 255);
    compare_all(world);
    while (world->count > 0)
        delete (world, world->count / 2);
    assert_int_equal(groups[last].overflow, 255); /* stuck: nobody knows how many there were */
    assert_int_equal(groups[0].overflow, 0);
    insert(world, id_of_group(&world->table, last, &start), 1);
    compare_all(world);
    free(world->memory);
    free(world);
}

/* How many keys lie where following their home leads. */
static uint32_t count_led(const struct world *world)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < world->count; i++) {
        struct hf_id key = world->keys[i];
        uint64_t hash = hf_id_hash(key);
        void *home = hf_table_home_line(&world->table, hash);
        count += hf_table_is_at(key, hf_table_follow(key, hash, home));
    }
    return count;
}

/* Guides lead to nearly every key of a full table, also after all keys have changed. */
static void test_guides_lead(void **state)
{
    struct world *world = calloc(1, sizeof(*world));

    (void)state;
    assert_non_null(world);
    open_world(world, 1500);
    for (uint64_t i = 1; i <= 1500; i++)
        insert(world, (struct hf_id){i, 1}, i);
    assert_true(count_led(world) > 1425); /* 95 % */
    for (uint64_t i = 1501; i <= 4500; i++) {
        delete (world, (uint32_t)(i * 7 % 1500));
        insert(world, (struct hf_id){i, 1}, i);
    }
    assert_true(count_led(world) > 1275); /* 85 % */
    compare_all(world);
    free(world->memory);
    free(world);
}

/* Also when every count is stuck a lookup of an absent key ends. */
static void test_stuck_everywhere(void **state)
{
    struct world *world = calloc(1, sizeof(*world));

    (void)state;
    assert_non_null(world);
    open_world(world, 30);
    for (uint32_t group = 0; group < world->table.group_count; group++)
        world->table.groups[group].overflow = 255;
    struct hf_id key = {5, 5};
    assert_int_equal(hf_table_find(&world->table, key, hf_id_hash(key)), HF_TABLE_NONE);
    insert(world, key, 5);
    compare_all(world);
    free(world->memory);
    free(world);
}

static void test_memory_per_line(void **state)
{
    struct hf_arena arena;
    struct hf_table table;
    static const uint64_t capacities[] = {100000, 16000000, UINT64_C(1) << 31};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        hf_arena_open(&arena, NULL, 0);
        hf_table_create(&table, &arena, capacities[i]);
        assert_true(arena.used < capacities[i] * 80);
        assert_true((uint64_t)table.group_count * HF_TABLE_GROUP_LINES < HF_TABLE_NONE);
        assert_true((uint64_t)table.group_count * HF_TABLE_GROUP_LINES >= capacities[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_against_list), cmocka_unit_test(test_full_and_only_then),
        cmocka_unit_test(test_overflow_counts),     cmocka_unit_test(test_stuck_everywhere),
        cmocka_unit_test(test_memory_per_line),     cmocka_unit_test(test_guides_lead),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
