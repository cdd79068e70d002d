/* What CFG says about this node. It is read at the start, when the primary is silent, when an epoch
 * was closed under us and when the outcome of a swap is not known; always linearisably, and what it
 * says is acted upon whatever we believed before. */
#include "inside.h"

/* ---- Asking ---- */

/* Grows with everything that CFG cannot be behind. What this node has learned since it asked may be
 * newer than the answer: that says nothing against the arbiter. */
static uint64_t knows(const struct hf_replica *r)
{
    return r->promise + hf_epochs_newest(&r->epochs) + (r->last.place.index != 0);
}

static struct hf_output *ask(struct hf_replica *r, struct hf_update *u, enum hf_output_kind kind)
{
    r->asking = kind == HF_OUTPUT_READ ? HF_ASKING_READ : HF_ASKING_SWAP;
    r->must_look = 0;
    r->knew = knows(r);
    r->times.asked = r->times.now;
    struct hf_output *output = hf_step_output(u, kind);
    output->ask = ++r->ask;
    return output;
}

void hf_settle_look(struct hf_replica *r, struct hf_update *u)
{
    ask(r, u, HF_OUTPUT_READ);
}

void hf_settle_swap(struct hf_replica *r, struct hf_update *u, uint64_t peer_incarnation)
{
    struct hf_config wanted = {
        .epoch = r->config.epoch + 1, /* I1: one up, by compare-and-swap of the whole value */
        .primary = r->options.node,
        .durability = r->options.durability,
        .insync = {{.incarnation = r->incarnation, .node = r->options.node}},
    };
    if (peer_incarnation != 0) {
        wanted.insync[1] =
            (struct hf_member){.incarnation = peer_incarnation, .node = r->options.peer};
    }
    r->wanted = wanted;
    ask(r, u, HF_OUTPUT_SWAP)->config = wanted;
}

void hf_settle_anew(struct hf_replica *r, struct hf_update *u)
{
    hf_primary_leave(r);
    hf_follower_leave(r);
    r->epoch = 0;
    r->times.heard = r->times.now;
    hf_step_set_role(r, u, HF_ROLE_SETTLING);
    hf_settle_look(r, u);
}

/* ---- Claiming ---- */

/* Closes r->config.epoch here, durably, and then asks to lead the next. From the promise on this
 * node acknowledges nothing of the epoch before: this, not time, fences the writes of a primary
 * that is still alive. */
static void claim(struct hf_replica *r, struct hf_update *u)
{
    assert(r->promise <= r->config.epoch + 1);
    hf_step_set_role(r, u, HF_ROLE_CLAIMING);
    if (r->promise <= r->config.epoch) {
        r->promise = r->config.epoch + 1;
        hf_step_save(r, u, HF_SAVING_CLAIM);
        return;
    }
    hf_settle_swap(r, u, 0);
}

void hf_settle_claim_saved(struct hf_replica *r, struct hf_update *u)
{
    assert(r->promise == r->config.epoch + 1);
    hf_settle_swap(r, u, 0);
}

/* ---- Both logs (pair-fast, both were down) ---- */

static void send_position(struct hf_replica *r, struct hf_update *u)
{
    struct hf_message *m = hf_step_send(r, u, HF_MESSAGE_POSITION, r->config.epoch);
    m->record_epoch = r->last.place.epoch;
    m->index = r->last.place.index;
}

/* No life that I counts on is left here, and perhaps none on the other side. Says how far the own
 * log goes; the longest of the highest epoch will win. */
static void strand(struct hf_replica *r, struct hf_update *u)
{
    r->is_stranded = 1;
    hf_step_alarm(r, u, HF_ALARM_BOTH_LOGS_NEEDED);
    send_position(r, u);
}

void hf_settle_on_position(struct hf_replica *r, struct hf_update *u, const struct hf_message *m)
{
    if (hf_is_leading(r)) {
        hf_primary_on_position(r, m);
        return;
    }
    if (r->is_stranded == 0 || m->epoch != r->config.epoch || r->asking != HF_ASKING_NOTHING) {
        return;
    }
    struct hf_place ours = r->last.place;
    bool equal = ours.epoch == m->record_epoch && ours.index == m->index;
    bool longer =
        ours.epoch > m->record_epoch || (ours.epoch == m->record_epoch && ours.index > m->index);
    if (longer || (equal && r->config.primary == r->options.node)) {
        claim(r, u); /* I4: whatever of the committed is left anywhere is in this log */
    } else {
        send_position(r, u);
    }
}

/* ---- What CFG says ---- */

/* The chain of CFGs never goes back (I1), and nobody promises more than one ahead of it. Without
 * any CFG there is no record and no promise but a founder's. */
static bool is_behind(const struct hf_replica *r, const struct hf_config *config)
{
    if (config->epoch == 0) {
        return r->last.place.index != 0 || r->promise > 1;
    }
    return config->epoch < hf_epochs_newest(&r->epochs) || config->epoch + 1 < r->promise;
}

