#include "log.h"

#include "clock.h"
#include "counters.h"
#include "replicate.h"
#include "wal/writer.h"

#include <assert.h>

#define LOG_DONE_MAX 16
/* Polls between two looks at the clock, while there are records to be signed. */
#define POLLS_BETWEEN_LOOKS 32

enum hf_status logger_attach(struct logger *logger, struct hf_fault *fault)
{
    enum hf_status status = HF_STATUS_OK;

    /* A log that ended in a crash has records that nothing signs for. */
    logger->may_be_unsealed = logger->seal_interval_ns != 0;
    if (logger->writer != NULL)
        status = hf_log_writer_attach(logger->writer, fault);
    if (status == HF_STATUS_OK && logger->replicator != NULL) {
        status = replicator_attach(logger->replicator, fault);
        if (status == HF_STATUS_OK)
            hf_pair_start(logger->replicator->pair, logger->writer, clock_monotonic_ns());
    }
    return status;
}

void logger_detach(struct logger *logger)
{
    if (logger->writer != NULL)
        hf_log_writer_detach(logger->writer);
}

static void give_back(struct logger *logger, struct hf_log_batch *batch)
{
    if (!ring_put(logger->free_batches, batch))
        assert(!"the ring has room for every batch");
}

/* Without a log a batch is "committed" as it comes: memory-bench promises nothing, and says so in
 * every reply. */
static uint32_t pass_through(struct logger *logger)
{
    uint64_t committed = counter_read(&logger->committed_batch);
    struct hf_log_batch *batch;
    uint32_t count = 0;

    for (; (batch = ring_get(logger->batches)) != NULL; count++)
        give_back(logger, batch);
    if (count != 0)
        atomic_store_explicit(&logger->committed_batch, committed + count, memory_order_release);
    return count;
}

static uint32_t submit_batches(struct logger *logger)
{
    uint32_t count = 0;

    for (;; count++) {
        if (logger->waiting == NULL)
            logger->waiting = ring_get(logger->batches);
        if (logger->waiting == NULL ||
            hf_log_writer_submit(logger->writer, logger->waiting) != HF_STATUS_OK)
            return count;
        logger->waiting = NULL;
        logger->in_flight++;
    }
}

/* Sees to it that records which nobody follows are signed in time. */
static void seal_in_time(struct logger *logger)
{
    struct hf_log_writer_counts counts;
    uint64_t now_ns;

    if (!logger->may_be_unsealed || atomic_load_explicit(logger->stopping, memory_order_relaxed) ||
        logger->polls_to_look-- != 0)
        return;
    logger->polls_to_look = POLLS_BETWEEN_LOOKS;
    now_ns = clock_monotonic_ns();
    hf_log_writer_count(logger->writer, &counts);
    if (counts.unsealed == 0) {
        logger->may_be_unsealed = false;
        logger->unsealed_since_ns = 0;
    } else if (logger->unsealed_since_ns == 0 || counts.seals != logger->seals_then) {
        logger->unsealed_since_ns = now_ns;
        logger->seals_then = counts.seals;
    } else if (now_ns - logger->unsealed_since_ns >= logger->seal_interval_ns &&
               hf_log_writer_seal(logger->writer) != HF_STATUS_OK) {
        logger->polls_to_look = 0; /* every write is under way: again at once */
    }
}

static void publish_room(struct logger *logger)
{
    atomic_store_explicit(&logger->full, !hf_log_writer_has_room(logger->writer),
                          memory_order_relaxed);
    atomic_store_explicit(&logger->lacks_space, hf_log_writer_lacks_space(logger->writer),
                          memory_order_relaxed);
}

static void publish_counts(struct logger *logger, uint64_t commit_index)
{
    struct hf_log_writer_counts counts;

    hf_log_writer_count(logger->writer, &counts);
    atomic_store_explicit(&logger->commit_index, commit_index, memory_order_relaxed);
    atomic_store_explicit(&logger->records, counts.records, memory_order_relaxed);
    atomic_store_explicit(&logger->record_bytes, counts.bytes_logical, memory_order_relaxed);
    atomic_store_explicit(&logger->device_bytes, counts.bytes_device, memory_order_relaxed);
}

/* A seal that the time had asked for is nobody's batch: whoever wants the log as it stands has to
 * hear from here that none is under way. */
static void describe_when_settled(struct logger *logger)
{
    struct hf_log_writer_counts counts;

    if (atomic_load_explicit(&logger->describes, memory_order_acquire) != LOGGER_ASKED)
        return;
    hf_log_writer_count(logger->writer, &counts);
    if (counts.in_flight != 0 || counts.commit_index != counts.last_index)
        return;
    hf_log_writer_describe(logger->writer, &logger->described);
    atomic_store_explicit(&logger->describes, LOGGER_DESCRIBED, memory_order_release);
}

