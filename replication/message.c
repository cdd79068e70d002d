/* Judging a message by itself: what a peer may say at all. Whether it makes sense now is for the
 * step function. */
#include "message.h"
#include "config.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the wire is little-endian, as we are");

static const char *const kind_names[] = {
    [HF_MESSAGE_PREPARE] = "PREPARE",
    [HF_MESSAGE_ACK] = "ACK",
    [HF_MESSAGE_NACK] = "NACK",
    [HF_MESSAGE_RESEND] = "RESEND",
    [HF_MESSAGE_BEACON] = "BEACON",
    [HF_MESSAGE_ECHO] = "ECHO",
    [HF_MESSAGE_LEARN] = "LEARN",
    [HF_MESSAGE_CUT] = "CUT",
    [HF_MESSAGE_HANDOVER] = "HANDOVER",
    [HF_MESSAGE_POSITION] = "POSITION",
    [HF_MESSAGE_CHECKPOINT] = "CHECKPOINT",
    [HF_MESSAGE_DIVERGED] = "DIVERGED",
};

const char *hf_message_kind_name(uint16_t kind)
{
    if (kind < HF_MESSAGE_PREPARE || kind > HF_MESSAGE_DIVERGED) {
        return "?";
    }
    return kind_names[kind];
}

static uint16_t flags_allowed(uint16_t kind)
{
    switch (kind) {
    case HF_MESSAGE_BEACON:
        return HF_MESSAGE_INSYNC;
    case HF_MESSAGE_ECHO:
        return HF_MESSAGE_VERIFIED;
    default:
        return 0;
    }
}

static bool fields_are_sane(const struct hf_message *m)
{
    if (m->kind < HF_MESSAGE_PREPARE || m->kind > HF_MESSAGE_DIVERGED) {
        return false;
    }
    if (m->durability < HF_DURABILITY_PAIR_FAST || m->durability > HF_DURABILITY_PAIR_SAFE) {
        return false; /* a node that is alone has nobody to talk to */
    }
    if ((m->flags & ~flags_allowed(m->kind)) != 0 || m->reserved != 0) {
        return false;
    }
    if (m->node == 0 || m->incarnation == 0 || m->epoch == 0) {
        return false;
    }
    if (m->index == UINT64_MAX || m->epoch == UINT64_MAX || m->promise == UINT64_MAX) {
        return false; /* one more must not wrap */
    }
    switch (m->kind) {
    case HF_MESSAGE_PREPARE:
        /* I1: nobody leads an epoch in which records of a later one are already written. */
        return m->index > 0 && m->record_epoch > 0 && m->record_epoch <= m->epoch;
    case HF_MESSAGE_NACK:
        return m->promise > m->epoch;
    case HF_MESSAGE_RESEND:
    case HF_MESSAGE_DIVERGED:
        return m->index > 0;
    case HF_MESSAGE_CHECKPOINT:
        return m->index > 0 && (m->commit == 0) == (m->promise == 0);
    case HF_MESSAGE_CUT:
        return (m->index == 0) == (m->record_epoch == 0) && (m->commit == 0) == (m->promise == 0) &&
               m->index <= m->commit && m->record_epoch <= m->promise;
    case HF_MESSAGE_LEARN:
    case HF_MESSAGE_POSITION:
        return (m->index == 0) == (m->record_epoch == 0);
    default:
        return true;
    }
}

enum hf_message_verdict hf_message_read(const void *bytes, size_t length, struct hf_id cluster,
                                        struct hf_message *message)
{
    struct hf_message read;
    if (length < sizeof read) {
        return HF_MESSAGE_SHORT;
    }
    memcpy(&read, bytes, sizeof read);
    if (read.magic != HF_MESSAGE_MAGIC) {
        return HF_MESSAGE_GARBAGE;
    }
    if (read.format != HF_MESSAGE_FORMAT) {
        return HF_MESSAGE_OTHER_FORMAT;
    }
    if (!hf_id_equal(read.cluster, cluster)) {
        return HF_MESSAGE_OTHER_CLUSTER;
    }
    if (!fields_are_sane(&read) || (read.kind != HF_MESSAGE_PREPARE && length != sizeof read)) {
        return HF_MESSAGE_GARBAGE;
    }
    *message = read;
    return HF_MESSAGE_GOOD;
}
