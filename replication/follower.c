/* Following: appending what the primary sends, comparing logs, cutting what it does not have. */
#include "inside.h"

void hf_follower_leave(struct hf_replica *r)
{
    r->handed_over = 0;
    r->epoch_start = 0;
    r->cut = 0;
    r->asked = (struct hf_place){0};
    r->needs_checkpoint = 0;
    r->is_verified = 0;
    r->is_insync = 0;
    r->is_suspicious = 0;
    r->is_stranded = 0;
    r->is_forced = 0;
}

/* What this node may answer for: in pair-safe what is flushed, in pair-fast what it has. */
static uint64_t answerable(const struct hf_replica *r)
{
    return hf_is_fast(r) ? r->last.place.index : r->flushed;
}

static void send_ack(struct hf_replica *r, struct hf_update *u)
{
    assert(r->is_verified);
    assert(r->promise == r->epoch); /* a closed epoch gets no acknowledgement: this fences writes */
    hf_step_send(r, u, HF_MESSAGE_ACK, r->epoch)->index = answerable(r);
}

static void ask_for_more(struct hf_replica *r, struct hf_update *u)
{
    hf_step_send(r, u, HF_MESSAGE_RESEND, r->epoch)->index = r->last.place.index + 1;
}

static void send_learn(struct hf_replica *r, struct hf_update *u)
{
    struct hf_message *m = hf_step_send(r, u, HF_MESSAGE_LEARN, r->epoch);
    m->record_epoch = r->asked.epoch;
    m->index = r->asked.index;
}

static void set_follower_role(struct hf_replica *r, struct hf_update *u)
{
    hf_step_set_role(r, u, r->is_verified && r->is_insync ? HF_ROLE_BACKUP : HF_ROLE_LEARNER);
}

/* Follows the primary of an epoch that is promised durably. */
static void follow(struct hf_replica *r, struct hf_update *u, uint64_t epoch)
{
    assert(r->promise == epoch);
    hf_primary_leave(r);
    hf_follower_leave(r);
    r->epoch = epoch;
    r->asking = HF_ASKING_NOTHING; /* what CFG was does not matter any more */
    r->must_look = 0;
    r->config = (struct hf_config){0};
    r->wanted = (struct hf_config){0};
    r->times.heard = r->times.now;
    set_follower_role(r, u);
    r->asked =
        hf_epochs_floor(&r->epochs, r->last.place.index, (struct hf_place){UINT64_MAX, UINT64_MAX});
    send_learn(r, u);
}

/* ---- Comparing and cutting ---- */

static void verified(struct hf_replica *r, struct hf_update *u)
{
    r->is_verified = 1;
    set_follower_role(r, u);
    send_ack(r, u);
}

static void truncate_log(struct hf_replica *r, struct hf_update *u)
{
    r->cutting = 1;
    hf_step_output(u, HF_OUTPUT_TRUNCATE)->index = r->cut;
}

/* Both logs agree up to `index`, in epoch and hash. */
static void agree(struct hf_replica *r, struct hf_update *u, uint64_t index)
{
    r->needs_checkpoint = 0;
    if (index == r->last.place.index) {
        verified(r, u);
        return;
    }
    if (index < r->commit) {
        hf_step_halt(r, u, HF_ALARM_CUT_COMMITTED); /* I7 */
        return;
    }
    if (r->flushed < r->last.place.index) {
        return; /* records are on their way to the disk: the next beacon begins anew */
    }
    r->cut = index;
    hf_step_set_role(r, u, HF_ROLE_REJOINING);
    /* The table first: it must never claim an epoch that the log has lost. */
    if (hf_epochs_trim(&r->epochs, index)) {
        hf_step_save(r, u, HF_SAVING_CUT);
    } else {
        truncate_log(r, u);
    }
}

