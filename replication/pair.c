/* A node of a pair (pair.h): what comes in, and what the replica wants done.
 *
 * Each call takes what happened to the replica, does what it answers, in order, and takes what came
 * of that (a record appended, a promise made durable) to the replica again, until there is nothing
 * more. When a restart is wanted, or the replica has halted, nothing moves any more. */
#include "pair_inside.h"

#include <inttypes.h>
#include <stdlib.h>

/* A node tells about itself this often: to a peer that has not answered, and to one that has. */
#define SELF_NS       UINT64_C(50000000)
#define SELF_KNOWN_NS UINT64_C(1000000000)

/* ---- Small things ---- */

static uint64_t applied_of(const struct hf_pair *pair)
{
    /* Acquire, with the release in hf_pair_applied: the record is not looked at any more. */
    return atomic_load_explicit(&pair->applied, memory_order_acquire);
}

static bool is_over(const struct hf_pair *pair)
{
    return pair->replica.role == HF_ROLE_HALTED ||
           atomic_load_explicit(&pair->restart, memory_order_relaxed) != HF_PAIR_RESTART_NO;
}

static struct hf_tag tag_of(const struct hf_record_header *record)
{
    return (struct hf_tag){.place = {.epoch = record->epoch, .index = record->index},
                           .hash = record->hash};
}

void hf_pair_set_restart(struct hf_pair *pair, enum hf_pair_restart why)
{
    atomic_store_explicit(&pair->lease_until_ns, 0, memory_order_relaxed);
    /* In this order: who sees that it leads no more sees that it is to begin anew, and does not
     * take what it has led itself for something still to be applied. */
    atomic_store_explicit(&pair->restart, why, memory_order_release);
    atomic_store_explicit(&pair->lead_index, 0, memory_order_release);
}

/* ---- Create ---- */

static struct hf_epochs epochs_of(const struct hf_superblock *superblock)
{
    struct hf_epochs epochs = {.count = superblock->epoch_count};
    memcpy(epochs.starts, superblock->epochs, superblock->epoch_count * sizeof epochs.starts[0]);
    return epochs;
}

static void describe_self(struct hf_pair *pair, const struct hf_log_state *state)
{
    const struct hf_superblock *superblock = &state->superblock;
    pair->self.segment_size = superblock->segment_size;
    pair->self.block_size = superblock->block_size;
    pair->self.client_ip = pair->options.client_ip;
    pair->self.client_udp = pair->options.client_udp;
    memcpy(pair->self.public_key, superblock->public_key, sizeof pair->self.public_key);
    memcpy(pair->self.settings, superblock->settings, sizeof pair->self.settings);
}

static void init_replica(struct hf_pair *pair, const struct hf_log_state *state)
{
    const struct hf_replica_start start = {
        .incarnation = state->superblock.incarnation,
        .promise = state->superblock.promised_epoch,
        .epochs = epochs_of(&state->superblock),
        .last = {.place = {.epoch = state->last_epoch, .index = state->last_index},
                 .hash = state->last_hash},
        .known_commit = state->known_commit,
    };
    hf_replica_init(&pair->replica, &pair->options.replica, &start);
    atomic_init(&pair->commit, state->known_commit);
    atomic_init(&pair->applied, state->last_index);
}

