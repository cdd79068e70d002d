/* DPDK: any poll-mode driver, one or several receive queues and one transmit queue. A process may
 * have several such ports, each on a device of its own, in one environment (eal.h).
 *
 *     receiving thread: rx_burst -> hf_ip_parse -> the caller, when it is a datagram for us
 *                                              \-> control ring, when it is ARP or a ping
 *     sending thread:   control ring -> answers, or addresses learnt -> tx_burst
 *                       the caller's packets -> headers -> tx_burst
 *
 * The transmit queue and the table of neighbours belong to the sending thread alone. What the
 * receiving thread finds that wants an answer goes over a small single-producer ring, and is
 * answered by the next send, if only of nothing. With several queues each has a receiving thread, a
 * pool and such a ring of its own: receiving threads share nothing.
 *
 * Different pools of buffers for what is received and what is sent, so that a caller that keeps all
 * it received can still answer.
 *
 * memif needs both bursts kept apart from its driver's own doings: memif.h. And its driver follows
 * the peer's descriptors unchecked, before any frame comes here: a memif peer is trusted with this
 * process, where a peer behind a wire is not. */
#include "eal.h"
#include "ip.h"
#include "memif.h"
#include "neighbour.h"
#include "port.h"
#include "port_counter.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#define MTU_DEFAULT         1500
#define MTU_LIMIT           9600
#define MTU_MIN             128
#define MBUFS_DEFAULT       8191
#define MBUFS_MIN           511
#define MBUF_CACHE          128
#define DESCRIPTORS         1024
#define CONTROL_DEPTH       64
#define CONTROL_BURST       16
#define NAP_US              50 /* the longest sleep of wait: there is nothing that would wake it */
#define OFFLOAD_RX_WANTED   (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM)
#define OFFLOAD_TX_WANTED   (RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM)
#define FRAME_SIZE_MAX(mtu) ((uint32_t)(mtu) + HF_IP_ETHER_SIZE)

struct port_dpdk;

struct receive_queue {
    struct hf_port port; /* as its receiving thread sees it */
    struct port_dpdk *owner;
    struct hf_port_half_counters counted;
    struct rte_mempool *pool;
    struct rte_ring *control; /* received frames, from the receiving to the sending thread */
    uint16_t number;
};

struct send_half {
    struct hf_port_half_counters counted;
    struct rte_mempool *pool;
    struct hf_neighbours neighbours;
};

/* Which devices have a port. Main thread only. */
static bool is_taken[RTE_MAX_ETHPORTS];

struct port_dpdk {
    struct receive_queue queues[HF_PORT_DPDK_QUEUES_MAX]; /* that of the first is the whole port */
    uint16_t queue_count;
    uint64_t ticks_per_us;
    uint16_t device;
    bool offloads;   /* the device makes IPv4 and UDP checksums */
    bool has_device; /* taken: no other port has it */
    bool is_configured;
    bool is_started; /* by us; a memif device is started by its guard */
    bool is_memif;   /* guarded by `memif` */
    bool may_free;   /* EAL's interrupt thread has not been given work of ours */
    struct hf_memif memif;
    struct send_half send;
};

static struct port_dpdk *self_of(struct hf_port *port)
{
    assert(port != NULL);
    return (struct port_dpdk *)port;
}

static struct receive_queue *queue_of(struct hf_port *port)
{
    assert(port != NULL);
    return (struct receive_queue *)port;
}

static const struct hf_address *local_of(const struct port_dpdk *self)
{
    return &self->queues[0].port.local;
}

static uint64_t now_us(const struct port_dpdk *self)
{
    return rte_get_tsc_cycles() / self->ticks_per_us;
}

/* Pools keep a cache for each thread that DPDK knows. Where it cannot know ours (too many, or a
 * driver that shares with other processes) all still works, a little slower. */
static enum hf_status attach_thread(struct hf_port *port)
{
    assert(port != NULL);
    if (rte_lcore_id() == LCORE_ID_ANY)
        (void)rte_thread_register();
    return HF_STATUS_OK;
}

/* ---- receiving */

/* Which checksums the device vouches for. NONE means that the data is whole though the field is not
 * (it came over memory, not over a wire). */
