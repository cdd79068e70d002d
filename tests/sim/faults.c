/* Which faults a seed has, and when they strike. In the manner of swarm testing every seed has some
 * kinds and lacks others: what only happens when another fault stays away is found so as well.
 *
 * What no setting promises to survive is not done: pair-fast does not outlive the loss of both
 * memories, and nothing outlives the loss of both disks. */
#include "sim.h"

#include "wal/segment.h"

#define PROMOTE_AFTER_MS 120 /* a damaged node that CFG counts on */

/* ---- Choosing ---- */

static uint32_t sometimes(uint64_t *random, uint32_t least, uint32_t most)
{
    bool has = sim_below(random, 2) == 0;
    uint32_t rate = (uint32_t)sim_between(random, least, most);
    return has ? rate : 0;
}

static void choose_network(uint64_t *random, struct hf_sim_faults *network)
{
    network->loss_permille = sometimes(random, 1, 200);
    network->duplicate_permille = sometimes(random, 1, 150);
    network->delay_min = (uint32_t)sim_below(random, 2);
    network->delay_max = network->delay_min + sometimes(random, 1, 8);
    network->reorder_permille = sometimes(random, 1, 200);
    network->reorder_max = (uint32_t)sim_between(random, 1, 20);
}

void sim_faults_choose(struct sim *sim)
{
    struct sim_faults *faults = &sim->faults;
    struct sim_mix *mix = &faults->mix;
    uint64_t *random = &faults->random;
    *random = sim->seed ^ 0xfa171;
    choose_network(random, &mix->network);
    mix->partition_rate = sometimes(random, 5, 80);
    mix->client_cut_rate = sometimes(random, 5, 60);
    mix->pause_rate = sometimes(random, 5, 80);
    mix->power_rate = sometimes(random, 5, 60);
    mix->kill_rate = sometimes(random, 5, 60);
    mix->stop_rate = sometimes(random, 5, 30);
    mix->write_rate = sometimes(random, 5, 40);
    mix->full_rate = sometimes(random, 5, 40);
    mix->rot_rate = sometimes(random, 20, 200);
    mix->clock_rate = sometimes(random, 10, 100);
    mix->away_rate = sometimes(random, 5, 60);
    mix->step_down_rate = sometimes(random, 5, 40);
    mix->garbage_rate = sometimes(random, 50, 500);
    mix->checkpoint_rate = sometimes(random, 50, 400);
    mix->lets_go = sim_below(random, 2) == 0;
    mix->unsure_permille = sometimes(random, 20, 400);
    mix->durability = sim_below(random, 5) < 3 ? HF_DURABILITY_PAIR_SAFE : HF_DURABILITY_PAIR_FAST;
    mix->on_loss = sim_below(random, 4) != 0 ? HF_ON_LOSS_ALONE : HF_ON_LOSS_REFUSE;
    mix->operations = (uint32_t)sim_between(random, 30, 100);
    mix->fault_ms = sim_between(random, 300, 1200);
    faults->victim = SIM_NODES;
    hf_sim_network_set_faults(sim->network, &mix->network);
    const bool has[] = {mix->network.loss_permille != 0, mix->network.duplicate_permille != 0,
                        mix->network.delay_max > 1, mix->network.reorder_permille != 0};
    for (uint32_t i = 0; i < sizeof has / sizeof has[0]; i++) {
        if (has[i]) {
            sim_mark((enum sim_mark)(SIM_MARK_LOSS + i));
        }
    }
}

static bool strikes(struct sim *sim, uint32_t rate)
{
    return sim_below(&sim->faults.random, 10000) < rate;
}

static uint32_t some_node(struct sim *sim)
{
    return (uint32_t)sim_below(&sim->faults.random, SIM_NODES);
}

static uint64_t some_time(struct sim *sim, uint64_t least, uint64_t most)
{
    return sim->now_ms + sim_between(&sim->faults.random, least, most);
}

/* ---- What is spared ---- */

static bool holds_all(const struct sim_node *node)
{
    const struct sim_log *log = &node->sim->truth.logs[node->number];
    const struct sim_log *committed = &node->sim->truth.committed;
    return log->count >= committed->count &&
           (committed->count == 0 || hf_hash_equal(log->records[committed->count - 1].hash,
                                                   committed->records[committed->count - 1].hash));
}

