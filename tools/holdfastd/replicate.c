#include "replicate.h"

#include "arbiter_operator.h"
#include "clock.h"
#include "counters.h"
#include "load.h"
#include "seal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define RECEIVE_BURST 32
#define BURSTS_MOST   4
/* Between two looks of the other threads at how things stand. */
#define PUBLISH_NS UINT64_C(1000000)

void replicate_send(void *context, const void *bytes, size_t length)
{
    struct replicator *replicator = context;
    struct hf_port *port = replicator->port;
    struct hf_packet *packet;

    if (replicator->out_count == HF_PORT_BURST_MAX)
        replicator_flush(replicator);
    packet = &replicator->out[replicator->out_count];
    assert(length <= port->payload_max);
    if (port->maker->take(port, packet, 1) != 1) {
        replicator_flush(replicator); /* what was sent gives its packets back */
        if (port->maker->take(port, packet, 1) != 1)
            return; /* lost, as any datagram may be */
    }
    packet->peer = replicator->peer;
    packet->length = (uint32_t)length;
    memcpy(packet->data, bytes, length);
    replicator->out_count++;
}

void replicator_flush(struct replicator *replicator)
{
    replicator->port->maker->send(replicator->port, replicator->out, replicator->out_count);
    replicator->out_count = 0;
}

enum hf_status replicator_attach(struct replicator *replicator, struct hf_fault *fault)
{
    struct hf_port *port = replicator->port;
    enum hf_status status = port->maker->attach_receive(port);

    if (status == HF_STATUS_OK)
        status = port->maker->attach_send(port);
    if (status != HF_STATUS_OK)
        snprintf(fault->line, sizeof fault->line, "the port to the peer could not be attached");
    return status;
}

/* ---- what others see ---- */

static void put(_Atomic uint64_t *where, uint64_t value)
{
    atomic_store_explicit(where, value, memory_order_relaxed);
}

static void tell_role(struct replicator *replicator, const struct hf_replica *replica)
{
    if (replica->role == replicator->told_role)
        return;
    replicator->told_role = replica->role;
    put(&replicator->state.role_ns, clock_monotonic_ns());
    fprintf(stderr, "holdfastd: pair: %s, epoch %llu, log to record %llu\n",
            hf_role_name((enum hf_role)replica->role), (unsigned long long)replica->epoch,
            (unsigned long long)replica->last.place.index);
}

static void tell_line(struct replicator *replicator)
{
    const struct hf_fault *fault = hf_pair_fault(replicator->pair);

    if (strcmp(fault->line, replicator->line.line) == 0)
        return;
    pthread_mutex_lock(&replicator->line_lock);
    replicator->line = *fault;
    pthread_mutex_unlock(&replicator->line_lock);
    fprintf(stderr, "holdfastd: pair: %s\n",
            fault->line[0] != '\0' ? fault->line : "the alarm is over");
}

static void tell_seal(struct replicator *replicator)
{
    const char *trouble = replicator->is_sealed ? seal_trouble(replicator->port) : NULL;

    if (trouble != NULL && trouble != replicator->told_trouble)
        fprintf(stderr, "holdfastd: pair: %s\n", trouble);
    replicator->told_trouble = trouble;
}

void replicator_line(struct replicator *replicator, struct hf_fault *line)
{
    pthread_mutex_lock(&replicator->line_lock);
    *line = replicator->line;
    pthread_mutex_unlock(&replicator->line_lock);
}

static uint64_t members_of(const struct hf_replica *r)
{
    if (r->role == HF_ROLE_PRIMARY || r->role == HF_ROLE_CLAIMING)
        return hf_config_is_pair(&r->config) ? 2 : 1;
    return r->role == HF_ROLE_BACKUP ? 2 : 0;
}

static void publish_counts(struct replicator *replicator)
{
    struct replicate_state *state = &replicator->state;
    struct hf_pair_counts counts;

    hf_pair_count(replicator->pair, &counts);
    put(&state->records_received, counts.records_received);
    put(&state->records_sent, counts.records_sent);
    put(&state->records_read, counts.records_read);
    put(&state->datagrams_sent, counts.link.datagrams_sent);
    put(&state->datagrams_received, counts.link.datagrams_received);
    put(&state->datagrams_repeated, counts.link.datagrams_repeated);
    put(&state->refused, counts.refused_garbage + counts.refused_other_cluster);
    put(&state->quarantined, counts.quarantined);
    put(&state->slices_sent, counts.slices_sent);
    put(&state->slices_received, counts.slices_received);
    put(&state->fetches_refused, counts.fetches_refused);
    put(&state->pause_ns, counts.pause_ns);
}