static unsigned trust_of(const struct rte_mbuf *mbuf)
{
    unsigned trust = 0;
    uint64_t ip = mbuf->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;
    uint64_t udp = mbuf->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
    if (ip == RTE_MBUF_F_RX_IP_CKSUM_GOOD || ip == RTE_MBUF_F_RX_IP_CKSUM_NONE)
        trust |= HF_IP_TRUST_HEADER;
    if (udp == RTE_MBUF_F_RX_L4_CKSUM_GOOD || udp == RTE_MBUF_F_RX_L4_CKSUM_NONE)
        trust |= HF_IP_TRUST_UDP;
    return trust;
}

/* The driver filled these fields from what a peer wrote. */
static bool is_one_segment(const struct rte_mbuf *mbuf)
{
    return mbuf->nb_segs == 1 && mbuf->next == NULL && mbuf->data_len == mbuf->pkt_len &&
           (uint32_t)mbuf->data_off + mbuf->data_len <= mbuf->buf_len;
}

/* Sorts one frame. True when it is a datagram for the caller; else it has gone elsewhere. */
static bool sort_frame(struct receive_queue *queue, struct rte_mbuf *mbuf, struct hf_packet *packet)
{
    struct hf_port_counters *counters = &queue->counted.counters;
    struct hf_ip_packet parsed;
    uint8_t *frame = rte_pktmbuf_mtod(mbuf, uint8_t *);
    enum hf_ip_kind kind = HF_IP_MALFORMED;
    if (is_one_segment(mbuf))
        kind = hf_ip_parse(local_of(queue->owner), frame, mbuf->data_len, trust_of(mbuf), &parsed);
    switch (kind) {
    case HF_IP_UDP:
        packet->data = frame + parsed.payload_offset;
        packet->length = parsed.payload_length;
        packet->peer = parsed.peer;
        packet->owner = mbuf;
        hf_counter_add(&counters->received, 1);
        hf_counter_add(&counters->received_bytes, packet->length);
        return true;
    case HF_IP_ECHO_REQUEST:
    case HF_IP_ARP_REQUEST:
    case HF_IP_ARP_REPLY:
        if (rte_ring_sp_enqueue(queue->control, mbuf) == 0)
            return false;
        hf_counter_add(&counters->dropped_full, 1);
        break;
    case HF_IP_OTHER:
        hf_counter_add(&counters->dropped_other, 1);
        break;
    case HF_IP_MALFORMED:
        hf_counter_add(&counters->dropped_malformed, 1);
        break;
    }
    rte_pktmbuf_free(mbuf);
    return false;
}

static uint32_t receive_burst(const struct receive_queue *queue, struct rte_mbuf *mbufs[],
                              uint32_t most)
{
    struct port_dpdk *self = queue->owner;
    if (!self->is_memif)
        return rte_eth_rx_burst(self->device, queue->number, mbufs, (uint16_t)most);
    if (!hf_memif_enter_receive(&self->memif))
        return 0;
    uint32_t count = rte_eth_rx_burst(self->device, 0, mbufs, (uint16_t)most);
    hf_memif_leave_receive(&self->memif);
    return count;
}

static uint32_t receive(struct hf_port *port, struct hf_packet packets[], uint32_t most)
{
    struct receive_queue *queue = queue_of(port);
    struct rte_mbuf *mbufs[HF_PORT_BURST_MAX];
    assert(most <= HF_PORT_BURST_MAX);
    uint32_t frames = receive_burst(queue, mbufs, most);
    assert(frames <= most);
    uint32_t count = 0;
    for (uint32_t i = 0; i < frames; i++)
        if (sort_frame(queue, mbufs[i], &packets[count]))
            count++;
    return count;
}

static void release(struct hf_port *port, struct hf_packet packets[], uint32_t count)
{
    assert(port != NULL);
    for (uint32_t i = 0; i < count; i++) {
        assert(packets[i].owner != NULL);
        rte_pktmbuf_free(packets[i].owner);
        packets[i].data = NULL;
        packets[i].owner = NULL;
    }
}

/* Drivers have no common way to wake a sleeper: naps, short enough to be a small part of what any
 * waking costs. */
