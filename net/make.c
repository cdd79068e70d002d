/* Builders: whole operations from a few arguments, so that nobody fills headers by hand.
 *
 * Each clears exactly the operation's own length: reserved bytes are zero as the shape check wants
 * them, and nothing is spent on the rest of the union. */
#include "holdfast.h"

#include <assert.h>
#include <string.h>

static void begin(union hf_operation *op, struct hf_id id, uint8_t type, size_t length)
{
    assert(op != NULL);
    assert(length <= sizeof *op);
    memset(op, 0, length);
    op->header.length = (uint16_t)length;
    op->header.type = type;
    op->header.id = id;
}

void hf_make_asset_put(union hf_operation *op, struct hf_id id, uint16_t asset, const char *code,
                       uint8_t scale)
{
    size_t length = strlen(code);
    assert(length <= sizeof op->asset_put.code);
    begin(op, id, HF_OP_ASSET_PUT, sizeof op->asset_put);
    op->asset_put.asset = asset;
    op->asset_put.scale = scale;
    memcpy(op->asset_put.code, code, length);
}

void hf_make_account_put(union hf_operation *op, struct hf_id id, struct hf_id account,
                         uint16_t asset, int64_t floor, uint8_t status)
{
    begin(op, id, HF_OP_ACCOUNT_PUT, sizeof op->account_put);
    op->account_put.account = account;
    op->account_put.asset = asset;
    op->account_put.floor = floor;
    op->account_put.status = status;
}

void hf_make_move(union hf_operation *op, struct hf_id id, struct hf_id payer, struct hf_id payee,
                  uint64_t amount, uint16_t asset)
{
    begin(op, id, HF_OP_MOVE, sizeof op->move);
    op->move.payer = payer;
    op->move.payee = payee;
    op->move.amount = amount;
    op->move.asset = asset;
}

void hf_make_hold(union hf_operation *op, struct hf_id id, struct hf_id payer, struct hf_id payee,
                  uint64_t amount, uint16_t asset)
{
    begin(op, id, HF_OP_HOLD, sizeof op->hold);
    op->hold.payer = payer;
    op->hold.payee = payee;
    op->hold.amount = amount;
    op->hold.asset = asset;
}

void hf_make_capture(union hf_operation *op, struct hf_id id, struct hf_id hold, uint64_t amount,
                     bool final)
{
    begin(op, id, HF_OP_CAPTURE, sizeof op->capture);
    op->capture.hold = hold;
    op->capture.amount = amount;
    op->capture.final = final ? 1 : 0;
}

void hf_make_release(union hf_operation *op, struct hf_id id, struct hf_id hold, uint64_t amount)
{
    begin(op, id, HF_OP_RELEASE, sizeof op->release);
    op->release.hold = hold;
    op->release.amount = amount;
}

void hf_make_instrument_put(union hf_operation *op, struct hf_id id, struct hf_id token,
                            struct hf_id account, uint8_t status, uint64_t remaining,
                            uint64_t amount_limit)
{
    begin(op, id, HF_OP_INSTRUMENT_PUT, sizeof op->instrument_put);
    op->instrument_put.token = token;
    op->instrument_put.account = account;
    op->instrument_put.status = status;
    op->instrument_put.remaining = remaining;
    op->instrument_put.amount_limit = amount_limit;
}

void hf_make_auth(union hf_operation *op, struct hf_id id, struct hf_id token, struct hf_id payee,
                  uint64_t amount, uint16_t asset)
{
    begin(op, id, HF_OP_AUTH, sizeof op->auth);
    op->auth.token = token;
    op->auth.payee = payee;
    op->auth.amount = amount;
    op->auth.asset = asset;
}

void hf_make_query(union hf_operation *op, struct hf_id id, uint8_t subject,
                   struct hf_id subject_id)
{
    begin(op, id, HF_OP_QUERY, sizeof op->query);
    op->query.subject = subject;
    op->query.subject_id = subject_id;
}
