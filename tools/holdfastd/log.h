/* The log poller: writes the batches of the order poller durably, in order, several at once, and
 * publishes how far the log is safe. It owns the writer and the io_uring behind it. */
#ifndef HOLDFASTD_LOG_H
#define HOLDFASTD_LOG_H

#include "engine/status.h"
#include "ring.h"
#include "wal/checkpoint.h"

#define LOG_UNCOMMITTED_MAX 4096

#include <stdatomic.h>

struct hf_log_batch;
struct hf_log_writer;
struct replicator;

/* What a checkpoint's header says of the log is the log poller's to know: it may be adding a seal.
 */
enum logger_described { LOGGER_NOT_ASKED, LOGGER_ASKED, LOGGER_DESCRIBED };

struct logger {
    struct hf_log_writer *writer;  /* NULL: durability memory-bench, nothing is written */
    struct replicator *replicator; /* of a pair: decides what is committed; else NULL */
    struct rte_ring *batches;      /* from the order poller */
    struct rte_ring *free_batches; /* to the order poller */
    struct hf_log_batch *waiting;  /* taken from the ring, not yet taken by the writer */
    uint32_t in_flight;
    uint64_t seal_interval_ns;   /* a record is signed after so long at most; 0: no bound */
    bool may_be_unsealed;        /* something is perhaps not */
    uint64_t unsealed_since_ns;  /* monotonic: from when that counts; 0: not known yet */
    uint64_t seals_then;         /* of the writer, at that time */
    uint32_t polls_to_look;      /* at the clock */
    const atomic_bool *stopping; /* the node ends: sign nothing more for the time's sake */
    /* Of a pair: the records of batches that are not committed, from `committed_batch` + 1 on. */
    uint64_t uncommitted[LOG_UNCOMMITTED_MAX];
    uint64_t submitted_batch;

    _Alignas(64) _Atomic uint64_t
        committed_batch;           /* newest since the start that is committed (durable, of a pair
                                      as log.durability says), with all before it */
    _Atomic uint64_t commit_index; /* the same as a record of the log */
    atomic_bool full;              /* the log has no room: the order poller refuses */
    atomic_bool lacks_space;       /* the device has no room for another segment */
    atomic_bool failed; /* a write or flush failed: nothing is acknowledged any more (P7) */
    /* ASKED is stored with release by the order poller and read with acquire by the log poller;
     * DESCRIBED the other way round. */
    _Atomic int describes;
    struct hf_checkpoint_header described; /* of whose turn it is */

    _Alignas(64) _Atomic uint64_t records;
    _Atomic uint64_t record_bytes; /* of records, without padding */
    _Atomic uint64_t device_bytes; /* written for them */
};

/* Binds the writer to the calling thread. Blocks until the log has a segment to write to. */
enum hf_status logger_attach(struct logger *logger, struct hf_fault *fault);

/* Waits for what the device still does. The thread that attached, as its last call. */
void logger_detach(struct logger *logger);

/* Submits what came and collects what became durable. Returns the number of batches moved. */
uint32_t logger_poll(struct logger *logger);

/* Describes the log as a checkpoint's header does, when everything in it is committed and nothing
 * is under way. False: not yet; ask again. The order poller, which hands over nothing meanwhile. */
bool logger_describe(struct logger *logger, struct hf_checkpoint_header *header);

/* Whether writes are under way: a core must not sleep over them. */
bool logger_is_pending(const struct logger *logger);

#endif