static void wait_for_datagram(struct hf_port *port, uint32_t timeout_us)
{
    assert(port != NULL);
    uint32_t nap_us = timeout_us < NAP_US ? timeout_us : NAP_US;
    struct timespec nap = {.tv_nsec = (long)nap_us * 1000};
    (void)nanosleep(&nap, NULL);
}

/* ---- sending */

static uint32_t take(struct hf_port *port, struct hf_packet packets[], uint32_t count)
{
    struct port_dpdk *self = self_of(port);
    assert(count <= HF_PORT_BURST_MAX);
    uint32_t taken = 0;
    for (; taken < count; taken++) {
        struct rte_mbuf *mbuf = rte_pktmbuf_alloc(self->send.pool);
        if (mbuf == NULL)
            break;
        packets[taken] = (struct hf_packet){
            .data = rte_pktmbuf_mtod(mbuf, uint8_t *) + HF_IP_UDP_HEADERS_SIZE, .owner = mbuf};
    }
    return taken;
}

/* The device takes the first of `count` frames, as many as it has room for. Returns how many. */
static uint32_t send_burst(struct port_dpdk *self, struct rte_mbuf *mbufs[], uint32_t count)
{
    uint32_t taken = 0;
    uint32_t burst;
    if (self->is_memif && !hf_memif_enter_send(&self->memif))
        return 0;
    do {
        burst = rte_eth_tx_burst(self->device, 0, mbufs + taken, (uint16_t)(count - taken));
        taken += burst;
    } while (taken < count && burst > 0);
    if (self->is_memif)
        hf_memif_leave_send(&self->memif);
    return taken;
}

/* Hands `count` frames to the device, frees and counts what it did not take. Returns how many it
 * took. */
static uint32_t transmit(struct port_dpdk *self, struct rte_mbuf *mbufs[], uint32_t count)
{
    uint32_t taken = count == 0 ? 0 : send_burst(self, mbufs, count);
    assert(taken <= count);
    if (taken < count) {
        hf_counter_add(&self->send.counted.counters.dropped_full, count - taken);
        rte_pktmbuf_free_bulk(mbufs + taken, count - taken);
    }
    return taken;
}

/* An empty frame of `length` bytes to fill, or NULL. */
static struct rte_mbuf *new_frame(struct port_dpdk *self, uint32_t length)
{
    struct rte_mbuf *mbuf = rte_pktmbuf_alloc(self->send.pool);
    if (mbuf == NULL)
        return NULL;
    assert(length <= rte_pktmbuf_tailroom(mbuf));
    mbuf->data_len = (uint16_t)length;
    mbuf->pkt_len = length;
    return mbuf;
}

/* Answers one frame of the control ring, or learns from it. NULL: nothing to send. */
static struct rte_mbuf *answer_frame(struct port_dpdk *self, struct rte_mbuf *request)
{
    const struct hf_address *local = local_of(self);
    struct hf_port_counters *counters = &self->send.counted.counters;
    struct hf_ip_packet parsed;
    uint8_t *frame = rte_pktmbuf_mtod(request, uint8_t *);
    enum hf_ip_kind kind = hf_ip_parse(local, frame, request->data_len, trust_of(request), &parsed);
    struct rte_mbuf *answer = NULL;
    if (kind == HF_IP_ARP_REQUEST || kind == HF_IP_ARP_REPLY)
        hf_neighbour_learn(&self->send.neighbours, parsed.peer.ip, parsed.peer.ether);
    if (kind == HF_IP_ARP_REQUEST) {
        answer = new_frame(self, HF_IP_ARP_FRAME_SIZE);
        if (answer == NULL)
            return NULL;
        hf_ip_write_arp_reply(local, &parsed.peer, rte_pktmbuf_mtod(answer, uint8_t *));
        hf_counter_add(&counters->arp_answered, 1);
    } else if (kind == HF_IP_ECHO_REQUEST &&
               parsed.payload_offset + parsed.payload_length <=
                   self->queues[0].port.payload_max + HF_IP_UDP_HEADERS_SIZE) {
        answer = new_frame(self, parsed.payload_offset + parsed.payload_length);
        if (answer == NULL)
            return NULL;
        hf_ip_write_echo_reply(local, &parsed.peer, frame + parsed.payload_offset,
                               parsed.payload_length, rte_pktmbuf_mtod(answer, uint8_t *));
        hf_counter_add(&counters->icmp_answered, 1);
    }
    return answer;
}

