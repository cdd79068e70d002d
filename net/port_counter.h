/* Counters with one writer each, read by any thread: the receiving half counts in one structure,
 * the sending half in another, on cache lines of their own, and a reader adds the two. */
#ifndef HF_NET_PORT_COUNTER_H
#define HF_NET_PORT_COUNTER_H

#include "port.h"

struct hf_port_half_counters {
    _Alignas(64) struct hf_port_counters counters;
};

/* Only the counter's own thread may add. Relaxed: a figure for people, it orders nothing. */
static inline void hf_counter_add(uint64_t *counter, uint64_t amount)
{
    __atomic_store_n(counter, *counter + amount, __ATOMIC_RELAXED);
}

static inline uint64_t hf_counter_sum(const uint64_t *a, const uint64_t *b)
{
    return __atomic_load_n(a, __ATOMIC_RELAXED) + __atomic_load_n(b, __ATOMIC_RELAXED);
}

/* Adds one half's to a sum. Any thread. */
static inline void hf_port_counters_add(const struct hf_port_half_counters *half,
                                        struct hf_port_counters *sum)
{
    const struct hf_port_counters *more = &half->counters;
    sum->received = hf_counter_sum(&sum->received, &more->received);
    sum->received_bytes = hf_counter_sum(&sum->received_bytes, &more->received_bytes);
    sum->sent = hf_counter_sum(&sum->sent, &more->sent);
    sum->sent_bytes = hf_counter_sum(&sum->sent_bytes, &more->sent_bytes);
    sum->dropped_malformed = hf_counter_sum(&sum->dropped_malformed, &more->dropped_malformed);
    sum->dropped_other = hf_counter_sum(&sum->dropped_other, &more->dropped_other);
    sum->dropped_full = hf_counter_sum(&sum->dropped_full, &more->dropped_full);
    sum->arp_answered = hf_counter_sum(&sum->arp_answered, &more->arp_answered);
    sum->icmp_answered = hf_counter_sum(&sum->icmp_answered, &more->icmp_answered);
}

/* Both halves together. Any thread. */
static inline void hf_port_counters_sum(const struct hf_port_half_counters *receive,
                                        const struct hf_port_half_counters *send,
                                        struct hf_port_counters *sum)
{
    *sum = (struct hf_port_counters){0};
    hf_port_counters_add(receive, sum);
    hf_port_counters_add(send, sum);
}

#endif
