#include "order.h"

#include "clock.h"
#include "counters.h"
#include "engine/image.h"
#include "replication/pair.h"
#include "wal/replay.h"
#include "wal/writer.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

/* Records applied in one poll. */
#define APPLY_RECORDS_MAX 16
/* Bundles ordered before the batch gets a chance to leave. */
#define ORDER_BUNDLES_MAX 16
/* Bundles of queries answered in one poll: some fifty microseconds. */
#define ORDER_ASKED_MAX 4
/* A divided ledger comes to a halt so often at least, nanoseconds: holds end no later than that. */
#define HALT_NS 1000000

/* The bits that UUID version 7 wants in an id that the node makes. */
#define ID_UPPER UINT16_C(0x7000)
#define ID_LOWER (UINT64_C(1) << 63)

/* The newest batch with something in it: what may be shown now waits for this one (I6). The log
 * numbers records, of which some are its own; here only batches count. */
static uint64_t newest_batch(const struct orderer *orderer)
{
    bool filling = orderer->batch != NULL && orderer->batch->count != 0;

    return filling ? orderer->batch_index : orderer->batch_index - 1;
}

static void hand_over_batch(struct orderer *orderer)
{
    assert(orderer->at_log < orderer->at_log_most);
    if (!ring_put(orderer->batches, orderer->batch))
        assert(!"the ring has room for every batch");
    orderer->batch = NULL;
    orderer->at_log++;
    orderer->batch_index++;
    counter_add(&orderer->batch_count, 1);
}

/* Makes sure that a batch with room for so many bytes is at hand. False: the log has all of them;
 * come again. */