enum hf_status hf_pair_create(const struct hf_pair_options *options,
                              const struct hf_log_state *state, struct hf_disk *disk,
                              struct hf_disk *read_disk, struct hf_pair **pair_made,
                              struct hf_fault *fault)
{
    assert(options->recent_bytes >= HF_PAIR_RECENT_MIN);
    const struct hf_link_options link = {
        .cluster = options->replica.cluster,
        .node = options->replica.node,
        .datagram_size = options->datagram_size,
        .incarnation = state->superblock.incarnation,
        .send = options->send,
        .context = options->context,
    };
    struct hf_pair *pair = aligned_alloc(64, sizeof *pair);
    if (pair == NULL) {
        snprintf(fault->line, sizeof fault->line, "no memory for the pair");
        return HF_STATUS_NO_MEMORY;
    }
    memset(pair, 0, sizeof *pair);
    pair->options = *options;
    pair->disk = disk;
    pair->read_disk = read_disk;
    pair->superblock = state->superblock;
    init_replica(pair, state);
    describe_self(pair, state);
    hf_recent_init(&pair->recent, options->recent_memory, options->recent_bytes,
                   state->last_index + 1);
    enum hf_status status = hf_link_create(&link, &pair->link, fault);
    if (status == HF_STATUS_OK) {
        status = hf_log_seek_init(&pair->seek, read_disk, &pair->superblock, fault);
    }
    if (status == HF_STATUS_OK) {
        status = hf_log_seek_oldest(&pair->seek, &pair->first_index, fault);
    }
    if (status == HF_STATUS_OK) {
        status = hf_pair_fetch_create(pair, fault);
    }
    pair->held = aligned_alloc(64, HF_RECORD_LENGTH_MAX);
    if (status == HF_STATUS_OK && pair->held == NULL) {
        snprintf(fault->line, sizeof fault->line, "no memory for the pair's records");
        status = HF_STATUS_NO_MEMORY;
    }
    if (status != HF_STATUS_OK) {
        hf_pair_destroy(pair);
        return status;
    }
    *pair_made = pair;
    return HF_STATUS_OK;
}

void hf_pair_destroy(struct hf_pair *pair)
{
    if (pair == NULL) {
        return;
    }
    hf_pair_fetch_destroy(pair);
    hf_log_seek_finish(&pair->seek);
    hf_link_destroy(pair->link);
    free(pair->held);
    free(pair);
}

/* ---- What the replica wants done ---- */

void hf_pair_observe(void *context, const struct hf_record_header *record)
{
    struct hf_pair *pair = context;
    hf_recent_add(&pair->recent, record);
    if (!pair->is_copying) {
        assert(pair->appended_count < APPENDED_MAX);
        pair->appended[pair->appended_count++] = tag_of(record);
    }
}

/* Promise and epoch table, and the peer's key, in one durable write. */
static bool save(struct hf_pair *pair)
{
    struct hf_superblock *superblock = &pair->superblock;
    const struct hf_epochs *epochs = &pair->replica.epochs;
    superblock->promised_epoch = pair->replica.promise;
    memset(superblock->epochs, 0, sizeof superblock->epochs);
    superblock->epoch_count = epochs->count;
    memcpy(superblock->epochs, epochs->starts, epochs->count * sizeof epochs->starts[0]);
    if (epochs->count == 0) { /* an empty log, which any epoch may begin */
        superblock->epoch_count = 1;
        superblock->epochs[0] = (struct hf_epoch_start){.epoch = 1, .start_index = 1};
    }
    if (hf_superblock_write(pair->disk, superblock, &pair->fault) != HF_STATUS_OK) {
        hf_pair_fail(pair);
        return false;
    }
    return true;
}

/* What is committed and in this node's hands: a record may be known committed as it comes in. */
static void publish_commit(struct hf_pair *pair)
{
    uint64_t index = pair->replica.commit;
    if (index >= pair->recent.next) {
        index = pair->recent.next - 1;
    }
    if (index > atomic_load_explicit(&pair->commit, memory_order_relaxed)) {
        /* Release: whoever sees the index sees the records, and may show what stands on them. */
        atomic_store_explicit(&pair->commit, index, memory_order_release);
    }
}

static void begin_epoch(struct hf_pair *pair)
{
    enum hf_status status = hf_log_writer_begin_epoch(pair->writer, pair->epoch, !pair->has_led);
    if (status == HF_STATUS_OK) {
        pair->begins_epoch = false;
        pair->has_led = true;
    } /* AGAIN, FULL: with the next poll; IO: the poll finds it poisoned */
}

/* The accepted record, wherever it is. */
static const struct hf_record_header *accepted_record(struct hf_pair *pair)
{
    uint32_t length = 0;
    const uint8_t *bytes = pair->held;
    if (!pair->is_held) {
        bytes = hf_link_frame(pair->link, &length);
        assert(bytes != NULL);
        bytes += HF_MESSAGE_SIZE;
    }
    return (const struct hf_record_header *)(const void *)bytes;
}

