/* Shelves: runs that grow, in any order and up to the last line, against an array that says whose
 * each line is; and limits, whose lines they are, when some of them move and are moved back. */
#include "limit_fixture.h"

#include "engine/shelf.h"

#define RUNS_MAX 600

struct world {
    struct hf_shelves shelves;
    struct hf_undo undo; /* never open */
    void *memory;
    uint32_t *owners; /* the oracle: of each line the run's number and 1, or 0 */
    uint64_t line_count;
    uint32_t lines[RUNS_MAX];
    uint32_t lengths[RUNS_MAX];
};

static void open_world(struct world *world, uint64_t capacity)
{
    struct hf_arena arena;

    memset(world, 0, sizeof(*world));
    hf_arena_open(&arena, NULL, 0);
    world->line_count = hf_shelves_create(&world->shelves, &arena, capacity);
    size_t size = arena.used;
    world->memory = aligned_alloc(64, size);
    world->owners = calloc(world->line_count, sizeof(*world->owners));
    assert_non_null(world->memory);
    assert_non_null(world->owners);
    memset(world->memory, 0, size);
    hf_arena_open(&arena, world->memory, size);
    hf_shelves_create(&world->shelves, &arena, capacity);
    assert_int_equal(arena.used, size);
}

static void close_world(struct world *world)
{
    free(world->memory);
    free(world->owners);
}

static void take_lines(struct world *world, uint32_t line, uint32_t length, uint32_t owner)
{
    assert_true(line + length <= world->line_count);
    assert_true(line + length <= hf_shelves_used_lines(&world->shelves));
    for (uint32_t i = 0; i < length; i++) {
        assert_int_equal(world->owners[line + i], 0);
        world->owners[line + i] = owner;
    }
}

static void free_lines(struct world *world, uint32_t line, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++) {
        assert_int_not_equal(world->owners[line + i], 0);
        world->owners[line + i] = 0;
    }
}

/* One line more for a run, as limits get it. */
static void grow(struct world *world, uint32_t run)
{
    uint32_t length = world->lengths[run];
    uint32_t gap = world->lines[run];
    uint32_t line = hf_shelf_add(&world->shelves, &world->undo, length + 1);

    take_lines(world, line, length + 1, run + 1);
    world->lines[run] = line;
    world->lengths[run] = length + 1;
    if (length == 0)
        return;
    uint32_t last = hf_shelf_last(&world->shelves, length);
    uint32_t other = world->owners[last] - 1;
    free_lines(world, gap, length);
    if (last != gap) {
        assert_int_equal(world->lines[other], last);
        free_lines(world, last, length);
        take_lines(world, gap, length, other + 1);
        world->lines[other] = gap;
    }
    hf_shelf_take_away(&world->shelves, &world->undo, length);
}

/* Runs grow by one at random, so many of them, until all lines are in use. */
static void grow_all(uint64_t capacity, uint32_t run_count, uint64_t seed)
{
    static struct world world;

    open_world(&world, capacity);
    for (uint64_t taken = 0; taken < capacity;) {
        uint32_t run = (uint32_t)(next_random(&seed) % run_count);
        if (world.lengths[run] == HF_SHELF_RUN_MAX)
            continue;
        grow(&world, run);
        taken++;
    }
    uint64_t owned = 0;
    for (uint64_t line = 0; line < world.line_count; line++)
        owned += world.owners[line] != 0;
    assert_int_equal(owned, capacity);
    close_world(&world);
}

static void test_runs_grow(void **state)
{
    (void)state;
    grow_all(1, 1, 1);
    grow_all(16, 1, 2);
    grow_all(17, 2, 3);
    grow_all(600, 600, 4);
    grow_all(2000, 600, 5);
    grow_all(9600, 600, 6);
}

/* All runs of one length: the last line is reached on every shelf, also when all grow at once. */
static void test_every_length(void **state)
{
    static struct world world;

    (void)state;
    for (uint32_t length = 1; length <= HF_SHELF_RUN_MAX; length++) {
        uint32_t run_count = 3 * HF_SHELF_CHUNK_LINES / length;
        open_world(&world, (uint64_t)run_count * length);
        uint32_t first = hf_shelves_used_lines(&world.shelves);
        assert_int_equal(first, 0);
        for (uint32_t i = 0; i < run_count; i++)
            take_lines(&world, hf_shelf_add(&world.shelves, &world.undo, length), length, i + 1);
        for (uint32_t i = run_count; i > 0; i--) {
            assert_int_equal(world.owners[hf_shelf_last(&world.shelves, length)], i);
            hf_shelf_take_away(&world.shelves, &world.undo, length);
        }
        close_world(&world);
    }
}

