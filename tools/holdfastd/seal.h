/* The seal around what the two nodes of a pair say to each other. */
#ifndef HOLDFASTD_SEAL_H
#define HOLDFASTD_SEAL_H

#include "config.h"
#include "engine/id.h"
#include "net/port.h"

/* Puts a sealing port (net/port_sealed.h) over the one to the peer, in *port, with this node's key
 * and the other's, pair.peer_key. On failure *port is as it was, with one line in *fault. After the
 * data directory is there: the node's key may lie in it. Blocks. */
HF_MUST_USE enum hf_status seal_port(const struct config *config, struct hf_id cluster,
                                     const struct hf_address *peer, struct hf_port **port,
                                     struct hf_fault *fault);

/* Why there is no session with the other node, in words, as far as what it sends tells; NULL when
 * there is one, or nothing came. Any thread. */
const char *seal_trouble(const struct hf_port *port);

#endif
