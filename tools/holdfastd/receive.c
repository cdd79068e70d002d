#include "receive.h"

#include "counters.h"
#include "net/handshake.h"
#include "net/wire.h"
#include "replicate.h"

#include <assert.h>
#include <string.h>

#include <rte_ring_elem.h>

#define RECEIVE_BURST 32
/* Datagrams taken from the port in one poll. Under overload it is emptied faster than operations
 * are ordered: what waits in the device waits in nobody's line, and what it drops is anybody's. */
#define RECEIVE_ROUND_MAX 512
/* Datagrams that wait for the poller that has the door. */
#define HANDED_MAX 1024

/* The shortest broken datagram that is answered: no answer is longer than what asked for it. */
#define ANSWERED_LENGTH_MIN (sizeof(struct hf_wire_header) + sizeof(struct hf_reply))

/* What every path and every client can take: an Ethernet frame's. Only who sends longer datagrams
 * gets longer ones. */
#define ANSWER_SIZE_SAFE 1472u

static void fill_refusal(struct hf_reply *reply, const struct hf_op_header *header,
                         struct hf_verdict verdict)
{
    memset(reply, 0, sizeof *reply);
    reply->length = sizeof *reply;
    reply->type = (uint8_t)(header->type | HF_REPLY_TYPE_BIT);
    reply->code = verdict.code;
    reply->rule = verdict.rule;
    reply->entry = verdict.entry;
    reply->id = header->id;
}

static void hand_over(struct receiver *receiver)
{
    struct bundle *bundle = receiver->bundle;

    if (bundle == NULL || bundle->operation_count + bundle->extra_count == 0)
        return;
    receiver->bundle = NULL;
    receiver->ordered_count++;
    counter_add(&receiver->bundle_count, 1);
    if (!ring_put(receiver->ordered, bundle))
        assert(!"the ring has room for every bundle");
}

/* What came before its queries goes before it. */
static void hand_over_queries(struct receiver *receiver)
{
    struct bundle *asking = receiver->asking;

    if (asking == NULL || asking->extra_count == 0)
        return;
    hand_over(receiver);
    receiver->asking = NULL;
    asking->after = receiver->ordered_count;
    counter_add(&receiver->bundle_count, 1);
    if (!ring_put(receiver->asked, asking))
        assert(!"the ring has room for every bundle");
}

static void hand_over_refusals(struct receiver *receiver)
{
    struct bundle *refusal = receiver->refusal;

    if (refusal == NULL || refusal->operation_count + refusal->extra_count == 0)
        return;
    receiver->refusal = NULL;
    counter_add(&receiver->bundle_count, 1);
    if (!ring_put(receiver->refusals, refusal))
        assert(!"the ring has room for every bundle");
}

static struct bundle *emptied(const struct receiver *receiver, struct bundle *bundle)
{
    if (bundle != NULL) {
        bundle->home = receiver->number;
        bundle->operation_count = 0;
        bundle->extra_count = 0;
        bundle->byte_count = 0;
        bundle->batch_index = 0;
    }
    return bundle;
}

/* Of the free bundles the one that came back last. */
static struct bundle *take_spare(struct receiver *receiver)
{
    struct bundle *bundle;

    while ((bundle = ring_get(receiver->free_bundles)) != NULL)
        receiver->spare[receiver->spare_count++] = bundle;
    return receiver->spare_count != 0 ? receiver->spare[--receiver->spare_count] : NULL;
}

/* Makes sure that there is a bundle with room for one more operation without a list, and for one
 * more extra. */
static bool has_room(struct receiver *receiver)
{
    const struct bundle *bundle = receiver->bundle;

    if (receiver->turns_away)
        return false;
    if (bundle != NULL && (bundle->operation_count == HF_BUNDLE_OPERATIONS_MAX ||
                           bundle->extra_count == BUNDLE_EXTRAS_MAX ||
                           BUNDLE_BYTES - bundle->byte_count < HF_OPERATION_FIXED_MAX))
        hand_over(receiver);
    if (receiver->bundle == NULL)
        receiver->bundle = emptied(receiver, take_spare(receiver));
    return receiver->bundle != NULL;
}

static uint32_t free_count(const struct receiver *receiver)
{
    return receiver->spare_count + ring_count(receiver->free_bundles);
}

