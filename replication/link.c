/* The link (link.h).
 *
 * Sending. Datagrams of the stream lie in slots, by number modulo their count:
 *
 *     acked  <=  sent  <=  put           (put - acked <= slots)
 *     come   | on their way | waiting for credits
 *
 * A frame begins a datagram of its own, so `ends` of a datagram tells at once how far the frames
 * before it reach. Receiving. Datagrams that have come lie in slots until all before them have;
 * then they are copied into the one frame that is being put together:
 *
 *     used  <=  next  <=  ... <  used + window
 */
#include "link.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a new stream, before the other side has said what it has room for. */
#define FIRST_CREDITS 32u
/* Sent again in one go. */
#define REPEATS_MOST 64u
/* A datagram behind which others have come is lost, not late, after this. */
#define LATE_NS           UINT64_C(300000)
#define LATE_DOUBLED_MOST 7
/* Datagrams received before a credit goes out in any case. */
#define CREDIT_EVERY 16u
/* Put and not acknowledged, in slots of full size. */
#define SEND_BYTES (2u * HF_LINK_WINDOW_BYTES)

struct out_slot {
    uint64_t sent_ns;
    uint32_t overtaken; /* so often it was sent again for that */
    bool has_come;
};

struct in_slot {
    uint32_t length; /* of the payload; 0: not there */
    uint32_t frame_length;
};

struct hf_link {
    struct hf_link_options options;
    uint32_t payload_size; /* bytes behind the header in one datagram */

    /* Sending. */
    uint64_t stream;
    uint64_t acked;
    uint64_t sent;
    uint64_t put;
    uint64_t credit;    /* numbers below it may be sent */
    uint64_t delivered; /* position: numbers below it have been taken */
    uint64_t progress_ns;
    uint64_t retry_ns;
    uint32_t out_count;
    struct out_slot *out;
    uint8_t *out_bytes; /* options.datagram_size each */

    /* Receiving. */
    uint64_t peer_incarnation;
    uint64_t in_stream;
    uint64_t used; /* numbers below it are in the frame, or gone */
    uint64_t next; /* numbers below it have come */
    uint32_t in_count;
    uint32_t since_credit;
    bool owes_credit;
    struct in_slot *in;
    uint8_t *in_bytes;
    uint32_t frame_length; /* of the one being put together; 0: none */
    uint32_t frame_done;
    uint64_t *frame; /* HF_LINK_FRAME_MAX, and room for padding; 8-byte aligned */

    uint8_t *note; /* one datagram */
    struct hf_link_counts counts;
};

struct credit {
    uint64_t taken;
};

#define FRAME_ROOM (HF_LINK_FRAME_MAX + 4096)

enum hf_status hf_link_create(const struct hf_link_options *options, struct hf_link **link_made,
                              struct hf_fault *fault)
{
    assert(options->datagram_size >= HF_LINK_DATAGRAM_MIN);
    assert(options->datagram_size <= HF_LINK_DATAGRAM_MAX);
    assert(options->incarnation != 0);
    struct hf_link *link = calloc(1, sizeof *link);
    if (link == NULL) {
        goto no_memory;
    }
    link->options = *options;
    link->options.datagram_size -= HF_LINK_SEAL_ROOM;
    link->payload_size = (link->options.datagram_size - HF_LINK_HEADER_SIZE) & ~7u;
    link->in_count = HF_LINK_WINDOW_BYTES / link->payload_size;
    link->out_count = SEND_BYTES / link->payload_size;
    link->stream = options->incarnation << 24;
    link->credit = FIRST_CREDITS;
    link->retry_ns = HF_LINK_RETRY_NS;
    link->out = calloc(link->out_count, sizeof *link->out);
    link->out_bytes = malloc((size_t)link->out_count * link->options.datagram_size);
    link->in = calloc(link->in_count, sizeof *link->in);
    link->in_bytes = malloc((size_t)link->in_count * link->payload_size);
    link->frame = calloc(1, FRAME_ROOM);
    link->note = malloc(link->options.datagram_size);
    if (link->out == NULL || link->out_bytes == NULL || link->in == NULL ||
        link->in_bytes == NULL || link->frame == NULL || link->note == NULL) {
        goto no_memory;
    }
    *link_made = link;
    return HF_STATUS_OK;

no_memory:
    hf_link_destroy(link);
    snprintf(fault->line, sizeof fault->line, "no memory for the link to the peer");
    return HF_STATUS_NO_MEMORY;
}

void hf_link_destroy(struct hf_link *link)
{
    if (link == NULL) {
        return;
    }
    free(link->out);
    free(link->out_bytes);
    free(link->in);
    free(link->in_bytes);
    free(link->frame);
    free(link->note);
    free(link);
}

