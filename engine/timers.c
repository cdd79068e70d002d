/* The wheel turns. */
#include "timers.h"

#include <assert.h>

#define DIGIT_BITS 6u
#define DIGIT_MASK (HF_TIMERS_BUCKETS - 1u)

HF_STATIC_ASSERT(HF_TIMERS_BUCKETS == 1 << DIGIT_BITS, "a digit names a bucket");
HF_STATIC_ASSERT(HF_TIMERS_LEVELS *DIGIT_BITS >= 64, "the levels reach over all time");

/* Two lists more than buckets: `entered` was the bucket that the wheel's time has come to, and is
 * moved down timer by timer; `ripe` are due. */
static uint32_t entered_head(const struct hf_timers *timers)
{
    return timers->slot_count + HF_TIMERS_LISTS - 2;
}

static uint32_t ripe_head(const struct hf_timers *timers)
{
    return timers->slot_count + HF_TIMERS_LISTS - 1;
}

static uint32_t bucket_head(const struct hf_timers *timers, uint32_t level, uint32_t bucket)
{
    assert(level < HF_TIMERS_LEVELS);
    assert(bucket < HF_TIMERS_BUCKETS);
    return timers->slot_count + level * HF_TIMERS_BUCKETS + bucket;
}

static uint32_t digit_of(uint64_t time_ns, uint32_t level)
{
    return (uint32_t)(time_ns >> (level * DIGIT_BITS)) & DIGIT_MASK;
}

void hf_timers_create(struct hf_timers *timers, struct hf_arena *arena, uint32_t slot_count)
{
    assert(slot_count <= HF_TABLE_NONE - HF_TIMERS_LISTS);
    *timers = (struct hf_timers){.slot_count = slot_count, .wake_ns = UINT64_MAX};
    timers->list =
        hf_arena_take(arena, (size_t)slot_count + HF_TIMERS_LISTS, sizeof(struct hf_timer));
}

/* Links are differences of numbers: so in zeroed memory every head is followed by itself, and
 * nothing needs to be written before it is used. */
static uint32_t next_of(const struct hf_timers *timers, uint32_t number)
{
    return number + timers->list[number].next;
}

static uint32_t previous_of(const struct hf_timers *timers, uint32_t number)
{
    return number + timers->list[number].previous;
}

static void link_pair(struct hf_timers *timers, uint32_t first, uint32_t second)
{
    timers->list[first].next = second - first;
    timers->list[second].previous = first - second;
}

static void unlink_timer(struct hf_timers *timers, uint32_t number)
{
    link_pair(timers, previous_of(timers, number), next_of(timers, number));
}

static void link_last(struct hf_timers *timers, uint32_t head, uint32_t slot)
{
    assert(head >= timers->slot_count);
    link_pair(timers, previous_of(timers, head), slot);
    link_pair(timers, slot, head);
}

/* Puts a timer where its time says. */
static void place(struct hf_timers *timers, uint32_t slot)
{
    uint64_t due_ns = timers->list[slot].due_ns;

    assert(due_ns != 0);
    if (due_ns <= timers->elapsed_ns) {
        link_last(timers, ripe_head(timers), slot);
        return;
    }
    uint32_t highest_bit = 63u - (uint32_t)__builtin_clzll(due_ns ^ timers->elapsed_ns);
    uint32_t level = highest_bit / DIGIT_BITS;
    uint32_t bucket = digit_of(due_ns, level);
    timers->occupied[level] |= UINT64_C(1) << bucket;
    link_last(timers, bucket_head(timers, level, bucket), slot);
}

void hf_timers_arm(struct hf_timers *timers, uint32_t slot, uint64_t due_ns)
{
    assert(slot < timers->slot_count);
    assert(due_ns != 0);
    struct hf_timer *timer = &timers->list[slot];
    if (timer->due_ns != 0) {
        if (timer->due_ns <= due_ns)
            return;
        unlink_timer(timers, slot);
        timers->armed_count--;
    }
    timer->due_ns = due_ns;
    timers->armed_count++;
    place(timers, slot);
    if (due_ns < timers->wake_ns)
        timers->wake_ns = due_ns;
}

