#include "order.h"

#include "counters.h"
#include "wal/writer.h"

#include <assert.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Bundles ordered before the batch gets a chance to leave. */
#define ORDER_BUNDLES_MAX 16

#define BUNDLE_BYTES_MAX (HF_BUNDLE_OPERATIONS_MAX * HF_OPERATION_LENGTH_MAX)

static uint64_t clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The newest record with something in it: what may be shown now waits for this one (I6). */
static uint64_t newest_record(const struct orderer *orderer)
{
    bool filling = orderer->batch != NULL && orderer->batch->count != 0;

    return filling ? orderer->batch_index : orderer->batch_index - 1;
}

static void hand_over_batch(struct orderer *orderer)
{
    assert(orderer->at_log < orderer->depth);
    if (!ring_put(orderer->batches, orderer->batch))
        assert(!"the ring has room for every batch");
    orderer->batch = NULL;
    orderer->at_log++;
    orderer->batch_index++;
    counter_add(&orderer->batch_count, 1);
}

/* Makes sure that a batch with room for a whole bundle is at hand. False: the log has all of them;
 * come again. */
static bool has_batch(struct orderer *orderer)
{
    struct hf_log_batch *batch = orderer->batch;

    if (batch != NULL && hf_log_batch_room(batch) < BUNDLE_BYTES_MAX) {
        if (orderer->at_log == orderer->depth)
            return false;
        hand_over_batch(orderer);
        batch = NULL;
    }
    if (batch == NULL) {
        batch = ring_get(orderer->free_batches);
        if (batch == NULL)
            return false;
        hf_log_batch_begin(batch, 0, 0);
        orderer->batch = batch;
    }
    return true;
}

/* There are depth + 1 batches: what is neither here nor free is with the log poller. */
static void count_batches_at_log(struct orderer *orderer)
{
    uint32_t here = (orderer->batch != NULL) + ring_count(orderer->free_batches);

    assert(here >= 1);
    assert(here <= orderer->depth + 1);
    orderer->at_log = orderer->depth + 1 - here;
}

/* Every operation of the batch carries its one timestamp, set when the first of them comes; it
 * never falls. */
static uint64_t batch_timestamp(struct orderer *orderer)
{
    uint64_t newest = hf_ledger_timestamp_ns(orderer->ledger);
    uint64_t now = clock_ns();

    if (orderer->batch->count != 0)
        return orderer->batch->timestamp_ns;
    return now > newest ? now : newest + 1;
}

static void refuse_busy(struct bundle *bundle)
{
    for (uint32_t i = 0; i < bundle->operation_count; i++) {
        const struct hf_op_header *header = &bundle->operations[i].header;
        struct hf_reply *reply = &bundle->replies[i];
        memset(reply, 0, sizeof *reply);
        reply->length = sizeof *reply;
        reply->type = (uint8_t)(header->type | HF_REPLY_TYPE_BIT);
        reply->code = HF_CODE_BUSY;
        reply->rule = HF_RULE_LOG;
        reply->id = header->id;
    }
}

static void apply_operations(struct orderer *orderer, struct bundle *bundle)
{
    const union hf_operation *operations[HF_BUNDLE_OPERATIONS_MAX];
    uint64_t timestamp_ns = batch_timestamp(orderer);
    uint64_t placed;
    uint32_t placed_count;
    uint32_t approved = 0;

    for (uint32_t i = 0; i < bundle->operation_count; i++)
        operations[i] = &bundle->operations[i];
    if (orderer->batch->count == 0)
        hf_log_batch_begin(orderer->batch, timestamp_ns, hf_ledger_place(orderer->ledger) + 1);
    placed = hf_ledger_apply(orderer->ledger, timestamp_ns, operations, bundle->operation_count,
                             bundle->replies);
    placed_count = (uint32_t)__builtin_popcountll(placed);
    counter_add(&orderer->operations, placed_count);
    counter_add(&orderer->repeats, bundle->operation_count - placed_count);
    for (; placed != 0; placed &= placed - 1) {
        int i = __builtin_ctzll(placed);
        approved += bundle->replies[i].code == HF_CODE_OK;
        if (!hf_log_batch_add(orderer->batch, operations[i]))
            assert(!"a bundle fits the batch that was chosen for it");
    }
    counter_add(&orderer->approved, approved);
}