static void answer_control(struct port_dpdk *self, struct rte_ring *control)
{
    struct rte_mbuf *requests[CONTROL_BURST];
    struct rte_mbuf *answers[CONTROL_BURST];
    unsigned count = rte_ring_sc_dequeue_burst(control, (void **)requests, CONTROL_BURST, NULL);
    uint32_t answer_count = 0;
    for (unsigned i = 0; i < count; i++) {
        struct rte_mbuf *answer = answer_frame(self, requests[i]);
        if (answer != NULL)
            answers[answer_count++] = answer;
        rte_pktmbuf_free(requests[i]);
    }
    (void)transmit(self, answers, answer_count);
}

/* Finds the Ethernet address of a peer that came without one. While it is not known a question goes
 * out and the answer is false. */
static bool resolve(struct port_dpdk *self, struct hf_address *peer)
{
    static const uint8_t unknown[6];
    if (memcmp(peer->ether, unknown, sizeof unknown) != 0)
        return true;
    if (peer->ip == 0)
        return false;
    bool ask = false;
    bool is_known =
        hf_neighbour_find(&self->send.neighbours, peer->ip, now_us(self), peer->ether, &ask);
    if (ask) {
        struct rte_mbuf *question = new_frame(self, HF_IP_ARP_FRAME_SIZE);
        if (question != NULL) {
            hf_ip_write_arp_request(local_of(self), peer->ip,
                                    rte_pktmbuf_mtod(question, uint8_t *));
            (void)transmit(self, &question, 1);
        }
    }
    return is_known;
}

/* Makes a frame of a packet. False when it is not to be sent. */
static bool make_frame(struct port_dpdk *self, struct hf_packet *packet)
{
    struct rte_mbuf *mbuf = packet->owner;
    assert(mbuf != NULL);
    assert(packet->length <= self->queues[0].port.payload_max);
    if (packet->length == 0)
        return false;
    if (!resolve(self, &packet->peer)) {
        hf_counter_add(&self->send.counted.counters.dropped_full, 1);
        return false;
    }
    hf_ip_write_udp(local_of(self), &packet->peer, rte_pktmbuf_mtod(mbuf, uint8_t *),
                    packet->length, self->offloads);
    mbuf->data_len = (uint16_t)(HF_IP_UDP_HEADERS_SIZE + packet->length);
    mbuf->pkt_len = mbuf->data_len;
    if (self->offloads) {
        mbuf->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_UDP_CKSUM;
        mbuf->l2_len = sizeof(struct rte_ether_hdr);
        mbuf->l3_len = sizeof(struct rte_ipv4_hdr);
    }
    return true;
}

static void send_packets(struct hf_port *port, struct hf_packet packets[], uint32_t count)
{
    struct port_dpdk *self = self_of(port);
    struct hf_port_counters *counters = &self->send.counted.counters;
    struct rte_mbuf *mbufs[HF_PORT_BURST_MAX];
    uint32_t lengths[HF_PORT_BURST_MAX];
    assert(count <= HF_PORT_BURST_MAX);
    for (uint16_t i = 0; i < self->queue_count; i++) {
        if (!rte_ring_empty(self->queues[i].control))
            answer_control(self, self->queues[i].control);
    }

    uint32_t frames = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (make_frame(self, &packets[i])) {
            lengths[frames] = packets[i].length;
            mbufs[frames++] = packets[i].owner;
        } else {
            rte_pktmbuf_free(packets[i].owner);
        }
        packets[i].data = NULL;
        packets[i].owner = NULL;
    }
    uint32_t sent = transmit(self, mbufs, frames);
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < sent; i++)
        bytes += lengths[i];
    hf_counter_add(&counters->sent, sent);
    hf_counter_add(&counters->sent_bytes, bytes);
}

/* ---- opening and closing */

