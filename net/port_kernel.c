/* The kernel's UDP, through io_uring: one socket, two rings.
 *
 * Receiving: one multishot recvmsg that the kernel keeps answering, into buffers of a provided
 * ring. Each buffer holds struct io_uring_recvmsg_out, the sender's name, and the payload:
 *
 *     | out 16 bytes | sockaddr_in 16 bytes | payload, at most payload_max |
 *
 * A buffer belongs to the kernel until a completion names it, then to the caller until release.
 * When all are the caller's, the kernel ends the multishot (ENOBUFS), datagrams wait in the
 * socket's buffer, and receive starts it again as soon as buffers are back.
 *
 * Sending: `depth` slots, each with its buffer, message header and address. A send never waits
 * (MSG_DONTWAIT), so nearly every slot is back by the time submit returns; the others come back
 * when take or send looks again.
 *
 * Both rings are made by the threads that use them (SINGLE_ISSUER) and run their completions when
 * asked to (DEFER_TASKRUN): the kernel sets a flag when there is something to run, and only then do
 * we enter it, so that polling an idle port is a load from memory. */
#include "port.h"
#include "port_counter.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <liburing.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define BIND_PAUSE_NS       5000000
#define BIND_ATTEMPTS       200
#define PAYLOAD_MAX_DEFAULT 1472  /* an Ethernet frame's */
#define PAYLOAD_MAX_LIMIT   65507 /* IPv4's */
#define DEPTH_DEFAULT       1024
#define DEPTH_LIMIT         16384
#define SOCKET_BUFFER_SIZE  (16 * 1024 * 1024)
#define BUFFER_GROUP        1
#define MULTISHOT_TAG       1 /* on its completions; the cancellation's have 0 */
#define CACHE_LINE          64
#define NAME_SIZE           sizeof(struct sockaddr_in)
#define RECEIVE_HEAD        (sizeof(struct io_uring_recvmsg_out) + NAME_SIZE)

struct send_slot {
    struct msghdr message;
    struct iovec payload;
    struct sockaddr_in to;
    uint32_t index;
    bool is_taken;
};

struct receive_half {
    struct hf_port_half_counters counted;
    struct io_uring ring;
    struct io_uring_buf_ring *buffer_ring;
    struct msghdr message; /* only its name length matters to a multishot */
    uint8_t *buffers;
    size_t buffer_size;
    uint32_t buffers_ours; /* with the caller, or waiting for it in a completion */
    bool is_attached;
    bool is_armed; /* the multishot runs */
};

struct send_half {
    struct hf_port_half_counters counted;
    struct io_uring ring;
    struct send_slot *slots;
    uint32_t *free; /* a stack of slot indices */
    uint32_t free_count;
    uint8_t *buffers;
    size_t buffer_size;
    bool is_attached;
};

struct port_kernel {
    struct hf_port port;
    int socket;
    uint32_t depth;
    struct receive_half receive;
    struct send_half send;
};

static struct port_kernel *self_of(struct hf_port *port)
{
    assert(port != NULL);
    return (struct port_kernel *)port;
}

static size_t round_up(size_t size, size_t unit)
{
    return (size + unit - 1) / unit * unit;
}

/* Touched now, so that the data path never faults. NULL when there is none. */
static void *map_memory(size_t size)
{
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static int make_ring(struct io_uring *ring, uint32_t entries, uint32_t completions)
{
    struct io_uring_params params = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                 IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_CQSIZE,
        .cq_entries = completions,
    };
    return io_uring_queue_init_params(entries, ring, &params);
}