/* Its stream may break before the writer has room. */
static void hold_record(struct hf_pair *pair, const struct hf_record_header *record)
{
    if (!pair->is_held) {
        memcpy(pair->held, record, record->length);
        pair->is_held = true;
        hf_link_take(pair->link);
    }
}

static void refuse_record(struct hf_pair *pair, uint64_t index, enum hf_status status)
{
    snprintf(pair->fault.line, sizeof pair->fault.line,
             status == HF_STATUS_DIVERGED
                 ? "record %" PRIu64 " of the peer does not follow this node's log"
                 : "record %" PRIu64 " of the peer does not fit this node's log: log.batch_bytes "
                   "must be as large here as there",
             index);
    pair->is_copying = false;
    hf_pair_fail(pair);
}

/* Gives the accepted record to the writer, now or with a later poll. */
static void copy_record(struct hf_pair *pair)
{
    const struct hf_record_header *record = accepted_record(pair);
    assert(pair->is_copying);
    assert(pair->spare_count != 0);
    enum hf_status status = HF_STATUS_AGAIN;
    if (hf_recent_has_room(&pair->recent, record->length, applied_of(pair))) {
        status = hf_log_writer_copy(pair->writer, pair->spare[pair->spare_count - 1], record);
    }
    if (status == HF_STATUS_OK) {
        pair->spare_count--;
        pair->is_copying = false;
        pair->counts.records_received++;
        publish_commit(pair);
        if (!pair->is_held) {
            hf_link_take(pair->link);
        }
        pair->is_held = false;
    } else if (status == HF_STATUS_DIVERGED || status == HF_STATUS_INVALID) {
        refuse_record(pair, record->index, status);
    } else {
        hold_record(pair, record);
    }
}

static void ask(struct hf_pair *pair, const struct hf_output *output)
{
    pair->has_question = true;
    pair->question = (struct hf_question){
        .kind = output->kind == HF_OUTPUT_READ ? HF_QUESTION_READ : HF_QUESTION_SWAP,
        .ask = output->ask,
    };
    if (output->kind == HF_OUTPUT_SWAP) {
        pair->question.expected = pair->replica.config;
        pair->question.wanted = output->config;
    }
}

static void set_role(struct hf_pair *pair, enum hf_role role)
{
    uint64_t lead = atomic_load_explicit(&pair->lead_index, memory_order_relaxed);
    if (role == HF_ROLE_PRIMARY && lead == 0) {
        /* Release: with it all before is seen as committed. */
        atomic_store_explicit(&pair->lead_index, pair->replica.last.place.index,
                              memory_order_release);
    } else if (role != HF_ROLE_PRIMARY && lead != 0) {
        hf_pair_set_restart(pair, HF_PAIR_RESTART_DEPOSED); /* P6 */
    }
}

static void alarm(struct hf_pair *pair, enum hf_alarm which)
{
    if (which != HF_ALARM_DISK_FAILED || pair->fault.line[0] == '\0') {
        snprintf(pair->fault.line, sizeof pair->fault.line, "%s", hf_pair_sentence_of(which));
        pair->fault_alarm = which;
    }
}

/* What is over is not complained of any more. */
static void forget_alarm(struct hf_pair *pair)
{
    if (pair->fault_alarm != 0 && (pair->replica.alarms & (1u << pair->fault_alarm)) == 0) {
        pair->fault_alarm = 0;
        pair->fault.line[0] = '\0';
    }
}

static void perform(struct hf_pair *pair, const struct hf_output *output)
{
    switch (output->kind) {
    case HF_OUTPUT_SEND:
        hf_pair_send_message(pair, &output->message);
        break;
    case HF_OUTPUT_APPEND:
        pair->is_copying = true; /* the frame in the link's hand */
        break;
    case HF_OUTPUT_APPEND_EPOCH:
        pair->begins_epoch = true;
        pair->epoch = output->config.epoch;
        break;
    case HF_OUTPUT_SAVE:
        pair->is_saved = save(pair);
        break;
    case HF_OUTPUT_TRUNCATE:
        hf_pair_cut(pair, output->index);
        break;
    case HF_OUTPUT_FETCH:
        hf_pair_fetch(pair);
        break;
    case HF_OUTPUT_READ:
    case HF_OUTPUT_SWAP:
        ask(pair, output);
        break;
    case HF_OUTPUT_COMMIT:
        hf_log_writer_set_committed(pair->writer, output->index);
        publish_commit(pair);
        break;
    case HF_OUTPUT_ROLE:
        set_role(pair, output->role);
        break;
    case HF_OUTPUT_ALARM:
        alarm(pair, output->alarm);
        break;
    }
}

