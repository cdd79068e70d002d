/* What the files of a pair's node say to each other. Nobody else includes this.
 *
 *   pair.c          the node: what comes in, what the replica wants done
 *   pair_send.c     what goes to the peer
 *   pair_catchup.c  old records, and cutting
 *   pair_fetch.c    a checkpoint in place of records that are gone: giving and taking */
#ifndef HF_REPLICATION_PAIR_INSIDE_H
#define HF_REPLICATION_PAIR_INSIDE_H

#include "fetch.h"
#include "pair.h"
#include "recent.h"
#include "wal/install.h"
#include "wal/seek.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define APPENDED_MAX 8
#define FRAMES_MAX   256 /* put and not delivered; a power of two */

struct frame_sent {
    uint64_t end; /* position behind it */
    uint64_t index;
};

/* Giving: the checkpoint that the peer is taking, held open so that it stays when its name goes. */
struct fetch_source {
    bool is_asked; /* a request waits for its slice */
    struct hf_fetch_request request;
    uint64_t index; /* 0: nothing is open */
    uint64_t segment;
    uint64_t sizes[2]; /* by part, bytes */
    int files[2];      /* -1: not open */
    uint64_t used_ns;
    uint8_t *buffer; /* HF_INSTALL_SLICE */
};

/* Taking. */
struct fetch_sink {
    bool is_wanted;      /* the replica has said so */
    bool is_asked_again; /* for want of an answer: what comes now is resumed */
    uint64_t below;      /* a checkpoint older than this one: those from it on were no good */
    uint64_t asked_ns;   /* 0: not yet */
    uint64_t asked_offset;
    uint64_t rests_until_ns;
    struct hf_install install;
};

/* Own records are spaced out for a learner: pair_pace.c. */
struct pair_pace {
    uint64_t looked_ns; /* 0: there is no learner */
    uint64_t lag;       /* then */
    uint64_t pause_ns;
    uint64_t next_ns; /* no own record before */
};

struct hf_pair {
    struct hf_pair_options options;
    struct hf_replica replica;
    struct hf_update update;
    struct hf_log_writer *writer; /* NULL before start */
    struct hf_disk *disk;
    struct hf_superblock superblock;
    struct hf_link *link;
    struct hf_recent recent;
    struct hf_log_seek seek;
    struct hf_disk *read_disk;
    struct fetch_source source;
    struct fetch_sink sink;
    uint64_t now_ns;
    uint64_t first_index; /* the oldest record on the disk */

    /* Records of the peer's. */
    struct hf_log_batch *spare[HF_PAIR_BATCHES];
    uint32_t spare_count;
    bool is_copying; /* a record is accepted, and not yet with the writer */
    bool is_held;    /* it is in `held`; else it is the link's frame */
    uint8_t *held;   /* HF_RECORD_LENGTH_MAX bytes, 8-byte aligned */

    /* Own records, on their way to the replica. */
    struct hf_tag appended[APPENDED_MAX];
    uint32_t appended_count;
    bool begins_epoch; /* wanted, and not yet with the writer */
    bool has_led;
    bool is_ordered; /* the operator: lead, alone if need be, until the standby is back */
    bool was_alone;  /* since then */
    uint64_t epoch;
    bool is_saved; /* and the replica has not heard yet */

    /* To the peer. */
    struct hf_message prepare; /* the newest PREPARE: what is the same in all */
    uint64_t stream;           /* of the link, in which all below happens */
    uint64_t stream_next;      /* index to be put next, 0: none */
    uint64_t stream_last;      /* up to which the replica lets it */
    struct frame_sent frames[FRAMES_MAX];
    uint32_t frames_head;
    uint32_t frames_tail;
    uint64_t delivered; /* index: taken by the peer, in this stream */
    uint64_t self_sent_ns;
    struct pair_pace pace;
    uint64_t resend_index; /* the newest RESEND, and when it went */
    uint64_t resend_ns;

    /* From the peer. */
    struct hf_pair_self self;
    struct hf_pair_self peer;
    bool peer_is_known; /* in the incarnation below, and it fits */
    uint64_t peer_incarnation;

    struct hf_question question;
    bool has_question;

    uint64_t ticked_ns;
    struct hf_fault fault;
    enum hf_alarm fault_alarm; /* the alarm it is of; 0: of none */
    struct hf_pair_counts counts;

    /* For any thread. */
    _Alignas(64) _Atomic uint64_t commit;
    _Atomic uint64_t lease_until_ns; /* 0: none; UINT64_MAX: as long as it leads */
    _Atomic uint64_t lead_index;     /* leading: all up to here must be applied first; 0: follows */
    _Atomic int restart;
    _Atomic uint64_t diverged;             /* index of the record; 0: none */
    _Alignas(64) _Atomic uint64_t applied; /* the applying thread's */
};

/* ---- pair_send.c ---- */

void hf_pair_send_message(struct hf_pair *pair, const struct hf_message *message);
void hf_pair_send_self(struct hf_pair *pair);
/* Puts into the stream what the replica lets out and the link has room for. */
void hf_pair_pump(struct hf_pair *pair);

/* ---- pair_catchup.c ---- */

/* A record of the own log, from memory or disk; NULL when it cannot be had. Lent until the next
 * call. */
const struct hf_record_header *hf_pair_record(struct hf_pair *pair, uint64_t index);
/* The hash of the own record at `index`; false when nobody knows it any more. */
bool hf_pair_hash(struct hf_pair *pair, uint64_t index, struct hf_hash *hash);
/* Cuts the log after `index`. */
void hf_pair_cut(struct hf_pair *pair, uint64_t index);

/* ---- pair_pace.c ---- */

/* Time has passed: how much slower for a learner? */
void hf_pair_pace(struct hf_pair *pair);

/* ---- pair_fetch.c ---- */

HF_MUST_USE enum hf_status hf_pair_fetch_create(struct hf_pair *pair, struct hf_fault *fault);
void hf_pair_fetch_destroy(struct hf_pair *pair);
/* Giving: a request has come; a slice goes out, when one was asked for and the link has room. */
void hf_pair_on_request(struct hf_pair *pair, const uint8_t *bytes, uint32_t length);
void hf_pair_give_slice(struct hf_pair *pair);
/* Taking: the replica wants one; a frame of the stream, false when it is no slice; time passes. */
void hf_pair_fetch(struct hf_pair *pair);
bool hf_pair_on_slice(struct hf_pair *pair, const uint8_t *frame, uint32_t length);
void hf_pair_fetch_poll(struct hf_pair *pair);

/* ---- pair_view.c ---- */

/* What an alarm says to whoever reads the node's lines. */
const char *hf_pair_sentence_of(enum hf_alarm alarm);

/* ---- pair.c ---- */

void hf_pair_set_restart(struct hf_pair *pair, enum hf_pair_restart why);

/* The disk has failed, or what it holds makes no sense: the line is in pair->fault. */
void hf_pair_fail(struct hf_pair *pair);

#endif
