/* Where model and engine differ, whoever looks needs the operation, its accounts and both answers.
 */
#include "run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void print_bytes(const char *name, const void *bytes, size_t size)
{
    fprintf(stderr, "%s", name);
    for (size_t i = 0; i < size; i++)
        fprintf(stderr, "%s%02x", i % 8 == 0 ? " " : "", ((const uint8_t *)bytes)[i]);
    fprintf(stderr, "\n");
}

void print_reply(const char *name, const struct hf_reply *reply)
{
    fprintf(stderr,
            "%s %s/%s entry %u approved %" PRIu64 " available %" PRId64 " posted %" PRId64
            " place %" PRIu64 " timestamp %" PRIu64 "\n",
            name, hf_code_name(reply->code), hf_rule_name(reply->rule), reply->entry,
            reply->approved, reply->available, reply->posted, reply->place, reply->timestamp_ns);
}

void print_account(const struct model *model, const char *name, struct hf_id id)
{
    const struct model_account *account = model_account_of(model, id);
    if (account == NULL) {
        fprintf(stderr, "%s unknown\n", name);
        return;
    }
    struct model_balance balance = model_balance_of(model, account);
    fprintf(stderr,
            "%s (after, in the model) id %" PRIu64 "/%" PRIu64
            " asset %u status %u%s posted %" PRId64 " floor %" PRId64 " held_out %" PRIu64
            " held_in %" PRIu64 " lifetime_debits %" PRIu64 " ceiling %" PRId64 " expires %" PRIu64
            " parent %" PRIu64 "/%" PRIu64 "\n",
            name, id.lo, id.hi, account->asset, account->status, account->is_total ? " total" : "",
            (int64_t)balance.posted, account->floor, (uint64_t)balance.held_out,
            (uint64_t)balance.held_in, (uint64_t)balance.lifetime_debits, account->ceiling,
            account->expires_ns, account->parent.lo, account->parent.hi);
    if (account->parent.lo != 0 || account->parent.hi != 0)
        print_account(model, "  under", account->parent);
}

static void print_plan(const struct model *model, const struct hf_op_plan *plan,
                       const struct hf_op_entry *entries)
{
    fprintf(stderr,
            "plan amount %" PRIu64 " minimum %" PRIu64 " method %u choose %u denominators %u %u\n",
            plan->amount, plan->minimum, plan->method, plan->choose_max, plan->source_denominator,
            plan->destination_denominator);
    for (uint32_t i = 0; i < (uint32_t)plan->source_count + plan->destination_count; i++) {
        fprintf(stderr, "%s %u rule %u amount %" PRIu64 "\n",
                i < plan->source_count ? "source" : "destination", i + 1, entries[i].rule,
                entries[i].amount);
        print_account(model, "  ", entries[i].account);
    }
}

void print_hold(const struct model *model, struct hf_id id)
{
    const struct model_hold *hold = model_hold_of(model, id);
    if (hold == NULL)
        return;
    fprintf(stderr,
            "hold (after, in the model) amount %" PRIu64 " remaining %" PRIu64 " captured %" PRIu64
            " expires %" PRIu64 " origin %u status %u policy %u tolerance %u conditions %u of %u, "
            "met %#x\n",
            hold->amount, hold->remaining, hold->captured, hold->expires_ns, hold->origin,
            hold->status, hold->policy, hold->tolerance, hold->required, hold->condition_count,
            hold->met);
    const struct model_record *record = &hold->record;
    if (record->is_there)
        fprintf(stderr,
                "record token %" PRIu64 "/%" PRIu64 " number %" PRIu64 " place %" PRIu64
                " acquirer %" PRIu64 " reversed %" PRIu64 " first %" PRIu64 " at %" PRIu64
                " further %" PRIu64 " at %" PRIu64 " flags %#x ended %" PRIu64 " at %" PRIu64 "\n",
                record->token.lo, record->token.hi, record->number, record->place, record->acquirer,
                record->reversed, record->first, record->drawn_ns, record->further,
                record->further_ns, record->flags, hold->ended, hold->ended_ns);
    for (uint32_t i = 0; i < hold->part_count; i++) {
        fprintf(stderr, "  part remaining %" PRIu64 "\n", hold->parts[i].remaining);
        print_account(model, "  ", hold->parts[i].account);
    }
    print_account(model, "payee", hold->payee);
}

static void print_limits(const struct run *run, uint8_t scope, struct hf_id id)
{
    const struct model_limit *limits[HF_LIMITS_A_SCOPE];
    uint32_t count = model_limits_of(run->model, scope, id, limits);
    for (uint32_t i = 0; i < count; i++) {
        const struct model_limit *limit = limits[i];
        struct model_used used = model_used_of(run->model, limit, run->draw.timestamp_ns);
        fprintf(stderr,
                "%s limit %u (after, in the model) window %u length %" PRIu64
                " zone %d start %u amount %" PRIu64 " of %" PRIu64 " count %" PRIu64 " of %" PRIu64
                "\n",
                scope == HF_LIMIT_INSTRUMENT ? "instrument" : "account", limit->number,
                limit->window, limit->length_ns, limit->zone_minutes, limit->start, used.amount,
                limit->max_amount, used.count, limit->max_count);
    }
}

static void print_payer(const struct run *run, struct hf_id id)
{
    print_account(run->model, "payer", id);
    const struct model_account *account = model_account_of(run->model, id);
    for (; account != NULL; account = model_account_of(run->model, account->parent))
        print_limits(run, HF_LIMIT_ACCOUNT, account->id);
}

