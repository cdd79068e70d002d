#include "log_check.h"

#include "log_books.h"
#include "log_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The checkpoints of a directory, oldest first. */
struct checkpoints {
    struct hf_checkpoint_header *list;
    uint32_t count;
    uint32_t next; /* the one whose record comes next */
};

struct checking {
    struct log_books books;
    struct log_figures figures;
    struct checkpoints checkpoints;
    bool prints; /* cat */
    bool json;
    bool replays; /* wanted, and not found impossible */
    bool has_begun;
    struct log_expectation expected;
    bool chain_found;
};

/* ---- Checkpoints ---- */

/* Verifies all of them, every byte. */
static enum hf_status read_checkpoints(struct checking *checking, struct hf_fault *fault)
{
    struct checkpoints *all = &checking->checkpoints;
    uint64_t index = UINT64_MAX;
    for (;;) {
        enum hf_status status = hf_checkpoint_newest(checking->books.disk, index, &index, fault);
        if (status != HF_STATUS_OK || index == 0)
            return status;
        struct hf_checkpoint_header *list =
            realloc(all->list, (all->count + 1) * sizeof *all->list);
        if (list == NULL) {
            snprintf(fault->line, sizeof fault->line, "no memory for a list of checkpoints");
            return HF_STATUS_NO_MEMORY;
        }
        all->list = list;
        memmove(list + 1, list, all->count * sizeof *list);
        status = hf_checkpoint_verify(checking->books.disk, checking->books.superblock.cluster,
                                      index, list, fault);
        if (status != HF_STATUS_OK)
            return status;
        all->count++;
    }
}

static void count_checkpoints(struct checking *checking)
{
    const struct checkpoints *all = &checking->checkpoints;
    checking->figures.checkpoint_count = all->count;
    if (all->count != 0) {
        const struct hf_checkpoint_header *newest = &all->list[all->count - 1];
        checking->figures.checkpoint_index = newest->index;
        checking->figures.checkpoint_place = newest->place;
        checking->figures.checkpoint_bytes = newest->image_length;
    }
}

/* ---- Replay ---- */

/* Finds out where carrying out can begin: with an empty ledger when the log begins at the beginning
 * and its limits never changed, else with the oldest checkpoint after which everything is there. */
static enum hf_status begin_replay(struct checking *checking, const struct hf_record_header *first,
                                   struct hf_fault *fault)
{
    struct checkpoints *all = &checking->checkpoints;
    uint64_t settings_index = checking->books.superblock.settings_index;
    enum hf_status status = log_books_make(&checking->books, fault);
    if (status != HF_STATUS_OK || (first->index == 1 && settings_index == 0))
        return status;
    for (; all->next < all->count; all->next++) {
        uint64_t index = all->list[all->next].index;
        if (index >= settings_index && index + 1 >= first->index) {
            checking->figures.replay_index = index;
            return log_books_load(&checking->books, index, fault);
        }
    }
    checking->replays = false; /* nothing that is here says what the operations began with */
    return HF_STATUS_OK;
}

/* The ledger is as it was when the checkpoint at this record was made: is it as the checkpoint
 * says?
 */
static enum hf_status compare_checkpoints(struct checking *checking,
                                          const struct hf_record_header *record,
                                          struct hf_fault *fault)
{
    struct checkpoints *all = &checking->checkpoints;
    for (; all->next < all->count && all->list[all->next].index <= record->index; all->next++) {
        const struct hf_checkpoint_header *header = &all->list[all->next];
        if (header->index < record->index)
            continue;
        if (!hf_hash_equal(header->record_hash, record->hash)) {
            snprintf(fault->line, sizeof fault->line,
                     "checkpoint-%016" PRIx64 " at offset %zu: record %" PRIu64
                     " of the log is not the one it was made after",
                     header->index, offsetof(struct hf_checkpoint_header, record_hash),
                     header->index);
            return HF_STATUS_CORRUPT;
        }
        struct hf_id digest = hf_ledger_digest(checking->books.ledger);
        if (!hf_id_equal(digest, header->digest) ||
            hf_ledger_place(checking->books.ledger) != header->place) {
            snprintf(fault->line, sizeof fault->line,
                     "checkpoint-%016" PRIx64 " at offset %zu: found digest %016" PRIx64
                     "%016" PRIx64 ", the log leads to %016" PRIx64 "%016" PRIx64,
                     header->index, offsetof(struct hf_checkpoint_header, digest),
                     header->digest.hi, header->digest.lo, digest.hi, digest.lo);
            return HF_STATUS_DIVERGED;
        }
        checking->figures.digests_compared++;
    }
    return HF_STATUS_OK;
}