static void on_cut(struct hf_replica *r, struct hf_update *u, const struct hf_input *input)
{
    const struct hf_message *m = &input->message;
    if (r->is_verified || m->index > r->last.place.index) {
        return;
    }
    /* An answer to a question of this life and this round: what was said of a shorter log, before a
     * restart, would cut off what was acknowledged since (I7). */
    if (m->promise != r->asked.epoch || m->commit != r->asked.index) {
        return;
    }
    struct hf_place theirs = {m->record_epoch, m->index};
    struct hf_place ours = hf_epochs_floor(&r->epochs, r->last.place.index, theirs);
    if (ours.epoch != theirs.epoch || ours.index != theirs.index) {
        r->asked = ours;
        send_learn(r, u);
        return;
    }
    assert(m->index == 0 || input->own.place.index == m->index);
    if (m->index != 0 && !hf_hash_equal(m->hash, input->own.hash)) {
        hf_step_halt(r, u, HF_ALARM_DIVERGED); /* I5 */
        return;
    }
    agree(r, u, m->index);
}

void hf_follower_truncated(struct hf_replica *r, struct hf_update *u, const struct hf_tag *own)
{
    assert(r->cutting == 1);
    assert(own->place.index == r->cut);
    r->cutting = 0;
    r->last = *own;
    r->flushed = own->place.index;
    r->cut = 0;
    verified(r, u);
}

/* The records before `m->index` are gone at the primary, and this node lacks some of them: said in
 * answer to the place it asked about, or of a log that was compared. As long as the primary counts
 * on what this node has, that is not given up: then it is a mistake, or the primary has yet to go
 * on alone. */
static void on_checkpoint(struct hf_replica *r, struct hf_update *u, const struct hf_message *m)
{
    bool is_answer =
        r->is_verified == 0 && m->promise == r->asked.epoch && m->commit == r->asked.index;
    bool is_behind = r->is_verified != 0 && m->index > r->last.place.index + 1;
    if (r->is_insync == 0 && (is_answer || is_behind)) {
        r->needs_checkpoint = m->index;
        hf_step_output(u, HF_OUTPUT_FETCH)->index = m->index;
    }
}

void hf_follower_installed(struct hf_replica *r, struct hf_update *u, const struct hf_tag *own)
{
    assert(r->needs_checkpoint != 0);
    assert(r->saving == HF_SAVING_NOTHING);
    assert(r->cutting == 0);
    assert(own->place.index >= r->commit); /* I7 */
    r->needs_checkpoint = 0;
    r->last = *own;
    r->flushed = own->place.index;
    r->epochs = (struct hf_epochs){0};
    hf_epochs_add(&r->epochs, own->place.epoch, own->place.index);
    hf_step_commit(r, u, own->place.index); /* a checkpoint is made of what is committed */
    hf_step_save(r, u, HF_SAVING_INSTALL);
}

/* ---- Appending ---- */

/* A record of another epoch than the newest in the table: the table learns of it first. Epochs it
 * claims beyond the log's end were opened, but nothing was ever written in them. */
static void enter_epoch(struct hf_replica *r, struct hf_update *u, uint64_t epoch)
{
    if (r->flushed < r->last.place.index) {
        return; /* the table must not claim a start that a crash could leave without its past */
    }
    hf_epochs_trim(&r->epochs, r->last.place.index);
    hf_epochs_add(&r->epochs, epoch, r->last.place.index + 1);
    hf_step_save(r, u, HF_SAVING_EPOCH);
}

static void on_prepare(struct hf_replica *r, struct hf_update *u, const struct hf_message *m)
{
    if (!r->is_verified) {
        return;
    }
    if (m->index <= r->last.place.index) {
        send_ack(r, u);
        return;
    }
    if (m->index > r->last.place.index + 1) {
        ask_for_more(r, u);
        return;
    }
    if (!hf_hash_equal(m->prev_hash, r->last.hash)) {
        hf_step_halt(r, u, HF_ALARM_DIVERGED); /* I5: the places agreed */
        return;
    }
    if (m->record_epoch != hf_epochs_newest(&r->epochs)) {
        if (m->record_epoch < r->last.place.epoch) {
            hf_step_halt(r, u, HF_ALARM_DIVERGED);
        } else {
            enter_epoch(r, u, m->record_epoch);
        }
        return;
    }
    r->needs_checkpoint = 0;
    r->last.place = (struct hf_place){m->record_epoch, m->index};
    r->last.hash = m->hash;
    hf_step_output(u, HF_OUTPUT_APPEND)->index = m->index;
    if (hf_is_fast(r)) {
        send_ack(r, u);
    }
}

