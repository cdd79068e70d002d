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
    begin(op, id, HF_OP_ACCOUNT_PUT, HF_ACCOUNT_PUT_SHORT);
    op->account_put.account = account;
    op->account_put.asset = asset;
    op->account_put.floor = floor;
    op->account_put.status = status;
}

void hf_make_account_terms(union hf_operation *op, struct hf_id id, struct hf_id account,
                           uint16_t asset, int64_t floor, uint8_t status)
{
    begin(op, id, HF_OP_ACCOUNT_PUT, sizeof op->account_put);
    op->account_put.account = account;
    op->account_put.asset = asset;
    op->account_put.floor = floor;
    op->account_put.status = status;
    op->account_put.ceiling = HF_CEILING_NONE;
}

void hf_make_account_close(union hf_operation *op, struct hf_id id, struct hf_id account,
                           struct hf_id sink)
{
    begin(op, id, HF_OP_ACCOUNT_CLOSE, sizeof op->account_close);
    op->account_close.account = account;
    op->account_close.sink = sink;
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
    begin(op, id, HF_OP_CAPTURE, HF_CAPTURE_SHORT);
    op->capture.hold = hold;
    op->capture.amount = amount;
    op->capture.final = final ? 1 : 0;
}

void hf_make_capture_for(union hf_operation *op, struct hf_id id, struct hf_id hold,
                         uint64_t amount, bool final, struct hf_id payee)
{
    begin(op, id, HF_OP_CAPTURE, sizeof op->capture);
    op->capture.hold = hold;
    op->capture.amount = amount;
    op->capture.final = final ? 1 : 0;
    op->capture.payee = payee;
}

void hf_make_release(union hf_operation *op, struct hf_id id, struct hf_id hold, uint64_t amount)
{
    begin(op, id, HF_OP_RELEASE, sizeof op->release);
    op->release.hold = hold;
    op->release.amount = amount;
}

void hf_make_adjust(union hf_operation *op, struct hf_id id, struct hf_id hold, uint8_t mode,
                    uint64_t amount, uint64_t expires_ns)
{
    begin(op, id, HF_OP_ADJUST, sizeof op->adjust);
    op->adjust.hold = hold;
    op->adjust.mode = mode;
    op->adjust.amount = amount;
    op->adjust.expires_ns = expires_ns;
}

void hf_make_attest(union hf_operation *op, struct hf_id id, struct hf_id hold, uint8_t condition,
                    uint32_t code, const void *proof, size_t proof_length)
{
    assert(proof_length <= HF_PROOF_MAX);
    assert(proof != NULL || proof_length == 0);
    begin(op, id, HF_OP_ATTEST, sizeof op->attest);
    op->attest.hold = hold;
    op->attest.condition = condition;
    op->attest.code = code;
    op->attest.proof_length = (uint8_t)proof_length;
    if (proof_length != 0)
        memcpy(op->attest.proof, proof, proof_length);
}

void hf_make_attestation(struct hf_attestation *attestation, struct hf_id hold, uint8_t condition,
                         uint32_t code)
{
    memset(attestation, 0, sizeof *attestation);
    memcpy(attestation->tag, HF_ATTESTATION_TAG, sizeof HF_ATTESTATION_TAG);
    attestation->hold = hold;
    attestation->condition = condition;
    attestation->code = code;
}