static void publish(struct replicator *replicator)
{
    const struct hf_replica *r = hf_pair_replica(replicator->pair);
    const struct hf_pair_self *peer = hf_pair_peer(replicator->pair);
    struct replicate_state *state = &replicator->state;

    tell_role(replicator, r);
    tell_line(replicator);
    tell_seal(replicator);
    put(&state->role, r->role);
    put(&state->epoch, r->epoch);
    put(&state->promise, r->promise);
    put(&state->incarnation, r->incarnation);
    put(&state->last_index, r->last.place.index);
    put(&state->commit_index, r->commit);
    put(&state->acked_index, r->acked);
    put(&state->alarms, r->alarms);
    put(&state->insync, members_of(r));
    put(&state->fenced, r->is_fenced);
    put(&state->cfg_epoch, r->config.epoch);
    put(&state->peer_incarnation, peer != NULL ? hf_pair_peer_incarnation(replicator->pair) : 0);
    put(&state->peer_client, peer != NULL ? (uint64_t)peer->client_ip << 16 | peer->client_udp : 0);
    publish_counts(replicator);
}

/* ---- the arbiter and the operator ---- */

/* Without an arbiter, what the primary says is what CFG is. */
static void learn(struct replicator *replicator)
{
    const struct hf_replica *r = hf_pair_replica(replicator->pair);
    struct hf_config config = {
        .epoch = r->epoch,
        .primary = r->options.peer,
        .durability = r->options.durability,
        .insync = {{.node = r->options.peer,
                    .incarnation = hf_pair_peer_incarnation(replicator->pair)},
                   {.node = r->options.node, .incarnation = r->incarnation}},
    };

    if (!replicator->is_operated || r->role != HF_ROLE_BACKUP ||
        r->epoch == replicator->learned_epoch)
        return;
    replicator->learned_epoch = r->epoch;
    arbiter_operator_learn(replicator->arbiter.state, &config);
}

static void carry(struct replicator *replicator, uint64_t now_ns)
{
    struct hf_arbiter_answer answer;
    struct hf_question question;

    if (arbiter_take(&replicator->arbiter, &answer))
        hf_pair_answered(replicator->pair, &answer, now_ns);
    if (hf_pair_question(replicator->pair, &question))
        arbiter_ask(&replicator->arbiter, &question);
    learn(replicator);
}

static void obey(struct replicator *replicator, uint64_t now_ns)
{
    int order = atomic_load_explicit(&replicator->order, memory_order_acquire);

    if (order == REPLICATE_NOTHING)
        return;
    atomic_store_explicit(&replicator->order, REPLICATE_NOTHING, memory_order_relaxed);
    if (order == REPLICATE_STEP_DOWN) {
        hf_pair_step_down(replicator->pair, now_ns);
        return;
    }
    if (replicator->is_operated)
        arbiter_operator_permit(replicator->arbiter.state);
    hf_pair_promote(replicator->pair, now_ns);
}

/* ---- polling ---- */

static uint32_t receive(struct replicator *replicator, uint64_t now_ns)
{
    struct hf_port *port = replicator->port;
    struct hf_packet packets[RECEIVE_BURST];
    uint32_t total = 0;

    for (int burst = 0; burst < BURSTS_MOST; burst++) {
        uint32_t count = port->maker->receive(port, packets, RECEIVE_BURST);
        for (uint32_t i = 0; i < count; i++) {
            /* From anybody else it is noise; a sealed port hands none of it on. */
            if (packets[i].peer.ip == replicator->peer.ip &&
                packets[i].peer.udp == replicator->peer.udp)
                hf_pair_receive(replicator->pair, packets[i].data, packets[i].length, now_ns);
        }
        port->maker->release(port, packets, count);
        total += count;
        if (count < RECEIVE_BURST)
            break;
    }
    return total;
}

uint32_t replicator_poll(struct replicator *replicator)
{
    uint64_t now_ns = clock_monotonic_ns();
    uint32_t count = receive(replicator, now_ns);

    carry(replicator, now_ns);
    obey(replicator, now_ns);
    replicator_flush(replicator);
    if (now_ns - replicator->published_ns >= PUBLISH_NS) {
        replicator->published_ns = now_ns;
        publish(replicator);
    }
    return count;
}

bool replicator_is_pending(const struct replicator *replicator)
{
    return hf_pair_is_busy(replicator->pair);
}