static void count_all(const struct hf_port *port, struct hf_port_counters *counters)
{
    const struct port_dpdk *self = (const struct port_dpdk *)port;
    assert(counters != NULL);
    hf_port_counters_sum(&self->queues[0].counted, &self->send.counted, counters);
    for (uint16_t i = 1; i < self->queue_count; i++)
        hf_port_counters_add(&self->queues[i].counted, counters);
}

static void count_queue(const struct hf_port *port, struct hf_port_counters *counters)
{
    assert(counters != NULL);
    *counters = (struct hf_port_counters){0};
    hf_port_counters_add(&((const struct receive_queue *)port)->counted, counters);
}

static void free_queue(struct receive_queue *queue)
{
    void *frame;
    while (queue->control != NULL && rte_ring_sc_dequeue(queue->control, &frame) == 0)
        rte_pktmbuf_free(frame);
    rte_ring_free(queue->control);
    queue->control = NULL;
}

/* Both halves have ended. */
static void destroy(struct hf_port *port)
{
    struct port_dpdk *self = self_of(port);
    for (uint16_t i = 0; i < self->queue_count; i++)
        free_queue(&self->queues[i]);
    if (self->is_started)
        (void)rte_eth_dev_stop(self->device);
    if (self->is_memif)
        hf_memif_close(&self->memif);
    else if (self->is_configured)
        (void)rte_eth_dev_close(self->device);
    if (self->has_device)
        is_taken[self->device] = false;
    for (uint16_t i = 0; i < self->queue_count; i++)
        rte_mempool_free(self->queues[i].pool);
    rte_mempool_free(self->send.pool);
    bool may_free = self->may_free;
    free(self);
    hf_eal_stop(may_free);
}

static const struct hf_port_maker dpdk_maker = {
    .attach_receive = attach_thread,
    .attach_send = attach_thread,
    .receive = receive,
    .release = release,
    .take = take,
    .send = send_packets,
    .wait = wait_for_datagram,
    .count = count_all,
    .destroy = destroy,
};

static const struct hf_port_maker queue_maker = {
    .attach_receive = attach_thread,
    .receive = receive,
    .release = release,
    .wait = wait_for_datagram,
    .count = count_queue,
};

struct hf_port *hf_port_dpdk_queue(struct hf_port *port, uint16_t queue)
{
    struct port_dpdk *self = self_of(port);
    assert(port->maker == &dpdk_maker);
    assert(queue < self->queue_count);
    return &self->queues[queue].port;
}

/* Writes the fault's line: what failed, on which device, why. */
static enum hf_status fail(struct hf_fault *fault, uint16_t device, const char *what, int error)
{
    snprintf(fault->line, sizeof fault->line, "dpdk port: device %u: %s: %s", device, what,
             rte_strerror(error < 0 ? -error : error));
    return HF_STATUS_IO;
}

static bool is_memif_client(const struct rte_eth_dev_info *info)
{
    const struct rte_devargs *devargs = info->device == NULL ? NULL : rte_dev_devargs(info->device);
    return devargs != NULL && devargs->args != NULL && strstr(devargs->args, "role=client") != NULL;
}

static enum hf_status start_memif(struct port_dpdk *self, const struct rte_eth_dev_info *info,
                                  struct hf_fault *fault)
{
    bool is_client = is_memif_client(info);
    self->may_free = false;
    self->is_memif = hf_memif_open(&self->memif, self->device, is_client);
    if (!self->is_memif)
        return fail(fault, self->device, "start of memif: its socket", EIO);
    /* The driver writes a line at every attempt to connect, twenty a second without a server. */
    if (is_client)
        (void)rte_log_set_level_pattern("pmd.net.memif", RTE_LOG_CRIT);
    return HF_STATUS_OK;
}

/* A driver that fails does not fail EAL's start: only the number of devices tells. */
static enum hf_status take_device(struct port_dpdk *self, struct hf_fault *fault)
{
    if (!rte_eth_dev_is_valid_port(self->device)) {
        snprintf(fault->line, sizeof fault->line,
                 "dpdk port: no device %u: the EAL arguments gave %u devices", self->device,
                 rte_eth_dev_count_avail());
        return HF_STATUS_NOT_FOUND;
    }
    if (is_taken[self->device]) {
        snprintf(fault->line, sizeof fault->line,
                 "dpdk port: device %u has another port of this process", self->device);
        return HF_STATUS_EXISTS;
    }
    is_taken[self->device] = true;
    self->has_device = true;
    return HF_STATUS_OK;
}