/* ---- Datagrams ---- */

static uint64_t hash_of(const uint8_t *bytes, size_t length)
{
    /* The hash is the header's last field: before and behind it are two runs. */
    struct hf_hash head = hf_hash_of(bytes, offsetof(struct hf_link_header, hash));
    struct hf_hash tail = hf_hash_of(bytes + HF_LINK_HEADER_SIZE, length - HF_LINK_HEADER_SIZE);
    return head.lo ^ (tail.lo << 1 | tail.lo >> 63);
}

static struct hf_link_header header_of(const struct hf_link *link, enum hf_link_kind kind,
                                       uint32_t length)
{
    return (struct hf_link_header){
        .magic = HF_LINK_MAGIC,
        .format = HF_LINK_FORMAT,
        .kind = (uint16_t)kind,
        .cluster = link->options.cluster,
        .node = link->options.node,
        .length = length,
        .incarnation = link->options.incarnation,
    };
}

static void send(struct hf_link *link, uint8_t *bytes, struct hf_link_header *header)
{
    size_t length = HF_LINK_HEADER_SIZE + header->length;
    memcpy(bytes, header, sizeof *header);
    header->hash = hash_of(bytes, length);
    memcpy(bytes, header, sizeof *header);
    link->counts.datagrams_sent++;
    link->counts.bytes_sent += length;
    link->options.send(link->options.context, bytes, length);
}

uint32_t hf_link_note_max(const struct hf_link *link)
{
    return link->payload_size;
}

void hf_link_note(struct hf_link *link, enum hf_link_kind kind, const void *bytes, uint32_t length)
{
    assert(length <= link->payload_size);
    struct hf_link_header header = header_of(link, kind, length);
    memcpy(link->note + HF_LINK_HEADER_SIZE, bytes, length);
    send(link, link->note, &header);
}

/* ---- The stream, sending ---- */

static uint8_t *out_at(const struct hf_link *link, uint64_t number)
{
    return link->out_bytes + (number % link->out_count) * link->options.datagram_size;
}

static void send_slot(struct hf_link *link, uint64_t number, uint64_t now_ns)
{
    struct out_slot *slot = &link->out[number % link->out_count];
    uint8_t *bytes = out_at(link, number);
    struct hf_link_header header;
    memcpy(&header, bytes, sizeof header);
    header.window = link->acked;
    slot->sent_ns = now_ns;
    send(link, bytes, &header);
}

static void send_allowed(struct hf_link *link, uint64_t now_ns)
{
    if (link->sent == link->acked) {
        link->progress_ns = now_ns; /* nothing was on its way: patience begins now */
    }
    while (link->sent < link->put && link->sent < link->credit) {
        send_slot(link, link->sent, now_ns);
        link->sent++;
    }
}

static uint32_t datagrams_for(const struct hf_link *link, uint32_t length)
{
    return (length + link->payload_size - 1) / link->payload_size;
}

bool hf_link_has_room(const struct hf_link *link, uint32_t length)
{
    return link->put - link->acked + datagrams_for(link, length) <= link->out_count;
}

uint64_t hf_link_put(struct hf_link *link, const void *head, uint32_t head_length, const void *body,
                     uint32_t body_length, uint64_t now_ns)
{
    const uint32_t total = head_length + body_length;
    uint32_t done = 0;
    assert(head_length <= link->payload_size);
    assert(total > 0);
    assert(total <= HF_LINK_FRAME_MAX);
    assert(hf_link_has_room(link, total));
    while (done < total) {
        uint32_t length = total - done < link->payload_size ? total - done : link->payload_size;
        uint8_t *bytes = out_at(link, link->put);
        struct hf_link_header header = header_of(link, HF_LINK_DATA, length);
        uint32_t of_head = done < head_length ? head_length - done : 0;
        uint32_t from = done < head_length ? 0 : done - head_length;
        header.stream = link->stream;
        header.number = link->put;
        header.got = total;
        memcpy(bytes, &header, sizeof header);
        memcpy(bytes + sizeof header, (const uint8_t *)head + done, of_head);
        memcpy(bytes + sizeof header + of_head, (const uint8_t *)body + from, length - of_head);
        link->out[link->put % link->out_count] = (struct out_slot){0};
        link->put++;
        done += length;
    }
    send_allowed(link, now_ns);
    return link->put;
}

uint64_t hf_link_delivered(const struct hf_link *link)
{
    return link->delivered;
}

uint64_t hf_link_stream(const struct hf_link *link)
{
    return link->stream;
}

void hf_link_restart(struct hf_link *link)
{
    link->stream++;
    link->counts.streams++;
    link->acked = 0;
    link->sent = 0;
    link->put = 0;
    link->delivered = 0;
    link->credit = FIRST_CREDITS;
    link->retry_ns = HF_LINK_RETRY_NS;
}

