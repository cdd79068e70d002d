/* Who has which Ethernet address: the ARP table of a port's sending half.
 *
 * Small, fixed and pure. It holds only those whom we have asked for, so nobody fills it from
 * outside. What is known is used for as long as it stands here, and asked again every now and then:
 * a peer that came back with another Ethernet address is found within HF_NEIGHBOUR_REFRESH_US. */
#ifndef HF_NET_NEIGHBOUR_H
#define HF_NET_NEIGHBOUR_H

#include <stdbool.h>
#include <stdint.h>

#define HF_NEIGHBOURS_MAX       64
#define HF_NEIGHBOUR_RETRY_US   2000    /* between questions while there is no answer */
#define HF_NEIGHBOUR_REFRESH_US 1000000 /* between questions about one that is known */

struct hf_neighbour {
    uint32_t ip; /* 0: a free place */
    uint8_t ether[6];
    bool is_known;
    uint64_t asked_us; /* when the last question went out */
};

struct hf_neighbours {
    struct hf_neighbour places[HF_NEIGHBOURS_MAX];
    uint32_t next; /* whose place a newcomer gets when all are taken: in turn */
};

/* Looks `ip` (not 0) up at the time `now_us`. True: `ether` is filled. `*ask` tells whether an ARP
 * request for it should go out now; the table takes it as sent. */
bool hf_neighbour_find(struct hf_neighbours *table, uint32_t ip, uint64_t now_us, uint8_t ether[6],
                       bool *ask);

/* Notes what ARP said of `ip`. Of somebody we never asked for nothing is noted. */
void hf_neighbour_learn(struct hf_neighbours *table, uint32_t ip, const uint8_t ether[6]);

#endif