/* Whether more queries can be taken: they are to have half of the bundles. A datagram that has been
 * begun may go beyond that, but a quarter is for operations alone. */
static bool may_ask(const struct receiver *receiver)
{
    return ring_count(receiver->asked) < receiver->ordered_max &&
           free_count(receiver) > receiver->bundle_total / 2;
}

/* Makes sure that there is a bundle with room for one more query. */
static bool has_room_to_ask(struct receiver *receiver)
{
    if (receiver->asking != NULL && receiver->asking->extra_count == BUNDLE_EXTRAS_MAX)
        hand_over_queries(receiver);
    if (receiver->asking == NULL && free_count(receiver) > receiver->bundle_total / 4)
        receiver->asking = emptied(receiver, take_spare(receiver));
    return receiver->asking != NULL;
}

/* A bundle for answers that go past the order poller, with room for one more of each kind. NULL:
 * there is none. */
static struct bundle *refusal_with_room(struct receiver *receiver)
{
    const struct bundle *refusal = receiver->refusal;

    if (refusal != NULL && (refusal->operation_count == HF_BUNDLE_OPERATIONS_MAX ||
                            refusal->extra_count == BUNDLE_EXTRAS_MAX))
        hand_over_refusals(receiver);
    if (receiver->refusal == NULL)
        receiver->refusal = emptied(receiver, ring_get(receiver->free_refusals));
    return receiver->refusal;
}

/* A place for an answer that needs no bundle's room; NULL when there is none left. */
static struct hf_reply *take_refusal(struct receiver *receiver, const struct sender *sender)
{
    struct bundle *refusal = refusal_with_room(receiver);

    if (refusal == NULL) {
        counter_add(&receiver->unanswered, 1);
        return NULL;
    }
    refusal->senders[refusal->operation_count] = *sender;
    return &refusal->replies[refusal->operation_count++];
}

static void answer_busy(struct receiver *receiver, const struct sender *sender,
                        const struct hf_op_header *header)
{
    const struct hf_verdict verdict = {HF_CODE_BUSY, HF_RULE_QUEUE, 0};
    struct hf_reply *reply = take_refusal(receiver, sender);

    if (reply == NULL)
        return;
    fill_refusal(reply, header, verdict);
    counter_add(&receiver->busy, 1);
}

/* Where the primary is, as far as this node knows it: it follows it. */
static uint64_t primary_client(const struct replicator *replicator)
{
    uint64_t role = counter_read(&replicator->state.role);

    return role == HF_ROLE_BACKUP || role == HF_ROLE_LEARNER
               ? counter_read(&replicator->state.peer_client)
               : 0;
}

static void answer_redirect(struct receiver *receiver, const struct sender *sender,
                            const struct hf_op_header *header)
{
    const struct hf_verdict verdict = {HF_CODE_NOT_PRIMARY, HF_RULE_NONE, 0};
    struct hf_reply *reply = take_refusal(receiver, sender);

    if (reply == NULL)
        return;
    fill_refusal(reply, header, verdict);
    reply->posted = (int64_t)primary_client(receiver->replicator);
    counter_add(&receiver->redirected, 1);
}

static void answer_refused(struct receiver *receiver, const struct sender *sender,
                           const struct hf_op_header *header, struct hf_verdict verdict)
{
    struct bundle_extra *extra;

    if (!has_room(receiver)) {
        answer_busy(receiver, sender, header);
        return;
    }
    extra = &receiver->bundle->extras[receiver->bundle->extra_count++];
    extra->sender = *sender;
    extra->datagram_length = 0;
    extra->refused = true;
    fill_refusal(&extra->answer.reply, header, verdict);
    counter_add(&receiver->refused, 1);
}

/* By value: where it was read may be handed on before it is written down. */
static void take_query(struct receiver *receiver, const struct sender *sender,
                       struct hf_op_query query)
{
    struct bundle_extra *extra;

    if (!has_room_to_ask(receiver)) {
        answer_busy(receiver, sender, &query.header);
        return;
    }
    extra = &receiver->asking->extras[receiver->asking->extra_count++];
    extra->sender = *sender;
    extra->datagram_length = 0;
    extra->refused = false;
    extra->query = query;
    counter_add(&receiver->queries, 1);
}