/* Those that others have overtaken, long enough ago; each time after twice as long, for where the
 * way is full a repeat only makes it fuller. */
static void repeat_overtaken(struct hf_link *link, const struct hf_link_header *credit,
                             uint64_t now_ns)
{
    if (credit->got == 0) {
        return;
    }
    uint64_t newest = link->acked + 1 + (63u - (uint32_t)__builtin_clzll(credit->got));
    for (uint64_t number = link->acked; number < newest && number < link->sent; number++) {
        struct out_slot *slot = &link->out[number % link->out_count];
        if (!slot->has_come && now_ns - slot->sent_ns >= LATE_NS << slot->overtaken) {
            slot->overtaken += slot->overtaken < LATE_DOUBLED_MOST;
            send_slot(link, number, now_ns);
            link->counts.datagrams_repeated++;
        }
    }
}

static void on_credit(struct hf_link *link, const struct hf_link_header *header,
                      const uint8_t *bytes, uint64_t now_ns)
{
    struct credit credit;
    if (header->stream != link->stream || header->length != sizeof credit) {
        return;
    }
    memcpy(&credit, bytes, sizeof credit);
    if (header->number > link->sent || credit.taken > header->number) {
        return; /* of nothing that was ever sent */
    }
    if (header->number < link->acked) {
        if (header->number == 0) {
            hf_link_restart(link); /* it has forgotten what it had */
        }
        return;
    }
    if (header->number > link->acked) {
        link->acked = header->number;
        link->progress_ns = now_ns;
        link->retry_ns = HF_LINK_RETRY_NS;
    }
    if (credit.taken > link->delivered) {
        link->delivered = credit.taken;
    }
    for (uint64_t got = header->got; got != 0; got &= got - 1) {
        uint64_t number = link->acked + 1 + (uint64_t)__builtin_ctzll(got);
        if (number < link->sent) {
            link->out[number % link->out_count].has_come = true;
        }
    }
    if (header->window > link->credit) {
        link->credit = header->window;
    }
    repeat_overtaken(link, header, now_ns);
    send_allowed(link, now_ns);
}

static void repeat_due(struct hf_link *link, uint64_t now_ns)
{
    if (link->acked == link->sent) {
        return;
    }
    if (now_ns - link->progress_ns >= HF_LINK_BREAK_NS) {
        hf_link_restart(link);
        return;
    }
    if (now_ns - link->out[link->acked % link->out_count].sent_ns < link->retry_ns) {
        return;
    }
    uint32_t count = 0;
    for (uint64_t n = link->acked; n < link->sent && count < REPEATS_MOST; n++) {
        if (!link->out[n % link->out_count].has_come) {
            send_slot(link, n, now_ns);
            link->counts.datagrams_repeated++;
            count++;
        }
    }
    link->retry_ns =
        2 * link->retry_ns < HF_LINK_RETRY_MOST_NS ? 2 * link->retry_ns : HF_LINK_RETRY_MOST_NS;
}

/* ---- The stream, receiving ---- */

static void forget_stream(struct hf_link *link, uint64_t stream)
{
    link->in_stream = stream;
    link->used = 0;
    link->next = 0;
    link->frame_length = 0;
    link->frame_done = 0;
    link->owes_credit = false;
    link->since_credit = 0;
    memset(link->in, 0, link->in_count * sizeof *link->in);
}

static bool frame_is_whole(const struct hf_link *link)
{
    return link->frame_length != 0 && link->frame_done == link->frame_length;
}

/* Puts what has come in order into the frame, until that is whole. */
static void assemble(struct hf_link *link)
{
    while (link->used < link->next && !frame_is_whole(link)) {
        uint32_t at = (uint32_t)(link->used % link->in_count);
        struct in_slot *slot = &link->in[at];
        assert(slot->length != 0);
        if (link->frame_length == 0) {
            link->frame_length = slot->frame_length;
            link->frame_done = 0;
        }
        if (slot->frame_length != link->frame_length ||
            slot->length > link->frame_length - link->frame_done) {
            forget_stream(link, link->in_stream + 1); /* nonsense: it has to begin anew */
            return;
        }
        memcpy((uint8_t *)link->frame + link->frame_done,
               link->in_bytes + (size_t)at * link->payload_size, slot->length);
        link->frame_done += slot->length;
        slot->length = 0;
        link->used++;
    }
}

