/* `holdfast log`: looks at a data directory from outside, offline, and changes nothing in it.
 *
 *   verify  reads everything and says whether it holds: superblock, checkpoints, every record, the
 *           chain from each to the next
 *   stat    the same reading, and figures of what is in it
 *   cat     every record and operation, one a line
 *   events  what the operations did, one event a line: log_events.h
 *
 * The node must be stopped: its lock keeps us out otherwise. */
#include "log_print.h"

#include "commands.h"
#include "log_events.h"
#include "target.h"
#include "wal/disk_uring.h"

#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum verb { VERB_VERIFY, VERB_STAT, VERB_CAT, VERB_EVENTS };

enum { KEY_JSON = 0x6101, KEY_FROM };

struct log_options {
    bool verb_given;
    enum verb verb;
    bool json;
    uint64_t from; /* place */
    const char *directory;
};

static const struct argp_option log_options[] = {
    {"json", KEY_JSON, NULL, 0, "Print JSON; cat prints one object a record, events one an event",
     0},
    {"from", KEY_FROM, "PLACE", 0, "events: begin with the operation at this place (1)", 0},
    {0},
};

static void take_verb(struct log_options *options, const char *word, const struct argp_state *state)
{
    static const char *const verbs[] = {"verify", "stat", "cat", "events"};
    for (unsigned i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(word, verbs[i]) == 0) {
            options->verb = (enum verb)i;
            options->verb_given = true;
            return;
        }
    }
    argp_error(state, "%s is none of verify, stat, cat, events", word);
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    struct log_options *options = state->input;
    switch (key) {
    case KEY_JSON:
        options->json = true;
        return 0;
    case KEY_FROM:
        options->from = hf_target_parse_number(state, "from", text, 1, UINT64_MAX);
        return 0;
    case ARGP_KEY_ARG:
        if (!options->verb_given) {
            take_verb(options, text, state);
        } else if (options->directory == NULL) {
            options->directory = text;
        } else {
            argp_error(state, "one data directory at a time");
        }
        return 0;
    case ARGP_KEY_END:
        if (options->from != 0 && options->verb != VERB_EVENTS) {
            argp_error(state, "--from goes with events");
        }
        if (options->directory == NULL) {
            argp_error(state, "one of verify, stat, cat, events and a data directory are needed");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp log_argp = {
    .options = log_options,
    .parser = parse_option,
    .args_doc = "verify|stat|cat|events DIRECTORY",
    .doc = "Read the log in the data directory of a node that is stopped, without changing it.\v"
           "verify  reads every byte and says whether it holds\n"
           "stat    figures of what is in it\n"
           "cat     every record and operation, one a line\n"
           "events  what each operation did, one event a line, in the order of the log: the log is "
           "replayed through the engine. A refused one is one line with its reason; repeats "
           "and dry runs are in no log. With --from it begins at the newest checkpoint before that "
           "place.",
};

/* ---- Reading ---- */

struct reading {
    const struct log_options *options;
    struct log_figures figures;
};

static enum hf_status take_record(void *context, const struct hf_record_header *record,
                                  struct hf_fault *fault)
{
    struct reading *reading = context;
    uint32_t offset = 0;
    log_figures_add_record(&reading->figures, record);
    const union hf_operation *operation = hf_record_next(record, &offset);
    for (uint64_t place = record->first_place; operation != NULL; place++) {
        struct hf_verdict verdict = hf_operation_check(operation, operation->header.length);
        if (verdict.code != HF_CODE_OK) {
            snprintf(fault->line, sizeof fault->line,
                     "record %" PRIu64 ": the operation at place %" PRIu64
                     " could never have entered the log: %s",
                     record->index, place, hf_code_name(verdict.code));
            return HF_STATUS_DIVERGED;
        }
        log_figures_add_operation(&reading->figures, operation);
        operation = hf_record_next(record, &offset);
    }
    if (reading->options->verb == VERB_CAT) {
        log_print_record(record, reading->options->json);
    }
    return HF_STATUS_OK;
}

static enum hf_status read_checkpoints(struct hf_disk *disk, struct log_figures *figures,
                                       struct hf_fault *fault)
{
    uint64_t index = UINT64_MAX;
    for (;;) {
        enum hf_status status = hf_checkpoint_newest(disk, index, &index, fault);
        if (status != HF_STATUS_OK || index == 0) {
            return status;
        }
        struct hf_checkpoint_header header;
        status =
            hf_checkpoint_verify(disk, figures->state.superblock.cluster, index, &header, fault);
        if (status != HF_STATUS_OK) {
            return status;
        }
        figures->checkpoint_count++;
        if (figures->checkpoint_count == 1) {
            figures->checkpoint_index = header.index;
            figures->checkpoint_place = header.place;
            figures->checkpoint_bytes = header.image_length;
        }
    }
}

static enum hf_status read_all(struct reading *reading, struct hf_fault *fault)
{
    struct hf_disk *disk = NULL;
    enum hf_status status =
        hf_disk_uring_open(reading->options->directory, true, false, 4096, &disk, fault);
    if (status != HF_STATUS_OK) {
        return status;
    }
    struct hf_log_options options = {.from_start = true};
    struct hf_log_replay replay = {.context = reading, .record = take_record};
    status = hf_log_open(disk, &options, &replay, &reading->figures.state, fault);
    if (status == HF_STATUS_OK && reading->options->verb != VERB_CAT) {
        status = read_checkpoints(disk, &reading->figures, fault);
    }
    disk->maker->destroy(disk);
    return status;
}

int holdfast_log_main(int argc, char **argv)
{
    struct log_options options = {0};
    if (argp_parse(&log_argp, argc, argv, 0, NULL, &options) != 0) {
        return HF_EXIT_USAGE;
    }
    struct reading reading = {.options = &options};
    struct hf_fault fault = {{0}};
    enum hf_status status = options.verb == VERB_EVENTS
                                ? log_events(options.directory, options.from, options.json, &fault)
                                : read_all(&reading, &fault);
    bool holds = status == HF_STATUS_OK;
    if (options.verb == VERB_VERIFY) {
        log_print_verdict(&reading.figures, holds ? NULL : fault.line, options.json);
    } else if (options.verb == VERB_STAT && holds) {
        log_print_figures(&reading.figures, options.json);
    }
    if (!holds) {
        /* The disk's own lines begin with the directory; the log's name only the file. */
        bool named = strncmp(fault.line, options.directory, strlen(options.directory)) == 0;
        fprintf(stderr, "holdfast log: %s%s%s\n", named ? "" : options.directory, named ? "" : ": ",
                fault.line);
    }
    return holds ? HF_EXIT_OK : HF_EXIT_FAILED;
}