static bool flushed_all(const struct sim_node *node)
{
    const struct sim_truth *truth = &node->sim->truth;
    return truth->logs[node->number].flushed >= truth->committed.count && holds_all(node);
}

/* Whether a node may lose what is in its memory now. In pair-fast somebody must still hold what was
 * committed; and while one node's disk is damaged the other is left in peace. */
static bool may_lose(const struct sim_node *node)
{
    const struct sim *sim = node->sim;
    const struct sim_node *other = &sim->nodes[1 - node->number];
    if (sim->faults.victim == other->number) {
        return false;
    }
    if (sim->faults.mix.durability == HF_DURABILITY_PAIR_SAFE) {
        return true;
    }
    bool is_kept = sim_node_is_up(other) && !other->is_failing && holds_all(other);
    return is_kept || flushed_all(node);
}

/* The same for some moment to come: in pair-fast not both. */
static bool may_lose_later(const struct sim_node *node)
{
    const struct sim_node *other = &node->sim->nodes[1 - node->number];
    bool is_safe = node->sim->faults.mix.durability == HF_DURABILITY_PAIR_SAFE;
    return may_lose(node) && (is_safe || !other->is_failing);
}

/* ---- Nodes ---- */

static void strike_power(struct sim *sim)
{
    struct sim_node *node = &sim->nodes[some_node(sim)];
    uint64_t *random = &sim->faults.random;
    uint64_t down_ms = sim_between(random, 1, 150);
    if (!sim_node_is_up(node) || !may_lose(node)) {
        return;
    }
    if (sim_below(random, 3) != 0) {
        sim_life_power_cut(node, down_ms);
        return;
    }
    if (!may_lose_later(node)) {
        return;
    }
    /* In the middle of whatever comes: every call fails from some call on, and the power is gone
     * before anybody can do something about it. */
    uint64_t calls = sim_below(random, 30);
    hf_disk_sim_fail(node->disk, calls, true);
    node->dies_at_call = hf_disk_sim_calls(node->disk) + calls;
    node->is_failing = true;
    sim_trace_event(sim, node->number, "will lose its power # calls from now", calls, 0, 0);
}

static void strike_write(struct sim *sim)
{
    struct sim_node *node = &sim->nodes[some_node(sim)];
    uint64_t calls = sim_below(&sim->faults.random, sim_node_is_up(node) ? 20 : 120);
    if (may_lose_later(node)) {
        sim_trace_event(sim, node->number, "a disk call will fail, # from now", calls, 0, 0);
        hf_disk_sim_fail(node->disk, calls, false);
        node->is_failing = true;
    }
}

static void strike_pause(struct sim *sim)
{
    struct sim_node *node = &sim->nodes[some_node(sim)];
    uint64_t until_ms = some_time(sim, 3, 90);
    if (!sim_node_is_up(node) || node->paused_ms > sim->now_ms) {
        return;
    }
    node->paused_ms = until_ms;
    sim_trace_event(sim, node->number, "stands still, # ms long", until_ms - sim->now_ms, 0, 0);
    sim_mark(SIM_MARK_PAUSE);
    if (node->seen.role == HF_ROLE_PRIMARY && until_ms - sim->now_ms > 50) {
        sim_mark(SIM_MARK_PAUSE_LONG);
    }
}

static void strike_space(struct sim *sim)
{
    struct sim_node *node = &sim->nodes[some_node(sim)];
    if (sim->faults.space_ms != 0) {
        return;
    }
    sim->faults.space_ms = some_time(sim, 20, 300);
    sim->faults.space_node = node->number;
    hf_disk_sim_set_space(node->disk, 1);
    sim_trace_event(sim, node->number, "has a full disk", 0, 0, 0);
    sim_mark(SIM_MARK_FULL);
}

static void strike_clock(struct sim *sim)
{
    struct sim_node *node = &sim->nodes[some_node(sim)];
    int64_t jump_ms = (int64_t)sim_between(&sim->faults.random, 0, 12000) - 6000;
    sim_mark(jump_ms > node->wall_offset_ms ? SIM_MARK_CLOCK_FORWARD : SIM_MARK_CLOCK_BACK);
    node->wall_offset_ms = jump_ms;
    sim_trace_event(sim, node->number, "wall clock is # ms off", (uint64_t)jump_ms, 0, 0);
}

