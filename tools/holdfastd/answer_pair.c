#include "answer_pair.h"

#include "counters.h"
#include "net/port_sealed.h"
#include "seal.h"

#include <stdio.h>

static json_t *number(const _Atomic uint64_t *value)
{
    return json_integer((json_int_t)counter_read(value));
}

static json_t *alarms_of(uint64_t raised)
{
    json_t *list = json_array();

    for (int i = HF_ALARM_ALONE; i <= HF_ALARM_STATE_DIFFERS; i++) {
        if ((raised >> i & 1) != 0)
            json_array_append_new(list, json_string(hf_alarm_name((enum hf_alarm)i)));
    }
    return list;
}

static json_t *client_address(uint64_t packed)
{
    const struct hf_address address = {.ip = (uint32_t)(packed >> 16), .udp = (uint16_t)packed};
    char text[HF_ADDRESS_TEXT_SIZE];

    if (packed == 0)
        return json_null();
    hf_address_format(&address, text);
    return json_string(text);
}

static json_t *arbiter_state(const struct arbiter *arbiter)
{
    return json_pack("{s:s, s:o, s:o, s:f}", "kind", arbiter->way->name, "asked",
                     number(&arbiter->asked), "unknown", number(&arbiter->unknown), "slowest_ms",
                     (double)counter_read(&arbiter->slowest_ns) / 1e6);
}

/* What became of every datagram from the peer's address, by the words of net/fate.h; null when what
 * the nodes say to each other is not sealed. */
static json_t *seal_state(const struct replicator *replicator)
{
    struct hf_port_sealed_counters counters;

    if (!replicator->is_sealed)
        return json_null();
    hf_port_sealed_count(replicator->port, &counters);
    json_t *answer =
        json_pack("{s:b, s:I, s:I, s:I, s:I, s:s?}", "open", (int)counters.open, "sealed",
                  (json_int_t)counters.sealed, "unsent", (json_int_t)counters.unsent, "hellos",
                  (json_int_t)counters.hellos, "strangers", (json_int_t)counters.strangers, "says",
                  seal_trouble(replicator->port));
    for (int fate = 0; fate < HF_FATE_COUNT; fate++)
        json_object_set_new(answer, hf_fate_word((enum hf_fate)fate),
                            json_integer((json_int_t)counters.fates[fate]));
    return answer;
}

json_t *answer_pair_state(struct node *node)
{
    struct replicator *replicator = &node->replicator;
    const struct replicate_state *state = &replicator->state;
    struct hf_fault line;
    char peer[HF_ADDRESS_TEXT_SIZE];

    if (replicator->pair == NULL)
        return json_null();
    replicator_line(replicator, &line);
    hf_address_format(&replicator->peer, peer);
    return json_pack(
        "{s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:s, s:o, s:o, s:o, "
        "s:o, s:o, s:s}",
        "role", hf_role_name((enum hf_role)counter_read(&state->role)), "serves",
        (int)replicator_serves(replicator), "epoch", number(&state->epoch), "promise",
        number(&state->promise), "incarnation", number(&state->incarnation), "last_index",
        number(&state->last_index), "commit_index", number(&state->commit_index), "acked_index",
        number(&state->acked_index), "applied", number(&node->orderer.followed), "insync",
        number(&state->insync), "fenced", (int)counter_read(&state->fenced), "pause_ns",
        number(&state->pause_ns), "peer", peer, "peer_incarnation",
        number(&state->peer_incarnation), "peer_clients",
        client_address(counter_read(&state->peer_client)), "arbiter",
        arbiter_state(&replicator->arbiter), "seal", seal_state(replicator), "alarms",
        alarms_of(counter_read(&state->alarms)), "says", line.line);
}

json_t *answer_pair_counters(struct node *node)
{
    const struct replicate_state *state = &node->replicator.state;
    uint64_t redirected = 0;

    if (node->replicator.pair == NULL)
        return json_null();
    for (uint32_t i = 0; i < node->receiver_count; i++)
        redirected += counter_read(&node->receivers[i].redirected);
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "records_received",
        number(&state->records_received), "records_sent", number(&state->records_sent),
        "records_read", number(&state->records_read), "datagrams_sent",
        number(&state->datagrams_sent), "datagrams_received", number(&state->datagrams_received),
        "datagrams_repeated", number(&state->datagrams_repeated), "refused",
        number(&state->refused), "quarantined", number(&state->quarantined), "slices_sent",
        number(&state->slices_sent), "slices_received", number(&state->slices_received),
        "fetches_refused", number(&state->fetches_refused), "redirected",
        json_integer((json_int_t)redirected));
}

static json_t *order(struct node *node, enum replicate_order what, const char *answer)
{
    if (node->replicator.pair == NULL)
        return json_pack("{s:s}", "error", "this node is not one of a pair");
    atomic_store_explicit(&node->replicator.order, (int)what, memory_order_release);
    return json_pack("{s:s}", "ordered", answer);
}

json_t *answer_promote(struct node *node, const char *argument)
{
    (void)argument;
    return order(node, REPLICATE_PROMOTE,
                 "to lead, alone if need be: see `pair` for whether it does");
}

json_t *answer_standby(struct node *node, const char *argument)
{
    (void)argument;
    if (node->replicator.pair != NULL && !replicator_serves(&node->replicator))
        return json_pack("{s:s}", "error", "this node does not lead");
    return order(node, REPLICATE_STEP_DOWN, "to give the role away: see `pair`");
}

json_t *answer_pair(struct node *node, const char *argument)
{
    (void)argument;
    return json_pack("{s:o, s:o}", "pair", answer_pair_state(node), "counters",
                     answer_pair_counters(node));
}