static void publish_lease(struct hf_pair *pair)
{
    const struct hf_replica *r = &pair->replica;
    uint64_t until = 0;
    if (!is_over(pair) && hf_replica_may_append(r)) {
        if (!hf_config_is_pair(&r->config) && r->join_sent == 0) {
            until = UINT64_MAX;
        } else if (r->has_lease != 0) {
            until = r->times.leased + r->options.lease_ns;
        }
    }
    atomic_store_explicit(&pair->lease_until_ns, until, memory_order_release);
}

static void step(struct hf_pair *pair, const struct hf_input *input)
{
    if (is_over(pair)) {
        return;
    }
    hf_replica_step(&pair->replica, input, &pair->update);
    for (uint32_t i = 0; i < pair->update.count; i++) {
        perform(pair, &pair->update.outputs[i]);
    }
    forget_alarm(pair);
    publish_lease(pair);
}

static struct hf_input input_of(const struct hf_pair *pair, enum hf_input_kind kind)
{
    return (struct hf_input){.kind = kind, .now_ns = pair->now_ns};
}

void hf_pair_fail(struct hf_pair *pair)
{
    struct hf_replica *r = &pair->replica;
    atomic_store_explicit(&pair->lease_until_ns, 0, memory_order_relaxed);
    if (r->role == HF_ROLE_HALTED) {
        return;
    }
    /* Not from within a step: its update is being worked on. */
    struct hf_update last_words;
    struct hf_input input = input_of(pair, HF_INPUT_DISK_FAILED);
    hf_replica_step(r, &input, &last_words);
    for (uint32_t i = 0; i < last_words.count; i++) {
        if (last_words.outputs[i].kind == HF_OUTPUT_SEND) {
            hf_pair_send_message(pair, &last_words.outputs[i].message);
        }
    }
}

/* What came of what was done. */
static void settle(struct hf_pair *pair)
{
    bool moved = true;
    while (moved && !is_over(pair)) {
        moved = false;
        if (pair->begins_epoch) {
            begin_epoch(pair);
        }
        if (pair->is_copying && !is_over(pair)) {
            copy_record(pair);
        }
        if (pair->appended_count != 0) {
            struct hf_input input = input_of(pair, HF_INPUT_APPENDED);
            input.own = pair->appended[0];
            pair->appended_count--;
            memmove(&pair->appended[0], &pair->appended[1],
                    pair->appended_count * sizeof pair->appended[0]);
            step(pair, &input);
            moved = true;
        }
        if (pair->is_saved) {
            struct hf_input input = input_of(pair, HF_INPUT_SAVED);
            pair->is_saved = false;
            step(pair, &input);
            moved = true;
        }
    }
}

static void happen(struct hf_pair *pair, const struct hf_input *input)
{
    step(pair, input);
    settle(pair);
}

static void set_now(struct hf_pair *pair, uint64_t now_ns)
{
    assert(now_ns >= pair->now_ns);
    pair->now_ns = now_ns;
}

void hf_pair_start(struct hf_pair *pair, struct hf_log_writer *writer, uint64_t now_ns)
{
    struct hf_input input;
    pair->writer = writer;
    pair->spare_count = HF_PAIR_BATCHES;
    uint32_t first = hf_log_writer_own_batches(writer);
    for (uint32_t i = 0; i < HF_PAIR_BATCHES; i++) {
        pair->spare[i] = hf_log_writer_batch(writer, first + i);
    }
    set_now(pair, now_ns);
    hf_log_writer_set_committed(writer, pair->replica.commit);
    pair->replica.times.now = now_ns;
    pair->replica.times.heard = now_ns;
    pair->ticked_ns = now_ns;
    pair->stream = hf_link_stream(pair->link);
    hf_pair_send_self(pair);
    input = input_of(pair, HF_INPUT_START);
    happen(pair, &input);
}

/* ---- What the peer says ---- */