void hf_make_class_put(union hf_operation *op, struct hf_id id, uint8_t class_number,
                       uint64_t lifetime_ns)
{
    begin(op, id, HF_OP_CLASS_PUT, sizeof op->class_put);
    op->class_put.class_number = class_number;
    op->class_put.lifetime_ns = lifetime_ns;
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

void hf_make_auth_terms(union hf_operation *op, struct hf_id id, struct hf_id token,
                        struct hf_id payee, uint64_t amount, uint16_t asset, uint64_t minimum,
                        uint8_t class_number, uint16_t tolerance)
{
    hf_make_auth(op, id, token, payee, amount, asset);
    op->auth.minimum = minimum;
    op->auth.class_number = class_number;
    op->auth.tolerance = tolerance;
}

void hf_make_increment(union hf_operation *op, struct hf_id id, struct hf_id original,
                       uint64_t amount, uint16_t asset, uint64_t acquirer)
{
    begin(op, id, HF_OP_INCREMENT, sizeof op->increment);
    op->increment.original = original;
    op->increment.amount = amount;
    op->increment.asset = asset;
    op->increment.acquirer = acquirer;
}

void hf_make_reverse(union hf_operation *op, struct hf_id id, struct hf_id original,
                     uint64_t amount, uint16_t asset, uint64_t acquirer)
{
    begin(op, id, HF_OP_REVERSE, sizeof op->reverse);
    op->reverse.original = original;
    op->reverse.amount = amount;
    op->reverse.asset = asset;
    op->reverse.acquirer = acquirer;
}

void hf_make_clear(union hf_operation *op, struct hf_id id, struct hf_id original, uint64_t amount,
                   uint16_t asset, uint64_t acquirer, uint8_t clear_flags)
{
    begin(op, id, HF_OP_CLEAR, sizeof op->clear);
    op->clear.original = original;
    op->clear.amount = amount;
    op->clear.asset = asset;
    op->clear.acquirer = acquirer;
    op->clear.clear_flags = clear_flags;
}

static void begin_limit(union hf_operation *op, struct hf_id id, uint8_t scope,
                        struct hf_id scope_id, uint8_t number, uint8_t mode)
{
    begin(op, id, HF_OP_LIMIT_PUT, sizeof op->limit_put);
    op->limit_put.scope = scope;
    op->limit_put.scope_id = scope_id;
    op->limit_put.number = number;
    op->limit_put.mode = mode;
}

void hf_make_limit_put(union hf_operation *op, struct hf_id id, uint8_t scope,
                       struct hf_id scope_id, uint8_t number, uint8_t window, uint64_t max_amount,
                       uint64_t max_count)
{
    begin_limit(op, id, scope, scope_id, number, HF_LIMIT_SET);
    op->limit_put.window = window;
    op->limit_put.max_amount = max_amount;
    op->limit_put.max_count = max_count;
    op->limit_put.start = window == HF_LIMIT_WEEK || window == HF_LIMIT_MONTH ? 1 : 0;
}

void hf_make_limit_raise(union hf_operation *op, struct hf_id id, uint8_t scope,
                         struct hf_id scope_id, uint8_t number, uint64_t more_amount,
                         uint64_t more_count)
{
    begin_limit(op, id, scope, scope_id, number, HF_LIMIT_RAISE);
    op->limit_put.max_amount = more_amount;
    op->limit_put.max_count = more_count;
}

void hf_make_limit_reset(union hf_operation *op, struct hf_id id, uint8_t scope,
                         struct hf_id scope_id, uint8_t number)
{
    begin_limit(op, id, scope, scope_id, number, HF_LIMIT_RESET);
}

void hf_make_query(union hf_operation *op, struct hf_id id, uint8_t subject,
                   struct hf_id subject_id)
{
    begin(op, id, HF_OP_QUERY, sizeof op->query);
    op->query.subject = subject;
    op->query.subject_id = subject_id;
}

/* ---- lists ---- */

_Static_assert(sizeof HF_ATTESTATION_TAG == 16, "the tag and its NUL fill their field");

/* Room for `length` bytes more behind what is there, or NULL. */
static void *extend(union hf_operation_buffer *buffer, size_t length)
{
    struct hf_op_header *header = &buffer->operation.header;
    uint8_t *end = buffer->bytes + header->length;

    assert(length % 8 == 0);
    if (length > sizeof buffer->bytes - header->length)
        return NULL;
    header->length = (uint16_t)(header->length + length);
    return end;
}

struct hf_op_plan *hf_plan_of(union hf_operation_buffer *buffer)
{
    if (buffer->operation.header.type == HF_OP_HOLD_PLAN)
        return &buffer->operation.hold_plan.plan;
    assert(buffer->operation.header.type == HF_OP_MOVE_PLAN);
    return &buffer->operation.move_plan.plan;
}

void hf_make_move_plan_begin(union hf_operation_buffer *buffer, struct hf_id id, uint64_t amount,
                             uint16_t asset)
{
    begin(&buffer->operation, id, HF_OP_MOVE_PLAN, sizeof buffer->operation.move_plan);
    buffer->operation.move_plan.plan.amount = amount;
    buffer->operation.move_plan.plan.asset = asset;
}

void hf_make_hold_plan_begin(union hf_operation_buffer *buffer, struct hf_id id, uint64_t amount,
                             uint16_t asset, uint64_t expires_ns)
{
    begin(&buffer->operation, id, HF_OP_HOLD_PLAN, sizeof buffer->operation.hold_plan);
    buffer->operation.hold_plan.plan.amount = amount;
    buffer->operation.hold_plan.plan.asset = asset;
    buffer->operation.hold_plan.terms.expires_ns = expires_ns;
}

static uint32_t condition_count_of(const union hf_operation_buffer *buffer)
{
    bool is_hold = buffer->operation.header.type == HF_OP_HOLD_PLAN;

    return is_hold ? buffer->operation.hold_plan.terms.condition_count : 0;
}

static bool add_entry(union hf_operation_buffer *buffer, struct hf_id account, uint8_t rule,
                      uint64_t amount)
{
    struct hf_op_entry *entry = (struct hf_op_entry *)extend(buffer, sizeof *entry);

    assert(condition_count_of(buffer) == 0);
    if (entry == NULL)
        return false;
    memset(entry, 0, sizeof *entry);
    entry->account = account;
    entry->amount = amount;
    entry->rule = rule;
    return true;
}

bool hf_plan_add_source(union hf_operation_buffer *buffer, struct hf_id account, uint8_t rule,
                        uint64_t amount)
{
    struct hf_op_plan *plan = hf_plan_of(buffer);

    assert(plan->destination_count == 0);
    if (plan->source_count == HF_PLAN_CANDIDATES_MAX || !add_entry(buffer, account, rule, amount))
        return false;
    plan->source_count++;
    return true;
}

bool hf_plan_add_destination(union hf_operation_buffer *buffer, struct hf_id account, uint8_t rule,
                             uint64_t amount)
{
    struct hf_op_plan *plan = hf_plan_of(buffer);

    if (plan->destination_count == HF_PLAN_DESTINATIONS_MAX ||
        !add_entry(buffer, account, rule, amount))
        return false;
    plan->destination_count++;
    return true;
}

bool hf_plan_add_condition(union hf_operation_buffer *buffer,
                           const struct hf_op_condition *condition)
{
    struct hf_op_terms *terms = &buffer->operation.hold_plan.terms;
    void *end;

    assert(buffer->operation.header.type == HF_OP_HOLD_PLAN);
    if (terms->condition_count == HF_CONDITIONS_MAX)
        return false;
    end = extend(buffer, sizeof *condition);
    if (end == NULL)
        return false;
    memcpy(end, condition, sizeof *condition);
    terms->condition_count++;
    terms->required = terms->condition_count;
    return true;
}

bool hf_instrument_add_account(union hf_operation_buffer *buffer, struct hf_id account)
{
    struct hf_op_instrument_put *put = &buffer->operation.instrument_put;
    void *end;

    assert(put->header.type == HF_OP_INSTRUMENT_PUT);
    if (put->further_count == HF_INSTRUMENT_FURTHER_MAX)
        return false;
    end = extend(buffer, sizeof account);
    if (end == NULL)
        return false;
    memcpy(end, &account, sizeof account);
    put->further_count++;
    return true;
}

void hf_make_chain_begin(union hf_operation_buffer *buffer, struct hf_id id)
{
    begin(&buffer->operation, id, HF_OP_CHAIN, sizeof buffer->operation.chain);
}

bool hf_chain_add(union hf_operation_buffer *buffer, const union hf_operation *operation)
{
    struct hf_op_chain *chain = &buffer->operation.chain;
    void *end;

    assert(chain->header.type == HF_OP_CHAIN);
    if (chain->count == HF_CHAIN_OPERATIONS_MAX)
        return false;
    end = extend(buffer, operation->header.length);
    if (end == NULL)
        return false;
    memcpy(end, operation, operation->header.length);
    chain->count++;
    return true;
}
