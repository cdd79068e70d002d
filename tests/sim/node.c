/* A node at work: the host of replication/pair.h, as tools/holdfastd is, but in one thread and one
 * turn a millisecond. It receives, orders, executes, keeps answers back until their record is
 * committed, and sends them. */
#include "sim.h"

#define BUNDLE_MOST   16 /* all of them fit one batch */
#define PACKETS_MOST  8
#define UNITS_A_TURN  6 /* datagrams from clients */
#define ID_UPPER      UINT16_C(0x7000)
#define ID_LOWER      (UINT64_C(1) << 63)
#define OPERATION_MAX 256 /* bytes of any that a client here sends */

const struct hf_id sim_cluster = {.lo = 0x0123456789abcdef, .hi = 0xfedcba9876543210};

const struct hf_ledger_limits sim_limits = {
    .accounts = 40,
    .instruments = 4,
    .holds = 512,
    .terms = 4,
    .parts = 4,
    .selectors = 1,
    .limits = 4,
    .rolling = 1,
    .remembered = 2048,
    .remember_ns = 3600 * UINT64_C(1000000000),
    .record_ns = UINT64_C(45) * 86400 * 1000000000,
    .id_ahead_ns = 4 * UINT64_C(1000000000),
};

/* ---- Clocks ---- */

uint64_t sim_node_monotonic_ns(const struct sim_node *node)
{
    uint64_t passed_ms = node->sim->now_ms - node->boot_ms;
    return node->monotonic_base_ns + passed_ms * SIM_NS_IN_MS / 1000 * node->rate_permille;
}

uint64_t sim_node_wall_ns(const struct sim_node *node)
{
    int64_t ms = (int64_t)(SIM_START_MS + node->sim->now_ms) + node->wall_offset_ms;
    return (uint64_t)ms * SIM_NS_IN_MS;
}

/* ---- The peer ---- */

static void send_to(struct sim_node *node, struct hf_port *port, struct hf_address to,
                    const void *bytes, size_t length)
{
    struct hf_packet packet;
    if (port->maker->take(port, &packet, 1) != 1) {
        sim_wrong(node->sim, "the network is full");
    }
    assert(length <= port->payload_max);
    memcpy(packet.data, bytes, length);
    packet.length = (uint32_t)length;
    packet.peer = to;
    port->maker->send(port, &packet, 1);
}

void sim_node_send_to_peer(void *context, const void *bytes, size_t length)
{
    struct sim_node *node = context;
    send_to(node, node->peer, node->sim->nodes[1 - node->number].peer->local, bytes, length);
}

/* For who reads the trace: which message it is. */
static void trace_datagram(struct sim_node *node, const struct hf_packet *packet)
{
    struct hf_link_header header;
    struct hf_message message;
    if (packet->length < sizeof header) {
        return;
    }
    memcpy(&header, packet->data, sizeof header);
    if (header.kind != HF_LINK_NOTE ||
        hf_message_read(packet->data + sizeof header, packet->length - sizeof header, sim_cluster,
                        &message) != HF_MESSAGE_GOOD) {
        return;
    }
    char what[64];
    snprintf(what, sizeof what, "hears %s, epoch #, index #", hf_message_kind_name(message.kind));
    sim_trace_event(node->sim, node->number, what, message.epoch, message.index, 0);
    if (message.kind == HF_MESSAGE_NACK) {
        sim_mark(SIM_MARK_NACK);
    } else if (message.kind == HF_MESSAGE_RESEND) {
        sim_mark(SIM_MARK_RESEND);
    } else if (message.kind == HF_MESSAGE_LEARN) {
        bool goes_on = node->learner_epoch == message.epoch && message.index < node->learner_index;
        node->learner_epoch = message.epoch;
        node->learner_index = message.index;
        if (goes_on) {
            sim_mark(SIM_MARK_LEARN_ROUNDS);
        }
    }
}

