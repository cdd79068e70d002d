/* How a node starts, stops, dies, is mended and replaced. Its disk outlives its lives. */
#include "sim.h"

#include "engine/image.h"

#define SEGMENT_SIZE   (64 << 10)
#define BATCH_CAPACITY 4096
#define BATCHES        4
#define DEPTH          3
#define SEAL_SPAN      24
#define DATAGRAM_SIZE  1472
#define BEACON_MS      3
#define LEASE_MS       12
#define GRACE_MS       20
#define DROP_MS        24
#define ASK_MS         15

/* A checkpoint being loaded, of each node. */
static struct hf_image_reader images[SIM_NODES];
/* Memory that every life of every world takes over. */
static void *ledger_memories[SIM_NODES];
static _Alignas(64) uint8_t recent_memories[SIM_NODES][HF_PAIR_RECENT_MIN];

/* ---- Making ---- */

static void make_disk(struct sim_node *node)
{
    const struct hf_disk_sim_options options = {
        .seed = sim_random(&node->random),
        .block_size = node->sim->seed % 4 == 0 ? 4096 : 512, /* of both nodes, always */
        .delay_most = (uint32_t)sim_below(&node->random, 5),
        .flush_delay = (uint32_t)sim_below(&node->random, 5),
    };
    node->disk = hf_disk_sim_create(&options);
    if (node->disk == NULL) {
        sim_wrong(node->sim, "no memory for a disk");
    }
}

static void boot(struct sim_node *node)
{
    node->boot_ms = node->sim->now_ms;
    node->monotonic_base_ns = sim_between(&node->random, 1, 1000) * SIM_NS_IN_MS;
}

static struct hf_port *open_port(struct sim *sim, uint32_t ip, uint16_t udp)
{
    const struct hf_address address = {.ip = ip, .udp = udp};
    struct hf_port *port = NULL;
    struct hf_fault fault;
    if (hf_port_sim_open(sim->network, &address, &port, &fault) != HF_STATUS_OK) {
        sim_wrong(sim, "a port cannot be opened: %s", fault.line);
    }
    return port;
}

void sim_life_make(struct sim *sim, uint32_t number)
{
    struct sim_node *node = &sim->nodes[number];
    uint8_t seed[HF_CHAIN_SEED_SIZE] = "a key that everybody may have..";
    node->sim = sim;
    node->number = number;
    node->random = sim->seed ^ (0x40de + number);
    node->down = SIM_DOWN_OFF;
    node->dies_at_call = UINT64_MAX;
    node->rate_permille = (uint32_t)sim_between(&node->random, 970, 1030);
    seed[sizeof seed - 1] = (uint8_t)number;
    hf_chain_key_of_seed(seed, node->secret_key);
    node->clients = open_port(sim, 0x0a000001 + number, 4600);
    node->peer = open_port(sim, 0x0a000001 + number, 4601);
    make_disk(node);
    boot(node);
}

static void make_ledger(struct sim_node *node)
{
    size_t size = (hf_ledger_memory_size(&sim_limits) + 63) & ~(size_t)63;
    void **memory = &ledger_memories[node->number];
    if (*memory == NULL) {
        *memory = aligned_alloc(64, size);
    }
    if (*memory == NULL) {
        sim_wrong(node->sim, "no memory for a ledger");
    }
    memset(*memory, 0, size);
    node->ledger = hf_ledger_create(&sim_limits, *memory, size);
    assert(node->ledger != NULL);
    hf_image_read_begin(&images[node->number], node->ledger);
}

/* ---- Opening the log ---- */

static enum hf_status begin_image(void *context, const struct hf_checkpoint_header *header,
                                  struct hf_fault *fault)
{
    (void)header;
    (void)fault;
    make_ledger(context);
    return HF_STATUS_OK;
}

static enum hf_status take_image(void *context, const void *bytes, size_t length,
                                 struct hf_fault *fault)
{
    struct sim_node *node = context;
    (void)fault;
    return hf_image_read(&images[node->number], bytes, length);
}

static enum hf_status end_image(void *context, const struct hf_checkpoint_header *header,
                                struct hf_fault *fault)
{
    struct sim_node *node = context;
    (void)fault;
    enum hf_status status = hf_image_read_end(&images[node->number]);
    if (status == HF_STATUS_OK && !hf_id_equal(hf_ledger_digest(node->ledger), header->digest)) {
        sim_wrong(node->sim,
                  "node %" PRIu32 ": the checkpoint at record %" PRIu64
                  " has another state than its digest says",
                  node->number + 1, header->index);
    }
    node->checkpointed = header->index;
    return status;
}

