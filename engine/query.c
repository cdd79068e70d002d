/* QUERY: looks at one record and changes nothing. */
#include "state.h"

#include <assert.h>
#include <string.h>

static bool view_account(const struct hf_ledger *ledger, struct hf_id id,
                         struct hf_query_reply *reply)
{
    struct hf_account_view *view = &reply->view.account;
    uint32_t slot = hf_table_find(&ledger->accounts, id, hf_id_hash(id));

    if (slot == HF_TABLE_NONE)
        return false;
    const struct hf_account *account = hf_account_at(&ledger->accounts, slot);
    const struct hf_asset *asset = hf_asset_find(&ledger->assets, account->asset);
    assert(asset != NULL);
    view->id = account->id;
    view->posted = account->posted;
    view->available = hf_account_available(hf_account_spendable(account), account->floor);
    view->held_out = account->held_out;
    view->held_in = account->held_in;
    view->lifetime_debits = account->lifetime_debits;
    view->floor = account->floor;
    view->asset = account->asset;
    view->status = account->status;
    view->scale = asset->scale;
    reply->reply.available = view->available;
    reply->reply.posted = view->posted;
    reply->reply.length += sizeof(*view);
    return true;
}

static bool view_instrument(const struct hf_ledger *ledger, struct hf_id token,
                            struct hf_query_reply *reply)
{
    struct hf_instrument_view *view = &reply->view.instrument;
    uint32_t slot = hf_table_find(&ledger->instruments, token, hf_id_hash(token));

    if (slot == HF_TABLE_NONE)
        return false;
    const struct hf_instrument *instrument = hf_instrument_at(&ledger->instruments, slot);
    view->token = instrument->token;
    view->account = hf_table_key(&ledger->accounts, instrument->account);
    view->expires_ns = instrument->expires_ns;
    view->amount_limit = instrument->amount_limit;
    view->remaining = instrument->remaining;
    view->status = instrument->status;
    view->flags = instrument->flags;
    reply->reply.length += sizeof(*view);
    return true;
}

static bool view_operation(const struct hf_ledger *ledger, struct hf_id id,
                           struct hf_query_reply *reply)
{
    uint64_t hash = hf_id_hash(id);
    const struct hf_answer *answer =
        hf_seen_find(&ledger->seen, hf_seen_home(&ledger->seen, hash), id, hash);

    if (answer == NULL)
        answer = hf_hold_answer(&ledger->holds, id, hash);
    if (answer == NULL)
        return false;
    hf_answer_write_reply(answer, true, &reply->view.operation);
    reply->reply.length += sizeof(reply->view.operation);
    return true;
}

static bool view_hold(const struct hf_ledger *ledger, struct hf_id id, struct hf_query_reply *reply)
{
    struct hf_hold_view *view = &reply->view.hold;
    uint32_t slot = hf_table_find(&ledger->holds.table, id, hf_id_hash(id));

    if (slot == HF_TABLE_NONE)
        return false;
    const struct hf_hold *hold = hf_hold_at(&ledger->holds, slot);
    view->id = hold->id;
    view->payer = hf_table_key(&ledger->accounts, hold->payer);
    view->payee = hf_table_key(&ledger->accounts, hold->payee);
    view->amount = hold->amount;
    view->remaining = hold->remaining;
    view->captured = hold->captured;
    view->asset = hold->asset;
    view->status = hold->status;
    reply->reply.length += sizeof(*view);
    return true;
}

/* OK, or the code that says there is no such record. */
static uint16_t look_up(const struct hf_ledger *ledger, const struct hf_op_query *query,
                        struct hf_query_reply *reply)
{
    struct hf_id id = query->subject_id;

    switch (query->subject) {
    case HF_QUERY_ACCOUNT:
        return view_account(ledger, id, reply) ? HF_CODE_OK : HF_CODE_UNKNOWN_ACCOUNT;
    case HF_QUERY_INSTRUMENT:
        return view_instrument(ledger, id, reply) ? HF_CODE_OK : HF_CODE_UNKNOWN_INSTRUMENT;
    case HF_QUERY_OPERATION:
        return view_operation(ledger, id, reply) ? HF_CODE_OK : HF_CODE_UNKNOWN_OPERATION;
    default:
        assert(query->subject == HF_QUERY_HOLD);
        return view_hold(ledger, id, reply) ? HF_CODE_OK : HF_CODE_UNKNOWN_HOLD;
    }
}

void hf_ledger_query(const struct hf_ledger *ledger, const struct hf_op_query *query,
                     struct hf_query_reply *reply)
{
    assert(ledger->magic == HF_LEDGER_MAGIC);
    assert(query->header.type == HF_OP_QUERY);
    memset(reply, 0, sizeof(*reply));
    reply->reply.length = sizeof(reply->reply);
    reply->reply.type = HF_OP_QUERY | HF_REPLY_TYPE_BIT;
    reply->reply.id = query->header.id;
    reply->reply.place = hf_ledger_place(ledger);
    reply->reply.timestamp_ns = ledger->timestamp_ns;
    reply->reply.code = look_up(ledger, query, reply);
    if (reply->reply.code != HF_CODE_OK)
        reply->reply.rule = HF_RULE_SUBJECT;
}
