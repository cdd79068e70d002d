#include "log_events.h"

#include "log_books.h"
#include "log_print.h"

#include <stdio.h>
#include <stdlib.h>

struct telling {
    uint64_t from;
    bool json;
    struct log_books books;
    struct hf_events events;
};

static bool lies_before(const void *context, const struct hf_checkpoint_header *header)
{
    const struct telling *telling = context;
    return header->place < telling->from;
}

/* Prints what the bundle just applied did, and makes room for the next. */
static void tell_events(void *context)
{
    struct telling *telling = context;
    for (uint32_t i = 0; i < telling->events.count; i++) {
        if (telling->events.list[i].place >= telling->from)
            log_print_event(&telling->events.list[i], telling->json);
    }
    telling->events.count = 0;
}

static enum hf_status take_record(void *context, const struct hf_record_header *record,
                                  struct hf_fault *fault)
{
    struct telling *telling = context;
    return log_books_replay(&telling->books, record, tell_events, telling, fault);
}

enum hf_status log_events(const char *directory, uint64_t from, bool json, struct hf_fault *fault)
{
    struct telling telling = {.from = from, .json = json};
    telling.events.capacity = HF_BUNDLE_OPERATIONS_MAX * HF_EVENTS_MAX;
    telling.events.list = calloc(telling.events.capacity, sizeof *telling.events.list);
    if (telling.events.list == NULL) {
        snprintf(fault->line, sizeof fault->line, "no memory for events");
        return HF_STATUS_NO_MEMORY;
    }
    enum hf_status status = log_books_open(&telling.books, directory, fault);
    if (status == HF_STATUS_OK)
        status = log_books_load_newest(&telling.books, lies_before, &telling, fault);
    if (status == HF_STATUS_OK) {
        hf_ledger_watch(telling.books.ledger, &telling.events);
        status = log_books_read(&telling.books, take_record, &telling, fault);
    }
    log_books_close(&telling.books);
    free(telling.events.list);
    return status;
}