static void take_message(struct receiver *receiver, const struct sender *sender,
                         union hf_operation *operation)
{
    struct bundle *bundle = receiver->bundle;

    if (receiver->door != NULL) {
        struct hf_verdict verdict =
            door_admit(receiver->door, receiver->origin, operation, &receiver->now);
        if (verdict.code != HF_CODE_OK) {
            answer_refused(receiver, sender, &operation->header, verdict);
            return;
        }
    }
    if (operation->header.type == HF_OP_QUERY) {
        take_query(receiver, sender, operation->query);
        return;
    }
    bundle->senders[bundle->operation_count] = *sender;
    bundle->operations[bundle->operation_count] = operation;
    bundle->operation_count++;
    bundle->byte_count += operation->header.length;
    counter_add(&receiver->operations, 1);
}

/* Reads message after message straight into the bundle's next place; a refused one leaves the place
 * free. Without a bundle a message is read all the same: a wrong one gets the answer it deserves.
 */
static void read_messages(struct receiver *receiver, struct hf_wire_reader *reader,
                          const struct sender *sender)
{
    bool serves = replicator_serves(receiver->replicator);

    for (;;) {
        bool room = has_room(receiver);
        uint32_t used = room ? receiver->bundle->byte_count : 0;
        uint8_t *bytes = room ? receiver->bundle->bytes + used : receiver->spill;
        size_t left = room ? BUNDLE_BYTES - used : sizeof receiver->spill;
        union hf_operation *operation = (union hf_operation *)(void *)bytes;
        struct hf_verdict verdict;

        switch (hf_wire_next_operation(reader, operation, left, &verdict)) {
        case HF_WIRE_MESSAGE:
            if (!serves)
                answer_redirect(receiver, sender, &operation->header);
            else if (room)
                take_message(receiver, sender, operation);
            else
                answer_busy(receiver, sender, &operation->header);
            break;
        case HF_WIRE_REFUSED:
            answer_refused(receiver, sender, &operation->header, verdict);
            break;
        case HF_WIRE_BROKEN:
            if (hf_id_is_reserved(operation->header.id))
                counter_add(&receiver->unanswered, 1);
            else
                answer_refused(receiver, sender, &operation->header, verdict);
            break;
        case HF_WIRE_NO_ROOM: /* an empty bundle has room for any */
            assert(room);
            assert(used != 0);
            hand_over(receiver);
            break;
        case HF_WIRE_END:
            return;
        }
    }
}

/* Reads a plain datagram, or one that has been opened. */
static void read_datagram(struct receiver *receiver, const uint8_t *data, uint32_t length,
                          struct sender *sender)
{
    static const struct hf_op_header nameless;
    struct hf_wire_reader reader;
    struct hf_verdict verdict = hf_wire_open(&reader, data, length);

    if (receiver->door == NULL && length >= sizeof reader.header)
        sender->session = reader.header.session;
    if (verdict.code == HF_CODE_OK && (reader.header.flags & HF_WIRE_REPLIES) == 0) {
        read_messages(receiver, &reader, sender);
    } else if (verdict.code != HF_CODE_OK && length >= ANSWERED_LENGTH_MIN &&
               reader.header.magic == HF_WIRE_MAGIC &&
               (reader.header.flags & HF_WIRE_REPLIES) == 0) {
        answer_refused(receiver, sender, &nameless, verdict);
    } else {
        counter_add(&receiver->unanswered, 1);
    }
}

/* Whether a datagram can be read into bundles now: the one being filled, and another. (Only of one
 * with more than a bundle's worth of messages the rest may be answered BUSY.) */
static bool may_order(const struct receiver *receiver)
{
    return ring_count(receiver->ordered) < receiver->ordered_max &&
           (receiver->spare_count != 0 || ring_count(receiver->free_bundles) != 0);
}

/* Answers every message of the datagram BUSY; when even for that there is no room, counts them. */
static void turn_away(struct receiver *receiver, const uint8_t *data, uint32_t length,
                      struct sender *sender)
{
    struct hf_wire_reader reader;

