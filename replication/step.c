/* What happened, and whose business it is. */
#include "inside.h"

static const char *const role_names[] = {"settling", "learner", "rejoining", "backup",
                                         "claiming", "primary", "halted"};
static const char *const alarm_names[] = {
    "none",          "alone",         "refusing",         "arbiter-behind",
    "diverged",      "cut-committed", "two-primaries",    "durability-differs",
    "stranger",      "disk-failed",   "both-logs-needed", "loss-possible",
    "state-differs",
};

const char *hf_role_name(enum hf_role role)
{
    assert(role <= HF_ROLE_HALTED);
    return role_names[role];
}

const char *hf_alarm_name(enum hf_alarm alarm)
{
    assert(alarm <= HF_ALARM_STATE_DIFFERS);
    return alarm_names[alarm];
}

/* ---- Outputs ---- */

struct hf_output *hf_step_output(struct hf_update *u, enum hf_output_kind kind)
{
    assert(u->count < HF_REPLICA_OUTPUTS_MAX);
    struct hf_output *output = &u->outputs[u->count++];
    memset(output, 0, sizeof *output);
    output->kind = kind;
    return output;
}

struct hf_message *hf_step_send(struct hf_replica *r, struct hf_update *u,
                                enum hf_message_kind kind, uint64_t epoch)
{
    assert(!hf_is_solo(r));
    struct hf_message *m = &hf_step_output(u, HF_OUTPUT_SEND)->message;
    m->magic = HF_MESSAGE_MAGIC;
    m->format = HF_MESSAGE_FORMAT;
    m->kind = (uint16_t)kind;
    m->cluster = r->options.cluster;
    m->node = r->options.node;
    m->durability = (uint16_t)r->options.durability;
    m->incarnation = r->incarnation;
    m->epoch = epoch;
    return m;
}

void hf_step_set_role(struct hf_replica *r, struct hf_update *u, enum hf_role role)
{
    if (r->role == role) {
        return;
    }
    r->role = role;
    hf_step_output(u, HF_OUTPUT_ROLE)->role = role;
}

void hf_step_alarm(struct hf_replica *r, struct hf_update *u, enum hf_alarm alarm)
{
    if ((r->alarms & (1u << alarm)) != 0) {
        return;
    }
    r->alarms |= 1u << alarm;
    hf_step_output(u, HF_OUTPUT_ALARM)->alarm = alarm;
}

void hf_step_halt(struct hf_replica *r, struct hf_update *u, enum hf_alarm alarm)
{
    hf_primary_leave(r);
    hf_follower_leave(r);
    hf_step_alarm(r, u, alarm);
    hf_step_set_role(r, u, HF_ROLE_HALTED);
}

void hf_step_save(struct hf_replica *r, struct hf_update *u, enum hf_saving saving)
{
    assert(r->saving == HF_SAVING_NOTHING);
    assert(r->promise >= hf_epochs_newest(&r->epochs));
    r->saving = saving;
    hf_step_output(u, HF_OUTPUT_SAVE);
}

void hf_step_commit(struct hf_replica *r, struct hf_update *u, uint64_t index)
{
    assert(index <= r->last.place.index);
    if (index > r->commit) {
        r->commit = index; /* I6: all that is shown outside waits for this */
        hf_step_output(u, HF_OUTPUT_COMMIT)->index = index;
    }
}

/* ---- The beginning ---- */

static void check_options(const struct hf_replica_options *o)
{
    assert(o->node != 0);
    assert(o->durability >= HF_DURABILITY_SOLO);
    assert(o->durability <= HF_DURABILITY_PAIR_SAFE);
    if (o->durability == HF_DURABILITY_SOLO) {
        assert(o->peer == 0);
        return;
    }
    assert(o->peer != 0);
    assert(o->peer != o->node);
    assert(o->on_loss == HF_ON_LOSS_ALONE || o->on_loss == HF_ON_LOSS_REFUSE);
    assert(o->window >= 1);
    assert(o->window <= HF_REPLICA_WINDOW_MAX);
    /* A lease ends before anybody may take over, with room for clocks that run apart. */
    assert(o->lease_ns == 0 || o->lease_ns < o->grace_ns);
}

void hf_replica_init(struct hf_replica *r, const struct hf_replica_options *options,
                     const struct hf_replica_start *start)
{
    check_options(options);
    assert(start->incarnation != 0);
    assert(start->last.place.epoch <= hf_epochs_newest(&start->epochs));
    assert(start->promise >= hf_epochs_newest(&start->epochs));
    assert(start->known_commit <= start->last.place.index);
    memset(r, 0, sizeof *r);
    r->options = *options;
    r->role = HF_ROLE_SETTLING;
    r->incarnation = start->incarnation;
    r->promise = start->promise;
    r->epochs = start->epochs;
    r->last = start->last;
    r->flushed = start->last.place.index;
    r->commit = start->known_commit;
    r->first_index = 1;
    r->times.now = start->now_ns;
    r->times.heard = start->now_ns;
}

/* ---- One step ---- */

/* Who may speak to us at all. The transport has seen to it that it is the peer's key; this finds
 * two nodes that were configured for different pairs. */
