/* The engine inside another program: no node, no network, no log. Built by a plain C11 compiler
 * from this file and engine/ alone, it opens two accounts, moves money from one to the other and
 * reads a balance back. */
#include "engine/ledger.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW_NS UINT64_C(1700000000000000000)
#define EUR    978

static const struct hf_id BANK = {.lo = 1, .hi = 0};
static const struct hf_id ALICE = {.lo = 1001, .hi = 0};

static struct hf_op_header header(uint8_t type, uint16_t length, uint64_t number)
{
    return (struct hf_op_header){
        .length = length,
        .type = type,
        .flags = HF_OP_RETURN_BALANCES,
        .id = hf_id_make_operation(NOW_NS / 1000000, 0, number),
    };
}

int main(void)
{
    const struct hf_ledger_limits limits = {
        .accounts = 1000,
        .instruments = 1000,
        .holds = 1000,
        .terms = 1000,
        .parts = 1000,
        .selectors = 1000,
        .limits = 1000,
        .rolling = 10,
        .remembered = 1000,
        .remember_ns = UINT64_C(3600000000000),
        .record_ns = UINT64_C(3600000000000),
        .id_ahead_ns = UINT64_C(1000000000),
    };
    size_t size = hf_ledger_memory_size(&limits);
    assert(size > 0);
    size_t rounded = (size + 63) / 64 * 64;
    void *memory = aligned_alloc(64, rounded);
    assert(memory != NULL);
    memset(memory, 0, rounded);
    struct hf_ledger *ledger = hf_ledger_create(&limits, memory, size);
    assert(ledger != NULL);

    union hf_operation operations[4] = {
        {.asset_put = {header(HF_OP_ASSET_PUT, sizeof(struct hf_op_asset_put), 1), .asset = EUR,
                       .scale = 2, .code = "EUR"}},
        {.account_put = {header(HF_OP_ACCOUNT_PUT, HF_ACCOUNT_PUT_SHORT, 2), .account = BANK,
                         .asset = EUR, .floor = HF_FLOOR_NONE}},
        {.account_put = {header(HF_OP_ACCOUNT_PUT, HF_ACCOUNT_PUT_SHORT, 3), .account = ALICE,
                         .asset = EUR, .floor = 0}},
        {.move = {header(HF_OP_MOVE, sizeof(struct hf_op_move), 4), .payer = BANK, .payee = ALICE,
                  .amount = 2500, .asset = EUR}},
    };
    const union hf_operation *bundle[4];
    struct hf_reply replies[4];
    for (int i = 0; i < 4; i++) {
        bundle[i] = &operations[i];
        struct hf_verdict verdict = hf_operation_check(bundle[i], sizeof(operations[i]));
        assert(verdict.code == HF_CODE_OK);
    }
    uint64_t placed = hf_ledger_apply(ledger, NOW_NS, bundle, 4, replies);
    assert(placed == 0xf);
    for (int i = 0; i < 4; i++)
        printf("%-12s %s, place %" PRIu64 "\n", hf_operation_name(operations[i].header.type),
               hf_code_name(replies[i].code), replies[i].place);
    assert(replies[3].code == HF_CODE_OK);
    assert(replies[3].posted == -2500);

    struct hf_op_query query = {
        .header = header(HF_OP_QUERY, sizeof(struct hf_op_query), 5),
        .subject_id = ALICE,
        .subject = HF_QUERY_ACCOUNT,
    };
    struct hf_query_reply answer;
    hf_ledger_query(ledger, &query, &answer);
    assert(answer.reply.code == HF_CODE_OK);
    assert(answer.view.account.posted == 2500);
    assert(hf_ledger_is_balanced(ledger));
    printf("Alice has %" PRId64 " cents, moved by an engine of its own\n",
           answer.view.account.posted);
    free(memory);
    return 0;
}