static void receive_from_peer(struct sim_node *node)
{
    struct hf_packet packets[PACKETS_MOST];
    uint64_t now_ns = sim_node_monotonic_ns(node);
    uint32_t count = 0;
    do {
        count = node->peer->maker->receive(node->peer, packets, PACKETS_MOST);
        for (uint32_t i = 0; i < count; i++) {
            trace_datagram(node, &packets[i]);
            hf_pair_receive(node->pair, packets[i].data, packets[i].length, now_ns);
            sim_truth_turned(node);
        }
        node->peer->maker->release(node->peer, packets, count);
    } while (count == PACKETS_MOST);
}

/* ---- Following: what is committed is applied ---- */

static void apply_committed(struct sim_node *node)
{
    const struct hf_record_header *record = NULL;
    while ((record = hf_pair_next_committed(node->pair)) != NULL) {
        enum hf_status status = hf_replay_record(node->ledger, record, NULL, NULL, &node->fault);
        if (status != HF_STATUS_OK) {
            sim_wrong(node->sim, "node %" PRIu32 ": %s", node->number + 1, node->fault.line);
        }
        if ((record->digest.lo | record->digest.hi) != 0) {
            sim_mark(SIM_MARK_DIGEST);
        }
        node->applied = *record;
        hf_pair_applied(node->pair, record);
    }
}

/* ---- Leading: executing ---- */

static struct sim_waiting *wait_for_commit(struct sim_node *node, const struct hf_packet *packet,
                                           uint64_t session)
{
    struct sim_waiting *waiting = &node->waiting[node->waiting_count++];
    assert(node->waiting_count <= SIM_WAITING_MAX);
    memset(waiting, 0, sizeof *waiting);
    waiting->client = packet->peer;
    waiting->session = session;
    waiting->index = UINT64_MAX;
    return waiting;
}

/* The batch's first operation sets its time, which never falls. */
static void begin_batch(struct sim_node *node)
{
    uint64_t newest = hf_ledger_timestamp_ns(node->ledger);
    uint64_t now = sim_node_wall_ns(node);
    if (node->batch->count == 0) {
        hf_log_batch_begin(node->batch, now > newest ? now : newest + 1,
                           hf_ledger_place(node->ledger) + 1);
    }
}

static uint64_t execute(struct sim_node *node, const union hf_operation *const operations[],
                        uint32_t count, struct hf_reply replies[])
{
    begin_batch(node);
    uint64_t placed =
        hf_ledger_apply(node->ledger, node->batch->timestamp_ns, operations, count, replies);
    for (uint64_t left = placed; left != 0; left &= left - 1) {
        if (!hf_log_batch_add(node->batch, operations[__builtin_ctzll(left)])) {
            sim_wrong(node->sim, "a bundle does not fit its batch");
        }
    }
    return placed;
}

/* What is due to expire, in the node's own name. */
static void execute_expiries(struct sim_node *node)
{
    union hf_expire_room made;
    const union hf_operation *operation = &made.operation;
    struct hf_ledger_counts counts;
    struct hf_reply reply;
    begin_batch(node);
    if (hf_log_batch_room(node->batch) < sizeof made ||
        !hf_ledger_make_expire(node->ledger, node->batch->timestamp_ns, &made.expire)) {
        return;
    }
    hf_ledger_count(node->ledger, &counts);
    uint64_t time_ms = node->batch->timestamp_ns / SIM_NS_IN_MS;
    made.expire.header.id =
        hf_id_make_operation(time_ms > counts.floor_ms ? time_ms : counts.floor_ms, ID_UPPER,
                             ID_LOWER | (hf_ledger_place(node->ledger) + 1));
    made.expire.header.origin = 0;
    if (execute(node, &operation, 1, &reply) != 0) {
        sim_mark(SIM_MARK_EXPIRED);
    }
}

static void refuse_busy(const union hf_operation *operation, struct hf_reply *reply)
{
    *reply = (struct hf_reply){.length = sizeof *reply,
                               .type = (uint8_t)(operation->header.type | HF_REPLY_TYPE_BIT),
                               .code = HF_CODE_BUSY,
                               .rule = HF_RULE_LOG,
                               .id = operation->header.id};
    sim_mark(SIM_MARK_BUSY);
}