/* Lets the kernel finish what it has deferred to us, if anything. */
static void run_deferred(struct io_uring *ring)
{
    unsigned flags = __atomic_load_n(ring->sq.kflags, __ATOMIC_RELAXED);
    if ((flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0)
        io_uring_get_events(ring);
}

/* ---- receiving */

static uint8_t *receive_buffer(struct receive_half *half, uint32_t index)
{
    return half->buffers + (size_t)index * half->buffer_size;
}

/* Gives a buffer to the kernel; `nth` of a series that ends with io_uring_buf_ring_advance. */
static void offer_buffer(struct port_kernel *self, uint32_t index, uint32_t nth)
{
    struct receive_half *half = &self->receive;
    assert(index < self->depth);
    io_uring_buf_ring_add(half->buffer_ring, receive_buffer(half, index),
                          (unsigned)(RECEIVE_HEAD + self->port.payload_max), (unsigned short)index,
                          io_uring_buf_ring_mask(self->depth), (int)nth);
}

/* Starts the multishot. It is tried again by the next receive when it cannot be started now. */
static void arm(struct port_kernel *self)
{
    struct receive_half *half = &self->receive;
    assert(!half->is_armed);
    struct io_uring_sqe *sqe = io_uring_get_sqe(&half->ring);
    if (sqe == NULL)
        return;
    io_uring_prep_recvmsg_multishot(sqe, self->socket, &half->message, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = BUFFER_GROUP;
    io_uring_sqe_set_data64(sqe, MULTISHOT_TAG);
    half->is_armed = io_uring_submit(&half->ring) == 1;
}

static enum hf_status attach_receive(struct hf_port *port)
{
    struct port_kernel *self = self_of(port);
    struct receive_half *half = &self->receive;
    assert(!half->is_attached);
    if (make_ring(&half->ring, 8, self->depth * 2) != 0)
        return HF_STATUS_IO;

    struct io_uring_buf_reg registration = {
        .ring_addr = (uint64_t)(uintptr_t)half->buffer_ring,
        .ring_entries = self->depth,
        .bgid = BUFFER_GROUP,
    };
    if (io_uring_register_buf_ring(&half->ring, &registration, 0) != 0) {
        io_uring_queue_exit(&half->ring);
        return HF_STATUS_IO;
    }
    io_uring_buf_ring_init(half->buffer_ring);
    for (uint32_t index = 0; index < self->depth; index++)
        offer_buffer(self, index, index);
    io_uring_buf_ring_advance(half->buffer_ring, (int)self->depth);
    half->buffers_ours = 0;
    half->is_attached = true;
    arm(self);
    return HF_STATUS_OK;
}

/* Fills `packet` from the buffer that a completion of `length` bytes names. False when it holds no
 * whole datagram: it was cut because it was longer than payload_max, or the kernel gave no name. */
static bool read_datagram(struct port_kernel *self, uint32_t index, int length,
                          struct hf_packet *packet)
{
    struct receive_half *half = &self->receive;
    struct io_uring_recvmsg_out *out =
        io_uring_recvmsg_validate(receive_buffer(half, index), length, &half->message);
    if (out == NULL || (out->flags & MSG_TRUNC) != 0 || out->namelen != NAME_SIZE)
        return false;
    struct sockaddr_in from;
    memcpy(&from, io_uring_recvmsg_name(out), sizeof from);
    packet->data = io_uring_recvmsg_payload(out, &half->message);
    packet->length = io_uring_recvmsg_payload_length(out, length, &half->message);
    packet->peer =
        (struct hf_address){.ip = ntohl(from.sin_addr.s_addr), .udp = ntohs(from.sin_port)};
    packet->owner = receive_buffer(half, index);
    assert(packet->length <= self->port.payload_max);
    return true;
}

/* Takes one completion in. True when it brought a datagram. */
static bool take_completion(struct port_kernel *self, const struct io_uring_cqe *cqe,
                            struct hf_packet *packet)
{
    struct receive_half *half = &self->receive;
    struct hf_port_counters *counters = &half->counted.counters;
    if ((cqe->flags & IORING_CQE_F_MORE) == 0)
        half->is_armed = false;
    if ((cqe->flags & IORING_CQE_F_BUFFER) == 0) {
        /* No buffer, no datagram: out of buffers is our own doing, the rest is a socket error. */
        if (cqe->res < 0 && cqe->res != -ENOBUFS)
            hf_counter_add(&counters->dropped_other, 1);
        return false;
    }
    uint32_t index = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
    half->buffers_ours++;
    if (!read_datagram(self, index, cqe->res, packet)) {
        hf_counter_add(&counters->dropped_malformed, 1);
        offer_buffer(self, index, 0);
        io_uring_buf_ring_advance(half->buffer_ring, 1);
        half->buffers_ours--;
        return false;
    }
    hf_counter_add(&counters->received, 1);
    hf_counter_add(&counters->received_bytes, packet->length);
    return true;
}

static uint32_t receive(struct hf_port *port, struct hf_packet packets[], uint32_t most)
{
    struct port_kernel *self = self_of(port);
    struct receive_half *half = &self->receive;
    assert(half->is_attached);
    assert(most <= HF_PORT_BURST_MAX);
    run_deferred(&half->ring);

    uint32_t count = 0;
    uint32_t seen = 0;
    unsigned head;
    struct io_uring_cqe *cqe;
    io_uring_for_each_cqe(&half->ring, head, cqe)
    {
        if (count == most)
            break;
        seen++;
        if (take_completion(self, cqe, &packets[count]))
            count++;
    }
    io_uring_cq_advance(&half->ring, seen);
    if (!half->is_armed && half->buffers_ours < self->depth)
        arm(self);
    return count;
}

static void release(struct hf_port *port, struct hf_packet packets[], uint32_t count)
{
    struct port_kernel *self = self_of(port);
    struct receive_half *half = &self->receive;
    assert(count <= half->buffers_ours);
    for (uint32_t i = 0; i < count; i++) {
        size_t offset = (size_t)((uint8_t *)packets[i].owner - half->buffers);
        assert(offset % half->buffer_size == 0);
        offer_buffer(self, (uint32_t)(offset / half->buffer_size), i);
        packets[i].data = NULL;
    }
    io_uring_buf_ring_advance(half->buffer_ring, (int)count);
    half->buffers_ours -= count;
}

static void wait_for_datagram(struct hf_port *port, uint32_t timeout_us)
{
    struct port_kernel *self = self_of(port);
    struct receive_half *half = &self->receive;
    assert(half->is_attached);
    if (!half->is_armed && half->buffers_ours < self->depth)
        arm(self);
    struct __kernel_timespec timeout = {.tv_sec = timeout_us / 1000000,
                                        .tv_nsec = (long long)(timeout_us % 1000000) * 1000};
    struct io_uring_cqe *cqe;
    io_uring_wait_cqe_timeout(&half->ring, &cqe, &timeout);
}

/* ---- sending */

static enum hf_status attach_send(struct hf_port *port)
{
    struct port_kernel *self = self_of(port);
    assert(!self->send.is_attached);
    if (make_ring(&self->send.ring, HF_PORT_BURST_MAX, self->depth * 2) != 0)
        return HF_STATUS_IO;
    self->send.is_attached = true;
    return HF_STATUS_OK;
}

/* Collects the sends that have ended. A failure (an ICMP error, a full socket buffer, no route) is
 * a lost datagram like any other. */
static void collect_sent(struct port_kernel *self)
{
    struct send_half *half = &self->send;
    struct hf_port_counters *counters = &half->counted.counters;
    run_deferred(&half->ring);
    uint32_t seen = 0;
    unsigned head;
    struct io_uring_cqe *cqe;
    io_uring_for_each_cqe(&half->ring, head, cqe)
    {
        struct send_slot *slot = io_uring_cqe_get_data(cqe);
        assert(!slot->is_taken);
        assert(half->free_count < self->depth);
        half->free[half->free_count++] = slot->index;
        if (cqe->res < 0) {
            hf_counter_add(&counters->dropped_full, 1);
        } else {
            hf_counter_add(&counters->sent, 1);
            hf_counter_add(&counters->sent_bytes, (uint64_t)cqe->res);
        }
        seen++;
    }
    io_uring_cq_advance(&half->ring, seen);
}

static uint32_t take(struct hf_port *port, struct hf_packet packets[], uint32_t count)
{
    struct port_kernel *self = self_of(port);
    struct send_half *half = &self->send;
    assert(half->is_attached);
    assert(count <= HF_PORT_BURST_MAX);
    if (half->free_count < count)
        collect_sent(self);
    uint32_t taken = 0;
    for (; taken < count && half->free_count > 0; taken++) {
        struct send_slot *slot = &half->slots[half->free[--half->free_count]];
        slot->is_taken = true;
        packets[taken] = (struct hf_packet){
            .data = half->buffers + (size_t)slot->index * half->buffer_size, .owner = slot};
    }
    return taken;
}

/* Queues one packet; a packet without bytes only goes back. True when it was queued. */
static bool queue_send(struct port_kernel *self, struct hf_packet *packet)
{
    struct send_half *half = &self->send;
    struct send_slot *slot = packet->owner;
    assert(slot != NULL && slot->is_taken);
    assert(packet->length <= self->port.payload_max);
    slot->is_taken = false;
    if (packet->length == 0) {
        half->free[half->free_count++] = slot->index;
        return false;
    }
    slot->payload.iov_len = packet->length;
    slot->to.sin_addr.s_addr = htonl(packet->peer.ip);
    slot->to.sin_port = htons(packet->peer.udp);
    struct io_uring_sqe *sqe = io_uring_get_sqe(&half->ring);
    assert(sqe != NULL);
    io_uring_prep_sendmsg(sqe, self->socket, &slot->message, MSG_DONTWAIT | MSG_NOSIGNAL);
    io_uring_sqe_set_data(sqe, slot);
    return true;
}

static void send_packets(struct hf_port *port, struct hf_packet packets[], uint32_t count)
{
    struct port_kernel *self = self_of(port);
    struct send_half *half = &self->send;
    assert(half->is_attached);
    assert(count <= HF_PORT_BURST_MAX);
    uint32_t queued = 0;
    for (uint32_t i = 0; i < count; i++) {
        queued += queue_send(self, &packets[i]) ? 1 : 0;
        packets[i].data = NULL;
    }
    /* Submit takes fewer only while the kernel is short of memory or completions wait: until all
     * are in, since the queue is as long as one burst. Any other error is a caller on the wrong
     * thread. */
    while (queued > 0) {
        int submitted = io_uring_submit(&half->ring);
        assert(submitted >= 0 || submitted == -EAGAIN || submitted == -EBUSY ||
               submitted == -EINTR || submitted == -ENOMEM);
        if (submitted > 0)
            queued -= (uint32_t)submitted;
        else
            collect_sent(self);
    }
    collect_sent(self);
}

/* ---- opening and closing */

static void count_all(const struct hf_port *port, struct hf_port_counters *counters)
{
    const struct port_kernel *self = (const struct port_kernel *)port;
    assert(counters != NULL);
    hf_port_counters_sum(&self->receive.counted, &self->send.counted, counters);
}

static void unmap(void *memory, size_t size)
{
    if (memory != NULL)
        munmap(memory, size);
}

/* Ends the multishot before its ring goes: a ring is torn down behind our back, and until then
 * would keep the socket, and with it the port number. From another thread than the receiver's the
 * kernel refuses, but a thread that has ended took its requests along. */
static void disarm(struct receive_half *half)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&half->ring);
    if (!half->is_armed || sqe == NULL)
        return;
    io_uring_prep_cancel64(sqe, MULTISHOT_TAG, 0);
    io_uring_sqe_set_data64(sqe, 0);
    if (io_uring_submit(&half->ring) != 1)
        return;
    struct __kernel_timespec patience = {.tv_sec = 1};
    struct io_uring_cqe *cqe;
    while (half->is_armed && io_uring_wait_cqe_timeout(&half->ring, &cqe, &patience) == 0) {
        if (io_uring_cqe_get_data64(cqe) == MULTISHOT_TAG && (cqe->flags & IORING_CQE_F_MORE) == 0)
            half->is_armed = false;
        io_uring_cqe_seen(&half->ring, cqe);
    }
}

