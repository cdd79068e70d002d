/* A ledger in its steady state. */
#include "bench/ledger_fixture.h"

#include "bench/memory.h"

#include <assert.h>
#include <stdlib.h>

#define FIXTURES_MAX  4
#define ACQUIRERS_MAX 1024
/* Answers are written round a ring of this many, which stays in the second-level cache: a node
 * hands them on while they are warm. */
#define REPLIES 2048

static struct hf_bench_ledger *fixtures[FIXTURES_MAX];
static uint32_t fixture_count;

void hf_bench_pool_clear(struct hf_bench_pool *pool)
{
    pool->count = 0;
    pool->length = 0;
}

void *hf_bench_pool_add(struct hf_bench_pool *pool, size_t length)
{
    assert(pool->count < HF_BENCH_POOL);
    assert(length % 8 == 0);
    void *place = pool->bytes + pool->length;
    pool->operations[pool->count++] = place;
    pool->length += length;
    return place;
}

void hf_bench_pool_fill_moves(struct hf_bench_pool *pool, struct hf_bench_ledger *fixture)
{
    struct hf_bench_workload *workload = &fixture->workload;
    hf_bench_pool_clear(pool);
    while (pool->count < HF_BENCH_POOL) {
        uint64_t payer = hf_bench_workload_account(workload);
        uint64_t payee = hf_bench_workload_account_but(workload, payer);
        hf_bench_make_move(workload, hf_bench_pool_add(pool, sizeof(struct hf_op_move)), payer,
                           payee);
    }
    pool->timestamp_ns = hf_bench_workload_now_ns(workload);
}

/* Everybody pays one shop, and it pays every second one back: the hot line is written on both
 * sides. */
void hf_bench_pool_fill_hot(struct hf_bench_pool *pool, struct hf_bench_ledger *fixture)
{
    struct hf_bench_workload *workload = &fixture->workload;
    hf_bench_pool_clear(pool);
    while (pool->count < HF_BENCH_POOL) {
        uint64_t shop = 0;
        uint64_t other = hf_bench_workload_account_but(workload, shop);
        bool is_back = pool->count % 2 == 1;
        hf_bench_make_move(workload, hf_bench_pool_add(pool, sizeof(struct hf_op_move)),
                           is_back ? shop : other, is_back ? other : shop);
    }
    pool->timestamp_ns = hf_bench_workload_now_ns(workload);
}

/* Accounts at equal distances from a random one are random enough, and all different. */
void hf_bench_pool_fill_plans(struct hf_bench_pool *pool, struct hf_bench_ledger *fixture,
                              const struct hf_bench_plan_shape *shape)
{
    struct hf_bench_workload *workload = &fixture->workload;
    uint64_t accounts[HF_PLAN_CANDIDATES_MAX + 1];
    uint64_t distance = workload->accounts / (shape->sources + 1u);

    assert(distance >= 1);
    hf_bench_pool_clear(pool);
    while (pool->count < HF_BENCH_POOL) {
        uint64_t first = hf_bench_workload_account(workload);
        for (uint32_t i = 0; i <= shape->sources; i++)
            accounts[i] = (first + i * distance) % workload->accounts;
        void *place =
            hf_bench_pool_add(pool, sizeof(struct hf_op_move_plan) +
                                        (shape->sources + 1u) * sizeof(struct hf_op_entry));
        hf_bench_make_plan(workload, place, shape, accounts);
    }
    pool->timestamp_ns = hf_bench_workload_now_ns(workload);
}

static void push_hold(struct hf_bench_ledger *fixture, struct hf_id id)
{
    assert(fixture->holds_tail - fixture->holds_head < fixture->holds_size);
    fixture->holds[fixture->holds_tail++ % fixture->holds_size] = id;
}

static struct hf_id pop_hold(struct hf_bench_ledger *fixture)
{
    assert(fixture->holds_head < fixture->holds_tail);
    return fixture->holds[fixture->holds_head++ % fixture->holds_size];
}