static void order_bundle(struct orderer *orderer, struct bundle *bundle)
{
    if (bundle->operation_count != 0) {
        if (atomic_load_explicit(orderer->log_full, memory_order_relaxed)) {
            refuse_busy(bundle);
            counter_add(&orderer->busy, bundle->operation_count);
        } else {
            apply_operations(orderer, bundle);
        }
    }
    for (uint32_t i = 0; i < bundle->extra_count; i++) {
        struct bundle_extra *extra = &bundle->extras[i];
        if (!extra->refused) {
            hf_ledger_query(orderer->ledger, &extra->query, &extra->answer);
            counter_add(&orderer->queries, 1);
        }
    }
    bundle->record_index = newest_record(orderer);
    counter_add(&orderer->bundles, 1);
}

static void answer_mailbox(struct orderer *orderer)
{
    struct mailbox *mailbox = orderer->mailbox;
    const uint64_t one = 1;

    mailbox->place = hf_ledger_place(orderer->ledger);
    mailbox->timestamp_ns = hf_ledger_timestamp_ns(orderer->ledger);
    mailbox->record_index = newest_record(orderer);
    atomic_store_explicit(&mailbox->state, MAILBOX_ANSWERED, memory_order_release);
    if (write(mailbox->event, &one, sizeof one) != sizeof one)
        assert(!"an eventfd takes a one");
}

static void look_into_mailbox(struct orderer *orderer)
{
    struct mailbox *mailbox = orderer->mailbox;

    if (atomic_load_explicit(&mailbox->state, memory_order_acquire) != MAILBOX_ASKED)
        return;
    mailbox->status = HF_STATUS_OK;
    switch (mailbox->request) {
    case MAILBOX_QUERY:
        hf_ledger_query(orderer->ledger, &mailbox->query, &mailbox->reply);
        break;
    case MAILBOX_COUNT:
        hf_ledger_count(orderer->ledger, &mailbox->counts);
        break;
    case MAILBOX_DIGEST:
        mailbox->digest = hf_ledger_digest(orderer->ledger);
        break;
    case MAILBOX_CHECKPOINT:
        orderer->checkpoint_asked = true;
        return;
    }
    answer_mailbox(orderer);
}

/* Nothing is ordered until the newest record is durable; then the ledger is exactly what the log
 * says. */
static void try_checkpoint(struct orderer *orderer)
{
    struct mailbox *mailbox = orderer->mailbox;

    if (atomic_load_explicit(orderer->commit_index, memory_order_acquire) < newest_record(orderer))
        return;
    mailbox->status = orderer->write_checkpoint(orderer->checkpoint_context, &mailbox->fault);
    orderer->checkpoint_asked = false;
    answer_mailbox(orderer);
}

uint32_t orderer_poll(struct orderer *orderer)
{
    uint32_t work = 0;

    if (!orderer->checkpoint_asked)
        look_into_mailbox(orderer);
    count_batches_at_log(orderer);
    while (!orderer->checkpoint_asked && work < ORDER_BUNDLES_MAX && has_batch(orderer)) {
        struct bundle *bundle = ring_get(orderer->received);
        if (bundle == NULL)
            break;
        order_bundle(orderer, bundle);
        if (!ring_put(orderer->applied, bundle))
            assert(!"the ring has room for every bundle");
        work++;
    }
    if (orderer->batch != NULL && orderer->batch->count != 0 && orderer->at_log < orderer->depth) {
        hand_over_batch(orderer);
        work++;
    }
    if (orderer->checkpoint_asked)
        try_checkpoint(orderer);
    return work;
}

bool orderer_is_pending(const struct orderer *orderer)
{
    return orderer->checkpoint_asked || ring_count(orderer->received) != 0 ||
           (orderer->batch != NULL && orderer->batch->count != 0);
}
