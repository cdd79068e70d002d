/* Slowing down for a learner: what it lacks must become less, however much the clients send.
 *
 * While records go to a learner that nobody counts on yet, its lag is looked at once in every
 * `drop_ns`. When less than an eighth of it was made up since the look before, there is to be a
 * pause between one own record and the next, twice as long as before; up to PAUSE_MOST_NS, for a
 * learner that is slow itself must not stop everybody. What comes meanwhile goes into the next
 * record: the fewer and the longer they are, the cheaper for both. One that says nothing any more
 * is given up after `drop_ns` (primary.c), and the pause with it. */
#include "pair_inside.h"

#define PAUSE_FIRST_NS UINT64_C(500000)
#define PAUSE_MOST_NS  UINT64_C(20000000)

static bool has_learner(const struct hf_replica *r)
{
    return hf_replica_may_append(r) && !hf_config_is_pair(&r->config) && r->next != 0 &&
           r->is_joining == 0;
}

void hf_pair_pace(struct hf_pair *pair)
{
    const struct hf_replica *r = &pair->replica;
    struct pair_pace *pace = &pair->pace;
    uint64_t lag = r->last.place.index - r->acked;

    if (!has_learner(r)) {
        *pace = (struct pair_pace){0};
    } else if (pace->looked_ns == 0) {
        pace->looked_ns = pair->now_ns;
        pace->lag = lag;
    } else if (pair->now_ns - pace->looked_ns >= r->options.drop_ns) {
        if (lag > r->options.join_lag && lag > pace->lag - pace->lag / 8) {
            uint64_t pause_ns = pace->pause_ns == 0 ? PAUSE_FIRST_NS : 2 * pace->pause_ns;
            pace->pause_ns = pause_ns < PAUSE_MOST_NS ? pause_ns : PAUSE_MOST_NS;
        }
        pace->looked_ns = pair->now_ns;
        pace->lag = lag;
    }
}
