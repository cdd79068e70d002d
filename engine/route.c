/* Which shards an operation concerns: its accounts' homes, those of the totals above them, and of
 * what it names otherwise all that the operations before have named with it. */
#include "chain.h"
#include "shard_inside.h"

#include <assert.h>

#define FIRST_SHARD UINT64_C(1) /* all records but accounts are there */

uint32_t hf_shard_of(struct hf_id account, uint32_t count)
{
    __extension__ typedef unsigned __int128 wide;
    uint64_t family = account.hi != 0 ? account.hi : account.lo;

    /* The finalizer of MurmurHash3, and its upper bits by multiplication. */
    family = (family ^ family >> 33) * UINT64_C(0xff51afd7ed558ccd);
    family = (family ^ family >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    family ^= family >> 33;
    return (uint32_t)(((wide)family * count) >> 64);
}

/* What is above an account with terms; none for one without. */
static uint64_t above(const struct hf_shards *shards, struct hf_id account)
{
    return shards->accounts.count == 0 ? 0 : hf_directory_find(&shards->accounts, account);
}

static uint64_t of_account(const struct hf_shards *shards, struct hf_id account)
{
    if (hf_id_is_zero(account))
        return 0;
    return hf_shards_home(shards, account) | above(shards, account);
}

static uint64_t of_hold(const struct hf_shards *shards, struct hf_id id)
{
    return hf_id_is_zero(id) ? 0 : hf_directory_find(&shards->holds, id);
}

static uint64_t of_instrument(const struct hf_shards *shards, struct hf_id token)
{
    return hf_id_is_zero(token) ? 0 : hf_directory_find(&shards->instruments, token);
}

static uint64_t of_entries(const struct hf_shards *shards, const struct hf_op_plan *plan,
                           const struct hf_op_entry *entries)
{
    uint64_t concerned = 0;

    for (uint32_t i = 0; i < (uint32_t)plan->source_count + plan->destination_count; i++)
        concerned |= of_account(shards, entries[i].account);
    return concerned;
}

/* Terms are for good, and so is the parent: an account that ever asked for some is noted with all
 * that is above it, whether it got them or not. */
static void note_terms(struct hf_shards *shards, const struct hf_op_account_put *put)
{
    if (put->header.length == HF_ACCOUNT_PUT_SHORT)
        return;
    hf_directory_add(&shards->accounts, put->account,
                     hf_shards_home(shards, put->account) | of_account(shards, put->parent));
}

/* An account's first limit gives it terms. */
static uint64_t note_limit(struct hf_shards *shards, const struct hf_op_limit_put *put)
{
    if (put->scope != HF_LIMIT_ACCOUNT)
        return 0;
    hf_directory_add(&shards->accounts, put->scope_id, hf_shards_home(shards, put->scope_id));
    return of_account(shards, put->scope_id);
}

static uint64_t note_instrument(struct hf_shards *shards, const struct hf_op_instrument_put *put)
{
    uint64_t concerned = of_account(shards, put->account);

    for (uint32_t i = 0; i < put->further_count; i++)
        concerned |= of_account(shards, put->further[i]);
    hf_directory_add(&shards->instruments, put->token, concerned);
    return of_instrument(shards, put->token);
}

/* A new hold, or record of an authorisation, under the operation's own id. */
static uint64_t note_made(struct hf_shards *shards, const union hf_operation *operation,
                          uint64_t concerned)
{
    hf_directory_add(&shards->holds, operation->header.id, concerned | FIRST_SHARD);
    return concerned;
}

/* Something more about a hold that is there, or perhaps will be. */
static uint64_t note_more(struct hf_shards *shards, struct hf_id hold, uint64_t concerned)
{
    uint64_t known = of_hold(shards, hold);

    if (!hf_id_is_zero(hold) && (concerned & ~known) != 0)
        hf_directory_add(&shards->holds, hold, concerned);
    return known | concerned;
}

static uint64_t of_chain(struct hf_shards *shards, const struct hf_op_chain *chain);

/* All that an operation by shard 0 concerns besides it. */
static uint64_t of_whole(struct hf_shards *shards, const union hf_operation *operation)
{
    switch (operation->header.type) {
    case HF_OP_ACCOUNT_PUT:
        note_terms(shards, &operation->account_put);
        return shards->all; /* the table of accounts is everybody's */
    case HF_OP_ACCOUNT_CLOSE:
    case HF_OP_EXPIRE:
        return shards->all;
    case HF_OP_MOVE:
        return of_account(shards, operation->move.payer) |
               of_account(shards, operation->move.payee);
    case HF_OP_MOVE_PLAN:
        return of_entries(shards, &operation->move_plan.plan, operation->move_plan.entries);
    case HF_OP_CHAIN:
        return of_chain(shards, &operation->chain);
    case HF_OP_HOLD:
        return note_made(shards, operation,
                         of_account(shards, operation->hold.payer) |
                             of_account(shards, operation->hold.payee));
    case HF_OP_HOLD_PLAN:
        return note_made(
            shards, operation,
            of_entries(shards, &operation->hold_plan.plan, operation->hold_plan.entries));
    case HF_OP_CAPTURE:
        if (operation->header.length == HF_CAPTURE_SHORT)
            return of_hold(shards, operation->capture.hold);
        return note_more(shards, operation->capture.hold,
                         of_account(shards, operation->capture.payee));
    case HF_OP_RELEASE:
        return of_hold(shards, operation->release.hold);
    case HF_OP_ADJUST:
        return of_hold(shards, operation->adjust.hold);
    case HF_OP_ATTEST:
        return of_hold(shards, operation->attest.hold);
    case HF_OP_INSTRUMENT_PUT:
        return note_instrument(shards, &operation->instrument_put);
    case HF_OP_AUTH:
        return note_made(shards, operation,
                         of_instrument(shards, operation->auth.token) |
                             of_account(shards, operation->auth.payee));
    case HF_OP_INCREMENT:
        return of_hold(shards, operation->increment.original);
    case HF_OP_REVERSE:
        return of_hold(shards, operation->reverse.original);
    case HF_OP_CLEAR:
        return note_made(shards, operation,
                         note_more(shards, operation->clear.original,
                                   of_instrument(shards, operation->clear.token) |
                                       of_account(shards, operation->clear.payee)));
    case HF_OP_LIMIT_PUT:
        return note_limit(shards, &operation->limit_put);
    default: /* assets and classes: no account is looked at */
        assert(operation->header.type == HF_OP_ASSET_PUT ||
               operation->header.type == HF_OP_CLASS_PUT);
        return 0;
    }
}

static uint64_t of_chain(struct hf_shards *shards, const struct hf_op_chain *chain)
{
    uint64_t concerned = 0;
    size_t offset = 0;

    for (uint32_t i = 0; i < chain->count; i++) {
        const union hf_operation *operation = hf_chain_operation(chain, offset);
        concerned |= of_whole(shards, operation);
        offset += operation->header.length;
    }
    return concerned;
}

struct hf_route hf_route_operation(struct hf_shards *shards, const union hf_operation *operation)
{
    const struct hf_op_move *move = &operation->move;

    if (__builtin_expect(operation->header.type == HF_OP_MOVE, 1) &&
        __builtin_expect(above(shards, move->payer) == 0 && above(shards, move->payee) == 0, 1)) {
        uint32_t payer = hf_shard_of(move->payer, shards->count);
        uint32_t payee = hf_shard_of(move->payee, shards->count);
        return (struct hf_route){UINT64_C(1) << payer | UINT64_C(1) << payee, payer, false};
    }
    return (struct hf_route){(of_whole(shards, operation) | FIRST_SHARD) & shards->all, 0, true};
}