void hf_bench_pool_fill_holds(struct hf_bench_pool *pool, struct hf_bench_ledger *fixture)
{
    struct hf_bench_workload *workload = &fixture->workload;
    hf_bench_pool_clear(pool);
    while (pool->count < HF_BENCH_POOL) {
        uint64_t payer = hf_bench_workload_account(workload);
        uint64_t payee = hf_bench_workload_account_but(workload, payer);
        struct hf_op_hold *hold = hf_bench_pool_add(pool, sizeof(*hold));
        hf_bench_make_hold(workload, hold, payer, payee);
        push_hold(fixture, hold->header.id);
    }
    pool->timestamp_ns = hf_bench_workload_now_ns(workload);
}

void hf_bench_pool_fill_auths(struct hf_bench_pool *pool, struct hf_bench_ledger *fixture,
                              enum hf_bench_cards cards)
{
    struct hf_bench_workload *workload = &fixture->workload;
    uint64_t first = fixture->card_group_begin[cards];
    uint64_t count = fixture->card_group_begin[cards + 1] - first;
    uint64_t acquirers = fixture->cards < ACQUIRERS_MAX ? fixture->cards : ACQUIRERS_MAX;

    assert(count >= 1);
    assert(acquirers <= workload->accounts - fixture->cards);
    hf_bench_pool_clear(pool);
    while (pool->count < HF_BENCH_POOL) {
        uint64_t card = first + hf_bench_random_below(&workload->random, count);
        uint64_t payee =
            workload->accounts - 1 - hf_bench_random_below(&workload->random, acquirers);
        struct hf_op_auth *auth = hf_bench_pool_add(pool, sizeof(*auth));
        hf_bench_make_auth(workload, auth, card, payee);
    }
    pool->timestamp_ns = hf_bench_workload_now_ns(workload);
}

void hf_bench_pool_fill_captures(struct hf_bench_pool *pool, struct hf_bench_ledger *fixture)
{
    struct hf_bench_workload *workload = &fixture->workload;
    hf_bench_pool_clear(pool);
    while (pool->count < HF_BENCH_POOL) {
        hf_bench_make_capture(workload, hf_bench_pool_add(pool, HF_CAPTURE_SHORT),
                              pop_hold(fixture));
    }
    pool->timestamp_ns = hf_bench_workload_now_ns(workload);
}

void hf_bench_pool_fill_captures_of(struct hf_bench_pool *pool, struct hf_bench_ledger *fixture,
                                    const struct hf_bench_pool *made)
{
    struct hf_bench_workload *workload = &fixture->workload;
    hf_bench_pool_clear(pool);
    for (uint32_t i = 0; i < made->count; i++) {
        hf_bench_make_capture(workload, hf_bench_pool_add(pool, HF_CAPTURE_SHORT),
                              made->operations[i]->header.id);
    }
    pool->timestamp_ns = hf_bench_workload_now_ns(workload);
}

void hf_bench_pool_apply(struct hf_bench_pool *pool, struct hf_bench_ledger *fixture,
                         uint32_t bundle)
{
    assert(bundle >= 1);
    assert(bundle <= HF_BUNDLE_OPERATIONS_MAX);
    static _Alignas(64) struct hf_reply replies[REPLIES];
    uint64_t refused = 0;
    for (uint32_t begin = 0; begin < pool->count; begin += bundle) {
        uint32_t count = pool->count - begin < bundle ? pool->count - begin : bundle;
        uint32_t at = begin % REPLIES;
        struct hf_reply *answers = at + count <= REPLIES ? &replies[at] : replies;
        hf_ledger_apply(fixture->ledger, pool->timestamp_ns, &pool->operations[begin], count,
                        answers);
        for (uint32_t i = 0; i < count; i++) {
            refused += answers[i].code != HF_CODE_OK ? 1 : 0;
        }
    }
    pool->refused += refused;
}

/* ---- making one ---------------------------------------------------------------------------- */

static void apply(struct hf_bench_ledger *fixture, struct hf_bench_pool *pool)
{
    pool->timestamp_ns = hf_bench_workload_now_ns(&fixture->workload);
    hf_bench_pool_apply(pool, fixture, HF_BUNDLE_OPERATIONS_MAX);
    assert(pool->refused == 0);
    hf_bench_pool_clear(pool);
}