static enum hf_status take_record(void *context, const struct hf_record_header *record,
                                  struct hf_fault *fault)
{
    struct sim_node *node = context;
    sim_truth_record(node, record);
    node->applied = *record;
    return hf_replay_record(node->ledger, record, NULL, NULL, fault);
}

static enum hf_status open_log(struct sim_node *node)
{
    struct hf_log_options options = {.cluster = sim_cluster,
                                     .node = node->number + 1,
                                     .create = true,
                                     .segment_size = SEGMENT_SIZE,
                                     .first_incarnation = 1 + 1000 * node->replaced};
    const struct hf_log_replay replay = {.context = node,
                                         .image_begin = begin_image,
                                         .image = take_image,
                                         .image_end = end_image,
                                         .record = take_record};
    memcpy(options.public_key, hf_chain_key_public(node->secret_key), sizeof options.public_key);
    memcpy(options.settings, &sim_limits, sizeof sim_limits);
    make_ledger(node);
    memset(&node->applied, 0, sizeof node->applied);
    node->checkpointed = 0;
    return hf_log_open(node->disk, &options, &replay, &node->state, &node->fault);
}

/* ---- Starting ---- */

static void observe(void *context, const struct hf_record_header *record)
{
    struct sim_node *node = context;
    sim_truth_record(node, record);
    hf_pair_observe(node->pair, record);
}

static enum hf_status make_writer(struct sim_node *node)
{
    const struct hf_log_writer_options options = {.depth = DEPTH,
                                                  .segments_ahead = 1,
                                                  .batch_count = BATCHES,
                                                  .batch_capacity = BATCH_CAPACITY,
                                                  .pair_batches = HF_PAIR_BATCHES,
                                                  .observe = observe,
                                                  .observe_context = node,
                                                  .seal_span = SEAL_SPAN,
                                                  .secret_key = node->secret_key};
    enum hf_status status =
        hf_log_writer_create(node->disk, &node->state, &options, &node->writer, &node->fault);
    node->free_count = 0;
    for (uint32_t i = 0; i < BATCHES && status == HF_STATUS_OK; i++) {
        node->free[node->free_count++] = hf_log_writer_batch(node->writer, i);
    }
    return status;
}

static enum hf_status make_pair(struct sim_node *node)
{
    const struct sim_mix *mix = &node->sim->faults.mix;
    const struct hf_pair_options options = {
        .replica = {.cluster = sim_cluster,
                    .node = node->number + 1,
                    .peer = SIM_NODES - node->number,
                    .durability = mix->durability,
                    .on_loss = mix->on_loss,
                    .beacon_ns = BEACON_MS * SIM_NS_IN_MS,
                    .lease_ns = LEASE_MS * SIM_NS_IN_MS,
                    .grace_ns = GRACE_MS * SIM_NS_IN_MS,
                    .drop_ns = DROP_MS * SIM_NS_IN_MS,
                    .ask_ns = ASK_MS * SIM_NS_IN_MS,
                    .window = 8,
                    .join_lag = 4,
                    .may_found = node->number == 0},
        .datagram_size = DATAGRAM_SIZE,
        .recent_bytes = sizeof recent_memories[node->number],
        .recent_memory = recent_memories[node->number],
        .send = sim_node_send_to_peer,
        .context = node,
    };
    return hf_pair_create(&options, &node->state, node->disk, node->disk, &node->pair,
                          &node->fault);
}

/* The memory of this life goes; the disk has been told already what becomes of it. */
static void end_process(struct sim_node *node)
{
    hf_pair_destroy(node->pair);
    node->pair = NULL;
    hf_log_writer_destroy(node->writer);
    node->writer = NULL;
    node->batch = NULL;
    node->waiting_count = 0;
    node->dies_at_call = UINT64_MAX;
    node->is_failing = false;
    memset(&node->seen, 0, sizeof node->seen);
    memset(&node->counted, 0, sizeof node->counted);
    hf_disk_sim_fail(node->disk, UINT64_MAX, false);
}

static void go_down(struct sim_node *node, enum sim_down down, uint64_t down_ms)
{
    node->down = down;
    node->start_ms = node->sim->now_ms + down_ms;
    if (!sim_node_is_up(&node->sim->nodes[1 - node->number])) {
        sim_mark(SIM_MARK_BOTH_DOWN);
    }
}

