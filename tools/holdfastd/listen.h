/* Where this node may listen. With sessions, anywhere. Without them nobody is told apart: only
 * addresses that nobody outside this machine can reach are allowed, unless the configuration says
 * in so many words that it means it. */
#ifndef HOLDFASTD_LISTEN_H
#define HOLDFASTD_LISTEN_H

#include "config.h"
#include "net/port.h"

/* OK with sessions, and without them for: kernel ports on 127.0.0.0/8; DPDK devices between
 * processes (memif, ring, null); and any address or other virtual device (af_packet, af_xdp, tap,
 * pcap) inside a network namespace of its own. INVALID with one line otherwise, and always for
 * devices on the PCI bus. */
HF_MUST_USE enum hf_status listen_check(const struct config *config,
                                        const struct hf_address *address, struct hf_fault *fault);

/* The same for the port to the other node of a pair: anywhere when that is sealed. */
HF_MUST_USE enum hf_status listen_check_pair(const struct config *config,
                                             const struct hf_address *address,
                                             struct hf_fault *fault);

#endif
