/* The client's side of sessions: its key, and a gate to each server, in locked memory. */
#ifndef HF_NET_GATEHOUSE_H
#define HF_NET_GATEHOUSE_H

#include "gate.h"
#include "wire.h"

#define HF_GATEHOUSE_SERVERS_MAX 4

struct hf_gatehouse {
    struct hf_key_pair own;
    struct hf_gate gates[HF_GATEHOUSE_SERVERS_MAX];
    uint8_t plain[HF_WIRE_DATAGRAM_MAX]; /* what was opened last */
};

/* Reads the client's key and the servers' (64 hexadecimal digits each, or a file with them; one
 * that is NULL is the first one's), for `server_count` servers. `limits` NULL: the default. NULL
 * with one line in *fault, and *status: INVALID, NOT_FOUND, NO_MEMORY, IO, and what hf_key_read
 * says. Blocks. */
struct hf_gatehouse *hf_gatehouse_create(const char *key_file, const char *const node_keys[],
                                         uint32_t server_count, struct hf_id cluster,
                                         const struct hf_channel_limits *limits,
                                         enum hf_status *status, struct hf_fault *fault);
/* Wipes it. NULL is allowed. */
void hf_gatehouse_destroy(struct hf_gatehouse *house);

#endif