static void print_card(const struct run *run, struct hf_id token)
{
    const struct model_instrument *card = model_instrument_of(run->model, token);
    print_limits(run, HF_LIMIT_INSTRUMENT, token);
    if (card == NULL)
        return;
    fprintf(stderr, "card status %u flags %u remaining %" PRIu64 " amount limit %" PRIu64 "\n",
            card->status, card->flags, card->remaining, card->amount_limit);
    struct hf_id payers[HF_INSTRUMENT_ACCOUNTS_MAX];
    uint32_t count = model_payers_of(card, payers);
    for (uint32_t i = 0; i < count; i++)
        print_payer(run, payers[i]);
}

static void print_auth(const struct run *run, const struct hf_op_auth *auth)
{
    fprintf(stderr,
            "amount %" PRIu64 " minimum %" PRIu64
            " class %u tolerance %u flags %u acquirer %" PRIu64 " asset %u\n",
            auth->amount, auth->minimum, auth->class_number, auth->tolerance, auth->auth_flags,
            auth->acquirer, auth->asset);
    print_card(run, auth->token);
    print_account(run->model, "payee", auth->payee);
}

static void print_original(const struct run *run, struct hf_id id)
{
    const struct model_hold *hold = model_hold_of(run->model, id);
    fprintf(stderr, "original %" PRIx64 "/%" PRIx64 "\n", id.lo, id.hi);
    print_hold(run->model, id);
    if (hold != NULL && hold->record.is_there)
        print_card(run, hold->record.token);
    for (uint32_t i = 0; hold != NULL && i < hold->part_count; i++)
        print_payer(run, hold->parts[i].account);
}

static void print_clear(const struct run *run, const struct hf_op_clear *clear)
{
    fprintf(stderr,
            "amount %" PRIu64 " flags %u acquirer %" PRIu64 " asset %u token %" PRIu64 "/%" PRIu64
            "\n",
            clear->amount, clear->clear_flags, clear->acquirer, clear->asset, clear->token.lo,
            clear->token.hi);
    print_original(run, clear->original);
    print_card(run, clear->token);
    print_account(run->model, "payee", clear->payee);
}

/* All of them begin with the hold. */
static bool names_hold(uint8_t type)
{
    return type == HF_OP_CAPTURE || type == HF_OP_RELEASE || type == HF_OP_ADJUST ||
           type == HF_OP_ATTEST;
}

void print_operation(const struct run *run, const union hf_operation *operation)
{
    const struct hf_op_header *header = &operation->header;
    fprintf(stderr,
            "operation %s flags %#x origin %u id time %" PRIu64 " ms, bundle %" PRIu64
            " ns, floor %" PRIu64 " ms\n",
            hf_operation_name(header->type), header->flags, header->origin,
            hf_id_time_ms(header->id), run->draw.timestamp_ns,
            model_floor_ms(run->model, run->draw.timestamp_ns));
    print_bytes("bytes", operation, header->length);
    if (header->type == HF_OP_MOVE || header->type == HF_OP_HOLD) {
        fprintf(stderr, "amount %" PRIu64 "\n", operation->move.amount);
        print_account(run->model, "payer", operation->move.payer);
        print_account(run->model, "payee", operation->move.payee);
    }
    if (header->type == HF_OP_ACCOUNT_PUT || header->type == HF_OP_ACCOUNT_CLOSE)
        print_account(run->model, "account", operation->account_put.account);
    if (header->type == HF_OP_MOVE_PLAN)
        print_plan(run->model, &operation->move_plan.plan, operation->move_plan.entries);
    if (header->type == HF_OP_HOLD_PLAN)
        print_plan(run->model, &operation->hold_plan.plan, operation->hold_plan.entries);
    if (names_hold(header->type))
        print_hold(run->model, operation->capture.hold);
    if (header->type == HF_OP_LIMIT_PUT)
        print_limits(run, operation->limit_put.scope, operation->limit_put.scope_id);
    if (header->type == HF_OP_AUTH)
        print_auth(run, &operation->auth);
    if (header->type == HF_OP_INCREMENT || header->type == HF_OP_REVERSE) {
        fprintf(stderr, "amount %" PRIu64 " acquirer %" PRIu64 " asset %u captured or class %u\n",
                operation->reverse.amount, operation->reverse.acquirer, operation->reverse.asset,
                operation->reverse.captured);
        print_original(run, operation->reverse.original);
    }
    if (header->type == HF_OP_CLEAR)
        print_clear(run, &operation->clear);
    if (header->type == HF_OP_CHAIN) {
        const uint8_t *at = operation->chain.operations;
        for (uint32_t i = 0; i < operation->chain.count; i++) {
            const union hf_operation *inner = (const void *)at;
            fprintf(stderr, "%u: ", i + 1);
            print_operation(run, inner);
            at += inner->header.length;
        }
    }
}

_Noreturn void fail(const struct run *run, const char *what)
{
    if (run->note != NULL) {
        fprintf(stderr, "FAILED: %s\n%s\n", what, run->note);
        exit(1);
    }
    fprintf(stderr,
            "FAILED: %s\nat step %" PRIu64 "; again with: test_model --seed %" PRIu64
            " --operations %" PRIu64 "\n",
            what, run->step, run->seed, run->operations);
    exit(1);
}

void require(const struct run *run, bool holds, const char *what)
{
    if (!holds)
        fail(run, what);
}