static enum hf_status replay(struct checking *checking, const struct hf_record_header *record,
                             struct hf_fault *fault)
{
    enum hf_status status = HF_STATUS_OK;
    if (!checking->has_begun) {
        checking->has_begun = true;
        status = begin_replay(checking, record, fault);
    }
    if (status != HF_STATUS_OK || !checking->replays)
        return status;
    status = log_books_replay(&checking->books, record, NULL, NULL, fault);
    if (status == HF_STATUS_OK && record->index >= checking->books.loaded_index)
        status = compare_checkpoints(checking, record, fault);
    return status;
}

/* ---- Records ---- */

/* The value before counts, too: the seal that had it may be archived by now. */
static void look_for_chain(struct checking *checking, const struct hf_record_header *record)
{
    const struct hf_chain_seal *seal = hf_chain_seal_of(record);
    const uint8_t *chain = checking->expected.chain;
    if (chain != NULL && (memcmp(chain, &seal->chain, sizeof seal->chain) == 0 ||
                          memcmp(chain, &seal->previous, sizeof seal->previous) == 0))
        checking->chain_found = true;
}

static enum hf_status take_record(void *context, const struct hf_record_header *record,
                                  struct hf_fault *fault)
{
    struct checking *checking = context;
    uint32_t offset = 0;
    log_figures_add_record(&checking->figures, record);
    const union hf_operation *operation = hf_record_next(record, &offset);
    for (uint64_t place = record->first_place; operation != NULL; place++) {
        struct hf_verdict verdict = hf_operation_check_logged(operation, operation->header.length);
        if (verdict.code != HF_CODE_OK) {
            snprintf(fault->line, sizeof fault->line,
                     "record %" PRIu64 ": the operation at place %" PRIu64
                     " could never have entered the log: %s",
                     record->index, place, hf_code_name(verdict.code));
            return HF_STATUS_DIVERGED;
        }
        log_figures_add_operation(&checking->figures, operation);
        operation = hf_record_next(record, &offset);
    }
    if (record->kind == HF_RECORD_SEAL)
        look_for_chain(checking, record);
    if (checking->prints)
        log_print_record(record, checking->json);
    return checking->replays ? replay(checking, record, fault) : HF_STATUS_OK;
}

static enum hf_status check(struct checking *checking, const char *directory,
                            struct hf_fault *fault)
{
    enum hf_status status = log_books_open(&checking->books, directory, fault);
    if (checking->expected.key != NULL)
        memcpy(checking->books.expected_key, checking->expected.key,
               sizeof checking->books.expected_key);
    if (status == HF_STATUS_OK && !checking->prints) {
        status = read_checkpoints(checking, fault);
        count_checkpoints(checking);
    }
    if (status == HF_STATUS_OK)
        status = log_books_read(&checking->books, take_record, checking, fault);
    checking->figures.state = checking->books.state;
    checking->figures.is_running = checking->books.is_running;
    checking->figures.is_replayed = checking->replays && checking->has_begun;
    return status;
}

static void finish(struct checking *checking)
{
    log_books_close(&checking->books);
    free(checking->checkpoints.list);
}

enum hf_status log_verify(const char *directory, const struct log_expectation *expected,
                          bool replays, bool json, struct hf_fault *fault)
{
    struct checking checking = {.replays = replays, .expected = *expected};
    enum hf_status status = check(&checking, directory, fault);
    if (status == HF_STATUS_OK && expected->chain != NULL && !checking.chain_found) {
        snprintf(fault->line, sizeof fault->line,
                 "no seal has the chain value that was asked for: this is not that log, or less of "
                 "it than was seen");
        status = HF_STATUS_DIVERGED;
    }
    log_print_verdict(&checking.figures, status == HF_STATUS_OK ? NULL : fault->line, json);
    finish(&checking);
    return status;
}

enum hf_status log_stat(const char *directory, bool json, struct hf_fault *fault)
{
    struct checking checking = {.replays = false};
    enum hf_status status = check(&checking, directory, fault);
    if (status == HF_STATUS_OK)
        log_print_figures(&checking.figures, json);
    finish(&checking);
    return status;
}

enum hf_status log_cat(const char *directory, bool json, struct hf_fault *fault)
{
    struct checking checking = {.prints = true, .json = json};
    enum hf_status status = check(&checking, directory, fault);
    finish(&checking);
    return status;
}
