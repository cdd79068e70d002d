/* Operations for benchmarks. */
#include "bench/workload.h"

#include <assert.h>
#include <string.h>

#define BEGIN_MS UINT64_C(1704067200000) /* 2024-01-01 */

void hf_bench_workload_begin(struct hf_bench_workload *workload, uint64_t accounts)
{
    assert(accounts >= 2);
    assert(accounts <= (UINT64_C(1) << 32));
    workload->accounts = accounts;
    workload->made = 0;
    workload->random.counter = 0x5eed;
}

static uint64_t now_ms(const struct hf_bench_workload *workload)
{
    return BEGIN_MS + workload->made / HF_BENCH_OPERATIONS_PER_MS;
}

uint64_t hf_bench_workload_now_ns(const struct hf_bench_workload *workload)
{
    return now_ms(workload) * 1000000u;
}

struct hf_id hf_bench_workload_id(struct hf_bench_workload *workload)
{
    workload->made++;
    return hf_id_make_operation(now_ms(workload), 0x7000, hf_bench_mix(workload->made));
}

uint64_t hf_bench_workload_account(struct hf_bench_workload *workload)
{
    return hf_bench_random_below(&workload->random, workload->accounts);
}

uint64_t hf_bench_workload_account_but(struct hf_bench_workload *workload, uint64_t other)
{
    assert(other < workload->accounts);
    uint64_t index = hf_bench_random_below(&workload->random, workload->accounts - 1);
    return index < other ? index : index + 1;
}

static void make_header(struct hf_bench_workload *workload, struct hf_op_header *header,
                        uint8_t type, size_t length)
{
    memset(header, 0, length);
    header->length = (uint16_t)length;
    header->type = type;
    header->id = hf_bench_workload_id(workload);
}

void hf_bench_make_asset(struct hf_bench_workload *workload, struct hf_op_asset_put *put)
{
    make_header(workload, &put->header, HF_OP_ASSET_PUT, sizeof(*put));
    put->asset = HF_BENCH_ASSET;
    put->scale = 2;
    memcpy(put->code, "USD", 3);
}

void hf_bench_make_account(struct hf_bench_workload *workload, struct hf_op_account_put *put,
                           uint64_t index)
{
    make_header(workload, &put->header, HF_OP_ACCOUNT_PUT, HF_ACCOUNT_PUT_SHORT);
    put->account = hf_bench_account_id(index);
    /* A floor that the compare must look at and that no run can reach. */
    put->floor = -(INT64_C(1) << 60);
    put->asset = HF_BENCH_ASSET;
    put->status = HF_ACCOUNT_OPEN;
}

void hf_bench_make_instrument(struct hf_bench_workload *workload, struct hf_op_instrument_put *put,
                              uint64_t index)
{
    make_header(workload, &put->header, HF_OP_INSTRUMENT_PUT, sizeof(*put));
    put->token = hf_bench_token_id(index);
    put->account = hf_bench_account_id(index);
    put->expires_ns = INT64_MAX;
    put->amount_limit = 1000000;
    put->remaining = UINT64_C(1) << 60;
    put->status = HF_INSTRUMENT_ACTIVE;
}

void hf_bench_make_limit(struct hf_bench_workload *workload, struct hf_op_limit_put *put,
                         uint64_t card, uint8_t number, bool is_rolling)
{
    static const uint8_t windows[] = {HF_LIMIT_DAY, HF_LIMIT_WEEK, HF_LIMIT_MONTH,
                                      HF_LIMIT_LIFETIME};

    assert(number >= 1);
    make_header(workload, &put->header, HF_OP_LIMIT_PUT, sizeof(*put));
    put->scope_id = hf_bench_token_id(card);
    put->max_amount = UINT64_C(1) << 60;
    put->max_count = UINT64_C(1) << 60;
    put->scope = HF_LIMIT_INSTRUMENT;
    put->number = number;
    put->window = is_rolling ? HF_LIMIT_ROLLING : windows[(number - 1) % sizeof(windows)];
    if (is_rolling)
        put->length_ns = UINT64_C(3600) * 1000000000;
    if (put->window != HF_LIMIT_LIFETIME && !is_rolling)
        put->zone_minutes = 60;
    if (put->window == HF_LIMIT_WEEK || put->window == HF_LIMIT_MONTH)
        put->start = 1;
}

