/* The index of ids against a naive list: full, crowded buckets, entries that went past them. */
#include "fixture.h"

#include "engine/index.h"

#define LINES_MAX 2000

struct line {
    struct hf_id id;
    uint64_t rest[6];
};

struct world {
    struct hf_index index;
    struct line *lines;
    void *memory;
    uint32_t taken[LINES_MAX]; /* the oracle: slots that are in */
    uint32_t count;
    uint32_t capacity;
};

static struct world *open_world(uint32_t capacity)
{
    struct world *world = calloc(1, sizeof(*world));
    struct hf_arena arena;

    assert_non_null(world);
    world->capacity = capacity;
    world->lines = calloc(capacity, sizeof(*world->lines));
    hf_arena_open(&arena, NULL, 0);
    hf_index_create(&world->index, &arena, capacity, world->lines);
    size_t size = arena.used;
    world->memory = aligned_alloc(64, size);
    assert_non_null(world->memory);
    memset(world->memory, 0, size);
    hf_arena_open(&arena, world->memory, size);
    hf_index_create(&world->index, &arena, capacity, world->lines);
    assert_int_equal(arena.used, size);
    return world;
}

static void close_world(struct world *world)
{
    free(world->memory);
    free(world->lines);
    free(world);
}

/* A new id of a free line: with `crowded`, one of a thousand whose hashes name the same bucket. */
static struct hf_id draw_id(const struct world *world, uint64_t *seed, bool crowded)
{
    for (;;) {
        struct hf_id id = {1 + next_random(seed) % 100000, 7};
        uint64_t hash = hf_id_hash(id);
        bool is_first = hf_index_home(&world->index, hash) == world->index.buckets;
        if ((!crowded || is_first) && hf_index_find(&world->index, id, hash) == HF_TABLE_NONE)
            return id;
    }
}

static void insert(struct world *world, uint32_t slot, struct hf_id id)
{
    world->lines[slot].id = id;
    hf_index_insert(&world->index, slot, hf_id_hash(id));
    world->taken[world->count++] = slot;
}

static void remove_at(struct world *world, uint32_t number)
{
    uint32_t slot = world->taken[number];
    struct hf_id id = world->lines[slot].id;

    hf_index_remove(&world->index, slot, hf_id_hash(id));
    world->lines[slot].id = (struct hf_id){0};
    world->taken[number] = world->taken[--world->count];
    assert_int_equal(hf_index_find(&world->index, id, hf_id_hash(id)), HF_TABLE_NONE);
}

static void compare_all(const struct world *world)
{
    assert_int_equal(world->index.count, world->count);
    for (uint32_t i = 0; i < world->count; i++) {
        const struct line *line = &world->lines[world->taken[i]];
        uint64_t hash = hf_id_hash(line->id);
        const void *guess = hf_index_guess(&world->index, hash, hf_index_home(&world->index, hash));
        assert_int_equal(hf_index_find(&world->index, line->id, hash), world->taken[i]);
        assert_ptr_equal(hf_index_find_at(&world->index, line->id, hash, guess), line);
        assert_ptr_equal(hf_index_find_at(&world->index, line->id, hash, NULL), line);
    }
}

/* All-zero again: what inserts counted, removals took back. */
static void assert_empty(const struct world *world)
{
    const uint8_t *bytes = (const uint8_t *)world->index.buckets;

    for (size_t i = 0; i < world->index.bucket_count * sizeof(*world->index.buckets); i++)
        assert_int_equal(bytes[i], 0);
}

static void run_random(uint32_t capacity, uint64_t seed, bool crowded)
{
    struct world *world = open_world(capacity);

    print_message("capacity %u seed %llu\n", capacity, (unsigned long long)seed);
    for (uint32_t step = 1; step <= 20000; step++) {
        bool grows = next_random(&seed) % 10 < (step / 2500 % 2 == 0 ? 8 : 2);
        if (grows && world->count < capacity) {
            uint32_t slot = (uint32_t)(next_random(&seed) % capacity);
            while (!hf_id_is_zero(world->lines[slot].id))
                slot = (slot + 1) % capacity;
            insert(world, slot, draw_id(world, &seed, crowded));
        } else if (!grows && world->count > 0) {
            remove_at(world, (uint32_t)(next_random(&seed) % world->count));
        }
        if (step % 500 == 0)
            compare_all(world);
    }
    while (world->count > 0)
        remove_at(world, 0);
    assert_empty(world);
    close_world(world);
}

static void test_random_against_list(void **state)
{
    (void)state;
    run_random(1, 11, false);
    run_random(HF_INDEX_BUCKET_ENTRIES, 12, false);
    run_random(13, 13, false);
    run_random(1500, 14, false);
}

/* All in one bucket and those after it, round the end. */
static void test_crowded(void **state)
{
    (void)state;
    run_random(HF_INDEX_BUCKET_ENTRIES + 1, 21, true);
    run_random(60, 22, true);
}

static void test_takes_as_many_as_it_is_for(void **state)
{
    (void)state;
    for (uint32_t capacity = 1; capacity <= 200; capacity++) {
        struct world *world = open_world(capacity);
        for (uint32_t slot = 0; slot < capacity; slot++)
            insert(world, slot, (struct hf_id){slot + 1, 5});
        compare_all(world);
        assert_int_equal(hf_index_find(&world->index, (struct hf_id){capacity + 1, 5},
                                       hf_id_hash((struct hf_id){capacity + 1, 5})),
                         HF_TABLE_NONE);
        close_world(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_against_list),
        cmocka_unit_test(test_crowded),
        cmocka_unit_test(test_takes_as_many_as_it_is_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
