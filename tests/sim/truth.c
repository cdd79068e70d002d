/* What nobody in the world knows: what each log holds, what was committed by anybody, the chain of
 * CFGs. The invariants I1 to I7 are judged by it after every turn of a node; I8 by the clients'
 * books and at the end. */
#include "sim.h"

static bool same(const struct sim_log *log, const struct sim_log *other, uint64_t index)
{
    return hf_hash_equal(log->records[index - 1].hash, other->records[index - 1].hash);
}

/* How far a log holds what was committed. A hash covers all before it. */
static uint64_t common(const struct sim_log *log, const struct sim_log *committed)
{
    uint64_t index = log->count < committed->count ? log->count : committed->count;
    while (index != 0 && !same(log, committed, index)) {
        index--;
    }
    return index;
}

/* ---- The arbiter's chain ---- */

void sim_truth_swapped(struct sim *sim, const struct hf_config *config, bool is_excused)
{
    struct sim_truth *truth = &sim->truth;
    sim_trace_event(sim, UINT32_MAX, "CFG: epoch #, primary #, standby #", config->epoch,
                    config->primary, config->insync[1].node);
    if (config->epoch != truth->epoch + 1) {
        sim_wrong(sim, "I1: CFG goes from epoch %" PRIu64 " to %" PRIu64, truth->epoch,
                  config->epoch);
    }
    if (config->epoch >= SIM_EPOCHS_MAX) {
        sim_wrong(sim, "no end of epochs");
    }
    const struct hf_config *before = &truth->configs[truth->epoch];
    if (truth->epoch != 0 && hf_config_member(before, config->primary) == NULL && !is_excused) {
        sim_wrong(sim, "I2: node %" PRIu32 " leads epoch %" PRIu64 ", and was not in I",
                  config->primary, config->epoch);
    }
    if (truth->epoch == 0) {
        sim_mark(SIM_MARK_FOUNDED);
    } else if (before->primary != config->primary) {
        sim_mark(SIM_MARK_TAKEOVER);
    } else if (!hf_config_is_pair(before) && hf_config_is_pair(config)) {
        sim_mark(SIM_MARK_JOIN);
    }
    truth->epoch = config->epoch;
    truth->configs[config->epoch] = *config;
}

/* ---- The logs ---- */

static const struct hf_record_header *store(struct sim *sim, const struct hf_record_header *record)
{
    struct sim_truth *truth = &sim->truth;
    uint64_t length = (record->length + 7u) & ~7u;
    if (length > SIM_STORE_SIZE - truth->stored) {
        sim_wrong(sim, "no end of records");
    }
    void *bytes = (uint8_t *)truth->store + truth->stored;
    memcpy(bytes, record, record->length);
    truth->stored += length;
    return bytes;
}

/* What a checkpoint covers was committed. */
static void take_committed(struct sim_node *node, uint64_t index)
{
    struct sim *sim = node->sim;
    struct sim_log *log = &sim->truth.logs[node->number];
    if (index > sim->truth.committed.count) {
        sim_wrong(
            sim, "node %" PRIu32 " begins behind record %" PRIu64 ", and %" PRIu64 " are committed",
            node->number + 1, index, sim->truth.committed.count);
    }
    memcpy(log->records, sim->truth.committed.records, index * sizeof log->records[0]);
    log->count = index;
}

void sim_truth_record(struct sim_node *node, const struct hf_record_header *record)
{
    struct sim *sim = node->sim;
    struct sim_log *log = &sim->truth.logs[node->number];
    uint64_t index = record->index;
    if (index > log->count + 1) {
        take_committed(node, index - 1);
    }
    if (index > SIM_RECORDS_MAX) {
        sim_wrong(sim, "no end of records");
    }
    struct sim_record *slot = &log->records[index - 1];
    if (index <= log->count) {
        if (!hf_hash_equal(slot->hash, record->hash)) {
            sim_wrong(sim,
                      "P3: node %" PRIu32 " reads another record %" PRIu64 " than it had flushed",
                      node->number + 1, index);
        }
        return;
    }
    if (index > 1 && !hf_hash_equal(record->prev_hash, log->records[index - 2].hash)) {
        sim_wrong(sim, "node %" PRIu32 ": record %" PRIu64 " does not follow", node->number + 1,
                  index);
    }
    *slot = (struct sim_record){.hash = record->hash,
                                .next_place = record->first_place + record->count,
                                .bytes = store(sim, record)};
    log->count = index;
}