static bool make_queue(const struct port_dpdk *self, struct receive_queue *queue, uint32_t mbufs,
                       uint16_t room, int socket)
{
    char name[32]; /* DPDK's own names: one of each in a process */
    snprintf(name, sizeof name, "holdfast_receive_%u_%u", self->device, queue->number);
    queue->pool = rte_pktmbuf_pool_create(name, mbufs, MBUF_CACHE, 0, room, socket);
    snprintf(name, sizeof name, "holdfast_control_%u_%u", self->device, queue->number);
    queue->control = rte_ring_create(name, CONTROL_DEPTH, socket, RING_F_SP_ENQ | RING_F_SC_DEQ);
    return queue->pool != NULL && queue->control != NULL;
}

static enum hf_status make_memory(struct port_dpdk *self, uint32_t mbufs, uint16_t mtu,
                                  struct hf_fault *fault)
{
    int socket = rte_eth_dev_socket_id(self->device);
    uint32_t frame = FRAME_SIZE_MAX(mtu) > RTE_MBUF_DEFAULT_DATAROOM ? FRAME_SIZE_MAX(mtu)
                                                                     : RTE_MBUF_DEFAULT_DATAROOM;
    uint16_t room = (uint16_t)(RTE_PKTMBUF_HEADROOM + RTE_ALIGN_CEIL(frame, RTE_CACHE_LINE_SIZE));
    char name[32];
    snprintf(name, sizeof name, "holdfast_send_%u", self->device);
    self->send.pool = rte_pktmbuf_pool_create(name, mbufs, MBUF_CACHE, 0, room, socket);
    bool is_made = self->send.pool != NULL;
    for (uint16_t i = 0; i < self->queue_count; i++)
        is_made = is_made && make_queue(self, &self->queues[i], mbufs, room, socket);
    if (is_made)
        return HF_STATUS_OK;
    snprintf(fault->line, sizeof fault->line,
             "dpdk port: no memory for %u times %u mbufs of %u bytes (EAL's -m, or huge pages)",
             self->queue_count + 1u, mbufs, room);
    return HF_STATUS_NO_MEMORY;
}

/* Asks for the MTU where it differs from what the device has: many virtual ones know no setting.
 * memif names 1500 and means nothing by it: it carries any frame, best when its buffers (bsize)
 * hold a whole one. */
static enum hf_status set_mtu(struct port_dpdk *self, const struct rte_eth_dev_info *info,
                              uint16_t mtu, struct hf_fault *fault)
{
    bool is_memif = strcmp(info->driver_name, "net_memif") == 0;
    uint16_t current = 0;
    int error = rte_eth_dev_get_mtu(self->device, &current);
    if (error == 0 && current == mtu)
        return HF_STATUS_OK;
    error = rte_eth_dev_set_mtu(self->device, mtu);
    if (error == 0 || (error == -ENOTSUP && (current > mtu || is_memif)))
        return HF_STATUS_OK;
    char what[64];
    snprintf(what, sizeof what, "MTU %u (it has %u)", mtu, current);
    return fail(fault, self->device, what, error);
}

static enum hf_status set_ether(struct port_dpdk *self, struct hf_fault *fault)
{
    static const uint8_t unset[6];
    struct rte_ether_addr ether;
    int error;
    if (memcmp(local_of(self)->ether, unset, sizeof unset) != 0) {
        memcpy(&ether, local_of(self)->ether, sizeof ether);
        error = rte_eth_dev_default_mac_addr_set(self->device, &ether);
        if (error != 0)
            return fail(fault, self->device, "Ethernet address", error);
        return HF_STATUS_OK;
    }
    error = rte_eth_macaddr_get(self->device, &ether);
    if (error != 0)
        return fail(fault, self->device, "Ethernet address", error);
    memcpy(self->queues[0].port.local.ether, &ether, sizeof ether);
    return HF_STATUS_OK;
}