void hf_bench_make_move(struct hf_bench_workload *workload, struct hf_op_move *move, uint64_t payer,
                        uint64_t payee)
{
    make_header(workload, &move->header, HF_OP_MOVE, sizeof(*move));
    move->payer = hf_bench_account_id(payer);
    move->payee = hf_bench_account_id(payee);
    move->amount = 1 + (workload->made & 1023);
    move->asset = HF_BENCH_ASSET;
}

/* The amount that account `i` of a residual could give: a little more than the one before, so that
 * sums differ; late, a square, of which the largest reach only their own sum. */
static uint64_t residual_amount(const struct hf_bench_plan_shape *shape, uint64_t made, uint64_t i)
{
    return shape->is_late ? (2 * i + 1) * (2 * i + 1) : 1000 + 37 * i + (made * 11 + i * i) % 29;
}

static uint64_t residual_total(const struct hf_bench_plan_shape *shape, uint64_t made)
{
    uint64_t total = 0;
    if (!shape->is_late) {
        return 3000 + (made & 1023);
    }
    for (uint32_t i = 0; i < shape->choose_max; i++) {
        total += residual_amount(shape, made, shape->sources - 1u - i);
    }
    return total;
}

/* A waterfall's accounts give a few units each. */
void hf_bench_make_plan(struct hf_bench_workload *workload, struct hf_op_move_plan *move,
                        const struct hf_bench_plan_shape *shape, const uint64_t accounts[])
{
    uint32_t sources = shape->sources;
    bool is_residual = shape->choose_max != 0;

    make_header(workload, &move->header, HF_OP_MOVE_PLAN,
                sizeof(*move) + (sources + 1u) * sizeof(struct hf_op_entry));
    move->plan.amount = is_residual ? residual_total(shape, workload->made) : 16u * sources;
    move->plan.asset = HF_BENCH_ASSET;
    move->plan.method = is_residual ? HF_PLAN_SMALLEST_RESIDUAL : HF_PLAN_IN_ORDER;
    move->plan.choose_max = shape->choose_max;
    move->plan.source_count = (uint8_t)sources;
    move->plan.destination_count = 1;
    for (uint32_t i = 0; i <= sources; i++) {
        struct hf_op_entry *entry = &move->entries[i];
        bool is_last = !is_residual && i + 1 == sources;
        entry->account = hf_bench_account_id(accounts[i]);
        entry->rule = i == sources || is_last ? HF_ENTRY_REMAINING : HF_ENTRY_UP_TO;
        if (entry->rule == HF_ENTRY_UP_TO)
            entry->amount = is_residual ? residual_amount(shape, workload->made, i) : 16;
    }
}

void hf_bench_make_hold(struct hf_bench_workload *workload, struct hf_op_hold *hold, uint64_t payer,
                        uint64_t payee)
{
    make_header(workload, &hold->header, HF_OP_HOLD, sizeof(*hold));
    hold->payer = hf_bench_account_id(payer);
    hold->payee = hf_bench_account_id(payee);
    hold->amount = 1 + (workload->made & 1023);
    hold->asset = HF_BENCH_ASSET;
}

void hf_bench_make_capture(struct hf_bench_workload *workload, struct hf_op_capture *capture,
                           struct hf_id hold)
{
    make_header(workload, &capture->header, HF_OP_CAPTURE, HF_CAPTURE_SHORT);
    capture->hold = hold;
    capture->amount = HF_AMOUNT_ALL;
    capture->final = 1;
}

void hf_bench_make_auth(struct hf_bench_workload *workload, struct hf_op_auth *auth, uint64_t card,
                        uint64_t payee)
{
    make_header(workload, &auth->header, HF_OP_AUTH, sizeof(*auth));
    auth->token = hf_bench_token_id(card);
    auth->payee = hf_bench_account_id(payee);
    auth->amount = 1 + (workload->made & 1023);
    auth->acquirer = 12345678901;
    memcpy(auth->terminal, "TERM0001", sizeof(auth->terminal));
    memcpy(auth->merchant, "MERCHANT0000001", sizeof(auth->merchant));
    memcpy(auth->rrn, "412345678901", sizeof(auth->rrn));
    auth->stan = (uint32_t)(workload->made % 1000000);
    auth->asset = HF_BENCH_ASSET;
    auth->card_expiry = 2912;
    auth->mcc = 5411;
    auth->country = 840;
    auth->entry_mode = 71;
}