static bool is_from_peer(struct hf_replica *r, struct hf_update *u, const struct hf_message *m)
{
    if (hf_is_solo(r) || m->node != r->options.peer) {
        hf_step_alarm(r, u, HF_ALARM_STRANGER);
        return false;
    }
    if (m->durability != r->options.durability) {
        hf_step_alarm(r, u, HF_ALARM_DURABILITY);
        return false;
    }
    return true;
}

static void on_message(struct hf_replica *r, struct hf_update *u, const struct hf_input *input)
{
    const struct hf_message *m = &input->message;
    if (!is_from_peer(r, u, m)) {
        return;
    }
    if (r->saving != HF_SAVING_NOTHING || r->cutting != 0) {
        return; /* between two states: everything that matters is said again */
    }
    switch ((enum hf_message_kind)m->kind) {
    case HF_MESSAGE_PREPARE:
    case HF_MESSAGE_BEACON:
    case HF_MESSAGE_CUT:
    case HF_MESSAGE_CHECKPOINT:
        hf_follower_on_message(r, u, input);
        break;
    case HF_MESSAGE_ACK:
    case HF_MESSAGE_RESEND:
    case HF_MESSAGE_ECHO:
    case HF_MESSAGE_LEARN:
        hf_primary_on_message(r, u, m);
        break;
    case HF_MESSAGE_NACK:
        hf_primary_on_nack(r, u, m);
        break;
    case HF_MESSAGE_DIVERGED:
        if (hf_is_leading(r) && m->epoch == r->epoch) {
            hf_step_alarm(r, u, HF_ALARM_STATE_DIFFERS);
        }
        break;
    case HF_MESSAGE_HANDOVER:
        hf_settle_on_handover(r, u, m);
        break;
    case HF_MESSAGE_POSITION:
        hf_settle_on_position(r, u, m);
        break;
    }
}

static void on_flushed(struct hf_replica *r, struct hf_update *u, uint64_t index)
{
    assert(index <= r->last.place.index);
    if (index <= r->flushed) {
        return;
    }
    r->flushed = index;
    if (hf_is_leading(r)) {
        hf_primary_flushed(r, u);
    } else {
        hf_follower_flushed(r, u);
    }
}

static void on_saved(struct hf_replica *r, struct hf_update *u)
{
    enum hf_saving saving = (enum hf_saving)r->saving;
    assert(saving != HF_SAVING_NOTHING);
    r->saving = HF_SAVING_NOTHING;
    switch (saving) {
    case HF_SAVING_CLAIM:
        hf_settle_claim_saved(r, u);
        break;
    case HF_SAVING_OPEN:
        hf_primary_opened_saved(r, u);
        break;
    default:
        hf_follower_saved(r, u, saving);
        break;
    }
}

/* A node that gives up the epoch it leads says so, and the other need not wait for silence. */
static void step_down(struct hf_replica *r, struct hf_update *u)
{
    if (r->role != HF_ROLE_PRIMARY || hf_is_solo(r)) {
        return;
    }
    hf_step_send(r, u, HF_MESSAGE_HANDOVER, r->epoch);
    hf_settle_anew(r, u);
}

static void on_tick(struct hf_replica *r, struct hf_update *u, uint64_t first_index)
{
    if (first_index > r->first_index) {
        r->first_index = first_index;
    }
    if (r->saving != HF_SAVING_NOTHING || r->cutting != 0) {
        return;
    }
    if (hf_is_leading(r)) {
        hf_primary_tick(r, u);
    }
    hf_settle_tick(r, u);
}

void hf_replica_step(struct hf_replica *r, const struct hf_input *input, struct hf_update *u)
{
    u->count = 0;
    if (r->role == HF_ROLE_HALTED) {
        return;
    }
    assert(input->now_ns >= r->times.now);
    r->times.now = input->now_ns;
    switch (input->kind) {
    case HF_INPUT_START:
        hf_settle_look(r, u);
        break;
    case HF_INPUT_MESSAGE:
        on_message(r, u, input);
        break;
    case HF_INPUT_APPENDED:
        hf_primary_appended(r, u, &input->own);
        break;
    case HF_INPUT_FLUSHED:
        on_flushed(r, u, input->index);
        break;
    case HF_INPUT_SAVED:
        on_saved(r, u);
        break;
    case HF_INPUT_TRUNCATED:
        hf_follower_truncated(r, u, &input->own);
        break;
    case HF_INPUT_INSTALLED:
        hf_follower_installed(r, u, &input->own);
        break;
    case HF_INPUT_ARBITER:
        hf_settle_answer(r, u, input);
        break;
    case HF_INPUT_TICK:
        on_tick(r, u, input->first_index);
        break;
    case HF_INPUT_DISK_FAILED:
        step_down(r, u);
        hf_step_halt(r, u, HF_ALARM_DISK_FAILED); /* never retried */
        break;
    case HF_INPUT_DIVERGED:
        if (r->epoch != 0) {
            hf_step_send(r, u, HF_MESSAGE_DIVERGED, r->epoch)->index = input->index;
        }
        hf_step_halt(r, u, HF_ALARM_STATE_DIFFERS); /* P7: and acknowledges nothing more */
        break;
    case HF_INPUT_STEP_DOWN:
        step_down(r, u);
        break;
    case HF_INPUT_PROMOTE:
        r->is_forced = 1;
        hf_settle_look(r, u);
        break;
    }
    assert(r->flushed <= r->last.place.index);
    assert(r->commit <= r->last.place.index);
}