/* One datagram of a client's: its operations are one bundle. */
static void take_datagram(struct sim_node *node, const struct hf_packet *packet)
{
    static uint64_t room[BUNDLE_MOST][OPERATION_MAX / 8];
    const union hf_operation *bundle[BUNDLE_MOST];
    struct sim_waiting *waits[BUNDLE_MOST];
    struct hf_reply replies[BUNDLE_MOST];
    struct hf_wire_reader reader;
    struct hf_verdict verdict;
    uint32_t count = 0;
    if (hf_wire_open(&reader, packet->data, packet->length).code != HF_CODE_OK ||
        (reader.header.flags & HF_WIRE_REPLIES) != 0) {
        sim_mark(SIM_MARK_GARBAGE);
        return;
    }
    while (count < BUNDLE_MOST) {
        union hf_operation *operation = (union hf_operation *)(void *)room[count];
        enum hf_wire_step step =
            hf_wire_next_operation(&reader, operation, OPERATION_MAX, &verdict);
        if (step != HF_WIRE_MESSAGE) {
            break;
        }
        struct sim_waiting *waiting = wait_for_commit(node, packet, reader.header.session);
        if (operation->header.type == HF_OP_QUERY) {
            waiting->is_read = true;
            hf_ledger_query(node->ledger, &operation->query, &waiting->reply);
        } else {
            waits[count] = waiting;
            bundle[count++] = operation;
        }
    }
    if (count == 0) {
        return;
    }
    if (hf_log_writer_has_room(node->writer)) {
        execute(node, bundle, count, replies);
    } else {
        for (uint32_t i = 0; i < count; i++) {
            refuse_busy(bundle[i], &replies[i]);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        waits[i]->reply.reply = replies[i];
    }
}

static void submit_batch(struct sim_node *node)
{
    struct hf_log_batch *batch = node->batch;
    if (batch->count == 0 || !hf_pair_may_submit(node->pair)) {
        return;
    }
    enum hf_status status = hf_pair_submit(node->pair, batch, sim_node_monotonic_ns(node));
    if (status == HF_STATUS_FULL) {
        sim_mark(SIM_MARK_DISK_FULL);
    }
    if (status == HF_STATUS_OK) {
        node->batch = NULL;
    }
}

static bool may_execute(const struct sim_node *node)
{
    return hf_pair_leads(node->pair) && hf_pair_must_apply(node->pair) == 0 &&
           hf_pair_may_submit(node->pair);
}

/* Now and then a mark says what the state is, when all that was executed is in the log. */
static void submit_digest(struct sim_node *node)
{
    struct hf_log_batch *batch = node->batch;
    if (batch == NULL || batch->count != 0 || !may_execute(node) ||
        hf_ledger_place(node->ledger) == 0 || sim_below(&node->random, 16) != 0) {
        return;
    }
    hf_log_batch_mark(batch, hf_ledger_timestamp_ns(node->ledger),
                      hf_ledger_place(node->ledger) + 1, hf_ledger_digest(node->ledger));
    if (hf_pair_submit(node->pair, batch, sim_node_monotonic_ns(node)) == HF_STATUS_OK) {
        node->batch = NULL;
    } else {
        hf_log_batch_begin(batch, 0, 0);
    }
}

/* Whatever was executed waits for the newest record there is when it was (I6): the batch's own,
 * once it has an index. */
static void settle_waiting(struct sim_node *node)
{
    if (node->batch != NULL && node->batch->count != 0) {
        return;
    }
    uint64_t last = hf_pair_replica(node->pair)->last.place.index;
    for (uint32_t i = 0; i < node->waiting_count; i++) {
        if (node->waiting[i].index == UINT64_MAX) {
            node->waiting[i].index = last;
        }
    }
}

static void serve_clients(struct sim_node *node)
{
    struct hf_packet packet;
    bool serves = may_execute(node);
    if (serves && node->batch == NULL && node->free_count != 0) {
        node->batch = node->free[--node->free_count];
        hf_log_batch_begin(node->batch, 0, 0);
    }
    /* What did not fit the log yet comes first. */
    serves = serves && node->batch != NULL && node->batch->count == 0;
    for (uint32_t units = 0; units < UNITS_A_TURN; units++) {
        bool fits = node->waiting_count + BUNDLE_MOST <= SIM_WAITING_MAX &&
                    (node->batch == NULL ||
                     hf_log_batch_room(node->batch) >= BUNDLE_MOST * HF_OPERATION_FIXED_MAX);
        if ((serves && !fits) || node->clients->maker->receive(node->clients, &packet, 1) != 1) {
            break;
        }
        if (serves) {
            take_datagram(node, &packet);
        }
        node->clients->maker->release(node->clients, &packet, 1);
    }
    if (serves) {
        execute_expiries(node);
    }
    if (node->batch != NULL && may_execute(node)) {
        submit_batch(node);
    }
    if (serves) {
        submit_digest(node);
    }
    settle_waiting(node);
}

/* ---- Answering ---- */

static void note_answerer(struct sim_node *node, const struct sim_waiting *waiting)
{
    for (uint32_t i = 0; i < SIM_CLIENTS; i++) {
        struct sim_client *client = &node->sim->clients[i];
        if (client->port->local.ip == waiting->client.ip) {
            if (client->answerer != 0 && client->answerer != node->number + 1) {
                sim_mark(SIM_MARK_OTHER_NODE);
            }
            client->answerer = node->number + 1;
        }
    }
}

static void answer(struct sim_node *node, struct sim_waiting *waiting)
{
    uint8_t datagram[sizeof(struct hf_wire_header) + HF_REPLY_LENGTH_MAX];
    struct hf_wire_writer writer;
    const struct hf_replica *replica = hf_pair_replica(node->pair);
    waiting->reply.reply.durability = (uint8_t)replica->options.durability;
    sim_truth_shown(node->sim, waiting->reply.reply.place);
    hf_wire_begin(&writer, datagram, sizeof datagram);
    if (!hf_wire_add(&writer, &waiting->reply, waiting->reply.reply.length)) {
        sim_wrong(node->sim, "an answer does not fit a datagram");
    }
    uint32_t length = hf_wire_finish(&writer, HF_WIRE_REPLIES, waiting->session, 0);
    send_to(node, node->clients, waiting->client, datagram, length);
    note_answerer(node, waiting);
}

/* A read's value was taken in this turn or before, so the lease must still hold at this moment.
 * Without one nobody is answered, and the client asks again. */
static bool may_answer(const struct sim_node *node, const struct sim_waiting *waiting)
{
    if (!waiting->is_read) {
        return true;
    }
    if (!hf_pair_may_read(node->pair, sim_node_monotonic_ns(node))) {
        sim_mark(SIM_MARK_READ_REFUSED);
        return false;
    }
    sim_mark(hf_config_is_pair(&hf_pair_replica(node->pair)->config) ? SIM_MARK_READ_LEASE
                                                                     : SIM_MARK_READ_ALONE);
    return true;
}

static void release_answers(struct sim_node *node)
{
    uint64_t committed = hf_pair_commit_index(node->pair);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < node->waiting_count; i++) {
        struct sim_waiting *waiting = &node->waiting[i];
        if (waiting->index > committed) {
            node->waiting[kept++] = *waiting;
        } else if (may_answer(node, waiting)) {
            answer(node, waiting);
        }
    }
    node->waiting_count = kept;
}

