/* A peer on shared memory that sends what no good one does: frames longer than the other side's
 * buffers, which come out there as several segments.
 *
 *     odd_frames EAL_ARGUMENTS COUNT */
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORDS_MAX     32
#define SOCKET        ((unsigned)SOCKET_ID_ANY)
#define SEGMENT_BYTES 1800
#define SEGMENTS      3
#define LINK_LOOKS    20000
#define SEND_LOOKS    200000

static void fail(const char *what)
{
    fprintf(stderr, "odd_frames: %s\n", what);
    exit(1);
}

static struct rte_mempool *start(char *arguments)
{
    static const struct rte_eth_conf plain;
    char name[] = "odd_frames";
    char *words[WORDS_MAX] = {name};
    struct rte_eth_link link = {0};
    int count = 1;
    for (char *word = strtok(arguments, " "); word != NULL && count < WORDS_MAX - 1;
         word = strtok(NULL, " "))
        words[count++] = word;
    if (rte_eal_init(count, words) < 0 || rte_eth_dev_count_avail() != 1)
        fail("no device");
    struct rte_mempool *pool =
        rte_pktmbuf_pool_create("odd", 2047, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    if (pool == NULL || rte_eth_dev_configure(0, 1, 1, &plain) != 0 ||
        rte_eth_rx_queue_setup(0, 0, 256, SOCKET, NULL, pool) != 0 ||
        rte_eth_tx_queue_setup(0, 0, 256, SOCKET, NULL) != 0 || rte_eth_dev_start(0) != 0)
        fail("the device does not start");
    for (int i = 0; i < LINK_LOOKS && link.link_status != RTE_ETH_LINK_UP; i++) {
        usleep(1000);
        (void)rte_eth_link_get_nowait(0, &link);
    }
    if (link.link_status != RTE_ETH_LINK_UP)
        fail("nobody at the other end");
    return pool;
}

/* A frame of several segments: an Ethernet header for everybody, and sevens. */
static struct rte_mbuf *make_frame(struct rte_mempool *pool)
{
    struct rte_mbuf *head = NULL;
    for (int i = 0; i < SEGMENTS; i++) {
        struct rte_mbuf *segment = rte_pktmbuf_alloc(pool);
        if (segment == NULL)
            return NULL;
        char *bytes = rte_pktmbuf_append(segment, SEGMENT_BYTES);
        memset(bytes, i == 0 ? 0xff : 7, SEGMENT_BYTES);
        if (head == NULL)
            head = segment;
        else if (rte_pktmbuf_chain(head, segment) != 0)
            fail("chain");
    }
    return head;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        fail("usage: odd_frames EAL_ARGUMENTS COUNT");
    struct rte_mempool *pool = start(argv[1]);
    unsigned long count = strtoul(argv[2], NULL, 10), sent = 0;
    for (int looks = 0; sent < count && looks < SEND_LOOKS; looks++) {
        struct rte_mbuf *frame = make_frame(pool);
        if (frame != NULL && rte_eth_tx_burst(0, 0, &frame, 1) == 1)
            sent++;
        else
            rte_pktmbuf_free(frame), usleep(10);
    }
    printf("sent %lu\n", sent);
    fflush(stdout);
    (void)getchar(); /* what lies in the shared memory goes with this process: until we may */
    rte_eth_dev_stop(0);
    rte_eth_dev_close(0);
    rte_eal_cleanup();
    return sent == count ? 0 : 1;
}
