/* The node's side of the background copy (copy.h): when one is due, starting it, hearing from it,
 * and what is to be told of all that. The main thread's alone; nothing here blocks for longer than
 * starting a process takes.
 *
 * One is due when so much log has been written since the last, or so much time has passed and an
 * operation came; when somebody asks; and when the log has no room, to free some. One that failed
 * is tried again. */
#ifndef HOLDFASTD_CHECKPOINTER_H
#define HOLDFASTD_CHECKPOINTER_H

#include "config.h"
#include "copy.h"
#include "log.h"
#include "storage.h"

#include <sys/types.h>

/* The newest checkpoint that is known to be whole. */
struct checkpointer_newest {
    uint64_t index; /* its record; 0: none */
    uint64_t place;
    uint64_t bytes;
    uint64_t made_ns; /* Unix time; of one that was loaded at start, of the record */
};

struct checkpointer {
    const struct config *config;
    struct storage *storage;
    struct logger *logger;

    pid_t copy;      /* the process, 0: none is running */
    int report_file; /* what it tells; -1 */
    uint64_t until_index;
    bool is_pressing; /* it was started because the log has no room */
    bool has_stopped; /* the test's stop was for the first one */
    uint64_t started_ns;
    uint64_t started_bytes; /* of the log, when it was started */
    struct copy_report report;

    struct checkpointer_newest newest;
    uint64_t newest_bytes;  /* of the log, when the newest was begun */
    uint64_t due_since_ns;  /* from when time counts for the next */
    uint64_t asked_index;   /* somebody wants one that reaches here */
    uint64_t not_before_ns; /* after a failure */
    uint64_t pause_ns;

    uint64_t made; /* since the node's start, as are those below */
    uint64_t failures;
    struct hf_fault failure; /* the last one; empty after a success */
    double seconds;          /* that the last one took, whole or not */
    uint64_t removed;        /* segments */
    uint64_t archived;
    uint64_t retain_failures;
    struct hf_fault retain_failure; /* the last one; empty after a success */

    uint64_t place;        /* of the newest operation, at the last look */
    uint64_t next_look_ns; /* at the room */
    uint64_t free_bytes;   /* of the file system */
};

/* After storage_open. */
void checkpointer_init(struct checkpointer *checkpointer, const struct config *config,
                       struct storage *storage, struct logger *logger);

/* Looks after all of it; call it at least ten times a second, and when checkpointer_file can be
 * read. */
void checkpointer_step(struct checkpointer *checkpointer);

/* To be polled for reading; -1 when there is nothing to hear. */
int checkpointer_file(const struct checkpointer *checkpointer);

/* Asks for a checkpoint of everything that is committed now. Returns the record to wait for:
 * checkpointer_has says when it is reached, and a failure counted since says that it was not. */
uint64_t checkpointer_ask(struct checkpointer *checkpointer);
bool checkpointer_has(const struct checkpointer *checkpointer, uint64_t index);

/* Whether it is time for a look at the ledger, about once a second; then its newest place and the
 * length that its image would have now are told: segments leave room for that. */
bool checkpointer_wants_look(struct checkpointer *checkpointer);
void checkpointer_look(struct checkpointer *checkpointer, uint64_t place, uint64_t image_bytes);

/* Ends a copy that is running; the older checkpoint stays. Waits until it is gone. */
void checkpointer_stop(struct checkpointer *checkpointer);

/* "idle" or the word for the phase of the copy that is running. */
const char *checkpointer_phase(const struct checkpointer *checkpointer);

#endif