static void destroy(struct hf_port *port)
{
    struct port_kernel *self = self_of(port);
    if (self->receive.is_attached) {
        disarm(&self->receive);
        io_uring_queue_exit(&self->receive.ring);
    }
    if (self->send.is_attached)
        io_uring_queue_exit(&self->send.ring);
    if (self->socket >= 0)
        close(self->socket);
    unmap(self->receive.buffers, self->receive.buffer_size * self->depth);
    unmap(self->receive.buffer_ring, sizeof(struct io_uring_buf) * self->depth);
    unmap(self->send.buffers, self->send.buffer_size * self->depth);
    free(self->send.slots);
    free(self->send.free);
    free(self);
}

static const struct hf_port_maker kernel_maker = {
    .attach_receive = attach_receive,
    .attach_send = attach_send,
    .receive = receive,
    .release = release,
    .take = take,
    .send = send_packets,
    .wait = wait_for_datagram,
    .count = count_all,
    .destroy = destroy,
};

static bool allocate(struct port_kernel *self)
{
    struct receive_half *receiving = &self->receive;
    struct send_half *sending = &self->send;
    uint32_t depth = self->depth;
    receiving->buffer_size = round_up(RECEIVE_HEAD + self->port.payload_max, CACHE_LINE);
    receiving->buffers = map_memory(receiving->buffer_size * depth);
    receiving->buffer_ring = map_memory(sizeof(struct io_uring_buf) * depth);
    receiving->message.msg_namelen = NAME_SIZE;
    sending->buffer_size = round_up(self->port.payload_max, CACHE_LINE);
    sending->buffers = map_memory(sending->buffer_size * depth);
    sending->slots = calloc(depth, sizeof *sending->slots);
    sending->free = calloc(depth, sizeof *sending->free);
    if (receiving->buffers == NULL || receiving->buffer_ring == NULL || sending->buffers == NULL ||
        sending->slots == NULL || sending->free == NULL)
        return false;

    for (uint32_t index = 0; index < depth; index++) {
        struct send_slot *slot = &sending->slots[index];
        slot->index = index;
        slot->to.sin_family = AF_INET;
        slot->payload.iov_base = sending->buffers + (size_t)index * sending->buffer_size;
        slot->message = (struct msghdr){.msg_name = &slot->to,
                                        .msg_namelen = sizeof slot->to,
                                        .msg_iov = &slot->payload,
                                        .msg_iovlen = 1};
        sending->free[sending->free_count++] = depth - 1 - index;
    }
    return true;
}