void hf_timers_disarm(struct hf_timers *timers, uint32_t slot)
{
    assert(slot < timers->slot_count);
    if (timers->list[slot].due_ns == 0)
        return;
    /* The bucket's bit may outlive its last timer: entering an empty bucket costs one move. */
    unlink_timer(timers, slot);
    timers->list[slot].due_ns = 0;
    assert(timers->armed_count > 0);
    timers->armed_count--;
}

/* The first bucket that the wheel's time has not passed, and when it begins. False when there is
 * none. Of the lower level it comes first: the upper levels' buckets begin later, since each lies
 * behind the digit that the wheel's time has there. */
static bool find_bucket(const struct hf_timers *timers, uint32_t *level, uint32_t *bucket,
                        uint64_t *start_ns)
{
    for (uint32_t i = 0; i < HF_TIMERS_LEVELS; i++) {
        uint64_t ahead = timers->occupied[i];
        if (ahead == 0)
            continue;
        uint32_t shift = i * DIGIT_BITS;
        uint32_t first = (uint32_t)__builtin_ctzll(ahead);
        uint32_t above = shift + DIGIT_BITS;
        uint64_t prefix = above < 64 ? timers->elapsed_ns >> above << above : 0;
        assert(first > digit_of(timers->elapsed_ns, i));
        *level = i;
        *bucket = first;
        *start_ns = prefix | (uint64_t)first << shift;
        return true;
    }
    return false;
}

/* The wheel's time comes to a bucket: all its timers are to be looked at again. */
static void enter_bucket(struct hf_timers *timers, uint32_t level, uint32_t bucket)
{
    uint32_t head = bucket_head(timers, level, bucket);
    uint32_t entered = entered_head(timers);

    assert(next_of(timers, entered) == entered);
    timers->occupied[level] &= ~(UINT64_C(1) << bucket);
    if (next_of(timers, head) == head)
        return;
    link_pair(timers, entered, next_of(timers, head));
    link_pair(timers, previous_of(timers, head), entered);
    link_pair(timers, head, head);
}

/* Moves what was entered down, or to the ripe ones. Returns the moves that are left; with some
 * left, all is done. */
static uint32_t move_entered(struct hf_timers *timers, uint64_t now_ns, uint32_t moves)
{
    uint32_t entered = entered_head(timers);

    while (moves > 0 && next_of(timers, entered) != entered) {
        uint32_t slot = next_of(timers, entered);
        assert(slot < timers->slot_count);
        unlink_timer(timers, slot);
        if (timers->list[slot].due_ns <= now_ns)
            link_last(timers, ripe_head(timers), slot);
        else
            place(timers, slot);
        moves--;
    }
    return moves;
}

uint32_t hf_timers_advance(struct hf_timers *timers, uint64_t now_ns, uint32_t moves_max)
{
    uint32_t moves = moves_max;
    uint64_t start_ns;
    uint32_t level;
    uint32_t bucket;

    if (now_ns < timers->wake_ns)
        return moves;
    for (;;) {
        moves = move_entered(timers, now_ns, moves);
        if (moves == 0)
            return 0;
        if (!find_bucket(timers, &level, &bucket, &start_ns)) {
            start_ns = UINT64_MAX;
            break;
        }
        if (start_ns > now_ns)
            break;
        assert(start_ns > timers->elapsed_ns);
        timers->elapsed_ns = start_ns;
        enter_bucket(timers, level, bucket);
        moves--;
    }
    /* No bucket begins up to now: passing over the empty time changes no timer's place. */
    if (now_ns > timers->elapsed_ns)
        timers->elapsed_ns = now_ns;
    timers->wake_ns = start_ns;
    return moves;
}

uint32_t hf_timers_next_ripe(const struct hf_timers *timers, uint32_t slot)
{
    uint32_t head = ripe_head(timers);
    uint32_t next = next_of(timers, slot == HF_TABLE_NONE ? head : slot);

    return next == head ? HF_TABLE_NONE : next;
}