/* ---- A turn ---- */

static void ask_arbiter(struct sim_node *node)
{
    struct hf_question question;
    if (hf_pair_question(node->pair, &question)) {
        sim_arbiter_ask(node->sim, node, &question);
    }
}

static void turn_writer(struct sim_node *node)
{
    struct hf_log_batch *done[HF_LOG_BATCHES_MAX];
    uint32_t count =
        hf_pair_poll(node->pair, done, HF_LOG_BATCHES_MAX, sim_node_monotonic_ns(node));
    for (uint32_t i = 0; i < count; i++) {
        node->free[node->free_count++] = done[i];
    }
}

static void mark_fetching(struct sim_node *node)
{
    struct hf_pair_counts counts;
    hf_pair_count(node->pair, &counts);
    if (counts.fetches_begun > node->counted.fetches_begun) {
        sim_trace_event(node->sim, node->number, "begins to take a checkpoint", 0, 0, 0);
        if (node->is_fetching) {
            sim_mark(SIM_MARK_FETCH_RESTARTED);
        }
        node->is_fetching = true;
    }
    if (counts.pause_ns > node->counted.pause_ns) {
        sim_mark(SIM_MARK_SLOWED);
    }
    if (counts.fetches_resumed > node->counted.fetches_resumed) {
        sim_mark(SIM_MARK_FETCH_RESUMED);
    }
    if (counts.fetches_refused > node->counted.fetches_refused) {
        sim_trace_event(node->sim, node->number, "refuses a damaged checkpoint", 0, 0, 0);
        sim_mark(SIM_MARK_FETCH_REFUSED);
    }
    node->counted = counts;
}

