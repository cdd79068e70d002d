/* What others see of a pair: any thread may look, unless pair.h says otherwise. */
#include "pair_inside.h"

uint64_t hf_pair_commit_index(const struct hf_pair *pair)
{
    return atomic_load_explicit(&pair->commit, memory_order_acquire);
}

bool hf_pair_may_read(const struct hf_pair *pair, uint64_t now_ns)
{
    /* Acquire: the value was taken before. */
    return now_ns < atomic_load_explicit(&pair->lease_until_ns, memory_order_acquire);
}

bool hf_pair_leads(const struct hf_pair *pair)
{
    return atomic_load_explicit(&pair->lead_index, memory_order_acquire) != 0;
}

const struct hf_record_header *hf_pair_next_committed(struct hf_pair *pair)
{
    uint64_t next = atomic_load_explicit(&pair->applied, memory_order_relaxed) + 1;
    uint64_t lead = atomic_load_explicit(&pair->lead_index, memory_order_acquire);
    uint64_t most = lead != 0 ? lead : hf_pair_commit_index(pair);
    if (next > most || atomic_load_explicit(&pair->restart, memory_order_relaxed) != 0) {
        return NULL;
    }
    return hf_recent_at(&pair->recent, next);
}

void hf_pair_applied(struct hf_pair *pair, const struct hf_record_header *record)
{
    assert(record->index == atomic_load_explicit(&pair->applied, memory_order_relaxed) + 1);
    atomic_store_explicit(&pair->applied, record->index, memory_order_release);
}

uint64_t hf_pair_must_apply(const struct hf_pair *pair)
{
    uint64_t lead = atomic_load_explicit(&pair->lead_index, memory_order_acquire);
    uint64_t applied = atomic_load_explicit(&pair->applied, memory_order_relaxed);
    return lead > applied ? lead - applied : 0;
}

void hf_pair_say_diverged(struct hf_pair *pair, uint64_t index)
{
    atomic_store_explicit(&pair->diverged, index, memory_order_relaxed);
}

enum hf_pair_restart hf_pair_wants_restart(const struct hf_pair *pair)
{
    return (enum hf_pair_restart)atomic_load_explicit(&pair->restart, memory_order_acquire);
}

const struct hf_fault *hf_pair_fault(const struct hf_pair *pair)
{
    return &pair->fault;
}

const struct hf_replica *hf_pair_replica(const struct hf_pair *pair)
{
    return &pair->replica;
}

const struct hf_pair_self *hf_pair_peer(const struct hf_pair *pair)
{
    return pair->peer_is_known ? &pair->peer : NULL;
}

uint64_t hf_pair_peer_incarnation(const struct hf_pair *pair)
{
    return pair->peer_incarnation;
}

bool hf_pair_is_busy(const struct hf_pair *pair)
{
    const struct hf_replica *r = &pair->replica;
    return pair->is_copying || pair->begins_epoch || r->flushed < r->last.place.index ||
           (r->next != 0 && r->acked < r->last.place.index);
}

void hf_pair_count(const struct hf_pair *pair, struct hf_pair_counts *counts)
{
    const struct hf_replica *r = &pair->replica;
    *counts = pair->counts;
    counts->pause_ns = pair->pace.pause_ns;
    counts->lag = r->role == HF_ROLE_PRIMARY ? r->last.place.index - r->acked : 0;
    hf_link_count(pair->link, &counts->link);
}

const char *hf_pair_sentence_of(enum hf_alarm alarm)
{
    switch (alarm) {
    case HF_ALARM_ALONE:
        return "the standby is gone: answers are safe on this machine only";
    case HF_ALARM_REFUSING:
        return "the standby is gone: nothing is answered until it is back (pair.when_alone)";
    case HF_ALARM_ARBITER_BEHIND:
        return "the arbiter knows less than this node's log: it was restored from an old backup, "
               "or emptied";
    case HF_ALARM_DIVERGED:
        return "the peer's log has another record at the same place: one of the two is damaged";
    case HF_ALARM_CUT_COMMITTED:
        return "the primary lacks records that are known to be committed";
    case HF_ALARM_TWO_PRIMARIES:
        return "another node leads the epoch of this one";
    case HF_ALARM_DURABILITY:
        return "the peer is configured with another log.durability";
    case HF_ALARM_STRANGER:
        return "a node with another number than pair.peer_node speaks on the peer's link";
    case HF_ALARM_DISK_FAILED:
        return "a write or flush failed";
    case HF_ALARM_BOTH_LOGS_NEEDED:
        return "both nodes were down: waits for the peer's log, or for the operator to promote";
    case HF_ALARM_LOSS_POSSIBLE:
        return "promoted by the operator outside of the pair: answers may be missing here";
    case HF_ALARM_STATE_DIFFERS:
        return "the standby's state is not the primary's: one of the two is damaged, and the "
               "standby "
               "has halted";
    }
    return "";
}
