/* Keeps bursts on a memif device and the driver's own connecting and disconnecting apart.
 *
 * The driver handles its control channel on EAL's interrupt thread. When a peer dies it unmaps the
 * shared memory there, no matter that another thread is copying out of it: that thread dies too.
 * And a client that has lost its server never looks for it again; stopping and starting the device
 * makes it, but not while the interrupt thread is at work on it.
 *
 * Both ends when the interrupt thread cannot work while a burst does. So it is kept in a callback
 * of ours, asleep, and holds both halves' locks whenever it is let out to handle what has come:
 *
 *     interrupt thread:  [ callback: asleep, locks free ] -> locks taken -> out: driver's handlers
 *                               ^------------- locks freed <- callback (an alarm, 10 us later) <-'
 *
 * One interrupt thread serves all devices of the process: it is let out with the locks of all. Ten
 * times a second, for some 20 us, when all are connected; while one is without a peer all the time,
 * so that a handshake goes fast. It also opens and closes them.
 *
 * And a peer may die before it is greeted. The driver (22.11, and still 26.07) then closes the
 * connection but leaves it with EAL, which panics when it next goes through what it waits for:
 *
 *     peer:              connect, killed
 *     interrupt thread:       accept -> registered with EAL -> greeting fails -> closed -> panic
 *
 * A death that it reads of it handles well. So the driver's sends do not fail: memif.c has a
 * sendmsg that takes the place of the C library's. It does in every program that links this
 * statically; the shared client library keeps it to itself, and is no place for a memif server.
 *
 * One thing of the driver's stays: of a peer that dies in the middle of a handshake it may keep a
 * descriptor or two, its shared memory's, for good. */
#ifndef HF_NET_MEMIF_H
#define HF_NET_MEMIF_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_spinlock.h>

struct hf_memif {
    _Alignas(64) rte_spinlock_t receive_lock;
    _Alignas(64) rte_spinlock_t send_lock;
    uint16_t device;
    bool is_client;
    bool is_started; /* the fields from here on are the interrupt thread's, or under both locks */
    bool is_kept;    /* the interrupt thread looks after it */
    bool was_up;
    uint64_t looked_us; /* when it was started last, or that was tried */
    sem_t done;         /* the interrupt thread has opened or closed the device, as it was asked */
};

/* Takes a configured device over, and starts it. A server that cannot listen, one device too many,
 * or one after another was closed: false, and the device is still the caller's. A client starts
 * when it can. Called once, before the halves attach. Main thread. */
bool hf_memif_open(struct hf_memif *memif, uint16_t device, bool is_client);

/* Stops and closes the device. Both halves have ended. Blocks for a moment. From then on nobody
 * looks after the process's other devices: they are to be closed too. Main thread. */
void hf_memif_close(struct hf_memif *memif);

/* Before and after every burst. False: no burst now. The receiving half does not wait; the sending
 * half, whose datagrams would be lost, waits for about as long as the interrupt thread is out. */
bool hf_memif_enter_receive(struct hf_memif *memif);
void hf_memif_leave_receive(struct hf_memif *memif);
bool hf_memif_enter_send(struct hf_memif *memif);
void hf_memif_leave_send(struct hf_memif *memif);

#endif
