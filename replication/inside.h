/* What the files of the step function say to each other. Nobody else includes this.
 *
 *   step.c      what happened, and whose business it is
 *   settle.c    what CFG says about this node: start, takeover, conflicts, both logs
 *   primary.c   leading: acknowledgements, commit, lease, dropping and joining the standby
 *   follower.c  following: appending, comparing logs, cutting */
#ifndef HF_REPLICATION_INSIDE_H
#define HF_REPLICATION_INSIDE_H

#include "replica.h"

#include <assert.h>
#include <string.h>

/* ---- step.c: outputs ---- */

struct hf_output *hf_step_output(struct hf_update *u, enum hf_output_kind kind);
/* A message to the peer in `epoch`; the caller fills in the rest. */
struct hf_message *hf_step_send(struct hf_replica *r, struct hf_update *u,
                                enum hf_message_kind kind, uint64_t epoch);
void hf_step_set_role(struct hf_replica *r, struct hf_update *u, enum hf_role role);
/* Raises an alarm, once. */
void hf_step_alarm(struct hf_replica *r, struct hf_update *u, enum hf_alarm alarm);
void hf_step_halt(struct hf_replica *r, struct hf_update *u, enum hf_alarm alarm);
/* Asks for promise and table to be made durable; until then messages are not listened to. */
void hf_step_save(struct hf_replica *r, struct hf_update *u, enum hf_saving saving);
/* All up to `index` is committed. */
void hf_step_commit(struct hf_replica *r, struct hf_update *u, uint64_t index);

/* ---- settle.c ---- */

/* Reads CFG, now. */
void hf_settle_look(struct hf_replica *r, struct hf_update *u);
/* Asks for CFG to become {e+1, this node, {this node, peer if any}}. */
void hf_settle_swap(struct hf_replica *r, struct hf_update *u, uint64_t peer_incarnation);
/* Gives up whatever role there was and finds out anew. */
void hf_settle_anew(struct hf_replica *r, struct hf_update *u);
void hf_settle_answer(struct hf_replica *r, struct hf_update *u, const struct hf_input *input);
void hf_settle_tick(struct hf_replica *r, struct hf_update *u);
void hf_settle_claim_saved(struct hf_replica *r, struct hf_update *u);
void hf_settle_on_handover(struct hf_replica *r, struct hf_update *u, const struct hf_message *m);
void hf_settle_on_position(struct hf_replica *r, struct hf_update *u, const struct hf_message *m);

/* ---- primary.c ---- */

/* CFG says that this node leads r->config.epoch: makes it so. */
void hf_primary_open(struct hf_replica *r, struct hf_update *u);
void hf_primary_opened_saved(struct hf_replica *r, struct hf_update *u);
void hf_primary_appended(struct hf_replica *r, struct hf_update *u, const struct hf_tag *own);
void hf_primary_flushed(struct hf_replica *r, struct hf_update *u);
void hf_primary_tick(struct hf_replica *r, struct hf_update *u);
/* CFG was read, and is still the one this primary leads by. */
void hf_primary_confirmed(struct hf_replica *r, struct hf_update *u);
void hf_primary_on_message(struct hf_replica *r, struct hf_update *u, const struct hf_message *m);
void hf_primary_on_nack(struct hf_replica *r, struct hf_update *u, const struct hf_message *m);
void hf_primary_on_position(struct hf_replica *r, const struct hf_message *m);
/* Stops leading: what only a primary has is gone. */
void hf_primary_leave(struct hf_replica *r);

/* ---- follower.c ---- */

void hf_follower_on_message(struct hf_replica *r, struct hf_update *u,
                            const struct hf_input *input);
void hf_follower_flushed(struct hf_replica *r, struct hf_update *u);
void hf_follower_saved(struct hf_replica *r, struct hf_update *u, enum hf_saving saving);
void hf_follower_truncated(struct hf_replica *r, struct hf_update *u, const struct hf_tag *own);
void hf_follower_installed(struct hf_replica *r, struct hf_update *u, const struct hf_tag *own);
/* Stops following. */
void hf_follower_leave(struct hf_replica *r);

/* ---- small things ---- */

static inline bool hf_is_fast(const struct hf_replica *r)
{
    return r->options.durability == HF_DURABILITY_PAIR_FAST;
}

static inline bool hf_is_solo(const struct hf_replica *r)
{
    return r->options.durability == HF_DURABILITY_SOLO;
}

static inline bool hf_is_leading(const struct hf_replica *r)
{
    return r->role == HF_ROLE_PRIMARY || r->opening != HF_OPENING_NOTHING;
}

static inline uint64_t hf_since(const struct hf_replica *r, uint64_t then_ns)
{
    return r->times.now > then_ns ? r->times.now - then_ns : 0;
}

#endif