/* It does not start: a disk that fails now may do better the next time, a damaged log will not. */
static void fail_to_start(struct sim_node *node, enum hf_status status)
{
    sim_trace_event(node->sim, node->number, "cannot start: status #", status, 0, 0);
    if (node->sim->trace.to != NULL) {
        fprintf(node->sim->trace.to, "               %s\n", node->fault.line);
    }
    bool is_corrupt = status == HF_STATUS_CORRUPT;
    bool is_told = status == HF_STATUS_IO || status == HF_STATUS_FULL;
    if (!is_told && !(is_corrupt && node->is_rotten)) {
        sim_wrong(node->sim, "node %" PRIu32 " does not start: %s", node->number + 1,
                  node->fault.line);
    }
    sim_mark(is_corrupt ? SIM_MARK_ROT_FOUND : SIM_MARK_CALL_FAILED);
    hf_disk_sim_crash(node->disk);
    end_process(node);
    sim_truth_crashed(node);
    go_down(node, is_corrupt ? SIM_DOWN_CORRUPT : SIM_DOWN_OFF, sim_between(&node->random, 1, 40));
}

void sim_life_start(struct sim_node *node)
{
    node->life++;
    enum hf_status status = open_log(node);
    if (status == HF_STATUS_OK) {
        sim_truth_started(node);
        status = make_writer(node);
    }
    if (status == HF_STATUS_OK) {
        status = make_pair(node);
    }
    if (status == HF_STATUS_OK) {
        status = hf_log_writer_attach(node->writer, &node->fault);
    }
    if (status != HF_STATUS_OK) {
        fail_to_start(node, status);
        return;
    }
    node->down = SIM_DOWN_NOT;
    sim_trace_event(node->sim, node->number, "starts, life #, with # records, promise #",
                    node->life, node->state.last_index, node->state.superblock.promised_epoch);
    hf_pair_start(node->pair, node->writer, sim_node_monotonic_ns(node));
    node->seen = *hf_pair_replica(node->pair);
}

/* ---- Ending ---- */

/* Nobody hears what comes to a door that is shut. */
static void empty_port(struct hf_port *port)
{
    struct hf_packet packet;
    while (port->maker->receive(port, &packet, 1) == 1) {
        port->maker->release(port, &packet, 1);
    }
}

static void shut_doors(struct sim_node *node)
{
    empty_port(node->clients);
    empty_port(node->peer);
}

void sim_life_power_cut(struct sim_node *node, uint64_t down_ms)
{
    if (!sim_node_is_up(node)) {
        return;
    }
    sim_trace_event(node->sim, node->number, "loses its power, # ms long", down_ms, 0, 0);
    sim_mark(SIM_MARK_POWER_CUT);
    hf_disk_sim_crash(node->disk);
    end_process(node);
    sim_truth_crashed(node);
    shut_doors(node);
    boot(node);
    go_down(node, SIM_DOWN_OFF, down_ms);
}

void sim_life_kill(struct sim_node *node, uint64_t down_ms)
{
    if (!sim_node_is_up(node)) {
        return;
    }
    sim_trace_event(node->sim, node->number, "is killed, # ms long", down_ms, 0, 0);
    sim_mark(SIM_MARK_KILL);
    hf_disk_sim_kill(node->disk);
    end_process(node);
    shut_doors(node);
    go_down(node, SIM_DOWN_OFF, down_ms);
}

void sim_life_stop(struct sim_node *node, uint64_t down_ms)
{
    if (!sim_node_is_up(node)) {
        return;
    }
    sim_trace_event(node->sim, node->number, "is stopped, # ms long", down_ms, 0, 0);
    sim_mark(SIM_MARK_STOP);
    hf_pair_step_down(node->pair, sim_node_monotonic_ns(node));
    sim_truth_turned(node);
    hf_log_writer_detach(node->writer);
    hf_disk_sim_kill(node->disk);
    end_process(node);
    shut_doors(node);
    go_down(node, SIM_DOWN_OFF, down_ms);
}

void sim_life_replace(struct sim_node *node)
{
    sim_trace_event(node->sim, node->number, "is replaced by an empty one", 0, 0, 0);
    sim_mark(SIM_MARK_REPLACED);
    node->disk->maker->destroy(node->disk);
    make_disk(node);
    sim_truth_wiped(node);
    boot(node);
    node->is_rotten = false;
    node->replaced++;
    go_down(node, SIM_DOWN_OFF, 0);
}