/* What the turn has led to: the node stops by itself, or the power goes. */
static void end_turn(struct sim_node *node)
{
    const struct hf_replica *replica = hf_pair_replica(node->pair);
    uint64_t down_ms = sim_between(&node->random, 1, 40);
    sim_truth_turned(node);
    mark_fetching(node);
    if (hf_disk_sim_calls(node->disk) > node->dies_at_call) {
        sim_mark(SIM_MARK_POWER_CUT_INSIDE);
        sim_life_power_cut(node, down_ms);
    } else if (hf_pair_wants_restart(node->pair) != HF_PAIR_RESTART_NO) {
        static const char *const why[] = {"", "starts anew: deposed",
                                          "starts anew: its log was cut",
                                          "starts anew: a checkpoint was installed"};
        enum hf_pair_restart restart = hf_pair_wants_restart(node->pair);
        sim_trace_event(node->sim, node->number, why[restart], 0, 0, 0);
        if (restart == HF_PAIR_RESTART_CUT) {
            sim_mark(SIM_MARK_TRUNCATED);
        } else if (restart == HF_PAIR_RESTART_INSTALL) {
            sim_mark(SIM_MARK_FETCHED);
            node->is_fetching = false;
            sim_truth_replaced(node);
        } else if (restart == HF_PAIR_RESTART_DEPOSED) {
            node->was_deposed = true;
        }
        sim_life_kill(node, sim_between(&node->random, 0, 5));
    } else if (replica->role == HF_ROLE_HALTED) {
        sim_trace_event(node->sim, node->number, "halts: alarms #", replica->alarms, 0, 0);
        sim_mark(node->is_rotten ? SIM_MARK_ROT_FOUND : SIM_MARK_WRITE_FAILED);
        sim_life_kill(node, down_ms);
        node->down = node->is_rotten ? SIM_DOWN_CORRUPT : SIM_DOWN_OFF;
    }
}

void sim_node_poll(struct sim_node *node)
{
    if (!sim_node_is_up(node) || node->paused_ms > node->sim->now_ms) {
        return;
    }
    sim_truth_readable(node); /* a pause may have ended */
    /* In the node these are threads: after a pause any of them may be the first to go on. */
    if (sim_below(&node->random, 3) == 0) {
        serve_clients(node);
        release_answers(node);
    }
    receive_from_peer(node);
    turn_writer(node);
    ask_arbiter(node);
    sim_truth_turned(node);
    /* The read of the turn before is answered here: a pause may have come between. */
    release_answers(node);
    if (!hf_pair_leads(node->pair) || hf_pair_must_apply(node->pair) != 0) {
        apply_committed(node);
    }
    serve_clients(node);
    ask_arbiter(node);
    end_turn(node);
}
