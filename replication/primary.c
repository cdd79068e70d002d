/* Leading: opening an epoch, counting acknowledgements, the lease, dropping and joining the
 * standby. */
#include "inside.h"

/* ---- Opening an epoch ---- */

void hf_primary_leave(struct hf_replica *r)
{
    r->opening = HF_OPENING_NOTHING;
    r->acked = 0;
    r->next = 0;
    r->peer_incarnation = 0;
    r->is_fenced = 0;
    r->is_joining = 0;
    r->join_sent = 0;
    r->has_lease = 0;
    r->times.progress = 0;
    r->times.beaconed = 0;
    r->times.leased = 0;
}

/* The table may say that the epoch begins here only when all before it is durable. */
static void open_when_flushed(struct hf_replica *r, struct hf_update *u)
{
    assert(r->opening == HF_OPENING_FLUSH);
    if (r->flushed < r->last.place.index) {
        return;
    }
    assert(r->config.epoch >= r->promise); /* never un-promise */
    r->promise = r->config.epoch;
    hf_epochs_add(&r->epochs, r->epoch, r->last.place.index + 1);
    r->opening = HF_OPENING_SAVE;
    hf_step_save(r, u, HF_SAVING_OPEN);
}

void hf_primary_open(struct hf_replica *r, struct hf_update *u)
{
    assert(r->config.primary == r->options.node);
    assert(r->config.epoch > r->epoch || r->role != HF_ROLE_PRIMARY);
    struct hf_replica_times times = r->times;
    uint64_t peer_incarnation = r->peer_incarnation;
    uint32_t has_lease = r->role == HF_ROLE_PRIMARY ? r->has_lease : 0;
    hf_follower_leave(r);
    hf_primary_leave(r);
    if (r->role == HF_ROLE_PRIMARY) {
        /* The peer goes on hearing beacons, and its echoes are still worth what they were. */
        r->times = times;
        r->has_lease = has_lease;
        r->peer_incarnation = peer_incarnation;
    }
    r->epoch = r->config.epoch;
    r->opening = HF_OPENING_FLUSH;
    open_when_flushed(r, u);
}

void hf_primary_opened_saved(struct hf_replica *r, struct hf_update *u)
{
    assert(r->opening == HF_OPENING_SAVE);
    r->opening = HF_OPENING_APPEND;
    hf_step_output(u, HF_OUTPUT_APPEND_EPOCH)->config = r->config;
}

static void send_beacon(struct hf_replica *r, struct hf_update *u)
{
    r->times.beaconed = r->times.now;
    struct hf_message *m = hf_step_send(r, u, HF_MESSAGE_BEACON, r->epoch);
    m->time_ns = r->times.now;
    m->index = r->last.place.index;
    m->commit = r->commit;
    m->flags = hf_config_is_pair(&r->config) ? HF_MESSAGE_INSYNC : 0;
}

/* ---- Committing ---- */

/* Whether the peer must hold a record before it is committed. */
static bool needs_peer(const struct hf_replica *r)
{
    return hf_config_is_pair(&r->config) || r->is_joining != 0 ||
           (!hf_is_solo(r) && r->options.on_loss == HF_ON_LOSS_REFUSE);
}

/* How far the peer's acknowledgements count: those of the life that is in I, or is to be. */
static uint64_t acked_by_peer(const struct hf_replica *r)
{
    if (hf_config_is_pair(&r->config) &&
        !hf_config_counts(&r->config, r->options.peer, r->peer_incarnation)) {
        return 0;
    }
    return r->acked;
}

/* I3: a record is committed when every member of I has acknowledged it in this epoch. */
static void advance_commit(struct hf_replica *r, struct hf_update *u)
{
    if (r->opening != HF_OPENING_NOTHING || r->is_fenced != 0) {
        return;
    }
    /* In memory is enough only where another memory holds it as well. */
    uint64_t commit =
        hf_is_fast(r) && hf_config_is_pair(&r->config) ? r->last.place.index : r->flushed;
    if (needs_peer(r) && acked_by_peer(r) < commit) {
        commit = acked_by_peer(r);
    }
    if (commit > r->commit) {
        hf_step_commit(r, u, commit);
    }
}

/* Sends what the peer lacks, as far as the window reaches. */
static void stream(struct hf_replica *r, struct hf_update *u)
{
    if (r->next == 0 || r->opening != HF_OPENING_NOTHING) {
        return;
    }
    if (r->next < r->first_index) {
        hf_step_send(r, u, HF_MESSAGE_CHECKPOINT, r->epoch)->index = r->first_index;
        return;
    }
    uint64_t most = r->acked + r->options.window;
    while (r->next <= r->last.place.index && r->next <= most) {
        struct hf_message *m = hf_step_send(r, u, HF_MESSAGE_PREPARE, r->epoch);
        m->index = r->next++;
        m->commit = r->commit;
    }
}