static bool has_batch(struct orderer *orderer, uint32_t room)
{
    struct hf_log_batch *batch = orderer->batch;

    if (batch != NULL && hf_log_batch_room(batch) < room) {
        if (orderer->at_log == orderer->at_log_most)
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

/* There are at_log_most + 1 batches: what is neither here nor free is with the log poller. */
static void count_batches_at_log(struct orderer *orderer)
{
    uint32_t here = (orderer->batch != NULL) + ring_count(orderer->free_batches);

    assert(here >= 1);
    assert(here <= orderer->at_log_most + 1);
    orderer->at_log = orderer->at_log_most + 1 - here;
}

/* Every operation of the batch carries its one timestamp, set when the first of them comes; it
 * never falls. */
static uint64_t batch_timestamp(struct orderer *orderer)
{
    uint64_t newest = hf_ledger_timestamp_ns(orderer->ledger);
    uint64_t now = clock_wall_ns() + orderer->clock_ahead_ns;

    if (orderer->batch->count != 0)
        return orderer->batch->timestamp_ns;
    return now > newest ? now : newest + 1;
}

static void refuse_busy(struct bundle *bundle)
{
    for (uint32_t i = 0; i < bundle->operation_count; i++) {
        const struct hf_op_header *header = &bundle->operations[i]->header;
        struct hf_reply *reply = &bundle->replies[i];
        memset(reply, 0, sizeof *reply);
        reply->length = sizeof *reply;
        reply->type = (uint8_t)(header->type | HF_REPLY_TYPE_BIT);
        reply->code = HF_CODE_BUSY;
        reply->rule = HF_RULE_LOG;
        reply->id = header->id;
    }
}

/* What is ordered next goes into the batch at this time. */
static void begin_batch(struct orderer *orderer, uint64_t timestamp_ns)
{
    if (orderer->batch->count == 0)
        hf_log_batch_begin(orderer->batch, timestamp_ns, hf_ledger_place(orderer->ledger) + 1);
}

/* Puts the operations that took a place into the batch. */
static void log_placed(struct orderer *orderer, const union hf_operation *const operations[],
                       uint64_t placed)
{
    for (; placed != 0; placed &= placed - 1) {
        if (!hf_log_batch_add(orderer->batch, operations[__builtin_ctzll(placed)]))
            assert(!"a bundle fits the batch that was chosen for it");
    }
}

/* Applies operations at this time, the batch's, and puts those that took a place into it. */
static uint64_t apply(struct orderer *orderer, uint64_t timestamp_ns,
                      const union hf_operation *const operations[], uint32_t count,
                      struct hf_reply replies[])
{
    begin_batch(orderer, timestamp_ns);
    uint64_t placed = hf_ledger_apply(orderer->ledger, timestamp_ns, operations, count, replies);
    log_placed(orderer, operations, placed);
    return placed;
}

/* Counts what has been ordered. A repeat is answered from what is remembered. */
static void count_ordered(struct orderer *orderer, struct bundle *bundle)
{
    uint32_t placed_count = (uint32_t)__builtin_popcountll(bundle->placed);

    bundle->reads = placed_count != bundle->operation_count;
    counter_add(&orderer->operations, placed_count);
    counter_add(&orderer->repeats, bundle->operation_count - placed_count);
}

static void count_approved(struct orderer *orderer, const struct bundle *bundle)
{
    uint32_t approved = 0;

    for (uint64_t left = bundle->placed; left != 0; left &= left - 1)
        approved += bundle->replies[__builtin_ctzll(left)].code <= HF_CODE_OK_PARTIAL;
    counter_add(&orderer->approved, approved);
}

/* An id for an operation of the node's own. Its time is log time, or the earliest that can still be
 * told from forgotten ids, when clients whose clocks are ahead have filled the memory of ids. The
 * next place is nobody else's. */
static struct hf_id own_id(const struct orderer *orderer, uint64_t timestamp_ns)
{
    struct hf_ledger_counts counts;
    uint64_t time_ms = timestamp_ns / 1000000;

    hf_ledger_count(orderer->ledger, &counts);
    if (time_ms < counts.floor_ms)
        time_ms = counts.floor_ms;
    return hf_id_make_operation(time_ms, ID_UPPER,
                                ID_LOWER | (hf_ledger_place(orderer->ledger) + 1));
}

/* Orders what is due to expire, as much as one EXPIRE can name. Returns 1 when there was something,
 * else 0. An id that a client has guessed and used takes no place: the next look tries another. */
static uint32_t order_expire(struct orderer *orderer)
{
    union hf_expire_room made;
    const union hf_operation *operation = &made.operation;
    struct hf_reply reply;
    uint64_t timestamp_ns;

    if (atomic_load_explicit(orderer->log_full, memory_order_relaxed) ||
        atomic_load_explicit(orderer->stopping, memory_order_relaxed))
        return 0;
    if (!has_batch(orderer, sizeof made))
        return 0;
    timestamp_ns = batch_timestamp(orderer);
    if (!hf_ledger_make_expire(orderer->ledger, timestamp_ns, &made.expire))
        return 0;
    made.expire.header.id = own_id(orderer, timestamp_ns);
    made.expire.header.origin = 0;
    assert(hf_operation_check(operation, sizeof made).code == HF_CODE_OK);
    if (apply(orderer, timestamp_ns, &operation, 1, &reply) == 0)
        return 0;
    counter_add(&orderer->expire_operations, 1);
    counter_add(&orderer->expired, reply.approved);
    return 1;
}

static bool is_whole(const struct orderer *orderer)
{
    return orderer->divided == NULL || divide_is_whole(orderer->divided);
}

/* All answers are there: it leaves. */
static void finish_bundle(struct orderer *orderer, struct bundle *bundle)
{
    count_approved(orderer, bundle);
    counter_add(&orderer->bundles, 1);
    if (!ring_put(orderer->applied, bundle))
        assert(!"the ring has room for every bundle");
}

/* Takes back what the shards have applied. */
static uint32_t collect(struct orderer *orderer)
{
    struct bundle *bundle;
    uint32_t count = 0;

    for (; (bundle = divide_collect(orderer->divided)) != NULL; count++)
        finish_bundle(orderer, bundle);
    if (is_whole(orderer)) {
        orderer->is_halting = false;
        orderer->halted_ns = clock_monotonic_ns();
    }
    return count;
}

/* Must a divided ledger come to a halt before anything more is ordered? */
static bool must_halt(const struct orderer *orderer)
{
    return orderer->is_halting ||
           atomic_load_explicit(&orderer->mailbox->state, memory_order_relaxed) == MAILBOX_ASKED ||
           clock_monotonic_ns() - orderer->halted_ns > HALT_NS;
}

/* Hands the operations to the shards. False: not now. */
static bool submit(struct orderer *orderer, struct bundle *bundle)
{
    uint64_t timestamp_ns = batch_timestamp(orderer);

    begin_batch(orderer, timestamp_ns);
    if (!divide_submit(orderer->divided, timestamp_ns, bundle, &bundle->placed))
        return false;
    log_placed(orderer, bundle->operations, bundle->placed);
    count_ordered(orderer, bundle);
    bundle->batch_index = newest_batch(orderer);
    return true;
}

/* False: it has to wait. */
static bool order_bundle(struct orderer *orderer, struct bundle *bundle)
{
    bool is_full = atomic_load_explicit(orderer->log_full, memory_order_relaxed);

    if (orderer->divided != NULL && !is_full && bundle->operation_count != 0)
        return submit(orderer, bundle);
    bundle->reads = false;
    bundle->placed = 0;
    if (bundle->operation_count != 0 && is_full) {
        refuse_busy(bundle);
        counter_add(&orderer->busy, bundle->operation_count);
    } else if (bundle->operation_count != 0) {
        bundle->placed = apply(orderer, batch_timestamp(orderer), bundle->operations,
                               bundle->operation_count, bundle->replies);
        count_ordered(orderer, bundle);
    }
    bundle->batch_index = newest_batch(orderer);
    finish_bundle(orderer, bundle);
    return true;
}

static void answer_mailbox(struct orderer *orderer)
{
    struct mailbox *mailbox = orderer->mailbox;
    const uint64_t one = 1;

    mailbox->place = hf_ledger_place(orderer->ledger);
    mailbox->timestamp_ns = hf_ledger_timestamp_ns(orderer->ledger);
    mailbox->batch_index = newest_batch(orderer);
    atomic_store_explicit(&mailbox->state, MAILBOX_ANSWERED, memory_order_release);
    if (write(mailbox->event, &one, sizeof one) != sizeof one)
        assert(!"an eventfd takes a one");
}

/* All limits of the account or instrument just looked up, page by page: what is shown together is
 * of one moment. */
static void add_limits(const struct hf_ledger *ledger, struct mailbox *mailbox)
{
    const uint8_t subject = mailbox->query.subject;
    struct hf_op_query query = mailbox->query;
    struct hf_query_reply page;

    mailbox->limit_count = 0;
    if (mailbox->reply.reply.code != HF_CODE_OK ||
        (subject != HF_QUERY_ACCOUNT && subject != HF_QUERY_INSTRUMENT))
        return;
    query.subject =
        subject == HF_QUERY_ACCOUNT ? HF_QUERY_ACCOUNT_LIMITS : HF_QUERY_INSTRUMENT_LIMITS;
    do {
        hf_ledger_query(ledger, &query, &page);
        assert(page.reply.code == HF_CODE_OK);
        assert(page.view.limits.count <= HF_LIMITS_A_SCOPE - mailbox->limit_count);
        memcpy(&mailbox->limits[mailbox->limit_count], page.view.limits.lines,
               page.view.limits.count * sizeof(struct hf_limit_line));
        mailbox->limit_count += page.view.limits.count;
        query.cursor = page.view.limits.next_cursor;
    } while (query.cursor != 0);
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
        add_limits(orderer->ledger, mailbox);
        break;
    case MAILBOX_COUNT:
        hf_ledger_count(orderer->ledger, &mailbox->counts);
        mailbox->image_bytes = hf_image_length(orderer->ledger);
        break;
    case MAILBOX_DIGEST:
        mailbox->digest = hf_ledger_digest(orderer->ledger);
        break;
    case MAILBOX_ADVANCE:
        orderer->clock_ahead_ns += mailbox->advance_ns;
        mailbox->clock_ahead_ns = orderer->clock_ahead_ns;
        break;
    case MAILBOX_CHECKPOINT:
        orderer->checkpoint_asked = true;
        return;
    }
    answer_mailbox(orderer);
}

/* Nothing is ordered until the newest batch is durable; then the ledger is exactly what the log
 * says. */
static void try_checkpoint(struct orderer *orderer)
{
    struct mailbox *mailbox = orderer->mailbox;

    if (atomic_load_explicit(orderer->committed_batch, memory_order_acquire) <
        newest_batch(orderer))
        return;
    mailbox->status = orderer->write_checkpoint(orderer->checkpoint_context, &mailbox->fault);
    if (mailbox->status == HF_STATUS_AGAIN)
        return;
    orderer->checkpoint_asked = false;
    answer_mailbox(orderer);
}

/* Has the log say what the state is, once all that led to it is on its way there. That walks all of
 * the state, and nothing is ordered meanwhile: so it is done seldom, takes a thousandth of the time
 * at most, and is left out where twice the time that the last one took would be too long. */
static void order_digest(struct orderer *orderer)
{
    uint64_t place = hf_ledger_place(orderer->ledger);
    uint64_t began_ns = clock_monotonic_ns();
    struct hf_id digest;

    if (began_ns < orderer->digest_due_ns || place == orderer->digest_place ||
        2 * orderer->digest_cost_ns > orderer->digest_pause_ns ||
        orderer->at_log == orderer->at_log_most || !has_batch(orderer, 0) ||
        orderer->batch->count != 0)
        return;
    digest = hf_ledger_digest(orderer->ledger);
    orderer->digest_cost_ns = clock_monotonic_ns() - began_ns;
    orderer->digest_due_ns =
        began_ns + (orderer->digest_interval_ns > 1000 * orderer->digest_cost_ns
                        ? orderer->digest_interval_ns
                        : 1000 * orderer->digest_cost_ns);
    orderer->digest_place = place;
    hf_log_batch_mark(orderer->batch, hf_ledger_timestamp_ns(orderer->ledger), place + 1, digest);
    hand_over_batch(orderer);
    counter_add(&orderer->digests, 1);
}

/* The next bundle of the receive pollers' rings, taken one after the other. */
static struct bundle *take_in_turn(struct rte_ring *const rings[], uint32_t count, uint32_t *next)
{
    for (uint32_t i = 0; i < count; i++) {
        struct bundle *bundle = ring_get(rings[*next]);
        *next = (*next + 1) % count;
        if (bundle != NULL)
            return bundle;
    }
    return NULL;
}

/* The next bundle, when a batch has room for all its operations; else NULL. */
static struct bundle *next_bundle(struct orderer *orderer)
{
    struct bundle *bundle = orderer->waiting;

    if (bundle == NULL)
        bundle = take_in_turn(orderer->received, orderer->received_count, &orderer->received_next);
    orderer->waiting = bundle;
    if (bundle == NULL || !has_batch(orderer, bundle->byte_count))
        return NULL;
    orderer->waiting = NULL;
    return bundle;
}

static void answer_queries(struct orderer *orderer, struct bundle *bundle)
{
    for (uint32_t i = 0; i < bundle->extra_count; i++)
        hf_ledger_query(orderer->ledger, &bundle->extras[i].query, &bundle->extras[i].answer);
    counter_add(&orderer->queries, bundle->extra_count);
    bundle->placed = 0;
    bundle->reads = true;
    bundle->batch_index = newest_batch(orderer);
    finish_bundle(orderer, bundle);
}

/* Answers some of the queries that wait, each when what was handed on before it has been ordered;
 * of a divided ledger, all of which they look at, when nothing is under way. Returns the number of
 * bundles. */
static uint32_t answer_asked(struct orderer *orderer)
{
    uint32_t count = 0;

    for (; count < ORDER_ASKED_MAX; count++) {
        struct bundle *bundle = orderer->asking;
        if (bundle == NULL)
            bundle = take_in_turn(orderer->asked, orderer->received_count, &orderer->asked_next);
        orderer->asking = bundle;
        if (bundle == NULL || bundle->after > orderer->ordered[bundle->home])
            break;
        if (!is_whole(orderer)) {
            orderer->is_halting = true;
            break;
        }
        answer_queries(orderer, bundle);
        orderer->asking = NULL;
    }
    return count;
}

/* Of a node that does not lead, or does not yet: carries out what the primary has ordered, once it
 * is committed. False: there is something left to apply before this node may order anything. */
static bool apply_committed(struct orderer *orderer, uint32_t *work)
{
    struct hf_pair *pair = orderer->pair;
    const struct hf_record_header *record;

    if (atomic_load_explicit(&orderer->diverged, memory_order_relaxed))
        return false;
    while (*work < APPLY_RECORDS_MAX && (record = hf_pair_next_committed(pair)) != NULL) {
        if (hf_replay_record(orderer->ledger, record, NULL, NULL, &orderer->fault) !=
            HF_STATUS_OK) { /* P7 */
            hf_pair_say_diverged(pair, record->index);
            atomic_store_explicit(&orderer->diverged, true, memory_order_release);
            return false;
        }
        hf_pair_applied(pair, record);
        counter_add(&orderer->followed, 1);
        (*work)++;
    }
    return hf_pair_leads(pair) && hf_pair_must_apply(pair) == 0;
}

/* Of a node in a pair: does it lead, with nothing left to apply as a follower? */
static bool may_order(struct orderer *orderer, uint32_t *work)
{
    uint32_t applied = 0;

    if (!is_whole(orderer))
        return hf_pair_leads(orderer->pair);
    bool may = apply_committed(orderer, &applied);
    orderer->is_followed = orderer->is_followed || applied != 0;
    if (may && orderer->is_followed && orderer->divided != NULL)
        divide_renew(orderer->divided);
    orderer->is_followed = orderer->is_followed && !may;
    *work += applied;
    return may;
}

uint32_t orderer_poll(struct orderer *orderer)
{
    uint32_t work = orderer->divided == NULL ? 0 : collect(orderer);

    if (!orderer->checkpoint_asked && is_whole(orderer))
        look_into_mailbox(orderer);
    if (orderer->pair != NULL && !may_order(orderer, &work))
        return work;
    count_batches_at_log(orderer);
    if (orderer->digest_interval_ns != 0 && is_whole(orderer) && !orderer->checkpoint_asked)
        order_digest(orderer);
    /* A divided ledger has come to a halt for them. */
    if (orderer->divided != NULL && is_whole(orderer) && !orderer->checkpoint_asked)
        work += answer_asked(orderer);
    for (uint32_t bundles = 0; !orderer->checkpoint_asked && bundles < ORDER_BUNDLES_MAX;
         bundles++) {
        struct bundle *bundle;

        if (is_whole(orderer)) {
            work += order_expire(orderer);
        } else if (must_halt(orderer)) {
            counter_add(&orderer->waits, 1);
            break;
        }
        bundle = next_bundle(orderer);
        if (bundle == NULL)
            break;
        if (!order_bundle(orderer, bundle)) {
            orderer->waiting = bundle;
            counter_add(&orderer->waits, 1);
            break;
        }
        orderer->ordered[bundle->home]++;
        work++;
    }
    if (orderer->batch != NULL && orderer->batch->count != 0 &&
        orderer->at_log < orderer->at_log_most) {
        hand_over_batch(orderer);
        work++;
    }
    if (!orderer->checkpoint_asked)
        work += answer_asked(orderer);
    if (orderer->checkpoint_asked)
        try_checkpoint(orderer);
    return work;
}

bool orderer_is_pending(const struct orderer *orderer)
{
    for (uint32_t i = 0; i < orderer->received_count; i++) {
        if (ring_count(orderer->received[i]) != 0 || ring_count(orderer->asked[i]) != 0)
            return true;
    }
    return orderer->checkpoint_asked || orderer->waiting != NULL || orderer->asking != NULL ||
           !is_whole(orderer) || (orderer->batch != NULL && orderer->batch->count != 0);
}
