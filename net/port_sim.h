/* A simulated network: ports joined inside one process, on simulated time, with seeded faults.
 *
 * Time is a count of steps and moves only when somebody moves it. The same seed, options and calls
 * give the same losses, copies, delays and order, on every machine. One thread for the network and
 * all its ports. */
#ifndef HF_NET_PORT_SIM_H
#define HF_NET_PORT_SIM_H

#include "port.h"

#define HF_SIM_PORTS_MAX 64

/* What happens to datagrams; all zero: each arrives once, at once, in order. Probabilities are in
 * thousandths, delays in steps. */
struct hf_sim_faults {
    uint32_t loss_permille;      /* vanishes */
    uint32_t duplicate_permille; /* arrives twice, each copy with a delay of its own */
    uint32_t delay_min;          /* every datagram takes so many steps at least */
    uint32_t delay_max;          /* and so many at most; chosen evenly */
    uint32_t reorder_permille;   /* is held up further, so that later ones overtake it */
    uint32_t reorder_max;        /* by 1 to so many steps */
};

struct hf_sim_options {
    uint64_t seed;
    uint32_t payload_max; /* 0: 1472 */
    uint32_t depth;       /* datagrams in flight or borrowed in the whole network; 0: 4096 */
    struct hf_sim_faults faults;
};

struct hf_sim_network;

/* NULL when there is no memory. The caller destroys it, after its ports (asserted). */
struct hf_sim_network *hf_sim_network_create(const struct hf_sim_options *options);
void hf_sim_network_destroy(struct hf_sim_network *network);

/* Moves time on by one step. */
void hf_sim_network_step(struct hf_sim_network *network);
uint64_t hf_sim_network_now(const struct hf_sim_network *network);

/* From now on; what is under way already stays as it was decided. */
void hf_sim_network_set_faults(struct hf_sim_network *network, const struct hf_sim_faults *faults);
/* Cuts one direction between two ports of the network, or mends it. */
void hf_sim_network_cut(struct hf_sim_network *network, const struct hf_port *from,
                        const struct hf_port *to, bool is_cut);

/* Datagrams under way: sent, and not yet received. */
uint32_t hf_sim_network_in_flight(const struct hf_sim_network *network);

/* Joins a port to the network. `local` needs an ip; udp 0: one that is free. EXISTS when another
 * port has the address, FULL when there are HF_SIM_PORTS_MAX. A port's wait() moves time on by one
 * step, so that a caller who blocks sees the network go on. */
enum hf_status hf_port_sim_open(struct hf_sim_network *network, const struct hf_address *local,
                                struct hf_port **port, struct hf_fault *fault);

#endif