/* One is used. But some drivers want as many as receive. */
static uint16_t send_queues(const struct port_dpdk *self, const struct rte_eth_dev_info *info)
{
    return self->queue_count <= info->max_tx_queues ? self->queue_count : 1;
}

/* Can the device have as many queues as wanted, and will none of its own be left unread? */
static enum hf_status check_queues(const struct port_dpdk *self,
                                   const struct rte_eth_dev_info *info, struct hf_fault *fault)
{
    /* Its qpairs share what comes from the start, and each is one that somebody has to read.
     * memif's guard knows one. */
    bool is_fixed = strcmp(info->driver_name, "net_af_packet") == 0;
    bool is_memif = strcmp(info->driver_name, "net_memif") == 0;
    unsigned most = is_memif ? 1 : info->max_rx_queues;
    if (self->queue_count <= most && (!is_fixed || self->queue_count == most))
        return HF_STATUS_OK;
    char name[RTE_ETH_NAME_MAX_LEN] = "";
    (void)rte_eth_dev_get_name_by_port(self->device, name);
    snprintf(fault->line, sizeof fault->line,
             "dpdk port: device %u (%s, %s) has %u receive queue%s, %s, and %u are named",
             self->device, name, info->driver_name, most, most == 1 ? "" : "s",
             is_fixed ? "each of which must be read" : "no more", self->queue_count);
    return HF_STATUS_INVALID;
}

/* By addresses and UDP ports where the device can, by addresses alone where it can only that. */
static void ask_for_rss(const struct port_dpdk *self, const struct rte_eth_dev_info *info,
                        struct rte_eth_conf *settings)
{
    uint64_t wanted = RTE_ETH_RSS_NONFRAG_IPV4_UDP;
    if ((info->flow_type_rss_offloads & wanted) == 0)
        wanted = RTE_ETH_RSS_IPV4;
    wanted &= info->flow_type_rss_offloads;
    if (self->queue_count == 1 || wanted == 0)
        return;
    settings->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    settings->rx_adv_conf.rss_conf.rss_hf = wanted;
}

static enum hf_status set_queues(struct port_dpdk *self, const struct rte_eth_dev_info *info,
                                 struct hf_fault *fault)
{
    int socket = rte_eth_dev_socket_id(self->device);
    uint16_t receive_descriptors = DESCRIPTORS;
    uint16_t send_descriptors = DESCRIPTORS;
    int error =
        rte_eth_dev_adjust_nb_rx_tx_desc(self->device, &receive_descriptors, &send_descriptors);
    if (error != 0)
        return fail(fault, self->device, "number of descriptors", error);
    unsigned place = socket < 0 ? (unsigned)SOCKET_ID_ANY : (unsigned)socket;
    struct rte_eth_rxconf receiving = info->default_rxconf;
    struct rte_eth_txconf sending = info->default_txconf;
    receiving.offloads = info->rx_offload_capa & OFFLOAD_RX_WANTED;
    sending.offloads = self->offloads ? OFFLOAD_TX_WANTED : 0;
    for (uint16_t i = 0; i < self->queue_count; i++) {
        error = rte_eth_rx_queue_setup(self->device, i, receive_descriptors, place, &receiving,
                                       self->queues[i].pool);
        if (error != 0)
            return fail(fault, self->device, "receive queue", error);
    }
    for (uint16_t i = 0; i < send_queues(self, info); i++) {
        error = rte_eth_tx_queue_setup(self->device, i, send_descriptors, place, &sending);
        if (error != 0)
            return fail(fault, self->device, "transmit queue", error);
    }
    return HF_STATUS_OK;
}

static enum hf_status start_device(struct port_dpdk *self, uint16_t mtu, struct hf_fault *fault)
{
    struct rte_eth_dev_info info;
    int error = rte_eth_dev_info_get(self->device, &info);
    if (error != 0)
        return fail(fault, self->device, "its description", error);
    self->offloads = (info.tx_offload_capa & OFFLOAD_TX_WANTED) == OFFLOAD_TX_WANTED;