static void strike_process(struct sim *sim, uint32_t kind)
{
    struct sim_node *node = &sim->nodes[some_node(sim)];
    uint64_t down_ms = sim_between(&sim->faults.random, 1, 100);
    if (!may_lose(node)) {
        return;
    }
    if (kind == 0) {
        sim_life_kill(node, down_ms);
    } else {
        sim_life_stop(node, down_ms);
    }
}

static void strike_step_down(struct sim *sim)
{
    for (uint32_t n = 0; n < SIM_NODES; n++) {
        struct sim_node *node = &sim->nodes[n];
        if (sim_node_is_up(node) && node->paused_ms <= sim->now_ms && may_lose(node) &&
            node->seen.role == HF_ROLE_PRIMARY) {
            sim_trace_event(sim, n, "is told to step down", 0, 0, 0);
            sim_mark(SIM_MARK_STEP_DOWN);
            hf_pair_step_down(node->pair, sim_node_monotonic_ns(node));
        }
    }
}

/* ---- Rot ---- */

static void flip_bit(struct sim *sim, struct sim_node *node, const char *name, uint64_t offset,
                     uint64_t length)
{
    uint64_t bit = offset * 8 + sim_below(&sim->faults.random, length * 8);
    hf_disk_sim_flip_bit(node->disk, name, bit);
}

/* Damages a record that a later one calls committed, so that the damage can be told from a torn end
 * (what it looks like when nothing after it says so is in wal/FORMAT.md), and that no checkpoint
 * covers, so that the next start looks at it. */
static bool rot_record(struct sim *sim, struct sim_node *node)
{
    uint32_t block_size = node->disk->block_size;
    uint64_t most = 0;
    uint64_t wanted = 0;
    for (uint32_t turn = 0; turn < 2; turn++) {
        for (uint64_t number = 1; number < 64; number++) {
            char name[HF_DISK_NAME_SIZE];
            size_t size = 0;
            hf_segment_format_name(number, name);
            const uint8_t *bytes = hf_disk_sim_bytes(node->disk, name, &size);
            for (uint64_t at = 0; bytes != NULL && at < size; at += block_size) {
                const struct hf_record_header *record =
                    (const struct hf_record_header *)(const void *)(bytes + at);
                if (hf_record_check(record, size - at, block_size, sim_cluster, NULL) !=
                    HF_RECORD_GOOD) {
                    continue;
                }
                if (turn == 0 && record->commit > most) {
                    most = record->commit;
                } else if (turn == 1 && record->index == wanted) {
                    flip_bit(sim, node, name, at, record->length);
                    node->is_rotten = true;
                    return true;
                }
            }
        }
        if (most <= node->checkpointed) {
            return false;
        }
        wanted = sim_between(&sim->faults.random, node->checkpointed + 1, most);
    }
    return false; /* it was let go, with its segment */
}

static void strike_rot(struct sim *sim)
{
    struct sim_node *node = &sim->nodes[some_node(sim)];
    const struct sim_node *other = &sim->nodes[1 - node->number];
    const struct sim_mix *mix = &sim->faults.mix;
    uint64_t *random = &sim->faults.random;
    bool is_at_work = other->seen.role == HF_ROLE_PRIMARY || other->seen.role == HF_ROLE_BACKUP;
    bool is_pair = hf_config_is_pair(&sim->arbiter.config) && is_at_work && sim_node_is_up(other) &&
                   !other->is_failing && !other->is_rotten && sim->faults.victim == SIM_NODES;
    if (!sim_node_is_up(node) || !may_lose(node)) {
        return;
    }
    if (sim_below(random, 2) == 0) {
        sim_life_power_cut(node, sim_between(random, 1, 60));
        /* One copy of four: it is to start all the same. */
        flip_bit(sim, node, HF_SUPERBLOCK_NAME,
                 sim_below(random, HF_SUPERBLOCK_COPIES) * HF_SUPERBLOCK_SIZE, HF_SUPERBLOCK_SIZE);
        sim_trace_event(sim, node->number, "a bit of its superblock rots", 0, 0, 0);
        sim_mark(SIM_MARK_ROT_SUPERBLOCK);
    } else if (is_pair && mix->on_loss == HF_ON_LOSS_ALONE && holds_all(other)) {
        sim_life_power_cut(node, sim_between(random, 1, 60));
        if (rot_record(sim, node)) {
            sim->faults.victim = node->number;
            sim_trace_event(sim, node->number, "a bit of its log rots", 0, 0, 0);
            sim_mark(SIM_MARK_ROT_LOG);
            /* Now and then the other one goes too. In pair-fast it has to wait for a log that will
             * never come back, until the operator promotes it. */
            if (flushed_all(other) && sim_below(random, 2) == 0) {
                sim_life_kill(&sim->nodes[other->number], sim_between(random, 1, 60));
            }
        }
    }
}