static uint64_t cards_in(const struct hf_bench_ledger *fixture, enum hf_bench_cards group)
{
    return fixture->card_group_begin[group + 1] - fixture->card_group_begin[group];
}

static const uint8_t limits_a_card[HF_BENCH_CARDS_COUNT] = {
    [HF_BENCH_CARDS_ONE] = 1,
    [HF_BENCH_CARDS_FOUR] = 4,
    [HF_BENCH_CARDS_SIXTEEN] = 16,
    [HF_BENCH_CARDS_ROLLING] = 1,
};

/* A quarter of the cards has one limit, and each of the next two groups as many limits in all, on
 * fewer cards: the same working set of limits, 128 MiB when it is large. */
static void group_cards(struct hf_bench_ledger *fixture)
{
    uint64_t limited = fixture->cards / 4;
    uint64_t begin = fixture->cards;

    fixture->card_group_begin[HF_BENCH_CARDS_COUNT] = fixture->cards;
    for (uint32_t group = HF_BENCH_CARDS_COUNT - 1; group > HF_BENCH_CARDS_PLAIN; group--) {
        begin -= group == HF_BENCH_CARDS_ROLLING ? limited / 16 : limited / limits_a_card[group];
        fixture->card_group_begin[group] = begin;
    }
    fixture->card_group_begin[HF_BENCH_CARDS_PLAIN] = 0;
}

static uint64_t count_limits(const struct hf_bench_ledger *fixture)
{
    uint64_t count = 0;

    for (uint32_t group = 0; group < HF_BENCH_CARDS_COUNT; group++)
        count += cards_in(fixture, group) * limits_a_card[group];
    return count;
}

/* Numbers in the outer loop: a card's limits lie as far apart as they do when they were given to it
 * over the years. */
static void set_limits(struct hf_bench_ledger *fixture, struct hf_bench_pool *pool,
                       enum hf_bench_cards group)
{
    struct hf_bench_workload *workload = &fixture->workload;
    uint64_t begin = fixture->card_group_begin[group];

    for (uint8_t number = 1; number <= limits_a_card[group]; number++) {
        for (uint64_t i = 0; i < cards_in(fixture, group); i++) {
            hf_bench_make_limit(workload, hf_bench_pool_add(pool, sizeof(struct hf_op_limit_put)),
                                begin + i, number, group == HF_BENCH_CARDS_ROLLING);
            if (pool->count == HF_BENCH_POOL) {
                apply(fixture, pool);
            }
        }
    }
    apply(fixture, pool);
}

static void open_accounts(struct hf_bench_ledger *fixture, struct hf_bench_pool *pool)
{
    struct hf_bench_workload *workload = &fixture->workload;
    hf_bench_pool_clear(pool);
    hf_bench_make_asset(workload, hf_bench_pool_add(pool, sizeof(struct hf_op_asset_put)));
    apply(fixture, pool);
    for (uint64_t i = 0; i < workload->accounts; i++) {
        hf_bench_make_account(workload, hf_bench_pool_add(pool, HF_ACCOUNT_PUT_SHORT), i);
        if (pool->count == HF_BENCH_POOL) {
            apply(fixture, pool);
        }
    }
    apply(fixture, pool);
    for (uint64_t i = 0; i < fixture->cards; i++) {
        hf_bench_make_instrument(workload,
                                 hf_bench_pool_add(pool, sizeof(struct hf_op_instrument_put)), i);
        if (pool->count == HF_BENCH_POOL) {
            apply(fixture, pool);
        }
    }
    apply(fixture, pool);
    for (uint32_t group = 0; group < HF_BENCH_CARDS_COUNT; group++)
        set_limits(fixture, pool, group);
}

/* Opens holds until `open` are there, then goes on opening and capturing until the resolved ones
 * fill the rest of the table and the ring of remembered ids has gone round. */