void hf_primary_appended(struct hf_replica *r, struct hf_update *u, const struct hf_tag *own)
{
    assert(own->place.index == r->last.place.index + 1);
    assert(own->place.epoch == r->epoch);
    if (r->opening == HF_OPENING_APPEND) {
        r->opening = HF_OPENING_MARK;
    } else {
        assert(hf_replica_may_append(r));
    }
    if (r->acked >= r->last.place.index) {
        r->times.progress = r->times.now;
    }
    r->last = *own;
    stream(r, u);
    advance_commit(r, u);
}

void hf_primary_flushed(struct hf_replica *r, struct hf_update *u)
{
    if (r->opening == HF_OPENING_FLUSH && r->saving == HF_SAVING_NOTHING) {
        open_when_flushed(r, u);
    } else if (r->opening == HF_OPENING_MARK && r->flushed == r->last.place.index) {
        r->opening = HF_OPENING_NOTHING;
        r->times.heard = r->times.now;
        r->times.progress = r->times.now;
        if (!hf_config_is_pair(&r->config) && !hf_is_solo(r)) {
            hf_step_alarm(
                r, u, r->options.on_loss == HF_ON_LOSS_ALONE ? HF_ALARM_ALONE : HF_ALARM_REFUSING);
        } else {
            r->alarms &= ~((1u << HF_ALARM_ALONE) | (1u << HF_ALARM_REFUSING));
        }
        hf_step_set_role(r, u, HF_ROLE_PRIMARY);
        if (!hf_is_solo(r)) {
            send_beacon(r, u);
        }
    }
    advance_commit(r, u);
}

/* ---- The standby comes and goes ---- */

/* Goes on without the standby, once CFG says so; until then nothing is acknowledged. */
static void drop(struct hf_replica *r, struct hf_update *u)
{
    r->is_fenced = 1;
    hf_settle_swap(r, u, 0);
}

/* Takes a learner into I: it is counted on first, then must hold all that was committed without it
 * (I4: it may be the next primary from the moment CFG names it), then CFG names it. */
static void try_join(struct hf_replica *r, struct hf_update *u)
{
    if (hf_config_is_pair(&r->config) || r->is_fenced != 0 || r->next == 0 ||
        r->asking != HF_ASKING_NOTHING || r->must_look != 0) {
        return;
    }
    if (r->is_joining == 0) {
        if (r->acked + r->options.join_lag < r->last.place.index) {
            return;
        }
        r->is_joining = 1;
    }
    if (r->acked >= r->commit) {
        /* Once asked for, it may happen at any later time: only a swap on top of it can say that
         * it did not. Until then nothing is committed without the learner. */
        r->join_sent = 1;
        hf_settle_swap(r, u, r->peer_incarnation);
    }
}

void hf_primary_confirmed(struct hf_replica *r, struct hf_update *u)
{
    if (r->is_fenced != 0) {
        if (r->options.on_loss == HF_ON_LOSS_ALONE || r->peer_incarnation != 0) {
            drop(r, u);
        } else {
            r->must_look = 1; /* wait: the peer that is closing this epoch will finish, or speak */
        }
    } else {
        try_join(r, u);
    }
}

static void peer_is_silent(struct hf_replica *r, struct hf_update *u)
{
    r->peer_incarnation = 0;
    r->acked = 0;
    r->next = 0;
    if (hf_config_is_pair(&r->config)) {
        if (r->options.on_loss == HF_ON_LOSS_ALONE) {
            drop(r, u);
        } else {
            hf_step_alarm(r, u, HF_ALARM_REFUSING);
        }
    } else if (r->join_sent != 0) {
        drop(r, u);
    } else {
        r->is_joining = 0;
        advance_commit(r, u);
    }
}

void hf_primary_tick(struct hf_replica *r, struct hf_update *u)
{
    if (r->opening != HF_OPENING_NOTHING || hf_is_solo(r)) {
        return;
    }
    if (hf_since(r, r->times.beaconed) >= r->options.beacon_ns) {
        send_beacon(r, u);
    }
    bool owes =
        r->acked < r->last.place.index && hf_since(r, r->times.progress) >= r->options.drop_ns;
    if (r->asking == HF_ASKING_NOTHING && r->must_look == 0 && r->is_fenced == 0 &&
        (owes || hf_since(r, r->times.heard) >= r->options.drop_ns)) {
        peer_is_silent(r, u);
    }
}

/* ---- What the follower says ---- */