/* CFG names this node, which does not lead. */
static void named(struct hf_replica *r, struct hf_update *u)
{
    const struct hf_config *config = &r->config;
    const struct hf_member *me = hf_config_member(config, r->options.node);
    assert(me != NULL);
    bool is_alive = me->incarnation == r->incarnation;
    if (is_alive && config->epoch > hf_epochs_newest(&r->epochs) && r->promise <= config->epoch) {
        hf_step_set_role(r, u, HF_ROLE_CLAIMING);
        hf_primary_open(r, u); /* our own swap, of which we never heard */
        return;
    }
    /* A node that was alone has flushed all that it committed, once it has begun the epoch. */
    bool is_whole = hf_config_counts(config, r->options.node, r->incarnation) ||
                    (!hf_config_is_pair(config) && r->last.place.epoch == config->epoch);
    if (!hf_config_is_pair(config) || r->is_forced != 0) {
        if (is_whole || r->is_forced != 0) {
            claim(r, u);
        } else {
            strand(r, u);
        }
        return;
    }
    /* The standby may be alive, with the state in its hands: it goes first. */
    if (is_whole && r->is_suspicious != 0) {
        claim(r, u);
        return;
    }
    hf_step_send(r, u, HF_MESSAGE_HANDOVER, config->epoch);
    if (!is_whole) {
        strand(r, u);
    }
}

/* CFG names the peer. */
static void peer_named(struct hf_replica *r, struct hf_update *u)
{
    bool counts = hf_config_counts(&r->config, r->options.node, r->incarnation);
    bool is_open = r->promise == r->config.epoch + 1; /* a takeover begun and not finished */
    bool is_over = r->is_suspicious != 0 || r->handed_over == r->config.epoch;
    if (counts && (is_open || is_over)) { /* I2 */
        claim(r, u);
        return;
    }
    if (r->is_forced != 0 && is_over) {
        hf_step_alarm(r, u, HF_ALARM_LOSS_POSSIBLE);
        claim(r, u);
        return;
    }
    if (!counts && is_over && hf_is_fast(r)) {
        strand(r, u);
    }
    if (r->role == HF_ROLE_CLAIMING) {
        hf_step_set_role(r, u, HF_ROLE_SETTLING);
    }
}

static void judge(struct hf_replica *r, struct hf_update *u, const struct hf_config *config)
{
    if (is_behind(r, config)) {
        if (r->knew != knows(r)) {
            r->must_look = 1;
        } else {
            hf_step_halt(r, u, HF_ALARM_ARBITER_BEHIND);
        }
        return;
    }
    if (config->epoch == 0) {
        r->config = *config;
        if (r->options.may_found != 0) {
            claim(r, u);
        }
        return;
    }
    if (hf_config_is_pair(config) && config->durability != r->options.durability) {
        hf_step_halt(r, u, HF_ALARM_DURABILITY);
        return;
    }
    r->config = *config;
    if (r->role == HF_ROLE_PRIMARY) {
        if (config->epoch == r->epoch) {
            hf_primary_confirmed(r, u);
            return;
        }
        if (hf_config_equal(config, &r->wanted)) {
            hf_primary_open(r, u);
            return;
        }
        /* Deposed: from here on this node acknowledges nothing (P6). */
        hf_primary_leave(r);
        r->epoch = 0;
        r->times.heard = r->times.now;
        hf_step_set_role(r, u, HF_ROLE_SETTLING);
    }
    if (config->primary == r->options.node) {
        named(r, u);
    } else {
        peer_named(r, u);
    }
}

void hf_settle_answer(struct hf_replica *r, struct hf_update *u, const struct hf_input *input)
{
    if (r->asking == HF_ASKING_NOTHING || input->ask != r->ask) {
        return;
    }
    uint32_t asked = r->asking;
    r->asking = HF_ASKING_NOTHING;
    if (input->answer == HF_ANSWER_UNKNOWN || r->saving != HF_SAVING_NOTHING || r->cutting != 0 ||
        r->opening != HF_OPENING_NOTHING) {
        r->must_look = 1;
    } else if (input->answer == HF_ANSWER_DONE) {
        assert(asked == HF_ASKING_SWAP);
        r->config = r->wanted;
        hf_primary_open(r, u);
    } else {
        judge(r, u, &input->config);
    }
}

/* ---- Time, and the peer's word ---- */

void hf_settle_tick(struct hf_replica *r, struct hf_update *u)
{
    if (r->opening != HF_OPENING_NOTHING) {
        return;
    }
    bool follows = r->role == HF_ROLE_LEARNER || r->role == HF_ROLE_BACKUP;
    /* Never less than the grace: the life of this node before this one may have granted a lease. */
    uint64_t patience = r->options.grace_ns;
    if (!follows && patience < r->options.drop_ns) {
        patience = r->options.drop_ns;
    }
    if (r->role != HF_ROLE_PRIMARY && hf_since(r, r->times.heard) >= patience) {
        r->is_suspicious = 1;
    }
    bool wants = r->must_look != 0 || (r->role != HF_ROLE_PRIMARY &&
                                       (r->is_suspicious != 0 || r->role == HF_ROLE_SETTLING));
    if (r->asking != HF_ASKING_NOTHING || (wants && r->must_look == 0)) {
        wants = hf_since(r, r->times.asked) >= r->options.ask_ns;
    }
    if (wants) {
        hf_settle_look(r, u);
    }
}

void hf_settle_on_handover(struct hf_replica *r, struct hf_update *u, const struct hf_message *m)
{
    if (hf_is_leading(r) || r->role == HF_ROLE_CLAIMING || m->epoch + 1 < r->promise ||
        m->epoch < r->epoch) {
        return;
    }
    r->handed_over = m->epoch;
    if (r->asking == HF_ASKING_NOTHING) {
        hf_settle_look(r, u);
    }
}
