/* The naive transfer loop: what a good programmer writes first. An open-addressing hash table of
 * accounts with linear probing, half full; one transfer at a time: find the payer, find the payee,
 * check that the money is there, move it. No operation ids, no answers, no log, no prefetch. It is
 * written plainly and well, with the engine's own hash, because the engine is compared with it. */
#include "bench/harness.h"
#include "bench/memory.h"
#include "bench/workload.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* 32 bytes at half load: 64 bytes of table for an account, as the engine has. */
struct naive_account {
    struct hf_id id; /* zero: the place is empty */
    int64_t balance;
    int64_t floor;
};

struct naive {
    struct naive_account *table;
    uint64_t mask;
    uint64_t refused;
    struct hf_bench_workload workload;
    struct hf_op_move pool[HF_BENCH_POOL];
};

static struct naive_account *find(struct naive *naive, struct hf_id id)
{
    uint64_t place = hf_id_hash(id) & naive->mask;
    while (!hf_id_equal(naive->table[place].id, id)) {
        if (naive->table[place].id.lo == 0 && naive->table[place].id.hi == 0) {
            return NULL;
        }
        place = (place + 1) & naive->mask;
    }
    return &naive->table[place];
}

static bool transfer(struct naive *naive, const struct hf_op_move *move)
{
    struct naive_account *payer = find(naive, move->payer);
    struct naive_account *payee = find(naive, move->payee);
    if (payer == NULL || payee == NULL || payer == payee) {
        return false;
    }
    int64_t amount = (int64_t)move->amount;
    if (payer->balance - amount < payer->floor) {
        return false;
    }
    payer->balance -= amount;
    payee->balance += amount;
    return true;
}

static void insert(struct naive *naive, struct hf_id id)
{
    uint64_t place = hf_id_hash(id) & naive->mask;
    while (naive->table[place].id.lo != 0 || naive->table[place].id.hi != 0) {
        place = (place + 1) & naive->mask;
    }
    naive->table[place].id = id;
    naive->table[place].floor = -(INT64_C(1) << 60);
}

static struct naive *create(uint64_t accounts)
{
    struct naive *naive = calloc(1, sizeof(*naive));
    if (naive == NULL) {
        return NULL;
    }
    uint64_t places = 2;
    while (places < accounts * 2) {
        places *= 2;
    }
    naive->mask = places - 1;
    naive->table = hf_bench_memory_map(places * sizeof(naive->table[0]));
    if (naive->table == NULL) {
        free(naive);
        return NULL;
    }
    for (uint64_t i = 0; i < accounts; i++) {
        insert(naive, hf_bench_account_id(i));
    }
    hf_bench_workload_begin(&naive->workload, accounts);
    return naive;
}

static void *setup_large(const struct hf_bench_scale *scale, const void *argument)
{
    (void)argument;
    return create(scale->accounts_large);
}

static void *setup_small(const struct hf_bench_scale *scale, const void *argument)
{
    (void)argument;
    return create(scale->accounts_small);
}

static void prepare(void *state)
{
    struct naive *naive = state;
    for (uint32_t i = 0; i < HF_BENCH_POOL; i++) {
        uint64_t payer = hf_bench_workload_account(&naive->workload);
        uint64_t payee = hf_bench_workload_account_but(&naive->workload, payer);
        hf_bench_make_move(&naive->workload, &naive->pool[i], payer, payee);
    }
}

static void run(void *state)
{
    struct naive *naive = state;
    uint64_t refused = 0;
    for (uint32_t i = 0; i < HF_BENCH_POOL; i++) {
        refused += transfer(naive, &naive->pool[i]) ? 0 : 1;
    }
    naive->refused += refused;
}

static void report(void *state, struct hf_bench_figures *figures)
{
    struct naive *naive = state;
    assert(naive->refused == 0);
    hf_bench_figure_add(figures, "refused", (double)naive->refused);
}

static void teardown(void *state)
{
    struct naive *naive = state;
    hf_bench_memory_unmap(naive->table, (naive->mask + 1) * sizeof(naive->table[0]));
    free(naive);
}

void hf_bench_register_naive(void)
{
    for (int small = 0; small <= 1; small++) {
        struct hf_bench bench = {
            .clock = HF_BENCH_CORE,
            .items = HF_BENCH_POOL,
            .setup = small ? setup_small : setup_large,
            .prepare = prepare,
            .run = run,
            .report = report,
            .teardown = teardown,
        };
        snprintf(bench.name, sizeof(bench.name), "naive/move/%s", small ? "small" : "large");
        hf_bench_register(&bench);
    }
}