void sim_truth_started(struct sim_node *node)
{
    struct sim *sim = node->sim;
    struct sim_log *log = &sim->truth.logs[node->number];
    uint64_t last = node->state.last_index;
    if (last < log->flushed) {
        sim_wrong(sim,
                  "P3: node %" PRIu32 " starts with %" PRIu64 " records, and had flushed %" PRIu64,
                  node->number + 1, last, log->flushed);
    }
    if (last > log->count && last == node->state.checkpoint_index) {
        take_committed(node, last); /* the peer's, and not a record behind it */
    }
    if (last > log->count) {
        sim_wrong(sim, "node %" PRIu32 " starts with %" PRIu64 " records out of nowhere",
                  node->number + 1, last);
    }
    log->count = last;
    log->flushed = last;
    if (node->state.superblock.promised_epoch < node->promised) {
        sim_wrong(sim, "node %" PRIu32 " forgets its promise of epoch %" PRIu64, node->number + 1,
                  node->promised);
    }
    if (node->state.superblock.incarnation <= node->incarnation) {
        sim_wrong(sim, "node %" PRIu32 " lives again as incarnation %" PRIu64, node->number + 1,
                  node->state.superblock.incarnation);
    }
    node->incarnation = node->state.superblock.incarnation;
}

void sim_truth_flushed(struct sim_node *node, uint64_t index)
{
    struct sim_log *log = &node->sim->truth.logs[node->number];
    assert(index <= log->count);
    if (index > log->flushed) {
        log->flushed = index;
    }
}

void sim_truth_crashed(struct sim_node *node)
{
    struct sim_log *log = &node->sim->truth.logs[node->number];
    if (log->count > log->flushed) {
        sim_mark(SIM_MARK_POWER_CUT_LOSES);
    }
    log->count = log->flushed;
}

void sim_truth_wiped(struct sim_node *node)
{
    struct sim_log *log = &node->sim->truth.logs[node->number];
    log->count = 0;
    log->flushed = 0;
    node->promised = 0;
    node->incarnation = 0;
}

void sim_truth_replaced(struct sim_node *node)
{
    node->sim->truth.logs[node->number].count = 0;
    node->sim->truth.logs[node->number].flushed = 0;
}

/* ---- Committing ---- */

/* I3: a record is committed in an epoch when all of its I hold it, as the mode demands. */
static void check_held(struct sim *sim, const struct sim_node *node, uint64_t epoch, uint64_t index,
                       struct hf_hash hash)
{
    const struct sim_truth *truth = &sim->truth;
    const struct hf_config *config = &truth->configs[epoch];
    bool fast = config->durability == HF_DURABILITY_PAIR_FAST && hf_config_is_pair(config);
    for (uint32_t n = 0; n < SIM_NODES; n++) {
        const struct sim_log *log = &truth->logs[n];
        if (hf_config_member(config, n + 1) == NULL) {
            continue;
        }
        /* In pair-fast it has been in memory, and may be gone since. */
        bool held = fast || index <= log->flushed;
        if (!held || !hf_hash_equal(log->records[index - 1].hash, hash)) {
            sim_wrong(sim,
                      "I3: node %" PRIu32 " commits record %" PRIu64 " of epoch %" PRIu64
                      ", which node %" PRIu32 " does not hold",
                      node->number + 1, index, epoch, n + 1);
        }
    }
}

static void commit(struct sim_node *node, const struct hf_replica *replica, uint64_t index)
{
    struct sim *sim = node->sim;
    struct sim_log *committed = &sim->truth.committed;
    const struct sim_log *log = &sim->truth.logs[node->number];
    if (index <= committed->count) {
        if (!same(log, committed, index)) {
            sim_wrong(sim, "I5: node %" PRIu32 " commits another record %" PRIu64, node->number + 1,
                      index);
        }
        return;
    }
    if (!hf_pair_leads(node->pair) && replica->role != HF_ROLE_PRIMARY) {
        sim_wrong(sim,
                  "I3: node %" PRIu32 ", %s, is told that record %" PRIu64
                  " is committed, which nobody did",
                  node->number + 1, hf_role_name((enum hf_role)replica->role), index);
    }
    assert(index == committed->count + 1);
    assert(index <= log->count);
    check_held(sim, node, replica->epoch, index, log->records[index - 1].hash);
    committed->records[index - 1] = log->records[index - 1];
    committed->records[index - 1].committed_in = replica->epoch;
    committed->count = index;
}

/* ---- Roles ---- */