/* As large as may be: past the system's limit for root, up to it for others. */
static void enlarge_buffer(int socket, int option, int forced_option)
{
    int size = SOCKET_BUFFER_SIZE;
    if (setsockopt(socket, SOL_SOCKET, forced_option, &size, sizeof size) != 0)
        (void)setsockopt(socket, SOL_SOCKET, option, &size, sizeof size);
}

/* A process that has just gone, or begun anew, leaves its socket to the kernel for as long as that
 * takes to end its ring: a second is waited for. */
static int bind_patiently(int file, const struct sockaddr_in *name)
{
    const struct timespec pause = {.tv_nsec = BIND_PAUSE_NS};
    int result = -1;
    for (int i = 0; i < BIND_ATTEMPTS; i++) {
        result = bind(file, (const struct sockaddr *)name, sizeof *name);
        if (result == 0 || errno != EADDRINUSE)
            break;
        (void)nanosleep(&pause, NULL);
    }
    return result;
}

static enum hf_status open_socket(struct port_kernel *self, struct hf_fault *fault)
{
    struct hf_address *local = &self->port.local;
    char text[HF_ADDRESS_TEXT_SIZE];
    hf_address_format(local, text);
    self->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
    if (self->socket < 0) {
        snprintf(fault->line, sizeof fault->line, "kernel port: socket: %s", strerror(errno));
        return HF_STATUS_IO;
    }
    enlarge_buffer(self->socket, SO_RCVBUF, SO_RCVBUFFORCE);
    enlarge_buffer(self->socket, SO_SNDBUF, SO_SNDBUFFORCE);

