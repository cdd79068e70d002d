/* Timers: when which record's time comes. A hierarchical timing wheel over log time, in
 * nanoseconds.
 *
 * A timer is named by its record's slot. Eleven levels of 64 buckets, each level 64 times as coarse
 * as the one below, reach over all 64 bits: a timer lies on the level of the highest six bits in
 * which its time differs from the wheel's own, so arming and disarming are O(1) at any distance.
 * When the wheel's time enters a bucket of an upper level, its timers are moved down one by one;
 * each is moved at most ten times in its life, mostly far fewer.
 *
 * The wheel is a hint and no part of the ledger's state: it is rebuilt when an image is loaded, and
 * the order in which it gives timers out may depend on anything. Its owner keeps one promise: of
 * every record whose time can come, a timer is armed no later than that. A timer that is too early,
 * or that nobody needs any more, is found out when it ripens and the record is looked at. So what
 * is taken back by a chain need not be taken back here, as long as nothing was disarmed. */
#ifndef HF_ENGINE_TIMERS_H
#define HF_ENGINE_TIMERS_H

#include "arena.h"
#include "table.h"

#include <stdbool.h>

#define HF_TIMERS_LEVELS  11
#define HF_TIMERS_BUCKETS 64 /* a level */
#define HF_TIMERS_LISTS   (HF_TIMERS_LEVELS * HF_TIMERS_BUCKETS + 2)

/* One a slot, and one the head of each list: lists are circular, the numbers of heads come behind
 * those of slots. */
struct hf_timer {
    uint64_t due_ns;   /* 0: not armed */
    uint32_t next;     /* how many numbers further on the next of the list is, modulo 2^32 */
    uint32_t previous; /* likewise */
};
HF_STATIC_ASSERT(sizeof(struct hf_timer) == 16, "timer");

struct hf_timers {
    struct hf_timer *list; /* `slot_count` timers, then the heads */
    uint32_t slot_count;
    uint32_t armed_count;
    uint64_t elapsed_ns;                 /* the wheel's time */
    uint64_t wake_ns;                    /* nothing is to be done before */
    uint64_t occupied[HF_TIMERS_LEVELS]; /* bit n: bucket n may have timers */
};

/* Lays out timers for `slot_count` slots, none armed. */
void hf_timers_create(struct hf_timers *timers, struct hf_arena *arena, uint32_t slot_count);

/* Sees to it that the slot's timer ripens no later than `due_ns` (not 0, asserted): one that would
 * ripen earlier stays as it is. O(1). */
void hf_timers_arm(struct hf_timers *timers, uint32_t slot, uint64_t due_ns);

/* The slot's timer will not ripen, if it was armed at all. O(1). */
void hf_timers_disarm(struct hf_timers *timers, uint32_t slot);

/* Lets timers ripen up to `now_ns`: whatever is due then is ripe afterwards, unless it takes more
 * than `moves_max` moves to find it; then the next call goes on. Returns the moves that are left.
 * Bounded work: a move touches three timers at most. */
uint32_t hf_timers_advance(struct hf_timers *timers, uint64_t now_ns, uint32_t moves_max);

/* Walks the ripe timers: the first (after HF_TABLE_NONE) or the one after `slot`; HF_TABLE_NONE at
 * the end. They stay ripe until disarmed. `slot` may be disarmed once the next one is known. */
uint32_t hf_timers_next_ripe(const struct hf_timers *timers, uint32_t slot);

#endif