/* Whose words these are: an older life's do not count, a newer one's start from nothing. */
static bool is_current(struct hf_replica *r, const struct hf_message *m)
{
    if (m->incarnation < r->peer_incarnation) {
        return false;
    }
    if (m->incarnation > r->peer_incarnation) {
        r->peer_incarnation = m->incarnation;
        r->acked = 0;
        r->next = 0;
    }
    return true;
}

static void on_ack(struct hf_replica *r, struct hf_update *u, uint64_t index)
{
    if (index > r->last.place.index) {
        return; /* nothing we ever sent */
    }
    if (index > r->acked) {
        r->acked = index;
        r->times.progress = r->times.now;
    }
    if (r->next <= r->acked) {
        if (r->next == 0) {
            r->times.progress = r->times.now; /* it is owed nothing before it was sent anything */
        }
        r->next = r->acked + 1;
    }
    advance_commit(r, u);
    try_join(r, u);
    stream(r, u);
}

static void on_learn(struct hf_replica *r, struct hf_update *u, const struct hf_message *m)
{
    struct hf_place place = hf_epochs_floor(&r->epochs, r->last.place.index,
                                            (struct hf_place){m->record_epoch, m->index});
    bool is_gone = place.index + 1 < r->first_index; /* the first one knows the hash before it */
    struct hf_message *cut =
        hf_step_send(r, u, is_gone ? HF_MESSAGE_CHECKPOINT : HF_MESSAGE_CUT, r->epoch);
    cut->record_epoch = is_gone ? 0 : place.epoch;
    cut->index = is_gone ? r->first_index : place.index;
    cut->promise = m->record_epoch; /* which question it answers */
    cut->commit = m->index;
}

void hf_primary_on_message(struct hf_replica *r, struct hf_update *u, const struct hf_message *m)
{
    if (!hf_is_leading(r) || m->epoch != r->epoch || r->opening != HF_OPENING_NOTHING ||
        !is_current(r, m)) {
        return;
    }
    if (hf_config_is_pair(&r->config) &&
        !hf_config_counts(&r->config, r->options.peer, m->incarnation)) {
        /* It has restarted, and with its memory what I relied on is gone. */
        if (r->is_fenced == 0 && r->asking == HF_ASKING_NOTHING) {
            drop(r, u);
        }
        return;
    }
    r->times.heard = r->times.now;
    switch ((enum hf_message_kind)m->kind) {
    case HF_MESSAGE_ACK:
        on_ack(r, u, m->index);
        break;
    case HF_MESSAGE_RESEND:
        /* One from before it acknowledged what it asks for is old. */
        if (m->index > r->acked && m->index <= r->last.place.index + 1) {
            r->next = m->index;
            stream(r, u);
        }
        break;
    case HF_MESSAGE_ECHO:
        if (m->time_ns <= r->times.now && (r->has_lease == 0 || m->time_ns > r->times.leased)) {
            r->has_lease = 1;
            r->times.leased = m->time_ns;
        }
        if ((m->flags & HF_MESSAGE_VERIFIED) != 0) {
            on_ack(r, u, m->index);
        }
        break;
    default:
        assert(m->kind == HF_MESSAGE_LEARN);
        on_learn(r, u, m);
        break;
    }
}

/* The peer has closed this epoch: acknowledge nothing more, and see what CFG says. */
void hf_primary_on_nack(struct hf_replica *r, struct hf_update *u, const struct hf_message *m)
{
    if (!hf_is_leading(r) || m->promise <= r->epoch || r->opening != HF_OPENING_NOTHING) {
        return;
    }
    r->is_fenced = 1;
    r->has_lease = 0;
    if (r->asking == HF_ASKING_NOTHING) {
        hf_settle_look(r, u);
    }
}

/* The life that closed this epoch is over, and the one after it cannot finish what was begun: it
 * need not be waited for. */
void hf_primary_on_position(struct hf_replica *r, const struct hf_message *m)
{
    if (m->epoch == r->epoch && r->is_fenced != 0) {
        (void)is_current(r, m);
    }
}

/* ---- What the host may do ---- */

bool hf_replica_may_append(const struct hf_replica *r)
{
    return r->role == HF_ROLE_PRIMARY && r->opening == HF_OPENING_NOTHING && r->is_fenced == 0;
}

bool hf_replica_may_read(const struct hf_replica *r, uint64_t now_ns)
{
    if (!hf_replica_may_append(r)) {
        return false;
    }
    if (!hf_config_is_pair(&r->config) && r->join_sent == 0) {
        return true; /* I2: nobody else can be the next primary */
    }
    return r->has_lease != 0 && now_ns - r->times.leased < r->options.lease_ns;
}