    if (refusal_with_room(receiver) == NULL) {
        uint32_t count = hf_wire_open(&reader, data, length).code == HF_CODE_OK ? reader.left : 1;
        counter_add(&receiver->unanswered, count);
        return;
    }
    receiver->turns_away = true;
    read_datagram(receiver, data, length, sender);
    receiver->turns_away = false;
}

/* Without sessions a client is its address: there is nothing else to tell it by. */
static uint64_t client_of(const struct receiver *receiver, const struct sender *sender)
{
    if (receiver->door != NULL)
        return receiver->origin;
    return (uint64_t)sender->address.ip << 16 | sender->address.udp;
}

/* Does a datagram begin with a query? Then it waits among those. */
static bool is_asking(const uint8_t *data, uint32_t length)
{
    struct hf_op_header header;

    if (length < sizeof(struct hf_wire_header) + sizeof header)
        return false;
    memcpy(&header, data + sizeof(struct hf_wire_header), sizeof header);
    return header.type == HF_OP_QUERY;
}

/* Whether one of those can be read now: its queries, and what else may be in it. */
static bool may_read(const struct receiver *receiver, const struct lines *lines)
{
    if (lines == &receiver->askers && !may_ask(receiver))
        return false;
    return may_order(receiver);
}

/* Reads a datagram when nobody waits, else puts it into its client's line. */
static void line_up(struct receiver *receiver, const uint8_t *data, uint32_t length,
                    struct sender *sender)
{
    const struct lines_datagram datagram = {
        .sender = *sender, .origin = receiver->origin, .length = length};

    struct lines *lines = is_asking(data, length) ? &receiver->askers : &receiver->lines;

    if (lines->waiting == 0 && may_read(receiver, lines))
        read_datagram(receiver, data, length, sender);
    else if (lines_put(lines, client_of(receiver, sender), &datagram, data))
        counter_add(&receiver->lined_up, 1);
    else
        turn_away(receiver, data, length, sender);
}

/* Reads what has waited, in turn. Returns how many datagrams. */
static uint32_t read_lines(struct receiver *receiver, struct lines *lines)
{
    struct lines_datagram datagram;
    uint32_t count = 0;

    while (lines->waiting != 0 && may_read(receiver, lines)) {
        const uint8_t *bytes = lines_take(lines, &datagram);
        receiver->origin = datagram.origin;
        /* Its session, and with it the origin, may have ended meanwhile. */
        if (receiver->door == NULL || door_has_session(receiver->door, datagram.sender.session))
            read_datagram(receiver, bytes, datagram.length, &datagram.sender);
        else
            counter_add(&receiver->unanswered, 1);
        count++;
    }
    return count;
}

static bool is_handshake(const struct hf_packet *packet)
{
    return packet->length > offsetof(struct hf_wire_header, flags) &&
           packet->data[offsetof(struct hf_wire_header, flags)] == HF_WIRE_HANDSHAKE;
}

/* Opens a datagram of a session, or answers one of a handshake. Of the latter none is looked at
 * that could not be answered. */
static void enter(struct receiver *receiver, const struct hf_packet *packet, struct sender *sender)
{
    struct hf_session_result result;
    enum hf_fate fate;

    if (is_handshake(packet) && refusal_with_room(receiver) == NULL) {
        counter_add(&receiver->unanswered, 1);
        return;
    }
    fate = door_open_datagram(receiver->door, packet, &receiver->now, receiver->plain, &result);
    if (fate == HF_FATE_OPENED) {
        sender->session = result.session;
        receiver->origin = result.origin;
        line_up(receiver, receiver->plain, result.length, sender);
    } else if (fate == HF_FATE_WELCOMED || fate == HF_FATE_COOKIE) {
        struct bundle *bundle = receiver->refusal;
        struct bundle_extra *extra = &bundle->extras[bundle->extra_count++];
        extra->sender = *sender;
        extra->refused = true;
        extra->datagram_length = result.length;
        assert(result.length <= sizeof extra->answer);
        memcpy(&extra->answer, receiver->plain, result.length);
    } else {
        counter_add(&receiver->unanswered, 1);
    }
}

static void take_datagram(struct receiver *receiver, const struct hf_packet *packet)
{
    struct sender sender = {
        .address = packet->peer,
        .answer_size = packet->length > ANSWER_SIZE_SAFE ? packet->length : ANSWER_SIZE_SAFE,
    };

    if (receiver->door != NULL)
        enter(receiver, packet, &sender);
    else
        line_up(receiver, packet->data, packet->length, &sender);
}