static bool peer_fits(struct hf_pair *pair, const struct hf_pair_self *peer)
{
    const struct hf_superblock *superblock = &pair->superblock;
    const char *why = NULL;
    if (peer->segment_size != pair->self.segment_size) {
        why = "log.segment_bytes (fixed when a data directory is made)";
    } else if (peer->block_size != pair->self.block_size) {
        why = "log.block_bytes (fixed when a data directory is made)";
    } else if (memcmp(peer->settings, pair->self.settings, sizeof peer->settings) != 0) {
        why = "[ledger] settings";
    }
    if (why != NULL) {
        snprintf(pair->fault.line, sizeof pair->fault.line,
                 "the peer has other %s: they must be equal on both nodes", why);
        return false;
    }
    if (superblock->peer_node != 0 &&
        memcmp(superblock->peer_key, peer->public_key, sizeof peer->public_key) != 0) {
        snprintf(
            pair->fault.line, sizeof pair->fault.line,
            "the peer signs with another key than the one this node's log knows: it is another "
            "node, or was made anew without the old one's node-key");
        return false;
    }
    return true;
}

static void on_self(struct hf_pair *pair, const struct hf_link_carried *carried)
{
    struct hf_pair_self peer;
    if (carried->length != sizeof peer) {
        pair->counts.refused_garbage++;
        return;
    }
    memcpy(&peer, carried->bytes, sizeof peer);
    if (carried->node != pair->options.replica.peer) {
        alarm(pair, HF_ALARM_STRANGER);
        return;
    }
    bool is_news = !pair->peer_is_known || carried->incarnation != pair->peer_incarnation;
    if (!is_news) {
        return;
    }
    pair->peer_is_known = peer_fits(pair, &peer);
    if (!pair->peer_is_known) {
        return;
    }
    pair->peer = peer;
    pair->peer_incarnation = carried->incarnation;
    if (pair->superblock.peer_node == 0) { /* from now on it is this one */
        memcpy(pair->superblock.peer_key, peer.public_key, sizeof peer.public_key);
        pair->superblock.peer_node = carried->node;
        (void)save(pair);
    }
    hf_pair_send_self(pair);
}

/* This node's record that a CUT is to be compared with; NULL when there is none so long or so old:
 * the next beacon asks again. One that should be there and cannot be read is damage, and the end.
 */
static const struct hf_record_header *record_to_compare(struct hf_pair *pair, uint64_t index)
{
    if (index > pair->replica.last.place.index) {
        return NULL;
    }
    const struct hf_record_header *record = hf_pair_record(pair, index);
    bool is_appended = index < pair->recent.next; /* else it waits for the writer to take it */
    if (record == NULL && is_appended && index >= pair->first_index) {
        snprintf(pair->fault.line, sizeof pair->fault.line,
                 "record %" PRIu64 " of this node's own log, or one before it, cannot be read back",
                 index);
        hf_pair_fail(pair);
    }
    return record;
}

static void on_note(struct hf_pair *pair, const struct hf_link_carried *carried)
{
    struct hf_input input = input_of(pair, HF_INPUT_MESSAGE);
    enum hf_message_verdict verdict = hf_message_read(
        carried->bytes, carried->length, pair->options.replica.cluster, &input.message);
    if (verdict != HF_MESSAGE_GOOD || input.message.kind == HF_MESSAGE_PREPARE) {
        pair->counts.refused_garbage++;
        return;
    }
    if (input.message.kind == HF_MESSAGE_CUT && input.message.index != 0) {
        const struct hf_record_header *record = record_to_compare(pair, input.message.index);
        if (record == NULL) {
            return;
        }
        input.own = tag_of(record);
    }
    happen(pair, &input);
}