    struct sockaddr_in name = {
        .sin_family = AF_INET, .sin_port = htons(local->udp), .sin_addr.s_addr = htonl(local->ip)};
    socklen_t name_size = sizeof name;
    if (bind_patiently(self->socket, &name) != 0 ||
        getsockname(self->socket, (struct sockaddr *)&name, &name_size) != 0) {
        int error = errno;
        snprintf(fault->line, sizeof fault->line, "kernel port: bind to %s: %s", text,
                 strerror(error));
        return error == EADDRINUSE ? HF_STATUS_EXISTS : HF_STATUS_IO;
    }
    local->udp = ntohs(name.sin_port);
    return HF_STATUS_OK;
}

/* Says now, in words, what would otherwise be a bare failure to attach: this kernel has no such
 * rings, or forbids them. */
static enum hf_status probe_ring(struct hf_fault *fault)
{
    struct io_uring ring;
    int error = make_ring(&ring, 8, 16);
    if (error != 0) {
        snprintf(fault->line, sizeof fault->line,
                 "kernel port: io_uring with SINGLE_ISSUER and DEFER_TASKRUN (Linux 6.1): %s",
                 strerror(-error));
        return HF_STATUS_IO;
    }
    io_uring_queue_exit(&ring);
    return HF_STATUS_OK;
}