_Static_assert(sizeof(struct hf_packet) % 4 == 0, "as entries of rings want it");

struct rte_ring *receiver_make_handed(void)
{
    return ring_create_sized(sizeof(struct hf_packet), HANDED_MAX);
}

/* Hands datagrams to the one that has the door; what it has no room for is lost. */
static void hand_on(struct receiver *receiver, struct hf_packet packets[], uint32_t count)
{
    struct hf_port *port = receiver->port;
    uint32_t taken =
        rte_ring_sp_enqueue_burst_elem(receiver->to_door, packets, sizeof packets[0], count, NULL);

    counter_add(&receiver->handed_on, taken);
    if (taken == count)
        return;
    counter_add(&receiver->unanswered, count - taken);
    port->maker->release(port, packets + taken, count - taken);
}

static void take_all(struct receiver *receiver, struct hf_packet packets[], uint32_t count)
{
    struct hf_port *port = receiver->port;

    for (uint32_t i = 0; i < count; i++)
        take_datagram(receiver, &packets[i]);
    port->maker->release(port, packets, count);
}

static uint32_t take_burst(struct receiver *receiver)
{
    struct hf_packet packets[RECEIVE_BURST];
    struct hf_port *port = receiver->port;
    uint32_t count = port->maker->receive(port, packets, RECEIVE_BURST);

    if (count == 0)
        return 0;
    if (receiver->to_door != NULL)
        hand_on(receiver, packets, count);
    else
        take_all(receiver, packets, count);
    return count;
}

/* Takes what the others have handed on. All queues of a port release each other's packets. */
static uint32_t take_handed(struct receiver *receiver)
{
    struct hf_packet packets[RECEIVE_BURST];
    uint32_t count = 0;

    for (uint32_t i = 0; i < receiver->handed_count; i++) {
        uint32_t taken = rte_ring_sc_dequeue_burst_elem(receiver->handed[i], packets,
                                                        sizeof packets[0], RECEIVE_BURST, NULL);
        if (taken != 0)
            take_all(receiver, packets, taken);
        count += taken;
    }
    return count;
}

/* Takes what the queue has, up to a bound, and what others have handed on. */
static uint32_t take_round(struct receiver *receiver)
{
    uint32_t count = 0;
    uint32_t burst;

    do {
        burst = take_burst(receiver);
        count += burst;
    } while (burst >= RECEIVE_BURST / 4 && count < RECEIVE_ROUND_MAX);
    counter_add(&receiver->datagrams, count);
    for (uint32_t i = 0; i < RECEIVE_ROUND_MAX / RECEIVE_BURST; i++) {
        burst = take_handed(receiver);
        if (burst == 0)
            break;
        count += burst;
    }
    return count;
}

static uint32_t waiting_datagrams(const struct receiver *receiver)
{
    return receiver->lines.waiting + receiver->askers.waiting;
}

uint32_t receiver_poll(struct receiver *receiver)
{
    bool stopping = atomic_load_explicit(receiver->stopping, memory_order_relaxed);
    uint32_t count;

    if (receiver->door != NULL && (!stopping || waiting_datagrams(receiver) != 0)) {
        receiver->now = door_clock();
        door_tend(receiver->door, &receiver->now);
    }
    count = read_lines(receiver, &receiver->lines) + read_lines(receiver, &receiver->askers);
    if (!stopping)
        count += take_round(receiver);
    if (count != 0) {
        hand_over(receiver);
        hand_over_queries(receiver);
        hand_over_refusals(receiver);
        atomic_store_explicit(&receiver->waiting, waiting_datagrams(receiver),
                              memory_order_relaxed);
    }
    if (stopping && waiting_datagrams(receiver) == 0)
        atomic_store_explicit(&receiver->quiet, true, memory_order_release);
    return count;
}

bool receiver_is_pending(const struct receiver *receiver)
{
    for (uint32_t i = 0; i < receiver->handed_count; i++) {
        if (ring_count(receiver->handed[i]) != 0)
            return true;
    }
    return waiting_datagrams(receiver) != 0;
}