/* The record that came with a PREPARE, if it is one, and the one that the message says. */
static const struct hf_record_header *record_in(struct hf_pair *pair, const uint8_t *frame,
                                                uint32_t length, const struct hf_message *message)
{
    const struct hf_record_header *record =
        (const struct hf_record_header *)(const void *)(frame + HF_MESSAGE_SIZE);
    uint32_t block_size = pair->superblock.block_size;
    uint32_t rest = length - HF_MESSAGE_SIZE;
    if (rest < HF_RECORD_HEADER_SIZE || record->length != rest ||
        hf_record_check(record, hf_record_padded_length(rest, block_size), block_size,
                        pair->options.replica.cluster, NULL) != HF_RECORD_GOOD) {
        return NULL;
    }
    if (record->index != message->index || record->epoch != message->record_epoch ||
        !hf_hash_equal(record->hash, message->hash) ||
        !hf_hash_equal(record->prev_hash, message->prev_hash)) {
        return NULL;
    }
    if (record->kind == HF_RECORD_SEAL && message->index > pair->replica.last.place.index &&
        hf_superblock_check_seal(&pair->superblock, record) != NULL) {
        return NULL;
    }
    return record;
}

/* One PREPARE from the stream, or a slice of a checkpoint. */
static void on_frame(struct hf_pair *pair, const uint8_t *frame, uint32_t length)
{
    if (hf_pair_on_slice(pair, frame, length)) {
        hf_link_take(pair->link);
        return;
    }
    struct hf_input input = input_of(pair, HF_INPUT_MESSAGE);
    enum hf_message_verdict verdict =
        hf_message_read(frame, length, pair->options.replica.cluster, &input.message);
    if (verdict != HF_MESSAGE_GOOD || input.message.kind != HF_MESSAGE_PREPARE ||
        record_in(pair, frame, length, &input.message) == NULL) {
        pair->counts.refused_garbage++;
        hf_link_take(pair->link);
        return;
    }
    uint64_t last = pair->replica.last.place.index;
    uint64_t newest = hf_epochs_newest(&pair->replica.epochs);
    happen(pair, &input);
    if (!is_over(pair) && pair->replica.last.place.index == last &&
        hf_epochs_newest(&pair->replica.epochs) != newest) {
        happen(pair, &input); /* the table has learned of the record's epoch: now the record */
    }
    if (!is_over(pair) && pair->replica.last.place.index == last) {
        hf_link_take(pair->link); /* it was not wanted */
    }
}

/* Frames, as many as there are batches for. One that was accepted is taken when the writer has it.
 */
static void take_frames(struct hf_pair *pair)
{
    uint32_t length = 0;
    const uint8_t *frame = NULL;
    while (!is_over(pair) && !pair->is_copying && pair->spare_count != 0 && pair->peer_is_known &&
           (frame = hf_link_frame(pair->link, &length)) != NULL) {
        on_frame(pair, frame, length);
    }
}

void hf_pair_receive(struct hf_pair *pair, const void *bytes, size_t length, uint64_t now_ns)
{
    struct hf_link_carried carried;
    if (is_over(pair)) {
        return;
    }
    set_now(pair, now_ns);
    switch (hf_link_receive(pair->link, bytes, length, &carried, now_ns)) {
    case HF_LINK_NOTHING:
        break;
    case HF_LINK_STREAMED:
        take_frames(pair);
        break;
    case HF_LINK_GARBAGE:
        pair->counts.refused_garbage++;
        break;
    case HF_LINK_OTHER_CLUSTER:
        pair->counts.refused_other_cluster++;
        snprintf(pair->fault.line, sizeof pair->fault.line,
                 "a node of another cluster speaks on the peer's link: it is not listened to");
        break;
    case HF_LINK_NOTED:
        if (carried.kind == HF_LINK_SELF) {
            on_self(pair, &carried);
        } else if (pair->peer_is_known && carried.incarnation == pair->peer_incarnation) {
            if (carried.kind == HF_LINK_FETCH) {
                hf_pair_on_request(pair, carried.bytes, carried.length);
            } else {
                on_note(pair, &carried);
            }
        }
        break;
    }
}

void hf_pair_answered(struct hf_pair *pair, const struct hf_arbiter_answer *answer, uint64_t now_ns)
{
    set_now(pair, now_ns);
    struct hf_input input = input_of(pair, HF_INPUT_ARBITER);
    input.ask = answer->ask;
    input.answer = answer->kind;
    input.config = answer->config;
    happen(pair, &input);
}

bool hf_pair_question(struct hf_pair *pair, struct hf_question *question)
{
    bool has = pair->has_question;
    if (has) {
        *question = pair->question;
        pair->has_question = false;
    }
    return has;
}

