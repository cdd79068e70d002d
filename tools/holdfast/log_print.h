/* What `holdfast log` prints: figures of a log, its records, and the verdict on it, as text for a
 * person or as JSON. Each is made as JSON first; the text is a way of writing that down. */
#ifndef HF_TOOLS_LOG_PRINT_H
#define HF_TOOLS_LOG_PRINT_H

#include "engine/event.h"
#include "wal/recover.h"

#include <jansson.h>

#define LOG_TYPES_MAX (HF_OP_TYPE_MAX + 1)

struct log_figures {
    struct hf_log_state state;
    uint64_t records;
    uint64_t marks;
    uint64_t seals;
    uint64_t operations;
    uint64_t first_index;
    uint64_t first_place;
    uint64_t first_timestamp_ns;
    uint64_t bytes_logical;
    uint64_t by_type[LOG_TYPES_MAX];
    uint64_t checkpoint_count;
    uint64_t checkpoint_index; /* of the newest, as are the next two */
    uint64_t checkpoint_place;
    uint64_t checkpoint_bytes;
    bool is_running;           /* a node has the directory: the end of the log was not judged */
    bool is_replayed;          /* the operations were carried out again */
    uint64_t replay_index;     /* after the checkpoint at this record; 0: from the beginning */
    uint64_t digests_compared; /* of checkpoints, with what the replay led to */
};

void log_figures_add_record(struct log_figures *figures, const struct hf_record_header *record);
void log_figures_add_operation(struct log_figures *figures, const union hf_operation *operation);

/* An operation with its place, for whoever prints it: the caller's reference. */
json_t *log_print_describe_operation(uint64_t place, const union hf_operation *operation);
/* Likewise an event. */
json_t *log_print_describe_event(const struct hf_event *event);

/* One event, one line. */
void log_print_event(const struct hf_event *event, bool json);
void log_print_record(const struct hf_record_header *record, bool json);
void log_print_figures(const struct log_figures *figures, bool json);
/* `fault`: why it does not hold; NULL when it does. */
void log_print_verdict(const struct log_figures *figures, const char *fault, bool json);

#endif