static void check_primary(struct sim_node *node, const struct hf_replica *replica)
{
    struct sim *sim = node->sim;
    const struct sim_log *committed = &sim->truth.committed;
    const struct sim_node *other = &sim->nodes[1 - node->number];
    /* It may hear so late that it leads, that the epoch after its own has begun. */
    uint64_t before = committed->count;
    while (before != 0 && committed->records[before - 1].committed_in >= replica->epoch) {
        before--;
    }
    if (common(&sim->truth.logs[node->number], committed) < before) {
        sim_wrong(sim,
                  "I4: node %" PRIu32 " leads epoch %" PRIu64 " without record %" PRIu64
                  ", which was committed",
                  node->number + 1, replica->epoch, before);
    }
    if (sim->truth.configs[replica->epoch].primary != node->number + 1) {
        sim_wrong(sim, "I1: node %" PRIu32 " leads epoch %" PRIu64 ", and CFG names another",
                  node->number + 1, replica->epoch);
    }
    if (sim_node_is_up(other) && other->seen.role == HF_ROLE_PRIMARY &&
        other->seen.epoch == replica->epoch) {
        sim_wrong(sim, "I1: both nodes lead epoch %" PRIu64, replica->epoch);
    }
}

/* I7: what is cut was never committed. From here on the log may be shorter than it was. */
static void check_cut(struct sim_node *node, const struct hf_replica *replica)
{
    struct sim *sim = node->sim;
    struct sim_log *log = &sim->truth.logs[node->number];
    bool cuts = replica->cutting != 0 && replica->role == HF_ROLE_REJOINING;
    uint64_t shared = common(log, &sim->truth.committed);
    if (replica->needs_checkpoint != 0 && log->flushed > shared) {
        log->flushed = shared; /* it is about to be replaced by what is committed */
    }
    if (!cuts) {
        return;
    }
    if (replica->cut < shared) {
        sim_wrong(sim,
                  "I7: node %" PRIu32 " cuts behind record %" PRIu64 ", and shares %" PRIu64
                  " committed ones",
                  node->number + 1, replica->cut, shared);
    }
    if (replica->cut < log->flushed) {
        log->flushed = replica->cut;
    }
}

/* ---- Which way it went ---- */

static void mark_leading(const struct hf_replica *then, const struct hf_replica *now)
{
    bool fenced_now = now->is_fenced > then->is_fenced;
    if (now->role != HF_ROLE_PRIMARY || then->role != HF_ROLE_PRIMARY) {
        return;
    }
    if (fenced_now && then->join_sent != 0 && now->peer_incarnation == 0) {
        sim_mark(SIM_MARK_JOIN_DOUBT);
    } else if (fenced_now && now->asking == HF_ASKING_READ) {
        sim_mark(SIM_MARK_FENCED);
    } else if (fenced_now && now->peer_incarnation != 0) {
        sim_mark(SIM_MARK_DROP_INCARNATION);
    }
    if (then->has_lease == 0 && now->has_lease != 0) {
        sim_mark(SIM_MARK_LEASE);
    }
}

/* It begins to claim an epoch: why? */
static void mark_claim(const struct hf_replica *then, const struct hf_replica *now)
{
    const struct hf_config *config = &now->config;
    if (then->is_forced != 0) {
        sim_mark(SIM_MARK_PROMOTED);
    } else if (then->is_stranded != 0) {
        sim_mark(SIM_MARK_BOTH_LOGS);
    } else if (config->epoch != 0 && config->primary == now->options.node) {
        sim_mark(hf_config_is_pair(config) ? SIM_MARK_RESTART_PAIR : SIM_MARK_RESTART_ALONE);
    } else if (config->epoch != 0) {
        sim_mark(then->promise == config->epoch + 1   ? SIM_MARK_TAKEOVER_FINISHED
                 : then->handed_over == config->epoch ? SIM_MARK_TAKEOVER_HANDOVER
                                                      : SIM_MARK_TAKEOVER_SILENCE);
    }
}