static void send_credit(struct hf_link *link)
{
    struct hf_link_header header = header_of(link, HF_LINK_CREDIT, sizeof(struct credit));
    /* What has been put into a frame that was not taken yet has not been delivered. */
    struct credit credit = {.taken = link->frame_length != 0 ? link->used - 1 : link->used};
    header.stream = link->in_stream;
    header.number = link->next;
    header.window = link->used + link->in_count;
    for (uint32_t i = 0; i < 64 && link->next + 1 + i < header.window; i++) {
        if (link->in[(link->next + 1 + i) % link->in_count].length != 0) {
            header.got |= UINT64_C(1) << i;
        }
    }
    memcpy(link->note + HF_LINK_HEADER_SIZE, &credit, sizeof credit);
    send(link, link->note, &header);
    link->owes_credit = false;
    link->since_credit = 0;
}

static enum hf_link_verdict on_data(struct hf_link *link, const struct hf_link_header *header,
                                    const uint8_t *bytes)
{
    if (header->stream < link->in_stream) {
        return HF_LINK_NOTHING;
    }
    if (header->length == 0 || header->length > link->payload_size ||
        header->got > HF_LINK_FRAME_MAX || header->got < HF_MESSAGE_SIZE) {
        return HF_LINK_GARBAGE;
    }
    if (header->stream > link->in_stream) {
        forget_stream(link, header->stream);
    }
    link->owes_credit = true;
    link->since_credit++;
    if (header->number < link->next || header->number >= link->used + link->in_count) {
        return HF_LINK_NOTHING;
    }
    uint32_t at = (uint32_t)(header->number % link->in_count);
    struct in_slot *slot = &link->in[at];
    if (slot->length == 0) {
        memcpy(link->in_bytes + (size_t)at * link->payload_size, bytes, header->length);
        slot->length = header->length;
        slot->frame_length = (uint32_t)header->got;
    }
    while (link->next < link->used + link->in_count &&
           link->in[link->next % link->in_count].length != 0) {
        link->next++;
    }
    assemble(link);
    if (link->since_credit >= CREDIT_EVERY) {
        send_credit(link);
    }
    return HF_LINK_STREAMED;
}

const uint8_t *hf_link_frame(struct hf_link *link, uint32_t *length)
{
    assemble(link);
    if (!frame_is_whole(link)) {
        return NULL;
    }
    *length = link->frame_length;
    memset((uint8_t *)link->frame + link->frame_length, 0, FRAME_ROOM - HF_LINK_FRAME_MAX);
    return (const uint8_t *)link->frame;
}

void hf_link_take(struct hf_link *link)
{
    assert(frame_is_whole(link));
    link->frame_length = 0;
    link->frame_done = 0;
    link->owes_credit = true;
}

/* ---- All that comes ---- */

enum hf_link_verdict hf_link_receive(struct hf_link *link, const void *bytes, size_t length,
                                     struct hf_link_carried *carried, uint64_t now_ns)
{
    struct hf_link_header header;
    if (length < sizeof header) {
        return HF_LINK_GARBAGE;
    }
    memcpy(&header, bytes, sizeof header);
    if (header.magic != HF_LINK_MAGIC || header.format != HF_LINK_FORMAT ||
        header.length != length - sizeof header || header.hash != hash_of(bytes, length)) {
        return HF_LINK_GARBAGE;
    }
    if (!hf_id_equal(header.cluster, link->options.cluster)) {
        return HF_LINK_OTHER_CLUSTER;
    }
    if (header.incarnation == 0 || header.node == 0) {
        return HF_LINK_GARBAGE;
    }
    if (header.node == link->options.node || header.incarnation < link->peer_incarnation) {
        return HF_LINK_NOTHING; /* our own, or of a life that is over */
    }
    link->counts.datagrams_received++;
    if (header.incarnation > link->peer_incarnation) {
        link->peer_incarnation = header.incarnation;
        forget_stream(link, 0);
        hf_link_restart(link);
    }
    const uint8_t *payload = (const uint8_t *)bytes + sizeof header;
    switch ((enum hf_link_kind)header.kind) {
    case HF_LINK_DATA:
        return on_data(link, &header, payload);
    case HF_LINK_CREDIT:
        on_credit(link, &header, payload, now_ns);
        return HF_LINK_NOTHING;
    case HF_LINK_NOTE:
    case HF_LINK_SELF:
    case HF_LINK_FETCH:
        *carried = (struct hf_link_carried){
            .kind = (enum hf_link_kind)header.kind,
            .node = header.node,
            .length = header.length,
            .incarnation = header.incarnation,
            .bytes = payload,
        };
        return HF_LINK_NOTED;
    }
    return HF_LINK_GARBAGE;
}

void hf_link_poll(struct hf_link *link, uint64_t now_ns)
{
    if (link->owes_credit) {
        send_credit(link);
    }
    repeat_due(link, now_ns);
}

void hf_link_count(const struct hf_link *link, struct hf_link_counts *counts)
{
    *counts = link->counts;
}
