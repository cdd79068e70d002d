/* Exactly once: steps 2 and 3 of OPERATIONS.md, for whoever gives operations their places. */
#ifndef HF_ENGINE_ONCE_H
#define HF_ENGINE_ONCE_H

#include "state.h"

#define HF_NS_PER_MS UINT64_C(1000000)

/* Between which id times an unknown id may be new. The floor rises further when the table of
 * remembered ids forgets one. */
struct hf_horizon {
    uint64_t floor_ms;
    uint64_t ceiling_ms;
};

static inline struct hf_horizon hf_horizon_at(const struct hf_ledger_limits *limits,
                                              uint64_t timestamp_ns)
{
    uint64_t now_ms = timestamp_ns / HF_NS_PER_MS;
    uint64_t remember_ms = limits->remember_ns / HF_NS_PER_MS;

    return (struct hf_horizon){
        .floor_ms = now_ms > remember_ms ? now_ms - remember_ms : 0,
        .ceiling_ms = now_ms + limits->id_ahead_ns / HF_NS_PER_MS,
    };
}

static inline uint64_t hf_horizon_floor(const struct hf_seen *seen,
                                        const struct hf_horizon *horizon)
{
    return horizon->floor_ms > seen->floor_ms ? horizon->floor_ms : seen->floor_ms;
}

/* An answer of which nothing is decided yet. */
static inline void hf_answer_begin(struct hf_answer *answer, const struct hf_turn *turn,
                                   uint64_t place, uint64_t timestamp_ns)
{
    *answer = (struct hf_answer){
        .id = turn->operation->header.id,
        .fingerprint = turn->fingerprint,
        .type = turn->type,
        .place = place,
        .timestamp_ns = timestamp_ns,
    };
}

/* Is this id surely new, and its time within the horizon? Then it may take a place. What this
 * cannot tell at a glance is to be looked into. */
static inline bool hf_once_is_new(const struct hf_seen *seen, const struct hf_turn *turn,
                                  const struct hf_horizon *horizon)
{
    uint64_t time_ms = hf_id_time_ms(turn->operation->header.id);

    return hf_seen_is_absent(seen, turn->id_home, turn->id_hash) && time_ms >= horizon->floor_ms &&
           time_ms >= seen->floor_ms && time_ms <= horizon->ceiling_ms;
}

/* Answers an operation whose id has been answered before: the same again when it is the same
 * operation, else DUPLICATE_DIFFERENT. */
void hf_once_answer_again(const struct hf_answer *first, const struct hf_turn *turn,
                          uint64_t timestamp_ns, struct hf_reply *reply);

/* Refuses one that takes no place, for its id. */
void hf_once_refuse(const struct hf_turn *turn, uint16_t code, uint64_t timestamp_ns,
                    struct hf_reply *reply);

#endif
