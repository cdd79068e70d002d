/* CFG in etcd (3.4 and later), through its HTTP/JSON gateway, as a compare-and-swap register and
 * nothing more: no lease, no watch. The key is `/holdfast/<cluster>/cfg`, the value the 48 bytes of
 * replication/config.h. Reads are linearisable (etcd's default). */
#ifndef HOLDFASTD_ARBITER_ETCD_H
#define HOLDFASTD_ARBITER_ETCD_H

#include "arbiter.h"

extern const struct arbiter_way arbiter_etcd;

/* `endpoints`: "http://HOST:PORT", several separated by commas, tried in turn. INVALID, NO_MEMORY.
 */
HF_MUST_USE enum hf_status arbiter_etcd_open(const char *endpoints, struct hf_id cluster,
                                             void **state, struct hf_fault *fault);

#endif