static void mark_step(const struct sim_node *node, const struct hf_replica *now)
{
    const struct hf_replica *then = &node->seen;
    uint32_t alarms = now->alarms & ~then->alarms;
    mark_leading(then, now);
    if (now->role == HF_ROLE_CLAIMING && then->role != HF_ROLE_CLAIMING) {
        mark_claim(then, now);
    }
    if (then->role == HF_ROLE_PRIMARY && now->role != HF_ROLE_PRIMARY &&
        now->role != HF_ROLE_HALTED) {
        sim_mark(SIM_MARK_DEPOSED);
    }
    if ((alarms & 1u << HF_ALARM_ALONE) != 0) {
        sim_mark(SIM_MARK_ALONE);
    }
    if ((alarms & 1u << HF_ALARM_REFUSING) != 0) {
        sim_mark(SIM_MARK_REFUSING);
    }
    if (now->opening != 0 && then->opening == 0 && now->asking == HF_ASKING_NOTHING &&
        then->asking == HF_ASKING_READ) {
        sim_mark(SIM_MARK_SWAP_FOUND);
    }
    if (now->epochs.count > then->epochs.count && now->role == HF_ROLE_LEARNER &&
        then->role == HF_ROLE_LEARNER && node->seen.epoch == now->epoch) {
        sim_mark(SIM_MARK_ENTER_EPOCH);
    }
    if (now->role == HF_ROLE_BACKUP && then->role != HF_ROLE_BACKUP && node->was_deposed) {
        sim_mark(SIM_MARK_REJOINED);
    }
}

/* A follower's newest record may be accepted, and count as held in memory, before its writer has
 * room for it. */
static void note_accepted(struct sim_node *node, const struct hf_replica *replica)
{
    struct sim_log *log = &node->sim->truth.logs[node->number];
    uint64_t last = replica->last.place.index;
    if (last > log->count) {
        log->records[last - 1].hash = replica->last.hash;
    }
}

/* Whoever asked at this very moment would be answered: and must be shown all that anybody has been
 * told of. */
void sim_truth_readable(struct sim_node *node)
{
    struct sim *sim = node->sim;
    const struct hf_replica *replica = hf_pair_replica(node->pair);
    bool is_all_committed = replica->commit == replica->last.place.index &&
                            (node->batch == NULL || node->batch->count == 0);
    if (hf_pair_leads(node->pair) && hf_pair_must_apply(node->pair) == 0 && is_all_committed &&
        hf_pair_may_read(node->pair, sim_node_monotonic_ns(node)) &&
        hf_ledger_place(node->ledger) < sim->truth.answered_place) {
        sim_wrong(sim,
                  "stale read: node %" PRIu32 " may be read at place %" PRIu64
                  ", after place %" PRIu64 " was answered",
                  node->number + 1, hf_ledger_place(node->ledger), sim->truth.answered_place);
    }
}

void sim_truth_turned(struct sim_node *node)
{
    struct sim *sim = node->sim;
    const struct hf_replica *replica = hf_pair_replica(node->pair);
    sim_truth_flushed(node, hf_log_writer_commit_index(node->writer));
    if (replica->role != node->seen.role || replica->epoch != node->seen.epoch) {
        sim_trace_event(sim, node->number, "is something else: role #, epoch #, of # records",
                        replica->role, replica->epoch, replica->last.place.index);
    }
    if (replica->role == HF_ROLE_HALTED && replica->alarms != 1u << HF_ALARM_DISK_FAILED &&
        (replica->alarms & 1u << HF_ALARM_DISK_FAILED) == 0) {
        sim_wrong(sim, "node %" PRIu32 " halts: %s", node->number + 1,
                  hf_pair_fault(node->pair)->line);
    }
    if (replica->role == HF_ROLE_PRIMARY &&
        (node->seen.role != HF_ROLE_PRIMARY || node->seen.epoch != replica->epoch)) {
        check_primary(node, replica);
    }
    note_accepted(node, replica);
    for (uint64_t index = node->seen.commit + 1; index <= replica->commit; index++) {
        commit(node, replica, index);
    }
    if (replica->commit < node->seen.commit) {
        sim_wrong(sim, "node %" PRIu32 " takes a commit back", node->number + 1);
    }
    check_cut(node, replica);
    mark_step(node, replica);
    if (replica->saving == HF_SAVING_NOTHING && replica->role != HF_ROLE_HALTED) {
        node->promised = replica->promise;
    }
    node->seen = *replica;
    sim_truth_readable(node);
}

/* ---- Answers ---- */

void sim_truth_shown(struct sim *sim, uint64_t place)
{
    const struct sim_log *committed = &sim->truth.committed;
    uint64_t next = committed->count == 0 ? 1 : committed->records[committed->count - 1].next_place;
    if (place >= next) {
        sim_wrong(sim,
                  "I6: somebody is told of place %" PRIu64 ", and only those before %" PRIu64
                  " are committed",
                  place, next);
    }
}

void sim_truth_answered(struct sim *sim, uint64_t place)
{
    sim_truth_shown(sim, place);
    if (place > sim->truth.answered_place) {
        sim->truth.answered_place = place;
    }
}