/* ---- limits ---- */

#define CARDS 24

/* What limits the cards should have: maxima by number, 0: none. */
struct oracle {
    uint64_t max[CARDS][256];
    uint32_t counts[CARDS];
};

static void check_card(const struct fixture *f, const struct oracle *oracle, uint32_t card)
{
    uint32_t seen = 0;
    uint32_t cursor = 0;

    do {
        struct hf_query_reply reply = view_page(f, HF_LIMIT_INSTRUMENT, 100 + card, cursor);
        const struct hf_limits_view *view = &reply.view.limits;
        for (uint32_t i = 0; i < view->count; i++) {
            assert_true(view->lines[i].number > (i == 0 ? cursor : view->lines[i - 1].number));
            assert_int_equal(view->lines[i].max_amount, oracle->max[card][view->lines[i].number]);
            assert_int_equal(view->lines[i].has_filter, view->lines[i].number % 2);
        }
        seen += view->count;
        cursor = view->next_cursor;
    } while (cursor != 0);
    assert_int_equal(seen, oracle->counts[card]);
}

static void note(struct oracle *oracle, uint32_t card, uint8_t number, uint64_t max)
{
    oracle->counts[card] += oracle->max[card][number] == 0;
    oracle->max[card][number] = max;
}

/* A limit of a card that has room for it. */
static union hf_operation draw_put(struct fixture *f, const struct oracle *oracle, uint64_t *seed,
                                   uint32_t *card, uint8_t *number)
{
    do
        *card = (uint32_t)(next_random(seed) % CARDS);
    while (oracle->counts[*card] == HF_LIMITS_A_SCOPE);
    *number = (uint8_t)(1 + next_random(seed) % 255);
    union hf_operation op = make_max(f, HF_LIMIT_INSTRUMENT, 100 + *card, *number, HF_LIMIT_DAY,
                                     1 + next_random(seed) % 1000000, HF_LIMIT_UNLIMITED);
    op.limit_put.filter.channels = *number % 2;
    return op;
}

/* A chain of such limits that fails at its end. */
static void fail_chain(struct fixture *f, const struct oracle *oracle, uint64_t *seed)
{
    struct oracle inside = *oracle;
    struct long_operation chain;
    struct hf_op_chain *begun = begin_chain(f, &chain);
    uint8_t number;
    uint32_t card;

    for (uint32_t i = 0; i < 20; i++) {
        union hf_operation op = draw_put(f, &inside, seed, &card, &number);
        note(&inside, card, number, op.limit_put.max_amount);
        add_link(begun, &op);
    }
    union hf_operation op = make_move(f, 99, 4, 1);
    add_link(begun, &op);
    assert_true(apply(f, operation_of(&chain)));
    assert_int_equal(f->reply.code, HF_CODE_UNKNOWN_ACCOUNT);
    assert_int_equal(f->reply.entry, 21);
}

static void test_limits_move(void **state)
{
    struct hf_ledger_limits limits = small_limits;
    struct oracle *oracle = calloc(1, sizeof(*oracle));
    struct fixture f;
    uint64_t seed = 7;

    (void)state;
    assert_non_null(oracle);
    limits.instruments = CARDS;
    limits.remembered = 4000;
    limits.limits = CARDS * 12;
    open_fixture(&f, &limits);
    open_accounts(&f);
    for (uint32_t card = 0; card < CARDS; card++)
        assert_ok(&f, make_instrument(&f, 100 + card, 2));
    while (counts_of(&f).limits < CARDS * 12 - 20) {
        uint8_t number;
        uint32_t card;
        union hf_operation op = draw_put(&f, oracle, &seed, &card, &number);
        assert_ok(&f, op);
        note(oracle, card, number, op.limit_put.max_amount);
        if (next_random(&seed) % 4 == 0)
            fail_chain(&f, oracle, &seed);
        for (uint32_t i = 0; i < CARDS; i++)
            check_card(&f, oracle, i);
    }
    close_fixture(&f);
    free(oracle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs_grow),
        cmocka_unit_test(test_every_length),
        cmocka_unit_test(test_limits_move),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
