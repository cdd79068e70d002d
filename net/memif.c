#include "memif.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <rte_alarm.h>
#include <rte_ethdev.h>
#include <rte_interrupts.h>
#include <rte_pause.h>

#define OUT_US        10      /* how long the interrupt thread waits for events when let out */
#define NAP_UP_US     100000  /* asleep while there is a peer: how late its death is noticed */
#define NAP_DOWN_US   2000    /* asleep while there is none: each step of a handshake costs one */
#define CONNECT_US    50000   /* between attempts to reach a server that is not there */
#define HANDSHAKE_US  1000000 /* given to one that is there and does not get ready */
#define SEND_ATTEMPTS 10000   /* a pause each: some hundred microseconds */
#define DEVICES_MAX   8

enum wish { WISH_NOTHING, WISH_OPEN, WISH_CLOSE };

/* What the interrupt thread looks after. */
static struct guard {
    struct hf_memif *devices[DEVICES_MAX]; /* the interrupt thread's, like the next three */
    uint32_t count;
    bool is_last_stand; /* one was closed: the thread stays in its callback for good */
    bool is_running;    /* the main thread's: the callback is on its way, or at work */
    struct hf_memif *wished;
    _Atomic int wish; /* enum wish: set by the main thread, cleared by the interrupt thread */
    sem_t wake;       /* cuts the sleep short */
} guard;