bool logger_describe(struct logger *logger, struct hf_checkpoint_header *header)
{
    int now = atomic_load_explicit(&logger->describes, memory_order_acquire);

    if (now == LOGGER_NOT_ASKED)
        atomic_store_explicit(&logger->describes, LOGGER_ASKED, memory_order_release);
    if (now != LOGGER_DESCRIBED)
        return false;
    *header = logger->described;
    atomic_store_explicit(&logger->describes, LOGGER_NOT_ASKED, memory_order_relaxed);
    return true;
}

/* ---- of a pair ---- */

static uint32_t submit_to_pair(struct logger *logger, uint64_t now_ns)
{
    struct hf_pair *pair = logger->replicator->pair;
    uint32_t count = 0;

    for (;; count++) {
        uint64_t uncommitted = logger->submitted_batch - counter_read(&logger->committed_batch);
        if (logger->waiting == NULL)
            logger->waiting = ring_get(logger->batches);
        if (logger->waiting == NULL || uncommitted == LOG_UNCOMMITTED_MAX ||
            !hf_pair_may_submit(pair) ||
            hf_pair_submit(pair, logger->waiting, now_ns) != HF_STATUS_OK)
            return count;
        logger->submitted_batch++;
        logger->uncommitted[logger->submitted_batch % LOG_UNCOMMITTED_MAX] = logger->waiting->index;
        logger->waiting = NULL;
        logger->in_flight++;
    }
}

/* What the pair calls committed, in batches. */
static void follow_commit(struct logger *logger)
{
    uint64_t commit = hf_pair_commit_index(logger->replicator->pair);
    uint64_t before = counter_read(&logger->committed_batch);
    uint64_t batch = before;

    while (batch < logger->submitted_batch &&
           logger->uncommitted[(batch + 1) % LOG_UNCOMMITTED_MAX] <= commit) /* I6 */
        batch++;
    if (batch != before)
        atomic_store_explicit(&logger->committed_batch, batch, memory_order_release);
    if (commit != counter_read(&logger->commit_index))
        publish_counts(logger, commit);
}

static uint32_t poll_pair(struct logger *logger)
{
    struct hf_log_batch *done[LOG_DONE_MAX];
    struct hf_pair *pair = logger->replicator->pair;
    uint64_t now_ns = clock_monotonic_ns();
    uint32_t submitted = submit_to_pair(logger, now_ns);
    uint32_t count = hf_pair_poll(pair, done, LOG_DONE_MAX, now_ns);

    for (uint32_t i = 0; i < count; i++)
        give_back(logger, done[i]);
    logger->in_flight -= count;
    replicator_flush(logger->replicator);
    if (hf_pair_replica(pair)->role == HF_ROLE_HALTED) {
        atomic_store_explicit(&logger->failed, true, memory_order_release); /* P7 */
        return 0;
    }
    publish_room(logger);
    follow_commit(logger);
    return submitted + count;
}

uint32_t logger_poll(struct logger *logger)
{
    struct hf_log_batch *done[LOG_DONE_MAX];
    uint32_t submitted;
    uint32_t count;

    if (logger->writer == NULL)
        return pass_through(logger);
    if (logger->replicator != NULL)
        return poll_pair(logger);
    submitted = submit_batches(logger);
    logger->may_be_unsealed |= submitted != 0 && logger->seal_interval_ns != 0;
    seal_in_time(logger);
    count = hf_log_writer_poll(logger->writer, done, LOG_DONE_MAX);
    if (hf_log_writer_is_poisoned(logger->writer)) {
        atomic_store_explicit(&logger->failed, true, memory_order_release); /* P7 */
        return 0;
    }
    publish_room(logger);
    describe_when_settled(logger);
    if (count != 0) {
        for (uint32_t i = 0; i < count; i++)
            give_back(logger, done[i]);
        logger->in_flight -= count;
        publish_counts(logger, hf_log_writer_commit_index(logger->writer));
        /* Release: whoever reads the new number may send what stands on it. */
        atomic_store_explicit(&logger->committed_batch,
                              counter_read(&logger->committed_batch) + count, memory_order_release);
    }
    return submitted + count;
}

bool logger_is_pending(const struct logger *logger)
{
    return logger->in_flight != 0 || logger->waiting != NULL || ring_count(logger->batches) != 0;
}
