/* What goes to the peer. */
#include "pair_inside.h"

/* A RESEND for the same place is not said again sooner. */
#define RESEND_NS UINT64_C(3000000)
/* Records read back from the disk in one go. */
#define READS_MOST 4u

void hf_pair_send_self(struct hf_pair *pair)
{
    pair->self_sent_ns = pair->now_ns;
    hf_link_note(pair->link, HF_LINK_SELF, &pair->self, sizeof pair->self);
}

/* What the replica lets into the stream. */
static void note_prepare(struct hf_pair *pair, const struct hf_message *message)
{
    if (pair->stream_next == 0 || message->index != pair->stream_last + 1 ||
        message->epoch != pair->prepare.epoch) {
        pair->stream_next = message->index;
    }
    pair->stream_last = message->index;
    pair->prepare = *message;
}

/* What the peer has been given for certain: only what it lacks of that is a gap. */
static uint64_t known_delivered(const struct hf_pair *pair)
{
    uint64_t acked = pair->replica.acked;
    return pair->delivered > acked ? pair->delivered : acked;
}

void hf_pair_send_message(struct hf_pair *pair, const struct hf_message *message)
{
    struct hf_message sent = *message;
    switch ((enum hf_message_kind)message->kind) {
    case HF_MESSAGE_PREPARE:
        note_prepare(pair, message);
        return;
    case HF_MESSAGE_BEACON:
        if (known_delivered(pair) < sent.index) {
            sent.index = known_delivered(pair);
        }
        break;
    case HF_MESSAGE_CUT:
        if (sent.index != 0) {
            if (!hf_pair_hash(pair, sent.index, &sent.hash)) {
                return; /* it asks again */
            }
        }
        break;
    case HF_MESSAGE_RESEND:
        if (sent.index == pair->resend_index && pair->now_ns - pair->resend_ns < RESEND_NS) {
            return;
        }
        pair->resend_index = sent.index;
        pair->resend_ns = pair->now_ns;
        break;
    default:
        break;
    }
    hf_link_note(pair->link, HF_LINK_NOTE, &sent, sizeof sent);
}

static void forget_frames(struct hf_pair *pair)
{
    pair->stream = hf_link_stream(pair->link);
    pair->frames_head = 0;
    pair->frames_tail = 0;
    pair->delivered = 0;
}

/* The stream has broken: goes on after what the peer has acknowledged. */
static void follow_stream(struct hf_pair *pair)
{
    if (pair->stream != hf_link_stream(pair->link)) {
        forget_frames(pair);
        if (pair->stream_next > pair->replica.acked + 1) {
            pair->stream_next = pair->replica.acked + 1;
        }
    }
    while (pair->frames_head != pair->frames_tail &&
           pair->frames[pair->frames_head % FRAMES_MAX].end <= hf_link_delivered(pair->link)) {
        pair->delivered = pair->frames[pair->frames_head % FRAMES_MAX].index;
        pair->frames_head++;
    }
}

static void put_record(struct hf_pair *pair, const struct hf_record_header *record)
{
    struct hf_message message = pair->prepare;
    message.commit = pair->replica.commit;
    message.index = record->index;
    message.record_epoch = record->epoch;
    message.hash = record->hash;
    message.prev_hash = record->prev_hash;
    uint64_t end =
        hf_link_put(pair->link, &message, sizeof message, record, record->length, pair->now_ns);
    pair->frames[pair->frames_tail++ % FRAMES_MAX] =
        (struct frame_sent){.end = end, .index = record->index};
    pair->counts.records_sent++;
}

void hf_pair_pump(struct hf_pair *pair)
{
    uint64_t reads = pair->counts.records_read;
    follow_stream(pair);
    hf_pair_give_slice(pair);
    if (pair->replica.next == 0 || pair->prepare.epoch != pair->replica.epoch) {
        pair->stream_next = 0; /* the peer's log is being compared anew */
        return;
    }
    while (pair->stream_next != 0 && pair->stream_next <= pair->stream_last &&
           pair->frames_tail - pair->frames_head < FRAMES_MAX &&
           pair->counts.records_read - reads < READS_MOST) {
        /* Before it is read: most of the time there is no room, and much to read. */
        if (!hf_link_has_room(pair->link, HF_LINK_FRAME_MAX)) {
            return;
        }
        const struct hf_record_header *record = hf_pair_record(pair, pair->stream_next);
        if (record == NULL) {
            pair->stream_next = 0; /* the protocol begins again */
            return;
        }
        put_record(pair, record);
        pair->stream_next++;
    }
}