/* ---- The network and the arbiter ---- */

static void cut(struct sim *sim, struct hf_port *a, struct hf_port *b, bool there, bool back)
{
    hf_sim_network_cut(sim->network, a, b, there);
    hf_sim_network_cut(sim->network, b, a, back);
}

static void strike_partition(struct sim *sim)
{
    uint64_t ways = sim_between(&sim->faults.random, 1, 3);
    if (sim->faults.mend_ms != 0) {
        return;
    }
    sim->faults.mend_ms = some_time(sim, 10, 200);
    cut(sim, sim->nodes[0].peer, sim->nodes[1].peer, (ways & 1) != 0, (ways & 2) != 0);
    sim_mark(ways == 3 ? SIM_MARK_PARTITION : SIM_MARK_ONE_WAY);
    sim_trace_event(sim, UINT32_MAX, "the nodes are cut off from each other (ways #), # ms long",
                    ways, sim->faults.mend_ms - sim->now_ms, 0);
}

static void cut_clients(struct sim *sim, bool is_cut)
{
    uint64_t ways = is_cut ? sim_between(&sim->faults.random, 1, 3) : 0;
    for (uint32_t i = 0; i < SIM_CLIENTS; i++) {
        for (uint32_t n = 0; n < SIM_NODES; n++) {
            bool chosen = is_cut && sim_below(&sim->faults.random, 2) == 0;
            cut(sim, sim->clients[i].port, sim->nodes[n].clients, chosen && (ways & 1) != 0,
                chosen && (ways & 2) != 0);
        }
    }
}

static void strike_clients(struct sim *sim)
{
    if (sim->faults.client_mend_ms == 0) {
        sim->faults.client_mend_ms = some_time(sim, 10, 150);
        cut_clients(sim, true);
        sim_mark(SIM_MARK_CLIENT_CUT);
    }
}

static void strike_arbiter(struct sim *sim)
{
    if (sim->faults.back_ms == 0) {
        sim->faults.back_ms = some_time(sim, 10, 250);
        sim->arbiter.is_away = true;
        sim_trace_event(sim, UINT32_MAX, "the arbiter is away, # ms long",
                        sim->faults.back_ms - sim->now_ms, 0, 0);
    }
}

/* Somebody sends nonsense to a door. */
static void strike_garbage(struct sim *sim)
{
    uint64_t *random = &sim->faults.random;
    struct sim_node *node = &sim->nodes[some_node(sim)];
    struct hf_packet packet;
    if (sim->stranger->maker->take(sim->stranger, &packet, 1) != 1) {
        return;
    }
    packet.length = (uint32_t)sim_between(random, 1, 300);
    for (uint32_t i = 0; i < packet.length; i++) {
        packet.data[i] = (uint8_t)sim_random(random);
    }
    bool to_peer = sim_below(random, 2) == 0;
    uint32_t magic = to_peer ? HF_LINK_MAGIC : HF_WIRE_MAGIC | HF_WIRE_VERSION << 16;
    if (sim_below(random, 2) == 0 && packet.length >= sizeof magic) {
        memcpy(packet.data, &magic, sizeof magic);
    }
    packet.peer = to_peer ? node->peer->local : node->clients->local;
    sim->stranger->maker->send(sim->stranger, &packet, 1);
}

/* ---- Mending ---- */

static bool is_due(const struct sim *sim, uint64_t *ms)
{
    if (*ms == 0 || *ms > sim->now_ms) {
        return false;
    }
    *ms = 0;
    return true;
}

static void mend(struct sim *sim)
{
    struct sim_faults *faults = &sim->faults;
    if (is_due(sim, &faults->mend_ms)) {
        cut(sim, sim->nodes[0].peer, sim->nodes[1].peer, false, false);
        sim_trace_event(sim, UINT32_MAX, "the nodes are joined again", 0, 0, 0);
    }
    if (is_due(sim, &faults->client_mend_ms)) {
        cut_clients(sim, false);
    }
    if (is_due(sim, &faults->back_ms)) {
        sim->arbiter.is_away = false;
    }
    if (is_due(sim, &faults->space_ms)) {
        hf_disk_sim_set_space(sim->nodes[faults->space_node].disk, 0);
        sim_trace_event(sim, faults->space_node, "has room again", 0, 0, 0);
    }
}