/* ---- Time ---- */

static uint32_t poll_writer(struct hf_pair *pair, struct hf_log_batch *done[], uint32_t most)
{
    uint32_t own = hf_log_writer_own_batches(pair->writer);
    uint32_t count = hf_log_writer_poll(pair->writer, done, most);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (done[i]->number >= own) {
            pair->spare[pair->spare_count++] = done[i];
        } else {
            done[kept++] = done[i];
        }
    }
    if (hf_log_writer_is_poisoned(pair->writer)) {
        pair->fault = *hf_log_writer_fault(pair->writer);
        hf_pair_fail(pair);
    }
    return kept;
}

/* The operator's order to go on alone holds until there are two again. */
static void end_order(struct hf_pair *pair)
{
    struct hf_replica *r = &pair->replica;
    if (!pair->is_ordered || r->role != HF_ROLE_PRIMARY) {
        return;
    }
    if (!hf_config_is_pair(&r->config)) {
        pair->was_alone = true;
    } else if (pair->was_alone) {
        pair->is_ordered = false;
        r->options.on_loss = pair->options.replica.on_loss;
    }
}

static void tick(struct hf_pair *pair)
{
    const struct hf_replica_options *options = &pair->options.replica;
    end_order(pair);
    if (pair->now_ns - pair->ticked_ns >= options->beacon_ns / 8) {
        struct hf_input input = input_of(pair, HF_INPUT_TICK);
        input.first_index = pair->first_index;
        pair->ticked_ns = pair->now_ns;
        happen(pair, &input);
    }
    uint64_t patience = pair->peer_is_known ? SELF_KNOWN_NS : SELF_NS;
    if (pair->now_ns - pair->self_sent_ns >= patience) {
        hf_pair_send_self(pair);
    }
}

uint32_t hf_pair_poll(struct hf_pair *pair, struct hf_log_batch *done[], uint32_t most,
                      uint64_t now_ns)
{
    set_now(pair, now_ns);
    uint32_t count = poll_writer(pair, done, most);
    if (is_over(pair)) {
        return count;
    }
    uint64_t diverged = atomic_load_explicit(&pair->diverged, memory_order_relaxed);
    if (diverged != 0) {
        struct hf_input input = input_of(pair, HF_INPUT_DIVERGED);
        input.index = diverged;
        happen(pair, &input);
    }
    uint64_t flushed = hf_log_writer_commit_index(pair->writer);
    if (flushed > pair->replica.flushed) {
        struct hf_input input = input_of(pair, HF_INPUT_FLUSHED);
        input.index = flushed;
        happen(pair, &input);
    }
    settle(pair);
    take_frames(pair);
    tick(pair);
    hf_pair_pace(pair);
    hf_pair_fetch_poll(pair);
    hf_pair_pump(pair);
    hf_link_poll(pair->link, now_ns);
    return count;
}

/* ---- The host's operations ---- */

bool hf_pair_may_submit(const struct hf_pair *pair)
{
    return !is_over(pair) && !pair->begins_epoch && pair->appended_count == 0 &&
           pair->now_ns >= pair->pace.next_ns && hf_replica_may_append(&pair->replica);
}

enum hf_status hf_pair_submit(struct hf_pair *pair, struct hf_log_batch *batch, uint64_t now_ns)
{
    assert(hf_pair_may_submit(pair));
    set_now(pair, now_ns);
    enum hf_status status = hf_log_writer_submit(pair->writer, batch);
    pair->pace.next_ns = now_ns + pair->pace.pause_ns;
    settle(pair);
    hf_pair_pump(pair);
    return status;
}

void hf_pair_step_down(struct hf_pair *pair, uint64_t now_ns)
{
    set_now(pair, now_ns);
    struct hf_input input = input_of(pair, HF_INPUT_STEP_DOWN);
    happen(pair, &input);
}

void hf_pair_promote(struct hf_pair *pair, uint64_t now_ns)
{
    set_now(pair, now_ns);
    struct hf_input input = input_of(pair, HF_INPUT_PROMOTE);
    pair->is_ordered = true;
    pair->was_alone = false;
    pair->replica.options.on_loss = HF_ON_LOSS_ALONE;
    happen(pair, &input);
}
