#include "seal.h"

#include "door.h"
#include "net/port_sealed.h"
#include "replication/link.h"

#include <stdio.h>

_Static_assert(HF_PEER_ROOM <= HF_LINK_SEAL_ROOM, "the link leaves room for the seal");

static enum hf_status complain(struct hf_fault *fault, enum hf_status status)
{
    struct hf_fault inner = *fault;

    snprintf(fault->line, sizeof fault->line, "pair.peer_key: %.200s", inner.line);
    return status;
}

static enum hf_status seal_with(const struct config *config, struct hf_id cluster,
                                const struct hf_address *peer, struct hf_key_pair *own,
                                struct hf_port **port, struct hf_fault *fault)
{
    struct hf_port_sealed_options options = {
        .port = *port, .peer = *peer, .cluster = cluster, .own = own};
    enum hf_status status = door_read_key(config, own, fault);

    if (status != HF_STATUS_OK)
        return status;
    if (hf_key_read_public(config->pair_peer_key, options.remote_key, fault) != HF_STATUS_OK)
        return complain(fault, HF_STATUS_INVALID);
    status = hf_port_sealed_open(&options, port, fault);
    return status == HF_STATUS_OK ? status : complain(fault, status);
}

enum hf_status seal_port(const struct config *config, struct hf_id cluster,
                         const struct hf_address *peer, struct hf_port **port,
                         struct hf_fault *fault)
{
    struct hf_key_pair *own;
    enum hf_status status;

    if (sodium_init() < 0 || !hf_key_forbid_dumps()) {
        snprintf(fault->line, sizeof fault->line,
                 "pair.peer_key: the system gives no random numbers, or lets core dumps be");
        return HF_STATUS_IO;
    }
    own = hf_key_memory_create(sizeof *own, fault);
    if (own == NULL)
        return complain(fault, HF_STATUS_NO_MEMORY);
    status = seal_with(config, cluster, peer, own, port, fault);
    hf_key_memory_destroy(own, sizeof *own);
    return status;
}

const char *seal_trouble(const struct hf_port *port)
{
    struct hf_port_sealed_counters counters;

    hf_port_sealed_count(port, &counters);
    switch (counters.trouble) {
    case HF_FATE_MALFORMED:
    case HF_FATE_UNSEALED:
        return "what comes from pair.peer is not sealed: is pair.peer_key set there?";
    case HF_FATE_BAD_MAC:
        return "the other node takes this one for another: is its pair.peer_key this node's public "
               "key?";
    case HF_FATE_BAD_HANDSHAKE:
        return "the other node does not prove its key: it may be of another cluster (node.cluster)";
    case HF_FATE_UNKNOWN_ORIGIN:
        return "the other node has another key than pair.peer_key";
    case HF_FATE_WRONG_TIME:
        return "the other node's clock and this one's are more than five minutes apart";
    default:
        return NULL;
    }
}