void sim_life_end(struct sim_node *node)
{
    if (sim_node_is_up(node)) {
        hf_disk_sim_kill(node->disk);
        end_process(node);
    }
    node->disk->maker->destroy(node->disk);
    node->clients->maker->destroy(node->clients);
    node->peer->maker->destroy(node->peer);
}

/* ---- Checkpoints ---- */

static enum hf_status give_image(void *context, void *buffer, size_t size, size_t *length)
{
    *length = hf_image_write(context, buffer, size < 4096 ? size : 4096);
    return HF_STATUS_OK;
}

/* The header of a checkpoint of the ledger as it is; false when its last record is not durable and
 * committed. */
static bool describe(struct sim_node *node, struct hf_checkpoint_header *header)
{
    const struct hf_replica *replica = hf_pair_replica(node->pair);
    struct hf_log_writer_counts counts;
    hf_log_writer_count(node->writer, &counts);
    if (hf_pair_leads(node->pair)) {
        if (counts.in_flight != 0 || counts.last_index != replica->commit ||
            counts.commit_index != counts.last_index || counts.last_index == 0 ||
            (node->batch != NULL && node->batch->count != 0)) {
            return false;
        }
        hf_log_writer_describe(node->writer, header);
        return true;
    }
    const struct hf_record_header *record = &node->applied;
    if (record->index == 0 || record->index > counts.commit_index ||
        record->index > hf_pair_commit_index(node->pair)) {
        return false;
    }
    *header = (struct hf_checkpoint_header){.cluster = sim_cluster,
                                            .index = record->index,
                                            .epoch = record->epoch,
                                            .place = record->first_place + record->count - 1,
                                            .timestamp_ns = record->timestamp_ns,
                                            .record_hash = record->hash};
    return true;
}

/* Lets go of the log before a checkpoint: before the older of two that are whole, or, as where
 * there is no room, before the newest. What fails here makes nothing worse. */
static void let_go(struct sim_node *node, uint64_t older, uint64_t newest)
{
    struct hf_retained retained;
    bool is_pressing = sim_below(&node->random, 4) == 0;
    const struct hf_retention retention = {.index = is_pressing ? newest : older};
    if (!node->sim->faults.mix.lets_go || retention.index == 0) {
        return;
    }
    enum hf_status status =
        hf_retain(node->disk, &node->state.superblock, &retention, &retained, &node->fault);
    sim_trace_event(node->sim, node->number, "lets go of # segments: status #", retained.removed,
                    status, 0);
    if (retained.removed != 0) {
        sim_mark(SIM_MARK_LET_GO);
    }
}

/* Now and then a checkpoint is damaged as it is written, and nobody notices before it is read back.
 * Never two in turn: of two, one must be whole. */
static bool damage_checkpoint(struct sim_node *node)
{
    bool is_next = node->sim->faults.mix.rot_rate != 0 && node->checkpoint_is_whole &&
                   sim_below(&node->random, 4) == 0;
    if (is_next) {
        hf_disk_sim_befall(node->disk, HF_DISK_SIM_ROTTEN, sim_below(&node->random, 2));
        sim_mark(SIM_MARK_ROT_CHECKPOINT);
    }
    return is_next;
}

void sim_life_checkpoint(struct sim_node *node)
{
    static struct hf_image_writer image;
    struct hf_checkpoint_header header;
    uint64_t older = node->checkpointed;
    if (!sim_node_is_up(node) || !describe(node, &header) || header.index <= node->checkpointed) {
        return;
    }
    header.digest = hf_ledger_digest(node->ledger);
    hf_image_write_begin(&image, node->ledger);
    const struct hf_checkpoint_stream stream = {.context = &image, .source = give_image};
    bool is_damaged = damage_checkpoint(node);
    enum hf_status status = hf_checkpoint_write(node->disk, &header, &stream, &node->fault);
    hf_disk_sim_befall(node->disk, HF_DISK_SIM_NO_MISHAP, 0);
    sim_trace_event(node->sim, node->number, "makes a checkpoint at record #: status #",
                    header.index, status, 0);
    if (status != HF_STATUS_OK) {
        return; /* the older ones are as they were */
    }
    node->checkpoint_is_whole = !is_damaged;
    if (hf_checkpoint_verify(node->disk, sim_cluster, header.index, &header, &node->fault) !=
        HF_STATUS_OK) {
        return;
    }
    node->checkpointed = header.index;
    let_go(node, older, header.index);
}