/* A memif control channel is the only SOCK_SEQPACKET that EAL's interrupt thread sends on. */
static bool is_control_channel(int socket)
{
    int type = 0;
    socklen_t size = sizeof type;
    return rte_thread_is_intr() != 0 &&
           getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

/* Stands in for the C library's, and does the same but for the driver: there a message that cannot
 * be sent ends the connection and counts as sent, and the driver reads the end a moment later, as
 * if the peer had died then. sendmmsg is the same system call, under a name that is not taken. */
ssize_t sendmsg(int socket, const struct msghdr *message, int flags)
{
    struct mmsghdr one = {.msg_hdr = *message};
    if (sendmmsg(socket, &one, 1, flags) == 1)
        return (ssize_t)one.msg_len;
    int error = errno;
    if (is_control_channel(socket) && shutdown(socket, SHUT_RDWR) == 0) {
        ssize_t size = 0;
        for (size_t i = 0; i < message->msg_iovlen; i++)
            size += (ssize_t)message->msg_iov[i].iov_len;
        return size;
    }
    errno = error;
    return -1;
}

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* The holder may be a thread that shares our processor: let it run. */
static void lock(rte_spinlock_t *spinlock)
{
    while (!rte_spinlock_trylock(spinlock))
        sched_yield();
}

static void start(struct hf_memif *memif)
{
    memif->is_started = rte_eth_dev_start(memif->device) == 0;
    memif->looked_us = now_us();
}

/* Starts a client's device again when its server has gone, or is not there yet. Returns whether
 * there is a peer. */
static bool look_at_link(struct hf_memif *memif)
{
    struct rte_eth_link link = {0};
    bool is_up = memif->is_started && rte_eth_link_get_nowait(memif->device, &link) == 0 &&
                 link.link_status == RTE_ETH_LINK_UP;
    bool has_lost = memif->was_up && !is_up;
    memif->was_up = is_up;
    if (is_up || !memif->is_client)
        return is_up;
    uint64_t patience_us = memif->is_started ? HANDSHAKE_US : CONNECT_US;
    if (has_lost || now_us() - memif->looked_us >= patience_us) {
        if (memif->is_started)
            (void)rte_eth_dev_stop(memif->device);
        start(memif);
    }
    return false;
}

static void lock_all(void)
{
    for (uint32_t i = 0; i < guard.count; i++) {
        lock(&guard.devices[i]->receive_lock);
        lock(&guard.devices[i]->send_lock);
    }
}

static void unlock_all(void)
{
    for (uint32_t i = 0; i < guard.count; i++) {
        rte_spinlock_unlock(&guard.devices[i]->send_lock);
        rte_spinlock_unlock(&guard.devices[i]->receive_lock);
    }
}

/* Of a device whose locks are taken, and stay so. A server that cannot listen is not kept. */
static void open_device(struct hf_memif *memif)
{
    if (guard.is_last_stand || guard.count == DEVICES_MAX)
        return;
    start(memif);
    memif->is_kept = memif->is_started || memif->is_client;
    if (memif->is_kept)
        guard.devices[guard.count++] = memif;
}

/* The driver frees its listening socket, and leaves it with EAL: the thread must not go there. */
static void close_device(struct hf_memif *memif)
{
    uint32_t place = 0;
    while (guard.devices[place] != memif)
        place++;
    assert(place < guard.count);
    guard.devices[place] = guard.devices[--guard.count];
    guard.is_last_stand = true;
    if (memif->is_started)
        (void)rte_eth_dev_stop(memif->device);
    (void)rte_eth_dev_close(memif->device);
}

/* What the main thread asks for. Its devices' locks are taken. */
static void grant_wish(void)
{
    int wish = atomic_load_explicit(&guard.wish, memory_order_acquire); /* with ask's store */
    struct hf_memif *memif = guard.wished;
    if (wish == WISH_NOTHING)
        return;
    if (wish == WISH_OPEN)
        open_device(memif);
    else
        close_device(memif);
    atomic_store_explicit(&guard.wish, WISH_NOTHING, memory_order_release);
    sem_post(&memif->done); /* what it writes is seen by who waits for it */
}

static void nap(uint32_t nap_us)
{
    struct timespec end;
    assert(nap_us < 1000000);
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_nsec += (long)nap_us * 1000;
    end.tv_sec += end.tv_nsec / 1000000000;
    end.tv_nsec %= 1000000000;
    while (sem_clockwait(&guard.wake, CLOCK_MONOTONIC, &end) != 0 && errno == EINTR)
        continue;
}

/* On the interrupt thread, which comes in holding all locks and goes out holding them; not again
 * when a device was closed. */
static void attend(void *context)
{
    grant_wish();
    while (guard.is_last_stand) {
        unlock_all();
        while (sem_wait(&guard.wake) != 0)
            assert(errno == EINTR);
        lock_all();
        grant_wish();
    }
    bool are_up = true;
    for (uint32_t i = 0; i < guard.count; i++)
        are_up = look_at_link(guard.devices[i]) && are_up;
    unlock_all();
    nap(are_up ? NAP_UP_US : NAP_DOWN_US);
    lock_all();
    while (rte_eal_alarm_set(OUT_US, attend, context) != 0)
        nap(NAP_DOWN_US); /* no memory for it: nothing may run before there is */
}

/* Has the interrupt thread do it, and waits until it is done. */
static void ask(struct hf_memif *memif, enum wish wish)
{
    guard.wished = memif;
    atomic_store_explicit(&guard.wish, wish, memory_order_release);
    if (!guard.is_running) {
        guard.is_running = true;
        sem_init(&guard.wake, 0, 0);
        while (rte_eal_alarm_set(OUT_US, attend, NULL) != 0)
            sched_yield();
    } else {
        sem_post(&guard.wake);
    }
    while (sem_wait(&memif->done) != 0)
        assert(errno == EINTR);
}

bool hf_memif_open(struct hf_memif *memif, uint16_t device, bool is_client)
{
    assert(memif != NULL);
    memif->device = device;
    memif->is_client = is_client;
    rte_spinlock_init(&memif->receive_lock);
    rte_spinlock_init(&memif->send_lock);
    lock(&memif->receive_lock);
    lock(&memif->send_lock);
    sem_init(&memif->done, 0, 0);
    ask(memif, WISH_OPEN);
    return memif->is_kept;
}

void hf_memif_close(struct hf_memif *memif)
{
    assert(memif != NULL);
    ask(memif, WISH_CLOSE);
    sem_destroy(&memif->done);
}

bool hf_memif_enter_receive(struct hf_memif *memif)
{
    if (!rte_spinlock_trylock(&memif->receive_lock))
        return false;
    if (memif->is_started)
        return true;
    rte_spinlock_unlock(&memif->receive_lock);
    return false;
}

void hf_memif_leave_receive(struct hf_memif *memif)
{
    rte_spinlock_unlock(&memif->receive_lock);
}

bool hf_memif_enter_send(struct hf_memif *memif)
{
    for (uint32_t attempt = 0; !rte_spinlock_trylock(&memif->send_lock); attempt++) {
        if (attempt == SEND_ATTEMPTS)
            return false;
        rte_pause();
    }
    if (memif->is_started)
        return true;
    rte_spinlock_unlock(&memif->send_lock);
    return false;
}

void hf_memif_leave_send(struct hf_memif *memif)
{
    rte_spinlock_unlock(&memif->send_lock);
}