void hf_follower_flushed(struct hf_replica *r, struct hf_update *u)
{
    if (r->is_verified && r->saving == HF_SAVING_NOTHING && r->promise == r->epoch &&
        !hf_is_fast(r)) {
        send_ack(r, u);
    }
}

static void on_beacon(struct hf_replica *r, struct hf_update *u, const struct hf_message *m)
{
    struct hf_message *echo = hf_step_send(r, u, HF_MESSAGE_ECHO, r->epoch);
    echo->time_ns = m->time_ns;
    if (r->is_verified) {
        echo->flags = HF_MESSAGE_VERIFIED;
        echo->index = answerable(r);
    }
    r->is_insync = (m->flags & HF_MESSAGE_INSYNC) != 0;
    set_follower_role(r, u);
    if (!r->is_verified) {
        send_learn(r, u);
    } else if (m->index > r->last.place.index) {
        ask_for_more(r, u);
    }
}

/* ---- What a primary says ---- */

/* I1: only one node leads an epoch, so whoever speaks for the promised one is to be followed.
 * True when the message is to be looked at. */
static bool heed(struct hf_replica *r, struct hf_update *u, const struct hf_message *m)
{
    if (m->epoch < r->promise) {
        hf_step_send(r, u, HF_MESSAGE_NACK, m->epoch)->promise = r->promise;
        return false;
    }
    if (hf_is_leading(r) && m->epoch == r->epoch) {
        hf_step_halt(r, u, HF_ALARM_TWO_PRIMARIES);
        return false;
    }
    if (m->epoch > r->promise) {
        /* Whatever this node led is over at once; what it follows waits for the promise. */
        hf_primary_leave(r);
        hf_follower_leave(r);
        r->asking = HF_ASKING_NOTHING;
        r->must_look = 0;
        hf_step_set_role(r, u, HF_ROLE_LEARNER);
        r->promise = m->epoch;
        hf_step_save(r, u, HF_SAVING_FOLLOW);
        return false;
    }
    bool follows =
        r->epoch == m->epoch &&
        (r->role == HF_ROLE_LEARNER || r->role == HF_ROLE_REJOINING || r->role == HF_ROLE_BACKUP);
    if (!follows) {
        follow(r, u, m->epoch);
    }
    return true;
}

void hf_follower_on_message(struct hf_replica *r, struct hf_update *u, const struct hf_input *input)
{
    const struct hf_message *m = &input->message;
    if (!heed(r, u, m)) {
        return;
    }
    switch ((enum hf_message_kind)m->kind) {
    case HF_MESSAGE_PREPARE:
        on_prepare(r, u, m);
        break;
    case HF_MESSAGE_BEACON:
        r->times.heard = r->times.now;
        r->is_suspicious = 0;
        r->is_stranded = 0;
        on_beacon(r, u, m);
        break;
    case HF_MESSAGE_CUT:
        on_cut(r, u, input);
        break;
    default:
        assert(m->kind == HF_MESSAGE_CHECKPOINT);
        on_checkpoint(r, u, m);
        break;
    }
    if (r->role != HF_ROLE_HALTED && r->is_verified &&
        (m->kind == HF_MESSAGE_PREPARE || m->kind == HF_MESSAGE_BEACON)) {
        uint64_t last = r->last.place.index;
        hf_step_commit(r, u, m->commit < last ? m->commit : last);
    }
}

void hf_follower_saved(struct hf_replica *r, struct hf_update *u, enum hf_saving saving)
{
    switch (saving) {
    case HF_SAVING_FOLLOW:
        follow(r, u, r->promise);
        break;
    case HF_SAVING_EPOCH:
        ask_for_more(r, u);
        break;
    case HF_SAVING_CUT:
        truncate_log(r, u);
        break;
    default:
        assert(saving == HF_SAVING_INSTALL);
        verified(r, u);
        break;
    }
}