static void reach_steady_state(struct hf_bench_ledger *fixture, struct hf_bench_pool *pool,
                               uint64_t open)
{
    const struct hf_ledger_limits *limits = hf_ledger_limits_of(fixture->ledger);
    uint64_t held = 0;
    while (held < open || held < limits->holds || fixture->workload.made < 2 * limits->remembered) {
        hf_bench_pool_fill_holds(pool, fixture);
        apply(fixture, pool);
        held += HF_BENCH_POOL;
        if (held > open) {
            hf_bench_pool_fill_captures(pool, fixture);
            apply(fixture, pool);
        }
    }
}

static struct hf_ledger *create_ledger(struct hf_bench_ledger *fixture,
                                       const struct hf_bench_scale *scale, uint64_t accounts)
{
    uint64_t rolling = cards_in(fixture, HF_BENCH_CARDS_ROLLING);
    const struct hf_ledger_limits limits = {
        .accounts = accounts,
        .instruments = fixture->cards,
        /* As many ended as open, and a pool each for what is being measured: holds and five kinds
         * of authorisations. */
        .holds = 2 * scale->holds_open + 6 * HF_BENCH_POOL,
        .terms = 1024,
        .parts = 1024,
        .selectors = 1024,
        .limits = count_limits(fixture) + 1,
        .rolling = rolling + 1,
        .remembered = scale->remembered,
        .remember_ns = UINT64_C(3600) * 1000000000,
        .record_ns = UINT64_C(45) * 86400 * 1000000000,
        .id_ahead_ns = UINT64_C(60) * 1000000000,
    };
    fixture->memory_size = hf_ledger_memory_size(&limits);
    assert(fixture->memory_size > 0);
    fixture->memory = hf_bench_memory_map(fixture->memory_size);
    return fixture->memory == NULL
               ? NULL
               : hf_ledger_create(&limits, fixture->memory, fixture->memory_size);
}

static struct hf_bench_ledger *create(const struct hf_bench_scale *scale, uint64_t accounts)
{
    struct hf_bench_ledger *fixture = calloc(1, sizeof(*fixture));
    struct hf_bench_pool *pool =
        aligned_alloc(_Alignof(struct hf_bench_pool), sizeof(struct hf_bench_pool));
    if (fixture == NULL || pool == NULL) {
        goto without_memory;
    }
    pool->refused = 0;
    fixture->cards = accounts >= 8 ? accounts / 4 : 1;
    group_cards(fixture);
    fixture->holds_size = scale->holds_open + 2 * HF_BENCH_POOL;
    fixture->holds = calloc(fixture->holds_size, sizeof(fixture->holds[0]));
    fixture->ledger = create_ledger(fixture, scale, accounts);
    if (fixture->holds == NULL || fixture->ledger == NULL) {
        goto without_memory;
    }
    hf_bench_workload_begin(&fixture->workload, accounts);
    open_accounts(fixture, pool);
    reach_steady_state(fixture, pool, scale->holds_open);
    free(pool);
    return fixture;

without_memory:
    if (fixture != NULL && fixture->memory != NULL) {
        hf_bench_memory_unmap(fixture->memory, fixture->memory_size);
    }
    if (fixture != NULL) {
        free(fixture->holds);
    }
    free(fixture);
    free(pool);
    return NULL;
}

struct hf_bench_ledger *hf_bench_ledger_get(const struct hf_bench_scale *scale, uint64_t accounts)
{
    for (uint32_t i = 0; i < fixture_count; i++) {
        if (fixtures[i]->workload.accounts == accounts) {
            return fixtures[i];
        }
    }
    assert(fixture_count < FIXTURES_MAX);
    struct hf_bench_ledger *fixture = create(scale, accounts);
    if (fixture != NULL) {
        fixtures[fixture_count++] = fixture;
    }
    return fixture;
}

void hf_bench_ledger_release_all(void)
{
    while (fixture_count > 0) {
        struct hf_bench_ledger *fixture = fixtures[--fixture_count];
        bool is_balanced = hf_ledger_is_balanced(fixture->ledger);
        assert(is_balanced);
        (void)is_balanced;
        hf_bench_memory_unmap(fixture->memory, fixture->memory_size);
        free(fixture->holds);
        free(fixture);
    }
}