    struct rte_eth_conf settings = {
        .rxmode.offloads = info.rx_offload_capa & OFFLOAD_RX_WANTED,
        .txmode.offloads = self->offloads ? OFFLOAD_TX_WANTED : 0,
    };
    enum hf_status status = check_queues(self, &info, fault);
    if (status != HF_STATUS_OK)
        return status;
    ask_for_rss(self, &info, &settings);
    error =
        rte_eth_dev_configure(self->device, self->queue_count, send_queues(self, &info), &settings);
    if (error != 0)
        return fail(fault, self->device, "configuration", error);
    self->is_configured = true;
    status = set_mtu(self, &info, mtu, fault);
    if (status == HF_STATUS_OK)
        status = set_ether(self, fault);
    if (status == HF_STATUS_OK)
        status = set_queues(self, &info, fault);
    if (status != HF_STATUS_OK)
        return status;

    if (strcmp(info.driver_name, "net_memif") == 0)
        return start_memif(self, &info, fault);
    error = rte_eth_dev_start(self->device);
    if (error != 0)
        return fail(fault, self->device, "start", error);
    self->is_started = true;
    return HF_STATUS_OK;
}

static enum hf_status check_options(const struct hf_port_dpdk_options *options,
                                    struct hf_fault *fault)
{
    uint32_t mbufs = options->mbufs;
    uint16_t mtu = options->mtu;
    if (options->local.ip == 0 || options->local.udp == 0) {
        snprintf(fault->line, sizeof fault->line,
                 "dpdk port: an IP address and a UDP port number must be given");
        return HF_STATUS_INVALID;
    }
    if (options->queues > HF_PORT_DPDK_QUEUES_MAX) {
        snprintf(fault->line, sizeof fault->line, "dpdk port: at most %u receive queues",
                 HF_PORT_DPDK_QUEUES_MAX);
        return HF_STATUS_INVALID;
    }
    if ((mtu != 0 && (mtu < MTU_MIN || mtu > MTU_LIMIT)) || (mbufs != 0 && mbufs < MBUFS_MIN)) {
        snprintf(fault->line, sizeof fault->line,
                 "dpdk port: the MTU is %u to %u, the number of mbufs at least %u", MTU_MIN,
                 MTU_LIMIT, MBUFS_MIN);
        return HF_STATUS_INVALID;
    }
    return HF_STATUS_OK;
}

enum hf_status hf_port_dpdk_open(const struct hf_port_dpdk_options *options, struct hf_port **port,
                                 struct hf_fault *fault)
{
    assert(options != NULL && port != NULL);
    assert(fault != NULL);
    enum hf_status status = check_options(options, fault);
    if (status != HF_STATUS_OK)
        return status;
    uint16_t mtu = options->mtu == 0 ? MTU_DEFAULT : options->mtu;
    struct port_dpdk *self = aligned_alloc(RTE_CACHE_LINE_SIZE, sizeof *self);
    if (self == NULL) {
        snprintf(fault->line, sizeof fault->line, "dpdk port: no memory");
        return HF_STATUS_NO_MEMORY;
    }
    memset(self, 0, sizeof *self);
    status = hf_eal_start(options->eal, fault);
    if (status != HF_STATUS_OK) {
        free(self);
        return status;
    }
    self->device = options->device;
    self->may_free = true;
    self->queue_count = options->queues == 0 ? 1 : options->queues;
    for (uint16_t i = 0; i < self->queue_count; i++) {
        struct receive_queue *queue = &self->queues[i];
        queue->owner = self;
        queue->number = i;
        queue->port = (struct hf_port){.maker = i == 0 ? &dpdk_maker : &queue_maker,
                                       .name = "dpdk",
                                       .local = options->local,
                                       .payload_max = (uint32_t)mtu - HF_IP_OVERHEAD};
    }
    self->ticks_per_us = rte_get_tsc_hz() / 1000000;

    status = take_device(self, fault);
    if (status == HF_STATUS_OK)
        status =
            make_memory(self, options->mbufs == 0 ? MBUFS_DEFAULT : options->mbufs, mtu, fault);
    if (status == HF_STATUS_OK)
        status = start_device(self, mtu, fault);
    if (status != HF_STATUS_OK) {
        destroy(&self->queues[0].port);
        return status;
    }
    *port = &self->queues[0].port;
    return HF_STATUS_OK;
}
