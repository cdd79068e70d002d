/* What must hold in the small world: I1 to I8, and that a deposed primary acknowledges nothing
 * (P6). The checks know what no node knows: everything that was ever committed. */
#include "world_inside.h"

const char *world_wrong;
uint64_t world_seen[WORLD_MARKS];
const char *const world_mark_names[WORLD_MARKS] = {
    "commit", "drop",     "takeover",  "join", "cut",
    "nack",   "handover", "both logs", "late", "loss of both memories",
    "read",
};

void world_is_wrong(const char *what)
{
    if (world_wrong == NULL) {
        world_wrong = what;
    }
}

static bool is_fast(void)
{
    return world_limits.durability == HF_DURABILITY_PAIR_FAST;
}

/* How much of a node's log outlives it. */
static uint64_t durable_count(const struct world_node *node)
{
    return node->is_up ? node->replica.flushed : node->log.count;
}

/* I3: all of I hold what is committed, as the mode demands. A life that has ended holds nothing in
 * memory, and pair-fast says so. */
static void check_members(const struct world *w, const struct hf_config *config, uint64_t index)
{
    for (uint32_t n = 0; n < WORLD_NODES; n++) {
        const struct world_node *node = &w->nodes[n];
        if (hf_config_member(config, n + 1) == NULL) {
            continue;
        }
        uint64_t held = common(&node->log, &w->committed);
        if (!is_fast() || !hf_config_is_pair(config)) {
            uint64_t durable = durable_count(node);
            held = held < durable ? held : durable;
        } else if (!node->is_up || !hf_config_counts(config, n + 1, node->incarnation)) {
            continue;
        }
        if (held < index) {
            world_is_wrong("I3: committed, and a member of I does not hold it");
        }
    }
}

void world_check_commit(struct world *w, uint32_t n, uint64_t index)
{
    const struct world_node *node = &w->nodes[n];
    const struct world_log known = {prefix(&node->log, index), index};
    uint64_t shared = common(&known, &w->committed);
    if (shared < index && shared < w->committed.count) {
        world_is_wrong("I5: committed prefixes differ");
        return;
    }
    if (node->replica.role != HF_ROLE_PRIMARY) {
        if (shared < index && !is_fast()) {
            world_is_wrong("I6: a follower calls committed what no primary has");
        }
        return;
    }
    if (index > w->committed.count) {
        w->committed = known;
        world_seen[WORLD_SEEN_COMMIT]++;
    }
    check_members(w, &node->replica.config, index);
}

void world_check_swap(const struct world *w, const struct hf_config *next)
{
    const struct hf_config *old = &w->config;
    const struct hf_member *primary = hf_config_member(next, next->primary);
    if (primary == NULL) {
        world_is_wrong("I2: the primary is not in its own I");
        return;
    }
    const struct world_node *node = &w->nodes[next->primary - 1];
    /* What is still held anywhere must be held by whoever leads next: in pair-fast also when
     * nobody of I is left and both logs were compared. */
    bool is_same_life = node->is_up && node->incarnation == primary->incarnation;
    bool is_member = hf_config_counts(old, next->primary, primary->incarnation);
    bool is_alone = !hf_config_is_pair(old) && old->primary == next->primary;
    if (old->epoch != 0 && !is_member && !is_alone) {
        world_seen[WORLD_SEEN_BOTH_LOGS]++;
        if (!is_fast()) {
            world_is_wrong("I2: the next primary was not in I");
        }
    }
    if (is_same_life && common(&node->log, &w->committed) < w->committed.count) {
        world_is_wrong("I4: the next primary lacks what was committed");
    }
    /* Whoever is in I may be the primary after that. */
    for (uint32_t n = 0; n < WORLD_NODES; n++) {
        const struct world_node *member = &w->nodes[n];
        if (n + 1 != next->primary && member->is_up &&
            hf_config_counts(next, n + 1, member->incarnation) &&
            common(&member->log, &w->committed) < w->committed.count) {
            world_is_wrong("I4: taken into I, and lacks what was committed");
        }
    }
    if (hf_config_is_pair(next) && !hf_config_is_pair(old)) {
        world_seen[WORLD_SEEN_JOIN]++;
    } else if (old->primary == next->primary) {
        world_seen[WORLD_SEEN_DROP]++;
    } else {
        world_seen[WORLD_SEEN_TAKEOVER]++;
    }
}

/* A node that has asked to lead an epoch, successfully, answers for no older one: this is what
 * fences the writes of a primary that does not know yet. */
void world_check_fence(const struct world *w, uint32_t n, const struct hf_message *m)
{
    bool acknowledges = m->kind == HF_MESSAGE_ACK || m->kind == HF_MESSAGE_ECHO;
    if (acknowledges && w->config.primary == n + 1 && m->epoch < w->config.epoch) {
        world_is_wrong("P6: acknowledged an epoch that it has itself ended");
    }
    if (acknowledges && m->epoch < w->nodes[n].promise) {
        world_is_wrong("P6: acknowledged an epoch older than its durable promise");
    }
}

void world_check_cut(const struct world_node *node, const struct world *w, uint64_t index)
{
    if (common(&node->log, &w->committed) > index) {
        world_is_wrong("I7: would cut what is committed");
    }
}

/* What must hold in every state, whatever happened last. */
void world_check_state(const struct world *w)
{
    const struct world_node *leading[WORLD_NODES] = {NULL, NULL};
    for (uint32_t n = 0; n < WORLD_NODES; n++) {
        const struct world_node *node = &w->nodes[n];
        for (uint64_t i = 1; i <= node->log.count; i++) {
            uint64_t what = what_is(&node->log, i);
            const struct world_log before = {prefix(&node->log, i - 1), i - 1};
            if (what != WORLD_MARK && holds_operation(&before, what)) {
                world_is_wrong("I8: an operation twice in one log");
            }
            if (epoch_of(&node->log, i) < epoch_of(&node->log, i - 1)) {
                world_is_wrong("I1: epochs fall along a log");
            }
        }
        if (!node->is_up) {
            continue;
        }
        const struct hf_replica *r = &node->replica;
        if (r->last.place.index != node->log.count ||
            r->last.hash.lo != prefix(&node->log, node->log.count)) {
            world_is_wrong("the replica has lost sight of its log");
        }
        if (r->commit > common(&node->log, &w->committed)) {
            world_is_wrong("I5: known committed, and not what was committed");
        }
        if (r->role == HF_ROLE_HALTED) {
            world_is_wrong("halted, and nothing was wrong");
        }
        if (r->role == HF_ROLE_PRIMARY || r->opening != 0) {
            leading[n] = node;
        }
    }
    if (leading[0] != NULL && leading[1] != NULL &&
        leading[0]->replica.epoch == leading[1]->replica.epoch) {
        world_is_wrong("I1: two primaries in one epoch");
    }
    if (leading[0] != NULL && leading[1] != NULL && hf_replica_may_append(&leading[0]->replica) &&
        hf_replica_may_append(&leading[1]->replica)) {
        for (uint32_t n = 0; n < WORLD_NODES; n++) {
            const struct hf_replica *r = &leading[n]->replica;
            if (r->epoch < w->config.epoch && !hf_config_is_pair(&r->config) && r->join_sent == 0) {
                world_is_wrong("P6: a deposed primary that needs nobody's acknowledgement");
            }
        }
    }
}