/* Nobody but the operator can know that the other node's log is gone for good. */
static void promote(struct sim *sim, struct sim_node *node)
{
    if (sim_node_is_up(node) && node->paused_ms <= sim->now_ms &&
        node->seen.role != HF_ROLE_PRIMARY) {
        sim_trace_event(sim, node->number, "is promoted by the operator", 0, 0, 0);
        hf_pair_promote(node->pair, sim_node_monotonic_ns(node));
    }
}

/* The operator: starts what is down, replaces what is damaged as soon as nobody counts on it. */
static void operate(struct sim *sim)
{
    for (uint32_t n = 0; n < SIM_NODES; n++) {
        struct sim_node *node = &sim->nodes[n];
        bool counts = hf_config_member(&sim->arbiter.config, n + 1) != NULL;
        if (node->down == SIM_DOWN_CORRUPT && !counts) {
            sim_life_replace(node);
        } else if (node->down == SIM_DOWN_CORRUPT &&
                   node->start_ms + PROMOTE_AFTER_MS <= sim->now_ms) {
            node->start_ms = sim->now_ms;
            promote(sim, &sim->nodes[1 - n]);
        } else if (node->down == SIM_DOWN_OFF && node->start_ms <= sim->now_ms) {
            sim_life_start(node);
        }
    }
    if (sim->faults.victim != SIM_NODES) {
        const struct sim_node *node = &sim->nodes[sim->faults.victim];
        bool is_back = sim_node_is_up(node) && hf_config_is_pair(&sim->arbiter.config) &&
                       (node->seen.role == HF_ROLE_BACKUP || node->seen.role == HF_ROLE_PRIMARY);
        if (is_back) {
            sim->faults.victim = SIM_NODES;
        }
    }
}

void sim_faults_poll(struct sim *sim)
{
    const struct sim_mix *mix = &sim->faults.mix;
    mend(sim);
    operate(sim);
    if (strikes(sim, mix->checkpoint_rate)) {
        struct sim_node *node = &sim->nodes[some_node(sim)];
        if (node->paused_ms <= sim->now_ms) {
            sim_life_checkpoint(node);
        }
    }
    if (sim->faults.is_over) {
        return;
    }
    const struct {
        uint32_t rate;
        void (*strike)(struct sim *sim);
    } kinds[] = {
        {mix->partition_rate, strike_partition},
        {mix->client_cut_rate, strike_clients},
        {mix->pause_rate, strike_pause},
        {mix->power_rate, strike_power},
        {mix->write_rate, strike_write},
        {mix->full_rate, strike_space},
        {mix->rot_rate, strike_rot},
        {mix->clock_rate, strike_clock},
        {mix->away_rate, strike_arbiter},
        {mix->step_down_rate, strike_step_down},
        {mix->garbage_rate, strike_garbage},
    };
    for (uint32_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strikes(sim, kinds[i].rate)) {
            kinds[i].strike(sim);
        }
    }
    if (strikes(sim, mix->kill_rate)) {
        strike_process(sim, 0);
    }
    if (strikes(sim, mix->stop_rate)) {
        strike_process(sim, 1);
    }
}

void sim_faults_end(struct sim *sim)
{
    struct sim_faults *faults = &sim->faults;
    const struct hf_sim_faults none = {.delay_max = 1};
    faults->is_over = true;
    hf_sim_network_set_faults(sim->network, &none);
    faults->mend_ms = faults->mend_ms != 0 ? sim->now_ms : 0;
    faults->client_mend_ms = faults->client_mend_ms != 0 ? sim->now_ms : 0;
    faults->back_ms = faults->back_ms != 0 ? sim->now_ms : 0;
    faults->space_ms = faults->space_ms != 0 ? sim->now_ms : 0;
    mend(sim);
    for (uint32_t n = 0; n < SIM_NODES; n++) {
        struct sim_node *node = &sim->nodes[n];
        node->paused_ms = 0;
        node->wall_offset_ms = 0;
        node->start_ms = sim->now_ms;
        node->dies_at_call = UINT64_MAX;
        hf_disk_sim_fail(node->disk, UINT64_MAX, false);
    }
    sim_trace_event(sim, UINT32_MAX, "from here on nothing goes wrong", 0, 0, 0);
}