enum hf_status hf_port_kernel_open(const struct hf_port_kernel_options *options,
                                   struct hf_port **port, struct hf_fault *fault)
{
    assert(options != NULL && port != NULL);
    assert(fault != NULL);
    uint32_t payload_max = options->payload_max == 0 ? PAYLOAD_MAX_DEFAULT : options->payload_max;
    uint32_t wanted = options->depth == 0 ? DEPTH_DEFAULT : options->depth;
    if (payload_max > PAYLOAD_MAX_LIMIT || wanted > DEPTH_LIMIT) {
        snprintf(fault->line, sizeof fault->line,
                 "kernel port: payload_max is 1 to %u, depth 1 to %u", PAYLOAD_MAX_LIMIT,
                 DEPTH_LIMIT);
        return HF_STATUS_INVALID;
    }
    uint32_t depth = HF_PORT_BURST_MAX; /* a power of two, at least one burst */
    while (depth < wanted)
        depth *= 2;

    struct port_kernel *self = aligned_alloc(CACHE_LINE, sizeof *self);
    if (self == NULL) {
        snprintf(fault->line, sizeof fault->line, "kernel port: no memory");
        return HF_STATUS_NO_MEMORY;
    }
    memset(self, 0, sizeof *self);
    self->socket = -1;
    self->depth = depth;
    self->port = (struct hf_port){.maker = &kernel_maker,
                                  .name = "kernel",
                                  .local = options->local,
                                  .payload_max = payload_max};
    enum hf_status status = probe_ring(fault);
    if (status == HF_STATUS_OK)
        status = open_socket(self, fault);
    if (status == HF_STATUS_OK && !allocate(self)) {
        snprintf(fault->line, sizeof fault->line, "kernel port: no memory for %u datagrams of %u",
                 depth, payload_max);
        status = HF_STATUS_NO_MEMORY;
    }
    if (status != HF_STATUS_OK) {
        destroy(&self->port);
        return status;
    }
    *port = &self->port;
    return HF_STATUS_OK;
}
